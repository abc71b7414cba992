# SPDX-License-Identifier: Apache-2.0
"""Passages that nobody judged: the program ended in their midst, or failed. Each load in them is a Hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from edge import evidence, passages, passing
from edge.books import Fact, NodeBooks
from edge.passage import Opened, PassageKind
from edge.store import UnderwayRow
from edge.underway import CHANGES_MAX, NAMED_MAX, Trucks, named
from sync.bodies import DeviceAlarm, Movement, Refusal, Release, read_body
from sync.entry import utc_text
from tests.edge.gates import UNSURE, asset, cross, item, now_us, passage, sight, unit
from tests.edge.yard import HOUSING, UNKNOWN, FakeRecorder, Papers, Yard, pallet, sscc
from zonegate.explain import _line_of, _told, _verdict

Body = TypeVar("Body", Movement, Refusal, Release, DeviceAlarm)


@pytest.fixture
async def yard() -> Yard:
    """An outbound truck is open, entries are told at once."""
    made = Yard(Papers())
    made.open("out")
    return made


def rows(recorder: FakeRecorder) -> list[UnderwayRow]:
    """What a journal has of passages under way."""
    return [
        UnderwayRow(note.passage, note.door, utc_text(note.at), note.epc, note.pc)
        for note in recorder.underway.values()
    ]


def restarted(yard: Yard) -> Yard:
    """The program was killed, and started on the same journal."""
    books = NodeBooks()
    books.fold_records(yard.recorder.records)
    another = Yard(recorder=yard.recorder, clockwork=yard.time, books=books)
    another.dock.passing.recover(rows(yard.recorder))
    return another


def bodies(yard: Yard, kind: type[Body]) -> list[Body]:
    return [body for entry in yard.recorder.entries if isinstance(body := read_body(entry), kind)]


def holds(yard: Yard) -> list[tuple[str, str | None]]:
    """Reason and load of each open Hold."""
    return [
        (hold.reason, hold.load.sscc if hold.load is not None else None)
        for hold in yard.dock.books.state.holds.values()
    ]


# -- the program ended while something was in the gate -----------------------------------------------


async def test_a_load_that_was_in_the_gate_at_a_crash_is_a_hold_until_its_label_is_scanned(
    yard: Yard,
) -> None:
    sight(yard, "out", unit(1), unit(2), asset(), *(item(HOUSING, n) for n in range(9)), name="p-1")
    again = restarted(yard)
    view = again.dock.door("out")
    assert (view.state, view.sentence) == ("HOLD", "2 loads: 2 HOLD.")
    assert view.step == "Scan its label."
    assert view.remark == "The dock was restarted while this crossed."
    assert holds(again) == [("interrupted", sscc(1)), ("interrupted", sscc(2))]
    [alarm] = bodies(again, DeviceAlarm)
    assert (alarm.kind, alarm.count) == ("passage-interrupted", 2)
    assert alarm.detail == (
        f"the dock was restarted while goods were crossing: scan the labels of (00){sscc(1)}, (00){sscc(2)}"
    )
    assert yard.recorder.underway == {}
    for number in (1, 2):
        assert (await again.told("out", pallet(number))).reason == "withdrawn"
    assert holds(again) == []


async def test_a_passage_that_was_judged_before_the_crash_is_asked_for_no_more(yard: Yard) -> None:
    """The control: only what was not judged comes back."""
    cross(yard, passage("out", [unit(1)]))
    assert yard.recorder.underway == {}
    again = restarted(yard)
    assert again.dock.door("out").state == "READY"
    assert holds(again) == []


async def test_a_crash_after_a_crash_asks_once(yard: Yard) -> None:
    sight(yard, "out", unit(1), name="p-1")
    kept = dict(yard.recorder.underway)
    again = restarted(yard)
    yard.recorder.underway = kept  # as if the second program had ended before it said so
    once_more = restarted(again)
    assert holds(once_more) == [("interrupted", sscc(1))]
    assert len(bodies(once_more, Refusal)) == 1


async def test_what_only_the_eyes_saw_is_asked_for_and_settled_by_the_next_good_scan(yard: Yard) -> None:
    yard.dock.passing.take([Opened("p-1", "out", now_us(yard))])
    again = restarted(yard)
    assert again.dock.door("out").reason == "interrupted"
    assert holds(again) == [("interrupted", None)]
    [alarm] = bodies(again, DeviceAlarm)
    assert alarm.detail.endswith("scan the labels of what went through")
    assert (await again.told("out", pallet(1))).reason == "withdrawn"
    assert holds(again) == []


async def test_a_hold_on_one_load_is_not_settled_by_the_label_of_another(yard: Yard) -> None:
    sight(yard, "out", unit(1), name="p-1")
    again = restarted(yard)
    await again.told("out", pallet(2))
    assert holds(again) == [("interrupted", sscc(1))]


async def test_a_counted_load_in_the_gate_at_a_crash_is_settled_by_its_label(yard: Yard) -> None:
    cross(yard, passage("out", [unit(1)]))
    sight(yard, "out", unit(1), name="p-2", opened_us=now_us(yard))
    again = restarted(yard)
    assert holds(again) == [("interrupted", sscc(1))]
    assert (await again.told("out", pallet(1))).reason == "already-counted"
    assert holds(again) == []
    [release] = bodies(again, Release)
    assert (release.decision, release.by) == ("cleared", "scanner-out")


async def test_a_load_that_was_stopped_in_the_gate_at_a_crash_is_stopped_by_its_label(yard: Yard) -> None:
    sight(yard, "out", unit(4), name="p-1")
    again = restarted(yard)
    assert holds(again) == [("interrupted", sscc(4))]
    assert (await again.told("out", pallet(4))).reason == "not-on-permit"
    assert holds(again) == [("interrupted", sscc(4))], "a person says what became of it"


async def test_what_was_under_way_at_a_door_that_is_no_more_is_an_alarm(yard: Yard) -> None:
    yard.recorder.underway = {}
    gone = UnderwayRow("p-1", "d9", utc_text(yard.time.at), unit(1), 0x3000)
    yard.dock.passing.recover([gone])
    [alarm] = bodies(yard, DeviceAlarm)
    assert (alarm.device, alarm.kind) == ("d9", "passage-interrupted")


async def test_what_is_under_way_while_nothing_can_be_recorded_is_kept_once_it_can(yard: Yard) -> None:
    books, settings = yard.dock.books, yard.dock.books.state.settings
    assert settings is not None
    yard.dock.detach()
    sight(yard, "out", unit(1), name="p-1")
    assert yard.recorder.underway == {}
    yard.dock.attach(yard.recorder, books, settings, yard.dock.have)
    assert {epc for _, epc in yard.recorder.underway} == {b"", unit(1)}
    # The same program goes on with it, so it is nothing to be asked for.
    yard.dock.passing.recover(rows(yard.recorder))
    assert holds(yard) == []


async def test_passages_too_many_to_wait_for_a_journal_are_told_by_number(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing, "LATE_MAX", 2)
    books, settings = yard.dock.books, yard.dock.books.state.settings
    assert settings is not None
    yard.dock.detach()
    for number in (1, 2, 10):
        cross(yard, passage("out", [unit(number)]))
    yard.dock.attach(yard.recorder, books, settings, yard.dock.have)
    assert [body.load.sscc for body in bodies(yard, Movement)] == [
        sscc(2),
        sscc(10),
    ]
    [alarm] = bodies(yard, DeviceAlarm)
    assert (alarm.kind, alarm.count) == ("passage-lost", 1)


# -- the program failed ------------------------------------------------------------------------------


async def test_a_passage_that_the_program_fails_on_is_kept_and_its_loads_are_held(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = passage("out", [unit(1), asset()])
    sight(yard, "out", unit(1), name=closed.passage.passage, opened_us=closed.passage.opened_us)
    with monkeypatch.context() as patch:
        patch.setattr(passing, "facts_of", failing(passages.facts_of, lambda found, *_: is_crossed(found)))
        yard.dock.passing.take([closed])
    view = yard.dock.door("out")
    assert (view.state, view.reason, view.step) == (
        "HOLD",
        "unjudged",
        "Scan its label. Tell the supervisor.",
    )
    assert holds(yard) == [("unjudged", sscc(1))]
    [note] = yard.recorder.passages
    assert note.evidence == closed.evidence
    assert note.sha256 == evidence.name(closed.evidence)
    [alarm] = bodies(yard, DeviceAlarm)
    assert alarm.kind == "passage-lost"
    assert yard.recorder.underway == {}
    assert (await yard.told("out", pallet(1))).reason == "withdrawn"
    assert holds(yard) == []


async def test_where_the_loads_cannot_even_be_named_there_is_one_hold(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        broken = failing(passages.contents_of, lambda _, found, *__: bool(found.tags))
        patch.setattr(passing, "contents_of", broken)
        cross(yard, passage("out", [unit(1)]))
    assert holds(yard) == [("unjudged", None)]
    assert len(yard.recorder.passages) == 1
    await yard.told("out", pallet(1))
    assert holds(yard) == [], "a good scan settles it"


async def test_what_fails_with_every_tag_is_told_once_a_minute(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing, "challenge_tag", failing(passages.challenge_tag, lambda *_: True))
    for number in range(50):
        sight(yard, "out", unit(number), name="p-1")
    assert yard.dock.door("out").reason == "unjudged"
    assert [body.count for body in bodies(yard, DeviceAlarm)] == [1]
    yard.time.tick(61)
    sight(yard, "out", unit(99), name="p-1")
    assert [body.count for body in bodies(yard, DeviceAlarm)] == [1, 50]


async def test_every_hold_on_what_nobody_judged_is_judged_again_from_what_it_kept(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    sight(yard, "out", unit(1), name="p-1")
    sight(yard, "in", unit(UNKNOWN), name="p-2")
    again = restarted(yard)
    monkeypatch.setattr(passing, "facts_of", failing(passages.facts_of, lambda found, *_: is_crossed(found)))
    cross(again, passage("out", [unit(2)]))
    cross(again, passage("out", [item(HOUSING, 1)]))
    books, judged = NodeBooks(), []
    for entry in yard.recorder.entries:
        body = read_body(entry)
        if isinstance(body, Refusal):
            assert _verdict(books, entry, body) == _told(
                body.reason, body.job, body.load, None, _line_of(body)
            )
            judged.append(body.reason)
        books.fold(Fact.of(entry))
    assert judged == ["interrupted", "interrupted", "unjudged", "unjudged"]


def is_crossed(found: object) -> bool:
    return getattr(found, "kind", None) is PassageKind.CROSSED


def failing(real: Callable[..., Any], when: Callable[..., bool]) -> Callable[..., Any]:
    """A function that fails for some of what it is asked."""

    def asked(*values: Any, **named: Any) -> Any:
        if when(*values):
            raise RuntimeError("planted")
        return real(*values, **named)

    return asked


# -- where a counted load stands ---------------------------------------------------------------------


async def test_a_counted_load_that_may_have_come_back_is_a_hold_until_that_is_known(yard: Yard) -> None:
    cross(yard, passage("out", [unit(1)]))
    view = cross(yard, passage("out", [unit(1)], confidence=UNSURE))
    assert (view.state, view.reason) == ("HOLD", "not-sure")
    cross(yard, passage("out", [unit(1)], way="in", confidence=UNSURE))
    assert holds(yard) == [("not-sure", sscc(1))], "it is asked once"
    cross(yard, passage("out", [unit(1)]))
    assert holds(yard) == [], "it went the truck's way, surely"
    cross(yard, passage("out", [unit(1)], confidence=UNSURE))
    assert (await yard.told("out", pallet(1))).reason == "already-counted"
    assert holds(yard) == [], "or a person has seen it where it was counted"


async def test_a_load_that_went_the_wrong_way_is_not_settled_by_its_label(yard: Yard) -> None:
    cross(yard, passage("out", [unit(1)]))
    cross(yard, passage("out", [unit(1)], way="in"))
    await yard.told("out", pallet(1))
    assert holds(yard) == [("wrong-way", sscc(1))]


async def test_a_load_that_crosses_surely_settles_all_that_asked_where_it_is(yard: Yard) -> None:
    cross(yard, passage("out", [unit(1)], confidence=UNSURE))
    cross(yard, passage("out", [unit(1)], way="in"))
    assert [reason for reason, _ in holds(yard)] == ["not-sure", "wrong-way"]
    cross(yard, passage("out", [unit(1)]))
    assert holds(yard) == []


@pytest.mark.parametrize("way", ["in", "out"])
async def test_a_stop_stays_a_stop_whichever_way_it_went(yard: Yard, way: str) -> None:
    view = cross(yard, passage("out", [unit(4)], way=way))
    assert (view.state, view.reason) == ("STOP", "not-on-permit")
    _, body = yard.recorder.last()
    assert (body.reason, body.crossed) == ("not-on-permit", True)


# -- which truck was there ---------------------------------------------------------------------------


def test_the_truck_of_a_moment_is_known_as_long_as_changes_are_remembered() -> None:
    trucks = Trucks()
    assert trucks.at("d1", 5, "A") == "A", "where nothing changed it is the present one"
    trucks.changed("d1", 10, None)
    trucks.changed("d1", 20, "A")
    trucks.changed("d1", 30, None)
    assert [trucks.at("d1", at, "B") for at in (9, 10, 19, 20, 29, 30)] == [None, "A", "A", None, None, "B"]
    assert trucks.at("d2", 9, "C") == "C"
    for number in range(CHANGES_MAX):
        trucks.changed("d1", 100 + number, f"T{number}")
    assert trucks.at("d1", 9, None) == "T0", "further back nobody knows"


def test_an_alarm_names_some_loads_and_counts_the_rest() -> None:
    many = [f"L{number}" for number in range(NAMED_MAX + 3)]
    assert named(many) == ", ".join(many[:NAMED_MAX]) + " and 3 more"
    assert named(many[:2]) == "L0, L1"
