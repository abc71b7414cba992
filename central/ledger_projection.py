# SPDX-License-Identifier: Apache-2.0
"""Keeps the zone's ledger in the database: folds entries into postings, in the transaction that folds them
into the other books.

The facts of one own entry are known together and settled together, and a queue is numbered when it is first
settled: so the rows are the same however many entries one transaction takes. The rules are `customs.ledger`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from msgspec import convert
from msgspec.structs import astuple, replace

from central.errors import UnreadableEntry
from central.ledger_facts import carried_of, concerns, told, wanted
from central.ledger_shelves import Shelves, fact_of, queue_of, refs_of
from central.ledger_told import Corrects, Named, Papers, Told, Wanted, Word
from central.location_fold import LocationFold
from central.projections import Source
from central.queries import query
from customs.known import Known
from customs.ledger import elections
from customs.ledger.attribution import Layer, News
from customs.ledger.corrections import compensation
from customs.ledger.facts import (
    ABROAD,
    ADJUSTED,
    CONSTRUCTIVE,
    MADE,
    RESTATUS,
    WORK,
    In,
    Key,
    Out,
    Posting,
    Queue,
    Ref,
    Take,
    holds_goods,
)
from customs.ledger.quantities import EXACT, NOTHING, Pair, customs_quantity
from sync.entry import Entry
from sync.ledger_bodies import Calendar, Cut, Election, LocationClosing

if TYPE_CHECKING:
    from central.database import Connection

_ZERO: Final = Decimal(0)

_ID_LENGTH: Final = 36
"""A fact's name begins with the id of the entry that told it."""

_BY_FACTOR: Final = (ABROAD, RESTATUS, ADJUSTED, MADE)
"""Accounts of goods that come without saying what they are in the customs unit."""

_POSTING: Final = (
    "known_place", "known_seq", "fact", "n", "ordinal", "source", "queue", "lot", "account_from",
    "account_to", "quantity", "customs", "booked", "happened",
)  # fmt: skip
_FACT: Final = (
    "queue", "booked", "turn", "happened", "fact", "n", "leaves", "source", "known_place", "known_seq", "lot",
    "quantity", "customs", "account", "onward", "picked", "fifo_booked", "fifo_turn",
    "fifo_happened", "fifo_fact", "fifo_n",
)  # fmt: skip
_LAYER: Final = (
    "queue", "fact", "n", "booked", "turn", "happened", "fifo_booked", "fifo_turn", "fifo_happened",
    "fifo_fact", "fifo_n", "lot", "quantity", "customs", "quantity_left", "customs_left",
)  # fmt: skip
_TAKEN: Final = (
    "fact", "n", "layer", "layer_n", "ordinal", "lot", "quantity", "customs", "fifo_booked", "fifo_turn",
    "fifo_happened", "fifo_fact", "fifo_n",
)  # fmt: skip
_ELECTION: Final = ("place", "seq", "entry_id", "owner", "product", "method", "since", "authority")
_FACTOR: Final = ("owner", "product", "place", "seq", "ordinal", "since", "factor")
_CALENDAR: Final = ("place", "seq", "entry_id", "timezone")
_CLOSING: Final = ("name", "place", "seq", "entry_id", "at", "happened", "closed")
_CUT: Final = ("number", "place", "seq", "entry_id", "until", "digest")


@dataclass(slots=True)
class Meant:
    """An own entry, and the entries that enter the books with it."""

    own: Entry
    sources: list[Source]


@dataclass(slots=True)
class _Lot:
    """What a page changes of a lot."""

    first_booked: datetime
    last_booked: datetime
    first: Known
    last: Known
    on_hand: Pair = NOTHING


