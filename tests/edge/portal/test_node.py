# SPDX-License-Identifier: Apache-2.0
"""A whole node with a simulated reader: tags on the wire become words, lamps, entries and evidence."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import sqlite3
from dataclasses import replace
from pathlib import Path
from random import Random

import cv2
import msgspec
import pytest

from drivers.camera import Camera, CameraSettings
from drivers.llrp.session import Session
from drivers.read import TagRead
from edge import evidence
from edge.clock import Clocks
from edge.passage import GateSettings, Passage
from edge.portal import devices
from edge.portal.config import CameraConfig
from edge.store import JournalReader
from edge.view import DeviceView
from simulators.camera.scene import CLEAN, picture, pose
from simulators.reader.server import Reader, monotonic_us
from simulators.reader.sightings import Sighting
from sync.bodies import DeviceAlarm, read_body
from sync.entry import read_record
from tests.edge.gates import unit
from tests.edge.portal import floor as floor_module
from tests.edge.portal.floor import GO, HORN, PATIENT, STOP, WAIT_S, Floor, drive, running
from tests.edge.yard import pallet
from zonegate.explain import explain
from zonegate.replay import replay
from zonegate.verify import verify_store

LATE = GateSettings(confidence_min=0, silence_ms=20_000, rest_ms=500)
"""A gate that takes what is flat for half a second for something that rests."""


async def test_a_good_load_goes_green_once_it_is_recorded_and_is_explained_from_its_evidence(
    tmp_path: Path,
) -> None:
    async with Reader() as reader, running(tmp_path, reader) as floor:
        await floor.lit(STOP, on=False)
        reader.see_all(drive(unit(1), monotonic_us() - 3_000_000))
        await floor.shows("withdrawn")
        await reader.until(lambda reader: (GO, True) in reader.writes, WAIT_S)
        assert (STOP, True) not in reader.writes
        [(entry_id, reason)] = floor.entries()
        assert reason == "withdrawn"
        await floor.until(lambda: len(floor.passages()) == 1)
    [row] = floor.passages()
    assert row.evidence is not None
    found = msgspec.json.decode(row.finding, type=Passage)
    assert (found.kind, found.direction) == ("crossed", "out")
    told = explain(floor.store, entry_id)
    assert told.agrees, told.lines
    assert any("the same of its evidence" in line for line in told.lines)
    assert [judged.same for judged in replay(floor.store)] == [True]
    assert len(evidence.decode(row.evidence).reads) > 40
    assert verify_store(floor.store).finding is None


async def test_a_stop_is_said_and_lit_while_the_load_still_moves(tmp_path: Path) -> None:
    async with Reader() as reader:
        async with running(tmp_path, reader, gate=PATIENT) as floor:
            way = list(drive(unit(4), monotonic_us() - 3_000_000))
            reader.see_all(way[: len(way) // 2])
            await floor.shows("not-on-permit")
            await floor.lit(STOP, on=True)
            await reader.until(lambda reader: (HORN, True) in reader.writes, WAIT_S)
            assert floor.entries() == []
            reader.see_all(way[len(way) // 2 :])
            await floor.until(lambda: device(floor).reads == len(way))
        # The node stops: what is in the door is judged, nothing is lit green, and red is.
        await floor.lit(STOP, on=True)
        await floor.lit(GO, on=False)
    [row] = floor.passages()
    assert row.evidence is not None
    [(entry_id, reason)] = floor.entries()
    assert reason == "not-on-permit"
    with JournalReader(floor.store) as journal:
        record = journal.entry(entry_id)
    assert record is not None
    assert read_body(read_record(record)).crossed is True
    assert explain(floor.store, entry_id).agrees


@pytest.fixture
def late_ns(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How far the node's clock has gone on while the node did not run."""
    late = [0]

    def clocks() -> Clocks:
        own = floor_clocks()
        return replace(own, mono_ns=lambda: own.mono_ns() + late[0])

    floor_clocks = floor_module.clocks
    monkeypatch.setattr(floor_module, "clocks", clocks)
    return late


async def stands_before_the_eye(floor: Floor, epc: bytes, late_ns: list[int]) -> None:
    """A pallet breaks the eye and stands there; the node does not run meanwhile, and hears all at once."""
    reader, begun_us = floor.reader, monotonic_us()
    reads = [Sighting(epc, 1, -3_900, begun_us + step * 100_000, paced=True) for step in range(25)]
    late_ns[0] = 3_000_000_000
    reader.see(reads[0])
    reader.device.set_input(1, True, begun_us + 50_000)
    reader.see_all(reads[1:])
    heard = floor.service._devices._readers["gate-1"]
    await floor.until(lambda: heard.health.counts.frames == len(reads) and sees_something(floor))


