# SPDX-License-Identifier: Apache-2.0
"""A process that appends is killed with SIGKILL again and again: whatever it told is in the store.

A kill leaves the page cache, so this proves the order of commit and telling and rule E, not that the
medium keeps a flush.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge.anchor import Anchor
from edge.store import JournalReader
from tests.edge.journals import Site
from tests.faults.killed import said_until_killed
from zonegate.verify import verify_store

ROUNDS = 20
ROUNDS_LONG = 500
ROUNDS_CAUGHT_WITHIN = 30
LIFE_S_MAX = 0.15


@dataclass
class Life:
    """What one process said before it was killed."""

    opened: str = ""
    asked: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


def live_and_die(site: Site, kind: str, chance: random.Random) -> Life:
    """Start the process, let it append for a random moment, kill it, and hear what it said."""
    # The moment of the kill is what is random here.
    life_s = chance.random() * LIFE_S_MAX
    words = (str(site.store), str(site.anchor), kind)
    opened, *lines = said_until_killed("tests.faults.appender", *words, life_s=life_s)
    life = Life(opened.decode().strip())
    for line in lines:
        word, _, entry_id = line.decode().strip().partition(" ")
        if line.endswith(b"\n"):
            (life.asked if word == "asked" else life.told).append(entry_id)
    return life


def lost(site: Site, told: list[str]) -> list[str]:
    """Entries that were told and are not in the store."""
    with JournalReader(site.store) as reader:
        return [entry_id for entry_id in told if reader.entry(entry_id) is None]


def killed_rounds(site: Site, rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    told: list[str] = []
    in_flight = 0
    for number in range(rounds):
        life = live_and_die(site, "honest", chance)
        assert life.opened == ("open begin" if number == 0 else "open go-on")
        told += life.told
        in_flight += len(life.asked) > len(life.told)
        assert lost(site, life.told) == []
        anchored = Anchor(site.anchor).read()
        with JournalReader(site.store) as reader:
            assert anchored is not None
            assert reader.hash_at(anchored.epoch, anchored.seq) == anchored.hash
    assert lost(site, told) == []
    assert len(told) == len(set(told))
    verified = verify_store(site.store)
    assert verified.finding is None
    assert verified.epochs == 1
    assert in_flight >= rounds * 0.3
    print(f"{rounds} kills, {in_flight} with an entry in flight, {len(told)} told, {verified.entries} stored")


def test_whatever_was_told_before_a_kill_is_in_the_store(tmp_path: Path) -> None:
    killed_rounds(Site.make(tmp_path), ROUNDS, seed=9)


@pytest.mark.long
def test_whatever_was_told_before_many_kills_is_in_the_store(tmp_path: Path) -> None:
    killed_rounds(Site.make(tmp_path), ROUNDS_LONG, seed=10)


def test_a_planted_journal_that_tells_before_it_commits_is_caught(tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    chance = random.Random(9)
    for _ in range(ROUNDS_CAUGHT_WITHIN):
        if lost(site, live_and_die(site, "early", chance).told):
            return
    pytest.fail(f"a journal that tells early survived {ROUNDS_CAUGHT_WITHIN} kills")
