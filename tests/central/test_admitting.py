# SPDX-License-Identifier: Apache-2.0
"""Goods that a door took into suspense are admitted when their permit has come: on the books, on the floor,
at docks and on the permit's line, and what is refused.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from central.admitting import Admit
from central.errors import Denied
from central.floor import Relabeled
from central.people import Object
from central.service import Central
from customs.documents import Conveyance, Direction, LineRef, Status
from sync.bodies import Grant, LoadFacts, Returned, read_body
from sync.entry import read_record
from tests.central.dock import Dock, summary
from tests.central.ledger_zone import GTINS, OTHER, OWNER, PAPERS, START, Zone, permit
from tests.central.test_floor import floor, key, moved, not_on_books
from tests.central.test_ledger_books import declared

D = Decimal
LABEL = "095219990000000020"
PRODUCT = PAPERS[0]


def deposit(
    zone: Zone,
    minute: float,
    quantity: str,
    load: str,
    *,
    owner: str = OWNER,
    gtin: str = GTINS[0],
    **more: Any,
) -> str:
    """A supervisor takes a load into suspense, as a door does it."""
    sscc = f"{int(load):018d}"
    facts = LoadFacts(f"/00/{sscc}", sscc, gtin, None, None, D(quantity), "EA", owner, Status.SUSPENSE)
    dock: Dock = zone.docks[more.pop("dock", 0)]
    entry_id = dock.move(
        "admission", quantity, None, load=facts, owner=owner, status=Status.SUSPENSE,
        reason="temporary-deposit", read=summary(sscc), **more,
    )  # fmt: skip
    return zone._at(dock, entry_id, minute)


def admit(*loads: str | Relabeled, document: str = "214-1", **more: Any) -> Admit:
    named = tuple(Relabeled(one) if isinstance(one, str) else one for one in loads)
    return Admit(document, "1", "papers came", "anna", loads=named, **more)


def of(quantity: str, number: str = "214-9", **more: Any) -> Any:
    """A permit of so many."""
    made = permit(number, "admission", GTINS[0], **more)
    return "permit", replace(made, lines=(replace(made.lines[0], quantity=D(quantity)),))


@pytest_asyncio.fixture
async def zone(center: Central) -> Zone:
    """Loads of 60 and 40 in suspense."""
    made = await Zone.open(center)
    deposit(made, 10, "60", "1")
    deposit(made, 60 * 24, "40", "2")
    await made.tell()
    return made


async def stock(center: Central) -> dict[tuple[str, str, str], Decimal]:
    """What stands in stock, by owner, status and lot."""
    await center.projector.catch_up()
    return {
        (row["owner"], row["status"], row["lot"]): row["accounts"]["stock"].quantity
        for row in (await center.ledger.lots()).items
        if "stock" in row["accounts"]
    }


async def test_a_load_in_suspense_becomes_the_lot_of_its_permits_line(zone: Zone) -> None:
    center = zone.center
    deposits = zone.docks[0].ids[-2:]
    before = {
        (OWNER, "SUSPENSE", f"SUSPENSE-{deposits[0]}"): 60,
        (OWNER, "SUSPENSE", f"SUSPENSE-{deposits[1]}"): 40,
    }
    assert await stock(center) == before
    await center.admitting.admit(admit(key(2)))
    assert await stock(center) == {
        (OWNER, "SUSPENSE", f"SUSPENSE-{deposits[0]}"): 60,
        (OWNER, "NPF", "214-1/1"): 40,
    }, "the other load's deposit is older and stays"
    assert await floor(center) == {(key(1), "SUSPENSE"): 60, (key(2), "NPF"): 40}
    (move,) = await moved(zone)
    assert (move.becomes, move.holding.key, move.holding.status) == (Status.NPF, key(2), Status.SUSPENSE)
    assert (await center.ledger.differences()).items == []
    assert await used(center) == 40
    story = await center.ledger.story("214-1/1")
    assert [row["of"] for row in story.made] == [f"SUSPENSE-{deposits[1]}"]
    (came, left) = (await center.ledger.story(story.made[0]["of"])).movements
    assert (came["entry_id"], came["evidence"]["code"]) == (deposits[1], f"{2:018d}")
    assert left["entry_id"] == story.movements[0]["entry_id"]
    assert (story.lots[0]["document"], story.lots[0]["line"]) == ("214-1", "1")


async def used(center: Central, document: str = "214-1") -> Decimal:
    """What of a line is used: by the books, and by the docks' accounts, which must say the same."""
    await center.projector.catch_up()
    ref = LineRef(document, "1")
    async with center.database.session() as connection:
        found: Decimal = await connection.fetchval("SELECT used FROM permit_line WHERE permit = $1", document)
    assert await center.people.look(lambda book: book.accounts.used(ref)) == found
    return found


