# SPDX-License-Identifier: Apache-2.0
"""A whole node with a simulated reader at one of its doors, and what one drives through it."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from drivers.llrp.settings import ReaderSettings
from edge.clock import Clocks, system_clocks
from edge.config import DoorConfig, NodeConfig
from edge.passage import Antenna, Eye, GateSettings
from edge.portal.config import CameraConfig, OutputConfig, ReaderConfig
from edge.service import Service
from edge.store import JournalReader, PassageRow
from simulators.reader.server import Reader
from simulators.reader.sightings import Sighting
from sync.bodies import Movement, Refusal, read_body
from sync.entry import read_record
from tests.edge.yard import START, Papers, saw_of
from zonegate.child import free_port

WAIT_S = 20.0

STOP, GO, HORN = 1, 2, 3

QUICK = GateSettings(confidence_min=0)
PATIENT = GateSettings(confidence_min=0, silence_ms=20_000)
"""A gate that waits for what comes next until the node stops."""


def clocks() -> Clocks:
    """This machine's clocks, but for the date: the papers are for one week."""
    begun = time.monotonic_ns()

    def utc() -> datetime:
        return START + timedelta(microseconds=(time.monotonic_ns() - begun) // 1000)

    return replace(system_clocks(), utc=utc, synchronized=lambda: True)


@dataclass
class Floor:
    """A node in operation, its reader, and what one drives through the door."""

    service: Service
    reader: Reader
    store: Path
    door: str
    url: str

    async def until(self, condition: Callable[[], bool]) -> None:
        moved = asyncio.Event()
        self.service.dock.on_change(lambda _: moved.set())
        async with asyncio.timeout(WAIT_S):
            while not condition():
                moved.clear()
                with contextlib.suppress(TimeoutError):  # what only the disk knows tells nobody
                    await asyncio.wait_for(moved.wait(), 0.05)

    async def shows(self, reason: str) -> None:
        await self.until(lambda: self.service.dock.door(self.door).reason == reason)

    async def lit(self, port: int, on: bool) -> None:
        await self.reader.until(lambda reader: reader.outputs[port] is on, WAIT_S)

    def passages(self) -> list[PassageRow]:
        with JournalReader(self.store) as reader:
            return reader.passages(0, 100, None, None)

    def entries(self) -> list[tuple[str, str]]:
        """(id, reason) of what doors decided."""
        found = []
        with JournalReader(self.store) as reader:
            for _, record in reader.page(0, 1000):
                body = read_body(entry := read_record(record))
                if isinstance(body, Movement | Refusal):
                    found.append((entry.entry_id, body.reason))
        return found


def drive(epc: bytes, begun_us: int, *, first: int = 2, last: int = 1, steps: int = 60) -> Iterator[Sighting]:
    """A tag on a pallet that passes antenna `first`, then `last`, in three seconds; `steps` of 60."""
    for step in range(steps):
        at_us = begun_us + step * 50_000
        for antenna, peak in ((first, 22), (last, 38)):
            dbm = -35 - 1.3 * abs(step - peak) + math.sin(step * 1.7)
            if dbm > -75:
                yield Sighting(epc, antenna, round(dbm * 100), at_us, paced=True)


@contextlib.asynccontextmanager
async def running(
    tmp_path: Path,
    reader: Reader,
    cameras: tuple[CameraConfig, ...] = (),
    gate: GateSettings = QUICK,
    *,
    door: str = "out",
    sides: tuple[str, ...] = ("outer", "inner"),
    eyes: tuple[str, ...] = (),
) -> AsyncIterator[Floor]:
    """A node whose truck at `door` is open, with a reader there: its antennas look to `sides`, its photo eyes
    stand at the places `eyes`, both by port from 1 on.
    """
    (tmp_path / "anchor").mkdir()
    outputs = (
        OutputConfig(STOP, door, "stop", safe=True),
        OutputConfig(GO, door, "go", safe=False),
        OutputConfig(HORN, door, "horn", safe=False),
    )
    antennas = tuple(Antenna("gate-1", port, door, side) for port, side in enumerate(sides, start=1))
    watched = tuple(Eye("gate-1", port, door, place) for port, place in enumerate(eyes, start=1))
    settings = ReaderSettings(
        antennas=tuple(antenna.port for antenna in antennas),
        inputs=tuple(eye.port for eye in watched),
        outputs={output.port: output.safe for output in outputs},
        retry_s_min=0.05,
    )
    config = NodeConfig(
        tenant="example",
        zone="zone-999",
        node="dock-1",
        store=tmp_path / "store",
        anchor=tmp_path / "anchor",
        timezone="America/Chicago",
        doors=(DoorConfig("in", "Inbound"), DoorConfig("out", "Outbound")),
        listen=f"127.0.0.1:{free_port()}",
        clock="host",
        reserve_mb=1,
        readers=(ReaderConfig("gate-1", reader.url, settings, antennas, watched, outputs),),
        cameras=cameras,
        gate=gate,
    )
    service = Service(config, clocks(), "0.1.0", lambda _: None)
    floor = Floor(service, reader, config.store, door, f"http://{config.listen}")
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    try:
        await floor.until(lambda: service.dock.recording)
        service.dock.write("saw", saw_of(Papers().entries(service.dock.books.state.epoch)))
        service.dock.have = service.dock.books.state.seq
        await service.dock.open_job(door, f"{door.upper()}-1", None, "supervisor")
        await reader.until(lambda reader: reader.reading, WAIT_S)
        yield floor
    finally:
        stop.set()
        async with asyncio.timeout(WAIT_S):
            await task
