# SPDX-License-Identifier: Apache-2.0
"""Whether a tag went with others: by when and how loud it was heard, and on which side, against theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import copysign, exp, log
from typing import Final

from .claims import loudest
from .hearing import Heard, Hearing
from .own import Own
from .way import APART_DB, Way
from .witness import nearer, still

__all__ = ["ASKED_MAX", "WITH", "Others", "went"]

ASKED_MAX: Final = 30
"""So many tags of a group are asked which door was nearest."""
WITH: Final = 20.0
"""A tag whose own crossing is within this of the others', in moments, may have gone with them."""
_OTHERWISE: Final = -1.5
"""Log odds of a tag that was not on the side on which the others were."""
_FADING_DB2: Final = 25.0
"""Variance of one tag's level in one moment."""
_UNLIKE_DB2: Final = 36.0
"""Variance of how much better one side hears a tag than the other does, all along."""
_TRUST: Final = 0.5
"""Neighboring moments err together: each counts for less than one."""


class Others:
    """What those that lead were heard like, by moment and side, for a tag to be held against."""

    def __init__(
        self, leading: Sequence[Heard], hearing: Hearing, way: Way, own: Mapping[bytes, Own] | None = None
    ) -> None:
        self.leads = {tag.epc for tag in leading}
        self.levels: dict[int, tuple[float, int]] = {}
        for tag in leading:
            for key, level in tag.cells.items():
                total, count = self.levels.get(key, (0.0, 0))
                self.levels[key] = (total + level - tag.best, count + 1)
        self.timely = _timely(_smooth(self.levels, hearing.moments), len(self.leads))
        self.sides = dict(zip(way.moments, way.sides, strict=True))
        self.quietest = hearing.quietest
        self._hearing = hearing
        self._own = own or {}
        told = [self._own[tag.epc] for tag in leading if tag.epc in self._own]
        surest = max(told, key=lambda each: each.belief, default=None)
        if surest is not None and surest.body is not None:
            self._at, self._sense = surest.at, surest.sense
        else:
            at = way.crossed_at()
            self._at = at if at is not None else loudest(leading)
            self._sense = 1 if way.out >= way.back_in else -1
        asked = leading[:ASKED_MAX]
        self._near = sum(nearer(tag, self._at, hearing) for tag in asked) / max(len(asked), 1)
        self.known: dict[bytes, float] = {}

    def compared(self, tag: Heard) -> tuple[float, ...]:
        """What is weighed of whether a tag went with these, in the order of `_MEMBERSHIP`."""
        difference = _by_difference(tag, self)
        own = self._own.get(tag.epc)
        alongside = astray = 0.0
        if own is not None and own.sense == self._sense and abs(own.at - self._at) <= WITH:
            certain = max(0.01, min(own.belief, 0.99))
            alongside = log(certain / (1.0 - certain)) + 1.0
        elif own is not None:
            astray = own.belief
        near = nearer(tag, self._at, self._hearing)
        kept, since_known = still(tag, self._at, self._hearing)
        heard = sum([abs((key >> 2) - self._at) <= WITH for key in tag.cells])
        return (
            1.0,
            _by_level(tag, self),
            _by_time(tag, self),
            difference,
            min(difference - _OTHERWISE, 0.0),
            alongside,
            astray,
            near,
            min(near - self._near, 0.0),
            kept,
            since_known,
            float(tag.known is not None),
            log(1.0 + heard),
            log(len(self.leads)),
        )


_MEMBERSHIP: Final = (
    *(-4.77, 0.04, 0.41, 0.43, 0.37, 0.76, -0.95),
    *(1.81, -1.09, -0.85, -0.59, -0.71, 0.11, 0.74),
)
"""The weights of `Others.compared`, the best ones on the tuning seeds, as those in `witness`."""


def went(tag: Heard, others: Others) -> float:
    """The probability that a tag went with others; reckoned once."""
    if others.leads == {tag.epc}:
        return 1.0
    known = others.known.get(tag.epc)
    if known is None:
        odds = sum(w * each for w, each in zip(_MEMBERSHIP, others.compared(tag), strict=True))
        known = others.known[tag.epc] = 1.0 / (1.0 + exp(-max(min(odds, 30.0), -30.0)))
    return known


def _by_level(tag: Heard, others: Others) -> float:
    """Log odds of its levels: held against the others' in the same moments, and against one level a side."""
    own = tag.epc in others.leads
    pairs = []
    for key, level in tag.cells.items():
        total, count = others.levels.get(key, (0.0, 0))
        if own:
            total, count = total - (level - tag.best), count - 1
        if count:
            pairs.append((key & 3, level, level - total / count, 1.0 + 1.0 / count))
    if len(pairs) < 2:
        return 0.0
    means: dict[int, list[float]] = {}
    for side, level, _, _ in pairs:
        each = means.setdefault(side, [0.0, 0.0])
        each[0] += level
        each[1] += 1.0
    mean = sum([off for _, _, off, _ in pairs]) / len(pairs)
    still = along = 0.0
    for side, level, off, doubt in pairs:
        still += (level - means[side][0] / means[side][1]) ** 2
        along += (off - mean) ** 2 / doubt
    return max(-12.0, min(_TRUST * (still - along) / (2.0 * _FADING_DB2), 12.0))


def _by_difference(tag: Heard, others: Others) -> float:
    """Log odds of its antennas' differences: changing as the others change sides, against one difference."""
    pairs = [
        (off if -14.0 < off < 14.0 else copysign(14.0, off), APART_DB * others.sides.get(at, 0.0), weight)
        for at, (_, _, _, weight, off) in tag.told(others.quietest).items()
    ]
    total = sum([weight for _, _, weight in pairs])
    if not total:
        return 0.0
    mean = sum([off * weight for off, _, weight in pairs]) / total
    shift = sum([(off - side) * weight for off, side, weight in pairs]) / total
    still = sum([weight * (off - mean) ** 2 for off, _, weight in pairs])
    along = sum([weight * (off - side - shift) ** 2 for off, side, weight in pairs])
    # One antenna may hear a tag better than the other does, but not by any amount.
    told = _TRUST * (still - along) / (4.0 * _FADING_DB2) - shift * shift / (2.0 * _UNLIKE_DB2)
    return max(-12.0, min(told, 12.0))


def _by_time(tag: Heard, others: Others) -> float:
    """Log odds of when it was heard: when the others were, against evenly through the passage."""
    timely = others.timely
    if not timely or others.leads == {tag.epc}:
        return 0.0
    told = sum([timely[at] for at in {key >> 2 for key in tag.cells}])
    return max(-6.0, min(0.3 * told, 6.0))


def _timely(heard: Sequence[float], leads: int) -> list[float]:
    """By moment, what it says for a tag to be heard then, as so many were; nothing where nobody was heard."""
    most = max(heard)
    if not most:
        return []
    # Few others say little of when one more would be heard.
    least = 0.05 + 0.3 / leads
    chances = [least + (1.0 - least) * count / most for count in heard]
    mean = sum(chances) / len(chances)
    return [log(chance / mean) for chance in chances]


def _smooth(levels: Mapping[int, tuple[float, int]], moments: int) -> list[float]:
    """How many were heard by moment, over two moments either way: readers take turns with their antennas."""
    counts = [0] * (moments + 4)
    for key, (_, count) in levels.items():
        counts[(key >> 2) + 2] += count
    return [sum(counts[at : at + 5]) / 5.0 for at in range(moments)]
