# SPDX-License-Identifier: Apache-2.0
"""How sure it is that one tag went through the door at a moment, from all that its reads say of it.

The hidden Markov model (`way`) weighs only by how much one side hears a tag better than the other. What it
does not see tells whether to believe it: whether this door's antennas or a neighbor's heard the tag then; how
much the sides' difference turned from before to after; whether its phases stayed what they were, which is so
only of what keeps still; how many tags say the like, and of how many; and whether a body of that sense was
before the eyes. A logistic model weighs them all; its weights are the best ones on tuning seeds of the
simulated yard (docs/decisions/gate.md), so that of a hundred findings told with 95 % some five are wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, exp, log, pi
from typing import Final

from .eyes import Sight
from .hearing import MIDDLE, OUTER, Heard, Hearing
from .way import BIN_US

__all__ = ["belief", "nearer", "still", "together"]

_WIDELY_US: Final = 2_000_000
"""So long before and after it the door's antennas are nearer to it than any neighbor's."""
_ABOUT_US: Final = 900_000
"""So long before and after it crosses, a thing is in the doorway or next to it."""
_BESIDE_US: Final = 200_000, 3_500_000
"""So far from the crossing its side is looked at: before it, and after it."""
_APART_US: Final = 60_000
"""Phases nearer to each other in time say little: even a moving tag went less than an eighth of a wave."""
_DWELL_US: Final = 250_000
"""A reader keeps a channel for about so long: its phases are one observation."""
_PHASE: Final = 2.0 * pi / 2048
"""Radians of twice a phase for each of its 4096 steps: half a turn is ambiguous."""
_CHANCE: Final = 0.25
"""What agrees by less than this (cosine of twice the phases' difference) speaks for movement."""
_BODY_US: Final = 500_000
"""A tag may cross so long before or after its truck is before the eyes."""

_WITHOUT_EYES: Final = (
    *(0.98, 1.07, -0.71, 0.50, -0.82, 0.33, 0.14, -0.94),
    *(0.20, 0.28, -1.34, 0.30, 1.23, -1.18, 0.70, -1.00),
)
_WITH_EYES: Final = (
    *(1.60, 0.59, -0.64, 0.52, -0.67, 0.40, 0.33, -0.72),
    *(0.27, 0.06, -0.99, -0.07, 0.91, -0.96, 0.29, -1.13),
)
_SAME_BODY: Final = 0.63
_OTHER_BODY: Final = -1.76


def belief(
    tag: Heard, at: float, sense: int, likely: float, alone: float, hearing: Hearing, sight: Sight
) -> float:
    """The probability that a tag crossed about the moment `at`, with `sense` 1 out and -1 in, which the
    hidden Markov model thinks `likely`. `alone`: how many tags there are for each that says the like,
    natural logarithm: of many that rest one will seem to move.
    """
    told = (*_weighed(tag, at, sense, likely, hearing), alone)
    odds = sum(w * f for w, f in zip(_WITH_EYES if sight.any else _WITHOUT_EYES, told, strict=True))
    if sight.any:
        at_us = hearing.base_us + int((at + 0.5) * BIN_US)
        senses = {
            body.sense
            for body in sight.bodies
            if body.begun_us - _BODY_US <= at_us <= body.ended_us + _BODY_US
        }
        odds += _SAME_BODY if sense in senses else _OTHER_BODY if -sense in senses else 0.0
    return 1.0 / (1.0 + exp(-_between(odds, -30.0, 30.0)))


def together(beliefs: list[float]) -> float:
    """The probability that a group crossed, of whose tags each tells so by itself: what they err in, they
    mostly err in together, so that each further one says less.
    """
    doubt = 1.0
    for each, part in zip(sorted(beliefs, reverse=True), (1.0, 0.5, 0.25, 0.25), strict=False):
        doubt *= (1.0 - each) ** part
    return 1.0 - doubt


def nearer(tag: Heard, at: float, hearing: Hearing) -> float:
    """By how much this door heard a tag better than any neighbor about the moment `at`, in ten dB, to 2."""
    at_us = hearing.base_us + int((at + 0.5) * BIN_US)
    first_us, last_us = at_us - _WIDELY_US, at_us + _WIDELY_US
    here, there = (
        max([read.rssi_cdbm for read in reads if first_us <= read.last_us <= last_us], default=-10_000)
        / 100.0
        for reads in (tag.raw, tag.foreign)
    )
    return _between(here - max(there, hearing.quietest), -20.0, 20.0) / 10.0


def _weighed(tag: Heard, at: float, sense: int, likely: float, hearing: Hearing) -> tuple[float, ...]:
    """What is weighed, in the order of the weights."""
    at_us = hearing.base_us + int((at + 0.5) * BIN_US)
    near, nearest, farthest = 0, *_BESIDE_US
    home = away = 1e-12
    before: tuple[list[float], list[float]] = ([], [])
    after: tuple[list[float], list[float]] = ([], [])
    spots = hearing.spots
    for read in tag.foreign:
        if -_ABOUT_US <= read.last_us - at_us <= _ABOUT_US:
            away += 10.0 ** (read.rssi_cdbm / 1000.0)
    for read in tag.raw:
        side = spots[read.device, read.antenna]
        off_us = read.last_us - at_us
        if -_ABOUT_US <= off_us <= _ABOUT_US:
            home += 10.0 ** (read.rssi_cdbm / 1000.0)
            near += 1
        if side == MIDDLE:
            continue
        if nearest <= off_us <= farthest:
            after[side == OUTER].append(read.rssi_cdbm / 100.0)
        elif -farthest <= off_us <= -nearest:
            before[side == OUTER].append(read.rssi_cdbm / 100.0)
    certain = _between(likely, 1e-4, 1.0 - 1e-4)
    kept_still, since_known = still(tag, at, hearing)
    turned_before = _between(-sense * _apart(before, hearing.quietest), -10.0, 20.0) / 10.0
    turned_after = _between(sense * _apart(after, hearing.quietest), -10.0, 20.0) / 10.0
    few_before = log(1.0 + len(before[0]) + len(before[1]))
    few_after = log(1.0 + len(after[0]) + len(after[1]))
    return (
        1.0,
        _between(log(certain / (1.0 - certain)), -2.0, 7.0),
        kept_still,
        _between(log(home / away), -5.0, 3.0),
        since_known,
        turned_before,
        turned_after,
        log(1.0 + near),
        few_after,
        few_before,
        float(tag.rests(hearing.moments, hearing.opened, hearing.sides, hearing.quietest)),
        float(tag.known is not None),
        nearer(tag, at, hearing),
        min(few_before, few_after, 2.0),
        min(turned_before, turned_after),
    )


def still(tag: Heard, at: float, hearing: Hearing) -> tuple[float, float]:
    """How much a tag's phases say that it kept still about the moment `at`, from before to after; and that
    it is afterwards where it rested before the passage. Above 0 for still, 0 where nothing is known.
    """
    at_us = hearing.base_us + int((at + 0.5) * BIN_US)
    rested = _rested(tag, hearing)
    last: dict[tuple[int, int | None], tuple[int, int]] = {}
    dwelt: set[tuple[int, int | None, int]] = set()
    kept = since_known = 0.0
    for read in tag.raw:
        phase = read.phase
        if phase is None:
            continue
        off_us = read.last_us - at_us
        key = (read.antenna, read.channel)
        before = last.get(key)
        last[key] = (off_us, phase)
        if before is not None and off_us - before[0] >= _APART_US:
            across = before[0] < -150_000 and off_us > 150_000
            if across or (before[0] >= -_ABOUT_US and off_us <= _ABOUT_US):
                kept += cos((phase - before[1]) * _PHASE) - _CHANCE
        once = rested.get(key) if off_us > 300_000 else None
        if once is not None and (dwell := (*key, read.last_us // _DWELL_US)) not in dwelt:
            dwelt.add(dwell)
            since_known += cos((phase - once) * _PHASE) - _CHANCE
    return _between(kept, -3.0, 4.0), _between(since_known, -2.0, 4.0)


def _rested(tag: Heard, hearing: Hearing) -> Mapping[tuple[int, int | None], int]:
    """The phases that a tag told while it rested, by antenna's port and channel."""
    known = tag.known
    if known is None:
        return {}
    return {
        (hearing.layout.antennas[spot].port, channel): phase
        for spot, turns in zip(known.antennas, known.phases, strict=False)
        for channel, phase in turns
    }


def _apart(levels: tuple[list[float], list[float]], quietest: float) -> float:
    """By how much the outer antennas hear better than the inner ones, dB."""
    if not levels[0] and not levels[1]:
        return 0.0
    return _loud(levels[1], quietest) - _loud(levels[0], quietest)


def _loud(levels: list[float], quietest: float) -> float:
    """The mean of the loudest third."""
    if not levels:
        return quietest
    loudest = sorted(levels, reverse=True)[: max(1, len(levels) // 3)]
    return sum(loudest) / len(loudest)


def _between(value: float, low: float, high: float) -> float:
    return max(low, min(value, high))
