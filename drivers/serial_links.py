# SPDX-License-Identifier: Apache-2.0
"""Serial ports as links: serialx by default, pyserial as the second. Knows ports, not what speaks through
them.
"""

from __future__ import annotations

import asyncio
import os
import termios
from typing import TYPE_CHECKING

import serial
import serialx

from .errors import LinkLost
from .inbox import INBOX_BYTES_MAX, Inbox

if TYPE_CHECKING:
    from .link import Link, LinkAddress

__all__ = ["open_serial"]


async def open_serial(address: LinkAddress) -> Link:
    """Open a serial port for this process alone, 8 data bits, 1 stop bit. Raises OSError."""
    try:
        if address.backend == "pyserial":
            return await _PyserialLink.open(address)
        return await _SerialxLink.open(address)
    except termios.error as error:
        raise OSError(*error.args) from error
    except serialx.SerialException as error:
        raise OSError(str(error)) from error


class _SerialxLink(asyncio.Protocol):
    """A port of serialx: native asyncio, bytes pushed by its transport."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._inbox = Inbox(pause=self._pause, resume=self._resume)
        self._transport: serialx.BaseSerialTransport | None = None

    @classmethod
    async def open(cls, address: LinkAddress) -> _SerialxLink:
        link = cls(address.target)
        link._transport, _ = await serialx.create_serial_connection(
            asyncio.get_running_loop(),
            lambda: link,
            address.target,
            address.baud,
            parity=serialx.Parity[address.parity.upper()],
        )
        return link

    def data_received(self, data: bytes) -> None:
        self._inbox.put(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._inbox.lose(_loss(self._path, exc))

    async def read(self) -> bytes:
        return await self._inbox.read()

    async def write(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            raise LinkLost(_loss(self._path, None))
        try:
            transport.write(data)
        except (OSError, serialx.SerialException) as error:
            raise LinkLost(_loss(self._path, error)) from error

    async def close(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            # Not close(): that would wait for bytes which a dead device will never take.
            transport.abort()
            await transport.wait_closed()

    def _pause(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()


class _PyserialLink:
    """A port of pyserial: it opens and sets the port in a thread, the event loop watches its descriptor."""

    def __init__(self, port: serial.Serial, path: str) -> None:
        self._port: serial.Serial | None = port
        self._path = path
        self._descriptor: int = port.fileno()
        self._loop = asyncio.get_running_loop()
        self._inbox = Inbox(pause=self._unwatch, resume=self._watch)
        self._watch()

    @classmethod
    async def open(cls, address: LinkAddress) -> _PyserialLink:
        loop = asyncio.get_running_loop()
        opening = loop.run_in_executor(None, _open_pyserial, address)
        try:
            return cls(await asyncio.shield(opening), address.target)
        except asyncio.CancelledError:
            # The thread cannot be stopped: what it still opens is given back.
            opening.add_done_callback(_close_opened)
            raise

    async def read(self) -> bytes:
        return await self._inbox.read()

    async def write(self, data: bytes) -> None:
        if self._port is None:
            raise LinkLost(_loss(self._path, None))
        try:
            await self._loop.run_in_executor(None, self._port.write, data)
        except OSError as error:  # SerialException is one
            raise LinkLost(_loss(self._path, error)) from error

    async def close(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            self._unwatch()
            self._inbox.lose(_loss(self._path, None))
            await self._loop.run_in_executor(None, port.close)

    def _watch(self) -> None:
        if self._port is not None:
            self._loop.add_reader(self._descriptor, self._readable)

    def _unwatch(self) -> None:
        self._loop.remove_reader(self._descriptor)

    def _readable(self) -> None:
        # Not Serial.read(): its select() fails in a process with more than 1,024 open files.
        try:
            data = os.read(self._descriptor, INBOX_BYTES_MAX)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._unwatch()
            self._inbox.lose(_loss(self._path, error))
            return
        if data:
            self._inbox.put(data)
        else:
            self._unwatch()
            self._inbox.lose(_loss(self._path, None))


def _open_pyserial(address: LinkAddress) -> serial.Serial:
    return serial.Serial(
        address.target,
        address.baud,
        parity=_PARITIES[address.parity],
        timeout=0,
        write_timeout=_WRITE_TIMEOUT_S,
        exclusive=True,
    )


_PARITIES = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}

# A command to a scanner is a few bytes; one that takes longer has a cable without the other end.
_WRITE_TIMEOUT_S = 2.0


def _close_opened(opening: asyncio.Future[serial.Serial]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _loss(path: str, error: Exception | None) -> str:
    return f"{path} went away" + (f" ({error})" if error is not None else "")
