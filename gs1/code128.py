# SPDX-License-Identifier: Apache-2.0
"""GS1-128 bar codes: a text as the values and the bars of Code 128, in the fewest symbol characters.

May not know what the text means, nor in what size and where it is drawn.
Sources: ISO/IEC 15417 (symbol characters, check), GS1 General Specifications, section 5.4 (FNC1 in front).
"""

from __future__ import annotations

from collections.abc import Sequence

from .errors import Gs1Error
from .printable import shown

__all__ = ["CODE_B", "CODE_C", "FNC1", "QUIET_ZONE", "START_B", "START_C", "code128_widths", "gs1_128_values"]

QUIET_ZONE = 10
"""Modules that stay blank on either side of the bars."""

CODE_C, CODE_B, FNC1, START_B, START_C = 99, 100, 102, 104, 105

TEXT_LENGTH_MAX = 120
"""GS1 allows 48 characters in a symbol; more than twice that is no label, and would only cost time."""


def gs1_128_values(text: str) -> tuple[int, ...]:
    """The symbol's values from its start character to the last one before the check, FNC1 in second place.

    `text` is an element string of visible ASCII; GS stands for the FNC1 between elements. Code sets B and C
    are changed where that gives the shortest symbol. Raises Gs1Error for any other character, for nothing
    and for more than 120 characters.
    """
    wrong = next((character for character in text if character != _GS and not " " <= character <= "~"), None)
    if wrong is not None:
        raise Gs1Error(f"character {shown(wrong)} cannot be drawn in GS1-128, expected visible ASCII")
    if not 0 < len(text) <= TEXT_LENGTH_MAX:
        raise Gs1Error(f"{len(text)} characters for GS1-128, expected 1 to {TEXT_LENGTH_MAX}")
    return min(
        ((start, FNC1, *values) for start, values in zip((START_C, START_B), _shortest(text), strict=True)),
        key=len,
    )


def code128_widths(values: Sequence[int]) -> tuple[int, ...]:
    """The widths of bar, space, bar ... in modules, with check and stop character, without quiet zones."""
    check = (values[0] + sum(place * value for place, value in enumerate(values))) % 103
    return tuple(map(int, "".join(_WIDTHS[value] for value in (*values, check)) + _STOP))


_GS = "\x1d"
_STOP = "2331112"

# Widths of bar, space, bar, space, bar, space for the values 0 to 105.
_TABLE = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 "
    "122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 "
    "322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 "
    "112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321 "
    "331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 "
    "112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 "
    "124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 114311 411113 "
    "411311 113141 114131 311141 411131 211412 211214 211232"
)
_WIDTHS = tuple(_TABLE.split())

# How many values, and which.
_Way = tuple[int, tuple[int, ...]]


def _shortest(text: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The fewest values for `text` when it begins in code set C, and when in B."""
    # From the end on, so that of each place the best way in either code set is known before it is asked for.
    in_b: list[_Way] = [(0, ())]
    in_c: list[_Way] = [(0, ())]
    for place in range(len(text) - 1, -1, -1):
        pair = text[place : place + 2]
        if text[place] == _GS:
            b, c = _before(FNC1, in_b[-1]), _before(FNC1, in_c[-1])
        else:
            b = _before(ord(text[place]) - 32, in_b[-1])
            c = _before(int(pair), in_c[-2]) if len(pair) == 2 and pair.isdigit() else _before(CODE_B, b)
        in_b.append(min(b, _before(CODE_C, c), key=_length))
        in_c.append(min(c, _before(CODE_B, b), key=_length))
    return in_c[-1][1], in_b[-1][1]


def _before(value: int, way: _Way) -> _Way:
    return way[0] + 1, (value, *way[1])


def _length(way: _Way) -> int:
    return way[0]
