# SPDX-License-Identifier: Apache-2.0
"""A center on a real PostgreSQL, with a dock that is enrolled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from central.service import Central
from central.web.access import Access
from central.web.app import make_app
from edge.anchor import Anchor
from edge.clock import system_clocks
from tests.central.dock import Dock
from tests.central.ledger_zone import Zone
from tests.central.running import Running

Client = TestClient[web.Request, web.Application]
Opener = Callable[..., Awaitable[Central]]


@pytest_asyncio.fixture
async def open_center(postgres: str, tmp_path: Path) -> AsyncIterator[Opener]:
    """Opens centers on the test's database; each `name` is a data folder. All are closed at the end."""
    opened: list[Central] = []

    async def make(name: str = "center", dsn: str = postgres) -> Central:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        center = await Central.open(dsn, "example", "zone-999", Anchor(folder), system_clocks())
        opened.append(center)
        return center

    yield make
    for center in opened:
        await center.close()


@pytest_asyncio.fixture
async def center(open_center: Opener) -> Central:
    return await open_center()


@pytest_asyncio.fixture
async def dock(center: Central) -> Dock:
    """A dock whose first exchange enrolled it."""
    made = Dock()
    made.code = await center.enrol(made.node)
    await made.talk(center)
    return made


@pytest.fixture
def papers() -> bytes:
    """A product, two permits and a truck in and a truck out at the dock's doors."""
    return (Path(__file__).parent / "papers.json").read_bytes()


@pytest_asyncio.fixture
async def running(postgres: str, tmp_path: Path) -> AsyncIterator[Running]:
    config = tmp_path / "zonegate.toml"
    config.write_text(
        '[central]\ntenant = "example"\nzone = "zone-999"\ndata = "data"\nlisten = "127.0.0.1:0"\n'
        f'database = "{postgres}"\n'
    )
    made = Running(config)
    await made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture
async def client(zone: Zone, tmp_path: Path) -> AsyncIterator[Client]:
    """Somebody with the token, at the pages of the module's `zone`."""
    access = Access(tmp_path)
    async with TestClient(TestServer(make_app(zone.center, access))) as made:
        await made.post("/login", data={"token": access.made or ""}, headers={"Accept": "text/html"})
        yield made
