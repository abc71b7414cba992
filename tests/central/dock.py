# SPDX-License-Identifier: Apache-2.0
"""A dock as the center sees it: a log written with the room's own functions, and asks that carry it."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from customs.documents import Direction, Status
from sync import wire
from sync.bodies import (
    Begin,
    Correction,
    JobEvent,
    LoadFacts,
    Movement,
    PassageFacts,
    ReadSummary,
    Refusal,
    Release,
    Use,
    body_bytes,
    schema_of,
)
from sync.entry import (
    GENESIS,
    Clock,
    Draft,
    Head,
    Place,
    new_entry_id,
    read_record,
    record_bytes,
    record_hash,
)
from sync.keys import Signer

GTIN = "09521999001058"
SSCC = "095219990000000013"


class Dock:
    """One node's log in memory; `doors` are those it announces."""

    def __init__(
        self,
        node: str = "dock-1",
        tenant: str = "example",
        zone: str = "zone-999",
        signer: Signer | None = None,
        **begin: Any,
    ) -> None:
        self.tenant, self.zone, self.node = tenant, zone, node
        self.doors = (f"{node}-in", f"{node}-out")
        self.signer = signer or Signer(secrets.token_bytes(32))
        self.epoch = secrets.token_hex(16)
        self.records: list[bytes] = []
        self.hashes: list[str] = []
        self.ids: list[str] = []
        self.cursor: Place | None = None
        self.code: str | None = None
        self.have = 0
        self.begin(**begin)

    def begin(self, **changes: Any) -> None:
        body = Begin(self.tenant, self.zone, self.node, self.signer.public, "first start")
        self.add("begin", msgspec.structs.replace(body, **changes))

    def add(self, entry_type: str, body: msgspec.Struct, **frame: Any) -> str:
        """Append an entry and return its id."""
        return self.add_bytes(entry_type, schema_of(entry_type), body_bytes(body), **frame)

    def add_bytes(self, entry_type: str, schema: str, body: bytes, **frame: Any) -> str:
        now = datetime.now(UTC)
        entry_id = frame.pop("entry_id", None) or new_entry_id(
            int(now.timestamp() * 1000), secrets.token_bytes(10)
        )
        occurred = frame.pop("occurred_at", now)
        draft = Draft(entry_id, entry_type, schema, occurred, Clock(True, "boot", 1), body, **frame)
        prev = self.hashes[-1] if self.hashes else GENESIS
        record = record_bytes(draft, self.epoch, len(self.records) + 1, now, prev)
        self.records.append(record)
        self.hashes.append(record_hash(record))
        self.ids.append(entry_id)
        return entry_id

    def move(
        self, entry_type: str = "admission", quantity: str = "125", use: Use | None = None, **changes: Any
    ) -> str:
        """Goods of one SSCC crossed."""
        way = Direction.IN if entry_type == "admission" else Direction.OUT
        sscc = changes.pop("sscc", SSCC)
        frame = {"occurred_at": changes.pop("occurred_at")} if "occurred_at" in changes else {}
        load = LoadFacts(
            f"/00/{sscc}",
            sscc=sscc,
            gtin=GTIN,
            lot=changes.pop("lot", "L1"),
            unit="EA",
            owner="Example User",
            status=Status.NPF,
        )
        body = Movement(
            changes.pop("job", "T-1"),
            way,
            changes.pop("load", load),
            Decimal(quantity),
            "EA",
            "Example User",
            Status.NPF,
            "accepted",
            summary(sscc),
            0,
            use,
        )
        door = changes.pop("door", self.doors[0])
        return self.add(entry_type, msgspec.structs.replace(body, **changes), door=door, **frame)

    def move_again(self, record: bytes, entry_id: str) -> str:
        """Record a fact of another epoch again, under its own id."""
        entry = read_record(record)
        return self.add_bytes(entry.type, entry.schema, bytes(entry.body), door=entry.door, entry_id=entry_id)

    def correct(self, movement_id: str, entry_type: str, quantity: str, use: Use | None = None) -> str:
        load = LoadFacts(
            f"/00/{SSCC}", sscc=SSCC, gtin=GTIN, unit="EA", owner="Example User", status=Status.NPF
        )
        way = Direction.IN if entry_type == "admission" else Direction.OUT
        return self.add(
            "correction",
            Correction(movement_id, entry_type, "T-1", way, load, Decimal(quantity), "undo", "worker", use),
            door=self.doors[0],
        )

    def refuse(self, verdict: str = "hold") -> str:
        body = Refusal("T-1", Direction.OUT, None, "unknown load", summary("<b>x</b>"), 0)
        return self.add(verdict, body, door=self.doors[1])

    def stop(self, *, crossed: bool | None, kind: str = "crossed", load: str = SSCC) -> str:
        """A load that a gate saw at a door that said STOP."""
        found = PassageFacts(
            "p-1", kind, Direction.OUT, 990, 950, (Direction.OUT,), 1, 1, 0, 0, 0, 40, True, None, "e" * 64
        )
        read = msgspec.structs.replace(summary(load), carrier="rfid", passage=found)
        facts = LoadFacts(f"/00/{load}", sscc=load)
        body = Refusal("T-1", Direction.OUT, facts, "not-on-permit", read, 0, crossed=crossed)
        return self.add("stop", body, door=self.doors[1])

    def release(self, hold: str) -> str:
        return self.add("release", Release(hold, "cleared", "supervisor", "seen"), door=self.doors[1])

    def job(self, event: str, **changes: Any) -> str:
        body = JobEvent(event, "T-1", "TR 1", Direction.IN, "worker")
        return self.add("job", msgspec.structs.replace(body, **changes), door=self.doors[0])

    def place(self, seq: int | None = None) -> Place:
        seq = len(self.records) if seq is None else seq
        return Place(self.epoch, seq, self.hashes[seq - 1])

    def head(self, seq: int | None = None) -> Head:
        return self.signer.head(self.place(seq))

    def part(self, after: int | None = None, upto: int | None = None) -> wire.Part:
        after = self.have if after is None else after
        records = self.records[after:upto]
        prev = self.hashes[after - 1] if after else GENESIS
        return wire.Part(self.epoch, after, prev, tuple(map(msgspec.Raw, records)), self.head())

    def ask(self, *parts: wire.Part, **changes: Any) -> wire.Ask:
        ask = wire.Ask(
            secrets.token_hex(8),
            self.tenant,
            self.zone,
            self.node,
            self.epoch,
            self.doors,
            parts or (self.part(),),
            self.cursor,
            self.code,
        )
        return msgspec.structs.replace(ask, **changes)

    def signed(self, ask: wire.Ask | None = None) -> tuple[bytes, str]:
        body = wire.encode(ask or self.ask())
        return body, self.signer.sign(wire.request_message(body))

    async def talk(self, center: Any, ask: wire.Ask | None = None) -> wire.Answer:
        """One exchange; takes over what the answer confirms."""
        body, signature = self.signed(ask)
        answer = wire.read_answer(await center.exchange(body, signature))
        for have in answer.have:
            if have.epoch == self.epoch:
                self.have = have.seq
        self.cursor = answer.upto
        return answer


def summary(code: str) -> ReadSummary:
    return ReadSummary("scanner", "serial", code, code.encode().hex(), datetime.now(UTC))
