# SPDX-License-Identifier: Apache-2.0
"""The trips of a script's gate: what is on their tapes, and that a client is told it over LLRP."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gs1.epc import decode_tag
from simulators.yard.drive import MANNERS, Tape, record
from simulators.yard.labels import item_tag, sscc, truck_tag, unit_tag
from simulators.yard.radio.eyes import EyeChange
from simulators.yard.rig import Rig
from tests.drivers.llrp.peer import QUICK, reading

UNIT = unit_tag(sscc(51))
ITEMS = tuple(item_tag("09521999001058", number) for number in range(3))


def heard(tape: Tape) -> set[bytes]:
    """Tags of what is carried that some antenna heard."""
    return {told.epc for told in tape.told if not isinstance(told, EyeChange)} & {UNIT, *ITEMS}


def eyes(tape: Tape) -> set[int]:
    return {told.port for told in tape.told if isinstance(told, EyeChange)}


def test_the_tags_are_those_of_the_labels() -> None:
    """The service's own reader of tags, of another hand, reads what was on the label."""
    assert dict(decode_tag(UNIT).elements)["00"] == sscc(51)
    assert dict(decode_tag(ITEMS[2]).elements) == {"01": "09521999001058", "21": "2"}
    assert dict(decode_tag(truck_tag(7)).elements)["8004"] == "95219997"


@pytest.mark.parametrize("manner", MANNERS)
def test_a_tape_is_in_order_and_has_what_was_driven(manner: str) -> None:
    tape = record(manner, UNIT, ITEMS, "a seed")
    times = [told.at_us for told in tape.told]
    assert times == sorted(times)
    assert 0 <= times[0] <= times[-1] <= tape.ends_us
    carried = manner not in ("empty", "unreadable")
    assert heard(tape) == ({UNIT, *ITEMS} if carried else set())
    # Who halts stands in the inner eye and never reaches the outer one, at the trailer's side.
    assert eyes(tape) & {1, 2} == ({2} if tape.turns_us else {1, 2})
    assert 3 in eyes(tape) or manner == "empty", "a load is seen by the eye at its height"
    assert (tape.turns_us is not None) == (manner in ("turned", "stopped"))


def test_the_same_seed_drives_the_same_trip_and_another_one_another() -> None:
    first, again, other = (record("through", UNIT, ITEMS, seed) for seed in ("a", "a", "b"))
    assert first == again
    assert first != other


GATE = replace(QUICK, inputs=(1, 2, 3), outputs={1: True})


async def test_a_client_hears_the_trip_that_is_driven() -> None:
    rig = Rig("d2", 0, None)
    tape = record("through", UNIT, ITEMS, "a seed")
    async with rig, reading(rig.reader.url, GATE) as client:
        assert await rig.ready(20)
        await rig.play(tape)
        await client.until(lambda: {read.epc for read in client.reads} >= {UNIT, *ITEMS})
        await client.until(lambda: any(one.port == 1 and one.high for one in client.inputs))
        told = sum(not isinstance(one, EyeChange) for one in tape.told)
        await client.until(lambda: len(client.reads) == told)
