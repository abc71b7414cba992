# SPDX-License-Identifier: Apache-2.0
"""Memory of tags put together by hand from the standard's coding tables, and what reading it refuses."""

from __future__ import annotations

import pytest

from gs1 import CodeError
from gs1.epc import decode_tag

GTIN = "04012345123456"
PREFIX, REFERENCE = "4012345", "012345"  # of GTIN, the indicator first in the reference


def memory(*bits: str) -> bytes:
    """The bits, spaces left out, filled with zeros to whole words."""
    joined = "".join(bits).replace(" ", "")
    joined += "0" * (-len(joined) % 16)
    return int(joined, 2).to_bytes(len(joined) // 8, "big")


def number(value: int | str, width: int) -> str:
    return f"{int(value):0{width}b}"


def nibbles(digits: str) -> str:
    return "".join(f"{int(digit, 16):04b}" for digit in digits)


def sevens(text: str) -> str:
    return "".join(f"{ord(character):07b}" for character in text)


def sixes(text: str) -> str:
    return "".join(f"{ord(character) & 63:06b}" for character in text) + "000000"


def sgtin(header: str, tail: str, value: int = 5) -> bytes:
    return memory(header, "011", number(value, 3), number(PREFIX, 24), number(REFERENCE, 20), tail)


def sgtin_plus(*behind: str, serial: str = "000 00001 0111", header: str = "11110111") -> bytes:
    """An SGTIN+ of GTIN with the serial 7 and more bits behind it."""
    return memory(header, "0 011", nibbles(GTIN), serial, *behind)


def codes_of(epc: bytes, pc: int | None = None) -> list[str]:
    with pytest.raises(CodeError) as refused:
        decode_tag(epc, pc)
    assert all(fault.message.isprintable() and len(fault.message) < 300 for fault in refused.value.faults)
    return [fault.code for fault in refused.value.faults]
