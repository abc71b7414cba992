# SPDX-License-Identifier: Apache-2.0
"""Days by which papers are due. Calendar dates of the zone; knows no clock and no goods."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from customs.law import Holiday, Law

SUSPENSE_DAYS: Final = 15
"""Calendar days for a complete form 214 of goods deposited without one; nobody may extend them."""

PAPERS_WORKING_DAYS: Final = 2
"""Working days in which the papers of a direct delivery reach the port director."""

DISCREPANCY_DAYS: Final = 20
"""Days from admission in which a discrepancy may be reported on form 5931."""

_SATURDAY: Final = 5
_A_DAY: Final = timedelta(days=1)


def suspense_ends(deposited: date) -> date:
    """The last day for a complete 214 of goods that were deposited that day; then they go to general order
    (19 CFR 146.35(e)). Section 146.22(c) names no limit for the suspense account itself.
    """
    return deposited + timedelta(days=SUSPENSE_DAYS)


def papers_due(admitted: date, law: Law) -> date:
    """The day by which the papers of goods that the operator picked up reach the port director (19 CFR
    146.40(a)(5)). The text counts from the arrival at the zone; counted from the pick-up it is never late.
    Working days are all but Saturdays, Sundays and the holidays on file.
    """
    day, left = admitted, PAPERS_WORKING_DAYS
    while left:
        day += _A_DAY
        if day.weekday() < _SATURDAY and not law.every(Holiday, day):
            left -= 1
    return day


def discrepancy_due(admitted: date) -> date:
    """The last day for a report of what was not received as it was admitted (19 CFR 146.37(c)(2))."""
    return admitted + timedelta(days=DISCREPANCY_DAYS)
