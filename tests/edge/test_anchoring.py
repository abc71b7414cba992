# SPDX-License-Identifier: Apache-2.0
"""An anchor is written while the next batches commit; each is told when an anchor covers it, not before."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edge.anchor import Anchor
from edge.anchoring import AHEAD_MAX, Anchoring
from edge.batch import Batch
from edge.errors import JournalFailed
from edge.journal import Journal, Placed
from edge.store import JournalReader
from sync.entry import GENESIS, Place
from tests.edge.journals import (
    WAIT_S,
    AnchorsBeforeCommit,
    AnchorsTheOldest,
    FailingAnchor,
    FailingConnection,
    Gate,
    Site,
    TellsBeforeAnchor,
    gated_connect,
)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.make(tmp_path)


@dataclass
class Held:
    """A journal whose second entry's anchor is held at a gate, and whose commits can be waited for."""

    site: Site
    kind: type[Journal] = Journal
    gate: Gate = field(default_factory=Gate)
    commits: queue.SimpleQueue[None] = field(default_factory=queue.SimpleQueue)
    told: list[Placed] = field(default_factory=list)
    futures: list[asyncio.Future[Placed]] = field(default_factory=list)

    async def begin(self) -> None:
        self.anchor = FailingAnchor(self.site.anchor, self.gate)
        self.journal = self.site.open(journal=self.kind, anchor=self.anchor, connect=self._connect)
        self.journal.on_told(lambda placed, place: self.told.extend(placed))
        with suppress(queue.Empty):
            while True:
                self.commits.get_nowait()
        self.gate.armed = True
        await self.append()
        assert await asyncio.to_thread(self.gate.reached.wait, WAIT_S)
        self.gate.armed = False

    async def append(self) -> None:
        """Append an entry, and wait for its commit."""
        self.futures.append(self.journal.append(self.site.draft()))
        await self.committed()

    async def committed(self) -> None:
        await asyncio.to_thread(self.commits.get, timeout=WAIT_S)

    async def end(self) -> list[Any]:
        """Let the anchor be written; what each waiter got."""
        self.gate.opened.set()
        got = await asyncio.wait_for(asyncio.gather(*self.futures, return_exceptions=True), WAIT_S)
        await self.journal.close()
        return got

    def stored(self) -> int:
        with JournalReader(self.site.store) as reader:
            return reader.entries()

    def _connect(self, path: Path) -> FailingConnection:
        commits = self.commits

        class Connection(FailingConnection):
            def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
                done = super().execute(sql, parameters)
                if sql == "COMMIT":
                    commits.put(None)
                return done

        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Connection)


async def test_batches_commit_while_an_anchor_is_written_and_none_is_told_before_its_own(site: Site) -> None:
    held = Held(site)
    await held.begin()
    await held.append()
    await held.append()
    assert held.stored() == 4
    assert held.told == []
    assert held.journal.told.seq == 1
    placed = await held.end()
    assert [one.place.seq for one in placed] == [2, 3, 4]
    assert held.told == placed
    assert Anchor(site.anchor).read() == placed[-1].place


async def told_and_not_anchored(site: Site, kind: type[Journal]) -> bool:
    """Whether something is told, at any moment, that the anchor does not cover."""
    held = Held(site, kind)
    await held.begin()
    ahead: list[int] = []

    def look(_: Sequence[Placed], place: Place) -> None:
        anchored = Anchor(site.anchor).read()
        assert anchored is not None
        ahead.append(place.seq - anchored.seq)

    held.journal.on_told(look)
    await held.append()
    await held.append()
    await held.end()
    return max(ahead) > 0


async def test_what_was_committed_meanwhile_is_told_by_an_anchor_of_its_newest(site: Site) -> None:
    assert not await told_and_not_anchored(site, Journal)


async def test_an_anchor_of_the_oldest_would_be_caught(site: Site) -> None:
    assert await told_and_not_anchored(site, AnchorsTheOldest)


async def test_a_batch_without_entries_does_not_hide_those_before_it_from_the_anchor(site: Site) -> None:
    held = Held(site)
    await held.begin()
    await held.append()
    held.journal.set_cursor("center", held.journal.told)
    await held.committed()
    placed = await held.end()
    assert Anchor(site.anchor).read() == placed[-1].place


async def anchored_before_commit(site: Site, kind: type[Journal]) -> bool:
    """Whether the anchor names an entry whose commit has not happened yet."""
    gate = Gate()
    journal = site.open(journal=kind, connect=gated_connect(gate))
    first = (await asyncio.wait_for(journal.append(site.draft()), WAIT_S)).place
    gate.armed = True
    second = journal.append(site.draft())
    assert await asyncio.to_thread(gate.reached.wait, WAIT_S)
    anchored = Anchor(site.anchor).read()
    gate.opened.set()
    await asyncio.wait_for(second, WAIT_S)
    await journal.close()
    return anchored != first


async def test_no_anchor_is_written_before_its_commit(site: Site) -> None:
    assert not await anchored_before_commit(site, Journal)


async def test_an_anchor_before_its_commit_would_be_caught(site: Site) -> None:
    assert await anchored_before_commit(site, AnchorsBeforeCommit)


