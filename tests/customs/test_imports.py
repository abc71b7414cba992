# SPDX-License-Identifier: Apache-2.0
"""Imports: what is read, and every fault told at once with its place."""

from __future__ import annotations

import copy
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from customs.documents import Direction, LineRef, Product, Status
from customs.faults import FAULTS_MAX, Fault
from customs.forms import ROWS_MAX
from customs.imports import (
    DOCUMENT_BYTES_MAX,
    DOCUMENTS_MAX,
    FILES_MAX,
    IMPORT_BYTES_MAX,
    Known,
    Papers,
    Refused,
    Upload,
    read_papers,
)
from customs.us.matrix import DISPOSITIONS, MATRIX
from customs.us.rulings import Allowed
from gs1 import check_digit

DOORS = {"dock-1-in": "dock-1", "dock-1-out": "dock-1"}
KNOWN = Known(doors=DOORS)

PRODUCT: dict[str, Any] = {"gtin": "09521999001058", "name": "TOOL-12", "unit": "EA", "per_pallet": "125"}
PERMIT: dict[str, Any] = {
    "schema": "zonegate.permit.v1",
    "number": "W24",
    "kind": "weekly-entry",
    "owner": "Example User",
    "valid_from": "2026-06-01",
    "valid_to": "2026-06-07",
    "lines": [
        {"line": "1", "product": "09521999001058", "status": "NPF", "quantity": "800", "unit": "EA",
         "direction": "out"}
    ],
}  # fmt: skip
TRUCK: dict[str, Any] = {
    "schema": "zonegate.truck.v1",
    "job": "T-2",
    "conveyance": "TR 2",
    "carrier": "Example Carrier",
    "door": "dock-1-out",
    "direction": "out",
    "seals": ["S1"],
    "permit_lines": ["W24/1"],
    "loads": [
        {"sscc": "095219990000000013", "gtin": "09521999001058", "quantity": "125", "lot": "L1",
         "owner": "Example User", "status": "NPF"}
    ],
}  # fmt: skip
ALL: dict[str, Any] = {"products": [PRODUCT], "permits": [PERMIT], "trucks": [TRUCK]}


def read(value: Any, name: str = "week.json", known: Known = KNOWN) -> Papers | Refused:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return read_papers([Upload(name, data)], known, check_digit)


def faults(value: Any, name: str = "week.json", known: Known = KNOWN) -> list[Fault]:
    result = read(value, name, known)
    assert isinstance(result, Refused)
    assert result.total >= len(result.faults)
    for fault in result.faults:
        assert fault.file
        assert fault.got
        assert fault.expected
        assert fault.next
        assert str(fault).isprintable()
    return list(result.faults)


def papers(value: Any, name: str = "week.json", known: Known = KNOWN) -> Papers:
    result = read(value, name, known)
    assert isinstance(result, Papers), result
    return result


def changed(path: str, value: Any) -> dict[str, Any]:
    """The whole import with one value replaced; `path` such as permits.0.lines.0.quantity."""
    whole = copy.deepcopy(ALL)
    at: Any = whole
    *steps, name = path.split(".")
    for step in steps:
        at = at[int(step) if step.isdigit() else step]
    last = int(name) if name.isdigit() else name
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return whole


def test_products_permits_and_trucks_are_read_with_exact_values() -> None:
    read_all = papers(ALL)
    assert read_all.products == (Product("09521999001058", "TOOL-12", "EA", Decimal(125)),)
    permit = read_all.permits[0]
    assert (permit.valid_from, permit.valid_to) == (date(2026, 6, 1), date(2026, 6, 7))
    assert permit.lines[0].quantity == Decimal(800)
    assert (permit.lines[0].status, permit.lines[0].direction) == (Status.NPF, Direction.OUT)
    truck = read_all.conveyances[0]
    assert truck.permit_lines == (LineRef("W24", "1"),)
    assert (truck.loads[0].lot, truck.seals, truck.in_bond) == ("L1", ("S1",), None)


def test_a_single_document_and_a_list_are_read_by_their_fields() -> None:
    assert len(papers(PRODUCT).products) == 1
    mixed = papers([TRUCK, PERMIT, PRODUCT])
    assert (len(mixed.products), len(mixed.permits), len(mixed.conveyances)) == (1, 1, 1)


