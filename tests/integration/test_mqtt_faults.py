# SPDX-License-Identifier: Apache-2.0
"""What brokers do to a publisher: die, refuse, overflow, close. Against a real Mosquitto."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from sync.bodies import Release
from sync.errors import EventError
from sync.mqtt import MqttPublisher
from sync.publishing import MqttHealth, MqttState
from sync.topics import DoorState
from tests.integration.mqtt_front import OLD_REFUSAL, HangingUp, Silent, VersionFront
from tests.integration.mqtt_parts import Publishing, Subscriber, publishing, settings_for
from tests.sync.door_log import START, DoorLog, correction, movement
from zonegate.child import free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sync.broker import BrokerLink
    from sync.entry import Place
    from sync.publishing import Told
    from sync.window import Flight
    from tests.conftest import MosquittoMaker

pytestmark = pytest.mark.servers

# Anyone may read; only door d1's events, states and the node's status may be written.
ONE_DOOR_ACL = b"""\
topic read zonegate/#
topic write zonegate/v1/example/zone999/dock1/d1/#
topic write zonegate/v1/example/zone999/dock1/status
"""
ACL_CONFIG = ["acl_file {folder}/acl"]


async def test_a_broker_killed_again_and_again_gets_every_entry_in_order(mosquitto: MosquittoMaker) -> None:
    broker, log = await mosquitto(), DoorLog()
    told: list[str] = []
    cut_in_flight = 0
    async with AsyncExitStack() as stack:
        # This one answers nothing (QoS 0), so all that a dying broker has written to it is still read:
        # what a broker acknowledged and kept for later dies with it, and no publisher can know.
        subscriber = await stack.enter_async_context(Subscriber(broker.port, qos=0))
        front = await stack.enter_async_context(VersionFront(broker.port, refuse=False))
        it = await stack.enter_async_context(publishing(log, front.url, answer_seconds_max=30.0))
        for _ in range(4):
            told += log.withdraw(300, first=len(told) + 1)
            before = it.health.published
            await it.until_published(before + 1)
            front.shut()
            subscriber.expect_again()
            await broker.kill()
            cut_in_flight += it.health.cursor != log.places()[-1]
            await broker.start()
            # The subscriber comes first: a broker holds nothing for those it does not know.
            await subscriber.until(lambda: subscriber.subscribed)
            front.open()
        await it.until_all_published()
        await subscriber.until(lambda: len(subscriber.ids()) == len(told))
        assert it.health.connections >= 5
    assert subscriber.ids() == told
    assert cut_in_flight >= 2


async def test_a_denied_publish_stops_the_cursor_until_the_broker_allows_it(
    mosquitto: MosquittoMaker,
) -> None:
    broker, log = await mosquitto(ACL_CONFIG, {"acl": ONE_DOOR_ACL}), DoorLog()
    allowed = log.withdraw(2, "d1")
    denied = log.append("withdrawal", movement(3), "d2")
    later = log.withdraw(1, "d1", first=4)
    async with Subscriber(broker.port) as subscriber, publishing(log, broker.url) as it:
        health = await it.until_state(MqttState.BLOCKED)
        assert health.blocked == log.places()[2]
        assert health.cursor == log.places()[1]
        assert "not authorized (0x87)" in str(health.alarm)
        await it.until(lambda health: health.refused >= 3)
        assert it.health.cursor == log.places()[1]
        (broker.folder / "acl").write_bytes(ONE_DOOR_ACL.replace(b"d1/#", b"+/#"))
        os.kill(broker.pid, signal.SIGHUP)
        await it.until_all_published()
        await it.until_state(MqttState.READY)
        await subscriber.until(lambda: len(subscriber.ids()) == 4)
    assert sorted(subscriber.ids()) == sorted([*allowed, denied.entry_id, *later])
    assert log.skips == []


async def test_leaving_a_refused_entry_out_is_an_entry_of_its_own(mosquitto: MosquittoMaker) -> None:
    broker, log = await mosquitto(ACL_CONFIG, {"acl": ONE_DOOR_ACL}), DoorLog()
    log.append("withdrawal", movement(1), "d2")
    told = log.withdraw(1, "d1", first=2)
    epoch = log.places()[0].epoch
    async with Subscriber(broker.port) as subscriber, publishing(log, broker.url) as it:
        await it.until_state(MqttState.BLOCKED)
        with pytest.raises(EventError, match=r":1 does; look again"):
            await it.publisher.skip(epoch, 2, "wrong one", "supervisor")
        assert log.skips == []
        await it.publisher.skip(epoch, 1, "the broker has no topic for d2", "supervisor")
        await it.until_all_published()
        await subscriber.until(lambda: subscriber.ids() == told)
        assert it.health.left_out == 1
        with pytest.raises(EventError, match="nothing does"):
            await it.publisher.skip(epoch, 1, "again", "supervisor")
    assert [(skip.sink, skip.first, skip.last, skip.by) for skip in log.skips] == [
        ("mqtt", 1, 1, "supervisor")
    ]


async def test_a_denied_state_degrades_and_stops_no_event(mosquitto: MosquittoMaker) -> None:
    broker, log = await mosquitto(ACL_CONFIG, {"acl": ONE_DOOR_ACL}), DoorLog()
    log.withdraw(1)
    async with publishing(log, broker.url) as it:
        it.publisher.show(
            it.publisher.topics.door("d2"), DoorState("READY", "ok", None, 0, 0, f"{'a' * 32}:1", None)
        )
        health = await it.until_all_published()
        assert health.state is MqttState.DEGRADED
        assert health.states_refused >= 1


async def test_on_3_1_1_a_denial_cannot_be_seen_and_that_is_said(mosquitto: MosquittoMaker) -> None:
    broker, log = await mosquitto(ACL_CONFIG, {"acl": ONE_DOOR_ACL}), DoorLog()
    log.append("withdrawal", movement(1), "d2")
    async with VersionFront(broker.port) as front, publishing(log, front.url) as it:
        health = await it.until_all_published()
        assert health.state is MqttState.DEGRADED
        assert health.detail == "MQTT 3.1.1: the broker reports no rejections"
        assert front.refused == 1


async def test_events_arrive_by_3_1_1_where_mqtt_5_is_refused(mosquitto: MosquittoMaker) -> None:
    broker, log = await mosquitto(), DoorLog()
    told = log.withdraw(50)
    async with Subscriber(broker.port) as subscriber, VersionFront(broker.port) as front:
        async with publishing(log, front.url) as it:
            await it.until_all_published()
            await subscriber.until(lambda: subscriber.ids() == told)
        await subscriber.until(lambda: subscriber.last(it.publisher.topics.status) == {"state": "offline"})


async def test_a_broker_that_hangs_up_on_mqtt_5_is_spoken_to_by_3_1_1(mosquitto: MosquittoMaker) -> None:
    broker, log = await mosquitto(), DoorLog()
    log.withdraw(3)
    async with VersionFront(broker.port, answer=b"") as front, publishing(log, front.url) as it:
        health = await it.until_all_published()
        assert health.state is MqttState.DEGRADED
        assert front.refused == 2


async def test_a_server_that_only_hangs_up_is_told_and_tried_again() -> None:
    log = DoorLog()
    async with HangingUp() as front, publishing(log, front.url) as it:
        await it.until(lambda health: "closed the connection" in health.detail)
        assert it.health.state is MqttState.CONNECTING
        await it.until(lambda _: front.connections >= 5)


async def test_an_event_over_the_brokers_packet_limit_is_never_sent(mosquitto: MosquittoMaker) -> None:
    broker, log = await mosquitto(["max_packet_size 1200"]), DoorLog()
    log.append("withdrawal", movement(1))
    async with publishing(log, broker.url) as it:
        health = await it.until_state(MqttState.BLOCKED)
        assert "over the broker's packet limit of 1200" in str(health.alarm)
        assert health.cursor is None
        assert health.connections == 1


SMALL = Release("h" * 8, "refused", "s", "")
"""Its event stays under the limits below, a withdrawal's does not."""


