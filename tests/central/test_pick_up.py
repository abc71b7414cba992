# SPDX-License-Identifier: Apache-2.0
"""Goods that the operator fetched itself: legally in from the pick-up, physically in from the door, whatever
is told first; undone, cut, and refused where they may not come so.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from central.admitting import FetchGoods, PickedUp, UndoFetch
from central.cuts import Pin
from central.errors import Denied
from central.service import Central
from customs.documents import Status
from tests.central.ledger_zone import GTINS, OWNER, START, Zone, permit, rows
from tests.central.test_ledger_books import declared

D = Decimal
LEDGER = ("posting", "ledger_taken", "ledger_layer", "ledger_lot")


@pytest_asyncio.fixture
async def zone(center: Central) -> Zone:
    return await Zone.open(center, docks=1)


def at(minute: float) -> Any:
    return START + timedelta(minutes=minute)


def fetched(quantity: str, minute: float = 0, **more: Any) -> FetchGoods:
    said: dict[str, Any] = {"approval": "PD 7", "owned": True, "stable": True, **more}
    document = said.pop("document", "DD-1")
    goods = said.pop("goods", (PickedUp("1", D(quantity)),))
    return FetchGoods(document, goods, note="fetched", by="anna", happened=at(minute), **said)


async def accounts(center: Central, minute: float | None = None) -> dict[str, Decimal]:
    """What stands of the permit's goods on each account, as of a minute."""
    await center.projector.catch_up()
    as_of = None if minute is None else at(minute)
    return {
        account: amount.quantity
        for row in (await center.ledger.goods(None, as_of)).items
        if (row["owner"], row["product"], row["status"]) == (OWNER, GTINS[0], "NPF")
        for account, amount in row["accounts"].items()
    }


async def test_from_the_pick_up_to_the_door_goods_are_legally_in_and_physically_away(zone: Zone) -> None:
    center = zone.center
    (told,) = await center.admitting.pick_up(fetched("80"))
    assert await accounts(center) == {"abroad": -80, "in-transit:DD-1": 80}
    assert (await center.ledger.differences()).items == [], "what is on its way is on no floor"
    came = zone.move(30, "50", "DD-1")
    await zone.tell()
    assert await accounts(center) == {"abroad": -80, "in-transit:DD-1": 30, "stock": 50}
    assert await accounts(center, 29) == {"abroad": -80, "in-transit:DD-1": 80}
    assert (await center.ledger.differences()).items == []
    story = await center.ledger.story("DD-1/1")
    ways = [(row["entry_id"], row["account_from"], row["account_to"]) for row in story.movements]
    assert ways == [(told.entry_id, "abroad", "in-transit:DD-1"), (came, "in-transit:DD-1", "stock")]
    assert story.movements[1]["permit"] == "DD-1"


async def test_goods_are_as_old_as_their_pick_up(zone: Zone) -> None:
    center = zone.center
    zone.move(10, "5", "214-1", load="2")
    await center.admitting.pick_up(fetched("8", 5))
    zone.move(20, "10", "DD-1")
    zone.move(30, "9", "06", out=True, load="3")
    await zone.tell()
    left = await lots(center)
    assert left == {"214-1/1": 4, "DD-1/1": 2}, (
        "8 from the pick-up go first, then what was there, then 2 more"
    )


async def lots(center: Central) -> dict[str, Decimal]:
    await center.projector.catch_up()
    return {row["lot"]: row["accounts"]["stock"].quantity for row in (await center.ledger.lots()).items}


async def test_a_pick_up_that_is_told_after_the_arrival_gives_the_same_books(zone: Zone) -> None:
    center = zone.center
    zone.move(30, "50", "DD-1")
    await zone.tell()
    assert await accounts(center) == {"arrived": -50, "stock": 50}, "the carrier brought it, for all we know"
    await center.admitting.pick_up(fetched("40"))
    assert await accounts(center) == {"abroad": -40, "arrived": -10, "stock": 50}
    assert await accounts(center, 10) == {"abroad": -40, "in-transit:DD-1": 40}
    (lot,) = (await center.ledger.lots()).items
    assert (lot["lot"], lot["accounts"]["stock"].quantity) == ("DD-1/1", 50)
    grown = await rows(center, LEDGER)
    await center.projector.rebuild()
    assert await rows(center, LEDGER) == grown


