# SPDX-License-Identifier: Apache-2.0
"""A simulated reader on its socket: one client, TLS, a recording, and every trouble on demand."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from drivers.line_faults import LineFaults
from drivers.llrp.errors import LlrpError
from drivers.llrp.framing import BadHeader, LlrpFramer
from drivers.llrp.messages import Message, Parameter, decode, encode
from simulators.reader.faults import WireFaults
from simulators.reader.replay import RecordingError, read_recording
from simulators.reader.server import Reader
from simulators.reader.sightings import Sighting
from tests.integration.certificates import Authority
from tests.simulators.reader.bench import chain, epc, number_of, part, report_spec, rospec

WITHIN_S = 20.0


class Client:
    """A client by hand: what it sends and what comes, frame by frame."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._framer = LlrpFramer()
        self._frames: list[bytes | BadHeader] = []
        self._number = 0

    async def frame(self) -> bytes | BadHeader | None:
        """The next frame; None when the connection has ended."""
        async with asyncio.timeout(WITHIN_S):
            while not self._frames:
                data = await self._reader.read(65_536)
                if not data:
                    return None
                self._frames += self._framer.feed(data)
        return self._frames.pop(0)

    async def message(self) -> Message:
        """The next message, which must be one."""
        frame = await self.frame()
        assert isinstance(frame, bytes), frame
        return decode(frame)

    async def event(self) -> Parameter:
        """The next message, which must be a notification: what happened."""
        message = await self.message()
        data = message.first("ReaderEventNotificationData")
        assert data is not None, message
        return data.parameters[1]

    async def ask(self, name: str, *inside: Parameter, **fields: int) -> Message:
        """A request; its answer, past what else comes."""
        self._number += 1
        self.writer.write(encode(Message(name, self._number, dict(fields), list(inside))))
        while (answer := await self.message()).name not in (f"{name}_RESPONSE", "ERROR_MESSAGE"):
            pass
        return answer

    async def read_tags(self) -> None:
        """Set a ROSpec up that tells each tag at once."""
        for answer in (
            await self.ask("ADD_ROSPEC", rospec(start=part("ROSpecStartTrigger", Trigger=1))),
            await self.ask("ENABLE_ROSPEC", ROSpecID=1),
        ):
            assert chain(answer) == (0,)


@contextlib.asynccontextmanager
async def client(reader: Reader | Program, tls: ssl.SSLContext | None = None) -> AsyncIterator[Client]:
    """Connected, and not yet greeted."""
    streams = await asyncio.open_connection("127.0.0.1", reader.port, ssl=tls)
    try:
        yield Client(*streams)
    finally:
        streams[1].close()
        with contextlib.suppress(OSError):
            await streams[1].wait_closed()


def tag(number: int) -> Sighting:
    return Sighting(epc(number), 1, -5_000)


async def test_a_client_is_greeted_and_a_second_one_is_turned_away() -> None:
    async with Reader() as reader, client(reader) as first:
        assert (await first.event()).fields == {"Event": 0}
        async with client(reader) as second:
            assert (await second.event()).fields == {"Event": 2}
            assert await second.frame() is None
        assert (await first.event()).fields == {"Event": 4}
        assert (await first.ask("GET_ROSPECS")).name == "GET_ROSPECS_RESPONSE"


async def test_when_a_client_has_gone_another_one_may_come() -> None:
    async with Reader() as reader:
        for _ in range(3):
            async with client(reader) as one:
                assert (await one.event()).fields == {"Event": 0}
                assert (await one.ask("CLOSE_CONNECTION")).name == "CLOSE_CONNECTION_RESPONSE"
                assert await one.frame() is None
            await reader.until(lambda it: not it.connected)
        assert reader.connections == 3


async def test_tags_inputs_and_outputs_cross_the_wire() -> None:
    async with Reader() as reader, client(reader) as one:
        await one.event()
        states = part("EventNotificationState", ReaderEventType=1, NotificationEnabled=True)
        await one.ask(
            "SET_READER_CONFIG",
            part("ReaderEventNotificationSpec", states),
            part("GPIPortCurrentState", Port=1, Enabled=True),
            part("GPOWriteData", Port=3, Data=True),
        )
        assert reader.outputs == {1: False, 2: False, 3: True, 4: False}
        await one.read_tags()
        assert reader.reading
        reader.see(tag(5))
        reader.set_input(1, high=True)
        assert [number_of(told) for told in (await one.message()).every("TagReportData")] == [5]
        assert (await one.event()).fields == {"Port": 1, "Event": True}


async def test_a_timer_of_the_reader_runs_by_itself() -> None:
    async with Reader() as reader, client(reader) as one:
        await one.event()
        await one.ask("SET_READER_CONFIG", part("KeepAliveSpec", Trigger=1, Interval=20))
        for _ in range(3):
            beat = await one.message()
            assert beat.name == "KEEPALIVE"
            one.writer.write(encode(Message("KEEPALIVE_ACK", beat.id)))
        await reader.until(lambda it: sum(told.name == "KEEPALIVE_ACK" for told in it.received) >= 3)


