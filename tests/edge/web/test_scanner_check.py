# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.web.label import GS, gs1_128_path
from edge.web.scanner_check import TEST_TEXT, check


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


def modules(path: str, width: int) -> str:
    bars = ["0"] * width
    for part in path.removesuffix("z").split("z"):
        at, _, rest = part.removeprefix("M").partition(" 0h")
        for place in range(int(at), int(at) + int(rest.partition("v")[0])):
            bars[place] = "1"
    return "".join(bars)


def test_the_label_is_a_code_128_by_its_own_arithmetic() -> None:
    path, width = gs1_128_path("91A" + GS + "92b")
    drawn = modules(path, width)
    assert drawn.startswith("0" * 10 + "11010010000")  # quiet zone, start B
    assert drawn.endswith("1100011101011" + "0" * 10)  # stop, quiet zone
    symbols = [drawn[place : place + 11] for place in range(10, len(drawn) - 23, 11)]
    assert symbols[1] == symbols[5] == "11110101110"  # FNC1 first, and between the elements
    runs = [[len(list(run)) for _, run in itertools.groupby(symbol)] for symbol in symbols]
    assert all(len(run) == 6 and sum(run[::2]) % 2 == 0 for run in runs)


def test_the_label_is_the_one_that_another_program_read_back() -> None:
    # zxing-cpp 3.1.1 reads exactly these bars as ]C1 and TEST_TEXT.
    path, width = gs1_128_path(TEST_TEXT)
    assert width == 385
    bars = hashlib.sha256(path.encode()).hexdigest()
    assert bars == "0b4c407334990778ddaf2188ac5137d3ee6477e70fd9c03c30d1aa6db03aaf11"


def test_what_code_128_cannot_print_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be printed"):
        gs1_128_path("é")
