# SPDX-License-Identifier: Apache-2.0
"""Where-used both ways, all the way: what lots a lot went into and by which papers they left the zone, and of
what lots a lot is, down to those that were admitted, with their papers.

Reads the ledger as it attributes goods now; how content is shared out is `customs.works.content`. Knows no
HTTP.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from central.contents import Came, Contents
from central.database import Database
from central.errors import Denied
from central.ledger_queries import units_of
from central.queries import query
from customs.documents import Status
from customs.ledger.facts import CONSTRUCTIVE, RESTATUS, STOCK, WORK
from customs.ledger.quantities import EXACT, NOTHING, Pair
from customs.works.boms import DEPTH_MAX, WorksError
from customs.works.content import LINES_MAX, Level, Part, between, levels, reach
from customs.zone import AdmissionLine

if TYPE_CHECKING:
    from central.database import Connection
    from central.law import CustomsData
    from central.works import Works

_TURN: Final = 500
"""Lots that are looked into before others get their turn."""

INTO: Final = "into"
OF: Final = "of"

PAGE: Final = 50
"""Lots of a page: what a person scrolls."""


class Gone(msgspec.Struct, frozen=True):
    """So much of a lot left for `account` under a document's line, and what that contained of the lot that is
    asked for. Goods that a customs entry was accepted for are gone in law, wherever they stand. Quantities
    are in the units of the two lots.
    """

    document: str | None
    line: str | None
    account: str
    quantity: Decimal
    contained: Pair


class Step(msgspec.Struct, frozen=True):
    """A lot on the way, `depth` steps from the one that is asked for, directly `through` some others.

    `contained` is how much of the lot that is asked for is in it; on the way back, how much of it is in that
    lot. `order` made it; a change of status did where it `came` and no order is named. `gone` is what left of
    it; `papers` its admission line, of one that came through a door. `unit` is that of its own quantities.
    """

    lot: str
    owner: str
    product: str
    status: Status
    depth: int
    through: tuple[str, ...]
    contained: Pair
    came: bool = False
    order: str = ""
    made: Pair | None = None
    gone: tuple[Gone, ...] = ()
    papers: AdmissionLine | None = None
    unit: str | None = None


class Trace(msgspec.Struct, frozen=True):
    """A page of the lots on one way, nearest first, of `total`; `whole` is False where there are more than
    LINES_MAX of them. `gone` is what left of the lot itself. `unit` is that of its quantities, None where its
    product is not on file.
    """

    lot: str
    owner: str
    product: str
    status: Status
    way: str
    total: int
    whole: bool
    gone: tuple[Gone, ...]
    lots: tuple[Step, ...]
    next: str | None
    unit: str | None = None


@dataclass(slots=True)
class _Known:
    """Lots that were looked up: those that came to be in the zone, by name."""

    came: dict[str, Came] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    within: dict[str, set[tuple[str, str | None]]] = field(default_factory=dict)

    def parts(self, lot: str) -> Sequence[Part]:
        return self.came[lot].parts if lot in self.came else ()

    def direct(self, lot: str) -> set[tuple[str, str | None]]:
        """What a lot is directly of: lots, and those with their products."""
        found = self.within.get(lot)
        if found is None:
            parts = self.parts(lot)
            found = self.within[lot] = {(part.lot, part.product) for part in parts}
            found |= {(part.lot, None) for part in parts}
        return found

    def made(self, lot: str) -> Decimal:
        return self.came[lot].made.commercial


class Tracing:
    """Answers for one tenant and zone."""

    def __init__(self, database: Database, who: tuple[str, str], data: CustomsData, works: Works) -> None:
        self._database = database
        self._who = who
        self._data = data
        self._contents = Contents(*who, works)

    async def trace(
        self, lot: str, way: str, after: str | None = None, *, owner: str = "", product: str = ""
    ) -> Trace:
        """The lots that a lot went `into`, or that it is `of`. Denied (404) when there is none, (409) where
        its name stands for goods of several owners or products and none is named, and where the books know
        of less than an order used.
        """
        if way not in (INTO, OF):
            raise Denied(400, f"{way[:20]!r} is no way", f"Say {INTO} or {OF}.")
        first = _number(after)
        async with self._database.session() as connection:
            row = await self._one(connection, lot, owner, product)
            asked = Part(lot, row["product"], Status(row["status"]), NOTHING)
            try:
                found = await (self._into if way == INTO else self._of)(connection, asked, row["owner"])
                steps = found.steps[first : first + PAGE]
                gone: tuple[Gone, ...] = ()
                if way == INTO:
                    gone = await self._gone(connection, lot, found, row["owner"])
                    steps = [await self._told(connection, found, step) for step in steps]
            except WorksError as error:
                raise Denied(409, str(error), error.next_step) from error
            units = await units_of(connection, self._who, [asked.product, *(step.product for step in steps)])
        more = str(first + PAGE) if len(found.steps) > first + PAGE else None
        return Trace(
            lot, row["owner"], row["product"], asked.status, way, len(found.steps), found.whole, gone,
            tuple(msgspec.structs.replace(step, unit=units.get(step.product)) for step in steps), more,
            units.get(asked.product),
        )  # fmt: skip

    async def _one(self, connection: Connection, lot: str, owner: str, product: str) -> Mapping[str, Any]:
        rows = await connection.fetch(query("ledger_lot"), *self._who, lot)
        rows = [row for row in rows if owner in ("", row["owner"]) and product in ("", row["product"])]
        if not rows:
            whose = f" of {owner!r}" if owner else ""
            what = f" with product {product!r}" if product else ""
            raise Denied(404, f"no such lot {lot[:80]!r}{whose}{what} is known", "Search for it.")
        if len({(row["owner"], row["product"]) for row in rows}) > 1:
            named = "; ".join(f"{row['product']} of {row['owner']}" for row in rows[:8])
            raise Denied(409, f"{lot} names several goods: {named}", "Name the owner and the product.")
        return dict(rows[0])

    # -- forward -----------------------------------------------------------------------------------

    async def _into(self, connection: Connection, asked: Part, owner: str) -> _Found:
        """Every lot that goods of a lot are in, each with its least depth."""
        known = _Known()
        went: dict[str, list[str]] = {}
        level = [asked.lot]
        for _ in range(DEPTH_MAX):
            rows = await connection.fetch(query("trace_went_into"), *self._who, level)
            await self._look_up(connection, known, {row["made"] for row in rows})
            into: dict[str, list[str]] = {one: [] for one in level}
            for row in rows:
                of, made = row["of"], row["made"]
                came = known.came.get(made)
                product = asked.product if of == asked.lot else None
                if came and came.owner == owner and (of, product) in known.direct(made):
                    into[of].append(made)
            went |= into
            level = sorted({name for one in level for name in went[one]} - went.keys())
            if not level or len(went) > LINES_MAX:
                break
        uses = reach(asked.lot, lambda one: went.get(one, ()))
        through: dict[str, list[str]] = defaultdict(list)
        for one, names in went.items():
            for name in names:
                through[name].append(one)
        found = _Found(asked, known, [], not level and len(uses) < LINES_MAX)
        for number, use in enumerate(uses):
            if not number % _TURN:
                await asyncio.sleep(0)  # a wide tree must not hold up the docks
            came, inside = known.came[use.lot], found.inside(use.lot)
            if inside:  # an order's first units may be all that it is in, and others went on
                found.steps.append(
                    Step(
                        use.lot, came.owner, came.product, came.status, use.depth,
                        tuple(sorted(through[use.lot])), inside, True, came.order, came.made,
                    )
                )  # fmt: skip
        return found

    async def _told(self, connection: Connection, found: _Found, step: Step) -> Step:
        return msgspec.structs.replace(step, gone=await self._gone(connection, step.lot, found, step.owner))

    async def _gone(self, connection: Connection, lot: str, found: _Found, owner: str) -> tuple[Gone, ...]:
        """What left of a lot by document, with what it contained of the lot that is asked for. The first
        units that left are the first that were made.
        """
        asked = found.asked
        left: dict[tuple[str | None, str | None, str], tuple[Decimal, Pair]] = {}
        at = Decimal(0)
        rows = await connection.fetch(query("trace_gone"), *self._who, [lot])
        for row in rows:
            if row["owner"] != owner or (lot == asked.lot and row["product"] != asked.product):
                continue
            back = row["account_to"] == STOCK
            account = row["account_from" if back else "account_to"]
            pair = Pair(row["quantity"], row["customs"])
            pair = -pair if back else pair
            start, at = at, EXACT.add(at, pair.commercial)
            if account.startswith(WORK) or account == RESTATUS:
                continue
            document, line = row["permit"], row["line"]
            if account.startswith(CONSTRUCTIVE):
                document, line, account = account[len(CONSTRUCTIVE) :], None, CONSTRUCTIVE.rstrip(":")
            part = pair
            if lot != asked.lot:
                part = found.piece(lot, min(start, at), max(start, at))
                part = -part if at < start else part
            key = (document, line, account)
            total, inside = left.get(key, (Decimal(0), NOTHING))
            left[key] = EXACT.add(total, pair.commercial), inside + part
        return tuple(Gone(*key, quantity, inside) for key, (quantity, inside) in left.items() if quantity)

    # -- back --------------------------------------------------------------------------------------

    async def _of(self, connection: Connection, asked: Part, owner: str) -> _Found:
        """Every lot that a lot is of, each with its least depth and how much of it there is in all."""
        known = _Known()
        level = {asked.lot}
        for _ in range(DEPTH_MAX + 1):
            await self._look_up(connection, known, level)
            level = {part.lot for lot in level for part in known.parts(lot)} - known.asked
            if not level:
                break
        parts = known.parts(asked.lot)
        steps: dict[tuple[str, str, Status], Step] = {}
        through: dict[tuple[str, str, Status], set[str]] = defaultdict(set)
        for depth, part, whole, above in _walked(asked.lot, levels(parts, known.parts, known.made)):
            key = (part.lot, part.product, part.status)
            through[key].add(above)
            was = steps.get(key)
            came = known.came.get(part.lot)
            steps[key] = Step(
                part.lot, owner, part.product, part.status, min(depth, was.depth if was else depth), (),
                was.contained + part.pair if was else part.pair, not whole, came.order if came else "",
                came.made if came else None,
            )  # fmt: skip
        papers = await self._data.papers(connection, {key[0] for key in steps})
        told = [
            msgspec.structs.replace(
                step, through=tuple(sorted(through[key])), papers=None if step.came else papers.get(step.lot)
            )
            for key, step in steps.items()
        ]
        told.sort(key=lambda step: step.depth)
        return _Found(asked, known, told[:LINES_MAX], len(told) <= LINES_MAX)

    async def _look_up(self, connection: Connection, known: _Known, lots: Iterable[str]) -> None:
        wanted = set(lots) - known.asked
        known.asked |= wanted
        if wanted:
            known.came |= await self._contents.came(connection, sorted(wanted))


@dataclass(slots=True)
class _Found:
    """The lots on a way, and what is known of them."""

    asked: Part
    known: _Known
    steps: list[Step]
    whole: bool

    def inside(self, lot: str) -> Pair:
        """What a lot contains of the one that is asked for."""
        return self._of_asked(self.known.parts(lot))

    def piece(self, lot: str, first: Decimal, last: Decimal) -> Pair:
        """What some units of a lot contain of it."""
        whole = self.known.made(lot)
        low, high = (min(max(at, Decimal(0)), whole) for at in (first, last))
        parts = between(self.known.parts(lot), whole, low, high)
        return self._of_asked(parts)

    def _of_asked(self, parts: Sequence[Part]) -> Pair:
        known = self.known
        # What is in the lot that is asked for is not asked: nothing is in itself.
        shut = {self.asked.lot: ()}
        total = NOTHING
        for _, part, _ in levels(parts, lambda one: shut.get(one, known.parts(one)), known.made):
            # A name may stand for goods of several products where it is the one that is asked for.
            if (part.lot, part.product) == (self.asked.lot, self.asked.product):
                total += part.pair
        return total


def _walked(lot: str, steps: Iterator[Level]) -> Iterator[tuple[int, Part, bool, str]]:
    """Levels on the way down, each with the lot that it is directly in."""
    above = [lot]
    for depth, part, whole in steps:
        del above[depth:]
        yield depth, part, whole, above[-1]
        above.append(part.lot)


def _number(after: str | None) -> int:
    if after is None:
        return 0
    if not (after.isascii() and after.isdigit() and len(after) <= len(str(LINES_MAX))):
        raise Denied(400, f"{after[:40]!r} leads to no page", "Take `next` of the page before.")
    return int(after)
