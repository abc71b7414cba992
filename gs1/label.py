# SPDX-License-Identifier: Apache-2.0
"""Labels for logistic units and zone lots: what stands where, in the dots of a label printer.

A label has lines for people, a GS1 DataMatrix with everything, and at the bottom one GS1-128 bar code with
the key of the goods and its human-readable line. What a unit contains has no bar code of its own: read alone
it names no goods (AI 02 needs AI 00 in the same code), and a worker would scan it in vain. Every measure is
a whole number of dots, so that bars come out as wide as they are meant. How dots become SVG or ZPL is `svg`
and `zpl`; where the number comes from is the caller's. Sources: GS1 General Specifications, sections 4.14
(human readable), 5.12.3 (sizes) and 6.6 (logistic label).
"""

from __future__ import annotations

from dataclasses import dataclass

from .check import check_digit
from .code128 import QUIET_ZONE, code128_widths, gs1_128_values
from .datamatrix import QUIET_ZONE as MATRIX_QUIET_ZONE
from .datamatrix import Rows, gs1_datamatrix
from .elements import Elements, check_elements, element_string, hri
from .errors import Gs1Error
from .printable import shown

__all__ = [
    "Bars",
    "Drawing",
    "Label",
    "Matrix",
    "Paper",
    "Text",
    "draw",
    "lot_label",
    "sscc_label",
    "sscc_of",
]

LINES_MAX = 6
LINE_LENGTH_MAX = 40
"""What a label of 100 mm holds beside the DataMatrix in letters that can be read at arm's length."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A label's size in mm, and the printer's dots per inch (203, 300 or 600 in practice)."""

    width_mm: float = 101.6
    height_mm: float = 152.4
    dpi: int = 203

    def dots(self, mm: float) -> int:
        """A length in dots, at least one."""
        return max(1, round(mm * self.dpi / 25.4))


