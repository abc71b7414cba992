# SPDX-License-Identifier: Apache-2.0
"""Backing a node's store up while it runs, and putting a backup in the place of a store that is gone.

Neither touches the anchor: it is the witness that tells an old store from the living one, so it and the
private key beside it are in no backup.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from edge.anchor import Anchor, sync_folder
from edge.batch import Identity
from edge.config import NodeConfig
from edge.errors import EdgeError
from edge.store import JOURNAL_FILE, JournalReader
from sync.bodies import Begin, read_body
from sync.entry import Place, read_record
from zonegate.verify import verify_store

NOTE_FILE: Final = "backup.json"
_LOCK_FILE: Final = "journal.lock"
_READ_BYTES: Final = 1024 * 1024


class KeepingError(EdgeError):
    """A backup cannot be made or restored; the message says why and what to do."""


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup says of itself, in `backup.json`: whose it is, when it was made (UTC), the journal's
    SHA-256, and the last entry of each epoch in it, oldest epoch first.
    """

    tenant: str
    zone: str
    node: str
    made_at: datetime
    sha256: str
    heads: tuple[Place, ...]


def back_up(config: NodeConfig, folder: Path, now: datetime) -> Backup:
    """Copy the journal into `folder`, which must be new or empty; the node may run meanwhile.

    Returns once the copy is on its medium and was verified from its first entry to its last. Raises
    KeepingError and what reading the journal raises.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise KeepingError(f"{folder} is not empty; name a new folder for each backup")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    copy = folder / JOURNAL_FILE
    with JournalReader(config.store) as reader:
        source = f"{reader.path.absolute().as_uri()}?mode=ro"
    try:
        with (
            closing(sqlite3.connect(source, uri=True)) as living,
            closing(sqlite3.connect(copy, isolation_level=None)) as target,
        ):
            # All pages in one step, under one reading: the writer goes on, and nothing is copied twice.
            living.backup(target, pages=-1)
            target.execute("PRAGMA journal_mode = DELETE").fetchall()
    except sqlite3.Error as error:
        raise KeepingError(f"the journal could not be copied to {copy}: {error}") from error
    copy.chmod(0o600)
    _check_whole(folder)
    with JournalReader(folder) as reader:
        begin = _begin(reader)
        heads = tuple(head for epoch in reader.epochs() if (head := reader.head(epoch)) is not None)
    note = Backup(
        tenant=begin.tenant,
        zone=begin.zone,
        node=begin.node,
        made_at=now,
        sha256=_sha256(copy),
        heads=heads,
    )
    (folder / NOTE_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(note)) + b"\n")
    for path in (copy, folder / NOTE_FILE):
        _to_medium(path)
    sync_folder(folder)
    return note


def restore(config: NodeConfig, folder: Path) -> str:
    """Put a backup where the configured store was; what follows at the next start, as a sentence for people.

    Raises KeepingError when the node runs, a journal is there, or the backup is another node's or not whole.
    """
    note = _read_note(folder)
    who = Identity(config.tenant, config.zone, config.node)
    if Identity(note.tenant, note.zone, note.node) != who:
        raise KeepingError(
            f"{folder} is a backup of node {note.node} of zone {note.tenant}/{note.zone}, the configuration "
            f"is of node {who.node} of zone {who.tenant}/{who.zone}; name the right one"
        )
    _check_stopped(config)
    target = config.store / JOURNAL_FILE
    if target.exists():
        raise KeepingError(
            f"there is a journal in {config.store}; it may hold entries that nobody else has. "
            "Move that folder to a safe place first"
        )
    if _sha256(folder / JOURNAL_FILE) != note.sha256:
        raise KeepingError(f"{folder / JOURNAL_FILE} is not the file that was backed up; take another backup")
    _check_whole(folder)
    beside = target.with_name(target.name + ".restored")
    try:
        with _held(config.store):  # a node that is started meanwhile must not begin a journal of its own here
            if target.exists():
                raise KeepingError(f"a node has begun a journal in {config.store} meanwhile; stop it first")
            shutil.copyfile(folder / JOURNAL_FILE, beside)
            beside.chmod(0o600)
            _keep_owner(beside, config.store)
            _to_medium(beside)
            for stale in ("-wal", "-shm"):
                target.with_name(target.name + stale).unlink(missing_ok=True)
            beside.rename(target)
            sync_folder(config.store)
    except OSError as error:
        raise KeepingError(f"{target} cannot be written: {error.strerror}; nothing was restored") from error
    return _what_follows(config, note)


def _what_follows(config: NodeConfig, note: Backup) -> str:
    last = note.heads[-1]
    anchored = Anchor(config.anchor).read() if config.anchor.is_dir() else None
    if anchored is None:
        return (
            f"There is no anchor in {config.anchor}. The node will begin another epoch, without leases and "
            "with a new key: make it a code with `zonegate central enrol`. What its old epochs were lent "
            "stays charged until people have counted; the center's page of the node asks for the count."
        )
    if anchored == last:
        return "The anchor names the last entry of this backup: the node goes on as if nothing had happened."
    if anchored.epoch == last.epoch and anchored.seq > last.seq:
        return (
            f"The anchor is ahead: entries {last.seq + 1} to {anchored.seq} of epoch {last.epoch} are not in "
            "this backup. The node will begin another epoch that proves where the old one ended. If the "
            "center has those entries, it closes the old epoch by itself and lends anew; if not, its page of "
            "the node names them, and people count the goods they may concern."
        )
    return (
        "The anchor is of another epoch than this backup: that one was begun later. The node will begin "
        "another epoch. What the missing epochs were lent stays charged until people have counted; the "
        "center's page of the node asks for it."
    )


def _check_stopped(config: NodeConfig) -> None:
    for path in (config.store / _LOCK_FILE, config.anchor / "anchor"):
        try:
            with path.open("rb") as held:
                fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            continue
        except BlockingIOError as error:
            raise KeepingError(f"{path} is held: the node runs. Stop it first") from error


@contextmanager
def _held(store: Path) -> Iterator[None]:
    """The store for this process alone, as a node holds it; its folder is made where it is not there."""
    if not store.exists():
        store.mkdir(mode=0o700, parents=True)
        _keep_owner(store, store.parent)
    path = store / _LOCK_FILE
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _keep_owner(path, store)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise KeepingError(f"{path} is held: the node runs. Stop it first") from error
    finally:
        os.close(lock)


def _check_whole(folder: Path) -> None:
    finding = verify_store(folder).finding
    if finding is not None:
        raise KeepingError(f"the journal in {folder} is not whole: {finding.sentence}")


def _read_note(folder: Path) -> Backup:
    path = folder / NOTE_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Backup)
    except FileNotFoundError as error:
        raise KeepingError(
            f"there is no {NOTE_FILE} in {folder}; name a folder that `zonegate node backup` has made"
        ) from error
    except (OSError, msgspec.MsgspecError) as error:
        raise KeepingError(f"{path} cannot be read: {error}; take another backup") from error


def _begin(reader: JournalReader) -> Begin:
    record = reader.record_at(reader.epochs()[-1], 1)
    assert record is not None, "verified: each epoch has its Begin"
    begin: Begin = read_body(read_record(record))
    return begin


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_READ_BYTES):
                digest.update(block)
    except OSError as error:
        raise KeepingError(f"{path} cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def _to_medium(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _keep_owner(path: Path, folder: Path) -> None:
    """Root may restore; what is made is the node's, as the folder that it is in."""
    owned = folder.stat()
    if os.geteuid() == 0:
        os.chown(path, owned.st_uid, owned.st_gid)
