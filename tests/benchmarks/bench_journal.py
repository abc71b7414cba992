# SPDX-License-Identifier: Apache-2.0
"""Journal append in the writer (chain, one signed head a second) against bare sqlite3.

Bare sqlite3 writes rows of the same bytes into the same tables with the same settings, on the same
disk. The anchor is measured apart, since it is a second flush on a second medium. In every round each
contestant starts on a fresh file, and they take turns of a few commits in shuffled order, so that a
slow moment of the machine hits all of them alike; ratios are taken within a round.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import pstats
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.anchor import Anchor
from edge.anchoring import Anchoring
from edge.batch import Append, EntryRow, Identity
from edge.clock import system_clocks
from edge.writer import INSERT_ENTRY, Writer
from sync.bodies import schema_of
from sync.entry import Draft, Place, canonical

COMMITS = {1: 1500, 10: 1000, 100: 200}
"""Commits measured at each batch size: about half a second on a fast disk."""

TURN_COMMITS = 10
"""Commits of one turn."""

GOAL = 0.8

_BODY = {
    "job": "7f3a",
    "direction": "out",
    "load": {"key": "306141411234567890", "sscc": "306141411234567890", "lot": "L-2217", "owner": "acme"},
    "quantity": "40",
    "unit": "EA",
    "status": "NPF",
    "reason": "withdrawn",
    "read": {"device": "serial-3", "carrier": "]C1", "code": "(00)306141411234567890", "raw": "5d4331" * 8},
    "use": {"permit": "P-2026-0117", "line": "3", "quantity": "40"},
}

Batches = list[list[Append]]


class NoAnchor(Anchor):
    """An anchor whose writes cost nothing: what is left is the store's own work."""

    def write(self, place: Place) -> None:
        """Keep nothing."""


def main(argv: Sequence[str]) -> int:
    """Measure and print; 0 when the goal holds at every batch size, else 1."""
    parser = argparse.ArgumentParser(prog="bench journal", description="Journal append against bare sqlite3.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each size (default 9)")
    parser.add_argument("--folder", type=Path, default=Path("var"), help="where to write; no tmpfs")
    parser.add_argument("--profile", action="store_true", help="print where the writer's time goes")
    options = parser.parse_args(argv)
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.profile:
        _profile(options.folder)
        return 0
    result = measure(options.folder, options.rounds)
    print(json.dumps(result) if options.json else _table(result))
    return 0 if result["goal_met"] else 1


def measure(folder: Path, rounds: int) -> dict[str, object]:
    """Entries a second of each contestant, and its ratio to bare sqlite3, at each batch size."""
    sizes = race(CONTESTANTS, folder, rounds)
    met = all(row["journal"]["ratio"] >= GOAL for row in sizes.values())
    return {"bench": "journal", "rounds": rounds, "goal": GOAL, "goal_met": met, "batch": sizes}


def race(contestants: Contestants, folder: Path, rounds: int) -> dict[int, dict[str, dict[str, float]]]:
    """Rates and ratios to the contestant `bare`, by batch size and contestant."""
    sizes = {}
    for size, commits in COMMITS.items():
        rates: dict[str, list[float]] = {name: [] for name in contestants}
        for _ in range(rounds):
            with tempfile.TemporaryDirectory(prefix="bench-journal-", dir=folder) as place:
                for name, seconds in _round(contestants, Path(place), size, commits).items():
                    rates[name].append(size * commits / seconds)
        sizes[size] = {name: _summary(rates[name], rates["bare"]) for name in contestants}
    return sizes


def _round(makers: Contestants, folder: Path, size: int, commits: int) -> dict[str, float]:
    """Seconds that each contestant took for all its commits."""
    contestants = [make(folder / name, _batches(size, commits)) for name, make in makers.items()]
    took = [0.0] * len(contestants)
    order = list(range(len(contestants)))
    gc.collect()
    for start in range(0, commits, TURN_COMMITS):
        random.shuffle(order)
        for index in order:
            begin = time.perf_counter()
            contestants[index].commit(start, min(commits, start + TURN_COMMITS))
            took[index] += time.perf_counter() - begin
    for contestant in contestants:
        contestant.close()
    return dict(zip(makers, took, strict=True))


def _summary(rates: list[float], bare: list[float]) -> dict[str, float]:
    ratios = [own / other for own, other in zip(rates, bare, strict=True)]
    return {
        "entries_per_s": round(statistics.median(rates)),
        "ratio": round(statistics.median(ratios), 3),
        "ratio_min": round(min(ratios), 3),
        "ratio_max": round(max(ratios), 3),
    }


