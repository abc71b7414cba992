# SPDX-License-Identifier: Apache-2.0
"""`zonegate verify --database`: the center's own log and its copies of all node logs, chain by chain.

The logs vouch for one another: the center's `center-saw` entries name the hash of what was stored of each
copy, the nodes' `saw` entries the hash of what they were told of the center's log, and the nodes' heads are
signed. Everything is read in one read-only transaction, so that a running center does not disturb it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from sync.bodies import CenterSaw, Saw, read_body
from sync.entry import Entry, Head, Place, read_record, record_hash
from sync.errors import EntryError
from zonegate.chainwalk import Kept, Walk
from zonegate.findings import Bad, Finding, count
from zonegate.progress import Progress
from zonegate.verify import Witnesses, witnesses_given
from zonegate.witnesses import WitnessError

if TYPE_CHECKING:
    import asyncpg

    Connection = asyncpg.Connection[asyncpg.Record]

_CENTER: Final = "center"

_PAGE: Final = 200
"""Rows read at once."""

_BEFORE_ALL: Final = -(2**63)
"""Before every seq that a row can have."""

_COLUMNS: Final = ("epoch", "seq", "entry_id", "type", "door", "occurred_at")

_UNSEEN: Final = (
    "without a witness it cannot be seen whether the end of the center's own log was cut off together with "
    "all copies, or written anew since the last contact of any node; give --anchor or --head"
)


_Body = TypeVar("_Body", CenterSaw, Saw)


class Chain(msgspec.Struct, frozen=True):
    """What a walk through one epoch found."""

    node: str
    epoch: str
    entries: int
    end: Place | None
    finding: Finding | None


class Audited(msgspec.Struct, frozen=True):
    """All chains of a zone, and what a person should know besides."""

    chains: tuple[Chain, ...]
    notes: tuple[str, ...]

    @property
    def findings(self) -> list[Finding]:
        """What is wrong, in the order of the chains."""
        return [chain.finding for chain in self.chains if chain.finding is not None]


def run_database(arguments: argparse.Namespace) -> int:
    """Verify a center's database and print: 0 when all is well, 1 with findings.

    Raises WitnessError when the database cannot be read or a witness cannot be asked.
    """
    dsn, tenant, zone = _whose(arguments)
    audited = asyncio.run(audit(dsn, tenant, zone, witnesses_given(arguments), Progress(sys.stderr)))
    print(_as_json(audited) if arguments.json else _text(f"{tenant}/{zone}", audited))
    return 1 if audited.findings else 0


async def audit(
    dsn: str, tenant: str, zone: str, known: Witnesses | None = None, progress: Progress | None = None
) -> Audited:
    """Verify all logs of one zone in a center's database; `known` are witnesses of the center's own log.

    Raises WitnessError when the database cannot be read.
    """
    import asyncpg

    try:
        connection = await asyncpg.connect(
            dsn, server_settings={"default_transaction_read_only": "on", "timezone": "UTC"}
        )
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise WitnessError(f"the database cannot be opened: {error}; correct its address") from error
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            with closing(_Audit(connection, tenant, zone, progress or Progress(None))) as work:
                return await work.all(known or Witnesses())
    except asyncpg.PostgresError as error:
        raise WitnessError(f"the database cannot be read: {error}") from error
    finally:
        await connection.close()


class _Audit:
    """One pass over a zone's logs."""

    def __init__(self, connection: Connection, tenant: str, zone: str, ticks: Progress) -> None:
        self._connection = connection
        self._who = (tenant, zone)
        self._ticks = ticks
        self._claims = _Claims()
        self._walks: dict[tuple[str, str], Walk] = {}
        self._found: dict[tuple[str, str], Finding | None] = {}
        self._notes: list[str] = []

    def close(self) -> None:
        """Remove what was kept aside."""
        self._claims.close()
        for walk in self._walks.values():
            walk.close()

    async def all(self, known: Witnesses) -> Audited:
        """Walk every chain, then ask each what the others say of it."""
        heads, runs = await self._rows("all_heads"), await self._rows("stored_runs")
        self._ticks.begin(sum(run["entries"] for run in runs))
        kept = {(head["node"], head["epoch"]): head for head in heads}
        listed = [*kept, *(key for run in runs if (key := (run["node"], run["epoch"])) not in kept)]
        if not listed:
            raise WitnessError(f"the database keeps no log of {'/'.join(self._who)}; correct tenant and zone")
        for key in listed:
            self._found[key] = await self._walk(*key)
        self._ticks.end()
        own = [epoch for node, epoch in listed if node == _CENTER]
        for key in listed:
            if self._found[key] is None:
                self._found[key] = await self._compare(*key, kept.get(key), newest=key[1] in own[-1:])
        if own and self._found[_CENTER, own[-1]] is None:
            self._found[_CENTER, own[-1]] = await self._ask(known, own[-1])
        if not known.all_heads:
            self._notes.append(_UNSEEN)
        chains = [
            Chain(*key, self._walks[key].entries, self._walks[key].place, self._found[key]) for key in listed
        ]
        return Audited(tuple(chains), tuple(self._notes))

    async def _walk(self, node: str, epoch: str) -> Finding | None:
        """One epoch from its first entry to its last."""
        walk = self._walks[node, epoch] = Walk((*self._who, node))
        earlier: Mapping[str, Any] | None = None
        after = _BEFORE_ALL
        try:
            while rows := await self._rows("whole_rows", node, epoch, after, _PAGE):
                for row in rows:
                    if earlier is not None:
                        self._take(walk, node, earlier, row["record"])
                    earlier = row
                after = rows[-1]["seq"]
            if earlier is not None:
                self._take(walk, node, earlier, None)
        except Bad as bad:
            return msgspec.structs.replace(bad.finding, node=node)
        return None

    def _take(self, walk: Walk, node: str, row: Mapping[str, Any], following: bytes | None) -> None:
        kept = Kept(row["record"], row["hash"], {name: row[name] for name in _COLUMNS})
        self._claims.note(node, walk.take(row["record"], kept, following))
        self._ticks.step()

    async def _compare(
        self, node: str, epoch: str, head: Mapping[str, Any] | None, *, newest: bool
    ) -> Finding | None:
        """What the other logs and the table of heads say of this one."""
        walk = self._walks[node, epoch]
        try:
            await self._hear_others(walk, node, epoch, newest=newest)
            await self._check_head(walk, node, epoch, head)
        except Bad as bad:
            return msgspec.structs.replace(bad.finding, node=node)
        return None

    async def _hear_others(self, walk: Walk, node: str, epoch: str, *, newest: bool) -> None:
        """What the entries of other logs name of this one must stand there. Raises Bad."""
        end = walk.ends[epoch].seq if epoch in walk.ends else 0
        sure = 0
        for page in self._claims.of(node, epoch):
            rows = await self._rows("hashes_at", node, epoch, [seq for seq, _, _ in page])
            hashes = {row["seq"]: row["hash"] for row in rows}
            for seq, digest, by in page:
                if seq > end and node == _CENTER and not newest:
                    continue  # the center was brought back from a backup: its next Begin says so
                walk.take_place(Place(epoch, seq, digest), hashes.get(seq), by)
                sure = seq
        if node != _CENTER and sure < end:
            sentence = "came with no exchange: the center's own log never took this in"
            raise Bad(Finding("forged", sentence, epoch, sure + 1, last=end))

    async def _check_head(self, walk: Walk, node: str, epoch: str, head: Mapping[str, Any] | None) -> None:
        """The row that the center finds its place by, and the writer's signed head in it. Raises Bad."""
        if head is None:
            raise Bad(Finding("epochs", "is stored, but the table log_head does not list it", epoch))
        kept = Place(epoch, head["seq"], head["hash"])
        walk.take_place(kept, await self._hash(node, epoch, kept.seq), "the center's table log_head")
        end = walk.ends[epoch].seq
        if end > kept.seq:
            sentence = f"stands beyond {kept.seq}, the end that the table log_head names"
            raise Bad(Finding("forged", sentence, epoch, kept.seq + 1, last=end))
        if head["signature"] is None:
            return
        signed = Head(epoch, head["signed_seq"], head["signed_hash"], head["signature"])
        if signed.seq <= end:
            walk.take_head(signed, await self._hash(node, epoch, signed.seq), "the head that its node signed")
            return
        more = count(signed.seq - end, "entry that has", "entries that have")
        self._notes.append(f"{node} has signed {more} not come yet, after entry {end} of epoch {epoch}")

    async def _ask(self, known: Witnesses, newest: str) -> Finding | None:
        """What is kept of the center's own log outside of the database."""
        walk = self._walks[_CENTER, newest]
        try:
            for witness in known.all_heads:
                place = witness.place
                held = await self._hash(_CENTER, place.epoch, place.seq)
                at = self._walks.get((_CENTER, place.epoch), walk)
                witness.check(at, held, known.key)
            if known.anchor is not None:
                known.anchor.check_newest(walk)
            walk.check_key(known.key)
        except Bad as bad:
            return msgspec.structs.replace(bad.finding, node=_CENTER)
        return None

    async def _hash(self, node: str, epoch: str, seq: int) -> str | None:
        rows = await self._rows("stored_hash", node, epoch, seq)
        return rows[0]["hash"] if rows else None

    async def _rows(self, name: str, *arguments: object) -> Sequence[Mapping[str, Any]]:
        from central.queries import query

        rows: Any = await self._connection.fetch(query(name), *self._who, *arguments)
        found: Sequence[Mapping[str, Any]] = rows
        return found


