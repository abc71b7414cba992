# SPDX-License-Identifier: Apache-2.0
"""A second opinion on who went, where a load was seen above a body: from all that is known of a group.

What each tag tells by itself, how it moved with the others, what else may have gone, how loud it was here and
at the neighbors, and how long the load was beside its truck: two pallets on one fork are twice as long. Two
logistic models weigh it, one for the label of a whole pallet, one for cases without a label; their weights
are the best ones on tuning seeds of the simulated yard (docs/decisions/gate.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from typing import Final, NamedTuple

from .claims import ASSETS, TWO, TWO_TURNED, UNITS, carried
from .eyes import Body
from .group import Group
from .hearing import Heard, Hearing
from .own import Own
from .weights import CASES, LABEL
from .witness import ends, sure_by

__all__ = ["CLEARLY", "Scene", "cases_told", "cases_went", "label_told", "label_went"]

CLEARLY: Final = 0.97
"""A case that tells so surely that it crossed is clear about it."""

_ABOUT: Final = 12
_SILENT_DBM: Final = -99.0
_LONG_US: Final = 12_000_000
_LONG_LOAD_US: Final = 3_000_000


class Scene(NamedTuple):
    """A group, what each of its tags tells by itself, what was heard, and the bodies that the eyes saw."""

    group: Group
    own: Mapping[bytes, Own]
    hearing: Hearing
    bodies: Sequence[Body]


def label_went(label: Heard, scene: Scene) -> float | None:
    """The probability that the label of a whole pallet went as its group did; None where no load was seen."""
    told = label_told(label, scene)
    return sure_by(LABEL, told) if told is not None else None


def cases_went(scene: Scene) -> float | None:
    """The probability that the cases of a group without a label crossed; None where no load was seen."""
    told = cases_told(scene)
    return sure_by(CASES, told) if told is not None else None


def label_told(label: Heard, scene: Scene) -> tuple[float, ...] | None:
    """What is weighed of a label, in the order of its weights; None where no load was seen with it."""
    group, own = scene.group, scene.own
    body = _body(label, scene)
    if body is None:
        return None
    mine = own[label.epc]
    others = [tag.epc for tag in group.tags if tag.epc[0] in UNITS and tag is not label]
    rival = max([own[epc].belief for epc in others if epc in own], default=0.0)
    count, asked, clear = _cases(scene)
    load_s, stood_s = _seconds(body)
    turned, ratio = float(body.first == body.last), load_s / stood_s
    second, told = float(rival > mine.belief), _odds(mine.belief)
    near = _near(label, scene)
    over = (near - scene.hearing.quietest) / 10.0
    loud = min(over, 2.0)
    first, last = ends(label, group.sense)
    known = float(label.known is not None)
    share = _thousandths(label.share)
    company = group.went.get(label.epc, 0.0)
    return (
        1.0,
        told,
        min(told, 2.0),
        float(mine.sense == group.sense),
        _odds(company),
        float(company < 0.5),
        second,
        second * (1.0 - turned) * (ratio < TWO[0]),
        second * (1.0 - turned) * (TWO[0] <= ratio < TWO[1]),
        second * turned * (ratio < TWO_TURNED),
        second * told,
        _odds(rival),
        float(rival > 0.5),
        float(rival > 0.15),
        log(1.0 + count),
        log(1.0 + clear),
        clear / max(1, asked),
        float(clear == 0 and asked > 3),
        share,
        min(share, 0.5),
        log(1.0 + label.reads),
        near / 10.0,
        over,
        loud,
        turned,
        turned * told,
        turned * loud,
        float(len(body.loads or ()) > 1),
        log(load_s),
        log(stood_s),
        (1.0 - turned) * ratio,
        turned * ratio,
        float(carried(body) != 0),
        log(1.0 + len(scene.bodies)),
        first,
        last,
        known,
        known * told,
    )


def cases_told(scene: Scene) -> tuple[float, ...] | None:
    """What is weighed of cases without a label, in the order of their weights; None where none was seen."""
    group, own = scene.group, scene.own
    told = sorted(
        [tag for tag in group.moved() if _body(tag, scene) is not None], key=lambda tag: (-tag.peak, tag.epc)
    )
    body = _body(told[0], scene) if told else None
    if body is None:
        return None
    many = len(told)
    count, asked, clear = _cases(scene)
    load_s, stood_s = _seconds(body)
    turned, ratio = float(body.first == body.last), load_s / stood_s
    said = sorted([_odds(own[tag.epc].belief) for tag in told], reverse=True)
    surest, mean = said[0], sum(said) / many
    agree, part = clear / max(1, asked), many / max(1, count)
    over = [(_near(tag, scene) - scene.hearing.quietest) / 10.0 for tag in told]
    share = sum([_thousandths(tag.share) for tag in told]) / many
    sides = [ends(tag, group.sense) for tag in told]
    labels = [own[tag.epc].belief for tag in group.tags if tag.epc[0] in UNITS and tag.epc in own]
    return (
        1.0,
        log(1.0 + many),
        log(1.0 + count),
        log(1.0 + asked),
        log(1.0 + clear),
        part,
        agree,
        surest,
        said[min(1, many - 1)],
        said[min(3, many - 1)],
        mean,
        sum([group.went.get(tag.epc, 0.0) for tag in told]) / many,
        log(1.0 + sum([tag.reads for tag in told])),
        log(1.0 + max([tag.reads for tag in told])),
        sum(over) / many,
        max(over),
        share,
        min(share, 0.5),
        sum([first for first, _ in sides]) / many,
        sum([last for _, last in sides]) / many,
        sum([tag.known is not None for tag in told]) / many,
        turned,
        float(len(body.loads or ()) > 1),
        log(load_s),
        log(stood_s),
        (1.0 - turned) * ratio,
        turned * ratio,
        float(carried(body) != 0),
        log(1.0 + len(scene.bodies)),
        max(labels, default=0.0),
        float(clear >= 3),
        float(clear >= 8),
        turned * log(1.0 + clear),
        turned * surest,
        turned * mean,
        log(1.0 + clear) * agree,
        min(surest, 5.0),
        min(mean, 3.0),
        float(many == 1),
        float(many <= 2),
        turned * (many <= 2),
        (1.0 - turned) * (0.25 < ratio < 0.33),
        turned * agree,
        turned * part,
        turned * share,
        float(body.ended_us - body.begun_us > _LONG_US),
        float(_load_us(body) > _LONG_LOAD_US),
    )


def _body(tag: Heard, scene: Scene) -> Body | None:
    """The body that went when a tag says that it crossed, where a load was seen above it."""
    mine = scene.own.get(tag.epc)
    if mine is None or mine.body is None or tag.epc[0] in ASSETS:
        return None
    body = scene.bodies[mine.body]
    return body if body.loads else None


def _cases(scene: Scene) -> tuple[int, int, int]:
    """How many cases are in a group, how many of them tell of a crossing, and how many are clear about it."""
    cases = [tag for tag in scene.group.tags if tag.epc[0] not in UNITS]
    told = [scene.own[tag.epc] for tag in cases if tag.epc in scene.own]
    clear = sum([each.belief >= CLEARLY and each.sense == scene.group.sense for each in told])
    return len(cases), len(told), clear


def _load_us(body: Body) -> int:
    return max([ended - begun for begun, ended in body.loads or ()])


def _seconds(body: Body) -> tuple[float, float]:
    """For how long the longest load was above a body, and for how long it was before the eyes."""
    return _load_us(body) / 1e6, (body.ended_us - body.begun_us) / 1e6


def _near(tag: Heard, scene: Scene) -> float:
    """How loud a tag was about the moment in which it says that it crossed, in dBm."""
    at = scene.own[tag.epc].at
    return max(
        [level for key, level in tag.cells.items() if abs((key >> 2) - at) < _ABOUT], default=_SILENT_DBM
    )


def _thousandths(share: float) -> float:
    return int(share * 1000.0) / 1000.0


def _odds(believed: float) -> float:
    certain = min(max(believed, 1e-4), 1.0 - 1e-4)
    return log(certain / (1.0 - certain))
