# SPDX-License-Identifier: Apache-2.0
"""Cuts: the books up to an instant, pinned as they are known at a place of the center's own log, and whether
they still are what was pinned.

What is pinned is the SHA-256 of their canonical bytes: every balance, and what each fact since the cut before
moved of which lot. It is made of the postings alone, which are never changed.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import msgspec

from central import instants
from central.database import LONG_SECONDS
from central.errors import Denied
from central.ownlog import OwnLog
from central.people import Name
from central.projector import Projector
from central.queries import query
from customs.known import Known
from customs.ledger.balances import Account, canonical, plain
from customs.ledger.quantities import Pair
from sync.ledger_bodies import Cut

if TYPE_CHECKING:
    from central.database import Connection

Number = Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z")]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]

_BEGINNING: Final = datetime(1, 1, 1, tzinfo=UTC)
_PREFETCH: Final = 5000
"""Rows of attributions in memory at a time."""


class Pin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pin the books up to an instant, which has passed."""

    number: Number
    until: Moment
    by: Name


class Pinned(msgspec.Struct, frozen=True):
    """A cut, and what the books say of its time now: `equal` unless the record or the books were changed."""

    number: str
    until: datetime
    place: Known
    digest: str
    recomputed: str
    equal: bool


class _Bytes(NamedTuple):
    """What canonical bytes came to: their digest, the balances and the attributions in them."""

    digest: str
    balances: int
    takes: int


class Cuts:
    """The cuts of one center's books."""

    def __init__(self, own: OwnLog, projector: Projector) -> None:
        self._own = own
        self._projector = projector
        self._who = (own.tenant, own.zone)

    async def pin(self, order: Pin) -> Cut:
        """Pin the books. Nothing else enters the log meanwhile, so the docks' exchange waits for it."""
        own = self._own
        if instants.bookable(order.until) >= own.clocks.utc():
            raise Denied(409, "the instant has not passed", "Pin what lies behind; goods may still move.")
        async with own.lock:
            await own.book()
            await self._projector.catch_up()
            async with own.database.session() as connection, connection.transaction():
                row = await connection.fetchrow(query("books_at"), *self._who)
                assert row is not None
                known = Known(row["place"], row["seq"] + 1)
                if await connection.fetchrow(query("cut_of"), *self._who, order.number):
                    raise Denied(409, f"a cut {order.number} is pinned", "Choose another number.")
                before = await self._before(connection, known)
                if before is not None and order.until <= before[0]:
                    raise Denied(
                        409,
                        f"the books are pinned up to {before[0]:%Y-%m-%d %H:%M:%S} UTC",
                        "Choose a later instant.",
                    )
                found = await self._bytes(connection, order.until, known, before)
            cut = Cut(
                order.number,
                order.until,
                found.digest,
                found.balances,
                found.takes,
                before[1] if before else "",
                order.by,
            )
            await own.commit(lambda: [("cut", cut)])
        return cut

    async def verify(self, number: str) -> Pinned:
        """Make a cut's bytes anew and compare. Denied (404) when there is no such cut."""
        await self._projector.catch_up()
        async with self._own.database.session() as connection, connection.transaction():
            row = await connection.fetchrow(query("cut_of"), *self._who, number)
            if row is None:
                raise Denied(404, f"no cut {number[:40]!r} is pinned", "Look in /api/v1/cuts.")
            known = Known(row["place"], row["seq"])
            before = await self._before(connection, known)
            found = await self._bytes(connection, row["until"], known, before)
        return Pinned(
            row["number"], row["until"], known, row["digest"], found.digest, row["digest"] == found.digest
        )

    async def _before(self, connection: Connection, known: Known) -> tuple[datetime, str] | None:
        row = await connection.fetchrow(query("cut_before"), *self._who, known.order, known.seq)
        return (row["until"], row["digest"]) if row else None

    async def _bytes(
        self, connection: Connection, until: datetime, known: Known, before: tuple[datetime, str] | None
    ) -> _Bytes:
        at = (until, known.order, known.seq)
        rows = await connection.fetch(query("cut_balances"), *self._who, *at, timeout=LONG_SECONDS)
        sums = {
            Account(row["owner"], row["product"], row["status"], row["lot"], row["account"]): Pair(
                row["quantity"], row["customs"]
            )
            for row in rows
        }
        hashed = hashlib.sha256(canonical(sums, until))
        hashed.update(f"{before[1] if before else ''}\n".encode())
        takes = 0
        since = before[0] if before else _BEGINNING
        cursor = connection.cursor(
            query("cut_takes"), *self._who, *at, since, prefetch=_PREFETCH, timeout=LONG_SECONDS
        )
        async for row in cursor:
            words = (row["fact"], str(row["n"]), row["lot"], row["account_from"], row["account_to"])
            quantities = (plain(row["quantity"]), plain(row["customs"]))
            hashed.update(("\t".join((*words, *quantities)) + "\n").encode())
            takes += 1
        return _Bytes(hashed.hexdigest(), len(sums), takes)
