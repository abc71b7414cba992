# SPDX-License-Identifier: Apache-2.0
"""A wrong report of a work order, put right at a real center: goods, content, floor, docks, both times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from central.contents import Contents
from central.cuts import Pin
from central.ledger_queries import Ledger
from central.service import Central
from central.tracing import Tracing
from central.works import Works
from customs.documents import Status
from customs.works.events import CloseOrder, Correct, MadeSaid, ScrapSaid, Take, Wasted
from sync.bodies import LoadFacts, Use, read_body
from sync.entry import read_record
from tests.central.conftest import Opener
from tests.central.dock import Dock
from tests.central.ledger_zone import BOOKS, rows
from tests.central.test_tracing import made_skids
from tests.central.test_works import (
    BIN,
    MADE,
    MOTOR,
    OWNER,
    PALLET,
    PUMP,
    SCRAP,
    TODAY,
    accounts,
    floor,
    plan,
    refused,
    report,
    start,
    works,
)

__all__ = ["works"]
D = Decimal


def correct(pumps: int, scrap: int, **more: Any) -> Correct:
    """So many pumps were made, and so many motors are scrap."""
    made = (MadeSaid(MADE, D(pumps)),)
    bin_ = (ScrapSaid(MOTOR, D(scrap), SCRAP, D(scrap), D("0.50") * scrap, BIN),) if scrap else ()
    said: dict[str, Any] = {"made": made, "scrap": bin_}
    return Correct("W1", TODAY, "planner", "counted again", **{**said, **more})


@pytest.fixture
def ledger(center: Central) -> Ledger:
    return Ledger(center.database, "example", "zone-999")


async def made(works: Works) -> None:
    """51 motors went to 50 pumps and one motor in the bin."""
    await works.plan(plan())
    await works.start(start())
    await works.report(report())


async def contained(center: Central, works: Works, lot: str, product: str) -> Any:
    await center.projector.catch_up()
    async with center.database.session() as connection:
        found = await Contents("example", "zone-999", works).of_lot(connection, lot, product)
    assert found is not None
    parts = {part.lot: part.pair.commercial for part in found.parts}
    return found.made, found.left, parts, found.value


async def test_a_wrong_report_is_put_right_on_the_books_the_floor_and_at_the_docks(
    center: Central, works: Works, dock: Dock, ledger: Ledger
) -> None:
    await made(works)
    await center.projector.catch_up()
    await dock.talk(center)
    before = datetime.now(UTC)
    await works.correct(correct(45, 6))
    assert await floor(center) == {PALLET: 9, MADE: 45, BIN: 6}
    found = await accounts(center)
    assert (found["WO-W1", "stock"], found["WO-W1-S", "stock"]) == (D(45), D(6))
    assert found["A214/1", "consumed"] == 51
    assert (await ledger.differences()).items == (await ledger.overdraws()).items == []
    assert await contained(center, works, "WO-W1", PUMP) == (45, 45, {"A214/1": 45}, None)
    assert await contained(center, works, "WO-W1-S", SCRAP) == (6, 6, {"A214/1": 6}, D(3))
    answer = await dock.talk(center)
    told = [read_record(bytes(raw)) for raw in answer.entries]
    moves = [move for entry in told if entry.type == "holdings" for move in read_body(entry).moves]
    assert [(move.came, move.holding.sscc, move.holding.quantity) for move in moves] == [
        (False, MADE, 5),
        (True, BIN, 5),
    ]
    # What was known before stays what was known before.
    (lot,) = (await ledger.story("WO-W1", known_on=before)).lots
    assert lot["accounts"]["stock"].quantity == 50
    story = await ledger.story("WO-W1")
    assert [row["quantity"] for row in story.movements] == [50, -50, 45]
    assert len({row["booked"] for row in story.movements}) == 1


async def test_a_corrected_order_is_known_again_and_its_books_are_made_again(
    center: Central, works: Works, open_center: Opener
) -> None:
    await made(works)
    await works.correct(correct(45, 6))
    await works.correct(correct(50, 0, waste=(Wasted(MOTOR, D(1)),)))
    await works.close(CloseOrder("W1", TODAY, "planner"))
    await works.correct(correct(49, 2))
    assert await floor(center) == {PALLET: 9, MADE: 49, BIN: 2}
    assert (await accounts(center))["WO-W1", "stock"] == 49
    books = await rows(center, BOOKS)
    await center.projector.rebuild()
    assert await rows(center, BOOKS) == books
    await center.close()
    again = await open_center()
    order = await again.works.one("W1")
    assert (order.state, len(order.corrections)) == ("closed", 3)
    assert order.reported is not None and order.reported.made[0].quantity == 49
    assert order.first_report is not None and order.first_report.made[0].quantity == 50


async def left(center: Central, dock: Dock, quantity: int) -> None:
    """So many pumps leave on the truck."""
    facts = LoadFacts(f"https://id.gs1.org/00/{MADE}", MADE, PUMP, unit="EA", owner=OWNER, status=Status.NPF)
    dock.move("withdrawal", str(quantity), Use("W24", "1", D(quantity)), load=facts, owner=OWNER)
    await dock.talk(center)
    await center.projector.catch_up()


async def test_what_has_left_cannot_be_corrected_away(center: Central, works: Works, dock: Dock) -> None:
    await made(works)
    await left(center, dock, 48)
    said = await refused(works.correct, correct(45, 6))
    assert "2 EA of lot WO-W1 are in stock, the correction takes off 5" in said
    assert f"load https://id.gs1.org/00/{MADE} has 2 EA" in said
    assert (await accounts(center))["WO-W1", "stock"] == 2
    await works.correct(correct(48, 3))
    await center.projector.catch_up()
    (lot,) = (await center.ledger.story("WO-W1")).lots
    assert {name: one.quantity for name, one in lot["accounts"].items()} == {"made": -48, "territory": 48}
    assert await floor(center) == {PALLET: 9, BIN: 3}


async def test_what_went_on_into_work_cannot_be_corrected_away(
    center: Central, works: Works, dock: Dock
) -> None:
    """Of 55 pumps 40 are in skids: the skids' content follows what is corrected of the rest."""
    await made_skids(center, works, dock)
    said = await refused(works.correct, correct(39, 17))
    assert "15 EA of lot WO-W1 are in stock, the correction takes off 16" in said
    await works.correct(correct(41, 15))
    assert (await contained(center, works, "WO-W1", PUMP))[:3] == (41, 1, {"A214/1": 41})
    assert (await contained(center, works, "WO-SKID-2", SCRAP))[2] == {"A214/1": 20}
    assert (await center.ledger.overdraws()).items == []


