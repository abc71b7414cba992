# SPDX-License-Identifier: Apache-2.0
"""A full disk: evidence goes first, then the ballast, out of which all that was queued is still told; then
the journal stops visibly, and is forgotten once there is room. The control has no ballast."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.anchor import Anchor
from edge.batch import UnderwayNote
from edge.errors import DiskFull
from edge.journal import Journal, Placed
from edge.store import JournalReader
from tests.edge.journals import WAIT_S, Site
from zonegate.verify import verify_store

SIZE_BYTES = 8 * 1024 * 1024
RESERVE_BYTES = 2 * 1024 * 1024
QUEUED = 20


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


def ballast(site: Site) -> Path:
    return site.store / "ballast"


def taken(site: Site) -> int:
    return sum(file.stat().st_blocks * 512 for file in site.store.iterdir())


def stored(site: Site, told: list[Placed]) -> bool:
    with JournalReader(site.store) as reader:
        return all(reader.entry(item.entry_id) == item.record for item in told)


@pytest.mark.parametrize("reserve_bytes", [RESERVE_BYTES, 0], ids=["with a ballast", "by SQLite's word"])
async def test_a_full_disk_loses_nothing_told_and_recovers_when_room_is_made(
    site: Site, reserve_bytes: int
) -> None:
    journal = site.open(reserve_bytes=reserve_bytes)
    told = [await journal.append(site.draft()) for _ in range(10)]
    filler = fill(site, reserve_bytes // 4 + 500_000) if reserve_bytes else fill_wholly(site)
    await append_until_full(site, journal, told)
    assert isinstance(await asyncio.wait_for(journal.failed, WAIT_S), DiskFull)
    with pytest.raises(DiskFull):
        await journal.append(site.draft())
    await journal.close()
    assert stored(site, told)
    if reserve_bytes:
        assert not ballast(site).exists()
        with pytest.raises(DiskFull, match=r"its ballast of 2 MiB is released.*free some room"):
            site.open(reserve_bytes=reserve_bytes)
    filler.unlink()
    again = site.open(reserve_bytes=reserve_bytes)
    assert (again.begun, again.epoch) == (None, journal.epoch)
    if reserve_bytes:
        assert ballast(site).stat().st_blocks * 512 == ballast(site).stat().st_size == reserve_bytes
    told.append(await again.append(site.draft()))
    await again.close()
    assert stored(site, told)
    verified = verify_store(site.store)
    assert (verified.finding, verified.end) == (None, told[-1].place)


async def queue_on_a_full_disk(site: Site, journal: Journal, *, noticed: bool) -> list[Placed | DiskFull]:
    """Queue facts, the disk having been filled wholly; `noticed`: the writer looks for room before."""
    fill_wholly(site)
    if noticed:
        site.time.ns += 1_000_000_000
    note_scan(site, journal)
    journal.put_snapshot(b"x" * 100_000)
    futures = [journal.append(site.draft("x" * 10_000)) for _ in range(QUEUED)]
    async with asyncio.timeout(WAIT_S):
        outcomes = await asyncio.gather(*futures, return_exceptions=True)
        assert isinstance(await journal.failed, DiskFull)
    with pytest.raises(DiskFull):
        await journal.append(site.draft())
    await journal.close()
    assert all(isinstance(outcome, Placed | DiskFull) for outcome in outcomes)
    return [outcome for outcome in outcomes if isinstance(outcome, Placed | DiskFull)]


@pytest.mark.parametrize("noticed", [True, False], ids=["by the low mark", "by SQLite's word"])
async def test_what_is_queued_when_the_disk_is_full_is_told_out_of_the_ballast(
    site: Site, noticed: bool
) -> None:
    journal = site.open(reserve_bytes=RESERVE_BYTES)
    await journal.append(site.draft())
    outcomes = await queue_on_a_full_disk(site, journal, noticed=noticed)
    told = [outcome for outcome in outcomes if isinstance(outcome, Placed)]
    assert len(told) == QUEUED
    assert stored(site, told)
    assert Anchor(site.anchor).read() == told[-1].place
    counters = journal.counters()
    assert (counters.full, counters.reads_left_out, counters.passages_left_out) == (True, 1, 1)
    with JournalReader(site.store) as reader:
        assert reader.reads(0, 10) == []
        _, head = reader.signed_heads(0, 100)[-1]
    assert head.place == told[-1].place
    assert verify_store(site.store).finding is None


async def test_without_a_ballast_what_is_queued_when_the_disk_is_full_is_lost(site: Site) -> None:
    journal = site.open(reserve_bytes=0)
    await journal.append(site.draft())
    outcomes = await queue_on_a_full_disk(site, journal, noticed=True)
    assert any(isinstance(outcome, DiskFull) for outcome in outcomes)
    assert stored(site, [outcome for outcome in outcomes if isinstance(outcome, Placed)])


async def test_a_quota_of_its_own_is_kept_with_the_same_steps(site: Site) -> None:
    limits = {"reserve_bytes": 512 * 1024, "store_bytes_max": 4 * 1024 * 1024}
    journal = site.open(**limits)
    told: list[Placed] = []
    await append_until_full(site, journal, told)
    assert isinstance(await asyncio.wait_for(journal.failed, WAIT_S), DiskFull)
    await journal.close()
    assert taken(site) <= limits["store_bytes_max"]
    assert len(told) > 100
    assert stored(site, told)
    again = site.open(**{**limits, "store_bytes_max": 8 * 1024 * 1024})
    told.append(await again.append(site.draft()))
    await again.close()
    with pytest.raises(DiskFull, match="left of the 2 MiB for"):
        site.open(**{**limits, "store_bytes_max": 2 * 1024 * 1024})
    assert stored(site, told)
    assert verify_store(site.store).finding is None


async def test_a_ballast_that_is_not_whole_is_laid_again(site: Site) -> None:
    await site.grow(1, reserve_bytes=RESERVE_BYTES)
    for cut in (0, 1000, RESERVE_BYTES):  # the last one is sparse, as a copy may be
        with ballast(site).open("wb") as file:
            file.truncate(cut)
        await site.grow(1, reserve_bytes=RESERVE_BYTES)
        assert ballast(site).stat().st_blocks * 512 == RESERVE_BYTES
    await site.grow(1, reserve_bytes=RESERVE_BYTES // 2)
    assert ballast(site).stat().st_size == RESERVE_BYTES // 2


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
    journal.note_passage(site.passage())


async def test_evidence_is_left_out_before_entries_are_refused(site: Site) -> None:
    reserve_bytes = RESERVE_BYTES
    journal = site.open(reserve_bytes=reserve_bytes)
    note_scan(site, journal)
    await journal.append(site.draft())
    fill(site, reserve_bytes * 3 // 2)
    site.time.ns += 1_000_000_000
    for name in (site.passage().passage, "d1-9"):
        journal.note_underway(UnderwayNote(name, "d1", site.time.clocks().utc()))
    note_scan(site, journal)
    placed = await journal.append(site.draft())
    await journal.close()
    counters = journal.counters()
    assert (counters.full, counters.reads_left_out, counters.passages_left_out) == (False, 1, 1)
    assert ballast(site).exists()
    assert stored(site, [placed])
    with JournalReader(site.store) as reader:
        assert len(reader.reads(0, 10)) == 1
        assert [row.passage for row in reader.underway()] == ["d1-9"], "that is no evidence, and small"


async def test_a_journal_is_not_opened_on_a_disk_that_is_full(site: Site) -> None:
    site.store.parent.mkdir(exist_ok=True)
    filler = fill(site, 100_000)
    with pytest.raises(DiskFull, match="its ballast of 1 MiB is not laid yet"):
        site.open(reserve_bytes=1024 * 1024)
    with pytest.raises(DiskFull):
        site.open(reserve_bytes=0)
    filler.unlink()
    journal = site.open(reserve_bytes=1024 * 1024)
    assert journal.told.seq == 1
    await journal.close()
