# SPDX-License-Identifier: Apache-2.0
"""One code as read becomes an identity, or the reasons why there is none; nothing makes it raise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gs1 import CODE_LENGTH_MAX, Control, Load, Unknown, WorkOrder, check_digit, identify, split_aim

SSCC = "095201234567891235"
GTIN = "09520123456788"
SSCC_KEY = f"https://id.gs1.org/00/{SSCC}"
GTIN_KEY = f"https://id.gs1.org/01/{GTIN}"


def load_of(code: str) -> Load:
    load = identify(code.encode())
    assert isinstance(load, Load), load
    return load


def reasons_of(code: str | bytes) -> str:
    unknown = identify(code.encode() if isinstance(code, str) else code)
    assert isinstance(unknown, Unknown), unknown
    assert unknown.faults
    return "; ".join(fault.message for fault in unknown.faults)


@pytest.mark.parametrize(
    "code",
    [f"]C100{SSCC}", f"]d200{SSCC}", f"]Q300{SSCC}", f"]e000{SSCC}", f"]J100{SSCC}", f"00{SSCC}", SSCC,
     f"]C0{SSCC}",
     f"]C000{SSCC}", f"(00){SSCC}", "(00) 0 9520123 456789123 5", f"https://a.example/00/{SSCC}",
     f"]Q1https://a.example/00/{SSCC}", f"]d1https://id.gs1.org/00/{SSCC}"],
)  # fmt: skip
def test_a_logistic_unit_has_one_key_whatever_the_carrier(code: str) -> None:
    load = load_of(code)
    assert (load.kind, load.key, load.sscc, load.gtin) == ("sscc", SSCC_KEY, SSCC, None)


@pytest.mark.parametrize(
    "code",
    [f"]C101{GTIN}", f"]E0{GTIN[1:]}", f"]I1{GTIN}", f"]I0{GTIN}", GTIN, GTIN[1:], f"01{GTIN}", f"(01){GTIN}",
     f"https://a.example/01/{GTIN}"],
)  # fmt: skip
def test_a_class_of_goods_has_one_key_whatever_the_carrier(code: str) -> None:
    load = load_of(code)
    assert (load.kind, load.key, load.gtin, load.sscc) == ("gtin", GTIN_KEY, GTIN, None)


@pytest.mark.parametrize(
    ("code", "gtin"),
    [("]E402345673", "00000002345673"), ("02345673", "00000002345673"), ("416000336108", "00416000336108"),
     ("]E00416000336108", "00416000336108")],
)  # fmt: skip
def test_a_short_gtin_is_filled_to_fourteen_digits(code: str, gtin: str) -> None:
    assert load_of(code).gtin == gtin


def test_lot_serial_and_count_come_along() -> None:
    load = load_of(f"]C101{GTIN}10L/1\x1d21S1\x1d3012")
    assert (load.lot, load.serial, load.count) == ("L/1", "S1", 12)
    assert load.key == f"{GTIN_KEY}/10/L%2F1/21/S1"


def test_a_logistic_unit_tells_what_it_contains() -> None:
    load = load_of(f"]C100{SSCC}02{GTIN}3725\x1d10AB")
    assert (load.kind, load.key, load.gtin, load.count, load.lot) == ("sscc", SSCC_KEY, GTIN, 25, "AB")
    assert load.elements == (("00", SSCC), ("02", GTIN), ("37", "25"), ("10", "AB"))


@pytest.mark.parametrize("aim", ["", "]C0", "]Q1", "]d1", "]A0"])
def test_dock_labels_are_read_from_any_plain_carrier(aim: str) -> None:
    assert identify(f"{aim}ZG1:J:OUT-2026-11:N".encode()) == WorkOrder("OUT-2026-11")
    assert identify(f"{aim}ZG1:C:UNDO:3".encode()) == Control("UNDO")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("", "nothing came"),
        ("]C1", "nothing came"),
        ("]", "1 characters ], expected an SSCC"),
        ("NOREAD", "expected an SSCC of 18 digits"),
        ("]C100095201234567891234", "check digit 4, expected 5, of AI 00 at position 2"),
        ("095201234567891234", "check digit 4, expected 5, of AI 00 at position 0"),
        (f"]E0{GTIN[1:-1]}7", "check digit 7, expected 8"),
        ("]E0123456789012", "12 characters 123456789012, expected 13 digits in EAN/UPC"),
        (f"]C001{GTIN}10A", "expected GS1-128 (]C1)"),
        (f"]Q1{SSCC}", "in a carrier marked ]Q1, expected a GS1 Digital Link or a dock label"),
        (f"]A0{GTIN}", "in a carrier marked ]A0"),
        ("]C10A", "0A at position 0, expected an application identifier"),
        ("]C18004952012AB", "AI 8004, expected an SSCC (AI 00) or a GTIN (AI 01)"),
        ("]C1400ORDER", "AI 400, expected an SSCC"),
        ("ZG1:J:OUT-2026-11:M", "check character M, expected N"),
        ("]C1ZG1:J:A:B", "ZG1: at position 0, expected an application identifier"),
        ("<script>alert(1)</script>", "<LT>script>"),
        ("=cmd|' /C calc'!A0", "expected an SSCC"),
        ("'; DROP TABLE entry; --", "expected an SSCC"),
        (b"\xc3\xa4", "byte C3 at position 0, expected ASCII"),
        (b"]C1" + b"0" * 10_000, "10000 bytes, expected at most 7089"),
    ],
)
def test_what_cannot_be_used_says_why(code: str | bytes, words: str) -> None:
    assert words in reasons_of(code)


def test_the_text_of_an_unknown_code_is_bounded_and_visible() -> None:
    unknown = identify(b"\x00\x1b" * 50_000)
    assert isinstance(unknown, Unknown)
    assert len(unknown.text) < 800
    assert unknown.text.isprintable()
    assert all(len(fault.message) < 500 for fault in unknown.faults)


def test_the_identifier_is_told_from_the_code() -> None:
    assert split_aim(b"]C100") == ("]C1", b"00")
    assert split_aim(b"]C") == (None, b"]C")
    assert split_aim(b"00]C1") == (None, b"00]C1")


aims = st.sampled_from(
    ["", "]C1", "]C0", "]d2", "]Q3", "]Q1", "]e0", "]E0", "]E4", "]I1", "]I0", "]A0", "]J1", "]z3"]
)
starts = st.sampled_from(
    ["", "00", "01", "(00)", "ZG1:", "ZG1:J:", "https://", f"https://a/01/{GTIN}", f"01{GTIN}"]
)


@given(aims, starts, st.binary(max_size=80))
def test_any_bytes_become_a_value(aim: str, start: str, rest: bytes) -> None:
    identity = identify((aim + start).encode() + rest)
    if isinstance(identity, Load):
        assert identity.kind in ("sscc", "gtin")
        assert (identity.sscc is not None) == (identity.kind == "sscc")
        for key in (identity.sscc, identity.gtin):
            assert key is None or check_digit(key[:-1]) == key[-1]
        assert identity.gtin is None or len(identity.gtin) == 14
    if isinstance(identity, Unknown):
        assert identity.faults


@given(
    st.integers(0, CODE_LENGTH_MAX * 2), st.sampled_from([b"0", b"(", b"91A\x1d", b"(91)A", b"\xff", b"%41"])
)
def test_long_codes_become_a_value(length: int, unit: bytes) -> None:
    code = (unit * (length // len(unit) + 1))[:length]
    for prefix in (b"", b"]C1", f"https://a/01/{GTIN}/10/".encode()):
        assert isinstance(identify(prefix + code), Load | Unknown)


digits = st.text("0123456789", min_size=7, max_size=17)


@given(aims, st.sampled_from(["00", "01", ""]), digits, st.integers(1, 9))
def test_a_wrong_check_digit_never_becomes_a_load(aim: str, start: str, body: str, off_by: int) -> None:
    wrong = str((int(check_digit(body)) + off_by) % 10)
    identity = identify(f"{aim}{start}{body}{wrong}".encode())
    # Behind another identifier the same digits may be a right code of another key: only this body counts.
    if isinstance(identity, Load):
        assert body + wrong not in (identity.sscc, (identity.gtin or "").lstrip("0"), identity.gtin)


@given(aims, st.text("0123456789", min_size=17, max_size=17))
def test_the_same_code_with_the_right_check_digit_is_a_load(aim: str, body: str) -> None:
    identity = identify(f"]C100{body}{check_digit(body)}".encode())
    assert isinstance(identity, Load)
    assert identity.sscc == body + check_digit(body)
