# SPDX-License-Identifier: Apache-2.0
"""Work orders: planned, started, reported, closed; what each step needs, and what it writes.

A step that may not be done is refused with all its reasons. Pure: goods, papers and days come in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import msgspec

from customs.documents import Status
from customs.fields import QUANTITY_DECIMALS_MAX, QUANTITY_MAX
from customs.units import is_counted
from customs.us.matrix import Leaving, may_work
from customs.us.rulings import Refused
from customs.us.statuses import Cause, waste_status
from customs.works.boms import Bom, NoBom, needs, version_on
from customs.works.events import (
    CLOSED,
    CORRECTED,
    PLANNED,
    REPORTED,
    STARTED,
    CloseOrder,
    Correct,
    Issue,
    Made,
    MadeSaid,
    OrderEvent,
    Piece,
    Plan,
    Report,
    Scrapped,
    ScrapSaid,
    Start,
    Take,
    Variance,
    load_key,
)
from customs.works.given import Goods, OrderRefused, Papers
from customs.works.permits import Activity

ZERO: Final = Decimal(0)


@dataclass(slots=True)
class Order:
    """A work order as its events have it. `reported` is the report as it was corrected last, `first_report`
    as it was told; `report_id` is the entry that says what was made now.
    """

    planned: OrderEvent
    started: OrderEvent | None = None
    reported: OrderEvent | None = None
    closed: OrderEvent | None = None
    first_report: OrderEvent | None = None
    corrections: list[OrderEvent] = field(default_factory=list)
    report_id: str = ""

    @property
    def state(self) -> str:
        """planned, started, reported or closed."""
        steps = ((self.closed, CLOSED), (self.reported, REPORTED), (self.started, STARTED))
        return next((name for event, name in steps if event is not None), PLANNED)

    @property
    def last(self) -> OrderEvent:
        """The step that was told last."""
        return self.closed or self.reported or self.started or self.planned

    @property
    def bom(self) -> Bom:
        """The bill that the order was started with: a later version changes nothing."""
        assert self.started is not None and self.started.bom is not None, "a started order has a bill"
        return self.started.bom

    def issues(self) -> tuple[Issue, ...]:
        """All that went to it."""
        events = (self.started, self.reported)
        return tuple(issue for event in events if event is not None for issue in event.issues)


def fold(orders: dict[str, Order], event: OrderEvent, entry_id: str) -> None:
    """Take the next event of the log, which that entry tells, into `orders`."""
    order = orders.get(event.order)
    if order is None:
        orders[event.order] = Order(event)
    elif event.event == STARTED:
        order.started = event
    elif event.event == REPORTED:
        order.reported = order.first_report = event
        order.report_id = entry_id
    elif event.event == CORRECTED and order.reported is not None:
        order.reported = _corrected(order.reported, event)
        order.corrections.append(event)
        order.report_id = entry_id
    elif event.event == CLOSED:
        order.closed = event


# -- the steps -------------------------------------------------------------------------------------


def plan(orders: Mapping[str, Order], said: Plan, papers: Papers, at: datetime) -> OrderEvent:
    """A new order; `at` is the instant of the step, here and in what follows. Raises OrderRefused."""
    reasons = []
    if said.order in orders:
        reasons.append(f"order {said.order} is there already, {orders[said.order].state}")
    unit = papers.units.get(said.product, "")
    if not unit:
        reasons.append(f"no product {said.product[:14]!r} is on file")
    reasons += _no_quantity("the order", said.quantity, unit)
    try:
        version_on(papers.boms, said.product, said.on)
    except NoBom as error:
        reasons.append(str(error))
    _refuse(reasons, "Correct the order; import products and bills of material first.")
    return OrderEvent(
        said.order,
        PLANNED,
        said.owner,
        said.on,
        at,
        said.by,
        said.note,
        product=said.product,
        quantity=said.quantity,
        unit=unit,
    )


def start(order: Order, said: Start, papers: Papers, goods: Mapping[str, Goods], at: datetime) -> OrderEvent:
    """Goods go to an order. `goods` are loads in the zone by their keys.

    Refused without an active permit for manufacture (19 CFR 146.52(a)) and a production authority that names
    the product and each foreign input (15 CFR 400.14). Raises OrderRefused.
    """
    _in_state(order, PLANNED, "start", at)
    plan_ = order.planned
    try:
        bom = version_on(papers.boms, plan_.product, said.on)
    except NoBom as error:
        raise OrderRefused([str(error)], error.next_step) from error
    issues, reasons = _issues(plan_.owner, bom, said.takes, goods, papers)
    reasons = [
        *_permit_faults(papers, said.permit, plan_.owner, said.on),
        *_authority_faults(papers, said.authority, order, said.on, issues),
        *reasons,
    ]
    _refuse(reasons, "Nothing was taken. Correct the order, or bring the papers first.")
    return OrderEvent(
        said.order,
        STARTED,
        plan_.owner,
        said.on,
        at,
        said.by,
        said.note,
        bom=bom,
        permit=said.permit,
        authority=said.authority,
        issues=issues,
    )


def report(
    order: Order, said: Report, papers: Papers, goods: Mapping[str, Goods], at: datetime
) -> OrderEvent:
    """What came of an order: every unit issued is in the product, scrap, waste, or went back. `goods` as in
    `start`. Raises OrderRefused.
    """
    _in_state(order, STARTED, "report", at)
    assert order.started is not None, "its state says so"
    owner, bom = order.planned.owner, order.bom
    if said.on < order.started.on:
        raise OrderRefused([f"it was started on {order.started.on}"], "Correct the day of the report.")
    issues, reasons = _issues(owner, bom, said.takes, goods, papers)
    if said.takes:
        reasons += _permit_faults(papers, order.started.permit, owner, said.on)
        reasons += _authority_faults(papers, order.started.authority, order, said.on, issues)
    every = (*order.issues(), *issues)
    returned, wrong = _returns(every, said.returned)
    made, more = _made(order, bom, said.made, papers, every)
    scrap, worse = _scrapped(order, said.scrap, papers, every)
    reasons += [*wrong, *more, *worse]
    reasons += [fault for row in said.waste for fault in _no_quantity(f"waste of {row.input}", row.quantity)]
    _refuse(reasons, "Nothing was reported. Correct what is said.")
    event = OrderEvent(
        said.order,
        REPORTED,
        owner,
        said.on,
        at,
        said.by,
        said.note,
        issues=issues,
        returned=returned,
        made=made,
        scrap=scrap,
        waste=said.waste,
    )
    good = sum((one.quantity for one in made if one.product == order.planned.product), ZERO)
    variances, short = _variances(bom, good, every, event, papers)
    _refuse(short, "What was issued is what was used, scrapped, lost or brought back; correct one of them.")
    return msgspec.structs.replace(event, variances=variances)


def correct(
    order: Order, said: Correct, papers: Papers, goods: Mapping[str, Goods], at: datetime
) -> OrderEvent:
    """Put a report right: all that was made, its scrap and its waste, said anew. What was issued and what
    went back stays. Refused where goods have left beyond what would be left of them. Raises OrderRefused.
    """
    before = order.reported
    if before is None:
        raise OrderRefused([f"order {order.planned.order} is {order.state}"], "Report it first.")
    last = max(one.corrected or one.happened for one in (order.last, *order.corrections))
    if at <= last:
        raise _set_back(at, last)
    every = order.issues()
    made, reasons = _made(order, order.bom, said.made, papers, every)
    scrap, more = _scrapped(order, said.scrap, papers, every)
    reasons += more
    reasons += [fault for row in said.waste for fault in _no_quantity(f"waste of {row.input}", row.quantity)]
    event = OrderEvent(
        said.order,
        CORRECTED,
        before.owner,
        said.on,
        before.happened,
        said.by,
        said.note,
        made=made,
        scrap=scrap,
        waste=said.waste,
        corrects=order.report_id,
        corrected=at,
    )
    off, on_loads, gone = _shifted(before, event, papers, goods)
    _refuse([*reasons, *gone], "Nothing was corrected. Correct what is said.")
    good = _sum(one.quantity for one in made if one.product == order.planned.product)
    variances, short = _variances(order.bom, good, every, _corrected(before, event), papers)
    _refuse(short, "What was issued is what was used, scrapped, lost or brought back; correct one of them.")
    return msgspec.structs.replace(event, variances=variances, off=off, on_loads=on_loads)


def close(order: Order, said: CloseOrder, at: datetime) -> OrderEvent:
    """End an order. Raises OrderRefused."""
    _in_state(order, REPORTED, "close", at)
    return OrderEvent(said.order, CLOSED, order.planned.owner, said.on, at, said.by, said.note)


def made_status(statuses: Iterable[Status]) -> Status:
    """The status in which a product stands in the zone that was made of goods in these: the strictest. What
    contains privileged goods may not be entered for warehouse (19 CFR 146.64(a)), so it stands as privileged;
    what it owes follows its content, each part by its own status.
    """
    found = set(statuses)
    return next((status for status in (Status.PF, Status.NPF) if status in found), Status.DOMESTIC)


def made_lot(order: str, place: int = 0) -> str:
    """The zone lot number of what an order made: the product, then co-products."""
    return f"WO-{order}" if place == 0 else f"WO-{order}-C{place}"


def scrap_lot(order: str, place: int = 0) -> str:
    """The zone lot number of an order's scrap, row by row."""
    return f"WO-{order}-S" if place == 0 else f"WO-{order}-S{place + 1}"


