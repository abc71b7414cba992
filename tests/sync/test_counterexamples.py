# SPDX-License-Identifier: Apache-2.0
"""Histories that a simulation found and that once broke a promise of the record, cut down to their bones."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from customs.documents import Conveyance, Direction
from edge.leases import returns, wants
from sync import leasing, wire
from sync.bodies import Adopt, Amount, Begin
from sync.center import CenterBook
from sync.decisions import enrolment, write_off
from sync.entry import Place
from sync.errors import WireError
from sync.leasing import Holder
from sync.rollcall import missing
from tests.sync.memory import LINE, TENANT, ZONE, Center, Node, enrolled
from zonegate.simulation.stores import Chance

ZERO = Decimal(0)


@pytest.fixture
def chance() -> Chance:
    return Chance(1)


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


def test_two_machines_of_one_node_leave_the_others_their_due() -> None:
    """To the one, what its sibling holds was nobody's, and the third dock seemed to have too much; to the
    third dock it seemed too little. It was asked back and lent again for ever.
    """
    machine, sibling = Holder("dock-1", "a", ZERO, ZERO), Holder("dock-1", "b", Decimal(38), ZERO)
    second, third = Holder("dock-2", "c", Decimal(19), ZERO), Holder("dock-3", "d", Decimal(11), ZERO)
    planned = dict.fromkeys(("dock-1", "dock-2", "dock-3"), ZERO)

    def plan(asker: Holder, free: int) -> leasing.Plan:
        others = [holder for holder in (machine, sibling, second, third) if holder.epoch != asker.epoch]
        return leasing.plan(
            asker, others, planned, free=Decimal(free), lacking={}, load=Decimal(5), recalled={}
        )

    assert "d" not in plan(machine, 0).recalls
    assert plan(third, 5).grant == ZERO


def test_what_one_machine_lacks_is_not_forgotten_when_its_sibling_asks(chance: Chance) -> None:
    center = Center(chance)
    center.plan(doors=("dock-1-out", "dock-2-out"))
    first = enrolled(Node(chance, "dock-1"), center)
    second = enrolled(Node(chance, "dock-2"), center, "code-2")
    sibling = enrolled(second.clone(), center, "code-3")
    center.book.short[LINE] = {second.epoch: Decimal(700)}
    exchange(sibling, center)
    assert center.book.short[LINE] == {second.epoch: Decimal(700)}
    assert first.epoch not in center.book.short[LINE]


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


def test_what_is_not_lent_after_all_is_told_as_nobody_s() -> None:
    """A part that would go back at once was withheld, and told as held: by who asked last, two docks were
    told in turn that it was there and that it was not.
    """
    asker, other = Holder("dock-2", "a", ZERO, Decimal(7)), Holder("dock-1", "b", Decimal(10), Decimal(5))

    def plan(*, whole: bool) -> leasing.Plan:
        return leasing.plan(
            asker,
            [other],
            {"dock-1": ZERO, "dock-2": ZERO},
            free=Decimal(3),
            lacking={"a": Decimal(4)},
            load=Decimal(5),
            recalled={},
            whole=whole,
        )

    part, nothing = plan(whole=False), plan(whole=True)
    assert (nothing.grant, nothing.holders) == (ZERO, {"dock-1": Decimal(10)})
    assert (part.grant, part.holders) == (Decimal(3), {"dock-2": Decimal(3), "dock-1": Decimal(10)})


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


def test_a_dock_that_has_forgotten_its_beginning_comes_back_with_a_new_store_and_a_count(
    chance: Chance,
) -> None:
    """An older backup was restored than the dock was told it may count on (S5 is broken by a person)."""
    center = Center(chance)
    center.plan()
    backup = center.backup()
    backup.write(*enrolment(backup.book, "dock-1", "s")[0])
    node = enrolled(Node(chance), center)
    node.withdraw(10)
    node.settle(center)
    node.store.prune(node.told)
    backup.epoch = chance.hex()
    begin = Begin(TENANT, ZONE, "center", backup.signer.public, "restored", backup.book.head)
    backup.log.append(chance.entry(backup.epoch, None, "begin", begin, None))
    backup.book.fold(backup.log[-1])
    backup.book.roll_kept = {"dock-1": ""}
    for _ in range(2):
        with pytest.raises(WireError, match=r"older backup.*central retire dock-1"):
            node.exchange(backup)
        node.sync.refused()
    assert [(lack.node, lack.kind) for lack in missing(backup.book)] == [("dock-1", "silent")]
    count = [Amount(LINE.permit, LINE.line, Decimal(10))]
    for kind, body in write_off(backup.book, "dock-1", [], count, by="s", note="old backup", retires=True):
        backup.write(kind, body)
    for kind, body in enrolment(backup.book, "dock-1", "s"):
        backup.write(kind, body)
    fresh = enrolled(Node(chance), backup)
    assert [lack.kind for lack in missing(backup.book)] == ["gap"]
    gaps = [fresh.epoch]
    for kind, body in write_off(backup.book, "dock-1", [], count, gaps=gaps, by="s", note="same"):
        backup.write(kind, body)
    fresh.settle(backup)
    assert backup.book.may_lend()
    assert fresh.spendable() > 0
    assert fresh.spendable() + 10 <= 800


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


def test_a_machine_rolled_back_behind_a_head_that_the_center_only_heard_of_begins_anew(
    chance: Chance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It went on beside that head and ended its epoch before it: nobody noticed that a tail was lost."""
    center = Center(chance)
    center.plan()
    node = enrolled(Node(chance), center)
    old, anchor, epoch = node.backup(), node.anchor, node.epoch
    for _ in range(9):
        node.withdraw(1)
    monkeypatch.setattr("sync.node.ASK_ENTRIES_MAX", 3)
    late = node.ask()
    node.withdraw(1)
    node.exchange(center)
    assert center.answer(*late)
    assert "fork" not in center.types(), "a request that comes late is no second writer"
    stored = center.copies.head(epoch)
    assert stored is not None and stored.seq < node.told.seq
    node.store, node.anchor = old, anchor
    node.start()
    assert node.epoch == epoch, "nothing tells it yet"
    node.withdraw(2)
    taken = node.exchange(center)
    assert taken.foreign is not None, "the center shows the head that it was shown"


