# SPDX-License-Identifier: Apache-2.0
"""Rows of law as a page shows them: which concern a product on a day, and a rate in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec

from central.web.shapes import quantity
from customs.law import (
    AdCvdCase,
    Found,
    Law,
    LawError,
    LawRow,
    Program,
    Quota,
    Rate,
    RateDate,
    RowRef,
    TariffRow,
)
from customs.tariff.cases import suspects
from customs.tariff.columns import column_of, tariff_row
from customs.tariff.programs import covering
from customs.tariff.rates import percent
from customs.zone import CustomsProduct

_ROUNDED: Final = {
    "CENT_HALF_UP": "to the cent",
    "DOLLAR_159_3": "to the dollar, 19 CFR 159.3",
    "UNITS_159_3": "to the unit, 19 CFR 159.3",
}

_RATE_DAYS: Final = {
    RateDate.PF_FILING: "the day of privileged filing",
    RateDate.ENTRY: "the day of entry",
    RateDate.ADMISSION: "the day of admission",
}


class Concern(msgspec.Struct, frozen=True):
    """One row of law that concerns a product, in words; `mark` says how the row is vouched for."""

    kind: str
    name: str
    rate: str
    says: str
    valid_from: date
    valid_to: date | None
    source: str
    mark: str
    ref: RowRef


def concerns(law: Law, product: CustomsProduct, on: date) -> list[Concern]:
    """Rows that concern a product on a day: its rate, programs, cases, quotas."""
    if product.hts is None:
        return []
    try:
        return list(_concerns(law, product.hts, product.origin, on))
    except LawError:
        return []


def rate_words(rate: Rate | None) -> str:
    """A rate as people write it: `free`, `5 %`, `0.03 USD/NO + 5 %`."""
    if rate is None:
        return ""
    if rate.code == "0":
        return "free"
    parts = []
    if rate.specific is not None:
        unit = rate.unit2 if rate.code in ("2", "5") else rate.unit1
        parts.append(f"{quantity(rate.specific)} USD/{unit or 'unit'}")
    if rate.other is not None:
        parts.append(f"{quantity(rate.other)} USD/{rate.unit2 or 'unit'}")
    if rate.advalorem is not None:
        parts.append(percent(rate.advalorem))
    return " + ".join(parts) or f"code {rate.code}"


def _concerns(law: Law, hts: str, origin: str, on: date) -> Iterator[Concern]:
    column, _ = column_of(law, origin, on)
    rate = tariff_row(law, hts, column, on)
    if rate is not None:
        yield _told(rate, rate.row.hts, rate.row.rate, rate.row.description or rate.row.text)
    for program in covering(law, hts, origin, on):
        yield _told(program, program.row.id, program.row.rate, _program(program.row))
    for case in suspects(law, hts, origin, on):
        says = f"{case.row.remedy} case" + (", privileged status required" if case.row.pf_required else "")
        yield _told(case, case.row.number, case.row.rate, says)
    for quota in law.every(Quota, on):
        if quota.row.covers(hts, origin):
            says = f"{quota.row.limit} quota, opens {quota.row.opens}"
            yield _told(quota, quota.row.id, quota.row.rate, says)


def _program(row: Program) -> str:
    pf = "privileged status required" if row.pf_required else "any status"
    drawback = "drawback allowed" if row.drawback else "no drawback"
    return f"{row.name}: {pf}, {drawback}, rate of {_RATE_DAYS[row.rate_date]}"


def _told(found: Found[TariffRow] | Found[Program] | Found[AdCvdCase] | Found[Quota], name: str,
          rate: Rate | None, says: str) -> Concern:  # fmt: skip
    row: LawRow = found.row
    kind = str(type(row).__struct_config__.tag)
    return Concern(
        kind,
        name,
        rate_words(rate),
        says,
        row.valid_from,
        row.valid_to,
        row.source,
        row.mark.value,
        found.ref,
    )


def rounding_words(policy: str) -> str:
    """A rounding policy in words."""
    return _ROUNDED.get(policy, policy)


def money(value: Decimal) -> str:
    """US dollars and cents, grouped."""
    return f"{value:,.2f}"
