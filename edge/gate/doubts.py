# SPDX-License-Identifier: Apache-2.0
"""How surely a group went, and which of its tags: what each tells by itself is held against the others, the
load that was seen above the body, and what stands beside the way and is uncovered when something goes by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from .claims import UNITS, both_ways, came_back, carried, one_long
from .eyes import Body
from .group import LIKELY, Group
from .hearing import Heard, Hearing
from .opinion import Scene, cases_went, label_went
from .own import CROSSED, Own
from .way import BIN_US
from .witness import ends, together

__all__ = [
    "NEXT",
    "SPARE",
    "TOGETHER",
    "alike_sure",
    "ask_cases",
    "ask_labels",
    "borne_out",
    "count_labels",
    "doubt_turned",
    "doubted",
    "lead",
    "leave_unsure",
]

SPARE: Final = 0.15
"""What is believed so much leads, too, where none is clear about then."""
NEXT: Final = 0.3
"""Where none is clear all lead that are believed this part as much as the surest, or more."""
TOGETHER: Final = 0.5
"""What may be so and may not: somebody is called."""
_SURE: Final = 0.995
_BORNE_OUT: Final = 0.7
"""A label that tells so surely that it crossed is borne out by those that went with it."""
_ALONE: Final = 2
"""Of so few that lead each is sure to have gone: there is too little to hold one against."""
_AGREE: Final = 0.3
"""Of the tags that may have crossed so many say the like, when a pallet did: of one that is uncovered where
it stands some say this and some that."""
_COUPLE: Final = 2
_COUPLE_SURE: Final = 0.97
"""So few cases must be as sure as that together."""
_FEW_OF: Final = 0.05
_AGREE_MANY: Final = 0.6
"""Where no more of them are told than the one part, so many agree, or nobody knows whether it crossed."""
_WITH_IT: Final = 0.95
"""A second label goes surely only if it went with the first as surely as that."""
_HERE_MOSTLY: Final = 0.5
"""And only if this door heard it better than its neighbors did: they had it before them meanwhile."""
_WITH_CASES: Final = 0.9
_BY_ITSELF: Final = 0.98
"""The first goes surely without its cases only if it tells so itself as surely as that."""
_FAINTLY: Final = 0.95
"""The same of one that was faint when it crossed, as what stands beyond the door is."""
_LOUD_DB: Final = 20.0
"""What is in the doorway is louder by so much than the quietest that is heard, but on far sides of metal and
liquid."""
_ABOUT: Final = 1_200_000 / BIN_US
_WENT: Final = 0.97
"""What the second opinion is less sure of is a Hold, whatever else is said."""
_LABEL_CLEAR: Final = 0.99
_TELLS: Final = 0.9
"""A label of which the second opinion is as sure as the one, and which says so itself by the other, leaves no
doubt."""
_CASES_CLEAR: Final = 0.993
"""The same of cases, by the second opinion alone."""
_CASES: Final = 24.0
"""So much the doubt grows of what cases tell without a label."""
_RIVAL: Final = 0.95
"""Where another label may have gone as well, and is less sure than this, one of the two stayed: the surer one
goes only where it leaves no doubt."""
_SELDOM: Final = 2.0
"""So much the doubt grows of a second label, and of what went with a body that turned."""
_EXCHANGED: Final = 6.0
"""The same, where a truck would have taken one load out and fetched another."""
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
_OFTEN: Final = 8
"""Beside a case that was read so often, one that was read less says too little: it may be uncovered."""
_SOME: Final = 5
"""So many cases tell of the label that moved as they did."""
_MANY: Final = 8
_MOST: Final = 0.7
"""So many cases, and so many of those that were asked, are a load: one that stands beside the way has a few
uncovered.
"""
_CLAIMED: Final = 0.9
"""A body is accounted for by what is as sure as that to have gone with it."""
_FEW: Final = 12
"""Cases that were read less often, all of them together, went through surely no more than that."""
_LOW: Final = 0.8
"""What many cases tell of which the height eye saw no load is a Hold: it may have been low."""
_HERE_ALONE: Final = 0.8
_ELSEWHERE: Final = -1.0
"""Heard last by ten dB better on the other side than where it should have gone."""


def doubt_turned(groups: Sequence[Group], own: Mapping[bytes, Own], bodies: Sequence[Body]) -> None:
    """What went with a body is less sure where the body, or one behind it, may have brought it back, and
    where cases alone may err.
    """
    returned = [each for each in own.values() if len(each.bodies) > 1 and each.belief > NEXT]
    claimed = {
        body
        for group in groups
        if group.surest is not None and group.belief > _CLAIMED
        for body in group.surest.bodies
    }
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
        alone = not group.has_unit
        low = body.load is False
        err = alone and not (low and surest.belief >= LIKELY) and _cases_err(group, body, own)
        if group.opinion is not None:
            err = group.opinion < _WENT or (err and group.opinion < _CASES_CLEAR)
        if parted or half or back or err:
            group.belief = min(group.belief, TOGETHER)
        elif low:
            # What is no more than a Hold for want of a load is not made surer by others of the like.
            group.belief = min(surest.belief, _LOW if alone else group.belief)
        elif body.first == body.last and not carried(body):
            # Neither the eyes' order nor the load above says which way it went.
            group.belief = doubted(group.belief, _EXCHANGED if _exchanged(group, groups) else _SELDOM)


def _exchanged(group: Group, groups: Sequence[Group]) -> bool:
    """Whether a truck would have taken this out and fetched what is surer, or the other way round."""
    return any(
        each.surest is not None
        and group.surest is not None
        and each.surest.body == group.surest.body
        and each.sense != group.sense
        and each.surest.belief > group.surest.belief
        for each in groups
    )


def count_labels(
    group: Group, own: Mapping[bytes, Own], hearing: Hearing, bodies: Sequence[Body], *, alone: bool
) -> None:
    """The label of a whole pallet is a load by itself: company alone does not make it cross. One load has one
    label: of several each but the surest must be surer than that. Where a truck turned beyond the door, what
    was faint in the doorway may stand there still: it is a Hold unless it leaves little doubt itself.
    """
    labels = {tag.epc: own[tag.epc].belief for tag in group.tags if tag.epc[0] in UNITS and tag.epc in own}
    surest = max(labels, key=lambda epc: (labels[epc], epc), default=None)
    rival = any(CROSSED < labels[epc] < _RIVAL for epc in labels if epc != surest)
    for tag in group.tags:
        if tag.epc[0] in UNITS:
            by_itself = labels.get(tag.epc, 0.0)
            with_it = group.sureness[tag.epc]
            theirs = borne_out(tag, group.tags, own)
            company = with_it if (by_itself > _BORNE_OUT or theirs) and not alone else 0.0
            group.sureness[tag.epc] = _SURE if by_itself > CROSSED or theirs else 0.0
            # What rests beside the way and is uncovered moves as nobody else does.
            if tag.epc == surest:
                apart = with_it < _WITH_CASES and by_itself < _BY_ITSELF and _has_clear_case(group, own)
                apart = apart or (by_itself < _FAINTLY and _faint(tag, own[tag.epc], hearing, bodies))
                apart = apart or (by_itself < _SURE and rival)
                believed = together([by_itself, company])
            else:
                apart = with_it < _WITH_IT or tag.share < _HERE_MOSTLY
                apart = apart or (by_itself < _SURE and _only_one(own.get(tag.epc), bodies))
                believed = doubted(by_itself)
            group.doubts[tag.epc] = min(believed, TOGETHER) if apart else believed


def _only_one(own: Own | None, bodies: Sequence[Body]) -> bool:
    """Whether the load that went was no longer than one pallet."""
    return own is not None and own.body is not None and one_long(bodies[own.body])


def _faint(tag: Heard, own: Own, hearing: Hearing, bodies: Sequence[Body]) -> bool:
    """Whether a tag that would have gone with a body that turned was heard no better then than what is far
    off is heard.
    """
    if own.body is None or bodies[own.body].first != bodies[own.body].last:
        return False
    about = [level for key, level in tag.cells.items() if abs((key >> 2) - own.at) < _ABOUT]
    return max(about, default=hearing.quietest) < hearing.quietest + _LOUD_DB


def ask_labels(scene: Scene) -> None:
    """A label of which the second opinion is not sure is a Hold, and one that tells so itself goes where that
    leaves no doubt.
    """
    group, own = scene.group, scene.own
    for tag in group.tags:
        went = label_went(tag, scene) if tag.epc[0] in UNITS else None
        if went is None:
            continue
        believed = group.doubts.get(tag.epc, 1.0)
        if went < _WENT:
            group.doubts[tag.epc] = min(believed, TOGETHER)
        elif went >= _LABEL_CLEAR and own[tag.epc].belief >= _TELLS and own[tag.epc].sense == group.sense:
            group.doubts[tag.epc] = max(believed, went)


def ask_cases(scene: Scene) -> None:
    """What cases tell without a label is doubted, but where the second opinion leaves no doubt."""
    group = scene.group
    group.opinion = cases_went(scene)
    if group.opinion is not None and group.opinion >= _CASES_CLEAR:
        group.belief = group.opinion
    else:
        group.belief = doubted(group.belief, _CASES)


def lead(group: Group, leading: Sequence[Heard]) -> None:
    """A few that lead are sure to have gone. Of many a label is a load by itself: one that did not move as
    the others did is told, for somebody to look at.
    """
    for tag in leading:
        if len(leading) <= _ALONE:
            group.sureness[tag.epc] = max(group.sureness[tag.epc], _SURE)
        elif tag.epc[0] in UNITS and group.sureness[tag.epc] <= LIKELY:
            group.sureness[tag.epc], group.doubts[tag.epc] = _SURE, TOGETHER


def _has_clear_case(group: Group, own: Mapping[bytes, Own]) -> bool:
    return any(
        tag.epc[0] not in UNITS
        and tag.epc in own
        and own[tag.epc].belief >= _EACH
        and own[tag.epc].sense == group.sense
        for tag in group.tags
    )


def borne_out(label: Heard, tags: Sequence[Heard], own: Mapping[bytes, Own]) -> bool:
    """Whether some cases clearly crossed as a label may have, and no other label did: it is theirs, as surely
    as it moved as they did.
    """
    mine = own.get(label.epc)
    if mine is None or mine.body is None or mine.belief < SPARE:
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
    return len(cases) >= _SOME and max(labels, default=0.0) < SPARE


def doubted(belief: float, times: float = _SELDOM) -> float:
    """What is believed of what seldom is so, and no less than that it may be."""
    return max(1.0 - times * (1.0 - belief), min(belief, TOGETHER))


def leave_unsure(group: Group, own: Mapping[bytes, Own]) -> None:
    """Without a label, cases go as surely as each tells by itself: of a pallet beside the way some are
    uncovered when another goes by. Beside a sure one those that are not stay, else the surest is told; beside
    one that was read often those that were not stay.
    """
    moved = group.moved()
    if any(tag.reads >= _OFTEN for tag in moved):
        for tag in moved:
            if tag.reads < _OFTEN:
                group.sureness[tag.epc] = LIKELY
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
            group.sureness[epc], group.doubts[epc] = _SURE, min(own[epc].belief, TOGETHER)


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
    if len(moved) <= _COUPLE and group.belief < _COUPLE_SURE:
        return True
    if len(moved) < _FEW_OF * len(asked) and sum(asked) < _AGREE_MANY * len(asked):
        return True
    elsewhere = sum([ends(tag, group.sense)[1] < _ELSEWHERE for tag in moved])
    few = sum([tag.reads for tag in moved]) < _FEW
    return few or sum(asked) < _AGREE * len(asked) or 2 * elsewhere > len(moved)
