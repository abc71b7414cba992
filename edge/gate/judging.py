# SPDX-License-Identifier: Apache-2.0
"""What happened in the door, said from the evidence alone: groups of tags and what eyes saw make passages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from customs.documents import Direction
from edge.evidence import Evidence
from edge.passage import Passage, PassageKind, TagCourse

from .claims import ASSETS, PERSON_US, UNITS, carried
from .doubts import alike_sure
from .eyes import Body, Sight, see
from .group import LIKELY, Group
from .grouping import alike, groups_of, stayed_both
from .hearing import Heard, Hearing, hear
from .own import Own
from .way import BIN_US
from .witness import nearer, still

__all__ = ["judge", "sorted_tags"]

TAGS_TOLD_MAX: Final = 2_000
"""Tags of one passage that are told; the reads of all are in the evidence."""

_MAYBE: Final = 0.03
"""What is believed less did not cross; from here on somebody is called."""
_DOUBTFUL: Final = 0.3
"""The same, of what the order of the antennas says to have come back."""
_UNSEEN: Final = 0.7
"""The same, of what went with a body of which the height eye saw no load: it sees all but the lowest."""
_COMES_US: Final = 1_000_000
"""A truck comes to the door so long before it is through."""
_BESIDE: Final = 1_500_000 // BIN_US
"""A tag is heard so long before or after its truck is before the eyes."""
_STILL: Final = 0.5
_SOME_MAX: Final = 3
"""So many tags may have gone with something that crossed; of more nobody can say which."""
_SEEN: Final = 0.3
"""A load was seen to cross, of which nothing is told: tags that are believed so much may be its own."""
_CUT: Final = 0.8
"""How sure a finding can be whose end was not seen."""
_WELL_BEFORE: Final = 3_000_000 // BIN_US
"""A crossing so long before the passage was cut is complete."""
_HOME: Final = 0.5
"""A tag that rests belongs to the door that hears most of it."""
_NEIGHBORS: Final = 0.02
"""A tag may come by a neighbor's antennas on its way here; one of which this door hears less did not."""


def judge(evidence: Evidence) -> list[Passage]:
    """The passages that `evidence` shows, in time's order; at least one."""
    hearing = hear(evidence)
    sight = see(evidence)
    resting: list[Heard] = []
    goods, assets = sorted_tags(hearing)
    groups, own = groups_of(goods, resting, hearing, sight)
    for group in groups_of(assets, resting, hearing, sight)[0]:
        # A truck's tag goes with its load's passage, and makes one of its own without a load.
        with_load = next((each for each in groups if alike(each, group) or stayed_both(each, group)), None)
        if with_load is None:
            groups.append(group)
        else:
            with_load.tags += group.tags
            with_load.sureness |= group.sureness
    return _Telling(evidence, hearing, sight, groups, own, resting).passages()


def sorted_tags(hearing: Hearing) -> tuple[list[Heard], list[Heard]]:
    """The tags that may have crossed here: those of goods, those of trucks and of pallets' own."""
    moving = [tag for tag in hearing.tags.values() if tag.share >= _NEIGHBORS]
    return (
        [tag for tag in moving if tag.epc[0] not in ASSETS],
        [tag for tag in moving if tag.epc[0] in ASSETS],
    )


# --- what is said ---------------------------------------------------------------------------------


def _is_a_truck(group: Group) -> bool:
    return all(tag.epc[0] in ASSETS for tag in group.tags)


def _way_of(sense: int) -> Direction:
    return Direction.OUT if sense > 0 else Direction.IN


