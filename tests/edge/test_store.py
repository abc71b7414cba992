# SPDX-License-Identifier: Apache-2.0
"""Readers see a live journal, never change or checkpoint it, and refuse what they do not know."""

from __future__ import annotations

import argparse
import contextlib
import io
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import StoreError, StoreNewer
from edge.migrations import migrate
from edge.store import JOURNAL_FILE, SCHEMA_VERSION, JournalReader
from sync.entry import Place
from tests.edge.journals import Site
from zonegate import verify


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.make(tmp_path / "site")


def files(store: Path) -> dict[str, bytes]:
    """The database and its write-ahead log, byte by byte; -shm is the readers' own board."""
    return {
        path.name: path.read_bytes()
        for path in store.glob(f"{JOURNAL_FILE}*")
        if not path.name.endswith("-shm")
    }


def ask_everything(store: Path) -> None:
    with JournalReader(store) as reader:
        epoch = reader.epochs()[0]
        assert reader.head(epoch) is not None
        reader.hash_at(epoch, 1)
        reader.after(epoch, 0, 100, 100_000)
        reader.page(0, 100)
        reader.page_before(None, 100)
        reader.mentions(b"x", 100)
        reader.rows(0, 100)
        reader.entries()
        reader.behind("center")
        reader.snapshot()
        reader.signed_heads(0, 100)
        reader.reads(0, 100)


def run_verify(store: Path) -> None:
    parser = argparse.ArgumentParser()
    verify.add_arguments(parser)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert verify.run(parser.parse_args([str(store)])) == 0
    assert "is whole" in said.getvalue()


def checkpoint_by_hand(store: Path) -> None:
    with JournalReader(store) as reader, pytest.raises(sqlite3.OperationalError):
        reader._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def write_through_the_reader(store: Path) -> None:
    with JournalReader(store) as reader, pytest.raises(sqlite3.OperationalError):
        reader._connection.execute("INSERT INTO own_epoch (epoch) VALUES ('x')")


def open_and_checkpoint(store: Path) -> None:
    """What a tool that opens the file the ordinary way does."""
    connection = sqlite3.connect(store / JOURNAL_FILE)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()


def open_and_close(store: Path) -> None:
    """The last ordinary connection of a dead node's journal checkpoints when it is closed."""
    connection = sqlite3.connect(store / JOURNAL_FILE)
    connection.execute("SELECT count(*) FROM entry").fetchall()
    connection.close()


READ_ONLY = [ask_everything, run_verify, checkpoint_by_hand, write_through_the_reader]


async def leaves_live_journal(site: Site, tool: Callable[[Path], None]) -> bool:
    journal = site.open()
    for _ in range(20):
        await journal.append(site.draft())
    before = files(site.store)
    assert len(before[f"{JOURNAL_FILE}-wal"]) > 0
    tool(site.store)
    same = files(site.store) == before
    await journal.append(site.draft())
    await journal.close()
    return same


@pytest.mark.parametrize("tool", READ_ONLY)
async def test_no_read_only_tool_touches_a_live_journal(site: Site, tool: Callable[[Path], None]) -> None:
    assert await leaves_live_journal(site, tool)


async def test_a_tool_that_checkpoints_a_live_journal_is_caught(site: Site) -> None:
    assert not await leaves_live_journal(site, open_and_checkpoint)


async def leaves_crashed_journal(site: Site, folder: Path, tool: Callable[[Path], None]) -> bool:
    journal = site.open()
    await journal.append(site.draft())
    crashed = site.copy(folder)
    await journal.close()
    before = files(crashed.store)
    assert len(before[f"{JOURNAL_FILE}-wal"]) > 0
    tool(crashed.store)
    return files(crashed.store) == before


@pytest.mark.parametrize("tool", READ_ONLY)
async def test_no_read_only_tool_touches_what_a_crash_left(
    site: Site, tmp_path: Path, tool: Callable[[Path], None]
) -> None:
    assert await leaves_crashed_journal(site, tmp_path / "crashed", tool)


async def test_a_tool_that_tidies_up_after_a_crash_is_caught(site: Site, tmp_path: Path) -> None:
    assert not await leaves_crashed_journal(site, tmp_path / "crashed", open_and_close)


async def test_a_reader_does_not_keep_the_log_from_being_shortened(site: Site) -> None:
    journal = site.open()
    for future in [journal.append(site.draft()) for _ in range(500)]:
        await future
    with JournalReader(site.store) as reader:
        assert len(reader.page(0, 1000)) == 501
        await journal.close()
        log = site.store / f"{JOURNAL_FILE}-wal"
        assert not log.exists() or log.stat().st_size == 0


async def test_pages_follow_the_log_over_all_epochs(site: Site) -> None:
    journal = site.open()
    placed = [await journal.append(site.draft()) for _ in range(3)]
    journal = await site.begin_anew(journal)
    later = await journal.append(site.draft())
    await journal.close()
    with JournalReader(site.store) as reader:
        begin = reader.record_at(journal.epoch, 1)
        assert begin is not None
        records = [item.record for item in placed] + [begin, later.record]
        assert reader.page(1, 10) == list(enumerate(records, start=2))
        assert reader.page_before(None, 2) == [(6, later.record), (5, begin)]
        assert [at for at, _ in reader.page_before(5, 2)] == [4, 3]
        assert reader.entries() == 6
        first = placed[0].place.epoch
        assert reader.after(first, 1, 100, 1_000_000) == [item.record for item in placed]
        assert reader.after(first, 1, 2, 1_000_000) == [item.record for item in placed[:2]]
        assert reader.after(first, 1, 100, 1) == [placed[0].record]
        assert reader.after(first, 4, 100, 1) == []
        assert reader.entry(placed[2].entry_id) == placed[2].record
        assert reader.entry("unknown") is None
        assert reader.head("unknown") is None


