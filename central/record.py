# SPDX-License-Identifier: Apache-2.0
"""The record in PostgreSQL: reading logs back, storing what the chain's rules let in.

Knows the tables of entries and heads; knows no book and decides nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from central.errors import Denied, Unavailable
from central.instants import FIRST
from central.queries import query
from sync.bodies import read_body
from sync.cases import Crossed, crossed_of
from sync.center import ACCOUNTING, CLAIMS_MAX, CenterBook, adopted_ids
from sync.chain import Stored
from sync.entry import GENESIS, Entry, Head, Place, read_record
from sync.errors import EntryError
from sync.reception import Received
from sync.witness import CENTER

if TYPE_CHECKING:
    from central.database import Connection

PAGE: Final = 500
"""Entries read at a time: half a megabyte of usual ones."""

_ADOPTING_AT_ONCE: Final = 50
"""Entries that tell others again, read at a time: 13 MiB if all were of full size."""

COLUMNS: Final = (
    "tenant",
    "zone",
    "node",
    "epoch",
    "seq",
    "entry_id",
    "type",
    "door",
    "occurred_at",
    "received_at",
    "hash",
    "record",
)
"""Of table entry, in the order in which rows are copied in."""

_NAME: Final = re.compile(r"[a-z0-9_-]{1,40}\Z")
_EPOCH: Final = re.compile(r"[0-9a-f]{32}\Z")
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_SEQ_MAX: Final = 2**62
_MOVING: Final = frozenset(("admission", "withdrawal", "correction"))
_MOVING_BYTES_MAX: Final = 32 * 1024
"""Of goods that moved an entry holds one label, of which 2 KiB are kept as text and in hex, and one load.
What other docks are told of them must fit their own entries.
"""
_LAST_MOMENT: Final = datetime.max.replace(tzinfo=UTC)

CROSSED_MAX: Final = 1_000
"""STOPs that were not obeyed and whose case is open; a zone with more of them needs another kind of help."""

_BEHIND_ALL: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"
"""No entry's id is as high."""

AHEAD: Final = timedelta(hours=24)
"""A clock is wrong for certain when it is a day ahead; `entry_ahead` in the migrations says the same."""


@dataclass(frozen=True, slots=True)
class LogHead:
    """The stored head of one epoch; `order` counts the epochs of its log."""

    node: str
    order: int
    place: Place
    signed: Head | None


