# SPDX-License-Identifier: Apache-2.0
"""Photo eyes: what one says now, and what their order says of a crossing.

An eye can hang, chatter or be blind. It is then left out of account, and the tags alone decide, until it has
behaved again for a while.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from drivers.read import InputChange
from edge.evidence import Evidence
from edge.passage import Eye

__all__ = ["BLIND_AFTER", "Body", "EyeState", "Sight", "see"]

_LOADS_MAX: Final = 8
"""What sees more loads above one body is ill."""
CHATTER_CHANGES: Final = 40
"""So many changes within `CHATTER_US` are no truck's: an eye that is loose, wet or in the sun."""
CHATTER_US: Final = 5_000_000
BLIND_AFTER: Final = 2
"""An eye that saw nothing of so many loads in a row is blind, until it sees something."""
_HEAD_US: Final = 300_000
"""A person's head is above for less; a pallet's length is not, at 4 m/s."""
_LOAD_GAP_US: Final = 150_000
"""What is free above for longer lies between two loads; a height eye flickers for less."""


class EyeState:
    """One eye: whether something is before it, since when, and whether it can be believed; when something
    was before it last, and how many loads went by since of which it saw nothing.
    """

    __slots__ = ("_changes", "blocked", "broken", "eye", "known", "missed", "seen_us", "since_us")

    def __init__(self, eye: Eye) -> None:
        self.eye = eye
        self.blocked = False
        self.known = False
        self.broken = False
        self.since_us = -1
        self.seen_us = -1
        self.missed = 0
        self._changes: deque[int] = deque(maxlen=CHATTER_CHANGES)

    def take(self, change: InputChange) -> bool:
        """A change of the input. Whether it opens a passage: it became blocked, and can be believed."""
        blocked = change.high == self.eye.blocked_when
        if self.known and blocked == self.blocked:
            return False
        self._changes.append(change.at_us)
        self.broken = self._chatters()
        if blocked or self.blocked:
            self.seen_us, self.missed = change.at_us, 0
        self.known, self.blocked, self.since_us = True, blocked, change.at_us
        return blocked and not self.broken

    def _chatters(self) -> bool:
        changes = self._changes
        return len(changes) == CHATTER_CHANGES and changes[-1] - changes[0] < CHATTER_US

    @property
    def ill(self) -> str:
        """Why it is left out of account, for a supervisor; empty while it is not."""
        if self.broken:
            return "chatters" if self._chatters() else "hangs"
        return f"saw nothing of the last {self.missed} loads" if self.missed >= BLIND_AFTER else ""

    def lose(self) -> None:
        """Its reader is gone: nothing is known of it."""
        self.known = self.blocked = False

    def passed(self, since_us: int) -> None:
        """A load went by that came at `since_us`."""
        if not self.blocked and self.seen_us < since_us:
            self.missed += 1

    def standing(self) -> InputChange | None:
        """Its state as the change that led to it; None when nothing was heard of it or it is broken."""
        if not self.known or self.broken:
            return None
        return InputChange(
            self.eye.device, self.eye.port, self.blocked == self.eye.blocked_when, self.since_us
        )


class Body(NamedTuple):
    """Something stood in the door: from when to when; the place of the eye it came to first and of the one it
    left last ("inner", "outer"), None where only one eye can be believed; when the height eye saw something
    as high as a load, None where none can be believed.
    """

    begun_us: int
    ended_us: int
    first: str | None
    last: str | None
    both: bool
    loads: tuple[tuple[int, int], ...] | None

    @property
    def load(self) -> bool | None:
        """Whether the height eye saw a load; None where none can be believed."""
        return None if self.loads is None else bool(self.loads)

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
            spans = _spans(eye, evidence)
            if spans is not None:
                gap = _LOAD_GAP_US if eye.place == "height" else gap_us
                blocked[eye.place] = _merged([*blocked.get(eye.place, []), *spans], gap)
    height = blocked.pop("height", None)
    spans = _merged([span for each in blocked.values() for span in each], gap_us)
    bodies = tuple(_body(span, blocked, height) for span in spans)
    return Sight(bool(blocked), "inner" in blocked and "outer" in blocked, height is not None, bodies)


def _spans(eye: Eye, evidence: Evidence) -> list[tuple[int, int]] | None:
    """When an eye was blocked; None when it cannot be believed."""
    if any(device == eye.device for device, _ in evidence.lost) or (eye.device, eye.port) in evidence.blind:
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
    return spans


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
    loads = None
    if height is not None:
        above = [s for s in height if s[0] <= span[1] and s[1] >= span[0]]
        if len(above) <= _LOADS_MAX:
            loads = tuple(s for s in above if s[1] - s[0] >= _HEAD_US)
    if not taken:
        return Body(*span, None, None, False, loads)
    first = min(taken, key=lambda place: taken[place][0][0])
    last = max(taken, key=lambda place: taken[place][-1][1])
    return Body(*span, first, last, len(taken) == 2, loads)
