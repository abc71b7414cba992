# SPDX-License-Identifier: Apache-2.0
"""Keeps where loads stand in the database: the lines of the loads that a page of entries touches, each as far
as its facts can concern it, and what settling them posts.

Reads at the start, writes at the end, decides nothing: the rules are `customs.ledger.locations`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from central.queries import query
from customs.documents import Status
from customs.known import Known
from customs.ledger.balances import plain
from customs.ledger.facts import Key, Ref
from customs.ledger.locations import (
    CAME,
    PUT,
    Came,
    Fact,
    Goods,
    Left,
    Line,
    Moved,
    Put,
    Shift,
    Shifts,
    Stands,
    Unstood,
    lacks,
)
from customs.ledger.quantities import EXACT
from customs.zone import Location

if TYPE_CHECKING:
    import asyncpg

    from central.database import Connection

_POSTING: Final = (
    "load", "happened", "known_place", "known_seq", "ordinal", "turn", "fact", "n", "owner", "product",
    "status", "lot", "place_from", "place_to", "said", "quantity",
)  # fmt: skip

_NOW: Final = ("load", "ordinal", "owner", "product", "status", "lot", "place", "quantity")

_ZERO: Final = Decimal(0)

Write = Callable[[str, Sequence[tuple[Any, ...]]], Awaitable[None]]
Copy = Callable[[str, Sequence[str], Sequence[tuple[Any, ...]]], Awaitable[None]]


class LocationFold:
    """Where loads stand, through one page of entries, within one transaction."""

    def __init__(self, connection: Connection, tenant: str, zone: str) -> None:
        self._connection = connection
        self._who = (tenant, zone)
        self._lines: dict[str, Line] = {}
        self._before: dict[str, Stands] = {}
        self._movements: dict[str, tuple[str, datetime]] = {}
        """Load and instant of movements that may be corrected: the page's, and earlier ones looked up."""
        self._puts: dict[Ref, tuple[Put, Known]] = {}
        self._dropped: list[tuple[Any, ...]] = []
        """Put-aways that never were; and other facts that were none, which nothing is found of there."""
        self._places: dict[str, Location] = {}
        self._postings: list[tuple[Any, ...]] = []

    async def open(self, facts: Iterable[Fact], corrected: Iterable[str], unstood: Iterable[Unstood]) -> None:
        """Read of the loads that facts concern what happened from the first of them on: of those that are
        told, of crossings that are `corrected`, and of those that never were.
        """
        firsts: dict[str, datetime] = {}
        for fact in facts:
            firsts[fact.load] = min(firsts.get(fact.load, fact.key.happened), fact.key.happened)
            self._movements[fact.key.entry_id] = fact.load, fact.key.happened
        for gone in unstood:
            firsts[gone.load] = min(firsts.get(gone.load, gone.happened), gone.happened)
        earlier = sorted(entry for entry in corrected if entry not in self._movements)
        if earlier:
            rows = await self._connection.fetch(query("location_corrected"), *self._who, earlier)
            for row in rows:
                self._movements[row["entry_id"]] = load, at = row["key"], row["occurred_at"]
                firsts[load] = min(firsts.get(load, at), at)
        if firsts:
            await self._read(firsts)

    def settle(
        self, facts: Sequence[Fact], corrected: Iterable[str], unstood: Iterable[Unstood], known: Known
    ) -> bool:
        """Settle what became known with one own entry; whether it posts anything."""
        arrived: dict[str, list[Fact]] = defaultdict(list)
        withdrawn: dict[str, list[Ref]] = defaultdict(list)
        for fact in facts:
            arrived[fact.load].append(fact)
            if isinstance(fact, Put):
                self._puts[fact.key.ref] = fact, known
        for movement in corrected:
            if movement in self._movements:
                withdrawn[self._movements[movement][0]].append(Ref(movement))
        for gone in unstood:
            withdrawn[gone.load].append(gone.ref)
            self._dropped.append((gone.load, gone.happened, gone.ref.entry_id, gone.ref.n))
        first = len(self._postings)
        for load in sorted(arrived.keys() | withdrawn.keys()):
            posted = self._lines[load].settle(arrived[load], withdrawn[load], known)
            self._post(posted)
            for ref in withdrawn[load]:
                self._lines[load].found.pop(ref, None)
        return len(self._postings) > first

    def declare(self, locations: Iterable[Location]) -> None:
        """Locations that were declared, the latest last."""
        self._places.update((location.name, location) for location in locations)

    async def write(self, copy: Copy, all_at_once: Write) -> None:
        """What changed."""
        await copy("location_posting", _POSTING, self._postings)
        gone, now = [], []
        for load, line in self._lines.items():
            if line.stands == self._before[load]:
                continue
            if self._before[load]:
                gone.append((load,))
            now += [
                (load, ordinal, *_goods_row(goods), place, _same(quantity))
                for ordinal, ((goods, place), quantity) in enumerate(sorted(line.stands.items()))
            ]
        await all_at_once("location_gone", gone)
        await copy("location_now", _NOW, now)
        await all_at_once("location_never_put", self._dropped)
        await all_at_once("location_put_away", self._put_rows())
        places = [(place.name, place.description) for place in self._places.values()]
        await all_at_once("location_declare", places)

    def _put_rows(self) -> list[tuple[Any, ...]]:
        rows = []
        for line in self._lines.values():
            for ref, found in line.found.items():
                put, known = self._puts[ref]
                key = put.key
                rows.append(
                    (
                        put.load, key.happened, key.entry_id, key.n, known.order, known.seq, put.to,
                        put.source, put.quantity, _same(found), lacks(put, found),
                    )
                )  # fmt: skip
        return rows

    def _post(self, posted: Sequence[Moved]) -> None:
        for ordinal, one in enumerate(posted):
            key, shift = one.fact, one.shift
            self._postings.append(
                (
                    one.load, key.happened, one.known.order, one.known.seq, ordinal, key.turn, key.entry_id,
                    key.n, *_goods_row(shift.goods), shift.source, shift.to, one.said, _same(one.quantity),
                )
            )  # fmt: skip

    async def _read(self, firsts: dict[str, datetime]) -> None:
        fetch = self._connection.fetch
        stands: dict[str, Stands] = defaultdict(dict)
        for row in await fetch(query("location_of_loads"), *self._who, list(firsts)):
            stands[row["load"]][_goods_of(row), row["place"]] = row["quantity"]
        later: dict[str, dict[Key, tuple[Fact, Shifts]]] = defaultdict(dict)
        since = (list(firsts), min(firsts.values()))
        for row in await fetch(query("location_puts_from"), *self._who, *since):
            if row["happened"] >= firsts[row["load"]]:
                key = Key(row["happened"], PUT, row["happened"], row["fact"], row["n"])
                put = Put(key, row["load"], row["place_to"], row["quantity"], row["place_from"])
                self._puts[key.ref] = put, Known(row["known_place"], row["known_seq"])
                later[put.load][key] = put, {}
        moved: dict[tuple[str, Key], tuple[str | None, Shifts]] = {}
        for row in await fetch(query("location_moves_from"), *self._who, *since):
            if row["happened"] >= firsts[row["load"]]:
                key = Key(row["happened"], row["turn"], row["happened"], row["fact"], row["n"])
                _, shifts = moved.setdefault((row["load"], key), (row["said"], {}))
                shift = Shift(_goods_of(row), row["place_from"], row["place_to"])
                shifts[shift] = EXACT.add(shifts.get(shift, _ZERO), row["quantity"])
        for (load, key), (said, sums) in moved.items():
            shifts = {shift: quantity for shift, quantity in sums.items() if quantity}
            if key.turn == PUT:
                if key in later[load]:  # what never was has no row
                    later[load][key] = later[load][key][0], shifts
            elif shifts:  # what a correction undid has none
                later[load][key] = _fact_of(load, key, said, shifts), shifts
        for load in firsts:
            self._before[load] = stands[load]
            self._lines[load] = Line(load, stands[load], later[load].values())


def _fact_of(load: str, key: Key, said: str | None, shifts: Shifts) -> Came | Left:
    """Goods that came or left, of what they have moved."""
    if key.turn == CAME:
        ((shift, quantity),) = shifts.items()
        return Came(key, load, shift.goods, quantity, said)
    goods = next(iter(shifts)).goods
    total = _ZERO
    for quantity in shifts.values():
        total = EXACT.add(total, quantity)
    return Left(key, load, goods.owner, goods.product, goods.status, total, said)


def _same(quantity: Decimal) -> Decimal:
    """Without zeros at its end, which sums add: the same facts are the same bytes."""
    return Decimal(plain(quantity))


def _goods_of(row: asyncpg.Record) -> Goods:
    return Goods(row["owner"], row["product"], Status(row["status"]), row["lot"])


def _goods_row(goods: Goods) -> tuple[str, str, str, str]:
    return goods.owner, goods.product, goods.status.value, goods.lot
