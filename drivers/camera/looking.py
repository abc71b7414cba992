# SPDX-License-Identifier: Apache-2.0
"""The two threads of a camera: one takes pictures, one looks for codes in them. What they find is handed to
the event loop, which does none of that work.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass

from drivers.scanner import Clock

from .look import Look, Scan
from .settings import CameraSettings
from .shots import Broken, Shot, Waiting
from .sources import Source

__all__ = ["Event", "Looking", "Opened", "Tally", "Trouble"]


@dataclass(frozen=True, slots=True)
class Opened:
    """The camera is open."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One picture that could not be used."""

    detail: str


Event = Opened | Trouble | Scan | None
"""None: the look at a picture is over, nothing else came of it."""


@dataclass(slots=True)
class Tally:
    """Counts of the two threads; each is written by one of them, `last_ns` is when a picture last came."""

    pictures: int = 0
    looked: int = 0
    passed_over: int = 0
    late: int = 0
    unread: int = 0
    unusable: int = 0
    last_ns: int = 0


class Looking:
    """Runs the threads from `start` on, until the camera is lost, its film is over, or `stop`.

    `open_source` opens the camera; `hand` takes events on the event loop, in order; a thread waits until it
    has. With `live` the newest picture is looked at, else each in its turn.
    """

    def __init__(
        self,
        open_source: Callable[[Callable[[float], object]], Source],
        look: Look,
        hand: Callable[[Event], None],
        clock: Clock,
        settings: CameraSettings,
        tally: Tally,
    ) -> None:
        self._open, self._look, self._hand = open_source, look, hand
        self._clock, self._tally = clock, tally
        self._live = look.live
        self._stale_ns = int(settings.stale_s * 1e9)
        self._pause_ns = int(1e9 / settings.looks_per_second_max) if look.live else 0
        self._waiting = Waiting(newest=look.live)
        self._stopped = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[BaseException | None] = self._loop.create_future()

    def start(self) -> None:
        """Start both threads."""
        looker = threading.Thread(target=self._look_on, name="camera-look", daemon=True)
        threading.Thread(target=self._take_on, args=(looker,), name="camera-take", daemon=True).start()

    async def ended(self, within_s: float) -> bool:
        """Whether the threads end within so many seconds and the camera was given back."""
        done, _ = await asyncio.wait([self._ended], timeout=within_s)
        return bool(done)

    def result(self) -> None:
        """Raise what ended the threads: Retryable, Ended, or a fault of ours."""
        error = self._ended.result()
        if error is not None:
            raise error

    def stop(self) -> None:
        """Let both threads end; a library that waits for a picture may hold one of them up for seconds."""
        self._stopped.set()
        self._waiting.close()

    def _take_on(self, looker: threading.Thread) -> None:
        error: BaseException | None = None
        try:
            source = self._open(self._stopped.wait)
            looker.start()
            try:
                self._post(Opened())
                self._take(source)
            finally:
                self._waiting.close()
                looker.join()
                source.close()
        except BaseException as raised:  # noqa: BLE001 - it is raised where the camera is awaited
            error = raised
        self._finish(error)

    def _take(self, source: Source) -> None:
        tally = self._tally
        while not self._stopped.is_set():
            try:
                shot = source.shot()
            except Broken as error:
                tally.unread += 1
                self._post(Trouble(str(error)))
                continue
            if shot is not None:
                tally.pictures += 1
                tally.last_ns = shot.at_ns
                tally.passed_over += self._waiting.put(shot)

    def _look_on(self) -> None:
        try:
            while (shot := self._waiting.take()) is not None and not self._stopped.is_set():
                began_ns = self._clock.monotonic_ns()
                self._look_at(shot, began_ns)
                left_ns = began_ns + self._pause_ns - self._clock.monotonic_ns()
                if left_ns > 0:
                    self._stopped.wait(left_ns / 1e9)
        except BaseException as error:  # noqa: BLE001 - as above
            self._finish(error)
            self.stop()

    def _look_at(self, shot: Shot, now_ns: int) -> None:
        age_ns = now_ns - shot.at_ns
        if self._live and age_ns > self._stale_ns:
            self._tally.late += 1
            late = f"a picture was dropped, {age_ns / 1e9:.1f} s old when its turn came"
            self._post(Trouble(f"{late}: this machine has too much to do"))
            return
        self._tally.looked += 1
        try:
            scans = self._look.at(shot)
        except Broken as error:
            self._tally.unusable += 1
            self._post(Trouble(str(error)))
            return
        for scan in scans:
            self._post(scan)
        self._post(None)

    def _post(self, event: Event) -> None:
        """Hand an event to the loop and wait until it took it, so that none pile up."""
        taken = threading.Event()

        def take() -> None:
            try:
                if not self._stopped.is_set():
                    self._hand(event)
            except BaseException as error:  # noqa: BLE001 - as above
                self._end(error)
                self.stop()
            finally:
                taken.set()

        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(take)
            while not taken.wait(_PATIENCE_S) and not self._stopped.is_set():
                pass

    def _finish(self, error: BaseException | None) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._end, error)

    def _end(self, error: BaseException | None) -> None:
        if not self._ended.done():
            self._ended.set_result(error)


_PATIENCE_S = 0.2