def sees_something(floor: Floor) -> bool:
    """Whether the gate knows that an eye of the outbound door is blocked."""
    gates = floor.service._devices.gates
    assert gates is not None
    return any(eye.blocked for eye in gates.gate._doors["out"].eyes.values())


async def test_a_pallet_that_stood_before_the_eye_while_the_dock_was_late_is_stopped(
    tmp_path: Path, late_ns: list[int]
) -> None:
    async with Reader() as reader, running(tmp_path, reader, gate=LATE, eyes=("outer",)) as floor:
        await stands_before_the_eye(floor, unit(4), late_ns)
        assert floor.service.dock.door("out").reason == "not-on-permit"
        await floor.lit(STOP, on=True)


async def test_without_its_eye_before_its_reads_that_pallet_would_be_taken_for_one_that_rests(
    tmp_path: Path, late_ns: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "has_read", lambda *_: False)
    async with Reader() as reader, running(tmp_path, reader, gate=LATE, eyes=("outer",)) as floor:
        await stands_before_the_eye(floor, unit(4), late_ns)
        assert floor.service.dock.door("out").state == "READY"


async def test_a_reader_that_goes_away_stops_no_scan_and_is_told(tmp_path: Path) -> None:
    async with Reader() as reader, running(tmp_path, reader) as floor:
        await floor.until(lambda: device(floor).state == "Up")
        reader.drop()
        await reader.until(lambda reader: reader.connections > 1, WAIT_S)
        await floor.until(lambda: device(floor).state == "Up")
        assert device(floor).reconnects == 1
        view = await floor.service.dock.scan("out", b"nonsense", "client-1", "screen out")
        assert view.reason == "unreadable"
        reader.see_all(drive(unit(1), monotonic_us() - 3_000_000))
        await floor.shows("withdrawn")


def device(floor: Floor) -> DeviceView:
    return next(found for found in floor.service.desk.status().devices if found.kind == "reader")


async def test_a_label_that_a_camera_sees_is_a_scan_with_its_picture_and_counts_once_with_the_gate(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    chance = Random(3)
    label, size = pallet(1), (1280, 720)
    pixels, _ = picture([(label, pose(label, CLEAN, size, chance))], CLEAN, size, chance)
    camera = CameraConfig("eye-1", f"camera+folder://{folder}?existing=read", "out", CameraSettings())
    async with Reader() as reader, running(tmp_path, reader, (camera,)) as floor:
        cv2.imwrite(str(tmp_path / "one.png"), pixels)
        (tmp_path / "one.png").rename(folder / "one.png")
        await floor.shows("withdrawn")
        reader.see_all(drive(unit(1), monotonic_us() - 3_000_000))
        await floor.shows("already-counted")
        await floor.until(lambda: len(floor.passages()) == 1)
        [(entry_id, reason)] = floor.entries()
        assert reason == "withdrawn"
        await floor.service._devices.frames._waiting.join()
        assert [found.kind for found in floor.service.desk.status().devices] == ["reader", "camera"]
    with JournalReader(floor.store) as journal:
        record = journal.entry(entry_id)
    assert record is not None
    read = read_body(read_record(record)).read
    assert (read.device, read.carrier, read.passage) == ("eye-1", "camera", None)
    kept = (floor.store / "frames" / f"{read.frame}.jpg").read_bytes()
    assert hashlib.sha256(kept).hexdigest() == read.frame
    assert explain(floor.store, entry_id).agrees


async def test_a_gate_that_breaks_and_a_driver_that_breaks_stop_no_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "AGAIN_S", 0.01)
    folder = tmp_path / "pictures"
    folder.mkdir()
    camera = CameraConfig("eye-1", f"camera+folder://{folder}", "out", CameraSettings())
    begun = asyncio.Semaphore(0)

    async def broken(*_: object) -> None:
        begun.release()
        raise RuntimeError("planted")

    monkeypatch.setattr(Camera, "run", broken)
    async with Reader() as reader, running(tmp_path, reader, (camera,)) as floor:
        gates = floor.service._devices.gates
        assert gates is not None

        def fail(*_: object) -> None:
            raise RuntimeError("planted")

        with monkeypatch.context() as patch:
            patch.setattr(gates.gate, "take_tags", fail)
            # A minute ago: the next one is not older than what the gate has heard.
            way = list(drive(unit(1), monotonic_us() - 60_000_000))
            reader.see_all(way)
            async with asyncio.timeout(WAIT_S):
                for _ in range(3):
                    await begun.acquire()
            await floor.until(lambda: gates.faults > 0 and device(floor).reads == len(way))
            view = await floor.service.dock.scan("out", b"nonsense", "client-1", "screen out")
            assert view.reason == "unreadable"
        states = {found.device: found.state for found in floor.service.desk.status().devices}
        assert states == {"gate-1": "Up", "eye-1": "Down"}
        reader.see_all(drive(unit(2), monotonic_us() - 3_000_000))
        await floor.shows("withdrawn")


