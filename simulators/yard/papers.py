# SPDX-License-Identifier: Apache-2.0
"""The papers of a script: products, permits and trucks as the center's documented JSON import takes them.

Plain dictionaries by the documented form; quantities are strings. Knows no label and no scan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

ZONE: Final = "999001001"
"""The example zone."""


@dataclass(frozen=True, slots=True)
class Item:
    """Merchandise: `per_pallet` pieces on a usual pallet, `status` its zone status."""

    name: str
    gtin: str
    owner: str
    status: str
    per_pallet: int


TOOL: Final = Item("TOOL-12", "09521999001058", "Example Tools", "NPF", 125)
BRACKET: Final = Item("BRKT-9", "09521999001065", "Example Brackets", "PF", 250)
MOTOR: Final = Item("MOT-24", "09521999001010", "Example Motors", "NPF", 40)
KIT: Final = Item("KIT-D", "09521999001072", "Example Motors", "D", 500)
BEARING: Final = Item("BRG-62", "09521999001027", "Example Motors", "NPF", 500)
HOUSING: Final = Item("HSG-7", "09521999001034", "Example Motors", "PF", 60)
PUMP: Final = Item("PUMP-100", "09521999001041", "Example Motors", "PF", 25)
SCRAP: Final = Item("AL-SCRAP", "09521999001089", "Example Motors", "NPF", 20)
ITEMS: Final = (TOOL, BRACKET, MOTOR, KIT, BEARING, HOUSING, PUMP, SCRAP)


@dataclass(frozen=True, slots=True)
class Pallet:
    """One load on the floor; `sscc` is empty where only a GTIN and a lot are on the label."""

    item: Item
    quantity: int
    lot: str
    sscc: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a permit, one product in one direction."""

    permit: str
    line: str
    kind: str
    item: Item
    quantity: int
    direction: str

    def __str__(self) -> str:
        return f"{self.permit}/{self.line}"


@dataclass(frozen=True, slots=True)
class Truck:
    """A conveyance with its work order, the lines it may use and the loads its notice lists."""

    job: str
    conveyance: str
    carrier: str
    door: str
    direction: str
    seals: tuple[str, ...]
    lines: tuple[Line, ...]
    loads: tuple[Pallet, ...]

    def line_of(self, item: Item) -> Line | None:
        """The line that loads of `item` go on; None for goods that need no permit."""
        return next((line for line in self.lines if line.item is item), None)


@dataclass(slots=True)
class Papers:
    """All papers of one script, valid in the week of `today` (Monday to Sunday)."""

    today: date
    lines: list[Line] = field(default_factory=list)
    trucks: list[Truck] = field(default_factory=list)

    @property
    def week(self) -> str:
        """The week's name: year and week, two digits each."""
        year, week, _ = self.today.isocalendar()
        return f"{year % 100:02d}{week:02d}"

    def documents(self) -> dict[str, list[dict[str, Any]]]:
        """`products`, `permits` and `trucks`, each a list of JSON objects in the documented form."""
        return {
            "products": [_product(item) for item in ITEMS],
            "permits": self._permits(),
            "trucks": [_truck(truck) for truck in self.trucks],
        }

    def _permits(self) -> list[dict[str, Any]]:
        monday = self.today - timedelta(days=self.today.weekday())
        permits: dict[str, dict[str, Any]] = {}
        for line in self.lines:
            permit = permits.setdefault(
                line.permit,
                {
                    "schema": "zonegate.permit.v1",
                    "number": line.permit,
                    "kind": line.kind,
                    "owner": line.item.owner,
                    "valid_from": monday.isoformat(),
                    "valid_to": (monday + timedelta(days=6)).isoformat(),
                    "lines": [],
                },
            )
            permit["lines"].append(
                {
                    "line": line.line,
                    "product": line.item.gtin,
                    "status": line.item.status,
                    "quantity": str(line.quantity),
                    "unit": "EA",
                    "direction": line.direction,
                }
            )
        return list(permits.values())


def _product(item: Item) -> dict[str, Any]:
    return {"gtin": item.gtin, "name": item.name, "unit": "EA", "per_pallet": str(item.per_pallet)}


def _truck(truck: Truck) -> dict[str, Any]:
    return {
        "schema": "zonegate.truck.v1",
        "job": truck.job,
        "conveyance": truck.conveyance,
        "carrier": truck.carrier,
        "door": truck.door,
        "direction": truck.direction,
        "seals": list(truck.seals),
        "permit_lines": [{"permit": line.permit, "line": line.line} for line in truck.lines],
        "loads": [_load(pallet) for pallet in truck.loads],
    }


def _load(pallet: Pallet) -> dict[str, Any]:
    return {
        "sscc": pallet.sscc,
        "gtin": pallet.item.gtin,
        "quantity": str(pallet.quantity),
        "owner": pallet.item.owner,
        "status": pallet.item.status,
        "lot": pallet.lot,
    }
