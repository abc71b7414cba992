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
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from typing import IO, Any, Final

import msgspec

from customs.documents import Direction
from edge.evidence import decode as decode_evidence
from edge.passage import Closed, GateSettings, Passage, PassageKind, TagCourse
from edge.passages import Contents, facts_of, is_sure, load_seen, moved, of_piece
from gs1 import TagRead as Tag
from gs1.identify import identify
from gs1.load import ASSETS, Load
from sync.bodies import PassageFacts
from zonegate.yard_host import Host, layout_of

_HEAD: Final = struct.Struct(">QBI")
JOB, END = 200, 201
_KNOWN_MAX: Final = 20_000
"""Identities kept, some shifts' worth."""
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
    planted: tuple[str, ...] = ()
    first: int = 0
    every: int = 1
    epcs: Path | None = None
    traffic: str = "dock"


@dataclass(slots=True)
class Played:
    """One part of a run, ready to be graded. `decisions` are by gate: "" is ours, the others are planted."""

    truth: Path
    decisions: dict[str, Path]
    crossings: int = 0
    frames: int = 0
    reads: int = 0
    passages: int = 0


def play(plan: Plan, folder: Path, told: Callable[[Played], None] = lambda _: None) -> Played:
    """Play a plan; truth and decisions are files in `folder`. `told` hears of each shift that is over."""
    played = Played(
        folder / f"truth-{plan.first}.jsonl",
        {name: folder / f"decisions-{name or 'ours'}-{plan.first}.jsonl" for name in ("", *plan.planted)},
    )
    with ExitStack() as stack:
        yard = stack.enter_context(open_yard(plan, played.truth))
        assert yard.stdout is not None
        header = json.loads(yard.stdout.readline())
        host = Host(layout_of(header), header["readers"])
        books = [
            _Book(name, plan, host.settings, stack.enter_context(path.open("w", encoding="utf-8")))
            for name, path in played.decisions.items()
        ]
        for at_us, kind, body in records(yard.stdout):
            closed = host.wait(at_us)
            if kind == JOB:
                job = json.loads(body)
                for book in books:
                    book.dock.open(job["door"], job["direction"])
            elif kind == END:
                played.crossings += json.loads(body)["crossings"]
                played.reads, played.frames = host.reads, host.frames
                told(played)
            else:
                closed += host.hear(kind, body, at_us)
            played.passages += len(closed)
            for book in books:
                book.write(closed)
        if yard.wait() != 0:
            raise RuntimeError(f"the yard ended with {yard.returncode}")
    return played


def grade(
    parts: list[Played], *, eyes: bool, planted: str = "", findings: int = 40
) -> tuple[int, dict[str, Any]]:
    """What the grader says of our gate or a planted one: its exit code and its figures. Findings go to
    standard error.
    """
    ran = subprocess.run(  # noqa: S603 - every argument is built here
        [
            *(sys.executable, "-m", "simulators.grader.passages", "--findings", str(findings)),
            *(["--eyes"] if eyes else []),
            *("--truth", *(str(part.truth) for part in parts)),
            *("--decisions", *(str(part.decisions[planted]) for part in parts)),
        ],
        stdout=subprocess.PIPE,
        check=False,
    )
    if ran.returncode not in (0, 1):
        raise RuntimeError(f"the grader ended with {ran.returncode}")
    return ran.returncode, json.loads(ran.stdout)


class _Book:
    """The decisions that follow from one gate's findings."""

    def __init__(self, planted: str, plan: Plan, settings: GateSettings, file: IO[str]) -> None:
        self.dock = _Dock(settings.confidence_min)
        self._plant = PLANTED[planted] if planted else None
        self._chance = Random(f"{plan.seed}:{plan.first}:{planted}")  # noqa: S311 - played again alike
        self._file = file

    def write(self, closed: Sequence[Closed]) -> None:
        """What closed at once: the passages of one event share their evidence."""
        plant, chance = self._plant, self._chance
        found = [(one, plant(one.passage, chance) if plant else one.passage) for one in closed]
        units = {one.evidence for one, passage in found if passage and self.dock.has_units(passage)}
        for one, passage in found:
            if passage is not None:
                decision = self.dock.decide(one, passage, beside_units=one.evidence in units)
                self._file.write(json.dumps(decision, separators=(",", ":")) + "\n")


