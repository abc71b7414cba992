# SPDX-License-Identifier: Apache-2.0
"""Acts on the books that name loads: on the floor, in the ledger, at docks, and what they refuse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from msgspec import structs

from central.bookkeeping import Accept, Adjust, ChangeStatus, Elect
from central.errors import Denied
from central.floor import Part, Relabeled
from central.people import Object, Settle
from central.service import Central
from customs.documents import Status
from customs.ledger.elections import Method
from edge.books import Fact, NodeBooks
from sync.bodies import Correction, Moved, Saw, read_body
from sync.entry import read_record
from sync.wire import Answer
from tests.central.ledger_zone import GTINS, OTHER, OWNER, PAPERS, START, Zone, permit

D = Decimal
GOODS = (OWNER, GTINS[0], Status.NPF)
LABEL, FALSE = "095219990000000020", "095219990000000021"


def key(load: int) -> str:
    return f"/00/{load:018d}"


def minutes() -> float:
    """How long ago the zone's history began."""
    return (datetime.now(UTC) - START) / timedelta(minutes=1)


def change(quantity: str, *loads: Relabeled, number: str = "PF-1", **more: Any) -> ChangeStatus:
    return ChangeStatus(number, *GOODS, Status.PF, D(quantity), "filed", "anna", loads=loads, **more)


def adjust(quantity: str, *loads: Part, number: str = "C-1", **more: Any) -> Adjust:
    return Adjust(number, *GOODS, D(quantity), "counted", "anna", loads=loads, **more)


@pytest_asyncio.fixture
async def zone(center: Central) -> Zone:
    """Loads of 60 and 40 of one lot, 7 of another, and one of another owner."""
    made = await Zone.open(center, papers=[*PAPERS, ("permit", permit("PF-OUT", "entry", GTINS[0]))])
    made.move(10, "60", "214-1", load="1")
    made.move(11, "40", "214-1", load="2")
    made.move(12, "7", "214-2", load="3")
    made.move(13, "5", "215-1", product=GTINS[1], owner=OTHER, load="4")
    await made.tell()
    return made


async def floor(center: Central) -> dict[tuple[str, str], Decimal]:
    """What is in the zone by key and status."""
    await center.projector.catch_up()
    async with center.database.session() as connection:
        rows = await connection.fetch("SELECT key, status, quantity FROM holding WHERE quantity <> 0")
    return {(row["key"], row["status"]): row["quantity"] for row in rows if row["key"] != key(4)}


async def moved(zone: Zone) -> list[Moved]:
    """What the second dock is told of loads that the center's own acts move."""
    answer: Answer = await zone.docks[1].talk(zone.center)
    entries = [read_record(bytes(raw)) for raw in answer.entries]
    bodies = [read_body(entry) for entry in entries if entry.type == "holdings"]
    own = zone.center.head
    assert own is not None
    return [move for body in bodies if body.origin == own.epoch for move in body.moves]


async def not_on_books(center: Central) -> list[Any]:
    await center.projector.catch_up()
    found = (await center.people.open_cases()).cases
    return [case for case in found if case.name.startswith("not-on-books:")]


async def test_a_whole_load_stays_where_it_is_in_its_new_status(zone: Zone) -> None:
    center = zone.center
    await center.bookkeeping.change_status(change("60", Relabeled(key(1))))
    assert await floor(center) == {(key(1), "PF"): 60, (key(2), "NPF"): 40, (key(3), "NPF"): 7}
    (move,) = await moved(zone)
    assert (move.becomes, move.holding.key, move.holding.status) == (Status.PF, key(1), Status.NPF)
    assert (await center.ledger.differences()).items == []


async def test_a_part_of_a_load_gets_a_label_of_its_own(zone: Zone) -> None:
    center = zone.center
    await center.bookkeeping.change_status(change("15", Relabeled(key(1), D(15), LABEL)))
    onto = f"https://id.gs1.org/00/{LABEL}"
    assert await floor(center) == {
        (key(1), "NPF"): 45,
        (onto, "PF"): 15,
        (key(2), "NPF"): 40,
        (key(3), "NPF"): 7,
    }
    off, on = await moved(zone)
    assert (off.came, off.becomes, off.holding.quantity, off.holding.status) == (
        False,
        None,
        D(15),
        Status.NPF,
    )
    assert (on.came, on.becomes, on.holding.sscc, on.holding.status) == (True, None, LABEL, Status.PF)
    assert (await center.ledger.differences()).items == []


async def test_all_loads_of_a_lot_are_meant_where_it_is_just_their_quantity(zone: Zone) -> None:
    center = zone.center
    await center.bookkeeping.change_status(change("100", lot="214-1/1"))
    assert await floor(center) == {(key(1), "PF"): 60, (key(2), "PF"): 40, (key(3), "NPF"): 7}
    with pytest.raises(Denied, match="7 of these goods are on 1 loads") as caught:
        await center.bookkeeping.change_status(change("6", lot="214-2/1", number="PF-2"))
    assert "Name the loads" in caught.value.next_step
    await center.bookkeeping.change_status(change("7", number="PF-3"))
    assert {status for _, status in await floor(center)} == {"PF"}


