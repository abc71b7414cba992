# SPDX-License-Identifier: Apache-2.0
"""The gate while things move: opens and closes passages, and says which tags are on the move.

It collects; what happened is said by `judge`, from the evidence alone. Everything it remembers is bounded,
and its only clock is what it is told: `tick`, and the times of reads and inputs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from drivers.read import InputChange, TagRead
from edge.evidence import Evidence, Known, encode
from edge.passage import Closed, GateSettings, Layout, Opened, PassageKind, Sighted

from .doorway import Door, Session
from .eyes import EyeState
from .judging import judge
from .tracks import CELL_US, CHANNELS_MAX, Course, Track

__all__ = ["Counts", "Ended", "Gate", "find"]

EPC_BYTES_MAX: Final = 64
"""A Gen2 tag's EPC has at most 31 words, 62 bytes; what is longer is not from a tag."""

TAGS_MAX: Final = 20_000
"""Tags remembered at once, some 40 MB: a full trailer and two pallets at each of eight doors, twice over."""

READS_MAX: Final = 200_000
"""Reads held at once, some 50 MB: two minutes of the quickest reader, twice over."""

TAG_READS_MAX: Final = 20_000
"""Reads held of one tag: the quickest reader hears one that is alone so often while a passage is open."""

_CLEAR_US: Final = 1_000_000
"""Looking through all that is held takes some hundredths of a second."""

INPUTS_MAX: Final = 2_000
"""Changes of inputs kept with a passage."""

FORGET_US: Final = 600_000_000
"""A tag not read for ten minutes is new when it comes again."""

JUMP_US: Final = 10_000_000
"""A tick earlier than the newest read by more: that read told a time that was not."""

_BEGINNING: Final = 4
"""A tag's level at first is that of so many observations."""
_LATE_CELLS: Final = 20
"""Reads older than the newest of their antenna by two seconds are of another time."""
_NO_PORTS: Final[dict[int, int]] = {}
_FRESH_CELLS: Final = 10
"""What an antenna heard within a second still says where a tag is."""

_SURE: Final = 16.0
"""A rise is told from fading by four standard deviations: one still tag in thousands is mistaken."""
_STIRS: Final = 8.5
"""Enough to look closer: a session opened for nothing is not told."""
_DOORWAY_CDB: Final = 1_000.0
"""A tag not quieter than this below its loudest is still in the doorway: twice the distance is 12 dB."""
_LIKELY: Final = 6.0
"""Enough while something stands in the doorway."""


class Ended(msgspec.Struct, frozen=True):
    """Something at a door is over and not judged yet. `told`: an Opened was said of it."""

    evidence: Evidence
    told: bool


Event = Opened | Sighted | Closed | Ended


def find(ended: Ended) -> list[Opened | Closed]:
    """What is to be said of what ended: nothing, or its passages. Takes a tenth of a second for a pallet of
    many tags, and may run in a thread.
    """
    evidence = ended.evidence
    passages = judge(evidence)
    if not ended.told and all(p.kind is PassageKind.NOTHING for p in passages):
        return []
    data = encode(evidence)
    findings: list[Opened | Closed] = []
    for passage in passages:
        if passage.passage != evidence.passage or not ended.told:
            findings.append(Opened(passage.passage, passage.door, passage.opened_us))
        findings.append(Closed(passage, data))
    return findings


def _turns(course: Course) -> tuple[tuple[int, int], ...]:
    """The phases of a course, as `Known` has them."""
    return tuple(course.phases.items())


@dataclass(slots=True)
class Counts:
    """What the gate left out, since it began."""

    unknown_antenna: int = 0
    no_epc: int = 0
    epc_too_long: int = 0
    tags_forgotten: int = 0
    reads_left_out: int = 0
    clock_jumps: int = 0


