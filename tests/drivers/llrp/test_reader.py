# SPDX-License-Identifier: Apache-2.0
"""A Reader against a scripted peer: what it asks for, what it makes of the answers, and what it tells."""

from __future__ import annotations

from dataclasses import replace

from drivers import State
from tests.drivers.llrp.peer import (
    OTHER,
    QUICK,
    Peer,
    gate,
    numbers,
    report,
    tag,
)


async def test_a_reader_is_set_up_from_its_own_tables_and_its_reads_arrive() -> None:
    peer = Peer(OTHER)
    async with gate(peer, replace(QUICK, power_dbm=25.5, antennas=(1, 2))) as heard:
        await peer.send(report(tag(1), tag(2, antenna=2)))
        await heard.until(lambda: len(heard.reads) == 2)
        assert heard.states == [State.OPENING, State.READY]
    assert numbers(heard.reads) == [1, 2]
