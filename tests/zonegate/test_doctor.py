# SPDX-License-Identifier: Apache-2.0
"""The doctor tells labels that could not be used, and why, from the scans that the node kept; and it looks at
each reader and camera.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.camera import CameraSettings
from drivers.errors import PartMissing
from drivers.llrp.settings import ReaderSettings
from edge.config import DoorConfig, NodeConfig
from edge.portal.config import CameraConfig, ReaderConfig
from simulators.camera.__main__ import main as simulate_camera
from simulators.reader.server import Reader
from tests.edge.yard import Papers, load_number
from tests.zonegate.test_explain import dock_over
from zonegate.doctor import FAULT, OK, WARN, _cameras, _labels, _readers


def config_of(folder: Path) -> NodeConfig:
    doors = (DoorConfig("in", "In"), DoorConfig("out", "Out"))
    return NodeConfig("t", "z", "n", folder / "store", folder / "anchor", "UTC", doors)


async def test_labels_that_named_no_load_are_told_with_the_reason_of_the_newest(tmp_path: Path) -> None:
    yard = dock_over(tmp_path, Papers())
    yard.open("in")
    yard.open("out")
    for code in (b"]C01Z999AA10123456784", load_number("in", 1), b"]C100095219990000000014"):
        yard.read("in", code)
    yard.read("out", load_number("out", 1))
    await yard.recorder.close()
    [finding] = list(_labels(config_of(tmp_path)))
    assert (finding.level, finding.about) == (WARN, "door in")
    assert finding.text.startswith(
        "2 of the last 4 scans named no load; the newest, ]C100095219990000000014: "
    )
    assert "check digit 4, expected 3" in finding.text


async def test_a_node_that_reads_well_or_never_ran_has_no_such_finding(tmp_path: Path) -> None:
    assert list(_labels(config_of(tmp_path))) == []
    yard = dock_over(tmp_path, Papers())
    yard.open("in")
    yard.read("in", load_number("in", 1))
    await yard.recorder.close()
    assert list(_labels(config_of(tmp_path))) == []


async def test_each_reader_is_looked_at_and_what_is_wrong_with_it_is_a_fault(tmp_path: Path) -> None:
    async with Reader() as sound, Reader() as ill:
        ill.set_antenna(1, False)
        settings = ReaderSettings(antennas=(1, 2))
        readers = tuple(
            ReaderConfig(name, device.url, settings, ()) for name, device in (("r1", sound), ("r2", ill))
        )
        config = replace(config_of(tmp_path), readers=readers)
        # The doctor is a program without a loop; the readers go on in this one.
        found = await asyncio.to_thread(lambda: list(_readers(config)))
    assert {finding.about for finding in found} == {"reader r1", "reader r2"}
    faults = [(finding.about, finding.text) for finding in found if finding.level == FAULT]
    assert faults == [("reader r2", "antenna 1 is not connected: check its cable and plugs")]


def test_a_node_without_readers_has_nothing_said_of_them(tmp_path: Path) -> None:
    assert list(_readers(config_of(tmp_path))) == []


def cameras(folder: Path, **urls: str) -> NodeConfig:
    made = tuple(CameraConfig(name, url, "in", CameraSettings()) for name, url in urls.items())
    return replace(config_of(folder), cameras=made)


def test_a_picture_that_the_decoder_chokes_on_is_a_fault_and_the_next_camera_is_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulate_camera(["folder", f"{tmp_path}/full", "--pictures", "1"])

    def choke(*_: object) -> None:
        raise RuntimeError("out of bounds")

    monkeypatch.setattr("drivers.camera.decoders._Zxing.read", choke)
    url = f"camera+folder://{tmp_path}/full"
    found = [each for each in _cameras(cameras(tmp_path, c1=url, c2=url)) if each.about != "cameras"]
    assert [(each.level, each.about) for each in found] == [(FAULT, "camera c1"), (FAULT, "camera c2")]
    assert found[0].text.endswith("a picture that cannot be used: out of bounds")


def test_each_camera_is_looked_through_once(tmp_path: Path) -> None:
    code = "]C100095219990000000013"
    simulate_camera(
        ["folder", str(tmp_path / "full"), "--code", code, "--conditions", "clean", "--pictures", "1"]
    )
    (tmp_path / "empty").mkdir()
    config = cameras(
        tmp_path,
        c1=f"camera+folder://{tmp_path}/full",
        c2=f"camera+folder://{tmp_path}/empty",
        c3=f"camera+file://{tmp_path}/missing.mp4",
    )
    found = [each for each in _cameras(config) if each.about != "cameras"]
    assert [(finding.level, finding.about) for finding in found] == [
        (OK, "camera c1"),
        (OK, "camera c2"),
        (FAULT, "camera c3"),
    ]
    assert found[0].text == f"1280 x 720 pixels, by zxing-cpp: {code}"
    assert found[2].text.endswith("missing.mp4 is not there: plug the camera in, or correct the path")


def test_what_brings_a_missing_library_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise PartMissing("zxing-cpp is not installed: LINE")

    monkeypatch.setattr("drivers.camera.eyes.load_decoder", missing)
    monkeypatch.setattr("drivers.camera.examination.load_decoder", missing)
    found = list(_cameras(cameras(tmp_path, c1=f"camera+folder://{tmp_path}")))
    assert [(finding.level, finding.about, finding.text) for finding in found] == [
        (FAULT, "camera c1", "zxing-cpp is not installed: LINE"),
        (WARN, "cameras", "no second decoder: zxing-cpp is not installed: LINE"),
    ]


def test_a_node_without_cameras_has_nothing_said_of_them(tmp_path: Path) -> None:
    assert list(_cameras(config_of(tmp_path))) == []
