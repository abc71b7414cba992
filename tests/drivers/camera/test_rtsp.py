# SPDX-License-Identifier: Apache-2.0
"""A camera on the network, over real RTSP: read, lost, silent, and back."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from drivers import State
from drivers.camera import Camera, CameraSettings
from simulators.camera.goods import made_up
from simulators.camera.rtsp import RtspCamera
from simulators.camera.scene import CLEAN, picture, pose
from tests.drivers.camera.scripted import watching
from tests.drivers.lines import RunningClock

if TYPE_CHECKING:
    import pytest

    from simulators.camera.symbols import Pixels

SIZE = (640, 360)
SETTINGS = CameraSettings(retry_s_min=0.01, retry_s_max=0.1, stale_s=60)


def photo(code: bytes) -> Pixels:
    chance = Random(1)
    return picture([(code, pose(code, CLEAN, SIZE, chance))], CLEAN, SIZE, chance)[0]


async def test_a_stream_is_read_and_opened_again_after_its_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.camera.sources.READ_MS", 1_000)
    codes = [made_up("link", Random(number)) for number in range(3)]
    async with RtspCamera(fps=20) as device:
        camera = Camera("cam", f"camera+{device.url}", SETTINGS, RunningClock())
        async with watching(camera) as seen:
            device.show(photo(codes[0]))
            await seen.until(lambda: codes[0][3:] in seen.codes)
            await device.unplug()
            await seen.until(lambda: camera.health.state is State.LOST)
            device.show(photo(codes[1]))
            await device.plug()
            await seen.until(lambda: codes[1][3:] in seen.codes)
            device.silent = True
            await seen.until(lambda: camera.health.state is State.LOST)
            device.show(photo(codes[2]))
            device.silent = False
            await seen.until(lambda: codes[2][3:] in seen.codes)
    # On a busy machine the stream may stutter more often than it is made to.
    assert list(dict.fromkeys(read.raw for read, _ in seen.reads)) == codes
    assert camera.counts.reconnects >= 2
    assert device.clients >= 3
    assert any(f"{device.url} sends no more pictures" in health.detail for health in seen.healths)


async def test_no_old_picture_is_looked_at_when_a_camera_is_faster_than_the_decoder() -> None:
    """Twenty pictures a second against two looks: the label shown last is read, the count tells the rest."""
    settings = CameraSettings(looks_per_second_max=2, stale_s=60)
    codes = [made_up("link", Random(number)) for number in range(2)]
    async with RtspCamera(fps=20) as device:
        camera = Camera("cam", f"camera+{device.url}", settings, RunningClock())
        device.show(photo(codes[0]))
        async with watching(camera) as seen:
            await seen.until(lambda: len(seen.reads) == 1)
            device.show(photo(codes[1]))
            await seen.until(lambda: len(seen.reads) == 2)
            counts = camera.counts
    assert [read.raw for read, _ in seen.reads] == codes
    assert counts.stale > 0
    assert counts.looked + counts.stale <= counts.pictures
    print(f"pictures sent: {counts.pictures}, looked at: {counts.looked}, passed over: {counts.stale}")