class _Claims:
    """What entries name of other logs, in a temporary file that SQLite keeps small in memory."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute(
            "CREATE TABLE claim (node TEXT, epoch TEXT, seq INTEGER, hash TEXT, said_by TEXT,"
            " PRIMARY KEY (node, epoch, seq, hash)) WITHOUT ROWID"
        )
        self._file.execute("BEGIN")

    def close(self) -> None:
        self._file.close()

    def note(self, node: str, entry: Entry) -> None:
        """Keep what an entry names of the other side's log: the center's of nodes, a node's of the center."""
        if node == _CENTER and entry.type == "center-saw":
            saw = _body(entry, CenterSaw)
            if saw is not None:
                self._add(saw.node, saw.upto, f"entry {entry.seq} of the center's own log")
        elif node != _CENTER and entry.type == "saw":
            told = _body(entry, Saw)
            if told is None:
                return
            by = f"entry {entry.seq} of {node}"
            self._add(_CENTER, told.upto, by)
            if told.head is not None:
                self._add(_CENTER, told.head.place, by)
            for raw in told.entries:
                carried = _entry(bytes(raw))
                if carried is not None:
                    self._add(_CENTER, Place(carried.epoch, carried.seq, record_hash(bytes(raw))), by)

    def of(self, node: str, epoch: str) -> Iterator[list[tuple[int, str, str]]]:
        """Pages of (seq, hash, who said it) of one epoch, in its order."""
        found = self._file.execute(
            "SELECT seq, hash, said_by FROM claim WHERE node = ? AND epoch = ? ORDER BY seq", (node, epoch)
        )
        while page := found.fetchmany(_PAGE):
            yield page

    def _add(self, node: str, place: Place, by: str) -> None:
        self._file.execute(
            "INSERT OR IGNORE INTO claim VALUES (?, ?, ?, ?, ?)",
            (node, place.epoch, place.seq, place.hash, by),
        )


