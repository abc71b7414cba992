# SPDX-License-Identifier: Apache-2.0
"""What an entry tells the zone's ledger: pure, from an entry and the papers known before it to facts.

Every lookup is by what stands in the center's own log before the entry, so the facts are the same whenever
the books are made. Knows no connection; `central.ledger_projection` brings the papers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta, tzinfo
from decimal import Decimal
from itertools import count
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec.structs import replace

from central.dataset_projection import kind_of, row_of
from central.errors import UnreadableEntry
from central.instants import with_bookable
from central.ledger_told import Corrects, Named, Papers, Told, Wanted, Word
from central.location_facts import door_of, stood, unstood
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
    IN_TRANSIT,
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
)
from customs.ledger.quantities import Pair
from customs.us.matrix import DIRECT, DISPOSITIONS, Disposition
from customs.works.events import CORRECTED, REPORTED, Issue, Made, OrderEvent, pieces
from customs.works.orders import made_in_all
from customs.zone import AdmissionLine, CustomsProduct, Location, OpeningBalance
from sync.bodies import Correction, Movement, is_count, read_body
from sync.customs_bodies import Rows
from sync.entry import Entry
from sync.errors import EntryError
from sync.ledger_bodies import (
    Adjustment,
    AdmissionUndone,
    Admitted,
    Calendar,
    Constructive,
    Cut,
    Election,
    LocationClosing,
    LocationsDeclared,
    PickUp,
    PickUpUndone,
    PutAway,
    PutAwayCorrected,
    StatusChange,
)

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
                wants.permits.add(body.use.permit)
    elif isinstance(body, Correction):
        wants.corrected.add(body.corrects)
    elif isinstance(body, PickUpUndone | AdmissionUndone):
        wants.corrected.add(body.pick_up if isinstance(body, PickUpUndone) else body.admitted)
    elif isinstance(body, PickUp):
        wants.goods |= {(body.owner, one.product) for one in body.goods}
        wants.lots |= {f"{body.document}/{one.line}" for one in body.goods}
    elif isinstance(body, Admitted):
        wants.goods.add((body.owner, body.product))
        wants.lots.add(str(body.ref))
    elif isinstance(body, StatusChange | Adjustment):
        wants.goods.add((body.owner, body.product))
        wants.lots |= {lot for lot in (body.lot,) if lot is not None}
    elif isinstance(body, Rows):
        wants.goods |= {(row.owner, row.gtin) for row in _products(body)}
    elif isinstance(body, OrderEvent):
        wants.orders.add(body.order)
        wants.loads |= {piece.key for issue in body.returned for piece in issue.loads}
        wants.goods |= {(body.owner, made.product) for made in made_in_all(body)}
        wants.corrected |= {body.corrects} - {""}


def _products(body: Rows) -> Iterator[CustomsProduct]:
    if body.kind == "customs-product":
        kind = kind_of(body.kind)
        for raw in body.rows:
            row = row_of(kind, bytes(raw))
            if isinstance(row, CustomsProduct):
                yield row


def concerns(source: Source) -> Any:
    """The body of an entry that the ledger reads, None for all others. UnreadableEntry."""
    if source.entry.type not in _TELL:
        return None
    try:
        return with_bookable(source.entry, read_body(source.entry))
    except EntryError as error:
        raise UnreadableEntry(str(error)) from error


def lot_of(document: str | None, line: str | None, status: Status, admitted: date, entry_id: str) -> str:
    """The zone lot number of goods that were admitted (19 CFR 146.23(a)(1)): their paper's line; without one,
    their status and the day. In suspense each deposit is told from every other (146.22(c)).
    """
    if document:
        return f"{document}/{line}"
    if status is Status.SUSPENSE:
        return f"{status.value}-{entry_id}"
    return f"{status.value}-{admitted:%Y%m%d}"


def carried_of(rows: Iterable[Mapping[str, Any]], zone: tzinfo) -> dict[str, tuple[str, str]]:
    """As `Papers.carried`, of the rows of `ledger_admissions`, the zone's calendar having such days."""
    found = {}
    for row in rows:
        lot = row["made"]
        if lot is None:
            day = row["occurred_at"].astimezone(zone).date()
            lot = lot_of(row["permit"], row["line"], Status(row["status"]), day, row["entry_id"])
        found[row["key"]] = (row["entry_id"], lot)
    return found


def told(source: Source, body: Any, papers: Papers) -> Told:
    """What an entry tells, and what it adds to the papers. UnreadableEntry, and nothing added, when it cannot
    be taken.
    """
    found = Told(frozen_until=papers.frozen_until)
    _TELL[source.entry.type](source, body, papers, found)
    lot = next((fact.lot for fact in found.arrived if fact.lot), "")
    found.stood = stood(source, body, lot, papers.carried)
    found.unstood = unstood(body)
    return found


