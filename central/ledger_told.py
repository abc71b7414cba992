# SPDX-License-Identifier: Apache-2.0
"""What entries are read by, and what they tell the zone's ledger: values, made by `central.ledger_facts` and
taken by `central.ledger_projection`. Decide nothing but by which paper a quantity counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import NamedTuple

from customs.ledger import elections
from customs.ledger.facts import In, Key, Out, Queue, Ref, booked
from customs.ledger.locations import Fact, Unstood
from customs.ledger.quantities import Factors, Pair, customs_quantity
from customs.zone import Location


class Named(NamedTuple):
    """A line of a document, as a lot is named by it."""

    document: str
    line: str


class Word(NamedTuple):
    """What people may search by: `kind` says what the word is, `ref` where it leads."""

    word: str
    kind: str
    ref: str


@dataclass(slots=True)
class Papers:
    """What facts are read by, as it is known where the own log has come to."""

    kinds: dict[str, str] = field(default_factory=dict)
    """Permits by number: their kind."""
    lines: dict[str, Pair] = field(default_factory=dict)
    """What admission papers say of a lot in both units."""
    factors: dict[tuple[str, str], list[tuple[date, Decimal]]] = field(default_factory=dict)
    """Customs units of one unit of an owner's product, each from a day on, the latest known last."""
    entered: set[Queue] = field(default_factory=set)
    """Constructive queues that an accepted customs entry has filled."""
    carried: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By a load's key, the entry that last admitted it or gave it another status, and the lot that it is of
    by that. The last is the one with the latest id, not the one that was told last.
    """
    working: dict[Queue, Decimal] = field(default_factory=dict)
    """What work orders have been issued and neither used nor given back."""
    elections: list[elections.Election] = field(default_factory=list)
    zone: tzinfo = UTC
    """Whose days the zone's calendar has."""
    frozen_until: datetime | None = None

    def pair(self, lot: str, queue: Queue, quantity: Decimal, at: datetime) -> Pair:
        """`quantity` of a lot in both units, by its paper, or else by what the product is to customs on that
        day; one to one where neither is on file.
        """
        whole = self.lines.get(lot) or self.known(queue.owner, queue.product).whole(at)
        return Pair(quantity, customs_quantity(quantity, whole))

    def known(self, owner: str, product: str) -> Factors:
        """What an owner's product is to customs."""
        return Factors(tuple(self.factors.get((owner, product), ())), self.zone)

    def day(self, at: datetime) -> date:
        """The day of the zone's calendar."""
        return at.astimezone(self.zone).date()

    def start(self, day: date) -> datetime:
        """The first instant of a day of the zone's calendar."""
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)

    def key(self, happened: datetime, turn: int, ref: Ref) -> Key:
        """A fact's place in its queue, in the open period where a pinned cut contains its instant."""
        return Key(booked(happened, self.frozen_until), turn, happened, ref.entry_id, ref.n)


class Corrects(NamedTuple):
    """A movement that is taken back by facts that `key` counts from; only what came from `source` of it, if
    that is said. `crossing` says that it is one load's at a door, which then never stood anywhere by it.
    """

    movement: str
    key: Key
    source: str | None = None
    crossing: bool = False


@dataclass(slots=True)
class Told:
    """What one entry tells: facts, movements that are corrected, words, and the papers of its lots."""

    arrived: list[In | Out] = field(default_factory=list)
    corrects: list[Corrects] = field(default_factory=list)
    declared: dict[str, Pair] = field(default_factory=dict)
    """Lots of which a paper says now what they are in both units."""
    factors: list[tuple[str, str, date, Decimal]] = field(default_factory=list)
    """Owner, product, day and factor of what products are to customs from now on."""
    zone: tzinfo | None = None
    """Whose days the zone's calendar has from here on; None where it stays."""
    restated: dict[tuple[str, str], Factors] = field(default_factory=dict)
    """All that is known then of these products, by owner and product."""
    words: set[Word] = field(default_factory=set)
    papers: dict[str, Named] = field(default_factory=dict)
    stood: list[Fact] = field(default_factory=list)
    """Where loads came to stand."""
    unstood: list[Unstood] = field(default_factory=list)
    """What was told of where loads came to stand, and never was."""
    places: list[Location] = field(default_factory=list)
    """Locations that were declared."""
    frozen_until: datetime | None = None
    """The last instant of the pinned cuts that were known then."""


@dataclass(slots=True)
class Wanted:
    """What must be looked up before entries can be read."""

    permits: set[str] = field(default_factory=set)
    loads: set[str] = field(default_factory=set)
    corrected: set[str] = field(default_factory=set)
    lots: set[str] = field(default_factory=set)
    goods: set[tuple[str, str]] = field(default_factory=set)
    orders: set[str] = field(default_factory=set)
