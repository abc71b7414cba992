# SPDX-License-Identifier: Apache-2.0
"""A label's drawing as SVG: one unit a dot, the size in mm, for a page or an office printer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from .code128 import code128_widths
from .datamatrix import Rows
from .label import Drawing, Text

__all__ = ["bars_path", "label_svg"]


def label_svg(drawing: Drawing) -> str:
    """The label as a whole SVG document."""
    paper = drawing.paper
    bars, matrix = drawing.bars, drawing.matrix
    parts = (
        bars_path(code128_widths(bars.values), bars.x, bars.y, bars.module, bars.height),
        _matrix_path(matrix.rows, matrix.x, matrix.y, matrix.module),
    )
    size = f'width="{paper.width_mm:g}mm" height="{paper.height_mm:g}mm"'
    box = f'viewBox="0 0 {drawing.width} {drawing.height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box} shape-rendering="crispEdges">\n'
        f'<rect width="{drawing.width}" height="{drawing.height}" fill="#fff"/>\n'
        + "".join(f'<path d="{part}"/>\n' for part in parts)
        + "".join(map(_text, drawing.texts))
        + "</svg>\n"
    )


def bars_path(widths: Sequence[int], x: int, y: int, module: int, height: int) -> str:
    """An SVG path of bars: `widths` of bar, space, bar ... in modules, from the upper left corner."""
    parts, at = [], x
    for number, width in enumerate(widths):
        if number % 2 == 0:
            parts.append(f"M{at} {y}h{width * module}v{height}h-{width * module}z")
        at += width * module
    return "".join(parts)


def _matrix_path(rows: Rows, x: int, y: int, module: int) -> str:
    """Black modules that touch in a row are one rectangle, so that no seam shows between them."""
    parts = []
    for down, row in enumerate(rows):
        for begin, length in _runs(row):
            across = length * module
            parts.append(f"M{x + begin * module} {y + down * module}h{across}v{module}h-{across}z")
    return "".join(parts)


def _runs(row: Sequence[bool]) -> Iterator[tuple[int, int]]:
    begin = None
    for place, black in enumerate((*row, False)):
        if black and begin is None:
            begin = place
        elif not black and begin is not None:
            yield begin, place - begin
            begin = None


def _text(text: Text) -> str:
    x, anchor = (text.x + text.width // 2, ' text-anchor="middle"') if text.width else (text.x, "")
    # The letters stand on their base line, which is about four fifths down.
    y = text.y + text.height * 4 // 5
    size = f'font-family="sans-serif" font-size="{text.height}"'
    return f'<text x="{x}" y="{y}" {size}{anchor}>{escape(text.text)}</text>\n'
