# SPDX-License-Identifier: Apache-2.0
"""What comes of a log after it was closed is an alarm, however often the logs are read again."""

from __future__ import annotations

from decimal import Decimal

from central.people import Settle, WriteOff, attestation
from central.service import Central
from sync.bodies import Amount, Use
from tests.central.conftest import Opener
from tests.central.dock import Dock


async def alarms(center: Central) -> list[str]:
    return [case.name for case in (await center.people.open_cases()).cases if case.name.startswith("late:")]


async def written_off(center: Central, dock: Dock, papers: bytes) -> None:
    dock.move(use=Use("A214", "1", Decimal(125)))
    await dock.talk(center)
    counted = (Amount("A214", "1", Decimal(125)),)
    await center.people.write_off(
        WriteOff(dock.node, counted, "a person", "lost", attestation(dock.node), (dock.epoch,))
    )


async def test_a_closed_log_is_not_late_when_the_center_reads_it_again(
    open_center: Opener, center: Central, dock: Dock, papers: bytes
) -> None:
    await written_off(center, dock, papers)
    assert await alarms(center) == []
    await center.close()
    again = await open_center()
    assert await alarms(again) == []


async def test_what_comes_after_the_count_is_late_until_it_is_settled(
    open_center: Opener, center: Central, dock: Dock, papers: bytes
) -> None:
    await written_off(center, dock, papers)
    dock.move(use=Use("A214", "1", Decimal(125)))
    dock.code = await center.enrol(dock.node)
    await dock.talk(center)
    late = f"late:{dock.epoch}"
    for _ in range(2):
        found = (await center.people.open_cases()).cases
        assert "entries from 3 on" in next(case.what for case in found if case.name == late)
        await center.close()
        center = await open_center()
    await center.people.settle(Settle(late, "counted again", "a person"))
    assert await alarms(center) == []
