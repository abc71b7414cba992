# SPDX-License-Identifier: Apache-2.0
"""Both ways against a stranger: llrpkit's client reads our simulated readers, our client its emulator.

llrpkit (MIT) shares no code with us; where both sides of a conversation are ours, a common mistake hides.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from drivers import State
from drivers.llrp.settings import Profile
from simulators.reader.kinds import FIXED, IMPINJ, KINDS, PLAIN, ReaderKind
from simulators.reader.server import Reader
from simulators.reader.sightings import Sighting
from tests.drivers.llrp.peer import QUICK, reading

llrpkit = pytest.importorskip("llrpkit", reason="llrpkit is in the dev group: ./dev setup installs it")
from llrpkit.emulator.core import EmulatedTag, LLRPEmulator  # noqa: E402 - after the look for it
from llrpkit.exceptions import LLRPConnectionError, LLRPStatusError  # noqa: E402
from llrpkit.protocol import messages, params  # noqa: E402

WITHIN_S = 20.0


def sighting(number: int, antenna: int = 1) -> Sighting:
    tid = bytes.fromhex("e2801105") + number.to_bytes(8, "big")
    return Sighting(number.to_bytes(12, "big"), antenna, -5_537, phase=1024, doppler=-32, channel=7, tid=tid)


async def inventory(kit: Any, reader: Reader, count: int, **wanted: Any) -> AsyncIterator[Any]:
    """What the client makes of `count` sightings."""
    stream = kit.inventory(max_tags=count, **wanted)
    coming = asyncio.create_task(anext(stream))
    await reader.until(lambda it: it.reading)
    assert reader.see(*(sighting(number) for number in range(count))) == count
    async with asyncio.timeout(WITHIN_S):
        yield await coming
        async for one in stream:
            yield one


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
async def test_its_client_learns_what_each_kind_of_reader_can_do(kind: ReaderKind) -> None:
    async with Reader(kind) as reader, llrpkit.Reader("127.0.0.1", reader.port) as kit:
        can = kit.capabilities
        assert (can.manufacturer, can.model_number, can.firmware) == (kind.vendor, kind.model, kind.firmware)
        assert can.max_antennas == kind.antennas
        assert can.transmit_powers == {index: power / 100 for index, power in kind.powers.items()}
        assert [mode.mode_id for mode in can.modes] == [mode.identifier for mode in kind.modes]
        assert can.hopping == kind.hops
        assert can.fixed_frequencies == list(kind.channels)
        assert kit.impinj_extensions_enabled == kind.impinj


@pytest.mark.parametrize("kind", [IMPINJ, FIXED, replace(PLAIN, terse=False)], ids=lambda kind: kind.name)
async def test_its_client_reads_tags_of_each_kind_of_reader(kind: ReaderKind) -> None:
    vendor = {"include_phase": True, "include_doppler": True, "include_tid": True} if kind.impinj else {}
    async with Reader(kind) as reader, llrpkit.Reader("127.0.0.1", reader.port) as kit:
        tags = [tag async for tag in inventory(kit, reader, 20, **vendor)]
    assert [tag.epc for tag in tags] == [sighting(number).epc for number in range(20)]
    assert {(tag.antenna, tag.channel_index, tag.seen_count) for tag in tags} == {(1, 7, 1)}
    assert {tag.rssi_dbm for tag in tags} == {-55.37 if kind.impinj else -55.0}
    if kind.impinj:
        assert {(tag.phase_deg, tag.doppler_hz) for tag in tags} == {(90.0, -2.0)}
        assert [tag.tid for tag in tags] == [sighting(number).tid for number in range(20)]
    assert all((tag.first_seen_us is not None) == kind.utc for tag in tags)


async def test_its_client_is_told_which_of_its_guesses_a_reader_does_not_have() -> None:
    """It takes hop table 1 for granted where a power is asked for."""
    async with Reader(PLAIN) as reader, llrpkit.Reader("127.0.0.1", reader.port) as kit:
        with pytest.raises(LLRPStatusError, match=r"RFTransmitter.HopTableID is 1, expected one of 5, 6"):
            await anext(kit.inventory(tx_power_dbm=20.0))


async def test_its_client_sees_a_window_for_each_object_before_the_eye() -> None:
    async with Reader() as reader, llrpkit.Reader("127.0.0.1", reader.port) as kit:
        states = [params.EventNotificationState(event_type=1, notification_state=True)]
        spec = params.ReaderEventNotificationSpec(event_notification_states=states)
        await kit.client.transact(
            messages.SET_READER_CONFIG(reset_to_factory_default=False, reader_event_notification_spec=spec)
        )
        windows = kit.windows(2, settle=0.01)
        coming = asyncio.create_task(anext(windows))
        await reader.until(lambda it: any(one.name == "ENABLE_ROSPEC" for one in it.received))
        found = []
        for numbers in ((1, 2), ()):
            reader.set_input(2, True)
            await reader.until(lambda it: it.reading)
            reader.see(*map(sighting, numbers))
            reader.set_input(2, False)
            async with asyncio.timeout(WITHIN_S):
                found.append((await coming).epcs)
            coming = asyncio.create_task(anext(windows))
        assert found == [(sighting(1).epc.hex(), sighting(2).epc.hex()), ()]
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


async def test_its_client_switches_outputs_and_sees_inputs_and_keepalives() -> None:
    async with Reader() as reader, llrpkit.Reader("127.0.0.1", reader.port) as kit:
        await kit.set_gpo(3, True)
        await kit.set_gpi_enabled(1, True)
        reader.set_input(1, True)
        pins = await kit.get_gpio()
        assert pins.gpos == {1: False, 2: False, 3: True, 4: False} == reader.outputs
        assert pins.gpis == {1: "high", 2: "disabled", 3: "disabled", 4: "disabled"}
        await kit.set_keepalive(50)
        await reader.until(lambda it: sum(one.name == "KEEPALIVE_ACK" for one in it.received) > 4)


async def test_its_client_is_turned_away_while_another_one_is_there() -> None:
    async with Reader() as reader, llrpkit.Reader("127.0.0.1", reader.port):
        late = llrpkit.Reader("127.0.0.1", reader.port)
        with pytest.raises(LLRPConnectionError, match="refused"):
            await late.connect()


async def test_its_client_gets_the_sentence_of_a_refusal() -> None:
    async with Reader() as reader, llrpkit.Reader("127.0.0.1", reader.port) as kit:
        with pytest.raises(LLRPStatusError, match="does no access to tags"):
            await kit.read_memory(bank="tid", word_count=6)


# Its emulator, our client


class Emulator(LLRPEmulator):
    """llrpkit's, which raises AttributeError when it is asked for a ROSpec that is enabled and not active.

    It knows no immediate start trigger either: our client finds the ROSpec inactive, and starts it.
    """

    async def _handle_message(self, message: Any) -> None:
        if isinstance(message, messages.GET_ROSPECS):
            for number, (spec, state) in self._rospecs.items():
                self._rospecs[number] = spec, {"Enabled": "Inactive"}.get(state, state)
        await super()._handle_message(message)
        for number, (spec, state) in self._rospecs.items():
            self._rospecs[number] = spec, {"Inactive": "Enabled"}.get(state, state)


def emulated(count: int) -> list[EmulatedTag]:
    return [EmulatedTag(number.to_bytes(12, "big"), (1 + number % 4,), -50.0) for number in range(count)]


@pytest.mark.parametrize("profile", Profile)
async def test_our_client_reads_every_tag_of_its_emulator(profile: Profile) -> None:
    settings = replace(QUICK, profile=profile)
    emulator = Emulator(tags=emulated(12), reads_per_sec=400.0)
    wanted = {(tag.epc, tag.antennas[0]) for tag in emulator.tags}
    async with emulator, reading(f"llrp://127.0.0.1:{emulator.port}", settings) as heard:
        await heard.until_state(State.READY, State.DEGRADED)
        await heard.until(lambda: {(read.epc, read.antenna) for read in heard.reads} == wanted)
    # The vendor's own strength comes in hundredths, not in whole dBm.
    assert {read.rssi_cdbm % 100 for read in heard.reads} != {0}
    assert heard.reader.health.counts.dropped == 0


async def test_our_client_sees_the_inputs_and_the_antennas_of_its_emulator() -> None:
    async with Emulator(tags=emulated(4)) as emulator:
        settings = replace(QUICK, inputs=(1, 2), debounce_s=0.0)
        async with reading(f"llrp://127.0.0.1:{emulator.port}", settings) as heard:
            await heard.until_state(State.READY, State.DEGRADED)
            await emulator.set_gpi(1, True)
            await heard.until(lambda: any(one.port == 1 and one.high for one in heard.inputs))
            await emulator.set_antenna_connected(2, False)
            await heard.until_state(State.DEGRADED)
            await emulator.set_antenna_connected(2, True)
            await heard.until_state(State.READY)


async def test_our_client_lights_the_lamps_of_its_emulator() -> None:
    async with Emulator(tags=emulated(1)) as emulator:
        settings = replace(QUICK, outputs={2: False})
        async with reading(f"llrp://127.0.0.1:{emulator.port}", settings) as heard:
            await heard.until_state(State.READY, State.DEGRADED)
            heard.reader.set_output(2, True)
            await heard.until(lambda: emulator._gpo_states[2])


async def test_our_client_answers_its_keepalives_and_sets_all_up_again_when_it_was_away() -> None:
    emulator = Emulator(tags=emulated(2), reads_per_sec=200.0)
    async with emulator, reading(f"llrp://127.0.0.1:{emulator.port}") as heard:
        await heard.until_state(State.READY, State.DEGRADED)
        await heard.until(lambda: len(heard.reads) > 2)
        await emulator.send_keepalive()
        await emulator.wait_keepalive_ack(WITHIN_S)
        await emulator.stop()
        await heard.until_state(State.LOST)
        before = len(heard.reads)
        await emulator.start()
        await heard.until(lambda: len(heard.reads) > before + 2)


async def test_our_client_goes_on_where_its_emulator_swallows_a_request() -> None:
    async with Emulator(tags=emulated(2), reads_per_sec=200.0) as emulator:
        emulator.drop_next(messages.ENABLE_ROSPEC)
        settings = replace(QUICK, answer_s=0.3)
        async with reading(f"llrp://127.0.0.1:{emulator.port}", settings) as heard:
            await heard.until(lambda: len(heard.reads) > 2)
