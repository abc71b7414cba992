# SPDX-License-Identifier: Apache-2.0
"""One world: a center, three nodes and their machines, copies of both, a network, people.

Each public method is one step that may happen. What a step cannot do now, it does not do, and says so by
False; the schedule goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from customs.documents import Conveyance, Direction, LineRef, Permit, PermitLine, Product, Status
from gs1.load import Load
from sync import decisions
from sync.bodies import Amount, BackedUp, BackupGone, read_body
from sync.entry import Place
from sync.errors import SyncError
from sync.restraints import HoldLifted, HoldPut, ZoneEvent
from zonegate.simulation.floor import ZERO, Floor
from zonegate.simulation.forgotten import CenterMemory
from zonegate.simulation.machine import Image, Machine, leases_in
from zonegate.simulation.office import Office
from zonegate.simulation.stores import Chance, Database, Disk, DiskFull, Medium, PowerCut, Vault

NODES = ("dock-1", "dock-2", "dock-3")
TOOL = "09521999001058"
IN, OUT = LineRef("A01", "1"), LineRef("W06", "1")
LINES = (IN, OUT)
SUPERVISOR = "the supervisor"


@dataclass(slots=True)
class Letter:
    """A message on its way; `machine` asked or is answered."""

    machine: Machine
    body: bytes
    signature: str | None = None
    late: bool = False


class World:
    """Everything there is. `told` collects sentences of what happened, for people who read a schedule."""

    def __init__(self, seed: int) -> None:
        self.chance = Chance(seed)
        self.floor = Floor()
        self.office = Office(self.chance, self.floor)
        self.machines: list[Machine] = []
        self.letters: list[Letter] = []
        self.images: list[tuple[Machine, Image]] = []
        self.stores: list[tuple[Machine, Disk]] = []
        self.backups: list[tuple[str, Database]] = []
        self.vaults: dict[str, Vault] = {}
        self.center_cut = False
        self.authorized = dict.fromkeys(LINES, ZERO)
        self.enrolled: set[str] = set()
        self.copied: set[str] = set()
        self.rolled_back: list[tuple[str, list[tuple[Machine, Disk, Place]]]] = []
        self.memory = CenterMemory()
        self.counted: set[tuple[str, str]] = set()
        self.spoken: dict[msgspec.Struct, set[str]] = {}
        self.trucks = 0
        self.unnoticed: list[str] = []
        self._names = 0
        self.trace: list[str] = []
        self.office.start()
        self.office.write("product", Product(TOOL, "Tool", per_pallet=Decimal(5)))
        self.supplement(IN, Decimal(90))
        self.supplement(OUT, Decimal(40))
        for node in NODES:
            self.truck(node, Direction.IN)
            self.truck(node, Direction.OUT)
            machine = self._machine(node)
            self._give_code(machine)
            machine.start()
        self.trace.clear()

    def load(self, lot: str | None = None) -> Load:
        """Goods by product and lot; of a new lot unless one is named."""
        if lot is None:
            self._names += 1
            lot = f"L{self._names}"
        return Load("gtin", f"/01/{TOOL}/10/{lot}", (), gtin=TOOL, lot=lot)

    # -- what is there ------------------------------------------------------------------------------------

    def say(self, sentence: str) -> None:
        """Something happened."""
        self.trace.append(sentence)

    def live(self) -> list[Machine]:
        """Machines that are on."""
        return [machine for machine in self.machines if machine.running]

    def in_service(self) -> list[Machine]:
        """Machines that nobody took out of service."""
        return [machine for machine in self.machines if not machine.gone]

    def pick(self, among: list[Machine] | None = None) -> Machine | None:
        """Any of them."""
        among = self.live() if among is None else among
        return self.chance.random.choice(among) if among else None

    def _machine(self, node: str, image: Image | None = None) -> Machine:
        self._names += 1
        machine = Machine(self.chance, self.floor, node, f"{node}/{self._names}", image)
        self.machines.append(machine)
        return machine

    def _give_code(self, machine: Machine) -> None:
        if self.office.running:
            code = self.at_center(self.office.enrol, machine.node)
            machine.code = str(code) if code is not None else None
            self.enrolled.add(machine.node)

    # -- papers ---------------------------------------------------------------------------------------------

    def supplement(self, line: LineRef, more: Decimal) -> None:
        """The customs office authorizes more of a line."""
        self.authorized[line] += more
        direction = Direction.IN if line == IN else Direction.OUT
        kind = "admission" if line == IN else "weekly-entry"
        what = PermitLine(line.line, TOOL, Status.NPF, self.authorized[line], "EA", direction)
        days = (date(2026, 5, 1), date(2026, 7, 31))
        self.office.write("permit", Permit(line.permit, kind, "Example Two", *days, (what,)))

    def suspend(self) -> None:
        """A person suspends the zone."""
        at = self.chance.now(self.office.skew)
        self.office.write("zone", ZoneEvent("suspended", self.chance.hex(), "inspection", SUPERVISOR, at))

    def hold(self) -> None:
        """An agency holds all there is of the tools."""
        at = self.chance.now(self.office.skew)
        name = self.chance.hex()
        self.office.write("hold-put", HoldPut(name, "agency", "Customs", "exam", SUPERVISOR, at, gtin=TOOL))

    def release(self) -> None:
        """A person ends all that the center knows to stand."""
        at = self.chance.now(self.office.skew)
        known = self.office.book.restraints
        ends: list[tuple[str, msgspec.Struct]] = [
            ("zone", ZoneEvent("resumed", put, "found nothing", SUPERVISOR, at)) for put in known.suspended
        ]
        ends += [("hold-lifted", HoldLifted(put, SUPERVISOR, "released", at)) for put in known.holds]
        self.office.write_all(ends)

    def truck(self, node: str, direction: Direction) -> None:
        """A truck is planned at a door."""
        self.trucks += 1
        inbound = direction is Direction.IN
        door = f"{node}-in" if inbound else f"{node}-out"
        lines = (IN if inbound else OUT,)
        self.office.write(
            "conveyance",
            Conveyance(f"T-{self.trucks}", "Truck", "Carrier", door, direction, permit_lines=lines),
        )

    # -- power ----------------------------------------------------------------------------------------------

    def power(self, machine: Machine) -> bool:
        """A machine is switched on, as often as it takes; False while its disk is full."""
        for _ in range(4):
            try:
                begun = machine.start()
            except PowerCut:
                self.say(f"{machine.name} loses power while it starts")
                continue
            except DiskFull:
                machine.off()
                return False
            if begun is not None:
                self.say(f"{machine.name} begins epoch {machine.epoch[:6]}: {begun.reason}")
            return True
        return False

    def guarded(self, machine: Machine, act: object, *args: object, **kwargs: object) -> object:
        """An act of a machine that may end in the dark; the machine is on again then, or stays off."""
        try:
            return act(*args, **kwargs)  # type: ignore[operator]
        except PowerCut:
            self.say(f"{machine.name} loses power")
            machine.off()
            if self.chance.random.random() < 0.7:
                self.power(machine)
        except DiskFull:
            self.say(f"{machine.name} cannot write")
            machine.off()
            self.power(machine)
        return None

    def power_center(self) -> bool:
        """The center is switched on, as often as it takes."""
        for _ in range(4):
            try:
                begun = self.office.start()
            except PowerCut:
                continue
            if begun is not None:
                self.say(f"the center begins epoch {self.office.book.own_epochs[-1][:6]}: {begun.reason}")
            return True
        return False

    def at_center(self, act: object, *args: object, **kwargs: object) -> object:
        """An act of the center that may end in the dark; it is on again then."""
        if not self.office.running:
            return None
        try:
            return act(*args, **kwargs)  # type: ignore[operator]
        except PowerCut:
            self.say("the center loses power")
            self.office.off()
            self.power_center()
        return None

    # -- the network ----------------------------------------------------------------------------------------

    def send(self, machine: Machine) -> bool:
        """A machine asks; its earlier request is given up."""
        asked = self.guarded(machine, machine.ask)
        if asked is None:
            return False
        assert isinstance(asked, tuple)
        self.letters.append(Letter(machine, *asked))
        return True

    def deliver(self, letter: Letter) -> None:
        """A message arrives."""
        machine = letter.machine
        if letter.signature is not None:
            answer = self.at_center(self.office.answer, letter.body, letter.signature)
            machine.shown_since |= isinstance(answer, bytes) and not letter.late
            if isinstance(answer, bytes):
                self.letters.append(Letter(machine, answer))
            elif self.office.refusal:
                machine.trouble, self.office.refusal = self.office.refusal, ""
                if machine.running:
                    machine.sync.refused()
            return
        if machine.running and not machine.older:
            before = machine.epoch
            self.guarded(machine, machine.take, letter.body)
            if machine.epoch != before:
                self.say(f"{machine.name} goes on in epoch {machine.epoch[:6]}")

    def exchange(self, machine: Machine) -> bool:
        """A request and its answer, with nothing between; False when there was no answer."""
        if machine.cut or self.center_cut or not self.send(machine):
            return False
        self.deliver(self.letters.pop())
        if self.letters and self.letters[-1].machine is machine and self.letters[-1].signature is None:
            self.deliver(self.letters.pop())
            return True
        return False

    # -- machines -------------------------------------------------------------------------------------------

    def restore_store(self, machine: Machine, disk: Disk, *, anchor: bool) -> None:
        """An older store is put back, with the second medium as it is, or with a new one."""
        told = machine.medium.anchor
        before = told.epoch if told else ""
        machine.off()
        behind = told is not None and disk.logs.hash_at(told.epoch, told.seq) != told.hash
        self._lose_tail(machine)
        machine.disk = disk.copy()
        if not anchor:
            machine.medium = Medium(self.chance.secret())
            self._give_code(machine)
        self.power(machine)
        if machine.running and machine.epoch == before and (behind or not anchor):
            self.unnoticed.append(f"{machine.name} goes on in epoch {before[:6]} from an older store")

    def roll_back(self, machine: Machine, image: Image) -> None:
        """Store, anchor and key of a machine are as they once were."""
        machine.off()
        gone = {told.entry_id for told in self.floor.told.values() if told.machine == machine.name}
        gone -= {stored.entry.entry_id for stored in image.disk.logs.all()}
        seen = self._at_center()
        self.floor.lost(gone, seen)
        self.floor.excuse("machine rolled back", leases_in(image, self.chance))
        copied = image.copy()
        machine.disk, machine.medium = copied.disk, copied.medium
        self.power(machine)

    def copy_machine(self, machine: Machine, image: Image) -> None:
        """A second machine is made of an image: store, anchor and key."""
        self.floor.excuse("machine copied", leases_in(image, self.chance))
        self.copied.update(image.disk.logs.epochs()[-1:])
        # What was told after the image, and is on no disk in service, nobody may have seen; but for what the
        # proven end of a log in service names.
        ends: dict[str, int] = {}
        for stored in (stored for one in self.in_service() for stored in one.disk.logs.all()):
            if stored.entry.seq == 1 and (end := read_body(stored.entry).end) is not None:
                ends[end.epoch] = max(end.seq, ends.get(end.epoch, 0))
        alone = {
            told.entry_id
            for told in self.floor.told.values()
            if told.node == machine.node and told.seq > ends.get(told.epoch, 0)
        }
        self.floor.lost(alone - self._in_service(), self._at_center())
        other = self._machine(machine.node, image.copy())
        other.code = machine.code
        self.power(other)

    def copy_store(self, machine: Machine) -> None:
        """A second machine gets a copy of the store, and has a second medium of its own."""
        other = self._machine(machine.node)
        other.disk = machine.disk.copy()
        self._give_code(other)
        self.power(other)
        if other.running and other.epoch == machine.epoch:
            self.unnoticed.append(f"{other.name} goes on in epoch {machine.epoch[:6]} from a copied store")

    def wipe(self, machine: Machine, *, store: bool, anchor: bool) -> None:
        """A medium is replaced by an empty one."""
        machine.off()
        if store and anchor:
            self._lose_unaware(machine)
        if store:
            self._lose_tail(machine)
            machine.disk = Disk()
        if anchor:
            machine.medium = Medium(self.chance.secret())
            self._give_code(machine)
        self.power(machine)

    def destroy(self, machine: Machine) -> None:
        """A machine burns; or is thought to. Of a copied machine nobody may ever have seen the tail."""
        machine.off()
        machine.gone = True
        self._lose_tail(machine)
        retired = machine.node in self.office.book.retired
        if retired or any(other.node == machine.node for other in self.in_service()):
            # Of two machines of a node the center may never have met the one: nobody misses it. Nor one that
            # is used after people said that its node is gone for good.
            met = self.office.database.copies.logs
            told = [told for told in self.floor.told.values() if told.machine == machine.name]
            self.floor.lost({one.entry_id for one in told if one.epoch not in met}, set())

    def _lose_tail(self, machine: Machine) -> None:
        """Of a machine that was copied, or is a copy, a disk is lost: the tail of its branch with it."""
        tail = {
            stored.entry.entry_id for stored in machine.disk.logs.all() if stored.entry.epoch in self.copied
        }
        self.floor.lost(tail & self.floor.told.keys(), self._at_center())

    def _lose_unaware(self, machine: Machine) -> None:
        """Of a machine whose logs the center forgot when it was rolled back as a whole, all is lost. That is
        one stated limit on top of another: nobody misses it, unless a witness tells the center what it was.
        """
        elsewhere = (other.disk.logs for other in self.in_service() if other is not machine)
        self.memory.lost(machine.disk.logs, elsewhere, self.office, self.floor.told.keys())

    def nobody_knows(self) -> set[str]:
        """What was lost so and has stayed unknown: nobody told the center that it was rolled back then."""
        return self.memory.unknown(self.office)

    def come_back(self, machine: Machine) -> None:
        """A machine that was out of service is used again. What it lets out before the center has told it
        that it was counted goes against the word of those who said that it would not.
        """
        machine.gone = False
        if self.power(machine) and self.office.book.is_closed(machine.epoch):
            self.floor.excuse("false attestation", machine.leases())

    def replace_machine(self, node: str) -> Machine:
        """A node gets a new machine, with nothing on it but a code."""
        machine = self._machine(node)
        self._give_code(machine)
        self.power(machine)
        return machine

    def _in_service(self) -> set[str]:
        """The ids on the disks of machines in service."""
        return {stored.entry.entry_id for machine in self.in_service() for stored in machine.disk.logs.all()}

    def _at_center(self) -> set[str]:
        return {stored.entry.entry_id for stored in self.office.database.copies.all()}

    # -- people ---------------------------------------------------------------------------------------------

    def true_count(self, node: str, epochs: set[str]) -> dict[LineRef, Decimal]:
        """What the goods of these epochs took, with all that no stored log of the node tells of."""
        book = self.office.book
        known = self._at_center() | book.adopted | self._in_service()
        counted = dict.fromkeys(LINES, ZERO)
        for goods in self.floor.goods.values():
            if goods.node == node and (goods.epoch in epochs or goods.entry_id not in known):
                counted[goods.line] += goods.quantity
        return counted

    def write_off(
        self,
        node: str,
        epochs: set[str],
        gaps: set[str],
        *,
        less: Decimal = ZERO,
        retires: bool = False,
        note: str = "counted",
    ) -> bool:
        """People count and attest; `less` is what they overlook of each line."""
        book = self.office.book
        names = epochs | {f"gap:{gap}" for gap in gaps}
        for count in book.accounts.counts:  # what an earlier count spoke for together is counted together
            if count.names & names:
                epochs |= {name for name in count.names if not name.startswith(("gap:", "retired:"))}
                gaps |= {name.removeprefix("gap:") for name in count.names if name.startswith("gap:")}
        true = self.true_count(node, epochs)
        said = {line: max(quantity - less, ZERO) for line, quantity in true.items()}
        counted = [Amount(line.permit, line.line, quantity) for line, quantity in sorted(said.items())]
        try:
            drafts = decisions.write_off(
                book,
                node,
                sorted(epochs),
                counted,
                gaps=sorted(gaps),
                by=SUPERVISOR,
                note=note,
                retires=retires,
            )
        except SyncError as error:
            self.say(f"a count is refused: {error}")
            return False
        if less:
            self.floor.excuse("false count", {line: true[line] - said[line] for line in LINES})
        for machine in self.machines:
            if machine.epoch in epochs and not machine.gone and machine.running:
                self.floor.excuse("false attestation", machine.leases())
        self.spoken.setdefault(drafts[0][1], set()).update(self._spoken(node))  # the power may fail below
        if retires:
            self.office.void_codes(node)
        self.office.write_all(drafts)
        if retires:
            self.office.struck(node)
        shown = ", ".join(sorted(name[:6] for name in epochs))
        self.say(f"people count for {node} ({shown}; {len(gaps)} gaps): {said[IN]} in, {said[OUT]} out")
        return True

    def _spoken(self, node: str) -> set[str]:
        """The told entries of a node that a count speaks for: all but those that a disk in service has."""
        told = {told.entry_id for told in self.floor.told.values() if told.node == node}
        return told - self._in_service()

    def epochs_without_machine(self, node: str) -> set[str]:
        """Epochs of a node that nothing closed and that no machine in service goes on in."""
        writing = {machine.epoch for machine in self.in_service()}
        book = self.office.book
        return {
            epoch
            for epoch, known in book.epochs.items()
            if known.node == node and not book.is_closed(epoch) and epoch not in writing
        }

    # -- the center -----------------------------------------------------------------------------------------

    def restore_center(self, database: Database, *, anchor: bool) -> None:
        """An older database is put back."""
        office = self.office
        before = office.book.own_epochs[-1]
        behind = office.database.own[-1].place not in {stored.place for stored in database.own}
        office.off()
        self._forget_copies(database)
        self.memory.restored(office.database)
        office.database = database.copy()
        if not anchor:
            office.vault = Vault(self.chance.secret(), None, None)
        self.power_center()
        self.floor.lost_unseen |= self.floor.lost_seen
        if office.book.own_epochs[-1] == before and (behind or not anchor):
            self.unnoticed.append(f"the center goes on in epoch {before[:6]} from an older database")

    def image_center(self) -> None:
        """The whole center is copied; that may be restored as any backup, so it is said to exist."""
        vault = self.office.vault.copy()
        before = len(self.backups)
        self.backup_center()
        for name, _ in self.backups[before:]:
            self.vaults[name] = vault

    def _forget_copies(self, database: Database) -> None:
        """Of two machines of a node the restored center may not know the one: every node is to be counted."""
        for machine in self.machines:
            siblings = [other for other in self.machines if other.node == machine.node]
            if len(siblings) < 2:
                continue
            for epoch in machine.disk.logs.epochs():
                if epoch in database.copies.logs:
                    continue
                amounts = dict.fromkeys(LINES, ZERO)
                for goods in self.floor.goods.values():
                    if goods.epoch == epoch:
                        amounts[goods.line] += goods.quantity
                if epoch == machine.epoch:
                    for line, left in leases_in(machine.image(), self.chance).items():
                        amounts[line] += left
                self.floor.excuse("copy at a center restore", amounts)

    def roll_back_center(self, database: Database, vault: Vault) -> None:
        """Database, anchor and key of the center are as they once were. Not behind the loss of an anchor: of
        what its other key signed since then nothing can be proven to it, which is a stated limit.
        """
        office = self.office
        if vault.secret != office.vault.secret:
            return
        kept = {stored.entry.entry_id for stored in database.own}
        office.ever_lent |= {
            stored.entry.entry_id: stored.body
            for stored in office.database.own
            if stored.entry.type == "grant"
        }
        # Also what an earlier tail had lent: the nodes' word of it is forgotten again.
        tail = {entry_id: grant for entry_id, grant in office.ever_lent.items() if entry_id not in kept}
        lost: dict[LineRef, Decimal] = {}
        for grant in tail.values():
            lost[grant.ref] = lost.get(grant.ref, ZERO) + grant.quantity
        current = office.book.own_epochs[-1]  # those that it has left are settled
        self.rolled_back = [(left, known) for left, known in self.rolled_back if left == current]
        epoch, seq = database.own[-1].place.epoch, database.own[-1].entry.seq
        witnesses = []
        for machine in self.live():
            witness = machine.books.state.witness
            if witness is not None and witness.epoch == epoch and witness.seq > seq:
                machine.shown_since = False
                witnesses.append((machine, machine.disk, witness.place))
        self.rolled_back.append((epoch, witnesses))
        for letter in self.letters:
            letter.late = True
        office.off()
        # Also of what was lost before nobody knows now: the cases that named it are forgotten.
        alone = self.floor.told.keys() - {stored.entry.entry_id for stored in database.copies.all()}
        self.floor.lost(alone - self._in_service(), set())
        self.memory.put_back(office.database, database)
        office.database, office.vault = database.copy(), vault.copy()
        office.rolled_back = lost
        self._forget_copies(database)
        self.floor.lost_unseen |= self.floor.lost_seen
        self.power_center()

    def backup_center(self) -> None:
        """A backup is made, and said to exist; after a restore so are all others on the shelf."""
        self.register_backups()
        name = f"backup-{len(self.backups)}-{self.chance.random.randrange(1000)}"
        kept = self.at_center(self.office.backup, name)
        if isinstance(kept, Database):
            self.backups.append((name, kept))

    def register_backups(self) -> None:
        """What a restored center has forgotten: which backups there are that may still be restored."""
        for name, database in self.backups:
            if self.office.running and name not in self.office.book.backups:
                heads = tuple(log[-1].place for log in database.copies.logs.values())
                self.at_center(self.office.write, "backup", BackedUp(name, heads, SUPERVISOR))

    def backup_gone(self, at: int) -> None:
        """A backup is destroyed."""
        name, _ = self.backups.pop(at)
        if name in self.office.book.backups:
            self.at_center(self.office.write, "backup-gone", BackupGone(name, SUPERVISOR))

    # -- clocks ---------------------------------------------------------------------------------------------

    def step_clock(self, machine: Machine) -> None:
        """A clock jumps."""
        hours = self.chance.random.choice((-1500, -30, -5, 5, 30, 1500))
        machine.skew = timedelta(hours=hours)
