# SPDX-License-Identifier: Apache-2.0
"""Rules on one log, pure: how a copy grows (S1), how a chain is verified, when an epoch goes on (E).

Both sides use the very same functions; stores hand in what they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from sync.bodies import read_body
from sync.entry import GENESIS, Entry, Place, read_record, record_hash
from sync.errors import ChainError, EntryError


class Stored(msgspec.Struct, frozen=True, gc=False):
    """A record with its entry and its hash, ready to be stored at its place."""

    record: bytes
    entry: Entry
    hash: str

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.entry.epoch, self.entry.seq, self.hash)

    @property
    def body(self) -> Any:
        """The typed body, decoded at each call; EntryError when it cannot be read."""
        return read_body(self.entry)


class ForkError(ChainError):
    """Two entries claim one place: `stored` is the one known here, `shown` the other."""

    def __init__(self, sentence: str, stored: Place, shown: Place) -> None:
        super().__init__(sentence)
        self.stored = stored
        self.shown = shown


def extension(
    epoch: str,
    stored: Place | None,
    hash_at: Callable[[int], str | None],
    after: int,
    prev: str,
    records: Sequence[bytes],
) -> list[Stored]:
    """What of a received run extends the stored copy of a log (rule S1).

    `stored` is the copy's head, `hash_at(seq)` its stored hashes. An overlap must be equal. A run
    that starts beyond the copy extends nothing: the empty list, and `have` tells the sender where to
    begin. Raises ChainError when the run is not one chain, ForkError when it differs from what is stored:
    none of it may be stored then.
    """
    top = stored.seq if stored else 0
    run = chain_of(epoch, after, prev, records)
    if after > top:
        return []
    if after:
        _equal(epoch, after, hash_at(after), prev)
    for item in run:
        if item.entry.seq <= top:
            _equal(epoch, item.entry.seq, hash_at(item.entry.seq), item.hash)
    return [item for item in run if item.entry.seq > top]


def _equal(epoch: str, seq: int, stored: str | None, shown: str) -> None:
    if stored != shown:
        raise ForkError(
            f"entry {seq} of epoch {epoch} is stored with another hash: two writers, one place",
            Place(epoch, seq, stored or GENESIS),
            Place(epoch, seq, shown),
        )


def chain_of(epoch: str, after: int, prev: str, records: Iterable[bytes]) -> list[Stored]:
    """The entries of a run, each checked against the one before it; ChainError names the first bad one."""
    if after == 0 and prev != GENESIS:
        raise ChainError(
            f"a run from the beginning of epoch {epoch} must follow {GENESIS[:8]}..., got {prev[:8]}..."
        )
    run: list[Stored] = []
    for seq, record in enumerate(records, start=after + 1):
        try:
            entry = read_record(record)
        except EntryError as error:
            raise ChainError(f"entry {seq} of epoch {epoch}: {error}") from error
        if (entry.epoch, entry.seq) != (epoch, seq):
            raise ChainError(
                f"entry {seq} of epoch {epoch} says it is entry {entry.seq} of epoch {entry.epoch}"
            )
        if entry.prev != prev:
            raise ChainError(f"entry {seq} of epoch {epoch} does not follow the entry before it")
        prev = record_hash(record)
        run.append(Stored(record, entry, prev))
    return run


@dataclass(frozen=True, slots=True)
class GoOn:
    """The epoch continues at the store's head."""

    head: Place


@dataclass(frozen=True, slots=True)
class BeginAnew:
    """Another epoch begins. `end` is set only when the anchor proves it; `reason` is for people."""

    parent: Place | None
    end: Place | None
    reason: str


def rule_e(
    head: Place | None,
    anchor: Place | None,
    shown: Iterable[Place],
    hash_at: Callable[[str, int], str | None],
    parent: Place | None = None,
    ended: str | None = None,
) -> GoOn | BeginAnew:
    """May this writer go on in its epoch? (rule E)

    `head` is the head of the own log in the store, `anchor` what the second medium kept, `shown` every
    head of that epoch that another witness showed, `parent` the parent that the own log's Begin names.
    Go on if and only if the anchor is there and it and all shown heads are in the chain. An anchor that
    still stands in the parent means a crash between the commit of Begin and its anchor: nothing of the
    new epoch was told, so it goes on. The first epoch has no parent: before its Begin is committed the
    anchor is put at its seq 0, where nothing was told yet. `ended` names an epoch that was closed by a
    count, or whose key was changed: its writer says so in a proven end.
    """
    if head is None and (anchor is None or anchor.seq == 0):
        return BeginAnew(None, None, "first start")
    if head is None:
        return BeginAnew(anchor, anchor, "the store is empty, the anchor is not")
    if anchor is None:
        return BeginAnew(head, None, "no anchor for this store")
    before = head if anchor.seq == 0 else parent
    begun = before is not None and anchor.epoch == before.epoch
    if anchor.epoch != head.epoch and not begun:
        return BeginAnew(head, None, "the anchor is of another epoch than the store")
    if not begun and hash_at(anchor.epoch, anchor.seq) != anchor.hash:
        if anchor.seq > head.seq:
            return BeginAnew(head, anchor, "the store is older than the anchor")
        return BeginAnew(head, None, "the store and the anchor disagree")
    for place in shown:
        if place.epoch == head.epoch and hash_at(place.epoch, place.seq) != place.hash:
            return BeginAnew(head, None, f"a witness knows another entry {place.seq} of this epoch")
    if head.epoch == ended:
        return BeginAnew(head, head, "this epoch was ended")
    return GoOn(head)
