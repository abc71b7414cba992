# SPDX-License-Identifier: Apache-2.0
"""What an entry tells the zone's ledger: pure, from an entry and the papers known before it to facts.

Every lookup is by what stands in the center's own log before the entry, so the facts are the same whenever
the books are made. Knows no connection; `central.ledger_projection` brings the papers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Final, NamedTuple

from central.dataset_projection import kind_of, row_of
from central.errors import UnreadableEntry
from central.projections import Source
from customs.documents import Conveyance, Permit, Status
from customs.ledger import elections
from customs.ledger.balances import plain
from customs.ledger.facts import (
    ADJUSTED,
    CONSTRUCTIVE,
    CONSUMED,
    DESTROYED,
    EXPORTED,
    MADE,
    OPENING,
    OTHER_ZONE,
    RESTATUS,
    STOCK,
    SUPPLIES,
    TERRITORY,
    WAREHOUSE,
    WORK,
    In,
    Key,
    Out,
    Queue,
    Ref,
    booked,
)
from customs.ledger.quantities import Pair, customs_quantity
from customs.us.matrix import DISPOSITIONS, Disposition
from customs.works.events import REPORTED, Issue, Made, OrderEvent
from customs.zone import AdmissionLine, CustomsProduct, OpeningBalance
from sync.bodies import Correction, Movement, is_count, read_body
from sync.customs_bodies import Rows
from sync.entry import Entry
from sync.errors import EntryError
from sync.ledger_bodies import Adjustment, Constructive, Cut, Election, StatusChange

ENDS: Final = {
    Disposition.CONSUMPTION: TERRITORY,
    Disposition.EXPORT: EXPORTED,
    Disposition.OTHER_ZONE: OTHER_ZONE,
    Disposition.WAREHOUSE: WAREHOUSE,
    Disposition.WAREHOUSE_FOR_EXPORT: WAREHOUSE,
    Disposition.DESTRUCTION: DESTROYED,
    Disposition.SUPPLIES: SUPPLIES,
}
"""The account of goods that left for somewhere."""

UNDOCUMENTED: Final = "undocumented"
"""The account of goods that left and no paper says where to: what stands here is a case."""

CASUALTY: Final = "casualty"
"""The account of goods that were destroyed in the zone itself, through no door (19 CFR 146.53)."""

TEXT_MAX: Final = 300
"""Characters of a name that the ledger keys by: several times what papers may say, and within an index."""

_ONE: Final = Decimal(1)
_ZERO: Final = Decimal(0)
_MOMENT: Final = timedelta(microseconds=1)


class Named(NamedTuple):
    """A line of a document, as a lot is named by it."""

    document: str
    line: str


class Word(NamedTuple):
    """What people may search by: `kind` says what the word is, `ref` where it leads."""

    word: str
    kind: str
    ref: str


@dataclass(slots=True)
class Papers:
    """What facts are read by, as it is known where the own log has come to."""

    kinds: dict[str, str] = field(default_factory=dict)
    """Permits by number: their kind."""
    lines: dict[str, Pair] = field(default_factory=dict)
    """What admission papers say of a lot in both units."""
    factors: dict[tuple[str, str], list[tuple[date, Decimal]]] = field(default_factory=dict)
    """Customs units of one unit of an owner's product, each from a day on, the latest known last."""
    entered: set[Queue] = field(default_factory=set)
    """Constructive queues that an accepted customs entry has filled."""
    carried: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By a load's key, the entry that last admitted it or gave it another status, and the lot that it is of
    by that. The last is the one with the latest id, not the one that was told last.
    """
    working: dict[Queue, Decimal] = field(default_factory=dict)
    """What work orders have been issued and neither used nor given back."""
    elections: list[elections.Election] = field(default_factory=list)
    frozen_until: datetime | None = None

    def pair(self, lot: str, queue: Queue, quantity: Decimal, at: datetime) -> Pair:
        """`quantity` of a lot in both units, by its paper, or else by what the product is to customs on that
        day; one to one where neither is on file.
        """
        whole = self.lines.get(lot)
        if whole is None:
            factors = self.factors.get((queue.owner, queue.product), ())
            known = [(since, place) for place, (since, _) in enumerate(factors) if since <= at.date()]
            whole = Pair(_ONE, factors[max(known)[1]][1] if known else _ONE)
        return Pair(quantity, customs_quantity(quantity, whole))

    def key(self, happened: datetime, turn: int, ref: Ref) -> Key:
        """A fact's place in its queue, in the open period where a pinned cut contains its instant."""
        return Key(booked(happened, self.frozen_until), turn, happened, ref.entry_id, ref.n)


