# SPDX-License-Identifier: Apache-2.0
"""A log may name so many accounts and no more, and every fold of it comes to the same."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec
import pytest

from customs.documents import LineRef
from sync.bodies import Adopt, Grant, Returned, Saw
from sync.center import CenterBook, recompute
from sync.chain import Stored
from sync.entry import Place, record_hash
from tests.sync.memory import LINE, TENANT, ZONE, Center, Node, movement

LINES = 5


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.center.LINES_MAX", LINES)


def made_up(number: int) -> LineRef:
    return LineRef("made-up", str(number))


def stray(center: Center) -> int:
    """Accounts that no permit speaks of."""
    lines = center.book.accounts.lines
    return sum(len(lines[ref]) for ref in lines if center.book.line(ref) is None)


def recomputed(center: Center) -> CenterBook:
    """The book as a filing would make it anew."""

    def run(_: str, epoch: str, after: int, upto: int) -> Iterable[Stored]:
        return center.copies.logs[epoch][after:upto]

    *_, (_, book) = recompute(TENANT, ZONE, center.log, run)
    return book


def same_in_every_fold(center: Center) -> None:
    for anew in (center.folded_anew(), recomputed(center)):
        assert anew.accounts == center.book.accounts
        assert {name: known.unread for name, known in anew.epochs.items()} == {
            name: known.unread for name, known in center.book.epochs.items()
        }


@pytest.mark.parametrize("spent_first", [True, False])
def test_lines_that_a_node_makes_up_open_no_accounts_without_end(
    center: Center, node: Node, spent_first: bool
) -> None:
    """Which lines are known by a permit or a grant must not matter: the logs may be read in another order."""
    if spent_first:
        node.withdraw(7)
    for number in range(3 * LINES):
        node.withdraw(1, made_up(number))
        node.write("return", Returned("given-back", str(number), Decimal(1)))
        node.exchange(center)
    if not spent_first:
        node.withdraw(7)
    node.settle(center)
    assert stray(center) == LINES - spent_first
    assert center.book.accounts.lines[LINE][node.epoch].used == (7 if spent_first else 0)
    assert center.charged() == 800, "what was lent stays charged"
    assert center.book.epochs[node.epoch].unread, "what it used beyond is not known"
    assert center.copies.head(node.epoch) == node.told, "stored like any other"
    same_in_every_fold(center)


def test_so_many_lines_are_no_fault(center: Center, node: Node) -> None:
    for number in range(LINES):
        for _ in range(3):
            node.withdraw(1, made_up(number))
    node.settle(center)
    assert stray(center) == LINES
    assert not center.book.epochs[node.epoch].unread
    same_in_every_fold(center)


def test_grants_that_a_node_makes_up_are_bounded_and_those_of_this_center_name_nothing(
    center: Center, node: Node
) -> None:
    for number in range(3 * LINES):
        center.write("grant", Grant("W06", LINE.line, node.name, node.epoch, Decimal(1)))
        node.settle(center)
        grant = Grant("made-up", str(number), node.name, f"{number:032x}", Decimal(1))
        made = node.chance.entry("c" * 32, None, "grant", grant, None)
        place = Place("c" * 32, 1, record_hash(made.record))
        node.write("saw", Saw("c" * 32, place, (msgspec.Raw(made.record),)))
        node.settle(center)
    assert stray(center) == LINES
    assert len(center.book.forgotten) == LINES
    assert center.granted(node.epoch) == 800 + 3 * LINES
    assert center.book.epochs[node.epoch].unread
    same_in_every_fold(center)


def test_what_a_log_adopts_is_named_by_it(center: Center, node: Node) -> None:
    for number in range(3 * LINES):
        fact = node.chance.entry(f"{number:032x}", None, "withdrawal", movement(1, made_up(0)), node.doors[0])
        for _ in range(2):  # told again twice, it counts once
            node.write("adopt", Adopt(msgspec.Raw(fact.record)))
    node.settle(center)
    assert stray(center) == LINES
    assert sum(account.used for account in center.book.accounts.lines[made_up(0)].values()) == LINES
    assert center.book.epochs[node.epoch].unread
    same_in_every_fold(center)
