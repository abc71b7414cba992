# SPDX-License-Identifier: Apache-2.0
"""Carriers' tracking numbers are told as such; nothing that is goods is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gs1.check import check_digit
from gs1.envelope import read_envelope
from gs1.parcels import tracking, tracking_in, tracking_of

UPS = "1Z5R89390357567127"


@pytest.mark.parametrize(
    ("text", "carrier", "service", "number"),
    [
        (UPS, "UPS", "03", UPS),
        ("1ZXX3150YW44070023", "UPS", "YW", "1ZXX3150YW44070023"),
        ("9400111206206406260787", "USPS", "001", "9400111206206406260787"),
        ("420787459400111206206406260787", "USPS", "001", "9400111206206406260787"),
        ("42078745\x1d9400111206206406260787", "USPS", "001", "9400111206206406260787"),
        ("4201028200009261290113185417468510", "USPS", "612", "9261290113185417468510"),
        ("4201002334249200190132607600833457", "USPS", "001", "9200190132607600833457"),
        ("9101123456789000000013", "USPS", "01", "9101123456789000000013"),
        ("92748931507708513018050063", "USPS", "748", "92748931507708513018050063"),
        ("9611020987654312345672", "FedEx", "020", "987654312345672"),
        ("9622001900000000000000776632517510", "FedEx", None, "776632517510"),
        ("1001921334250001000300779017972697", "FedEx", None, "779017972697"),
    ],
)  # fmt: skip
def test_a_marked_number_is_told(text: str, carrier: str, service: str | None, number: str) -> None:
    found = tracking(text)
    assert found is not None
    assert (found.carrier, found.service, found.number) == (carrier, service, number)


@pytest.mark.parametrize(
    ("text", "carrier"),
    [("986578788855", "FedEx"), ("041441760228964", "FedEx"), ("03071790000523483741", "USPS"),
     ("71969010756003077385", "USPS"), ("61299998820821171811", "FedEx")],
)  # fmt: skip
def test_a_number_without_a_mark_is_told_only_where_the_carrier_is_known(text: str, carrier: str) -> None:
    assert tracking(text) is None
    found = tracking_in(text, carrier)
    assert found is not None
    assert found.carrier == carrier
    assert tracking_in(text, "UPS") is None


def carrier_message(*fields: str) -> tuple[str, ...]:
    found, faults = read_envelope("[)>\x1e01\x1d96" + "\x1d".join(fields) + "\x1e\x04")
    assert faults == ()
    return found.transport


@pytest.mark.parametrize(
    ("fields", "carrier", "number"),
    [
        (
            ("068100000", "840", "001", "1Z12345675", "UPSN", "12345E", "089", "", "1/1"),
            "UPS",
            "1Z12345E0112345675",
        ),
        (("M5E1G45", "124", "066", "1Z12345679", "UPSN", "12345E", "089"), "UPS", "1Z12345E6612345679"),
        (("38017", "840", "19", "9865787888550201", "FDEB", "1"), "FedEx", "986578788855"),
    ],
)
def test_a_carriers_message_names_its_parcel(fields: tuple[str, ...], carrier: str, number: str) -> None:
    found = tracking_of(carrier_message(*fields))
    assert found is not None
    assert (found.carrier, found.number) == (carrier, number)


@pytest.mark.parametrize(
    "fields",
    [("1",), ("1", "2", "001", "1Z12345676", "UPSN", "12345E"), ("1", "2", "001", "1Z12345675", "UPSN"),
     ("1", "2", "001", "1Z12345675", "XXXX", "12345E"), ("1", "2", "3", "996578788855", "FDEB")],
)  # fmt: skip
def test_a_message_that_is_not_whole_names_none(fields: tuple[str, ...]) -> None:
    assert tracking_of(carrier_message(*fields)) is None


@pytest.mark.parametrize("text", [UPS, "9400111206206406260787", "9611020987654312345672",
                                  "9622001900000000000000776632517510"])  # fmt: skip
def test_one_wrong_digit_is_no_tracking_number(text: str) -> None:
    last = str((int(text[-1]) + 1) % 10)
    assert tracking(text[:-1] + last) is None


@given(st.integers(0, 10**17 - 1))
def test_an_sscc_is_never_a_tracking_number(number: int) -> None:
    body = str(number).zfill(17)
    sscc = body + check_digit(body)
    for text in (sscc, "00" + sscc):
        assert tracking(text) is None
        assert tracking_in(text, "USPS") is None
        assert tracking_in(text, "FedEx") is None


@given(st.integers(0, 10**13 - 1))
def test_a_gtin_is_never_a_tracking_number(number: int) -> None:
    body = str(number).zfill(13)
    gtin = body + check_digit(body)
    assert tracking(gtin) is None
    assert tracking("01" + gtin) is None


@given(st.text(max_size=50) | st.from_regex(r"(1Z|9[1-6]|420|10)[0-9A-Z]{9,32}", fullmatch=True))
def test_anything_gets_an_answer(text: str) -> None:
    found = tracking(text)
    assert found is None or found.carrier in ("USPS", "UPS", "FedEx")
    for carrier in ("USPS", "UPS", "FedEx"):
        found = tracking_in(text, carrier)
        assert found is None or found.carrier == carrier
