# SPDX-License-Identifier: Apache-2.0
"""Cameras and decoders that do as a test tells them, step by step, in the camera's own threads."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from drivers.camera import Camera, CameraSettings, FrameEvidence
from drivers.camera.decoders import Symbol
from drivers.camera.eyes import Eyes
from drivers.camera.shots import Shot
from tests.drivers.lines import HandClock

if TYPE_CHECKING:
    from drivers import Read
    from drivers.scanner import Health

PATIENCE_S = 20.0
STILL = CameraSettings(looks_per_second_max=1e6, retry_s_min=0.001, retry_s_max=0.002, stale_s=1e6)


def number_picture(number: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A small picture that holds a number, and is like no other."""
    picture = np.random.default_rng(number).integers(0, 255, (32, 32, 3)).astype(np.uint8)
    picture[0, :4] = [[level] * 3 for level in (number % 256, number // 256, *_MARK)]
    return picture


_MARK = (77, 211)


class ScriptedSource:
    """Gives the pictures and raises the errors that are put in."""

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock
        self.script: queue.Queue[Shot | Exception] = queue.Queue()
        self.threads: set[int] = set()
        self.closed = threading.Event()

    def put(self, number: int, at_ns: int | None = None) -> None:
        ns = self._clock.monotonic_ns() if at_ns is None else at_ns
        self.script.put(Shot(number_picture(number), self._clock.now(), ns, ns))

    def fail(self, error: Exception) -> None:
        self.script.put(error)

    def shot(self) -> Shot | None:
        self.threads.add(threading.get_ident())
        try:
            step = self.script.get(timeout=0.01)
        except queue.Empty:
            return None
        if isinstance(step, Exception):
            raise step
        return step

    def close(self) -> None:
        self.closed.set()


class NumberDecoder:
    """Reads the number of a picture as a code. It can be stopped before it answers."""

    name = "numbers"
    lacks: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.threads: set[int] = set()
        self.may_go = threading.Event()
        self.may_go.set()
        self.begun = threading.Semaphore(0)

    def read(self, gray: np.ndarray[Any, np.dtype[np.uint8]]) -> list[Symbol]:
        self.threads.add(threading.get_ident())
        self.begun.release()
        assert self.may_go.wait(PATIENCE_S)
        low, high, *mark = gray[0, :4].tolist()
        if tuple(mark) != _MARK:
            return []
        number = low + 256 * high
        self.seen.append(number)
        return [] if number == 0 else [Symbol("]Q1", b"label %d" % number, ((1, 1), (9, 9)))]


class Watched:
    """A camera that runs, what it told, and the sources it opened."""

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self.reads: list[tuple[Read, FrameEvidence]] = []
        self.healths: list[Health] = []
        self.changed = asyncio.Event()
        self.threads: set[int] = set()

    def on_read(self, read: Read, evidence: FrameEvidence) -> None:
        self.threads.add(threading.get_ident())
        self.reads.append((read, evidence))
        self.changed.set()

    def on_health(self, health: Health) -> None:
        self.healths.append(health)
        self.changed.set()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something that threads bring about."""
        async with asyncio.timeout(PATIENCE_S):
            while not true():
                self.changed.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.02):
                        await self.changed.wait()

    @property
    def codes(self) -> list[bytes]:
        return [read.code for read, _ in self.reads]


@contextlib.asynccontextmanager
async def watching(camera: Camera) -> AsyncIterator[Watched]:
    """Run a camera until the end of the block."""
    watched = Watched(camera)
    task = asyncio.create_task(camera.run(watched.on_read, watched.on_health))
    try:
        yield watched
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def scripted_camera(
    clock: HandClock,
    decoder: NumberDecoder,
    sources: list[ScriptedSource | Exception],
    settings: CameraSettings = STILL,
    url: str = "camera:///dev/video0",
) -> Camera:
    """A camera whose openings are `sources` in turn; the last one stays for all further ones."""

    def opener(*_: object) -> ScriptedSource:
        source = sources.pop(0) if len(sources) > 1 else sources[0]
        if isinstance(source, Exception):
            raise source
        return source

    def load(_: CameraSettings) -> Eyes:
        return Eyes(cv2, decoder)

    return Camera("gate-camera", url, settings, clock, Random(1), load=load, opener=opener)
