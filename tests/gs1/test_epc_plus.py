# SPDX-License-Identifier: Apache-2.0
"""What tags of the "+" and "++" schemes say, and the data behind their EPC, in bits put together by hand."""

from __future__ import annotations

import pytest

from gs1 import check_digit
from gs1.epc import decode_tag, encode_tag, plus
from gs1.epc.formats import FORMATS
from tests.gs1.epc_bits import GTIN, codes_of, memory, nibbles, number, sevens, sgtin_plus


def behind(*bits: str) -> tuple[tuple[str, str], ...]:
    """The elements read behind an SGTIN+."""
    tag = decode_tag(sgtin_plus(*bits))
    assert tag.elements[:2] == (("01", GTIN), ("21", "7"))
    return tag.elements[2:]


def test_a_key_stands_as_in_a_barcode() -> None:
    sscc = "3" + "4012345" + "123456789"
    sscc += check_digit(sscc)
    tag = decode_tag(memory("11111001 0 010", nibbles(sscc)))
    assert (tag.scheme, tag.filter, tag.elements) == ("sscc+", 2, (("00", sscc),))
    assert (tag.company_prefix_digits, tag.epc_uri, tag.tag_uri) == (None, None, None)
    wrong = sscc[:-1] + str((int(sscc[-1]) + 1) % 10)
    assert codes_of(memory("11111001 0 010", nibbles(wrong))) == ["csum"]
    assert codes_of(memory("11111001 0 010", nibbles(sscc[:-1] + "A"))) == ["epc_value"]


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        ("000 00100 " + number(17, 14), "0017"),
        ("001 00011 " + nibbles("0AF"), "0AF"),
        ("010 00011 " + nibbles("0AF"), "0af"),
        ("011 00100 000000 011010 110100 111111", "Aa0_"),
        ("100 00010 " + sevens("+/"), "+/"),
        ("101 00100 " + number(1600 * 1 + 40 * 27 + 30 + 1, 16) + number(1600 * 28 + 1, 16), "A-0."),
        ("011 00011 110101 110110 110111", "123"),  # not the shortest, and right
    ],
)
def test_serials_of_every_alphabet(bits: str, text: str) -> None:
    assert decode_tag(sgtin_plus(serial=bits)).elements == (("01", GTIN), ("21", text))


@pytest.mark.parametrize(
    ("text", "indicator"),
    [
        ("0017", 0),
        ("0AF", 1),
        ("0af", 2),
        ("GH", 3),
        ("A-Z", 5),
        ("A.B", 5),
        ("Aa", 3),
        ("a/b", 4),
        ("A.", 4),
    ],
)
def test_the_shortest_alphabet_is_written(text: str, indicator: int) -> None:
    epc = encode_tag("sgtin+", (("01", GTIN), ("21", text)), filter=0)
    assert (epc[8] >> 1) & 7 == indicator, epc.hex()
    assert decode_tag(epc).elements[1] == ("21", text)


@pytest.mark.parametrize(
    ("bits", "code"),
    [
        ("110 00001 0000000", "epc_value"),
        ("111 00001 0000000", "epc_value"),
        ("000 00000", "too_short"),
        ("000 00010 1100100", "epc_value"),  # 100 in two digits
        ("100 00001 0100000", "character"),
        ("100 10101 " + sevens("A" * 21), "too_long"),
        ("101 00001 0000000000000000", "epc_value"),
        ("101 00001 1111101000000001", "epc_value"),
        ("101 00010 " + number(1600 + 1, 16), "epc_value"),  # one character where two are announced
        ("101 00001 " + number(1600 + 40 + 1, 16), "epc_value"),
    ],
)
def test_serials_that_are_none_are_refused(bits: str, code: str) -> None:
    assert codes_of(sgtin_plus(serial=bits)) == [code]