def test_files_may_name_each_others_papers() -> None:
    uploads = [
        Upload("trucks.json", json.dumps([TRUCK]).encode()),
        Upload("permits.csv", PERMITS_CSV),
        Upload("products.csv", b"gtin,name,unit,per_pallet\n09521999001058,TOOL-12,EA,125\n"),
    ]
    result = read_papers(uploads, KNOWN, check_digit)
    assert isinstance(result, Papers)
    assert result == papers(ALL)


PERMITS_CSV = b"""number,kind,owner,valid_from,valid_to,line,product,status,quantity,unit,direction
W24,weekly-entry,Example User,2026-06-01,2026-06-07,1,09521999001058,NPF,800,EA,out
"""
TRUCKS_CSV = b"""job,conveyance,carrier,door,direction,seals,permit_lines,sscc,gtin,quantity,lot,owner,status
T-2,TR 2,"Example Carrier",dock-1-out,out,S1,W24/1,095219990000000013,09521999001058,125,L1,Example User,NPF
"""


def test_csv_says_the_same_as_json() -> None:
    product = papers(PRODUCT)
    permit = papers(ALL)
    known = Known({"09521999001058": product.products[0]}, {"W24": permit.permits[0]}, doors=DOORS)
    assert papers(PERMITS_CSV, "permits.csv", known).unchanged == 1
    assert papers(TRUCKS_CSV, "trucks.csv", known).conveyances == permit.conveyances
    spaced = TRUCKS_CSV.replace(b",TR 2,", b", TR 2 ,").replace(b"\n", b"\r\n")
    assert papers(b"\xef\xbb\xbf" + spaced, "TRUCKS.CSV", known).conveyances == permit.conveyances


def test_days_of_goods_are_read_from_json_and_csv() -> None:
    whole = changed("trucks.0.loads.0.expiry", "2026-12-31")
    whole["trucks"][0]["loads"][0]["imported"] = "2024-02-29"
    whole["permits"][0]["lines"][0] |= {"quota_opens": "2026-06-02", "quota_closes": "2026-06-02"}
    read_all = papers(whole)
    load, line = read_all.conveyances[0].loads[0], read_all.permits[0].lines[0]
    assert (load.expiry, load.imported) == (date(2026, 12, 31), date(2024, 2, 29))
    assert line.quota_opens == line.quota_closes == date(2026, 6, 2)

    product = papers(PRODUCT).products[0]
    known = Known({product.gtin: product}, {"W24": read_all.permits[0]}, doors=DOORS)
    header, row = TRUCKS_CSV.splitlines()
    rows = header + b",expiry,imported\n" + row + b",2026-12-31,2024-02-29\n"
    assert papers(rows, "trucks.csv", known).conveyances == read_all.conveyances


def test_a_quota_that_closes_before_it_opens_is_a_fault() -> None:
    whole = changed("permits.0.lines.0.quota_opens", "2026-06-03")
    whole["permits"][0]["lines"][0]["quota_closes"] = "2026-06-02"
    [fault] = faults(whole)
    assert fault.where == "permits[0].lines[0].quota_closes"
    assert "quota_opens 2026-06-03" in fault.expected


def test_a_truck_without_loads_is_one_csv_row() -> None:
    rows = b"job,conveyance,carrier,door,direction\nT-9,TR 9,Example Carrier,dock-1-in,in\n"
    truck = papers(rows, "trucks.csv").conveyances[0]
    assert (truck.job, truck.loads, truck.permit_lines) == ("T-9", (), ())


def test_rows_of_one_paper_must_agree_on_it() -> None:
    rows = TRUCKS_CSV + TRUCKS_CSV.splitlines()[1].replace(b"TR 2", b"TR 3").replace(b"000013", b"000020")
    known = Known(
        {"09521999001058": papers(PRODUCT).products[0]}, {"W24": papers(ALL).permits[0]}, doors=DOORS
    )
    found = faults(rows, "trucks.csv", known)
    assert [(fault.where, fault.got) for fault in found] == [("row 3, column conveyance", "TR 3")]


