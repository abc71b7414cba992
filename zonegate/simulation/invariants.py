# SPDX-License-Identifier: Apache-2.0
"""What must hold after every step, and at the end. Each finding names its invariant.

The excuses are the stated limits, by line and quantity, as `zonegate.simulation.floor` has summed them up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from customs.documents import LineRef
from sync import rollcall
from sync.bodies import Adopt, Correction, Filing, Grant, Movement, Returned, Saw, Use, read_body
from sync.center import CenterBook, recompute
from sync.chain import Stored, chain_of
from sync.entry import GENESIS, Place, read_record
from sync.errors import EntryError, SyncError
from zonegate.simulation.finding import Finding
from zonegate.simulation.floor import ZERO, Told, fact_of
from zonegate.simulation.machine import TENANT, ZONE
from zonegate.simulation.restrained import restrained
from zonegate.simulation.world import LINES, World


def after_step(world: World) -> Iterator[Finding]:
    """What must hold at every moment."""
    floor, office = world.floor, world.office
    for line in LINES:
        most = world.authorized[line] + floor.excused[line]
        if floor.across[line] > most:
            yield Finding(
                "I1",
                "overdraws",
                f"{floor.across[line]} of {line} are across, {world.authorized[line]} are authorized, "
                f"{floor.excused[line]} excused",
            )
    if office.running and office.book.may_lend():
        for line in LINES:
            # A center that was rolled back as a whole knows nothing of it before a node shows it its head.
            unaware = max(office.rolled_back.get(line, ZERO), ZERO)
            charged = office.book.charged(line) + unaware
            if charged + floor.excused[line] < floor.across[line]:
                yield Finding(
                    "I2",
                    "overdraws",
                    f"the center may lend {line} and charges {charged}, {floor.across[line]} are across, "
                    f"{floor.excused[line]} excused",
                )
    for machine in world.live():
        for line, left in machine.leases().items():
            if left < ZERO:
                yield Finding("I3", "overdraws", f"{machine.name} has {left} of {line} in its own log")
    conflicts, office.conflicts = office.conflicts, []
    for epoch, seq in conflicts:
        if office.running and not office.book.forks[epoch]:
            sentence = f"two entries {seq} of epoch {epoch} were shown to the center, it noticed nothing"
            yield Finding("I6", "unnoticed_forks", sentence)
    unnoticed, world.unnoticed = world.unnoticed, []
    for sentence in unnoticed:
        yield Finding("E", "unnoticed_rollbacks", sentence)


def at_end(world: World) -> Iterator[Finding]:
    """What must hold once everything was mended, reported and counted."""
    yield from _logs(world)
    yield from _books(world)
    yield from _leases(world)
    yield from _rolled_back(world)
    yield from _told(world)
    yield from _charges(world)
    yield from restrained(world)


def _logs(world: World) -> Iterator[Finding]:
    """I4: contiguous, linked, and nothing in them that no machine wrote."""
    database = world.office.database
    for epoch, log in database.copies.logs.items():
        try:
            chain_of(epoch, 0, GENESIS, [stored.record for stored in log])
        except SyncError as error:
            yield Finding("I4", "lost", str(error))
        for stored in log:
            if stored.hash not in world.floor.written:
                yield Finding("I4", "unnoticed_forks", f"nobody wrote entry {stored.entry.seq} of {epoch}")
    by_epoch: dict[str, list[bytes]] = defaultdict(list)
    for stored in database.own:
        by_epoch[stored.entry.epoch].append(stored.record)
    for epoch, records in by_epoch.items():
        try:
            chain_of(epoch, 0, GENESIS, records)
        except SyncError as error:
            yield Finding("I4", "lost", str(error))


# -- I7, I8: the books again --------------------------------------------------------------------------


class Plain:
    """The accounts by a fold that knows nothing but what an account is: by (line, epoch), of distinct ids."""

    def __init__(self) -> None:
        self.used: dict[tuple[LineRef, str], Decimal] = defaultdict(Decimal)
        self.granted: dict[tuple[LineRef, str], Decimal] = defaultdict(Decimal)
        self.returned: dict[tuple[LineRef, str], Decimal] = defaultdict(Decimal)
        self._ids: set[str] = set()
        self._standing: dict[tuple[str, str], Use] = {}

    def own(self, stored: Stored) -> None:
        """An entry of the center's log."""
        if stored.entry.type == "grant":
            self._grant(stored.entry.entry_id, stored.body)

    def node(self, node: str, stored: Stored, of: dict[str, str]) -> None:
        """An entry of a node's log; `of` says whose an epoch is."""
        try:
            body = read_body(stored.entry)
        except EntryError:
            return
        if isinstance(body, Adopt):
            entry = read_record(bytes(body.record))
            if of.get(entry.epoch, node) != node:
                return
            try:
                body = read_body(entry)
            except EntryError:
                return
            if not isinstance(body, Returned):
                self._fact(node, entry.entry_id, entry.epoch, body)
        else:
            self._fact(node, stored.entry.entry_id, stored.entry.epoch, body)

    def _fact(self, node: str, entry_id: str, epoch: str, body: Any) -> None:
        if isinstance(body, Saw):
            for raw in body.entries:
                entry = read_record(bytes(raw))
                if entry.type == "grant" and (grant := read_body(entry)).node == node:
                    self._grant(entry.entry_id, grant)
            return
        if entry_id in self._ids:
            return
        self._ids.add(entry_id)
        if isinstance(body, Returned):
            self.returned[body.ref, epoch] += body.quantity
        elif isinstance(body, Movement) and body.use is not None:
            self.used[body.use.ref, epoch] += body.use.quantity
            self._standing[epoch, entry_id] = body.use
        elif isinstance(body, Correction) and body.use is not None:
            use = self._standing.pop((epoch, body.corrects), None)
            self.used[body.use.ref, epoch] -= use.quantity if use is not None else ZERO

    def _grant(self, entry_id: str, grant: Grant) -> None:
        if entry_id not in self._ids:
            self._ids.add(entry_id)
            self.granted[grant.ref, grant.epoch] += grant.quantity


