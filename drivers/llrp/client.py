# SPDX-License-Identifier: Apache-2.0
"""One RFID reader: a connection kept, its reports turned into TagReads, its inputs and outputs, its health.

May not know doors, gates or goods. The conversation itself is `session`'s; here are the wire, the loop and
what is counted.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Final, Never

from drivers.errors import LinkLost, Retryable
from drivers.link import Link
from drivers.llrp.clock import ReaderClock
from drivers.llrp.dial import dial
from drivers.llrp.errors import LlrpError
from drivers.llrp.framing import BadHeader, LlrpFramer
from drivers.llrp.messages import Message, decode, encode
from drivers.llrp.pins import Inputs, Outputs
from drivers.llrp.reports import ReportDecoder
from drivers.llrp.session import ReaderFault, Session, TurnsFault, jump_sentence
from drivers.llrp.settings import ReaderSettings, parse_reader_url
from drivers.pauses import pauses
from drivers.read import InputChange, TagRead
from drivers.scanner import Clock, Counts, Health, State

__all__ = ["WORK_MAX", "BadFrame", "Reader", "ReaderCounts"]

WORK_MAX: Final = 256
"""Tags, or equal work, done in one turn of the loop: some milliseconds on the smallest dock computer."""

BAD_FRAMES_KEPT: Final = 20
BAD_FRAME_BYTES_KEPT: Final = 4096
"""Enough to see what a reader does wrong; 80 KiB a reader at most."""

CONTROL_BYTES_MAX: Final = 256 * 1024
"""A real reader's capabilities are some kilobytes. Only reports of tags have a reason to be larger."""

_OFF_LOOP_BYTES: Final = 4096
"""What takes longer to read than a turn may last is read in a thread: capabilities, and what lies."""

_BYTES_PER_WORK: Final = 16
"""A parameter of a message takes some bytes and is as much work as a tag of a report."""

_WRITE_S_MAX: Final = 10.0
_PARTING_S_MAX: Final = 1.0
_MERCY_S: Final = 0.25
_HEALTH_GAP_US: Final = 200_000
_LATE_TOLD_US: Final = 1_000_000
_NEWS_US: Final = 60_000_000
"""What happened once is shown for so long behind the state's sentence."""

_CUTS_ASKING: Final = 2
"""Connections in a row that end over the question for the reader's version before it is left out."""

_NOTES_MAX: Final = 8
_REPORT, _CLOSED = 61, 4  # RO_ACCESS_REPORT, CLOSE_CONNECTION_RESPONSE


@dataclass(frozen=True, slots=True)
class ReaderCounts(Counts):
    """As Counts, where `frames` are reads of tags and `dropped` frames that could not be understood.

    `messages` are LLRP frames, `late` reads that the reader kept while there was no connection, `edges`
    changes of inputs after debouncing, `jumps` how often the reader's clock was set.
    """

    messages: int = 0
    late: int = 0
    edges: int = 0
    jumps: int = 0


@dataclass(frozen=True, slots=True)
class BadFrame:
    """A frame that was skipped: its first bytes, its whole length, and what was wrong with it."""

    at: datetime
    start: bytes
    length: int
    reason: str


@dataclass(slots=True)
class _Tally:
    bytes: int = 0
    tags: int = 0
    bad: int = 0
    reconnects: int = 0
    messages: int = 0
    late: int = 0
    edges: int = 0