class Record:
    """The entries of one tenant and zone."""

    def __init__(self, tenant: str, zone: str) -> None:
        self._who = (tenant, zone)

    async def heads(self, connection: Connection) -> list[LogHead]:
        """All stored heads; epochs of one log in the order they came."""
        rows = await connection.fetch(query("all_heads"), *self._who)
        return [
            LogHead(
                row["node"],
                row["place"],
                Place(row["epoch"], row["seq"], row["hash"]),
                Head(row["epoch"], row["signed_seq"], row["signed_hash"], row["signature"])
                if row["signature"]
                else None,
            )
            for row in rows
        ]

    async def book(self, connection: Connection) -> tuple[CenterBook, list[LogHead]]:
        """The center's state, folded from the stored logs, and the heads it was folded from.

        Raises EntryError when the center's own log has an entry this version does not know.
        """
        book = CenterBook(*self._who)
        heads = await self.heads(connection)
        for head in heads:
            if head.node == CENTER:
                async for stored in self.run(connection, CENTER, head.place.epoch, 0, head.place.seq):
                    book.fold(stored)
        for row in await connection.fetch(query("announced_doors"), *self._who):
            book.doors[row["node"]] = tuple(row["doors"])
        book.plain |= await self.plain_facts(connection, await self._adopted(connection))
        for head in heads:
            if head.node != CENTER:
                await self._fold_accounts(connection, book, head)
        for row in await connection.fetch(query("all_claims"), *self._who):
            book.claim(Head(row["epoch"], row["seq"], row["hash"], row["signature"]))
        for head in heads:
            if head.node != CENTER and head.signed is not None:
                book.claim(head.signed)
        return book, heads

    async def ahead(self, connection: Connection) -> dict[str, Place]:
        """By epoch of a node, its first entry that is dated more than AHEAD of its arrival."""
        rows = await connection.fetch(query("ahead"), *self._who)
        return {row["epoch"]: Place(row["epoch"], row["seq"], row["hash"]) for row in rows}

    async def crossed(self, connection: Connection, settled: Container[str]) -> list[Crossed]:
        """The last STOPs of docks that may have been crossed all the same and whose case is not `settled`:
        at most CROSSED_MAX, oldest first.
        """
        found: list[Crossed] = []
        before = _BEHIND_ALL
        while len(found) < CROSSED_MAX:
            rows = await connection.fetch(query("crossed_stops"), *self._who, CROSSED_MAX, before)
            told = (crossed_of(row["node"], read_record(row["record"])) for row in rows)
            found += [each for each in told if each is not None and each.case not in settled]
            if len(rows) < CROSSED_MAX:
                break
            before = rows[-1]["entry_id"]
        return found[CROSSED_MAX - 1 :: -1]

    async def own_of_type(self, connection: Connection, entry_type: str) -> list[Stored]:
        """The entries of one type in the center's own log, in order."""
        rows = await connection.fetch(query("own_of_type"), *self._who, entry_type)
        return [Stored(row["record"], read_record(row["record"]), row["hash"]) for row in rows]

    async def plain_facts(self, connection: Connection, ids: set[str]) -> set[str]:
        """Which of these ids stand in a node's log as entries of their own."""
        if not ids:
            return set()
        rows = await connection.fetch(query("plain_facts"), *self._who, sorted(ids))
        return {str(row["entry_id"]) for row in rows}

    async def run(
        self, connection: Connection, node: str, epoch: str, after: int, upto: int
    ) -> AsyncGenerator[Stored, None]:
        """Stored entries of an epoch in order, `after` exclusive, `upto` inclusive."""
        while after < upto:
            rows = await connection.fetch(query("log_page"), *self._who, node, epoch, after, upto, PAGE)
            if not rows:
                return
            for row in rows:
                yield Stored(row["record"], read_record(row["record"]), row["hash"])
            after = rows[-1]["seq"]

    async def hashes(
        self, connection: Connection, node: str, ranges: Iterable[tuple[str, int, int]]
    ) -> dict[tuple[str, int], str]:
        """Stored hashes of ranges (epoch, first seq, last seq) of a node's log."""
        found: dict[tuple[str, int], str] = {}
        for epoch, first, last in ranges:
            if not _EPOCH.match(epoch):  # a node may name what it likes
                continue
            for row in await connection.fetch(query("hashes"), *self._who, node, epoch, first, last):
                found[epoch, row["seq"]] = row["hash"]
        return found

    async def hash_at(self, connection: Connection, node: str, place: Place) -> str | None:
        """The stored hash where `place` stands."""
        found: str | None = await connection.fetchval(
            query("stored_hash"), *self._who, node, place.epoch, place.seq
        )
        return found

    async def store(
        self,
        connection: Connection,
        received: Received | None,
        own_entries: Callable[[], list[Stored]],
        received_at: datetime,
    ) -> list[Stored]:
        """Store what a node sent and the own entries, and move the heads; gives the own entries.

        The chain's rules must have run: nothing is skipped or replaced, and a conflict raises
        asyncpg.UniqueViolationError. `own_entries` is called once, when the node's entries are on their
        way: the server takes them in while the center decides.
        """
        if received is not None and received.store:
            deciding: list[asyncio.Task[list[Stored]]] = []

            async def decide() -> list[Stored]:
                return own_entries()

            def rows() -> Iterator[tuple[Any, ...]]:
                yield from self._rows(received.ask.node, received.store, received_at)
                # It runs when COPY, which has now sent all, waits for the server.
                deciding.append(asyncio.create_task(decide()))

            await connection.copy_records_to_table("entry", columns=COLUMNS, records=rows())
            own = await deciding[0]
        else:
            own = own_entries()
        if own:
            records = self._rows(CENTER, own, received_at)
            await connection.copy_records_to_table("entry", columns=COLUMNS, records=records)
        heads = [self._head(CENTER, own[-1].place)] if own else []
        ends: dict[str, Place] = {}
        if received is not None:
            # Not by `have`, which may show the writer another end than the one stored here.
            ends = {stored.entry.epoch: stored.place for stored in received.store}
            signed = {head.epoch: head for head in received.heads}
            node = received.ask.node
            heads += [self._head(node, place, signed.get(epoch)) for epoch, place in ends.items()]
        await self._check_ends(connection, received, own)
        if heads:
            await connection.executemany(query("move_head"), heads)
        if received is not None:
            await self._sign(connection, received, ends)
        return own

    async def _check_ends(
        self, connection: Connection, received: Received | None, own: Sequence[Stored]
    ) -> None:
        """Each log must end in the database where this run follows: a server that was put back to an older
        state under a running center would else get a log with a hole (I4).
        """
        firsts: dict[str, tuple[str, str]] = {}
        if received is not None:
            for stored in received.store:
                firsts.setdefault(stored.entry.epoch, (received.ask.node, stored.entry.prev))
        for stored in own[:1]:
            firsts[stored.entry.epoch] = (CENTER, stored.entry.prev)
        if not firsts:
            return
        nodes, prevs = zip(*firsts.values(), strict=True)
        strayed = await connection.fetch(
            query("strayed_heads"), *self._who, nodes, list(firsts), prevs, GENESIS
        )
        if strayed:
            raise Unavailable(
                f"the log of {strayed[0]['node']} does not end where this center last stored it; "
                "the center reads its record again"
            )

    async def _sign(self, connection: Connection, received: Received, ends: Mapping[str, Place]) -> None:
        """Keep signed heads, also those ahead of what is stored, and let go of those that the chain has
        reached.
        """
        node = received.ask.node
        for head in received.heads:
            signed = (head.epoch, head.seq, head.hash, head.signature)
            end = ends.get(head.epoch)
            if end is None:  # nothing of it came, so its stored head has not moved
                await connection.execute(query("sign_head"), *self._who, node, *signed)
            if end is None or head.seq > end.seq:
                await connection.execute(query("add_claim"), *self._who, node, *signed, CLAIMS_MAX)
        for epoch, place in ends.items():
            await connection.execute(query("reach_claims"), *self._who, node, epoch, place.seq)

    def _rows(self, node: str, run: Iterable[Stored], received_at: datetime) -> Iterator[tuple[Any, ...]]:
        tenant, zone = self._who
        for stored in run:
            entry = stored.entry
            yield (
                tenant, zone, node, entry.epoch, entry.seq, entry.entry_id, entry.type, entry.door,
                entry.occurred_at, received_at, stored.hash, stored.record,
            )  # fmt: skip

    def _head(self, node: str, place: Place, signed: Head | None = None) -> tuple[Any, ...]:
        claim = (signed.seq, signed.hash, signed.signature) if signed else (None, None, None)
        return (*self._who, node, place.epoch, place.seq, place.hash, *claim)

    async def _adopted(self, connection: Connection) -> set[str]:
        """Ids of all facts that nodes tell again; read a few at a time, for nodes may have told much."""
        found: set[str] = set()
        async with connection.transaction():
            async for row in connection.cursor(query("adopting"), *self._who, prefetch=_ADOPTING_AT_ONCE):
                stored = Stored(row["record"], read_record(row["record"]), row["hash"])
                found |= adopted_ids([stored])
        return found

    async def _fold_accounts(self, connection: Connection, book: CenterBook, head: LogHead) -> None:
        epoch, after = head.place.epoch, 0
        while True:
            rows = await connection.fetch(
                query("account_page"), *self._who, head.node, epoch, after, PAGE, ACCOUNTING
            )
            for row in rows:
                stored = Stored(row["record"], read_record(row["record"]), row["hash"])
                book.fold_node(head.node, stored)
            if len(rows) < PAGE:
                break
            after = rows[-1]["seq"]
        book.epochs[epoch].head = head.place


