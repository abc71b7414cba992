# SPDX-License-Identifier: Apache-2.0
"""Watches what people must look into: each alarm that arises is said in the log once, as an error."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg

from central.errors import CentralError
from central.people import Open
from central.tasks import end
from sync.cases import ALARM

_PAUSE_SECONDS: Final = 1.0
"""Between two looks at least: a rush of entries is looked at once."""

_PAUSE_SECONDS_MAX: Final = 60.0
"""No alarm is told later than this."""

_PAUSES: Final = 20.0
"""So many times as long as a look took it pauses: while it looks nothing else of the book is done."""

_log = logging.getLogger(__name__)


class Alarms:
    """One task that looks at the open cases after each change; `look` gives them."""

    def __init__(self, look: Callable[[], Awaitable[Open]]) -> None:
        self._look = look
        self._told: set[str] = set()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._news.set()
        self._task = asyncio.create_task(self._watch(), name="alarms")

    async def close(self) -> None:
        """Stop watching."""
        await end(self._task)

    def wake(self) -> None:
        """Something was stored."""
        self._news.set()

    async def _watch(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            begun = asyncio.get_running_loop().time()
            try:
                await self._tell()
            except (CentralError, asyncpg.PostgresError, OSError) as error:
                _log.warning("the cases cannot be looked at now: %s", error)
                self._news.set()
            except Exception:  # noqa: BLE001 - a watch that ends unseen would be worse
                _log.exception("the cases cannot be looked at; this is a fault of the program")
            await asyncio.sleep(_pause(asyncio.get_running_loop().time() - begun))

    async def _tell(self) -> None:
        found = {case.name: case for case in (await self._look()).cases if case.kind == ALARM}
        for name in sorted(found.keys() - self._told):
            _log.error("ALARM %s: %s Next: %s", name, found[name].what, found[name].next_step)
        self._told = set(found)


def _pause(took_s: float) -> float:
    """How long to rest after a look that took so long."""
    return min(max(_PAUSE_SECONDS, _PAUSES * took_s), _PAUSE_SECONDS_MAX)
