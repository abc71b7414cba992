# SPDX-License-Identifier: Apache-2.0
"""A center on a real PostgreSQL and a real node that exchanges with it over HTTP, in one process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from central.service import Central
from central.web.access import Access
from central.web.app import make_app, serving
from edge.anchor import Anchor
from edge.clock import system_clocks
from edge.config import CenterConfig, DoorConfig, NodeConfig
from edge.service import Service
from zonegate.child import free_port

WAIT_S = 20.0


@dataclass
class Node:
    """A dock that runs, with the tokens that it printed, by holder."""

    service: Service
    url: str
    tokens: dict[str, str]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something that the dock shows has come true."""
        moved = asyncio.Event()
        self.service.dock.on_change(lambda _: moved.set())
        async with asyncio.timeout(WAIT_S):
            while not condition():
                moved.clear()
                await moved.wait()

    def reason(self, door: str) -> str:
        """What a door says."""
        return self.service.dock.door(door).reason


@contextlib.asynccontextmanager
async def open_center(
    dsn: str, folder: Path, listen: str = "127.0.0.1:0"
) -> AsyncIterator[tuple[Central, str, str]]:
    """The center, its address and its token."""
    folder.mkdir(exist_ok=True)
    center = await Central.open(dsn, "example", "zone-999", Anchor(folder), system_clocks())
    access = Access(folder)
    try:
        async with serving(make_app(center, access), listen) as url:
            yield center, url, access.made or ""
    finally:
        await center.close()


@contextlib.asynccontextmanager
async def open_node(
    folder: Path, center_url: str, code: str | None, node: str = "dock-1"
) -> AsyncIterator[Node]:
    """A node with a door in and a door out that serves its pages and exchanges with the center."""
    (folder / "anchor").mkdir(parents=True, exist_ok=True)
    listen = f"127.0.0.1:{free_port()}"
    config = NodeConfig(
        tenant="example",
        zone="zone-999",
        node=node,
        store=folder / "store",
        anchor=folder / "anchor",
        timezone="UTC",
        doors=(DoorConfig(f"{node}-in", "Inbound"), DoorConfig(f"{node}-out", "Outbound")),
        listen=listen,
        clock="host",
        reserve_mb=1,
        center=CenterConfig(center_url, code=code),
    )
    said: list[str] = []
    service = Service(config, system_clocks(), "0.1.0", said.append)
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    made = Node(service, f"http://{listen}", {})
    try:
        await made.until(lambda: service.dock.books.state.cursor is not None)
        told = (line.removeprefix("token for ").split(": ", 1) for line in said if ": " in line)
        made.tokens |= dict(told)
        yield made
    finally:
        stop.set()
        async with asyncio.timeout(WAIT_S):
            await task
