# SPDX-License-Identifier: Apache-2.0
"""A scanner on every kind of line: its reads, its troubles and what it tells of them."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import pytest

from drivers import LineFaults, LinkUrlError, NullModem, Read, Scanner, ScannerSettings, State, encode_scan
from gs1 import Load, Unknown, check_digit, identify
from tests.drivers.lines import LINES, HandClock, RunningClock, line_of, listening

TODAY = date(2026, 11, 22)

CODE = b"010952012345678810LOT\x1d21S1"


def sscc(number: int) -> bytes:
    body = f"0952012{number:010}"
    return f"00{body}{check_digit(body)}".encode()


@pytest.mark.parametrize("kind", LINES)
async def test_a_scan_becomes_a_read_with_its_identifier_taken_off(kind: str, tmp_path: Path) -> None:
    clock = HandClock()
    async with line_of(kind, tmp_path) as (line, url), listening(url, clock=clock) as listener:
        clock.move(3)
        await line.send(encode_scan(CODE, "]C1"))
        await line.send(encode_scan(b"NOREAD", None, b"\r\n"))
        await listener.until_reads(2)
    scan, no_read = listener.reads
    assert (scan.device, scan.code, scan.aim, scan.carrier, scan.no_read) == (
        "dock-1", CODE, "]C1", "barcode", False,
    )  # fmt: skip
    assert (scan.at, scan.monotonic_ns) == (datetime(2026, 11, 23, 8, 0, 3, tzinfo=UTC), 3 * 10**9)
    assert scan.raw == b"]C1" + CODE
    assert (no_read.code, no_read.aim, no_read.no_read) == (b"NOREAD", None, True)
    assert listener.states == [State.OPENING, State.READY, State.CLOSED]
    counts = listener.scanner.health.counts
    assert (counts.frames, counts.no_reads, counts.bytes) == (2, 1, 3 + len(CODE) + 1 + 8)


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize("framing", [(b"\r", False), (b"\n", False), (b"\r\n", False), (b"", True)])
async def test_codes_survive_a_line_that_splits_and_delays(
    kind: str, framing: tuple[bytes, bool], tmp_path: Path
) -> None:
    sent = [sscc(number) for number in range(20)]
    async with line_of(kind, tmp_path) as (line, url), listening(url) as listener:
        await line.send(encode_scan(b"FIRST", None, *framing))
        await listener.until_reads(1)
        line.faults = LineFaults(Random(5), split=0.3, delay=0.02, delay_s_max=0.06)
        for code in sent:
            await line.send(encode_scan(code, "]C1", *framing))
        assert await listener.until_reads(21) == [b"FIRST", *sent]


@pytest.mark.parametrize("kind", LINES)
async def test_a_code_cut_at_every_byte_is_one_code(kind: str, tmp_path: Path) -> None:
    async with line_of(kind, tmp_path) as (line, url), listening(url) as listener:
        line.faults = LineFaults(Random(5), split=1.0)
        await line.send(encode_scan(CODE, "]C1", b"\r\n", stx_etx=True))
        assert await listener.until_reads(1) == [CODE]


@pytest.mark.parametrize("kind", LINES)
async def test_a_garbled_code_never_becomes_another_load(kind: str, tmp_path: Path) -> None:
    sent = [sscc(number) for number in range(150)]
    async with line_of(kind, tmp_path) as (line, url), listening(url) as listener:
        line.faults = LineFaults(Random(11), garble=0.02)
        for code in sent:
            await line.send(encode_scan(code, "]C1"))
        line.faults = None
        await line.send(b"\rEND\r")
        await listener.until(lambda: bool(listener.reads) and listener.reads[-1].code == b"END")
    told = [identify(read.raw, TODAY) for read in listener.reads]
    assert {load.sscc for load in told if isinstance(load, Load)} <= {code[2:].decode() for code in sent}
    assert any(isinstance(identity, Unknown) for identity in told[:-1])


@pytest.mark.parametrize("kind", LINES)
async def test_a_scan_that_the_line_repeats_is_two_reads(kind: str, tmp_path: Path) -> None:
    async with line_of(kind, tmp_path) as (line, url), listening(url) as listener:
        line.faults = LineFaults(Random(1), duplicate=1.0)
        await line.send(encode_scan(CODE, "]C1"))
        assert await listener.until_reads(2) == [CODE, CODE]


@pytest.mark.parametrize("kind", LINES)
async def test_a_code_without_terminator_ends_with_the_silence_behind_it(kind: str, tmp_path: Path) -> None:
    async with line_of(kind, tmp_path) as (line, url), listening(url) as listener:
        await line.send(b"]C1" + CODE)
        assert await listener.until_reads(1) == [CODE]


@pytest.mark.parametrize("kind", LINES)
async def test_noise_at_full_speed_hides_no_scan_behind_it(kind: str, tmp_path: Path) -> None:
    async with line_of(kind, tmp_path) as (line, url), listening(url) as listener:
        await line.send(Random(2).randbytes(200_000))
        await line.send(b"\r" + encode_scan(CODE, "]C1"))
        await listener.until(lambda: bool(listener.reads) and listener.reads[-1].code == CODE)
        assert listener.scanner.health.counts.bytes == 200_000 + 1 + 3 + len(CODE) + 1
        # One sentence a second at most, however much is torn.
        assert len(listener.healths) < 30


@pytest.mark.parametrize("kind", LINES)
async def test_ten_kilobytes_are_a_refusal_and_more_is_dropped_and_told(kind: str, tmp_path: Path) -> None:
    async with line_of(kind, tmp_path) as (line, url), listening(url) as listener:
        await line.send(b"]C1" + b"0" * 10_000 + b"\r")
        await line.send(b"0" * 100_000 + b"\r")
        await line.send(encode_scan(CODE, "]C1"))
        assert await listener.until_reads(2) == [b"0" * 10_000, CODE]
        unknown = identify(listener.reads[0].raw, TODAY)
        assert isinstance(unknown, Unknown)
        assert "10000 bytes, expected at most 7089" in unknown.faults[0].message
        assert listener.scanner.health.counts.over_long == 1
        assert "100000 bytes was dropped" in listener.healths[-1].detail


@pytest.mark.parametrize("kind", LINES)
async def test_a_scanner_that_is_plugged_in_again_is_read_again(kind: str, tmp_path: Path) -> None:
    async with line_of(kind, tmp_path) as (line, url), listening(url) as listener:
        for round_number in range(1, 4):
            await line.send(encode_scan(sscc(round_number), "]C1"))
            await listener.until_reads(round_number)
            line.unplug()
            await listener.until_state(State.LOST)
            await listener.until(lambda: "plug the device in" in listener.healths[-1].detail)
            line.plug()
            await listener.until_state(State.READY)
        await line.send(encode_scan(CODE, "]C1"))
        assert await listener.until_reads(4) == [sscc(1), sscc(2), sscc(3), CODE]
        assert listener.scanner.health.counts.reconnects == 3


@pytest.mark.parametrize("kind", LINES)
async def test_half_a_code_before_a_pulled_plug_is_not_joined_to_the_next(kind: str, tmp_path: Path) -> None:
    async with line_of(kind, tmp_path) as (line, url), listening(url) as listener:
        await line.send(b"FIRST\r]C1" + CODE[:10])
        await listener.until(lambda: listener.scanner.health.counts.bytes == 19)
        line.unplug()
        await listener.until_state(State.LOST)
        line.plug()
        await listener.until_state(State.READY)
        await line.send(CODE[10:] + b"\r" + encode_scan(CODE, "]C1"))
        assert await listener.until_reads(3) == [b"FIRST", CODE[10:], CODE]
        assert isinstance(identify(listener.reads[1].raw, TODAY), Unknown)


@pytest.mark.parametrize("kind", LINES)
async def test_a_scanner_that_comes_late_is_found(kind: str, tmp_path: Path) -> None:
    async with line_of(kind, tmp_path) as (line, url):
        line.unplug()
        async with listening(url) as listener:
            await listener.until_state(State.LOST)
            line.plug()
            await listener.until_state(State.READY)
            await line.send(encode_scan(CODE, "]C1"))
            assert await listener.until_reads(1) == [CODE]


@pytest.mark.parametrize("kind", LINES)
async def test_a_flood_is_throttled_counted_and_its_end_told(kind: str, tmp_path: Path) -> None:
    clock, settings = HandClock(), ScannerSettings(reads_per_second_max=5)
    async with line_of(kind, tmp_path) as (line, url), listening(url, settings, clock) as listener:
        sent = [sscc(number) for number in range(12)]
        for code in sent:
            await line.send(encode_scan(code, "]C1"))
        await listener.until(lambda: listener.scanner.health.counts.frames == 12)
        clock.move(1)
        await line.send(encode_scan(CODE, "]C1"))
        # The first of each second are kept: the worker's scan among them.
        assert await listener.until_reads(6) == [*sent[:5], CODE]
        assert listener.states[-1] is State.FLOODED
        assert listener.healths[-1].detail.startswith("7 reads of the last second were dropped")
        clock.move(1)
        await line.send(b"\r")
        await listener.until_state(State.READY)
    counts = listener.scanner.health.counts
    assert (counts.frames, counts.dropped) == (13, 7)
    assert listener.states == [State.OPENING, State.READY, State.FLOODED, State.READY, State.CLOSED]


@pytest.mark.parametrize("kind", LINES)
async def test_the_end_of_a_flood_is_told_though_the_line_is_silent(kind: str, tmp_path: Path) -> None:
    settings = ScannerSettings(reads_per_second_max=1)
    async with line_of(kind, tmp_path) as (line, url), listening(url, settings) as listener:
        await line.send(b"A\rB\rC\r")
        await listener.until_state(State.FLOODED)
        await listener.until_state(State.READY)
    assert listener.scanner.health.counts.dropped == 2


async def test_as_many_reads_as_allowed_are_no_flood() -> None:
    clock, settings = HandClock(), ScannerSettings(reads_per_second_max=5)
    with NullModem("busy") as modem:
        async with listening(modem.url, settings, clock) as listener:
            for second in range(1, 4):
                await modem.send(b"A\r" * 5)
                await listener.until_reads(second * 5)
                clock.move(1)
    assert [health.state for health in listener.healths] == [State.OPENING, State.READY, State.CLOSED]


async def test_a_missing_device_is_told_once_and_tried_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []
    enough = asyncio.Event()

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 12:
            enough.set()
            await asyncio.Event().wait()

    scanner = Scanner("dock-1", "null-modem://nobody", ScannerSettings(), RunningClock(), Random(3))
    told: list[State] = []
    reads: list[Read] = []
    monkeypatch.setattr("drivers.scanner.asyncio.sleep", wait)
    task = asyncio.create_task(scanner.run(reads.append, lambda health: told.append(health.state)))
    async with asyncio.timeout(20):
        await enough.wait()
    task.cancel()
    await asyncio.wait([task])
    assert told == [State.OPENING, State.LOST, State.CLOSED]
    assert reads == []
    longest = ScannerSettings().retry_s_max
    assert all(0.05 <= seconds <= longest for seconds in waits)
    assert waits[0] <= 0.1
    assert min(waits[7:]) >= longest / 2  # the last ones spread between half and all of the longest wait
    assert len({round(seconds, 6) for seconds in waits}) == len(waits)


def test_an_address_that_can_never_work_is_refused_at_once() -> None:
    with pytest.raises(LinkUrlError, match="expected serial:///dev"):
        Scanner("dock-1", "/dev/ttyS0", ScannerSettings(), RunningClock())


@pytest.mark.parametrize("kind", LINES)
async def test_a_busy_process_cuts_no_code_in_half(kind: str, tmp_path: Path) -> None:
    settings = ScannerSettings(idle_gap_s=0.4)
    async with line_of(kind, tmp_path) as (line, url), listening(url, settings) as listener:
        await line.send(b"]C1" + CODE[:20])
        await listener.until(lambda: listener.scanner.health.counts.bytes == 23)
        # The rest waits in the system while this process does something else for longer than the idle gap.
        sending = asyncio.create_task(line.send(CODE[20:]))
        asyncio.get_running_loop().call_soon(time.sleep, 0.5)
        await sending
        assert await listener.until_reads(1) == [CODE]
