# SPDX-License-Identifier: Apache-2.0
"""What is asked of the journal's writer, and what it makes of it: items, a batch, placed entries.

Plain values; nothing here writes, and nothing knows a thread.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from sync.entry import Draft, Head, Place


class Identity(msgspec.Struct, frozen=True):
    """Whose journal it is, as its Begin says; each name matches [a-z0-9_-]{1,40}."""

    tenant: str
    zone: str
    node: str


class Ended(msgspec.Struct, frozen=True):
    """An epoch that somebody else has ended, such as the center by a count, and why, for people."""

    epoch: str
    reason: str


class Placed(msgspec.Struct, frozen=True, gc=False):
    """An entry at its place; `record` is the bytes that `place.hash` is of."""

    entry_id: str
    place: Place
    type: str
    door: str | None
    record: bytes


EntryRow = tuple[str, int, str, str, bytes]
"""The columns of an entry: epoch, seq, entry_id, hash, record."""


class Append(msgspec.Struct, gc=False):
    """Asks for a draft to be written."""

    draft: Draft
    future: Any = None


class ReadNote(msgspec.Struct):
    """Asks for a scan to be kept as evidence. `at` is aware."""

    device: str
    door: str | None
    at: datetime
    code: str
    raw: bytes
    verdict: str
    entry_id: str | None


class PassageNote(msgspec.Struct, frozen=True):
    """Asks for a passage to be kept: what was found (JSON of `edge.passage.Passage`) and the evidence that it
    was judged from (`edge.evidence`), named by `sha256`. Times are aware; `entry_ids` are what it led to, or
    what had counted its loads before.
    """

    passage: str
    door: str
    at: datetime
    closed_at: datetime
    finding: bytes
    evidence: bytes
    sha256: str
    entry_ids: tuple[str, ...]


class UnderwayNote(msgspec.Struct, frozen=True):
    """Asks for a passage that is under way to be kept until it is over: its opening, or with `epc` a tag that
    was sighted in it. A program that is killed meanwhile finds it at its next start. `at` is aware.
    """

    passage: str
    door: str
    at: datetime
    epc: bytes = b""
    pc: int | None = None


class UnderwayOver(msgspec.Struct, frozen=True):
    """Asks for what was kept of a passage under way to go; a PassageNote asks for it, too."""

    passage: str


class CursorMove(msgspec.Struct):
    """Asks for a sink's cursor to be moved."""

    sink: str
    place: Place


class SnapshotPut(msgspec.Struct):
    """Asks for a snapshot of everything queued before it."""

    state: bytes


class Pruned(msgspec.Struct, frozen=True):
    """What was pruned at once: up to `base`, so many entries, scans kept as evidence, signed heads, and
    passages of gates.
    """

    base: Place
    entries: int
    reads: int
    heads: int
    passages: int = 0


class Prune(msgspec.Struct):
    """Asks for what stands before `place` in its epoch, and it, to be deleted; `outcome` is its answer."""

    place: Place
    future: Any = None
    outcome: Pruned | Exception | None = None


Item = Append | ReadNote | PassageNote | UnderwayNote | UnderwayOver | CursorMove | SnapshotPut | Prune


class Batch(msgspec.Struct):
    """One transaction. `entry_rows` are of `entries`, one to one; `place` is the head after it, `begins` the
    epoch whose Begin it holds; `over_rows` name passages that are not under way any more.
    """

    place: Place
    entry_rows: list[EntryRow] = []
    entries: list[Append] = []
    heads: list[Head] = []
    begins: str | None = None
    read_rows: list[tuple[object, ...]] = []
    passage_rows: list[tuple[object, ...]] = []
    underway_rows: list[tuple[object, ...]] = []
    over_rows: list[tuple[object, ...]] = []
    cursors: dict[str, Place] = {}
    snapshot: tuple[Place, bytes] | None = None
    prunes: list[Prune] = []

    def placed(self) -> list[Placed]:
        """The entries at their places. Made by whoever tells, which leaves the writer to write."""
        return [
            Placed(entry_id, Place(epoch, seq, digest), entry.draft.type, entry.draft.door, record)
            for entry, (epoch, seq, entry_id, digest, record) in zip(
                self.entries, self.entry_rows, strict=True
            )
        ]
