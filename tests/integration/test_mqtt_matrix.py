# SPDX-License-Identifier: Apache-2.0
"""The same promises on a Mosquitto spoken to by MQTT 5 and by 3.1.1: killed, restarted, cut off, unheard.

The publisher chooses the version itself; a front that refuses MQTT 5 makes it 3.1.1. Subscribers speak the
version under test too.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from sync.mqtt import MqttPublisher
from sync.publishing import MqttState
from sync.topics import DoorState
from tests.integration.mqtt_front import VersionFront
from tests.integration.mqtt_parts import SECONDS_MAX, Subscriber, publishing
from tests.sync.door_log import DoorLog

if TYPE_CHECKING:
    from sync.broker import BrokerLink
    from sync.window import Flight
    from tests.conftest import MosquittoMaker
    from zonegate.children import OwnMosquitto

V5, V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
WORKING = {V5: MqttState.READY, V311: MqttState.DEGRADED}

pytestmark = [
    pytest.mark.servers,
    pytest.mark.parametrize("version", [V5, V311], ids=["mqtt5", "mqtt3.1.1"]),
]

# No bound of the broker's own may drop or delay what the consumer is to get.
UNBOUNDED = ["max_queued_messages 0", "max_inflight_messages 0"]
BURST = 120


def keep_sessions(broker: OwnMosquitto, client_id: str) -> None:
    """Let the broker write its state now, and wait until the session is on the disk."""
    stored = broker.folder / "store" / "mosquitto.db"
    os.kill(broker.pid, signal.SIGUSR1)
    deadline = time.monotonic() + SECONDS_MAX
    while not (stored.exists() and client_id.encode() in stored.read_bytes()):
        assert time.monotonic() < deadline, "the broker did not write its state"
        time.sleep(0.02)


def move_the_cursor_at_sending(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault that this file must find."""
    genuine = MqttPublisher._send

    async def send(self: MqttPublisher, link: BrokerLink, flight: Flight) -> None:
        await genuine(self, link, flight)
        flight.done = True
        self._advance()

    monkeypatch.setattr(MqttPublisher, "_send", send)


@pytest.mark.parametrize("planted", [False, True], ids=["genuine", "cursor-at-sending"])
async def test_a_consumer_with_a_session_gets_every_entry_in_order_through_kills_and_cuts(
    mosquitto: MosquittoMaker, monkeypatch: pytest.MonkeyPatch, version: MQTTProtocolVersion, planted: bool
) -> None:
    """With `planted` the publisher does not wait for answers: the control, which must lose entries."""
    if planted:
        move_the_cursor_at_sending(monkeypatch)
    broker, log = await mosquitto(UNBOUNDED), DoorLog()
    told: list[str] = []
    async with AsyncExitStack() as stack:
        consumer = await stack.enter_async_context(
            Subscriber(broker.port, "consumer", session_seconds=600, version=version, hold=True)
        )
        await asyncio.to_thread(keep_sessions, broker, "consumer")
        front = await stack.enter_async_context(VersionFront(broker.port, refuse=version is V311))
        it = await stack.enter_async_context(publishing(log, front.url, answer_seconds_max=SECONDS_MAX))

        async def restart() -> None:
            # First the publisher comes back, so that the broker keeps events for a session without a client.
            consumer.expect_again()
            await broker.kill()
            await broker.start()
            front.open()
            await it.until(lambda health: health.state is WORKING[version])
            await consumer.until(lambda: consumer.subscribed)

        async def settle() -> None:
            # What the broker took for the session and has not passed on would die with the next kill.
            told.extend(log.withdraw(1, first=len(told) + 1))
            await consumer.until(lambda: told[-1] in consumer.ids())

        # Killed while events flow.
        told += log.withdraw(BURST, first=1)
        await consumer.until(lambda: len(consumer.ids()) > 5)
        front.shut()
        await restart()
        await settle()

        # The connection cut while events flow.
        told += log.withdraw(BURST, first=len(told) + 1)
        await consumer.until(lambda: len(consumer.ids()) > len(told) - BURST + 5)
        await front.cut()
        await settle()

        # Stopped with a full window unanswered in its hands, then killed.
        os.kill(broker.pid, signal.SIGSTOP)
        told += log.withdraw(BURST, first=len(told) + 1)
        await it.until(lambda health: health.in_flight >= 20)
        front.shut()
        await restart()
        await settle()
        await it.until_all_published()
        await it.until(lambda health: health.in_flight == 0)
        assert it.health.connections >= 4
        assert it.health.state is WORKING[version]

    assert (consumer.ids() == told) is not planted
    assert bool(set(told) - set(consumer.ids())) is planted
    if not planted:
        numbers = [int(event["doorsequence"]) for event in consumer.events()]
        assert numbers == list(range(1, len(told) + 1))
    assert log.saved[-1] == log.places()[-1]
    assert log.skips == []