def _table(result: dict[str, object]) -> str:
    verdict = "holds" if result["goal_met"] else "MISSED"
    goal = f"goal: journal at least {result['goal']} of bare at each batch: {verdict}"
    return "\n".join([*table(result["batch"]), goal])


def table(sizes: Any) -> list[str]:
    """The lines of what `race` gave."""
    lines = [f"{'batch':>5}  {'contestant':<15} {'entries/s':>10} {'ratio':>6}   {'per round':<12}"]
    for size, rows in sizes.items():
        for name, row in rows.items():
            spread = f"{row['ratio_min']:.2f}-{row['ratio_max']:.2f}"
            lines.append(
                f"{size:>5}  {name:<15} {row['entries_per_s']:>10,} {row['ratio']:>6.2f}   {spread:<12}"
            )
    return lines


def drafts(count: int) -> list[Draft]:
    """Withdrawals of a usual size."""
    clocks = system_clocks()
    body = canonical(_BODY)
    schema = schema_of("withdrawal")
    return [
        Draft(clocks.entry_id(), "withdrawal", schema, clocks.utc(), clocks.stamp(), body, "dock-2")
        for _ in range(count)
    ]


def _batches(size: int, commits: int) -> Batches:
    return [[Append(draft) for draft in drafts(size)] for _ in range(commits)]


def write_plainly(connection: sqlite3.Connection, rows: Sequence[EntryRow]) -> None:
    """One transaction of rows that are ready, and nothing else."""
    connection.execute("BEGIN IMMEDIATE")
    if len(rows) == 1:
        connection.execute(INSERT_ENTRY, rows[0])
    else:
        connection.executemany(INSERT_ENTRY, rows)
    connection.execute("COMMIT")


def _open(folder: Path, anchor: type[Anchor], elsewhere: Path | None = None) -> Writer:
    place = elsewhere or folder / "anchor"
    place.mkdir(parents=True)
    return Writer.open(
        folder / "store",
        anchor(place),
        clocks=system_clocks(),
        identity=Identity("bench", "bench", "bench"),
    )


class Appending:
    """The journal's writer, with the anchor given; its folder is beside the store or `elsewhere`."""

    def __init__(
        self,
        folder: Path,
        batches: Batches,
        anchor: type[Anchor] = Anchor,
        elsewhere: Path | None = None,
    ) -> None:
        self.writer = _open(folder, anchor, elsewhere)
        self._batches = batches
        self._anchoring = Anchoring(self.writer.anchor, broke=_nothing)

    def commit(self, start: int, stop: int) -> None:
        """Write the batches from `start` up to `stop`; when this returns, all may be told."""
        for items in self._batches[start:stop]:
            batch = self.writer.draw_up(items)
            self.writer.commit(batch)
            self._anchoring.put(batch, _nothing)
        self._anchoring.settle()

    def close(self) -> None:
        """End both threads' work."""
        self._anchoring.close()
        self.writer.close()


class Unanchored(Appending):
    """The journal's writer without the anchor's flush."""

    def __init__(self, folder: Path, batches: Batches) -> None:
        super().__init__(folder, batches, NoAnchor)

    def commit(self, start: int, stop: int) -> None:
        """Write the batches from `start` up to `stop`."""
        for items in self._batches[start:stop]:
            self.writer.commit(self.writer.draw_up(items))


class Bare:
    """Rows of the same bytes, made before the clock starts, over a connection of the same settings."""

    def __init__(self, folder: Path, batches: Batches) -> None:
        self.writer = _open(folder, NoAnchor)
        self._rows = [self.writer.draw_up(batch).entry_rows for batch in batches]

    def commit(self, start: int, stop: int) -> None:
        """Write the batches from `start` up to `stop`."""
        for rows in self._rows[start:stop]:
            write_plainly(self.writer.connection, rows)

    def close(self) -> None:
        """Close the file."""
        self.writer.close()


Contestants = Mapping[str, Callable[[Path, Batches], Appending | Bare]]

CONTESTANTS: Contestants = {
    "bare": Bare,
    "journal": Unanchored,
    "journal+anchor": Appending,
}


def _nothing() -> None:
    """Nobody waits to be told."""


def _profile(folder: Path) -> None:
    for size, commits in COMMITS.items():
        with tempfile.TemporaryDirectory(prefix="bench-journal-", dir=folder) as place:
            writer = _open(Path(place), Anchor)
            batches = _batches(size, commits)
            profile = cProfile.Profile()
            profile.enable()
            for items in batches:
                batch = writer.draw_up(items)
                writer.commit(batch)
                writer.anchor([batch])
            profile.disable()
            writer.close()
        print(f"batch {size}, {commits} commits")
        pstats.Stats(profile).sort_stats("tottime").print_stats(14)
