# SPDX-License-Identifier: Apache-2.0
"""Which layers goods that left were of: first in, first out, or the lot that was named (19 CFR 146.23(a)).

One queue at a time. What is settled depends on the facts alone, never on the order in which they arrived: a
fact that comes late is put where it belongs, what left after it is drawn anew, and the difference is posted.
Postings are never changed. Only the center draws; a door knows no lots.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from customs.known import Known
from customs.ledger.facts import (
    ARRIVED,
    FROM_ABROAD,
    LAYERLESS,
    NO_LAYER,
    NO_LOT,
    OVERDRAWN,
    In,
    Key,
    Out,
    Posting,
    Queue,
    Ref,
    Take,
)
from customs.ledger.quantities import EXACT, NOTHING, Pair, customs_quantity, split

_ZERO: Final = Decimal(0)


@dataclass(slots=True)
class Layer:
    """Goods that came by one fact, and what is left of them. `fifo` is their place in the line."""

    key: Key
    fifo: Key
    lot: str
    total: Pair
    left: Pair


@dataclass(slots=True)
class Tail:
    """A queue as it is known before new facts come: all of it that they can concern.

    `later` are the known facts from the first of the new keys on, in order, and `takes` what those that left
    took. `layers` are those that a later fact brought or took of, and of all others those with something
    left, from the front of the line until they hold `wanted` of them; where a new or a later fact names a
    lot, all layers of that lot.
    """

    queue: Queue
    layers: list[Layer] = field(default_factory=list)
    later: list[In | Out] = field(default_factory=list)
    takes: Mapping[Ref, tuple[Take, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class News:
    """What a queue is to be told: facts that came, and facts that are no more. One that is in both comes
    again, with another quantity.
    """

    arrived: list[In | Out] = field(default_factory=list)
    withdrawn: list[Ref] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.arrived or self.withdrawn)

    def add(self, later: News) -> None:
        """What is to be told after this, before any of it was."""
        untold = set(later.withdrawn)
        dropped = {fact.key.ref for fact in self.arrived if fact.key.ref in untold}
        self.arrived = [fact for fact in self.arrived if fact.key.ref not in dropped] + later.arrived
        self.withdrawn += [ref for ref in later.withdrawn if ref not in dropped]


@dataclass(slots=True)
class Settled:
    """What new facts change: postings to append, layers and takes as they stand now.

    `layers` without one that was withdrawn, which is in `gone`. `takes` has an empty tuple for a fact that
    was withdrawn. `onward` is what the queues behind it are to be told now, under the same `known`; it may
    come back to this one, at a later key.
    """

    postings: list[Posting] = field(default_factory=list)
    layers: dict[Ref, Layer] = field(default_factory=dict)
    gone: list[Ref] = field(default_factory=list)
    takes: dict[Ref, tuple[Take, ...]] = field(default_factory=dict)
    onward: dict[Queue, News] = field(default_factory=dict)


def place(layer: Layer) -> tuple[Key, Key]:
    """Where a layer stands in the line. Parts of one that came back have its place; the older goes first."""
    return layer.fifo, layer.key


def wanted(tail: Tail, news: News) -> Decimal:
    """How many commercial units the layers of a tail must have left, beside those that later facts brought or
    took of: what newly leaves, what later facts lacked, and what withdrawn layers had given.
    """
    gone = set(news.withdrawn)
    total = _ZERO
    for fact in news.arrived:
        if isinstance(fact, Out):
            total = EXACT.add(total, fact.quantity)
    for fact in tail.later:
        if isinstance(fact, In) and fact.key.ref in gone:
            total = EXACT.add(total, fact.pair.commercial)
    for takes in tail.takes.values():
        for take in takes:
            if take.layer in LAYERLESS:
                total = EXACT.add(total, take.pair.commercial)
    return total


def draw(layers: Sequence[Layer], quantity: Decimal) -> dict[str, Pair]:
    """What `quantity` units that leave now would be of, by lot in line; less where there are not so many.
    Changes nothing.
    """
    lots: dict[str, Pair] = defaultdict(lambda: NOTHING)
    rest = quantity
    for layer in sorted(layers, key=place):
        taken = min(rest, layer.left.commercial)
        if taken:
            lots[layer.lot] += split(layer.total, layer.left, taken)
            rest = EXACT.subtract(rest, taken)
    return dict(lots)


def settle(tail: Tail, news: News, known: Known) -> Settled:
    """Take new facts into a queue, and facts that a correction makes undone out of it.

    What is withdrawn is among `tail.later`. What comes out does not depend on the order of the news. Who
    stores it first takes out what is gone.
    """
    settled = Settled()
    gone = set(news.withdrawn)
    line = _rewound(tail)
    facts = sorted(
        (*(fact for fact in tail.later if fact.key.ref not in gone), *news.arrived), key=lambda fact: fact.key
    )
    posts = _Posts(known, settled.postings)
    for fact in tail.later:
        ref = fact.key.ref
        if ref not in gone:
            continue
        if isinstance(fact, In):
            settled.gone.append(ref)
            posts.came(fact, -fact.pair)
        else:
            _redraw(settled, posts, fact, tail.takes.get(ref, ()), ())
    new = {fact.key.ref for fact in news.arrived}
    for fact in facts:
        if isinstance(fact, In):
            layer = Layer(fact.key, fact.fifo or fact.key, fact.lot, fact.pair, fact.pair)
            line.add(layer)
            settled.layers[fact.key.ref] = layer
            if fact.key.ref in new:
                posts.came(fact, fact.pair)
        else:
            ref = fact.key.ref
            before = () if ref in gone else tail.takes.get(ref, ())
            _redraw(settled, posts, fact, before, line.take(fact))
    for ref, layer in line.touched.items():
        settled.layers[ref] = layer
    return settled


def _redraw(
    settled: Settled, posts: _Posts, fact: Out, before: tuple[Take, ...], takes: tuple[Take, ...]
) -> None:
    """Write what a fact takes now, if it differs from what it took before."""
    if takes == before:
        return
    settled.takes[fact.key.ref] = takes
    if fact.onward is not None:
        _carry_on(settled.onward.setdefault(fact.onward, News()), fact, fact.onward, before, takes)
    old, new = _shares(before), _shares(takes)
    if old == new:
        return
    for share, pair in old.items():
        if new.get(share) != pair:
            posts.left(fact, share, -pair)
    for share, pair in new.items():
        if old.get(share) != pair:
            posts.left(fact, share, pair)


class _Share(NamedTuple):
    """What of a fact is posted as one: a lot's goods that stood in the queue, or that came from elsewhere."""

    lot: str
    source: str | None
    """The account that they came from; None for the queue's own."""


