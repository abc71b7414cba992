# SPDX-License-Identifier: Apache-2.0
"""What is made in the yard's zone: pumps, of pallets that came, onto pallets that leave.

Cuts the pallets of a truck into work orders by the pump's bill, which is written down here once more and
not taken from the service. Knows no door and no label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from simulators.yard.papers import BEARING, HOUSING, KIT, MOTOR, PUMP, SCRAP, Item, Pallet

ORDER_PUMPS: Final = 50
"""Pumps of one order: of 25 no whole number of housings goes in."""

TAKEN: Final[dict[Item, int]] = {MOTOR: 50, BEARING: 100, HOUSING: 51, KIT: 50}
"""What one order takes: of each pump a motor, two bearings, 1.02 housings and a kit."""

SCRAPPED: Final = 1
"""Housings of an order that become scrap."""

SCRAP_DOLLARS: Final = "1.00"
"""What a scrapped housing is sold for."""


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """One order on a day: what it takes of which pallets, the pallets it makes, the bin of its scrap."""

    name: str
    day: str
    permit: str
    authority: str
    takes: tuple[tuple[Pallet, int], ...]
    made: tuple[Pallet, ...]
    bin: Pallet

    def requests(self) -> list[dict[str, Any]]:
        """What is told to the center, step by step, as its documented interface takes it."""
        said: dict[str, Any] = {"order": self.name, "on": self.day, "by": "planner"}
        pumps = sum(pallet.quantity for pallet in self.made)
        plan: dict[str, Any] = {"owner": PUMP.owner, "product": PUMP.gtin, "quantity": str(pumps)}
        takes = [{"load": pallet.sscc, "quantity": str(quantity)} for pallet, quantity in self.takes]
        start: dict[str, Any] = {"permit": self.permit, "authority": self.authority, "takes": takes}
        scrap = {
            "input": HOUSING.gtin,
            "taken": str(SCRAPPED),
            "product": SCRAP.gtin,
            "quantity": str(SCRAPPED),
            "value": SCRAP_DOLLARS,
            "load": self.bin.sscc,
        }
        made = [{"load": pallet.sscc, "quantity": str(pallet.quantity)} for pallet in self.made]
        report: dict[str, Any] = {"made": made, "scrap": [scrap]}
        steps: dict[str, dict[str, Any]] = {"plan": plan, "start": start, "report": report, "close": {}}
        return [{"step": step, "says": said | more} for step, more in steps.items()]

    def truth(self) -> dict[str, Any]:
        """What was physically done: pieces taken off loads and put on loads, by SSCC, owner and status."""
        return {
            "order": self.name,
            "pumps": sum(pallet.quantity for pallet in self.made),
            "took": [_piece(pallet, quantity) for pallet, quantity in self.takes],
            "made": [_piece(pallet, pallet.quantity) for pallet in self.made],
            "scrap": [_piece(self.bin, SCRAPPED)],
        }


def cut(
    week: str, day: str, parts: Sequence[Pallet], pumps: Sequence[Pallet], scrap: Pallet
) -> tuple[WorkOrder, ...]:
    """The orders that make all `pumps` of `parts`, whose pallets are used up one after the other."""
    left = {item: [(pallet, pallet.quantity) for pallet in parts if pallet.item is item] for item in TAKEN}
    per_order = ORDER_PUMPS // PUMP.per_pallet
    orders = []
    for number, first in enumerate(range(0, len(pumps), per_order), start=1):
        takes: list[tuple[Pallet, int]] = []
        for item, wanted in TAKEN.items():
            takes += _take(left[item], wanted)
        made = tuple(pumps[first : first + per_order])
        name = f"{week}-{number:02d}"
        orders.append(WorkOrder(name, day, f"216-{week}", f"B-{week}", tuple(takes), made, scrap))
    return tuple(orders)


def _take(left: list[tuple[Pallet, int]], wanted: int) -> list[tuple[Pallet, int]]:
    """So much off the first pallets, which it shortens."""
    taken = []
    while wanted:
        pallet, rest = left.pop(0)
        share = min(rest, wanted)
        taken.append((pallet, share))
        wanted -= share
        if share < rest:
            left.insert(0, (pallet, rest - share))
    return taken


def _piece(pallet: Pallet, quantity: int) -> dict[str, str]:
    return {
        "load": pallet.sscc,
        "gtin": pallet.item.gtin,
        "owner": pallet.item.owner,
        "status": pallet.item.status,
        "quantity": str(quantity),
    }
