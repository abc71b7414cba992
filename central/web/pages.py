# SPDX-License-Identifier: Apache-2.0
"""The center's pages: inventory, permits, jobs, movements, docks, cases, backups, import. Server-made, live
by the feed. What people decide goes through `central.web.forms`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from central.costing import Costing
from central.errors import Denied
from central.intake import ImportAnswer
from central.ledger_queries import Ledger
from central.location_queries import Locations
from central.people import Open
from central.service import Central
from central.tracing import Tracing
from central.web import docks
from central.web.access import SESSION_SECONDS, Access
from central.web.api import paging
from central.web.docks import LOGS_SHOWN_MAX, Absent, DockView
from central.web.forms import Forms, read_form
from central.web.frame import Frame, back_to
from central.web.goods import GoodsPages
from central.web.guard import COOKIE
from central.web.ledger import LedgerPages
from central.web.orders import OrderPages
from central.web.places import PlacePages
from central.web.reading import Item, Reading
from central.web.uploading import read_order, take_order
from central.web.waiting import WaitingPages
from sync.center import CenterBook

STATUSES: Final = ("NPF", "PF", "D", "ZR", "SUSPENSE")
"""Columns of the inventory; 19 CFR 146.41-146.44 and 146.22."""

_DOCKS_MAX: Final = 40
"""Docks with their pictures on one page."""

_CASES_MAX: Final = 200
"""Cases on their page, alarms first; whoever has more begins with these."""

_IMPORTS_SHOWN: Final = 50
"""Imports below their form; /api/v1/imports has them all."""

_CASES_FIRST: Final = 4
"""Cases on the first page; the others are one click away."""


class Pages:
    """The handlers of all pages."""

    def __init__(self, central: Central, reading: Reading, access: Access, timezone: str) -> None:
        self._central = central
        self._reading = reading
        self._access = access
        self._frame = Frame(central, timezone)
        self._forms = Forms(central, reading, self._frame)
        ledger = Ledger(central.database, central.tenant, central.zone)
        who = (central.tenant, central.zone)
        tracing = Tracing(central.database, who, central.customs, central.works)
        self._ledger = LedgerPages(ledger, tracing, central.database, central.customs, self._frame, timezone)
        self._waiting = WaitingPages(central.waiting, self._frame, timezone)
        costing = Costing(central.database, who, central.customs, central.works, timezone)
        self._orders = OrderPages(central.works, central.refusals, self._frame, timezone)
        self._places = PlacePages(Locations(ledger), self._frame, timezone)
        self._goods = GoodsPages(central.database, central.customs, costing, self._frame, timezone)

    def routes(self) -> list[web.RouteDef]:
        """All pages and forms."""
        return [
            web.get("/", self._inventory),
            web.get("/permits", self._permits),
            web.get("/jobs", self._jobs),
            web.get("/movements", self._movements),
            web.get("/nodes", self._nodes),
            web.get("/nodes/{node}", self._node),
            web.get("/cases", self._cases),
            web.get("/holds", self._holds),
            web.get("/backups", self._backups),
            web.get("/entry/{entry_id}", self._entry),
            web.get("/import", self._import),
            web.post("/import", self._import_now),
            web.get("/login", self._login),
            web.post("/login", self._login_now),
            web.post("/logout", self._logout),
            *self._forms.routes(),
            *self._ledger.routes(),
            *self._goods.routes(),
            *self._waiting.routes(),
            *self._orders.routes(),
            *self._places.routes(),
        ]

    def error(self, request: web.Request, status: int, error: str, next_step: str) -> str:
        """The page that tells an error."""
        return self._frame.text(request, "error.html", status=status, error=error, next_step=next_step)

    async def _inventory(self, request: web.Request) -> web.Response:
        limit, after = paging(request)
        search = request.query.get("search", "")
        page = await self._reading.inventory(max(limit, 500), after, search)
        found = await self._central.people.open_cases()
        return await self._frame.page(
            request,
            "inventory.html",
            rows=_lots(page.items),
            search=search,
            next=page.next,
            statuses=_columns(page.items),
            first_cases=found.cases[:_CASES_FIRST],
        )

    async def _permits(self, request: web.Request) -> web.Response:
        page = await self._reading.permits(*paging(request))
        stray = await self._reading.stray_lines()
        return await self._frame.page(
            request, "permits.html", permits=page.items, stray=stray, next=page.next
        )

    async def _jobs(self, request: web.Request) -> web.Response:
        page = await self._reading.jobs(*paging(request))
        holds = await self._reading.holds(100, None)
        return await self._frame.page(
            request, "jobs.html", jobs=page.items, holds=holds.items, next=page.next
        )

    async def _movements(self, request: web.Request) -> web.Response:
        search = request.query.get("search", "")
        page = await self._reading.movements(*paging(request), search)
        return await self._frame.page(
            request, "movements.html", movements=page.items, search=search, next=page.next
        )

    async def _nodes(self, request: web.Request) -> web.Response:
        limit, after = paging(request)
        page = await self._reading.nodes(min(limit, _DOCKS_MAX), after)
        contacts = {item["node"]: item for item in page.items}
        firsts = await self._reading.firsts(list(contacts))
        found = await self._central.people.open_cases()

        def look(book: CenterBook) -> tuple[list[DockView], tuple[bool, bool, list[Absent]]]:
            silent = set() if after else (book.roll() | set(book.enrolled)) - set(contacts)
            nodes = [*contacts, *sorted(silent)[:_DOCKS_MAX]]
            views = (docks.dock(book, node, firsts) for node in nodes)
            return [view for view in views if view], docks.roll_call(book)

        views, (restored, nameless, absent) = await self._central.people.look(look)
        return await self._frame.page(
            request,
            "nodes.html",
            docks=views,
            contacts=contacts,
            restored=restored,
            nameless=nameless,
            absent=absent,
            cases=_by_name(found),
            unreadable=await self._reading.unreadable(),
            head=self._central.head,
            next=page.next,
        )

    async def _node(self, request: web.Request) -> web.Response:
        node = request.match_info["node"]
        firsts = await self._reading.firsts([node])
        view = await self._central.people.look(lambda book: docks.dock(book, node, firsts, LOGS_SHOWN_MAX))
        if view is None:
            raise Denied(404, f"no dock {node[:40]!r} is known", "Choose one on the page Docks.")
        found = await self._central.people.open_cases()
        return await self._frame.page(request, "node.html", dock=view, cases=_by_name(found))

    async def _cases(self, request: web.Request) -> web.Response:
        found = await self._central.people.open_cases()
        ended = await self._reading.ended()
        return await self._frame.page(request, "cases.html", cases=found.cases[:_CASES_MAX], ended=ended)

    async def _holds(self, request: web.Request) -> web.Response:
        standing = await self._central.restraining.standing()
        ended = await self._central.restraining.ended()
        return await self._frame.page(request, "holds.html", standing=standing, ended=ended)

    async def _backups(self, request: web.Request) -> web.Response:
        told = await self._reading.backups()

        def look(book: CenterBook) -> tuple[set[str], dict[str, str], list[tuple[str, list[Any]]]]:
            owners = {epoch: known.node for epoch, known in book.epochs.items()}
            forget = [(node, list(book.releasable(node))) for node in sorted(book.met)]
            return set(book.backups), owners, forget

        standing, owners, forget = await self._central.people.look(look)
        return await self._frame.page(
            request, "backups.html", told=told, standing=standing, owners=owners, forget=forget
        )

    async def _entry(self, request: web.Request) -> web.Response:
        entry = await self._reading.entry(request.match_info["entry_id"])
        try:
            body = msgspec.json.decode(entry["record"])["body"]
        except RecursionError:  # a signed entry may still be hostile
            body = "nested too deeply to be shown"
        return await self._frame.page(
            request, "entry.html", entry=entry, body=body, done="done" in request.query
        )

    async def _import(self, request: web.Request) -> web.Response:
        return await self._import_page(request, 200, None)

    async def _import_now(self, request: web.Request) -> web.Response:
        order = await read_order(request, self._central)
        answer = await take_order(self._central, order)
        names = [upload.name for upload in order.uploads]
        return await self._import_page(request, 422 if answer.faults_total else 200, answer, names)

    async def _import_page(
        self, request: web.Request, status: int, answer: ImportAnswer | None, names: Sequence[str] = ()
    ) -> web.Response:
        """The form, what came of it, and what was imported before."""
        told = await self._reading.imports(_IMPORTS_SHOWN, None)
        return await self._frame.page(
            request, "import.html", status, answer=answer, names=names, told=told.items
        )

    async def _login(self, request: web.Request) -> web.Response:
        return await self._frame.page(
            request, "login.html", wrong=False, back=back_to(request.query.get("back", ""))
        )

    async def _login_now(self, request: web.Request) -> web.Response:
        form = await read_form(request)
        back = back_to(form.one("back"))
        if not await self._access.check(form.one("token")):
            return await self._frame.page(request, "login.html", 403, wrong=True, back=back)
        response = web.Response(status=303, headers={"Location": back})
        response.set_cookie(
            COOKIE,
            self._access.begin_session(),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="Strict",
            secure=request.secure,
        )
        return response

    async def _logout(self, request: web.Request) -> web.Response:
        self._access.end_session(request.cookies.get(COOKIE, ""))
        response = web.Response(status=303, headers={"Location": "/"})
        response.del_cookie(COOKIE)
        return response


def _by_name(found: Open) -> dict[str, Any]:
    return {case.name: case for case in found.cases}


def _columns(items: Sequence[Item]) -> list[str]:
    """Statuses shown as columns: the known ones, then any other that goods have."""
    others = {item["status"] for item in items} - set(STATUSES)
    return [*STATUSES, *sorted(others)]


def _lots(items: Sequence[Item]) -> list[dict[str, Any]]:
    """Rows of product, lot and owner with a quantity for each status."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for item in items:
        key = tuple(item[name] for name in ("gtin", "lot", "owner", "unit"))
        row = rows.setdefault(key, {**item, "by_status": {}, "loads": 0})
        row["by_status"][item["status"]] = item["quantity"]
        row["loads"] += item["loads"]
    return list(rows.values())
