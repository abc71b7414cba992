# SPDX-License-Identifier: Apache-2.0
"""Symbols as pixels, one pixel a module, their quiet zones around them.

A symbol is named as a scanner sends it: symbology identifier and text. GS1-128 and GS1 DataMatrix are drawn
by the encoders that print our own labels, ITF-14 here, QR by OpenCV.
Sources: ISO/IEC 16390 (interleaved 2 of 5), GS1 General Specifications, section 5.3 (ITF-14, its bearer bar).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np

from gs1.code128 import QUIET_ZONE, START_B, code128_widths, gs1_128_values
from gs1.datamatrix import gs1_datamatrix

__all__ = ["CARRIERS", "Pixels", "SymbolError", "symbol_pixels"]

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

CARRIERS: Final = ("]C0", "]C1", "]I1", "]Q1", "]d2")
"""Symbology identifiers that can be drawn."""


class SymbolError(ValueError):
    """A text that the named symbol cannot hold."""


def symbol_pixels(code: bytes) -> Pixels:
    """The symbol of `code`, such as b"]C100095219990000000013": 0 is black, 255 white. A bar code is as high
    as a third of its width.

    Raises SymbolError for an identifier that is not of CARRIERS and for a text that it cannot hold.
    """
    try:
        aim, text = code[:3].decode("ascii"), code[3:].decode("ascii")
        if aim == "]C1":
            return _bars(code128_widths(gs1_128_values(text)))
        if aim == "]C0":
            return _bars(code128_widths((START_B, *map(_value_b, text))))
        if aim == "]I1":
            return _bearer(_bars(_itf_widths(text)))
        if aim == "]d2":
            return _matrix(gs1_datamatrix(text))
        if aim == "]Q1":
            return _qr(text)
    except ValueError as error:
        raise SymbolError(f"{code[:60]!r} cannot be drawn: {error}") from error
    raise SymbolError(f"{code[:60]!r}, expected one of {', '.join(CARRIERS)} in front")


def _value_b(character: str) -> int:
    if not " " <= character <= "~":
        raise ValueError(f"character {character!r} is not in code set B")
    return ord(character) - 32


def _bars(widths: Sequence[int], quiet: int = QUIET_ZONE) -> Pixels:
    black = [number % 2 == 0 for number, width in enumerate(widths) for _ in range(width)]
    row = np.pad(np.array(black, bool), quiet)
    return np.where(np.tile(row, (len(row) // 3, 1)), 0, 255).astype(np.uint8)


# Widths of the five bars or spaces of a digit: 1 narrow, 3 wide.
_ITF: Final = ["11331", "31113", "13113", "33111", "11313", "31311", "13311", "11133", "31131", "13131"]


def _itf_widths(text: str) -> list[int]:
    if not (len(text) == 14 and text.isdigit()):
        raise ValueError("ITF-14 has 14 digits")
    widths = [1, 1, 1, 1]
    for first, second in zip(text[::2], text[1::2], strict=True):
        for bar, space in zip(_ITF[int(first)], _ITF[int(second)], strict=True):
            widths += [int(bar), int(space)]
    return [*widths, 3, 1, 1]


def _bearer(bars: Pixels) -> Pixels:
    """A black bar along top and bottom, so that a ray which leaves the symbol there reads nothing."""
    bars = bars.copy()
    bars[:4], bars[-4:] = 0, 0
    return np.pad(bars, 4, constant_values=255)


def _matrix(rows: Sequence[Sequence[bool]]) -> Pixels:
    return np.where(np.pad(np.array(rows, bool), 2), 0, 255).astype(np.uint8)


def _qr(text: str) -> Pixels:
    if not text:
        raise ValueError("an empty QR code")
    try:
        drawn = cv2.QRCodeEncoder.create().encode(text)
    except cv2.error as error:
        raise ValueError(f"{len(text)} characters are too many for a QR code") from error
    return np.pad(np.asarray(drawn, np.uint8), 2, constant_values=255)
