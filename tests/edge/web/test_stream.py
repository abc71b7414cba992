# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pytest
from aiohttp import ClientResponse, ClientSession, ClientTimeout

from edge.view import DeviceView, LinkView
from edge.web import stream
from tests.edge.web.fake_desk import EPOCH, STARTED, FakeDesk
from tests.edge.web.site import Site

BOUND_S = 10


async def event(answer: ClientResponse) -> tuple[str, str, Any]:
    """The next event: name, id, data."""
    fields: dict[str, str] = {}
    async with asyncio.timeout(BOUND_S):
        async for line in answer.content:
            text = line.decode().rstrip("\n")
            if text:
                name, _, value = text.partition(": ")
                fields[name] = value
            elif "data" in fields:
                return fields["event"], fields.get("id", ""), json.loads(fields["data"])
    raise AssertionError("the stream ended")


async def named(answer: ClientResponse, name: str) -> tuple[str, Any]:
    while True:
        came, place, data = await event(answer)
        if came == name:
            return place, data


async def test_a_snapshot_comes_first_with_its_journal_position(
    client: ClientSession, desk: FakeDesk
) -> None:
    async with client.get("/events?door=out1") as answer:
        name, place, data = await event(answer)
        assert (name, place) == ("snapshot", f"{EPOCH}:100")
        assert (data["door"], data["state"], data["counted"]) == ("out1", "READY", 11)
        assert data["now"].endswith("Z")
        assert await event(answer) == ("strip", f"{EPOCH}:100", {"lines": []})
        desk.say("out1", "STOP")
        assert (await named(answer, "door"))[1]["state"] == "STOP"
    async with client.get("/events", headers={"Last-Event-ID": f"{EPOCH}:1"}) as answer:
        name, place, data = await event(answer)
        assert (name, place, data["node"]) == ("snapshot", f"{EPOCH}:101", "dock-a")


async def test_a_door_s_stream_tells_of_that_door_only(client: ClientSession, desk: FakeDesk) -> None:
    async with client.get("/events?door=in1") as answer:
        await named(answer, "snapshot")
        desk.say("out1", "STOP")
        desk.say("in1", "HOLD")
        assert (await named(answer, "door"))[1]["door"] == "in1"


async def test_the_whole_stream_tells_of_every_door_and_of_changes(
    client: ClientSession, desk: FakeDesk
) -> None:
    async with client.get("/events") as answer:
        await named(answer, "snapshot")
        desk.say("out1", "STOP")
        desk.say("in1", "HOLD")
        assert [(await named(answer, "door"))[1]["door"] for _ in range(2)] == ["in1", "out1"]
        desk.hold()
        assert (await named(answer, "status"))[1] == {"position": f"{EPOCH}:102"}


async def test_a_lost_center_is_a_strip_and_no_state(client: ClientSession, desk: FakeDesk) -> None:
    async with client.get("/events?door=out1") as answer:
        await named(answer, "strip")
        desk.links[0] = LinkView("center", "Down", 1, "Not reached.", None)
        desk.tell("")
        lines = (await named(answer, "strip"))[1]["lines"]
        assert lines == ["No link to the center: 1 entry waits here, work goes on."]


async def test_a_gate_that_does_not_see_is_a_strip_at_its_own_doors(
    client: ClientSession, desk: FakeDesk
) -> None:
    async with client.get("/events?door=out1") as out, client.get("/events?door=in1") as into:
        await named(out, "strip")
        await named(into, "strip")
        away = DeviceView("gate-1", "out1, out2", "Down", "Not reached.", 0, 0, 0, STARTED, "reader")
        desk.devices = (away, msgspec.structs.replace(away, device="eye-1", kind="camera"))
        desk.tell("")
        assert (await named(out, "strip"))[1]["lines"] == ["The gate gate-1 does not see: scan each label."]
        assert (await named(into, "strip"))[1]["lines"] == []


async def test_lamps_that_do_not_follow_are_a_strip_at_their_doors(
    client: ClientSession, desk: FakeDesk
) -> None:
    async with client.get("/events?door=out1") as out, client.get("/events?door=in1") as into:
        await named(out, "strip")
        await named(into, "strip")
        ill = DeviceView(
            "gate-1", "out1", "Degraded", "output 1: no.", 0, 0, 0, STARTED, "reader", unlit=(1,)
        )
        desk.devices = (ill,)
        desk.tell("")
        said = "Lamps of gate-1 do not work: go by this screen."
        assert (await named(out, "strip"))[1]["lines"] == [said]
        assert (await named(into, "strip"))[1]["lines"] == []
        # One that reads worse, with lamps that work, is the supervisor's matter.
        desk.devices = (msgspec.structs.replace(ill, unlit=()),)
        desk.tell("")
        assert (await named(out, "strip"))[1]["lines"] == []


async def test_silence_is_broken_by_beats(client: ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BEAT_S", 0.01)
    async with client.get("/events?door=out1") as answer:
        assert (await named(answer, "beat"))[1] == {}
        assert (await named(answer, "beat"))[1] == {}


async def test_a_reader_that_the_desk_dropped_is_closed(client: ClientSession, desk: FakeDesk) -> None:
    async with client.get("/events") as answer:
        await named(answer, "snapshot")
        (queue,) = desk.queues
        queue.put_nowait(None)
        async with asyncio.timeout(BOUND_S):
            await answer.content.read()
    assert desk.queues == set()


async def test_a_reader_that_takes_nothing_is_dropped_and_waits_for_nobody(
    site: Site, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_WRITE_S", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port, limit=1024)
    writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await reader.readline()
    loud = "x" * 1_000_000
    async with asyncio.timeout(BOUND_S):
        while desk.queues:  # until the socket's buffers are full and the service gives up
            for queue in desk.queues:
                if queue.empty():
                    desk.say("out1", "STOP", loud)
            await asyncio.sleep(0)
    writer.close()


async def test_many_streams_end_at_once_when_the_service_stops(site: Site, desk: FakeDesk) -> None:
    timeout = ClientTimeout(total=BOUND_S)
    async with ClientSession(site.url, timeout=timeout) as client:
        answers = [await client.get("/events?door=out1") for _ in range(20)]
        for answer in answers:
            await event(answer)
        # The service would wait 30 s for open requests; ended streams leave it nothing to wait for.
        async with asyncio.timeout(BOUND_S):
            await site.stop()
        assert desk.queues == set()
        for answer in answers:
            answer.close()
