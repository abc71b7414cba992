# SPDX-License-Identifier: Apache-2.0
"""What tags say, in bits put together here by hand from the standard's coding tables."""

from __future__ import annotations

import re

import pytest

from gs1 import CodeError, check_digit
from gs1.epc import (
    SCHEMES,
    ProtocolControl,
    decode_tag,
    encode_tag,
    encode_tag_uri,
    epc_uri,
    legacy,
    plus,
    raw_uri,
)
from tests.gs1.epc_bits import (
    GTIN,
    PREFIX,
    REFERENCE,
    codes_of,
    memory,
    nibbles,
    number,
    sevens,
    sgtin,
    sgtin_plus,
    sixes,
)
from tests.source import ROOT

# The schemes with a partition table.


def test_an_sgtin_96_tells_its_item_and_both_uris() -> None:
    tag = decode_tag(sgtin("00110000", number(400, 38)))
    assert (tag.scheme, tag.filter, tag.company_prefix_digits, tag.host) == ("sgtin-96", 3, 7, None)
    assert tag.elements == (("01", GTIN), ("21", "400"))
    assert tag.epc_uri == "urn:epc:id:sgtin:4012345.012345.400"
    assert tag.tag_uri == "urn:epc:tag:sgtin-96:3.4012345.012345.400"


def test_a_long_serial_keeps_its_characters_and_a_uri_escapes_them() -> None:
    tag = decode_tag(sgtin("00110110", sevens('0/%"<>?&.') + "0" * 77))
    assert tag.elements[1] == ("21", '0/%"<>?&.')
    assert tag.epc_uri == "urn:epc:id:sgtin:4012345.012345.0%2F%25%22%3C%3E%3F%26."


@pytest.mark.parametrize(
    ("tail", "code"),
    [
        ("0" * 140, "epc_value"),
        (sevens("A") + "0" * 7 + sevens("B") + "0" * 119, "epc_character"),
        (sevens("A B") + "0" * 119, "epc_character"),
        (sevens("A") + "0" * 133 + "0000000001", "epc_reserved"),
    ],
    ids=["empty", "a gap", "no character of set 82", "a one behind the code"],
)
def test_a_text_that_is_none_is_refused(tail: str, code: str) -> None:
    assert codes_of(sgtin("00110110", tail)) == [code]


@pytest.mark.parametrize(
    "name", [scheme.name for scheme in legacy.SCHEMES.values() if scheme.filter_bits == 3]
)
def test_partition_value_seven_is_refused(name: str) -> None:
    header = legacy.SCHEMES[name].header
    assert codes_of(memory(number(header, 8), "000 111", "0" * 400)) == ["epc_partition"]


def test_numbers_too_large_for_their_digits_are_refused() -> None:
    prefix = memory("00110000 011 101", number(10**7, 24), number(1, 20), number(1, 38))
    reference = memory("00110000 011 101", number(1, 24), number(10**6, 20), number(1, 38))
    # A partition value that leaves no digit to the location reference leaves it a bit.
    location = memory("00110010 000 000", number(401234512345, 40), "1", number(1, 41))
    assert [codes_of(epc) for epc in (prefix, reference, location)] == [["epc_value"]] * 3


def test_an_sscc_moves_its_extension_digit_and_has_24_zero_bits() -> None:
    bits = ("00110001 010 101", number("4012345", 24), number("3123456789", 34))
    key = "3" + "4012345" + "123456789"
    assert decode_tag(memory(*bits, number(0, 24))).elements == (("00", key + check_digit(key)),)
    for place in range(24):
        assert codes_of(memory(*bits, number(1 << place, 24))) == ["epc_reserved"]


def test_the_extension_zero_is_the_location_itself() -> None:
    place = ("414", "401234512345" + check_digit("401234512345"))
    bits = (number(0x32, 8), "000 101", number("4012345", 24), number("12345", 17))
    assert decode_tag(memory(*bits, number(0, 41))).elements == (place,)
    assert decode_tag(memory(*bits, number(5, 41))).elements == (place, ("254", "5"))
    for scheme in ("sgln-96", "sgln-195", "sgln+"):
        epc = encode_tag(scheme, (place,), filter=0, company_prefix_digits=7)
        assert decode_tag(epc).elements == (place,)
    assert decode_tag(memory(*bits, number(0, 41))).epc_uri == "urn:epc:id:sgln:4012345.12345.0"


