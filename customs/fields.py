# SPDX-License-Identifier: Apache-2.0
"""Checks of single values as papers carry them: text, codes, quantities, dates.

Each check takes what a file held and returns the value, or raises `Misfit` with what was expected and
what to do. Everything is hostile: text is bounded, printable, and starts no spreadsheet formula.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

Check = Callable[[Any], Any]
"""Turns a raw value into a typed one, or raises `Misfit`."""

CheckDigit = Callable[[str], str]
"""The GS1 check digit of a run of digits; handed in, so that the rule stands in one place."""

QUANTITY_MAX: Final = Decimal(10) ** 9
"""No dock moves a billion units of one line; a larger figure is a slipped column."""

QUANTITY_DECIMALS_MAX: Final = 6
"""Kilograms to the milligram; the center keeps every digit that is let in."""

YEAR_MIN: Final = 2000
YEAR_MAX: Final = 2100

LIST_MAX: Final = 200
"""Seals, permit lines or rules that one paper may name."""

_FORMULA: Final = "=+-@\t\r"
_QUANTITY: Final = re.compile(r"[0-9]{1,10}(\.[0-9]{1,6})?\Z")
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})\Z")


class Misfit(Exception):
    """A value that does not fit: what was expected, what to do next."""

    def __init__(self, expected: str, next_step: str) -> None:
        super().__init__(expected)
        self.expected = expected
        self.next_step = next_step


def text(length_max: int) -> Check:
    """Printable text of 1 to `length_max` characters that no spreadsheet takes for a formula."""
    expected = f"text of 1 to {length_max} characters"

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise Misfit(expected, "Write it as text in quotes.")
        if not value or value != value.strip() or len(value) > length_max:
            raise Misfit(f"{expected}, no blank at either end", "Shorten or complete it.")
        if value[0] in _FORMULA:
            raise Misfit(
                "text that does not start with =, +, - or @",
                "Such text is a formula to a spreadsheet; take the sign away.",
            )
        if any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for char in value):
            raise Misfit("printable text", "Remove the control or invisible characters.")
        return value

    return check


def coded(pattern: str, expected: str, next_step: str) -> Check:
    """Text that a pattern matches from end to end."""
    compiled = re.compile(pattern)

    def check(value: Any) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise Misfit(expected, next_step)
        return value

    return check


def choice(values: Collection[str], make: Callable[[str], Any] = str) -> Check:
    """One of the given words."""
    expected = "one of " + ", ".join(sorted(values))

    def check(value: Any) -> Any:
        if not isinstance(value, str) or value not in values:
            raise Misfit(expected, "Use one of these words, spelled like this.")
        return make(value)

    return check


def digits(length: int, name: str, check_digit: CheckDigit) -> Check:
    """A GS1 key of `length` digits whose last is the right check digit."""
    expected = f"a {name} of {length} digits"

    def check(value: Any) -> str:
        if not isinstance(value, str) or len(value) != length or not (value.isascii() and value.isdigit()):
            short = "; a shorter GTIN gets leading zeros" if name == "GTIN" else ""
            raise Misfit(expected, f"Write all {length} digits as text{short}.")
        right = check_digit(value[:-1])
        if value[-1] != right:
            raise Misfit(f"{expected} that ends in its check digit {right}", "Compare it with the label.")
        return value

    return check


def quantity(value: Any) -> Decimal:
    """An exact decimal above zero, written as text."""
    expected = f"a quantity above 0, at most {QUANTITY_MAX:f}, with up to {QUANTITY_DECIMALS_MAX} decimals"
    if not isinstance(value, str):
        raise Misfit(
            f"{expected}, as text", 'Put it in quotes, such as "800": numbers lose digits on their way.'
        )
    if not _QUANTITY.match(value):
        raise Misfit(expected, "Write digits and at most one point: no sign, exponent or separator.")
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise Misfit(expected, "Write it in digits.") from error
    if not 0 < number <= QUANTITY_MAX:
        raise Misfit(expected, "Correct the figure.")
    return number


def day(value: Any) -> date:
    """A calendar date as YYYY-MM-DD, in the years that papers can have."""
    expected = f"a date as YYYY-MM-DD, years {YEAR_MIN} to {YEAR_MAX}"
    found = _DATE.match(value) if isinstance(value, str) and value.isascii() else None
    if found is None:
        raise Misfit(expected, "Write year, month and day with hyphens.")
    try:
        parsed = date(*map(int, found.groups()))
    except ValueError as error:
        raise Misfit(expected, "There is no such day in the calendar.") from error
    if not YEAR_MIN <= parsed.year <= YEAR_MAX:
        raise Misfit(expected, "Correct the year.")
    return parsed


def each(item: Check, many: str) -> Check:
    """A list of up to LIST_MAX values of one kind, no value twice."""
    expected = f"a list of up to {LIST_MAX} {many}"

    def check(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) > LIST_MAX:
            raise Misfit(expected, 'Write a list such as ["A", "B"].')
        items = tuple(item(one) for one in value)
        if len(set(items)) != len(items):
            raise Misfit(f"{expected}, none of them twice", "Take the second one out.")
        return items

    return check


UNIT: Final = coded("[A-Z0-9]{1,6}", "a unit of 1 to 6 of A-Z and 0-9, such as EA or KGM", "Correct it.")
"""A unit of quantity."""

NUMBER: Final = coded(
    "[A-Za-z0-9][A-Za-z0-9._-]{0,39}",
    "a number of 1 to 40 letters, digits, points, hyphens",
    "Correct its spelling.",
)
"""A document's number."""

LINE: Final = coded(
    "[A-Za-z0-9][A-Za-z0-9-]{0,9}", "a line of 1 to 10 letters, digits, hyphens", "Correct its spelling."
)
"""A document's line."""
