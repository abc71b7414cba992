# SPDX-License-Identifier: Apache-2.0
"""A yard of its own, a gate, a grader: what `zonegate simulate gate` plays.

Yard and grader are programs of their own. What the yard's readers send goes through the framer, the decoder
and the clock that a real reader's bytes go through, then through the gate, and what the gate finds becomes
final by two rules of the dock: a direction against the open job is a Hold, and so is one that is not sure.
The papers are left out: a dock that also knows its permits and holdings refuses more, never less.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from typing import IO, Any, Final

import msgspec

from customs.documents import Direction
from drivers.llrp.clock import ReaderClock
from drivers.llrp.framing import BadHeader, LlrpFramer
from drivers.llrp.messages import decode
from drivers.llrp.pins import Inputs
from drivers.llrp.reports import ReportDecoder
from drivers.read import InputChange, TagRead
from edge.gate import Gate
from edge.passage import Antenna, Closed, Eye, GateSettings, Layout, Passage, PassageKind
from gs1 import TagRead as Tag
from gs1.identify import identify
from gs1.load import ASSETS, Load

_HEAD: Final = struct.Struct(">QBI")
_JOB, _END = 200, 201
_REPORT, _EVENT = 61, 63
_EYE_REST_US: Final = 30_000
_PORTS: Final = (1, 2, 3, 4)
_TODAY: Final = date(2026, 1, 1)
"""Tags tell no dates: any day gives the same identities."""

Planted = Callable[[Passage, Random], Passage | None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to play."""

    seed: int
    crossings: int
    layout: str = "two"
    eyes: bool = False
    planted: str | None = None
    first: int = 0
    every: int = 1
    epcs: Path | None = None


@dataclass(slots=True)
class Played:
    """One part of a run, ready to be graded."""

    truth: Path
    decisions: Path
    crossings: int = 0
    frames: int = 0
    reads: int = 0
    passages: int = 0
    loads: set[str] = field(default_factory=set)
    """Keys of all loads and assets that the gate found on the move."""


def play(plan: Plan, folder: Path, told: Callable[[Played], None] = lambda _: None) -> Played:
    """Play a plan; truth and decisions are files in `folder`. `told` hears of each shift that is over."""
    played = Played(folder / f"truth-{plan.first}.jsonl", folder / f"decisions-{plan.first}.jsonl")
    with _yard(plan, played.truth) as yard, played.decisions.open("w", encoding="utf-8") as decisions:
        assert yard.stdout is not None
        header = json.loads(yard.stdout.readline())
        host = _Host(header, plan, played)
        for at_us, kind, body in _records(yard.stdout):
            for decision in host.take(at_us, kind, body):
                decisions.write(json.dumps(decision, separators=(",", ":")) + "\n")
            if kind == _END:
                told(played)
        if yard.wait() != 0:
            raise RuntimeError(f"the yard ended with {yard.returncode}")
    return played


def grade(parts: list[Played], *, eyes: bool, findings: int = 40) -> tuple[int, dict[str, Any]]:
    """What the grader says: its exit code and its figures. Findings go to standard error."""
    ran = subprocess.run(  # noqa: S603 - every argument is built here
        [
            *(sys.executable, "-m", "simulators.grader.passages", "--findings", str(findings)),
            *(["--eyes"] if eyes else []),
            *("--truth", *(str(part.truth) for part in parts)),
            *("--decisions", *(str(part.decisions) for part in parts)),
        ],
        stdout=subprocess.PIPE,
        check=False,
    )
    if ran.returncode not in (0, 1):
        raise RuntimeError(f"the grader ended with {ran.returncode}")
    return ran.returncode, json.loads(ran.stdout)


