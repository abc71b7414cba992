# SPDX-License-Identifier: Apache-2.0
"""A process that writes a journal in every way there is, and says each entry at the moment it is told.

Started as ``python -m tests.faults.power_writer STORE ANCHOR SPOKEN KIND LIFE``, and traced. KIND ``honest``
is the real journal; the others are planted, each by what is handed in. Time, chance and batches are fixed,
so that two runs of a LIFE do the same.
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import edge.writer
from edge.anchor import Anchor
from edge.journal import Journal, Placed
from edge.store import JOURNAL_FILE, JournalReader
from edge.writer import ROTATE
from sync.entry import Draft, Place, canonical
from tests.edge.journals import (
    AnchorsBeforeCommit,
    AnchorsTheOldest,
    Gate,
    Site,
    TellsBeforeAnchor,
    TellsBeforeCommit,
    Time,
)

WAIT_S: Final = 20.0

CHECKPOINT_PAGES: Final = 64
"""SQLite moves its log into the tables this often: the log is begun again many times in a short life."""

IDLE_WAL_BYTES: Final = 32 * 1024
SNAPSHOT_BYTES: Final = 300_000

SMALLER: Final = {
    "wal_autocheckpoint": CHECKPOINT_PAGES,
    "journal_size_limit": CHECKPOINT_PAGES * 2048,
}


class LateAnchor(Anchor):
    """Planted: always one place behind, the last is written when the anchor is let go."""

    _late: Place | None = None

    def write(self, place: Place) -> None:
        if self._late is not None:
            super().write(self._late)
        self._late = place

    def release(self) -> None:
        if self._late is not None and self._file is not None:
            super().write(self._late)
            self._late = None
        super().release()


class UnsyncedAnchor(Anchor):
    """Planted: written, never flushed."""

    def write(self, place: Place) -> None:
        with patch("os.fdatasync", lambda file: None):
            super().write(place)


class ToldFirst(Journal):
    """Goes on only when what it hands to the loop is done: which of the two is first is no chance, then."""

    def _on_loop(self, call: Callable[..., None], *values: object) -> None:
        done = threading.Event()
        super()._on_loop(call, *values)
        super()._on_loop(done.set)
        assert done.wait(WAIT_S)


class EarlyCommit(ToldFirst, TellsBeforeCommit):
    pass


class EarlyAnchor(ToldFirst, TellsBeforeAnchor):
    pass


class AnchorFirst(ToldFirst, AnchorsBeforeCommit):
    pass


class AnchorOfOldest(ToldFirst, AnchorsTheOldest):
    pass


@dataclass
class Kind:
    """What is handed to a journal; `overlaps` when it commits while an anchor is written."""

    journal: type[Journal] = Journal
    anchor: type[Anchor] = Anchor
    synchronous: str = "FULL"
    overlaps: bool = True


KINDS: Final = {
    "honest": Kind(),
    "synchronous-normal": Kind(synchronous="NORMAL"),
    "told-before-commit": Kind(journal=EarlyCommit, overlaps=False),
    "told-before-anchor": Kind(journal=EarlyAnchor, overlaps=False),
    "anchor-before-commit": Kind(journal=AnchorFirst, overlaps=False),
    "anchor-of-the-oldest": Kind(journal=AnchorOfOldest),
    "late-anchor": Kind(anchor=LateAnchor),
    "unsynced-anchor": Kind(anchor=UnsyncedAnchor),
}


def connector(
    kind: Kind, gate: Gate, committed: Callable[[], object]
) -> Callable[[Path], sqlite3.Connection]:
    """Makes the writer's connection: it waits at the gate before a commit, and its log is a small one."""

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            if sql == "COMMIT":
                gate()
            name = sql.removeprefix("PRAGMA ").partition(" =")[0]
            if name in SMALLER:
                sql = f"PRAGMA {name} = {SMALLER[name]}"
            elif name == "synchronous":
                sql = f"PRAGMA synchronous = {kind.synchronous}"
            done = super().execute(sql, parameters)
            if sql == "COMMIT":
                committed()
            return done

    def connect(path: Path) -> sqlite3.Connection:
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Connection)

    return connect


