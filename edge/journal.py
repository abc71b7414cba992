# SPDX-License-Identifier: Apache-2.0
"""The node's journal on the event loop: entries are queued in call order, written by one thread, told.

*Told* means: committed and flushed, the anchor written, and only then the future resolved and the
callbacks called. The thread takes all that is queued, writes it as one transaction, and repeats, so
batches grow with the load and no timer is needed. A second one anchors what is committed and passes it
to the loop, while the first commits the next batch. Knows no doors and no books.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, Self

from edge.anchor import Anchor
from edge.anchoring import Anchoring
from edge.batch import (
    Append,
    Batch,
    CursorMove,
    Ended,
    Identity,
    Item,
    PassageNote,
    Placed,
    Prune,
    Pruned,
    ReadNote,
    SnapshotPut,
    UnderwayNote,
    UnderwayOver,
)
from edge.clock import Clocks
from edge.errors import Backlogged, EdgeError, JournalClosed
from edge.writer import ROTATE, Writer, connect_writer, failure
from sync.chain import BeginAnew
from sync.entry import Draft, Head, Place, body_bytes_max
from sync.errors import EntryError
from sync.keys import Signer

__all__ = ["Ended", "Identity", "Journal", "JournalCounters", "Placed", "Pruned"]

BATCH_ITEMS_MAX: Final = 500
"""Items of one transaction: longer ones make everybody in them wait."""

BATCH_BYTES_MAX: Final = 4 * 1024 * 1024
"""Bodies of one transaction end after this many bytes: bounds memory and the write-ahead log."""

QUEUE_ITEMS_MAX: Final = 20_000
"""Items that may wait: minutes of every scanner at its fastest, on the slowest medium."""

IDLE_TICK_S: Final = 1.0
"""The writing thread shows that it lives at least this often."""

COMMIT_MS_BUCKETS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Upper bounds of the commit latencies counted, in milliseconds; slower ones are in the total only."""


@dataclass(frozen=True, slots=True)
class JournalCounters:
    """What the journal has done since it was opened.

    `commit_ms` counts commits (with their anchor) up to each bound of COMMIT_MS_BUCKETS, cumulatively.
    `full`: the ballast was released, the last of what was queued is being written.
    """

    queued: int
    batches: int
    entries: int
    batch_items_last: int
    batch_items_max: int
    commit_ns_sum: int
    commit_ms: tuple[int, ...]
    reads_left_out: int
    passages_left_out: int
    full: bool
    heartbeat_ns: int