def _accounts(book: CenterBook) -> dict[str, dict[tuple[LineRef, str], Decimal]]:
    found: dict[str, dict[tuple[LineRef, str], Decimal]] = {"granted": {}, "returned": {}, "used": {}}
    for line, accounts in book.accounts.lines.items():
        for epoch, account in accounts.items():
            for name, value in (
                ("granted", account.granted),
                ("returned", account.returned),
                ("used", account.used),
            ):
                if value:
                    found[name][line, epoch] = value
    return found


def _books(world: World) -> Iterator[Finding]:
    office, database = world.office, world.office.database
    logs, of = database.copies.logs, database.owners
    plain = Plain()
    seen: dict[str, int] = {}
    book: CenterBook | None = None

    def run(_: str, epoch: str, after: int, upto: int) -> list[Stored]:
        return logs[epoch][after:upto]

    for stored, book in recompute(TENANT, ZONE, database.own, run):
        if stored.entry.type == "center-saw":
            saw = stored.body
            for entry in logs[saw.epoch][seen.get(saw.epoch, 0) : saw.upto.seq]:
                plain.node(saw.node, entry, of)
            seen[saw.epoch] = saw.upto.seq
        plain.own(stored)
        if stored.entry.type == "filing":
            filing: Filing = stored.body
            if filing.figures != book.figures():
                yield Finding("I8", "lost", f"filing {filing.number} does not recompute from its place")
            figures = {amount.ref: amount.quantity for amount in filing.figures if amount.quantity}
            if figures != _used(plain):
                yield Finding("I8", "lost", f"filing {filing.number} says {figures}, the logs {_used(plain)}")
    for name, folded in (("as folded", office.book), ("recomputed", book), ("at start", office.folded())):
        if folded is None:
            continue
        accounts = _accounts(folded)
        for what, truth in (
            ("granted", plain.granted),
            ("returned", plain.returned),
            ("used", plain.used),
        ):
            figures_of = {key: value for key, value in truth.items() if value}
            if accounts[what] != figures_of:
                more = sum(accounts[what].values()) > sum(figures_of.values())
                yield Finding(
                    "I7",
                    "duplicated" if more else "lost",
                    f"the books {name} say {what} {_short(accounts[what])}, the logs {_short(figures_of)}",
                )