class _Dock:
    """What the dock would write of passages, its papers left out."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._jobs: dict[str, _Job] = {}
        self._known: dict[bytes, Load | None] = {}

    def open(self, door: str, direction: str) -> None:
        """Another job is open at a door."""
        self._jobs[door] = _Job(direction)

    def decide(self, closed: Closed, passage: Passage, *, beside_units: bool) -> dict[str, Any]:
        """The final decisions on one passage; `beside_units` as with `edge.passages.contents_of`."""
        job = self._jobs.get(passage.door)
        goods, assets = self._sorted(passage)
        nobody = passage.kind is PassageKind.UNREAD or (passage.kind is PassageKind.CROSSED and not goods)
        seen = load_seen(decode_evidence(closed.evidence)) if nobody else None
        facts = facts_of(passage, Contents((), 0, assets), self._bound, "", load_seen=seen)
        loads = [
            {"epc": tag.epc.hex(), "verdict": verdict, "reason": reason}
            for tag, (verdict, reason) in self._verdicts(facts, goods, job, beside_units=beside_units)
        ]
        nameless = None
        if nobody:
            # An empty fork, or a truck that goes against the job and so fetches a load: nobody asks.
            fetches = seen is None and is_sure(facts) and job is not None and facts.direction != job.direction
            nameless = None if seen is False or fetches else "no-tag"
        return {
            "passage": passage.passage,
            "door": passage.door,
            "kind": passage.kind.value,
            "opened_us": passage.opened_us,
            "closed_us": passage.closed_us,
            "direction": passage.direction.value if passage.direction else None,
            "confidence": passage.confidence,
            "sure": is_sure(facts) or passage.kind is PassageKind.TURNED,
            "crossings": [way.value for way in passage.crossings],
            "why": passage.why,
            "nameless": nameless,
            "loads": loads,
        }

    def has_units(self, passage: Passage) -> bool:
        """Whether the label of a whole pallet moved in a passage."""
        return any(load is not None and load.sscc is not None for _, load in self._sorted(passage)[0])

    def _sorted(self, passage: Passage) -> tuple[list[tuple[TagCourse, Load | None]], int]:
        """The tags of goods that moved, and how many were of pallets' and trucks' own."""
        known = [(tag, self._load(tag.epc, tag.pc)) for tag in moved(passage)]
        goods = [(tag, load) for tag, load in known if load is None or load.kind not in ASSETS]
        return goods, len(known) - len(goods)

    def _verdicts(
        self,
        facts: PassageFacts,
        goods: list[tuple[TagCourse, Load | None]],
        job: _Job | None,
        *,
        beside_units: bool,
    ) -> Iterator[tuple[TagCourse, tuple[str, str]]]:
        """Each tag with its verdict: beside labels of whole pallets, tags of goods are what these hold."""
        units = beside_units or any(load is not None and load.sscc is not None for _, load in goods)
        for tag, load in goods:
            if facts.kind != PassageKind.CROSSED or job is None:
                yield tag, ("NONE", facts.kind)
            elif units and (load is None or load.sscc is None):
                yield tag, ("CONTENT", "content")
            else:
                yield tag, job.judge(load.key if load is not None else tag.epc.hex(), of_piece(facts, tag))

    def _load(self, epc: bytes, control: int | None) -> Load | None:
        """What a tag is the tag of, None for what is not GS1's."""
        if epc not in self._known:
            if len(self._known) > _KNOWN_MAX:
                self._known.clear()
            identity = identify(Tag(epc, control), _TODAY)
            self._known[epc] = identity if isinstance(identity, Load) else None
        return self._known[epc]


@dataclass(slots=True)
class _Job:
    """The open job: a load counts once."""

    direction: str
    counted: set[str] = field(default_factory=set)

    def judge(self, key: str, facts: PassageFacts) -> tuple[str, str]:
        """As `edge.passages.judge_piece`, with papers that allow everything."""
        if is_sure(facts) and facts.direction != self.direction:
            return "HOLD", "wrong-way"
        if not is_sure(facts):
            return "HOLD", "not-sure"
        if key in self.counted:
            return "NOTICE", "already-counted"
        self.counted.add(key)
        return "ACCEPTED", "admitted" if self.direction == "in" else "withdrawn"


def open_yard(plan: Plan, truth: Path) -> subprocess.Popen[bytes]:
    """The yard of a plan as a program; it writes its lines to its output and the truth to a file."""
    words = [sys.executable, "-m", "simulators.yard.radio", "--seed", str(plan.seed)]
    words += ["--crossings", str(plan.crossings), "--layout", plan.layout, "--truth", str(truth)]
    words += ["--traffic", plan.traffic]
    words += ["--first", str(plan.first), "--every", str(plan.every)]
    words += ["--eyes"] if plan.eyes else []
    words += ["--epcs", str(plan.epcs)] if plan.epcs else []
    return subprocess.Popen(words, stdout=subprocess.PIPE)  # noqa: S603 - every argument is built here


def records(stream: IO[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """What a yard says after its first line: when, a reader's number or `JOB` or `END`, the bytes."""
    while head := stream.read(_HEAD.size):
        at_us, kind, length = _HEAD.unpack(head)
        yield at_us, kind, stream.read(length)


def _guess(passage: Passage, chance: Random) -> Passage:
    """A gate that guesses: whatever it heard crossed, one way or the other."""
    return _told(passage, chance.choice(tuple(Direction)), _all_moved(passage))


def _flip(passage: Passage, chance: Random) -> Passage:
    """One finding in a hundred the other way round."""
    if passage.kind is not PassageKind.CROSSED or passage.direction is None or chance.random() >= _FLIPPED:
        return passage
    return _told(passage, Direction.IN if passage.direction is Direction.OUT else Direction.OUT, passage.tags)


def _parked(passage: Passage, _: Random) -> Passage:
    """What stands about is taken for part of what crosses."""
    if passage.kind is not PassageKind.CROSSED or passage.direction is None:
        return passage
    return _told(passage, passage.direction, _all_moved(passage))


def _deaf(passage: Passage, chance: Random) -> Passage | None:
    """One passage in a hundred goes unnoticed."""
    return None if chance.random() < _FLIPPED else passage


def _all_moved(passage: Passage) -> tuple[TagCourse, ...]:
    return tuple(msgspec.structs.replace(tag, moved=True) for tag in passage.tags)


def _told(passage: Passage, direction: Direction, tags: tuple[TagCourse, ...]) -> Passage:
    """Without a doubt."""
    sure = tuple(msgspec.structs.replace(tag, confidence=1000) for tag in tags)
    return msgspec.structs.replace(
        passage, kind=PassageKind.CROSSED, direction=direction, confidence=1000, tags=sure
    )


_FLIPPED: Final = 0.01
PLANTED: Final[dict[str, Planted]] = {"guess": _guess, "flip": _flip, "parked": _parked, "deaf": _deaf}
"""Gates that must fail: a grader that lets one of them through proves nothing."""
