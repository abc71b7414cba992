# SPDX-License-Identifier: Apache-2.0
"""A zone is suspended and goods are held at a real center; a real node's doors say so, and go on after."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from central.errors import Denied
from central.people import Settle
from central.restraining import LiftHold, PutHold, Resume, Suspend
from central.service import Central
from customs.imports import Upload
from edge.anchor import Anchor
from edge.clock import system_clocks
from edge.view import Refused
from gs1 import work_order_code
from tests.integration.real_zone import Node, open_center, open_node
from zonegate.child import free_port

pytestmark = pytest.mark.servers

PAPERS = Path(__file__).parents[1] / "central" / "papers.json"
LOAD = b"]C100095219990000000013"
IN, OUT = "dock-1-in", "dock-1-out"


async def with_papers(center: Central, node: Node) -> None:
    """The dock has its papers and leases, and its inbound truck is open."""
    await center.import_files([Upload("week.json", PAPERS.read_bytes())], "compliance")
    books = node.service.dock.books
    await node.until(lambda: "T-1" in books.state.conveyances and bool(books.state.accounts))
    await node.until(lambda: node.service.dock.have == books.state.seq)


async def test_every_door_says_stop_without_a_scan_and_goes_on_when_the_zone_is_resumed(
    postgres: str, tmp_path: Path
) -> None:
    async with open_center(postgres, tmp_path / "center") as (center, url, _):
        code = await center.enrol("dock-1")
        async with open_node(tmp_path / "dock-1", url, code) as node:
            await with_papers(center, node)
            dock = node.service.dock
            await dock.open_job(IN, "T-1", ("S1", "S2"), "Dana")

            await center.restraining.suspend(Suspend("fire inspection", "Dana"))
            await node.until(lambda: node.reason(IN) == node.reason(OUT) == "zone-suspended")
            view = await dock.scan(IN, LOAD, "client-1", "screen in")
            assert (view.state, view.reason, view.remark) == ("STOP", "zone-suspended", "fire inspection")
            with pytest.raises(Refused, match="The zone is suspended"):
                await dock.open_job(OUT, "T-2", None, "Dana")
            view = await dock.scan(OUT, work_order_code("T-2").encode(), "client-2", "screen out")
            assert (view.reason, dock.books.job_at(OUT)) == ("zone-suspended", None)
            with pytest.raises(Denied, match="suspended already"):
                await center.restraining.suspend(Suspend("again", "Dana"))
            assert not dock.books.state.holdings

            await center.restraining.resume(Resume("nothing was found", "Dana"))
            await node.until(lambda: (node.reason(IN), node.reason(OUT)) == ("ready", "ready-no-job"))
            view = await dock.scan(IN, LOAD, "client-3", "screen in")
            assert view.reason == "admitted", "the control: the same load, the same papers"
            with pytest.raises(Denied, match="not suspended"):
                await center.restraining.resume(Resume("again", "Dana"))


async def test_a_dock_that_starts_again_without_its_center_is_still_suspended(
    postgres: str, tmp_path: Path
) -> None:
    async with open_center(postgres, tmp_path / "center") as (center, url, _):
        code = await center.enrol("dock-1")
        async with open_node(tmp_path / "dock-1", url, code) as node:
            await with_papers(center, node)
            await center.restraining.suspend(Suspend("strike", "Dana"))
            await node.until(lambda: node.reason(OUT) == "zone-suspended")
    async with open_node(tmp_path / "dock-1", "http://127.0.0.1:9", None) as node:
        await node.until(lambda: node.service.dock.recording)
        assert node.reason(IN) == node.reason(OUT) == "zone-suspended"


async def test_held_goods_stop_at_the_door_until_the_hold_is_lifted(postgres: str, tmp_path: Path) -> None:
    async with open_center(postgres, tmp_path / "center") as (center, url, _):
        code = await center.enrol("dock-1")
        async with open_node(tmp_path / "dock-1", url, code) as node:
            await with_papers(center, node)
            dock = node.service.dock
            await dock.open_job(IN, "T-1", ("S1", "S2"), "Dana")
            await center.restraining.put_hold(PutHold("agency", "exam", "Dana", load="095219990000000013"))
            await node.until(lambda: bool(dock.books.state.restraints.holds))
            view = await dock.scan(IN, LOAD, "client-1", "screen in")
            assert (view.state, view.sentence, view.step) == (
                "STOP",
                "Customs holds this load.",
                "Set it aside.",
            )
            [hold] = (await center.restraining.standing()).holds
            await center.restraining.lift_hold(LiftHold(hold.id, "released", "Dana"))
            await node.until(lambda: not dock.books.state.restraints.holds)
            view = await dock.scan(IN, LOAD, "client-2", "screen in")
            assert view.reason == "admitted"


async def test_what_an_offline_dock_let_in_meanwhile_is_a_case(postgres: str, tmp_path: Path) -> None:
    listen = f"127.0.0.1:{free_port()}"
    async with contextlib.AsyncExitStack() as stack:
        async with open_center(postgres, tmp_path / "center", listen) as (center, url, _):
            code = await center.enrol("dock-1")
            node = await stack.enter_async_context(open_node(tmp_path / "dock-1", url, code))
            await with_papers(center, node)
            await node.service.dock.open_job(IN, "T-1", ("S1", "S2"), "Dana")
        # The center's address is gone, its people work on.
        office = await Central.open(
            postgres, "example", "zone-999", Anchor(tmp_path / "center"), system_clocks()
        )
        await office.restraining.suspend(Suspend("fire inspection", "Dana"))
        await office.close()
        view = await node.service.dock.scan(IN, LOAD, "client-1", "screen in")
        assert view.reason == "admitted", "the dock cannot know"

        async with open_center(postgres, tmp_path / "center", listen) as (center, _, _):
            await node.until(lambda: node.reason(IN) == "zone-suspended")
            await node.until(lambda: node.service.dock.have >= node.service.dock.books.state.seq)
            found = [case for case in (await center.people.open_cases()).cases if "under-hold" in case.name]
            assert len(found) == 1
            assert "1 load (095219990000000013) crossed under a hold at dock-1" in found[0].what
            assert "the zone was suspended, fire inspection" in found[0].what
            await center.people.settle(Settle(found[0].name, "found it, set aside", "Dana"))
            names = {case.name for case in (await center.people.open_cases()).cases}
            assert found[0].name not in names
