# SPDX-License-Identifier: Apache-2.0
"""Folders and films as cameras: real files, whole and hostile, with the simulator's truth."""

from __future__ import annotations

import json
import os
import shutil
import socket
from pathlib import Path
from random import Random
from urllib.parse import quote

import cv2
import pytest

from drivers import State
from drivers.camera import Camera, CameraSettings
from simulators.camera.__main__ import main
from simulators.camera.film import Picture, lay_down
from simulators.camera.goods import made_up
from simulators.camera.scene import CLEAN, picture, pose
from tests.drivers.camera.scripted import Watched, watching
from tests.drivers.camera.test_pictures import png_bomb
from tests.drivers.lines import RunningClock

SETTINGS = CameraSettings(retry_s_min=0.01, retry_s_max=0.05)
CODES = [made_up(kind, Random(number)) for number, kind in enumerate(("sscc", "link", "data-matrix", "lot"))]


def camera_at(kind: str, path: Path, settings: str = "") -> Camera:
    url = f"camera+{kind}://{quote(os.fsencode(path))}{settings}"
    return Camera("cam", url, SETTINGS, RunningClock())


def photo(code: bytes, seed: int = 1) -> Picture:
    chance = Random(seed)
    pixels, shown = picture([(code, pose(code, CLEAN, (640, 360), chance))], CLEAN, (640, 360), chance)
    return Picture(pixels, tuple(shown))


def raws(seen: Watched) -> list[bytes]:
    return [read.raw.replace(b"]I0", b"]I1") for read, _ in seen.reads]


async def test_pictures_that_come_into_a_folder_are_read_once_each(tmp_path: Path) -> None:
    lay_down(tmp_path / "old.jpg", photo(CODES[3]))
    camera = camera_at("folder", tmp_path)
    async with watching(camera) as seen:
        await seen.until(lambda: camera.health.state is State.READY)
        for number, code in enumerate(CODES[:3]):
            name = ("one.jpg", "two.PNG", "x %d'\"\n\udcff#?.jpeg")[number]
            lay_down(tmp_path / name, photo(code))
            await seen.until(lambda number=number: len(seen.reads) == number + 1)  # type: ignore[misc]
        looked = camera.counts.looked
    assert raws(seen) == CODES[:3]
    assert looked == camera.counts.looked == 3
    assert seen.reads[0][1].name == "one.jpg"
    assert seen.reads[0][1].jpeg == (tmp_path / "one.jpg").read_bytes()  # as the camera made it
    assert seen.reads[2][1].name.startswith("x %d")


async def test_pictures_that_lie_there_are_read_if_asked_in_the_order_of_their_times(tmp_path: Path) -> None:
    for place, code in enumerate(CODES):
        path = tmp_path / f"{9 - place}.jpg"
        lay_down(path, photo(code))
        os.utime(path, (1_700_000_000 + place, 1_700_000_000 + place))
    camera = camera_at("folder", tmp_path, "?existing=read")
    async with watching(camera) as seen:
        await seen.until(lambda: len(seen.reads) == 4)
    assert raws(seen) == CODES


