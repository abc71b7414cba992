# SPDX-License-Identifier: Apache-2.0
"""Passages while the truck at the door changes; a STOP of what did not move, asked again of its evidence."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import pytest

from drivers.read import TagRead
from edge.errors import Backlogged
from edge.gate import Gate
from edge.passage import Closed, Opened
from sync.bodies import Movement, Refusal, read_body
from tests.edge.gate.field import Field, Tag, Thing, crossing, door, parked
from tests.edge.gates import SURE, cross, now_us, passage, sight, unit
from tests.edge.yard import CLOSE, Papers, Yard
from zonegate.explain import _from_evidence


@pytest.fixture
async def yard() -> Yard:
    """An outbound truck is open, entries are told at once."""
    made = Yard(Papers())
    made.open("out")
    return made


def written(yard: Yard) -> list[tuple[str, str]]:
    """Type and reason of each entry that judged a load."""
    bodies = [(entry.type, read_body(entry)) for entry in yard.recorder.entries]
    return [(kind, body.reason) for kind, body in bodies if isinstance(body, Movement | Refusal)]


async def test_a_load_that_passes_while_the_truck_is_changed_is_not_booked_on_the_next(yard: Yard) -> None:
    closed = passage("out", [unit(1)], opened_us=now_us(yard))
    sight(yard, "out", unit(1), name=closed.passage.passage, opened_us=closed.passage.opened_us)
    yard.read("out", CLOSE)
    yard.open("out", "2")
    yard.dock.passing.take([closed])
    assert written(yard) == [("hold", "not-sure")]
    facts = yard.recorder.last()[1].read.passage
    assert (facts.confidence, facts.bound) == (SURE, 1000), "so it is judged again as it was"
    cross(yard, passage("out", [unit(1)]))
    assert written(yard)[-1] == ("withdrawal", "withdrawn"), "the next passage is judged as ever"


async def test_a_load_of_which_the_gate_says_nothing_before_it_has_crossed_belongs_to_the_truck_of_then(
    yard: Yard,
) -> None:
    closed = passage("out", [unit(1)], opened_us=now_us(yard))
    yard.read("out", CLOSE)
    yard.open("out", "2")
    opened = Opened(closed.passage.passage, "out", closed.passage.opened_us)
    yard.dock.passing.take([opened, closed])
    assert written(yard) == [("hold", "not-sure")]
    late = passage("out", [unit(2)], opened_us=now_us(yard))
    yard.dock.passing.take([Opened(late.passage.passage, "out", late.passage.opened_us), late])
    assert written(yard)[-1] == ("withdrawal", "withdrawn"), "the control: this one came with the new truck"


async def test_a_load_that_waited_to_be_recorded_is_not_booked_on_the_next_truck(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise Backlogged("too much waits")

    yard.time.tick()
    with monkeypatch.context() as patch:
        patch.setattr(yard.recorder, "append", full)
        cross(yard, passage("out", [unit(1)], opened_us=now_us(yard)))
    yard.read("out", CLOSE)
    yard.open("out", "2")
    cross(yard, passage("out", [unit(2)]))
    assert written(yard) == [("hold", "not-sure"), ("withdrawal", "withdrawn")]


async def test_a_truck_that_is_opened_for_a_load_that_waits_in_the_door_takes_it() -> None:
    yard = Yard(Papers())
    closed = passage("out", [unit(1)])
    assert (
        sight(yard, "out", unit(1), name=closed.passage.passage, opened_us=closed.passage.opened_us).reason
        == "no-job"
    )
    yard.open("out")
    yard.dock.passing.take([closed])
    assert written(yard) == [("withdrawal", "withdrawn")]


async def test_a_stop_of_what_did_not_move_is_explained_by_what_did(yard: Yard) -> None:
    """By a gate's own evidence: a pallet goes through, another stands beside the door and was stopped."""
    field = Field(door("out"), seed=2)
    tags = [Tag(unit(1), fx=1.0), Tag(unit(1), fx=-1.0)]
    things = [Thing(crossing(1, 14.0, 1.2), tags), Thing(parked(-2.0, 1.5), [Tag(unit(4), fx=1.0)])]
    gate = Gate(field.layout)
    events = gate.take_tags([each for each in field.play(things, 24.0) if isinstance(each, TagRead)])
    while gate.deadline_us is not None:
        events += gate.tick(gate.deadline_us)
    [closed] = [event for event in events if isinstance(event, Closed)]
    sight(yard, "out", unit(4), name=closed.passage.passage, opened_us=closed.passage.opened_us)
    cross(yard, closed)
    assert ("stop", "not-on-permit") in written(yard)
    body = next(body for entry in yard.recorder.entries if isinstance(body := read_body(entry), Refusal))
    reader = SimpleNamespace(passage=lambda *_: SimpleNamespace(evidence=closed.evidence))
    told = _from_evidence(body, reader)
    assert told is not None and told.agrees, told
    assert body.read.passage is not None
    lie = msgspec.structs.replace(body.read.passage, kind="crossed")
    read = msgspec.structs.replace(body.read, passage=lie)
    told = _from_evidence(msgspec.structs.replace(body, read=read), reader)
    assert told is not None and not told.agrees, "the control: it did not cross"