def test_assets_documents_and_relations() -> None:
    body = "401234512345"
    key = body + check_digit(body)
    typed = ("000 101", number("4012345", 24))
    grai = memory(number(0x33, 8), *typed, number("12345", 20), number(99, 38))
    gdti = memory(number(0x3A, 8), *typed, number("12345", 17), number("1007", 58))
    sgcn = memory(number(0x3F, 8), *typed, number("12345", 17), number("100", 41))
    giai = memory(number(0x34, 8), *typed, number(77, 58))
    gsrnp = memory(number(0x2E, 8), *typed, number("1234567890", 34), number(0, 24))
    assert decode_tag(grai).elements == (("8003", f"0{key}99"),)
    assert decode_tag(gdti).elements == (("253", f"{key}007"),)
    assert decode_tag(sgcn).elements == (("255", f"{key}00"),)
    assert decode_tag(giai).elements == (("8004", "401234577"),)
    relation = "40123451234567890"
    assert decode_tag(gsrnp).elements == (("8017", relation + check_digit(relation)),)
    assert codes_of(memory(number(0x3F, 8), *typed, number("12345", 17), number("1", 41))) == ["epc_value"]
    assert codes_of(memory(number(0x3F, 8), *typed, number("12345", 17), number("27", 41))) == ["epc_value"]


def test_a_part_number_in_six_bits() -> None:
    bits = ("00111101 001 101", number("4012345", 24), sixes("A/7-#Z"), number(12, 40))
    tag = decode_tag(memory(*bits))
    assert tag.elements == (("8010", "4012345A/7-#Z"), ("8011", "12"))
    assert tag.epc_uri == "urn:epc:id:cpi:4012345.A%2F7-%23Z.12"
    assert codes_of(memory(*bits[:2], "011011", number(12, 40))) == ["epc_character"]  # "[" is none


def test_pieces_of_a_trade_item_are_checked_by_the_dictionary() -> None:
    def piece(one: int, of: int) -> bytes:
        shared = (number(PREFIX, 24), number(REFERENCE, 20))
        return memory("01000000 000 101", *shared, number(one, 7), number(of, 7), number(981, 38))

    assert decode_tag(piece(1, 2)).elements == (("8006", f"{GTIN}0102"), ("21", "981"))
    assert codes_of(piece(3, 2)) == ["pieceoftotal"]
    assert codes_of(piece(1, 100)) == ["epc_value"]


# The schemes that are not GS1's keys.


def test_general_and_defense_identifiers_have_uris_and_no_elements() -> None:
    gid = decode_tag(memory(number(0x35, 8), number(95, 28), number(7, 24), number(0, 36)))
    dod = decode_tag(
        memory(number(0x2F, 8), "0010", "".join(f"{ord(c):08b}" for c in " 1ABZ9"), number(5, 36))
    )
    adi = decode_tag(memory(number(0x3B, 8), number(17, 6), sixes("W81X9C")[:36], sixes(""), sixes("#2-/A")))
    assert (gid.tag_uri, gid.elements, gid.filter) == ("urn:epc:tag:gid-96:95.7.0", (), None)
    assert (dod.tag_uri, dod.epc_uri) == ("urn:epc:tag:usdod-96:2.1ABZ9.5", "urn:epc:id:usdod:1ABZ9.5")
    assert adi.tag_uri == "urn:epc:tag:adi-var:17.W81X9C..%232-%2FA"


@pytest.mark.parametrize(
    ("cage", "part", "serial", "code"),
    [
        ("100000" + sixes("IABCD")[:30], "", "A", "epc_value"),
        (sixes("A BCDE")[:36], "", "A", "epc_value"),
        (sixes("ABCDEF")[:36], "#A", "A", "epc_character"),
        (sixes("ABCDEF")[:36], "A", "A#", "epc_character"),
        (sixes("ABCDEF")[:36], "A", "#", "epc_character"),
        (sixes("ABCDEF")[:36], "A" * 33, "A", "epc_value"),
        (sixes("ABCDEF")[:36], "A", "", "epc_value"),
        (sixes("ABCDEF")[:36], "A[", "A", "epc_character"),
    ],
)
def test_aerospace_identifiers_keep_to_their_letters(cage: str, part: str, serial: str, code: str) -> None:
    assert codes_of(memory(number(0x3B, 8), "000000", cage, sixes(part), sixes(serial))) == [code]