@pytest.mark.parametrize(
    ("limit", "old"),
    [("max_packet_size 1200", False), ("max_packet_size 1200", True), ("message_size_limit 900", False)],
)
async def test_an_event_the_broker_finds_too_large_stops_the_cursor(
    mosquitto: MosquittoMaker, limit: str, old: bool
) -> None:
    broker, log = await mosquitto([limit]), DoorLog()
    told = [log.append("release", SMALL).entry_id for _ in range(2)]
    log.append("withdrawal", movement(1))
    told.append(log.append("release", SMALL).entry_id)
    async with AsyncExitStack() as stack:
        subscriber = await stack.enter_async_context(Subscriber(broker.port))
        front = await stack.enter_async_context(VersionFront(broker.port, refuse=old))
        it = await stack.enter_async_context(publishing(log, front.url))
        await it.until(lambda health: health.blocked == log.places()[2] and health.cursor == log.places()[1])
        assert it.health.state is MqttState.BLOCKED
        await it.publisher.skip(log.places()[2].epoch, 3, "too large for this broker", "supervisor")
        await it.until_all_published()
        await subscriber.until(lambda: len(subscriber.ids()) == 3)
    assert subscriber.ids() == told


async def test_on_3_1_1_an_event_dropped_for_its_size_cannot_be_seen(mosquitto: MosquittoMaker) -> None:
    broker, log = await mosquitto(["message_size_limit 900"]), DoorLog()
    log.append("withdrawal", movement(1))
    small = log.append("release", SMALL).entry_id
    async with AsyncExitStack() as stack:
        subscriber = await stack.enter_async_context(Subscriber(broker.port))
        front = await stack.enter_async_context(VersionFront(broker.port))
        it = await stack.enter_async_context(publishing(log, front.url))
        health = await it.until_all_published()
        await subscriber.until(lambda: len(subscriber.ids()) == 1)
        assert health.state is MqttState.DEGRADED
    # The consumer sees it: the first number of this door that came is the second.
    assert subscriber.ids() == [small]
    assert subscriber.events()[0]["doorsequence"] == "000000000002"


