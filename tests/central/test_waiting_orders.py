# SPDX-License-Identifier: Apache-2.0
"""Deposits and their admission, pick-ups and arrivals: whoever tells first, the books are the same. Planted
bugs in either are noticed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from central import ledger_facts, projections
from central.admitting import FetchGoods, PickedUp
from central.service import Central
from customs.documents import Status
from customs.ledger.balances import balances, faults
from sync.ledger_bodies import Admitted, Deposited, Fetched, PickUp
from tests.central.conftest import Opener
from tests.central.ledger_zone import GTINS, OWNER, START, Zone
from tests.central.test_admitting import admit, deposit
from tests.central.test_floor import key
from tests.central.test_ledger_books import postings
from zonegate.children import OwnPostgres

D = Decimal
NPF = Status.NPF


def at(minute: float) -> Any:
    return START + timedelta(minutes=minute)


def happen(zone: Zone, random: Random) -> list[Any]:
    """Two docks' news of some days; what people say of them at the center."""
    acts: list[Any] = []
    deposits: list[tuple[str, Decimal]] = []
    moved: list[tuple[str, int]] = []
    for number in range(60):
        minute = 20.0 * number + random.randint(-90, 90)
        dock, quantity = random.randrange(2), random.choice(("1", "7", "12.5", "40"))
        match random.choice(("deposit", "arrive", "arrive", "fetch", "admit", "leave", "undo")):
            case "deposit":
                entry = deposit(zone, minute, quantity, str(number + 1), dock=dock)
                deposits.append((entry, D(quantity)))
                moved.append((entry, dock))
            case "arrive":
                moved.append((zone.move(minute, quantity, "DD-1", dock=dock, load=str(number + 1)), dock))
            case "fetch":
                goods = (Fetched("1", GTINS[0], NPF, D(quantity), "EA"),)
                acts.append(("pick-up", PickUp("DD-1", OWNER, goods, "PD 7", at(minute), "anna", "fetched")))
            case "admit" if deposits:
                entry, whole = deposits.pop(random.randrange(len(deposits)))
                parts = (Deposited(GTINS[0], f"SUSPENSE-{entry}", random.choice((whole, whole / 2))),)
                body = Admitted(
                    "214-1",
                    "1",
                    OWNER,
                    GTINS[0],
                    NPF,
                    "EA",
                    at(minute),
                    "anna",
                    "came",
                    OWNER,
                    GTINS[0],
                    parts,
                )
                acts.append(("admitted", body))
            case "leave":
                zone.move(minute, quantity, "06", dock=dock, out=True, load=str(number + 1))
            case "undo" if moved:
                entry, told = moved.pop(random.randrange(len(moved)))
                zone.correct(entry, minute, dock=told)
    return acts


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 9))])
async def test_whoever_tells_first_the_books_are_the_same(
    open_center: Opener, postgres_server: OwnPostgres, seed: int
) -> None:
    first = await Zone.open(await open_center("one"))
    other = await postgres_server.create_database("ledger_other")
    try:
        second = await Zone.open(await open_center("two", other))
        acts = happen(first, Random(seed))
        for dock, told in zip(second.docks, first.docks, strict=True):
            dock.epoch, dock.signer = told.epoch, told.signer
            dock.records, dock.hashes, dock.ids = told.records[:], told.hashes[:], told.ids[:]
            dock.have, dock.code = 0, await second.center.enrol(dock.node)
        await first.center.people.act(lambda _: acts)
        await first.tell(0, 1)
        for upto in (10, 30, None):
            for dock in reversed(second.docks):
                await dock.talk(second.center, dock.ask(dock.part(upto=upto)))
                dock.code = None
            await second.center.projector.catch_up()
        while acts:
            await second.center.people.act(lambda _: [acts[-1]])
            await second.center.projector.catch_up()
            acts.pop()
        here, there = await postings(first.center), await postings(second.center)
        sums = balances(here)
        assert not faults(sums)
        assert {one.source for one in here} >= {"in-transit:DD-1", "arrived", "restatus", "overdrawn"}
        for as_of in (None, at(200), at(600), at(1000)):
            assert balances(here, as_of) == balances(there, as_of)
    finally:
        await second.center.close()
        await postgres_server.drop_database("ledger_other")


async def is_sound(center: Central) -> bool:
    """Of two deposits the named one is admitted, its line is used, and goods that were fetched arrive."""
    zone = await Zone.open(center, docks=1)
    older, _ = deposit(zone, 10, "60", "1"), deposit(zone, 11, "60", "2")
    await zone.tell()
    await center.admitting.admit(admit(key(2), happened=at(20)))
    await center.admitting.pick_up(
        FetchGoods("DD-1", (PickedUp("1", D(8)),), "PD 7", True, True, "fetched", "anna", happened=at(30))
    )
    zone.move(40, "8", "DD-1", load="3")
    await zone.tell()
    lots = {row["lot"]: row["accounts"] for row in (await center.ledger.lots()).items}
    held = {lot: {name: one.quantity for name, one in found.items()} for lot, found in lots.items()}
    async with center.database.session() as connection:
        used = await connection.fetchval("SELECT used FROM permit_line WHERE permit = '214-1'")
    return used == 60 and held == {
        f"SUSPENSE-{older}": {"abroad": -60, "stock": 60},
        "214-1/1": {"restatus": -60, "stock": 60},
        "DD-1/1": {"abroad": -8, "stock": 8},
    }


def by_day(document: str | None, line: str | None, status: Status, *_: Any) -> str:
    return f"{document}/{line}" if document else f"{status.value}-20260601"


def unused(source: projections.Source, body: Any, batch: projections.Batch) -> None:
    projections._admitted(source, body, batch)
    del batch.rows["add_used"]


@pytest.mark.parametrize(
    ("where", "name", "planted"),
    [
        (ledger_facts, "lot_of", by_day),
        (ledger_facts, "DIRECT", "no such kind"),
        (projections, "_PROJECT", {**projections._PROJECT, "admitted": unused}),
    ],
)
async def test_a_planted_bug_is_noticed(
    center: Central, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, planted: Callable[..., Any]
) -> None:
    monkeypatch.setattr(where, name, planted)
    assert not await is_sound(center)


async def test_without_one_they_are_as_they_should_be(center: Central) -> None:
    assert await is_sound(center)
