# SPDX-License-Identifier: Apache-2.0
"""The record holds under every fault, and the harness that says so finds what breaks it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from zonegate.cli import main
from zonegate.simulation.bugs import BUGS, planted
from zonegate.simulation.run import play, play_all

PINNED = {
    "tell before commit": (1, 3, 10),
    "anchor after tell": (309,),
    "no anchor check": (4, 9, 17),
    "no head check": (0, 2, 9),
    "child inherits lease": (1, 2, 3),
    "no Adopt": (0, 14, 15),
    "adopt twice": (74, 146, 174),
    "no roll call": (39, 46, 62),
    "roll over known epochs only": (23, 46, 62),
    "gaps ignored": (4, 22, 29),
    "close without count": (4, 5, 6),
    "close on Begin": (57, 120, 124),
    "center keeps its epoch after restore": (3, 11, 14),
    "grant taken twice": (11, 15, 20),
    "entries ingested twice": (1, 17, 19),
    "fork swallowed": (0, 2, 14),
    "gap swallowed": (3, 11, 15),
    "filing computed live": (1, 2, 5),
    "prune on stored": (3, 11, 23),
    "grant used unconfirmed": (0, 1, 3),
    "used quantity given back": (1, 2, 12),
    "adopted return counted": (40, 72),
    "count pooled per node": (21, 38, 46),
    "rotated key trusted without its entry": (3, 6, 9),
    "what the center has never doubted": (15, 32632),
    "older logs not asked after": (2956, 8980, 37936),
    "proven end not held against a log": (10426,),
    "recall frees at once": (0, 1, 2),
    "cursor kept after center restore": (11, 20, 23),
    "close not read": (18,),
    "center's own head not checked": (20, 40, 84),
    "closed although unread": (58, 586, 622),
}
"""Schedules in which each bug shows; some show in fewer than one of a hundred."""

SUSPENSIONS = "suspensions"
PINNED_APART = {
    "suspension forgotten with the center's log": (1, 5, 9),
    "one end ends all": (218,),
    "suspension told to some docks only": (5, 14, 15),
    "doors go on in a suspended zone": (0, 6, 15),
}
"""The same of the profile that suspends the zone and holds goods."""

BY_HISTORY = {
    "what logs tell of the center's own not read",
    "first meetings believed of a center that was rolled back",
    "one witness of a center that was rolled back is enough",
    "a node let in while the roll is lost taken for new",
}
"""Found in one history each, in test_rolled_back_center.py."""

SEEDS = sorted({seed for seeds in PINNED.values() for seed in seeds})
PARTS_LONG = 20
"""A thousand schedules each: a test that takes ten minutes counts as one that hangs."""
COUNTS = (
    "overdraws",
    "lost",
    "duplicated",
    "unnoticed_forks",
    "unnoticed_rollbacks",
    "unrestrained",
    "stuck",
)


def test_fresh_schedules_hold_every_invariant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "docks", "--schedules", "100", "--seed", "0", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["schedules"] == 100
    assert report["failures"] == []
    assert [report[name] for name in COUNTS] == [0] * len(COUNTS)
    faults = sum(report["faults"].values())
    assert faults > 1000
    print(f"100 schedules, {faults} faults of {len(report['faults'])} kinds, no finding")


@pytest.mark.parametrize("name", sorted(PINNED | PINNED_APART))
def test_a_planted_bug_is_found(name: str) -> None:
    apart = name in PINNED_APART
    with planted(name):
        found = [
            play(seed, SUSPENSIONS if apart else None).findings for seed in {**PINNED, **PINNED_APART}[name]
        ]
    assert any(found)
    assert not apart or {finding.invariant for findings in found for finding in findings} == {"R"}


def test_every_planted_bug_is_pinned() -> None:
    assert set(BUGS) == PINNED.keys() | PINNED_APART.keys() | BY_HISTORY


def test_without_a_bug_the_same_schedules_are_clean() -> None:
    assert play_all(SEEDS).failures == []


def test_what_a_person_suspended_no_restore_opens_again(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["simulate", "docks", "--schedules", "40", "--profile", SUSPENSIONS, "--json"]
    assert main(asked) == 0
    report = json.loads(capsys.readouterr().out)
    restored = sum(report["faults"][name] for name in ("center restored", "center restored, anchor lost"))
    assert restored > 20
    print(f"40 schedules with suspensions and holds, the center restored {restored} times, no finding")


def test_a_center_that_forgets_again_and_again_loses_nothing_unnoticed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = ["simulate", "docks", "--schedules", "40", "--profile", "forgetful center", "--json"]
    assert main(asked) == 0
    report = json.loads(capsys.readouterr().out)
    rolled_back = report["faults"]["center rolled back"]
    assert rolled_back > 20
    print(f"40 schedules, the center rolled back as a whole {rolled_back} times, no finding")


def test_a_failure_ends_the_command_with_its_seed(capsys: pytest.CaptureFixture[str]) -> None:
    seed = PINNED["recall frees at once"][0]
    asked = ["simulate", "docks", "--schedules", "1", "--seed", str(seed), "--bug", "recall frees at once"]
    assert main([*asked, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [failure["seed"] for failure in report["failures"]] == [seed]
    assert sum(report[name] for name in COUNTS) > 0


def test_a_schedule_is_the_same_in_every_process() -> None:
    """Names are hashed anew in each process: the order of a set must decide nothing."""
    code = "from zonegate.simulation.run import play; print('\\n'.join(play(7).trace))"
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": str(number)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for number in (1, 2, 3)
    }
    assert len(told) == 1
    assert told.pop().count("\n") > 60


def test_processes_change_nothing_of_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["simulate", "docks", "--schedules", "24", "--seed", "40", "--json"]
    told = []
    for jobs in ("1", "2"):
        assert main([*asked, "--jobs", jobs]) == 0
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]
    assert main([*asked, "--jobs", "0"]) == 2
    assert main([*asked, "--jobs", "2", "--bug", BUGS[0]]) == 2
    assert "expected 1 or more, and 1 with --bug" in capsys.readouterr().err


def test_a_schedule_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "docks", "--trace", "3"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("schedule 3, profile ")
    assert len(told) > 60


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS_LONG))
def test_twenty_thousand_schedules_hold_every_invariant(part: int) -> None:
    first = 100_000 + part * 1000
    report = play_all(range(first, first + 1000), jobs=os.cpu_count() or 1)
    assert report.failures == []
    print(
        f"{report.schedules} schedules from {first} on, {report.faults.total()} faults, none shows a finding"
    )
