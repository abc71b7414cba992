# SPDX-License-Identifier: Apache-2.0
"""Looks at a reader without changing anything on it: reachable, who it is, and whether what is configured is
there. For the doctor; a reader that is in use by the node can only say so.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from drivers.errors import LinkLost, Retryable
from drivers.link import Link
from drivers.llrp.capabilities import whole
from drivers.llrp.commissioning import Commission, Script, Unanswered, hello
from drivers.llrp.dial import dial
from drivers.llrp.errors import LlrpError
from drivers.llrp.framing import BadHeader, LlrpFramer
from drivers.llrp.messages import Message, Parameter, decode, encode
from drivers.llrp.refusals import Refusal, refusal_in, success
from drivers.llrp.rospec import plan
from drivers.llrp.session import ReaderFault, no_greeting, refused_greeting
from drivers.llrp.settings import ReaderAddress, ReaderSettings, parse_reader_url

__all__ = ["Grade", "Remark", "examine"]

CLOCK_S_MAX: Final = 2.0
"""A reader whose clock is kept in step is within milliseconds; so much is a clock that nobody keeps."""


class Grade(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Remark:
    """One finding, as a sentence with the next step."""

    grade: Grade
    text: str


async def examine(url: str, settings: ReaderSettings, now: Callable[[], datetime]) -> list[Remark]:
    """Connect, ask, look, disconnect. `now` tells the time, UTC, aware. Raises LinkUrlError."""
    address = parse_reader_url(url)
    found = Commission()
    try:
        try:
            ahead_s = await _ask(address, settings, found, now, negotiate=True)
        except _HungUpOverVersion:  # the service speaks 1.0.1 with such a reader
            ahead_s = await _ask(address, settings, found, now, negotiate=False)
    except TimeoutError:
        return [Remark(Grade.FAULT, f"{address} answers too slowly to be used")]
    except _Busy as error:
        return [Remark(Grade.WARN, f"{error}; while the node runs it is the node")]
    except (Retryable, Refusal, Unanswered) as error:
        return [Remark(Grade.FAULT, str(error))]
    return [
        Remark(Grade.OK, f"{address}: {found.can}, LLRP {'1.1' if found.version > 1 else '1.0.1'}"),
        *_clock(found, ahead_s, now()),
        *_radio(found, settings),
        *_pins(found, settings),
    ]


class _Busy(Exception):
    """Another client is connected."""


class _HungUpOverVersion(LinkLost):
    """The connection ended when the reader was asked for its version."""


async def _ask(
    address: ReaderAddress,
    settings: ReaderSettings,
    found: Commission,
    now: Callable[[], datetime],
    *,
    negotiate: bool,
) -> float | None:
    """One connection: put the questions; how many seconds the reader's greeting was ahead of us."""
    link = await dial(address, settings.tls)
    try:
        async with asyncio.timeout(6 * settings.answer_s):
            return await _Conversation(link, settings.answer_s).ask_all(found, now, negotiate=negotiate)
    finally:
        await link.close()


def _clock(found: Commission, ahead_s: float | None, now: datetime) -> Iterator[Remark]:
    if not found.can.utc or ahead_s is None:
        yield Remark(Grade.OK, "it keeps no time of day; its reads are placed by its uptime")
        return
    if abs(ahead_s) <= CLOCK_S_MAX:
        yield Remark(Grade.OK, f"its clock is right within {CLOCK_S_MAX:g} s")
    else:
        told = datetime.fromtimestamp(max(0.0, min(now.timestamp() + ahead_s, 4e9)), UTC)
        yield Remark(
            Grade.WARN,
            f"its clock says {told:%Y-%m-%d %H:%M:%S} UTC; its reads are placed by ours all the same, "
            "but give it an NTP server",
        )


