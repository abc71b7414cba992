# SPDX-License-Identifier: Apache-2.0
"""Sound tables of every kind, as CSV and as rows, and the papers that they name."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from customs.documents import Direction, Permit, PermitLine, Product, Status
from customs.faults import Faults
from customs.tables.judging import OnFile, judge
from customs.tables.reading import Sheet, read_table
from customs.tables.rows import Papers
from gs1 import check_digit

TODAY = date(2026, 6, 8)
MOTOR, HOUSING, PUMP, BRACKET = "09521999001010", "09521999001034", "09521999001041", "09521999001065"
OWNER = "Example Motors"

PAPERS = Papers(
    TODAY,
    {gtin: Product(gtin, "x") for gtin in (MOTOR, HOUSING, PUMP, BRACKET)},
    {
        "A1": Permit(
            "A1",
            "admission",
            OWNER,
            date(2026, 6, 1),
            date(2026, 6, 7),
            (
                PermitLine("1", MOTOR, Status.NPF, Decimal(1000), "EA", Direction.IN),
                PermitLine("2", HOUSING, Status.PF, Decimal(1020), "EA", Direction.IN),
                PermitLine("3", MOTOR, Status.NPF, Decimal(10), "EA", Direction.OUT),
            ),
        )
    },
)

_LAW = {"valid_from": "2026-01-01", "source": "the example zone", "mark": "example"}
_LINE = {
    "document": "A1",
    "line": "2",
    "owner": OWNER,
    "product": HOUSING,
    "status": "PF",
    "quantity": "1020",
    "unit": "EA",
    "customs_quantity": "1530.5",
    "customs_unit": "KG",
    "hts": "7616.99.51",
    "origin": "CN",
    "import_date": "2026-05-20",
    "admitted": "2026-06-01",
    "pf_filed": "2026-06-01",
    "mode": "vessel",
    "port_unlading": "4601",
    "price": "21000",
    "additions": "100",
    "intl_freight": "600.5",
    "intl_insurance": "59.5",
    "us_inland": "40",
    "expiry": "2028-06-01",
    "adcvd": "A-570-967 C-570-968",
}
_BOM = {"product": PUMP, "version": "v1", "unit": "EA", "valid_from": "2026-01-01", "yield": "0.98"}

ROWS: Mapping[str, Sequence[dict[str, str]]] = {
    "customs-product": [
        {
            "gtin": MOTOR,
            "owner": OWNER,
            "hts": "8501.31.40",
            "origin": "JP",
            "unit": "EA",
            "customs_unit": "NO",
            "factor": "1",
            "description": "DC motors",
            "valid_from": "2026-01-01",
            "expiry_days": "365",
        }
    ],
    "admission-line": [_LINE],
    "opening-balance": [
        {**_LINE, "lot": "A0/7", "as_of": "2026-06-02", "on_hand": "20", "customs_on_hand": "30.01"}
    ],
    "bom": [
        {**_BOM, "part": "input", "gtin": MOTOR, "per": "1", "part_unit": "EA"},
        {**_BOM, "part": "input", "gtin": HOUSING, "per": "1.02", "part_unit": "EA"},
        {**_BOM, "part": "scrap", "of": HOUSING, "per": "0.02", "recoverable": "yes", "description": "chips"},
    ],
    "activity-permit": [
        {"number": "216-1", "activity": "manufacture", "owner": OWNER, "zone": "999001001",
         "valid_from": "2026-01-01", "valid_to": "2026-12-31"}
    ],
    "production-authority": [
        {"number": "B-12-2026", "owner": OWNER, "zone": "999001001", "materials": "850131 761699",
         "products": "841370", "valid_from": "2026-01-01"}
    ],
    "tariff": [
        {"hts": "8501", "column": "general", "code": "7", "advalorem": "0.04", **_LAW},
        {"hts": "8205.20", "column": "general", "code": "4", "specific": "0.03", "unit1": "NO",
         "advalorem": "0.05", **_LAW},
        {"hts": "9822", "column": "KR", "code": "see", "text": "See 9822.01", **_LAW},
    ],
    "program": [
        {"id": "S301-X", "name": "Section 301, example", "headings": "7616 8501.31", "origins": "CN",
         "code": "7", "advalorem": "0.25", "pf_required": "yes", "drawback": "yes", "order": "3",
         "excludes": "S232-X", "rate_date": "pf-filing", **_LAW}
    ],
    "relief": [
        {"id": "R1", "program": "S301-X", "pf_before": "2026-03-01", "headings": "7616", "code": "0", **_LAW}
    ],
    "adcvd": [
        {"number": "A-570-967", "remedy": "AD", "producers": "Example Works; *", "headings": "7604",
         "origins": "CN", "code": "7", "advalorem": "3.7431", **_LAW}
    ],
    "quota": [
        {"id": "Q1", "limit": "tariff-rate", "opens": "2026-01-02", "closed_on": "2026-02-01",
         "headings": "1701", "code": "1", "specific": "0.338", "unit1": "KG", **_LAW}
    ],
    "fee-limits": [
        {"fiscal_year": "2026", "rate": "0.003464", "minimum": "33.58", "maximum": "651.50", **_LAW}
    ],
    "harbor-rate": [{"rate": "0.00125", **_LAW}],
    "harbor-port": [{"code": "4601", "name": "New York", **_LAW}],
    "preference": [{"spi": "KR", "origins": "KR", "mpf_exempt": "yes", **_LAW}],
    "column-2": [{"origin": "KP", "name": "North Korea", **_LAW}],
    "holiday": [{"day": "2026-06-19", "name": "Juneteenth", "source": "5 USC 6103", "mark": "example"}],
    "weekly-excluded": [{"id": "X1", "headings": "0201", "reason": "example", **_LAW}],
}  # fmt: skip
"""By kind, rows as CSV cells."""


def as_csv(rows: Iterable[Mapping[str, str]]) -> bytes:
    """Rows as a CSV file."""
    kept = list(rows)
    names = list(dict.fromkeys(name for row in kept for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerows(kept)
    return out.getvalue().encode()


def as_json(kind: str, rows: Iterable[Mapping[str, Any]], **says: str) -> bytes:
    """Rows as a JSON table."""
    return json.dumps({"table": kind, **says, "rows": list(rows)}).encode()


def read(
    data: bytes, name: str = "t.csv", on_file: OnFile | None = None, papers: Papers = PAPERS, **more: Any
) -> tuple[Sheet | None, Faults]:
    """A file as the center judges it."""
    faults = Faults()
    sheet = read_table(name, data, papers, check_digit, faults, **more)
    if sheet is not None:
        judge(sheet, on_file or OnFile(), papers.products, faults)
    return sheet, faults


def wheres(faults: Faults) -> list[str]:
    """Where the faults are."""
    return [fault.where for fault in faults.kept]