# -- the checks ------------------------------------------------------------------------------------


def _in_state(order: Order, state: str, act: str, at: datetime) -> None:
    if order.state != state:
        raise OrderRefused(
            [f"order {order.planned.order} is {order.state}: only one that is {state} can be told to {act}"],
            "Look at the order.",
        )
    last = order.last.happened
    if at <= last:
        raise _set_back(at, last)


def _set_back(at: datetime, last: datetime) -> OrderRefused:
    return OrderRefused(
        [f"the clock says {at:%Y-%m-%d %H:%M:%S}, the step before was at {last:%Y-%m-%d %H:%M:%S} (UTC)"],
        "The clock was set back; set it right, then tell the step again.",
    )


def _refuse(reasons: Sequence[str], next_step: str) -> None:
    if reasons:
        raise OrderRefused(reasons, next_step)


def _no_quantity(what: str, quantity: Decimal, unit: str = "") -> list[str]:
    exponent = quantity.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -QUANTITY_DECIMALS_MAX or not 0 < quantity <= QUANTITY_MAX:
        return [f"{what} says {str(quantity)[:20]}, which is no quantity of goods"]
    if is_counted(unit) and quantity != quantity.to_integral_value():
        return [f"{what} says {quantity} {unit}, and those are counted whole"]
    return []


