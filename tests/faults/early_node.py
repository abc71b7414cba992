# SPDX-License-Identifier: Apache-2.0
"""A planted node, the control of the proofs here: its screen says ACCEPTED, and then the disk is asked.

`python -m tests.faults.early_node node --config FILE`; all else is the real thing.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import edge.journal
import edge.service
from edge.dock import Dock
from edge.doors import Door
from edge.writer import Writer
from zonegate.cli import main

HELD_BACK_S = 0.05
"""As long as a slow disk takes: so that a random kill falls before the commit rather than behind it."""


class ShowsEarly(Dock):
    """Does not wait for the journal."""

    def record(self, door: Door, *judged: Any) -> asyncio.Future[Any]:
        future = super().record(door, *judged)
        door.tell(door.turn)
        self.changed(door.id)
        return future


class CommitsLate(Writer):
    """A slow disk."""

    def commit(self, batch: Any) -> None:
        time.sleep(HELD_BACK_S)
        super().commit(batch)


if __name__ == "__main__":
    edge.journal.Writer = CommitsLate  # type: ignore[attr-defined]
    edge.service.Dock = ShowsEarly  # type: ignore[attr-defined]
    edge.service.MIB = 0  # type: ignore[attr-defined] # no ballast: it would save what was displayed too early
    sys.exit(main())
