# SPDX-License-Identifier: Apache-2.0
"""A RabbitMQ cluster of three whose nodes are killed under the publisher and under the consumers.

A confirmed event lives where its consumer's queue does. In a quorum queue that is a majority of the nodes,
and none is lost; in a classic queue it is one node, and the control shows what that loses.
"""

from __future__ import annotations

import os
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from sync.publishing import MqttState
from tests.integration.mqtt_parts import Publishing, Subscriber, publishing
from tests.integration.rabbit import MISSING, RabbitNode, installed, rabbit_cluster, version
from tests.sync.door_log import DoorLog

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.servers,
    pytest.mark.long,
    pytest.mark.skipif(not installed(), reason=MISSING),
]

BURST = 300
SPEAKS_5 = (3, 13)

PREFETCH = 10
"""How many unacknowledged messages RabbitMQ lets a consumer have (mqtt.prefetch)."""


def consumer(node: RabbitNode, client_id: str) -> Subscriber:
    """One with a session, by 3.1.1, which every RabbitMQ speaks."""
    return Subscriber(node.port, client_id, session_seconds=3600, version=MQTTProtocolVersion.MQTTv311)


def url(node: RabbitNode) -> str:
    return f"mqtt://127.0.0.1:{node.port}"


def connected_to(it: Publishing, nodes: list[RabbitNode]) -> RabbitNode:
    """The node that the publisher's connection ends at."""
    link = it.publisher._link
    assert link is not None
    return next(node for node in nodes if node.port == link._settings.address[1])


def together(*parts: Subscriber) -> list[str]:
    """What one session was given over several connections: each id once, in the order of first arrival."""
    return list(dict.fromkeys(event_id for part in parts for event_id in part.ids()))


def late(ids: list[str], told: list[str]) -> int:
    """How many first arrivals came behind one that was told later."""
    number = {event_id: n for n, event_id in enumerate(told)}
    newest, count = -1, 0
    for event_id in ids:
        count += number[event_id] < newest
        newest = max(newest, number[event_id])
    return count


async def test_a_cluster_loses_nothing_while_its_nodes_are_killed_in_turn(tmp_path: Path) -> None:
    log, told = DoorLog(), list[str]()
    async with AsyncExitStack() as stack, AsyncExitStack() as nearby:
        nodes = await stack.enter_async_context(rabbit_cluster(tmp_path, "quorum"))
        first, second, third = nodes
        # The queue of `near` is led by the node it was made at: the one that dies first.
        near = await nearby.enter_async_context(consumer(first, "near"))
        far = await stack.enter_async_context(consumer(third, "far"))
        it = await stack.enter_async_context(
            publishing(log, url(first), further=(url(second),), answer_seconds_max=20.0)
        )
        await it.until_state(MqttState.READY if version() >= SPEAKS_5 else MqttState.DEGRADED)
        assert connected_to(it, nodes) is first

        # Killed with a full window unanswered in its hands.
        told += log.withdraw(BURST)
        await near.until(lambda: len(near.ids()) > 20)
        os.kill(first.pid, signal.SIGSTOP)
        told += log.withdraw(BURST, first=len(told) + 1)
        await it.until(lambda health: health.in_flight >= 20)
        await first.kill()
        await nearby.aclose()
        resumed = await stack.enter_async_context(consumer(third, "near"))
        await it.until_all_published()
        assert connected_to(it, nodes) is second
        await far.until(lambda: len(far.ids()) == len(told))
        await resumed.until(lambda: len(together(near, resumed)) == len(told))

        # It comes back, and the next one dies while events flow.
        await first.start()
        told += log.withdraw(BURST, first=len(told) + 1)
        await far.until(lambda: len(far.ids()) > len(told) - BURST + 20)
        await second.kill()
        told += log.withdraw(BURST, first=len(told) + 1)
        health = await it.until_all_published()
        assert connected_to(it, nodes) is first
        await far.until(lambda: len(far.ids()) == len(told))
        await resumed.until(lambda: len(together(near, resumed)) == len(told))
        await second.start()

    moved = together(near, resumed)
    lost = {"far": len(set(told) - set(far.ids())), "moved": len(set(told) - set(moved))}
    behind = {"far": late(far.ids(), told), "moved": late(moved, told)}
    print(f"entries {len(told)}, connections {health.connections}, lost {lost}, behind a later one {behind}")
    assert lost == {"far": 0, "moved": 0}
    assert behind["far"] == 0
    # What a dead node had handed out unacknowledged is handed out again behind newer ones: rank by number.
    assert behind["moved"] <= PREFETCH
    assert log.saved[-1] == log.places()[-1]


async def test_a_classic_queue_loses_what_was_confirmed_and_the_numbers_show_it(tmp_path: Path) -> None:
    """The control: the same kill with a session that lives on one node only."""
    log, told = DoorLog(), list[str]()
    async with AsyncExitStack() as stack:
        nodes = await stack.enter_async_context(rabbit_cluster(tmp_path, "classic"))
        first, second, third = nodes
        async with consumer(first, "near") as near:
            pass
        far = await stack.enter_async_context(consumer(third, "far"))
        it = await stack.enter_async_context(publishing(log, url(second), answer_seconds_max=20.0))
        told += log.withdraw(20)
        await it.until_all_published()
        await first.kill()
        told += log.withdraw(20, first=len(told) + 1)
        # All of it is acknowledged, though one consumer's queue is not there.
        await it.until_all_published()
        await first.start()
        told += log.withdraw(20, first=len(told) + 1)
        await it.until_all_published()
        resumed = await stack.enter_async_context(consumer(first, "near"))
        await resumed.until(lambda: told[-1] in resumed.ids())
        await far.until(lambda: told[-1] in far.ids())
    assert set(far.ids()) == set(told)
    numbers = [int(event["doorsequence"]) for event in resumed.events()]
    missing = set(range(1, len(told) + 1)) - set(numbers)
    assert missing >= set(range(21, 41)), "this broker kept them all: the test shows nothing"
    assert near.ids() == []
