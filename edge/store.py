# SPDX-License-Identifier: Apache-2.0
"""The journal's files and every question asked of them; nothing here writes an entry.

One process writes (`edge.writer`); all others read through `JournalReader`, which opens the file
read-only, so that it can neither change nor checkpoint it. Each question is one statement, fetched to
its end: a reader that lingers in a transaction would keep the write-ahead log growing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from edge.errors import StoreError, StoreNewer
from sync.entry import Head, Place

JOURNAL_FILE: Final = "journal.sqlite3"
"""The journal's name in the store's folder; SQLite puts `-wal` and `-shm` beside it."""

SCHEMA_VERSION: Final = 4
"""The number of the last migration in `edge.migrations`."""

PAGE_ENTRIES_MAX: Final = 1000
"""Entries of one page for people; more would hold a reader too long."""

SEARCH_ENTRIES: Final = 20_000
"""Entries that one statement of a search looks through, some 20 MB: it is over in a moment."""

_READ_TIMEOUT_S: Final = 5.0
"""A reader waits this long for the instant in which another opener recovers the write-ahead log."""


_NOTHING_PRUNED: Final = """
    PRAGMA temp_store = MEMORY;
    CREATE TEMP TABLE pruned (epoch, seq, hash, position);
    CREATE TEMP TABLE pruned_count (epoch, door, type, entries);
