# SPDX-License-Identifier: Apache-2.0
"""Quotas: whether goods may be entered on a day, and at which rate.

How much of a quota is used is customs' knowledge; a row says when it opened and when it closed.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec

from customs.law import Found, Law, Quota


class Standing(StrEnum):
    """What a quota does to goods on a day."""

    IN_QUOTA = "in-quota"
    HELD = "held"
    REFUSED = "refused"
    OVER_QUOTA = "over-quota"


class QuotaStanding(msgspec.Struct, frozen=True):
    """One quota's word on goods, with its row. `words` are for the one who wants to withdraw them."""

    standing: Standing
    quota: Found[Quota]
    words: str


def standings(law: Law, hts: str, origin: str, on: date, *, privileged: bool) -> tuple[QuotaStanding, ...]:
    """What each quota says of goods that are entered on a day.

    Before it opens they are held (19 CFR 132.11(a), 132.11a: status at presentation, not before the opening);
    after it closed an absolute quota refuses them and a tariff-rate quota lets them in at the higher rate.
    Privileged goods owe that higher rate at any time, and need not wait (146.65(a)(1)).
    """
    return tuple(
        _standing(found, on, privileged) for found in law.every(Quota, on) if found.row.covers(hts, origin)
    )


def _standing(found: Found[Quota], on: date, privileged: bool) -> QuotaStanding:
    quota = found.row
    if quota.limit == "tariff-rate" and privileged:
        words = f"Privileged goods owe the over-quota rate of {quota.id}."
        return QuotaStanding(Standing.OVER_QUOTA, found, words)
    if on < quota.opens:
        words = f"Quota {quota.id} opens on {quota.opens}. Hold the goods until then."
        return QuotaStanding(Standing.HELD, found, words)
    if quota.closed_on is None or on <= quota.closed_on:
        return QuotaStanding(Standing.IN_QUOTA, found, f"Quota {quota.id} is open.")
    if quota.limit == "absolute":
        words = (
            f"Quota {quota.id} was filled on {quota.closed_on}. The goods stay until the next period opens."
        )
        return QuotaStanding(Standing.REFUSED, found, words)
    words = f"Quota {quota.id} was filled on {quota.closed_on}: the over-quota rate is owed."
    return QuotaStanding(Standing.OVER_QUOTA, found, words)
