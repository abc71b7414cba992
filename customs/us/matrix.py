# SPDX-License-Identifier: Apache-2.0
"""The withdrawal matrix: which goods may leave the zone which way, and which may be worked on in it.

One table answers door, cost page and work order. It asks for status and content; permits, quantities and
dates of weekly estimates are asked elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from customs.documents import Status
from customs.law import Law, WeeklyExcluded
from customs.us.rulings import Allowed, Refused, Ruling
from customs.us.statuses import FORBIDDEN
from customs.works.permits import Activity

PF, NPF, D, ZR = Status.PF, Status.NPF, Status.DOMESTIC, Status.RESTRICTED

WAREHOUSE_YEARS: Final = 5
"""Years from import in which goods may be in a bonded warehouse (19 CFR 146.64(d))."""


class Disposition(StrEnum):
    """Where goods go."""

    CONSUMPTION = "consumption"
    WAREHOUSE = "warehouse"
    WAREHOUSE_FOR_EXPORT = "warehouse-for-export"
    EXPORT = "export"
    OTHER_ZONE = "other-zone"
    DESTRUCTION = "destruction"
    SUPPLIES = "supplies"


DISPOSITIONS: Final[Mapping[str, Disposition]] = MappingProxyType(
    {
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
)
"""Where goods go under a permit's kind; kinds that let nothing out are not here."""


DIRECT: Final = "direct-delivery"
"""The kind of permit under which goods come without a 214 before them, and under which the operator may fetch
them itself (19 CFR 146.39, 146.40(b)).
"""

TO_WAREHOUSE: Final = frozenset({Disposition.WAREHOUSE, Disposition.WAREHOUSE_FOR_EXPORT})
"""Where goods may stay for WAREHOUSE_YEARS from import."""


class Leaving(msgspec.Struct, frozen=True):
    """Goods as the matrix asks for them.

    `privileged_content`: they contain goods in privileged status. `alcohol`: distilled spirits, wine or
    fermented malt liquor. `constructive` is the document whose entry was accepted for them. `board_order` is
    the Foreign-Trade Zones Board's for zone-restricted goods.
    """

    status: Status
    privileged_content: bool = False
    imported: date | None = None
    alcohol: bool = False
    constructive: str | None = None
    board_order: str | None = None


_NOT_ADMITTED: Final = Refused(
    "not-admitted",
    "19 CFR 146.22(c), 146.35",
    "These goods have no status yet. Set them aside until their papers are complete.",
)
_NOT_WAREHOUSE: Final = Refused(
    FORBIDDEN, "19 CFR 146.64(a)", "Privileged goods may not go to a bonded warehouse. Enter or export them."
)
_RESTRICTED: Final = Refused(
    FORBIDDEN,
    "19 CFR 146.70(a), 146.44(d)",
    "Zone-restricted goods may not enter the country. Set them aside.",
)
_NOT_FOREIGN: Final = Refused(
    FORBIDDEN, "19 CFR 146.43", "Domestic goods need no bonded warehouse. Take them out as domestic."
)
_EXPORT_WAREHOUSE: Final = Refused(
    FORBIDDEN,
    "19 CFR 146.70(c)",
    "Zone-restricted goods may go to a warehouse only to be exported. Set them aside.",
)

