# SPDX-License-Identifier: Apache-2.0
"""Center ingest (a whole exchange: signature, chain check, one transaction, anchor) against bare COPY.

COPY writes the very rows into a table with the same columns and indexes on the same server.
The contestants take turns batch by batch, so that a slow moment hits all alike; ratios are taken within
a round. `books` is ingest and folding into the books, one after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import pstats
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg

from central.record import COLUMNS
from central.service import Central
from customs.imports import Upload
from edge.anchor import Anchor
from edge.clock import system_clocks
from sync.bodies import Use
from sync.entry import read_record, record_hash
from sync.wire import read_answer
from tests.central.dock import Dock
from zonegate.children import OwnPostgres

GOAL = 0.4

BATCHES = {100: 20, 500: 8}
"""Asks measured at each number of entries: about a second of bare COPY a round."""

BARE = "CREATE TABLE IF NOT EXISTS bare (LIKE entry INCLUDING ALL)"

PAPERS = Path(__file__).parents[1] / "central" / "papers.json"

Row = tuple[Any, ...]


async def main_async(rounds: int, profile: bool) -> dict[str, Any]:
    """Measure; the figures by batch size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with OwnPostgres(folder) as server:
            dsn = await server.create_database("bench")
            return await _measure(dsn, folder, rounds, profile)


async def _measure(dsn: str, folder: Path, rounds: int, profile: bool) -> dict[str, Any]:
    (folder / "center").mkdir()
    center = await Central.open(dsn, "example", "zone-999", Anchor(folder / "center"), system_clocks())
    await center.projector.close()  # the books are folded here, when it is their turn
    bare: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(dsn)
    figures: dict[str, Any] = {}
    try:
        await bare.execute(BARE)
        dock = Dock()
        dock.code = await center.enrol(dock.node)
        await dock.talk(center)
        dock.code = None  # a node sends it until it is enrolled
        await center.import_files([Upload("week.json", PAPERS.read_bytes())], "bench")
        for size, asks in BATCHES.items():
            found = [await _round(center, bare, dock, size, asks) for _ in range(rounds + 1)][1:]
            figures[str(size)] = {
                key: round(statistics.median(each[key] for each in found), 3 if key.endswith("ratio") else 0)
                for key in found[0]
            }
        if profile:
            await _profile(center, bare, dock)
    finally:
        await bare.close()
        await center.close()
    return figures


async def _round(
    center: Central, bare: asyncpg.Connection[asyncpg.Record], dock: Dock, size: int, asks: int
) -> dict[str, float]:
    """One round; entries per second, and ratios to COPY."""
    known = len(dock.records)
    _backlog(dock, size * asks)
    rows = _rows(dock, known)
    taken = dict.fromkeys(("copy", "ingest", "fold"), 0.0)
    for at in range(0, size * asks, size):
        start = time.perf_counter()
        await bare.copy_records_to_table("bare", records=rows[at : at + size], columns=COLUMNS)
        copied = time.perf_counter()
        body, signature = dock.signed(dock.ask(dock.part(known + at, known + at + size)))
        signed = time.perf_counter()
        answer = await center.exchange(body, signature)
        stored = time.perf_counter()
        dock.cursor = read_answer(answer).upto
        settled = time.perf_counter()
        await center.projector.catch_up()
        folded = time.perf_counter()
        taken["copy"] += copied - start
        taken["ingest"] += stored - signed
        taken["fold"] += folded - settled
    entries = size * asks
    return {
        "copy_entries_s": entries / taken["copy"],
        "ingest_entries_s": entries / taken["ingest"],
        "books_entries_s": entries / (taken["ingest"] + taken["fold"]),
        "ingest_ratio": taken["copy"] / taken["ingest"],
        "books_ratio": taken["copy"] / (taken["ingest"] + taken["fold"]),
    }


def _backlog(dock: Dock, entries: int) -> None:
    """Let goods cross that the center has not heard of."""
    use = Use("A214", "1", Decimal("0.001"))
    for _ in range(entries):
        dock.move(sscc=f"{len(dock.records):018d}", quantity="0.001", use=use)


def _rows(dock: Dock, known: int) -> list[Row]:
    now = datetime.now(UTC)
    return [
        (
            "example", "zone-999", dock.node, dock.epoch, entry.seq, entry.entry_id, entry.type, entry.door,
            entry.occurred_at, now, record_hash(record), record,
        )
        for record in dock.records[known:]
        for entry in [read_record(record)]
    ]  # fmt: skip


async def _profile(center: Central, bare: asyncpg.Connection[asyncpg.Record], dock: Dock) -> None:
    with cProfile.Profile() as profile:
        await _round(center, bare, dock, 500, 4)
    pstats.Stats(profile).sort_stats("tottime").print_stats(25)


def main(argv: Sequence[str]) -> int:
    """Print medians; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(prog="bench ingest", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--profile", action="store_true", help="where the time goes")
    args = parser.parse_args(argv)
    figures = asyncio.run(main_async(args.rounds, args.profile))
    met = figures["500"]["ingest_ratio"] >= GOAL
    if args.json:
        print(
            json.dumps(
                {"bench": "ingest", "goal": GOAL, "met": met, "rounds": args.rounds, "batches": figures}
            )
        )
    else:
        for size, found in figures.items():
            print(
                f"{size} entries an ask: COPY {found['copy_entries_s']:,.0f}/s, "
                f"ingest {found['ingest_entries_s']:,.0f}/s ({found['ingest_ratio']:.2f} of COPY), "
                f"with books {found['books_entries_s']:,.0f}/s ({found['books_ratio']:.2f})"
            )
        print(f"goal {GOAL} of COPY at 500: {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    import sys

    sys.exit(main(sys.argv[1:]))
