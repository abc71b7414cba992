# SPDX-License-Identifier: Apache-2.0
"""What keeps goods where they are, whatever their papers say: a suspended zone, and holds.

Bodies of the center's entries, and their fold, which the docks and the center share. A suspension and a hold
have an id of their own, and an end names it: so the fold is the same in whatever order they become known,
and an end never ends what another center entry put. Pure: knows no clock and no door.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

import msgspec

from customs.documents import Direction

SUSPENDED: Final = "suspended"
RESUMED: Final = "resumed"

AGENCY: Final = "agency"
QUALITY: Final = "quality"
KINDS: Final = (AGENCY, QUALITY)

HOLDS_MAX: Final = 1_000
"""Holds that stand at once: each is asked of every load at every door. More loads than that are held by their
product, lot or owner.
"""


class ZoneEvent(msgspec.Struct, frozen=True):
    """Body of `zone`: the zone is suspended, or what suspended it has ended. `event` is suspended or resumed,
    `id` names the suspension, `at` is when it began or ended. `again` when docks had been told so, and the
    center's own memory of it was lost.
    """

    event: str
    id: str
    reason: str
    by: str
    at: datetime
    again: bool = False


class HoldPut(msgspec.Struct, frozen=True):
    """Body of `hold-put`: goods may not move. `kind` is agency or quality, `agency` who holds them, as a door
    says it. Goods are meant that fit all of `owner`, `gtin`, `lot` and `load` (a load's key) that are set:
    one at least, and a lot only with its product. `at` and `again` as in `ZoneEvent`.
    """

    id: str
    kind: str
    agency: str
    reason: str
    by: str
    at: datetime
    owner: str | None = None
    gtin: str | None = None
    lot: str | None = None
    load: str | None = None
    again: bool = False


class HoldLifted(msgspec.Struct, frozen=True):
    """Body of `hold-lifted`: the hold that `id` names has ended, at `at`."""

    id: str
    by: str
    note: str
    at: datetime


_HEARD_MAX: Final = 100_000
"""Ids of which it is known who has heard: more than there ever are, unless a dock makes them up."""


class Goods(msgspec.Struct, frozen=True, gc=False):
    """Goods as a hold asks of them: `lots` are what label and papers say, none where nobody knows the lot."""

    key: str
    gtin: str | None
    owner: str | None
    lots: frozenset[str] = frozenset()


Put = ZoneEvent | HoldPut
End = ZoneEvent | HoldLifted


class Restraints(msgspec.Struct):
    """All suspensions and holds: those that stand, those that have ended, and when each ended, by id. An end
    may be known before what it ends.
    """

    suspended: dict[str, ZoneEvent] = {}
    holds: dict[str, HoldPut] = {}
    past_suspended: dict[str, ZoneEvent] = {}
    past_holds: dict[str, HoldPut] = {}
    ended: dict[str, datetime] = {}

    def take(self, body: Put | HoldLifted) -> None:
        """Take in one entry; the same one twice changes nothing."""
        if (end := _end(body)) is not None:
            self.ended.setdefault(end.id, end.at)
            if end.id in self.suspended:
                self.past_suspended[end.id] = self.suspended.pop(end.id)
            if end.id in self.holds:
                self.past_holds[end.id] = self.holds.pop(end.id)
        elif isinstance(body, HoldPut):
            (self.past_holds if body.id in self.ended else self.holds).setdefault(body.id, body)
        elif isinstance(body, ZoneEvent):
            (self.past_suspended if body.id in self.ended else self.suspended).setdefault(body.id, body)

    def knows(self, put: str) -> bool:
        """Whether a suspension or hold was ever put by this id."""
        return any(put in known for known in self._by_id())

    def tells(self, body: Put | HoldLifted) -> bool:
        """Whether this, a beginning or an end, was taken in."""
        return body.id in self.ended if _end(body) is not None else self.knows(body.id)

    @property
    def suspension(self) -> ZoneEvent | None:
        """Why the zone is suspended, the first reason of several; None while it is not."""
        return next(iter(self.suspended.values()), None)

    def on(self, goods: Goods, direction: Direction) -> HoldPut | None:
        """The hold that stands on goods which go this way, an agency's before one for quality."""
        found = [hold for hold in self.holds.values() if forbids(hold, goods, direction)]
        return min(found, key=lambda hold: hold.kind != AGENCY, default=None)

    def at(self, moment: datetime | None, goods: Goods, direction: Direction) -> Iterator[Put]:
        """What stood in the way of goods at a moment, as far as it is known by now; without a moment, what
        stands in their way now.
        """
        puts = (put for known in self._by_id() for put in known.values())
        return (put for put in puts if self._stood(put, moment, goods, direction))

    def is_empty(self) -> bool:
        """Whether nothing was ever put."""
        return not any(self._by_id())

    def _by_id(self) -> tuple[Mapping[str, Put], ...]:
        return self.suspended, self.holds, self.past_suspended, self.past_holds

    def _stood(self, put: Put, moment: datetime | None, goods: Goods, direction: Direction) -> bool:
        ended = self.ended.get(put.id)
        if ended is not None and (moment is None or moment >= ended):
            return False
        if moment is not None and moment < put.at:
            return False
        return isinstance(put, ZoneEvent) or forbids(put, goods, direction)


class Remembered:
    """What docks remember that a restored center has forgotten; see `sync.center.CenterBook`.

    What was put is put again, by the center's own entry. An end is believed of no dock: what it ended stands
    until a person says so again, and docks that had been told of the end go by that meanwhile.
    """

    def __init__(self) -> None:
        self.puts: dict[str, Put] = {}
        self.ends: dict[str, ZoneEvent | HoldLifted] = {}
        self._unproven: dict[str, Put | HoldLifted] = {}
        self.heard: dict[str, set[str]] = {}
        """By suspension and hold, the docks whose logs say that they have heard of it."""

    def hear(self, node: str, body: Put | HoldLifted) -> None:
        """A dock's log says that it was told of this."""
        if body.id in self.heard or len(self.heard) < _HEARD_MAX:
            self.heard.setdefault(body.id, set()).add(node)

    def take(self, known: Restraints, body: Put | HoldLifted, *, current: bool = False) -> None:
        """Take in what a dock was told once, unless the own log has it. What it says to be of the center's
        `current` epoch, whose every entry the own log has, is a lie, or the center was rolled back as a
        whole: it is kept until that is known.
        """
        if current:
            if not known.tells(body) and len(self._unproven) < HOLDS_MAX:
                self._unproven.setdefault(body.id, body)
            return
        end = _end(body)
        if end is not None:
            if end.id not in known.ended and len(self.ends) < HOLDS_MAX:
                self.ends.setdefault(end.id, end)
        elif not isinstance(body, HoldLifted) and not known.knows(body.id) and len(self.puts) < HOLDS_MAX:
            self.puts.setdefault(body.id, body)

    def begun(self, known: Restraints) -> None:
        """The center has begun another epoch: what docks were told in the one before may have been lost."""
        unproven, self._unproven = self._unproven, {}
        for body in unproven.values():
            self.take(known, body)

    def told(self, body: Put | HoldLifted) -> None:
        """The own log says it now."""
        if _end(body) is not None:
            self.ends.pop(body.id, None)
        else:
            self.puts.pop(body.id, None)

    def again(self) -> Iterator[tuple[str, Put]]:
        """What the own log must say again: type and body."""
        for put in list(self.puts.values()):
            kind = "zone" if isinstance(put, ZoneEvent) else "hold-put"
            yield kind, msgspec.structs.replace(put, again=True)

    def ended(self, put: Put, moment: datetime | None) -> bool:
        """Whether docks had been told by then that this had ended."""
        end = self.ends.get(put.id)
        return end is not None and (moment is None or moment >= end.at)


def forbids(hold: HoldPut, goods: Goods, direction: Direction) -> bool:
    """Whether a hold speaks of goods that go this way. One for quality keeps goods in, it keeps none out.

    Goods of a held product whose lot nobody knows are meant too: they may be of the lot.
    """
    if hold.kind == QUALITY and direction is not Direction.OUT:
        return False
    if hold.load not in (None, goods.key) or hold.owner not in (None, goods.owner):
        return False
    if hold.gtin not in (None, goods.gtin):
        return False
    return hold.lot is None or not goods.lots or hold.lot in goods.lots


def _end(body: Put | HoldLifted) -> End | None:
    """The entry if it ends something."""
    if isinstance(body, HoldLifted) or (isinstance(body, ZoneEvent) and body.event == RESUMED):
        return body
    return None
