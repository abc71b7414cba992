# SPDX-License-Identifier: Apache-2.0
"""The one writer of a node's journal: opens it by rule E, gives entries their places, commits.

Everything here blocks and is called by one thread at a time, but `Writer.anchor`, which another may call
while the next batch is committed. It knows no event loop; `edge.journal` queues for it and tells what it has
written.
"""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final, Self

from edge.anchor import Anchor, sync_folder
from edge.batch import (
    Append,
    Batch,
    CursorMove,
    Ended,
    Identity,
    Item,
    PassageNote,
    Prune,
    ReadNote,
    SnapshotPut,
    UnderwayNote,
    UnderwayOver,
)
from edge.clock import Clocks
from edge.errors import DiskFull, EdgeError, JournalFailed, StoreBusy, StoreError
from edge.prune import next_base, prune_to
from edge.room import NO_ROOM, Room
from edge.rows import (
    DELETE_UNDERWAY,
    INSERT_PASSAGE,
    INSERT_READ,
    INSERT_UNDERWAY,
    passage_row,
    read_row,
    underway_row,
)
from edge.store import JOURNAL_FILE, SCHEMA_VERSION, Questions, schema_version
from sync.bodies import Begin, Rotate, body_bytes, read_body, schema_of
from sync.chain import BeginAnew, GoOn, rule_e
from sync.entry import GENESIS, Draft, Entry, Place, read_record, record_bytes, record_hash
from sync.errors import EntryError

ROOM_CHECK_NS: Final = 100_000_000
"""Room is looked up at most this often: no disk takes a quarter of a reserve in a tenth of a second."""

SIGN_EVERY_NS: Final = 1_000_000_000
"""A head is signed once a second while there is news."""

_WAL_PAGES: Final = 4096
"""Pages (of 4 KiB) after which SQLite itself checkpoints inside a commit: bounds the log under load."""

_IDLE_WAL_BYTES: Final = 4 * 1024 * 1024
"""A write-ahead log larger than this is emptied when nobody waits for the writer."""

_WRITE_TIMEOUT_S: Final = 5.0
"""The writer waits this long for the instant in which a reader recovers the write-ahead log."""

ROTATE: Final = "rotate"
"""The entry that names the epoch's next key: the last word of its epoch, which never goes on after it."""

_NAME: Final = re.compile(r"[a-z0-9_-]{1,40}")

INSERT_ENTRY: Final = "INSERT INTO entry (epoch, seq, entry_id, hash, record) VALUES (?,?,?,?,?)"
_INSERT_HEAD: Final = "INSERT INTO signed_head (epoch, seq, hash, signature) VALUES (?,?,?,?)"


def connect_writer(path: Path) -> sqlite3.Connection:
    """The connection that writes; `Writer.open` sets how. A test hands in one that fails on purpose."""
    return sqlite3.connect(path, isolation_level=None, timeout=_WRITE_TIMEOUT_S, check_same_thread=False)


