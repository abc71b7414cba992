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


@_migrations()
def m002_pruned(database: Database) -> None:
    """What was pruned: of each epoch everything between its Begin and its *base*, both of which stay known.

    `position` is the base's. `pruned_count` keeps how many entries of each type a door had there.
    """
    for statement in (
        """CREATE TABLE pruned (
            epoch TEXT PRIMARY KEY,
            seq INTEGER NOT NULL,
            hash TEXT NOT NULL,
            position INTEGER NOT NULL
        ) STRICT""",
        """CREATE TABLE pruned_count (
            epoch TEXT NOT NULL,
            door TEXT NOT NULL,
            type TEXT NOT NULL,
            entries INTEGER NOT NULL,
            PRIMARY KEY (epoch, door, type)
        ) STRICT""",
        "DROP TRIGGER entry_no_delete",
        """CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry
            WHEN OLD.seq = 1
                OR NOT EXISTS (SELECT 1 FROM pruned WHERE epoch = OLD.epoch AND seq >= OLD.seq)
            BEGIN SELECT RAISE(ABORT, 'entry is append-only'); END""",
        "DROP TRIGGER signed_head_no_delete",
        """CREATE TRIGGER signed_head_no_delete BEFORE DELETE ON signed_head
            WHEN NOT EXISTS (SELECT 1 FROM pruned WHERE epoch = OLD.epoch AND seq > OLD.seq)
            BEGIN SELECT RAISE(ABORT, 'signed_head is append-only'); END""",
        """CREATE TRIGGER pruned_no_delete BEFORE DELETE ON pruned
            BEGIN SELECT RAISE(ABORT, 'pruned is append-only'); END""",
        """CREATE TRIGGER pruned_only_grows BEFORE UPDATE ON pruned
            WHEN NEW.epoch <> OLD.epoch OR NEW.seq < OLD.seq
            BEGIN SELECT RAISE(ABORT, 'pruned only grows'); END""",
    ):
        database.execute(statement)
    database.execute("PRAGMA user_version = 2")


@_migrations()
def m003_passages(database: Database) -> None:
    """What gates found, and what each finding was judged from (`edge.evidence`).

    `at` is when a passage opened; `sha256` names the evidence, which is NULL where it was too large to be
    kept, `evidence_bytes` its size all the same; `entry_ids` is a JSON list.
    """
    for statement in (
        """CREATE TABLE passage_evidence (
            position INTEGER PRIMARY KEY,
            passage TEXT NOT NULL,
            door TEXT NOT NULL,
            at TEXT NOT NULL,
            closed_at TEXT NOT NULL,
            finding BLOB NOT NULL,
            sha256 TEXT NOT NULL,
            evidence BLOB,
            evidence_bytes INTEGER NOT NULL,
            entry_ids TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX passage_by_evidence ON passage_evidence (sha256)",
        "PRAGMA user_version = 3",
    ):
        database.execute(statement)


@_migrations()
def m004_underway(database: Database) -> None:
    """Passages that something opened and nothing has judged yet: a row for the opening, whose `epc` is empty,
    and one for each tag sighted in it. The rows of a passage go with the transaction that judges it.
    """
    for statement in (
        """CREATE TABLE passage_underway (
            position INTEGER PRIMARY KEY,
            passage TEXT NOT NULL,
            door TEXT NOT NULL,
            at TEXT NOT NULL,
            epc BLOB NOT NULL,
            pc INTEGER,
            UNIQUE (passage, epc)
        ) STRICT""",
        "PRAGMA user_version = 4",
    ):
        database.execute(statement)
