# SPDX-License-Identifier: Apache-2.0
"""Publishes a log's door events and the dock's present states to an MQTT broker. A notification, no more.

The log is the queue: entries are read behind a cursor, sent with QoS 1 in a window of its own, and the
cursor moves over them in order once the broker has answered well. An answer is not delivery - the record is
the center's. Nothing waits inside the MQTT client; after every loss it goes on behind the cursor, so an
event may come twice and consumers tell by its id.

What the broker refuses stops the cursor with an alarm. It is tried again, and left out only by `skip`,
which is an entry of its own. Sees a log through `sync.publishing`; knows no journal, no door.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from paho.mqtt.client import MQTTv5, MQTTv311

from sync.bodies import DOOR_EVENTS, Skipped, read_body
from sync.broker import BrokerLink, HungUp, VersionRefused, Will
from sync.cloudevents import CONTENT_TYPE, event_bytes, event_type
from sync.entry import Entry, Place, read_record
from sync.epcis import Site
from sync.errors import EntryError, EventError, SettingsError, TransportError
from sync.publishing import SINK, CursorStore, EventSource, MqttHealth, MqttState, PublishSettings
from sync.topics import OFFLINE, ONLINE, Retained, TopicTree, payload_of
from sync.window import Flight, Window


class MqttPublisher:
    """Publishes until its `run` is cancelled. All of it lives on one event loop.

    `record_skip` appends a `skipped` entry and returns when it is told; `now` is UTC; `jitter` returns
    0.0-1.0; `on_change` is called with the health when its state or alarm changes.
    """

    def __init__(
        self,
        settings: PublishSettings,
        site: Site,
        source: EventSource,
        cursors: CursorStore,
        record_skip: Callable[[Skipped], Awaitable[None]],
        now: Callable[[], datetime],
        jitter: Callable[[], float],
        on_change: Callable[[MqttHealth], None] = lambda _: None,
    ) -> None:
        self.topics = TopicTree(site.tenant, site.zone, site.node)
        self._settings = settings
        self._site = site
        self._source = source
        self._cursors = cursors
        self._record_skip = record_skip
        self._now = now
        self._jitter = jitter
        self._on_change = on_change
        self._shown: dict[str, bytes] = {self.topics.status: payload_of(ONLINE)}
        self._unsent: dict[str, None] = {}
        self._states_away: dict[int, str] = {}
        self._window = Window()
        self._door_counts: dict[tuple[str, str], int] = {}
        self._moved = asyncio.Event()
        self._link: BrokerLink | None = None
        self._running = False
        self._detail = "not started"
        self._cursor: Place | None = None
        self._saved: Place | None = None
        self._suspect: Place | None = None
        self._losses = self._hung_up = self._paced = self._turn = 0
        self._published = self._no_subscribers = self._refused = self._states_refused = 0
        self._left_out = self._connections = 0
        self._told_health: tuple[MqttState, str | None] | None = None

    @property
    def health(self) -> MqttHealth:
        """The publisher at this moment."""
        blocked, alarm = self._blocked()
        first = self._window.first
        return MqttHealth(
            state=self._state(blocked),
            detail=alarm or self._detail,
            alarm=alarm,
            blocked=blocked,
            cursor=self._cursor,
            in_flight=self._away,
            published=self._published,
            no_subscribers=self._no_subscribers,
            refused=self._refused,
            states_refused=self._states_refused,
            left_out=self._left_out,
            connections=self._connections,
            oldest=first.entry.recorded_at if first else None,
        )

    def show(self, topic: str, state: Retained) -> None:
        """Retain `state` on one of `topics`: the newest of each is sent, and again after each loss."""
        payload = payload_of(state)
        if self._shown.get(topic) != payload:
            self._shown[topic] = payload
            self._unsent[topic] = None
            self._moved.set()

    async def skip(self, epoch: str, seq: int, reason: str, by: str) -> None:
        """Leave out the entry that stops the cursor: a recorded act of `by`.

        Raises EventError when that entry does not stop it; nothing is recorded then.
        """
        blocked, _ = self._blocked()
        if blocked is None or (blocked.epoch, blocked.seq) != (epoch, seq):
            stops = "nothing does" if blocked is None else f"entry {blocked.epoch}:{blocked.seq} does"
            raise EventError(f"entry {epoch}:{seq} does not stop the publishing, {stops}; look again")
        await self._record_skip(Skipped(SINK, epoch, seq, seq, reason, by))
        self._left_out += 1
        if len(self._window):
            self._window.leave_out(blocked)
            self._advance()
        elif self._suspect == blocked:
            self._move(blocked)
        self._save_cursor()
        self._changed()

    async def run(self) -> None:
        """Connect, publish, connect again, until cancelled; then say offline and goodbye.

        Whatever source, cursors or `record_skip` raise ends it.
        """
        self._running = True
        self._cursor = self._saved = self._cursors.load()
        try:
            await _together(self._keep_linked(), self._save_often())
        finally:
            self._running = False
            self._detail = "stopped"
            self._save_cursor()
            self._changed()

    # The connection

    async def _keep_linked(self) -> None:
        failures = 0
        while True:
            link = await self._open()
            if link is not None:
                loop = asyncio.get_running_loop()
                began, before = loop.time(), self._cursor
                try:
                    await self._serve(link)
                finally:
                    await self._part(link)
                if self._cursor != before or loop.time() - began > self._settings.retry_seconds_max:
                    failures = 0
                self._next_address()
            failures += 1
            self._changed()
            await asyncio.sleep(self._pause(failures))

    async def _open(self) -> BrokerLink | None:
        """A connection by MQTT 5, else by 3.1.1 where the broker knows no other; None and why in `detail`.

        After None the next attempt goes to the next address; to the same one only where the first hanging up
        may have meant the version.
        """
        try:
            link = await self._open_version(MQTTv5)
        except (TransportError, SettingsError) as error:
            self._detail = str(error)
            self._hung_up += isinstance(error, HungUp)
            # A broker that knows no MQTT 5 says so, or hangs up; a restart may look like the latter once.
            if not isinstance(error, VersionRefused | HungUp):
                self._next_address()
                return None
            if isinstance(error, HungUp) and self._hung_up < _HANG_UPS_MEAN_OLD:
                return None
            try:
                link = await self._open_version(MQTTv311)
            except (TransportError, SettingsError) as older:
                self._detail = str(older)
                self._next_address()
                return None
        self._hung_up = 0
        return link

    def _next_address(self) -> None:
        self._turn, self._hung_up = self._turn + 1, 0

    async def _open_version(self, version: int) -> BrokerLink:
        will = Will(self.topics.status, payload_of(OFFLINE))
        return await BrokerLink.open(self._settings.broker.at(self._turn), version, will, self._answered)

    async def _serve(self, link: BrokerLink) -> None:
        """Publish on one connection until it is lost: states first, then events in order."""
        self._window.clear()
        self._states_away.clear()
        self._door_counts.clear()
        self._unsent = dict.fromkeys(self._shown)
        self._link = link
        self._connections += 1
        self._detail = _WORKING[link.reports_rejections]
        self._changed()
        await _together(
            self._tell_states(link), self._tell_events(link), self._retry_refused(link), until=link.lost
        )
        self._detail = link.lost.result()
        self._note_loss()

    async def _part(self, link: BrokerLink) -> None:
        """Leave the broker in order when we still may: offline is said, not left to the will."""
        if not link.lost.done():
            self._unsent.clear()
            link.publish(self.topics.status, payload_of(OFFLINE), retain=True)
        await link.close()
        self._link = None

    def _note_loss(self) -> None:
        """A refusal may come as the end of the connection, on MQTT 3.1.1 always: find of which entry."""
        first = self._window.first
        if first is None or self._suspect != first.place:
            self._losses = 0
        self._suspect = first.place if first else None
        if first is not None:
            self._losses += 1

    def _pause(self, failures: int) -> float:
        settings = self._settings
        longest = min(settings.retry_seconds_max, settings.retry_seconds_min * 2.0 ** min(failures - 1, 30))
        return longest * (0.5 + 0.5 * self._jitter())

    # Sending

    @property
    def _away(self) -> int:
        return self._window.unanswered + len(self._states_away)

    def _room(self, link: BrokerLink) -> bool:
        # One at a time shows on which entry the connection ends.
        limit = 1 if self._losses >= _LOSSES_MEAN_REFUSED else self._settings.window_max
        return self._away < min(limit, link.receive_max)

    async def _until(self, condition: Callable[[], bool], seconds_max: float | None = None) -> None:
        """Wait until `condition` holds, or the time is over; looked at whenever anything moved."""
        try:
            async with asyncio.timeout(seconds_max):
                while not condition():
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            return

    def _new_states(self) -> list[str]:
        """Topics with a state to send; one whose last message is not answered waits, the newest wins."""
        away = set(self._states_away.values())
        return [topic for topic in self._unsent if topic not in away]

    async def _tell_states(self, link: BrokerLink) -> None:
        while True:
            await self._until(lambda: bool(self._new_states()) and self._room(link))
            topic = self._new_states()[0]
            del self._unsent[topic]
            mid = link.publish(topic, self._shown[topic], retain=True)
            if mid is not None:
                self._states_away[mid] = topic
            self._moved.set()

    async def _tell_events(self, link: BrokerLink) -> None:
        await self._until(lambda: not self._unsent)
        await self._leave_out_old()
        position = self._cursor
        while True:
            page = await self._source.after(position, _PAGE_ENTRIES)
            if not page:
                await self._source.wait(position)
                continue
            for told in page:
                await self._until(
                    lambda: (
                        self._window.refused is None
                        and self._room(link)
                        and len(self._window) < _WINDOW_ENTRIES_MAX
                    )
                )
                flight = Flight(told.place, read_record(told.record))
                self._window.add(flight)
                position = told.place
                if position.seq % _EVENTS_AT_ONCE == 0:
                    await asyncio.sleep(0)
                if flight.entry.type in DOOR_EVENTS and flight.entry.door is not None:
                    flight.door_sequence = await self._door_sequence(flight.entry.door, told.place)
                    await self._send(link, flight)
                else:
                    flight.done = True
                    self._advance()

    async def _send(self, link: BrokerLink, flight: Flight) -> None:
        """Send one event; what cannot be sent as it is counts as refused, by us."""
        entry = flight.entry
        assert entry.door is not None
        replay = self._is_old(entry, self._settings.replay_after_seconds)
        if replay:
            await self._pace()
        try:
            topic = self.topics.event(entry.door, entry.type)
            payload = event_bytes(
                entry,
                flight.place.hash,
                flight.door_sequence,
                self._site,
                original=await self._original(entry),
                replay=replay,
                records=self._settings.records,
            )
        except (EventError, EntryError) as error:
            self._refuse(flight, str(error))
            return
        if not link.fits(topic, payload):
            limit = link.packet_bytes_max
            self._refuse(flight, f"its {len(payload)} bytes are over the broker's packet limit of {limit}")
            return
        marks = {"id": entry.entry_id, "type": event_type(entry.type), "zone": self._site.zone}
        if replay:
            marks["replay"] = "true"
        mid = link.publish(topic, payload, content_type=CONTENT_TYPE, marks=marks)
        if mid is not None:
            self._window.sent(flight, mid)

    async def _original(self, entry: Entry) -> Entry | None:
        if entry.type != "correction":
            return None
        record = await self._source.original(read_body(entry).corrects)
        return None if record is None else read_record(record)

    async def _door_sequence(self, door: str, place: Place) -> int:
        key = (place.epoch, door)
        counted = self._door_counts.get(key)
        here = await self._source.door_count(door, place) if counted is None else counted + 1
        self._door_counts[key] = here
        return here

    async def _pace(self) -> None:
        """Hold a replay to its rate, in slices: a loop cannot sleep for a millisecond and be exact."""
        self._paced += 1
        slice_events = max(1, self._settings.replay_per_second_max // 20)
        if self._paced % slice_events == 0:
            await asyncio.sleep(slice_events / self._settings.replay_per_second_max)

    def _is_old(self, entry: Entry, seconds: float) -> bool:
        return self._now() - entry.recorded_at > timedelta(seconds=seconds)

    # What comes back

    def _answered(self, mid: int, reason: int) -> None:
        """A PUBACK: the cursor moves over what is answered well, in order."""
        refused = reason >= _REFUSALS_FROM
        if self._states_away.pop(mid, None) is not None:
            self._states_refused += refused
        else:
            said = f"the broker answers {_REASONS.get(reason, 'with a refusal')} (0x{reason:02X})"
            if self._window.answered(mid, said if refused else None) is not None:
                self._refused += refused
                self._published += not refused
                self._no_subscribers += reason == _NO_SUBSCRIBERS
                self._advance()
        self._moved.set()
        self._changed()

    def _refuse(self, flight: Flight, why: str) -> None:
        flight.refusal = why
        self._refused += 1
        self._moved.set()
        self._changed()

    async def _retry_refused(self, link: BrokerLink) -> None:
        """Send the oldest refused entry again, after ever longer pauses; nothing else goes until then."""
        failures = 0
        last: Flight | None = None
        while True:
            await self._until(lambda: self._window.refused is not None)
            flight = self._window.refused
            failures, last = (failures + 1 if flight is last else 1), flight
            await self._until(lambda: self._window.refused is not flight, self._pause(failures))  # noqa: B023
            if flight is not None and self._window.refused is flight:
                await self._send(link, flight)
                await self._until(lambda: flight.mid is None)  # noqa: B023

    async def _leave_out_old(self) -> None:
        """Pass over entries beyond the configured age, each epoch's range named by an entry of its own."""
        age = self._settings.age_seconds_max
        while age is not None:
            page = await self._source.after(self._cursor, _PAGE_ENTRIES)
            old: list[tuple[Place, Entry]] = []
            for told in page:
                entry = read_record(told.record)
                if not self._is_old(entry, age) or (old and told.place.epoch != old[0][0].epoch):
                    break
                old.append((told.place, entry))
            if not old:
                return
            events = sum(entry.type in DOOR_EVENTS for _, entry in old)
            first, last = old[0][0], old[-1][0]
            if events:
                reason = f"recorded more than {age:g} seconds ago"
                await self._record_skip(Skipped(SINK, first.epoch, first.seq, last.seq, reason, "node"))
                self._left_out += events
            self._move(last)

    def _advance(self) -> None:
        place = self._window.advance()
        if place is not None:
            self._losses, self._suspect = 0, None
            self._move(place)

    def _move(self, place: Place) -> None:
        self._cursor = place
        self._moved.set()

    async def _save_often(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self._save_cursor()

    def _save_cursor(self) -> None:
        if self._cursor is not None and self._cursor != self._saved:
            self._cursors.save(self._cursor)
            self._saved = self._cursor

    # How it is

    def _blocked(self) -> tuple[Place | None, str | None]:
        """The entry that stops the cursor, and why; both None when none does."""
        flight = self._window.refused
        if flight is not None:
            what = f"{flight.entry.type} {_name(flight.place)}"
            return flight.place, f"{what} stops the publishing: {flight.refusal}"
        if self._suspect is not None and self._losses >= _LOSSES_MEAN_REFUSED:
            return self._suspect, (
                f"entry {_name(self._suspect)} stops the publishing: "
                f"the connection ended on it {self._losses} times, it may be more than the broker takes"
            )
        return None, None

    def _state(self, blocked: Place | None) -> MqttState:
        if not self._running:
            return MqttState.OFF
        if blocked is not None:
            return MqttState.BLOCKED
        if self._link is None:
            return MqttState.CONNECTING
        if not self._link.reports_rejections or self._states_refused:
            return MqttState.DEGRADED
        return MqttState.READY

    def _changed(self) -> None:
        health = self.health
        if (health.state, health.alarm) != self._told_health:
            self._told_health = (health.state, health.alarm)
            self._on_change(health)


async def _together(*jobs: Coroutine[Any, Any, None], until: asyncio.Future[str] | None = None) -> None:
    """Run jobs that have no end of their own until `until` is done; what one of them raises is raised."""
    work = [asyncio.create_task(job) for job in jobs]
    ends: list[asyncio.Future[Any]] = [*work] if until is None else [*work, until]
    try:
        done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
    for end in done:
        end.result()


_PAGE_ENTRIES = 200
# Building this many takes some milliseconds; a scan that comes meanwhile goes first then.
_EVENTS_AT_ONCE = 10
# Entries between the cursor and the newest sent; only those that are no events pass without an answer.
_WINDOW_ENTRIES_MAX = 2_000
_HANG_UPS_MEAN_OLD = 2
_LOSSES_MEAN_REFUSED = 3

# MQTT 5, section 2.4: from here a reason code is a failure.
_REFUSALS_FROM = 0x80
_NO_SUBSCRIBERS = 0x10
_REASONS = {
    0x80: "unspecified error",
    0x83: "implementation specific error",
    0x87: "not authorized",
    0x90: "topic name invalid",
    0x97: "quota exceeded",
    0x99: "payload format invalid",
}
_WORKING = {True: "working", False: "MQTT 3.1.1: the broker reports no rejections"}


def _name(place: Place) -> str:
    return f"{place.epoch[:8]}:{place.seq}"
