# SPDX-License-Identifier: Apache-2.0
"""The anchor: the last told head, the private keys and a center's roll, on a second medium and in no backup.

One file with two slots that are written in turn, each with a checksum: a write torn by a power cut
leaves the slot before it, and what that write would have told was told to nobody. Knows no store.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edge.errors import AnchorError, StoreBusy
from sync.entry import Place
from sync.keys import Signer

_FILE: Final = "anchor"
_KEY: Final = "epoch.key"
_NEXT_KEY: Final = "epoch.key.next"
_ROLL: Final = "roll"
_MAGIC: Final = b"zonegate-anchor-1"

_SLOT_BYTES: Final = 512
"""One slot; a line of its six fields has under 300 bytes."""

_SLOT_STRIDE: Final = 4096
"""Slots lie in sectors and pages of their own, so that tearing one cannot touch the other."""

_KEY_BYTES: Final = 32


class Anchor:
    """The anchor in `folder`, which must exist; made by the first `hold`.

    Every method raises AnchorError when the folder or a file in it cannot be used, but `write` lets
    the OSError of a failed write through: its caller must stop telling.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file: int | None = None
        self._count = 0

    def hold(self) -> None:
        """Take the anchor for this process alone; StoreBusy when another has it."""
        if self._file is not None:
            raise StoreBusy(f"the anchor in {self.folder} is held already; close the journal that holds it")
        path = self.folder / _FILE
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise AnchorError(
                f"the anchor {path} cannot be opened: {error.strerror}; "
                "make its folder on a second medium, owned by the node's user"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._make_room(file)
        except BlockingIOError as error:
            os.close(file)
            raise StoreBusy(f"the anchor {path} is held by another process; end that one first") from error
        except OSError as error:
            os.close(file)
            raise AnchorError(f"the anchor {path} cannot be written: {error.strerror}") from error
        self._file = file

    def release(self) -> None:
        """Let others have the anchor. Harmless when it is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def read(self) -> Place | None:
        """The last place written; None when none was, or when neither slot is whole."""
        try:
            data = (self.folder / _FILE).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise AnchorError(f"the anchor {self.folder / _FILE} cannot be read: {error.strerror}") from error
        slots = [_read_slot(data[start : start + _SLOT_BYTES]) for start in (0, _SLOT_STRIDE)]
        count, place = max((slot for slot in slots if slot), key=lambda slot: slot[0], default=(0, None))
        self._count = max(self._count, count)
        return place

    def write(self, place: Place) -> None:
        """Keep `place`; it is on the medium when this returns. Raises the OSError that prevents it."""
        if self._file is None:
            raise AnchorError(f"the anchor in {self.folder} is not held; hold it before writing")
        count = self._count + 1
        os.pwrite(self._file, _slot(count, place), count % 2 * _SLOT_STRIDE)
        os.fdatasync(self._file)
        self._count = count

    def signer(self) -> Signer:
        """The node's key, made once and kept beside the anchor, readable by its owner only."""
        return self._make_key(self.folder / _KEY)

    def next_signer(self) -> Signer:
        """The key that the node will change to: made once, like the first, and kept beside it."""
        return self._make_key(self.folder / _NEXT_KEY)

    def prepared(self) -> Signer | None:
        """The key of `next_signer` if one was made and not yet promoted."""
        path = self.folder / _NEXT_KEY
        return self._make_key(path) if path.exists() else None

    def promote(self) -> None:
        """Put the key of `next_signer` in the place of the node's key, which is gone then."""
        path = self.folder / _NEXT_KEY
        try:
            path.rename(self.folder / _KEY)
            sync_folder(self.folder)
        except OSError as error:
            raise AnchorError(
                f"the key {path} cannot take its place: {error.strerror}; check its disk"
            ) from error

    def roll(self) -> dict[str, str] | None:
        """The roll that a center keeps here: each node ever let in, with the id of the entry that retired it
        or "". None when it was never kept, or is not whole.
        """
        path = self.folder / _ROLL
        try:
            roll = json.loads(path.read_bytes())
        except (FileNotFoundError, ValueError, RecursionError):
            return None
        except OSError as error:
            raise AnchorError(f"the roll {path} cannot be read: {error.strerror}") from error
        if isinstance(roll, list) and all(isinstance(node, str) for node in roll):
            return dict.fromkeys(roll, "")  # as it was written before retired nodes were kept
        if not isinstance(roll, dict) or not all(isinstance(by, str) for by in roll.values()):
            return None
        return roll

    def keep_roll(self, roll: Mapping[str, str] | None) -> None:
        """Keep the roll; it is on the medium when this returns. None forgets it, where it proved old. Raises
        the OSError that prevents it.
        """
        path = self.folder / _ROLL
        if roll is None:
            path.unlink(missing_ok=True)
            sync_folder(self.folder)
        else:
            write_whole(path, json.dumps(dict(roll), sort_keys=True).encode())

    def _make_key(self, path: Path) -> Signer:
        try:
            if not path.exists():
                write_whole(path, os.urandom(_KEY_BYTES))
            secret = path.read_bytes()
        except OSError as error:
            raise AnchorError(f"the key {path} cannot be used: {error.strerror}") from error
        if len(secret) != _KEY_BYTES:
            raise AnchorError(
                f"the key {path} has {len(secret)} bytes, expected {_KEY_BYTES}; "
                "move it away, and the node makes a new one that the center must be told of"
            )
        return Signer(secret)

    def _make_room(self, file: int) -> None:
        """Write the whole file once: later writes then change no size and need no room."""
        if os.fstat(file).st_size < 2 * _SLOT_STRIDE:
            os.pwrite(file, bytes(2 * _SLOT_STRIDE), 0)
        # Always: who made all this, or wrote here last, may have been killed before it was on the medium.
        os.fsync(file)
        sync_folder(self.folder)
        self.read()


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to its medium."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that its owner alone reads: after a crash it is there whole, or as it was before."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        while data:
            data = data[os.write(file, data) :]
        os.fsync(file)
    finally:
        os.close(file)
    fresh.rename(path)
    sync_folder(path.parent)


def _slot(count: int, place: Place) -> bytes:
    fields = b" ".join(
        (_MAGIC, str(count).encode(), place.epoch.encode(), str(place.seq).encode(), place.hash.encode())
    )
    line = fields + b" " + hashlib.sha256(fields).hexdigest().encode() + b"\n"
    return line.ljust(_SLOT_BYTES, b"\0")


def _read_slot(data: bytes) -> tuple[int, Place] | None:
    """The count and place of a slot; None when it was never written or is not whole."""
    fields, _, check = data.partition(b"\n")[0].rpartition(b" ")
    if hashlib.sha256(fields).hexdigest().encode() != check:
        return None
    parts = fields.split(b" ")
    if len(parts) != 5 or parts[0] != _MAGIC:
        return None
    _, count, epoch, seq, digest = parts
    return int(count), Place(epoch.decode(), int(seq), digest.decode())
