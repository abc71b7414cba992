# SPDX-License-Identifier: Apache-2.0
"""A publisher's process that is killed: the broker says offline for it."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from sync.topics import TopicTree
from tests.integration.mqtt_parts import Subscriber
from tests.source import ROOT

if TYPE_CHECKING:
    from tests.conftest import MosquittoMaker

pytestmark = pytest.mark.servers

PROGRAM = """
import asyncio, sys
from tests.integration.mqtt_parts import publishing
from tests.sync.door_log import DoorLog

async def main():
    log = DoorLog()
    log.withdraw(3)
    async with publishing(log, sys.argv[1]):
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_an_abrupt_end_leaves_offline_retained(mosquitto: MosquittoMaker) -> None:
    broker, status = await mosquitto(), TopicTree("example", "zone999", "dock1").status
    async with Subscriber(broker.port) as subscriber:
        node = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, broker.url, cwd=ROOT)
        try:
            await subscriber.until(lambda: len(subscriber.ids()) == 3)
            assert subscriber.last(status) == {"state": "online"}
        finally:
            node.kill()
            await node.wait()
        await subscriber.until(lambda: subscriber.last(status) == {"state": "offline"})
    async with Subscriber(broker.port) as late:
        await late.until(lambda: late.last(status) == {"state": "offline"})
        assert late.messages[0].retain
