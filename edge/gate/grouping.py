# SPDX-License-Identifier: Apache-2.0
"""Who went together through the door, and which way.

A tag that crossed by its own course leads; those that crossed at the same time and the same way are one
group, whose way is followed again from all that lead it. Of every other tag it is asked with whom it went, or
whether it kept still.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import copysign, exp, log
from typing import Final, NamedTuple

from .eyes import Sight
from .hearing import Heard, Hearing
from .way import APART_DB, BIN_US, Gateway, Way, follow
from .witness import belief, nearer, still, together

__all__ = ["LIKELY", "PERSON_US", "Group", "alike", "groups_of", "stayed_both"]

LIKELY: Final = 0.99
_CROSSED: Final = 0.5
_MAYBE: Final = 0.03
_SPARE: Final = 0.15
"""What is believed so much leads, too, where none is clear about then."""
_NEXT: Final = 0.3
"""Where none is clear all lead that are believed this part as much as the surest, or more."""
_CLEAR: Final = 0.85
_FOLLOWS: Final = 2_500_000 / BIN_US
"""Tags that crossed later than this after each other went apart: a slow pallet's length takes less."""
_OTHERWISE: Final = -1.5
"""Log odds of a tag that was not on the side on which the others were."""
_DOORWAY_DB: Final = 8.0
"""A tag not quieter than this below what it was when it crossed is still in the doorway."""
_TRUCK: Final = 4_000_000 / BIN_US
"""A truck's own tag crosses within this of its load."""
_FADING_DB2: Final = 25.0
"""Variance of one tag's level in one moment."""
_UNLIKE_DB2: Final = 36.0
"""Variance of how much better one side hears a tag than the other does, all along."""
_TRUST: Final = 0.5
"""Neighboring moments err together: each counts for less than one."""
_ALONE: Final = 2
"""Of so few that lead each is sure to have gone: there is too little to hold one against."""
_SURE: Final = 0.995
_TOGETHER: Final = 0.5
_ASKED_MAX: Final = 30
"""So many tags of a group are asked which door was nearest."""
_HERE: Final = -0.35
_DOOR: Final = 8.0
"""Tags that a neighbor hears better by 3.5 dB on the average may have gone through either door."""
_STOOD: Final = 40.0
"""Who crossed later than this after others, in moments, did not stand in the doorway with them."""
_ALIKE: Final = 8.0
"""Tags that say that they crossed the same way within so many moments bear each other out."""
_WITH: Final = 20.0
"""A tag whose own crossing is within this of the others', in moments, may have gone with them."""
PERSON_US: Final = 600_000
"""A truck at 4 m/s is before an eye for longer; a person at a walk is not."""


class Own(NamedTuple):
    """What a tag's own course says: the sense and the moment of its crossing, and how sure that is."""

    sense: int
    at: float
    belief: float


@dataclass(slots=True)
class Group:
    """Tags that went together, their way, how surely each of them went it, the bodies that went with them."""

    tags: list[Heard]
    bodies: tuple[int, ...]
    way: Way
    sureness: dict[bytes, float]
    belief: float = 0.0
    """How surely it crossed, by what its tags tell each by itself."""

    @property
    def sense(self) -> int:
        """1 out, -1 in, whichever is likelier."""
        return 1 if self.way.out >= self.way.back_in else -1


def groups_of(tags: Sequence[Heard], resting: list[Heard], hearing: Hearing, sight: Sight) -> list[Group]:
    """The groups in which tags went. Those that crossed by their own course lead, by the time and sense of
    their last crossing; the others are asked with whom they went. Where none leads, all are asked together.
    """
    if not tags:
        return []
    # The eyes' order says nothing of a tag that went with nobody: only where none can have crossed.
    anyone = Gateway(_gateway(range(len(sight.bodies)), hearing, sight).free)
    ways = [follow(_together([tag], hearing), anyone) for tag in tags]
    own = _own(tags, ways, hearing, sight)
    clear: list[Heard] = []
    unclear: list[Heard] = []
    undecided: list[Heard] = []
    for tag, way in zip(tags, ways, strict=True):
        if tag.epc in own and own[tag.epc].belief > _CLEAR:
            clear.append(tag)
        elif tag.rests(hearing.moments, hearing.opened, hearing.sides, hearing.quietest):
            resting.append(tag)
        else:
            unclear.append(tag)
            if way.stayed < _CLEAR:
                undecided.append(tag)
    if clear:
        spare = [tag for tag in unclear if tag.epc in own and _by_itself(own[tag.epc], clear, own)]
        clear += spare
        unclear = [tag for tag in unclear if tag not in spare]
    else:
        least = max([_MAYBE, *(_NEXT * own[tag.epc].belief for tag in unclear if tag.epc in own)])
        clear = [tag for tag in unclear if tag.epc in own and own[tag.epc].belief >= least]
        unclear = [tag for tag in unclear if tag not in clear]
    if not clear:
        return [_followed(unclear, undecided or unclear, hearing, sight)] if unclear else []
    leaders = _met(_in_turn(clear, own), hearing, sight)
    found = _joined([*clear, *unclear], leaders, own, hearing, sight)
    for group, leading in zip(found, leaders, strict=True):
        for tag in leading if len(leading) <= _ALONE else ():
            group.sureness[tag.epc] = max(group.sureness[tag.epc], _SURE)
        group.belief = _believed(group, [own[tag.epc] for tag in leading], hearing)
    return found


