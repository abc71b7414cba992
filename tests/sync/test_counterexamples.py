# SPDX-License-Identifier: Apache-2.0
"""Histories that a simulation found and that once broke a promise of the record, cut down to their bones."""

from __future__ import annotations

from decimal import Decimal

import pytest

from customs.documents import Conveyance, Direction
from edge.leases import returns, wants
from sync import leasing, wire
from sync.bodies import Amount, Recall, Returned
from sync.decisions import write_off
from sync.errors import WireError
from sync.leasing import Holder
from tests.sync.memory import LINE, TENANT, ZONE, Center, Chance, Node, enrolled

ZERO = Decimal(0)


@pytest.fixture
def chance() -> Chance:
    return Chance()


def exchange(node: Node, center: Center) -> None:
    """An exchange as the dock has it: what is not needed goes back first, and what is lacked is said."""
    for returned in list(returns(node.books, node.doors, node.have)):
        node.write("return", returned)
    ask = node.sync.ask(
        node.chance.hex(),
        node.epoch,
        node.told,
        node.store,
        lambda: node.signer.head(node.told),
        wants(node.books, node.doors),
    )
    body = wire.encode(ask)
    node.take(center.answer(body, node.signer.sign(wire.request_message(body))))


def rounds_to_rest(center: Center, *nodes: Node) -> int:
    """Rounds of exchanges until no log grows; 30 when they never rest."""
    for count in range(30):
        before = (len(center.log), [node.told for node in nodes])
        for node in nodes:
            exchange(node, center)
        if before == (len(center.log), [node.told for node in nodes]):
            return count
    return 30


# -- leases come to rest ------------------------------------------------------------------------------


def short_of(node: Node, quantity: int) -> None:
    """A load of this size was refused in front of a door."""
    node.books.state.short[str(LINE)] = Decimal(quantity)


def test_two_docks_that_are_short_do_not_echo(chance: Chance) -> None:
    """Each was told of the other's lease alone; each telling was news to both, for ever."""
    center = Center(chance)
    center.plan(doors=("dock-1-out", "dock-2-out", "dock-3-out"))
    nodes = [enrolled(Node(chance, f"dock-{n}"), center, f"code-{n}") for n in (1, 2, 3)]
    for node in nodes:
        short_of(node, 700)
    assert rounds_to_rest(center, *nodes) < 15


def test_what_is_given_back_for_another_dock_is_not_lent_to_the_giver_again(chance: Chance) -> None:
    center = Center(chance)
    center.plan(doors=("dock-1-out", "dock-2-out"))
    first = enrolled(Node(chance, "dock-1"), center)
    second = enrolled(Node(chance, "dock-2"), center, "code-2")
    short_of(second, 700)
    assert rounds_to_rest(center, second, first) < 15
    assert second.spendable() >= 700, "the load in front of the door can pass"


def test_shares_are_whole_loads() -> None:
    """A third of a line has more decimals than a count may have: what came back was never counted."""
    asker = Holder("dock-1", "e1", ZERO, Decimal(10))
    other = Holder("dock-2", "e2", Decimal(90), ZERO)
    third = Holder("dock-3", "e3", ZERO, ZERO)
    planned = leasing.plan(
        asker,
        [other, third],
        ["dock-1", "dock-2", "dock-3"],
        authorized=Decimal(100),
        free=ZERO,
        short=ZERO,
        promised=ZERO,
        load=Decimal(5),
        recalled={},
    )
    assert all(quantity % 5 == 0 for quantity in planned.recalls.values())
    assert planned.recalls


def test_a_dock_keeps_what_the_load_in_front_of_it_needs(chance: Chance) -> None:
    center = Center(chance)
    center.plan()
    node = enrolled(Node(chance), center)
    short_of(node, 500)
    center.write("recall", Recall(LINE.permit, LINE.line, node.name, node.epoch, Decimal(700)))
    node.settle(center)
    assert list(returns(node.books, node.doors, node.have)) == [
        Returned(LINE.permit, LINE.line, Decimal(300))
    ]


def test_a_dock_that_sees_no_truck_is_not_lent_the_same_again(chance: Chance) -> None:
    """Two machines of one node: what the one closed, the other has open, and the center expects it."""
    center = Center(chance)
    center.plan()
    node = enrolled(Node(chance), center)
    node.books.state.conveyances.clear()
    assert rounds_to_rest(center, node) < 5
    assert node.spendable() == 0
    center.write(
        "conveyance",
        Conveyance("T-9", "Trailer", "Carrier", "dock-1-out", Direction.OUT, permit_lines=(LINE,)),
    )
    assert rounds_to_rest(center, node) < 5
    assert node.spendable() == 800, "a new truck makes it stock up again"


# -- a restored center --------------------------------------------------------------------------------


def test_a_center_from_before_an_epoch_is_sent_it_from_its_begin(chance: Chance) -> None:
    """It cannot check a signature of a key that it never met, so it cannot even say what it lacks."""
    center = Center(chance)
    center.plan()
    backup = center.backup()
    node = enrolled(Node(chance), center)
    node.withdraw(10)
    node.settle(center)
    backup.codes.add("code-1")
    with pytest.raises(WireError, match="send it from its first entry"):
        node.exchange(backup)
    with pytest.raises(WireError, match="send it from its first entry"):
        node.exchange(backup)  # the control: it would go on like that
    node.sync.refused()
    node.settle(backup)
    assert backup.copies.head(node.epoch) == node.told


def test_people_can_count_an_epoch_that_a_restored_center_has_forgotten(chance: Chance) -> None:
    """Its store is lost, its anchor is not: the child names an end that nobody has."""
    center = Center(chance)
    center.plan()
    backup = center.backup()
    node = enrolled(Node(chance), center)
    lost = node.epoch
    node.withdraw(10)
    node.settle(center)
    node.store = type(node.store)()
    node.start()
    backup.codes.add("code-1")
    node.settle(backup)
    assert lost not in backup.book.epochs
    count = [Amount(LINE.permit, LINE.line, Decimal(10))]
    for kind, body in write_off(backup.book, node.name, [lost], count, by="s", note="counted"):
        backup.write(kind, body)
    assert backup.book.is_closed(lost)
    assert backup.charged() - backup.book.accounts.lines[LINE][node.epoch].open == 10
    assert (backup.book.tenant, backup.book.zone) == (TENANT, ZONE)
