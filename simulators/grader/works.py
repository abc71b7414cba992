# SPDX-License-Identifier: Apache-2.0
"""What was made: the center's log of work orders and its ledger against what was physically done.

The bill of the pump stands here once more, and the sums are the grader's own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from simulators.grader.evidence import Center, Truth
from simulators.grader.findings import DUPLICATE, LOST, WRONG, Finding

PUMP: Final = "09521999001041"
SCRAP: Final = "09521999001089"
HOUSING: Final = "09521999001034"
PER_PUMP: Final = {
    "09521999001010": Decimal(1),
    "09521999001027": Decimal(2),
    HOUSING: Decimal("1.02"),
    "09521999001072": Decimal(1),
}
"""What a pump takes: a motor, two bearings, 1.02 housings, a kit."""

SCRAP_PER_PUMP: Final = Decimal("0.02")

Made = dict[str, Any]
"""An order of the truth file, a step of it in the log, or a part of one."""

_ZERO: Final = Decimal(0)


def made_figures(center: Center) -> dict[str, Any]:
    """How many orders were closed, the pumps and scrapped housings that were made, and what was consumed by
    GTIN, all by the center's log.
    """
    told = _told(center)
    total: dict[str, Decimal] = defaultdict(Decimal)
    for steps in told.values():
        for step in steps.values():
            for gtin, quantity in _net(step):
                total[gtin] += quantity
    return {
        "orders": sum("closed" in steps for steps in told.values()),
        "made": int(total[PUMP]),
        "scrap": int(total[SCRAP]),
        "consumed": {gtin: f"{-total[gtin]:f}" for gtin in PER_PUMP},
    }


def works_findings(truth: Truth, center: Center) -> Iterable[Finding]:
    """Where the record of what was made differs from what was done."""
    told = _told(center)
    for order in truth.orders:
        steps = told.pop(order["order"], {})
        about = f"order {order['order']}"
        missing = [name for name in ("planned", "started", "reported", "closed") if name not in steps]
        for name in missing:
            yield Finding(LOST, about, f"{about}: the center's log has no step {name}")
        if not missing:
            yield from _differences(order, steps, about)
    for name in told:
        yield Finding(WRONG, f"order {name}", f"the center's log has order {name}, which nobody worked on")
    yield from _twice(center)
    yield from _sums(truth, center)
    yield from _ledger(truth, center)


def floor_of(truth: Truth) -> defaultdict[tuple[str, str, str], Decimal]:
    """What the orders took off loads and put on loads, by (load, owner, status)."""
    floor: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for order in truth.orders:
        for name, sign in (("took", -1), ("made", 1), ("scrap", 1)):
            for piece in order[name]:
                place = (piece["load"], piece["owner"], piece["status"])
                floor[place] += sign * Decimal(piece["quantity"])
    return floor


def _told(center: Center) -> dict[str, dict[str, Made]]:
    """The steps of each order in the center's own log, by order and event."""
    told: dict[str, dict[str, Made]] = defaultdict(dict)
    for row in center.own:
        if row.type == "order":
            body = row.read().get("body", {})
            told[str(body.get("order"))][str(body.get("event"))] = body
    return told


def _twice(center: Center) -> Iterable[Finding]:
    seen = set()
    for row in center.own:
        if row.type == "order":
            body = row.read().get("body", {})
            step = (body.get("order"), body.get("event"))
            if step in seen:
                yield Finding(DUPLICATE, f"order {step[0]}", f"order {step[0]} is {step[1]} a second time")
            seen.add(step)


def _net(step: Made) -> Iterable[tuple[str, Decimal]]:
    """Goods that a step consumed (below zero) or made, by GTIN."""
    for issue in step.get("issues", ()):
        yield issue["product"], -Decimal(issue["quantity"])
    for issue in step.get("returned", ()):
        yield issue["product"], Decimal(issue["quantity"])
    for made in _lots(step):
        yield made["product"], Decimal(made["quantity"])


def _lots(step: Made) -> list[Made]:
    return [*step.get("made", ()), *(scrap["made"] for scrap in step.get("scrap", ()))]


def _differences(order: Made, steps: dict[str, Made], about: str) -> Iterable[Finding]:
    """One order's loads: each by SSCC, owner, status and quantity."""
    came: dict[str, dict[tuple[str, ...], Decimal]] = {"took": {}, "made": {}, "scrap": {}}

    def add(name: str, goods: Made) -> None:
        for piece in goods["loads"]:
            place = (piece["sscc"], goods["product"], goods["status"])
            came[name][place] = came[name].get(place, _ZERO) + Decimal(piece["quantity"])

    for step in steps.values():
        for issue in step.get("issues", ()):
            add("took", issue)
        for made in step.get("made", ()):
            add("made", made)
        for scrap in step.get("scrap", ()):
            add("scrap", scrap["made"])
    for name, found in came.items():
        done: dict[tuple[str, ...], Decimal] = {
            (piece["load"], piece["gtin"], piece["status"]): Decimal(piece["quantity"])
            for piece in order[name]
        }
        for place in sorted(done.keys() | found.keys()):
            if done.get(place) != found.get(place):
                text = f"{about}, {name} {' '.join(place)}: {done.get(place, 0)} were, "
                yield Finding(WRONG, about, f"{text}the center's log says {found.get(place, 0)}")


def _sums(truth: Truth, center: Center) -> Iterable[Finding]:
    """The arithmetic of the bill: so many pumps take so much, and leave so much scrap."""
    pumps = Decimal(sum(order["pumps"] for order in truth.orders))
    wanted = {gtin: -pumps * per for gtin, per in PER_PUMP.items()}
    wanted |= {PUMP: pumps, SCRAP: pumps * SCRAP_PER_PUMP}
    found: dict[str, Decimal] = defaultdict(Decimal)
    for steps in _told(center).values():
        for step in steps.values():
            for gtin, quantity in _net(step):
                found[gtin] += quantity
    for gtin in sorted(wanted.keys() | found.keys()):
        if wanted.get(gtin, _ZERO) != found[gtin]:
            text = f"{gtin}: {wanted.get(gtin, 0)} by the bill of {pumps} pumps, the orders say {found[gtin]}"
            yield Finding(WRONG, f"product {gtin}", text)


def _ledger(truth: Truth, center: Center) -> Iterable[Finding]:
    """The ledger's lots: what an order made stands there, and nothing is left in work."""
    for (account, lot), quantity in sorted(center.postings.items()):
        if account.startswith("wip:") and quantity:
            yield Finding(WRONG, f"lot {lot}", f"{quantity} of lot {lot} are still on {account}")
        if account == "overdrawn" and quantity:
            yield Finding(WRONG, f"lot {lot}", f"the ledger is overdrawn by {-quantity} of lot {lot}")
    made = {lot: -quantity for (account, lot), quantity in center.postings.items() if account == "made"}
    wanted = {f"WO-{order['order']}": Decimal(order["pumps"]) for order in truth.orders}
    wanted |= {
        f"WO-{order['order']}-S": sum((Decimal(piece["quantity"]) for piece in order["scrap"]), _ZERO)
        for order in truth.orders
    }
    for lot in sorted(wanted.keys() | made.keys()):
        if wanted.get(lot, _ZERO) != made.get(lot, _ZERO):
            text = f"lot {lot}: {wanted.get(lot, 0)} were made, the ledger says {made.get(lot, 0)}"
            yield Finding(WRONG, f"lot {lot}", text)