def _own(tags: Sequence[Heard], ways: Sequence[Way], hearing: Hearing, sight: Sight) -> dict[bytes, Own]:
    """What each tag's own course says, for those whose course shows a crossing."""
    claims = [_claim(tag, way) for tag, way in zip(tags, ways, strict=True)]
    times: dict[int, list[float]] = {1: [], -1: []}
    for claim in claims:
        if claim is not None:
            times[claim.sense].append(claim.at)
    for each in times.values():
        each.sort()
    own: dict[bytes, Own] = {}
    for tag, claim in zip(tags, claims, strict=True):
        if claim is not None:
            like = _about(times[claim.sense], claim.at)
            alone = log((1.0 + len(tags)) / (1.0 + like))
            believed = belief(tag, claim.at, claim.sense, claim.belief, alone, hearing, sight)
            own[tag.epc] = Own(claim.sense, claim.at, believed)
    return own


def _by_itself(own: Own, clear: Sequence[Heard], others: Mapping[bytes, Own]) -> bool:
    """Whether a tag may have crossed when none of those did that clearly crossed."""
    return own.belief >= _SPARE and all(abs(others[tag.epc].at - own.at) > _WITH for tag in clear)


def _in_turn(clear: list[Heard], own: Mapping[bytes, Own]) -> list[list[Heard]]:
    """Those that crossed by their own course, by sense and time: who follows within some seconds is one."""
    clear.sort(key=lambda tag: (own[tag.epc].sense, own[tag.epc].at, tag.epc))
    leaders = [[clear[0]]]
    for before, tag in pairwise(clear):
        was, now = own[before.epc], own[tag.epc]
        if now.sense != was.sense or now.at - was.at > _FOLLOWS:
            leaders.append([])
        leaders[-1].append(tag)
    return leaders


def _claim(tag: Heard, way: Way) -> Own | None:
    """The crossing that a tag's own course shows, were it believed as it stands."""
    likely = max(way.out, way.back_in)
    if likely <= _CROSSED:
        return None
    at = way.crossed_at()
    if at is None:
        at = _loudest([tag])
    return Own(1 if way.out > way.back_in else -1, at, likely)


def _loudest(tags: Sequence[Heard]) -> float:
    """The moment in which the loudest of some tags was loudest."""
    loudest = max(tags, key=lambda tag: (tag.peak, tag.epc))
    return float(max(loudest.cells, key=lambda key: (loudest.cells[key], -key)) >> 2)


def _about(times: Sequence[float], at: float) -> int:
    """How many of some times, in order, are of about that moment."""
    return bisect_right(times, at + _ALIKE) - bisect_left(times, at - _ALIKE)


def _believed(group: Group, told: Sequence[Own], hearing: Hearing) -> float:
    """How surely a group crossed here: what its tags tell each by itself, and all together of which door."""
    if not told:
        return 0.0
    surest = max(told, key=lambda each: each.belief)
    went = [tag for tag in group.tags if group.sureness[tag.epc] > LIKELY][:_ASKED_MAX]
    near = sum(nearer(tag, surest.at, hearing) for tag in went) / len(went) if went else 0.0
    believed = together([each.belief for each in told if each.sense == group.sense])
    return believed / (1.0 + exp(-max(min(_DOOR * (near - _HERE), 30.0), -30.0)))


