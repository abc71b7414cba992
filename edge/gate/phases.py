# SPDX-License-Identifier: Apache-2.0
"""What a tag's phases say of its movement: whether it kept still while an antenna looked, or how fast it
came.

A reader stays with one antenna on one channel for some tens of milliseconds and hears a tag several times.
The phase of the reply goes round once for each half wavelength that the tag comes nearer or goes away, up to
half a turn which the reader cannot tell: twice the phase is what is compared. Of a tag at rest it stays where
it is; of one that moves it turns, the faster the quicker it comes or goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, log, pi, sin
from typing import Final, NamedTuple

from drivers.read import TagRead

__all__ = ["Look", "Movement", "looks", "movement"]

_APART_US: Final = 150_000
"""A reader that was away from an antenna for longer took another look."""
_SHORT_US: Final = 12_000
"""In less than this not even a quick tag's phase turns by more than its noise."""
_READS_MAX: Final = 24
"""Of one look; more say no more."""
_TWICE: Final = 2.0 * pi / 2048
"""Radians of twice a phase for each of its 4096 steps."""
_HALF_WAVE_M: Final = 0.164
"""At 915 MHz; at 866 MHz 0.173, which is within what is asked of a speed."""
_SPEEDS: Final = tuple(step * 0.2 for step in range(-16, 17))
"""m/s; above 0: away from the antenna."""


class Look(NamedTuple):
    """One antenna's look at one tag: its middle, how long it was, its reads; `still`: how far its phases are
    the same, from 0 to 1; `speed`: the speed that explains them best, m/s, above 0 away from the antenna, and
    how well it does.
    """

    at_us: int
    antenna: tuple[str, int]
    span_us: int
    reads: int
    still: float
    speed: float
    fits: float


def looks(reads: Sequence[TagRead]) -> list[Look]:
    """The looks that say something, in order of their end. `reads` are one tag's, in time's order."""
    found: list[Look] = []
    open_: dict[tuple[str, int], list[TagRead]] = {}
    for read in reads:
        if read.phase is None or read.channel is None:
            continue
        key = (read.device, read.antenna)
        run = open_.get(key)
        if run is not None and (
            read.channel != run[-1].channel or not 0 <= read.last_us - run[-1].last_us < _APART_US
        ):
            _end(found, key, run)
            run = None
        if run is None:
            open_[key] = [read]
        elif len(run) < _READS_MAX:
            run.append(read)
    for key, run in open_.items():
        _end(found, key, run)
    found.sort()
    return found


def _end(found: list[Look], key: tuple[str, int], run: Sequence[TagRead]) -> None:
    first_us, last_us = run[0].last_us, run[-1].last_us
    if last_us - first_us < _SHORT_US:
        return
    turns = [(read.phase or 0) * _TWICE for read in run]
    times = [(read.last_us - first_us) / 1e6 for read in run]
    best = still = 0.0
    speed = 0.0
    for each in _SPEEDS:
        turn = each * 2.0 * 2.0 * pi / _HALF_WAVE_M
        real = imaginary = 0.0
        for phase, at in zip(turns, times, strict=True):
            angle = phase + turn * at
            real += cos(angle)
            imaginary += sin(angle)
        fits = (real * real + imaginary * imaginary) ** 0.5
        if each == 0.0:
            still = fits
        if fits > best:
            best, speed = fits, each
    count = len(run)
    found.append(
        Look((first_us + last_us) // 2, key, last_us - first_us, count, still / count, speed, best / count)
    )


class Movement(NamedTuple):
    """What looks say of a tag about a moment, mostly natural logarithms of one more than a sum. `turned`: how
    much better a speed explains its phases than rest does, in what is near the moment, before and after it;
    `kept`: how many looks saw it keep still, alike; `came` and `went`: how fast it came nearer before and
    went away after, m/s, over both sides' antennas.
    """

    turned: float
    turned_before: float
    turned_after: float
    kept: float
    kept_before: float
    kept_after: float
    came: float
    went: float


_NEAR_US: Final = 1_200_000
_ABOUT_US: Final = 3_000_000
_SWIFT_US: Final = 2_500_000
"""A truck at 2 m/s is five meters away then: what it does there is another thing."""
_LONG_US: Final = 30_000
_FULL_US: Final = 50_000
"""A look as long as this counts whole."""
_STILL: Final = 0.92
_FITS: Final = 0.85
_SLOW: Final = 0.3
"""m/s; what is slower does not come or go."""
_DOUBT: Final = 0.3
"""A speed is taken together with so much of a look that saw none."""


def beside(off_us: int, stood_us: int) -> int:
    """So far a time is from that for which a thing stood: 0 within, before it below 0."""
    return off_us - max(-stood_us, min(stood_us, off_us))


def movement(seen: Sequence[Look], at_us: int, stood_us: int = 0) -> Movement:
    """What looks say of a tag about the moment `at_us`; it stood still for `stood_us` before and after it."""
    turned = [0.0, 0.0, 0.0]
    kept = [0, 0, 0]
    speeds, weights = [0.0, 0.0], [_DOUBT, _DOUBT]
    for look in seen:
        off_us = beside(look.at_us - at_us, stood_us)
        if not -_ABOUT_US < off_us < _ABOUT_US:
            continue
        better = min(look.reads, 8) * (look.fits - look.still)
        still = look.span_us >= _LONG_US and look.still > _STILL
        for part in (*((0,) if -_NEAR_US < off_us < _NEAR_US else ()), 1 if off_us < 0 else 2):
            turned[part] += better
            kept[part] += still
        if look.reads >= 3 and -_SWIFT_US < off_us < _SWIFT_US:
            after = off_us >= 0
            weight = min(look.span_us / _FULL_US, 1.0)
            if look.fits > _FITS and abs(look.speed) > _SLOW:
                speeds[after] += look.speed * weight
                weights[after] += weight
            elif look.still > 0.9:
                weights[after] += weight
    near, before, after_ = (log(1.0 + each) for each in turned)
    still_near, still_before, still_after = (log(1.0 + each) for each in kept)
    return Movement(
        near,
        before,
        after_,
        still_near,
        still_before,
        still_after,
        -speeds[0] / weights[0],
        speeds[1] / weights[1],
    )