def _movement(source: Source, body: Movement, papers: Papers, found: Told) -> None:
    entry, load = source.entry, body.load
    product = load.gtin or load.key
    use = body.use
    _check(body.quantity, body.owner, product, load.key, *((use.permit, use.line) if use else ()))
    queue = Queue(body.owner, product, body.status)
    if entry.type == "admission":
        _admission(entry, body, queue, papers, found)
        found.words.add(Word(door_of(source), "location", door_of(source)))
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
    document, line = (use.permit, use.line) if use else (None, None)
    lot = lot_of(document, line, body.status, papers.day(entry.occurred_at), entry.entry_id)
    pair = papers.pair(lot, queue, body.quantity, entry.occurred_at)
    if use is not None and papers.kinds.get(use.permit) == DIRECT:
        # Whether it was picked up may be told later: what was not comes from abroad as it arrives.
        way = replace(queue, place=f"{IN_TRANSIT}{use.permit}")
        key = papers.key(entry.occurred_at, 1, Ref(entry.entry_id))
        found.arrived.append(Out(way, key, body.quantity, STOCK, lot, None, queue, pair.customs))
    else:
        key = papers.key(entry.occurred_at, 0, Ref(entry.entry_id))
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
    key = papers.key(entry.occurred_at, 1, Ref(entry.entry_id))
    found.corrects.append(Corrects(body.corrects, key, crossing=True))


def _permit(_: Source, body: Permit, papers: Papers, found: Told) -> None:
    papers.kinds[body.number] = body.kind
    found.words.add(Word(body.number, "document", body.number))


def _conveyance(_: Source, body: Conveyance, __: Papers, found: Told) -> None:
    found.words |= {
        Word(body.conveyance, "conveyance", body.job),
        Word(body.job, "job", body.job),
    }


def _admitted(source: Source, body: Admitted, papers: Papers, found: Told) -> None:
    """Goods of each deposit leave suspense, and all of them come into stock as their paper's lot."""
    entry_id, lot = source.entry.entry_id, str(body.ref)
    becomes = Queue(body.owner, body.product, body.status)
    for n, one in enumerate(body.deposits):
        _check(one.quantity, body.owner, body.product, one.product, one.lot, lot)
        suspense = Queue(body.from_owner, one.product, Status.SUSPENSE)
        key = papers.key(body.happened, 1, Ref(entry_id, n))
        found.arrived.append(Out(suspense, key, one.quantity, RESTATUS, one.lot))
    if not body.deposits:
        raise UnreadableEntry("it admits nothing")
    pair = papers.pair(lot, becomes, body.quantity, body.happened)
    key = papers.key(body.happened, 0, Ref(entry_id, len(body.deposits)))
    found.arrived.append(In(becomes, key, lot, pair, RESTATUS))
    for piece in body.on:
        _carry(papers, piece.key, entry_id, lot)
    _lot_words(found, lot, becomes, Named(body.document, body.line))


def _admission_undone(source: Source, body: AdmissionUndone, papers: Papers, found: Told) -> None:
    """All that the admission told is no more; where a pinned cut contains it, the goods go back."""
    entry_id = source.entry.entry_id
    _check(body.quantity, *body.lots, *(piece.key for piece in body.loads))
    if len(body.loads) != len(body.lots):
        raise UnreadableEntry("it does not say of what lot each load is")
    found.corrects.append(Corrects(body.admitted, papers.key(body.happened, 1, Ref(entry_id))))
    for piece, lot in zip(body.loads, body.lots, strict=True):
        _carry(papers, piece.key, entry_id, lot)


def _pick_up(source: Source, body: PickUp, papers: Papers, found: Told) -> None:
    """Goods are legally in, at a place of their own until a door admits them (19 CFR 146.40(b))."""
    for n, one in enumerate(body.goods):
        lot = f"{body.document}/{one.line}"
        _check(one.quantity, body.owner, one.product, lot)
        way = Queue(body.owner, one.product, one.status, f"{IN_TRANSIT}{body.document}")
        key = papers.key(body.happened, 0, Ref(source.entry.entry_id, n))
        found.arrived.append(In(way, key, lot, papers.pair(lot, way, one.quantity, body.happened)))
        _lot_words(found, lot, way, Named(body.document, one.line))


