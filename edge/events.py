# SPDX-License-Identifier: Apache-2.0
"""The broker's sink: the journal as the publisher reads it, and the doors' retained states."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from customs.documents import Direction
from edge.config import MqttConfig, NodeConfig
from edge.dock import Dock
from edge.journal import Journal
from edge.store import JournalReader
from edge.view import DoorView, LinkView
from sync.bodies import DOOR_EVENTS, Skipped
from sync.broker import BrokerSettings
from sync.entry import Head, Place, read_record
from sync.epcis import VOCABULARY, Site
from sync.mqtt import MqttPublisher
from sync.publishing import SINK, MqttState, PublishSettings, Told
from sync.topics import DeviceState, DoorState, JobState, TopicTree

_DAY_S: Final = 86_400.0

_STATES: Final = {
    MqttState.READY: "Up",
    MqttState.DEGRADED: "Degraded",
    MqttState.BLOCKED: "Degraded",
    MqttState.CONNECTING: "Down",
    MqttState.OFF: "Unknown",
}


class JournalEvents:
    """The journal as `sync.publishing` wants it: told entries, cursor, originals."""

    def __init__(self, journal: Journal, reader: JournalReader) -> None:
        self._journal = journal
        self._reader = reader
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Something was told."""
        self._news.set()

    async def after(self, place: Place | None, limit: int) -> Sequence[Told]:
        """Told entries behind a place, oldest first."""
        position = self._reader.position(place.epoch, place.seq) if place else None
        start = self._reader.start()  # what was pruned is published no more
        found = []
        for _, record in self._reader.page(max(position or 0, start), limit):
            entry = read_record(record)
            told = self._journal.told
            if entry.epoch == told.epoch and entry.seq > told.seq:
                break
            digest = self._reader.hash_at(entry.epoch, entry.seq)
            found.append(Told(Place(entry.epoch, entry.seq, digest or ""), record))
        return found

    async def wait(self, place: Place | None) -> None:
        """Until there is an entry behind `place`."""
        while not await self.after(place, 1):
            self._news.clear()
            if await self.after(place, 1):
                return
            await self._news.wait()

    async def original(self, entry_id: str) -> bytes | None:
        """The record of an entry."""
        return self._reader.entry(entry_id)

    async def door_count(self, door: str, upto: Place) -> int:
        """Events of a door in the epoch of `upto`, that one included."""
        return self._reader.door_count(upto.epoch, door, upto.seq, DOOR_EVENTS)

    def load(self) -> Place | None:
        """The cursor as last kept."""
        return self._reader.cursor(SINK)

    def save(self, place: Place) -> None:
        """Keep the cursor with the next batch."""
        self._journal.set_cursor(SINK, place)


class Events:
    """Publishes one node's events and states while a journal is open."""

    def __init__(self, config: NodeConfig, mqtt: MqttConfig, dock: Dock) -> None:
        self._site = Site(
            config.tenant, config.zone, config.node, config.timezone, mqtt.vocabulary or VOCABULARY
        )
        self._dock = dock
        days = mqtt.skip_older_than_days
        self._settings = PublishSettings(
            broker=BrokerSettings(
                url=mqtt.url,
                client_id=f"zonegate-{config.tenant}-{config.zone}-{config.node}",
                username=mqtt.username,
                password=mqtt.password,
                ca=Path(mqtt.ca) if mqtt.ca else None,
                certificate=Path(mqtt.certificate) if mqtt.certificate else None,
                key=Path(mqtt.key) if mqtt.key else None,
                further=mqtt.further,
            ),
            records=mqtt.records,
            age_seconds_max=days * _DAY_S if days else None,
        )
        self._topics = TopicTree(config.tenant, config.zone, config.node)
        self._publisher: MqttPublisher | None = None
        self._source: JournalEvents | None = None
        self._journal: Journal | None = None
        self._devices: dict[tuple[str, str], DeviceState] = {}
        dock.on_change(self._door_changed)

    def wake(self) -> None:
        """Something was told."""
        if self._source is not None:
            self._source.wake()

    def link(self) -> LinkView:
        """How far the broker is."""
        if self._publisher is None or self._journal is None:
            return LinkView("mqtt", "Unknown", 0, "not started", None)
        health = self._publisher.health
        cursor = health.cursor
        told = self._journal.told
        behind = told.seq - cursor.seq if cursor and cursor.epoch == told.epoch else told.seq
        return LinkView("mqtt", _STATES[health.state], max(0, behind), health.detail, health.oldest)

    def show_device(self, door: str, device: str, state: DeviceState) -> None:
        """Retain a device's state."""
        self._devices[door, device] = state
        if self._publisher is not None:
            self._publisher.show(self._topics.device(door, device), state)

    async def skip(self, epoch: str, seq: int, reason: str, by: str) -> None:
        """Leave out the entry that stops the publishing: a recorded act."""
        if self._publisher is not None:
            await self._publisher.skip(epoch, seq, reason, by)

    async def run(self, journal: Journal, store: Path) -> None:
        """Publish until cancelled."""
        with JournalReader(store) as reader:
            self._journal = journal
            self._source = JournalEvents(journal, reader)
            self._publisher = MqttPublisher(
                self._settings,
                self._site,
                self._source,
                self._source,
                self._record_skip,
                self._dock.clocks.utc,
                random.random,
                lambda _: self._dock.changed(""),
            )
            journal.on_head(self._show_head)
            self._show_head(journal.head())
            for door in self._dock.doors:
                self._door_changed(door)
            for (door, device), state in self._devices.items():
                self.show_device(door, device, state)
            try:
                await self._publisher.run()
            finally:
                self._publisher = self._source = self._journal = None

    async def _record_skip(self, skipped: Skipped) -> None:
        await self._dock.write("skipped", skipped)

    def _show_head(self, head: Head) -> None:
        if self._publisher is not None:
            self._publisher.show(self._topics.head, head)

    def _door_changed(self, door: str) -> None:
        if self._publisher is None or not door:
            return
        view = self._dock.door(door)
        self._publisher.show(self._topics.door(door), _door_state(view))
        self._publisher.show(self._topics.job(door), _job_state(view))


def _door_state(view: DoorView) -> DoorState:
    job = view.job.job if view.job else None
    return DoorState(view.state, view.reason, job, view.counted, view.planned, view.position, view.at)


def _job_state(view: DoorView) -> JobState:
    job = view.job
    if job is None:
        return JobState("none", None, None, None, None, 0, 0, view.at)
    direction = Direction(job.direction).value
    return JobState(
        job.state, job.job, job.conveyance, job.carrier, direction, job.counted, job.planned, view.at
    )
