# SPDX-License-Identifier: Apache-2.0
"""Enqueue to told under an open-loop load: the journal against the same thread with plain commits.

Arrivals stand on a fixed schedule, whatever the journal does, and an entry's time runs from its scheduled
moment to the moment the loop learns that it is told: a stall counts for all that should have come during
it. The peer is the very `Journal` - its queue, its thread, its telling - over a writer that inserts rows
made beforehand, of the same bytes into the same tables, and commits: no chain, no signed head, no anchor and
no thread for one.
They take turns, each round on fresh files; ratios are taken within a round.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import selectors
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from edge.anchor import Anchor
from edge.batch import Append, Batch, EntryRow, Identity, Item, Placed
from edge.clock import system_clocks
from edge.journal import Journal
from edge.writer import Writer
from sync.entry import Draft, Place
from tests.benchmarks.bench_journal import NoAnchor, drafts, write_plainly

GOAL: Final = 2.5

RATE: Final = 1_000
"""Arrivals a second."""

_WARM_UP: Final = 500
"""Arrivals before those that count: first pages, first imports."""

_LEAD_S: Final = 0.05
"""The first arrival stands so far ahead, so that the loop is there in time."""


class PlainWriter(Writer):
    """Commits rows that are ready, in the order of the drafts they were made of."""

    def prepare(self, run: Sequence[Draft]) -> None:
        """Make the rows, before the clock runs."""
        self._ready: list[EntryRow] = super().draw_up([Append(draft) for draft in run]).entry_rows
        self._ready.reverse()
        self._unsigned = False  # nothing of this is ever signed

    def draw_up(self, items: Sequence[Item]) -> Batch:
        """The next rows."""
        rows = [self._ready.pop() for _ in items]
        epoch, seq, _, digest, _ = rows[-1]
        entries = [item for item in items if isinstance(item, Append)]
        return Batch(Place(epoch, seq, digest), rows, entries)

    def commit(self, batch: Batch) -> None:
        """Write them."""
        write_plainly(self.connection, batch.entry_rows)


class PlainJournal(Journal):
    """Tells what is committed at once."""

    def _settle(self, items: list[Item]) -> None:
        batch = self._writer.draw_up(items)
        self._writer.commit(batch)
        self._on_loop(self._tell, batch)


def main(argv: Sequence[str]) -> int:
    """Measure and print; 0 when the goal holds at p50 and p99, else 1."""
    parser = argparse.ArgumentParser(prog="bench told", description="Enqueue to told against plain commits.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=7, help="rounds (default 7)")
    parser.add_argument("--seconds", type=int, default=5, help="seconds of each in a round (default 5)")
    parser.add_argument("--rate", type=int, default=RATE, help=f"arrivals a second (default {RATE})")
    parser.add_argument("--folder", type=Path, default=Path("var"), help="where to write; no tmpfs")
    parser.add_argument("--anchor", type=Path, help="where the anchors are (default: beside the journals)")
    options = parser.parse_args(argv)
    options.folder.mkdir(parents=True, exist_ok=True)
    anchors = options.anchor or options.folder
    count = options.rate * options.seconds
    # The usual selector wakes on whole milliseconds, as far apart as the arrivals are.
    with asyncio.Runner(loop_factory=_fine_loop) as runner:
        result = runner.run(measure(options.folder, anchors, options.rate, count, options.rounds))
    print(json.dumps(result) if options.json else _table(result))
    return 0 if result["goal_met"] else 1


async def measure(folder: Path, anchors: Path, rate: int, count: int, rounds: int) -> dict[str, Any]:
    """Milliseconds at p50 and p99 of both, the median over the rounds, and their ratio in each round."""
    found: list[dict[str, list[float]]] = []
    for _ in range(rounds):
        took: dict[str, list[float]] = {}
        for who in random.sample(("journal", "plain"), 2):
            took[who] = await _play(who, folder, anchors, rate, count)
        found.append(took)
    return _result(found, rate, count)


async def _play(who: str, folder: Path, anchors: Path, rate: int, count: int) -> list[float]:
    """Seconds from the scheduled moment to told, one for each arrival that counts."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-told-", dir=folder) as store,
        tempfile.TemporaryDirectory(prefix="bench-told-", dir=anchors) as anchor,
    ):
        run = drafts(_WARM_UP + count)
        journal = _open(who, Path(store), Path(anchor), run)
        try:
            gc.collect()
            return (await _load(journal, run, rate))[_WARM_UP:]
        finally:
            await journal.close()


def _open(who: str, store: Path, anchor: Path, run: Sequence[Draft]) -> Journal:
    identity = Identity("bench", "bench", "bench")
    clocks = system_clocks()
    if who == "journal":
        return Journal.open(store, Anchor(anchor), clocks=clocks, identity=identity)
    writer = PlainWriter.open(store, NoAnchor(anchor), clocks=clocks, identity=identity)
    writer.prepare(run)
    journal = PlainJournal(writer, clocks)
    journal._thread.start()
    return journal


async def _load(journal: Journal, run: Sequence[Draft], rate: int) -> list[float]:
    done = asyncio.get_running_loop().create_future()
    told: list[float] = []

    def on_told(placed: Sequence[Placed], _: Place) -> None:
        told.extend([time.perf_counter()] * len(placed))
        if len(told) == len(run):
            done.set_result(None)

    journal.on_told(on_told)
    start = time.perf_counter() + _LEAD_S
    due = [start + number / rate for number in range(len(run))]
    for draft, at in zip(run, due, strict=True):
        wait = at - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        journal.append(draft)
    await done
    return [at - scheduled for at, scheduled in zip(told, due, strict=True)]


def _fine_loop() -> asyncio.AbstractEventLoop:
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


def _result(rounds: list[dict[str, list[float]]], rate: int, count: int) -> dict[str, Any]:
    def at(share: int, values: list[float]) -> float:
        return statistics.quantiles(values, n=100)[share - 1]

    told: dict[str, Any] = {"bench": "told", "rounds": len(rounds), "rate": rate, "arrivals": count}
    for share in (50, 99):
        ratios = [at(share, one["journal"]) / at(share, one["plain"]) for one in rounds]
        told[f"p{share}"] = {
            "journal_ms": round(1000 * statistics.median(at(share, one["journal"]) for one in rounds), 2),
            "plain_ms": round(1000 * statistics.median(at(share, one["plain"]) for one in rounds), 2),
            "ratio": round(statistics.median(ratios), 2),
            "ratios": [round(ratio, 2) for ratio in ratios],
        }
    told["goal"] = GOAL
    told["goal_met"] = all(told[f"p{share}"]["ratio"] <= GOAL for share in (50, 99))
    return told


def _table(result: dict[str, Any]) -> str:
    load = f"{result['rounds']} rounds of {result['arrivals']} arrivals, {result['rate']} a second"
    lines = [f"enqueue to told, {load} (goal: at most {GOAL}x)"]
    for share in ("p50", "p99"):
        row = result[share]
        both = f"journal {row['journal_ms']:7.2f} ms  plain commits {row['plain_ms']:7.2f} ms"
        lines.append(f"{share}  {both}  {row['ratio']:.2f}x  by round {row['ratios']}")
    return "\n".join(lines)
