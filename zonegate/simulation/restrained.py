# SPDX-License-Identifier: Apache-2.0
"""R: what a person suspended or held stays so until a person ends it, whatever is restored meanwhile.

Nothing ends it but a person's word: no older center, no lost disk. Excused is what no log in the world tells
of any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sync.bodies import Adopt, Movement, Saw, read_body
from sync.chain import Stored
from sync.entry import read_record
from sync.errors import EntryError
from sync.restraints import Restraints
from zonegate.simulation.finding import Finding
from zonegate.simulation.floor import fact_of
from zonegate.simulation.world import World


def restrained(world: World) -> Iterator[Finding]:
    """What must hold once all have reported."""
    heard: set[str] = set()
    for log in world.office.database.copies.logs.values():
        yield from _log(log, heard)
    known = {"the center": world.office.book.restraints}
    known |= {machine.name: machine.books.state.restraints for machine in world.live()}
    for restraints in known.values():
        heard |= _standing(restraints)
    for name, restraints in known.items():
        for put in sorted((heard & world.floor.put) - world.floor.ended - _standing(restraints)):
            yield Finding("R", "unrestrained", f"{name} forgot {put[:6]}, which nobody has ended")
        for put in sorted(_standing(restraints) & known["the center"].ended.keys()):
            yield Finding("R", "stuck", f"{name} was not told that {put[:6]} has ended")


def _standing(restraints: Restraints) -> set[str]:
    return {*restraints.suspended, *restraints.holds}


def _log(log: list[Stored], heard: set[str]) -> Iterator[Finding]:
    """No door lets goods pass that its own log forbids; adds to `heard` what it was told."""
    put: set[str] = set()
    ended: set[str] = set()
    for stored in log:
        body = _body(stored)
        if isinstance(body, Adopt):
            told = read_record(bytes(body.record))
            if told.type == "saw":
                heard |= _told(read_body(told))[0]
        elif isinstance(body, Saw):
            begun, over = _told(body)
            put |= begun
            ended |= over
        elif isinstance(body, Movement) and put - ended:
            sentence = f"entry {stored.entry.seq} of {stored.entry.epoch[:6]} let pass what its log forbade"
            yield Finding("R", "unrestrained", sentence)
    heard |= put


def _body(stored: Stored) -> Any:
    try:
        return fact_of(stored).body
    except EntryError:
        return None  # of a newer version


def _told(saw: Saw) -> tuple[set[str], set[str]]:
    """What a Saw tells of suspensions and holds: those put and those ended, by id."""
    put: set[str] = set()
    ended: set[str] = set()
    for raw in saw.entries:
        entry = read_record(bytes(raw))
        if entry.type in ("zone", "hold-put", "hold-lifted"):
            body = read_body(entry)
            is_end = entry.type == "hold-lifted" or getattr(body, "event", "") == "resumed"
            (ended if is_end else put).add(body.id)
    return put, ended
