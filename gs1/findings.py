# SPDX-License-Identifier: Apache-2.0
"""What a check finds in a piece of text, and the findings that several checks share. Know no identifier.

A finding is None when the text is fine, else where in the text the trouble starts and the middle of a
sentence: what came and what was expected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from .printable import shown

__all__ = [
    "CHARSETS",
    "Finding",
    "Linter",
    "charset_finding",
    "company_prefix_finding",
    "date_finding",
    "digits_finding",
]

Finding = tuple[int, str] | None
Linter = Callable[[str], Finding]

_DIGITS = "0123456789"
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS = _UPPER + _UPPER.lower()

# GS1 General Specifications, section 7.11: the characters of ISO/IEC 646 that a component may hold.
CHARSETS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "N": frozenset(_DIGITS),
        "X": frozenset("!\"%&'()*+,-./:;<=>?_" + _DIGITS + _LETTERS),
        "Y": frozenset("#-/" + _DIGITS + _UPPER),
        "Z": frozenset("-_=" + _DIGITS + _LETTERS),
    }
)
_CHARSET_WORDS = {
    "N": "a digit",
    "X": "a character of GS1 character set 82",
    "Y": "a character of GS1 character set 39",
    "Z": "a character of base64url",
}

_COMPANY_PREFIX_DIGITS_MIN = 4  # no GS1 company prefix is shorter
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def charset_finding(text: str, charset: str) -> Finding:
    """The first character of `text` that is not of `charset`, one of the keys of CHARSETS."""
    allowed = CHARSETS[charset]
    for position, character in enumerate(text):
        if character not in allowed:
            return position, f"character {shown(character)}, expected {_CHARSET_WORDS[charset]}"
    return None


def digits_finding(text: str) -> Finding:
    """The first character of `text` that is no ASCII digit."""
    return None if text.isascii() and text.isdigit() else charset_finding(text, "N")


def date_finding(text: str, *, form: str, day_zero: bool) -> Finding:
    """What is wrong with a date of the form YYMMDD or YYYYMMDD; `day_zero` allows day 00, no day given.

    The century of YY is not in the code: of the years it can mean, 2000 and every fourth are leap years.
    """
    if len(text) != len(form):
        return 0, f"date {shown(text)}, expected {len(form)} digits {form}"
    wrong = digits_finding(text)
    if wrong is not None:
        return wrong
    digits = len(form) - 4
    year, month, day = text[:digits], text[digits:-2], text[-2:]
    if not 1 <= int(month) <= 12:
        return digits, f"month {month}, expected 01 to 12"
    days = _DAYS[int(month) - 1] + (month == "02" and _is_leap(int(year) + (2000 if digits == 2 else 0)))
    if not (0 if day_zero else 1) <= int(day) <= days:
        first = "00" if day_zero else "01"
        return digits + 2, f"day {day}, expected {first} to {days} in month {month} of year {year}"
    return None


def company_prefix_finding(text: str) -> Finding:
    """Whether `text` can start with a GS1 company prefix; whose it is, no code says."""
    prefix = text[:_COMPANY_PREFIX_DIGITS_MIN]
    if len(prefix) == _COMPANY_PREFIX_DIGITS_MIN and prefix.isascii() and prefix.isdigit():
        return None
    return 0, f"company prefix {shown(prefix)}, expected at least {_COMPANY_PREFIX_DIGITS_MIN} digits"


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
