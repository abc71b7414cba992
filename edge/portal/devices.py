# SPDX-License-Identifier: Apache-2.0
"""The node's devices: scanners, cameras, and readers with their gate, eyes and lamps, each run by itself.

One that is ill is told and tried again; it stops no other. Knows no journal.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, MutableMapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from drivers import Read, Scanner, ScannerSettings
from drivers.scanner import Clock as DeviceClock
from drivers.scanner import Counts, Health, State
from edge.clock import Clocks
from edge.config import DoorConfig, NodeConfig
from edge.dock import Dock
from edge.portal.config import CameraConfig, ReaderConfig
from edge.portal.frames import Frames
from edge.portal.gates import Gates, sources
from edge.portal.lamps import Lamp, Lamps

if TYPE_CHECKING:
    from drivers.camera import FrameEvidence
    from drivers.llrp.client import BadFrame, Reader

AGAIN_S: Final = 5.0
"""A device whose driver broke, by a fault of ours, is begun again after this time."""

ALARM_GAP_NS: Final = 60_000_000_000
"""A reader or camera that comes and goes is told in the journal once a minute at most."""

MIB: Final = 1024 * 1024

_log = logging.getLogger("zonegate.service")


class Devices:
    """All devices of a node.

    `healths` is where each one's doors and health are kept by name, `on_health` is told each change.
    """

    def __init__(
        self,
        config: NodeConfig,
        clocks: Clocks,
        dock: Dock,
        healths: MutableMapping[str, tuple[str, Health]],
        on_health: Callable[[str, str, Health], None],
    ) -> None:
        self._config = config
        self._clocks = clocks
        self._time = _DeviceTime(clocks)
        self._dock = dock
        self._healths = healths
        self._on_health = on_health
        self._alarmed_ns: dict[str, int] = {}
        self._away: set[str] = set()
        self._readers: dict[str, Reader] = {}
        self.frames = Frames(config.store, config.frames_mb_max * MIB, 2 * config.reserve_mb * MIB)
        self.gates: Gates | None = None

    def tasks(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Each device's task; they last until they are cancelled."""
        for door in self._config.doors:
            for number, url in enumerate(door.devices, start=1):
                name = f"scanner-{door.id}-{number}"
                yield self._lasting(name, (door.id,), _scanner(self, door, name, url))
        if self._config.readers:
            yield from self._reader_tasks()
        if self._config.cameras:
            yield self.frames.run()
        for camera in self._config.cameras:
            yield self._lasting(camera.name, (camera.door,), _camera(self, camera))

    def _reader_tasks(self) -> Iterator[Coroutine[Any, Any, None]]:
        from drivers.llrp.client import Reader

        config, passing = self._config, self._dock.passing
        passing.sources = dict(sources(config.layout))
        for door in passing.sources.keys() & self._dock.doors.keys():
            self._dock.doors[door].gated = True
        passing.bound = config.gate.confidence_min
        run = f"{self._clocks.boot[:8]}-"
        self.gates = Gates(config.layout, config.gate, self._now_us, run, passing.take, passing.lost)
        lamps: dict[str, list[Lamp]] = {}
        for wanted in config.readers:
            reader = Reader(wanted.name, wanted.url, wanted.settings, self._time)
            self._readers[wanted.name] = reader
            for output in wanted.outputs:
                lamps.setdefault(output.door, []).append(Lamp(output.port, output.shows, reader.set_output))
        shown = Lamps(lamps, self._dock.door_at)
        self._dock.on_change(shown.show)
        for door in lamps:
            shown.show(door)
        for wanted in config.readers:
            run_it = _reader(self, wanted, self._readers[wanted.name], self.gates)
            yield self._lasting(wanted.name, wanted.doors, run_it)

    async def _lasting(self, name: str, doors: tuple[str, ...], run: Callable[[], Awaitable[object]]) -> None:
        """Run a device; what breaks its driver is told, and it is begun again."""
        while True:
            try:
                await run()
            except Exception as error:  # noqa: BLE001 - the doors and the other devices go on, whatever it was
                _log.exception("the driver of %s broke; it is begun again", name)
                detail = f"its driver broke ({type(error).__name__}: {error}); it is begun again"
                self.note(doors, Health(name, State.LOST, detail, Counts(), self._clocks.utc()))
            await asyncio.sleep(AGAIN_S)

    def left_out(self) -> dict[str, int]:
        """What the gate could not take, by reason; nothing where there is none."""
        return self.gates.left_out() if self.gates is not None else {}

    def skipped(self) -> dict[str, tuple[BadFrame, ...]]:
        """The last frames of each reader that could not be understood, oldest first."""
        return {name: reader.bad_frames for name, reader in self._readers.items()}

    def unlit(self) -> dict[str, tuple[int, ...]]:
        """The outputs of each reader that do not show what they should."""
        return {name: reader.unlit for name, reader in self._readers.items()}

    def ill_eyes(self) -> dict[str, tuple[str, ...]]:
        """The photo eyes of each reader that the gate leaves out of account, each as a sentence."""
        return self.gates.gate.ill_eyes() if self.gates is not None else {}

    async def finish(self) -> None:
        """The node stops: what is on its way through a gate is judged now."""
        if self.gates is not None:
            await self.gates.finish()

    def note(self, doors: tuple[str, ...], health: Health) -> None:
        """Keep a device's health and spread it, at each of its doors."""
        self._healths[health.device] = (", ".join(doors), health)
        for door in doors:
            self._on_health(door, health.device, health)
        self._dock.changed("")

    def count(self, doors: tuple[str, ...], health: Health) -> None:
        """Keep a device's counts, which are news to nobody."""
        self._healths[health.device] = (", ".join(doors), health)

    def tell_away(self, doors: tuple[str, ...], health: Health) -> None:
        """Goods pass a reader or camera that is away unseen: say so in the journal, and when it is back."""
        name, now_ns = health.device, self._clocks.mono_ns()
        if health.state is State.LOST and name not in self._away:
            told_ns = self._alarmed_ns.get(name)
            if told_ns is None or now_ns - told_ns >= ALARM_GAP_NS:
                self._away.add(name)
                self._alarmed_ns[name] = now_ns
                self._alarm(doors, health, "device-away")
        elif health.state in (State.READY, State.DEGRADED) and name in self._away:
            self._away.discard(name)
            self._alarm(doors, health, "device-back")

    def _alarm(self, doors: tuple[str, ...], health: Health, kind: str) -> None:
        for door in doors:
            self._dock.alarm(door, health.device, kind, health.detail, health.counts.reconnects)

    @property
    def time(self) -> DeviceClock:
        """The dock's clocks as the drivers take them."""
        return self._time

    @property
    def dock(self) -> Dock:
        """Where reads go."""
        return self._dock

    def _now_us(self) -> int:
        return self._clocks.mono_ns() // 1000


