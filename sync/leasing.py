# SPDX-License-Identifier: Apache-2.0
"""How much of a permit line a node is lent: by the trucks planned at its doors and its pace. Pure.

A node whose doors alone have trucks for a line is lent all that is free, so that it can work without
network for as long as the permit lasts. Where several have, each deserves what its notices name, and of the
rest a part by its pace. A node is topped up when it has less than half of that, never a little at a time, and
only out of what the others have beyond theirs: so no two docks take the same loads from each other in turn.
What a load in front of a door lacks is asked back from whoever holds it unused; who has heard that and keeps
it needs it, and the next is asked. What a node was asked to give back it is not lent again until it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from sync.accounts import ZERO


@dataclass(frozen=True, slots=True)
class Holder:
    """An open account of a line: whose, what lies idle in it and what was used. It `keeps` what it has where
    it heard what was asked back and kept some, since loads in front of its doors need it: that goes back by
    itself when they are through.
    """

    node: str
    epoch: str
    idle: Decimal
    used: Decimal
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What an ask leads to for one line: what to lend, what to ask back (by epoch), who holds the rest."""

    grant: Decimal
    recalls: Mapping[str, Decimal]
    holders: Mapping[str, Decimal]


def plan(
    asker: Holder,
    others: Sequence[Holder],
    planned: Mapping[str, Decimal],
    *,
    free: Decimal,
    lacking: Mapping[str, Decimal],
    load: Decimal,
    recalled: Mapping[str, Decimal],
    whole: bool = False,
) -> Plan:
    """What to do for `asker`, the node's current account.

    `planned` are the nodes whose doors have trucks for the line, with what the notices of those trucks name
    that are still to come; `free` is what nobody is charged for, `lacking` what epochs lack for loads in
    front of their doors, whoever lacked first standing first (a node with two machines has two), `load` the
    usual quantity of one load (leases are whole loads as far as that is known), `recalled` what was asked
    back by epoch and has not come. With `whole` nothing is lent that does not fill what the asker lacks: it
    was asked to give back such a part, and would give it back again.
    """
    due = _due(asker, others, planned, free, load)
    short = lacking.get(asker.epoch, ZERO)
    if asker.node not in planned or recalled.get(asker.epoch, ZERO) > ZERO:
        wanted = short  # what it was asked to give back it would give back again
    elif len(planned) == 1:
        wanted = max(free, short)
    else:
        fair = due[asker.node]
        wanted = max(short, fair - asker.idle if 2 * asker.idle < fair else ZERO)
    first, spared = _before(asker, others, free, lacking)
    elsewhere = sum(lacking.values(), ZERO) - short
    grant = max(min(short, free - first), min(wanted, free - elsewhere), ZERO)
    if whole and grant < short:
        grant = ZERO
    wanted, short = wanted - grant, short - grant
    if short > ZERO and free < ZERO:  # what is charged beyond the line has to come back before
        wanted, short = wanted - free, short - free
    if wanted <= ZERO:
        return Plan(grant, {}, {})
    # The asker is among them: what is told must not differ by who asked, or two that lack would have it told
    # anew for ever.
    holders = {asker.node: asker.idle + grant} if asker.idle + grant > ZERO else {}
    recalls: dict[str, Decimal] = {}
    for other in sorted(others, key=lambda other: (other.node in planned, -other.idle, other.epoch)):
        if other.idle <= ZERO:
            continue
        holders[other.node] = holders.get(other.node, ZERO) + other.idle
        if other.node == asker.node or other.epoch in spared or other.keeps:
            continue
        coming = min(recalled.get(other.epoch, ZERO), other.idle)
        wanted, short = wanted - coming, short - coming
        # Who lacks something has nothing beyond its due, also for a truck that a restored center forgot.
        beyond = ZERO if other.epoch in lacking else other.idle - due.get(other.node, ZERO)
        more = min(max(short, min(wanted, beyond - coming)), other.idle - coming)
        if more > ZERO:
            recalls[other.epoch] = more
            wanted, short = wanted - more, short - more
    return Plan(grant, recalls, holders)


def _before(
    asker: Holder, others: Sequence[Holder], free: Decimal, lacking: Mapping[str, Decimal]
) -> tuple[Decimal, set[str]]:
    """What of the free is for those that lacked before the asker, and from whom nothing is asked back for it.

    Of two docks that each lack the half that the other has, the first gets both. Whoever lacks more than
    there is at all comes before nobody.
    """
    node = {holder.epoch: holder.node for holder in (asker, *others)}
    idle: dict[str, Decimal] = {}
    for holder in (asker, *others):
        idle[holder.node] = idle.get(holder.node, ZERO) + holder.idle
    there_is = free + sum(idle.values(), ZERO)
    can = [epoch for epoch, lacks in lacking.items() if lacks <= there_is - idle.get(node[epoch], ZERO)]
    before = can[: can.index(asker.epoch)] if asker.epoch in can else can
    spared = before if asker.epoch in can else lacking
    return sum((lacking[epoch] for epoch in before), ZERO), set(spared) - {asker.epoch}


def _due(
    asker: Holder, others: Sequence[Holder], planned: Mapping[str, Decimal], free: Decimal, load: Decimal
) -> dict[str, Decimal]:
    """What each planned node deserves of all that is not used, in whole loads; together never more than that,
    but for one load each.
    """
    # All that is not used, whoever asks: were it to differ, two docks would each be short by their own sums.
    rest = free + sum((holder.idle for holder in (asker, *others)), ZERO)
    noticed = sum(planned.values(), ZERO)
    used = dict.fromkeys(planned, ZERO)
    for holder in (asker, *others):
        if holder.node in used:
            used[holder.node] += holder.used
    named = min(noticed, rest)
    paced = rest - named
    even = (rest + sum(used.values(), ZERO)) / len(planned) if planned else ZERO
    weights = {node: used[node] + even for node in planned}
    total = sum(weights.values(), ZERO)
    return {
        node: _whole(
            (named * planned[node] / noticed if noticed else ZERO)
            + (paced * weights[node] / total if total else ZERO),
            load,
        )
        for node in planned
    }


def _whole(quantity: Decimal, load: Decimal) -> Decimal:
    """`quantity` in whole loads, at least one; quantities have at most as many decimals as a load."""
    if load <= ZERO:
        return quantity.to_integral_value(ROUND_FLOOR)
    return max((quantity / load).to_integral_value(ROUND_FLOOR), Decimal(1)) * load
