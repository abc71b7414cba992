# SPDX-License-Identifier: Apache-2.0
"""Two ways to do the same, timed in turns on the same inputs."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Contest:
    """`ours` against `theirs` on each of `inputs`; `goal` is how many times faster ours must be, if any."""

    name: str
    goal: float | None
    ours: Callable[[Any], object]
    theirs: Callable[[Any], object]
    inputs: Sequence[Any]


@dataclass(frozen=True)
class Outcome:
    """Median microseconds of processor time an input, and the median of the rounds' ratios."""

    contest: Contest
    ours_us: float
    theirs_us: float
    ratio: float

    @property
    def met(self) -> bool:
        """Whether the goal, when there is one, was reached."""
        return self.contest.goal is None or self.ratio >= self.contest.goal


def run(contest: Contest, rounds: int) -> Outcome:
    """Time both in turns; a ratio is taken within a round, so that a slow moment hits both alike.

    Processor time, since other work of the machine is not what is measured.
    """
    for way in (contest.ours, contest.theirs):
        _time_us(way, contest.inputs)
    timed = [
        (_time_us(contest.ours, contest.inputs), _time_us(contest.theirs, contest.inputs))
        for _ in range(rounds)
    ]
    return Outcome(
        contest,
        statistics.median(ours for ours, _ in timed),
        statistics.median(theirs for _, theirs in timed),
        statistics.median(theirs / ours for ours, theirs in timed),
    )


def _time_us(way: Callable[[Any], object], inputs: Sequence[Any]) -> float:
    gc.collect()
    gc.disable()
    began = time.process_time_ns()
    for each in inputs:
        way(each)
    spent = time.process_time_ns() - began
    gc.enable()
    return spent / len(inputs) / 1000
