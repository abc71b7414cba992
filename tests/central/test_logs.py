# SPDX-License-Identifier: Apache-2.0
"""The center as a witness of its logs over HTTP, and its database verified chain by chain."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer

from central.service import Central
from central.web.access import Access
from central.web.app import make_app
from customs.imports import Upload
from sync.entry import read_record
from tests.central.conftest import Opener
from tests.central.dock import Dock
from tests.edge.journals import Site
from tests.faults.tampering import changed
from zonegate.centerlogs import CenterLogs
from zonegate.findings import Finding
from zonegate.verify import Witnesses, add_arguments, run
from zonegate.witnesses import WitnessError, anchor_seen
from zonegate.zonelogs import Audited, audit

WHO = ("example", "zone-999")


@pytest_asyncio.fixture
async def url(center: Central, tmp_path: Path) -> AsyncIterator[str]:
    async with TestServer(make_app(center, Access(tmp_path))) as server:
        yield str(server.make_url("")).rstrip("/")


async def worked(center: Central, dock: Dock, papers: bytes) -> None:
    """Papers, and a day at the dock in several exchanges."""
    await center.import_files([Upload("week.json", papers)], "compliance")
    for number in range(4):
        dock.move(sscc=f"09521999000000{number:04d}")
        dock.job("opened")
        await dock.talk(center)


def ask(url: str, node: str, epoch: str, seq: int) -> Any:
    with CenterLogs(url) as logs:
        return logs.log(node), logs.log("dock-9"), logs.place(node, epoch, seq)


async def test_the_center_tells_what_it_stores_of_a_log(center: Central, dock: Dock, url: str) -> None:
    dock.move()
    await dock.talk(center)
    log, unknown, place = await asyncio.to_thread(ask, url, dock.node, dock.epoch, 2)
    assert unknown is None
    [epoch] = log.epochs
    assert (epoch.epoch, epoch.seq, epoch.hash, epoch.key) == (*_place(dock), dock.signer.public)
    assert (epoch.signed, epoch.closed) == (dock.head(), False)
    assert (place.record, place.hash) == (dock.records[1], dock.hashes[1])
    own, _, first = await asyncio.to_thread(ask, url, "center", center.head.epoch if center.head else "", 1)
    assert own.epochs[-1].seq == (center.head.seq if center.head else 0)
    assert read_record(first.record).type == "begin"


def _place(dock: Dock) -> tuple[str, int, str]:
    place = dock.place()
    return place.epoch, place.seq, place.hash


async def test_what_names_no_place_is_refused(center: Central, dock: Dock, url: str) -> None:
    for node, epoch, seq in (("dock-1", "no-epoch", 1), ("dock-1", "0" * 32, 0), ("DOCK", "0" * 32, 1)):
        with pytest.raises(WitnessError, match="answers 400"):
            await asyncio.to_thread(ask, url, node, epoch, seq)
    with pytest.raises(WitnessError, match="is silent"):
        await asyncio.to_thread(ask, "http://127.0.0.1:1", "dock-1", "0" * 32, 1)


def command(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([str(argument) for argument in arguments]))


async def test_a_journal_is_compared_with_the_running_center(
    center: Central, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A store is written, copied to the center as its dock would, cut, and verified by the command."""
    from edge.batch import Identity
    from edge.store import JournalReader
    from sync.keys import Signer
    from tests.faults.tampering import Store

    site = Site.make(tmp_path / "site")
    await site.grow(8, identity=Identity(*WHO, "dock-1"))
    with JournalReader(site.store) as reader:
        records = [record for _, record in reader.page(0, 100)]
    dock = Dock(signer=Signer((site.anchor / "epoch.key").read_bytes()))
    dock.epoch = read_record(records[0]).epoch
    dock.records = records
    dock.hashes = [hashlib.sha256(b"zonegate/entry/1\x00" + record).hexdigest() for record in records]
    dock.code = await center.enrol("dock-1")
    await dock.talk(center)
    assert await asyncio.to_thread(command, site.store, "--center", url, "--anchor", site.anchor) == 0
    assert "is whole" in capsys.readouterr().out
    with Store(site.store) as store:
        store.chain_anew(5, changed(records[4], ("door",)))
        store.drop_heads()
    assert await asyncio.to_thread(command, site.store, "--center", url, "--json") == 1
    found = json.loads(capsys.readouterr().out)["finding"]
    assert (found["problem"], found["seq"], found["promise"]) == ("head", 5, 5)
    assert "door: here d2, there d1" in found["sentence"]


