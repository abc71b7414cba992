# SPDX-License-Identifier: Apache-2.0
"""Passages at the dock's doors: what moves is challenged while it moves, and judged once it has crossed.

A load that must not pass is shown at once, direction or not. What has crossed is judged whole, in one step
without an await: each load is an entry, and what two loads need together is reserved as each is queued.
Knows the dock it speaks for, no reader and no gate.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from customs.documents import Direction, LineRef
from edge import evidence, words
from edge.adjudicate import Moment, Verdict
from edge.batch import PassageNote
from edge.entries import movement_of, refusal_of
from edge.errors import EvidenceError, JournalError
from edge.given import tag_summary
from edge.passage import Closed, GateSettings, Opened, Passage, PassageKind, Sighted
from edge.passages import (
    Contents,
    Piece,
    challenge_tag,
    contents_of,
    crossed_of,
    facts_of,
    has_units,
    is_sure,
    judge_piece,
    load_seen,
    moved,
    of_piece,
    worst,
)
from edge.reads import tag_at
from gs1.load import Load
from sync.bodies import PassageFacts, Release

if TYPE_CHECKING:
    from edge.dock import Dock
    from edge.doors import Door
    from edge.recorder import Recorder

NOTED_MAX: Final = 500
"""Tags of one passage kept as reads of their own; what was judged has all of them in its evidence."""

GOING_MAX: Final = 64
"""Events followed at once: several times the doors of a node, and what is being judged of them."""

SPOKEN_NS: Final = 600_000_000_000
"""What a load on its way will take is counted in for so long: no passage lasts longer."""

NEVER_SURE: Final = 1_000
"""Above the confidence of every finding, in thousandths."""

LATE_MAX: Final = 200
"""Passages that closed while nothing could be recorded, judged when it can be again; the oldest give way."""

_log = logging.getLogger("zonegate.dock")


@dataclass(slots=True)
class _Going:
    """A passage that is not closed yet: when it began (monotonic), the truck that was open then, what was
    said of its loads by key, the tags that are noted, and the door's turn in which something was said of it.
    """

    began_ns: int
    job: str | None = None
    said: dict[str, Verdict] = field(default_factory=dict)
    noted: set[bytes] = field(default_factory=set)
    turn: int = 0


@dataclass(frozen=True, slots=True)
class _Found:
    """One piece's decision; `entry_id` is its entry, or the one that had counted it, None without one. `told`
    is what resolves with an accepted one.
    """

    verdict: Verdict
    code: str
    entry_id: str | None
    told: asyncio.Future[Any] | None = None


class Passing:
    """Takes what the gate says and speaks and writes for the dock.

    `sources` names, for each door, the device whose antennas are there, `bound` the confidence in thousandths
    below which a direction is not sure. `counts` are passages by kind, and tags sighted, since start.
    """

    def __init__(self, dock: Dock) -> None:
        self.sources: Mapping[str, str] = {}
        self.bound = GateSettings().confidence_min
        self.counts: dict[str, int] = {}
        self._dock = dock
        self._going: dict[tuple[str, int], _Going] = {}
        """By door and opening: what the gate tells apart afterwards is one event still."""
        self._names: dict[str, tuple[str, int]] = {}
        self._late: list[tuple[Closed, str | None]] = []
        """With the truck that was open when each began."""
        self._with_units: set[bytes] = set()
        self._found: dict[str, tuple[list[tuple[str, int]], list[_Found]]] = {}

    def take(self, events: Sequence[Opened | Sighted | Closed]) -> None:
        """What the gate said, in its order; events of doors that the dock does not have are left out."""
        if self._late and self._dock.recording:
            self.attached()
        self._with_units = self._events_with_units(events)
        for event in events:
            door = event.passage.door if isinstance(event, Closed) else event.door
            if door in self._dock.doors:
                self._take(self._dock.doors[door], event)
        self._show_all()

    def attached(self) -> None:
        """Entries can be written again: judge what closed meanwhile."""
        late, self._late = self._late, []
        for closed, job in late:
            at = (closed.passage.door, closed.passage.opened_us)
            self._going.setdefault(at, _Going(self._dock.clocks.mono_ns(), job))
            self._take(self._dock.doors[closed.passage.door], closed)
        self._show_all()

    def lost(self, door: str) -> None:
        """What passed at a door could not be judged, by a fault of the program: a person has to look."""
        if door in self._dock.doors:
            detail = "a passage could not be judged, see the log: look at what went through, and scan it"
            self._dock.alarm(door, self.sources.get(door, door), "passage-lost", detail, 1)
            self._dock.show(self._dock.doors[door], Verdict("cannot-record"), "", told=True)

    def _take(self, door: Door, event: Opened | Sighted | Closed) -> None:
        recorder = self._dock.recorder
        if isinstance(event, Opened):
            self._follow(event.passage, (door.id, event.at_us))
        elif recorder is None:
            self._keep(event)
        else:
            try:
                if isinstance(event, Sighted):
                    self._challenge(door, event, recorder)
                else:
                    self._find(door, event, recorder)
            except JournalError:  # too much waits, or the journal has just been closed
                self._keep(event)
                self._cannot_record(door, event)
            except Exception:  # noqa: BLE001 - one passage must not end the service, nor leave what stood there
                _log.exception("a passage at door %s could not be judged", door.id)
                self._cannot_record(door, event)

    def _cannot_record(self, door: Door, event: Sighted | Closed) -> None:
        # What closed with it is not said: this is the worst of it.
        places, _ = self._found.pop(door.id, ([], []))
        if isinstance(event, Closed):
            places.append((door.id, event.passage.opened_us))
        self._forget(places)
        self._dock.show(door, Verdict("cannot-record"), "", told=True)

    def _keep(self, event: Sighted | Closed) -> None:
        """Nothing can be recorded now: what has crossed all the same is judged when it can be again."""
        if isinstance(event, Closed):
            at = (event.passage.door, event.passage.opened_us)
            going = self._going.get(at)
            job = going.job if going is not None else self._dock.books.state.open_jobs.get(at[0])
            self._forget([at])
            self._late = [*self._late[-LATE_MAX + 1 :], (event, job)]

    # -- while it moves -----------------------------------------------------------------------------

    def _challenge(self, door: Door, sighted: Sighted, recorder: Recorder) -> None:
        dock = self._dock
        at = self._names.get(sighted.passage)
        going = self._going[at] if at is not None else _Going(self._dock.clocks.mono_ns())
        moment = dock.moment(self._spoken())
        identity = tag_at(dock.books, sighted.epc, sighted.pc, moment.at)
        key = identity.key if isinstance(identity, Load) else ""
        verdict = going.said.get(key)
        if verdict is None:
            verdict = challenge_tag(dock.books, door.id, identity, moment)
            if verdict is not None:
                going.said[key] = verdict
                self._speak(door, going, verdict, sighted.epc.hex().upper())
        said = verdict.reason if verdict is not None else ""
        self._note(recorder, going, door.id, sighted.epc, self._utc(sighted.at_us), said)
        self._count("sighted")

    def _follow(self, name: str, at: tuple[str, int]) -> tuple[str, int]:
        """Something opened at a door; what is followed for too long is forgotten."""
        self._names[name] = at
        if at not in self._going:
            self._going[at] = _Going(self._dock.clocks.mono_ns(), self._dock.books.state.open_jobs.get(at[0]))
            while len(self._going) > GOING_MAX:
                self._forget([next(iter(self._going))])
        return at

    def _forget(self, places: Collection[tuple[str, int]]) -> None:
        for at in places:
            self._going.pop(at, None)
        self._names = {name: at for name, at in self._names.items() if at not in places}

    def _speak(self, door: Door, going: _Going, verdict: Verdict, code: str) -> None:
        """Say at once what must not pass. What may pass takes away what was said of the load before it."""
        said = worst(going.said.values())
        if said is verdict and verdict.kind in (words.STOP, words.HOLD):
            going.turn = self._dock.show(door, verdict, code, told=True)
        elif going.turn == 0 and door.shown.state in (words.STOP, words.HOLD):
            self._ready(door)
            going.turn = door.turn

    def _spoken(self) -> dict[LineRef, Decimal]:
        """What the loads that move through doors now will take, if they cross."""
        taken: dict[LineRef, Decimal] = {}
        since_ns = self._dock.clocks.mono_ns() - SPOKEN_NS
        for going in (going for going in self._going.values() if going.began_ns > since_ns):
            for verdict in going.said.values():
                if (use := verdict.use) is not None:
                    taken[use.ref] = taken.get(use.ref, Decimal(0)) + use.quantity
        return taken

    # -- when it has crossed ------------------------------------------------------------------------

    def _find(self, door: Door, closed: Closed, recorder: Recorder) -> None:
        dock, passage = self._dock, closed.passage
        at = self._follow(passage.passage, (door.id, passage.opened_us))
        going = self._going[at]
        moment = dock.moment()
        beside_units = closed.evidence in self._with_units
        contents = contents_of(dock.books, passage, moment.at, beside_units=beside_units)
        name = evidence.name(closed.evidence)
        bound = self._bound(door, going)
        facts = facts_of(passage, contents, bound, name, load_seen=_load_seen(closed, contents))
        # What was told to stop and did not move in the end has not crossed, whatever else did.
        still = msgspec.structs.replace(facts, kind=PassageKind.NOTHING.value)
        judged = [(piece, facts) for piece in contents.pieces]
        judged += [(piece, still) for piece in self._stopped(going, contents, passage, moment.at)]
        found = [
            decided
            for piece, said in judged
            if (decided := self._decide(door, piece, said, passage, moment)) is not None
        ]
        self._note_all(recorder, going, passage, found)
        recorder.note_passage(
            PassageNote(
                passage.passage,
                passage.door,
                self._utc(passage.opened_us),
                self._utc(passage.closed_us),
                msgspec.json.encode(passage),
                closed.evidence,
                name,
                tuple(dict.fromkeys(each.entry_id for each in found if each.entry_id is not None)),
            )
        )
        self._count(passage.kind.value)
        places, all_found = self._found.setdefault(door.id, ([], []))
        places.append(at)
        all_found.extend(found)

    def _bound(self, door: Door, going: _Going) -> int:
        """How sure the gate has to be. Where another truck was opened meanwhile it cannot be: nobody knows
        whose load it was, and it must not be booked on the new truck's permits.
        """
        now = self._dock.books.state.open_jobs.get(door.id)
        return self.bound if None in (now, going.job) or now == going.job else NEVER_SURE

    def _stopped(self, going: _Going, contents: Contents, passage: Passage, at: datetime) -> Iterator[Piece]:
        """Loads that a STOP was said of and that are not among what moved: it is on record, too."""
        told = {key for key, verdict in going.said.items() if verdict.kind == words.STOP}
        told -= {piece.load.key for piece in contents.pieces if piece.load is not None}
        for tag in passage.tags if told else ():
            identity = tag_at(self._dock.books, tag.epc, tag.pc, at)
            if isinstance(identity, Load) and identity.key in told:
                told.remove(identity.key)
                yield Piece(identity, tag)

    def _decide(
        self, door: Door, piece: Piece, facts: PassageFacts, passage: Passage, moment: Moment
    ) -> _Found | None:
        """Judge one piece and queue its entry, before the next is judged."""
        dock = self._dock
        facts = of_piece(facts, piece.tag)
        verdict = judge_piece(dock.books, door.id, facts, piece.load, moment)
        if verdict is None:
            return None
        at_us = piece.tag.last_us if piece.tag is not None else passage.closed_us
        epc, pc = (piece.tag.epc, piece.tag.pc) if piece.tag is not None else (b"", None)
        summary = tag_summary(self.sources.get(door.id, door.id), epc, pc, self._utc(at_us), facts)
        key = piece.load.key if piece.load is not None else None
        # What no tag names has the passage's name on record, which tells nobody at the door anything.
        code = summary.code if epc else ""
        if verdict.kind == words.NOTICE:
            opened = dock.books.job_at(door.id)
            counted = opened[0].counted.get(key or "") if opened is not None else None
            self._settle_wrong_way(door, key, facts)
            return _Found(verdict, code, counted, dock.untold(counted) if counted else None)
        if verdict.kind == words.ACCEPTED:
            body = movement_of(verdict, summary, moment)
            kind = "admission" if body.direction is Direction.IN else "withdrawal"
            future = dock.write(kind, body, door.id, moment)
            return _Found(verdict, code, dock.written, future)
        if verdict.kind == words.HOLD:
            held = dock.books.hold_like(door.id, verdict.reason, summary.code, key)
            if held is not None:
                return _Found(verdict, code, held.hold)
        refusal = refusal_of(verdict, summary, moment, None, crossed=crossed_of(facts, verdict))
        dock.write("hold" if verdict.kind == words.HOLD else "stop", refusal, door.id, moment)
        return _Found(verdict, code, dock.written)

    def _settle_wrong_way(self, door: Door, key: str | None, facts: PassageFacts) -> None:
        """A counted load that had come back has gone the right way again: its Hold is settled."""
        if facts.kind != PassageKind.CROSSED or not is_sure(facts):
            return
        for hold in list(self._dock.books.state.holds.values()):
            if hold.reason == "wrong-way" and hold.load is not None and hold.load.key == key:
                note = f"went the right way again in passage {facts.passage}"
                self._dock.write("release", Release(hold.hold, "cleared", "gate", note), door.id)

    def _show_all(self) -> None:
        """Say at each door what was found, in one word of all that closed at once."""
        founds, self._found = self._found, {}
        for name, (places, found) in founds.items():
            turns = [self._going[at].turn for at in places if at in self._going]
            self._forget(places)
            self._show(self._dock.doors[name], turns, found)

    def _show(self, door: Door, turns: Sequence[int], found: Sequence[_Found]) -> None:
        """Say what was found of all loads together; of none, that the door is ready again."""
        verdicts = [each.verdict for each in found]
        verdict = worst(verdicts)
        if verdict is None:
            if door.turn in turns:
                self._ready(door)
            return
        if verdict.kind != words.STOP and self._is_stopped_by_another(door):
            return  # a newer load is told to stop, and nobody may go by an older one's word
        first = next(each for each in found if each.verdict is verdict)
        waiting = {each.entry_id: each.told for each in found if each.told and each.entry_id}
        told = verdict.kind in (words.STOP, words.HOLD) or not waiting
        turn = self._dock.show(
            door, verdict, first.code, told=told, entry_id=first.entry_id or "", among=verdicts
        )
        self._dock.tell_later(door, turn, waiting)

    def _is_stopped_by_another(self, door: Door) -> bool:
        """Whether what the door says now was said of a load that still moves."""
        turns = [going.turn for (name, _), going in self._going.items() if name == door.id]
        return door.turn in turns and door.shown.state in (words.STOP, words.HOLD)

    def _ready(self, door: Door) -> None:
        door.ready(self._dock.books)
        self._dock.changed(door.id)

    def _events_with_units(self, events: Sequence[Opened | Sighted | Closed]) -> set[bytes]:
        """The evidence of what the gate told apart into several passages, one of which has an SSCC's tag."""
        closed = [event for event in events if isinstance(event, Closed)]
        if len(closed) < 2:
            return set()
        at = self._dock.clocks.utc()
        books = self._dock.books
        return {event.evidence for event in closed if has_units(books, event.passage, at)}

    # -- evidence -----------------------------------------------------------------------------------

    def _note_all(self, recorder: Recorder, going: _Going, passage: Passage, found: Sequence[_Found]) -> None:
        """Keep a read of each tag that moved and was not sighted before it had crossed."""
        by_code = {each.code: each for each in found}
        for tag in moved(passage):
            told = by_code.get(tag.epc.hex().upper())
            said = told.verdict.reason if told is not None else passage.kind.value
            self._note(recorder, going, passage.door, tag.epc, self._utc(tag.first_us), said)

    def _note(
        self, recorder: Recorder, going: _Going, door: str, epc: bytes, at: datetime, said: str
    ) -> None:
        if epc in going.noted or len(going.noted) >= NOTED_MAX:
            return
        going.noted.add(epc)
        recorder.note_read(
            device=self.sources.get(door, door),
            door=door,
            at=at,
            code=epc.hex().upper(),
            raw=epc,
            verdict=said or "sighted",
            entry_id=None,
        )

    def _utc(self, at_us: int) -> datetime:
        """A moment of the monotonic clock as the time of day."""
        clocks = self._dock.clocks
        return clocks.utc() - timedelta(microseconds=clocks.mono_ns() // 1000 - at_us)

    def _count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1


def _load_seen(closed: Closed, contents: Contents) -> bool | None:
    """What the eye at load height saw; asked only where no tag of a load was read, since that costs time."""
    if any(piece.load is not None for piece in contents.pieces):
        return None
    try:
        return load_seen(evidence.decode(closed.evidence))
    except EvidenceError:
        return None
