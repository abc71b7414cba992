# SPDX-License-Identifier: Apache-2.0
"""The SQL of this room: every query stands named and commented once in central/sql/*.sql.

-- name: name_of_the_query
-- What it is for, in one sentence.
SELECT ...
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

from central.errors import SetupError

_NAME: Final = re.compile(r"^-- name: ([a-z_]+)\n((?:--[^\n]*\n)+)", re.MULTILINE)


@cache
def queries() -> dict[str, str]:
    """All queries by name. SetupError when one has no comment, or a name stands twice."""
    found: dict[str, str] = {}
    folder = files("central") / "sql"
    for file in sorted(folder.iterdir(), key=lambda item: item.name):
        if file.name.endswith(".sql"):
            _take(file.name, file.read_text("utf-8"), found)
    return found


def query(name: str) -> str:
    """One query by its name."""
    return queries()[name]


def _take(file: str, content: str, found: dict[str, str]) -> None:
    heads = list(_NAME.finditer(content))
    if len(heads) != content.count("-- name:"):
        raise SetupError(f"central/sql/{file}: each query needs `-- name: word` and a comment line after it")
    for index, head in enumerate(heads):
        end = heads[index + 1].start() if index + 1 < len(heads) else len(content)
        if head[1] in found:
            raise SetupError(f"central/sql/{file}: a second query is named {head[1]}")
        found[head[1]] = content[head.end() : end].strip().rstrip(";")
