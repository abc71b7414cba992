# SPDX-License-Identifier: Apache-2.0
"""Goods are admitted at the center, not at a door: out of suspense, when the permit that they lacked is on
file (19 CFR 146.22(c), 146.35), and where the operator itself picks them up in the district (146.40(b)).

A door deposits a load whose papers are incomplete; people here say which permit line it is of. What the line
allows is not exceeded: what is lent to docks is asked back first. What was picked up is legally in the zone
and on its way until a door admits it, which alone uses its line. Knows no HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final

import msgspec

from central import floor
from central.bookkeeping import Bookkeeping, Paper, Words, holding_of
from central.cuts import Moment
from central.errors import Denied
from central.floor import Goods, Relabels, Shift
from central.ownlog import OwnLog
from central.people import Name, Note, People, Written, check_count
from central.turns import in_turn
from customs.documents import Direction, Holding, LineRef, Permit, PermitLine, Status
from customs.ledger.balances import plain
from customs.ledger.facts import IN_TRANSIT, STOCK
from customs.us.matrix import DIRECT, direct_delivery
from customs.us.rulings import Refused
from customs.us.statuses import ADMITTING
from customs.works.events import ROWS_MAX
from sync.bodies import Holdings, Recall
from sync.center import CenterBook
from sync.decisions import Draft, in_answers
from sync.ledger_bodies import AdmissionUndone, Admitted, Deposited, Fetched, PickUp, PickUpUndone

_ZERO: Final = Decimal(0)
_SUSPENSE: Final = "SUSPENSE-"
"""What names of lots in suspense begin with, before the id of the deposit's entry."""

ANSWER_SECONDS: Final = 15.0
"""A dock that is connected answers within a few; the person who asks stands before the screen."""


class Admit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Goods in suspense are admitted as `line` of the permit `document`. `loads` are those that they are on,
    each whole or a part of it; where none is named, `quantity` of the line's product is what all loads of it
    in suspense have, or what is on no load.
    """

    document: Paper
    line: Name
    note: Note
    by: Name
    quantity: Decimal | None = None
    happened: Moment | None = None
    loads: Relabels = ()


class UndoAdmission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An admission out of suspense never was: `admitted` is the id of its entry."""

    admitted: Name
    note: Note
    by: Name
    happened: Moment | None = None


class PickedUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So much of a permit's line."""

    line: Name
    quantity: Decimal


