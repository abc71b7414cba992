# SPDX-License-Identifier: Apache-2.0
"""Backup and restore of a center, and the drill that docs/operate/center.md tells."""

from __future__ import annotations

import gzip
import hashlib
import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from central.backup import restore_backup, verify_backup, write_backup
from central.database import Database
from central.errors import Denied, SetupError
from central.people import DropBackup, NoteBackup
from central.service import Central
from edge.clock import system_clocks
from sync.bodies import Use
from sync.entry import Place
from tests.central.conftest import Opener
from tests.central.dock import Dock
from tests.central.running import Running, Wire
from tests.central.test_restored import Told
from zonegate.children import OwnPostgres

WHO = ("example", "zone-999")


async def test_a_backup_is_verified_and_says_which_logs_it_holds(
    center: Central, dock: Dock, postgres: str, tmp_path: Path
) -> None:
    dock.move()
    await dock.talk(center)
    manifest = await write_backup(center.database, *WHO, tmp_path / "b", system_clocks().utc())
    assert manifest.heads == (center.head, dock.place())
    assert {path.name for path in (tmp_path / "b").iterdir()} == {
        "backup.json", "claim.copy.gz", "entry.copy.gz", "log_head.copy.gz", "node.copy.gz",
    }  # fmt: skip
    with pytest.raises(SetupError, match="not empty"):
        await write_backup(center.database, *WHO, tmp_path / "b", system_clocks().utc())
    database = await Database.open(postgres)
    try:
        with pytest.raises(SetupError, match="has a record"):
            await restore_backup(database, *WHO, tmp_path / "b")
    finally:
        await database.close()


@pytest.mark.parametrize("harm", ["byte", "entry", "cut", "manifest"])
async def test_a_harmed_backup_is_refused(center: Central, dock: Dock, tmp_path: Path, harm: str) -> None:
    dock.move()
    await dock.talk(center)
    folder = tmp_path / "b"
    await write_backup(center.database, *WHO, folder, system_clocks().utc())
    verify_backup(folder)
    entries = folder / "entry.copy.gz"
    lines = gzip.decompress(entries.read_bytes()).splitlines(keepends=True)
    if harm == "byte":
        entries.write_bytes(entries.read_bytes()[:-1] + b"?")
    elif harm == "manifest":
        (folder / "backup.json").unlink()
    else:
        changed = [*lines[:-2], lines[-1]] if harm == "entry" else lines[:-1]
        data = gzip.compress(b"".join(changed))
        entries.write_bytes(data)
        _trust(folder, entries)
    with pytest.raises(SetupError):
        verify_backup(folder)


@pytest.mark.parametrize("table", ["entry", "log_head", "node", "claim"])
async def test_a_backup_with_a_row_of_another_zone_is_refused(
    center: Central, dock: Dock, tmp_path: Path, table: str
) -> None:
    """It would be put back among the record of that other zone."""
    folder = tmp_path / "b"
    ahead = dock.signer.head(Place(dock.epoch, 9, "9" * 64))
    await dock.talk(center, dock.ask(msgspec.structs.replace(dock.part(), head=ahead)))
    await write_backup(center.database, *WHO, folder, system_clocks().utc())
    verify_backup(folder)
    file = folder / f"{table}.copy.gz"
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    assert lines, "the control: there is a row of this table"
    lines.append(lines[-1].replace(b"zone-999", b"zone-998"))
    file.write_bytes(gzip.compress(b"".join(lines)))
    _trust(folder, file)
    with pytest.raises(SetupError, match="not of example/zone-999"):
        verify_backup(folder)


