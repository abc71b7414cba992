# SPDX-License-Identifier: Apache-2.0
"""Makes the books from the record: folds the center's own log in order, by a cursor.

Each center-saw pulls in the node entries that it names, so the books at a place of the own log are the
same whenever they are made. An entry that cannot be read is noted and passed over: it blocks nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, NamedTuple

import asyncpg

from central.database import LONG_SECONDS, Database
from central.errors import Unavailable, UnreadableEntry
from central.ledger_projection import LedgerFold, Meant
from central.projections import AT_ONCE, COPIED, FACTS, ORDER, Batch, Source, add_reversal, adopted, project
from central.queries import queries, query
from central.record import Record
from central.tasks import end
from sync.bodies import CenterSaw, read_body
from sync.entry import Entry, read_record
from sync.errors import EntryError
from sync.wire import ASK_ENTRIES_MAX
from sync.witness import CENTER

if TYPE_CHECKING:
    from central.database import Connection

OWN_PAGE: Final = 100
"""Own entries folded in one transaction, while the node entries that they name are at most SEEN_PAGE."""

SEEN_PAGE: Final = ASK_ENTRIES_MAX
"""Node entries folded in one transaction: while they are read and encoded, nobody else's ask is.

One center-saw is always taken whole.
"""

REBUILD_PAGES: Final = (1000, 10 * SEEN_PAGE)
"""The same in a rebuild, where nobody waits: each page writes the rows of permit lines and lots anew, and one
transaction has to step over all that it wrote before.
"""

OWN_BYTES_MAX: Final = 4 * 1024 * 1024
"""Own entries folded in one transaction, in bytes: parts of tables are a hundred times as long as others, and
typed their rows take ten times the memory.
"""

FIRST_LOOK: Final = 1000
"""Entries after whose folding the database is asked to look at its tables: it knows nothing of those that
were just filled, and goes through all of one to find a row. It looks again each time that four times as many
have come; else it does so by itself.
"""

_RETRY_SECONDS: Final = 1.0
"""Between tries while the database is away."""

_log = logging.getLogger(__name__)


class _Run(NamedTuple):
    """Entries of a node's epoch, from after one seq up to another."""

    node: str
    epoch: str
    after: int
    upto: int


class _Folded(NamedTuple):
    """Whether the books have moved, and whether the own log has more for them."""

    moved: bool
    more: bool


