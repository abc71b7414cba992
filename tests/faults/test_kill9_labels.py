# SPDX-License-Identifier: Apache-2.0
"""A process that takes numbers for labels is killed with SIGKILL again and again: none is told twice.

A kill leaves the page cache, so this proves the order of writing and telling, not that the medium keeps a
flush; that each write is flushed first is proved in tests/edge/test_sscc.py.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from edge.sscc import SsccCounter
from tests.faults.killed import said_until_killed
from tests.faults.label_taker import NUMBERS

ROUNDS = 15
ROUNDS_LONG = 300
ROUNDS_CAUGHT_WITHIN = 30
LIFE_S_MAX = 0.1


def live_and_die(folder: Path, kind: str, chance: random.Random) -> list[str]:
    """What one process told before it was killed at a random moment; at least one number."""
    words = (str(folder / "store"), str(folder / "anchor"), kind)
    lines = said_until_killed("tests.faults.label_taker", *words, life_s=chance.random() * LIFE_S_MAX)
    return [line.decode().strip() for line in lines if line.endswith(b"\n")]


def lives(folder: Path, kind: str, rounds: int) -> list[str]:
    """All that the processes told, until a number is told twice or all rounds are over."""
    for name in ("store", "anchor"):
        (folder / name).mkdir()
    SsccCounter(folder / "store", folder / "anchor", NUMBERS).begin()
    chance, told = random.Random(7), []
    for _ in range(rounds):
        told += live_and_die(folder, kind, chance)
        if len(told) > len(set(told)):
            break
    return told


@pytest.mark.parametrize(
    "rounds", [ROUNDS, pytest.param(ROUNDS_LONG, marks=pytest.mark.long)], ids=["short", "long"]
)
def test_no_number_is_told_twice_through_kills(tmp_path: Path, rounds: int) -> None:
    told = lives(tmp_path, "honest", rounds)
    assert len(told) >= rounds
    assert len(told) == len(set(told))
    print(f"{rounds} processes killed, {len(told)} numbers told, each once")


def test_a_counter_that_tells_before_it_writes_is_caught(tmp_path: Path) -> None:
    """The control."""
    told = lives(tmp_path, "early", ROUNDS_CAUGHT_WITHIN)
    assert len(told) > len(set(told))