def _permit_faults(papers: Papers, number: str, owner: str, day: date) -> list[str]:
    permit = papers.permits.get(number)
    if permit is None:
        return [f"no permit {number[:40]!r} for an activity (form 216) is on file for {day}"]
    return list(permit.faults(Activity.MANUFACTURE, owner, papers.zone, day))


def _authority_faults(
    papers: Papers, number: str, order: Order, day: date, issues: Sequence[Issue]
) -> list[str]:
    """Whether a production authority names the product and each foreign input, by heading of six digits."""
    authority = papers.authorities.get(number)
    if authority is None:
        return [f"no production authority {number[:40]!r} is on file for {day}"]
    product = order.planned.product
    reasons = list(authority.faults(order.planned.owner, papers.zone, day))
    hts = papers.tariff.get(product)
    if hts is None:
        reasons.append(f"the tariff number of {product} is not on file for {day}")
    elif not authority.covers_product(hts):
        reasons.append(f"authority {number} does not name the product {product}, heading {hts[:6]}")
    for gtin in sorted({issue.product for issue in issues if issue.status is not Status.DOMESTIC}):
        hts = papers.tariff.get(gtin)
        if hts is None:
            reasons.append(f"the tariff number of {gtin} is not on file for {day}")
        elif not authority.covers_material(hts):
            reasons.append(f"authority {number} does not name the foreign input {gtin}, heading {hts[:6]}")
    return reasons


