# SPDX-License-Identifier: Apache-2.0
"""Labels made into pixels, and read back by two programs that nobody here wrote: zxing-cpp and zbar."""

from __future__ import annotations

import ctypes.util
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import zxingcpp

# The characters that an element may hold: GS1 General Specifications, section 7.11.
CHARACTERS = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

Picture = np.ndarray[Any, np.dtype[np.uint8]]

_RECTANGLE = re.compile(r"M(\d+) (\d+)h(\d+)v(\d+)h-(\d+)z")


def picture_of_svg(svg: str) -> Picture:
    """The rectangles of an SVG that holds no other shape, one pixel a unit; text is left out."""
    size = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg)
    assert size is not None
    picture = np.full((int(size[2]), int(size[1])), 255, np.uint8)
    for path in re.findall(r'<path d="([^"]*)"/>', svg):
        assert _RECTANGLE.sub("", path) == ""
        for x, y, across, down, back in (map(int, found) for found in _RECTANGLE.findall(path)):
            assert across == back
            picture[y : y + down, x : x + across] = 0
    return picture


def picture_of_rows(rows: Sequence[Sequence[bool]], module: int = 4) -> Picture:
    """Modules with four blank ones around."""
    black = np.pad(np.array(rows, bool), 4)
    return np.where(np.kron(black, np.ones((module, module), bool)), 0, 255).astype(np.uint8)


def picture_of_widths(widths: Sequence[int], module: int = 3, height: int = 60) -> Picture:
    """Bars and spaces with ten blank modules at either end."""
    bits = [bit for number, width in enumerate(widths) for bit in [number % 2 == 0] * width]
    row = np.pad(np.repeat(np.array(bits, bool), module), 10 * module)
    return np.where(np.pad(np.tile(row, (height, 1)), ((10, 10), (0, 0))), 0, 255).astype(np.uint8)


def read_by_zxing(picture: Picture) -> dict[str, str]:
    """What zxing-cpp reads, by symbology identifier.

    The picture as it is: made smaller, thin bars run together, and about one label in thousands reads as
    another one whose check symbol happens to be right.
    """
    codes = zxingcpp.read_barcodes(picture, try_downscale=False)
    return {code.symbology_identifier: code.bytes.decode() for code in codes}


def read_by_zbar(picture: Picture) -> list[str]:
    """The Code 128 symbols that zbar reads; it leaves the FNC1 in front out."""
    if ctypes.util.find_library("zbar") is None:
        pytest.skip("libzbar is missing: ./dev test brings it")
    from pyzbar import pyzbar  # type: ignore[import-untyped]

    return [code.data.decode() for code in pyzbar.decode(picture, symbols=[pyzbar.ZBarSymbol.CODE128])]
