# SPDX-License-Identifier: Apache-2.0
"""Passages of a gate at a dock: challenged while they move, judged once they crossed, kept as evidence."""

from __future__ import annotations

import random
from collections import Counter

import msgspec
import pytest

from customs.documents import LineRef
from edge import evidence
from edge.books import Fact, NodeBooks
from edge.errors import Backlogged
from edge.passage import Passage, PassageKind
from edge.view import DoorView
from sync.bodies import Movement, Refusal, read_body
from tests.edge.gates import (
    STRANGE,
    SURE,
    UNSURE,
    asset,
    cross,
    crossed,
    item,
    number_of,
    passage,
    sight,
    unit,
)
from tests.edge.yard import (
    BRACKET,
    GONE,
    HOUSING,
    TOOL,
    UNKNOWN,
    FakeRecorder,
    Papers,
    Yard,
    load_number,
    pallet,
    settled,
)
from zonegate.explain import _line_of, _told, _verdict

OUT = LineRef("P-OUT", "1")


@pytest.fixture
def recorder() -> FakeRecorder:
    return FakeRecorder()


@pytest.fixture
async def yard(recorder: FakeRecorder) -> Yard:
    """An outbound truck is open; entries are told when the test says so."""
    made = Yard(Papers(), recorder=recorder)
    made.open("out")
    made.open("in")
    await recorder.tell()
    return made


def written(yard: Yard, since: int = 0) -> list[tuple[str, str]]:
    """Type and reason of each entry at a door, after the first `since` entries."""
    found = []
    for entry in yard.recorder.entries[since:]:
        body = read_body(entry)
        if isinstance(body, Movement | Refusal):
            found.append((entry.type, body.reason))
    return found


# -- while it moves ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "state", "reason"),
    [(UNKNOWN, "HOLD", "unknown-load"), (GONE, "STOP", "already-withdrawn"), (4, "STOP", "not-on-permit")],
)
async def test_what_must_not_pass_is_said_while_it_moves(
    yard: Yard, number: int, state: str, reason: str
) -> None:
    before = len(yard.recorder.records)
    view = sight(yard, "out", unit(number))
    assert (view.state, view.reason) == (state, reason)
    assert len(yard.recorder.records) == before, "nothing is an entry before it has crossed"
    [read] = yard.recorder.reads[-1:]
    assert (read["raw"], read["verdict"], read["entry_id"]) == (unit(number), reason, None)


async def test_nothing_is_accepted_while_it_moves(yard: Yard) -> None:
    view = sight(yard, "out", unit(1))
    assert view.state == "READY"
    assert written(yard) == []


async def test_the_first_load_that_must_not_pass_is_said_whatever_comes_with_it(yard: Yard) -> None:
    view = sight(yard, "out", asset(), item(TOOL, 9), unit(1), unit(4))
    assert view.reason == "not-on-permit"
    view = sight(yard, "out", unit(UNKNOWN), unit(2))
    assert view.reason == "not-on-permit", "a HOLD or a good load takes no STOP away"


async def test_single_goods_on_a_pallet_raise_no_alarm_before_its_own_tag(yard: Yard) -> None:
    assert sight(yard, "out", *(item(HOUSING, n) for n in range(40))).state == "READY"
    assert sight(yard, "out", unit(1)).state == "READY"


async def test_a_tag_that_is_no_load_is_not_challenged(yard: Yard) -> None:
    assert sight(yard, "out", asset(), STRANGE).state == "READY"


async def test_loads_that_move_together_are_challenged_together() -> None:
    yard = Yard(Papers(line=140))
    yard.open("out")
    await settled()
    assert sight(yard, "out", unit(1)).state == "READY"
    view = sight(yard, "out", unit(2))
    assert (view.reason, view.sentence) == ("straddles-limit", "Only 15 EA are left, this has 125.")


async def test_what_was_said_of_the_load_before_goes_when_a_good_one_moves(yard: Yard) -> None:
    cross(yard, passage("out", [unit(4)]))
    assert yard.dock.door("out").state == "STOP"
    assert sight(yard, "out", unit(1), name="later").state == "READY"


