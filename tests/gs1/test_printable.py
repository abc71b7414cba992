# SPDX-License-Identifier: Apache-2.0
"""Bytes from outside become visible, bounded and still tell one code from another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gs1 import printable


def test_control_characters_have_names() -> None:
    assert printable(b"]C110AB\x1d21\x00\x7f\xc3") == "]C110AB<GS>21<NUL><DEL><C3>"


def test_a_code_that_spells_an_escape_does_not_look_like_one() -> None:
    assert printable(b"<GS>") == "<LT>GS>"


def test_what_is_left_out_is_counted() -> None:
    assert printable(b"A" * 10_000, 4) == "AAAA...(9996 more bytes)"


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_two_codes_never_look_the_same(one: bytes, other: bytes) -> None:
    assert (printable(one) == printable(other)) == (one == other)


@given(st.binary(max_size=300))
def test_only_visible_ascii_comes_out(code: bytes) -> None:
    assert all(" " <= character <= "~" for character in printable(code, 50))
    assert len(printable(code, 50)) <= 50 * 5 + 30
