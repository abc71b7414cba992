# SPDX-License-Identifier: Apache-2.0
"""A site's own codes: what a pattern reads, and which patterns are refused before a door ever uses them."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gs1 import Load, PatternError, Tracking, Unknown, check_digit, compile_patterns, identify
from gs1.patterns import FIELDS, PATTERNS_MAX

TODAY = date(2026, 11, 22)
GTIN = "09520123456788"
SSCC = "095201234567891235"


def loaded(pattern: str, code: str) -> Load:
    load = identify(code.encode(), TODAY, patterns=compile_patterns([("own", pattern)]))
    assert isinstance(load, Load), load
    return load


@pytest.mark.parametrize(
    ("pattern", "code", "kind", "key"),
    [
        ("WH7-{part:digits 6}", "WH7-004711", "part", "zg:part/-/004711"),
        ("{part:letters 1-8}-{lot:alnum 1-10}", "AB-L1", "part", "zg:part/-/AB/lot/L1"),
        (
            "{part:letters 1-8}-{lot:alnum 1-4}/{serial:digits 3}",
            "AB-L1/007",
            "part",
            "zg:part/-/AB/serial/007",
        ),
        ("{supplier:letters 3}.{part:any 1-20}", "ACM.x/1", "part", "zg:part/ACM/x%2F1"),
        ("LPN {plate:alnum 8}", "LPN ABCD1234", "plate", "zg:plate/ABCD1234"),
        ("G{gtin:digits 14}#{lot:any 1-20}", f"G{GTIN}#L1", "gtin", f"https://id.gs1.org/01/{GTIN}/10/L1"),
        ("G{gtin:digits 13} {count:digits 1-5}", f"G{GTIN[1:]} 40", "gtin", f"https://id.gs1.org/01/{GTIN}"),
        ("S:{sscc:digits 18}", f"S:{SSCC}", "sscc", f"https://id.gs1.org/00/{SSCC}"),
        ("{skip:digits 2}-{part:digits 4}-{skip:letters 1}", "99-4711-X", "part", "zg:part/-/4711"),
    ],
)
def test_a_site_s_own_label_is_an_identity(pattern: str, code: str, kind: str, key: str) -> None:
    load = loaded(pattern, code)
    assert (load.kind, load.key) == (kind, key)


def test_a_count_comes_along_and_a_wrong_check_digit_is_told() -> None:
    assert loaded("G{gtin:digits 13} {count:digits 1-5}", f"G{GTIN[1:]} 40").count == 40
    patterns = compile_patterns([("own", "S:{sscc:digits 18}")])
    wrong = identify(f"S:{SSCC[:-1]}6".encode(), TODAY, patterns=patterns)
    assert isinstance(wrong, Unknown)
    assert wrong.faults[0].code == "csum"


@pytest.mark.parametrize("code", ["WH7-00471", "WH7-0047111", "wh7-004711", " WH7-004711", "WH7-00471A", ""])
def test_what_does_not_fit_wholly_is_no_label_of_the_site(code: str) -> None:
    [pattern] = compile_patterns([("own", "WH7-{part:digits 6}")])
    assert pattern.read(code) is None


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("{part:any 1-30}", "could be a dock label"),
        ("ZG1:J:{part:any 1-30}", "could be a dock label"),
        ("{part:digits 12}", "a GTIN of 12 digits"),
        ("{part:alnum 18}", "an SSCC"),
        ("{skip:alnum 2}{part:alnum 20}", "an element string"),
        ("00{part:digits 18}", "an element string that begins with an SSCC"),
        ("01{part:digits 30}", "an element string that begins with a GTIN"),
        ("https://{part:any 1-20}", "a web address"),
        ("1Z{part:alnum 16}", "a parcel number of UPS"),
        ("{part:any 1-9}{lot:any 1-9}", "where it ends would be a guess"),
        ("{part:digits 1-9}7", "where it ends would be a guess"),
        ("WH{serial:digits 6}", "expected one of"),
        ("WH{part:digits 6}{part:digits 6}", "a field twice"),
        ("WH{sscc:digits 17}", "expected exactly 18"),
        ("WH{gtin:alnum 14}", "expected digits"),
        ("WH{sscc:digits 18}/{lot:any 1-20}", "the sscc alone"),
        ("WH{lot:any 1-21}/{part:digits 3}", "expected at most 20"),
        ("WH{size:digits 3}", "expected one of sscc"),
        ("WH{part:digits 0-3}", "expected 1 or more"),
        ("WH{part:digits 5-3}", "expected 1 or more"),
        ("WH{part:words 3}", "{ at position 2"),
        ("", "expected 1 to 200"),
        ("W" * 201, "expected 1 to 200"),
        (r"^WH(?P<part>\d+)+$", "no regular expression"),
        ("(a|a)*{part:digits 3}", "no regular expression"),
        ("WH\x1d{part:digits 3}", "no regular expression"),
        ("WH\u00e4{part:digits 3}", "no regular expression"),
        ("WH{part:any 99}", "expected at most 50"),
        ("W" * 100 + "{part:any 29}", "more than 128"),
    ],
)
def test_a_pattern_that_cannot_be_trusted_is_refused_with_its_reason(pattern: str, words: str) -> None:
    with pytest.raises(PatternError) as refused:
        compile_patterns([("own", pattern)])
    assert words in str(refused.value)


def test_patterns_that_one_code_could_match_twice_are_refused() -> None:
    first = ("a", "WH-{part:digits 1-6}")
    assert compile_patterns([first, ("b", "WX-{part:digits 1-6}")])
    with pytest.raises(PatternError, match="would match a as well"):
        compile_patterns([first, ("b", "WH-{part:alnum 6-8}")])
    with pytest.raises(PatternError, match="a name that another"):
        compile_patterns([first, ("a", "WX-{part:digits 1-6}")])
    with pytest.raises(PatternError, match="expected at most"):
        compile_patterns([first] * (PATTERNS_MAX + 1))
    with pytest.raises(PatternError, match="a-z"):
        compile_patterns([("A b", "WH-{part:digits 1-6}")])


def test_all_refused_patterns_are_told_at_once() -> None:
    with pytest.raises(PatternError) as refused:
        compile_patterns([("a", "{part:digits 8}"), ("b", "fine-{part:digits 3}"), ("c", "\\d+")])
    assert [line[:2] for line in str(refused.value).splitlines()] == ["a:", "c:"]


_SETS = {"digits": "0123456789", "letters": "ABCXYZ", "alnum": "01ABZ9", "any": "09AZaz/:-(%"}
texts = st.text("WZGHhtp0127-/:#", max_size=6)
classes = st.sampled_from(sorted(_SETS))


@st.composite
def patterns_with_codes(draw: st.DrawFn) -> tuple[str, str]:
    """A pattern of a few pieces and one code that it matches."""
    pattern, code = draw(texts), ""
    code = pattern
    for name in draw(st.permutations([name for name in FIELDS if name not in ("sscc", "gtin", "plate")]))[:3]:
        chosen, least = draw(classes), draw(st.integers(1, 20))
        most = least + draw(st.integers(0, 3))
        characters = "0123456789" if chosen == "digits" or name == "count" else _SETS[chosen]
        chosen = "digits" if name == "count" else chosen
        literal = draw(texts)
        pattern += f"{{{name}:{chosen} {least}-{most}}}{literal}"
        code += draw(st.text(characters, min_size=least, max_size=most)) + literal
    return pattern, code


@given(patterns_with_codes())
def test_no_code_of_an_accepted_pattern_is_anything_without_it(drawn: tuple[str, str]) -> None:
    pattern, code = drawn
    try:
        [compiled] = compile_patterns([("own", pattern)])
    except PatternError:
        return
    assert compiled.read(code) is not None
    bare = identify(code.encode(), TODAY)
    # A single data identifier or a chance check of a parcel number is what a site's own pattern goes before.
    assert isinstance(bare, Unknown) or (isinstance(bare, Load) and bare.kind in ("part", "plate")), bare


@given(
    st.text("0123456789", min_size=17, max_size=17),
    st.text("0123456789", min_size=13, max_size=13),
    st.sampled_from(
        ["{part:alnum 1-50}", "{part:digits 1-38}", "{skip:alnum 1-3}-{part:any 3}", "{part:any 1-40}"]
    ),
)
def test_no_pattern_that_is_accepted_takes_a_code_of_gs1(unit: str, item: str, pattern: str) -> None:
    try:
        patterns = compile_patterns([("own", pattern)])
    except PatternError:
        patterns = ()
    for code in (unit + check_digit(unit), item + check_digit(item), f"00{unit}{check_digit(unit)}"):
        assert identify(code.encode(), TODAY, patterns=patterns) == identify(code.encode(), TODAY)
    assert isinstance(identify(b"1Z999AA10123456784", TODAY, patterns=patterns), Tracking)


@given(st.text(max_size=220))
def test_any_text_is_a_pattern_or_is_refused(text: str) -> None:
    with suppress(PatternError):
        compile_patterns([("own", text)])
