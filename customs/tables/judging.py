# SPDX-License-Identifier: Apache-2.0
"""Rows of a table against each other and against what is on file: doubles, overlaps, circles.

A dataset is never changed: one that comes later adds rows or, from the day that it names, supersedes those
under the same keys. Pure: what is on file is handed in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from customs.documents import Product
from customs.faults import Faults, shown
from customs.known import KNOWN_ALL
from customs.law import DAY_LAST, Ambiguous, Dataset, LawBook, LawRow
from customs.law_faults import law_faults
from customs.tables.bills import column_of
from customs.tables.kinds import RATE_NAMES, Kind, Row
from customs.tables.reading import Kept, Sheet
from customs.tariff.cases import CaseRefused
from customs.us.rulings import Refused
from customs.us.statuses import admission
from customs.works.boms import Bom, problems
from customs.works.permits import ActivityPermit, Authority
from customs.zone import AdmissionLine, CustomsProduct

ADMISSIONS: Final = "admission-line"
OPENINGS: Final = "opening-balance"
BOMS: Final = "bom"
LOCATIONS: Final = "location"


@dataclass(frozen=True, slots=True)
class Filed:
    """A row on file and where it is; `last` is the last day on which it holds, for what supersedes it."""

    row: Row
    where: str
    last: date = DAY_LAST


@dataclass(slots=True)
class OnFile:
    """What is on file of a table's kind, under the keys that the table names; of law and bills, all. `lots`
    are those that opening balances have where the table is of admissions, and those of admissions for the
    other. Goods that are not admitted yet will be `today` at the earliest.
    """

    rows: dict[str, list[Filed]] = field(default_factory=lambda: defaultdict(list))
    law: LawBook = field(default_factory=LawBook)
    lots: Collection[str] = ()
    today: date = date.min

    def add(self, sheet: Sheet) -> None:
        """Count the rows of another table of the same import as on file."""
        if sheet.kind.is_law:
            self.law = self.law.plus(law_of(sheet))
            return
        for kept in sheet.rows:
            where = f"{shown(sheet.file)}, {kept.cells.at('')}"
            self.rows[sheet.kind.key(kept.row)].append(Filed(kept.row, where, days_of(kept.row)[1]))


def law_of(sheet: Sheet) -> Dataset:
    """A table of law as the dataset that it will be."""
    rows = tuple(kept.row for kept in sheet.rows)
    return Dataset(sheet.sha256, KNOWN_ALL, rows, sheet.supersedes_from)  # type: ignore[arg-type]


def judge(sheet: Sheet, on_file: OnFile, products: Mapping[str, Product], faults: Faults) -> None:
    """Add every fault that the sound rows of a sheet have together and with what is on file."""
    if sheet.kind.name == BOMS:
        _judge_bills(sheet, on_file, products, faults)
    elif sheet.kind.is_law:
        _judge_law(sheet, on_file, faults)
    elif is_dated(sheet.kind):
        _judge_days(sheet, on_file, faults)
    else:
        _judge_keys(sheet, on_file, faults)
        _judge_statuses(sheet, on_file, faults)


def is_dated(kind: Kind) -> bool:
    """Whether rows of a kind hold from day to day, one row of a key at a time."""
    return kind.is_law or kind.row_type in (CustomsProduct, ActivityPermit, Authority)


def days_of(row: Any) -> tuple[date, date]:
    """The first and last day on which a row holds; all days for a row without dates."""
    if isinstance(row, LawRow):
        return row.valid_from, row.last_day()
    first: date = getattr(row, "valid_from", None) or date.min
    last: date = getattr(row, "valid_to", None) or DAY_LAST
    return first, last


def before(day: date) -> date:
    """The day before; there is none before the first."""
    return day - timedelta(days=1) if day > date.min else day


_LAW_COLUMNS: Final = {"rate": "code", **{f"rate.{part}": part for part in RATE_NAMES}}
"""Columns of what `customs.law_faults` calls a rate's parts."""


def _judge_law(sheet: Sheet, on_file: OnFile, faults: Faults) -> None:
    rows = [kept.row for kept in sheet.rows]
    found = law_faults(
        rows,  # type: ignore[arg-type]
        on_file.law,
        sheet.supersedes_from,
        lambda number: sheet.rows[number - 1].cells.at(""),
    )
    for fault in found:
        column = _LAW_COLUMNS.get(fault.column, fault.column)
        cells = sheet.rows[fault.row - 1].cells
        names = sheet.kind.names
        at = cells.at(column if column in names else names[0])
        faults.add(sheet.file, at, shown(fault.got), fault.expected, fault.next)


# -- rows with days --------------------------------------------------------------------------------


class _Span(NamedTuple):
    """The days of one row; `kept` is None for a row on file."""

    first: date
    last: date
    where: str
    kept: Kept | None


