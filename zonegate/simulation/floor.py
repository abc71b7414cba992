# SPDX-License-Identifier: Apache-2.0
"""The truth: what was told at the doors, which goods are across, and what the stated limits excuse.

No class of the record sees this; only people who count do, and the invariants.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from customs.documents import LineRef
from edge.books import Fact, NodeBooks
from sync.bodies import Movement
from sync.chain import Stored
from sync.restraints import RESUMED, HoldLifted, HoldPut, ZoneEvent

ZERO = Decimal(0)
NEWER = {kind: msgspec.json.Decoder(Movement) for kind in ("admission", "withdrawal")}
"""What a newer version's schemas of these types carry."""

Amounts = Mapping[LineRef, Decimal]


@dataclass(frozen=True, slots=True)
class Told:
    """An entry that somebody was told of: a light, a screen, or the center. Without `papers` it can only be a
    refusal: nothing had ever come from the center.
    """

    entry_id: str
    node: str
    machine: str
    epoch: str
    seq: int
    hash: str
    type: str
    papers: bool


@dataclass(frozen=True, slots=True)
class Goods:
    """Goods that crossed a door and did not come back."""

    entry_id: str
    node: str
    epoch: str
    line: LineRef
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Excuse:
    """What a stated limit allows, by line: why, and how much."""

    kind: str
    amounts: Amounts


class Floor:
    """What really happened."""

    def __init__(self) -> None:
        self.told: dict[str, Told] = {}
        self.goods: dict[str, Goods] = {}
        self.across: dict[LineRef, Decimal] = defaultdict(Decimal)
        self.written: set[str] = set()
        self.excuses: list[Excuse] = []
        self.excused: dict[LineRef, Decimal] = defaultdict(Decimal)
        self.lost_unseen: set[str] = set()
        self.lost_seen: set[str] = set()
        self.put: set[str] = set()
        self.ended: set[str] = set()
        """Suspensions and holds that people ever put and ended, whatever became of the center's log."""

    def tell(self, node: str, machine: str, stored: Stored, body: Any, papers: bool) -> None:
        """An entry is told: goods may cross now."""
        entry = stored.entry
        self.told[entry.entry_id] = Told(
            entry.entry_id, node, machine, entry.epoch, entry.seq, stored.hash, entry.type, papers
        )
        if isinstance(body, Movement) and body.use is not None:
            goods = Goods(entry.entry_id, node, entry.epoch, body.use.ref, body.use.quantity)
            self.goods[entry.entry_id] = goods
            self.across[goods.line] += goods.quantity

    def restrain(self, body: Any) -> None:
        """The center has written what a person said of a suspension or hold, or says it again."""
        if isinstance(body, HoldLifted) or (isinstance(body, ZoneEvent) and body.event == RESUMED):
            self.ended.add(body.id)
        elif isinstance(body, ZoneEvent | HoldPut):
            self.put.add(body.id)

    def brought_back(self, entry_id: str) -> None:
        """The goods of a movement stand this side again, before anybody says so."""
        goods = self.goods.pop(entry_id)
        self.across[goods.line] -= goods.quantity

    def excuse(self, kind: str, amounts: Amounts) -> None:
        """A stated limit was met."""
        kept = {line: amount for line, amount in amounts.items() if amount > ZERO}
        if kept:
            self.excuses.append(Excuse(kind, kept))
            for line, amount in kept.items():
                self.excused[line] += amount

    def lost(self, entry_ids: set[str], seen: set[str]) -> None:
        """Of a whole machine rolled back: told entries that no disk has, and those `seen` at the center."""
        self.lost_seen |= entry_ids & seen
        self.lost_unseen |= entry_ids - seen


def leases_of(books: NodeBooks) -> dict[LineRef, Decimal]:
    """What a node's current epoch could still let out once all its grants are confirmed."""
    if books.state.closed == books.state.epoch:
        return {}
    found = {}
    for name, account in books.state.accounts.items():
        permit, _, line = name.rpartition("/")
        found[LineRef(permit, line)] = account.pending - account.used - account.returned
    return found


def fact_of(stored: Stored) -> Fact:
    """The fact in an entry, be it written by a newer version whose movements have another schema."""
    entry = stored.entry
    if entry.schema.endswith(".v9"):
        body = NEWER.get(entry.type)
        decoded = body.decode(bytes(entry.body)) if body else None
        return Fact(
            entry.entry_id, entry.epoch, entry.seq, entry.type, entry.door, entry.occurred_at, decoded
        )
    return Fact.of(entry)