@dataclass(slots=True)
class Told:
    """What one entry tells: facts, movements that are corrected, words, and the papers of its lots."""

    arrived: list[In | Out] = field(default_factory=list)
    corrects: list[tuple[str, Key]] = field(default_factory=list)
    """Ids of corrected movements, each with the key of what takes it back."""
    declared: dict[str, Pair] = field(default_factory=dict)
    """Lots of which a paper says now what they are in both units."""
    factors: list[tuple[str, str, date, Decimal]] = field(default_factory=list)
    """Owner, product, day and factor of what products are to customs from now on."""
    words: set[Word] = field(default_factory=set)
    papers: dict[str, Named] = field(default_factory=dict)
    frozen_until: datetime | None = None
    """The last instant of the pinned cuts that were known then."""


@dataclass(slots=True)
class Wanted:
    """What must be looked up before entries can be read."""

    permits: set[str] = field(default_factory=set)
    loads: set[str] = field(default_factory=set)
    corrected: set[str] = field(default_factory=set)
    lots: set[str] = field(default_factory=set)
    goods: set[tuple[str, str]] = field(default_factory=set)
    orders: set[str] = field(default_factory=set)


def wanted(source: Source, body: Any, wants: Wanted) -> None:
    """Add what an entry is read by."""
    if isinstance(body, Movement):
        if source.entry.type == "withdrawal":
            wants.loads.add(body.load.key)
            if body.use is not None:
                wants.permits.add(body.use.permit)
        else:
            wants.goods.add((body.owner, body.load.gtin or body.load.key))
            if body.use is not None:
                wants.lots.add(str(body.use.ref))
    elif isinstance(body, Correction):
        wants.corrected.add(body.corrects)
    elif isinstance(body, StatusChange | Adjustment):
        wants.goods.add((body.owner, body.product))
        if body.lot is not None:
            wants.lots.add(body.lot)
    elif isinstance(body, OrderEvent):
        wants.orders.add(body.order)
        wants.goods |= {(body.owner, made.product) for made in _made(body)}


def concerns(source: Source) -> Any:
    """The body of an entry that the ledger reads, None for all others. UnreadableEntry."""
    if source.entry.type not in _TELL:
        return None
    try:
        return read_body(source.entry)
    except EntryError as error:
        raise UnreadableEntry(str(error)) from error


def lot_of(document: str | None, line: str | None, status: Status, admitted: datetime) -> str:
    """The zone lot number of goods that were admitted (19 CFR 146.23(a)(1)): their paper's line; without one,
    their status and the day.
    """
    return f"{document}/{line}" if document else f"{status.value}-{admitted.astimezone(UTC):%Y%m%d}"


def carried_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
    """As `Papers.carried`, of the rows of `ledger_admissions`."""
    return {
        row["key"]: (
            row["entry_id"],
            row["made"] or lot_of(row["permit"], row["line"], Status(row["status"]), row["occurred_at"]),
        )
        for row in rows
    }


def told(source: Source, body: Any, papers: Papers) -> Told:
    """What an entry tells, and what it adds to the papers. UnreadableEntry, and nothing added, when it cannot
    be taken.
    """
    found = Told(frozen_until=papers.frozen_until)
    _TELL[source.entry.type](source, body, papers, found)
    return found


def _movement(source: Source, body: Movement, papers: Papers, found: Told) -> None:
    entry, load = source.entry, body.load
    product = load.gtin or load.key
    use = body.use
    _check(body.quantity, body.owner, product, load.key, *((use.permit, use.line) if use else ()))
    queue = Queue(body.owner, product, body.status)
    if entry.type == "admission":
        _admission(entry, body, queue, papers, found)
        return
    key = papers.key(entry.occurred_at, 1, Ref(entry.entry_id))
    _, picked = papers.carried.get(load.key, ("", None))
    method = elections.elected(papers.elections, body.owner, product, entry.occurred_at)
    to = TERRITORY if body.status is Status.DOMESTIC else UNDOCUMENTED
    if use is not None:
        disposition = DISPOSITIONS.get(papers.kinds.get(use.permit, ""))
        to = ENDS[disposition] if disposition else UNDOCUMENTED
        found.words.add(Word(use.permit, "document", use.permit))
        entered = Queue(body.owner, product, body.status, f"{CONSTRUCTIVE}{use.permit}")
        if entered in papers.entered:
            queue = entered
    found.arrived.append(Out(queue, key, body.quantity, to, elections.named_lot(method, picked), picked))


