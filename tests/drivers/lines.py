# SPDX-License-Identifier: Apache-2.0
"""The lines every driver is tried on, and what listens at the driver's end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Protocol

from drivers import Health, LineFaults, NullModem, Read, Scanner, ScannerSettings, State
from simulators.scanner import PtyScanner

LINES = ("null-modem", "serialx", "pyserial")
PATIENCE_S = 20.0


class Line(Protocol):
    """The device's end of a line."""

    faults: LineFaults | None

    @property
    def url(self) -> str: ...
    async def send(self, data: bytes) -> object: ...
    def plug(self) -> None: ...
    def unplug(self) -> None: ...


@asynccontextmanager
async def line_of(kind: str, folder: Path) -> AsyncIterator[tuple[Line, str]]:
    """A plugged line of this kind, and the URL of the driver's end."""
    if kind == "null-modem":
        with NullModem("line-under-test") as modem:
            yield modem, modem.url
    else:
        async with PtyScanner(folder / "by-id" / "usb-Acme_Scanner_1-if00", baud=None) as device:
            yield device, f"{device.url}&backend={kind}"


class HandClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.elapsed_ns = 0

    def move(self, seconds: float) -> None:
        self.elapsed_ns += round(seconds * 1e9)

    def now(self) -> datetime:
        return datetime(2026, 11, 23, 8, 0, tzinfo=UTC) + timedelta(microseconds=self.elapsed_ns // 1000)

    def monotonic_ns(self) -> int:
        return self.elapsed_ns


class RunningClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


class Listener:
    """What a running scanner told, with a way to wait for more."""

    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner
        self.reads: list[Read] = []
        self.healths: list[Health] = []
        self._news = asyncio.Event()

    @property
    def states(self) -> list[State]:
        """The states in order, each change once."""
        told = [health.state for health in self.healths]
        return [state for index, state in enumerate(told) if index == 0 or told[index - 1] is not state]

    def on_read(self, read: Read) -> None:
        self.reads.append(read)
        self._news.set()

    def on_health(self, health: Health) -> None:
        self.healths.append(health)
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._news.clear()
                # Counts change without news, so the condition is looked at in between too.
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.01):
                        await self._news.wait()

    async def until_reads(self, count: int) -> list[bytes]:
        await self.until(lambda: len(self.reads) >= count)
        return [read.code for read in self.reads]

    async def until_state(self, state: State) -> None:
        await self.until(lambda: bool(self.healths) and self.healths[-1].state is state)


@asynccontextmanager
async def listening(
    url: str, settings: ScannerSettings | None = None, clock: HandClock | RunningClock | None = None
) -> AsyncIterator[Listener]:
    """A scanner running on `url`, ready if its device is there; stopped at the end."""
    settings = settings or ScannerSettings(retry_s_min=0.01, retry_s_max=0.05, reads_per_second_max=10**9)
    listener = Listener(Scanner("dock-1", url, settings, clock or RunningClock(), Random(7)))
    task = asyncio.create_task(listener.scanner.run(listener.on_read, listener.on_health))
    try:
        await listener.until(lambda: len(listener.healths) > 1 or task.done())
        yield listener
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
