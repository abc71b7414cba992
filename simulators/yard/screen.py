# SPDX-License-Identifier: Apache-2.0
"""What a person at the dock sees and does without a scanner: the door's screen and its keyboard.

Speaks the node's public HTTP only: `/events` (server-sent events) to watch, `/api/v1` to read the status and
to act.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

View = dict[str, Any]

_EVENT_BYTES_MAX: Final = 4 * 1024 * 1024
"""A snapshot holds every door, hold and planned truck; some hundred of these are far below."""

_RETRY_S: Final = 0.1
_REQUEST_S: Final = 10.0


class DockError(Exception):
    """The dock did not do what a person asked of it; the message says what came back."""


class Dock:
    """A node's screens. `token` lets acts through; an async context manager that keeps the stream open."""

    def __init__(self, url: str, token: str | None) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._doors: dict[str, View] = {}
        self._changed = asyncio.Condition()
        self._session: aiohttp.ClientSession | None = None
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=_REQUEST_S)
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=timeout)
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None and self._watching is not None, "entered before it is left"
        self._watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._watching
        await self._session.close()

    def now(self, door: str) -> View:
        """The door as its screen shows it; empty while there is no link."""
        return self._doors.get(door, {})

    async def until(self, door: str, answered: Callable[[View], bool], within_s: float) -> bool:
        """Watch the door's screen until it is as `answered` wants it; False when it never was."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s), self._changed:
                await self._changed.wait_for(lambda: answered(self.now(door)))
            return True
        return False

    async def status(self) -> View | None:
        """The status page's content; None while there is no link."""
        assert self._session is not None, "entered before it is asked"
        try:
            async with self._session.get(f"{self._url}/api/v1/status") as response:
                return await response.json() if response.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return None

    async def until_status(self, wanted: Callable[[View], bool], within_s: float) -> bool:
        """Ask for the status until it is as `wanted`, a few times a second; False when it never was."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while True:
                    status = await self.status()
                    if status is not None and wanted(status):
                        return True
                    await asyncio.sleep(_RETRY_S)
        return False

    async def until_held(self, loads: Collection[str], within_s: float) -> bool:
        """Look into the inventory until all of these SSCCs are in it; False when they never were."""
        missing = set(loads)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while missing:
                    missing -= await self._held()
                    if missing:
                        await asyncio.sleep(_RETRY_S)
        return not missing

    async def _held(self) -> set[str]:
        assert self._session is not None, "entered before it is asked"
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, ValueError):
            async with self._session.get(f"{self._url}/api/v1/inventory?limit=1000") as response:
                if response.status == 200:
                    return {holding["sscc"] for holding in await response.json() if holding["sscc"]}
        return set()

    async def type_quantity(self, door: str, hold: str, quantity: str, client_id: str) -> None:
        """Answer the screen's question for a quantity. Raises DockError."""
        body = {"hold": hold, "quantity": quantity, "client_id": client_id}
        await self._act(f"doors/{door}/quantity", body)

    async def type_scan(self, door: str, code: bytes, client_id: str) -> None:
        """Enter a scan as a keyboard scanner does. Raises DockError."""
        await self._act(f"doors/{door}/scan", {"code": code.decode("latin-1"), "client_id": client_id})

    async def _act(self, path: str, body: dict[str, str]) -> None:
        assert self._session is not None, "entered before it is asked"
        try:
            async with self._session.post(f"{self._url}/api/v1/{path}", json=body) as response:
                if response.status >= 400:
                    text = (await response.text())[:300]
                    raise DockError(f"POST /api/v1/{path} was answered {response.status}: {text}")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DockError(f"POST /api/v1/{path}: no answer: {error}") from error

    async def _watch(self) -> None:
        """Keep the event stream open for ever; without it the screens are empty."""
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, ValueError):
                await self._stream()
            await self._show({}, whole=True)
            await asyncio.sleep(_RETRY_S)

    async def _stream(self) -> None:
        assert self._session is not None, "entered before it is watched"
        patience = aiohttp.ClientTimeout(total=None, sock_connect=_REQUEST_S, sock_read=_REQUEST_S)
        url = f"{self._url}/events"
        async with self._session.get(url, timeout=patience, read_bufsize=_EVENT_BYTES_MAX) as response:
            if response.status != 200:
                return
            event = ""
            async for line in response.content:
                name, _, value = line.decode().rstrip("\r\n").partition(": ")
                if name == "event":
                    event = value
                elif name == "data" and event == "snapshot":
                    views = json.loads(value)["doors"]
                    await self._show({view["door"]: view for view in views}, whole=True)
                elif name == "data" and event == "door":
                    view = json.loads(value)
                    await self._show({view["door"]: view}, whole=False)

    async def _show(self, views: dict[str, View], whole: bool) -> None:
        async with self._changed:
            self._doors = views if whole else self._doors | views
            self._changed.notify_all()
