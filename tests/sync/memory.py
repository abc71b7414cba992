# SPDX-License-Identifier: Apache-2.0
"""A node and a center in memory: the pure classes of the record over the simulation's logs.

`Node` is a machine with store and anchor, `Center` the other side. Both write as the rule says: commit, then
anchor, then tell.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import msgspec

from customs.documents import Conveyance, Direction, LineRef, Permit, PermitLine, Product, Status
from edge.books import Fact, NodeBooks
from sync import decisions, reception, wire
from sync.bodies import (
    Begin,
    Correction,
    LoadFacts,
    Movement,
    ReadSummary,
    Use,
    read_body,
)
from sync.center import CenterBook, adopted_ids, concerns
from sync.chain import BeginAnew, GoOn, Stored, chain_of, rule_e
from sync.entry import (
    GENESIS,
    Head,
    Place,
)
from sync.keys import Signer
from sync.node import NodeSync, Taken, adoptions
from zonegate.simulation.stores import START, Chance, Logs

TENANT, ZONE = "example", "zone-999"
TOOL = "09521999001058"
LINE = LineRef("W06", "1")


class Node:
    """A dock's machine: `store`, `anchor` and the key beside it outlive its runs."""

    def __init__(self, chance: Chance, name: str = "dock-1", tenant: str = TENANT) -> None:
        self.chance = chance
        self.name, self.tenant = name, tenant
        self.doors = (f"{name}-out",)
        self.store = Logs()
        self.anchor: Place | None = None
        self.secret = chance.secret()
        self.code: str | None = None

    def start(self, shown: Sequence[Place] = (), *, crash_before_anchor: bool = False) -> GoOn | BeginAnew:
        """Rule E, then the fold of the own log; `crash_before_anchor` ends it after a Begin's commit."""
        self.signer = Signer(self.secret)
        epochs = self.store.epochs()
        head = self.store.head(epochs[-1]) if epochs else None
        parent = read_body(self.store.logs[epochs[-1]][0].entry).parent if epochs else None
        ruling = rule_e(head, self.anchor, shown, self.store.hash_at, parent)
        if isinstance(ruling, BeginAnew):
            self.epoch = self.chance.hex()
            body = Begin(
                self.tenant, ZONE, self.name, self.signer.public, ruling.reason, ruling.parent, ruling.end
            )
            self.store.append(self.chance.entry(self.epoch, None, "begin", body, None))
            if crash_before_anchor:
                return ruling
            self.anchor = self.store.head(self.epoch)
        else:
            self.epoch = ruling.head.epoch
            self.anchor = ruling.head
        self.books = NodeBooks()
        for stored in self.store.all():
            self.books.fold(Fact.of(stored.entry))
        self.have = 0
        who = (self.tenant, ZONE, self.name)
        state = self.books.state
        self.sync = NodeSync(*who, self.doors, cursor=state.cursor, code=self.code, witness=state.witness)
        return ruling

    @property
    def told(self) -> Place:
        assert self.anchor is not None, "what was told stands at the anchor"
        return self.anchor

    def write(self, kind: str, body: msgspec.Struct, door: str | None = None) -> Stored:
        """Commit, then anchor, then tell."""
        stored = self.commit(kind, body, door)
        self.anchor = stored.place
        self.books.fold(Fact.of(stored.entry))
        return stored

    def commit(self, kind: str, body: msgspec.Struct, door: str | None = None) -> Stored:
        """Commit alone: a crash may follow."""
        stored = self.chance.entry(self.epoch, self.store.head(self.epoch), kind, body, door)
        self.store.append(stored)
        return stored

    def withdraw(self, quantity: int, line: LineRef = LINE) -> Stored:
        """Goods of a permit line leave."""
        return self.write("withdrawal", movement(quantity, line), self.doors[0])

    def undo(self, moved: Stored, use: Use | None = None) -> Stored:
        """A movement is taken back, without asking whether it may be; `use` if it shall tell another one."""
        entry, body = moved.entry, read_body(moved.entry)
        undone = Correction(
            entry.entry_id,
            entry.type,
            body.job,
            body.direction,
            body.load,
            body.quantity,
            "undo",
            "w",
            use or body.use,
        )
        return self.write("correction", undone, entry.door)

    def ask(self) -> tuple[bytes, str]:
        """The next request and its signature."""
        ask = self.sync.ask(
            self.chance.hex(), self.epoch, self.told, self.store, lambda: self.signer.head(self.told)
        )
        body = wire.encode(ask)
        return body, self.signer.sign(wire.request_message(body))

    def take(self, answer: bytes) -> Taken | None:
        """What the answer leads to, done."""
        known = self.books.state.center_ids
        taken = self.sync.take(wire.read_answer(answer), self.store, known.__contains__)
        if taken is not None:
            self.have = taken.have.get(self.epoch, 0)
            for epoch, after in taken.lost.items():
                told_again = self.books.state.adopted.get(epoch, {})
                for adopt in list(adoptions(self.store, epoch, after, told_again)):
                    self.write("adopt", adopt)
                self.sync.concede(epoch)
            if taken.saw is not None:
                self.write("saw", taken.saw)
            self.sync.written(taken)
        return taken

    def exchange(self, center: Center) -> Taken:
        """One request and its answer."""
        taken = self.take(center.answer(*self.ask()))
        assert taken is not None, "this was the answer to the request"
        return taken

    def settle(self, center: Center) -> None:
        """Exchange until nothing is new on either side."""
        for _ in range(20):
            before = (len(center.log), self.told)
            self.exchange(center)
            if before == (len(center.log), self.told):
                return
        raise AssertionError("the two logs echo")

    def spendable(self, line: LineRef = LINE) -> Decimal:
        """What a door may let out now."""
        return self.books.left(line, self.have)

    def backup(self) -> Logs:
        """A copy of the store; the anchor is in no backup."""
        return copy.deepcopy(self.store)

    def clone(self) -> Node:
        """Another machine with a copy of the store, and neither anchor nor key."""
        other = Node(self.chance, self.name)
        other.store = self.backup()
        return other


