# SPDX-License-Identifier: Apache-2.0
"""A process that appends to a journal and prints each entry's id the moment it is told.

Started as ``python -m tests.faults.appender STORE ANCHOR KIND`` and killed from outside at any time.
KIND ``honest`` is the real journal, ``early`` a planted one that tells before it commits.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from edge.anchor import Anchor
from edge.clock import system_clocks
from edge.journal import Identity, Journal, Placed
from sync.bodies import DeviceAlarm, body_bytes, schema_of
from sync.entry import Draft
from tests.edge.journals import TellsBeforeCommit

QUEUED = 40
"""Entries that are kept in flight, so that most kills hit some."""


async def append_for_ever(store: Path, anchor: Path, kind: type[Journal]) -> None:
    clocks = system_clocks()
    journal = kind.open(store, Anchor(anchor), clocks=clocks, identity=Identity("acme", "ftz-1", "dock-a"))
    _say(f"open {'go-on' if journal.begun is None else 'begin'}")
    body = body_bytes(DeviceAlarm("scanner-1", "flood", "x" * 300, 1))
    in_flight = asyncio.Semaphore(QUEUED)

    def told(future: asyncio.Future[Placed]) -> None:
        _say(f"told {future.result().entry_id}")
        in_flight.release()

    while True:
        await in_flight.acquire()
        draft = Draft(clocks.entry_id(), "alarm", schema_of("alarm"), clocks.utc(), clocks.stamp(), body)
        _say(f"asked {draft.entry_id}")
        journal.append(draft).add_done_callback(told)


def _say(line: str) -> None:
    # One write, straight to the pipe: what was said before the kill is in the parent's hands.
    os.write(1, line.encode() + b"\n")


if __name__ == "__main__":
    _store, _anchor, _kind = sys.argv[1:]
    asyncio.run(
        append_for_ever(Path(_store), Path(_anchor), {"honest": Journal, "early": TellsBeforeCommit}[_kind])
    )
