# SPDX-License-Identifier: Apache-2.0
"""A cable inside this process: a device's end to write to, and a link for the driver, with a bad line
between.

A public fake with a link's interface, for tests and for trying a driver without a port. Opens no device.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from .errors import LinkLost, LinkUnavailable, LinkUrlError
from .inbox import Inbox
from .line_faults import LineFaults

__all__ = ["NullModem", "open_null_modem"]


class NullModem:
    """The device's end of the cable. While entered, `null-modem://<name>` opens the other end, once at a
    time.

    Starts plugged in. `faults` happen to what the device sends.
    """

    def __init__(self, name: str, faults: LineFaults | None = None) -> None:
        self.name = name
        self.faults = faults
        self.received = bytearray()  # what the driver wrote
        self._plugged = True
        self._link: _NullModemLink | None = None

    @property
    def url(self) -> str:
        """The address of the driver's end."""
        return f"null-modem://{self.name}"

    async def send(self, data: bytes) -> None:
        """Send `data` down the line, waiting while the driver's end is full. Into an open plug it is lost."""
        for pause_s, piece in [(0.0, data)] if self.faults is None else self.faults.apply(data):
            if pause_s:
                await asyncio.sleep(pause_s)
            if self._link is not None:
                await self._link.arrive(piece)

    def unplug(self) -> None:
        """Pull the cable: the driver's link is lost and cannot be opened again until `plug`."""
        self._plugged = False
        self.release("the null modem was unplugged")

    def plug(self) -> None:
        """Put the cable back."""
        self._plugged = True

    def __enter__(self) -> Self:
        if self.name in _MODEMS:
            raise LinkUrlError(f"null modem {self.name!r} exists already, expected a name of its own")
        _MODEMS[self.name] = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del _MODEMS[self.name]
        self.release("the null modem was taken away")

    def attach(self) -> _NullModemLink:
        """The driver's end, once at a time. Raises LinkUnavailable. Called by open_link."""
        if not self._plugged:
            raise LinkUnavailable(f"{self.url} is not there: plug the device in")
        if self._link is not None:
            raise LinkUnavailable(f"{self.url} is in use: close the other link")
        self._link = _NullModemLink(self)
        return self._link

    def release(self, reason: str) -> None:
        """End the driver's link, giving it `reason`; for the link's own side of the cable."""
        link, self._link = self._link, None
        if link is not None:
            link.lose(reason)


def open_null_modem(name: str) -> _NullModemLink:
    """The driver's end of the null modem `name`. Raises LinkUnavailable when there is none or it is taken."""
    modem = _MODEMS.get(name)
    if modem is None:
        raise LinkUnavailable(f"null-modem://{name} is not there: enter a NullModem of this name first")
    return modem.attach()


class _NullModemLink:
    def __init__(self, modem: NullModem) -> None:
        self._modem: NullModem | None = modem
        self._room = asyncio.Event()
        self._room.set()
        self._inbox = Inbox(pause=self._room.clear, resume=self._room.set)

    async def arrive(self, data: bytes) -> None:
        await self._room.wait()
        self._inbox.put(data)

    def lose(self, reason: str) -> None:
        self._modem = None
        self._room.set()
        self._inbox.lose(reason)

    async def read(self) -> bytes:
        return await self._inbox.read()

    async def write(self, data: bytes) -> None:
        if self._modem is None:
            raise LinkLost("the null modem was unplugged")
        self._modem.received += data

    async def close(self) -> None:
        if self._modem is not None:
            self._modem.release("the link was closed")


_MODEMS: dict[str, NullModem] = {}
