# SPDX-License-Identifier: Apache-2.0
"""One address opens one link, on every kind of line; what cannot be opened says why."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from drivers import (
    LinkAddress,
    LinkLost,
    LinkUnavailable,
    LinkUrlError,
    NullModem,
    Port,
    list_ports,
    open_link,
    parse_link_url,
)
from drivers import link as link_module
from drivers.inbox import INBOX_BYTES_MAX
from tests.drivers.lines import LINES, PATIENCE_S, Line, line_of

BACKENDS = ("serialx", "pyserial")


def test_an_address_is_taken_apart() -> None:
    assert parse_link_url("serial:///dev/serial/by-id/usb-A_B%201") == LinkAddress(
        "serial", "/dev/serial/by-id/usb-A_B 1", 9600, "none", "serialx"
    )
    assert parse_link_url("serial:///dev/ttyS0?baud=115200&parity=even&backend=pyserial") == LinkAddress(
        "serial", "/dev/ttyS0", 115_200, "even", "pyserial"
    )
    assert parse_link_url("null-modem://door-1") == LinkAddress("null-modem", "door-1")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "expected serial:///dev"),
        ("/dev/ttyS0", "expected serial:///dev"),
        ("serial://dev/ttyS0", "expected serial:///dev"),
        ("http://a/", "expected serial:///dev"),
        ("http://[", "expected serial:///dev"),
        ("null-modem://", "expected serial:///dev"),
        ("null-modem://a/b", "expected serial:///dev"),
        ("serial:///dev/ttyS0?baud=9601", "baud=9601 in"),
        ("serial:///dev/ttyS0?baud=fast", "baud=fast in"),
        ("serial:///dev/ttyS0?speed=9600", "setting 'speed' in"),
        ("serial:///dev/ttyS0?backend=other", "expected one of serialx, pyserial"),
    ],
)
async def test_an_address_that_cannot_work_says_what_was_expected(url: str, words: str) -> None:
    with pytest.raises(LinkUrlError) as refused:
        await open_link(url)
    assert words in str(refused.value)


@pytest.mark.parametrize("kind", LINES)
async def test_bytes_go_both_ways(kind: str, tmp_path: Path) -> None:
    async with line_of(kind, tmp_path) as (line, url):
        link = await open_link(url)
        await link.write(b"\x16T\r")
        await line.send(b"HELLO\x00\x11\x13\x1d\xff\r\n")
        received = b""
        async with asyncio.timeout(PATIENCE_S):
            while len(received) < 12:
                received += await link.read()
        assert received == b"HELLO\x00\x11\x13\x1d\xff\r\n"
        await link.close()
        await link.close()


@pytest.mark.parametrize("kind", LINES)
async def test_a_reader_that_was_cancelled_loses_no_byte(kind: str, tmp_path: Path) -> None:
    async with line_of(kind, tmp_path) as (line, url):
        link = await open_link(url)
        waiting = asyncio.create_task(link.read())
        await asyncio.wait([waiting], timeout=0)
        waiting.cancel()
        await asyncio.wait([waiting])
        await line.send(b"A")
        async with asyncio.timeout(PATIENCE_S):
            assert await link.read() == b"A"
        await link.close()


@pytest.mark.parametrize("kind", LINES)
async def test_more_than_a_link_holds_waits_at_the_device(kind: str, tmp_path: Path) -> None:
    async with line_of(kind, tmp_path) as (line, url):
        link = await open_link(url)
        sent = bytes(range(256)) * (INBOX_BYTES_MAX // 64)
        sending = asyncio.create_task(_send_in_pieces(line, sent))
        await asyncio.wait([sending], timeout=0.3)
        assert not sending.done()
        received = bytearray()
        async with asyncio.timeout(PATIENCE_S):
            while len(received) < len(sent):
                received += await link.read()
            await sending
        assert received == sent
        await link.close()


@pytest.mark.parametrize("kind", LINES)
async def test_an_unplugged_device_is_a_lost_link(kind: str, tmp_path: Path) -> None:
    async with line_of(kind, tmp_path) as (line, url):
        link = await open_link(url)
        waiting = asyncio.create_task(link.read())
        await asyncio.wait([waiting], timeout=0)
        line.unplug()
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(LinkLost):
                await waiting
            with pytest.raises(LinkLost):
                await link.read()
        await link.close()
        with pytest.raises(LinkUnavailable, match="is not there"):
            await open_link(url)
        line.plug()
        await (await open_link(url)).close()


@pytest.mark.parametrize("kind", LINES)
async def test_a_device_in_use_says_so(kind: str, tmp_path: Path) -> None:
    async with line_of(kind, tmp_path) as (_, url):
        link = await open_link(url)
        with pytest.raises(LinkUnavailable, match="in use"):
            await open_link(url)
        await link.close()
        await (await open_link(url)).close()


@pytest.mark.parametrize("backend", BACKENDS)
async def test_a_file_is_no_serial_device(backend: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LinkUnavailable, match="file"):
        await open_link(f"serial://{tmp_path}/file?backend={backend}")


@pytest.mark.parametrize("kind", LINES)
async def test_opening_that_is_cancelled_gives_the_device_back(kind: str, tmp_path: Path) -> None:
    async with line_of(kind, tmp_path) as (_, url):
        for _ in range(3):
            opening = asyncio.create_task(open_link(url))
            await asyncio.wait([opening], timeout=0)
            opening.cancel()
            await asyncio.wait([opening])
            if not opening.cancelled():
                await opening.result().close()
        async with asyncio.timeout(PATIENCE_S):
            while not await _opens_and_closes(url):  # noqa: ASYNC110
                await asyncio.sleep(0)


async def test_a_null_modem_that_nobody_made_is_not_there() -> None:
    with pytest.raises(LinkUnavailable, match="enter a NullModem"):
        await open_link("null-modem://nobody")


async def test_two_null_modems_cannot_share_a_name() -> None:
    with NullModem("same"), pytest.raises(LinkUrlError, match="exists already"):
        NullModem("same").__enter__()


def test_ports_are_listed_by_their_lasting_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from serial.tools import list_ports as search
    from serial.tools.list_ports_common import ListPortInfo

    device, other = tmp_path / "ttyACM0", tmp_path / "ttyS0"
    device.touch()
    other.touch()
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    (by_id / "usb-Acme_Scanner_1-if00").symlink_to(device)
    monkeypatch.setattr(link_module, "BY_ID", by_id)
    monkeypatch.setattr(search, "comports", lambda: [ListPortInfo(str(other)), ListPortInfo(str(device))])
    lasting = f"serial://{by_id}/usb-Acme_Scanner_1-if00?baud=9600"
    assert list_ports() == (
        Port(lasting, str(device), "n/a"),
        Port(f"serial://{other}?baud=9600", str(other), "n/a"),
    )


async def _opens_and_closes(url: str) -> bool:
    try:
        link = await open_link(url)
    except LinkUnavailable:
        return False
    await link.close()
    return True


async def _send_in_pieces(line: Line, data: bytes) -> None:
    for start in range(0, len(data), 4096):
        await line.send(data[start : start + 4096])
