# SPDX-License-Identifier: Apache-2.0
"""Lines of admissions at the center: in no status that law does not let such goods have on their day."""

from __future__ import annotations

import pytest

from central.service import Central
from customs.imports import Upload
from tests.central.test_datasets import PERMIT, PRODUCTS, refuse, take
from tests.customs.tables.examples import MOTOR, ROWS, as_csv

LINE = {**ROWS["admission-line"][0], "line": "1", "product": MOTOR, "status": "NPF", "quantity": "1000"}
LINE |= {
    "customs_quantity": "1000",
    "customs_unit": "EA",
    "hts": "85013140",
    "origin": "CN",
    "pf_filed": "",
    "adcvd": "",
}
PROGRAM = {**ROWS["program"][0], "excludes": ""}
PAPERS = (Upload("products.csv", PRODUCTS), Upload("permits.csv", PERMIT))


def lines(**cells: str) -> Upload:
    return Upload("lines.csv", as_csv([{**LINE, **cells}]))


def programs(**cells: str) -> Upload:
    return Upload("programs.csv", as_csv([{**PROGRAM, **cells}]))


def admitted() -> str:
    return LINE["admitted"]


@pytest.mark.servers
async def test_the_day_before_a_program_begins_is_free_and_its_first_day_is_not(center: Central) -> None:
    await take(center, *PAPERS, programs(valid_from=admitted()))
    refused = await refuse(center, lines())
    assert [fault.where for fault in refused.faults] == ["row 2, column status"]
    assert "S301-X" in refused.faults[0].expected
    assert "privileged status" in refused.faults[0].next
    await refuse(center, lines(status="ZR"))


@pytest.mark.servers
async def test_goods_that_no_program_covers_are_admitted_in_any_status(center: Central) -> None:
    await take(center, *PAPERS, programs(valid_to="2026-01-31"), lines())


@pytest.mark.servers
async def test_a_program_of_the_same_import_counts_wherever_it_stands(center: Central) -> None:
    await refuse(center, *PAPERS, lines(), programs())
    await take(center, *PAPERS, lines(origin="JP"), programs())
    refused = await refuse(center, lines(), programs())
    assert "column status" in "".join(fault.where for fault in refused.faults)


@pytest.mark.servers
async def test_a_case_must_be_on_file_for_goods_that_name_it_in_another_status_than_privileged(
    center: Central,
) -> None:
    refused = await refuse(center, *PAPERS, lines(adcvd="A-570-999"))
    assert [fault.where for fault in refused.faults] == ["row 2, column adcvd"]
    assert "A-570-999" in refused.faults[0].next
