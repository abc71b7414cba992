# SPDX-License-Identifier: Apache-2.0
"""What may happen next: the steps of a schedule with their weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from customs.documents import Direction
from sync import decisions, rollcall
from zonegate.simulation.floor import ZERO
from zonegate.simulation.forger import forge
from zonegate.simulation.stores import DiskFull, PowerCut
from zonegate.simulation.world import LINES, NODES, World

Step = Callable[[World], bool]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of step: how often, whether it is a fault, and what it does (False: nothing now). One that is
    `apart` happens only in profiles that name it.
    """

    weight: float
    fault: bool
    act: Step
    apart: bool = False


def _scan(world: World, side: str, *, lazy: bool = False) -> bool:
    machine = world.pick()
    if machine is None:
        return False
    quantity = Decimal(world.chance.random.randint(1, 8))
    stages = world.chance.random.randint(0, 2) if lazy else 3
    epoch, lot = machine.epoch, None
    held = [holding for holding in machine.books.state.holdings.values() if holding.lot]
    if side == "out" and held:
        holding = world.chance.random.choice(held)
        lot, quantity = holding.lot, min(quantity, holding.quantity)
    load = world.load(lot)
    verdict = world.guarded(machine, machine.scan, f"{machine.node}-{side}", load, quantity, stages)
    if verdict is not None:
        world.say(f"{machine.name} {side} {quantity}: {verdict.reason} in {epoch[:6]}")  # type: ignore[attr-defined]
    return verdict is not None


def _admit(world: World) -> bool:
    return _scan(world, "in")


def _withdraw(world: World) -> bool:
    return _scan(world, "out")


def _lazy(world: World) -> bool:
    return _scan(world, world.chance.random.choice(("in", "out")), lazy=True)


def _pump(world: World) -> bool:
    machine = world.pick()
    if machine is None:
        return False
    world.guarded(machine, world.chance.random.choice((machine.commit, machine.anchor, machine.pump)))
    return True


def _undo(world: World) -> bool:
    machine = world.pick()
    if machine is None:
        return False
    door = world.chance.random.choice(machine.doors)
    done = machine.undoable(door)
    if not done:
        return False
    item = world.chance.random.choice(done)
    world.guarded(machine, machine.undo, item)
    world.say(f"{machine.name} undoes {item.body.quantity} of {item.type}")
    return True


def _truck(world: World) -> bool:
    node = world.chance.random.choice(NODES)
    machine = world.pick([machine for machine in world.live() if machine.node == node])
    side = world.chance.random.choice((Direction.IN, Direction.OUT))
    if machine is not None and world.chance.random.random() < 0.7:
        world.guarded(machine, machine.close_job, f"{node}-{side.value}")
    if world.chance.random.random() < 0.7:
        world.at_center(world.truck, node, side)
    return True


def _exchange(world: World) -> bool:
    machine = world.pick()
    if machine is None:
        return False
    done = world.exchange(machine)
    world.say(f"{machine.name} and the center {'exchange' if done else 'cannot exchange'}")
    return True


def _send(world: World) -> bool:
    machine = world.pick()
    if machine is None or machine.cut or world.center_cut or len(world.letters) > 12:
        return False
    world.say(f"{machine.name} asks")
    return world.send(machine)


def _deliver(world: World) -> bool:
    if not world.letters:
        return False
    at = world.chance.random.randrange(len(world.letters))
    letter = world.letters.pop(at)
    world.say(f"a message of {letter.machine.name} arrives{' late' if at else ''}")
    world.deliver(letter)
    return True


def _lose(world: World) -> bool:
    if not world.letters:
        return False
    letter = world.letters.pop(world.chance.random.randrange(len(world.letters)))
    world.say(f"a message of {letter.machine.name} is lost")
    return True


def _double(world: World) -> bool:
    if not world.letters:
        return False
    letter = world.chance.random.choice(world.letters)
    world.letters.append(letter)
    world.say(f"a message of {letter.machine.name} is doubled")
    return True


def _partition(world: World) -> bool:
    machine = world.pick()
    if machine is None:
        return False
    machine.cut = not machine.cut
    world.say(f"{machine.name} is {'cut off' if machine.cut else 'connected again'}")
    return True


def _cut_center(world: World) -> bool:
    world.center_cut = not world.center_cut
    world.say(f"the center is {'cut off' if world.center_cut else 'connected again'}")
    return True


