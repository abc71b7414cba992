# SPDX-License-Identifier: Apache-2.0
"""The node is killed with SIGKILL again and again while pallets come as fast as the door takes them: whatever
its screen displayed as ACCEPTED is at the center, once. The control is a node that displays it too early."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.dockyard import FAST, Dockyard, Picture, dockyard, kill_now, pallets, papers
from zonegate.child import ChildError

pytestmark = pytest.mark.servers

ROUNDS = 40
ROUNDS_LONG = 100
PARTS_LONG = 10
"""A thousand rounds, in parts: a test that takes ten minutes counts as one that hangs."""

ROUNDS_OF_CONTROL = 2
AT_START_EVERY = 8
"""In each so many rounds the kill falls while the node still starts."""

PATIENCE_S = 0.1
"""A worker who sees nothing happen scans again."""

LIFE_S_MAX = 0.12
START_S = 0.9
SHARE_IN_FLIGHT_MIN = 0.3


class Worker:
    """Scans one pallet after another, and again what the screen does not answer."""

    def __init__(self, yard: Dockyard, labels: Iterator[bytes]) -> None:
        self._yard = yard
        self._labels = labels
        self.waits_for: str | None = None

    async def work(self) -> None:
        for label in self._labels:
            await self.take(label)

    async def take(self, label: bytes) -> None:
        screen, code = self._yard.screen, label.decode()
        self.waits_for = code
        before = len(screen.seen)
        while True:
            await self._yard.scanner.send(label + b"\r")
            if await screen.within(PATIENCE_S, lambda seen: any(shows(p, code) for p in seen), after=before):
                self.waits_for = None
                return


def shows(picture: Picture, code: str) -> bool:
    """Whether the worker sees that this load may pass."""
    assert picture.state not in ("HOLD", "STOP"), picture
    return picture.code == code and picture.state == "ACCEPTED"


async def kill_while_it_works(yard: Dockyard, worker: Worker, chance: random.Random) -> bool:
    """One life of the node; whether a scan was sent and not yet displayed when it was killed."""
    screen = yard.screen
    before = len(screen.seen)
    await yard.node.start()
    await screen.until(lambda seen: any(picture.state == "ACCEPTED" for picture in seen), after=before)
    await asyncio.sleep(chance.random() * LIFE_S_MAX)  # not a wait: the moment of the kill is what is random
    sent, before = worker.waits_for, len(screen.seen)
    await yard.node.kill()
    # What the kernel still held for the screen was displayed, and counts.
    late = await screen.until(lambda seen: any(picture.event == "lost" for picture in seen), after=before)
    return sent is not None and not any(shows(picture, sent) for picture in late)


async def kill_while_it_starts(yard: Dockyard, chance: random.Random) -> None:
    starting = asyncio.create_task(yard.node.start())
    await asyncio.sleep(chance.random() * START_S)  # as above
    if yard.node.running:
        kill_now(yard.node.pid)
    with suppress(ChildError):
        await starting
    await yard.node.kill()


async def killed_rounds(
    folder: Path, dsn: str, rounds: int, seed: int, program: str = "zonegate"
) -> tuple[list[str], float]:
    """Play the rounds, let the node catch up, and look at what PostgreSQL has of what was displayed.

    Returns the findings, and the share of kills with an entry in flight.
    """
    chance = random.Random(seed)
    async with dockyard(folder, dsn, papers(), program=program, settings=FAST) as yard:
        await yard.node.kill()
        worker = Worker(yard, pallets())
        hit = []
        async with asyncio.TaskGroup() as tasks:
            working = tasks.create_task(worker.work())
            for number in range(1, rounds + 1):
                if number % AT_START_EVERY == 0:
                    await kill_while_it_starts(yard, chance)
                else:
                    hit.append(await kill_while_it_works(yard, worker, chance))
            await yard.node.start()
            working.cancel()
        findings = await yard.findings()
        displayed = len({picture.code for picture in yard.screen.accepted()})
        print(
            f"{rounds} kills, {sum(hit)} with an entry in flight and {rounds - len(hit)} at the start; "
            f"{displayed} loads displayed as ACCEPTED, {len(findings)} findings {findings[:5]}"
        )
    return findings, sum(hit) / rounds


async def test_whatever_the_screen_displayed_before_a_kill_is_at_the_center_once(
    tmp_path: Path, postgres: str
) -> None:
    findings, in_flight = await killed_rounds(tmp_path, postgres, ROUNDS, seed=11)
    assert findings == []
    assert in_flight >= SHARE_IN_FLIGHT_MIN


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS_LONG))
async def test_whatever_the_screen_displayed_before_many_kills_is_at_the_center_once(
    tmp_path: Path, postgres: str, part: int
) -> None:
    findings, in_flight = await killed_rounds(tmp_path, postgres, ROUNDS_LONG, seed=100 + part)
    assert findings == []
    assert in_flight >= SHARE_IN_FLIGHT_MIN


async def test_a_planted_node_that_displays_accepted_too_early_is_caught(
    tmp_path: Path, postgres: str
) -> None:
    findings, _ = await killed_rounds(
        tmp_path, postgres, ROUNDS_OF_CONTROL, seed=11, program="tests.faults.early_node"
    )
    assert any(finding.startswith("lost: P") for finding in findings), findings
