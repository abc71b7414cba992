# SPDX-License-Identifier: Apache-2.0
"""What the center is given from outside: its anchor, its clocks, where to print. It makes none itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, TextIO

from sync.entry import Clock, Place
from sync.keys import Signer


class Anchor(Protocol):
    """The last told head, the center's private key and its roll, outside the database and its backups."""

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

    def roll(self) -> Mapping[str, str] | None:
        """The roll that was kept here: each node ever let in, with the id of the entry that retired it or "".
        None when it was lost or never kept.
        """

    def keep_roll(self, roll: Mapping[str, str] | None) -> None:
        """Keep the roll; it is on the medium when this returns. None forgets it. Raises OSError when it
        cannot be done.
        """


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


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line hands in: makes an anchor in a folder, the clocks, what the anchor raises when
    it cannot be used, and where to print.
    """

    anchor: Callable[[Path], Anchor]
    clocks: Clocks
    anchor_errors: tuple[type[Exception], ...] = ()
    out: TextIO = sys.stdout
