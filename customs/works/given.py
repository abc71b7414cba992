# SPDX-License-Identifier: Apache-2.0
"""What a step of a work order is judged by: the loads that it names, the papers on file; and how it is
refused. Values only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from customs.documents import Status
from customs.works.boms import Bom, WorksError
from customs.works.permits import ActivityPermit, Authority


class OrderRefused(WorksError):
    """A step of a work order that may not be done; `reasons` are all of them."""

    def __init__(self, reasons: Sequence[str], next_step: str) -> None:
        super().__init__("; ".join(reasons), next_step)
        self.reasons = tuple(reasons)


@dataclass(frozen=True, slots=True)
class Goods:
    """A load in the zone. Where an election has these goods attributed by their lots, `by_lot` is so, and
    `zone_lot` the one that the load is of, empty where nobody knows it. `held` says why it may not be worked
    on, None when nothing does. `constructive` is the document whose accepted entry has taken it out of the
    zone in law while it still stands here.
    """

    key: str
    gtin: str
    owner: str
    status: Status
    quantity: Decimal
    unit: str
    sscc: str | None = None
    lot: str | None = None
    held: str | None = None
    constructive: str | None = None
    by_lot: bool = False
    zone_lot: str = ""


@dataclass(frozen=True, slots=True)
class Papers:
    """What is on file: bills, permits, authorities by number; each product's unit, and its tariff number of
    the order's owner on the order's day, None where it has none. `stock` is what stands on the owner's books
    of a product in a status, without what an accepted entry has taken; what it does not name is not asked.
    `lots` is what is in stock of lots, by lot and product: of those that the order made, and of those that
    loads are of.
    """

    zone: str
    boms: Sequence[Bom] = ()
    permits: Mapping[str, ActivityPermit] = field(default_factory=dict)
    authorities: Mapping[str, Authority] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    tariff: Mapping[str, str | None] = field(default_factory=dict)
    stock: Mapping[tuple[str, Status], Decimal] = field(default_factory=dict)
    lots: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)