async def test_an_undone_pick_up_never_was_and_what_arrived_stays(zone: Zone) -> None:
    center = zone.center
    (told,) = await center.admitting.pick_up(fetched("80"))
    zone.move(30, "50", "DD-1")
    await zone.tell()
    await center.admitting.undo_pick_up(UndoFetch(told.entry_id, "not ours", "anna"))
    assert await accounts(center) == {"arrived": -50, "stock": 50}
    assert await accounts(center, 10) == {}
    with pytest.raises(Denied, match="undone already"):
        await center.admitting.undo_pick_up(UndoFetch(told.entry_id, "again", "anna"))
    with pytest.raises(Denied, match="no pick-up"):
        await center.admitting.undo_pick_up(UndoFetch(zone.docks[0].ids[-1], "again", "anna"))
    await center.admitting.pick_up(fetched("80"))
    assert await accounts(center) == {"abroad": -80, "stock": 50, "in-transit:DD-1": 30}


async def test_an_arrival_that_is_undone_at_its_door_is_on_the_way_again(zone: Zone) -> None:
    center = zone.center
    await center.admitting.pick_up(fetched("80"))
    came = zone.move(30, "50", "DD-1")
    await zone.tell()
    zone.correct(came, 40)
    await zone.tell()
    assert await accounts(center) == {"abroad": -80, "in-transit:DD-1": 80}


async def test_what_a_cut_contains_is_taken_back_after_it(zone: Zone) -> None:
    center = zone.center
    (told,) = await center.admitting.pick_up(fetched("80"))
    came = zone.move(30, "50", "DD-1")
    await zone.tell()
    await center.cuts.pin(Pin("W23", at(60), "anna"))
    zone.correct(came, 70)
    await zone.tell()
    assert await accounts(center) == {"abroad": -80, "in-transit:DD-1": 80}
    await center.admitting.undo_pick_up(UndoFetch(told.entry_id, "not ours", "anna", at(80)))
    assert await accounts(center) == {}
    assert await accounts(center, 60) == {"abroad": -80, "in-transit:DD-1": 30, "stock": 50}
    assert (await center.cuts.verify("W23")).equal
    with pytest.raises(Denied, match="pinned up to"):
        await center.admitting.pick_up(fetched("8", 50))


async def test_papers_that_come_later_give_the_customs_quantity(zone: Zone) -> None:
    center = zone.center
    await center.admitting.pick_up(fetched("40"))
    zone.move(30, "50", "DD-1")
    await zone.tell()
    await center.people.act(lambda _: declared("DD-1", D("0.5"))[:1])
    await center.projector.catch_up()
    (goods,) = (await center.ledger.goods()).items
    assert {name: amount.customs for name, amount in goods["accounts"].items()} == {
        "abroad": -20,
        "arrived": -5,
        "stock": 25,
    }
    grown = await rows(center, LEDGER)
    await center.projector.rebuild()
    assert await rows(center, LEDGER) == grown


async def test_what_may_not_be_fetched_is_refused_in_words(zone: Zone) -> None:
    center = zone.center
    line = permit("DD-2", "direct-delivery", GTINS[0]).lines[0]
    small = replace(permit("DD-2", "direct-delivery", GTINS[0]), lines=(replace(line, quantity=D(100)),))
    await center.people.act(lambda _: [("permit", small)])
    await center.admitting.pick_up(fetched("70", document="DD-2"))
    before = center.head
    refused = {
        "no approval|146.39": fetched("1", approval=" "),
        r"not admitted at pick-up \(19 CFR 146.39\(c\)\)": fetched("1", owned=False),
        "not admitted at pick-up": fetched("1", stable=False),
        "not admitted at": fetched("1", examined=True),
        "no permit": fetched("1", document="DD-9"),
        "of kind admission": fetched("1", document="214-1"),
        "no line '2'": fetched("1", goods=(PickedUp("2", D(1)),)),
        "no count of goods": fetched("-1"),
        "named twice": fetched("1", goods=(PickedUp("1", D(1)), PickedUp("1", D(2)))),
        "of which 30 are not picked up yet, not 31": fetched("31", document="DD-2"),
        "is valid from": fetched("1", 60 * 24 * -9),
    }
    for words, act in refused.items():
        with pytest.raises(Denied, match=words) as caught:
            await center.admitting.pick_up(act)
        assert caught.value.next_step
    assert center.head == before
    await center.admitting.pick_up(fetched("30", document="DD-2"))


async def test_other_admissions_know_no_way(zone: Zone) -> None:
    zone.move(10, "7", "214-1")
    zone.move(20, "5", "", status=Status.DOMESTIC, load="2")
    await zone.tell()
    async with zone.center.database.session() as connection:
        found = await connection.fetchval("SELECT count(*) FROM ledger_queue WHERE place LIKE 'in-transit:%'")
    assert found == 0
