# SPDX-License-Identifier: Apache-2.0
"""Where lots were used and what they are made of, all the way, at a real center."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from central.bookkeeping import Accept, ChangeStatus, Reject
from central.errors import Denied
from central.floor import Relabeled
from central.looks import _trace
from central.service import Central
from central.tracing import PAGE, Trace, Tracing
from central.web.answers import json_answer
from central.works import Works
from customs.documents import Status
from customs.imports import Upload
from customs.works.content import LINES_MAX
from customs.works.events import MadeSaid, Take
from sync.bodies import LoadFacts, Use
from sync.ledger_bodies import StatusChange
from tests.central.dock import Dock
from tests.central.ledger_zone import GTINS, START, Zone
from tests.central.ledger_zone import OWNER as USER
from tests.central.test_works import (
    BIN,
    DAYS,
    MADE,
    MOTOR,
    OWNER,
    PALLET,
    PUMP,
    SCRAP,
    customs_product,
    pallet,
    plan,
    refused,
    report,
    start,
    table,
    works,
)

__all__ = ["works"]
SKIDS = ("095219990000000068", "095219990000000075")
OTHER = "095219990000000051"
D = Decimal

PAPERS = {
    "permits": [
        {
            "number": number,
            "kind": kind,
            "owner": OWNER,
            "valid_from": "2026-01-01",
            "valid_to": "2036-12-31",
            "lines": [
                {
                    "line": "1",
                    "product": product,
                    "status": "NPF",
                    "quantity": "1000",
                    "unit": "EA",
                    "direction": way,
                }
            ],
        }
        for number, kind, product, way in (
            ("B214", "admission", MOTOR, "in"),
            ("W30", "weekly-entry", SCRAP, "out"),
            ("W31", "weekly-entry", MOTOR, "out"),
        )
    ]
}


@pytest.fixture
def tracing(center: Central) -> Tracing:
    return Tracing(center.database, ("example", "zone-999"), center.customs, center.works)


@pytest_asyncio.fixture
async def skids(center: Central, works: Works, dock: Dock) -> Works:
    return await made_skids(center, works, dock)


async def made_skids(center: Central, works: Works, dock: Dock) -> Works:
    """60 motors of one paper and 20 of another; 55 pumps are made of 56 of the first, two lots of 20 skids of
    those; 15 skids leave for commerce, one of them the scrap that is named alike, and two motors.
    """
    bill = {"product": SCRAP, "version": "A", "unit": "EA", "valid_from": "2026-01-01"}
    authority = {
        "number": "B-2",
        "owner": OWNER,
        "zone": "zone-999",
        "materials": ["841370"],
        "products": ["760200"],
        **DAYS,
    }
    line = {
        "document": "B214", "line": "1", "owner": OWNER, "product": MOTOR, "status": "NPF",
        "quantity": "1000", "unit": "EA", "customs_quantity": "2000", "customs_unit": "KG", "hts": "850131",
        "origin": "TW", "import_date": "2026-05-20", "price": "300", "mode": "truck",
    }  # fmt: skip
    files = [
        Upload("more.json", json.dumps(PAPERS).encode()),
        table("bom", {**bill, "part": "input", "gtin": PUMP, "per": "1", "part_unit": "EA"}),
        table("production-authority", authority),
        table("customs-product", customs_product(SCRAP, "760200")),
        table("admission-line", line),
    ]
    taken = await center.import_files(files, "planner")
    assert not getattr(taken, "faults", ()), taken
    dock.move(quantity="20", use=Use("B214", "1", D(20)), load=pallet(OTHER), owner=OWNER)
    await dock.talk(center)
    await works.plan(plan(quantity=D(55)))
    # In line the first 60 motors are all of A214, whatever pallets were taken.
    await works.start(start(takes=(Take(PALLET, D(50)), Take(OTHER, D(6)))))
    await works.report(report(made=(MadeSaid(MADE, D(55)),)))
    for name, load in zip(("SKID-1", "SKID-2"), SKIDS, strict=True):
        await works.plan(plan(name, product=SCRAP, quantity=D(20)))
        await works.start(start(name, takes=(Take(MADE, D(20)),), authority="B-2"))
        await works.report(report(name, made=(MadeSaid(load, D(20)),), scrap=()))
    for sscc, product, quantity, permit in ((SKIDS[1], SCRAP, "15", "W30"), (OTHER, MOTOR, "2", "W31")):
        facts = LoadFacts(
            f"https://id.gs1.org/00/{sscc}", sscc, product, unit="EA", owner=OWNER, status=Status.NPF
        )
        dock.move("withdrawal", quantity, Use(permit, "1", D(quantity)), load=facts, owner=OWNER)
    await dock.talk(center)
    await center.projector.catch_up()
    return works


def told(trace: Trace) -> list[tuple[str, int, float]]:
    return [(one.lot, one.depth, float(one.contained.commercial)) for one in trace.lots]


async def test_a_lot_is_followed_into_all_that_contains_it_and_to_the_papers_it_left_by(
    tracing: Tracing, skids: Works
) -> None:
    found = await tracing.trace("A214/1", "into")
    assert told(found) == [("WO-W1", 1, 55), ("WO-W1-S", 1, 1), ("WO-SKID-1", 2, 20), ("WO-SKID-2", 2, 20)]
    assert [one.through for one in found.lots] == [("A214/1",), ("A214/1",), ("WO-W1",), ("WO-W1",)]
    assert (found.total, found.whole, found.next) == (4, True, None)
    (gone,) = found.lots[2].gone
    assert (gone.document, gone.line, gone.account) == ("W30", "1", "territory")
    assert (gone.quantity, gone.contained.commercial) == (D(14), D(14))
    assert [[(one.document, one.quantity) for one in step.gone] for step in found.lots] == [
        [],
        [("W30", D(1))],
        [("W30", D(14))],
        [],
    ]
    assert [(one.document, one.quantity, one.contained.commercial) for one in found.gone] == [
        ("W31", D(2), D(2))
    ]


async def test_a_made_lot_is_followed_back_to_what_was_admitted_with_its_papers(
    tracing: Tracing, skids: Works
) -> None:
    found = await tracing.trace("WO-SKID-2", "of")
    assert told(found) == [("WO-W1", 1, 20), ("A214/1", 2, 20)]
    assert [(one.order, one.came) for one in found.lots] == [("W1", True), ("", False)]
    assert found.lots[1].through == ("WO-W1",)
    assert [one.lot for one in (await tracing.trace("A214/1", "of")).lots] == []


async def test_goods_of_two_papers_in_a_lot_are_told_apart_and_a_change_of_status_is_a_step(
    center: Central, tracing: Tracing, skids: Works, dock: Dock
) -> None:
    """In stock are four of A214 less the two that left, and 20 of B214: a pallet of 12 becomes restricted."""
    loads = (Relabeled(OTHER),)
    wish = ChangeStatus(
        "ZR-1", OWNER, MOTOR, Status.NPF, Status.RESTRICTED, D(12), "for export", "anna", loads=loads
    )
    await center.bookkeeping.change_status(wish)
    await center.projector.catch_up()
    back = await tracing.trace("ZR-1/1", "of")
    assert told(back) == [("A214/1", 1, 2), ("B214/1", 1, 10)]
    papers = back.lots[1].papers
    assert papers is not None and (papers.document, papers.line, papers.origin) == ("B214", "1", "TW")
    forward = await tracing.trace("B214/1", "into")
    assert told(forward) == [("ZR-1/1", 1, 10)]
    assert forward.lots[0].contained.customs == 20
    assert (forward.lots[0].came, forward.lots[0].order) == (True, "")


async def test_a_lot_is_in_no_units_that_were_made_before_it(
    center: Central, tracing: Tracing, skids: Works
) -> None:
    """Ten pumps more are of two motors of the one paper and eight of the other; the next skids are of their
    first two.
    """
    assert told(await tracing.trace("B214/1", "into")) == []
    await skids.plan(plan("W3", quantity=D(10)))
    await skids.start(start("W3", 10))
    await skids.report(report("W3", made=(MadeSaid("pumps", D(10)),), scrap=()))
    await skids.plan(plan("SKID-3", product=SCRAP, quantity=D(17)))
    takes = (Take(MADE, D(15)), Take("pumps", D(2)))
    await skids.start(start("SKID-3", takes=takes, authority="B-2"))
    await skids.report(report("SKID-3", made=(MadeSaid("skids", D(17)),), scrap=()))
    await center.projector.catch_up()
    assert told(await tracing.trace("B214/1", "into")) == [("WO-W3", 1, 8)]
    assert ("WO-SKID-3", 2, 17) in told(await tracing.trace("A214/1", "into"))
    assert told(await tracing.trace("WO-SKID-3", "of")) == [
        ("WO-W1", 1, 15),
        ("WO-W3", 1, 2),
        ("A214/1", 2, 17),
    ]


async def test_goods_of_an_accepted_entry_are_gone_on_it_until_it_is_rejected(
    center: Central, tracing: Tracing, works: Works
) -> None:
    await center.bookkeeping.accept(Accept("W24", note="accepted", by="broker"))
    await center.projector.catch_up()
    (gone,) = (await tracing.trace("A214/1", "into")).gone
    assert (gone.document, gone.account, gone.quantity) == ("W24", "constructive", D(20))
    await center.bookkeeping.reject(Reject("W24", note="rejected", by="broker"))
    await center.projector.catch_up()
    assert (await tracing.trace("A214/1", "into")).gone == ()


async def test_a_command_tells_quantities_without_idle_zeros(tracing: Tracing, skids: Works) -> None:
    answer = json_answer(await tracing.trace("A214/1", "into")).body
    assert isinstance(answer, bytes) and b'"14.000000"' in answer
    told = "\n".join(_trace(msgspec.json.decode(answer)))
    assert "contains 20 EA of A214/1" in told and "with 14 EA of A214/1" in told


async def test_what_cannot_be_followed_is_refused_in_words(tracing: Tracing, skids: Works) -> None:
    async def act(said: dict[str, Any]) -> Any:
        return await tracing.trace(**said)

    assert "no such lot" in await refused(act, {"lot": "none", "way": "into"})
    assert "'A214/1' of 'else'" in await refused(act, {"lot": "A214/1", "way": "into", "owner": "else"})
    assert "no way" in await refused(act, {"lot": "A214/1", "way": "up"})
    assert "leads to no page" in await refused(act, {"lot": "A214/1", "way": "into", "after": "x"})


async def test_a_wide_tree_is_paged(tracing: Tracing, center: Central, works: Works) -> None:
    """The page's bound and its order; the tree is made of real orders."""
    for number in range(PAGE + 3):
        name = f"N{number:02}"
        await works.plan(plan(name, quantity=D(1)))
        takes = (Take(PALLET, D(1)),)
        await works.start(start(name, takes=takes))
        load = f"pump {number}"
        await works.report(report(name, made=(MadeSaid(load, D(1)),), scrap=()))
    await center.projector.catch_up()
    first = await tracing.trace("A214/1", "into")
    rest = await tracing.trace("A214/1", "into", first.next)
    assert (len(first.lots), len(rest.lots), first.total, rest.next) == (PAGE, 3, PAGE + 3, None)
    assert {one.contained.commercial for one in (*first.lots, *rest.lots)} == {1}
    assert len({one.lot for one in (*first.lots, *rest.lots)}) == PAGE + 3


