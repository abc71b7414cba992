# SPDX-License-Identifier: Apache-2.0
"""The docks' exchange: who may be served now, what of an ask is stored, what goes down.

Whoever sends is hostile until a key says otherwise: a signature is checked before anything waits, a sender
has one exchange under way, and an ask that came before moves nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from central.errors import Denied, Unavailable
from central.ownlog import Own, OwnLog
from central.people import code_hash
from central.queries import query
from central.record import AHEAD, PAGE, check_frame, check_names
from sync import reception, wire
from sync.bodies import read_body
from sync.center import DOWN, CenterBook, adopted_ids, concerns
from sync.decisions import Draft as Decision
from sync.decisions import decide
from sync.entry import Place, read_record
from sync.errors import SignatureError, SyncError
from sync.reception import Received
from sync.wire import ANSWER_ENTRY_BYTES_MAX, ASK_ENTRIES_MAX, Answer, Ask
from sync.witness import CENTER

if TYPE_CHECKING:
    from central.database import Connection

_EXAMINED_MAX: Final = 10 * PAGE
"""Own entries looked at for one answer; a long backlog takes several answers."""

_WAITING_MAX: Final = 2
"""Asks of one node that wait for their turn: an honest one has one under way, and another after a timeout."""

_STRANGERS_MAX: Final = 8
"""Asks with a code that wait for their turn, of nodes whose key is not known yet."""

_IDS_MAX: Final = 64
"""Ids of a node's last asks that are known again; older ones are known by the heads they show."""

_BIG_ASK: Final = ASK_ENTRIES_MAX // 2
"""Entries of an ask that holds the other docks up: so a node asks that comes back after days."""

_REST: Final = 6.0
"""Its answer is held back so many times as long as it held them, while there are others: their asks then
find the center free six times out of seven.
"""

_REST_S_MAX: Final = 5.0
"""A third of what a node waits for its answer."""

_OTHERS_S: Final = 10.0
"""A dock that asked so lately is there; each asks every few seconds."""

_SHUT_S: Final = 600.0
"""A node is not listened to for so long once an ask of it contradicted the record. No honest one ever does,
and for each the center must read its whole record again, which takes seconds of all others' time.
"""

_OPEN_LOGS_MAX: Final = 200
"""Logs of one node that are not closed. A fault leaves one behind, and people count it; only a node that
lies, or is badly broken, begins them by the hundred, and each is a case that names those before it.
"""

_LENDING: Final = frozenset(("grant", "recall", "lent"))

_log = logging.getLogger(__name__)


