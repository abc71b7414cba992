# SPDX-License-Identifier: Apache-2.0
"""What happened in the door, said from the evidence alone.

Tags that rest are set aside; the others are put into groups that went together; each group's way is followed
(`way`), held to what the eyes saw; then each tag is asked whether it went that way or kept still.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log
from typing import Final

import msgspec

from customs.documents import Direction
from edge.evidence import Evidence
from edge.passage import Passage, PassageKind, TagCourse
from gs1.epc import legacy, plus

from .eyes import Body, Sight, see
from .hearing import Heard, Hearing, hear
from .way import APART_DB, BIN_US, Gateway, Way, follow

__all__ = ["judge"]

TAGS_TOLD_MAX: Final = 2_000
"""Tags of one passage that are told; the reads of all are in the evidence."""

ASSETS: Final = frozenset(
    scheme.header
    for scheme in (*legacy.SCHEMES.values(), *plus.SCHEMES.values())
    if scheme.name.startswith(("grai", "giai"))
)
"""EPC headers of pallets, crates and trucks: never goods."""

_HOME: Final = 0.5
"""A tag belongs to the door that hears most of it."""
_LIKELY: Final = 0.5
_FADING_DB2: Final = 25.0
"""Variance of one tag's level in one moment."""
_TRUST: Final = 0.5
"""Neighboring moments err together: each counts for less than one."""
_PERSON_US: Final = 600_000
"""A truck at 4 m/s is before an eye for longer; a person at a walk is not."""


@dataclass(slots=True)
class _Group:
    """Tags that went together, their way, and the bodies that went with them."""

    tags: list[Heard]
    bodies: tuple[int, ...]
    way: Way | None = None
    sureness: dict[bytes, float] | None = None


def judge(evidence: Evidence) -> list[Passage]:
    """The passages that `evidence` shows, in time's order; at least one."""
    hearing = hear(evidence)
    sight = see(evidence)
    moving, resting = _sorted_out(hearing)
    groups = [_followed(group, hearing, sight) for group in _groups(moving, hearing, sight) if group.tags]
    return _Telling(evidence, hearing, sight, groups, resting).passages()


# --- who went together ----------------------------------------------------------------------------


def _sorted_out(hearing: Hearing) -> tuple[list[Heard], list[Heard]]:
    """The tags that may have moved through this door, and the others."""
    moving, resting = [], []
    for tag in hearing.tags.values():
        still = tag.share < _HOME or tag.rests(hearing.moments, hearing.opened, hearing.sides)
        (resting if still else moving).append(tag)
    return moving, resting


def _groups(moving: Sequence[Heard], hearing: Hearing, sight: Sight) -> list[_Group]:
    if not moving:
        return []
    if len(sight.bodies) > 1:
        return _by_bodies(moving, hearing, sight)
    own = tuple(range(len(sight.bodies)))
    if sight.bodies:
        return [_Group(list(moving), own)]
    return [_Group(tags, ()) for tags in _apart_in_time(moving)]


