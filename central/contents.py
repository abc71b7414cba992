# SPDX-License-Identifier: Apache-2.0
"""What a lot that came to be in the zone is of: the layers that its work order used, or its change of status
took, by the ledger as it attributes them now. Reads only; how they are shared out is `customs.works.content`.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Collection, Iterable
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
from customs.works.orders import ZERO, made_in_all
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


class Came(msgspec.Struct, frozen=True):
    """A lot that came to be in the zone, by a work order or, without `order`, by a change of status: whose it
    is, how many units there were, and of what they are directly, in line.
    """

    lot: str
    owner: str
    product: str
    status: Status
    made: Pair
    entry_id: str
    order: str
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
        used = (await self._used(connection, [event.order]))[event.order]
        order = await self._works.one(event.order)
        assert order.reported is not None, "it made a lot"
        parts = lots_content(order, used).get(lot, ())
        units = {made.lot: made.quantity for made in made_in_all(order.reported)}.get(lot, ZERO)
        inside: dict[str, MadeLot] = {}
        for part in parts:
            made = await self.of_lot(connection, part.lot, part.product, depth + 1)
            if made is not None:
                inside[part.lot] = made
        parts = opened(
            parts, lambda one: inside[one].parts if one in inside else (), lambda one: inside[one].made
        )
        value = next((scrap.value for scrap in order.reported.scrap if scrap.made.lot == lot), None)
        return MadeLot(event.order, units, row["left"], parts, value)

    async def came(self, connection: Connection, lots: Collection[str]) -> dict[str, Came]:
        """Those of some lots that came to be in the zone, with what they are directly of."""
        rows = await connection.fetch(query("trace_makers"), *self._who, list(lots), [MADE, RESTATUS])
        bodies = await self._bodies(connection, {row["entry_id"] for row in rows})
        names = {body.order for body in bodies.values() if isinstance(body, OrderEvent)}
        used = await self._used(connection, names)
        orders = {name: await self._works.one(name) for name in names}
        inside = {name: lots_content(order, used[name]) for name, order in orders.items()}
        taken: dict[str, list[Part]] = defaultdict(list)
        changes = [entry_id for entry_id, body in bodies.items() if isinstance(body, StatusChange)]
        for one in await connection.fetch(query("trace_restated"), *self._who, changes):
            pair = Pair(one["quantity"], one["customs"])
            taken[one["entry_id"]].append(Part(one["lot"], one["product"], Status(one["status"]), pair))
        found = {}
        for row in rows:
            body = bodies.get(row["entry_id"])
            if not isinstance(body, OrderEvent | StatusChange):
                continue  # admitted out of suspense: its paper says what it is
            order = body.order if isinstance(body, OrderEvent) else ""
            if order and row["entry_id"] != orders[order].report_id:
                continue  # it was corrected since, in another period
            parts = inside[order].get(row["lot"], ()) if order else tuple(taken[row["entry_id"]])
            found[row["lot"]] = Came(
                row["lot"], row["owner"], row["product"], Status(row["status"]),
                Pair(row["quantity"], row["customs"]), row["entry_id"], order, parts,
            )  # fmt: skip
        return found

    async def _used(self, connection: Connection, orders: Collection[str]) -> dict[str, list[Part]]:
        """What orders used up, in line, each part with how much of its lot was taken before."""
        places = [WORK + order for order in orders]
        found: dict[str, list[Part]] = {order: [] for order in orders}
        rows = await connection.fetch(query("ledger_drawn"), *self._who, places, CONSUMED)
        lots = sorted({row["lot"] for row in rows})
        gone = await connection.fetch(query("ledger_left_before"), *self._who, lots, STOCK, places)
        before = {(row["place"], row["lot"]): max(row["quantity"], ZERO) for row in gone}
        for one in rows:
            at, quantity = (one["place"], one["lot"]), one["quantity"]
            first = before.get(at, ZERO)
            pair = Pair(quantity, one["customs"])
            part = Part(one["lot"], one["product"], Status(one["status"]), pair, first)
            found[one["place"][len(WORK) :]].append(part)
            before[at] = first + quantity
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
        return (await self._bodies(connection, [entry_id])).get(entry_id)

    async def _bodies(self, connection: Connection, entries: Iterable[str]) -> dict[str, Any]:
        """The bodies of some entries that can be read."""
        found = {}
        for row in await connection.fetch(query("ledger_records"), *self._who, list(entries)):
            with contextlib.suppress(EntryError):
                found[row["entry_id"]] = read_body(read_record(bytes(row["record"])))
        return found
