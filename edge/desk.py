# SPDX-License-Identifier: Apache-2.0
"""The desk: what the pages ask of the running node, gathered from dock, journal, devices and sinks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from customs.documents import Holding
from drivers.scanner import Health, State
from edge.config import NodeConfig
from edge.dock import Dock
from edge.journal import Journal
from edge.metrics import entry_figures, journal_figures, passage_figures
from edge.reads import answer_at
from edge.room import Room
from edge.show import entry_view, hold_view, job_view, lease_views
from edge.store import JournalReader, Questions
from edge.view import (
    DeviceView,
    DoorView,
    EntryView,
    EpochView,
    JobView,
    LinkView,
    RecordView,
    Refused,
    SkippedFrame,
    SkippedView,
    StatusView,
)
from sync.bodies import Begin, read_body
from sync.entry import read_record

if TYPE_CHECKING:
    from drivers.llrp.client import BadFrame

MIB: Final = 1024 * 1024

_LAST_ENTRIES: Final = 20
_QUEUE_MAX: Final = 256
"""A page that lags by so many changes is dropped; it comes back with a snapshot."""

_STORY_MAX: Final = 200

SEQ_DIGITS_MAX: Final = 18
"""Of an entry's number: as many as the store can count."""

EPOCHS_SHOWN: Final = 20
"""Of a node's epochs the newest are shown; `zonegate db epochs` lists them all."""

DEVICE_STATES: Final = {
    State.READY: "Up",
    State.FLOODED: "Degraded",
    State.BLIND: "Degraded",
    State.DEGRADED: "Degraded",
    State.OPENING: "Down",
    State.LOST: "Down",
    State.CLOSED: "Unknown",
}
"""The word for a device's state on the status page and in its retained message."""


@dataclass(slots=True)
class Running:
    """What the service hands over while it runs: the journal, the devices' health, the sinks' links, the own
    epochs as they were at its opening, what the center has confirmed of each, how many pictures of cameras
    were not kept, what the gate could not take, by reason, and, by reader, frames that were skipped, outputs
    that do not show what they should, and photo eyes that are left out of account.
    """

    rotate_key: Callable[[str], Awaitable[str]]
    confirmed: Callable[[], Mapping[str, int]] = dict
    frames_left_out: Callable[[], int] = int
    gate_left_out: Callable[[], Mapping[str, int]] = dict
    skipped: Callable[[], Mapping[str, Sequence[BadFrame]]] = dict
    unlit: Callable[[], Mapping[str, Sequence[int]]] = dict
    ill_eyes: Callable[[], Mapping[str, Sequence[str]]] = dict
    epochs: list[EpochView] = field(default_factory=list)
    journal: Journal | None = None
    trouble: str = "starting"
    devices: dict[str, tuple[str, Health]] = field(default_factory=dict)
    links: dict[str, Callable[[], LinkView]] = field(default_factory=dict)
    last: list[EntryView] = field(default_factory=list)


