# SPDX-License-Identifier: Apache-2.0
"""The ledger's rows are the same whatever the batches, they are what the facts alone give, and no row of a
pinned cut ever changes. Random histories of two docks with wrong clocks, late news and corrections.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from msgspec.structs import replace

from central.cuts import Pin
from central.ledger_queries import Ledger
from central.ledger_shelves import fact_of, queue_of
from central.service import Central
from customs.documents import Status
from customs.known import Known
from customs.ledger.balances import balances, faults
from customs.ledger.elections import Method
from customs.ledger.facts import Posting, Ref
from customs.ledger.quantities import Pair
from customs.works.events import Issue, Made, OrderEvent, Scrapped
from customs.zone import AdmissionLine, CustomsProduct, Mode, OpeningBalance, Values
from sync.customs_bodies import Rows
from sync.entry import canonical
from sync.ledger_bodies import (
    Adjustment,
    AdmissionUndone,
    Admitted,
    Constructive,
    Deposited,
    Election,
    Entered,
    Fetched,
    PickUp,
    PickUpUndone,
    StatusChange,
)
from tests.central.conftest import Opener
from tests.central.ledger_zone import BOOKS, GTINS, OTHER, OWNER, START, Zone, history, permit, rows
from tests.customs.ledger.book import Book
from zonegate.children import OwnPostgres

SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 12))]
PAGES = ((1, 1, 1), (2, 7, 1), (100, 500, 32), (3, 10_000, 2))
"""Own entries and seen ones of a transaction, and open layers that are read at first."""


def acts(minute: float) -> list[Any]:
    """What people put on the books without a door."""
    at = START + timedelta(minutes=minute)
    tools = (OWNER, GTINS[0], Status.NPF)
    return [
        ("status-change", StatusChange(f"PF-{minute}", *tools, Status.PF, Decimal(30), at, "anna", "filed")),
        ("adjustment", Adjustment(f"C-{minute}", *tools, Decimal("-3.5"), at, "anna", "counted")),
        ("adjustment", Adjustment(f"F-{minute}", *tools, Decimal(4), at, "anna", "found")),
        (
            "constructive",
            Constructive("06-E", True, (Entered(*tools, Decimal(60)),), at, "anna", "accepted"),
        ),
        (
            "constructive",
            Constructive(
                "06-E", False, (Entered(*tools, Decimal(9)),), at + timedelta(minutes=90), "anna", "rejected"
            ),
        ),
        ("election", Election(OTHER, Method.SPECIFIC, at, "the manual, page 7", "anna")),
        # Of a paper that goods have left by before it came, and then of another kind.
        ("permit", permit("LATE", "export" if minute < 500 else "destruction", GTINS[0])),
        *declared(f"214-{1 + int(minute) % 3}", Decimal("0.731")),
        *(declared("DD-1", Decimal("0.9"))[:1] if minute > 500 else ()),
        (
            "pick-up",
            PickUp(
                "DD-1",
                OWNER,
                (Fetched("1", GTINS[0], Status.NPF, Decimal(25), "EA"),),
                "PD 7",
                at,
                "anna",
                "fetched",
            ),
        ),
        *ordered(f"WO-{minute:.0f}", at + timedelta(minutes=5)),
    ]


def declared(document: str, kilograms: Decimal) -> list[Any]:
    """Papers of a lot, which may have come already, and a lot that was there before the books began."""
    line = AdmissionLine(
        document, "1", OWNER, GTINS[0], Status.NPF, Decimal(10**6), "EA", kilograms * 10**6, "KG", "8205",
        "TW", START.date(), Values(Decimal(10**6)), Mode.AIR,
    )  # fmt: skip
    before = replace(line, document="OLD", line=document, admitted=START.date() - timedelta(days=90))
    opening = OpeningBalance(f"OLD/{document}", START.date(), Decimal(9), Decimal("6.5"), before)
    return [
        ("rows", Rows(str(uuid4()), kind, 1, 1, (msgspec.Raw(canonical(row)),)))
        for kind, row in (("admission-line", line), ("opening-balance", opening))
    ]


def factors(part: int) -> list[Any]:
    """What the products are to customs, told after some of their goods have moved."""
    since = START.date() + timedelta(days=part % 3 - 1)
    rows_ = [
        CustomsProduct(gtin, owner, "8205", "TW", "EA", "KG", Decimal(part) / 8, "goods", since)
        for gtin, owner in zip(GTINS, (OWNER, OTHER), strict=True)
    ]
    parts = tuple(msgspec.Raw(canonical(row)) for row in rows_)
    return [("rows", Rows(str(uuid4()), "customs-product", 1, 1, parts))]


def ordered(order: str, at: datetime) -> list[Any]:
    """Goods go to a work order, some come back, the rest becomes others."""

    def tools(quantity: int) -> Issue:
        return Issue(GTINS[0], Status.NPF, Decimal(quantity), "EA")

    made = Made(order, GTINS[1], Status.NPF, Decimal(5), "EA")
    scrap = Scrapped(
        GTINS[0], Decimal(1), Made(f"{order}-S", GTINS[0], Status.NPF, Decimal(1), "EA"), Decimal(1)
    )
    return [
        ("order", OrderEvent(order, "started", OWNER, at.date(), at, "anna", issues=(tools(14),))),
        (
            "order",
            OrderEvent(
                order, "reported", OWNER, at.date(), at + timedelta(hours=1), "anna", issues=(tools(2),),
                returned=(tools(3),), made=(made,), scrap=(scrap,),
            ),
        ),
    ]  # fmt: skip


async def act(center: Central, drafts: list[Any], of: str = "pick-up") -> list[str]:
    """Commit them; the ids of the pick-ups among them, or of others."""
    written = await center.people.act(lambda _: drafts)
    return [one.entry_id for one in written if one.type == of]


def never_admitted(entry_id: str, body: Admitted, minute: float) -> tuple[str, AdmissionUndone]:
    """An admission is undone, whatever has become of its goods: docks report late."""
    undone = AdmissionUndone(
        entry_id, body.happened, body.document, body.line, body.owner, body.product, body.status, body.unit,
        body.quantity, START + timedelta(minutes=minute), "anna", "mistaken", body.from_owner,
        body.from_product,
    )  # fmt: skip
    return "admission-undone", undone


def admitted(deposits: list[tuple[str, str]], minute: float) -> list[Any]:
    """Deposits, some of which were corrected or are not told yet, are admitted; one of them in part."""
    at = START + timedelta(minutes=minute)
    parts = [Deposited(GTINS[0], f"SUSPENSE-{entry}", Decimal(quantity)) for entry, quantity in deposits]
    parts = [replace(parts[0], quantity=Decimal("0.25")), *parts[1:]] if parts else []
    body = Admitted(
        "214-4",
        "1",
        OWNER,
        GTINS[0],
        Status.NPF,
        "EA",
        at,
        "anna",
        "papers came",
        OWNER,
        GTINS[0],
        tuple(parts),
    )
    return [("admitted", body)] if parts else []


async def live(center: Central, seed: int) -> Zone:
    """A history that is told in bits, folded now and then, with a cut in the middle."""
    random = Random(seed)
    zone = await Zone.open(center)
    picked: list[str] = []
    mistaken: list[Any] = []
    for part in range(6):
        history(zone, random, 25)
        if part in (1, 4):
            picked += await act(center, acts(200.0 * part))
        if part in (2, 4):
            await act(center, factors(part))
        if part in (2, 5):
            undone = PickUpUndone(picked[0], "DD-1", START + timedelta(minutes=900), "anna", "not fetched")
            papers = admitted(zone.deposits[part % 3 :: 3], 200.0 * part)
            ids = await act(center, papers, "admitted")
            mistaken += [never_admitted(entry_id, papers[0][1], 200.0 * part + 150) for entry_id in ids]
            await act(center, [("pick-up-undone", undone)] if part == 5 else [])
        if part == 5:
            # The first of them is in the cut by then, or behind it; the second is never booked in between.
            await act(center, mistaken)
        await zone.tell(*random.sample((0, 1), k=random.choice((1, 2))), fold=random.random() < 0.6)
        if part == 3:
            await center.cuts.pin(Pin("W23", START + timedelta(minutes=random.randint(60, 500)), "anna"))
    await zone.tell()
    return zone


async def postings(center: Central) -> list[Posting]:
    async with center.database.session() as connection:
        found = await connection.fetch(
            "SELECT q.owner, q.product, q.status, q.place, p.* FROM posting p JOIN ledger_queue q "
            "ON q.queue = p.queue ORDER BY known_place, known_seq, fact, n, ordinal"
        )
    return [
        Posting(
            queue_of(row),
            row["lot"],
            row["account_from"],
            row["account_to"],
            Pair(row["quantity"], row["customs"]),
            Ref(row["fact"], row["n"]),
            row["booked"],
            row["happened"],
            Known(row["known_place"], row["known_seq"]),
        )
        for row in found
    ]


async def drawn(center: Central) -> dict[tuple[str, int], set[tuple[str, int, str, Decimal, Decimal]]]:
    """What each fact takes, as the database has it."""
    async with center.database.session() as connection:
        found = await connection.fetch("SELECT * FROM ledger_taken")
    takes: dict[Any, Any] = {}
    for row in found:
        take = (row["layer"], row["layer_n"], row["lot"], row["quantity"], row["customs"])
        takes.setdefault((row["fact"], row["n"]), set()).add(take)
    return takes


async def drawn_at_once(center: Central) -> dict[Any, Any]:
    """The same by the facts alone, all of them known together, in memory."""
    async with center.database.session() as connection:
        found = await connection.fetch(
            "SELECT q.owner, q.product, q.status, q.place, o.owner AS o_owner, o.product AS o_product, "
            "o.status AS o_status, o.place AS o_place, f.* FROM ledger_fact f "
            "JOIN ledger_queue q ON q.queue = f.queue LEFT JOIN ledger_queue o ON o.queue = f.onward "
            "WHERE position('>' in f.fact) = 0"
        )
        every = await connection.fetch("SELECT fact, n FROM ledger_fact WHERE leaves")
    book = Book()
    book.take(Known(1, 1), [fact_of(row, queue_of(row)) for row in found])
    takes = {}
    for row in every:
        ref = Ref(row["fact"], row["n"])
        assert book.knows(ref)
        takes[row["fact"], row["n"]] = {
            (take.layer.entry_id, take.layer.n, take.lot, take.pair.commercial, take.pair.customs)
            for take in book.takes(ref)
        }
    return takes


@pytest.mark.parametrize("seed", SEEDS)
async def test_any_batches_and_a_rebuild_give_the_same_rows(
    center: Central, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live(center, seed)
    grown = await rows(center)
    assert len(grown["posting"]) > 100
    for what in (",+,0,", "in-transit:DD-1", ",stock,restatus,", ",restatus,stock,"):
        assert any(what in row for row in grown["ledger_taken"] + grown["posting"]), what
    for own, seen, front in PAGES:
        monkeypatch.setattr("central.ledger_shelves.FRONT", front)
        monkeypatch.setattr("central.projector.REBUILD_PAGES", (own, seen))
        await center.projector.rebuild()
        again = await rows(center)
        changed = {table: set(again[table]) ^ set(grown[table]) for table in BOOKS}
        assert {table: found for table, found in changed.items() if found} == {}, (own, seen, front)
    assert (await center.cuts.verify("W23")).equal


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_is_drawn_follows_from_the_facts_alone(center: Central, seed: int) -> None:
    await live(center, seed)
    takes = await drawn(center)
    assert await drawn_at_once(center) == takes
    assert any(layer == "" for found in takes.values() for layer, *_ in found), "nothing was overdrawn"
    # The control: one take of another layer would be seen.
    async with center.database.session() as connection:
        await connection.execute(
            "UPDATE ledger_taken SET lot = 'other' WHERE fact = (SELECT fact FROM ledger_taken LIMIT 1)"
        )
    assert await drawn_at_once(center) != await drawn(center)


@pytest.mark.parametrize("seed", SEEDS)
async def test_goods_are_conserved_and_nothing_in_the_zone_is_below_zero(center: Central, seed: int) -> None:
    await live(center, seed)
    every = await postings(center)
    assert faults(balances(every)) == []
    moments = sorted({posting.booked for posting in every})
    for at in moments[:: max(1, len(moments) // 20)]:
        assert faults(balances(every, at)) == [], at
    # The sums by day, and what is left of each layer, say the same as all postings.
    async with center.database.session() as connection:
        days = await connection.fetch(
            "SELECT lot, account, sum(quantity) AS quantity FROM ledger_day GROUP BY lot, account"
        )
        left = await connection.fetch(
            "SELECT l.lot, q.place AS account, sum(l.quantity_left) AS quantity FROM ledger_layer l "
            "JOIN ledger_queue q ON q.queue = l.queue GROUP BY l.lot, q.place"
        )
    sums: dict[tuple[str, str], Decimal] = {}
    for account, pair in balances(every).items():
        key = (account.lot, account.account)
        sums[key] = sums.get(key, Decimal(0)) + pair.commercial
    assert {(row["lot"], row["account"]): row["quantity"] for row in days if row["quantity"]} == {
        key: quantity for key, quantity in sums.items() if quantity
    }
    for row in left:
        assert row["quantity"] == sums.get((row["lot"], row["account"]), 0), row


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_balance_at_any_two_times_is_the_sum_of_its_postings(center: Central, seed: int) -> None:
    await live(center, seed)
    every = await postings(center)
    ledger, random = Ledger(center.database, "example", "zone-999"), Random(seed)
    async with center.database.session() as connection:
        knowns = await connection.fetch("SELECT place, seq, at FROM ledger_known ORDER BY place, seq")
    for _ in range(12):
        as_of = random.choice(every).booked + random.choice((timedelta(0), timedelta(microseconds=-1)))
        at = random.choice(knowns)["at"]
        known = [one for one in knowns if one["at"] <= at][-1]
        sums = balances(every, as_of, Known(known["place"], known["seq"]))
        expected: dict[Any, Decimal] = {}
        for account, pair in sums.items():
            key = (account.owner, account.product, account.status, account.account)
            expected[key] = expected.get(key, Decimal(0)) + pair.commercial
        found, after = {}, None
        while True:
            page = await ledger.goods(after, as_of, at)
            for row in page.items:
                for account, amount in row["accounts"].items():
                    found[row["owner"], row["product"], row["status"], account] = amount.quantity
            after = page.next
            if after is None:
                break
        assert {key: each for key, each in found.items() if each} == {
            key: each for key, each in expected.items() if each
        }
        lots = {
            (row["owner"], row["product"], row["status"], row["lot"], account): amount.quantity
            for row in (await ledger.lots(None, as_of, at)).items
            for account, amount in row["accounts"].items()
        }
        assert lots.items() <= {tuple(account): pair.commercial for account, pair in sums.items()}.items()
        held = {account.lot for account, pair in sums.items() if account.account == "stock" and pair}
        assert held <= {key[3] for key in lots}


async def test_the_order_in_which_docks_report_changes_no_attribution(
    open_center: Opener, postgres_server: OwnPostgres
) -> None:
    first = await Zone.open(await open_center("one"))
    other = await postgres_server.create_database("ledger_other")
    try:
        second = await Zone.open(await open_center("two", other))
        history(first, Random(5), 120)
        for dock, told in zip(second.docks, first.docks, strict=True):
            assert len(dock.records) == 1, "a dock has told more than that it began"
            dock.epoch, dock.signer = told.epoch, told.signer
            dock.records, dock.hashes, dock.ids = told.records[:], told.hashes[:], told.ids[:]
            dock.have, dock.code = 0, await second.center.enrol(dock.node)
        await first.tell(0, 1)
        for upto in (40, 90, None):  # in bits, and the other dock first
            for dock in reversed(second.docks):
                await dock.talk(second.center, dock.ask(dock.part(upto=upto)))
                dock.code = None
            await second.center.projector.catch_up()
        there, here = await drawn(second.center), await drawn(first.center)
        assert len(here) > 30
        assert there == here
        late = [posting for posting in await postings(second.center) if posting.pair.commercial < 0]
        assert late, "nothing was drawn anew: the order was the same"
        assert balances(await postings(second.center)) == balances(await postings(first.center))
    finally:
        await second.center.close()
        await postgres_server.drop_database("ledger_other")
