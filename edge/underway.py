# SPDX-License-Identifier: Apache-2.0
"""Passages that nothing judged: what is left of them, as the passages that they may have been. Pure.

A gate's open passages live in memory. What is kept of them in the journal until they are judged comes back
at the next start after a crash, and a load that was in the door then is asked for. Also kept here: which
truck stood open at a door when a passage began, which may be told of much later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from edge.passage import Passage, PassageKind, TagCourse
from edge.store import UnderwayRow

CHANGES_MAX: Final = 64
"""Changes of a door's truck that are remembered: hours, and a passage is over in minutes."""

NAMED_MAX: Final = 10
"""Loads that an alarm names; the rest is a number, and each has a Hold of its own."""


class Trucks:
    """Which truck was open at each door, by the monotonic clock in microseconds."""

    def __init__(self) -> None:
        self._changes: dict[str, deque[tuple[int, str | None]]] = {}

    def changed(self, door: str, at_us: int, before: str | None) -> None:
        """The truck at a door is another from now on; `before` is the one that it was."""
        self._changes.setdefault(door, deque(maxlen=CHANGES_MAX)).append((at_us, before))

    def at(self, door: str, at_us: int, now: str | None) -> str | None:
        """The truck that was open at a moment; `now` is the one that is."""
        return next((before for when, before in self._changes.get(door, ()) if when > at_us), now)


def cut_off(rows: Sequence[UnderwayRow], us: Callable[[datetime], int]) -> list[Passage]:
    """The passages that another run of the program left under way, in the order in which they began; `us`
    puts a time of day on the monotonic clock.
    """
    opened: dict[str, UnderwayRow] = {}
    tags: dict[str, dict[bytes, int | None]] = {}
    for row in rows:
        opened.setdefault(row.passage, row)
        sighted = tags.setdefault(row.passage, {})
        if row.epc:
            sighted[row.epc] = row.pc
    why = "The dock was restarted meanwhile."
    return [
        unseen(name, row.door, PassageKind.INTERRUPTED, tags[name], why, us(datetime.fromisoformat(row.at)))
        for name, row in opened.items()
    ]


def unseen(
    name: str, door: str, kind: PassageKind, tags: Mapping[bytes, int | None], why: str, at_us: int
) -> Passage:
    """A passage that nobody saw to its end: `tags` (with their protocol control words) moved, one way or
    the other.
    """
    courses = tuple(TagCourse(epc, pc, True, None, 0, 0, 0, at_us, at_us, 0) for epc, pc in tags.items())
    return Passage(name, door, kind, at_us, at_us, None, 0, (), courses, eyes=False, why=why)


def named(codes: Sequence[str]) -> str:
    """Loads for a sentence, by what is told of each."""
    if not codes:
        return "what went through"
    more = f" and {len(codes) - NAMED_MAX} more" if len(codes) > NAMED_MAX else ""
    return ", ".join(codes[:NAMED_MAX]) + more
