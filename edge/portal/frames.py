# SPDX-License-Identifier: Apache-2.0
"""Pictures that cameras read labels in: files named by their hash beside the journal, as many as fit.

Evidence and no more: the entry names the hash, and a picture that was given up is gone. Written off the loop.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

FOLDER: Final = "frames"

WAITING_MAX: Final = 32
"""Pictures that wait to be written, some megabytes; a disk that is slower than its cameras loses more."""

_NAME: Final = re.compile(r"[0-9a-f]{64}\.jpg")

_log = logging.getLogger("zonegate.service")


class Frames:
    """The pictures below `store`, of at most `bytes_max` in all; the oldest give way.

    `left_out` counts those that were not kept: too many waited, or the disk refused or had less than
    `free_bytes_min` left.
    """

    def __init__(self, store: Path, bytes_max: int, free_bytes_min: int = 0) -> None:
        self.folder = store / FOLDER
        self.left_out = 0
        self._bytes_max = bytes_max
        self._free_bytes_min = free_bytes_min
        self._waiting: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(WAITING_MAX)
        self._writing = asyncio.Lock()
        self._kept: dict[str, int] = {}
        self._bytes = 0

    def put(self, sha256: str, jpeg: bytes) -> None:
        """Keep a picture by its hash (64 hex digits); returns at once."""
        try:
            self._waiting.put_nowait((sha256, jpeg))
        except asyncio.QueueFull:
            self.left_out += 1

    async def run(self) -> None:
        """Write what is put until cancelled; raises nothing that the disk says."""
        await asyncio.to_thread(self._look)
        while True:
            sha256, jpeg = await self._waiting.get()
            async with self._writing:
                await asyncio.to_thread(self._keep, sha256, jpeg)
            self._waiting.task_done()

    async def prune(self, before: datetime) -> int:
        """Give up pictures older than a moment; how many."""
        async with self._writing:
            return await asyncio.to_thread(self._prune, before)

    def _look(self) -> None:
        """What lies there from before, oldest first."""
        with suppress(OSError):
            found = [
                (item.stat().st_mtime_ns, item.name, item.stat().st_size) for item in os.scandir(self.folder)
            ]
            self._kept = {name: size for _, name, size in sorted(found) if _NAME.fullmatch(name)}
            self._bytes = sum(self._kept.values())

    def _keep(self, sha256: str, jpeg: bytes) -> None:
        name = f"{sha256}.jpg"
        if name in self._kept:
            return
        path = self.folder / name
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            disk = os.statvfs(self.folder)
            if disk.f_bavail * disk.f_frsize < self._free_bytes_min + len(jpeg):
                self.left_out += 1
                return
            part = path.with_suffix(".part")
            part.write_bytes(jpeg)
            part.replace(path)
        except OSError as error:
            self.left_out += 1
            _log.warning("a camera's picture was not kept: %s", error)
            return
        self._kept[name] = len(jpeg)
        self._bytes += len(jpeg)
        while self._bytes > self._bytes_max and len(self._kept) > 1:
            self._give_up(next(iter(self._kept)))

    def _prune(self, before: datetime) -> int:
        given_up = 0
        for name in list(self._kept):
            with suppress(OSError):
                if (self.folder / name).stat().st_mtime >= before.timestamp():
                    break
            self._give_up(name)
            given_up += 1
        return given_up

    def _give_up(self, name: str) -> None:
        with suppress(OSError):
            (self.folder / name).unlink()
        self._bytes -= self._kept.pop(name, 0)


def oldest_kept(now: datetime, retention_days: int) -> datetime | None:
    """The moment before which pictures are given up; None where they are kept as long as there is room."""
    return now - timedelta(days=retention_days) if retention_days else None
