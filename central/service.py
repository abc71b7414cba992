# SPDX-License-Identifier: Apache-2.0
"""The center of one zone: takes the docks' exchange, imports papers, writes its own log.

Storing is apart from projecting: here an entry is judged by the chain's rules, committed, anchored and
answered; `central.projector` makes the books from what is stored.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from central.database import Database
from central.errors import Denied, SetupError, Unavailable
from central.given import Anchor, Clocks
from central.projector import Projector
from central.queries import query
from central.record import CENTER, PAGE, LogHead, Record, check_frame, check_names
from customs.faults import shown
from customs.imports import Known, Papers, Refused, Upload, read_papers
from gs1 import check_digit
from sync import reception, wire
from sync.bodies import Begin, Imported, body_bytes, read_body, schema_of
from sync.center import DOWN, CenterBook, adopted_ids, concerns
from sync.chain import BeginAnew, Stored, rule_e
from sync.decisions import Draft as Decision
from sync.decisions import decide
from sync.entry import GENESIS, Draft, Place, read_record, record_bytes, record_hash
from sync.errors import SignatureError, SyncError
from sync.reception import Received
from sync.wire import ANSWER_ENTRY_BYTES_MAX, Answer, Ask

if TYPE_CHECKING:
    from central.database import Connection

CODE_VALID: Final = timedelta(hours=24)
"""An enrolment code is carried to the dock by a person within a shift or two."""

_EXAMINED_MAX: Final = 10 * PAGE
"""Own entries looked at for one answer; a long backlog takes several answers."""

_RECENT_MAX: Final = 64
"""Own entries kept at hand for the answers to nodes that are up to date; 16 MiB if all were of full size."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import brought; `unchanged` papers were on file just so."""

    products: int
    permits: int
    trucks: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class _Own:
    """An entry of the own log with its body at hand."""

    place: Place
    type: str
    body: Any
    record: bytes


