# SPDX-License-Identifier: Apache-2.0
"""What no reader should send, sent to a running Reader over the null modem, round by round, and judged.

`python -m tests.faults.hostile_reader --rounds 1000000 --seed 1` runs more of it than the suite does. A round
is one stream made from its seed: frames of all kinds, garbled, cut, doubled, delayed or lying. Afterwards a
report that is whole must arrive, over the same link where the stream's framing was intact. Counted: what is
raised and not ours, links lost without need, reads handed over in one turn of the loop, and all that is kept.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from drivers import Health, InputChange, LineFaults, NullModem, State, TagRead
from drivers.llrp import client
from drivers.llrp.client import Reader
from drivers.llrp.framing import LlrpFramer
from drivers.llrp.messages import FRAME_LENGTH_MAX, Message, Parameter, decode, encode
from drivers.llrp.settings import ReaderSettings
from tests.drivers.lines import RunningClock
from tests.drivers.llrp.peer import Peer, event, greeting, report, status, tag

SETTINGS: Final = ReaderSettings(
    keepalive_s=3600.0, probe_s=3600.0, retry_s_min=1e-4, retry_s_max=1e-3, inputs=(1, 2), outputs={1: False}
)
STREAM_BYTES_MAX: Final = 64 * 1024
MARK: Final = 1 << 80
"""Tags from here on are the judge's own."""

OBJECTS_MORE_MAX: Final = 3_000
"""Between the first tenth of the rounds and the last, what is alive in this process may grow by so much."""

INTACT: Final = ("bodies", "lies within", "strange types", "split", "doubled frames", "delayed", "large")
BROKEN: Final = ("line", "lengths", "noise", "cut short")

ENDED_BY_READER: Final = (
    "the reader ended the connection",
    "our inventory is gone",
    "inventory does not run",
)
"""What a garbled message may come to say by chance; then the connection has to be made anew."""

_STAMP_US: Final = 1_700_000_000_000_000


@dataclass(slots=True)
class Verdict:
    """What was seen over all rounds; `findings` is empty when all held."""

    findings: list[str] = field(default_factory=list)
    rounds: Counter[str] = field(default_factory=Counter)
    reconnects: int = 0
    skipped: int = 0
    reads: int = 0
    most_reads_in_a_turn: int = 0

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.rounds.items()))
        return (
            f"{self.rounds.total()} streams ({kinds}): {self.reads} reads, {self.skipped} frames skipped, "
            f"{self.reconnects} reconnects where framing was lost, at most {self.most_reads_in_a_turn} reads "
            f"in a turn of the loop; {len(self.findings)} findings"
        )


def stream(kind: str, chance: Random) -> tuple[bytes, LineFaults | None]:
    """The bytes of one round, and what the line does to them."""
    frames = [_frame(chance) for _ in range(chance.randrange(1, 9))]
    faults = None
    match kind:
        case "bodies":
            frames = [_garbled(frame, chance, 10) for frame in frames]
        case "lies within":
            frames = [_lying(frame, chance) for frame in frames]
        case "strange types":
            frames = [_retyped(frame, chance) for frame in frames]
        case "doubled frames":
            frames = [frame for frame in frames for _ in range(chance.randrange(1, 4))]
        case "large":
            frames = [encode(report(*(tag(number) for number in range(chance.randrange(300, 700)))))]
        case "split":
            faults = LineFaults(chance, split=0.2)
        case "delayed":
            faults = LineFaults(chance, split=0.02, delay=0.2, delay_s_max=0.0005)
        case "line":
            faults = LineFaults(chance, split=0.05, garble=0.01, duplicate=0.1)
        case "lengths":
            frames[-1] = _misjudged(frames[-1], chance)
        case "noise":
            frames.append(chance.randbytes(chance.randrange(1, 200)))
        case "cut short":
            frames[-1] = frames[-1][: chance.randrange(1, len(frames[-1]))]
    return b"".join(frames)[:STREAM_BYTES_MAX], faults


