# SPDX-License-Identifier: Apache-2.0
"""Work orders at the center: each step is judged by what is on file and on the floor, and becomes an entry.

With it goes what docks must know: loads that went to an order are no longer in the zone's stock, loads that
were made are. Knows no HTTP; the rules stand in `customs.works`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import msgspec

from central.errors import Denied
from central.law import CustomsData
from central.ledger_facts import carried_of
from central.ownlog import OwnLog
from central.people import Written
from central.projector import Projector
from central.queries import query
from customs.documents import Direction, Holding, Status
from customs.ledger import elections
from customs.ledger.facts import STOCK
from customs.works import orders
from customs.works.boms import WorksError
from customs.works.events import (
    CloseOrder,
    Correct,
    Made,
    OrderEvent,
    Plan,
    Report,
    Start,
    load_key,
    pieces,
)
from customs.works.given import Goods, Papers
from customs.works.orders import Order
from gs1 import check_digit
from sync.bodies import Holdings, Moved, read_body
from sync.center import CenterBook
from sync.decisions import in_answers
from sync.restraints import Goods as Restrained

if TYPE_CHECKING:
    import asyncpg

    from central.database import Connection

BACK_MAX: Final = timedelta(days=31)
"""How long ago a step may have happened when it is told; what is older is a correction for a person."""

_DAY: Final = timedelta(days=1)


class OrderTold(msgspec.Struct, frozen=True):
    """An order as it stands: its plan, its state, and the steps that were taken."""

    order: str
    state: str
    owner: str
    product: str
    quantity: Decimal
    unit: str
    steps: tuple[OrderEvent, ...]


class OrderPage(msgspec.Struct, frozen=True):
    """Some orders; `next` is handed in as `after` for those that follow, None at the end."""

    items: tuple[OrderTold, ...]
    next: str | None


_Said = Plan | Start | Report | Correct | CloseOrder
_Judge = Callable[["_Desk", Mapping[str, Order]], OrderEvent]


@dataclass(frozen=True, slots=True)
class _Desk:
    """What one step is judged by: the papers on file, the loads that it names, what was ever on them, its
    instant.
    """

    papers: Papers
    goods: Mapping[str, Goods]
    labels: Mapping[str, set[str]]
    at: datetime


class Works:
    """The work orders of one center. Steps are taken one after the other."""

    def __init__(self, own: OwnLog, projector: Projector, data: CustomsData) -> None:
        self._own = own
        self._data = data
        self._projector = projector
        self._orders: dict[str, Order] | None = None

    async def plan(self, said: Plan) -> list[Written]:
        """Plan an order."""
        return await self._step(said, (), lambda desk, known: orders.plan(known, said, desk.papers, desk.at))

    async def start(self, said: Start) -> list[Written]:
        """Issue goods to a planned order."""

        def judge(desk: _Desk, known: Mapping[str, Order]) -> OrderEvent:
            return orders.start(_named(known, said.order), said, desk.papers, desk.goods, desk.at)

        return await self._step(said, [take.load for take in said.takes], judge)

    async def report(self, said: Report) -> list[Written]:
        """Say what came of a started order."""

        def judge(desk: _Desk, known: Mapping[str, Order]) -> OrderEvent:
            order = _named(known, said.order)
            event = orders.report(order, said, desk.papers, desk.goods, desk.at)
            _check_labels(event, desk)
            return event

        loads = [take.load for take in said.takes]
        loads += [*(one.load for one in said.made), *(one.load for one in said.scrap)]
        return await self._step(said, loads, judge)

    async def correct(self, said: Correct) -> list[Written]:
        """Put a report right: what was made, scrap and waste, said anew."""
        before = _named(await self._read(), said.order).reported
        was = orders.made_in_all(before) if before is not None else ()

        def judge(desk: _Desk, known: Mapping[str, Order]) -> OrderEvent:
            event = orders.correct(_named(known, said.order), said, desk.papers, desk.goods, desk.at)
            _check_labels(event, desk)
            return event

        loads = [*(one.load for one in said.made), *(one.load for one in said.scrap)]
        return await self._step(said, [*loads, *(piece.key for one in was for piece in one.loads)], judge)

    async def close(self, said: CloseOrder) -> list[Written]:
        """End a reported order."""
        return await self._step(
            said, (), lambda desk, known: orders.close(_named(known, said.order), said, desk.at)
        )

    async def page(self, limit: int, after: str | None) -> OrderPage:
        """Orders by name, from the one behind `after`."""
        known = await self._read()
        names = sorted(name for name in known if after is None or name > after)
        items = tuple(told(known[name]) for name in names[:limit])
        return OrderPage(items, items[-1].order if len(names) > limit else None)

    async def one(self, name: str) -> Order:
        """An order. Denied (404) when it is unknown."""
        return _named(await self._read(), name)

    # -- a step ------------------------------------------------------------------------------------

    async def _step(self, said: _Said, loads: Sequence[str], judge: _Judge) -> list[Written]:
        own = self._own
        async with self._own.turn:
            known = await self._known()
            await self._projector.catch_up()  # what docks have told is on the floor
            at = own.clocks.utc()
            _check_day(said.on, at)
            order = known.get(said.order)
            async with own.lock:
                book = await own.book()
                async with own.database.session() as connection:
                    goods, labels = await self._goods(connection, book, loads)
                    goods = await self._of_lots(connection, goods, at)
                    stock = await self._stock(connection, goods.values())
                    papers = await self._papers(connection, book, order, said)
                    lots = await self._lots(connection, order, said, goods)
                    papers = replace(papers, stock=stock, lots=lots)
                suspended = book.restraints.suspension
                if suspended is not None and not isinstance(said, CloseOrder):
                    raise Denied(
                        409, f"the zone is suspended: {suspended.reason}", "Wait until it is resumed."
                    )
                try:
                    event = judge(_Desk(papers, goods, labels, at), known)
                except WorksError as error:
                    raise Denied(409, str(error), error.next_step) from error
                assert book.head is not None, "a center's log has begun"
                told = [Holdings(book.head.epoch, run) for run in in_answers(tuple(moves(event)))]
                drafts: list[tuple[str, Any]] = [("order", event), *(("holdings", one) for one in told)]
                try:
                    stored = await own.commit(lambda: drafts)
                except BaseException:
                    self._orders = None  # whether it was written must be read
                    raise
            orders.fold(known, event, stored[0].entry.entry_id)
        return [Written(one.entry.type, one.entry.entry_id, one.entry.epoch, one.entry.seq) for one in stored]

    async def _read(self) -> dict[str, Order]:
        """The orders for who only looks: nobody waits for a step that is being taken."""
        if self._orders is not None:
            return self._orders
        async with self._own.turn:
            return await self._known()

    async def _known(self) -> dict[str, Order]:
        if self._orders is None:
            own, known = self._own, dict[str, Order]()
            async with own.database.session() as connection:
                for stored in await own.record.own_of_type(connection, "order"):
                    orders.fold(known, read_body(stored.entry), stored.entry.entry_id)
            self._orders = known
        return self._orders

    async def _papers(
        self, connection: Connection, book: CenterBook, order: Order | None, said: _Said
    ) -> Papers:
        """What is on file for an order on the day of a step."""
        data = self._data
        boms = await data.boms(connection)
        units = {gtin: product.unit for gtin, product in book.products.items()}
        if order is None:
            return Papers(self._own.zone, boms, units=units)
        first = order.planned
        started = said if isinstance(said, Start) else order.started
        numbers = (started.permit, started.authority) if started else ("", "")
        permit = await data.one(connection, "activity-permit", numbers[0], said.on)
        authority = await data.one(connection, "production-authority", numbers[1], said.on)
        gtins = {row.gtin for bom in boms if bom.product == first.product for row in bom.inputs}
        tariff = {}
        for gtin in {first.product, *gtins}:
            product = await data.product(connection, gtin, first.owner, said.on)
            tariff[gtin] = product.hts if product else None
        return Papers(
            self._own.zone,
            boms,
            {permit.number: permit} if permit else {},
            {authority.number: authority} if authority else {},
            units,
            tariff,
        )

    async def _stock(
        self, connection: Connection, goods: Iterable[Goods]
    ) -> dict[tuple[str, Status], Decimal]:
        """What the ledger has in stock of goods that are named: what is entered is not among it."""
        found = {}
        for owner, gtin, status in {(load.owner, load.gtin, load.status) for load in goods}:
            queue = (owner, gtin, status.value, STOCK, None)
            rows = await connection.fetch(query("ledger_left"), self._own.tenant, self._own.zone, *queue)
            found[gtin, status] = sum((row["quantity"] for row in rows), orders.ZERO)
        return found

    async def _lots(
        self, connection: Connection, order: Order | None, said: _Said, goods: Mapping[str, Goods]
    ) -> dict[tuple[str, str], Decimal]:
        """What is in stock of the lots that an order made, and of those that its goods are of."""
        wanted: set[tuple[str, str, Status, str]] = set()
        if order is not None and order.reported is not None:
            made = orders.made_in_all(order.reported)
            wanted |= {(order.planned.owner, one.product, one.status, one.lot) for one in made}
        for take in said.takes if isinstance(said, Start | Report) else ():
            load = goods.get(load_key(take.load))
            if load is not None and load.by_lot:
                wanted.add((load.owner, load.gtin, load.status, take.lot or load.zone_lot))
        found: dict[tuple[str, str], Decimal] = {}
        for owner, product, status, lot in wanted:
            queue = (owner, product, status.value, STOCK, lot)
            rows = await connection.fetch(query("ledger_left"), self._own.tenant, self._own.zone, *queue)
            found[lot, product] = sum((row["quantity"] for row in rows), orders.ZERO)
        return found

    async def _of_lots(
        self, connection: Connection, goods: Mapping[str, Goods], at: datetime
    ) -> dict[str, Goods]:
        """Loads with the zone lots that they are of, where an election has their goods attributed by lot."""
        who = (self._own.tenant, self._own.zone)
        rows = await connection.fetch(query("ledger_elections"), *who)
        made = [msgspec.convert(dict(row), elections.Election) for row in rows]
        bound = [
            key
            for key, load in goods.items()
            if elections.elected(made, load.owner, load.gtin, at) is elections.Method.SPECIFIC
        ]
        if not bound:
            return dict(goods)
        zone = ZoneInfo(await connection.fetchval(query("ledger_calendar"), *who) or "UTC")
        rows = await connection.fetch(query("ledger_admissions"), *who, bound)
        carried = carried_of((dict(row) for row in rows), zone)
        lots = {key: carried.get(key, ("", ""))[1] for key in bound}
        return {
            key: replace(load, by_lot=True, zone_lot=lots[key]) if key in lots else load
            for key, load in goods.items()
        }

    async def _goods(
        self, connection: Connection, book: CenterBook, loads: Sequence[str]
    ) -> tuple[dict[str, Goods], dict[str, set[str]]]:
        """The loads in the zone that are named so, by key; and what was ever on a load of that key."""
        who = (self._own.tenant, self._own.zone)
        found: dict[str, Goods] = {}
        labels: dict[str, set[str]] = {}
        for row in await connection.fetch(query("loads_named"), *who, [load_key(name) for name in loads]):
            labels.setdefault(row["key"], set()).add(row["gtin"] or "")
            if row["quantity"] <= 0:
                continue
            held = _held(book, row)
            if row["key"] in found:
                held = "it is on the books for several owners or in several statuses"
            found[row["key"]] = Goods(
                row["key"],
                row["gtin"] or "",
                row["owner"],
                Status(row["status"]),
                row["quantity"],
                row["unit"],
                row["sscc"],
                row["lot"],
                held,
            )
        return found, labels


def moves(event: OrderEvent) -> Iterator[Moved]:
    """What docks must know of a step: loads that went to the order, came back, or were made."""
    for came, goods, piece in pieces(event):
        lot = goods.lot if isinstance(goods, Made) else piece.lot
        yield Moved(
            came,
            Holding(
                piece.key,
                piece.sscc,
                goods.product,
                piece.quantity,
                goods.unit,
                event.owner,
                goods.status,
                lot,
            ),
        )


def told(order: Order) -> OrderTold:
    """An order as it is shown."""
    first = order.planned
    steps = (first, order.started, order.first_report, *order.corrections, order.closed)
    assert first.quantity is not None, "a plan says how much"
    return OrderTold(
        first.order,
        order.state,
        first.owner,
        first.product,
        first.quantity,
        first.unit,
        tuple(step for step in steps if step is not None),
    )


def _named(known: Mapping[str, Order], name: str) -> Order:
    order = known.get(name)
    if order is None:
        raise Denied(404, f"no order {name[:40]!r} is planned", "Plan it, or look at /api/v1/orders.")
    return order


def _check_day(on: date, at: datetime) -> None:
    """A day of the zone's calendar is at most one off the day of UTC."""
    if not (at - BACK_MAX).date() <= on <= (at + _DAY).date():
        raise Denied(
            422, f"the step is said to be of {on}, today is {at.date()} (UTC)",
            f"Tell steps on their day, at most {BACK_MAX.days} days later.",
        )  # fmt: skip


