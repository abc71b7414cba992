# SPDX-License-Identifier: Apache-2.0
"""A label printer's raw port: takes ZPL, answers ~HS with its state, and has the troubles real ones have.

Prints nothing: `labels` are the formats that it took, from ^XA to ^XZ. May not know what a label says.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

__all__ = ["LabelPrinter"]

# A printer's receive buffer; what comes in one piece beyond it without an end is no label.
_BUFFER_BYTES_MAX: Final = 1024 * 1024


@dataclass
class LabelPrinter:
    """A printer on 127.0.0.1. Use as an async context manager; `address` is its host and port.

    Each trouble can be switched while it runs: out of labels, paused, its head open, out of ribbon, silent
    (it takes everything and answers nothing), and `breaks_after` so many bytes (the cable is pulled).
    """

    out_of_labels: bool = False
    paused: bool = False
    head_open: bool = False
    out_of_ribbon: bool = False
    silent: bool = False
    breaks_after: int | None = None
    labels: list[str] = field(default_factory=list)
    address: str = ""
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.address = f"{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        buffer, received = b"", 0
        try:
            while (piece := await reader.read(4096)) and len(buffer) < _BUFFER_BYTES_MAX:
                received += len(piece)
                if self.breaks_after is not None and received > self.breaks_after:
                    writer.transport.abort()
                    return
                buffer = self._take(buffer + piece, writer)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    def _take(self, buffer: bytes, writer: asyncio.StreamWriter) -> bytes:
        """Do what stands in the buffer, in turn; what is left of it."""
        while True:
            asked, ended = buffer.find(b"~HS"), buffer.find(b"^XZ")
            if ended >= 0 and not 0 <= asked < ended:
                begun = buffer.find(b"^XA")
                if 0 <= begun < ended:
                    self.labels.append(buffer[begun : ended + 3].decode("ascii", "replace"))
                buffer = buffer[ended + 3 :]
            elif asked >= 0:
                if not self.silent:
                    writer.write(self._state())
                buffer = buffer[:asked] + buffer[asked + 3 :]
            else:
                return buffer

    def _state(self) -> bytes:
        lines = (
            f"030,{int(self.out_of_labels)},{int(self.paused)},1218,000,0,0,0,000,0,0,0",
            f"000,0,{int(self.head_open)},{int(self.out_of_ribbon)},1,2,6,0,00000000,1,000",
            "1234,0",
        )
        return b"".join(b"\x02" + line.encode() + b"\x03\r\n" for line in lines)