class Journal:
    """One node's log, open for appending. All methods are called on the loop that `open` ran on.

    `epoch` is where its entries stand, `begun` says why `open` began another epoch (None: it
    goes on), `told` is the last told place, `failed` gets the error, as its result, of any failed
    write: then nothing more is told, and the owner closes the journal and opens it again. When room runs
    out, what is queued is still told out of the ballast, what comes later is refused with DiskFull, and
    `failed` gets that.
    """

    def __init__(self, writer: Writer, clocks: Clocks) -> None:
        """Use `open`."""
        self._writer = writer
        self._clocks = clocks
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[Sequence[Item] | None] = queue.SimpleQueue()
        """What is queued: an item by itself, or several that are one transaction; None when it is closed."""
        self._bound: list[Item] | None = None
        self._broken: EdgeError | None = None
        self._closing = False
        self._rotated = False
        self._on_told: list[Callable[[Sequence[Placed], Place], None]] = []
        self._on_head: list[Callable[[Head], None]] = []
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._heartbeat_ns = clocks.mono_ns()
        self._batches = 0
        self._entries = 0
        self._batch_items_last = 0
        self._batch_items_max = 0
        self._commit_ns_sum = 0
        self._commit_ms = [0] * len(COMMIT_MS_BUCKETS)
        self._anchoring = Anchoring(writer.anchor, broke=self._wake)
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self.failed: asyncio.Future[EdgeError] = self._loop.create_future()
        self.signer: Signer = writer.signer
        self.begun: BeginAnew | None = writer.begun
        self.told: Place = writer.place
        self.epoch: str = writer.place.epoch

    @classmethod
    def open(  # noqa: PLR0913 - what a journal needs, most of it given by name
        cls,
        store: Path,
        anchor: Anchor,
        *,
        clocks: Clocks,
        identity: Identity,
        shown: Sequence[Place] = (),
        ended: Ended | None = None,
        reserve_bytes: int = 0,
        store_bytes_max: int | None = None,
        connect: Callable[[Path], sqlite3.Connection] = connect_writer,
    ) -> Self:
        """Open the journal in folder `store` and continue it by rule E; blocks for a few flushes.

        `shown` are heads of this node's log that other witnesses know, `ended` an epoch that may not go
        on: when it would, another begins whose parent and proven end are its head. `reserve_bytes` is
        the size of the ballast (0: none), `store_bytes_max` what the store's files may take in all.
        Raises StoreBusy, StoreNewer, StoreError, AnchorError, DiskFull, JournalFailed.
        """
        writer = Writer.open(
            store,
            anchor,
            clocks=clocks,
            identity=identity,
            shown=shown,
            ended=ended,
            reserve_bytes=reserve_bytes,
            store_bytes_max=store_bytes_max,
            connect=connect,
        )
        journal = cls(writer, clocks)
        journal._thread.start()
        return journal

    def append(self, draft: Draft) -> asyncio.Future[Placed]:
        """Queue an entry; the order of calls is the order in the log. The future resolves when it is told.

        It gets the journal's error when the write fails. Nothing is taken after a `rotate` entry, which
        is the last word of its epoch: close the journal and open it again. Raises EntryError for a body
        that is too large, JournalClosed, and Backlogged when too much waits.
        """
        if self._rotated:
            raise JournalClosed(
                f"a {draft.type} entry may not follow the rotate entry, with which this epoch ends; "
                "open the journal again"
            )
        if len(draft.body) > (fits := body_bytes_max(draft.type)):
            raise EntryError(
                f"the body of a {draft.type} entry has {len(draft.body)} bytes, "
                f"at most {fits} fit; split what it carries"
            )
        future: asyncio.Future[Placed] = self._loop.create_future()
        self._put(Append(draft, future))
        self._rotated = draft.type == ROTATE
        return future

    def note_read(
        self,
        *,
        device: str,
        door: str | None,
        at: datetime,
        code: str,
        raw: bytes,
        verdict: str,
        entry_id: str | None,
    ) -> None:
        """Keep a scan as evidence, in the transaction of what is queued with it.

        `code` is printable, `raw` what came (its first 16 KiB are kept), `entry_id` the entry it led
        to. Evidence is left out, and counted, when the disk runs low. Raises as `append`.
        """
        self._put(ReadNote(device, door, at, code, raw, verdict, entry_id))

    def note_passage(self, note: PassageNote) -> None:
        """Keep what a gate found and what it was judged from, in the transaction of what is queued with it.

        It is left out, and counted, when the disk runs low. Raises as `append`.
        """
        self._put(note)

    def note_underway(self, note: UnderwayNote) -> None:
        """Keep that a passage is under way, until `note_passage` or `note_over` speaks of it.

        It is small and no evidence: a disk that runs low takes it still. Raises as `append`.
        """
        self._put(note)

    def note_over(self, passage: str) -> None:
        """A passage is under way no more, though none was judged by that name. Raises as `append`."""
        self._put(UnderwayOver(passage))

    @contextmanager
    def together(self) -> Iterator[None]:
        """Whatever is queued inside is one transaction: a crash finds all of it, or nothing.

        What was queued before an error inside is written all the same: its callers count on it.
        """
        if self._bound is not None:
            yield
            return
        self._bound = []
        try:
            yield
        finally:
            bound, self._bound = self._bound, None
            if bound:
                self._queue.put(bound)

    def set_cursor(self, sink: str, place: Place) -> None:
        """Keep how far a sink has taken this log. Raises as `append`."""
        self._put(CursorMove(sink, place))

    def put_snapshot(self, state: bytes) -> None:
        """Keep the owner's state as of everything queued until now, in place of the one before.

        Raises as `append`.
        """
        self._put(SnapshotPut(state))

    def prune(self, place: Place) -> asyncio.Future[Pruned]:
        """Queue the deletion of everything up to `place` in its epoch, but its Begin.

        Only a slice goes at once: ask again until the result's base is `place`. The future gets StoreError
        when it may not go: not in the chain, not in the snapshot yet, the newest entry. Raises as `append`.
        """
        future: asyncio.Future[Pruned] = self._loop.create_future()
        self._put(Prune(place, future))
        return future

    def on_told(self, callback: Callable[[Sequence[Placed], Place], None]) -> None:
        """Call back once for each batch, in order, after its futures have their results."""
        self._on_told.append(callback)

    def on_head(self, callback: Callable[[Head], None]) -> None:
        """Call back with each head that was signed and stored: once a second while there is news."""
        self._on_head.append(callback)

    def head(self) -> Head:
        """The last told place, signed now."""
        return self.signer.head(self.told)

    def counters(self) -> JournalCounters:
        """What has been done until now."""
        return JournalCounters(
            queued=self._queue.qsize(),
            batches=self._batches,
            entries=self._entries,
            batch_items_last=self._batch_items_last,
            batch_items_max=self._batch_items_max,
            commit_ns_sum=self._commit_ns_sum,
            commit_ms=tuple(self._commit_ms),
            reads_left_out=self._writer.reads_left_out,
            passages_left_out=self._writer.passages_left_out,
            full=self._writer.full is not None,
            heartbeat_ns=self._heartbeat_ns,
        )

    @property
    def heartbeat_ns(self) -> int:
        """Monotonic time of the writing thread's last commit or idle tick; at most a tick old when well."""
        return self._heartbeat_ns

    async def close(self) -> None:
        """Write all that is queued, sign the head, close the files. Also after a failure; may be repeated."""
        if not self._closing:
            self._closing = True
            self._queue.put(None)
        await asyncio.shield(self._ended)
        self._thread.join()

    def _put(self, item: Item) -> None:
        if self._closing:
            raise JournalClosed("the journal is closed; nothing was written")
        if self._broken is not None:
            _refuse(item, self._broken)
            return
        if self._queue.qsize() >= QUEUE_ITEMS_MAX:
            raise Backlogged(f"{QUEUE_ITEMS_MAX} items wait for the disk; it is too slow, try again later")
        if self._bound is not None:
            self._bound.append(item)
        else:
            self._queue.put((item,))

    # The writing thread.

    def _run(self) -> None:
        items: list[Item] = []
        stopping = False
        try:
            going = True
            while going:
                if self._writer.full is not None and not stopping:
                    stopping = True
                    self._on_loop(self._stop, self._writer.full)
                items, going = self._take()
                if items:
                    self._settle(items)
                    items = []
                elif going:
                    # First: an anchor that hangs shows, and no head is told before what it is the head of.
                    self._anchoring.settle()
                    self._tell_heads(self._writer.idle())
                self._heartbeat_ns = self._clocks.mono_ns()
            self._anchoring.settle()
            self._tell_heads(self._writer.seal())
            if stopping:
                self._on_loop(self._fail, self._writer.full, [])
        except Exception as error:  # noqa: BLE001 - a writer that died unseen would be the worst failure
            with suppress(Exception):  # what was committed before is told, or lost by an error of its own
                self._anchoring.settle()
            self._on_loop(self._fail, failure(error), [*self._untold(), *items])
        finally:
            try:
                self._anchoring.close()
                self._writer.close()
            finally:
                self._on_loop(self._end)

    def _take(self) -> tuple[list[Item], bool]:
        """All that is queued, up to a batch; waits for the first item. False: closed after these."""
        items: list[Item] = []
        size = 0
        try:
            some = self._queue.get(timeout=self._patience_s())
            while some is not None:
                items += some
                size += sum(map(_size, some))
                if len(items) >= BATCH_ITEMS_MAX or size >= BATCH_BYTES_MAX:
                    return items, True
                some = self._queue.get_nowait()
        except queue.Empty:
            return items, True
        return items, False

    def _patience_s(self) -> float:
        due_ns = self._writer.sign_due_ns
        if due_ns is None:
            return IDLE_TICK_S
        return min(IDLE_TICK_S, max(0.0, (due_ns - self._clocks.mono_ns()) / 1e9))

    def _settle(self, items: list[Item]) -> None:
        """Commit, then have it anchored, and then told."""
        batch = self._writer.draw_up(items)
        start_ns = self._clocks.mono_ns()
        self._writer.commit(batch)
        self._anchoring.put(batch, partial(self._anchored, len(items), batch, start_ns))

    def _untold(self) -> list[Item]:
        """Who waits for a batch that was committed and never anchored."""
        items: list[Item] = []
        for batch in self._anchoring.untold():
            items += [*batch.entries, *batch.prunes]
        return items

    # On the anchoring thread.

    def _anchored(self, items: int, batch: Batch, start_ns: int) -> None:
        self._count(items, batch, self._clocks.mono_ns() - start_ns)
        self._on_loop(self._tell, batch)

    def _wake(self) -> None:
        """The anchor failed: nothing more is written, and the writing thread may be waiting for items."""
        self._queue.put(None)

    def _count(self, items: int, batch: Batch, took_ns: int) -> None:
        self._batches += 1
        self._entries += len(batch.entry_rows)
        self._batch_items_last = items
        self._batch_items_max = max(self._batch_items_max, items)
        self._commit_ns_sum += took_ns
        for index, bound_ms in enumerate(COMMIT_MS_BUCKETS):
            if took_ns <= bound_ms * 1_000_000:
                self._commit_ms[index] += 1

    # On either thread.

    def _tell_heads(self, batch: Batch | None) -> None:
        if batch is not None:
            self._on_loop(self._tell, batch)

    def _on_loop(self, call: Callable[..., None], *values: object) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *values)
        except RuntimeError:
            self._loop_gone()

    def _loop_gone(self) -> None:
        """The loop was closed without closing the journal: there is nobody to tell, so end."""
        self._wake()

    # On the loop.

    def _tell(self, batch: Batch) -> None:
        if batch.entry_rows:
            self.told = batch.place
            told = batch.placed()
            for entry, placed in zip(batch.entries, told, strict=True):
                if not entry.future.done():
                    entry.future.set_result(placed)
            for callback in self._on_told:
                callback(told, batch.place)
        for prune in batch.prunes:
            if isinstance(prune.outcome, Exception):
                _refuse(prune, prune.outcome)
            elif not prune.future.done():
                prune.future.set_result(prune.outcome)
        for head in batch.heads:
            for signed in self._on_head:
                signed(head)

    def _stop(self, error: EdgeError) -> None:
        """Take nothing more; what is queued is still written and told."""
        self._broken = error
        self._queue.put(None)

    def _fail(self, error: EdgeError, items: list[Item]) -> None:
        self._broken = error
        waiting = list(items)
        while not self._queue.empty():
            waiting += self._queue.get_nowait() or ()
        for item in waiting:
            _refuse(item, error)
        self.failed.set_result(error)

    def _end(self) -> None:
        self._ended.set_result(None)


def _size(item: Item) -> int:
    """The bytes that count for a transaction's size."""
    if isinstance(item, Append):
        return len(item.draft.body)
    return len(item.finding) + len(item.evidence) if isinstance(item, PassageNote) else 0


def _refuse(item: Item, error: Exception) -> None:
    """Give the error to whoever waits for the item; `failed` tells it too, so it never goes unseen."""
    if isinstance(item, Append | Prune) and not item.future.done():
        item.future.set_exception(error)
        item.future.exception()