def _apart_in_time(moving: Sequence[Heard]) -> list[list[Heard]]:
    """Without eyes: tags whose energies come at other times went apart."""
    ordered = sorted(moving, key=lambda tag: (tag.center, tag.epc))
    spreads = sorted(tag.spread for tag in ordered)
    apart = max(1_000_000 / BIN_US, 2.2 * spreads[len(spreads) // 2])
    groups = [[ordered[0]]]
    for early, late in pairwise(ordered):
        if late.center - early.center > apart:
            groups.append([])
        groups[-1].append(late)
    return groups


def _by_bodies(moving: Sequence[Heard], hearing: Hearing, sight: Sight) -> list[_Group]:
    """Each tag goes with the body that stood in the door while it was loudest, or with several in turn."""
    spans = [(hearing.moment(body.begun_us) - 2, hearing.moment(body.ended_us) + 2) for body in sight.bodies]
    energy: list[list[float]] = []
    for tag in moving:
        sums = [0.0] * len(spans)
        for key, level in tag.cells.items():
            at = key >> 2
            nearest = min(range(len(spans)), key=lambda i: max(spans[i][0] - at, at - spans[i][1]))
            sums[nearest] += 10.0 ** ((level - tag.best) / 10.0)
        total = sum(sums) or 1.0
        energy.append([each / total for each in sums])
    mains: dict[int, list[int]] = {}
    for at, shares in enumerate(energy):
        mains.setdefault(max(range(len(shares)), key=lambda i: shares[i]), []).append(at)
    homes: list[tuple[set[int], list[int]]] = []
    for main, members in sorted(mains.items()):
        mean = [sum(energy[at][i] for at in members) / len(members) for i in range(len(spans))]
        bodies = {i for i, share in enumerate(mean) if share >= 0.2} | {main}
        for other, theirs in homes:
            if bodies & other and (len(bodies) > 1 or len(other) > 1):
                other |= bodies
                theirs += members
                break
        else:
            homes.append((bodies, list(members)))
    return [_Group([moving[at] for at in members], tuple(sorted(bodies))) for bodies, members in homes]


# --- which way ------------------------------------------------------------------------------------


def _followed(group: _Group, hearing: Hearing, sight: Sight) -> _Group:
    """The group with its way, and how surely each tag of it went that way.

    Tags that crossed by their own course lead; where none did, all are asked together.
    """
    gateway = _gateway(group, hearing, sight)
    own = {}
    for tag in group.tags:
        way = follow(_together([tag], hearing), gateway)
        own[tag.epc] = max(way.out, way.back_in)
    leading = [tag for tag in group.tags if own[tag.epc] > _LIKELY] or group.tags
    for _ in range(3):
        group.way = follow(_together(leading, hearing), gateway)
        group.sureness = _all_went(group.tags, _Others(leading, hearing, group.way))
        went = [tag for tag in group.tags if group.sureness[tag.epc] > _LIKELY]
        if not went or {tag.epc for tag in went} == {tag.epc for tag in leading}:
            break
        leading = went
    return group


def _together(tags: Sequence[Heard], hearing: Hearing) -> dict[int, tuple[float, float, float, float]]:
    """What several tags say of their place, by moment."""
    sums: dict[int, tuple[float, float, float, float]] = {}
    for tag in tags:
        for at, (inside, doorway, outside, weight, _) in tag.told(hearing.quietest).items():
            a, b, c, w = sums.get(at, _NOTHING_TOLD)
            sums[at] = (a + inside, b + doorway, c + outside, w + weight)
    return sums


_NOTHING_TOLD: Final = (0.0, 0.0, 0.0, 0.0)


def _gateway(group: _Group, hearing: Hearing, sight: Sight) -> Gateway:
    """What the eyes say of a group's way: nothing crosses while they are free; where its bodies began."""
    if not sight.any:
        return Gateway()
    free = [True] * hearing.moments
    sides: dict[int, tuple[int, float]] = {}
    for at in group.bodies:
        body = sight.bodies[at]
        begun, ended = hearing.moment(body.begun_us), hearing.moment(body.ended_us)
        for moment in range(max(begun - 1, 0), min(ended + 2, hearing.moments)):
            free[moment] = False
        if sight.pair and body.first is not None and body.ended_us - body.begun_us >= _PERSON_US:
            doubt = 0.004 if body.both else 0.05
            sides[max(begun - 2, 0)] = (-1 if body.first == "inner" else 1, doubt)
            sides[min(ended + 2, hearing.moments - 1)] = (-1 if body.last == "inner" else 1, doubt)
    return Gateway(free, sides)


class _Others:
    """What those that lead were heard like, by moment and side, for a tag to be held against."""

    def __init__(self, leading: Sequence[Heard], hearing: Hearing, way: Way) -> None:
        self.leads = {tag.epc for tag in leading}
        self.levels: dict[int, tuple[float, int]] = {}
        for tag in leading:
            for key, level in tag.cells.items():
                total, count = self.levels.get(key, (0.0, 0))
                self.levels[key] = (total + level - tag.best, count + 1)
        self.heard = _smooth(self.levels, hearing.moments)
        self.sides = dict(zip(way.moments, way.sides, strict=True))
        self.quietest = hearing.quietest


def _all_went(tags: Sequence[Heard], others: _Others) -> dict[bytes, float]:
    """For each tag the probability that it went with those that lead, against that it kept still somewhere."""
    return {tag.epc: _went(tag, others) for tag in tags}


def _went(tag: Heard, others: _Others) -> float:
    odds = _by_level(tag, others) + _by_time(tag, others) + _by_difference(tag, others)
    odds += -1.0 if tag.known is not None else 1.5
    return 1.0 / (1.0 + exp(-max(min(odds, 30.0), -30.0)))


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
    mean = sum(off for _, _, off, _ in pairs) / len(pairs)
    still = along = 0.0
    for side, level, off, doubt in pairs:
        still += (level - means[side][0] / means[side][1]) ** 2
        along += (off - mean) ** 2 / doubt
    return max(-12.0, min(_TRUST * (still - along) / (2.0 * _FADING_DB2), 12.0))


def _by_difference(tag: Heard, others: _Others) -> float:
    """Log odds of its antennas' differences: changing as the others change sides, against one difference."""
    pairs = [
        (max(-14.0, min(off, 14.0)), APART_DB * others.sides.get(at, 0.0), weight)
        for at, (_, _, _, weight, off) in tag.told(others.quietest).items()
    ]
    total = sum(weight for _, _, weight in pairs)
    if not total:
        return 0.0
    mean = sum(off * weight for off, _, weight in pairs) / total
    shift = sum((off - side) * weight for off, side, weight in pairs) / total
    still = sum(weight * (off - mean) ** 2 for off, _, weight in pairs)
    along = sum(weight * (off - side - shift) ** 2 for off, side, weight in pairs)
    return max(-12.0, min(_TRUST * (still - along) / (4.0 * _FADING_DB2), 12.0))


def _by_time(tag: Heard, others: _Others) -> float:
    """Log odds of when it was heard: when the others were, against evenly through the passage."""
    moments = {key >> 2 for key in tag.cells}
    most = max(others.heard)
    if not most or others.leads == {tag.epc}:
        return 0.0
    # Few others say little of when one more would be heard.
    least = 0.05 + 0.3 / len(others.leads)
    chances = [least + (1.0 - least) * count / most for count in others.heard]
    mean = sum(chances) / len(chances)
    told = sum(log(chances[at] / mean) for at in moments)
    return max(-6.0, min(0.3 * told, 6.0))


def _smooth(levels: Mapping[int, tuple[float, int]], moments: int) -> list[float]:
    """How many were heard by moment, over two moments either way: readers take turns with their antennas."""
    counts = [0] * (moments + 4)
    for key, (_, count) in levels.items():
        counts[(key >> 2) + 2] += count
    return [sum(counts[at : at + 5]) / 5.0 for at in range(moments)]


# --- what is said ---------------------------------------------------------------------------------


def _way_of(sense: int) -> Direction:
    return Direction.OUT if sense > 0 else Direction.IN


class _Telling:
    """Puts passages together from what was found."""

    def __init__(
        self,
        evidence: Evidence,
        hearing: Hearing,
        sight: Sight,
        groups: Sequence[_Group],
        resting: Sequence[Heard],
    ) -> None:
        self._evidence = evidence
        self._hearing = hearing
        self._sight = sight
        self._groups = groups
        self._resting = list(resting)

    def passages(self) -> list[Passage]:
        """All of them, the first by the evidence's own name."""
        told: list[tuple[int, Passage]] = []
        taken: set[int] = set()
        for group in self._groups:
            passage, at = self._of_group(group)
            if passage is not None:
                told.append((at, passage))
                taken |= set(group.bodies)
        for number, body in enumerate(self._sight.bodies):
            if number not in taken and body.sense and body.ended_us - body.begun_us >= _PERSON_US:
                told.append((body.begun_us, self._untagged(body, bool(told))))
        if not told:
            told.append((0, self._nothing()))
        told.sort(key=lambda pair: pair[0])
        return [self._named(passage, number) for number, (_, passage) in enumerate(told)]

    def _named(self, passage: Passage, number: int) -> Passage:
        if number:
            return msgspec.structs.replace(passage, passage=f"{self._evidence.passage}-{number + 1}")
        rest = tuple(self._course(tag, None, 0.0) for tag in self._loudest(len(passage.tags)))
        return msgspec.structs.replace(passage, tags=passage.tags + rest)

    def _loudest(self, told: int) -> list[Heard]:
        rest = sorted(self._resting, key=lambda tag: (-tag.peak, tag.epc))
        return rest[: max(0, TAGS_TOLD_MAX - told)]

    def _of_group(self, group: _Group) -> tuple[Passage | None, int]:
        assert group.way is not None and group.sureness is not None
        way = group.way
        crossings = [_way_of(sense) for sense in way.crossings()]
        crossed = max(way.out, way.back_in)
        went = [tag for tag in group.tags if group.sureness[tag.epc] > _LIKELY]
        at = self._hearing.base_us + round(min((t.center for t in group.tags), default=0.0)) * BIN_US
        if not went or (crossed < way.stayed and crossed < 0.3 and len(crossings) < 2):
            if went and self._turned(group, crossings):
                why = "It came and went back."
                return self._passage(PassageKind.TURNED, None, way.stayed, (), group, why), at
            self._resting += group.tags
            return None, at
        if crossed < way.stayed and len(crossings) >= 2:
            why = "It went through and came back."
            return self._passage(PassageKind.TURNED, None, way.stayed, tuple(crossings), group, why), at
        direction = Direction.OUT if way.out >= way.back_in else Direction.IN
        if not crossings or crossings[-1] is not direction or len(crossings) % 2 == 0:
            crossings = [direction]
        why = self._why(group, direction, crossed)
        return self._passage(PassageKind.CROSSED, direction, crossed, tuple(crossings), group, why), at

    def _turned(self, group: _Group, crossings: Sequence[Direction]) -> bool:
        """Whether something came to the door and went back, or was only near."""
        if group.bodies:
            return True
        assert group.way is not None
        return bool(crossings) or any(abs(side) < 0.5 for side in group.way.sides)

    def _why(self, group: _Group, direction: Direction, crossed: float) -> str:
        eyes = any(self._sight.bodies[at].sense for at in group.bodies) and self._sight.pair
        by = "the order of the eyes and the antennas" if eyes else "the order of the antennas"
        sure = "" if self._thousandths(crossed) >= self._evidence.settings.confidence_min else ", not surely"
        return f"Went {direction.value} by {by}{sure}."

    def _passage(
        self,
        kind: PassageKind,
        direction: Direction | None,
        sureness: float,
        crossings: tuple[Direction, ...],
        group: _Group,
        why: str,
    ) -> Passage:
        assert group.sureness is not None
        confidence = self._thousandths(sureness)
        moved = []
        for tag in sorted(group.tags, key=lambda tag: (-tag.peak, tag.epc))[:TAGS_TOLD_MAX]:
            if group.sureness[tag.epc] > _LIKELY:
                moved.append(self._course(tag, direction, min(sureness, group.sureness[tag.epc])))
            else:
                self._resting.append(tag)
        if kind is PassageKind.CROSSED and all(tag.epc[0] in ASSETS for tag in moved):
            kind, why = self._without_goods(group, direction)
        return Passage(
            passage=self._evidence.passage,
            door=self._evidence.door,
            kind=kind,
            opened_us=self._evidence.opened_us,
            closed_us=self._evidence.closed_us,
            direction=direction,
            confidence=confidence,
            crossings=crossings,
            tags=tuple(moved),
            eyes=bool(group.bodies),
            why=why,
        )

    def _without_goods(self, group: _Group, direction: Direction | None) -> tuple[PassageKind, str]:
        loads = [self._sight.bodies[at].load for at in group.bodies]
        if any(load for load in loads):
            return PassageKind.UNREAD, "A load crossed with the truck, and no tag of it was read."
        if self._sight.height or not group.bodies:
            return PassageKind.EMPTY, "A truck without a load, by its own tag."
        if self._goes_back(direction):
            return PassageKind.EMPTY, "The truck went back without a load, by its own tag."
        return PassageKind.EMPTY, "Only a truck's or a pallet's own tag crossed."

    def _goes_back(self, direction: Direction | None) -> bool:
        loaded = self._evidence.loaded
        minutes = self._evidence.settings.pattern_min
        return (
            loaded is not None
            and direction is not None
            and loaded.direction != direction.value
            and self._evidence.opened_us - loaded.at_us <= minutes * 60_000_000
        )

    def _untagged(self, body: Body, after_load: bool) -> Passage:
        """Something crossed by the eyes and no tag went with it."""
        direction = _way_of(body.sense)
        kind, why = PassageKind.UNREAD, "Something crossed, and no tag of it was read."
        if body.load is False:
            kind, why = PassageKind.EMPTY, "A truck without a load, by the load-height eye."
        elif body.load is None and (after_load or self._goes_back(direction)):
            kind, why = PassageKind.EMPTY, "A truck without tags went back the other way after its load."
        return self._plain(kind, direction, (direction,), 900, why)

    def _nothing(self) -> Passage:
        why = (
            "An eye was touched, and nothing went through." if self._sight.bodies else "Nothing went through."
        )
        return self._plain(PassageKind.NOTHING, None, (), 0, why)

    def _plain(
        self,
        kind: PassageKind,
        direction: Direction | None,
        crossings: tuple[Direction, ...],
        confidence: int,
        why: str,
    ) -> Passage:
        return Passage(
            passage=self._evidence.passage,
            door=self._evidence.door,
            kind=kind,
            opened_us=self._evidence.opened_us,
            closed_us=self._evidence.closed_us,
            direction=direction,
            confidence=confidence,
            crossings=crossings,
            tags=(),
            eyes=self._sight.any,
            why=why,
        )

    def _thousandths(self, sureness: float) -> int:
        whole = min(int(sureness * 1000.0), 999)
        return min(whole, 900) if self._evidence.lost or not self._evidence.final else whole

    def _course(self, tag: Heard, direction: Direction | None, sureness: float) -> TagCourse:
        return TagCourse(
            epc=tag.epc,
            pc=tag.pc,
            moved=sureness > 0.0,
            direction=direction,
            confidence=self._thousandths(sureness),
            reads=tag.reads,
            peak_cdbm=tag.peak,
            first_us=tag.first_us,
            last_us=tag.last_us,
            share=int(tag.share * 1000.0),
        )
