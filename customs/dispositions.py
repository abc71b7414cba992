# SPDX-License-Identifier: Apache-2.0
"""What goods may leave the zone for, by their zone status: one pure table, and the five years of a warehouse.

Knows permit kinds and statuses; no permit's dates, no quantity and no door. What a status costs, and what a
Board order may open again, is not asked here: no door lets goods out on that.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Final

from customs.documents import Status

WAREHOUSE_YEARS: Final = 5
"""Goods may neither be placed nor remain in a bonded warehouse beyond this from their import
(19 CFR 146.64(d); 19 USC 1557)."""


class Disposition(StrEnum):
    """What a permit lets goods leave for."""

    CONSUMPTION = "consumption"
    WAREHOUSE = "warehouse"
    WAREHOUSE_FOR_EXPORT = "warehouse-for-export"
    EXPORT = "export"
    OTHER_ZONE = "other-zone"
    DESTRUCTION = "destruction"
    SUPPLIES = "supplies"


_LEAVES: Final[Mapping[Disposition, frozenset[Status]]] = {
    # 19 CFR 146.63, 146.65. Restricted goods come to commerce by an order of the Board alone (146.44(d)).
    Disposition.CONSUMPTION: frozenset({Status.PF, Status.NPF, Status.DOMESTIC}),
    # 19 CFR 146.64(a): no privileged goods, nor goods that contain such.
    Disposition.WAREHOUSE: frozenset({Status.NPF}),
    # 19 CFR 146.64(b), 146.70: restricted goods pending their export.
    Disposition.WAREHOUSE_FOR_EXPORT: frozenset({Status.NPF, Status.RESTRICTED}),
    # 19 CFR 146.67, 146.68.
    Disposition.EXPORT: frozenset({Status.PF, Status.NPF, Status.DOMESTIC, Status.RESTRICTED}),
    # 19 CFR 146.66.
    Disposition.OTHER_ZONE: frozenset({Status.PF, Status.NPF, Status.DOMESTIC, Status.RESTRICTED}),
    # 19 CFR 146.51, 146.52; of restricted goods not spirits, wine and malt liquor (146.44(a)): an operator
    # asks for no permit to destroy such.
    Disposition.DESTRUCTION: frozenset({Status.PF, Status.NPF, Status.DOMESTIC, Status.RESTRICTED}),
    # 19 CFR 146.69.
    Disposition.SUPPLIES: frozenset({Status.PF, Status.NPF, Status.DOMESTIC, Status.RESTRICTED}),
}

OF_KIND: Final[Mapping[str, Disposition]] = {
    "weekly-entry": Disposition.CONSUMPTION,
    "entry": Disposition.CONSUMPTION,
    "warehouse": Disposition.WAREHOUSE,
    "warehouse-for-export": Disposition.WAREHOUSE_FOR_EXPORT,
    "export": Disposition.EXPORT,
    "in-bond-export": Disposition.EXPORT,
    "zone-transfer": Disposition.OTHER_ZONE,
    "destruction": Disposition.DESTRUCTION,
    "supplies": Disposition.SUPPLIES,
}
"""What each kind of permit lets goods leave for. Kinds that are not here (admissions, `direct-delivery`,
`inward-processing`) say nothing of it."""


def may_leave(kind: str, status: Status) -> bool:
    """Whether goods of a status may leave on a permit of this kind; goods in suspense on none
    (19 CFR 146.22: they are on no account yet). A kind that is not in OF_KIND forbids nothing else.
    """
    if status is Status.SUSPENSE:
        return False
    disposition = OF_KIND.get(kind)
    return disposition is None or status in _LEAVES[disposition]


def is_destroyed(kind: str) -> bool:
    """Whether goods leave on it to be destroyed, so that what is wrong with them does not keep them here."""
    return OF_KIND.get(kind) is Disposition.DESTRUCTION


def last_day(kind: str, imported: date) -> date | None:
    """The last day on which goods of an import date may leave on a permit of this kind; None for any day."""
    if OF_KIND.get(kind) not in (Disposition.WAREHOUSE, Disposition.WAREHOUSE_FOR_EXPORT):
        return None
    year = imported.year + WAREHOUSE_YEARS
    return imported.replace(year=year, day=min(imported.day, calendar.monthrange(year, imported.month)[1]))
