# SPDX-License-Identifier: Apache-2.0
"""A GS1-128 bar code as SVG (ISO/IEC 15417 Code 128, set B): the label that tries out a scanner.

Draws; knows nothing of what a code means.
"""

from __future__ import annotations

from typing import Final

GS: Final = "\x1d"
"""FNC1 between two element strings; readers send it as this character."""

_QUIET: Final = 10
_START_B: Final = 104
_FNC1: Final = 102
_STOP: Final = "2331112"

# Widths of bar, space, bar, space, bar, space for the values 0 to 105.
_TABLE: Final = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 "
    "122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 "
    "322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 "
    "112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321 "
    "331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 "
    "112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 "
    "124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 114311 411113 "
    "411311 113141 114131 311141 411131 211412 211214 211232"
)
_WIDTHS: Final = _TABLE.split()


def gs1_128_path(text: str) -> tuple[str, int]:
    """An SVG path of height 1 for `text` (visible ASCII, GS), and its width in modules with quiet zones.

    Raises ValueError for any other character.
    """
    values = [_START_B, _FNC1, *(_value(character) for character in text)]
    check = (values[0] + sum(place * value for place, value in enumerate(values))) % 103
    widths = "".join(_WIDTHS[value] for value in (*values, check)) + _STOP
    parts, at = [], _QUIET
    for index, width in enumerate(map(int, widths)):
        if index % 2 == 0:
            parts.append(f"M{at} 0h{width}v1h-{width}z")
        at += width
    return "".join(parts), at + _QUIET


def _value(character: str) -> int:
    if character == GS:
        return _FNC1
    value = ord(character) - 32
    if not 0 <= value <= 94:
        raise ValueError(f"{character!r} cannot be printed in Code 128 set B")
    return value
