# SPDX-License-Identifier: Apache-2.0
"""A client that truncates, replays or floods: refused with a reason, nothing stored, others go on."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp.test_utils import TestServer

from central.errors import Denied, Unavailable
from central.people import WriteOff, attestation
from central.record import Record
from central.service import Central
from central.web.access import Access
from central.web.app import make_app, serving_locally
from central.web.gate import OF_ONE_ADDRESS, Gate
from customs.documents import Status
from sync import wire
from sync.bodies import Adopt, LoadFacts
from tests.central.dock import GTIN, Dock
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


async def test_bodies_that_never_end_leave_room_for_others_and_are_given_up() -> None:
    gate = Gate(seconds=0.2)
    stuck = asyncio.Event()

    async def slow(address: str) -> None:
        async with gate.room(address):
            await stuck.wait()

    slow_ones = [asyncio.create_task(slow("a")) for _ in range(OF_ONE_ADDRESS)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        async with gate.room("a"):
            pytest.fail("there was room")
    async with gate.room("b"):
        pass
    ends = await asyncio.gather(*slow_ones, return_exceptions=True)
    assert {type(end) for end in ends} == {Denied}
    async with gate.room("a"):
        pass


async def test_a_body_that_says_it_is_too_long_is_refused_before_it_is_read(
    center: Central, tmp_path: Path
) -> None:
    async with TestServer(make_app(center, Access(tmp_path))) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(
            f"POST {EXCHANGE} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {2**40}\r\n\r\n".encode()
        )
        await writer.drain()
        async with asyncio.timeout(WAIT_S):
            assert b" 413 " in await reader.readline()
        writer.close()
        await writer.wait_closed()


async def test_a_client_that_hangs_up_in_the_midst_harms_nobody(
    center: Central, dock: Dock, tmp_path: Path
) -> None:
    dock.move()
    body, signature = dock.signed()
    async with TestServer(make_app(center, Access(tmp_path))) as server:
        for cut in (0, 10, len(body) // 2):
            _, writer = await asyncio.open_connection(server.host, server.port)
            head = f"POST {EXCHANGE} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
            writer.write(head.encode() + f"Zonegate-Signature: {signature}\r\n\r\n".encode() + body[:cut])
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        assert (await dock.talk(center)).have == (dock.place(),)
    assert await stored(center) == 2


async def test_the_socket_in_the_data_folder_is_for_the_centers_own_user_alone(
    center: Central, tmp_path: Path
) -> None:
    python = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin")
    if os.geteuid() != 0 or python is None:
        pytest.skip("not installable: only root can ask as another user, with a python3 that all may run")
    program = """
import socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect(sys.argv[1])
link.sendall(b"POST /api/v1/enrol HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: 2\\r\\n\\r\\n{}")
print(link.recv(12).decode())
"""
    with tempfile.TemporaryDirectory() as name:  # where another user may enter
        folder = Path(name)
        folder.chmod(0o755)
        async with serving_locally(make_app(center, Access(tmp_path)), folder):
            (folder / "acts.sock").chmod(0o777)
            answers = []
            for user in (0, 65534):
                process = await asyncio.create_subprocess_exec(
                    python, "-c", program, str(folder / "acts.sock"),
                    stdout=asyncio.subprocess.PIPE, user=user, cwd="/", env={},
                )  # fmt: skip
                async with asyncio.timeout(WAIT_S):
                    answers.append((await process.communicate())[0].decode().strip())
    assert answers == ["HTTP/1.1 400", "HTTP/1.1 401"]


async def test_a_flood_of_replays_keeps_neither_its_dock_nor_others_from_their_exchange(
    center: Central, dock: Dock, tmp_path: Path
) -> None:
    other = Dock("dock-2")
    other.code = await center.enrol("dock-2")
    await other.talk(center)
    replay, sign = dock.signed()
    await center.exchange(replay, sign)
    async with (
        TestServer(make_app(center, Access(tmp_path))) as server,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WAIT_S)) as session,
    ):
        url = server.make_url(EXCHANGE)
        statuses: set[int] = set()
        ends = asyncio.Event()

        async def post(body: bytes, signature: str) -> tuple[int, bytes]:
            async with session.post(url, data=body, headers={"Zonegate-Signature": signature}) as answer:
                return answer.status, await answer.read()

        async def flood() -> None:
            while not ends.is_set():
                statuses.add((await post(replay, sign))[0])

        floods = [asyncio.create_task(flood()) for _ in range(OF_ONE_ADDRESS // 2)]
        try:
            for _ in range(5):
                for honest in (dock, other):
                    honest.move()
                    status, answer = await post(*honest.signed())
                    assert status == 200, honest.node
                    honest.have = wire.read_answer(answer).have[0].seq
        finally:
            ends.set()
            await asyncio.gather(*floods)
    assert (dock.have, other.have) == (len(dock.records), len(other.records))
    assert statuses <= {200, 503}
    assert 200 in statuses


def huge(dock: Dock, length: int) -> LoadFacts:
    """A load with a name that no label holds."""
    return LoadFacts("k" * length, gtin=GTIN, unit="EA", owner="Example User", status=Status.NPF)


@pytest.mark.parametrize("again", [False, True], ids=["as itself", "told again"])
async def test_a_movement_of_absurd_size_is_refused_before_others_are_told_of_it(
    center: Central, dock: Dock, again: bool
) -> None:
    other = Dock("dock-1")
    (other if again else dock).move(load=huge(dock, 200_000))
    if again:
        dock.add("adopt", Adopt(msgspec.Raw(other.records[-1])))
    with pytest.raises(Denied, match="length that no node writes"):
        await dock.talk(center)
    assert await stored(center) == 1
    honest = Dock(dock.node, signer=dock.signer)
    honest.move(load=huge(dock, 2_000))
    await honest.talk(center)
    assert await stored(center) == 3, "the control: a long name is taken"


async def test_a_node_that_contradicts_the_record_is_not_listened_to_for_a_while(
    center: Central, dock: Dock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each such ask makes the center read its record again, which it must not do as often as a node likes."""
    reads: list[None] = []
    read = Record.book

    async def counting(self: Record, *args: Any) -> Any:
        reads.append(None)
        return await read(self, *args)

    monkeypatch.setattr(Record, "book", counting)
    other = Dock("dock-2")
    other.code = await center.enrol("dock-2")
    await other.talk(center)
    twice = dock.move()
    dock.move_again(dock.records[-1], twice)
    with pytest.raises(Denied, match="two entries have one id") as caught:
        await dock.talk(center)
    assert caught.value.status == 409
    for _ in range(5):
        with pytest.raises(Denied, match="contradicted what is stored") as caught:
            await dock.talk(center)
        assert caught.value.status == 429
        other.move()
        await other.talk(center)
    assert len(reads) == 1
    monkeypatch.setattr("central.exchange._SHUT_S", 0.0)
    center._exchange._shut.clear()
    for _ in range(2):
        with pytest.raises(Denied, match="two entries have one id"):
            await dock.talk(center)
        other.move()
        await other.talk(center)
    assert len(reads) == 3, "the control: without the while each one costs a reading"


async def test_a_node_begins_no_more_logs_than_people_can_count(
    center: Central, dock: Dock, papers: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each log without a proven end before it is a case that names all those before it."""
    monkeypatch.setattr("central.exchange._OPEN_LOGS_MAX", 3)
    logs = [dock]
    for _ in range(2):
        logs.append(Dock(dock.node, signer=dock.signer))
        await logs[-1].talk(center)
    one_more = Dock(dock.node, signer=dock.signer)
    with pytest.raises(Denied, match="has begun 3 logs that are not closed") as caught:
        await one_more.talk(center)
    assert "write those logs off" in caught.value.next_step
    assert await stored(center) == 3
    logs[-1].move()
    await logs[-1].talk(center)
    assert await stored(center) == 4, "it goes on in those that it has"
    left = tuple(log.epoch for log in logs[:2])
    said = ("Dana", "counted", attestation(dock.node))
    await center.people.write_off(WriteOff(dock.node, (), *said, left, (logs[1].epoch, logs[2].epoch)))
    await one_more.talk(center)
    assert await stored(center) == 5, "the control: after a count it may begin another"
