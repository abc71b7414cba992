# SPDX-License-Identifier: Apache-2.0
"""Goods that are not wholly in, for people and programs, and the forms that admit them: out of suspense, and
at their pick-up. Each list has its JSON under /api/v1.
"""

from __future__ import annotations

from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from central import admitting
from central.waiting import Waiting
from central.web.answers import json_answer
from central.web.fields import BY, NOTE_LENGTH_MAX, Field, Form
from central.web.frame import Frame
from central.web.ledger import ASKED, asked_times, filter_of

_HAPPENED: Final = Field(
    "happened", "When", hint="As 2026-06-01T12:00:00Z; now when it is empty", length_max=40, may_be_empty=True
)
_NOTE: Final = Field(
    "note", "Why", "note", "What the papers say, for the record.", length_max=NOTE_LENGTH_MAX
)
_YES_NO: Final = (("true", "yes"), ("false", "no"))

ADMISSIONS: Final = (
    Form(
        "/admit",
        "Admit goods in suspense",
        "The permit that they lacked is on file. Owner, product and unit must be those of its line; what the "
        "deposit did not know, the paper says.",
        "The goods are the line's from then on, in its zone status, at every dock as soon as it hears of it. "
        "The line is used by so many.",
        "Admit them",
        admitting.Admit,
        (
            Field("document", "Permit", hint="Its number", length_max=40),
            Field("line", "Line"),
            Field(
                "loads",
                "Loads, one a line",
                "lines",
                "A whole load by its SSCC or key; of a part, behind it the quantity and its new label",
                length_max=20_000,
                may_be_empty=True,
            ),
            Field("quantity", "Quantity", hint="Where no load is named", length_max=40, may_be_empty=True),
            _HAPPENED,
            _NOTE,
            BY,
        ),
    ),
    Form(
        "/undo-admission",
        "An admission never was",
        "For goods that were admitted out of suspense by mistake: under another paper's line, or too many. "
        "Nothing has been done with them since.",
        "They are in suspense again as they were deposited, their days counted from then, and the permit's "
        "line is used by so many less. Doors judge them so as soon as their dock hears of it. Labels that "
        "were put on them stay.",
        "It never was",
        admitting.UndoAdmission,
        (Field("admitted", "Entry of the admission", "told"), _HAPPENED, _NOTE, BY),
    ),
    Form(
        "/pick-up",
        "Goods were picked up",
        "The operator itself fetched goods of a direct-delivery permit in its district: they are admitted "
        "from then on (19 CFR 146.40(b)).",
        "They are legally in the zone and on their way until a door admits them. What has not come when its "
        "papers are due is a case.",
        "They were picked up",
        admitting.FetchGoods,
        (
            Field("document", "Permit for direct delivery", hint="Its number", length_max=40),
            Field(
                "goods", "Lines, one a line", "lines", "The permit's line and the quantity", length_max=20_000
            ),
            Field("approval", "Approval", hint="The port director's letter (146.39(d))", length_max=200),
            Field("owned", "The operator owns or buys the goods", "choice", choices=_YES_NO),
            Field("stable", "They are known well in advance and stable", "choice", choices=_YES_NO),
            Field("examined", "Customs looks at such goods first", "choice", choices=_YES_NO),
            _HAPPENED,
            _NOTE,
            BY,
        ),
    ),
    Form(
        "/undo-pick-up",
        "A pick-up never was",
        "For goods that were not fetched, or that a carrier brought.",
        "What has arrived under it was then admitted as it arrived; what has not is not in the zone.",
        "It never was",
        admitting.UndoFetch,
        (Field("pick_up", "Entry of the pick-up", "told"), _HAPPENED, _NOTE, BY),
    ),
)


class WaitingPages:
    """The handlers of what waits."""

    def __init__(self, waiting: Waiting, frame: Frame, timezone: str) -> None:
        self._waiting = waiting
        self._frame = frame
        self._zone = ZoneInfo(timezone)

    def routes(self) -> list[web.RouteDef]:
        """All routes of what waits."""
        return [
            web.get("/waiting", self._page),
            web.get("/api/v1/suspense", self._suspense_json),
            web.get("/api/v1/in-transit", self._in_transit_json),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        suspense, ways = await self._suspense(request, "after"), await self._in_transit(request, "after_way")
        return await self._frame.page(
            request,
            "waiting.html",
            suspense=suspense,
            ways=ways,
            chosen={name: request.query.get(name, "") for name in ASKED if name != "status"},
            then=asked_times(request, self._zone),
        )

    async def _suspense_json(self, request: web.Request) -> web.Response:
        return json_answer(await self._suspense(request, "after"))

    async def _in_transit_json(self, request: web.Request) -> web.Response:
        return json_answer(await self._in_transit(request, "after"))

    async def _suspense(self, request: web.Request, after: str) -> Any:
        owner, product = filter_of(request, "owner"), filter_of(request, "product")
        page, times = request.query.get(after) or None, asked_times(request, self._zone)
        return await self._waiting.suspense(page, *times, owner=owner, product=product)

    async def _in_transit(self, request: web.Request, after: str) -> Any:
        times = asked_times(request, self._zone)
        return await self._waiting.in_transit(request.query.get(after) or None, *times)
