# SPDX-License-Identifier: Apache-2.0
"""What the center refuses, and what it stores although it cannot read it."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from sync import wire
from sync.bodies import Use
from sync.chain import BeginAnew
from sync.entry import Place, record_hash
from sync.errors import SignatureError, WireError
from tests.sync.memory import LINE, Center, Node, enrolled, movement, proven
from zonegate.simulation.stores import Chance


def test_an_overlap_with_another_hash_is_refused_and_nothing_of_it_is_stored(
    center: Center, node: Node
) -> None:
    forked = node.clone()
    forked.anchor, forked.secret = node.anchor, node.secret
    forked.start()
    node.withdraw(1)
    node.settle(center)
    for _ in range(3):
        forked.withdraw(2)
    before = center.stored()
    forked.sync.have = {}
    taken = forked.exchange(center)
    assert "another hash" in taken.refused[node.epoch]
    assert center.stored() == before


def test_an_unknown_key_without_a_code_is_refused(chance: Chance, center: Center) -> None:
    stranger = Node(chance, "dock-9")
    stranger.start()
    with pytest.raises(SignatureError, match="central enrol dock-9"):
        center.answer(*stranger.ask())
    stranger.code = "guessed"
    stranger.start()
    with pytest.raises(SignatureError):
        center.answer(*stranger.ask())
    assert center.stored() == []
    assert "dock-9" not in center.book.keys, "a stranger takes no room"


def test_a_code_enrols_one_key_once(chance: Chance, center: Center) -> None:
    enrolled(Node(chance), center)
    second = Node(chance)
    second.code = "code-1"
    second.start()
    with pytest.raises(SignatureError):
        center.answer(*second.ask())


def test_a_wrong_signature_is_refused(center: Center, node: Node) -> None:
    node.withdraw(1)
    body, signature = node.ask()
    before = center.stored()
    for wrong in (signature[:-2] + "00", "", "zz", node.signer.sign(body)):
        with pytest.raises(SignatureError):
            center.answer(body, wrong)
    with pytest.raises(SignatureError):
        center.answer(body + b" ", signature)
    assert center.stored() == before
    center.answer(body, signature)


def test_another_tenants_node_is_refused(chance: Chance, center: Center) -> None:
    foreign = Node(chance, tenant="other")
    foreign.code = "code-1"
    foreign.start()
    with pytest.raises(WireError, match="correct \\[node\\] tenant and zone"):
        center.answer(*foreign.ask())


def test_a_node_cannot_speak_for_anothers_epoch(chance: Chance, center: Center, node: Node) -> None:
    other = enrolled(Node(chance, "dock-2"), center, "code-2")
    ask = msgspec.structs.replace(wire.read_ask(other.ask()[0]), epoch=node.epoch)
    body = wire.encode(ask)
    with pytest.raises(SignatureError, match="is of node dock-1"):
        center.answer(body, other.signer.sign(wire.request_message(body)))


def test_a_node_cannot_close_anothers_account(chance: Chance, center: Center, node: Node) -> None:
    """A Begin that names another node's head as its own parent's end frees nothing."""
    thief = Node(chance, "dock-2")
    thief.doors = node.doors
    thief.code = "code-2"
    center.codes.add("code-2")
    thief.anchor = node.told
    ruling = thief.start()
    assert isinstance(ruling, BeginAnew)
    assert ruling.end == node.told
    for _ in range(3):
        thief.exchange(center)
    assert not center.book.is_closed(node.epoch)
    assert thief.spendable() == 0
    proven(center, node, thief)


def test_one_log_twice_in_an_ask_is_refused(center: Center, node: Node) -> None:
    node.withdraw(1)
    ask = wire.read_ask(node.ask()[0])
    body = wire.encode(msgspec.structs.replace(ask, parts=ask.parts * 2))
    with pytest.raises(WireError, match="one log twice"):
        center.answer(body, node.signer.sign(wire.request_message(body)))


def test_two_signed_heads_of_one_place_are_noticed_before_their_entries_come(
    center: Center, node: Node
) -> None:
    node.withdraw(1)
    ask = wire.read_ask(node.ask()[0])
    heads = [node.signer.head(Place(node.epoch, node.told.seq + 5, digit * 64)) for digit in "ab"]

    def shown(number: int) -> dict[str, str]:
        [part] = ask.parts
        part = msgspec.structs.replace(part, head=heads[number])
        body = wire.encode(msgspec.structs.replace(ask, parts=(part,)))
        return wire.read_answer(center.answer(body, node.signer.sign(wire.request_message(body)))).refused

    assert shown(0) == {}
    assert "two signed heads" in shown(1)[node.epoch]


def test_a_head_that_its_own_entries_do_not_have_is_refused(center: Center, node: Node) -> None:
    node.withdraw(1)
    ask = wire.read_ask(node.ask()[0])
    [part] = ask.parts
    part = msgspec.structs.replace(part, head=node.signer.head(Place(node.epoch, node.told.seq, "a" * 64)))
    body = wire.encode(msgspec.structs.replace(ask, parts=(part,)))
    before = center.stored()
    answer = wire.read_answer(center.answer(body, node.signer.sign(wire.request_message(body))))
    assert node.epoch in answer.refused
    assert center.stored() == before


def test_an_entry_that_this_center_cannot_read_blocks_nothing_and_closes_nothing(
    center: Center, node: Node
) -> None:
    old, parent = node.backup(), node.epoch
    stored = node.chance.entry(
        node.epoch, node.store.head(node.epoch), "withdrawal", movement(7), node.doors[0]
    )
    record = stored.record.replace(b"zonegate.movement.v1", b"zonegate.movement.v9")
    entry = msgspec.structs.replace(stored.entry, schema="zonegate.movement.v9")
    node.store.append(type(stored)(record, entry, record_hash(record)))
    node.anchor = node.store.head(node.epoch)
    node.withdraw(3)
    node.exchange(center)
    assert center.copies.head(parent) == node.told, "stored like any other"

    node.store = old
    node.start()
    node.settle(center)
    assert not center.book.is_closed(parent), "what it used of the line is not known"
    assert center.charged() == 800


def test_a_machine_rolled_back_behind_its_signed_head_is_shown_it_and_begins_anew(
    center: Center, node: Node
) -> None:
    """The center has heard of a head whose entries never came; the machine that goes on wrote others."""
    twin = node.clone()
    twin.anchor, twin.secret = node.anchor, node.secret
    twin.start()
    for quantity in (1, 2, 3):
        node.withdraw(quantity)
        twin.withdraw(quantity + 10)
    center.book.claim(node.signer.head(node.told))
    taken = twin.exchange(center)
    assert twin.epoch in taken.refused
    assert taken.foreign == node.told
    assert taken.have.get(twin.epoch, 0) < node.told.seq, "what was shown is not taken for what is stored"
    ruling = twin.start(shown=[taken.foreign])
    assert isinstance(ruling, BeginAnew)
    assert ruling.end is None
    fresh = twin.exchange(center)
    assert fresh.have[twin.epoch] > 0, "the new epoch is taken"


@pytest.mark.parametrize("between", ["one ask", "two asks", "a center that starts again"])
def test_a_movement_is_credited_once_however_often_it_is_taken_back(
    center: Center, node: Node, between: str
) -> None:
    """Two corrections of one movement are both stored; the second is a case for people."""
    node.withdraw(200)
    moved = node.withdraw(125)
    node.settle(center)
    assert used(center, node) == 325
    node.undo(moved)
    if between != "one ask":
        node.settle(center)
        assert used(center, node) == 200, "the control: the first correction gives back"
    if between == "a center that starts again":
        center.book = center.folded_anew()
    node.undo(moved)
    node.settle(center)
    assert used(center, node) == 200
    assert center.copies.head(node.epoch) == node.told, "stored like any other"
    proven(center, node)


def test_a_movement_of_another_epoch_is_not_credited(center: Center, node: Node) -> None:
    old, parent = node.backup(), node.epoch
    moved = node.withdraw(300)
    node.settle(center)
    node.store = old
    assert isinstance(node.start(), BeginAnew)
    node.settle(center)
    node.withdraw(100)
    node.undo(moved)
    node.settle(center)
    assert used(center, node) == 100
    assert center.book.accounts.lines[LINE][parent].used == 300
    assert center.copies.head(node.epoch) == node.told
    proven(center, node)


@pytest.mark.parametrize(
    "wrong", [Use(LINE.permit, LINE.line, Decimal(126)), Use(LINE.permit, "2", Decimal(125))]
)
def test_a_correction_of_another_use_than_its_movement_had_credits_nothing(
    center: Center, node: Node, wrong: Use
) -> None:
    moved = node.withdraw(125)
    node.undo(moved, wrong)
    node.settle(center)
    assert used(center, node) == 125
    assert center.book.accounts.lines.keys() == {LINE}
    node.undo(moved)
    node.settle(center)
    assert used(center, node) == 0, "the control: the use it had"
    proven(center, node)


def test_only_the_last_movements_of_a_door_can_be_taken_back(
    center: Center, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.center.UNDO_MAX", 2)
    first, second, _ = (node.withdraw(quantity) for quantity in (1, 10, 100))
    node.undo(first)
    node.settle(center)
    assert used(center, node) == 111
    node.undo(second)
    node.settle(center)
    assert used(center, node) == 101
    proven(center, node)


def used(center: Center, node: Node) -> Decimal:
    return center.book.accounts.lines[LINE][node.epoch].used
