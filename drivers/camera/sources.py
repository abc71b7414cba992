# SPDX-License-Identifier: Apache-2.0
"""Where pictures come from: a device, an RTSP stream, a video file (all by OpenCV), a folder. Every call here
may wait, and belongs in a thread of its own.

May not know what is in the pictures.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from drivers.errors import LinkLost, LinkUnavailable
from drivers.scanner import Clock

from .address import CameraAddress
from .folder import FolderSource, Seen
from .shots import PIXELS_MAX, Ended, Shot

__all__ = ["Source", "open_source"]


class Source(Protocol):
    """An open camera. One thread uses it."""

    def shot(self) -> Shot | None:
        """The next picture; None when there is none yet, after a moment at most. Raises LinkLost, Ended, and
        Broken for one picture that is none.
        """
        ...

    def close(self) -> None:
        """Give the camera back."""
        ...


def open_source(
    cv2: Any, address: CameraAddress, clock: Clock, wait: Callable[[float], object], seen: Seen
) -> Source:
    """Open what `address` names. Raises LinkUnavailable. `wait` sleeps so many seconds or until the camera is
    to stop; `seen` remembers a folder's pictures over several openings.
    """
    if address.kind == "folder":
        return FolderSource(cv2, Path(address.target), clock, wait, seen)
    return _Video(cv2, address, clock, wait)


OPEN_MS = 5_000
READ_MS = 5_000
"""How long a stream may take to open and to send its next picture."""


class _Video:
    def __init__(
        self, cv2: Any, address: CameraAddress, clock: Clock, wait: Callable[[float], object]
    ) -> None:
        self._cv2, self._address, self._clock, self._wait = cv2, address, clock, wait
        if address.kind != "rtsp":
            _check(Path(address.target), stat.S_ISCHR if address.kind == "device" else stat.S_ISREG)
        self._film = self._open()
        if not self._film.isOpened():
            raise LinkUnavailable(f"{address.shown} {_UNOPENED[address.kind]}")
        self._began_ns = clock.monotonic_ns()
        self._shown_ns = 0
        self._number = 0

    def _open(self) -> Any:
        cv2, address = self._cv2, self._address
        if address.kind == "device":
            film = cv2.VideoCapture(str(Path(address.target).resolve()), cv2.CAP_V4L2)
            film.set(cv2.CAP_PROP_BUFFERSIZE, 1)
            wishes = (
                (cv2.CAP_PROP_FRAME_WIDTH, address.width),
                (cv2.CAP_PROP_FRAME_HEIGHT, address.height),
                (cv2.CAP_PROP_FPS, address.fps),
            )
            for name, wish in wishes:
                if wish:
                    film.set(name, wish)
            return film
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_MS]
        return cv2.VideoCapture(address.target, cv2.CAP_FFMPEG, limits)

    def shot(self) -> Shot | None:
        there, picture = self._film.read()
        if not there or picture is None:
            raise self._end()
        if picture.shape[0] * picture.shape[1] > PIXELS_MAX:
            height, width = picture.shape[:2]
            raise LinkLost(
                f"{self._address.shown} sends pictures of {width} x {height}, more than 8K: set it lower"
            )
        self._number += 1
        if self._address.kind != "file":
            now_ns = self._clock.monotonic_ns()
            return Shot(picture, self._clock.now(), now_ns, now_ns)
        return self._in_film(picture)

    def _in_film(self, picture: Any) -> Shot:
        # The film's own time; a step back or a leap in a damaged file must not stop the show.
        position_ns = int(self._film.get(self._cv2.CAP_PROP_POS_MSEC) * 1_000_000)
        self._shown_ns = min(max(position_ns, self._shown_ns), self._shown_ns + 1_000_000_000)
        view_ns = self._began_ns + self._shown_ns
        if self._address.paced:
            early_ns = view_ns - self._clock.monotonic_ns()
            if early_ns > 0:
                self._wait(early_ns / 1e9)
        return Shot(picture, self._clock.now(), self._clock.monotonic_ns(), view_ns)

    def _end(self) -> Exception:
        if self._address.kind != "file":
            return LinkLost(f"{self._address.shown} sends no more pictures")
        promised = int(self._film.get(self._cv2.CAP_PROP_FRAME_COUNT))
        if promised > self._number:
            return Ended(f"ended after {self._number} of {promised} pictures: the file is cut off")
        return Ended(f"played to its end, {self._number} pictures")

    def close(self) -> None:
        self._film.release()


_UNOPENED = {
    "device": "is there but sends no pictures: is it a camera, and is another program using it?",
    "rtsp": "does not answer as a camera: check address, name, password, and that it streams",
    "file": "is no film that can be read: expected MP4, MKV or AVI with H.264, H.265 or MJPEG",
}


def _check(path: Path, kind: Callable[[int], bool]) -> None:
    """Raises LinkUnavailable with what to do, before a library says less."""
    try:
        mode = path.stat().st_mode
        if not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except PermissionError as error:
        group = "add the user to the group that owns it (often video)"
        raise LinkUnavailable(f"{path} may not be opened by this user: {group}") from error
    except (OSError, ValueError) as error:
        raise LinkUnavailable(f"{path} is not there: plug the camera in, or correct the path") from error
    if not kind(mode):
        expected = "a video device" if kind is stat.S_ISCHR else "a file"
        raise LinkUnavailable(f"{path} is no {expected.removeprefix('a ')}: correct the path")
