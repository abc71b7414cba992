# SPDX-License-Identifier: Apache-2.0
"""A zone's history of any length, written straight into the center's record: two docks' logs and its own.

Forty kinds of goods come and go, pallet by pallet, under admission permits of 250 pallets each; every tenth
movement is of one big lot. The docks tell the center in turns, each some hundred movements of the same time,
so what the second tells lies between what the first told. Nothing here is random beyond its seed.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final

import asyncpg

from central.record import COLUMNS
from customs.documents import Direction, Permit, PermitLine, Product, Status
from sync.bodies import (
    Begin,
    CenterSaw,
    LoadFacts,
    Movement,
    ReadSummary,
    Use,
    body_bytes,
    schema_of,
)
from sync.entry import GENESIS, Clock, Draft, Place, new_entry_id, record_bytes, record_hash
from sync.witness import CENTER

TENANT: Final = "example"
ZONE: Final = "zone-999"
NODES: Final = ("dock-1", "dock-2")
OWNERS: Final = tuple(f"Example Owner {number}" for number in range(1, 11))
STATUSES: Final = (Status.PF, Status.NPF)
BIG_LOT: Final = "BIG214/1"

SEEN: Final = 200
"""Movements of one dock that the center takes in at a time."""

_START: Final = datetime(2024, 1, 1, tzinfo=UTC)
_EVERY: Final = timedelta(seconds=20)
_PALLETS_OF_LINE: Final = 250
_CLOCK: Final = Clock(True, "boot", 1)
_ANY_DAY: Final = (date(2020, 1, 1), date(2039, 12, 31))

Row = tuple[object, ...]


class _Log:
    """One log as it is written: its end, and the rows that were not stored yet."""

    def __init__(self, node: str, epoch: str) -> None:
        self.node, self.epoch = node, epoch
        self.seq, self.hash = 0, GENESIS
        self.rows: list[Row] = []

    def add(self, entry_type: str, body: bytes, entry_id: str, at: datetime, door: str | None = None) -> None:
        """Append an entry."""
        draft = Draft(entry_id, entry_type, schema_of(entry_type), at, _CLOCK, body, door)
        self.seq += 1
        record = record_bytes(draft, self.epoch, self.seq, at, self.hash)
        self.hash = record_hash(record)
        self.rows.append(
            (
                TENANT, ZONE, self.node, self.epoch, self.seq, entry_id, entry_type, door, at, at, self.hash,
                record,
            )
        )  # fmt: skip

    @property
    def place(self) -> Place:
        """Its end."""
        return Place(self.epoch, self.seq, self.hash)


class _Goods:
    """One kind of goods: what of it is in the zone, and the permit line that it comes by."""

    def __init__(self, owner: str, number: int, status: Status, pallets_of_line: int) -> None:
        self.owner, self.status = owner, status
        self.gtin = f"0952199900{number:04d}"
        self.name = f"{number:02d}{status.value}"
        self.pallets: list[str] = []
        self.admitted = 0
        self._of_line = pallets_of_line

    @property
    def permit(self) -> str:
        """The permit that the next pallet comes by."""
        return f"214-{self.name}-{self.admitted // self._of_line}"


class History:
    """Writes a history in portions; `movements` counts those written."""

    def __init__(self, seed: int = 7) -> None:
        self._random = Random(seed)
        self._own = _Log(CENTER, _epoch("center"))
        self._docks = [_Log(node, _epoch(node)) for node in NODES]
        self._goods = [
            _Goods(owner, 2 * at + kind, status, _PALLETS_OF_LINE)
            for at, owner in enumerate(OWNERS)
            for kind in range(2)
            for status in STATUSES
        ]
        self._big = _Goods("Example Owner 1", 99, Status.NPF, 10**9)
        self.movements = 0
        self._begin()

    async def write(self, connection: asyncpg.Connection[asyncpg.Record], movements: int) -> None:
        """Store so many movements more, in whole portions, and what the center's log says of them."""
        upto = self.movements + movements
        while self.movements < upto:
            for _ in range(25):
                self._portion()
                if self.movements >= upto:
                    break
            await self._store(connection)

    def _begin(self) -> None:
        for log in (self._own, *self._docks):
            body = Begin(TENANT, ZONE, log.node, "0" * 64, "first start")
            log.add("begin", body_bytes(body), self._id(_START), _START)
        for goods in (*self._goods, self._big):
            self._say("product", Product(goods.gtin, goods.name), _START)
        self._permit("BIG214", "admission", self._big, Direction.IN)
        for goods in (*self._goods, self._big):
            self._permit(f"06-{goods.name}", "weekly-entry", goods, Direction.OUT)

    def _portion(self) -> None:
        for _ in range(SEEN):
            for dock in self._docks:
                self._move(dock)
        for dock in self._docks:
            self._say("center-saw", CenterSaw(dock.node, dock.epoch, dock.place), self._now)

    @property
    def _now(self) -> datetime:
        return _START + self.movements * _EVERY

    def _move(self, dock: _Log) -> None:
        goods = self._big if self.movements % 10 == 0 else self._random.choice(self._goods)
        comes = self._random.random() < (0.8 if len(goods.pallets) < 40 else 0.2) or not goods.pallets
        if comes:
            permit, line = ("BIG214" if goods is self._big else goods.permit), "1"
            if goods is not self._big and goods.admitted % _PALLETS_OF_LINE == 0:
                self._permit(permit, "admission", goods, Direction.IN)
            goods.admitted += 1
            sscc = f"{self.movements:018d}"
            goods.pallets.append(sscc)
        else:
            permit, line = f"06-{goods.name}", "1"
            sscc = goods.pallets.pop(0)
        quantity = Decimal(40)
        load = LoadFacts(
            f"/00/{sscc}", sscc, goods.gtin, None, None, quantity, "EA", goods.owner, goods.status
        )
        body = Movement(
            None,
            Direction.IN if comes else Direction.OUT,
            load,
            quantity,
            "EA",
            goods.owner,
            goods.status,
            "admitted" if comes else "withdrawn",
            ReadSummary("scanner", "serial", sscc, sscc.encode().hex(), self._now),
            0,
            Use(permit, line, quantity),
        )
        entry_type = "admission" if comes else "withdrawal"
        dock.add(entry_type, body_bytes(body), self._id(self._now), self._now, f"{dock.node}-door")
        self.movements += 1

    def _permit(self, number: str, kind: str, goods: _Goods, direction: Direction) -> None:
        line = PermitLine("1", goods.gtin, goods.status, Decimal(10**9), "EA", direction)
        self._say("permit", Permit(number, kind, goods.owner, *_ANY_DAY, (line,)), self._now)

    def _say(self, entry_type: str, body: object, at: datetime) -> None:
        self._own.add(entry_type, body_bytes(body), self._id(at), at)  # type: ignore[arg-type]

    def _id(self, at: datetime) -> str:
        return new_entry_id(int(at.timestamp() * 1000), self._random.randbytes(10))

    async def _store(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        logs = (self._own, *self._docks)
        for log in logs:
            await connection.copy_records_to_table("entry", columns=COLUMNS, records=log.rows)
            log.rows.clear()
            await connection.execute(_PUT_HEAD, TENANT, ZONE, log.node, log.epoch, log.seq, log.hash)


def _epoch(node: str) -> str:
    return hashlib.sha256(node.encode()).hexdigest()[:32]


_PUT_HEAD: Final = """
INSERT INTO log_head (tenant, zone, node, epoch, place, seq, hash) VALUES ($1, $2, $3, $4, 1, $5, $6)
ON CONFLICT (tenant, zone, node, epoch) DO UPDATE SET seq = excluded.seq, hash = excluded.hash
"""
