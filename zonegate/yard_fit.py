# SPDX-License-Identifier: Apache-2.0
"""The weights of the gate's second opinion (`edge.gate.opinion`), fitted to yards that are driven for it.

Every label that the gate would tell and every group of cases without one, of which a load was seen, is asked
for what the opinion weighs, and held against the truth; the weights are those of a logistic regression with a
ridge. Seeds that were fitted to are tuning seeds, and are not graded (docs/decisions/gate.md).

    python -m zonegate.yard_fit --layout four --seeds 4031 4033 4034
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from edge.evidence import Evidence, decode
from edge.gate.claims import UNITS
from edge.gate.eyes import see
from edge.gate.grouping import groups_of
from edge.gate.hearing import Heard, hear
from edge.gate.judging import sorted_tags
from edge.gate.opinion import Scene, cases_told, label_told
from zonegate.yard_gate import END, JOB, Plan, open_yard, records
from zonegate.yard_host import Host, layout_of

_RIDGE: Final = 10.0
_MAYBE: Final = 0.03
"""What is believed less is told as nothing."""
_BESIDE_US: Final = 1_000_000
"""A pallet is in the door's plane while its truck is before the eyes, or so long before or after."""
_STEPS: Final = 50


class Row(NamedTuple):
    """What is weighed, and whether it did cross."""

    told: tuple[float, ...]
    crossed: bool


class Truth:
    """Which tag crossed which door when and which way."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._pallets: dict[bytes, str] = {}
        self._ways: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for line in map(json.loads, lines):
            if line["kind"] == "pallet":
                self._pallets |= {bytes.fromhex(tag["epc"]): line["pallet"] for tag in line["tags"]}
            elif line["kind"] == "crossing":
                sense = 1 if line["direction"] == "out" else -1
                self._ways.setdefault((line["door"], line["pallet"]), []).append((line["at_us"], sense))

    def crossed(self, epc: bytes, door: str, sense: int, span: tuple[int, int]) -> bool:
        """Whether a tag's pallet crossed that way while a body was before the eyes."""
        ways = self._ways.get((door, self._pallets.get(epc, "")), ())
        return any(
            way == sense and span[0] - _BESIDE_US <= at_us <= span[1] + _BESIDE_US for at_us, way in ways
        )


def rows_of(evidence: Evidence, truth: Truth) -> Iterator[tuple[bool, Row]]:
    """What one passage's evidence adds: True with a label's row, False with that of a group of cases."""
    hearing, sight = hear(evidence), see(evidence)
    if not (sight.pair and sight.height):
        return
    groups, own = groups_of(sorted_tags(hearing)[0], [], hearing, sight)
    for group in groups:
        if group.back or group.belief < _MAYBE:
            continue
        scene = Scene(group, own, hearing, sight.bodies)
        labels = [tag for tag in group.moved() if tag.epc[0] in UNITS]
        for label in labels:
            told = label_told(label, scene)
            if told is not None:
                yield True, Row(told, _crossed(label, scene, evidence.door, truth))
        told = cases_told(scene) if not labels else None
        if told is not None:
            said = [_crossed(tag, scene, evidence.door, truth) for tag in group.moved()]
            yield False, Row(told, 2 * sum(said) > len(said))


def _crossed(tag: Heard, scene: Scene, door: str, truth: Truth) -> bool:
    mine = scene.own.get(tag.epc)
    if mine is None or mine.body is None:
        return False
    body = scene.bodies[mine.body]
    return truth.crossed(tag.epc, door, scene.group.sense, (body.begun_us, body.ended_us))


def fit(rows: Sequence[Row], ridge: float = _RIDGE) -> list[float]:
    """The weights, the first of which goes with a 1: the logistic regression's, by Newton's method, with a
    ridge on all but the first, after each column was brought to a deviation of 1.
    """
    told = np.array([row.told for row in rows], dtype=np.float64)
    crossed = np.array([row.crossed for row in rows], dtype=np.float64)
    middle, wide = told.mean(axis=0), told.std(axis=0) + 1e-6
    middle[0], wide[0] = 0.0, 1.0
    scaled = (told - middle) / wide
    penalty = np.full(scaled.shape[1], ridge)
    penalty[0] = 0.0
    weights = np.zeros(scaled.shape[1])
    for _ in range(_STEPS):
        sure = 1.0 / (1.0 + np.exp(-np.clip(scaled @ weights, -30.0, 30.0)))
        slope = scaled.T @ (sure - crossed) + penalty * weights
        bend = (scaled * (sure * (1.0 - sure))[:, None]).T @ scaled + np.diag(penalty + 1e-9)
        step = np.linalg.solve(bend, slope)
        weights = weights - step
        if float(np.abs(step).max()) < 1e-6:
            break
    plain = weights / wide
    plain[0] -= float((plain[1:] * middle[1:]).sum())
    return [round(float(each), 3) for each in plain]


def drive(plan: Plan) -> tuple[list[bytes], Truth]:
    """Drive a yard through the gate: the evidence of its passages, and what was true."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "truth.jsonl"
        kept: dict[bytes, None] = {}
        with open_yard(plan, path) as yard:
            assert yard.stdout is not None
            header = json.loads(yard.stdout.readline())
            host = Host(layout_of(header), header["readers"])
            for at_us, kind, body in records(yard.stdout):
                closed = host.wait(at_us)
                if kind not in {JOB, END}:
                    closed += host.hear(kind, body, at_us)
                kept |= dict.fromkeys(each.evidence for each in closed)
        with path.open(encoding="utf-8") as lines:
            return list(kept), Truth(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Drive, ask and fit; the weights go to standard output."""
    options = _parser().parse_args(arguments)
    rows: dict[bool, list[Row]] = {True: [], False: []}
    for seed in options.seeds:
        kept, truth = drive(Plan(seed, options.crossings, options.layout, eyes=True, traffic=options.traffic))
        for each in kept:
            for label, row in rows_of(decode(each), truth):
                rows[label].append(row)
        print(f"{seed}: {len(rows[True])} labels, {len(rows[False])} groups of cases", file=sys.stderr)
    for name, some in (("LABEL", rows[True]), ("CASES", rows[False])):
        if len({row.crossed for row in some}) < 2:
            print(f"yard_fit: {len(some)} rows for {name}, all alike: drive more seeds", file=sys.stderr)
            return 1
        print(name, json.dumps(fit(some)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m zonegate.yard_fit", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", required=True, help="yards to drive")
    parser.add_argument("--crossings", type=int, default=500, help="of each, at least (default 500)")
    parser.add_argument("--layout", default="four", help="with a height eye (default four)")
    parser.add_argument("--traffic", default="dock", help="dock or hard (default dock)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