async def test_a_load_that_does_not_come_through_leaves_the_door_ready(yard: Yard) -> None:
    view = cross(yard, passage("out", [unit(UNKNOWN)], kind=PassageKind.TURNED))
    assert view.state == "READY"
    assert written(yard) == []


# -- when it has crossed ----------------------------------------------------------------------------


async def test_a_load_is_accepted_only_when_its_entry_is_told(yard: Yard, recorder: FakeRecorder) -> None:
    view = cross(yard, passage("out", [unit(1)]))
    assert (view.state, view.reason) == ("READY", "checking")
    await recorder.tell()
    view = yard.dock.door("out")
    assert (view.state, view.reason) == ("ACCEPTED", "withdrawn")
    kind, body = recorder.last()
    assert kind == "withdrawal"
    assert (body.read.carrier, bytes.fromhex(body.read.raw), body.read.pc) == ("rfid", unit(1), 0x3000)
    facts = body.read.passage
    assert (facts.kind, facts.direction, facts.crossings) == ("crossed", "out", ("out",))
    [note] = recorder.passages
    assert facts.evidence == note.sha256 == evidence.name(note.evidence)
    assert note.entry_ids == (recorder.entries[-1].entry_id,)
    assert msgspec.json.decode(note.finding, type=Passage).passage == facts.passage


async def test_items_on_a_pallet_are_its_contents_and_no_loads(yard: Yard) -> None:
    cross(yard, passage("out", [unit(1), asset(), STRANGE, *(item(TOOL, n) for n in range(60))]))
    assert written(yard) == [("withdrawal", "withdrawn")]
    facts = yard.recorder.last()[1].read.passage
    assert (facts.loads, facts.tags, facts.items, facts.assets) == (1, 63, 60, 1)


async def test_two_tags_of_one_pallet_are_one_load(yard: Yard) -> None:
    other = unit(1)[:1] + bytes([unit(1)[1] ^ 0x20]) + unit(1)[2:]  # another filter value, the same SSCC
    assert other != unit(1)
    cross(yard, passage("out", [unit(1), other]))
    assert written(yard) == [("withdrawal", "withdrawn")]


async def test_several_loads_are_an_entry_each_and_one_word_on_the_screen(
    yard: Yard, recorder: FakeRecorder
) -> None:
    view = cross(yard, passage("out", [unit(1), unit(4)]))
    assert (view.state, view.sentence, view.step) == ("STOP", "2 loads: 1 STOP, 1 may pass.", "Take it back.")
    assert view.remark == "Not on this truck's permits."
    await recorder.tell()
    assert yard.dock.door("out").state == "STOP", "no load of a passage goes green while another is red"
    assert sorted(written(yard)) == [("stop", "not-on-permit"), ("withdrawal", "withdrawn")]
    [note] = recorder.passages
    assert len(note.entry_ids) == 2


async def test_two_good_loads_are_accepted_when_both_are_told(yard: Yard, recorder: FakeRecorder) -> None:
    cross(yard, passage("out", [unit(1), unit(2)]))
    await recorder.tell(1)
    assert yard.dock.door("out").state == "READY"
    await recorder.tell()
    view = yard.dock.door("out")
    assert (view.state, view.sentence) == ("ACCEPTED", "2 loads: 2 may pass.")
    assert view.counted == 2


async def test_two_loads_that_need_more_than_is_left_spend_it_once() -> None:
    yard = Yard(Papers(line=140))
    yard.open("out")
    await crossed(yard, passage("out", [unit(1), unit(2)]))
    assert written(yard) == [("withdrawal", "withdrawn"), ("stop", "straddles-limit")]
    assert yard.dock.books.account(OUT).used == 125


@pytest.mark.parametrize("kind", [PassageKind.NOTHING, PassageKind.EMPTY])
async def test_what_did_not_go_through_is_evidence_and_no_entry(yard: Yard, kind: PassageKind) -> None:
    cross(yard, passage("out", [unit(1)] if kind is PassageKind.NOTHING else [], kind=kind))
    assert written(yard) == []
    [note] = yard.recorder.passages
    assert note.entry_ids == ()


