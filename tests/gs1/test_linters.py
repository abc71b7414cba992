# SPDX-License-Identifier: Apache-2.0
"""Each check that the dictionary names: what it lets pass, what it refuses, where and in which words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gs1.check import check_pair
from gs1.dictionary import IDENTIFIERS
from gs1.errors import Gs1Error
from gs1.linters import LINTERS

COUPON = "0952000123456" + "15" + "12" + "0" + "123"

RIGHT = {
    "couponcode": [
        COUPON,
        COUPON + "1" + "3" + "210" + "4" + "123" + "9",
        COUPON + "1" + "0" + "15" + "9" + "123" + "0952000",
        COUPON + "2" + "13" + "2" + "999" + "19520001",
        COUPON + "3261130" + "4261101" + "50123456" + "619520001" + "95071",
        COUPON + "4261101",
        COUPON + "59" + "1" * 15,
    ],
    "couponposoffer": ["00952000123456" + "0123456", "16952000123456123456" + "9" + "1" * 15],
    "cset39": ["", "#-/09AZ"],
    "cset64": ["", "AZaz09-_", "12=", "1=="],
    "cset82": ["", "!\"%&'()*+,-./09:;<=>?AZ_az"],
    "csetnumeric": ["", "0123456789"],
    "csum": ["0", "02345673", "416000336108", "9520123456788", "095201234567891235"],
    "csumalpha": ["22", "9520A" + check_pair("9520A"), "z" * 97 + check_pair("z" * 97)],
    "gcppos1": ["9520", "9520ABC", "952012345678"],
    "gcppos2": ["09520", "X9520"],
    "hasnondigit": ["A", "1/2"],
    "hh": ["00", "23"],
    "hhmi": ["0000", "2359"],
    "hyphen": ["-", "---"],
    "iban": ["GB82WEST12345698765432", "NO9386011117947", "MT84MALT011000012345MTLCAST001S"],
    "importeridx": ["A", "z", "0", "-", "_"],
    "iso3166": ["004", "840", "894"],
    "iso3166999": ["276", "999"],
    "iso3166alpha2": ["DE", "US", "ZW"],
    "iso4217": ["840", "978", "999"],
    "iso5218": ["0", "1", "2", "9"],
    "latitude": ["0000000000", "1800000000"],
    "longitude": ["0000000000", "3600000000"],
    "mediatype": ["01", "10", "80", "99"],
    "mi": ["00", "59"],
    "nonzero": ["1", "0001", "10"],
    "nozeroprefix": ["", "1", "10"],
    "packagetype": ["PX", "201", "8", "X20"],
    "pcenc": ["", "A", "%41%ff", "A%20B"],
    "pieceoftotal": ["11", "0102", "9999", "001002"],
    "posinseqslash": ["1/1", "2/10", "10/10", "99/100"],
    "ss": ["00", "59"],
    "winding": ["0", "1", "9"],
    "yesno": ["0", "1"],
    "yymmd0": ["260200", "240229", "000229", "261231"],
    "yymmdd": ["260228", "240229", "991231"],
    "yyyymmd0": ["20260200", "20000229"],
    "yyyymmdd": ["19000228", "20240229"],
    "zero": ["0", "00"],
}

WRONG = [
    ("couponcode", "", 0, "length of the company prefix of 0 digits, expected 1"),
    ("couponcode", "7", 0, "length of the company prefix 7, expected one of 0, 1, 2, 3, 4, 5, 6"),
    ("couponcode", "01234", 1, "company prefix of 4 digits, expected 6"),
    ("couponcode", "095200012345", 7, "offer code of 5 digits, expected 6"),
    ("couponcode", "0952000123456" + "6", 13, "length of the save value 6"),
    ("couponcode", "0952000123456" + "15" + "12" + "5", 17, "first purchase requirement code 5"),
    ("couponcode", COUPON + "14", 22, "additional purchase rule 4, expected one of 0, 1, 2, 3"),
    ("couponcode", COUPON + "3261300", 24, "expiration date with month 13"),
    ("couponcode", COUPON + "3261130" + "4261201", 29, "start date 261201, expected none after the expir"),
    ("couponcode", COUPON + "60", 22, "length of the retailer's company prefix or GLN 0"),
    ("couponcode", COUPON + "93", 22, "save value code 3, expected one of 0, 1, 2, 5, 6"),
    ("couponcode", COUPON + "95002", 25, "do-not-multiply flag 2"),
    ("couponcode", COUPON + "7", 21, "7 behind the last field, expected nothing"),
    ("couponcode", COUPON + "42611015A", 29, "character A, expected a digit"),
    ("couponposoffer", "2", 0, "format code 2, expected one of 0, 1"),
    ("couponposoffer", "07", 1, "length of the funder 7"),
    ("couponposoffer", "00952000123456" + "01234567", 21, "7 behind the last field"),
    ("cset39", "AB_", 2, "character _, expected a character of GS1 character set 39"),
    ("cset64", "AB+", 2, "character +, expected a character of base64url"),
    ("cset64", "A=B", 1, "character =, expected padding at the end only"),
    ("cset64", "123=", 3, "padding =, expected none"),
    ("cset82", "A B", 1, "expected a character of GS1 character set 82"),
    ("csetnumeric", "1A", 1, "character A, expected a digit"),
    ("csum", "", 0, "value nothing, expected digits that end in a check digit"),
    ("csum", "1", 0, "check digit 1, expected 0"),
    ("csum", "9520123456789", 0, "check digit 9, expected 8"),
    ("csum", "952012345678٨", 12, "expected a digit"),
    ("csumalpha", "2", 0, "1 characters, expected 2 to 99"),
    ("csumalpha", "9520AXX", 5, "check characters XX, expected"),
    ("csumalpha", "z" * 98 + "22", 0, "100 characters, expected 2 to 99"),
    ("gcppos1", "952", 0, "company prefix 952, expected at least 4 digits"),
    ("gcppos1", "95A0", 0, "company prefix 95A0"),
    ("gcppos2", "09A20", 1, "company prefix 9A20"),
    ("hasnondigit", "123", 0, "value 123, expected at least one character that is no digit"),
    ("hh", "24", 0, "hour 24, expected 00 to 23"),
    ("hhmi", "1260", 2, "minute 60, expected 00 to 59"),
    ("hhmi", "126", 0, "time 126, expected four digits HHMM"),
    ("hyphen", "-X", 0, "value -X, expected only hyphens"),
    ("iban", "GB82WEST12345698765433", 2, "IBAN check digits 82 do not belong to GB82WEST"),
    ("iban", "XX82WEST12345698765432", 0, "IBAN country XX"),
    ("iban", "GB82west12345698765432", 4, "IBAN character w"),
    ("iban", "GB82", 0, "IBAN of 4 characters, expected 11 to 34"),
    ("importeridx", "=", 0, "importer index ="),
    ("importeridx", "AA", 0, "importer index AA"),
    ("iso3166", "999", 0, "country 999, expected an ISO 3166-1 numeric code"),
    ("iso3166999", "998", 0, "country 998, expected an ISO 3166-1 numeric code or 999"),
    ("iso3166alpha2", "XX", 0, "country XX"),
    ("iso4217", "191", 0, "currency 191"),
    ("iso5218", "3", 0, "sex 3"),
    ("latitude", "1800000001", 0, "latitude 1800000001, expected at most 1800000000"),
    ("latitude", "180000000", 0, "latitude of 9 digits, expected 10"),
    ("longitude", "3600000001", 0, "longitude 3600000001"),
    ("mediatype", "11", 0, "media type 11"),
    ("mi", "5A", 1, "character A, expected a digit"),
    ("nonzero", "000", 0, "value 000, expected more than zero"),
    ("nozeroprefix", "01", 0, "a leading zero, expected none"),
    ("packagetype", "QZ", 0, "package type QZ"),
    ("pcenc", "AB%4G", 2, "percent sequence %4G"),
    ("pcenc", "AB%4", 2, "percent sequence %4"),
    ("pieceoftotal", "0201", 0, "piece 02 of 01, expected at most 01"),
    ("pieceoftotal", "0001", 0, "piece 00, expected at least 1"),
    ("pieceoftotal", "0100", 2, "total 00, expected at least 1"),
    ("pieceoftotal", "010", 0, "3 digits, expected a piece and a total of the same width"),
    ("posinseqslash", "1-3", 0, "value 1-3, expected position/end"),
    ("posinseqslash", "1/03", 2, "number 03, expected one without leading zero"),
    ("posinseqslash", "10/9", 0, "position 10, expected at most 9"),
    ("ss", "60", 0, "second 60"),
    ("winding", "2", 0, "winding direction 2, expected 0, 1 or 9"),
    ("yesno", "2", 0, "value 2, expected 0 or 1"),
    ("yymmd0", "261300", 2, "month 13, expected 01 to 12"),
    ("yymmd0", "250229", 4, "day 29, expected 00 to 28 in month 02 of year 25"),
    ("yymmdd", "260200", 4, "day 00, expected 01 to 28"),
    ("yymmdd", "26020", 0, "date 26020, expected 6 digits YYMMDD"),
    ("yyyymmd0", "20250431", 6, "day 31, expected 00 to 30"),
    ("yyyymmdd", "19000229", 6, "day 29, expected 01 to 28 in month 02 of year 1900"),
    ("zero", "01", 0, "value 01, expected 0"),
]


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in RIGHT.items() for text in texts])
def test_what_is_right_passes(name: str, text: str) -> None:
    assert LINTERS[name](text) is None


@pytest.mark.parametrize(("name", "text", "position", "words"), WRONG)
def test_what_is_wrong_is_refused_in_words(name: str, text: str, position: int, words: str) -> None:
    finding = LINTERS[name](text)
    assert finding is not None
    assert finding[0] == position
    assert words in finding[1]


def test_each_check_has_examples_of_both() -> None:
    assert RIGHT.keys() == LINTERS.keys() == {name for name, *_ in WRONG}


def test_each_check_that_a_row_names_is_there() -> None:
    named = {
        check for row in IDENTIFIERS.values() for component in row.components for check in component.checks
    }
    assert named <= LINTERS.keys()


@given(st.sampled_from(sorted(LINTERS)), st.text(max_size=120))
def test_any_text_passes_or_is_refused(name: str, text: str) -> None:
    finding = LINTERS[name](text)
    assert finding is None or (0 <= finding[0] <= len(text) and finding[1].isascii())


@pytest.mark.parametrize("name", sorted(LINTERS))
def test_ten_thousand_digits_are_judged(name: str) -> None:
    for text in ("0" * 10_000, "1" * 10_000, "9A" * 5_000):
        LINTERS[name](text)


@pytest.mark.parametrize("body", ["A B", "ä", "x" * 98])
def test_a_check_pair_needs_what_it_can_weigh(body: str) -> None:
    with pytest.raises(Gs1Error, match="a check pair"):
        check_pair(body)
