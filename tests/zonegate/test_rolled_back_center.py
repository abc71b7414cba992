# SPDX-License-Identifier: Apache-2.0
"""A center whose whole machine was put back, anchor and all: what it must notice, ask for and bring home."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from customs.documents import Direction
from sync import rollcall, wire
from sync.reception import Received
from sync.witness import ruling, witnesses
from zonegate.simulation.bugs import planted
from zonegate.simulation.floor import ZERO
from zonegate.simulation.invariants import at_end
from zonegate.simulation.people import heal
from zonegate.simulation.stores import Database, Vault
from zonegate.simulation.world import IN, NODES, World


@pytest.fixture
def world() -> World:
    return World(1)


def talk(world: World, *names: str, rounds: int = 3) -> None:
    for _ in range(rounds):
        for machine in world.live():
            if machine.node in (names or NODES):
                world.exchange(machine)


def image(world: World) -> tuple[Database, Vault]:
    world.image_center()
    name, database = world.backups[-1]
    return database, world.vaults[name]


def findings(world: World) -> list[str]:
    assert heal(world) is None
    return [f"{finding.invariant} {finding.sentence}" for finding in at_end(world)]


def met_in_between(world: World) -> None:
    """dock-1 lets goods in, the center is put back to before it met it, dock-1 is set up anew and meets it,
    and only then another dock shows that it was put back.
    """
    kept = image(world)
    talk(world, "dock-1", "dock-2")
    machine = world.machines[0]
    for _ in range(2):
        assert machine.scan(machine.doors[0], world.load(), Decimal(20)).reason == "admitted"
    talk(world, "dock-1", "dock-2")
    world.roll_back_center(*kept)
    world.wipe(machine, store=True, anchor=True)
    talk(world, "dock-1")
    assert len(world.office.book.own_epochs) == 1, "nobody has told it yet"
    talk(world, "dock-2")
    assert len(world.office.book.own_epochs) == 2


def test_a_dock_first_met_while_nobody_knew_of_it_is_counted(world: World) -> None:
    met_in_between(world)
    book = world.office.book
    asked = {lack.node for lack in rollcall.missing(book) if lack.kind == "gap"}
    assert "dock-1" in asked
    assert not book.may_lend()
    assert findings(world) == []
    assert book.charged(IN) >= world.floor.across[IN] == 40


def test_to_believe_such_a_first_meeting_loses_what_was_told(world: World) -> None:
    with planted("first meetings believed of a center that was rolled back"):
        met_in_between(world)
        asked = {lack.node for lack in rollcall.missing(world.office.book) if lack.kind == "gap"}
        assert "dock-1" not in asked
        assert any(found.startswith("I5 admission") for found in findings(world))


def known_used(world: World) -> Decimal:
    """What of the line the center knows to be used, by logs and by counts."""
    known = world.office.book.accounts
    return known.used(IN) + sum((count.amounts.get(IN, ZERO) for count in known.counts), ZERO)


def put_back_twice(world: World) -> None:
    """Nobody has told the center of the first time, when dock-1 is lost, before the second time is noticed;
    and only then dock-2 comes, which knows of the first.
    """
    kept = image(world)
    talk(world, "dock-1", "dock-2")
    machine = world.machines[0]
    for _ in range(2):
        assert machine.scan(machine.doors[0], world.load(), Decimal(20)).reason == "admitted"
    talk(world, "dock-1", "dock-2")
    world.roll_back_center(*kept)
    world.wipe(machine, store=True, anchor=True)
    talk(world, "dock-1", "dock-3")
    world.truck("dock-3", Direction.OUT)
    talk(world, "dock-3")
    kept = image(world)
    talk(world, "dock-3")
    world.roll_back_center(*kept)
    talk(world, "dock-3")
    book = world.office.book
    assert len(book.own_epochs) == 2
    assert "dock-1" not in {lack.node for lack in rollcall.missing(book) if lack.kind == "gap"}
    talk(world, "dock-2")


def test_each_witness_tells_of_the_time_that_it_has_seen(world: World) -> None:
    put_back_twice(world)
    book = world.office.book
    assert "dock-1" in {lack.node for lack in rollcall.missing(book) if lack.kind == "gap"}
    assert world.office.folded().testimony.told == book.testimony.told, "read again it is the same"
    assert findings(world) == []
    assert known_used(world) >= world.floor.across[IN] == 40


def test_to_hear_one_witness_only_loses_what_was_told(world: World) -> None:
    with planted("one witness of a center that was rolled back is enough"):
        put_back_twice(world)
        assert heal(world) is None
        assert world.office.book.may_lend()
        assert known_used(world) < world.floor.across[IN], "what dock-1 let in is charged to nobody"


def let_in_while_the_roll_is_lost(world: World) -> None:
    """A dock is let in, lets goods in and is lost, all behind the image; it is let in anew before a person
    has said which docks there are.
    """
    talk(world)
    kept = image(world)
    world.truck("dock-9", Direction.IN)
    machine = world.replace_machine("dock-9")
    talk(world, "dock-9", "dock-2")
    world.supplement(IN, Decimal(500))
    machine.scan(machine.doors[0], world.load(), Decimal(20))  # it lacks this, and asks for it
    talk(world, "dock-9", "dock-2")
    assert machine.scan(machine.doors[0], world.load(), Decimal(20)).reason == "admitted"
    talk(world, "dock-9", "dock-2")
    world.roll_back_center(*kept)
    talk(world, "dock-2")
    assert len(world.office.book.own_epochs) == 2
    world.wipe(machine, store=True, anchor=True)
    talk(world, "dock-9")


def test_a_dock_let_in_while_the_roll_is_lost_is_counted(world: World) -> None:
    let_in_while_the_roll_is_lost(world)
    asked = {lack.node for lack in rollcall.missing(world.office.book) if lack.kind == "gap"}
    assert asked == {"dock-9"}
    assert findings(world) == []


def test_to_take_such_a_dock_for_a_new_one_loses_what_was_told(world: World) -> None:
    with planted("a node let in while the roll is lost taken for new"):
        let_in_while_the_roll_is_lost(world)
        assert any(found.startswith("I5 admission") for found in findings(world))


@pytest.mark.parametrize("log", ["of the asking dock", "of another machine's store"])
def test_a_log_tells_it_also_when_its_writer_shows_another_head(world: World, log: str) -> None:
    talk(world)
    kept = image(world)
    world.suspend()
    talk(world, "dock-1")
    (machine, other, _) = world.machines
    lost = [stored for stored in machine.disk.logs.all() if stored.entry.type == "saw"]
    world.roll_back_center(*kept)
    asked = machine if log == "of the asking dock" else other
    ask = msgspec.structs.replace(wire.read_ask(asked.ask()[0]), witness=None)
    book = world.office.book
    found = [(told, None) for told in witnesses(book, Received(ask, lost))]
    assert [told.shown for told, _ in found] == [lost[-1].body.head.place]
    why, told = ruling(book, found)
    assert why is not None, "another epoch begins"
    assert [(body.log, body.since.seq) for body in told] == [(machine.epoch, 0)]


def put_back_behind_a_begin(world: World) -> None:
    """The center begins another epoch after a restore, and is then put back to before that: no dock's own
    witness is of an epoch that it knows, and none was met.
    """
    kept = image(world)
    talk(world)
    world.backup_center()
    talk(world)
    world.restore_center(world.backups[-1][1], anchor=True)
    talk(world)
    assert len(world.office.book.own_epochs) == 2
    world.roll_back_center(*kept)
    assert heal(world) is None


def test_the_docks_logs_tell_of_an_epoch_that_came_after_this_one(world: World) -> None:
    put_back_behind_a_begin(world)
    book = world.office.book
    assert len(book.own_epochs) == 2
    assert set(book.testimony.told) == {book.own_epochs[0]}
    assert list(at_end(world)) == []


def test_who_does_not_read_them_goes_on_for_ever(world: World) -> None:
    with planted("what logs tell of the center's own not read"):
        put_back_behind_a_begin(world)
        assert len(world.office.book.own_epochs) == 1


def test_a_suspension_of_the_lost_tail_stands_again_once_that_is_known(world: World) -> None:
    talk(world)
    kept = image(world)
    world.suspend()
    talk(world)
    (put,) = world.office.book.restraints.suspended
    world.roll_back_center(*kept)
    assert world.office.book.restraints.suspension is None
    talk(world)
    assert set(world.office.book.restraints.suspended) == {put}
    again = world.office.folded()
    assert again.restraints == world.office.book.restraints, "read again it is the same"


def test_what_no_witness_is_left_of_is_a_stated_limit_and_ends_with_the_first_witness(world: World) -> None:
    kept = image(world)
    talk(world)
    (machine, other, _) = world.machines
    told = {stored.entry.entry_id for stored in machine.disk.logs.all()}
    world.roll_back_center(*kept)
    world.wipe(machine, store=True, anchor=True)
    talk(world, "dock-1")
    assert told & world.nobody_knows() == told & world.floor.told.keys() != set()
    world.exchange(other)
    world.exchange(other)
    assert len(world.office.book.own_epochs) == 2
    assert world.nobody_knows() == set()
    assert findings(world) == []
