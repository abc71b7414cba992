# SPDX-License-Identifier: Apache-2.0
"""Playing schedules: one from its seed, many one after the other, and the report of both."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from zonegate.simulation.finding import Finding
from zonegate.simulation.invariants import after_step, at_end
from zonegate.simulation.people import grants_again, heal
from zonegate.simulation.profiles import PROFILES, choose
from zonegate.simulation.world import World

STEPS_MIN, STEPS_MAX = 60, 150
"""Steps of one schedule before everything is mended."""

KINDS = ("overdraws", "lost", "duplicated", "unnoticed_forks", "unnoticed_rollbacks", "unrestrained", "stuck")
FAILURES_MAX = 100
"""Failures that a report names one by one."""


@dataclass(slots=True)
class Played:
    """One schedule: what happened, and what did not hold."""

    seed: int
    profile: str
    faults: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    excused: Counter[str] = field(default_factory=Counter)


def play(seed: int, profile: str | None = None) -> Played:
    """One schedule. It ends at the first finding."""
    names = list(PROFILES)
    name = profile or names[seed % len(names)]
    world = World(seed)
    played = Played(seed, name, trace=world.trace)
    try:
        _steps(world, played, name)
        if not played.findings:
            _end(world, played)
    except Exception as error:
        error.add_note(f"in schedule {seed} ({name})")
        raise
    played.excused.update(excuse.kind for excuse in world.floor.excuses)
    return played


def _steps(world: World, played: Played, profile: str) -> None:
    for _ in range(world.chance.random.randint(STEPS_MIN, STEPS_MAX)):
        step, kind = choose(world, profile)
        if kind.act(world) and kind.fault:
            played.faults[step] += 1
        played.findings += after_step(world)
        if played.findings:
            return


def _end(world: World, played: Played) -> None:
    trouble = heal(world)
    played.findings += after_step(world)
    if trouble is None and not played.findings:
        played.findings += at_end(world)
        trouble = grants_again(world)
        played.findings += after_step(world)
        if trouble is None:
            played.findings += at_end(world)
    if trouble is not None:
        played.findings.append(Finding("L1", "stuck", trouble))


@dataclass(slots=True)
class Report:
    """What many schedules showed."""

    schedules: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)
    failures: list[dict[str, object]] = field(default_factory=list)

    def add(self, played: Played) -> None:
        """Take in one schedule."""
        self.schedules += 1
        self.faults.update(played.faults)
        self.excused.update(played.excused)
        self.kinds.update({finding.kind for finding in played.findings})
        for finding in played.findings[:1]:
            if len(self.failures) < FAILURES_MAX:
                self.failures.append(
                    {"seed": played.seed, "invariant": finding.invariant, "sentence": finding.sentence}
                )

    def as_json(self) -> dict[str, object]:
        """The report as it is printed."""
        return {
            "schedules": self.schedules,
            "faults": dict(sorted(self.faults.items())),
            **{kind: self.kinds[kind] for kind in KINDS},
            "excused": dict(sorted(self.excused.items())),
            "failures": self.failures,
        }


def play_all(
    seeds: Iterable[int],
    progress: Callable[[Report], None] | None = None,
    jobs: int = 1,
    profile: str | None = None,
) -> Report:
    """Many schedules, in so many processes; with more than one, nothing that was patched here holds there.
    Without `profile` each seed has its own.
    """
    play_one = partial(play, profile=profile)
    if jobs == 1:
        return _report(map(play_one, seeds), progress)
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        return _report(pool.imap(play_one, seeds, chunksize=8), progress)


def _report(all_played: Iterable[Played], progress: Callable[[Report], None] | None) -> Report:
    report = Report()
    for played in all_played:
        report.add(played)
        if progress is not None:
            progress(report)
    return report