def _judge_days(sheet: Sheet, on_file: OnFile, faults: Faults) -> None:
    spans: dict[str, list[_Span]] = defaultdict(list)
    for kept in sheet.rows:
        spans[sheet.kind.key(kept.row)].append(_Span(*days_of(kept.row), kept.cells.at(""), kept))
    ends = before(sheet.supersedes_from) if sheet.supersedes_from is not None else DAY_LAST
    for name, filed_rows in on_file.rows.items():
        for filed in filed_rows:
            first, last = days_of(filed.row)[0], min(filed.last, ends)
            if first <= last and name in spans:
                spans[name].append(_Span(first, last, filed.where, None))
    for name, of_name in spans.items():
        for span, other in _overlaps(of_name):
            _overlap_fault(sheet, name, span, other, faults)


def _overlaps(spans: list[_Span]) -> Iterator[tuple[_Span, _Span]]:
    """Each new span that shares a day with another, once, with that other."""
    spans.sort(key=lambda span: (span.first, span.kept is not None))
    latest: _Span | None = None
    for span in spans:
        if latest is not None and span.first <= latest.last:
            if span.kept is not None:
                yield span, latest
            elif latest.kept is not None:
                yield latest, span
        if latest is None or span.last >= latest.last:
            latest = span


def _overlap_fault(sheet: Sheet, name: str, span: _Span, other: _Span, faults: Faults) -> None:
    assert span.kept is not None
    last = "on" if other.last == DAY_LAST else f"to {other.last}"
    step = "End one before the other begins."
    if other.kept is None:
        step += " To replace what is on file, name the day from which this table supersedes it."
    faults.add(
        sheet.file,
        span.kept.cells.at("valid_from"),
        f"a row of {shown(name)} that overlaps another",
        f"no day in common with {other.where}, which holds from {other.first} {last}",
        step,
    )


# -- rows without days -----------------------------------------------------------------------------


def _judge_keys(sheet: Sheet, on_file: OnFile, faults: Faults) -> None:
    seen: dict[str, Kept] = {}
    column = {OPENINGS: "lot", LOCATIONS: "location"}.get(sheet.kind.name, "line")
    for kept in sheet.rows:
        key = sheet.kind.key(kept.row)
        at = kept.cells.at(column)
        first = seen.setdefault(key, kept)
        if first is not kept:
            faults.add(
                sheet.file, at, shown(key), f"each {column} once", f"It stands at {first.cells.at('')} too."
            )
        if key in on_file.lots:
            faults.add(
                sheet.file,
                at,
                shown(key),
                "a lot that is not on file as "
                + ("an admission's line" if sheet.kind.name == OPENINGS else "an opening balance"),
                "The same goods would count twice; take it out here.",
            )
        filed = on_file.rows.get(key)
        if filed and sheet.kind.name == OPENINGS:
            faults.add(
                sheet.file,
                at,
                f"{shown(key)}, which is on file",
                f"lots that have not opened; {filed[-1].where} has it",
                "Take it out: it would count twice. What is wrong with it is adjusted in the books.",
            )
        elif filed and filed[-1].row != kept.row and sheet.supersedes_from is None:
            faults.add(
                sheet.file,
                at,
                f"{shown(key)} with other content than on file",
                f"what {filed[-1].where} says",
                "Import it unchanged, or say that this table supersedes what is on file.",
            )


# -- statuses --------------------------------------------------------------------------------------


def _judge_statuses(sheet: Sheet, on_file: OnFile, faults: Faults) -> None:
    """The status of an admission must be one that law lets such goods have on their day."""
    law = on_file.law.at()
    for kept in sheet.rows:
        line = kept.row
        if not isinstance(line, AdmissionLine):
            continue
        on = line.admitted or max(on_file.today, line.import_date or on_file.today)
        try:
            ruling = admission(
                line.status, (line.hts, line.origin), on, law, adcvd=line.adcvd, producer=line.producer
            )
        except CaseRefused as error:
            at = kept.cells.at("adcvd")
            faults.add(sheet.file, at, shown(" ".join(line.adcvd)), "cases that are on file", str(error))
        except Ambiguous:
            return  # of two rows for one day, which is a fault of their own table
        else:
            if isinstance(ruling, Refused):
                expected = f"a status that these goods may have on {on} ({ruling.section})"
                faults.add(sheet.file, kept.cells.at("status"), line.status.value, expected, ruling.words)


# -- bills of material -----------------------------------------------------------------------------


def _judge_bills(sheet: Sheet, on_file: OnFile, products: Mapping[str, Product], faults: Faults) -> None:
    if sheet.supersedes_from is not None:
        faults.add(
            sheet.file,
            "supersedes_from",
            str(sheet.supersedes_from),
            "nothing: a bill changes by a new version from a day on",
            "Give the changed bill a version of its own.",
        )
    boms: list[Bom] = [kept.row for kept in sheet.rows if isinstance(kept.row, Bom)]
    known = [filed.row for rows in on_file.rows.values() for filed in rows if isinstance(filed.row, Bom)]
    units = {product.gtin: product.unit for product in products.values()}
    for problem in problems(boms, known, units):
        kept = sheet.rows[problem.bom]
        part, column = column_of(problem.field)
        cells = kept.places.get(part, kept.cells)
        faults.add(sheet.file, cells.at(column), shown(problem.got), problem.expected, problem.next_step)
