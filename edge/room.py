# SPDX-License-Identifier: Apache-2.0
"""Room on the store's disk: how much is left, and the ballast that is given up when it runs out.

The ballast is a file of the reserve's size, really allocated. While there is little room evidence goes
first; then the ballast is released, so that what has happened can still be written. Knows no entries.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

from edge.anchor import sync_folder
from edge.errors import DiskFull
from edge.store import JOURNAL_FILE

NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)

BALLAST_FILE: Final = "ballast"

_EVIDENCE_RESERVES: Final = 2
"""Below so many reserves of free room, evidence is no longer kept, so that entries still can be."""


class Room:
    """Room for the files in `store`: what its disk has left, and a quota of its own if there is one.

    With a reserve of 0 there is no ballast and no mark: writing goes on until the disk refuses.
    """

    def __init__(self, store: Path, reserve_bytes: int, store_bytes_max: int | None = None) -> None:
        self.reserve_bytes = reserve_bytes
        self.store_bytes_max = store_bytes_max
        self._store = store
        self._ballast = store / BALLAST_FILE

    @property
    def low_bytes(self) -> int:
        """Free room below which the ballast is released: a quarter of it."""
        return self.reserve_bytes // 4

    @property
    def evidence_bytes(self) -> int:
        """Free room below which evidence is left out."""
        return _EVIDENCE_RESERVES * self.reserve_bytes

    @property
    def laid(self) -> bool:
        """Whether the ballast lies there, in its size and allocated."""
        try:
            found = self._ballast.stat()
        except FileNotFoundError:
            return False
        return found.st_size == self.reserve_bytes <= found.st_blocks * 512

    def free(self, spare_bytes: int = 0) -> int:
        """Bytes that may still be written beside the ballast, by the disk and by the quota.

        `spare_bytes` are free inside the store's own files, which only the quota counts.
        """
        return self._left(spare_bytes)[0]

    def require(self, spare_bytes: int = 0) -> None:
        """Raise DiskFull unless the ballast lies there, or can be laid with half of it to spare.

        The spare is the low mark and as much again, so that a journal does not open and fail in turn.
        """
        if self.reserve_bytes == 0:
            return
        laid = self.laid
        need = self.low_bytes if laid else self.reserve_bytes + 2 * self.low_bytes
        if self.free(spare_bytes) < need:
            raise self._full(spare_bytes, need, laid=laid)

    def lay(self, spare_bytes: int = 0) -> None:
        """Lay the ballast, on the medium when this returns. Raises as `require`."""
        self.require(spare_bytes)
        if self.reserve_bytes == 0 or self.laid:
            return
        file = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(file, 0, self.reserve_bytes)
            os.fsync(file)
        except OSError as error:
            self.release()
            if error.errno not in NO_ROOM:
                raise
            raise self.released(spare_bytes) from error
        finally:
            os.close(file)
        sync_folder(self._store)

    def release(self) -> bool:
        """Give the ballast's room to whoever writes next; False when none lies there."""
        try:
            self._ballast.unlink()
        except FileNotFoundError:
            return False
        sync_folder(self._store)
        return True

    def released(self, spare_bytes: int = 0) -> DiskFull:
        """What is to be said once the ballast was released."""
        return self._full(spare_bytes, self.reserve_bytes + 2 * self.low_bytes, laid=False)

    def _left(self, spare_bytes: int) -> tuple[int, str]:
        """The smaller of what the disk and the quota leave, and which it is."""
        disk = os.statvfs(self._store)
        left = disk.f_bavail * disk.f_frsize
        if self.store_bytes_max is not None:
            quota = self.store_bytes_max - self._taken() + spare_bytes
            if quota < left:
                return max(quota, 0), f"left of the {_mib(self.store_bytes_max)} for {self._store}"
        return left, f"free in {self._store}"

    def _full(self, spare_bytes: int, need: int, *, laid: bool) -> DiskFull:
        left, where = self._left(spare_bytes)
        state = "released" if (self._store / JOURNAL_FILE).exists() else "not laid yet"
        ballast = "" if laid else f", its ballast of {_mib(self.reserve_bytes)} is {state}"
        return DiskFull(
            f"{_mib(left)} are {where}{ballast}; recording goes on by itself with {_mib(need)}: "
            "free some room"
        )

    def _taken(self) -> int:
        """Bytes that the store's files take on the disk, the ballast among them."""
        taken = 0
        with os.scandir(self._store) as found:
            for item in found:
                try:
                    taken += item.stat(follow_symlinks=False).st_blocks * 512
                except FileNotFoundError:  # SQLite removes its own files as it likes
                    continue
        return taken


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f}".removesuffix(".0") + " MiB"
