# SPDX-License-Identifier: Apache-2.0
"""Where in the zone goods stand, in double entry: a fact about a load moves its goods from place to place.

The inventory records specify the location of merchandise by zone lot number or unique identifier (19 CFR
146.23(b)(1)). A location is of the unique identifier, the load's own label, and of the lot that was
physically picked; which lot goods are attributed to when they leave is another matter (`attribution`).

One load at a time. What is posted depends on the facts in the order in which they happened, never on when
they became known: a fact that comes late is put where it belongs, what happened after it is posted anew, and
the difference is a contra posting. Over all places goods sum to what is on the floor. Pure.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from customs.documents import Status
from customs.known import Known
from customs.ledger.facts import NO_LOT, Key, Ref
from customs.ledger.quantities import EXACT

NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,39}\Z"
"""A declared location's name: as much as the label of a shelf carries."""

PLACE_MAX: Final = 81
"""Characters of any place: a door's is its node's name and its own, 40 each at most."""

OUTSIDE: Final = "~outside"
"""Not in the zone: where goods come from and where they go."""

UNPLACED: Final = "~unplaced"
"""In the zone, and nobody has said where."""

MISSING: Final = "~missing"
"""Where goods leave from that their load did not have: below zero, and a case."""

CAME: Final = 0
PUT: Final = 1
LEFT: Final = 2
"""Turns of a `Key`: at one instant goods come before they are put away, and leave last."""

_ZERO: Final = Decimal(0)


def door_place(node: str, door: str | None) -> str:
    """Where a load stands that came through a door, until it is put away."""
    return f"{node}/{door}" if door else node


class Goods(msgspec.Struct, frozen=True, order=True, gc=False):
    """What stands somewhere: one owner's product in one status, of the lot that it was brought in as."""

    owner: str
    product: str
    status: Status
    lot: str


class Came(msgspec.Struct, frozen=True, gc=False):
    """Goods came on a load. Without a `place` they are where the rest of the load stands, if that is one
    place, else unplaced.
    """

    key: Key
    load: str
    goods: Goods
    quantity: Decimal
    place: str | None = None


class Left(msgspec.Struct, frozen=True, gc=False):
    """Goods of a load left the zone, or became others. Of a load that stands at several places those `near`
    go first, then those of the place that is first by name.
    """

    key: Key
    load: str
    owner: str
    product: str
    status: Status
    quantity: Decimal
    near: str | None = None


class Put(msgspec.Struct, frozen=True, gc=False):
    """A load was put away: all of it, or `quantity`; from wherever it stood, or from `source` alone."""

    key: Key
    load: str
    to: str
    quantity: Decimal | None = None
    source: str | None = None


class Unstood(msgspec.Struct, frozen=True, gc=False):
    """A fact of a load that never was, by its name and its instant."""

    load: str
    ref: Ref
    happened: datetime


Fact = Came | Left | Put
Stands = dict[tuple[Goods, str], Decimal]
"""What of a load stands where; never zero, and below it at MISSING alone."""


class Shift(NamedTuple):
    """Goods of a load that moved from one place to another."""

    goods: Goods
    source: str
    to: str


Shifts = dict[Shift, Decimal]


class Moved(msgspec.Struct, frozen=True, gc=False):
    """A posting: so much of a load's goods moved. Never changed; one below zero takes back what the same fact
    posted before.
    """

    load: str
    shift: Shift
    quantity: Decimal
    fact: Key
    known: Known
    said: str | None
    """The place that the fact itself named."""