# -- direction --------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["in", "out"])
async def test_a_load_against_the_trucks_direction_is_a_hold_and_moves_nothing(yard: Yard, way: str) -> None:
    other = {"in": "out", "out": "in"}[way]
    before = len(yard.dock.inventory())
    view = cross(yard, passage(way, [unit(number_of(way, 1))], way=other))
    assert (view.state, view.reason) == ("HOLD", "wrong-way")
    assert written(yard) == [("hold", "wrong-way")]
    assert len(yard.dock.inventory()) == before


async def test_a_counted_load_that_came_back_and_goes_again_is_counted_once(yard: Yard) -> None:
    cross(yard, passage("out", [unit(1)]))
    cross(yard, passage("out", [unit(1)], way="in"))
    assert yard.dock.door("out").reason == "wrong-way"
    cross(yard, passage("out", [unit(1)]))
    assert yard.dock.books.state.holds == {}, "it stands where it was counted"
    await yard.recorder.tell()
    assert yard.dock.door("out").reason == "already-counted"
    assert written(yard) == [("withdrawal", "withdrawn"), ("hold", "wrong-way")]
    assert yard.recorder.types()[-1] == "release"
    counted = yard.recorder.passages[0].entry_ids
    assert yard.recorder.passages[2].entry_ids == counted, "the third crossing names what counted it"


async def test_a_load_that_came_back_is_not_settled_by_a_passage_that_is_not_sure(yard: Yard) -> None:
    cross(yard, passage("out", [unit(1)]))
    cross(yard, passage("out", [unit(1)], way="in"))
    cross(yard, passage("out", [unit(1)], confidence=UNSURE))
    [hold] = yard.dock.books.state.holds.values()
    assert hold.reason == "wrong-way", "nobody knows on which side it stands"
    cross(yard, passage("out", [unit(1)]))
    assert yard.dock.books.state.holds == {}


async def test_in_and_out_and_in_again_is_one_movement_with_its_crossings(yard: Yard) -> None:
    load = unit(number_of("in", 1))
    cross(yard, passage("in", [load], crossings=["in", "out", "in"]))
    assert written(yard) == [("admission", "admitted")]
    assert yard.recorder.last()[1].read.passage.crossings == ("in", "out", "in")


@pytest.mark.parametrize("confidence", [UNSURE, 0])
async def test_an_unsure_direction_is_never_a_movement_and_the_label_settles_it(
    yard: Yard, confidence: int
) -> None:
    view = cross(yard, passage("out", [unit(1)], confidence=confidence))
    assert (view.state, view.reason, view.step) == ("HOLD", "not-sure", "Scan its label.")
    assert written(yard) == [("hold", "not-sure")]
    [hold] = yard.dock.books.state.holds
    yard.read("out", pallet(1))
    await yard.recorder.tell()
    kind, body = yard.recorder.last()
    assert (kind, body.clears) == ("withdrawal", hold)
    assert yard.dock.books.state.holds == {}


async def test_a_load_is_as_sure_as_its_own_tag(yard: Yard) -> None:
    closed = passage("out", [unit(1), unit(2)])
    tags = tuple(
        msgspec.structs.replace(tag, confidence=UNSURE) if tag.epc == unit(2) else tag
        for tag in closed.passage.tags
    )
    cross(yard, msgspec.structs.replace(closed, passage=msgspec.structs.replace(closed.passage, tags=tags)))
    assert sorted(written(yard)) == [("hold", "not-sure"), ("withdrawal", "withdrawn")]


async def test_goods_that_the_gate_told_apart_from_their_pallet_are_no_loads(yard: Yard) -> None:
    pallets, goods = passage("out", [unit(1)]), passage("out", [item(HOUSING, n) for n in range(9)])
    goods = msgspec.structs.replace(goods, evidence=pallets.evidence)
    yard.dock.passing.take([pallets, goods])
    assert written(yard) == [("withdrawal", "withdrawn")]
    yard.dock.passing.take([goods])
    assert written(yard)[1:] == [("hold", "unknown-tags")], "the control: by themselves they are"


