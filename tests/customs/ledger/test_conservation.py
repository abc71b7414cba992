# SPDX-License-Identifier: Apache-2.0
"""Conservation: whatever happens to a zone's goods, in whatever order it becomes known, nothing is made of
nothing, and any balance is that of a replay. Sums and replays are the test's own.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest

from customs.documents import Status
from customs.known import Known
from customs.ledger import attribution
from customs.ledger.corrections import compensation
from customs.ledger.facts import (
    CONSTRUCTIVE,
    EXPORTED,
    IN_TRANSIT,
    MADE,
    RESTATUS,
    TERRITORY,
    WORK,
    In,
    Key,
    Out,
    Posting,
    Queue,
    Ref,
    booked,
)
from customs.ledger.quantities import Pair, customs_quantity
from tests.customs.ledger import book as ledger_book
from tests.customs.ledger.book import Book

START = datetime(2026, 6, 1, tzinfo=UTC)
RATIO = Pair(Decimal(7), Decimal("2.3"))
MANNERS = {
    "in": 36,
    "out": 32,
    "accept": 4,
    "remove": 4,
    "reject": 1,
    "issue": 6,
    "make": 6,
    "restatus": 5,
    "fetch": 4,
    "arrive": 4,
    "deposit": 3,
    "admit": 3,
}
"""What happens, and how often."""
HAND = ("stock", "wip", "constructive", "in-transit")
STATUSES = (Status.NPF, Status.PF, Status.DOMESTIC)
Sums = dict[tuple[str, str, str, str], list[Decimal]]


@dataclass
class Zone:
    """A zone's year, made up as it goes, and a ledger that is told of it late and out of order."""

    rng: random.Random
    book: Book = field(default_factory=Book)
    told: list[tuple[Known, list[In | Out], list[Ref], datetime | None]] = field(default_factory=list)
    waiting: list[tuple[datetime, str, str, Decimal]] = field(default_factory=list)
    facts: dict[Ref, In | Out] = field(default_factory=dict)
    seq: int = 0

    def live(self, movements: int) -> None:
        """So many movements, told in batches; now and then a cut, a correction."""
        for number in range(movements):
            at = START + timedelta(minutes=10 * number + self.rng.randint(-30, 30))
            manner = self.rng.choices(
                list(MANNERS),
                list(MANNERS.values()),
            )[0]
            self.waiting.append((at, manner, f"{self.rng.getrandbits(48):012x}", self._quantity()))
            if self.rng.random() < 0.1:
                self.tell()
            if number and number % 2500 == 0:
                self.book.frozen_until = at - timedelta(hours=1)
        while self.waiting:
            self.tell()

    def tell(self) -> None:
        """Some of what happened becomes known: mostly the latest, sometimes what waited for days."""
        self.rng.shuffle(self.waiting)
        count = self.rng.randint(1, max(1, len(self.waiting)))
        news, self.waiting = self.waiting[:count], self.waiting[count:]
        facts = [fact for one in news for fact in self._facts(*one)]
        withdrawn: list[Ref] = []
        if self.facts and self.rng.random() < 0.2:
            self._correct(facts, withdrawn)
        self.seq += 1
        known = Known(1, self.seq)
        self.book.take(known, facts, withdrawn)
        self.told.append((known, facts, withdrawn, self.book.frozen_until))
        self.facts.update((fact.key.ref, fact) for fact in facts)
        for ref in withdrawn:
            del self.facts[ref]

    def _quantity(self) -> Decimal:
        return Decimal(self.rng.randint(1, 900)) / self.rng.choice([1, 1, 10])

    def _facts(self, at: datetime, manner: str, entry_id: str, quantity: Decimal) -> list[In | Out]:
        rng = self.rng
        when = booked(at, self.book.frozen_until)
        stock = Queue(rng.choice("abc"), rng.choice("pq"), rng.choice(STATUSES))
        came, left = (Key(when, turn, at, entry_id, turn) for turn in (0, 1))
        pair = Pair(quantity, customs_quantity(quantity, RATIO))
        way = Queue(stock.owner, stock.product, stock.status, IN_TRANSIT + "DD-1")
        waiting = Queue(stock.owner, stock.product, Status.SUSPENSE)
        bonded = Queue(stock.owner, stock.product, stock.status, CONSTRUCTIVE + "06-1")
        match manner:
            case "in":
                return [In(stock, came, f"214-{at:%m%d}/{stock.product}", pair)]
            case "out":
                return [Out(stock, left, quantity, rng.choice([TERRITORY, EXPORTED]))]
            case "accept":
                return [Out(stock, left, quantity, bonded.place, onward=bonded)]
            case "remove":
                return [Out(bonded, left, quantity, TERRITORY)]
            case "reject":
                return [Out(bonded, left, quantity, stock.place, onward=stock)]
            case "issue":
                work = Queue(stock.owner, stock.product, stock.status, WORK + "1")
                return [Out(stock, left, quantity, work.place, onward=work)]
            case "make":
                work = Queue(stock.owner, stock.product, stock.status, WORK + "1")
                made = Queue(stock.owner, "pump", Status.NPF)
                return [
                    Out(work, left, quantity, "consumed"),
                    In(made, came, f"WO-{entry_id}", pair, MADE),
                ]
            case "fetch":
                return [In(way, came, "DD-1/1", pair)]
            case "arrive":
                return [Out(way, left, quantity, stock.place, "DD-1/1", onward=stock, customs=pair.customs)]
            case "deposit":
                return [In(waiting, came, f"SUSPENSE-{entry_id}", pair)]
            case "admit":
                deposits = [fact.lot for fact in self.facts.values() if fact.queue == waiting and fact.lot]
                lot = rng.choice(deposits or ["SUSPENSE-0"])
                return [
                    Out(waiting, left, quantity, RESTATUS, lot),
                    In(stock, came, "214-S/1", pair, RESTATUS),
                ]
            case _:
                target = Queue(stock.owner, stock.product, Status.RESTRICTED)
                return [
                    Out(stock, left, quantity, RESTATUS, f"214-{at:%m%d}/{stock.product}"),
                    In(target, came, f"{entry_id}/ZR", pair, RESTATUS),
                ]

    def _correct(self, facts: list[In | Out], withdrawn: list[Ref]) -> None:
        fact = self.rng.choice(list(self.facts.values()))
        frozen = self.book.frozen_until
        if frozen is None or fact.key.booked > frozen:
            withdrawn.append(fact.key.ref)
            return
        at = frozen + timedelta(minutes=self.rng.randint(1, 60))
        key = Key(at, 0, at, f"c{self.rng.getrandbits(48):012x}")
        facts += compensation(fact, self.book.takes(fact.key.ref), key)


