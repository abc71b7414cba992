# SPDX-License-Identifier: Apache-2.0
"""Photo eyes: what one says now, and what their order says of a crossing.

An eye can hang or chatter. It is then left out of account, and the tags alone decide, until it has behaved
again for a while.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from drivers.read import InputChange
from edge.evidence import Evidence
from edge.passage import Eye

__all__ = ["Body", "EyeState", "Sight", "see"]

CHATTER_CHANGES: Final = 40
"""So many changes within `CHATTER_US` are no truck's: an eye that is loose, wet or in the sun."""
CHATTER_US: Final = 5_000_000


class EyeState:
    """One eye: whether something is before it, since when, and whether it can be believed."""

    __slots__ = ("_changes", "blocked", "broken", "eye", "known", "since_us")

    def __init__(self, eye: Eye) -> None:
        self.eye = eye
        self.blocked = False
        self.known = False
        self.broken = False
        self.since_us = -1
        self._changes: deque[int] = deque(maxlen=CHATTER_CHANGES)

    def take(self, change: InputChange) -> bool:
        """A change of the input. Whether it opens a passage: it became blocked, and can be believed."""
        blocked = change.high == self.eye.blocked_when
        if self.known and blocked == self.blocked:
            return False
        self._changes.append(change.at_us)
        full = len(self._changes) == CHATTER_CHANGES
        self.broken = full and change.at_us - self._changes[0] < CHATTER_US
        self.known, self.blocked, self.since_us = True, blocked, change.at_us
        return blocked and not self.broken

    def lose(self) -> None:
        """Its reader is gone: nothing is known of it."""
        self.known = self.blocked = False

    def standing(self) -> InputChange | None:
        """Its state as the change that led to it; None when nothing was heard of it or it is broken."""
        if not self.known or self.broken:
            return None
        return InputChange(
            self.eye.device, self.eye.port, self.blocked == self.eye.blocked_when, self.since_us
        )


class Body(NamedTuple):
    """Something stood in the door: from when to when; the place of the eye it came to first and of the one it
    left last ("inner", "outer"), None where only one eye can be believed; whether the height eye saw a load.
    """

    begun_us: int
    ended_us: int
    first: str | None
    last: str | None
    both: bool
    load: bool | None

    @property
    def sense(self) -> int:
        """1 when it went out, -1 when it went in, by the eyes' order; 0 when they do not say so."""
        if not self.both or self.first == self.last:
            return 0
        return 1 if self.first == "inner" else -1


class Sight(NamedTuple):
    """What all eyes of a door say: whether any can be believed, whether both places have one, the bodies."""

    any: bool
    pair: bool
    height: bool
    bodies: tuple[Body, ...]


def see(evidence: Evidence) -> Sight:
    """What the eyes of the evidence's door saw."""
    gap_us = evidence.settings.eye_gap_ms * 1000
    blocked: dict[str, list[tuple[int, int]]] = {}
    for eye in evidence.layout.eyes:
        if eye.door == evidence.door:
            spans = _spans(eye, evidence, gap_us)
            if spans is not None:
                blocked[eye.place] = _merged([*blocked.get(eye.place, []), *spans], gap_us)
    height = blocked.pop("height", None)
    spans = _merged([span for each in blocked.values() for span in each], gap_us)
    bodies = tuple(_body(span, blocked, height) for span in spans)
    return Sight(bool(blocked), "inner" in blocked and "outer" in blocked, height is not None, bodies)


def _spans(eye: Eye, evidence: Evidence, gap_us: int) -> list[tuple[int, int]] | None:
    """When an eye was blocked; None when it cannot be believed or nothing was ever heard of it."""
    if any(device == eye.device for device, _ in evidence.lost):
        return None
    changes = [c for c in evidence.inputs if (c.device, c.port) == (eye.device, eye.port)]
    for early, late in zip(changes, changes[CHATTER_CHANGES - 1 :], strict=False):
        if late.at_us - early.at_us < CHATTER_US:
            return None
    spans: list[tuple[int, int]] = []
    since: int | None = None
    for change in changes:
        if change.high == eye.blocked_when:
            since = change.at_us if since is None else since
        elif since is not None:
            spans.append((since, change.at_us))
            since = None
    if since is not None:
        if evidence.closed_us - since >= evidence.settings.eye_stuck_s * 1_000_000:
            return None
        spans.append((since, evidence.closed_us))
    return _merged(spans, gap_us)


def _merged(spans: list[tuple[int, int]], gap_us: int) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for begun, ended in sorted(spans):
        if merged and begun - merged[-1][1] <= gap_us:
            merged[-1] = (merged[-1][0], max(merged[-1][1], ended))
        else:
            merged.append((begun, ended))
    return merged


def _body(
    span: tuple[int, int], blocked: dict[str, list[tuple[int, int]]], height: list[tuple[int, int]] | None
) -> Body:
    inside = {
        place: [s for s in spans if s[0] <= span[1] and s[1] >= span[0]]
        for place, spans in blocked.items()
        if place in ("inner", "outer")
    }
    taken = {place: spans for place, spans in inside.items() if spans}
    load = None
    if height is not None:
        load = any(s[0] <= span[1] and s[1] >= span[0] for s in height)
    if not taken:
        return Body(*span, None, None, False, load)
    first = min(taken, key=lambda place: taken[place][0][0])
    last = max(taken, key=lambda place: taken[place][-1][1])
    return Body(*span, first, last, len(taken) == 2, load)