def test_the_same_again_is_nothing_new_and_other_content_is_a_fault() -> None:
    first = papers(ALL)
    known = Known(
        {product.gtin: product for product in first.products},
        {permit.number: permit for permit in first.permits},
        {truck.job: truck for truck in first.conveyances},
        DOORS,
    )
    assert papers(ALL, known=known) == Papers(unchanged=3)
    assert papers(changed("permits.0.lines.0.quantity", "800.00"), known=known).unchanged == 3
    found = faults(changed("permits.0.lines.0.quantity", "801"), known=known)
    assert [(fault.where, fault.got) for fault in found] == [
        ("permits[0]", "permit W24 with other content than on file")
    ]
    twice = {"products": [PRODUCT, {**PRODUCT, "name": "TOOL-13"}, PRODUCT]}
    assert [fault.where for fault in faults(twice)] == ["products[1]"]


def test_all_faults_of_all_papers_come_at_once() -> None:
    whole = copy.deepcopy(ALL)
    whole["products"][0]["gtin"] = "09521999001059"
    whole["permits"][0] |= {"valid_to": "2026-02-30", "kind": "gift"}
    whole["permits"][0]["lines"][0] |= {"quantity": "-1", "status": "XX"}
    whole["trucks"][0] |= {"door": "dock-9", "job": "t 2"}
    whole["trucks"][0]["loads"][0]["sscc"] = "1"
    del whole["trucks"][0]["loads"][0]["owner"]
    places = {fault.where for fault in faults(whole)}
    assert places == {
        "products[0].gtin",
        "permits[0].kind",
        "permits[0].valid_to",
        "permits[0].lines[0].status",
        "permits[0].lines[0].quantity",
        "trucks[0].job",
        "trucks[0].loads[0].sscc",
        "trucks[0].loads[0].owner",
    }


BAD = [
    ("products.0.name", "=1+1", "starts no formula"),
    ("products.0.name", "+1", ""),
    ("products.0.name", "-1", ""),
    ("products.0.name", "@SUM(A1)", ""),
    ("products.0.name", "a\x00b", ""),
    ("products.0.name", "a\tb", ""),
    ("products.0.name", "a\u202eb", ""),
    ("products.0.name", "\ud800", ""),
    ("products.0.name", " TOOL", ""),
    ("products.0.name", "", ""),
    ("products.0.name", "x" * 121, ""),
    ("products.0.name", 7, ""),
    ("products.0.name", None, ""),
    ("products.0.name", ..., ""),
    ("products.0.gtin", "9521999001058", "leading zeros"),
    ("products.0.gtin", "0952199900105\u0668", ""),
    ("products.0.per_pallet", "0", ""),
    ("products.0.colour", "red", ""),
    ("permits.0.valid_from", "2026-06-31", ""),
    ("permits.0.valid_from", "01.06.2026", ""),
    ("permits.0.valid_from", "1999-12-31", ""),
    ("permits.0.valid_to", "2026-05-31", ""),
    ("permits.0.number", "../../etc", ""),
    ("permits.0.number", "=W24", ""),
    ("permits.0.lines", [], ""),
    ("permits.0.lines", "none", ""),
    ("permits.0.lines.0.quantity", 800, ""),
    ("permits.0.lines.0.quantity", 8.5, ""),
    ("permits.0.lines.0.quantity", "-800", ""),
    ("permits.0.lines.0.quantity", "0", ""),
    ("permits.0.lines.0.quantity", "NaN", ""),
    ("permits.0.lines.0.quantity", "Infinity", ""),
    ("permits.0.lines.0.quantity", "1e9", ""),
    ("permits.0.lines.0.quantity", "1,000", ""),
    ("permits.0.lines.0.quantity", "9" * 400, ""),
    ("permits.0.lines.0.quantity", "1000000001", ""),
    ("permits.0.lines.0.quantity", "0.0000001", ""),
    ("permits.0.lines.0.quantity", "\u0661\u0662", ""),
    ("permits.0.lines.0.product", "09521999001065", "product that is on file"),
    ("permits.0.lines.0.unit", "KGM", "EA"),
    ("permits.0.lines.0.direction", "OUT", ""),
    ("permits.0.rules", ["a", "a"], ""),
    ("trucks.0.job", "T2\n", ""),
    ("trucks.0.job", "T" * 25, ""),
    ("trucks.0.job", "t-2", ""),
    ("trucks.0.door", "dock-9", "dock-1-in, dock-1-out"),
    ("trucks.0.door", "../x", ""),
    ("trucks.0.direction", "in", "out"),
    ("trucks.0.permit_lines", ["W24/9"], "a line of W24"),
    ("trucks.0.permit_lines", ["W99/1"], "permit that is on file"),
    ("trucks.0.permit_lines", ["W24"], ""),
    ("trucks.0.permit_lines", [["W24"]], ""),
    ("trucks.0.permit_lines", [{"permit": "W24"}], ""),
    ("trucks.0.seals", "S1", ""),
    ("trucks.0.seals", ["S1", "S1"], ""),
    ("trucks.0.seals", ["=S"], ""),
    ("trucks.0.loads.0", "pallet", ""),
    ("trucks.0.loads.0.gtin", ..., ""),
    ("trucks.0.loads.0.gtin", "09521999001065", ""),
    ("trucks.0.loads.0.sscc", "095219990000000014", "check digit 3"),
    ("trucks.0.loads.0.lot", "=L1", ""),
    ("trucks.0.loads.0.lot", "L\u00e41", ""),
    ("trucks.0.loads.0.expiry", "2026-13-01", "no such day"),
    ("trucks.0.loads.0.expiry", 20260601, ""),
    ("trucks.0.loads.0.imported", "01.06.2026", ""),
    ("permits.0.lines.0.quota_opens", "9999-01-01", "years 2000 to 2100"),
    ("trucks.0.schema", "zonegate.truck.v2", ""),
]


