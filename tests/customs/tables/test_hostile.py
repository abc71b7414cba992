# SPDX-License-Identifier: Apache-2.0
"""Whatever bytes come as a table, it is read or refused in words: no exception, nothing half, in bounds."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customs.imports import Known, Refused, Upload, read_papers
from customs.tables import forms
from customs.tables.forms import ROW_BYTES_MAX, ROWS_MAX
from customs.tables.reading import Sheet, is_table
from gs1 import check_digit
from tests.customs.tables.examples import ROWS, as_csv, as_json, read, wheres

TARIFF = as_csv(ROWS["tariff"])
HEAD = b'{"table": "harbor-rate", "rows": ['
ROW = b'{"rate": "0.1", "valid_from": "2026-01-01", "source": "x", "mark": "read"}'
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.sampled_from(["=1", "NaN", "-1", "1e9", "2026-02-30", "\x00", "\ud800", "٣", "1_000", " 1"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def judged(name: str, data: bytes) -> Sheet | None:
    """A table as it was read, None where it was refused with sound words."""
    if not is_table(name, data, check_digit):
        return None
    sheet, faults = read(data, name)
    for fault in faults.kept:
        assert str(fault).isprintable()
        assert len(str(fault)) < 4000
    if not faults.total:
        assert sheet is not None
        assert len(sheet.rows) > 0
        return sheet
    return None


@given(st.binary(max_size=300), st.sampled_from(["t.csv", "t.json"]))
def test_any_bytes(data: bytes, name: str) -> None:
    judged(name, data)
    judged("t.csv", TARIFF.split(b"\n")[0] + b"\n" + data)
    judged("t.json", HEAD + data)


@given(st.sampled_from(sorted(ROWS)), st.data())
def test_any_cut_or_changed_csv(kind: str, data: st.DataObject) -> None:
    whole = as_csv(ROWS[kind])
    at = data.draw(st.integers(0, len(whole)))
    junk = data.draw(st.binary(max_size=5))
    skip = data.draw(st.integers(0, 5))
    judged("t.csv", whole[:at] + junk + whole[at + skip :])


@settings(max_examples=300)
@given(st.sampled_from(sorted(ROWS)), st.data())
def test_any_wound_is_judged(kind: str, data: st.DataObject) -> None:
    rows: list[Any] = [dict(row) for row in ROWS[kind]]
    at = data.draw(st.integers(0, len(rows) - 1))
    if data.draw(st.integers(0, 9)):
        rows[at][data.draw(st.sampled_from(sorted(rows[at])))] = data.draw(VALUES)
    else:
        rows[at] = data.draw(VALUES)
    judged("t.json", json.dumps({"table": kind, "rows": rows}).encode())


REFUSED = {
    "UTF-16": ("\ufeff" + TARIFF.decode()).encode("utf-16-le"),
    "UTF-16 without its mark": TARIFF.decode().encode("utf-16-be"),
    "Latin-1": TARIFF.replace(b"the example zone", "Zollfrei\xe4mter".encode("latin-1")),
    "NUL": TARIFF.replace(b"example zone", b"example\x00zone"),
    "a lone carriage return": TARIFF.replace(b"\r\n", b"\r"),
    "a carriage return in a row": TARIFF.replace(b"the example zone", b"the\rzone"),
    "an open quote": TARIFF.replace(b"the example zone", b'"the example zone'),
    "a quote within": TARIFF.replace(b"the example zone", b'the "example" zone').replace(b"7,", b'"7"x,'),
    "a line break in a cell": TARIFF.replace(b"the example zone", b'"the\nzone"'),
    "semicolons": TARIFF.replace(b",", b";"),
    "a row too many": TARIFF.replace(b"NO,\r\n", b"NO,,,\r\n"),
    "a formula": TARIFF.replace(b"the example zone", b"=HYPERLINK(A1)"),
    "a long row": TARIFF.replace(b"the example zone", b"x" * (ROW_BYTES_MAX + 1)),
    "only a header": TARIFF.split(b"\n")[0],
    "blank rows": TARIFF.split(b"\n")[0] + b"\n,,\n\n ,\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_csv_is_refused_with_its_row(name: str) -> None:
    data = REFUSED[name]
    assert data != TARIFF
    if not is_table("t.csv", data, check_digit):
        return  # then papers refuse it, as another test has it
    _, faults = read(data)
    assert faults.total
    assert faults.kept[0].where or "row" in faults.kept[0].expected


@pytest.mark.parametrize(
    "name", [name for name in REFUSED if not is_table("t.csv", REFUSED[name], check_digit)]
)
def test_what_is_no_table_is_refused_as_no_paper_either(name: str) -> None:

    refused = read_papers([Upload("t.csv", REFUSED[name])], Known(), check_digit)
    assert isinstance(refused, Refused)
    assert refused.faults[0].next


def test_the_control_is_read() -> None:
    assert judged("t.csv", TARIFF) is not None
    assert judged("t.json", HEAD + ROW + b"]}") is not None


def test_rows_after_a_broken_one_are_judged_too() -> None:
    lines = as_csv([ROWS["tariff"][0]] * 5).split(b"\n")
    lines[1] = lines[1].replace(b"the", b'"the')
    lines[2] = lines[2].replace(b"the", b"\xff")
    lines[3] = b"x" * (3 * ROW_BYTES_MAX)
    lines[5] = lines[5].replace(b"8501", b"x")
    _, faults = read(b"\n".join(lines))
    assert [where.split(",")[0] for where in wheres(faults)] == ["row 2", "row 3", "row 4", "row 6"]


BROKEN_JSON = [
    b'{"rows": [' + ROW + b'], "table": "harbor-rate"}',
    b'{"supersedes_from": "2026-01-01", "rows": [' + ROW + b"]}",
    b'{"table": "harbor-rate"}',
    b'{"table": "harbor-rate", "rows": {}}',
    b'{"table": "harbour-rate", "rows": [' + ROW + b"]}",
    b'{"table": 5, "rows": []}',
    b'{"table": "harbor-rate", "table": "tariff", "rows": [' + ROW + b"]}",
    b'{"table": "harbor-rate", "supersedes_from": "soon", "rows": [' + ROW + b"]}",
    b'{"table": "harbor-rate", "name": "=1", "rows": [' + ROW + b"]}",
    HEAD + ROW,
    HEAD + ROW + b",]}",
    HEAD + ROW + b" " + ROW + b"]}",
    HEAD + ROW + b"]} more",
    HEAD + b"]}",
    HEAD + b"[]]}",
    HEAD + ROW.replace(b'"0.1"', b"0.1") + b"]}",
    HEAD + ROW.replace(b'"0.1"', b"NaN") + b"]}",
    HEAD + ROW.replace(b'"0.1"', b'"\\ud800"') + b"]}",
    HEAD + ROW.replace(b'"rate": "0.1"', b'"rate": "0.1", "rate": "0.2"') + b"]}",
    HEAD + ROW.replace(b'"0.1"', b'"' + b"1" * ROW_BYTES_MAX + b'"') + b"]}",
    HEAD + ROW.replace(b'"0.1"', b"[" * 100_000) + b"]}",
    HEAD + b'"' + b"x" * (4 * ROW_BYTES_MAX),
    HEAD + b"\xff" + ROW + b"]}",
]


@pytest.mark.parametrize("data", BROKEN_JSON, ids=lambda data: data[:60].decode("latin-1"))
def test_a_broken_json_table_is_refused_in_words(data: bytes) -> None:
    assert is_table("t.json", data, check_digit)
    _, faults = read(data, "t.json")
    assert faults.total
    assert str(faults.kept[0]).isprintable()


def test_rows_beyond_the_bound_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    many = HEAD + b",".join([ROW] * (2 * ROWS_MAX + 2)) + b"]}"
    told: list[int] = []
    sheet, faults = read(many, "t.json", progress=told.append)
    assert (sheet, told) == (None, [])
    assert faults.kept[0].expected == f"at most {ROWS_MAX} rows in one table"
    monkeypatch.setattr(forms, "ROWS_MAX", 3)
    rows = [{**ROWS["harbor-port"][0], "code": f"{at:04d}"} for at in range(4)]
    assert judged("t.json", as_json("harbor-port", rows[:3])) is not None
    _, faults = read(as_json("harbor-port", rows), "t.json")
    assert wheres(faults) == ["rows[3]"]


def test_a_row_in_the_middle_of_windows_is_read_whole() -> None:
    """Rows of every length, so that each ends somewhere else in what is held of the file."""
    port = ROWS["harbor-port"][0]
    rows = [{**port, "code": f"{at:04d}", "name": "é" * (1 + at % 117)} for at in range(3_000)]
    sheet, faults = read(as_json("harbor-port", rows), "t.json")
    assert faults.kept == []
    assert sheet is not None
    assert [getattr(kept.row, "name", "") for kept in sheet.rows] == [row["name"] for row in rows]


def test_a_hostile_file_takes_no_more_memory_than_its_faults() -> None:
    """Of a row without end, and of rows that are all faulty, no more is held than a thousand faults."""
    header = TARIFF.split(b"\n")[0] + b"\n"
    hostile = [
        HEAD + b"[" + b"1," * 2_000_000,
        header + b"," * 4_000_000,
        header + b'"' * 4_000_000,
        as_csv([{**ROWS["harbor-port"][0], "code": "x"}]) + b"x,y,2026-01-01,z,read\n" * 3_000,
    ]
    for data in hostile:
        tracemalloc.start()
        read(data, "t.json" if data.startswith(b"{") else "t.csv")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < 4 * 2**20, data[:50]
