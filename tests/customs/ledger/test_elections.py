# SPDX-License-Identifier: Apache-2.0
"""Elections hold from their instant on, for whom they name, and never backwards; what they do to books."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from customs.documents import Status
from customs.known import Known
from customs.ledger.balances import balances
from customs.ledger.corrections import compensation
from customs.ledger.elections import Election, Method, elected, named_lot, why_refused
from customs.ledger.facts import (
    CONSTRUCTIVE,
    OVERDRAWN,
    STOCK,
    TERRITORY,
    In,
    Key,
    Out,
    Queue,
    Ref,
    booked,
)
from customs.ledger.quantities import Pair
from tests.customs.ledger.book import Book

NOON = datetime(2026, 6, 3, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
STOCKED = Queue("owner", "product", Status.NPF)
SPECIFIC = Election("owner", Method.SPECIFIC, NOON, "manual 4.2")


@pytest.mark.parametrize(
    ("owner", "product", "at", "method"),
    [
        ("owner", "product", NOON - timedelta(microseconds=1), Method.FIFO),
        ("owner", "product", NOON, Method.SPECIFIC),
        ("owner", "other", NOON + DAY, Method.SPECIFIC),
        ("else", "product", NOON + DAY, Method.FIFO),
        ("owner", "product", NOON + 2 * DAY, Method.FIFO),
        ("owner", "other", NOON + 2 * DAY, Method.SPECIFIC),
    ],
)
def test_an_election_holds_from_its_instant_and_the_products_own_outranks(
    owner: str, product: str, at: datetime, method: Method
) -> None:
    elections = [SPECIFIC, Election("owner", Method.FIFO, NOON + 2 * DAY, "manual 5", "product")]
    assert elected(elections, owner, product, at) is method
    assert elected(reversed(elections), owner, product, at) is method


def test_an_election_is_refused_backwards_twice_and_without_authority() -> None:
    assert why_refused(SPECIFIC, NOON, []) is None
    assert "has passed" in (why_refused(SPECIFIC, NOON + HOUR, []) or "")
    assert "same instant" in (why_refused(SPECIFIC, NOON, [SPECIFIC]) or "")
    assert "authority" in (why_refused(Election("owner", Method.FIFO, NOON, " "), NOON, []) or "")


def _key(at: datetime, turn: int, entry_id: str) -> Key:
    return Key(at, turn, at, entry_id)


def _stocked(book: Book) -> None:
    """Two lots of ten, a day apart."""
    for day, lot in enumerate(("L1", "L2")):
        at = NOON + day * DAY
        came = In(STOCKED, _key(at, 0, lot), lot, Pair(Decimal(10), Decimal("3.3")))
        book.take(Known(1, day + 1), [came])


def test_a_named_lot_leaves_though_an_older_one_is_there_and_lacks_when_nobody_named_it() -> None:
    book = Book()
    _stocked(book)
    at = NOON + 2 * DAY
    picked = named_lot(Method.SPECIFIC, "L2")
    book.take(Known(1, 3), [Out(STOCKED, _key(at, 1, "o1"), Decimal(4), TERRITORY, picked)])
    book.take(
        Known(1, 4),
        [Out(STOCKED, _key(at, 1, "o2"), Decimal(3), TERRITORY, named_lot(Method.SPECIFIC, None))],
    )
    left = {
        (account.lot, account.account): pair.commercial for account, pair in balances(book.postings).items()
    }
    assert (left["L1", STOCK], left["L2", STOCK]) == (Decimal(10), Decimal(6))
    assert left["?", OVERDRAWN] == -3
    assert named_lot(Method.FIFO, "L2") is None


@pytest.mark.parametrize("quantity", ["4", "13", "25"])
def test_a_frozen_withdrawal_that_is_corrected_puts_its_goods_back_where_they_stood(quantity: str) -> None:
    book = Book()
    _stocked(book)
    before = balances(book.postings)
    at = NOON + 2 * DAY
    gone = Out(STOCKED, _key(at, 1, "o"), Decimal(quantity), TERRITORY)
    book.take(Known(1, 3), [gone])
    book.frozen_until = NOON + 3 * DAY
    pinned = balances(book.postings, book.frozen_until)
    late = booked(at, book.frozen_until)
    book.take(Known(1, 4), compensation(gone, book.takes(Ref("o")), Key(late, 0, NOON + 4 * DAY, "c")))
    assert balances(book.postings, book.frozen_until) == pinned
    assert balances(book.postings) == before
    later = NOON + 5 * DAY
    book.take(Known(1, 5), [Out(STOCKED, _key(later, 1, "p"), Decimal(5), TERRITORY)])
    assert [take.lot for take in book.takes(Ref("p"))] == ["L1"] * len(book.takes(Ref("p")))


def test_a_rejected_entry_restores_status_and_layer_of_goods_that_were_constructively_out() -> None:
    """19 CFR 146.61."""
    book = Book()
    _stocked(book)
    bonded = Queue("owner", "product", Status.NPF, CONSTRUCTIVE + "06-1")
    accepted, rejected = NOON + 2 * DAY, NOON + 3 * DAY
    book.take(Known(1, 3), [Out(STOCKED, _key(accepted, 1, "a"), Decimal(12), bonded.place, onward=bonded)])
    between = balances(book.postings, accepted)
    assert sum(pair.commercial for one, pair in between.items() if one.account == bonded.place) == 12
    book.take(Known(1, 4), [Out(bonded, _key(rejected, 1, "r"), Decimal(12), STOCK, onward=STOCKED)])
    assert [(layer.lot, int(layer.left.commercial)) for layer in book.layers(STOCKED)] == [
        ("L1", 10),
        ("L2", 8),
        ("L2", 2),
    ]
    assert balances(book.postings, accepted) == between
