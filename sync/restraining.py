# SPDX-License-Identifier: Apache-2.0
"""What the center does about suspensions and holds: people's acts, and movements that were forbidden. Pure.

A dock that was offline lets goods pass by the papers it has. When its entries come, what had been forbidden
when it happened is found here, and becomes an entry of the own log that a person has to look into.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gs1.printable import printable
from sync.bodies import UNDER_HOLD_MAX, Movement, UnderHold, read_body
from sync.center import CenterBook
from sync.entry import Entry, read_record
from sync.errors import EntryError
from sync.reception import Received
from sync.restraints import Goods, Put

LOAD_CHARACTERS_MAX = 80
"""Of a load's name a person reads no more; a node may name it at any length."""


@dataclass(slots=True)
class _Found:
    count: int = 0
    movements: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)


def under_hold(book: CenterBook, received: Received) -> Iterator[UnderHold]:
    """The movements of an ask that had been forbidden when they happened, by log and by what forbade them."""
    if book.restraints.is_empty():
        return
    found: dict[tuple[str, str], _Found] = {}
    for stored in received.store:
        moved = _movement(stored.entry)
        if moved is None:
            continue
        entry, body = moved
        put = _forbidden(book, entry, body)
        if put is None:
            continue
        group = found.setdefault((entry.epoch, put.id), _Found())
        group.count += 1
        if group.count <= UNDER_HOLD_MAX:
            group.movements.append(entry.entry_id)
            name = body.load.sscc or body.load.key
            group.loads.append(printable(name.encode(), LOAD_CHARACTERS_MAX))
    for (epoch, restraint), group in found.items():
        movements, loads = tuple(group.movements), tuple(group.loads)
        yield UnderHold(received.ask.node, epoch, restraint, group.count, movements, loads)


def _movement(entry: Entry) -> tuple[Entry, Movement] | None:
    """The movement in an entry, also one that is told again for a log that cannot be stored."""
    try:
        if entry.type == "adopt":
            entry = read_record(bytes(read_body(entry).record))
        if entry.type not in ("admission", "withdrawal"):
            return None
        return entry, read_body(entry)
    except EntryError:
        return None


def _forbidden(book: CenterBook, entry: Entry, body: Movement) -> Put | None:
    """What had forbidden a movement when it happened. A clock that was not sure says nothing of that: then
    what stands now may have forbidden it, and a person has to look.
    """
    load = body.load
    moment = entry.occurred_at if entry.clock.synchronized else None
    lots = frozenset((load.lot,)) if load.lot is not None else frozenset[str]()
    goods = Goods(load.key, load.gtin, body.owner, lots)
    for put in book.restraints.at(moment, goods, body.direction):
        if not book.remembered.ended(put, moment):
            return put
    return None