class Projector:
    """The books of one tenant and zone, kept up to date by one task."""

    def __init__(self, database: Database, tenant: str, zone: str) -> None:
        self._database = database
        self._who = (tenant, zone)
        self._record = Record(tenant, zone)
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[], None]] = []
        self._folded = 0
        self._look_at = FIRST_LOOK

    def start(self) -> None:
        """Begin to follow the log."""
        self._news.set()
        self._task = asyncio.create_task(self._follow(), name="projector")

    async def close(self) -> None:
        """Stop following."""
        await end(self._task)
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

    async def rebuild(self, progress: Callable[[int, int], None] = lambda _, __: None) -> None:
        """Make the books anew from the record, in one transaction: readers see the old ones until then.

        `progress` is called after each page with the own entries folded and those there are: nobody can see
        them in the database before the end.
        """
        async with self._database.session() as connection, connection.transaction():
            await self._cursor(connection)
            await connection.execute(query("rebuilding"))
            for name in (name for name in queries() if name.startswith("forget_")):
                await connection.execute(query(name), *self._who, timeout=LONG_SECONDS)
            await connection.execute(query("move_cursor"), *self._who, 0, 0)
            ends = [head.place for head in await self._record.heads(connection) if head.node == CENTER]
            total, self._folded, self._look_at = sum(end.seq for end in ends), 0, FIRST_LOOK
            more = True
            while more:
                more = (await self._fold_page(connection, *REBUILD_PAGES)).more
                await self._look(connection)
                order, seq = await self._cursor(connection)
                progress(sum(end.seq for end in ends[: max(order - 1, 0)]) + seq, total)
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
        async with self._database.session() as connection:
            async with connection.transaction():
                await connection.execute(query("flush_later"))
                folded = await self._fold_page(connection, OWN_PAGE, SEEN_PAGE)
            await self._look(connection)
        if folded.moved:
            self._tell()
        return folded.more

    async def _look(self, connection: Connection) -> None:
        """Have the database look at its tables, now and then."""
        if self._folded >= self._look_at:
            self._look_at = 4 * self._folded
            await connection.execute(query("look_at_tables"), timeout=LONG_SECONDS)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    async def _cursor(self, connection: Connection) -> tuple[int, int]:
        row = await connection.fetchrow(query("cursor_for_update"), *self._who)
        if row is None:
            await connection.execute(query("make_cursor"), *self._who)
            row = await connection.fetchrow(query("cursor_for_update"), *self._who)
        assert row is not None
        return row["place"], row["seq"]

    async def _fold_page(self, connection: Connection, own_page: int, seen_page: int) -> _Folded:
        """Take the next page of the own log into the books."""
        order, seq = await self._cursor(connection)
        heads = [head for head in await self._record.heads(connection) if head.node == CENTER]
        for head in heads:
            if (head.order, head.place.seq) <= (order, seq):
                continue
            start = seq if head.order == order else 0
            last = min(head.place.seq, start + own_page)
            own = await self._own(connection, head.place.epoch, start, last)
            runs, last = await self._runs(connection, own, seen_page)
            taken = [entry for entry in own if entry.seq <= last]
            meant = await self._meaning(connection, taken, runs)
            ledger = LedgerFold(connection, *self._who, head.order)
            await ledger.look_up(meant)
            refused = await self._apply(connection, [source for one in meant for source in one.sources])
            await ledger.take(refused)
            for source, reason in ledger.refused:
                if source.entry.entry_id not in refused:
                    await self._note(connection, source, reason)
            self._folded += sum(len(one.sources) for one in meant)
            await connection.execute(query("move_cursor"), *self._who, head.order, last)
            return _Folded(True, head is not heads[-1] or last < head.place.seq)
        return _Folded(False, False)

    async def _own(self, connection: Connection, epoch: str, after: int, upto: int) -> list[Entry]:
        """Own entries of an epoch in order, until they are long enough for one transaction."""
        found: list[Entry] = []
        size = 0
        async with aclosing(self._record.run(connection, CENTER, epoch, after, upto)) as run:
            async for stored in run:
                found.append(stored.entry)
                size += len(stored.record)
                if size >= OWN_BYTES_MAX:
                    break
        return found

    async def _runs(
        self, connection: Connection, own: list[Entry], seen_page: int
    ) -> tuple[dict[int, _Run], int]:
        """The runs that the center-saws of `own` name, by their seq, and how far one transaction takes it."""
        saws: list[tuple[int, CenterSaw]] = []
        for entry in own:
            if entry.type == "center-saw":
                try:
                    saws.append((entry.seq, read_body(entry)))
                except EntryError as error:
                    await self._note(connection, Source(CENTER, entry), str(error))
        runs: dict[int, _Run] = {}
        if saws:
            logs = zip(*{(saw.node, saw.epoch) for _, saw in saws}, strict=True)
            rows = await connection.fetch(query("seen_up_to"), *self._who, *logs)
            seen = {(row["node"], row["epoch"]): int(row["seq"]) for row in rows}
            named = 0
            for seq, saw in saws:
                after = seen.get((saw.node, saw.epoch), 0)
                named += max(0, saw.upto.seq - after)
                if runs and named > seen_page:
                    return runs, seq - 1
                runs[seq] = _Run(saw.node, saw.epoch, after, saw.upto.seq)
                seen[saw.node, saw.epoch] = saw.upto.seq
        return runs, own[-1].seq

    async def _meaning(self, connection: Connection, own: list[Entry], runs: dict[int, _Run]) -> list[Meant]:
        """Own entries, and in place of a center-saw the node entries that enter the books with it."""
        facts = await self._facts(connection, runs) if runs else {}
        return [
            Meant(entry, facts.get(entry.seq, []) if entry.type == "center-saw" else [Source(CENTER, entry)])
            for entry in own
        ]

    async def _facts(self, connection: Connection, runs: dict[int, _Run]) -> dict[int, list[Source]]:
        """The facts of the runs that the books do not contain yet; from now on they do."""
        columns = zip(*runs.values(), strict=True)
        rows = await connection.fetch(query("facts"), *self._who, *columns, list(runs), [*FACTS, "adopt"])
        found: list[tuple[int, Source]] = []
        for row in rows:
            source: Source | None = Source(row["node"], read_record(row["record"]))
            if source is not None and source.entry.type == "adopt":
                source = await self._adopted(connection, source)
            if source is not None:
                found.append((row["saw"], source))
        reached = {(run.node, run.epoch): run.upto for run in runs.values()}
        await connection.execute(
            query("see"), *self._who, *zip(*reached, strict=True), list(reached.values())
        )
        ids = [source.entry.entry_id for _, source in found]
        new = {str(row["entry_id"]) for row in await connection.fetch(query("new_facts"), *self._who, ids)}
        facts: dict[int, list[Source]] = defaultdict(list)
        for saw, source in found:
            if source.entry.entry_id in new:
                new.remove(source.entry.entry_id)  # recorded again in another epoch, it counts once
                facts[saw].append(source)
        return facts

    async def _adopted(self, connection: Connection, source: Source) -> Source | None:
        try:
            return adopted(source)
        except UnreadableEntry as error:
            await self._note(connection, source, str(error))
            return None

    async def _apply(self, connection: Connection, sources: list[Source]) -> set[str]:
        """Write what entries mean: all at once, or half after half when the database refuses a value. Gives
        the ids of those that the books do not take.
        """
        try:
            async with connection.transaction():
                return await self._write(connection, sources)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError) as error:
            if len(sources) == 1:
                await self._note(connection, sources[0], f"the database does not take it: {error}")
                return {sources[0].entry.entry_id}
            half = len(sources) // 2
            refused = await self._apply(connection, sources[:half])
            return refused | await self._apply(connection, sources[half:])

    async def _write(self, connection: Connection, sources: list[Source]) -> set[str]:
        batch = Batch()
        refused = set()
        for source in sources:
            try:
                project(source, batch)
            except UnreadableEntry as error:
                await self._note(connection, source, str(error))
                refused.add(source.entry.entry_id)
        await self._write_rows(connection, batch)
        counter = Batch()
        for reversal in batch.reversals:
            movement = await connection.fetchrow(
                query("reverse_movement"), *self._who, reversal.corrects, reversal.by, reversal.at
            )
            if movement is None:
                reason = f"it corrects {reversal.corrects}, which is no movement, or is corrected already"
                await self._note(connection, reversal.source, reason)
                refused.add(reversal.source.entry.entry_id)
            else:
                add_reversal(counter, dict(movement))
        await self._write_rows(connection, counter)
        return refused

    async def _write_rows(self, connection: Connection, batch: Batch) -> None:
        for name in ORDER:
            rows = batch.rows[name]
            if rows and name in COPIED:
                columns = ("tenant", "zone", *COPIED[name])
                records = ((*self._who, *row) for row in rows)
                await connection.copy_records_to_table(name, columns=columns, records=records)
            elif rows and name in AT_ONCE:
                await connection.execute(query(name), *self._who, *zip(*rows, strict=True))
            elif rows:
                await connection.executemany(query(name), [(*self._who, *row) for row in rows])

    async def _note(self, connection: Connection, source: Source, reason: str) -> None:
        _log.warning("entry %s is not in the books: %s", source.entry.entry_id, reason)
        shown = "".join(char if char.isprintable() else "?" for char in reason[:500])
        await connection.execute(query("note_unreadable"), *self._who, *source.place, shown)
