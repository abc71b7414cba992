# SPDX-License-Identifier: Apache-2.0
"""One serial scanner: a link kept open, its bytes turned into Reads, its health told in sentences.

May not know doors, jobs or what a code means; it takes off the symbology identifier and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from random import Random
from typing import Protocol

from gs1 import split_aim

from .errors import Retryable
from .framing import FRAME_LENGTH_MAX, Frame, OverLong, Piece, ScanFramer, Torn
from .link import Link, open_link, parse_link_url
from .pauses import pauses
from .read import Read

__all__ = ["Clock", "Counts", "Health", "Scanner", "ScannerSettings", "State"]


class Clock(Protocol):
    """Time as the scanner needs it."""

    def now(self) -> datetime:
        """The time of day, UTC, aware."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds that only grow."""
        ...


class State(StrEnum):
    """What a device is doing.

    CLOSED: not run, or stopped. OPENING: first attempt to open. READY: open. LOST: not there, tried again and
    again. FLOODED: open, but sending more reads a second than a scanner can make; the surplus is dropped.
    BLIND: a camera that is open and shows nothing in which a label could be read, or the same for ever.
    DEGRADED: open, but part of it does not work, such as a reader's antenna.
    """

    CLOSED = "closed"
    OPENING = "opening"
    READY = "ready"
    LOST = "lost"
    FLOODED = "flooded"
    BLIND = "blind"
    DEGRADED = "degraded"


@dataclass(frozen=True, slots=True)
class Counts:
    """What passed since the program's start; `frames` are all codes cut from the line, dropped ones too."""

    bytes: int = 0
    frames: int = 0
    no_reads: int = 0
    over_long: int = 0
    torn: int = 0
    dropped: int = 0
    reconnects: int = 0


@dataclass(frozen=True, slots=True)
class Health:
    """A device's state now: `detail` is a sentence for a person, `since` (UTC) when the state began."""

    device: str
    state: State
    detail: str
    counts: Counts
    since: datetime


@dataclass(frozen=True, slots=True)
class ScannerSettings:
    """How the scanner is set up. Seconds, bytes.

    `no_read` is what it sends when it could not read. `reads_per_second_max`: a hand moves slower than this,
    and a tunnel scanner too; more is a stuck trigger or a foreign device. Reconnecting starts at
    `retry_s_min` and is never rarer than `retry_s_max`, for a worker waits at the door.
    """

    no_read: bytes = b"NOREAD"
    frame_length_max: int = FRAME_LENGTH_MAX
    idle_gap_s: float = 0.05
    reads_per_second_max: int = 20
    retry_s_min: float = 0.1
    retry_s_max: float = 1.0