async def test_a_quantity_is_all_loads_of_the_product_or_what_is_on_none(zone: Zone) -> None:
    center = zone.center
    with pytest.raises(Denied, match="100 of these goods are on 2 loads"):
        await center.admitting.admit(admit(quantity=D(60)))
    await center.admitting.admit(admit(quantity=D(100)))
    assert await stock(center) == {(OWNER, "NPF", "214-1/1"): 100}
    assert {status for _, status in await floor(center)} == {"NPF"}
    with pytest.raises(Denied, match="0 of these goods"):
        await center.admitting.admit(admit(quantity=D(1)))


async def test_the_line_is_not_exceeded_and_the_rest_stays_in_suspense(zone: Zone) -> None:
    center = zone.center
    await center.people.act(lambda _: [of("75")])
    before = center.head
    with pytest.raises(Denied, match="is of 75 EA, of which 75 are left, not 100") as caught:
        await center.admitting.admit(admit(key(1), key(2), document="214-9"))
    assert "stays in suspense" in caught.value.next_step
    assert center.head == before
    await center.admitting.admit(admit(key(1), Relabeled(key(2), D(15), LABEL), document="214-9"))
    onto = f"https://id.gs1.org/00/{LABEL}"
    assert await floor(center) == {(key(1), "NPF"): 60, (onto, "NPF"): 15, (key(2), "SUSPENSE"): 25}
    assert await used(center, "214-9") == 75
    with pytest.raises(Denied, match="of which 0 are left"):
        await center.admitting.admit(admit(key(2), document="214-9"))
    async with center.database.session() as connection:
        granted = await connection.fetchval("SELECT granted FROM permit_line WHERE permit = '214-9'")
    assert granted == 75, "no dock holds less of it for that"


async def lent(zone: Zone, quantity: str) -> Dock:
    """A line of 75, of which a dock holds so many."""
    dock = zone.docks[0]
    grant = Grant("214-9", "1", dock.node, dock.epoch, D(quantity))
    await zone.center.people.act(lambda _: [of("75"), ("grant", grant)])
    return dock


