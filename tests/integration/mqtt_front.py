# SPDX-License-Identifier: Apache-2.0
"""Small TCP fronts before a broker: one that refuses MQTT 5, one that only hangs up."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self

# CONNACK of MQTT 3.1.1 with return code 1: unacceptable protocol version (section 3.2.2.3).
OLD_REFUSAL = bytes((0x20, 0x02, 0x00, 0x01))


class VersionFront:
    """Passes a connection on to the broker, but answers CONNECTs of MQTT 5 itself when `refuse`."""

    def __init__(self, port: int, answer: bytes = OLD_REFUSAL, refuse: bool = True) -> None:
        self._port, self._answer, self._refuse = port, answer, refuse
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Event()
        self._gate.set()
        self.connections = 0
        self.refused = 0

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"mqtt://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def shut(self) -> None:
        """Take connections, but pass none on."""
        self._gate.clear()

    def open(self) -> None:
        """Pass them on again."""
        self._gate.set()

    async def cut(self) -> None:
        """End every connection, as a pulled cable that somebody notices: no goodbye of MQTT's on it."""
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self.cut()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            # A cancelled connection ends here: the server's own callback would report it as an error.
            with suppress(asyncio.CancelledError):
                await self._pass_on(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            self._serving.discard(task)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(4096)
        level = first[first.find(b"MQTT") + 4 : first.find(b"MQTT") + 5]
        if self._refuse and level == b"\x05":
            self.refused += 1
            writer.write(self._answer)
            return
        await self._gate.wait()
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._port)
        to_writer.write(first)
        try:
            pumps = [asyncio.create_task(_pump(*ends)) for ends in ((reader, to_writer), (to_reader, writer))]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
        finally:
            to_writer.close()
            with suppress(OSError):
                await to_writer.wait_closed()


class HangingUp(VersionFront):
    """Takes every connection and closes it without a word."""

    def __init__(self) -> None:
        super().__init__(0)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)


class Silent(VersionFront):
    """Takes every connection and says nothing."""

    def __init__(self) -> None:
        super().__init__(0)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(4096):
            pass


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
