# SPDX-License-Identifier: Apache-2.0
"""A serial barcode scanner on a pty, behind a lasting name as udev gives one, with the faults real ones have.

Writes what a scanner writes; may not know what the service makes of it.
"""

from __future__ import annotations

import asyncio
import os
import tty
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.framing import encode_scan
from drivers.line_faults import LineFaults

__all__ = ["PtyScanner"]

# What a host may have sent and nobody looked at; a scanner forgets commands it does not know.
_RECEIVED_BYTES_MAX = 4096
# As many bytes as a UART hands over at once; also the step in which the line's speed is kept.
_PIECE_BYTES = 16


class PtyScanner:
    """A scanner that appears as `link_path`, a symbolic link to a pty, while it is plugged.

    `baud` sets the pace (10 bits a byte), None sends as fast as the reader takes it. `send_aim` puts the
    symbology identifier in front, `suffix` and `stx_etx` frame the code, `no_read` is sent when there is
    nothing to decode. `faults` happen to every transmission. Use as an async context manager, or call `plug`
    and `close`.
    """

    def __init__(
        self,
        link_path: Path,
        baud: int | None = 9600,
        send_aim: bool = True,
        suffix: bytes = b"\r",
        stx_etx: bool = False,
        no_read: bytes = b"NOREAD",
        faults: LineFaults | None = None,
    ) -> None:
        self.link_path = link_path
        self.faults = faults
        self.received = bytearray()  # the first bytes the host sent
        self._baud = baud
        self._send_aim = send_aim
        self._suffix = suffix
        self._stx_etx = stx_etx
        self._no_read = no_read
        self._ends: tuple[int, int] | None = None  # descriptors of the pty: ours, and the one the host opens
        self._room: asyncio.Future[None] | None = None
        self._sending = asyncio.Lock()

    @property
    def url(self) -> str:
        """The link URL that opens this scanner."""
        return f"serial://{self.link_path}?baud={self._baud or 115_200}"

    @property
    def plugged(self) -> bool:
        """Whether the lasting name leads to a device now."""
        return self._ends is not None

    def plug(self) -> None:
        """Appear: a new device behind the same lasting name. Needs a running event loop."""
        if self._ends is not None:
            return
        ours, hosts = os.openpty()
        tty.setraw(hosts)
        os.set_blocking(ours, False)
        self._ends = ours, hosts
        asyncio.get_running_loop().add_reader(ours, self._take_received, ours)
        self.link_path.parent.mkdir(parents=True, exist_ok=True)
        self.link_path.unlink(missing_ok=True)
        self.link_path.symlink_to(os.ttyname(hosts))

    def unplug(self) -> None:
        """Disappear: the name is gone and whoever has the device open finds the line dead."""
        if self._ends is None:
            return
        (ours, hosts), self._ends = self._ends, None
        loop = asyncio.get_running_loop()
        loop.remove_reader(ours)
        loop.remove_writer(ours)
        self._wake()
        self.link_path.unlink(missing_ok=True)
        os.close(ours)
        os.close(hosts)

    async def scan(self, code: bytes, aim: str | None = "]C1") -> bool:
        """Send one scan of `code`, a carrier of symbology `aim`. False when the cable was out before its last
        byte.
        """
        sent_aim = aim if self._send_aim else None
        return await self.send(encode_scan(code, sent_aim, self._suffix, self._stx_etx))

    async def fail_to_read(self) -> bool:
        """Send what the scanner says when it could not decode. False as for `scan`."""
        return await self.send(encode_scan(self._no_read, None, self._suffix, self._stx_etx))

    async def send(self, data: bytes) -> bool:
        """Send raw bytes over the faulty line, noise for one. One transmission after the other. False as for
        `scan`.
        """
        async with self._sending:
            for pause_s, piece in [(0.0, data)] if self.faults is None else self.faults.apply(data):
                if pause_s:
                    await asyncio.sleep(pause_s)
                if not await self._write(piece):
                    return False
        return True

    async def close(self) -> None:
        """Unplug and wait for a transmission under way to notice."""
        self.unplug()
        async with self._sending:
            pass

    async def __aenter__(self) -> Self:
        self.plug()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _write(self, data: bytes) -> bool:
        step = _PIECE_BYTES if self._baud is not None else max(1, len(data))
        ends = self._ends
        for start in range(0, len(data), step):
            piece = data[start : start + step]
            while piece:
                if ends is None or self._ends is not ends:
                    return False
                try:
                    piece = piece[os.write(ends[0], piece) :]
                except BlockingIOError:
                    await self._wait_for_room(ends[0])
            if self._baud is not None:
                await asyncio.sleep(min(step, len(data) - start) * 10 / self._baud)
        return True

    async def _wait_for_room(self, descriptor: int) -> None:
        loop = asyncio.get_running_loop()
        self._room = loop.create_future()
        loop.add_writer(descriptor, self._wake)
        try:
            await self._room
        finally:
            self._room = None
            if self._ends is not None and self._ends[0] == descriptor:
                loop.remove_writer(descriptor)

    def _wake(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    def _take_received(self, descriptor: int) -> None:
        try:
            data = os.read(descriptor, _RECEIVED_BYTES_MAX)
        except OSError:
            return
        self.received += data[: _RECEIVED_BYTES_MAX - len(self.received)]
