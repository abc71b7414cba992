# SPDX-License-Identifier: Apache-2.0
"""Where loads stand, against an oracle that walks all facts anew for every question and shares no code."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from customs.documents import Status
from customs.known import Known
from customs.ledger import locations
from customs.ledger.facts import Key, Ref
from customs.ledger.locations import (
    CAME,
    LEFT,
    MISSING,
    OUTSIDE,
    PUT,
    UNPLACED,
    Came,
    Fact,
    Goods,
    Left,
    Line,
    Moved,
    Put,
    lacks,
)

START = datetime(2026, 6, 1, tzinfo=UTC)
D = Decimal
TOOLS = Goods("anna", "tools", Status.NPF, "214-1/1")
DOOR = "dock-1/1"
Sums = dict[tuple[str, ...], Decimal]


def key(minute: float, turn: int, name: str = "") -> Key:
    at = START + timedelta(minutes=minute)
    return Key(at, turn, at, name or f"{turn}-{minute}")


def came(minute: float, quantity: str = "40", place: str | None = DOOR, goods: Goods = TOOLS) -> Came:
    return Came(key(minute, CAME), "L", goods, D(quantity), place)


def left(minute: float, quantity: str = "40", near: str | None = "dock-2/1") -> Left:
    return Left(key(minute, LEFT), "L", "anna", "tools", Status.NPF, D(quantity), near)


def put(minute: float, to: str, quantity: str | None = None, source: str | None = None) -> Put:
    return Put(key(minute, PUT), "L", to, D(quantity) if quantity else None, source)


def told(*facts: Fact) -> tuple[Line, list[Moved]]:
    """A line that hears of one fact after the other."""
    line, posted = Line("L"), []
    for at, fact in enumerate(facts, 1):
        posted += line.settle([fact], (), Known(1, at))
    return line, posted


def stands(line: Line) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(D)
    for (_, place), quantity in line.stands.items():
        found[place] += quantity
    return dict(found)


# -- the oracle ------------------------------------------------------------------------------------


def oracle(facts: Sequence[Fact]) -> list[list[Any]]:
    """Rows of owner, product, status, lot, place, quantity after all facts of a load, each in its time."""
    rows: list[list[Any]] = []

    def order(fact: Fact) -> tuple[Any, ...]:
        turn = {"Came": 0, "Put": 1, "Left": 2}[type(fact).__name__]
        return fact.key.happened, turn, fact.key.entry_id, fact.key.n

    for fact in sorted(facts, key=order):
        real = [row for row in rows if row[4] != "~missing"]
        if isinstance(fact, Came):
            at = {row[4] for row in real}
            place = fact.place or (min(at) if len(at) == 1 else "~unplaced")
            goods = fact.goods
            rows.append([goods.owner, goods.product, goods.status, goods.lot, place, fact.quantity])
            continue
        whose: list[Any] = []
        if isinstance(fact, Left):
            rest, whose = fact.quantity, [fact.owner, fact.product, fact.status]
            real = [row for row in real if row[:3] == whose]
            real.sort(key=lambda row: (row[4] != fact.near, row[4], row[3]))
        else:
            real = [row for row in real if fact.source is None or row[4] == fact.source]
            everything = sum((row[5] for row in real), D(0))
            rest = everything if fact.quantity is None else fact.quantity
            real = [row for row in real if row[4] != fact.to]
            real.sort(key=lambda row: (row[4], row[0], row[1], row[2], row[3]))
        for row in real:
            part = min(rest, row[5])
            rest -= part
            row[5] -= part
            if isinstance(fact, Put) and part:
                rows.append([*row[:4], fact.to, part])
        if isinstance(fact, Left) and rest:
            rows.append([*whose, "?", "~missing", -rest])
        rows = merged(rows)
    return merged(rows)


def merged(rows: list[list[Any]]) -> list[list[Any]]:
    sums: Sums = defaultdict(D)
    for row in rows:
        sums[tuple(row[:5])] += row[5]
    return [[*what, quantity] for what, quantity in sums.items() if quantity]


# -- random zones ----------------------------------------------------------------------------------


@dataclass
class Zone:
    """Loads that come, are put away and leave, told late, out of order and by wrong clocks."""

    rng: random.Random
    lines: dict[str, Line] = field(default_factory=dict)
    posted: list[Moved] = field(default_factory=list)
    facts: dict[Ref, Fact] = field(default_factory=dict)
    told: list[tuple[Known, list[Fact], list[Ref]]] = field(default_factory=list)
    seq: int = 0

    def live(self, count: int) -> None:
        waiting = [self._fact(number) for number in range(count)]
        while waiting:
            self.rng.shuffle(waiting)
            many = self.rng.randint(1, min(8, len(waiting)))
            news, waiting = waiting[:many], waiting[many:]
            gone = [ref for ref in self.facts if self.rng.random() < 0.02]
            gone += [fact.key.ref for fact in news if self.rng.random() < 0.05]
            self.tell(news, gone)

    def tell(self, news: list[Fact], gone: list[Ref]) -> None:
        self.seq += 1
        known = Known(1, self.seq)
        self.facts.update((fact.key.ref, fact) for fact in news)
        for load in sorted({fact.load for fact in news} | {self.facts[ref].load for ref in gone}):
            line = self.lines.setdefault(load, Line(load))
            mine = [fact for fact in news if fact.load == load]
            self.posted += line.settle(mine, [ref for ref in gone if self.facts[ref].load == load], known)
        for ref in gone:
            del self.facts[ref]
        self.told.append((known, news, gone))

    def _fact(self, number: int) -> Fact:
        rng = self.rng
        at = START + timedelta(minutes=10 * number + rng.choice((0, 0, 0, -300, 45)))
        load, name = f"L{rng.randint(1, 6)}", f"{rng.getrandbits(40):010x}"
        whose = (rng.choice("ab"), rng.choice("pq"), rng.choice((Status.NPF, Status.PF)))
        quantity = D(rng.randint(1, 40)) / rng.choice((1, 1, 8))
        places = ("A-1", "A-2", "B/7", DOOR)
        match rng.choices(("came", "left", "put"), (4, 3, 4))[0]:
            case "came":
                goods = Goods(*whose, f"214-{rng.randint(1, 3)}/1")
                return Came(Key(at, CAME, at, name), load, goods, quantity, rng.choice((DOOR, DOOR, None)))
            case "left":
                return Left(Key(at, LEFT, at, name), load, *whose, quantity, rng.choice((DOOR, None)))
            case _:
                part = rng.choice((None, None, quantity))
                source = rng.choice((None, None, "A-1"))
                return Put(Key(at, PUT, at, name), load, rng.choice(places), part, source)


def summed(posted: Sequence[Moved], as_of: datetime, known: Known) -> Sums:
    """What stands where as of a time, as known on one, by postings alone."""
    sums: Sums = defaultdict(D)
    for one in posted:
        if one.fact.happened <= as_of and one.known <= known:
            goods = one.shift.goods
            whose = (one.load, goods.owner, goods.product, goods.status, goods.lot)
            sums[*whose, one.shift.source] -= one.quantity
            sums[*whose, one.shift.to] += one.quantity
    return {what: quantity for what, quantity in sums.items() if quantity and what[-1] != OUTSIDE}


def replayed(zone: Zone, as_of: datetime, known: Known) -> Sums:
    """The same by the oracle, from the facts that were known then."""
    facts: dict[Ref, Fact] = {}
    for when, news, gone in zone.told:
        if when <= known:
            facts.update((fact.key.ref, fact) for fact in news)
            for ref in gone:
                del facts[ref]
    kept = [fact for fact in facts.values() if fact.key.happened <= as_of]
    found: Sums = {}
    for load in {fact.load for fact in kept}:
        for *what, quantity in oracle([fact for fact in kept if fact.load == load]):
            found[load, *what] = quantity
    return found


def held(zone: Zone, as_of: datetime, known: Known) -> Sums:
    """What is on the floor by what came and left alone, wherever it stands."""
    signs: dict[Ref, tuple[Any, Decimal]] = {}
    for when, news, gone in zone.told:
        if when > known:
            continue
        for fact in news:
            if fact.key.happened <= as_of and isinstance(fact, Came):
                goods = fact.goods
                what = (fact.load, goods.owner, goods.product, goods.status)
                signs[fact.key.ref] = what, fact.quantity
            elif fact.key.happened <= as_of and isinstance(fact, Left):
                signs[fact.key.ref] = (fact.load, fact.owner, fact.product, fact.status), -fact.quantity
        for ref in gone:
            signs.pop(ref, None)
    sums: Sums = defaultdict(D)
    for what, quantity in signs.values():
        sums[what] += quantity
    return {what: quantity for what, quantity in sums.items() if quantity}


def findings(seed: int, count: int, looks: int) -> list[str]:
    """What is wrong with a random zone's places, at instants that are drawn at random."""
    zone = Zone(random.Random(seed))
    zone.live(count)
    rng = random.Random(seed + 1)
    moments = [(START + timedelta(days=999), Known(1, zone.seq))]
    moments += [
        (START + timedelta(minutes=rng.randrange(10 * count)), Known(1, rng.randint(1, zone.seq)))
        for _ in range(looks)
    ]
    wrong = []
    for as_of, known in moments:
        mine = summed(zone.posted, as_of, known)
        if mine != replayed(zone, as_of, known):
            wrong.append(f"as of {as_of}, as known on {known}: not what the oracle says")
        floor: Sums = defaultdict(D)
        for what, quantity in mine.items():
            floor[what[:4]] += quantity
        if {what: each for what, each in floor.items() if each} != held(zone, as_of, known):
            wrong.append(f"as of {as_of}, as known on {known}: places do not sum to what is on the floor")
    now = {
        (line.load, goods.owner, goods.product, goods.status, goods.lot, place): quantity
        for line in zone.lines.values()
        for (goods, place), quantity in line.stands.items()
    }
    if now != summed(zone.posted, *moments[0]):
        wrong.append("what stands now is not the sum of the postings")
    return wrong


