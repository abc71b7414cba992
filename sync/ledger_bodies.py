# SPDX-License-Identifier: Apache-2.0
"""Bodies of the entries by which people move goods on the zone's books: status, adjustment, constructive
transfer, election, cut. The center's alone. Nothing here decides anything.

Instants are UTC, quantities exact in the product's commercial unit.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from customs.documents import Status
from customs.ledger.elections import Method
from customs.works.events import Piece


class StatusChange(msgspec.Struct, frozen=True):
    """Body of `status-change`: goods get another zone status, as a lot of their own (19 CFR 146.41-146.44).

    `number` names the paper that asked for it and the new lot, `<number>/1`. `lot` is the lot they are taken
    of; None takes the layers in line. `authority` is who let it be where that was needed. `off` are the loads
    that the goods were on in the old status, `on` those that they are on in the new one, in the unit `unit`;
    a whole load stands in both.
    """

    number: str
    owner: str
    product: str
    status: Status
    becomes: Status
    quantity: Decimal
    happened: datetime
    by: str
    note: str
    lot: str | None = None
    authority: str = ""
    unit: str = ""
    off: tuple[Piece, ...] = ()
    on: tuple[Piece, ...] = ()

    @property
    def made(self) -> str:
        """The lot that the goods are from then on."""
        return f"{self.number}/1"


class Adjustment(msgspec.Struct, frozen=True):
    """Body of `adjustment`: a count, a casualty or theft put on the books (19 CFR 146.25, 146.53).

    `quantity` above zero was found over and is the lot `lot`, or `<number>/1`; below zero it is short, of
    `lot` or else of the layers in line. `destroyed`: the goods are gone, not merely missed. `off` are the
    loads that they were on, `on` those that they were found on, in the unit `unit`.
    """

    number: str
    owner: str
    product: str
    status: Status
    quantity: Decimal
    happened: datetime
    by: str
    note: str
    lot: str | None = None
    destroyed: bool = False
    unit: str = ""
    off: tuple[Piece, ...] = ()
    on: tuple[Piece, ...] = ()


class Entered(msgspec.Struct, frozen=True, gc=False):
    """Goods on a customs entry: so much of one owner's product in one status, of `lot` where it says so."""

    owner: str
    product: str
    status: Status
    quantity: Decimal
    lot: str | None = None


class Constructive(msgspec.Struct, frozen=True):
    """Body of `constructive`: a customs entry was accepted, and its goods are legally in the customs
    territory while they still lie in the zone; or it was rejected or cancelled, and they are back
    (19 CFR 146.61). `document` is the permit under which a door lets them out.
    """

    document: str
    accepted: bool
    goods: tuple[Entered, ...]
    happened: datetime
    by: str
    note: str


class Election(msgspec.Struct, frozen=True):
    """Body of `election`: from `since` on an owner's goods, or one product of them, are attributed by
    `method` (see `customs.ledger.elections`; 19 CFR 146.23(a)(2)). `authority` names what allows it.
    """

    owner: str
    method: Method
    since: datetime
    authority: str
    by: str
    product: str | None = None


class Cut(msgspec.Struct, frozen=True):
    """Body of `cut`: the books up to `until`, as they are known at this entry's place, never change again.

    `digest` is the SHA-256 of their canonical bytes: `lots` balances and `takes` attributions. `before` is
    the digest of the cut before this one, empty for the first.
    """

    number: str
    until: datetime
    digest: str
    lots: int
    takes: int
    before: str
    by: str
