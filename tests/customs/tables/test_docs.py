# SPDX-License-Identifier: Apache-2.0
"""What docs/integrate/customs-tables.md says of every table is what the reader takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from customs.tables.columns import Column
from customs.tables.forms import ROW_BYTES_MAX, ROWS_MAX, TABLE_BYTES_MAX
from customs.tables.kinds import kinds
from gs1 import check_digit

KINDS = kinds(check_digit)
TEXT = (Path(__file__).parents[3] / "docs/integrate/customs-tables.md").read_text()
ROW = re.compile(r"^\| `([a-z0-9_]+)` \| (.*?) \| (.*) \|$", re.MULTILINE)


def said_default(column: Column) -> str:
    default: Any = column.default
    if column.required:
        return "required"
    if default in (None, "", ()):
        return "optional"
    if isinstance(default, bool):
        return "`yes`" if default else "`no`"
    return f"`{' '.join(default) if isinstance(default, tuple) else default}`"


def told(text: str, name: str) -> list[tuple[str, str, str]]:
    """The columns that a text lists for a table."""
    _, _, after = text.partition(f"\n### {name}\n")
    return [(found[1], found[2], found[3]) for found in ROW.finditer(after.partition("\n### ")[0])]


def expected(name: str) -> list[tuple[str, str, str]]:
    return [(column.name, said_default(column), column.what) for column in KINDS[name].columns]


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_column_of_every_table_is_described_as_it_is(name: str) -> None:
    assert told(TEXT, name) == expected(name)


@pytest.mark.parametrize(
    ("was", "planted"),
    [
        ("| `hts` | required |", "| `hts` | optional |"),
        ("| `unit2` | optional | the second unit |\n", ""),
        ("### harbor-port\n", "### harbour-port\n"),
    ],
)
def test_a_stale_page_is_noticed(was: str, planted: str) -> None:
    assert was in TEXT
    changed = TEXT.replace(was, planted)
    assert any(told(changed, name) != expected(name) for name in KINDS)


def test_no_table_is_described_that_is_not_taken() -> None:
    assert set(re.findall(r"^### (.*)$", TEXT, re.MULTILINE)) == KINDS.keys()


def test_the_bounds_are_those_of_the_reader() -> None:
    mebibytes, kibibytes = TABLE_BYTES_MAX // 2**20, ROW_BYTES_MAX // 1024
    assert f"{ROWS_MAX} rows of one table, {mebibytes} MiB in all, {kibibytes} KiB a row" in TEXT
