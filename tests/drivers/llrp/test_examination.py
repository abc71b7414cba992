# SPDX-License-Identifier: Apache-2.0
"""The doctor's look at a reader: it changes nothing, and says of each thing whether it is as configured."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from drivers.llrp.examination import Grade, Remark, examine
from drivers.llrp.messages import Message
from drivers.llrp.settings import ReaderSettings
from simulators.reader.kinds import FIXED, IMPINJ, KINDS, PLAIN, ReaderKind
from simulators.reader.server import Reader as Simulated
from tests.drivers.llrp.peer import SILENT, Peer, serving, status

SETTINGS = ReaderSettings(antennas=(1, 2), inputs=(1,), outputs={1: False}, power_dbm=27.0, answer_s=5.0)


async def remarks(url: str, settings: ReaderSettings = SETTINGS, now: datetime | None = None) -> list[Remark]:
    return await examine(url, settings, lambda: now or datetime.now(UTC))


def texts(found: list[Remark], grade: Grade) -> str:
    return "\n".join(remark.text for remark in found if remark.grade is grade)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
async def test_a_sound_reader_has_no_fault_and_stays_as_it_was(kind: ReaderKind) -> None:
    settings = replace(SETTINGS, inputs=SETTINGS.inputs[: kind.inputs])
    async with Simulated(kind) as device:
        found = await remarks(device.url, settings)
        changing = ("SET", "ADD", "DELETE", "ENABLE", "DISABLE", "START", "STOP")
        asked = [message.name for message in device.received if message.name != "SET_PROTOCOL_VERSION"]
        assert not [name for name in asked if name.startswith(changing)]
        await device.until(lambda it: not it.connected)
    assert texts(found, Grade.FAULT) == ""
    assert f"LLRP {'1.1' if kind.version > 1 else '1.0.1'}" in found[0].text
    assert "would read with antennas 1 2, 27 dBm" in texts(found, Grade.OK)


async def test_what_is_configured_and_not_there_is_a_fault_each() -> None:
    settings = replace(SETTINGS, antennas=(2, 9), inputs=(1, 3), outputs={1: False, 7: True}, mode=77)
    async with Simulated(PLAIN) as device:
        device.set_antenna(2, False)
        device.set_input(1, True)
        found = await remarks(device.url, settings)
    faults = texts(found, Grade.FAULT)
    for words in (
        "antenna 9 is configured, the reader has 8",
        "antenna 2 is not connected",
        "input 3 is configured, the reader has 2",
        "output 7 is configured, the reader has 3",
        "mode 77 is configured, the reader has",
    ):
        assert words in faults
    assert len(faults.splitlines()) == 5


async def test_whether_pallets_are_heard_first_is_told() -> None:
    async with Simulated(PLAIN) as device:
        few = await remarks(device.url)
        many = await remarks(device.url, replace(SETTINGS, antennas=(1, 2, 3)))
        off = await remarks(device.url, replace(SETTINGS, antennas=(1, 2, 3), pallets_first=False))
    assert "would read with antennas 1 2, 27 dBm, session 0, mode 21, pallets first" in texts(few, Grade.OK)
    assert "not pallets first: that needs 6 specs, the reader takes 4" in texts(many, Grade.WARN)
    for found in (few, off):
        assert "pallets first" not in texts(found, Grade.WARN)
    assert "pallets first" not in texts(off, Grade.OK)


async def test_a_clock_that_nobody_keeps_is_told() -> None:
    async with Simulated(IMPINJ) as device:
        right = await remarks(device.url)
        device.jump_clock(3600 * 1_000_000)
        wrong = await remarks(device.url)
    assert "its clock is right" in texts(right, Grade.OK)
    assert "give it an NTP server" in texts(wrong, Grade.WARN)
    async with Simulated(FIXED) as device:
        assert "it keeps no time of day" in texts(await remarks(device.url), Grade.OK)


async def test_a_reader_in_use_is_told() -> None:
    async with Simulated() as device:
        _, writer = await asyncio.open_connection("127.0.0.1", device.port)
        await device.until(lambda it: it.connected)
        found = await remarks(device.url)
        writer.close()
    assert "another program is connected" in texts(found, Grade.WARN)
    assert "while the node runs it is the node" in texts(found, Grade.WARN)


async def test_a_reader_that_is_not_there_is_told() -> None:
    async with Simulated() as device:
        url = device.url
    found = await remarks(url)
    assert [remark.grade for remark in found] == [Grade.FAULT]
    assert "refuses the connection" in found[0].text


async def test_what_speaks_no_llrp_is_told() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        found = await remarks(f"llrp://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert "speaks no LLRP" in texts(found, Grade.FAULT)


async def test_a_reader_that_says_nothing_or_refuses_is_told() -> None:
    peer = Peer()
    peer.greetings = [None]
    async with serving(peer):
        silent = await remarks(peer.url, replace(SETTINGS, answer_s=0.05))
    assert "no greeting came within 0.05 s" in texts(silent, Grade.FAULT)
    peer = Peer()
    peer.refuse = {"GET_READER_CAPABILITIES": status(401, "board")}
    async with serving(peer):
        assert "a fault of the device itself (401)" in texts(await remarks(peer.url), Grade.FAULT)
    peer = Peer()
    peer.refuse = {"GET_SUPPORTED_VERSION": SILENT, "GET_READER_CONFIG": SILENT}
    async with serving(peer):
        found = await remarks(peer.url, replace(SETTINGS, answer_s=1.0))
    assert "did not answer GET_READER_CONFIG" in texts(found, Grade.FAULT)


async def test_a_reader_that_hangs_up_over_the_question_for_its_version_is_looked_at_all_the_same() -> None:
    peer = Peer()

    def hang_up(message: Message) -> None:
        if message.name == "GET_SUPPORTED_VERSION":
            peer.hang_up()

    peer.refuses = hang_up
    async with serving(peer):
        found = await remarks(peer.url)
    assert "LLRP 1.0.1" in texts(found, Grade.OK)
    assert peer.names().count("GET_SUPPORTED_VERSION") == 1
    # The control: who hangs up over anything else is no reader that can be used.
    peer.refuses = lambda message: hang_up(replace(message, name="GET_SUPPORTED_VERSION"))
    async with serving(peer):
        assert texts(await remarks(peer.url), Grade.FAULT)


async def test_a_reader_that_is_right_now_is_not_right_an_hour_later() -> None:
    """The control of the clock's check: the same reader, looked at with another clock."""
    async with Simulated(IMPINJ) as device:
        found = await remarks(device.url, now=datetime.now(UTC) + timedelta(hours=1))
    assert "its clock says" in texts(found, Grade.WARN)