class Line:
    """One load as far as new facts can concern it: what stands where now, and the facts from the first of
    them on with what each has moved.
    """

    def __init__(
        self, load: str, stands: Stands | None = None, later: Iterable[tuple[Fact, Shifts]] = ()
    ) -> None:
        self.load = load
        self.stands: Stands = dict(stands or {})
        self._facts: list[Fact] = []
        self._shifts: dict[Ref, Shifts] = {}
        for fact, shifts in sorted(later, key=lambda one: one[0].key):
            self._facts.append(fact)
            self._shifts[fact.key.ref] = shifts
        self.found: dict[Ref, Decimal] = {}
        """What each put-away that was settled found of its load."""

    def settle(self, arrived: Sequence[Fact], withdrawn: Iterable[Ref], known: Known) -> list[Moved]:
        """Take facts in, and out again those that are no more; what that posts. What comes and is withdrawn
        at once never was.
        """
        gone = set(withdrawn)
        arrived = [fact for fact in arrived if fact.key.ref not in gone]
        keys = [fact.key for fact in arrived]
        keys += [fact.key for fact in self._facts if gone and fact.key.ref in gone]
        if not keys:
            return []
        at = bisect_left(self._facts, min(keys), key=_key)
        later = self._facts[at:]
        for fact in reversed(later):
            self._apply(self._shifts[fact.key.ref], -1)
        del self._facts[at:]
        posted: list[Moved] = []
        for fact in later:
            if fact.key.ref in gone:
                posted += self._post(fact, self._shifts.pop(fact.key.ref), {}, known)
            else:
                self._facts.append(fact)
        for fact in arrived:
            insort(self._facts, fact, lo=at, key=_key)
        for fact in self._facts[at:]:
            shifts, found = effect(fact, self.stands)
            self._apply(shifts, 1)
            if isinstance(fact, Put):
                self.found[fact.key.ref] = found
            posted += self._post(fact, self._shifts.get(fact.key.ref, {}), shifts, known)
            self._shifts[fact.key.ref] = shifts
        return posted

    def _apply(self, shifts: Shifts, sign: int) -> None:
        for shift, quantity in shifts.items():
            for place, moved in ((shift.source, -sign * quantity), (shift.to, sign * quantity)):
                if place == OUTSIDE:
                    continue
                stands = EXACT.add(self.stands.pop((shift.goods, place), _ZERO), moved)
                if stands:
                    self.stands[shift.goods, place] = stands

    def _post(self, fact: Fact, old: Shifts, new: Shifts, known: Known) -> list[Moved]:
        posted = []
        for shift in sorted(old.keys() | new.keys()):
            more = EXACT.subtract(new.get(shift, _ZERO), old.get(shift, _ZERO))
            if more:
                posted.append(Moved(self.load, shift, more, fact.key, known, _said(fact)))
        return posted


def effect(fact: Fact, stands: Stands) -> tuple[Shifts, Decimal]:
    """What a fact moves of what stands where then, and how much of the load it found."""
    if isinstance(fact, Came):
        place = fact.place or _only(stands)
        return {Shift(fact.goods, OUTSIDE, place): fact.quantity}, fact.quantity
    if isinstance(fact, Left):
        return _left(fact, stands)
    return _put(fact, stands)


def _only(stands: Stands) -> str:
    """The one place that a load stands at; UNPLACED where there is none, or more than one."""
    places = {place for _, place in stands if place != MISSING}
    return places.pop() if len(places) == 1 else UNPLACED


def _left(fact: Left, stands: Stands) -> tuple[Shifts, Decimal]:
    whose = (fact.owner, fact.product, fact.status)
    of_it = [(goods, place) for goods, place in stands if (goods.owner, goods.product, goods.status) == whose]
    taken = _take(sorted(of_it, key=lambda one: (one[1] != fact.near, one[1], one[0])), stands, fact.quantity)
    shifts = {Shift(goods, place, OUTSIDE): quantity for (goods, place), quantity in taken.items()}
    found = sum(taken.values(), _ZERO)
    if found < fact.quantity:
        shifts[Shift(Goods(*whose, NO_LOT), MISSING, OUTSIDE)] = EXACT.subtract(fact.quantity, found)
    return shifts, found


def _put(fact: Put, stands: Stands) -> tuple[Shifts, Decimal]:
    at = sorted(((goods, place) for goods, place in stands), key=lambda one: (one[1], one[0]))
    there = [one for one in at if fact.source in (None, one[1])]
    whole = sum((stands[one] for one in there if one[1] != MISSING), _ZERO)
    elsewhere = [one for one in there if one[1] != fact.to]
    taken = _take(elsewhere, stands, whole if fact.quantity is None else fact.quantity)
    shifts = {Shift(goods, place, fact.to): quantity for (goods, place), quantity in taken.items()}
    return shifts, whole if fact.quantity is None else sum(taken.values(), _ZERO)


def _take(line: Sequence[tuple[Goods, str]], stands: Stands, quantity: Decimal) -> Stands:
    taken: Stands = {}
    rest = quantity
    for one in line:
        if rest and one[1] != MISSING:
            taken[one] = min(rest, stands[one])
            rest = EXACT.subtract(rest, taken[one])
    return taken


def lacks(put: Put, found: Decimal) -> bool:
    """Whether a put-away named goods that its load did not have then: a case."""
    return found < put.quantity if put.quantity is not None else not found


def _said(fact: Fact) -> str | None:
    if isinstance(fact, Put):
        return fact.to
    return fact.place if isinstance(fact, Came) else fact.near


def _key(fact: Fact) -> Key:
    return fact.key
