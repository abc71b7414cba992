# SPDX-License-Identifier: Apache-2.0
"""Quantities of the ledger: the commercial one that people count, and the customs unit's beside it.

Sums are exact or they are refused; the one place that rounds is `split`, and what it gives away closes to
the whole. Knows no fact and no account.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import Final

import msgspec

EXACT: Final = Context(prec=50, traps=[Inexact, InvalidOperation, Overflow, DivisionByZero])
"""Sums of quantities: 50 digits hold any sum of a billion papers, and a lost digit is an error."""

CUSTOMS_DECIMALS: Final = 6
"""Digits of a customs quantity behind the point: kilograms to the milligram."""

_ROUNDED: Final = Context(prec=50, traps=[InvalidOperation, Overflow, DivisionByZero])
_UNIT: Final = Decimal(1).scaleb(-CUSTOMS_DECIMALS)


class Pair(msgspec.Struct, frozen=True, gc=False):
    """So much in the commercial unit and in the customs unit of a lot."""

    commercial: Decimal
    customs: Decimal

    def __add__(self, other: Pair) -> Pair:
        return Pair(EXACT.add(self.commercial, other.commercial), EXACT.add(self.customs, other.customs))

    def __sub__(self, other: Pair) -> Pair:
        return Pair(
            EXACT.subtract(self.commercial, other.commercial), EXACT.subtract(self.customs, other.customs)
        )

    def __neg__(self) -> Pair:
        return NOTHING - self

    def __bool__(self) -> bool:
        return bool(self.commercial or self.customs)


NOTHING: Final = Pair(Decimal(0), Decimal(0))


def customs_quantity(quantity: Decimal, whole: Pair) -> Decimal:
    """`quantity` commercial units in the customs unit, when `whole` is what the paper says of both; to
    CUSTOMS_DECIMALS digits, half to even.
    """
    if not whole.commercial:
        return Decimal(0)
    exact = _ROUNDED.divide(_ROUNDED.multiply(whole.customs, quantity), whole.commercial)
    return exact.quantize(_UNIT, ROUND_HALF_EVEN, _ROUNDED)


class Factors(msgspec.Struct, frozen=True):
    """Customs units of one unit of an owner's product, each from a day of the zone's calendar on, the latest
    known last.
    """

    rows: tuple[tuple[date, Decimal], ...] = ()
    zone: tzinfo = UTC

    def whole(self, at: datetime) -> Pair:
        """One unit in both units at an instant; one to one where nothing is on file for its day."""
        day = at.astimezone(self.zone).date()
        known = [(since, place) for place, (since, _) in enumerate(self.rows) if since <= day]
        return Pair(Decimal(1), self.rows[max(known)[1]][1] if known else Decimal(1))


def split(total: Pair, left: Pair, taken: Decimal) -> Pair:
    """`taken` commercial units of a layer of `total` of which `left` is still there.

    The customs unit is shared by what was taken in all (cumulative rounding): whatever the takes are, their
    customs quantities sum to the whole and none is negative.
    """
    if taken == left.commercial:
        return left
    gone = EXACT.subtract(total.commercial, left.commercial)
    upto = customs_quantity(EXACT.add(gone, taken), total)
    given = EXACT.subtract(total.customs, left.customs)
    return Pair(taken, EXACT.subtract(upto, given))