class Gate:
    """All doors of a node. Each call returns what it led to, in order.

    `run` stands before the passages' names, so that they differ from those of the machine's earlier runs,
    whose clock may have counted alike. With `apart` what is over comes as Ended: whoever asked has it judged
    (`find`), where it keeps nobody waiting, and lets the gate `learn` what was found.
    """

    def __init__(
        self, layout: Layout, settings: GateSettings | None = None, *, run: str = "", apart: bool = False
    ) -> None:
        self._apart = apart
        self._layout = layout
        self._settings = settings or GateSettings()
        self._rest_us = self._settings.rest_ms * 1000
        self._run = run
        names = dict.fromkeys([*(a.door for a in layout.antennas), *(e.door for e in layout.eyes)])
        self._doors = {name: Door(name, layout) for name in names}
        self._spots: dict[str, dict[int, int]] = {}
        for at, antenna in enumerate(layout.antennas):
            self._spots.setdefault(antenna.device, {})[antenna.port] = at
        self._door_of = [self._doors[a.door] for a in layout.antennas]
        self._tracks: OrderedDict[bytes, Track] = OrderedDict()
        self._held = 0
        self._cleared_us = -_CLEAR_US
        self._now_us: int | None = None
        self._due_us: int | None = None
        self._events: list[Event] = []
        self.counts = Counts()

    @property
    def deadline_us(self) -> int | None:
        """When `tick` is wanted next; None while nothing is open. What was heard since may make it later: a
        tick then changes nothing but this.
        """
        return self._due_us

    def take_tags(self, reads: Sequence[TagRead], now_us: int | None = None) -> list[Event]:
        """Take reads in, in the order in which they came. `now_us`, when given, is the machine's clock at
        their arrival; a read said to be later is left out of the reckoning of time.
        """
        limit = None if now_us is None else now_us + CELL_US
        for read in reads:
            if limit is not None and read.last_us > limit:
                self.counts.clock_jumps += 1
                continue
            self._take(read)
        return self._said()

    def take_input(self, change: InputChange) -> list[Event]:
        """An eye changed, or another input, which is left alone."""
        for door in self._doors.values():
            eye = door.eyes.get((change.device, change.port))
            if eye is not None:
                self._advance(change.at_us)
                self._eye(door, eye, change)
        return self._said()

    def learn(self, findings: Sequence[Opened | Closed]) -> None:
        """What was found of what ended: a load that crossed is remembered at its door."""
        for found in findings:
            if isinstance(found, Closed):
                passage = found.passage
                if passage.kind is PassageKind.CROSSED and passage.direction is not None:
                    self._doors[passage.door].crossed(passage, self._settings.confidence_min)

    def ill_eyes(self) -> dict[str, tuple[str, ...]]:
        """The eyes that are left out of account, by device, each as a sentence for a supervisor."""
        ill: dict[str, tuple[str, ...]] = {}
        for door in self._doors.values():
            for device, said in door.ill():
                ill[device] = (*ill.get(device, ()), said)
        return ill

    def tick(self, now_us: int) -> list[Event]:
        """The clock went on: closes what is over."""
        self._reckon()
        late = self._due_us is not None and self._due_us <= now_us
        if not late and self._now_us is not None and now_us < self._now_us - JUMP_US:
            self._begin_anew()
        self._advance(now_us)
        return self._said()

    def reader_lost(self, device: str, now_us: int) -> list[Event]:
        """The link to a reader is gone: its antennas say nothing, its eyes are as good as none."""
        self._advance(now_us)
        for door in self._doors.values():
            concerned = any(self._layout.antennas[spot].device == device for spot in door.spots)
            for (owner, _), eye in door.eyes.items():
                if owner == device:
                    eye.lose()
                    concerned = True
            if concerned and door.session is not None:
                door.session.lost.append((device, now_us))
        self._reckon()
        return self._said()

    def finish(self, now_us: int) -> list[Event]:
        """Nothing more comes: what is open is cut, and said by what was seen of it until now."""
        self._advance(now_us)
        self._cut(now_us)
        self._reckon()
        return self._said()

    def _cut(self, at: int = 0) -> None:
        for door in self._doors.values():
            if door.session is not None:
                self._close(door, max(at, door.session.active_us, door.session.opened_us), final=False)

    def _begin_anew(self) -> None:
        """A read told a time that was not: what is open is closed, and what is known is forgotten."""
        self.counts.clock_jumps += 1
        self._cut()
        for door in self._doors.values():
            door.opened_us = door.missed_us = -1
        self._tracks.clear()
        self._held = 0
        self._cleared_us = -_CLEAR_US
        self._now_us = self._due_us = None

    # --- reads --------------------------------------------------------------------------------------

    def _take(self, read: TagRead) -> None:
        """Every read comes by here, and nearly each ends an observation: nothing is done that need not be."""
        spot = self._spots.get(read.device, _NO_PORTS).get(read.antenna)
        epc, at = read.epc, read.last_us
        if spot is None or not 0 < len(epc) <= EPC_BYTES_MAX:
            self._count_strange(spot, epc)
            return
        if self._now_us is None or at > self._now_us:
            self._advance(at)
        track = self._tracks.get(epc)
        if track is None:
            track = self._meet(epc, read, at)
        elif (self._held >= READS_MAX or len(track.reads) >= TAG_READS_MAX) and not self._has_room(track, at):
            self.counts.reads_left_out += 1
            self._miss(track, at, 1)
            return
        track.reads.append(read)
        self._held += 1
        track.last_us = max(track.last_us, at)
        cell = at // CELL_US
        course = track.courses.get(spot)
        if course is None or cell < course.cell - _LATE_CELLS:
            # Its first, or a reader tells what it kept while it was away.
            course = track.courses[spot] = Course(cell)
            if track.resting_since is None:
                self._stir(self._door_of[spot], track, at)
        elif cell > course.cell:
            course.fold(cell)
            self._look(self._door_of[spot], track, at, cell - _FRESH_CELLS)
        elif track.resting_since is None:
            session = self._door_of[spot].session
            if session is not None:
                session.heard(track, at)
        phase, channel = read.phase, read.channel
        if phase is not None and channel is not None and len(course.phases) < CHANNELS_MAX:
            course.phases[channel] = phase
        course.total += read.rssi_cdbm
        course.reads += 1

    def _count_strange(self, spot: int | None, epc: bytes) -> None:
        if spot is None:
            self.counts.unknown_antenna += 1
        elif epc:
            self.counts.epc_too_long += 1
        else:
            self.counts.no_epc += 1

    def _meet(self, epc: bytes, read: TagRead, at: int) -> Track:
        if len(self._tracks) >= TAGS_MAX:
            self._forget(next(iter(self._tracks)))
            self.counts.tags_forgotten += 1
        track = self._tracks[epc] = Track(epc, read.pc, at)
        return track

    def _forget(self, epc: bytes) -> None:
        track = self._tracks.pop(epc)
        self._held -= len(track.reads)
        self._miss(track, track.last_us, len(track.reads))
        for door in self._doors.values():
            if door.session is not None:
                door.session.tracks.pop(epc, None)

    def _has_room(self, track: Track, at: int) -> bool:
        """Whether one more read can be held once what no passage can want is dropped: of this tag, and now
        and then of all.
        """
        self._prune(track)
        if self._held >= READS_MAX and at - self._cleared_us >= _CLEAR_US:
            self._cleared_us = at
            for each in self._tracks.values():
                self._prune(each)
        return self._held < READS_MAX and len(track.reads) < TAG_READS_MAX

    def _miss(self, track: Track, at: int, count: int) -> None:
        """So many reads of a tag are not kept. A passage that may want them is not sure, be it one that opens
        later; reads of what rests decide nothing.
        """
        if track.resting_since is not None:
            return
        for door in {self._door_of[spot] for spot in track.courses}:
            door.missed_us = max(door.missed_us, at)
            if door.session is not None and track.epc in door.session.tracks:
                door.session.left_out += count

    def _prune(self, track: Track) -> None:
        """Drop reads that no passage can want."""
        began = [d.session.opened_us for d in self._doors.values() if d.session is not None]
        horizon = min(began, default=self._now_us or 0) - self._settings.before_ms * 1000
        kept = next((i for i, read in enumerate(track.reads) if read.last_us >= horizon), len(track.reads))
        if kept:
            del track.reads[:kept]
            self._held -= kept

    def _stir(self, door: Door, track: Track, at: int) -> Session:
        """A tag that does not rest is heard at a door."""
        session = door.session
        if session is None:
            session = self._open(door, at)
            self._reckon()
        session.tracks[track.epc] = track
        session.heard(track, at)
        return session

    def _look(self, door: Door, track: Track, at: int, fresh: int) -> None:
        """An observation is complete: does the tag rest, stir, come nearer? What is `fresh` is of that cell
        or of a later one.
        """
        self._tracks.move_to_end(track.epc)  # the least lately heard stand first
        cells, strongest, loudest, trend, stirs = self._course_of(door, track, fresh)
        track.top_cdbm = max(track.top_cdbm, strongest)
        if cells <= _BEGINNING or track.began_cdbm < -1e8:
            track.began_cdbm = strongest
        if track.resting_since is not None:
            if stirs < _STIRS:
                if door.session is not None and self._stands_in_door(door.session, track):
                    door.session.heard(track, at)
                return
            track.resting_since, track.since_us, track.moves = None, at, True
        elif at - track.since_us >= self._rest_us and self._comes_to_rest(track, at):
            self._rest(door, track, strongest)
            return
        if door.session is None and len(track.reads) > 256:
            self._prune(track)
        session = self._stir(door, track, at)
        if loudest is door and (trend >= _LIKELY or door.eyes) and track.epc not in session.sighted:
            self._sight(door, session, track, at, fresh, trend, strongest)

    def _course_of(self, door: Door, track: Track, fresh: int) -> tuple[int, float, Door, float, float]:
        """A tag's observations, its level where it is loudest now, and the door there; how surely it rises at
        `door`; how surely it stirs from rest anywhere: a level changes, or another antenna hears it.
        """
        cells, strongest, loudest, trend, stirs = 0, -1e9, door, 0.0, 0.0
        for spot, course in track.courses.items():
            count = course.cells
            cells += count
            if course.cell < fresh or not count:
                continue
            if course.rest is None and count > 1:
                stirs += _STIRS
            at_door, up = self._door_of[spot], course.trend
            if course.level > strongest:
                strongest, loudest = course.level, at_door
            if up > 0.0:
                stirs += up * course.keen
                if at_door is door:
                    trend += up
            else:
                stirs -= up * course.keen
        return cells, strongest, loudest, trend, stirs

    def _rest(self, door: Door, track: Track, strongest: float) -> None:
        """A tag has come to rest: its levels are those of its rest."""
        track.resting_since, track.moves, track.rested = track.since_us, False, True
        if door.session is None or not self._stands_in_door(door.session, track):
            track.top_cdbm = track.began_cdbm = strongest
        for course in track.courses.values():
            course.come_to_rest()
        self._prune(track)

    def _stands_in_door(self, session: Session, track: Track) -> bool:
        """Whether a tag that came to rest did so in the doorway: on the move before, and as loud as ever."""
        loud = max((c.level for c in track.courses.values() if c.cells), default=-1e9)
        came = track.top_cdbm >= track.began_cdbm + 100.0 * self._settings.rise_db
        return came and track.epc in session.tracks and loud >= track.top_cdbm - _DOORWAY_CDB

    def _comes_to_rest(self, track: Track, at: int) -> bool:
        """Whether it shows no trend after the time in which one would have shown."""
        cells = 0
        for course in track.courses.values():
            if course.cells and not course.flat():
                track.since_us, track.moves = at, True
                return False
            cells += course.cells
        return cells >= 3

    def _sight(
        self,
        door: Door,
        session: Session,
        track: Track,
        at: int,
        fresh: int,
        trend: float,
        strongest: float,
    ) -> None:
        """Tell of a tag that comes nearer: `trend` is how surely it rises here, `strongest` its level."""
        rise_db = 100.0 * self._settings.rise_db
        nearer = strongest - track.began_cdbm
        rise = self._rise(door, track, fresh) if trend >= _LIKELY else 0.0
        # What rested before is to be nearer than it was; of what is new nobody knows where it was.
        comes = trend >= _SURE and rise >= rise_db and nearer >= (rise_db if track.rested else rise_db / 2)
        if trend >= _LIKELY and nearer >= rise_db:
            track.moves = True  # enough to wait for it, not to stop a truck for it
        if not comes and any(eye.blocked for eye in door.eyes.values()):
            began = track.first_us > session.opened_us - 2 * self._rest_us
            loud = strongest >= 100.0 * self._settings.near_dbm
            comes = (trend >= _LIKELY and rise >= rise_db / 2) or (began and loud)
        if comes:
            self._tell(session)
            session.sighted.add(track.epc)
            track.moves = True
            self._events.append(Sighted(session.passage, door.name, track.epc, track.pc, at))

    def _rise(self, door: Door, track: Track, fresh: int) -> float:
        """By how much a tag's level rises at the antenna of a door where it rises most."""
        rises = [
            course.rise_cdbm()
            for spot, course in track.courses.items()
            if course.cell >= fresh and course.trend > 0.0 and self._door_of[spot] is door
        ]
        return max(rises, default=0.0)

    # --- eyes ---------------------------------------------------------------------------------------

    def _eye(self, door: Door, eye: EyeState, change: InputChange) -> None:
        opens = eye.take(change)
        if opens and door.session is None:
            self._open(door, change.at_us)
        session = door.session
        if session is not None:
            if len(session.inputs) < INPUTS_MAX:
                session.inputs.append(change)
            else:
                session.left_out += 1
            if opens:
                self._tell(session)
        self._reckon()

    # --- sessions -----------------------------------------------------------------------------------

    def _open(self, door: Door, at: int) -> Session:
        opened = max(at, door.opened_us + 1)
        door.opened_us = opened
        standing = [eye.standing() for eye in door.eyes.values()]
        session = door.session = Session(
            passage=f"{self._run}{door.name}-{opened}",
            door=door.name,
            opened_us=opened,
            inputs=[change for change in standing if change is not None],
            known=self._known(door, opened),
            active_us=at,
        )
        return session

    def _known(self, door: Door, opened: int) -> dict[bytes, Known]:
        """The tags that were about before the reads that are judged began."""
        before = opened - self._settings.before_ms * 1000
        spots = set(door.spots)
        known = {}
        for track in self._tracks.values():
            if track.first_us >= before:
                continue
            courses = [(s, c) for s, c in track.courses.items() if s in spots and c.cells]
            if courses:
                known[track.epc] = Known(
                    track.epc,
                    tuple(spot for spot, _ in courses),
                    tuple(round(c.level if c.rest is None else c.rest) for _, c in courses),
                    tuple(course.cells for _, course in courses),
                    track.first_us if track.resting_since is None else track.resting_since,
                    track.last_us,
                    tuple(_turns(course) for _, course in courses) if track.resting_since is not None else (),
                )
        return known

    def _tell(self, session: Session) -> None:
        if not session.told:
            session.told = True
            self._events.append(Opened(session.passage, session.door, session.opened_us))

    def _advance(self, now_us: int) -> None:
        """Time goes on to `now_us`, closing what is due before."""
        while self._due_us is not None and self._due_us <= now_us:
            due = self._due_us
            for door in self._doors.values():
                if door.session is not None and door.due_us(self._settings) <= due:
                    self._end(door, due)
            self._reckon()
        if self._now_us is None or now_us > self._now_us:
            self._now_us = now_us
            oldest = next(iter(self._tracks.values()), None)
            if oldest is not None and oldest.last_us < now_us - FORGET_US:
                self._forget(oldest.epc)

    def _reckon(self) -> None:
        due = [door.due_us(self._settings) for door in self._doors.values() if door.session is not None]
        self._due_us = min(due, default=None)

    def _end(self, door: Door, at: int) -> None:
        session = door.session
        assert session is not None
        cut = at >= door.cut_us(self._settings)
        for eye in door.eyes.values():
            if eye.blocked and at - eye.since_us >= self._settings.eye_stuck_s * 1_000_000:
                eye.broken = True
        self._close(door, at, final=not cut)

    def _close(self, door: Door, at: int, *, final: bool) -> None:
        session, door.session = door.session, None
        if session is None:
            return
        evidence = self._evidence(door, session, at, final=final)
        if not session.told and not evidence.reads:
            return
        ended = Ended(evidence, session.told)
        if self._apart:
            self._events.append(ended)
        else:
            findings = find(ended)
            self.learn(findings)
            self._events += findings
        for track in session.tracks.values():
            self._prune(track)

    def _evidence(self, door: Door, session: Session, at: int, *, final: bool) -> Evidence:
        since = session.opened_us - self._settings.before_ms * 1000
        reads = [
            read for track in self._heard(door, since) for read in track.reads if since <= read.last_us <= at
        ]
        told = {read.epc for read in reads}
        return Evidence(
            passage=session.passage,
            door=door.name,
            opened_us=session.opened_us,
            closed_us=at,
            layout=self._layout,
            settings=self._settings,
            reads=tuple(reads),
            inputs=tuple(session.inputs),
            known=tuple(known for epc, known in session.known.items() if epc in told),
            loaded=door.loaded,
            blind=door.blind(),
            lost=tuple(session.lost),
            left_out=session.left_out or int(door.missed_us >= since),
            final=final,
        )

    def _heard(self, door: Door, since: int) -> list[Track]:
        """The tags that this door heard lately."""
        spots = set(door.spots)
        return [
            track
            for track in self._tracks.values()
            if track.last_us >= since and not spots.isdisjoint(track.courses)
        ]

    def _said(self) -> list[Event]:
        said, self._events = self._events, []
        return said
