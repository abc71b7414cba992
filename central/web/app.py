# SPDX-License-Identifier: Apache-2.0
"""The center's web application: puts API, pages and feed behind the guard, and serves them."""

from __future__ import annotations

import os
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final

from aiohttp import web

from central.errors import SetupError
from central.service import Central
from central.web import guard
from central.web.access import Access
from central.web.acts import Acts
from central.web.api import Api
from central.web.live import Live
from central.web.logs import Logs
from central.web.metrics import exposition
from central.web.pages import Pages
from central.web.reading import Reading
from central.web.uploading import Uploading
from sync.cases import ALARM, CASE

_END_SECONDS: Final = 2.0
"""For requests under way when the center ends; streams end at once."""

_SOCKET: Final = "acts.sock"

_LINE_BYTES_MAX: Final = 8190
"""A header or request line; a signature and a long search fit many times."""


def make_app(
    central: Central, access: Access, hosts: Collection[str] = (), timezone: str = "UTC"
) -> web.Application:
    """The application of one center; its pages show times of `timezone`."""
    reading = Reading(central.database, central.tenant, central.zone)
    pages = Pages(central, reading, access, timezone)
    live = Live(lambda: _position(central))
    central.projector.on_moved(live.changed)

    async def health(_: web.Request) -> web.Response:
        await reading.figures()
        return web.json_response({"state": "up"})

    async def metrics(_: web.Request) -> web.Response:
        found = await central.people.open_cases()
        kinds = Counter(case.kind for case in found.cases)
        standing = {"cases": kinds[CASE], "alarms": kinds[ALARM], "lends": int(found.lends)}
        restraints = await central.restraining.standing()
        standing |= {"suspended": bool(restraints.suspended), "held": len(restraints.holds)}
        text = exposition(central.counters, {**await reading.figures(), **standing})
        return web.Response(text=text, content_type="text/plain", charset="utf-8")

    async def end_streams(_: web.Application) -> None:
        await live.close()

    app = web.Application()
    guard.install(app, access, hosts, pages.error)
    app.add_routes(Api(central, reading).routes())
    app.add_routes(Uploading(central).routes())
    app.add_routes(Logs(central.database, central.tenant, central.zone).routes())
    app.add_routes(Acts(central).routes())
    app.add_routes(pages.routes())
    app.add_routes(
        [web.get("/healthz", health), web.get("/metrics", metrics), web.get("/events", live.stream)]
    )
    app.router.add_static("/static/", Path(str(files("central.web") / "static")))
    app.on_shutdown.append(end_streams)
    return app


@asynccontextmanager
async def serving(
    app: web.Application, listen: str, tls: ssl.SSLContext | None = None, folder: Path | None = None
) -> AsyncIterator[str]:
    """Serve `app` at `listen` (host:port, port 0 takes a free one), and by a socket in the data folder for
    this machine's commands; gives the URL it answers at.

    SetupError when the address cannot be listened on.
    """
    host, _, port = listen.rpartition(":")
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=_END_SECONDS,
        max_line_size=_LINE_BYTES_MAX,
        max_field_size=_LINE_BYTES_MAX,
    )
    await runner.setup()
    try:
        if folder is not None:
            await _serve_locally(runner, folder)
        site = web.TCPSite(runner, host.strip("[]"), int(port), ssl_context=tls)
        try:
            await site.start()
        except OSError as error:
            raise SetupError(f"[central] listen {listen} cannot be used: {error.strerror}") from error
        bound = next(address[1] for address in runner.addresses if not isinstance(address, str))
        yield f"{'https' if tls else 'http'}://{host}:{bound}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving_locally(app: web.Application, folder: Path) -> AsyncIterator[None]:
    """Serve `app` by the socket in the data folder alone."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_END_SECONDS)
    await runner.setup()
    try:
        await _serve_locally(runner, folder)
        yield
    finally:
        await runner.cleanup()


@contextmanager
def socket_path(folder: Path) -> Iterator[str]:
    """The local socket's path, short enough for the system however deep the folder lies."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{opened}/{_SOCKET}"
    finally:
        os.close(opened)


async def _serve_locally(runner: web.AppRunner, folder: Path) -> None:
    with socket_path(folder) as path:
        await web.UnixSite(runner, path).start()  # who may use it, the guard asks the system at each request


def _position(central: Central) -> str:
    head = central.head
    return f"{head.epoch}:{head.seq}" if head else ""
