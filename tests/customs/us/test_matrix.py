# SPDX-License-Identifier: Apache-2.0
"""The withdrawal matrix, cell by cell, and what content, age and an accepted entry change in it."""

from __future__ import annotations

from datetime import date

import pytest

from customs.documents import PERMIT_KINDS, Status
from customs.known import Known
from customs.law import Dataset, WeeklyExcluded
from customs.us.matrix import (
    DISPOSITIONS,
    MATRIX,
    Disposition,
    Leaving,
    direct_delivery,
    last_warehouse_day,
    lower_class,
    may_enter_weekly,
    may_leave,
    may_work,
)
from customs.us.rulings import Allowed, Refused
from customs.works.permits import Activity
from tests.customs.example_zone import BOOK, YEAR

PF, NPF, DOM, ZR = Status.PF, Status.NPF, Status.DOMESTIC, Status.RESTRICTED
TODAY = date(2026, 6, 1)
IMPORTED = date(2026, 5, 1)

CELLS = {
    Disposition.CONSUMPTION: "yes yes yes no",
    Disposition.WAREHOUSE: "no yes no no",
    Disposition.WAREHOUSE_FOR_EXPORT: "no yes no yes",
    Disposition.EXPORT: "yes yes yes yes",
    Disposition.OTHER_ZONE: "yes yes yes yes",
    Disposition.DESTRUCTION: "yes yes yes yes",
    Disposition.SUPPLIES: "yes yes yes yes",
}


@pytest.mark.parametrize("disposition", Disposition)
def test_each_cell_of_the_matrix(disposition: Disposition) -> None:
    rulings = [
        may_leave(Leaving(status, imported=IMPORTED), disposition, TODAY) for status in (PF, NPF, DOM, ZR)
    ]
    assert [isinstance(ruling, Allowed) for ruling in rulings] == [
        word == "yes" for word in CELLS[disposition].split()
    ]
    for ruling in rulings:
        assert ruling.section.startswith("19 CFR 146.")
        if isinstance(ruling, Refused):
            assert ruling.words.endswith(".")


def test_the_matrix_has_a_cell_for_everything() -> None:
    assert set(MATRIX) == set(Disposition)
    assert all(set(row) == {PF, NPF, DOM, ZR} for row in MATRIX.values())
    assert set(DISPOSITIONS) < PERMIT_KINDS


@pytest.mark.parametrize("disposition", Disposition)
def test_goods_in_suspense_do_not_leave(disposition: Disposition) -> None:
    ruling = may_leave(Leaving(Status.SUSPENSE), disposition, TODAY)
    assert isinstance(ruling, Refused)
    assert ruling.reason == "not-admitted"


def test_privileged_content_bars_the_warehouse_and_nothing_else() -> None:
    for disposition in Disposition:
        plain = may_leave(Leaving(NPF, imported=IMPORTED), disposition, TODAY)
        mixed = may_leave(Leaving(NPF, imported=IMPORTED, privileged_content=True), disposition, TODAY)
        barred = disposition in (Disposition.WAREHOUSE, Disposition.WAREHOUSE_FOR_EXPORT)
        assert isinstance(plain, Allowed)
        assert isinstance(mixed, Refused) is barred


@pytest.mark.parametrize(
    ("imported", "on", "allowed"),
    [
        (date(2021, 6, 1), date(2026, 6, 1), True),
        (date(2021, 6, 1), date(2026, 6, 2), False),
        (date(2024, 2, 29), date(2029, 2, 28), True),
        (date(2024, 2, 29), date(2029, 3, 1), False),
        (None, TODAY, False),
    ],
)
def test_the_warehouse_takes_goods_for_five_years_from_import(
    imported: date | None, on: date, allowed: bool
) -> None:
    ruling = may_leave(Leaving(NPF, imported=imported), Disposition.WAREHOUSE, on)
    assert isinstance(ruling, Allowed) is allowed
    assert isinstance(may_leave(Leaving(NPF, imported=imported), Disposition.EXPORT, on), Allowed)


def test_the_fifth_anniversary_is_the_last_day() -> None:
    assert last_warehouse_day(date(2020, 2, 29)) == date(2025, 2, 28)
    assert last_warehouse_day(date(2021, 11, 22)) == date(2026, 11, 22)


def test_goods_of_an_accepted_entry_leave_under_it_alone() -> None:
    goods = Leaving(NPF, constructive="E-1")
    assert isinstance(may_leave(goods, Disposition.CONSUMPTION, TODAY, "E-1"), Allowed)
    for document in ("E-2", None):
        ruling = may_leave(goods, Disposition.CONSUMPTION, TODAY, document)
        assert isinstance(ruling, Refused)
        assert (ruling.reason, "E-1" in ruling.words) == ("constructive", True)


def test_a_board_order_lets_restricted_goods_be_entered() -> None:
    goods = Leaving(ZR, board_order="B-2000")
    for disposition in (Disposition.CONSUMPTION, Disposition.WAREHOUSE):
        assert isinstance(may_leave(goods, disposition, TODAY), Allowed)
        assert isinstance(may_leave(Leaving(ZR), disposition, TODAY), Refused)


def test_restricted_spirits_are_not_destroyed() -> None:
    assert isinstance(may_leave(Leaving(ZR, alcohol=True), Disposition.DESTRUCTION, TODAY), Refused)
    assert isinstance(may_leave(Leaving(ZR), Disposition.DESTRUCTION, TODAY), Allowed)
    assert isinstance(may_leave(Leaving(NPF, alcohol=True), Disposition.DESTRUCTION, TODAY), Allowed)
    assert isinstance(may_work(Leaving(ZR, alcohol=True), Activity.DESTROY), Refused)


@pytest.mark.parametrize("work", Activity)
def test_entered_goods_and_goods_without_status_are_not_worked_on(work: Activity) -> None:
    assert isinstance(may_work(Leaving(NPF, constructive="E-1"), work), Refused)
    assert isinstance(may_work(Leaving(Status.SUSPENSE), work), Refused)
    for status in (PF, NPF, DOM):
        assert isinstance(may_work(Leaving(status), work), Allowed)
    assert isinstance(may_work(Leaving(ZR), work), Allowed) is (work is Activity.DESTROY)


def test_only_other_foreign_goods_profit_from_a_lower_class() -> None:
    assert [isinstance(lower_class(status), Allowed) for status in (PF, NPF, DOM, ZR)] == [
        False,
        True,
        True,
        False,
    ]


def test_listed_goods_are_not_entered_weekly() -> None:
    row = WeeklyExcluded(**YEAR, id="X", headings=("9304",), reason="Prohibited without a license.")
    law = BOOK.plus(Dataset("e" * 64, Known(0, 9), (row,))).at()
    ruling = may_enter_weekly("93040020", "KR", TODAY, law)
    assert isinstance(ruling, Refused)
    assert "Prohibited without a license." in ruling.words
    assert isinstance(may_enter_weekly("8501", "KR", TODAY, law), Allowed)
    assert isinstance(may_enter_weekly("93040020", "KR", date(2024, 12, 31), law), Allowed)


@pytest.mark.parametrize(
    "wrong", [{"approval": None}, {"operator_owns": False}, {"stable": False}, {"examined_first": True}]
)
def test_direct_delivery_has_limits(wrong: dict[str, object]) -> None:
    right = {"approval": "DD-1", "operator_owns": True, "stable": True, "examined_first": False}
    assert isinstance(direct_delivery(**right), Allowed)  # type: ignore[arg-type]
    assert isinstance(direct_delivery(**{**right, **wrong}), Refused)  # type: ignore[arg-type]
