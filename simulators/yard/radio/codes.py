# SPDX-License-Identifier: Apache-2.0
"""EPCs for the yard's tags, made here bit by bit: SSCC-96, SGTIN-96, GIAI-96 of GS1's example company
prefix.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final

_PC_96: Final = 0x3000
_COMPANY: Final = 614141
_PARTITION_7: Final = 5
_SSCC_96: Final = 0x31


class Codes:
    """Hands out numbers, each once. With `given` (protocol control bits and EPC) those come first, for all
    tags of goods alike.
    """

    def __init__(self, first: int, given: Sequence[tuple[int, bytes]] = ()) -> None:
        self._units = count(first)
        self._items = count(first)
        self._trucks = count(first % 1000)
        self._given: Iterator[tuple[int, bytes]] = iter(given)

    def unit(self) -> tuple[int, bytes]:
        """SSCC-96: header 31, filter 2, company of 24 bits, 34 bits of serial reference, 24 zeros."""
        return next(self._given, None) or _epc(_SSCC_96, 2, (next(self._units) % 10**10, 34), (0, 24))

    def item(self, reference: int) -> tuple[int, bytes]:
        """SGTIN-96: header 30, filter 2, company of 24 bits, 20 bits of item reference, 38 of serial."""
        return next(self._given, None) or _epc(0x30, 2, (reference % 10**6, 20), (next(self._items), 38))

    def truck(self) -> tuple[int, bytes]:
        """GIAI-96: header 34, filter 0, company of 24 bits, 58 bits of asset."""
        return _epc(0x34, 0, (next(self._trucks), 58))


def is_unit(epc: bytes) -> bool:
    """Whether an EPC is an SSCC-96, the label of a whole pallet."""
    return epc[0] == _SSCC_96


def _epc(header: int, kind: int, *parts: tuple[int, int]) -> tuple[int, bytes]:
    value = ((header << 3 | kind) << 3 | _PARTITION_7) << 24 | _COMPANY
    for number, bits in parts:
        value = value << bits | number
    return _PC_96, value.to_bytes(12, "big")
