# SPDX-License-Identifier: Apache-2.0
"""What people put on the zone's books without a door: a change of status, an adjustment, an accepted or
rejected customs entry, an election. Each is an entry of the center's own log that names who did it. An act
whose instant is left out happened now.

An act is checked against the books as they are; what the books say of it is `central.ledger_facts`. Knows no
HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import msgspec

from central import floor, instants
from central.cuts import Moment
from central.errors import Denied
from central.ledger_facts import carried_of
from central.ledger_queries import calendar
from central.ownlog import OwnLog
from central.people import Name, Note, People, Written, check_count
from central.projector import Projector
from central.queries import query
from central.turns import in_turn
from customs.documents import Direction, Holding, Permit, Status
from customs.ledger import elections
from customs.ledger.balances import plain
from customs.ledger.facts import CONSTRUCTIVE, MADE, STOCK
from customs.ledger.locations import MISSING, UNPLACED
from customs.us import rulings, statuses
from customs.us.matrix import DISPOSITIONS, Disposition
from customs.works.events import load_key
from sync.bodies import Holdings
from sync.center import CenterBook
from sync.chain import Stored
from sync.decisions import Draft, in_answers
from sync.ledger_bodies import (
    Adjustment,
    Constructive,
    Election,
    Entered,
    PutAway,
    StatusChange,
    StoredLoad,
)

Paper = Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z")]
Lot = Annotated[str, msgspec.Meta(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
Words = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\Z")]

WEEKLY: Final = "weekly-entry"
"""Goods of a weekly entry are entered as they are removed, not before (19 CFR 146.63(c))."""


class ChangeStatus(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Goods get another zone status by the paper `number`, as the lot `<number>/1`. `authority` is the port
    director's decision where one is needed. `loads` are those that the goods are on; where none is named,
    all that hold these goods, of `lot` where it is said, if that is just the quantity.
    """

    number: Paper
    owner: Name
    product: Name
    status: Status
    becomes: Status
    quantity: Decimal
    note: Note
    by: Name
    happened: Moment | None = None
    lot: Lot | None = None
    authority: Words = ""
    loads: floor.Relabels = ()


