# SPDX-License-Identifier: Apache-2.0
"""docs/integrate/codes.md says what the program does."""

from __future__ import annotations

import re

from gs1 import CODE_LENGTH_MAX, COMMANDS, control_code
from gs1.dictionary import IDENTIFIERS
from tests.source import ROOT

PAGE = (ROOT / "docs/integrate/codes.md").read_text()


def test_the_examples_run() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(example, "codes.md", "exec"), {})


def test_every_identifier_held_is_named() -> None:
    (sentence,) = re.findall(r"Held are (.*?)\. A code", PAGE, re.DOTALL)
    named: set[str] = set()
    for words in re.split(r",\s+|\s+and\s+", sentence):
        low, _, high = words.partition("-")
        numbers = range(int(low.rstrip("n")), int((high or low).rstrip("n")) + 1)
        for number in (str(number).zfill(len(low.rstrip("n"))) for number in numbers):
            named |= {f"{number}{last}" for last in range(6)} if low.endswith("n") else {number}
    assert named == IDENTIFIERS.keys()


def test_the_labels_and_limits_are_those_of_the_program() -> None:
    for command in COMMANDS:
        assert f"`{control_code(command)}`" in PAGE
    assert f"{CODE_LENGTH_MAX:,} bytes" in PAGE
