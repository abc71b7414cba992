# SPDX-License-Identifier: Apache-2.0
"""Rates as the tariff prints them, such as `2.8¢/kg + 5%`, turned into their parts or refused.

Nothing is guessed: what is not wholly understood is refused with the words that were not.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

import msgspec

from customs.law import LawError, Rate

TEXT_MAX: Final = 500
"""Characters of a rate as printed; the longest lists of preference symbols have some 200."""

_NUMBER: Final = r"[0-9]{1,6}(?:\.[0-9]{1,6})?"
_PER: Final = r"(?:\s*each|\s*(?:/|\sper\s)\s*(?P<unit>[^+%$/]{1,30}))?"
_PERCENT: Final = re.compile(rf"({_NUMBER})\s*%\Z")
_DOLLARS: Final = re.compile(rf"\$\s*({_NUMBER}){_PER}\Z", re.IGNORECASE)
_CENTS: Final = re.compile(rf"({_NUMBER})\s*(?:¢|cents?\b|c\b){_PER}\Z", re.IGNORECASE)
_UNIT: Final = re.compile(r"[a-z][a-z0-9²³]{0,9}\.?( [a-z]{2,6}\.?)?\Z", re.IGNORECASE)
_PROGRAMS: Final = re.compile(r"(?P<rate>[^()]{1,60}?)\s*\((?P<symbols>[A-Z0-9+*, ]{1,200})\)\s*")


class RateText(LawError):
    """A printed rate that is not one of free, ad valorem, specific or compound."""


class Special(msgspec.Struct, frozen=True):
    """One group of the special column: the rate that these symbols claim, or why there is none."""

    symbols: tuple[str, ...]
    rate: Rate | None
    refused: str = ""


def parse_rate(text: str) -> Rate:
    """A rate of the general column or column 2 (USITC code key for the code it gets).

    A specific rate without a unit is for each piece. Raises `RateText` for everything else, by name: a
    reference such as `See 9903.88.03`, a rate on a content, on a drained weight, or on another article.
    """
    cleaned = _cleaned(text)
    if cleaned.lower() == "free":
        return Rate("0")
    if cleaned.lower().startswith("see "):
        raise RateText(f"{cleaned!r} refers to another heading. Enter the rate that the heading gives.")
    terms = [_term(term.strip(), cleaned) for term in cleaned.split("+")]
    specific = [(amount, unit) for amount, unit in terms if unit is not None]
    fractions = [amount for amount, unit in terms if unit is None]
    if len(specific) > 2 or len(fractions) > 1:
        raise RateText(f"{cleaned!r} has more parts than a rate has. Work it out by the tariff's text.")
    return _rate(specific, fractions[0] if fractions else None)


def printed_rate(text: str) -> Rate:
    """The same for a table that keeps every row: what is refused gets the code that says why it is never
    computed, `see` for a reference to another heading, X for any other text (USITC code key, section A).
    """
    try:
        return parse_rate(text)
    except RateText:
        return Rate("see" if text.strip().lower().startswith("see ") else "X")


def parse_special(text: str) -> tuple[Special, ...]:
    """The special column: groups such as `Free (AU,KR) 1.7% (CO) See 9822.04.01 (PA)`; empty for none.

    Groups whose rate is not understood keep their symbols and say why. Raises `RateText` when the text is no
    list of such groups.
    """
    if not text.strip():
        return ()
    cleaned = _cleaned(text)
    groups = []
    at = 0
    while at < len(cleaned):
        found = _PROGRAMS.match(cleaned, at)
        if found is None:
            raise RateText(f"{cleaned[at : at + 60]!r} is no rate with its symbols in brackets.")
        symbols = tuple(symbol.strip() for symbol in found["symbols"].split(","))
        try:
            groups.append(Special(symbols, parse_rate(found["rate"])))
        except RateText as refused:
            groups.append(Special(symbols, None, str(refused)))
        at = found.end()
    return tuple(groups)


def _cleaned(text: str) -> str:
    if len(text) > TEXT_MAX:
        raise RateText(f"A rate of {len(text)} characters is none; at most {TEXT_MAX}. Check the column.")
    cleaned = " ".join(text.split())
    if not cleaned:
        raise RateText("The rate is empty. Write Free where there is none.")
    if not cleaned.isprintable():
        raise RateText("The rate has characters that do not print. Write it again.")
    return cleaned


def _term(term: str, whole: str) -> tuple[Decimal, str | None]:
    """A part's amount and its unit; an ad valorem part has none."""
    if found := _PERCENT.match(term):
        return Decimal(found[1]) / 100, None
    found = _DOLLARS.match(term)
    size = 1 if found else 100
    found = found or _CENTS.match(term)
    if found is None:
        raise RateText(
            f"{whole[:60]!r} is not understood at {term[:30]!r}. Expected Free, 5%, 2.8¢/kg, $1.50 each, or "
            "such parts with + between them; else work it out by the tariff's text."
        )
    unit = (found["unit"] or "No.").strip()
    if not _UNIT.match(unit):
        raise RateText(f"{unit[:30]!r} in {whole[:60]!r} is no unit of quantity that is known here.")
    return Decimal(found[1]) / size, unit


def _rate(specific: list[tuple[Decimal, str]], fraction: Decimal | None) -> Rate:
    if not specific:
        return Rate("7", advalorem=fraction)
    amount, unit = specific[0]
    if len(specific) == 1:
        return Rate("1" if fraction is None else "4", specific=amount, advalorem=fraction, unit1=unit)
    other, unit2 = specific[1]
    code = "3" if fraction is None else "6"
    return Rate(code, specific=amount, advalorem=fraction, other=other, unit1=unit, unit2=unit2)
