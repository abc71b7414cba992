# SPDX-License-Identifier: Apache-2.0
"""When a session at a door is over, from what was heard of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.gate.doorway import Door, Session
from edge.gate.tracks import Track
from edge.passage import Antenna, GateSettings, Layout

LAYOUT = Layout((Antenna("gate", 1, "d1", "inner"), Antenna("gate", 2, "d1", "outer")))
OPENED_US = 1_000_000_000


@pytest.fixture
def door() -> Door:
    return opened()


def opened() -> Door:
    made = Door("d1", LAYOUT)
    made.session = Session("d1-1", "d1", OPENED_US, [], {}, active_us=OPENED_US)
    return made


def track(*, moves: bool) -> Track:
    made = Track(b"\x30" * 12, None, OPENED_US)
    made.moves = moves
    return made


HEARD = st.lists(st.tuples(st.integers(-60_000_000, 60_000_000), st.booleans()), max_size=20)


@given(HEARD, st.sampled_from([GateSettings(), GateSettings(silence_ms=200, rest_ms=500)]))
def test_nothing_that_is_heard_ends_a_session_sooner(
    heard: list[tuple[int, bool]], settings: GateSettings
) -> None:
    door = opened()
    assert door.session is not None
    due_us = door.due_us(settings)
    for at_us, moves in heard:
        door.session.heard(track(moves=moves), OPENED_US + at_us)
        assert door.due_us(settings) >= due_us
        due_us = door.due_us(settings)


def test_what_a_reader_kept_while_it_was_away_ends_no_session_before_it_began(door: Door) -> None:
    assert door.session is not None
    door.session.heard(track(moves=False), OPENED_US + 1_000_000)
    door.session.heard(track(moves=True), OPENED_US - 50_000_000)
    assert door.due_us(GateSettings()) > OPENED_US + 1_000_000


def test_others_that_are_only_about_are_not_waited_for_once_what_moved_is_gone(door: Door) -> None:
    settings = GateSettings()
    assert door.session is not None
    door.session.heard(track(moves=True), OPENED_US)
    for second in range(1, 20):
        door.session.heard(track(moves=False), OPENED_US + second * 1_000_000)
    assert door.due_us(settings) == OPENED_US + (settings.silence_ms + settings.rest_ms) * 1000