async def test_what_a_full_queue_loses_for_a_consumer_is_seen_in_the_numbers(
    mosquitto: MosquittoMaker,
) -> None:
    broker, log = await mosquitto(["max_queued_messages 10", "max_inflight_messages 5"]), DoorLog()
    async with Subscriber(broker.port, "consumer", session_seconds=600):
        pass
    log.withdraw(100)
    async with publishing(log, broker.url) as it:
        health = await it.until_all_published()
        assert health.published == 100
        async with Subscriber(broker.port, "consumer", session_seconds=600) as consumer:
            await consumer.until(lambda: len(consumer.ids()) >= 5)
            last = log.withdraw(1, first=101)[0]
            await consumer.until(lambda: last in consumer.ids())
    numbers = [int(event["doorsequence"]) for event in consumer.events()]
    assert numbers[-1] == 101
    missing = set(range(1, 102)) - set(numbers)
    assert missing, "this broker kept them all: the test shows nothing"


# In a process of its own: a thread beside the publisher's loop would only fight for the interpreter.
COUNTING = """
import json, sys
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

def take(client, userdata, message):
    if "/event/" in message.topic:
        print(json.loads(message.payload)["id"], flush=True)

client = Client(CallbackAPIVersion.VERSION2)
client.on_connect = lambda *_: client.subscribe("zonegate/#", qos=1)
client.on_subscribe = lambda *_: print("ready", flush=True)
client.on_message = take
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_forever()
"""