class Center:
    """The center: a book, its own log, its copies of the nodes' logs."""

    def __init__(self, chance: Chance) -> None:
        self.chance = chance
        self.epoch = chance.hex()
        self.log: list[Stored] = []
        self.copies = Logs()
        self.owners: dict[str, str] = {}
        self.heads: list[Head] = []
        self.codes = {"code-1"}
        self.book = CenterBook(TENANT, ZONE)
        self.signer = Signer(chance.secret())
        self.write("begin", Begin(TENANT, ZONE, "center", self.signer.public, "first start"))

    def write(self, kind: str, body: msgspec.Struct) -> None:
        """An entry of the own log."""
        stored = self.chance.entry(self.epoch, self.book.head, kind, body, None)
        self.log.append(stored)
        self.book.fold(stored)

    def plan(self, quantity: int = 800, doors: Sequence[str] = ("dock-1-out",)) -> None:
        """A product, a permit with one line, and a truck for it at each door."""
        self.write("product", Product(TOOL, "Tool 12"))
        line = PermitLine(LINE.line, TOOL, Status.NPF, Decimal(quantity), "EA", Direction.OUT)
        days = (date(2026, 6, 1), date(2026, 6, 7))
        self.write("permit", Permit(LINE.permit, "weekly-entry", "Example Two", *days, (line,)))
        for number, door in enumerate(doors, start=1):
            truck = Conveyance(f"T-{number}", "Trailer", "Carrier", door, Direction.OUT, permit_lines=(LINE,))
            self.write("conveyance", truck)

    def answer(self, body: bytes, signature: str) -> bytes:
        """Judge a request, commit what follows, answer."""
        ask = wire.read_ask(body)
        hashes = {
            (epoch, seq): found
            for epoch, first, last in reception.needs(self.book, ask)
            for seq in range(first, last + 1)
            if (found := self.copies.hash_at(epoch, seq)) is not None
        }
        received = reception.receive(
            self.book, ask, body, signature, hashes, code_valid=ask.code in self.codes
        )
        ids = adopted_ids(received.store)
        self.book.plain |= ids & {stored.entry.entry_id for stored in self.copies.all()}
        for stored in received.store:
            self.copies.append(stored)
            self.owners[stored.entry.epoch] = ask.node
            self.codes.discard(ask.code or "")
        drafts = decisions.decide(self.book, received)
        for kind, decision in drafts:
            self.write(kind, decision)
        self.heads += received.heads
        places = [stored.place for stored in self.log]
        after = ask.cursor if ask.cursor in places else None
        fresh = self.log[places.index(after) + 1 if after else 0 :]
        run = (
            (
                stored.place,
                stored.record if concerns(stored.entry.type, stored.body, ask.node, ask.epoch) else None,
            )
            for stored in fresh
        )
        down, upto = wire.fill(run, after, places[-1])
        return wire.encode(
            wire.Answer(
                ask.ask_id,
                received.have,
                self.epoch,
                after,
                upto,
                down,
                dict(received.refused),
                self.signer.head(places[-1]),
                self.book.releasable(ask.node),
            )
        )

    def backup(self) -> Center:
        """A copy of everything the center stores."""
        return copy.deepcopy(self)

    def folded_anew(self) -> CenterBook:
        """The book as a fold of what is stored."""
        book = CenterBook(TENANT, ZONE)
        for stored in self.log:
            book.fold(stored)
        kept = list(self.copies.all())
        ids = adopted_ids(kept)
        book.plain |= ids & {stored.entry.entry_id for stored in kept}
        for stored in self.copies.all():
            book.fold_node(self.owners[stored.entry.epoch], stored)
        for head in self.heads:
            book.claim(head)
        return book

    def charged(self, line: LineRef = LINE) -> Decimal:
        """What of a line is lent or used."""
        return self.book.charged(line)

    def granted(self, epoch: str, line: LineRef = LINE) -> Decimal:
        """What was ever lent to an epoch."""
        account = self.book.accounts.lines[line].get(epoch)
        return account.granted if account else Decimal(0)

    def stored(self) -> list[str]:
        """The ids of all stored entries of nodes, in the order they came."""
        return [stored.entry.entry_id for stored in self.copies.all()]

    def types(self) -> list[str]:
        """The types of the own log's entries."""
        return [stored.entry.type for stored in self.log]


