# SPDX-License-Identifier: Apache-2.0
"""What no label says, sent to a real node's scanner port and keyboard: it stays alive and answers, tells a
flood and takes the next good scan; what reaches journal, center, broker and pages is escaped and bounded."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import asyncpg
import pytest
import pytest_asyncio

from edge.store import JournalReader
from gs1.printable import printable
from simulators.yard import labels
from tests.conftest import MosquittoMaker
from tests.faults.dockyard import DOOR, GTIN, Dockyard, Picture, dockyard, page, pallets, papers, until
from tests.integration.mqtt_parts import Subscriber

pytestmark = pytest.mark.servers

NOISE_BYTES = 16_000
OVER_LONG = 17_000
RECORD_BYTES_MAX = 8 * 1024
"""Of the 2 kB that an entry keeps of a code, in hex, and its frame."""

PAYLOAD_BYTES_MAX = 16 * 1024

WRONG_SSCC = b"]C100" + (sscc := labels.sscc(7))[:-1].encode() + str((int(sscc[-1]) + 1) % 10).encode()
HOSTILE = {
    "html": b"<script>alert('dock')</script>",
    "attribute": b"\"'><img src=x onerror=alert(1)>",
    "sql": b"'); DROP TABLE entry; --",
    "formula": b'=HYPERLINK("http://192.0.2.1","A1")',
    "template": b"{{ 7*7 }}${7*7}",
    "escape codes": b"\x1b[2J\x1b]0;dock\x07",
    "bell": b"A\x07B",
    "not utf-8": b"\xff\xfe\xc3\x28",
    "wrong check digit": WRONG_SSCC,
    "wrong gtin": b"]E09521999001059",
    "huge serial": b"]C101" + GTIN.encode() + b"21" + b"9" * 500,
    "10 kB": b"]C100" + b"7" * 10_000,
}


class Site:
    """The dock, and a subscriber to all that it publishes."""

    def __init__(self, yard: Dockyard, heard: Subscriber) -> None:
        self.yard, self.heard = yard, heard


@pytest_asyncio.fixture
async def site(tmp_path: Path, postgres: str, mosquitto: MosquittoMaker) -> AsyncIterator[Site]:
    broker = await mosquitto()
    async with (
        Subscriber(broker.port) as heard,
        dockyard(tmp_path, postgres, papers(), broker=broker.url) as yard,
    ):
        yield Site(yard, heard)


async def test_noise_is_throttled_and_told_and_the_next_good_scan_is_accepted(site: Site) -> None:
    yard = site.yard
    before = len(yard.screen.seen)
    enough = asyncio.Event()
    noise = asyncio.create_task(make_noise(yard, enough))
    await until(lambda: is_flooded(device(yard)), "the status page to show the flood")
    await until(lambda: "Degraded" in page(yard.node.url + "/"), "its page to show it")
    enough.set()
    await noise
    assert (await accepted_at_last(yard, next(pallets()))) == "ACCEPTED"
    assert not any(picture.event == "lost" for picture in yard.screen.seen[before:])
    await until(lambda: device(yard)["state"] == "Up", "the flood to be over")
    # A device's state is shown before the alarm of it is recorded; a label that was sent twice comes late.
    await until(yard.arrived, "everything to be recorded")
    await until(lambda: evidence(yard) == admitted(device(yard)), "the other reads to be kept")
    shown = device(yard)
    with JournalReader(yard.node.store) as reader:
        records = [json.loads(record) for _, record in reader.page(0, 5000)]
    alarms = [record["body"] for record in records if record["type"] == "alarm"]
    # A pause in the noise, on a busy machine, ends a flood, and what follows is another one.
    assert [alarm["kind"] for alarm in alarms] == ["flood", "flood-over"] * (len(alarms) // 2)
    assert alarms[-1]["count"] == shown["dropped"] > 0
    # The whole of it is one Hold that the good scan settled.
    assert [record["type"] for record in records].count("hold") == 1
    assert yard.status()["holds"] == []
    await nothing_grew(site)


async def test_hostile_codes_are_holds_that_say_what_came_and_harm_nothing(site: Site) -> None:
    yard = site.yard
    for name, code in HOSTILE.items():
        # Each comes over the wire or the keyboard, as a scanner or a wedge sends it.
        before = len(yard.screen.seen)
        await yard.scanner.send(code + b"\r")
        shown = await yard.screen.until(partial(shows, printable(code)), after=before)
        assert shown[-1].state == "HOLD", (name, shown[-1])
    assert await typed(yard, "<b>typed</b>\x1b[31m", "wedge-0001") == 200
    assert await typed(yard, "9" * 17_000, "wedge-0002") == 413
    assert await typed(yard, "\ud800", "wedge-0003") == 400
    assert (await yard.scan(next(pallets()))).state == "ACCEPTED"
    await kept(yard, len(HOSTILE) + 3)
    await yard.scanner.send(b"8" * OVER_LONG + b"\r")
    await until(
        lambda: f"a line of {OVER_LONG} bytes was dropped" in device(yard)["detail"], "the dropped line"
    )
    await nothing_grew(site)
    for path in pages(yard):
        text = page(path)
        for raw in ("<script>alert", "<img src=x", "<b>typed", "\x1b", "\x07", "\x00"):
            assert raw not in text, path


def shows(code: str, seen: Sequence[Picture]) -> bool:
    return any(picture.code == code for picture in seen)


def evidence(yard: Dockyard) -> int:
    """Reads that the journal keeps, whatever came of them."""
    with closing(sqlite3.connect(f"file:{yard.node.store}/journal.sqlite3?mode=ro", uri=True)) as journal:
        return int(journal.execute("SELECT count(*) FROM read_evidence").fetchone()[0])


async def kept(yard: Dockyard, reads: int) -> None:
    """So many reads are evidence. What is noted of a read may be written after its entry was told."""
    await until(lambda: evidence(yard) >= reads, f"{reads} reads to be kept as evidence")
    assert evidence(yard) == reads


def pages(yard: Dockyard) -> list[str]:
    node, center = yard.node.url, yard.center.url
    sought = quote("<script>alert('dock')</script>")
    return [
        *(f"{node}{path}" for path in ("/", f"/door/{DOOR}", "/inventory", f"/search?q={sought}")),
        *(f"{center}{path}" for path in ("/", "/movements", "/nodes", f"/?q={sought}")),
    ]


async def nothing_grew(site: Site) -> None:
    """Journal, center and payloads hold every entry once, in bounds, without one character that acts."""
    yard = site.yard
    await until(yard.arrived, "everything to reach the center")
    connection = await asyncpg.connect(yard.dsn)
    try:
        stored = [
            row["record"] for row in await connection.fetch("SELECT record FROM entry WHERE node = 'dock-1'")
        ]
    finally:
        await connection.close()
    with JournalReader(yard.node.store) as reader:
        written = [record for _, record in reader.page(0, 5000)]
    assert sorted(stored) == sorted(written)
    events = sum(json.loads(record)["type"] in ("hold", "stop", "admission") for record in written)
    await site.heard.until(lambda: len(site.heard.ids()) >= events)
    for record in written:
        if json.loads(record)["type"] != "saw":
            assert len(record) <= RECORD_BYTES_MAX
        assert harmless(record)
    for message in site.heard.messages:
        assert len(message.payload) <= PAYLOAD_BYTES_MAX
        assert harmless(message.payload)


def harmless(data: bytes | bytearray) -> bool:
    """Whether these bytes are visible ASCII, which neither a terminal nor a log reader acts upon."""
    return all(0x20 <= byte < 0x7F for byte in data) and b"<script" not in data


@pytest.mark.parametrize("data", [b"\x1b[2J", b"a\nb", b"\xc3\x28", b"<script>alert(1)"])
def test_a_planted_character_that_acts_is_found(data: bytes) -> None:
    assert not harmless(data)


def device(yard: Dockyard) -> dict[str, Any]:
    found: dict[str, Any] = yard.status()["devices"][0]
    return found


def is_flooded(device: dict[str, Any]) -> bool:
    told = "reads a second" in device["detail"] or "were dropped" in device["detail"]
    return bool(device["state"] == "Degraded" and told)


def admitted(device: dict[str, Any]) -> int:
    return int(device["reads"] - device["dropped"])


async def make_noise(yard: Dockyard, enough: asyncio.Event) -> None:
    noise = random.Random(5).randbytes(NOISE_BYTES)
    while not enough.is_set():
        assert await yard.scanner.send(noise)


async def accepted_at_last(yard: Dockyard, label: bytes) -> str:
    """Scan as a worker does who sees nothing happen: again, a few times."""
    code = label.decode()
    for _ in range(60):
        before = len(yard.screen.seen)
        await yard.scanner.send(b"\r" + label + b"\r")
        if await yard.screen.within(0.5, lambda seen: any(answered(p, code) for p in seen), after=before):
            return yard.screen.seen[-1].state
    return "nothing"


def answered(picture: Picture, code: str) -> bool:
    return bool(picture.code == code and picture.reason != "checking")


async def typed(yard: Dockyard, code: str, client_id: str) -> int:
    headers = {"Authorization": f"Bearer {yard.node.token(f'door.{DOOR}')}"}
    body = json.dumps({"code": code, "client_id": client_id}).encode()
    headers["Content-Type"] = "application/json"
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(headers=headers))
        url = f"{yard.node.url}/api/v1/doors/{DOOR}/scan"
        answer = await stack.enter_async_context(session.post(url, data=body))
        return answer.status
