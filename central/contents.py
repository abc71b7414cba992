# SPDX-License-Identifier: Apache-2.0
"""What a lot that came to be in the zone is of: the layers that its work order used, or its change of status
took, by the ledger as it attributes them now. Reads only; how they are shared out is `customs.works.content`.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from central.queries import query
from customs.documents import Status
from customs.ledger.facts import CONSUMED, MADE, RESTATUS, STOCK, WORK
from customs.ledger.quantities import Pair
from customs.works.boms import DEPTH_MAX, WorksError
from customs.works.content import Part, lots_content, opened
from customs.works.events import OrderEvent
from customs.works.orders import ZERO
from sync.bodies import read_body
from sync.entry import read_record
from sync.errors import EntryError
from sync.ledger_bodies import StatusChange

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


class RestatedLot(msgspec.Struct, frozen=True):
    """A lot that a change of status made: when, how many units, how many are left, and of which lots they
    are, in line and in the status that they had.
    """

    happened: datetime
    made: Decimal
    left: Decimal
    parts: tuple[Part, ...]


class Contents:
    """Answers for one tenant and zone."""

    def __init__(self, tenant: str, zone: str, works: Works) -> None:
        self._who = (tenant, zone)
        self._works = works

    async def of_lot(self, connection: Connection, lot: str, product: str, depth: int = 1) -> MadeLot | None:
        """What a lot contains, lots that were made here themselves opened; None for one that was not made
        here. Raises WorksError where the books know of less than its order used, and for a lot that contains
        itself.
        """
        row = await connection.fetchrow(query("ledger_made_lot"), *self._who, lot, product, MADE)
        event = await self._event(connection, row["entry_id"]) if row is not None else None
        if row is None or event is None:
            return None
        if depth > DEPTH_MAX:
            raise WorksError(f"lot {lot} is more than {DEPTH_MAX} steps deep", "Look for a lot in itself.")
        used = await self._used(connection, event.order)
        parts = lots_content(await self._works.one(event.order), used).get(lot, ())
        inside: dict[str, MadeLot] = {}
        for part in parts:
            made = await self.of_lot(connection, part.lot, part.product, depth + 1)
            if made is not None:
                inside[part.lot] = made
        parts = opened(
            parts, lambda one: inside[one].parts if one in inside else (), lambda one: inside[one].made
        )
        value = next((scrap.value for scrap in event.scrap if scrap.made.lot == lot), None)
        return MadeLot(event.order, row["made"], row["left"], parts, value)

    async def _used(self, connection: Connection, order: str) -> list[Part]:
        """What an order used up, in line, each part with how much of its lot was taken before."""
        place = WORK + order
        found: list[Part] = []
        before: dict[str, Decimal] = {}
        for one in await connection.fetch(query("ledger_drawn"), *self._who, place, CONSUMED):
            lot, quantity = one["lot"], one["quantity"]
            if lot not in before:
                gone = await connection.fetchval(query("ledger_left_before"), *self._who, lot, STOCK, place)
                before[lot] = max(gone, ZERO)
            pair = Pair(quantity, one["customs"])
            found.append(Part(lot, one["product"], Status(one["status"]), pair, before[lot]))
            before[lot] += quantity
        return found

    async def restated(self, connection: Connection, lot: str, product: str) -> RestatedLot | None:
        """Of which lots a change of status made a lot; None for any other lot (19 CFR 146.41-146.44)."""
        row = await connection.fetchrow(query("ledger_made_lot"), *self._who, lot, product, RESTATUS)
        body = await self._body(connection, row["entry_id"]) if row is not None else None
        if row is None or not isinstance(body, StatusChange):
            return None
        taken = await connection.fetch(query("ledger_taken_by"), *self._who, row["entry_id"], 0)
        parts = [
            Part(one["lot"], product, body.status, Pair(one["quantity"], one["customs"])) for one in taken
        ]
        return RestatedLot(body.happened, row["made"], row["left"], tuple(parts))

    async def _event(self, connection: Connection, entry_id: str) -> OrderEvent | None:
        body = await self._body(connection, entry_id)
        return body if isinstance(body, OrderEvent) else None

    async def _body(self, connection: Connection, entry_id: str) -> Any:
        rows = await connection.fetch(query("ledger_records"), *self._who, [entry_id])
        try:
            return read_body(read_record(bytes(rows[0]["record"])))
        except EntryError:
            return None
