# SPDX-License-Identifier: Apache-2.0
"""What a work order's steps are: the bodies of `order` entries, and what people ask for.

Every step is one `OrderEvent`, which carries all that the ledger must know: goods issued by owner, product
and status, what was made, scrap, waste, what went back. Values only.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final

import msgspec

from customs.documents import Status
from customs.works.boms import Bom

PLANNED: Final = "planned"
STARTED: Final = "started"
REPORTED: Final = "reported"
CLOSED: Final = "closed"
CORRECTED: Final = "corrected"

ROWS_MAX: Final = 500
"""Loads, scraps or returns of one step; an order that takes more is split."""

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]([A-Z0-9-]{0,22}[A-Z0-9])?\Z")]
Text = Annotated[str, msgspec.Meta(max_length=120, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Person = Annotated[str, msgspec.Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
Load = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
"""An SSCC, or the key that docks know a load under; several times what labels hold."""

Gtin = Annotated[str, msgspec.Meta(max_length=14)]
Note = Annotated[str, msgspec.Meta(max_length=500, pattern=r"^[^\x00]*\Z")]


# -- what an entry carries -------------------------------------------------------------------------


def load_key(name: str) -> str:
    """The key that docks know a load under, of its SSCC or of the key itself."""
    is_sscc = len(name) == 18 and name.isascii() and name.isdigit()
    return f"https://id.gs1.org/00/{name}" if is_sscc else name


class Piece(msgspec.Struct, frozen=True, gc=False):
    """So much of one load on the floor, by the key that docks know it under."""

    key: str
    quantity: Decimal
    sscc: str | None = None
    lot: str | None = None


class Issue(msgspec.Struct, frozen=True, omit_defaults=True):
    """Goods that went from stock to an order, or back: one product of the order's owner in one status. `lot`
    is the zone lot that they are of, where an election has goods attributed by it; empty takes them in line.
    """

    product: str
    status: Status
    quantity: Decimal
    unit: str
    loads: tuple[Piece, ...] = ()
    lot: str = ""


class Made(msgspec.Struct, frozen=True, omit_defaults=True):
    """A lot that came out of an order: its zone lot number, what it is and on which loads it stands."""

    lot: str
    product: str
    status: Status
    quantity: Decimal
    unit: str
    loads: tuple[Piece, ...] = ()


class Scrapped(msgspec.Struct, frozen=True, omit_defaults=True):
    """Waste of an input that became goods of its own: `taken` of the input is now `made`.

    `value` is what the scrap was sold for, in US dollars, all of it (19 CFR 146.65(b)(2)). `recovered` is
    False for what a casualty left, which keeps the status of the input.
    """

    input: str
    taken: Decimal
    made: Made
    value: Decimal
    recovered: bool = True


class Wasted(msgspec.Struct, frozen=True):
    """So much of an input that is gone and was not recovered."""

    input: Gtin
    quantity: Decimal


class Variance(msgspec.Struct, frozen=True):
    """An input as its bill has it for what was made, gross; and as it was: without what went back, and net of
    waste.
    """

    input: str
    unit: str
    expected: Decimal
    used: Decimal
    in_product: Decimal


class OrderEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Body of `order`: one step of a work order; `happened` is its instant (UTC), `on` the zone's calendar
    day of it.

    `event` is planned, started, reported, corrected or closed. The planned step carries product, quantity
    and unit; the started one the bill in force, the two papers, and what was issued; the reported one what
    more was issued, what went back, what was made (the product first, then co-products), scrap and waste.

    A corrected one says anew what was made, scrap and waste, in place of the step `corrects` (an entry's id).
    Its `happened` is that of the report, `corrected` its own instant; `off` and `on_loads` are what
    loads have less and more by it.
    """

    order: str
    event: str
    owner: str
    on: date
    happened: datetime
    by: str
    note: str = ""
    product: str = ""
    quantity: Decimal | None = None
    unit: str = ""
    bom: Bom | None = None
    permit: str = ""
    authority: str = ""
    issues: tuple[Issue, ...] = ()
    returned: tuple[Issue, ...] = ()
    made: tuple[Made, ...] = ()
    scrap: tuple[Scrapped, ...] = ()
    waste: tuple[Wasted, ...] = ()
    variances: tuple[Variance, ...] = ()
    corrects: str = ""
    corrected: datetime | None = None
    off: tuple[Made, ...] = ()
    on_loads: tuple[Made, ...] = ()