def _crash(world: World) -> bool:
    machine = world.pick()
    if machine is None:
        return False
    machine.fuse.left = world.chance.random.randint(0, 7)
    act = world.chance.random.choice((_admit, _withdraw, _exchange))
    if machine.fuse.left == 0 and world.chance.random.random() < 0.5:
        machine.off()
        machine.fuse.left = None
        world.say(f"{machine.name} is off")
        return True
    world.say(f"{machine.name} will lose power in {machine.fuse.left} steps")
    return act(world)


def _crash_center(world: World) -> bool:
    if not world.office.running:
        return False
    world.office.fuse.left = world.chance.random.randint(0, 6)
    world.say(f"the center will lose power in {world.office.fuse.left} steps")
    return _exchange(world)


def _switch_on(world: World) -> bool:
    machine = world.pick([machine for machine in world.in_service() if not machine.running])
    return machine is not None and world.power(machine)


def _keep_store(world: World) -> bool:
    machine = world.pick(world.in_service())
    if machine is None:
        return False
    world.stores.append((machine, machine.disk.copy()))
    world.say(f"a backup of the store of {machine.name} is kept")
    return True


def _old_store(world: World, *, anchor: bool) -> bool:
    kept = [(machine, disk) for machine, disk in world.stores if not machine.gone]
    if not kept:
        return False
    machine, disk = world.chance.random.choice(kept)
    world.say(f"an older store is restored to {machine.name}, the anchor is {'kept' if anchor else 'new'}")
    world.restore_store(machine, disk, anchor=anchor)
    return True


def _restore_store(world: World) -> bool:
    return _old_store(world, anchor=True)


def _restore_both(world: World) -> bool:
    return _old_store(world, anchor=False)


def _wipe(world: World, *, store: bool, anchor: bool) -> bool:
    machine = world.pick(world.in_service())
    if machine is None:
        return False
    lost = " and ".join(name for name, gone in (("store", store), ("anchor", anchor)) if gone)
    world.say(f"{machine.name} loses its {lost}")
    world.wipe(machine, store=store, anchor=anchor)
    return True


def _image_node(world: World) -> bool:
    return _wipe(world, store=True, anchor=True)


def _lose_store(world: World) -> bool:
    return _wipe(world, store=True, anchor=False)


def _lose_anchor(world: World) -> bool:
    return _wipe(world, store=False, anchor=True)


def _lose_store_in_crash(world: World) -> bool:
    """The first medium breaks in the midst of writing; the second one is what is left."""
    machine = world.pick()
    if machine is None:
        return False
    machine.fuse.left = world.chance.random.randint(0, 3)
    world.say(f"{machine.name} loses its store while it writes")
    side = world.chance.random.choice(("in", "out"))
    try:
        machine.scan(f"{machine.node}-{side}", world.load(), Decimal(1))
    except (PowerCut, DiskFull):
        machine.off()
    machine.fuse.left = None
    world.wipe(machine, store=True, anchor=False)
    return True


def _copy_store(world: World) -> bool:
    machine = world.pick(world.in_service())
    if machine is None or len(world.machines) > 7:
        return False
    world.say(f"the store of {machine.name} is copied to another machine")
    world.copy_store(machine)
    return True


def _image(world: World) -> bool:
    machine = world.pick(world.in_service())
    if machine is None:
        return False
    world.images.append((machine, machine.image()))
    world.say(f"an image of {machine.name} is kept")
    return True


def _roll_back(world: World) -> bool:
    kept = [(machine, image) for machine, image in world.images if not machine.gone]
    if not kept:
        return False
    machine, image = world.chance.random.choice(kept)
    world.say(f"{machine.name} is rolled back as a whole")
    world.roll_back(machine, image)
    return True


def _copy_machine(world: World) -> bool:
    if not world.images or len(world.machines) > 7:
        return False
    machine, image = world.chance.random.choice(world.images)
    world.say(f"{machine.name} is copied as a whole")
    world.copy_machine(machine, image)
    return True


def _destroy(world: World) -> bool:
    machine = world.pick(world.in_service())
    if machine is None:
        return False
    world.say(f"{machine.name} is out of service")
    world.destroy(machine)
    return True


