# SPDX-License-Identifier: Apache-2.0
"""What a center forgets each time that it is rolled back as a whole, and what is lost of it then.

The truth, for the invariants: no class of the record sees this.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from sync.bodies import Saw
from sync.chain import Stored
from sync.entry import Place
from zonegate.simulation.floor import fact_of
from zonegate.simulation.office import Office
from zonegate.simulation.stores import Database, Logs


@dataclass(slots=True)
class PutBack:
    """Once: what is left of the own log in its order, the `tail` that is forgotten, and `logs` of nodes that
    are; `lost` are told entries of machines with such a log that no disk has any more.
    """

    left: tuple[Place, ...]
    tail: set[Place]
    logs: set[str]
    lost: set[str] = field(default_factory=set)


class CenterMemory:
    """Each time that the center was rolled back as a whole, in order."""

    def __init__(self) -> None:
        self._times: list[PutBack] = []
        self._met: set[str] = set()

    def restored(self, before: Database) -> None:
        """An older database is put back, and the center knows it."""
        self._met.update(before.copies.logs)

    def put_back(self, before: Database, after: Database) -> None:
        """It happens: another database lies there. Also that it was restored may be forgotten by it."""
        self._met.update(before.copies.logs)
        left = tuple(stored.place for stored in after.own)
        tail = {stored.place for stored in before.own} - set(left)
        self._times.append(PutBack(left, tail, self._met - set(after.copies.logs)))

    def lost(self, disk: Logs, elsewhere: Iterable[Logs], office: Office, told: AbstractSet[str]) -> None:
        """A machine is lost with its logs. Of what it has told nobody misses what the center has forgotten
        as a whole, and no other disk has, unless a witness tells the center when it was rolled back.
        """
        once = next((one for one in reversed(self._times) if not one.logs.isdisjoint(disk.epochs())), None)
        if once is not None:
            met = office.database.copies.logs
            gone = {stored.entry.entry_id for stored in disk.all() if stored.entry.epoch not in met}
            once.lost |= (gone & told) - {
                stored.entry.entry_id for logs in elsewhere for stored in logs.all()
            }

    def unknown(self, office: Office) -> set[str]:
        """What was lost so of which no log that the center has can tell. That it must notice at all that it
        was rolled back in an epoch is checked apart.
        """
        saws = [saw for stored in office.database.copies.all() if (saw := _saw(stored)) is not None]
        heard = {saw.upto for saw in saws} | {saw.head.place for saw in saws if saw.head is not None}
        own = {stored.place for stored in office.database.own}
        found = set()
        for once in self._times:
            common = next(place for place in reversed(once.left) if place in own)
            if common.epoch not in office.book.testimony.told or heard.isdisjoint(once.tail):
                found |= once.lost
        return found


def _saw(stored: Stored) -> Saw | None:
    body = fact_of(stored).body if stored.entry.type == "saw" else None
    return body if isinstance(body, Saw) else None
