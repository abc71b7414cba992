# SPDX-License-Identifier: Apache-2.0
"""Messages of ISO/IEC 15434 and single data identifiers: read whole, or refused with what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gs1.data_identifiers import DATA_IDENTIFIERS, split_identifier
from gs1.di_checks import CHECKS
from gs1.envelope import parse_envelope, parse_identifier, read_envelope
from gs1.errors import CodeError

EOT, GS, RS = "\x04", "\x1d", "\x1e"


def message(*formats: str) -> str:
    return f"[)>{RS}" + "".join(f"{data}{RS}" for data in formats) + EOT


def data(*elements: str) -> str:
    return "06" + "".join(GS + element for element in elements)


def codes(text: str) -> list[str]:
    with pytest.raises(CodeError) as error:
        parse_envelope(text)
    return [fault.code for fault in error.value.faults]


GTL = message(data("PMOT-24", "Q40", "1T4711", "4LJP", "1JUN123456789A1B2C3", "V0012", "16D20260601"))
READ = (
    ("P", "MOT-24"), ("Q", "40"), ("1T", "4711"), ("4L", "JP"), ("1J", "UN123456789A1B2C3"), ("V", "0012"),
    ("16D", "20260601"),
)  # fmt: skip


def test_a_label_of_data_identifiers_is_read_in_order() -> None:
    assert parse_envelope(GTL) == READ


def test_application_and_text_identifiers_are_read_beside_data_identifiers() -> None:
    text = message(
        "05" + GS + "0109521999001010" + GS + "10AB", data("Q5"), "12" + GS + "MFR 1ABC2" + GS + "SER 9"
    )
    assert parse_envelope(text) == (
        ("01", "09521999001010"), ("10", "AB"), ("Q", "5"), ("MFR", "1ABC2"), ("SER", "9"),
    )  # fmt: skip


def test_documents_free_text_and_bytes_are_passed_over() -> None:
    found, faults = read_envelope(
        message("02UNA:+.? '", "07any text", f"09{GS}a{GS}b{GS}4{GS}{RS}{EOT}{GS}x", data("Q5"))
    )
    assert faults == ()
    assert found.formats == ("02", "07", "09", "06")
    assert found.elements == (("Q", "5"),)


def test_a_carriers_own_message_keeps_its_fields() -> None:
    found, faults = read_envelope(message(f"01{GS}96841706672{GS}840{GS}001{GS}1Z12345675{GS}UPSN"))
    assert (faults, found.elements) == ((), ())
    assert found.transport == ("841706672", "840", "001", "1Z12345675", "UPSN")


def test_a_message_without_an_element_is_no_label() -> None:
    assert codes(message("07free text")) == ["no_elements"]


DAMAGED = {
    "trailer_missing": [GTL[:-1], GTL[:-2]],
    "format_trailer_missing": [GTL[:-2] + EOT],
    "header_damaged": [">" + GTL, GTL.replace(RS, "", 1), GTL.replace(RS, "^", 1)],
    "separator_replaced": [GTL.replace(GS, "|"), GTL.replace(GS, "<GS>"), GTL.replace(GS, "^]")],
    "trailer_damaged": [GTL + "x"],
    "empty_element": [GTL.replace(GS, GS + GS, 2).replace("06" + GS + GS, "06" + GS)],
}


@pytest.mark.parametrize(
    ("code", "text"), [(code, text) for code, texts in DAMAGED.items() for text in texts]
)
def test_damage_is_named_and_what_can_be_kept_is_kept(code: str, text: str) -> None:
    assert code in codes(text)
    found, faults = read_envelope(text)
    assert found.elements == READ
    assert faults


def test_separators_that_a_keyboard_spelled_out_are_all_found() -> None:
    found, _ = read_envelope(GTL.replace(GS, "<GS>").replace(RS, "<RS>").replace(EOT, "<EOT>"))
    assert found.elements == READ


def test_lost_separators_are_never_guessed() -> None:
    found, faults = read_envelope(GTL.replace(GS, ""))
    assert found.elements == ()
    assert [fault.code for fault in faults] == ["separator_missing"]


@pytest.mark.parametrize(
    ("element", "code"),
    [
        ("41Q5", "unknown_di"), ("5", "unknown_di"), ("p5", "unknown_di"), ("0P5", "unknown_di"),
        ("P", "too_short"), ("4LJ", "too_short"), ("7BCSQU30543833", "too_long"),
        ("5JUN" + "1" * 19, "too_long"),
        ("4LZZ", "origin"), ("QXX", "character"), ("Q1.2.3", "quantity"), ("Q-5", "quantity"),
        ("7QEA", "too_short"), ("7Q1,5EA", "quantity_unit"), ("1JUN-1", "character"), ("P\x7f", "character"),
        ("7BCSQU3054384", "container"), ("8P09521999001011", "gtin"), ("8S095219990000000014", "sscc"),
        ("14D20260229", "yyyymmdd"), ("14D20261301", "yyyymmdd"), ("15D31062026", "ddmmyyyy"),
        ("10D2654", "yyww"),
        ("D260431", "yymmdd"), ("4D26366", "yyddd"), ("28D2026060220260601", "days"),
        ("18D202606012460", "minute"),
        ("13Q6/5", "nth"), ("27P85011.1", "tariff"), ("18V?", "agency"),
    ],
)  # fmt: skip
def test_a_value_that_breaks_its_format_is_refused(element: str, code: str) -> None:
    assert codes(message(data(element))) == [code]


@pytest.mark.parametrize(
    "element",
    ["4LAA", "7BCSQU3054383", "8P09521999001010", "8S095219990000000013", "14D20240229", "D240229", "3D0366",
     "4D24366", "13D26012653", "28D2026060120260602", "7Q100EA", "7Q12.5KG", "7Q100E5", "13Q2/5",
     "27P8501.10.4020",
     "PLT#1/2 x", "1JJJUN12", "6D20260601035", "22V1ABC", "99Zabc"],
)  # fmt: skip
def test_a_value_in_its_format_is_kept_as_it_came(element: str) -> None:
    parts = split_identifier(element)
    assert parts is not None
    assert parse_envelope(message(data(element))) == (parts,)
    assert parse_identifier(element) == (parts,)


def test_the_identifier_and_the_place_are_told() -> None:
    with pytest.raises(
        CodeError, match="expected two letters of ISO 3166-1, of identifier 4L at position 12"
    ):
        parse_envelope(message(data("Q5", "4LZZ")))


def test_serial_numbers_of_a_whole_box_are_all_kept_and_repetitions_once() -> None:
    assert parse_envelope(message(data("SA", "SB", "SA"))) == (("S", "A"), ("S", "B"))


def test_at_most_eight_faults_are_told() -> None:
    assert len(codes(message(data(*["4LZZ"] * 50)))) == 8


def test_identifiers_can_be_told_from_their_values_without_the_table() -> None:
    for di in DATA_IDENTIFIERS:
        assert split_identifier(f"{di}1A") == (di, "1A")


def test_every_check_is_used_by_a_row() -> None:
    assert {row.check for row in DATA_IDENTIFIERS.values()} - {None} == CHECKS.keys()


values = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
free = sorted(
    di for di, row in DATA_IDENTIFIERS.items() if row.charset == "X" and not row.check and row.length_max > 99
)


@given(st.lists(st.tuples(st.sampled_from(free), values), min_size=1, max_size=8, unique=True))
def test_any_elements_are_read_back(elements: list[tuple[str, str]]) -> None:
    assert parse_envelope(message(data(*(di + value for di, value in elements)))) == tuple(elements)


@given(
    st.lists(
        st.sampled_from([GTL[:9], "06", "05", "09", "01", GS, RS, EOT, "Q5", "[)>", "4", "a", "\x00"]),
        max_size=60,
    )
)
def test_anything_else_gets_an_answer(pieces: list[str]) -> None:
    for text in ("".join(pieces), f"[)>{RS}" + "".join(pieces)):
        found, faults = read_envelope(text)
        assert found.elements or found.transport or found.formats or faults
        assert len(faults) <= 8


@pytest.mark.parametrize(
    "piece", ["Q5" + GS, "06" + GS + "Q5" + RS, f"09{GS}{GS}{GS}0{GS}{RS}", GS, RS, "06<GS>", "4LZZ" + GS]
)
def test_a_long_message_is_read_in_one_pass(piece: str) -> None:
    found, faults = read_envelope((f"[)>{RS}06{GS}" + piece * 7089)[:7089])
    assert len(faults) <= 8
    assert read_envelope("[)>" + piece * 7089)[1][0].code == "too_long"
    assert len(found.elements) <= 2