def _met(leaders: Sequence[list[Heard]], hearing: Hearing, sight: Sight) -> list[list[Heard]]:
    """Those that crossed one after the other the same way, but stood in the doorway together, are one."""
    met = [list(leaders[0])]
    for leading in leaders[1:]:
        before = met[-1]
        way, last = _way_of(leading, hearing, sight)[0], _way_of(before, hearing, sight)[0]
        at, last_at = way.crossed_at(), last.crossed_at()
        one = False
        if (way.out > way.back_in) == (last.out > last.back_in) and at is not None and last_at is not None:
            # The eyes tell two by the doorway being free between them, antennas only by their time.
            one = (sight.any or at - last_at <= _STOOD) and _loud_at(leading, last_at, at)
        if one:
            before += leading
        else:
            met.append(list(leading))
    return met


def _loud_at(tags: Sequence[Heard], at: float, crossed_at: float) -> bool:
    """Whether tags were about as loud at a moment as when they crossed."""
    loud = [_mean_about(tags, moment) for moment in (at, crossed_at)]
    return loud[0] is not None and loud[1] is not None and loud[0] > loud[1] - _DOORWAY_DB


def _mean_about(tags: Sequence[Heard], moment: float) -> float | None:
    """The mean over tags of the loudest level below the best, within three moments."""
    total, count = 0.0, 0
    for tag in tags:
        levels = [level for key, level in tag.cells.items() if abs((key >> 2) - moment) <= 3.0]
        if levels:
            total, count = total + max(levels) - tag.best, count + 1
    return total / count if 2 * count >= len(tags) else None


def _joined(
    tags: Sequence[Heard],
    leaders: Sequence[list[Heard]],
    own: Mapping[bytes, Own],
    hearing: Hearing,
    sight: Sight,
) -> list[Group]:
    """A group for each set of leaders; every tag is in that with which it went most surely."""
    ways = [_way_of(leading, hearing, sight) for leading in leaders]
    others = [_Others(leading, hearing, way, own) for leading, (way, _) in zip(leaders, ways, strict=True)]
    led = {tag.epc: at for at, leading in enumerate(leaders) for tag in leading}
    members: list[list[Heard]] = [[] for _ in leaders]
    for tag in tags:
        at = led.get(tag.epc)
        if at is None:
            at = max(range(len(others)), key=lambda i: _went(tag, others[i]))
        members[at].append(tag)
    return [
        Group(group, bodies, way, {tag.epc: _went(tag, each) for tag in group})
        for group, (way, bodies), each in zip(members, ways, others, strict=True)
    ]


def alike(load: Group, truck: Group) -> bool:
    """Whether a truck's tag crossed with a load: the same way at about the same time."""
    at, truck_at = load.way.crossed_at(), truck.way.crossed_at()
    if at is None or truck_at is None or load.sense != truck.sense:
        return False
    return abs(at - truck_at) < _TRUCK


def stayed_both(load: Group, truck: Group) -> bool:
    """Whether neither went through: what turned round is one thing with its load, as far as can be told."""
    return all(group.way.stayed > max(group.way.out, group.way.back_in) for group in (load, truck))


# --- which way ------------------------------------------------------------------------------------


def _followed(tags: list[Heard], leading: list[Heard], hearing: Hearing, sight: Sight) -> Group:
    """The group with its way, and how surely each tag of it went that way."""
    for _ in range(2):
        others = _Others(leading, hearing, _way_of(leading, hearing, sight)[0])
        went = [tag for tag in tags if _went(tag, others) > LIKELY]
        if not went or {tag.epc for tag in went} == {tag.epc for tag in leading}:
            break
        leading = went
    way, bodies = _way_of(leading, hearing, sight)
    others = _Others(leading, hearing, way)
    sureness = {tag.epc: _went(tag, others) for tag in tags}
    if len(leading) <= _ALONE:
        sureness |= {tag.epc: _SURE for tag in leading}
    # None crossed by its own course: where something did, all of them together are not sure that they did.
    crossed = any(sight.bodies[at].sense for at in bodies)
    return Group(tags, bodies, way, sureness, min(max(way.out, way.back_in), _TOGETHER) if crossed else 0.0)


def _way_of(leading: Sequence[Heard], hearing: Hearing, sight: Sight) -> tuple[Way, tuple[int, ...]]:
    """The way of those that lead, held to the bodies that they went with."""
    bodies = _bodies_of(leading, hearing, sight)
    return follow(_together(leading, hearing), _gateway(bodies, hearing, sight)), bodies


