# SPDX-License-Identifier: Apache-2.0
"""What the height eye says of a body: that a load went with it, when, which way, and how often."""

from __future__ import annotations

import pytest

from drivers.read import InputChange, TagRead
from edge.evidence import Evidence
from edge.gate import Gate
from edge.gate.claims import Claim, both_ways, carried, claims_of
from edge.gate.eyes import Body, Sight, see
from edge.gate.group import Group
from edge.gate.hearing import Hearing, hear
from edge.gate.judging import _Telling, judge
from edge.gate.live import Ended, Event
from edge.gate.own import Own
from edge.gate.way import BIN_US, Way
from edge.gate.weights import ITEM, UNIT
from edge.gate.witness import weighed
from edge.passage import Antenna, Eye, GateSettings, Layout, Passage, PassageKind

LABEL, TRUCK = b"\x31" * 12, b"\x33" * 12
OPENED_US = 10_000_000
PLACES = ("outer", "inner", "height")
LAYOUT = Layout(
    (Antenna("gate", 1, "d1", "inner"), Antenna("gate", 2, "d1", "outer")),
    tuple(Eye("gate", port, "d1", place) for port, place in enumerate(PLACES, start=1)),
)
STAYED = Way(0.01, 0.01, 0.98, [], [])

Spans = tuple[tuple[float, float], ...]


def evidence(inner: Spans, outer: Spans, height: Spans, *epcs: bytes) -> Evidence:
    """Twelve seconds of a door: when each eye was blocked, s; tags that both sides hear all along."""
    changes = [
        InputChange("gate", port, high, OPENED_US + int(at * 1e6))
        for port, spans in enumerate((outer, inner, height), start=1)
        for span in ((-1.0, -0.5), *spans)
        for high, at in zip((True, False), span, strict=True)
    ]
    reads = tuple(
        TagRead("gate", epc, 1 + n % 2, -5_000, 1, OPENED_US + 50_000 * n, OPENED_US + 50_000 * n)
        for n in range(240)
        for epc in epcs
    )
    inputs = tuple(sorted(changes, key=lambda change: change.at_us))
    return Evidence("d1-1", "d1", OPENED_US, OPENED_US + 12_000_000, LAYOUT, GateSettings(), reads, inputs)


def bodies(inner: Spans, outer: Spans, height: Spans) -> tuple[Body, ...]:
    return tuple(body for body in see(evidence(inner, outer, height)).bodies if body.begun_us >= OPENED_US)


def turned(*loads: tuple[float, float]) -> Body:
    """A truck from inside that never freed the inner eye, and left by it."""
    [body] = bodies(((1.0, 9.0),), ((1.5, 8.5),), loads)
    assert (body.first, body.last) == ("inner", "inner")
    return body


def straight(*loads: tuple[float, float]) -> Body:
    [body] = bodies(((1.0, 3.0),), ((1.5, 3.5),), loads)
    assert (body.first, body.last) == ("inner", "outer")
    return body


def claims(body: Body, epc: bytes = LABEL, *, height: bool = True) -> tuple[Hearing, list[Claim], Sight]:
    hearing = hear(evidence((), (), (), epc))
    sight = Sight(any=True, pair=True, height=height, bodies=(body,))
    return hearing, claims_of(hearing.tags[epc], STAYED, hearing, sight), sight


def test_the_height_eye_tells_when_a_load_was_above_a_body() -> None:
    assert straight((1.8, 2.4)).loads == ((OPENED_US + 1_800_000, OPENED_US + 2_400_000),)
    assert straight((1.8, 2.4)).load is True
    assert straight().load is False
    flicker = ((1.8, 2.1), (2.15, 2.4))
    assert straight(*flicker).loads == straight((1.8, 2.4)).loads
    assert len(straight((1.2, 1.6), (2.2, 2.6)).loads or ()) == 2


def test_a_persons_head_is_no_load() -> None:
    assert straight((1.8, 2.05)).loads == ()
    assert straight((1.8, 2.15)).load is True, "the control: a short pallet at 3.5 m/s"


def test_without_a_height_eye_that_can_be_believed_nobody_knows() -> None:
    many = tuple((1.0 + 0.8 * n, 1.4 + 0.8 * n) for n in range(9))
    assert turned(*many).loads is None and turned(*many).load is None
    assert carried(turned(*many)) == 0
    assert len(turned(*many[:8]).loads or ()) == 8, "the control: eight may be"


