# SPDX-License-Identifier: Apache-2.0
"""Who went together through the door, and which way.

A tag that crossed by its own course leads; those that crossed at the same time and the same way are one
group, whose way is followed again from all that lead it. Of every other tag it is asked with whom it went, or
whether it kept still.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import exp
from typing import Final

from .claims import PERSON_US, UNITS, both_ways, came_back, carried
from .company import ASKED_MAX, WITH, Others, went
from .eyes import Body, Sight
from .hearing import Heard, Hearing
from .own import CROSSED, Own, own_of
from .way import BIN_US, Gateway, Way, follow
from .witness import ends, nearer, together

__all__ = ["LIKELY", "PERSON_US", "Group", "alike", "alike_sure", "groups_of", "stayed_both"]

LIKELY: Final = 0.99
_MAYBE: Final = 0.03
_SPARE: Final = 0.15
"""What is believed so much leads, too, where none is clear about then."""
_NEXT: Final = 0.3
"""Where none is clear all lead that are believed this part as much as the surest, or more."""
_CLEAR: Final = 0.85
_FOLLOWS: Final = 2_500_000 / BIN_US
"""Tags that crossed later than this after each other went apart: a slow pallet's length takes less."""
_DOORWAY_DB: Final = 8.0
"""A tag not quieter than this below what it was when it crossed is still in the doorway."""
_TRUCK: Final = 4_000_000 / BIN_US
"""A truck's own tag crosses within this of its load."""
_BORNE_OUT: Final = 0.7
"""A label that tells so surely that it crossed is borne out by those that went with it."""
_ALONE: Final = 2
"""Of so few that lead each is sure to have gone: there is too little to hold one against."""
_SURE: Final = 0.995
_TOGETHER: Final = 0.5
_AGREE: Final = 0.3
"""Of the tags that may have crossed so many say the like, when a pallet did: of one that is uncovered where
it stands some say this and some that."""
_WITH_IT: Final = 0.95
"""A second label goes surely only if it went with the first as surely as that."""
_WITH_CASES: Final = 0.9
_BY_ITSELF: Final = 0.98
"""The first goes surely without its cases only if it tells so itself as surely as that."""
_SELDOM: Final = 2.0
"""So much the doubt grows of a second label, and of what went with a body that turned."""
_CASES: Final = 12.0
"""The same, of what cases tell without a label."""
_EACH: Final = 0.97
"""A case is as sure as that to have gone, where none of its pallet's labels did."""
_EACH_OF_MANY: Final = 0.995
"""The same, where many others tell of the load: one that is uncovered is seldom so sure."""
_ALONG: Final = 0.995
"""The same, to have moved as the others did."""
_LIKE: Final = 0.5
"""A Hold names those that are believed by this part of what the surest is, or more."""
_NAMED: Final = 5
"""And no more than so many: of more nobody would look at each."""
_STOOD_US: Final = 3_000_000
_SOME: Final = 5
"""So many cases tell of the label that moved as they did."""
_MANY: Final = 8
_MOST: Final = 0.7
"""So many cases, and so many of those that were asked, are a load: one that stands beside the way has a few
uncovered.
"""
_FEW: Final = 12
"""Cases that were read less often, all of them together, went through surely no more than that."""
_LOW: Final = 0.8
"""What many cases tell of which the height eye saw no load is a Hold: it may have been low."""
_HERE_ALONE: Final = 0.8
_ELSEWHERE: Final = -1.0
"""Heard last by ten dB better on the other side than where it should have gone."""
_HERE: Final = -0.35
_DOOR: Final = 8.0
"""Tags that a neighbor hears better by 3.5 dB on the average may have gone through either door."""
_STOOD: Final = 40.0
"""Who crossed later than this after others, in moments, did not stand in the doorway with them."""


