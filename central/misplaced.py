# SPDX-License-Identifier: Apache-2.0
"""Loads that were put away and were not there then, as the books have it: each is a case for a person, in
words. It ends when the dock that admitted the load reports, or by a person's word.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from central.ownlog import OwnLog
from central.queries import query
from gs1.printable import printable
from sync.cases import CASE, Case, settled_of
from sync.restraining import LOAD_CHARACTERS_MAX

TOLD_MAX: Final = 50
"""Cases told at once, the newest: where there are more, they have one cause."""

_PREFIX: Final = "not-there:"
_STEP: Final = (
    "Look where it stands. A dock that reports late may still tell of it; then this ends by itself. "
    "Otherwise put it away again as of now, or find out what was scanned; settle this with what you found."
)


async def misplaced(own: OwnLog) -> list[Case]:
    """The cases that stand open, the newest TOLD_MAX."""
    async with own.lock:
        settled = (await own.book()).settled
    names = settled_of(settled, _PREFIX)
    async with own.database.session() as connection:
        rows = await connection.fetch(query("location_lacking"), own.tenant, own.zone, names, TOLD_MAX)
    return [_case(dict(row)) for row in rows]


def _case(row: dict[str, Any]) -> Case:
    load = printable(row["load"].encode(), LOAD_CHARACTERS_MAX)
    goods = f"load {load}" if row["quantity"] is None else f"{row['quantity']:f} of load {load}"
    what = f"{goods} was put away at {row['place_to']} at {_at(row['happened'])} (entry {row['fact']})"
    return Case(
        f"{_PREFIX}{row['fact']}:{row['n']}", CASE, f"{what}; {_why(row)}.", (), _STEP, "", settles=True
    )


def _why(row: dict[str, Any]) -> str:
    if row["found"]:
        return f"only {row['found']:f} of it were there"
    if row["place_from"] is not None and row["elsewhere"]:
        return f"it was not at {row['place_from']}"
    if row["left_at"] is not None:
        return f"it had left at {_at(row['left_at'])}"
    if row["came_at"] is not None:
        return f"by the books it came only at {_at(row['came_at'])}"
    return "the books know of no such load"


def _at(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