class Exchange:
    """Answers asks; `counters` are those of its center."""

    def __init__(self, own: OwnLog, counters: dict[str, int]) -> None:
        self._own = own
        self._counters = counters
        self._turns = _Turns()
        self._asked: dict[str, float] = {}
        self._ids: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=_IDS_MAX))
        self._shut: dict[str, float] = {}

    async def answer(self, body: bytes, signature: str) -> bytes:
        """Answer one ask: judge, commit, anchor, then answer.

        Raises Denied (the request is at fault; nothing is stored) or Unavailable (try again).
        """
        self._counters["exchanges"] += 1
        try:
            ask = wire.read_ask(body)
            for part in ask.parts:
                check_names(ask.node, part.epoch, ask.doors)
            check_names(ask.node, ask.epoch, ask.doors)
            sender, waiting_max = self._sender(ask, body, signature)
            self._check_open(ask.node)
            async with self._turns.take(sender, waiting_max), self._own.lock:
                begun = asyncio.get_running_loop().time()
                received, head, releasable = await self._take(ask, body, signature)
                held_s = asyncio.get_running_loop().time() - begun
            answer = wire.encode(await self._answer(ask, received, head, releasable))
            await self._let_others(ask.node, len(received.store), held_s)
            return answer
        except Denied:
            self._counters["refused"] += 1
            raise
        except SignatureError as error:
            self._counters["refused"] += 1
            raise Denied(403, str(error), "Check that the node is enrolled at this center.") from error
        except SyncError as error:
            self._counters["refused"] += 1
            raise Denied(
                400, str(error), "Nothing of this request was stored; correct what it names."
            ) from error

    async def _let_others(self, node: str, entries: int, held_s: float) -> None:
        """Hold back the answer to a big ask while other docks are there; a node sends no other until then."""
        now = asyncio.get_running_loop().time()
        self._asked[node] = now
        others = (at for other, at in self._asked.items() if other != node)
        if entries >= _BIG_ASK and any(now - at < _OTHERS_S for at in others):
            await asyncio.sleep(min(_REST * held_s, _REST_S_MAX))

    def _check_open(self, node: str) -> None:
        left = self._shut.get(node, 0.0) - asyncio.get_running_loop().time()
        if left > 0:
            raise Denied(
                429,
                f"an ask of {node} contradicted what is stored; it is listened to again in {left:.0f} s",
                "Look at the center's log for what it sent; if this goes on, take the node out of service.",
            )

    def _sender(self, ask: Ask, body: bytes, signature: str) -> tuple[str, int]:
        """In whose name an ask waits, and how many may. Refuses at once what no key vouches for."""
        book = self._own.latest
        if book is None:
            return "", _STRANGERS_MAX
        try:
            reception.check_sender(book, ask, body, signature, code_valid=False)
        except SignatureError:
            if ask.code is None:
                raise
            reception.check_sender(book, ask, body, signature, code_valid=True)
            return "", _STRANGERS_MAX
        return ask.node, 0 if ask.ask_id in self._ids[ask.node] else _WAITING_MAX

    async def _take(self, ask: Ask, body: bytes, signature: str) -> tuple[Received, Place, tuple[Place, ...]]:
        own = self._own
        book = await own.book()
        now = own.clocks.utc()
        spent = code_hash(ask.code) if ask.code else ""
        hashes, code_valid = await self._look_up(book, ask, spent, now)
        keys_before = len(book.keys.get(ask.node, ()))
        received = reception.receive(book, ask, body, signature, hashes, code_valid=code_valid)
        _check_open_logs(book, received)
        for stored in received.store:
            check_frame(stored.entry)
        await own.meet_witness(received)
        if ids := adopted_ids(received.store):
            async with own.database.session() as connection:
                book.plain |= await own.record.plain_facts(connection, ids)
        news = not (ask.ask_id in self._ids[ask.node] or _is_stale(book, ask))
        if not news:
            doors = book.doors.get(ask.node, ask.doors)
            received = replace(received, ask=msgspec.structs.replace(ask, doors=doors, wants=()))

        def decisions() -> list[Decision]:
            drafts = decide(book, received)
            return drafts if news else [draft for draft in drafts if draft[0] not in _LENDING]

        async def beside(connection: Connection) -> None:
            if news:
                who = (own.tenant, own.zone, ask.node)
                await connection.execute(query("meet_node"), *who, ask.epoch, list(ask.doors), now)
            if code_valid and received.store:
                await connection.execute(query("use_code"), own.tenant, own.zone, spent, now)

        try:
            await own.commit(decisions, received, beside)
        except Denied:
            self._shut[ask.node] = asyncio.get_running_loop().time() + _SHUT_S
            raise
        if news:
            self._ids[ask.node].append(ask.ask_id)
        if len(book.keys[ask.node]) > keys_before:
            _log.info("node %s enrolled a key", ask.node)
        self._note(received, now)
        assert book.head is not None
        return received, book.head, book.releasable(ask.node)

    async def _look_up(
        self, book: CenterBook, ask: Ask, spent: str, now: datetime
    ) -> tuple[dict[tuple[str, int], str], bool]:
        """The stored hashes that judging an ask takes, and whether its code is good."""
        own, needs = self._own, reception.needs(book, ask)
        if not needs and not spent:  # a run that only continues what is stored needs neither
            return {}, False
        async with own.database.session() as connection:
            hashes = await own.record.hashes(connection, ask.node, needs)
            if not spent:
                return hashes, False
            who = (own.tenant, own.zone)
            found = await connection.fetchval(query("code_valid"), *who, spent, ask.node, now)
        return hashes, found is not None

    def _note(self, received: Received, now: datetime) -> None:
        """Count what was stored and say what was refused."""
        self._counters["entries"] += len(received.store)
        for stored in received.store:
            if stored.entry.occurred_at - now > AHEAD:
                self._own.ahead.setdefault(stored.entry.epoch, stored.place)
            self._own.note_crossed(received.ask.node, stored.entry)
        for epoch, reason in received.refused.items():
            self._counters["refused"] += 1
            _log.warning("part of epoch %s of node %s refused: %s", epoch, received.ask.node, reason)

    async def _answer(
        self, ask: Ask, received: Received, head: Place, releasable: tuple[Place, ...]
    ) -> Answer:
        """The own entries after the node's cursor that concern it, as many as one Saw can carry."""
        after, run, complete = ask.cursor, self._after(ask.cursor, head), True
        if run is None:
            async with self._own.database.session() as connection:
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
            self._own.key.head(head),
            releasable,
        )

    def _after(self, cursor: Place | None, head: Place) -> list[Own] | None:
        """The own entries in (cursor, head] when all of them were written lately; None otherwise."""
        if cursor == head:
            return []
        places = [own.place for own in self._own.recent]
        if cursor not in places or head not in places:
            return None
        return list(self._own.recent)[places.index(cursor) + 1 : places.index(head) + 1]

    async def _cursor_in_chain(self, connection: Connection, cursor: Place | None) -> Place | None:
        if cursor is None or cursor.epoch not in self._own.epochs:
            return None
        stored = await self._own.record.hash_at(connection, CENTER, cursor)
        return cursor if stored == cursor.hash else None

    async def _down(self, connection: Connection, after: Place | None, head: Place) -> tuple[list[Own], bool]:
        """Own entries after a place up to `head` that may go down, in order, some answers' worth; and
        whether these are all.
        """
        found: list[Own] = []
        size = 0
        epochs = self._own.epochs
        first = epochs.index(after.epoch) if after else 0
        last = epochs.index(head.epoch)
        for epoch in epochs[first : last + 1]:
            seq = after.seq if after and epoch == after.epoch else 0
            end = head.seq if epoch == head.epoch else 2**62
            while True:
                if len(found) >= _EXAMINED_MAX or size >= 2 * ANSWER_ENTRY_BYTES_MAX:
                    return found, False
                who = (self._own.tenant, self._own.zone)
                rows = await connection.fetch(query("down_page"), *who, epoch, seq, end, PAGE, DOWN)
                for row in rows:
                    entry = read_record(row["record"])
                    place = Place(epoch, row["seq"], row["hash"])
                    found.append(Own(place, entry.type, read_body(entry), row["record"]))
                    size += len(row["record"])
                if len(rows) < PAGE:
                    break
                seq = rows[-1]["seq"]
        return found, True


