# SPDX-License-Identifier: Apache-2.0
"""The dock service: opens the journal by rule E, folds the books, runs doors, screens and sinks.

The pages and the scanners live as long as the process; journal, books and sinks are opened again
after any failed write, and meanwhile every door says STOP.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from drivers.scanner import Health
from edge.anchor import Anchor
from edge.batch import Ended, Identity, Placed
from edge.books import NodeBooks
from edge.clock import Clocks
from edge.config import NodeConfig
from edge.desk import DEVICE_STATES, MIB, NodeDesk, Running, epoch_views
from edge.dock import Dock
from edge.errors import AnchorError, JournalError, StoreBusy, StoreError, StoreNewer
from edge.events import Events
from edge.journal import Journal
from edge.metrics import HELP
from edge.notify import notify, watchdog_interval_s
from edge.portal.devices import Devices
from edge.portal.frames import oldest_kept
from edge.prune import prunable
from edge.reads import RULES
from edge.show import entry_view
from edge.store import JournalReader
from edge.upload import EpochClosed, ForeignHead, Upload, confirmed
from edge.view import LinkView, Refused
from edge.web.access import Access
from edge.web.app import make_app
from sync.bodies import Rotate, Settings
from sync.entry import Place
from sync.errors import EntryError
from sync.publishing import SINK
from sync.topics import DeviceState

SNAPSHOT_EVERY: Final = 5_000
"""Entries between two snapshots: a start folds at most so many."""

SWITCH_S: Final = 0.0005

PRUNE_S: Final = 3600.0
"""Between two times that the journal is shortened, where `retention_days` says so."""

REOPEN_S: Final = 2.0
"""Between two attempts to open a journal that could not be written."""

UNFOLDABLE: Final = (LookupError, AttributeError, TypeError, ArithmeticError, AssertionError)
"""What folding raises of entries that this program would not have written in that order."""

ROTATE_S: Final = 10.0
"""A journal that is not open again by then has a fault of its own, which the status page tells."""

_log = logging.getLogger("zonegate.service")


class Service:
    """One node."""

    def __init__(self, config: NodeConfig, clocks: Clocks, version: str, say: Callable[[str], None]) -> None:
        """`say` is told each new token, once."""
        self._config = config
        self._clocks = clocks
        self._version = version
        self._say = say
        doors = {door.id: door.name for door in config.doors}
        self.dock = Dock(doors, clocks, trust_clock=config.clock == "host")
        self._running = Running(rotate_key=self.rotate_key)
        self._anchor = Anchor(config.anchor)
        self._rotated = asyncio.Event()
        self._attached = asyncio.Event()
        self.desk = NodeDesk(config, self.dock, self._running, version)
        self._upload = Upload(config, config.center, self.dock) if config.center else None
        self._events = Events(config, config.mqtt, self.dock) if config.mqtt else None
        self._devices = Devices(config, clocks, self.dock, self._running.devices, self._show_device)
        self._running.frames_left_out = lambda: self._devices.frames.left_out
        self._running.gate_left_out = self._devices.left_out
        self._running.skipped = self._devices.skipped
        self._running.unlit = self._devices.unlit
        self._running.ill_eyes = self._devices.ill_eyes
        self._since_snapshot = 0
        self._recorded = False
        self._recovered = False
        self._alive_ns = clocks.mono_ns()
        for sink in (self._upload, self._events):
            if sink is not None:
                self._running.links[sink.link().name] = sink.link
        if self._upload is not None:
            self._running.confirmed = self._upload.confirmed
        else:
            self._running.links["center"] = lambda: LinkView("center", "Unknown", 0, "not configured", None)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`. Raises what makes going on senseless: StoreNewer, and OSError, AnchorError or
        StoreError where a start never got as far as recording.
        """
        # The journal's thread must not wait long for the loop's: at 5 ms, Python's default, a scan that
        # finds the loop busy with a page would be committed that much later.
        sys.setswitchinterval(SWITCH_S)
        self._config.store.mkdir(mode=0o700, parents=True, exist_ok=True)
        access = Access(self._config.store / "access.json")
        for new in access.provide(self.dock.doors):
            self._say(f"token for {new.holder}: {new.token}")
        app = make_app(
            self.desk,
            access,
            door_names={door.id: door.name for door in self._config.doors},
            hosts=self._config.hosts,
            metric_helps=HELP,
            now=self._clocks.utc,
        )
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        host, _, port = self._config.listen.rpartition(":")
        try:
            await web.TCPSite(runner, host.strip("[]"), int(port)).start()
            await self._serve(stop)
        finally:
            await runner.cleanup()

    async def _serve(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            lasting = [tasks.create_task(self._watchdog())]
            lasting += [tasks.create_task(device) for device in self._devices.tasks()]
            recording = tasks.create_task(self._record_always(stop))
            await stop.wait()
            notify("STOPPING=1")
            await recording
            for task in lasting:
                task.cancel()

    # -- recording --------------------------------------------------------------------------------

    async def _record_always(self, stop: asyncio.Event) -> None:
        """Open, record, and after a failure open again by rule E; until `stop`."""
        shown: list[Place] = []
        ended: Ended | None = None
        while not stop.is_set():
            try:
                await self._record(shown, ended, stop)
                continue  # its key was changed
            except EpochClosed as error:
                _log.warning("%s; beginning another epoch", error)
                ended = error.ended
                continue
            except ForeignHead as error:
                _log.error("%s; beginning another epoch", error)
                shown.append(error.place)
            except (JournalError, StoreError, AnchorError) as error:
                # A disk that was there may come back; one that never was is a fault of the set-up.
                lasting = not isinstance(error, JournalError | StoreBusy) and not self._recorded
                if lasting or isinstance(error, StoreNewer):
                    raise
                self._running.trouble = str(error)
                _log.error("cannot record: %s", error)
                self.dock.changed("")
            self._alive_ns = self._clocks.mono_ns()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), REOPEN_S)

    async def _record(self, shown: Sequence[Place], ended: Ended | None, stop: asyncio.Event) -> None:
        """One opening of the journal, until it fails, a witness objects, its epoch ends, or `stop`."""
        config = self._config
        identity = Identity(config.tenant, config.zone, config.node)
        journal = Journal.open(
            config.store,
            self._anchor,
            clocks=self._clocks,
            identity=identity,
            shown=shown,
            ended=ended,
            reserve_bytes=config.reserve_mb * MIB,
            store_bytes_max=config.store_mb_max * MIB or None,
        )
        quiet = False
        try:
            if journal.begun is not None:
                _log.warning("epoch %s begun: %s", journal.epoch, journal.begun.reason)
            books = self._fold()
            if books.is_closed:  # told before a crash or a stop
                raise EpochClosed(journal.epoch)
            journal.on_told(lambda placed, _: self._told(journal, placed))
            self._running.journal = journal
            with JournalReader(config.store) as reader:
                have = confirmed(reader, journal.epoch)
                underway = [] if self._recovered else reader.underway()
            self.dock.attach(journal, books, self._settings(), have)
            self.dock.passing.recover(underway)
            self._recovered = True
            self._running.trouble = ""
            self._recorded = True
            self._rotated.clear()
            self._attached.set()
            notify("READY=1")
            _log.info("recording in epoch %s from seq %d", journal.epoch, journal.told.seq)
            await self._run_sinks(journal, stop)
            if stop.is_set():
                await self._devices.finish()
            quiet = True
            journal.put_snapshot(self.dock.books.snapshot())
        except EpochClosed:
            quiet = True  # the doors say for a moment longer what they said last
            raise
        finally:
            self._running.journal = None
            self.dock.detach(quiet=quiet)
            await journal.close()

    async def rotate_key(self, by: str) -> str:
        """Change the node's key for a new one, which the next epoch is signed with; its public half in hex.

        The new key is told in the last entry of the epoch at hand: the center believes it from there.
        Raises Refused while nothing can be recorded.
        """
        if not self.dock.recording or self._rotated.is_set():
            raise Refused("This dock cannot record now, so its key stays. Try again when it records.")
        try:
            key = self._anchor.next_signer().public
        except AnchorError as error:
            raise Refused(f"{error}. The key stays as it is.") from error
        try:
            told = self.dock.write("rotate", Rotate(key))
        except JournalError as error:  # nothing was queued: too much waits
            raise Refused(f"{error}. The key stays as it is.") from error
        self.dock.detach(quiet=True)  # that was the last word of this epoch
        self._attached.clear()
        _log.warning("key of epoch %s changed by %s for %s", self.dock.books.state.epoch, by, key)
        try:
            await asyncio.shield(told)
            self._rotated.set()
            async with asyncio.timeout(ROTATE_S):
                await self._attached.wait()
        except (JournalError, TimeoutError) as error:
            raise Refused(
                "The dock does not record again yet. Look at the status page: it shows the key in use."
            ) from error
        return key

    async def _run_sinks(self, journal: Journal, stop: asyncio.Event) -> None:
        """Keep center and broker fed until the journal fails, its epoch ends, another is due, or `stop`."""
        tasks = [
            asyncio.create_task(self._keep_fed(sink, journal))
            for sink in (self._upload, self._events)
            if sink is not None
        ]
        tasks.append(asyncio.create_task(self._prune_hourly(journal)))
        asked = [asyncio.create_task(event.wait()) for event in (stop, self._rotated)]
        try:
            ends: list[asyncio.Future[Any]] = [*tasks, *asked, journal.failed]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if journal.failed.done():
                self._running.trouble = str(journal.failed.result())
                self.dock.detach()  # the doors do not wait for the sinks to end
                raise journal.failed.result()
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for started in (*tasks, *asked):
                started.cancel()
            await asyncio.gather(*tasks, *asked, return_exceptions=True)

    async def _prune_hourly(self, journal: Journal) -> None:
        """Shorten the journal by what the center calls releasable and is past retention."""
        config = self._config
        while True:
            await asyncio.sleep(PRUNE_S)
            releasable = self._upload.releasable if self._upload is not None else {}
            sinks = [SINK] if self._events is not None else []
            try:
                await prune(
                    journal, config.store, releasable, self._clocks.utc(), config.retention_days, sinks
                )
            except (StoreError, JournalError) as error:
                _log.error("the journal was not shortened: %s", error)
            if (before := oldest_kept(self._clocks.utc(), config.retention_days)) is not None:
                await self._devices.frames.prune(before)

    async def _keep_fed(self, sink: Upload | Events, journal: Journal) -> None:
        """Run a sink, again whenever it fails: no door says STOP because a broker sent nonsense."""
        while True:
            try:
                await sink.run(journal, self._config.store)
            except (ForeignHead, EpochClosed):
                raise
            except Exception as error:  # noqa: BLE001 - the doors go on, whatever it was
                _log.error("%s ended, it is begun again: %s", sink.link().name, error, exc_info=error)
            await asyncio.sleep(REOPEN_S)

    def _fold(self) -> NodeBooks:
        """The books: the snapshot, and what was written after it."""
        with JournalReader(self._config.store) as reader:
            snapshot = reader.snapshot()
            books = NodeBooks.restore(snapshot[1]) if snapshot else None
            position = reader.position(snapshot[0].epoch, snapshot[0].seq) if snapshot and books else None
            if books is None or position is None:
                books, position = NodeBooks(), 0
                if reader.start():
                    raise StoreError(
                        "the snapshot of the books is not one that this version reads, and entries before it "
                        "were pruned; install the version that wrote it, or begin a new store"
                    )
            while page := reader.page(position, 1000):
                try:
                    books.fold_records(record for _, record in page)
                except (EntryError, *UNFOLDABLE) as error:
                    # What this program wrote it can fold; so somebody else has written there.
                    raise StoreError(
                        f"the journal cannot be folded ({type(error).__name__}: {error}); "
                        f"look for what is wrong with it: `zonegate verify {self._config.store}`"
                    ) from error
                position = page[-1][0]
            self._running.epochs[:] = epoch_views(reader)
            self._running.last[:] = [entry_view(record) for _, record in reader.page_before(None, 20)]
        return books

    def _settings(self) -> Settings:
        config = self._config
        doors = {door.id: door.no_read for door in config.doors}
        return Settings(self._version, RULES, doors, config.timezone, config.codes)

    def _told(self, journal: Journal, placed: Sequence[Placed]) -> None:
        """A batch is durable. The doors hear of it first: their callbacks are queued before this one."""
        asyncio.get_running_loop().call_soon(self._spread, journal, placed)

    def _spread(self, journal: Journal, placed: Sequence[Placed]) -> None:
        """Sinks may have what was told; the books are kept every so often."""
        for item in placed:
            self.desk.remember(item.record)
        for sink in (self._upload, self._events):
            if sink is not None:
                sink.wake()
        self._since_snapshot += len(placed)
        if self._since_snapshot >= SNAPSHOT_EVERY and self._running.journal is journal:
            self._since_snapshot = 0
            journal.put_snapshot(self.dock.books.snapshot())
        self.dock.changed("")

    # -- devices and watchdog ---------------------------------------------------------------------

    def _show_device(self, door: str, name: str, health: Health) -> None:
        if self._events is not None:
            state = DeviceState(DEVICE_STATES[health.state], health.detail, health.since)
            self._events.show_device(door, name, state)

    async def _watchdog(self) -> None:
        """Feed systemd's watchdog only while the writing thread lives, or opening is being tried."""
        interval = watchdog_interval_s()
        while interval is not None:
            await asyncio.sleep(interval)
            journal = self._running.journal
            beat = journal.heartbeat_ns if journal is not None else self._alive_ns
            if self._clocks.mono_ns() - beat < interval * 2_000_000_000:
                notify("WATCHDOG=1")


async def prune(
    journal: Journal,
    store: Path,
    releasable: Mapping[str, Place],
    now: datetime,
    retention_days: int,
    sinks: Sequence[str],
) -> None:
    """Prune what may go, slice by slice, so that nothing queued waits long.

    Raises StoreError when the journal will not let it go, JournalError when it cannot be written.
    """
    for place in await asyncio.to_thread(_prunable, store, releasable, now, retention_days, sinks):
        entries = reads = heads = passages = 0
        pruned = 0
        while pruned < place.seq:
            done = await journal.prune(place)
            pruned = done.base.seq
            entries, reads, heads = entries + done.entries, reads + done.reads, heads + done.heads
            passages += done.passages
        _log.info(
            "pruned up to entry %d of epoch %s: %d entries, %d scans, %d passages and %d signed heads",
            *(place.seq, place.epoch, entries, reads, passages, heads),
        )


def _prunable(
    store: Path, releasable: Mapping[str, Place], now: datetime, retention_days: int, sinks: Sequence[str]
) -> list[Place]:
    with JournalReader(store) as reader:
        return prunable(releasable, reader, now, retention_days, sinks)
