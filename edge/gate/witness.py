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

from collections.abc import Mapping, Sequence
from math import cos, exp, log, pi
from typing import Final

from .claims import ASSETS, UNITS, Claim
from .eyes import Body, Sight
from .hearing import INNER, MIDDLE, OUTER, Heard, Hearing
from .phases import Look, beside, movement
from .way import BIN_US
from .weights import ITEM, UNIT

__all__ = ["belief", "ends", "nearer", "still", "sure_by", "together", "weighed"]

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


def belief(
    tag: Heard, claim: Claim, alone: float, seen: Sequence[Look], hearing: Hearing, sight: Sight
) -> float:
    """The probability that a tag made the crossing it claims. `alone`: how many tags there are for each that
    says the like, natural logarithm: of many that rest one will seem to move. `seen` are its looks.
    """
    told = weighed(tag, claim, alone, seen, hearing, sight)
    seen_too = claim.body is not None
    weights = UNIT if tag.epc[0] in UNITS else ITEM
    believed = sure_by(weights[seen_too + (claim.load_us is not None)], told)
    if claim.load_us == 0 and sure_by(weights[1], told) > _CLEAR:
        believed = max(believed, _BLIND)
    if claim.body is not None and claim.load_us == 0 and _brief(sight.bodies[claim.body]):
        believed *= _UNSEEN
    if tag.share < _GUEST and nearer(tag, claim.at, hearing) < _ABROAD:
        believed *= _UNSEEN
    unseen = not seen_too and _free(claim.at, hearing, sight, truck=tag.epc[0] in ASSETS)
    if unseen or (tag.foreign and _goes_by(tag, claim, hearing)):
        believed *= _UNSEEN
    return believed


def _brief(body: Body) -> bool:
    """Whether a body was before the eyes for less than a pallet jack is, which is walked."""
    return body.ended_us - body.begun_us < (_WALKED_BACK_US if body.first == body.last else _WALKED_US)


def _goes_by(tag: Heard, claim: Claim, hearing: Hearing) -> bool:
    """Whether a tag is in the zone while it should be beyond the door, after going out or before coming in:
    antennas of other doors that look into the zone hear it, and better than any that look the other way.
    """
    at_us = hearing.base_us + int((claim.at + 0.5) * BIN_US)
    inside, most, beyond = 0, hearing.quietest, hearing.quietest
    for reads in (tag.foreign, tag.raw):
        for read in reads:
            if not _ABOUT_US <= claim.sense * (read.last_us - at_us) - claim.stood_us <= _BEYOND_US:
                continue
            level = read.rssi_cdbm / 100.0
            if reads is tag.raw:
                if hearing.spots[read.device, read.antenna] == OUTER:
                    beyond = max(beyond, level)
            elif (read.device, read.antenna) in hearing.inside:
                inside, most = inside + 1, max(most, level)
            else:
                beyond = max(beyond, level)
    return inside >= _INSIDE and most > beyond + _BETTER_DB


def _free(at: float, hearing: Hearing, sight: Sight, *, truck: bool) -> bool:
    """Whether an eye that can be believed saw nothing in the door about the moment `at`, or nothing that had
    a load above it, but for a `truck`.
    """
    at_us = hearing.base_us + int((at + 0.5) * BIN_US)
    return sight.any and not any(
        body.begun_us - _ABOUT_US <= at_us <= body.ended_us + _ABOUT_US
        for body in sight.bodies
        if truck or body.load is not False
    )


def sure_by(weights: Sequence[float], told: Sequence[float]) -> float:
    """What a logistic model makes of what is weighed."""
    odds = sum([weight * each for weight, each in zip(weights, told, strict=True)])
    return 1.0 / (1.0 + exp(-_between(odds, -30.0, 30.0)))


def together(beliefs: list[float]) -> float:
    """The probability that a group crossed, of whose tags each tells so by itself: what they err in, they
    mostly err in together, so that each further one says less.
    """
    doubt = 1.0
    for each, part in zip(sorted(beliefs, reverse=True), (1.0, 0.5, 0.25, 0.25), strict=False):
        doubt *= (1.0 - each) ** part
    return 1.0 - doubt


