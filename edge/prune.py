# SPDX-License-Identifier: Apache-2.0
"""Pruning the journal: which entries may go, and how they go.

Only what the center calls releasable, past the retention that the configuration names, may be asked for.
An epoch's Begin stays, with its key, and its base: the place, hash included, from which the chain goes on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from edge.batch import Pruned
from edge.errors import StoreError
from edge.store import Questions
from sync.entry import Place, read_record, utc_text
from sync.errors import EntryError

PRUNE_ENTRIES_MAX: Final = 2_000
"""Entries that go in one transaction: whoever waits for it waits some hundredths of a second."""


def prunable(
    releasable: Mapping[str, Place],
    stored: Questions,
    now: datetime,
    retention_days: int,
    sinks: Iterable[str] = (),
) -> list[Place]:
    """The places up to which epochs may be pruned now, oldest epoch first.

    `releasable` are the center's words by epoch, `retention_days` how long entries are kept after they
    were recorded (0: for ever). What the snapshot does not hold yet, or one of `sinks` has not taken, stays.
    Raises StoreError when an entry cannot be read.
    """
    snapshot = stored.snapshot()
    if retention_days == 0 or snapshot is None:
        return []
    last = min([stored.position(snapshot[0].epoch, snapshot[0].seq) or 0, stored.entries() - 1])
    for sink in sinks:
        cursor = stored.cursor(sink)
        last = min(last, (stored.position(cursor.epoch, cursor.seq) or 0) if cursor else 0)
    before = now - timedelta(days=retention_days)
    found = []
    for epoch in stored.epochs():
        place = releasable.get(epoch)
        base = stored.base(epoch)
        low = base.seq if base else 1
        seq = _last_old(stored, epoch, low, place.seq, last, before) if place else low
        digest = stored.hash_at(epoch, seq)
        if seq > low and digest is not None:
            found.append(Place(epoch, seq, digest))
    return found


def next_base(stored: Questions, place: Place) -> Place:
    """The base after one transaction on the way to `place`; its epoch's present one when it is there.

    Raises StoreError when `place` is not in the chain, is newer than the snapshot, or is the newest entry.
    """
    where = f"entry {place.seq} of epoch {place.epoch}"
    base = stored.base(place.epoch)
    if base is not None and place.seq <= base.seq:
        return base
    if stored.hash_at(place.epoch, place.seq) != place.hash:
        raise StoreError(f"{where} does not stand in this journal with that hash; nothing was pruned")
    position = stored.position(place.epoch, place.seq) or 0
    snapshot = stored.snapshot()
    if snapshot is None or position > (stored.position(snapshot[0].epoch, snapshot[0].seq) or 0):
        raise StoreError(f"{where} is newer than the snapshot of the books; nothing was pruned")
    if position == stored.entries():
        raise StoreError(f"{where} is the newest; it stays, nothing was pruned")
    seq = min(place.seq, (base.seq if base else 1) + PRUNE_ENTRIES_MAX)
    return Place(place.epoch, seq, stored.hash_at(place.epoch, seq) or "")


def prune_to(connection: sqlite3.Connection, base: Place) -> Pruned:
    """Delete everything behind the epoch's Begin up to `base`, a stored place, inside a transaction.

    Raises StoreError, and then has deleted nothing, when the base's record cannot be read.
    """
    execute = connection.execute
    epoch, seq = base.epoch, base.seq
    row = execute("SELECT position, record FROM entry WHERE epoch = ? AND seq = ?", (epoch, seq)).fetchone()
    if row is None:  # it is the base already
        return Pruned(base, 0, 0, 0)
    recorded_at = utc_text(_recorded_at(row[1], epoch, seq))
    execute(
        "INSERT INTO pruned_count (epoch, door, type, entries)"
        " SELECT epoch, door, type, count(*) FROM entry"
        " WHERE epoch = ? AND seq > 1 AND seq <= ? AND door IS NOT NULL GROUP BY door, type"
        " ON CONFLICT DO UPDATE SET entries = entries + excluded.entries",
        (epoch, seq),
    )
    execute(
        "INSERT INTO pruned (epoch, seq, hash, position) VALUES (?,?,?,?) ON CONFLICT DO UPDATE"
        " SET seq = excluded.seq, hash = excluded.hash, position = excluded.position",
        (epoch, seq, base.hash, row[0]),
    )
    entries = execute("DELETE FROM entry WHERE epoch = ? AND seq > 1 AND seq <= ?", (epoch, seq))
    heads = execute("DELETE FROM signed_head WHERE epoch = ? AND seq < ?", (epoch, seq))
    # Scans come in the order of time, more or less: what stands before the first later one goes.
    reads = execute(
        "DELETE FROM read_evidence WHERE position < coalesce("
        "(SELECT position FROM read_evidence WHERE at > ? ORDER BY position LIMIT 1), ?)",
        (recorded_at, 2**62),
    )
    passages = execute(
        "DELETE FROM passage_evidence WHERE position < coalesce("
        "(SELECT position FROM passage_evidence WHERE closed_at > ? ORDER BY position LIMIT 1), ?)",
        (recorded_at, 2**62),
    )
    return Pruned(base, entries.rowcount, reads.rowcount, heads.rowcount, passages.rowcount)


def _recorded_at(record: bytes, epoch: str, seq: int) -> datetime:
    try:
        return read_record(record).recorded_at
    except EntryError as error:
        raise StoreError(
            f"entry {seq} of epoch {epoch} cannot be read: {error}; nothing was pruned"
        ) from error


def _last_old(
    stored: Questions, epoch: str, low: int, high: int, last_position: int, before: datetime
) -> int:
    """The last seq in (low, high] recorded before a time and standing at most at a position; else low."""
    while low < high:
        middle = (low + high + 1) // 2
        record = stored.record_at(epoch, middle)
        position = stored.position(epoch, middle)
        old = record is not None and position is not None and position <= last_position
        if old and record is not None and _recorded_at(record, epoch, middle) < before:
            low = middle
        else:
            high = middle - 1
    return low
