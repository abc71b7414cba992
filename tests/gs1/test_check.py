# SPDX-License-Identifier: Apache-2.0
"""Check digits and check characters against published examples and their own promise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gs1 import Gs1Error, check_character, check_digit

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@pytest.mark.parametrize(
    ("body", "digit"),
    [("629104150021", "3"), ("952012345678", "8"), ("37610425002123456", "9"), ("0234567", "3"), ("0", "0")],
)
def test_the_check_digit_is_the_standards(body: str, digit: str) -> None:
    assert check_digit(body) == digit


@pytest.mark.parametrize("body", ["", "12a", "\uff11", "-1", " 1"])
def test_a_check_digit_of_anything_but_digits_is_refused(body: str) -> None:
    with pytest.raises(Gs1Error, match="digits 0-9"):
        check_digit(body)


@given(st.text("0123456789", min_size=1, max_size=30), st.data())
def test_one_wrong_digit_changes_the_check_digit(body: str, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(body) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != body[index]]))
    assert check_digit(body[:index] + other + body[index + 1 :]) != check_digit(body)


def test_the_check_character_is_the_standards() -> None:
    # The example of ISO/IEC 7064 for this system: A12425GABC1234002 and its check character M.
    assert check_character("A12425GABC1234002") == "M"


@given(st.text(ALPHABET, min_size=1, max_size=24), st.data())
def test_one_wrong_character_changes_the_check_character(body: str, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(body) - 1))
    other = data.draw(st.sampled_from([letter for letter in ALPHABET if letter != body[index]]))
    assert check_character(body[:index] + other + body[index + 1 :]) != check_character(body)


@pytest.mark.parametrize("body", ["", "a", "A-B", "Ä"])
def test_a_check_character_of_anything_else_is_refused(body: str) -> None:
    with pytest.raises(Gs1Error, match="0-9"):
        check_character(body)
