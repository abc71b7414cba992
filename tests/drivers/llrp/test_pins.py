# SPDX-License-Identifier: Apache-2.0
"""Eyes rest before they count; lamps and horns fall back when nobody renews them."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from drivers import InputChange
from drivers.llrp.pins import FLAPS_MAX, Inputs, Outputs

MS = 1000


def change(port: int, high: bool, at_us: int) -> InputChange:
    return InputChange("gate-1", port, high, at_us)


def test_a_level_counts_once_it_has_rested_from_its_first_edge() -> None:
    inputs = Inputs("gate-1", (1,), 20 * MS)
    assert inputs.edge(1, True, 90 * MS, 100 * MS) == []
    assert inputs.deadline_us == 120 * MS
    assert inputs.tick(119 * MS) == []
    assert inputs.tick(120 * MS) == [change(1, True, 90 * MS)]
    assert inputs.tick(10**9) == []
    assert inputs.deadline_us is None


def test_a_bounce_counts_for_nothing() -> None:
    inputs = Inputs("gate-1", (1,), 20 * MS)
    inputs.edge(1, False, 0, 0)
    assert inputs.tick(20 * MS) == [change(1, False, 0)]
    inputs.edge(1, True, 50 * MS, 50 * MS)
    inputs.edge(1, False, 55 * MS, 55 * MS)
    assert inputs.tick(10**9) == []


def test_a_chatter_at_the_edge_is_one_change() -> None:
    inputs, told = Inputs("gate-1", (1,), 20 * MS), []
    inputs.edge(1, False, 0, 0)
    told += inputs.tick(20 * MS)
    chatter = [(100 + 3 * step, step % 2 == 0) for step in range(7)]
    for at_ms, high in chatter:
        told += inputs.edge(1, high, at_ms * MS, at_ms * MS)
    told += inputs.tick(10**9)
    assert told == [change(1, False, 0), change(1, True, 118 * MS)]
    # The control: without rest every edge of it counts.
    raw, counted = Inputs("gate-1", (1,), 0), 0
    for at_ms, high in chatter:
        counted += len(raw.edge(1, high, at_ms * MS, at_ms * MS))
    assert counted == len(chatter)


def test_an_edge_after_a_rested_one_loses_neither() -> None:
    inputs = Inputs("gate-1", (1, 2), 20 * MS)
    inputs.edge(2, True, 5 * MS, 5 * MS)
    inputs.edge(1, True, 0, 6 * MS)
    assert inputs.edge(1, False, 200 * MS, 200 * MS) == [change(1, True, 0), change(2, True, 5 * MS)]
    assert inputs.tick(220 * MS) == [change(1, False, 200 * MS)]


def test_edges_that_arrive_together_count_by_how_long_each_rested_at_the_reader() -> None:
    inputs = Inputs("gate-1", (1,), 20 * MS)
    inputs.edge(1, False, 0, 0)
    assert inputs.tick(20 * MS) == [change(1, False, 0)]
    # This machine was late: an eye was blocked for 300 ms, and all of it is heard at once.
    assert inputs.edge(1, True, 100 * MS, 500 * MS) == []
    assert inputs.edge(1, False, 400 * MS, 500 * MS) == [change(1, True, 100 * MS)]
    assert inputs.tick(520 * MS) == [change(1, False, 400 * MS)]
    # The control: what did not rest is a bounce, however late it is heard.
    inputs.edge(1, True, 600 * MS, 900 * MS)
    assert inputs.edge(1, False, 619 * MS, 900 * MS) == []
    assert inputs.tick(10**9) == []


def test_a_level_counts_once_the_reader_told_of_something_later_than_its_rest() -> None:
    inputs = Inputs("gate-1", (1, 2), 20 * MS)
    inputs.edge(2, True, 100 * MS, 500 * MS)
    inputs.edge(1, True, 90 * MS, 500 * MS)
    assert inputs.rested(109 * MS) == []
    assert inputs.rested(120 * MS) == [change(1, True, 90 * MS), change(2, True, 100 * MS)]
    assert inputs.rested(10**9) == inputs.tick(10**9) == []


def test_what_is_forgotten_is_told_anew() -> None:
    inputs = Inputs("gate-1", (1,), 0)
    assert inputs.edge(1, True, 0, 0) == [change(1, True, 0)]
    assert inputs.edge(1, True, 5, 5) == []
    inputs.forget()
    assert inputs.edge(1, True, 9, 9) == [change(1, True, 9)]


def test_ports_nobody_watches_are_ignored() -> None:
    inputs = Inputs("gate-1", (1,), 0)
    assert inputs.edge(3, True, 0, 0) == []


def test_a_loose_plug_is_noticed_and_its_rest_too() -> None:
    inputs = Inputs("gate-1", (1,), 20 * MS)
    for step in range(FLAPS_MAX + 1):
        inputs.edge(1, step % 2 == 0, step * MS, step * MS)
    assert inputs.flapping == {1}
    inputs.tick(4999 * MS)
    assert inputs.flapping == {1}
    inputs.tick(5000 * MS)
    assert inputs.flapping == set()


@pytest.mark.parametrize("seed", range(20))
def test_changes_alternate_and_are_in_order(seed: int) -> None:
    chance, inputs, now_us = Random(seed), Inputs("gate-1", (1,), 20 * MS), 0
    told: list[InputChange] = []
    for _ in range(300):
        now_us += chance.randrange(60 * MS)
        told += (
            inputs.tick(now_us)
            if chance.random() < 0.3
            else inputs.edge(1, chance.random() < 0.5, now_us, now_us)
        )
    assert all(one.high is not other.high for one, other in pairwise(told))
    assert [one.at_us for one in told] == sorted(one.at_us for one in told)
    assert told


def test_a_level_lasts_only_while_it_is_renewed() -> None:
    outputs = Outputs({1: False})
    assert outputs.set(1, True, 100)
    assert not outputs.set(1, True, 250), "renewed: the pin stays"
    assert (outputs.tick(249), outputs.levels, outputs.deadline_us) == ([], {1: True}, 250)
    assert outputs.tick(250) == [1]
    assert (outputs.levels, outputs.deadline_us) == ({1: False}, None)


def test_a_level_without_end_stays_until_it_is_set_again() -> None:
    outputs = Outputs({1: False, 2: True})
    outputs.set(1, True, 100)
    outputs.set(1, True, None)
    outputs.set(2, False, None)
    assert (outputs.tick(10**12), outputs.levels) == ([], {1: True, 2: False})
    assert outputs.safe == {1: False, 2: True}


def test_an_end_that_is_safe_already_changes_no_pin() -> None:
    outputs = Outputs({1: False})
    outputs.set(1, False, 10)
    assert outputs.tick(10) == []


def test_a_port_without_a_safe_level_cannot_be_set() -> None:
    with pytest.raises(ValueError, match="output 3 has no safe level, expected one of: 1"):
        Outputs({1: False}).set(3, True, None)