def test_a_text_without_its_end_is_refused() -> None:
    assert codes_of(memory(number(0x3B, 8), "000001", sixes("ABCDEF" + "A" * 7)[:-6])) == ["epc_length"]


# The control word, and memory that is no EPC.


def test_the_control_word_tells_how_much_counts() -> None:
    epc = sgtin("00110000", number(400, 38))
    assert decode_tag(epc, 0x3000) == decode_tag(epc) == decode_tag(epc + b"\xff\xff", 0x3000)
    assert codes_of(epc + b"\xff\xff") == ["epc_reserved"]
    assert codes_of(epc, 0x3800) == ["epc_length"]
    assert codes_of(epc, 0x2800) == ["epc_length"]
    assert (
        decode_tag(epc, 0x3400) == decode_tag(epc, 0x4200) == decode_tag(epc)
    )  # user memory, extended words
    long = sgtin_plus(nibbles("10") + "011 00010 000000 110100")
    words = len(long) // 2
    assert len(decode_tag(long, words << 11).elements) == 3
    short = memory("11111001 0 000", nibbles("340123451234567895"))[:11]
    assert decode_tag(short, 0x3000).scheme == "sscc+"


def test_the_parts_of_the_control_word() -> None:
    assert ProtocolControl.of(0x34A1) == ProtocolControl(
        6, user_memory=True, extended=False, iso=False, low=0xA1
    )
    assert ProtocolControl.of(0x03A1) == ProtocolControl(
        0, user_memory=False, extended=True, iso=True, low=0xA1
    )
    for pc in (-1, 0x1_0000):
        assert codes_of(b"\x30", pc) == ["epc_pc"]


def test_a_tag_of_iso_is_told_as_such_whatever_it_holds() -> None:
    epc = sgtin("00110000", number(400, 38))
    with pytest.raises(CodeError, match=r"ISO's application family A9 \(ISO 17363, freight container\)"):
        decode_tag(epc, 0x31A9)
    assert codes_of(epc, 0x3100) == codes_of(b"", 0x01A1) == ["not_gs1"]


def test_an_empty_tag_is_told_as_such() -> None:
    assert (
        codes_of(b"")
        == codes_of(bytes(12))
        == codes_of(b"\x00\x01")
        == codes_of(b"\x30", 0)
        == ["unprogrammed"]
    )


def test_headers_that_no_scheme_has_are_refused() -> None:
    known = {scheme.header for scheme in legacy.SCHEMES.values()}
    known |= {scheme.header for scheme in plus.SCHEMES.values()}
    assert len(known) == len(SCHEMES) == 46
    for header in range(1, 256):
        if header not in known:
            assert codes_of(bytes((header,)) + b"\x55" * 11) == ["epc_header"]
    with pytest.raises(CodeError, match="the chip's own number"):
        decode_tag(b"\xe2" + b"\x55" * 11)


def test_memory_longer_than_any_tags_is_refused() -> None:
    for header in range(1, 256):
        assert codes_of(bytes((header,)) + bytes(62))[0] in ("epc_length", "epc_header")


def test_raw_uris() -> None:
    assert raw_uri(b"\x30\x01\x02", None) == "urn:epc:raw:32.x30010200"
    assert raw_uri(b"\x30\x01", 0x0800) == "urn:epc:raw:16.x3001"
    assert raw_uri(b"\x30\x01\x02\x03", 0x0C01) == "urn:epc:raw:[att=x01][umi=1]:16.x3001"
    assert raw_uri(b"\x30\x01", 0x09A1) == "urn:epc:raw:16.xA1.x3001"
    assert raw_uri(b"\x30", 0x0800) == "urn:epc:raw:16.x3000"


# Writing.


