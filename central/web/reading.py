# SPDX-License-Identifier: Apache-2.0
"""What may be read of the books, a page at a time, as plain values for the API and the pages.

A list takes `limit` and `after` (what the list before gave as `next`). Knows no HTTP.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from central.database import Database
from central.errors import Denied
from central.queries import query
from central.web.docks import First
from sync.bodies import Close, read_body
from sync.customs_bodies import ImportRefused
from sync.entry import read_record
from sync.errors import SyncError

LIMIT_MAX: Final = 500
"""Items of one page: what a person scrolls and what a program fetches in one short read."""

_OFFSET: Final = re.compile(r"[0-9]{1,9}\Z")

Item = dict[str, Any]


class Page(msgspec.Struct, frozen=True):
    """Items of a list; `next` is handed in as `after` for those that follow, None at the end."""

    items: list[Item]
    next: str | None


@dataclass(frozen=True, slots=True)
class Ended:
    """An entry of the center's own log by which a person decided something."""

    entry_id: str
    type: str
    at: datetime
    body: Any


class Reading:
    """The books of one tenant and zone."""

    def __init__(self, database: Database, tenant: str, zone: str) -> None:
        self._database = database
        self._who = (tenant, zone)

    async def inventory(self, limit: int, after: str | None, search: str = "") -> Page:
        """Goods by product, lot, owner and status."""
        return await self._by_offset("inventory", limit, after, _pattern(search))

    async def loads(self, limit: int, after: str | None, search: str = "") -> Page:
        """Single loads in the zone."""
        return await self._by_offset("loads", limit, after, _pattern(search))

    async def permits(self, limit: int, after: str | None) -> Page:
        """Permits, each with its `lines`."""
        page = await self._by_offset("permits", limit, after)
        numbers = [permit["number"] for permit in page.items]
        lines: dict[str, list[Item]] = {number: [] for number in numbers}
        for line in await self._rows("lines_of", numbers):
            lines[line.pop("permit")].append(line)
        return Page([{**permit, "lines": lines[permit["number"]]} for permit in page.items], page.next)

    async def nodes(self, limit: int, after: str | None) -> Page:
        """Nodes with their last contact and heads."""
        return await self._by_offset("nodes", limit, after)

    async def jobs(self, limit: int, after: str | None) -> Page:
        """Trucks with their state."""
        return await self._by_offset("jobs", limit, after)

    async def holds(self, limit: int, after: str | None, *, settled: bool = False) -> Page:
        """Holds that wait for a decision; with `settled` all holds and STOPs."""
        return await self._by_id("holds", limit, after, settled)

    async def movements(self, limit: int, after: str | None, search: str = "") -> Page:
        """Goods that crossed."""
        return await self._by_id("movements", limit, after, _pattern(search))

    async def entries(self, limit: int, after: str | None, node: str = "") -> Page:
        """Stored entries without their bodies."""
        return await self._by_id("entries", limit, after, node)

    async def imports(self, limit: int, after: str | None) -> Page:
        """Imports that were taken, the tables among them, and imports and other acts that were refused."""
        page = await self._by_id("imports", limit, after)
        return Page([_import(item) for item in page.items], page.next)

    async def entry(self, entry_id: str) -> Item:
        """One entry; `record` is the text that was hashed. Denied (404) when there is none."""
        rows = await self._rows("entry_by_id", _uuid(entry_id, "entry"))
        if not rows:
            raise Denied(404, f"no entry {entry_id} is stored", "Look it up in /api/v1/entries.")
        found = rows[0]
        found["record"] = found["record"].decode("utf-8", "replace")
        return found

    async def firsts(self, nodes: Sequence[str]) -> dict[str, First]:
        """The first entry of each log of some nodes, by epoch."""
        found = {}
        for row in await self._rows("first_entries", list(nodes)):
            with contextlib.suppress(SyncError):  # a newer node's; it is stored, and listed as unreadable
                found[row["epoch"]] = First(row["occurred_at"], read_body(read_record(row["record"])))
        return found

    async def open_codes(self) -> list[Item]:
        """Enrolment codes that wait to be used, at most 100; never the code."""
        return await self._rows("open_codes")

    async def ended(self) -> list[Ended]:
        """What people settled, counted, decided and attested last, newest first."""
        found = []
        for row in await self._rows("ended"):
            body = read_body(read_record(row["record"]))
            if not isinstance(body, Close) or body.counted is not None or body.retires:
                found.append(Ended(row["entry_id"], row["type"], row["received_at"], body))
        return found

    async def backups(self) -> list[Ended]:
        """Backups that were ever told of, newest first, at most 200."""
        rows = await self._rows("backups_told")
        return [
            Ended(row["entry_id"], row["type"], row["received_at"], read_body(read_record(row["record"])))
            for row in rows
        ]

    async def unreadable(self) -> list[Item]:
        """Entries that the books could not take, at most 100."""
        return await self._rows("unreadable")

    async def stray_lines(self) -> list[Item]:
        """Permit lines that were used though no permit has them, at most 100."""
        return await self._rows("stray_lines")

    async def figures(self) -> Item:
        """Counts for /metrics."""
        return (await self._rows("figures"))[0]

    async def _by_offset(self, name: str, limit: int, after: str | None, *arguments: Any) -> Page:
        if after is not None and not _OFFSET.match(after):
            raise _not_from_here(after)
        offset = int(after or 0)
        rows = await self._rows(name, *arguments, offset, limit + 1)
        return Page(rows[:limit], str(offset + limit) if len(rows) > limit else None)

    async def _by_id(self, name: str, limit: int, after: str | None, *arguments: Any) -> Page:
        rows = await self._rows(name, *arguments, _uuid(after, "after") if after else None, limit + 1)
        more = len(rows) > limit
        return Page(rows[:limit], rows[limit - 1]["entry_id"] if more else None)

    async def _rows(self, name: str, *arguments: Any) -> list[Item]:
        async with self._database.session() as connection:
            rows = await connection.fetch(query(name), *self._who, *arguments)
        return [
            {key: str(value) if isinstance(value, UUID) else value for key, value in row.items()}
            for row in rows
        ]


_IMPORT: Final[Item] = dict.fromkeys(
    (
        "file",
        "kind",
        "name",
        "rows",
        "supersedes_from",
        "products",
        "permits",
        "trucks",
        "faults",
        "act",
        "why",
    )
)


def _import(item: Item) -> Item:
    """What the entry of an import or a refusal tells; what it has nothing to tell of is null."""
    body = read_body(read_record(item["record"]))
    said = {name: getattr(body, name, None) for name in _IMPORT}
    if isinstance(body, ImportRefused):
        said["faults"] = body.total
    place = {"entry_id": item["entry_id"], "type": item["type"], "at": item["received_at"]}
    return {**place, "by": body.by, "sha256": body.sha256, **said}


def _pattern(search: str) -> str:
    """The LIKE pattern that finds `search` anywhere; empty finds all."""
    text = search.strip()
    if len(text) > 80 or not text.isprintable():
        raise Denied(400, "the search is no printable text of up to 80 characters", "Shorten it.")
    for sign in ("\\", "%", "_"):
        text = text.replace(sign, "\\" + sign)
    return f"%{text}%" if text else ""


def _uuid(text: str, name: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise _not_from_here(name) from error


def _not_from_here(after: str) -> Denied:
    return Denied(400, f"{after[:40]!r} names no place in this list", "Use what the list gave as `next`.")
