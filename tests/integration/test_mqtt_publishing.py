# SPDX-License-Identifier: Apache-2.0
"""The publisher against a real Mosquitto: what arrives, in which order, and what stops it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sync.publishing import MqttState
from sync.topics import DoorState, TopicTree
from tests.integration.mqtt_parts import Subscriber, publishing
from tests.sync.door_log import DoorLog, bodies_of_every_kind, correction, movement
from zonegate.child import free_port
from zonegate.children import OwnMosquitto

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MosquittoMaker

pytestmark = pytest.mark.servers
TOPICS = TopicTree("example", "zone999", "dock1")


async def test_every_kind_of_entry_arrives_in_order_on_its_topic(mosquitto: MosquittoMaker) -> None:
    broker, log = await mosquitto(), DoorLog()
    log.settings()
    told = [log.append(kind, body).entry_id for kind, body in bodies_of_every_kind()]
    undone = log.append("withdrawal", movement(5))
    told += [undone.entry_id, log.append("correction", correction(undone, movement(5))).entry_id]
    async with Subscriber(broker.port) as subscriber, publishing(log, broker.url) as it:
        health = await it.until_all_published()
        await subscriber.until(lambda: len(subscriber.ids()) == len(told))
        assert health.state is MqttState.READY
    assert subscriber.ids() == told
    topics = [message.topic for message in subscriber.messages if "/event/" in message.topic]
    assert topics[0] == TOPICS.event("d1", "admission")
    assert topics[-1] == TOPICS.event("d1", "correction")
    numbers = [event["doorsequence"] for event in subscriber.events()]
    assert numbers == [f"{n:012d}" for n in range(1, len(told) + 1)]
    assert log.saved[-1] == log.places()[-1]


@pytest.mark.usefixtures("mosquitto")  # skipped where there is none
async def test_without_a_broker_nothing_is_lost_and_all_arrives_when_it_comes(tmp_path: Path) -> None:
    broker, log = OwnMosquitto(tmp_path), DoorLog()
    broker._port = free_port()
    told = log.withdraw(20)
    async with publishing(log, broker.url) as it:
        health = await it.until(lambda health: "cannot be reached" in health.detail)
        assert health.state is MqttState.CONNECTING
        assert health.cursor is None
        async with broker, Subscriber(broker.port) as subscriber:
            await it.until_all_published()
            told += log.withdraw(5, first=21)
            await subscriber.until(lambda: len(subscriber.ids()) >= 5)
            await it.until_all_published()
    assert log.saved[-1] == log.places()[-1]


async def test_states_come_first_and_are_retained(mosquitto: MosquittoMaker) -> None:
    broker, log = await mosquitto(), DoorLog()
    log.withdraw(3)
    state = DoorState("ACCEPTED", "ok", "TRUCK-7", 3, 10, f"{'a' * 32}:3", None)
    async with Subscriber(broker.port) as subscriber, publishing(log, broker.url) as it:
        it.publisher.show(TOPICS.door("d1"), state)
        await it.until_all_published()
        await subscriber.until(lambda: len(subscriber.ids()) == 3)
        first = [message.topic for message in subscriber.messages][:2]
        async with Subscriber(broker.port) as late:
            await late.until(lambda: late.last(TOPICS.door("d1")) is not None)
            assert late.last(TOPICS.status) == {"state": "online"}
            assert late.messages[0].retain
    assert set(first) == {TOPICS.door("d1"), TOPICS.status}
    async with Subscriber(broker.port) as later:
        await later.until(lambda: later.last(TOPICS.status) == {"state": "offline"})


async def test_a_restart_goes_on_behind_the_cursor_and_each_door_keeps_its_numbers(
    mosquitto: MosquittoMaker,
) -> None:
    broker, log = await mosquitto(), DoorLog()
    log.withdraw(3, "d1")
    log.withdraw(2, "d2", first=4)
    async with Subscriber(broker.port) as subscriber:
        async with publishing(log, broker.url) as it:
            await it.until_all_published()
        log.withdraw(1, "d1", first=6)
        log.settings()
        log.withdraw(1, "d2", first=7)
        log.begin_epoch("b" * 32)
        log.withdraw(1, "d1", first=8)
        async with publishing(log, broker.url) as it:
            await it.until_all_published()
            assert it.health.published == 3
        await subscriber.until(lambda: len(subscriber.ids()) == 8)
    events = subscriber.events()
    places = [event["data"]["readPoint"]["id"][-2:] for event in events]
    assert places == ["d1", "d1", "d1", "d2", "d2", "d1", "d2", "d1"]
    assert [int(event["doorsequence"]) for event in events] == [1, 2, 3, 1, 2, 4, 3, 1]
    assert len([message for message in subscriber.messages if "/event/" in message.topic]) == 8