def _count(world: World, less: Decimal = ZERO) -> bool:
    if not world.office.running:
        return False
    node = world.chance.random.choice(NODES)
    book = world.office.book
    epochs, gaps = world.epochs_without_machine(node), set(rollcall.gaps(book, node))
    if not epochs and not gaps:
        return False
    return bool(world.at_center(world.write_off, node, epochs, gaps, less=less))


def _count_falsely(world: World) -> bool:
    return _count(world, Decimal(world.chance.random.randint(1, 9)))


def _attest_falsely(world: World) -> bool:
    machine = world.pick()
    if machine is None or not world.office.running or machine.epoch not in world.office.book.epochs:
        return False
    world.say(f"people say that {machine.name} is out of service; it is not")
    return bool(world.at_center(world.write_off, machine.node, {machine.epoch}, set()))


def _late_return(world: World) -> bool:
    machine = world.pick([machine for machine in world.machines if machine.gone])
    if machine is None:
        return False
    world.say(f"{machine.name} is back in service")
    world.come_back(machine)
    return True


def _retire(world: World) -> bool:
    node = world.chance.random.choice(NODES)
    alive = any(machine.node == node for machine in world.in_service())
    book = world.office.book
    if alive or not world.office.running or node in book.retired or node not in book.roll():
        return False
    epochs, gaps = world.epochs_without_machine(node), set(rollcall.gaps(book, node))
    return bool(world.at_center(world.write_off, node, epochs, gaps, retires=True))


def _replace(world: World) -> bool:
    node = world.chance.random.choice(NODES)
    if any(machine.node == node for machine in world.in_service()) or len(world.machines) > 8:
        return False
    world.say(f"{world.replace_machine(node).name} is a new machine")
    return True


def _attest_roll(world: World) -> bool:
    if not world.office.running or not any(
        missing.kind == "roll" for missing in rollcall.missing(world.office.book)
    ):
        return False
    world.at_center(world.office.attest_roll, sorted(world.enrolled))
    return True


def _backup(world: World) -> bool:
    world.say("a backup of the center is made")
    world.backup_center()
    return True


def _backup_gone(world: World) -> bool:
    if not world.backups or not world.office.running:
        return False
    world.say("a backup of the center is destroyed")
    world.backup_gone(world.chance.random.randrange(len(world.backups)))
    return True


def _restore_center(world: World, *, anchor: bool = True) -> bool:
    if not world.backups:
        return False
    name, database = world.chance.random.choice(world.backups)
    world.say(f"the center is restored from {name}, the anchor is {'kept' if anchor else 'lost'}")
    world.restore_center(database, anchor=anchor)
    return True


def _restore_center_bare(world: World) -> bool:
    return _restore_center(world, anchor=False)


def _image_center(world: World) -> bool:
    if not world.office.running:
        return False
    world.say("an image of the whole center is kept")
    world.image_center()
    return True


def _roll_back_center(world: World) -> bool:
    kept = [(name, database) for name, database in world.backups if name in world.vaults]
    if not kept:
        return False
    name, database = world.chance.random.choice(kept)
    world.say(f"the center is rolled back as a whole to {name}")
    world.roll_back_center(database, world.vaults[name])
    return True


def _fill_disk(world: World) -> bool:
    machine = world.pick(world.in_service())
    if machine is None:
        return False
    machine.full = not machine.full
    world.say(f"the disk of {machine.name} {'is full' if machine.full else 'has room again'}")
    if not machine.full and not machine.running:
        world.power(machine)
    return True


def _clock(world: World) -> bool:
    machine = world.pick(world.in_service())
    if machine is None:
        return False
    if machine.skew and world.chance.random.random() < 0.6:
        machine.skew *= 0
    else:
        world.step_clock(machine)
    world.say(f"the clock of {machine.name} is wrong by {machine.skew}")
    return True


def _upgrade_node(world: World) -> bool:
    machine = world.pick()
    if machine is None:
        return False
    machine.newer = not machine.newer
    world.say(f"{machine.name} runs a {'newer' if machine.newer else 'common'} version")
    return True


def _upgrade_center(world: World) -> bool:
    machine = world.pick()
    if machine is None:
        return False
    machine.older = not machine.older
    world.say(f"{machine.name} {'cannot read' if machine.older else 'reads'} what the center says")
    return True


def _rotate(world: World) -> bool:
    machine = world.pick()
    if machine is None:
        return False
    world.say(f"{machine.name} changes its key")
    world.guarded(machine, machine.rotate)
    return True


