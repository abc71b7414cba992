# SPDX-License-Identifier: Apache-2.0
"""Digital Links: any host's are read, one form is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gs1 import CodeError, gtin_link, parse_link, sscc_link
from gs1.dictionary import IDENTIFIERS
from gs1.findings import CHARSETS

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
        (f"https://a/01/{GTIN}?37=2", "AI 01 with AI 37"),
    ],
)
def test_a_refusal_says_what_came_and_what_was_expected(link: str, words: str) -> None:
    with pytest.raises(CodeError) as refused:
        parse_link(link)
    assert words in str(refused.value)


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
