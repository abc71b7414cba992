# SPDX-License-Identifier: Apache-2.0
"""GS1 DataMatrix (ECC 200): a text as the black and white modules of the smallest symbol that holds it.

Digits go in pairs, everything else one character a codeword. For keys, numbers and dates, which labels hold,
that is the smallest symbol or one size above it; long text in capital letters would be smaller in a scheme
that packs three letters into two codewords, at the price of a second way to write every symbol.
May not know what the text means nor how it is
drawn. Sources: ISO/IEC 16022 (sections 5.2 to 5.8, annexes E and F), GS1 General Specifications, section 5.6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .errors import Gs1Error
from .printable import shown

__all__ = ["QUIET_ZONE", "Rows", "gs1_datamatrix"]

QUIET_ZONE = 1
"""Modules that stay blank on all four sides."""

Rows = tuple[tuple[bool, ...], ...]


def gs1_datamatrix(text: str, *, rectangular: bool = False) -> Rows:
    """The modules of the symbol from the top, True for black, its finder pattern included, without quiet
    zone.

    `text` is an element string of ASCII; GS stands for the FNC1 between elements. `rectangular` takes the
    smallest of the six oblong sizes in place of the square ones. Raises Gs1Error for any other character, and
    for a text that the largest size does not hold.
    """
    codewords = list(_codewords(text))
    size = next((size for size in _SIZES if size.oblong == rectangular and len(codewords) <= size.data), None)
    if size is None:
        shape = "rectangular" if rectangular else "square"
        raise Gs1Error(
            f"{len(text)} characters, more than a {shape} GS1 DataMatrix holds: print fewer elements"
        )
    _pad(codewords, size.data)
    return _drawn(size, codewords + _corrections(size, codewords))


@dataclass(frozen=True, slots=True)
class _Size:
    """A symbol: its modules, data and correction codewords, the regions it is split into, and its blocks."""

    height: int
    width: int
    data: int
    correction: int
    regions_down: int
    regions_across: int
    blocks: int

    @property
    def oblong(self) -> bool:
        return self.height != self.width


# height width data correction regions-down regions-across blocks; ISO/IEC 16022, table 7.
_TABLE = """
10 10 3 5 1 1 1 | 12 12 5 7 1 1 1 | 14 14 8 10 1 1 1 | 16 16 12 12 1 1 1 | 18 18 18 14 1 1 1
20 20 22 18 1 1 1 | 22 22 30 20 1 1 1 | 24 24 36 24 1 1 1 | 26 26 44 28 1 1 1 | 32 32 62 36 2 2 1
36 36 86 42 2 2 1 | 40 40 114 48 2 2 1 | 44 44 144 56 2 2 1 | 48 48 174 68 2 2 1 | 52 52 204 84 2 2 2
64 64 280 112 4 4 2 | 72 72 368 144 4 4 4 | 80 80 456 192 4 4 4 | 88 88 576 224 4 4 4
96 96 696 272 4 4 4 | 104 104 816 336 4 4 6 | 120 120 1050 408 6 6 6 | 132 132 1304 496 6 6 8
144 144 1558 620 6 6 10
8 18 5 7 1 1 1 | 8 32 10 11 1 2 1 | 12 26 16 14 1 1 1 | 12 36 22 18 1 2 1 | 16 36 32 24 1 2 1
16 48 49 28 1 2 1
"""
_SIZES = [_Size(*map(int, row.split())) for row in _TABLE.replace("\n", "|").split("|") if row.strip()]

_GS = "\x1d"
_FNC1, _PAD, _PAIR = 232, 129, 130


def _codewords(text: str) -> Iterator[int]:
    yield _FNC1
    place = 0
    while place < len(text):
        pair = text[place : place + 2]
        if len(pair) == 2 and pair.isascii() and pair.isdigit():
            yield _PAIR + int(pair)
            place += 2
            continue
        if ord(text[place]) > 127:
            raise Gs1Error(
                f"character {shown(text[place])} cannot be drawn in GS1 DataMatrix, expected ASCII"
            )
        yield _FNC1 if text[place] == _GS else ord(text[place]) + 1
        place += 1


def _pad(codewords: list[int], size: int) -> None:
    if len(codewords) < size:
        codewords.append(_PAD)
    while len(codewords) < size:
        # Annex B.1: pads are spread, so that a half empty symbol has no pattern that looks like a finder.
        spread = _PAD + 149 * (len(codewords) + 1) % 253 + 1
        codewords.append(spread if spread <= 254 else spread - 254)


# The field of 256 elements by x^8 + x^5 + x^3 + x^2 + 1 (annex E).
_POWERS = [1]
while len(_POWERS) < 255:
    _next = _POWERS[-1] * 2
    _POWERS.append(_next if _next < 256 else _next ^ 0x12D)
_LOGS = {value: power for power, value in enumerate(_POWERS)}


def _times(one: int, other: int) -> int:
    return _POWERS[(_LOGS[one] + _LOGS[other]) % 255] if one and other else 0


def _corrections(size: _Size, codewords: Sequence[int]) -> list[int]:
    """Reed-Solomon codewords; of several blocks each takes every so-manieth codeword."""
    each = size.correction // size.blocks
    found = [0] * size.correction
    generator = _generator(each)
    for block in range(size.blocks):
        remainder = [0] * each
        for codeword in codewords[block :: size.blocks]:
            factor = codeword ^ remainder[0]
            remainder = [
                following ^ _times(factor, term)
                for following, term in zip([*remainder[1:], 0], generator, strict=True)
            ]
        found[block :: size.blocks] = remainder
    return found


def _generator(degree: int) -> list[int]:
    """(x - 2)(x - 4)...(x - 2^degree), highest power first and left out."""
    terms = [1]
    for power in range(1, degree + 1):
        root = _POWERS[power]
        terms = [high ^ _times(low, root) for high, low in zip([*terms, 0], [0, *terms], strict=True)]
    return terms[1:]


def _drawn(size: _Size, codewords: Sequence[int]) -> Rows:
    high, wide = size.height // size.regions_down - 2, size.width // size.regions_across - 2
    bits = _placed(high * size.regions_down, wide * size.regions_across, codewords)
    rows = []
    for y in range(size.height):
        region_y, inner_y = divmod(y, high + 2)
        row = []
        for x in range(size.width):
            region_x, inner_x = divmod(x, wide + 2)
            if inner_x == 0 or inner_y == high + 1:
                row.append(True)  # the solid L of each region's finder
            elif inner_y == 0:
                row.append(inner_x % 2 == 0)
            elif inner_x == wide + 1:
                row.append(inner_y % 2 == 1)
            else:
                row.append(bits[region_y * high + inner_y - 1, region_x * wide + inner_x - 1])
        rows.append(tuple(row))
    return tuple(rows)


_Bits = dict[tuple[int, int], bool]


def _placed(high: int, wide: int, codewords: Sequence[int]) -> _Bits:
    """The data modules by row and column (annex F): codewords in diagonal sweeps, their bits wrapped."""
    bits: _Bits = {}
    following = iter(codewords)
    row, column = 4, 0
    while row < high or column < wide:
        for corner in _corners(row, column, high, wide):
            _put(bits, corner, next(following))
        while row >= 0 and column < wide:  # up and to the right
            if row < high and column >= 0 and (row, column) not in bits:
                _put(bits, _utah(row, column, high, wide), next(following))
            row, column = row - 2, column + 2
        row, column = row + 1, column + 3
        while row < high and column >= 0:  # down and to the left
            if row >= 0 and column < wide and (row, column) not in bits:
                _put(bits, _utah(row, column, high, wide), next(following))
            row, column = row + 2, column - 2
        row, column = row + 3, column + 1
    # Where the sweeps leave the lower right corner free, it is filled with a fixed pattern.
    for place, bit in (((high - 1, wide - 1), True), ((high - 2, wide - 2), True)):
        bits.setdefault(place, bit)
    for place in ((high - 1, wide - 2), (high - 2, wide - 1)):
        bits.setdefault(place, False)
    return bits


def _put(bits: _Bits, places: Sequence[tuple[int, int]], codeword: int) -> None:
    for number, place in enumerate(places):
        bits[place] = bool(codeword >> (7 - number) & 1)


_SHAPE = ((-2, -2), (-2, -1), (-1, -2), (-1, -1), (-1, 0), (0, -2), (0, -1), (0, 0))


def _utah(row: int, column: int, high: int, wide: int) -> list[tuple[int, int]]:
    """The eight places of a codeword whose last bit is at (row, column), wrapped around the edges."""
    places = []
    for down, right in _SHAPE:
        y, x = row + down, column + right
        if y < 0:
            y, x = y + high, x + 4 - (high + 4) % 8
        if x < 0:
            y, x = y + 4 - (wide + 4) % 8, x + wide
        places.append((y, x))
    return places


def _corners(row: int, column: int, high: int, wide: int) -> list[list[tuple[int, int]]]:
    """The codewords that are split over corners, at the place of the sweep where they come up."""
    h, w = high, wide
    found = []
    if row == h and column == 0:
        found.append(
            [(h - 1, 0), (h - 1, 1), (h - 1, 2), (0, w - 2), (0, w - 1), (1, w - 1), (2, w - 1), (3, w - 1)]
        )
    if row == h - 2 and column == 0 and w % 4 != 0:
        found.append(
            [(h - 3, 0), (h - 2, 0), (h - 1, 0), (0, w - 4), (0, w - 3), (0, w - 2), (0, w - 1), (1, w - 1)]
        )
    if row == h - 2 and column == 0 and w % 8 == 4:
        found.append(
            [(h - 3, 0), (h - 2, 0), (h - 1, 0), (0, w - 2), (0, w - 1), (1, w - 1), (2, w - 1), (3, w - 1)]
        )
    if row == h + 4 and column == 2 and w % 8 == 0:
        found.append(
            [
                (h - 1, 0),
                (h - 1, w - 1),
                (0, w - 3),
                (0, w - 2),
                (0, w - 1),
                (1, w - 3),
                (1, w - 2),
                (1, w - 1),
            ]
        )
    return found