async def test_a_late_word_on_one_load_takes_no_stop_of_the_next_away(
    yard: Yard, recorder: FakeRecorder
) -> None:
    first = passage("out", [unit(1)])
    sight(yard, "out", unit(1), name=first.passage.passage, opened_us=first.passage.opened_us)
    second = passage("out", [unit(4)])
    sight(yard, "out", unit(4), name=second.passage.passage, opened_us=second.passage.opened_us)
    assert yard.dock.door("out").state == "STOP"
    yard.dock.passing.take([first])
    await recorder.tell()
    assert written(yard) == [("withdrawal", "withdrawn")]
    assert yard.dock.door("out").reason == "not-on-permit"
    yard.dock.passing.take([second])
    assert yard.dock.door("out").reason == "not-on-permit"


async def test_what_closes_at_once_is_one_word(yard: Yard, recorder: FakeRecorder) -> None:
    stopped, good = passage("out", [unit(4)]), passage("out", [unit(1)])
    yard.dock.passing.take([stopped, good])
    await recorder.tell()
    view = yard.dock.door("out")
    assert (view.state, view.sentence) == ("STOP", "2 loads: 1 STOP, 1 may pass.")


async def test_an_unsure_stop_stays_a_stop(yard: Yard) -> None:
    cross(yard, passage("out", [unit(4)], confidence=UNSURE))
    _, body = yard.recorder.last()
    assert (body.reason, body.crossed) == ("not-on-permit", None)


# -- a STOP that is not obeyed, and one that is -----------------------------------------------------


async def test_a_stop_that_is_crossed_all_the_same_is_on_record(yard: Yard) -> None:
    view = cross(yard, passage("out", [unit(4)]))
    assert view.state == "STOP"
    kind, body = yard.recorder.last()
    assert (kind, body.reason, body.crossed) == ("stop", "not-on-permit", True)


async def test_a_stop_that_turned_back_is_on_record(yard: Yard) -> None:
    cross(yard, passage("out", [unit(4)], kind=PassageKind.TURNED))
    kind, body = yard.recorder.last()
    assert (kind, body.reason, body.crossed) == ("stop", "not-on-permit", False)


@pytest.mark.parametrize(("tags", "kind"), [([], PassageKind.NOTHING), ([unit(1)], PassageKind.CROSSED)])
async def test_a_stop_that_was_said_is_on_record_though_the_load_did_not_move_in_the_end(
    yard: Yard, tags: list[bytes], kind: PassageKind
) -> None:
    closed = passage("out", tags, kind=kind, still=[unit(4)])
    assert sight(yard, "out", unit(4), opened_us=closed.passage.opened_us).state == "STOP"
    cross(yard, closed)
    kind_of, body = yard.recorder.last()
    assert (kind_of, body.reason, body.crossed) == ("stop", "not-on-permit", False)
    assert body.read.passage.kind == "nothing", "so it is judged again as it was"
    assert len(written(yard)) == 1 + len(tags)


async def test_what_lay_about_and_was_not_stopped_is_not_on_record(yard: Yard) -> None:
    cross(yard, passage("out", [unit(1)], still=[unit(4)]))
    assert written(yard) == [("withdrawal", "withdrawn")]


# -- no readable tag, no load -----------------------------------------------------------------------


async def test_each_crossing_without_a_readable_tag_is_kept(yard: Yard) -> None:
    for _ in range(2):
        view = cross(yard, passage("out", kind=PassageKind.UNREAD))
        assert (view.state, view.reason) == ("HOLD", "no-tag")
    assert written(yard) == [("hold", "no-tag")] * 2
    assert len(yard.recorder.passages) == 2
    await yard.told("out", load_number("out", 1))
    assert len(yard.dock.books.state.holds) == 1, "a good scan settles one of them"


