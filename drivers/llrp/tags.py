# SPDX-License-Identifier: Apache-2.0
"""How one tag of a report lies in its bytes: which are the same for all tags of its kind, and where the
values are. For `drivers.llrp.reports`; may not know what the values mean.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from drivers.llrp.errors import LlrpError
from drivers.llrp.impinj import IMPINJ
from drivers.llrp.tables import CUSTOM_TYPE

__all__ = ["TagLayout", "parameter_length"]

_HEAD: Final = struct.Struct(">HH")
_CUSTOM_HEAD: Final = struct.Struct(">II")

# What has a type of one byte and no length: its bytes, and what a value that counts is called.
_TV: Final[dict[int, tuple[str, str]]] = {
    1: ("H", "antenna"),
    2: ("Q", "first_utc"),
    3: ("Q", "first_uptime"),
    4: ("Q", "last_utc"),
    5: ("Q", "last_uptime"),
    6: ("b", "dbm"),
    7: ("H", "channel"),
    8: ("H", "count"),
    9: ("4x", ""),
    10: ("2x", ""),
    11: ("2x", ""),
    12: ("H", "pc"),
    13: ("12s", "epc"),
    14: ("2x", ""),
    15: ("2x", ""),
    16: ("4x", ""),
    17: ("2x", ""),
    18: ("4x", ""),
    19: ("2x", ""),
    20: ("2x", ""),
}
_IMPINJ: Final[dict[int, tuple[str, str]]] = {56: ("H", "phase"), 57: ("h", "cdbm"), 68: ("h", "doppler")}
_IMPINJ_TID: Final = 55
_EPC: Final = 241
_READ_RESULT: Final = 349
# The class identifiers that a chip's own number begins with (Gen2, TID memory): a read of other memory
# hardly ever does.
_TID_CLASSES: Final = (0xE0, 0xE2)


@dataclass(slots=True)
class TagLayout:
    """Tags of `size` bytes whose values, in the order of `names`, `values` unpacks.

    Names are epc, antenna, first_utc, first_uptime, last_utc, last_uptime, dbm, cdbm, channel, count, pc,
    phase, doppler, tid: those of a tag's own that there are.
    """

    size: int
    names: tuple[str, ...]
    values: struct.Struct
    _mask: bytes
    _expected: bytes
    _whole: dict[int, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, data: bytes, at: int, length: int) -> TagLayout:
        """The layout of the TagReportData at byte `at`. Raises LlrpError where its inside does not fit it."""
        walk = _Walk(data, at, at + length)
        walk.take("4x", "", 4)
        while walk.at < walk.end:
            (walk.tv if data[walk.at] & 0x80 else walk.tlv)()
        if "epc" not in walk.names:
            raise LlrpError("a tag without EPCData and EPC96, expected one of them", at)
        expected = bytes(a & b for a, b in zip(data[at : at + length], walk.mask, strict=True))
        names = tuple(walk.names)
        return cls(length, names, struct.Struct(">" + "".join(walk.codes)), bytes(walk.mask), expected)

    def matching(self, data: bytes, at: int, count: int) -> int:
        """How many of the `count` tags from byte `at` on have this layout, one after the other."""
        mask, expected = self._whole.get(count) or self._numbers(count)
        size = self.size
        differs = int.from_bytes(data[at : at + count * size], "big") & mask ^ expected
        # The first difference is the highest bit.
        return count if not differs else count - (differs.bit_length() + 8 * size - 1) // (8 * size)

    def _numbers(self, count: int) -> tuple[int, int]:
        numbers = (
            int.from_bytes(self._mask * count, "big"),
            int.from_bytes(self._expected * count, "big"),
        )
        # Windows are of few sizes; the ends of reports are of many.
        if len(self._whole) < 16:
            self._whole[count] = numbers
        return numbers


def parameter_length(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Type and length of the parameter at byte `at`, which has a length. Raises LlrpError beyond `end`."""
    if end - at < 4:
        raise LlrpError(f"{end - at} bytes are left, expected a parameter of at least 4", at)
    kind, length = _HEAD.unpack_from(data, at)
    if not 4 <= length <= end - at:
        raise LlrpError(f"parameter {kind} is {length} bytes long, expected 4 to {end - at}", at + 2)
    return kind, length


class _Walk:
    """Goes through one tag; `mask` has a set bit where other tags of its layout are the same."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data = data
        self.at = at
        self.end = end
        self.codes: list[str] = []
        self.names: list[str] = []
        self.mask = bytearray()

    def take(self, code: str, name: str, fixed: int) -> None:
        """Go over `code`, whose first `fixed` bytes are the layout's; `name` where it is a value."""
        size = struct.calcsize(">" + code)
        if self.at + size > self.end:
            raise LlrpError(f"{self.end - self.at} bytes are left, expected {size}", self.at)
        self.codes.append(code)
        if name:
            self.names.append(name)
        self.mask += b"\xff" * fixed + bytes(size - fixed)
        self.at += size

    def tv(self) -> None:
        """A parameter without length."""
        known = _TV.get(self._data[self.at] & 0x7F)
        self.take("x", "", 1)
        if known is None:
            # Nobody knows where the next one begins: the rest of the tag is passed over.
            known = (f"{self.end - self.at}x", "")
        self.take(*known, 0)

    def tlv(self) -> None:
        """A parameter with length."""
        kind, length = parameter_length(self._data, self.at, self.end)
        end = self.at + length
        outer, self.end = self.end, end
        if kind == _EPC:
            self._epc()
        elif kind == _READ_RESULT:
            self._read_result()
        elif kind == CUSTOM_TYPE:
            self._custom()
        else:
            self.take("4x", "", 4)
        self.take(f"{end - self.at}x", "", 0)
        self.end = outer

    def _epc(self) -> None:
        self.take("6x", "", 6)
        bits = int.from_bytes(self._data[self.at - 2 : self.at], "big")
        size = (bits + 7) // 8
        if size != self.end - self.at:
            came = self.end - self.at
            raise LlrpError(f"EPCData says {bits} bits and has {came} bytes, expected {size}", self.at - 2)
        self.take(f"{size}s", "epc", 0)

    def _read_result(self) -> None:
        """Type and length, result, which operation, count of words, words."""
        self.take("4x", "", 4)
        self.take("x", "", 1)
        self.take("2x", "", 0)
        self.take("2x", "", 2)
        words = int.from_bytes(self._data[self.at - 2 : self.at], "big")
        succeeded = self._data[self.at - 5] == 0
        if succeeded and words and self.at < self.end and self._data[self.at] in _TID_CLASSES:
            self.take(f"{words * 2}s", "tid", 1)

    def _custom(self) -> None:
        self.take("12x", "", 12)
        vendor, subtype = _CUSTOM_HEAD.unpack_from(self._data, self.at - 8)
        if vendor != IMPINJ:
            return
        value = _IMPINJ.get(subtype)
        if value and self.end - self.at >= 2:
            self.take(*value, 0)
        elif subtype == _IMPINJ_TID and self.end - self.at >= 2:
            self.take("2x", "", 2)
            words = int.from_bytes(self._data[self.at - 2 : self.at], "big")
            if 0 < words * 2 <= self.end - self.at:
                self.take(f"{words * 2}s", "tid", 0)