async def test_after_a_failed_anchor_nothing_that_was_committed_meanwhile_is_told(site: Site) -> None:
    held = Held(site)
    await held.begin()
    await held.append()
    held.anchor.broken = True
    got = await held.end()
    assert [type(one) for one in got] == [JournalFailed, JournalFailed]
    assert isinstance(held.journal.failed.result(), JournalFailed)
    assert held.told == []
    again = site.open()
    assert (again.begun, again.told.seq, again.epoch) == (None, 3, held.journal.epoch)
    await again.close()


async def test_a_failed_anchor_is_told_though_nothing_else_is_queued(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.journal.IDLE_TICK_S", 10 * WAIT_S)
    site.time.ns = -(10**18)  # no head is due either
    journal = site.open(anchor=(anchor := FailingAnchor(site.anchor)))
    anchor.broken = True
    future = journal.append(site.draft())
    assert isinstance(await asyncio.wait_for(journal.failed, WAIT_S), JournalFailed)
    with pytest.raises(JournalFailed):
        await future
    await journal.close()


async def told_of_a_failed_anchor(site: Site, kind: type[Journal]) -> list[Placed]:
    journal = site.open(journal=kind, anchor=(anchor := FailingAnchor(site.anchor)))
    told: list[Placed] = []
    journal.on_told(lambda placed, place: told.extend(placed))
    anchor.broken = True
    journal.append(site.draft()).add_done_callback(lambda done: done.exception())
    await asyncio.wait_for(journal.failed, WAIT_S)
    await journal.close()
    return told


async def test_a_planted_journal_that_tells_before_the_anchor_failed_is_caught(
    site: Site, tmp_path: Path
) -> None:
    assert await told_of_a_failed_anchor(site, Journal) == []
    assert await told_of_a_failed_anchor(Site.make(tmp_path / "planted"), TellsBeforeAnchor) != []


async def test_a_commit_that_fails_while_an_anchor_is_written_refuses_itself_alone(site: Site) -> None:
    held = Held(site)
    await held.begin()
    connection = held.journal._writer.connection
    assert isinstance(connection, FailingConnection)
    connection.fails = "COMMIT"
    held.futures.append(held.journal.append(site.draft()))
    first, second = await held.end()
    assert first.place.seq == 2
    assert isinstance(second, JournalFailed)
    assert held.told == [first]
    assert isinstance(held.journal.failed.result(), JournalFailed)


async def test_an_anchor_that_hangs_holds_the_heartbeat_and_every_head(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, waited = threading.Event(), threading.Event()
    settle = Anchoring.settle

    def seen(anchoring: Anchoring) -> None:
        held_up = bool(anchoring.untold())
        if held_up:
            waits.set()
        settle(anchoring)
        if held_up:
            waited.set()

    monkeypatch.setattr(Anchoring, "settle", seen)
    monkeypatch.setattr("edge.journal.IDLE_TICK_S", 0.01)
    held = Held(site)
    await held.begin()
    heads: list[Place] = []
    held.journal.on_head(lambda head: heads.append(head.place))
    assert await asyncio.to_thread(waits.wait, WAIT_S)
    site.time.ns += 2_000_000_000  # a tick and a head are due
    assert not waited.is_set()
    assert held.journal.heartbeat_ns < site.time.ns
    assert heads == []
    (placed,) = await held.end()
    assert heads == [placed.place]
    assert held.journal.heartbeat_ns == site.time.ns


def batch(seq: int) -> Batch:
    return Batch(Place("e" * 32, seq, GENESIS))


def test_no_more_than_a_few_batches_are_ahead_of_the_anchor() -> None:
    gate = Gate()
    sizes: list[int] = []
    told: list[int] = []

    def anchor(batches: Sequence[Batch]) -> None:
        sizes.append(len(batches))
        gate()

    anchoring = Anchoring(anchor, broke=lambda: None)
    gate.armed = True
    for seq in range(AHEAD_MAX):
        anchoring.put(batch(seq), partial(told.append, seq))
    more = threading.Thread(target=anchoring.put, args=(batch(AHEAD_MAX), partial(told.append, AHEAD_MAX)))
    more.start()
    assert gate.reached.wait(WAIT_S)
    more.join(0.1)
    assert more.is_alive()
    assert len(anchoring.untold()) == AHEAD_MAX
    gate.opened.set()
    more.join(WAIT_S)
    anchoring.settle()
    anchoring.close()
    assert told == list(range(AHEAD_MAX + 1))
    assert max(sizes) <= AHEAD_MAX


def test_whoever_waits_for_room_hears_of_the_error() -> None:
    gate, broke = Gate(), threading.Event()
    told: list[int] = []

    def anchor(_: Sequence[Batch]) -> None:
        gate()
        raise JournalFailed("planted")

    anchoring = Anchoring(anchor, broke=broke.set)
    gate.armed = True
    for seq in range(AHEAD_MAX):
        anchoring.put(batch(seq), partial(told.append, seq))
    opener = threading.Timer(0.1, gate.opened.set)  # while the ninth waits
    opener.start()
    with pytest.raises(JournalFailed, match="planted"):
        anchoring.put(batch(AHEAD_MAX), partial(told.append, AHEAD_MAX))
    with pytest.raises(JournalFailed, match="planted"):
        anchoring.settle()
    assert broke.wait(WAIT_S)
    assert len(anchoring.untold()) == AHEAD_MAX
    anchoring.close()
    opener.join()
    assert told == []
