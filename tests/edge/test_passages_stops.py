# SPDX-License-Identifier: Apache-2.0
"""A STOP stands, on screen and lamp, as long as its load moves in the door: whatever is scanned, opened or
canceled there meanwhile. The control is a door that goes on to what is said next."""

from __future__ import annotations

import pytest

from edge.doors import Door
from edge.passage import Closed, Opened, PassageKind, Sighted
from edge.portal.lamps import GO, STOP
from edge.view import DoorView
from tests.edge.gates import cross, passage, sight, unit
from tests.edge.portal.test_lamps import Switched, lit
from tests.edge.yard import (
    CANCEL,
    CLOSE,
    GONE,
    UNDO,
    UNKNOWN,
    FakeRecorder,
    Papers,
    Yard,
    order,
    pallet,
    settled,
)


@pytest.fixture
def recorder() -> FakeRecorder:
    return FakeRecorder()


@pytest.fixture
async def yard(recorder: FakeRecorder) -> Yard:
    made = Yard(Papers(), recorder=recorder)
    made.open("out")
    await recorder.tell()
    return made


def comes(yard: Yard, *tags: bytes, name: str = "p", opened_us: int = 0) -> DoorView:
    """More tags begin to move in a passage that is open."""
    at_us = yard.dock.clocks.mono_ns() // 1000
    yard.dock.passing.take([Sighted(name, "out", tag, 0x3000, at_us) for tag in tags])
    return yard.dock.door("out")


def lets_go(switched: Switched) -> bool:
    """Whether red went off or green went on."""
    return (STOP, False, None) in switched or any(name == GO and on for name, on, _ in switched)


async def acts_of_a_worker(yard: Yard, recorder: FakeRecorder) -> list[str]:
    """All that a worker may scan at the door; what it says each time."""
    states = []
    for code in (CANCEL, pallet(1), b"nonsense", UNDO, CLOSE, order("OUT-1"), CANCEL):
        yard.read("out", code)
        states.append(yard.dock.door("out").state)
        await recorder.tell()
        states.append(yard.dock.door("out").state)
    return states


async def test_nothing_said_at_a_door_takes_the_stop_of_a_load_that_moves_away(
    yard: Yard, recorder: FakeRecorder
) -> None:
    switched = lit(yard)
    sight(yard, "out", unit(4))
    del switched[:]
    assert set(await acts_of_a_worker(yard, recorder)) == {"STOP"}
    assert not lets_go(switched)
    assert [entry.type for entry in recorder.entries if entry.type in ("withdrawal", "correction")] == [
        "withdrawal",
        "correction",
    ], "what was scanned counts all the same"


async def test_a_door_that_goes_on_to_what_is_said_next_is_found(
    yard: Yard, recorder: FakeRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Door, "stand", lambda *_: None)
    switched = lit(yard)
    sight(yard, "out", unit(4))
    del switched[:]
    assert {"READY", "ACCEPTED"} <= set(await acts_of_a_worker(yard, recorder))
    assert lets_go(switched)


async def test_a_second_load_that_must_not_pass_finds_the_door_at_stop_though_the_first_was_canceled(
    yard: Yard,
) -> None:
    sight(yard, "out", unit(4))
    yard.read("out", CANCEL)
    assert comes(yard, unit(GONE)).state == "STOP"


async def test_what_was_scanned_beside_it_is_told_and_only_once_it_is_recorded(
    yard: Yard, recorder: FakeRecorder
) -> None:
    sight(yard, "out", unit(4))
    yard.read("out", pallet(1))
    assert "Withdrawn" not in yard.dock.door("out").remark
    await recorder.tell()
    view = yard.dock.door("out")
    assert (view.state, view.reason, view.identity) == ("STOP", "not-on-permit", comes(yard).identity)
    assert "Withdrawn." in view.remark
    # It goes back, and nobody was told to stop it after all: what was scanned is what the door says.
    cross(yard, passage("out", opened_us=0, kind=PassageKind.NOTHING))
    assert yard.dock.door("out").reason == "withdrawn"


async def test_a_stop_stands_until_its_own_load_is_through(yard: Yard, recorder: FakeRecorder) -> None:
    switched = lit(yard)
    gone = passage("out", [unit(4)], kind=PassageKind.TURNED, opened_us=1)
    good = passage("out", [unit(1)], opened_us=2)
    yard.dock.passing.take([opened(gone)])
    comes(yard, unit(4), name=gone.passage.passage)
    yard.dock.passing.take([opened(good)])
    assert comes(yard, unit(1), name=good.passage.passage).state == "STOP", "the other one may pass, not this"
    yard.dock.passing.take([good])
    await recorder.tell()
    await settled()
    assert yard.dock.door("out").state == "STOP"
    assert not lets_go(switched[1:])
    yard.dock.passing.take([gone])
    assert yard.dock.door("out").reason == "not-on-permit", "that it was stopped is the last word on it"
    assert yard.read("out", CANCEL).state == "READY"
    assert lets_go(switched[1:])


async def test_a_hold_takes_no_stop_of_another_passage_away(yard: Yard) -> None:
    sight(yard, "out", unit(4), name="one", opened_us=1)
    view = sight(yard, "out", unit(UNKNOWN), name="two", opened_us=2)
    assert (view.state, view.reason) == ("STOP", "not-on-permit")


async def test_what_begins_to_move_while_nothing_can_be_recorded_is_stopped_once_it_can(yard: Yard) -> None:
    books, settings = yard.dock.books, yard.dock.books.state.settings
    assert settings is not None
    yard.dock.detach()
    assert sight(yard, "out", unit(4)).reason == "cannot-record"
    yard.dock.attach(yard.recorder, books, settings, yard.dock.have)
    assert yard.dock.door("out").reason == "not-on-permit"


async def test_a_stop_outlasts_a_journal_that_fails_meanwhile(yard: Yard) -> None:
    books, settings = yard.dock.books, yard.dock.books.state.settings
    assert settings is not None
    sight(yard, "out", unit(4))
    yard.dock.detach()
    assert yard.dock.door("out").reason == "cannot-record"
    yard.dock.attach(yard.recorder, books, settings, yard.dock.have)
    assert yard.dock.door("out").reason == "not-on-permit"


async def test_a_stop_whose_passage_the_program_could_not_judge_stands_no_longer_than_that(
    yard: Yard,
) -> None:
    sight(yard, "out", unit(4), name="p")
    yard.dock.passing.lost("out", "p", b"")
    assert yard.dock.door("out").reason == "unjudged"
    assert yard.read("out", CANCEL).state == "READY"


def opened(closed: Closed) -> Opened:
    return Opened(closed.passage.passage, closed.passage.door, closed.passage.opened_us)
