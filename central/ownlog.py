# SPDX-License-Identifier: Apache-2.0
"""The center's own log and the book that is folded from it: one writer, under one lock.

Rule E is applied here, at the start and wherever a witness shows a head that is not in the chain; every
commit goes commit, anchor, tell. Knows no request and no person.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from central.database import Database
from central.errors import Denied, SetupError, Unavailable
from central.given import Anchor, Clocks
from central.record import CROSSED_MAX, LogHead, Record
from sync.bodies import Begin, body_bytes, read_body, schema_of
from sync.cases import Crossed, crossed_of
from sync.center import CenterBook
from sync.chain import BeginAnew, Stored, rule_e
from sync.decisions import Draft as Decision
from sync.entry import GENESIS, Draft, Entry, Place, read_record, record_bytes, record_hash
from sync.errors import EntryError, SyncError
from sync.reception import Received
from sync.witness import CENTER, ruling, witnesses

if TYPE_CHECKING:
    from central.database import Connection

_RECENT_MAX: Final = 64
"""Own entries kept at hand for the answers to nodes that are up to date; 16 MiB if all were of full size."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Own:
    """An entry of the own log with its body at hand."""

    place: Place
    type: str
    body: Any
    record: bytes


class OwnLog:
    """The center's own log. Who reads the book or commits holds `lock`; `anchor` is held by the owner."""

    def __init__(
        self,
        database: Database,
        tenant: str,
        zone: str,
        anchor: Anchor,
        clocks: Clocks,
        counters: dict[str, int],
    ) -> None:
        self.tenant = tenant
        self.zone = zone
        self.database = database
        self.clocks = clocks
        self.record = Record(tenant, zone)
        self.lock = asyncio.Lock()
        self.turn = asyncio.Lock()
        """Of people's acts on goods; see `central.turns`."""
        self.key = anchor.signer()
        self.epochs: list[str] = []
        """All own epochs, the current one last."""
        self.recent: deque[Own] = deque(maxlen=_RECENT_MAX)
        self.ahead: dict[str, Place] = {}
        """Epochs of nodes with an entry dated more than a day ahead of its arrival, and the first such."""
        self.crossed: dict[str, Crossed] = {}
        """STOPs of docks that were not obeyed, by the ids of their entries; see `note_crossed`."""
        self._anchor = anchor
        self._counters = counters
        self._book: CenterBook | None = None
        self.latest: CenterBook | None = None
        """The book as it was last read, for advice while another holds the lock."""
        self._listeners: list[Callable[[], None]] = []

    def on_stored(self, listener: Callable[[], None]) -> None:
        """Have `listener` called on the loop after each commit that wrote to the own log."""
        self._listeners.append(listener)

    @property
    def head(self) -> Place | None:
        """The last place of the own log, as far as it is loaded."""
        return self._book.head if self._book else None

    async def book(self) -> CenterBook:
        """The book, read anew after any failure, when rule E is applied again (RECORD: writing)."""
        if self._book is not None:
            return self._book
        async with self.database.session() as connection:
            try:
                book, heads = await self.record.book(connection)
            except SyncError as error:
                raise SetupError(f"the center's own log cannot be read: {error}") from error
            own = [head for head in heads if head.node == CENTER]
            finding = await self._rule_e(connection, own)
            self.ahead = await self.record.ahead(connection)
            crossed = await self.record.crossed(connection, book.settled)
            self.crossed = {each.entry_id: each for each in crossed}
        self.epochs = [head.place.epoch for head in own]
        self.recent.clear()
        await self._read_roll(book, finding)
        self._book = self.latest = book
        if isinstance(finding, BeginAnew):
            await self._begin(finding)
        return book

    def note_crossed(self, node: str, entry: Entry) -> None:
        """Remember an entry if it is a STOP that was not obeyed. Beyond CROSSED_MAX those are let go whose
        case is settled, then the oldest.
        """
        crossed = crossed_of(node, entry)
        if crossed is None:
            return
        self.crossed[crossed.entry_id] = crossed
        if len(self.crossed) > CROSSED_MAX:
            settled = self._book.settled if self._book else {}
            kept = [each for each in self.crossed.values() if each.case not in settled]
            self.crossed = {each.entry_id: each for each in kept[-CROSSED_MAX:]}

    async def meet_witness(self, received: Received) -> None:
        """Apply rule E to the signed heads of the own log that a node shows, and that its logs tell of: where
        one is not in the chain, this center is a copy or was put back, anchor and all.
        """
        book = await self.book()
        foreign = [
            (witness, await self._first_in_chain(witness.heard(book)))
            for witness in witnesses(book, received)
            if await self._first_in_chain([witness.shown]) is None
        ]
        why, told = ruling(book, foreign)
        said: list[Decision] = [("put-back", body) for body in told]
        if why is not None:
            # What lies beside an anchor that proved old is as old as it is: the roll must be attested.
            await self._write_roll(book, None)
            await self._begin(why, said)
        elif said:
            await self.commit(lambda: said)

    async def _first_in_chain(self, places: Sequence[Place]) -> Place | None:
        """The first of these places that the own log has."""
        if places and any(own.place == places[0] for own in self.recent):
            return places[0]
        async with self.database.session() as connection:
            for place in places:
                at = (place.epoch, place.seq)
                stored = await self.record.hashes(connection, CENTER, [(*at, place.seq)])
                if stored.get(at) == place.hash:
                    return place
        return None

    async def keep_on_roll(self, node: str, retirement: str = "") -> None:
        """Put a node on the roll that is kept beside the anchor, or say which entry retired it; nothing
        happens while the roll is lost.
        """
        book = await self.book()
        if book.roll_kept is not None and book.roll_kept.get(node) != retirement:
            await self._write_roll(book, {**book.roll_kept, node: retirement})

    async def found_roll(self) -> None:
        """Keep the roll again after it was lost and a person has attested it."""
        book = await self.book()
        if book.roll_kept is None:
            await self._write_roll(book, _known_roll(book))

    async def commit(
        self,
        decide: Callable[[], Sequence[Decision]],
        received: Received | None = None,
        beside: Callable[[Connection], Awaitable[None]] | None = None,
        epoch: str | None = None,
    ) -> list[Stored]:
        """Store the center's decisions and what a node sent in one transaction, anchor, then fold; gives
        the own entries.

        After any failure the book is given up: the next use reads it anew.
        """
        book = self._book
        assert book is not None
        decisions: Sequence[Decision] = ()

        def own_entries() -> list[Stored]:
            nonlocal decisions
            decisions = decide()
            return self._records(book, decisions, epoch)

        self._book = None
        try:
            async with self.database.session() as connection, connection.transaction():
                own = await self.record.store(connection, received, own_entries, self.clocks.utc())
                if beside is not None:
                    await beside(connection)
        except asyncpg.UniqueViolationError as error:
            self._counters["conflicts"] += 1
            _log.error("ALARM: entries conflict with what is stored: %s", error)
            if "entry_id" in (error.constraint_name or ""):
                raise Denied(409, f"two entries have one id: {error.detail}", "Update the node.") from error
            raise Unavailable("another writer was faster; the center reads its record again") from error
        if own:
            await asyncio.to_thread(self._anchor.write, own[-1].place)
        for stored, (entry_type, body) in zip(own, decisions, strict=True):
            book.fold(stored)
            self.recent.append(Own(stored.place, entry_type, body, stored.record))
        if epoch is not None:
            self.epochs.append(epoch)
        self._book = book
        if own:
            for listener in self._listeners:
                listener()
        return own

    # -- rule E ------------------------------------------------------------------------------------

    async def _rule_e(self, connection: Connection, own: list[LogHead]) -> object:
        anchor = await asyncio.to_thread(self._anchor.read)
        head = own[-1].place if own else None
        known: dict[tuple[str, int], str | None] = {}
        if anchor is not None:
            known[anchor.epoch, anchor.seq] = await self.record.hash_at(connection, CENTER, anchor)
        parent = None
        if head is not None:
            async for first in self.record.run(connection, CENTER, head.epoch, 0, 1):
                parent = read_body(first.entry).parent
        return rule_e(head, anchor, (), lambda epoch, seq: known.get((epoch, seq)), parent)

    async def _begin(self, why: BeginAnew, then: Sequence[Decision] = ()) -> None:
        _log.warning("the center begins a new epoch: %s", why.reason)
        begin = Begin(self.tenant, self.zone, CENTER, self.key.public, why.reason, why.parent, why.end)
        epoch = self.clocks.epoch()
        if why.parent is None:
            # Else a crash before the anchor of this Begin would look like a lost anchor.
            await asyncio.to_thread(self._anchor.write, Place(epoch, 0, GENESIS))
        await self.commit(lambda: [("begin", begin), *then], epoch=epoch)

    # -- the roll ----------------------------------------------------------------------------------

    async def _read_roll(self, book: CenterBook, finding: object) -> None:
        """Take in the roll that is kept beside the anchor, and mend it where the log knows better.

        A log that was never interrupted, or in whose epoch a person has attested the roll, knows all nodes.
        """
        book.roll_kept = await asyncio.to_thread(self._anchor.roll)
        if isinstance(finding, BeginAnew):
            if not self.epochs and book.roll_kept is None and finding.parent is None:
                await self._write_roll(book, {})
            return
        current = self.epochs[-1]
        if book.roll_kept is None:
            if len(self.epochs) == 1 or book.roll_attested == current:
                await self._write_roll(book, _known_roll(book))
            return
        gone = {node for node, epoch in book.retired.items() if epoch == current}
        roll = {
            **book.roll_kept,
            **dict.fromkeys(book.enrolled, ""),
            **{node: book.retirements[node] for node in gone},
        }
        if roll != book.roll_kept:
            await self._write_roll(book, roll)

    async def _write_roll(self, book: CenterBook, roll: Mapping[str, str] | None) -> None:
        try:
            await asyncio.to_thread(self._anchor.keep_roll, roll)
        except OSError as error:
            raise Unavailable(f"the roll cannot be kept beside the anchor: {error.strerror}") from error
        book.roll_kept = roll

    # -- records -----------------------------------------------------------------------------------

    def _records(self, book: CenterBook, decisions: Sequence[Decision], epoch: str | None) -> list[Stored]:
        now = self.clocks.utc()
        at = Place(epoch, 0, GENESIS) if epoch else book.head
        records = []
        for entry_type, body in decisions:
            assert at is not None
            draft = Draft(
                self.clocks.entry_id(),
                entry_type,
                schema_of(entry_type),
                now,
                self.clocks.stamp(),
                body_bytes(body),
            )
            try:
                record = record_bytes(draft, at.epoch, at.seq + 1, now, at.hash)
            except EntryError as error:
                raise Denied(413, str(error), "Say it in several entries.") from error
            at = Place(at.epoch, at.seq + 1, record_hash(record))
            records.append(Stored(record, read_record(record), at.hash))
        return records


def _known_roll(book: CenterBook) -> dict[str, str]:
    """The roll as the log knows it."""
    return {**book.retirements, **dict.fromkeys(book.roll(), "")}
