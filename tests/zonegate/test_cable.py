# SPDX-License-Identifier: Apache-2.0
"""A cable that is pulled breaks what goes through it, and takes nothing until it is plugged in again."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from zonegate.cable import Cable


async def test_a_pulled_cable_breaks_every_connection_and_joins_again_on_its_port() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while block := await reader.read(100):
            writer.write(block)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with asyncio.timeout(20), Cable("http", server.sockets[0].getsockname()[1]) as cable:
        port = cable.port
        assert cable.url == f"http://127.0.0.1:{port}"

        async def said() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            return reader, writer

        reader, writer = await said()
        await cable.cut()
        with contextlib.suppress(ConnectionError):  # broken, or ended in good order
            assert await reader.read(1) == b""
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await said()
        await cable.join()
        _, writer = await said()
        writer.close()
    server.close()