async def test_what_the_gate_cannot_judge_is_told_at_the_door_and_in_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("planted")

    async with Reader() as reader, running(tmp_path, reader) as floor:
        with monkeypatch.context() as patch:
            patch.setattr("edge.portal.gates.find", fail)
            reader.see_all(drive(unit(1), monotonic_us() - 3_000_000))
            await floor.shows("unjudged")
        told = floor.service.desk.metrics()["zonegate_gate_left_out_total"]
        assert sum(count for labels, count in told if labels == {"reason": "faults"}) > 0
        reader.see_all(drive(unit(2), monotonic_us() - 3_000_000))
        await floor.shows("withdrawn")
    with JournalReader(floor.store) as journal:
        entries = [read_record(record) for _, record in journal.page(0, 1000)]
    alarms = [read_body(entry) for entry in entries if entry.type == "alarm"]
    assert {(alarm.device, alarm.kind) for alarm in alarms} == {("gate-1", "passage-lost")}
    [held] = [read_body(entry) for entry in entries if entry.type == "hold"]
    assert (held.reason, bytes.fromhex(held.read.raw)) == ("unjudged", unit(1))
    row = floor.passages()[0]
    assert row.evidence is not None
    assert len(evidence.decode(row.evidence).reads) > 40, "what it was not judged from is kept"
    assert evidence.name(row.evidence) == held.read.passage.evidence
    [entry_id] = [entry.entry_id for entry in entries if entry.type == "hold"]
    assert explain(floor.store, entry_id).agrees
    assert all(judged.same for judged in replay(floor.store))


async def test_a_report_that_the_gate_cannot_take_is_kept_and_makes_its_passage_unsure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sure = GateSettings(silence_ms=3_000)
    async with Reader() as reader, running(tmp_path, reader, gate=sure) as floor:
        gates = floor.service._devices.gates
        assert gates is not None
        take = gates.gate.take_tags
        lost: list[bytes] = []

        def fail_in_the_middle(reads: list[TagRead], now_us: int) -> list[object]:
            if not lost and any(read.antenna == 1 for read in reads):
                lost.extend(read.epc for read in reads)
                raise RuntimeError("planted")
            return list(take(reads, now_us))

        monkeypatch.setattr(gates.gate, "take_tags", fail_in_the_middle)
        for sighting in drive(unit(1), monotonic_us() - 3_000_000):
            reader.see(sighting)
        await floor.until(lambda: len(floor.passages()) == 2)
    kept, through = floor.passages()
    assert kept.evidence is not None
    assert [read.epc for read in evidence.decode(kept.evidence).reads] == lost
    found = msgspec.json.decode(through.finding, type=Passage)
    assert (found.kind, found.confidence <= 900) == ("crossed", True)
    assert [reason for _, reason in floor.entries()] == ["unjudged", "not-sure"]
    with JournalReader(floor.store) as journal:
        bodies = [read_body(read_record(record)) for _, record in journal.page(0, 1000)]
    [alarm] = [body for body in bodies if isinstance(body, DeviceAlarm)]
    assert alarm.kind == "passage-lost"


async def test_an_explanation_without_its_evidence_says_so(tmp_path: Path) -> None:
    async with Reader() as reader, running(tmp_path, reader) as floor:
        reader.see_all(drive(unit(1), monotonic_us() - 3_000_000))
        await floor.shows("withdrawn")
        [(entry_id, _)] = floor.entries()
    with contextlib.closing(sqlite3.connect(floor.store / "journal.sqlite3")) as journal:
        journal.execute("UPDATE passage_evidence SET evidence = x'00'")
        journal.commit()
    damaged = explain(floor.store, entry_id)
    assert not damaged.agrees
    with contextlib.closing(sqlite3.connect(floor.store / "journal.sqlite3")) as journal:
        journal.execute("UPDATE passage_evidence SET evidence = NULL")
        journal.commit()
    gone = explain(floor.store, entry_id)
    assert gone.agrees
    assert any("given up" in line for line in gone.lines)
