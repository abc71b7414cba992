# SPDX-License-Identifier: Apache-2.0
"""Shortages: all are recorded, and the port is told at once of those that the regulation names."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from customs.documents import Status
from customs.law import LawError
from customs.us.assessment import assess
from customs.us.shortages import Shortage, judge
from tests.customs.example_zone import LAW, D, goods, leaving, weekly


def missing(short: int, of: int, duty: str, **more: Any) -> Shortage:
    values: dict[str, Any] = {
        "kind": "shortage",
        "status": Status.PF,
        "quantity": D(short),
        "whole": D(of),
        "duty_and_tax": D(duty),
        **more,
    }
    return Shortage(**values)


@pytest.mark.parametrize(
    ("short", "duty", "report"),
    [(12, "50.78", False), (13, "55.02", False), (23, "97.34", False), (24, "101.57", True)],
)
def test_missing_brackets_of_the_example_zone(short: int, duty: str, report: bool) -> None:
    owed = assess(weekly(leaving("1", goods("BRKT-9", short))), LAW).duty
    assert owed == D(duty)
    finding = judge(missing(short, 1250, str(owed)))
    assert (finding.report, finding.recorded) == (report, True)


@pytest.mark.parametrize(
    ("short", "whole", "duty", "report"),
    [
        (9, 1000, "10.80", False),
        (10, 1000, "12.00", False),
        (100, 1000, "120.00", True),
        (999, 100_000, "1198.80", False),
        (1000, 100_000, "1200.00", True),
        (10, 1000, "100.00", True),
        (10, 1000, "99.99", False),
        (5, 0, "200.00", True),
    ],
)
def test_both_limits_must_be_reached(short: int, whole: int, duty: str, report: bool) -> None:
    assert judge(missing(short, whole, duty)).report is report


def test_the_share_is_of_the_identifier_where_lots_are_not_kept() -> None:
    layer = judge(missing(24, 1250, "101.57"))
    identifier = judge(missing(24, 5000, "101.57"))
    assert (layer.report, identifier.report) == (True, False)


def test_theft_is_always_reported() -> None:
    assert judge(missing(1, 100_000, "0", theft=True)).report
    domestic = {"status": Status.DOMESTIC, "permit_free": True}
    assert judge(missing(1, 100_000, "0", theft=True, **domestic)).report
    assert not judge(missing(500, 1000, "0", **domestic)).report
    assert judge(missing(500, 1000, "0", **domestic)).recorded


def test_goods_not_admitted_are_always_reported() -> None:
    assert judge(missing(1, 100_000, "0", kind="overage", admitted=False)).report


def test_an_overage_gets_its_papers_within_five_days() -> None:
    finding = judge(missing(500, 1000, "5000", kind="overage"))
    assert (finding.report, finding.section) == (False, "19 CFR 146.53(d)")


@pytest.mark.parametrize("wrong", [{"quantity": D(0)}, {"whole": D(-1)}, {"duty_and_tax": D("-0.01")}])
def test_impossible_counts_are_refused(wrong: dict[str, Decimal]) -> None:
    with pytest.raises(LawError):
        judge(missing(1, 10, "1", **wrong))