class Central:
    """The center of one tenant and zone. Opened by `open`, used on one event loop, closed by `close`."""

    def __init__(self, database: Database, tenant: str, zone: str, anchor: Anchor, clocks: Clocks) -> None:
        self.tenant = tenant
        self.zone = zone
        self.database = database
        self.projector = Projector(database, tenant, zone)
        self.counters = {"exchanges": 0, "entries": 0, "refused": 0, "imports": 0, "conflicts": 0}
        self._record = Record(tenant, zone)
        self._anchor = anchor
        self._clocks = clocks
        self._key = anchor.signer()
        self._lock = asyncio.Lock()
        self._book: CenterBook | None = None
        self._epochs: list[str] = []
        self._recent: deque[_Own] = deque(maxlen=_RECENT_MAX)
        self._listeners: list[Callable[[], None]] = []

    @classmethod
    async def open(cls, dsn: str, tenant: str, zone: str, anchor: Anchor, clocks: Clocks) -> Central:
        """Connect, migrate, apply rule E (writing Begin where it says so) and start the projector.

        The anchor is held until `close`. Raises SetupError when the center cannot start as it is set
        up, Unavailable when the database cannot be reached, and what `anchor.hold` raises.
        """
        anchor.hold()
        try:
            database = await Database.open(dsn)
        except BaseException:
            anchor.release()
            raise
        central = cls(database, tenant, zone, anchor, clocks)
        try:
            async with central._lock:
                await central._current_book()
        except BaseException:
            await central.close()
            raise
        central.projector.start()
        return central

    async def close(self) -> None:
        """End the projector, the connections and the hold on the anchor."""
        await self.projector.close()
        await self.database.close()
        self._anchor.release()

    def on_stored(self, listener: Callable[[], None]) -> None:
        """Have `listener` called on the loop after each commit."""
        self._listeners.append(listener)

    @property
    def head(self) -> Place | None:
        """The last place of the center's own log, as far as it is loaded."""
        return self._book.head if self._book else None

    # -- the exchange ------------------------------------------------------------------------------

    async def exchange(self, body: bytes, signature: str) -> bytes:
        """Answer one ask: judge, commit, anchor, then answer.

        Raises Denied (the request is at fault; nothing is stored) or Unavailable (try again).
        """
        self.counters["exchanges"] += 1
        try:
            ask = wire.read_ask(body)
            for part in ask.parts:
                check_names(ask.node, part.epoch, ask.doors)
            check_names(ask.node, ask.epoch, ask.doors)
            async with self._lock:
                received, head, releasable = await self._take(ask, body, signature)
            return wire.encode(await self._answer(ask, received, head, releasable))
        except SignatureError as error:
            self.counters["refused"] += 1
            raise Denied(403, str(error), "Check that the node is enrolled at this center.") from error
        except SyncError as error:
            self.counters["refused"] += 1
            raise Denied(
                400, str(error), "Nothing of this request was stored; correct what it names."
            ) from error

    async def _take(self, ask: Ask, body: bytes, signature: str) -> tuple[Received, Place, tuple[Place, ...]]:
        book = await self._current_book()
        now = self._clocks.utc()
        code_hash = _code_hash(ask.code) if ask.code else ""
        needs = reception.needs(book, ask)
        hashes: dict[tuple[str, int], str] = {}
        code_valid = False
        if needs or code_hash:  # a run that only continues what is stored needs neither
            async with self.database.session() as connection:
                hashes = await self._record.hashes(connection, ask.node, needs)
                code_valid = bool(code_hash) and bool(
                    await connection.fetchval(
                        query("code_valid"), self.tenant, self.zone, code_hash, ask.node, now
                    )
                )
        keys_before = len(book.keys.get(ask.node, ()))
        received = reception.receive(book, ask, body, signature, hashes, code_valid=code_valid)
        for stored in received.store:
            check_frame(stored.entry)
        if ids := adopted_ids(received.store):
            async with self.database.session() as connection:
                book.plain |= await self._record.plain_facts(connection, ids)

        async def beside(connection: Connection) -> None:
            await connection.execute(
                query("meet_node"), self.tenant, self.zone, ask.node, ask.epoch, list(ask.doors), now
            )
            if code_valid and received.store:
                await connection.execute(query("use_code"), self.tenant, self.zone, code_hash, now)

        await self._commit(lambda: decide(book, received), received, beside)
        if len(book.keys[ask.node]) > keys_before:
            _log.info("node %s enrolled a key", ask.node)
        for epoch, reason in received.refused.items():
            self.counters["refused"] += 1
            _log.warning("part of epoch %s of node %s refused: %s", epoch, ask.node, reason)
        assert book.head is not None
        return received, book.head, book.releasable(ask.node)

    async def _answer(
        self, ask: Ask, received: Received, head: Place, releasable: tuple[Place, ...]
    ) -> Answer:
        """The own entries after the node's cursor that concern it, as many as one Saw can carry."""
        after, run, complete = ask.cursor, self._after(ask.cursor, head), True
        if run is None:
            async with self.database.session() as connection:
                after = await self._cursor_in_chain(connection, ask.cursor)
                run, complete = await self._down(connection, after, head)
        sent = (
            (own.place, own.record if concerns(own.type, own.body, ask.node, ask.epoch) else None)
            for own in run
        )
        entries, upto = wire.fill(sent, after, head if complete else run[-1].place)
        return Answer(
            ask.ask_id,
            received.have,
            head.epoch,
            after,
            upto,
            entries,
            received.refused,
            self._key.head(head),
            releasable,
        )

    def _after(self, cursor: Place | None, head: Place) -> list[_Own] | None:
        """The own entries in (cursor, head] when all of them were written lately; None otherwise."""
        if cursor == head:
            return []
        places = [own.place for own in self._recent]
        if cursor not in places or head not in places:
            return None
        return list(self._recent)[places.index(cursor) + 1 : places.index(head) + 1]

    async def _cursor_in_chain(self, connection: Connection, cursor: Place | None) -> Place | None:
        if cursor is None or cursor.epoch not in self._epochs:
            return None
        stored = await self._record.hash_at(connection, CENTER, cursor)
        return cursor if stored == cursor.hash else None

    async def _down(
        self, connection: Connection, after: Place | None, head: Place
    ) -> tuple[list[_Own], bool]:
        """Own entries after a place up to `head` that may go down, in order, some answers' worth; and
        whether these are all.
        """
        found: list[_Own] = []
        size = 0
        first = self._epochs.index(after.epoch) if after else 0
        last = self._epochs.index(head.epoch)
        for epoch in self._epochs[first : last + 1]:
            seq = after.seq if after and epoch == after.epoch else 0
            end = head.seq if epoch == head.epoch else 2**62
            while True:
                if len(found) >= _EXAMINED_MAX or size >= 2 * ANSWER_ENTRY_BYTES_MAX:
                    return found, False
                rows = await connection.fetch(
                    query("down_page"), self.tenant, self.zone, epoch, seq, end, PAGE, DOWN
                )
                for row in rows:
                    entry = read_record(row["record"])
                    place = Place(epoch, row["seq"], row["hash"])
                    found.append(_Own(place, entry.type, read_body(entry), row["record"]))
                    size += len(row["record"])
                if len(rows) < PAGE:
                    break
                seq = rows[-1]["seq"]
        return found, True

    # -- imports and enrolment ---------------------------------------------------------------------

    async def import_files(self, uploads: Sequence[Upload], by: str) -> ImportSummary | Refused:
        """Import all papers of the files, in one transaction, or none: then all faults come back."""
        async with self._lock:
            book = await self._current_book()
            async with self.database.session() as connection:
                rows = await connection.fetch(query("announced_doors"), self.tenant, self.zone)
            doors = {door: row["node"] for row in rows for door in row["doors"]}
            known = Known(book.products, book.permits, book.conveyances, doors)
            read = await asyncio.to_thread(read_papers, uploads, known, check_digit)
            if isinstance(read, Refused):
                return read
            decisions = _import_decisions(uploads, read, by)
            if decisions:
                await self._commit(lambda: decisions)
        self.counters["imports"] += 1
        return ImportSummary(len(read.products), len(read.permits), len(read.conveyances), read.unchanged)

    async def enrol(self, node: str) -> str:
        """A one-time code by which `node` gets its key trusted; valid for CODE_VALID."""
        return await make_code(self.database, self.tenant, self.zone, node, self._clocks)

    # -- the own log -------------------------------------------------------------------------------

    async def _current_book(self) -> CenterBook:
        """The book, read anew after any failure, when rule E is applied again (RECORD: writing)."""
        if self._book is not None:
            return self._book
        async with self.database.session() as connection:
            try:
                book, heads = await self._record.book(connection)
            except SyncError as error:
                raise SetupError(f"the center's own log cannot be read: {error}") from error
            own = [head for head in heads if head.node == CENTER]
            finding = await self._rule_e(connection, own)
        self._epochs = [head.place.epoch for head in own]
        self._recent.clear()
        self._book = book
        if isinstance(finding, BeginAnew):
            await self._begin(finding)
        return book

    async def _rule_e(self, connection: Connection, own: list[LogHead]) -> object:
        anchor = await asyncio.to_thread(self._anchor.read)
        head = own[-1].place if own else None
        known: dict[tuple[str, int], str | None] = {}
        if anchor is not None:
            known[anchor.epoch, anchor.seq] = await self._record.hash_at(connection, CENTER, anchor)
        parent = None
        if head is not None:
            async for first in self._record.run(connection, CENTER, head.epoch, 0, 1):
                parent = read_body(first.entry).parent
        return rule_e(head, anchor, (), lambda epoch, seq: known.get((epoch, seq)), parent)

    async def _begin(self, why: BeginAnew) -> None:
        _log.warning("the center begins a new epoch: %s", why.reason)
        begin = Begin(self.tenant, self.zone, CENTER, self._key.public, why.reason, why.parent, why.end)
        await self._commit(lambda: [("begin", begin)], epoch=self._clocks.epoch())

    async def _commit(
        self,
        decide: Callable[[], Sequence[Decision]],
        received: Received | None = None,
        beside: Callable[[Connection], Awaitable[None]] | None = None,
        epoch: str | None = None,
    ) -> None:
        """Store the center's decisions and what a node sent in one transaction, anchor, then fold.

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
                own = await self._record.store(connection, received, own_entries, self._clocks.utc())
                if beside is not None:
                    await beside(connection)
        except asyncpg.UniqueViolationError as error:
            self.counters["conflicts"] += 1
            _log.error("ALARM: entries conflict with what is stored: %s", error)
            if "entry_id" in (error.constraint_name or ""):
                raise Denied(409, f"two entries have one id: {error.detail}", "Update the node.") from error
            raise Unavailable("another writer was faster; the center reads its record again") from error
        if own:
            await asyncio.to_thread(self._anchor.write, own[-1].place)
        if received is not None:
            self.counters["entries"] += len(received.store)
        for stored, (entry_type, body) in zip(own, decisions, strict=True):
            book.fold(stored)
            self._recent.append(_Own(stored.place, entry_type, body, stored.record))
        if epoch is not None:
            self._epochs.append(epoch)
        self._book = book
        if own:
            self.projector.wake()
            for listener in self._listeners:
                listener()

    def _records(self, book: CenterBook, decisions: Sequence[Decision], epoch: str | None) -> list[Stored]:
        now = self._clocks.utc()
        at = Place(epoch, 0, GENESIS) if epoch else book.head
        records = []
        for entry_type, body in decisions:
            assert at is not None
            draft = Draft(
                self._clocks.entry_id(),
                entry_type,
                schema_of(entry_type),
                now,
                self._clocks.stamp(),
                body_bytes(body),
            )
            record = record_bytes(draft, at.epoch, at.seq + 1, now, at.hash)
            at = Place(at.epoch, at.seq + 1, record_hash(record))
            records.append(Stored(record, read_record(record), at.hash))
        return records


async def make_code(database: Database, tenant: str, zone: str, node: str, clocks: Clocks) -> str:
    """Write a one-time enrolment code for `node`; only its hash is kept."""
    check_names(node, "0" * 32, ())
    # 100 bits in five groups that a person can type.
    code = base64.b32encode(clocks.random(15)).decode()[:20]
    code = "-".join(code[at : at + 4] for at in range(0, 20, 4))
    now = clocks.utc()
    async with database.session() as connection:
        await connection.execute(
            query("make_code"), tenant, zone, _code_hash(code), node, now, now + CODE_VALID
        )
    return code


def _code_hash(code: str) -> str:
    return hashlib.sha256(b"zonegate/code/1\x00" + code.strip().upper().encode()).hexdigest()


def _import_decisions(uploads: Sequence[Upload], papers: Papers, by: str) -> list[Decision]:
    """One `import` entry and one for each paper; none when nothing is new."""
    documents: list[Decision] = [
        *(("product", product) for product in papers.products),
        *(("permit", permit) for permit in papers.permits),
        *(("conveyance", truck) for truck in papers.conveyances),
    ]
    if not documents:
        return []
    digests = [hashlib.sha256(upload.data).hexdigest() for upload in uploads]
    digest = digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()
    names = ", ".join(shown(upload.name) for upload in uploads)
    imported = Imported(names, digest, by, len(papers.products), len(papers.permits), len(papers.conveyances))
    return [("import", imported), *documents]