class NodeDesk:
    """Implements `edge.view.Desk`."""

    def __init__(self, config: NodeConfig, dock: Dock, running: Running, version: str) -> None:
        self._config = config
        self._version = version
        self._dock = dock
        self._running = running
        self._queues: set[asyncio.Queue[str | None]] = set()
        self._kinds = {reader.name: "reader" for reader in config.readers}
        self._kinds |= {camera.name: "camera" for camera in config.cameras}
        self.scan = dock.scan
        self.quantity = dock.quantity
        self.undo = dock.undo
        self.open_job = dock.open_job
        self.close_job = dock.close_job
        self.decide = dock.decide
        self._room = Room(config.store, config.reserve_mb * MIB, config.store_mb_max * MIB or None)
        dock.on_change(self._changed)

    # -- views ------------------------------------------------------------------------------------

    def status(self) -> StatusView:
        """Everything on the status page, now."""
        dock, running = self._dock, self._running
        state = dock.books.state
        suspension = state.restraints.suspension
        return StatusView(
            tenant=self._config.tenant,
            zone=self._config.zone,
            node=self._config.node,
            timezone=self._config.timezone,
            version=self._version,
            position=f"{state.epoch}:{state.seq}",
            recording="" if dock.recording else running.trouble or "starting",
            clock_synchronized=dock.moment().synchronized,
            doors=tuple(dock.door(door) for door in dock.doors),
            devices=tuple(self._device(name, *told) for name, told in running.devices.items()),
            holds=tuple(hold_view(dock.books, hold) for hold in state.holds.values()),
            jobs=tuple(self._jobs()),
            links=tuple(link() for link in running.links.values()),
            last=tuple(running.last),
            record=self._record(),
            suspended=suspension.reason if suspension else "",
        )

    def _device(self, name: str, door: str, health: Health) -> DeviceView:
        eyes = tuple(self._running.ill_eyes().get(name, ()))
        state = DEVICE_STATES[health.state]
        return DeviceView(
            device=name,
            door=door,
            state="Degraded" if eyes and state == "Up" else state,
            detail=health.detail,
            reads=health.counts.frames,
            dropped=health.counts.dropped,
            reconnects=health.counts.reconnects,
            since=health.since,
            kind=self._kinds.get(name, "scanner"),
            skipped=frames[-1].reason if (frames := self._running.skipped().get(name)) else "",
            unlit=tuple(self._running.unlit().get(name, ())),
            eyes=eyes,
        )

    def skipped(self, device: str) -> SkippedView:
        """What a reader sent that could not be understood."""
        kept = self._running.skipped()
        if device not in kept:
            raise Refused(
                f"This node has no reader {device[:40]!r}. Its readers are: {', '.join(kept) or 'none'}."
            )
        told = self._running.devices.get(device)
        return SkippedView(
            device,
            told[1].counts.dropped if told is not None else len(kept[device]),
            tuple(SkippedFrame(f.at, f.reason, f.length, f.start.hex()) for f in kept[device]),
        )

    def _record(self) -> RecordView:
        state = self._dock.books.state
        confirmed = self._running.confirmed()
        epochs = [
            msgspec.structs.replace(
                epoch,
                entries=state.own_epochs.get(epoch.epoch, epoch.entries),
                confirmed=confirmed.get(epoch.epoch, 0),
            )
            for epoch in self._running.epochs
        ]
        ballast, free = "none", 0
        with contextlib.suppress(OSError):  # a disk that is away is told by `recording`
            free = self._room.free()
            if self._room.reserve_bytes:
                ballast = "lies ready" if self._room.laid else "released"
        return RecordView(
            epochs=tuple(epochs),
            leases=tuple(lease_views(self._dock.books, self._dock.have)),
            adopted=sum(len(told) for told in state.adopted.values()),
            closed=self._dock.books.is_closed,
            ballast=ballast,
            free_bytes=free,
        )

    async def rotate_key(self, by: str) -> str:
        """Change the node's key; see `edge.service.Service.rotate_key`."""
        return await self._running.rotate_key(by)

    def _jobs(self) -> list[JobView]:
        books = self._dock.books
        doors = self._dock.doors
        views = [
            job_view(books, conveyance, self._dock.have)
            for conveyance in books.state.conveyances.values()
            if conveyance.door in doors
        ]
        order = {"open": 0, "planned": 1, "closed": 2}
        return sorted(views, key=lambda view: (order[view.state], view.job))

    def door(self, door: str) -> DoorView:
        """One door now."""
        return self._dock.door(door)

    def inventory(self, text: str = "", limit: int = 500) -> list[Holding]:
        """Loads in the zone that `text` names."""
        return self._dock.inventory(text, limit)

    def decode(self, code: bytes) -> dict[str, Any]:
        """What a code is, with this node's own codes, as of now."""
        return answer_at(self._dock.books, code, self._dock.moment().at)

    async def entries(self, after: str | None, limit: int) -> list[EntryView]:
        """Entries after a position, oldest first; the newest ones when it is None."""
        return await asyncio.to_thread(_entries, self._config.store, after, limit)

    async def story(self, text: str) -> list[EntryView]:
        """The last entries that speak of `text` (an SSCC, lot, permit or truck), oldest first."""
        return await asyncio.to_thread(_story, self._config.store, text)

    def remember(self, record: bytes) -> None:
        """A told entry, for the list of the last ones."""
        self._running.last.insert(0, entry_view(record))
        del self._running.last[_LAST_ENTRIES:]

    # -- the feed ---------------------------------------------------------------------------------

    def subscribe(self) -> asyncio.Queue[str | None]:
        """A bounded queue of changed doors; a reader that lags gets None and is forgotten."""
        queue: asyncio.Queue[str | None] = asyncio.Queue(_QUEUE_MAX)
        self._queues.add(queue)
        return queue

    def unsubscribe(self, queue: asyncio.Queue[str | None]) -> None:
        """Forget a queue."""
        self._queues.discard(queue)

    def _changed(self, door: str) -> None:
        for queue in list(self._queues):
            if queue.qsize() >= _QUEUE_MAX - 1:
                self._queues.discard(queue)
                queue.put_nowait(None)
            else:
                queue.put_nowait(door)

    # -- figures ----------------------------------------------------------------------------------

    def metrics(self) -> dict[str, Any]:
        """Figures for /metrics; see `edge.metrics.HELP`."""
        dock, running = self._dock, self._running
        devices = running.devices.items()
        figures: dict[str, Any] = {
            **entry_figures(dock.counts),
            "zonegate_recording": int(dock.recording),
            "zonegate_clock_synchronized": int(dock.moment().synchronized),
            "zonegate_behind": [({"sink": name}, link().behind) for name, link in running.links.items()],
            "zonegate_open_holds": len(dock.books.state.holds),
            "zonegate_zone_suspended": int(dock.books.state.restraints.suspension is not None),
            "zonegate_device_reads_total": [({"device": d}, h.counts.frames) for d, (_, h) in devices],
            "zonegate_device_dropped_total": [({"device": d}, h.counts.dropped) for d, (_, h) in devices],
            "zonegate_device_reconnects_total": [
                ({"device": d}, h.counts.reconnects) for d, (_, h) in devices
            ],
        }
        if self._config.readers:
            figures |= passage_figures(dock.passing.counts, running.gate_left_out())
            ill = running.ill_eyes()
            figures["zonegate_eyes_left_out"] = [
                ({"device": d}, len(ill.get(d, ()))) for d, _ in devices if self._kinds.get(d) == "reader"
            ]
            figures["zonegate_reader_frames_skipped_total"] = [
                ({"device": d}, h.counts.dropped) for d, (_, h) in devices if self._kinds.get(d) == "reader"
            ]
        if self._config.cameras:
            figures["zonegate_frames_left_out_total"] = running.frames_left_out()
        if running.journal is not None:
            figures |= journal_figures(running.journal.counters(), dock.clocks.mono_ns())
        return figures


