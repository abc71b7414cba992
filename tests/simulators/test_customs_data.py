# SPDX-License-Identifier: Apache-2.0
"""The example zone's customs data are what the center takes, whole, for every script and week."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest

from customs.faults import Faults
from customs.imports import Known, Papers, Upload, read_papers
from customs.tables import rows
from customs.tables.judging import OnFile, judge
from customs.tables.reading import Sheet, is_table, read_table
from customs.zone import AdmissionLine, Mode
from gs1 import check_digit
from simulators.yard.customs_data import tables
from simulators.yard.scenario import SCRIPTS, build

DOORS = {"d1": "dock-1", "d2": "dock-1", "d3": "dock-2"}


def taken(script: str, today: date) -> dict[str, Sheet]:
    papers = build(script, 1, today).papers
    upload = Upload("papers.json", json.dumps(papers.documents()).encode())
    read = read_papers([upload], Known(doors=DOORS), check_digit)
    assert isinstance(read, Papers)
    on = rows.Papers(
        today,
        {product.gtin: product for product in read.products},
        {permit.number: permit for permit in read.permits},
    )
    faults = Faults()
    sheets = {}
    for name, table in tables(papers).items():
        assert is_table(name, table.encode(), check_digit)
        sheet = read_table(name, table.encode(), on, check_digit, faults)
        assert sheet is not None
        judge(sheet, OnFile(), on.products, faults)
        assert name == f"{sheet.kind.name}.csv"
        sheets[sheet.kind.name] = sheet
    assert faults.kept == []
    return sheets


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("today", ["2026-06-03", "2026-09-30", "2026-11-22", "2028-02-29"])
def test_every_table_of_the_example_zone_is_sound(script: str, today: str) -> None:
    sheets = taken(script, date.fromisoformat(today))
    assert {"customs-product", "admission-line", "tariff", "program", "fee-limits", "bom"} <= sheets.keys()
    assert {"activity-permit", "production-authority"} <= sheets.keys()


def test_lines_of_214s_declare_what_the_story_says() -> None:
    kept = (row.row for row in taken("day", date(2026, 6, 3))["admission-line"].rows)
    lines = {row.hts: row for row in kept if isinstance(row, AdmissionLine)}
    assert lines["8205"].values.dutiable() == 2_500 * 12
    assert lines["7326"].customs_quantity == Decimal(1_000)
    assert {line.mode for line in lines.values() if line.hts != "848210"} == {Mode.VESSEL}