async def test_the_next_load_through_the_gate_settles_no_hold_of_the_one_before(yard: Yard) -> None:
    cross(yard, passage("out", kind=PassageKind.UNREAD))
    cross(yard, passage("out", [unit(2)]))
    assert written(yard) == [("hold", "no-tag"), ("withdrawal", "withdrawn")]
    assert len(yard.dock.books.state.holds) == 1, "nobody has looked at that load"
    await yard.told("out", load_number("out", 1))
    assert yard.dock.books.state.holds == {}


async def test_a_load_that_was_not_sure_is_settled_by_crossing_surely(yard: Yard) -> None:
    cross(yard, passage("out", [unit(1)], confidence=UNSURE))
    cross(yard, passage("out", [unit(1)]))
    assert yard.dock.books.state.holds == {}


async def test_a_truck_that_goes_to_fetch_a_load_raises_no_alarm(yard: Yard) -> None:
    for tags, kind in (([], PassageKind.UNREAD), ([asset()], PassageKind.CROSSED)):
        cross(yard, passage("out", tags, way="in", kind=kind))
    cross(yard, passage("out", kind=PassageKind.EMPTY))
    assert written(yard) == []
    assert len(yard.recorder.passages) == 3


@pytest.mark.parametrize(
    ("tags", "way", "seen", "entries"),
    [
        ([], "in", True, [("hold", "no-tag")]),
        ([asset()], "in", True, [("hold", "no-tag")]),
        ([asset()], "out", None, [("hold", "no-tag")]),
        ([asset()], "out", False, []),
        ([asset()], "out", True, [("hold", "no-tag")]),
    ],
)
async def test_the_eye_at_load_height_knows_better(
    yard: Yard, tags: list[bytes], way: str, seen: bool | None, entries: list[tuple[str, str]]
) -> None:
    kind = PassageKind.CROSSED if tags else PassageKind.UNREAD
    cross(yard, passage("out", tags, way=way, kind=kind, load_seen=seen))
    assert written(yard) == entries


async def test_what_lies_beside_the_gate_is_no_load(yard: Yard) -> None:
    cross(yard, passage("out", [unit(1)], still=[unit(4), unit(2)]))
    assert written(yard) == [("withdrawal", "withdrawn")]
    assert yard.recorder.last()[1].read.passage.still == 2


# -- goods without a pallet's tag -------------------------------------------------------------------


async def test_single_goods_that_the_truck_is_for_are_judged_one_by_one(yard: Yard) -> None:
    cross(yard, passage("in", [item(TOOL, 1), item(TOOL, 2), item(BRACKET, 3)]))
    assert written(yard) == [("admission", "admitted")] * 3
    assert yard.dock.books.account(LineRef("P-IN", "1")).used == 2


async def test_what_nothing_knows_is_one_hold(yard: Yard) -> None:
    cross(yard, passage("in", [item(TOOL, 1), *(item(HOUSING, n) for n in range(30)), STRANGE, asset()]))
    assert sorted(written(yard)) == [("admission", "admitted"), ("hold", "unknown-tags")]


async def test_tags_of_no_known_load_while_no_truck_is_open_are_one_hold() -> None:
    yard = Yard(Papers())
    await crossed(yard, passage("in", [item(TOOL, n) for n in range(30)]))
    assert written(yard) == [("hold", "no-job")]


# -- a gate and a scanner at one door ---------------------------------------------------------------


async def test_a_load_that_was_scanned_and_then_driven_through_counts_once(yard: Yard) -> None:
    yard.read("out", pallet(1))
    view = cross(yard, passage("out", [unit(1)]))
    assert view.reason == "checking", "neither word stands before the entry is told"
    await yard.recorder.tell()
    assert yard.dock.door("out").reason == "already-counted"
    assert written(yard) == [("withdrawal", "withdrawn")]


async def test_a_load_that_was_driven_through_and_then_scanned_counts_once(yard: Yard) -> None:
    cross(yard, passage("out", [unit(1)]))
    yard.read("out", pallet(1))
    await yard.recorder.tell()
    assert yard.dock.door("out").reason == "already-counted"
    assert written(yard) == [("withdrawal", "withdrawn")]


