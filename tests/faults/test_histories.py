# SPDX-License-Identifier: Apache-2.0
"""Histories of faults on real docks and a real center: whatever a screen displayed as ACCEPTED is in the
record once, the permit is not overdrawn beyond what a copied machine carried, and the center lends again.

A fleet lives through one history after another; each begins where the last one ended.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.faults.dockyard import until_async
from tests.faults.fleet import Fleet, Machine
from zonegate.children import OwnPostgres

pytestmark = pytest.mark.servers

AUTHORIZED = 120
FLEETS = (1, 2, 3)
FLEETS_LONG = range(100, 130)
KILL_S_MAX = 0.15


class History:
    """The faults that may befall a fleet of two docks, by name."""

    def __init__(self, fleet: Fleet, chance: random.Random) -> None:
        self.fleet, self.chance = fleet, chance
        self.beyond = 0
        self.copies = 0

    def machine(self) -> Machine:
        return self.fleet.machines[self.chance.choice(("dock-1", "dock-2"))]

    def few(self) -> int:
        return self.chance.randint(1, 4)

    async def node_killed(self) -> None:
        """kill -9 while pallets come."""
        machine = self.machine()
        working = asyncio.create_task(machine.take(20))
        await asyncio.sleep(self.chance.random() * KILL_S_MAX)  # the moment of the kill is what is random
        await machine.process.kill()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await machine.start()

    async def center_killed(self) -> None:
        """kill -9 of the center while both docks work."""
        working = [asyncio.create_task(at.take(self.few())) for at in self.fleet.machines.values()]
        await self.fleet.center.kill()
        await asyncio.gather(*working)
        await self.fleet.center.start()

    async def cut_off(self) -> None:
        """The network of a dock is gone, the dock is restarted and goes on by its leases."""
        machine = self.machine()
        await machine.gate.close()
        await machine.take(self.few())
        await machine.restart()
        assert await machine.take(1) == 1, "a dock that restarts without network still judges"
        machine.gate.open()

    async def old_store(self) -> None:
        """An older copy of the store is laid in, the anchor is kept."""
        machine = self.machine()
        image = await self.image(machine)
        await machine.take(self.few())
        await self.fleet.settled()
        await machine.process.kill()
        before = machine_epoch(image)
        machine.lay(image, anchor=False)
        await machine.start()
        assert machine.epoch() != before, "an old store does not go on"
        await machine.accepts()

    async def rolled_back(self) -> None:
        """The whole machine, anchor and key too, is as it was some pallets ago."""
        machine = self.machine()
        image = await self.image(machine)
        await machine.take(self.few())
        await self.fleet.settled()
        await machine.process.kill()
        self.beyond += await self.held_by(machine)
        machine.lay(image, anchor=True)
        await machine.start()
        before = machine_epoch(image)
        await until_async(lambda: self._left(machine, before), "the rolled back dock to begin anew")

    async def center_restored(self) -> None:
        """The center's database is as it was; its anchor knows better."""
        await self.fleet.settled()
        self.copies += 1
        name = f"{self.fleet.database}_{self.copies}"
        await self.fleet.center_image(name)
        for machine in self.fleet.machines.values():
            await machine.take(self.few())
        await self.fleet.settled()
        await self.fleet.center_back(name, anchor=self.chance.choice(("kept", "old")))
        await self.fleet._server.drop_database(name)

    async def image(self, machine: Machine) -> Path:
        await machine.process.stop()
        self.copies += 1
        image = machine.copy(f"{machine.name}-{self.copies}")
        await machine.start()
        return image

    async def held_by(self, machine: Machine) -> int:
        """What the permit's line has at most lent to a machine."""
        return AUTHORIZED

    async def _left(self, machine: Machine, epoch: str) -> bool:
        return await asyncio.to_thread(machine.epoch) != epoch


def machine_epoch(image: Path) -> str:
    from edge.store import JournalReader

    with JournalReader(image / "store") as reader:
        return reader.epochs()[-1]


HISTORIES: dict[str, Callable[[History], Awaitable[None]]] = {
    "node-killed": History.node_killed,
    "center-killed": History.center_killed,
    "cut-off": History.cut_off,
    "old-store": History.old_store,
    "center-restored": History.center_restored,
}


async def live_through(folder: Path, server: OwnPostgres, seed: int) -> None:
    chance = random.Random(seed)
    async with Fleet(folder, server, f"t_{secrets.token_hex(6)}", AUTHORIZED) as fleet:
        await fleet.dock("dock-1")
        await fleet.dock("dock-2")
        await fleet.plan("dock-1", "dock-2")
        for machine in fleet.machines.values():
            await machine.open_truck()
            await machine.accepts()
        history = History(fleet, chance)
        names = list(HISTORIES)
        chance.shuffle(names)
        for name in names:
            await HISTORIES[name](history)
            assert await fleet.findings(beyond=history.beyond) == [], (seed, name, names)
            print(f"fleet {seed}: {name}: {len(fleet.displayed())} loads displayed, all recorded once")
        for machine in fleet.machines.values():
            await machine.accepts()


@pytest.mark.parametrize("seed", FLEETS)
async def test_a_fleet_lives_through_every_fault(
    tmp_path: Path, postgres_server: OwnPostgres, seed: int
) -> None:
    await live_through(tmp_path, postgres_server, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", FLEETS_LONG)
async def test_many_fleets_live_through_every_fault(
    tmp_path: Path, postgres_server: OwnPostgres, seed: int
) -> None:
    await live_through(tmp_path, postgres_server, seed)