class Reader:
    """Runs one reader at `url`, see `settings.parse_reader_url`. `chance` spreads the attempts to reconnect.

    Raises LinkUrlError when `url` can never mean a reader.
    """

    def __init__(
        self, name: str, url: str, settings: ReaderSettings, clock: Clock, chance: Random | None = None
    ) -> None:
        self.name = name
        self._address = parse_reader_url(url)
        self._settings = settings
        self._clock = clock
        self._chance = chance or Random()  # noqa: S311 - spreads retries, keeps no secret
        self._time = ReaderClock()
        self._inputs = Inputs(name, settings.inputs, round(settings.debounce_s * 1e6))
        self._outputs = Outputs(settings.outputs)
        self._tally = _Tally()
        self._bad: deque[BadFrame] = deque(maxlen=BAD_FRAMES_KEPT)
        self._session: Session | None = None
        self._cut_asking = 0
        self._waiting: asyncio.Timeout | None = None
        self._work = 0
        self._late_untold = 0
        self._late_us = 0
        self._connected_us = 0
        self._notes: list[str] = []
        self._standing = ""  # the sentence without the news
        self._told_us = 0
        self._owed = False  # something is to be told once enough time has passed
        self._told = Health(name, State.CLOSED, "not started", self._counts(), clock.now())
        self._on_tags: Callable[[list[TagRead]], None] = _nobody
        self._on_input: Callable[[InputChange], None] = _nobody
        self._on_health: Callable[[Health], None] = _nobody

    @property
    def health(self) -> Health:
        """The state as last told, with the counts of this moment."""
        told = self._told
        return Health(told.device, told.state, told.detail, self._counts(), told.since)

    @property
    def bad_frames(self) -> tuple[BadFrame, ...]:
        """The last frames that were skipped, oldest first."""
        return tuple(self._bad)

    @property
    def unlit(self) -> tuple[int, ...]:
        """Outputs that do not show what they should: the reader refused it, or did not answer."""
        faults = self._session.faults if self._session is not None else {}
        return tuple(port for port in self._outputs.ports if f"output-{port}" in faults)

    def set_output(self, port: int, on: bool, *, for_s: float | None = None) -> None:
        """Switch an output; with `for_s` it falls back to its safe level unless it is set again by then.

        To be called on the event loop. Returns at once: a reader that is away gets the level when it is back,
        if that still holds. Raises ValueError for a port without a safe level in the settings.
        """
        now_us = self._now_us()
        until_us = None if for_s is None else now_us + round(for_s * 1e6)
        changed = self._outputs.set(port, on, until_us)
        if changed and self._session is not None:
            self._session.show([port], now_us)
        if self._waiting is not None and not self._waiting.expired():
            # Wakes the pump, to write and to reckon its next deadline anew.
            self._waiting.reschedule(asyncio.get_running_loop().time())

    async def run(
        self,
        on_tags: Callable[[list[TagRead]], None],
        on_input: Callable[[InputChange], None],
        on_health: Callable[[Health], None],
    ) -> Never:
        """Keep the reader connected and reading until cancelled; never ends by itself.

        The functions are called on the event loop and must return at once. `on_tags` gets at most WORK_MAX
        reads at a time. `on_health` is called on each change of state or sentence, and for what a person
        should know, some times a second at most.
        """
        self._on_tags, self._on_input, self._on_health = on_tags, on_input, on_health
        waits = self._pauses()
        self._tell(State.OPENING, f"connecting to {self._address}")
        try:
            while True:
                useful = False
                try:
                    await self._use_link()
                except Retryable as error:
                    useful = self._told.state in (State.READY, State.DEGRADED)
                    seconds = f"{self._settings.retry_s_max:g} s"
                    self._notes.clear()
                    self._tell(State.LOST, f"{error}; trying again at least every {seconds}")
                    if isinstance(error, TurnsFault):
                        # Until this program is started again, for it would go on like that.
                        self._settings = replace(self._settings, pallets_first=False)
                        self._note("it hears everybody at once: with pallets first it stood still")
                if useful:
                    waits = self._pauses()
                await asyncio.sleep(next(waits))
        finally:
            self._tell(State.CLOSED, "stopped")

    def _pauses(self) -> Iterator[float]:
        return pauses(self._settings.retry_s_min, self._settings.retry_s_max, self._chance)

    # -- one connection ---------------------------------------------------------------------------

    async def _use_link(self) -> None:
        link = await dial(self._address, self._settings.tls)
        try:
            await self._converse(link)
        finally:
            await link.close()

    async def _converse(self, link: Link) -> None:
        self._connected_us = self._now_us()
        self._inputs.forget()  # whoever was told that the link was lost knows nothing of them either
        session = Session(
            self._settings,
            self._time,
            self._inputs,
            self._outputs,
            self._connected_us,
            negotiate=self._cut_asking < _CUTS_ASKING,
        )
        framer = LlrpFramer()
        self._session = session
        if self._told.state is State.LOST:
            self._tally.reconnects += 1
        try:
            await self._pump(link, session, framer)
        except LinkLost:
            # Nothing more can be said to it. A reader of 1.0.1 may end the connection over the question for
            # its version, and is not asked the next time; one cut may be chance.
            self._cut_asking += session.asks_version
            raise
        except (ReaderFault, asyncio.CancelledError):
            self._session = None
            await _part(link, session, framer)
            raise
        finally:
            if session.ready and self._cut_asking:
                self._cut_asking = _CUTS_ASKING - 1  # the next time it is asked once more
            self._session = None

    async def _pump(self, link: Link, session: Session, framer: LlrpFramer) -> Never:
        decoder = ReportDecoder(self.name)
        while True:
            await _flush(link, session)
            data = await self._read(link, session)
            self._tally.bytes += len(data)
            for frame in framer.feed(data):
                if isinstance(frame, BadHeader):
                    self._keep_bad(frame.header, len(frame.header), frame.problem)
                    raise LinkLost(f"what came is no LLRP ({frame.problem}); connecting anew")
                self._tally.messages += 1
                if _kind(frame) == _REPORT:
                    await self._take_report(link, session, decoder, frame)
                else:
                    await self._take_message(link, session, frame)
            session.tick(self._now_us())
            self._spread(session)

    async def _read(self, link: Link, session: Session) -> bytes:
        """What arrives before the session's deadline, nothing if that came first."""
        now_us = self._now_us()
        due_us = session.deadline_us
        if session.ready and (self._owed or self._late_untold):
            due_us = min(due_us, now_us + _HEALTH_GAP_US)
        data = await self._read_within(link, max(0.0, (due_us - now_us) / 1e6))
        if data:
            return data
        # When this process was late and not the reader, its bytes wait in the kernel: two turns of the loop
        # bring them in. Before a reader is given up it gets a moment more.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return await self._read_within(link, _MERCY_S if session.overdue(self._now_us()) else 0)

    async def _read_within(self, link: Link, wait_s: float) -> bytes:
        """What arrives by then. No link loses a byte of a read that is cancelled."""
        try:
            async with asyncio.timeout(wait_s) as self._waiting:
                return await link.read()
        except TimeoutError:
            return b""
        finally:
            self._waiting = None

    # -- what arrives -----------------------------------------------------------------------------

    async def _take_report(self, link: Link, session: Session, decoder: ReportDecoder, frame: bytes) -> None:
        offset_us, now_us = self._time.offset_us or 0, self._now_us()
        try:
            for some in decoder.slices(frame, offset_us, now_us):
                if some:
                    self._take_tags(session, some, offset_us, now_us)
                await self._breathe(link, session, len(some) or WORK_MAX)
        except LlrpError as error:
            self._keep_bad(frame, len(frame), str(error))
            await self._breathe(link, session, 1 + len(frame) // _BYTES_PER_WORK)
        else:
            session.reported(self._now_us())

    def _take_tags(self, session: Session, reads: list[TagRead], offset_us: int, now_us: int) -> None:
        jumps = self._time.jumps
        placed = self._time.settle(reads, offset_us, now_us)
        if self._time.jumps > jumps:
            self._note(jump_sentence(self._time.jump_us))
        self._tally.tags += len(placed)
        late = sum(read.last_us < self._connected_us for read in placed)
        if late:
            self._tally.late += late
            self._late_untold += late
            self._late_us = now_us
        if session.has_read(max(read.last_us for read in placed)):
            self._spread(session)
        self._on_tags(placed)

    async def _take_message(self, link: Link, session: Session, frame: bytes) -> None:
        try:
            if len(frame) > CONTROL_BYTES_MAX:
                raise LlrpError(f"{len(frame)} bytes, expected at most {CONTROL_BYTES_MAX} but in a report")
            if len(frame) > _OFF_LOOP_BYTES:
                message = await asyncio.to_thread(decode, frame)
            else:
                message = decode(frame)
        except LlrpError as error:
            self._keep_bad(frame, len(frame), str(error))
        else:
            session.take(message, self._now_us())
            self._spread(session)
        await self._breathe(link, session, 1 + min(len(frame), _OFF_LOOP_BYTES) // _BYTES_PER_WORK)

    async def _breathe(self, link: Link, session: Session, work: int) -> None:
        """Send what is to be sent; after a turn's worth of work let others have theirs."""
        self._work += work
        if self._work >= WORK_MAX:
            self._work = 0
            await asyncio.sleep(0)
            session.tick_pins(self._now_us())
        await _flush(link, session)

    def _keep_bad(self, frame: bytes, length: int, reason: str) -> None:
        self._tally.bad += 1
        self._bad.append(BadFrame(self._clock.now(), frame[:BAD_FRAME_BYTES_KEPT], length, reason))
        self._note(f"a message was skipped: {reason}")

    # -- what is told -----------------------------------------------------------------------------

    def _spread(self, session: Session) -> None:
        """Hand on what the session found."""
        findings = session.findings()
        for change in findings.inputs:
            self._tally.edges += 1
            self._on_input(change)
        for note in findings.notes:
            self._note(note)
        now_us = self._now_us()
        if self._late_untold and session.ready and now_us - self._late_us >= _LATE_TOLD_US:
            self._note(
                f"{self._late_untold} reads came that the reader had kept while there was no connection"
            )
            self._late_untold = 0
        if session.ready:
            self._tell_ready(session, now_us)

    def _tell_ready(self, session: Session, now_us: int) -> None:
        state = State.DEGRADED if session.faults else State.READY
        detail = "; ".join(session.faults.values()) or f"ready: {session.sentence()}"
        news = "; ".join(self._notes)
        stale = self._told.detail != self._standing and now_us - self._told_us >= _NEWS_US
        if not news and not stale and (state, detail) == (self._told.state, self._standing):
            return
        first = self._told.state not in (State.READY, State.DEGRADED)
        self._owed = not first and now_us - self._told_us < _HEALTH_GAP_US
        if self._owed:
            return  # at the latest when the pump wakes for it
        self._notes.clear()
        self._standing = detail
        self._tell(state, f"{detail}; {news}" if news else detail)

    def _note(self, sentence: str) -> None:
        if len(self._notes) < _NOTES_MAX and sentence not in self._notes:
            self._notes.append(sentence)

    def _tell(self, state: State, detail: str) -> None:
        if state is State.LOST and (state, detail) == (self._told.state, self._told.detail):
            return  # one more attempt with the same end is no news
        since = self._told.since if state is self._told.state else self._clock.now()
        self._told_us = self._now_us()
        self._told = Health(self.name, state, detail, self._counts(), since)
        self._on_health(self._told)

    def _counts(self) -> ReaderCounts:
        tally = self._tally
        return ReaderCounts(
            bytes=tally.bytes,
            frames=tally.tags,
            dropped=tally.bad,
            reconnects=tally.reconnects,
            messages=tally.messages,
            late=tally.late,
            edges=tally.edges,
            jumps=self._time.jumps,
        )

    def _now_us(self) -> int:
        return self._clock.monotonic_ns() // 1000


async def _flush(link: Link, session: Session) -> None:
    messages = session.outgoing()
    if not messages:
        return
    data = _frames(messages)
    try:
        async with asyncio.timeout(_WRITE_S_MAX):
            await link.write(data)
    except TimeoutError as error:
        raise LinkLost(f"the reader took nothing for {_WRITE_S_MAX:g} s") from error


async def _part(link: Link, session: Session, framer: LlrpFramer) -> None:
    """Say the last words and wait a moment for the reader to hang up."""
    with contextlib.suppress(Retryable, TimeoutError):
        async with asyncio.timeout(_PARTING_S_MAX):
            await link.write(_frames(session.farewell()))
            while True:
                for frame in framer.feed(await link.read()):
                    if isinstance(frame, BadHeader) or _kind(frame) == _CLOSED:
                        return


def _frames(messages: Sequence[Message]) -> bytes:
    try:
        return b"".join(map(encode, messages))
    except LlrpError as error:
        raise ReaderFault(
            f"the settings make no message that LLRP can carry ({error}): correct them"
        ) from error


def _kind(frame: bytes) -> int:
    return (frame[0] & 3) << 8 | frame[1]


def _nobody(_: object) -> None:
    return None
