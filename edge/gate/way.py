# SPDX-License-Identifier: Apache-2.0
"""On which side of the door something was, moment by moment, from how the antennas' levels differ.

A hidden Markov model with three places: inside, in the doorway, outside. What it sees in a moment is the
outer antennas' level less the inner ones': near nothing in the doorway, below on the inside, above on the
outside, whatever the tag's own loudness. By how much depends on mounting and load; the model asks for a
sign and a size that no fading makes, not for a size that one mounting has. The forward pass carries the
place where it began, so that the result is one probability for each pair of first and last place: what two
ways explain alike comes out as not known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log
from typing import Final

__all__ = ["APART_DB", "BIN_US", "Gateway", "Way", "against", "follow"]

BIN_US: Final = 150_000
"""A moment: a forklift at 2 m/s goes 30 cm, a reader hears each antenna about once."""

APART_DB: Final = 8.0
"""Half the difference between inside and outside, of a usual mounting."""
_ODD_DB2: Final = 16.0
"""Variance of a difference that does not average out over tags: shadows of load and mast, reflections."""
_FADING_DB2: Final = 40.0
"""Variance of one tag's difference in one moment."""
_OUTLIER: Final = 4.0
"""No moment says more against a place than this (natural logarithm)."""
_TRUST: Final = 0.6
"""Neighboring moments err together: each counts for less than one."""
_STEP: Final = 0.06
"""Chance to go on to the next place from one moment heard to the next."""
_LEAP: Final = 0.004
"""Chance to go through the doorway between two: a quick truck, few reads."""
_DOORWAY: Final = 0.05
"""How much less often than beside it something comes into sight, or goes out of it, in the doorway."""
_ACROSS_FREE: Final = 1e-4
"""Of that, so much while the eyes see nothing in the door: an eye may fail."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """What photo eyes say: in `free` moments nothing stands in the door, so that nothing crosses; at some
    moments a thing is on a known side (-1 inside, 1 outside) but for a small chance.
    """

    free: Sequence[bool] = ()
    sides: Mapping[int, tuple[int, float]] | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """`out`, `back_in`: the probability that it began inside and ended outside, or the other way round;
    `stayed`: that it ended where it began. The rest, up to 1, is what ended or began in the doorway.
    `sides`: for each moment followed, the mean side from -1 inside to 1 outside. `moments`: which those are.
    """

    out: float
    back_in: float
    stayed: float
    moments: list[int]
    sides: list[float]

    def crossings(self) -> list[int]:
        """Each time the door was crossed: 1 outwards, -1 inwards."""
        crossed: list[int] = []
        before = 0
        for side in self.sides:
            now = 1 if side > 0.6 else -1 if side < -0.6 else 0
            if now and now != before:
                if before:
                    crossed.append(now)
                before = now
        return crossed

    def support(self) -> int:
        """The fewer of the moments that were clearly on one side before the last crossing, and after it."""
        counts = [0, 0]
        at = self.crossed_at()
        for moment, side in zip(self.moments, self.sides, strict=True):
            if at is not None and abs(side) > 0.6:
                counts[moment > at] += 1
        return min(counts)

    def crossed_at(self) -> float | None:
        """The moment in which the door was crossed last; None when it was not."""
        before = None
        for at in range(len(self.sides) - 1, 0, -1):
            if before is None and abs(self.sides[at]) > 0.6:
                before = self.sides[at]
            if before is not None and self.sides[at - 1] * before <= 0.0:
                early, late = self.sides[at - 1], self.sides[at]
                part = early / (early - late) if early != late else 0.5
                return self.moments[at - 1] + part * (self.moments[at] - self.moments[at - 1])
        return None


_Row = tuple[float, float, float]


def against(difference_db: float, unheard: int = 0) -> _Row:
    """How much speaks against inside, doorway and outside in one moment of one tag (natural logarithm).

    `difference_db`: outer less inner level. `unheard`: 1 where the inner antennas did not hear the tag, so
    that the difference is at least that; -1 where the outer did not, so that it is at most that.
    """
    if unheard:
        # The chance that a difference about its mean is beyond the one that silence sets.
        least = min(unheard * difference_db, APART_DB)  # more than that says no more
        past = [(least - unheard * mean) / _SPREAD_DB for mean in _MEANS]
        a, b, c = (min(log(1.0 + exp(1.7 * each)), _OUTLIER) for each in past)
        return a, b, c
    inside = min((difference_db + APART_DB) ** 2 / _TWICE, _OUTLIER) if difference_db > -APART_DB else 0.0
    outside = min((difference_db - APART_DB) ** 2 / _TWICE, _OUTLIER) if difference_db < APART_DB else 0.0
    return inside, min(difference_db * difference_db / _TWICE, _OUTLIER), outside


_MEANS: Final = (-APART_DB, 0.0, APART_DB)
_SPREAD_DB: Final = (_ODD_DB2 + _FADING_DB2) ** 0.5
_TWICE: Final = 2.0 * (_ODD_DB2 + _FADING_DB2)


def follow(told: Mapping[int, tuple[float, float, float, float]], gateway: Gateway) -> Way:
    """The way through what is `told`: by moment, the sums over tags of what speaks `against` each place, and
    the weight of the tags.
    """
    moments = sorted(told.keys() | (gateway.sides.keys() if gateway.sides else set()))
    if not moments:
        return Way(0.0, 0.0, 1.0, [], [])
    seen = [_seen(told.get(at), gateway, at) for at in moments]
    steps = [_step(gateway, early, late) for early, late in pairwise(moments)]
    began: list[_Row] = [(1.0, 0.0, 0.0), (0.0, _DOORWAY, 0.0), (0.0, 0.0, 1.0)]
    forward: list[_Row] = []
    for at, (p, q, r) in enumerate(seen):
        if at:
            step, leap = steps[at - 1]
            began = [_go(row, step, leap) for row in began]
        began = [(a * p, b * q, c * r) for a, b, c in began]
        total = sum(map(sum, began)) or 1e-250
        began = [(a / total, b / total, c / total) for a, b, c in began]
        (a, b, c), (d, e, f), (g, h, i) = began
        forward.append((a + d + g, b + e + h, c + f + i))
    sides = _smoothed(forward, seen, steps)
    ended = [(a, b * _DOORWAY, c) for a, b, c in began]
    total = sum(map(sum, ended)) or 1e-250
    (in_in, _, in_out), (_, still, _), (out_in, _, out_out) = ended
    stayed = (in_in + still + out_out) / total
    return Way(in_out / total, out_in / total, stayed, moments, sides)


def _seen(told: tuple[float, float, float, float] | None, gateway: Gateway, at: int) -> _Row:
    """The likelihood of the three places in a moment, up to a factor."""
    inside, doorway, outside = 1.0, 1.0, 1.0
    if told is not None:
        weight = told[3]
        # So many tags say as much as one whose fading is averaged, but not what errs for all alike.
        counts = (_ODD_DB2 + _FADING_DB2) / (_ODD_DB2 + _FADING_DB2 / max(weight, 1.0))
        scale = -_TRUST * counts * min(weight, 1.0) / weight
        inside, doorway, outside = exp(scale * told[0]), exp(scale * told[1]), exp(scale * told[2])
    if gateway.sides is not None and at in gateway.sides:
        side, doubt = gateway.sides[at]
        if side < 0:
            doorway, outside = doorway * doubt, outside * doubt
        else:
            inside, doorway = inside * doubt, doorway * doubt
    return inside, doorway, outside


def _step(gateway: Gateway, early: int, late: int) -> tuple[float, float]:
    """The chances to step and to leap between two moments."""
    length = min(late - early, 4)
    if gateway.free and all(gateway.free[early : late + 1]):
        return _STEP * length * _ACROSS_FREE, _LEAP * length * _ACROSS_FREE
    return _STEP * length, _LEAP * length


def _go(row: _Row, step: float, leap: float) -> _Row:
    a, b, c = row
    return (
        a * (1.0 - step - leap) + b * step + c * leap,
        a * step + b * (1.0 - 2.0 * step) + c * step,
        a * leap + b * step + c * (1.0 - step - leap),
    )


def _smoothed(
    forward: Sequence[_Row], seen: Sequence[_Row], steps: Sequence[tuple[float, float]]
) -> list[float]:
    """The mean side in each moment, from all that came before and after."""
    later: _Row = (1.0, 1.0, 1.0)
    sides = [0.0] * len(seen)
    for at in range(len(seen) - 1, -1, -1):
        a, b, c = (f * g for f, g in zip(forward[at], later, strict=True))
        sides[at] = (c - a) / ((a + b + c) or 1e-250)
        if at:
            p, q, r = (f * g for f, g in zip(seen[at], later, strict=True))
            p, q, r = _go((p, q, r), *steps[at - 1])  # the chances are the same both ways
            top = max(p, q, r) or 1e-250
            later = (p / top, q / top, r / top)
    return sides
