# SPDX-License-Identifier: Apache-2.0
"""The checks that a dictionary row may name, one function each. Know one component's text and nothing else.

The names are those of the GS1 Barcode Syntax Dictionary.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from .check import CHECK_PAIR_BODY_MAX, check_digit, check_pair, ends_in_check_digit
from .codelists import COUNTRIES, COUNTRIES_ALPHA2, CURRENCIES, MEDIA_TYPES, PACKAGE_TYPES
from .coupons import coupon_finding, positive_offer_finding
from .findings import (
    CHARSETS,
    Finding,
    Linter,
    charset_finding,
    company_prefix_finding,
    date_finding,
    digits_finding,
)
from .printable import shown

__all__ = ["LINTERS"]

# ISO 13616: country, two check digits, at most 30 characters; no country's is shorter than 11.
_IBAN_LENGTHS = range(11, 35)
_DIGITS = "0123456789"
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _gcppos2(text: str) -> Finding:
    # The first character is the extension digit or the packaging indicator.
    wrong = company_prefix_finding(text[1:])
    return None if wrong is None else (min(1, len(text)), wrong[1])


def _csum(text: str) -> Finding:
    if not (text.isascii() and text.isdigit()):
        return digits_finding(text) or (0, "value nothing, expected digits that end in a check digit")
    if ends_in_check_digit(text):
        return None
    expected = check_digit(text[:-1]) if len(text) > 1 else "0"
    return 0, f"check digit {text[-1]}, expected {expected}"


def _csumalpha(text: str) -> Finding:
    if not 2 <= len(text) <= CHECK_PAIR_BODY_MAX + 2:
        return 0, f"{len(text)} characters, expected 2 to {CHECK_PAIR_BODY_MAX + 2} ending in a check pair"
    wrong = charset_finding(text[:-2], "X")
    if wrong is not None:
        return wrong
    expected = check_pair(text[:-2])
    if text[-2:] == expected:
        return None
    return len(text) - 2, f"check characters {shown(text[-2:])}, expected {expected}"


def _cset64(text: str) -> Finding:
    # Padding, when there is any, fills the last group of three or four up to a multiple of three: what the
    # dictionary asks of AI (8030), though base64 itself pads to four.
    body = text.rstrip("=")
    wrong = charset_finding(body, "Z")
    if wrong is not None:
        return wrong
    if "=" in body:
        return body.index("="), "character =, expected padding at the end only"
    padding = len(text) - len(body)
    if padding and (not body or padding > 2 or len(text) % 3):
        return len(body), f"padding {shown(text[len(body) :])}, expected none, or = to a multiple of three"
    return None


def _hasnondigit(text: str) -> Finding:
    if all(character in CHARSETS["N"] for character in text):
        return 0, f"value {shown(text)}, expected at least one character that is no digit"
    return None


def _hyphen(text: str) -> Finding:
    return None if text and not text.strip("-") else (0, f"value {shown(text)}, expected only hyphens")


def _two_digits(word: str, largest: int) -> Linter:
    def lint(text: str) -> Finding:
        if len(text) == 2:
            wrong = digits_finding(text)
            if wrong is not None:
                return wrong
            if int(text) <= largest:
                return None
        return 0, f"{word} {shown(text)}, expected 00 to {largest}"

    return lint


_hh, _mi, _ss = _two_digits("hour", 23), _two_digits("minute", 59), _two_digits("second", 59)


def _hhmi(text: str) -> Finding:
    if len(text) != 4:
        return 0, f"time {shown(text)}, expected four digits HHMM"
    wrong = _hh(text[:2])
    if wrong is None:
        late = _mi(text[2:])
        return None if late is None else (late[0] + 2, late[1])
    return wrong


def _iban(text: str) -> Finding:
    # ISO 13616-1, check digits by ISO/IEC 7064 MOD 97-10: country and check digits count behind the rest.
    if text[:2] not in COUNTRIES_ALPHA2:
        return 0, f"IBAN country {shown(text[:2])}, expected an ISO 3166-1 alpha-2 code"
    if len(text) not in _IBAN_LENGTHS:
        return 0, f"IBAN of {len(text)} characters, expected {_IBAN_LENGTHS[0]} to {_IBAN_LENGTHS[-1]}"
    allowed = _DIGITS + _UPPER
    for position, character in enumerate(text):
        if character not in allowed:
            return position, f"IBAN character {shown(character)}, expected 0-9 or A-Z"
    number = "".join(str(allowed.index(character)) for character in text[4:] + text[:4])
    if int(number) % 97 == 1:
        return None
    return 2, f"IBAN check digits {text[2:4]} do not belong to {shown(text)}: read or type it again"


def _pcenc(text: str) -> Finding:
    match = _BROKEN_PERCENT.search(text)
    if match is None:
        return None
    came = shown(text[match.start() : match.start() + 3])
    return match.start(), f"percent sequence {came}, expected % and two hexadecimal digits"


_BROKEN_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")


def _pieceoftotal(text: str) -> Finding:
    half, odd = divmod(len(text), 2)
    if odd or not half:
        return 0, f"{len(text)} digits, expected a piece and a total of the same width"
    wrong = digits_finding(text)
    if wrong is not None:
        return wrong
    piece, total = text[:half], text[half:]
    if not piece.strip("0"):
        return 0, f"piece {piece}, expected at least 1"
    if not total.strip("0"):
        return half, f"total {total}, expected at least 1"
    return None if piece <= total else (0, f"piece {piece} of {total}, expected at most {total}")


def _posinseqslash(text: str) -> Finding:
    match = _POSITION.fullmatch(text)
    if match is None:
        return 0, f"value {shown(text)}, expected position/end such as 1/3"
    for group in (1, 2):
        if match[group].startswith("0"):
            return match.start(group), f"number {shown(match[group])}, expected one without leading zero"
    position, end = match.groups()
    if (len(position), position) > (len(end), end):
        return 0, f"position {shown(position)}, expected at most {shown(end)}"
    return None


_POSITION = re.compile("([0-9]+)/([0-9]+)")


def _tenths_of_microdegrees(word: str, largest: int) -> Linter:
    # WGS 84 as degrees times ten million, moved so that none is negative (General Specifications, AI (4309)).
    def lint(text: str) -> Finding:
        if len(text) != 10:
            return 0, f"{word} of {len(text)} digits, expected 10"
        wrong = digits_finding(text)
        if wrong is not None:
            return wrong
        return None if int(text) <= largest else (0, f"{word} {text}, expected at most {largest:010}")

    return lint


def _nonzero(text: str) -> Finding:
    wrong = digits_finding(text)
    if wrong is None and not text.strip("0"):
        return 0, f"value {shown(text)}, expected more than zero"
    return wrong


def _nozeroprefix(text: str) -> Finding:
    wrong = digits_finding(text)
    return (0, "a leading zero, expected none") if wrong is None and text.startswith("0") else wrong


def _zero(text: str) -> Finding:
    return None if text and not text.strip("0") else (0, f"value {shown(text)}, expected 0")


def _one_of(word: str, allowed: frozenset[str], expected: str) -> Linter:
    def lint(text: str) -> Finding:
        return None if text in allowed else (0, f"{word} {shown(text)}, expected {expected}")

    return lint


def _charset(charset: str) -> Linter:
    return lambda text: charset_finding(text, charset)


def _date(form: str, *, day_zero: bool) -> Linter:
    return lambda text: date_finding(text, form=form, day_zero=day_zero)


def _values(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_INDEX = frozenset("-_" + _DIGITS + _UPPER + _UPPER.lower())
_NUMERIC = "an ISO 3166-1 numeric code"

LINTERS: Mapping[str, Linter] = MappingProxyType(
    {
        "couponcode": coupon_finding,
        "couponposoffer": positive_offer_finding,
        "cset39": _charset("Y"),
        "cset64": _cset64,
        "cset82": _charset("X"),
        "csetnumeric": _charset("N"),
        "csum": _csum,
        "csumalpha": _csumalpha,
        "gcppos1": company_prefix_finding,
        "gcppos2": _gcppos2,
        "hasnondigit": _hasnondigit,
        "hh": _hh,
        "hhmi": _hhmi,
        "hyphen": _hyphen,
        "iban": _iban,
        "importeridx": _one_of("importer index", _INDEX, "one of A-Z, a-z, 0-9, hyphen and underscore"),
        "iso3166": _one_of("country", COUNTRIES, _NUMERIC),
        "iso3166999": _one_of("country", COUNTRIES | {"999"}, f"{_NUMERIC} or 999"),
        "iso3166alpha2": _one_of("country", COUNTRIES_ALPHA2, "an ISO 3166-1 alpha-2 code"),
        "iso4217": _one_of("currency", CURRENCIES, "an ISO 4217 numeric code"),
        "iso5218": _one_of("sex", _values("0 1 2 9"), "an ISO/IEC 5218 code: 0, 1, 2 or 9"),
        "latitude": _tenths_of_microdegrees("latitude", 1_800_000_000),
        "longitude": _tenths_of_microdegrees("longitude", 3_600_000_000),
        "mediatype": _one_of("media type", MEDIA_TYPES, "01 to 10 or 80 to 99"),
        "mi": _mi,
        "nonzero": _nonzero,
        "nozeroprefix": _nozeroprefix,
        "packagetype": _one_of("package type", PACKAGE_TYPES, "a code of UN/ECE Recommendation 21 or GS1"),
        "pcenc": _pcenc,
        "pieceoftotal": _pieceoftotal,
        "posinseqslash": _posinseqslash,
        "ss": _ss,
        "winding": _one_of("winding direction", _values("0 1 9"), "0, 1 or 9"),
        "yesno": _one_of("value", _values("0 1"), "0 or 1"),
        "yymmd0": _date("YYMMDD", day_zero=True),
        "yymmdd": _date("YYMMDD", day_zero=False),
        "yyyymmd0": _date("YYYYMMDD", day_zero=True),
        "yyyymmdd": _date("YYYYMMDD", day_zero=False),
        "zero": _zero,
    }
)
