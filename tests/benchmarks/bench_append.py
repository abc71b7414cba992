# SPDX-License-Identifier: Apache-2.0
"""Journal append with chain, anchor and signed head against bare sqlite3: anchor on one disk, and on others.

The contestants are those of `bench journal`: bare sqlite3 writes rows of the same bytes into the same
tables with the same settings and flushes. The anchor's folder is beside the store, and in each folder that
`--other` names; without one the shared memory stands in for another disk, whose flush costs nothing.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from tests.benchmarks.bench_journal import Appending, Bare, Batches, race, table

GOAL: Final = 0.6
GOAL_BATCHES: Final = (10, 100)

_MEMORY: Final = Path("/dev/shm")
"""The one place off the disk that every Linux has."""


def main(argv: Sequence[str]) -> int:
    """Measure and print; 0 when the goal holds with every anchor, else 1."""
    parser = argparse.ArgumentParser(prog="bench append", description="Anchored append against bare sqlite3.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each size (default 9)")
    parser.add_argument("--folder", type=Path, default=Path("var"), help="where the journals are; no tmpfs")
    parser.add_argument(
        "--other",
        type=Path,
        action="append",
        help=f"a folder on another disk (default {_MEMORY})",
    )
    options = parser.parse_args(argv)
    options.folder.mkdir(parents=True, exist_ok=True)
    result = measure(options.folder, options.other or [_MEMORY], options.rounds)
    print(json.dumps(result) if options.json else _table(result))
    return 0 if result["goal_met"] else 1


def measure(folder: Path, others: Sequence[Path], rounds: int) -> dict[str, Any]:
    """Entries a second and ratios to bare sqlite3, by batch size and place of the anchor."""
    contestants: dict[str, Callable[[Path, Batches], Appending | Bare]] = {
        "bare": Bare,
        "same disk": Appending,
    }
    media = {"same disk": _medium(folder)}
    with ExitStack() as undo:
        for number, other in enumerate(others, start=1):
            place = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="bench-append-", dir=other)))
            contestants[f"other disk {number}"] = _anchored_in(place)
            media[f"other disk {number}"] = _medium(other)
        sizes = race(contestants, folder, rounds)
    met = all(
        sizes[size][name]["ratio"] >= GOAL for size in GOAL_BATCHES for name in contestants if name != "bare"
    )
    return {
        "bench": "append",
        "rounds": rounds,
        "goal": GOAL,
        "goal_met": met,
        "anchor_media": media,
        "batch": sizes,
    }


def _anchored_in(place: Path) -> Callable[[Path, Batches], Appending]:
    return lambda folder, batches: Appending(folder, batches, elsewhere=place / uuid4().hex)


def _medium(folder: Path) -> str:
    """The device and file system that a folder is on, as the kernel mounts them."""
    best, found = Path(), "unknown"
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        device, point, kind = line.split()[:3]
        if folder.resolve().is_relative_to(point) and len(Path(point).parts) >= len(best.parts):
            best, found = Path(point), f"{kind} on {device}"
    return found


def _table(result: dict[str, Any]) -> str:
    lines = [f"anchor on {name}: {medium}" for name, medium in result["anchor_media"].items()]
    verdict = "holds" if result["goal_met"] else "MISSED"
    batches = " and ".join(map(str, GOAL_BATCHES))
    goal = f"goal: at least {GOAL} of bare at batches {batches}, with each anchor: {verdict}"
    return "\n".join([*lines, *table(result["batch"]), goal])
