# SPDX-License-Identifier: Apache-2.0
"""TLS with client certificates, on the very configuration that docs/integrate/mqtt.md shows."""

from __future__ import annotations

import re
import ssl
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from sync.publishing import MqttState
from tests.integration.certificates import Authority
from tests.integration.mqtt_parts import Subscriber, publishing
from tests.source import ROOT
from tests.sync.door_log import DoorLog
from zonegate.child import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MosquittoMaker

pytestmark = pytest.mark.servers


def documented(name: str) -> str:
    """The block of the document that begins with the comment that names this file."""
    text = (ROOT / "docs/integrate/mqtt.md").read_text()
    block = re.search(rf"```\n# /etc/mosquitto/\S*{name}\n(.*?)```", text, re.DOTALL)
    assert block is not None, f"docs/integrate/mqtt.md shows no {name}"
    return block[1]


class World:
    """The authority, a broker by the document, and the files a client of it needs."""

    def __init__(self, folder: Path) -> None:
        self.authority, self.folder, self.port = Authority(), folder, free_port()
        (folder / "ca.pem").write_bytes(self.authority.pem)

    async def start(self, mosquitto: MosquittoMaker) -> None:
        certificate, key = self.authority.issue("127.0.0.1", server=True)
        config = documented("zonegate.conf").replace("/etc/mosquitto/zonegate", "{folder}")
        lines = config.replace("listener 8883", f"listener {self.port} 127.0.0.1").splitlines()
        files = {"server.pem": certificate, "server.key": key, "ca.pem": self.authority.pem}
        await mosquitto(lines, {**files, "acl": documented("acl").encode()})

    def client(self, name: str, authority: Authority | None = None) -> dict[str, Any]:
        certificate, key = (authority or self.authority).issue(name)
        paths = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        paths[0].write_bytes(certificate)
        paths[1].write_bytes(key)
        return {"ca": self.folder / "ca.pem", "certificate": paths[0], "key": paths[1]}

    def context(self, name: str) -> ssl.SSLContext:
        files = self.client(name)
        context = ssl.create_default_context(cafile=files["ca"])
        context.load_cert_chain(files["certificate"], files["key"])
        return context

    @property
    def url(self) -> str:
        return f"mqtts://127.0.0.1:{self.port}"


async def test_a_node_with_its_certificate_publishes_and_a_consumer_reads(
    mosquitto: MosquittoMaker, tmp_path: Path
) -> None:
    world, log = World(tmp_path), DoorLog()
    await world.start(mosquitto)
    told = log.withdraw(150)
    async with AsyncExitStack() as stack:
        subscriber = await stack.enter_async_context(Subscriber(world.port, tls=world.context("consumer")))
        it = await stack.enter_async_context(publishing(log, world.url, **world.client("dock1")))
        health = await it.until_all_published()
        await subscriber.until(lambda: len(subscriber.ids()) == len(told))
        assert health.state is MqttState.READY
    assert subscriber.ids() == told


async def test_a_certificate_of_another_node_may_not_write_here(
    mosquitto: MosquittoMaker, tmp_path: Path
) -> None:
    world, log = World(tmp_path), DoorLog()
    await world.start(mosquitto)
    log.withdraw(1)
    async with publishing(log, world.url, **world.client("dock2")) as it:
        health = await it.until_state(MqttState.BLOCKED)
        assert "not authorized" in str(health.alarm)
        assert health.cursor is None


async def test_a_certificate_by_a_stranger_is_turned_away(mosquitto: MosquittoMaker, tmp_path: Path) -> None:
    world, log = World(tmp_path), DoorLog()
    await world.start(mosquitto)
    log.withdraw(1)
    async with publishing(log, world.url, **world.client("dock1", Authority())) as it:
        await it.until(lambda health: health.detail not in ("not started", "working"))
        assert it.health.state is MqttState.CONNECTING
        assert it.health.cursor is None


async def test_a_server_by_a_stranger_is_not_spoken_to(mosquitto: MosquittoMaker, tmp_path: Path) -> None:
    world, log = World(tmp_path), DoorLog()
    await world.start(mosquitto)
    (tmp_path / "ca.pem").write_bytes(Authority().pem)
    async with publishing(log, world.url, **world.client("dock1")) as it:
        await it.until(lambda health: "certificate verify failed" in health.detail)
        assert it.health.connections == 0


async def test_certificate_files_that_appear_later_are_taken(
    mosquitto: MosquittoMaker, tmp_path: Path
) -> None:
    world, log = World(tmp_path), DoorLog()
    await world.start(mosquitto)
    log.withdraw(1)
    files = world.client("dock1")
    content = files["key"].read_bytes()
    files["key"].unlink()
    async with publishing(log, world.url, **files) as it:
        await it.until(lambda health: "cannot be used" in health.detail)
        assert str(files["key"]) in it.health.detail
        files["key"].write_bytes(content)
        await it.until_all_published()
