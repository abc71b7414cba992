# SPDX-License-Identifier: Apache-2.0
"""Leases of one permit line among docks: never more lent than there is, whole loads, and no two docks that
take the same loads from each other in turn."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from customs.documents import Conveyance, Direction, Permit, PermitLine, PlannedLoad, Product, Status
from edge.leases import returns, wants
from gs1 import check_digit, sscc_link
from sync import leasing, wire
from sync.bodies import JobEvent, LoadFacts, Movement, ReadSummary, Refusal, Use
from tests.sync.memory import LINE, TOOL, Center, Node
from zonegate.simulation.stores import START, Chance

ZERO = Decimal(0)


class Dock(Node):
    """A dock that asks for what its doors lack, and gives back what they do not need."""

    def ask(self) -> tuple[bytes, str]:
        for body in list(returns(self.books, self.doors, self.have)):
            self.write("return", body)
        wanted = wants(self.books, self.doors)
        ask = self.sync.ask(
            self.chance.hex(), self.epoch, self.told, self.store, lambda: self.signer.head(self.told), wanted
        )
        body_ = wire.encode(ask)
        return body_, self.signer.sign(wire.request_message(body_))

    def job(self, event: str) -> None:
        self.write("job", JobEvent(event, f"T-{self.name}", "Trailer", Direction.OUT, "w"), self.doors[0])

    @property
    def stands(self) -> bool:
        """Whether its truck is open."""
        return self.books.job_at(self.doors[0]) is not None

    def scan(self, number: int, quantity: int) -> bool:
        """A load at the door: it passes and is booked, or it is refused for lack of quantity."""
        facts = LoadFacts(
            sscc_link(sscc(number)), sscc(number), TOOL, None, None, Decimal(quantity), "EA", "Example Two",
            Status.NPF,
        )  # fmt: skip
        read = ReadSummary("scanner-1", "barcode", sscc(number), "", START)
        job, passes = f"T-{self.name}", self.spendable() >= quantity
        if passes:
            use = Use(LINE.permit, LINE.line, Decimal(quantity))
            moved = Movement(
                job, Direction.OUT, facts, use.quantity, "EA", "Example Two", Status.NPF, "withdrawn", read,
                self.have, use,
            )  # fmt: skip
            self.write("withdrawal", moved, self.doors[0])
        else:
            said = Refusal(job, Direction.OUT, facts, "leased-elsewhere", read, self.have, LINE)
            self.write("stop", said, self.doors[0])
        return passes


def sscc(number: int) -> str:
    digits = f"09521999{number:09d}"
    return digits + check_digit(digits)


def loads(dock: int, *quantities: int) -> tuple[PlannedLoad, ...]:
    return tuple(
        PlannedLoad(sscc(100 * dock + at), TOOL, Decimal(quantity), "Example Two", Status.NPF, "L1")
        for at, quantity in enumerate(quantities)
    )


def world(quantity: int, *trucks: tuple[int, ...]) -> tuple[Center, list[Dock]]:
    """A center with one line of `quantity`; one dock for each truck, whose notice names these loads."""
    chance = Chance(1)
    center = Center(chance)
    center.write("product", Product(TOOL, "Tool 12", per_pallet=Decimal(10)))
    line = PermitLine(LINE.line, TOOL, Status.NPF, Decimal(quantity), "EA", Direction.OUT)
    start = START.date()
    center.write("permit", Permit(LINE.permit, "weekly-entry", "Example Two", start, start, (line,)))
    docks = []
    for number, named in enumerate(trucks, start=1):
        dock = Dock(chance, f"dock-{number}")
        center.codes.add(dock.name)
        dock.code = dock.name
        dock.start()
        truck = Conveyance(
            f"T-{dock.name}", "Trailer", "Carrier", dock.doors[0], Direction.OUT, permit_lines=(LINE,),
            loads=loads(number, *named),
        )  # fmt: skip
        center.write("conveyance", truck)
        docks.append(dock)
    return center, docks


def rounds(center: Center, docks: list[Dock], most: int = 12) -> int:
    """Exchange in turn until nothing is new; how many rounds that took."""
    for number in range(1, most + 1):
        before = (len(center.log), [dock.told for dock in docks])
        for dock in docks:
            dock.exchange(center)
        check(center, docks)
        if before == (len(center.log), [dock.told for dock in docks]):
            return number
    raise AssertionError(f"still lending to and fro: {center.types()[-20:]}")


def check(center: Center, docks: list[Dock]) -> None:
    authorized = center.book.permits[LINE.permit].lines[0].quantity
    assert center.charged() <= authorized, "never more is lent than there is"
    for dock in docks:
        account = dock.books.account(LINE)
        assert dock.spendable() >= 0
        assert account.used + account.returned <= account.granted(dock.have), "only what is confirmed goes"


def moves(center: Center) -> int:
    """Entries that leases have cost."""
    given_back = sum(stored.entry.type == "return" for stored in center.copies.all())
    return sum(center.types().count(kind) for kind in ("grant", "recall", "lent")) + given_back


def test_a_line_with_a_truck_at_one_dock_only_goes_whole_to_it() -> None:
    center, (first, second) = world(800, (), ())
    center.write("conveyance", Conveyance("T-dock-2", "T", "C", "nowhere", Direction.OUT))
    rounds(center, [first, second])
    assert [dock.spendable() for dock in (first, second)] == [800, 0]


def test_a_line_with_trucks_at_two_docks_is_shared_by_what_their_notices_name() -> None:
    center, docks = world(100, (30, 20, 20), (10,))
    rounds(center, docks)
    assert docks[0].spendable() >= 70
    assert docks[1].spendable() >= 10


def test_what_lies_idle_elsewhere_comes_after_one_exchange_of_each() -> None:
    center, (first, second) = world(100, (), ())
    rounds(center, [first, second])
    second.job("opened")
    assert not second.scan(1, 90)
    second.exchange(center)  # the want
    first.exchange(center)  # what is asked back
    first.exchange(center)  # given back
    second.exchange(center)
    second.exchange(center)  # and confirmed
    check(center, [first, second])
    assert second.scan(1, 90)


def test_a_load_in_front_of_a_door_keeps_what_it_needs() -> None:
    center, (first, second) = world(100, (60,), (60,))
    rounds(center, [first, second])
    first.job("opened")
    rounds(center, [first, second])
    assert first.spendable() >= 60
    second.job("opened")
    rounds(center, [first, second])
    assert first.spendable() >= 60, "it stands open and came first"
    assert not second.scan(200, 60)
    assert second.books.state.lent[str(LINE)].keys() == {"dock-1"}
    first.job("closed")
    rounds(center, [first, second])
    assert second.scan(200, 60), "what a closed truck does not need flows back"


def test_a_truck_that_never_comes_keeps_nothing_from_others() -> None:
    center, (first, second) = world(100, (50, 50), (100,))
    rounds(center, [first, second])
    second.job("opened")
    rounds(center, [first, second])
    assert second.scan(200, 100)


def test_a_line_that_is_used_up_is_told_from_one_that_is_lent() -> None:
    center, (first, second) = world(100, (100,), (100,))
    rounds(center, [first, second])
    first.job("opened")
    rounds(center, [first, second])
    second.job("opened")
    rounds(center, [first, second])
    assert second.books.state.lent[str(LINE)] == {"dock-1": Decimal(100)}
    assert first.scan(100, 100)
    rounds(center, [first, second])
    assert second.books.state.lent[str(LINE)] == {}


def test_halves_of_a_load_at_two_docks_become_a_load_at_one() -> None:
    center, (first, second) = world(20, (), ())
    center.book.products[TOOL] = Product(TOOL, "Tool 12", per_pallet=Decimal(10))
    rounds(center, [first, second])
    assert [dock.spendable() for dock in (first, second)] == [10, 10]
    for dock in (first, second):
        dock.job("opened")
        assert not dock.scan(900, 20)
    rounds(center, [first, second])
    assert max(first.spendable(), second.spendable()) == 20


acts = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(("exchange", "open", "close", "scan")), st.integers(1, 6)),
    max_size=40,
)


@settings(max_examples=100, deadline=None)
@example(12, [[1], [2, 5, 6]], [(1, "exchange", 1), (1, "open", 1)])
@example(
    7,
    [[], [], [1, 3]],
    [
        *((at, "exchange", 1) for at in (2, 1)),
        (1, "open", 1),
        *((at, "exchange", 1) for at in (2, 2)),
        (2, "open", 1),
    ],
)
@example(
    10,
    [[1, 1, 1, 3], [3, 6]],
    [
        *((at, "exchange", 1) for at in (1, 0)),
        *((at, "open", 1) for at in (0, 1)),
        (0, "exchange", 1),
        (0, "close", 1),
    ],
)
@example(
    13,
    [[1, 1], [1, 3, 5, 6]],
    [(1, "exchange", 1), (0, "exchange", 1), (0, "open", 1), (0, "close", 1), (1, "open", 1)],
)
@given(
    st.integers(0, 30),
    st.lists(st.lists(st.integers(1, 6), max_size=4), min_size=2, max_size=3),
    acts,
)
def test_docks_never_lend_to_and_fro(
    quantity: int, notices: list[list[int]], story: list[tuple[int, str, int]]
) -> None:
    center, docks = world(10 * quantity, *(tuple(10 * load for load in named) for named in notices))
    for at, act, load in story:
        dock = docks[at % len(docks)]
        if act == "exchange":
            dock.exchange(center)
        elif act == "open" and not dock.stands and dock.books.state.conveyances:
            dock.job("opened")
        elif act == "close" and dock.stands:
            dock.job("closed")
        elif act == "scan" and dock.stands:
            dock.scan(900 + len(center.log), 10 * load)
        check(center, docks)
    rounds(center, docks)
    assert moves(center) <= 4 * (len(story) + 3 * len(docks)), "each costs a bounded number of entries"
    wanting = [dock for dock in docks if dock.stands and wants(dock.books, dock.doors)]
    if len(wanting) == 1:
        idle = sum((dock.spendable() for dock in docks if not dock.stands), ZERO)
        need = wants(wanting[0].books, wanting[0].doors)[0].quantity
        assert ZERO in (idle, need), "what lies idle flows to where it is needed"


@pytest.mark.parametrize("planned", [{}, {"dock-2": ZERO}, {"dock-1": ZERO, "dock-2": ZERO}])
def test_more_than_is_free_is_never_planned(planned: dict[str, Decimal]) -> None:
    asker = leasing.Holder("dock-1", "a", ZERO, ZERO)
    other = leasing.Holder("dock-2", "b", Decimal(70), Decimal(20))
    plan = leasing.plan(
        asker,
        [other],
        planned,
        free=Decimal(10),
        lacking={"a": Decimal(500)},
        load=Decimal(10),
        recalled={},
    )
    assert plan.grant == 10
    assert plan.recalls == {"b": Decimal(70)}
    assert plan.holders == {"dock-1": Decimal(10), "dock-2": Decimal(70)}
    again = leasing.plan(
        asker,
        [other],
        planned,
        free=ZERO,
        lacking={"a": Decimal(490)},
        load=Decimal(10),
        recalled=plan.recalls,
    )
    assert again.recalls == {}, "what was asked back is not asked for twice"
