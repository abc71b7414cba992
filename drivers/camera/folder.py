# SPDX-License-Identifier: Apache-2.0
"""A folder into which a camera lays pictures (by FTP, by a network share): each is read once, when it is
whole. Nothing in it is changed or deleted.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drivers.errors import LinkLost, LinkUnavailable
from drivers.scanner import Clock

from .pictures import picture_size
from .shots import PIXELS_MAX, Broken, Shot

__all__ = ["FolderSource", "Seen"]

POLL_S = 0.1
"""How often the folder is looked through; a picture that did not grow in between is whole."""

FILES_MAX = 20_000
"""Names that are remembered. A folder with more takes longer to list than a picture takes to come."""

FILE_BYTES_MAX = 32 * 1024 * 1024
"""More than a picture of 8K has, even as PNG."""

_SUFFIXES = (".jpg", ".jpeg", ".png")


class Seen:
    """What of a folder is known: by name, a picture's time and size, and whether it is done with. `existing`
    pictures, there at the first look, are read or not.
    """

    def __init__(self, *, existing: bool) -> None:
        self.existing = existing
        self.first = True
        self.files: dict[str, tuple[int, int, bool]] = {}


class FolderSource:
    """Raises LinkUnavailable when the folder cannot be listed."""

    def __init__(
        self, cv2: Any, folder: Path, clock: Clock, wait: Callable[[float], object], seen: Seen
    ) -> None:
        import numpy as np

        self._cv2, self._numpy = cv2, np
        self._folder, self._clock, self._wait, self._seen = folder, clock, wait, seen
        self._ready: list[str] = []
        try:
            self._look_through()
        except OSError as error:
            raise LinkUnavailable(f"{folder} cannot be listed ({error.strerror}): is it mounted?") from error

    def shot(self) -> Shot | None:
        """As Source. Pictures come in the order of their times, then of their names."""
        if not self._ready:
            self._wait(POLL_S)
            try:
                self._look_through()
            except OSError as error:
                raise LinkLost(f"{self._folder} went away ({error.strerror})") from error
        return self._open(self._ready.pop(0)) if self._ready else None

    def close(self) -> None:
        """As Source."""

    def _look_through(self) -> None:
        seen, found = self._seen, self._list()
        whole = []
        for name, (time_ns, size) in found.items():
            before = seen.files.get(name)
            if before is None:
                found_done = seen.first and not seen.existing
                seen.files[name] = (time_ns, size, found_done)
            elif before[:2] != (time_ns, size):
                seen.files[name] = (time_ns, size, False)
            elif not before[2]:
                seen.files[name] = (time_ns, size, True)
                whole.append((time_ns, name))
        for name in seen.files.keys() - found.keys():
            del seen.files[name]
        seen.first = False
        self._ready += [name for _, name in sorted(whole)]

    def _list(self) -> dict[str, tuple[int, int]]:
        found = {}
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or not entry.name.lower().endswith(_SUFFIXES):
                    continue
                if entry.is_file(follow_symlinks=False):
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue  # moved on meanwhile
                    found[entry.name] = (status.st_mtime_ns, status.st_size)
                if len(found) > FILES_MAX:
                    raise LinkLost(f"{self._folder} holds more than {FILES_MAX} pictures: clear out old ones")
        return found

    def _open(self, name: str) -> Shot:
        shown = name.encode("utf-8", "backslashreplace").decode()[:_SHOWN_MAX]
        data = self._read(name, shown)
        size = picture_size(data)
        if size is None:
            raise Broken(f"{shown!r} is no JPEG and no PNG")
        if not 0 < size[0] * size[1] <= PIXELS_MAX:
            raise Broken(f"{shown!r} has {size[0]} x {size[1]} pixels, expected at most {PIXELS_MAX}")
        flags = self._cv2.IMREAD_COLOR | self._cv2.IMREAD_IGNORE_ORIENTATION
        picture = self._cv2.imdecode(self._numpy.frombuffer(data, self._numpy.uint8), flags)
        if picture is None or picture.shape[0] * picture.shape[1] > PIXELS_MAX:
            raise Broken(f"{shown!r} is damaged")
        now_ns = self._clock.monotonic_ns()
        jpeg = data if data.startswith(b"\xff\xd8") else None
        return Shot(picture, self._clock.now(), now_ns, now_ns, jpeg, shown)

    def _read(self, name: str, shown: str) -> bytes:
        try:
            descriptor = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                data = file.read(FILE_BYTES_MAX + 1)
        except OSError as error:
            raise Broken(f"{shown!r} cannot be read ({error.strerror})") from error
        if len(data) > FILE_BYTES_MAX:
            raise Broken(f"{shown!r} has more than {FILE_BYTES_MAX} bytes")
        return data


_SHOWN_MAX = 200