def _admission(entry: Entry, body: Movement, queue: Queue, papers: Papers, found: Told) -> None:
    use = body.use
    named = Named(use.permit, use.line) if use else None
    lot = lot_of(use.permit if use else None, use.line if use else None, body.status, entry.occurred_at)
    key = papers.key(entry.occurred_at, 0, Ref(entry.entry_id))
    pair = papers.pair(lot, queue, body.quantity, entry.occurred_at)
    found.arrived.append(In(queue, key, lot, pair))
    _carry(papers, body.load.key, entry.entry_id, lot)
    _lot_words(found, lot, queue, named)


def _carry(papers: Papers, key: str, entry_id: str, lot: str) -> None:
    papers.carried[key] = max(papers.carried.get(key, ("", "")), (entry_id, lot))


def _lot_words(found: Told, lot: str, queue: Queue, named: Named | None) -> None:
    found.words |= {
        Word(lot, "lot", lot),
        Word(queue.owner, "owner", queue.owner),
        Word(queue.product, "product", queue.product),
    }
    if named is not None:
        found.words.add(Word(named.document, "document", named.document))
        found.papers[lot] = named


def _correction(source: Source, body: Correction, papers: Papers, found: Told) -> None:
    entry = source.entry
    found.corrects.append((body.corrects, papers.key(entry.occurred_at, 1, Ref(entry.entry_id))))


def _permit(_: Source, body: Permit, papers: Papers, found: Told) -> None:
    papers.kinds[body.number] = body.kind
    found.words.add(Word(body.number, "document", body.number))


def _conveyance(_: Source, body: Conveyance, __: Papers, found: Told) -> None:
    found.words |= {
        Word(body.conveyance, "conveyance", body.job),
        Word(body.job, "job", body.job),
    }


def _status_change(source: Source, body: StatusChange, papers: Papers, found: Told) -> None:
    _check(body.quantity, body.owner, body.product, body.number, body.lot or "")
    entry_id = source.entry.entry_id
    becomes = Queue(body.owner, body.product, body.becomes)
    if body.lot is not None and body.lot in papers.lines:
        papers.lines[body.made] = found.declared[body.made] = papers.lines[body.lot]
    pair = papers.pair(body.made, becomes, body.quantity, body.happened)
    out = papers.key(body.happened, 1, Ref(entry_id, 0))
    found.arrived += [
        Out(Queue(body.owner, body.product, body.status), out, body.quantity, RESTATUS, body.lot),
        In(becomes, papers.key(body.happened, 0, Ref(entry_id, 1)), body.made, pair, RESTATUS),
    ]
    for piece in body.on:
        _carry(papers, piece.key, entry_id, body.made)
    _lot_words(found, body.made, becomes, Named(body.number, "1"))


def _adjustment(source: Source, body: Adjustment, papers: Papers, found: Told) -> None:
    _check(abs(body.quantity), body.owner, body.product, body.number, body.lot or "")
    queue = Queue(body.owner, body.product, body.status)
    ref = Ref(source.entry.entry_id)
    found.words.add(Word(body.number, "document", body.number))
    if body.quantity > 0:
        lot = body.lot or f"{body.number}/1"
        key = papers.key(body.happened, 0, ref)
        pair = papers.pair(lot, queue, body.quantity, body.happened)
        found.arrived.append(In(queue, key, lot, pair, ADJUSTED))
        for piece in body.on:
            _carry(papers, piece.key, ref.entry_id, lot)
        _lot_words(found, lot, queue, None if body.lot else Named(body.number, "1"))
        return
    key = papers.key(body.happened, 1, ref)
    to = CASUALTY if body.destroyed else ADJUSTED
    found.arrived.append(Out(queue, key, -body.quantity, to, body.lot))


def _constructive(source: Source, body: Constructive, papers: Papers, found: Told) -> None:
    place = f"{CONSTRUCTIVE}{body.document}"
    for n, goods in enumerate(body.goods):
        _check(goods.quantity, goods.owner, goods.product, body.document, goods.lot or "")
        key = papers.key(body.happened, 1, Ref(source.entry.entry_id, n))
        stock = Queue(goods.owner, goods.product, goods.status)
        entered = Queue(goods.owner, goods.product, goods.status, place)
        if body.accepted:
            found.arrived.append(Out(stock, key, goods.quantity, place, goods.lot, None, entered))
            papers.entered.add(entered)
        else:
            found.arrived.append(Out(entered, key, goods.quantity, STOCK, goods.lot, None, stock))
    found.words.add(Word(body.document, "document", body.document))


