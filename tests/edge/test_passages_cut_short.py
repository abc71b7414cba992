# SPDX-License-Identifier: Apache-2.0
"""A load that was on its way through when its reader was lost, or the node stopped: nobody saw on which side
of the door it ended, so it is a Hold until its label is scanned. The control is a passage seen to its end."""

from __future__ import annotations

import msgspec
import pytest

from edge import evidence
from edge.passage import Closed, PassageKind
from sync.bodies import Refusal, read_body
from tests.edge.gates import cross, passage, sight, unit
from tests.edge.test_passages import written
from tests.edge.yard import UNKNOWN, Papers, Yard, pallet

LOST, STOPPED, LONG, SEEN = "its reader was lost", "the node stopped", "cut for its length", "seen to its end"
LATE = "the node stopped, while the cut waited for an eye"


@pytest.fixture
async def yard() -> Yard:
    made = Yard(Papers())
    made.open("out")
    return made


def ended(closed: Closed, how: str) -> Closed:
    """The same finding, of evidence that ended so."""
    seen = evidence.decode(closed.evidence)
    lost = (("reader-1", 500_000),) if how == LOST else ()
    longest_us = seen.settings.passage_s_max * 1_000_000
    closed_us = {LONG: longest_us, LATE: longest_us + 7_654_321}.get(how, seen.closed_us)
    cut = msgspec.structs.replace(
        seen, lost=lost, final=how not in (STOPPED, LATE, LONG), opened_us=0, closed_us=closed_us
    )
    return Closed(closed.passage, evidence.encode(cut))


def back(number: int, kind: PassageKind, how: str) -> Closed:
    """A passage in which a pallet went back, or was not seen to move in the end."""
    tags = [unit(number)]
    moved, still = (tags, []) if kind is PassageKind.TURNED else ([], tags)
    return ended(passage("out", moved, kind=kind, still=still), how)


def passes(yard: Yard, number: int, closed: Closed) -> None:
    found = closed.passage
    sight(yard, "out", unit(number), name=found.passage, opened_us=found.opened_us)
    yard.dock.passing.take([closed])


@pytest.mark.parametrize("kind", [PassageKind.TURNED, PassageKind.NOTHING])
@pytest.mark.parametrize("how", [LOST, STOPPED, LATE])
async def test_a_load_whose_end_nobody_saw_is_held_until_its_label_is_scanned(
    yard: Yard, kind: PassageKind, how: str
) -> None:
    passes(yard, 1, back(1, kind, how))
    view = yard.dock.door("out")
    assert (view.state, view.reason, view.step) == ("HOLD", "not-sure", "Scan its label.")
    assert written(yard) == [("hold", "not-sure")]
    yard.read("out", pallet(1))
    assert written(yard) == [("hold", "not-sure"), ("withdrawal", "withdrawn")]
    assert yard.dock.books.state.holds == {}


@pytest.mark.parametrize("kind", [PassageKind.TURNED, PassageKind.NOTHING])
@pytest.mark.parametrize("how", [LONG, SEEN])
async def test_a_load_that_was_seen_to_go_back_or_is_followed_on_is_not(
    yard: Yard, kind: PassageKind, how: str
) -> None:
    passes(yard, 1, back(1, kind, how))
    assert written(yard) == []
    assert yard.dock.door("out").state == "READY"


@pytest.mark.parametrize(("how", "crossed"), [(LOST, None), (STOPPED, None), (LONG, False), (SEEN, False)])
@pytest.mark.parametrize("kind", [PassageKind.TURNED, PassageKind.NOTHING])
async def test_of_a_stop_whose_end_nobody_saw_the_record_does_not_say_that_it_went_back(
    yard: Yard, kind: PassageKind, how: str, crossed: bool | None
) -> None:
    passes(yard, 4, back(4, kind, how))
    assert yard.dock.door("out").state == "STOP"
    body = read_body(yard.recorder.entries[-1])
    assert isinstance(body, Refusal)
    assert (body.reason, body.crossed) == ("not-on-permit", crossed)


async def test_what_only_lay_beside_the_gate_when_a_reader_was_lost_is_left_alone(yard: Yard) -> None:
    cross(yard, ended(passage("out", kind=PassageKind.NOTHING, still=[unit(1)]), LOST))
    assert written(yard) == []


async def test_a_load_that_is_not_known_is_held_for_that(yard: Yard) -> None:
    passes(yard, UNKNOWN, back(UNKNOWN, PassageKind.TURNED, LOST))
    assert written(yard) == [("hold", "unknown-load")]