class _Telling:
    """Puts passages together from what was found."""

    def __init__(
        self,
        evidence: Evidence,
        hearing: Hearing,
        sight: Sight,
        groups: Sequence[Group],
        own: Mapping[bytes, Own],
        resting: Sequence[Heard],
    ) -> None:
        self._evidence = evidence
        self._hearing = hearing
        self._sight = sight
        self._groups = groups
        self._own = own
        self._resting = list(resting)
        self._unsure = [tag for group in groups for tag in group.tags if tag.epc[0] not in ASSETS]

    def passages(self) -> list[Passage]:
        """All of them, the first by the evidence's own name."""
        told: list[tuple[int, Passage]] = []
        taken: set[int] = set()
        for group in self._groups:
            passage, at = self._of_group(group)
            if passage is not None and passage.kind is PassageKind.TURNED and told and _is_a_truck(group):
                continue  # its load's passage says so
            if passage is not None:
                told.append((at, passage))
                if passage.kind is not PassageKind.TURNED:
                    taken |= set(group.bodies)
                elif (
                    group.surest is not None and passage.confidence >= self._evidence.settings.confidence_min
                ):
                    taken |= set(group.surest.bodies)
        for number, body in enumerate(self._sight.bodies):
            if number in taken or body.ended_us - body.begun_us < PERSON_US:
                continue
            sense = carried(body) or body.sense
            perhaps = self._perhaps(number, sense, told)
            if perhaps is None and sense:
                perhaps = self._untagged(body, sense, bool(told))
            if perhaps is not None:
                told.append((body.begun_us, perhaps))
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
        home = [tag for tag in self._resting if tag.share >= _HOME]
        rest = sorted(home, key=lambda tag: (-tag.peak, tag.epc))
        return rest[: max(0, TAGS_TOLD_MAX - told)]

    def _of_group(self, group: Group) -> tuple[Passage | None, int]:
        way = group.way
        crossings = [_way_of(sense) for sense in group.crossings]
        believed = group.belief
        if not self._complete(group):
            believed = min(believed, _CUT)
        went = [tag for tag in group.tags if group.sureness[tag.epc] > LIKELY]
        at = self._hearing.base_us + round(min((t.center for t in group.tags), default=0.0)) * BIN_US
        back = group.back
        if went and back and len(crossings) >= 2:
            why = "It went through and came back."
            sureness = max(way.stayed, believed)
            return self._passage(PassageKind.TURNED, None, sureness, tuple(crossings), group, why), at
        least = _UNSEEN if self._no_load(group) else _DOUBTFUL if back else _MAYBE
        if not went or believed < least:
            if went and not self._no_load(group) and self._turned(group, crossings):
                why = "It came and went back."
                return self._passage(PassageKind.TURNED, None, way.stayed, (), group, why), at
            self._resting += group.tags
            return None, at
        direction = _way_of(group.sense)
        if not crossings or crossings[-1] is not direction or len(crossings) % 2 == 0:
            crossings = [direction]
        why = self._why(group, direction, believed)
        return self._passage(PassageKind.CROSSED, direction, believed, tuple(crossings), group, why), at

    def _no_load(self, group: Group) -> bool:
        """Whether the height eye saw no load with what should be one."""
        unseen = group.surest is not None and group.surest.body is None
        if unseen or not group.bodies or _is_a_truck(group):
            return False
        return all(self._sight.bodies[at].load is False for at in group.bodies)

    def _complete(self, group: Group) -> bool:
        """Whether all of a way was seen: no reader lost, no read left out, crossed well before a cut."""
        if self._evidence.lost or self._evidence.left_out:
            return False
        if self._evidence.final:
            return True
        at = group.crossed_at()
        until_us = max((self._sight.bodies[body].ended_us for body in group.bodies), default=0)
        ended = until_us < self._evidence.closed_us - self._evidence.settings.eye_gap_ms * 1000
        return ended and at is not None and at < self._hearing.moments - _WELL_BEFORE

    def _turned(self, group: Group, crossings: Sequence[Direction]) -> bool:
        """Whether something came to the door and went back, or was only near."""
        if group.bodies:
            return True
        return bool(crossings) or any(abs(side) < 0.5 for side in group.way.sides)

    def _why(self, group: Group, direction: Direction, crossed: float) -> str:
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
        group: Group,
        why: str,
    ) -> Passage:
        confidence = self._thousandths(sureness)
        moved = []
        for tag in sorted(group.tags, key=lambda tag: (-tag.peak, tag.epc))[:TAGS_TOLD_MAX]:
            if group.sureness[tag.epc] > LIKELY:
                sure = min(sureness, group.doubts.get(tag.epc, 1.0)) if direction else sureness
                moved.append(self._course(tag, direction, sure))
            else:
                self._resting.append(tag)
        if kind is PassageKind.CROSSED and all(tag.epc[0] in ASSETS for tag in moved):
            kind, why = self._without_goods(group, direction)
        return Passage(
            passage=self._evidence.passage,
            door=self._evidence.door,
            kind=kind,
            opened_us=self._began_us(group) if kind is PassageKind.CROSSED else self._evidence.opened_us,
            closed_us=self._evidence.closed_us,
            direction=direction,
            confidence=confidence,
            crossings=crossings,
            tags=tuple(moved),
            eyes=bool(group.bodies),
            why=why,
        )

    def _began_us(self, group: Group) -> int:
        """When a passage opened, or before that when what went through it came to the door."""
        at = group.crossed_at()
        if at is None:
            return self._evidence.opened_us
        came_us = self._hearing.base_us + round(at) * BIN_US - _COMES_US
        return min(self._evidence.opened_us, max(came_us, self._hearing.base_us))

    def _without_goods(self, group: Group, direction: Direction | None) -> tuple[PassageKind, str]:
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

    def _perhaps(self, number: int, sense: int, told: Sequence[tuple[int, Passage]]) -> Passage | None:
        """Something crossed by the eyes, and a few tags may have gone with it, though their own course does
        not say so: somebody is to look. `sense` is 0 where a load was seen, and nobody knows which way.
        """
        body = self._sight.bodies[number]
        if body.load is False:
            return None
        some = self._likeliest(number, sense, told) if body.load else []
        if not some and sense:
            some = self._nearest(body, told)
        if not some:
            return None
        direction = _way_of(sense or self._own[some[0].epc].sense)
        self._resting = [tag for tag in self._resting if tag not in some]
        passage = self._plain(
            PassageKind.CROSSED, direction, (direction,), 500, "Something crossed, perhaps with these tags."
        )
        courses = tuple(self._course(tag, direction, 0.5) for tag in some)
        return msgspec.structs.replace(passage, tags=courses)

    def _likeliest(self, number: int, sense: int, told: Sequence[tuple[int, Passage]]) -> list[Heard]:
        """Of a load that was seen to cross with a body: the tags that say so about as surely as any, labels
        before cases.
        """
        taken = {course.epc for _, passage in told for course in passage.tags if course.moved}
        likely = {
            epc: own.belief
            for epc, own in self._own.items()
            if own.body == number and sense in {0, own.sense} and epc not in taken
        }
        some = {epc: believed for epc, believed in likely.items() if believed >= _SEEN}
        some = {epc: some[epc] for epc in some if epc[0] in UNITS} or some
        return [self._hearing.tags[epc] for epc in alike_sure(some)]

    def _nearest(self, body: Body, told: Sequence[tuple[int, Passage]]) -> list[Heard]:
        """The tags that came nearer when a body went by and did not keep still, if they are few."""
        taken = {
            course.epc
            for _, passage in told
            for course in passage.tags
            if course.moved and passage.kind is not PassageKind.TURNED
        }
        middle = self._hearing.moment((body.begun_us + body.ended_us) // 2)
        half = (body.ended_us - body.begun_us) // (2 * BIN_US) + _BESIDE
        some = [
            tag
            for tag in self._unsure
            if tag.epc not in taken
            and any(abs((key >> 2) - middle) <= half for key in tag.cells)
            and nearer(tag, middle, self._hearing) > 0.0
            and max(still(tag, middle, self._hearing)) <= _STILL
        ]
        return some if len(some) <= _SOME_MAX else []

    def _untagged(self, body: Body, sense: int, after_load: bool) -> Passage:
        """Something crossed by the eyes and no tag went with it."""
        direction = _way_of(sense)
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
        return min(int(sureness * 1000.0), 999)

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
