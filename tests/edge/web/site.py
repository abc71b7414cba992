# SPDX-License-Identifier: Apache-2.0
"""The pages of a fake dock, served on a loopback port."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from edge.web.access import Access
from edge.web.app import make_app
from tests.edge.web.fake_desk import FakeDesk

DOORS = {"out1": "Outbound 1", "in1": "Inbound 1"}


@dataclass
class Site:
    """`tokens` by holder: "supervisor", "door.out1", "door.in1"."""

    url: str
    port: int
    desk: FakeDesk
    access: Access
    tokens: dict[str, str]
    runner: web.AppRunner

    def bearer(self, holder: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[holder]}"}

    async def stop(self) -> None:
        await self.runner.cleanup()


@contextlib.asynccontextmanager
async def open_site(path: Path, desk: FakeDesk, port: int = 0, **more: object) -> AsyncIterator[Site]:
    access = Access(path)
    tokens = {new.holder: new.token for new in access.provide(DOORS)}
    app = make_app(desk, access, door_names=DOORS, hosts=("dock1.lan",), **more)  # type: ignore[arg-type]
    runner = web.AppRunner(app, shutdown_timeout=30)
    await runner.setup()
    try:
        # Reused addresses: a test stops the service and starts it again on the same port.
        await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
        used = runner.addresses[0][1]
        yield Site(f"http://127.0.0.1:{used}", used, desk, access, tokens, runner)
    finally:
        await runner.cleanup()
