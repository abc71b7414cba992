# SPDX-License-Identifier: Apache-2.0
"""What a lot that was made in the zone contains: the layers that its work order drew, by the ledger as it
attributes them now. Reads only; how they are shared out is `customs.works.content`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from central.queries import query
from customs.documents import Status
from customs.ledger.facts import MADE, WORK
from customs.ledger.quantities import Pair
from customs.works.content import Part, lots_content
from customs.works.events import OrderEvent
from sync.bodies import read_body
from sync.entry import read_record
from sync.errors import EntryError

if TYPE_CHECKING:
    from central.database import Connection
    from central.works import Works


class MadeLot(msgspec.Struct, frozen=True):
    """A lot that an order made: how many units, how many are left, what all of them contain in line. `value`
    is what scrap was sold for, in US dollars; None for what is no scrap.
    """

    order: str
    made: Decimal
    left: Decimal
    parts: tuple[Part, ...]
    value: Decimal | None


class Contents:
    """Answers for one tenant and zone."""

    def __init__(self, tenant: str, zone: str, works: Works) -> None:
        self._who = (tenant, zone)
        self._works = works

    async def of_lot(self, connection: Connection, lot: str, product: str) -> MadeLot | None:
        """What a lot contains; None for one that was not made here. Raises WorksError where the books know
        of less than its order used.
        """
        row = await connection.fetchrow(query("ledger_made_lot"), *self._who, lot, product, MADE)
        if row is None:
            return None
        event = await self._event(connection, row["entry_id"])
        if event is None:
            return None
        drawn = await connection.fetch(query("ledger_drawn"), *self._who, WORK + event.order)
        layers = [
            Part(one["lot"], one["product"], Status(one["status"]), Pair(one["quantity"], one["customs"]))
            for one in drawn
        ]
        parts = lots_content(await self._works.one(event.order), layers).get(lot, ())
        value = next((scrap.value for scrap in event.scrap if scrap.made.lot == lot), None)
        return MadeLot(event.order, row["made"], row["left"], parts, value)

    async def _event(self, connection: Connection, entry_id: str) -> OrderEvent | None:
        rows = await connection.fetch(query("ledger_records"), *self._who, [entry_id])
        try:
            body = read_body(read_record(bytes(rows[0]["record"])))
        except EntryError:
            return None
        return body if isinstance(body, OrderEvent) else None