@pytest.mark.parametrize(("path", "value", "words"), BAD)
def test_one_bad_value_is_one_fault_at_its_place(path: str, value: Any, words: str) -> None:
    found = faults(changed(path, value))
    where = path.replace(".0", "[0]")
    if path.endswith("direction") and "trucks" in path:
        where = "trucks[0].permit_lines"
    assert found[0].where == where
    if not path.endswith("0.gtin") and not path.endswith("0.number"):
        # A wrong number is told once more by each paper that names the right one.
        assert len(found) == 1
    if words:
        assert any(word in str(found[0]) for word in (words, "formula"))


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", "line 1, column 1"),
        (b"{", "line 1, column 2"),
        (b"\xff\xfe{\x00}\x00", "byte 0"),
        (b'{"products": []}\x00', "character 16"),
        ("ä".encode("latin-1"), "byte 0"),
        (b"[" * 100_000, ""),
        (b'{"a":' * 50_000, ""),
        (b"7", ""),
        (b"null", ""),
        (b'"=cmd"', ""),
        (b"[[]]", "[0]"),
        (b"[{}]", "[0]"),
        (b"[" + b"9" * 5000 + b"]", "[0]"),
        (b'{"products": {}}', "products"),
        (b'{"products": [], "prices": []}', "prices"),
        (b'{"products": []}', ""),
        (b"[NaN]", "[0]"),
    ],
)
def test_what_is_no_import_is_told_with_its_place(data: bytes, where: str) -> None:
    assert [fault.where for fault in faults(data)] == [where]


def test_a_key_that_stands_twice_is_a_fault() -> None:
    text = json.dumps(ALL).replace('"name": "TOOL-12"', '"name": "TOOL-12", "name": "TOOL-13"')
    assert [(fault.where, fault.got) for fault in faults(text.encode())] == [
        ("products[0].name", "this field twice")
    ]


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        (b"", "row 1"),
        (b"colour\nred\n", "row 1"),
        (b"gtin;name\n09521999001058;TOOL\n", "row 1"),
        (b"gtin,name,price\n09521999001058,TOOL,1\n", "row 1, column 3"),
        (b"gtin,name,name\n09521999001058,TOOL,TOOL\n", "row 1, column 3"),
        (b"gtin,name\n09521999001058,TOOL,EA\n", "row 2"),
        (b'gtin,name\n09521999001058,"TOOL\n', "row 2"),
        (b"gtin,name\n09521999001058,=1+1\n", "row 2, column name"),
        (b'gtin,name\n\n09521999001058,"a\nb"\n', "row 3, column name"),
        (b"gtin,name\n,TOOL\n", "row 2, column gtin"),
        (b"gtin,name\n" + b"x" * 200_000 + b",T\n", "row 2"),
        (b",".join([b"gtin"] + [b"x"] * 5000) + b"\n", None),
    ],
)
def test_csv_faults_name_row_and_column(rows: bytes, where: str | None) -> None:
    found = faults(rows, "products.csv")
    assert where is None or [fault.where for fault in found] == [where]


