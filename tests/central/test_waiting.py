# SPDX-License-Identifier: Apache-2.0
"""Goods that are not wholly in: what waits, since when, how long it may, and the cases that come of it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest_asyncio

from central.admitting import UndoFetch
from central.people import Settle
from central.service import Central
from sync.cases import Case
from sync.ledger_bodies import Calendar
from tests.central.ledger_zone import OWNER, START, Zone
from tests.central.test_admitting import LABEL, admit, deposit, of
from tests.central.test_floor import key, minutes
from tests.central.test_pick_up import at, fetched

D = Decimal
KINDS = ("in-suspense", "suspense-over", "not-arrived", "arrived-over")
DAY = 60 * 24


@pytest_asyncio.fixture
async def zone(center: Central) -> Zone:
    return await Zone.open(center, docks=1)


async def cases(center: Central) -> list[Case]:
    await center.projector.catch_up()
    return [one for one in (await center.people.open_cases()).cases if one.name.startswith(KINDS)]


async def test_suspense_is_a_balance_at_any_two_times_with_its_age(zone: Zone) -> None:
    center = zone.center
    entry = deposit(zone, 10, "60", "1")
    deposit(zone, 3 * DAY, "40", "2", owner="", gtin="")
    await zone.tell()
    await center.projector.catch_up()

    async def then(day: float, **more: Any) -> dict[str, tuple[Decimal, int]]:
        page = await center.waiting.suspense(None, at(day * DAY), **more)
        return {item["owner"]: (item["quantity"], item["days"]) for item in page.items}

    assert await then(0) == {}
    assert await then(1) == {OWNER: (D(60), 1)}
    assert await then(4) == {OWNER: (D(60), 4), "": (D(40), 1)}
    assert await then(4, owner=OWNER) == {OWNER: (D(60), 4)}
    assert await then(4, known_on=START) == {}, "the center knew of nothing then"
    await center.admitting.admit(admit(key(1), happened=at(2 * DAY)))
    await center.projector.catch_up()
    assert await then(1) == {OWNER: (D(60), 1)}
    assert await then(4) == {"": (D(40), 1)}
    (item,) = (await center.waiting.suspense(None, at(DAY))).items
    assert (item["entry_id"], item["node"], item["door"], item["key"]) == (
        entry,
        "dock-1",
        "dock-1-in",
        key(1),
    )
    assert (item["since"], item["last_day"], item["over"]) == (at(10), date(2026, 6, 16), False)
    (item,) = (await center.waiting.suspense(None, at(17 * DAY))).items
    assert (item["last_day"], item["over"]) == (date(2026, 6, 19), False)
    (item,) = (await center.waiting.suspense(None, at(18.2 * DAY))).items
    assert (item["days"], item["over"]) == (15, False), "the control"
    await center.people.act(lambda _: [("calendar", Calendar("Asia/Tokyo"))])
    await center.projector.catch_up()
    (item,) = (await center.waiting.suspense(None, at(18.7 * DAY))).items
    assert (item["days"], item["over"]) == (16, True), "by the zone's own calendar"


async def test_goods_too_long_in_suspense_are_a_case_until_they_are_admitted_or_settled(zone: Zone) -> None:
    center = zone.center
    now = minutes()
    deposit(zone, now - 16.1 * DAY, "60", "1")
    deposit(zone, now - 13 * DAY, "40", "2")
    deposit(zone, now - 30 * DAY, "5", "3")
    await zone.tell()
    older, newer = await cases(center)
    assert "5 of" in older.what and f"{3:018d}" in older.what
    for part in ("60 of", OWNER, "door dock-1-in of dock-1", "19 CFR 146.35(e)"):
        assert part in newer.what
    assert "zonegate central admit" in newer.next_step
    await center.people.settle(Settle(older.name, "in general order", "anna"))
    await center.admitting.admit(admit(key(1)))
    assert await cases(center) == []


async def test_what_came_beyond_its_papers_is_a_case_until_a_paper_covers_it(zone: Zone) -> None:
    center = zone.center
    now = minutes()
    await center.people.act(lambda _: [of("75")])
    deposit(zone, now - 10, "60", "1")
    deposit(zone, now - 9, "40", "2")
    await zone.tell()
    assert await cases(center) == [], "the control: no paper has come yet"
    await use_up(center)
    await center.admitting.admit(admit(key(1), document="214-9"))
    (case,) = await cases(center)
    assert "25 of" in case.what and "40 are in suspense" in case.what and "214-9/1" in case.what
    assert "146.37(c)" in case.next_step
    await center.people.act(lambda _: [of("100")])
    assert await cases(center) == [], "the paper was amended"
    await center.people.act(lambda _: [of("75")])
    (case,) = await cases(center)
    await center.people.settle(Settle(case.name, "reported", "anna"))
    assert await cases(center) == []


async def use_up(center: Central) -> None:
    """No other paper for these goods is on file."""
    papers = await center.people.look(lambda book: list(book.permits.values()))
    from msgspec.structs import replace

    small = [
        ("permit", replace(paper, lines=tuple(replace(line, quantity=D("0.5")) for line in paper.lines)))
        for paper in papers
        if paper.kind in ("admission", "direct-delivery") and paper.number != "214-9"
    ]
    drafts = [(kind, replace(paper, lines=())) for kind, paper in small]
    await center.people.act(lambda _: drafts)


async def test_a_part_of_a_load_that_its_paper_covers_leaves_the_rest_in_suspense(zone: Zone) -> None:
    from central.floor import Relabeled

    center = zone.center
    entry = deposit(zone, 10, "60", "1")
    await zone.tell()
    await center.admitting.admit(admit(Relabeled(key(1), D(20), LABEL)))
    await center.projector.catch_up()
    (item,) = (await center.waiting.suspense()).items
    assert (item["quantity"], item["entry_id"]) == (40, entry)


async def test_goods_on_their_way_are_told_with_the_day_their_papers_are_due(zone: Zone) -> None:
    center = zone.center
    (told,) = await center.admitting.pick_up(fetched("80", 600))
    zone.move(DAY, "50", "DD-1")
    await zone.tell()
    await center.projector.catch_up()
    (item,) = (await center.waiting.in_transit()).items
    assert (item["document"], item["owner"], item["quantity"]) == ("DD-1", OWNER, 30)
    assert (item["since"], item["entry_id"], item["over"]) == (at(600), told.entry_id, True)
    assert item["papers_due"] == date(2026, 6, 3)
    (item,) = (await center.waiting.in_transit(None, at(700))).items
    assert (item["quantity"], item["days"], item["over"]) == (80, 0, False)
    assert (await center.waiting.in_transit(None, at(500))).items == []
    zone.move(2 * DAY, "30", "DD-1", load="2")
    await zone.tell()
    await center.projector.catch_up()
    assert (await center.waiting.in_transit()).items == []


async def test_what_never_arrives_is_a_case_until_it_comes_or_was_never_fetched(zone: Zone) -> None:
    center = zone.center
    now = minutes()
    (fresh,) = await center.admitting.pick_up(fetched("3", now - 5))
    assert await cases(center) == [], "the control: it may still come"
    (told,) = await center.admitting.pick_up(fetched("80", now - 6 * DAY))
    zone.move(now - 5 * DAY, "50", "DD-1")
    await zone.tell()
    (case,) = await cases(center)
    for part in ("30 of", OWNER, "DD-1/1", "have not arrived"):
        assert part in case.what
    assert told.entry_id in case.next_step and "146.37(c)(2)" in case.next_step
    late = zone.move(now - 4 * DAY, "30", "DD-1", load="2")
    await zone.tell()
    assert await cases(center) == []
    zone.correct(late, now - 4 * DAY + 1)
    await zone.tell()
    (again,) = await cases(center)
    assert again.name == case.name
    await center.admitting.undo_pick_up(UndoFetch(told.entry_id, "was the carrier", "anna"))
    await center.admitting.undo_pick_up(UndoFetch(fresh.entry_id, "was the carrier", "anna"))
    assert await cases(center) == []


async def test_what_arrives_beyond_its_pick_up_is_a_case_until_the_pick_up_is_told_in_full(
    zone: Zone,
) -> None:
    center = zone.center
    zone.move(20, "50", "DD-1")
    await zone.tell()
    assert await cases(center) == [], "the control: a carrier may bring goods that nobody picked up"
    await center.admitting.pick_up(fetched("40", 5))
    (case,) = await cases(center)
    assert "10 of" in case.what and "on DD-1 beyond what was picked up" in case.what
    await center.admitting.pick_up(fetched("10", 6))
    assert await cases(center) == []
    zone.move(30, "7", "DD-1", load="2")
    await zone.tell()
    (case,) = await cases(center)
    await center.people.settle(Settle(case.name, "reported", "anna"))
    assert await cases(center) == []


async def test_lists_of_what_waits_go_on_where_their_page_ended(zone: Zone) -> None:
    center = zone.center
    for n in range(55):
        deposit(zone, n, "1", str(n + 1))
    await zone.tell()
    await center.projector.catch_up()
    first = await center.waiting.suspense()
    rest = await center.waiting.suspense(first.next)
    assert (len(first.items), len(rest.items), rest.next) == (50, 5, None)
    assert len({item["lot"] for item in first.items + rest.items}) == 55
    assert timedelta(days=first.items[0]["days"]) > timedelta(days=15)
