# SPDX-License-Identifier: Apache-2.0
"""Worked histories of one node, or two, and a center: what happened, and what follows by the rules.

Only the pure classes run here, with stores in memory. Each test is a story to be read from top to bottom.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest

from customs.documents import Status
from sync import wire
from sync.bodies import Begin, Close, read_body
from sync.chain import BeginAnew, GoOn
from sync.entry import Place
from sync.errors import SignatureError, SyncError
from tests.sync.memory import LINE, TENANT, ZONE, Center, Node, enrolled, movement, proven
from zonegate.simulation.stores import Chance

# -- an ordinary life -----------------------------------------------------------------------------


def test_first_start_and_first_exchange(chance: Chance, center: Center) -> None:
    node = Node(chance)
    node.code = "code-1"

    ruling = node.start()
    assert ruling == BeginAnew(None, None, "first start")
    assert node.spendable() == 0

    taken = node.exchange(center)
    assert taken.saw is not None, "the center's Begin, product, permit, truck and grant came down"
    assert len(taken.saw.entries) == 5
    assert center.types()[-2:] == ["center-saw", "grant"]
    assert node.books.state.permits.keys() == {LINE.permit}

    node.exchange(center)
    assert node.spendable() == 800
    assert center.stored() == [stored.entry.entry_id for stored in node.store.all()]
    proven(center, node)


def test_a_withdrawal_reaches_the_books_once(center: Center, node: Node) -> None:
    node.withdraw(125)
    assert node.sync.behind(node.epoch, node.told) == 1
    node.exchange(center)
    assert node.sync.behind(node.epoch, node.told) == 0
    account = center.book.accounts.lines[LINE][node.epoch]
    assert account.granted == 800
    assert account.used == 125
    proven(center, node)


def test_nothing_new_writes_nothing_on_either_side(center: Center, node: Node) -> None:
    """S3: a Saw is written only for entries, else two logs echo for ever."""
    before = (len(center.log), len(list(center.copies.all())), node.told)
    for _ in range(10):
        assert node.exchange(center).saw is None
    assert (len(center.log), len(list(center.copies.all())), node.told) == before

    node.withdraw(5)
    for _ in range(10):
        node.exchange(center)
    assert center.types()[before[0] :] == ["center-saw", "holdings"]
    assert node.told.seq == before[2].seq + 1, "a Saw that tells of nothing is not written"


def test_an_empty_range_moves_the_cursor(center: Center, node: Node) -> None:
    node.withdraw(5)
    taken = node.exchange(center)
    assert taken.saw is None
    assert taken.cursor == center.book.head
    assert node.books.state.cursor != taken.cursor, "only a Saw moves it for good"
    node.start()
    node.exchange(center)
    assert wire.read_ask(node.ask()[0]).cursor == center.book.head


def test_a_grant_may_be_used_once_the_center_confirmed_its_saw(chance: Chance, center: Center) -> None:
    """S4: a clone lets two machines take one grant; only one of their Saws is ever confirmed."""
    node = Node(chance)
    node.code = "code-1"
    node.start()
    node.exchange(center)
    assert node.books.account(LINE).pending == 800
    assert node.spendable() == 0, "taken, not yet confirmed"
    node.exchange(center)
    assert node.spendable() == 800


def test_only_the_first_of_two_nodes_gets_a_line(chance: Chance) -> None:
    center = Center(chance)
    center.plan(doors=("dock-1-out", "dock-2-out"))
    first = enrolled(Node(chance, "dock-1"), center)
    second = enrolled(Node(chance, "dock-2"), center, "code-2")
    assert first.spendable() == 800
    assert second.spendable() == 0
    assert second.books.line(LINE) is not None, "it knows the permit, and that it has nothing of it"
    proven(center, first, second)


def test_an_undone_withdrawal_gives_its_quantity_back(center: Center, node: Node) -> None:
    node.undo(node.withdraw(125))
    node.exchange(center)
    assert node.spendable() == 800
    assert center.book.accounts.lines[LINE][node.epoch].used == 0


def test_what_one_dock_admits_the_others_know(chance: Chance, center: Center, node: Node) -> None:
    other = enrolled(Node(chance, "dock-2"), center, "code-2")
    other.write("admission", msgspec.structs.replace(movement(125), use=None), other.doors[0])
    other.settle(center)
    assert node.books.state.holdings == {}
    node.settle(center)
    [holding] = node.books.state.holdings.values()
    assert holding.quantity == 125
    assert holding.status is Status.NPF
    other.settle(center)
    assert [held.quantity for held in other.books.state.holdings.values()] == [125], "not told its own again"


# -- crashes and lost answers ---------------------------------------------------------------------


def test_a_crash_and_a_restart_go_on_in_the_same_epoch(center: Center, node: Node) -> None:
    epoch = node.epoch
    node.withdraw(125)
    node.commit("withdrawal", movement(40), node.doors[0])  # and the power goes before the anchor

    ruling = node.start()
    assert isinstance(ruling, GoOn)
    assert node.epoch == epoch
    node.settle(center)
    assert center.book.accounts.lines[LINE][epoch].used == 165, "what was stored happened, told or not"
    assert node.spendable() == 635
    proven(center, node)


def test_what_was_not_told_is_not_sent(center: Center, node: Node) -> None:
    node.withdraw(125)
    node.commit("withdrawal", movement(40), node.doors[0])
    node.exchange(center)
    assert center.book.accounts.lines[LINE][node.epoch].used == 125


def test_a_lost_answer_is_asked_again_and_nothing_counts_twice(center: Center, node: Node) -> None:
    node.withdraw(125)
    center.answer(*node.ask())  # stored, but the answer is lost
    saws = center.types().count("center-saw")

    taken = node.exchange(center)
    assert taken.have[node.epoch] == node.told.seq
    assert center.book.accounts.lines[LINE][node.epoch].used == 125
    assert center.types().count("center-saw") == saws, "an overlap is no news"
    proven(center, node)


def test_a_grant_in_a_lost_answer_comes_again_and_counts_once(chance: Chance, center: Center) -> None:
    node = Node(chance)
    node.code = "code-1"
    node.start()
    center.answer(*node.ask())  # the grant was written, the answer is lost
    node.settle(center)
    assert center.types().count("grant") == 1
    assert node.spendable() == 800


def test_a_duplicate_answer_is_ignored(center: Center, node: Node) -> None:
    center.plan()
    answer = center.answer(*node.ask())
    assert node.take(answer) is not None
    told = node.told
    assert node.take(answer) is None
    assert node.told == told


def test_an_answer_to_another_request_is_ignored(center: Center, node: Node) -> None:
    late = center.answer(*node.ask())
    center.plan()
    answer = center.answer(*node.ask())
    assert node.take(late) is None
    taken = node.take(answer)
    assert taken is not None, "the right one is still taken"
    assert taken.saw is not None


def test_the_same_center_entries_sent_again_are_taken_once(center: Center, node: Node) -> None:
    """A cursor that is not in the center's chain brings everything from the beginning."""
    node.sync._cursor = Place("ff" * 16, 9, "ee" * 32)
    taken = node.exchange(center)
    assert taken.saw is None
    node.exchange(center)
    assert node.spendable() == 800


