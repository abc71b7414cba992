# SPDX-License-Identifier: Apache-2.0
"""GS1-128 symbols: read back by two programs, as short as any, by the standard's own arithmetic."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gs1.code128 import code128_widths, gs1_128_values
from gs1.errors import Gs1Error
from tests.gs1.pictures import CHARACTERS, picture_of_widths, read_by_zbar, read_by_zxing

GS = "\x1d"
pieces = st.one_of(
    st.text(CHARACTERS, min_size=1, max_size=6), st.from_regex("[0-9]{1,8}", fullmatch=True), st.just(GS)
)
texts = (
    st.lists(pieces, min_size=1, max_size=8)
    .map(lambda parts: "".join(parts).strip(GS)[:48])
    .filter(lambda text: len(text) > 0 and GS + GS not in text and not text.endswith(GS))
)


@settings(max_examples=150, deadline=None)
@given(texts)
def test_two_readers_read_every_symbol_back(text: str) -> None:
    picture = picture_of_widths(code128_widths(gs1_128_values(text)))
    assert read_by_zxing(picture) == {"]C1": text}
    assert read_by_zbar(picture) == [text]


def test_another_text_is_told_apart() -> None:
    """The control: the readers read what is drawn, not what is expected."""
    picture = picture_of_widths(code128_widths(gs1_128_values("10AB")))
    assert read_by_zxing(picture) == {"]C1": "10AB"} != {"]C1": "10AC"}
    values = list(gs1_128_values("10AB"))
    widths = list(code128_widths(values))
    widths[6 * 2] += 1
    assert read_by_zxing(picture_of_widths(widths)) == {}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("00095219990000000013", (105, 102, 0, 9, 52, 19, 99, 0, 0, 0, 0, 13)),
        ("10AB12345678", (105, 102, 10, 100, 33, 34, 99, 12, 34, 56, 78)),
        ("10AB123", (105, 102, 10, 100, 33, 34, 17, 18, 19)),
        ("211" + GS + "10", (104, 102, 18, 99, 11, 102, 10)),
    ],
)
def test_code_sets_change_where_it_is_worth_it(text: str, values: tuple[int, ...]) -> None:
    assert len(gs1_128_values(text)) == len(values)
    assert (
        sum(code128_widths(values))
        == sum(code128_widths(gs1_128_values(text)))
        == 11 * (len(values) + 1) + 13
    )


def fewest(text: str) -> int:
    """The fewest symbol characters for `text`, found by trying every way."""

    @cache
    def least(place: int, in_c: bool) -> int:
        if place == len(text):
            return 0
        change = least_staying(place, not in_c) + 1
        return min(change, least_staying(place, in_c))

    @cache
    def least_staying(place: int, in_c: bool) -> int:
        if text[place] == GS:
            return 1 + least(place + 1, in_c)
        if not in_c:
            return 1 + least(place + 1, False)
        return (
            1 + least(place + 2, True)
            if text[place : place + 2].isdigit() and place + 1 < len(text)
            else 10**6
        )

    return 2 + min(least(0, False), least(0, True))


@given(texts)
def test_no_way_to_write_it_is_shorter(text: str) -> None:
    assert len(gs1_128_values(text)) == fewest(text)


@pytest.mark.parametrize("text", ["", "1" * 121, "10\x00", "10é", "10\x7f"])
def test_what_gs1_128_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(Gs1Error, match="expected"):
        gs1_128_values(text)
