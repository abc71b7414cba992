# SPDX-License-Identifier: Apache-2.0
"""What the center is given when it is opened: its anchor and its clocks. It makes neither itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from sync.entry import Clock, Place
from sync.keys import Signer


class Anchor(Protocol):
    """The last told head and the center's private key, outside the database and its backups."""

    def hold(self) -> None:
        """Take it for this process alone; raises when another has it."""

    def release(self) -> None:
        """Let others have it."""

    def read(self) -> Place | None:
        """The last place written, or None."""

    def write(self, place: Place) -> None:
        """Keep `place`; it is on the medium when this returns. Raises OSError when it cannot be."""

    def signer(self) -> Signer:
        """The center's key, made once."""


class Clocks(Protocol):
    """Where time and chance come from."""

    @property
    def utc(self) -> Callable[[], datetime]:
        """Gives an aware time in UTC."""

    @property
    def random(self) -> Callable[[int], bytes]:
        """Gives so many random bytes."""

    def stamp(self) -> Clock:
        """What an entry that happens now says of its clock."""

    def entry_id(self) -> str:
        """A new UUIDv7."""

    def epoch(self) -> str:
        """A new epoch's name."""
