# SPDX-License-Identifier: Apache-2.0
"""The window passes no unanswered entry, whatever the order of answers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.entry import read_record
from sync.window import Flight, Window
from tests.sync.door_log import DoorLog


def filled(count: int) -> tuple[Window, list[Flight]]:
    log, window = DoorLog(), Window()
    log.withdraw(count)
    flights = [Flight(told.place, read_record(told.record)) for told in log.told]
    for mid, flight in enumerate(flights, 1):
        window.add(flight)
        window.sent(flight, mid)
    return window, flights


@given(st.permutations(range(1, 9)), st.sets(st.integers(1, 8), max_size=3))
def test_the_cursor_passes_only_what_is_answered_well(order: list[int], refused: set[int]) -> None:
    window, flights = filled(8)
    answered: set[int] = set()
    passed = 0
    for mid in order:
        assert window.answered(mid, "no" if mid in refused else None) is flights[mid - 1]
        answered |= {mid} - refused
        place = window.advance()
        passed = place.seq if place else passed
        assert set(range(1, passed + 1)) <= answered
        assert passed + 1 not in answered
    assert window.unanswered == 0
    assert [window.refused] == [flights[min(refused) - 1] if refused else None]


def test_a_refusal_stays_while_it_is_tried_again_and_goes_with_a_good_answer() -> None:
    window, (flight,) = filled(1)
    window.answered(1, "not authorized")
    window.sent(flight, 2)
    assert window.refused is flight
    assert window.advance() is None
    assert window.answered(2, None) is flight
    assert flight.refusal is None
    assert window.advance() == flight.place


def test_what_is_left_out_no_longer_stops() -> None:
    window, flights = filled(2)
    window.answered(1, "no")
    window.answered(2, None)
    window.leave_out(flights[0].place)
    assert window.advance() == flights[1].place
    assert len(window) == 0


def test_an_answer_to_nobody_changes_nothing() -> None:
    window, flights = filled(1)
    assert window.answered(99, None) is None
    assert window.first is flights[0]
    window.clear()
    assert window.answered(1, None) is None