@dataclass(slots=True, eq=False)
class Group:
    """Tags that went together, their way, how surely each of them went it, the bodies that went with them."""

    tags: list[Heard]
    bodies: tuple[int, ...]
    way: Way
    sureness: dict[bytes, float]
    belief: float = 0.0
    """How surely it crossed, by what its tags tell each by itself."""
    doubts: dict[bytes, float] = field(default_factory=dict)
    """How surely a tag crossed, of those that go by what they tell alone."""
    surest: Own | None = None
    """What the surest of its tags tells; None where none tells by itself that it crossed."""

    @property
    def sense(self) -> int:
        """1 out, -1 in, whichever is likelier."""
        if self.surest is not None and self.surest.body is not None:
            return self.surest.sense
        return 1 if self.way.out >= self.way.back_in else -1

    @property
    def crossings(self) -> Sequence[int]:
        """Each time it crossed: 1 outwards, -1 inwards."""
        if self.surest is not None and self.surest.body is not None:
            return self.surest.crossings
        return self.way.crossings()

    @property
    def back(self) -> bool:
        """Whether it ended where it began."""
        if self.surest is not None and self.surest.body is not None:
            return len(self.surest.crossings) % 2 == 0
        return self.way.stayed > max(self.way.out, self.way.back_in)

    def moved(self) -> list[Heard]:
        """The tags that surely went that way."""
        return [tag for tag in self.tags if self.sureness[tag.epc] > LIKELY]

    def crossed_at(self) -> float | None:
        """The moment of its last crossing."""
        if self.surest is not None and self.surest.body is not None:
            return self.surest.at
        return self.way.crossed_at()


def groups_of(
    tags: Sequence[Heard], resting: list[Heard], hearing: Hearing, sight: Sight
) -> tuple[list[Group], Mapping[bytes, Own]]:
    """The groups in which tags went, and what each tag tells by itself. Those that crossed by their own
    course lead, by the time and sense of their last crossing; the others are asked with whom they went. Where
    none leads, all are asked together.
    """
    if not tags:
        return [], {}
    # The eyes' order says nothing of a tag that went with nobody: only where none can have crossed.
    anyone = Gateway(_gateway(range(len(sight.bodies)), hearing, sight).free)
    ways = [follow(_together([tag], hearing), anyone) for tag in tags]
    own = own_of(tags, ways, hearing, sight)
    clear, unclear, undecided = _sorted(tags, ways, own, resting, hearing, sight)
    # A label that may have gone, and not surely, is told by itself: it is a load of its own.
    perhaps = [
        tag
        for tag in (*clear, *unclear)
        if sight.height and tag.epc[0] in UNITS and _perhaps(tag, own) and not _borne_out(tag, clear, own)
    ]
    clear, unclear = ([tag for tag in tags_ if tag not in perhaps] for tags_ in (clear, unclear))
    if not clear and not perhaps:
        return [_followed(unclear, undecided or unclear, hearing, sight)] if unclear else [], own
    leaders = [*(_in_turn(clear, own) if clear else []), *([tag] for tag in perhaps)]
    if not sight.pair:
        leaders = _met(leaders, hearing, sight)
    found = _joined([*clear, *unclear, *perhaps], leaders, own, hearing, sight)
    for group, leading in zip(found, leaders, strict=True):
        if sight.pair:
            _count_labels(group, own, alone=len(leading) == 1 and not sight.height)
        _lead(group, leading)
        group.belief = _believed(group, [own[tag.epc] for tag in leading], hearing, sight)
        if sight.any and not _has_unit(group):
            group.belief = _doubted(group.belief, _CASES)
            _leave_unsure(group, own)
    _doubt_turned(found, own, sight.bodies)
    return _one_way(found, resting, sight.bodies), own


def _sorted(
    tags: Sequence[Heard],
    ways: Sequence[Way],
    own: Mapping[bytes, Own],
    resting: list[Heard],
    hearing: Hearing,
    sight: Sight,
) -> tuple[list[Heard], list[Heard], list[Heard]]:
    """Those that lead, the others that may have gone with them, and of these those whose course says that
    they crossed or that nobody knows. What rests goes to `resting`.
    """
    clear: list[Heard] = []
    unclear: list[Heard] = []
    undecided: list[Heard] = []
    rests = _SPARE if sight.height else CROSSED
    for tag, way in zip(tags, ways, strict=True):
        if tag.epc in own and own[tag.epc].belief > _CLEAR:
            clear.append(tag)
        elif (tag.epc not in own or own[tag.epc].belief <= rests) and tag.rests(
            hearing.moments, hearing.opened, hearing.sides, hearing.quietest
        ):
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
    return clear, unclear, undecided


