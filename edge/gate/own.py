# SPDX-License-Identifier: Apache-2.0
"""What each tag tells by itself: which crossing it made last, and how far that is believed."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from math import log
from typing import Final, NamedTuple

from .claims import Claim, claims_of
from .eyes import Sight
from .hearing import Heard, Hearing
from .phases import looks
from .way import Way
from .witness import belief

__all__ = ["CROSSED", "Own", "own_of"]

CROSSED: Final = 0.5
"""What is believed less did not cross, by what a tag tells alone."""
_ALIKE: Final = 8.0
"""Tags that say that they crossed the same way within so many moments bear each other out."""


class Own(NamedTuple):
    """What a tag's own course says: the sense and the moment of its last crossing, how sure that is, the body
    that went then, and all the crossings that are believed, with their bodies, in time's order.
    """

    sense: int
    at: float
    belief: float
    body: int | None = None
    crossings: tuple[int, ...] = ()
    bodies: tuple[int, ...] = ()


def own_of(tags: Sequence[Heard], ways: Sequence[Way], hearing: Hearing, sight: Sight) -> dict[bytes, Own]:
    """What each tag's own course says, for those that may have crossed."""
    claims = [claims_of(tag, way, hearing, sight) for tag, way in zip(tags, ways, strict=True)]
    times: dict[int, list[float]] = {1: [], -1: []}
    for each in claims:
        for claim in each:
            if claim.likely > CROSSED:
                times[claim.sense].append(claim.at)
    for moments in times.values():
        moments.sort()
    own: dict[bytes, Own] = {}
    for tag, each in zip(tags, claims, strict=True):
        if not each:
            continue
        seen = looks(tag.raw)
        told = []
        for claim in each:
            like = _about(times[claim.sense], claim.at)
            alone = log((1.0 + len(tags)) / (1.0 + like))
            told.append((claim, belief(tag, claim, alone, seen, hearing, sight)))
        own[tag.epc] = _last(told)
    return own


def _last(told: Sequence[tuple[Claim, float]]) -> Own:
    """Of several crossings that may have been the last that is believed, and all before it."""
    by_body: dict[tuple[int | None, float], tuple[Claim, float]] = {}
    for claim, believed in sorted(told, key=lambda each: each[1]):
        # What went out and came in while the eyes were never free went one way, or back: but for loads that
        # were seen above, each time by itself.
        key = claim.body, claim.at if claim.load_us else 0.0
        other = by_body.get(key)
        against = other[1] if other is not None and other[0].sense != claim.sense else 0.0
        by_body[key] = claim, believed * (1.0 - against)
    crossed: list[tuple[Claim, float]] = []
    for claim, believed in sorted(by_body.values(), key=lambda each: each[0].at):
        if believed > CROSSED:
            if crossed and crossed[-1][0].sense == claim.sense:
                # It went that way once: by the surer of the two.
                if believed > crossed[-1][1]:
                    crossed[-1] = claim, believed
            else:
                crossed.append((claim, believed))
    claim, believed = max(by_body.values(), key=lambda each: each[1])
    if not crossed:
        return Own(claim.sense, claim.at, believed, claim.body, (claim.sense,))
    claim, _ = crossed[-1]
    believed = min(each for _, each in crossed)
    senses = tuple(each.sense for each, _ in crossed)
    bodies = tuple(each.body for each, _ in crossed if each.body is not None)
    return Own(claim.sense, claim.at, believed, claim.body, senses, bodies)


def _about(times: Sequence[float], at: float) -> int:
    """How many of some times, in order, are of about that moment."""
    return bisect_right(times, at + _ALIKE) - bisect_left(times, at - _ALIKE)
