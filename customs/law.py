# SPDX-License-Identifier: Apache-2.0
"""Law as dated data: rows of tariffs, programs, cases, quotas and fees, and the book that answers from them.

A row holds on days (`valid_from` to `valid_to`, both inclusive) and says whence it is. It comes in a dataset
that the center learns of at a place in its log, so an answer has two times: the day of the law, and what was
known. A dataset is never changed; a later one adds rows, or supersedes those of the same key from a day on.
Every answer carries the reference of its row. No rate is computed here, and no file is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Generic, Literal, TypeVar

import msgspec

from customs.known import KNOWN_ALL, Known

HTS_DIGITS: Final = (10, 8, 6, 4)
"""Lengths of a tariff number that a row may have: statistical, rate line, subheading, heading."""

ANY: Final = "*"
"""Stands for every origin or every producer."""

SERVED: Final = frozenset("01234567")
"""Rate codes that are computed (USITC tariff database, code key, section A)."""

UNSERVED: Final = MappingProxyType(
    {
        "9": "a rate on a derived value",
        "K": "a rate that stands in the text of the tariff",
        "X": "a rate that refers to another text",
        "T": "a rate that is computed at the ten-digit number alone",
        "see": "a rate that refers to another heading",
    }
)
"""Codes that a file may hold and no computation uses: what each would be (the same key)."""

DAY_LAST: Final = date.max

DAYS_KEPT_MAX: Final = 512
"""Answers of a kind for a day that a book keeps: an entry asks six kinds for the days of its lots."""


class Mark(StrEnum):
    """How a row is vouched for: read in its source, from memory, or made up for an example."""

    READ = "read"
    MEMORY = "memory"
    EXAMPLE = "example"


class RateDate(StrEnum):
    """Which day's rate goods in privileged foreign status owe (146.65(a)(1), or the program's text)."""

    PF_FILING = "pf-filing"
    ENTRY = "entry"
    ADMISSION = "admission"


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A rate of duty in the parts of its code (USITC code key): 0 free; 1 specific on the first quantity;
    2 specific on the second; 3 specific on the first and other on the second; 4 and 5 the like of 1 and 2
    with ad valorem; 6 all three; 7 ad valorem. `specific` and `other` are US dollars for one `unit1` and
    `unit2`, `advalorem` is a fraction of the dutiable value: 5 % is 0.05.
    """

    code: str
    specific: Decimal | None = None
    advalorem: Decimal | None = None
    other: Decimal | None = None
    unit1: str | None = None
    unit2: str | None = None


class LawRow(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="row",
):
    """What every row has: the days it holds on, its source in words, and how it is vouched for."""

    valid_from: date
    valid_to: date | None = None
    source: str
    mark: Mark

    def holds(self, on: date) -> bool:
        """Whether the row is law on that day; both ends are inclusive."""
        return self.valid_from <= on <= self.last_day()

    def last_day(self) -> date:
        """The last day of it."""
        return self.valid_to or DAY_LAST

    def named(self) -> tuple[str, ...]:
        """What it answers for. Two rows of one kind may not hold one key on one day."""
        raise NotImplementedError


class ScopedRow(LawRow, frozen=True, kw_only=True):
    """A row about some goods: tariff numbers by prefix and origins (ISO 3166, two letters, or `*`),
    less what is excepted.
    """

    headings: tuple[str, ...]
    origins: tuple[str, ...] = (ANY,)
    except_headings: tuple[str, ...] = ()
    except_origins: tuple[str, ...] = ()

    def covers(self, hts: str | None, origin: str) -> bool:
        """Whether goods of this number and origin are meant."""
        return (
            begins(hts, self.headings)
            and (ANY in self.origins or origin in self.origins)
            and not begins(hts, self.except_headings)
            and origin not in self.except_origins
        )


class TariffRow(LawRow, frozen=True, kw_only=True, tag="tariff"):
    """One rate of one tariff number. `hts` is 4 to 10 digits; `column` is `general`, `2`, or the symbol of
    a preference (SPI) such as `KR`. `text` is the rate as the tariff prints it.
    """

    hts: str
    column: str
    rate: Rate
    description: str = ""
    text: str = ""

    def named(self) -> tuple[str, ...]:
        """The number and the column."""
        return (f"{digits(self.hts)}/{self.column}",)


class Program(ScopedRow, frozen=True, kw_only=True, tag="program"):
    """An additional duty, such as those of Sections 232 and 301, from a day to a day.

    `pf_required`: foreign goods are admitted in privileged status alone. `drawback`: it is refunded on
    export. `rate_date`: which day's row privileged goods owe. Programs stack in `order`; one whose id
    stands in the `excludes` of another that applies does not apply.
    """

    id: str
    name: str
    rate: Rate
    pf_required: bool
    drawback: bool
    rate_date: RateDate = RateDate.PF_FILING
    order: int = 0
    excludes: tuple[str, ...] = ()

    def named(self) -> tuple[str, ...]:
        """Its id: a change of rate is a new row of the same id from a later day."""
        return (self.id,)