@pytest.mark.parametrize(
    ("loads", "sense"),
    [
        (((1.3, 1.9),), 1),  # a truck takes its load out, sets it down next to the door and comes back
        (((8.0, 8.6),), -1),  # it fetches one that stands next to the door
        (((1.3, 1.9), (8.0, 8.6)), 0),  # it goes out with one and comes back with one
        (((1.2, 8.8),), 0),  # it stood in the doorway
        (((4.5, 5.5),), 0),  # it waited before the door, and after it
        ((), 0),
    ],
)
def test_a_body_that_turned_carried_its_load_when_the_load_was_seen(
    loads: tuple[tuple[float, float], ...], sense: int
) -> None:
    assert carried(turned(*loads)) == sense


def test_what_goes_straight_carries_its_loads_the_same_way() -> None:
    assert carried(straight((1.8, 2.4))) == 1
    assert carried(straight((1.2, 1.6), (2.4, 2.8))) == 1
    assert carried(straight()) == 0


def test_a_claim_is_made_for_the_moment_in_which_the_load_was_seen() -> None:
    hearing, [claim], _ = claims(turned((8.0, 8.6)))
    assert (claim.sense, claim.load_us) == (-1, 600_000)
    assert abs(hearing.base_us + claim.at * BIN_US - (OPENED_US + 8_300_000)) <= 2 * BIN_US
    _, [unseen], _ = claims(straight())
    assert unseen.load_us == 0
    _, [blind], _ = claims(straight()._replace(loads=None), height=False)
    assert blind.load_us is None


def test_a_truck_goes_with_its_body_whatever_is_above_it() -> None:
    """A truck goes out empty and comes back with the pallet: its own tag did not go when the load did."""
    body = straight((1.8, 2.4))
    tag = claims(body, TRUCK)[0].tags[TRUCK]
    hearing, _, sight = claims(body, TRUCK)
    crossed = Way(0.9, 0.0, 0.1, [10, 20, 30], [-0.9, 0.0, 0.9])
    assert [claim.load_us for claim in claims_of(tag, crossed, hearing, sight)] == [None]


def test_of_three_loads_the_one_between_may_have_gone_either_way() -> None:
    _, found, _ = claims(straight((1.1, 1.4), (1.9, 2.2), (2.9, 3.3)))
    assert [claim.sense for claim in found] == [1, 1, -1, 1]


@pytest.mark.parametrize(
    ("loads", "same"),
    [
        (((1.3, 1.9), (8.0, 8.6)), True),
        (((1.3, 1.9), (7.0, 8.6)), False),
        (((8.0, 8.6),), False),
        (((1.3, 8.6),), True),  # it was there all the time
        (((4.0, 8.6),), False),
    ],
)
def test_one_load_seen_to_go_and_to_come_back_is_told_by_its_length(
    loads: tuple[tuple[float, float], ...], same: bool
) -> None:
    assert both_ways(turned(*loads)) is same


def test_a_load_that_stands_in_the_doorway_is_looked_at_before_and_after_it_stood() -> None:
    hearing, found, sight = claims(turned((1.2, 8.8)))
    assert {claim.stood_us for claim in found} == {3_100_000}
    tag = hearing.tags[LABEL]
    stood, passed = (
        weighed(tag, claim, 0.0, [], hearing, sight) for claim in (found[0], found[0]._replace(stood_us=0))
    )
    assert stood != passed
    assert len(stood) == len(UNIT[2]) == len(ITEM[2]) == len(UNIT[0]) == len(ITEM[1])


def test_a_load_that_came_with_a_body_that_turned_and_told_no_tag_is_not_nothing() -> None:
    came = ((1.0, 9.0),), ((1.5, 8.5),)
    [passage] = judge(evidence(*came, ((8.0, 8.6),)))
    assert passage.kind is PassageKind.UNREAD
    assert [way.value for way in passage.crossings] == ["in"]
    [nothing] = judge(evidence(*came, ()))
    assert nothing.kind is PassageKind.NOTHING, "the control: an empty truck came and went back"


def told(given: Evidence, own: dict[bytes, Own], *groups: Group) -> list[Passage]:
    hearing = hear(given)
    return _Telling(given, hearing, see(given), groups, own, list(hearing.tags.values())).passages()


@pytest.mark.parametrize(
    ("belief", "sense", "kind"),
    [
        (0.4, -1, PassageKind.CROSSED),
        (0.2, -1, PassageKind.UNREAD),  # too little to name it
        (0.9, 1, PassageKind.UNREAD),  # it went the other way
    ],
)
def test_a_load_that_was_seen_and_not_told_is_named_by_the_likeliest(
    belief: float, sense: int, kind: PassageKind
) -> None:
    given = evidence(((1.0, 9.0),), ((1.5, 8.5),), ((8.0, 8.6),), LABEL)
    number = len(see(given).bodies) - 1
    [passage] = told(given, {LABEL: Own(sense, 60.0, belief, number, (sense,), (number,))})
    assert passage.kind is kind
    if kind is PassageKind.CROSSED:
        assert ([tag.epc for tag in passage.tags if tag.moved], passage.confidence) == ([LABEL], 500)