async def test_a_silent_client_is_left() -> None:
    async with Reader() as reader, client(reader) as one:
        await one.event()
        await one.ask("SET_READER_CONFIG", part("KeepAliveSpec", Trigger=1, Interval=20))
        names = [(await one.message()).name for _ in range(4)]
        assert names == ["KEEPALIVE"] * 3 + ["READER_EVENT_NOTIFICATION"]
        assert await one.frame() is None


async def test_tls_is_spoken_where_there_is_a_certificate(tmp_path: Path) -> None:
    authority = Authority()
    certificate, key = authority.issue("reader", server=True)
    (tmp_path / "reader.pem").write_bytes(certificate + key)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(tmp_path / "reader.pem")
    trusting = ssl.create_default_context(cadata=authority.pem.decode())
    async with Reader(tls=served) as reader:
        assert reader.url.startswith("llrps://")
        async with client(reader, trusting) as one:
            assert (await one.event()).fields == {"Event": 0}
        with pytest.raises(ssl.SSLError):
            await asyncio.open_connection("127.0.0.1", reader.port, ssl=ssl.create_default_context())


async def test_what_cannot_be_read_is_answered_and_the_link_is_kept() -> None:
    async with Reader() as reader, client(reader) as one:
        await one.event()
        cut = encode(Message("ADD_ROSPEC", 77, {}, [rospec()]))
        one.writer.write(cut[:12] + b"\xff" + cut[13:])
        error = await one.message()
        assert (error.name, error.id) == ("ERROR_MESSAGE", 77)
        assert (await one.ask("GET_ROSPECS")).name == "GET_ROSPECS_RESPONSE"


async def test_a_client_that_loses_its_framing_is_cut_off() -> None:
    async with Reader() as reader, client(reader) as one:
        await one.event()
        one.writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await one.frame() is None


async def test_frames_are_garbled_and_lie_on_demand() -> None:
    async with Reader() as reader, client(reader) as one:
        await one.event()
        await one.read_tags()
        reader.faults.garble_frames = 1
        reader.see(tag(1))
        spoilt = await one.frame()
        assert isinstance(spoilt, bytes)
        with pytest.raises(LlrpError):
            decode(spoilt)
        reader.see(tag(2))
        assert [number_of(told) for told in (await one.message()).every("TagReportData")] == [2]
        reader.faults.lie_bytes = -4
        reader.see(tag(3))
        short = await one.frame()
        assert isinstance(short, bytes)
        with pytest.raises(LlrpError):
            decode(short)
        reader.see(tag(4))
        assert isinstance(await one.frame(), BadHeader)


async def test_a_stalled_line_delivers_everything_later() -> None:
    async with Reader() as reader, client(reader) as one:
        await one.event()
        await one.read_tags()
        reader.faults.stalled = True
        assert reader.see(tag(1), tag(2)) == 2
        waiting = asyncio.create_task(one.message())
        await asyncio.sleep(0)
        assert not waiting.done()
        reader.resume()
        told = [*(await waiting).every("TagReportData"), *(await one.message()).every("TagReportData")]
        assert [number_of(report) for report in told] == [1, 2]


async def test_what_is_swallowed_is_never_answered() -> None:
    faults = WireFaults(swallow=frozenset({"ADD_ROSPEC_RESPONSE"}))
    async with Reader(faults=faults) as reader, client(reader) as one:
        await one.event()
        one.writer.write(encode(Message("ADD_ROSPEC", 1, {}, [rospec()])))
        assert (await one.ask("GET_ROSPECS")).first("ROSpec") is not None


async def test_a_line_that_splits_loses_nothing() -> None:
    faults = WireFaults(LineFaults(Random(3), split=0.4))
    async with Reader(faults=faults) as reader, client(reader) as one:
        await one.event()
        await one.read_tags()
        reader.see(*map(tag, range(50)))
        told = [
            number_of(report) for _ in range(50) for report in (await one.message()).every("TagReportData")
        ]
        assert told == list(range(50))


async def test_a_clock_jumps_on_demand() -> None:
    async with Reader() as reader, client(reader) as one:
        await one.event()
        spec = rospec(
            start=part("ROSpecStartTrigger", Trigger=1), report=report_spec(2, 1, "EnableLastSeenTimestamp")
        )
        await one.ask("ADD_ROSPEC", spec)
        await one.ask("ENABLE_ROSPEC", ROSpecID=1)
        times = []
        for jump in (0, -86_400_000_000):
            reader.jump_clock(jump)
            reader.see(Sighting(epc(1), 1, -5_000, at_us=1_000))
            (told,) = (await one.message()).every("TagReportData")
            times.append(told.parameters[1].fields["LastSeen"])
        assert int(str(times[1])) - int(str(times[0])) == -86_400_000_000


async def test_the_connection_breaks_on_demand_and_the_rospec_lives_on() -> None:
    async with Reader() as reader:
        async with client(reader) as one:
            await one.event()
            await one.read_tags()
            reader.drop()
            with contextlib.suppress(ConnectionError):
                assert await one.frame() is None
            await reader.until(lambda it: not it.connected)
        assert reader.reading
        async with client(reader) as again:
            assert (await again.event()).fields == {"Event": 0}


