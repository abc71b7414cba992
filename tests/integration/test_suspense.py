# SPDX-License-Identifier: Apache-2.0
"""A load is taken into suspense at a real door, its permit comes, people admit it at a real center: from then
on the door lets it out. What the operator picked up is on its way until a real door admits it.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from central.admitting import Admit, FetchGoods, PickedUp
from central.floor import Relabeled
from central.service import Central
from customs.documents import Status
from customs.imports import Upload
from gs1 import sscc_link
from tests.central.dock import GTIN
from tests.central.ledger_zone import permit
from tests.integration.real_zone import Node, open_center, open_node
from tests.integration.test_zone_suspended import IN, LOAD, OUT, PAPERS, with_papers

pytestmark = pytest.mark.servers

SSCC = "095219990000000020"
LABEL = b"]C100" + SSCC.encode()
KEY = sscc_link(SSCC)


def paper(quantity: str) -> Any:
    made = permit("A215", "admission", GTIN)
    return "permit", replace(made, lines=(replace(made.lines[0], quantity=Decimal(quantity)),))


async def deposited(center: Central, node: Node) -> None:
    """A load that no notice names stands in suspense, and the center knows of it."""
    await with_papers(center, node)
    dock = node.service.dock
    await dock.open_job(IN, "T-1", ("S1", "S2"), "Dana")
    view = await dock.scan(IN, LABEL, "client-1", "screen in")
    assert (view.state, view.reason) == ("HOLD", "unknown-load")
    (hold,) = dock.books.state.holds
    await dock.decide(hold, "deposit", "", "Dana", "40")
    await dock.open_job(OUT, "T-2", None, "Dana")
    await node.until(lambda: dock.have >= dock.books.state.seq)


async def test_a_load_leaves_suspense_at_the_center_and_then_the_zone_at_its_door(
    postgres: str, tmp_path: Path
) -> None:
    async with open_center(postgres, tmp_path / "center") as (center, url, _):
        code = await center.enrol("dock-1")
        async with open_node(tmp_path / "dock-1", url, code) as node:
            await deposited(center, node)
            dock = node.service.dock
            held = dock.books.state.holdings[KEY]
            assert (held.status, held.owner, held.quantity) == (Status.SUSPENSE, "", Decimal(40))
            view = await dock.scan(OUT, LABEL, "client-2", "screen out")
            assert view.state == "STOP", "the control: in suspense it leaves on nothing"
            await center.people.act(lambda _: [paper("40")])
            order = Admit("A215", "1", "papers came", "Dana", loads=(Relabeled(SSCC),))
            await center.admitting.admit(order)
            await node.until(lambda: dock.books.state.holdings[KEY].status is Status.NPF)
            held = dock.books.state.holdings[KEY]
            assert (held.owner, held.gtin, held.quantity) == ("Example User", GTIN, Decimal(40))
            view = await dock.scan(OUT, LABEL, "client-3", "screen out")
            assert (view.state, view.reason) == ("ACCEPTED", "withdrawn")
            await node.until(lambda: dock.have >= dock.books.state.seq)
            await center.projector.catch_up()
            (row,) = (await center.ledger.story("A215/1")).lots
            ends = {account: amount.quantity for account, amount in row["accounts"].items()}
            assert ends == {"restatus": -40, "territory": 40}
            assert (await center.ledger.differences()).items == []


async def test_what_a_dock_was_lent_of_the_line_comes_back_before_it_is_used_at_the_center(
    postgres: str, tmp_path: Path
) -> None:
    async with open_center(postgres, tmp_path / "center") as (center, url, _):
        code = await center.enrol("dock-1")
        async with open_node(tmp_path / "dock-1", url, code) as node:
            await deposited(center, node)
            dock = node.service.dock
            lent = dock.books.state.accounts
            assert any(account.grants for account in lent.values()), "the control: it was lent"
            order = Admit("A214", "1", "papers came", "Dana", loads=(Relabeled(SSCC),))
            await center.admitting.admit(order)
            await node.until(lambda: dock.books.state.holdings[KEY].status is Status.NPF)
            assert any(account.returned for account in lent.values())
            view = await dock.scan(OUT, LABEL, "client-2", "screen out")
            assert (view.state, view.reason) == ("ACCEPTED", "withdrawn")


async def test_what_was_picked_up_is_on_its_way_until_the_door_admits_it(
    postgres: str, tmp_path: Path
) -> None:
    week = PAPERS.read_bytes().replace(b'"kind": "admission"', b'"kind": "direct-delivery"')
    async with open_center(postgres, tmp_path / "center") as (center, url, _):
        code = await center.enrol("dock-1")
        async with open_node(tmp_path / "dock-1", url, code) as node:
            await center.import_files([Upload("week.json", week)], "compliance")
            dock = node.service.dock
            await node.until(
                lambda: "T-1" in dock.books.state.conveyances and bool(dock.books.state.accounts)
            )
            await node.until(lambda: dock.have == dock.books.state.seq)
            goods = (PickedUp("1", Decimal(200)),)
            order = FetchGoods("A214", goods, "PD 7", True, True, "fetched", "Dana")
            await center.admitting.pick_up(order)
            await dock.open_job(IN, "T-1", ("S1", "S2"), "Dana")
            view = await dock.scan(IN, LOAD, "client-1", "screen in")
            assert (view.state, view.reason) == ("ACCEPTED", "admitted")
            await node.until(lambda: dock.have >= dock.books.state.seq)
            await center.projector.catch_up()
            (row,) = (await center.ledger.story("A214/1")).lots
            stands = {account: amount.quantity for account, amount in row["accounts"].items()}
            assert stands == {"abroad": -200, "in-transit:A214": 75, "stock": 125}
            assert (await center.ledger.differences()).items == []
