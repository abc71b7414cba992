# SPDX-License-Identifier: Apache-2.0
"""A ledger in memory: facts in, postings kept, any queue of them, any balance. What the center keeps in its
database, whole and simple: what tests compare it with.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from customs.known import Known
from customs.ledger.attribution import Layer, News, Settled, Tail, place, settle
from customs.ledger.facts import In, Key, Out, Posting, Queue, Ref, Take


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
        work: dict[Queue, News] = defaultdict(News)
        for fact in arrived:
            work[fact.queue].arrived.append(fact)
        for ref in withdrawn:
            queue = self._queues.get(ref)
            if queue is None:
                raise ValueError(f"{ref} names no fact of these books")
            work[queue].withdrawn.append(ref)
        while work:
            # Goods go on to a later place in another queue: what changes first is settled first.
            queue = min(work, key=lambda one: (self._first(one, work[one]), one))
            settled = self._settle(queue, work.pop(queue), known)
            for behind, news in settled.onward.items():
                work[behind].add(news)
                if not work[behind]:
                    del work[behind]
        return self.postings[first:]

    def knows(self, ref: Ref) -> bool:
        """Whether the books contain a fact: it came, and was not withdrawn."""
        return ref in self._queues

    def takes(self, ref: Ref) -> tuple[Take, ...]:
        """What a fact took, as the books draw it now."""
        queue = self._queues.get(ref)
        return self._shelf(queue).takes.get(ref, ()) if queue else ()

    def queues(self) -> list[Queue]:
        """All queues that goods ever stood in or left."""
        return sorted(self._shelves)

    def layers(self, queue: Queue) -> list[Layer]:
        """Layers of a queue with something left, in line."""
        return sorted(
            (layer for layer in self._shelf(queue).layers.values() if layer.left),
            key=place,
        )

    def _first(self, queue: Queue, news: News) -> Key:
        gone = set(news.withdrawn)
        olds = (fact for fact in self._shelf(queue).facts if fact.key.ref in gone)
        return min(fact.key for fact in (*news.arrived, *olds))

    def _shelf(self, queue: Queue) -> _Shelf:
        return self._shelves.setdefault(queue, _Shelf())

    def _settle(self, queue: Queue, news: News, known: Known) -> Settled:
        shelf = self._shelf(queue)
        gone = set(news.withdrawn)
        olds = [fact for fact in shelf.facts if fact.key.ref in gone]
        if any(self.frozen_until and fact.key.booked <= self.frozen_until for fact in olds):
            raise ValueError("a fact that a pinned cut contains is not withdrawn; book its correction")
        first = self._first(queue, news)
        at = bisect_left(shelf.facts, first, key=lambda fact: fact.key)
        later = shelf.facts[at:]
        tail = Tail(
            queue,
            list(shelf.layers.values()),
            later,
            {ref: takes for fact in later if (takes := shelf.takes.get(ref := fact.key.ref))},
        )
        settled = settle(tail, news, known)
        # What is withdrawn goes first: a fact may come again under its name, with another quantity.
        shelf.facts = [fact for fact in shelf.facts if fact.key.ref not in gone]
        for ref in gone:
            shelf.takes.pop(ref, None)
            del self._queues[ref]
        for ref in settled.gone:
            del shelf.layers[ref]
        for fact in news.arrived:
            insort(shelf.facts, fact, key=lambda one: one.key)
            self._queues[fact.key.ref] = queue
        shelf.layers.update(settled.layers)
        shelf.takes.update((ref, takes) for ref, takes in settled.takes.items() if takes)
        self.postings += settled.postings
        return settled
