# SPDX-License-Identifier: Apache-2.0
"""Element strings: what is read, what is refused in which words, and writing as the inverse of reading."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gs1 import (
    CodeError,
    Fault,
    check_elements,
    element_string,
    hri,
    parse_bracketed,
    parse_elements,
    read_elements,
)
from gs1.elements import FAULTS_MAX
from tests.gs1.samples import right_elements, right_value
from tests.gs1.steps import lines_run

SSCC = "095201234567891235"
GTIN = "09520123456788"
GS = "\x1d"


def message_of(text: str) -> str:
    with pytest.raises(CodeError) as refused:
        parse_elements(text)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        (f"00{SSCC}", (("00", SSCC),)),
        (f"01{GTIN}10LOT{GS}21S1", (("01", GTIN), ("10", "LOT"), ("21", "S1"))),
        (f"00{SSCC}02{GTIN}3725{GS}10ABC", (("00", SSCC), ("02", GTIN), ("37", "25"), ("10", "ABC"))),
        (f"01{GTIN}{GS}11261121{GS}10A{GS}", (("01", GTIN), ("11", "261121"), ("10", "A"))),
        (f"01{GTIN}3103000195", (("01", GTIN), ("3103", "000195"))),
        (f"01{GTIN}422840{GS}427TX", (("01", GTIN), ("422", "840"), ("427", "TX"))),
        ("800302112345678900ABC", (("8003", "02112345678900ABC"),)),
        ("91anything%&", (("91", "anything%&"),)),
    ],
)
def test_an_element_string_is_read_in_its_order(text: str, elements: tuple[tuple[str, str], ...]) -> None:
    assert parse_elements(text) == elements


def test_an_element_twice_with_one_value_is_one_element() -> None:
    assert parse_elements(f"01{GTIN}10A{GS}10A") == (("01", GTIN), ("10", "A"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("00095201234567891234", "check digit 4, expected 5, of AI 00 at position 2"),
        ("0009520123456789123", "17 digits, expected 18, of AI 00 at position 2"),
        (f"01{GTIN}10", "0 characters, expected at least 1, of AI 10 at position 18"),
        (f"01{GTIN}10{'A' * 21}", "21 characters, expected at most 20, of AI 10 at position 38"),
        (f"01{GTIN}10A B", "character  , expected a character of GS1 character set 82, of AI 10"),
        (f"01{GTIN}30A", "character A, expected a digit, of AI 30 at position 18"),
        (f"01{GTIN}17261301", "month 13, expected 01 to 12, of AI 17 at position 20"),
        (f"01{GTIN}17250229", "day 29, expected 00 to 28 in month 02 of year 25"),
        (f"01{GTIN}422999", "country 999, expected an ISO 3166-1 numeric code, of AI 422"),
        ("89X", "89X at position 0, expected an application identifier of GS1"),
        (f"01{GTIN}10A{GS}10B", "value B and before A, expected one value, of AI 10"),
        ("10A", "AI 10 alone, expected AI 01 or 02 or 03 or 8006 or 8026 in the same code"),
        (f"02{GTIN}", "AI 02 alone, expected AI 37 in the same code"),
        (f"00{SSCC}375", "AI 37 alone, expected AI 00 with 02"),
        (f"00{SSCC}01{GTIN}02{GTIN}375", "AI 01 with AI 37, expected one of the two"),
        ("800312112345678900", "value 1, expected 0, of AI 8003 at position 4"),
        ("", "nothing came"),
        (GS, "<GS> at position 0"),
    ],
)
def test_a_refusal_says_what_came_what_was_expected_and_where(text: str, words: str) -> None:
    assert words in message_of(text)


def test_every_fault_of_a_string_is_told_but_not_thousands() -> None:
    text = f"01{GTIN[:-1]}9" + "11269999" + "13260001"
    with pytest.raises(CodeError) as refused:
        parse_elements(text)
    assert [fault.ai for fault in refused.value.faults] == ["01", "11", "13"]
    with pytest.raises(CodeError) as flooded:
        parse_elements("11999999" * 800)
    assert len(flooded.value.faults) == FAULTS_MAX


@pytest.mark.parametrize("text", ["(00)0 9520123 456789123 5", f"(00){SSCC}"])
def test_what_a_person_types_from_the_label_is_read(text: str) -> None:
    assert parse_bracketed(text) == (("00", SSCC),)


def test_a_bracket_within_a_typed_value_is_written_with_a_backslash() -> None:
    typed = rf"(01){GTIN}(10)A\(21)B(21)C"
    assert parse_bracketed(typed) == (("01", GTIN), ("10", "A(21)B"), ("21", "C"))


@pytest.mark.parametrize(
    ("lot", "written"),
    [
        ("A(B", "A(B"),
        ("(", "("),
        ("A(1)B", "A(1)B"),
        ("A(21)B", "A\\(21)B"),
        ("(4321)", "\\(4321)"),
        ("(21", "(21"),
    ],
)
def test_a_label_shows_values_as_they_are_unless_they_look_like_an_identifier(lot: str, written: str) -> None:
    elements = (("01", GTIN), ("10", lot), ("21", "S"))
    assert hri(elements) == f"(01){GTIN}(10){written}(21)S"
    assert parse_bracketed(hri(elements)) == elements


@given(st.text("()12A", min_size=1, max_size=20), st.text("()12A", min_size=1, max_size=20))
def test_brackets_in_values_never_pass_for_identifiers(lot: str, serial: str) -> None:
    elements = (("01", GTIN), ("10", lot), ("21", serial))
    assert parse_bracketed(hri(elements)) == elements


@pytest.mark.parametrize("text", ["x", "(", "(1)2", "()12", "(12345)12", "(00", "(89)A"])
def test_brackets_out_of_place_are_refused(text: str) -> None:
    with pytest.raises(CodeError, match="expected an application identifier"):
        parse_bracketed(text)


def test_nothing_is_no_element_string() -> None:
    for parse in (parse_elements, parse_bracketed):
        with pytest.raises(CodeError, match="nothing came"):
            parse("")


@given(st.randoms(use_true_random=False))
def test_what_is_written_is_read_back(chance: Random) -> None:
    elements = right_elements(chance)
    assert parse_elements(element_string(elements)) == elements
    assert parse_bracketed(hri(elements)) == elements
    assert check_elements(elements) == elements


@given(st.sampled_from(["00", "01", "410", "402"]), st.randoms(use_true_random=False), st.integers(1, 9))
def test_a_wrong_check_digit_is_always_refused(ai: str, chance: Random, off: int) -> None:
    right = right_value(ai, chance)
    assert parse_elements(f"{ai}{right}") == ((ai, right),)
    wrong = right[:-1] + str((int(right[-1]) + off) % 10)
    assert "check digit" in message_of(f"{ai}{wrong}")


@given(st.text())
def test_any_text_is_read_or_refused_with_reasons(text: str) -> None:
    for parse in (parse_elements, parse_bracketed):
        faults = _faults_of(parse, text)
        assert len(faults) <= FAULTS_MAX


@pytest.mark.parametrize("unit", ["91A\x1d", "(91)A", "01", "11260101", "(91)\\(", "(", "\\"])
def test_reading_takes_steps_in_proportion_to_the_length(unit: str) -> None:
    for parse in (parse_elements, parse_bracketed):
        short, long = (lines_run(parse, unit * count) for count in (100, 800))
        assert long <= short * 9


def test_steps_that_grow_faster_than_the_length_are_noticed() -> None:
    def quadratic(text: str) -> None:
        for start in range(len(text)):
            for _ in text[start:]:
                pass

    assert lines_run(quadratic, "A" * 800) > lines_run(quadratic, "A" * 100) * 9


def test_reading_leniently_keeps_what_can_be_kept_and_tells_all_faults() -> None:
    wrong = f"{SSCC[:-1]}4"
    text = f"00{wrong}10A B{GS}11261301" + f"3712{GS}89X{GS}21S"
    elements, faults = read_elements(text)
    assert elements == (("00", wrong), ("11", "261301"), ("37", "12"), ("21", "S"))
    assert [(fault.code, fault.ai, fault.position) for fault in faults] == [
        ("csum", "00", 2),
        ("character", "10", 23),
        ("yymmd0", "11", 30),
        ("unknown_ai", None, 39),
    ]
    assert parse_elements(text, lenient=True) == elements
    with pytest.raises(CodeError, match="check digit 4"):
        parse_elements(text)


def test_reading_leniently_keeps_elements_that_lack_a_partner() -> None:
    elements, (fault,) = read_elements("10A")
    assert elements == (("10", "A"),)
    assert fault.code == "missing_partner"
    assert parse_elements("10A", lenient=True) == elements


@pytest.mark.parametrize("text", ["", "89X", "10", "<b>"])
def test_reading_leniently_refuses_where_nothing_can_be_kept(text: str) -> None:
    elements, faults = read_elements(text)
    assert elements == ()
    assert faults
    with pytest.raises(CodeError):
        parse_elements(text, lenient=True)


@pytest.mark.parametrize(
    ("elements", "code"),
    [
        ("(253)9520123456788(8030)ABC", "missing_serial"),
        ("(8003)09520123456788(8030)ABC", "missing_serial"),
        ("(253)9520123456788X(8030)ABC", None),
        ("(01)09520123456788(8030)ABC", "missing_partner"),
        ("(01)09520123456788(21)S(8030)ABC", None),
        ("(8030)AB=C", "cset64"),
    ],
)
def test_a_digital_signature_needs_the_one_thing_that_it_signs(elements: str, code: str | None) -> None:
    assert [fault.code for fault in _faults_of(parse_bracketed, elements)] == ([code] if code else [])


def _faults_of(parse: Callable[[str], object], text: str) -> tuple[Fault, ...]:
    try:
        parse(text)
    except CodeError as refused:
        return refused.faults
    return ()
