# SPDX-License-Identifier: Apache-2.0
"""The record holds under every fault, and the harness that says so finds what breaks it."""

from __future__ import annotations

import json

import pytest

from zonegate.cli import main
from zonegate.simulation.run import play


def test_schedules_hold_every_invariant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "docks", "--schedules", "20", "--seed", "0", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["schedules"] == 20
    assert report["failures"] == []
    counts = ("overdraws", "lost", "duplicated", "unnoticed_forks", "unnoticed_rollbacks", "stuck")
    assert [report[name] for name in counts] == [0] * len(counts)
    assert sum(report["faults"].values()) > 20


def test_a_schedule_is_the_same_each_time() -> None:
    assert play(7).trace == play(7).trace


def test_a_schedule_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "docks", "--trace", "3"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("schedule 3, profile ")
    assert len(told) > 60