def movement(quantity: int, line: LineRef = LINE) -> Movement:
    """A withdrawal of some tools on a permit line."""
    load = LoadFacts(
        "/00/095219990000000013",
        sscc="095219990000000013",
        gtin=TOOL,
        unit="EA",
        owner="Example Two",
        status=Status.NPF,
    )
    amount = Decimal(quantity)
    read = ReadSummary("scanner-1", "barcode", "095219990000000013", "", START)
    use = Use(line.permit, line.line, amount)
    return Movement(
        "T-1", Direction.OUT, load, amount, "EA", "Example Two", Status.NPF, "withdrawn", read, 0, use
    )


def enrolled(node: Node, center: Center, code: str = "code-1") -> Node:
    center.codes.add(code)
    node.code = code
    node.start()
    node.settle(center)
    return node


def proven(center: Center, *machines: Node) -> None:
    """What must hold at the end of every story."""
    for epoch, log in center.copies.logs.items():
        chain_of(epoch, 0, GENESIS, [stored.record for stored in log])
    assert len(set(center.stored())) == len(center.stored()), "nothing counts twice"
    anew = center.folded_anew()
    assert anew.accounts.lines == center.book.accounts.lines
    assert anew.accounts.closed == center.book.accounts.closed
    assert anew.epochs == center.book.epochs
    out = {
        stored.entry.entry_id: read_body(stored.entry)
        for machine in machines
        for stored in machine.store.all()
        if stored.entry.type == "withdrawal"
    }
    out |= {
        stored.entry.entry_id: read_body(stored.entry)
        for stored in center.copies.all()
        if stored.entry.type == "withdrawal"
    }
    assert sum(body.quantity for body in out.values()) <= center.charged() <= 800, "never over-withdrawn"
