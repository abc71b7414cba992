# SPDX-License-Identifier: Apache-2.0
"""A log in memory with entries of a door, as the publisher's tests need it: real records, a real chain."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from customs.documents import Direction, LineRef, Status
from gs1 import check_digit, sscc_link
from sync.bodies import (
    DOOR_EVENTS,
    Correction,
    DeviceAlarm,
    JobEvent,
    LoadFacts,
    Movement,
    PassageFacts,
    ReadSummary,
    Refusal,
    Release,
    Settings,
    Skipped,
    Use,
    body_bytes,
    schema_of,
)
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
from sync.epcis import Site
from sync.publishing import Told

if TYPE_CHECKING:
    from collections.abc import Sequence

SITE = Site("example", "zone999", "dock1", "America/Chicago")
START = datetime(2026, 6, 1, 14, 0, tzinfo=UTC)
GTIN = "09521999001058"


def sscc(number: int) -> str:
    body = f"09521999{number:09d}"
    return body + check_digit(body)


def read_of(code: str, at: datetime = START) -> ReadSummary:
    return ReadSummary("scan1", "GS1-128", code, code.encode().hex(), at)


def pallet(number: int, quantity: str = "125", lot: str | None = "L1") -> LoadFacts:
    unit = sscc(number)
    return LoadFacts(
        key=sscc_link(unit),
        sscc=unit,
        gtin=GTIN,
        lot=lot,
        quantity=Decimal(quantity),
        unit="EA",
        owner="Example Two",
        status=Status.NPF,
    )


def movement(number: int = 1, direction: Direction = Direction.OUT, quantity: str = "125") -> Movement:
    load = pallet(number, quantity)
    return Movement(
        job="TRUCK-7",
        direction=direction,
        load=load,
        quantity=Decimal(quantity),
        unit="EA",
        owner="Example Two",
        status=Status.NPF,
        reason="ok",
        read=read_of(load.sscc or ""),
        have=0,
        use=Use("EX-06-23", "1", Decimal(quantity)),
    )


def passage(kind: str = "crossed", way: Direction | None = Direction.OUT) -> PassageFacts:
    """What a gate found."""
    return PassageFacts(
        passage="d1-1",
        kind=kind,
        direction=way,
        confidence=990 if way else 0,
        bound=950,
        crossings=(way,) if way else (),
        loads=1,
        tags=61,
        items=60,
        assets=0,
        still=3,
        reads=700,
        eyes=True,
        load_seen=None,
        evidence="e" * 64,
    )


def by_gate(read: ReadSummary, found: PassageFacts) -> ReadSummary:
    """A read of a gate's reader instead of a scanner's."""
    return msgspec.structs.replace(read, device="gate-1", carrier="rfid", pc=0x3000, passage=found)


def correction(of: Entry, body: Movement) -> Correction:
    return Correction(
        corrects=of.entry_id,
        movement=of.type,
        job=body.job,
        direction=body.direction,
        load=body.load,
        quantity=body.quantity,
        reason="undone",
        by="door d1",
        use=body.use,
    )


def bodies_of_every_kind() -> list[tuple[str, msgspec.Struct]]:
    """One body of each type that is told, but corrections: those need a movement in the log."""
    refusal = Refusal(
        job="TRUCK-7",
        direction=Direction.OUT,
        load=pallet(9),
        reason="over-limit",
        read=read_of(sscc(9)),
        have=4,
        line=LineRef("EX-06-23", "1"),
        left=Decimal(15),
    )
    gated = movement(3)
    crossed = msgspec.structs.replace(refusal, read=by_gate(refusal.read, passage()), crossed=True)
    unsure = msgspec.structs.replace(refusal, read=by_gate(refusal.read, passage(way=None)))
    unread = Refusal(job=None, direction=None, load=None, reason="unknown-code", read=read_of("??"), have=4)
    return [
        ("admission", movement(1, Direction.IN)),
        ("withdrawal", movement(2)),
        ("hold", unread),
        ("stop", refusal),
        ("withdrawal", msgspec.structs.replace(gated, read=by_gate(gated.read, passage()))),
        ("stop", crossed),
        ("hold", unsure),
        ("release", Release(new_entry_id(1, bytes(10)), "refused", "supervisor", "back to the shelf")),
        (
            "job",
            JobEvent(
                "closed",
                "TRUCK-7",
                "TR-7",
                Direction.OUT,
                "supervisor",
                ("S1",),
                ("S1", "S2"),
                1,
                2,
                (sscc(3),),
            ),
        ),
        ("alarm", DeviceAlarm("scan1", "flood", "700 reads in a second were dropped", 700)),
    ]


class DoorLog:
    """A node's log in memory: source, cursor store and recorder of skips of one publisher."""

    def __init__(self, epoch: str = "a" * 32, start: datetime = START) -> None:
        self.told: list[Told] = []
        self.records: dict[str, bytes] = {}
        self._index: dict[Place, int] = {}
        self.saved: list[Place] = []
        self.skips: list[Skipped] = []
        self._epoch = epoch
        self._at = start
        self._seq = 0
        self._prev = GENESIS
        self._news = asyncio.Event()

    def begin_epoch(self, epoch: str) -> None:
        self._epoch, self._seq, self._prev = epoch, 0, GENESIS

    def at(self, moment: datetime) -> None:
        self._at = moment

    def append(self, kind: str, body: msgspec.Struct, door: str | None = "d1") -> Entry:
        self._seq += 1
        self._at += timedelta(milliseconds=10)
        entry_id = new_entry_id(int(self._at.timestamp() * 1000), len(self.told).to_bytes(10))
        draft = Draft(
            entry_id, kind, schema_of(kind), self._at, Clock(True, "boot", self._seq), body_bytes(body), door
        )
        record = record_bytes(draft, self._epoch, self._seq, self._at, self._prev)
        self._prev = record_hash(record)
        place = Place(self._epoch, self._seq, self._prev)
        self._index[place] = len(self.told)
        self.told.append(Told(place, record))
        entry = read_record(record)
        self.records[entry_id] = record
        self._news.set()
        return entry

    def settings(self) -> Entry:
        """An entry that is no event."""
        return self.append("settings", Settings("0.1.0", 1, {"d1": "NOREAD"}, "America/Chicago"), None)

    def withdraw(self, count: int, door: str = "d1", first: int = 1) -> list[str]:
        """So many withdrawals; their entry ids."""
        return [self.append("withdrawal", movement(first + n), door).entry_id for n in range(count)]

    def places(self) -> list[Place]:
        return [told.place for told in self.told]

    async def after(self, place: Place | None, limit: int) -> Sequence[Told]:
        start = 0 if place is None else self._index[place] + 1
        return self.told[start : start + limit]

    async def wait(self, place: Place | None) -> None:
        while not await self.after(place, 1):
            self._news.clear()
            await self._news.wait()

    async def original(self, entry_id: str) -> bytes | None:
        return self.records.get(entry_id)

    async def door_count(self, door: str, upto: Place) -> int:
        entries = [
            read_record(told.record)
            for told in self.told
            if told.place.epoch == upto.epoch and told.place.seq <= upto.seq
        ]
        return sum(entry.door == door and entry.type in DOOR_EVENTS for entry in entries)

    def load(self) -> Place | None:
        return self.saved[-1] if self.saved else None

    def save(self, place: Place) -> None:
        self.saved.append(place)

    async def record_skip(self, skipped: Skipped) -> None:
        self.skips.append(skipped)
        self.append("skipped", skipped, None)
