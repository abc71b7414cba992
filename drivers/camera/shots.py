# SPDX-License-Identifier: Apache-2.0
"""One picture on its way from a camera to the decoder, and the place where it waits. Knows no camera."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Pixels = np.ndarray[Any, np.dtype[np.uint8]]

__all__ = ["PIXELS_MAX", "Broken", "Ended", "Shot", "Waiting"]

PIXELS_MAX = 34_000_000
"""What one picture may have: 8K. Beyond lies a picture made to fill the memory."""


class Broken(Exception):
    """One picture cannot be used; the next may be."""


class Ended(Exception):
    """A film was shown to its end; the sentence says how much of it."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture, gray or blue-green-red. `at` and `at_ns` are when it came, on the clocks of Read;
    `view_ns` orders pictures in time as the camera saw them, which for a file read at full speed is the
    film's own time. `jpeg` is the picture as it came, where it came as one; `name` its file's.
    """

    picture: Pixels
    at: datetime
    at_ns: int
    view_ns: int
    jpeg: bytes | None = None
    name: str = ""


class Waiting:
    """Holds one picture between two threads: the newest, so that none is looked at late (`newest`), or each
    in its turn, so that the camera's thread waits.
    """

    def __init__(self, *, newest: bool) -> None:
        self._newest = newest
        self._changed = threading.Condition()
        self._shot: Shot | None = None
        self._closed = False

    def put(self, shot: Shot) -> bool:
        """Lay a picture down; whether another one was there that nobody will see now."""
        with self._changed:
            if not self._newest:
                self._changed.wait_for(lambda: self._shot is None or self._closed)
            lost = self._shot is not None
            self._shot = shot
            self._changed.notify_all()
            return lost

    def take(self) -> Shot | None:
        """The picture that waits, or the next one; None once it is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._shot is not None or self._closed)
            shot, self._shot = self._shot, None
            self._changed.notify_all()
            return shot

    def close(self) -> None:
        """Let nobody wait any longer; what lies here may still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
