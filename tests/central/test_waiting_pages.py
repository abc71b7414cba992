# SPDX-License-Identifier: Apache-2.0
"""What waits, on its page and in the commands' answers, and the forms by which people admit it."""

from __future__ import annotations

from decimal import Decimal

import pytest
import pytest_asyncio

from central.service import Central
from tests.central.conftest import Client
from tests.central.ledger_zone import Zone
from tests.central.test_admitting import LABEL, deposit, stock
from tests.central.test_floor import floor, key
from tests.central.test_pick_up import accounts

HTML = {"Accept": "text/html"}
SAID = {"note": "papers came", "by": "anna"}


@pytest_asyncio.fixture
async def zone(center: Central) -> Zone:
    made = await Zone.open(center, docks=1)
    deposit(made, 10, "60", "1")
    deposit(made, 11, "40", "2")
    await made.tell()
    await center.projector.catch_up()
    return made


async def text(client: Client, path: str) -> str:
    answer = await client.get(path, headers=HTML)
    assert answer.status == 200
    return await answer.text()


async def test_what_is_in_suspense_is_admitted_from_its_page(client: Client, zone: Zone) -> None:
    shown = await text(client, "/waiting")
    assert f"{1:018d}" in shown and "2026-06-16" in shown and "passed" in shown
    assert f"/admit?loads=%2F00%2F{1:018d}" in shown
    assert "<b>60</b> EA" in shown and 'href="/pick-up"' in shown and 'href="/admit"' in shown
    form = await text(client, f"/admit?loads={key(1)}")
    assert f">{key(1)}</textarea>" in form
    order = {"document": "214-1", "line": "1", "loads": f"{key(1)}\r\n{key(2)} 15 {LABEL}\r\n", **SAID}
    wrong = await client.post("/admit", data={**order, "line": "7"}, headers=HTML)
    refused = await wrong.text()
    assert wrong.status == 404 and "This was not done" in refused and LABEL in refused
    four = await client.post("/admit", data={**order, "loads": "1 2 3 4"}, headers=HTML)
    assert four.status == 422 and "has 4 words" in await four.text()
    done = await client.post("/admit", data=order, headers=HTML, allow_redirects=False)
    assert done.status == 303 and done.headers["Location"].startswith("/entry/")
    onto = f"https://id.gs1.org/00/{LABEL}"
    assert await floor(zone.center) == {(key(1), "NPF"): 60, (onto, "NPF"): 15, (key(2), "SUSPENSE"): 25}
    shown = await text(client, "/waiting")
    assert f"{1:018d}" not in shown and f"{2:018d}" in shown
    (item,) = (await (await client.get("/api/v1/suspense")).json())["items"]
    assert (item["quantity"], item["key"], item["over"]) == ("25", key(2), True)
    assert (await (await client.get("/api/v1/suspense?as_of=2026-05-01")).json())["items"] == []


async def test_a_pick_up_is_told_and_taken_back_on_pages(client: Client, zone: Zone) -> None:
    order = {
        "document": "DD-1", "goods": "1 80", "approval": "PD 7", "owned": "true", "stable": "true",
        "examined": "false", "happened": "2026-06-01T07:00:00Z", **SAID,
    }  # fmt: skip
    refused = await client.post("/pick-up", data={**order, "owned": "false"}, headers=HTML)
    assert refused.status == 422 and "19 CFR 146.39(c)" in await refused.text()
    done = await client.post("/pick-up", data=order, headers=HTML, allow_redirects=False)
    assert done.status == 303
    assert await accounts(zone.center) == {"abroad": -80, "in-transit:DD-1": 80}
    shown = await text(client, "/waiting")
    assert "DD-1" in shown and "2026-06-03" in shown
    (item,) = (await (await client.get("/api/v1/in-transit")).json())["items"]
    assert f"/undo-pick-up?pick_up={item['entry_id']}" in shown
    lots = await text(client, "/lots")
    assert "picked up on DD-1, on the way" in lots
    undone = {"pick_up": item["entry_id"], **SAID}
    assert (
        await client.post("/undo-pick-up", data=undone, headers=HTML, allow_redirects=False)
    ).status == 303
    assert await accounts(zone.center) == {}
    assert await stock(zone.center)  # what is in suspense stays
    assert "Nothing is on its way" in await text(client, "/waiting")


@pytest.mark.parametrize("path", ["/admit", "/pick-up", "/undo-pick-up"])
async def test_nobody_admits_without_signing_in(client: Client, zone: Zone, path: str) -> None:
    await client.post("/logout", headers=HTML)
    before = zone.center.head
    assert (await client.post(path, data={"document": "214-1", **SAID}, headers=HTML)).status == 401
    assert zone.center.head == before
    assert Decimal(100) == sum((await stock(zone.center)).values())
