# SPDX-License-Identifier: Apache-2.0
"""Who went together through the door, and which way.

A tag that crossed by its own course leads; those that crossed at the same time and the same way are one
group, whose way is followed again from all that lead it. Of every other tag it is asked with whom it went, or
whether it kept still.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import exp
from typing import Final

from .claims import PERSON_US, UNITS
from .company import ASKED_MAX, WITH, Others, went
from .doubts import (
    NEXT,
    SPARE,
    TOGETHER,
    ask_cases,
    ask_labels,
    borne_out,
    count_labels,
    doubt_turned,
    lead,
    leave_unsure,
)
from .eyes import Body, Sight
from .group import LIKELY, Group
from .hearing import Heard, Hearing
from .opinion import Scene
from .own import CROSSED, Own, own_of
from .way import BIN_US, Gateway, Way, follow
from .witness import nearer, together

__all__ = ["alike", "groups_of", "stayed_both"]

_MAYBE: Final = 0.03
_CLEAR: Final = 0.85
_FOLLOWS: Final = 2_500_000 / BIN_US
"""Tags that crossed later than this after each other went apart: a slow pallet's length takes less."""
_DOORWAY_DB: Final = 8.0
"""A tag not quieter than this below what it was when it crossed is still in the doorway."""
_TRUCK: Final = 4_000_000 / BIN_US
"""A truck's own tag crosses within this of its load."""
_ALONE: Final = 2
"""Of so few that lead each is sure to have gone: there is too little to hold one against."""
_SURE: Final = 0.995
_HERE: Final = -0.35
_DOOR: Final = 8.0
"""Tags that a neighbor hears better by 3.5 dB on the average may have gone through either door."""
_STOOD: Final = 40.0
"""Who crossed later than this after others, in moments, did not stand in the doorway with them."""


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
        if sight.height and tag.epc[0] in UNITS and _perhaps(tag, own) and not borne_out(tag, clear, own)
    ]
    clear, unclear = ([tag for tag in tags_ if tag not in perhaps] for tags_ in (clear, unclear))
    if not clear and not perhaps:
        return [_followed(unclear, undecided or unclear, hearing, sight)] if unclear else [], own
    leaders = [*(_in_turn(clear, own, sight.bodies) if clear else []), *([tag] for tag in perhaps)]
    if not sight.pair:
        leaders = _met(leaders, hearing, sight)
    found = _joined([*clear, *unclear, *perhaps], leaders, own, hearing, sight)
    for group, leading in zip(found, leaders, strict=True):
        scene = Scene(group, own, hearing, sight.bodies)
        if sight.pair:
            count_labels(group, own, hearing, sight.bodies, alone=len(leading) == 1 and not sight.height)
        lead(group, leading)
        group.belief = _believed(group, {tag.epc: own[tag.epc] for tag in leading}, hearing, sight)
        if group.has_unit:
            ask_labels(scene)
        elif sight.any:
            leave_unsure(group, own)
            ask_cases(scene)
    doubt_turned(found, own, sight.bodies)
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
    rests = SPARE if sight.height else CROSSED
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
        least = max([_MAYBE, *(NEXT * own[tag.epc].belief for tag in unclear if tag.epc in own)])
        clear = [tag for tag in unclear if tag.epc in own and own[tag.epc].belief >= least]
        unclear = [tag for tag in unclear if tag not in clear]
    return clear, unclear, undecided


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
        if against and not group.has_unit:
            resting += group.tags
            continue
        if against:
            group.belief = min(group.belief, TOGETHER)
        kept.append(group)
    return [group for group in groups if group in kept]


def _other_loads(one: Own, other: Own | None, bodies: Sequence[Body]) -> bool:
    """Whether two went with one body, each with another load that was seen above it."""
    if other is None or one.body is None or one.body != other.body:
        return False
    return bool(bodies[one.body].loads) and one.at != other.at


def _weight(group: Group) -> tuple[bool, float, int]:
    return group.has_unit, group.belief, len(group.tags)


def _perhaps(tag: Heard, own: Mapping[bytes, Own]) -> bool:
    return tag.epc in own and SPARE <= own[tag.epc].belief <= CROSSED


def _by_itself(own: Own, clear: Sequence[Heard], others: Mapping[bytes, Own]) -> bool:
    """Whether a tag may have crossed when none of those did that clearly crossed."""
    return own.belief >= SPARE and all(abs(others[tag.epc].at - own.at) > WITH for tag in clear)


def _in_turn(clear: list[Heard], own: Mapping[bytes, Own], bodies: Sequence[Body]) -> list[list[Heard]]:
    """Those that crossed by their own course, by sense and time: who follows within some seconds is one, and
    who went with the same body, unless another load was seen above it then.
    """
    clear.sort(key=lambda tag: (own[tag.epc].sense, own[tag.epc].at, tag.epc))
    leaders = [[clear[0]]]
    for before, tag in pairwise(clear):
        was, now = own[before.epc], own[tag.epc]
        late = now.at - was.at > _FOLLOWS
        if now.body is None or was.body is None:
            apart = late
        else:
            apart = now.body != was.body or (late and _other_loads(now, was, bodies))
        if now.sense != was.sense or apart:
            leaders.append([])
        leaders[-1].append(tag)
    return leaders


def _believed(group: Group, told: Mapping[bytes, Own], hearing: Hearing, sight: Sight) -> float:
    """How surely a group crossed here: what its tags tell each by itself, and all together of which door. Two
    labels are two loads, and do not bear each other out. What went with no body, though both eyes can be
    believed, somebody is to look at.
    """
    if not told:
        return 0.0
    surest = max(told.values(), key=lambda each: each.belief)
    asked = group.moved()[:ASKED_MAX]
    near = sum(nearer(tag, surest.at, hearing) for tag in asked) / len(asked) if asked else 0.0
    group.surest = surest
    if surest.body is not None:
        group.bodies = tuple({each.body for each in told.values() if each.body is not None})
    alike = {epc: each.belief for epc, each in told.items() if each.sense == group.sense}
    labels = [believed for epc, believed in alike.items() if epc[0] in UNITS]
    believed = together([*sorted(labels)[-1:], *(each for epc, each in alike.items() if epc[0] not in UNITS)])
    if not group.has_unit:
        # Many cases that rest seem to move alike, where something uncovers them.
        believed = min(believed, surest.belief)
    if surest.body is not None:
        return believed  # the eyes of this door saw it
    if sight.pair:
        believed = min(believed, TOGETHER)
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
    return Group(tags, bodies, way, sureness, min(max(way.out, way.back_in), TOGETHER) if crossed else 0.0)


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