async def test_a_picture_that_grows_is_read_when_it_is_whole(tmp_path: Path) -> None:
    made, data = cv2.imencode(".jpg", photo(CODES[0]).pixels)
    assert made
    whole = data.tobytes()
    camera = camera_at("folder", tmp_path)
    async with watching(camera) as seen:
        await seen.until(lambda: camera.health.state is State.READY)
        with (tmp_path / "slow.jpg").open("wb") as file:
            file.write(whole[: len(whole) // 20])
            file.flush()
            await seen.until(lambda: camera.counts.pictures + camera.counts.broken > 0)
            file.write(whole[len(whole) // 20 :])
        await seen.until(lambda: len(seen.reads) == 1)
    assert raws(seen) == [CODES[0]]


async def test_a_folder_that_went_away_loses_no_picture(tmp_path: Path) -> None:
    folder, away = tmp_path / "in", tmp_path / "away"
    folder.mkdir()
    camera = camera_at("folder", folder)
    async with watching(camera) as seen:
        await seen.until(lambda: camera.health.state is State.READY)
        lay_down(folder / "1.jpg", photo(CODES[0]))
        await seen.until(lambda: len(seen.reads) == 1)
        folder.rename(away)
        await seen.until(lambda: camera.health.state is State.LOST)
        assert "is it mounted?" in camera.health.detail or "went away" in camera.health.detail
        lay_down(away / "2.jpg", photo(CODES[1]))
        away.rename(folder)
        await seen.until(lambda: len(seen.reads) == 2)
    assert raws(seen) == CODES[:2]
    assert camera.counts.reconnects == 1


async def test_hostile_files_in_a_folder_are_counted_and_told(tmp_path: Path) -> None:
    whole = cv2.imencode(".jpg", photo(CODES[3]).pixels)[1].tobytes()
    (tmp_path / "a-bomb.png").write_bytes(png_bomb(60_000, 60_000))
    (tmp_path / "b-empty.jpg").touch()
    (tmp_path / "c-text.jpg").write_text("no picture at all")
    (tmp_path / "d-header.jpg").write_bytes(whole[:3])
    (tmp_path / "e-noise.jpg").write_bytes(whole[:20] + Random(1).randbytes(5_000))
    (tmp_path / "f-giant.jpg").write_bytes(b"\xff\xd8\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00")
    with (tmp_path / "g-long.png").open("wb") as file:
        file.truncate(33 * 1024 * 1024)
    os.mkfifo(tmp_path / "h-pipe.jpg")
    (tmp_path / "i-link.jpg").symlink_to("/dev/zero")
    (tmp_path / "j-folder.jpg").mkdir()
    (tmp_path / "k-movie.avi").write_bytes(whole)
    (tmp_path / ".l-hidden.jpg").write_bytes(whole)
    lay_down(tmp_path / "m-right.jpg", photo(CODES[0]))
    for path in tmp_path.iterdir():
        if path.is_file() and not path.is_symlink():
            os.utime(path, (1_700_000_000, 1_700_000_000))
    camera = camera_at("folder", tmp_path, "?existing=read")
    async with watching(camera) as seen:
        await seen.until(lambda: len(seen.reads) == 1)
    assert raws(seen) == [CODES[0]]
    assert camera.counts.broken == 7
    details = {health.detail for health in seen.healths}
    assert "'a-bomb.png' has 60000 x 60000 pixels, expected at most 34000000" in details


async def test_a_film_gives_each_label_of_its_truth_once(tmp_path: Path) -> None:
    film, truth = tmp_path / "a %d film's.mp4", tmp_path / "truth.jsonl"
    named = [argument for code in CODES for argument in ("--code", code.decode())]
    assert (
        main(["film", str(film), *named, "--conditions", "clean", "--pictures", "3", "--truth", str(truth)])
        == 0
    )
    camera = camera_at("file", film, "?pace=none")
    async with watching(camera) as seen:
        await seen.until(lambda: "to its end" in camera.health.detail)
    lines = [json.loads(line) for line in truth.read_text().splitlines()]
    shown = [label["aim"] + label["code"] for line in lines for label in line["labels"] if label["whole"]]
    assert raws(seen) == [code.encode() for code in dict.fromkeys(shown)] == CODES
    assert camera.counts.pictures == camera.counts.looked == len(lines) == 28
    assert camera.health.detail == "stopped"


async def test_a_film_that_is_cut_off_is_played_so_far_and_told(tmp_path: Path) -> None:
    film = tmp_path / "lane.avi"
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 360))
    for _ in range(30):
        writer.write(photo(CODES[1]).pixels)
    writer.release()
    data = film.read_bytes()
    film.write_bytes(data[: len(data) // 2])
    camera = camera_at("file", film, "?pace=none")
    async with watching(camera) as seen:
        await seen.until(lambda: "pictures" in camera.health.detail)
        told = camera.health.detail
    assert raws(seen) == [CODES[1]]
    assert 5 < camera.counts.pictures < 25
    assert told.endswith("of 30 pictures: the file is cut off")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "is not there"),
        (b"", "is no film that can be read"),
        (b"\0\0\0\x18ftypmp42" + bytes(500), "is no film that can be read"),
        (Random(2).randbytes(20_000), "is no film that can be read"),
    ],
)
async def test_a_film_that_is_none_is_told_and_tried_again(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    film = tmp_path / "lane.mp4"
    if content is not None:
        film.write_bytes(content)
    camera = camera_at("file", film, "?pace=none")
    async with watching(camera) as seen:
        await seen.until(lambda: camera.health.state is State.LOST)
        assert said in camera.health.detail
        main(["film", str(tmp_path / "right.mp4"), "--code", CODES[0].decode(), "--conditions", "clean"])
        shutil.move(tmp_path / "right.mp4", film)
        await seen.until(lambda: len(seen.reads) == 1)


async def test_a_folder_or_a_pipe_is_no_film(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    for path in (tmp_path, tmp_path / "pipe.mp4", Path("/dev/zero")):
        camera = camera_at("file", path)
        async with watching(camera) as seen:
            await seen.until(lambda camera=camera: camera.health.state is State.LOST)  # type: ignore[misc]
            assert camera.health.detail.startswith(f"{path} is no file")


async def test_a_file_is_no_camera(tmp_path: Path) -> None:
    (tmp_path / "video0").touch()
    camera = Camera("cam", f"camera://{tmp_path}/video0", SETTINGS, RunningClock())
    async with watching(camera) as seen:
        await seen.until(lambda: camera.health.state is State.LOST)
    assert "is no video device" in seen.healths[1].detail


async def test_an_address_where_no_camera_is_is_told_without_its_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    camera = Camera("cam", f"camera+rtsp://anna:secret@127.0.0.1:{port}/live", SETTINGS, RunningClock())
    async with watching(camera) as seen:
        await seen.until(lambda: camera.health.state is State.LOST)
    told = " ".join(health.detail for health in seen.healths)
    assert f"rtsp://127.0.0.1:{port}/live does not answer as a camera" in told
    assert "secret" not in told
