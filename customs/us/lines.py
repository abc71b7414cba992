# SPDX-License-Identifier: Apache-2.0
"""What a customs entry from a zone is computed from, and what comes out: lines, content, explanations.

Values only. Money is US dollars, quantities are exact decimals in their unit, dates are the zone's.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from customs.documents import Status
from customs.law import Mark, RowRef
from customs.tariff.rates import Measure
from customs.zone import Values


class GoodsDates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The days that goods carry with them; which of them is the day of a rate depends on the status."""

    imported: date | None = None
    admitted: date | None = None
    pf_filed: date | None = None


class ContentLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Goods as they came into the zone: of one lot, in one status, so much of them.

    `quantity` is what the entered article contains, net of waste, and `values` are of that quantity.
    `measures` are the customs quantities, first and second as the tariff asks for them. `adcvd` are case
    numbers. `spi` is a preference that is claimed. `farm_container` is for agricultural products of the
    United States that were packed in the zone: the value of what their container was made of.
    """

    lot: str
    product: str
    status: Status
    quantity: Decimal
    unit: str
    hts: str | None
    origin: str
    values: Values
    measures: tuple[Measure, ...] = ()
    dates: GoodsDates = GoodsDates()
    producer: str | None = None
    adcvd: tuple[str, ...] = ()
    spi: str | None = None
    farm_container: Decimal | None = None


class EntryLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a customs entry: goods that leave as they came, or a good that was made in the zone.

    With `content` the good was made: it has its own `hts` and `measures`, and what it owes comes from what
    it contains (19 USC 81c(a)). Without, `goods` are entered themselves. Exactly one of both is given.
    `altered` goods were not made but left the condition they came in.
    """

    line: str
    owner: str
    product: str
    quantity: Decimal
    unit: str
    hts: str | None
    goods: ContentLine | None = None
    content: tuple[ContentLine, ...] | None = None
    measures: tuple[Measure, ...] = ()
    altered: bool = False

    def __post_init__(self) -> None:
        if (self.goods is None) == (self.content is None):
            raise ValueError(f"line {self.line} needs either goods or content")

    @property
    def made(self) -> bool:
        """Whether the good was made in the zone."""
        return self.content is not None

    def parts(self) -> tuple[ContentLine, ...]:
        """What the line is made of; goods that leave as they came are their own only part."""
        if self.content is not None:
            return self.content
        assert self.goods is not None
        return (self.goods,)


class CustomsEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry for consumption from a zone: type 06, or 08 for goods that go to Canada or Mexico.

    `entry_date` is the day of the law for all that is not privileged; of a weekly entry it is that of the
    estimate (own reading of 19 CFR 146.65(a)(2)). A supplement names the entry it adds to and is an entry of
    its own for fees. `on_paper`: filed by hand. On a `summary` values are whole dollars and quantities under
    a low specific rate whole units (19 CFR 159.3); an `estimate` is exact.
    """

    number: str
    kind: Literal["06", "08"]
    entry_date: date
    lines: tuple[EntryLine, ...]
    supplement_to: str | None = None
    on_paper: bool = False
    stage: Literal["estimate", "summary"] = "estimate"


class Explanation(msgspec.Struct, frozen=True):
    """One figure, told: what it is, by which section, from which inputs and rows, exact and as rounded.

    `rounding` names the policy, or is empty where nothing was rounded. `mark` says how the section is known:
    `read`, `memory`, or `own reading`.
    """

    text: str
    section: str
    exact: Decimal
    rounded: Decimal
    inputs: tuple[tuple[str, str], ...] = ()
    refs: tuple[RowRef, ...] = ()
    rounding: str = ""
    mark: str = Mark.READ.value


class Basis(msgspec.Struct, frozen=True):
    """A content of a line with the dutiable value that its duties and fees are computed on."""

    line: EntryLine
    part: ContentLine
    value: Decimal


class DutyLine(msgspec.Struct, frozen=True):
    """One duty that a line owes: which kind, for which lot, how much, and why. `refundable`: it may be
    reduced or refunded when the goods go abroad, which some programs and all AD and CVD are not.
    """

    line: str
    lot: str
    kind: Literal["ordinary", "program", "AD", "CVD"]
    name: str
    amount: Decimal
    refundable: bool
    why: Explanation


class Reduction(msgspec.Struct, frozen=True):
    """What a line's duty is less by, and why."""

    line: str
    amount: Decimal
    why: Explanation


class FeeLine(msgspec.Struct, frozen=True):
    """One fee and why."""

    name: str
    base: Decimal
    amount: Decimal
    why: tuple[Explanation, ...]


class Computation(msgspec.Struct, frozen=True):
    """What an entry owes, with all that it was computed from. It is stored as it is and never computed
    again: rows that are loaded later do not change it.
    """

    entry: str
    kind: str
    entry_date: date
    entered_value: Decimal
    duties: tuple[DutyLine, ...]
    reductions: tuple[Reduction, ...]
    fees: tuple[FeeLine, ...]
    duty: Decimal
    fee: Decimal
    total: Decimal
    explanation: tuple[Explanation, ...]
    refs: tuple[RowRef, ...]
