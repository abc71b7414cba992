# SPDX-License-Identifier: Apache-2.0
"""What a customs entry owes in all: its duties, its fee, and for goods to Canada or Mexico their reduction.

The result stands alone: every figure is explained and names its rows, so it is stored, not computed anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from customs.law import Law
from customs.tariff.rounding import total
from customs.us.duty import entry_duties, foreign_bases
from customs.us.export import ForeignDuty, reductions
from customs.us.fees import processing_fee
from customs.us.lines import Computation, CustomsEntry


def assess(entry: CustomsEntry, law: Law, abroad: Sequence[ForeignDuty] = ()) -> Computation:
    """Duty and fees of one entry by the law as known (19 CFR 146.65, 24.23; 19 USC 81c(a)).

    `abroad` is what was proved of duty paid in Canada or Mexico; it counts for an entry of type 08 alone.
    Raises `LawError`: nothing is left out in silence.
    """
    bases = foreign_bases(entry)
    duties = entry_duties(entry, bases, law)
    reduced = reductions(entry, duties, abroad)
    fee = processing_fee(entry, bases, law)
    fees = () if fee is None else (fee,)
    duty = total(*(line.amount for line in duties), *(-line.amount for line in reduced))
    fee_sum = total(*(line.amount for line in fees))
    told = (
        *(line.why for line in duties),
        *(line.why for line in reduced),
        *(why for line in fees for why in line.why),
    )
    return Computation(
        entry=entry.number,
        kind=entry.kind,
        entry_date=entry.entry_date,
        entered_value=total(*(basis.value for basis in bases)),
        duties=duties,
        reductions=reduced,
        fees=fees,
        duty=duty,
        fee=fee_sum,
        total=total(duty, fee_sum),
        explanation=told,
        refs=tuple(sorted({ref for why in told for ref in why.refs})),
    )


def supplements_fee(computations: Sequence[Computation]) -> Decimal:
    """The fees of an entry and its supplements: each its own (19 CFR 24.23(b)(1); FTZ Manual, as read)."""
    return total(*(computation.fee for computation in computations))
