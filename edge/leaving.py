# SPDX-License-Identifier: Apache-2.0
"""What keeps goods from leaving on a permit line for what they are: status, expiry, age, quota. Pure.

The rules of status and age are the withdrawal matrix's (`customs.us.matrix`); here they are asked of a load
as its papers and its label tell of it, and of the kind of permit that it would leave on.
"""

from __future__ import annotations

from datetime import date

from customs.documents import Permit, PermitLine, Status
from customs.us.matrix import (
    DISPOSITIONS,
    TO_WAREHOUSE,
    Disposition,
    in_warehouse,
    kind_forbids,
    last_warehouse_day,
)
from customs.us.rulings import Refused
from sync.bodies import LoadFacts


def status_forbids(load: LoadFacts, permit: Permit) -> Refused | None:
    """Why the goods' zone status keeps them from leaving on this kind of permit; None where it does not."""
    return kind_forbids(permit.kind, load.status or Status.SUSPENSE)


def trouble_on(
    load: LoadFacts, permit: Permit, line: PermitLine, today: date
) -> tuple[str, date | None] | None:
    """What keeps goods from leaving on a line on this day beside the permit's own dates: reason and date."""
    if has_expired(load, today) and not destroys(permit):
        return "expired", load.expiry
    if DISPOSITIONS.get(permit.kind) in TO_WAREHOUSE:
        barred = in_warehouse(load.imported, today)
        if barred is not None:
            return barred.reason, last_warehouse_day(load.imported) if load.imported else None
    opens, closes = line.quota_opens, line.quota_closes
    if (opens is not None and today < opens) or (closes is not None and today > closes):
        return "quota-closed", None
    return None


def destroys(permit: Permit) -> bool:
    """Whether goods leave on it to be destroyed, so that what is wrong with them does not keep them here."""
    return DISPOSITIONS.get(permit.kind) is Disposition.DESTRUCTION


def has_expired(load: LoadFacts, today: date) -> bool:
    """Whether the day is past on which goods may be used: by the label's application identifier (17) or
    (7003), and by what the notice says. These alone limit the use of goods; best before (15) speaks of their
    quality and sell by (16) to the retailer, so they stop nothing (GS1 General Specifications, 3.4).
    """
    return load.expiry is not None and load.expiry < today
