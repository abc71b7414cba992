# SPDX-License-Identifier: Apache-2.0
"""The queues of the ledger that a page of entries touches, in memory while it is folded: as much of each as
its facts can concern, never the whole.

Reads what is missing when it is asked for, and says at the end what has changed. Decides nothing.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from msgspec.structs import astuple

from central.queries import query
from customs.documents import Status
from customs.known import Known
from customs.ledger.attribution import Layer, News, Settled, Tail, place, settle, wanted
from customs.ledger.facts import LAYERLESS, In, Key, Out, Queue, Ref, Take
from customs.ledger.quantities import EXACT, Pair

if TYPE_CHECKING:
    import asyncpg

    from central.database import Connection

FRONT: Final = 32
"""Open layers of a queue that are read at first; twice as many each time that they do not suffice."""

_ZERO: Final = Decimal(0)
_ENOUGH: Final = Decimal("Infinity")
_FIRST: Final = Key(datetime.min.replace(tzinfo=UTC), 0, datetime.min.replace(tzinfo=UTC), "")
_LAST: Final = Key(datetime.max.replace(tzinfo=UTC), 9, datetime.max.replace(tzinfo=UTC), "~")


@dataclass(slots=True)
class Front:
    """How far open layers are in memory, from the front of the line: up to `after`, or all of them."""

    after: tuple[Key, Key] | None = None
    whole: bool = False
    limit: int = field(default_factory=lambda: FRONT)


@dataclass(slots=True)
class Shelf:
    """One queue. `number` is None until the database has it or it is first settled."""

    queue: Queue
    number: int | None
    stored: bool
    """Whether the database has something of it."""
    since: Key | None = None
    """The first key from which on its facts are in memory; None when none of the database's are."""
    facts: list[In | Out] = field(default_factory=list)
    layers: dict[Ref, Layer] = field(default_factory=dict)
    takes: dict[Ref, tuple[Take, ...]] = field(default_factory=dict)
    front: Front = field(default_factory=Front)
    of_lots: dict[str, Front] = field(default_factory=lambda: defaultdict(Front))
    """The same of single lots that facts name."""
    kept: set[Ref] = field(default_factory=set)
    """Facts in memory as the database has them."""
    came: dict[Ref, tuple[In | Out, Known]] = field(default_factory=dict)
    """Facts to be written, and when they became known."""
    dropped: set[Ref] = field(default_factory=set)
    """Facts of the database that are no more."""
    moved: set[Ref] = field(default_factory=set)
    """Layers to be written."""
    drawn: set[Ref] = field(default_factory=set)
    """Facts whose takes are to be written."""

    def settle(self, news: News, known: Known) -> Settled:
        """Settle facts into what is in memory, which must suffice, and keep what comes of it."""
        settled = settle(self.tail(news), news, known)
        self._withdraw(news.withdrawn)
        for fact in news.arrived:
            insort(self.facts, fact, key=_key)
            self.came[fact.key.ref] = (fact, known)
        self.layers.update(settled.layers)
        self.moved.update(settled.layers)
        for ref, takes in settled.takes.items():
            self.drawn.add(ref)
            if takes:
                self.takes[ref] = takes
        return settled

    def tail(self, news: News) -> Tail:
        """What is in memory of this queue and facts can concern."""
        at = bisect_left(self.facts, self.first(news), key=_key)
        later = self.facts[at:]
        takes = {ref: found for fact in later if (found := self.takes.get(ref := fact.key.ref))}
        drawn = {take.layer for found in takes.values() for take in found}
        layers = [layer for ref, layer in self.layers.items() if layer.left or ref in drawn]
        return Tail(self.queue, layers, later, takes)

    def first(self, news: News) -> Key:
        """The first key that facts concern; withdrawn ones must be in memory."""
        keys = [fact.key for fact in news.arrived]
        if news.withdrawn:
            gone = set(news.withdrawn)
            keys += [fact.key for fact in self.facts if fact.key.ref in gone]
        return min(keys)

    def lacks(self, news: News) -> list[str | None]:
        """Of which lots more open layers are needed than are in memory, None being all of them: facts take of
        the front of the line, or of a lot that they name.
        """
        if not self.stored or self.front.whole:
            return []
        tail, first = self.tail(news), self.first(news)
        rest = wanted(tail, news)
        named = {fact.lot for fact in (*news.arrived, *tail.later) if isinstance(fact, Out) and fact.lot}
        return [lot for lot in (None, *sorted(named)) if self._holds(lot, first) < rest]

    def front_of(self, lot: str | None) -> Front:
        """How far the open layers of a lot are in memory, or of all."""
        return self.front if lot is None else self.of_lots[lot]

    def _holds(self, lot: str | None, first: Key) -> Decimal:
        """What is left in memory, in line, of layers that were there before `first`; all there is counts as
        enough for anything.
        """
        front = self.front_of(lot)
        if front.whole:
            return _ENOUGH
        left = _ZERO
        for layer in self.layers.values():
            if (
                front.after is not None
                and (lot is None or layer.lot == lot)
                and layer.key < first
                and place(layer) <= front.after
            ):
                left = EXACT.add(left, layer.left.commercial)
        return left

    def hold(self, layer: Layer) -> None:
        """Keep a layer as the database has it, unless memory knows it better."""
        ref = layer.key.ref
        if ref not in self.dropped:
            self.layers.setdefault(ref, layer)

    def _withdraw(self, withdrawn: Sequence[Ref]) -> None:
        gone = set(withdrawn)
        if not gone:
            return
        self.facts = [fact for fact in self.facts if fact.key.ref not in gone]
        for ref in gone:
            self.layers.pop(ref, None)
            self.takes.pop(ref, None)
            self.came.pop(ref, None)
            self.moved.discard(ref)
            if ref in self.kept:
                self.kept.discard(ref)
                self.dropped.add(ref)


