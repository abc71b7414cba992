# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.web.scanner_check import GS, TEST_TEXT, check


def faults(received: str, suffix: str = "Enter", gap_ms: float = 5) -> str:
    return " ".join(finding.text for finding in check(received, suffix, gap_ms) if not finding.right)


@pytest.mark.parametrize("received", [TEST_TEXT, "]C1" + TEST_TEXT])
@pytest.mark.parametrize("suffix", ["Enter", "Tab"])
def test_a_scanner_that_is_set_right_has_no_fault(received: str, suffix: str) -> None:
    assert faults(received, suffix) == ""


@pytest.mark.parametrize(
    ("received", "told"),
    [
        (TEST_TEXT.replace(GS, ""), "(GS) is lost"),
        (TEST_TEXT.swapcase(), "Caps Lock"),
        (TEST_TEXT.translate(str.maketrans("zyZY-/:_?;", "yzYZß-Ö?_ö")), "German"),
        (TEST_TEXT.translate(str.maketrans("zyZY-/:_?;", "yzYZß-Ö?_ö")).replace(GS, ""), "lost as well"),
        (TEST_TEXT.translate(str.maketrans("aqwzZm;:/?-_0123456789", "qazwWÀm:!§)°à&é\"'(-è_ç")), "French"),
        (TEST_TEXT.translate(str.maketrans("-/:_?;", "'-Ñ?_ñ")), "Spanish"),
        (TEST_TEXT[:-3], "26 characters came, expected 29" if len(TEST_TEXT) == 29 else "characters came"),
        ("91xqwzyYZm", "Character 3 came as 'x', expected 'a'"),
        ("91\x07", "U+0007"),
        ("", "0 characters came"),
    ],
)
def test_each_wrong_setting_is_told(received: str, told: str) -> None:
    assert told in faults(received)


def test_a_missing_suffix_and_a_slow_scanner_are_told() -> None:
    assert "suffix is missing" in faults(TEST_TEXT, "")
    assert "Too slow: 80 ms" in faults(TEST_TEXT, "Enter", 80)


@given(st.text(max_size=300), st.sampled_from(["Enter", "Tab", ""]), st.floats(0, 1e6))
def test_anything_gets_an_answer_and_only_the_label_is_right(received: str, suffix: str, gap: float) -> None:
    findings = check(received, suffix, gap)
    assert len(findings) == 3
    if received.removeprefix("]C1") != TEST_TEXT:
        assert not findings[-1].right