MATRIX: Final[Mapping[Disposition, Mapping[Status, Ruling]]] = MappingProxyType(
    {
        Disposition.CONSUMPTION: {
            PF: Allowed("19 CFR 146.65(a)(1)", "Duty at the rate of the day of filing."),
            NPF: Allowed("19 CFR 146.65(a)(2)", "Duty at the rate of the day of entry."),
            D: Allowed("19 CFR 146.43(c)", "Domestic goods return free, without a permit."),
            ZR: _RESTRICTED,
        },
        Disposition.WAREHOUSE: {
            PF: _NOT_WAREHOUSE,
            NPF: Allowed("19 CFR 146.64(b)"),
            D: _NOT_FOREIGN,
            ZR: _EXPORT_WAREHOUSE,
        },
        Disposition.WAREHOUSE_FOR_EXPORT: {
            PF: _NOT_WAREHOUSE,
            NPF: Allowed("19 CFR 146.64(b)"),
            D: _NOT_FOREIGN,
            ZR: Allowed("19 CFR 146.70(a), (c)", "For export alone."),
        },
        Disposition.EXPORT: {
            PF: Allowed("19 CFR 146.41(e), 146.67", "No duty."),
            NPF: Allowed("19 CFR 146.67", "No duty."),
            D: Allowed("19 CFR 146.67"),
            ZR: Allowed("19 CFR 146.70(a)"),
        },
        Disposition.OTHER_ZONE: {
            PF: Allowed("19 CFR 146.66", "The status goes with the goods."),
            NPF: Allowed("19 CFR 146.66", "The status goes with the goods."),
            D: Allowed("19 CFR 146.66", "The status goes with the goods."),
            ZR: Allowed("19 CFR 146.70(a)", "The status goes with the goods."),
        },
        Disposition.DESTRUCTION: {
            PF: Allowed("19 CFR 146.52", "Under an approved form 216; recovered waste is non-privileged."),
            NPF: Allowed("19 CFR 146.52", "Under an approved form 216."),
            D: Allowed("19 CFR 146.43(b)"),
            ZR: Allowed("19 CFR 146.44(a), 146.52", "Under an approved form 216."),
        },
        Disposition.SUPPLIES: {
            PF: Allowed("19 CFR 146.41(e), 146.69", "No duty."),
            NPF: Allowed("19 CFR 146.69", "No duty."),
            D: Allowed("19 CFR 146.69"),
            ZR: Allowed("19 CFR 146.70(a)"),
        },
    }
)
"""Every disposition for every status, before what the goods are and contain is asked."""


def kind_forbids(kind: str, status: Status) -> Refused | None:
    """Why goods in a status leave on no permit of a kind, whatever else they are; None where they may, and
    for kinds that say nothing of it. Goods in suspense leave on none (19 CFR 146.22).
    """
    if status is Status.SUSPENSE:
        return _NOT_ADMITTED
    if kind not in DISPOSITIONS:
        return None
    ruling = MATRIX[DISPOSITIONS[kind]][status]
    return ruling if isinstance(ruling, Refused) else None


def may_leave(goods: Leaving, disposition: Disposition, on: date, document: str | None = None) -> Ruling:
    """Whether goods may leave that way on that day (19 CFR 146.41-146.44, 146.61, 146.63-146.70).

    `document` is the one they would leave under; goods for which an entry was accepted leave under it alone.
    """
    if goods.status is Status.SUSPENSE:
        return _NOT_ADMITTED
    if goods.constructive is not None and goods.constructive != document:
        words = f"These goods are entered on {goods.constructive}. Take them out on that, or cancel it."
        return Refused("constructive", "19 CFR 146.61, 146.71(c)", words)
    ruling = MATRIX[disposition][goods.status]
    if goods.status is ZR:
        return _restricted(goods, disposition, ruling)
    if disposition in TO_WAREHOUSE and goods.privileged_content:
        words = "These goods contain privileged goods and may not go to a warehouse. Enter or export them."
        return Refused(FORBIDDEN, "19 CFR 146.64(b)", words)
    if disposition in TO_WAREHOUSE and isinstance(ruling, Allowed):
        return in_warehouse(goods.imported, on) or ruling
    return ruling


_BY_BOARD: Final = frozenset({Disposition.CONSUMPTION, Disposition.WAREHOUSE})


def _restricted(goods: Leaving, disposition: Disposition, ruling: Ruling) -> Ruling:
    if disposition in _BY_BOARD and goods.board_order:
        words = f"By order {goods.board_order} of the Foreign-Trade Zones Board."
        return Allowed("19 CFR 146.70(a)-(b), 146.44(d)", words)
    if disposition is Disposition.DESTRUCTION and goods.alcohol:
        words = (
            "Spirits, wine and malt liquors in zone-restricted status may not be destroyed. Set them aside."
        )
        return Refused(FORBIDDEN, "19 CFR 146.70(a), 146.44(a)", words)
    return ruling