class Shelves:
    """All queues that one page of entries touches, in one transaction."""

    def __init__(self, connection: Connection, tenant: str, zone: str) -> None:
        self._connection = connection
        self._who = (tenant, zone)
        self._shelves: dict[Queue, Shelf] = {}
        self._last: int | None = None

    def all(self) -> list[Shelf]:
        """Every queue that was asked for."""
        return list(self._shelves.values())

    async def open(self, firsts: Mapping[Queue, Key]) -> None:
        """Read of some queues what facts from these keys on are likely to concern, all at once."""
        new = [queue for queue in firsts if queue not in self._shelves]
        if not new:
            return
        columns = zip(*((q.owner, q.product, q.status.value, q.place) for q in new), strict=True)
        rows = await self._connection.fetch(query("ledger_queues"), *self._who, *columns)
        numbers = {queue_of(row): row["queue"] for row in rows}
        for queue in new:
            self._shelves[queue] = Shelf(queue, numbers.get(queue), queue in numbers)
        stored = [self._shelves[queue] for queue in new if queue in numbers]
        await self._read_facts([(shelf, firsts[shelf.queue]) for shelf in stored])
        await self._read_front(stored)

    async def first(self, queue: Queue, news: News) -> Key:
        """The first key of a queue that facts concern; from there on it is in memory then."""
        if queue not in self._shelves:
            await self.open({queue: min((fact.key for fact in news.arrived), default=_LAST)})
        shelf = self._shelves[queue]
        if shelf.stored:
            await self._reach_back(shelf, news)
        return shelf.first(news)

    async def get(self, queue: Queue, news: News) -> Shelf:
        """A queue with all in memory that these facts concern; `first` was asked before."""
        shelf = self._shelves[queue]
        if shelf.number is None:
            shelf.number = await self._number()
        while lots := shelf.lacks(news):
            for lot in lots:
                await self._read_front([shelf], lot)
        return shelf

    async def takes(self, fact: In | Out) -> Sequence[Take]:
        """What a fact takes as the books draw it now."""
        shelf = self._shelves.get(fact.queue)
        ref = fact.key.ref
        if shelf is not None and (ref in shelf.kept or ref in shelf.came):
            return shelf.takes.get(ref, ())
        of = zip(*refs_of([ref]), strict=True)
        rows = await self._connection.fetch(query("ledger_takes_of"), *self._who, *of)
        return [take_of(row) for row in rows]

    async def number(self, queue: Queue) -> int:
        """The number of a queue, given to it when it is first needed."""
        if queue not in self._shelves:
            await self.open({queue: _LAST})
        shelf = self._shelves[queue]
        if shelf.number is None:
            shelf.number = await self._number()
        return shelf.number

    async def _number(self) -> int:
        if self._last is None:
            self._last = await self._connection.fetchval(query("ledger_last_queue"), *self._who)
        assert self._last is not None
        self._last += 1
        return self._last

    async def _reach_back(self, shelf: Shelf, news: News) -> None:
        keys = [fact.key for fact in news.arrived]
        unseen = [ref for ref in news.withdrawn if ref not in shelf.kept and ref not in shelf.came]
        if unseen:
            rows = await self._connection.fetch(
                query("ledger_keys_of"), *self._who, shelf.number, *zip(*refs_of(unseen), strict=True)
            )
            keys += [Key(row["booked"], row["turn"], row["happened"], row["fact"], row["n"]) for row in rows]
        if keys and (shelf.since is None or min(keys) < shelf.since):
            await self._read_facts([(shelf, min(keys))])

    async def _read_facts(self, wanted_: Sequence[tuple[Shelf, Key]]) -> None:
        """Facts of queues from keys on, what they take, and the layers that they brought or took of."""
        if not wanted_:
            return
        keys = [(s.number, k.booked, k.turn, k.happened, k.entry_id, k.n) for s, k in wanted_]
        rows = await self._connection.fetch(query("ledger_later"), *self._who, *zip(*keys, strict=True))
        shelves = {shelf.number: shelf for shelf, _ in wanted_}
        for shelf, first in wanted_:
            shelf.since = first
        holders: dict[Ref, Shelf] = {}
        for row in rows:
            shelf = shelves[row["queue"]]
            fact = fact_of(row, shelf.queue)
            ref = fact.key.ref
            if ref in shelf.kept or ref in shelf.came or ref in shelf.dropped:
                continue
            shelf.facts.append(fact)
            shelf.kept.add(ref)
            holders[ref] = shelf
        if not holders:
            return
        for shelf, _ in wanted_:
            shelf.facts.sort(key=_key)
        await self._read_takes(holders)

    async def _read_takes(self, holders: Mapping[Ref, Shelf]) -> None:
        of = tuple(zip(*refs_of(holders), strict=True))
        rows = await self._connection.fetch(query("ledger_takes_of"), *self._who, *of)
        layers = dict(holders)
        found: dict[Ref, list[Take]] = defaultdict(list)
        for row in rows:
            take = take_of(row)
            found[take.out].append(take)
            if take.layer not in LAYERLESS:
                layers[take.layer] = holders[take.out]
        for ref, takes in found.items():
            holders[ref].takes[ref] = tuple(takes)
        of = tuple(zip(*refs_of(layers), strict=True))
        for row in await self._connection.fetch(query("ledger_layers_of"), *self._who, *of):
            layer = layer_of(row)
            layers[layer.key.ref].hold(layer)

    async def _read_front(self, shelves: Sequence[Shelf], lot: str | None = None) -> None:
        """The next open layers in line, each time twice as many."""
        if not shelves:
            return
        fronts = {shelf.number: shelf.front_of(lot) for shelf in shelves}
        places = [
            (number, *(part for key in front.after or (_FIRST, _FIRST) for part in astuple(key)))
            for number, front in fronts.items()
        ]
        limit = max(front.limit for front in fronts.values())
        name, of_lot = ("ledger_front", ()) if lot is None else ("ledger_front_of_lot", (lot,))
        rows = await self._connection.fetch(
            query(name), *self._who, *zip(*places, strict=True), limit, *of_lot
        )
        counts: dict[int, int] = defaultdict(int)
        by_number = {shelf.number: shelf for shelf in shelves}
        for row in rows:
            layer, front = layer_of(row), fronts[row["queue"]]
            by_number[row["queue"]].hold(layer)
            counts[row["queue"]] += 1
            front.after = max(front.after or place(layer), place(layer))
        for number, front in fronts.items():
            assert number is not None
            front.whole = counts[number] < limit
            front.limit = 2 * limit


