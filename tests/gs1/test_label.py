# SPDX-License-Identifier: Apache-2.0
"""Labels of logistic units and zone lots: what is drawn is read back, as SVG by two readers, as ZPL by its
commands.
"""

from __future__ import annotations

from datetime import date
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gs1 import (
    CodeError,
    Gs1Error,
    Label,
    Load,
    Paper,
    draw,
    identify,
    label_svg,
    label_zpl,
    lot_label,
    sscc_label,
    sscc_of,
)
from gs1.code128 import QUIET_ZONE, code128_widths
from tests.gs1.pictures import CHARACTERS, picture_of_svg, read_by_zbar, read_by_zxing
from tests.gs1.zpl_reader import Field, commands, fields

SSCC, GTIN = "095219990000000013", "09521999001010"
lots = st.text(CHARACTERS, min_size=1, max_size=20)
lines = st.lists(st.text(min_size=1, max_size=40).filter(str.isprintable), max_size=3).map(tuple)
TODAY = date(2026, 11, 22)
HOSTILE = ("^XZ^XA^FDx^FS", "~JA", "_5E_7E", "\\&\\\\", "<svg/onload=x>&amp;", "\"'é€")


def read(label: Label, paper: Paper | None = None, *, rectangular: bool = False) -> dict[str, str]:
    drawing = draw(label, paper, rectangular=rectangular)
    svg = label_svg(drawing)
    picture = picture_of_svg(svg)
    found = read_by_zxing(picture)
    assert read_by_zbar(picture) == [found["]C1"]]
    printed = {field.kind: field.text for field in fields(label_zpl(drawing))}
    assert (printed["BC"], printed["BX"]) == (found["]C1"], found["]d2"])
    return found


@pytest.mark.parametrize("dpi", [203, 300, 600])
@pytest.mark.parametrize("rectangular", [False, True])
def test_a_pallets_label_is_read_by_every_reader(dpi: int, rectangular: bool) -> None:
    found = read(sscc_label(SSCC, lines=("Example Zone 999",)), Paper(dpi=dpi), rectangular=rectangular)
    assert found == {"]C1": "00" + SSCC, "]d2": "00" + SSCC}


def test_what_a_pallet_holds_stands_in_the_data_matrix_alone() -> None:
    found = read(sscc_label(SSCC, GTIN, 40, "A-1"))
    assert found == {"]C1": "00" + SSCC, "]d2": f"00{SSCC}02{GTIN}3740\x1d10A-1"}
    load = identify(b"]d2" + found["]d2"].encode(), TODAY)
    assert isinstance(load, Load)
    assert (load.sscc, load.gtin, load.count, load.lot) == (SSCC, GTIN, 40, "A-1")


def test_a_zone_lots_label_is_the_key_that_docks_know() -> None:
    found = read(lot_label(GTIN, "Z-4711", (("91", "zone_1"),)))
    loads = [identify(aim.encode() + text.encode(), TODAY) for aim, text in found.items()]
    assert all(
        isinstance(load, Load) and load.key == f"https://id.gs1.org/01/{GTIN}/10/Z-4711" for load in loads
    )


@settings(max_examples=40, deadline=None)
@given(lots, lines)
@example("m0&", ())
def test_any_lot_is_read_back(lot: str, words: tuple[str, ...]) -> None:
    found = read(lot_label(GTIN, lot, lines=words), Paper(dpi=300))
    assert found == {"]C1": f"01{GTIN}10{lot}", "]d2": f"01{GTIN}10{lot}"}


def test_no_text_gets_out_of_its_field() -> None:
    drawing = draw(sscc_label(SSCC, lines=HOSTILE))
    plain = draw(sscc_label(SSCC, lines=tuple("x" * len(line) for line in HOSTILE)))
    names = [name for name, _ in commands(label_zpl(drawing))]
    assert names == [name for name, _ in commands(label_zpl(plain))]
    texts = [field.text for field in fields(label_zpl(drawing)) if field.kind == "A0"]
    assert texts == [*HOSTILE, f"(00){SSCC}"]
    tree = ET.fromstring(label_svg(drawing))
    assert [node.text for node in tree.iter("{http://www.w3.org/2000/svg}text")] == texts
    assert label_zpl(drawing).isascii()


def test_a_text_that_is_not_escaped_would_be_found() -> None:
    """The control: the reader of ZPL sees what a value that ends its field does."""
    zpl = label_zpl(draw(sscc_label(SSCC))).replace("^FD", "^FD^XZ~JA", 1)
    with pytest.raises(AssertionError):
        commands(zpl)


