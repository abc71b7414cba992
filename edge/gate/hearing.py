# SPDX-License-Identifier: Apache-2.0
"""The reads of a passage by tag: what each antenna side of the door heard of it, moment by moment."""

from __future__ import annotations

from typing import Final

from drivers.read import TagRead
from edge.evidence import Evidence, Known

from .way import BIN_US, against

__all__ = ["Heard", "Hearing", "hear"]

INNER, MIDDLE, OUTER = 0, 1, 2
SIDE_OF: Final = {"inner": INNER, "middle": MIDDLE, "outer": OUTER}

Told = tuple[float, float, float, float, float]

_CARRIED: Final = 3
"""An antenna that was not asked in a moment is taken to hear what it heard up to so many moments before."""
_ASKED: Final = 100
"""A reader that tells phases tells them with every read."""
_FLAT_DB: Final = 3.5
"""Standard deviation of the loudest reads of a tag that keeps still."""
_LIKE_BEFORE_DB: Final = 7.0
"""A tag that rested before and is never louder than this above then, for three moments together, rests on."""


class Heard:
    """One tag. `cells`: loudest read in dBm by 4 * moment + side. `home` and `away`: its energy at this door
    and at others, milliwatts; `raw` and `foreign`: its reads there. `begun_us` and `ended_us`: the first and
    last of the former. `center` and `spread`: mean and deviation of its energy in time, in moments.
    """

    __slots__ = (
        *("away", "cells", "center", "epc", "first_us", "home", "known", "last_us", "pc", "peak", "reads"),
        *("_told", "begun_us", "ended_us", "foreign", "raw", "spread"),
    )

    def __init__(self, epc: bytes, pc: int | None, first_us: int) -> None:
        self.epc = epc
        self.pc = pc
        self.cells: dict[int, float] = {}
        self.raw: list[TagRead] = []
        self.foreign: list[TagRead] = []
        self.reads = 0
        self.peak = -32_768
        self.first_us = first_us
        self.last_us = first_us
        self.begun_us = self.ended_us = first_us
        self.home = 0.0
        self.away = 0.0
        self.center = 0.0
        self.spread = 0.0
        self.known: Known | None = None
        self._told: dict[int, Told] | None = None

    @property
    def share(self) -> float:
        """This door's part of the tag's energy over all doors."""
        return self.home / (self.home + self.away) if self.home else 0.0

    @property
    def best(self) -> float:
        """Its loudest moment, dBm."""
        return self.peak / 100.0

    def summed(self) -> None:
        """Reckon what is of all reads together, once all is heard."""
        self.reads = len(self.raw)
        self.begun_us = min(read.last_us for read in self.raw)
        self.ended_us = max(read.last_us for read in self.raw)
        self.last_us = max(self.last_us, *[read.last_us for read in self.raw])
        self.first_us = min(self.first_us, *[read.first_us for read in self.raw])
        total = mean = square = 0.0
        for key, level in self.cells.items():
            weight = 10.0 ** ((level - self.best) / 10.0)
            at = key >> 2
            total += weight
            mean += weight * at
            square += weight * at * at
        if total:
            self.center = mean / total
            self.spread = max(square / total - self.center * self.center, 0.0) ** 0.5

    def told(self, quietest: float) -> dict[int, Told]:
        """What the tag says of its place, by moment in which an inner or outer antenna heard it: what speaks
        against inside, doorway and outside, a weight, and the difference of the levels.
        """
        if self._told is None:
            self._told = self._tell(quietest)
        return self._told

    def _tell(self, quietest: float) -> dict[int, Told]:
        told: dict[int, Told] = {}
        cells = self.cells
        inner = outer = 0.0
        inner_at = outer_at = -99
        for at in sorted({key >> 2 for key in cells if key & 3 != MIDDLE}):
            heard = cells.get(at * 4 + INNER)
            if heard is not None:
                inner, inner_at = heard, at
            heard = cells.get(at * 4 + OUTER)
            if heard is not None:
                outer, outer_at = heard, at
            unheard, weight = 0, 1.0
            if inner_at < at - _CARRIED:
                off, unheard = max(outer - quietest, 0.0), 1
            elif outer_at < at - _CARRIED:
                off, unheard = min(quietest - inner, 0.0), -1
            else:
                off = outer - inner
                weight = 1.0 if inner_at == outer_at else 0.8
            inside, doorway, outside = against(off, unheard)
            told[at] = (inside * weight, doorway * weight, outside * weight, weight, off)
        return told

    def rests(self, moments: int, opened: int, sides: dict[int, int], quietest: float) -> bool:
        """Seen before the opening and after the passage's middle, as loud as before or flat."""
        if not self.cells:
            return True
        early = min(self.cells) >> 2
        late = max(self.cells) >> 2
        known = self._before(sides)
        if known:
            unheard = quietest + _LIKE_BEFORE_DB / 2.0
            above = sorted(
                (level - known.get(key & 3, unheard) for key, level in self.cells.items()), reverse=True
            )
            top = above[: max(3, len(above) // 20)]
            return bool(top) and sum(top) / len(top) < _LIKE_BEFORE_DB
        if early > opened or late - early < 0.7 * moments:
            return False
        return self._deviation() < _FLAT_DB

    def _before(self, sides: dict[int, int]) -> dict[int, float]:
        if self.known is None:
            return {}
        levels: dict[int, float] = {}
        for spot, level in zip(self.known.antennas, self.known.levels_cdbm, strict=True):
            side = sides.get(spot)
            if side is not None:
                levels[side] = max(levels.get(side, -200.0), level / 100.0)
        return levels

    def _deviation(self) -> float:
        sums: dict[int, list[float]] = {}
        for key, level in self.cells.items():
            each = sums.setdefault(key & 3, [0.0, 0.0, 0.0])
            each[0] += 1.0
            each[1] += level
            each[2] += level * level
        off = sum(s[2] - s[1] * s[1] / s[0] for s in sums.values())
        return float((max(off, 0.0) / max(len(self.cells) - len(sums), 1)) ** 0.5)


class Hearing:
    """All tags of a passage's evidence. `base_us` begins moment 0; `opened` is the moment of the opening.
    `quietest` is the level, dBm, below which this door's reader hears little; `phases`: whether it tells
    them. `inside` are the antennas of other doors that look into the zone.
    """

    __slots__ = (
        *("base_us", "inside", "layout", "moments", "opened", "phases", "quietest", "sides", "spots"),
        "tags",
    )

    def __init__(self, evidence: Evidence) -> None:
        before_us = evidence.settings.before_ms * 1000
        self.base_us = evidence.opened_us - before_us
        self.opened = before_us // BIN_US
        self.moments = max(1, (evidence.closed_us - self.base_us) // BIN_US + 1)
        self.tags: dict[bytes, Heard] = {}
        self.layout = evidence.layout
        self.sides = {
            spot: SIDE_OF.get(antenna.side, MIDDLE)
            for spot, antenna in enumerate(evidence.layout.antennas)
            if antenna.door == evidence.door
        }
        self.spots = {
            (antenna.device, antenna.port): self.sides.get(spot, -1)
            for spot, antenna in enumerate(evidence.layout.antennas)
        }
        self.inside = {
            (antenna.device, antenna.port)
            for antenna in evidence.layout.antennas
            if antenna.door != evidence.door and SIDE_OF.get(antenna.side, MIDDLE) == INNER
        }
        self.quietest = -72.0
        self.phases = any(read.phase is not None for read in evidence.reads[:_ASKED])

    def moment(self, at_us: int) -> int:
        """The moment in which a time falls."""
        return min(max((at_us - self.base_us) // BIN_US, 0), self.moments - 1)


def hear(evidence: Evidence) -> Hearing:
    """Sort the reads of `evidence`."""
    hearing = Hearing(evidence)
    _sort(evidence, hearing)
    tags = hearing.tags
    for known in evidence.known:
        if known.epc in tags:
            tags[known.epc].known = known
    for epc in [epc for epc, tag in tags.items() if not tag.raw]:
        del tags[epc]
    for tag in tags.values():
        tag.summed()
    loudness = sorted(min(tag.cells.values()) for tag in tags.values())
    if loudness:
        hearing.quietest = min(-60.0, loudness[len(loudness) // 10])
    return hearing


def _sort(evidence: Evidence, hearing: Hearing) -> None:
    """Each read to its tag. Every read of a day comes by here: nothing is called that need not be."""
    spots = hearing.spots
    tags, base, last = hearing.tags, hearing.base_us, hearing.moments - 1
    milliwatts: dict[int, float] = {}
    for read in evidence.reads:
        side = spots.get((read.device, read.antenna))
        at = read.last_us
        if side is None or at < base:
            continue
        epc, level = read.epc, read.rssi_cdbm
        tag = tags.get(epc)
        if tag is None:
            tag = tags[epc] = Heard(epc, read.pc, read.first_us)
        power = milliwatts.get(level)
        if power is None:
            power = milliwatts[level] = 10.0 ** (level / 1000.0)
        if side < 0:
            tag.foreign.append(read)
            tag.away += power
            continue
        tag.raw.append(read)
        tag.home += power
        key, dbm = min((at - base) // BIN_US, last) * 4 + side, level / 100.0
        if dbm > tag.cells.get(key, -1000.0):
            tag.cells[key] = dbm
            tag.peak = max(tag.peak, level)