def _doubt_turned(groups: Sequence[Group], own: Mapping[bytes, Own], bodies: Sequence[Body]) -> None:
    """What went with a body is less sure where the body, or one behind it, may have brought it back, and
    where cases alone may err.
    """
    returned = [each for each in own.values() if len(each.bodies) > 1 and each.belief > _NEXT]
    claimed = {body for group in groups if group.surest is not None for body in group.surest.bodies}
    for group in groups:
        surest = group.surest
        if surest is None or surest.body is None:
            continue
        # Some of what went with a body came back with another, or not: who knows which.
        parted = any(surest.body in each.bodies and surest.bodies != each.bodies for each in returned)
        # What was seen to go and to come back is told as that, or not surely.
        body = bodies[surest.body]
        half = len(surest.bodies) < 2 and both_ways(body)
        back = any(
            came_back(body, each)
            for number, each in enumerate(bodies)
            if number > surest.body and number not in claimed
        )
        alone = not _has_unit(group)
        low = body.load is False
        err = alone and not (low and surest.belief >= LIKELY) and _cases_err(group, body, own)
        if parted or half or back or err:
            group.belief = min(group.belief, _TOGETHER)
        elif alone and low:
            group.belief = min(surest.belief, _LOW)
        elif body.first == body.last and not carried(body):
            # Neither the eyes' order nor the load above says which way it went.
            group.belief = _doubted(group.belief)


def _count_labels(group: Group, own: Mapping[bytes, Own], *, alone: bool) -> None:
    """The label of a whole pallet is a load by itself: company alone does not make it cross. One load has one
    label: of several each but the surest must be surer than that.
    """
    labels = {tag.epc: own[tag.epc].belief for tag in group.tags if tag.epc[0] in UNITS and tag.epc in own}
    surest = max(labels, key=lambda epc: (labels[epc], epc), default=None)
    for tag in group.tags:
        if tag.epc[0] in UNITS:
            by_itself = labels.get(tag.epc, 0.0)
            with_it = group.sureness[tag.epc]
            theirs = _borne_out(tag, group.tags, own)
            company = with_it if (by_itself > _BORNE_OUT or theirs) and not alone else 0.0
            group.sureness[tag.epc] = _SURE if by_itself > CROSSED or theirs else 0.0
            # What rests beside the way and is uncovered moves as nobody else does.
            if tag.epc == surest:
                apart = with_it < _WITH_CASES and by_itself < _BY_ITSELF and _has_clear_case(group, own)
                believed = together([by_itself, company])
            else:
                apart = with_it < _WITH_IT
                believed = _doubted(by_itself)
            group.doubts[tag.epc] = min(believed, _TOGETHER) if apart else believed


def _lead(group: Group, leading: Sequence[Heard]) -> None:
    """A few that lead are sure to have gone. Of many a label is a load by itself: one that did not move as
    the others did is told, for somebody to look at.
    """
    for tag in leading:
        if len(leading) <= _ALONE:
            group.sureness[tag.epc] = max(group.sureness[tag.epc], _SURE)
        elif tag.epc[0] in UNITS and group.sureness[tag.epc] <= LIKELY:
            group.sureness[tag.epc], group.doubts[tag.epc] = _SURE, _TOGETHER


def _has_clear_case(group: Group, own: Mapping[bytes, Own]) -> bool:
    return any(
        tag.epc[0] not in UNITS
        and tag.epc in own
        and own[tag.epc].belief >= _EACH
        and own[tag.epc].sense == group.sense
        for tag in group.tags
    )


def _borne_out(label: Heard, tags: Sequence[Heard], own: Mapping[bytes, Own]) -> bool:
    """Whether some cases clearly crossed as a label may have, and no other label did: it is theirs, as surely
    as it moved as they did.
    """
    mine = own.get(label.epc)
    if mine is None or mine.body is None or mine.belief < _SPARE:
        return False
    with_it = [
        tag
        for tag in tags
        if tag is not label
        and tag.epc in own
        and (own[tag.epc].sense, own[tag.epc].body) == (mine.sense, mine.body)
    ]
    labels = [own[tag.epc].belief for tag in with_it if tag.epc[0] in UNITS]
    cases = [tag for tag in with_it if tag.epc[0] not in UNITS and own[tag.epc].belief >= _EACH]
    return len(cases) >= _SOME and max(labels, default=0.0) < _SPARE


