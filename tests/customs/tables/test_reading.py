# SPDX-License-Identifier: Apache-2.0
"""Tables are read whole and exact, in both forms; whatever is wrong is told with its place."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.law import Program, TariffRow
from customs.tables.forms import ROWS_MAX
from customs.tables.kinds import kinds
from customs.tables.reading import Sheet, is_table
from customs.works.boms import Bom
from customs.zone import AdmissionLine
from gs1 import check_digit
from sync.entry import canonical
from tests.customs.tables.examples import MOTOR, PUMP, ROWS, as_csv, as_json, read, wheres

KINDS = kinds(check_digit)


def typed(kind: str, data: bytes, name: str) -> list[Any]:
    sheet, faults = read(data, name)
    assert faults.kept == []
    assert isinstance(sheet, Sheet)
    assert sheet.kind.name == kind
    return [kept.row for kept in sheet.rows]


def listed(kind: str, row: dict[str, str]) -> dict[str, Any]:
    """A CSV row as JSON has it: lists as lists."""
    betweens = {column.name: column.between for column in KINDS[kind].columns}
    return {
        name: [part.strip() for part in cell.split(between)] if (between := betweens[name]) else cell
        for name, cell in row.items()
    }


@pytest.mark.parametrize("kind", sorted(ROWS))
def test_every_kind_is_told_by_its_columns_and_reads_the_same_in_both_forms(kind: str) -> None:
    data = as_csv(ROWS[kind])
    assert is_table("t.csv", data, check_digit)
    rows = typed(kind, data, "t.csv")
    assert rows
    again = as_json(kind, [listed(kind, row) for row in ROWS[kind]])
    assert typed(kind, again, "t.json") == rows
    assert typed(kind, b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"), "t.csv") == rows


@pytest.mark.parametrize("kind", sorted(ROWS))
def test_a_row_survives_its_own_writing(kind: str) -> None:
    for row in typed(kind, as_csv(ROWS[kind]), "t.csv"):
        assert msgspec.json.decode(canonical(row), type=KINDS[kind].row_type) == row


def test_papers_are_no_tables() -> None:
    assert not is_table("p.csv", b"gtin,name,unit,per_pallet\n", check_digit)
    assert not is_table("p.json", b'{"products": []}', check_digit)
    assert not is_table("p.json", b'{"name": "MOT-24", "gtin": "09521999001010"}', check_digit)
    permit = b"number,kind,owner,valid_from,valid_to,line,product,status,quantity,unit,direction\n"
    assert not is_table("p.csv", permit, check_digit)


def test_a_json_table_says_of_itself_in_any_order_what_it_says() -> None:
    says = '{"name": "rates", "supersedes_from": "2026-02-01", "table": "harbor-rate", "rows": '
    data = (says + json.dumps(ROWS["harbor-rate"]) + "}").encode()
    assert is_table("t.json", data, check_digit)
    sheet, faults = read(data, "t.json")
    assert faults.kept == []
    assert sheet is not None
    assert (sheet.name, sheet.supersedes_from) == ("rates", date(2026, 2, 1))


def test_values_are_exact() -> None:
    (tariff, specific, text) = typed("tariff", as_csv(ROWS["tariff"]), "t.csv")
    assert isinstance(tariff, TariffRow)
    assert (tariff.rate.advalorem, specific.rate.specific) == (Decimal("0.04"), Decimal("0.03"))
    assert (specific.hts, text.rate.code) == ("820520", "see")
    (program,) = typed("program", as_csv(ROWS["program"]), "t.csv")
    assert isinstance(program, Program)
    assert (program.headings, program.pf_required, program.order) == (("7616", "850131"), True, 3)
    (line,) = typed("admission-line", as_csv(ROWS["admission-line"]), "t.csv")
    assert isinstance(line, AdmissionLine)
    assert (line.lot, line.customs_quantity) == ("A1/2", Decimal("1530.5"))
    assert line.values.dutiable() == 20_400
    (bom,) = typed("bom", as_csv(ROWS["bom"]), "t.csv")
    assert isinstance(bom, Bom)
    assert (len(bom.inputs), bom.scrap[0].per, bom.yield_) == (2, Decimal("0.02"), Decimal("0.98"))


def test_a_rate_may_be_left_to_the_text_that_the_tariff_prints() -> None:
    law = {"column": "general", "valid_from": "2026-01-01", "source": "HTSUS", "mark": "read"}
    texts = ("Free", "2.8¢/kg + 5%", "See 9822.01", "6.6¢/kg on drained weight")
    written = [{"hts": f"010{n}", "text": text, **law} for n, text in enumerate(texts)]
    free, compound, reference, other = typed("tariff", as_csv(written), "t.csv")
    assert (free.rate.code, compound.rate.code) == ("0", "4")
    assert (compound.rate.specific, compound.rate.unit1) == (Decimal("0.028"), "kg")
    assert (reference.rate.code, other.rate.code) == ("see", "X")


numbers = st.decimals(0, 100, places=10)
texts = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=40).filter(
    lambda text: text[0] not in "=+-@" and text == text.strip()
)


@given(st.lists(st.tuples(numbers, texts, st.dates(date(2000, 1, 1), date(2099, 12, 31))), min_size=1))
def test_any_sound_rows_come_back_as_they_were_written(cells: list[tuple[Decimal, str, date]]) -> None:
    written = [
        {
            "hts": f"{number:08d}", "column": "general", "code": "X", "advalorem": f"{rate:f}",
            "valid_from": str(day), "source": source, "mark": "read",
        }
        for number, (rate, source, day) in enumerate(cells)
    ]  # fmt: skip
    for data, name in ((as_csv(written), "t.csv"), (as_json("tariff", written), "t.json")):
        rows = typed("tariff", data, name)
        found = [(row.rate.advalorem, row.source, row.valid_from) for row in rows]
        assert found == cells


# -- faults ----------------------------------------------------------------------------------------


def changed(kind: str, cells: dict[str, str]) -> bytes:
    rows = [dict(row) for row in ROWS[kind]]
    rows[0].update(cells)
    return as_csv(rows)


BAD = [
    ("tariff", {"hts": "=8501"}, "hts"),
    ("tariff", {"hts": "85O1"}, "hts"),
    ("tariff", {"hts": "٨٥٠١"}, "hts"),
    ("tariff", {"advalorem": "4%"}, "advalorem"),
    ("tariff", {"advalorem": "-0.04"}, "advalorem"),
    ("tariff", {"advalorem": "NaN"}, "advalorem"),
    ("tariff", {"advalorem": "Infinity"}, "advalorem"),
    ("tariff", {"advalorem": "4e-2"}, "advalorem"),
    ("tariff", {"advalorem": "0,04"}, "advalorem"),
    ("tariff", {"advalorem": "25"}, "advalorem"),
    ("tariff", {"advalorem": ""}, "advalorem"),
    ("tariff", {"specific": "0.03"}, "specific"),
    ("tariff", {"code": "8"}, "code"),
    ("tariff", {"valid_from": "2026-02-30"}, "valid_from"),
    ("tariff", {"valid_from": "0026-02-03"}, "valid_from"),
    ("tariff", {"valid_from": "03/02/2026"}, "valid_from"),
    ("tariff", {"valid_to": "2025-12-31"}, "valid_to"),
    ("tariff", {"source": "@SUM(A1)"}, "source"),
    ("tariff", {"source": "\u202ereversed"}, "source"),
    ("tariff", {"mark": "verified"}, "mark"),
    ("program", {"origins": "China"}, "origins"),
    ("program", {"headings": "7616 7616"}, "headings"),
    ("program", {"excludes": "S301-X"}, "excludes"),
    ("program", {"pf_required": "true"}, "pf_required"),
    ("quota", {"closed_on": "2025-12-31"}, "closed_on"),
    ("fee-limits", {"maximum": "3.58"}, "maximum"),
    ("adcvd", {"number": "A570967"}, "number"),
    ("harbor-port", {"code": "460"}, "code"),
    ("customs-product", {"gtin": "09521999001072"}, "gtin"),
    ("customs-product", {"gtin": "09521999001011"}, "gtin"),
    ("customs-product", {"unit": "KG"}, "unit"),
    ("customs-product", {"unit": "DOZ", "factor": "1"}, "factor"),
    ("customs-product", {"factor": "0"}, "factor"),
    ("customs-product", {"hts": ""}, "hts"),
    ("admission-line", {"quantity": "-1020"}, "quantity"),
    ("admission-line", {"quantity": "99999999999"}, "quantity"),
    ("admission-line", {"quantity": "1021"}, "quantity"),
    ("admission-line", {"document": "A2"}, "document"),
    ("admission-line", {"line": "9"}, "line"),
    ("admission-line", {"owner": "Example Tools"}, "owner"),
    ("admission-line", {"product": MOTOR}, "product"),
    ("admission-line", {"unit": "KG"}, "unit"),
    ("admission-line", {"customs_unit": "DOZ"}, "customs_quantity"),
    ("admission-line", {"admitted": "2026-05-19"}, "admitted"),
    ("admission-line", {"admitted": "2026-06-09"}, "admitted"),
    ("admission-line", {"pf_filed": "2026-07-01"}, "pf_filed"),
    ("admission-line", {"pf_filed": ""}, "pf_filed"),
    ("admission-line", {"expiry": "2026-05-01"}, "expiry"),
    ("admission-line", {"import_date": ""}, "import_date"),
    ("admission-line", {"port_unlading": ""}, "port_unlading"),
    ("admission-line", {"intl_freight": "30000"}, "price"),
    ("admission-line", {"price": "$21,000"}, "price"),
    ("opening-balance", {"on_hand": "1021"}, "on_hand"),
    ("opening-balance", {"on_hand": "1020"}, "customs_on_hand"),
    ("opening-balance", {"as_of": "2026-05-31"}, "as_of"),
    ("opening-balance", {"as_of": "2026-06-09"}, "as_of"),
    ("opening-balance", {"admitted": ""}, "admitted"),
    ("activity-permit", {"activity": "assemble"}, "activity"),
    ("activity-permit", {"valid_to": "2025-12-31"}, "valid_to"),
    ("activity-permit", {"valid_to": "2027-01-03"}, "valid_to"),
    ("activity-permit", {"valid_to": ""}, "valid_to"),
    ("production-authority", {"materials": "8501"}, "materials"),
    ("production-authority", {"products": "8413.70"}, "products"),
    ("production-authority", {"products": ""}, "products"),
    ("production-authority", {"valid_to": "2025-12-31"}, "valid_to"),
    ("bom", {"part_unit": ""}, "part_unit"),
    ("bom", {"gtin": PUMP}, "gtin"),
    ("bom", {"gtin": "09521999001072"}, "gtin"),
    ("bom", {"part_unit": "KG"}, "part_unit"),
    ("bom", {"part": "assembly"}, "part"),
]


@pytest.mark.parametrize(("kind", "cells", "column"), BAD)
def test_a_bad_value_is_told_with_its_row_and_column(kind: str, cells: dict[str, str], column: str) -> None:
    sheet, faults = read(changed(kind, cells))
    assert sheet is not None
    assert wheres(faults)[0] == f"row 2, column {column}"
    first = faults.kept[0]
    assert first.got
    assert first.expected
    assert first.next


def test_every_fault_of_every_row_is_told_at_once() -> None:
    rows = [{**ROWS["tariff"][0], "hts": "x", "advalorem": "x"} for _ in range(3)]
    _, faults = read(as_csv(rows))
    columns = ("hts", "advalorem")
    assert wheres(faults) == [f"row {row}, column {column}" for row in (2, 3, 4) for column in columns]


PLANTED = [(name, cell) for kind, cells, name in BAD if kind == "tariff" for cell in cells.values() if cell]


@given(st.lists(st.lists(st.sampled_from(PLANTED), unique_by=lambda bad: bad[0]), min_size=1, max_size=6))
def test_all_faults_that_were_planted_are_told_and_no_other(planted: list[list[tuple[str, str]]]) -> None:
    rows = []
    expected = []
    for number, bads in enumerate(planted):
        row = {**ROWS["tariff"][0], "hts": f"{number:08d}"}
        # What the values of a row are together is judged once each is sound by itself.
        own = [bad for bad in bads if bad[0] not in ("specific", "valid_to") and bad != ("advalorem", "25")]
        for column, cell in own:
            row[column] = cell
            expected.append(f"row {number + 2}, column {column}")
        rows.append(row)
    _, faults = read(as_csv(rows))
    assert sorted(wheres(faults)) == sorted(expected)
    assert faults.total == len(expected)


def test_a_thousand_faults_are_kept_and_all_are_counted() -> None:
    _, faults = read(as_csv([{**ROWS["harbor-port"][0], "code": "x"} for _ in range(1_500)]))
    assert (len(faults.kept), faults.total) == (1_000, 1_500)


def test_rows_that_overlap_are_told() -> None:
    first = ROWS["tariff"][0]
    _, faults = read(as_csv([{**first, "valid_to": "2026-06-08"}, {**first, "valid_from": "2026-06-08"}]))
    assert wheres(faults) == ["row 3, column valid_from"]
    assert "and row 2 does" in faults.kept[0].expected
    _, none = read(as_csv([{**first, "valid_to": "2026-06-07"}, {**first, "valid_from": "2026-06-08"}]))
    assert none.total == 0


def test_products_that_overlap_are_told() -> None:
    first = ROWS["customs-product"][0]
    rows = [{**first, "valid_to": "2026-03-01"}, {**first, "valid_from": "2026-02-01"}]
    _, faults = read(as_csv(rows))
    assert wheres(faults) == ["row 3, column valid_from"]
    assert "row 2" in faults.kept[0].expected


def test_a_line_that_stands_twice_is_told() -> None:
    _, faults = read(as_csv([*ROWS["admission-line"], *ROWS["admission-line"]]))
    assert wheres(faults) == ["row 3, column line"]


def test_a_circle_of_bills_is_told_over_all_versions_that_share_a_day() -> None:
    pump, motor = {**ROWS["bom"][0], "version": "v2"}, dict(ROWS["bom"][0])
    motor |= {"product": MOTOR, "gtin": PUMP}
    _, faults = read(as_csv([pump, {**motor, "valid_from": "2026-03-01"}]))
    assert faults.total == 1
    assert "contains" in faults.kept[0].got
    _, none = read(as_csv([{**pump, "valid_to": "2026-02-28"}, {**motor, "valid_from": "2026-03-01"}]))
    assert none.total == 0


def test_lines_of_one_bill_must_agree() -> None:
    rows = [dict(row) for row in ROWS["bom"]]
    rows[1]["valid_from"] = "2026-02-01"
    _, faults = read(as_csv(rows))
    assert wheres(faults) == ["row 3, column valid_from"]


def test_headers_are_judged() -> None:
    data = as_csv(ROWS["tariff"]).replace(b"advalorem", b"ad_valorem").replace(b",mark", b"")
    _, faults = read(data)
    assert wheres(faults)[-1] == "row 1"
    assert "mark" in faults.kept[-1].got
    twice = as_csv(ROWS["harbor-rate"]).replace(b"source", b"rate")
    _, faults = read(twice)
    assert "a second column" in faults.kept[0].got


def test_a_million_lines_are_refused_before_a_row_is_read() -> None:
    told: list[int] = []
    data = as_csv(ROWS["harbor-port"]) + b"4601,x,2026-01-01,x,example\n" * 1_000_000
    sheet, faults = read(data, progress=told.append)
    assert sheet is None
    assert told == []
    assert faults.kept[0].expected == f"at most {ROWS_MAX} rows in one table"


def test_progress_is_told() -> None:
    told: list[int] = []
    rows = [{**ROWS["harbor-port"][0], "code": f"{number:04d}"} for number in range(9_999)]
    sheet, _ = read(as_csv(rows), progress=told.append)
    assert told == [5_000]
    assert sheet is not None
    assert sheet.seen == 9_999
