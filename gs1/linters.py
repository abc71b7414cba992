# SPDX-License-Identifier: Apache-2.0
"""The checks that a dictionary row may name, one function each. Know one component's text and nothing else.

A check returns None when the text is fine, else the end of a sentence: what is wrong and what was expected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from .check import check_digit
from .printable import shown

__all__ = ["CHARSETS", "LINTERS"]

# GS1 General Specifications, section 7.11 (the 82 characters of ISO/IEC 646 that an element may hold).
CHARSETS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "N": frozenset("0123456789"),
        "X": frozenset("!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"),
    }
)

# ISO 3166-1 numeric codes of the 249 countries and areas.
_COUNTRY_CODES = """
004 008 010 012 016 020 024 028 031 032 036 040 044 048 050 051 052 056 060 064 068 070 072 074 076
084 086 090 092 096 100 104 108 112 116 120 124 132 136 140 144 148 152 156 158 162 166 170 174 175
178 180 184 188 191 192 196 203 204 208 212 214 218 222 226 231 232 233 234 238 239 242 246 248 250
254 258 260 262 266 268 270 275 276 288 292 296 300 304 308 312 316 320 324 328 332 334 336 340 344
348 352 356 360 364 368 372 376 380 384 388 392 398 400 404 408 410 414 417 418 422 426 428 430 434
438 440 442 446 450 454 458 462 466 470 474 478 480 484 492 496 498 499 500 504 508 512 516 520 524
528 531 533 534 535 540 548 554 558 562 566 570 574 578 580 581 583 584 585 586 591 598 600 604 608
612 616 620 624 626 630 634 638 642 643 646 652 654 659 660 662 663 666 670 674 678 682 686 688 690
694 702 703 704 705 706 710 716 724 728 729 732 740 744 748 752 756 760 762 764 768 772 776 780 784
788 792 795 796 798 800 804 807 818 826 831 832 833 834 840 850 854 858 860 862 876 882 887 894
"""
_COUNTRIES = frozenset(_COUNTRY_CODES.split())

_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_COMPANY_PREFIX_DIGITS_MIN = 4  # no GS1 company prefix is shorter


def _csum(text: str) -> str | None:
    if not _digits(text) or len(text) < 2:
        return f"value {shown(text)}, expected digits that end in a check digit"
    expected = check_digit(text[:-1])
    return None if text[-1] == expected else f"check digit {text[-1]}, expected {expected}"


def _yymmd0(text: str) -> str | None:
    # Day 00 means the end of the month (General Specifications, section 3.4). The century is not in the code:
    # of the years it can mean, 2000 and every fourth are leap years.
    if len(text) != 6 or not _digits(text):
        return f"date {shown(text)}, expected six digits YYMMDD"
    year, month, day = int(text[:2]), int(text[2:4]), int(text[4:])
    if not 1 <= month <= 12:
        return f"month {text[2:4]}, expected 01 to 12"
    days = _DAYS[month - 1] + (month == 2 and year % 4 == 0)
    if day > days:
        return f"day {text[4:]}, expected 00 to {days} in month {text[2:4]} of year {text[:2]}"
    return None


def _iso3166(text: str) -> str | None:
    return None if text in _COUNTRIES else f"country {shown(text)}, expected an ISO 3166-1 numeric code"


def _zero(text: str) -> str | None:
    return None if text == "0" else f"value {shown(text)}, expected 0"


def _gcppos1(text: str) -> str | None:
    prefix = text[:_COMPANY_PREFIX_DIGITS_MIN]
    if len(prefix) == _COMPANY_PREFIX_DIGITS_MIN and _digits(prefix):
        return None
    return f"company prefix {shown(prefix)}, expected at least {_COMPANY_PREFIX_DIGITS_MIN} digits"


def _gcppos2(text: str) -> str | None:
    # The first character is the extension digit or the packaging indicator.
    if not _digits(text[:1]):
        return f"first character {shown(text[:1])}, expected a digit"
    return _gcppos1(text[1:])


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


LINTERS: Mapping[str, Callable[[str], str | None]] = MappingProxyType(
    {
        "csum": _csum,
        "gcppos1": _gcppos1,
        "gcppos2": _gcppos2,
        "iso3166": _iso3166,
        "yymmd0": _yymmd0,
        "zero": _zero,
    }
)
