# SPDX-License-Identifier: Apache-2.0
"""The simulated scanner is a device to the operating system: a name, a terminal, bytes at a line's pace."""

from __future__ import annotations

import asyncio
import contextlib
import os
import warnings
from pathlib import Path
from random import Random

import pytest

from drivers import LineFaults
from simulators.scanner import PtyScanner


def open_end(scanner: PtyScanner) -> int:
    return os.open(scanner.link_path, os.O_RDWR | os.O_NOCTTY)


def is_dead(end: int) -> bool:
    """Whether a reader finds the line hung up, at once."""
    os.set_blocking(end, False)
    try:
        return os.read(end, 1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def name_in(folder: Path) -> Path:
    return folder / "serial" / "by-id" / "usb-Acme_Scanner_1-if00"


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        ({}, b"]C100\x1d\r"),
        ({"send_aim": False}, b"00\x1d\r"),
        ({"suffix": b"\r\n"}, b"]C100\x1d\r\n"),
        ({"suffix": b"", "stx_etx": True}, b"\x02]C100\x1d\x03"),
        ({"baud": None}, b"]C100\x1d\r"),
    ],
)
async def test_a_scan_is_sent_as_the_scanner_is_set(
    settings: dict[str, object], sent: bytes, tmp_path: Path
) -> None:
    async with PtyScanner(name_in(tmp_path), **{"baud": 115_200, **settings}) as scanner:  # type: ignore[arg-type]
        end = open_end(scanner)
        assert await scanner.scan(b"00\x1d")
        assert os.read(end, 100) == sent
        assert await scanner.fail_to_read()
        assert b"NOREAD" in os.read(end, 100)
        os.close(end)


async def test_the_name_exists_while_the_scanner_is_plugged_and_the_line_dies_with_it(tmp_path: Path) -> None:
    scanner = PtyScanner(name_in(tmp_path))
    assert not scanner.link_path.exists()
    scanner.plug()
    scanner.plug()
    end = open_end(scanner)
    assert os.isatty(end)
    assert not is_dead(end)
    scanner.unplug()
    scanner.unplug()
    assert not scanner.plugged
    assert not scanner.link_path.is_symlink()
    assert is_dead(end)
    os.close(end)
    assert not await scanner.scan(b"LOST")
    scanner.plug()
    end = open_end(scanner)
    assert not is_dead(end)
    os.close(end)
    await scanner.close()
    assert not scanner.link_path.is_symlink()


async def test_faults_happen_to_what_is_sent(tmp_path: Path) -> None:
    faults = LineFaults(Random(1), garble=1.0)
    async with PtyScanner(name_in(tmp_path), baud=None, faults=faults) as scanner:
        end = open_end(scanner)
        await scanner.scan(b"ABC", None)
        garbled = os.read(end, 100)
        assert len(garbled) == 4
        assert all(before != after for before, after in zip(b"ABC\r", garbled, strict=True))
        os.close(end)


async def test_a_scan_into_a_full_line_waits_and_gives_up_when_the_cable_is_pulled(tmp_path: Path) -> None:
    async with PtyScanner(name_in(tmp_path), baud=None) as scanner:
        sending = asyncio.create_task(scanner.send(b"X" * 1_000_000))
        async with asyncio.timeout(20):
            # Until the line is full and the scan waits for room.
            while scanner._room is None:  # noqa: ASYNC110
                await asyncio.sleep(0)
            assert not sending.done()
            scanner.unplug()
            assert not await sending


async def test_what_the_host_sends_is_kept_up_to_a_bound(tmp_path: Path) -> None:
    async with PtyScanner(name_in(tmp_path)) as scanner:
        end = open_end(scanner)
        # Reader and writer share this thread: a write into a full line must not wait.
        os.set_blocking(end, False)
        async with asyncio.timeout(20):
            while len(scanner.received) < 4096:
                with contextlib.suppress(BlockingIOError):
                    os.write(end, b"T" * 300)
                await asyncio.sleep(0)
        with contextlib.suppress(BlockingIOError):
            os.write(end, b"R" * 300)
        await asyncio.sleep(0)
        assert scanner.received == b"T" * 4096
        os.close(end)


async def test_nothing_stays_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(5):
            async with PtyScanner(name_in(tmp_path)) as scanner:
                scanner.unplug()
                scanner.plug()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