@pytest.mark.parametrize(
    ("scheme", "elements", "how", "code"),
    [
        ("sgtin-96", (("01", GTIN), ("21", "07")), {"company_prefix_digits": 7}, "epc_value"),
        ("sgtin-96", (("01", GTIN), ("21", str(1 << 38))), {"company_prefix_digits": 7}, "epc_value"),
        ("sgtin-96", (("01", GTIN), ("21", "A")), {"company_prefix_digits": 7}, "epc_value"),
        ("sgtin-96", (("01", GTIN), ("21", "7")), {}, "company_prefix"),
        ("sgtin-96", (("01", GTIN), ("21", "7")), {"company_prefix_digits": 13}, "company_prefix"),
        ("sgtin-96", (("01", GTIN),), {"company_prefix_digits": 7}, "epc_scheme"),
        ("sgtin-96", (("01", GTIN), ("21", "7"), ("10", "A")), {"company_prefix_digits": 7}, "epc_scheme"),
        ("sgtin-96", (("01", GTIN), ("21", "7")), {"company_prefix_digits": 7, "filter": 8}, "epc_value"),
        ("sgtin-96", (("01", GTIN), ("21", "7")), {"company_prefix_digits": 7, "filter": -1}, "epc_value"),
        ("sgtin-96", (("01", GTIN), ("21", "7")), {"company_prefix_digits": 7, "host": "a.de"}, "epc_scheme"),
        ("sgtin+", (("01", GTIN), ("21", "7")), {"host": "a.de"}, "epc_host"),
        ("sgtin++", (("01", GTIN), ("21", "7")), {}, "epc_host"),
        ("sgtin++", (("01", GTIN), ("21", "7")), {"host": "a b"}, "epc_host"),
        ("sgtin++", (("01", GTIN), ("21", "7")), {"host": "a" * 64}, "epc_host"),
        ("sgtin+", (("01", GTIN), ("21", "7")), {"filter": 8}, "epc_value"),
        ("sgtin+", (("01", GTIN),), {}, "no_epc"),
        ("sgtin+", (("01", GTIN), ("21", "7"), ("01", GTIN)), {}, "repeated"),
        ("sgtin+", (("01", GTIN), ("21", "7"), ("90", "A/" * 15), ("91", "a/" * 45)), {}, "epc_length"),
        ("dsgtin+", (("01", GTIN), ("21", "7")), {}, "epc_scheme"),
        ("gid-96", (("01", GTIN), ("21", "7")), {}, "epc_scheme"),
        ("sgtin-64", (("01", GTIN), ("21", "7")), {}, "epc_scheme"),
        ("sgtin+", (("01", GTIN[:-1] + "0"), ("21", "7")), {}, "csum"),
        ("giai-96", (("8004", "4012345"),), {"company_prefix_digits": 7}, "company_prefix"),
        ("giai-96", (("8004", "40A2345777"),), {"company_prefix_digits": 7}, "gcppos1"),
        ("cpi-96", (("8010", "40123450"), ("8011", "1")), {"company_prefix_digits": 6}, None),
    ],
)
def test_what_a_scheme_cannot_hold_is_not_written(
    scheme: str, elements: tuple[tuple[str, str], ...], how: dict[str, object], code: str | None
) -> None:
    arguments = {"filter": 0, **how}
    if code is None:
        assert decode_tag(encode_tag(scheme, elements, **arguments)).elements == elements  # type: ignore[arg-type]
        return
    with pytest.raises(CodeError) as refused:
        encode_tag(scheme, elements, **arguments)  # type: ignore[arg-type]
    assert refused.value.faults[0].code == code


def test_data_behind_the_epc_is_announced() -> None:
    key = (("01", GTIN), ("21", "7"))
    assert encode_tag("sgtin+", key, filter=0)[1] >> 7 == 0
    assert encode_tag("sgtin+", (*key, ("10", "A")), filter=0)[1] >> 7 == 1


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "urn:epc:id:sgtin:4012345.012345.7",
        "urn:epc:tag:sgtin-97:3.4012345.012345.7",
        "urn:epc:tag:sgtin-96:3.4012345.012345",
        "urn:epc:tag:sgtin-96:8.4012345.012345.7",
        "urn:epc:tag:sgtin-96:03.4012345.012345.7",
        "urn:epc:tag:sgtin-96:3.4012345.01234.7",
        "urn:epc:tag:sgtin-96:3.40123.01234567.7",
        "urn:epc:tag:sgtin-96:3...7",
        "urn:epc:tag:sgtin-96:3.40123x5.012345.7",
        "urn:epc:tag:sscc-96:3.4012345.",
        "urn:epc:tag:gid-96:1.2." + "9" * 5_000,
        "urn:epc:tag:sgtin-198:3.4012345.012345.%2",
        "urn:epc:tag:sgtin-198:3.4012345.012345.%01",
        "urn:epc:tag:sgtin-198:3.4012345.012345." + "A" * 21,
        "urn:epc:tag:gid-96:1.2",
        "urn:epc:tag:gid-96:268435456.2.3",
        "urn:epc:tag:usdod-96:2.1ABI9.5",
        "urn:epc:tag:adi-var:2.1ABZ9.a.5",
        "urn:epc:tag:sgcn-96:2.4012345.12345.1234567890123",
        "urn:epc:tag:itip-110:2.4012345.012345.1.02.5",
        "x" * 10_000,
    ],
)
def test_tag_uris_that_are_none_are_refused(uri: str) -> None:
    with pytest.raises(CodeError):
        encode_tag_uri(uri)


