# SPDX-License-Identifier: Apache-2.0
"""A zone's history for the ledger, told to a real center by two docks, in any order and any batches."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from random import Random
from typing import Any

from msgspec.structs import replace

from central.service import Central
from customs.documents import Direction, Permit, PermitLine, Product, Status
from sync.bodies import LoadFacts, Use
from tests.central.dock import Dock, summary

START = datetime(2026, 6, 1, 6, tzinfo=UTC)
OWNER = "Example User"
OTHER = "Example Motors"
GTINS = ("09521999001058", "09521999001010")
BOOKS = (
    "ledger_known", "ledger_queue", "ledger_fact", "ledger_layer", "ledger_taken", "posting", "ledger_day",
    "ledger_goods_day", "ledger_goods_month", "ledger_lot", "ledger_word", "ledger_paper", "ledger_factor",
    "ledger_election", "ledger_cut", "ledger_calendar", "ledger_lot_day",
)  # fmt: skip


def permit(number: str, kind: str, product: str, owner: str = OWNER, status: Status = Status.NPF) -> Permit:
    """One line for one product, of which there is always enough."""
    way = Direction.IN if kind in ("admission", "direct-delivery") else Direction.OUT
    line = PermitLine("1", product, status, Decimal(10**6), "EA", way)
    return Permit(number, kind, owner, START.date(), (START + timedelta(days=36_500)).date(), (line,))


PAPERS = [
    *(("product", Product(gtin, f"product {gtin[-3:]}")) for gtin in GTINS),
    *(("permit", permit(f"214-{n}", "admission", GTINS[0])) for n in range(1, 6)),
    *(("permit", permit(f"215-{n}", "admission", GTINS[1], OTHER)) for n in range(1, 3)),
    ("permit", permit("DD-1", "direct-delivery", GTINS[0])),
    ("permit", permit("06", "weekly-entry", GTINS[0])),
    ("permit", permit("06-M", "entry", GTINS[1], OTHER)),
    ("permit", permit("7512", "export", GTINS[0])),
    ("permit", permit("06-E", "entry", GTINS[0])),
]


@dataclass
class Zone:
    """A center and its docks. Movements happen at minutes since START, whoever tells them and when."""

    center: Central
    docks: list[Dock] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=lambda: defaultdict(str))
    deposits: list[tuple[str, str]] = field(default_factory=list)
    """Deposits into suspense: their entries and quantities."""

    @classmethod
    async def open(cls, center: Central, docks: int = 2, papers: Any = PAPERS) -> Zone:
        """Papers on file, docks enrolled."""
        await center.people.act(lambda _: papers)
        made = [Dock(f"dock-{number + 1}") for number in range(docks)]
        for dock in made:
            dock.code = await center.enrol(dock.node)
            await dock.talk(center)
            dock.code = None
        return cls(center, made)

    def move(
        self,
        minute: float,
        quantity: str,
        paper: str,
        *,
        dock: int = 0,
        out: bool = False,
        product: str = GTINS[0],
        owner: str = OWNER,
        status: Status = Status.NPF,
        load: str = "1",
    ) -> str:
        """Goods crossed; nobody at the center knows of it yet."""
        sscc = f"{int(load):018d}"
        facts = LoadFacts(f"/00/{sscc}", sscc, product, None, None, Decimal(quantity), "EA", owner, status)
        use = Use(paper, "1", Decimal(quantity)) if paper else None
        teller = self.docks[dock]
        read = replace(summary(sscc), frame=sha256(sscc.encode()).hexdigest())
        entry_id = teller.move(
            "withdrawal" if out else "admission",
            quantity,
            use,
            load=facts,
            owner=owner,
            status=status,
            read=read,
        )
        return self._at(teller, entry_id, minute)

    def correct(self, entry_id: str, minute: float, *, dock: int = 0, out: bool = False) -> str:
        """A movement is taken back."""
        teller = self.docks[dock]
        made = teller.correct(entry_id, "withdrawal" if out else "admission", "1")
        return self._at(teller, made, minute)

    async def tell(self, *docks: int, fold: bool = True) -> None:
        """Docks tell the center what it does not know yet, one after the other."""
        for dock in docks or range(len(self.docks)):
            await self.docks[dock].talk(self.center)
        if fold:
            await self.center.projector.catch_up()

    def _at(self, dock: Dock, entry_id: str, minute: float) -> str:
        """Write the last entry of a log again, as of another time."""
        from sync.entry import read_record

        entry = read_record(dock.records.pop())
        dock.hashes.pop()
        dock.ids.pop()
        happened = START + timedelta(minutes=minute)
        dock.add_bytes(
            entry.type,
            entry.schema,
            bytes(entry.body),
            door=entry.door,
            entry_id=entry_id,
            occurred_at=happened,
        )
        return entry_id


async def rows(center: Central, tables: tuple[str, ...] = BOOKS) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the ledger, as text, so that nothing is equal that is not the same."""
    found = {}
    async with center.database.session() as connection:
        for table in tables:
            fetched = await connection.fetch(f"SELECT t::text AS row FROM {table} t")
            found[table] = sorted(row["row"] for row in fetched)
    return found


def history(zone: Zone, random: Random, movements: int) -> None:
    """Goods come and go at random, some of it never there; each dock tells its own in its order."""
    known: list[tuple[str, int, bool, float]] = []
    minute = 0.0
    for _ in range(movements):
        minute += random.choice((0, 0, 1, 7, 90))
        # A dock's clock may stand wrong by some hours.
        at = minute + random.choice((0, 0, 0, -200, 30))
        dock = random.randrange(len(zone.docks))
        if known and random.random() < 0.1:
            entry_id, told, out, _ = known.pop(random.randrange(len(known)))
            zone.correct(entry_id, at, dock=told, out=out)
            continue
        out = random.random() < 0.5
        other = random.random() < 0.3
        quantity = random.choice(("1", "40", "12.5", "0.333333", "7"))
        if not out and random.random() < 0.15:
            load = str(random.randint(31, 60))
            entry_id = zone.move(at, quantity, "", dock=dock, load=load, status=Status.SUSPENSE)
            zone.deposits.append((entry_id, quantity))
            known.append((entry_id, dock, False, at))
            continue
        if other:
            paper = random.choice(("06-M",)) if out else f"215-{random.randint(1, 2)}"
        else:
            paper = random.choice(("06", "7512", "06-E", "LATE")) if out else f"214-{random.randint(1, 5)}"
            if not out and random.random() < 0.3:
                paper = "DD-1"
        whose: dict[str, Any] = {"product": GTINS[1], "owner": OTHER} if other else {}
        load = str(random.randint(1, 30))
        entry_id = zone.move(at, quantity, paper, dock=dock, out=out, load=load, **whose)
        known.append((entry_id, dock, out, at))
