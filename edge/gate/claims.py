# SPDX-License-Identifier: Apache-2.0
"""Which crossings a tag may have made: by its own course, and by what went before the eyes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from gs1.epc import headers

from .eyes import Body, Sight
from .hearing import Heard, Hearing
from .way import Way

__all__ = [
    "ASSETS",
    "PERSON_US",
    "TWO",
    "TWO_TURNED",
    "UNITS",
    "Claim",
    "both_ways",
    "came_back",
    "carried",
    "claims_of",
    "loudest",
    "one_long",
]

PERSON_US: Final = 600_000
"""A truck at 4 m/s is before an eye for longer; a person at a walk is not."""

ASSETS: Final = frozenset(headers("grai", "giai"))
"""EPC headers of pallets, crates and trucks: never goods."""
UNITS: Final = frozenset(headers("sscc"))
"""EPC headers of labels of whole pallets: each is a load by itself."""

_MAYBE: Final = 0.2
"""A course that shows a crossing with less shows none."""
_UNSEEN: Final = 0.99
"""A course as clear as this shows a crossing though the eyes saw none: they may be ill."""
_LABEL_UNSEEN: Final = 0.8
"""The same, for the label of a whole pallet."""
_HERE: Final = 0.8
"""Unless a neighbor's door heard a good part of it: it may have gone through there."""
_PERHAPS: Final = 0.05
"""Beside a body, a tag of a case is asked from here on: there are too many to ask each of them."""
_BESIDE: Final = 25
"""A tag is heard within so many moments of its body, or did not go with it."""
_PASSES_US: Final = 1_500_000
"""A thing is in the middle of the door so long after it came to the eyes, or before it left them."""
_STANDS_US: Final = 8_000_000
"""What is before the eyes for longer stood there, and crossed when it came or when it went."""
_SAME: Final = 0.8
"""A load is seen about as long the second time: in so much of the longer time, or more."""
_WAITS_US: Final = 2_500_000
"""What comes before the eyes longer before its load does, or stays longer after it, waited there."""
_ALL_ALONG_US: Final = 3_000_000
"""A load that is above a body for longer than this, from first to last, came with it and went with it."""
_THROUGH_US: Final = 700_000
"""A load that does not stop is through after twice that, but for a slow one."""
TWO: Final = 0.36, 0.6
"""A load that is above a truck which goes straight for such a part of the truck's time is two pallets, one
behind the other: one takes 0.29 of it, and one on a pallet jack 0.8."""
TWO_TURNED: Final = 0.16
"""The same of a truck that turned beyond the door, from here on: one pallet takes 0.12 of its time."""
_EDGE: Final = 4
"""A crossing may be so many moments outside of its body's time."""


class Claim(NamedTuple):
    """A crossing that may have been: 1 out or -1 in, in which moment, how likely by the tag's own course, and
    the body that went then, by its number. `load_us`: for how long the height eye saw a load then, 0 for not
    at all; None where nothing looks at the height. `stood_us`: so long before and after that moment it stood
    in the doorway.
    """

    sense: int
    at: float
    likely: float
    body: int | None = None
    load_us: int | None = None
    stood_us: int = 0


