# SPDX-License-Identifier: Apache-2.0
"""The live feed: one server-sent event whenever the books have moved, with the position they stand at.

The event's id is a position in the center's log, so it means the same after a restart. A reader that does
not keep up is dropped, never awaited; it connects again and starts with the present state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import web

from central.errors import Denied

READERS_MAX: Final = 200
"""Pages open at once; each holds a connection."""

_QUIET_SECONDS: Final = 15.0
"""A comment this often lets both ends notice a dead connection."""

_WRITE_SECONDS: Final = 5.0
"""A reader that takes longer to take a line is gone or stuck."""

_PAUSE_SECONDS: Final = 0.1
"""Between two events to one reader: a rush of entries is one change to a person."""


class Live:
    """Tells pages that the books have moved."""

    def __init__(self, position: Callable[[], str]) -> None:
        self._position = position
        self._readers: set[asyncio.Event] = set()
        self._closing = False

    def changed(self) -> None:
        """The books have moved."""
        for news in self._readers:
            news.set()

    async def close(self) -> None:
        """End all streams, so that the server can stop."""
        self._closing = True
        self.changed()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """GET /events."""
        if len(self._readers) >= READERS_MAX:
            raise Denied(503, f"{READERS_MAX} pages are open already", "Close some of them.")
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        news = asyncio.Event()
        news.set()
        self._readers.add(news)
        try:
            await response.prepare(request)
            while not self._closing:
                await self._send_next(response, news)
        except (ConnectionError, TimeoutError):
            pass
        finally:
            self._readers.discard(news)
        return response

    async def _send_next(self, response: web.StreamResponse, news: asyncio.Event) -> None:
        try:
            await asyncio.wait_for(news.wait(), _QUIET_SECONDS)
        except TimeoutError:
            line = b": here\n\n"
        else:
            news.clear()
            line = f"id: {self._position()}\nevent: changed\ndata: {self._position()}\n\n".encode()
        if self._closing:
            return
        await asyncio.wait_for(response.write(line), _WRITE_SECONDS)
        await asyncio.sleep(_PAUSE_SECONDS)
