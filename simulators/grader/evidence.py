# SPDX-License-Identifier: Apache-2.0
"""Gathering what there is: the truth file, the node's journal, the center's tables, the subscriber's log.

Everything is opened for reading only. Knows where things stand, not what they should say.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg

from simulators.grader.record import Head, Row

Fact = dict[str, Any]


class EvidenceError(Exception):
    """Some of the evidence cannot be read; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Trip:
    """What was driven through a gate: of which step, at which door, from when until when (seconds of the
    epoch), and what the truth file says of it.
    """

    step: int
    door: str
    from_s: float
    until_s: float
    said: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Truth:
    """What was done: triggers pulled, each expected fact with the number of its step, trips through gates,
    work orders.
    """

    scans: int
    facts: tuple[tuple[int, Fact], ...]
    trips: tuple[Trip, ...] = ()
    orders: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage as a node kept it; `at_s` is when it opened (seconds of the epoch), `finding` what the gate
    found.
    """

    name: str
    door: str
    at_s: float
    finding: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Journal:
    """The nodes' own logs; `nodes` tells whose an epoch is. `reads` counts the reads kept as evidence."""

    rows: list[Row]
    heads: list[Head]
    nodes: dict[str, str] = field(default_factory=dict)
    passages: list[Passage] = field(default_factory=list)
    reads: int = 0


@dataclass(frozen=True, slots=True)
class Center:
    """The center's copies of the nodes' logs, its own log, and its books.

    `nodes` tells of which node it holds an epoch, `holdings` is the quantity by (load key, owner, status),
    without zeros; `used` by permit line; `movements` the booked quantity by entry id, negative when it was
    taken back; `postings` what the ledger has on each account of each lot.
    """

    rows: list[Row]
    heads: list[Head]
    own: list[Row]
    own_heads: list[Head]
    holdings: dict[tuple[str, str, str], Decimal]
    used: dict[str, Decimal]
    movements: dict[str, tuple[Decimal, bool]]
    nodes: dict[str, str] = field(default_factory=dict)
    postings: dict[tuple[str, str], Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """A message on an event topic: where, its CloudEvents id, and its bytes as text."""

    topic: str
    event_id: str
    payload: str


@dataclass(frozen=True, slots=True)
class Subscriber:
    """What the listener wrote down."""

    events: list[Event] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)


def read_truth(path: Path) -> Truth:
    """The yard's truth file. Raises EvidenceError."""
    scans = 0
    facts: list[tuple[int, Fact]] = []
    trips = []
    orders = []
    for row in _lines(path):
        if row.get("kind") == "step":
            scans += row["scans"]
            facts += [(row["step"], fact) for fact in row["expect"]]
            orders += [row["order"]] if row.get("order") else []
            said = row.get("passage")
            if said:
                times = (_seconds(said["from"]), _seconds(said["until"]))
                trips.append(Trip(row["step"], row["door"], *times, said))
    return Truth(scans, tuple(facts), tuple(trips), tuple(orders))


def read_journals(paths: dict[str, Path]) -> Journal:
    """The journals of all nodes, by name, one after the other. Raises EvidenceError."""
    journals = {node: _read_journal(path) for node, path in paths.items()}
    return Journal(
        [row for journal in journals.values() for row in journal.rows],
        [head for journal in journals.values() for head in journal.heads],
        {row.epoch: node for node, journal in journals.items() for row in journal.rows},
        [passage for journal in journals.values() for passage in journal.passages],
        sum(journal.reads for journal in journals.values()),
    )


def _read_journal(path: Path) -> Journal:
    """A node's journal, opened so that nothing can be written."""
    try:
        address = f"file:{quote(str(path.resolve()))}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=5.0)) as connection:
            rows = connection.execute(
                "SELECT epoch, seq, entry_id, type, hash, record FROM entry ORDER BY position"
            ).fetchall()
            heads = connection.execute(
                "SELECT epoch, seq, hash, signature FROM signed_head ORDER BY position"
            ).fetchall()
            passages = connection.execute(
                "SELECT passage, door, at, finding FROM passage_evidence ORDER BY position"
            ).fetchall()
            (reads,) = connection.execute("SELECT count(*) FROM read_evidence").fetchone()
    except sqlite3.Error as error:
        raise EvidenceError(f"the journal {path} cannot be read: {error}") from error
    return Journal(
        [Row(*row) for row in rows],
        [Head(*head) for head in heads],
        passages=[Passage(name, door, _seconds(at), json.loads(said)) for name, door, at, said in passages],
        reads=reads,
    )


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


