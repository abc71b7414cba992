# SPDX-License-Identifier: Apache-2.0
"""What is printed on pallets and work orders: GS1 element strings, Digital Links, dock labels.

Written from the standards and not from the service's reader, so that a common misreading cannot hide.
Sources: GS1 General Specifications, sections 3, 5.4 (FNC1 as symbology identifier) and 7.9 (check digit);
GS1 Digital Link URI Syntax; ISO/IEC 7064 MOD 37,36.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

COMPANY: Final = "9521999"
"""The example company prefix, from GS1's demonstration range."""

_PARTITION: Final = 5
"""Of EPCs whose company prefix has seven digits (TDS 2.0, table 14-2): 24 bits for it, 20 for the rest."""

_GS: Final = "\x1d"
_CHARACTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def with_check_digit(digits: str) -> str:
    """`digits` and the GS1 check digit behind them: every second digit from the right counts threefold."""
    total = 0
    for distance, digit in enumerate(reversed(digits)):
        total += int(digit) * (1 if distance % 2 else 3)
    return f"{digits}{(10 - total % 10) % 10}"


def sscc(serial: int, company: str = COMPANY) -> str:
    """The SSCC, 18 digits, of a company's logistic unit number `serial`, extension digit 0."""
    return with_check_digit("0" + company + str(serial).zfill(16 - len(company)))


def work_order(job: str) -> bytes:
    """The label that opens door job `job`."""
    return _dock_label("J", job)


def control(command: str) -> bytes:
    """The label that gives a command, UNDO or CLOSE."""
    return _dock_label("C", command)


def gs1_128(*elements: tuple[str, str]) -> bytes:
    """Elements as a scanner sends a GS1-128 symbol, `]C1` in front."""
    return ("]C1" + _element_string(elements)).encode()


def gs1_data_matrix(*elements: tuple[str, str]) -> bytes:
    """Elements as a scanner sends a GS1 DataMatrix symbol, `]d2` in front."""
    return ("]d2" + _element_string(elements)).encode()


def qr_link(*path: tuple[str, str]) -> bytes:
    """A GS1 Digital Link as a scanner sends a QR code, `]Q1` in front."""
    return ("]Q1" + digital_link(*path)).encode()


def digital_link(*path: tuple[str, str]) -> str:
    """The canonical Digital Link of identifiers and values."""
    return "https://id.gs1.org" + "".join(f"/{ai}/{quote(value, safe='')}" for ai, value in path)


def unit_tag(number: str) -> bytes:
    """The EPC of the tag on logistic unit `number`, an SSCC of our company: SSCC-96 (TDS 2.0, 14.6.2)."""
    return _epc(0x31, 2, (int(number[0] + number[8:17]), 34), (0, 24))


def item_tag(gtin: str, serial: int) -> bytes:
    """The EPC of one of the goods of a GTIN-14 of our company: SGTIN-96 (TDS 2.0, 14.6.1)."""
    return _epc(0x30, 1, (int(gtin[0] + gtin[8:13]), 20), (serial, 38))


def truck_tag(number: int) -> bytes:
    """The EPC of one of our forklifts: GIAI-96 (TDS 2.0, 14.6.5)."""
    return _epc(0x34, 0, (number, 58))


def _epc(header: int, kind: int, *parts: tuple[int, int]) -> bytes:
    value = ((header << 3 | kind) << 3 | _PARTITION) << 24 | int(COMPANY)
    for number, bits in parts:
        value = value << bits | number
    return value.to_bytes(12, "big")


def check_character(text: str) -> str:
    """The ISO/IEC 7064 MOD 37,36 check character of `text`, 0-9 and A-Z."""
    modulus = len(_CHARACTERS)
    remainder = modulus
    for character in text:
        remainder = (remainder + _CHARACTERS.index(character)) % modulus or modulus
        remainder = 2 * remainder % (modulus + 1)
    # The check is the one character that makes the whole come to 1.
    return next(c for c in _CHARACTERS if (remainder + _CHARACTERS.index(c)) % modulus == 1)


def _dock_label(letter: str, text: str) -> bytes:
    return f"ZG1:{letter}:{text}:{check_character(text.replace('-', ''))}".encode()


# The element strings printed here: those whose length is fixed by the first digits need no separator.
_FIXED: Final = ("00", "01", "02")


def _element_string(elements: tuple[tuple[str, str], ...]) -> str:
    text = ""
    for position, (ai, value) in enumerate(elements, start=1):
        last = position == len(elements)
        text += ai + value + ("" if ai in _FIXED or last else _GS)
    return text