class Working:
    """The journal of one site, opened and closed by what the script below says."""

    def __init__(self, site: Site, kind: Kind, spoken: int) -> None:
        self.site = site
        self._kind = kind
        self._spoken = spoken
        self._gate = Gate()
        self._anchor_gate = Gate()
        self._committed = threading.Semaphore(0)
        self.journal: Journal
        self._told = asyncio.Event()

    def open(self, **changed: Any) -> None:
        anchor = self._gated(self._kind.anchor(self.site.anchor))
        connect = connector(self._kind, self._gate, self._committed.release)
        self.journal = self.site.open(
            journal=self._kind.journal, anchor=anchor, connect=connect, reserve_bytes=1 << 20, **changed
        )
        # Whatever stands in the log is acted upon from now on.
        self._say("told", self.journal.told)
        self.journal.on_told(self._say_all)

    async def single(self) -> None:
        await asyncio.wait_for(self.journal.append(self.site.draft(self._detail())), WAIT_S)

    async def batch(self, count: int) -> None:
        """One entry, and while its commit waits all the others: always two batches of the same entries."""
        self._gate.reached.clear()
        self._gate.opened.clear()
        self._gate.armed = True
        futures = [self.journal.append(self.site.draft(self._detail()))]
        await asyncio.to_thread(self._gate.reached.wait, WAIT_S)
        self._gate.armed = False
        futures += [self.journal.append(self.site.draft(self._detail())) for _ in range(count)]
        self._gate.opened.set()
        await asyncio.wait_for(asyncio.gather(*futures), WAIT_S)

    async def overlap(self) -> None:
        """Two batches are committed while the anchor of another waits."""
        if not self._kind.overlaps:
            return
        gate = self._anchor_gate
        gate.reached.clear()
        gate.opened.clear()
        gate.armed = True
        futures = [self.journal.append(self.site.draft(self._detail()))]
        await asyncio.to_thread(gate.reached.wait, WAIT_S)
        gate.armed = False
        while self._committed.acquire(blocking=False):
            pass
        for _ in range(2):
            futures.append(self.journal.append(self.site.draft(self._detail())))
            await asyncio.to_thread(self._committed.acquire, timeout=WAIT_S)
        gate.opened.set()
        await asyncio.wait_for(asyncio.gather(*futures), WAIT_S)

    async def note(self) -> None:
        """Evidence, a cursor and a snapshot, each before an entry that shows when it is written."""
        told, at = self.journal.told, self.site.time.clocks().utc()
        self.journal.note_read(
            device="s1", door="d1", at=at, code="X", raw=b"X\r" * 700, verdict="ACCEPTED", entry_id=None
        )
        await self.single()
        self.journal.set_cursor("center", told)
        await self.single()
        self.journal.put_snapshot(self.site.time.chance.randbytes(SNAPSHOT_BYTES // 10))
        await self.single()

    async def checkpoint(self) -> None:
        """So much that SQLite empties its log inside a commit, and begins it again in the next."""
        self.journal.put_snapshot(self.site.time.chance.randbytes(SNAPSHOT_BYTES))
        for _ in range(3):
            await self.single()

    async def rotate(self) -> None:
        """Change the key: the epoch ends with this entry, the next opening begins one with the other key."""
        clocks = self.site.time.clocks()
        body = canonical({"key": Anchor(self.site.anchor).next_signer().public})
        draft = Draft(clocks.entry_id(), ROTATE, "zonegate.rotate.v1", clocks.utc(), clocks.stamp(), body)
        await asyncio.wait_for(self.journal.append(draft), WAIT_S)

    async def prune(self, place: Place) -> None:
        """Forget everything up to a place, which is said first: from then on it may be gone."""
        self._say("prune", place)
        assert (await asyncio.wait_for(self.journal.prune(place), WAIT_S)).base == place

    async def rest(self) -> None:
        """Nobody waits: the head is signed, and the log is cut to nothing."""
        self.journal.put_snapshot(self.site.time.chance.randbytes(SNAPSHOT_BYTES))
        await self.single()
        self.site.time.ns += edge.writer.SIGN_EVERY_NS
        log = self.site.store / f"{JOURNAL_FILE}-wal"
        async with asyncio.timeout(WAIT_S):
            while log.stat().st_size:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.02)
        await self.single()

    def _gated(self, anchor: Anchor) -> Anchor:
        write = anchor.write

        def gated(place: Place) -> None:
            self._anchor_gate()
            write(place)

        anchor.write = gated  # type: ignore[method-assign]
        return anchor

    def _detail(self) -> str:
        return "x" * self.site.time.chance.choice((10, 300, 5000))

    def _say_all(self, told: Sequence[Placed], _: Place) -> None:
        for placed in told:
            self._say("told", placed.place)

    def _say(self, word: str, place: Place) -> None:
        # One write, which the trace dates.
        os.write(self._spoken, f"{word} {place.epoch} {place.seq} {place.hash}\n".encode())


async def again(work: Working) -> None:
    """An opening, one entry, and no end: the process is gone without closing."""
    work.open()
    await work.single()


async def short(work: Working) -> None:
    """A few entries, and no end."""
    work.open()
    await work.single()
    await work.batch(5)
    await work.note()
    for _ in range(4):
        await work.overlap()


async def long(work: Working) -> None:
    """Several openings and epochs, two keys more, and no end."""
    await short(work)
    await work.checkpoint()
    await work.checkpoint()
    await work.batch(30)
    await work.overlap()
    old = work.journal.told
    await work.rest()
    await work.prune(old)
    await work.single()
    await work.journal.close()
    work.open()
    with JournalReader(work.site.store) as reader:
        # With a reader in it the log is neither emptied nor deleted.
        assert reader.entries() > 0
        await work.checkpoint()
        await work.batch(3)
        await work.journal.close()
    for _ in range(2):
        known = work.journal.told
        # Another witness knows another head: an epoch begins, its parent in the anchor.
        work.open(shown=[Place(known.epoch, known.seq, "0" * 64)])
        await work.single()
        work.site.time.ns += edge.writer.SIGN_EVERY_NS
        await work.note()
        await work.journal.close()
        await short(work)
        await work.rotate()
        await work.journal.close()
    await short(work)


LIVES: Final = {"first": short, "whole": long, "again": again}


async def live(work: Working, life: str) -> None:
    with ExitStack() as stack:
        stack.enter_context(patch.object(edge.writer, "_IDLE_WAL_BYTES", IDLE_WAL_BYTES))
        await LIVES[life](work)
        os._exit(0)


if __name__ == "__main__":
    _store, _anchor, _spoken, _kind, _life = sys.argv[1:]
    _number = list(LIVES).index(_life) + 1
    _time = Time(ns=_number * 10**12, chance=random.Random(_number))
    _said = os.open(_spoken, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    asyncio.run(live(Working(Site(Path(_store), Path(_anchor), _time), KINDS[_kind], _said), _life))
