# SPDX-License-Identifier: Apache-2.0
"""The papers a door works by: products, permits with their lines, conveyances with their loads.

Value types only: they hold what a paper says and know no store, no clock and no door.
Quantities are exact decimals in the line's unit; dates are calendar dates of the zone.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec


class Direction(StrEnum):
    """Which way goods cross: `in` to the zone (admission), `out` of it (withdrawal)."""

    IN = "in"
    OUT = "out"


class Status(StrEnum):
    """Zone status of merchandise (19 CFR 146.41-146.44), and `SUSPENSE` for goods whose papers are
    incomplete (19 CFR 146.22).
    """

    PF = "PF"
    NPF = "NPF"
    DOMESTIC = "D"
    RESTRICTED = "ZR"
    SUSPENSE = "SUSPENSE"


PERMIT_KINDS: Final = frozenset(
    {
        "admission",
        "weekly-entry",
        "entry",
        "warehouse",
        "warehouse-for-export",
        "export",
        "in-bond-export",
        "zone-transfer",
        "destruction",
        "supplies",
        "direct-delivery",
        "inward-processing",
    }
)
"""Kinds this version knows. A door meets another kind with a Hold: "update this dock". What goods leave for
on each is `customs.us.matrix.DISPOSITIONS`.
"""


class Product(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Merchandise as one GTIN-14 names it."""

    gtin: str
    name: str
    unit: str = "EA"
    per_pallet: Decimal | None = None


class PermitLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a permit: so much of one product in one status may cross in one direction. Goods of a
    quota leave only from `quota_opens` to `quota_closes`, inclusive dates of the zone (19 CFR 132.11).
    """

    line: str
    product: str
    status: Status
    quantity: Decimal
    unit: str
    direction: Direction
    quota_opens: date | None = None
    quota_closes: date | None = None


class Permit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document that lets goods cross: a 214 for admissions, an entry or other for withdrawals.

    `valid_from` and `valid_to` are inclusive dates of the zone. `rules` names rules beyond these
    fields; a door that does not know one of them holds the load.
    """

    number: str
    kind: str
    owner: str
    valid_from: date
    valid_to: date
    lines: tuple[PermitLine, ...]
    schema: str = "zonegate.permit.v1"
    rules: tuple[str, ...] = ()


class LineRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True, gc=False):
    """Names one permit line."""

    permit: str
    line: str

    def __str__(self) -> str:
        return f"{self.permit}/{self.line}"


class PlannedLoad(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one SSCC contains, by the notice that came with it. `expiry` is the last day on which the goods
    may be used, `imported` the day of their import, from which a warehouse's five years run.
    """

    sscc: str
    gtin: str
    quantity: Decimal
    owner: str
    status: Status
    lot: str | None = None
    expiry: date | None = None
    imported: date | None = None


class Conveyance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A truck at a door: one door job. `job` is the work order's name and unique in the zone.

    `permit_lines` are the only lines its loads may be booked on; `loads` are those expected.
    """

    job: str
    conveyance: str
    carrier: str
    door: str
    direction: Direction
    seals: tuple[str, ...] = ()
    permit_lines: tuple[LineRef, ...] = ()
    loads: tuple[PlannedLoad, ...] = ()
    in_bond: str | None = None
    schema: str = "zonegate.truck.v1"


class Holding(msgspec.Struct, frozen=True, gc=False):
    """A load that is in the zone now; `expiry` and `imported` as in the notice, the earliest known of what
    came under one key.
    """

    key: str
    sscc: str | None
    gtin: str
    quantity: Decimal
    unit: str
    owner: str
    status: Status
    lot: str | None = None
    expiry: date | None = None
    imported: date | None = None


def earliest(*days: date | None) -> date | None:
    """The earliest of the days that are known."""
    return min((day for day in days if day is not None), default=None)
