# SPDX-License-Identifier: Apache-2.0
"""What is remembered of one tag while it is about: its late reads, and whether it rests or comes nearer.

Levels are compared antenna by antenna, since the antennas of a door hear a tag differently loud. Reads of a
tenth of a second are one observation: fading makes neighbors in time say the same thing again.
"""

from __future__ import annotations

from math import exp
from typing import Final

from drivers.read import TagRead

__all__ = ["CELL_US", "CHANNELS_MAX", "Course", "Track"]

CELL_US: Final = 100_000
"""Reads of one antenna within this time are one observation."""

CHANNELS_MAX: Final = 64
"""Channels of which a phase is remembered: no band has more than fifty."""

_FORGET_US: Final = 2_500_000.0
"""A trend is that of about so long: a forklift crosses the field in one to three seconds, a jack in six."""

_FADING_CDBM2: Final = 550.0 * 550.0
"""Variance of one observation of a tag that keeps still while things move about it: 5.5 dB, squared."""


_STEADY_CDBM2: Final = 200.0 * 200.0
"""No tag's level is steadier than this, 2 dB squared, once something moves in the hall."""

_OBSERVED: Final = 3.0
"""How steady a level is, fewer observations do not tell."""

_FLAT: Final = 5.0
"""A trend of little more than two standard deviations is none."""


class Course:
    """The level of one tag at one antenna: a weighted line through its late observations.

    `trend` is how surely the level rises (above 0) or falls: the squared deviations that the line explains.
    `keen`: how much more a change says than it does of most, since the tag was that steady when it rested.
    `phases`: the last one told on each channel since it rests.
    """

    __slots__ = (
        "_cov",
        "_time",
        "_var",
        "cell",
        "cells",
        "keen",
        "level",
        "phases",
        "reads",
        "rest",
        "spread",
        "total",
        "trend",
        "weight",
    )

    def __init__(self, cell: int) -> None:
        self.cell = cell
        self.total = 0
        self.reads = 0
        self.cells = 0
        self.weight = 0.0
        self.level = 0.0
        self.spread = 0.0
        self.phases: dict[int, int] = {}
        self.rest: float | None = None
        self.keen = 1.0
        self.trend = 0.0
        self._time = 0.0
        self._var = 0.0
        self._cov = 0.0

    def fold(self, cell: int) -> None:
        """Take in the observation that is complete, and begin that of `cell`."""
        level = self.total / self.reads
        time = self._time
        at = self.cell * float(CELL_US)
        kept = exp((time - at) / _FORGET_US) if self.weight and at > time else 1.0
        before = self.weight * kept
        self.weight = weight = before + 1.0
        late, off = at - time, level - self.level
        share = before / weight
        self._var = var = self._var * kept + share * late * late
        self._cov = cov = self._cov * kept + share * late * off
        self.spread = self.spread * kept + share * off * off
        if var > 0.0:
            self.trend = cov * abs(cov) / (var * _FADING_CDBM2)
        self._time = time + late / weight
        self.level += off / weight
        self.cells += 1
        self.cell, self.total, self.reads = cell, 0, 0

    def flat(self) -> bool:
        """Whether its level does not change, as far as can be told."""
        return abs(self.trend) < _FLAT

    def come_to_rest(self) -> None:
        """From now on its level is held against what it is now, and against how steady that is."""
        self.rest = self.level
        self.phases.clear()
        if self.weight > _OBSERVED:
            self.keen = _FADING_CDBM2 / min(max(self.spread / self.weight, _STEADY_CDBM2), _FADING_CDBM2)

    def rise_cdbm(self) -> float:
        """By how much the line rises over the time it was drawn through."""
        if self._var <= 0.0 or self.weight < 1.5:
            return 0.0
        return float(self._cov / self._var * (12.0 * self._var / self.weight) ** 0.5)


class Track:
    """One tag: its courses by antenna (index in the layout) and its reads of late, which are evidence."""

    __slots__ = (
        *(
            "began_cdbm",
            "courses",
            "epc",
            "first_us",
            "last_us",
            "moves",
            "pc",
            "reads",
            "resting_since",
            "since_us",
        ),
        *("rested", "top_cdbm"),
    )

    def __init__(self, epc: bytes, pc: int | None, at_us: int) -> None:
        self.epc = epc
        self.pc = pc
        self.first_us = at_us
        self.last_us = at_us
        self.since_us = at_us
        self.resting_since: int | None = None
        self.courses: dict[int, Course] = {}
        self.moves = False
        self.rested = False
        self.began_cdbm = -1e9
        self.top_cdbm = -1e9
        self.reads: list[TagRead] = []
