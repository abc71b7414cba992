# SPDX-License-Identifier: Apache-2.0
"""Photo eyes: what one says now, and what their order says of a crossing.

An eye can hang or chatter. It is then left out of account, and the tags alone decide, until it has behaved
again for a while.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from drivers.read import InputChange
from edge.passage import Eye

__all__ = ["EyeState"]

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