def in_warehouse(imported: date | None, on: date) -> Refused | None:
    """Why goods may not be in a bonded warehouse on a day for their age: neither be placed there nor remain
    after five years from import (19 CFR 146.64(d)). None when they may.
    """
    if imported is None:
        words = "The day of import is not on the books. Complete the admission before they go to a warehouse."
        return Refused("import-date-missing", "19 CFR 146.64(d)", words)
    last = last_warehouse_day(imported)
    if on <= last:
        return None
    words = f"Imported on {imported}: warehouse time ended on {last}. Enter, export or destroy them."
    return Refused("over-five-years", "19 CFR 146.64(d)", words)


def last_warehouse_day(imported: date) -> date:
    """The fifth anniversary of import (19 CFR 146.64(d)); of 29 February, the 28th."""
    year = imported.year + WAREHOUSE_YEARS
    try:
        return imported.replace(year=year)
    except ValueError:
        return imported.replace(year=year, day=28)


def may_work(goods: Leaving, activity: Activity) -> Ruling:
    """Whether goods may be worked on in the zone, given a form 216 for it (19 CFR 146.51-146.52).

    Goods for which an entry was accepted wait as they are (146.71(c)). Zone-restricted goods are there for
    export, destruction or storage alone (146.44(a), the bar on other work an own reading).
    """
    if goods.status is Status.SUSPENSE:
        words = "These goods have no status yet. Leave them alone until their papers are complete."
        return Refused("not-admitted", "19 CFR 146.22(c), 146.35", words)
    if goods.constructive is not None:
        words = f"These goods are entered on {goods.constructive} and may not be worked on any more."
        return Refused("constructive", "19 CFR 146.61, 146.71(c)", words)
    if goods.status is ZR:
        if activity is not Activity.DESTROY:
            words = "Zone-restricted goods wait for export or destruction. Do not work on them."
            return Refused(FORBIDDEN, "19 CFR 146.44(a)", words)
        return _restricted(goods, Disposition.DESTRUCTION, Allowed("19 CFR 146.44(a), 146.52"))
    if goods.status is D:
        return Allowed("19 CFR 146.43(b)", "Without a form 216, unless it is mixed with other goods.")
    return Allowed("19 CFR 146.52", "Under an approved form 216.")


def lower_class(status: Status) -> Ruling:
    """Whether goods owe by what was made of them (19 CFR 146.65(a); 19 USC 81c(a)): the inverted tariff."""
    if status is NPF:
        return Allowed("19 CFR 146.65(a)(2)", "Owes by the number of what was made.")
    if status is D:
        return Allowed("19 USC 81c(a)", "Domestic content owes nothing.")
    if status is PF:
        words = "Privileged goods owe by their own number, whatever is made of them."
        return Refused(FORBIDDEN, "19 CFR 146.65(a)(1)", words)
    return Refused(FORBIDDEN, "19 CFR 146.44(a)", "These goods are not entered for consumption.")


def may_enter_weekly(hts: str | None, origin: str, on: date, law: Law) -> Ruling:
    """Whether a weekly entry may cover goods (19 USC 1484(i)(3)): not prohibited goods, nor those whose
    summary is due before release, as rows list them.
    """
    for found in law.every(WeeklyExcluded, on):
        if found.row.covers(hts, origin):
            words = f"{found.row.reason} Not on a weekly entry: file an entry of its own."
            return Refused("not-weekly", "19 USC 1484(i)(3)", words)
    return Allowed("19 USC 1484(i)(1)")


def direct_delivery(
    *, approval: str | None, operator_owns: bool, stable: bool, examined_first: bool
) -> Ruling:
    """Whether goods may come in without a 214 before them (19 CFR 146.39(c)(1)-(3)): under a standing
    approval, not restricted or of a kind that customs looks at first, known well in advance and stable, and
    bought or owned by the operator.
    """
    refusals = (
        (approval is None, "There is no approval for direct delivery. Wait for the permit."),
        (not operator_owns, "Direct delivery is for the operator's own goods. Wait for the permit."),
        (not stable, "Direct delivery is for goods that do not change. Wait for the permit."),
        (examined_first, "Customs looks at these goods first. Wait for the permit."),
    )
    for refused, words in refusals:
        if refused:
            return Refused("not-direct", "19 CFR 146.39(c)", words)
    return Allowed("19 CFR 146.39", "Papers to the port within two working days.")
