# SPDX-License-Identifier: Apache-2.0
"""Where a link's bytes wait for the one task that reads them. Bounded by asking the sender to pause."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .errors import LinkLost

__all__ = ["INBOX_BYTES_MAX", "Inbox"]

# Six seconds of a 115,200 baud line; a reader that is slower than that has stopped.
INBOX_BYTES_MAX = 65_536


class Inbox:
    """Bytes in order, then the loss of the link. What came before a loss is still read before it is told.

    `pause` is called when the inbox is full, `resume` when it has been emptied after that.
    """

    def __init__(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        self._pause = pause
        self._resume = resume
        self._bytes = bytearray()
        self._full = False
        self._loss: str | None = None
        self._waiter: asyncio.Future[None] | None = None

    def put(self, data: bytes) -> None:
        """Add what arrived; after a loss nothing more is taken."""
        if self._loss is not None or not data:
            return
        self._bytes += data
        if not self._full and len(self._bytes) >= INBOX_BYTES_MAX:
            self._full = True
            self._pause()
        self._wake()

    def lose(self, reason: str) -> None:
        """The link is gone; the first reason given is the one told."""
        if self._loss is None:
            self._loss = reason
            self._wake()

    async def read(self) -> bytes:
        """Everything that waits, at least one byte. Cancelling loses nothing. Raises LinkLost at the end."""
        while not self._bytes:
            if self._loss is not None:
                raise LinkLost(self._loss)
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        data = bytes(self._bytes)
        self._bytes.clear()
        if self._full:
            self._full = False
            self._resume()
        return data

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