async def test_a_backlog_of_5000_arrives_once_and_in_order(mosquitto: MosquittoMaker) -> None:
    broker, log = await mosquitto(["max_queued_messages 0"]), DoorLog()
    told = log.withdraw(5_000)
    sizes: list[int] = []
    counting = await asyncio.create_subprocess_exec(
        sys.executable, "-c", COUNTING, str(broker.port), stdout=asyncio.subprocess.PIPE
    )
    assert counting.stdout is not None
    try:
        assert await counting.stdout.readline() == b"ready\n"
        async with publishing(log, broker.url) as it:

            def arrived(health: MqttHealth) -> bool:
                sizes.append(health.in_flight)
                return health.cursor == log.told[-1].place

            await it.until(arrived)
            async with asyncio.timeout(60):
                came = [(await counting.stdout.readline()).decode().strip() for _ in told]
    finally:
        counting.kill()
        await counting.communicate()
    assert came == told
    assert max(sizes) <= 100


async def test_after_long_absence_events_are_marked_and_what_is_too_old_is_named(
    mosquitto: MosquittoMaker,
) -> None:
    broker, log = await mosquitto(), DoorLog()
    log.withdraw(30)
    log.begin_epoch("b" * 32)
    log.withdraw(10, first=31)
    log.at(START + timedelta(days=40))
    replayed = log.withdraw(5, first=41)
    log.at(START + timedelta(days=41))
    fresh = log.withdraw(1, first=46)
    now = START + timedelta(days=41, seconds=2)
    async with AsyncExitStack() as stack:
        subscriber = await stack.enter_async_context(Subscriber(broker.port))
        age = 14 * 86_400.0
        it = await stack.enter_async_context(publishing(log, broker.url, lambda: now, age_seconds_max=age))
        await it.until_all_published()
        await subscriber.until(lambda: len(subscriber.ids()) == 6)
    assert subscriber.ids() == [*replayed, *fresh]
    assert [event.get("replay") for event in subscriber.events()] == [True] * 5 + [None]
    assert [(skip.epoch[0], skip.first, skip.last) for skip in log.skips] == [("a", 1, 30), ("b", 1, 10)]
    message = next(m for m in subscriber.messages if "/event/" in m.topic)
    properties: Any = message.properties
    assert ("replay", "true") in properties.UserProperty
    assert properties.ContentType == "application/cloudevents+json"


async def test_an_entry_that_cannot_be_told_stops_the_cursor(mosquitto: MosquittoMaker) -> None:
    broker, log = await mosquitto(), DoorLog()
    nameless = msgspec.structs.replace(movement(1), load=msgspec.structs.replace(movement(1).load, sscc="1"))
    log.append("withdrawal", nameless)
    first = log.append("withdrawal", movement(2))
    log.append("correction", correction(first, movement(2)))
    del log.records[first.entry_id]
    async with publishing(log, broker.url) as it:
        health = await it.until_state(MqttState.BLOCKED)
        assert "no GS1 identity" in str(health.alarm)
        await it.publisher.skip(log.places()[0].epoch, 1, "no code", "supervisor")
        health = await it.until(lambda health: health.blocked == log.places()[2])
        assert "without the movement it undoes" in str(health.alarm)


@pytest.mark.parametrize("planted", [False, True])
async def test_only_a_cursor_that_waits_for_answers_survives_a_broker_that_gave_none(
    mosquitto: MosquittoMaker, monkeypatch: pytest.MonkeyPatch, planted: bool
) -> None:
    """With `planted` the cursor moves at sending: the control, which must lose entries."""
    if planted:
        genuine = MqttPublisher._send

        async def send(self: MqttPublisher, link: BrokerLink, flight: Flight) -> None:
            await genuine(self, link, flight)
            flight.done = True
            self._advance()

        monkeypatch.setattr(MqttPublisher, "_send", send)
    broker, log = await mosquitto(), DoorLog()
    async with AsyncExitStack() as stack:
        subscriber = await stack.enter_async_context(Subscriber(broker.port, qos=0))
        front = await stack.enter_async_context(VersionFront(broker.port, refuse=False))
        it = await stack.enter_async_context(publishing(log, front.url, answer_seconds_max=60.0))
        await subscriber.until(lambda: subscriber.last(it.publisher.topics.status) == {"state": "online"})
        # Stopped, the broker takes what comes into its socket and answers nothing; then it dies.
        os.kill(broker.pid, signal.SIGSTOP)
        told = log.withdraw(20)
        await it.until(lambda health: health.in_flight >= 20)
        front.shut()
        subscriber.expect_again()
        await broker.kill()
        await broker.start()
        await subscriber.until(lambda: subscriber.subscribed)
        front.open()
        told += log.withdraw(1, first=21)
        await subscriber.until(lambda: told[-1] in subscriber.ids())
    assert (set(told) - set(subscriber.ids()) == set(told[:-1])) is planted
    assert (subscriber.ids() == told) is not planted