# -- stores that are not what they were -----------------------------------------------------------


def test_an_old_store_with_its_anchor_begins_a_child_with_a_proven_end(center: Center, node: Node) -> None:
    old, parent = node.backup(), node.epoch
    node.withdraw(300)
    node.settle(center)
    node.store = old  # a backup from before the 300

    ruling = node.start()
    assert isinstance(ruling, BeginAnew)
    assert ruling.end == center.copies.head(parent), "the anchor proves the end"
    assert node.epoch != parent
    assert node.spendable() == 0, "a new epoch owns no account"

    node.settle(center)
    assert center.book.is_closed(parent), "all of it is stored: it closes itself"
    assert "close" in center.types()
    assert node.spendable() == 500, "the rest goes to the child"
    node.withdraw(500)
    node.settle(center)
    assert center.charged() == 800
    proven(center, node)


def test_an_old_store_learns_what_came_and_left_meanwhile(center: Center, node: Node) -> None:
    came = msgspec.structs.replace(movement(125), use=None)
    node.write("admission", came, node.doors[0])
    node.settle(center)
    old = node.backup()
    node.write("admission", came, node.doors[0])
    node.write("withdrawal", msgspec.structs.replace(came, quantity=Decimal(50)), node.doors[0])
    node.settle(center)
    truth = node.books.state.holdings
    node.store = old
    node.start()
    assert [held.quantity for held in node.books.state.holdings.values()] == [125]
    node.settle(center)
    assert [held.quantity for held in node.books.state.holdings.values()] == [200]
    assert node.books.state.holdings == truth, "what it lost comes back, what it has is not taken twice"


