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


def test_the_count_of_identifiers_is_that_of_the_table() -> None:
    assert f"Held are all {len(IDENTIFIERS)} application identifiers" in PAGE


def test_the_labels_and_limits_are_those_of_the_program() -> None:
    for command in COMMANDS:
        assert f"`{control_code(command)}`" in PAGE
    assert f"{CODE_LENGTH_MAX:,} bytes" in PAGE
