# SPDX-License-Identifier: Apache-2.0
"""Puts the web application of a dock together.

app = make_app(desk, access, door_names={"in1": "Inbound 1"}, hosts=("dock1.lan",))
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from aiohttp import web

from edge.view import Desk
from edge.web import guard
from edge.web.access import Access
from edge.web.api import Api
from edge.web.exposition import CONTENT_TYPE, exposition
from edge.web.guard import Denied
from edge.web.pages import Pages
from edge.web.stream import Streams

_STATIC: Final = Path(__file__).parent / "static"
_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def make_app(
    desk: Desk,
    access: Access,
    *,
    door_names: Mapping[str, str],
    hosts: Collection[str] = (),
    metric_helps: Mapping[str, str] | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> web.Application:
    """The pages, the events and the HTTP interface of one node.

    `door_names` maps door ids to names for people; `hosts` are further names this node is called by
    (addresses and localhost always are); `metric_helps` explains the figures of `Desk.metrics`; `now` is UTC.
    On shutdown all event streams end at once.
    """
    app = web.Application(client_max_size=guard.BODY_BYTES_MAX)
    api = Api(desk, door_names)
    pages = Pages(desk, access, door_names, api)
    streams = Streams(desk, now)
    guard.install(app, access, hosts, pages.error)

    async def events(request: web.Request) -> web.StreamResponse:
        door = request.query.get("door")
        if door is not None and door not in door_names:
            raise Denied(
                404, f"This node has no door {door[:40]!r}.", "Ask for one of its doors, or for all."
            )
        return await streams.serve(request, door)

    async def metrics(_: web.Request) -> web.Response:
        text = exposition(desk.metrics(), metric_helps or {})
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})

    async def healthz(_: web.Request) -> web.Response:
        # A dock that cannot record does not restart by itself: whoever watches it must hear why.
        trouble = desk.status().recording
        return web.Response(
            status=503 if trouble else 200, text=f"not recording: {trouble}\n" if trouble else "ok\n"
        )

    async def end_streams(_: web.Application) -> None:
        streams.close()

    app.add_routes([*pages.routes(), *api.routes()])
    app.add_routes([web.get("/events", events), web.get("/metrics", metrics), web.get("/healthz", healthz)])
    app.add_routes([web.get("/static/{name}", _static())])
    app.on_shutdown.append(end_streams)
    return app


def _static() -> Callable[[web.Request], Awaitable[web.Response]]:
    """Style sheets and scripts, read once: a request names one of them and never a path."""
    files = {path.name: path.read_bytes() for path in sorted(_STATIC.iterdir()) if path.suffix in _TYPES}
    tags = {name: f'"{hashlib.sha256(body).hexdigest()[:16]}"' for name, body in files.items()}

    async def serve(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in files:
            raise web.HTTPNotFound
        # Asked for again each time, so that a screen never runs old script against a new service.
        headers = {"ETag": tags[name], "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == tags[name]:
            return web.Response(status=304, headers=headers)
        return web.Response(body=files[name], headers=headers, content_type=_TYPES[Path(name).suffix])

    return serve
