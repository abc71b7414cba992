# SPDX-License-Identifier: Apache-2.0
"""Beside each quantity that programs are told stands its unit, as on the pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from central.looks import _LOOKS
from central.service import Central
from central.storing import Declare, Store
from central.web.access import Access
from central.web.app import make_app
from customs.documents import Status
from sync.bodies import LoadFacts
from tests.central.dock import Dock
from tests.central.ledger_zone import GTINS, Zone
from tests.central.test_admitting import deposit
from tests.central.test_tracing import made_skids
from tests.central.test_works import MOTOR, OWNER, PALLET, PUMP, works

__all__ = ["works"]
Client = TestClient[web.Request, web.Application]
QUANTITIES = ("quantity", "customs", "commercial", "short")
MADE = {
    "lots": "lots",
    "goods": None,
    "lots/A214/1": "story",
    "lots/WO-W1": "story",
    "trace/A214/1?way=into": "trace",
    "trace/WO-SKID-1?way=of": "trace",
    "locations/A-1": "location",
    f"loads/{quote(PALLET, safe='')}": "load",
    "cost?" + urlencode({"owner": OWNER, "product": MOTOR, "quantity": "9999"}): "cost",
    "cost?" + urlencode({"owner": OWNER, "product": PUMP, "quantity": "5"}): "cost",
}


def bare(value: Any, unit: bool = False, at: str = "") -> Iterator[str]:
    """Where a quantity stands in an answer, and no unit with it or around it."""
    if isinstance(value, list):
        for each in value:
            yield from bare(each, unit, at)
    elif isinstance(value, dict):
        unit = unit or isinstance(value.get("unit"), str)
        for name, each in value.items():
            if name in QUANTITIES and isinstance(each, str) and not unit:
                yield f"{at}/{name}"
            if name not in (
                "papers",
                "paper",
                "computed",
                "question",
                "made",
            ):  # have their own, or the row's
                yield from bare(each, unit, f"{at}/{name}")


def without_units(value: Any) -> Any:
    if isinstance(value, list):
        return [without_units(each) for each in value]
    if isinstance(value, dict):
        return {name: without_units(each) for name, each in value.items() if name != "unit"}
    return value


@pytest_asyncio.fixture
async def client(center: Central, tmp_path: Path) -> AsyncIterator[Client]:
    async with TestClient(TestServer(make_app(center, Access(tmp_path)))) as made:
        yield made


async def told(client: Client, path: str) -> Any:
    answer = await client.get(f"/api/v1/{path}")
    assert answer.status == 200, await answer.text()
    return await answer.json()


async def test_quantities_of_lots_goods_costs_and_places_are_told_with_their_unit(
    client: Client, center: Central, works: Any, dock: Dock
) -> None:
    await made_skids(center, works, dock)
    await center.storing.declare(Declare("A-1", "anna"))
    await center.storing.put_away(Store((PALLET,), "anna", to="A-1"))
    await center.projector.catch_up()
    for path, look in MADE.items():
        answer = await told(client, path)
        assert list(bare(answer)) == [], path
        assert list(bare(without_units(answer))), f"the control: {path} has quantities"
        if look is not None:
            assert " EA" in "\n".join(_LOOKS[look].tell(answer)), path


async def test_what_waits_is_told_with_its_unit_and_what_nobody_knows_without(
    client: Client, center: Central
) -> None:
    zone = await Zone.open(center, docks=1)
    deposit(zone, 10, "60", "1")
    unknown = LoadFacts("/00/none", None, None, owner="")
    zone.docks[0].move("admission", "5", None, load=unknown, owner="", status=Status.SUSPENSE)
    await zone.tell()
    items = (await told(client, "suspense"))["items"]
    units = {item["product"]: item["unit"] for item in items}
    assert units == {GTINS[0]: "EA", "/00/none": None}
    lines = "\n".join(_LOOKS["suspense"].tell({"items": items}))
    assert "60 EA" in lines and "  5  " in lines


@pytest.mark.parametrize(
    "answer", [{"quantity": "5"}, {"items": [{"accounts": {"stock": {"quantity": "5"}}}]}]
)
def test_the_look_at_answers_finds_a_quantity_without_unit(answer: Any) -> None:
    assert list(bare(answer)) and not list(bare({**answer, "unit": "EA"}))
