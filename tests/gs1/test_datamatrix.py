# SPDX-License-Identifier: Apache-2.0
"""GS1 DataMatrix symbols: every size read back by another program, also with modules that were damaged."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gs1.datamatrix import _SIZES, _Size, gs1_datamatrix
from gs1.errors import Gs1Error
from tests.gs1.pictures import CHARACTERS, picture_of_rows, read_by_zxing


@pytest.mark.parametrize("size", _SIZES, ids=lambda size: f"{size.height}x{size.width}")
@pytest.mark.parametrize("full", [True, False], ids=["full", "padded"])
def test_every_size_is_read_back(size: _Size, full: bool) -> None:
    chance = random.Random(size.data)
    smaller = max((s.data for s in _SIZES if s.oblong == size.oblong and s.data < size.data), default=0)
    count = size.data - 1 if full else smaller + (smaller == 0)
    text = "".join(chance.choice(CHARACTERS) for _ in range(count)).translate(
        str.maketrans("0123456789", "ABCDEFGHIJ")
    )
    rows = gs1_datamatrix(text, rectangular=size.oblong)
    assert (len(rows), len(rows[0])) == (size.height, size.width)
    assert read_by_zxing(picture_of_rows(rows)) == {"]d2": text}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(CHARACTERS, min_size=1, max_size=30), min_size=1, max_size=4), st.booleans())
def test_any_elements_are_read_back_with_their_separators(values: list[str], rectangular: bool) -> None:
    text = "\x1d".join(values)[:48].rstrip("\x1d")
    try:
        rows = gs1_datamatrix(text, rectangular=rectangular)
    except Gs1Error:
        assert rectangular
        return
    assert read_by_zxing(picture_of_rows(rows)) == {"]d2": text}


def test_damage_is_corrected_up_to_what_the_standard_promises_and_no_further() -> None:
    rows = [list(row) for row in gs1_datamatrix("010952199900101010LOT-4711")]
    text = {"]d2": "010952199900101010LOT-4711"}
    inner = [(y, x) for y in range(1, len(rows) - 1) for x in range(1, len(rows) - 1)]
    spots = random.Random(3).sample(inner, len(inner))
    for y, x in spots[:6]:  # each module spoils one codeword at most, of which nine can be mended
        rows[y][x] = not rows[y][x]
    assert read_by_zxing(picture_of_rows(rows)) == text
    for y, x in spots[6:120]:
        rows[y][x] = not rows[y][x]
    assert read_by_zxing(picture_of_rows(rows)) != text


@pytest.mark.parametrize(("text", "rectangular"), [("A" * 1558, False), ("A" * 49, True), ("1é", False)])
def test_what_it_cannot_hold_is_refused(text: str, rectangular: bool) -> None:
    with pytest.raises(Gs1Error, match=r"print fewer elements|expected ASCII"):
        gs1_datamatrix(text, rectangular=rectangular)


def test_digits_go_in_pairs() -> None:
    assert len(gs1_datamatrix("1" * 122)) == len(gs1_datamatrix("A" * 61)) == 32
