# SPDX-License-Identifier: Apache-2.0
"""A dock with an inbound and an outbound door over a recorder whose telling the test decides.

`Clockwork` is the time, `FakeRecorder` the journal, `Papers` what the center sent, `Yard` all together.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from customs.documents import (
    Conveyance,
    Direction,
    Holding,
    LineRef,
    Permit,
    PermitLine,
    PlannedLoad,
    Product,
    Status,
)
from drivers.read import Read
from edge.batch import PassageNote, UnderwayNote
from edge.books import NodeBooks
from edge.clock import Clocks
from edge.dock import Dock
from edge.reads import RULES
from edge.view import DoorView
from gs1 import check_digit, control_code, gtin_link, sscc_link, work_order_code
from sync.bodies import Begin, Grant, Holdings, Moved, Saw, Settings, body_bytes, read_body, schema_of
from sync.entry import (
    GENESIS,
    Clock,
    Draft,
    Entry,
    Place,
    new_entry_id,
    read_record,
    record_bytes,
    record_hash,
)

TOOL, BRACKET, HOUSING, KIT = "09521999001058", "09521999001065", "09521999001034", "09521999001072"
OWNER, OTHER_OWNER = "Example Two", "Example One"
START = datetime(2026, 6, 3, 15, 0, tzinfo=UTC)
WEEK = (date(2026, 6, 1), date(2026, 6, 7))
SETTINGS = Settings("0.1.0", RULES, {"in": "NOREAD", "out": "NOREAD"}, "America/Chicago")

UNDO, CLOSE, CANCEL = (control_code(command).encode() for command in ("UNDO", "CLOSE", "CANCEL"))


def sscc(number: int) -> str:
    body = f"09521999{number:09d}"
    return body + check_digit(body)


def pallet(number: int) -> bytes:
    """A pallet's label as a scanner sends it."""
    return f"]C100{sscc(number)}".encode()


def label(gtin: str = TOOL, lot: str | None = "L7", serial: str | None = None) -> bytes:
    """A label of goods without an SSCC."""
    parts = [f"]C101{gtin}", f"10{lot}" if lot else ""]
    text = "".join(parts)
    return (text + ("\x1d" if lot else "") + f"21{serial}" if serial else text).encode()


def order(job: str) -> bytes:
    return work_order_code(job).encode()


class Clockwork:
    """The dock's time and chance; the test turns it."""

    def __init__(self, seed: int = 1) -> None:
        self.at = START
        self.synchronized = True
        self._random = random.Random(seed)
        self._mono_ns = 0

    def tick(self, seconds: float = 10) -> None:
        self.at += timedelta(seconds=seconds)
        self._mono_ns += int(seconds * 1e9)

    def clocks(self) -> Clocks:
        return Clocks(
            utc=lambda: self.at,
            mono_ns=lambda: self._mono_ns,
            boot="boot",
            synchronized=lambda: self.synchronized,
            random=self._random.randbytes,
        )


class FakeRecorder:
    """A journal in memory. `at_once` tells each entry as it is queued; else `tell` and `fail` do."""

    def __init__(self, *, at_once: bool = False) -> None:
        self.epoch = "e" * 32
        self.records: list[bytes] = []
        self.reads: list[dict[str, Any]] = []
        self.passages: list[PassageNote] = []
        self.underway: dict[tuple[str, bytes], UnderwayNote] = {}
        self.waiting: list[asyncio.Future[Any]] = []
        self._at_once = at_once
        self._prev = GENESIS
        begin = Begin("example", "zone-999", "dock-1", "00" * 32, "first start")
        self._store(
            Draft(
                new_entry_id(0, bytes(10)),
                "begin",
                schema_of("begin"),
                START,
                Clock(True, "boot", 0),
                body_bytes(begin),
            )
        )

    def _store(self, draft: Draft) -> None:
        record = record_bytes(draft, self.epoch, len(self.records) + 1, draft.occurred_at, self._prev)
        self._prev = record_hash(record)
        self.records.append(record)

    def append(self, draft: Draft) -> asyncio.Future[Any]:
        self._store(draft)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._at_once:
            future.set_result(None)
        else:
            self.waiting.append(future)
        return future

    def note_read(self, **read: Any) -> None:
        self.reads.append(read)

    def note_passage(self, note: PassageNote) -> None:
        self.passages.append(note)
        self.note_over(note.passage)

    def note_underway(self, note: UnderwayNote) -> None:
        self.underway.setdefault((note.passage, note.epc), note)

    def note_over(self, passage: str) -> None:
        self.underway = {at: note for at, note in self.underway.items() if at[0] != passage}

    def together(self) -> AbstractContextManager[None]:
        return nullcontext()

    async def tell(self, count: int | None = None) -> None:
        """The oldest entries are durable."""
        count = len(self.waiting) if count is None else count
        for future in self.waiting[:count]:
            future.set_result(None)
        del self.waiting[:count]
        await settled()

    async def fail(self, error: Exception) -> None:
        """The disk refused all that waits."""
        for future in self.waiting:
            future.set_exception(error)
            future.exception()
        self.waiting.clear()
        await settled()

    @property
    def entries(self) -> list[Entry]:
        return [read_record(record) for record in self.records]

    def types(self) -> list[str]:
        return [entry.type for entry in self.entries]

    def last(self) -> tuple[str, Any]:
        """Type and body of the last entry."""
        entry = self.entries[-1]
        return entry.type, read_body(entry)