# A recording


def notification(name: str, at_us: int, **fields: int) -> bytes:
    stamp = part("UTCTimestamp", Microseconds=at_us)
    return encode(
        Message(
            "READER_EVENT_NOTIFICATION",
            1,
            {},
            [part("ReaderEventNotificationData", stamp, part(name, **fields))],
        )
    )


def report(number: int, at_us: int) -> bytes:
    told = part("TagReportData", part("EPC96", EPC=epc(number)), part("LastSeenUTC", LastSeen=at_us))
    return encode(Message("RO_ACCESS_REPORT", number, {}, [told]))


RECORDING = b"".join(
    [
        notification("ConnectionAttemptEvent", 0, Event=0),
        encode(Message("GET_ROSPECS_RESPONSE", 4, {}, [part("LLRPStatus", Status=0, ErrorDescription="")])),
        report(1, 1_000_000),
        notification("GPIEvent", 1_250_000, Port=1, Event=1),
        report(2, 1_300_000),
        report(3, 90_000_000),
    ]
)


def test_a_recording_is_what_the_reader_said_unasked_at_its_own_pace() -> None:
    recorded = read_recording(RECORDING)
    names = [decode(one.frame).name for one in recorded]
    assert names == ["RO_ACCESS_REPORT", "READER_EVENT_NOTIFICATION", "RO_ACCESS_REPORT", "RO_ACCESS_REPORT"]
    assert [one.pause_us for one in recorded] == [0, 250_000, 50_000, 5_000_000]


def test_a_frame_that_nobody_can_read_stays_in_a_recording() -> None:
    spoilt = bytearray(report(1, 5))
    spoilt[-3] = 0xFF
    spoilt[13] = 0x03
    assert [one.frame for one in read_recording(bytes(spoilt))] == [bytes(spoilt)]


@pytest.mark.parametrize("data", [b"no recording at all", RECORDING[:-1]])
def test_what_is_no_recording_is_refused(data: bytes) -> None:
    with pytest.raises(RecordingError, match="byte"):
        read_recording(data)


# On the console


class Program:
    """`python -m simulators.reader` with its pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.port = 0

    async def line(self) -> str:
        assert self._process.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            return (await self._process.stdout.readline()).decode().strip()

    async def end(self, number: int) -> None:
        """Send it a signal, and wait for its end."""
        self._process.send_signal(number)
        async with asyncio.timeout(WITHIN_S):
            await self._process.wait()

    async def type(self, *lines: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        await self._process.stdin.drain()


@contextlib.asynccontextmanager
async def program(*words: str) -> AsyncIterator[Program]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators.reader", *words, stdin=pipe, stdout=pipe, stderr=pipe
    )
    try:
        running = Program(process)
        running.port = int((await running.line()).rpartition(":")[2])
        yield running
        if process.returncode is None:
            await running.type("quit")
        async with asyncio.timeout(WITHIN_S):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_the_console_obeys_and_tells_its_outputs() -> None:
    async with program("--kind", "plain") as console, client(console) as one:
        await one.event()
        await one.read_tags()
        await one.ask("SET_READER_CONFIG", part("GPOWriteData", Port=2, Data=True))
        assert await console.line() == "output 2 high"
        await console.type("nonsense", f"see {epc(9).hex()} 4 -48.4")
        (told,) = (await one.message()).every("TagReportData")
        assert number_of(told) == 9
        assert [one.fields[one.name] for one in told.parameters[1:3]] == [4, -48]


async def test_the_console_ends_when_it_is_told_to_though_nobody_types() -> None:
    async with program() as console:
        await console.end(signal.SIGINT)


async def test_the_console_replays_a_file_to_who_reads(tmp_path: Path) -> None:
    (tmp_path / "dock.llrp").write_bytes(RECORDING)
    async with (
        program("--replay", str(tmp_path / "dock.llrp"), "--speed", "0") as console,
        client(console) as one,
    ):
        await one.event()
        await one.read_tags()
        frames = [await one.frame() for _ in range(4)]
        assert frames == [recorded.frame for recorded in read_recording(RECORDING)]


async def test_the_console_replays_a_file_to_whoever_connects(tmp_path: Path) -> None:
    (tmp_path / "dock.llrp").write_bytes(RECORDING)
    words = ("--replay", str(tmp_path / "dock.llrp"), "--speed", "0", "--at-once")
    async with program(*words) as console, client(console) as one:
        await one.event()
        assert [await one.frame() for _ in range(4)] == [each.frame for each in read_recording(RECORDING)]


async def test_the_console_holds_tags_in_the_field() -> None:
    async with (
        program("--tag", epc(1).hex(), "--tag", epc(2).hex(), "--rate", "200") as console,
        client(console) as one,
    ):
        await one.event()
        await one.read_tags()
        seen: set[int] = set()
        while seen != {1, 2}:
            seen |= {number_of(told) for told in (await one.message()).every("TagReportData")}