async def test_a_server_that_never_answers_is_told_and_left() -> None:
    log = DoorLog()
    async with Silent() as front:
        async with publishing(log, front.url, answer_seconds_max=0.1) as it:
            await it.until(lambda health: "does not answer" in health.detail)
            await it.until(lambda _: front.connections >= 3)
        secure = front.url.replace("mqtt:", "mqtts:")
        async with publishing(log, secure, answer_seconds_max=0.3) as it:
            # Cancelled while its handshake hangs: nothing is left open, or this test's warnings would say so.
            await it.until(lambda _: front.connections >= 4)
        assert it.health.state is MqttState.OFF


async def test_of_many_changes_of_a_state_the_newest_arrives(mosquitto: MosquittoMaker) -> None:
    broker, log = await mosquitto(), DoorLog()
    async with Subscriber(broker.port) as subscriber, publishing(log, broker.url) as it:
        await it.until_state(MqttState.READY)
        topic = it.publisher.topics.door("d1")
        for count in range(500):
            it.publisher.show(topic, DoorState("READY", "ok", None, count, 500, f"{'a' * 32}:1", None))
        await subscriber.until(lambda: (subscriber.last(topic) or {}).get("counted") == 499)
        sent = [message for message in subscriber.messages if message.topic == topic]
    assert len(sent) < 10


async def test_a_log_that_cannot_be_read_ends_the_publishing(mosquitto: MosquittoMaker) -> None:
    class Broken(DoorLog):
        async def after(self, place: Place | None, limit: int) -> Sequence[Told]:
            raise OSError("the disk is gone")

    broker = await mosquitto()
    it = Publishing(Broken(), settings_for(broker.url), lambda: START)
    with pytest.raises(OSError, match="the disk is gone"):
        await it.publisher.run()
    assert it.health.state is MqttState.OFF


async def test_a_cursor_that_cannot_be_kept_ends_the_publishing(mosquitto: MosquittoMaker) -> None:
    class Forgetful(DoorLog):
        def save(self, place: Place) -> None:
            raise OSError("the disk is full")

    broker, log = await mosquitto(), Forgetful()
    log.withdraw(1)
    it = Publishing(log, settings_for(broker.url), lambda: START)
    with pytest.raises(OSError, match="the disk is full"):
        await it.publisher.run()
    assert it.health.state is MqttState.OFF


async def test_a_broker_of_qos_0_only_is_no_broker_for_events(mosquitto: MosquittoMaker) -> None:
    broker, log = await mosquitto(["max_qos 0"]), DoorLog()
    log.withdraw(1)
    async with publishing(log, broker.url) as it:
        health = await it.until(lambda health: "QoS not supported" in health.detail)
        assert health.state is MqttState.CONNECTING
        assert health.cursor is None


@pytest.mark.parametrize("answer", [OLD_REFUSAL, b""], ids=["refuses", "hangs-up"])
async def test_where_one_address_is_dead_the_next_is_spoken_to_by_3_1_1_too(
    mosquitto: MosquittoMaker, answer: bytes
) -> None:
    broker, log = await mosquitto(), DoorLog()
    dead = f"mqtt://127.0.0.1:{free_port()}"
    log.withdraw(5)
    async with VersionFront(broker.port, answer) as front, publishing(log, dead, further=(front.url,)) as it:
        health = await it.until_all_published()
        assert health.state is MqttState.DEGRADED
        # Lost again, it asks the dead one first, and comes back.
        await front.cut()
        log.withdraw(5, first=6)
        await it.until_all_published()
        assert it.health.connections == 2
