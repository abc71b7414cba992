# SPDX-License-Identifier: Apache-2.0
"""The node's disk is filled while pallets come: evidence goes first, the pallet at the door is recorded out
of the ballast, then the door says STOP and why. Nothing that was displayed as ACCEPTED is lost, and with room
again it goes on by itself. The controls display ACCEPTED too early, and lay no ballast."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from edge.errors import StoreError
from edge.store import JournalReader
from tests.conftest import NOT_INSTALLABLE
from tests.faults.dockyard import (
    DOOR,
    FAST,
    WAIT_S,
    Dockyard,
    PlantedNode,
    dockyard,
    healthz,
    page,
    pallets,
    papers,
    serial_of,
    until,
)

pytestmark = pytest.mark.servers

SMALL = "size=16m"
RESERVE = {"[node]": "reserve_mb = 1", **FAST}
TICKS = os.sysconf("SC_CLK_TCK")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[PlantedNode], None]]:
    """Puts a node's store on a file system of 16 MiB."""
    mounted: list[Path] = []

    def mount(node: PlantedNode) -> None:
        node.store.mkdir(mode=0o700)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"{SMALL},mode=700", "tmpfs", str(node.store)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            pytest.skip(f"{NOT_INSTALLABLE} root that may mount a small disk ({done.stderr.strip()})")
        mounted.append(node.store)

    if os.geteuid() != 0:
        pytest.skip(f"{NOT_INSTALLABLE} only root may mount a small disk")
    yield mount
    for store in mounted:
        subprocess.run(["umount", "--lazy", str(store)], check=True)


def fill(yard: Dockyard, leave: int = 0) -> Path:
    """Take all the room there is but so many bytes."""
    number = len(list(yard.node.store.glob("somebody-elses-file-*")))
    taken = yard.node.store / f"somebody-elses-file-{number}"
    disk = os.statvfs(yard.node.store)
    size = min(64 * 1024, max(1, disk.f_bavail * disk.f_frsize - leave))
    with taken.open("wb", buffering=0) as file:
        while size and (left := os.statvfs(yard.node.store).f_bavail * disk.f_frsize - leave) > 0:
            try:
                file.write(bytes(min(size, left)))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                size //= 2
    return taken


@asynccontextmanager
async def full_disk(
    folder: Path, dsn: str, mount: Callable[[PlantedNode], None]
) -> AsyncIterator[tuple[Dockyard, Iterator[bytes], Path]]:
    """A dock whose disk was filled while it worked, and the pallets that are still to come."""
    async with dockyard(folder, dsn, papers(), settings=RESERVE, before=[mount]) as yard:
        labels = pallets()
        for _ in range(3):
            assert (await yard.scan(next(labels))).state == "ACCEPTED"
        filling = asyncio.create_task(asyncio.to_thread(fill, yard))
        state = ""
        while state != "STOP":
            state = (await yard.scan(next(labels))).state
        yield yard, labels, await filling


async def recovers(yard: Dockyard, ballast: Path, label: bytes) -> None:
    before = len(yard.screen.seen)
    ballast.unlink()
    await yard.screen.until(lambda seen: any(picture.reason == "ready" for picture in seen), after=before)
    assert (await yard.scan(label)).state == "ACCEPTED"


async def test_a_full_disk_says_stop_loses_nothing_and_recovers_by_itself(
    tmp_path: Path, postgres: str, small_disk: Callable[[PlantedNode], None]
) -> None:
    async with full_disk(tmp_path, postgres, small_disk) as (yard, labels, ballast):
        refused = next(labels)
        assert (await yard.scan(refused)).state == "STOP"
        door: dict[str, Any] = yard.node.get(f"/api/v1/doors/{DOOR}")
        assert (door["state"], door["reason"]) == ("STOP", "cannot-record")
        assert await type_in(yard, next(labels)) == ("STOP", "cannot-record")
        await stays_calm(yard, labels)
        said = yard.status()["recording"]
        assert "MiB are free in " in said
        assert ", its ballast of 1 MiB is released; " in said
        assert said.endswith("free some room")
        assert said in page(yard.node.url + "/")
        assert healthz(yard.node) == (503, f"not recording: {said}\n")
        await recovers(yard, ballast, refused)
        assert yard.status()["recording"] == ""
        assert healthz(yard.node) == (200, "ok\n")
        assert await yard.findings() == []
        assert len(yard.screen.accepted()) >= 4


async def test_a_planted_node_that_displays_accepted_too_early_loses_loads_on_a_full_disk(
    tmp_path: Path, postgres: str, small_disk: Callable[[PlantedNode], None]
) -> None:
    program = "tests.faults.early_node"
    async with dockyard(
        tmp_path, postgres, papers(), settings=RESERVE, program=program, before=[small_disk]
    ) as yard:
        labels, files = pallets(), list[Path]()
        await find_it_full(yard, labels, files)
        for file in files[1:]:
            file.unlink()
        await recovers(yard, files[0], next(labels))
        findings = await yard.findings()
        assert any(finding.startswith("lost: P") for finding in findings), findings