def test_a_load_of_which_nobody_knows_the_way_goes_as_the_likeliest_says() -> None:
    """Seen in the midst of a long time; the control says too little to be named."""
    given = evidence(((1.0, 11.0),), ((1.5, 10.5),), ((5.6, 6.4),), LABEL)
    number = len(see(given).bodies) - 1
    assert carried(see(given).bodies[number]) == 0
    for belief, way in ((0.6, "out"), (0.2, None)):
        [passage] = told(given, {LABEL: Own(1, 60.0, belief, number, (1,), (number,))})
        assert (passage.direction and passage.direction.value) == way


def group(given: Evidence, own: Own, *bodies: int, belief: float) -> Group:
    tag = hear(given).tags[LABEL]
    return Group([tag], bodies, STAYED, {LABEL: 0.999}, belief, surest=own)


def test_what_touched_one_eye_and_says_that_it_crossed_is_a_hold_though_no_load_was_seen() -> None:
    """A pallet on a jack is lower than the height eye looks; the control went with that body."""
    given = evidence(((4.0, 4.4),), (), (), LABEL)
    number = len(see(given).bodies) - 1
    for body, kind in ((None, PassageKind.CROSSED), (number, PassageKind.NOTHING)):
        own = Own(-1, 40.0, 0.999, body, (-1,), ())
        [passage] = told(given, {LABEL: own}, group(given, own, number, belief=0.5))
        assert passage.kind is kind


def test_what_surely_went_through_and_came_back_accounts_for_its_bodies() -> None:
    """The control is not sure of it: two loads went by, and somebody is to look."""
    given = evidence(((1.0, 3.0), (7.0, 9.0)), ((1.5, 3.5), (6.5, 8.5)), ((1.6, 2.4), (7.6, 8.4)), LABEL)
    there, back = len(see(given).bodies) - 2, len(see(given).bodies) - 1
    own = Own(-1, 60.0, 0.99, back, (1, -1), (there, back))
    for belief, passages in ((0.99, 1), (0.6, 3)):
        turned_ = group(given, own, there, back, belief=belief)
        turned_.way = Way(0.01, 0.5, 0.49, [], [])
        kinds = [passage.kind for passage in told(given, {LABEL: own}, turned_)]
        assert (kinds.count(PassageKind.TURNED), len(kinds)) == (1, passages)


def until_closed(changes: list[tuple[float, bool]]) -> list[Evidence]:
    """What a gate with one truck about its outer eye closes, within three minutes."""
    gate = Gate(LAYOUT, apart=True)
    ended: list[Evidence] = []

    def took(events: list[Event]) -> None:
        ended.extend(event.evidence for event in events if isinstance(event, Ended))

    for at_s, high in changes:
        took(gate.take_input(InputChange("gate", 1, high, OPENED_US + int(at_s * 1e6))))
    while gate.deadline_us is not None:
        took(gate.tick(gate.deadline_us))
    return ended


def test_a_passage_is_not_cut_while_something_stands_before_an_eye() -> None:
    """A truck goes to and fro for a minute, and is in the door when the minute is over."""
    before = [(4.0 * n + part, high) for n in range(14) for part, high in ((0.0, True), (3.6, False))]
    [stood] = until_closed([(-9.0, False), *before, (56.0, True), (64.0, False)])
    assert stood.final
    assert stood.closed_us - OPENED_US > 64_000_000
    first, *_ = until_closed([(-9.0, False), *before, (56.0, True), (200.0, False)])
    assert 60_000_000 < first.closed_us - OPENED_US <= 91_000_000, "what stands for ever is not waited for"


def test_an_eye_that_something_came_to_just_before_a_cut_does_not_hang() -> None:
    """What stands there then belongs to the next passage, too: the control stands as long as one may."""
    for since_s, hangs in ((88.0, False), (56.0, True)):
        gate = Gate(LAYOUT, apart=True)
        before = [(4.0 * n + part, high) for n in range(22) for part, high in ((0.0, True), (3.6, False))]
        changes = [(at_s, high) for at_s, high in before if at_s < since_s]
        for at_s, high in [*changes, (since_s, True)]:
            gate.take_input(InputChange("gate", 1, high, OPENED_US + int(at_s * 1e6)))
        [cut] = [event for event in gate.tick(OPENED_US + 91_000_000) if isinstance(event, Ended)]
        assert not cut.evidence.final or hangs
        standing = gate._doors["d1"].eyes["gate", 1].standing()
        assert (standing is None) is hangs
