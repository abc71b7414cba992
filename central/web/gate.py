# SPDX-License-Identifier: Apache-2.0
"""How many bodies of strangers are read at once: what an unsigned sender can make the center hold."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from central.errors import Denied, Unavailable

READ_AT_ONCE: Final = 64
"""Bodies being read: 128 MiB if all were of full size."""

OF_ONE_ADDRESS: Final = 16
"""Of one address, behind which a proxy may have all docks: each is read in a moment."""

READ_SECONDS: Final = 30.0
"""For one body: 2 MiB over a slow line of 70 KiB a second."""


class Gate:
    """Room for bodies that are being read."""

    def __init__(self, seconds: float = READ_SECONDS) -> None:
        self._seconds = seconds
        self._inside: Counter[str] = Counter()

    @asynccontextmanager
    async def room(self, address: str) -> AsyncIterator[None]:
        """Room for one body of an address. Unavailable when there is none now, Denied (408) when the body
        does not come within its time.
        """
        if self._inside[address] >= OF_ONE_ADDRESS or self._inside.total() >= READ_AT_ONCE:
            raise Unavailable("too many requests are being read")
        self._inside[address] += 1
        try:
            async with asyncio.timeout(self._seconds):
                yield
        except TimeoutError as error:
            raise Denied(
                408, f"the body took over {self._seconds:g} s", "Send it without a break."
            ) from error
        finally:
            self._inside[address] -= 1
            if not self._inside[address]:
                del self._inside[address]


async def bounded_body(request: web.Request, bytes_max: int) -> bytes:
    """The request's body; Denied (413) when it is longer than `bytes_max`, before it is all read."""
    if (request.content_length or 0) > bytes_max:
        raise Denied(413, f"the body is over {bytes_max} bytes", "Send less at once.")
    body = bytearray()
    async for chunk in request.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > bytes_max:
            raise Denied(413, f"the body is over {bytes_max} bytes", "Send less at once.")
    return bytes(body)
