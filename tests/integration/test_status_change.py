# SPDX-License-Identifier: Apache-2.0
"""Goods get another status at a real center; a real node's door judges by it as soon as it hears."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from pathlib import Path

import pytest

from central.bookkeeping import ChangeStatus
from central.floor import Relabeled
from central.service import Central
from customs.documents import Status
from edge.anchor import Anchor
from edge.clock import system_clocks
from gs1 import sscc_link
from tests.integration.real_zone import Node, open_center, open_node
from tests.integration.test_zone_suspended import IN, LOAD, OUT, with_papers
from zonegate.child import free_port

pytestmark = pytest.mark.servers

SSCC = "095219990000000013"
KEY = sscc_link(SSCC)


async def with_a_load(center: Central, node: Node) -> None:
    """The load is in the zone as NPF, the center knows it, and the truck that would take it is open."""
    await with_papers(center, node)
    dock = node.service.dock
    await dock.open_job(IN, "T-1", ("S1", "S2"), "Dana")
    assert (await dock.scan(IN, LOAD, "client-1", "screen in")).reason == "admitted"
    await dock.open_job(OUT, "T-2", None, "Dana")
    await node.until(lambda: dock.have >= dock.books.state.seq)


def filed() -> ChangeStatus:
    goods = ("Example User", "09521999001058", Status.NPF, Status.PF, Decimal(125))
    return ChangeStatus("PF-1", *goods, "filed", "Dana", loads=(Relabeled(SSCC),))


async def test_the_door_judges_by_the_new_status_as_soon_as_its_dock_hears_of_it(
    postgres: str, tmp_path: Path
) -> None:
    async with open_center(postgres, tmp_path / "center") as (center, url, _):
        code = await center.enrol("dock-1")
        async with open_node(tmp_path / "dock-1", url, code) as node:
            await with_a_load(center, node)
            dock = node.service.dock
            view = await dock.scan(OUT, LOAD, "client-2", "screen out")
            assert view.reason == "withdrawn", "the control: as NPF it leaves on this permit"
            await dock.undo(OUT, "client-3", "Dana")
            await node.until(lambda: dock.have >= dock.books.state.seq)
            await center.bookkeeping.change_status(filed())
            await node.until(lambda: dock.books.state.holdings[KEY].status is Status.PF)
            view = await dock.scan(OUT, LOAD, "client-4", "screen out")
            assert (view.state, view.reason) == ("STOP", "not-on-permit"), "the permit's line is of NPF"


async def test_what_left_before_an_offline_dock_heard_of_it_stays_gone_and_is_a_case(
    postgres: str, tmp_path: Path
) -> None:
    listen = f"127.0.0.1:{free_port()}"
    async with contextlib.AsyncExitStack() as stack:
        async with open_center(postgres, tmp_path / "center", listen) as (center, url, _):
            code = await center.enrol("dock-1")
            node = await stack.enter_async_context(open_node(tmp_path / "dock-1", url, code))
            await with_a_load(center, node)
        # The center's address is gone, its people work on.
        office = await Central.open(
            postgres, "example", "zone-999", Anchor(tmp_path / "center"), system_clocks()
        )
        _, told = await office.bookkeeping.change_status(filed())
        await office.close()
        dock = node.service.dock
        view = await dock.scan(OUT, LOAD, "client-2", "screen out")
        assert view.reason == "withdrawn", "the dock cannot know"

        async with open_center(postgres, tmp_path / "center", listen) as (center, _, _):
            await node.until(lambda: told.entry_id in dock.books.state.center_ids)
            await node.until(lambda: dock.have >= dock.books.state.seq)
            assert KEY not in dock.books.state.holdings
            view = await dock.scan(OUT, LOAD, "client-3", "screen out")
            assert view.reason == "already-counted"
            await center.projector.catch_up()
            [case] = [
                case
                for case in (await center.people.open_cases()).cases
                if case.name.startswith("not-on-books:")
            ]
            assert f"125 of 09521999001058 of Example User in NPF left at door {OUT} of dock-1" in case.what
