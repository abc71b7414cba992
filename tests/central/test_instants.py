# SPDX-License-Identifier: Apache-2.0
"""Times that no calendar has, from a dock, from the center's log and from people: nothing stands still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from central.bookkeeping import Elect
from central.cuts import Pin
from central.errors import Denied
from central.service import Central
from customs.ledger.elections import Method
from sync.bodies import Use
from sync.ledger_bodies import Calendar, PutAway, StoredLoad
from tests.central.dock import Dock
from tests.central.ledger_zone import OWNER, PAPERS, rows

LAST_HOUR = datetime(9999, 12, 31, 23, tzinfo=UTC)
EAST, WEST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-14))
FIRST, LAST = datetime(1, 1, 1, tzinfo=EAST), datetime(9999, 12, 31, 23, 59, tzinfo=WEST)


@pytest.mark.parametrize("zone", ["America/Chicago", "Asia/Tokyo"])
async def test_a_dock_whose_clock_says_no_day_keeps_no_other_goods_out_of_the_books(
    center: Central, dock: Dock, zone: str
) -> None:
    await center.people.act(lambda _: [*PAPERS, ("calendar", Calendar(zone))])
    dock.move(quantity="3", use=Use("214-1", "1", Decimal(3)), occurred_at=LAST_HOUR)
    dock.move(quantity="40", use=Use("214-1", "1", Decimal(40)))
    await dock.talk(center)
    await center.projector.catch_up()
    assert len((await rows(center, ("posting",)))["posting"]) == 1
    (noted,) = (await rows(center, ("unreadable",)))["unreadable"]
    assert "is no time of the books" in noted


async def test_a_time_that_the_log_has_and_the_books_cannot_hold_stops_nothing(
    center: Central, dock: Dock
) -> None:
    load = StoredLoad("/00/095219990000000013", "dock-1/dock-1-in", None, None)
    await center.people.act(lambda _: [*PAPERS, ("put-away", PutAway((load,), FIRST, "anna", ""))])
    dock.move(quantity="40", use=Use("214-1", "1", Decimal(40)))
    await dock.talk(center)
    await center.projector.catch_up()
    assert len((await rows(center, ("posting",)))["posting"]) == 1


async def test_people_are_told_which_times_there_are(center: Central) -> None:
    with pytest.raises(Denied, match="no time of the books"):
        await center.bookkeeping.elect(Elect(OWNER, Method.SPECIFIC, LAST, "letter 1", "anna"))
    with pytest.raises(Denied, match="no time of the books"):
        await center.cuts.pin(Pin("C1", FIRST, "anna"))
