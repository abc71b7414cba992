# SPDX-License-Identifier: Apache-2.0
"""Goods that left and that the zone's ledger did not have: each is a case for a person, in words.

They left in a status that they no longer had, under another paper than the entry that was accepted for them,
or were never admitted. Such a case ends when the goods turn up on the books, or by a person's word.
"""

from __future__ import annotations

from typing import Any, Final

from central.ownlog import OwnLog
from central.queries import query
from gs1.printable import printable
from sync.cases import CASE, Case, settled_of
from sync.restraining import LOAD_CHARACTERS_MAX

TOLD_MAX: Final = 50
"""Cases told at once, the newest: where there are more, they have one cause."""

_PREFIX: Final = "not-on-books:"
_STEP: Final = (
    "Look for what the dock did not know: a change of status, an entry that was accepted, a count. Otherwise "
    "the goods were never admitted. Have the papers corrected, then settle this with what you found."
)


async def overdrawn(own: OwnLog) -> list[Case]:
    """The cases that stand open, the newest TOLD_MAX."""
    async with own.lock:
        settled = (await own.book()).settled
    names = settled_of(settled, _PREFIX)
    async with own.database.session() as connection:
        rows = await connection.fetch(query("ledger_overdrawn"), own.tenant, own.zone, names, TOLD_MAX)
    return [_case(dict(row)) for row in rows]


def _case(row: dict[str, Any]) -> Case:
    goods = f"{row['quantity']:f} of {_told(row['product'])} of {_told(row['owner'])} in {row['status']}"
    if row["door"] is None:
        what = f"{goods} were taken by a paper (entry {row['entry_id']}, to {_told(row['account'])})"
    else:
        paper = f"on {row['permit']}" if row["permit"] else "without a permit"
        load = _told(row["sscc"] or row["key"])
        what = f"{goods} left at door {row['door']} of {row['node']} {paper}, load {load}"
    name = f"{_PREFIX}{row['fact']}:{row['n']}"
    return Case(
        name, CASE, f"{what}; the books did not have them.", (), _STEP, row["node"] or "", settles=True
    )


def _told(text: str) -> str:
    return printable(text.encode(), LOAD_CHARACTERS_MAX)
