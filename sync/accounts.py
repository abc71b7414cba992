# SPDX-License-Identifier: Apache-2.0
"""What permit lines are charged at the center: a fold over distinct grants, returns and uses.

The pool of a line is debited by the center's log alone, by what it lends and by what people admit there; a
lease by its epoch's log alone. The one exception is a count. Knows epochs by name only, no node and no paper.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from customs.documents import LineRef
from sync.bodies import Close, Grant

ZERO: Final = Decimal(0)


@dataclass(slots=True)
class Account:
    """What one epoch was lent of a line, gave back of it and used."""

    granted: Decimal = ZERO
    returned: Decimal = ZERO
    used: Decimal = ZERO

    @property
    def open(self) -> Decimal:
        """The charge while the epoch may go on."""
        return max(self.granted - self.returned, self.used)

    @property
    def idle(self) -> Decimal:
        """Lent and not used."""
        return max(self.granted - self.returned - self.used, ZERO)

    @property
    def overdrawn(self) -> bool:
        """Whether more was used and given back than was ever lent."""
        return self.granted < self.returned + self.used


@dataclass(frozen=True, slots=True)
class Count:
    """What people counted for some epochs and gaps together; `names` are both, and the retirement of a node,
    whose count speaks for what the center does not know of as well.
    """

    names: frozenset[str]
    amounts: dict[LineRef, Decimal]


@dataclass(slots=True)
class Accounts:
    """The accounts of all lines by epoch, and what closings and counts say of them."""

    lines: dict[LineRef, dict[str, Account]] = field(default_factory=lambda: defaultdict(dict))
    closed: set[str] = field(default_factory=set)
    counts: list[Count] = field(default_factory=list)
    grants: set[str] = field(default_factory=set)
    admitted: dict[LineRef, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """What the center's own acts used of lines, out of no lease."""
    wanted_here: dict[LineRef, Decimal] = field(default_factory=dict)
    """What people at the center wait for, of lines that are lent; in no log."""

    def of(self, line: LineRef, epoch: str) -> Account:
        """The account of an epoch, opened when it is not there."""
        return self.lines[line].setdefault(epoch, Account())

    def grant(self, entry_id: str, grant: Grant) -> None:
        """Take in a grant, once: it comes from the own log and again from its epoch's Saws."""
        if entry_id not in self.grants:
            self.grants.add(entry_id)
            self.of(grant.ref, grant.epoch).granted += grant.quantity

    def close(self, close: Close) -> None:
        """Take in a closing; a count takes the place of those whose epochs and gaps it names."""
        self.closed.update(close.epochs)
        if close.counted is None:
            return
        names = frozenset(close.epochs) | {gap_name(epoch) for epoch in close.gaps}
        if close.retires:
            names |= {f"{_RETIRED}{close.node}:{self._retirements(close.node)}"}
        for count in self.counts:  # made again, it speaks for what it spoke for
            if count.names & names:
                names |= {name for name in count.names if is_retirement(name)}
        amounts: dict[LineRef, Decimal] = defaultdict(Decimal)
        for amount in close.counted:
            amounts[amount.ref] += amount.quantity
        self.counts = [count for count in self.counts if not count.names <= names]
        self.counts.append(Count(names, dict(amounts)))

    def counted(self, name: str) -> bool:
        """Whether a count names an epoch, or a gap by its `gap_name`."""
        return any(name in count.names for count in self.counts)

    def charged(self, line: LineRef) -> Decimal:
        """What of a line is lent or used; the rest is free."""
        accounts = self.lines.get(line, {})
        total = self.admitted.get(line, ZERO)
        total += sum((self._alone(epoch, account) for epoch, account in accounts.items()), ZERO)
        for count in self.counts:
            used = sum((accounts[name].used for name in count.names if name in accounts), ZERO)
            total += max(count.amounts.get(line, ZERO), used)
        return total

    def used(self, line: LineRef) -> Decimal:
        """What of a line was used, by all epochs and by acts at the center."""
        accounts = self.lines.get(line, {})
        return self.admitted.get(line, ZERO) + sum((account.used for account in accounts.values()), ZERO)

    def open_accounts(self, line: LineRef) -> Iterator[tuple[str, Account]]:
        """The accounts of a line whose epochs are not closed."""
        for epoch, account in self.lines.get(line, {}).items():
            if epoch not in self.closed:
                yield epoch, account

    def _retirements(self, node: str) -> int:
        return sum(name.startswith(f"{_RETIRED}{node}:") for count in self.counts for name in count.names)

    def _alone(self, epoch: str, account: Account) -> Decimal:
        """What an epoch is charged for itself: nothing where a count speaks for it."""
        if self.counted(epoch):
            return ZERO
        return account.used if epoch in self.closed else account.open


_RETIRED: Final = "retired:"


def is_retirement(name: str) -> bool:
    """Whether a name in a count is neither an epoch nor a gap, but the retirement of a node."""
    return name.startswith(_RETIRED)


def gap_name(epoch: str) -> str:
    """The name by which a count speaks for what may be missing before an epoch's Begin."""
    return f"gap:{epoch}"
