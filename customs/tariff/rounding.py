# SPDX-License-Identifier: Apache-2.0
"""Arithmetic of money: exact, and rounded only where a policy has a name.

Knows no rate and no line.
"""

from __future__ import annotations

from decimal import (
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from enum import Enum
from typing import Final

from customs.ledger.quantities import EXACT

_NAMED: Final = Context(prec=50, traps=[InvalidOperation, Overflow, DivisionByZero])


class Rounding(Enum):
    """The policies: the unit they round to, how a half goes, and where they stand."""

    CENT_HALF_UP = (Decimal("0.01"), ROUND_HALF_UP, "from memory: duty and fees are stated in cents")
    DOLLAR_159_3 = (Decimal(1), ROUND_HALF_UP, "19 CFR 159.3(a)")
    UNITS_159_3 = (Decimal(1), ROUND_HALF_UP, "19 CFR 159.3(b)")
    QUANTITY = (Decimal("0.000001"), ROUND_HALF_EVEN, "own reading: a quantity in another unit")
    VALUE_PART = (Decimal("0.000001"), ROUND_HALF_EVEN, "own reading: a part of a line's value")

    def __init__(self, unit: Decimal, half: str, source: str) -> None:
        self.unit = unit
        self.half = half
        self.source = source

    def __call__(self, exact: Decimal) -> Decimal:
        """The figure in the policy's unit."""
        return exact.quantize(self.unit, self.half, _NAMED)


def times(*factors: Decimal) -> Decimal:
    """The exact product.

    Raises `decimal.Inexact` when 50 digits do not hold it.
    """
    product = Decimal(1)
    for factor in factors:
        product = EXACT.multiply(product, factor)
    return product


def total(*terms: Decimal) -> Decimal:
    """The exact sum.

    Raises `decimal.Inexact` when 50 digits do not hold it.
    """
    together = Decimal(0)
    for term in terms:
        together = EXACT.add(together, term)
    return together


def part(whole: Decimal, quantity: Decimal, of: Decimal, rounding: Rounding = Rounding.VALUE_PART) -> Decimal:
    """`quantity` of `of` parts of a whole, by a named rounding."""
    return rounding(_NAMED.divide(_NAMED.multiply(whole, quantity), of))
