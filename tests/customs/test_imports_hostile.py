# SPDX-License-Identifier: Apache-2.0
"""Whatever bytes come, an import is read or refused in words: never an exception, never half."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from customs.imports import Papers, Refused, Upload, read_papers
from gs1 import check_digit
from tests.customs.test_imports import ALL, KNOWN, PERMITS_CSV, TRUCKS_CSV

NAMES = st.sampled_from(["a.json", "a.csv"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.sampled_from(["=1", "NaN", "-1", "09521999001058", "2026-02-30", "W24/1", "\x00"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def judged(uploads: list[Upload]) -> Papers | Refused:
    result = read_papers(uploads, KNOWN, check_digit)
    if isinstance(result, Refused):
        assert result.faults
        for fault in result.faults:
            assert str(fault).isprintable()
            assert len(str(fault)) < 4000
    return result


@given(st.binary(max_size=300), NAMES)
def test_any_bytes(data: bytes, name: str) -> None:
    judged([Upload(name, data)])


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300), st.text(max_size=40))
def test_any_text_under_any_name(text: str, name: str) -> None:
    judged([Upload(name, text.encode())])


@st.composite
def wounded(draw: st.DrawFn) -> Any:
    """A sound import with one value, at any depth, replaced by anything."""

    def wound(value: Any) -> Any:
        if isinstance(value, dict) and value and draw(st.integers(0, 4)):
            key = draw(st.sampled_from(sorted(value)))
            return {**value, key: wound(value[key])}
        if isinstance(value, list) and value and draw(st.integers(0, 4)):
            at = draw(st.integers(0, len(value) - 1))
            return [*value[:at], wound(value[at]), *value[at + 1 :]]
        return draw(VALUES)

    return wound(ALL)


@settings(max_examples=300)
@given(wounded())
def test_any_wound_is_judged_and_a_sound_reading_survives_its_own_writing(value: Any) -> None:
    data = json.dumps(value).encode()
    result = judged([Upload("a.json", data)])
    if isinstance(result, Papers):
        assert judged([Upload("a.json", data)]) == result


@given(st.sampled_from([PERMITS_CSV, TRUCKS_CSV]), st.data())
def test_any_cut_or_changed_csv(rows: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(rows)))
    junk = data.draw(st.binary(max_size=5))
    skip = data.draw(st.integers(0, 5))
    judged([Upload("a.csv", rows[:at] + junk + rows[at + skip :])])
