# SPDX-License-Identifier: Apache-2.0
"""A publisher that runs in a test, and a subscriber that shares no code with it."""

from __future__ import annotations

import asyncio
import json
import random
import ssl
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from sync.broker import BrokerSettings
from sync.mqtt import MqttPublisher
from sync.publishing import MqttHealth, MqttState, PublishSettings
from tests.sync.asyncapi import judge
from tests.sync.door_log import SITE, START, DoorLog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

SECONDS_MAX = 60.0


class Subscriber:
    """Takes all of zonegate/#; `messages` in the order they came. At the end the document judges each.

    With `hold` it acknowledges nothing: a broker that dies has then nothing of ours unread, so its end of
    the connection closes in order and all that it had written is still read.
    """

    def __init__(
        self,
        port: int,
        client_id: str = "",
        session_seconds: int = 0,
        qos: int = 1,
        tls: ssl.SSLContext | None = None,
        version: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5,
        hold: bool = False,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._port, self._session, self._qos, self._version = port, session_seconds, qos, version
        self.messages: list[MQTTMessage] = []
        self._events: dict[str, dict[str, Any]] = {}
        self.subscribed = False
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if version is MQTTProtocolVersion.MQTTv5 else session_seconds == 0,
            protocol=version,
            manual_ack=hold,
        )
        if tls is not None:
            self._client.tls_set_context(tls)
        self._client.on_connect = lambda client, *_: client.subscribe("zonegate/#", qos=self._qos)
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, 1)

    def _on_subscribe(self, *_: object) -> None:
        self.subscribed = True
        self._loop.call_soon_threadsafe(self._news.set)

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self.messages.append(message)
        if "/event/" in message.topic:
            event = json.loads(message.payload)
            self._events.setdefault(event["id"], event)
        self._loop.call_soon_threadsafe(self._news.set)

    async def __aenter__(self) -> Self:
        if self._version is MQTTProtocolVersion.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = self._session
            self._client.connect(
                "127.0.0.1", self._port, clean_start=self._session == 0, properties=properties
            )
        else:
            self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        await self.until(lambda: self.subscribed)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)
        for message in self.messages:
            judge(message.topic, bytes(message.payload))

    def expect_again(self) -> None:
        """The broker is about to go: wait for `subscribed` anew."""
        self.subscribed = False

    async def until(self, condition: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(SECONDS_MAX):
                while not condition():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pytest.fail(f"this did not come within {SECONDS_MAX:.0f} s; {len(self.ids())} events came")

    def events(self) -> list[dict[str, Any]]:
        """The events, each id once, in the order of first arrival."""
        return list(self._events.values())

    def ids(self) -> list[str]:
        return list(self._events)

    def last(self, topic: str) -> dict[str, Any] | None:
        found = [message.payload for message in self.messages if message.topic == topic]
        state: dict[str, Any] | None = json.loads(found[-1]) if found else None
        return state


class Publishing:
    """A publisher under test, with the means to wait for what it says of itself."""

    def __init__(self, log: DoorLog, settings: PublishSettings, now: Callable[[], datetime]) -> None:
        self.log = log
        self.seen: list[MqttHealth] = []
        self._news = asyncio.Event()
        self.publisher = MqttPublisher(
            settings, SITE, log, log, log.record_skip, now, random.Random(7).random, self._changed
        )

    def _changed(self, health: MqttHealth) -> None:
        self.seen.append(health)
        self._news.set()

    @property
    def health(self) -> MqttHealth:
        return self.publisher.health

    async def until(self, condition: Callable[[MqttHealth], bool]) -> MqttHealth:
        """Wait for a change of state or alarm that fits, or for the cursor."""
        try:
            async with asyncio.timeout(SECONDS_MAX):
                while not condition(self.health):
                    self._news.clear()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._news.wait(), 0.02)
        except TimeoutError:
            pytest.fail(f"this did not come within {SECONDS_MAX:.0f} s; the publisher says {self.health}")
        return self.health

    async def until_state(self, state: MqttState) -> MqttHealth:
        return await self.until(lambda health: health.state is state)

    async def until_published(self, count: int) -> MqttHealth:
        return await self.until(lambda health: health.published >= count)

    async def until_all_published(self) -> MqttHealth:
        return await self.until(lambda health: health.cursor == self.log.told[-1].place)


def settings_for(url: str, **changes: Any) -> PublishSettings:
    """Settings with short pauses and a client id of the node's."""
    broker = {
        name: changes.pop(name)
        for name in (
            "username",
            "password",
            "ca",
            "certificate",
            "key",
            "keepalive_seconds",
            "answer_seconds_max",
            "further",
        )
        if name in changes
    }
    defaults: dict[str, Any] = {
        "retry_seconds_min": 0.05,
        "retry_seconds_max": 0.2,
        "replay_per_second_max": 20_000,
    }
    return PublishSettings(BrokerSettings(url, "dock1", **broker), **{**defaults, **changes})


@asynccontextmanager
async def publishing(
    log: DoorLog, url: str, now: Callable[[], datetime] = lambda: START + timedelta(seconds=1), **changes: Any
) -> AsyncIterator[Publishing]:
    """A publisher that runs within the block."""
    it = Publishing(log, settings_for(url, **changes), now)
    task = asyncio.create_task(it.publisher.run())
    try:
        yield it
        if task.done():
            task.result()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
