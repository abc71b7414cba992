# SPDX-License-Identifier: Apache-2.0
"""Units of quantity and what converts into what, exactly.

The codes are those of UN/ECE Recommendation 20 that zone papers use, and a few everyday spellings. A unit
that is not listed converts into itself alone. Pure.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Final

_MASS: Final = "mass"
_LENGTH: Final = "length"
_AREA: Final = "area"
_VOLUME: Final = "volume"
_COUNT: Final = "count"

_UNITS: Final[dict[str, tuple[str, Decimal]]] = {
    "EA": (_COUNT, Decimal(1)),
    "PCE": (_COUNT, Decimal(1)),
    "NO": (_COUNT, Decimal(1)),
    "PR": (_COUNT, Decimal(2)),
    "DZN": (_COUNT, Decimal(12)),
    "DOZ": (_COUNT, Decimal(12)),
    "MGM": (_MASS, Decimal("0.001")),
    "GRM": (_MASS, Decimal(1)),
    "G": (_MASS, Decimal(1)),
    "KGM": (_MASS, Decimal(1000)),
    "KG": (_MASS, Decimal(1000)),
    "TNE": (_MASS, Decimal(1_000_000)),
    "T": (_MASS, Decimal(1_000_000)),
    "LBR": (_MASS, Decimal("453.59237")),
    "ONZ": (_MASS, Decimal("28.349523125")),
    "MMT": (_LENGTH, Decimal(1)),
    "CMT": (_LENGTH, Decimal(10)),
    "MTR": (_LENGTH, Decimal(1000)),
    "M": (_LENGTH, Decimal(1000)),
    "KMT": (_LENGTH, Decimal(1_000_000)),
    "INH": (_LENGTH, Decimal("25.4")),
    "FOT": (_LENGTH, Decimal("304.8")),
    "MTK": (_AREA, Decimal(1)),
    "M2": (_AREA, Decimal(1)),
    "FTK": (_AREA, Decimal("0.09290304")),
    "MLT": (_VOLUME, Decimal(1)),
    "LTR": (_VOLUME, Decimal(1000)),
    "L": (_VOLUME, Decimal(1000)),
    "HLT": (_VOLUME, Decimal(100_000)),
    "MTQ": (_VOLUME, Decimal(1_000_000)),
    "M3": (_VOLUME, Decimal(1_000_000)),
}
"""Dimension and size of each, in the dimension's smallest unit here; pound, ounce, inch and foot are the
international ones, exact by definition."""


class Unconvertible(Exception):
    """Two units measure different things, or one of them is not known; the message says what to do."""


def is_counted(unit: str) -> bool:
    """Whether goods are counted in it, and come in whole ones."""
    return _UNITS.get(unit, ("", Decimal(1)))[0] == _COUNT


def ratio(unit: str, to: str) -> Fraction:
    """How many units of `to` one `unit` is, exactly. Raises Unconvertible."""
    if unit == to:
        return Fraction(1)
    for one in (unit, to):
        if one not in _UNITS:
            raise Unconvertible(
                f"{one} converts into no other unit here; write the quantity in the product's own unit."
            )
    (dimension, size), (other, other_size) = _UNITS[unit], _UNITS[to]
    if dimension != other:
        raise Unconvertible(
            f"{unit} measures {dimension}, {to} measures {other}; write it in the product's own unit."
        )
    return Fraction(size) / Fraction(other_size)