def check_names(node: str, epoch: str, doors: Sequence[str]) -> None:
    """Denied unless node, epoch and doors are spelled as such names are."""
    if not _NAME.match(node) or node == CENTER:
        raise Denied(400, "the node's name is not one of a-z, 0-9, _ and -", "Correct [node] id.")
    if not _EPOCH.match(epoch):
        raise Denied(400, "the epoch is not 32 hex digits", "Update the node.")
    if len(doors) > 64 or not all(map(_NAME.match, doors)):
        raise Denied(400, "the doors are not up to 64 names of a-z, 0-9, _ and -", "Correct [[door]] id.")


def check_frame(entry: Entry) -> None:
    """Denied unless an entry's size and the fields around its body are what nodes write: a signed entry may
    still be hostile.
    """
    at = entry.occurred_at
    if not (
        _ID.match(entry.entry_id)
        and _EPOCH.match(entry.epoch)
        and entry.seq < _SEQ_MAX
        and _NAME.match(entry.type)
        and (entry.door is None or _NAME.match(entry.door))
        and at.tzinfo is not None
        and FIRST <= at <= _LAST_MOMENT
        and not _is_bloated(entry)
    ):
        raise Denied(
            400,
            f"entry {entry.seq} has an id, type, door, time or length that no node writes",
            "Update the node; if this goes on, take it out of service and count its goods.",
        )


def _is_bloated(entry: Entry) -> bool:
    """Whether goods moved by an entry that is longer than any label is; also in one that tells it again."""
    if len(entry.body) <= _MOVING_BYTES_MAX:
        return False
    if entry.type == "adopt":
        try:
            return _is_bloated(read_record(bytes(read_body(entry).record)))
        except EntryError:
            return False  # nothing is made of it but a case
    return entry.type in _MOVING