def _issues(
    owner: str, bom: Bom, takes: Sequence[Take], goods: Mapping[str, Goods], papers: Papers
) -> tuple[tuple[Issue, ...], list[str]]:
    """What is taken, by product and status; and why it may not be."""
    inputs = {row.gtin for row in bom.inputs}
    pieces: dict[tuple[str, Status, str, str], list[Piece]] = {}
    left: dict[str, Decimal] = {}
    reasons: list[str] = []
    for take in takes:
        load = goods.get(load_key(take.load))
        if load is None:
            reasons.append(f"no load {take.load[:60]!r} is in the zone")
            continue
        wrong = _no_quantity(f"load {take.load}", take.quantity, load.unit) or [
            *_not_for(owner, inputs, bom, take, load),
            *_not_of_lot(take, load),
        ]
        rest = left.get(load.key, load.quantity)
        if not wrong and take.quantity > rest:
            wrong.append(f"load {take.load} has {rest} {load.unit}, {take.quantity} are asked for")
        reasons += wrong
        if not wrong:
            left[load.key] = rest - take.quantity
            piece = Piece(load.key, take.quantity, load.sscc, load.lot)
            lot = (take.lot or load.zone_lot) if load.by_lot else ""
            pieces.setdefault((load.gtin, load.status, load.unit, lot), []).append(piece)
    issues = tuple(
        Issue(gtin, status, _sum(piece.quantity for piece in of), unit, tuple(of), lot)
        for (gtin, status, unit, lot), of in sorted(pieces.items())
    )
    return issues, [*reasons, *_not_there(issues, papers)]


def _not_there(issues: Sequence[Issue], papers: Papers) -> Iterable[str]:
    """Where the books have less than is taken, of goods in a status or of a lot."""
    for product, status, unit in {(issue.product, issue.status, issue.unit): None for issue in issues}:
        asked = _sum(one.quantity for one in issues if (one.product, one.status) == (product, status))
        free = papers.stock.get((product, status), asked)
        if asked > free:
            yield (
                f"{free} {unit} of {product} in {status} may be worked on by the books, {asked} are asked "
                "for: the rest is entered (19 CFR 146.61) or was never admitted"
            )
    for issue in issues:
        there = papers.lots.get((issue.lot, issue.product), ZERO)
        if issue.lot and issue.quantity > there:
            yield (
                f"{there} {issue.unit} of {issue.product} are in stock of lot {issue.lot}, {issue.quantity} "
                "are asked for"
            )


def _not_of_lot(take: Take, load: Goods) -> Iterable[str]:
    """Why goods of a load are of no lot that they must be of, or of one that they need not be."""
    if take.lot and not load.by_lot:
        yield (
            f"load {take.load}: its goods go in line, first in first out, so no lot is named (19 CFR "
            "146.23(a)(2))"
        )
    if load.by_lot and not (take.lot or load.zone_lot):
        yield f"nobody knows of which zone lot load {take.load} is: name it"


def _not_for(owner: str, inputs: set[str], bom: Bom, take: Take, load: Goods) -> Iterable[str]:
    if load.owner != owner:
        yield f"load {take.load} is {load.owner}'s, the order is {owner}'s"
    if load.gtin not in inputs:
        yield f"load {take.load} is {load.gtin}, which version {bom.version} of the bill does not name"
    ruling = may_work(Leaving(load.status, constructive=load.constructive), Activity.MANUFACTURE)
    if isinstance(ruling, Refused):
        yield f"load {take.load}: {ruling.words} ({ruling.section})"
    if load.held is not None:
        yield f"load {take.load} may not be worked on: {load.held}"


