# SPDX-License-Identifier: Apache-2.0
"""A full disk stops the journal visibly, loses nothing that was told, and is forgotten once there is room."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.errors import DiskFull
from edge.journal import Journal, Placed
from edge.store import JournalReader
from tests.edge.journals import WAIT_S, Site
from zonegate.verify import verify_store

SIZE_BYTES = 8 * 1024 * 1024


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site whose store lies on a small disk of its own, its anchor on another."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("not installable: needs root to mount a tmpfs")
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={SIZE_BYTES}", "zonegate-test", str(disk)], check=False
    )
    if done.returncode != 0:
        pytest.skip("not installable: this machine lets nobody mount a tmpfs")
    (tmp_path / "anchor").mkdir()
    yield Site(disk / "store", tmp_path / "anchor")
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(site: Site, leave_bytes: int) -> Path:
    """A file that leaves so many bytes free."""
    filler = site.store.parent / "filler"
    disk = os.statvfs(site.store.parent)
    with filler.open("wb") as file:
        file.write(bytes(max(0, disk.f_bavail * disk.f_frsize - leave_bytes)))
    return filler


def fill_wholly(site: Site) -> Path:
    """A file that leaves nothing."""
    filler = site.store.parent / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


async def append_until_full(site: Site, journal: Journal, told: list[Placed]) -> None:
    """Append entries of a size until one is refused, which must say that the disk is full."""
    for _ in range(SIZE_BYTES // 10_000):
        site.time.ns += 200_000_000
        try:
            told.append(await asyncio.wait_for(journal.append(site.draft("x" * 10_000)), WAIT_S))
        except DiskFull:
            return
    pytest.fail("the disk never filled")


def stored(site: Site, told: list[Placed]) -> bool:
    with JournalReader(site.store) as reader:
        return all(reader.entry(item.entry_id) == item.record for item in told)


@pytest.mark.parametrize("reserve_bytes", [2 * 1024 * 1024, 0], ids=["by watermark", "by SQLite's word"])
async def test_a_full_disk_loses_nothing_told_and_recovers_when_room_is_made(
    site: Site, reserve_bytes: int
) -> None:
    journal = site.open(reserve_bytes=reserve_bytes)
    told = [await journal.append(site.draft()) for _ in range(10)]
    filler = fill(site, reserve_bytes + 500_000) if reserve_bytes else fill_wholly(site)
    await append_until_full(site, journal, told)
    assert isinstance(await asyncio.wait_for(journal.failed, WAIT_S), DiskFull)
    with pytest.raises(DiskFull):
        await journal.append(site.draft())
    await journal.close()
    assert stored(site, told)
    if reserve_bytes:
        with pytest.raises(DiskFull, match="free some room"):
            site.open(reserve_bytes=reserve_bytes)
    filler.unlink()
    again = site.open(reserve_bytes=reserve_bytes)
    assert (again.begun, again.epoch) == (None, journal.epoch)
    told.append(await again.append(site.draft()))
    await again.close()
    assert stored(site, told)
    verified = verify_store(site.store)
    assert (verified.finding, verified.end) == (None, told[-1].place)


async def test_a_told_entry_that_is_gone_would_be_seen(site: Site) -> None:
    journal = site.open(reserve_bytes=0)
    told = [await journal.append(site.draft())]
    await journal.close()
    shutil.rmtree(site.store)
    await site.grow(1, reserve_bytes=0)
    assert not stored(site, told)


def note_scan(site: Site, journal: Journal) -> None:
    at = site.time.clocks().utc()
    journal.note_read(device="s1", door="d1", at=at, code="1", raw=b"1", verdict="STOP", entry_id=None)


async def test_evidence_is_left_out_before_entries_are_refused(site: Site) -> None:
    reserve_bytes = 2 * 1024 * 1024
    journal = site.open(reserve_bytes=reserve_bytes)
    note_scan(site, journal)
    await journal.append(site.draft())
    fill(site, reserve_bytes * 3 // 2)
    site.time.ns += 1_000_000_000
    note_scan(site, journal)
    placed = await journal.append(site.draft())
    await journal.close()
    assert journal.counters().reads_left_out == 1
    assert stored(site, [placed])
    with JournalReader(site.store) as reader:
        assert len(reader.reads(0, 10)) == 1


async def test_a_journal_is_not_opened_on_a_disk_that_is_full(site: Site) -> None:
    site.store.parent.mkdir(exist_ok=True)
    filler = fill(site, 100_000)
    with pytest.raises(DiskFull):
        site.open(reserve_bytes=1024 * 1024)
    with pytest.raises(DiskFull):
        site.open(reserve_bytes=0)
    filler.unlink()
    journal = site.open(reserve_bytes=1024 * 1024)
    assert journal.told.seq == 1
    await journal.close()
