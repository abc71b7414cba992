# SPDX-License-Identifier: Apache-2.0
"""A camera that runs: where its work is done, what is dropped, what is told, and that it comes back."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from drivers import LinkLost, LinkUnavailable, State
from drivers.camera import CameraCounts, CameraSettings
from drivers.camera.looking import Looking
from drivers.camera.shots import Broken, Ended, Shot, Waiting
from drivers.errors import PartMissing
from tests.drivers.camera.scripted import (
    STILL,
    NumberDecoder,
    ScriptedSource,
    scripted_camera,
    watching,
)
from tests.drivers.lines import HandClock

if TYPE_CHECKING:
    from drivers.scanner import Health


async def test_a_label_is_read_once_with_the_picture_it_was_seen_in() -> None:
    clock, decoder = HandClock(), NumberDecoder()
    source = ScriptedSource(clock)
    async with watching(scripted_camera(clock, decoder, [source])) as seen:
        source.put(7)
        await seen.until(lambda: len(seen.reads) == 1)
    read, evidence = seen.reads[0]
    assert (read.device, read.raw, read.carrier) == ("gate-camera", b"]Q1label 7", "camera")
    assert read.monotonic_ns == clock.monotonic_ns()
    assert read.at == clock.now()
    assert evidence.sha256 == hashlib.sha256(evidence.jpeg).hexdigest()
    kept = cv2.imdecode(np.frombuffer(evidence.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert kept is not None
    assert kept.shape == (evidence.height, evidence.width, 3) == (32, 32, 3)
    assert evidence.corners == ((1, 1), (9, 9))
    assert source.closed.is_set()


async def test_a_label_that_stays_is_one_scan_and_one_that_comes_back_another() -> None:
    clock, decoder = HandClock(), NumberDecoder()
    source = ScriptedSource(clock)
    camera = scripted_camera(clock, decoder, [source], dataclasses.replace(STILL, gone_s=4.0))
    async with watching(camera) as seen:
        for number, step_s in ((5, 0), (5, 1), (5, 3), (0, 1), (5, 2), (6, 1), (5, 4)):
            clock.move(step_s)
            looked = camera.counts.looked
            source.put(number)
            await seen.until(lambda looked=looked: camera.counts.looked > looked)  # type: ignore[misc]
        await seen.until(lambda: len(seen.reads) == 3)
    assert seen.codes == [b"label 5", b"label 6", b"label 5"]
    assert camera.counts.codes == 6
    assert camera.counts.frames == 3


def held(waiting: Callable[..., Waiting], shots: list[int]) -> tuple[int, int]:
    """Which of pictures that came in one go is looked at, and how many were passed over."""
    place = waiting(newest=True)
    clock = HandClock()
    picture = np.zeros((1, 1), np.uint8)
    lost = sum(place.put(Shot(picture, clock.now(), ns, ns)) for ns in shots)
    taken = place.take()
    assert taken is not None
    return taken.at_ns, lost


class OldestFirst(Waiting):
    """The planted bug: what waits first is looked at first."""

    def put(self, shot: Shot) -> bool:
        return self._shot is not None or super().put(shot)


def test_only_the_newest_picture_is_looked_at() -> None:
    assert held(Waiting, [1, 2, 3]) == (3, 2)
    with pytest.raises(AssertionError):
        assert held(OldestFirst, [1, 2, 3]) == (3, 2)


async def test_pictures_that_came_during_a_look_are_passed_over_and_counted() -> None:
    clock, decoder = HandClock(), NumberDecoder()
    source = ScriptedSource(clock)
    camera = scripted_camera(clock, decoder, [source])
    async with watching(camera) as seen:
        decoder.may_go.clear()
        source.put(1)
        await seen.until(lambda: decoder.begun.acquire(blocking=False))
        for number in (2, 3, 4):
            source.put(number)
        await seen.until(lambda: camera.counts.pictures == 4)
        decoder.may_go.set()
        await seen.until(lambda: len(seen.reads) == 2)
    assert decoder.seen == [1, 4]
    assert camera.counts.stale == 2
    print("pictures that came meanwhile: 3, looked at: the newest")


async def test_a_picture_that_is_too_old_is_not_looked_at() -> None:
    clock, decoder = HandClock(), NumberDecoder()
    source = ScriptedSource(clock)
    camera = scripted_camera(clock, decoder, [source], dataclasses.replace(STILL, stale_s=0.5))
    async with watching(camera) as seen:
        source.put(1, clock.monotonic_ns() - 600_000_000)
        await seen.until(lambda: camera.counts.stale == 1)
        source.put(2, clock.monotonic_ns() - 400_000_000)
        await seen.until(lambda: len(seen.reads) == 1)
    assert decoder.seen == [2]
    told = "a picture was dropped, 0.6 s old when its turn came: this machine has too much to do"
    assert told in {health.detail for health in seen.healths}


async def test_the_event_loop_takes_no_pictures_and_reads_no_codes() -> None:
    clock, decoder = HandClock(), NumberDecoder()
    source = ScriptedSource(clock)
    async with watching(scripted_camera(clock, decoder, [source])) as seen:
        for number in range(1, 20):
            source.put(number)
            await seen.until(lambda number=number: len(seen.reads) == number)  # type: ignore[misc]
    loop = threading.get_ident()
    assert seen.threads == {loop}
    assert len(decoder.seen) == 19
    assert loop not in source.threads | decoder.threads
    assert not source.threads & decoder.threads
    print("looks of 19 pictures on the event loop: 0")


async def test_work_on_the_event_loop_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once(self: Looking, shot: Shot, now_ns: int) -> None:
        self._loop.call_soon_threadsafe(self._look.at, shot)

    monkeypatch.setattr(Looking, "_look_at", at_once)
    clock, decoder = HandClock(), NumberDecoder()
    source = ScriptedSource(clock)
    async with watching(scripted_camera(clock, decoder, [source])) as seen:
        source.put(1)
        await seen.until(lambda: decoder.seen == [1])
    assert threading.get_ident() in decoder.threads


async def test_a_lost_camera_is_opened_again_for_ever() -> None:
    clock, decoder = HandClock(), NumberDecoder()
    first, last = ScriptedSource(clock), ScriptedSource(clock)
    absent = [LinkUnavailable("/dev/video0 is not there: plug the camera in") for _ in range(20)]
    camera = scripted_camera(clock, decoder, [first, *absent, last])
    async with watching(camera) as seen:
        first.put(1)
        first.fail(LinkLost("/dev/video0 sends no more pictures"))
        await seen.until(lambda: camera.health.state is State.LOST)
        last.put(2)
        await seen.until(lambda: len(seen.reads) == 2)
        assert camera.health.state is State.READY
    assert first.closed.is_set()
    told = [(health.state, health.detail.partition(";")[0]) for health in seen.healths]
    assert told == [
        (State.OPENING, "opening /dev/video0"),
        (State.READY, "ready, codes are read by numbers"),
        (State.LOST, "/dev/video0 sends no more pictures"),
        (State.LOST, "/dev/video0 is not there: plug the camera in"),
        (State.READY, "ready, codes are read by numbers"),
        (State.CLOSED, "stopped"),
    ]
    assert camera.counts.reconnects == 1
    assert isinstance(seen.healths[-1].counts, CameraCounts)


async def test_a_silent_camera_is_given_back_and_opened_again() -> None:
    clock, decoder = HandClock(), NumberDecoder()
    silent, last = ScriptedSource(clock), ScriptedSource(clock)
    camera = scripted_camera(clock, decoder, [silent, last])
    async with watching(camera) as seen:
        silent.put(1)
        await seen.until(lambda: len(seen.reads) == 1)
        clock.move(16)
        await seen.until(lambda: camera.health.state is State.LOST)
        assert "/dev/video0 sent no picture for 16 s" in camera.health.detail
        await seen.until(lambda: camera.counts.reconnects == 1)
        assert silent.closed.is_set()
        last.put(2)
        await seen.until(lambda: len(seen.reads) == 2)


async def test_a_missing_library_is_told_and_not_fatal() -> None:
    missing = "OpenCV, which takes pictures, is not installed: LINE"
    clock, decoder = HandClock(), NumberDecoder()
    source = ScriptedSource(clock)
    camera = scripted_camera(clock, decoder, [source])
    load, lacking = camera._load, [PartMissing(missing)]

    def load_later(settings: CameraSettings) -> object:
        if lacking:
            raise lacking[0]
        return load(settings)

    camera._load = load_later  # type: ignore[assignment]
    async with watching(camera) as seen:
        await seen.until(lambda: camera.health.state is State.LOST)
        assert camera.health.detail.startswith(missing)
        lacking.clear()  # somebody installs it
        source.put(1)
        await seen.until(lambda: len(seen.reads) == 1)


async def test_a_fault_of_ours_is_no_lost_camera() -> None:
    clock, decoder = HandClock(), NumberDecoder()
    source = ScriptedSource(clock)
    source.fail(KeyError("ours"))
    camera = scripted_camera(clock, decoder, [source])
    with pytest.raises(KeyError):
        await camera.run(lambda *_: None, lambda _: None)


async def test_a_fault_of_who_takes_the_reads_ends_the_camera() -> None:
    clock, decoder = HandClock(), NumberDecoder()
    source = ScriptedSource(clock)
    source.put(1)

    def refuse(*_: object) -> None:
        raise KeyError("theirs")

    with pytest.raises(KeyError, match="theirs"):
        await scripted_camera(clock, decoder, [source]).run(refuse, lambda _: None)


async def test_broken_pictures_are_counted_and_the_next_one_is_read() -> None:
    clock, decoder = HandClock(), NumberDecoder()
    source = ScriptedSource(clock)
    camera = scripted_camera(clock, decoder, [source])
    async with watching(camera) as seen:
        for _ in range(5):
            source.fail(Broken("'x.jpg' is damaged"))
        source.put(3)
        await seen.until(lambda: len(seen.reads) == 1)
    assert camera.counts.broken == 5
    told = [health for health in seen.healths if health.detail == "'x.jpg' is damaged"]
    assert [health.state for health in told] == [State.READY]  # once a second, and the clock stands


@pytest.mark.parametrize(("repeat", "shows"), [("no", 1), ("yes", 3)])
async def test_a_film_that_is_over_is_told_and_shown_again_only_if_asked(repeat: str, shows: int) -> None:
    clock, decoder = HandClock(), NumberDecoder()
    source = ScriptedSource(clock)
    url = f"camera+file:///lane.mp4?repeat={repeat}&pace=none"
    camera = scripted_camera(clock, decoder, [source], url=url)
    over = (State.READY, "played to its end, 1 pictures")
    async with watching(camera) as seen:
        for show in range(1, shows + 1):
            source.put(4)
            source.fail(Ended(over[1]))
            await seen.until(lambda show=show: len(seen.reads) == show)  # type: ignore[misc]
            await seen.until(lambda: over in [(health.state, health.detail) for health in seen.healths])
    assert seen.codes == [b"label 4"] * shows


def still_picture(light: int, noise: int, number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    grain = np.random.default_rng(number).integers(-noise, noise + 1, (64, 64, 3))
    return np.clip(light + grain, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("light", "noise", "same", "after_s", "said"),
    [
        (3, 2, False, 5, "the picture is all black"),
        (252, 2, False, 5, "the picture is all white"),
        (120, 90, True, 8, "the very same picture for 8 s: the camera is frozen"),
    ],
)
async def test_a_camera_that_shows_nothing_is_told_as_blind(
    light: int, noise: int, same: bool, after_s: int, said: str
) -> None:
    clock, decoder = HandClock(), NumberDecoder()
    source = ScriptedSource(clock)
    camera = scripted_camera(clock, decoder, [source], dataclasses.replace(STILL, frozen_s=8))
    blind: list[Health] = []
    async with watching(camera) as seen:
        for second in range(after_s + 1):
            assert not blind
            picture = still_picture(light, noise, 0 if same else second)
            source.script.put(Shot(picture, clock.now(), clock.monotonic_ns(), clock.monotonic_ns()))
            await seen.until(lambda second=second: camera.counts.looked == second + 1)  # type: ignore[misc]
            clock.move(1)
            if second == after_s:
                await seen.until(lambda: camera.health.state is State.BLIND)
            blind = [health for health in seen.healths if health.state is State.BLIND]
        assert blind[0].detail.startswith(said)
        source.put(9)
        await seen.until(lambda: camera.health.state is State.READY)
        await seen.until(lambda: len(seen.reads) == 1)


async def test_a_living_picture_is_not_told_as_blind() -> None:
    clock, decoder = HandClock(), NumberDecoder()
    source = ScriptedSource(clock)
    camera = scripted_camera(clock, decoder, [source], dataclasses.replace(STILL, frozen_s=8))
    async with watching(camera) as seen:
        for second in range(20):
            picture = still_picture(60, 20, second)
            source.script.put(Shot(picture, clock.now(), clock.monotonic_ns(), clock.monotonic_ns()))
            await seen.until(lambda second=second: camera.counts.looked == second + 1)  # type: ignore[misc]
            clock.move(1)
    assert State.BLIND not in {health.state for health in seen.healths}


async def test_only_codes_with_a_wanted_beginning_are_read() -> None:
    clock, decoder = HandClock(), NumberDecoder()
    source = ScriptedSource(clock)
    settings = dataclasses.replace(STILL, prefixes=("]Q1label 1", "]C100"))
    camera = scripted_camera(clock, decoder, [source], settings)
    async with watching(camera) as seen:
        for number in (2, 12, 3, 1):
            looked = camera.counts.looked
            source.put(number)
            await seen.until(lambda looked=looked: camera.counts.looked > looked)  # type: ignore[misc]
        await seen.until(lambda: len(seen.reads) == 2)
    assert seen.codes == [b"label 12", b"label 1"]
    assert camera.counts.others == 2


async def test_no_thread_of_a_stopped_camera_is_left() -> None:
    clock, decoder = HandClock(), NumberDecoder()
    source = ScriptedSource(clock)
    async with watching(scripted_camera(clock, decoder, [source])) as seen:
        source.put(1)
        await seen.until(lambda: len(seen.reads) == 1)
        names = {thread.name for thread in threading.enumerate()}
        assert {"camera-look", "camera-take"} <= names
    assert source.closed.is_set()
    for thread in threading.enumerate():
        if thread.name.startswith("camera-"):
            thread.join(10)
            assert not thread.is_alive()
