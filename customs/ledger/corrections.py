# SPDX-License-Identifier: Apache-2.0
"""What undoes a fact that a pinned cut contains: facts of the period that is open, never a change of it.

A fact that no cut contains is withdrawn instead, see `attribution.settle`. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from customs.ledger.facts import (
    ABROAD,
    ARRIVED,
    FROM_ABROAD,
    NO_LAYER,
    NO_LOT,
    OVERDRAWN,
    In,
    Key,
    Out,
    Queue,
    Take,
)
from customs.ledger.quantities import EXACT


def compensation(fact: In | Out, takes: Sequence[Take], key: Key) -> list[In | Out]:
    """Facts that take back `fact`, which took `takes`. `key` is the correction's own: its `booked` lies
    behind the cut, its `n` is where to count from.

    Goods that come back take their old places in the line; what had been overdrawn is so no more. Goods that
    never came leave the lot they were said to be of, and are overdrawn there if that lot has gone.
    """
    if isinstance(fact, In):
        leaves = _key(key, 1, 0)
        return [Out(fact.queue, leaves, fact.pair.commercial, fact.source or ABROAD, fact.lot)]
    if fact.onward is not None:
        return _taken_back(fact, fact.onward, takes, key)
    facts: list[In | Out] = []
    for n, take in enumerate(takes):
        queue, lot = fact.queue, take.lot
        if take.layer == NO_LAYER:
            # On this account nobody finds it: goods of no lot do not come into stock.
            queue, lot = Queue(queue.owner, queue.product, queue.status, OVERDRAWN), NO_LOT
        facts.append(In(queue, _key(key, 0, n), lot, take.pair, fact.to, take.fifo))
    return facts


def _taken_back(fact: Out, stand: Queue, takes: Sequence[Take], key: Key) -> list[In | Out]:
    """Goods that had gone on to where they `stand` are back; those that had come with the fact are abroad."""
    back = fact.quantity
    facts: list[In | Out] = []
    for take in takes:
        if take.layer == FROM_ABROAD:
            back = EXACT.subtract(back, take.pair.commercial)
            facts.append(Out(stand, _key(key, 1, 1), take.pair.commercial, ARRIVED, take.lot))
    if back:
        queue = fact.queue
        facts.insert(0, Out(stand, _key(key, 1, 0), back, queue.place, fact.lot, onward=queue))
    return facts


def _key(key: Key, turn: int, n: int) -> Key:
    return msgspec.structs.replace(key, turn=turn, n=key.n + n)
