# SPDX-License-Identifier: Apache-2.0
"""The checks that a row of the data identifiers may name. Know one value's text and nothing else.

A check returns None when the text is fine, else the end of a sentence: what is wrong and what was expected.
Sources: ANSI MH10.8.2 for the formats, ISO/IEC 15459 for licence plates, ISO 6346 for freight containers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from .check import check_digit
from .codelists import COUNTRIES_ALPHA2
from .printable import shown

__all__ = ["CHECKS", "ORIGIN_MIXED", "split_quantity"]

ORIGIN_MIXED = "AA"
"""The country of origin of goods from several countries, by agreement of the partners (identifier 4L)."""


def split_quantity(text: str) -> tuple[str, str] | None:
    """The value of identifier 7Q as the number and its unit of two characters; None when it is neither.

    The unit is the last two characters, so that `10012` with unit `EA` and `100` with unit `12` cannot be
    mistaken for one another by their length.
    """
    number, unit = text[:-2], text[-2:]
    return (number, unit) if _NUMBER.fullmatch(number) and _UNIT.fullmatch(unit) else None


# Whole part without a sign; a quantity below zero is no quantity of goods.
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)
_UNIT = re.compile("[A-Z0-9]{2}", re.ASCII)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _quantity(text: str) -> str | None:
    return (
        None if _NUMBER.fullmatch(text) else f"quantity {shown(text)}, expected digits with at most one point"
    )


def _quantity_unit(text: str) -> str | None:
    if split_quantity(text) is None:
        return f"{shown(text)}, expected a quantity and a unit of two characters, such as 100EA"
    return None


def _nth(text: str) -> str | None:
    number, stroke, pieces = text.partition("/")
    if not (stroke and _digits(number) and _digits(pieces) and 1 <= int(number) <= int(pieces)):
        return f"{shown(text)}, expected the number of a piece and of all pieces, such as 2/5"
    return None


def _country(text: str) -> str | None:
    return None if text in COUNTRIES_ALPHA2 else f"country {shown(text)}, expected two letters of ISO 3166-1"


def _origin(text: str) -> str | None:
    return None if text == ORIGIN_MIXED else _country(text)


def _plate(text: str) -> str | None:
    # ISO/IEC 15459-1: agency, company and serial number; none of the three can be empty.
    return None if len(text) >= 3 else f"{shown(text)}, expected an agency's code, a company and a number"


def _agency(text: str) -> str | None:
    if len(text) < 3 or not re.match("[0-9A-Z]", text):
        return f"{shown(text)}, expected an agency's code, a company and a number"
    return None


def _check_digit(text: str) -> str | None:
    expected = check_digit(text[:-1])
    return None if text[-1] == expected else f"check digit {text[-1]}, expected {expected}"


def _container(text: str) -> str | None:
    if not re.fullmatch("[A-Z]{3}[UJZ][0-9]{7}", text, re.ASCII):
        return f"{shown(text)}, expected three letters of the owner, U, J or Z, and seven digits"
    # ISO 6346: letters count 10 to 38 without the multiples of 11; place n weighs 2 to the n.
    weight = sum(_container_value(character) << place for place, character in enumerate(text[:10]))
    expected = str(weight % 11 % 10)
    return None if text[10] == expected else f"check digit {text[10]}, expected {expected}"


def _container_value(character: str) -> int:
    if character.isdigit():
        return int(character)
    place = ord(character) - ord("A")
    return 10 + place + (place + 9) // 10


def _tariff(text: str) -> str | None:
    if not re.fullmatch(r"[0-9]{4}\.?[0-9]{2}(?:\.?[0-9]{2,4})?", text, re.ASCII):
        return f"{shown(text)}, expected a tariff number such as 8501.10 or 8501.10.4020"
    return None


def _date(form: str) -> Callable[[str], str | None]:
    """A check for a date in `form`, `y` the year's digits, `m` the month's, `d` the day's; what follows is
    free.
    """

    def check(text: str) -> str | None:
        parts = dict.fromkeys("ymd", "")
        for letter, character in zip(form, text, strict=False):
            parts[letter] += character
        year, month, day = parts["y"], parts["m"], parts["d"]
        if not (_digits(month) and 1 <= int(month) <= 12):
            return f"month {shown(month)}, expected 01 to 12"
        if "d" not in form:
            return None
        # Two digits of a year can mean 2000, which was a leap year, as is every fourth around it.
        days = _DAYS[int(month) - 1] - (month == "02" and not _leap(year))
        if not (_digits(day) and 1 <= int(day) <= days):
            return f"day {shown(day)}, expected 01 to {days} in month {month} of year {shown(year)}"
        return None if _digits(year) else f"year {shown(year)}, expected digits"

    return check


def _leap(year: str) -> bool:
    if not _digits(year):
        return True
    number = int(year)
    return number % 4 == 0 and (len(year) < 4 or number % 100 != 0 or number % 400 == 0)


def _day_of_year(text: str) -> str | None:
    day = int(text[-3:])
    # One digit of a year does not tell a leap year.
    days = 366 if len(text) == 4 or _leap(text[:2]) else 365
    return None if 1 <= day <= days else f"day {text[-3:]}, expected 001 to {days}"


def _week(text: str) -> str | None:
    return None if 1 <= int(text[-2:]) <= 53 else f"week {text[-2:]}, expected 01 to 53"


def _weeks(text: str) -> str | None:
    return _week(text[:4]) or _week(text[4:])


def _days(text: str) -> str | None:
    wrong = _YYYYMMDD(text[:8]) or _YYYYMMDD(text[8:])
    return wrong or (
        None if text[:8] <= text[8:] else f"{text[:8]} to {text[8:]}, expected the first day first"
    )


def _minute(text: str) -> str | None:
    wrong = _YYYYMMDD(text[:8])
    if wrong is None and not (int(text[8:10]) < 24 and int(text[10:12]) < 60):
        wrong = f"time {text[8:]}, expected 0000 to 2359"
    return wrong


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


_YYYYMMDD = _date("yyyymmdd")

CHECKS: Mapping[str, Callable[[str], str | None]] = MappingProxyType(
    {
        "agency": _agency,
        "container": _container,
        "country": _country,
        "days": _days,
        "ddmmyy": _date("ddmmyy"),
        "ddmmyyyy": _date("ddmmyyyy"),
        "gtin": _check_digit,
        "minute": _minute,
        "mmddyy": _date("mmddyy"),
        "mmyy": _date("mmyy"),
        "nth": _nth,
        "origin": _origin,
        "plate": _plate,
        "quantity": _quantity,
        "quantity_unit": _quantity_unit,
        "sscc": _check_digit,
        "tariff": _tariff,
        "weeks": _weeks,
        "yddd": _day_of_year,
        "yyddd": _day_of_year,
        "yymmdd": _date("yymmdd"),
        "yyww": _week,
        "yyyymmdd": _YYYYMMDD,
        "yyyyww": _week,
    }
)
