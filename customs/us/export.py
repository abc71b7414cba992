# SPDX-License-Identifier: Apache-2.0
"""Goods made in the zone that go to Canada or Mexico: an entry of type 08, and the lesser of two duties."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from customs.law import LawError
from customs.tariff.rounding import total
from customs.us.lines import CustomsEntry, DutyLine, EntryLine, Explanation, Reduction

PAYABLE_DAYS: Final = 60
"""Duty is payable before the 61st day after export, and evidence counts up to then (19 USC 81c(a))."""

COUNTRIES: Final = frozenset({"CA", "MX"})


class ExportRefused(LawError):
    """An entry of type 08 that is none, or evidence that does not count."""


class ForeignDuty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Proof of duty paid abroad on the goods of one line: in US dollars, with the day it was laid before
    customs and what it is.
    """

    line: str
    country: str
    paid: Decimal
    exported: date
    shown: date
    evidence: str


def payable_by(exported: date) -> date:
    """The last day to pay: duty is due before the 61st day after export (19 USC 81c(a))."""
    return exported + timedelta(days=PAYABLE_DAYS)


def reductions(
    entry: CustomsEntry, duties: Sequence[DutyLine], abroad: Sequence[ForeignDuty]
) -> tuple[Reduction, ...]:
    """What the duty of an entry of type 08 is less by: for each line at most the lesser of the duty owed here
    and that proved abroad (19 USC 81c(a); 19 CFR 181.53, 182.53(a)(2)). The fee is never less.

    Duties that are not refundable are not reduced (182.42: AD and CVD; for programs an own reading). Raises
    `ExportRefused` for goods that leave as they came, which owe nothing and need no such entry, and for
    evidence that is late, of another country, or of no line.
    """
    if entry.kind != "08":
        if abroad:
            raise ExportRefused(
                f"Duty paid abroad reduces entries of type 08; {entry.number} is {entry.kind}."
            )
        return ()
    by_line = {line.line: line for line in entry.lines}
    for line in entry.lines:
        if not (line.made or line.altered):
            raise ExportRefused(
                f"Line {line.line} leaves as it came: export it without duty, not on an entry of type 08."
            )
    return tuple(_reduction(proof, by_line, duties) for proof in _one_for_each(abroad))


def _one_for_each(abroad: Sequence[ForeignDuty]) -> Sequence[ForeignDuty]:
    lines = [proof.line for proof in abroad]
    twice = sorted({line for line in lines if lines.count(line) > 1})
    if twice:
        raise ExportRefused(f"Line {twice[0]} has two proofs of duty abroad. Add them up in one.")
    return abroad


def _reduction(proof: ForeignDuty, by_line: dict[str, EntryLine], duties: Sequence[DutyLine]) -> Reduction:
    if proof.line not in by_line:
        raise ExportRefused(f"{proof.evidence} is about line {proof.line}, which the entry does not have.")
    if proof.country not in COUNTRIES:
        raise ExportRefused(f"{proof.evidence} is of {proof.country}; only CA and MX count.")
    if proof.paid < 0:
        raise ExportRefused(f"{proof.evidence} states a duty of {proof.paid}. Correct it.")
    if not proof.exported <= proof.shown <= payable_by(proof.exported):
        raise ExportRefused(
            f"{proof.evidence} was shown on {proof.shown}; it counts from export on {proof.exported} "
            f"to {payable_by(proof.exported)}."
        )
    here = total(*(duty.amount for duty in duties if duty.line == proof.line and duty.refundable))
    less = min(here, proof.paid)
    why = Explanation(
        f"less the lesser of {here:,f} here and {proof.paid:,f} in {proof.country} ({proof.evidence})",
        "19 USC 81c(a)",
        less,
        less,
    )
    return Reduction(proof.line, less, why)
