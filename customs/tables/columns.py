# SPDX-License-Identifier: Apache-2.0
"""Columns of tables and what may stand in them: money, rates, tariff numbers, countries, yes and no.

Checks of single values as in `customs.fields`, and how a column is told in the docs. Knows no table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from customs import fields
from customs.fields import Check, Misfit

REQUIRED: Final = object()
"""The default of a column without one."""

MONEY_MAX: Final = Decimal(10) ** 12
"""US dollars of one line: more than a zone's goods of a year; a larger figure is a slipped column."""

RATE_MAX: Final = Decimal(100)
"""100 times the value. The highest deposits known are below ten times; a larger figure forgot the point."""

SPECIFIC_MAX: Final = Decimal(10) ** 6
"""US dollars for one unit."""

_TEXTS: Final = re.compile(r"[0-9]{1,13}(\.[0-9]{1,10})?\Z")
_ASCII: Final = re.compile(r"[0-9]{1,9}\Z")
_HTS: Final = re.compile(r"[0-9]{4}(\.?[0-9]{2}){0,3}\Z")
_HEADING: Final = re.compile(r"[0-9]{2,4}|[0-9]{4}(\.?[0-9]{1,2}){1,3}\Z")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, and field of its JSON form. Lists are separated by `between` in CSV, which is
    None for a single value. `what` is its line in the docs.
    """

    name: str
    check: Check
    what: str
    default: Any = REQUIRED
    between: str | None = None

    @property
    def required(self) -> bool:
        """Whether every row has a value here."""
        return self.default is REQUIRED


def many(
    name: str, item: Check, called: str, what: str, default: Any = REQUIRED, between: str = " "
) -> Column:
    """A column of several values of one kind, none twice; `called` is their word in faults."""
    return Column(name, fields.each(item, called), what, default, between)


def amount(most: Decimal, decimals: int, expected: str, next_step: str) -> Check:
    """An exact decimal from 0 to `most`, written as text in digits and at most one point."""
    expected = f"{expected}, from 0 to {most:f} with up to {decimals} decimals"

    def check(value: Any) -> Decimal:
        if not isinstance(value, str):
            raise Misfit(
                f"{expected}, as text", 'Put it in quotes, such as "0.05": numbers lose digits on their way.'
            )
        if not _TEXTS.match(value):
            raise Misfit(expected, f"Write digits and at most one point. {next_step}")
        if len(value.partition(".")[2]) > decimals or (number := Decimal(value)) > most:
            raise Misfit(expected, next_step)
        return number

    return check


MONEY: Final = amount(
    MONEY_MAX, 6, "an amount in US dollars", "No sign, exponent, currency mark or separator of thousands."
)
RATE: Final = amount(RATE_MAX, 10, "a fraction of the value", "5 % is 0.05.")
SPECIFIC: Final = amount(SPECIFIC_MAX, 10, "US dollars for one unit", "3 cents are 0.03.")


def whole(least: int, most: int, expected: str) -> Check:
    """A whole number in bounds, written as text in digits."""
    expected = f"{expected}, a whole number from {least} to {most}"

    def check(value: Any) -> int:
        if not isinstance(value, str):
            raise Misfit(f"{expected}, as text", "Put it in quotes.")
        if not _ASCII.match(value) or not least <= int(value) <= most:
            raise Misfit(expected, "Correct the figure.")
        return int(value)

    return check


def yes(value: Any) -> bool:
    """`yes` or `no`; in JSON also true or false."""
    if isinstance(value, bool):
        return value
    if value not in ("yes", "no"):
        raise Misfit("yes or no", "Write one of these two words.")
    return bool(value == "yes")


def hts(value: Any) -> str:
    """A tariff number of 4, 6, 8 or 10 digits; points are taken away."""
    if not isinstance(value, str) or not value.isascii() or not _HTS.match(value):
        raise Misfit(
            "a tariff number of 4, 6, 8 or 10 digits, such as 8413.70.20",
            "Write it as text with its leading zeros.",
        )
    return value.replace(".", "")


def heading(value: Any) -> str:
    """The first 2 to 10 digits of tariff numbers; points are taken away."""
    if not isinstance(value, str) or not value.isascii() or not _HEADING.fullmatch(value):
        raise Misfit("the first 2 to 10 digits of tariff numbers, such as 7616 or 8501.31", "Correct it.")
    return value.replace(".", "")


COUNTRY: Final = fields.coded(
    "[A-Z]{2}", "a country as two capital letters (ISO 3166), such as JP", "Write its code, not its name."
)
ANY_COUNTRY: Final = fields.coded(
    r"[A-Z]{2}|\*", "a country as two capital letters (ISO 3166), or * for all", "Write codes, not names."
)
PORT: Final = fields.coded(
    "[0-9]{4}", "a Schedule D port code of four digits", "Write it as text with its leading zeros."
)
CASE: Final = fields.coded(
    "[AC]-[0-9]{3}-[0-9]{3}", "a case number such as A-570-967 or C-570-968", "Correct its spelling."
)
SPI: Final = fields.coded(
    r"[A-Z]{1,2}[+*]?", "a preference symbol such as KR, S or S+", "Write the symbol as the tariff has it."
)
COLUMN: Final = fields.coded(
    r"general|2|[A-Z]{1,2}[+*]?", "`general`, `2`, or a preference symbol such as KR", "Correct it."
)
"""A tariff row's column: its symbols are those of HTSUS general note 3(c)."""
