# SPDX-License-Identifier: Apache-2.0
"""Two people act on the same goods at the same instant: one act stands, the other is told why not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import pytest

from central.bookkeeping import Adjust, ChangeStatus
from central.errors import Denied
from central.floor import Part, Relabeled
from central.service import Central
from central.works import Works
from customs.documents import Status
from tests.central.test_works import MOTOR, OWNER, PALLET, plan, start, works

__all__ = ["works"]
ACTS = 2
WAIT_SECONDS = 30


class Turn(asyncio.Lock):
    """A center's turn that tells when somebody waits for it; one that lets everybody in is none."""

    def __init__(self, *, holds: bool) -> None:
        super().__init__()
        self.holds = holds
        self.met = asyncio.Event()

    async def acquire(self) -> bool:  # type: ignore[override]
        if not self.holds:
            return True
        if self.locked():
            self.met.set()
        return await super().acquire()

    def release(self) -> None:
        if self.holds:
            super().release()


def at_once(center: Central, *, holds: bool) -> Callable[..., Coroutine[Any, Any, list[Any]]]:
    """Acts that are all checked before one is written, as far as their turn lets them."""
    turn = Turn(holds=holds)
    center._own.turn = center.bookkeeping.turn = turn
    write, checked = center.people.act, 0

    async def late(draft: Any) -> Any:
        nonlocal checked
        checked += 1
        if checked == ACTS:
            turn.met.set()
        async with asyncio.timeout(WAIT_SECONDS):
            await turn.met.wait()
        return await write(draft)

    center.people.act = late  # type: ignore[method-assign,assignment]

    async def run(*acts: Coroutine[Any, Any, Any]) -> list[Any]:
        tasks = [asyncio.create_task(act) for act in acts]
        for task in tasks:
            task.add_done_callback(lambda _: turn.met.set())
        return await asyncio.gather(*tasks, return_exceptions=True)

    return run


def change(number: str, becomes: Status) -> ChangeStatus:
    """The whole pallet gets another status."""
    loads = (Relabeled(PALLET),)
    return ChangeStatus(number, OWNER, MOTOR, Status.NPF, becomes, Decimal(60), "note", "anna", loads=loads)


async def told(center: Central) -> tuple[list[str], list[str]]:
    """The acts in the center's log, and what left without being there."""
    await center.projector.catch_up()
    async with center.database.session() as connection:
        rows = await connection.fetch(
            "SELECT type FROM entry WHERE node = 'center' AND type = ANY($1) ORDER BY type",
            ["adjustment", "order", "status-change"],
        )
    cases = (await center.ledger.overdraws()).items
    return [row["type"] for row in rows], [f"{case['quantity']:f}" for case in cases]


async def test_of_two_status_changes_of_a_load_one_stands(center: Central, works: Works) -> None:
    run, kept = at_once(center, holds=True), center.bookkeeping
    acts = [
        kept.change_status(change("PF-1", Status.PF)),
        kept.change_status(change("ZR-1", Status.RESTRICTED)),
    ]
    found = await run(*acts)
    (refused,) = [one for one in found if isinstance(one, Denied)]
    assert "are in stock" in str(refused)
    assert await told(center) == (["status-change"], [])


async def test_of_a_status_change_and_an_order_one_gets_the_goods(center: Central, works: Works) -> None:
    await works.plan(plan())
    run, kept = at_once(center, holds=True), center.bookkeeping
    found = await run(kept.change_status(change("ZR-1", Status.RESTRICTED)), works.start(start()))
    assert sum(isinstance(one, Denied) for one in found) == 1
    acts, cases = await told(center)
    assert (len(acts), cases) == (2, [])


async def test_of_a_status_change_and_a_count_one_stands(center: Central, works: Works) -> None:
    missing = Adjust(
        "C-1", OWNER, MOTOR, Status.NPF, Decimal(-1), "short", "ben", loads=(Part(PALLET, Decimal(1)),)
    )
    run, kept = at_once(center, holds=True), center.bookkeeping
    found = await run(kept.change_status(change("PF-1", Status.PF)), kept.adjust(missing))
    assert sum(isinstance(one, Denied) for one in found) == 1
    assert (await told(center))[1] == []


@pytest.mark.parametrize("other", ["status", "order"])
async def test_without_turns_both_would_stand(center: Central, works: Works, other: str) -> None:
    """The control: the same instant, and nothing that makes one wait."""
    await works.plan(plan())
    run, kept = at_once(center, holds=False), center.bookkeeping
    second = (
        kept.change_status(change("ZR-1", Status.RESTRICTED)) if other == "status" else works.start(start())
    )
    found = await run(kept.change_status(change("PF-1", Status.PF)), second)
    assert not [one for one in found if isinstance(one, BaseException)]
    acts, cases = await told(center)
    assert len(acts) == 3
    assert cases == (["60"] if other == "status" else ["51"])