# -- when nothing can be recorded -------------------------------------------------------------------


async def test_what_crossed_while_nothing_could_be_recorded_is_judged_when_it_can(yard: Yard) -> None:
    books = NodeBooks()
    books.fold_records(yard.recorder.records)
    yard.dock.detach()
    view: DoorView = cross(yard, passage("out", [unit(1)]))
    assert view.reason == "cannot-record"
    assert yard.recorder.passages == []
    assert books.state.settings is not None
    yard.dock.attach(yard.recorder, books, books.state.settings, yard.dock.have)
    assert written(yard) == [("withdrawal", "withdrawn")]
    assert len(yard.recorder.passages) == 1


async def test_a_passage_that_finds_the_queue_full_is_told_and_tried_again(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise Backlogged("too much waits")

    with monkeypatch.context() as patch:
        patch.setattr(yard.recorder, "append", full)
        assert cross(yard, passage("out", [unit(1)])).reason == "cannot-record"
    cross(yard, passage("out", [unit(2)]))
    assert written(yard) == [("withdrawal", "withdrawn")] * 2


async def test_a_passage_at_a_door_that_is_not_there_is_left_out(yard: Yard) -> None:
    yard.dock.passing.take([passage("out", [unit(1)])])
    stray = passage("out", [unit(2)])
    stray = msgspec.structs.replace(stray, passage=msgspec.structs.replace(stray.passage, door="d9"))
    yard.dock.passing.take([stray])
    assert len(yard.recorder.passages) == 1


# -- judged again -----------------------------------------------------------------------------------


async def test_every_entry_of_a_busy_day_is_judged_again_from_what_it_kept(yard: Yard) -> None:
    loads = [unit(1), unit(2), unit(4), unit(GONE), unit(UNKNOWN), asset(), STRANGE]
    loads += [item(TOOL, 7), item(HOUSING, 8)]
    chance = random.Random(5)
    for _ in range(80):
        way, door = chance.choice(["in", "out"]), chance.choice(["in", "out"])
        tags = chance.sample(loads, chance.randint(0, 4))
        kind = chance.choice([PassageKind.CROSSED, PassageKind.CROSSED, PassageKind.TURNED])
        sure = chance.choice([SURE, SURE, UNSURE])
        kind = kind if tags else PassageKind.UNREAD
        cross(yard, passage(door, tags, way=way, kind=kind, confidence=sure))
        if chance.random() < 0.3:
            yard.read(door, load_number(door, chance.choice([1, 2, 10])))
    books, judged = NodeBooks(), Counter[str]()
    for entry in yard.recorder.entries:
        body = read_body(entry)
        if isinstance(body, Movement | Refusal) and body.read.passage is not None:
            assert _verdict(books, entry, body) == recorded(body), body
            judged[body.reason] += 1
        books.fold(Fact.of(entry))
    print(f"{judged.total()} entries of passages judged again: {dict(judged)}")
    assert set(judged) >= {"withdrawn", "wrong-way", "not-sure", "no-tag", "unknown-tags", "not-on-permit"}


def recorded(body: Movement | Refusal) -> str:
    return _told(body.reason, body.job, body.load, getattr(body, "quantity", None), _line_of(body))


async def test_an_entry_whose_passage_was_changed_is_judged_otherwise(yard: Yard) -> None:
    """The control: what the entry kept of the passage is what it is judged by."""
    cross(yard, passage("out", [unit(1)]))
    *before, entry = yard.recorder.entries
    books = NodeBooks()
    for earlier in before:
        books.fold(Fact.of(earlier))
    body = read_body(entry)
    assert _verdict(books, entry, body) == recorded(body)
    unsure = msgspec.structs.replace(body.read.passage, confidence=UNSURE)
    changed = msgspec.structs.replace(body, read=msgspec.structs.replace(body.read, passage=unsure))
    assert _verdict(books, entry, changed).startswith("not-sure")
