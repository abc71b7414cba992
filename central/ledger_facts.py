# SPDX-License-Identifier: Apache-2.0
"""What an entry tells the zone's ledger: pure, from an entry and the papers known before it to facts.

Every lookup is by what stands in the center's own log before the entry, so the facts are the same whenever
the books are made. Knows no connection; `central.ledger_projection` brings the papers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from central.errors import UnreadableEntry
from central.projections import Source
from customs.documents import Conveyance, Permit, Status
from customs.ledger import elections
from customs.ledger.facts import (
    ADJUSTED,
    CONSTRUCTIVE,
    DESTROYED,
    EXPORTED,
    OTHER_ZONE,
    RESTATUS,
    STOCK,
    SUPPLIES,
    TERRITORY,
    WAREHOUSE,
    In,
    Key,
    Out,
    Queue,
    Ref,
    booked,
)
from customs.ledger.quantities import Pair, customs_quantity
from sync.bodies import Correction, Movement, is_count, read_body
from sync.errors import EntryError
from sync.ledger_bodies import Adjustment, Constructive, Cut, Election, StatusChange

DISPOSITIONS: Final = {
    "weekly-entry": TERRITORY,
    "entry": TERRITORY,
    "export": EXPORTED,
    "zone-transfer": OTHER_ZONE,
    "warehouse": WAREHOUSE,
    "destruction": DESTROYED,
    "supplies": SUPPLIES,
}
"""The account of goods that left under a kind of permit."""

UNDOCUMENTED: Final = "undocumented"
"""The account of goods that left and no paper says where to: what stands here is a case."""

CASUALTY: Final = "casualty"
"""The account of goods that were destroyed in the zone itself, through no door (19 CFR 146.53)."""

TEXT_MAX: Final = 300
"""Characters of a name that the ledger keys by: several times what papers may say, and within an index."""

_ONE: Final = Decimal(1)


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
    entered: set[Queue] = field(default_factory=set)
    """Constructive queues that an accepted customs entry has filled."""
    carried: dict[str, str] = field(default_factory=dict)
    """The lot that a load was admitted as, by the load's key."""
    elections: list[elections.Election] = field(default_factory=list)
    frozen_until: datetime | None = None

    def pair(self, lot: str, quantity: Decimal) -> Pair:
        """`quantity` of a lot in both units, by its paper; one to one where there is none."""
        whole = self.lines.get(lot, Pair(_ONE, _ONE))
        return Pair(quantity, customs_quantity(quantity, whole))

    def key(self, happened: datetime, turn: int, ref: Ref) -> Key:
        """A fact's place in its queue."""
        return Key(booked(happened, self.frozen_until), turn, happened, ref.entry_id, ref.n)


@dataclass(slots=True)
class Told:
    """What one entry tells: facts, movements that are corrected, words, and the papers of its lots."""

    arrived: list[In | Out] = field(default_factory=list)
    corrects: list[tuple[str, Key]] = field(default_factory=list)
    """Ids of corrected movements, each with the key of what takes it back."""
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


def wanted(source: Source, body: Any, wants: Wanted) -> None:
    """Add what an entry is read by."""
    if isinstance(body, Movement) and source.entry.type == "withdrawal":
        wants.loads.add(body.load.key)
        if body.use is not None:
            wants.permits.add(body.use.permit)
    elif isinstance(body, Correction):
        wants.corrected.add(body.corrects)


def concerns(source: Source) -> Any:
    """The body of an entry that the ledger reads, None for all others. UnreadableEntry."""
    if source.entry.type not in _TELL:
        return None
    try:
        return read_body(source.entry)
    except EntryError as error:
        raise UnreadableEntry(str(error)) from error


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
    ref = Ref(entry.entry_id)
    if entry.type == "admission":
        named = Named(use.permit, use.line) if use else None
        lot = f"{use.permit}/{use.line}" if use else f"{body.status.value}-{entry.occurred_at:%Y%m%d}"
        key = papers.key(entry.occurred_at, 0, ref)
        found.arrived.append(In(queue, key, lot, papers.pair(lot, body.quantity)))
        papers.carried[load.key] = lot
        _lot_words(found, lot, body.owner, product, named)
        return
    key = papers.key(entry.occurred_at, 1, ref)
    picked = papers.carried.get(load.key)
    method = elections.elected(papers.elections, body.owner, product, entry.occurred_at)
    if use is not None:
        to = DISPOSITIONS.get(papers.kinds.get(use.permit, ""), UNDOCUMENTED)
        found.words.add(Word(use.permit, "document", use.permit))
        constructive = Queue(body.owner, product, body.status, f"{CONSTRUCTIVE}{use.permit}")
        if constructive in papers.entered:
            queue = constructive
    else:
        to = TERRITORY if body.status is Status.DOMESTIC else UNDOCUMENTED
    found.arrived.append(Out(queue, key, body.quantity, to, elections.named_lot(method, picked), picked))


def _lot_words(found: Told, lot: str, owner: str, product: str, named: Named | None) -> None:
    found.words |= {
        Word(lot, "lot", lot),
        Word(owner, "owner", owner),
        Word(product, "product", product),
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
    queue = Queue(body.owner, body.product, body.status)
    out = papers.key(body.happened, 1, Ref(entry_id, 0))
    come = papers.key(body.happened, 0, Ref(entry_id, 1))
    if body.lot is not None and body.lot in papers.lines:
        papers.lines[body.made] = papers.lines[body.lot]
    found.arrived += [
        Out(queue, out, body.quantity, RESTATUS, body.lot),
        In(
            Queue(body.owner, body.product, body.becomes),
            come,
            body.made,
            papers.pair(body.made, body.quantity),
            RESTATUS,
        ),
    ]
    _lot_words(found, body.made, body.owner, body.product, Named(body.number, "1"))


def _adjustment(source: Source, body: Adjustment, papers: Papers, found: Told) -> None:
    _check(abs(body.quantity), body.owner, body.product, body.number, body.lot or "")
    queue = Queue(body.owner, body.product, body.status)
    ref = Ref(source.entry.entry_id)
    found.words.add(Word(body.number, "document", body.number))
    if body.quantity > 0:
        lot = body.lot or f"{body.number}/1"
        key = papers.key(body.happened, 0, ref)
        found.arrived.append(In(queue, key, lot, papers.pair(lot, body.quantity), ADJUSTED))
        _lot_words(found, lot, body.owner, body.product, None if body.lot else Named(body.number, "1"))
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


def _election(_: Source, body: Election, papers: Papers, __: Told) -> None:
    papers.elections.append(
        elections.Election(body.owner, body.method, body.since, body.authority, body.product)
    )


def _cut(_: Source, body: Cut, papers: Papers, __: Told) -> None:
    if papers.frozen_until is None or body.until > papers.frozen_until:
        papers.frozen_until = body.until


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
}