def _shares(takes: Sequence[Take]) -> dict[_Share, Pair]:
    shares: dict[_Share, Pair] = defaultdict(lambda: NOTHING)
    for take in takes:
        shares[_Share(take.lot, _ELSEWHERE.get(take.layer))] += take.pair
    return dict(shares)


_ELSEWHERE: Final = {NO_LAYER: OVERDRAWN, FROM_ABROAD: ARRIVED}


def _carry_on(onward: News, fact: Out, queue: Queue, before: Sequence[Take], takes: Sequence[Take]) -> None:
    """The layers that stand in the next queue now, and those that do not any more."""
    old, new = set(before), set(takes)
    onward.withdrawn += [_onward_key(fact, take).ref for take in before if take not in new]
    onward.arrived += [
        In(queue, _onward_key(fact, take), take.lot, take.pair, None, take.fifo)
        for take in takes
        if take not in old
    ]


def _onward_key(fact: Out, take: Take) -> Key:
    # Named by the layer it was taken of: whatever else a fact takes, this is the same layer.
    key = fact.key
    name = f"{key.entry_id}>{take.layer.entry_id}.{take.layer.n}"
    return Key(key.booked, key.turn, key.happened, name, key.n)


@dataclass(slots=True)
class _Posts:
    """Writes the postings of facts."""

    known: Known
    postings: list[Posting]

    def came(self, fact: In, pair: Pair) -> None:
        if fact.source is not None:
            self._write(fact, fact.lot, fact.source, fact.queue.place, pair)

    def left(self, fact: Out, share: _Share, pair: Pair) -> None:
        self._write(fact, share.lot, share.source or fact.queue.place, fact.to, pair)

    def _write(self, fact: In | Out, lot: str, source: str, to: str, pair: Pair) -> None:
        key = fact.key
        self.postings.append(
            Posting(fact.queue, lot, source, to, pair, key.ref, key.booked, key.happened, self.known)
        )


class _Line:
    """Layers in the order in which they go; `touched` are those that something was taken of."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._open = sorted((layer for layer in layers if layer.left), key=place)
        self._first = 0
        self.touched: dict[Ref, Layer] = {}

    def add(self, layer: Layer) -> None:
        insort(self._open, layer, lo=self._first, key=place)

    def take(self, fact: Out) -> tuple[Take, ...]:
        """What a fact takes: of the layers in line, or of the lot it names. The rest comes from abroad where
        the fact says so, and is overdrawn else.
        """
        takes: list[Take] = []
        rest = fact.quantity
        at = self._first
        while rest and at < len(self._open):
            layer = self._open[at]
            if layer.left.commercial and (fact.lot is None or layer.lot == fact.lot):
                taken = min(rest, layer.left.commercial)
                pair = split(layer.total, layer.left, taken)
                layer.left -= pair
                rest = EXACT.subtract(rest, taken)
                self.touched[layer.key.ref] = layer
                takes.append(Take(fact.key.ref, layer.key.ref, layer.lot, pair, layer.fifo))
            at += 1
        while self._first < len(self._open) and not self._open[self._first].left.commercial:
            self._first += 1
        if rest and fact.customs is not None and fact.lot is not None:
            whole = Pair(fact.quantity, fact.customs)
            pair = Pair(rest, customs_quantity(rest, whole))
            takes.append(Take(fact.key.ref, FROM_ABROAD, fact.lot, pair, fact.key))
        elif rest:
            # Goods of no lot have no customs unit: nobody knows what they are.
            takes.append(Take(fact.key.ref, NO_LAYER, NO_LOT, Pair(rest, _ZERO), fact.key))
        return tuple(takes)


def _rewound(tail: Tail) -> _Line:
    """The queue as it was before the first of the later facts."""
    brought = {fact.key.ref for fact in tail.later if isinstance(fact, In)}
    layers = {
        layer.key.ref: Layer(layer.key, layer.fifo, layer.lot, layer.total, layer.left)
        for layer in tail.layers
        if layer.key.ref not in brought
    }
    given: dict[Ref, Layer] = {}
    for takes in tail.takes.values():
        for take in takes:
            layer = layers.get(take.layer)
            if layer is not None:
                layer.left += take.pair
                given[take.layer] = layer
    line = _Line(list(layers.values()))
    line.touched.update(given)
    return line
