# SPDX-License-Identifier: Apache-2.0
"""What a rate makes of a value and quantities: the rate codes of the tariff, exact and unrounded.

Knows no date, no row and no status: whoever asks has found the rate.
"""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from customs.law import SERVED, UNSERVED, LawError, Rate
from customs.tariff.rounding import Rounding, part, times
from customs.units import Unconvertible, ratio


class RateRefused(LawError):
    """A rate that is not computed, or lacks what it is computed from."""


class Measure(msgspec.Struct, frozen=True):
    """So much of a unit."""

    amount: Decimal
    unit: str


class Part(msgspec.Struct, frozen=True):
    """One part of a duty: `basis` at `rate` is `exact` US dollars. `words` says it for people."""

    words: str
    basis: Decimal
    rate: Decimal
    exact: Decimal


_SPECIFIC_FIRST: Final = frozenset("1346")
_SPECIFIC_SECOND: Final = frozenset("25")
_OTHER: Final = frozenset("36")
_ADVALOREM: Final = frozenset("4567")

_PRINTED: Final = MappingProxyType(
    {
        "kg": "KGM",
        "kgs": "KGM",
        "g": "GRM",
        "t": "TNE",
        "no": "EA",
        "each": "EA",
        "pcs": "EA",
        "doz": "DZN",
        "prs": "PR",
        "m": "MTR",
        "m²": "MTK",
        "m³": "MTQ",
        "liter": "LTR",
        "liters": "LTR",
    }
)
"""Units as the tariff prints them, by their codes on the zone's papers. From memory of the HTSUS."""


def needs(code: str) -> tuple[bool, bool]:
    """Whether a code needs the first quantity and the second (USITC code key, section A).

    Raises `RateRefused` for a code that is not computed.
    """
    refuse_unserved(code)
    return code in _SPECIFIC_FIRST, code in _SPECIFIC_SECOND | _OTHER


def refuse_unserved(code: str) -> None:
    """Let pass the codes 0 to 7 (USITC code key, section A).

    Raises `RateRefused` that names any other.
    """
    if code in SERVED:
        return
    if code in UNSERVED:
        raise RateRefused(
            f"Rate code {code} is not computed: {UNSERVED[code]}. Work this line out by the tariff's text."
        )
    raise RateRefused(f"There is no rate code {code[:8]!r}; codes are 0 to 7. Correct the tariff row.")


def converted(measures: tuple[Measure, ...], unit: str) -> Decimal:
    """The first of the measures that converts, in this unit to six decimals (USITC code key, section A: rates
    stand on quantities in their unit).

    Raises `RateRefused` when none converts: a duty per kilogram needs kilograms, not pieces.
    """
    for measure in measures:
        try:
            share = ratio(unit_code(measure.unit), unit_code(unit))
        except Unconvertible:
            continue
        return part(measure.amount, Decimal(share.numerator), Decimal(share.denominator), Rounding.QUANTITY)
    has = ", ".join(f"{measure.amount:f} {measure.unit}" for measure in measures) or "no quantity"
    raise RateRefused(
        f"The rate is for one {unit} and the line has {has}: that does not convert. "
        f"State the customs quantity in {unit}."
    )


def unit_code(unit: str) -> str:
    """A unit as the zone's papers code it, whether the tariff printed it or a paper wrote it."""
    name = unit.strip().rstrip(".").lower()
    return _PRINTED.get(name, name.upper())


def same_rate(one: Rate, other: Rate) -> bool:
    """Whether two rates are one (USITC code key, section A), also when their units are spelled apart."""
    return _spelled(one) == _spelled(other)


def _spelled(rate: Rate) -> tuple[object, ...]:
    units = (None if unit is None else unit_code(unit) for unit in (rate.unit1, rate.unit2))
    return (rate.code, rate.specific, rate.advalorem, rate.other, *units)


def duty_parts(rate: Rate, value: Decimal, measures: tuple[Measure, ...]) -> tuple[Part, ...]:
    """What goods of this dutiable value and these quantities owe, part by part (USITC code key, section A).

    The duty is the sum of the parts, exact; a free rate has none. Raises `RateRefused` for codes other than
    0 to 7, a part that the row lacks, and a quantity that does not convert.
    """
    refuse_unserved(rate.code)
    parts = []
    if rate.code in _SPECIFIC_FIRST:
        parts.append(_specific(_given(rate.specific, rate, "specific"), rate.unit1, rate, measures))
    if rate.code in _SPECIFIC_SECOND:
        parts.append(_specific(_given(rate.specific, rate, "specific"), rate.unit2, rate, measures))
    if rate.code in _OTHER:
        parts.append(_specific(_given(rate.other, rate, "other"), rate.unit2, rate, measures))
    if rate.code in _ADVALOREM:
        fraction = _given(rate.advalorem, rate, "ad valorem")
        words = f"{_plain(value)} at {percent(fraction)}"
        parts.append(Part(words, value, fraction, times(value, fraction)))
    return tuple(parts)


def _specific(each: Decimal, unit: str | None, rate: Rate, measures: tuple[Measure, ...]) -> Part:
    if unit is None:
        raise RateRefused(
            f"The row of rate code {rate.code} does not say for which unit. Complete the tariff row."
        )
    amount = converted(measures, unit)
    words = f"{_plain(amount)} {unit} at {_plain(each)}"
    return Part(words, amount, each, times(amount, each))


def _given(value: Decimal | None, rate: Rate, name: str) -> Decimal:
    if value is None:
        raise RateRefused(f"The row of rate code {rate.code} has no {name} rate. Complete the tariff row.")
    return value


def percent(fraction: Decimal) -> str:
    """0.025 as `2.5 %`."""
    return f"{_plain(times(fraction, Decimal(100)))} %"


def _plain(number: Decimal) -> str:
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
