# SPDX-License-Identifier: Apache-2.0
"""Customs data of the zone's goods: what a product is to customs, what an admission declared of a line.

Value types that cross rooms. They hold what papers say: no store, no clock, no rate and no balance.
Quantities and money are exact decimals, money in US dollars; dates are calendar dates of the zone.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from customs.documents import Status

ZERO: Final = Decimal(0)


class Mode(StrEnum):
    """How goods came to the United States; the harbor fee asks for this and the port of unlading, never for
    the truck at the zone's door (19 CFR 24.24(e)(2)).
    """

    VESSEL = "vessel"
    AIR = "air"
    TRUCK = "truck"
    RAIL = "rail"


class Values(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Value elements of a whole line in US dollars (19 CFR 146.65(b)).

    `price` is what was paid or is payable in the sale that caused the admission, `additions` are the
    statutory ones (19 USC 1401a(b)(1)). The three freights are named as far as the price includes them, and
    are 0 where it does not.
    """

    price: Decimal
    additions: Decimal = ZERO
    intl_freight: Decimal = ZERO
    intl_insurance: Decimal = ZERO
    us_inland: Decimal = ZERO

    def dutiable(self) -> Decimal:
        """Dutiable value of the whole line, exact: price and additions without what brought the goods here
        (19 CFR 146.65(b)(1)-(2)). A reader of files lets no line in whose value is below zero.
        """
        return self.price + self.additions - self.intl_freight - self.intl_insurance - self.us_inland


class CustomsProduct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one owner's product is to customs from a day on; stands beside `customs.documents.Product`.

    `hts` is the HTSUS number in 4 to 10 digits without points, None only for domestic goods that were never
    classified. `origin` is an ISO 3166 code of two letters. One commercial `unit` is `factor` customs units.
    `expiry_days` are days from admission to expiry where a line names no date. Both dates are inclusive.
    """

    gtin: str
    owner: str
    hts: str | None
    origin: str
    unit: str
    customs_unit: str
    factor: Decimal
    description: str
    valid_from: date
    valid_to: date | None = None
    expiry_days: int | None = None


class AdmissionLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a 214 as it was declared (19 CFR 146.32): its document and line name the zone lot.

    `import_date` begins the five years of 146.64(d) and is None only for goods of the United States;
    `admitted` is the day of admission once known, else the day that goods come through the door counts;
    `pf_filed` is the day that privileged status was asked for in proper form (146.41), set for PF alone.
    `customs_quantity` is what all of `quantity` is in customs units. `port_unlading` is a Schedule D code of
    four digits. `adcvd` are numbers of antidumping and countervailing duty cases, and `producer` whose
    deposit rate counts in them. `spi` is the symbol of a preference that is claimed.
    """

    document: str
    line: str
    owner: str
    product: str
    status: Status
    quantity: Decimal
    unit: str
    customs_quantity: Decimal
    customs_unit: str
    hts: str | None
    origin: str
    import_date: date | None
    values: Values
    mode: Mode
    admitted: date | None = None
    pf_filed: date | None = None
    port_unlading: str | None = None
    expiry: date | None = None
    adcvd: tuple[str, ...] = ()
    producer: str | None = None
    spi: str | None = None

    @property
    def lot(self) -> str:
        """The zone lot number that these goods get (146.22(a), 146.23(a)(1))."""
        return f"{self.document}/{self.line}"


class Location(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A place in the zone where goods are stored: its name, as on its label, and what people say of it
    (19 CFR 146.23(b)(1)).
    """

    name: str
    description: str = ""


class OpeningBalance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A lot that was in the zone before these books began: what is left of its admission at the start of
    `as_of`. `on_hand` and `customs_on_hand` are the rest in both units, at most what the admission was of.
    """

    lot: str
    as_of: date
    on_hand: Decimal
    customs_on_hand: Decimal
    admission: AdmissionLine