def _returns(every: Sequence[Issue], said: Sequence[Take]) -> tuple[tuple[Issue, ...], list[str]]:
    """What goes back to the loads that it came of."""
    issued: dict[str, tuple[Issue, Piece]] = {}
    left: dict[str, Decimal] = {}
    lots: dict[str, dict[str, Decimal]] = {}
    for issue in every:
        for piece in issue.loads:
            left[piece.key] = left.get(piece.key, ZERO) + piece.quantity
            issued[piece.key] = (issue, piece)
            of = lots.setdefault(piece.key, {})
            of[issue.lot] = of.get(issue.lot, ZERO) + piece.quantity
    found: dict[tuple[str, Status, str, str], list[Piece]] = {}
    reasons = []
    for take in said:
        key = load_key(take.load)
        if key not in issued:
            reasons.append(f"nothing of load {take.load[:60]!r} went to the order")
            continue
        issue, piece = issued[key]
        wrong = _no_quantity(f"what goes back to {take.load}", take.quantity, issue.unit)
        if not wrong and take.quantity > left[piece.key]:
            wrong.append(f"{left[piece.key]} of load {take.load} went to the order, not {take.quantity}")
        of = lots[piece.key]
        lot = take.lot if take.lot or len(of) > 1 else next(iter(of))
        if not wrong and take.quantity > of.get(lot, ZERO):
            named = ", ".join(f"{quantity} of lot {name}" for name, quantity in of.items())
            wrong.append(f"of load {take.load} went to the order {named}: name the lot that goes back")
        reasons += wrong
        if not wrong:
            left[piece.key] -= take.quantity
            of[lot] -= take.quantity
            back = msgspec.structs.replace(piece, quantity=take.quantity)
            found.setdefault((issue.product, issue.status, issue.unit, lot), []).append(back)
    return (
        tuple(
            Issue(gtin, status, _sum(piece.quantity for piece in of), unit, tuple(of), lot)
            for (gtin, status, unit, lot), of in sorted(found.items())
        ),
        reasons,
    )


def _made(
    order: Order, bom: Bom, said: Sequence[MadeSaid], papers: Papers, every: Sequence[Issue]
) -> tuple[tuple[Made, ...], list[str]]:
    """The lots that were made, the product's own first."""
    products = [order.planned.product, *(row.gtin for row in bom.coproducts)]
    status = made_status(issue.status for issue in every)
    reasons: list[str] = []
    loads: dict[str, list[Piece]] = {}
    seen: set[str] = set()
    for one in said:
        product = one.product or order.planned.product
        if product not in products:
            reasons.append(f"{product[:14]} is neither the product nor a co-product of this bill")
        if one.load in seen:
            reasons.append(f"load {one.load[:60]} is said twice")
        seen.add(one.load)
        reasons += _no_quantity(f"load {one.load}", one.quantity, papers.units.get(product, ""))
        loads.setdefault(product, []).append(_piece(one.load, one.quantity))
    return (
        tuple(
            Made(
                made_lot(order.planned.order, place),
                product,
                status,
                sum((piece.quantity for piece in loads[product]), ZERO),
                papers.units.get(product, ""),
                tuple(loads[product]),
            )
            for place, product in enumerate(products)
            if product in loads
        ),
        reasons,
    )


def _scrapped(
    order: Order, said: Sequence[ScrapSaid], papers: Papers, every: Sequence[Issue]
) -> tuple[tuple[Scrapped, ...], list[str]]:
    found, reasons = [], []
    for place, row in enumerate(said):
        statuses = {issue.status for issue in every if issue.product == row.input}
        cause = Cause.MANUFACTURE if row.recovered else Cause.CASUALTY
        turned = {waste_status(status, cause) for status in statuses}
        unit = papers.units.get(row.product, "")
        if not unit:
            reasons.append(f"no product {row.product[:14]!r} is on file for the scrap of {row.input[:14]}")
        if len(turned - {Status.DOMESTIC}) > 1 and not row.recovered:
            reasons.append(f"{row.input} went to the order in several statuses; count this casualty by lot")
        if not row.value.is_finite() or not 0 <= row.value <= QUANTITY_MAX:
            reasons.append(f"scrap of {row.input} says a value of {str(row.value)[:20]}")
        reasons += _no_quantity(f"scrap of {row.input}", row.taken)
        reasons += _no_quantity(f"scrap {row.product}", row.quantity, unit)
        lot = scrap_lot(order.planned.order, place)
        pieces = (_piece(row.load, row.quantity),)
        made = Made(lot, row.product, made_status(turned), row.quantity, unit, pieces)
        found.append(Scrapped(row.input, row.taken, made, row.value, row.recovered))
    return tuple(found), reasons


