# SPDX-License-Identifier: Apache-2.0
"""Digital Links: any host's are read, one form is written."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gs1 import CodeError, Elements, gtin_link, identity_link, link_of, parse_link, sscc_link
from gs1.dictionary import IDENTIFIERS
from gs1.findings import CHARSETS
from tests.gs1.samples import right_elements
from tests.gs1.steps import lines_run

SSCC = "095201234567891235"
GTIN = "09520123456788"

element_text = st.text(sorted(CHARSETS["X"]), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("link", "elements"),
    [
        (f"https://id.gs1.org/01/{GTIN}", (("01", GTIN),)),
        (f"HTTP://a/stem/more/00/{SSCC}?", (("00", SSCC),)),
        (f"https://a/01/{GTIN}/10/A%2Fb", (("01", GTIN), ("10", "A/b"))),
        (f"https://a:8443/01/{GTIN}/22/A/10/B/21/C#x", (("01", GTIN), ("22", "A"), ("10", "B"), ("21", "C"))),
        (f"https://a/01/{GTIN}?17=201225&utm=x&y;99=A%2BB", (("01", GTIN), ("17", "201225"), ("99", "A+B"))),
        (f"https://a/00/{SSCC}?02={GTIN}&37=2&10=A", (("00", SSCC), ("02", GTIN), ("37", "2"), ("10", "A"))),
        # A value that looks like a key does not become one.
        (f"https://a/01/{GTIN}/10/00/21/01", (("01", GTIN), ("10", "00"), ("21", "01"))),
    ],
)
def test_a_link_is_read_from_any_host(link: str, elements: tuple[tuple[str, str], ...]) -> None:
    assert parse_link(link) == elements


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("https://", "expected a web address"),
        (f"ftp://a/01/{GTIN}", "expected a web address"),
        (f"https://a/01/{GTIN}/10/A B", "expected a web address"),
        (f"https://a/01/{GTIN}/10/A%2", "expected a web address"),
        (f"https://a/01/{GTIN}/10/%E4", "character <C3><A4>, expected a character of GS1 character set 82"),
        (f"https://a/01/{GTIN}/10/%00", "character <NUL>, expected"),
        ("https://a/b/c", "no key in the path"),
        (f"https://a/01/{GTIN[:-1]}9", "check digit 9, expected 8, of AI 01"),
        (f"https://a/01/{GTIN[1:]}", "13 digits, expected 14, of AI 01"),
        (f"https://a/01/{GTIN}/21/C/10/B", "21, 10 behind AI 01 in the path, expected 22, 10, 21 or 235"),
        (f"https://a/01/{GTIN}/99/A", "99 behind AI 01 in the path"),
        (f"https://a/00/{SSCC}/10/A", "10 behind AI 00 in the path, expected none"),
        (f"https://a/01/{GTIN}?10=A", "AI 10 in the query, expected it in the path behind AI 01"),
        (f"https://a/01/{GTIN}?89=A", "89 in the query, expected an application identifier of GS1"),
        (f"https://a/01/{GTIN}?99=", "0 characters, expected at least 1, of AI 99"),
        (f"https://a/01/{GTIN}?99=A&99=A", "AI 99 twice"),
        (f"https://a/01/{GTIN}?01={GTIN}", "AI 01 twice"),
        (f"https://a/01/{GTIN}/235/T?22=A", "AI 22 in the query, expected it in the path"),
        (f"https://a/01/{GTIN}?99=A+B", "character  , expected a character of GS1 character set 82"),
        (f"https://a/gtin/{GTIN}", "no key in the path"),
        (f"https://u@a/01/{GTIN}", "expected a web address"),
        (f"https:///01/{GTIN}", "expected a web address"),
        (f"hTTps://a/01/{GTIN}", "expected a web address"),
        (f"https://a/01/{GTIN}/", "no key in the path"),
        (
            "https://id.gs1.org/AQnYUc1gmiCNV4JGYWV7",
            "may be a compressed Digital Link, expected an uncompressed",
        ),
        (f"https://a/01/{GTIN}/HhUgdk2VuVCNV4JG", "may be a compressed Digital Link"),
        (f"https://a/01/{GTIN}?37=2", "AI 01 with AI 37"),
    ],
)
def test_a_refusal_says_what_came_and_what_was_expected(link: str, words: str) -> None:
    with pytest.raises(CodeError) as refused:
        parse_link(link)
    assert words in str(refused.value)


def test_a_value_may_be_read_from_a_query_beside_another_sequence_of_qualifiers() -> None:
    read = parse_link(f"https://a/01/{GTIN}/235/T?10=A")
    assert read == (("01", GTIN), ("235", "T"), ("10", "A"))


@pytest.mark.parametrize(
    ("elements", "link", "identity"),
    [
        ((("21", "S"), ("01", GTIN), ("10", "L")), f"/01/{GTIN}/10/L/21/S", f"/01/{GTIN}/10/L/21/S"),
        ((("01", GTIN), ("99", "X"), ("17", "261130")), f"/01/{GTIN}?17=261130&99=X", f"/01/{GTIN}"),
        (
            (("02", GTIN), ("37", "2"), ("10", "A+/B"), ("00", SSCC)),
            f"/00/{SSCC}?02={GTIN}&10=A%2B%2FB&37=2",
            f"/00/{SSCC}",
        ),
        ((("01", GTIN), ("00", SSCC)), f"/00/{SSCC}?01={GTIN}", f"/00/{SSCC}"),
        ((("8004", "9520A"), ("01", GTIN)), f"/8004/9520A?01={GTIN}", "/8004/9520A"),
        ((("414", "9520123456788"), ("254", "A1")), "/414/9520123456788/254/A1", "/414/9520123456788/254/A1"),
        ((("01", GTIN), ("235", "T"), ("98", "Y")), f"/01/{GTIN}/235/T?98=Y", f"/01/{GTIN}/235/T"),
        ((("8003", "09520123456788S"),), "/8003/09520123456788S", "/8003/09520123456788S"),
    ],
)
def test_the_canonical_link_has_keys_in_the_path_and_the_rest_in_order(
    elements: Elements, link: str, identity: str
) -> None:
    assert link_of(elements) == f"https://id.gs1.org{link}"
    assert identity_link(elements) == f"https://id.gs1.org{identity}"


def test_a_third_partys_serial_identifies_before_a_lot() -> None:
    elements = (("01", GTIN), ("10", "L"), ("22", "V"), ("235", "T"))
    assert identity_link(elements) == f"https://id.gs1.org/01/{GTIN}/235/T"


@pytest.mark.parametrize(
    ("elements", "words"),
    [
        ((("99", "A"),), "AI 99, expected a key such as AI 00"),
        ((("01", GTIN), ("8200", "http://a")), "AI 8200 beside AI 01, expected none"),
        ((("01", GTIN), ("235", "T"), ("22", "V")), "expected it in the path behind AI 01"),
        ((("01", GTIN[:-1] + "9"),), "check digit 9, expected 8"),
        ((("01", GTIN), ("37", "1")), "AI 01 with AI 37"),
        ((), "nothing came"),
    ],
)
def test_no_link_is_written_of_what_has_none(elements: Elements, words: str) -> None:
    with pytest.raises(CodeError) as refused:
        link_of(elements)
    assert words in str(refused.value)


def linked(elements: Elements) -> str | None:
    """The link of right elements, None when they have none."""
    keys = [ai for ai, _ in elements if IDENTIFIERS[ai].qualifiers is not None]
    try:
        return link_of(elements)
    except CodeError as refused:
        expected = "link_query" if keys else "no_identity"
        if any(fault.code != expected for fault in refused.faults):
            raise
        return None


@given(st.randoms(use_true_random=False))
def test_a_written_link_is_read_back_whole(chance: Random) -> None:
    elements = right_elements(chance)
    link = linked(elements)
    if link is None:
        return
    read = parse_link(link)
    assert set(read) == set(elements)
    assert link_of(read) == link
    assert identity_link(read) == identity_link(elements) == link.partition("?")[0]


@given(st.randoms(use_true_random=False))
def test_the_order_on_the_label_changes_no_link_with_one_key(chance: Random) -> None:
    elements = (("01", GTIN), ("10", "L"), ("17", "261130"), ("422", "840"), ("99", "X"))
    shuffled = chance.sample(elements, len(elements))
    assert link_of(tuple(shuffled)) == link_of(elements)


def test_links_of_early_releases_are_read_when_asked_for() -> None:
    old = f"https://a/gtin/{GTIN[1:]}/lot/L/ser/S"
    assert parse_link(old, short_names=True, short_gtins=True) == (("01", GTIN), ("10", "L"), ("21", "S"))
    with pytest.raises(CodeError, match="13 digits, expected 14"):
        parse_link(old, short_names=True)
    with pytest.raises(CodeError, match="no key in the path"):
        parse_link(old, short_gtins=True)


@given(st.none() | element_text, st.none() | element_text)
def test_any_lot_and_serial_are_read_back_as_written(lot: str | None, serial: str | None) -> None:
    link = gtin_link(GTIN, lot, serial)
    given_elements = (("01", GTIN), ("10", lot), ("21", serial))
    assert parse_link(link) == tuple(element for element in given_elements if element[1] is not None)
    assert not set(link) & set(" <>\"'")


@given(element_text, element_text)
def test_two_lots_never_share_a_link(one: str, other: str) -> None:
    assert (gtin_link(GTIN, one) == gtin_link(GTIN, other)) == (one == other)


def test_the_canonical_links_are_the_standards() -> None:
    assert gtin_link(GTIN, "AB/1", "S&2") == f"https://id.gs1.org/01/{GTIN}/10/AB%2F1/21/S%262"
    assert sscc_link(SSCC) == f"https://id.gs1.org/00/{SSCC}"


@pytest.mark.parametrize("sscc", ["", "1", SSCC[:-1] + "4"])
def test_a_link_is_never_written_for_a_wrong_key(sscc: str) -> None:
    with pytest.raises(CodeError):
        sscc_link(sscc)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for link in (text, f"https://{text}", f"https://a/01/{GTIN}{text}"):
        try:
            elements = parse_link(link)
        except CodeError:
            continue
        assert any(IDENTIFIERS[ai].qualifiers is not None for ai, _ in elements)


@pytest.mark.parametrize("unit", ["1", "/01", "/", "%41", "&99=A", "?", ";", "aB3-", "/01/09520123456788"])
def test_reading_takes_steps_in_proportion_to_the_length(unit: str) -> None:
    for front in ("https://a/", f"https://a/01/{GTIN}?", "https://"):
        short, long = (lines_run(parse_link, front + unit * count) for count in (200, 1600))
        assert long <= short * 9


@pytest.mark.parametrize("unit", ["1", "/01", "%41", "&99=A", "\x1d", "<b>", "é"])
def test_of_ten_thousand_characters_no_reason_is_long(unit: str) -> None:
    for front in ("", "https://a/", f"https://a/01/{GTIN}/10/", f"https://a/01/{GTIN}?99="):
        with pytest.raises(CodeError) as refused:
            parse_link(front + unit * 10_000)
        assert len(str(refused.value)) < 300
