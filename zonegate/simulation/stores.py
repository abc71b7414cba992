# SPDX-License-Identifier: Apache-2.0
"""Chance, clock and stores of a simulated world: the plainest that keep to the contracts of the real ones.

Nothing here decides anything. Everything follows from one seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from sync.bodies import body_bytes, schema_of
from sync.chain import Stored
from sync.entry import (
    GENESIS,
    Clock,
    Draft,
    Head,
    Place,
    new_entry_id,
    read_record,
    record_bytes,
    record_hash,
)

START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


class PowerCut(Exception):
    """The machine lost its power between two steps."""


class DiskFull(Exception):
    """There is no room: nothing was written."""


class Fuse:
    """Cuts the power before the step at which it burns out; None lasts for ever."""

    def __init__(self) -> None:
        self.left: int | None = None

    def step(self) -> None:
        """One step is about to be made. Raises PowerCut when the fuse is out."""
        if self.left is None:
            return
        if self.left == 0:
            self.left = None
            raise PowerCut
        self.left -= 1


class Chance:
    """Names, keys, times and choices of one world."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a world that can be played again
        self._ticks = 0

    def hex(self) -> str:
        """An epoch's or a request's name."""
        return self.random.randbytes(16).hex()

    def secret(self) -> bytes:
        """The seed of a key."""
        return self.random.randbytes(32)

    def now(self, skew: timedelta) -> datetime:
        """The time by a clock that is wrong by `skew`."""
        self._ticks += 1
        return START + timedelta(seconds=self._ticks) + skew

    def entry(
        self,
        epoch: str,
        at: Place | None,
        kind: str,
        body: msgspec.Struct,
        door: str | None = None,
        *,
        skew: timedelta = timedelta(0),
        schema: str | None = None,
    ) -> Stored:
        """The entry that follows the place `at` in a log."""
        now = self.now(skew)
        entry_id = new_entry_id(int(now.timestamp() * 1000), self.random.randbytes(10))
        clock = Clock(True, "boot", self._ticks)
        draft = Draft(entry_id, kind, schema or schema_of(kind), now, clock, body_bytes(body), door)
        seq, prev = (at.seq, at.hash) if at else (0, GENESIS)
        record = record_bytes(draft, epoch, seq + 1, now, prev)
        return Stored(record, read_record(record), record_hash(record))


class Pruned(Exception):
    """Entries were asked for that the store has forgotten."""


class Logs:
    """Logs in memory, as `sync.node.LogReader` asks for them."""

    def __init__(self) -> None:
        self.logs: dict[str, list[Stored]] = {}
        self.bases: dict[str, int] = {}

    def copy(self) -> Logs:
        """Another store with the same entries."""
        other = Logs()
        other.logs = {epoch: list(log) for epoch, log in self.logs.items()}
        other.bases = dict(self.bases)
        return other

    def append(self, stored: Stored) -> None:
        """Store the next entry of a log."""
        log = self.logs.setdefault(stored.entry.epoch, [])
        log.append(stored)

    def epochs(self) -> list[str]:
        """All epochs, oldest first."""
        return list(self.logs)

    def head(self, epoch: str) -> Place | None:
        """The last place of a log."""
        return self.logs[epoch][-1].place if epoch in self.logs else None

    def hash_at(self, epoch: str, seq: int) -> str | None:
        """The hash at a place; of what was pruned only the base is known, and the Begin."""
        log = self.logs.get(epoch, [])
        known = seq == 1 or seq >= self.bases.get(epoch, 0)
        return log[seq - 1].hash if known and 1 <= seq <= len(log) else None

    def after(self, epoch: str, seq: int, entries_max: int, bytes_max: int) -> list[bytes]:
        """Records after `seq`, bounded. Raises Pruned when some of them are gone."""
        if seq < self.bases.get(epoch, 0):
            raise Pruned(f"entries up to {self.bases[epoch]} of epoch {epoch} were pruned, asked after {seq}")
        records: list[bytes] = []
        for stored in self.logs.get(epoch, [])[seq : seq + entries_max]:
            bytes_max -= len(stored.record)
            if records and bytes_max < 0:
                break
            records.append(stored.record)
        return records

    def all(self) -> Iterator[Stored]:
        """Every entry that was not pruned; Begins are always kept."""
        for epoch, log in self.logs.items():
            base = self.bases.get(epoch, 0)
            for stored in log:
                if stored.entry.seq == 1 or stored.entry.seq > base:
                    yield stored

    def base(self, epoch: str) -> Place | None:
        """The place up to which a log was pruned."""
        seq = self.bases.get(epoch)
        return self.logs[epoch][seq - 1].place if seq else None

    def prune(self, place: Place) -> None:
        """Forget what stands before and at `place`."""
        self.bases[place.epoch] = max(place.seq, self.bases.get(place.epoch, 0))


@dataclass(slots=True)
class Disk:
    """A node's first medium: its logs, what the center was heard to have, a snapshot of the books, and the
    signed last heads of epochs that a `rotate` ended.
    """

    logs: Logs = field(default_factory=Logs)
    cursors: dict[str, int] = field(default_factory=dict)
    snapshot: tuple[Place, bytes] | None = None
    sealed: dict[str, Head] = field(default_factory=dict)

    def copy(self) -> Disk:
        """A backup, or another disk with the same on it."""
        return Disk(self.logs.copy(), dict(self.cursors), self.snapshot, dict(self.sealed))


@dataclass(slots=True)
class Medium:
    """The second medium: the anchor, and the keys beside it."""

    secret: bytes
    anchor: Place | None = None
    prepared: bytes | None = None

    def copy(self) -> Medium:
        """What only a copy of the whole machine has."""
        return Medium(self.secret, self.anchor, self.prepared)


@dataclass(slots=True)
class Database:
    """What the center stores. `shown` are hashes that asks showed for a place, of which it was to notice
    when they differ.
    """

    own: list[Stored] = field(default_factory=list)
    copies: Logs = field(default_factory=Logs)
    owners: dict[str, str] = field(default_factory=dict)
    heads: list[Head] = field(default_factory=list)
    codes: set[tuple[str, str]] = field(default_factory=set)
    doors: dict[str, tuple[str, ...]] = field(default_factory=dict)
    shown: dict[tuple[str, int], str] = field(default_factory=dict)

    def copy(self) -> Database:
        """A backup."""
        return Database(
            list(self.own),
            self.copies.copy(),
            dict(self.owners),
            list(self.heads),
            set(self.codes),
            dict(self.doors),
            dict(self.shown),
        )


@dataclass(slots=True)
class Vault:
    """The center's second medium: anchor, key, and the roll of nodes with what retired them. `roll` is None
    when it was lost.
    """

    secret: bytes
    anchor: Place | None = None
    roll: Mapping[str, str] | None = field(default_factory=dict)

    def copy(self) -> Vault:
        """What only a copy of the whole machine has."""
        return Vault(self.secret, self.anchor, self.roll)
