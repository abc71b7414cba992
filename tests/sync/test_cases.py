# SPDX-License-Identifier: Apache-2.0
"""What people are told to look into, where a node makes things up."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from customs.documents import LineRef
from sync.bodies import Use
from sync.cases import ALARM, STAKES_MAX, Case, cases
from tests.sync.memory import LINE, Center, Node


def test_lines_that_no_permit_has_are_one_alarm_of_their_log(center: Center, node: Node) -> None:
    for number in range(2 * STAKES_MAX):
        node.withdraw(1, LineRef("made-up", f"{number:03}"))
    node.withdraw(1)
    node.settle(center)
    [case] = alarms(center)
    assert (case.name, case.kind, case.node) == (f"stray:{node.epoch}", ALARM, node.name)
    assert f"{2 * STAKES_MAX} lines" in case.what
    assert len(case.stake) == STAKES_MAX
    assert {stake.permit for stake in case.stake} == {"made-up"}


def test_the_alarm_of_unknown_lines_ends_when_their_permit_is_imported(center: Center, node: Node) -> None:
    node.withdraw(5, LineRef("W07", LINE.line))
    node.settle(center)
    assert [case.name for case in alarms(center)] == [f"stray:{node.epoch}"]
    center.write("permit", msgspec.structs.replace(center.book.permits[LINE.permit], number="W07"))
    assert [case.name for case in alarms(center)] == [f"overdrawn:W07/{LINE.line}:{node.epoch}"]


def test_more_than_a_known_line_allows_is_an_alarm_of_the_line(center: Center, node: Node) -> None:
    node.withdraw(801)
    node.settle(center)
    name = f"overdrawn:{LINE.permit}/{LINE.line}"
    assert {case.name for case in alarms(center)} == {name, f"{name}:{node.epoch}"}


def test_an_unknown_line_that_was_only_given_back_to_is_no_alarm(center: Center, node: Node) -> None:
    moved = node.withdraw(5, LineRef("made-up", "1"))
    node.undo(moved, Use("made-up", "1", Decimal(5)))
    node.settle(center)
    assert alarms(center) == []


def alarms(center: Center) -> list[Case]:
    return [case for case in cases(center.book) if case.kind == ALARM]
