# SPDX-License-Identifier: Apache-2.0
"""Work orders through the ledger: whatever came, was issued, lost or brought back, late or in time, what was
issued is in the product, scrap, waste or back, in both units."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.documents import Status
from customs.known import Known
from customs.ledger.balances import balances, faults
from customs.ledger.facts import CONSUMED, MADE, STOCK, In, Key, Out, Queue, Ref
from customs.ledger.quantities import NOTHING, Pair
from customs.works import content as works
from customs.works.content import Lost, Part, between
from tests.customs.ledger.book import Book
from tests.customs.works.examples import HOUSING, OWNER

D = Decimal
START = datetime(2026, 6, 1, tzinfo=UTC)
STOCKED = Queue(OWNER, HOUSING, Status.PF)

counts = st.integers(1, 400)
losses = st.fractions(0, 1)
orders = st.tuples(counts, st.integers(0, 50), losses)
"""What is issued, what of it comes back, which share of the rest is lost."""


def key(minute: int, turn: int, name: str, n: int = 0) -> Key:
    at = START + timedelta(minutes=minute)
    return Key(at, turn, at, name, n)


def facts_of(came: list[int], made: list[tuple[int, int, Any]]) -> list[In | Out]:
    """Layers that came one after the other, then orders: issued, brought back in part, used up."""
    facts: list[In | Out] = []
    for number, count in enumerate(came):
        customs = (D(count) * D("1.2371")).quantize(D("0.000001"))
        facts.append(In(STOCKED, key(number, 0, f"in-{number}"), f"214/{number}", Pair(D(count), customs)))
    for number, (issued, back, _) in enumerate(made):
        work = Queue(OWNER, HOUSING, Status.PF, f"wip:{number}")
        name, minute = f"order-{number}", len(came) + 2 * number
        facts.append(Out(STOCKED, key(minute, 1, name), D(issued), work.place, onward=work))
        if back and back < issued:
            facts.append(Out(work, key(minute + 1, 1, name, 1), D(back), STOCK, onward=STOCKED))
        used = issued - (back if back < issued else 0)
        facts.append(Out(work, key(minute + 1, 1, name, 2), D(used), CONSUMED))
    return facts


def contents(book: Book, number: int, share: Any) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """What of an order is in its product, and what was lost, as the books draw it now."""
    takes = book.takes(Ref(f"order-{number}", 2))
    used = [Part(take.lot, HOUSING, Status.PF, take.pair) for take in takes if take.lot != "?"]
    count = sum((part.pair.commercial for part in used), D(0))
    lost = (count * share.numerator / share.denominator).quantize(D(1))
    return works._parted(used, [Lost(HOUSING, min(lost, count))])


@given(
    came=st.lists(counts, min_size=1, max_size=6),
    made=st.lists(orders, min_size=1, max_size=4),
    chance=st.randoms(use_true_random=False),
)
def test_what_was_issued_is_in_the_product_or_lost_or_back_in_both_units(
    came: list[int], made: list[tuple[int, int, Any]], chance: Any
) -> None:
    facts = facts_of(came, made)
    chance.shuffle(facts)
    book = Book()
    for seq, fact in enumerate(facts, start=1):
        book.take(Known(0, seq), [fact])
    sums = balances(book.postings)
    assert faults(sums) == []
    contained = NOTHING
    for number, (_, _, share) in enumerate(made):
        inside, lost = contents(book, number, share)
        for part in (*inside, *lost):
            contained += part.pair
    assert contained == sum(
        (pair for account, pair in sums.items() if account.account == CONSUMED and account.lot != "?"),
        NOTHING,
    )


@given(came=st.lists(counts, min_size=2, max_size=6), made=st.lists(orders, min_size=1, max_size=3))
def test_an_admission_that_is_told_late_changes_content_and_no_quantity(
    came: list[int], made: list[tuple[int, int, Any]]
) -> None:
    facts = facts_of(came, made)
    in_time, late = Book(), Book()
    in_time.take(Known(0, 1), facts)
    late.take(Known(0, 1), [fact for fact in facts if fact.key.entry_id != "in-0"])
    late.take(Known(0, 2), [fact for fact in facts if fact.key.entry_id == "in-0"])
    for number, (_, _, share) in enumerate(made):
        assert contents(late, number, share) == contents(in_time, number, share)


def test_a_finished_lot_that_leaves_in_pallets_takes_its_parts_with_it() -> None:
    facts = facts_of([408, 357], [(765, 0, 0)])
    book = Book()
    pump = Queue(OWNER, "PUMP", Status.PF)
    book.take(Known(0, 1), [*facts, In(pump, key(5, 0, "made"), "WO-0", Pair(D(750), D(750)), MADE)])
    inside, _ = works._parted(
        [Part(take.lot, HOUSING, Status.PF, take.pair) for take in book.takes(Ref("order-0", 2))],
        [Lost(HOUSING, D(15))],
    )
    left: dict[str, Decimal] = {}
    for pallet in range(30):
        for part in between(inside, D(750), D(25 * pallet), D(25 * pallet + 25)):
            left[part.lot] = left.get(part.lot, D(0)) + part.pair.commercial
    assert left == {"214/0": 400, "214/1": 350}


def test_a_content_that_forgets_the_waste_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = works._parted
    monkeypatch.setattr(works, "_parted", lambda drawn, lost: (right(drawn, lost)[0], ()))
    with pytest.raises(AssertionError):
        test_what_was_issued_is_in_the_product_or_lost_or_back_in_both_units()
