# SPDX-License-Identifier: Apache-2.0
"""A Reader on simulated readers of every kind: from the first question to reads, eyes, lamps and troubles."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from drivers import State
from drivers.llrp.settings import Profile, ReaderSettings
from simulators.reader.kinds import FIXED, IMPINJ, KINDS, PLAIN, ReaderKind
from simulators.reader.server import Reader as Simulated
from simulators.reader.server import monotonic_us
from simulators.reader.sightings import Sighting
from tests.drivers.llrp.peer import QUICK, Heard, reading

EPC = bytes.fromhex("3074257bf7194e4000001a85")
LAMP, HORN = 1, 2
WIRED = replace(QUICK, inputs=(1, 2), outputs={LAMP: False, HORN: False}, power_dbm=27.0)


def seen(epc: bytes, antenna: int, rssi_cdbm: int, **more: Any) -> Sighting:
    """A tag that answers, whichever of the specs is at work."""
    return Sighting(epc, antenna, rssi_cdbm, paced=True, **more)


async def ready(heard: Heard) -> None:
    await heard.until_state(State.READY, State.DEGRADED)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
@pytest.mark.parametrize("profile", Profile)
async def test_every_kind_of_reader_is_set_up_without_a_refusal_and_reads(
    kind: ReaderKind, profile: Profile
) -> None:
    settings = replace(WIRED, profile=profile, inputs=WIRED.inputs[: kind.inputs], outputs={LAMP: False})
    async with Simulated(kind) as device, reading(device.url, settings) as heard:
        await heard.until_state(State.READY)
        await device.until(lambda it: it.reading)
        before_us = monotonic_us()
        assert device.see(seen(EPC, antenna=2, rssi_cdbm=-5550, phase=77, channel=1)) == 1
        await heard.until(lambda: len(heard.reads) == 1)
        read = heard.reads[0]
        assert (read.device, read.epc, read.antenna, read.count) == ("gate-1", EPC, 2, 1)
        assert abs(read.rssi_cdbm + 5550) <= (0 if kind.vendor == IMPINJ.vendor else 50)
        assert read.phase == (77 if kind.vendor == IMPINJ.vendor else None)
        assert before_us - 60 * 1_000_000 < read.last_us <= monotonic_us()
        assert heard.states == [State.OPENING, State.READY]
        print(f"{kind.name}, {profile}: {heard.healths[-1].detail}")


async def test_versions_are_agreed_on_with_a_reader_of_1_1_and_not_pressed_on_one_of_1_0_1() -> None:
    for kind in KINDS.values():
        async with Simulated(kind) as device, reading(device.url) as heard:
            await ready(heard)
            versions = {message.version for message in device.received if "VERSION" not in message.name}
            assert versions == {kind.version}


async def test_eyes_are_told_at_connect_and_at_each_edge_that_rests() -> None:
    async with Simulated() as device:
        device.set_input(2, True)
        async with reading(device.url, WIRED) as heard:
            await heard.until(lambda: len(heard.inputs) == 2)
            assert {(change.port, change.high) for change in heard.inputs} == {(1, False), (2, True)}
            for high in (True, False, True):  # a bounce: shorter than an eye's rest
                device.set_input(1, high)
            await heard.until(lambda: len(heard.inputs) == 3)
            assert (heard.inputs[2].port, heard.inputs[2].high) == (1, True)


async def test_an_edge_missed_while_there_was_no_connection_is_told_after_it() -> None:
    async with Simulated() as device, reading(device.url, WIRED) as heard:
        await heard.until(lambda: len(heard.inputs) == 2)
        device.drop()
        device.set_input(1, True)
        await heard.until(lambda: (1, True) in {(change.port, change.high) for change in heard.inputs})


async def test_an_eye_that_stayed_as_it_was_is_told_again_after_a_reconnect() -> None:
    """Whoever heard that the link was lost knows nothing of it any more."""
    async with Simulated() as device:
        device.set_input(1, True)
        async with reading(device.url, WIRED) as heard:
            await heard.until(lambda: len(heard.inputs) == 2)
            device.drop()
            await heard.until(lambda: len(heard.inputs) == 4)
            told = [{(change.port, change.high) for change in heard.inputs[at : at + 2]} for at in (0, 2)]
            assert told == [{(1, True), (2, False)}] * 2


async def test_an_eye_with_a_loose_plug_is_told() -> None:
    async with Simulated() as device, reading(device.url, WIRED) as heard:
        await ready(heard)
        for number in range(60):
            device.set_input(1, number % 2 == 0)
        await heard.until_told("input 1 flaps: check the eye's plug and alignment")
        assert heard.states[-1] is State.DEGRADED


async def test_lamp_and_horn_are_safe_at_connect_follow_and_are_safe_at_the_end() -> None:
    settings = replace(WIRED, outputs={LAMP: True, HORN: False})
    async with Simulated() as device:
        device.outputs[HORN] = True  # left on by somebody
        async with reading(device.url, settings) as heard:
            await ready(heard)
            await device.until(lambda it: it.outputs[LAMP] and not it.outputs[HORN])
            heard.reader.set_output(LAMP, False)
            heard.reader.set_output(HORN, True, for_s=0.2)
            await device.until(lambda it: it.writes[-2:] == [(LAMP, False), (HORN, True)])
            await device.until(lambda it: it.writes[-1] == (HORN, False))
            assert not device.outputs[LAMP], "without an end it stays"
        await device.until(lambda it: not it.connected)
        assert (device.outputs[LAMP], device.outputs[HORN]) == (True, False)
        assert device.received[-1].name == "CLOSE_CONNECTION"


async def test_a_level_that_is_renewed_stays() -> None:
    async with Simulated() as device, reading(device.url, WIRED) as heard:
        await ready(heard)
        heard.reader.set_output(LAMP, True, for_s=60)
        for _ in range(20):
            heard.reader.set_output(LAMP, True, for_s=60)
        await device.until(lambda it: it.outputs[LAMP])
        assert [write for write in device.writes if write[0] == LAMP] == [(LAMP, False), (LAMP, True)]


async def test_a_level_set_while_the_reader_is_away_reaches_it_when_it_is_back() -> None:
    async with Simulated() as device, reading(device.url, WIRED) as heard:
        await ready(heard)
        device.drop()
        await heard.until_state(State.LOST)
        heard.reader.set_output(LAMP, True)
        await device.until(lambda it: it.outputs[LAMP])


async def test_all_of_it_is_set_up_again_after_a_reconnect() -> None:
    async with Simulated() as device, reading(device.url, WIRED) as heard:
        await ready(heard)
        first = [message.name for message in device.received]
        device.received.clear()
        device.drop()
        await heard.until(lambda: heard.states[-2:] == [State.LOST, State.READY])
        await device.until(lambda it: it.reading)
        again = [message.name for message in device.received]
        assert [name for name in again if name != "GET_ROSPECS"] == [
            name for name in first if name != "GET_ROSPECS"
        ]
        assert heard.reader.health.counts.reconnects == 1


async def test_reads_kept_while_there_was_no_connection_come_late_with_their_time() -> None:
    async with Simulated(IMPINJ) as device, reading(device.url, replace(WIRED, retry_s_min=0.2)) as heard:
        await ready(heard)
        await device.until(lambda it: it.reading)
        device.drop()
        await device.until(lambda it: not it.connected)
        seen_us = monotonic_us() - 600 * 1_000_000
        for number in range(50):
            assert device.see(seen(number.to_bytes(12, "big"), 1, -6000, at_us=seen_us + number)) == 1
        await heard.until(lambda: len(heard.reads) == 50)
        assert [int.from_bytes(read.epc, "big") for read in heard.reads] == list(range(50))
        # Placed by the greeting's clock, not by when they came.
        assert all(abs(read.last_us - seen_us) < 60 * 1_000_000 for read in heard.reads)
        await heard.until_told("50 reads came that the reader had kept")
        assert heard.reader.health.counts.late == 50  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", [IMPINJ, FIXED], ids=lambda kind: kind.name)
async def test_a_clock_that_is_put_ahead_moves_no_read(kind: ReaderKind) -> None:
    async with Simulated(kind) as device, reading(device.url, WIRED) as heard:
        await ready(heard)
        await device.until(lambda it: it.reading)
        for number in range(40):
            if number == 20:
                device.jump_clock(3600 * 1_000_000)
            device.see(seen(number.to_bytes(12, "big"), 1, -6000))
            await heard.until(lambda number=number: len(heard.reads) > number)  # type: ignore[misc]
            assert abs(heard.reads[-1].last_us - monotonic_us()) < 5_000_000
        await heard.until_told("the reader's clock was put ahead by 3600.0 s")


async def test_an_antenna_that_goes_is_told_until_it_is_back() -> None:
    async with Simulated() as device, reading(device.url, WIRED) as heard:
        await ready(heard)
        device.set_antenna(2, False)
        await heard.until_state(State.DEGRADED)
        assert "antenna 2 is not connected: check its cable" in heard.healths[-1].detail
        device.set_antenna(2, True)
        await heard.until_state(State.READY)


async def test_what_breaks_within_the_reader_is_told() -> None:
    async with Simulated() as device, reading(device.url, WIRED) as heard:
        await ready(heard)
        device.fail("the fan\nstands still")
        await heard.until_told('the reader says: "the fan stands still"')


async def test_another_client_is_told_and_taken_over_from_once_it_is_gone() -> None:
    async with Simulated() as device:
        reader, writer = await asyncio.open_connection("127.0.0.1", device.port)
        await device.until(lambda it: it.connected)
        async with reading(device.url, WIRED) as heard:
            await heard.until_told("another program is connected to this reader")
            assert heard.states == [State.OPENING, State.LOST]
            writer.close()
            await ready(heard)
        del reader


async def test_a_second_client_that_knocks_is_told() -> None:
    async with Simulated() as device, reading(device.url, WIRED) as heard:
        await ready(heard)
        _, writer = await asyncio.open_connection("127.0.0.1", device.port)
        await heard.until_told("another program tried to connect")
        writer.close()


async def test_a_reader_that_ends_the_connection_is_connected_again() -> None:
    async with Simulated() as device, reading(device.url, WIRED) as heard:
        await ready(heard)
        device.hang_up()
        await heard.until(lambda: heard.states[-2:] == [State.LOST, State.READY])
        assert "the reader ended the connection" in heard.details


async def test_a_reader_that_falls_silent_is_dead_after_three_keepalives() -> None:
    settings = replace(WIRED, keepalive_s=0.1)
    async with Simulated() as device, reading(device.url, settings) as heard:
        await ready(heard)
        device.faults.stalled = True
        await heard.until_told("missed 3 keepalives")
        device.faults.stalled = False
        await ready(heard)


async def test_a_reader_that_only_keeps_alive_stays() -> None:
    settings = replace(WIRED, keepalive_s=0.05, probe_s=3600.0)
    async with Simulated() as device, reading(device.url, settings) as heard:
        await ready(heard)
        await heard.until(lambda: [it.name for it in device.received].count("KEEPALIVE_ACK") > 30)
        assert heard.states == [State.OPENING, State.READY]


async def test_spoilt_frames_are_skipped_kept_and_told_and_the_link_stays() -> None:
    async with Simulated() as device, reading(device.url, WIRED) as heard:
        await ready(heard)
        await device.until(lambda it: it.reading)
        device.faults.garble_frames = 3
        for number in range(6):
            device.see(seen(number.to_bytes(12, "big"), 1, -6000))
            await asyncio.sleep(0)
        await heard.until(lambda: bool(heard.reads) and heard.reads[-1].epc[-1] == 5)
        bad = heard.reader.bad_frames
        assert 1 <= len(bad) <= 3
        assert all(frame.start and frame.reason for frame in bad)
        assert heard.reader.health.counts.dropped == len(bad)
        await heard.until_told("a message was skipped")
        assert device.connections == 1


async def test_a_frame_that_lies_about_its_length_costs_the_connection_and_no_more() -> None:
    async with Simulated() as device, reading(device.url, WIRED) as heard:
        await ready(heard)
        await device.until(lambda it: it.reading)
        device.faults.lie_bytes = 7
        for number in range(40):
            device.see(seen(number.to_bytes(12, "big"), 1, -6000))
        await heard.until(lambda: State.LOST in heard.states)
        await ready(heard)
        await device.until(lambda it: it.reading)
        device.see(seen(EPC, 1, -6000))
        await heard.until(lambda: bool(heard.reads) and heard.reads[-1].epc == EPC)


async def test_settings_a_reader_cannot_follow_are_told_and_it_reads_all_the_same() -> None:
    settings = ReaderSettings(antennas=(1, 9), power_dbm=1.0, mode=4711, retry_s_min=0.01, retry_s_max=0.05)
    async with Simulated(PLAIN) as device, reading(device.url, settings) as heard:
        await heard.until_state(State.DEGRADED)
        detail = heard.healths[-1].detail
        assert "antenna 9 is configured" in detail
        assert "mode 4711 is configured, the reader has" in detail
        assert "may send 1 dBm" in detail
        await device.until(lambda it: it.reading)
