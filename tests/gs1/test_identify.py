# SPDX-License-Identifier: Apache-2.0
"""One code as read becomes an identity, or the reasons why there is none; nothing makes it raise."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gs1 import (
    CODE_LENGTH_MAX,
    COMMANDS,
    Control,
    Load,
    Measure,
    TagRead,
    Tracking,
    Unknown,
    WorkOrder,
    check_digit,
    compile_patterns,
    control_code,
    identify,
    split_aim,
    work_order_code,
)
from gs1.elements import element_string
from gs1.epc import encode_tag
from gs1.links import link_of
from gs1.loads import full_date

TODAY = date(2026, 11, 22)
SSCC = "095201234567891235"
GTIN = "09520123456788"
SSCC_KEY = f"https://id.gs1.org/00/{SSCC}"
GTIN_KEY = f"https://id.gs1.org/01/{GTIN}"


def load_of(code: str) -> Load:
    load = identify(code.encode(), TODAY)
    assert isinstance(load, Load), load
    return load


def reasons_of(code: str | bytes) -> str:
    unknown = identify(code.encode() if isinstance(code, str) else code, TODAY)
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
    assert load.identity == f"{GTIN_KEY}/10/L%2F1/21/S1"
    assert load.key == f"{GTIN_KEY}/21/S1", "GTIN and serial are an item's whole identity"
    assert load_of(f"]C101{GTIN}10L/1").key == f"{GTIN_KEY}/10/L%2F1"


def test_a_third_party_s_serial_names_the_one_thing() -> None:
    load = load_of(f"]C101{GTIN}235TP-7\x1d10L1")
    assert load.key == load.identity == f"{GTIN_KEY}/235/TP-7"
    assert load.lot == "L1"


def test_a_logistic_unit_tells_what_it_contains() -> None:
    load = load_of(f"]C100{SSCC}02{GTIN}3725\x1d10AB")
    assert (load.kind, load.key, load.gtin, load.count, load.lot) == ("sscc", SSCC_KEY, GTIN, 25, "AB")
    assert load.elements == (("00", SSCC), ("02", GTIN), ("37", "25"), ("10", "AB"))


@pytest.mark.parametrize("aim", ["", "]C0", "]Q1", "]d1", "]A0"])
def test_dock_labels_are_read_from_any_plain_carrier(aim: str) -> None:
    assert identify(f"{aim}ZG1:J:OUT-2026-11:N".encode(), TODAY) == WorkOrder("OUT-2026-11")
    assert identify(f"{aim}ZG1:C:UNDO:3".encode(), TODAY) == Control("UNDO")


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
        (f"]Q1{SSCC}", "in a carrier marked ]Q1, expected a GS1 Digital Link, an ISO 15434"),
        (f"]A0{GTIN}", "in a carrier marked ]A0"),
        ("]C10A", "0A at position 0, expected an application identifier"),
        ("]C1400ORDER", "AI 400, expected a key such as an SSCC (AI 00) or a GTIN (AI 01)"),
        ("P4711", "expected an SSCC of 18 digits"),
        ("]A0S4711", "identifiers S, expected a licence plate (J), a part (P, 1P) or a GS1 key"),
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
    unknown = identify(b"\x00\x1b" * 50_000, TODAY)
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
    identity = identify((aim + start).encode() + rest, TODAY)
    if isinstance(identity, Load):
        assert identity.key == identity.identity or identity.kind in ("gtin", "plate", "part")
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
        assert isinstance(identify(prefix + code, TODAY), Load | Unknown)


digits = st.text("0123456789", min_size=7, max_size=17)


@given(aims, st.sampled_from(["00", "01", ""]), digits, st.integers(1, 9))
def test_a_wrong_check_digit_never_becomes_a_load(aim: str, start: str, body: str, off_by: int) -> None:
    wrong = str((int(check_digit(body)) + off_by) % 10)
    identity = identify(f"{aim}{start}{body}{wrong}".encode(), TODAY)
    # Behind another identifier the same digits may be a right code of another key: only this body counts.
    if isinstance(identity, Load):
        assert body + wrong not in (identity.sscc, (identity.gtin or "").lstrip("0"), identity.gtin)


@given(aims, st.text("0123456789", min_size=17, max_size=17))
def test_the_same_code_with_the_right_check_digit_is_a_load(aim: str, body: str) -> None:
    identity = identify(f"]C100{body}{check_digit(body)}".encode(), TODAY)
    assert isinstance(identity, Load)
    assert identity.sscc == body + check_digit(body)


ITEM = (("01", GTIN), ("21", "4711"))
UNIT = (("00", SSCC),)
CRATE = (("8003", "095211411234545678"),)
TRUCK = (("8004", "95211415678"),)


@pytest.mark.parametrize(
    ("scheme", "elements"),
    [
        ("sgtin-96", ITEM), ("sgtin-198", ITEM), ("sgtin+", ITEM), ("sscc-96", UNIT), ("sscc+", UNIT),
        ("grai-96", CRATE), ("grai+", CRATE), ("giai-96", TRUCK), ("giai+", TRUCK),
    ],
)  # fmt: skip
def test_the_same_thing_has_one_key_by_barcode_link_and_tag(
    scheme: str, elements: tuple[tuple[str, str], ...]
) -> None:
    digits = None if scheme.endswith("+") else 7
    tag = encode_tag(scheme, elements, filter=1, company_prefix_digits=digits)
    read = [
        identify(TagRead(tag), TODAY),
        identify(b"]C1" + element_string(elements).encode(), TODAY),
        identify(b"]d2" + element_string(elements).encode(), TODAY),
        identify(b"]Q1" + link_of(elements).encode(), TODAY),
    ]
    keys = {load.key if isinstance(load, Load) else str(load) for load in read}
    assert keys == {link_of(elements)}


def test_an_item_is_known_by_its_tag_though_its_label_adds_the_lot() -> None:
    tag = identify(TagRead(encode_tag("sgtin-96", ITEM, filter=1, company_prefix_digits=7)), TODAY)
    label = load_of(f"]C101{GTIN}10LOT\x1d214711")
    assert isinstance(tag, Load)
    assert tag.key == label.key
    assert (tag.lot, label.lot) == (None, "LOT")


@pytest.mark.parametrize(
    ("code", "kind", "key"),
    [
        ("]C18003095211411234545678", "grai", "https://id.gs1.org/8003/095211411234545678"),
        ("]C18004952012AB", "giai", "https://id.gs1.org/8004/952012AB"),
        ("]C14149521141123454", "gln", "https://id.gs1.org/414/9521141123454"),
        ("]C14149521141123454254DOOR/1", "gln", "https://id.gs1.org/414/9521141123454/254/DOOR%2F1"),
        ("]C14179521141123454", "pgln", "https://id.gs1.org/417/9521141123454"),
        ("]C140295211411234567891", "gsin", None),
        ("]C18018952114112345678906", "gsrn", "https://id.gs1.org/8018/952114112345678906"),
        ("]d1[)>\x1e06\x1d1JUN043325711MH8031200000000001\x1e\x04", "plate",
         "zg:plate/UN043325711MH8031200000000001"),
        ("]d1[)>\x1e06\x1dPA/7\x1dQ5\x1dVACME\x1d1TL-1\x1e\x04", "part", "zg:part/ACME/A%2F7/lot/L-1"),
        ("]A0P4711", "part", "zg:part/-/4711"),
        ("1JUN043325711MH8031200000000001", "plate", "zg:plate/UN043325711MH8031200000000001"),
        (f"8S{SSCC}", "sscc", SSCC_KEY),
        (f"]d1[)>\x1e06\x1d8S{SSCC}\x1e\x04", "sscc", SSCC_KEY),
        (f"]d1[)>\x1e06\x1d8P{GTIN}\x1d1TL1\x1dS9\x1e\x04", "gtin", f"{GTIN_KEY}/21/9"),
        (f"]d1[)>\x1e05\x1d01{GTIN}10L1\x1e\x04", "gtin", f"{GTIN_KEY}/10/L1"),
    ],
)  # fmt: skip
def test_other_keys_and_other_labels_are_identities_too(code: str, kind: str, key: str | None) -> None:
    if key is None:
        body = code[6:-1]
        code, key = f"]C1402{body}{check_digit(body)}", f"https://id.gs1.org/402/{body}{check_digit(body)}"
    load = load_of(code)
    assert (load.kind, load.key) == (kind, key)
    assert load.is_goods == (kind in ("sscc", "gtin", "plate", "part"))


def test_weights_dates_and_origin_are_read() -> None:
    load = load_of(f"]C101{GTIN}3103000195422840\x1d17270200")
    assert load.measures == (Measure("3103", Decimal("0.195"), "KGM"),)
    assert load.measures[0].amount.as_tuple().exponent == -3, "as many decimals as the label states"
    assert (load.origin, load.expiry) == ("840", date(2027, 2, 28))
    more = load_of(f"]C101{GTIN}11251101423276056\x1d427BY\x1d422276")
    assert (more.produced, more.processed) == (date(2025, 11, 1), ("276", "056"))
    assert (more.origin, more.subdivision) == ("276", "BY")


@pytest.mark.parametrize(
    ("value", "today", "day"),
    [
        ("270100", date(2026, 11, 22), date(2027, 1, 31)),
        ("240200", date(2026, 11, 22), date(2024, 2, 29)),
        ("760101", date(2026, 1, 1), date(2076, 1, 1)),
        ("770101", date(2026, 1, 1), date(1977, 1, 1)),
        ("010101", date(2050, 1, 1), date(2001, 1, 1)),
        ("000101", date(2050, 1, 1), date(2100, 1, 1)),
        ("000101", date(2049, 1, 1), date(2000, 1, 1)),
        ("990101", date(2100, 1, 1), date(2099, 1, 1)),
        ("000229", date(2100, 1, 1), None),
        ("2611", date(2026, 1, 1), None),
    ],
)
def test_the_century_slides_with_today(value: str, today: date, day: date | None) -> None:
    assert full_date(value, today) == day


@given(st.dates(date(1960, 1, 1), date(2140, 12, 31)), st.dates(date(2010, 1, 1), date(2090, 12, 31)))
def test_every_day_within_49_years_is_read_back(day: date, today: date) -> None:
    if abs(day.year - today.year) <= 49:
        assert full_date(f"{day:%y%m%d}", today) == day
    last = date(day.year + day.month // 12, day.month % 12 + 1, 1) - timedelta(days=1)
    if abs(last.year - today.year) <= 49:
        assert full_date(f"{day:%y%m}00", today) == last


@pytest.mark.parametrize(
    ("code", "carrier"),
    [("1Z999AA10123456784", "UPS"), ("]C01Z999AA10123456784", "UPS"),
     ("]C14201234592055901649173123456" + "7" + check_digit("920559016491731234567")[0], "USPS")],
)  # fmt: skip
def test_parcel_numbers_are_told_as_what_they_are(code: str, carrier: str) -> None:
    parcel = identify(code.encode(), TODAY)
    assert isinstance(parcel, Tracking)
    assert parcel.carrier == carrier


@pytest.mark.parametrize(
    ("epc", "pc", "code"),
    [("00" * 12, 0x3000, "unprogrammed"), ("3066C4409047E140075BCD15", 0x3100, "not_gs1"),
     ("FFFFFFFFFFFFFFFFFFFFFFFF", 0x3000, "epc_header"), ("", None, "unprogrammed")],
)  # fmt: skip
def test_a_tag_that_is_none_of_gs1_is_told_as_such(epc: str, pc: int | None, code: str) -> None:
    unknown = identify(TagRead(bytes.fromhex(epc), pc), TODAY)
    assert isinstance(unknown, Unknown)
    assert unknown.faults[0].code == code


@given(st.binary(max_size=70), st.none() | st.integers(0, 0xFFFF))
def test_any_tag_becomes_a_value(epc: bytes, pc: int | None) -> None:
    identity = identify(TagRead(epc, pc), TODAY)
    assert isinstance(identity, Load | Unknown)
    assert not isinstance(identity, Unknown) or identity.faults


def test_lenient_reading_keeps_the_key_beside_a_fault_and_strict_reading_does_not() -> None:
    code = f"]C101{GTIN}17261340\x1d10L1".encode()
    strict = identify(code, TODAY)
    assert isinstance(strict, Unknown)
    assert ("01", GTIN) in strict.elements
    lenient = identify(code, TODAY, lenient=True)
    assert isinstance(lenient, Load)
    assert (lenient.gtin, lenient.lot, lenient.expiry) == (GTIN, "L1", None)
    assert lenient.faults == strict.faults != ()


jobs = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", min_size=1, max_size=24).filter(
    lambda job: job.strip("-") != ""
)
own_labels = jobs.map(work_order_code) | st.sampled_from(COMMANDS).map(control_code)


@given(own_labels, st.sampled_from(["]C1", "]d2", "]Q3", "]e0", "]J1", "]E0", "]E4", "]I1", "]I0"]))
def test_no_carrier_of_gs1_data_can_give_an_order(label: str, aim: str) -> None:
    assert isinstance(identify((aim + label).encode(), TODAY), Unknown)


@given(own_labels, st.sampled_from(["", "]C0", "]A0", "]Q1", "]d1", "]L0", "]z0", "]J0"]))
def test_an_order_is_nothing_but_an_order_in_every_other_carrier(label: str, aim: str) -> None:
    patterns = compile_patterns([("own", "{part:letters 2}-{lot:digits 1-9}")])
    assert isinstance(identify((aim + label).encode(), TODAY, patterns=patterns), WorkOrder | Control)


@given(
    st.sampled_from([(("00", SSCC),), ITEM, CRATE, TRUCK]), st.sampled_from(["", "(", "link", "]C1", "]d2"])
)
def test_no_code_of_gs1_gives_an_order(elements: tuple[tuple[str, str], ...], form: str) -> None:
    text = link_of(elements) if form == "link" else element_string(elements)
    if form == "(":
        text = "".join(f"({ai}){value}" for ai, value in elements)
    prefix = form if form.startswith("]") else ""
    assert not isinstance(identify((prefix + text).encode(), TODAY), WorkOrder | Control)
