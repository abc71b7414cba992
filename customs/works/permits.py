# SPDX-License-Identifier: Apache-2.0
"""The papers without which nothing is made in a zone: the permit for the activity, the production authority.

Value types and their answers; knows no store and no clock, the day comes in.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Final

import msgspec

HEADING_DIGITS: Final = 6
"""A production authority names materials and products by six digits of the tariff (15 CFR 400.22(b))."""

BLANKET_DAYS_MAX: Final = 366
"""A blanket permit for an activity runs for at most one year (19 CFR 146.52(b))."""


class Activity(StrEnum):
    """What is done to goods in a zone (19 USC 81c(a), 19 CFR 146.51)."""

    MANIPULATE = "manipulate"
    MANUFACTURE = "manufacture"
    EXHIBIT = "exhibit"
    DESTROY = "destroy"


class ActivityPermit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An approved customs form 216: one owner's goods, one activity, one zone, both dates included."""

    number: str
    activity: Activity
    owner: str
    zone: str
    valid_from: date
    valid_to: date

    def faults(self, activity: Activity, owner: str, zone: str, day: date) -> Iterator[str]:
        """Why it does not cover an activity on a day; nothing where it does (19 CFR 146.52(a))."""
        if self.activity is not activity:
            yield f"permit {self.number} is to {self.activity}, not to {activity}"
        if self.owner != owner:
            yield f"permit {self.number} is {self.owner}'s, the goods are {owner}'s"
        if self.zone != zone:
            yield f"permit {self.number} is for zone {self.zone}, this is {zone}"
        if not self.valid_from <= day <= self.valid_to:
            yield f"permit {self.number} is valid from {self.valid_from} to {self.valid_to}, not on {day}"


class Authority(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the FTZ Board authorized one producer to make in a zone, and of which foreign materials.

    `materials` and `products` are tariff headings of six digits. Any production activity needs it, also one
    that only exports or uses privileged goods alone (15 CFR 400.14(a)-(b)).
    """

    number: str
    owner: str
    zone: str
    materials: tuple[str, ...]
    products: tuple[str, ...]
    valid_from: date
    valid_to: date | None = None

    def faults(self, owner: str, zone: str, day: date) -> Iterator[str]:
        """Why it is not this producer's authority on a day; nothing where it is."""
        if self.owner != owner:
            yield f"authority {self.number} is {self.owner}'s, the goods are {owner}'s"
        if self.zone != zone:
            yield f"authority {self.number} is for zone {self.zone}, this is {zone}"
        if day < self.valid_from or (self.valid_to is not None and day > self.valid_to):
            until = self.valid_to or "further notice"
            yield f"authority {self.number} is valid from {self.valid_from} to {until}, not on {day}"

    def covers_material(self, hts: str) -> bool:
        """Whether a foreign material of this tariff number may be used."""
        return hts[:HEADING_DIGITS] in self.materials

    def covers_product(self, hts: str) -> bool:
        """Whether a product of this tariff number may be made."""
        return hts[:HEADING_DIGITS] in self.products
