# SPDX-License-Identifier: Apache-2.0
"""What people do once the trouble is over: mend, switch on, enrol, count what the center asks for.

They know which machines there are and what stands on the floor; of the record they know what it tells.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from customs.documents import Direction
from sync import rollcall
from zonegate.simulation.floor import ZERO
from zonegate.simulation.machine import Machine
from zonegate.simulation.world import IN, LINES, NODES, World

ROUNDS_MAX = 40
"""Exchanges of each machine until nothing is new; a healthy world needs some ten."""


def heal(world: World) -> str | None:
    """Everything is mended, all report, all is counted. What does not come to rest is told."""
    world.say("-- everything is mended")
    _mend(world)
    trouble = settle(world)
    for _ in range(6):
        if trouble is not None or not count(world):
            break
        trouble = settle(world)
    return trouble


def _mend(world: World) -> None:
    world.letters.clear()
    world.center_cut = False
    office = world.office
    office.fuse.left, office.skew = None, timedelta(0)
    if not office.running:
        world.power_center()
    for machine in world.machines:
        machine.cut = machine.full = machine.older = machine.newer = False
        machine.skew, machine.fuse.left = timedelta(0), None
    for machine in world.in_service():
        if machine.running:
            world.guarded(machine, machine.pump)
        else:
            world.power(machine)


def settle(world: World) -> str | None:
    """All machines exchange until nothing is new; the sentence that says why this does not end."""
    office = world.office
    quiet = 0
    for _ in range(ROUNDS_MAX):
        before = len(office.database.own), [machine.top for machine in world.live()]
        for machine in world.live():
            # After a refusal the next request takes nothing for granted.
            if not (world.exchange(machine) or world.exchange(machine)):
                _introduce(world, machine)
        same = before == (len(office.database.own), [machine.top for machine in world.live()])
        quiet = quiet + 1 if same else 0
        if quiet == 2:  # after one round a machine may just have heard that the center has less than it said
            break
    else:
        return f"the logs do not come to rest within {ROUNDS_MAX} rounds"
    for machine in world.live():
        if office.database.copies.head(machine.epoch) != machine.top:
            return f"{machine.name} is not stored to its head: {machine.trouble or machine.refused}"
    return None


def _introduce(world: World, machine: Machine) -> None:
    """A machine whose key is not believed gets a code."""
    machine.code = world.office.enrol(machine.node)
    world.enrolled.add(machine.node)
    world.power(machine)
    if not world.exchange(machine):
        world.exchange(machine)


def count(world: World) -> bool:
    """People count what the roll call and the cases ask for; False when nothing is asked."""
    book = world.office.book
    asked = list(rollcall.missing(book))
    if any(missing.kind == "roll" for missing in asked):
        world.office.attest_roll(sorted(world.enrolled))
        world.say("a person says which nodes there are")
        return True
    done = False
    for node in sorted(book.roll() | set(NODES)):
        alive = any(machine.node == node for machine in world.in_service())
        epochs = world.epochs_without_machine(node)
        writing = {machine.epoch for machine in world.in_service()}
        of_node = [missing for missing in asked if missing.node == node]
        epochs |= {missing.epoch for missing in of_node if missing.kind == "open"} - writing
        gaps = set(rollcall.gaps(book, node))
        retires = not alive and node in book.roll()
        if epochs or gaps or retires:
            done |= world.write_off(node, epochs, gaps, retires=retires)
    return done or _count_copied(world)


def _count_copied(world: World) -> bool:
    """Where a node had several machines when the center was restored, what it forgot is counted, once."""
    book, done = world.office.book, False
    for node in NODES:
        machines = [machine for machine in world.machines if machine.node == node]
        key = (node, book.own_epochs[-1])
        met = [epoch for epoch in book.met.get(node, ()) if epoch in book.epochs]
        if len(book.own_epochs) > 1 and len(machines) > 1 and met and key not in world.counted:
            world.counted.add(key)
            done |= world.write_off(node, set(), {met[0]}, note="every node counted")
    return done


def grants_again(world: World) -> str | None:
    """L1: with more authorized, the center lends, and a door lets a load in. The sentence if not."""
    if not world.live():
        world.replace_machine(NODES[0])
        trouble = settle(world)
        for _ in range(6):  # what came before a first start is known by counting only
            if trouble is not None or not count(world):
                break
            trouble = settle(world)
        if trouble is not None:
            return trouble
    world.release()
    for line in LINES:
        free = world.authorized[line] - world.office.book.charged(line)
        world.supplement(line, max(Decimal(30) - free, ZERO))
    for machine in world.live():
        if machine.books.job_at(machine.doors[0]) is not None:
            machine.close_job(machine.doors[0])
        world.truck(machine.node, Direction.IN)
    trouble = settle(world)
    if trouble is not None:
        return trouble
    book = world.office.book
    for machine in world.live():
        state = machine.books.state
        unknown = [job for job in book.conveyances if job not in state.conveyances]
        unknown += [number for number, permit in book.permits.items() if state.permits.get(number) != permit]
        if unknown:
            return f"{machine.name} was never told of {', '.join(unknown)}"
    missing = next(rollcall.missing(book), None)
    if missing is not None:
        return f"the roll call does not hold: {missing}"
    return _let_in(world)


def _let_in(world: World) -> str | None:
    said: list[str] = []
    for _ in range(3):  # what a door lacks the center hears when a load stands there
        said = [machine.scan(machine.doors[0], world.load(), Decimal(1)).reason for machine in world.live()]
        trouble = settle(world)
        if "admitted" in said or trouble is not None:
            return trouble
    return f"no door lets a load in: {', '.join(said)}; {world.office.book.charged(IN)} of {IN} are charged"
