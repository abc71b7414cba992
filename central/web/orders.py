# SPDX-License-Identifier: Apache-2.0
"""Work orders for people: what there is, one order's steps, and the form that puts a wrong report right.

What is said goes the way of the API's act; what is refused comes back with all that was entered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from central.errors import Denied
from central.refusals import Refusals
from central.web.api import paging
from central.web.count import Fault, Said
from central.web.digits import number_of
from central.web.forms import faulty, read_act, refuse
from central.web.frame import Frame
from central.works import Works, told
from customs.works.events import ROWS_MAX, Correct, OrderEvent

CASUALTY: Final = "casualty"
"""What a row of scrap begins with that no work left, but an accident."""

_MADE: Final = "LOAD=QUANTITY, of a co-product LOAD=QUANTITY GTIN"
_SCRAP: Final = f"INPUT TAKEN GTIN QUANTITY VALUE LOAD, after an accident {CASUALTY} INPUT ..."
_WASTE: Final = "INPUT=QUANTITY"


class OrderPages:
    """The handlers of work orders."""

    def __init__(self, works: Works, refusals: Refusals, frame: Frame, timezone: str) -> None:
        self._works = works
        self._refusals = refusals
        self._frame = frame
        self._zone = ZoneInfo(timezone)

    def routes(self) -> list[web.RouteDef]:
        """All routes of work orders."""
        return [
            web.get("/orders", self._all),
            web.get("/orders/{order}", self._one),
            web.post("/orders/{order}", self._correct),
        ]

    async def _all(self, request: web.Request) -> web.Response:
        page = await self._works.page(*paging(request))
        return await self._frame.page(request, "orders.html", orders=page.items, next=page.next)

    async def _one(self, request: web.Request) -> web.Response:
        return await self._page(request, None)

    async def _correct(self, request: web.Request) -> web.Response:
        said = await read_act(request, self._refusals)
        faults: list[Fault] = []
        rows = {
            "made": _rows(said, "made", _MADE, _made, faults),
            "scrap": _rows(said, "scrap", _SCRAP, _scrap, faults),
            "waste": _rows(said, "waste", _WASTE, _waste, faults),
        }
        if faults:
            await refuse(request, self._refusals, said, faulty(faults))
            return await self._page(request, said, 422, faults)
        body = {"order": request.match_info["order"], "on": datetime.now(self._zone).date(), **rows}
        try:
            order = msgspec.convert({**body, "by": said.one("by"), "note": said.one("note")}, Correct)
        except msgspec.ValidationError as error:
            denied = Denied(422, f"this cannot be taken: {error}", "Correct the field that it names.")
            await refuse(request, self._refusals, said, denied)
            return await self._page(request, said, 422, denied=denied)
        try:
            (first, *_) = await self._works.correct(order)
        except Denied as error:
            await refuse(request, self._refusals, said, error)
            return await self._page(request, said, error.status, denied=error)
        raise web.HTTPSeeOther(f"/entry/{first.entry_id}?done=1")

    async def _page(
        self,
        request: web.Request,
        said: Said | None,
        status: int = 200,
        faults: Sequence[Fault] = (),
        denied: Denied | None = None,
    ) -> web.Response:
        order = await self._works.one(request.match_info["order"])
        names = ("made", "scrap", "waste", "note", "by")
        values = {name: said.one(name) for name in names} if said else _as_it_is(order.reported)
        return await self._frame.page(
            request, "order.html", status, order=told(order), report=order.reported, values=values,
            hints={"made": _MADE, "scrap": _SCRAP, "waste": _WASTE}, faults=faults, denied=denied,
        )  # fmt: skip


def _as_it_is(report: OrderEvent | None) -> dict[str, str]:
    """A report as the form has it."""
    if report is None:
        return {}
    own = report.made[0].product if report.made else ""
    made = [
        f"{piece.sscc or piece.key}={piece.quantity:f}" + (f" {lot.product}" if lot.product != own else "")
        for lot in report.made
        for piece in lot.loads
    ]
    scrap = [
        ("" if row.recovered else f"{CASUALTY} ")
        + f"{row.input} {row.taken:f} {row.made.product} {row.made.quantity:f} {row.value:f} "
        + "".join(piece.sscc or piece.key for piece in row.made.loads)
        for row in report.scrap
    ]
    waste = [f"{row.input}={row.quantity:f}" for row in report.waste]
    return {
        "made": "\n".join(made), "scrap": "\n".join(scrap), "waste": "\n".join(waste), "note": "", "by": "",
    }  # fmt: skip


def _rows(
    said: Said, field: str, expected: str, read: Callable[[str], dict[str, Any]], faults: list[Fault]
) -> list[dict[str, Any]]:
    found = []
    lines = [line.strip() for line in said.one(field).splitlines() if line.strip()]
    for line in lines[:ROWS_MAX]:
        try:
            found.append(read(line))
        except ValueError:
            faults.append(Fault(field, line[:80], expected, "Write the line so."))
    if len(lines) > ROWS_MAX:
        faults.append(Fault(field, f"{len(lines)} lines", f"at most {ROWS_MAX}", "Split the order."))
    return found


def _made(line: str) -> dict[str, Any]:
    load, _, rest = line.rpartition("=")
    quantity, _, product = rest.strip().partition(" ")
    return {"load": _named(load), "quantity": number_of(quantity), "product": product.strip()}


def _scrap(line: str) -> dict[str, Any]:
    recovered = not line.startswith(f"{CASUALTY} ")
    words = line if recovered else line[len(CASUALTY) :].strip()
    given, taken, product, quantity, value, load = words.split(None, 5)
    return {
        "input": given, "taken": number_of(taken), "product": product,
        "quantity": number_of(quantity),
        "value": number_of(value), "load": load, "recovered": recovered,
    }  # fmt: skip


def _waste(line: str) -> dict[str, Any]:
    given, _, quantity = line.rpartition("=")
    return {"input": _named(given), "quantity": number_of(quantity.strip())}


def _named(text: str) -> str:
    if not text.strip():
        raise ValueError(text)
    return text.strip()