def test_a_date_before_the_key_comes_out_behind_it() -> None:
    day = number(26, 7) + number(2, 4) + number(28, 5)
    for kind, ai in enumerate(("11", "13", "15", "16", "17", "7006", "7007")):
        tag = decode_tag(memory("11111011 0 011", number(kind, 4), day, nibbles(GTIN), "000 00001 0111"))
        assert tag.elements == (("01", GTIN), ("21", "7"), (ai, "260228"))
        assert encode_tag("dsgtin+", tag.elements, filter=3) == memory(
            "11111011 0 011", number(kind, 4), day, nibbles(GTIN), "000 00001 0111"
        )
    for kind in range(7, 16):
        assert codes_of(memory("11111011 0 011", number(kind, 4), day, nibbles(GTIN), "000 00001 0111")) == [
            "epc_value"
        ]
    late = number(26, 7) + number(2, 4) + number(30, 5)
    assert codes_of(memory("11111011 0 011 0100", late, nibbles(GTIN), "000 00001 0111")) == ["yymmd0"]


def test_an_asset_number_goes_on_in_characters_where_its_digits_end() -> None:
    digits = decode_tag(memory("11111010 0 000", nibbles("40123450F")))
    mixed = decode_tag(memory("11111010 0 000", nibbles("4012345E"), "011 00010", "000001 110100"))
    assert digits.elements == (("8004", "40123450"),)
    assert mixed.elements == (("8004", "4012345B0"),)
    assert codes_of(memory("11111010 0 000", nibbles("4012345E"), "000 00010 0000001")) == ["epc_value"]
    assert codes_of(memory("11111010 0 000", nibbles("4012345A"))) == ["epc_value"]


@pytest.mark.parametrize("scheme", ["grai+", "gdti+", "sgcn+"])
def test_a_class_of_assets_or_documents_is_no_epc(scheme: str) -> None:
    header, key = plus.SCHEMES[scheme].header, plus.SCHEMES[scheme].key
    body = "401234512345"
    empty = "0000" if scheme == "sgcn+" else "000 00000"
    epc = memory(number(header, 8), "0 000", nibbles(key.lead + body + check_digit(body)), empty)
    assert codes_of(epc) == ["no_epc"]


@pytest.mark.parametrize(
    ("bits", "host"),
    [
        ("1 0001001 0100000" + sevens("example")[:-7] + "1100101 1011011", "id.example.com"),
        ("1 000011 " + sevens("a") + "0000000 0110111", "a.de"),
        ("1 000011 " + sevens("a") + "0000001 1110100", "a.zw"),
        ("1 000011 " + sevens("a") + "0000010 0011101", "a.org.cn"),
        ("1 000011 " + sevens("a") + "0000011 0000000", "a.tech"),
        ("1 000110 " + sevens("a.b:80"), "a.b:80"),
        ("0 000011 " + number(1600 * 1 + 40 * 28 + 2 + 1, 16), "A.B"),
    ],
)
def test_host_names(bits: str, host: str) -> None:
    bits = bits.replace("1 0001001 ", "1 001001 ")
    tag = decode_tag(sgtin_plus(bits, header="11111101"))
    assert (tag.scheme, tag.host, tag.elements) == ("sgtin++", host, (("01", GTIN), ("21", "7")))
    assert encode_tag("sgtin++", tag.elements, filter=3, host=host) == sgtin_plus(bits, header="11111101")


@pytest.mark.parametrize(
    ("bits", "code"),
    [
        ("1 000000", "epc_host"),
        ("1 000001 0000100", "epc_host"),  # a reserved code
        ("1 000010 0000001 1110101", "epc_value"),  # a reserved place
        ("1 000001 0000000 0110111", "epc_value"),  # longer than its length says
        ("1 000011 " + sevens("a/b"), "epc_host"),
        ("1 000010 " + sevens("a."), "epc_host"),
        ("0 000001 0000000000000000", "epc_value"),
    ],
)
def test_host_names_that_are_none_are_refused(bits: str, code: str) -> None:
    assert codes_of(sgtin_plus(bits, header="11111101")) == [code]


# Data behind the EPC.


