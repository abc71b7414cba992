# SPDX-License-Identifier: Apache-2.0
"""A center's backup: its record as compressed COPY files in a folder, with sums, and the way back.

One snapshot of one zone's logs; the books are made from them again. The anchor, the roll and the key are not
in it: what lies beside them must never be put back. Knows no running center.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable, Coroutine, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

import msgspec

from central.database import Database, migrations
from central.errors import SetupError
from central.record import COLUMNS, Record
from sync.entry import MALFORMED, RECORD_BYTES_MAX, Place, read_record, record_hash
from sync.errors import EntryError

if TYPE_CHECKING:
    from central.database import Connection

TABLES: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "log_head": (
        ("tenant", "zone", "node", "epoch", "place", "seq", "hash", "signed_seq", "signed_hash", "signature"),
        "node, place",
    ),
    "entry": (COLUMNS, "node, epoch, seq"),
    "node": (("tenant", "zone", "node", "epoch", "doors", "contact_at"), "node"),
    "claim": (("tenant", "zone", "node", "epoch", "seq", "hash", "signature"), "node, epoch, seq"),
}
"""What a backup holds: each table's columns and order. One-time codes are left out: a spent one would work
again."""

_SECONDS_MAX: Final = 24 * 3600.0
"""For one table: years of entries at the pace of a slow disk."""

_MANIFEST: Final = "backup.json"
_LINE_BYTES_MAX: Final = 4 * RECORD_BYTES_MAX
"""A record in hex, and the short columns around it."""


class Table(msgspec.Struct, frozen=True):
    """One file: how many bytes, and their SHA-256."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup is; written last, so a folder without it is none. `heads` are the logs' ends."""

    form: int
    tenant: str
    zone: str
    made_at: datetime
    migrations: tuple[str, ...]
    tables: dict[str, Table]
    heads: tuple[Place, ...]


