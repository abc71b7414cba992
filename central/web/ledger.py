# SPDX-License-Identifier: Apache-2.0
"""The ledger for people and programs: lots and their balances at any two times, one lot's story, search.

Each page has its JSON under /api/v1. Reads only; what a time means is the zone's own clock unless it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from central.database import Database
from central.errors import Denied
from central.instants import bookable
from central.law import CustomsData
from central.ledger_queries import Item, Ledger, Page, Story
from central.tracing import INTO, OF, Trace, Tracing
from central.web.accounts import in_hand, lot_path
from central.web.answers import json_answer
from central.web.frame import Frame
from customs.law import Law, LawError
from customs.us.harbor import harbor_fee
from customs.us.lines import Explanation
from customs.zone import AdmissionLine

FILTERS: Final = ("owner", "product", "status", "location")
"""What lots are chosen by, beside the two times."""

ASKED: Final = (*FILTERS, "as_of", "known_on")
"""What a page's form may hold."""

FILTER_MAX: Final = 80
"""Characters of a filter: longer names are on no paper."""

_OF_GOODS: Final = ("owner", "product", "unit")

_STATUSES: Final = ("PF", "NPF", "D", "ZR", "SUSPENSE")


class LedgerPages:
    """The handlers of the ledger's pages and of their JSON."""

    def __init__(
        self,
        ledger: Ledger,
        tracing: Tracing,
        database: Database,
        data: CustomsData,
        frame: Frame,
        timezone: str,
    ) -> None:
        self._ledger = ledger
        self._tracing = tracing
        self._database = database
        self._data = data
        self._frame = frame
        self._zone = ZoneInfo(timezone)

    def routes(self) -> list[web.RouteDef]:
        """All routes of the ledger."""
        return [
            web.get("/lots", self._lots),
            web.get("/lots/{lot:.+}", self._story),
            web.get("/trace/{lot:.+}", self._trace),
            web.get("/search", self._search),
            web.get("/api/v1/lots", self._lots_json),
            web.get("/api/v1/lots/{lot:.+}", self._story_json),
            web.get("/api/v1/trace/{lot:.+}", self._trace_json),
            web.get("/api/v1/goods", self._goods_json),
            web.get("/api/v1/search", self._search_json),
        ]

    async def _lots(self, request: web.Request) -> web.Response:
        chosen = self._chosen(request)
        page = await self._ledger.lots(_after(request), **chosen.lots())
        goods: list[Item] = []
        if not _after(request) and not chosen.filters["location"]:
            found = await self._ledger.goods(None, **chosen.goods())
            goods = [row for row in pivot(found.items) if row["by_status"]]
        return await self._frame.page(
            request,
            "lots.html",
            lots=page.items,
            goods=goods,
            statuses=_STATUSES,
            cuts=await self._ledger.cuts(),
            chosen={name: request.query.get(name, "") for name in ASKED},
            then=chosen.times,
            next=page.next,
        )

    async def _story(self, request: web.Request) -> web.Response:
        lot = request.match_info["lot"]
        known_on = _instant(request, "known_on", self._zone)
        story = await self._told(lot, request)
        return await self._frame.page(
            request,
            "lot.html",
            lot=lot,
            story=story,
            days=await self._ledger.days(lot, known_on),
            known_on=known_on,
            chosen={name: request.query.get(name, "") for name in ASKED},
        )

    async def _trace(self, request: web.Request) -> web.Response:
        ways = (request.query["way"],) if request.query.get("way") else (INTO, OF)
        traces = [await self._traced(request, way) for way in ways]
        return await self._frame.page(request, "trace.html", lot=request.match_info["lot"], traces=traces)

    async def _trace_json(self, request: web.Request) -> web.Response:
        return json_answer(await self._traced(request, request.query.get("way") or INTO))

    async def _traced(self, request: web.Request, way: str) -> Trace:
        named = {name: filter_of(request, name) for name in ("owner", "product")}
        return await self._tracing.trace(request.match_info["lot"], way, _after(request), **named)

    async def _search(self, request: web.Request) -> web.Response:
        text = request.query.get("q", "").strip()
        found = await self._ledger.search(text, _after(request)) if text else Page([], None)
        kinds = {item["kind"] for item in found.items}
        if len(found.items) == 1 and kinds == {"lot"}:
            raise web.HTTPSeeOther(lot_path(found.items[0]["ref"]))
        return await self._frame.page(
            request, "search.html", text=text, found=found.items, groups=grouped(found.items), next=found.next
        )

    async def _lots_json(self, request: web.Request) -> web.Response:
        chosen = self._chosen(request)
        return json_answer(await self._ledger.lots(_after(request), **chosen.lots()))

    async def _goods_json(self, request: web.Request) -> web.Response:
        chosen = self._chosen(request)
        return json_answer(await self._ledger.goods(_after(request), **chosen.goods()))

    async def _story_json(self, request: web.Request) -> web.Response:
        return json_answer(await self._told(request.match_info["lot"], request))

    async def _search_json(self, request: web.Request) -> web.Response:
        return json_answer(await self._ledger.search(request.query.get("q", ""), _after(request)))

    async def _told(self, lot: str, request: web.Request) -> Story:
        """A lot's story, with what its admission declared."""
        story = await self._ledger.story(lot, _after(request), _instant(request, "known_on", self._zone))
        named = [(row["document"], row["line"]) for row in story.lots if row["document"] is not None]
        async with self._database.session() as connection:
            papers = await self._data.admission_lines(connection, named)
            law = (await self._data.law_book(connection)).at()
        for row in story.lots:
            paper = row["paper"] = papers.get((row["document"], row["line"]))
            row["harbor"] = _harbor(paper, law) if paper else None
        return story

    def _chosen(self, request: web.Request) -> Chosen:
        filters = {name: filter_of(request, name) for name in FILTERS}
        return Chosen(asked_times(request, self._zone), filters)


