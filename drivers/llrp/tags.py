# SPDX-License-Identifier: Apache-2.0
"""How one tag of a report lies in its bytes: which are the same for all tags of its kind, and where the
values are. For `drivers.llrp.reports`; may not know what the values mean.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from drivers.llrp.errors import LlrpError
from drivers.llrp.impinj import IMPINJ
from drivers.llrp.tables import CUSTOM_TYPE

__all__ = ["TagLayout", "parameter_length", "short_length", "tag_values"]

# Bytes that follow each other in a tag: what they are called when they are a value, how they are unpacked,
# how many they are, and how many of them are the same for all tags of the layout.
_Piece: TypeAlias = tuple[str, str, int, int]

_HEAD: Final = struct.Struct(">HH")
_CUSTOM_HEAD: Final = struct.Struct(">II")
_NUMBERS: Final = {code: struct.Struct(">" + code) for code in "bhHQ"}

# What has a type of one byte and no length: its bytes, and what a value that counts is called.
_TV: Final[dict[int, tuple[str, str, int]]] = {
    1: ("antenna", "H", 2),
    2: ("first_utc", "Q", 8),
    3: ("first_uptime", "Q", 8),
    4: ("last_utc", "Q", 8),
    5: ("last_uptime", "Q", 8),
    6: ("dbm", "b", 1),
    7: ("channel", "H", 2),
    8: ("count", "H", 2),
    9: ("", "4x", 4),
    10: ("", "2x", 2),
    11: ("", "2x", 2),
    12: ("pc", "H", 2),
    13: ("epc", "12s", 12),
    14: ("", "2x", 2),
    15: ("", "2x", 2),
    16: ("", "4x", 4),
    17: ("", "2x", 2),
    18: ("", "4x", 4),
    19: ("", "2x", 2),
    20: ("", "2x", 2),
}
_TV_HEAD: Final[_Piece] = ("", "x", 1, 1)
_TV_PIECES: Final = {
    0x80 | kind: (_TV_HEAD, (name, code, size, 0)) for kind, (name, code, size) in _TV.items()
}
_IMPINJ: Final[dict[int, _Piece]] = {
    56: ("phase", "H", 2, 0),
    57: ("cdbm", "h", 2, 0),
    68: ("doppler", "h", 2, 0),
}
_IMPINJ_TID: Final = 55
_EPC: Final = 241
_READ_RESULT: Final = 349


@dataclass(slots=True)
class TagLayout:
    """Tags of `size` bytes that are alike but for their values.

    Names of values are epc, antenna, first_utc, first_uptime, last_utc, last_uptime, dbm, cdbm, channel,
    count, pc, phase, doppler, tid, read (of a tag's memory): those of them that such a tag has.
    """

    size: int
    _names: tuple[str, ...]
    _values: struct.Struct
    _mask: bytes
    _expected: bytes
    _whole: dict[int, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, data: bytes, at: int, length: int) -> TagLayout:
        """The layout of the TagReportData at byte `at`. Raises LlrpError where its inside does not fit it."""
        pieces = _pieces(data, at, length)
        mask = b"".join([b"\xff" * fixed + bytes(size - fixed) for _, _, size, fixed in pieces])
        expected = bytes(map(int.__and__, data[at : at + length], mask))
        names = tuple(name for name, *_ in pieces if name)
        return cls(
            length, names, struct.Struct(">" + "".join(code for _, code, *_ in pieces)), mask, expected
        )

    def matching(self, data: bytes, at: int, count: int) -> int:
        """How many of the `count` tags from byte `at` on have this layout, one after the other."""
        mask, expected = self._whole.get(count) or self._numbers(count)
        size = self.size
        differs = int.from_bytes(data[at : at + count * size], "big") & mask ^ expected
        # The first difference is the highest bit.
        return count if not differs else count - (differs.bit_length() + 8 * size - 1) // (8 * size)

    def columns(self, data: bytes, at: int, count: int) -> dict[str, Any]:
        """The values of `count` tags from byte `at` on, a tuple for each name."""
        block = memoryview(data)[at : at + count * self.size]
        return dict(zip(self._names, zip(*self._values.iter_unpack(block), strict=True), strict=True))

    def _numbers(self, count: int) -> tuple[int, int]:
        numbers = (
            int.from_bytes(self._mask * count, "big"),
            int.from_bytes(self._expected * count, "big"),
        )
        # Windows are of few sizes; the ends of reports are of many.
        if len(self._whole) < 16:
            self._whole[count] = numbers
        return numbers


def tag_values(data: bytes, at: int, length: int) -> dict[str, Any]:
    """The values of the TagReportData at byte `at` as `TagLayout.columns` of one, for a layout that is not
    worth keeping. Raises LlrpError where its inside does not fit it.
    """
    values: dict[str, Any] = {}
    for name, code, size, _ in _pieces(data, at, length):
        if name:
            number = _NUMBERS.get(code)
            values[name] = number.unpack_from(data, at) if number else (data[at : at + size],)
        at += size
    return values


def parameter_length(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Type and length of the parameter at byte `at`, which has a length. Raises LlrpError beyond `end`."""
    if end - at < 4:
        raise LlrpError(f"{end - at} bytes are left, expected a parameter of at least 4", at)
    kind, length = _HEAD.unpack_from(data, at)
    if not 4 <= length <= end - at:
        raise LlrpError(f"parameter {kind} is {length} bytes long, expected 4 to {end - at}", at + 2)
    return kind, length


def short_length(data: bytes, at: int, end: int) -> int:
    """How long the parameter at byte `at` is, which has a type of one byte and tells no length; all that is
    left where its type is not known: nobody knows where the next one begins. Raises LlrpError beyond `end`.
    """
    known = _TV.get(data[at] & 0x7F)
    length = 1 + known[2] if known else end - at
    if length > end - at:
        raise LlrpError(f"{end - at} bytes are left, expected a parameter of {length}", at)
    return length


def _pieces(data: bytes, at: int, length: int) -> list[_Piece]:
    """All bytes of the TagReportData at byte `at`."""
    start, end = at, at + length
    pieces: list[_Piece] = [("", "4x", 4, 4)]
    at += 4
    while at < end:
        if data[at] & 0x80:
            pair = _TV_PIECES.get(data[at])
            if pair is None:
                # Without a length nobody knows where the next one begins: the rest is passed over.
                pair = (_TV_HEAD, ("", f"{end - at - 1}x", end - at - 1, 0))
            pieces += pair
            at += 1 + pair[1][2]
        else:
            kind, inner = parameter_length(data, at, end)
            pieces += _tlv(data, at, kind, inner)
            at += inner
    if at > end:
        raise LlrpError(f"the last parameter ends {at - end} bytes behind the tag", end)
    if not any(name == "epc" for name, *_ in pieces):
        raise LlrpError("a tag without EPCData and EPC96, expected one of them", start)
    return pieces


def _tlv(data: bytes, at: int, kind: int, length: int) -> tuple[_Piece, ...]:
    """All bytes of the parameter at byte `at`, which has a length."""
    if kind == _EPC:
        return _epc(data, at, length)
    if kind == _READ_RESULT and length > 9:
        return _read_result(data, at, length)
    if kind == CUSTOM_TYPE and length >= 12:
        vendor, subtype = _CUSTOM_HEAD.unpack_from(data, at + 4)
        if vendor == IMPINJ and length >= 14:
            return _impinj(data, at, length, subtype)
    return (("", f"{length}x", length, min(length, 12 if kind == CUSTOM_TYPE else 4)),)


def _epc(data: bytes, at: int, length: int) -> tuple[_Piece, ...]:
    if length < 6:
        raise LlrpError(f"EPCData is {length} bytes long, expected at least 6", at + 2)
    bits = data[at + 4] << 8 | data[at + 5]
    size = (bits + 7) // 8
    if size != length - 6:
        raise LlrpError(f"EPCData says {bits} bits and has {length - 6} bytes, expected {size}", at + 4)
    return ("", "6x", 6, 6), ("epc", f"{size}s", size, 0)


def _read_result(data: bytes, at: int, length: int) -> tuple[_Piece, ...]:
    """Type and length, result, which operation, count of words, words."""
    size = (data[at + 7] << 8 | data[at + 8]) * 2
    head: tuple[_Piece, ...] = (("", "5x", 5, 5), ("", "2x", 2, 0))
    if data[at + 4] == 0 and size == length - 9:
        return (*head, ("", "2x", 2, 2), ("read", f"{size}s", size, 0))
    return (*head, ("", f"{length - 7}x", length - 7, 0))


def _impinj(data: bytes, at: int, length: int, subtype: int) -> tuple[_Piece, ...]:
    """Type and length, vendor, subtype; then the value, and perhaps what the vendor added since."""
    value, value_at = _IMPINJ.get(subtype), 12
    if subtype == _IMPINJ_TID:
        size = (data[at + 12] << 8 | data[at + 13]) * 2
        value, value_at = ("tid", f"{size}s", size, 0), 14
    if value is None or value_at + value[2] > length or not value[2]:
        return (("", f"{length}x", length, min(length, 14)),)
    rest = length - value_at - value[2]
    return ("", f"{value_at}x", value_at, value_at), value, ("", f"{rest}x", rest, 0)
