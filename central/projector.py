# SPDX-License-Identifier: Apache-2.0
"""Makes the books from the record: folds the center's own log in order, by a cursor.

Each center-saw pulls in the node entries that it names, so the books at a place of the own log are the
same whenever they are made. An entry that cannot be read is noted and passed over: it blocks nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import asyncpg

from central.database import Database
from central.errors import Unavailable, UnreadableEntry
from central.projections import FACTS, ORDER, Batch, Source, add_reversal, project
from central.queries import queries, query
from central.record import CENTER, Record
from sync.bodies import CenterSaw, read_body
from sync.chain import Stored
from sync.errors import EntryError

if TYPE_CHECKING:
    from central.database import Connection

OWN_PAGE: Final = 25
"""Own entries folded in one transaction; each may pull in up to a whole ask of a node's."""

_RETRY_SECONDS: Final = 1.0
"""Between tries while the database is away."""

_log = logging.getLogger(__name__)


class Projector:
    """The books of one tenant and zone, kept up to date by one task."""

    def __init__(self, database: Database, tenant: str, zone: str) -> None:
        self._database = database
        self._who = (tenant, zone)
        self._record = Record(tenant, zone)
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[], None]] = []

    def start(self) -> None:
        """Begin to follow the log."""
        self._news.set()
        self._task = asyncio.create_task(self._follow(), name="projector")

    async def close(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def wake(self) -> None:
        """There is news in the own log."""
        self._news.set()

    def on_moved(self, listener: Callable[[], None]) -> None:
        """Have `listener` called on the loop after the books have moved."""
        self._listeners.append(listener)

    async def catch_up(self) -> None:
        """Fold all there is, then return."""
        while await self._step():
            pass

    async def rebuild(self) -> None:
        """Make the books anew from the record, in one transaction: readers see the old ones until then."""
        async with self._database.session() as connection, connection.transaction():
            await self._cursor(connection)
            for name in (name for name in queries() if name.startswith("forget_")):
                await connection.execute(query(name), *self._who, timeout=None)
            await connection.execute(query("move_cursor"), *self._who, 0, 0)
            while await self._fold_page(connection):
                pass
        self._tell()

    async def _follow(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self.catch_up()
            except (Unavailable, asyncpg.PostgresError) as error:
                _log.warning("the books wait: %s", error)
            except Exception:  # noqa: BLE001 - books that stand still unseen would be worse
                _log.exception("the books stand still; if this goes on, it is a fault of the program")
            else:
                continue
            self._news.set()
            await asyncio.sleep(_RETRY_SECONDS)

    async def _step(self) -> bool:
        async with self._database.session() as connection, connection.transaction():
            moved = await self._fold_page(connection)
        if moved:
            self._tell()
        return moved

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    async def _cursor(self, connection: Connection) -> tuple[int, int]:
        await connection.execute(query("make_cursor"), *self._who)
        row = await connection.fetchrow(query("cursor_for_update"), *self._who)
        assert row is not None
        return row["place"], row["seq"]

    async def _fold_page(self, connection: Connection) -> bool:
        """Take the next page of the own log into the books; False when there is none."""
        order, seq = await self._cursor(connection)
        for head in await self._record.heads(connection):
            if head.node != CENTER or (head.order, head.place.seq) <= (order, seq):
                continue
            start = seq if head.order == order else 0
            last = min(head.place.seq, start + OWN_PAGE)
            sources = []
            async for stored in self._record.run(connection, CENTER, head.place.epoch, start, last):
                sources += await self._meaning(connection, stored)
            await self._apply(connection, sources)
            await connection.execute(query("move_cursor"), *self._who, head.order, last)
            return True
        return False

    async def _meaning(self, connection: Connection, stored: Stored) -> list[Source]:
        """An own entry, and for a center-saw the node entries that enter the books with it."""
        own = Source(CENTER, stored.entry)
        if stored.entry.type != "center-saw":
            return [own]
        try:
            saw: CenterSaw = read_body(stored.entry)
        except EntryError as error:
            await self._note(connection, own, str(error))
            return []
        seen = await connection.fetchval(query("seen_up_to"), *self._who, saw.node, saw.epoch)
        facts = [
            Source(saw.node, entry.entry)
            async for entry in self._record.run(connection, saw.node, saw.epoch, seen or 0, saw.upto.seq)
            if entry.entry.type in FACTS
        ]
        await connection.execute(query("see"), *self._who, saw.node, saw.epoch, saw.upto.seq)
        if not facts:
            return []
        rows = await connection.fetch(query("new_facts"), *self._who, [fact.entry.entry_id for fact in facts])
        new = {str(row["entry_id"]) for row in rows}
        return [fact for fact in facts if fact.entry.entry_id in new]

    async def _apply(self, connection: Connection, sources: list[Source]) -> None:
        """Write what entries mean: all at once, or one by one when the database refuses a value."""
        try:
            async with connection.transaction():
                await self._write(connection, sources)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError) as error:
            if len(sources) == 1:
                await self._note(connection, sources[0], f"the database does not take it: {error}")
                return
            for source in sources:
                await self._apply(connection, [source])

    async def _write(self, connection: Connection, sources: list[Source]) -> None:
        batch = Batch()
        for source in sources:
            try:
                project(source, batch)
            except UnreadableEntry as error:
                await self._note(connection, source, str(error))
        await self._write_rows(connection, batch)
        counter = Batch()
        for reversal in batch.reversals:
            movement = await connection.fetchrow(
                query("reverse_movement"), *self._who, reversal.corrects, reversal.by, reversal.at
            )
            if movement is None:
                reason = f"it corrects {reversal.corrects}, which is no movement, or is corrected already"
                await self._note(connection, reversal.source, reason)
            else:
                add_reversal(counter, dict(movement))
        await self._write_rows(connection, counter)

    async def _write_rows(self, connection: Connection, batch: Batch) -> None:
        for name in ORDER:
            rows = [(*self._who, *arguments) for arguments in batch.rows[name]]
            if rows:
                await connection.executemany(query(name), rows)

    async def _note(self, connection: Connection, source: Source, reason: str) -> None:
        _log.warning("entry %s is not in the books: %s", source.entry.entry_id, reason)
        shown = "".join(char if char.isprintable() else "?" for char in reason[:500])
        await connection.execute(query("note_unreadable"), *self._who, *source.place, shown)
