# SPDX-License-Identifier: Apache-2.0
"""docs/integrate/dock-labels.md says what the program does."""

from __future__ import annotations

import re

from gs1.data_identifiers import DATA_IDENTIFIERS
from tests.source import ROOT

PAGE = (ROOT / "docs/integrate/dock-labels.md").read_text()


def test_the_example_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(example, "dock-labels.md", "exec"), {})


def test_every_field_is_named_with_its_identifiers_and_no_other() -> None:
    table = PAGE.partition("<!-- fields -->")[2].partition("<!-- /fields -->")[0]
    told = {
        field: re.findall(r"`(\w+)`", identifiers)
        for field, identifiers in re.findall(r"\| `(\w+)` \| (.*) \|", table)
    }
    held: dict[str, list[str]] = {}
    for di, row in DATA_IDENTIFIERS.items():
        if row.field is not None:
            held.setdefault(row.field, []).append(di)
    assert told == held
    assert f"All {len(DATA_IDENTIFIERS)} identifiers" in PAGE


def test_every_fault_of_a_message_is_told() -> None:
    source = ROOT / "gs1/envelope.py"
    told = set(re.findall(r"`([a-z_0-9]+)`", PAGE))
    codes = set(re.findall(r'\.tell\(\s*"([a-z_0-9]+)"', source.read_text())) | {"no_elements"}
    assert len(codes) > 10
    assert codes <= told
