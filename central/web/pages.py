# SPDX-License-Identifier: Apache-2.0
"""The center's pages: inventory, permits, jobs, movements, nodes, import. Server-made, live by the feed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from central.errors import Denied
from central.service import Central
from central.web import shapes
from central.web.access import SESSION_SECONDS, Access
from central.web.api import import_uploads, paging, read_uploads
from central.web.guard import COOKIE, SIGNED_IN
from central.web.reading import Item, Reading

STATUSES: Final = ("NPF", "PF", "D", "ZR", "SUSPENSE")
"""Columns of the inventory; 19 CFR 146.41-146.44 and 146.22."""

_FORM_BYTES_MAX: Final = 4096
"""The sign-in form: one short token."""

_SECTIONS: Final = (
    ("/", "Inventory"),
    ("/permits", "Permits"),
    ("/jobs", "Jobs"),
    ("/movements", "Movements"),
    ("/nodes", "Nodes"),
    ("/import", "Import"),
)


class Pages:
    """The handlers of all pages."""

    def __init__(self, central: Central, reading: Reading, access: Access, timezone: str) -> None:
        self._central = central
        self._reading = reading
        self._access = access
        zone = ZoneInfo(timezone)
        self._templates = Environment(
            loader=PackageLoader("central.web"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(
            quantity=shapes.quantity,
            moment=lambda value: shapes.moment(value, zone),
            ago=lambda value: shapes.ago(value, datetime.now(UTC)),
        )
        self._templates.globals["timezone"] = timezone
        self._templates.globals["line_bar"] = shapes.line_bar

    def routes(self) -> list[web.RouteDef]:
        """All pages, and the two acts that pages have."""
        return [
            web.get("/", self._inventory),
            web.get("/permits", self._permits),
            web.get("/jobs", self._jobs),
            web.get("/movements", self._movements),
            web.get("/nodes", self._nodes),
            web.get("/import", self._import),
            web.post("/import", self._import_now),
            web.get("/login", self._login),
            web.post("/login", self._login_now),
            web.post("/logout", self._logout),
        ]

    def error(self, request: web.Request, status: int, error: str, next_step: str) -> str:
        """The page that tells an error."""
        return self._text(request, "error.html", status=status, error=error, next_step=next_step)

    async def _inventory(self, request: web.Request) -> web.Response:
        limit, after = paging(request)
        search = request.query.get("search", "")
        page = await self._reading.inventory(max(limit, 500), after, search)
        rows = _lots(page.items)
        return self._page(
            request, "inventory.html", rows=rows, search=search, next=page.next, statuses=_columns(page.items)
        )

    async def _permits(self, request: web.Request) -> web.Response:
        page = await self._reading.permits(*paging(request))
        stray = await self._reading.stray_lines()
        return self._page(request, "permits.html", permits=page.items, stray=stray, next=page.next)

    async def _jobs(self, request: web.Request) -> web.Response:
        page = await self._reading.jobs(*paging(request))
        holds = await self._reading.holds(100, None)
        return self._page(request, "jobs.html", jobs=page.items, holds=holds.items, next=page.next)

    async def _movements(self, request: web.Request) -> web.Response:
        search = request.query.get("search", "")
        page = await self._reading.movements(*paging(request), search)
        return self._page(request, "movements.html", movements=page.items, search=search, next=page.next)

    async def _nodes(self, request: web.Request) -> web.Response:
        page = await self._reading.nodes(*paging(request))
        unreadable = await self._reading.unreadable()
        head = self._central.head
        return self._page(
            request, "nodes.html", nodes=page.items, unreadable=unreadable, head=head, next=page.next
        )

    async def _import(self, request: web.Request) -> web.Response:
        return self._page(request, "import.html", answer=None, names=())

    async def _import_now(self, request: web.Request) -> web.Response:
        uploads = await read_uploads(request)
        answer = await import_uploads(self._central, uploads)
        names = [upload.name for upload in uploads]
        return self._page(
            request, "import.html", 422 if answer.faults_total else 200, answer=answer, names=names
        )

    async def _login(self, request: web.Request) -> web.Response:
        return self._page(request, "login.html", wrong=False, back=_back(request.query.get("back", "")))

    async def _login_now(self, request: web.Request) -> web.Response:
        if (request.content_length or 0) > _FORM_BYTES_MAX or request.content_length is None:
            raise Denied(413, "the form is too long", "Send only the token.")
        form = await request.post()
        back = _back(str(form.get("back", "")))
        if not await self._access.check(str(form.get("token", "")).strip()):
            return self._page(request, "login.html", 403, wrong=True, back=back)
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

    def _page(self, request: web.Request, name: str, status: int = 200, **values: Any) -> web.Response:
        text = self._text(request, name, **values)
        return web.Response(text=text, status=status, content_type="text/html")

    def _text(self, request: web.Request, name: str, **values: Any) -> str:
        return self._templates.get_template(name).render(
            tenant=self._central.tenant,
            zone=self._central.zone,
            sections=_SECTIONS,
            path=request.path,
            signed_in=request.get(SIGNED_IN, False),
            **values,
        )


def _back(path: str) -> str:
    """A page of ours to go back to; anything else is the first page."""
    return path if path in dict(_SECTIONS) else "/"


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