async def test_the_pallet_that_finds_the_disk_full_is_recorded_out_of_the_ballast(
    tmp_path: Path, postgres: str, small_disk: Callable[[PlantedNode], None]
) -> None:
    async with dockyard(tmp_path, postgres, papers(), settings=RESERVE, before=[small_disk]) as yard:
        labels = pallets()
        assert (await yard.scan(next(labels))).state == "ACCEPTED"
        files = [await asyncio.to_thread(fill, yard, 1024 * 1024)]  # below two reserves
        async with asyncio.timeout(WAIT_S):
            while left_out(yard) == 0:
                assert (await yard.scan(next(labels))).state == "ACCEPTED"
        assert yard.status()["recording"] == ""
        last = await find_it_full(yard, labels, files)
        await until(lambda: has_stopped(yard), "the node to say why")
        assert "its ballast of 1 MiB is released" in yard.status()["recording"]
        for file in files[1:]:
            file.unlink()
        await recovers(yard, files[0], next(labels))
        assert await yard.findings() == []
        assert serial_of(last.decode()) in await yard.recorded()


async def test_a_planted_node_without_ballast_cannot_record_the_pallet_that_finds_the_disk_full(
    tmp_path: Path, postgres: str, small_disk: Callable[[PlantedNode], None]
) -> None:
    program = "tests.faults.bare_node"
    async with dockyard(
        tmp_path, postgres, papers(), settings=RESERVE, program=program, before=[small_disk]
    ) as yard:
        labels, files = pallets(), list[Path]()
        last = await find_it_full(yard, labels, files, goes_on=True)
        for file in files[1:]:
            file.unlink()
        await recovers(yard, files[0], next(labels))
        assert await yard.findings() == []
        assert serial_of(last.decode()) not in await yard.recorded()


async def find_it_full(
    yard: Dockyard, labels: Iterator[bytes], files: list[Path], *, goes_on: bool = False
) -> bytes:
    """Fill the disk under a node that records, and scan, until that says STOP; the last label scanned.

    A node that `goes_on` after a STOP opens the full journal as if there were room, and is tried again.
    """
    while True:
        # A node that has nothing to write: it is this scan that finds the disk full, and no head or cursor.
        await until(lambda: not has_stopped(yard) if goes_on else is_quiet(yard), "the node to record")
        # Again and again: an emptied log gives room back.
        files.append(await asyncio.to_thread(fill, yard))
        last = next(labels)
        if (await yard.scan(last)).reason == "cannot-record":
            return last
        await until(lambda: has_stopped(yard) or is_quiet(yard), "everything to be written")
        if has_stopped(yard) and not goes_on:
            return last


def left_out(yard: Dockyard) -> int:
    """How many scans were not kept as evidence, by the node's figures."""
    name = "zonegate_journal_reads_left_out_total "
    lines = page(yard.node.url + "/metrics").splitlines()
    return sum(int(float(line.removeprefix(name))) for line in lines if line.startswith(name))


def has_stopped(yard: Dockyard) -> bool:
    """Whether the node says that it cannot record."""
    return bool(yard.status()["recording"])


def is_quiet(yard: Dockyard) -> bool:
    """All is told, sent and signed: the node writes nothing until the next scan."""
    try:
        with JournalReader(yard.node.store) as reader:
            epoch = reader.epochs()[-1]
            head = reader.head(epoch)
            signed = reader.signed_heads(0, 10_000)[-1][1].place
            return yard.arrived() and signed == head == reader.cursor(f"center:{epoch}")
    except StoreError:  # the node is closing or opening it
        return False


async def type_in(yard: Dockyard, label: bytes) -> tuple[str, str]:
    """Scan at the screen's keyboard; what the door says then."""
    headers = {"Authorization": f"Bearer {yard.node.token(f'door.{DOOR}')}"}
    body = {"code": label.decode(), "client_id": "keyboard-1"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{yard.node.url}/api/v1/doors/{DOOR}/scan", json=body) as answer,
    ):
        assert answer.status == 200
        door = await answer.json()
    return door["state"], door["reason"]


async def stays_calm(yard: Dockyard, labels: Iterator[bytes]) -> None:
    """Scans go on, the journal is tried again, and neither costs a processor."""
    before, started = cpu_s(yard.node.pid), asyncio.get_running_loop().time()
    tries = attempts(yard)
    await until(lambda: attempts(yard) >= tries + 1, "another attempt to open the journal")
    assert (await yard.scan(next(labels))).reason == "cannot-record"
    passed = asyncio.get_running_loop().time() - started
    # A loop without a pause would take all of a processor; shares, so that a slow machine changes nothing.
    assert (cpu_s(yard.node.pid) - before) / passed < 0.5
    assert attempts(yard) - tries <= passed / 1.5 + 1


def attempts(yard: Dockyard) -> int:
    """How often the service said that it cannot record."""
    return yard.node.log.read_text(encoding="utf-8").count("cannot record")


def cpu_s(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
