# SPDX-License-Identifier: Apache-2.0
"""A dock's machine: two media, and what runs on them. It may lose power before each of its steps.

What it does with an answer, a door or a start is what the dock service does, around the same classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import msgspec

from customs.documents import LineRef
from edge import words
from edge.adjudicate import Moment, Verdict, find, job_trouble
from edge.books import Done, NodeBooks
from edge.entries import closing_of, movement_of, opening_of, refusal_of, undoing_of
from edge.leases import returns, wants
from gs1.load import Load
from sync import wire
from sync.bodies import Begin, ReadSummary, Rotate, read_body
from sync.chain import BeginAnew, Stored, rule_e
from sync.entry import Place
from sync.errors import WireError
from sync.keys import Signer
from sync.node import NodeSync, Taken, adoptions
from zonegate.simulation.floor import Floor, fact_of, leases_of
from zonegate.simulation.stores import Chance, Disk, DiskFull, Fuse, Medium

TENANT, ZONE = "example", "zone-999"


@dataclass(frozen=True, slots=True)
class Image:
    """A copy of a whole machine: store, anchor and key together."""

    disk: Disk
    medium: Medium

    def copy(self) -> Image:
        """Another one."""
        return Image(self.disk.copy(), self.medium.copy())


class Machine:
    """One machine of a node. `gone` is set when people say that it is out of service."""

    def __init__(
        self, chance: Chance, floor: Floor, node: str, name: str, image: Image | None = None
    ) -> None:
        self.chance, self.floor = chance, floor
        self.node, self.name = node, name
        self.doors = (f"{node}-in", f"{node}-out")
        self.disk = image.disk if image else Disk()
        self.medium = image.medium if image else Medium(chance.secret())
        self.fuse = Fuse()
        self.skew = timedelta(0)
        self.code: str | None = None
        self.running = self.gone = self.cut = self.full = self.newer = self.older = False
        self.trouble = ""
        self.shown_since = True
        self.epoch = ""
        self.refused = ""
        self.releasable: dict[str, Place] = {}

    # -- start ----------------------------------------------------------------------------------------

    def start(self, shown: Sequence[Place] = (), ended: str | None = None) -> BeginAnew | None:
        """Rule E, then the fold of the own log. Gives the reason of another epoch. May raise PowerCut or
        DiskFull.
        """
        self.off()
        logs = self.disk.logs
        epochs = logs.epochs()
        head = logs.head(epochs[-1]) if epochs else None
        begin: Begin | None = read_body(logs.logs[epochs[-1]][0].entry) if epochs else None
        rotated = None
        if head is not None and begin is not None:
            last = logs.logs[head.epoch][-1]
            rotated = read_body(last.entry).key if last.entry.type == "rotate" else None
            self._take_key(begin.key)
        signer = Signer(self.medium.secret)
        if rotated is not None and self.medium.prepared is not None:
            prepared = Signer(self.medium.prepared)
            if prepared.public == rotated:
                signer = prepared
        self.signer = signer
        if rotated is not None or (begin is not None and signer.public != begin.key):
            ended = head.epoch if head else ended
        parent = begin.parent if begin else None
        ruling = rule_e(head, self.medium.anchor, shown, logs.hash_at, parent, ended)
        if isinstance(ruling, BeginAnew):
            if rotated is not None and head is not None:
                self.disk.sealed[head.epoch] = Signer(self.medium.secret).head(head)
            self._begin(ruling)
        else:
            self.epoch = ruling.head.epoch
            self.medium.anchor = ruling.head
        self.told = self.medium.anchor
        self._fold()
        return ruling if isinstance(ruling, BeginAnew) else None

    def _take_key(self, begun_with: str) -> None:
        prepared = self.medium.prepared
        if prepared is not None and Signer(prepared).public == begun_with:
            self.medium.secret, self.medium.prepared = prepared, None

    def _begin(self, ruling: BeginAnew) -> None:
        self.epoch = self.chance.hex()
        body = Begin(TENANT, ZONE, self.node, self.signer.public, ruling.reason, ruling.parent, ruling.end)
        first = self.chance.entry(self.epoch, None, "begin", body, skew=self.skew)
        self._store([first])
        self.fuse.step()
        self.medium.anchor = first.place
        if self.medium.prepared is not None and Signer(self.medium.prepared).public == self.signer.public:
            self.medium.secret, self.medium.prepared = self.medium.prepared, None

    def _fold(self) -> None:
        logs = self.disk.logs
        books, skip = None, None
        if self.disk.snapshot is not None:
            skip, data = self.disk.snapshot
            books = NodeBooks.restore(data)
        self.books = books or NodeBooks()
        order = {epoch: at for at, epoch in enumerate(logs.epochs())}
        after = (order[skip.epoch], skip.seq) if books and skip else (-1, 0)
        for stored in logs.all():
            if (order[stored.entry.epoch], stored.entry.seq) > after:
                self.books.fold(fact_of(stored))
        self.queued: list[Stored] = []
        self.committed: list[Stored] = []
        self.anchored: list[Stored] = []
        self.top = logs.head(self.epoch)
        state = self.books.state
        cursors = {epoch: self.disk.cursors.get(epoch, 0) for epoch in logs.epochs()}
        self.have = cursors[self.epoch]
        self.sync = NodeSync(
            TENANT,
            ZONE,
            self.node,
            self.doors,
            cursor=state.cursor,
            have=cursors,
            code=self.code,
            witness=state.witness,
        )
        self.releasable = {}
        self.running = True

    def off(self) -> None:
        """The power is gone, and with it all that was not written."""
        self.running = False

    # -- writing: commit, then anchor, then tell --------------------------------------------------------

    def write(
        self,
        kind: str,
        body: msgspec.Struct,
        door: str | None = None,
        *,
        stages: int = 3,
        schema: str | None = None,
    ) -> Stored:
        """Queue an entry, and take the pipeline so many stages on. May raise PowerCut or DiskFull."""
        stored = self.chance.entry(self.epoch, self.top, kind, body, door, skew=self.skew, schema=schema)
        self.top = stored.place
        self.queued.append(stored)
        self.books.fold(fact_of(stored))  # what it takes is reserved at once
        for stage in (self.commit, self.anchor, self.tell)[:stages]:
            stage()
        return stored

    def commit(self) -> None:
        """What is queued is on the disk when this returns."""
        batch, self.queued = self.queued, []
        if batch:
            self._store(batch)
            self.committed += batch

    def anchor(self) -> None:
        """What was committed is known on the second medium."""
        batch, self.committed = self.committed, []
        if batch:
            self.fuse.step()
            self.medium.anchor = batch[-1].place
            self.anchored += batch

    def tell(self) -> None:
        """Lights and screens show it, goods cross, the center may have it."""
        batch, self.anchored = self.anchored, []
        if batch:
            self.fuse.step()
            self._tell(batch)

    def pump(self) -> None:
        """All that is on its way is told."""
        self.commit()
        self.anchor()
        self.tell()

    def _store(self, batch: Sequence[Stored]) -> None:
        self.fuse.step()
        if self.full:
            raise DiskFull
        for stored in batch:
            self.disk.logs.append(stored)
            self.floor.written.add(stored.hash)

    def _tell(self, batch: Sequence[Stored]) -> None:
        self.told = batch[-1].place
        papers = self.books.state.cursor is not None
        for stored in batch:
            self.floor.tell(self.node, self.name, stored, fact_of(stored).body, papers)

    # -- doors --------------------------------------------------------------------------------------------

    def scan(self, door: str, load: Load, quantity: Decimal, stages: int = 3) -> Verdict:
        """A load at a door: judged, written, and told if `stages` go so far."""
        moment = Moment(self.chance.now(self.skew), True, self.have)
        if self.books.job_at(door) is None:
            self._open_job(door)
        verdict = find(self.books, door, load, moment, quantity)
        read = ReadSummary("scanner-1", "barcode", load.key, "", moment.at)
        if verdict.kind == words.ACCEPTED:
            schema = "zonegate.movement.v9" if self.newer else None
            kind = "admission" if door.endswith("-in") else "withdrawal"
            self.write(kind, movement_of(verdict, read, moment), door, stages=stages, schema=schema)
        elif verdict.kind in (words.HOLD, words.STOP):
            known = any(hold.reason == verdict.reason for hold in self.books.state.holds.values())
            if not known:
                self.write(verdict.kind.lower(), refusal_of(verdict, read, moment, None), door, stages=stages)
        return verdict

    def _open_job(self, door: str) -> None:
        for job, truck in self.books.state.conveyances.items():
            if truck.door == door and job_trouble(self.books, door, job) is None:
                self.write("job", opening_of(truck, None, "a worker"), door)
                return

    def close_job(self, door: str) -> bool:
        """The truck at a door leaves."""
        opened = self.books.job_at(door)
        if opened is None:
            return False
        self.write("job", closing_of(*opened, (), "a worker"), door)
        return True

    def undoable(self, door: str) -> list[Done]:
        """Movements that may be undone here and whose goods are across."""
        done = self.books.state.done.get(door, [])
        return [item for item in done if item.entry_id in self.floor.goods]

    def undo(self, item: Done, stages: int = 3) -> None:
        """Goods come back, then the scan says so."""
        self.floor.brought_back(item.entry_id)
        self.write("correction", undoing_of(item, "a worker", None), item.door, stages=stages)

    def leases(self) -> dict[LineRef, Decimal]:
        """What could still be let out here."""
        return leases_of(self.books)

    # -- the exchange -------------------------------------------------------------------------------------

    def ask(self) -> tuple[bytes, str]:
        """The next request and its signature. What is not told is not sent."""
        for returned in list(returns(self.books, self.doors, self.have)):
            self.write("return", returned)
        told = self.told
        assert told is not None, "what was told stands at the anchor"
        ask = self.sync.ask(
            self.chance.hex(),
            self.epoch,
            told,
            self.disk.logs,
            lambda: self.signer.head(told),
            wants(self.books, self.doors),
            self._vouching() if self.have == 0 else None,
        )
        body = wire.encode(ask)
        return body, self.signer.sign(wire.request_message(body))

    def _vouching(self) -> wire.Part | None:
        """The end of the epoch before this one, where it names this one's key."""
        logs = self.disk.logs
        epochs = logs.epochs()
        at = epochs.index(self.epoch)
        head = self.disk.sealed.get(epochs[at - 1]) if at else None
        if head is None or head.place != logs.head(head.epoch):
            return None
        last = logs.logs[head.epoch][-1]
        return wire.Part(head.epoch, head.seq - 1, last.entry.prev, (msgspec.Raw(last.record),), head)

    def take(self, answer: bytes) -> Taken | None:
        """What an answer leads to, done; None when it is to another request, or cannot be read here."""
        logs, state = self.disk.logs, self.books.state
        try:
            taken = self.sync.take(wire.read_answer(answer), logs, state.center_ids.__contains__)
        except WireError as error:
            self.trouble = str(error)
            return None
        if taken is None:
            return None
        self.refused = "; ".join(taken.refused.values())
        if taken.foreign is not None:
            self.start(shown=[taken.foreign])
            return taken
        for epoch in logs.epochs():
            self.disk.cursors[epoch] = taken.have.get(epoch, 0)
        self.have = taken.have.get(self.epoch, 0)
        self.releasable = taken.releasable
        for epoch, after in taken.lost.items():
            for adopt in list(adoptions(logs, epoch, after, frozenset(state.adopted.get(epoch, {})))):
                self.write("adopt", adopt)
            self.sync.concede(epoch)
        if taken.saw is not None:
            self.write("saw", taken.saw)
        self.sync.written(taken)
        if state.closed == self.epoch:
            self.start(ended=self.epoch)
        return taken

    # -- upkeep -------------------------------------------------------------------------------------------

    def rotate(self) -> None:
        """Change the key, at the end of the epoch."""
        self.medium.prepared = self.chance.secret()
        self.write("rotate", Rotate(Signer(self.medium.prepared).public))
        self.start()

    def prune(self) -> int:
        """Forget what the center calls releasable; how many entries."""
        self.pump()
        assert self.top is not None
        self.disk.snapshot = (self.top, self.books.snapshot())
        logs, forgotten = self.disk.logs, 0
        for place in self.releasable.values():
            if logs.hash_at(place.epoch, place.seq) == place.hash:
                forgotten += max(place.seq - max(logs.bases.get(place.epoch, 0), 1), 0)
                logs.prune(place)
        return forgotten

    def image(self) -> Image:
        """A copy of the whole machine."""
        return Image(self.disk.copy(), self.medium.copy())


def leases_in(image: Image, chance: Chance) -> dict[LineRef, Decimal]:
    """What a machine made of an image may let out without asking: nothing when rule E ends its epoch."""
    twin = Machine(chance, Floor(), "twin", "twin", image.copy())
    return {} if twin.start() is not None else twin.leases()
