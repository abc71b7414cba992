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
        far, middle, near = _beyond(least + APART_DB), _beyond(least), _beyond(least - APART_DB)
        return (far, middle, near) if unheard > 0 else (near, middle, far)
    inside = min((difference_db + APART_DB) ** 2 / _TWICE, _OUTLIER) if difference_db > -APART_DB else 0.0
    outside = min((difference_db - APART_DB) ** 2 / _TWICE, _OUTLIER) if difference_db < APART_DB else 0.0
    return inside, min(difference_db * difference_db / _TWICE, _OUTLIER), outside


def _beyond(past_db: float) -> float:
    return min(log(1.0 + exp(1.7 * (past_db / _SPREAD_DB))), _OUTLIER)


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
    forward, ended = _forward(seen, steps)
    total = sum(map(sum, ended)) or 1e-250
    (in_in, _, in_out), (_, still, _), (out_in, _, out_out) = ended
    stayed = (in_in + still + out_out) / total
    return Way(in_out / total, out_in / total, stayed, moments, _smoothed(forward, seen, steps))


def _forward(
    seen: Sequence[_Row], steps: Sequence[tuple[float, float]]
) -> tuple[list[_Row], tuple[_Row, _Row, _Row]]:
    """The three places in each moment, up to a factor, from all that came before; and in the last one by the
    place where it began. Here and in `_smoothed` the sums stand written out, since all time is spent in them.
    """
    a, b, c = 1.0, 0.0, 0.0
    d, e, f = 0.0, _DOORWAY, 0.0
    g, h, i = 0.0, 0.0, 1.0
    forward: list[_Row] = []
    for at, (p, q, r) in enumerate(seen):
        if at:
            step, leap = steps[at - 1]
            stay, still = 1.0 - step - leap, 1.0 - 2.0 * step
            a, b, c = (
                a * stay + b * step + c * leap,
                a * step + b * still + c * step,
                a * leap + b * step + c * stay,
            )
            d, e, f = (
                d * stay + e * step + f * leap,
                d * step + e * still + f * step,
                d * leap + e * step + f * stay,
            )
            g, h, i = (
                g * stay + h * step + i * leap,
                g * step + h * still + i * step,
                g * leap + h * step + i * stay,
            )
        a, b, c, d, e, f, g, h, i = a * p, b * q, c * r, d * p, e * q, f * r, g * p, h * q, i * r
        total = ((a + b + c) + (d + e + f) + (g + h + i)) or 1e-250
        a, b, c = a / total, b / total, c / total
        d, e, f = d / total, e / total, f / total
        g, h, i = g / total, h / total, i / total
        forward.append((a + d + g, b + e + h, c + f + i))
    return forward, ((a, b * _DOORWAY, c), (d, e * _DOORWAY, f), (g, h * _DOORWAY, i))


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


def _smoothed(
    forward: Sequence[_Row], seen: Sequence[_Row], steps: Sequence[tuple[float, float]]
) -> list[float]:
    """The mean side in each moment, from all that came before and after."""
    x, y, z = 1.0, 1.0, 1.0
    sides = [0.0] * len(seen)
    for at in range(len(seen) - 1, -1, -1):
        a, b, c = forward[at]
        a, b, c = a * x, b * y, c * z
        sides[at] = (c - a) / ((a + b + c) or 1e-250)
        if at:
            p, q, r = seen[at]
            p, q, r = p * x, q * y, r * z
            step, leap = steps[at - 1]  # the chances are the same both ways
            stay = 1.0 - step - leap
            x = p * stay + q * step + r * leap
            y = p * step + q * (1.0 - 2.0 * step) + r * step
            z = p * leap + q * step + r * stay
            top = max(x, y, z) or 1e-250
            x, y, z = x / top, y / top, z / top
    return sides
