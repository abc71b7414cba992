# SPDX-License-Identifier: Apache-2.0
"""What each symbol of GS1 holds, by the symbology identifier a scanner sends."""

from __future__ import annotations

import pytest

from gs1 import check_digit
from gs1.carriers import expand_upc_e, read_carried

GTIN = "09520123456788"
EAN = "9520123456788"
GS = "\x1d"


@pytest.mark.parametrize("aim", ["]C1", "]d2", "]Q3", "]e0", "]J1"])
def test_carriers_of_element_strings_are_read_as_such(aim: str) -> None:
    assert read_carried(aim, f"01{GTIN}10A{GS}21S") == ((("01", GTIN), ("10", "A"), ("21", "S")), ())


@pytest.mark.parametrize(
    ("aim", "text", "gtin"),
    [
        ("]E0", EAN, GTIN),
        ("]E0", "0416000336108", "00416000336108"),
        ("]E0", "04252614", "00042100005264"),
        ("]E3", f"{EAN}12", GTIN),
        ("]E3", f"{EAN}12345", GTIN),
        ("]E4", "02345673", "00000002345673"),
        ("]I0", GTIN, GTIN),
        ("]I1", GTIN, GTIN),
    ],
)
def test_carriers_of_one_gtin_give_fourteen_digits(aim: str, text: str, gtin: str) -> None:
    assert read_carried(aim, text) == ((("01", gtin),), ())


@pytest.mark.parametrize("aim", ["]Q1", "]d1", "]J0", "]C0", "]Q4", "]d3", "]A0", "]X9", "]L2"])
def test_carriers_that_say_nothing_of_gs1_are_left_to_others(aim: str) -> None:
    assert read_carried(aim, f"01{GTIN}") is None


@pytest.mark.parametrize("between", ["|]e0", "]e0"])
def test_a_composite_component_belongs_to_the_symbol_below_it(between: str) -> None:
    text = f"{EAN}{between}10A{GS}17261130"
    assert read_carried("]E0", text) == ((("01", GTIN), ("10", "A"), ("17", "261130")), ())


def test_faults_of_a_composite_component_count_from_the_beginning_of_the_whole() -> None:
    read = read_carried("]E0", f"{EAN}|]e010A{GS}17261301")
    assert read is not None
    (fault,) = read[1]
    assert (fault.code, fault.ai, fault.position) == ("yymmd0", "17", 25)
    assert "month 13, expected 01 to 12, of AI 17 at position 25" in fault.message


@pytest.mark.parametrize(
    ("aim", "text", "code"),
    [
        ("]E0", "", "gtin_form"),
        ("]E0", EAN[:-1], "gtin_form"),
        ("]E0", "1234ABC890123", "gtin_form"),
        ("]E0", EAN[:-1] + "9", "csum"),
        ("]E0", "04252615", "gtin_form"),
        ("]E0", f"{EAN}|]e0", "empty"),
        ("]E0", f"{EAN[:-1]}9|]e010A", "csum"),
        ("]E0", f"{EAN}|10A", "gtin_form"),
        ("]E1", "12", "carrier"),
        ("]E2", "12345", "carrier"),
        ("]E3", EAN[:-1] + "912", "csum"),
        ("]E4", "02345674", "csum"),
        ("]I1", GTIN[1:], "gtin_form"),
        ("]I2", GTIN[:-1], "carrier"),
        ("]C1", "", "empty"),
        ("]e0", "10A", "missing_partner"),
    ],
)
def test_what_a_carrier_cannot_hold_is_told(aim: str, text: str, code: str) -> None:
    read = read_carried(aim, text)
    assert read is not None
    assert [fault.code for fault in read[1]] == [code]


@pytest.mark.parametrize(
    ("symbol", "expanded"),
    # One of each kind of last digit: 0 to 2, 3, 4, 5 to 9; and number system 1.
    [("01234505", "012000003455"), ("01234523", "012200003453"), ("01234531", "012300000451"),
     ("01234543", "012340000053"), ("01234558", "012345000058"), ("11234562", "112345000062")],
)  # fmt: skip
def test_an_upc_e_stands_for_twelve_digits(symbol: str, expanded: str) -> None:
    assert check_digit(expanded[:-1]) == expanded[-1]
    assert expand_upc_e(symbol) == expanded


@pytest.mark.parametrize("text", ["", "0123450", "21234505", "01234506", "0123450A", "٠١٢٣٤٥٠٥"])
def test_what_is_no_upc_e_is_not_expanded(text: str) -> None:
    assert expand_upc_e(text) is None
