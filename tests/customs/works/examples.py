# SPDX-License-Identifier: Apache-2.0
"""The example zone's pump, as tests of manufacture use it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from customs.documents import Status
from customs.works.boms import Bom, Input, Scrap
from customs.works.events import MadeSaid, Plan, Report, ScrapSaid, Start, Take
from customs.works.given import Goods, Papers
from customs.works.orders import Order, plan, start
from customs.works.permits import Activity, ActivityPermit, Authority

MOTOR = "09521999001010"
BEARING = "09521999001027"
HOUSING = "09521999001034"
PUMP = "09521999001041"
KIT = "09521999001072"
SCRAP = "09521999001089"

MONDAY = date(2026, 6, 1)


def pump_bom(version: str = "A", valid_from: date = date(2026, 1, 1), valid_to: date | None = None) -> Bom:
    """One motor, two bearings, 1.02 housings, one kit; 0.02 housings become aluminum scrap."""
    return Bom(
        product=PUMP,
        version=version,
        unit="EA",
        valid_from=valid_from,
        valid_to=valid_to,
        inputs=(
            Input(MOTOR, Decimal(1), "EA"),
            Input(BEARING, Decimal(2), "EA"),
            Input(HOUSING, Decimal("1.02"), "EA"),
            Input(KIT, Decimal(1), "EA"),
        ),
        scrap=(Scrap(HOUSING, Decimal("0.02"), recoverable=True, description="aluminum", gtin=SCRAP),),
    )


OWNER = "Example Motors"
ZONE = "999001001"
AT = datetime(2026, 6, 1, 15, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

UNITS = dict.fromkeys((PUMP, MOTOR, BEARING, HOUSING, KIT, SCRAP), "EA")
TARIFF = {
    PUMP: "8413702004",
    MOTOR: "8501314000",
    BEARING: "8482101080",
    HOUSING: "7616995190",
    KIT: None,
    SCRAP: "7602000030",
}

ACTIVITY = ActivityPermit(
    "216-26-001", Activity.MANUFACTURE, OWNER, ZONE, date(2026, 1, 1), date(2026, 12, 31)
)
AUTHORITY = Authority("B-12-2026", OWNER, ZONE, ("850131", "848210", "761699"), ("841370",), date(2026, 1, 1))


def papers(*boms: Bom, activity: ActivityPermit = ACTIVITY, authority: Authority = AUTHORITY) -> Papers:
    """What is on file for the pump."""
    return Papers(
        ZONE,
        boms or (pump_bom(),),
        {activity.number: activity},
        {authority.number: authority},
        UNITS,
        TARIFF,
    )


def goods(gtin: str, key: str, quantity: int, status: Status = Status.NPF, **more: Any) -> Goods:
    """A load of the pumps' owner."""
    facts: dict[str, Any] = {"owner": OWNER, "unit": "EA"} | more
    return Goods(key, gtin, status=status, quantity=Decimal(quantity), **facts)


FLOOR = {
    load.key: load
    for load in (
        goods(MOTOR, "m1", 40),
        goods(MOTOR, "m2", 40),
        goods(BEARING, "b1", 500),
        goods(HOUSING, "h1", 60, Status.PF),
        goods(KIT, "k1", 500, Status.DOMESTIC),
    )
}
"""The pallets of fifty pumps and more."""

TAKES = tuple(
    Take(load, Decimal(quantity))
    for load, quantity in (("m1", 40), ("m2", 10), ("b1", 100), ("h1", 51), ("k1", 50))
)
"""What fifty pumps take."""


def planned(order: str = "1", **more: Any) -> Order:
    """An order of fifty pumps."""
    said = Plan(order, OWNER, PUMP, Decimal(50), MONDAY, "planner")
    return Order(plan({}, msgspec.structs.replace(said, **more), papers(), AT - 2 * HOUR))


def start_of(order: str = "1", **more: Any) -> Start:
    """The start of an order of fifty pumps."""
    said = Start(order, MONDAY, ACTIVITY.number, AUTHORITY.number, TAKES, "planner")
    return msgspec.structs.replace(said, **more)


def report_of(order: str = "1", **more: Any) -> Report:
    """Fifty pumps on two pallets, and one housing in the scrap bin."""
    scrap = ScrapSaid(HOUSING, Decimal(1), SCRAP, Decimal(1), Decimal("1.00"), "bin")
    made = (MadeSaid("095219990000000020", Decimal(25)), MadeSaid("095219990000000037", Decimal(25)))
    said = Report(order, MONDAY, "planner", made=made, scrap=(scrap,))
    return msgspec.structs.replace(said, **more)


def started(order: str = "1", **more: Any) -> Order:
    """An order whose goods were issued."""
    found = planned(order)
    found.started = start(found, start_of(order, **more), papers(), FLOOR, AT - HOUR)
    return found