async def settled() -> None:
    """Callbacks of futures have run."""
    for _ in range(3):
        await asyncio.sleep(0)


LOADS = {
    1: ("tools", TOOL, "125", OWNER, Status.NPF),
    2: ("tools", TOOL, "125", OWNER, Status.NPF),
    3: ("domestic", KIT, "500", OWNER, Status.DOMESTIC),
    4: ("on no permit", HOUSING, "60", OWNER, Status.PF),
    5: ("another owner's", TOOL, "125", OTHER_OWNER, Status.NPF),
    6: ("brackets", BRACKET, "250", OWNER, Status.PF),
    10: ("tools", TOOL, "125", OWNER, Status.NPF),
}
"""Pallets on the inbound notices, and held in the zone for the outbound trucks."""

HELD, GONE, NOTICED, UNKNOWN = 7, 8, 90, 99
"""A pallet in the zone that comes again, one that has left, one only on a notice, one on nothing."""


@dataclass(frozen=True)
class Papers:
    """What the center sent: a permit for each direction, with a line of tools and one of brackets."""

    line: int = 1000
    granted: int | None = None
    kind: str = "weekly-entry"
    rules: tuple[str, ...] = ()
    valid: tuple[date, date] = WEEK
    seals: tuple[str, ...] = ()
    more: tuple[tuple[str, msgspec.Struct], ...] = field(default=())

    def entries(self, epoch: str) -> list[tuple[str, msgspec.Struct]]:
        found: list[tuple[str, msgspec.Struct]] = [
            ("product", Product(TOOL, "Tool 12")),
            ("product", Product(BRACKET, "Bracket 9")),
            ("product", Product(HOUSING, "Housing 7")),
            ("product", Product(KIT, "Kit D")),
        ]
        granted = self.line if self.granted is None else self.granted
        for way in Direction:
            number = f"P-{way.upper()}"
            lines = (
                PermitLine("1", TOOL, Status.NPF, Decimal(self.line), "EA", way),
                PermitLine("2", BRACKET, Status.PF, Decimal(1000), "EA", way),
            )
            found.append(("permit", Permit(number, self.kind, OWNER, *self.valid, lines, rules=self.rules)))
            if granted:
                found.append(("grant", Grant(number, "1", "dock-1", epoch, Decimal(granted))))
            found.append(("grant", Grant(number, "2", "dock-1", epoch, Decimal(1000))))
            found += [("conveyance", self._truck(way, job)) for job in ("1", "2")]
        held = [*LOADS, HELD, GONE]
        moves = [Moved(True, holding(number)) for number in held]
        moves.append(Moved(True, tools_without_sscc(300)))
        moves.append(Moved(False, holding(GONE)))
        found.append(("holdings", Holdings("d" * 32, tuple(moves))))
        return found + list(self.more)

    def _truck(self, way: Direction, number: str) -> Conveyance:
        notices = {Direction.IN: [n + 100 for n in LOADS] + [HELD], Direction.OUT: [*LOADS, NOTICED]}[way]
        loads = tuple(planned(n) for n in notices) if number == "1" else ()
        refs = (LineRef(f"P-{way.upper()}", "1"), LineRef(f"P-{way.upper()}", "2"))
        name = f"{way.upper()}-{number}"
        return Conveyance(name, f"Trailer {name}", "Carrier", way, way, self.seals, refs, loads)