class _Host:
    """The dock's side: one clock, a decoder for each reader, one gate."""

    def __init__(self, header: dict[str, Any], plan: Plan, played: Played) -> None:
        self._readers = [_Reader(name) for name in header["readers"]]
        self._gate = Gate(layout_of(header), GateSettings())
        self._bound = self._gate.settings.confidence_min
        self._jobs: dict[str, _Job] = {}
        self._plant = PLANTED[plan.planted] if plan.planted else None
        self._chance = Random(f"{plan.seed}:{plan.first}:planted")  # noqa: S311 - a run that can be played again
        self._played = played
        self._known: dict[bytes, Load | None] = {}

    def take(self, at_us: int, kind: int, body: bytes) -> Iterator[dict[str, Any]]:
        """One record of the yard's; the decisions that it led to."""
        yield from self._until(at_us)
        if kind == _JOB:
            job = json.loads(body)
            self._jobs[job["door"]] = _Job(job["direction"])
            return
        if kind == _END:
            self._played.crossings += json.loads(body)["crossings"]
            self._played.loads |= {load.key for load in self._known.values() if load is not None}
            self._known.clear()
            return
        events: list[Any] = []
        self._played.frames += 1
        for heard in self._readers[kind].take(body, at_us):
            if isinstance(heard, InputChange):
                events += self._gate.take_input(heard)
            else:
                self._played.reads += len(heard)
                events += self._gate.take_tags(heard)
        yield from self._closed(events)

    def _until(self, at_us: int) -> Iterator[dict[str, Any]]:
        """Let the gate's and the inputs' time pass, as a timer would."""
        while True:
            due = [(reader.due_us, place) for place, reader in enumerate(self._readers) if reader.due_us]
            gate_us = self._gate.deadline_us
            if due and min(due)[0] <= min(at_us, gate_us or at_us):
                for change in self._readers[min(due)[1]].settled(min(due)[0]):
                    yield from self._closed(self._gate.take_input(change))
            elif gate_us is not None and gate_us <= at_us:
                yield from self._closed(self._gate.tick(gate_us))
                if self._gate.deadline_us == gate_us:
                    return
            else:
                return

    def _closed(self, events: list[Any]) -> Iterator[dict[str, Any]]:
        for event in events:
            if isinstance(event, Closed):
                passage: Passage | None = event.passage
                if self._plant is not None:
                    passage = self._plant(event.passage, self._chance)
                if passage is not None:
                    self._played.passages += 1
                    yield self._decide(passage)

    def _decide(self, passage: Passage) -> dict[str, Any]:
        """What the dock would write of a passage, its papers left out."""
        job = self._jobs.get(passage.door)
        crossed = passage.kind is PassageKind.CROSSED
        sure = passage.direction is not None and passage.confidence >= self._bound
        turned = passage.kind is PassageKind.TURNED
        against = (
            job is not None and passage.direction is not None and passage.direction.value != job.direction
        )
        loads, assets = [], 0
        for tag in passage.tags:
            if not tag.moved:
                continue
            load = self._load(tag.epc, tag.pc)
            if load is not None and load.kind in ASSETS:
                assets += 1
            elif turned:
                loads.append({"epc": tag.epc.hex(), "verdict": "NONE", "reason": "turned"})
            elif crossed and job is not None:
                key = load.key if load is not None else tag.epc.hex()
                loads.append({"epc": tag.epc.hex(), **job.judge(key, sure=sure, against=against)})
        nameless = None
        if passage.kind is PassageKind.UNREAD or (crossed and not loads and not assets):
            # A truck that goes against the job fetches a load; any other one without tags is asked about.
            nameless = None if sure and against else "no-tag"
        return {
            "passage": passage.passage,
            "door": passage.door,
            "kind": passage.kind.value,
            "opened_us": passage.opened_us,
            "closed_us": passage.closed_us,
            "direction": passage.direction.value if passage.direction else None,
            "confidence": passage.confidence,
            "sure": sure or turned,
            "crossings": [way.value for way in passage.crossings],
            "why": passage.why,
            "nameless": nameless,
            "loads": loads,
        }

    def _load(self, epc: bytes, control: int | None) -> Load | None:
        """What a tag is the tag of, None for what is not GS1's."""
        if epc not in self._known:
            identity = identify(Tag(epc, control), _TODAY)
            self._known[epc] = identity if isinstance(identity, Load) else None
        return self._known[epc]


@dataclass(slots=True)
class _Job:
    """The open job: a load counts once."""

    direction: str
    counted: set[str] = field(default_factory=set)

    def judge(self, key: str, *, sure: bool, against: bool) -> dict[str, str]:
        if sure and against:
            return {"verdict": "HOLD", "reason": "wrong-way"}
        if not sure:
            return {"verdict": "HOLD", "reason": "not-sure"}
        if key in self.counted:
            return {"verdict": "NOTICE", "reason": "already-counted"}
        self.counted.add(key)
        return {"verdict": "ACCEPTED", "reason": "admitted" if self.direction == "in" else "withdrawn"}