@pytest.mark.parametrize(("dpi", "x_mm"), [(203, 0.5), (300, 0.508), (600, 0.508)])
def test_the_sizes_are_those_of_the_standard(dpi: int, x_mm: float) -> None:
    drawing = draw(sscc_label(SSCC), Paper(dpi=dpi))
    mm = 25.4 / dpi
    bars, matrix = drawing.bars, drawing.matrix
    assert bars.module * mm == pytest.approx(x_mm, abs=0.002)
    assert bars.height * mm >= 31.7
    assert 0.743 <= matrix.module * mm <= 1.5
    width = sum(code128_widths(bars.values)) * bars.module
    assert bars.x >= QUIET_ZONE * bars.module <= drawing.width - bars.x - width
    texts = [text for text in drawing.texts if not text.width]
    assert all(text.y + text.height < bars.y for text in texts)


def test_nothing_touches_the_data_matrix() -> None:
    drawing = draw(sscc_label(SSCC, GTIN, 40, "A" * 20, lines=("W" * 40,) * 6), rectangular=True)
    for text in drawing.texts:
        right = text.x + int(text.height * 0.6 * len(text.text))
        below = text.y > drawing.matrix.y + len(drawing.matrix.rows) * drawing.matrix.module
        assert right < drawing.matrix.x or below


@pytest.mark.parametrize(
    ("paper", "told"),
    [
        (Paper(50, 152.4), "too narrow|take a wider one"), (Paper(101.6, 40), "too short, expected at least"),
        (Paper(101.6, 5), "expected 20 to 220"), (Paper(101.6, 152.4, 10), "150 to 1200 dpi"),
    ],
)  # fmt: skip
def test_a_label_that_does_not_fit_is_refused(paper: Paper, told: str) -> None:
    with pytest.raises(Gs1Error, match=told):
        draw(lot_label(GTIN, "A" * 20, (("91", "B" * 60),)), paper)


@pytest.mark.parametrize(
    "wrong",
    [("x" * 41,), ("",), ("a\nb",), ("a\x1b",), ("a",) * 7],
    ids=["long", "empty", "line", "escape", "many"],
)
def test_lines_that_cannot_be_printed_are_refused(wrong: tuple[str, ...]) -> None:
    with pytest.raises(Gs1Error, match="expected"):
        sscc_label(SSCC, lines=wrong)


def test_no_label_is_made_of_a_wrong_element() -> None:
    with pytest.raises(CodeError, match="check digit"):
        sscc_label("095219990000000014")
    with pytest.raises(CodeError, match="AI 02"):
        sscc_label(SSCC, GTIN)  # a content needs its count
    with pytest.raises(CodeError, match="character"):
        lot_label(GTIN, "A^B")


@pytest.mark.parametrize("copies", [0, 100])
def test_copies_are_bounded(copies: int) -> None:
    with pytest.raises(ValueError, match="expected 1 to 99"):
        label_zpl(draw(sscc_label(SSCC)), copies)


@given(st.integers(4, 12), st.integers(0, 9), st.data())
def test_an_sscc_has_its_prefix_and_a_right_check_digit(
    digits: int, extension: int, data: st.DataObject
) -> None:
    prefix = "9521999000000"[:digits]
    serial = data.draw(st.integers(0, 10 ** (16 - digits) - 1))
    sscc = sscc_of(prefix, extension, serial)
    assert len(sscc) == 18
    assert sscc.startswith(f"{extension}{prefix}")
    assert isinstance(identify(b"]C100" + sscc.encode(), TODAY), Load)


@pytest.mark.parametrize(
    ("prefix", "extension", "serial"),
    [("952", 0, 1), ("95219990000000", 0, 1), ("95x9", 0, 1), ("9521999", 10, 1), ("9521999", 0, 10**9),
     ("9521999", 0, -1)],
)  # fmt: skip
def test_an_sscc_that_cannot_be_is_refused(prefix: str, extension: int, serial: int) -> None:
    with pytest.raises(Gs1Error, match="expected"):
        sscc_of(prefix, extension, serial)


def test_a_field_knows_its_place() -> None:
    drawing = draw(sscc_label(SSCC))
    (code,) = [field for field in fields(label_zpl(drawing)) if field.kind == "BC"]
    assert code == Field("BC", drawing.bars.x, drawing.bars.y, "00" + SSCC)