def planned(number: int) -> PlannedLoad:
    _, gtin, quantity, owner, status = LOADS.get(number % 100, LOADS[1])
    return PlannedLoad(sscc(number), gtin, Decimal(quantity), owner, status, "L1")


def holding(number: int) -> Holding:
    load = planned(number)
    return Holding(
        sscc_link(load.sscc), load.sscc, load.gtin, load.quantity, "EA", load.owner, load.status, load.lot
    )


def tools_without_sscc(quantity: int) -> Holding:
    return Holding(gtin_link(TOOL, "L7"), None, TOOL, Decimal(quantity), "EA", OWNER, Status.NPF, "L7")


class Yard:
    """A dock whose doors are called `in` and `out`."""

    def __init__(
        self,
        papers: Papers | None = None,
        *,
        recorder: Any = None,
        clockwork: Clockwork | None = None,
        dock: type[Dock] = Dock,
        books: NodeBooks | None = None,
    ) -> None:
        """Without `papers` the dock has never heard of its center."""
        self.time = clockwork or Clockwork()
        self.recorder: Any = recorder or FakeRecorder(at_once=True)
        self.dock = dock({"in": "Inbound", "out": "Outbound"}, self.time.clocks())
        if books is None:
            books = NodeBooks()
            books.fold_records(self.recorder.records)
        self.dock.attach(self.recorder, books, SETTINGS)
        self._sent = 0
        if papers is not None:
            self.send(papers.entries(self.recorder.epoch))
        self.confirm()

    def send(self, entries: Sequence[tuple[str, msgspec.Struct]]) -> None:
        """The center's entries come down in one Saw."""
        saw = saw_of(entries, self._sent)
        self._sent = saw.upto.seq
        self.dock.write("saw", saw)

    def confirm(self) -> None:
        """The center has all that was written."""
        self.dock.have = self.dock.books.state.seq

    def open(self, way: str, number: str = "1") -> None:
        """The work order of a truck is scanned."""
        self.read(way, order(f"{way.upper()}-{number}"))

    def read(self, door: str, code: bytes, *, seconds: float = 10, no_read: bool = False) -> DoorView:
        """A scanner reads a code; what the door says at that very moment."""
        self.time.tick(seconds)
        aim, body = (code[:3].decode(), code[3:]) if code.startswith(b"]") else (None, code)
        read = Read(f"scanner-{door}", body, aim, self.time.at, 0, "barcode", no_read)
        self.dock.take_read(door, read)
        return self.dock.door(door)

    async def told(self, door: str, code: bytes, *, seconds: float = 10, no_read: bool = False) -> DoorView:
        """As `read`, and what the door says once everything told so far was told."""
        self.read(door, code, seconds=seconds, no_read=no_read)
        await settled()
        return self.dock.door(door)


def saw_of(entries: Sequence[tuple[str, msgspec.Struct]], sent: int = 0) -> Saw:
    """The center's entries as they come down, `sent` others before them."""
    records, prev = [], GENESIS
    for seq, (kind, body) in enumerate(entries, start=sent + 1):
        entry_id = new_entry_id(seq, hashlib.sha256(bytes([seq % 256])).digest()[:10])
        draft = Draft(entry_id, kind, schema_of(kind), START, Clock(True, "boot", 0), body_bytes(body))
        record = record_bytes(draft, "c" * 32, seq, START, prev)
        prev = record_hash(record)
        records.append(msgspec.Raw(record))
    return Saw("c" * 32, Place("c" * 32, sent + len(entries), prev), tuple(records))


def load_number(way: str, number: int) -> bytes:
    """The label of a pallet as it crosses: inbound pallets are new, outbound ones stand in the zone."""
    return pallet(number + 100 if way == "in" else number)


async def counted_label(yard: Yard, recorder: FakeRecorder, client_id: str = "q-1") -> DoorView:
    """A label without quantity is scanned, and 20 are typed."""
    view = yard.read("out", label())
    assert view.prompt is not None
    task = asyncio.create_task(yard.dock.quantity("out", view.prompt.hold, "20", client_id, "door out"))
    await settled()
    await recorder.tell()
    return await task
