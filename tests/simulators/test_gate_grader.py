# SPDX-License-Identifier: Apache-2.0
"""The grader holds what a gate found against what was driven: every way to be wrong is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from simulators.grader.compare import Grade
from tests.simulators.world import World, day_facts, day_trips, passage_of


def graded(change: Callable[[World], None]) -> Grade:
    world = World(day_facts(), trips=day_trips())
    change(world)
    return world.grade()


def manner(world: World, name: str) -> int:
    """Where the first trip of that manner stands."""
    return next(place for place, trip in enumerate(world.truth.trips) if trip.said["manner"] == name)


def test_a_day_with_a_gate_has_no_findings() -> None:
    result = graded(lambda _: None)
    assert result.findings == ()
    assert result.figures["passages"] == 6
    assert result.figures["doors"]["d2"]["passages"] == [6, 6]
    assert result.figures["doors"]["d1"]["admissions"][0] == result.figures["admissions"]


def test_a_gate_that_saw_nothing_is_explained_by_nothing() -> None:
    def touched(world: World) -> None:
        trip = world.truth.trips[0]
        world.passages.append(passage_of(replace(trip, from_s=trip.from_s - 500), kind="nothing"))

    assert graded(touched).ok


def _lose(world: World) -> None:
    del world.passages[manner(world, "empty")]


def _twice(world: World) -> None:
    place = manner(world, "through")
    world.passages.append(replace(world.passages[place], name="again"))


def _turn(world: World) -> None:
    place = manner(world, "through")
    world.passages[place] = passage_of(world.truth.trips[place], kind="turned")


def _reverse(world: World) -> None:
    place = manner(world, "through")
    world.passages[place] = passage_of(world.truth.trips[place], direction="in")


def _forget_unit(world: World) -> None:
    place = manner(world, "through")
    world.passages[place] = passage_of(world.truth.trips[place], tags=[])


def _move_a_stranger(world: World) -> None:
    place, other = manner(world, "through"), manner(world, "turned")
    tags = passage_of(world.truth.trips[place]).finding["tags"]
    strange = passage_of(
        replace(world.truth.trips[other], said={**world.truth.trips[other].said, "kinds": ["crossed"]})
    )
    world.passages[place] = passage_of(world.truth.trips[place], tags=[*tags, *strange.finding["tags"]])


def _invent(world: World) -> None:
    trip = world.truth.trips[0]
    world.passages.append(passage_of(replace(trip, from_s=trip.from_s - 500)))


def _say_stop_late(world: World) -> None:
    _stop(world, {"screen_ms": -5, "lamp_ms": 800})


def _never_light_the_lamp(world: World) -> None:
    _stop(world, {"screen_ms": 900, "lamp_ms": None})


def _stop(world: World, seen: dict[str, int | None]) -> None:
    place = manner(world, "stopped")
    trips = list(world.truth.trips)
    trips[place] = replace(trips[place], said={**trips[place].said, "stop": seen})
    world.truth = replace(world.truth, trips=tuple(trips))


@pytest.mark.parametrize(
    ("spoil", "figure", "says"),
    [
        (_lose, "lost", "kept no passage"),
        (_twice, "duplicates", "second one of the same trip"),
        (_turn, "wrong", "says turned, expected crossed"),
        (_reverse, "wrong", "says in, expected out"),
        (_forget_unit, "wrong", "does not name the unit"),
        (_move_a_stranger, "wrong", "which nobody drove"),
        (_invent, "wrong", "and nobody drove"),
        (_say_stop_late, "wrong", "the screen said STOP 5 ms after"),
        (_never_light_the_lamp, "wrong", "the lamp never said STOP"),
    ],
)
def test_what_a_gate_says_otherwise_is_found(spoil: Callable[[World], None], figure: str, says: str) -> None:
    result = graded(spoil)
    assert result.figures[figure] == 1, result.findings
    assert any(says in finding.text for finding in result.findings)
