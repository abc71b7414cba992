# SPDX-License-Identifier: Apache-2.0
"""The center's machine: a database, a second medium, and the book. It may lose power before each step.

What it does with an ask and with people's words is what the center's service does, around the same classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal

import msgspec

from customs.documents import LineRef
from sync import decisions, reception, wire
from sync.bodies import BackedUp, Begin, Grant, Roll
from sync.center import CenterBook, adopted_ids, concerns
from sync.chain import BeginAnew, Stored, rule_e
from sync.decisions import Draft
from sync.entry import Place, record_hash
from sync.errors import SyncError
from sync.keys import Signer
from sync.reception import Received
from sync.witness import CENTER, ruling, witnesses
from zonegate.simulation.floor import Floor
from zonegate.simulation.machine import TENANT, ZONE
from zonegate.simulation.stores import Chance, Database, Fuse, Vault


class Office:
    """One center."""

    def __init__(self, chance: Chance, floor: Floor) -> None:
        self.chance, self.floor = chance, floor
        self.database = Database()
        self.vault = Vault(chance.secret())
        self.fuse = Fuse()
        self.skew = timedelta(0)
        self.running = False
        self.conflicts: list[tuple[str, int]] = []
        self.refusal = ""
        self.rolled_back: dict[LineRef, Decimal] = {}
        self.ever_lent: dict[str, Grant] = {}

    # -- start --------------------------------------------------------------------------------------------

    def start(self, shown: Sequence[Place] = ()) -> BeginAnew | None:
        """Rule E, then the book as a fold of what is stored. May raise PowerCut."""
        self.running = False
        own = self.database.own
        head = own[-1].place if own else None
        parent = None
        if head is not None:
            parent = next(s for s in own if s.entry.epoch == head.epoch and s.entry.seq == 1).body.parent
        self.signer = Signer(self.vault.secret)
        self.book = self.folded()
        found = rule_e(head, self.vault.anchor, shown, self.hash_at, parent)
        if isinstance(found, BeginAnew):
            self._begin(found)
        else:
            self.vault.anchor = found.head
        self.book.roll_kept = self.vault.roll
        self.running = True
        return found if isinstance(found, BeginAnew) else None

    def _begin(self, why: BeginAnew, then: Sequence[Draft] = ()) -> None:
        body = Begin(TENANT, ZONE, CENTER, self.signer.public, why.reason, why.parent, why.end)
        self._commit([("begin", body), *then], epoch=self.chance.hex())
        self.rolled_back = {}

    def _meet(self, received: Received) -> None:
        """Where a node knows a head of the own log that is not in it, the center says so, and begins anew."""
        book = self.book

        def in_chain(place: Place) -> bool:
            return self.hash_at(place.epoch, place.seq) == place.hash

        foreign = [
            (witness, next(filter(in_chain, witness.heard(book)), None))
            for witness in witnesses(book, received)
            if not in_chain(witness.shown)
        ]
        why, told = ruling(book, foreign)
        said: list[Draft] = [("put-back", body) for body in told]
        if why is not None:
            self.vault.roll = book.roll_kept = None  # it is as old as the anchor beside it
            self._begin(why, said)
        elif said:
            self.write_all(said)

    def folded(self) -> CenterBook:
        """The book as a fold of what is stored."""
        book = CenterBook(TENANT, ZONE)
        database = self.database
        for stored in database.own:
            book.fold(stored)
        book.doors.update(database.doors)
        kept = list(database.copies.all())
        if ids := adopted_ids(kept):
            book.plain |= ids & {stored.entry.entry_id for stored in kept}
        for stored in kept:
            book.fold_node(database.owners[stored.entry.epoch], stored)
        for head in database.heads:
            book.claim(head)
        return book

    def off(self) -> None:
        """The power is gone."""
        self.running = False

    def hash_at(self, epoch: str, seq: int) -> str | None:
        """The hash at a place of the own log."""
        for stored in self.database.own:
            if (stored.entry.epoch, stored.entry.seq) == (epoch, seq):
                return stored.hash
        return None

    # -- writing ------------------------------------------------------------------------------------------

    def _commit(
        self, drafts: Sequence[Draft], epoch: str | None = None, beside: Callable[[], None] | None = None
    ) -> list[Stored]:
        at = None if epoch else self.book.head
        run: list[Stored] = []
        for kind, body in drafts:
            name = epoch or (at.epoch if at else "")
            stored = self.chance.entry(name, at, kind, body, skew=self.skew)
            at = stored.place
            run.append(stored)
        self.fuse.step()
        self.database.own += run
        if beside is not None:
            beside()
        self.floor.written.update(stored.hash for stored in run)
        for stored in run:
            self.floor.restrain(stored.body)
        self.fuse.step()
        if run:
            self.vault.anchor = run[-1].place
        for stored in run:
            self.book.fold(stored)
        self._note_grants(run)
        self.fuse.step()
        return run

    def write(self, kind: str, body: msgspec.Struct) -> None:
        """An entry of the own log."""
        self._commit([(kind, body)])

    def write_all(self, drafts: Sequence[Draft]) -> None:
        """Entries of the own log, in one transaction."""
        self._commit(drafts)

    def _note_grants(self, run: Sequence[Stored]) -> None:
        """A rolled back center that nobody has told so yet lends what its lost tail lent already."""
        for stored in run:
            if stored.entry.type == "grant":
                grant: Grant = stored.body
                self.ever_lent[stored.entry.entry_id] = grant
                left = self.rolled_back.get(grant.ref, Decimal(0))
                if left > 0:
                    self.floor.excuse("center rolled back", {grant.ref: min(left, grant.quantity)})
                    self.rolled_back[grant.ref] = left - grant.quantity

    # -- the exchange -------------------------------------------------------------------------------------

    def answer(self, body: bytes, signature: str) -> bytes | None:
        """Judge a request, commit what follows, answer; None when all of it is refused."""
        database = self.database
        self.fuse.step()
        try:
            ask = wire.read_ask(body)
            hashes = {
                (epoch, seq): found
                for epoch, first, last in reception.needs(self.book, ask)
                for seq in range(first, last + 1)
                if (found := database.copies.hash_at(epoch, seq)) is not None
            }
            code = (ask.node, ask.code or "")
            judged = self._judged(ask)
            received = reception.receive(
                self.book, ask, body, signature, hashes, code_valid=code in database.codes
            )
        except SyncError as error:
            self.refusal = str(error)
            return None
        self._meet(received)
        if ids := adopted_ids(received.store):
            self.book.plain |= ids & {stored.entry.entry_id for stored in database.copies.all()}

        def beside() -> None:
            for stored in received.store:
                database.copies.append(stored)
                database.owners[stored.entry.epoch] = ask.node
                database.codes.discard(code)
            database.heads += received.heads
            database.doors[ask.node] = ask.doors
            self._note_shown(judged, received)

        self._commit(decisions.decide(self.book, received), beside=beside)
        return self._answer(ask, received)

    def _answer(self, ask: wire.Ask, received: Received) -> bytes:
        own = self.database.own
        places = [stored.place for stored in own]
        after = ask.cursor if ask.cursor in places else None
        fresh = own[places.index(after) + 1 if after else 0 :]
        run = (
            (
                stored.place,
                stored.record if concerns(stored.entry.type, stored.body, ask.node, ask.epoch) else None,
            )
            for stored in fresh
        )
        down, upto = wire.fill(run, after, places[-1])
        head = self.signer.head(places[-1])
        releasable = self.book.releasable(ask.node)
        epoch = places[-1].epoch
        refused = dict(received.refused)
        return wire.encode(
            wire.Answer(ask.ask_id, received.have, epoch, after, upto, down, refused, head, releasable)
        )

    def _judged(self, ask: wire.Ask) -> list[Place]:
        """The places that an ask shows beside what is stored: signed heads, and entries that follow it."""
        places = []
        for part in ask.parts:
            head = self.database.copies.head(part.epoch)
            if part.head is not None:
                places.append(part.head.place)
            if part.after <= (head.seq if head else 0):
                places += [
                    Place(part.epoch, seq, record_hash(bytes(raw)))
                    for seq, raw in enumerate(part.entries, start=part.after + 1)
                ]
        return places

    def _note_shown(self, judged: Sequence[Place], received: Received) -> None:
        """Two entries of one place must be noticed: as a fork, or by a head older than a signed one."""
        shown = self.database.shown
        for place in judged:
            old = "was signed after" in received.refused.get(place.epoch, "")
            if shown.setdefault((place.epoch, place.seq), place.hash) != place.hash and not old:
                self.conflicts.append((place.epoch, place.seq))

    # -- people -------------------------------------------------------------------------------------------

    def enrol(self, node: str) -> str:
        """A code by which a node's key gets believed."""
        drafts = decisions.enrolment(self.book, node, "the supervisor")
        if self.vault.roll is not None:
            # First: a name too many only asks for a word more.
            self.vault.roll = {**self.vault.roll, node: ""}
            self.book.roll_kept = self.vault.roll
        self._commit(drafts)
        code = self.chance.hex()
        self.database.codes.add((node, code))
        return code

    def void_codes(self, node: str) -> None:
        """Codes that were made for a node and not used let nobody in any more."""
        self.database.codes = {(name, code) for name, code in self.database.codes if name != node}

    def attest_roll(self, nodes: Sequence[str]) -> None:
        """A person says which nodes there are."""
        self.write("roll", Roll(tuple(nodes), "the supervisor"))
        self.vault.roll = {**self.book.retirements, **dict.fromkeys(self.book.roll(), "")}
        self.book.roll_kept = self.vault.roll

    def struck(self, node: str) -> None:
        """A retired node is off the roll while the entry that retired it is known."""
        if self.vault.roll is not None:
            self.vault.roll = {**self.vault.roll, node: self.book.retirements[node]}
            self.book.roll_kept = self.vault.roll

    def backup(self, name: str) -> Database:
        """A backup, and the entry that says what it contains."""
        kept = self.database.copy()
        heads = tuple(
            place for epoch in kept.copies.epochs() if (place := kept.copies.head(epoch)) is not None
        )
        self.write("backup", BackedUp(name, heads, "the supervisor"))
        return kept
