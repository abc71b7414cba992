# SPDX-License-Identifier: Apache-2.0
"""Files that say they are pictures: their size is read before anything is unpacked. Pure.

Sources: ISO/IEC 10918-1 annex B (JPEG markers), ISO/IEC 15948 section 11.2.2 (PNG's IHDR).
"""

from __future__ import annotations

import struct

__all__ = ["SEGMENTS_MAX", "picture_size"]

SEGMENTS_MAX = 4096
"""Real files have some dozens; a file of nothing but filling would hold the interpreter for seconds."""


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Width and height that a JPEG or PNG file states; None for anything else, and for a JPEG with more than
    SEGMENTS_MAX segments before its picture. Unpacks nothing.
    """
    if data.startswith(_PNG) and len(data) >= 24 and data[12:16] == b"IHDR":
        width, height = struct.unpack_from(">II", data, 16)
        return int(width), int(height)
    if data.startswith(b"\xff\xd8"):
        return _jpeg_size(data)
    return None


_PNG = b"\x89PNG\r\n\x1a\n"
# Frame headers SOF0 to SOF15; DHT, JPG and DAC lie between them.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Markers that stand alone: TEM, RST0 to RST7, SOI.
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    position = 2
    for _ in range(SEGMENTS_MAX):
        if position + 4 > len(data) or data[position] != 0xFF:
            return None
        marker = data[position + 1]
        if marker == 0xFF or marker in _ALONE:
            position += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAMES:
            if position + 9 > len(data):
                return None
            height, width = struct.unpack_from(">HH", data, position + 5)
            return int(width), int(height)
        if marker in (0xD9, 0xDA):
            return None
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return None
