# SPDX-License-Identifier: Apache-2.0
"""Bits of a tag's memory, read from the first to the last and written so. Knows no scheme.

Source: GS1 EPC Tag Data Standard 2.3, section 9.
"""

from __future__ import annotations

from typing import NoReturn

from gs1.errors import CodeError, Fault

__all__ = ["EPC_BYTES_MAX", "WORD_BYTES", "BitReader", "BitWriter", "refuse"]

WORD_BYTES = 2
# A tag counts the words of its EPC in five bits (section 9.3).
EPC_BYTES_MAX = 31 * WORD_BYTES


def refuse(code: str, message: str, ai: str | None = None) -> NoReturn:
    """Raise the CodeError of one fault; a tag's faults have no position."""
    raise CodeError(Fault(code, message, ai))


class BitReader:
    """The bits of a tag's memory that were not taken yet; `left` counts them.

    Raises CodeError `epc_length` when there are more than a tag can have.
    """

    __slots__ = ("_value", "left")

    def __init__(self, data: bytes) -> None:
        if len(data) > EPC_BYTES_MAX:
            refuse("epc_length", f"{len(data)} bytes, expected at most {EPC_BYTES_MAX}: no EPC is longer")
        self._value = int.from_bytes(data, "big")
        self.left = len(data) * 8

    def take(self, count: int) -> int:
        """The next `count` bits as an unsigned number. Raises CodeError `epc_length` when fewer are left."""
        left = self.left - count
        if left < 0:
            refuse("epc_length", f"{self.left} bits left, expected {count} more: the tag's memory ends early")
        self.left = left
        return (self._value >> left) & ((1 << count) - 1)

    def rest(self) -> int:
        """All bits that are left, as one number; they stay."""
        return self._value & ((1 << self.left) - 1)

    def finish(self) -> None:
        """Nothing may be left but zeros that fill the last words: else CodeError `epc_reserved`."""
        if self.rest():
            refuse("epc_reserved", f"ones in the last {self.left} bits, expected zeros behind the code")


class BitWriter:
    """Bits put one behind the other, for a tag's memory."""

    __slots__ = ("_value", "length")

    def __init__(self) -> None:
        self._value = 0
        self.length = 0

    def put(self, value: int, count: int) -> None:
        """Put `value` as `count` bits; that it fits is the caller's word."""
        assert 0 <= value < 1 << count, (value, count)
        self._value = self._value << count | value
        self.length += count

    def words(self) -> bytes:
        """Everything put, filled with zeros to whole words of 16 bits.

        Raises CodeError `epc_length` when no tag's EPC can be that long.
        """
        length = -(-self.length // (8 * WORD_BYTES)) * WORD_BYTES
        if length > EPC_BYTES_MAX:
            refuse("epc_length", f"{length} bytes, expected at most {EPC_BYTES_MAX}: no EPC is longer")
        return (self._value << 8 * length - self.length).to_bytes(length, "big")
