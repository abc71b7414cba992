# SPDX-License-Identifier: Apache-2.0
"""Whole trips of the yard's physics through one door: each is one passage, whatever tags its truck has."""

from __future__ import annotations

import pytest

from drivers.read import InputChange, TagRead
from edge.gate import Gate
from edge.passage import Antenna, Closed, Eye, GateSettings, Layout, PassageKind
from simulators.yard.drive import Tape, record
from simulators.yard.labels import sscc, unit_tag
from simulators.yard.radio.eyes import EyeChange

LAYOUT = Layout(
    tuple(Antenna("g", port, "d", side) for port, side in enumerate(("outer", "inner") * 2, start=1)),
    tuple(Eye("g", port, "d", place) for port, place in enumerate(("outer", "inner", "height"), start=1)),
)
BEGAN_US = 10_000_000_000


def found(tape: Tape) -> list[PassageKind]:
    """What the gate says of a trip."""
    gate = Gate(LAYOUT, GateSettings(before_ms=1_500))
    said = []
    for told in tape.told:
        at = BEGAN_US + told.at_us
        if isinstance(told, EyeChange):
            said += gate.take_input(InputChange("g", told.port, told.high, at))
        else:
            read = TagRead("g", told.epc, told.antenna, told.rssi_cdbm, 1, at, at, told.pc, told.phase)
            said += gate.take_tags([read])
    while gate.deadline_us is not None:
        said += gate.tick(gate.deadline_us)
    return [event.passage.kind for event in said if isinstance(event, Closed)]


@pytest.mark.parametrize(
    ("manner", "kind"),
    [
        ("through", PassageKind.CROSSED),
        ("unreadable", PassageKind.UNREAD),
        ("turned", PassageKind.TURNED),
        ("stopped", PassageKind.TURNED),
    ],
)
def test_a_load_and_the_truck_that_carries_it_are_one_passage(manner: str, kind: PassageKind) -> None:
    assert found(record(manner, unit_tag(sscc(51)), (), "a trip")) == [kind]