class _Reader:
    """The host's end of one reader's line: framer, decoder, clock, inputs."""

    def __init__(self, name: str) -> None:
        self._framer = LlrpFramer()
        self._decoder = ReportDecoder(name)
        self._clock = ReaderClock()
        self._inputs = Inputs(name, _PORTS, _EYE_REST_US)

    @property
    def due_us(self) -> int | None:
        """When an input has rested long enough to count."""
        return self._inputs.deadline_us

    def settled(self, now_us: int) -> list[InputChange]:
        """The inputs that have."""
        return self._inputs.tick(now_us)

    def take(self, data: bytes, now_us: int) -> Iterator[list[TagRead] | InputChange]:
        """What arrived, as reads and changes."""
        for frame in self._framer.feed(data):
            assert not isinstance(frame, BadHeader), f"the yard's reader sent {frame}"
            kind = int.from_bytes(frame[:2], "big") & 0x3FF
            if kind == _REPORT:
                reads = self._decoder.decode(frame, self._clock.offset_us or 0, now_us)
                yield self._clock.settle(reads, now_us)
            elif kind == _EVENT:
                yield from self._event(frame, now_us)

    def _event(self, frame: bytes, now_us: int) -> Iterator[InputChange]:
        told = decode(frame).first("ReaderEventNotificationData")
        stamp = told.first("UTCTimestamp") if told else None
        change = told.first("GPIEvent") if told else None
        if stamp is None or change is None:
            return
        at_us = self._clock.place(int(str(stamp.fields["Microseconds"])), now_us)
        port, high = int(str(change.fields["Port"])), bool(change.fields["Event"])
        yield from self._inputs.edge(port, high, at_us, now_us)


def layout_of(header: dict[str, Any]) -> Layout:
    """The yard's layout as an installer would enter it here."""
    return Layout(
        antennas=tuple(Antenna(a["reader"], a["port"], a["door"], a["side"]) for a in header["antennas"]),
        eyes=tuple(Eye(e["reader"], e["port"], e["door"], e["place"]) for e in header["eyes"]),
    )


def _yard(plan: Plan, truth: Path) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "simulators.yard.radio", "--seed", str(plan.seed)]
    words += ["--crossings", str(plan.crossings), "--layout", plan.layout, "--truth", str(truth)]
    words += ["--first", str(plan.first), "--every", str(plan.every)]
    words += ["--eyes"] if plan.eyes else []
    words += ["--epcs", str(plan.epcs)] if plan.epcs else []
    return subprocess.Popen(words, stdout=subprocess.PIPE)  # noqa: S603 - every argument is built here


def _records(stream: IO[bytes]) -> Iterator[tuple[int, int, bytes]]:
    while head := stream.read(_HEAD.size):
        at_us, kind, length = _HEAD.unpack(head)
        yield at_us, kind, stream.read(length)


def _guess(passage: Passage, chance: Random) -> Passage:
    """A gate that guesses: whatever it heard crossed, one way or the other."""
    tags = tuple(msgspec.structs.replace(tag, moved=True) for tag in passage.tags)
    return _turned(passage, chance.choice(tuple(Direction)), tags=tags)


def _flip(passage: Passage, chance: Random) -> Passage:
    """One finding in a hundred the other way round."""
    if passage.kind is not PassageKind.CROSSED or passage.direction is None or chance.random() >= _FLIPPED:
        return passage
    other = Direction.IN if passage.direction is Direction.OUT else Direction.OUT
    return _turned(passage, other)


def _parked(passage: Passage, _: Random) -> Passage:
    """What stands about is taken for part of what crosses."""
    if passage.kind is not PassageKind.CROSSED:
        return passage
    return msgspec.structs.replace(
        passage, tags=tuple(msgspec.structs.replace(tag, moved=True) for tag in passage.tags)
    )


def _deaf(passage: Passage, chance: Random) -> Passage | None:
    """One passage in a hundred goes unnoticed."""
    return None if chance.random() < _FLIPPED else passage


def _turned(passage: Passage, direction: Direction, **more: Any) -> Passage:
    return msgspec.structs.replace(
        passage, kind=PassageKind.CROSSED, direction=direction, confidence=1000, **more
    )


_FLIPPED: Final = 0.01
PLANTED: Final[dict[str, Planted]] = {"guess": _guess, "flip": _flip, "parked": _parked, "deaf": _deaf}
"""Gates that must fail: a grader that lets one of them through proves nothing."""
