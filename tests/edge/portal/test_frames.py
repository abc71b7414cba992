# SPDX-License-Identifier: Apache-2.0
"""Pictures as evidence: named by their hash, bounded, and never in a door's way."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.portal.frames import FOLDER, WAITING_MAX, Frames, oldest_kept

WAIT_S = 20.0


def name(jpeg: bytes) -> str:
    return hashlib.sha256(jpeg).hexdigest()


@contextlib.asynccontextmanager
async def writing(frames: Frames) -> AsyncIterator[None]:
    task = asyncio.create_task(frames.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def written(frames: Frames) -> None:
    """All that was put is written, or left out."""
    async with asyncio.timeout(WAIT_S):
        await frames._waiting.join()


def kept(store: Path) -> list[str]:
    folder = store / FOLDER
    return sorted(file.name for file in folder.glob("*.jpg")) if folder.is_dir() else []


async def test_a_picture_is_a_file_by_its_hash(tmp_path: Path) -> None:
    frames = Frames(tmp_path, 10_000)
    async with writing(frames):
        for _ in range(2):
            frames.put(name(b"one"), b"one")
        await written(frames)
    assert (tmp_path / FOLDER / f"{name(b'one')}.jpg").read_bytes() == b"one"
    assert frames.left_out == 0


async def test_the_oldest_give_way_also_those_of_an_earlier_run(tmp_path: Path) -> None:
    pictures = [bytes([number]) * 1_000 for number in range(8)]
    for some in (pictures[:4], pictures[4:]):
        frames = Frames(tmp_path, 3_500)
        async with writing(frames):
            for jpeg in some:
                frames.put(name(jpeg), jpeg)
                await written(frames)
    assert kept(tmp_path) == sorted(f"{name(jpeg)}.jpg" for jpeg in pictures[-3:])


async def test_more_than_can_be_written_are_left_out_and_counted(tmp_path: Path) -> None:
    frames = Frames(tmp_path, 10_000)
    for number in range(WAITING_MAX + 5):
        frames.put(f"{number:064x}", b"x")
    assert frames.left_out == 5


async def test_a_disk_without_room_keeps_none(tmp_path: Path) -> None:
    frames = Frames(tmp_path, 10_000, free_bytes_min=2**62)
    async with writing(frames):
        frames.put(name(b"one"), b"one")
        await written(frames)
    assert frames.left_out == 1
    assert kept(tmp_path) == []


async def test_a_folder_that_cannot_be_made_is_no_fault_of_the_door(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("in the way")
    frames = Frames(tmp_path, 10_000)
    async with writing(frames):
        frames.put(name(b"one"), b"one")
        await written(frames)
    assert frames.left_out == 1


async def test_pictures_past_retention_go(tmp_path: Path) -> None:
    frames = Frames(tmp_path, 10_000)
    now = datetime(2026, 6, 3, tzinfo=UTC)
    async with writing(frames):
        for jpeg in (b"old", b"young"):
            frames.put(name(jpeg), jpeg)
            await written(frames)
        day = (now - timedelta(days=40)).timestamp()
        os.utime(tmp_path / FOLDER / f"{name(b'old')}.jpg", (day, day))
        assert oldest_kept(now, 0) is None
        before = oldest_kept(now, 30)
        assert before is not None
        assert await frames.prune(before) == 1
    assert kept(tmp_path) == [f"{name(b'young')}.jpg"]
