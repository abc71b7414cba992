# SPDX-License-Identifier: Apache-2.0
"""Dutiable value: of goods as they came, of a part of a line, of scrap, of damaged goods, and by default."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from customs.law import LawError
from customs.tariff.rounding import Rounding, part, total
from customs.zone import Values


class ValueRefused(LawError):
    """Elements that give no value."""


def dutiable(values: Values) -> Decimal:
    """Price and statutory additions less international freight and insurance and United States inland
    freight, as far as they are in the price (19 CFR 146.65(b)(1)-(2)). Exact.

    Raises `ValueRefused` when that is below zero.
    """
    value = values.dutiable()
    if value < 0:
        raise ValueRefused(f"The freights are more than the price: {value}. Correct the value elements.")
    return value


def part_of(values: Values, quantity: Decimal, of: Decimal) -> Values:
    """The value elements of `quantity` of the `of` units that they are for, each to six decimals.

    Section: 19 CFR 146.65(b), own reading of how a part is valued. Raises `ValueRefused` outside 0 to `of`.
    """
    if not 0 <= quantity <= of or not of:
        raise ValueRefused(f"{quantity} is no part of {of}.")
    return Values(*(part(each, quantity, of) for each in _elements(values)))


def by_default(
    zone_value: Decimal, processing: Decimal, expenses: Decimal, profit: Decimal, freights: Decimal
) -> Decimal:
    """Where no price caused the admission: what the goods are worth in the zone, less zone costs of
    processing, general expenses, profit, and freights (19 CFR 146.65(b)(2)).

    Raises `ValueRefused` when nothing is left.
    """
    value = total(zone_value, -processing, -expenses, -profit, -freights)
    if value < 0:
        raise ValueRefused(f"Costs are more than the zone value: {value}. Correct the value elements.")
    return value


def scrap(sale_price: Decimal) -> Values:
    """The value of recoverable waste: the price to the zone's seller (19 CFR 146.65(b)(2))."""
    return Values(sale_price)


def damaged(values: Values, allowance: Decimal) -> Values:
    """The values after an allowance for damage that customs granted (19 CFR 146.65(b)(3)).

    Raises `ValueRefused` when the allowance is below zero or more than the goods' value.
    """
    if not 0 <= allowance <= dutiable(values):
        raise ValueRefused(f"An allowance of {allowance} on goods worth {dutiable(values)} cannot be.")
    return Values(total(values.price, -allowance), *_elements(values)[1:])


def whole_dollars(values: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """Values as an ad valorem rate applies to them on a summary: under 50 cents dropped, from 50 cents up one
    more, then trimmed so that their sum is the sum's own rounding (19 CFR 159.3(a); that those are
    trimmed which moved most is an own reading).
    """
    rounded = [Rounding.DOLLAR_159_3(value) for value in values]
    excess = int(total(*rounded, -Rounding.DOLLAR_159_3(total(*values))))
    step = 1 if excess > 0 else -1
    moved = sorted(range(len(rounded)), key=lambda at: step * (values[at] - rounded[at]))
    for at in moved[: abs(excess)]:
        rounded[at] -= step
    return tuple(rounded)


def _elements(values: Values) -> tuple[Decimal, ...]:
    return (values.price, values.additions, values.intl_freight, values.intl_insurance, values.us_inland)
