# SPDX-License-Identifier: Apache-2.0
"""Histories of faults on real docks and a real center: whatever a screen displayed as ACCEPTED is in the
record once, the permit is not overdrawn beyond what a copied machine carried, and the center lends again.

A fleet lives through one history after another; each begins where the last one ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
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
        few = self.few()
        await machine.lent(few + 1)
        await machine.gate.close()
        assert await machine.take(few) == few, machine.screen.seen[-few:]
        await machine.restart()
        assert await machine.take(1) == 1, machine.screen.seen[-2:]
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

    async def rolled_back(self) -> None:
        """The whole machine, anchor and key too, is as it was some pallets ago."""
        machine = self.machine()
        await self.fleet.settled()
        left = machine.left()
        image = await self.image(machine)
        await machine.take(self.few())
        await self.fleet.settled()
        await machine.process.kill()
        self.beyond += left
        machine.lay(image, anchor=True)
        await machine.start()
        await self.begun_anew(machine, machine_epoch(image))

    async def anchor_lost(self) -> None:
        """The second medium died: the dock begins anew, and is let in again with a code."""
        machine = self.machine()
        before = machine.epoch()
        await machine.process.kill()
        machine.lose_anchor()
        await machine.let_in()
        await machine.start()
        assert machine.epoch() != before

    async def cloned(self) -> None:
        """A copy of the whole machine runs beside it, and both let goods in before they meet the center."""
        machine = self.machine()
        await machine.lent(1)
        await self.fleet.settled()
        self.beyond += machine.left()
        await machine.process.stop()
        await machine.gate.close()
        self.copies += 1
        other = await self.fleet.clone(machine, f"{machine.name}-copy-{self.copies}")
        await machine.start()
        epoch = machine.epoch()
        for at in (machine, other):
            assert await at.take(self.few()) > 0, at.screen.seen[-3:]
        for at in (machine, other):
            at.gate.open()
        await until_async(lambda: self._left(other, epoch, machine), "one of the two to begin anew")
        await self.fleet.settled()
        forks = await self.fleet.rows("SELECT 1 FROM entry WHERE node = 'center' AND type = 'fork'")
        assert forks, "two writers of one log are noticed"
        await self.fleet.retire(other)

    async def begun_anew(self, machine: Machine, epoch: str) -> None:
        await until_async(lambda: self._left(machine, epoch), f"{machine.name} to begin anew")

    async def center_restored(self) -> None:
        """The center's database is as it was; its anchor knows better."""
        await self.fleet.settled()
        self.copies += 1
        name = f"{self.fleet.database}_{self.copies}"
        await self.fleet.center_image(name)
        for machine in self.fleet.machines.values():
            await machine.take(self.few())
        await self.fleet.settled()
        await self.fleet.center_back(name, anchor=self.chance.choice(("kept", "lost", "old")))
        await self.fleet._server.drop_database(name)

    async def image(self, machine: Machine) -> Path:
        await machine.process.stop()
        self.copies += 1
        image = machine.copy(f"{machine.name}-{self.copies}")
        await machine.start()
        return image

    async def _left(self, machine: Machine, epoch: str, other: Machine | None = None) -> bool:
        machines = [machine] if other is None else [machine, other]
        return any([await asyncio.to_thread(at.epoch) != epoch for at in machines])


def machine_epoch(image: Path) -> str:
    from edge.store import JournalReader

    with JournalReader(image / "store") as reader:
        return reader.epochs()[-1]


HISTORIES: dict[str, Callable[[History], Awaitable[None]]] = {
    "node-killed": History.node_killed,
    "center-killed": History.center_killed,
    "cut-off": History.cut_off,
    "old-store": History.old_store,
    "anchor-lost": History.anchor_lost,
    "rolled-back": History.rolled_back,
    "cloned": History.cloned,
    "center-restored": History.center_restored,
}


@contextlib.asynccontextmanager
async def fleet_of_two(folder: Path, server: OwnPostgres, program: str = "zonegate") -> AsyncIterator[Fleet]:
    async with Fleet(folder, server, f"t_{secrets.token_hex(6)}", AUTHORIZED, program) as fleet:
        await fleet.dock("dock-1")
        await fleet.dock("dock-2")
        await fleet.plan("dock-1", "dock-2")
        for machine in fleet.machines.values():
            await machine.open_truck()
            assert await machine.accepts()
        yield fleet


async def live_through(folder: Path, server: OwnPostgres, seed: int) -> None:
    chance = random.Random(seed)
    async with fleet_of_two(folder, server) as fleet:
        history = History(fleet, chance)
        names = list(HISTORIES)
        chance.shuffle(names)
        for name in names:
            await HISTORIES[name](history)
            assert await fleet.findings(beyond=history.beyond) == [], (seed, name, names)
            await fleet.count()
            print(f"fleet {seed}: {name}: {len(fleet.displayed())} loads displayed, all recorded once")
        counted = await fleet.count()
        for machine in fleet.machines.values():
            assert await machine.accepts(), (seed, names, machine.screen.seen[-1], await fleet.cases())
        print(f"fleet {seed}: {counted} logs and gaps counted, the center lends again")


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


async def test_a_fleet_that_tells_no_lost_branch_again_is_caught(
    tmp_path: Path, postgres_server: OwnPostgres
) -> None:
    async with fleet_of_two(tmp_path, postgres_server, "tests.faults.forgetful_node") as fleet:
        history = History(fleet, random.Random(1))
        await history.cloned()
        findings = await fleet.findings(beyond=history.beyond, patience_s=5)
        assert any(finding.startswith("lost: P") for finding in findings), findings
