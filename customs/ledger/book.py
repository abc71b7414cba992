# SPDX-License-Identifier: Apache-2.0
"""A ledger in memory: facts in, postings kept, any queue of them, any balance.

What the center keeps in its database, whole and simple.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from customs.ledger.attribution import Layer, Settled, Tail, settle
from customs.ledger.facts import In, Key, Known, Out, Posting, Queue, Ref, Take


@dataclass(slots=True)
class _Shelf:
    """One queue: its facts in order, its layers, what was taken."""

    facts: list[In | Out] = field(default_factory=list)
    layers: dict[Ref, Layer] = field(default_factory=dict)
    takes: dict[Ref, tuple[Take, ...]] = field(default_factory=dict)


class Book:
    """All queues of a zone. `postings` only grows."""

    def __init__(self) -> None:
        self.postings: list[Posting] = []
        self.frozen_until: datetime | None = None
        self._shelves: dict[Queue, _Shelf] = {}
        self._queues: dict[Ref, Queue] = {}

    def take(self, known: Known, arrived: Iterable[In | Out], withdrawn: Iterable[Ref] = ()) -> list[Posting]:
        """Facts that become known together, and those that a correction makes undone; what they post.

        Their keys are booked by `facts.booked` of `frozen_until`; none that is frozen may be in `withdrawn`:
        a correction of it is a fact of its own. ValueError for such, and for one that is unknown.
        """
        first = len(self.postings)
        work: dict[Queue, tuple[list[In | Out], list[Ref]]] = {}
        for fact in arrived:
            work.setdefault(fact.queue, ([], []))[0].append(fact)
        for ref in withdrawn:
            queue = self._queues.get(ref)
            if queue is None:
                raise ValueError(f"{ref} names no fact of these books")
            work.setdefault(queue, ([], []))[1].append(ref)
        while work:
            # Goods go on to a later place in another queue: what changes first is settled first.
            queue = min(work, key=lambda one: (self._first(one, *work[one]), one))
            news, olds = work.pop(queue)
            settled = self._settle(queue, news, olds, known)
            for behind, onward in settled.onward.items():
                in_news, in_olds = work.setdefault(behind, ([], []))
                in_news += onward.arrived
                in_olds += onward.withdrawn
        return self.postings[first:]

    def takes(self, ref: Ref) -> tuple[Take, ...]:
        """What a fact took, as the books draw it now."""
        queue = self._queues.get(ref)
        return self._shelves[queue].takes.get(ref, ()) if queue else ()

    def layers(self, queue: Queue) -> list[Layer]:
        """Layers of a queue with something left, in line."""
        shelf = self._shelves.get(queue, _Shelf())
        return sorted((layer for layer in shelf.layers.values() if layer.left), key=lambda layer: layer.fifo)

    def _first(self, queue: Queue, arrived: Sequence[In | Out], withdrawn: Sequence[Ref]) -> Key:
        gone = set(withdrawn)
        olds = (fact for fact in self._shelves.setdefault(queue, _Shelf()).facts if fact.key.ref in gone)
        return min(fact.key for fact in (*arrived, *olds))

    def _settle(
        self, queue: Queue, arrived: Sequence[In | Out], withdrawn: Sequence[Ref], known: Known
    ) -> Settled:
        shelf = self._shelves.setdefault(queue, _Shelf())
        gone = set(withdrawn)
        olds = [fact for fact in shelf.facts if fact.key.ref in gone]
        if any(self.frozen_until and fact.key.booked <= self.frozen_until for fact in olds):
            raise ValueError("a fact that a pinned cut contains is not withdrawn; book its correction")
        first = self._first(queue, arrived, withdrawn)
        at = bisect_left(shelf.facts, first, key=lambda fact: fact.key)
        later = shelf.facts[at:]
        tail = Tail(
            queue,
            list(shelf.layers.values()),
            later,
            {ref: takes for fact in later if (takes := shelf.takes.get(ref := fact.key.ref))},
        )
        settled = settle(tail, arrived, withdrawn, known)
        # What is withdrawn goes first: a fact may come again under its name, with another quantity.
        shelf.facts = [fact for fact in shelf.facts if fact.key.ref not in gone]
        for ref in gone:
            shelf.takes.pop(ref, None)
            del self._queues[ref]
        for ref in settled.gone:
            del shelf.layers[ref]
        for fact in arrived:
            insort(shelf.facts, fact, key=lambda one: one.key)
            self._queues[fact.key.ref] = queue
        shelf.layers.update(settled.layers)
        shelf.takes.update((ref, takes) for ref, takes in settled.takes.items() if takes)
        self.postings += settled.postings
        return settled
