# SPDX-License-Identifier: Apache-2.0
"""An eye that saw nothing of the last loads is left out of account until it sees something."""

from __future__ import annotations

from msgspec.structs import replace

from customs.documents import Direction
from drivers.read import InputChange
from edge.evidence import Evidence, decode, encode
from edge.gate import Gate
from edge.gate.eyes import BLIND_AFTER, Sight, see
from edge.gate.judging import judge
from edge.gate.live import Ended, Event
from edge.passage import Antenna, Closed, Eye, Layout, Passage, PassageKind

OPENED_US = 10_000_000
OUTER, INNER, HEIGHT = 1, 2, 3
LAYOUT = Layout(
    (Antenna("gate", 1, "d1", "inner"), Antenna("gate", 2, "d1", "outer")),
    tuple(Eye("gate", n, "d1", place) for n, place in enumerate(("outer", "inner", "height"), start=1)),
)


class Doorway:
    """A gate at whose door trucks go out, before those of its eyes that are not dead."""

    def __init__(self) -> None:
        self.gate = Gate(LAYOUT, apart=True)
        self.ended: list[Evidence] = []
        self.now_us = OPENED_US
        for port in (OUTER, INNER, HEIGHT):
            self.gate.take_input(InputChange("gate", port, False, OPENED_US - 1_000_000))

    def drive(self, *ports: int) -> Passage:
        """One truck before these eyes; what is judged of it."""
        self.now_us += 20_000_000
        for port, high, off_s in (
            (INNER, True, 0.0),
            (OUTER, True, 0.5),
            (HEIGHT, True, 0.6),
            (HEIGHT, False, 1.2),
            (INNER, False, 1.5),
            (OUTER, False, 2.0),
        ):
            if port in ports:
                change = InputChange("gate", port, high, self.now_us + int(off_s * 1e6))
                self._took(self.gate.take_input(change))
        while self.gate.deadline_us is not None:
            self._took(self.gate.tick(self.gate.deadline_us))
        return judge(self.ended[-1])[0]

    def found(self, *, sure: bool = True, eyes: bool = True) -> None:
        """Its tags tell of a load that crossed just now."""
        passage = replace(
            judge(self.ended[-1])[0],
            kind=PassageKind.CROSSED,
            direction=Direction.OUT,
            confidence=990 if sure else 600,
            eyes=eyes,
            opened_us=self.now_us - 1_000_000,
        )
        self.gate.learn([Closed(passage, b"")])

    def sight(self, *ports: int) -> Sight:
        """What the eyes are believed to have seen of another truck."""
        self.drive(*ports)
        assert decode(encode(self.ended[-1])) == self.ended[-1]
        return see(self.ended[-1])

    def _took(self, events: list[Event]) -> None:
        self.ended.extend(event.evidence for event in events if isinstance(event, Ended))


def test_a_height_eye_that_saw_none_of_the_last_loads_is_not_believed() -> None:
    """A blind eye would call each load an empty truck."""
    door = Doorway()
    for _ in range(BLIND_AFTER):
        kind = door.drive(OUTER, INNER).kind
        assert kind is PassageKind.EMPTY, "the control: it is believed so far"
        door.found()
    assert door.drive(OUTER, INNER).kind is PassageKind.UNREAD
    assert not see(door.ended[-1]).height
    assert door.sight(OUTER, INNER, HEIGHT).height, "it saw one"
    assert door.drive(OUTER, INNER).kind is PassageKind.EMPTY


def test_what_may_not_have_crossed_blinds_no_height_eye() -> None:
    door = Doorway()
    for _ in range(2 * BLIND_AFTER):
        door.drive(OUTER, INNER)
        door.found(sure=False)
    assert door.sight(OUTER, INNER).height


def test_an_eye_that_saw_nothing_of_the_last_loads_makes_no_pair() -> None:
    """Each body would seem to turn before the one that still sees, and nothing would cross."""
    door = Doorway()
    for number in range(BLIND_AFTER):
        assert door.sight(INNER).pair, f"believed after {number}"
        door.found(sure=False, eyes=False)
    blind = door.sight(INNER)
    assert (blind.any, blind.pair) == (True, False)
    said = "The outer eye of d1 (input 1) saw nothing of the last 2 loads: clean it or align it."
    assert door.gate.ill_eyes() == {"gate": (said,)}
    assert door.sight(INNER, OUTER).pair, "it saw one"
    assert door.gate.ill_eyes() == {}
    assert door.sight(INNER).pair


def test_a_pair_that_is_dead_says_nothing_of_what_its_tags_tell() -> None:
    door = Doorway()
    door.drive(OUTER, INNER, HEIGHT)
    for number in range(BLIND_AFTER):
        assert door.sight(HEIGHT).any, f"believed after {number}"
        door.found(sure=False, eyes=False)
    assert not door.sight(HEIGHT).any
    door.drive(OUTER, INNER, HEIGHT)
    assert door.sight(HEIGHT).any


def test_what_still_stands_before_an_eye_is_seen() -> None:
    """The truck came before the passage that tells of its load, and has not left."""
    door = Doorway()
    for _ in range(2 * BLIND_AFTER):
        door.drive(OUTER, INNER)
        for eye in door.gate._doors["d1"].eyes.values():
            eye.blocked = True
        door.found(sure=False, eyes=False)
        for eye in door.gate._doors["d1"].eyes.values():
            eye.blocked = False
    assert door.sight(OUTER, INNER).pair


def test_an_eye_that_hangs_is_told_until_it_changes() -> None:
    door = Doorway()
    door.gate.take_input(InputChange("gate", HEIGHT, True, OPENED_US))
    assert door.gate.ill_eyes() == {}
    door.gate.tick(OPENED_US + 60_000_000)
    said = "The eye at load height of d1 (input 3) hangs: clean it or align it."
    assert door.gate.ill_eyes() == {"gate": (said,)}
    door.gate.take_input(InputChange("gate", HEIGHT, False, OPENED_US + 61_000_000))
    assert door.gate.ill_eyes() == {}
