# SPDX-License-Identifier: Apache-2.0
"""What the gate says of things that go through a door, past it, and stand beside it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from random import Random

import pytest

from customs.documents import Direction
from drivers.read import InputChange, TagRead
from edge import evidence
from edge.gate import Ended, Gate, judge
from edge.passage import Closed, GateSettings, Layout, Opened, Passage, PassageKind, Sighted

from .field import START_US, Field, Mast, Path, Tag, Thing, along, crossing, door, eyes, pallet, parked

Event = Opened | Sighted | Closed | Ended
OUT, IN = 1, -1
WAYS = {OUT: Direction.OUT, IN: Direction.IN}
TRUCK = bytes([0x34]) + bytes(11)


def run(gate: Gate, said: Sequence[TagRead | InputChange]) -> list[Event]:
    events: list[Event] = []
    for each in said:
        events += gate.take_tags([each]) if isinstance(each, TagRead) else gate.take_input(each)
        while gate.deadline_us is not None and gate.deadline_us <= (
            each.last_us if isinstance(each, TagRead) else each.at_us
        ):
            events += gate.tick(gate.deadline_us)
    while gate.deadline_us is not None:
        events += gate.tick(gate.deadline_us)
    return events


def play(field: Field, things: Sequence[Thing], until: float) -> list[Event]:
    return run(Gate(field.layout), field.play(things, until))


def passages(events: Sequence[Event]) -> list[Passage]:
    return [event.passage for event in events if isinstance(event, Closed)]


def crossed(events: Sequence[Event]) -> list[Passage]:
    return [each for each in passages(events) if each.kind is PassageKind.CROSSED]


def moved(passage: Passage) -> set[bytes]:
    return {tag.epc for tag in passage.tags if tag.moved}


def with_eyes(seed: int, *, height: bool = False, masts: list[Mast] | None = None) -> Field:
    inner, outer = eyes("d1")
    placed = [(inner, -0.5, 0.0), (outer, 0.5, 0.0)]
    if height:
        placed.append((type(inner)("gate", 3, "d1", "height"), 0.0, 0.0))
    return Field(door("d1") if masts is None else masts, placed, seed=seed)


def load(path: Path, seed: int, tags: int = 8, half_m: float = 1.8) -> Thing:
    return Thing(path, pallet(Random(seed), tags, 1000), half_m)


@pytest.mark.parametrize("way", [OUT, IN])
@pytest.mark.parametrize("seed", range(6))
def test_a_pallet_is_found_with_its_direction(seed: int, way: int) -> None:
    thing = load(crossing(way, 9.0, 0.8 + 0.3 * seed), seed)
    [passage] = crossed(play(Field(door("d1"), seed=seed), [thing], 18.0))
    assert passage.direction is WAYS[way]
    assert passage.confidence >= GateSettings().confidence_min
    assert len(moved(passage)) >= 5
    assert not passage.eyes


@pytest.mark.parametrize("way", [OUT, IN])
def test_the_same_reads_by_antennas_the_other_way_round_go_the_other_way(way: int) -> None:
    """A gate that does not look at its antennas says the same both times."""
    field = Field(door("d1"), seed=3)
    said = field.play([load(crossing(way, 9.0, 1.4), 3)], 18.0)
    other = {"inner": "outer", "outer": "inner"}
    antennas = tuple(
        type(each)(each.device, each.port, each.door, other[each.side]) for each in field.layout.antennas
    )
    [passage] = crossed(run(Gate(Layout(antennas)), said))
    assert passage.direction is WAYS[-way]


@pytest.mark.parametrize("way", [OUT, IN])
def test_eyes_make_a_direction_surer(way: int) -> None:
    tags = pallet(Random(1), 2, 1000, header=0x31)[:1] + pallet(Random(1), 2, 1000)[1:]
    thing = Thing(crossing(way, 9.0, 1.5), tags, 1.8)
    [with_them] = crossed(play(with_eyes(1), [thing], 18.0))
    [without] = crossed(play(Field(door("d1"), seed=1), [thing], 18.0))
    assert with_them.direction is without.direction is WAYS[way]
    assert with_them.eyes and with_them.confidence >= max(990, without.confidence)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_parked_never_challenges_nor_crosses(seed: int) -> None:
    rng = Random(seed)
    beside = Thing(parked(-2.5, 2.4), pallet(rng, 10, 2000))
    trailer = Thing(parked(3.0, 0.3), pallet(rng, 15, 3000))
    passing = load(crossing(OUT, 14.0, 1.2), seed)
    events = play(Field(door("d1"), seed=seed), [beside, trailer, passing], 24.0)
    own = {tag.epc for tag in passing.tags}
    assert {event.epc for event in events if isinstance(event, Sighted)} <= own
    [passage] = [each for each in crossed(events) if each.confidence >= GateSettings().confidence_min]
    assert moved(passage) <= own
    print("challenged:", sum(isinstance(event, Sighted) for event in events), "of", len(own))


def test_tags_that_only_stand_there_open_no_passage() -> None:
    things = [Thing(parked(2.5, 0.0), pallet(Random(5), 20, 2000))]
    assert play(Field(door("d1"), seed=5), things, 30.0) == []


def test_a_moving_tag_is_challenged_once_and_before_it_is_through() -> None:
    thing = load(crossing(OUT, 9.0, 1.2), 2, tags=20)
    events = play(with_eyes(2), [thing], 18.0)
    sighted = [event for event in events if isinstance(event, Sighted)]
    assert len({event.epc for event in sighted}) == len(sighted) > 5
    early = [event for event in sighted if event.at_us <= START_US + 9_500_000]
    print(f"{len(early)} of {len(sighted)} before half a meter behind the door")
    assert len(early) > len(sighted) / 2


@pytest.mark.parametrize("way", [OUT, IN])
def test_what_comes_and_goes_back_did_not_cross(way: int) -> None:
    points = [
        (8.0, -4.5 * way, 0.0),
        (11.0, -0.9 * way, 0.0),
        (12.0, -0.9 * way, 0.0),
        (15.0, -4.5 * way, 0.0),
    ]
    assert crossed(play(Field(door("d1"), seed=4), [load(along(points), 4)], 20.0)) == []


@pytest.mark.parametrize("seed", range(6))
def test_a_truck_that_turns_round_with_its_load_is_one_passage(seed: int) -> None:
    rng = Random(seed)
    way = along([(2.0, -4.5, 0.0), (6.0, -0.4, 0.0), (7.5, -0.4, 0.0), (11.5, -4.5, 0.0)])
    tags = pallet(rng, 4, 1) + pallet(rng, 1, 90, header=0x34)
    found = passages(play(with_eyes(seed), [Thing(way, tags, 1.8)], 15.0))
    turned = [each for each in found if each.kind is PassageKind.TURNED]
    assert len(turned) <= 1
    assert [each for each in found if each.kind is PassageKind.CROSSED] == []


def test_what_passes_along_the_wall_did_not_cross() -> None:
    path = along([(8.0, -2.8, -5.0), (14.0, -2.8, 5.0)])
    events = play(with_eyes(6), [load(path, 6, half_m=0.0)], 20.0)
    assert crossed(events) == []


def test_in_out_in_is_one_passage_with_its_crossings() -> None:
    points = [(8.0, 4.5, 0.0), (11.0, -2.0, 0.0), (12.0, -2.0, 0.0), (14.0, 2.0, 0.0), (15.0, 2.0, 0.0)]
    path = along([*points, (18.0, -4.5, 0.0)])
    [passage] = crossed(play(Field(door("d1"), seed=7), [load(path, 7)], 24.0))
    assert passage.crossings == (Direction.IN, Direction.OUT, Direction.IN)
    assert passage.direction is Direction.IN


def test_two_pallets_on_one_fork_are_one_passage() -> None:
    path = crossing(OUT, 9.0, 1.3)
    first, second = pallet(Random(1), 3, 1000), pallet(Random(2), 3, 5000)
    shifted = [Tag(t.epc, t.dx - 1.2, t.dy, t.fx, t.fy, t.gain_db, t.shadow_db) for t in second]
    [passage] = crossed(play(with_eyes(8), [Thing(path, first + shifted, 2.4)], 18.0))
    epcs = moved(passage)
    assert epcs & {t.epc for t in first} and epcs & {t.epc for t in second}


def test_trucks_that_meet_in_the_door_are_told_apart() -> None:
    away, back = (
        load(crossing(OUT, 9.0, 1.5), 1),
        Thing(crossing(IN, 14.0, 1.5), pallet(Random(9), 8, 5000), 1.8),
    )
    found = crossed(play(with_eyes(9), [away, back], 22.0))
    by_way = {passage.direction: moved(passage) for passage in found}
    assert by_way[Direction.OUT] <= {t.epc for t in away.tags}
    assert by_way[Direction.IN] <= {t.epc for t in back.tags}
    assert all(by_way.values())


def test_a_tag_belongs_to_the_door_that_hears_it_loudest() -> None:
    masts = [*door("d1"), *door("d2", 4.0, device="other")]
    events = play(Field(masts, seed=3), [load(crossing(OUT, 9.0, 1.3, 4.0), 3)], 18.0)
    bound = GateSettings().confidence_min
    assert {passage.door for passage in crossed(events) if passage.confidence >= bound} == {"d2"}


def test_a_load_without_a_readable_tag_is_kept() -> None:
    [passage] = passages(play(with_eyes(1), [load(crossing(OUT, 9.0, 1.3), 1, tags=0)], 18.0))
    assert (passage.kind, passage.direction) == (PassageKind.UNREAD, Direction.OUT)


def test_an_empty_truck_is_known_by_the_eye_at_load_height() -> None:
    for tall, kind in ((False, PassageKind.EMPTY), (True, PassageKind.UNREAD)):
        thing = load(crossing(OUT, 9.0, 1.3), 1, tags=0)
        thing.tall = tall
        [passage] = passages(play(with_eyes(1, height=True), [thing], 18.0))
        assert passage.kind is kind


def test_an_empty_truck_is_known_by_its_own_tag() -> None:
    truck = Thing(crossing(IN, 9.0, 1.3), [Tag(TRUCK, 0.0, 0.4, 0.0, 1.0)], 1.6)
    [passage] = passages(play(with_eyes(1), [truck], 18.0))
    assert (passage.kind, passage.direction) == (PassageKind.EMPTY, Direction.IN)


def test_a_truck_goes_back_empty_the_other_way_after_its_load() -> None:
    loaded = load(crossing(OUT, 9.0, 1.3), 1)
    empty = load(crossing(IN, 29.0, 1.3), 2, tags=0)
    again = load(crossing(OUT, 49.0, 1.3), 3, tags=0)
    found = passages(play(with_eyes(1), [loaded, empty, again], 58.0))
    assert [each.kind for each in found] == [PassageKind.CROSSED, PassageKind.EMPTY, PassageKind.UNREAD]


def test_a_person_in_the_door_is_no_truck() -> None:
    [passage] = passages(play(with_eyes(1), [load(crossing(OUT, 9.0, 1.4), 1, tags=0, half_m=0.15)], 18.0))
    assert passage.kind is PassageKind.NOTHING


@pytest.mark.parametrize("ill", ["blocked", "chatter"])
def test_an_eye_that_hangs_or_chatters_does_not_silence_the_gate(ill: str) -> None:
    field = with_eyes(2)
    said = field.play([load(crossing(OUT, 60.0, 1.2), 2)], 70.0)
    tags = [each for each in said if isinstance(each, TagRead)]
    times = [1.0] if ill == "blocked" else [1.0 + 0.05 * n for n in range(1_300)]
    changes = [InputChange("gate", 1, n % 2 == 0, START_US + round(t * 1e6)) for n, t in enumerate(times)]
    mixed: list[TagRead | InputChange] = sorted(
        [*tags, *changes], key=lambda e: e.last_us if isinstance(e, TagRead) else e.at_us
    )
    found = crossed(run(Gate(field.layout), mixed))
    assert [each.direction for each in found] == [Direction.OUT]


def test_a_reader_lost_in_mid_passage_leaves_the_finding_unsure() -> None:
    field = Field(door("d1"), seed=1)
    said = field.play([load(crossing(OUT, 9.0, 1.0), 1)], 18.0)
    gate = Gate(field.layout)
    half = START_US + 9_800_000
    events: list[Event] = []
    for read in said:
        assert isinstance(read, TagRead)
        if read.last_us < half:
            events += gate.take_tags([read])
    events += gate.reader_lost("gate", half)
    events += gate.tick(half + 60_000_000)
    assert all(each.confidence < GateSettings().confidence_min for each in crossed(events))
    assert gate.deadline_us is None


def test_a_passage_that_a_stop_of_the_node_cuts_is_not_sure() -> None:
    """Cut two seconds after the middle; the control has two minutes more."""
    said = Field(door("d1"), seed=2).play([load(crossing(OUT, 9.0, 1.2), 2)], 18.0)
    stopped_us = START_US + 11_000_000
    gates = Gate(Field(door("d1"), seed=2).layout), Gate(Field(door("d1"), seed=2).layout)
    for gate in gates:
        for each in said:
            if isinstance(each, TagRead) and each.last_us <= stopped_us:
                assert passages(gate.take_tags([each])) == []
    cut, control = gates
    [event] = [event for event in cut.finish(stopped_us) if isinstance(event, Closed)]
    assert event.passage.confidence < GateSettings().confidence_min
    assert (event.passage.closed_us, evidence.decode(event.evidence).final) == (stopped_us, False)
    assert cut.deadline_us is None
    [whole] = crossed(control.tick(stopped_us + 120_000_000))
    assert whole.confidence >= GateSettings().confidence_min


@pytest.mark.parametrize("seed", range(3))
def test_reports_may_come_late_and_out_of_order(seed: int) -> None:
    field = Field(door("d1"), seed=seed)
    said = field.play([load(crossing(IN, 9.0, 1.3), seed)], 18.0)
    rng = Random(seed)
    late = sorted(said, key=lambda e: e.last_us + rng.randrange(400_000) if isinstance(e, TagRead) else 0)
    [passage] = crossed(run(Gate(field.layout), late))
    assert passage.direction is Direction.IN


def test_what_a_reader_kept_while_it_was_away_is_judged() -> None:
    field = Field(door("d1"), seed=2)
    said = [
        each for each in field.play([load(crossing(OUT, 9.0, 1.3), 2)], 18.0) if isinstance(each, TagRead)
    ]
    gate = Gate(field.layout)
    now = START_US + 60_000_000
    gate.tick(now)
    events = gate.take_tags(said, now)
    events += gate.tick(now + 1)
    [passage] = crossed(events)
    assert passage.direction is Direction.OUT


def test_a_read_of_a_time_to_come_does_not_stop_the_gate() -> None:
    field = Field(door("d1"), seed=2)
    said = field.play([load(crossing(OUT, 9.0, 1.3), 2)], 18.0)
    gate = Gate(field.layout)
    wild = TagRead("gate", b"\x30" * 12, 1, -5000, 1, START_US * 9, START_US * 9)
    assert gate.take_tags([wild], START_US) == []
    assert gate.counts.clock_jumps == 1
    gate.take_tags([wild])
    gate.tick(START_US + 1)
    assert [each.direction for each in crossed(run(gate, said))] == [Direction.OUT]


def test_no_epc_and_one_too_long_are_counted_and_left() -> None:
    gate = Gate(Field(door("d1")).layout)
    odd = [b"", bytes(65), b"\x30" * 12]
    reads = [TagRead("gate", epc, 1, -5000, 1, START_US, START_US) for epc in odd]
    gate.take_tags([*reads, TagRead("gate", odd[2], 9, -5000, 1, START_US, START_US)])
    counts = gate.counts
    assert (counts.no_epc, counts.epc_too_long, counts.unknown_antenna) == (1, 1, 1)


def test_a_flood_of_strange_tags_fills_no_memory(pytestconfig: pytest.Config) -> None:
    count = 1_000_000 if pytestconfig.getoption("--long") else 60_000
    gate = Gate(Field(door("d1")).layout)
    for start in range(0, count, 1_000):
        at = START_US + start * 1_000
        gate.take_tags(
            [
                TagRead("gate", (start + n).to_bytes(12, "big"), 1 + n % 2, -6000, 1, at, at)
                for n in range(1_000)
            ]
        )
    print(f"{count} tags, {gate.counts}")
    assert len(gate._tracks) <= 20_000
    assert gate._held == sum(len(track.reads) for track in gate._tracks.values()) <= 200_000
    assert gate.counts.tags_forgotten > 0


@pytest.mark.parametrize(("name", "most"), [("READS_MAX", 200), ("TAG_READS_MAX", 60)])
def test_what_was_judged_from_a_part_of_its_reads_is_not_sure(
    monkeypatch: pytest.MonkeyPatch, name: str, most: int
) -> None:
    """A flood of reads: whatever had to be left out, the rest of a course is not the course."""
    field = Field(door("d1"), seed=2)
    said = field.play([load(crossing(OUT, 9.0, 1.2), 2)], 18.0)
    [whole] = crossed(run(Gate(field.layout), said))
    assert whole.confidence >= GateSettings().confidence_min, "the control: all of its reads"
    monkeypatch.setattr(f"edge.gate.live.{name}", most)
    closed = [event for event in run(Gate(field.layout), said) if isinstance(event, Closed)]
    assert any(evidence.decode(event.evidence).left_out for event in closed)
    sure = [each for each in crossed(closed) if each.confidence >= GateSettings().confidence_min]
    assert sure == []


def test_all_doors_and_settings_are_judged_alike_whatever_comes_together() -> None:
    """The same feed in other pieces gives the same passages."""
    field = Field(door("d1"), seed=5)
    said = [
        each for each in field.play([load(crossing(OUT, 9.0, 1.3), 5)], 18.0) if isinstance(each, TagRead)
    ]
    whole = Gate(field.layout)
    together = [*whole.take_tags(said), *whole.tick(START_US + 90_000_000)]
    assert passages(together) == passages(run(Gate(field.layout), said))


def test_a_passage_is_judged_again_from_its_evidence() -> None:
    for seed, way in permutations((OUT, IN)):
        thing = load(crossing(way, 9.0, 1.3), seed + 3)
        beside = Thing(parked(2.8, 0.2), pallet(Random(7), 5, 3000))
        events = play(with_eyes(seed + 3), [thing, beside], 18.0)
        closed = [event for event in events if isinstance(event, Closed)]
        assert closed
        for event in closed:
            assert event.passage in judge(evidence.decode(event.evidence))