# URIs of elements.


@pytest.mark.parametrize(
    ("elements", "digits", "uri"),
    [
        ((("00", "340123451234567895"),), 7, "urn:epc:id:sscc:4012345.3123456789"),
        ((("01", GTIN), ("21", "a/b"), ("10", "L")), 7, "urn:epc:id:sgtin:4012345.012345.a%2Fb"),
        ((("01", GTIN), ("10", "a b"[:1])), 7, "urn:epc:class:lgtin:4012345.012345.a"),
        ((("01", GTIN), ("21", "7")), 4, "urn:epc:id:sgtin:401234.0512345.7"),
        ((("01", GTIN), ("235", "x")), 12, "urn:epc:id:upui:401234512345.0.x"),
        ((("01", "00000012345670"), ("21", "7")), None, "urn:epc:id:sgtin:00000123.04567.7"),
        ((("01", "00000012345670"), ("21", "7")), 12, "urn:epc:id:sgtin:000001234567.0.7"),
        ((("414", "4012345000009"),), 12, "urn:epc:id:sgln:401234500000..0"),
        ((("414", "4012345000009"), ("254", "Z")), 7, "urn:epc:id:sgln:4012345.00000.Z"),
        ((("417", "4012345000009"),), 7, "urn:epc:id:pgln:4012345.00000"),
        ((("8003", "04012345000009X"),), 7, "urn:epc:id:grai:4012345.00000.X"),
        ((("8004", "4012345#"[:7] + "-9"),), 7, "urn:epc:id:giai:4012345.-9"),
        ((("401", "4012345-9"),), 7, "urn:epc:id:ginc:4012345.-9"),
        ((("402", "40123451234567894"),), 7, "urn:epc:id:gsin:4012345.123456789"),
        ((("8010", "4012345/#"), ("8011", "5")), 7, "urn:epc:id:cpi:4012345.%2F%23.5"),
        ((("8006", f"{GTIN}0102"), ("21", "5")), 7, "urn:epc:id:itip:4012345.012345.01.02.5"),
    ],
)
def test_elements_have_a_uri_when_the_prefix_is_known(
    elements: tuple[tuple[str, str], ...], digits: int | None, uri: str
) -> None:
    assert epc_uri(elements, digits) == uri


@pytest.mark.parametrize(
    ("elements", "digits", "code"),
    [
        ((("00", "340123451234567895"),), None, "company_prefix"),
        ((("00", "340123451234567895"),), 3, "company_prefix"),
        ((("01", "00000012345670"), ("21", "7")), 7, "company_prefix"),
        ((("8004", "4012345"),), 7, "company_prefix"),
        ((("8004", "40123x9"),), 7, "company_prefix"),
        ((("01", GTIN),), 7, "no_epc"),
        ((("8003", "04012345000009"),), 7, "no_epc"),
        ((("00", "340123451234567890"),), 7, "csum"),
    ],
)
def test_elements_without_a_uri_are_refused(
    elements: tuple[tuple[str, str], ...], digits: int | None, code: str
) -> None:
    with pytest.raises(CodeError) as refused:
        epc_uri(elements, digits)
    assert [fault.code for fault in refused.value.faults] == [code]


def test_the_page_names_every_scheme_and_every_code_of_this_room() -> None:
    page = (ROOT / "docs/integrate/tags.md").read_text().lower()
    assert [name for name in SCHEMES if f"`{name}`" not in page] == []
    sources = "".join(path.read_text() for path in sorted((ROOT / "gs1/epc").glob("*.py")))
    codes = set(re.findall(r'refuse\(\s*"([a-z0-9_]+)"', sources))
    assert codes
    assert [code for code in sorted(codes) if f"`{code}`" not in page] == []
