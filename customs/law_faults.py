# SPDX-License-Identifier: Apache-2.0
"""What is wrong with rows of law before they are let in: each row in itself, and rows against each other.

Finds everything at once, with row numbers; whoever imports says in which file. Reads no file.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from customs.known import KNOWN_ALL
from customs.law import (
    ANY,
    HTS_DIGITS,
    SERVED,
    UNSERVED,
    AdCvdCase,
    Ambiguous,
    AnyRow,
    Dataset,
    FeeLimits,
    HarborPort,
    HarborRate,
    LawBook,
    LawRow,
    Program,
    Quota,
    Rate,
    ScopedRow,
    TariffRow,
    digits,
)
from customs.tariff.rates import same_rate
from customs.tariff.text import printed_rate

ADVALOREM_MAX: Final = Decimal(4)
"""400 %: the highest line of the tariff is 350 %, and 25 where 0.25 was meant is found."""

DEPOSIT_MAX: Final = Decimal(50)
"""5,000 %: antidumping deposits reach four digits of percent."""

SPECIFIC_MAX: Final = Decimal(100_000)
"""US dollars for a unit; no line of the tariff comes near."""

DECIMALS_MAX: Final = 8
"""Digits of a rate behind the point; the tariff uses up to five."""

FEE_RATE_MAX: Final = Decimal("0.1")
"""Ten percent: user fees are tenths of one."""

_PARTS: Final = {
    "0": (),
    "1": ("specific", "unit1"),
    "2": ("specific", "unit2"),
    "3": ("specific", "unit1", "other", "unit2"),
    "4": ("specific", "unit1", "advalorem"),
    "5": ("specific", "unit2", "advalorem"),
    "6": ("specific", "unit1", "other", "unit2", "advalorem"),
    "7": ("advalorem",),
}
_COLUMN: Final = re.compile(r"(?:general|2|[A-Z][A-Z0-9]{0,2}[+*#]?)\Z")
_ORIGIN: Final = re.compile(r"[A-Z]{2}\Z")
_HEADING: Final = re.compile(r"[0-9]{2,10}\Z")
_NEW: Final = "new"


class RowFault(msgspec.Struct, frozen=True):
    """One thing wrong with a row: its number from 1, the field, what came, what was expected, what to do."""

    row: int
    column: str
    got: str
    expected: str
    next: str


_Make = Callable[[str, object, str, str], RowFault]


def law_faults(
    rows: Sequence[AnyRow],
    book: LawBook | None = None,
    supersedes_from: date | None = None,
    named: Callable[[int], str] = "row {}".format,
) -> list[RowFault]:
    """Everything wrong with rows that are to join a book, in the order of the rows; empty when they may.

    Two rows of one key that hold on one day are a fault of the later one, also when the earlier is in the
    book already and `supersedes_from` does not end it. `named` calls a row as its file does.
    """
    book = book or LawBook()
    found = [fault for number, row in enumerate(rows, 1) for fault in _own(number, row)]
    found += _overlaps(rows, book, supersedes_from, named)
    found += _rings(rows, book, supersedes_from)
    return sorted(found, key=lambda fault: fault.row)


def _own(number: int, row: AnyRow) -> Iterator[RowFault]:
    def fault(column: str, got: object, expected: str, next_step: str) -> RowFault:
        return RowFault(number, column, str(got)[:60], expected, next_step)

    if row.last_day() < row.valid_from:
        yield fault(
            "valid_to", row.last_day(), f"a day not before {row.valid_from}", "Exchange or correct the days."
        )
    if not row.source.strip():
        yield fault("source", "nothing", "where the row stands", "Name the notice, page or ruling.")
    if isinstance(row, ScopedRow):
        yield from _scope(fault, row)
    rate = getattr(row, "rate", None)
    if isinstance(rate, Rate):
        most = DEPOSIT_MAX if isinstance(row, AdCvdCase) else ADVALOREM_MAX
        yield from _rate(fault, rate, most)
    elif hasattr(row, "rate") and rate is None and not isinstance(row, Quota):
        yield fault("rate.code", "nothing", "the rate's code and parts", "Complete the rate.")
    if isinstance(row, TariffRow) and isinstance(rate, Rate):
        yield from _printed(fault, row)
    yield from _by_kind(fault, row)


def _scope(fault: _Make, row: ScopedRow) -> Iterator[RowFault]:
    if not row.headings:
        yield fault("headings", "none", "tariff numbers or their beginnings", "Name at least one.")
    for column in ("headings", "except_headings"):
        for heading in getattr(row, column):
            if not _HEADING.match(digits(heading)):
                yield fault(column, heading, "2 to 10 digits of a tariff number", "Correct the number.")
    for column in ("origins", "except_origins"):
        for origin in getattr(row, column):
            if not (_ORIGIN.match(origin) or (origin == ANY and column == "origins")):
                yield fault(column, origin, "two capital letters of a country, or *", "Correct the country.")
    if not row.origins:
        yield fault("origins", "none", "countries, or * for all", "Name them.")


def _rate(fault: _Make, rate: Rate, advalorem_max: Decimal) -> Iterator[RowFault]:
    if rate.code in UNSERVED:
        return
    if rate.code not in SERVED:
        known = ", ".join((*sorted(SERVED), *UNSERVED))
        yield fault("rate.code", rate.code, f"one of {known}", "Take the code from the tariff's code key.")
        return
    wanted = _PARTS[rate.code]
    for part in ("specific", "advalorem", "other", "unit1", "unit2"):
        value = getattr(rate, part)
        if part in wanted and value in (None, ""):
            yield fault(
                f"rate.{part}", "nothing", f"a value, as code {rate.code} has one", "Complete the rate."
            )
        elif isinstance(value, Decimal):
            if part not in wanted:
                next_step = "Take it out, or correct the code."
                yield fault(
                    f"rate.{part}", value, f"nothing, as code {rate.code} has no such part", next_step
                )
            most = advalorem_max if part == "advalorem" else SPECIFIC_MAX
            yield from _number(fault, f"rate.{part}", value, most)


def _printed(fault: _Make, row: TariffRow) -> Iterator[RowFault]:
    """A printed rate that is understood is the rate of its row."""
    printed = printed_rate(row.text) if row.text else row.rate
    if printed.code != "X" and not same_rate(printed, row.rate):
        expected = f"the rate of the row, which is of code {row.rate.code}"
        yield fault("text", row.text, expected, "Correct the rate's parts or its text.")


def _number(fault: _Make, column: str, value: Decimal, most: Decimal) -> Iterator[RowFault]:
    if not value.is_finite() or not 0 <= value <= most:
        yield fault(column, value, f"0 to {most:f}; 5 % is 0.05", "Correct the figure.")
    elif -int(value.as_tuple().exponent) > DECIMALS_MAX:
        yield fault(column, value, f"at most {DECIMALS_MAX} decimals", "Correct the figure.")


def _by_kind(fault: _Make, row: AnyRow) -> Iterator[RowFault]:
    if isinstance(row, TariffRow):
        number = digits(row.hts)
        if not (number.isascii() and number.isdigit()) or len(number) not in HTS_DIGITS:
            yield fault("hts", row.hts, "4, 6, 8 or 10 digits", "Write the whole tariff number.")
        if not _COLUMN.match(row.column):
            yield fault("column", row.column, "general, 2 or a preference's symbol", "Correct the column.")
    elif isinstance(row, Program) and row.id in row.excludes:
        yield fault("excludes", row.id, "other programs", "Take the program's own id out.")
    elif isinstance(row, Quota):
        yield from _quota(fault, row)
    elif isinstance(row, FeeLimits):
        yield from _fee(fault, row)
    elif isinstance(row, HarborRate):
        yield from _number(fault, "rate", row.rate, FEE_RATE_MAX)
    elif isinstance(row, HarborPort) and not re.fullmatch(r"[0-9]{4}", row.code):
        yield fault("code", row.code, "four digits of Schedule D", "Correct the port.")


def _quota(fault: _Make, row: Quota) -> Iterator[RowFault]:
    if not row.valid_from <= row.opens <= row.last_day():
        yield fault("opens", row.opens, "a day of the quota's period", "Correct the opening or the period.")
    if row.closed_on is not None and not row.opens <= row.closed_on <= row.last_day():
        yield fault(
            "closed_on", row.closed_on, f"a day from {row.opens} on in the period", "Correct the day."
        )
    if row.limit == "tariff-rate" and row.rate is None:
        yield fault("rate", "nothing", "the over-quota rate", "Complete the row.")


def _fee(fault: _Make, row: FeeLimits) -> Iterator[RowFault]:
    yield from _number(fault, "rate", row.rate, FEE_RATE_MAX)
    for column in ("minimum", "maximum", "manual_surcharge"):
        value = getattr(row, column)
        if value is not None:
            yield from _number(fault, column, value, SPECIFIC_MAX)
    if row.minimum.is_finite() and row.maximum.is_finite() and row.minimum > row.maximum:
        yield fault("maximum", row.maximum, f"at least the minimum {row.minimum}", "Exchange the two.")
    if row.last_day() > date(row.fiscal_year, 12, 31):
        # The limits of 2017 ran on to the end of that year; none ran further.
        expected = f"a day not after {row.fiscal_year}-12-31, for FY{row.fiscal_year} ends on 30 September"
        yield fault("valid_to", row.last_day(), expected, "Give the next fiscal year a row of its own.")


class _Span(msgspec.Struct, frozen=True):
    first: date
    last: date
    name: str
    number: int
    """Of the new row; 0 for one that is in the book already."""


def _overlaps(
    rows: Sequence[AnyRow], book: LawBook, supersedes_from: date | None, named: Callable[[int], str]
) -> Iterator[RowFault]:
    spans: dict[tuple[type, str], list[_Span]] = defaultdict(list)
    for number, row in enumerate(rows, 1):
        for key in row.named():
            spans[type(row), key].append(_Span(row.valid_from, row.last_day(), named(number), number))
    for (kind, key), own in spans.items():
        found = [*own, *_in_book(book, kind, key, supersedes_from)]
        found.sort(key=lambda span: (span.first, span.number))
        last = found[0]
        for span in found[1:]:
            if span.first <= last.last and (span.number or last.number):
                later, earlier = (span, last) if span.number >= last.number else (last, span)
                yield RowFault(
                    later.number,
                    "valid_from",
                    f"{key} from {later.first}",
                    f"days on which no other row holds it, and {earlier.name} does on {span.first}",
                    "End the earlier row the day before, or load the file to supersede from a day.",
                )
            if span.last > last.last:
                last = span


def _in_book(book: LawBook, kind: type[LawRow], key: str, supersedes_from: date | None) -> Iterator[_Span]:
    entries = book.entries(kind, key)
    for entry in entries:
        ends = [other.supersedes_from for other in entries if other.place > entry.place]
        end = min((day for day in (*ends, supersedes_from) if day is not None), default=None)
        last = entry.row.last_day() if end is None else min(entry.row.last_day(), end - timedelta(days=1))
        if entry.row.valid_from <= last:
            yield _Span(entry.row.valid_from, last, f"{entry.ref} on file", 0)


def _rings(rows: Sequence[AnyRow], book: LawBook, supersedes_from: date | None) -> Iterator[RowFault]:
    programs = {number: row for number, row in enumerate(rows, 1) if isinstance(row, Program)}
    if not any(row.excludes for row in programs.values()):
        return
    joined = book.plus(Dataset(_NEW, KNOWN_ALL, tuple(rows), supersedes_from))
    for number, row in programs.items():
        try:
            on_day = [found.row for found in joined.at().every(Program, row.valid_from)]
        except Ambiguous:
            continue  # two rows of one id on that day, which is a fault already
        if _reaches_itself(row, on_day):
            yield RowFault(
                number,
                "excludes",
                ", ".join(row.excludes)[:60],
                "programs that do not exclude each other in a ring",
                "Say which of them applies.",
            )


def _reaches_itself(start: Program, programs: Iterable[Program]) -> bool:
    by_id = {program.id: program for program in programs}
    seen: set[str] = set()
    queue = [start]
    while queue:
        program = queue.pop()
        for name in program.excludes:
            other = by_id.get(name)
            if other is None or program.id in other.excludes:
                continue  # of two that exclude each other the order decides
            if other.id == start.id:
                return True
            if other.id not in seen:
                seen.add(other.id)
                queue.append(other)
    return False
