# SPDX-License-Identifier: Apache-2.0
"""The zone's ledger in the database: what entries post, and what is read of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from central.cuts import Pin
from central.errors import Denied
from central.ledger_queries import Ledger
from central.service import Central
from customs.documents import Status
from customs.imports import Upload
from sync.bodies import Use
from tests.central.dock import GTIN, SSCC, Dock
from tests.central.ledger_zone import GTINS, OTHER, OWNER, PAPERS, START, Zone, permit
from tests.central.test_ledger_books import declared


@pytest.fixture
def ledger(center: Central) -> Ledger:
    return Ledger(center.database, "example", "zone-999")


async def told(center: Central, dock: Dock) -> None:
    """The dock tells the center, and the books take it in."""
    await dock.talk(center)
    await center.projector.catch_up()


async def test_what_a_door_admits_and_lets_out_is_posted_to_its_lot(
    center: Central, dock: Dock, papers: bytes, ledger: Ledger
) -> None:
    await center.import_files([Upload("week.json", papers)], "compliance")
    came = dock.move(quantity="125", use=Use("A214", "1", Decimal(125)))
    left = dock.move("withdrawal", "50", Use("W24", "1", Decimal(50)))
    await told(center, dock)
    (lot,) = (await ledger.lots()).items
    assert (lot["lot"], lot["owner"], lot["product"], lot["status"]) == (
        "A214/1",
        "Example User",
        GTIN,
        "NPF",
    )
    balances = {account: amount.quantity for account, amount in lot["accounts"].items()}
    assert balances == {"stock": 75, "territory": 50, "abroad": -125}
    story = await ledger.story("A214/1")
    assert [(row["entry_id"], row["quantity"], row["account_to"]) for row in story.movements] == [
        (came, 125, "stock"),
        (left, 50, "territory"),
    ]
    assert [row["evidence"]["code"] for row in story.movements] == [SSCC, SSCC]
    assert story.movements[1]["picked"] == "A214/1"
    assert {row["permit"] for row in story.movements} == {"A214", "W24"}
    assert [row["kind"] for row in (await ledger.search("A214")).items] == ["document", "lot"]
    assert [row["lots"] for row in (await ledger.search(SSCC)).items] == [["A214/1"], ["A214/1"]]


async def test_what_leaves_without_being_there_is_a_case_and_never_stock_below_zero(
    center: Central, dock: Dock, papers: bytes, ledger: Ledger
) -> None:
    await center.import_files([Upload("week.json", papers)], "compliance")
    dock.move(quantity="125", use=Use("A214", "1", Decimal(125)))
    left = dock.move("withdrawal", "130", Use("W24", "1", Decimal(130)))
    await told(center, dock)
    (case,) = (await ledger.overdraws()).items
    assert (case["entry_id"], case["quantity"], case["permit"]) == (left, 5, "W24")
    (goods,) = (await ledger.goods()).items
    assert {account: amount.quantity for account, amount in goods["accounts"].items()} == {
        "abroad": -125,
        "territory": 130,
        "overdrawn": -5,
    }
    (difference,) = (await ledger.differences()).items
    assert (difference["physical"], difference["legal"], difference["overdrawn"]) == (-5, 0, -5)
    assert (await ledger.lots()).items == []


async def test_papers_that_come_after_the_goods_are_posted_but_for_what_is_pinned(center: Central) -> None:
    zone = await Zone.open(center)
    zone.move(10, "40", "214-1")
    await zone.tell()
    await center.cuts.pin(Pin("W23", START + timedelta(minutes=30), "anna"))
    zone.move(60, "60", "214-1", load="2")
    zone.move(70, "50", "06", out=True)
    await zone.tell()
    assert await customs(center) == {"stock": 50, "territory": 50, "abroad": -100}
    drafts = declared("214-1", Decimal("0.731"))[:1]
    await center.people.act(lambda _: drafts)
    await center.projector.catch_up()
    # 60 of the open period are 43.86 kg now; the 10 that left of them took their share.
    assert await customs(center) == {
        "stock": Decimal("36.55"),
        "territory": Decimal("47.31"),
        "abroad": Decimal("-83.86"),
    }
    zone.move(80, "100", "214-1", load="3")
    await zone.tell()
    assert (await customs(center))["abroad"] == Decimal("-156.96")
    assert (await center.cuts.verify("W23")).equal


async def customs(center: Central) -> dict[str, Decimal]:
    """Quantities in the customs unit, by account."""
    (goods,) = (await center.ledger.goods()).items
    return {account: amount.customs.normalize() for account, amount in goods["accounts"].items()}


async def test_opening_balances_are_lots_that_are_older_than_all_that_comes(center: Central) -> None:
    zone = await Zone.open(center)
    drafts = declared("214-1", Decimal("0.731"))[1:]
    await center.people.act(lambda _: drafts)
    zone.move(10, "40", "214-2")
    zone.move(20, "10", "06", out=True)
    await zone.tell()
    lots = {row["lot"]: row["accounts"] for row in (await center.ledger.lots()).items}
    assert lots.keys() == {"214-2/1"}
    assert lots["214-2/1"]["stock"].quantity == 39
    (row,) = (await center.ledger.story("OLD/214-1")).lots
    assert (row["document"], row["line"]) == ("OLD", "214-1")
    assert {account: amount.quantity for account, amount in row["accounts"].items()} == {
        "opening": -9,
        "territory": 9,
    }


@pytest.mark.parametrize(
    ("kind", "account"),
    [
        ("weekly-entry", "territory"),
        ("entry", "territory"),
        ("export", "exported"),
        ("zone-transfer", "other-zone"),
        ("warehouse", "warehouse"),
        ("destruction", "destroyed"),
        ("supplies", "supplies"),
        ("inward-processing", "undocumented"),
        ("", "undocumented"),
    ],
)
async def test_goods_end_where_their_permit_sends_them(center: Central, kind: str, account: str) -> None:
    papers = [*PAPERS, *([("permit", permit("P-9", kind, GTINS[0]))] if kind else [])]
    zone = await Zone.open(center, docks=1, papers=papers)
    zone.move(10, "40", "214-1")
    zone.move(20, "15", "P-9", out=True)
    await zone.tell()
    (goods,) = (await center.ledger.goods()).items
    assert goods["accounts"][account].quantity == 15


async def test_an_owners_goods_never_answer_for_anothers_nor_for_another_status(center: Central) -> None:
    zone = await Zone.open(center, docks=1)
    zone.move(10, "40", "214-1")
    zone.move(20, "7", "06", out=True, owner=OTHER)
    zone.move(30, "8", "06", out=True, status=Status.PF)
    await zone.tell()
    found = {
        (row["owner"], row["status"]): {name: amount.quantity for name, amount in row["accounts"].items()}
        for row in (await center.ledger.goods()).items
    }
    assert found == {
        (OWNER, "NPF"): {"abroad": -40, "stock": 40},
        (OTHER, "NPF"): {"overdrawn": -7, "territory": 7},
        (OWNER, "PF"): {"overdrawn": -8, "territory": 8},
    }


async def test_anything_is_found_by_how_it_begins(center: Central) -> None:
    zone = await Zone.open(center, docks=1)
    entry_id = zone.move(10, "40", "214-1")
    await zone.tell()
    search = center.ledger.search

    async def kinds(text: str) -> set[tuple[str, str]]:
        return {(row["kind"], row["ref"]) for row in (await search(text)).items}

    assert await kinds("214-1/") == {("lot", "214-1/1")}
    assert ("document", "214-1") in await kinds("214-")
    assert await kinds("EXAMPLE u") == {("owner", OWNER)}
    assert await kinds(GTINS[0][:8]) == {("product", GTINS[0])}
    assert await kinds(entry_id) == {("entry", entry_id)}
    assert await kinds(f"{1:018d}") == {("load", entry_id)}
    assert await kinds("nothing like it") == set()
    assert await kinds("%") == set()
    for wrong in ("", "x" * 81, "\x00"):
        with pytest.raises(Denied):
            await search(wrong)
    with pytest.raises(Denied, match="leads to no page"):
        await center.ledger.lots("bm90IGZyb20gaGVyZQ==")


async def test_lists_go_on_where_their_page_ended(center: Central) -> None:
    papers = [*PAPERS, *(("permit", permit(f"215-{n:03d}", "admission", GTINS[0])) for n in range(60))]
    zone = await Zone.open(center, docks=1, papers=papers)
    for n in range(60):
        zone.move(n, "1", f"215-{n:03d}", load=str(n))
    for n in range(60):
        zone.move(100 + n, "1", "214-1", load="7")
    await zone.tell()
    first = await center.ledger.lots()
    rest = await center.ledger.lots(first.next)
    assert (len(first.items), len(rest.items), rest.next) == (50, 11, None)
    assert len({row["lot"] for row in first.items + rest.items}) == 61
    told = await center.ledger.story("214-1/1")
    more = await center.ledger.story("214-1/1", told.next)
    assert (len(told.movements), len(more.movements), more.next) == (50, 10, None)
    booked = [row["booked"] for row in told.movements + more.movements]
    assert booked == sorted(booked)