def _used(plain: Plain) -> dict[LineRef, Decimal]:
    used: dict[LineRef, Decimal] = defaultdict(Decimal)
    for (line, _), quantity in plain.used.items():
        used[line] += quantity
    return {line: quantity for line, quantity in used.items() if quantity}


def _short(amounts: dict[tuple[LineRef, str], Decimal]) -> str:
    return ", ".join(f"{line} {epoch[:6]} {amount}" for (line, epoch), amount in sorted(amounts.items()))


def _leases(world: World) -> Iterator[Finding]:
    """I3 over the stored logs: each use stands on grants whose Saw the center had confirmed by then (S4)."""
    for epoch, log in world.office.database.copies.logs.items():
        grants: list[tuple[int, Grant]] = []
        spent: dict[LineRef, Decimal] = defaultdict(Decimal)
        taken_in: set[str] = set()
        for stored in log:
            try:
                body = fact_of(stored).body
            except EntryError:
                continue
            if isinstance(body, Saw):
                found = [read_record(bytes(raw)) for raw in body.entries]
                again = [entry for entry in found if entry.entry_id in taken_in]
                taken_in.update(entry.entry_id for entry in found)
                if again:
                    sentence = (
                        f"entry {stored.entry.seq} of {epoch[:6]} takes a {again[0].type} a second time"
                    )
                    yield Finding("I7", "duplicated", sentence)
                granted = (read_body(entry) for entry in found if entry.type == "grant")
                grants += [(stored.entry.seq, grant) for grant in granted if grant.epoch == epoch]
                continue
            taken: Use | Returned | None = body if isinstance(body, Returned) else getattr(body, "use", None)
            if taken is None:
                continue
            spent[taken.ref] += -taken.quantity if isinstance(body, Correction) else taken.quantity
            have = body.have if isinstance(body, Movement) else stored.entry.seq
            lent = sum(
                (grant.quantity for seq, grant in grants if grant.ref == taken.ref and seq <= have), ZERO
            )
            if spent[taken.ref] > lent and not isinstance(body, Correction):
                yield Finding(
                    "I3",
                    "overdraws",
                    f"entry {stored.entry.seq} of {epoch[:6]} takes {spent[taken.ref]} of the {lent} lent of "
                    f"{taken.ref}",
                )


def _rolled_back(world: World) -> Iterator[Finding]:
    """A center that was rolled back as a whole began another epoch once it was shown its lost tail."""
    for epoch, witnesses in world.rolled_back:
        if world.office.book.own_epochs[-1] != epoch:
            continue
        for machine, disk, place in witnesses:
            known = world.office.hash_at(place.epoch, place.seq) == place.hash
            if not known and machine.disk is disk and machine in world.live() and machine.shown_since:
                sentence = (
                    f"the center goes on in {epoch[:6]} although {machine.name} knows a later head of it"
                )
                yield Finding("E", "unnoticed_rollbacks", sentence)
                return


# -- I5: nothing told is lost -------------------------------------------------------------------------


