# SPDX-License-Identifier: Apache-2.0
"""Days by which papers are due."""

from __future__ import annotations

from datetime import date

import pytest

from customs.law import Holiday, Mark
from customs.us.deadlines import discrepancy_due, papers_due, suspense_ends
from tests.customs.us.test_duty import law_with


def test_a_complete_paper_is_due_on_the_fifteenth_calendar_day() -> None:
    assert suspense_ends(date(2026, 6, 1)) == date(2026, 6, 16)
    assert suspense_ends(date(2026, 12, 20)) == date(2027, 1, 4), "holidays and weekends count"


@pytest.mark.parametrize(
    ("admitted", "due"),
    [
        (date(2026, 6, 15), date(2026, 6, 17)),
        (date(2026, 6, 12), date(2026, 6, 16)),
        (date(2026, 6, 13), date(2026, 6, 16)),
        (date(2026, 6, 17), date(2026, 6, 22)),
        (date(2026, 6, 18), date(2026, 6, 23)),
    ],
)
def test_papers_are_due_on_the_second_working_day_without_weekends_and_holidays(
    admitted: date, due: date
) -> None:
    friday = date(2026, 6, 19)
    off = Holiday(valid_from=friday, valid_to=friday, source="example", mark=Mark.EXAMPLE, name="Juneteenth")
    assert papers_due(admitted, law_with(off)) == due
    if due > friday > admitted:
        assert papers_due(admitted, law_with()) < due, "the control: without the holiday it is sooner"


def test_a_discrepancy_is_reported_within_twenty_days() -> None:
    assert discrepancy_due(date(2026, 6, 1)) == date(2026, 6, 21)
