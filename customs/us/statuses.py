# SPDX-License-Identifier: Apache-2.0
"""Zone statuses: which one goods may be admitted in, which may become which, and what becomes of waste.

Each answer names its section and says in a worker's words what to do. Quantities and lots are the ledger's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from customs.documents import Status
from customs.law import AdCvdCase, Found, Law
from customs.tariff.cases import deposits
from customs.tariff.programs import requiring_pf
from customs.us.rulings import Allowed, Refused, Ruling

PF, NPF, D, ZR = Status.PF, Status.NPF, Status.DOMESTIC, Status.RESTRICTED

ADMITTING: Final = frozenset({"admission", "direct-delivery"})
"""Kinds of permits by whose lines goods are admitted (19 CFR 146.32, 146.39), also out of suspense."""

FORBIDDEN: Final = "status-forbids"


class Cause(StrEnum):
    """What waste comes from."""

    MANIPULATION = "manipulation"
    MANUFACTURE = "manufacture"
    CASUALTY = "casualty"


class StatusChange(msgspec.Struct, frozen=True):
    """A wish to change the status of goods in the zone, with what decides on it.

    `changed_class`: they were made or manipulated so that another tariff number covers them. `constructive`:
    an entry for them was accepted. `decision` is the port director's on goods that lost their identity.
    """

    start: Status
    to: Status
    changed_class: bool = False
    constructive: bool = False
    decision: str | None = None


_CHANGES: Final[Mapping[tuple[Status, Status], Ruling]] = MappingProxyType(
    {
        (NPF, PF): Allowed(
            "19 CFR 146.41(a)-(b)", "Class and rate are those of the day of filing, for good."
        ),
        (NPF, ZR): Allowed("19 CFR 146.44(a)", "Goods in zone-restricted status do not come back from it."),
        (PF, ZR): Allowed("19 CFR 146.44(a)", "Goods in zone-restricted status do not come back from it."),
        (D, ZR): Allowed("19 CFR 146.44(a)", "Goods in zone-restricted status do not come back from it."),
        (PF, NPF): Refused(
            FORBIDDEN,
            "19 CFR 146.41(e)",
            "Privileged status cannot be given up. Leave the goods as they are.",
        ),
        (PF, D): Refused(
            FORBIDDEN,
            "19 CFR 146.41(e)",
            "Privileged goods become domestic by entry alone. Enter them first.",
        ),
        (NPF, D): Refused(
            FORBIDDEN, "19 CFR 146.43(a)", "Foreign goods become domestic by entry alone. Enter them first."
        ),
        (D, PF): Refused(
            FORBIDDEN, "19 CFR 146.41(a)", "Privileged status is for foreign goods. Leave them domestic."
        ),
        (D, NPF): Refused(
            "decision-missing",
            "19 CFR 146.42(c)",
            "Domestic goods that lost their identity need the port director's decision. Ask for it.",
        ),
        (ZR, PF): Refused(
            FORBIDDEN,
            "19 CFR 146.44(c)",
            "Zone-restricted status cannot be given up. Export or destroy them.",
        ),
        (ZR, NPF): Refused(
            FORBIDDEN,
            "19 CFR 146.44(c)",
            "Zone-restricted status cannot be given up. Export or destroy them.",
        ),
        (ZR, D): Refused(
            FORBIDDEN,
            "19 CFR 146.44(c)",
            "Zone-restricted status cannot be given up. Export or destroy them.",
        ),
    }
)


def change(wish: StatusChange) -> Ruling:
    """Whether goods in the zone may change their status (19 CFR 146.41-146.44, 146.61).

    Waste is another matter (`waste_status`); a status for goods in suspense comes with their permit.
    """
    if Status.SUSPENSE in (wish.start, wish.to):
        return Refused(
            "not-admitted", "19 CFR 146.22(c)", "These goods have no status yet. Admit them first."
        )
    if wish.start is wish.to:
        return Refused("no-change", "19 CFR 146.41-146.44", f"The goods are {wish.to} already.")
    if wish.constructive:
        words = "An entry for these goods is accepted: they have left by the books. Ship them or cancel it."
        return Refused("constructive", "19 CFR 146.61", words)
    if (wish.start, wish.to) == (NPF, PF) and wish.changed_class:
        words = "The goods were changed to another tariff number. Privileged status had to be asked before."
        return Refused("class-changed", "19 CFR 146.41(a)", words)
    if (wish.start, wish.to) == (D, NPF) and wish.decision:
        return Allowed("19 CFR 146.42(c)", f"By the port director's decision {wish.decision}.")
    return _CHANGES[wish.start, wish.to]


def waste_status(source: Status, cause: Cause) -> Status:
    """The status of waste (19 CFR 146.42(b)): of privileged goods it is non-privileged when manipulation or
    manufacture left it, and stays privileged when a casualty did (the manual, section 9.7, on C.S.D. 86-7).

    Other goods' waste keeps their status (for zone-restricted goods an own reading of 146.44(c)).
    """
    if source is Status.PF and cause is not Cause.CASUALTY:
        return Status.NPF
    return source


def admission(
    status: Status,
    goods: tuple[str | None, str],
    on: date,
    law: Law,
    *,
    adcvd: tuple[str, ...] = (),
    producer: str | None = None,
) -> Ruling:
    """Whether goods, a tariff number and an origin, may be admitted in a status on a day (19 CFR 146.41 to
    146.44; programs' own texts; 15 CFR 400.14(e)).

    Where a program or an AD or CVD case asks for privileged status, others are refused but domestic.
    Raises `CaseRefused` for a named case that is not on file.
    """
    if status is Status.SUSPENSE:
        return Allowed("19 CFR 146.22(c)", "Kept in suspense until the papers are complete.")
    hts, origin = goods
    if status in (Status.PF, Status.DOMESTIC):
        return Allowed("19 CFR 146.41" if status is Status.PF else "19 CFR 146.43")
    for found in requiring_pf(law, hts, origin, on):
        words = f"{found.row.name} asks for privileged status since {found.row.valid_from}. File for it."
        return Refused("pf-required", f"program {found.row.id} ({found.row.source})", words)
    for case in _pf_cases(adcvd, origin, producer, on, law):
        words = f"Case {case.row.number} asks for privileged status. File for it."
        return Refused("pf-required", "15 CFR 400.14(e)", words)
    return Allowed("19 CFR 146.42" if status is Status.NPF else "19 CFR 146.44")


def _pf_cases(
    numbers: tuple[str, ...], origin: str, producer: str | None, on: date, law: Law
) -> list[Found[AdCvdCase]]:
    return [found for found in deposits(law, origin, producer, numbers, on) if found.row.pf_required]