def _frame(chance: Random) -> bytes:
    tags = [
        tag(chance.randrange(1000), chance.randrange(5), _stamp(chance)) for _ in range(chance.randrange(6))
    ]
    kinds: list[Callable[[], Message]] = [
        lambda: report(*tags),
        lambda: report(*tags, _odd_tag(chance)),
        lambda: Message("KEEPALIVE", chance.randrange(2**32)),
        lambda: event(Parameter("GPIEvent", {"Port": chance.randrange(4), "Event": chance.random() < 0.5})),
        lambda: event(
            Parameter("AntennaEvent", {"Event": chance.randrange(3), "AntennaID": chance.randrange(9)})
        ),
        lambda: event(
            Parameter("ReaderExceptionEvent", {"Message": "fan \udcff\x1b[2J" * chance.randrange(40)})
        ),
        lambda: event(Parameter("ReportBufferLevelWarningEvent", {"PercentFull": chance.randrange(256)})),
        lambda: event(Parameter("ReportBufferOverflowErrorEvent"), at_us=None),
        lambda: event(Parameter("ConnectionAttemptEvent", {"Event": 4})),
        lambda: greeting(at_us=_stamp(chance)),
        lambda: Message("ERROR_MESSAGE", chance.randrange(60), {}, [status(chance.randrange(500), "no")]),
        lambda: Message("SET_READER_CONFIG_RESPONSE", chance.randrange(60), {}, [status(100, "no")]),
        lambda: Message("GET_ROSPECS_RESPONSE", chance.randrange(60), {}, [status()]),
        lambda: Message("CUSTOM_MESSAGE", 1, {"VendorID": 25882, "MessageSubtype": chance.randrange(256)}),
    ]
    return encode(chance.choice(kinds)())


def _stamp(chance: Random) -> int:
    return chance.choice((_STAMP_US, _STAMP_US + chance.randrange(10**9), chance.randrange(2**64)))