def test_a_file_of_another_ending_is_refused() -> None:
    assert "ending" in str(faults(b"x", "week.xlsx")[0])
    assert faults(b"{", "\x1b[31m.json")[0].file == "\\u001b[31m.json"


def test_what_is_too_much_is_refused_before_it_is_judged() -> None:
    too_many = [Upload(f"{number}.json", b"{}") for number in range(FILES_MAX + 1)]
    assert isinstance(read_papers(too_many, KNOWN, check_digit), Refused)
    assert len(faults(b" " * (IMPORT_BYTES_MAX + 1))) == 1
    rows = b"gtin,name\n" + b"a,b\n" * (ROWS_MAX + 1)
    assert faults(rows, "products.csv")[-1].where in (f"row {ROWS_MAX + 2}", "")
    million = b"gtin,name\n" + b"1,2\n" * 1_000_000
    assert isinstance(read(million, "products.csv"), Refused)
    many = [{**PRODUCT, "gtin": _gtin(number)} for number in range(DOCUMENTS_MAX + 1)]
    assert "at most" in str(faults(many)[0])
    assert len(papers(many[:-1]).products) == DOCUMENTS_MAX


def test_faults_are_bounded_and_counted() -> None:
    result = read([{**PRODUCT, "name": "="}] * (FAULTS_MAX + 50))
    assert isinstance(result, Refused)
    assert (len(result.faults), result.total) == (FAULTS_MAX, FAULTS_MAX + 50)


def test_a_truck_too_large_for_one_entry_is_refused() -> None:
    load = TRUCK["loads"][0]
    loads = [{**load, "sscc": _sscc(number), "owner": "O" * 80} for number in range(900)]
    found = faults({**ALL, "trucks": [{**TRUCK, "loads": loads}]})
    assert [fault.where for fault in found] == ["trucks[0].loads"]
    assert str(DOCUMENT_BYTES_MAX) in found[0].expected


def test_the_same_sscc_twice_on_a_truck_is_told_with_both_places() -> None:
    found = faults({**ALL, "trucks": [{**TRUCK, "loads": TRUCK["loads"] * 2}]})
    assert found[0].where == "trucks[0].loads[1].sscc"
    assert "trucks[0].loads[0].sscc" in found[0].next


def _gtin(number: int) -> str:
    body = f"09521{number:08d}"
    return body + check_digit(body)


def _sscc(number: int) -> str:
    body = f"09521999{number:09d}"
    return body + check_digit(body)


@pytest.mark.parametrize(
    ("kind", "status", "let_out"),
    [
        ("warehouse", "PF", "NPF"),
        ("warehouse", "ZR", "NPF"),
        ("warehouse", "D", "NPF"),
        ("warehouse-for-export", "PF", "NPF, ZR"),
        ("weekly-entry", "ZR", "PF, NPF, D"),
        ("entry", "SUSPENSE", "PF, NPF, D"),
    ],
)
def test_a_line_whose_goods_may_not_leave_on_its_kind_of_permit_is_refused(
    kind: str, status: str, let_out: str
) -> None:
    whole = changed("permits.0.kind", kind)
    whole["permits"][0]["lines"][0]["status"] = status
    (fault,) = faults(whole)
    assert (fault.where, fault.got) == ("permits[0].lines[0].status", status)
    assert fault.expected.startswith(f"a status that may leave on {kind}: {let_out} (19 CFR 146.")
    row = f"W24,{kind},Example User,2026-06-01,2026-06-07,1,09521999001058,{status},800,EA,out"
    head = "number,kind,owner,valid_from,valid_to,line,product,status,quantity,unit,direction"
    known = Known({PRODUCT["gtin"]: Product(PRODUCT["gtin"], "TOOL-12")}, doors=DOORS)
    (fault,) = faults(f"{head}\n{row}\n".encode(), "permits.csv", known)
    assert fault.where == "row 2, column status"
    whole["permits"][0]["lines"][0]["direction"] = "in"
    whole["trucks"] = []
    assert papers(whole).permits, "the control: what comes in is judged by no such rule"


def test_every_status_that_a_kind_lets_out_is_taken() -> None:
    for kind, disposition in DISPOSITIONS.items():
        for status, ruling in MATRIX[disposition].items():
            whole = changed("permits.0.kind", kind)
            whole["permits"][0]["lines"][0]["status"] = status.value
            assert isinstance(read(whole), Papers) == isinstance(ruling, Allowed), (kind, status)
