# SPDX-License-Identifier: Apache-2.0
"""A backup is whole whatever the node writes meanwhile, holds no secret, and goes only where it belongs."""

from __future__ import annotations

import asyncio
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from edge.config import DoorConfig, NodeConfig
from edge.errors import StoreBusy, StoreError
from edge.store import JournalReader
from tests.edge.journals import ME, Site
from zonegate.keeping import KeepingError, back_up, restore
from zonegate.verify import verify_store

NOW = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.make(tmp_path / "site")


def config(site: Site, node: str = ME.node) -> NodeConfig:
    doors = (DoorConfig("d1", "Door 1"),)
    return NodeConfig(ME.tenant, ME.zone, node, site.store, site.anchor, "UTC", doors)


async def backed_up(site: Site, folder: Path) -> Path:
    await site.grow(5)
    back_up(config(site), folder, NOW)
    return folder


def put_away(site: Site) -> None:
    site.store.rename(site.store.with_name("away"))


async def test_a_backup_of_a_journal_that_is_being_written_is_whole(site: Site, tmp_path: Path) -> None:
    journal = site.open()
    await journal.append(site.draft())
    done = asyncio.Event()

    async def write() -> int:
        count = 0
        while not done.is_set():
            await journal.append(site.draft("y" * 5_000))
            count += 1
        return count

    writing = asyncio.create_task(write())
    notes = [await asyncio.to_thread(back_up, config(site), tmp_path / str(n), NOW) for n in range(3)]
    done.set()
    assert await writing > 0
    await journal.close()
    assert not journal.failed.done()
    seqs = [note.heads[-1].seq for note in notes]
    assert seqs == sorted(seqs)
    for number, note in enumerate(notes):
        assert verify_store(tmp_path / str(number)).finding is None
        with JournalReader(tmp_path / str(number)) as reader:
            assert reader.head(journal.epoch) == note.heads[-1]


async def test_a_backup_holds_the_journal_and_nothing_secret(site: Site, tmp_path: Path) -> None:
    folder = await backed_up(site, tmp_path / "backup")
    (site.store / "access.json").write_text("{}")
    assert {path.name for path in folder.iterdir()} == {"journal.sqlite3", "backup.json"}
    secret = (site.anchor / "epoch.key").read_bytes()
    assert all(secret not in path.read_bytes() for path in folder.iterdir())


async def test_where_nothing_came_after_the_backup_the_node_goes_on(site: Site, tmp_path: Path) -> None:
    folder = await backed_up(site, tmp_path / "backup")
    put_away(site)
    assert "goes on as if nothing had happened" in restore(config(site), folder)
    journal = site.open()
    assert journal.begun is None
    await journal.close()


async def test_beside_its_anchor_an_older_store_proves_where_the_epoch_ended(
    site: Site, tmp_path: Path
) -> None:
    folder = await backed_up(site, tmp_path / "backup")
    last = (await site.grow(2))[-1]
    put_away(site)
    assert f"entries {last.seq - 1} to {last.seq}" in restore(config(site), folder)
    journal = site.open()
    assert journal.begun is not None
    assert journal.begun.end == last
    await journal.close()


async def test_without_its_anchor_nothing_is_proven(site: Site, tmp_path: Path) -> None:
    folder = await backed_up(site, tmp_path / "backup")
    put_away(site)
    for file in site.anchor.iterdir():
        file.unlink()
    assert "no anchor" in restore(config(site), folder)
    journal = site.open()
    assert journal.begun is not None
    assert journal.begun.end is None
    await journal.close()


async def test_what_does_not_belong_there_is_refused_and_nothing_is_written(
    site: Site, tmp_path: Path
) -> None:
    folder = await backed_up(site, tmp_path / "backup")
    with pytest.raises(KeepingError, match="not empty"):
        back_up(config(site), folder, NOW)
    with pytest.raises(KeepingError, match="there is a journal"):
        restore(config(site), folder)
    with pytest.raises(KeepingError, match="is a backup of node"):
        restore(config(site, "dock-9"), folder)
    with pytest.raises(KeepingError, match=r"no backup\.json"):
        restore(config(site), site.store)
    put_away(site)
    note = folder / "backup.json"
    right = note.read_bytes()
    note.write_bytes(b"{")
    with pytest.raises(KeepingError, match="cannot be read"):
        restore(config(site), folder)
    note.write_bytes(right)
    copy = folder / "journal.sqlite3"
    copy.write_bytes(copy.read_bytes()[:-1] + b"\x01")
    with pytest.raises(KeepingError, match="not the file that was backed up"):
        restore(config(site), folder)
    assert not site.store.exists()


async def test_a_running_node_is_not_overwritten(site: Site, tmp_path: Path) -> None:
    folder = await backed_up(site, tmp_path / "backup")
    journal = site.open()
    with pytest.raises(KeepingError, match="the node runs"):
        restore(config(site), folder)
    await journal.close()


async def test_a_node_that_is_started_meanwhile_begins_no_journal_that_is_then_overwritten(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = await backed_up(site, tmp_path / "backup")
    put_away(site)
    copy = shutil.copyfile
    busy: list[StoreBusy] = []

    def starting(source: Path, target: Path) -> None:
        try:
            site.open()
        except StoreBusy as error:
            busy.append(error)
        copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", starting)
    restore(config(site), folder)
    assert len(busy) == 1
    journal = site.open()
    assert journal.begun is None, "the control: once it is restored the node goes on"
    await journal.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="not installable: only root can restore for another user")
async def test_what_root_restores_is_the_nodes_own(site: Site, tmp_path: Path) -> None:
    folder = await backed_up(site, tmp_path / "backup")
    put_away(site)
    os.chown(site.store.parent, 12345, 12345)
    restore(config(site), folder)
    made = [site.store, *site.store.iterdir()]
    assert {path.stat().st_uid for path in made} == {12345}
    assert {path.name for path in made} == {"store", "journal.sqlite3", "journal.lock"}


async def test_there_is_no_backup_of_no_journal(site: Site, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no journal"):
        back_up(config(site), tmp_path / "backup", NOW)


def test_the_note_says_whose_it_is(tmp_path: Path) -> None:
    site = Site.make(tmp_path / "site")
    asyncio.run(backed_up(site, tmp_path / "backup"))
    note = msgspec.json.decode((tmp_path / "backup" / "backup.json").read_bytes())
    assert (note["node"], note["made_at"]) == (ME.node, "2026-06-03T12:00:00Z")
    assert note["heads"][0]["seq"] == 6