async def test_a_correction_may_name_other_loads_but_none_of_other_goods(
    center: Central, works: Works
) -> None:
    await made(works)
    other = "095219990000000044"
    await works.correct(correct(0, 1, made=(MadeSaid(MADE, D(20)), MadeSaid(other, D(30)))))
    assert await floor(center) == {PALLET: 9, MADE: 20, other: 30, BIN: 1}
    wrong = (MadeSaid(PALLET, D(51)),)
    assert "holds or held other goods" in await refused(works.correct, correct(51, 0, made=wrong))


async def test_a_correction_must_add_up_and_be_of_a_report(center: Central, works: Works) -> None:
    await works.plan(plan())
    await works.start(start())
    assert "is started" in await refused(works.correct, correct(45, 6))
    await works.report(report())
    head = center.head
    assert "51 EA of" in await refused(works.correct, correct(45, 52))
    assert "nothing was made" in await refused(works.correct, correct(0, 1, made=()))
    assert center.head == head


async def test_a_report_in_a_pinned_cut_is_corrected_in_the_open_period(
    center: Central, works: Works, dock: Dock, ledger: Ledger
) -> None:
    await made(works)
    await left(center, dock, 20)
    cut = datetime.now(UTC)
    await center.cuts.pin(Pin("2026-07", cut, "compliance"))
    await works.correct(correct(45, 6))
    found = await accounts(center)
    assert (found["WO-W1", "stock"], found["WO-W1", "territory"]) == (D(25), D(20))
    (lot,) = (await ledger.lots(as_of=cut, product=PUMP)).items
    assert lot["accounts"]["stock"].quantity == 30
    assert (await center.cuts.verify("2026-07")).equal
    late = [row for row in (await ledger.late()).items if row["product"] == PUMP]
    assert sorted((row["leaves"], int(row["quantity"])) for row in late) == [(False, 45), (True, 50)]
    assert await contained(center, works, "WO-W1", PUMP) == (45, 25, {"A214/1": 45}, None)
    tracing = Tracing(center.database, ("example", "zone-999"), center.customs, works)
    trace = await tracing.trace("A214/1", "into")
    told = {one.lot: int(one.contained.commercial) for one in trace.lots}
    assert told == {"WO-W1": 45, "WO-W1-S": 6}
    assert [(one.document, int(one.quantity)) for one in trace.lots[0].gone] == [("W24", 20)]
    assert (await ledger.differences()).items == (await ledger.overdraws()).items == []
    # Another correction of it takes back what this one said.
    assert "25 EA of lot WO-W1" in await refused(works.correct, correct(19, 32))
    await works.correct(correct(48, 3))
    assert (await accounts(center))["WO-W1", "stock"] == 28
    assert await contained(center, works, "WO-W1", PUMP) == (48, 28, {"A214/1": 48}, None)
    assert (await center.cuts.verify("2026-07")).equal
    books = await rows(center, BOOKS)
    await center.projector.rebuild()
    assert await rows(center, BOOKS) == books


async def test_what_was_issued_stays_issued(center: Central, works: Works) -> None:
    """The control of the sums: motors that went to the order are in it, whatever was made of them."""
    await works.plan(plan())
    await works.start(start(takes=(Take(PALLET, D(55)),)))
    await works.report(report(returned=(Take(PALLET, D(4)),)))
    await works.correct(correct(40, 1, waste=(Wasted(MOTOR, D(10)),)))
    found = await accounts(center)
    assert (found["A214/1", "consumed"], found["A214/1", "stock"]) == (D(51), D(9))
    assert await contained(center, works, "WO-W1", PUMP) == (40, 40, {"A214/1": 40}, None)
    assert timedelta(0) <= datetime.now(UTC) - (await works.one("W1")).corrections[0].happened