@dataclass(frozen=True, slots=True)
class Label:
    """`key` is what the bar code holds; the DataMatrix holds it and `further` elements."""

    key: Elements
    further: Elements = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bars:
    """A GS1-128 bar code: its upper left corner behind the quiet zone, in dots; `module` dots a module."""

    x: int
    y: int
    height: int
    module: int
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """A GS1 DataMatrix: its upper left corner behind the quiet zone, in dots, and the text it holds."""

    x: int
    y: int
    module: int
    rows: Rows
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text: its upper left corner and height in dots; centered in `width` if that is not 0."""

    x: int
    y: int
    height: int
    text: str
    width: int = 0


@dataclass(frozen=True, slots=True)
class Drawing:
    """A label in dots."""

    paper: Paper
    width: int
    height: int
    bars: Bars
    matrix: Matrix
    texts: tuple[Text, ...]


def sscc_of(company_prefix: str, extension: int, serial: int) -> str:
    """The SSCC of 18 digits: extension digit, company prefix of 4 to 12 digits, serial reference, check
    digit.

    Raises Gs1Error when the prefix is anything else, or the serial reference does not fit beside it.
    """
    room = 16 - len(company_prefix)
    if not (4 <= len(company_prefix) <= 12 and company_prefix.isascii() and company_prefix.isdigit()):
        raise Gs1Error(f"company prefix {shown(company_prefix)}, expected 4 to 12 digits")
    if not 0 <= extension <= 9:
        raise Gs1Error(f"extension digit {extension}, expected 0 to 9")
    if not 0 <= serial < 10**room:
        raise Gs1Error(
            f"serial reference {serial}, expected 0 to {10**room - 1} beside prefix {company_prefix}"
        )
    body = f"{extension}{company_prefix}{serial:0{room}d}"
    return body + check_digit(body)


def sscc_label(
    sscc: str,
    gtin: str | None = None,
    count: int | None = None,
    lot: str | None = None,
    *,
    lines: tuple[str, ...] = (),
) -> Label:
    """The label of a logistic unit, with what it contains (GTIN and count, both or none, and lot) if known.

    Raises CodeError when an element is wrong, Gs1Error for lines that cannot be printed.
    """
    contents: Elements = ()
    if gtin is not None:
        contents += (("02", gtin),)
    if count is not None:
        contents += (("37", str(count)),)
    if lot is not None:
        contents += (("10", lot),)
    return _label((("00", sscc),), contents, lines)


def lot_label(gtin: str, lot: str, further: Elements = (), *, lines: tuple[str, ...] = ()) -> Label:
    """The label of a zone lot: GTIN and lot (AI 01 and 10), which every dock reads as the goods' key.

    `further` elements (dates, origin, AI 91 to 99 for what is only the house's own) stand in the DataMatrix.
    Raises CodeError when an element is wrong, Gs1Error for lines that cannot be printed.
    """
    return _label((("01", gtin), ("10", lot)), further, lines)


def draw(label: Label, paper: Paper | None = None, *, rectangular: bool = False) -> Drawing:
    """Where everything stands on the paper (4 by 6 inches at 203 dpi if none is given).

    The DataMatrix is square or `rectangular`. Raises Gs1Error when the label does not fit, and says which
    size would.
    """
    paper = paper or Paper()
    if not (20 <= paper.width_mm <= 220 and 20 <= paper.height_mm <= 400 and 150 <= paper.dpi <= 1200):
        raise Gs1Error(
            f"a label of {paper.width_mm:g} by {paper.height_mm:g} mm at {paper.dpi} dpi, "
            "expected 20 to 220 by 20 to 400 mm at 150 to 1200 dpi"
        )
    width, height, margin = paper.dots(paper.width_mm), paper.dots(paper.height_mm), paper.dots(_MARGIN_MM)
    matrix = _matrix(label, paper, width - margin, margin, rectangular=rectangular)
    texts = _lines(label, paper, matrix.x - 2 * margin)
    top = max([matrix.y + len(matrix.rows) * matrix.module, *(text.y + text.height for text in texts)])
    bars, readable = _bar_code(label.key, paper, width, height - margin)
    if bars.y < top + margin:
        needed = (height - bars.y + top + margin) * 25.4 / paper.dpi
        raise Gs1Error(f"a label of {paper.height_mm:g} mm is too short, expected at least {needed:.0f} mm")
    return Drawing(paper, width, height, bars, matrix, (*texts, readable))


_MARGIN_MM = 3.0
# General Specifications, symbol specification table 5 (logistic units in general distribution).
_MODULE_MM = 0.495
_BAR_HEIGHT_MM = 31.75
_MATRIX_MODULE_MM = 0.743
# Least module of GS1-128 anywhere in the General Specifications: for long lots on a label of the house.
_MODULE_MM_MIN = 0.25
_LINE_MM = 5.0
_READABLE_MM = 4.0
# What a worker reads of the elements that have no bar code; General Specifications, section 3.2 (data
# titles).
_TITLES = {"02": "CONTENT", "10": "LOT", "11": "MADE", "17": "EXPIRY", "37": "COUNT", "422": "ORIGIN"}
# A letter of a printer's scalable font is on the average this much of its height wide.
_LETTER = 0.6


def _label(key: Elements, further: Elements, lines: tuple[str, ...]) -> Label:
    check_elements((*key, *further))
    if len(lines) > LINES_MAX:
        raise Gs1Error(f"{len(lines)} lines of text, expected at most {LINES_MAX}")
    for line in lines:
        if not (0 < len(line) <= LINE_LENGTH_MAX and line.isprintable()):
            raise Gs1Error(f"line {shown(line)}, expected 1 to {LINE_LENGTH_MAX} printable characters")
    return Label(key, further, lines)


def _matrix(label: Label, paper: Paper, right: int, top: int, *, rectangular: bool) -> Matrix:
    text = element_string((*label.key, *label.further))
    rows = gs1_datamatrix(text, rectangular=rectangular)
    module = -(-int(_MATRIX_MODULE_MM * paper.dpi * 1000) // 25400)
    quiet = MATRIX_QUIET_ZONE * module
    x = right - quiet - len(rows[0]) * module
    if x < right // 3:
        raise Gs1Error(f"a label of {paper.width_mm:g} mm is too narrow for its DataMatrix: take a wider one")
    return Matrix(x, top + quiet, module, rows, text)


def _lines(label: Label, paper: Paper, width: int) -> tuple[Text, ...]:
    margin, y, texts = paper.dots(_MARGIN_MM), paper.dots(_MARGIN_MM), []
    further = [f"{_TITLES.get(ai, f'({ai})')} {value}" for ai, value in label.further]
    for line in (*label.lines, *further):
        height = min(paper.dots(_LINE_MM), int(width / _LETTER / len(line)))
        texts.append(Text(margin, y, height, line))
        y += height + paper.dots(1)
    return tuple(texts)


def _bar_code(key: Elements, paper: Paper, width: int, bottom: int) -> tuple[Bars, Text]:
    """The bar code whose human-readable line ends at `bottom`, and that line."""
    values = gs1_128_values(element_string(key))
    modules = sum(code128_widths(values)) + 2 * QUIET_ZONE
    least = -(-int(_MODULE_MM_MIN * paper.dpi * 1000) // 25400)
    module = min(-(-int(_MODULE_MM * paper.dpi * 1000) // 25400), width // modules)
    line = hri(key)
    if module < least:
        needed = modules * least * 25.4 / paper.dpi
        raise Gs1Error(
            f"{shown(line)} needs a label of {needed:.0f} mm, this one has {paper.width_mm:g} mm: "
            "take a wider one, or print fewer elements"
        )
    height = min(paper.dots(_READABLE_MM), int(width / _LETTER / len(line)))
    text = Text(0, bottom - height, height, line, width)
    bar_height = paper.dots(_BAR_HEIGHT_MM)
    x = (width - modules * module) // 2 + QUIET_ZONE * module
    return Bars(x, text.y - paper.dots(1) - bar_height, bar_height, module, values), text