async def write_backup(
    database: Database, tenant: str, zone: str, folder: Path, made_at: datetime
) -> Manifest:
    """Write a backup into a new or empty folder, and verify it. SetupError when it cannot be done."""
    try:
        _make_folder(folder)
        async with (
            database.session() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            heads = await Record(tenant, zone).heads(connection)
            tables = {
                name: await _dump(connection, name, (tenant, zone), _file(folder, name)) for name in TABLES
            }
        ends = tuple(head.place for head in heads)
        manifest = Manifest(1, tenant, zone, made_at, tuple(migrations()), tables, ends)
        _write(folder / _MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
    except OSError as error:
        raise SetupError(f"the backup cannot be written: {error}; look at its disk") from error
    return verify_backup(folder)


def verify_backup(folder: Path) -> Manifest:
    """Check every byte and every chain of a backup. SetupError says what is wrong with it."""
    try:
        manifest = msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=Manifest)
        if manifest.form != 1 or manifest.tables.keys() != TABLES.keys():
            raise SetupError(f"{folder} was made by another version; restore it with that one")
        for name, table in manifest.tables.items():
            if _table(_file(folder, name)) != table:
                raise SetupError(f"{_file(folder, name)} is not what was written; use another backup")
        for name in TABLES.keys() - {"entry"}:
            for _ in _lines(folder, name, manifest):
                pass
        _check_chains(folder, manifest)
    except (OSError, EOFError, zlib.error, *MALFORMED) as error:
        raise SetupError(f"{folder} is no whole backup: {error}; name a folder with {_MANIFEST}") from error
    return manifest


async def restore_backup(database: Database, tenant: str, zone: str, folder: Path) -> Manifest:
    """Put a verified backup into a database that has nothing of this zone. SetupError when it has, or when
    the backup is of another zone or of a newer center.
    """
    manifest = verify_backup(folder)
    if (manifest.tenant, manifest.zone) != (tenant, zone):
        raise SetupError(
            f"{folder} is of {manifest.tenant}/{manifest.zone}, the configuration says {tenant}/{zone}"
        )
    if unknown := set(manifest.migrations) - migrations().keys():
        raise SetupError(f"{folder} was made by a newer center ({max(unknown)}); install that version")
    async with database.session() as connection, connection.transaction():
        await _refuse_filled(connection, tenant, zone)
        for name, (columns, _) in TABLES.items():
            with gzip.open(_file(folder, name), "rb") as file:
                await connection.copy_to_table(
                    name, columns=columns, source=cast(BinaryIO, file), timeout=_SECONDS_MAX
                )
        stored = await Record(tenant, zone).heads(connection)
        if tuple(head.place for head in stored) != manifest.heads:
            raise SetupError(f"{folder} has other tables than it says; nothing was restored")
    return manifest


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise SetupError(f"{folder} is not empty; name a new folder for each backup")


async def _refuse_filled(connection: Connection, tenant: str, zone: str) -> None:
    for name in TABLES:
        found = await connection.fetchval(
            f"SELECT EXISTS (SELECT FROM {name} WHERE tenant = $1 AND zone = $2)",  # noqa: S608 - a table of ours
            tenant,
            zone,
        )
        if found:
            raise SetupError(
                f"the database has a record of {tenant}/{zone} already; restore into an empty one: make it, "
                "and name it in [central] database"
            )


async def _dump(connection: Connection, name: str, who: tuple[str, str], path: Path) -> Table:
    columns, order = TABLES[name]
    listed = ", ".join(columns)
    with path.open("xb") as raw, gzip.GzipFile("", "wb", 1, raw, mtime=0) as packed:
        await connection.copy_from_query(
            f"SELECT {listed} FROM {name} WHERE tenant = $1 AND zone = $2 ORDER BY {order}",  # noqa: S608 - ours
            *who,
            output=_writer(packed),
            timeout=_SECONDS_MAX,
        )
        packed.close()
        raw.flush()
        os.fsync(raw.fileno())
    return _table(path)


def _table(path: Path) -> Table:
    data, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            data.update(chunk)
            size += len(chunk)
    return Table(size, data.hexdigest())


def _writer(file: gzip.GzipFile) -> Callable[[bytes], Coroutine[Any, Any, None]]:
    async def write(data: bytes) -> None:
        file.write(data)

    return write


def _check_chains(folder: Path, manifest: Manifest) -> None:
    """Each log in the backup is one unbroken chain up to the end that the manifest names."""
    ends: dict[tuple[str, str], Place] = {}
    for node, epoch, seq, digest, record in _entries(folder, manifest):
        before = ends.get((node, epoch))
        try:
            entry = read_record(record)
        except EntryError as error:
            raise SetupError(f"entry {seq} of log {epoch} of {node} cannot be read: {error}") from error
        follows = entry.seq == 1 if before is None else entry.prev == before.hash
        expected = before.seq + 1 if before else 1
        if (entry.epoch, entry.seq, seq, record_hash(record)) != (
            epoch,
            seq,
            expected,
            digest,
        ) or not follows:
            raise SetupError(
                f"entry {seq} of log {epoch} of {node} is not the one that belongs there; the database, or "
                "the backup, was changed"
            )
        ends[node, epoch] = Place(epoch, seq, digest)
    if sorted(ends.values(), key=_by_epoch) != sorted(manifest.heads, key=_by_epoch):
        raise SetupError(f"the logs in {folder} do not end where it says; use another backup")


def _by_epoch(place: Place) -> str:
    return place.epoch


def _entries(folder: Path, manifest: Manifest) -> Iterator[tuple[str, str, int, str, bytes]]:
    """Node, epoch, seq, hash and record of every entry, in order."""
    at = [COLUMNS.index(name) for name in ("node", "epoch", "seq", "hash", "record")]
    for line in _lines(folder, "entry", manifest):
        fields = line.split(b"\t")
        if len(fields) != len(COLUMNS):
            raise SetupError(f"{_file(folder, 'entry')} has a line that is no entry; use another backup")
        node, epoch, seq, digest, record = (fields[index] for index in at)
        try:
            # COPY writes bytes as \\x and hex, the backslash doubled.
            yield (
                node.decode(),
                epoch.decode(),
                int(seq),
                digest.decode(),
                bytes.fromhex(record[3:].decode()),
            )
        except ValueError as error:
            raise SetupError(f"{_file(folder, 'entry')} has a line that is no entry: {error}") from error


def _lines(folder: Path, table: str, manifest: Manifest) -> Iterator[bytes]:
    """The rows of a table, each of them the zone's own: one of another would be put back beside them."""
    whose = f"{manifest.tenant}\t{manifest.zone}\t".encode()
    with gzip.open(_file(folder, table), "rb") as file:
        while line := file.readline(_LINE_BYTES_MAX):
            if not line.startswith(whose):
                raise SetupError(
                    f"{_file(folder, table)} has a row that is not of {manifest.tenant}/{manifest.zone}; "
                    "use another backup"
                )
            yield line.rstrip(b"\n")


def _file(folder: Path, table: str) -> Path:
    return folder / f"{table}.copy.gz"


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