def test_data_behind_the_epc_is_read_to_the_end_of_the_memory() -> None:
    lot = nibbles("10") + "011 00010 000000 110100"
    expiry = nibbles("17") + number(26, 7) + number(12, 4) + number(0, 5)
    weight = nibbles("3103") + number(1250, 20)
    assert behind(lot, expiry, weight) == (("10", "A0"), ("17", "261200"), ("3103", "001250"))


@pytest.mark.parametrize(
    ("ai", "bits", "value"),
    [
        ("30", "0010 " + number(12, 7), "12"),
        ("422", number(276, 10), "276"),
        ("423", "0110 " + number(276840, 20), "276840"),
        ("4307", "000000 000101", "AF"),
        ("4321", "1", "1"),
        ("4324", number(26, 7) + number(1, 4) + number(31, 5) + number(23, 5) + number(59, 6), "2601312359"),
        ("4330", number(1850, 20) + "1", "001850-"),
        ("4331", number(1850, 20) + "0", "001850"),
        ("7007", "1" + 2 * (number(26, 7) + number(1, 4) + number(31, 5)), "260131260131"),
        ("7011", "11" + number(26, 7) + number(1, 4) + number(31, 5), "260131"),
        ("8008", "00" + number(26, 7) + number(1, 4) + number(31, 5) + number(7, 5), "26013107"),
        (
            "410",
            nibbles("401234512345" + check_digit("401234512345")),
            "401234512345" + check_digit("401234512345"),
        ),
    ],
)
def test_the_methods_of_values(ai: str, bits: str, value: str) -> None:
    sscc = "340123451234567895"  # what these stand for a part of: some mean nothing without it
    elements = (("01", GTIN), ("21", "7"), ("00", sscc), (ai, value))
    written = bytearray(sgtin_plus(nibbles("00" + sscc), nibbles(ai), bits))
    assert decode_tag(bytes(written)).elements == elements
    written[1] |= 0x80  # what is behind is announced
    assert encode_tag("sgtin+", elements, filter=3) == bytes(written)


def test_an_sscc_behind_the_epc_is_told_from_a_filled_memory() -> None:
    sscc = "340123451234567890"
    sscc = sscc[:-1] + check_digit(sscc[:-1])
    assert behind(nibbles("00"), nibbles(sscc)) == (("00", sscc),)
    assert behind("0" * 300) == ()
    assert codes_of(sgtin_plus("0" * 40, "1")) == ["epc_reserved"]
    assert codes_of(sgtin_plus("0" * 80, "1" * 16)) == ["epc_value"]


@pytest.mark.parametrize(
    ("bits", "code"),
    [
        (nibbles("A0"), "epc_value"),
        (nibbles("1400") + "1" * 16, "unknown_ai"),
        (nibbles("31F0"), "epc_value"),
        (nibbles("0312") + "1" * 56, "unknown_ai"),
        (nibbles("21") + "000 00001 1000", "repeated"),
        (nibbles("17") + number(100, 7) + number(1, 4) + number(1, 5), "epc_value"),
        (nibbles("17") + number(26, 7) + number(13, 4) + number(1, 5), "yymmd0"),
        (nibbles("10") + "011 11111 000000", "epc_length"),
        (nibbles("4307") + "011010 000000", "epc_value"),
        (nibbles("4307") + "011001 011001", "iso3166alpha2"),
        (nibbles("37") + "0001 0011", "missing_partner"),
        (nibbles("7258") + nibbles("03"), "epc_value"),
    ],
)
def test_data_that_is_none_is_refused(bits: str, code: str) -> None:
    assert code in codes_of(sgtin_plus(bits))


def test_ones_in_the_last_bits_are_refused() -> None:
    whole = sgtin_plus(nibbles("10") + "000 00001 0111")
    assert codes_of(whole[:-1] + bytes((whole[-1] | 1,))) == ["epc_reserved"]


def test_the_identifiers_that_fit_behind_an_epc_are_those_of_the_standard() -> None:
    assert len(FORMATS) == 532
    assert not {"03", "8014"} & FORMATS.keys()  # of restricted use, no tag's