class Relief(ScopedRow, frozen=True, kw_only=True, tag="relief"):
    """Retroactive relief: goods that are in privileged status since before `pf_before` owe this rate instead
    of the program's, when they are entered on days that the row holds on.
    """

    id: str
    program: str
    rate: Rate
    pf_before: date

    def named(self) -> tuple[str, ...]:
        """Its id."""
        return (self.id,)


class AdCvdCase(ScopedRow, frozen=True, kw_only=True, tag="adcvd"):
    """An antidumping or countervailing duty case, and the deposit that goods of these producers owe.
    `pf_required` is 15 CFR 400.14(e).
    """

    number: str
    remedy: Literal["AD", "CVD"]
    rate: Rate
    producers: tuple[str, ...] = (ANY,)
    pf_required: bool = True

    def named(self) -> tuple[str, ...]:
        """The case for each producer."""
        return tuple(f"{self.number}/{producer}" for producer in self.producers)


class Quota(ScopedRow, frozen=True, kw_only=True, tag="quota"):
    """A quota's period: its days, when it opens and, once filled, the day it closed.

    `absolute` refuses goods after it closed; under `tariff-rate` they owe the row's rate, the higher one,
    and so do goods in privileged status at any time (19 CFR 146.65(a)(1)).
    """

    id: str
    limit: Literal["absolute", "tariff-rate"]
    opens: date
    rate: Rate | None = None
    closed_on: date | None = None

    def named(self) -> tuple[str, ...]:
        """Its id."""
        return (self.id,)


class FeeLimits(LawRow, frozen=True, kw_only=True, tag="fee-limits"):
    """The merchandise processing fee of a fiscal year (19 CFR 24.23(b)(1)): rate, least and most in US
    dollars, and the surcharge on an entry filed on paper. Without an end it ends with its fiscal year,
    on 30 September: nobody's limits run on into a year that has its own.
    """

    fiscal_year: int
    rate: Decimal
    minimum: Decimal
    maximum: Decimal
    manual_surcharge: Decimal | None = None

    def last_day(self) -> date:
        """The stated last day, else the fiscal year's."""
        return self.valid_to or date(self.fiscal_year, 9, 30)

    def named(self) -> tuple[str, ...]:
        """There is one such fee."""
        return ("mpf",)


class HarborRate(LawRow, frozen=True, kw_only=True, tag="harbor-rate"):
    """The harbor maintenance fee's rate, as a fraction of value (19 CFR 24.24(a))."""

    rate: Decimal

    def named(self) -> tuple[str, ...]:
        """There is one such fee."""
        return ("hmf",)


class HarborPort(LawRow, frozen=True, kw_only=True, tag="harbor-port"):
    """A port where unlading owes the harbor fee (19 CFR 24.24(b)(1)). `code` is Schedule D, four digits."""

    code: str
    name: str

    def named(self) -> tuple[str, ...]:
        """The port."""
        return (self.code,)


class Preference(LawRow, frozen=True, kw_only=True, tag="preference"):
    """Whose goods may claim a column by its symbol (HTSUS general note 3(c)), and what follows from it.

    `mpf_exempt`: no merchandise processing fee (19 CFR 24.23(c)). `same_condition`: from a zone only
    non-privileged goods in the condition they were admitted in (the generalized system: C.S.D. 80-188).
    """

    spi: str
    origins: tuple[str, ...]
    mpf_exempt: bool = False
    same_condition: bool = False

    def named(self) -> tuple[str, ...]:
        """The symbol."""
        return (self.spi,)


class ColumnTwo(LawRow, frozen=True, kw_only=True, tag="column-2"):
    """A country whose goods owe the rates of column 2 (HTSUS general note 3(b))."""

    origin: str
    name: str = ""

    def named(self) -> tuple[str, ...]:
        """The country."""
        return (self.origin,)


class Holiday(LawRow, frozen=True, kw_only=True, tag="holiday"):
    """A day on which customs does not work: it holds from its day to its day."""

    name: str

    def named(self) -> tuple[str, ...]:
        """There is one calendar."""
        return ("holiday",)


class WeeklyExcluded(ScopedRow, frozen=True, kw_only=True, tag="weekly-excluded"):
    """Goods that no weekly entry may cover (19 USC 1484(i)(3))."""

    id: str
    reason: str

    def named(self) -> tuple[str, ...]:
        """Its id."""
        return (self.id,)


AnyRow = (
    TariffRow
    | Program
    | Relief
    | AdCvdCase
    | Quota
    | FeeLimits
    | HarborRate
    | HarborPort
    | Preference
    | ColumnTwo
    | Holiday
    | WeeklyExcluded
)
"""Every kind of row; files and entries name it in the field `kind`."""

R = TypeVar("R", bound=LawRow)


class RowRef(msgspec.Struct, frozen=True, order=True, gc=False):
    """Names a row for ever: the hash of its dataset and its number in it, from 1."""

    dataset: str
    row: int

    def __str__(self) -> str:
        return f"{self.dataset[:12]} row {self.row}"


