# SPDX-License-Identifier: Apache-2.0
"""Which symbols say by themselves that they hold GS1 data, and which elements. Knows no link and no load.

Sources: ISO/IEC 15424 (symbology identifiers), GS1 General Specifications, section 5.1.2 (symbology
identifiers of GS1), section 7.10 (GTIN-12 in a UPC-E symbol).
"""

from __future__ import annotations

import re

from .check import check_digit
from .elements import Elements, read_elements
from .errors import Fault
from .printable import shown

__all__ = ["expand_upc_e", "read_carried"]

# GS1-128; GS1 Data Matrix; GS1 QR Code; GS1 DataBar, and any linear symbol of GS1 but EAN/UPC together with
# its composite component; GS1 DotCode.
_ELEMENT_CARRIERS = frozenset(("]C1", "]d2", "]Q3", "]e0", "]J1"))
# Carriers of one GTIN: how many digits. ]I0 and ]I1 differ in whether the scanner checked the digit, which is
# done here in any case. UPC-A and UPC-E arrive as 13 digits, as an EAN-13 that begins with 0.
_GTIN_CARRIERS = {"]E0": ("EAN/UPC", 13), "]E4": ("EAN-8", 8), "]I0": ("ITF-14", 14), "]I1": ("ITF-14", 14)}
_USELESS = {
    "]E1": "a two-digit add-on without its EAN/UPC symbol",
    "]E2": "a five-digit add-on without its EAN/UPC symbol",
    "]I2": "ITF whose check digit the scanner took off; set it to send the check digit",
}
_UPC_E_LENGTH = 8


def read_carried(aim: str, text: str) -> tuple[Elements, tuple[Fault, ...]] | None:
    """The elements in `text` of a symbol marked `aim` (such as `]C1`), and what is wrong with them.

    None where the carrier says nothing of GS1, so that `text` may be anything: a Digital Link in a `]Q1` or
    `]d1`, a private code. An EAN/UPC symbol is one GTIN of 14 digits, its add-on left out; a composite
    component behind it (`|]e0` or `]e0`) is read as part of the same label. An UPC-E that a scanner sends as
    its eight digits is expanded. Other composites arrive as one `]e0`.
    """
    if aim in _ELEMENT_CARRIERS:
        return read_elements(text)
    if aim in _USELESS:
        message = f"{_USELESS[aim]}, expected a symbol that identifies something"
        return (), (Fault("carrier", f"{shown(text)} in {message}"),)
    if aim == "]E3":
        # EAN-13 and add-on in one message; the add-on numbers an issue and is no part of the identity.
        return _read_gtin(text[:13], *_GTIN_CARRIERS["]E0"])
    if aim not in _GTIN_CARRIERS:
        return None
    match = _COMPOSITE.match(text) if aim[1] == "E" else None
    gtin, faults = _read_gtin(text if match is None else match[1], *_GTIN_CARRIERS[aim])
    if match is None or faults:
        return gtin, faults
    if match.end() == len(text):
        message = f"nothing behind ]e0 at position {len(text)}, expected elements"
        return gtin, (Fault("empty", message, None, len(text)),)
    return read_elements(text, match.end(), before=gtin)


def expand_upc_e(digits: str) -> str | None:
    """The twelve digits of UPC-A that the eight of an UPC-E symbol stand for, None when they are none such.

    Eight digits are number system (0 or 1), six digits and the check digit of the twelve.
    """
    if not (len(digits) == _UPC_E_LENGTH and digits.isascii() and digits.isdigit() and digits[0] in "01"):
        return None
    system, body, last = digits[0], digits[1:7], digits[6]
    if last in "012":
        expanded = f"{body[:2]}{last}0000{body[2:5]}"
    elif last == "3":
        expanded = f"{body[:3]}00000{body[3:5]}"
    elif last == "4":
        expanded = f"{body[:4]}00000{body[4]}"
    else:
        expanded = f"{body[:5]}0000{last}"
    return f"{system}{expanded}{digits[7]}" if check_digit(system + expanded) == digits[7] else None


_DIGITS = re.compile("[0-9]+")
_COMPOSITE = re.compile(r"([0-9]*)\|?\]e0")


def _read_gtin(text: str, carrier: str, length: int) -> tuple[Elements, tuple[Fault, ...]]:
    expanded = expand_upc_e(text) if carrier == "EAN/UPC" else None
    if expanded is not None:
        text = expanded.zfill(length)
    if not (len(text) == length and _DIGITS.fullmatch(text)):
        message = f"{len(text)} characters {shown(text)}, expected {length} digits in {carrier}"
        return (), (Fault("gtin_form", message, "01", 0),)
    elements = (("01", text.zfill(14)),)
    expected = check_digit(text[:-1])
    if text[-1] != expected:
        message = f"check digit {text[-1]}, expected {expected}, of AI 01 at position 0"
        return elements, (Fault("csum", message, "01", 0),)
    return elements, ()