# -- two ends of one log ------------------------------------------------------------------------------


def two_machines(chance: Chance, center: Center) -> tuple[Node, Node]:
    """A machine, and a copy of it as a whole: both may go on in one epoch."""
    center.plan()
    node = enrolled(Node(chance), center)
    other = Node(chance)
    other.store, other.anchor, other.secret = node.backup(), node.anchor, node.secret
    other.start()
    assert other.epoch == node.epoch
    return node, other


def lose_store(node: Node) -> None:
    """The next log names the end that the anchor proves; the entries are lost."""
    node.store = type(node.store)()
    node.start()


def test_a_log_that_went_on_behind_a_proven_end_is_no_longer_its_own(chance: Chance) -> None:
    """The one machine lost its store, the other went on in the same log: nobody noticed that two had
    written it, and what the first had told was in no case.
    """
    center = Center(chance)
    node, other = two_machines(chance, center)
    epoch = node.epoch
    node.withdraw(5)
    lose_store(node)
    node.settle(center)
    other.withdraw(7)
    other.withdraw(1)
    taken = other.exchange(center)
    assert taken.foreign is not None, "the center shows the end, and the copy begins anew"
    assert [body.epoch for body in center.book.forks[epoch]] == [epoch]
    assert center.folded_anew().ends == center.book.ends


def test_a_copy_that_has_not_come_to_the_proven_end_is_shown_it(chance: Chance) -> None:
    center = Center(chance)
    node, other = two_machines(chance, center)
    node.withdraw(5)
    end = node.told
    lose_store(node)
    node.settle(center)
    other_top = other.told
    assert other_top.seq < end.seq
    taken = other.exchange(center)
    assert taken.foreign == end
    stored = center.copies.head(other_top.epoch)
    assert stored == other_top, "what it has is stored all the same"
    assert not center.book.forks, "nothing was written twice yet"


def test_an_end_that_is_proven_after_another_went_on_is_told(chance: Chance) -> None:
    center = Center(chance)
    node, other = two_machines(chance, center)
    epoch = node.epoch
    other.withdraw(7)
    other.withdraw(1)
    other.settle(center)
    stored = center.copies.head(epoch)
    node.withdraw(5)
    end = node.told
    lose_store(node)
    node.settle(center)
    assert center.copies.head(epoch) == stored
    assert [(body.stored.seq, body.shown) for body in center.book.forks[epoch]] == [(end.seq, end)]
    assert center.copies.head(node.epoch) == node.told, "its new log is stored all the same"


# -- what nobody here knows of ------------------------------------------------------------------------