def sums(postings: list[Posting], as_of: datetime, known: Known) -> Sums:
    """Balances in both units, added up by hand."""
    found: Sums = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for posting in postings:
        if posting.booked > as_of or posting.known > known:
            continue
        whose = f"{posting.queue.owner} {posting.queue.product} {posting.queue.status}"
        for account, sign in ((posting.source, -1), (posting.to, 1)):
            place = found[whose, posting.lot, account, "*"]
            place[0] += sign * posting.pair.commercial
            place[1] += sign * posting.pair.customs
    return {key: pair for key, pair in found.items() if any(pair)}


def broken(found: Sums) -> list[str]:
    """Lots that do not close, and goods in hand below zero."""
    lots: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    wrong = []
    for (whose, lot, account, _), pair in found.items():
        for unit in (0, 1):
            lots[whose, lot][unit] += pair[unit]
            if account.startswith(HAND) and pair[unit] < 0:
                wrong.append(f"{whose} {lot} {account} is {pair}")
    return wrong + [f"{lot} sums to {pair}" for lot, pair in lots.items() if any(pair)]


def unlike_layers(book: Book, found: Sums) -> list[str]:
    """Goods in hand by the postings that are not the goods left of the layers."""
    hand: Sums = {key: pair for key, pair in found.items() if key[2].startswith(HAND)}
    left: Sums = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for queue in book.queues():
        if queue.place.startswith(HAND):
            for layer in book.layers(queue):
                whose = f"{queue.owner} {queue.product} {queue.status}"
                pair = left[whose, layer.lot, queue.place, "*"]
                pair[0] += layer.left.commercial
                pair[1] += layer.left.customs
    keys = hand.keys() | left.keys()
    return [
        f"{key}: {hand.get(key)}, layers {left.get(key)}" for key in keys if hand.get(key) != left.get(key)
    ]


