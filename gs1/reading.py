# SPDX-License-Identifier: Apache-2.0
"""One code as a reader gave it, taken apart: which carrier, which form, which elements, what is wrong.

Decides by carrier which forms a code may have, and refuses what it would have to guess. Knows nothing of
what the elements identify. Symbology identifiers: ISO/IEC 15424.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from .carriers import read_carried
from .check import check_digit
from .elements import Elements, read_bracketed, read_elements
from .envelope import MESSAGE_START, parse_identifier, read_envelope
from .epc import Tag, decode_tag
from .errors import CodeError, Fault
from .links import parse_link
from .load import Control, TagRead, WorkOrder
from .orders import ORDER_PREFIX, parse_order
from .parcels import Tracking, tracking, tracking_of
from .patterns import SitePattern
from .printable import shown

__all__ = ["AIM_LENGTH", "CODE_LENGTH_MAX", "Reading", "read_code", "read_link", "read_tag", "split_aim"]

# The most digits a QR code of version 40 holds; no barcode says more, so a longer code is noise.
CODE_LENGTH_MAX = 7089
AIM_LENGTH = 3
GS = "\x1d"


@dataclass(frozen=True, slots=True)
class Reading:
    """One code taken apart.

    `carrier` is a name for people, `aim` the symbology identifier it came with. `elements` are application
    identifiers with their values, or data identifiers of MH10.8.2 with theirs, or both in an envelope of
    ISO/IEC 15434; `fields` are those of a site's own pattern. `faults` is empty when the code is right; what
    could be read of a wrong one is kept.
    """

    carrier: str
    aim: str | None = None
    elements: Elements = ()
    faults: tuple[Fault, ...] = ()
    fields: Elements = ()
    order: WorkOrder | Control | None = None
    parcel: Tracking | None = None
    tag: Tag | None = None


def read_code(
    code: bytes, patterns: Sequence[SitePattern] = (), *, short_names: bool = False, short_gtins: bool = False
) -> Reading:
    """`code` as scanned, with or without its symbology identifier such as `]C1`, taken apart.

    Never raises, and takes time linear in the code's length; one longer than 7,089 bytes is refused unread.
    `short_names` and `short_gtins` widen what a Digital Link may hold; see links.parse_link.
    """
    aim, body = split_aim(code)
    made = partial(Reading, _carrier(aim), aim)
    try:
        link = partial(parse_link, short_names=short_names, short_gtins=short_gtins)
        return _read(_text(body), aim, made, patterns, link)
    except CodeError as error:
        return made(faults=error.faults)


def read_link(link: str, *, short_names: bool = False, short_gtins: bool = False) -> Reading:
    """A Digital Link taken apart; never raises."""
    try:
        text = _text(link.encode("utf-8", "surrogatepass"))
        return Reading("link", None, parse_link(text, short_names=short_names, short_gtins=short_gtins))
    except CodeError as error:
        return Reading("link", None, faults=error.faults)


def read_tag(tag: TagRead) -> Reading:
    """A tag taken apart; never raises."""
    try:
        found = decode_tag(tag.epc, tag.pc)
    except CodeError as error:
        return Reading(_TAG, None, faults=error.faults)
    return Reading(_TAG, None, found.elements, tag=found)


def split_aim(code: bytes) -> tuple[str | None, bytes]:
    """`code` as its symbology identifier (three characters, None when there is none) and the rest."""
    match = _AIM.match(code)
    return (None, code) if match is None else (match[0].decode("ascii"), code[AIM_LENGTH:])


_AIM = re.compile(rb"\][A-Za-z][0-9A-Za-z]")
_LINK_START = re.compile("https?://", re.IGNORECASE)
_DIGITS = re.compile("[0-9]+")
_TAG = "RFID tag"

# Names of symbols; where the third character says more than the second, that.
_NAMES = {
    "]C1": "GS1-128",
    "]d2": "GS1 DataMatrix",
    "]Q3": "GS1 QR Code",
    "]e0": "GS1 DataBar",
    "]J1": "GS1 DotCode",
    "]E4": "EAN-8",
    "]I0": "ITF-14",
    "]I1": "ITF-14",
}
_FAMILIES = {
    "A": "Code 39",
    "C": "Code 128",
    "E": "EAN/UPC",
    "F": "Codabar",
    "G": "Code 93",
    "I": "ITF",
    "J": "DotCode",
    "L": "PDF417",
    "Q": "QR Code",
    "U": "MaxiCode",
    "d": "Data Matrix",
    "e": "GS1 DataBar",
    "z": "Aztec Code",
}
# Data identifiers whose value proves itself, by an agency's code or a check digit: without a symbology
# identifier any other could be the first letter of a word.
_PROVEN = ("1J", "2J", "3J", "4J", "5J", "6J", "8P", "8S")
_PLAIN_LINEAR = (None, "]C0")
_GTIN_LENGTHS = (8, 12, 13, 14)
_EMPTY = Fault("empty", "nothing came, expected a code", None, 0)

_Made = Callable[..., Reading]
_Parse = Callable[[str], Elements]


def _carrier(aim: str | None) -> str:
    if aim is None:
        return "unmarked"
    return _NAMES.get(aim) or _FAMILIES.get(aim[1], f"a carrier marked {aim}")


def _text(body: bytes) -> str:
    if not body:
        raise CodeError(_EMPTY)
    if len(body) > CODE_LENGTH_MAX:
        message = f"{len(body)} bytes, expected at most {CODE_LENGTH_MAX}: no barcode holds more"
        raise CodeError(Fault("too_long", message))
    if not body.isascii():
        position = next(index for index, value in enumerate(body) if value > 0x7F)
        message = f"byte {body[position]:02X} at position {position}, expected ASCII"
        raise CodeError(Fault("not_ascii", message, None, position))
    return body.decode("ascii")


def _read(text: str, aim: str | None, made: _Made, patterns: Sequence[SitePattern], link: _Parse) -> Reading:
    carried = None if aim is None else read_carried(aim, text)
    if carried is not None:
        elements, faults = carried
        # What USPS and FedEx print in GS1-128 is right as elements as well, but names no goods.
        parcel = tracking(text) if aim == "]C1" and text[:1] in ("4", "9") else None
        return made(elements, () if parcel else faults, parcel=parcel)
    if text.startswith(ORDER_PREFIX):
        return made(order=parse_order(text))
    if _LINK_START.match(text):
        return made(link(text))
    if MESSAGE_START in text[: len(MESSAGE_START) + 2]:
        return _envelope(text, made)
    for pattern in patterns:
        fields = pattern.read(text)
        if fields is not None:
            return made(fields=tuple(fields.items()))
    found = _plain(text, aim, made) if aim in _PLAIN_LINEAR else None
    return found or _label(text, aim, made)


def _envelope(text: str, made: _Made) -> Reading:
    message, faults = read_envelope(text)
    parcel = None if faults else tracking_of(message.transport)
    if not (message.elements or faults or parcel):
        came = ", ".join(message.formats)
        faults = (Fault("no_elements", f"a message of format {came}, expected format 05, 06 or 12"),)
    return made(message.elements, faults, parcel=parcel)


def _shifted(faults: Sequence[Fault], by: int) -> tuple[Fault, ...]:
    return tuple(
        fault if fault.position is None else replace(fault, position=fault.position + by) for fault in faults
    )


def _plain(text: str, aim: str | None, made: _Made) -> Reading | None:
    """A code whose carrier says nothing of GS1: only forms that no other reading of the same characters
    has. None when it has none of them.
    """
    if text.startswith("("):
        return made(*read_bracketed(text))
    if _DIGITS.fullmatch(text):
        found = _plain_digits(text, made)
        if found is not None:
            return found
    if aim is None and (text[0] in (GS, "^") or GS in text):
        return _marked_string(text, made)
    if not text.startswith(("00", "01")) or tracking(text) is not None:
        return None
    if aim is not None:
        raise CodeError(
            Fault(
                "carrier",
                f"an element string in plain Code 128 ({aim}), expected GS1-128 (]C1): without FNC1 its "
                "separators cannot be trusted",
            )
        )
    # The check digit of the key that comes first makes a chance match unlikely; other identifiers have
    # none.
    return made(*read_elements(text))


def _plain_digits(text: str, made: _Made) -> Reading | None:
    if len(text) == 18:
        return made((("00", text),), _check_last(text, "00", 0))
    if len(text) == 20 and text.startswith("00"):
        return made((("00", text[2:]),), _check_last(text[2:], "00", 2))
    if len(text) in _GTIN_LENGTHS:
        return made((("01", text.zfill(14)),), _check_last(text, "01", 0))
    return None


def _marked_string(text: str, made: _Made) -> Reading:
    """Text without a symbology identifier that only an element string can be: a separator stands in it, or
    FNC1 in front, sent as GS or written as `^`.
    """
    front = text[0] in (GS, "^")
    elements, faults = read_elements(text[1:].replace("^", GS) if text[0] == "^" else text[front:])
    return made(elements, _shifted(faults, 1) if front else faults)


def _label(text: str, aim: str | None, made: _Made) -> Reading:
    """What is left: a parcel's number, or a label of one data identifier in a carrier that holds such."""
    parcel = tracking(text)
    if parcel is not None:
        return made(parcel=parcel)
    if aim == "]C0" or (aim or "").startswith("]A") or (aim is None and text[:2] in _PROVEN):
        try:
            return made(parse_identifier(text))
        except CodeError:
            pass  # it is none; what the code could have been says more than what this form lacks
    if aim in _PLAIN_LINEAR:
        raise CodeError(
            Fault(
                "unknown_form",
                f"{len(text)} characters {shown(text)}, expected an SSCC of 18 digits, a GTIN of 8, 12, 13 "
                "or 14, an element string, a GS1 Digital Link, a label of data identifiers or a dock label",
            )
        )
    raise CodeError(
        Fault(
            "carrier",
            f"{shown(text)} in a carrier marked {aim}, expected a GS1 Digital Link, an ISO 15434 envelope or "
            "a dock label there; GS1 element strings are marked ]C1, ]d2, ]Q3 or ]e0",
        )
    )


def _check_last(digits: str, ai: str, position: int) -> tuple[Fault, ...]:
    expected = check_digit(digits[:-1])
    if digits[-1] == expected:
        return ()
    message = f"check digit {digits[-1]}, expected {expected}, of AI {ai} at position {position}"
    return (Fault("csum", message, ai, position),)
