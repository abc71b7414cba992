# SPDX-License-Identifier: Apache-2.0
"""The zone's ledger at two sizes: what a movement costs, what a rebuild takes, and how long pages take.

Two zones stand side by side in one PostgreSQL: one with a few thousand movements, one with as many as asked
for, a tenth of them of one lot. Movements are folded into all the center's books, as it does it live, portion
by portion in turns, so that a slow moment hits both; ratios are taken within a round. Pages are asked in
turns, too, of lots and words that are drawn at random.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

import asyncpg

from central.database import Database
from central.ledger_queries import Ledger
from central.projector import Projector
from tests.benchmarks.zone_history import BIG_LOT, TENANT, ZONE, History
from zonegate.children import OwnPostgres

COST_GOAL: Final = 1.3
PAGE_GOAL: Final = 3.0
SMALL: Final = 10_000
ROUNDS: Final = 9
PORTION: Final = 2_000
"""Movements of one round: ten of the center's transactions."""

LOOKS: Final = 60
"""Pages of each kind, each of another lot or word."""


@dataclass(slots=True)
class Zone:
    """A zone of one size."""

    name: str
    history: History
    writer: asyncpg.Connection[asyncpg.Record]
    database: Database
    projector: Projector
    ledger: Ledger
    lots: list[str]

    @classmethod
    async def open(cls, server: OwnPostgres, name: str) -> Zone:
        """An empty one."""
        dsn = await server.create_database(name)
        database = await Database.open(dsn)
        return cls(
            name,
            History(),
            await asyncpg.connect(dsn),
            database,
            Projector(database, TENANT, ZONE),
            Ledger(database, TENANT, ZONE),
            [],
        )

    async def close(self) -> None:
        """Its connections."""
        await self.writer.close()
        await self.database.close()

    async def grow(self, movements: int) -> float:
        """Movements are told and folded; seconds of folding one."""
        before = self.history.movements
        await self.history.write(self.writer, movements)
        start = time.perf_counter()
        await self.projector.catch_up()
        return (time.perf_counter() - start) / (self.history.movements - before)


async def measure(movements: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """The figures."""
    with tempfile.TemporaryDirectory(prefix="bench-ledger-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with OwnPostgres(folder) as server:
            small, large = await Zone.open(server, "small"), await Zone.open(server, "large")
            try:
                return await _measure(small, large, movements, tell)
            finally:
                await small.close()
                await large.close()


async def _measure(small: Zone, large: Zone, movements: int, tell: Callable[[str], None]) -> dict[str, Any]:
    await small.history.write(small.writer, SMALL)
    await large.history.write(large.writer, movements)
    tell(f"{large.history.movements} movements are in the record")
    await small.projector.rebuild()
    rebuilt = await _rebuild(large, tell)
    for zone in (small, large):
        await zone.writer.execute("VACUUM ANALYZE")  # as a server does by itself in a quiet hour
    costs = []
    for zone in (small, large, small, large):  # so that both have at hand what they work on
        await zone.grow(PORTION)
    for _ in range(ROUNDS):
        costs.append((await small.grow(PORTION), await large.grow(PORTION)))
        tell(f"a movement: {1e6 * costs[-1][0]:.0f} and {1e6 * costs[-1][1]:.0f} microseconds")
    pages = await _pages(small, large)
    big = await large.writer.fetchval("SELECT count(*) FROM posting WHERE lot = $1", BIG_LOT)
    ratio = statistics.median(there / here for here, there in costs)
    return {
        "bench": "ledger",
        "movements": large.history.movements,
        "big_lot": big,
        "cost_us": {
            "small": round(1e6 * statistics.median(here for here, _ in costs)),
            "large": round(1e6 * statistics.median(there for _, there in costs)),
        },
        "cost_ratio": round(ratio, 2),
        "rebuild_s": round(rebuilt, 1),
        "rebuild_movements_s": round(movements / rebuilt),
        "pages": pages,
        "goal_met": ratio <= COST_GOAL and all(page["ratio"] <= PAGE_GOAL for page in pages.values()),
    }


async def _rebuild(zone: Zone, tell: Callable[[str], None]) -> float:
    last = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= 10:
            last = time.monotonic()
            tell(f"{done} of {total} own entries are in the books")

    start = time.perf_counter()
    await zone.projector.rebuild(progress)
    return time.perf_counter() - start


async def _pages(small: Zone, large: Zone) -> dict[str, Any]:
    """Medians of each kind of page in both zones, in milliseconds."""
    random = Random(3)
    taken: dict[str, tuple[list[float], list[float]]] = {}
    moments = {}
    for zone in (small, large):
        zone.lots = [row["lot"] for row in await zone.writer.fetch("SELECT lot FROM ledger_lot ORDER BY lot")]
        moments[zone.name] = await zone.writer.fetchval("SELECT max(at) FROM ledger_known")
    for _ in range(LOOKS):
        for at, zone in enumerate((small, large)):
            for kind, look in _looks(zone, random, moments[zone.name]).items():
                start = time.perf_counter()
                await look
                taken.setdefault(kind, ([], []))[at].append(1000 * (time.perf_counter() - start))
    found = {}
    for kind, (here, there) in taken.items():
        medians = statistics.median(here), statistics.median(there)
        found[kind] = {
            "small_ms": round(medians[0], 2),
            "large_ms": round(medians[1], 2),
            "ratio": round(medians[1] / medians[0], 2),
        }
    return found


def _looks(zone: Zone, random: Random, now: datetime) -> dict[str, Awaitable[Any]]:
    ledger, lot = zone.ledger, random.choice(zone.lots)
    then = now - timedelta(hours=random.randint(1, 40))
    return {
        "lots": ledger.lots(),
        "lots then": ledger.lots(None, then, now - timedelta(hours=1)),
        "goods": ledger.goods(None, then, now - timedelta(hours=1)),
        "story": ledger.story(lot),
        "story of the big lot": ledger.story(BIG_LOT),
        "search for a lot": ledger.search(lot),
        "search for a beginning": ledger.search(lot[:6]),
        "search for a load": ledger.search(f"{random.randrange(zone.history.movements):018d}"),
        "overdrawn": ledger.overdraws(),
    }


def main(argv: Sequence[str]) -> int:
    """Measure and print; 0 when the goals hold, else 1."""
    parser = argparse.ArgumentParser(prog="bench ledger", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--movements", type=int, default=100_000, help="of the large zone (100,000)")
    options = parser.parse_args(argv)

    def tell(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    result = asyncio.run(measure(options.movements, tell))
    print(json.dumps(result) if options.json else _table(result))
    return 0 if result["goal_met"] else 1


def _table(result: dict[str, Any]) -> str:
    cost = result["cost_us"]
    lines = [
        f"{result['movements']:,} movements, {result['big_lot']:,} of one lot",
        (
            f"a movement into all books: {cost['small']} us at {SMALL:,}, {cost['large']} us: "
            f"{result['cost_ratio']}x (goal {COST_GOAL}x)"
        ),
        f"rebuild: {result['rebuild_s']} s, {result['rebuild_movements_s']:,} movements a second",
    ]
    for kind, page in result["pages"].items():
        lines.append(f"{kind}: {page['small_ms']} ms and {page['large_ms']} ms: {page['ratio']}x")
    return "\n".join([*lines, f"pages at most {PAGE_GOAL}x: {'met' if result['goal_met'] else 'MISSED'}"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