class Writer:
    """Writes one store. `open` it; after any error of `commit`, `anchor` or `idle` only `close`
    may follow.

    `place` is the head of what was drawn up, `begun` the decision when `open` began another epoch, `full`
    is set when the ballast was released: what is already queued can still be written, no more than that.
    """

    def __init__(
        self,
        store: Path,
        connection: sqlite3.Connection,
        anchor: Anchor,
        clocks: Clocks,
        identity: Identity,
        room: Room,
    ) -> None:
        self.store = store
        self.signer = anchor.signer()
        self.begun: BeginAnew | None = None
        self.reads_left_out = 0
        self.passages_left_out = 0
        self.full: DiskFull | None = None
        self.connection = connection
        self._undo = ExitStack()
        self._anchor = anchor
        self._clocks = clocks
        self._identity = identity
        self._room = room
        self._epoch = ""
        self._seq = 0
        self._hash = GENESIS
        self._signed_ns = clocks.mono_ns()
        self._unsigned = False
        self._room_ns = -ROOM_CHECK_NS
        self._room_for_reads = True

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
        """Open the journal in folder `store`, made when it is missing; continue it by rule E, but never
        the epoch `ended`. The ballast of `reserve_bytes` is laid if it does not lie there.

        Raises StoreBusy, StoreNewer, StoreError, AnchorError, DiskFull, or JournalFailed when the
        first write fails.
        """
        _check_identity(identity)
        with ExitStack() as undo:
            try:
                store.mkdir(parents=True, exist_ok=True, mode=0o700)
                lock = _take_lock(store)
                undo.callback(os.close, lock)
                anchor.hold()
                undo.callback(anchor.release)
                Room(store, reserve_bytes).require()
                connection = connect(store / JOURNAL_FILE)
                undo.callback(connection.close)
                _prepare(connection, store)
                room = Room(store, reserve_bytes, store_bytes_max)
                writer = cls(store, connection, anchor, clocks, identity, room)
                room.lay(writer._spare_bytes())
                writer._continue(shown, ended)
            except (sqlite3.Error, OSError) as error:
                raise failure(error) from error
            writer._undo = undo.pop_all()
            return writer

    @property
    def place(self) -> Place:
        """The head of what was drawn up."""
        return Place(self._epoch, self._seq, self._hash)

    def draw_up(self, items: Sequence[Item]) -> Batch:
        """Give the items their places, in order. Nothing is written yet.

        Raises EntryError for a draft that cannot be an entry; the writer must be closed then.
        """
        batch = Batch(self.place)
        now = self._clocks.utc()
        for kind, run in groupby(items, type):
            if kind is Append:
                self._place(batch, run, now)
            else:
                for item in run:
                    self._take_note(batch, item)
        batch.place = self.place
        if batch.entry_rows:
            self._unsigned = True
            # An epoch's last word is signed with it: by that the center believes the key that it names.
            if self._sign_due() or batch.entries[-1].draft.type == ROTATE:
                self._sign(batch)
        return batch

    def commit(self, batch: Batch) -> None:
        """Write the batch in one transaction. When this returns it is on the medium, and may be anchored.

        Raises DiskFull or JournalFailed; then nothing of it may be anchored or told.
        """
        try:
            self._keep_room(batch)
            self._write_in_room(batch)
        except (sqlite3.Error, OSError) as error:
            raise failure(error) from error

    def anchor(self, batches: Sequence[Batch]) -> None:
        """Write one anchor for batches that are committed, in order. When this returns they may be told.

        Raises DiskFull or JournalFailed; then nothing of them may be told.
        """
        if any(batch.entry_rows for batch in batches):
            try:
                self._anchor.write(batches[-1].place)
            except OSError as error:
                raise failure(error) from error

    def idle(self) -> Batch | None:
        """What the writer does when nothing waits: sign the head when it is due, shorten the log.

        Returns the batch with the signed head, if there was one. Raises as `commit`.
        """
        batch = Batch(self.place)
        if self._unsigned and self._sign_due():
            self._sign(batch)
            self.commit(batch)
        try:
            if _wal_bytes(self.store) > _IDLE_WAL_BYTES:
                self._shorten()
        except sqlite3.Error as error:
            raise failure(error) from error
        return batch if batch.heads else None

    def seal(self) -> Batch | None:
        """Sign the head if the last signed one is older. Returns and raises as `idle`."""
        if not self._unsigned:
            return None
        batch = Batch(self.place)
        self._sign(batch)
        self.commit(batch)
        return batch

    @property
    def sign_due_ns(self) -> int | None:
        """The monotonic time at which a head is due; None while there is no news."""
        return self._signed_ns + SIGN_EVERY_NS if self._unsigned else None

    def close(self) -> None:
        """Empty the write-ahead log if that is possible, close everything, let the locks go."""
        try:
            if self.connection.in_transaction:
                self.connection.rollback()
            self._shorten()
        except sqlite3.Error:
            pass  # what is committed stays in the log and is read from there at the next start
        finally:
            self._undo.close()

    def _continue(self, shown: Sequence[Place], ended: Ended | None) -> None:
        stored = Questions(self.connection)
        epochs = stored.epochs()
        head = stored.head(epochs[-1]) if epochs else None
        begin = self._begin_of(stored, head.epoch) if head else None
        anchored = self._anchor.read()
        decision = rule_e(head, anchored, shown, stored.hash_at, begin.parent if begin else None)
        if head is None or begin is None:
            assert isinstance(decision, BeginAnew), "nothing is stored that could go on"
            self._begin(decision)
            return
        last = stored.record_at(head.epoch, head.seq)
        rotated = _rotated_to(last) if last is not None else None
        self._take_key(begin.key, rotated)
        if isinstance(decision, GoOn):
            self._epoch, self._seq, self._hash = head.epoch, head.seq, head.hash
            # What a crash left behind the anchor is told from now on, by the state that is folded of it.
            if anchored != head:
                self._anchor.write(head)
            if ended is not None and ended.epoch == head.epoch:
                decision = BeginAnew(head, head, ended.reason)
            elif rotated is not None:
                found = self.signer.public == rotated
                why = "key rotated" if found else "the key to rotate to is not beside the anchor"
                decision = BeginAnew(head, head, why)
            elif self.signer.public != begin.key:
                decision = BeginAnew(head, head, "the key of this epoch is not beside the anchor")
            else:
                return
        self._begin(decision)

    def _begin_of(self, stored: Questions, epoch: str) -> Begin:
        first = stored.record_at(epoch, 1)
        if first is None:
            raise StoreError(f"epoch {epoch} has no Begin; run zonegate verify on this store")
        begin = read_body(_read(first))
        if not isinstance(begin, Begin):
            raise StoreError(f"epoch {epoch} does not start with a Begin; run zonegate verify on this store")
        self._check_owner(begin)
        return begin

    def _take_key(self, begun_with: str, rotated: str | None) -> None:
        """Sign with the key that was prepared, if the epoch at hand or the one that follows it is its."""
        prepared = self._anchor.prepared()
        if prepared is None:
            return
        if prepared.public == begun_with:  # a crash after that Begin was written
            self._anchor.promote()
            self.signer = prepared
        elif prepared.public == rotated:
            self.signer = prepared

    def _check_owner(self, begin: Begin) -> None:
        stored = Identity(begin.tenant, begin.zone, begin.node)
        if stored != self._identity:
            raise StoreError(
                f"the store {self.store} belongs to node {stored.node} of zone {stored.zone}, "
                f"tenant {stored.tenant}; this is node {self._identity.node} of zone {self._identity.zone}, "
                f"tenant {self._identity.tenant}: name another store, or correct the configuration"
            )

    def _place(self, batch: Batch, run: Iterable[Any], now: datetime) -> None:
        # Local names: this loop is what the journal costs beyond SQLite.
        epoch, seq, digest = self._epoch, self._seq, self._hash
        add_row, add_entry = batch.entry_rows.append, batch.entries.append
        for item in run:
            draft = item.draft
            seq += 1
            record = record_bytes(draft, epoch, seq, now, digest)
            digest = record_hash(record)
            add_row((epoch, seq, draft.entry_id, digest, record))
            add_entry(item)
        self._seq, self._hash = seq, digest

    def _take_note(self, batch: Batch, item: Item) -> None:
        if isinstance(item, ReadNote):
            batch.read_rows.append(read_row(item))
        elif isinstance(item, PassageNote):
            batch.passage_rows.append(passage_row(item))
            batch.over_rows.append((item.passage,))
        elif isinstance(item, UnderwayNote):
            batch.underway_rows.append(underway_row(item))
        elif isinstance(item, UnderwayOver):
            batch.over_rows.append((item.passage,))
        elif isinstance(item, CursorMove):
            batch.cursors[item.sink] = item.place
        elif isinstance(item, SnapshotPut):
            batch.snapshot = (self.place, item.state)
        elif isinstance(item, Prune):
            batch.prunes.append(item)

    def _begin(self, decision: BeginAnew) -> None:
        """Begin another epoch: its Begin and its signed head are committed and anchored."""
        self.begun = decision
        self._epoch, self._seq, self._hash = self._clocks.epoch(), 0, GENESIS
        who, now = self._identity, self._clocks.utc()
        body = Begin(
            tenant=who.tenant,
            zone=who.zone,
            node=who.node,
            key=self.signer.public,
            reason=decision.reason,
            parent=decision.parent,
            end=decision.end,
        )
        draft = Draft(
            self._clocks.entry_id(), "begin", schema_of("begin"), now, self._clocks.stamp(), body_bytes(body)
        )
        if decision.parent is None:
            # Else a crash before the anchor of this Begin would look like a lost anchor.
            self._anchor.write(self.place)
        batch = Batch(self.place, begins=self._epoch)
        self._place(batch, [Append(draft)], now)
        batch.place = self.place
        self._sign(batch)
        self.commit(batch)
        self.anchor([batch])
        # Only now: until here a crash finds the epoch before, or its key beside the one that is due.
        if self._anchor.signer().public != self.signer.public:
            self._anchor.promote()

    def _shorten(self) -> None:
        """Empty the write-ahead log, unless a reader is in it: nobody waits for a reader here."""
        self.connection.execute("PRAGMA busy_timeout = 0").fetchall()
        try:
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:  # a full disk may refuse it, and the writer goes on
            self.connection.execute(f"PRAGMA busy_timeout = {_WRITE_TIMEOUT_S * 1000:.0f}").fetchall()

    def _sign_due(self) -> bool:
        return self._clocks.mono_ns() - self._signed_ns >= SIGN_EVERY_NS

    def _sign(self, batch: Batch) -> None:
        batch.heads.append(self.signer.head(self.place))
        self._signed_ns = self._clocks.mono_ns()
        self._unsigned = False

    def _keep_room(self, batch: Batch) -> None:
        now_ns = self._clocks.mono_ns()
        if now_ns - self._room_ns >= ROOM_CHECK_NS:
            self._room_ns = now_ns
            if self.full is None:
                self._look_for_room()
        if not self._room_for_reads:
            self._leave_out_reads(batch)

    def _look_for_room(self) -> None:
        room = self._room
        free = room.free(self._spare_bytes())
        self._room_for_reads = free >= room.evidence_bytes
        if free >= room.low_bytes:
            return
        with suppress(sqlite3.Error):  # a log that cannot be emptied now is emptied later
            self._shorten()
        if room.free(self._spare_bytes()) < room.low_bytes:
            self._give_way()

    def _write_in_room(self, batch: Batch) -> None:
        """Write; when the disk refuses, release the ballast and write the same once more."""
        try:
            self._write(batch)
        except sqlite3.Error as error:
            if not _is_full(error) or not self._give_way():
                raise
            self._leave_out_reads(batch)
            batch.snapshot = None  # a start without it only takes longer
            self._write(batch)

    def _give_way(self) -> bool:
        """Release the ballast: from now on no more is taken on. False when there was none."""
        released = self._room.release()
        self._room_for_reads = False
        self.full = self._room.released(self._spare_bytes())
        return released

    def _leave_out_reads(self, batch: Batch) -> None:
        self.reads_left_out += len(batch.read_rows)
        self.passages_left_out += len(batch.passage_rows)
        batch.read_rows.clear()
        batch.passage_rows.clear()

    def _spare_bytes(self) -> int:
        """Room that is free inside the database file; only a quota asks for it."""
        if self._room.store_bytes_max is None:
            return 0
        execute = self.connection.execute
        pages, size = (execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size"))
        return int(pages * size)

    def _write(self, batch: Batch) -> None:
        execute = self.connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            if batch.begins is not None:
                execute("INSERT INTO own_epoch (epoch) VALUES (?)", (batch.begins,))
            if len(batch.entry_rows) == 1:
                execute(INSERT_ENTRY, batch.entry_rows[0])
            elif batch.entry_rows:
                self.connection.executemany(INSERT_ENTRY, batch.entry_rows)
            for statement, rows in (
                (INSERT_READ, batch.read_rows),
                (INSERT_PASSAGE, batch.passage_rows),
                (INSERT_UNDERWAY, batch.underway_rows),
                (DELETE_UNDERWAY, batch.over_rows),
            ):
                if rows:
                    self.connection.executemany(statement, rows)
            for head in batch.heads:
                execute(_INSERT_HEAD, (head.epoch, head.seq, head.hash, head.signature))
            for sink, place in batch.cursors.items():
                execute(
                    "INSERT OR REPLACE INTO cursor (sink, epoch, seq, hash) VALUES (?,?,?,?)",
                    (sink, place.epoch, place.seq, place.hash),
                )
            if batch.snapshot is not None:
                place, state = batch.snapshot
                execute(
                    "INSERT OR REPLACE INTO snapshot (one, epoch, seq, hash, state) VALUES (1,?,?,?,?)",
                    (place.epoch, place.seq, place.hash, state),
                )
            for prune in batch.prunes:
                self._prune(prune)
            execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                execute("ROLLBACK")
            raise

    def _prune(self, item: Prune) -> None:
        """Prune inside the transaction; what may not go is told to who asked, and stops nothing else."""
        try:
            base = next_base(Questions(self.connection), item.place)
            item.outcome = prune_to(self.connection, base)
        except StoreError as error:
            item.outcome = error


def failure(error: Exception) -> EdgeError:
    """The room's error for what the operating system or SQLite said of a write."""
    if isinstance(error, EdgeError):
        return error
    if _is_full(error):
        return DiskFull(f"the disk of the journal or its anchor is full ({error}); free some room")
    return JournalFailed(f"the journal could not be written: {error}; check the disk")


def _is_full(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL or (
        isinstance(error, OSError) and error.errno in NO_ROOM
    )


def _rotated_to(record: bytes) -> str | None:
    """The key that a record names as the next one; None when it is no such entry."""
    entry = _read(record)
    if entry.type != ROTATE:
        return None
    try:
        body: Rotate = read_body(entry)
    except EntryError as error:
        raise StoreError(f"the last entry, a rotate, cannot be read: {error}") from error
    return body.key


def _read(record: bytes) -> Entry:
    try:
        return read_record(record)
    except EntryError as error:
        raise StoreError(f"the journal holds {error}; run zonegate verify on this store") from error


def _check_identity(identity: Identity) -> None:
    for key, name in (("tenant", identity.tenant), ("zone", identity.zone), ("node", identity.node)):
        if not _NAME.fullmatch(name):
            raise StoreError(f"the {key} is {name!r}; expected 1 to 40 of a-z, 0-9, _ and -")


def _take_lock(store: Path) -> int:
    """The store for this process alone: SQLite lets many write, but only one may chain."""
    lock = os.open(store / "journal.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise StoreBusy(f"the journal in {store} is open in another process; end that one first") from error
    return lock


def _prepare(connection: sqlite3.Connection, store: Path) -> None:
    """Set how the connection writes, make or migrate the tables, flush what a crash left unflushed."""
    version = schema_version(connection)
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise StoreError(f"the disk of {store} cannot hold a write-ahead log (mode {mode}); use a local disk")
    for setting in (
        "synchronous = FULL",
        f"wal_autocheckpoint = {_WAL_PAGES}",
        f"journal_size_limit = {_WAL_PAGES * 4096}",
        "mmap_size = 0",
    ):
        connection.execute(f"PRAGMA {setting}").fetchall()
    if version < SCHEMA_VERSION:
        from edge.migrations import migrate

        # First: a process that is killed behind its first commit does not come here again.
        _sync_folders(store)
        migrate(connection)
        sync_folder(store)
    # A killed process may leave commits in the page cache only. They are read, and so told, from now on.
    log = store / f"{JOURNAL_FILE}-wal"
    if log.exists():
        with log.open("rb") as file:
            os.fsync(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _sync_folders(store: Path) -> None:
    """Bring the store's name to its medium, and the names of the folders that may have been made for it."""
    for folder in store.absolute().parents:
        with suppress(PermissionError):  # made by somebody else, then
            sync_folder(folder)
        if folder.is_mount():
            return


def _wal_bytes(store: Path) -> int:
    try:
        return (store / f"{JOURNAL_FILE}-wal").stat().st_size
    except FileNotFoundError:
        return 0