def _rows(source: Source, body: Rows, papers: Papers, found: Told) -> None:
    if body.kind not in ("customs-product", "admission-line", "opening-balance"):
        return
    kind = kind_of(body.kind)
    for n, raw in enumerate(body.rows):
        row = row_of(kind, bytes(raw))
        if isinstance(row, CustomsProduct):
            papers.factors.setdefault((row.owner, row.gtin), []).append((row.valid_from, row.factor))
            found.factors.append((row.owner, row.gtin, row.valid_from, row.factor))
        elif isinstance(row, AdmissionLine):
            _declared(row.lot, row, papers, found)
        elif isinstance(row, OpeningBalance):
            line = row.admission
            _declared(row.lot, line, papers, found)
            _check(row.on_hand, line.owner, line.product, row.lot)
            queue = Queue(line.owner, line.product, line.status)
            ref = Ref(source.entry.entry_id, n)
            key = papers.key(_start_of(row.as_of), 0, ref)
            # Its place in the line is the day it was admitted on, before these books began.
            place = Key(_start_of(line.admitted or row.as_of), 0, key.happened, ref.entry_id, n)
            pair = Pair(row.on_hand, row.customs_on_hand)
            found.arrived.append(In(queue, key, row.lot, pair, OPENING, place))
            _lot_words(found, row.lot, queue, Named(line.document, line.line))


def _declared(lot: str, line: AdmissionLine, papers: Papers, found: Told) -> None:
    """What is declared of a lot, whether its goods have come or not."""
    papers.lines[lot] = found.declared[lot] = Pair(line.quantity, line.customs_quantity)


def _order(source: Source, body: OrderEvent, papers: Papers, found: Told) -> None:
    """Goods are issued to an order and come back by layers; what it has used is consumed when it reports."""
    place = f"{WORK}{body.order}"
    refs = (Ref(source.entry.entry_id, n) for n in count())
    for issue in body.issues:
        stock, work = _between(body, issue, place)
        key = papers.key(body.happened, 1, next(refs))
        found.arrived.append(Out(stock, key, issue.quantity, place, None, None, work))
        papers.working[work] = papers.working.get(work, _ZERO) + issue.quantity
    later = body.happened + _MOMENT  # what was issued in the same breath is there by then
    for issue in body.returned:
        stock, work = _between(body, issue, place)
        key = papers.key(later, 1, next(refs))
        found.arrived.append(Out(work, key, issue.quantity, STOCK, None, None, stock))
        papers.working[work] = papers.working.get(work, _ZERO) - issue.quantity
    if body.event == REPORTED:
        for work in sorted(queue for queue in papers.working if queue.place == place):
            # The database may have added zeros behind the point: the same facts are the same bytes.
            used = Decimal(plain(papers.working.pop(work)))
            if used > 0:
                key = papers.key(later, 1, next(refs))
                found.arrived.append(Out(work, key, used, CONSUMED))
    for made in _made(body):
        _check(made.quantity, body.owner, made.product, made.lot)
        queue = Queue(body.owner, made.product, made.status)
        key = papers.key(body.happened, 0, next(refs))
        pair = papers.pair(made.lot, queue, made.quantity, body.happened)
        found.arrived.append(In(queue, key, made.lot, pair, MADE))
        _lot_words(found, made.lot, queue, Named(body.order, ""))
    found.words.add(Word(body.order, "order", body.order))


def _made(body: OrderEvent) -> list[Made]:
    return [*body.made, *(scrap.made for scrap in body.scrap)]


def _between(body: OrderEvent, issue: Issue, place: str) -> tuple[Queue, Queue]:
    """The queues of an input in stock and at its order."""
    _check(issue.quantity, body.owner, issue.product, body.order)
    stock = Queue(body.owner, issue.product, issue.status)
    return stock, Queue(body.owner, issue.product, issue.status, place)


def _election(_: Source, body: Election, papers: Papers, __: Told) -> None:
    papers.elections.append(
        elections.Election(body.owner, body.method, body.since, body.authority, body.product)
    )


def _cut(_: Source, body: Cut, papers: Papers, __: Told) -> None:
    if papers.frozen_until is None or body.until > papers.frozen_until:
        papers.frozen_until = body.until


def _start_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _check(quantity: Decimal, *names: str) -> None:
    if not is_count(quantity):
        raise UnreadableEntry(f"the quantity {str(quantity)[:40]} is no count of goods")
    if any(len(name) > TEXT_MAX for name in names):
        raise UnreadableEntry(f"a name of more than {TEXT_MAX} characters is no owner, product or document")


_TELL: Final[dict[str, Callable[[Source, Any, Papers, Told], None]]] = {
    "admission": _movement,
    "withdrawal": _movement,
    "correction": _correction,
    "permit": _permit,
    "conveyance": _conveyance,
    "status-change": _status_change,
    "adjustment": _adjustment,
    "constructive": _constructive,
    "election": _election,
    "cut": _cut,
    "rows": _rows,
    "order": _order,
}
