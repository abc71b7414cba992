# SPDX-License-Identifier: Apache-2.0
"""Lamps and horns at a door: red while it says STOP or HOLD, green for a moment, nothing green by itself."""

from __future__ import annotations

import pytest

from edge.passage import PassageKind
from edge.portal.lamps import GO, GO_S, HORN, HORN_S, STOP, Lamp, Lamps
from tests.edge.gates import cross, passage, sight, unit
from tests.edge.yard import CANCEL, FakeRecorder, Papers, Yard, load_number, settled

Switched = list[tuple[str, bool, float | None]]


@pytest.fixture
def recorder() -> FakeRecorder:
    return FakeRecorder()


@pytest.fixture
async def yard(recorder: FakeRecorder) -> Yard:
    made = Yard(Papers(), recorder=recorder)
    made.open("out")
    await recorder.tell()
    return made


def lit(yard: Yard) -> Switched:
    """All that is switched at the outbound door from now on."""
    switched: Switched = []
    names = {1: STOP, 2: GO, 3: HORN}

    def switch(port: int, on: bool, /, *, for_s: float | None = None) -> None:
        switched.append((names[port], on, for_s))

    lamps = Lamps({"out": [Lamp(port, shows, switch) for port, shows in names.items()]}, yard.dock.door_at)
    yard.dock.on_change(lamps.show)
    lamps.show("out")
    return switched


async def test_at_the_start_red_is_put_out_and_nothing_else_is_touched(yard: Yard) -> None:
    assert lit(yard) == [(STOP, False, None)]


async def test_green_is_a_pulse_that_begins_when_the_entry_is_told(
    yard: Yard, recorder: FakeRecorder
) -> None:
    switched = lit(yard)
    cross(yard, passage("out", [unit(1)]))
    assert len(switched) == 1, "nothing is green before the entry is told"
    await recorder.tell()
    await settled()
    assert switched[1:] == [(GO, True, GO_S)]
    yard.dock.changed("out")
    assert len(switched) == 2, "one word is one pulse, however often the screen is drawn"


async def test_a_stop_is_red_at_once_and_stays_with_one_blast_of_the_horn(yard: Yard) -> None:
    switched = lit(yard)
    sight(yard, "out", unit(4))
    assert switched[1:] == [(STOP, True, None), (GO, False, None), (HORN, True, HORN_S)]
    cross(yard, passage("out", [unit(4)]))
    assert (STOP, False, None) not in switched[1:]


async def test_red_goes_with_what_it_stood_for(yard: Yard, recorder: FakeRecorder) -> None:
    switched = lit(yard)
    cross(yard, passage("out", kind=PassageKind.UNREAD))
    assert (STOP, True, None) in switched
    assert HORN not in [name for name, _, _ in switched], "the horn is for a STOP"
    yard.read("out", CANCEL)
    assert switched[-1:] == [(STOP, False, None)]
    yard.read("out", load_number("out", 1))
    await recorder.tell()
    assert switched[-1:] == [(GO, True, GO_S)]


async def test_a_dock_that_cannot_record_is_red(yard: Yard) -> None:
    switched = lit(yard)
    yard.dock.detach()
    assert (STOP, True, None) in switched


async def test_a_lamp_that_refuses_stops_no_door(yard: Yard) -> None:
    def refuse(port: int, on: bool, /, *, for_s: float | None = None) -> None:
        raise ValueError("there is no such output")

    lamps = Lamps({"out": [Lamp(9, STOP, refuse)]}, yard.dock.door_at)
    yard.dock.on_change(lamps.show)
    assert sight(yard, "out", unit(4)).state == "STOP"
