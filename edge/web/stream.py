# SPDX-License-Identifier: Apache-2.0
"""Server-sent events: a snapshot first on every (re)connect, then what changed.

An event's id is the journal position "epoch:seq" that it rests on. A reader that does not keep up is dropped
and comes back to a snapshot; nothing waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec
from aiohttp import web

from edge.view import Desk, DeviceView, LinkView, StatusView

BEAT_S: Final = 2.0
"""A screen says NO LINK after 5 s of silence: two beats may be late."""

_STATUS_GAP_S: Final = 0.25
"""The status page needs no more than four pictures a second."""

_WRITE_S: Final = 5.0
"""Whoever does not take an event within this time is dropped."""


_Changes = asyncio.Queue[str | None]
"""What changed, as `Desk.subscribe` tells it; None is the end."""


class Streams:
    """All open event streams of a node; `now` is the time of the snapshots, in UTC."""

    def __init__(self, desk: Desk, now: Callable[[], datetime]) -> None:
        self._desk = desk
        self._now = now
        self._open: set[_Changes] = set()
        self._closed = False

    def close(self) -> None:
        """End every stream now, so that the service can stop; none begins after."""
        self._closed = True
        for changes in self._open:
            with contextlib.suppress(asyncio.QueueFull):  # it ends anyhow, it has not kept up
                changes.put_nowait(None)

    async def serve(self, request: web.Request, door: str | None) -> web.StreamResponse:
        """Stream one door, or everything when `door` is None, until either side ends it."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
        )
        # Subscribed before the snapshot is taken: no change falls between the two.
        changes = self._desk.subscribe()
        self._open.add(changes)
        try:
            await response.prepare(request)
            with contextlib.suppress(ConnectionError, TimeoutError):
                await self._run(response, door, changes)
        finally:
            self._open.discard(changes)
            self._desk.unsubscribe(changes)
        return response

    async def _run(self, response: web.StreamResponse, door: str | None, changes: _Changes) -> None:
        loop = asyncio.get_running_loop()
        status_due: float | None = None
        await _write(response, b"retry: 1000\n\n" + self._snapshot(door))
        status_sent = beat_sent = loop.time()
        while not self._closed:
            beat_due = beat_sent + BEAT_S
            changed = await _news(changes, beat_due if status_due is None else min(beat_due, status_due))
            if None in changed:
                return
            out = self._doors(door, changed)
            if changed and status_due is None and (door is None or "" in changed):
                status_due = max(loop.time(), status_sent + _STATUS_GAP_S)
            if status_due is not None and loop.time() >= status_due:
                out += self._status(door)
                status_sent, status_due = loop.time(), None
            if not out and loop.time() >= beat_due:
                out = b"event: beat\ndata: {}\n\n"
            if out:
                await _write(response, out)
                beat_sent = loop.time()

    def _snapshot(self, door: str | None) -> bytes:
        status = self._desk.status()
        if door is None:
            return _event("snapshot", status.position, msgspec.json.encode(status))
        return self._door("snapshot", door) + _strip(status, door)

    def _doors(self, door: str | None, changed: set[str | None]) -> bytes:
        named = sorted(name for name in changed if name and door in (None, name))
        return b"".join(self._door("door", name) for name in named)

    def _door(self, event: str, door: str) -> bytes:
        view = self._desk.door(door)
        body = msgspec.structs.asdict(view) | {"now": self._now()}
        return _event(event, view.position, msgspec.json.encode(body))

    def _status(self, door: str | None) -> bytes:
        status = self._desk.status()
        if door is not None:
            return _strip(status, door)
        return _event("status", status.position, msgspec.json.encode({"position": status.position}))


def troubles(status: StatusView, door: str | None = None) -> list[str]:
    """What a worker at a door should know beside its state, in short sentences; mostly nothing. All doors'
    without a `door`.

    The broker's link is no worker's matter, and a dock that cannot record says STOP.
    """
    links = [link for link in status.links if link.name == "center" and link.state == "Down"]
    readers = [device for device in status.devices if device.kind == "reader"]
    if door is not None:
        readers = [device for device in readers if door in device.door.split(", ")]
    return [*map(_link_trouble, links), *(line for line in map(_reader_trouble, readers) if line)]


def _link_trouble(link: LinkView) -> str:
    waiting = "1 entry waits" if link.behind == 1 else f"{link.behind} entries wait"
    return f"No link to the {link.name}: {waiting} here, work goes on."


def _reader_trouble(device: DeviceView) -> str:
    if device.state == "Down":
        return f"The gate {device.device} does not see: scan each label."
    return f"Lamps of {device.device} do not work: go by this screen." if device.unlit else ""


def _strip(status: StatusView, door: str) -> bytes:
    return _event("strip", status.position, msgspec.json.encode({"lines": troubles(status, door)}))


def _event(name: str, position: str, data: bytes) -> bytes:
    # JSON has no raw line end, so that one data line always holds it.
    return b"event: %s\nid: %s\ndata: %s\n\n" % (name.encode(), position.encode(), data)


async def _news(changes: _Changes, until: float) -> set[str | None]:
    """All that has changed by the time something has; nothing when that is not before `until` (loop time)."""
    try:
        # No task is made and none is waited for: a STOP goes out in the next turn of the loop.
        async with asyncio.timeout_at(until):
            changed = {await changes.get()}
    except TimeoutError:
        return set()
    while not changes.empty():
        changed.add(changes.get_nowait())
    return changed


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(_WRITE_S):
        await response.write(data)
