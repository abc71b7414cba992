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
from edge.batch import PassageNote, UnderwayNote
from edge.books import SIDE
from edge.doors import printed
from edge.entries import movement_of, refusal_of
from edge.errors import JournalError
from edge.given import tag_summary
from edge.passage import Closed, GateSettings, Opened, Passage, PassageKind, Sighted
from edge.passages import (
    UNSEEN,
    Contents,
    Piece,
    challenge_tag,
    contents_of,
    crossed_of,
    facts_of,
    half_seen,
    has_units,
    is_cut_short,
    judge_piece,
    load_seen,
    moved,
    of_piece,
    worst,
)
from edge.reads import tag_at
from edge.store import UnderwayRow
from edge.underway import Trucks, cut_off, named, unseen
from gs1.load import Load
from sync.bodies import PassageFacts, Release

if TYPE_CHECKING:
    from edge.dock import Dock
    from edge.doors import Door, Shown
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

FAULT_GAP_NS: Final = 60_000_000_000
"""What the program does wrong is told of a door once a minute at most: it may do it with every report."""

_BACK: Final = (PassageKind.TURNED, PassageKind.NOTHING)
"""As a load looks that went back, and one that nobody saw any more."""

_FAILED: Final = "The program failed: see its log."

_log = logging.getLogger("zonegate.dock")