def pieces(event: OrderEvent) -> Iterator[tuple[bool, Issue | Made, Piece]]:
    """Each load on the floor that a step moves: whether it came, what goods it is of, how much."""
    if event.event == CORRECTED:
        for came, lots in ((False, event.off), (True, event.on_loads)):
            yield from ((came, made, piece) for made in lots for piece in made.loads)
        return
    for issue in event.issues:
        yield from ((False, issue, piece) for piece in issue.loads)
    for issue in event.returned:
        yield from ((True, issue, piece) for piece in issue.loads)
    for made in (*event.made, *(scrap.made for scrap in event.scrap)):
        yield from ((True, made, piece) for piece in made.loads)


# -- what people ask -------------------------------------------------------------------------------


class Take(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So much of a load: its key, or its SSCC. `lot` names the zone lot that it is of where the load's own
    papers do not, under an election to attribute goods by their lots.
    """

    load: Load
    quantity: Decimal
    lot: Annotated[str, msgspec.Meta(max_length=120, pattern=r"^[^\x00-\x1f\x7f]*\Z")] = ""


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Plan to make so much of a product of an owner."""

    order: Name
    owner: Person
    product: Gtin
    quantity: Decimal
    on: date
    by: Person
    note: Note = ""


class Start(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Begin an order: under which permit and authority, and which goods go to it."""

    order: Name
    on: date
    permit: Text
    authority: Text
    takes: Annotated[tuple[Take, ...], msgspec.Meta(min_length=1, max_length=ROWS_MAX)]
    by: Person
    note: Note = ""


class ScrapSaid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Scrap as it is reported: `taken` of an input is now `quantity` of `product` on a load."""

    input: Gtin
    taken: Decimal
    product: Gtin
    quantity: Decimal
    value: Decimal
    load: Load
    recovered: bool = True


class MadeSaid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A load that was made; `product` is empty for the order's own, or names a co-product."""

    load: Load
    quantity: Decimal
    product: Gtin = ""


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Say what came of an order: loads made, scrap, waste, what went back, what was taken besides."""

    order: Name
    on: date
    by: Person
    made: Annotated[tuple[MadeSaid, ...], msgspec.Meta(max_length=ROWS_MAX)] = ()
    scrap: Annotated[tuple[ScrapSaid, ...], msgspec.Meta(max_length=ROWS_MAX)] = ()
    waste: Annotated[tuple[Wasted, ...], msgspec.Meta(max_length=ROWS_MAX)] = ()
    returned: Annotated[tuple[Take, ...], msgspec.Meta(max_length=ROWS_MAX)] = ()
    takes: Annotated[tuple[Take, ...], msgspec.Meta(max_length=ROWS_MAX)] = ()
    note: Note = ""


class Correct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Say anew what was made of a reported order, its scrap and its waste: all of it, not the difference."""

    order: Name
    on: date
    by: Person
    note: Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[^\x00]+\Z")]
    made: Annotated[tuple[MadeSaid, ...], msgspec.Meta(max_length=ROWS_MAX)] = ()
    scrap: Annotated[tuple[ScrapSaid, ...], msgspec.Meta(max_length=ROWS_MAX)] = ()
    waste: Annotated[tuple[Wasted, ...], msgspec.Meta(max_length=ROWS_MAX)] = ()


class CloseOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """End an order: nothing of it changes any more."""

    order: Name
    on: date
    by: Person
    note: Note = ""