def _radio(found: Commission, settings: ReaderSettings) -> Iterator[Remark]:
    chosen = plan(settings, found.can, found.now, found.version)
    yield Remark(Grade.OK, f"would read with {chosen}")
    for doubt in chosen.doubts:
        yield Remark(Grade.FAULT, f"{doubt}: correct the configuration")
    if chosen.at_once:
        yield Remark(
            Grade.WARN,
            f"it would hear everybody at once, not pallets first: {chosen.at_once}; "
            "give a door with many tags before it another reader, or set pallets_first = false",
        )
    if not any(found.now.connected.values()):
        yield Remark(Grade.WARN, "it says of no antenna that it is connected; some readers cannot tell")
        return
    for antenna in chosen.antennas:
        if found.now.connected.get(antenna) is False:
            yield Remark(Grade.FAULT, f"antenna {antenna} is not connected: check its cable and plugs")
    if not found.can.holds:
        yield Remark(Grade.WARN, "it keeps no reads while there is no connection: give it a line that holds")


def _pins(found: Commission, settings: ReaderSettings) -> Iterator[Remark]:
    for port in settings.inputs:
        if port > found.can.inputs:
            yield Remark(Grade.FAULT, f"input {port} is configured, the reader has {found.can.inputs}")
        elif (high := found.now.inputs.get(port)) is not None:
            yield Remark(Grade.OK, f"input {port} is {'high' if high else 'low'}")
    for port in settings.outputs:
        if port > found.can.outputs:
            yield Remark(Grade.FAULT, f"output {port} is configured, the reader has {found.can.outputs}")


class _Conversation:
    """Questions and answers over a link, one at a time."""

    def __init__(self, link: Link, answer_s: float) -> None:
        self._link = link
        self._answer_s = answer_s
        self._framer = LlrpFramer()
        self._waiting: deque[bytes | BadHeader] = deque()
        self._last_id = 0

    async def ask_all(
        self, found: Commission, now: Callable[[], datetime], *, negotiate: bool
    ) -> float | None:
        """Put the questions; how many seconds the reader's greeting was ahead of us."""
        stamp = await self._greeting()
        ahead_s = None if stamp is None else whole(stamp, "Microseconds") / 1e6 - now().timestamp()
        script = hello(found, negotiate=negotiate)
        answer: Message | Exception | None = None
        while True:
            try:
                asked = script.throw(answer) if isinstance(answer, Exception) else _go_on(script, answer)
            except StopIteration:
                await self._say(Message("CLOSE_CONNECTION"), found.version)
                return ahead_s
            try:
                await self._say(asked, found.version)
                answer = await self._answer(asked)
            except LinkLost as error:
                if asked.name == "GET_SUPPORTED_VERSION":
                    raise _HungUpOverVersion(str(error)) from error
                raise

    async def _greeting(self) -> Parameter | None:
        """When it was, by the reader's time of day."""
        try:
            async with asyncio.timeout(self._answer_s):
                while True:
                    message = await self._hear()
                    for data in message.every("ReaderEventNotificationData"):
                        attempt = data.first("ConnectionAttemptEvent")
                        if attempt is not None:
                            _judge_greeting(whole(attempt, "Event"))
                            return data.first("UTCTimestamp")
        except TimeoutError:
            raise ReaderFault(no_greeting(self._answer_s)) from None

    async def _answer(self, asked: Message) -> Message | Exception:
        try:
            async with asyncio.timeout(self._answer_s):
                while True:
                    message = await self._hear()
                    if message.id == asked.id and message.name in (f"{asked.name}_RESPONSE", "ERROR_MESSAGE"):
                        return message if success(message) else refusal_in(asked.name, message)
        except TimeoutError:
            return Unanswered(f"the reader did not answer {asked.name} within {self._answer_s:g} s")

    async def _hear(self) -> Message:
        """The next message that can be understood."""
        while True:
            while self._waiting:
                frame = self._waiting.popleft()
                if isinstance(frame, BadHeader):
                    raise ReaderFault(f"what answers there speaks no LLRP ({frame.problem}): check the port")
                with suppress(LlrpError):
                    return decode(frame)
            self._waiting.extend(self._framer.feed(await self._link.read()))

    async def _say(self, message: Message, version: int) -> None:
        self._last_id += 1
        message.id, message.version = self._last_id, max(message.version, version)
        await self._link.write(encode(message))


def _go_on(script: Script, answer: Message | None) -> Message:
    return next(script) if answer is None else script.send(answer)


def _judge_greeting(state: int) -> None:
    if state == 2:
        raise _Busy(refused_greeting(state))
    if state != 0:
        raise ReaderFault(refused_greeting(state))