@pytest.mark.parametrize("seed", range(12))
def test_any_order_of_arrival_gives_the_places_of_the_oracle_at_any_two_times(seed: int) -> None:
    assert findings(seed, 150, 12) == []


def _loses_the_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = locations._put

    def careless(fact: Put, there: Any) -> Any:
        shifts, found = honest(fact, there)
        lost = {one._replace(goods=Goods("a", *_rest(one.goods))): each for one, each in shifts.items()}
        return lost, found

    monkeypatch.setattr(locations, "_put", careless)


def _rest(goods: Goods) -> tuple[str, Status, str]:
    return goods.product, goods.status, goods.lot


def _books_by_arrival(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locations, "insort", lambda facts, fact, **_: facts.append(fact))
    monkeypatch.setattr(locations, "bisect_left", lambda facts, *_, **__: len(facts))


def _posts_no_contra(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Line._post
    monkeypatch.setattr(Line, "_post", lambda *args: [one for one in honest(*args) if one.quantity > 0])


def _takes_a_part_for_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = locations._put
    monkeypatch.setattr(
        locations,
        "_put",
        lambda fact, there: honest(Put(fact.key, fact.load, fact.to, None, fact.source), there),
    )


def _leaves_from_the_door_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = locations._left

    def careless(fact: Left, there: Any) -> Any:
        return honest(fact, {one: each for one, each in there.items() if one[1] in (fact.near, MISSING)})

    monkeypatch.setattr(locations, "_left", careless)


@pytest.mark.parametrize(
    "plant",
    [
        _loses_the_owner,
        _books_by_arrival,
        _posts_no_contra,
        _takes_a_part_for_the_whole,
        _leaves_from_the_door_alone,
    ],
)
def test_a_planted_bug_is_found(plant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    assert findings(2, 150, 12)


# -- single loads ----------------------------------------------------------------------------------


def test_a_load_stands_at_its_door_until_it_is_put_away_and_leaves_from_where_it_is() -> None:
    line, posted = told(came(0), put(10, "A-1"), put(20, "B/7"), left(30))
    assert stands(line) == {}
    assert [(one.shift.source, one.shift.to, str(one.quantity)) for one in posted] == [
        (OUTSIDE, DOOR, "40"),
        (DOOR, "A-1", "40"),
        ("A-1", "B/7", "40"),
        ("B/7", OUTSIDE, "40"),
    ]


def test_a_move_that_is_told_late_has_the_withdrawal_taken_from_where_the_load_was() -> None:
    _, posted = told(came(0), left(30), put(10, "A-1"))
    assert [(one.shift.source, one.shift.to, str(one.quantity), one.known.seq) for one in posted] == [
        (OUTSIDE, DOOR, "40", 1),
        (DOOR, OUTSIDE, "40", 2),
        (DOOR, "A-1", "40", 3),
        ("A-1", OUTSIDE, "40", 3),
        (DOOR, OUTSIDE, "-40", 3),
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (1, 2, 0)])
def test_a_move_that_is_told_before_its_admission_moves_it_once_that_is_known(order: tuple[int, ...]) -> None:
    facts = (came(0), put(10, "A-1"), left(30, "15"))
    line, posted = told(*(facts[at] for at in order))
    assert stands(line) == {"A-1": 25}
    assert not lacks(put(10, "A-1"), line.found[put(10, "A-1").key.ref])
    assert summed(posted, START + timedelta(minutes=15), Known(1, 3)) == {
        ("L", "anna", "tools", Status.NPF, "214-1/1", "A-1"): 40
    }


@pytest.mark.parametrize(
    "facts", [(put(10, "A-1"),), (put(10, "A-1"), came(20)), (came(0), left(5), put(10, "A-1"))]
)
def test_a_load_that_is_not_there_yet_or_any_more_is_not_moved_and_that_is_told(facts: Any) -> None:
    line, posted = told(*facts)
    assert "A-1" not in stands(line)
    assert all(one.shift.to != "A-1" for one in posted)
    ref = put(10, "A-1").key.ref
    assert line.found[ref] == 0
    assert lacks(put(10, "A-1"), line.found[ref])


def test_a_part_is_put_away_and_what_is_not_there_is_told() -> None:
    line, _ = told(came(0), put(10, "A-1", "15"), put(20, "A-2", "30", "A-1"), put(30, "A-2", "25", DOOR))
    assert stands(line) == {"A-2": 40}
    found = [line.found[put(minute, "").key.ref] for minute in (10, 20, 30)]
    assert found == [15, 15, 25]
    assert [lacks(put(20, "A-2", "30"), found[1]), lacks(put(30, "A-2", "25"), found[2])] == [True, False]


def test_a_load_that_stands_there_already_stays_and_is_no_case() -> None:
    line, posted = told(came(0), put(10, "A-1"), put(20, "A-1"))
    assert stands(line) == {"A-1": 40}
    assert len(posted) == 2
    assert not lacks(put(20, "A-1"), line.found[put(20, "A-1").key.ref])


def test_goods_that_change_their_status_stay_where_their_load_stands() -> None:
    other = Goods("anna", "tools", Status.PF, "PF-1/1")
    line, _ = told(came(0), put(10, "A-1"), came(20, "40", None, other), left(20))
    assert line.stands == {(other, "A-1"): 40}


def test_goods_that_are_found_on_no_known_load_are_unplaced() -> None:
    assert stands(told(came(0, "3", None))[0]) == {UNPLACED: 3}


def test_what_leaves_without_being_there_is_missing_and_no_place_is_below_zero() -> None:
    line, _ = told(came(0, "10"), left(10, "15"))
    assert stands(line) == {MISSING: -5}
    line, _ = told(left(10, "15"), came(20, "10"))
    assert stands(line) == {MISSING: -15, DOOR: 10}


def test_a_corrected_movement_never_was_from_then_on() -> None:
    line, posted = told(came(0), put(10, "A-1"), left(30))
    posted += line.settle((), [left(30).key.ref], Known(1, 4))
    assert stands(line) == {"A-1": 40}
    assert posted[-1].quantity == -40
    then = START + timedelta(minutes=40)
    assert (summed(posted, then, Known(1, 3)), len(summed(posted, then, Known(1, 4)))) == ({}, 1)
