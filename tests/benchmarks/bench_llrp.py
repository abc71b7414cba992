# SPDX-License-Identifier: Apache-2.0
"""Tag reports decoded by us, by sllurp and by llrpkit: bytes to values, every value added up by each.

sllurp runs as a program of its own in an environment of its own, which is made on demand under var/ and
belongs to no requirement of this project. Where it cannot be had the bench says so and its goals count as
not met.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from drivers.llrp.reports import ReportDecoder
from tests.benchmarks.llrp_reports import columns_sum, llrpkit_sum, reads_sum, reports
from tests.source import ROOT

SLLURP = "sllurp==3.0.5"
READS_TO_SLLURP, READS_TO_LLRPKIT, COLUMNS_TO_SLLURP = 4.0, 10.0, 10.0
_TAGS = 2000

Peer = Callable[[], tuple[float, int]]


@dataclass(frozen=True)
class Outcome:
    """Median microseconds of processor time a tag, and the goals: (name, ratio or None, goal or None)."""

    name: str
    spent_us: dict[str, float]
    ratios: tuple[tuple[str, float | None, float | None], ...]

    @property
    def met(self) -> bool:
        """Whether each goal was measured and reached."""
        return all(goal is None or (ratio is not None and ratio >= goal) for _, ratio, goal in self.ratios)


def main(argv: Sequence[str]) -> int:
    """Measure and print; 0 when every goal was reached, else 1."""
    parser = argparse.ArgumentParser(
        prog="bench llrp", description="Tag reports decoded by us and by others."
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=15, help="rounds (default 15)")
    options = parser.parse_args(argv)
    python, missing = _sllurp()
    outcomes = [
        _measure(impinj, tags, python, options.rounds) for impinj in (False, True) for tags in (1, 50, 200)
    ]
    if options.json:
        rows = [{"name": each.name, "us": each.spent_us, "ratios": each.ratios} for each in outcomes]
        print(json.dumps({"rows": rows, "sllurp": missing or SLLURP}))
    else:
        _print(outcomes, missing, options.rounds)
    return 0 if all(outcome.met for outcome in outcomes) else 1


def _measure(impinj: bool, tags: int, python: Path | None, rounds: int) -> Outcome:
    """All in turns; a ratio is taken within a round, so that a slow moment hits all alike."""
    frames = reports(Random(2026), impinj=impinj, frames=_TAGS // tags, tags=tags)
    decoder = ReportDecoder("reader")
    ways: dict[str, Peer] = {
        "reads": lambda: _timed(lambda: reads_sum(decoder, frames)),
        "columns": lambda: _timed(lambda: columns_sum(decoder, frames)),
        "llrpkit": lambda: _timed(lambda: llrpkit_sum(frames)),
    }
    with _started(python, frames) as sllurp:
        if sllurp is not None:
            ways["sllurp"] = sllurp
        spent: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(rounds + 1):
            sums = set()
            for name, way in ways.items():
                us, total = way()
                sums.add(total)
                if turn:
                    spent[name].append(us / _TAGS)
            if len(sums) != 1:
                raise AssertionError(f"not all found the same values: {sums}")
    goals = tags > 1
    return Outcome(
        f"{'Impinj' if impinj else 'plain'}, {tags} tags a report",
        {name: statistics.median(times) for name, times in spent.items()},
        (
            ("reads/sllurp", _ratio(spent, "reads", "sllurp"), READS_TO_SLLURP if goals else None),
            ("reads/llrpkit", _ratio(spent, "reads", "llrpkit"), READS_TO_LLRPKIT if goals else None),
            ("columns/sllurp", _ratio(spent, "columns", "sllurp"), COLUMNS_TO_SLLURP if goals else None),
        ),
    )


def _ratio(spent: dict[str, list[float]], ours: str, theirs: str) -> float | None:
    if theirs not in spent:
        return None
    return statistics.median(b / a for a, b in zip(spent[ours], spent[theirs], strict=True))


def _timed(way: Callable[[], int]) -> tuple[float, int]:
    gc.collect()
    gc.disable()
    began = time.process_time_ns()
    total = way()
    spent = time.process_time_ns() - began
    gc.enable()
    return spent / 1000, total


def _sllurp() -> tuple[Path | None, str]:
    """The Python that has sllurp, made now if need be; or why there is none."""
    folder = ROOT / "var" / "bench" / "sllurp"
    python = folder / "bin" / "python"
    if python.exists() and not _run(python, "-c", "import sllurp.llrp"):
        return python, ""
    print(f"fetching {SLLURP} into an environment of its own", file=sys.stderr)
    try:
        venv.create(folder, with_pip=True, clear=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return None, f"no environment could be made: {error}"
    problem = _run(python, "-m", "pip", "install", "-q", SLLURP) or _run(python, "-c", "import sllurp.llrp")
    return (None, problem) if problem else (python, "")


def _run(python: Path, *arguments: str) -> str:
    """What went wrong, empty if nothing did."""
    done = subprocess.run([python, *arguments], capture_output=True, text=True, check=False, timeout=300)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it failed"])[-1]


@contextmanager
def _started(python: Path | None, frames: list[bytes]) -> Iterator[Peer | None]:
    if python is None:
        yield None
        return
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames))
        file.flush()
        program = Path(__file__).with_name("sllurp_peer.py")
        with subprocess.Popen(
            [python, program, file.name, "sllurp.llrp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            yield lambda: _asked(child)
            child.stdin.close()


def _asked(child: subprocess.Popen[str]) -> tuple[float, int]:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("again\n")
    child.stdin.flush()
    answer = json.loads(child.stdout.readline())
    return float(answer["us"]), int(answer["sum"])


def _print(outcomes: list[Outcome], missing: str, rounds: int) -> None:
    print(f"microseconds of processor time a tag, medians of {rounds} rounds of {_TAGS} tags; all sums agree")
    for outcome in outcomes:
        print(outcome.name)
        print("    " + ", ".join(f"{name} {us:.2f}" for name, us in outcome.spent_us.items()))
        for name, ratio, goal in outcome.ratios:
            said = "not measured" if ratio is None else f"{ratio:.1f}x"
            print(f"    {name:16} {said:>12}  {f'goal {goal:g}x' if goal else 'no goal'}")
    if missing:
        print(f"sllurp could not be installed, so that nothing was compared with it: {missing}")
