# SPDX-License-Identifier: Apache-2.0
"""The example zone's pumps from the doors to the duty: parts admitted, twenty work orders, what they owe."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
import pytest_asyncio

from central.costing import Cost, Costing, Question
from central.ledger_queries import Ledger
from central.service import Central
from customs.documents import Status
from customs.imports import Upload
from customs.works.events import CloseOrder, Plan, Report, Start
from simulators.yard.customs_data import tables
from simulators.yard.papers import BEARING, HOUSING, KIT, MOTOR, PUMP, SCRAP, ZONE, Pallet
from simulators.yard.scenario import Scenario, build
from sync.bodies import LoadFacts, Use
from tests.central.dock import Dock

D = Decimal
TODAY = datetime.now(UTC).date()
PARTS = (MOTOR, BEARING, HOUSING, KIT)
_FORMS = {"plan": Plan, "start": Start, "report": Report, "close": CloseOrder}


@pytest_asyncio.fixture
async def week(center: Central) -> Scenario:
    """A center at which the week's pumps are made."""
    scenario = build("day", 1, TODAY)
    dock = Dock()
    dock.doors = ("d1", "d2")
    dock.code = await center.enrol(dock.node)
    await dock.talk(center)
    papers = Upload("papers.json", msgspec.json.encode(scenario.papers.documents()))
    files = [
        Upload(name, text.replace(ZONE, "zone-999").encode())
        for name, text in tables(scenario.papers).items()
    ]
    taken = await center.import_files([papers, *files], "planner")
    assert not getattr(taken, "faults", ()), taken
    for truck in scenario.papers.trucks:
        for pallet in truck.loads:
            if truck.direction == "in" and pallet.item in PARTS:
                line = truck.line_of(pallet.item)
                quantity = str(pallet.quantity)
                use = Use(line.permit, line.line, D(quantity)) if line else None
                dock.move(quantity=quantity, use=use, load=_facts(pallet), **_whose(pallet), door="d1")
    await dock.talk(center)
    for step in scenario.steps:
        for request in step.order.requests() if step.order else ():
            said = msgspec.convert(request["says"], _FORMS[request["step"]], strict=False)
            await getattr(center.works, request["step"])(said)
    await center.projector.catch_up()
    return scenario


def _facts(pallet: Pallet) -> LoadFacts:
    key = f"https://id.gs1.org/00/{pallet.sscc}"
    return LoadFacts(
        key,
        pallet.sscc,
        pallet.item.gtin,
        unit="EA",
        owner=pallet.item.owner,
        status=Status(pallet.item.status),
    )


def _whose(pallet: Pallet) -> dict[str, str | Status]:
    return {"owner": pallet.item.owner, "status": Status(pallet.item.status)}


async def cost(center: Central, quantity: int, to: str, product: str = PUMP.gtin, status: str = "PF") -> Cost:
    costing = Costing(center.database, ("example", "zone-999"), center.customs, center.works, "UTC")
    said = Question("Example Motors", product, Status(status), D(quantity), to, TODAY)
    return await costing.cost(said)


@pytest.mark.usefixtures("week")
async def test_the_weeks_pumps_owe_as_the_story_says_and_the_books_close(center: Central) -> None:
    pumps = await cost(center, 750, "consumption")
    assert pumps.computed is not None and not pumps.refused and not pumps.short
    assert pumps.computed.duty == D("4125.00"), "not 4,207.50, which is on 1.02 housings a pump"
    assert pumps.computed.fee == D("181.86"), "on 52,500 dollars of foreign content"
    inside: dict[str, Decimal] = {}
    for one in pumps.drawn:
        for part in one.contains:
            inside[part.product] = inside.get(part.product, D(0)) + part.pair.commercial
    assert inside == {MOTOR.gtin: 750, BEARING.gtin: 1500, HOUSING.gtin: 750, KIT.gtin: 750}
    canada = await cost(center, 50, "canada")
    assert canada.computed is not None
    assert (canada.computed.duty, canada.computed.fee) == (D("275.00"), D("33.58"))
    abroad = await cost(center, 200, "export")
    assert abroad.computed is None and not abroad.refused
    warehouse = await cost(center, 1, "warehouse")
    assert "may not go to a warehouse" in warehouse.refused
    await _books_close(center)


async def _books_close(center: Central) -> None:
    ledger = Ledger(center.database, "example", "zone-999")
    assert (await ledger.differences()).items == []
    assert (await ledger.overdraws()).items == []
    goods = {row["product"]: row["accounts"] for row in (await ledger.goods()).items}
    assert goods[PUMP.gtin]["stock"].quantity == 1000
    assert goods[SCRAP.gtin]["stock"].quantity == 20
    assert goods[HOUSING.gtin]["consumed"].quantity == 1020
    assert goods[MOTOR.gtin]["stock"].quantity == 80, "two pallets more than the pumps take"
    assert not any(name.startswith("wip:") for accounts in goods.values() for name in accounts)
    order = await center.works.one(f"{build('day', 1, TODAY).papers.week}-01")
    assert order.reported is not None
    variances = {line.input: (line.expected, line.used, line.in_product) for line in order.reported.variances}
    assert variances[HOUSING.gtin] == (D(51), D(51), D(50))