def test_the_count_of_a_retired_node_is_charged_also_where_nothing_of_it_is_known(chance: Chance) -> None:
    center = Center(chance)
    center.plan()
    charged = center.charged()

    def retire(quantity: int) -> None:
        count = [Amount(LINE.permit, LINE.line, Decimal(quantity))]
        for kind, body in write_off(center.book, "dock-9", [], count, by="s", note="sold", retires=True):
            center.write(kind, body)

    retire(10)
    assert center.charged() == charged + 10
    retire(5)
    assert center.charged() == charged + 15, "it was let in again, and what it took since counts too"


def test_a_count_that_is_made_again_speaks_for_the_retirement_it_was_made_for(chance: Chance) -> None:
    center = Center(chance)
    center.plan()
    node = enrolled(Node(chance), center)

    def count(quantity: int, *, retires: bool) -> None:
        counted = [Amount(LINE.permit, LINE.line, Decimal(quantity))]
        drafts = write_off(
            center.book, node.name, [node.epoch], counted, by="s", note="counted", retires=retires
        )
        for kind, body in drafts:
            center.write(kind, body)

    count(10, retires=True)
    assert center.charged() == 10
    count(30, retires=False)
    assert center.charged() == 30


def test_a_retirement_that_a_restored_center_has_forgotten_counts_for_nothing() -> None:
    book = CenterBook(TENANT, ZONE)
    book.roll_kept = {"dock-1": "", "dock-2": "an entry of the lost tail"}
    assert book.roll() == {"dock-1", "dock-2"}
    book.retired["dock-2"], book.retirements["dock-2"] = "an epoch", "an entry of the lost tail"
    assert book.roll() == {"dock-1"}


def test_an_old_machine_s_head_is_remembered_although_nothing_of_it_is_stored(chance: Chance) -> None:
    """It was turned away as old. When the entry at that place came from another machine, nobody noticed."""
    center = Center(chance)
    node, other = two_machines(chance, center)
    epoch = node.epoch
    other.withdraw(3)
    late = other.ask()
    for _ in range(5):
        node.withdraw(1)
    backlog = node.ask()
    center.book.claim(node.signer.head(node.told))  # it was shown, and is not stored yet
    center.answer(*late)
    assert center.copies.head(epoch) != other.told, "a head older than one that was signed stores nothing"
    center.answer(*backlog)
    assert [fork.epoch for fork in center.book.forks[epoch]] == [epoch]


# -- a fact twice in one ask --------------------------------------------------------------------------


def test_a_fact_that_comes_as_itself_and_adopted_in_one_ask_counts_once(chance: Chance) -> None:
    """Only what was stored before was looked at, so the books said twice what the logs say."""
    center = Center(chance)
    center.plan()
    old = center.backup()
    node = enrolled(Node(chance), center)
    moved = node.withdraw(10)
    node.settle(center)
    node.start(shown=[Place(node.epoch, node.told.seq, "0" * 64)])  # a witness knows another entry
    node.write("adopt", Adopt(msgspec.Raw(moved.record)))
    old.codes.add("code-1")
    node.code = "code-1"
    node.sync.refused()
    node.settle(old)
    assert old.book.accounts.lines[LINE][moved.entry.epoch].used == 10
    assert old.folded_anew().accounts.lines == old.book.accounts.lines


# -- a center that was put back, and does not know it -------------------------------------------------


def test_a_log_that_a_center_had_once_is_sent_again_to_one_that_has_it_no_more(chance: Chance) -> None:
    """It goes on in the same epoch, so nothing tells that it is old; its dock took for granted what it said
    once of an older log.
    """
    center = Center(chance)
    center.plan()
    node = enrolled(Node(chance), center)
    image = center.backup()
    node.withdraw(10)
    node.settle(center)
    older, top = node.epoch, node.told
    node.anchor = None
    node.start()
    node.sync.have = {older: top.seq}  # as the store remembers it over a restart
    image.codes.add("code-1")
    node.code = "code-1"
    node.settle(image)
    assert image.copies.head(older) == top
    assert image.book.accounts.lines[LINE][older].used == 10


def test_a_log_is_asked_after_in_turn_and_costs_no_entry(chance: Chance) -> None:
    center = Center(chance)
    center.plan()
    node = enrolled(Node(chance), center)
    for _ in range(2):
        node.anchor = None
        node.start()
        node.settle(center)
    asked = []
    for _ in range(4):
        body, signature = node.ask()
        asked += [part for part in wire.read_ask(body).parts if part.epoch != node.epoch]
        node.take(center.answer(body, signature))
    assert [len(part.entries) for part in asked] == [0] * 4
    assert {part.epoch for part in asked} == set(node.store.epochs()) - {node.epoch}
