# SPDX-License-Identifier: Apache-2.0
"""Journals for tests: time that stands still, drafts, folders, a disk and an anchor that fail on cue."""

from __future__ import annotations

import errno
import random
import shutil
import sqlite3
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from edge.anchor import Anchor
from edge.anchoring import Anchoring
from edge.batch import Item, PassageNote
from edge.clock import Clocks
from edge.journal import Identity, Journal
from edge.store import JournalReader
from edge.writer import Writer, connect_writer
from sync.bodies import Begin, DeviceAlarm, body_bytes, read_body, schema_of
from sync.entry import Draft, Place, read_record

WAIT_S = 20.0
ME = Identity("acme", "ftz-1", "dock-a")
START = datetime(2026, 11, 16, 8, tzinfo=UTC)


@dataclass
class Time:
    """Stands still until a test moves it."""

    ns: int = 1_000_000_000
    chance: random.Random = field(default_factory=random.Random)

    def clocks(self) -> Clocks:
        return Clocks(
            utc=lambda: START + timedelta(microseconds=self.ns // 1000),
            mono_ns=lambda: self.ns,
            boot="b1",
            synchronized=lambda: True,
            random=self.chance.randbytes,
        )


@dataclass
class Site:
    """A node's two folders, and its time."""

    store: Path
    anchor: Path
    time: Time = field(default_factory=Time)

    @classmethod
    def make(cls, folder: Path) -> Site:
        (folder / "anchor").mkdir(parents=True)
        return cls(folder / "store", folder / "anchor")

    def open(self, **changed: Any) -> Journal:
        journal: type[Journal] = changed.pop("journal", Journal)
        anchor = changed.pop("anchor", None) or Anchor(self.anchor)
        arguments = {"clocks": self.time.clocks(), "identity": ME, **changed}
        return journal.open(self.store, anchor, **arguments)

    def copy(self, folder: Path, *, anchor: bool = True) -> Site:
        """What another disk would hold if the machine stopped now."""
        copied = Site(folder / "store", folder / "anchor", self.time)
        shutil.copytree(self.store, copied.store, ignore=shutil.ignore_patterns("*-shm"))
        if anchor:
            shutil.copytree(self.anchor, copied.anchor)
        else:
            copied.anchor.mkdir()
        return copied

    def passage(self, evidence: bytes = b"evidence", *entry_ids: str) -> PassageNote:
        """A passage that closes now."""
        at = self.time.clocks().utc()
        return PassageNote("d1-1", "d1", at, at, b"{}", evidence, "e" * 64, entry_ids)

    def draft(self, detail: str = "x") -> Draft:
        clocks = self.time.clocks()
        body = body_bytes(DeviceAlarm("scanner-1", "flood", detail, 1))
        return Draft(clocks.entry_id(), "alarm", schema_of("alarm"), clocks.utc(), clocks.stamp(), body, "d1")

    async def begin_anew(self, journal: Journal, **changed: Any) -> Journal:
        """Close the journal and open it beside a witness of another head: another epoch begins."""
        await journal.close()
        known = journal.told
        return self.open(shown=[Place(known.epoch, known.seq, "0" * 64)], **changed)

    async def grow(self, count: int, **changed: Any) -> list[Place]:
        """Open, append so many entries, close; their places."""
        journal = self.open(**changed)
        places = [(await future).place for future in [journal.append(self.draft()) for _ in range(count)]]
        await journal.close()
        return places


class FailingConnection(sqlite3.Connection):
    """Fails the statement it was told to fail."""

    fails: str | None = None
    error: sqlite3.OperationalError | None = None

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        self._fail_on_cue(sql)
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        self._fail_on_cue(sql)
        return super().executemany(sql, parameters)

    def _fail_on_cue(self, sql: str) -> None:
        if self.fails is not None and sql.startswith(self.fails):
            raise self.error or sqlite3.OperationalError("disk I/O error")


def connect_failing(path: Path) -> FailingConnection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=FailingConnection)


def full_disk() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


class Gate:
    """Holds a thread at a point until the test lets it go on."""

    def __init__(self) -> None:
        self.armed = False
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self) -> None:
        if self.armed:
            self.reached.set()
            assert self.opened.wait(WAIT_S)


class FailingAnchor(Anchor):
    """Fails to write while `broken`; waits at its gate before."""

    broken = False

    def __init__(self, folder: Path, gate: Gate | None = None) -> None:
        super().__init__(folder)
        self._gate = gate or Gate()

    def write(self, place: Place) -> None:
        self._gate()
        if self.broken:
            raise OSError(errno.EIO, "planted")
        super().write(place)


def gated_connect(gate: Gate) -> Any:
    """A connection factory whose connections wait at the gate before they commit."""

    class Gated(sqlite3.Connection):
        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            if sql == "COMMIT":
                gate()
            return super().execute(sql, parameters)

    def connect(path: Path) -> sqlite3.Connection:
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Gated)

    return connect


def records(site: Site) -> list[tuple[Any, ...]]:
    """Everything in the entry table, over a connection of the test's own."""
    connection = connect_writer(site.store / "journal.sqlite3")
    try:
        return connection.execute("SELECT * FROM entry ORDER BY position").fetchall()
    finally:
        connection.close()


def begin_of(site: Site, epoch: str) -> Begin:
    with JournalReader(site.store) as reader:
        record = reader.record_at(epoch, 1)
    assert record is not None
    body = read_body(read_record(record))
    assert isinstance(body, Begin)
    return body


class TellsBeforeCommit(Journal):
    """Planted: the light turns green, then the disk is asked."""

    def _settle(self, items: list[Item]) -> None:
        batch = self._writer.draw_up(items)
        self._on_loop(self._tell, batch)
        self._writer.commit(batch)
        self._writer.anchor([batch])


class TellsBeforeAnchor(Journal):
    """Planted: the anchor falls behind telling."""

    def _settle(self, items: list[Item]) -> None:
        batch = self._writer.draw_up(items)
        self._writer.commit(batch)
        self._on_loop(self._tell, batch)
        self._writer.anchor([batch])


class AnchorsBeforeCommit(Journal):
    """Planted: the anchor names what the store does not have yet."""

    def _settle(self, items: list[Item]) -> None:
        batch = self._writer.draw_up(items)
        self._writer.anchor([batch])
        self._writer.commit(batch)
        self._on_loop(self._tell, batch)


class AnchorsTheOldest(Journal):
    """Planted: of what was committed meanwhile the first is anchored, and all are told."""

    def __init__(self, writer: Writer, clocks: Clocks) -> None:
        super().__init__(writer, clocks)
        self._anchoring.close()
        self._anchoring = Anchoring(lambda batches: writer.anchor(batches[:1]), broke=self._wake)
