# SPDX-License-Identifier: Apache-2.0
"""Work orders under an election to attribute goods by their lots: what goes in, comes back, and leaves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest_asyncio

from central.service import Central
from central.works import Works
from customs.documents import Direction as Way
from customs.documents import Permit, PermitLine, Status
from customs.ledger.elections import Method
from customs.works.events import MadeSaid, Take
from sync.bodies import LoadFacts, Use
from sync.ledger_bodies import Election
from tests.central.dock import Dock
from tests.central.ledger_zone import BOOKS, rows
from tests.central.test_works import (
    MADE,
    MOTOR,
    OWNER,
    PALLET,
    PUMP,
    accounts,
    pallet,
    plan,
    refused,
    report,
    start,
    works,
)

__all__ = ["works"]
D = Decimal
OTHER, SECOND = "095219990000000051", "095219990000000068"


@pytest_asyncio.fixture
async def lots(center: Central, works: Works, dock: Dock) -> Works:
    """Sixty motors of A214 on one pallet, and then twenty of B214 on another."""
    days = (datetime.now(UTC) - timedelta(days=9)).date(), (datetime.now(UTC) + timedelta(days=9)).date()
    line = PermitLine("1", MOTOR, Status.NPF, D(1000), "EA", Way.IN)
    out = PermitLine("1", PUMP, Status.NPF, D(1000), "EA", Way.OUT)
    papers = (
        Permit("B214", "admission", OWNER, *days, (line,)),
        Permit("06", "weekly-entry", OWNER, *days, (out,)),
    )
    await center.people.act(lambda _: [("permit", paper) for paper in papers])
    dock.move(quantity="20", use=Use("B214", "1", D(20)), load=pallet(OTHER), owner=OWNER)
    await dock.talk(center)
    return works


async def elect(center: Central) -> None:
    """All of the owner's goods are attributed by their lots, since before they came."""
    since = datetime.now(UTC) - timedelta(days=1)
    body = Election(OWNER, Method.SPECIFIC, since, "ruling 1", "anna")
    await center.people.act(lambda _: [("election", body)])


def issue(name: str, *takes: tuple[Any, ...]) -> Any:
    return start(name, takes=tuple(Take(load, D(quantity), *lot) for load, quantity, *lot in takes))


async def test_an_issue_takes_the_lot_that_its_load_is_of(center: Central, lots: Works) -> None:
    await elect(center)
    await lots.plan(plan())
    await lots.start(issue("W1", (OTHER, 12), (PALLET, 5)))
    found = await accounts(center)
    assert (found["B214/1", "wip:W1"], found["A214/1", "wip:W1"]) == (D(12), D(5))
    await lots.report(report(made=(MadeSaid(MADE, D(12)),), returned=(Take(OTHER, D(4)),)))
    found = await accounts(center)
    assert (found["B214/1", "stock"], found["B214/1", "consumed"]) == (D(12), D(8))
    assert (found["A214/1", "stock"], found["A214/1", "consumed"]) == (D(55), D(5))
    assert (await center.ledger.overdraws()).items == (await center.ledger.differences()).items == []


async def test_in_line_the_same_issue_takes_the_oldest(center: Central, lots: Works) -> None:
    """The control: without the election."""
    await lots.plan(plan())
    await lots.start(issue("W1", (OTHER, 12), (PALLET, 5)))
    found = await accounts(center)
    assert found["A214/1", "wip:W1"] == 17
    assert ("B214/1", "wip:W1") not in found


async def test_a_person_may_name_the_lot_and_only_under_the_election(center: Central, lots: Works) -> None:
    await lots.plan(plan())
    said = await refused(lots.start, issue("W1", (PALLET, 5, "B214/1")))
    assert "first in first out, so no lot is named" in said
    await elect(center)
    said = await refused(lots.start, issue("W1", (PALLET, 21, "B214/1")))
    assert "20 EA of" in said and "are in stock of lot B214/1, 21 are asked for" in said
    assert "0 EA of" in await refused(lots.start, issue("W1", (PALLET, 5, "none")))
    await lots.start(issue("W1", (PALLET, 15, "B214/1"), (PALLET, 40)))
    found = await accounts(center)
    assert (found["B214/1", "wip:W1"], found["A214/1", "wip:W1"]) == (D(15), D(40))
    which = (Take(PALLET, D(1)),)
    assert "40 of lot A214/1, 15 of lot B214/1: name the lot" in await refused(
        lots.report, report(returned=which)
    )
    back = (Take(PALLET, D(3), "B214/1"), Take(PALLET, D(1), "A214/1"))
    await lots.report(report(returned=back, made=(MadeSaid(MADE, D(50)),)))
    found = await accounts(center)
    assert (found["B214/1", "stock"], found["A214/1", "stock"]) == (D(8), D(21))


async def test_a_made_pallet_leaves_as_the_lot_that_it_was_made_as(
    center: Central, lots: Works, dock: Dock
) -> None:
    await elect(center)
    for name, load in (("W1", MADE), ("W2", SECOND)):
        await lots.plan(plan(name))
        await lots.start(issue(name, (PALLET, 11)))
        await lots.report(report(name, made=(MadeSaid(load, D(10)),), scrap=()))
    facts = LoadFacts(
        f"https://id.gs1.org/00/{SECOND}", SECOND, PUMP, unit="EA", owner=OWNER, status=Status.NPF
    )
    dock.move("withdrawal", "10", Use("06", "1", D(10)), load=facts, owner=OWNER)
    await dock.talk(center)
    found = await accounts(center)
    assert found["WO-W1", "stock"] == 10
    assert ("WO-W2", "stock") not in found
    story = await center.ledger.story("WO-W2")
    assert [row["picked"] for row in story.movements if row["account_to"] == "territory"] == ["WO-W2"]
    assert (await center.ledger.overdraws()).items == []
    books = await rows(center, BOOKS)
    await center.projector.rebuild()
    assert await rows(center, BOOKS) == books
