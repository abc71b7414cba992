# SPDX-License-Identifier: Apache-2.0
"""The harbor maintenance fee: owed once, at unlading from a vessel at a listed port, whatever the status.

It asks for the conveyance that brought the goods to the country. The truck at the zone's door is none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec

from customs.law import HarborPort, HarborRate, Law, LawError, RowRef
from customs.tariff.rates import percent
from customs.tariff.rounding import Rounding, times, total
from customs.us.lines import Explanation, FeeLine
from customs.us.valuation import dutiable
from customs.zone import AdmissionLine, Mode

QUARTER_FREE_MAX: Final = Decimal(10_000)
"""US dollars: no payment when all goods of a quarter are worth no more (19 CFR 24.24(d)(4))."""


class HarborRefused(LawError):
    """A fee that is not computed: the message says why."""


class HarborQuarter(msgspec.Struct, frozen=True):
    """The quarter's fee as form 349 states it: lines with their fee, their value, and what is paid."""

    lines: tuple[FeeLine, ...]
    value: Decimal
    fee: Decimal
    payable: Decimal
    why: Explanation


def harbor_fee(line: AdmissionLine, law: Law) -> FeeLine:
    """The fee of one admission line (19 CFR 24.24(a), (e)(2)): 0 unless a vessel unladed it at a listed port.

    Its day is that of import, else of admission. Shipments that could be entered informally owe none
    (24.24(d)(3)); the books hold lines, not shipments, so that is left to the one who pays. Raises
    `HarborRefused` when rate, port of unlading or day is not on file.
    """
    name = f"HMF {line.lot}"
    if line.mode is not Mode.VESSEL:
        return _none(name, f"came by {line.mode}: no harbor fee")
    on = _day(line)
    if line.port_unlading is None:
        raise HarborRefused(f"{line.lot} came by vessel and no port of unlading is stated. Complete the 214.")
    port = law.one(HarborPort, line.port_unlading, on)
    if port is None:
        return _none(name, f"unladed at {line.port_unlading}, which is no listed port on {on}: no harbor fee")
    rate = law.one(HarborRate, "hmf", on)
    if rate is None:
        raise HarborRefused(f"The harbor fee's rate on {on} is not on file. Import it.")
    value = dutiable(line.values)
    exact = times(value, rate.row.rate)
    why = Explanation(
        f"{value:,f} unladed from a vessel at {port.row.name}, at {percent(rate.row.rate)}",
        "19 CFR 24.24(a), (e)(2)(i)",
        exact,
        Rounding.CENT_HALF_UP(exact),
        refs=(rate.ref, port.ref),
        rounding=Rounding.CENT_HALF_UP.name,
    )
    return FeeLine(name, value, why.rounded, (why,))


def harbor_quarter(lines: Sequence[AdmissionLine], law: Law) -> HarborQuarter:
    """The fees of a quarter's admissions (19 CFR 24.24(d)(4), (e)(2)(iii)): nothing is paid when the goods of
    the quarter are worth 10,000 dollars or less.

    Raises `HarborRefused`.
    """
    fees = tuple(harbor_fee(line, law) for line in lines)
    value = total(*(fee.base for fee in fees))
    fee = total(*(each.amount for each in fees))
    payable = fee if value > QUARTER_FREE_MAX else Decimal(0)
    words = f"goods of the quarter worth {value:,f}"
    why = Explanation(words, "19 CFR 24.24(d)(4), (e)(2)(iii)", fee, payable, refs=_refs(fees))
    return HarborQuarter(fees, value, fee, payable, why)


def _day(line: AdmissionLine) -> date:
    on = line.import_date or line.admitted
    if on is None:
        raise HarborRefused(f"{line.lot} has neither a day of import nor of admission. Complete the 214.")
    return on


def _none(name: str, words: str) -> FeeLine:
    nothing = Decimal(0)
    return FeeLine(name, nothing, nothing, (Explanation(words, "19 CFR 24.24(a)", nothing, nothing),))


def _refs(fees: Sequence[FeeLine]) -> tuple[RowRef, ...]:
    return tuple(sorted({ref for fee in fees for why in fee.why for ref in why.refs}))
