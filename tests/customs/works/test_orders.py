# SPDX-License-Identifier: Apache-2.0
"""Work orders: what each step needs, what it writes, and that nothing is made of nothing."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.documents import Status
from customs.works import orders
from customs.works.boms import version_on
from customs.works.events import CLOSED, CloseOrder, MadeSaid, OrderEvent, Plan, ScrapSaid, Take, Wasted
from customs.works.given import OrderRefused
from customs.works.orders import Order, close, fold, plan, report, start
from customs.works.permits import Activity
from tests.customs.works.examples import (
    ACTIVITY,
    AT,
    AUTHORITY,
    BEARING,
    FLOOR,
    HOUR,
    HOUSING,
    KIT,
    MONDAY,
    MOTOR,
    PUMP,
    SCRAP,
    TAKES,
    goods,
    papers,
    planned,
    pump_bom,
    report_of,
    start_of,
    started,
)

replace = msgspec.structs.replace


def refused(act: Any, *arguments: Any) -> str:
    with pytest.raises(OrderRefused) as caught:
        act(*arguments)
    assert caught.value.next_step
    return str(caught.value)


def start_refused(order: Order | None = None, floor: Any = FLOOR, file: Any = None, **more: Any) -> str:
    return refused(start, order or planned(), start_of(**more), file or papers(), floor, AT)


def report_refused(**more: Any) -> str:
    return refused(report, started(), report_of(**more), papers(), FLOOR, AT)


def test_an_order_goes_from_plan_to_close_and_its_events_are_its_state() -> None:
    order = started()
    order.reported = report(order, report_of(), papers(), FLOOR, AT)
    order.first_report, order.report_id = order.reported, "entry"
    order.closed = close(order, CloseOrder("1", MONDAY, "planner"), AT + HOUR)
    told: dict[str, Order] = {}
    for event in (order.planned, order.started, order.reported, order.closed):
        assert event is not None
        fold(told, msgspec.json.decode(msgspec.json.encode(event), type=OrderEvent), "entry")
    assert told == {"1": order}
    assert order.state == CLOSED


def test_what_goes_to_an_order_is_told_by_product_and_status_with_its_loads() -> None:
    event = started().started
    assert event is not None and event.bom == pump_bom()
    told = {(issue.product, issue.status, issue.quantity): len(issue.loads) for issue in event.issues}
    assert told == {
        (MOTOR, Status.NPF, Decimal(50)): 2,
        (BEARING, Status.NPF, Decimal(100)): 1,
        (HOUSING, Status.PF, Decimal(51)): 1,
        (KIT, Status.DOMESTIC, Decimal(50)): 1,
    }


def test_what_came_of_an_order_is_a_lot_of_its_own_and_so_is_its_scrap() -> None:
    event = report(started(), report_of(), papers(), FLOOR, AT)
    (made,) = event.made
    assert (made.lot, made.product, made.status, made.quantity) == ("WO-1", PUMP, Status.PF, Decimal(50))
    assert [piece.sscc for piece in made.loads] == ["095219990000000020", "095219990000000037"]
    (scrap,) = event.scrap
    assert (scrap.made.lot, scrap.made.product, scrap.made.status) == ("WO-1-S", SCRAP, Status.NPF)
    assert (scrap.taken, scrap.value) == (Decimal(1), Decimal("1.00"))


def test_half_a_housing_too_much_is_a_line_and_not_a_rounding() -> None:
    takes = (
        Take("m1", Decimal(25)),
        Take("b1", Decimal(50)),
        Take("h1", Decimal(26)),
        Take("k1", Decimal(25)),
    )
    order = planned(quantity=Decimal(25))
    order.started = start(order, start_of(takes=takes), papers(), FLOOR, AT - HOUR)
    scrap = ScrapSaid(HOUSING, Decimal(1), SCRAP, Decimal(1), Decimal(1), "bin")
    said = report_of(made=(MadeSaid("p1", Decimal(25)),), scrap=(scrap,))
    event = report(order, said, papers(), FLOOR, AT)
    housing = next(line for line in event.variances if line.input == HOUSING)
    assert (housing.expected, housing.used, housing.in_product) == (Decimal("25.5"), Decimal(26), Decimal(25))
    motor = next(line for line in event.variances if line.input == MOTOR)
    assert motor.expected == motor.used == 25


def test_half_a_housing_is_not_issued() -> None:
    assert "counted whole" in start_refused(takes=(Take("h1", Decimal("25.5")),))


# -- the papers ------------------------------------------------------------------------------------


def test_nothing_starts_without_an_active_permit_for_manufacture_in_this_zone() -> None:
    assert "no permit" in start_refused(permit="216-26-999")
    ended = replace(ACTIVITY, valid_to=MONDAY - timedelta(days=1))
    assert "not on 2026-06-01" in start_refused(file=papers(activity=ended))
    assert "to manipulate" in start_refused(
        file=papers(activity=replace(ACTIVITY, activity=Activity.MANIPULATE))
    )
    assert "zone 111" in start_refused(file=papers(activity=replace(ACTIVITY, zone="111")))
    assert "Example Tools" in start_refused(file=papers(activity=replace(ACTIVITY, owner="Example Tools")))
    last = replace(ACTIVITY, valid_to=MONDAY)
    assert start(planned(), start_of(), papers(activity=last), FLOOR, AT).permit == ACTIVITY.number


def test_nothing_starts_without_an_authority_that_names_the_product_and_each_foreign_input() -> None:
    assert "no production authority" in start_refused(authority="none")
    no_pump = replace(AUTHORITY, products=("841381",))
    assert "does not name the product" in start_refused(file=papers(authority=no_pump))
    no_bearing = replace(AUTHORITY, materials=("850131", "761699"))
    assert f"foreign input {BEARING}, heading 848210" in start_refused(file=papers(authority=no_bearing))
    over = replace(AUTHORITY, valid_to=MONDAY - timedelta(days=1))
    assert "not on 2026-06-01" in start_refused(file=papers(authority=over))


def test_the_domestic_kit_needs_no_authority_and_no_tariff_number() -> None:
    assert start(planned(), start_of(), papers(), FLOOR, AT).issues
    foreign = FLOOR | {"k1": goods(KIT, "k1", 500)}
    assert f"tariff number of {KIT} is not on file" in start_refused(floor=foreign)


def test_an_authority_that_is_not_asked_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "_authority_faults", lambda *_: [])
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        test_nothing_starts_without_an_authority_that_names_the_product_and_each_foreign_input()


def test_the_bill_is_that_of_the_orders_day() -> None:
    old = pump_bom("A", valid_to=MONDAY)
    new = pump_bom("B", valid_from=MONDAY + timedelta(days=1))
    event = start(planned(), start_of(), papers(old, new), FLOOR, AT)
    assert event.bom is not None and event.bom.version == "A"
    later = start(planned(), start_of(on=MONDAY + timedelta(days=1)), papers(old, new), FLOOR, AT)
    assert later.bom is not None and later.bom.version == "B"


def test_a_bill_by_todays_date_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    today = date(2026, 11, 22)
    monkeypatch.setattr(orders, "version_on", lambda boms, product, _: version_on(boms, product, today))
    with pytest.raises(AssertionError):
        test_the_bill_is_that_of_the_orders_day()


# -- the goods -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("load", "said"),
    [
        (goods(HOUSING, "h1", 60, Status.PF, held="customs hold H-1"), "may not be worked on: customs hold"),
        (goods(HOUSING, "h1", 60, Status.RESTRICTED), "Zone-restricted goods wait"),
        (goods(HOUSING, "h1", 60, Status.SUSPENSE), "no status yet"),
        (goods(HOUSING, "h1", 60, Status.PF, constructive="06-1"), "are entered on 06-1"),
        (goods(HOUSING, "h1", 60, Status.PF, owner="Example Tools"), "is Example Tools's"),
        (goods(PUMP, "h1", 60), "does not name"),
        (goods(HOUSING, "h1", 50, Status.PF), "has 50 EA, 51 are asked for"),
    ],
)
def test_goods_that_may_not_be_worked_on_are_refused(load: Any, said: str) -> None:
    assert said in start_refused(floor=FLOOR | {"h1": load})


def test_what_the_books_have_less_of_than_the_floor_is_not_issued() -> None:
    file = dataclasses.replace(papers(), stock={(HOUSING, Status.PF): Decimal(50)})
    assert "50 EA of" in start_refused(file=file)
    assert "146.61" in start_refused(file=file)
    enough = dataclasses.replace(papers(), stock={(HOUSING, Status.PF): Decimal(51)})
    assert start(planned(), start_of(), enough, FLOOR, AT).issues


def test_every_reason_is_told_at_once() -> None:
    takes = (*TAKES, Take("nowhere", Decimal(1)), Take("m1", Decimal(1)), Take("b1", Decimal("NaN")))
    told = start_refused(permit="none", authority="none", takes=takes)
    for part in ("no permit", "no production authority", "no load 'nowhere'", "has 0 EA", "no quantity"):
        assert part in told


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"made": ()}, "nothing was made"),
        ({"made": (MadeSaid("x", Decimal(50), MOTOR),)}, "neither the product nor a co-product"),
        ({"made": (MadeSaid("x", Decimal(25)),) * 2}, "said twice"),
        ({"made": (MadeSaid("x", Decimal("0.5")),)}, "counted whole"),
        ({"waste": (Wasted(HOUSING, Decimal(51)),)}, "51 EA of"),
        ({"waste": (Wasted(HOUSING, Decimal(50)),)}, "is in what was made"),
        ({"waste": (Wasted(PUMP, Decimal(1)),)}, "no input of this bill"),
        ({"returned": (Take("m1", Decimal(41)),)}, "not 41"),
        ({"returned": (Take("m9", Decimal(1)),)}, "nothing of load"),
        ({"on": MONDAY - timedelta(days=1)}, "was started on"),
        ({"takes": (Take("m2", Decimal(31)),)}, "31 are asked for"),
    ],
)
def test_a_report_that_does_not_add_up_is_refused(more: dict[str, Any], said: str) -> None:
    left = {**FLOOR, "m1": goods(MOTOR, "m1", 1), "m2": goods(MOTOR, "m2", 30)}
    assert said in refused(report, started(), report_of(**more), papers(), left, AT)


def test_a_step_out_of_its_turn_is_refused() -> None:
    assert "is planned" in refused(report, planned(), report_of(), papers(), FLOOR, AT)
    assert "is started" in refused(start, started(), start_of(), papers(), FLOOR, AT)
    assert "is started" in refused(close, started(), CloseOrder("1", MONDAY, "x"), AT)
    said = planned().planned
    assert "is there already" in refused(plan, {"1": planned()}, _as_plan(said), papers(), AT)


def test_a_clock_that_was_set_back_takes_no_step() -> None:
    for at in (AT - HOUR, AT - 3 * HOUR):
        said = refused(report, started(), report_of(), papers(), FLOOR, at)
        assert "the step before was at 2026-06-01 14:00:00" in said


def _as_plan(event: OrderEvent) -> Any:
    assert event.quantity is not None
    return Plan(event.order, event.owner, event.product, event.quantity, event.on, event.by)


def test_waste_recovered_from_manufacture_loses_privilege_and_waste_of_a_casualty_keeps_it() -> None:
    (scrap,) = report(started(), report_of(), papers(), FLOOR, AT).scrap
    assert scrap.made.status is Status.NPF
    burnt = ScrapSaid(HOUSING, Decimal(1), SCRAP, Decimal(1), Decimal(0), "bin", recovered=False)
    (scrap,) = report(started(), report_of(scrap=(burnt,)), papers(), FLOOR, AT).scrap
    assert scrap.made.status is Status.PF


def test_what_is_made_stands_in_the_strictest_status_of_what_is_in_it() -> None:
    assert orders.made_status([Status.DOMESTIC]) is Status.DOMESTIC
    assert orders.made_status([Status.DOMESTIC, Status.PF]) is Status.PF
    assert orders.made_status([Status.PF, Status.NPF]) is Status.PF
    assert orders.made_status([Status.NPF, Status.DOMESTIC]) is Status.NPF


@given(
    scrap=st.integers(0, 60),
    waste=st.integers(0, 60),
    back=st.integers(0, 60),
    more=st.integers(0, 9),
)
def test_what_was_issued_is_in_the_product_or_scrap_or_waste_or_went_back(
    scrap: int, waste: int, back: int, more: int
) -> None:
    said = report_of(
        scrap=(ScrapSaid(HOUSING, Decimal(scrap), SCRAP, Decimal(1), Decimal(1), "bin"),) if scrap else (),
        waste=(Wasted(HOUSING, Decimal(waste)),) if waste else (),
        returned=(Take("h1", Decimal(back)),) if back else (),
        takes=(Take("h1", Decimal(more)),) if more else (),
    )
    order, left = started(), {**FLOOR, "h1": goods(HOUSING, "h1", 9, Status.PF)}
    issued = 51 + more
    if scrap + waste + back >= issued:
        refused(report, order, said, papers(), left, AT)
        return
    event = report(order, said, papers(), left, AT)
    line = next(line for line in event.variances if line.input == HOUSING)
    returned = sum(issue.quantity for issue in event.returned)
    assert issued == line.in_product + scrap + waste + returned
    assert line.used == issued - returned
