# SPDX-License-Identifier: Apache-2.0
"""The journal's tables, as numbered migrations; a released one never changes.

Imported only when a migration is due: sqlite-utils is large, and a dock that runs needs none of it.
Each migration sets SQLite's user_version to its number, which is what openers compare.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from sqlite_utils import Database, Migrations

_migrations = Migrations("zonegate-journal")

_APPEND_ONLY: Final = ("entry", "own_epoch", "signed_head")
"""Tables of facts. Their triggers guard against accidents; against a person, the hash chain does."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a journal's tables up to this version's; each migration is one transaction."""
    _migrations.apply(Database(connection))


@_migrations()
def m001_journal(database: Database) -> None:
    """The first tables. `position` counts entries over all epochs without a gap.

    The virtual columns are for people with a SQLite shell: read from the record, they cannot disagree.
    """
    for statement in (
        """CREATE TABLE entry (
            position INTEGER PRIMARY KEY,
            epoch TEXT NOT NULL,
            seq INTEGER NOT NULL,
            entry_id TEXT NOT NULL UNIQUE,
            hash TEXT NOT NULL,
            record BLOB NOT NULL,
            type TEXT AS (json_extract(CAST(record AS TEXT), '$.type')) VIRTUAL,
            door TEXT AS (json_extract(CAST(record AS TEXT), '$.door')) VIRTUAL,
            occurred_at TEXT AS (json_extract(CAST(record AS TEXT), '$.occurred_at')) VIRTUAL,
            UNIQUE (epoch, seq)
        ) STRICT""",
        """CREATE TABLE own_epoch (
            ordinal INTEGER PRIMARY KEY,
            epoch TEXT NOT NULL UNIQUE
        ) STRICT""",
        """CREATE TABLE signed_head (
            position INTEGER PRIMARY KEY,
            epoch TEXT NOT NULL,
            seq INTEGER NOT NULL,
            hash TEXT NOT NULL,
            signature TEXT NOT NULL
        ) STRICT""",
        """CREATE TABLE read_evidence (
            position INTEGER PRIMARY KEY,
            device TEXT NOT NULL,
            door TEXT,
            at TEXT NOT NULL,
            code TEXT NOT NULL,
            raw BLOB NOT NULL,
            raw_bytes INTEGER NOT NULL,
            verdict TEXT NOT NULL,
            entry_id TEXT
        ) STRICT""",
        """CREATE TABLE cursor (
            sink TEXT PRIMARY KEY,
            epoch TEXT NOT NULL,
            seq INTEGER NOT NULL,
            hash TEXT NOT NULL
        ) STRICT""",
        """CREATE TABLE snapshot (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            epoch TEXT NOT NULL,
            seq INTEGER NOT NULL,
            hash TEXT NOT NULL,
            state BLOB NOT NULL
        ) STRICT""",
    ):
        database.execute(statement)
    for table in _APPEND_ONLY:
        for act in ("UPDATE", "DELETE"):
            database.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    database.execute("PRAGMA user_version = 1")