"""
"""What a journal of the first version lacks: a reader may not migrate it, and a backup stays as it is."""


class Row(NamedTuple):
    """An entry with the columns that repeat what its record says."""

    position: int
    epoch: str
    seq: int
    entry_id: str
    hash: str
    record: bytes


def schema_version(connection: sqlite3.Connection) -> int:
    """The schema of an open file; 0 when it is empty.

    Raises StoreNewer when it is of a newer version, StoreError when the file is no journal.
    """
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        # A first migration that found no room leaves its own table behind, and is run again.
        tables = connection.execute(
            "SELECT count(*) FROM sqlite_schema WHERE tbl_name <> '_sqlite_migrations'"
        ).fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"the journal cannot be read: {error}; restore the file or begin a new store"
        ) from error
    if version > SCHEMA_VERSION:
        raise StoreNewer(
            f"this journal was written by a newer version: its schema is {version}, "
            f"this program knows up to {SCHEMA_VERSION}; update the program"
        )
    if version == 0 and tables:
        raise StoreError("the file holds tables of another program, not a journal; name another store")
    return version


class PassageRow(NamedTuple):
    """A passage as it was stored: when (UTC, ISO 8601), what was found (JSON of `edge.passage.Passage`) and
    the evidence (`edge.evidence`); None where the evidence was given up.
    """

    position: int
    passage: str
    door: str
    at: str
    finding: bytes
    evidence: bytes | None


class UnderwayRow(NamedTuple):
    """What was kept of a passage under way: its opening, whose `epc` is empty, or a tag sighted in it."""

    passage: str
    door: str
    at: str
    epc: bytes
    pc: int | None


class Questions:
    """What can be asked of a journal over an open connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def epochs(self) -> list[str]:
        """The epochs of the own log, oldest first."""
        return [row[0] for row in self._all("SELECT epoch FROM own_epoch ORDER BY ordinal")]

    def bases(self) -> list[Place]:
        """The places up to which epochs were pruned, oldest epoch first; only their Begin is kept of them."""
        rows = self._all(
            "SELECT epoch, seq, hash FROM pruned JOIN own_epoch USING (epoch) ORDER BY ordinal",
        )
        return [Place(*row) for row in rows]

    def base(self, epoch: str) -> Place | None:
        """The place up to which an epoch was pruned; None when it was not."""
        row = self._one("SELECT seq, hash FROM pruned WHERE epoch = ?", epoch)
        return Place(epoch, row[0], row[1]) if row else None

    def start(self) -> int:
        """The position behind which every entry is stored; 0 unless something was pruned."""
        return int(self._all("SELECT coalesce(max(position), 0) FROM pruned")[0][0])

    def head(self, epoch: str) -> Place | None:
        """The last place of an epoch, be it pruned; None when it is not stored."""
        row = self._one("SELECT seq, hash FROM entry WHERE epoch = ? ORDER BY seq DESC LIMIT 1", epoch)
        base = self.base(epoch)
        if base is not None and (row is None or row[0] < base.seq):
            return base
        return Place(epoch, row[0], row[1]) if row else None

    def hash_at(self, epoch: str, seq: int) -> str | None:
        """The hash stored at (epoch, seq), also of a base; None when nothing is."""
        row = self._one(
            "SELECT hash FROM entry WHERE epoch = ? AND seq = ?"
            " UNION ALL SELECT hash FROM pruned WHERE epoch = ? AND seq = ? LIMIT 1",
            *(epoch, seq, epoch, seq),
        )
        return row[0] if row else None

    def record_at(self, epoch: str, seq: int) -> bytes | None:
        """The record stored at (epoch, seq); None when nothing is."""
        row = self._one("SELECT record FROM entry WHERE epoch = ? AND seq = ?", epoch, seq)
        return row[0] if row else None

    def entry(self, entry_id: str) -> bytes | None:
        """The record of an entry by its id; None when it is not stored."""
        row = self._one("SELECT record FROM entry WHERE entry_id = ?", entry_id)
        return row[0] if row else None

    def after(self, epoch: str, seq: int, entries_max: int, bytes_max: int) -> list[bytes]:
        """Records of an epoch after `seq`, in order: at most so many entries and bytes, but one if any.

        Raises StoreError when some of them were pruned.
        """
        base = self.base(epoch)
        if base is not None and seq < base.seq:
            raise StoreError(f"entries up to {base.seq} of epoch {epoch} were pruned; asked after {seq}")
        sizes = self._all(
            "SELECT seq, length(record) FROM entry WHERE epoch = ? AND seq > ? ORDER BY seq LIMIT ?",
            epoch,
            seq,
            entries_max,
        )
        last, total = seq, 0
        for at, size in sizes:
            total += size
            if total > bytes_max and last > seq:
                break
            last = at
        rows = self._all(
            "SELECT record FROM entry WHERE epoch = ? AND seq > ? AND seq <= ? ORDER BY seq", epoch, seq, last
        )
        return [row[0] for row in rows]

    def page(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """(position, record) over all epochs after a position, oldest first; 0 is before the first.

        Raises StoreError when some of them were pruned: go on from `start`.
        """
        start = self.start()
        if after < start:
            raise StoreError(f"entries up to number {start} were pruned; asked after number {after}")
        return self._all(
            "SELECT position, record FROM entry WHERE position > ? ORDER BY position LIMIT ?",
            after,
            min(limit, PAGE_ENTRIES_MAX),
        )

    def page_before(self, before: int | None, limit: int) -> list[tuple[int, bytes]]:
        """(position, record) of what is kept over all epochs before a position, newest first; None is after
        the last.
        """
        top = 2**63 - 1 if before is None else before
        return self._all(
            "SELECT position, record FROM entry WHERE position < ? ORDER BY position DESC LIMIT ?",
            top,
            min(limit, PAGE_ENTRIES_MAX),
        )

    def mentions(self, text: bytes, limit: int) -> list[bytes]:
        """The newest records that contain `text`, newest first, over all epochs."""
        limit = min(limit, PAGE_ENTRIES_MAX)
        found: list[bytes] = []
        top = self.entries()
        while top > 0 and len(found) < limit:
            rows = self._all(
                "SELECT record FROM entry WHERE position > ? AND position <= ? AND instr(record, ?) > 0"
                " ORDER BY position DESC LIMIT ?",
                top - SEARCH_ENTRIES,
                top,
                text,
                limit - len(found),
            )
            found += [row[0] for row in rows]
            top -= SEARCH_ENTRIES
        return found

    def rows(self, after: int, limit: int) -> list[Row]:
        """Everything stored of each entry after a position, over all epochs, oldest first."""
        found = self._all(
            "SELECT position, epoch, seq, entry_id, hash, record FROM entry "
            "WHERE position > ? ORDER BY position LIMIT ?",
            after,
            min(limit, PAGE_ENTRIES_MAX),
        )
        return [Row(*row) for row in found]

    def position(self, epoch: str, seq: int) -> int | None:
        """The position of (epoch, seq) over all epochs, the base's for what was pruned; None when it is not
        stored.
        """
        row = self._one(
            "SELECT position FROM pruned WHERE epoch = ? AND seq >= ?"
            " UNION ALL SELECT position FROM entry WHERE epoch = ? AND seq = ? LIMIT 1",
            *(epoch, seq, epoch, seq),
        )
        return row[0] if row else None

    def entries(self) -> int:
        """The number of entries in all epochs, pruned ones included."""
        return int(self._all("SELECT coalesce(max(position), 0) FROM entry")[0][0])

    def door_count(self, epoch: str, door: str, upto: int, types: Sequence[str]) -> int:
        """How many entries of `types` a door has in an epoch up to seq `upto`, that one and pruned ones
        included; `upto` is not below a base.
        """
        wanted = json.dumps(list(types))
        row = self._one(
            "SELECT (SELECT count(*) FROM entry WHERE epoch = ? AND seq <= ? AND door = ?"
            " AND type IN (SELECT value FROM json_each(?)))"
            " + (SELECT coalesce(sum(entries), 0) FROM pruned_count WHERE epoch = ? AND door = ?"
            " AND type IN (SELECT value FROM json_each(?)))",
            *(epoch, upto, door, wanted, epoch, door, wanted),
        )
        return int(str(row[0])) if row else 0

    def behind(self, sink: str) -> int:
        """How many entries the sink has not taken; all of them when its cursor is not in the log."""
        place = self.cursor(sink)
        taken = self.position(place.epoch, place.seq) if place else None
        return self.entries() - (taken or 0)

    def cursor(self, sink: str) -> Place | None:
        """How far a sink has taken entries; None when it has taken none."""
        row = self._one("SELECT epoch, seq, hash FROM cursor WHERE sink = ?", sink)
        return Place(*row) if row else None

    def cursors(self) -> list[tuple[str, Place]]:
        """All sinks with how far each has taken entries."""
        return [(row[0], Place(*row[1:])) for row in self._all("SELECT sink, epoch, seq, hash FROM cursor")]

    def snapshot(self) -> tuple[Place, bytes] | None:
        """The last snapshot of the owner's state and the place it stands for."""
        row = self._one("SELECT epoch, seq, hash, state FROM snapshot")
        return (Place(row[0], row[1], row[2]), row[3]) if row else None

    def signed_heads(self, after: int, limit: int) -> list[tuple[int, Head]]:
        """(position, head) of the heads that were signed, oldest first."""
        rows = self._all(
            "SELECT position, epoch, seq, hash, signature FROM signed_head "
            "WHERE position > ? ORDER BY position LIMIT ?",
            after,
            limit,
        )
        return [(row[0], Head(*row[1:])) for row in rows]

    def signed_head(self, epoch: str) -> Head | None:
        """The last signed head of an epoch; None when none was signed."""
        row = self._one(
            "SELECT seq, hash, signature FROM signed_head WHERE epoch = ? ORDER BY position DESC LIMIT 1",
            epoch,
        )
        return Head(epoch, *row) if row else None

    def reads(self, after: int, limit: int) -> list[tuple[int, str, str | None, str, str, str, str | None]]:
        """(position, device, door, at, code, verdict, entry_id) of the scans kept as evidence."""
        return self._all(
            "SELECT position, device, door, at, code, verdict, entry_id FROM read_evidence "
            "WHERE position > ? ORDER BY position LIMIT ?",
            after,
            min(limit, PAGE_ENTRIES_MAX),
        )

    def last_reads(self, limit: int) -> list[tuple[str, str, bytes, str]]:
        """(door, at, bytes as kept, verdict) of the newest scans kept as evidence, newest first."""
        return self._all(
            "SELECT coalesce(door, ''), at, raw, verdict FROM read_evidence ORDER BY position DESC LIMIT ?",
            min(limit, PAGE_ENTRIES_MAX),
        )

    def passages(self, after: int, limit: int, door: str | None, day: str | None) -> list[PassageRow]:
        """The passages kept behind a position, oldest first; of one door and one day (YYYY-MM-DD, UTC) where
        these are not None. None at all in a journal from before there were gates.
        """
        if "passage_evidence" not in self.schema_names():
            return []
        rows = self._all(
            "SELECT position, passage, door, at, finding, evidence FROM passage_evidence"
            " WHERE position > ? AND door = coalesce(?, door) AND at >= coalesce(?, '')"
            " AND substr(at, 1, 10) = coalesce(?, substr(at, 1, 10)) ORDER BY position LIMIT ?",
            *(after, door, day, day, min(limit, PAGE_ENTRIES_MAX)),
        )
        return [PassageRow(*row) for row in rows]

    def passage(self, name: str, sha256: str) -> PassageRow | None:
        """The passage of this name that was judged from this evidence; None when it was given up."""
        if "passage_evidence" not in self.schema_names():
            return None
        row = self._one(
            "SELECT position, passage, door, at, finding, evidence FROM passage_evidence"
            " WHERE sha256 = ? AND passage = ? LIMIT 1",
            *(sha256, name),
        )
        return PassageRow(*row) if row else None

    def underway(self) -> list[UnderwayRow]:
        """What is kept of the passages that nothing has judged yet, in the order in which it came."""
        if "passage_underway" not in self.schema_names():
            return []
        rows = self._all("SELECT passage, door, at, epc, pc FROM passage_underway ORDER BY position")
        return [UnderwayRow(*row) for row in rows]

    def stray_passage(self) -> tuple[int, str] | None:
        """(position, entry_id) of the first passage that names an entry which is not stored."""
        if "passage_evidence" not in self.schema_names():
            return None
        row = self._one(
            "SELECT position, value FROM passage_evidence, json_each(entry_ids) WHERE NOT EXISTS"
            " (SELECT 1 FROM entry WHERE entry.entry_id = value) ORDER BY position LIMIT 1"
        )
        return (row[0], row[1]) if row else None

    def stray_read(self) -> tuple[int, str] | None:
        """(position, entry_id) of the first raw read that names an entry which is not stored."""
        row = self._one(
            "SELECT position, entry_id FROM read_evidence WHERE entry_id IS NOT NULL AND NOT EXISTS"
            " (SELECT 1 FROM entry WHERE entry.entry_id = read_evidence.entry_id) ORDER BY position LIMIT 1"
        )
        return (row[0], row[1]) if row else None

    def schema_names(self) -> set[str]:
        """The names of the file's tables, indexes and triggers."""
        return {row[0] for row in self._all("SELECT name FROM sqlite_schema")}

    def _one(self, statement: str, *values: object) -> Any:
        rows = self._all(statement, *values)
        return rows[0] if rows else None

    def _all(self, statement: str, *values: object) -> list[Any]:
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"the journal cannot be read: {error}") from error


class JournalReader(Questions):
    """A journal opened read-only, live or not; it never writes to the database or checkpoints it.

    Raises StoreError when there is no journal, StoreNewer when it is of a newer version. May be used
    from several threads, each question stands alone.
    """

    def __init__(self, store: Path) -> None:
        self.path = store / JOURNAL_FILE
        if not self.path.is_file():
            raise StoreError(f"there is no journal in {store}: expected the file {JOURNAL_FILE}")
        try:
            connection = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode=ro",
                uri=True,
                isolation_level=None,
                timeout=_READ_TIMEOUT_S,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            raise StoreError(f"the journal {self.path} cannot be opened: {error}") from error
        super().__init__(connection)
        try:
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            version = schema_version(connection)
            if version == 0:
                raise StoreError(f"the journal {self.path} is empty: no node has written to it yet")
            if version == 1:  # of later ones only the passages are missing, which are asked for with care
                connection.executescript(_NOTHING_PRUNED)
            connection.execute("PRAGMA query_only = 1")
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
