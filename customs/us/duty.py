# SPDX-License-Identifier: Apache-2.0
"""Duty on goods that are entered from a zone, explained figure by figure.

Privileged goods owe by their own number at the day of their filing; other foreign goods by the number and on
the day of entry, so that a good made of them owes its own rate; domestic content owes nothing. Additional
programs and antidumping and countervailing duties stand beside the ordinary duty. Fees are elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal, NamedTuple

import msgspec

from customs.documents import Status
from customs.law import SERVED, Law, LawError, Rate, RowRef
from customs.tariff.cases import deposits
from customs.tariff.columns import normal_rate, preferential_rate
from customs.tariff.programs import LawDays, owed_programs
from customs.tariff.quotas import QuotaStanding, Standing, standings
from customs.tariff.rates import Measure, duty_parts, needs
from customs.tariff.rounding import Rounding, total
from customs.us.lines import Basis, ContentLine, CustomsEntry, DutyLine, EntryLine, Explanation
from customs.us.valuation import dutiable, whole_dollars

FOREIGN: Final = frozenset({Status.PF, Status.NPF})

LOW_SPECIFIC_MAX: Final = Decimal(1)
"""US dollars for a unit: up to this rate quantities count in whole units (19 CFR 159.3(b))."""


class DutyRefused(LawError):
    """Goods whose duty is not computed: the message says why."""


def foreign_bases(entry: CustomsEntry) -> tuple[Basis, ...]:
    """The privileged and non-privileged content of an entry with the value that duties and fees stand on:
    exact, or in whole dollars on a summary (19 CFR 146.65(b), 159.3(a)). Domestic content is no part of it.

    Raises `DutyRefused` for content that cannot be entered for consumption.
    """
    content = [(line, part) for line in entry.lines for part in line.parts() if _is_foreign(line, part)]
    values: Sequence[Decimal] = [dutiable(part.values) for _, part in content]
    if entry.stage == "summary":
        values = whole_dollars(values)
    return tuple(Basis(line, part, value) for (line, part), value in zip(content, values, strict=True))


def entry_duties(entry: CustomsEntry, bases: Sequence[Basis], law: Law) -> tuple[DutyLine, ...]:
    """All duties that an entry owes on its `foreign_bases`, in their order (19 CFR 146.65(a); 19 USC 81c(a):
    privileged content by its own number on the quantity used, other foreign content by the article's number,
    domestic content free).

    Lots of one owner that owe the same rate of the same number, origin, status and day are one line of the
    summary: what they owe is rounded once, to the cent, and each lot's part closes to it. Raises
    `DutyRefused` with the line in front when one cannot be computed.
    """
    duties: list[_Exact] = []
    for basis in bases:
        try:
            duties += _Goods(entry, basis, law).duties()
        except LawError as error:
            raise DutyRefused(f"Line {basis.line.line}, lot {basis.part.lot}: {error}") from error
    return tuple(_closed(duties))


def rate_day(part: ContentLine, entry_date: date) -> date:
    """The day whose class and rate goods owe: of filing for privileged goods (19 CFR 146.65(a)(1)), of entry
    for all others (146.65(a)(2)).

    Raises `DutyRefused` for privileged goods without a filing day.
    """
    if part.status is not Status.PF:
        return entry_date
    if part.dates.pf_filed is None:
        raise DutyRefused("The goods are privileged and the day of their filing is not on the books.")
    return part.dates.pf_filed


class _Exact(NamedTuple):
    """A duty before it is rounded, and the line of the summary that it is a part of."""

    summary: tuple[object, ...]
    duty: DutyLine


def _closed(duties: Sequence[_Exact]) -> Iterator[DutyLine]:
    """Each duty in cents: what all of its line up to it are in cents, less what the earlier ones got."""
    exact: dict[tuple[object, ...], Decimal] = {}
    given: dict[tuple[object, ...], Decimal] = {}
    for summary, duty in duties:
        exact[summary] = total(exact.get(summary, _ZERO), duty.why.exact)
        amount = total(Rounding.CENT_HALF_UP(exact[summary]), -given.get(summary, _ZERO))
        given[summary] = total(given.get(summary, _ZERO), amount)
        why = msgspec.structs.replace(duty.why, rounded=amount, rounding=Rounding.CENT_HALF_UP.name)
        yield msgspec.structs.replace(duty, amount=amount, why=why)


_ZERO: Final = Decimal(0)


def _is_foreign(line: EntryLine, part: ContentLine) -> bool:
    if part.status in FOREIGN:
        return True
    if part.status is Status.DOMESTIC:
        return False
    words = "is zone-restricted (146.70)" if part.status is Status.RESTRICTED else "has no zone status yet"
    raise DutyRefused(f"Line {line.line}, lot {part.lot} {words}: it is not entered for consumption.")


@dataclass(frozen=True, slots=True)
class _Goods:
    """One basis on its way to its duties."""

    entry: CustomsEntry
    basis: Basis
    law: Law

    def duties(self) -> Iterator[_Exact]:
        part = self.basis.part
        hts = part.hts if self._privileged or not self.basis.line.made else self.basis.line.hts
        if hts is None:
            raise DutyRefused("The goods have no tariff number. Classify the product.")
        yield self._ordinary(hts)
        yield from self._programs(hts)
        yield from self._deposits(hts)

    @property
    def _privileged(self) -> bool:
        return self.basis.part.status is Status.PF

    def _ordinary(self, hts: str) -> _Exact:
        part, line = self.basis.part, self.basis.line
        on = rate_day(part, self.entry.entry_date)
        limited = self._quota(hts, on)
        if limited is not None:
            quota = limited.quota
            if quota.row.rate is None:
                raise DutyRefused(f"Quota {quota.row.id} has no over-quota rate on file. Complete its row.")
            return self._duty(hts, "ordinary", quota.row.id, quota.row.rate, limited.words, on, (quota.ref,))
        if part.spi is not None and (self._privileged or not line.made):
            unchanged = not (line.made or line.altered or self._privileged)
            found, preference = preferential_rate(
                self.law, hts, part.origin, part.spi, on, unchanged=unchanged
            )
            name = f"{part.spi} rate of {found.row.hts}"
            return self._duty(
                hts, "ordinary", part.spi, found.row.rate, name, on, (found.ref, preference.ref)
            )
        found, listed = normal_rate(self.law, hts, part.origin, on)
        refs = (found.ref,) if listed is None else (found.ref, listed.ref)
        name = f"{'general' if listed is None else 'column 2'} rate of {found.row.hts}"
        return self._duty(hts, "ordinary", found.row.column, found.row.rate, name, on, refs)

    def _quota(self, hts: str, on: date) -> QuotaStanding | None:
        """The tariff-rate quota whose higher rate is owed. Raises when a quota holds the goods."""
        origin = self.basis.part.origin
        for standing in standings(self.law, hts, origin, self.entry.entry_date, privileged=self._privileged):
            if standing.standing in (Standing.HELD, Standing.REFUSED):
                raise DutyRefused(standing.words)
        found = standings(self.law, hts, origin, on, privileged=self._privileged)
        over = [standing for standing in found if standing.standing is Standing.OVER_QUOTA]
        return over[0] if over else None

    def _programs(self, hts: str) -> Iterator[_Exact]:
        part = self.basis.part
        pf_filed = part.dates.pf_filed if self._privileged else None
        days = LawDays(self.entry.entry_date, pf_filed, part.dates.admitted)
        for owed in owed_programs(self.law, hts, part.origin, days):
            row, ref = owed.program.row, owed.program.ref
            rate, name = row.rate, row.name
            refs: tuple[RowRef, ...] = (ref,)
            if owed.relief is not None:
                rate, refs = owed.relief.row.rate, (ref, owed.relief.ref)
                name = f"{name}, with relief {owed.relief.row.id}"
            on = days.of(row.rate_date)
            yield self._duty(hts, "program", row.id, rate, name, on, refs, refundable=row.drawback)

    def _deposits(self, hts: str) -> Iterator[_Exact]:
        part = self.basis.part
        if part.adcvd and self.basis.line.made and not self._privileged:
            raise DutyRefused("Content under an AD or CVD case must be privileged (15 CFR 400.14(e)).")
        on = self.entry.entry_date
        for case in deposits(self.law, part.origin, part.producer, part.adcvd, on):
            row = case.row
            name = f"deposit of case {row.number}"
            yield self._duty(hts, row.remedy, row.number, row.rate, name, on, (case.ref,), refundable=False)

    def _measures(self, rate: Rate) -> tuple[Measure, ...]:
        """The quantities a rate applies to: the goods' own, or those of the good that was made of them."""
        part, line = self.basis.part, self.basis.line
        if rate.code not in SERVED or not any(needs(rate.code)):
            return ()
        measures = part.measures
        if line.made and not self._privileged:
            if len(line.parts()) > 1:
                raise DutyRefused(
                    "The good has a specific rate and several contents; the law's words do not say how its "
                    "quantity is shared among them. Ask for a ruling and enter it by hand."
                )
            measures = line.measures
        if self.entry.stage == "estimate" or (rate.specific or Decimal(0)) > LOW_SPECIFIC_MAX:
            return measures
        return tuple(Measure(Rounding.UNITS_159_3(each.amount), each.unit) for each in measures)

    def _duty(
        self,
        hts: str,
        kind: Literal["ordinary", "program", "AD", "CVD"],
        name: str,
        rate: Rate,
        words: str,
        on: date,
        refs: tuple[RowRef, ...],
        *,
        refundable: bool = True,
    ) -> _Exact:
        part = self.basis.part
        parts = duty_parts(rate, self.basis.value, self._measures(rate))
        exact = total(*(each.exact for each in parts))
        how = " + ".join(each.words for each in parts) or "free"
        what = "PF filing" if self._privileged else "entry"
        why = Explanation(
            text=f"{how}: {words}, on {on} ({what} {rate_day(part, self.entry.entry_date)})",
            section="19 CFR 146.65(a)(1)" if self._privileged else "19 CFR 146.65(a)(2)",
            exact=exact,
            rounded=exact,
            inputs=(
                ("lot", part.lot),
                ("tariff number", hts),
                ("origin", part.origin),
                ("dutiable value", f"{self.basis.value:f}"),
                ("quantity", f"{part.quantity:f} {part.unit}"),
            ),
            refs=refs,
        )
        duty = DutyLine(self.basis.line.line, part.lot, kind, name, exact, refundable, why)
        summary = (
            self.basis.line.owner,
            kind,
            name,
            hts,
            part.origin,
            part.status,
            part.dates.pf_filed,
            refs,
        )
        return _Exact(summary, duty)
