# SPDX-License-Identifier: Apache-2.0
"""Which rate of a tariff number goods owe: general, column 2 by their origin, or a preference they claim."""

from __future__ import annotations

from datetime import date
from typing import Final

from customs.law import HTS_DIGITS, ColumnTwo, Found, Law, LawError, Preference, TariffRow, digits

GENERAL: Final = "general"
COLUMN_TWO: Final = "2"


class NoRate(LawError):
    """No row answers for the goods on the day."""


class PreferenceRefused(LawError):
    """A preference was claimed that the goods do not have."""


def tariff_row(law: Law, hts: str, column: str, on: date) -> Found[TariffRow] | None:
    """The row of a tariff number in a column on a day: of its ten digits, else of the eight, six or four that
    it lies under (HTSUS general note 3; rates stand at eight digits, finer and coarser rows are data's own).
    """
    number = digits(hts)
    for length in HTS_DIGITS:
        if length <= len(number):
            found = law.one(TariffRow, f"{number[:length]}/{column}", on)
            if found is not None:
                return found
    return None


def column_of(law: Law, origin: str, on: date) -> tuple[str, Found[ColumnTwo] | None]:
    """The column for goods of a country on a day (HTSUS general note 3(a)-(b)), and the row that says so
    when it is column 2.
    """
    listed = law.one(ColumnTwo, origin, on)
    return (GENERAL, None) if listed is None else (COLUMN_TWO, listed)


def normal_rate(
    law: Law, hts: str, origin: str, on: date
) -> tuple[Found[TariffRow], Found[ColumnTwo] | None]:
    """The rate without a preference (HTSUS general note 3(a)-(b)).

    Raises `NoRate`: goods without a row are never free.
    """
    column, listed = column_of(law, origin, on)
    found = tariff_row(law, hts, column, on)
    if found is None:
        named = "column 2" if column == COLUMN_TWO else "general"
        raise NoRate(f"No {named} rate of {hts} on {on} is on file. Import the tariff rows of that day.")
    return found, listed


def preferential_rate(
    law: Law, hts: str, origin: str, spi: str, on: date, *, unchanged: bool
) -> tuple[Found[TariffRow], Found[Preference]]:
    """The rate of a claimed preference (HTSUS general note 3(c)). `unchanged`: the goods are non-privileged
    and in the condition they were admitted in, which some preferences ask of goods from a zone (C.S.D.
    80-188, as the manual tells it).

    Raises `PreferenceRefused`, or `NoRate` when the number has no rate under the symbol.
    """
    preference = law.one(Preference, spi, on)
    if preference is None:
        raise PreferenceRefused(f"Preference {spi} is not in force on {on} by the rows on file.")
    if origin not in preference.row.origins:
        raise PreferenceRefused(
            f"Goods of {origin} cannot claim {spi} on {on}. Take the symbol off the line."
        )
    if preference.row.same_condition and not unchanged:
        raise PreferenceRefused(
            f"{spi} is for non-privileged goods that leave as they came. Take the symbol off the line."
        )
    found = tariff_row(law, hts, spi, on)
    if found is None:
        raise NoRate(
            f"No {spi} rate of {hts} on {on} is on file. Import it, or take the symbol off the line."
        )
    return found, preference