class Adjust(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Goods were found over (`quantity` above zero) or short (below), on `loads` where some are named."""

    number: Paper
    owner: Name
    product: Name
    status: Status
    quantity: Decimal
    note: Note
    by: Name
    happened: Moment | None = None
    lot: Lot | None = None
    destroyed: bool = False
    loads: floor.Parts = ()


class Accept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The customs entry of a permit was accepted: all its lines' goods are legally in the territory."""

    document: Name
    note: Note
    by: Name
    happened: Moment | None = None


class Reject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A customs entry was rejected or cancelled: what is left of its goods is back."""

    document: Name
    note: Note
    by: Name
    happened: Moment | None = None


class Elect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From `since` on goods are attributed by `method`."""

    owner: Name
    method: elections.Method
    since: Moment
    authority: Words
    by: Name
    product: Name | None = None


class Bookkeeping:
    """The acts of one center on the zone's books."""

    def __init__(self, own: OwnLog, people: People, projector: Projector) -> None:
        self.turn = own.turn
        self._own = own
        self._people = people
        self._projector = projector

    @in_turn
    async def change_status(self, order: ChangeStatus) -> list[Written]:
        """Denied (422) with its section where the goods may not get that status (19 CFR 146.41-146.44). What
        a work order made is of another class than what it was made of.
        """
        check_count(order.quantity)
        happened = await self.moment(order.happened)
        made = await self.rows("ledger_made_in_stock", *_whose(order), STOCK, order.lot, MADE)
        wish = statuses.StatusChange(
            order.status, order.becomes, changed_class=bool(made), decision=order.authority or None
        )
        ruling = statuses.change(wish)
        if isinstance(ruling, rulings.Refused):
            raise Denied(422, f"the goods may not become {order.becomes} ({ruling.section})", ruling.words)
        await self._check_new(f"{order.number}/1")
        await self._check_left(order, order.quantity)
        shift = await self._restatus(order)
        body = StatusChange(
            order.number, order.owner, order.product, order.status, order.becomes, order.quantity,
            happened, order.by, order.note, order.lot, order.authority, shift.unit, shift.off, shift.on,
        )  # fmt: skip
        beside = await self.relabeled(shift, happened, order.by)
        return await self._moving("status-change", body, order, order.becomes, shift, beside)

    @in_turn
    async def adjust(self, order: Adjust) -> list[Written]:
        """What a count or a casualty showed (19 CFR 146.25, 146.53)."""
        check_count(abs(order.quantity))
        happened = await self.moment(order.happened)
        if order.quantity < 0:
            await self._check_left(order, -order.quantity)
        elif order.destroyed:
            raise Denied(400, "goods that were found were not destroyed", "Say a quantity below zero.")
        elif order.lot is None:
            await self._check_new(f"{order.number}/1")
        product = await self._people.look(lambda book: book.products.get(order.product))
        there = await self.floor_of([one.load for one in order.loads])
        shift = floor.counted(_goods(order), order.loads, product.unit if product else "EA", there)
        body = Adjustment(
            order.number, order.owner, order.product, order.status, order.quantity, happened, order.by,
            order.note, order.lot, order.destroyed, shift.unit if order.loads else "", shift.off, shift.on,
        )  # fmt: skip
        return await self._moving("adjustment", body, order, order.status, shift)

    @in_turn
    async def accept(self, order: Accept) -> list[Written]:
        """From now on the goods wait at their door for removal alone (19 CFR 146.61)."""
        happened = await self.moment(order.happened)
        permit = await self._people.look(lambda book: book.permits.get(order.document))
        goods = _entered(order.document, permit)
        if await self.rows("ledger_left_at", CONSTRUCTIVE + order.document):
            raise Denied(409, f"goods wait under {order.document} already", "Reject it first.")
        for one in goods:
            await self._check_left(one, one.quantity)
        return await self._constructive(order, True, goods, happened)

    @in_turn
    async def reject(self, order: Reject) -> list[Written]:
        """The goods are back in their status and in their place in the line, from then on."""
        happened = await self.moment(order.happened)
        rows = await self.rows("ledger_left_at", CONSTRUCTIVE + order.document)
        if not rows:
            raise Denied(404, f"nothing waits under {order.document[:40]!r}", "Look at the goods' accounts.")
        goods = tuple(
            Entered(row["owner"], row["product"], Status(row["status"]), row["quantity"]) for row in rows
        )
        return await self._constructive(order, False, goods, happened)

    @in_turn
    async def elect(self, order: Elect) -> list[Written]:
        """An election is never backdated (19 CFR 146.23(a)(2))."""
        since = instants.bookable(order.since)
        made = elections.Election(order.owner, order.method, since, order.authority, order.product)
        await self._projector.catch_up()
        known = [msgspec.convert(row, elections.Election) for row in await self.rows("ledger_elections")]
        refused = elections.why_refused(made, self._own.clocks.utc(), known)
        if refused:
            raise Denied(422, "this election cannot be made", refused)
        body = Election(order.owner, order.method, since, order.authority, order.by, order.product)
        return await self._people.act(lambda _: [("election", body)])

    async def _constructive(
        self, order: Accept | Reject, accepted: bool, goods: tuple[Entered, ...], happened: datetime
    ) -> list[Written]:
        body = Constructive(order.document, accepted, goods, happened, order.by, order.note)
        return await self._people.act(lambda _: [("constructive", body)])

    async def _moving(
        self,
        kind: str,
        body: StatusChange | Adjustment,
        order: ChangeStatus | Adjust,
        becomes: Status,
        shift: floor.Shift,
        beside: Sequence[Draft] = (),
    ) -> list[Written]:
        """Write an act, what is `beside` it, and with it what docks must know of its loads."""

        def draft(book: CenterBook) -> list[Draft]:
            disputed = {dispute.load for dispute in book.disputes.values()} & set(shift.keys)
            if disputed and kind == "status-change":
                step = "Decide the dispute about its last movement first."
                raise Denied(409, f"load {min(disputed)[:60]} is disputed", step)
            assert book.head is not None, "a center's log has begun"
            after = _goods(order)._replace(status=becomes)
            told = in_answers(tuple(floor.moves(_goods(order), after, shift)))
            return [(kind, body), *beside, *(("holdings", Holdings(book.head.epoch, run)) for run in told)]

        return await self._people.act(draft)

    async def _restatus(self, order: ChangeStatus) -> floor.Shift:
        """The loads of goods that get another status, and what becomes of them."""
        loads = [holding_of(row) for row in await self.rows("loads_of_goods", *_whose(order))]
        left = await self.left(*_whose(order), STOCK, None)
        free = max(left - sum((load.quantity for load in loads), Decimal(0)), Decimal(0))
        said = order.loads or floor.unnamed(_goods(order), await self._of_lot(loads, order.lot), free)
        names = [one.load for one in said] + [one.onto for one in said if one.onto is not None]
        after = _goods(order)._replace(status=order.becomes)
        shift = floor.restatus(_goods(order), after, said, await self.floor_of(names))
        rest = order.quantity - sum((piece.quantity for piece in shift.off), Decimal(0))
        if not 0 <= rest <= free:
            raise Denied(
                409,
                f"the loads have {order.quantity - rest:f} of it and {free:f} are on no load, the act says "
                f"{order.quantity:f}",
                "Name the loads that get the other status, or correct the quantity.",
            )
        return shift

    async def relabeled(self, shift: floor.Shift, happened: datetime, by: str) -> list[Draft]:
        """Goods that get a label of their own stay where the load stands that they were on, if that is known
        and the label is new.
        """
        pairs = zip(shift.off, shift.on, strict=True)
        moved = [(was.key, now.key) for was, now in pairs if was.key != now.key]
        places: dict[str, set[str]] = {}
        for row in await self.rows("location_of_loads", [load for pair in moved for load in pair]):
            places.setdefault(row["load"], set()).add(row["place"])
        stored = [
            StoredLoad(now, place)
            for was, now in moved
            for place in places.get(was, ())
            if len(places[was]) == 1 and now not in places and place not in (UNPLACED, MISSING)
        ]
        return [("put-away", PutAway(tuple(stored), happened, by, "relabeled"))] if stored else []

    async def _of_lot(self, loads: list[Holding], lot: str | None) -> list[Holding]:
        """Those loads that were last admitted as a lot, or made as it; all of them without one."""
        if lot is None or not loads:
            return loads
        keys = [load.key for load in loads]
        carried = carried_of(await self.rows("ledger_admissions", keys), await self.calendar())
        return [load for load in loads if carried.get(load.key, ("", load.lot))[1] == lot]

    async def calendar(self) -> ZoneInfo:
        """Whose days the zone's calendar has."""
        return await calendar(self._own)

    async def floor_of(self, names: list[str]) -> dict[str, list[Holding]]:
        """What stands in the zone under some names, by key."""
        found: dict[str, list[Holding]] = {}
        for row in await self.rows("loads_named", [load_key(name) for name in names]):
            found.setdefault(row["key"], []).append(holding_of(row))
        return found

    async def left(self, *queue: str | None) -> Decimal:
        """What is left of an owner's product in a status at a place, of one lot unless that is None."""
        rows = await self.rows("ledger_left", *queue)
        return sum((row["quantity"] for row in rows), Decimal(0))

    async def moment(self, happened: datetime | None) -> datetime:
        """The instant of an act, which is of the open period and of the past; the books are up to date."""
        at = instants.happened(happened, self._own.clocks.utc())
        await self._projector.catch_up()
        (row,) = await self.rows("ledger_cuts")
        until = row["max"]
        if happened is not None and until is not None and happened <= until:
            step = "Date it after that: it is a correction of what was pinned."
            raise Denied(409, f"the books are pinned up to {until:%Y-%m-%d %H:%M:%S} UTC", step)
        return at

    async def _check_new(self, lot: str) -> None:
        if await self.rows("ledger_lot", lot):
            raise Denied(409, f"there is a lot {lot}", "Choose another number.")

    async def _check_left(self, goods: ChangeStatus | Adjust | Entered, quantity: Decimal) -> None:
        """So much must be there now; that it was there at its instant is the ledger's to find."""
        left = await self.left(*_whose(goods), STOCK, goods.lot)
        if left < quantity:
            lot = f" of lot {goods.lot}" if goods.lot else ""
            raise Denied(
                409,
                f"{left:f}{lot} are in stock of {goods.product} of {goods.owner} in {goods.status.value}, "
                f"not {quantity:f}",
                "Correct the quantity, or settle first what is missing.",
            )

    async def own_of_type(self, kind: str) -> list[Stored]:
        """The center's own entries of one type, in order."""
        own = self._own
        async with own.database.session() as connection:
            return await own.record.own_of_type(connection, kind)

    async def rows(self, name: str, *arguments: Any) -> list[dict[str, Any]]:
        """What a query of this zone answers."""
        own = self._own
        async with own.database.session() as connection:
            rows = await connection.fetch(query(name), own.tenant, own.zone, *arguments)
        return [dict(row) for row in rows]


def _whose(goods: ChangeStatus | Adjust | Entered) -> tuple[str, str, str]:
    return goods.owner, goods.product, goods.status.value


def holding_of(row: dict[str, Any]) -> Holding:
    """A load from its columns. The database gives ten thousand as 1E+4; entries say 10000."""
    status, quantity = Status(row["status"]), Decimal(plain(row["quantity"]))
    return Holding(
        row["key"], row["sscc"], row["gtin"] or "", quantity, row["unit"], row["owner"], status, row["lot"]
    )


def _goods(order: ChangeStatus | Adjust) -> floor.Goods:
    return floor.Goods(order.owner, order.product, order.status, order.quantity)


def _entered(document: str, permit: Permit | None) -> tuple[Entered, ...]:
    """The goods of a permit that lets goods into the territory by an entry of their own."""
    if permit is None:
        raise Denied(404, f"no permit {document[:40]!r} is on file", "Import it first.")
    if permit.kind == WEEKLY or DISPOSITIONS.get(permit.kind) is not Disposition.CONSUMPTION:
        raise Denied(
            409,
            f"{document} is of kind {permit.kind}: its goods are not entered before they leave",
            "Accept an entry of its own, not an estimate of a week or another paper.",
        )
    return tuple(
        Entered(permit.owner, line.product, line.status, line.quantity)
        for line in permit.lines
        if line.direction is Direction.OUT
    )