async def test_goods_on_no_load_change_without_one_and_the_difference_is_told(zone: Zone) -> None:
    center = zone.center
    await center.bookkeeping.adjust(adjust("50"))  # found, on no load
    await center.bookkeeping.change_status(change("30"))
    assert await moved(zone) == []
    assert (await center.ledger.differences()).items == []
    with pytest.raises(Denied, match="are on no load"):
        await center.bookkeeping.change_status(change("61", Relabeled(key(2)), number="PF-2"))
    await center.bookkeeping.change_status(change("60", Relabeled(key(2)), number="PF-3"))  # 40 and 20
    assert (await center.ledger.differences()).items == []


async def test_loads_that_do_not_fit_are_refused_and_nothing_is_written(zone: Zone) -> None:
    center = zone.center
    before = center.head
    refused = {
        "no load": change("60", Relabeled(key(9))),
        f"has {GTINS[1]}": change("5", Relabeled(key(4))),
        "has 60, not 61": change("61", Relabeled(key(1), D(61))),
        "only a part of load": change("59", Relabeled(key(1), D(59))),
        "named twice": change("100", Relabeled(key(1)), Relabeled(key(1))),
        "the loads have 60": change("61", Relabeled(key(1))),
        "the loads have 100": change("90", Relabeled(key(1)), Relabeled(key(2))),
        "no SSCC": change("9", Relabeled(key(1), D(9), FALSE)),
        "holds other goods": change("9", Relabeled(key(1), D(9), key(2))),
    }
    for words, act in refused.items():
        with pytest.raises(Denied, match=words):
            await center.bookkeeping.change_status(act)
    counts = {
        "no load": adjust("-1", Part(key(9), D(1))),
        "the loads have 2 of it": adjust("-1", Part(key(1), D(2))),
        "has 60, not 61": adjust("-61", Part(key(1), D(61))),
        "is not said": adjust("4", Part(key(1))),
        "holds other goods": adjust("4", Part(key(4), D(4))),
        "named twice": adjust("4", Part(key(1), D(2)), Part(key(1), D(2))),
    }
    for words, count in counts.items():
        with pytest.raises(Denied, match=words):
            await center.bookkeeping.adjust(count)
    assert center.head == before
    movement = zone.docks[0].ids[1]
    await center.people.dispute(Object(movement, "counted short", "anna"))
    with pytest.raises(Denied, match="is disputed"):
        await center.bookkeeping.change_status(change("60", Relabeled(key(1))))


async def test_what_is_missing_leaves_its_load_and_what_is_found_is_on_one(zone: Zone) -> None:
    center = zone.center
    await center.bookkeeping.adjust(adjust("-47", Part(key(1), D(7)), Part(key(2)), destroyed=True))
    found = adjust("3", Part(key(3), D(1)), Part(LABEL, D(2)), number="C-2")
    await center.bookkeeping.adjust(found)
    onto = f"https://id.gs1.org/00/{LABEL}"
    assert await floor(center) == {(key(1), "NPF"): 53, (key(3), "NPF"): 8, (onto, "NPF"): 2}
    moves = await moved(zone)
    told = [(move.came, move.holding.key, move.holding.quantity) for move in moves]
    assert told == [(False, key(1), D(7)), (False, key(2), D(40)), (True, key(3), D(1)), (True, onto, D(2))]
    assert (await center.ledger.differences()).items == []


async def test_the_books_made_again_say_the_same_of_loads(zone: Zone) -> None:
    center = zone.center
    await center.bookkeeping.change_status(change("15", Relabeled(key(1), D(15), LABEL)))
    await center.bookkeeping.adjust(adjust("-40", Part(key(2))))
    before = await floor(center)
    await center.projector.rebuild()
    assert await floor(center) == before
    assert (await center.ledger.differences()).items == []


async def test_by_election_a_load_is_of_the_lot_that_its_goods_became(zone: Zone) -> None:
    center = zone.center
    await center.bookkeeping.change_status(change("60", Relabeled(key(1))))
    since = datetime.now(UTC) + timedelta(hours=1)
    await center.bookkeeping.elect(Elect(OWNER, Method.SPECIFIC, since, "the manual, page 7", "anna"))
    zone.move(minutes() + 120, "60", "PF-OUT", out=True, status=Status.PF, load="1")
    zone.move(minutes() + 121, "40", "06", out=True, load="2")
    await zone.tell()
    picked = [row["picked"] for row in (await center.ledger.story("PF-1/1")).movements if row["picked"]]
    assert picked == ["PF-1/1"]
    assert await not_on_books(center) == []