def _piece(load: str, quantity: Decimal) -> Piece:
    """A load that is made."""
    key = load_key(load)
    return Piece(key, quantity, load if key != load else None)


def _variances(
    bom: Bom, good: Decimal, every: Sequence[Issue], event: OrderEvent, papers: Papers
) -> tuple[tuple[Variance, ...], list[str]]:
    """Each input beside its bill, in its own unit; and where the order does not add up."""
    named = {*(row.input for row in event.scrap), *(row.input for row in event.waste)}
    strange = sorted(named - {row.gtin for row in bom.inputs})
    reasons = [f"{gtin[:14]} is no input of this bill" for gtin in strange]
    found = []
    for gtin, expected, unit, _ in needs(bom, good, papers.units):
        issued = _sum(issue.quantity for issue in every if issue.product == gtin)
        back = _sum(issue.quantity for issue in event.returned if issue.product == gtin)
        lost = _sum(one.taken for one in event.scrap if one.input == gtin)
        lost += _sum(one.quantity for one in event.waste if one.input == gtin)
        rest = issued - back - lost
        if rest < 0:
            reasons.append(f"{issued} {unit} of {gtin} were issued, {back + lost} are said of it")
        elif good and not rest:
            reasons.append(f"nothing of {gtin} is in what was made")
        elif rest and not event.made:
            reasons.append(f"{rest} {unit} of {gtin} are in nothing: nothing was made")
        found.append(Variance(gtin, unit, expected, issued - back, max(rest, ZERO)))
    return tuple(found), reasons


def made_in_all(event: OrderEvent) -> tuple[Made, ...]:
    """Every lot that a report says was made, scrap among them."""
    return (*event.made, *(row.made for row in event.scrap))


def _corrected(before: OrderEvent, event: OrderEvent) -> OrderEvent:
    """A report as a correction has it."""
    return msgspec.structs.replace(
        before, made=event.made, scrap=event.scrap, waste=event.waste, variances=event.variances
    )


def _shifted(
    before: OrderEvent, event: OrderEvent, papers: Papers, goods: Mapping[str, Goods]
) -> tuple[tuple[Made, ...], tuple[Made, ...], list[str]]:
    """What loads have less and more by a correction; and what of it has left already."""
    reasons = []
    lots: dict[tuple[str, str, Status, str], Decimal] = {}
    loads: dict[tuple[str, str, Status, str], dict[str, tuple[Piece, Decimal]]] = {}
    for sign, report in ((-1, before), (1, event)):
        for made in made_in_all(report):
            lot = (made.lot, made.product, made.status, made.unit)
            lots[lot] = lots.get(lot, ZERO) + sign * made.quantity
            pieces = loads.setdefault(lot, {})
            for piece in made.loads:
                was = pieces.get(piece.key, (piece, ZERO))[1]
                pieces[piece.key] = (piece, was + sign * piece.quantity)
    found: dict[bool, list[Made]] = {False: [], True: []}
    for lot, change in lots.items():
        name, product, status, unit = lot
        left = papers.lots.get((name, product), ZERO)
        if left < -change:
            reasons.append(f"{left} {unit} of lot {name} are in stock, the correction takes off {-change}")
        for piece, more in loads[lot].values():
            load = goods.get(piece.key)
            there = load.quantity if load and (load.gtin, load.status) == (product, status) else ZERO
            if there < -more:
                reasons.append(f"load {piece.key} has {there} {unit}, the correction takes off {-more}")
            if more:
                one = msgspec.structs.replace(piece, quantity=abs(more))
                found[more > 0].append(Made(name, product, status, one.quantity, unit, (one,)))
    return tuple(found[False]), tuple(found[True]), reasons


def _sum(quantities: Iterable[Decimal]) -> Decimal:
    return sum(quantities, ZERO)