def _supplement(world: World) -> bool:
    line = world.chance.random.choice(LINES)
    return world.at_center(world.supplement, line, Decimal(world.chance.random.randint(5, 20))) is None


def _file(world: World) -> bool:
    office = world.office
    if not office.running:
        return False
    world.say("a filing is made")
    number = f"F-{world.chance.random.randrange(10**6)}"
    world.at_center(lambda: office.write(*decisions.filing(office.book, number, "the supervisor")))
    return True


def _prune(world: World) -> bool:
    machine = world.pick([machine for machine in world.live() if machine.releasable])
    if machine is None:
        return False
    gone = world.guarded(machine, machine.prune)
    world.say(f"{machine.name} forgets {gone} entries")
    return True


def _forge(world: World) -> bool:
    sentence = forge(world)
    if sentence:
        world.say(sentence)
    return bool(sentence)


def _suspend(world: World) -> bool:
    world.say("the zone is suspended")
    world.at_center(world.suspend)
    return True


def _hold(world: World) -> bool:
    world.say("goods are held")
    world.at_center(world.hold)
    return True


def _release(world: World) -> bool:
    known = world.office.book.restraints
    if not (known.suspended or known.holds):
        return False
    world.say("what held goods has ended")
    world.at_center(world.release)
    return True


STEPS: Mapping[str, Kind] = {
    "admit": Kind(14, False, _admit),
    "withdraw": Kind(10, False, _withdraw),
    "lazy": Kind(4, False, _lazy),
    "pump": Kind(2, False, _pump),
    "undo": Kind(4, False, _undo),
    "truck": Kind(4, False, _truck),
    "exchange": Kind(26, False, _exchange),
    "send": Kind(7, False, _send),
    "deliver": Kind(10, False, _deliver),
    "message lost": Kind(1.5, True, _lose),
    "message doubled": Kind(1.5, True, _double),
    "partition": Kind(1.5, True, _partition),
    "center cut off": Kind(0.5, True, _cut_center),
    "crash of a node": Kind(3, True, _crash),
    "crash of the center": Kind(2, True, _crash_center),
    "switch on": Kind(3, False, _switch_on),
    "store kept": Kind(2, False, _keep_store),
    "store restored": Kind(1.2, True, _restore_store),
    "store restored, anchor new": Kind(0.4, True, _restore_both),
    "machine imaged anew": Kind(0.4, True, _image_node),
    "store lost": Kind(0.4, True, _lose_store),
    "store lost in a crash": Kind(0.3, True, _lose_store_in_crash),
    "anchor lost": Kind(0.4, True, _lose_anchor),
    "store copied": Kind(0.5, True, _copy_store),
    "image kept": Kind(1.2, False, _image),
    "machine rolled back": Kind(0.6, True, _roll_back),
    "machine copied": Kind(0.5, True, _copy_machine),
    "machine lost": Kind(0.8, True, _destroy),
    "count": Kind(1, False, _count),
    "false count": Kind(0.3, True, _count_falsely),
    "false attestation": Kind(0.25, True, _attest_falsely),
    "late return": Kind(0.8, True, _late_return),
    "node retired": Kind(0.5, False, _retire),
    "machine replaced": Kind(0.6, False, _replace),
    "roll attested": Kind(0.6, False, _attest_roll),
    "center backup": Kind(1.5, False, _backup),
    "center backup destroyed": Kind(0.3, False, _backup_gone),
    "center restored": Kind(0.6, True, _restore_center),
    "center restored, anchor lost": Kind(0.25, True, _restore_center_bare),
    "center image": Kind(0.6, False, _image_center),
    "center rolled back": Kind(0.35, True, _roll_back_center),
    "disk full": Kind(0.8, True, _fill_disk),
    "clock stepped": Kind(0.8, True, _clock),
    "node upgraded first": Kind(0.4, True, _upgrade_node),
    "center upgraded first": Kind(0.4, True, _upgrade_center),
    "key rotated": Kind(0.8, False, _rotate),
    "permit supplemented": Kind(0.8, False, _supplement),
    "filing": Kind(1, False, _file),
    "prune": Kind(1, False, _prune),
    "forgery": Kind(0.5, True, _forge),
    "zone suspended": Kind(1.5, False, _suspend, apart=True),
    "goods held": Kind(1, False, _hold, apart=True),
    "zone resumed": Kind(3, False, _release, apart=True),
}