def _scanner(devices: Devices, door: DoorConfig, name: str, url: str) -> Callable[[], Awaitable[object]]:
    doors, dock = (door.id,), devices.dock
    settings = ScannerSettings(no_read=door.no_read.encode(), reads_per_second_max=door.reads_per_second)
    scanner = Scanner(name, url, settings, devices.time)
    devices.note(doors, scanner.health)
    flooded = False

    def on_read(read: Read) -> None:
        devices.count(doors, scanner.health)
        dock.take_read(door.id, read)

    def on_health(health: Health) -> None:
        nonlocal flooded
        # A flood is told when it begins and when it ends: one that lasts must not fill the journal.
        if (health.state is State.FLOODED) != flooded:
            flooded = not flooded
            kind = "flood" if flooded else "flood-over"
            dock.alarm(door.id, name, kind, health.detail, health.counts.dropped)
        _log.info("device %s: %s %s", name, health.state, health.detail)
        devices.note(doors, health)

    return lambda: scanner.run(on_read, on_health)


def _reader(
    devices: Devices, config: ReaderConfig, reader: Reader, gates: Gates
) -> Callable[[], Awaitable[object]]:
    devices.note(config.doors, reader.health)
    state = reader.health.state

    def on_health(health: Health) -> None:
        nonlocal state
        if health.state is not state:
            state = health.state
            _log.info("device %s: %s %s", config.name, health.state, health.detail)
            devices.tell_away(config.doors, health)
        gates.take_health(health)
        devices.note(config.doors, health)

    return lambda: reader.run(gates.take_tags, gates.take_input, on_health)


def _camera(devices: Devices, config: CameraConfig) -> Callable[[], Awaitable[object]]:
    from drivers.camera import Camera

    doors = (config.door,)
    camera = Camera(config.name, config.url, config.settings, devices.time)
    devices.note(doors, camera.health)

    def on_read(read: Read, frame: FrameEvidence) -> None:
        devices.frames.put(frame.sha256, frame.jpeg)
        devices.count(doors, camera.health)
        devices.dock.take_read(config.door, read, frame.sha256)

    def on_health(health: Health) -> None:
        _log.info("device %s: %s %s", config.name, health.state, health.detail)
        devices.tell_away(doors, health)
        devices.note(doors, health)

    return lambda: camera.run(on_read, on_health)


class _DeviceTime(DeviceClock):
    """The dock's clocks as the drivers take them."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks

    def now(self) -> datetime:
        """UTC."""
        return self._clocks.utc()

    def monotonic_ns(self) -> int:
        """Nanoseconds for intervals."""
        return self._clocks.mono_ns()