class Scanner:
    """Runs one scanner. `chance` spreads the attempts to reconnect, so that devices of one hub do not beat in
    step.

    Raises LinkUrlError when `url` can never mean a link.
    """

    def __init__(
        self, name: str, url: str, settings: ScannerSettings, clock: Clock, chance: Random | None = None
    ) -> None:
        parse_link_url(url)
        self.name = name
        self._url = url
        self._settings = settings
        self._clock = clock
        self._chance = chance or Random()  # noqa: S311 - spreads retries, keeps no secret
        self._framer = ScanFramer(settings.frame_length_max, settings.no_read, settings.idle_gap_s)
        self._flood = _Flood(settings.reads_per_second_max)
        self._counts = Counts()
        self._trouble_ns: int | None = None  # when a dropped line was last told
        self._told = Health(name, State.CLOSED, "not started", self._counts, clock.now())
        self._on_read: Callable[[Read], None] = _nobody
        self._on_health: Callable[[Health], None] = _nobody

    @property
    def health(self) -> Health:
        """The state as last told, with the counts of this moment."""
        return replace(self._told, counts=self._counts)

    async def run(self, on_read: Callable[[Read], None], on_health: Callable[[Health], None]) -> None:
        """Read until cancelled, reopening the link whenever it is lost; never ends by itself.

        Both functions are called on the event loop and must return at once. `on_health` is called on each
        change of state, and for each further finding that a person should know (a dropped line, a flood's
        count by the second).
        """
        self._on_read, self._on_health = on_read, on_health
        waits = self._pauses()
        self._tell(State.OPENING, f"opening {self._url}")
        try:
            while True:
                bytes_before = self._counts.bytes
                try:
                    await self._use_link()
                except Retryable as error:
                    seconds = f"{self._settings.retry_s_max:g} s"
                    self._tell(State.LOST, f"{error}; trying again at least every {seconds}")
                if self._counts.bytes > bytes_before:
                    waits = self._pauses()
                # What opens and dies at once waits longer each time.
                await asyncio.sleep(next(waits))
        finally:
            self._tell(State.CLOSED, "stopped")

    def _pauses(self) -> Iterator[float]:
        return pauses(self._settings.retry_s_min, self._settings.retry_s_max, self._chance)

    async def _use_link(self) -> None:
        link = await open_link(self._url)
        try:
            if self._told.state is State.LOST:
                self._count(reconnects=1)
            self._tell(State.READY, "ready")
            await self._pump(link)
        finally:
            self._take(self._framer.reset(), self._clock.monotonic_ns())
            self._flood.reset()
            await link.close()

    async def _pump(self, link: Link) -> None:
        """Turn bytes into Reads until the link is lost."""
        while True:
            data = await _read_within(link, self._wait_s())
            now_ns = self._clock.monotonic_ns()
            self._count(bytes=len(data))
            self._take(self._framer.feed(data, now_ns) if data else self._framer.flush(now_ns), now_ns)
            self._turn_flood(now_ns)

    def _wait_s(self) -> float | None:
        deadlines = [ns for ns in (self._framer.deadline_ns, self._flood.deadline_ns) if ns is not None]
        if not deadlines:
            return None
        return max(0.0, (min(deadlines) - self._clock.monotonic_ns()) / 1e9)

    def _take(self, pieces: list[Piece], now_ns: int) -> None:
        for piece in pieces:
            match piece:
                case Frame():
                    self._take_frame(piece, now_ns)
                case OverLong(length):
                    self._count(over_long=1)
                    limit = self._settings.frame_length_max
                    told = f"a line of {length} bytes was dropped, expected at most {limit}"
                    self._tell_trouble(told, now_ns)
                case Torn(length):
                    self._count(torn=1)
                    self._tell_trouble(f"{length} bytes without their end were dropped: scan again", now_ns)

    def _take_frame(self, frame: Frame, now_ns: int) -> None:
        self._count(frames=1, no_reads=int(frame.no_read))
        self._turn_flood(now_ns)
        if not self._flood.admits(now_ns):
            self._count(dropped=1)
            if self._told.state is not State.FLOODED:
                limit = self._settings.reads_per_second_max
                detail = f"more than {limit} reads a second: the surplus is dropped; check the trigger"
                self._tell(State.FLOODED, detail)
            return
        aim, code = split_aim(frame.code)
        self._on_read(Read(self.name, code, aim, self._clock.now(), now_ns, "barcode", frame.no_read))

    def _turn_flood(self, now_ns: int) -> None:
        dropped = self._flood.turn(now_ns)
        if dropped:
            self._tell(State.FLOODED, f"{dropped} reads of the last second were dropped; check the trigger")
        elif dropped == 0:
            self._tell(State.READY, f"ready again; {self._counts.dropped} reads were dropped so far")

    def _count(self, **more: int) -> None:
        sums = {name: getattr(self._counts, name) + number for name, number in more.items()}
        self._counts = replace(self._counts, **sums)

    def _tell_trouble(self, detail: str, now_ns: int) -> None:
        # A noisy line breaks a hundred times a second: one sentence a second says it, the counts say the
        # rest.
        if self._trouble_ns is None or now_ns - self._trouble_ns >= _SECOND_NS:
            self._trouble_ns = now_ns
            self._tell(self._told.state, detail)

    def _tell(self, state: State, detail: str) -> None:
        if state is State.LOST and (state, detail) == (self._told.state, self._told.detail):
            return  # one more attempt with the same end is no news
        since = self._told.since if state is self._told.state else self._clock.now()
        self._told = Health(self.name, state, detail, self._counts, since)
        self._on_health(self._told)


async def _read_within(link: Link, wait_s: float | None) -> bytes:
    """What arrives within `wait_s` seconds, nothing if the line stayed silent."""
    # The second look: when this process was late, not the line, the bytes are there by now. No link loses a
    # byte of a read that is cancelled.
    for limit_s in (wait_s, 0):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                return await link.read()
    return b""


class _Flood:
    """Keeps the first reads of each second and counts the rest. A second begins with the first read in it."""

    def __init__(self, per_second_max: int) -> None:
        self._max = per_second_max
        self.reset()

    def reset(self) -> None:
        self._begun_ns: int | None = None
        self._seen = 0
        self._dropped = 0
        self._flooding = False

    @property
    def deadline_ns(self) -> int | None:
        """When to turn though nothing arrives; None unless a flood lasts."""
        return None if self._begun_ns is None or not self._flooding else self._begun_ns + _SECOND_NS

    def turn(self, now_ns: int) -> int | None:
        """Close the second when it is over. While a flood lasts: how many reads it dropped, 0 ends the
        flood.
        """
        if self._begun_ns is None or now_ns - self._begun_ns < _SECOND_NS:
            return None
        told = self._dropped if self._flooding else None
        self._flooding = self._dropped > 0
        self._begun_ns = now_ns if self._flooding else None
        self._seen = self._dropped = 0
        return told

    def admits(self, now_ns: int) -> bool:
        """Count one read; whether it is among the first of its second."""
        if self._begun_ns is None:
            self._begun_ns = now_ns
        self._seen += 1
        if self._seen <= self._max:
            return True
        self._dropped += 1
        self._flooding = True
        return False


_SECOND_NS = 1_000_000_000


def _nobody(_: object) -> None:
    return None