async def test_states_are_retained_and_the_last_will_says_offline(
    mosquitto: MosquittoMaker, version: MQTTProtocolVersion
) -> None:
    broker, log = await mosquitto(), DoorLog()
    log.withdraw(3)
    door = DoorState("ACCEPTED", "ok", "TRUCK-7", 3, 10, f"{'a' * 32}:3", None)
    async with AsyncExitStack() as stack:
        subscriber = await stack.enter_async_context(Subscriber(broker.port, version=version))
        front = await stack.enter_async_context(VersionFront(broker.port, refuse=version is V311))
        it = await stack.enter_async_context(publishing(log, front.url))
        topics = it.publisher.topics
        it.publisher.show(topics.door("d1"), door)
        await it.until_all_published()

        def shown() -> int:
            return sum(message.topic == topics.door("d1") for message in subscriber.messages)

        async def retained(status: str) -> None:
            """A newcomer is given the door's state and this status, both as retained."""
            async with Subscriber(broker.port, version=version) as late:
                await late.until(lambda: late.last(topics.status) == {"state": status})
                await late.until(lambda: (late.last(topics.door("d1")) or {}).get("counted") == 3)
                assert all(message.retain for message in late.messages)
                assert late.ids() == []

        await subscriber.until(lambda: subscriber.last(topics.status) == {"state": "online"})
        await retained("online")
        # Without a goodbye, and kept away afterwards: the broker speaks for the node.
        front.shut()
        await front.cut()
        await subscriber.until(lambda: subscriber.last(topics.status) == {"state": "offline"})
        await retained("offline")
        # A broker that lost its memory is told all states again.
        before = shown()
        subscriber.expect_again()
        await broker.kill()
        (broker.folder / "store" / "mosquitto.db").unlink(missing_ok=True)
        await broker.start()
        await subscriber.until(lambda: subscriber.subscribed)
        front.open()
        await subscriber.until(lambda: subscriber.last(topics.status) == {"state": "online"})
        await it.until_state(WORKING[version])
        await subscriber.until(lambda: shown() > before)
        await retained("online")
    async with Subscriber(broker.port, version=version) as later:
        await later.until(lambda: later.last(topics.status) == {"state": "offline"})


async def test_without_subscribers_the_cursor_moves_and_what_can_be_known_is_counted(
    mosquitto: MosquittoMaker, version: MQTTProtocolVersion
) -> None:
    broker, log = await mosquitto(), DoorLog()
    log.withdraw(7)
    async with AsyncExitStack() as stack:
        front = await stack.enter_async_context(VersionFront(broker.port, refuse=version is V311))
        it = await stack.enter_async_context(publishing(log, front.url))
        health = await it.until_all_published()
        # 3.1.1 has no reason codes, so nobody can say that nobody listens; the events go on all the same.
        assert (health.published, health.no_subscribers) == (7, 7 if version is V5 else 0)
        assert (health.state, health.refused, health.alarm) == (WORKING[version], 0, None)
