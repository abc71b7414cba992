# SPDX-License-Identifier: Apache-2.0
"""The example zone's customs data: tables that the center imports beside the papers of a script.

Rates are made up and marked so. What lasts lies beside in tables/; lines of 214s and the fee's limits follow
the script's papers and week. Knows no label and no scan.
"""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from importlib.resources import files
from typing import Final

from simulators.yard.papers import PUMP, ZONE, Line, Papers

_DECLARED: Final[dict[str, tuple[str, str, str, str, str, str]]] = {
    "MOT-24": ("850131", "JP", "NO", "1", "40", "vessel"),
    "BRG-62": ("848210", "TH", "NO", "1", "5", "air"),
    "HSG-7": ("761699", "CN", "KG", "1.2", "20", "vessel"),
    "TOOL-12": ("8205", "TW", "NO", "1", "12", "vessel"),
    "BRKT-9": ("7326", "KR", "KG", "0.8", "8", "vessel"),
}
"""By item: heading, origin, customs unit, customs units of a piece, its price in dollars, how it came."""

_MATERIALS: Final = "850131 848210 761699"
"""Headings of what pumps are made of, as far as it is foreign."""

_PORT: Final = "9901"
_AT_SEA: Final = timedelta(days=10)
"""Goods were imported so long before the week they are admitted in."""

_FISCAL_YEAR: Final = 10
"""A fiscal year of the United States begins with October."""


def tables(papers: Papers) -> dict[str, str]:
    """All tables as CSV, by their file names."""
    lasting = files("simulators.yard") / "tables"
    found = {one.name: one.read_text("utf-8") for one in lasting.iterdir() if one.name.endswith(".csv")}
    monday = papers.today - timedelta(days=papers.today.weekday())
    found["admission-line.csv"] = _csv(
        [_admission(line, monday) for line in papers.lines if line.kind == "admission"]
    )
    found["fee-limits.csv"] = _csv([_limits(monday)])
    valid = {"owner": PUMP.owner, "zone": ZONE, "valid_from": monday.isoformat()}
    last = (monday + timedelta(days=6)).isoformat()
    found["activity-permit.csv"] = _csv(
        [{"number": f"216-{papers.week}", "activity": "manufacture", **valid, "valid_to": last}]
    )
    found["production-authority.csv"] = _csv(
        [{"number": f"B-{papers.week}", **valid, "materials": _MATERIALS, "products": "841370"}]
    )
    return dict(sorted(found.items()))


def _admission(line: Line, monday: date) -> dict[str, str]:
    hts, origin, unit, each, price, mode = _DECLARED[line.item.name]
    tenths = int(each.replace(".", "")) if "." in each else int(each) * 10
    return {
        "document": line.permit,
        "line": line.line,
        "owner": line.item.owner,
        "product": line.item.gtin,
        "status": line.item.status,
        "quantity": str(line.quantity),
        "unit": "EA",
        "customs_quantity": f"{line.quantity * tenths // 10}.{line.quantity * tenths % 10}",
        "customs_unit": unit,
        "hts": hts,
        "origin": origin,
        "import_date": (monday - _AT_SEA).isoformat(),
        "pf_filed": monday.isoformat() if line.item.status == "PF" else "",
        "mode": mode,
        "port_unlading": _PORT if mode == "vessel" else "",
        "price": str(line.quantity * int(price)),
    }


def _limits(monday: date) -> dict[str, str]:
    """The limits of fiscal year 2026, lent to that of the week: the right ones are for people to load."""
    year = monday.year + (monday.month >= _FISCAL_YEAR)
    return {
        "fiscal_year": str(year),
        "rate": "0.003464",
        "minimum": "33.58",
        "maximum": "651.50",
        "valid_from": date(year - 1, _FISCAL_YEAR, 1).isoformat(),
        "valid_to": (date(year, _FISCAL_YEAR, 1) - timedelta(days=1)).isoformat(),
        "source": "limits of FY2026 (90 FR 34665), lent to the example's weeks",
        "mark": "example",
    }


def _csv(rows: list[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
