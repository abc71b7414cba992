# SPDX-License-Identifier: Apache-2.0
"""Products and what they would cost, for people and programs: customs data, the law on file, computed duty.

Each page has its JSON under /api/v1. Reads only.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from central.costing import TO, Cost, Costing, Question
from central.database import Database
from central.errors import Denied
from central.law import CustomsData
from central.web.answers import json_answer
from central.web.digits import number_of
from central.web.frame import Frame
from central.web.law_view import concerns
from customs.documents import Status
from customs.law import AnyRow, RowRef
from customs.zone import CustomsProduct

PAGE: Final = 50
"""Products of a page."""

STATUSES: Final = ("NPF", "PF", "D", "ZR")


class GoodsPages:
    """The handlers of products and costs."""

    def __init__(
        self, database: Database, data: CustomsData, costing: Costing, frame: Frame, timezone: str
    ) -> None:
        self._database = database
        self._data = data
        self._costing = costing
        self._frame = frame
        self._zone = ZoneInfo(timezone)

    def routes(self) -> list[web.RouteDef]:
        """All routes of products and costs."""
        return [
            web.get("/products", self._products),
            web.get("/products/{gtin}", self._products),
            web.get("/cost", self._cost),
            web.get("/api/v1/customs-products", self._products_json),
            web.get("/api/v1/cost", self._cost_json),
        ]

    async def _products(self, request: web.Request) -> web.Response:
        on = self._day(request)
        rows, after = await self._page(request, on)
        return await self._frame.page(request, "products.html", rows=rows, on=on, next=after)

    async def _products_json(self, request: web.Request) -> web.Response:
        rows, after = await self._page(request, self._day(request))
        return json_answer({"items": rows, "next": after})

    async def _page(self, request: web.Request, on: date) -> tuple[list[dict[str, Any]], str | None]:
        """Products on a day after a name, each with the `law` that concerns it."""
        gtin, after = request.match_info.get("gtin"), request.query.get("after", "")
        async with self._database.session() as connection:
            products = await self._data.products(connection)
            law = (await self._data.law_book(connection)).at()
        named = {f"{one.gtin}/{one.owner}": one for one in products if _holds(one, on)}
        names = sorted(name for name in named if name > after and gtin in (None, named[name].gtin))
        rows = [
            {**msgspec.structs.asdict(one), "law": concerns(law, one, on)}
            for one in (named[name] for name in names[:PAGE])
        ]
        return rows, names[PAGE - 1] if len(names) > PAGE else None

    async def _cost(self, request: web.Request) -> web.Response:
        asked = {name: request.query.get(name, "").strip() for name in ("owner", "product", "status")}
        asked |= {name: request.query.get(name, "").strip() for name in ("quantity", "to")}
        on = self._day(request)
        cost: Cost | None = None
        rows: dict[RowRef, AnyRow] = {}
        if asked["quantity"]:
            cost = await self._costing.cost(self._question(request, on))
            rows = await self._rows(cost)
        return await self._frame.page(
            request,
            "cost.html",
            asked={**asked, "on": on},
            cost=cost,
            rows=rows,
            statuses=STATUSES,
            places=list(TO),
        )

    async def _cost_json(self, request: web.Request) -> web.Response:
        return json_answer(await self._costing.cost(self._question(request, self._day(request))))

    async def _rows(self, cost: Cost) -> dict[RowRef, AnyRow]:
        """The rows of law that a computation names, as far as they are on file."""
        if cost.computed is None:
            return {}
        async with self._database.session() as connection:
            book = await self._data.law_book(connection)
        found = {ref: book.row(ref) for ref in cost.computed.refs}
        return {ref: row for ref, row in found.items() if row is not None}

    def _question(self, request: web.Request, on: date) -> Question:
        asked = request.query
        try:
            status = Status(asked.get("status", "NPF"))
        except ValueError as error:
            raise Denied(
                400, f"{asked['status'][:20]!r} is no zone status", f"Say one of {', '.join(STATUSES)}."
            ) from error
        text = asked.get("quantity", "")
        try:
            quantity = number_of(text)
        except ValueError as error:
            raise Denied(400, f"{text[:40]!r} is no quantity", "Write it in digits, such as 750.") from error
        for name in ("owner", "product"):
            if not asked.get(name, "").strip():
                raise Denied(400, f"no {name} is named", f"Say whose goods and which: {name}=...")
        owner, product = (asked[name].strip()[:80] for name in ("owner", "product"))
        return Question(owner, product, status, quantity, asked.get("to") or "consumption", on)

    def _day(self, request: web.Request) -> date:
        """The day that is asked for, else today in the zone."""
        text = request.query.get("on", "").strip()
        if not text:
            return datetime.now(self._zone).date()
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise Denied(400, f"{text[:40]!r} is no day", "Write it such as 2026-06-08.") from error


def _holds(product: CustomsProduct, on: date) -> bool:
    return product.valid_from <= on <= (product.valid_to or date.max)