async def test_what_an_offline_dock_let_out_in_the_old_status_is_a_case_that_can_be_settled(
    zone: Zone,
) -> None:
    center = zone.center
    await center.bookkeeping.change_status(change("107"))
    left = zone.move(minutes(), "60", "06", out=True, load="1")
    assert await not_on_books(center) == [], "the control: nothing is known of it yet"
    await zone.tell()
    (case,) = await not_on_books(center)
    assert left in case.name
    for part in ("60 of", OWNER, "in NPF", "dock-1", "on 06", f"{1:018d}", "the books did not have them"):
        assert part in case.what
    assert "change of status" in case.next_step
    await center.people.settle(Settle(case.name, "filed again", "anna"))
    assert await not_on_books(center) == []


async def test_an_undone_withdrawal_is_back_in_the_status_that_the_goods_have_by_then(zone: Zone) -> None:
    """On the floor, in the ledger, and at a dock that hears of it all."""
    center, teller = zone.center, zone.docks[0]
    before = minutes()
    await center.bookkeeping.change_status(change("60", Relabeled(key(1))))
    left = zone.move(before, "60", "06", out=True, load="1")
    await zone.tell()
    assert (await floor(center))[key(1), "NPF"] == -60, "the control: it left in a status that it had no more"
    said = read_body(read_record(teller.records[-1]))
    undo = (said.job, said.direction, said.load, said.quantity, "undo", "worker", said.use)
    teller.add("correction", Correction(left, "withdrawal", *undo), door=teller.doors[1])
    await zone.tell()
    assert (await floor(center))[key(1), "PF"] == 60
    assert (key(1), "NPF") not in await floor(center)
    (lot,) = (await center.ledger.lots(status="PF")).items
    assert (lot["lot"], lot["accounts"]["stock"].quantity) == ("PF-1/1", 60)
    assert await not_on_books(center) == []
    books, other = NodeBooks(), zone.docks[1]
    answer: Answer = await other.talk(center, other.ask(cursor=None))
    assert answer.upto is not None
    saw = Saw(answer.upto.epoch, answer.upto, answer.entries)
    books.fold(Fact("saw", "e" * 32, 1, "saw", None, START, saw))
    assert books.state.holdings[key(1)].status is Status.PF


async def test_what_had_left_before_its_status_was_changed_makes_the_paper_a_case(zone: Zone) -> None:
    center = zone.center
    before = minutes()
    await center.bookkeeping.change_status(change("107"))
    zone.move(before, "60", "06", out=True, load="1")
    await zone.tell()
    (case,) = await not_on_books(center)
    assert "60 of" in case.what
    assert "were taken by a paper" in case.what


async def test_entered_goods_that_leave_on_another_permit_are_a_case(center: Central) -> None:
    entry = permit("06-X", "entry", GTINS[0])
    line = structs.replace(entry.lines[0], quantity=D(60))
    zone = await Zone.open(center, papers=[*PAPERS, ("permit", structs.replace(entry, lines=(line,)))])
    zone.move(10, "60", "214-1", load="1")
    zone.move(11, "40", "214-1", load="2")
    await zone.tell()
    await center.bookkeeping.accept(Accept("06-X", "accepted", "anna"))
    later = minutes()
    zone.move(later, "40", "7512", out=True, load="2")
    await zone.tell()
    assert await not_on_books(center) == [], "the control: so much was not entered"
    wrong = zone.move(later + 1, "60", "7512", out=True, load="1")
    await zone.tell()
    (case,) = await not_on_books(center)
    assert wrong in case.name
    assert "60 of" in case.what
    assert "an entry that was accepted" in case.next_step
    (goods,) = (await center.ledger.goods()).items
    assert goods["accounts"]["constructive:06-X"].quantity == 60


async def test_entered_goods_that_leave_on_their_own_permit_are_none(center: Central) -> None:
    entry = permit("06-X", "entry", GTINS[0])
    line = structs.replace(entry.lines[0], quantity=D(60))
    zone = await Zone.open(center, papers=[*PAPERS, ("permit", structs.replace(entry, lines=(line,)))])
    zone.move(10, "60", "214-1", load="1")
    await zone.tell()
    await center.bookkeeping.accept(Accept("06-X", "accepted", "anna"))
    zone.move(minutes(), "60", "06-X", out=True, load="1")
    await zone.tell()
    assert await not_on_books(center) == []


async def test_a_load_whose_status_was_changed_once_may_get_another(zone: Zone) -> None:
    """What it was before is on the floor with nothing left of it; that is no second status."""
    center = zone.center
    await center.bookkeeping.change_status(change("60", Relabeled(key(1))))
    back = ChangeStatus(
        "Z-1", OWNER, GTINS[0], Status.PF, Status.RESTRICTED, D(60), "for destruction", "anna",
        loads=(Relabeled(key(1)),),
    )  # fmt: skip
    await center.bookkeeping.change_status(back)
    assert (await floor(center))[key(1), "ZR"] == 60
    with pytest.raises(Denied, match=r"has .* in ZR, not"):
        await center.bookkeeping.change_status(change("40", Relabeled(key(1)), number="PF-2"))