def test_an_old_store_whose_tail_nobody_has_stays_charged(center: Center, node: Node) -> None:
    old, parent = node.backup(), node.epoch
    node.withdraw(300)  # told, never sent, and the disk is lost
    node.store = old
    node.start()
    node.settle(center)
    assert not center.book.is_closed(parent)
    assert center.charged() == 800
    assert node.spendable() == 0
    ruling: Begin = read_body(node.store.logs[node.epoch][0].entry)
    assert ruling.end is not None, "what is missing is known by number"
    head = center.copies.head(parent)
    assert head is not None
    assert ruling.end.seq - head.seq == 1


def test_a_long_old_log_does_not_keep_the_new_one_waiting(
    center: Center, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The center has more of the parent than the restored store: that part is not sent for ever."""
    monkeypatch.setattr("sync.node.ASK_ENTRIES_MAX", 4)
    for _ in range(9):
        node.withdraw(1)
    old = node.backup()
    node.withdraw(1)
    node.settle(center)
    node.store = old
    node.start()
    for _ in range(8):
        node.exchange(center)
    assert center.copies.head(node.epoch) == node.told
    assert node.spendable() == 790
    proven(center, node)


def test_a_store_without_its_anchor_leaves_the_old_lease_charged(
    chance: Chance, center: Center, node: Node
) -> None:
    parent = node.epoch
    node.withdraw(300)
    node.settle(center)
    node.anchor, node.secret = None, chance.secret()  # the second medium was lost, with the key

    ruling = node.start()
    assert isinstance(ruling, BeginAnew)
    assert ruling.end is None
    with pytest.raises(SignatureError, match="not enrolled"):
        node.exchange(center)
    node.code = "code-2"
    center.codes.add("code-2")
    node.start()
    node.settle(center)
    assert not center.book.is_closed(parent), "nobody knows whether the store was the newest"
    assert center.charged() == 800
    assert node.spendable() == 0
    proven(center, node)


def test_an_empty_store_beside_an_anchor_begins_a_child(center: Center, node: Node) -> None:
    parent = node.epoch
    node.withdraw(300)
    node.settle(center)
    node.store = type(node.store)()
    ruling = node.start()
    assert isinstance(ruling, BeginAnew)
    assert ruling.end is not None
    node.settle(center)
    assert center.book.is_closed(parent)
    assert node.spendable() == 500
    proven(center, node)


def test_a_clone_of_the_store_is_another_epoch_without_an_account(center: Center, node: Node) -> None:
    clone = node.clone()
    ruling = clone.start()
    assert isinstance(ruling, BeginAnew)
    assert ruling.end is None
    assert clone.spendable() == 0

    clone = enrolled(clone, center, "code-2")
    assert clone.spendable() == 0
    node.withdraw(800)
    node.settle(center)
    clone.settle(center)
    assert center.book.accounts.lines[LINE][node.epoch].used == 800
    assert center.copies.head(node.epoch) == node.told, "the first machine goes on in its epoch"
    proven(center, node, clone)


def test_a_copied_machine_meets_a_foreign_head(center: Center, node: Node) -> None:
    """Store, anchor and key copied together: whoever comes second must begin another epoch."""
    copied = node.clone()
    copied.anchor, copied.secret = node.anchor, node.secret
    assert isinstance(copied.start(), GoOn), "nothing tells it yet"
    copied.withdraw(10)
    node.withdraw(20)
    node.settle(center)

    taken = copied.exchange(center)
    assert taken.foreign is not None
    assert taken.foreign == center.copies.head(node.epoch)
    assert node.epoch in taken.refused
    ruling = copied.start(shown=[taken.foreign])
    assert isinstance(ruling, BeginAnew)
    assert center.book.accounts.lines[LINE][node.epoch].used == 20, "of the fork nothing was stored"


def test_many_old_logs_leave_room_for_the_new_one(
    center: Center, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weeks of trouble without a network: the center must meet the current epoch's key in the first ask."""
    monkeypatch.setattr("sync.node.PARTS_MAX", 3)
    for _ in range(6):
        node.withdraw(1)
        node.anchor = Place("ff" * 16, 1, "ee" * 32)
        assert isinstance(node.start(), BeginAnew)
    for _ in range(6):
        node.exchange(center)
    assert {epoch: center.copies.head(epoch) for epoch in node.store.epochs()} == {
        epoch: node.store.head(epoch) for epoch in node.store.epochs()
    }
    assert node.spendable() == 0


def test_a_refused_old_log_does_not_keep_the_new_one_waiting(
    center: Center, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.node.ASK_ENTRIES_MAX", 4)
    copied = node.clone()
    copied.anchor, copied.secret = node.anchor, node.secret
    copied.start()
    for _ in range(6):
        copied.withdraw(1)
        node.withdraw(2)
    node.settle(center)
    taken = copied.exchange(center)
    assert taken.foreign is not None
    copied.start(shown=[taken.foreign])
    taken = copied.exchange(center)
    assert node.epoch in taken.refused
    for _ in range(4):
        taken = copied.exchange(center)
    assert center.copies.head(copied.epoch) == copied.told
    assert not taken.refused, "what the center cannot take came as adopted facts; it is not sent again"
    assert center.book.accounts.lines[LINE][node.epoch].used == 6 * 1 + 6 * 2
    assert center.types().count("fork") == 1


def test_a_crash_between_begin_and_its_anchor_goes_on_in_the_new_epoch(center: Center, node: Node) -> None:
    old, parent = node.backup(), node.epoch
    node.withdraw(300)
    node.settle(center)
    node.store = old
    node.start(crash_before_anchor=True)
    begun = node.store.epochs()[-1]

    ruling = node.start()
    assert isinstance(ruling, GoOn)
    assert node.epoch == begun, "nothing of it was told, so there is one child, not two"
    node.settle(center)
    assert center.book.is_closed(parent)
    assert node.spendable() == 500
    proven(center, node)


def test_a_crash_in_the_very_first_start_owns_nothing(chance: Chance, center: Center) -> None:
    node = Node(chance)
    node.start(crash_before_anchor=True)
    ruling = node.start()
    assert isinstance(ruling, BeginAnew), "no anchor yet: it is not known to be the first"
    assert ruling.end is None
    enrolled(node, center)
    assert node.spendable() == 800
    proven(center, node)


# -- the center restored --------------------------------------------------------------------------


def test_a_center_that_has_less_than_before_is_sent_it_again(center: Center, node: Node) -> None:
    backup = center.backup()
    for quantity in (100, 200, 50):
        node.withdraw(quantity)
        node.settle(center)
    restored = backup

    first = node.exchange(restored)
    assert first.have[node.epoch] < node.told.seq, "lower than before is normal"
    assert first.foreign is None
    node.settle(restored)
    assert restored.copies.head(node.epoch) == node.told
    assert restored.book.accounts.lines[LINE][node.epoch].used == 350
    proven(restored, node)


def test_what_a_lost_tail_took_back_cannot_be_taken_back_again(node: Node, center: Center) -> None:
    """An older store is restored, the anchor is not: the tail that it lost had undone a movement."""
    moved = node.withdraw(100)
    old = node.backup()
    node.undo(moved)
    node.settle(center)
    node.store = old
    ruling = node.start()
    assert isinstance(ruling, BeginAnew) and ruling.end is not None
    assert not node.books.state.done, "another epoch's movement is not this one's to take back"
    node.settle(center)
    assert node.spendable() == 800
    proven(center, node)
    node.undo(moved)
    assert node.spendable() == 900, "the control: what a second undo would let out"


def test_a_node_tells_what_is_no_entry_in_an_answer(center: Center, node: Node) -> None:
    ask = wire.read_ask(node.ask()[0])
    answer = wire.Answer(ask.ask_id, (), center.epoch, None, None, (msgspec.Raw(b'{"v":1}'),), {})
    with pytest.raises(SyncError, match="no entry"):
        node.take(wire.encode(answer))


def test_the_story_is_the_same_in_every_run() -> None:
    def story() -> list[str]:
        chance = Chance(5)
        center = Center(chance)
        center.plan()
        node = enrolled(Node(chance), center)
        node.withdraw(10)
        node.settle(center)
        return [stored.hash for stored in center.log]

    assert story() == story()


def test_entries_of_one_log_stand_in_the_order_of_their_times(center: Center, node: Node) -> None:
    times = [stored.entry.recorded_at for stored in node.store.logs[node.epoch]]
    assert all(earlier < later for earlier, later in pairwise(times))
    assert (node.tenant, ZONE) == (TENANT, "zone-999")
    assert Decimal(800) == center.charged()


def test_goods_that_moved_in_a_closed_log_are_told_and_only_they(node: Node, center: Center) -> None:
    center.write("close", Close(node.name, (node.epoch,), (), by="office"))
    node.settle(center)
    assert node.books.state.closed == node.epoch
    assert not center.book.late, "that it has read of it is no alarm"
    node.withdraw(3)
    node.exchange(center)
    late = node.told.seq
    assert center.book.late == center.folded_anew().late == {node.epoch: late}