def _pick_up_undone(source: Source, body: PickUpUndone, papers: Papers, found: Told) -> None:
    found.corrects.append(Corrects(body.pick_up, papers.key(body.happened, 1, Ref(source.entry.entry_id))))


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
    if body.kind not in ("customs-product", "admission-line", "opening-balance", "location"):
        return
    kind = kind_of(body.kind)
    for n, raw in enumerate(body.rows):
        row = row_of(kind, bytes(raw))
        if isinstance(row, CustomsProduct):
            papers.factors.setdefault((row.owner, row.gtin), []).append((row.valid_from, row.factor))
            found.factors.append((row.owner, row.gtin, row.valid_from, row.factor))
            found.restated[row.owner, row.gtin] = papers.known(row.owner, row.gtin)
        elif isinstance(row, AdmissionLine):
            _declared(row.lot, row, papers, found)
        elif isinstance(row, Location):
            _location(row, found)
        elif isinstance(row, OpeningBalance):
            line = row.admission
            _declared(row.lot, line, papers, found)
            _check(row.on_hand, line.owner, line.product, row.lot)
            queue = Queue(line.owner, line.product, line.status)
            ref = Ref(source.entry.entry_id, n)
            key = papers.key(papers.start(row.as_of), 0, ref)
            # Its place in the line is the day it was admitted on, before these books began.
            place = Key(papers.start(line.admitted or row.as_of), 0, key.happened, ref.entry_id, n)
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
        found.arrived.append(Out(stock, key, issue.quantity, place, issue.lot or None, None, work))
        papers.working[work] = papers.working.get(work, _ZERO) + issue.quantity
    later = body.happened + _MOMENT  # what was issued in the same breath is there by then
    for issue in body.returned:
        stock, work = _between(body, issue, place)
        key = papers.key(later, 1, next(refs))
        found.arrived.append(Out(work, key, issue.quantity, STOCK, issue.lot or None, None, stock))
        papers.working[work] = papers.working.get(work, _ZERO) - issue.quantity
    if body.event == REPORTED:
        for work in sorted(queue for queue in papers.working if queue.place == place):
            # The database may have added zeros behind the point: the same facts are the same bytes.
            used = Decimal(plain(papers.working.pop(work)))
            if used > 0:
                key = papers.key(later, 1, next(refs))
                found.arrived.append(Out(work, key, used, CONSUMED))
    for made in made_in_all(body):
        _check(made.quantity, body.owner, made.product, made.lot)
        queue = Queue(body.owner, made.product, made.status)
        key = papers.key(body.happened, 0, next(refs))
        pair = papers.pair(made.lot, queue, made.quantity, body.happened)
        line: Key | None = None
        if body.event == CORRECTED and key.booked != key.happened:
            line = replace(key, booked=key.happened)  # their old place in it, also behind a pinned cut
        found.arrived.append(In(queue, key, made.lot, pair, MADE, line))
        _lot_words(found, made.lot, queue, Named(body.order, ""))
    for came, goods, piece in pieces(body):
        if came and isinstance(goods, Made):
            _carry(papers, piece.key, source.entry.entry_id, goods.lot)
    if body.event == CORRECTED:
        key = papers.key(body.happened, 1, next(refs))
        found.corrects.append(Corrects(body.corrects, key, MADE))
    found.words.add(Word(body.order, "order", body.order))


def _between(body: OrderEvent, issue: Issue, place: str) -> tuple[Queue, Queue]:
    """The queues of an input in stock and at its order."""
    _check(issue.quantity, body.owner, issue.product, body.order, issue.lot)
    stock = Queue(body.owner, issue.product, issue.status)
    return stock, Queue(body.owner, issue.product, issue.status, place)


def _put_away(_: Source, body: PutAway | PutAwayCorrected, __: Papers, found: Told) -> None:
    for one in body.loads:
        _check(_ONE if one.quantity is None else one.quantity, one.load, one.to, one.source or "")
        found.words.add(Word(one.to, "location", one.to))


def _locations(_: Source, body: LocationsDeclared, __: Papers, found: Told) -> None:
    for row in body.locations:
        _location(row, found)


def _location_closing(_: Source, body: LocationClosing, __: Papers, ___: Told) -> None:
    _check(_ONE, body.name)


def _location(row: Location, found: Told) -> None:
    _check(_ONE, row.name, row.description)
    found.places.append(row)
    found.words.add(Word(row.name, "location", row.name))


def _election(_: Source, body: Election, papers: Papers, __: Told) -> None:
    papers.elections.append(
        elections.Election(body.owner, body.method, body.since, body.authority, body.product)
    )


def _cut(_: Source, body: Cut, papers: Papers, __: Told) -> None:
    if papers.frozen_until is None or body.until > papers.frozen_until:
        papers.frozen_until = body.until


def _calendar(_: Source, body: Calendar, papers: Papers, found: Told) -> None:
    try:
        papers.zone = found.zone = ZoneInfo(body.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnreadableEntry(f"there is no time zone {body.timezone[:40]!r}") from error


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
    "admitted": _admitted,
    "admission-undone": _admission_undone,
    "pick-up": _pick_up,
    "pick-up-undone": _pick_up_undone,
    "status-change": _status_change,
    "adjustment": _adjustment,
    "constructive": _constructive,
    "election": _election,
    "calendar": _calendar,
    "cut": _cut,
    "location": _locations,
    "location-closing": _location_closing,
    "put-away": _put_away,
    "put-away-corrected": _put_away,
    "rows": _rows,
    "order": _order,
}
