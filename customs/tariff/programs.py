# SPDX-License-Identifier: Apache-2.0
"""Additional duties: which programs goods fall under on which day, which of them stack, what relief there is.

Which day a program looks at is its own `rate_date`; the day for goods that are not in privileged status is
always that of entry.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from customs.law import Found, Law, LawError, Program, RateDate, Relief


class Ring(LawError):
    """Programs that exclude each other in a ring: the rows do not say which applies."""


class LawDays(msgspec.Struct, frozen=True):
    """The days of the law for goods: their entry and, if they are privileged, filing and admission."""

    entry: date
    pf_filed: date | None = None
    admitted: date | None = None

    def of(self, rate_date: RateDate) -> date:
        """The day whose rate goods owe: entry for all but privileged goods (19 CFR 146.65(a)).

        A privileged lot without a known admission day is taken at its filing.
        """
        if self.pf_filed is None or rate_date is RateDate.ENTRY:
            return self.entry
        if rate_date is RateDate.ADMISSION and self.admitted is not None:
            return self.admitted
        return self.pf_filed


class Owed(msgspec.Struct, frozen=True):
    """A program that applies, and the relief that takes the place of its rate, if there is one."""

    program: Found[Program]
    relief: Found[Relief] | None = None


def owed_programs(law: Law, hts: str, origin: str, days: LawDays) -> tuple[Owed, ...]:
    """The programs that goods owe, in stacking order, each by the row of its own day (19 CFR 146.65(a); the
    programs' own texts, as rows tell them).

    Raises `Ring` when exclusions run in a ring.
    """
    found: dict[str, Found[Program]] = {}
    for rate_date in RateDate:
        for program in covering(law, hts, origin, days.of(rate_date)):
            if program.row.rate_date is rate_date:
                known = found.get(program.row.id)
                if known is None or known.row.valid_from < program.row.valid_from:
                    found[program.row.id] = program
    applying = stacked(found.values())
    return tuple(Owed(program, _relief(law, hts, origin, program.row, days)) for program in applying)


def covering(law: Law, hts: str | None, origin: str, on: date) -> list[Found[Program]]:
    """The programs that name goods of this number and origin on a day; which of them stack is another
    question (`stacked`). Section: the programs' own texts.
    """
    return [found for found in law.every(Program, on) if found.row.covers(hts, origin)]


def stacked(programs: Iterable[Found[Program]]) -> list[Found[Program]]:
    """Those that apply together, in order: one that another applying program excludes does not. Of two that
    exclude each other the first in order applies. Section: the programs' own texts.

    Raises `Ring`.
    """
    ordered = sorted(programs, key=lambda found: (found.row.order, found.row.id))
    settled: dict[str, bool] = {}

    def applies(found: Found[Program], asking: tuple[str, ...]) -> bool:
        own = found.row.id
        if own in asking:
            raise Ring(
                f"Programs exclude each other in a ring: {', '.join((*asking, own))}. Correct the rows."
            )
        if own not in settled:
            settled[own] = not any(
                applies(other, (*asking, own)) for other in ordered if _excludes(other.row, found.row)
            )
        return settled[own]

    return [found for found in ordered if applies(found, ())]


def requiring_pf(law: Law, hts: str | None, origin: str, on: date) -> list[Found[Program]]:
    """The programs under which foreign goods are admitted in privileged status alone on that day (EO 14195
    s. 2(e), read; Sections 232 and 301, from memory). Goods eligible for domestic status are left out of it.
    """
    return [found for found in covering(law, hts, origin, on) if found.row.pf_required]


def _excludes(one: Program, other: Program) -> bool:
    if other.id not in one.excludes or one.id == other.id:
        return False
    mutual = one.id in other.excludes
    return not mutual or (one.order, one.id) < (other.order, other.id)


def _relief(law: Law, hts: str, origin: str, program: Program, days: LawDays) -> Found[Relief] | None:
    if days.pf_filed is None:
        return None
    for found in law.every(Relief, days.entry):
        row = found.row
        if row.program == program.id and row.covers(hts, origin) and days.pf_filed < row.pf_before:
            return found
    return None
