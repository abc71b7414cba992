# SPDX-License-Identifier: Apache-2.0
"""Shortages and overages: which are recorded, and which are reported to the port at once.

Which quantity is missing is the ledger's; what it would owe is computed elsewhere and comes in.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

import msgspec

from customs.documents import Status
from customs.law import LawError
from customs.tariff.rounding import times

REPORT_SHARE: Final = Decimal("0.01")
"""One percent of the lot or identifier (19 CFR 146.53(a)(3))."""

REPORT_DUTY: Final = Decimal(100)
"""US dollars of duty and taxes; fees are not named (19 CFR 146.53(a)(3))."""


class Shortage(msgspec.Struct, frozen=True):
    """Goods that are missing, or too many.

    `whole` is the quantity of the lot where lots are kept, of the identifier where an accounting method
    stands in for lots. `duty_and_tax` is what the missing goods would owe, without fees. `admitted`: a
    permit brought them in; `permit_free` are domestic goods that needed none.
    """

    kind: Literal["shortage", "overage"]
    status: Status
    quantity: Decimal
    whole: Decimal
    duty_and_tax: Decimal
    theft: bool = False
    admitted: bool = True
    permit_free: bool = False


class Finding(msgspec.Struct, frozen=True):
    """What to do. Everything is recorded; `report` says whether the port is told on identification, and
    `because` why or why not.
    """

    report: bool
    section: str
    because: str
    recorded: bool = True


def judge(shortage: Shortage) -> Finding:
    """Whether a shortage or overage is reported on identification (19 CFR 146.53(a)-(b)): theft or suspicion
    of it, goods not properly admitted, or a shortage of at least one percent of the lot or identifier and of
    at least 100 dollars of duty and tax, both. All are recorded (146.53(a)(3)); domestic goods without a
    permit are exempt save for theft (146.53(b)). An overage gets a 214 or an entry in five days (146.53(d)).

    Raises `LawError` for quantities that cannot be.
    """
    if shortage.quantity <= 0 or shortage.whole < 0 or shortage.duty_and_tax < 0:
        raise LawError("A shortage has a quantity above 0 and a duty that is not below. Correct the count.")
    if shortage.theft:
        return Finding(True, "19 CFR 146.53(a)(1)", "theft, or suspicion of it")
    if shortage.permit_free and shortage.status is Status.DOMESTIC:
        return Finding(False, "19 CFR 146.53(b)", "domestic goods that need no permit")
    if not shortage.admitted:
        return Finding(True, "19 CFR 146.53(a)(2)", "goods that were not properly admitted")
    if shortage.kind == "overage":
        return Finding(False, "19 CFR 146.53(d)", "an overage: file a 214 or an entry within five days")
    share = shortage.quantity >= times(shortage.whole, REPORT_SHARE)
    duty = shortage.duty_and_tax >= REPORT_DUTY
    figures = f"{shortage.quantity:f} of {shortage.whole:f}, duty and tax {shortage.duty_and_tax:f}"
    if share and duty:
        return Finding(True, "19 CFR 146.53(a)(3)", f"one percent and 100 dollars are reached: {figures}")
    missing = "one percent" if not share else "100 dollars"
    return Finding(False, "19 CFR 146.53(a)(3)", f"{missing} is not reached: {figures}")