@dataclass(slots=True)
class _Going:
    """A passage that is not closed yet: when it began (monotonic), the truck that was open then, what was
    said of its loads by key, the tags that are noted, and the door's turn in which something was said of it.
    `underway` is what the journal keeps of it, by tag, that of its opening by b"". `stop` is the STOP that
    stands until it is over, `unasked` what was sighted while nothing could be recorded.
    """

    began_ns: int
    job: str | None = None
    said: dict[str, Verdict] = field(default_factory=dict)
    noted: set[bytes] = field(default_factory=set)
    underway: dict[bytes, UnderwayNote] = field(default_factory=dict)
    turn: int = 0
    stop: Shown | None = None
    unasked: dict[bytes, Sighted] = field(default_factory=dict)


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
        self.trucks = Trucks()
        self._dock = dock
        self._going: dict[tuple[str, int], _Going] = {}
        """By door and opening: what the gate tells apart afterwards is one event still."""
        self._names: dict[str, tuple[str, int]] = {}
        self._late: list[tuple[Closed, str | None]] = []
        """With the truck that was open when each began."""
        self._late_lost: dict[str, int] = {}
        self._faults: dict[str, int] = {}
        """By door, how many faults of the program nobody was told of yet."""
        self._fault_told_ns: dict[str, int] = {}
        self._with_units: set[bytes] = set()
        self._found: dict[str, tuple[list[tuple[str, int]], list[_Found]]] = {}

    def take(self, events: Sequence[Opened | Sighted | Closed]) -> None:
        """What the gate said, in its order; events of doors that the dock does not have are left out."""
        if self._dock.recording and (self._late or any(going.unasked for going in self._going.values())):
            self.attached()
        self._with_units = self._events_with_units(events)
        over = {event.passage.passage for event in events if isinstance(event, Closed)}
        for event in events:
            door = event.passage.door if isinstance(event, Closed) else event.door
            if door in self._dock.doors:
                self._take(self._dock.doors[door], event, over)
        self._show_all()

    def attached(self) -> None:
        """Entries can be written again: keep what is under way, judge what closed meanwhile."""
        if (recorder := self._dock.recorder) is not None:
            # What was queued when the journal failed may be lost; what is there already stays as it is.
            for going in self._going.values():
                for note in going.underway.values():
                    recorder.note_underway(note)
        late, self._late = self._late, []
        lost, self._late_lost = self._late_lost, {}
        for name, count in lost.items():
            detail = f"{count} passages closed while nothing could be recorded and were lost: count the goods"
            self._dock.alarm(name, self.sources.get(name, name), "passage-lost", detail, count)
        for closed, job in late:
            at = self._place(closed.passage)
            self._going.setdefault(at, _Going(self._dock.clocks.mono_ns(), job))
            self._take(self._dock.doors[closed.passage.door], closed, ())
        self._ask_again()
        self._show_all()

    def recover(self, rows: Sequence[UnderwayRow]) -> None:
        """What another run of the program left under way: nobody knows on which side of the door it stands,
        so each load is a Hold until its label is scanned. Raises JournalError.
        """
        recorder = self._dock.recorder
        assert recorder is not None, "this is asked once entries can be written"
        for passage in cut_off([row for row in rows if row.passage not in self._names], self._us):
            door = self._dock.doors.get(passage.door)
            with recorder.together():
                if door is not None:
                    self._take(door, Closed(passage, b""))
                recorder.note_over(passage.passage)
                _, found = self._found.get(passage.door, ([], []))
                loads = {printed(each.verdict.load): None for each in found if each.verdict.load}
                detail = "the dock was restarted while goods were crossing: scan the labels of " + named(
                    [*loads]
                )
                device = self.sources.get(passage.door, passage.door)
                self._dock.alarm(passage.door, device, "passage-interrupted", detail, len(loads))
        self._show_all()

    def lost(self, door: str, name: str, data: bytes) -> None:
        """What passed at a door could not be judged, or not even be taken, by a fault of the program: a
        person has to look. `name` is the passage, `data` its evidence (`edge.evidence`).
        """
        going = self._going.get(self._names.get(name, ("", 0)))
        kept = going.underway.values() if going is not None else ()
        tags = {note.epc: note.pc for note in kept if note.epc}
        now_us = self._dock.clocks.mono_ns() // 1000
        if door in self._dock.doors:
            self._tell_fault(self._dock.doors[door])
        self.take([Closed(unseen(name, door, PassageKind.UNJUDGED, tags, _FAILED, now_us), data)])

    def writes(self, kind: str, door: str | None) -> None:
        """An entry of this kind is about to change the books: a truck's is remembered, with its moment."""
        if kind == "job" and door is not None:
            before = self._dock.books.state.open_jobs.get(door)
            self.trucks.changed(door, self._dock.clocks.mono_ns() // 1000, before)

    def scanned(self, door: Door, key: str, device: str) -> None:
        """The label of a counted load was scanned: whoever asked only where it is knows it now. A wrong way
        is undone by the right one.
        """
        self._stands(door, key, device, "its label was scanned: it is counted", but="wrong-way")

    def _take(self, door: Door, event: Opened | Sighted | Closed, over: Collection[str] = ()) -> None:
        recorder = self._dock.recorder
        try:
            if isinstance(event, Opened):
                self._follow(event.passage, (door.id, event.at_us))
            if not isinstance(event, Closed) and event.passage not in over:
                self._keep_underway(door, event, recorder)
            if recorder is None:
                self._keep(event)
            elif isinstance(event, Sighted):
                self._challenge(door, event, recorder)
            elif isinstance(event, Closed):
                with recorder.together():
                    self._find(door, event, recorder)
        except JournalError:  # too much waits, or the journal has just been closed
            self._keep(event)
            self._cannot_record(door, event)
        except Exception:  # noqa: BLE001 - one passage must not end the service, nor leave what stood there
            _log.exception("a passage at door %s could not be judged", door.id)
            self._fault(door, event)

    def _fault(self, door: Door, event: Opened | Sighted | Closed) -> None:
        """A fault of the program: what came is kept all the same, and people are told."""
        passage = event.passage if isinstance(event, Closed) else None
        if passage is None or passage.kind is not PassageKind.UNJUDGED:
            self._tell_fault(door)
        if isinstance(event, Closed) and event.passage.kind not in UNSEEN:
            passage = msgspec.structs.replace(
                event.passage,
                kind=PassageKind.UNJUDGED,
                direction=None,
                confidence=0,
                crossings=(),
                why=_FAILED,
            )
            self._take(door, Closed(passage, event.evidence))
        elif isinstance(event, Closed) and event.passage.tags:
            # What names the loads may be the very thing that is broken: then the Hold names none.
            self._take(door, Closed(msgspec.structs.replace(event.passage, tags=()), event.evidence))
        else:
            if isinstance(event, Closed):
                self._forget([self._place(event.passage)])
            self._dock.show(door, Verdict("unjudged"), "", told=True)

    def _tell_fault(self, door: Door) -> None:
        """An alarm, but not for each report of a reader."""
        now_ns = self._dock.clocks.mono_ns()
        self._faults[door.id] = self._faults.get(door.id, 0) + 1
        told_ns = self._fault_told_ns.get(door.id)
        if told_ns is None or now_ns - told_ns >= FAULT_GAP_NS:
            self._fault_told_ns[door.id] = now_ns
            detail = "what went through could not be judged, see the log: look at it, and scan the labels"
            device = self.sources.get(door.id, door.id)
            self._dock.alarm(door.id, device, "passage-lost", detail, self._faults.pop(door.id))

    def _cannot_record(self, door: Door, event: Opened | Sighted | Closed) -> None:
        # What closed with it is not said: this is the worst of it.
        places, _ = self._found.pop(door.id, ([], []))
        if isinstance(event, Closed):
            places.append(self._place(event.passage))
        self._forget(places)
        self._dock.show(door, Verdict("cannot-record"), "", told=True)

    def _keep_underway(self, door: Door, event: Opened | Sighted, recorder: Recorder | None) -> None:
        """Have the journal know of what is under way: if this run of the program is killed, the next one asks
        for it.
        """
        going = self._going.get(self._names.get(event.passage, ("", 0)))
        epc, pc = (event.epc, event.pc) if isinstance(event, Sighted) else (b"", None)
        if going is None or epc in going.underway or len(going.underway) > NOTED_MAX:
            return
        note = UnderwayNote(event.passage, door.id, self._utc(event.at_us), epc, pc)
        going.underway[epc] = note
        if recorder is not None:
            recorder.note_underway(note)

    def _keep(self, event: Opened | Sighted | Closed) -> None:
        """Nothing can be recorded now: what has crossed all the same is judged when it can be again, and what
        still moves then is asked for.
        """
        if isinstance(event, Sighted):
            going = self._going.get(self._names.get(event.passage, ("", 0)))
            if going is not None and len(going.unasked) < NOTED_MAX:
                going.unasked[event.epc] = event
        elif isinstance(event, Closed):
            at = self._place(event.passage)
            going = self._going.get(at)
            job = going.job if going is not None else self._truck_at(*at)
            self._forget([at])
            self._late.append((event, job))
            while len(self._late) > LATE_MAX:
                oldest, _ = self._late.pop(0)
                door = oldest.passage.door
                self._late_lost[door] = self._late_lost.get(door, 0) + 1

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

    def _ask_again(self) -> None:
        """What was sighted while nothing could be recorded and still moves is challenged now."""
        for going in list(self._going.values()):
            unasked, going.unasked = going.unasked, {}
            for sighted in unasked.values():
                self._take(self._dock.doors[sighted.door], sighted)

    def _place(self, passage: Passage) -> tuple[str, int]:
        """Where a passage is followed: by its opening, whatever was found of that afterwards."""
        return self._names.get(passage.passage, (passage.door, passage.opened_us))

    def _follow(self, name: str, at: tuple[str, int]) -> tuple[str, int]:
        """Something opened at a door; what is followed for too long is forgotten."""
        at = self._names.setdefault(name, at)
        if at not in self._going:
            self._going[at] = _Going(self._dock.clocks.mono_ns(), self._truck_at(*at))
            while len(self._going) > GOING_MAX:
                self._forget([next(iter(self._going))])
        return at

    def _forget(self, places: Collection[tuple[str, int]]) -> None:
        """What is over. A STOP that stood for it stands no more: told by whoever says what comes now."""
        for at in places:
            self._going.pop(at, None)
        self._names = {name: at for name, at in self._names.items() if at not in places}
        for name in {name for name, _ in places}:
            self._stand(self._dock.doors[name])

    def _stand(self, door: Door) -> None:
        """Keep up the STOP of what still moves at a door, the oldest."""
        stops = [going.stop for (name, _), going in self._going.items() if name == door.id]
        door.stand(next((stop for stop in stops if stop is not None), None))

    def _speak(self, door: Door, going: _Going, verdict: Verdict, code: str) -> None:
        """Say at once what must not pass; a STOP stands until its load is through or has gone back. What may
        pass takes away what was said of the load before it.
        """
        said = worst(going.said.values())
        if said is verdict and verdict.kind in (words.STOP, words.HOLD):
            going.turn = self._dock.show(door, verdict, code, told=True)
            if verdict.kind == words.STOP:
                going.stop = door.said
                self._stand(door)
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

    def _find(self, door: Door, closed: Closed, recorder: Recorder) -> list[str]:
        """Judge what has crossed; what each load was called that something is said of."""
        dock, passage = self._dock, closed.passage
        at = self._follow(passage.passage, self._place(passage))
        going = self._going[at]
        moment = dock.moment()
        beside_units = closed.evidence in self._with_units
        contents = contents_of(dock.books, passage, moment.at, beside_units=beside_units)
        name = evidence.name(closed.evidence) if closed.evidence else ""
        bound = self._bound(door, going)
        facts = facts_of(passage, contents, bound, name, load_seen=_load_seen(closed, contents))
        # What was told to stop and did not move in the end has not crossed, whatever else did.
        still = msgspec.structs.replace(facts, kind=PassageKind.NOTHING.value)
        # Where nobody saw the end, a load that was on its way may have gone through.
        maybe = passage.kind in _BACK and going.said and is_cut_short(evidence.decoded(closed.evidence))
        half = half_seen(facts) if maybe else None
        judged = [(piece, (half if piece.key in going.said else None) or facts) for piece in contents.pieces]
        if passage.kind not in UNSEEN:
            told = {key for key, verdict in going.said.items() if half or verdict.kind == words.STOP}
            judged += [(piece, half or still) for piece in self._others(told, contents, passage, moment.at)]
        found = [
            decided
            for piece, said in judged
            if (decided := self._decide(door, piece, said, passage, moment)) is not None
        ]
        if passage.kind is not PassageKind.INTERRUPTED:  # what that one saw was kept when it saw it
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
        return [each.code for each in found]

    def _bound(self, door: Door, going: _Going) -> int:
        """How sure the gate has to be. Where another truck was opened meanwhile it cannot be: nobody knows
        whose load it was, and it must not be booked on the new truck's permits.
        """
        now = self._dock.books.state.open_jobs.get(door.id)
        return self.bound if None in (now, going.job) or now == going.job else NEVER_SURE

    def _others(self, told: set[str], contents: Contents, passage: Passage, at: datetime) -> Iterator[Piece]:
        """Loads that something was said of and that are not among what moved: they are on record, too."""
        told -= {piece.key for piece in contents.pieces}
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
            self._went(door, key, facts)
            return _Found(verdict, code, counted, dock.untold(counted) if counted else None)
        if verdict.kind == words.ACCEPTED:
            body = movement_of(verdict, summary, moment)
            kind = "admission" if body.direction is Direction.IN else "withdrawal"
            future = dock.write(kind, body, door.id, moment)
            entry_id = dock.written
            self._went(door, key, facts)
            return _Found(verdict, code, entry_id, future)
        if verdict.kind == words.HOLD:
            held = dock.books.hold_like(door.id, verdict.reason, summary.code, key)
            if held is None and key is not None and verdict.reason in SIDE[1:]:
                held = next(iter(dock.books.sides(key)), None)  # where it stands is asked already
            if held is not None:
                return _Found(verdict, code, held.hold)
        refusal = refusal_of(verdict, summary, moment, None, crossed=crossed_of(facts, verdict))
        dock.write("hold" if verdict.kind == words.HOLD else "stop", refusal, door.id, moment)
        return _Found(verdict, code, dock.written)

    def _went(self, door: Door, key: str | None, facts: PassageFacts) -> None:
        """A load went the truck's way, surely: whatever asked where it stands is settled."""
        if key is not None:
            self._stands(door, key, "gate", f"went the truck's way in passage {facts.passage}")

    def _stands(self, door: Door, key: str, by: str, note: str, *, but: str = "") -> None:
        """It is known where a load stands: Holds that ask for that are settled, but those of one reason."""
        for hold in self._dock.books.sides(key):
            if hold.reason != but:
                self._dock.write("release", Release(hold.hold, "cleared", by, note), door.id)

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
                door.ready(self._dock.books)
            self._dock.changed(door.id)
            return
        if verdict.kind != words.STOP and self._is_stopped_by_another(door):
            self._dock.changed(door.id)
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

    def _us(self, at: datetime) -> int:
        """A time of day on the monotonic clock; below zero before the machine was started."""
        clocks = self._dock.clocks
        return clocks.mono_ns() // 1000 - (clocks.utc() - at) // timedelta(microseconds=1)

    def _truck_at(self, door: str, at_us: int) -> str | None:
        """The truck that was open at a door at a moment of the monotonic clock."""
        return self.trucks.at(door, at_us, self._dock.books.state.open_jobs.get(door))

    def _count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1


def _load_seen(closed: Closed, contents: Contents) -> bool | None:
    """What the eye at load height saw; asked only where no tag of a load was read, since that costs time."""
    if any(piece.load is not None for piece in contents.pieces):
        return None
    seen = evidence.decoded(closed.evidence)
    return load_seen(seen) if seen is not None else None
