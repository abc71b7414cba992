# SPDX-License-Identifier: Apache-2.0
"""Tracking numbers of USPS, UPS and FedEx: told as what they are, so that a carrier's label on a carton is
not taken for the label of its goods.

Only numbers with a check are told, and only in forms that the carrier marks: a number that could as well be
goods stays what its own rules make of it. May not know which carrier (the printed one) a text came in.

Sources: USPS Publication 199 (Intelligent Mail package barcode) and Publication 97; UPS and FedEx publish no
specification of their numbers to everybody, their forms and checks are as the open collection
tracking_number_data describes and tests them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .check import check_digit

__all__ = ["Tracking", "tracking", "tracking_in", "tracking_of"]


@dataclass(frozen=True, slots=True)
class Tracking:
    """A carrier's number for a parcel. `carrier` is "USPS", "UPS" or "FedEx"; `service` is the code that the
    number itself holds, None where it holds none; `number` is what the carrier's page asks for.
    """

    carrier: str
    service: str | None
    number: str


def tracking(text: str) -> Tracking | None:
    """What `text` tracks when it is one carrier's number and nothing else could be; else None.

    `text` is a whole code without its symbology identifier; a GS between 420, ZIP code and number is passed
    over. Two forms collide with GS1's and are settled so:

    - USPS prints application identifier 420 and 92 to 95 in GS1-128. 420 with a ZIP code and 9x with a right
      check digit is USPS's; as GS1 elements it would be a postal code with a company's internal data, which
      identifies no goods, so nothing is lost.
    - FedEx prints 96 and 20 or 32 digits in GS1-128. The same holds: AI 96 identifies no goods.

    FedEx numbers of 12, 15 and 20 digits carry no mark, and one UPC in ten, one in ten of any 15 digits,
    has a right check by chance: `tracking` leaves them alone, `tracking_in` tells them where the carrier is
    known. An SSCC (18 digits, or 20 with 00) is never a tracking number.
    """
    compact = text.replace("\x1d", "")
    if not compact.isascii() or len(compact) > _LENGTH_MAX:
        return None
    return next(_marked(compact), None)


def tracking_in(text: str, carrier: str) -> Tracking | None:
    """As `tracking`, where the label is known to be `carrier`'s: its numbers without a mark are told as
    well.
    """
    found = tracking(text)
    if found is not None:
        return found if found.carrier == carrier else None
    compact = text.replace("\x1d", "")
    if len(compact) > _LENGTH_MAX or not (compact.isascii() and compact.isdigit()):
        return None
    if carrier == "FedEx":
        return _fedex_unmarked(compact)
    return _usps_unmarked(compact) if carrier == "USPS" else None


def tracking_of(transport: Sequence[str]) -> Tracking | None:
    """The parcel of a carrier's own message: the fields of format 01 of ISO/IEC 15434, as UPS prints them in
    MaxiCode and FedEx in PDF417. None for another carrier, or when the check digit is wrong.

    The fields are postal code, country, class of service, number and carrier, and for UPS the shipper. UPS
    prints its number without shipper and service, which are put back (verified on the two examples that
    printers' manuals give); FedEx prints form digits behind its own (from memory).
    """
    if len(transport) < 5:
        return None
    service, number, carrier = transport[2:5]
    if carrier == "UPSN" and len(transport) > 5 and number[:2] == "1Z":
        return tracking(f"1Z{transport[5]}{service[-2:]}{number[2:]}")
    return tracking_in(number[:12], "FedEx") if carrier.startswith("FDE") else None


# 420, a ZIP code and 30 digits of USPS; a longer text is no tracking number, and nothing of it is looked at.
_LENGTH_MAX = 38

_UPS = re.compile("1Z([0-9A-Z]{6})([0-9A-Z]{2})([0-9A-Z]{7})([0-9])", re.ASCII)
# In turn: of 34 digits both ZIP+4 with 22 and ZIP with 26 may hold, and 22 is what mailers print.
_USPS = tuple(
    re.compile(f"(?:420{zip_code})?({number})", re.ASCII)
    for number, zip_code in (
        ("9[1-5][0-9]{20}", "[0-9]{9}"),
        ("9[1-5][0-9]{20}", "[0-9]{5}"),
        ("9[2-5][0-9]{24}", "[0-9]{5}"),
        ("94[0-9]{28}", "[0-9]{5}"),
    )
)
_FEDEX_GROUND = re.compile("96([0-9]{2})([0-9]{3})([0-9]{14})([0-9])", re.ASCII)
_FEDEX_GROUND_LONG = re.compile("96([0-9]{2})[0-9]{16}([0-9]{14})", re.ASCII)
_FEDEX_EXPRESS_LONG = re.compile("(?:10[0-9]{2}|11[0-9]{2})[0-9]{16}([0-9]{14})", re.ASCII)


def _marked(text: str) -> Iterator[Tracking]:
    if (match := _UPS.fullmatch(text)) and match[4] == _ups_check(text[2:-1]):
        yield Tracking("UPS", match[2], text)
    for pattern in _USPS:
        if (match := pattern.fullmatch(text)) and match[1][-1] == check_digit(match[1][:-1]):
            yield Tracking("USPS", match[1][2:4] if match[1][1] == "1" else match[1][2:5], match[1])
    if (match := _FEDEX_GROUND.fullmatch(text)) and match[4] == check_digit(match[3]):
        yield Tracking("FedEx", match[2], match[3] + match[4])
    for pattern, group in ((_FEDEX_GROUND_LONG, 2), (_FEDEX_EXPRESS_LONG, 1)):
        match = pattern.fullmatch(text)
        if match and match[group][-1] == _fedex_check(match[group][:-1]):
            yield Tracking("FedEx", None, match[group].lstrip("0").zfill(12))


def _usps_unmarked(digits: str) -> Tracking | None:
    if len(digits) != 20 or digits[:2] == "00":
        return None
    # Printed without its 91, which the check counts or not: both are in use.
    checks = (check_digit(digits[:-1]), check_digit("91" + digits[:-1]))
    return Tracking("USPS", digits[:2], digits) if digits[-1] in checks else None


def _fedex_unmarked(digits: str) -> Tracking | None:
    if len(digits) == 12 and digits[-1] == _fedex_check(digits[:-1]):
        return Tracking("FedEx", None, digits)
    if len(digits) == 15 and digits[-1] == check_digit(digits[:-1]):
        return Tracking("FedEx", None, digits)
    if len(digits) == 20 and digits[:2] != "00" and digits[-1] == check_digit("92" + digits[:-1]):
        # SmartPost: the number of USPS without the 92 before it.
        return Tracking("FedEx", digits[:3], digits)
    if len(digits) == 34 and digits[-1] == _fedex_check(digits[20:-1]):
        return Tracking("FedEx", None, digits[20:].lstrip("0").zfill(12))
    return None


def _ups_check(body: str) -> str:
    """Every second of the 15 characters counts twice; A counts 2, B 3 and so on, I 0, J 1."""
    values = [int(c) if c.isdigit() else (ord(c) - 3) % 10 for c in body]
    return str(-(sum(values[::2]) + 2 * sum(values[1::2])) % 10)


def _fedex_check(body: str) -> str:
    """Weights 1, 3, 7 in turn from the right, modulo 11, of which 10 counts as 0."""
    return str(sum(int(digit) * (1, 3, 7)[place % 3] for place, digit in enumerate(reversed(body))) % 11 % 10)
