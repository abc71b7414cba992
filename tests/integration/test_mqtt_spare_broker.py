# SPDX-License-Identifier: Apache-2.0
"""The broker inside the wheel, which stands in where no Mosquitto is: both versions of MQTT."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from sync.publishing import MqttState
from tests.integration.mqtt_parts import Subscriber, publishing
from tests.sync.door_log import DoorLog
from zonegate.children import SpareBroker

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(find_spec("iotcore") is None, reason="iotcore is missing: ./dev test brings it"),
]


async def test_events_arrive_by_mqtt_5(tmp_path: Path) -> None:
    async with SpareBroker(tmp_path) as broker:
        log = DoorLog()
        told = log.withdraw(150)
        async with Subscriber(broker.port) as subscriber, publishing(log, broker.url) as it:
            health = await it.until_all_published()
            await subscriber.until(lambda: len(subscriber.ids()) == len(told))
            assert health.state is MqttState.READY
        assert subscriber.ids() == told


async def test_its_other_port_is_spoken_to_by_3_1_1(tmp_path: Path) -> None:
    async with SpareBroker(tmp_path) as broker:
        log = DoorLog()
        log.withdraw(20)
        async with publishing(log, f"mqtt://127.0.0.1:{broker.port_v3}") as it:
            health = await it.until_all_published()
            assert health.state is MqttState.DEGRADED