@pytest.mark.parametrize("stretch", [1, 3, 20_000])
async def test_a_search_finds_the_newest_records_that_contain_the_text(
    site: Site, monkeypatch: pytest.MonkeyPatch, stretch: int
) -> None:
    monkeypatch.setattr("edge.store.SEARCH_ENTRIES", stretch)
    journal = site.open()
    for detail in ("lot 7", "lot 70", "Größe %_*", "LOT 7"):
        await journal.append(site.draft(detail))
    journal = await site.begin_anew(journal)
    for detail in ("lot 8", "lot 7"):
        await journal.append(site.draft(detail))
    await journal.close()
    with JournalReader(site.store) as reader:
        walked = [record for _, record in reader.page_before(None, 100)]
        for text, count in (("lot 7", 3), ("lot", 4), ("Größe %_*", 1), ("%", 1), ("alarm", 6), ("nine", 0)):
            wanted = [record for record in walked if text.encode() in record]
            assert len(wanted) == count
            for limit in (1, 2, 100):
                assert reader.mentions(text.encode(), limit) == wanted[:limit]


async def test_a_search_is_bounded_like_a_page(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.store.PAGE_ENTRIES_MAX", 3)
    await site.grow(5)
    with JournalReader(site.store) as reader:
        assert len(reader.mentions(b"alarm", 100)) == 3


async def test_a_cursor_counts_what_its_sink_has_not_taken(site: Site) -> None:
    journal = site.open()
    placed = [await journal.append(site.draft()) for _ in range(4)]
    journal.set_cursor("center", placed[1].place)
    await journal.close()
    with JournalReader(site.store) as reader:
        assert reader.cursor("center") == placed[1].place
        assert (reader.behind("center"), reader.behind("mqtt")) == (2, 5)
    journal = site.open()
    journal.set_cursor("center", Place("f" * 32, 9, "0" * 64))
    await journal.close()
    with JournalReader(site.store) as reader:
        assert reader.behind("center") == 5


async def test_a_shell_sees_type_door_and_time_as_the_record_says_them(site: Site) -> None:
    await site.grow(1)
    with JournalReader(site.store) as reader:
        rows = reader._all("SELECT type, door, occurred_at FROM entry ORDER BY position")
    assert rows == [
        ("begin", None, "2026-11-16T08:00:01.000000Z"),
        ("alarm", "d1", "2026-11-16T08:00:01.000000Z"),
    ]


@pytest.mark.parametrize("table", ["entry", "own_epoch", "signed_head"])
@pytest.mark.parametrize("act", ["UPDATE {} SET epoch = 'x'", "DELETE FROM {}"])
async def test_facts_are_not_changed_by_accident(site: Site, table: str, act: str) -> None:
    await site.grow(1)
    connection = sqlite3.connect(site.store / JOURNAL_FILE, isolation_level=None)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(act.format(table))
    connection.close()


async def test_a_journal_of_a_newer_version_is_refused_by_writer_and_reader(site: Site) -> None:
    await site.grow(1)
    connection = sqlite3.connect(site.store / JOURNAL_FILE)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(StoreNewer, match="written by a newer version"):
        site.open()
    with pytest.raises(StoreNewer, match="written by a newer version"):
        JournalReader(site.store)


def test_what_is_no_journal_is_refused_in_words(site: Site) -> None:
    with pytest.raises(StoreError, match="there is no journal"):
        JournalReader(site.store)
    site.store.mkdir()
    (site.store / JOURNAL_FILE).write_bytes(b"not a database, and long enough to be looked at" * 100)
    with pytest.raises(StoreError, match="cannot be read"):
        JournalReader(site.store)
    (site.store / JOURNAL_FILE).unlink()
    other = sqlite3.connect(site.store / JOURNAL_FILE)
    other.execute("CREATE TABLE songs (title)")
    other.close()
    with pytest.raises(StoreError, match="another program"):
        JournalReader(site.store)


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "x", isolation_level=None)
    migrate(connection)
    schema = connection.execute("SELECT sql FROM sqlite_schema").fetchall()
    migrate(connection)
    assert connection.execute("SELECT sql FROM sqlite_schema").fetchall() == schema
    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert connection.execute("SELECT count(*) FROM _sqlite_migrations").fetchone() == (SCHEMA_VERSION,)
    connection.close()


async def test_the_migrations_library_is_loaded_only_when_a_migration_is_due(site: Site) -> None:
    await site.grow(1)
    program = (
        "import asyncio, sys; from pathlib import Path; from edge.anchor import Anchor\n"
        "from edge.clock import system_clocks; from edge.journal import Identity, Journal\n"
        "async def main(store):\n"
        "    journal = Journal.open(store, Anchor(Path(sys.argv[2])), clocks=system_clocks(),\n"
        "                           identity=Identity('acme', 'ftz-1', 'dock-a'))\n"
        "    await journal.close()\n"
        "asyncio.run(main(Path(sys.argv[1])))\n"
        "print('sqlite_utils' in sys.modules)\n"
    )

    def loaded(store: Path) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program, str(store), str(site.anchor)],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout.strip()

    assert loaded(site.store) == "False"
    assert loaded(site.store.with_name("fresh")) == "True"