def _odd_tag(chance: Random) -> Parameter:
    """Codes of no bits, of odd bits, of very many, and values where none belong."""
    bits = chance.choice((0, 1, 7, 95, 97, 496, 8_000))
    code = Parameter("EPCData", {"EPC": bytes((bits + 7) // 8), "EPCNumBits": bits})
    return Parameter(
        "TagReportData", {}, [code] * chance.randrange(3) + [Parameter("Uptime", {"Microseconds": 1})]
    )


def _garbled(frame: bytes, chance: Random, start: int) -> bytes:
    spoilt = bytearray(frame)
    for _ in range(chance.randrange(1, 6)):
        if len(frame) > start:
            spoilt[chance.randrange(start, len(frame))] = chance.randrange(256)
    return bytes(spoilt)


def _lying(frame: bytes, chance: Random) -> bytes:
    """Two bytes within that may well be a length or a count say too much or too little."""
    if len(frame) < 14:
        return frame
    at = chance.choice((12, chance.randrange(10, len(frame) - 1)))
    lie = chance.choice((0, 1, 3, 4, 5, 0xFFFF, 0x7FFF, len(frame))).to_bytes(2, "big")
    return frame[:at] + lie + frame[at + 2 :]


def _retyped(frame: bytes, chance: Random) -> bytes:
    kind, version = chance.randrange(1024), chance.randrange(1, 4)
    return bytes([version << 2 | kind >> 8, kind & 255]) + frame[2:6] + chance.randbytes(4) + frame[10:]


def _misjudged(frame: bytes, chance: Random) -> bytes:
    lengths = (0, 9, len(frame) - 1, len(frame) + 1, len(frame) + 300, FRAME_LENGTH_MAX, 2**32 - 1)
    return frame[:2] + chance.choice(lengths).to_bytes(4, "big") + frame[6:]


class Court:
    """A Reader on a null modem, the reader at its other end, and the judge of both."""

    def __init__(self, reader: Reader, modem: NullModem) -> None:
        self.verdict = Verdict()
        self.reader = reader
        self.modem = modem
        self.peer = Peer()
        self.mark = MARK
        self.seen = 0
        self.closed_by_reader = 0
        self.spoil: Callable[[bytes], bytes] = bytes  # what becomes of an answer
        self.lost = 0
        self.streaming = False  # a reader puts no answer into the middle of a message
        self._framer = LlrpFramer()
        self._link: object = None
        self._turn_reads = 0

    def on_tags(self, reads: list[TagRead]) -> None:
        self._turn_reads += len(reads)
        self.verdict.reads += len(reads)
        for read in reads:
            if int.from_bytes(read.epc, "big") >= MARK:
                self.seen = int.from_bytes(read.epc, "big")

    def on_input(self, change: InputChange) -> None:
        if change.port not in SETTINGS.inputs:
            self.verdict.findings.append(f"an input that nobody watches changed: {change}")

    def on_health(self, health: Health) -> None:
        self.lost += health.state is State.LOST
        self.closed_by_reader += any(words in health.detail for words in ENDED_BY_READER)
        if len(health.detail) > 20_000 or not health.detail.isprintable():
            self.verdict.findings.append(f"not for a person: {health.detail[:200]!r}")

    @property
    def idle(self) -> bool:
        """Whether the reader has taken in all that was sent and waits for more."""
        link = self.modem._link
        return link is not None and self.reader._waiting is not None and not link._inbox._bytes

    @property
    def ready(self) -> bool:
        return self.reader._session is not None and self.reader._session.ready

    async def turn(self) -> None:
        """Let the reader go on for one turn of the loop, and answer what it asks."""
        await asyncio.sleep(0)
        self.verdict.most_reads_in_a_turn = max(self.verdict.most_reads_in_a_turn, self._turn_reads)
        self._turn_reads = 0
        if self.modem._link is not self._link:
            self._link, self._framer = self.modem._link, LlrpFramer()
            self.modem.received.clear()
            if self._link is not None:
                await self.modem.send(self.spoil(encode(greeting())))
        if self.modem.received and not self.streaming:
            asked, self.modem.received[:] = bytes(self.modem.received), b""
            for frame in self._framer.feed(asked):
                assert isinstance(frame, bytes), "the Reader sent what is no LLRP"
                asked_for = decode(frame)
                if asked_for.name == "ADD_ROSPEC":
                    self.peer.received = [asked_for]  # so that it can say that it has it
                answers = self.peer.answers(asked_for)
                if answers:
                    await self.modem.send(b"".join(self.spoil(encode(answer)) for answer in answers))

    async def until(self, condition: Callable[[], bool], task: asyncio.Task[None]) -> bool:
        """Turns until it holds; False when the Reader has ended."""
        while not condition():
            if task.done():
                return False
            await self.turn()
        return True

    async def round(self, kind: str, chance: Random, task: asyncio.Task[None]) -> None:
        """One stream, then a report that is whole."""
        verdict = self.verdict
        verdict.rounds[kind] += 1
        if not await self.until(lambda: self.ready and self.idle, task):
            return
        link, closed = self.modem._link, self.closed_by_reader
        data, faults = stream(kind, chance)
        self.modem.faults = faults
        self.streaming = True
        sending = asyncio.create_task(self.modem.send(data))
        await self.until(sending.done, task)
        sending.cancel()  # where the Reader ended before it was over
        self.streaming = False
        self.modem.faults = None
        if chance.random() < 0.1:
            self.reader.set_output(1, chance.random() < 0.5, for_s=chance.random())
        self.mark += 1
        await self.modem.send(encode(report(tag(self.mark))))
        await self.until(lambda: self.seen == self.mark or self.idle or self.modem._link is not link, task)
        if self.modem._link is not link or self.seen != self.mark:
            if kind in INTACT and self.closed_by_reader == closed:
                told = self.reader.health.detail[:300]
                verdict.findings.append(f"{kind}: the link was not kept, or a whole report was lost: {told}")
            verdict.reconnects += 1
            self.modem.unplug()
            self.modem.plug()
            await self.until(lambda: self.ready and self.idle and self.modem._link is not link, task)
            await self.modem.send(encode(report(tag(self.mark))))
            await self.until(lambda: self.seen == self.mark, task)
        self._look_within()

    async def connect(self, chance: Random, task: asyncio.Task[None]) -> None:
        """One connection whose greeting and answers are spoilt, now and then one that is sound."""
        self.verdict.rounds["answers"] += 1
        spoilers: tuple[Callable[[bytes], bytes], ...] = (
            lambda frame: _garbled(frame, chance, 10),
            lambda frame: _lying(frame, chance),
            lambda frame: frame if chance.random() < 0.9 else b"",
            lambda frame: frame * chance.randrange(1, 3),
            lambda frame: _garbled(frame, chance, 0) if chance.random() < 0.1 else frame,
            lambda frame: _retyped(frame, chance) if chance.random() < 0.1 else frame,
            lambda frame: frame + _frame(chance),
        )
        spoiler, rate = chance.choice(spoilers), chance.choice((0.05, 0.3, 1.0))
        self.spoil = lambda frame: spoiler(frame) if chance.random() < rate else frame
        lost, link = self.lost, self.modem._link
        self.modem.unplug()
        self.modem.plug()
        # The pulled plug is one loss; the next is what the answers led to.
        await self.until(lambda: self.lost > lost + 1 or (self.ready and self.modem._link is not link), task)
        if chance.random() < 0.1:
            self.spoil = bytes
            self.mark += 1
            for attempt in range(2):
                # What was spoilt may have left half a frame in the line, which a new connection ends.
                if attempt:
                    self.modem.unplug()
                    self.modem.plug()
                await self.until(lambda: self.ready and self.idle, task)
                await self.modem.send(encode(report(tag(self.mark))))
                await self.until(lambda: self.seen == self.mark or self.idle, task)
                if self.seen == self.mark:
                    break
            else:
                self.verdict.findings.append("answers: a sound connection after spoilt ones does not read")
        self._look_within()

    def _look_within(self) -> None:
        """Everything that is kept has its bound."""
        reader, session = self.reader, self.reader._session
        kept = {
            "bad frames": (len(reader.bad_frames), client.BAD_FRAMES_KEPT),
            "bytes of a bad frame": (
                max((len(frame.start) for frame in reader.bad_frames), default=0),
                client.BAD_FRAME_BYTES_KEPT,
            ),
            "notes": (len(reader._notes), 8),
            "faults": (len(session.faults) if session else 0, 300),
            "messages to send": (len(session._outbox) if session else 0, 64),
            "requests under way": (len(session._errands) if session else 0, 10),
            "reads in a turn": (self.verdict.most_reads_in_a_turn, 2 * 256),
        }
        self.verdict.findings += [
            f"{what}: {count}, expected at most {most}"
            for what, (count, most) in kept.items()
            if count > most
        ]


@asynccontextmanager
async def court(
    make: type[Reader] = Reader, settings: ReaderSettings = SETTINGS
) -> AsyncIterator[tuple[Court, asyncio.Task[None]]]:
    """A Reader that runs, and its judge. What the Reader raises becomes a finding."""
    with NullModem("hostile-reader") as modem:
        clock = RunningClock()
        judge = Court(make("gate-1", modem.url, settings, clock, Random(1)), modem)
        task = asyncio.create_task(judge.reader.run(judge.on_tags, judge.on_input, judge.on_health))
        try:
            yield judge, task
        finally:
            if task.done() and not task.cancelled():
                judge.verdict.findings.append(f"the Reader ended: {task.exception()!r}")
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task
            judge.verdict.skipped = judge.reader.health.counts.dropped


async def judged(rounds: int, seed: int, make: type[Reader] = Reader) -> Verdict:
    """Play `rounds` streams, seven of eight with intact framing, and judge."""
    chance = Random(seed)
    early = 0
    async with court(make) as (judge, task):
        for number in range(rounds):
            kind = chance.choice(INTACT if chance.random() < 0.875 else BROKEN)
            # Films of other kinds are short; a large report every time would measure the codec alone.
            if kind == "large" and chance.random() < 0.9:
                kind = "bodies"
            await judge.round(kind, Random(chance.getrandbits(64)), task)
            if task.done() or len(judge.verdict.findings) > 20:
                break
            if number == rounds // 10:
                early = _alive()
        if early and (more := _alive() - early) > OBJECTS_MORE_MAX:
            judge.verdict.findings.append(f"{more} objects more than after the first tenth")
    return judge.verdict


async def judged_from_the_start(connections: int, seed: int, make: type[Reader] = Reader) -> Verdict:
    """Connect again and again to a reader whose answers are spoilt, and judge."""
    chance = Random(seed)
    async with court(make, replace(SETTINGS, answer_s=0.02)) as (judge, task):
        for _ in range(connections):
            await judge.connect(Random(chance.getrandbits(64)), task)
            if task.done() or len(judge.verdict.findings) > 20:
                break
    return judge.verdict


def _alive() -> int:
    gc.collect()
    return len(gc.get_objects())


def main() -> int:
    """Run rounds from the command line; 1 when there is a finding."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=100_000, help="streams; connections are a fiftieth of it"
    )
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    findings = []
    for verdict in (
        asyncio.run(judged(args.rounds, args.seed)),
        asyncio.run(judged_from_the_start(args.rounds // 50, args.seed)),
    ):
        print(verdict, *verdict.findings, sep="\n")
        findings += verdict.findings
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
