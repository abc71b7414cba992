# SPDX-License-Identifier: Apache-2.0
"""What the ledger is told, and what it writes: facts come in, postings go out.

A fact says that goods came into a queue or left it. A posting says of which lot, and moves a quantity from
one account to another. Values only; nothing here decides.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from customs.documents import Status
from customs.known import Known
from customs.ledger.quantities import Pair

STOCK: Final = "stock"
CONSTRUCTIVE: Final = "constructive:"
WORK: Final = "wip:"
IN_TRANSIT: Final = "in-transit:"
"""Legally in the zone and physically not yet there: the mirror of CONSTRUCTIVE."""

ABROAD: Final = "abroad"
ARRIVED: Final = "arrived"
"""Abroad as well, of goods that a door admitted on direct delivery and nobody had picked up."""
TERRITORY: Final = "territory"
EXPORTED: Final = "exported"
OTHER_ZONE: Final = "other-zone"
WAREHOUSE: Final = "warehouse"
SUPPLIES: Final = "supplies"
DESTROYED: Final = "destroyed"
CONSUMED: Final = "consumed"
MADE: Final = "made"
OPENING: Final = "opening"
ADJUSTED: Final = "adjusted"
RESTATUS: Final = "restatus"
OVERDRAWN: Final = "overdrawn"
"""Where goods come from when no layer is left for them: what stands here is a case."""

NO_LOT: Final = "?"
"""The lot of goods that no layer was left for."""


def holds_goods(account: str) -> bool:
    """Whether an account is goods in the zone's hands: it is never below zero (19 CFR 146.21(a))."""
    return account == STOCK or account.startswith((CONSTRUCTIVE, WORK, IN_TRANSIT))


class Queue(msgspec.Struct, frozen=True, order=True, gc=False):
    """Goods that may stand for each other: one owner's, of one product, in one status, at one place.

    `place` is the account they stand on: `stock`, `constructive:<document>`, `in-transit:<document>` or
    `wip:<order>`. That FIFO never crosses a status is the zone's own election; that it never crosses owners
    is not (19 CFR 146.23(a)).
    """

    owner: str
    product: str
    status: Status
    place: str = STOCK


class Ref(msgspec.Struct, frozen=True, order=True, gc=False):
    """Names a fact: the entry that told it and, as one entry may tell several, the how many-th."""

    entry_id: str
    n: int = 0


class Key(msgspec.Struct, frozen=True, order=True, gc=False):
    """A fact's place in its queue. What comes into the zone stands before what leaves at the same instant
    (`turn` 0 and 1); the entry's id decides between equals. When a fact arrived is no part of it.

    Goods that go on from one queue to another have `turn` 1 in both, and a longer name: their place in the
    second is behind that in the first, so that goods may come back and no circle can be.
    """

    booked: datetime
    turn: int
    happened: datetime
    entry_id: str
    n: int = 0

    @property
    def ref(self) -> Ref:
        """The fact's name."""
        return Ref(self.entry_id, self.n)


class In(msgspec.Struct, frozen=True, gc=False):
    """Goods of one lot that came into a queue: a layer.

    `source` is the account they came from; None when they came from another queue, whose posting has moved
    them. `fifo` is their place in the line where it is not that of their coming: goods that were taken back.
    """

    queue: Queue
    key: Key
    lot: str
    pair: Pair
    source: str | None = ABROAD
    fifo: Key | None = None

    def __post_init__(self) -> None:
        if self.pair.commercial <= 0 or self.pair.customs < 0:
            raise ValueError(f"{self.pair} is no quantity of goods that came")


class Out(msgspec.Struct, frozen=True, gc=False):
    """Goods that left a queue for the account `to`.

    `lot` names the lot that an election or a person's act binds it to; None takes the layers in line.
    `picked` is the lot that was physically taken, where it is known: kept beside, without effect. `onward` is
    the queue that the goods stand in next, each layer in its old place in the line. `customs` is set where
    what no layer is left for is not overdrawn, but comes from ARRIVED as `lot` by this very fact: what all of
    `quantity` is in the customs unit.
    """

    queue: Queue
    key: Key
    quantity: Decimal
    to: str
    lot: str | None = None
    picked: str | None = None
    onward: Queue | None = None
    customs: Decimal | None = None

    def __post_init__(self) -> None:
        if self.quantity <= 0:
            raise ValueError(f"{self.quantity} is no quantity of goods that left")
        if self.onward is not None and self.onward.place != self.to:
            raise ValueError(f"goods that go on to {self.onward.place} are posted there, not to {self.to}")
        if self.customs is not None and (self.lot is None or self.onward is None):
            raise ValueError("goods that come from abroad on their way are of a lot and go on to a queue")


class Take(msgspec.Struct, frozen=True, gc=False):
    """What one fact took of one layer, whose place in the line was `fifo`. The layer NO_LAYER is none: there
    was nothing left to take. FROM_ABROAD is none either: the goods came with the fact itself.
    """

    out: Ref
    layer: Ref
    lot: str
    pair: Pair
    fifo: Key


NO_LAYER: Final = Ref("", 0)
FROM_ABROAD: Final = Ref("+", 0)
LAYERLESS: Final = frozenset({NO_LAYER, FROM_ABROAD})


class Posting(msgspec.Struct, frozen=True, gc=False):
    """A quantity of one lot, moved from one account to another by a fact.

    `booked` is the instant from which the books contain it, `happened` the fact's own, `known` the place in
    the center's log from which it is known. Both quantities may be negative: a contra posting takes back
    what the same fact posted before.
    """

    queue: Queue
    lot: str
    source: str
    to: str
    pair: Pair
    fact: Ref
    booked: datetime
    happened: datetime
    known: Known


def booked(happened: datetime, frozen_until: datetime | None) -> datetime:
    """When the books contain what happened then: at once, or at the first instant after a pinned cut."""
    if frozen_until is None or happened > frozen_until:
        return happened
    return frozen_until + timedelta(microseconds=1)