def claims_of(tag: Heard, way: Way, hearing: Hearing, sight: Sight) -> list[Claim]:
    """The crossings that a tag may have made. Where a pair of eyes can be believed, each went with a body,
    unless the tag's course leaves no doubt.
    """
    likely = max(way.out, way.back_in)
    sense = 1 if way.out > way.back_in else -1
    at = way.crossed_at() if likely > _MAYBE else None
    if not sight.pair:
        if likely <= _MAYBE:
            return []
        return [Claim(sense, at if at is not None else loudest([tag]), likely)]
    found = []
    for number, body in enumerate(sight.bodies):
        if not body.both or body.ended_us - body.begun_us < PERSON_US:
            continue
        truck = tag.epc[0] in ASSETS
        for way_of, middle, load_us in _ways(body, None if truck else body.loads, hearing):
            share = way.out if way_of > 0 else way.back_in
            if not _heard_beside(tag, middle, share):
                continue
            begun, ended = hearing.moment(body.begun_us), hearing.moment(body.ended_us)
            own = at is not None and sense == way_of and begun - _EDGE <= at <= ended + _EDGE
            when = at if own and at is not None and not load_us else middle
            stood_us = max(0, (load_us or 0) // 2 - _THROUGH_US)
            found.append(Claim(way_of, when, share, number, load_us, stood_us))
    least = _LABEL_UNSEEN if tag.epc[0] in UNITS else _UNSEEN
    if not found and likely > least and tag.share >= _HERE:
        found.append(Claim(sense, at if at is not None else loudest([tag]), likely))
    return found


def loudest(tags: Sequence[Heard]) -> float:
    """The moment in which the loudest of some tags was loudest."""
    tag = max(tags, key=lambda tag: (tag.peak, tag.epc))
    return float(max(tag.cells, key=lambda key: (tag.cells[key], -key)) >> 2)


def _ways(
    body: Body, loads: Sequence[tuple[int, int]] | None, hearing: Hearing
) -> list[tuple[int, float, int | None]]:
    """The crossings that a body may have been: which way, about which moment, and for how long a load was
    seen above. What leaves by the side from which it came may have taken something with it on its way out,
    or fetched something on its way in.
    """
    came, went = _sides(body)
    if loads:
        return [
            (sense, float(hearing.moment((begun + ended) // 2)), ended - begun)
            for begun, ended in loads
            for sense in _carried(body, begun, ended, came, went)
        ]
    seen = None if loads is None else 0
    long_us = body.ended_us - body.begun_us
    if came == went and long_us < _STANDS_US:
        return [(came, float(hearing.moment((body.begun_us + body.ended_us) // 2)), seen)]
    half_us = min(_PASSES_US, long_us // 2)
    return [
        (came, float(hearing.moment(body.begun_us + half_us)), seen),
        (went, float(hearing.moment(body.ended_us - half_us)), seen),
    ]


def _carried(body: Body, begun_us: int, ended_us: int, came: int, went: int) -> tuple[int, ...]:
    """Which ways a load may have gone that was seen above: a body that turned carries it out on its way out,
    or home on its way home. One that was there all the time may have done either, and so may one between two
    others, or in the midst of a long time.
    """
    if body.loads and body.loads[0][0] < begun_us and ended_us < body.loads[-1][1]:
        return (came, -came)
    if came == went:
        return (came,)
    early_us, late_us = begun_us - body.begun_us, body.ended_us - ended_us
    if max(early_us, late_us) < _PASSES_US or min(early_us, late_us) > _WAITS_US:
        return (came, went)
    return (came,) if early_us < late_us else (went,)


def carried(body: Body) -> int:
    """Which way the loads went that the height eye saw with a body, 1 out and -1 in; 0 when it saw none, or
    some each way, or nobody knows.
    """
    if not body.loads or not body.both:
        return 0
    senses = {sense for begun, ended in body.loads for sense in _carried(body, begun, ended, *_sides(body))}
    return senses.pop() if len(senses) == 1 else 0


def both_ways(body: Body) -> bool:
    """Whether the height eye saw what may be one load go through with a body, and come back with it: twice
    for as long, or all the time.
    """
    if not body.loads or not body.both or body.first != body.last:
        return False
    came, went = _sides(body)
    there, back = (
        [ended - begun for begun, ended in body.loads if _carried(body, begun, ended, came, went) == (sense,)]
        for sense in (came, went)
    )
    stayed = any(
        max(begun - body.begun_us, body.ended_us - ended) < _PASSES_US
        for begun, ended in body.loads
        if ended - begun >= _ALL_ALONG_US
    )
    return stayed or _alike(there, back)


def came_back(body: Body, later: Body) -> bool:
    """Whether the height eye may have seen one load go with a body, and come back with a later one."""
    way = carried(body)
    if not way or carried(later) != -way:
        return False
    return _alike(*([ended - begun for begun, ended in each.loads or ()] for each in (body, later)))


def one_long(body: Body) -> bool:
    """Whether a load was seen above a body, and only one, no longer than one pallet is."""
    if not body.loads or len(body.loads) > 1:
        return False
    part = (body.loads[0][1] - body.loads[0][0]) / (body.ended_us - body.begun_us)
    return part < TWO_TURNED if body.first == body.last else not TWO[0] <= part < TWO[1]


def _alike(some_us: Sequence[int], others_us: Sequence[int]) -> bool:
    return any(min(one, other) >= _SAME * max(one, other) for one in some_us for other in others_us)


def _sides(body: Body) -> tuple[int, int]:
    """Which way it went that came as a body did, and that left as it did."""
    return 1 if body.first == "inner" else -1, -1 if body.last == "inner" else 1


def _heard_beside(tag: Heard, middle: float, share: float) -> bool:
    if share >= _PERHAPS:
        return True
    if tag.epc[0] not in UNITS:
        return False
    return any(abs((key >> 2) - middle) <= _BESIDE for key in tag.cells)