@dataclass(slots=True)
class _Page:
    """What a page of entries writes beside its queues."""

    knowns: list[tuple[Any, ...]] = field(default_factory=list)
    elections: list[tuple[Any, ...]] = field(default_factory=list)
    cuts: list[tuple[Any, ...]] = field(default_factory=list)
    calendars: list[tuple[Any, ...]] = field(default_factory=list)
    closings: list[tuple[Any, ...]] = field(default_factory=list)
    postings: list[tuple[Any, ...]] = field(default_factory=list)
    days: dict[tuple[str, int, str, date, date], Pair] = field(default_factory=dict)
    lot_days: dict[tuple[str, date, date], Decimal] = field(default_factory=dict)
    goods_days: dict[tuple[int, str, date, date], Pair] = field(default_factory=dict)
    lots: dict[tuple[str, str, str, str], _Lot] = field(default_factory=dict)
    papers: dict[str, Named] = field(default_factory=dict)
    declared: dict[str, Pair] = field(default_factory=dict)
    factors: list[tuple[Any, ...]] = field(default_factory=list)
    words: set[Word] = field(default_factory=set)


class LedgerFold:
    """One page of entries on its way into the ledger, within one transaction."""

    def __init__(self, connection: Connection, tenant: str, zone: str, order: int) -> None:
        """`order` counts the epochs of the own log."""
        self._connection = connection
        self._who = (tenant, zone)
        self._order = order
        self._shelves = Shelves(connection, tenant, zone)
        self._locations = LocationFold(connection, tenant, zone)
        self._papers = Papers()
        self._page = _Page()
        self._day: date | None = None
        self._told: dict[str, dict[Ref, In | Out]] = defaultdict(dict)
        """Facts by the movement that told them: the page's, and those that it corrects."""
        self._zone: tzinfo = UTC
        """Whose days the zone's calendar has, as far as the page is settled."""
        self._lined: set[str] = set()
        """Lots of which the page's entries have declared what they are, as far as they are settled."""
        self._read: list[tuple[Entry, list[tuple[Source, Any]]]] = []
        self.refused: list[tuple[Source, str]] = []
        """Entries that cannot be taken, and why."""

    async def look_up(self, meant: Sequence[Meant]) -> None:
        """Read what entries are read by, before any of the books has taken them."""
        self._read = [(one.own, self._bodies(one.sources)) for one in meant]
        if any(bodies for _, bodies in self._read):
            await self._look_up([each for _, bodies in self._read for each in bodies])

    async def take(self, refused: set[str]) -> None:
        """Fold the entries that were looked up, but for those that the other books refused, and write what
        comes of it.
        """
        tellings = []
        for own, bodies in self._read:
            taken = [(source, body) for source, body in bodies if source.entry.entry_id not in refused]
            if taken:
                tellings.append((own, self._tellings(own, taken)))
                await asyncio.sleep(0)  # a large page must not hold up the docks
        if not tellings:
            return
        firsts: dict[Queue, Key] = {}
        for _, tolds in tellings:
            for fact in (fact for one in tolds for fact in one.arrived):
                firsts[fact.queue] = min(firsts.get(fact.queue, fact.key), fact.key)
        await self._shelves.open(firsts)
        every = [one for _, tolds in tellings for one in tolds]
        await self._locations.open(
            [fact for one in every for fact in one.stood],
            [each.movement for one in every for each in one.corrects if each.crossing],
            [each for one in every for each in one.unstood],
        )
        for own, tolds in tellings:
            await self._settle(own, tolds)
        await self._write()

    # -- reading -----------------------------------------------------------------------------------

    def _bodies(self, sources: Sequence[Source]) -> list[tuple[Source, Any]]:
        found = []
        for source in sources:
            try:
                body = concerns(source)
            except UnreadableEntry as error:
                self.refused.append((source, str(error)))
                continue
            if body is not None:
                found.append((source, body))
        return found

    def _tellings(self, own: Entry, bodies: Sequence[tuple[Source, Any]]) -> list[Told]:
        tolds = []
        for source, body in bodies:
            try:
                one = told(source, body, self._papers)
            except UnreadableEntry as error:
                self.refused.append((source, str(error)))
                continue
            tolds.append(one)
            self._page.words |= one.words
            self._page.declared.update(one.declared)
            self._page.factors += [
                (owner, product, self._order, own.seq, ordinal, since, factor)
                for ordinal, (owner, product, since, factor) in enumerate(one.factors)
            ]
            self._page.papers.update(one.papers)
            if isinstance(body, Election):
                self._page.elections.append(
                    (self._order, own.seq, own.entry_id, body.owner, body.product, body.method,
                     body.since, body.authority)
                )  # fmt: skip
            elif isinstance(body, Calendar):
                self._page.calendars.append((self._order, own.seq, own.entry_id, body.timezone))
            elif isinstance(body, LocationClosing):
                at = (self._order, own.seq, own.entry_id, own.recorded_at)
                self._page.closings.append((body.name, *at, body.happened, body.closed))
            elif isinstance(body, Cut):
                self._page.cuts.append(
                    (body.number, self._order, own.seq, own.entry_id, body.until, body.digest)
                )
        return tolds

    async def _look_up(self, bodies: Sequence[tuple[Source, Any]]) -> None:
        """The papers that the page is read by, as they were before it."""
        wants = Wanted()
        for source, body in bodies:
            wanted(source, body, wants)
        connection, papers = self._connection, self._papers
        papers.frozen_until = await connection.fetchval(query("ledger_cuts"), *self._who)
        rows = await connection.fetch(query("ledger_elections"), *self._who)
        papers.elections = [convert(dict(row), elections.Election) for row in rows]
        papers.zone = ZoneInfo(await connection.fetchval(query("ledger_calendar"), *self._who) or "UTC")
        self._zone = papers.zone
        self._day = await connection.fetchval(query("ledger_last_day"), *self._who)
        await self._look_up_permits(sorted(wants.permits))
        await self._look_up_lots(wants)
        if wants.loads:
            rows = await connection.fetch(query("ledger_admissions"), *self._who, sorted(wants.loads))
            papers.carried = carried_of((dict(row) for row in rows), papers.zone)
        await self._look_up_facts(wants.corrected)

    async def _look_up_permits(self, numbers: Sequence[str]) -> None:
        if not numbers:
            return
        rows = await self._connection.fetch(query("ledger_kinds"), *self._who, numbers)
        self._papers.kinds = {row["number"]: row["kind"] for row in rows}
        places = [CONSTRUCTIVE + number for number in numbers]
        rows = await self._connection.fetch(query("ledger_entered"), *self._who, places)
        self._papers.entered = {queue_of(row) for row in rows}

    async def _look_up_lots(self, wants: Wanted) -> None:
        connection, papers = self._connection, self._papers
        if wants.lots:
            rows = await connection.fetch(query("ledger_papers_of"), *self._who, sorted(wants.lots))
            papers.lines = {row["lot"]: Pair(row["quantity"], row["customs"]) for row in rows}
        if wants.goods:
            columns = zip(*sorted(wants.goods), strict=True)
            for row in await connection.fetch(query("ledger_factors_of"), *self._who, *columns):
                factors = papers.factors.setdefault((row["owner"], row["product"]), [])
                factors.append((row["since"], row["factor"]))
        if wants.orders:
            places = [WORK + order for order in sorted(wants.orders)]
            rows = await connection.fetch(query("ledger_working"), *self._who, places)
            papers.working = {queue_of(row): row["quantity"] for row in rows}

    async def _look_up_facts(self, entries: Iterable[str]) -> None:
        unknown = sorted(entry for entry in entries if entry not in self._told)
        if not unknown:
            return
        for row in await self._connection.fetch(query("ledger_facts_of"), *self._who, unknown):
            fact = fact_of(row, queue_of(row))
            self._told[fact.key.entry_id][fact.key.ref] = fact

    # -- settling ----------------------------------------------------------------------------------

    async def _settle(self, own: Entry, tolds: Sequence[Told]) -> None:
        """Settle what became known with one own entry."""
        known = Known(self._order, own.seq)
        work: dict[Queue, News] = defaultdict(News)
        for one in tolds:
            self._zone = one.zone or self._zone
            for fact in one.arrived:
                work[fact.queue].arrived.append(fact)
                self._told[fact.key.entry_id][fact.key.ref] = fact
            for corrects in one.corrects:
                await self._correct(corrects, one.frozen_until, work)
            self._lined |= one.declared.keys()
            await self._redeclare(one, work)
            await self._refactor(one, work)
        firsts = {queue: await self._shelves.first(queue, news) for queue, news in work.items() if news}
        moved = self._settle_locations(tolds, known)
        if not firsts and not moved:
            return
        self._day = max(self._day or date.min, own.recorded_at.astimezone(UTC).date())
        self._page.knowns.append((self._order, own.seq, own.recorded_at, self._day))
        counts: dict[Ref, int] = defaultdict(int)
        while firsts:
            # Goods go on to a later place in another queue: what changes first is settled first.
            _, queue = min((first, queue) for queue, first in firsts.items())
            del firsts[queue]
            news = work.pop(queue)
            shelf = await self._shelves.get(queue, news)
            settled = shelf.settle(news, known)
            for posting in settled.postings:
                counts[posting.fact] += 1
                await self._post(posting, shelf.number, counts[posting.fact])
            await asyncio.sleep(0)
            for behind, more in settled.onward.items():
                work[behind].add(more)
                firsts.pop(behind, None)
                if work[behind]:
                    firsts[behind] = await self._shelves.first(behind, work[behind])

    def _settle_locations(self, tolds: Sequence[Told], known: Known) -> bool:
        """Whether it posts anything."""
        for one in tolds:
            self._locations.declare(one.places)
        facts = [fact for one in tolds for fact in one.stood]
        crossed = [each.movement for one in tolds for each in one.corrects if each.crossing]
        return self._locations.settle(facts, crossed, [each for one in tolds for each in one.unstood], known)

    async def _correct(
        self, corrects: Corrects, frozen_until: datetime | None, work: dict[Queue, News]
    ) -> None:
        """A movement is undone: in the open period it never was; where a pinned cut contains it, facts of the
        open period take it back.
        """
        movement, key, source, _ = corrects
        facts = self._told.get(movement, {})
        undone = {
            ref: fact for ref, fact in facts.items()
            if source is None or (isinstance(fact, In) and fact.source == source)
        }  # fmt: skip
        # Known to be no more, so that they are not looked up again.
        self._told[movement] = {ref: fact for ref, fact in facts.items() if ref not in undone}
        for ref, fact in sorted(undone.items()):
            if frozen_until is None or fact.key.booked > frozen_until:
                work[fact.queue].add(News(withdrawn=[ref]))
                continue
            for back in compensation(fact, await self._shelves.takes(fact), key):
                work[back.queue].arrived.append(back)
                key = replace(key, n=back.key.n + 1)

    async def _redeclare(self, one: Told, work: dict[Queue, News]) -> None:
        """Papers of lots came after their goods: these come again, with the quantity in customs units that
        was declared. What a pinned cut contains stays as it was.
        """
        if not one.declared:
            return
        rows = await self._connection.fetch(query("ledger_admitted_of"), *self._who, list(one.declared))
        await self._look_up_facts({row["fact"][:_ID_LENGTH] for row in rows})

        def again(fact: In | Out) -> In | Out:
            declared = one.declared.get(fact.lot or "")
            return _declared_again(fact, declared, (ABROAD, RESTATUS)) if declared else fact

        self._come_again(one, again, work)

    async def _refactor(self, one: Told, work: dict[Queue, News]) -> None:
        """What products are to customs came after their goods: those of lots without a paper come again."""
        if not one.restated:
            return
        goods = zip(*sorted(one.restated), strict=True)
        rows = await self._connection.fetch(query("ledger_without_paper"), *self._who, *goods)
        await self._look_up_facts({row["fact"] for row in rows})
        lots = {fact.lot for facts in self._told.values() for fact in facts.values() if fact.lot}
        rows = await self._connection.fetch(query("ledger_papers_of"), *self._who, sorted(lots - self._lined))
        lined = self._lined | {row["lot"] for row in rows}

        def again(fact: In | Out) -> In | Out:
            factors = one.restated.get((fact.queue.owner, fact.queue.product))
            if factors is None or fact.lot in lined:
                return fact
            return _declared_again(fact, factors.whole(fact.key.happened), _BY_FACTOR)

        self._come_again(one, again, work)

    def _come_again(self, one: Told, again: Callable[[In | Out], In | Out], work: dict[Queue, News]) -> None:
        """Facts that are known and stand otherwise now. What a pinned cut contains stays as it was."""
        for facts in self._told.values():
            for ref, fact in facts.items():
                frozen = one.frozen_until is not None and fact.key.booked <= one.frozen_until
                if frozen or fact in one.arrived or (now := again(fact)) == fact:
                    continue
                facts[ref] = now
                work[fact.queue].add(News([now], [ref]))

    async def _post(self, posting: Posting, number: int | None, ordinal: int) -> None:
        assert number is not None
        assert self._day is not None
        page, queue = self._page, posting.queue
        fact, pair, known = posting.fact, posting.pair, posting.known
        page.postings.append(
            (
                known.order, known.seq, fact.entry_id, fact.n, ordinal, fact.entry_id[:_ID_LENGTH], number,
                posting.lot, posting.source, posting.to, pair.commercial, pair.customs, posting.booked,
                posting.happened,
            )
        )  # fmt: skip
        lot_key = (posting.lot, queue.owner, queue.product, queue.status.value)
        lot = page.lots.get(lot_key)
        if lot is None:
            lot = page.lots[lot_key] = _Lot(posting.booked, posting.booked, known, known)
        lot.first_booked = min(lot.first_booked, posting.booked)
        lot.last_booked = max(lot.last_booked, posting.booked)
        lot.last = known
        day = posting.booked.astimezone(UTC).date()
        zone_day = posting.booked.astimezone(self._zone).date()
        for account, moved in ((posting.source, -pair), (posting.to, pair)):
            on = number
            if holds_goods(account):
                lot.on_hand += moved
                lot_day = (posting.lot, zone_day, self._day)
                page.lot_days[lot_day] = EXACT.add(page.lot_days.get(lot_day, _ZERO), moved.commercial)
                if account != queue.place:
                    on = await self._shelves.number(replace(queue, place=account))
            key = (posting.lot, on, account, day, self._day)
            page.days[key] = page.days.get(key, NOTHING) + moved
            page.goods_days[key[1:]] = page.goods_days.get(key[1:], NOTHING) + moved

    # -- writing -----------------------------------------------------------------------------------

    async def _write(self) -> None:
        page = self._page
        await self._copy("ledger_known", ("place", "seq", "at", "day"), page.knowns)
        await self._copy("ledger_election", _ELECTION, page.elections)
        await self._copy("ledger_cut", _CUT, page.cuts)
        await self._copy("ledger_calendar", _CALENDAR, page.calendars)
        await self._copy("location_closing", _CLOSING, page.closings)
        await self._copy("ledger_factor", _FACTOR, page.factors)
        papers = [(lot, pair.commercial, pair.customs) for lot, pair in page.declared.items()]
        await self._all_at_once("ledger_put_papers", papers)
        await self._write_queues()
        await self._copy("posting", _POSTING, page.postings)
        await self._locations.write(self._copy, self._all_at_once)
        days: list[tuple[Any, ...]] = [
            (*key, pair.commercial, pair.customs) for key, pair in page.days.items()
        ]
        await self._all_at_once("ledger_add_days", days)
        held = [(*of, quantity) for of, quantity in page.lot_days.items()]
        await self._all_at_once("ledger_add_lot_days", held)
        days = [(*key, pair.commercial, pair.customs) for key, pair in page.goods_days.items()]
        await self._all_at_once("ledger_add_goods_days", days)
        months: dict[tuple[int, str, date, date], Pair] = {}
        for (queue, account, booked_day, known_day), pair in page.goods_days.items():
            month = (queue, account, booked_day.replace(day=1), known_day.replace(day=1))
            months[month] = months.get(month, NOTHING) + pair
        rows = [(*key, pair.commercial, pair.customs) for key, pair in months.items()]
        await self._all_at_once("ledger_add_goods_months", rows)
        lots = [
            (
                *key, *page.papers.get(key[0], (None, None)), lot.first_booked, lot.last_booked,
                lot.first.order, lot.first.seq, lot.last.order, lot.last.seq, lot.on_hand.commercial,
                lot.on_hand.customs,
            )
            for key, lot in page.lots.items()
        ]  # fmt: skip
        await self._all_at_once("ledger_add_lots", lots)
        await self._all_at_once("ledger_add_words", sorted(page.words))

    async def _write_queues(self) -> None:
        shelves = [shelf for shelf in self._shelves.all() if shelf.number is not None]
        queues = [
            (shelf.number, q.owner, q.product, q.status.value, q.place)
            for shelf in shelves
            for q in [shelf.queue]
            if not shelf.stored
        ]
        await self._copy("ledger_queue", ("queue", "owner", "product", "status", "place"), queues)
        dropped = refs_of(ref for shelf in shelves for ref in shelf.dropped)
        await self._all_at_once("ledger_drop_facts", dropped)
        await self._all_at_once("ledger_drop_layers", dropped)
        redrawn = refs_of(ref for s in shelves for ref in s.drawn if ref in s.kept or ref in s.dropped)
        await self._all_at_once("ledger_drop_takes", redrawn)
        facts, layers, less, takes = [], [], [], []
        for shelf in shelves:
            for fact, known in shelf.came.values():
                onward = getattr(fact, "onward", None)
                number = await self._shelves.number(onward) if onward is not None else None
                facts.append(_fact_row(fact, known, shelf.number, number))
            for ref in shelf.moved:
                layer = shelf.layers[ref]
                if ref in shelf.came:
                    layers.append(_layer_row(layer, shelf.number))
                else:
                    less.append((*astuple(ref), *astuple(layer.left)))
            for ref in shelf.drawn:
                takes += [_take_row(take, at) for at, take in enumerate(shelf.takes.get(ref, ()))]
        await self._copy("ledger_fact", _FACT, facts)
        await self._copy("ledger_layer", _LAYER, layers)
        await self._all_at_once("ledger_take_layers", less)
        await self._copy("ledger_taken", _TAKEN, takes)

    async def _copy(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            await self._connection.copy_records_to_table(
                table,
                columns=("tenant", "zone", *columns),
                records=((*self._who, *row) for row in rows),
            )

    async def _all_at_once(self, name: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            await self._connection.execute(query(name), *self._who, *zip(*rows, strict=True))


def _declared_again(fact: In | Out, declared: Pair, sources: Sequence[str]) -> In | Out:
    """A fact with the quantity in customs units that `declared` makes of it, if goods came by it from one of
    some accounts.
    """
    if isinstance(fact, Out):
        if fact.customs is None:
            return fact
        return replace(fact, customs=customs_quantity(fact.quantity, declared))
    if fact.source not in sources:
        return fact
    commercial = fact.pair.commercial
    return replace(fact, pair=Pair(commercial, customs_quantity(commercial, declared)))


def _fact_row(fact: In | Out, known: Known, number: int | None, onward: int | None) -> tuple[Any, ...]:
    key = fact.key
    leaves = isinstance(fact, Out)
    head = (
        number, key.booked, key.turn, key.happened, key.entry_id, key.n, leaves, key.entry_id[:_ID_LENGTH],
        known.order, known.seq, fact.lot,
    )  # fmt: skip
    if isinstance(fact, Out):
        return (
            *head,
            fact.quantity,
            fact.customs,
            fact.to,
            onward,
            fact.picked,
            None,
            None,
            None,
            None,
            None,
        )
    fifo = astuple(fact.fifo) if fact.fifo else (None, None, None, None, None)
    return (*head, fact.pair.commercial, fact.pair.customs, fact.source, None, None, *fifo)


def _layer_row(layer: Layer, number: int | None) -> tuple[Any, ...]:
    key = layer.key
    return (
        number, key.entry_id, key.n, key.booked, key.turn, key.happened, *astuple(layer.fifo), layer.lot,
        layer.total.commercial, layer.total.customs, layer.left.commercial, layer.left.customs,
    )  # fmt: skip


def _take_row(take: Take, ordinal: int) -> tuple[Any, ...]:
    return (
        take.out.entry_id, take.out.n, take.layer.entry_id, take.layer.n, ordinal, take.lot,
        take.pair.commercial, take.pair.customs, *astuple(take.fifo),
    )  # fmt: skip