async def edit(dsn: str, *statements: tuple[Any, ...]) -> None:
    """What somebody does who owns the database."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("ALTER TABLE entry DISABLE TRIGGER USER")
        for statement, *values in statements:
            await connection.execute(statement, *values)
        await connection.execute("ALTER TABLE entry ENABLE TRIGGER USER")
    finally:
        await connection.close()


async def audited(dsn: str, **known: Any) -> Audited:
    return await audit(dsn, *WHO, Witnesses(**known))


async def finding(dsn: str, **known: Any) -> Finding:
    [found] = (await audited(dsn, **known)).findings
    return found


async def test_a_database_that_nobody_touched_is_whole(
    postgres: str, center: Central, dock: Dock, papers: bytes, tmp_path: Path
) -> None:
    await worked(center, dock, papers)
    found = await audited(postgres, anchor=anchor_seen(tmp_path / "center"))
    assert found.findings == []
    assert {chain.node for chain in found.chains} == {"center", "dock-1"}
    assert found.notes == ()
    assert any("give --anchor or --head" in note for note in (await audited(postgres)).notes)
    with pytest.raises(WitnessError, match="keeps no log of example/other"):
        await audit(postgres, "example", "other")


COLUMNS = ["epoch", "seq", "entry_id", "type", "door", "occurred_at", "hash", "record"]
OTHER = {
    "epoch": f"'{'e' * 32}'",
    "seq": "99",
    "entry_id": "'01900000-0000-7000-8000-000000000000'",
    "type": "'stop'",
    "door": "'d9'",
    "occurred_at": "now()",
    "hash": f"'{'0' * 64}'",
    "record": "convert_to(replace(convert_from(record, 'UTF8'), '\"EA\"', '\"KG\"'), 'UTF8')",
}


@pytest.mark.parametrize("column", COLUMNS)
async def test_a_copy_that_was_changed_in_the_database_is_named(
    postgres: str, center: Central, dock: Dock, papers: bytes, column: str
) -> None:
    await worked(center, dock, papers)
    statement = f"UPDATE entry SET {column} = {OTHER[column]} WHERE node = 'dock-1' AND seq = 4"
    await edit(postgres, (statement,))
    found = (await audited(postgres)).findings
    assert {one.node for one in found} == {"dock-1"}
    assert any(one.seq == 4 for one in found)
    assert "center" not in {one.node for one in found}


async def chained_anew(dsn: str, node: str, change: int) -> list[tuple[Any, ...]]:
    """Statements that change one entry of a log and compute all later hashes anew, heads included."""
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("SELECT seq, record FROM entry WHERE node = $1 ORDER BY seq", node)
    await connection.close()
    statements: list[tuple[Any, ...]] = []
    prev = "0" * 64
    for row in rows:
        told = json.loads(row["record"])
        if row["seq"] == change:
            told["clock"]["mono_ns"] += 1
        told["prev"] = prev
        record = json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()
        prev = hashlib.sha256(b"zonegate/entry/1\x00" + record).hexdigest()
        sql = "UPDATE entry SET record = $1, hash = $2 WHERE node = $3 AND seq = $4"
        statements.append((sql, record, prev, node, row["seq"]))
    statements.append(("UPDATE log_head SET hash = $1, signature = NULL WHERE node = $2", prev, node))
    return statements


async def test_a_copy_chained_anew_is_found_by_the_centers_own_log(
    postgres: str, center: Central, dock: Dock, papers: bytes
) -> None:
    await worked(center, dock, papers)
    await edit(postgres, *await chained_anew(postgres, "dock-1", 6))
    found = await finding(postgres)
    assert (found.node, found.problem, found.promise) == ("dock-1", "head", 5)
    assert found.seq is not None
    assert found.last is not None
    assert found.seq <= 6 <= found.last < 9, "the exchange that brought it is known"
    assert "entry" in found.sentence
    assert "of the center's own log" in found.sentence


async def test_the_own_log_chained_anew_is_found_by_the_anchor(
    postgres: str, center: Central, dock: Dock, papers: bytes, tmp_path: Path
) -> None:
    await worked(center, dock, papers)
    await edit(postgres, *await chained_anew(postgres, "center", 3))
    found = await finding(postgres, anchor=anchor_seen(tmp_path / "center"))
    assert (found.node, found.problem, found.promise) == ("center", "head", 5)


async def test_a_cut_copy_and_a_cut_own_log_are_found(
    postgres: str, center: Central, dock: Dock, papers: bytes, tmp_path: Path
) -> None:
    await worked(center, dock, papers)
    cut = "DELETE FROM entry WHERE node = 'dock-1' AND seq > 5"
    mend = f"UPDATE log_head SET seq = 5, hash = '{dock.hashes[4]}', signature = NULL WHERE node = 'dock-1'"
    await edit(postgres, (cut,), (mend,))
    found = await finding(postgres)
    assert (found.node, found.problem, found.promise, found.seq) == ("dock-1", "tail", 3, 6)
    last = center.head.seq if center.head else 0
    await edit(postgres, ("DELETE FROM entry WHERE node = 'center' AND seq = $1", last))
    both = (await audited(postgres, anchor=anchor_seen(tmp_path / "center"))).findings
    assert {(one.node, one.problem) for one in both} >= {("center", "tail")}


async def test_a_forged_node_in_the_database_is_found(
    postgres: str, center: Central, dock: Dock, papers: bytes
) -> None:
    """Its chain is whole and signed; but no exchange brought it."""
    await worked(center, dock, papers)
    forged = Dock("dock-7")
    forged.move()
    statements: list[tuple[Any, ...]] = []
    for seq, record in enumerate(forged.records, start=1):
        entry = read_record(record)
        statements.append(
            (
                "INSERT INTO entry VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,now(),$10,$11)",
                *(*WHO, "dock-7", forged.epoch, seq, entry.entry_id, entry.type, entry.door),
                *(entry.occurred_at, forged.hashes[seq - 1], record),
            )
        )
    head = forged.head()
    statements.append(
        (
            "INSERT INTO log_head VALUES ($1,$2,'dock-7',$3,1,$4,$5,$4,$5,$6)",
            *(*WHO, head.epoch, head.seq, head.hash, head.signature),
        )
    )
    await edit(postgres, *statements)
    found = await finding(postgres)
    assert (found.node, found.problem, found.seq, found.last) == ("dock-7", "forged", 1, 2)


async def test_a_hidden_epoch_is_found(postgres: str, center: Central, dock: Dock, papers: bytes) -> None:
    await worked(center, dock, papers)
    await edit(postgres, ("DELETE FROM log_head WHERE node = 'dock-1'",))
    found = await finding(postgres)
    assert (found.node, found.problem) == ("dock-1", "epochs")


async def test_the_command_reads_the_database_and_changes_nothing(
    postgres: str, open_center: Opener, papers: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    center = await open_center()
    dock = Dock()
    dock.code = await center.enrol(dock.node)
    await worked(center, dock, papers)
    assert await asyncio.to_thread(command, "--database", postgres, "--zone", "/".join(WHO)) == 0
    assert "example/zone-999: 2 chains, all whole." in capsys.readouterr().out
    await edit(postgres, ("UPDATE entry SET door = 'd9' WHERE node = 'dock-1' AND seq = 2",))
    assert await asyncio.to_thread(command, "--database", postgres, "--zone", "/".join(WHO), "--json") == 1
    [told] = json.loads(capsys.readouterr().out)["findings"]
    assert (told["node"], told["problem"], told["promise"]) == ("dock-1", "column", 5)
    assert await asyncio.to_thread(command, "--database", postgres) == 2
    assert "--zone TENANT/ZONE" in capsys.readouterr().out