def epoch_views(stored: Questions) -> Iterator[EpochView]:
    """The own epochs, newest first, as they stand in the store, which does not know what the center has."""
    for epoch in reversed(stored.epochs()[-EPOCHS_SHOWN:]):
        first, head = stored.record_at(epoch, 1), stored.head(epoch)
        if first is not None and head is not None:
            entry = read_record(first)
            begin: Begin = read_body(entry)
            yield EpochView(epoch, head.seq, 0, begin.reason, entry.occurred_at, begin.key)


def _entries(store: Path, after: str | None, limit: int) -> list[EntryView]:
    with JournalReader(store) as reader:
        if after is None:
            return [entry_view(record) for _, record in reader.page_before(None, limit)]
        position = reader.position(*_place(after))
        if position is None:
            raise Refused(f"There is no entry at {after[:80]!r}. Ask again without `after`.")
        return [entry_view(record) for _, record in reader.page(max(position, reader.start()), limit)]


def _place(text: str) -> tuple[str, int]:
    epoch, _, seq = text.partition(":")
    if not (seq.isascii() and seq.isdigit() and len(seq) <= SEQ_DIGITS_MAX):
        raise Refused(f"{text[:80]!r} is no position; expected epoch:seq.")
    return epoch, int(seq)


def _story(store: Path, text: str) -> list[EntryView]:
    wanted = text.strip().encode("utf-8")
    if not wanted:
        return []
    with JournalReader(store) as reader:
        return [entry_view(record) for record in reversed(reader.mentions(wanted, _STORY_MAX))]