@pytest.mark.parametrize("lots", [200, pytest.param(12_000, marks=pytest.mark.long)])
async def test_a_tree_is_followed_as_far_as_its_bound_and_says_so(
    center: Central, tracing: Tracing, lots: int
) -> None:
    """Each of so many goods gets another status by itself, and then all of them together a third one."""
    zone = await Zone.open(center, 1)
    zone.move(0, str(lots), "214-1")
    await zone.tell()
    at = START + timedelta(days=1)

    def change(number: str, was: Status, becomes: Status, quantity: int, second: int) -> StatusChange:
        when = at + timedelta(seconds=second)
        return StatusChange(number, USER, GTINS[0], was, becomes, D(quantity), when, "anna", "note")

    each = [change(f"PF-{n}", Status.NPF, Status.PF, 1, n) for n in range(lots)]
    each.append(change("ALL", Status.PF, Status.RESTRICTED, lots, lots))

    async def write(part: list[StatusChange]) -> None:
        await center.people.act(lambda _: [("status-change", body) for body in part])

    for first in range(0, lots + 1, 1000):
        await write(each[first : first + 1000])
    await center.projector.catch_up()
    forward = await tracing.trace("214-1/1", "into")
    back = await tracing.trace("ALL/1", "of")
    whole = lots < LINES_MAX
    assert (forward.total, forward.whole) == ((lots + 1, True) if whole else (LINES_MAX, False))
    assert (back.total, back.whole) == ((lots + 1, True) if whole else (LINES_MAX, False))
    last = await tracing.trace("214-1/1", "into", str((forward.total - 1) // PAGE * PAGE))
    assert last.next is None
    if whole:
        assert told(last) == [("ALL/1", 2, lots)]


async def test_one_name_for_goods_of_two_products_asks_which(
    center: Central, works: Works, dock: Dock, tracing: Tracing
) -> None:
    for sscc, product in ((OTHER, MOTOR), (BIN, PUMP)):
        facts = LoadFacts(
            f"https://id.gs1.org/00/{sscc}", sscc, product, unit="EA", owner=OWNER, status=Status.DOMESTIC
        )
        dock.move(quantity="5", load=facts, owner=OWNER, status=Status.DOMESTIC)
    await dock.talk(center)
    await center.projector.catch_up()
    async with center.database.session() as connection:
        lot = await connection.fetchval("SELECT lot FROM ledger_lot WHERE status = 'D' LIMIT 1")
    with pytest.raises(Denied, match="names several goods"):
        await tracing.trace(lot, "into")
    assert (await tracing.trace(lot, "into", product=PUMP)).product == PUMP
