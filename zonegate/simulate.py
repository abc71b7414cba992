# SPDX-License-Identifier: Apache-2.0
"""`zonegate simulate`: play worlds of docks and a center through every fault, and check the record; or a yard
with RFID gates, and check the gate (`zonegate.simulate_gate`).

The classes that run at docks and center run here too, with stores, clocks and chance in memory. Every
schedule follows from its seed, so a failure can be played again and read.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Sequence

from zonegate.simulation.run import Played, Report, play, play_all

PROGRESS_S = 5.0
"""How often progress is told."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `zonegate simulate`."""
    from zonegate.simulate_gate import add_arguments as gate_arguments
    from zonegate.simulation.bugs import BUGS
    from zonegate.simulation.profiles import APART, PROFILES

    parser.add_argument(
        "world",
        choices=["docks", "gate"],
        help="docks: three nodes, a center, copies of both; gate: RFID gates and a yard that is driven",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="seed of the first (default 0)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="in so many processes (default 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    docks = parser.add_argument_group("docks")
    docks.add_argument("--schedules", type=int, default=100, metavar="N", help="how many (default 100)")
    docks.add_argument("--bug", choices=sorted(BUGS), metavar="NAME", help="plant a bug: it must be found")
    docks.add_argument(
        "--profile", choices=sorted({*PROFILES, *APART}), metavar="NAME", help="play this one for every seed"
    )
    docks.add_argument("--trace", type=int, metavar="SEED", help="tell one schedule, step by step")
    gate_arguments(parser.add_argument_group("gate"))


def run(args: argparse.Namespace) -> int:
    """0 when every invariant held and every goal was met, 1 with any failure."""
    if args.jobs < 1 or (args.bug and args.jobs > 1):
        print(f"--jobs {args.jobs}: expected 1 or more, and 1 with --bug", file=sys.stderr)
        return 2
    if args.world == "gate":
        from zonegate.simulate_gate import run as run_gate

        return run_gate(args)
    return _docks(args)


def _docks(args: argparse.Namespace) -> int:
    from zonegate.simulation.bugs import planted

    with planted(args.bug) if args.bug else contextlib.nullcontext():
        if args.trace is not None:
            return _trace(play(args.trace, args.profile))
        seeds = range(args.seed, args.seed + args.schedules)
        report = play_all(seeds, _Progress(args.schedules), args.jobs, args.profile)
    _print(report, as_json=args.json)
    return 1 if report.failures else 0


class _Progress:
    """Tells on standard error how far it is."""

    def __init__(self, schedules: int) -> None:
        self._schedules = schedules
        self._began = self._told = time.monotonic()

    def __call__(self, report: Report) -> None:
        now = time.monotonic()
        if now - self._told >= PROGRESS_S:
            self._told = now
            pace = report.schedules / (now - self._began)
            print(
                f"{report.schedules} of {self._schedules} schedules, {pace:.1f} a second, "
                f"{len(report.failures)} failures",
                file=sys.stderr,
            )


def _trace(played: Played) -> int:
    lines: Sequence[str] = played.trace
    print(f"schedule {played.seed}, profile {played.profile}")
    for number, sentence in enumerate(lines, start=1):
        print(f"{number:4} {sentence}")
    for finding in played.findings:
        print(f"{finding.invariant} does not hold: {finding.sentence}")
    return 1 if played.findings else 0


def _print(report: Report, *, as_json: bool) -> None:
    figures = report.as_json()
    if as_json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        if name == "failures":
            continue
        print(f"{name}: {value}" if isinstance(value, int) else f"{name}:")
        if isinstance(value, dict):
            for kind, times in value.items():
                print(f"    {kind}: {times}")
    for failure in report.failures:
        print(f"seed {failure['seed']}: {failure['invariant']}: {failure['sentence']}")