def _check_labels(event: OrderEvent, desk: _Desk) -> None:
    """A label names one kind of goods and can be read: what is made goes on no load that holds others."""
    for made in orders.made_in_all(event):
        for piece in made.loads:
            if piece.sscc is not None and check_digit(piece.sscc[:-1]) != piece.sscc[-1]:
                raise Denied(
                    422,
                    f"{piece.sscc} is no SSCC: its check digit would be {check_digit(piece.sscc[:-1])}",
                    "Compare it with the label.",
                )
            there = desk.goods.get(piece.key)
            same = there is None or (there.gtin, there.owner, there.status, there.unit) == (
                made.product,
                event.owner,
                made.status,
                made.unit,
            )
            if not same or desk.labels.get(piece.key, set()) - {made.product}:
                raise Denied(
                    409,
                    f"load {piece.key[:60]} holds or held other goods in the zone",
                    "Put what was made on a load of its own.",
                )


def _held(book: CenterBook, row: asyncpg.Record) -> str | None:
    """Why a load may not be worked on."""
    if any(dispute.load == row["key"] for dispute in book.disputes.values()):
        return "a dispute about its last movement is open"
    lots = frozenset((row["lot"],)) if row["lot"] is not None else frozenset[str]()
    held = book.restraints.on(Restrained(row["key"], row["gtin"], row["owner"], lots), Direction.OUT)
    return f"{held.agency or held.kind} holds it: {held.reason}" if held is not None else None
