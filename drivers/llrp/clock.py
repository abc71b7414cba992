# SPDX-License-Identifier: Apache-2.0
"""A reader's clock laid on this machine's. Pure: it is handed both, in microseconds.

A reader stamps what it saw by its own clock: UTC, which may be wrong, be set or run off, or its uptime. What
arrives has been under way for a while, never for less than nothing, so the least lateness seen is the best
measure of the distance between both clocks. Reads that a reader or a line held back are late and stay so:
they go on from the stamps before them, while a clock that was put back says times that it had said already.
"""

from __future__ import annotations

import msgspec

from drivers.read import TagRead

__all__ = ["ReaderClock"]

JUMP_US = 500_000
"""Nothing on a wire hesitates so regularly, and a clock that is kept in step does not hop so far."""

_AGREEING = 3
"""One damaged stamp must not move the clock, so this many reports in a row have to agree on a jump."""

_SETTLED_US = 2_000_000
"""Before any read was believed, reports that stay late for so long, and all alike, are not late: the reader's
clock was put back."""

_STEADY_US = 30_000_000
"""The same where stamps go on from those before: what a line holds back may be as late for as long as a
pallet is before the gate."""

_CALENDAR_US = 10**15
"""A stamp below it, 31 years, is an uptime, or of a clock that was never set; above it is UTC."""

_WINDOW_US = 10_000_000
"""A crystal runs off by less than a millisecond in this time, so the least lateness is sought anew in it."""

_IDLE_US = 1_000_000
_RUN_OFF = 5_000
"""Two crystals run apart by less than one part in so many (200 ppm)."""


class ReaderClock:
    """`offset_us` turns a reader's stamp into this machine's monotonic time; None before anything was heard.

    `jumps` counts how often the reader's clock was set while it was used, `jump_us` is the last such step:
    positive when the reader's clock was put forward.
    """

    def __init__(self) -> None:
        self.offset_us: int | None = None
        self.jumps = 0
        self.jump_us = 0
        self._proven = False  # by a report; a greeting alone may be in another time base
        self._seen_us = 0
        self._low_us: int | None = None
        self._window_us = 0
        self._odd_us = 0
        self._odd_since_us = 0
        self._odd_seen = 0
        self._odd_now_us = -1  # slices of one report arrive at one moment, and are one witness
        self._greeted_us: int | None = None
        self._top_us: int | None = None  # the latest stamp that was believed

    def greet(self, stamp_us: int, now_us: int) -> None:
        """What the reader's clock said when it took a connection, which it never holds back."""
        distance_us = now_us - stamp_us
        self._greeted_us = stamp_us
        if self.offset_us is None:
            self.offset_us = distance_us
        elif abs(distance_us - self.offset_us) > JUMP_US:
            self._step(distance_us)
            self._top_us = None
        self._restart(now_us)

    def place(self, stamp_us: int, now_us: int) -> int:
        """When the reader's stamp was, on this machine's clock: not in the future, not before it began."""
        offset_us = self.offset_us if self.offset_us is not None else now_us - stamp_us
        return max(0, min(stamp_us + offset_us, now_us))

    def settle(self, reads: list[TagRead], made_with_us: int, now_us: int) -> list[TagRead]:
        """Reads of one report that arrived at `now_us`, made with the offset `made_with_us`: learn from the
        newest, and put right what cannot be. After it 0 <= first_us <= last_us <= `now_us`.
        """
        if not reads:
            return reads
        newest_us = max(read.last_us for read in reads)
        if newest_us == now_us:
            # A reader that tells no time has its reads placed by their arrival, which teaches nothing.
            if self.offset_us is not None:
                self._believe(now_us - made_with_us)
            return _possible(reads, 0, now_us)
        stamp_us = newest_us - made_with_us
        if self.offset_us is None:
            self.offset_us = now_us - stamp_us
            self._believe(stamp_us)
            self._restart(now_us)
        else:
            self._learn(stamp_us, now_us)
        return _possible(reads, self.offset_us - made_with_us, now_us)

    def _learn(self, stamp_us: int, now_us: int) -> None:
        assert self.offset_us is not None
        late_us = now_us - stamp_us - self.offset_us
        idle_us = now_us - self._seen_us
        self._seen_us = now_us
        if idle_us > _IDLE_US:
            # Nobody saw how far the clocks ran apart meanwhile, but no further than crystals do.
            apart_us = min(max(late_us, 0), idle_us // _RUN_OFF)
            self.offset_us += apart_us
            late_us -= apart_us
            self._low_us, self._window_us = None, now_us
        if abs(late_us) > JUMP_US:
            self._doubt(stamp_us, late_us, now_us)
            return
        self._odd_seen = 0
        self._believe(stamp_us)
        if late_us < 0:
            self.offset_us += late_us
            self._restart(now_us)
            return
        self._low_us = late_us if self._low_us is None else min(self._low_us, late_us)
        if now_us - self._window_us >= _WINDOW_US:
            self.offset_us += self._low_us
            self._restart(now_us)

    def _believe(self, stamp_us: int) -> None:
        self._proven = True
        self._top_us = stamp_us if self._top_us is None else max(self._top_us, stamp_us)

    def _doubt(self, stamp_us: int, late_us: int, now_us: int) -> None:
        """Late or early by more than a line explains: a jump once enough reports say the same."""
        assert self.offset_us is not None
        if self._odd_seen == 0 or abs(late_us - self._odd_us) > JUMP_US // 2:
            self._odd_us, self._odd_since_us, self._odd_seen = late_us, now_us, 0
        self._odd_seen += now_us != self._odd_now_us or self._odd_seen == 0
        self._odd_now_us = now_us
        if late_us < 0 or (self._top_us is not None and stamp_us < self._top_us - JUMP_US):
            settles_us = 0  # nothing that was held back says so
        else:
            settles_us = _SETTLED_US if self._top_us is None else _STEADY_US
        if self._odd_seen >= _AGREEING and now_us - self._odd_since_us >= settles_us:
            same_base = self._greeted_us is not None and _is_calendar(self._greeted_us) == _is_calendar(
                stamp_us
            )
            self._proven = self._proven or same_base
            self._step(self.offset_us + late_us)
            self._top_us = stamp_us
            self._restart(now_us)

    def _step(self, offset_us: int) -> None:
        assert self.offset_us is not None
        if self._proven:
            self.jumps += 1
            self.jump_us = self.offset_us - offset_us
        self._proven = True
        self.offset_us = offset_us

    def _restart(self, now_us: int) -> None:
        self._low_us, self._window_us, self._odd_seen = None, now_us, 0
        self._seen_us = now_us


def _is_calendar(stamp_us: int) -> bool:
    return stamp_us >= _CALENDAR_US


def _possible(reads: list[TagRead], shift_us: int, now_us: int) -> list[TagRead]:
    if not shift_us and all(0 <= read.first_us <= read.last_us <= now_us for read in reads):
        return reads
    placed = []
    for read in reads:
        # Each by itself: one damaged stamp must not drag the others of its report along.
        last_us = max(0, min(read.last_us + shift_us, now_us))
        first_us = max(0, min(read.first_us + shift_us, last_us))
        placed.append(msgspec.structs.replace(read, first_us=first_us, last_us=last_us))
    return placed