def _bodies_of(leading: Sequence[Heard], hearing: Hearing, sight: Sight) -> tuple[int, ...]:
    """The bodies that stood in the door while the tags were loud there."""
    if len(sight.bodies) < 2:
        return tuple(range(len(sight.bodies)))
    spans = [(hearing.moment(body.begun_us), hearing.moment(body.ended_us)) for body in sight.bodies]
    sums = [0.0] * len(spans)
    for tag in leading:
        for key, level in tag.cells.items():
            at = key >> 2
            nearest = min(range(len(spans)), key=lambda i: max(spans[i][0] - at, at - spans[i][1]))
            sums[nearest] += 10.0 ** ((level - tag.best) / 10.0)
    most = max(sums)
    return tuple(at for at, each in enumerate(sums) if each >= 0.25 * most)


def _together(tags: Sequence[Heard], hearing: Hearing) -> dict[int, tuple[float, float, float, float]]:
    """What several tags say of their place, by moment."""
    if len(tags) == 1:
        return {at: told[:4] for at, told in tags[0].told(hearing.quietest).items()}
    sums: dict[int, tuple[float, float, float, float]] = {}
    for tag in tags:
        for at, (inside, doorway, outside, weight, _) in tag.told(hearing.quietest).items():
            a, b, c, w = sums.get(at, _NOTHING_TOLD)
            sums[at] = (a + inside, b + doorway, c + outside, w + weight)
    return sums


_NOTHING_TOLD: Final = (0.0, 0.0, 0.0, 0.0)


def _gateway(bodies: Sequence[int], hearing: Hearing, sight: Sight) -> Gateway:
    """What the eyes say of a way: nothing crosses while they are free; where its bodies began and ended."""
    if not sight.any:
        return Gateway()
    free = [True] * hearing.moments
    sides: dict[int, tuple[int, float]] = {}
    for at in bodies:
        body = sight.bodies[at]
        begun, ended = hearing.moment(body.begun_us), hearing.moment(body.ended_us)
        for moment in range(max(begun - 1, 0), min(ended + 2, hearing.moments)):
            free[moment] = False
        if sight.pair and body.sense and body.ended_us - body.begun_us >= PERSON_US:
            doubt = 0.004
            sides[max(begun - 2, 0)] = (-1 if body.first == "inner" else 1, doubt)
            sides[min(ended + 2, hearing.moments - 1)] = (-1 if body.last == "inner" else 1, doubt)
    return Gateway(free, sides)


class _Others:
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
        at = way.crossed_at()
        self._at = at if at is not None else _loudest(leading)
        self._sense = 1 if way.out >= way.back_in else -1
        self._own = own or {}
        asked = leading[:_ASKED_MAX]
        self._near = sum(nearer(tag, self._at, hearing) for tag in asked) / max(len(asked), 1)
        self.went: dict[bytes, float] = {}

    def compared(self, tag: Heard) -> tuple[float, ...]:
        """What is weighed of whether a tag went with these, in the order of `_MEMBERSHIP`."""
        difference = _by_difference(tag, self)
        own = self._own.get(tag.epc)
        alongside = astray = 0.0
        if own is not None and own.sense == self._sense and abs(own.at - self._at) <= _WITH:
            certain = max(0.01, min(own.belief, 0.99))
            alongside = log(certain / (1.0 - certain)) + 1.0
        elif own is not None:
            astray = own.belief
        near = nearer(tag, self._at, self._hearing)
        kept, since_known = still(tag, self._at, self._hearing)
        heard = sum([abs((key >> 2) - self._at) <= _WITH for key in tag.cells])
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
"""The weights of `_Others.compared`, the best ones on the tuning seeds, as those in `witness`."""


def _went(tag: Heard, others: _Others) -> float:
    """The probability that a tag went with others; reckoned once."""
    if others.leads == {tag.epc}:
        return 1.0
    known = others.went.get(tag.epc)
    if known is None:
        odds = sum(w * each for w, each in zip(_MEMBERSHIP, others.compared(tag), strict=True))
        known = others.went[tag.epc] = 1.0 / (1.0 + exp(-max(min(odds, 30.0), -30.0)))
    return known


def _by_level(tag: Heard, others: _Others) -> float:
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


def _by_difference(tag: Heard, others: _Others) -> float:
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


def _by_time(tag: Heard, others: _Others) -> float:
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
