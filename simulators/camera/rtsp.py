# SPDX-License-Identifier: Apache-2.0
"""A camera on the network: RTSP over TCP, its pictures as JPEG in RTP, and the faults that real ones have.

Speaks what a client needs to see pictures and no more: no sound, no UDP, no password.
Sources: RFC 2326 (RTSP; 10.12 interleaved data), RFC 3550 section 5.1 (RTP header), RFC 2435 (JPEG in RTP),
RFC 4566 (SDP).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self

import cv2

from simulators.camera.symbols import Pixels

__all__ = ["RtspCamera", "rtp_packets"]

PAYLOAD_BYTES: Final = 1400
"""Of a picture in one packet: what fits an Ethernet frame."""

CLOCK_HZ: Final = 90_000


class RtspCamera:
    """Serves the picture that is shown, `fps` times a second, at `url`. Use as an async context manager.

    `unplug` ends all streams and takes no more until `plug`; while `silent` nothing is sent.
    """

    def __init__(self, fps: float = 10.0, host: str = "127.0.0.1", port: int = 0) -> None:
        self.silent = False
        self.clients = 0  # that were ever sent pictures
        self._fps, self._host, self._port = fps, host, port
        self._picture: tuple[int, int, bytes, bytes] | None = None
        self._server: asyncio.Server | None = None
        self._talks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def url(self) -> str:
        """What a client opens."""
        return f"rtsp://{self._host}:{self._port}/live"

    def show(self, pixels: Pixels) -> None:
        """Send this picture from now on; sides are multiples of 8, up to 2040 pixels."""
        made, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])
        assert made
        tables, scan = _parts(data.tobytes())
        self._picture = (pixels.shape[1], pixels.shape[0], tables, scan)

    async def plug(self) -> None:
        """Take clients, at the same port as before."""
        self._server = await asyncio.start_server(self._talk, self._host, self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def unplug(self) -> None:
        """End all streams at once."""
        if self._server is None:
            return
        self._server.close()
        for writer in self._talks.values():
            writer.transport.abort()
        if self._talks:
            await asyncio.wait(self._talks)
        await self._server.wait_closed()
        self._server = None

    async def __aenter__(self) -> Self:
        await self.plug()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.unplug()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks[task] = writer
        streaming: asyncio.Task[None] | None = None
        try:
            while (request := await _request(reader)) is not None:
                method, number = request
                writer.write(_answered(number, _ANSWERS.get(method), self.url))
                if method == "PLAY" and streaming is None:
                    self.clients += 1
                    streaming = asyncio.create_task(self._stream(writer))
                if method == "TEARDOWN":
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # clients hang up as they like
        finally:
            if streaming is not None:
                streaming.cancel()
            writer.close()
            del self._talks[task]

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        numbers = itertools.count()
        with contextlib.suppress(ConnectionError):
            for tick in itertools.count():
                if self._picture is not None and not self.silent:
                    stamp = int(tick * CLOCK_HZ / self._fps)
                    for packet in rtp_packets(*self._picture, stamp, numbers):
                        writer.write(b"$\0" + struct.pack(">H", len(packet)) + packet)
                    await writer.drain()
                await asyncio.sleep(1 / self._fps)


def rtp_packets(
    width: int, height: int, tables: bytes, scan: bytes, stamp: int, numbers: Iterator[int]
) -> Iterator[bytes]:
    """One picture as RTP packets: `tables` are its two quantization tables, `scan` its entropy-coded data."""
    for start in range(0, len(scan), PAYLOAD_BYTES):
        part = scan[start : start + PAYLOAD_BYTES]
        last = start + PAYLOAD_BYTES >= len(scan)
        header = struct.pack(
            ">BBHII", 0x80, _JPEG | last << 7, next(numbers) & 0xFFFF, stamp & 0xFFFFFFFF, _SOURCE
        )
        # Type 1 is 4:2:0; quality 255 says that the tables come along.
        jpeg = start.to_bytes(4, "big") + bytes((1, 255, width // 8, height // 8))
        if start == 0:
            jpeg += struct.pack(">BBH", 0, 0, len(tables)) + tables
        yield header + jpeg + part


_JPEG: Final = 26
_SOURCE: Final = 0x5A4F4E45
_SESSION: Final = "Session: 1\r\n"

_SDP: Final = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 26\r\na=control:track1\r\n"
)
# Header lines and body of the answer to each method.
_ANSWERS: Final = {
    "OPTIONS": ("Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN\r\n", ""),
    "DESCRIBE": ("Content-Type: application/sdp\r\n", _SDP),
    "SETUP": ("Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n" + _SESSION, ""),
    "PLAY": ("Range: npt=0.000-\r\n" + _SESSION, ""),
    "GET_PARAMETER": (_SESSION, ""),
    "TEARDOWN": (_SESSION, ""),
}


async def _request(reader: asyncio.StreamReader) -> tuple[str, str] | None:
    """The next request: its method and its number. Reports of the client are passed over."""
    while True:
        first = await reader.read(1)
        if not first:
            return None
        if first != b"$":
            break
        _, length = struct.unpack(">BH", await reader.readexactly(3))
        await reader.readexactly(length)
    head = (first + await reader.readuntil(b"\r\n\r\n")).decode("ascii", "replace")
    lines = head.split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    await reader.readexactly(int(fields.get("content-length", "0")))
    return lines[0].split(" ")[0], fields.get("cseq", "0")


def _answered(number: str, answer: tuple[str, str] | None, url: str) -> bytes:
    if answer is None:
        return f"RTSP/1.0 501 Not Implemented\r\nCSeq: {number}\r\n\r\n".encode()
    fields, body = answer
    base = f"Content-Base: {url}/\r\nContent-Length: {len(body)}\r\n" if body else ""
    return f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{fields}{base}\r\n{body}".encode()


def _parts(jpeg: bytes) -> tuple[bytes, bytes]:
    """The quantization tables, in their order, and the entropy-coded data of a baseline JPEG."""
    tables, position = b"", 2
    while True:
        marker, length = jpeg[position + 1], int.from_bytes(jpeg[position + 2 : position + 4], "big")
        segment = jpeg[position + 4 : position + 2 + length]
        position += 2 + length
        if marker == 0xDB:
            tables += b"".join(segment[start + 1 : start + 65] for start in range(0, len(segment), 65))
        elif marker == 0xDA:
            return tables, jpeg[position:].removesuffix(b"\xff\xd9")