def refs_of(refs: Iterable[Ref]) -> list[tuple[str, int]]:
    """Facts by name, for a query."""
    return [(ref.entry_id, ref.n) for ref in refs]


def queue_of(row: asyncpg.Record, prefix: str = "") -> Queue:
    """A queue from its columns."""
    status = Status(row[f"{prefix}status"])
    return Queue(row[f"{prefix}owner"], row[f"{prefix}product"], status, row[f"{prefix}place"])


def fact_of(row: asyncpg.Record, queue: Queue) -> In | Out:
    """A fact from its columns."""
    key = Key(row["booked"], row["turn"], row["happened"], row["fact"], row["n"])
    if row["leaves"]:
        onward = queue_of(row, "o_") if row["o_owner"] is not None else None
        return Out(
            queue, key, row["quantity"], row["account"], row["lot"], row["picked"], onward, row["customs"]
        )
    fifo = _fifo_of(row) if row["fifo_booked"] is not None else None
    return In(queue, key, row["lot"], Pair(row["quantity"], row["customs"]), row["account"], fifo)


def take_of(row: asyncpg.Record) -> Take:
    """What a fact took of a layer, from its columns."""
    pair = Pair(row["quantity"], row["customs"])
    layer = Ref(row["layer"], row["layer_n"])
    return Take(Ref(row["fact"], row["n"]), layer, row["lot"], pair, _fifo_of(row))


def layer_of(row: asyncpg.Record) -> Layer:
    """A layer from its columns."""
    return Layer(
        Key(row["booked"], row["turn"], row["happened"], row["fact"], row["n"]),
        _fifo_of(row),
        row["lot"],
        Pair(row["quantity"], row["customs"]),
        Pair(row["quantity_left"], row["customs_left"]),
    )


def _fifo_of(row: asyncpg.Record) -> Key:
    return Key(row["fifo_booked"], row["fifo_turn"], row["fifo_happened"], row["fifo_fact"], row["fifo_n"])


def _key(fact: In | Out) -> Key:
    return fact.key