def _doubted(belief: float, times: float = _SELDOM) -> float:
    """What is believed of what seldom is so, and no less than that it may be."""
    return max(1.0 - times * (1.0 - belief), min(belief, _TOGETHER))


def _leave_unsure(group: Group, own: Mapping[bytes, Own]) -> None:
    """Without a label, cases go as surely as each tells by itself: of a pallet beside the way some are
    uncovered when another goes by. Beside a sure one those that are not stay, else the surest is told.
    """
    told = {tag.epc: own[tag.epc].belief if tag.epc in own else 0.0 for tag in group.moved()}
    surest = max(told.values(), default=0.0)
    clear = sum([believed >= _EACH for believed in told.values()])
    least = min(_EACH_OF_MANY if clear >= _MANY else _EACH, surest)
    for epc, believed in told.items():
        if believed < least or (believed < surest and group.sureness[epc] < _ALONG):
            group.sureness[epc] = LIKELY
    if surest < _EACH:
        # Who knows which of them it was: somebody is to look.
        for epc in alike_sure(
            {
                epc: each.belief
                for epc, each in own.items()
                if epc in group.sureness and each.sense == group.sense
            }
        ):
            group.sureness[epc], group.doubts[epc] = _SURE, min(own[epc].belief, _TOGETHER)


def alike_sure(believed: Mapping[bytes, float]) -> list[bytes]:
    """Those that are believed about as much as the surest, the surest first, and no more than a few."""
    least = _LIKE * max(believed.values(), default=0.0)
    return sorted([epc for epc in believed if believed[epc] >= least], key=lambda epc: (-believed[epc], epc))[
        :_NAMED
    ]


def _cases_err(group: Group, body: Body, own: Mapping[bytes, Own]) -> bool:
    """Whether tags of cases, without a label, may only seem to have crossed: a load stood in the doorway and
    uncovered them, or none was seen, and a neighbor heard them, too; they were read a few times; few of those
    that were asked say so, or most were heard last where they would have come from.
    """
    moved = group.moved()
    asked = [each.sense == group.sense and each.belief > CROSSED for each in own.values()]
    clear = sum([tag.epc in own and own[tag.epc].belief >= _EACH for tag in moved])
    whole = clear >= _MANY and sum(asked) >= _MOST * len(asked)
    if not whole and any(ended - begun >= _STOOD_US for begun, ended in body.loads or ()):
        return True
    if body.load is False and any(tag.share < _HERE_ALONE for tag in moved):
        return True
    elsewhere = sum([ends(tag, group.sense)[1] < _ELSEWHERE for tag in moved])
    few = sum([tag.reads for tag in moved]) < _FEW
    return few or sum(asked) < _AGREE * len(asked) or 2 * elsewhere > len(moved)


def _one_way(groups: Sequence[Group], resting: list[Heard], bodies: Sequence[Body]) -> list[Group]:
    """A load went one way: of groups that say otherwise of it the surest holds; the others are not sure, and
    tags of cases that stand alone against it rest. A body is one load, but for those that were seen above it.
    """
    kept: list[Group] = []
    for group in sorted(groups, key=_weight, reverse=True):
        against = any(
            set(each.bodies) & set(group.bodies)
            and each.sense != group.sense
            and not each.back
            and not _other_loads(each.surest, group.surest, bodies)
            for each in kept
            if each.surest is not None and each.surest.body is not None
        )
        if against and not _has_unit(group):
            resting += group.tags
            continue
        if against:
            group.belief = min(group.belief, _TOGETHER)
        kept.append(group)
    return [group for group in groups if group in kept]


def _other_loads(one: Own, other: Own | None, bodies: Sequence[Body]) -> bool:
    """Whether two went with one body, each with another load that was seen above it."""
    if other is None or one.body is None or one.body != other.body:
        return False
    return bool(bodies[one.body].loads) and one.at != other.at


