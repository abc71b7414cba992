# SPDX-License-Identifier: Apache-2.0
"""What a gate is made of and what it says: plain values, shared by the gate, the dock and the replay.

A *passage* is one event at one door, from its opening (an eye, or tags that begin to move) to its closing.
Times are microseconds of the machine's monotonic clock, confidence is in thousandths. Decides nothing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from customs.documents import Direction

__all__ = [
    "Antenna",
    "Closed",
    "Eye",
    "GateSettings",
    "Layout",
    "Opened",
    "Passage",
    "PassageKind",
    "Sighted",
    "TagCourse",
]


_Dbm = Annotated[int, msgspec.Meta(ge=-120, le=20)]
_Db = Annotated[int, msgspec.Meta(ge=0, le=60)]
_Thousandths = Annotated[int, msgspec.Meta(ge=0, le=1000)]


def _milliseconds(low: int, high: int) -> msgspec.Meta:
    return msgspec.Meta(ge=low, le=high)


class PassageKind(StrEnum):
    """What happened in the door.

    CROSSED: something with tags went through, `Passage.direction` says which way in the end. TURNED: it came
    and went back. UNREAD: something crossed and no tag of it was read. EMPTY: a truck without a load.
    NOTHING: an eye was touched, or tags came near and nothing went through. No gate says the last two.
    INTERRUPTED: the program ended in its midst. UNJUDGED: a fault of the program kept it from being judged.
    """

    CROSSED = "crossed"
    TURNED = "turned"
    UNREAD = "unread"
    EMPTY = "empty"
    NOTHING = "nothing"
    INTERRUPTED = "interrupted"
    UNJUDGED = "unjudged"


class Antenna(msgspec.Struct, frozen=True):
    """One antenna: `side` is "outer" (towards the truck), "inner" (towards the zone) or "middle"."""

    device: str
    port: int
    door: str
    side: str


class Eye(msgspec.Struct, frozen=True):
    """One photo eye on a reader's input: `place` is "outer", "inner" or "height" (load height: it sees a load
    on the fork but not the fork alone); `blocked_when` is the input's level when something is before it.
    """

    device: str
    port: int
    door: str
    place: str
    blocked_when: bool = True


class Layout(msgspec.Struct, frozen=True):
    """All antennas and eyes of a node. One gate judges them all: neighboring doors hear each other's tags."""

    antennas: tuple[Antenna, ...]
    eyes: tuple[Eye, ...] = ()


class GateSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a gate follows and judges. The defaults fit a dock door with a forklift at walking pace or faster.

    `settle_ms`: eyes free for so long end a crossing's wait for late reports. `silence_ms`: a moving tag not
    read for so long has gone. `linger_ms`: a passage waits at most so long after its eyes are free for tags
    still about. `passage_s_max`: a passage is cut after so long. `before_ms`: reads of so long before the
    opening are judged too. `eye_gap_ms`: an eye free for less is still blocked by the same thing.
    `eye_stuck_s`: an eye blocked for longer while no tag moves is taken for broken until it changes again.
    `rest_ms`: a tag flat for so long is at rest. `rise_db`: a tag that came nearer by so much is on the move.
    `near_dbm`: a tag is in the doorway where it is read so loud and an eye is blocked.
    `pattern_min`: for so many minutes after a load crossed, a crossing the other way without tags is its
    forklift going back. `confidence_min`: a finding below it is not sure, in thousandths.
    """

    settle_ms: Annotated[int, _milliseconds(50, 10_000)] = 500
    silence_ms: Annotated[int, _milliseconds(200, 20_000)] = 1_000
    linger_ms: Annotated[int, _milliseconds(500, 60_000)] = 6_000
    passage_s_max: Annotated[int, msgspec.Meta(ge=5, le=600)] = 60
    before_ms: Annotated[int, _milliseconds(0, 20_000)] = 3_000
    eye_gap_ms: Annotated[int, _milliseconds(0, 5_000)] = 300
    eye_stuck_s: Annotated[int, msgspec.Meta(ge=5, le=3_600)] = 30
    rest_ms: Annotated[int, _milliseconds(500, 60_000)] = 4_000
    rise_db: _Db = 7
    near_dbm: _Dbm = -55
    pattern_min: Annotated[int, msgspec.Meta(ge=0, le=1_440)] = 30
    confidence_min: _Thousandths = 900


class TagCourse(msgspec.Struct, frozen=True, gc=False):
    """What one tag did during a passage. `moved` False: it was at rest. `share` is this door's part of its
    energy over all doors, in thousandths. `direction` is its own, None while undecided.
    """

    epc: bytes
    pc: int | None
    moved: bool
    direction: Direction | None
    confidence: int
    reads: int
    peak_cdbm: int
    first_us: int
    last_us: int
    share: int


class Passage(msgspec.Struct, frozen=True):
    """The finding on one passage. `crossings` lists each time that the door was crossed, so in-out-in of one
    pallet is ("in", "out", "in") and its direction is in. `direction` is None where it could not be decided.
    `eyes` says whether photo eyes took part; `why` is one sentence for a supervisor.
    """

    passage: str
    door: str
    kind: PassageKind
    opened_us: int
    closed_us: int
    direction: Direction | None
    confidence: int
    crossings: tuple[Direction, ...]
    tags: tuple[TagCourse, ...]
    eyes: bool
    why: str


class Opened(msgspec.Struct, frozen=True):
    """A passage began at a door."""

    passage: str
    door: str
    at_us: int


class Sighted(msgspec.Struct, frozen=True, gc=False):
    """A tag is on the move in this passage, said once for each tag and passage: it is challenged now."""

    passage: str
    door: str
    epc: bytes
    pc: int | None
    at_us: int


class Closed(msgspec.Struct, frozen=True):
    """A passage ended; `evidence` is what it was judged from, see `edge.evidence`."""

    passage: Passage
    evidence: bytes