def replayed(zone: Zone, as_of: datetime, known: Known) -> Sums:
    """The balances of a ledger that was told, in the same order, only what is asked for."""
    book = Book()
    for when, facts, withdrawn, frozen in zone.told:
        if when > known:
            break
        book.frozen_until = frozen
        kept = [fact for fact in facts if fact.key.booked <= as_of]
        book.take(when, kept, [ref for ref in withdrawn if book.knows(ref)])
    return sums(book.postings, as_of, known)


def findings(seed: int, movements: int, replays: int) -> list[str]:
    """What is wrong with a zone's books after so many movements, in any instant that was looked at."""
    zone = Zone(random.Random(seed))
    zone.live(movements)
    rng = random.Random(seed + 1)
    end = START + timedelta(minutes=10 * movements + 3000)
    now = sums(zone.book.postings, end, Known(1, zone.seq))
    wrong = broken(now) + unlike_layers(zone.book, now)
    for _ in range(replays):
        as_of = START + timedelta(minutes=rng.randrange(10 * movements))
        known = Known(1, rng.randint(1, zone.seq))
        mine = sums(zone.book.postings, as_of, known)
        wrong += broken(mine)
        if mine != replayed(zone, as_of, known):
            wrong.append(f"as of {as_of}, as known on {known}: not the balances of a replay")
    return wrong


def test_ten_thousand_movements_conserve_every_lot_and_equal_their_replays() -> None:
    assert findings(1, 10_000, 3) == []


@pytest.mark.parametrize("seed", range(2, 12))
def test_small_histories_do_at_many_instants(seed: int) -> None:
    assert findings(seed, 400, 8) == []


def _rounded(total: Pair, left: Pair, taken: Decimal) -> Pair:
    share = (total.customs * taken / total.commercial).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return Pair(taken, share)


def _unsigned(posts: attribution._Posts, fact: In, pair: Pair) -> None:
    posts._write(
        fact, fact.lot, fact.source or "", fact.queue.place, Pair(abs(pair.commercial), pair.customs)
    )


class _OneShelf(dict[Queue, ledger_book._Shelf]):
    """Shelves that all owners share."""

    def setdefault(self, queue: Queue, shelf: ledger_book._Shelf) -> ledger_book._Shelf:
        return super().setdefault(Queue("*", queue.product, queue.status, queue.place), shelf)

    def __getitem__(self, queue: Queue) -> ledger_book._Shelf:
        return super().__getitem__(Queue("*", queue.product, queue.status, queue.place))


@pytest.mark.parametrize("bug", ["rounding", "sign", "cross-owner"])
def test_a_planted_bug_is_found(monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    match bug:
        case "rounding":
            monkeypatch.setattr(attribution, "split", _rounded)
        case "sign":
            monkeypatch.setattr(attribution._Posts, "came", _unsigned)
        case _:
            honest = Book.__init__

            def careless(book: Book) -> None:
                honest(book)
                book._shelves = _OneShelf()

            monkeypatch.setattr(Book, "__init__", careless)
    assert findings(2, 400, 2)