def nearer(tag: Heard, at: float, hearing: Hearing, stood_us: int = 0) -> float:
    """By how much this door heard a tag better than any neighbor about the moment `at`, in ten dB, to 2. It
    stood still for `stood_us` before and after that.
    """
    at_us = hearing.base_us + int((at + 0.5) * BIN_US)
    first_us, last_us = at_us - stood_us - _WIDELY_US, at_us + stood_us + _WIDELY_US
    here, there = (
        max([read.rssi_cdbm for read in reads if first_us <= read.last_us <= last_us], default=-10_000)
        / 100.0
        for reads in (tag.raw, tag.foreign)
    )
    return _between(here - max(there, hearing.quietest), -20.0, 20.0) / 10.0


def weighed(
    tag: Heard, claim: Claim, alone: float, seen: Sequence[Look], hearing: Hearing, sight: Sight
) -> tuple[float, ...]:
    """What is weighed, in the order of the weights."""
    at, sense, stood_us = claim.at, claim.sense, claim.stood_us
    at_us = hearing.base_us + int((at + 0.5) * BIN_US)
    near, nearest, farthest = 0, *_BESIDE_US
    home = away = 1e-12
    before: tuple[list[float], list[float]] = ([], [])
    after: tuple[list[float], list[float]] = ([], [])
    spots = hearing.spots
    for read in tag.foreign:
        if -_ABOUT_US <= beside(read.last_us - at_us, stood_us) <= _ABOUT_US:
            away += 10.0 ** (read.rssi_cdbm / 1000.0)
    for read in tag.raw:
        side = spots[read.device, read.antenna]
        off_us = beside(read.last_us - at_us, stood_us)
        if -_ABOUT_US <= off_us <= _ABOUT_US:
            home += 10.0 ** (read.rssi_cdbm / 1000.0)
            near += 1
        if side == MIDDLE:
            continue
        if nearest <= off_us <= farthest:
            after[side == OUTER].append(read.rssi_cdbm / 100.0)
        elif -farthest <= off_us <= -nearest:
            before[side == OUTER].append(read.rssi_cdbm / 100.0)
    certain = _between(claim.likely, 1e-4, 1.0 - 1e-4)
    likely = _between(log(certain / (1.0 - certain)), -2.0, 7.0)
    kept_still, since_known = still(tag, at, hearing, stood_us)
    turned_before = _between(-sense * _apart(before, hearing.quietest), -10.0, 20.0) / 10.0
    turned_after = _between(sense * _apart(after, hearing.quietest), -10.0, 20.0) / 10.0
    few_before = log(1.0 + len(before[0]) + len(before[1]))
    few_after = log(1.0 + len(after[0]) + len(after[1]))
    few = min(few_before, few_after, 2.0)
    least = min(turned_before, turned_after)
    closer = nearer(tag, at, hearing, stood_us)
    moved = movement(seen, at_us, stood_us)
    body = sight.bodies[claim.body] if claim.body is not None else None
    levels = _levels(tag, at, sense, stood_us / BIN_US)
    begun, ended = ends(tag, sense)
    back = 0.0
    if body is not None:
        back = float(any(e.sense == -sense and e.begun_us > body.ended_us for e in sight.bodies))
    since = _between((at_us - tag.begun_us) / 1e6, -1.0, 6.0)
    until = _between((tag.ended_us - at_us) / 1e6, -1.0, 6.0)
    return (
        1.0,
        likely,
        max(likely - 3.0, 0.0),
        min(likely, 0.0),
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
        closer,
        min(closer, 0.5),
        min(closer, 0.0),
        _between(log((tag.home + 1e-12) / (tag.away + 1e-12)), -4.0, 4.0),
        few,
        min(few, 1.0),
        least,
        least * moved.turned,
        min(least, max(moved.turned_before, moved.turned_after) / 2.0),
        alone,
        max(alone - 3.0, 0.0),
        *moved,
        min(moved.turned, 1.0),
        min(moved.turned_before, moved.turned_after),
        max(moved.turned_before, moved.turned_after),
        min(moved.came, 0.4),
        min(moved.went, 0.4),
        max(moved.kept - moved.turned, 0.0),
        max(moved.turned - moved.kept, 0.0),
        since,
        until,
        max(1.5 - until, 0.0),
        max(1.5 - since, 0.0),
        max(1.5 - until, 0.0) * min(moved.turned_before, 2.0),
        max(1.5 - since, 0.0) * min(moved.turned_after, 2.0),
        *levels,
        begun,
        ended,
        back,
        back * ended,
        float(body is not None and body.first == body.last),
        log((body.ended_us - body.begun_us) / 1e6) if body is not None else 0.0,
        float(len(sight.bodies)),
        float(not hearing.phases),
        *_carried(claim, body),
    )


