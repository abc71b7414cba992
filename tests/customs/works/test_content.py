# SPDX-License-Identifier: Apache-2.0
"""What a made lot contains: golden figures, closure in both units, and the ways through lots both ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.documents import Status
from customs.ledger.quantities import NOTHING, Pair
from customs.us.assessment import assess
from customs.us.lines import EntryLine
from customs.works import content as works
from customs.works.boms import CoProduct, WorksError
from customs.works.content import (
    Lost,
    Part,
    between,
    content,
    entered,
    lots_content,
    opened,
    reach,
    split,
)
from customs.works.events import MadeSaid, ScrapSaid, Take, Wasted
from customs.works.orders import Order, report
from tests.customs import example_zone as zone
from tests.customs.works.examples import (
    AT,
    BEARING,
    FLOOR,
    HOUSING,
    KIT,
    MOTOR,
    PUMP,
    SCRAP,
    papers,
    pump_bom,
    report_of,
    started,
)

D = Decimal


def part(lot: str, quantity: str | int, product: str = HOUSING, status: Status = Status.PF) -> Part:
    """So much of a lot; a housing weighs 1.2 kg."""
    count = D(quantity)
    return Part(lot, product, status, Pair(count, count * D("1.2")))


def told(parts: Sequence[Part]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for one in parts:
        found[one.lot] = found.get(one.lot, D(0)) + one.pair.commercial
    return found


def total(parts: Sequence[Part]) -> Pair:
    return sum((one.pair for one in parts), NOTHING)


# -- golden ----------------------------------------------------------------------------------------


def mixed_week(lost: Callable[..., tuple[Part, ...]] = content) -> dict[str, Decimal]:
    drawn = [part("old", 408), part("new", 357)]
    return told(lost(drawn, [Lost(HOUSING, D(15))]))


def test_the_mixed_week_issues_408_and_357_and_owes_on_400_and_350() -> None:
    assert mixed_week() == {"old": 400, "new": 350}


def test_scrap_taken_from_the_oldest_layer_alone_is_noticed() -> None:
    def oldest_first(drawn: Sequence[Part], lost: Sequence[Lost]) -> tuple[Part, ...]:
        first, *others = drawn
        rest = first.pair - Pair(lost[0].quantity, D(0))
        return (msgspec.structs.replace(first, pair=rest), *others)

    assert mixed_week(oldest_first) == {"old": 393, "new": 357}
    with pytest.raises(AssertionError):
        assert mixed_week(oldest_first) == mixed_week()


def test_the_mixed_weeks_pumps_owe_3075_on_two_lines() -> None:
    lines = {
        "old": zone.admission("HSG-7", 408, document="old", admitted=zone.FILED, pf_filed=zone.FILED),
        "new": zone.admission("HSG-7", 357, document="new", pf_filed=zone.S301_FALLS),
    }
    drawn = [part("old", 408, "HSG-7"), part("new", 357, "HSG-7")]
    net = content(drawn, [Lost("HSG-7", D(15))])
    pumps = EntryLine("1", "Example Motors", "PUMP-100", D(750), "EA", "8413", content=entered(net, lines))
    computed = assess(zone.weekly(pumps, entry_date=date(2026, 6, 8)), zone.LAW)
    by_lot: dict[str, Decimal] = {}
    for duty in computed.duties:
        by_lot[duty.lot] = by_lot.get(duty.lot, D(0)) + duty.amount
    assert by_lot == {"old": 2200, "new": 875}


def test_twenty_orders_of_fifty_pumps_contain_a_housing_each_and_not_1_02() -> None:
    net = content([part("214-1/1", 1020)], [Lost(HOUSING, D(20))])
    assert told(net) == {"214-1/1": 1000}
    assert total(between(net, D(1000), D(0), D(750))).commercial == 750


def test_a_pallet_of_25_pumps_takes_25_housings_of_the_first_layer_first() -> None:
    net = content([part("old", 20), part("new", 31)], [Lost(HOUSING, D(1))])
    assert total(net).commercial == 50
    first, second = between(net, D(50), D(0), D(25)), between(net, D(50), D(25), D(50))
    assert told(first) == {"old": D("19.607843"), "new": D("5.392157")}
    assert told(second) == {"new": D(25)}
    assert total(first) + total(second) == total(net)


# -- an order --------------------------------------------------------------------------------------

DRAWN = (
    part("214-M/1", 50, MOTOR, Status.NPF),
    part("214-B/1", 100, BEARING, Status.NPF),
    part("214-H/1", 30, HOUSING),
    part("214-H/2", 21, HOUSING),
    part("D-20260601", 50, KIT, Status.DOMESTIC),
)
"""What the ledger attributes to an order of fifty pumps."""


def reported(**more: Any) -> Order:
    order = started()
    order.reported = report(order, report_of(**more), papers(), FLOOR, AT)
    return order


def test_a_finished_lot_and_its_scrap_know_their_content() -> None:
    found = lots_content(reported(), DRAWN)
    assert set(found) == {"WO-1", "WO-1-S"}
    assert told(found["WO-1"]) == {
        "214-M/1": 50,
        "214-B/1": 100,
        "214-H/1": D("29.411765"),
        "214-H/2": D("20.588235"),
        "D-20260601": 50,
    }
    assert told(found["WO-1-S"]) == {"214-H/1": D("0.588235"), "214-H/2": D("0.411765")}
    assert total([*found["WO-1"], *found["WO-1-S"]]) == total(DRAWN)


def test_waste_that_is_gone_is_in_no_lot() -> None:
    waste = {"waste": (Wasted(HOUSING, D(2)),)}
    found = lots_content(reported(**waste), DRAWN)
    housings = [one for parts in found.values() for one in parts if one.product == HOUSING]
    assert total(housings).commercial == 49


def test_co_products_share_by_relative_value() -> None:
    other = "09521999001096"
    bom = msgspec.structs.replace(pump_bom(), coproducts=(CoProduct(other, D(1), "EA", D(50)),), value=D(150))
    order = started()
    assert order.started is not None
    order.started = msgspec.structs.replace(order.started, bom=bom)
    file = papers(bom)
    units = {**file.units, other: "EA"}
    made = (MadeSaid("p", D(50)), MadeSaid("q", D(50), other))
    said = report_of(made=made, scrap=())
    order.reported = report(order, said, msgspec_free(file, units), FLOOR, AT)
    found = lots_content(order, DRAWN)
    assert told([one for one in found["WO-1"] if one.product == MOTOR]) == {"214-M/1": D("37.5")}
    assert told([one for one in found["WO-1-C1"] if one.product == MOTOR]) == {"214-M/1": D("12.5")}
    assert total([*found["WO-1"], *found["WO-1-C1"]]) == total(DRAWN)


def msgspec_free(file: Any, units: dict[str, str]) -> Any:
    """Papers with other units."""
    return type(file)(file.zone, file.boms, file.permits, file.authorities, units, file.tariff)


def test_more_waste_than_was_drawn_is_refused() -> None:
    with pytest.raises(WorksError, match="were drawn"):
        content([part("a", 1)], [Lost(HOUSING, D(2))])
    with pytest.raises(WorksError, match="were drawn"):
        content([part("a", 1)], [Lost(MOTOR, D(1))])
    with pytest.raises(WorksError, match="order 1 is started"):
        lots_content(started(), DRAWN)


def test_foreign_goods_without_an_admission_line_have_no_value_and_are_refused() -> None:
    with pytest.raises(WorksError, match="no admission line"):
        entered([part("a", 1)], {})
    (kit,) = entered([part("D-1", 1, KIT, Status.DOMESTIC)], {})
    assert kit.values.dutiable() == 0


# -- closure ---------------------------------------------------------------------------------------

COUNTS = st.lists(st.decimals("0.000001", 1000, places=6), min_size=1, max_size=6)


@given(counts=COUNTS, share=st.fractions(0, 1), cuts=st.lists(st.integers(0, 50), max_size=4))
def test_however_a_lot_is_cut_its_contents_sum_to_what_was_drawn_in_both_units(
    counts: list[Decimal], share: Any, cuts: list[int]
) -> None:
    drawn = [
        Part(f"L{number}", HOUSING, Status.PF, Pair(count, (count * D("1.21")).quantize(D("0.000001"))))
        for number, count in enumerate(counts)
    ]
    whole = total(drawn)
    lost = (whole.commercial * share.numerator / share.denominator).quantize(D("0.000001"))
    inside, outside = works._parted(drawn, [Lost(HOUSING, min(lost, whole.commercial))])
    assert total(inside) + total(outside) == whole
    assert all(one.pair.commercial > 0 and one.pair.customs >= 0 for one in (*inside, *outside))
    marks = [D(mark) for mark in sorted({0, *cuts, 50})]
    pieces = [one for a, b in pairwise(marks) for one in between(inside, D(50), a, b)]
    assert total(pieces) == total(inside)
    shares = split(inside, [D(3), D(0), D(4)])
    assert total([one for parts in shares for one in parts]) == total(inside)
    assert shares[1] == ()


@given(scrap=st.integers(0, 20), waste=st.integers(0, 20), back=st.integers(0, 10), old=st.integers(1, 40))
def test_what_was_issued_is_in_the_lots_or_gone_or_back(scrap: int, waste: int, back: int, old: int) -> None:
    bin_ = (ScrapSaid(HOUSING, D(scrap), SCRAP, D(1), D(1), "bin"),) if scrap else ()
    order = reported(
        scrap=bin_,
        waste=(Wasted(HOUSING, D(waste)),) if waste else (),
        returned=(Take("h1", D(back)),) if back else (),
    )
    used = [one for one in DRAWN if one.product != HOUSING]
    used += [part("h/1", old), part("h/2", 51 - back - old)]
    found = lots_content(order, used)
    housings = [one for parts in found.values() for one in parts if one.product == HOUSING]
    assert total(housings).commercial == 51 - waste - back
    pump = [one for one in found["WO-1"] if one.product == HOUSING]
    assert total(pump).commercial == 51 - waste - back - scrap


# -- ways through lots -----------------------------------------------------------------------------


def test_an_assembly_is_opened_down_to_what_was_admitted() -> None:
    inner = (part("214-1/1", 10), part("214-1/2", 10))
    inside = {"WO-PUMP": inner}
    pumps = part("WO-PUMP", 10, PUMP)
    outer = (msgspec.structs.replace(pumps, first=D(5)), part("214-9/1", 3, MOTOR))
    found = opened(outer, lambda lot: inside.get(lot, ()), lambda _: D(20))
    assert told(found) == {"214-1/1": 5, "214-1/2": 5, "214-9/1": 3}


def test_content_that_contains_itself_is_refused_by_its_depth() -> None:
    circle = {"A": (part("B", 1),), "B": (part("A", 1),)}
    with pytest.raises(WorksError, match="steps deep"):
        opened(circle["A"], lambda lot: circle[lot], lambda _: D(1))


def test_where_used_goes_both_ways_and_a_circle_ends_itself() -> None:
    inside = {"C": ["A", "B"], "D": ["C"], "E": ["C", "A"]}
    went = {"A": ["C", "E"], "B": ["C"], "C": ["D", "E"]}
    assert reach("D", lambda lot: inside.get(lot, ())) == (("C", 1), ("A", 2), ("B", 2))
    assert reach("A", lambda lot: went.get(lot, ())) == (("C", 1), ("E", 1), ("D", 2))
    assert reach("B", lambda lot: went.get(lot, ()), depth_max=1) == (("C", 1),)
    ring = {"A": ["B"], "B": ["A"]}
    assert reach("A", lambda lot: ring[lot]) == (("B", 1),)


def test_units_that_a_lot_has_not_are_refused() -> None:
    for first, last in ((D(0), D(51)), (D(2), D(1)), (D(-1), D(1))):
        with pytest.raises(WorksError, match="of a lot of"):
            between([part("a", 1)], D(50), first, last)
    with pytest.raises(WorksError, match="relative value"):
        split([part("a", 1)], [D(0)])
