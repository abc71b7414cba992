# SPDX-License-Identifier: Apache-2.0
"""The merchandise processing fee of a customs entry, with the limits of its fiscal year.

An unknown fiscal year is refused: a fee by last year's limits would be a wrong figure that looks right.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from customs.documents import Status
from customs.law import FeeLimits, Found, Law, LawError, Preference, RowRef, begins
from customs.tariff.rates import percent
from customs.tariff.rounding import Rounding, times, total
from customs.us.lines import Basis, CustomsEntry, Explanation, FeeLine

CHAPTER_98: Final = ("98",)
PARTLY_DUTIABLE: Final = ("98020060", "98020080")


class UnknownYear(LawError):
    """The fee's limits of a fiscal year are not on file."""


class FeeRefused(LawError):
    """A fee that is not computed: the message says why."""


def fiscal_year(on: date) -> int:
    """The fiscal year of a day: it begins on 1 October (19 CFR 24.23, preamble)."""
    return on.year + (on.month >= 10)


def limits_on(law: Law, entry_date: date) -> Found[FeeLimits]:
    """Rate and limits of the fiscal year in which goods are entered (19 CFR 24.23(b)(1); 19 USC 58c(a)(9)(A),
    (b)(8)(A)).

    Raises `UnknownYear`.
    """
    found = law.one(FeeLimits, "mpf", entry_date)
    if found is None:
        raise UnknownYear(
            f"FY{fiscal_year(entry_date)} limits of the merchandise processing fee are not on file for "
            f"{entry_date}. Import the fee limits of that year."
        )
    return found


def processing_fee(entry: CustomsEntry, bases: Sequence[Basis], law: Law) -> FeeLine | None:
    """The fee of one customs entry, on the value of its privileged and non-privileged content alone (19 USC
    58c(b)(8)(D)(vi)): neither domestic content nor what the zone added. None when no line bears it.

    One fee for the entry, with its least and most (19 CFR 24.23(b)(1)(i)(B)); a supplement is an entry of its
    own. Exempt are chapter 98 and originating goods (24.23(c)); agricultural products of the United States
    pay on their container alone (24.23(c)(4)). Raises `UnknownYear`, `FeeRefused`.
    """
    limits = limits_on(law, entry.entry_date)
    shares = [_share(basis, entry.entry_date, law) for basis in bases]
    bearing = [value for value, _ in shares if value is not None]
    told = [why for _, why in shares if why is not None]
    if not bearing:
        return None
    base = total(*bearing)
    section = "19 USC 58c(b)(8)(D)(vi)"
    told.append(Explanation(f"value of foreign content on {len(bearing)} lines", section, base, base))
    steps = [_ad_valorem(base, limits)]
    steps += _limited(steps[-1].rounded, limits)
    if entry.on_paper:
        steps.append(_surcharged(steps[-1].rounded, limits))
    return FeeLine("MPF", base, steps[-1].rounded, (*told, *steps))


def _share(basis: Basis, on: date, law: Law) -> tuple[Decimal | None, Explanation | None]:
    """What of a basis bears the fee, None for nothing, and why it is not simply its value."""
    part, line = basis.part, basis.line
    own = part.status is Status.PF or not line.made
    hts = part.hts if own else line.hts
    if part.farm_container is not None:
        words = f"lot {part.lot}: US farm goods packed in the zone, fee on the container alone"
        return part.farm_container, _note(words, "19 CFR 24.23(c)(4)", part.farm_container)
    if begins(hts, PARTLY_DUTIABLE):
        raise FeeRefused(
            f"Lot {part.lot}: under 9802.00.60 and 9802.00.80 the fee is on the dutiable portion alone "
            "(24.23(c)(2)), which the books do not hold. Enter it by hand."
        )
    if begins(hts, CHAPTER_98):
        return None, _note(f"lot {part.lot}: chapter 98, no fee", "19 CFR 24.23(c)(1)(i)", Decimal(0))
    if part.spi is not None and own:
        preference = law.one(Preference, part.spi, on)
        if preference is not None and preference.row.mpf_exempt and part.origin in preference.row.origins:
            words = f"lot {part.lot}: originating goods of {part.origin} ({part.spi}), no fee"
            return None, _note(words, "19 CFR 24.23(c)", Decimal(0), preference.ref)
    return basis.value, None


def _note(words: str, section: str, figure: Decimal, *refs: RowRef) -> Explanation:
    return Explanation(words, section, figure, figure, refs=refs)


def _ad_valorem(base: Decimal, limits: Found[FeeLimits]) -> Explanation:
    exact = times(base, limits.row.rate)
    return Explanation(
        f"{base:,f} at {percent(limits.row.rate)}",
        "19 CFR 24.23(b)(1)(i)(A)",
        exact,
        Rounding.CENT_HALF_UP(exact),
        refs=(limits.ref,),
        rounding=Rounding.CENT_HALF_UP.name,
    )


def _limited(fee: Decimal, limits: Found[FeeLimits]) -> list[Explanation]:
    row = limits.row
    limited = min(max(fee, row.minimum), row.maximum)
    if limited == fee:
        return []
    words = f"{'least' if limited > fee else 'most'} of FY{row.fiscal_year} is {limited}"
    return [Explanation(words, "19 CFR 24.23(b)(1)(i)(B)", limited, limited, refs=(limits.ref,))]


def _surcharged(fee: Decimal, limits: Found[FeeLimits]) -> Explanation:
    surcharge = limits.row.manual_surcharge
    if surcharge is None:
        raise FeeRefused(
            f"The surcharge of FY{limits.row.fiscal_year} on an entry filed by hand is not known. Import it."
        )
    fee = total(fee, surcharge)
    words = f"with the surcharge of {surcharge} for filing by hand"
    return Explanation(words, "19 CFR 24.23(b)(1)(ii)", fee, fee, refs=(limits.ref,))
