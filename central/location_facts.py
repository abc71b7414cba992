# SPDX-License-Identifier: Apache-2.0
"""What an entry tells of where loads stand: pure, from an entry to facts of `customs.ledger.locations`.

They are booked when they happened, also behind a pinned cut, which pins balances and not places. Whether an
entry can be taken at all, `central.ledger_facts` has found before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from central.projections import Source
from customs.documents import Status
from customs.ledger.facts import NO_LOT, Key, Ref
from customs.ledger.locations import CAME, LEFT, PUT, Came, Fact, Goods, Left, Put, Unstood, door_place
from customs.works.events import Made, OrderEvent, pieces
from sync.bodies import Movement
from sync.ledger_bodies import Adjustment, AdmissionUndone, Admitted, PutAway, PutAwayCorrected, StatusChange

Carried = Mapping[str, tuple[str, str]]
"""As `central.ledger_told.Papers.carried`."""


def stood(source: Source, body: Any, lot: str, carried: Carried) -> list[Fact]:
    """Where loads came to stand by an entry; `lot` is what an admission's goods are of."""
    tell = _TELL.get(source.entry.type)
    return list(tell(source, body, lot, carried)) if tell else []


def unstood(body: Any) -> list[Unstood]:
    """What of where loads came to stand never was, by an entry."""
    if isinstance(body, PutAwayCorrected):
        return [Unstood(one.load, Ref(body.put_away, one.n), body.corrected) for one in body.undone]
    if not isinstance(body, AdmissionUndone):
        return []
    off = len(body.was)
    found = [
        Unstood(piece.key, Ref(body.admitted, off + n), body.corrected) for n, piece in enumerate(body.loads)
    ]
    # Goods that were put on another label then were put there: they came to it in suspense.
    found += [
        Unstood(piece.key, Ref(body.admitted, n), body.corrected)
        for n, (piece, now) in enumerate(zip(body.was, body.loads, strict=True))
        if piece.key == now.key
    ]
    return found


def door_of(source: Source) -> str:
    """The place of the door that an entry was written at."""
    return door_place(source.node, source.entry.door)


def _movement(source: Source, body: Movement, lot: str, _: Carried) -> Iterator[Fact]:
    load, at = body.load, source.entry.occurred_at
    product, entry_id = load.gtin or load.key, source.entry.entry_id
    if source.entry.type == "admission":
        goods = Goods(body.owner, product, body.status, lot)
        yield Came(_key(at, CAME, entry_id, 0), load.key, goods, body.quantity, door_of(source))
        return
    key = _key(at, LEFT, entry_id, 0)
    yield Left(key, load.key, body.owner, product, body.status, body.quantity, door_of(source))


def _admitted(source: Source, body: Admitted, _: str, __: Carried) -> Iterator[Fact]:
    goods = Goods(body.owner, body.product, body.status, str(body.ref))
    yield from _act(source, body, goods, Goods(body.from_owner, body.from_product, Status.SUSPENSE, ""))


def _admission_undone(source: Source, body: AdmissionUndone, _: str, __: Carried) -> Iterator[Fact]:
    """Of goods that were put on another label, that they came to it as they were."""
    for n, (was, now, lot) in enumerate(zip(body.was, body.loads, body.lots, strict=True)):
        if was.key != now.key:
            goods = Goods(body.from_owner, body.from_product or was.key, Status.SUSPENSE, lot)
            key = _key(body.corrected, CAME, source.entry.entry_id, n)
            yield Came(key, now.key, goods, now.quantity)


def _status_change(source: Source, body: StatusChange, _: str, __: Carried) -> Iterator[Fact]:
    goods = Goods(body.owner, body.product, body.becomes, body.made)
    yield from _act(source, body, goods, Goods(body.owner, body.product, body.status, ""))


def _adjustment(source: Source, body: Adjustment, _: str, __: Carried) -> Iterator[Fact]:
    goods = Goods(body.owner, body.product, body.status, body.lot or f"{body.number}/1")
    yield from _act(source, body, goods, goods)


def _act(
    source: Source, body: Admitted | StatusChange | Adjustment, goods: Goods, was: Goods
) -> Iterator[Fact]:
    """Goods that were something else leave their loads, of whatever lot, and others are on them. What came is
    counted on from what left, so that no two facts of an entry have one name.
    """
    at, entry_id = body.happened, source.entry.entry_id
    for n, piece in enumerate(body.off):
        key = _key(at, LEFT, entry_id, n)
        # Of what was deposited unknown, nothing but the load has a name.
        yield Left(key, piece.key, was.owner, was.product or piece.key, was.status, piece.quantity)
    for n, piece in enumerate(body.on, len(body.off)):
        yield Came(_key(at, CAME, entry_id, n), piece.key, goods, piece.quantity)


def _order(source: Source, body: OrderEvent, _: str, carried: Carried) -> Iterator[Fact]:
    at, entry_id = body.happened, source.entry.entry_id
    for n, (came, goods, piece) in enumerate(pieces(body)):
        whose: tuple[str, str, Status] = (body.owner, goods.product, goods.status)
        if came:
            lot = goods.lot if isinstance(goods, Made) else carried.get(piece.key, ("", NO_LOT))[1]
            yield Came(_key(at, CAME, entry_id, n), piece.key, Goods(*whose, lot), piece.quantity)
        else:
            yield Left(_key(at, LEFT, entry_id, n), piece.key, *whose, piece.quantity)


def _put_away(source: Source, body: PutAway | PutAwayCorrected, _: str, __: Carried) -> Iterator[Fact]:
    at = body.happened if isinstance(body, PutAway) else body.corrected
    for n, one in enumerate(body.loads):
        key = _key(at, PUT, source.entry.entry_id, n)
        yield Put(key, one.load, one.to, one.quantity, one.source)


def _key(at: datetime, turn: int, entry_id: str, n: int) -> Key:
    return Key(at, turn, at, entry_id, n)


_TELL: Final[dict[str, Callable[[Source, Any, str, Carried], Iterator[Fact]]]] = {
    "admission": _movement,
    "withdrawal": _movement,
    "admitted": _admitted,
    "admission-undone": _admission_undone,
    "status-change": _status_change,
    "adjustment": _adjustment,
    "order": _order,
    "put-away": _put_away,
    "put-away-corrected": _put_away,
}