def _has_unit(group: Group) -> bool:
    return any(tag.epc[0] in UNITS for tag in group.moved())


def _weight(group: Group) -> tuple[bool, float, int]:
    return _has_unit(group), group.belief, len(group.tags)


def _perhaps(tag: Heard, own: Mapping[bytes, Own]) -> bool:
    return tag.epc in own and _SPARE <= own[tag.epc].belief <= CROSSED


def _by_itself(own: Own, clear: Sequence[Heard], others: Mapping[bytes, Own]) -> bool:
    """Whether a tag may have crossed when none of those did that clearly crossed."""
    return own.belief >= _SPARE and all(abs(others[tag.epc].at - own.at) > WITH for tag in clear)


def _in_turn(clear: list[Heard], own: Mapping[bytes, Own]) -> list[list[Heard]]:
    """Those that crossed by their own course, by sense and time: who follows within some seconds is one."""
    clear.sort(key=lambda tag: (own[tag.epc].sense, own[tag.epc].at, tag.epc))
    leaders = [[clear[0]]]
    for before, tag in pairwise(clear):
        was, now = own[before.epc], own[tag.epc]
        apart = now.at - was.at > _FOLLOWS if now.body is None or was.body is None else now.body != was.body
        if now.sense != was.sense or apart:
            leaders.append([])
        leaders[-1].append(tag)
    return leaders


def _believed(group: Group, told: Sequence[Own], hearing: Hearing, sight: Sight) -> float:
    """How surely a group crossed here: what its tags tell each by itself, and all together of which door.
    What went with no body, though both eyes can be believed, somebody is to look at.
    """
    if not told:
        return 0.0
    surest = max(told, key=lambda each: each.belief)
    asked = group.moved()[:ASKED_MAX]
    near = sum(nearer(tag, surest.at, hearing) for tag in asked) / len(asked) if asked else 0.0
    group.surest = surest
    if surest.body is not None:
        group.bodies = tuple({each.body for each in told if each.body is not None})
    believed = together([each.belief for each in told if each.sense == group.sense])
    if not _has_unit(group):
        # Many cases that rest seem to move alike, where something uncovers them.
        believed = min(believed, surest.belief)
    if surest.body is not None:
        return believed  # the eyes of this door saw it
    if sight.pair:
        believed = min(believed, _TOGETHER)
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
    others = [Others(leading, hearing, way, own) for leading, (way, _) in zip(leaders, ways, strict=True)]
    led = {tag.epc: at for at, leading in enumerate(leaders) for tag in leading}
    members: list[list[Heard]] = [[] for _ in leaders]
    for tag in tags:
        at = led.get(tag.epc)
        if at is None:
            at = max(range(len(others)), key=lambda i: went(tag, others[i]))
        members[at].append(tag)
    return [
        Group(group, bodies, way, {tag.epc: went(tag, each) for tag in group})
        for group, (way, bodies), each in zip(members, ways, others, strict=True)
    ]


def alike(load: Group, truck: Group) -> bool:
    """Whether a truck's tag crossed with a load: the same way at about the same time."""
    at, truck_at = load.crossed_at(), truck.crossed_at()
    if at is None or truck_at is None or load.sense != truck.sense:
        return False
    return abs(at - truck_at) < _TRUCK


def stayed_both(load: Group, truck: Group) -> bool:
    """Whether neither went through: what turned round is one thing with its load, as far as can be told."""
    return load.back and truck.back


# --- which way ------------------------------------------------------------------------------------


def _followed(tags: list[Heard], leading: list[Heard], hearing: Hearing, sight: Sight) -> Group:
    """The group with its way, and how surely each tag of it went that way."""
    for _ in range(2):
        others = Others(leading, hearing, _way_of(leading, hearing, sight)[0])
        moved = [tag for tag in tags if went(tag, others) > LIKELY]
        if not moved or {tag.epc for tag in moved} == {tag.epc for tag in leading}:
            break
        leading = moved
    way, bodies = _way_of(leading, hearing, sight)
    others = Others(leading, hearing, way)
    sureness = {tag.epc: went(tag, others) for tag in tags}
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