async def read_center(dsn: str, tenant: str, zone: str, nodes: Sequence[str]) -> Center:
    """The center's tables, all as of one moment. Raises EvidenceError."""
    try:
        connection = await asyncpg.connect(dsn, timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise EvidenceError(f"the center's database cannot be reached: {error}") from error
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            logs = {node: await _log(connection, tenant, zone, node) for node in nodes}
            own, own_heads = await _log(connection, tenant, zone, "center")
            holdings = await connection.fetch(_HOLDINGS, tenant, zone)
            used = await connection.fetch(_USED, tenant, zone)
            movements = await connection.fetch(_MOVEMENTS, tenant, zone, nodes)
            postings = await connection.fetch(_POSTINGS, tenant, zone)
    except asyncpg.PostgresError as error:
        raise EvidenceError(f"the center's tables cannot be read: {error}") from error
    finally:
        await connection.close()
    return Center(
        [row for rows, _ in logs.values() for row in rows],
        [head for _, heads in logs.values() for head in heads],
        own,
        own_heads,
        {(row["key"], row["owner"], row["status"]): row["quantity"] for row in holdings},
        {row["line"]: row["used"] for row in used},
        {row["entry_id"]: (row["quantity"], row["reversed"]) for row in movements},
        {row.epoch: node for node, (rows, _) in logs.items() for row in rows},
        {(row["account"], row["lot"]): row["quantity"] for row in postings},
    )


def read_subscriber(path: Path) -> Subscriber:
    """The listener's log. Raises EvidenceError."""
    found = Subscriber()
    for row in _lines(path):
        topic = row["topic"]
        try:
            message = json.loads(row["payload"])
        except ValueError:
            message = {}
        if topic.endswith("/head") and isinstance(message, dict) and message.keys() >= _HEAD:
            found.heads.append(Head(message["epoch"], message["seq"], message["hash"], message["signature"]))
        elif "/event/" in topic:
            identity = str(message.get("id", "")) if isinstance(message, dict) else ""
            found.events.append(Event(topic, identity, row["payload"]))
    return found


_HEAD = {"epoch", "seq", "hash", "signature"}

_ENTRIES = """
SELECT epoch, seq, entry_id::text, type, hash, record FROM entry
WHERE tenant = $1 AND zone = $2 AND node = $3 ORDER BY epoch, seq
"""
_HEADS = """
SELECT epoch, signed_seq, signed_hash, signature FROM log_head
WHERE tenant = $1 AND zone = $2 AND node = $3 AND signature IS NOT NULL
"""
_HOLDINGS = """
SELECT key, owner, status, sum(quantity) AS quantity FROM holding
WHERE tenant = $1 AND zone = $2 GROUP BY key, owner, status HAVING sum(quantity) <> 0
"""
_USED = """
SELECT permit || '/' || line AS line, used FROM permit_line WHERE tenant = $1 AND zone = $2
"""
_MOVEMENTS = """
SELECT entry_id::text, quantity, reversed_by IS NOT NULL AS reversed FROM movement
WHERE tenant = $1 AND zone = $2 AND node = ANY ($3)
"""


_POSTINGS = """
SELECT account, lot, sum(quantity) AS quantity FROM (
    SELECT account_to AS account, lot, quantity FROM posting WHERE tenant = $1 AND zone = $2
    UNION ALL
    SELECT account_from, lot, -quantity FROM posting WHERE tenant = $1 AND zone = $2
) AS sides GROUP BY account, lot HAVING sum(quantity) <> 0
"""


async def _log(
    connection: asyncpg.Connection, tenant: str, zone: str, node: str
) -> tuple[list[Row], list[Head]]:
    entries = await connection.fetch(_ENTRIES, tenant, zone, node)
    heads = await connection.fetch(_HEADS, tenant, zone, node)
    return [Row(*row) for row in entries], [Head(*row) for row in heads]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """JSON lines; a last line that is still being written does not count yet."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise EvidenceError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if not line.endswith("\n"):
            return
        try:
            yield json.loads(line)
        except ValueError as error:
            raise EvidenceError(f"{path}, line {number} is no JSON: {error}") from error