def _told(world: World) -> Iterator[Finding]:
    book, database = world.office.book, world.office.database
    excused = _spoken_for(world) | world.floor.lost_unseen | world.nobody_knows()
    places: dict[str, list[str]] = defaultdict(list)
    for stored in database.copies.all():
        places[stored.entry.entry_id].append(stored.hash)
        if stored.entry.type == "adopt":
            places[read_record(bytes(stored.body.record)).entry_id] += []
    for entry_id, hashes in places.items():
        if len(hashes) > 1:
            yield Finding("I5", "duplicated", f"entry {entry_id} stands in {len(hashes)} places")
    living = {
        stored.entry.entry_id: machine.name
        for machine in world.in_service()
        for stored in machine.disk.logs.all()
    }
    for told in world.floor.told.values():
        if told.entry_id in places or told.type == "begin":
            continue
        what = f"{told.type} {told.seq} of epoch {told.epoch[:6]}, told at {told.machine},"
        if told.entry_id in living:
            if told.type not in ("adopt", "rotate"):  # of these a later log tells again what they are about
                yield Finding(
                    "I5", "lost", f"{what} is on the disk of {living[told.entry_id]}, not at the center"
                )
        elif told.papers and not (told.entry_id in excused or _named(book, told)):
            yield Finding("I5", "lost", f"{what} is nowhere, and no case names it")


def _spoken_for(world: World) -> set[str]:
    """The told entries that a count speaks for which the center has in its log."""
    return {
        entry_id
        for stored in world.office.database.own
        if stored.entry.type == "close"
        for entry_id in world.spoken.get(stored.body, ())
    }


def _named(book: CenterBook, told: Told) -> bool:
    """Whether a case, open or settled, names the range or the epoch of an entry."""
    known = book.epochs.get(told.epoch)
    if book.accounts.counted(told.epoch):
        return True
    for child in book.epochs.values():
        end = child.end
        missing = known is None or known.head.seq < told.seq or _forked(book, told, end)
        if end is not None and end.epoch == told.epoch and end.seq >= told.seq and missing:
            return True
        # A log that is known by its end alone: nobody can say what came before it either.
        if child.node == told.node and end is not None and end.epoch not in book.epochs:
            return True
    return False


def _forked(book: CenterBook, told: Told, end: Place | None) -> bool:
    """Whether a case tells that the log of an entry had two writers, of which one ended there."""
    return any(end in (fork.stored, fork.shown) for fork in book.forks[told.epoch])


def _charges(world: World) -> Iterator[Finding]:
    """I2 once more, when every tail that some disk kept is at the center: only what is lost is excused."""
    office, floor = world.office, world.floor
    stored = {entry.entry.entry_id for entry in office.database.copies.all()} | office.book.adopted
    if next(rollcall.missing(office.book), None) is not None:
        return
    unseen = floor.lost_unseen | world.nobody_knows()
    for line in LINES:
        lost = sum(
            (
                goods.quantity
                for goods in floor.goods.values()
                if goods.line == line and goods.entry_id in unseen and goods.entry_id not in stored
            ),
            ZERO,
        )
        false = sum(
            (excuse.amounts.get(line, ZERO) for excuse in floor.excuses if excuse.kind.startswith("false")),
            ZERO,
        )
        charged = office.book.charged(line)
        if charged + lost + false < floor.across[line]:
            yield Finding(
                "I2",
                "overdraws",
                f"at the end {charged} of {line} are charged, {floor.across[line]} are across, "
                f"{lost} lost unseen, {false} by false words",
            )
    yield from _charges_alone(world)


def _charges_alone(world: World) -> Iterator[Finding]:
    """The same by epoch, so that an idle lease of one cannot hide what another let out."""
    book, floor = world.office.book, world.floor
    out: dict[tuple[LineRef, str], Decimal] = defaultdict(Decimal)
    elsewhere = floor.lost_unseen | _spoken_for(world) | world.nobody_knows()
    for goods in floor.goods.values():
        if goods.entry_id not in elsewhere:
            out[goods.line, goods.epoch] += goods.quantity
    for (line, epoch), quantity in out.items():
        if epoch not in book.epochs or book.accounts.counted(epoch):
            continue
        if book.epochs[epoch].unread and (book.is_closed(epoch) or book.forks[epoch]):
            continue  # what came behind its end, or of its other writer, cannot be read here; a case says so
        account = book.accounts.of(line, epoch)
        charged = account.used if book.is_closed(epoch) else account.open
        if charged < quantity:
            sentence = f"epoch {epoch[:6]} is charged {charged} of {line}, {quantity} went out in it"
            yield Finding("I2", "overdraws", sentence)
