# SPDX-License-Identifier: Apache-2.0
"""The node is killed with SIGKILL while pallets are in the gate: whatever was sighted there is in the record
after the next start, judged or as a Hold. The control is a node that keeps no note of what is under way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest

from edge.store import JournalReader
from simulators.reader.server import Reader, monotonic_us
from simulators.reader.sightings import Sighting
from sync.bodies import Movement, Refusal, read_body
from sync.entry import read_record
from tests.edge.gates import unit
from tests.edge.yard import sscc
from tests.faults.dockyard import PlantedNode, page
from zonegate.own import OwnGate

WAIT_S = 30.0
DOOR, INNER_EYE = "d1", 2
STEP_S = 0.02

ROUNDS, ROUNDS_LONG = 3, 30
"""Kills at moments of chance, each with a pallet on its way; some fall while it is being judged."""

SWEEP_S = 3.5
"""From the first read of a pallet until its passage is judged, and a little longer."""


class Dock:
    """A node without a center, and the simulated reader of its gate, which outlives it."""

    def __init__(self, node: PlantedNode, reader: Reader) -> None:
        self.node, self.reader = node, reader

    async def start(self) -> None:
        await self.node.start()
        await self.reader.until(lambda reader: reader.reading, WAIT_S)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - asked over HTTP, or of a file
                await asyncio.sleep(STEP_S)

    def status(self) -> Any:
        return self.node.get("/api/v1/status")

    def door(self) -> Any:
        return self.status()["doors"][0]

    def under_way(self) -> set[bytes]:
        with JournalReader(self.node.store) as journal:
            return {row.epc for row in journal.underway()}

    def is_under_way(self, epc: bytes) -> bool:
        return epc in self.under_way()

    def recorded(self) -> dict[str, str]:
        """The reason of the last entry on each load."""
        found = {}
        with JournalReader(self.node.store) as journal:
            for _, record in journal.page(0, 1000):
                body = read_body(read_record(record))
                if isinstance(body, Movement | Refusal) and body.load is not None:
                    found[body.load.sscc or body.load.key] = body.reason
        return found


@asynccontextmanager
async def dock(folder: Path, program: str = "zonegate") -> AsyncIterator[Dock]:
    async with Reader() as reader:
        node = PlantedNode(
            folder,
            tenant="example",
            zone="999001001",
            node="dock-1",
            doors={DOOR: ("Door 1", None)},
            gates=[OwnGate(DOOR, reader.port, None)],
        ).plant({}, program)
        async with node:
            made = Dock(node, reader)
            await reader.until(lambda reader: reader.reading, WAIT_S)
            yield made


def comes_through(epc: bytes, chance: Random) -> Iterator[Sighting]:
    """A pallet from within outwards, read as long as somebody asks."""
    for step in count():
        for antenna, peak in ((2, 25), (1, 55), (4, 25), (3, 55)):
            dbm = -38.0 - 0.6 * abs(step - peak) + chance.uniform(-1.5, 1.5)
            if dbm > -72:
                yield Sighting(epc, antenna, round(dbm * 100), monotonic_us(), paced=True)
        if step > 120:
            return


async def drive(reader: Reader, epc: bytes, chance: Random) -> None:
    """In front of the inner eye, then of the outer one, and away."""
    last_us = 0
    for sighting in comes_through(epc, chance):
        if sighting.at_us is not None and sighting.at_us - last_us > STEP_S * 1e6:
            last_us = sighting.at_us
            await asyncio.sleep(STEP_S)  # not a wait: so fast are tags read
        reader.see(sighting)


async def test_a_pallet_in_the_gate_at_a_kill_is_a_hold_on_the_screen_and_for_the_supervisor(
    tmp_path: Path,
) -> None:
    async with dock(tmp_path) as site:
        site.reader.set_input(INNER_EYE, high=True)
        driving = asyncio.create_task(drive(site.reader, unit(1), Random(1)))
        await site.until(lambda: unit(1) in site.under_way())
        await site.node.kill()
        await driving
        site.reader.set_input(INNER_EYE, high=False)
        assert site.recorded() == {}, "what moves is no entry"
        await site.start()
        await site.until(lambda: bool(site.door()["reason"] == "interrupted"))
        shown = site.door()
        assert shown["state"] == "HOLD"
        assert shown["sentence"] == "The dock was restarted while this crossed."
        assert shown["step"] == "Scan its label."
        assert shown["identity"] == f"(00){sscc(1)}"
        [hold] = site.status()["holds"]
        assert (hold["reason"], hold["code"]) == ("interrupted", unit(1).hex().upper())
        assert "The dock was restarted while this crossed." in page(site.node.url + "/")
        # While the reader is not connected yet, its door says that instead.
        crossing = f"goods were crossing: scan the labels of (00){sscc(1)}"
        await site.until(lambda: crossing in page(site.node.url + "/"))
        assert site.under_way() == set()


async def test_a_planted_node_that_keeps_no_note_forgets_the_pallet(tmp_path: Path) -> None:
    async with dock(tmp_path, "tests.faults.unnoting_node") as site:
        site.reader.set_input(INNER_EYE, high=True)
        driving = asyncio.create_task(drive(site.reader, unit(1), Random(1)))
        await site.until(lambda: bool(site.door()["state"] == "HOLD"))
        await site.node.kill()
        await driving
        site.reader.set_input(INNER_EYE, high=False)
        await site.start()
        assert site.recorded() == {}
        assert site.status()["holds"] == []


@pytest.mark.parametrize(
    "rounds", [ROUNDS, pytest.param(ROUNDS_LONG, marks=pytest.mark.long)], ids=["short", "long"]
)
async def test_whatever_was_sighted_before_a_kill_is_in_the_record_after_it(
    tmp_path: Path, rounds: int
) -> None:
    chance = Random(9)
    async with dock(tmp_path) as site:
        spoken: set[str] = set()
        for number in range(1, rounds + 1):
            driving = asyncio.create_task(drive(site.reader, unit(number), chance))
            site.reader.set_input(INNER_EYE, high=True)
            await site.until(partial(site.is_under_way, unit(number)))
            spoken.add(sscc(number))
            await asyncio.sleep(chance.random() * SWEEP_S)  # not a wait: the moment of the kill is chance's
            site.reader.set_input(INNER_EYE, high=False)
            await site.node.kill()
            await driving
            await site.start()
            await site.until(lambda: site.under_way() == set())
        recorded = site.recorded()
        print(f"{rounds} kills with a pallet in the gate: {recorded}")
        assert spoken <= recorded.keys()
