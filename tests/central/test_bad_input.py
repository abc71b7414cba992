# SPDX-License-Identifier: Apache-2.0
"""A client that truncates, replays or floods: refused with a reason, nothing stored, others go on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from central.errors import Denied
from central.service import Central
from central.web.access import Access
from central.web.app import make_app
from sync import wire
from tests.central.dock import Dock
from tests.central.test_exchange import stored

EXCHANGE = "/api/v1/exchange"
WAIT_S = 60.0
FLOODERS = 16
"""Connections that send what is no ask, as fast as they are answered."""


async def test_an_ask_that_was_cut_anywhere_is_refused_and_stores_nothing(
    center: Central, dock: Dock
) -> None:
    dock.move()
    body, signature = dock.signed()
    for cut in range(0, len(body), 97):
        with pytest.raises(Denied):
            await center.exchange(body[:cut], signature)
        with pytest.raises(Denied):
            await center.exchange(body[:cut], dock.signer.sign(wire.request_message(body[:cut])))
    assert await stored(center) == 1
    await center.exchange(body, signature)
    assert await stored(center) == 2, "the control: the whole of it is taken"


async def test_an_old_ask_that_is_replayed_changes_nothing(center: Central, dock: Dock) -> None:
    dock.move()
    old = dock.signed()
    await dock.talk(center)
    dock.move("withdrawal")
    await dock.talk(center)
    before, head = await stored(center), center.head
    for _ in range(5):
        answer = wire.read_answer(await center.exchange(*old))
        assert answer.have == (dock.place(),), "it is told what is stored, not what it knew"
    assert (await stored(center), center.head) == (before, head)


async def test_an_ask_of_one_center_is_refused_under_another_nodes_name(center: Central, dock: Dock) -> None:
    other = Dock("dock-2")
    other.code = await center.enrol("dock-2")
    await other.talk(center)
    dock.move()
    body, _ = dock.signed()
    before = await stored(center)
    with pytest.raises(Denied) as caught:
        await center.exchange(body, other.signer.sign(wire.request_message(body)))
    assert caught.value.status == 403
    assert await stored(center) == before


async def test_a_flood_of_nonsense_keeps_no_dock_from_its_exchange(
    center: Central, dock: Dock, tmp_path: Path
) -> None:
    async with (
        TestServer(make_app(center, Access(tmp_path))) as server,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WAIT_S)) as session,
    ):
        url = server.make_url(EXCHANGE)
        nonsense = [b"", b"{" * 5000, b"\xff" * 100_000, dock.signed()[0]]
        statuses: set[int] = set()
        ends = asyncio.Event()

        async def flood(number: int) -> None:
            body = nonsense[number % len(nonsense)]
            while not ends.is_set():
                async with session.post(url, data=body, headers={"Zonegate-Signature": "00"}) as answer:
                    statuses.add(answer.status)

        floods = [asyncio.create_task(flood(number)) for number in range(FLOODERS)]
        try:
            for _ in range(5):
                dock.move()
                body, signature = dock.signed()
                headers = {"Zonegate-Signature": signature}
                async with session.post(url, data=body, headers=headers) as answer:
                    assert answer.status == 200
                    dock.have = wire.read_answer(await answer.read()).have[0].seq
            assert dock.have == len(dock.records)
        finally:
            ends.set()
            await asyncio.gather(*floods)
    assert statuses == {400, 403}
    assert await stored(center) == 6