class _Turns:
    """One exchange of a sender under way; those behind it wait in the order they came."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._inside: dict[str, int] = defaultdict(int)

    @asynccontextmanager
    async def take(self, sender: str, waiting_max: int) -> AsyncIterator[None]:
        """A sender's turn. Unavailable when more than `waiting_max` would wait for it."""
        if self._inside[sender] > waiting_max:
            raise Unavailable("an exchange of this node is under way; its answer comes first")
        self._inside[sender] += 1
        try:
            async with self._locks.setdefault(sender, asyncio.Lock()):
                yield
        finally:
            self._inside[sender] -= 1
            if not self._inside[sender]:
                del self._inside[sender]
                del self._locks[sender]


def _check_open_logs(book: CenterBook, received: Received) -> None:
    """Denied when an ask begins a log of a node that has too many already."""
    node = received.ask.node
    begun = {stored.entry.epoch for stored in received.store} - book.epochs.keys()
    if not begun:
        return
    left = sum(known.node == node and not book.is_closed(epoch) for epoch, known in book.epochs.items())
    if left + len(begun) > _OPEN_LOGS_MAX:
        raise Denied(
            429,
            f"{node} has begun {left} logs that are not closed",
            "Find out why, count its goods and write those logs off; then it may begin another.",
        )


def _is_stale(book: CenterBook, ask: Ask) -> bool:
    """Whether an ask is older than one that came before: it shows less of its log than was signed already, or
    is of an epoch before the node's last one and shows nothing new of it.
    """
    known = book.epochs.get(ask.epoch)
    if known is None:
        return False
    part = next((part for part in ask.parts if part.epoch == ask.epoch), None)
    shown = part.head.seq if part is not None and part.head is not None else 0
    last = book.met[ask.node][-1] if book.met.get(ask.node) else ask.epoch
    return shown < known.signed or (ask.epoch != last and shown == known.signed)