class Dataset(msgspec.Struct, frozen=True):
    """Rows as they were loaded together. `hash` is of the file, `known` where the log told of it.

    With `supersedes_from` the rows that were known before for the same keys are law only up to the day
    before; they stay, and what was computed by them stays.
    """

    hash: str
    known: Known
    rows: tuple[AnyRow, ...]
    supersedes_from: date | None = None


@dataclass(frozen=True, slots=True)
class Found(Generic[R]):
    """A row and its name."""

    row: R
    ref: RowRef


class LawError(Exception):
    """Root of what the law cannot answer: the message is for people and says what to do next."""


class Ambiguous(LawError):
    """Two rows hold one key on one day: an import let in what `customs.law_faults` refuses."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row with all that decides whether it holds."""

    row: Any
    ref: RowRef
    known: Known
    place: int
    supersedes_from: date | None


class LawBook:
    """All datasets, in the order in which the center learned of them. Does not change: `plus` gives the
    book with one more. What a computation saw can be asked again by `at` its time.
    """

    def __init__(self, datasets: Iterable[Dataset] = ()) -> None:
        self.datasets = tuple(sorted(datasets, key=lambda dataset: dataset.known))
        self.kept: dict[tuple[type, date, Known], Any] = {}
        self._by_key: dict[tuple[type, str], list[_Entry]] = defaultdict(list)
        self._by_kind: dict[type, list[str]] = defaultdict(list)
        for place, dataset in enumerate(self.datasets):
            for number, row in enumerate(dataset.rows, 1):
                ref = RowRef(dataset.hash, number)
                self._index(_Entry(row, ref, dataset.known, place, dataset.supersedes_from))

    def _index(self, entry: _Entry) -> None:
        kind = type(entry.row)
        for key in entry.row.named():
            entries = self._by_key[kind, key]
            if not entries:
                self._by_kind[kind].append(key)
            entries.append(entry)

    def plus(self, dataset: Dataset) -> LawBook:
        """The book with one more dataset."""
        return LawBook((*self.datasets, dataset))

    def at(self, known: Known = KNOWN_ALL) -> Law:
        """The law as it was known there."""
        return Law(self, known)

    def row(self, ref: RowRef) -> AnyRow | None:
        """The row of that name, as long as its dataset is here."""
        for dataset in self.datasets:
            if dataset.hash == ref.dataset and 1 <= ref.row <= len(dataset.rows):
                return dataset.rows[ref.row - 1]
        return None

    def entries(self, kind: type[LawRow], key: str) -> list[_Entry]:
        """What was ever loaded for a key, in the order of loading; `Law` and `law_faults` choose from it."""
        return self._by_key.get((kind, key), [])

    def keys(self, kind: type[LawRow]) -> list[str]:
        """All keys of a kind, in the order of loading."""
        return self._by_kind.get(kind, [])


@dataclass(frozen=True, slots=True)
class Law:
    """The law as known at one place of the center's log; asked with the day of the law."""

    book: LawBook
    known: Known = KNOWN_ALL

    def one(self, kind: type[R], key: str, on: date) -> Found[R] | None:
        """The row of a key on a day, or None.

        Raises `Ambiguous` when there are two.
        """
        seen = [entry for entry in self.book.entries(kind, key) if entry.known <= self.known]
        held = [entry for entry in seen if entry.row.holds(on) and not _superseded(entry, seen, on)]
        if len(held) > 1:
            raise Ambiguous(
                f"{held[0].ref} and {held[1].ref} both say what {key} is on {on}. "
                "Load a dataset that supersedes both."
            )
        return Found(held[0].row, held[0].ref) if held else None

    def every(self, kind: type[R], on: date) -> tuple[Found[R], ...]:
        """All rows of a kind on a day, each once; kept for the next line of the same entry.

        Raises `Ambiguous`.
        """
        kept = self.book.kept
        found: tuple[Found[R], ...] | None = kept.get((kind, on, self.known))
        if found is None:
            if len(kept) >= DAYS_KEPT_MAX:
                kept.clear()
            found = kept[kind, on, self.known] = tuple(self._every(kind, on))
        return found

    def _every(self, kind: type[R], on: date) -> Iterator[Found[R]]:
        given: set[RowRef] = set()
        for key in self.book.keys(kind):
            found = self.one(kind, key, on)
            if found is not None and found.ref not in given:
                given.add(found.ref)
                yield found


def _superseded(entry: _Entry, seen: Iterable[_Entry], on: date) -> bool:
    return any(
        later.place > entry.place and later.supersedes_from is not None and later.supersedes_from <= on
        for later in seen
    )


def digits(hts: str) -> str:
    """A tariff number without its points."""
    return hts.replace(".", "")


def begins(hts: str | None, headings: Iterable[str]) -> bool:
    """Whether a tariff number lies under one of the headings; without a number under none."""
    return hts is not None and digits(hts).startswith(tuple(map(digits, headings)))


KINDS: Final[Mapping[str, type[LawRow]]] = MappingProxyType(
    {str(kind.__struct_config__.tag): kind for kind in AnyRow.__args__}
)
"""The kinds of rows by the word that files use."""
