# SPDX-License-Identifier: Apache-2.0
"""A reader on a socket: one client at a time, TLS where a context is given, faults on demand.

For tests and for a yard, in process; `python -m simulators.reader` for a console. What it does is in
`simulators.reader.device`; here are the connections, the clock and the wire.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from drivers.llrp.errors import LlrpError
from drivers.llrp.framing import BadHeader, LlrpFramer
from drivers.llrp.messages import Message, decode, encode
from simulators.reader.device import Device
from simulators.reader.faults import WireFaults
from simulators.reader.kinds import IMPINJ, ReaderKind
from simulators.reader.refusals import Code
from simulators.reader.sightings import Sighting

__all__ = ["Reader", "monotonic_us"]

_HOST = "127.0.0.1"
_READ_BYTES = 65_536


def monotonic_us() -> int:
    """This machine's monotonic clock in microseconds."""
    return time.monotonic_ns() // 1_000


class Reader:
    """A simulated reader, listening while entered (an async context manager).

    `port` 0 takes a free one; `url` is its address for a client. `clock` gives microseconds that only go
    forward; sightings are on it. `faults` may be changed while it runs. `received` are the messages that
    came, the newest last, and `outputs` the levels of its outputs; `writes` lists each write to one.
    """

    def __init__(
        self,
        kind: ReaderKind = IMPINJ,
        *,
        host: str = _HOST,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], int] = monotonic_us,
        faults: WireFaults | None = None,
    ) -> None:
        self.kind = kind
        self.faults = faults or WireFaults()
        self.received: list[Message] = []
        self.writes: list[tuple[int, bool]] = []
        self.connections = 0
        self._host, self._port, self._tls = host, port, tls
        self._clock = clock
        offset = time.time_ns() // 1_000 - clock() if kind.utc else -clock()
        self.device = Device(kind, self._write, self._end, self._wrote, offset)
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._outbox: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def url(self) -> str:
        """Its address, as a client's configuration has it."""
        return f"{'llrps' if self._tls else 'llrp'}://{self._host}:{self._port}"

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._port

    @property
    def outputs(self) -> dict[int, bool]:
        """The level of each output."""
        return self.device.settings.outputs

    @property
    def connected(self) -> bool:
        """Whether a client is there."""
        return self._writer is not None

    @property
    def reading(self) -> bool:
        """Whether a ROSpec is active."""
        return self.device.rospecs.active is not None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self._host, self._port, ssl=self._tls)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None, "entered before it is left"
        self._server.close()
        if self._timer is not None:
            self._timer.cancel()
        if self._writer is not None:
            self._writer.transport.abort()
        # A task of a broken connection ends by itself.
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    # What the world does to it

    def see(self, *sightings: Sighting) -> int:
        """Tags answer; how many of them an active ROSpec took. What a client gets follows from its ROSpec."""
        taken = self.device.see(sightings, self._clock())
        self._wake()
        return taken

    def see_all(self, sightings: Iterable[Sighting]) -> int:
        """As `see`, of many."""
        return self.see(*sightings)

    def set_input(self, port: int, high: bool) -> None:
        """Pull an input (GPI) up or down. KeyError for a port that is not there."""
        self.device.set_input(port, high, self._clock())
        self._wake()

    def set_antenna(self, antenna: int, connected: bool) -> None:
        """Take an antenna's cable off, or put it on. KeyError for an antenna that is not there."""
        self.device.set_antenna(antenna, connected, self._clock())
        self._wake()

    def fail(self, sentence: str) -> None:
        """Something within breaks, and is told as an exception event."""
        self.device.fail(sentence, self._clock())
        self._wake()

    def jump_clock(self, by_us: int) -> None:
        """Set the reader's own clock, forward or back; sightings stay where they are."""
        self.device.clock_offset_us += by_us

    def drop(self) -> None:
        """Break the connection, as a pulled cable does once somebody notices."""
        if self._writer is not None:
            self._writer.transport.abort()

    def hang_up(self) -> None:
        """End the connection in good order: ConnectionCloseEvent first."""
        self.device.hang_up(self._clock())

    def send_bytes(self, data: bytes) -> None:
        """Put bytes on the wire as they are, a recording for one."""
        self._outbox.put_nowait(("", data))

    async def until(self, holds: Callable[[Self], bool], within_s: float | None = 10.0) -> None:
        """Wait until the reader is as `holds` wants it. Raises TimeoutError; never for None."""
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(lambda: holds(self))

    # The device's side

    def _write(self, message: Message) -> None:
        self._outbox.put_nowait((message.name, encode(message)))

    def _end(self) -> None:
        """The device ends the connection, after what it said."""
        self._outbox.put_nowait(("", b""))

    def _wrote(self, port: int, level: bool) -> None:
        self.writes.append((port, level))

    # The wire

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a connection is served by a task"
        self._tasks.add(task)
        try:
            if self._writer is not None:
                await self._turn_away(writer)
            else:
                await self._talk(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _turn_away(self, writer: asyncio.StreamWriter) -> None:
        told = self.device.refuse_another(self._clock())
        writer.write(encode(Message("READER_EVENT_NOTIFICATION", 1, {}, [told])))
        with contextlib.suppress(OSError):
            await writer.drain()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._outbox = asyncio.Queue()
        self.connections += 1
        self.device.connect(self._clock())
        sending = asyncio.create_task(self._send(self._outbox, writer))
        self._wake()
        try:
            framer = LlrpFramer()
            while data := await reader.read(_READ_BYTES):
                if not all(map(self._take, framer.feed(data))):
                    break
                self._wake()
        except OSError:
            pass  # the client has gone
        finally:
            self._writer = None
            self.device.disconnect(self._clock())
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            self._wake()

    def _take(self, frame: bytes | BadHeader) -> bool:
        """Do what a frame says; False when nothing after it can be understood."""
        if isinstance(frame, BadHeader):
            return False
        try:
            message = decode(frame)
        except LlrpError as error:
            number = int.from_bytes(frame[6:10], "big")
            self.device.complain(number, str(error), Code.M_PARAMETER_ERROR)
            return True
        self.received.append(message)
        self.device.take(message, self._clock())
        return True

    async def _send(self, outbox: asyncio.Queue[tuple[str, bytes]], writer: asyncio.StreamWriter) -> None:
        """Carry what is said to the wire, past the faults; end the connection where the device says so."""
        with contextlib.suppress(OSError):
            while True:
                name, data = await outbox.get()
                if not (name or data):
                    break
                async with self._changed:
                    await self._changed.wait_for(lambda: not self.faults.stalled)
                frame = self.faults.spoil(name, data) if name else data
                for pause_s, piece in self.faults.pieces(frame):
                    if pause_s:
                        await asyncio.sleep(pause_s)
                    writer.write(piece)
                await writer.drain()
        writer.close()

    def resume(self) -> None:
        """Let go on what `faults.stalled` held up."""
        self.faults.stalled = False
        self._wake()

    def _wake(self) -> None:
        """Look at the time, and let whoever waits look again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        due = self.device.due_us
        if due is not None:
            self._timer = loop.call_later(max(0, due - self._clock()) / 1e6, self._tick)
        task = loop.create_task(self._notify())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tick(self) -> None:
        self.device.tick(self._clock())
        self._wake()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
