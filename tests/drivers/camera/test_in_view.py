# SPDX-License-Identifier: Apache-2.0
"""One label is one scan."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from drivers.camera.decoders import Symbol
from drivers.camera.in_view import LABELS_MAX, InView

if TYPE_CHECKING:
    from collections.abc import Callable

TODAY = date(2026, 11, 22)
S = 1_000_000_000
SSCC = Symbol("]C1", b"00095219990000000013", ())
SAME_IN_MATRIX = Symbol("]d2", b"00095219990000000013021952199900001037" + b"12\x1d10LOT7", ())
SAME_AS_LINK = Symbol("]Q1", b"https://id.gs1.org/00/095219990000000013", ())
OTHER = Symbol("]C1", b"00095219990000000020", ())
ORDER = Symbol("]C0", b"ZG1:J:4711:XX", ())


def sure(_: Symbol) -> bool:
    return True


def test_a_label_that_stays_is_new_once() -> None:
    view = InView(4 * S)
    assert [view.fresh([SSCC], second * S, TODAY, sure) for second in range(5)] == [[SSCC], [], [], [], []]


def test_a_label_that_flickers_is_new_once_and_one_that_was_gone_is_new_again() -> None:
    view = InView(4 * S)
    times = [0, 3 * S, 6 * S, 10 * S - 1, 14 * S - 1, 14 * S]
    assert [len(view.fresh([SSCC], ns, TODAY, sure)) for ns in times] == [1, 0, 0, 0, 1, 0]


def test_codes_of_the_same_load_are_one_label_and_the_fullest_is_read() -> None:
    view = InView(4 * S)
    assert view.fresh([SSCC, SAME_AS_LINK, OTHER, ORDER, SAME_IN_MATRIX], 0, TODAY, sure) == [
        SAME_IN_MATRIX,
        OTHER,
        ORDER,
    ]
    assert view.fresh([SAME_AS_LINK], S, TODAY, sure) == []


def test_a_code_of_which_it_is_not_sure_has_not_been_seen() -> None:
    view = InView(4 * S)
    assert view.fresh([SSCC], 0, TODAY, lambda _: False) == []
    assert view.fresh([SSCC], S, TODAY, sure) == [SSCC]
    asked: list[Symbol] = []

    def ask(symbol: Symbol) -> bool:
        asked.append(symbol)
        return True

    assert view.fresh([SSCC, OTHER], 2 * S, TODAY, ask) == [OTHER]
    assert asked == [OTHER]  # a label in view is looked at once


def test_what_is_remembered_is_bounded() -> None:
    view = InView(4 * S)
    codes = [Symbol("]Q1", b"%d" % number, ()) for number in range(3 * LABELS_MAX)]
    assert len(view.fresh(codes, 0, TODAY, sure)) == 3 * LABELS_MAX
    assert len(view._last_ns) == LABELS_MAX


def scans_by_definition(seen: list[tuple[int, set[int]]], gone: int) -> list[tuple[int, int]]:
    """Each label at each picture in which it is after `gone` or more without it."""
    return [
        (at, label)
        for number, (at, labels) in enumerate(seen)
        for label in sorted(labels)
        if not any(label in before and at - then < gone for then, before in seen[:number])
    ]


def scans_of(
    make: Callable[[int], InView], seen: list[tuple[int, set[int]]], gone: int
) -> list[tuple[int, int]]:
    view = make(gone)
    return [
        (at, int(symbol.code))
        for at, labels in seen
        for symbol in view.fresh([Symbol(None, b"%d" % n, ()) for n in sorted(labels)], at, TODAY, sure)
    ]


COURSES = st.lists(st.tuples(st.integers(0, 5), st.sets(st.integers(10, 13)))).map(
    lambda steps: [
        (sum(step for step, _ in steps[: number + 1]), labels) for number, (_, labels) in enumerate(steps)
    ]
)


@given(COURSES, st.integers(1, 6))
def test_any_course_of_labels_gives_the_scans_that_the_rule_tells(
    seen: list[tuple[int, set[int]]], gone: int
) -> None:
    assert scans_of(InView, seen, gone) == scans_by_definition(seen, gone)


class Forgetful(InView):
    """The planted bug: a label is new in each picture."""

    def _see(self, label: str | bytes, view_ns: int) -> bool:
        return False


def test_a_view_that_forgets_is_found() -> None:
    seen = [(0, {10}), (1, {10})]
    assert scans_of(Forgetful, seen, 4) != scans_by_definition(seen, 4) == scans_of(InView, seen, 4)