def _trust(folder: Path, entries: Path) -> None:
    """Correct the sum in the manifest: the rows alone must tell."""
    told = json.loads((folder / "backup.json").read_text())
    data = entries.read_bytes()
    told["tables"][entries.name.partition(".")[0]] = {
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    (folder / "backup.json").write_text(json.dumps(told))


async def test_nodes_may_forget_what_every_backup_contains(
    center: Central, dock: Dock, tmp_path: Path
) -> None:
    dock.move()
    assert (await dock.talk(center)).releasable == ()
    for name in ("monday", "tuesday"):
        manifest = await write_backup(center.database, *WHO, tmp_path / name, system_clocks().utc())
        await center.people.note_backup(NoteBackup(name, manifest.heads, "Dana"))
        dock.move()
        await dock.talk(center)
    assert (await dock.talk(center)).releasable == (dock.place(2),)
    await center.people.drop_backup(DropBackup("monday", "Dana"))
    assert (await dock.talk(center)).releasable == (dock.place(3),)


async def test_the_drill(  # noqa: PLR0915 - one story
    running: Running, postgres_server: OwnPostgres, tmp_path: Path
) -> None:
    """Backup, more work, the database is lost, restore, the docks report, and permits are lent again."""
    config = ("--config", str(running.config))
    papers = str(Path(__file__).parent / "papers.json")
    code, said, _ = await running.command("central", *config, "enrol", "dock-1")
    dock = Told()
    dock.code = said.strip()
    await dock.turn(Wire(running.url))
    folder = tmp_path / "2026-07-01"
    code, said, wrong = await running.command("central", "backup", str(folder), *config)
    assert (code, wrong) == (0, "")
    assert "Not in it, and never to be put back" in said

    center = ("--center", running.url)
    code, _, wrong = await running.command("import", *center, papers, token=running.token)
    assert (code, wrong) == (0, "")
    await dock.settle(Wire(running.url))
    dock.move(use=Use("A214", "1", Decimal(125)))
    await dock.turn(Wire(running.url))
    code, _, wrong = await running.command("central", "restore", str(folder), *config)
    assert code == 1
    assert "held by another process" in wrong, "not under a running center"
    assert await running.stop() == 0
    code, _, wrong = await running.command("central", "restore", str(folder), *config)
    assert code == 1
    assert "restore into an empty one" in wrong

    fresh = await postgres_server.create_database(f"fresh_{dock.epoch[:12]}")
    text = running.config.read_text()
    running.config.write_text("\n".join(
        f'database = "{fresh}"' if line.startswith("database") else line for line in text.splitlines()
    ))  # fmt: skip
    code, said, wrong = await running.command("central", "restore", str(folder), *config)
    assert code == 0, wrong
    assert "case silent:dock-1" in said
    assert "Nothing is lent" in said

    await running.start()
    code, said, _ = await running.command("central", "cases", *config)
    assert "case silent:dock-1" in said
    await dock.settle(Wire(running.url))
    code, said, _ = await running.command("central", "cases", *config)
    assert "silent" not in said
    assert "forgotten-grants" in said
    assert "Nothing is lent" not in said, "the roll call holds"
    code, _, wrong = await running.command("import", "--center", running.url, papers, token=running.token)
    assert (code, wrong) == (0, "")
    await dock.settle(Wire(running.url))
    name = next(line.split()[1] for line in said.splitlines() if line.startswith("case forgotten"))
    code, _, wrong = await running.command("central", *config, "settle", name, "--note", "imported again")
    assert (code, wrong) == (0, "")
    code, said, _ = await running.command("central", "cases", *config)
    assert said == "nothing is open\n"
    code, said, wrong = await running.command("verify", *config)
    assert code == 0, said + wrong
    assert await running.stop() == 0
    await postgres_server.drop_database(f"fresh_{dock.epoch[:12]}")


async def test_commands_act_while_no_center_runs(running: Running) -> None:
    config = ("--config", str(running.config))
    await running.stop()
    code, said, wrong = await running.command("central", *config, "enrol", "dock-1", "--by", "Dana")
    assert (code, len(said.strip())) == (0, 24), wrong
    code, said, wrong = await running.command("central", *config, "retire", "dock-1", "--note", "never built")
    assert code == 1
    assert "A count that is too low" in said
    sentence = said.split('"')[1]
    code, said, wrong = await running.command(
        "central", *config, "retire", "dock-1", "--note", "never built", "--attest", sentence
    )
    assert (code, wrong) == (0, "")
    assert said.startswith("close is entry")


async def test_a_backup_of_another_record_is_not_noted(open_center: Opener) -> None:
    center = await open_center()
    stranger = Dock("dock-9")
    with pytest.raises(Denied, match="not stored here"):
        await center.people.note_backup(NoteBackup("b", (stranger.place(),), "Dana"))
