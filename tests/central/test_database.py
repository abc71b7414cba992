# SPDX-License-Identifier: Apache-2.0
"""Migrations, the append-only record, and a database that goes away and comes back."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import asyncpg
import pytest

from central.database import Database, migrate, migrations
from central.errors import SetupError, Unavailable
from central.queries import _take
from central.service import Central
from central.web.reading import Reading
from edge.anchor import Anchor
from edge.clock import system_clocks
from edge.errors import StoreBusy
from sync.entry import Place
from tests.central.conftest import Opener
from tests.central.dock import Dock
from zonegate.children import OwnPostgres, postgres_folder
from zonegate.verify import Witnesses
from zonegate.witnesses import anchor_seen
from zonegate.zonelogs import audit


async def test_migrations_apply_once_and_in_order(postgres: str) -> None:
    connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(postgres)
    try:
        assert await migrate(connection) == sorted(migrations())  # type: ignore[arg-type]
        assert await migrate(connection) == []  # type: ignore[arg-type]
        await connection.execute("INSERT INTO migration VALUES ('9999_later.sql', now())")
        with pytest.raises(SetupError, match=r"newer center \(9999_later.sql\)"):
            await migrate(connection)  # type: ignore[arg-type]
    finally:
        await connection.close()


async def test_two_centers_that_start_at_once_migrate_once(postgres: str) -> None:
    databases = await asyncio.gather(*(Database.open(postgres) for _ in range(3)))
    async with databases[0].session() as connection:
        assert await connection.fetchval("SELECT count(*) FROM migration") == len(migrations())
    for database in databases:
        await database.close()


async def test_entries_are_never_changed_or_deleted(center: Central) -> None:
    for statement in ("UPDATE entry SET type = 'x'", "DELETE FROM entry", "TRUNCATE entry"):
        async with center.database.session() as connection:
            with pytest.raises(asyncpg.RaiseError, match="never changed or deleted"):
                await connection.execute(statement)


async def test_a_wrong_address_is_told_with_the_next_step(postgres: str) -> None:
    with pytest.raises(SetupError, match="database"):
        await Database.open(postgres.rpartition("/")[0] + "/no_such_database")
    with pytest.raises(Unavailable):
        await Database.open("postgresql://nobody@127.0.0.1:1/none")


async def test_one_process_holds_the_centers_anchor(center: Central, tmp_path: Path, postgres: str) -> None:
    with pytest.raises(StoreBusy):
        await Central.open(postgres, "example", "zone-999", Anchor(tmp_path / "center"), system_clocks())


class CutAnchor(Anchor):
    """Loses its power before the anchor of the first entry is written."""

    def write(self, place: Place) -> None:
        if place.seq > 0:
            raise OSError(errno.EIO, "the power is gone")
        super().write(place)


async def test_a_crash_between_the_first_begin_and_its_anchor_leaves_no_second_epoch(
    postgres: str, tmp_path: Path
) -> None:
    with pytest.raises(OSError, match="the power is gone"):
        await Central.open(postgres, "example", "zone-999", CutAnchor(tmp_path), system_clocks())
    found = await audit(postgres, "example", "zone-999", Witnesses(anchor=anchor_seen(tmp_path)))
    assert ([chain.entries for chain in found.chains], found.findings) == ([1], [])
    center = await Central.open(postgres, "example", "zone-999", Anchor(tmp_path), system_clocks())
    try:
        assert len(center._own.epochs) == 1
    finally:
        await center.close()
    (tmp_path / "anchor").unlink()
    center = await Central.open(postgres, "example", "zone-999", Anchor(tmp_path), system_clocks())
    try:
        assert len(center._own.epochs) == 2, "the control: an anchor that is lost begins another one"
    finally:
        await center.close()


async def test_a_second_writer_is_noticed_and_nothing_is_lost(open_center: Opener) -> None:
    """Two centers with copies of one data folder: the slower one meets a conflict, reads again, goes on."""
    first = await open_center()
    dock = Dock()
    dock.code = await first.enrol(dock.node)
    await dock.talk(first)
    second = await open_center("copy")
    book, epochs = await _same_book(first)
    second._own._book, second._own.epochs = book, epochs
    second._anchor.write(first.head)  # type: ignore[arg-type]
    dock.move()
    await dock.talk(first)
    dock.move()
    with pytest.raises(Unavailable, match="another writer"):
        await dock.talk(second, dock.ask(dock.part(after=1)))
    answer = await dock.talk(second, dock.ask(dock.part(after=1)))
    assert answer.have == (dock.place(),)
    assert second.counters["conflicts"] == 1


async def _same_book(center: Central):  # type: ignore[no-untyped-def] # noqa: ANN202
    async with center.database.session() as connection:
        book, heads = await center._own.record.book(connection)
    epochs = [head.place.epoch for head in heads if head.node == "center"]
    # As the copy knew it: before the other center began its own epoch.
    assert center.head is not None
    book.head = center.head
    return book, epochs[:1]


async def test_a_database_that_restarts_is_met_again_by_itself(tmp_path: Path) -> None:
    if postgres_folder() is None:
        pytest.skip("PostgreSQL is missing: ./dev test brings it")
    async with OwnPostgres(tmp_path / "pg") as server:
        dsn = await server.create_database("center")
        (tmp_path / "center").mkdir()
        center = await Central.open(dsn, "example", "zone-999", Anchor(tmp_path / "center"), system_clocks())
        try:
            dock = Dock()
            dock.code = await center.enrol(dock.node)
            await dock.talk(center)
            dock.move()
            await dock.talk(center)
            await server.kill()
            dock.move()
            with pytest.raises(Unavailable):
                await dock.talk(center)
            await server.start()
            dock.move()
            answer = await dock.talk(center)
            assert answer.have == (dock.place(),)
            async with asyncio.timeout(30):
                moved = asyncio.Event()
                center.projector.on_moved(moved.set)
                reading = Reading(center.database, "example", "zone-999")
                while (await reading.figures())["books_behind"]:
                    await moved.wait()
                    moved.clear()
            assert len((await reading.movements(10, None)).items) == 3
        finally:
            await center.close()


def test_a_query_without_a_comment_or_with_a_second_name_is_refused() -> None:
    with pytest.raises(SetupError, match="comment"):
        _take("planted.sql", "-- name: bare\nSELECT 1", {})
    with pytest.raises(SetupError, match="second query"):
        _take("planted.sql", "-- name: one\n-- It is.\nSELECT 1", {"one": "SELECT 2"})
