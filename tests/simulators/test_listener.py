# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import paho.mqtt.publish as mqtt
import pytest

from tests.conftest import MosquittoMaker
from tests.simulators.programs import WITHIN_S, listening

TOPIC = "zonegate/v1/example/999001001/dock-1/d1/event/admission"


@pytest.mark.servers
async def test_what_is_published_is_written_down_also_after_the_broker_died(
    mosquitto: MosquittoMaker, tmp_path: Path
) -> None:
    broker = await mosquitto()
    log = tmp_path / "events.jsonl"
    async with listening(broker.url, log) as listener:
        await asyncio.to_thread(mqtt.single, TOPIC, "first", qos=1, port=broker.port)
        await _lines(log, 1)
        await broker.kill()
        await broker.start()
        assert listener.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            assert await listener.stdout.readline() == b"ready\n"
        await asyncio.to_thread(mqtt.single, TOPIC, "second", qos=1, port=broker.port)
        await asyncio.to_thread(
            mqtt.single, "zonegate/v1/x/status", "third", qos=1, retain=True, port=broker.port
        )
        await asyncio.to_thread(mqtt.single, "elsewhere", "not ours", qos=1, port=broker.port)
        await asyncio.to_thread(
            mqtt.single, TOPIC, "\udcff".encode("utf-8", "surrogatepass"), qos=1, port=broker.port
        )
        rows = await _lines(log, 4)
    assert [row["payload"] for row in rows[:3]] == ["first", "second", "third"]
    assert {row["topic"] for row in rows} == {TOPIC, "zonegate/v1/x/status"}
    assert not any(row["retain"] for row in rows)


@pytest.mark.servers
async def test_messages_kept_by_the_broker_are_marked(mosquitto: MosquittoMaker, tmp_path: Path) -> None:
    broker = await mosquitto()
    await asyncio.to_thread(mqtt.single, "zonegate/v1/x/head", "{}", qos=1, retain=True, port=broker.port)
    log = tmp_path / "events.jsonl"
    async with listening(broker.url, log):
        assert [row["retain"] for row in await _lines(log, 1)] == [True]


def test_an_address_that_is_no_broker_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simulators.listener", "--broker=http://x", f"--log={tmp_path / 'log'}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "expected mqtt://HOST:PORT" in done.stderr


async def _lines(log: Path, count: int) -> list[dict[str, object]]:
    """The log's lines once there are `count` of them."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            lines = log.read_text().splitlines() if log.exists() else []
            if len(lines) >= count:
                return [json.loads(line) for line in lines]
            await asyncio.sleep(0.02)
