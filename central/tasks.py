# SPDX-License-Identifier: Apache-2.0
"""Ending a task for certain, also one that a library has made deaf to its first cancellation."""

from __future__ import annotations

import asyncio
from typing import Final

_AGAIN_SECONDS: Final = 1.0
"""A cancelled statement is given up by the server within this; a swallowed cancellation is said again."""


async def end(task: asyncio.Task[None] | None) -> None:
    """Cancel a task until it has ended. Harmless when there is none, or when it has."""
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_AGAIN_SECONDS)
