# SPDX-License-Identifier: Apache-2.0
"""Bodies of the entries by which people move goods on the zone's books: admission out of suspense, pick-up,
status, adjustment, constructive transfer, election, cut, locations and what is put away at them. The center's
alone. Nothing here decides anything.

Instants are UTC, quantities exact in the product's commercial unit.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from customs.documents import LineRef, Status
from customs.ledger.elections import Method
from customs.works.events import Piece
from customs.zone import Location


class Deposited(msgspec.Struct, frozen=True, gc=False):
    """So much of a lot in suspense; `product` is the load's key where nobody knew what was on it."""

    product: str
    lot: str
    quantity: Decimal


class Admitted(msgspec.Struct, frozen=True):
    """Body of `admitted`: the papers of goods in suspense have come, and the goods are admitted as `line` of
    the permit `document` (19 CFR 146.22(c), 146.32). From then on they are that line's: `owner`, `product`,
    `status`, in the unit `unit`.

    `deposits` are the lots in suspense that they are taken of; their deposits named `from_owner` and
    `from_product`, each empty where nobody knew. `off` and `on` are loads, as of a status change.
    """

    document: str
    line: str
    owner: str
    product: str
    status: Status
    unit: str
    happened: datetime
    by: str
    note: str
    from_owner: str
    from_product: str
    deposits: tuple[Deposited, ...]
    off: tuple[Piece, ...] = ()
    on: tuple[Piece, ...] = ()

    @property
    def ref(self) -> LineRef:
        """The permit line, whose zone lot the goods are from then on."""
        return LineRef(self.document, self.line)

    @property
    def quantity(self) -> Decimal:
        """How much is admitted."""
        return sum((one.quantity for one in self.deposits), Decimal(0))

    @property
    def charged(self) -> Decimal:
        """How much more of the permit line is used by it."""
        return self.quantity


class AdmissionUndone(msgspec.Struct, frozen=True):
    """Body of `admission-undone`: the admission out of suspense that the entry `admitted` told as of
    `corrected` never was. The goods are in suspense as they were deposited, and the line is used by so many
    less.

    What was admitted is said again, so that nobody has to look it up. `was` are the loads as they were
    deposited, `loads` those that the goods are on now, of which nothing moves; `lots` are the lots in
    suspense that these are of, one for each.
    """

    admitted: str
    corrected: datetime
    document: str
    line: str
    owner: str
    product: str
    status: Status
    unit: str
    quantity: Decimal
    happened: datetime
    by: str
    note: str
    from_owner: str
    from_product: str
    was: tuple[Piece, ...] = ()
    loads: tuple[Piece, ...] = ()
    lots: tuple[str, ...] = ()

    @property
    def ref(self) -> LineRef:
        """The permit line that is not used by it."""
        return LineRef(self.document, self.line)

    @property
    def charged(self) -> Decimal:
        """As of `Admitted`: so many less."""
        return -self.quantity


class Fetched(msgspec.Struct, frozen=True, gc=False):
    """So much of a permit line as the operator picked up."""

    line: str
    product: str
    status: Status
    quantity: Decimal
    unit: str


class PickUp(msgspec.Struct, frozen=True):
    """Body of `pick-up`: the operator itself fetched goods of the permit `document` in the district, and they
    are deemed admitted from then on, though they are not in the zone yet (19 CFR 146.40(b)). `approval` is
    the port director's for direct delivery (146.39(d)).
    """

    document: str
    owner: str
    goods: tuple[Fetched, ...]
    approval: str
    happened: datetime
    by: str
    note: str


class PickUpUndone(msgspec.Struct, frozen=True):
    """Body of `pick-up-undone`: the pick-up that the entry `pick_up` told never was. What has arrived was
    admitted as it arrived.
    """

    pick_up: str
    document: str
    happened: datetime
    by: str
    note: str


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


class Calendar(msgspec.Struct, frozen=True):
    """Body of `calendar`: from its place on, the zone's calendar days are those of a time zone, by its IANA
    name. Before the first they are those of UTC.
    """

    timezone: str


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


class LocationsDeclared(msgspec.Struct, frozen=True):
    """Body of `location`: places where goods may be put from now on (19 CFR 146.23(b)(1))."""

    locations: tuple[Location, ...]
    by: str


class StoredLoad(msgspec.Struct, frozen=True, gc=False):
    """A load, by the key that docks know it under, now stands at `to`: all of it, or `quantity`; from
    wherever it stood, or from `source` alone.
    """

    load: str
    to: str
    quantity: Decimal | None = None
    source: str | None = None


class PutAway(msgspec.Struct, frozen=True):
    """Body of `put-away`: loads were moved within the zone (19 CFR 146.23(b)(1))."""

    loads: tuple[StoredLoad, ...]
    happened: datetime
    by: str
    note: str = ""


class NotPut(msgspec.Struct, frozen=True, gc=False):
    """Of a put-away, the `n`th load that it told, from 0."""

    n: int
    load: str


class PutAwayCorrected(msgspec.Struct, frozen=True):
    """Body of `put-away-corrected`: of what the entry `put_away` told as of `corrected`, the `undone` never
    was; `loads` were put away at that instant in their place, as far as they were at all.
    """

    put_away: str
    corrected: datetime
    undone: tuple[NotPut, ...]
    loads: tuple[StoredLoad, ...]
    by: str
    note: str


class LocationClosing(msgspec.Struct, frozen=True):
    """Body of `location-closing`: from `happened` on nothing more is put away at the location `name`, or from
    then on it may be again. `loads` stood there when it was closed, and stay until they are put elsewhere.
    """

    name: str
    closed: bool
    happened: datetime
    by: str
    note: str
    loads: int = 0


LEDGER_BODIES: Final[dict[str, type[msgspec.Struct]]] = {
    "admitted": Admitted,
    "admission-undone": AdmissionUndone,
    "pick-up": PickUp,
    "pick-up-undone": PickUpUndone,
    "status-change": StatusChange,
    "adjustment": Adjustment,
    "constructive": Constructive,
    "election": Election,
    "calendar": Calendar,
    "cut": Cut,
    "location": LocationsDeclared,
    "location-closing": LocationClosing,
    "put-away": PutAway,
    "put-away-corrected": PutAwayCorrected,
}
"""By entry type; the schema of each is `zonegate.<type>.v1`."""
