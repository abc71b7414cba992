# SPDX-License-Identifier: Apache-2.0
"""How much of a permit line a node is lent: by the trucks planned at its doors and its pace. Pure.

A node whose doors alone have trucks for a line is lent all that is free, so that it can work without
network for as long as the permit lasts. Where several have, what is left is shared by their use so far;
what a node lacks of half its share, or for a load in front of it, is asked back from those who hold it
unused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from sync.accounts import ZERO


@dataclass(frozen=True, slots=True)
class Holder:
    """An open account of a line: whose, what lies idle in it and what was used."""

    node: str
    epoch: str
    idle: Decimal
    used: Decimal


@dataclass(frozen=True, slots=True)
class Plan:
    """What an ask leads to for one line: what to lend, what to ask back (by epoch), who holds the rest."""

    grant: Decimal
    recalls: Mapping[str, Decimal]
    holders: Mapping[str, Decimal]


def plan(
    asker: Holder,
    others: Sequence[Holder],
    planned: Sequence[str],
    *,
    authorized: Decimal,
    free: Decimal,
    short: Decimal,
    load: Decimal,
    recalled: Mapping[str, Decimal],
) -> Plan:
    """What to do for `asker`, the node's current account.

    `planned` are the nodes whose doors have trucks for the line, `free` what nobody is charged for, `short`
    what the asker lacks for loads in front of it, `load` the usual quantity of one load (leases are whole
    loads as far as that is known), `recalled` what was asked back by epoch and has not come.
    """
    rivals = {node for node in planned if node != asker.node}
    lacking = short
    if rivals:
        share = _whole(_share(asker, others, rivals, authorized), load)
        lacking = max(short, share - asker.idle if 2 * asker.idle < share else ZERO)
        wanted = max(share - asker.idle, short)
    else:
        wanted = free if asker.node in planned else short
    grant = max(min(wanted, free), ZERO)
    lacking -= grant
    if lacking <= ZERO:
        return Plan(grant, {}, {})
    holders: dict[str, Decimal] = {}
    recalls: dict[str, Decimal] = {}
    for other in sorted(others, key=lambda other: (other.node in rivals, -other.idle)):
        if other.node == asker.node or other.idle <= ZERO:
            continue
        holders[other.node] = holders.get(other.node, ZERO) + other.idle
        coming = min(recalled.get(other.epoch, ZERO), other.idle)
        lacking -= coming
        more = min(other.idle - coming, lacking)
        if more > ZERO:
            recalls[other.epoch] = more
            lacking -= more
    return Plan(grant, recalls, holders)


def _share(asker: Holder, others: Sequence[Holder], rivals: set[str], authorized: Decimal) -> Decimal:
    """What of the line's rest is the asker's, by pace: each node counts what it used and an even part."""
    used = sum((other.used for other in others), asker.used)
    mine = asker.used + sum((other.used for other in others if other.node == asker.node), ZERO)
    theirs = sum((other.used for other in others if other.node in rivals), ZERO)
    even = authorized / (1 + len(rivals))
    rest = max(authorized - used, ZERO)
    weight = mine + theirs + even * (1 + len(rivals))
    return rest * (mine + even) / weight if weight else ZERO


def _whole(quantity: Decimal, load: Decimal) -> Decimal:
    """`quantity` in whole loads, at least one; quantities have at most as many decimals as a load."""
    if load <= ZERO:
        return quantity.to_integral_value(ROUND_FLOOR)
    return max((quantity / load).to_integral_value(ROUND_FLOOR), Decimal(1)) * load
