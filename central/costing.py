# SPDX-License-Identifier: Apache-2.0
"""What a withdrawal would cost now: which lots would leave, whether they may, what they would owe and why.

Reads the ledger, the lots' papers and the law as they are known; writes nothing. The rules are `customs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import msgspec

from central.contents import Contents, RestatedLot
from central.errors import Denied
from central.ledger_queries import units_of
from central.ledger_shelves import layer_of
from central.queries import query
from customs.documents import Status
from customs.law import Law, LawError
from customs.ledger.attribution import Layer, draw
from customs.ledger.facts import STOCK
from customs.ledger.quantities import EXACT, Pair
from customs.tariff.rates import Measure
from customs.tariff.rounding import total
from customs.us.assessment import assess
from customs.us.lines import Computation, ContentLine, CustomsEntry, EntryLine
from customs.us.matrix import Disposition, Leaving, may_enter_weekly, may_leave
from customs.us.rulings import Refused
from customs.us.shortages import Finding, Shortage, judge
from customs.us.valuation import part_of, scrap
from customs.works import content
from customs.works.boms import WorksError
from customs.works.content import Part
from customs.zone import AdmissionLine, CustomsProduct

if TYPE_CHECKING:
    from central.database import Connection, Database
    from central.law import CustomsData
    from central.works import Works

TO: Final = {
    "consumption": Disposition.CONSUMPTION,
    "canada": Disposition.EXPORT,
    "mexico": Disposition.EXPORT,
    "export": Disposition.EXPORT,
    "warehouse": Disposition.WAREHOUSE,
    "other-zone": Disposition.OTHER_ZONE,
    "destruction": Disposition.DESTRUCTION,
    "shortage": Disposition.CONSUMPTION,
}
"""Where goods may be said to go. To Canada and Mexico what was made here owes duty (19 USC 81c(a)). Shortage
is goods that cannot be found: what they owe decides whether the port is told (19 CFR 146.53).
"""

SHORTAGE: Final = "shortage"

DEFERRED: Final = frozenset({"canada", "mexico"})

LAYERS_MAX: Final = 5_000
"""Layers that one question draws from; more pallets leave under no one entry line."""

NUMBER: Final = "what-if"


class Question(msgspec.Struct, frozen=True):
    """So much of an owner's product in a status, to `to`, entered on a day: of a weekly entry the day of its
    estimate.
    """

    owner: str
    product: str
    status: Status
    quantity: Decimal
    to: str
    entry_date: date


class Inside(Part, frozen=True):
    """A part of what would leave, with the unit that it is counted in; None for a product not on file."""

    unit: str | None = None


class Drawn(msgspec.Struct, frozen=True):
    """What would leave of one lot. `papers` is its admission line where one is on file. Of a lot made here
    by `order`, `contains` is what the units that would leave are made of; of scrap, `sold` is what they
    were sold for. `contains` of a lot that a change of status made are the lots that it was made of, and
    `filed` is the day of it.
    """

    lot: str
    quantity: Decimal
    customs: Decimal
    papers: AdmissionLine | None
    ruling: str
    section: str
    allowed: bool
    order: str = ""
    contains: tuple[Part, ...] = ()
    sold: Decimal | None = None
    filed: date | None = None
    first: Decimal = Decimal(0)
    unit: str | None = None


class Cost(msgspec.Struct, frozen=True):
    """The answer. `short` is what is not in stock of the quantity. `computed` is None where nothing is owed
    because of where the goods go, or where `refused` says why nothing can be computed. `finding` is what
    follows of a shortage of so many. `unit` is that of the quantities of the question's product.
    """

    question: Question
    drawn: tuple[Drawn, ...]
    short: Decimal
    computed: Computation | None
    refused: str
    finding: Finding | None = None
    unit: str | None = None


class Costing:
    """Answers for one tenant and zone."""

    def __init__(
        self, database: Database, who: tuple[str, str], data: CustomsData, works: Works, timezone: str
    ) -> None:
        self._database = database
        self._who = who
        self._data = data
        self._contents = Contents(*who, works)
        self._zone = ZoneInfo(timezone)

    async def cost(self, question: Question) -> Cost:
        """What a withdrawal would cost. Denied (400) when the question makes no sense."""
        if question.to not in TO:
            raise Denied(400, f"{question.to[:40]!r} is no place to go", f"Say one of {', '.join(TO)}.")
        if not 0 < question.quantity <= 10**9:
            raise Denied(400, f"{question.quantity} is no quantity", "Say how many would leave.")
        async with self._database.session() as connection:
            layers = await self._layers(connection, question)
            takes = draw(layers, question.quantity)
            law = (await self._data.law_book(connection)).at()
            try:
                drawn = [
                    await self._drawn(connection, question, lot, pair, law) for lot, pair in takes.items()
                ]
            except WorksError as error:
                raise Denied(409, str(error), error.next_step) from error
            lines = await self._lines(connection, question, drawn)
            drawn, unit = await self._in_units(connection, question, drawn)
        short = EXACT.subtract(question.quantity, total(*(pair.commercial for pair in takes.values())))
        refused = "; ".join(dict.fromkeys(one.ruling for one in drawn if not one.allowed))
        if isinstance(lines, str) and not refused:
            refused = lines
        if refused or isinstance(lines, str) or not lines or not _owes(question):
            return Cost(question, tuple(drawn), short, None, refused, unit=unit)
        entry = CustomsEntry(
            NUMBER, "08" if question.to in DEFERRED else "06", question.entry_date, tuple(lines)
        )
        try:
            computed = assess(entry, law)
            finding = _shortage(question, layers, computed) if question.to == SHORTAGE else None
        except LawError as error:
            return Cost(question, tuple(drawn), short, None, str(error), unit=unit)
        return Cost(question, tuple(drawn), short, computed, "", finding, unit)

    async def _in_units(
        self, connection: Connection, question: Question, drawn: Sequence[Drawn]
    ) -> tuple[list[Drawn], str | None]:
        """What would leave with the units that it is counted in, and that of the question."""
        inside = {part.product for one in drawn for part in one.contains}
        units = await units_of(connection, self._who, {question.product, *inside})
        unit = units.get(question.product)
        told = [
            msgspec.structs.replace(
                one,
                unit=unit,
                contains=tuple(
                    Inside(
                        part.lot, part.product, part.status, part.pair, part.first, units.get(part.product)
                    )
                    for part in one.contains
                ),
            )
            for one in drawn
        ]
        return told, unit

    async def _layers(self, connection: Connection, question: Question) -> list[Layer]:
        """Layers of the goods in stock, in line."""
        rows = await connection.fetch(
            query("ledger_stock_in_line"),
            *self._who,
            question.owner,
            question.product,
            question.status.value,
            STOCK,
            LAYERS_MAX,
        )
        return [layer_of(row) for row in rows]

    async def _drawn(
        self, connection: Connection, question: Question, lot: str, pair: Pair, law: Law
    ) -> Drawn:
        papers = (await self._data.papers(connection, [lot])).get(lot)
        imported = papers.import_date if papers else None
        filed = None
        gone = Decimal(0)
        made = await self._contents.of_lot(connection, lot, question.product)
        contains: tuple[Part, ...] = ()
        sold = None
        if made is not None:
            gone = EXACT.subtract(made.made, made.left)
            contains = content.between(made.parts, made.made, gone, EXACT.add(gone, pair.commercial))
            if made.value is not None:
                sold = part_of(scrap(made.value), pair.commercial, made.made).price
        elif papers is None:
            was = await self._contents.restated(connection, lot, question.product)
            if was is not None:
                gone = EXACT.subtract(was.made, was.left)
                contains = content.between(was.parts, was.made, gone, EXACT.add(gone, pair.commercial))
                filed = self._day(was)
                lines = await self._data.papers(connection, (part.lot for part in contains))
                imported = min((day for line in lines.values() if (day := line.import_date)), default=None)
        privileged = sold is None and any(part.status is Status.PF for part in contains)
        goods = Leaving(question.status, privileged, imported)
        ruling = may_leave(goods, TO[question.to], question.entry_date)
        return Drawn(
            lot,
            pair.commercial,
            pair.customs,
            papers,
            f"{ruling.words} {_not_weekly(question, papers, law)}".strip(),
            ruling.section,
            not isinstance(ruling, Refused),
            made.order if made else "",
            contains,
            sold,
            filed,
            gone,
        )

    async def _lines(
        self, connection: Connection, question: Question, drawn: Sequence[Drawn]
    ) -> list[EntryLine] | str:
        """A line a lot, as an entry names it; the reason why there can be none."""
        product = await self._data.product(connection, question.product, question.owner, question.entry_date)
        lines: list[EntryLine] = []
        for number, one in enumerate(drawn, 1):
            measures: tuple[Measure, ...] = ()
            if product is not None:
                measures = (Measure(one.customs, product.customs_unit),)
            about: dict[str, Any] = {
                "line": str(number),
                "owner": question.owner,
                "product": question.product,
                "quantity": one.quantity,
                "unit": product.unit if product else "",
                "hts": product.hts if product else None,
                "measures": measures,
            }
            try:
                if one.sold is not None:
                    about["goods"] = self._scrap(question, one, product)
                elif one.order:
                    about["content"] = await self._entered(connection, one.contains)
                else:
                    pair = Pair(one.quantity, one.customs)
                    part = Part(one.lot, question.product, question.status, pair, one.first)
                    first, *more = await self._entered(connection, [part])
                    about |= {"goods": first, "quantity": first.quantity}
                    lines += [
                        EntryLine(
                            **{**about, "line": f"{number}.{n}", "goods": goods, "quantity": goods.quantity}
                        )
                        for n, goods in enumerate(more, 2)
                    ]
            except WorksError as error:
                return f"{error} {error.next_step}"
            lines.append(EntryLine(**about))
        return lines

    def _scrap(self, question: Question, one: Drawn, product: CustomsProduct | None) -> ContentLine:
        """Scrap is entered by its own number, at what it was sold for (19 CFR 146.42(b), 146.65(b)(2))."""
        if product is None:
            raise WorksError(
                f"{question.product} has no customs data on {question.entry_date}",
                "Import its row of customs-products.",
            )
        values = scrap(one.sold or Decimal(0))
        measures = (Measure(one.customs, product.customs_unit),)
        return ContentLine(
            one.lot,
            question.product,
            question.status,
            one.quantity,
            product.unit,
            product.hts,
            product.origin,
            values,
            measures,
        )

    async def _entered(self, connection: Connection, parts: Sequence[Part]) -> tuple[ContentLine, ...]:
        """Parts as an entry names them. Goods of a lot that a change of status made are those of the lots
        that it was made of, in the status they have now: privileged ones owe by the day of the change (19 CFR
        146.65(a)(1)).
        """
        papers = await self._data.papers(connection, (part.lot for part in parts))
        found: list[ContentLine] = []
        for part in parts:
            was = None
            if part.lot not in papers and part.status is not Status.DOMESTIC:
                was = await self._contents.restated(connection, part.lot, part.product)
            if was is None:
                found += content.entered([part], papers)
                continue
            last = EXACT.add(part.first, part.pair.commercial)
            filed = self._day(was) if part.status is Status.PF else None
            for goods in await self._entered(
                connection, content.between(was.parts, was.made, part.first, last)
            ):
                dates = msgspec.structs.replace(goods.dates, pf_filed=filed)
                found.append(msgspec.structs.replace(goods, status=part.status, dates=dates))
        return tuple(found)

    def _day(self, was: RestatedLot) -> date:
        """The day of a change of status, as the zone's calendar has it."""
        return was.happened.astimezone(self._zone).date()


def _not_weekly(question: Question, papers: AdmissionLine | None, law: Law) -> str:
    """What is to be said of goods that no weekly entry may cover (19 USC 1484(i)(3))."""
    if papers is None or question.to != "consumption":
        return ""
    ruling = may_enter_weekly(papers.hts, papers.origin, question.entry_date, law)
    return ruling.words if isinstance(ruling, Refused) else ""


def _owes(question: Question) -> bool:
    return question.to in ("consumption", SHORTAGE) or question.to in DEFERRED


def _shortage(question: Question, layers: Sequence[Layer], computed: Computation) -> Finding:
    """Whether a shortage of so many is reported (19 CFR 146.53): the whole is what stands of the identifier,
    goods of one owner, product and status.
    """
    whole = total(*(layer.left.commercial for layer in layers))
    return judge(Shortage("shortage", question.status, question.quantity, whole, computed.duty))