def _body(entry: Entry, kind: type[_Body]) -> _Body | None:
    try:
        body = read_body(entry)
    except EntryError:
        return None
    return body if isinstance(body, kind) else None


def _entry(record: bytes) -> Entry | None:
    try:
        return read_record(record)
    except EntryError:
        return None


def _whose(arguments: argparse.Namespace) -> tuple[str, str, str]:
    """Address, tenant and zone; with a configuration its data folder is the anchor, where there is one."""
    if arguments.config is not None:
        from central.config import read_config
        from central.errors import ConfigError

        try:
            config = read_config(arguments.config)
        except ConfigError as error:
            raise WitnessError(str(error)) from error
        if arguments.anchor is None and (config.data / "anchor").exists():
            arguments.anchor = config.data
        return config.database, config.tenant, config.zone
    tenant, _, zone = (arguments.zone or "").partition("/")
    if not tenant or not zone:
        raise WitnessError("with --database say whose logs to verify: --zone TENANT/ZONE")
    return arguments.database, tenant, zone


def _as_json(audited: Audited) -> str:
    told = msgspec.to_builtins(audited)
    told["findings"] = [finding.as_json() for finding in audited.findings]
    return json.dumps(told)


def _text(zone: str, audited: Audited) -> str:
    whole = [chain for chain in audited.chains if chain.finding is None]
    lines = [
        f"{chain.node}, epoch {chain.epoch}: whole, {count(chain.entries, 'entry', 'entries')}"
        for chain in whole
    ]
    lines += [f"NOT whole: {finding.told()}" for finding in audited.findings]
    lines += [f"Note: {note}." for note in audited.notes]
    bad = len(audited.chains) - len(whole)
    verdict = "all whole" if not bad else f"{bad} NOT whole"
    lines.append(f"{zone}: {count(len(audited.chains), 'chain', 'chains')}, {verdict}.")
    return "\n".join(lines)