class Chosen(msgspec.Struct, frozen=True):
    """What of the ledger is asked for: `times` are as of and known on, None for now."""

    times: tuple[datetime | None, datetime | None]
    filters: dict[str, str]

    def goods(self) -> dict[str, Any]:
        """Arguments of a question for goods."""
        asked = {name: self.filters[name] for name in ("owner", "product")}
        return {**asked, "as_of": self.times[0], "known_on": self.times[1]}

    def lots(self) -> dict[str, Any]:
        """Arguments of a question for lots."""
        return {**self.goods(), "status": self.filters["status"], "location": self.filters["location"]}


def asked_times(request: web.Request, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """The two times that a request asks for: as of, and as known on; None is now."""
    return _instant(request, "as_of", zone), _instant(request, "known_on", zone)


def filter_of(request: web.Request, name: str) -> str:
    """What things are chosen by; Denied (400) where it is no short text."""
    text = request.query.get(name, "").strip()
    if len(text) > FILTER_MAX or not text.isprintable():
        raise Denied(400, f"{name} is no text of up to {FILTER_MAX} characters", "Shorten it.")
    return text


def pivot(goods: Sequence[Item]) -> list[Item]:
    """Goods by owner and product, with what is in the zone's hands of each status and in all."""
    rows: dict[tuple[str, str], Item] = {}
    for item in goods:
        row = rows.setdefault(
            (item["owner"], item["product"]),
            {**{name: item[name] for name in _OF_GOODS}, "by_status": {}, "total": Decimal(0)},
        )
        amount = in_hand(item["accounts"])
        if amount:
            row["by_status"][item["status"]] = amount
            row["total"] += amount
    return list(rows.values())


class Harbor(msgspec.Struct, frozen=True):
    """The harbor fee of a lot's admission, or why it is not computed."""

    amount: Decimal = Decimal(0)
    why: tuple[Explanation, ...] = ()
    refused: str = ""


def _harbor(paper: AdmissionLine, law: Law) -> Harbor:
    try:
        fee = harbor_fee(paper, law)
    except LawError as error:
        return Harbor(refused=str(error))
    return Harbor(fee.amount, fee.why)


def grouped(found: Sequence[Item]) -> dict[str, list[Item]]:
    """What a search found, by kind, in the order of first finding."""
    groups: dict[str, list[Item]] = {}
    for item in found:
        groups.setdefault(item["kind"], []).append(item)
    return groups


def _instant(request: web.Request, name: str, zone: ZoneInfo) -> datetime | None:
    """A time of the request; without an offset it is the zone's. Whole minutes and days include all of
    themselves: who asks for the balance of a day means its end.
    """
    text = request.query.get(name, "").strip()
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        if len(text) == len("2026-06-01"):
            at = at.replace(hour=23, minute=59, second=59, microsecond=999_999)
        elif len(text) == len("2026-06-01T12:00"):
            at = at.replace(second=59, microsecond=999_999)
        return bookable(at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(zone)
    except (ValueError, OverflowError) as error:
        raise Denied(
            400, f"{name} is {text[:40]!r}, which is no time", "Write it such as 2026-06-08T17:30."
        ) from error


def _after(request: web.Request) -> str | None:
    return request.query.get("after") or None