def _carried(claim: Claim, body: Body | None) -> tuple[float, ...]:
    """What the height eye says of the load: whether it saw one, for how long, one of several, with a body
    that turned.
    """
    if body is None or body.loads is None or not claim.load_us:
        return (0.0,) * 5
    turned = float(body.first == body.last)
    alone = float(len(body.loads) == 1)
    return 1.0, _between(log(claim.load_us / 1e6), -2.0, 1.5), turned, alone, turned * alone


_AWAY: Final = 25.0
_QUIET_DBM: Final = -80.0
_MEAN_DBM: Final = 60.0


def _levels(tag: Heard, at: float, sense: int, stood: float) -> tuple[float, ...]:
    """The loudest level when it crossed, before and after, each side's against the other's, all in ten dB."""
    peak = -90.0
    before = [_QUIET_DBM, _QUIET_DBM, _QUIET_DBM]
    after = [_QUIET_DBM, _QUIET_DBM, _QUIET_DBM]
    for key, level in tag.cells.items():
        off = (key >> 2) - at
        off -= max(-stood, min(stood, off))
        if -8.0 < off < 8.0 and level > peak:
            peak = level
        if -_AWAY <= off < -1.0:
            before[key & 3] = max(before[key & 3], level)
        elif 1.0 < off <= _AWAY:
            after[key & 3] = max(after[key & 3], level)
    early, late = max(before), max(after)
    turned_before = _between(-sense * (before[OUTER] - before[INNER]) / 10.0, -2.0, 2.0)
    turned_after = _between(sense * (after[OUTER] - after[INNER]) / 10.0, -2.0, 2.0)
    return (
        (peak + _MEAN_DBM) / 10.0,
        (tag.best - peak) / 10.0,
        (early + _MEAN_DBM) / 10.0,
        (late + _MEAN_DBM) / 10.0,
        turned_before,
        turned_after,
        min(turned_before, turned_after),
        min(turned_before, 0.5),
        min(turned_after, 0.5),
        _between((peak - early) / 10.0, -2.0, 2.0),
        _between((peak - late) / 10.0, -2.0, 2.0),
    )


_CLEAR: Final = 0.9
_BLIND: Final = 0.8
"""What is clear but for the height eye, which saw no load, is a Hold: the eye may be blind, the load low."""
_WALKED_US: Final = 1_300_000
_WALKED_BACK_US: Final = 3_000_000
"""A load so low that the height eye does not see it is walked: so long through the door, and so long there
and back. A person in the eyes is gone sooner."""
_GUEST: Final = 0.15
_ABROAD: Final = -0.5
"""A tag of which a neighbor heard nearly all, and five dB better at that moment, went through there."""
_UNSEEN: Final = 0.6
"""Of what nothing says but a tag, though two eyes were there to see it, so much is believed: a Hold."""
_BEYOND_US: Final = 6_000_000
"""So long after it went out a thing is still heard, and so long before it comes in."""
_INSIDE: Final = 3
_BETTER_DB: Final = 3.0
_AN_END: Final = 17


def ends(tag: Heard, sense: int) -> tuple[float, float]:
    """On which sides the tag was heard first and last, as its crossing would have it, in ten dB."""
    first, last = min(tag.cells) >> 2, max(tag.cells) >> 2
    early = [_QUIET_DBM, _QUIET_DBM, _QUIET_DBM]
    late = [_QUIET_DBM, _QUIET_DBM, _QUIET_DBM]
    for key, level in tag.cells.items():
        if (key >> 2) - first <= _AN_END:
            early[key & 3] = max(early[key & 3], level)
        if last - (key >> 2) <= _AN_END:
            late[key & 3] = max(late[key & 3], level)
    return (
        _between(-sense * (early[OUTER] - early[INNER]) / 10.0, -2.0, 2.0),
        _between(sense * (late[OUTER] - late[INNER]) / 10.0, -2.0, 2.0),
    )


def still(tag: Heard, at: float, hearing: Hearing, stood_us: int = 0) -> tuple[float, float]:
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
        off_us = beside(read.last_us - at_us, stood_us)
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
