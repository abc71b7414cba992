# SPDX-License-Identifier: Apache-2.0
"""Who is this? One code as a scanner read it, with what the scanner said of its symbology.

Decides by carrier which forms a code may have, and refuses what it would have to guess. No I/O, no clock; may
not know what the answer is used for. Symbology identifiers: ISO/IEC 15424.
"""

from __future__ import annotations

import re

from .carriers import read_carried
from .check import check_digit
from .elements import Elements, parse_bracketed, parse_elements
from .errors import CodeError, Fault
from .links import gtin_link, parse_link, sscc_link
from .load import Identity, Load, Unknown
from .orders import ORDER_PREFIX, parse_order
from .printable import printable, shown

__all__ = ["AIM_LENGTH", "CODE_LENGTH_MAX", "identify", "split_aim"]

# The most digits a QR code of version 40 holds; no barcode says more, so a longer code is noise.
CODE_LENGTH_MAX = 7089
AIM_LENGTH = 3


def identify(code: bytes) -> Identity:
    """What `code` identifies. `code` is as read, with or without its symbology identifier such as `]C1`.

    Never raises and takes time linear in the code's length: what cannot be used, what would have to be
    guessed, and what is longer than 7,089 bytes comes back as Unknown, whose faults say what came and what
    was expected. An element string that is right but names neither an SSCC nor a GTIN is Unknown too.
    """
    aim, body = split_aim(code)
    try:
        return _identified(aim, _text(body))
    except CodeError as error:
        return Unknown(printable(code), error.faults)


def split_aim(code: bytes) -> tuple[str | None, bytes]:
    """`code` as its symbology identifier (three characters, None when there is none) and the rest."""
    match = _AIM.match(code)
    return (None, code) if match is None else (match[0].decode("ascii"), code[AIM_LENGTH:])


_AIM = re.compile(rb"\][A-Za-z][0-9A-Za-z]")
_LINK_START = re.compile("https?://", re.IGNORECASE)
_DIGITS = re.compile("[0-9]+")

_PLAIN_LINEAR = (None, "]C0")
_GTIN_LENGTHS = (8, 12, 13, 14)


def _text(body: bytes) -> str:
    if not body:
        raise CodeError(Fault("empty", "nothing came, expected a code", None, 0))
    if len(body) > CODE_LENGTH_MAX:
        message = f"{len(body)} bytes, expected at most {CODE_LENGTH_MAX}: no barcode holds more"
        raise CodeError(Fault("too_long", message))
    if not body.isascii():
        position = next(index for index, value in enumerate(body) if value > 0x7F)
        message = f"byte {body[position]:02X} at position {position}, expected ASCII"
        raise CodeError(Fault("not_ascii", message, None, position))
    return body.decode("ascii")


def _identified(aim: str | None, text: str) -> Identity:
    carried = None if aim is None else read_carried(aim, text)
    if carried is not None:
        elements, faults = carried
        if faults:
            raise CodeError(*faults)
        return _load(elements)
    if text.startswith(ORDER_PREFIX):
        return parse_order(text)
    if _LINK_START.match(text):
        return _load(parse_link(text))
    if aim in _PLAIN_LINEAR:
        return _plain_load(aim, text)
    raise CodeError(
        Fault(
            "carrier",
            f"{shown(text)} in a carrier marked {aim}, expected a GS1 Digital Link or a dock label there; "
            "GS1 element strings are marked ]C1, ]d2, ]Q3 or ]e0",
        )
    )


def _plain_load(aim: str | None, text: str) -> Load:
    """A code whose carrier says nothing of GS1: only forms that no other reading of the same characters
    has.
    """
    if text.startswith("("):
        return _load(parse_bracketed(text))
    if _DIGITS.fullmatch(text):
        if len(text) == 18:
            return _load((("00", _sscc(text, 0)),))
        if len(text) == 20 and text.startswith("00"):
            return _load((("00", _sscc(text[2:], 2)),))
        if len(text) in _GTIN_LENGTHS:
            return _load(_gtin_elements(text))
    if text.startswith(("00", "01")):
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
        return _load(parse_elements(text))
    raise CodeError(
        Fault(
            "unknown_form",
            f"{len(text)} characters {shown(text)}, expected an SSCC of 18 digits, "
            "a GTIN of 8, 12, 13 or 14, an element string, a GS1 Digital Link or a dock label",
        )
    )


def _gtin_elements(text: str) -> Elements:
    _check_last(text, "01", 0)
    return (("01", text.zfill(14)),)


def _sscc(text: str, position: int) -> str:
    _check_last(text, "00", position)
    return text


def _check_last(digits: str, ai: str, position: int) -> None:
    expected = check_digit(digits[:-1])
    if digits[-1] != expected:
        message = f"check digit {digits[-1]}, expected {expected}, of AI {ai} at position {position}"
        raise CodeError(Fault("csum", message, ai, position))


def _load(elements: Elements) -> Load:
    values = dict(elements)
    sscc, lot, serial = values.get("00"), values.get("10"), values.get("21")
    gtin = values.get("01", values.get("02"))
    count = values.get("37", values.get("30"))
    if sscc is None and "01" not in values:
        came = ", ".join(values)
        raise CodeError(Fault("no_identity", f"AI {came}, expected an SSCC (AI 00) or a GTIN (AI 01)"))
    return Load(
        kind="gtin" if sscc is None else "sscc",
        key=gtin_link(values["01"], lot, serial) if sscc is None else sscc_link(sscc),
        elements=elements,
        sscc=sscc,
        gtin=gtin,
        lot=lot,
        serial=serial,
        count=None if count is None else int(count),
    )
