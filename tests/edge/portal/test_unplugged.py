# SPDX-License-Identifier: Apache-2.0
"""A reader whose cable is pulled while a pallet is in the door: nothing is booked that nobody saw."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.llrp.messages import Message, Parameter
from edge import passing
from edge.passage import GateSettings
from edge.store import JournalReader
from edge.web.stream import troubles
from simulators.reader.device import Device
from simulators.reader.refusals import Code, Refused
from simulators.reader.server import Reader, monotonic_us
from sync.bodies import read_body
from sync.entry import read_record
from tests.edge.gates import unit
from tests.edge.portal.floor import STOP, WAIT_S, Floor, drive, running
from tests.edge.yard import pallet
from zonegate.explain import explain
from zonegate.verify import verify_store

EYES = ("outer", "inner")
INNER = 2


async def comes_half_way(floor: Floor, number: int) -> None:
    """A pallet breaks the inner eye and comes between the antennas."""
    floor.reader.set_input(INNER, high=True)
    floor.reader.see_all(drive(unit(number), monotonic_us() - 1_500_000, steps=30))
    await floor.until(lambda: floor.service.dock.passing.counts.get("sighted") == 1)


async def cable_is_pulled(floor: Floor) -> None:
    """While there is no link the pallet goes on; then the reader is there again."""
    floor.reader.drop()
    floor.reader.set_input(INNER, high=False)
    await floor.reader.until(lambda reader: reader.connections > 1, WAIT_S)


async def test_a_pallet_that_was_in_the_door_when_the_cable_was_pulled_is_a_hold(tmp_path: Path) -> None:
    async with Reader() as reader, running(tmp_path, reader, gate=GateSettings(), eyes=EYES) as floor:
        await comes_half_way(floor, 1)
        await cable_is_pulled(floor)
        await floor.shows("not-sure")
        await floor.until(lambda: bool(floor.passages()))
        [(entry_id, reason)] = floor.entries()
        assert reason == "not-sure"
        await floor.service.dock.scan("out", pallet(1), "client-1", "screen out")
        await floor.shows("withdrawn")
        assert [reason for _, reason in floor.entries()] == ["not-sure", "withdrawn"]
        assert floor.service.desk.status().holds == ()
    told = explain(floor.store, entry_id)
    assert told.agrees, told.lines
    assert verify_store(floor.store).finding is None


async def test_a_dock_that_takes_it_for_one_that_went_back_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing, "is_cut_short", lambda _: False)
    async with Reader() as reader, running(tmp_path, reader, gate=GateSettings(), eyes=EYES) as floor:
        await comes_half_way(floor, 1)
        await cable_is_pulled(floor)
        await floor.until(lambda: bool(floor.passages()))
        assert floor.entries() == []


async def test_a_lamp_that_the_reader_refuses_is_told_at_the_door_until_it_lights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = Device._ACTS["SET_READER_CONFIG"]

    def refuse(device: Device, request: Message) -> list[Parameter]:
        if request.first("GPOWriteData") is not None:
            raise Refused("no power on the outputs", Code.M_PARAMETER_ERROR)
        return take(device, request) or []

    async with Reader() as reader, running(tmp_path, reader, gate=GateSettings(), eyes=EYES) as floor:
        await floor.lit(STOP, on=False)
        said = "Lamps of gate-1 do not work: go by this screen."
        with monkeypatch.context() as patch:
            patch.setitem(Device._ACTS, "SET_READER_CONFIG", refuse)
            await comes_half_way(floor, 4)
            await floor.until(lambda: troubles(floor.service.desk.status(), "out") == [said])
            assert floor.service.dock.door("out").state == "STOP"
            assert troubles(floor.service.desk.status(), "in") == []
            assert not reader.outputs[STOP]
        await cable_is_pulled(floor)
        await floor.until(lambda: troubles(floor.service.desk.status(), "out") == [])
        await floor.lit(STOP, on=True)


async def test_a_stop_stands_and_is_lit_again_when_its_reader_was_restarted(tmp_path: Path) -> None:
    async with Reader() as reader, running(tmp_path, reader, gate=GateSettings(), eyes=EYES) as floor:
        await comes_half_way(floor, 4)
        await floor.lit(STOP, on=True)
        reader.outputs[STOP] = False  # it lost its power
        await cable_is_pulled(floor)
        await floor.lit(STOP, on=True)
        await floor.until(lambda: bool(floor.entries()))
        assert floor.service.dock.door("out").reason == "not-on-permit"
    [(entry_id, _)] = floor.entries()
    with JournalReader(floor.store) as journal:
        record = journal.entry(entry_id)
    assert record is not None
    assert read_body(read_record(record)).crossed is None, "nobody saw whether it was obeyed"
