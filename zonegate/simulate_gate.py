# SPDX-License-Identifier: Apache-2.0
"""`zonegate simulate gate`: drive pallets through RFID gates in a yard of physics, and grade what the gate
said.

Every figure is simulated and says so. What the model leaves out stands in docs/decisions/gate.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from zonegate.yard_gate import Plan, Played

LAYOUTS: Final = ("two", "four", "plain")
TRAFFIC: Final = ("dock", "hard")
PLANTED: Final = ("guess", "flip", "parked", "deaf")
PROGRESS_S: Final = 10.0


def add_arguments(group: Any) -> None:
    """The options that only the gate has."""
    group.add_argument(
        "--crossings", type=int, default=100, metavar="N", help="at least so many (default 100)"
    )
    group.add_argument(
        "--eyes",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="with photo eyes (default without)",
    )
    group.add_argument("--layout", choices=LAYOUTS, default="two", help="antennas of each door (default two)")
    group.add_argument(
        "--traffic",
        choices=TRAFFIC,
        default="dock",
        help="a dock's mix of what is driven, or one in which what is hard to judge is common (default dock)",
    )
    group.add_argument("--planted", choices=PLANTED, metavar="NAME", help="a gate that must fail the grader")
    group.add_argument("--dump", metavar="PALLET", help="print all that was read of one pallet, as JSON")
    group.add_argument("--keep", type=Path, metavar="FOLDER", help="keep truth and decisions there")
    group.add_argument(
        "--findings", type=int, default=40, metavar="N", help="tell at most so many (default 40)"
    )


def run(args: argparse.Namespace) -> int:
    """0 when every goal was met, 1 when one was missed."""
    if args.crossings < 1:
        print(f"--crossings {args.crossings}: expected 1 or more", file=sys.stderr)
        return 2
    if args.dump:
        return _dump(args)
    from zonegate.yard_gate import Plan, grade

    planted = (args.planted,) if args.planted else ()
    plans = [
        Plan(
            seed=args.seed,
            crossings=args.crossings,
            layout=args.layout,
            eyes=args.eyes,
            planted=planted,
            first=part,
            every=args.jobs,
            traffic=args.traffic,
        )
        for part in range(args.jobs)
    ]
    began = time.monotonic()
    with TemporaryDirectory(prefix="zonegate-gate-") as scratch:
        folder = args.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        parts = _play_all(plans, folder)
        code, figures = grade(parts, eyes=args.eyes, planted=args.planted or "", findings=args.findings)
    figures |= {
        "seed": args.seed,
        "layout": args.layout,
        "traffic": args.traffic,
        "reads": sum(part.reads for part in parts),
        "frames": sum(part.frames for part in parts),
    }
    if args.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name}: {value}")
        print(f"took {time.monotonic() - began:.0f} s", file=sys.stderr)
    return code


class _Progress:
    """Tells on standard error how far it is."""

    def __init__(self, plan: Plan) -> None:
        part = f" of part {plan.first + 1}, 1 of {plan.every}" if plan.every > 1 else ""
        self._whole = f"of {plan.crossings} crossings{part}"
        self._told = time.monotonic()

    def __call__(self, played: Played) -> None:
        now = time.monotonic()
        if now - self._told >= PROGRESS_S:
            self._told = now
            print(
                f"{played.crossings} {self._whole}, {played.reads} reads, {played.passages} passages",
                file=sys.stderr,
            )


def _play_all(plans: list[Plan], folder: Path) -> list[Played]:
    if len(plans) == 1:
        return [_play(plans[0], folder)]
    with ProcessPoolExecutor(len(plans), mp_context=get_context("spawn")) as pool:
        return list(pool.map(_play, plans, [folder] * len(plans)))


def _play(plan: Plan, folder: Path) -> Played:
    """One part, with its progress told by whichever process plays it."""
    from zonegate.yard_gate import play

    return play(plan, folder, _Progress(plan))


def _dump(args: argparse.Namespace) -> int:
    words = [sys.executable, "-m", "simulators.yard.radio", "--seed", str(args.seed), "--dump", args.dump]
    words += ["--crossings", str(args.crossings), "--layout", args.layout, "--traffic", args.traffic]
    words += ["--eyes"] if args.eyes else []
    return subprocess.run(words, check=False).returncode  # noqa: S603 - every argument is built here