async def test_what_a_dock_holds_of_the_line_is_asked_back_once(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    center = zone.center
    monkeypatch.setattr("central.admitting.ANSWER_SECONDS", 0.01)
    dock = await lent(zone, "50")
    for _ in range(2):
        with pytest.raises(Denied, match="lent to dock-1") as caught:
            await center.admitting.admit(admit(key(2), document="214-9"))
        assert "asked back" in caught.value.next_step
        recalled = await center.people.look(lambda book: dict(book.recalled))
        assert recalled == {(LineRef("214-9", "1"), dock.epoch): D(15)}, "once"
        assert await center.people.look(lambda book: book.accounts.wanted_here) == {}, "nobody waits any more"
    dock.add("return", Returned("214-9", "1", D(15)))
    await zone.tell(0)
    await center.admitting.admit(admit(key(2), document="214-9"))
    assert await center.people.look(lambda book: book.charged(LineRef("214-9", "1"))) == 75


async def test_what_comes_back_while_people_wait_is_theirs(zone: Zone) -> None:
    center = zone.center
    dock = await lent(zone, "75")
    door = Conveyance("T-9", "TR 9", "Carrier", dock.doors[0], Direction.IN, (), (LineRef("214-9", "1"),))
    await center.people.act(lambda _: [("conveyance", door)])
    asked = asyncio.Event()
    center.on_stored(asked.set)
    task = asyncio.create_task(center.admitting.admit(admit(key(2), document="214-9")))
    await asyncio.wait_for(asked.wait(), 30)
    dock.add("return", Returned("214-9", "1", D(40)))
    await zone.tell(0)
    written = await asyncio.wait_for(task, 30)
    assert [one.type for one in written] == ["admitted", "holdings"]
    ref = LineRef("214-9", "1")
    held = await center.people.look(lambda book: list(book.accounts.open_accounts(ref)))
    assert [account.idle for _, account in held] == [35], "its truck would have been lent all of it again"
    await zone.tell(0)
    assert await center.people.look(lambda book: book.charged(ref)) == 75


async def test_goods_of_an_unknown_owner_and_product_get_those_of_their_paper(center: Central) -> None:
    zone = await Zone.open(center)
    entry_id = deposit(zone, 10, "5", "3", owner="", gtin="")
    await zone.tell()
    assert await stock(center) == {("", "SUSPENSE", f"SUSPENSE-{entry_id}"): 5}
    assert (await center.ledger.differences()).items == []
    await center.admitting.admit(admit(key(3)))
    assert await stock(center) == {(OWNER, "NPF", "214-1/1"): 5}
    off, on = await moved(zone)
    assert (off.came, off.holding.owner, off.holding.gtin, off.becomes) == (False, "", "", None)
    assert (on.came, on.holding.owner, on.holding.gtin) == (True, OWNER, GTINS[0])
    assert (await center.ledger.differences()).items == []


async def test_paper_and_goods_that_differ_are_told_in_words(zone: Zone) -> None:
    center = zone.center
    deposit(zone, 20, "5", "3", owner=OTHER, gtin=GTINS[1])
    kilos = permit("214-K", "admission", GTINS[0])
    papers = [
        ("permit", replace(kilos, lines=(replace(kilos.lines[0], unit="KG"),))),
        ("permit", permit("214-O", "admission", GTINS[0], OTHER)),
        ("permit", permit("214-P", "admission", GTINS[1])),
        (
            "permit",
            replace(permit("214-Y", "admission", GTINS[0]), valid_to=START.date() + timedelta(days=1)),
        ),
    ]
    await center.people.act(lambda _: papers)
    zone.move(30, "8", "214-1", load="4")
    await zone.tell()
    before = center.head
    refused = {
        "no permit '214-X'": admit(key(1), document="214-X"),
        "of kind weekly-entry, which does not admit": admit(key(1), document="06"),
        "no line '2' .* that come in": replace(admit(key(1)), line="2"),
        f"with the owner '{OWNER}', line 214-O/1 is of '{OTHER}'": admit(key(1), document="214-O"),
        f"with the product '{GTINS[0]}', line 214-P/1 is of": admit(key(1), document="214-P"),
        "with the unit 'EA', line 214-K/1 is of 'KG'": admit(key(1), document="214-K"),
        "is valid from 2026-06-01 to 2026-06-02": admit(key(1), document="214-Y"),
        "no load": admit(key(9)),
        "is in NPF, not in suspense": admit(key(4)),
        "only a part of load": admit(Relabeled(key(1), D(59))),
        "has 60, not 61": admit(Relabeled(key(1), D(61))),
        "the loads have 60 of it, the act says 61": admit(key(1), quantity=D(61)),
        "named twice": admit(key(1), key(1)),
        "neither loads nor a quantity": admit(),
        "no count of goods": admit(quantity=D(-1)),
        "has not come": admit(key(1), happened=START + timedelta(days=4000)),
    }
    for words, act in refused.items():
        with pytest.raises(Denied, match=words) as caught:
            await center.admitting.admit(act)
        assert caught.value.next_step
    assert center.head == before
    await center.people.dispute(Object(zone.docks[0].ids[1], "counted short", "anna"))
    with pytest.raises(Denied, match="is disputed"):
        await center.admitting.admit(admit(key(1)))


async def test_a_deposit_that_never_was_makes_its_admission_a_case(zone: Zone) -> None:
    center = zone.center
    await center.admitting.admit(admit(key(1)))
    assert await not_on_books(center) == [], "the control"
    zone.correct(zone.docks[0].ids[1], 20)
    await zone.tell()
    (case,) = await not_on_books(center)
    assert "60 of" in case.what and "SUSPENSE" in case.what


async def test_papers_that_come_later_give_the_customs_quantity(zone: Zone) -> None:
    center = zone.center
    await center.admitting.admit(admit(key(1)))
    await center.people.act(lambda _: declared("214-1", D("0.5"))[:1])
    await center.projector.catch_up()
    (lot,) = (await center.ledger.lots(status="NPF")).items
    assert lot["accounts"]["stock"].customs == 30


async def test_the_books_made_again_are_the_same_and_the_line_is_charged_after_a_restart(
    zone: Zone, open_center: Any
) -> None:
    center = zone.center
    await center.admitting.admit(admit(key(1)))
    before, loads = await stock(center), await floor(center)
    await center.projector.rebuild()
    assert (await stock(center), await floor(center)) == (before, loads)
    assert await used(center) == 60
    filed = await center.people.look(lambda book: book.figures())
    assert [(one.permit, one.quantity) for one in filed] == [("214-1", D(60))]
    center._own._book = None
    assert await center.people.look(lambda book: book.figures()) == filed


async def test_a_round_quantity_is_written_in_digits(center: Central) -> None:
    zone = await Zone.open(center)
    deposit(zone, 10, "20000", "1")
    await zone.tell()
    await center.projector.catch_up()
    written, _ = await center.admitting.admit(admit(key(1)))
    async with center.database.session() as connection:
        record = await connection.fetchval("SELECT record FROM entry WHERE entry_id = $1", written.entry_id)
    body = read_body(read_record(bytes(record)))
    assert [str(one.quantity) for one in (*body.deposits, *body.off)] == ["20000", "20000"]


async def test_admission_counts_from_its_own_instant_and_not_before(zone: Zone) -> None:
    center = zone.center
    at = START + timedelta(days=3)
    await center.admitting.admit(admit(key(1), happened=at))
    await center.projector.catch_up()
    before = (await center.ledger.lots(None, at - timedelta(minutes=1), status="SUSPENSE")).items
    after = (await center.ledger.lots(None, at, status="SUSPENSE")).items
    assert [sum(row["accounts"]["stock"].quantity for row in rows) for rows in (before, after)] == [100, 40]
