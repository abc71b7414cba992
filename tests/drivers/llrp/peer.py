# SPDX-License-Identifier: Apache-2.0
"""A reader that says what its test tells it to, over loopback TCP with a bad line between; and the client's
listener. Shares the codec with the client and nothing else."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from random import Random

from drivers import Health, InputChange, LineFaults, State, TagRead
from drivers.llrp.client import Reader
from drivers.llrp.framing import LlrpFramer
from drivers.llrp.messages import Fields, Message, Parameter, decode, encode
from drivers.llrp.settings import ReaderSettings
from tests.drivers.lines import HandClock, RunningClock

PATIENCE_S = 20.0
IMPINJ, OTHER = 25882, 161
QUICK = ReaderSettings(retry_s_min=0.01, retry_s_max=0.05)

SILENT = object()


def status(code: int = 0, said: str = "", *inner: Parameter) -> Parameter:
    return Parameter("LLRPStatus", {"Status": code, "ErrorDescription": said}, list(inner))


def event(*parts: Parameter, at_us: int | None = 1_700_000_000_000_000) -> Message:
    stamp = [] if at_us is None else [Parameter("UTCTimestamp", {"Microseconds": at_us})]
    return Message(
        "READER_EVENT_NOTIFICATION",
        0,
        {},
        [Parameter("ReaderEventNotificationData", {}, [*stamp, *parts])],
    )


def greeting(state: int = 0, at_us: int | None = 1_700_000_000_000_000) -> Message:
    return event(Parameter("ConnectionAttemptEvent", {"Event": state}), at_us=at_us)


def tag(number: int, antenna: int = 1, seen_us: int | None = 1_700_000_000_000_000) -> Parameter:
    times = (
        []
        if seen_us is None
        else [
            Parameter("FirstSeenUTC", {"FirstSeen": seen_us}),
            Parameter("LastSeenUTC", {"LastSeen": seen_us}),
        ]
    )
    return Parameter(
        "TagReportData",
        {},
        [
            Parameter("EPC96", {"EPC": number.to_bytes(12, "big")}),
            Parameter("AntennaID", {"AntennaID": antenna}),
            Parameter("PeakRSSI", {"PeakRSSI": -60}),
            *times,
            Parameter("TagSeenCount", {"TagSeenCount": 1}),
        ],
    )


def report(*tags: Parameter) -> Message:
    return Message("RO_ACCESS_REPORT", 0, {}, list(tags))


def numbers(reads: list[TagRead]) -> list[int]:
    return [int.from_bytes(read.epc, "big") for read in reads]


class Peer:
    """A reader. `refuse` maps a message's name to its status, or to SILENT; `refuses` looks at the message
    itself; `filters` makes pallets first possible. `greetings` are used up, one a connection; the last one
    stays.
    """

    def __init__(self, maker: int = IMPINJ, *, version: int = 1, faults: LineFaults | None = None) -> None:
        self.maker = maker
        self.version = version
        self.faults = faults
        self.greetings: list[Message | None] = [greeting()]
        self.refuse: dict[str, Parameter | object] = {}
        self.refuses: Callable[[Message], Parameter | None] = lambda message: None
        self.levels: dict[int, int] = {1: 0, 2: 0}
        self.connected = {1: True, 2: True, 3: False, 4: False}
        self.modes = (1000, 1002)
        self.hopping = True
        self.holds = True
        self.filters: int | None = None  # how many it takes; None does not tell
        self.kept: list[Message] = []  # told when events and reports are enabled
        self.rospec_state = 2
        self.received: list[Message] = []
        self.connections = 0
        self.outputs: list[tuple[int, bool]] = []
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.tls: ssl.SSLContext | None = None

    @property
    def url(self) -> str:
        return f"{'llrps' if self.tls else 'llrp'}://127.0.0.1:{self.port}"

    def names(self) -> list[str]:
        return [message.name for message in self.received]

    def asked(self, name: str) -> list[Message]:
        return [message for message in self.received if message.name == name]

    def parts(self, name: str) -> list[Parameter]:
        """What SET_READER_CONFIG carried of this kind, over all of them."""
        return [part for message in self.asked("SET_READER_CONFIG") for part in message.every(name)]

    async def send(self, *messages: Message) -> None:
        await self.send_bytes(b"".join(map(encode, messages)))

    async def send_bytes(self, data: bytes) -> None:
        for writer in self._writers[-1:]:
            pieces = [(0.0, data)] if self.faults is None else self.faults.apply(data)
            for pause_s, piece in pieces:
                if pause_s:
                    await asyncio.sleep(pause_s)
                writer.write(piece)
            with suppress(OSError):
                await writer.drain()

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self.hang_up()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.append(writer)
        self.connections += 1
        framer = LlrpFramer()
        hello = self.greetings.pop(0) if len(self.greetings) > 1 else self.greetings[0]
        try:
            if hello is not None:
                await self.send(hello)
            while data := await reader.read(65_536):
                for frame in framer.feed(data):
                    assert isinstance(frame, bytes), f"the client sent what is no LLRP: {frame}"
                    await self._take(decode(frame))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._writers.remove(writer)
            self._tasks.discard(task)
            writer.close()

    async def _take(self, message: Message) -> None:
        self.received.append(message)
        for output in message.every("GPOWriteData"):
            self.outputs.append((int(str(output.fields["Port"])), bool(output.fields["Data"])))
        answers = self.answers(message)
        if answers:
            await self.send(*answers)

    def answers(self, message: Message) -> list[Message]:
        name = message.name
        refused = self.refuse.get(name) or self.refuses(message)
        if refused is SILENT or name == "KEEPALIVE_ACK":
            return []
        if isinstance(refused, Parameter):
            kind = f"{name}_RESPONSE" if self._knows(name) else "ERROR_MESSAGE"
            return [Message(kind, message.id, {}, [refused])]
        if name in ("GET_SUPPORTED_VERSION", "SET_PROTOCOL_VERSION") and self.version < 2:
            return [Message("ERROR_MESSAGE", message.id, {}, [status(110, "unsupported version")])]
        if name == "ENABLE_EVENTS_AND_REPORTS":
            kept, self.kept = self.kept, []
            return kept
        if name == "CLOSE_CONNECTION":
            return [Message("CLOSE_CONNECTION_RESPONSE", message.id, {}, [status()])]
        fields, parts = self._content(message)
        return [Message(f"{name}_RESPONSE", message.id, fields, [status(), *parts], self.version)]

    def _knows(self, name: str) -> bool:
        return "VERSION" not in name or self.version >= 2

    def _content(self, message: Message) -> tuple[Fields, list[Parameter]]:
        match message.name:
            case "GET_SUPPORTED_VERSION":
                return {"CurrentVersion": 1, "MaxSupportedVersion": self.version}, []
            case "GET_READER_CAPABILITIES":
                return {}, self._capabilities()
            case "GET_READER_CONFIG":
                return {}, self._config()
            case "GET_ROSPECS":
                added = [spec for ask in self.asked("ADD_ROSPEC") for spec in ask.every("ROSpec")]
                for spec in added[-1:]:
                    spec.fields["ROSpecCurrentState"] = self.rospec_state
                return {}, added[-1:]
            case _:
                return {}, []

    def _capabilities(self) -> list[Parameter]:
        levels = [
            Parameter(
                "TransmitPowerLevelTableEntry", {"Index": 10 + step, "TransmitPowerValue": 1000 + 100 * step}
            )
            for step in range(21)
        ]
        tables = (
            [Parameter("FrequencyHopTable", {"HopTableID": 7, "Frequencies": [902750, 903250]})]
            if self.hopping
            else [Parameter("FixedFrequencyTable", {"Frequencies": [865700, 866300, 866900, 867500]})]
        )
        modes = [Parameter("UHFC1G2RFModeTableEntry", {"ModeID": mode}) for mode in self.modes]
        band = [
            *levels,
            Parameter("FrequencyInformation", {"Hopping": self.hopping}, tables),
            Parameter("UHFC1G2RFModeTable", {}, modes),
        ]
        general: Fields = {
            "MaxSupportedAntennas": 4,
            "HasUTCClock": True,
            "DeviceManufacturer": self.maker,
            "Model": 2001002,
            "FirmwareVersion": "5.14.0.240",
        }
        gen2 = [] if self.filters is None else [{"MaxSelectFiltersPerQuery": self.filters}]
        return [
            *(Parameter("C1G2LLRPCapabilities", dict(fields)) for fields in gen2),
            Parameter(
                "GeneralDeviceCapabilities",
                general,
                [Parameter("GPIOCapabilities", {"NumGPIs": 4, "NumGPOs": 4})],
            ),
            Parameter("LLRPCapabilities", {"SupportsEventsAndReportHolding": self.holds}),
            Parameter(
                "RegulatoryCapabilities", {"CountryCode": 840}, [Parameter("UHFBandCapabilities", {}, band)]
            ),
        ]

    def _config(self) -> list[Parameter]:
        control = [Parameter("C1G2RFControl", {"RFModeID": mode}) for mode in self.modes[:1]]
        radio = Parameter("C1G2InventoryCommand", {}, control)
        return [
            *(
                Parameter("AntennaProperties", {"AntennaConnected": there, "AntennaID": antenna})
                for antenna, there in self.connected.items()
            ),
            *(
                Parameter("AntennaConfiguration", {"AntennaID": antenna}, [radio])
                for antenna in self.connected
            ),
            *(
                Parameter("GPIPortCurrentState", {"Port": port, "Enabled": True, "State": level})
                for port, level in self.levels.items()
            ),
        ]


class Heard:
    """What a running Reader told, with a way to wait for more."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.batches: list[list[TagRead]] = []
        self.inputs: list[InputChange] = []
        self.healths: list[Health] = []
        self.on_batch: Callable[[], object] = lambda: None
        self._news = asyncio.Event()

    @property
    def reads(self) -> list[TagRead]:
        return [read for batch in self.batches for read in batch]

    @property
    def states(self) -> list[State]:
        told = [health.state for health in self.healths]
        return [state for index, state in enumerate(told) if index == 0 or told[index - 1] is not state]

    @property
    def details(self) -> str:
        return "\n".join(health.detail for health in self.healths)

    def on_tags(self, reads: list[TagRead]) -> None:
        self.on_batch()
        self.batches.append(reads)
        self._news.set()

    def on_input(self, change: InputChange) -> None:
        self.inputs.append(change)
        self._news.set()

    def on_health(self, health: Health) -> None:
        self.healths.append(health)
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._news.clear()
                # Counts, and what the peer received, change without news.
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.01):
                        await self._news.wait()

    async def until_state(self, *states: State) -> None:
        await self.until(lambda: bool(self.healths) and self.healths[-1].state in states)

    async def until_told(self, words: str) -> None:
        await self.until(lambda: words in self.details)


@asynccontextmanager
async def reading(
    url: str, settings: ReaderSettings = QUICK, clock: HandClock | RunningClock | None = None
) -> AsyncIterator[Heard]:
    """A Reader running on `url`; stopped at the end. What it raises fails the test."""
    heard = Heard(Reader("gate-1", url, settings, clock or RunningClock(), Random(7)))
    task = asyncio.create_task(heard.reader.run(heard.on_tags, heard.on_input, heard.on_health))
    try:
        yield heard
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def serving(peer: Peer) -> AsyncIterator[Peer]:
    """A peer that takes connections."""
    await peer.listen()
    try:
        yield peer
    finally:
        await peer.stop()


@asynccontextmanager
async def gate(
    peer: Peer, settings: ReaderSettings = QUICK, clock: HandClock | RunningClock | None = None
) -> AsyncIterator[Heard]:
    """A peer and a Reader that is ready on it."""
    async with serving(peer), reading(peer.url, settings, clock) as heard:
        await heard.until_state(State.READY, State.DEGRADED)
        yield heard