class FetchGoods(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The operator itself picked up goods of a permit for direct delivery, from a place in its district.

    `approval` is the port director's for direct delivery, `owned` says that the operator owns or buys the
    goods, `stable` that they and what is done to them are known well in advance, `examined` that they are of
    a kind that customs looks at first (19 CFR 146.39(c)-(d)).
    """

    document: Paper
    goods: Annotated[tuple[PickedUp, ...], msgspec.Meta(min_length=1, max_length=ROWS_MAX)]
    approval: Words
    owned: bool
    stable: bool
    note: Note
    by: Name
    examined: bool = False
    happened: Moment | None = None


class UndoFetch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pick-up never was: `pick_up` is the id of its entry."""

    pick_up: Name
    note: Note
    by: Name
    happened: Moment | None = None


class Admitting:
    """The admissions of one center that happen at no door."""

    def __init__(self, own: OwnLog, people: People, kept: Bookkeeping) -> None:
        self.turn = kept.turn
        self._people = people
        self._kept = kept
        self._news = asyncio.Event()
        own.on_stored(self._news.set)

    async def admit(self, order: Admit) -> list[Written]:
        """Denied (404, 409, 422) where paper and goods differ, with what came and what was expected. What
        docks hold of the line and do not need is asked back, and waited for up to ANSWER_SECONDS.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + ANSWER_SECONDS
        ref = LineRef(order.document, order.line)
        try:
            while True:
                self._news.clear()
                done = await self._admit(order)
                if isinstance(done, list):
                    return done
                try:
                    await asyncio.wait_for(self._news.wait(), until - loop.time())
                except TimeoutError:
                    break
        finally:
            await self._people.look(lambda book: book.accounts.wanted_here.pop(ref, None))
        raise Denied(
            409,
            f"too little of line {ref} is free: the rest of it is lent to {', '.join(sorted(done))}",
            "It was asked back, and has not come. Connect that dock, or close the truck that needs it there; "
            "then say it again.",
        )

    @in_turn
    async def _admit(self, order: Admit) -> list[Written] | set[str]:
        """The entries of an admission; where too little is free, the docks that it is asked back from."""
        if order.quantity is not None:
            check_count(order.quantity)
        happened = await self._kept.moment(order.happened)
        permit, line = await self._people.look(lambda book: _line(book, order.document, order.line))
        _check_day(permit, await self._day(happened))
        named = [await self._suspended(one.load) for one in order.loads]
        was, shift, quantity = await self._floor(order, permit, line, named)
        deposits = await self._deposits(was, shift, quantity)
        body = Admitted(
            permit.number, line.line, permit.owner, line.product, line.status, line.unit, happened, order.by,
            order.note, was.owner, was.product, deposits, shift.off, shift.on,
        )  # fmt: skip
        becomes = Goods(permit.owner, line.product, line.status, quantity)
        lent: set[str] = set()
        beside = await self._kept.relabeled(shift, happened, order.by)

        def draft(book: CenterBook) -> list[Draft]:
            _check_undisputed(book, shift)
            if missing := _missing(book, body.ref, quantity):
                lent.update(_holders(book, body.ref, missing, quantity))
                book.accounts.wanted_here[body.ref] = quantity  # what comes back is lent to nobody meanwhile
                return [("recall", recall) for recall in _recalls(book, body.ref, missing)]
            assert book.head is not None, "a center's log has begun"
            told = in_answers(tuple(floor.moves(was, becomes, shift)))
            return [
                ("admitted", body),
                *beside,
                *(("holdings", Holdings(book.head.epoch, run)) for run in told),
            ]

        written = await self._people.act(draft)
        return lent or written

    @in_turn
    async def undo(self, order: UndoAdmission) -> list[Written]:
        """The goods are in suspense as they were deposited, and the line is used by so many less.

        Denied (404, 409) where there is no such admission, and where its goods have moved since.
        """
        happened = await self._kept.moment(order.happened)
        told = {stored.entry.entry_id: stored.body for stored in await self._kept.own_of_type("admitted")}
        if order.admitted not in told:
            raise Denied(
                404,
                f"no admission out of suspense {order.admitted[:40]!r} is recorded",
                "Take its entry from the story of its lot.",
            )
        gone = await self._kept.own_of_type("admission-undone")
        if any(stored.body.admitted == order.admitted for stored in gone):
            raise Denied(409, "this admission is undone already", "Nothing is to be done.")
        body = told[order.admitted]
        if happened < body.happened:
            raise Denied(409, "the goods were not admitted by then", "Say a later instant, or leave it out.")
        await self._check_on_loads(body)
        await self._check_in_stock(order.admitted, body)
        shift = Shift(body.unit, body.on, body.on)
        undone = AdmissionUndone(
            order.admitted, body.happened, body.document, body.line, body.owner, body.product, body.status,
            body.unit, body.quantity, happened, order.by, order.note, body.from_owner, body.from_product,
            body.off, body.on, await self._deposited_as(body),
        )  # fmt: skip
        was = Goods(body.owner, body.product, body.status, body.quantity)
        becomes = Goods(body.from_owner, body.from_product, Status.SUSPENSE, body.quantity)

        def draft(book: CenterBook) -> list[Draft]:
            _check_undisputed(book, shift)
            assert book.head is not None, "a center's log has begun"
            moves = in_answers(tuple(floor.moves(was, becomes, shift)))
            return [
                ("admission-undone", undone),
                *(("holdings", Holdings(book.head.epoch, run)) for run in moves),
            ]

        return await self._people.act(draft)

    @in_turn
    async def pick_up(self, order: FetchGoods) -> list[Written]:
        """Denied (404, 409, 422) where the goods may not be delivered so, or the line has not so much."""
        ruling = direct_delivery(
            approval=order.approval.strip() or None,
            operator_owns=order.owned,
            stable=order.stable,
            examined_first=order.examined,
        )
        if isinstance(ruling, Refused):
            raise Denied(422, f"these goods are not admitted at pick-up ({ruling.section})", ruling.words)
        happened = await self._kept.moment(order.happened)
        before = {
            row["lot"]: row["quantity"]
            for row in await self._kept.rows("ledger_picked_up", IN_TRANSIT + order.document)
        }

        day = await self._day(happened)

        def draft(book: CenterBook) -> list[Draft]:
            goods: list[Fetched] = []
            for one in order.goods:
                permit, line = _line(book, order.document, one.line, DIRECT)
                _check_day(permit, day)
                _check_fetched(one, line, before.get(f"{permit.number}/{line.line}", _ZERO), goods)
                goods.append(Fetched(line.line, line.product, line.status, one.quantity, line.unit))
            owner = book.permits[order.document].owner
            body = PickUp(
                order.document, owner, tuple(goods), order.approval.strip(), happened, order.by, order.note
            )
            return [("pick-up", body)]

        return await self._people.act(draft)

    @in_turn
    async def undo_pick_up(self, order: UndoFetch) -> list[Written]:
        """What has arrived under it was admitted as it arrived; what has not is not in the zone."""
        happened = await self._kept.moment(order.happened)
        told = {stored.entry.entry_id: stored.body for stored in await self._kept.own_of_type("pick-up")}
        if order.pick_up not in told:
            raise Denied(
                404, f"no pick-up {order.pick_up[:40]!r} is recorded", "Take its entry from the list."
            )
        if any(
            stored.body.pick_up == order.pick_up for stored in await self._kept.own_of_type("pick-up-undone")
        ):
            raise Denied(409, "this pick-up is undone already", "Nothing is to be done.")
        body = PickUpUndone(order.pick_up, told[order.pick_up].document, happened, order.by, order.note)
        return await self._people.act(lambda _: [("pick-up-undone", body)])

    async def _check_on_loads(self, body: Admitted) -> None:
        """What was admitted is on its loads still, as it was admitted."""
        there = await self._kept.floor_of([piece.key for piece in body.on])
        for piece in body.on:
            found = [
                load.quantity
                for load in there.get(piece.key, ())
                if (load.owner, load.gtin, load.status) == (body.owner, body.product, body.status)
            ]
            left = max(sum(found, _ZERO), _ZERO)
            if left < piece.quantity:
                raise Denied(
                    409,
                    f"{piece.quantity:f} were admitted on load {(piece.sscc or piece.key)[:60]}, and "
                    f"{left:f} of these goods are on it now: they have moved since",
                    "Undo first what moved them: at the door, or by the act that did. What has left the zone "
                    "was admitted; correct its papers instead.",
                )

    async def _check_in_stock(self, admitted: str, body: Admitted) -> None:
        """The books have so much of it in stock: of goods that stand for each other, or of the very lot where
        it is bound to that, by a pinned cut or by what took it under its name.
        """
        whose = (body.owner, body.product, body.status.value, STOCK)
        left = await self._kept.left(*whose, None)
        of_lot = await self._kept.left(*whose, str(body.ref))
        layers = await self._kept.rows("ledger_admitted_now", admitted)
        if not layers:
            raise Denied(409, "the books could not take this admission", "Look at the entries not read.")
        layer = layers[0]
        (cut,) = await self._kept.rows("ledger_cuts")
        pinned = cut["max"] is not None and layer["booked"] <= cut["max"]
        bound = layer["bound"] > of_lot - layer["left"]
        if left < body.quantity or (pinned and of_lot < body.quantity) or bound:
            what = f"lot {body.ref}" if left >= body.quantity else f"{body.product} of {body.owner}"
            much = of_lot if left >= body.quantity else left
            why = ", and a pinned cut contains where the rest went" if pinned else ""
            raise Denied(
                409,
                f"{much:f} of {what} are in stock in {body.status}, not the {body.quantity:f} that were "
                f"admitted: they have moved since{why}",
                "Undo first what took them: a status change, a work order, an accepted entry or a movement. "
                "What has left was admitted; correct its papers instead.",
            )

    async def _deposited_as(self, body: Admitted) -> tuple[str, ...]:
        """The lot in suspense that each load was deposited as."""
        lots = [one.lot for one in body.deposits]
        ids = [lot.removeprefix(_SUSPENSE) for lot in lots if lot.startswith(_SUSPENSE)]
        rows = await self._kept.rows("waiting_deposits", ids)
        of = {row["key"]: f"{_SUSPENSE}{row['entry_id']}" for row in reversed(rows)}
        return tuple(of.get(piece.key, lots[0]) for piece in body.off)

    async def _day(self, happened: datetime) -> date:
        return happened.astimezone(await self._kept.calendar()).date()

    async def _suspended(self, name: str) -> Holding:
        """The load in suspense that is meant."""
        there = [load for found in (await self._kept.floor_of([name])).values() for load in found]
        found = [load for load in there if load.status is Status.SUSPENSE and load.quantity > 0]
        if found:
            return found[0]
        if not any(load.quantity for load in there):
            raise Denied(409, f"no load {name[:60]!r} is in the zone", "Compare it with the label.")
        raise Denied(
            409,
            f"load {name[:60]} is in {there[0].status}, not in suspense",
            "It was admitted already. Look at its movements.",
        )

    async def _floor(
        self, order: Admit, permit: Permit, line: PermitLine, named: Sequence[Holding]
    ) -> tuple[Goods, Shift, Decimal]:
        """The goods as they were deposited, what becomes of their loads, and how many there are."""
        for load in named:
            _check_is(load, permit, line)
        owners = {(load.owner, load.gtin) for load in named}
        if len(owners) > 1:
            raise Denied(
                409, "the loads were deposited for several owners or products", "Say them in several acts."
            )
        owner, product = owners.pop() if owners else (permit.owner, line.product)
        parts = zip(order.loads, named, strict=True)
        quantity = order.quantity or sum(
            (load.quantity if one.quantity is None else one.quantity for one, load in parts), _ZERO
        )
        if not quantity:
            raise Denied(400, "it says neither loads nor a quantity", "Name the loads.")
        was = Goods(owner, product, Status.SUSPENSE, quantity)
        said = order.loads
        if not said:
            loads = [
                holding_of(row)
                for row in await self._kept.rows("loads_of_goods", owner, product, Status.SUSPENSE.value)
            ]
            for load in loads:
                _check_is(load, permit, line)
            left = await self._kept.left(owner, product, Status.SUSPENSE.value, STOCK, None)
            said = floor.unnamed(was, loads, max(left - sum((one.quantity for one in loads), _ZERO), _ZERO))
        names = [one.load for one in said] + [one.onto for one in said if one.onto is not None]
        becomes = Goods(permit.owner, line.product, line.status, quantity)
        there = {
            # A load that was admitted in part has its label for both until the rest is: only what is in
            # suspense of it is meant.
            key: [load for load in found if load.status is Status.SUSPENSE] or found
            for key, found in (await self._kept.floor_of(names)).items()
        }
        shift = floor.restatus(was, becomes, said, there)
        on_loads = sum((piece.quantity for piece in shift.off), _ZERO)
        if said and on_loads != quantity:
            raise Denied(
                409,
                f"the loads have {on_loads:f} of it, the act says {quantity:f}",
                "Correct the quantity, or leave it out.",
            )
        return was, shift, quantity

    async def _deposits(self, was: Goods, shift: Shift, quantity: Decimal) -> tuple[Deposited, ...]:
        """The lots in suspense that goods are of: of each load what its own deposit brought, and what that
        does not explain, counts having changed it, of the oldest others.
        """
        products = [was.product] if was.product else [piece.key for piece in shift.off]
        rows = await self._kept.rows("ledger_in_suspense", was.owner, products)
        left = [Decimal(plain(row["quantity"])) for row in rows]
        taken: dict[tuple[str, str], Decimal] = {}
        rest = quantity

        def take(at: int, wanted: Decimal) -> Decimal:
            much = min(wanted, left[at])
            if much > 0:
                left[at] -= much
                of = (rows[at]["product"], rows[at]["lot"])
                taken[of] = taken.get(of, _ZERO) + much
            return max(much, _ZERO)

        for piece in shift.off:
            wanted = piece.quantity
            for at, row in enumerate(rows):
                if row["key"] == piece.key:
                    wanted -= take(at, wanted)
            rest -= piece.quantity - wanted
        for at in sorted(range(len(rows)), key=lambda at: (rows[at]["key"] is not None, at)):
            rest -= take(at, rest)
        if rest:
            raise Denied(
                409,
                f"the books have {quantity - rest:f} of it in suspense, not {quantity:f}",
                "Look into the cases of these goods first: more left suspense than came.",
            )
        return tuple(Deposited(product, lot, much) for (product, lot), much in taken.items())


def _line(book: CenterBook, document: str, name: str, *kinds: str) -> tuple[Permit, PermitLine]:
    """The line of an admission paper by which goods come in, of one of these kinds where some are named."""
    permit = book.permits.get(document)
    if permit is None:
        raise Denied(404, f"no permit {document[:40]!r} is on file", "Import the 214 first.")
    if permit.kind not in (kinds or ADMITTING):
        raise Denied(
            422,
            f"{document} is of kind {permit.kind}, which does not admit these goods (19 CFR 146.32, 146.39)",
            f"Name a permit of kind {' or '.join(sorted(kinds or ADMITTING))}.",
        )
    line = next((one for one in permit.lines if one.line == name), None)
    if line is None or line.direction is not Direction.IN:
        lines = ", ".join(one.line for one in permit.lines if one.direction is Direction.IN) or "none"
        raise Denied(
            404, f"{document} has no line {name[:40]!r} for goods that come in", f"Its lines are {lines}."
        )
    if line.status is Status.SUSPENSE:
        raise Denied(409, f"line {document}/{name} names no zone status", "Import the permit with one.")
    return permit, line


def _check_day(permit: Permit, day: date) -> None:
    if not permit.valid_from <= day <= permit.valid_to:
        raise Denied(
            409,
            f"{permit.number} is valid from {permit.valid_from} to {permit.valid_to}, not on {day}",
            "Name a permit that is valid then, or import it with its extension.",
        )


def _check_is(load: Holding, permit: Permit, line: PermitLine) -> None:
    """What a deposit knew of goods is what their paper says."""
    name = load.sscc or load.key
    for what, came, expected in (
        ("owner", load.owner, permit.owner),
        ("product", load.gtin, line.product),
        ("unit", load.unit, line.unit),
    ):
        if came and came != expected:
            raise Denied(
                409,
                f"load {name[:60]} was deposited with the {what} {came[:80]!r}, line "
                f"{permit.number}/{line.line} is of {expected!r}",
                "Name the line that the goods are of, or have the deposit undone at its door and made again.",
            )


def _check_fetched(one: PickedUp, line: PermitLine, before: Decimal, goods: Sequence[Fetched]) -> None:
    check_count(one.quantity)
    if any(other.line == one.line for other in goods):
        raise Denied(409, f"line {one.line[:40]} is named twice", "Name each line once.")
    left = max(line.quantity - before, _ZERO)
    if one.quantity > left:
        raise Denied(
            409,
            f"line {line.line} is of {line.quantity:f} {line.unit}, of which {left:f} are not picked up yet, "
            f"not {one.quantity:f}",
            "Record the discrepancy on the paper (19 CFR 146.40(b)(1)), and import the permit as it is then.",
        )


def _check_undisputed(book: CenterBook, shift: Shift) -> None:
    disputed = {dispute.load for dispute in book.disputes.values()} & set(shift.keys)
    if disputed:
        step = "Decide the dispute about its last movement first."
        raise Denied(409, f"load {min(disputed)[:60]} is disputed", step)


def _missing(book: CenterBook, ref: LineRef, quantity: Decimal) -> Decimal:
    """What is not free of a line before so much more of it may be used; 0 where it is enough."""
    line = book.line(ref)
    assert line is not None, "it was looked up"
    return max(quantity - (line.quantity - book.charged(ref)), _ZERO)


def _lenders(book: CenterBook, ref: LineRef) -> list[tuple[str, Decimal]]:
    """Epochs that hold something of a line unused."""
    return [
        (epoch, account.idle)
        for epoch, account in book.accounts.open_accounts(ref)
        if epoch in book.epochs and account.idle > 0
    ]


def _holders(book: CenterBook, ref: LineRef, missing: Decimal, quantity: Decimal) -> set[str]:
    """The docks that hold what is missing of a line; Denied where all of them together do not."""
    lent = _lenders(book, ref)
    if missing <= sum((idle for _, idle in lent), _ZERO):
        return {book.epochs[epoch].node for epoch, _ in lent}
    line = book.line(ref)
    assert line is not None, "it was looked up"
    left = max(line.quantity - book.accounts.used(ref), _ZERO)
    raise Denied(
        409,
        f"line {ref} is of {line.quantity:f} {line.unit}, of which {left:f} are left, not {quantity:f}",
        "Admit as many as the line allows, a part of a load on a label of its own; the rest stays in "
        "suspense until a paper covers it (19 CFR 146.22(b), 146.37(c)).",
    )


def _recalls(book: CenterBook, ref: LineRef, missing: Decimal) -> Iterator[Recall]:
    """What is asked back of docks, beside what was asked before and has not come."""
    for epoch, idle in _lenders(book, ref):
        if book.keeps(ref, epoch):
            continue
        coming = min(book.recalled.get((ref, epoch), _ZERO), idle)
        missing -= coming
        more = min(missing, idle - coming)
        if more > 0:
            missing -= more
            yield Recall(ref.permit, ref.line, book.epochs[epoch].node, epoch, more)
