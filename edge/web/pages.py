# SPDX-License-Identifier: Apache-2.0
"""The pages for people: door screen, status, inventory, search, sign-in, scanner set-up.

Everything shown is escaped by the templates; what comes from a scanner is nobody's markup.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import jinja2
from aiohttp import web

from edge.view import Desk, StatusView
from edge.web.access import Access, Grant
from edge.web.api import Api, asked_text
from edge.web.chrome import WORDS, word
from edge.web.guard import Denied, grant_of
from edge.web.scanner_check import GS, TEST_TEXT
from edge.web.stream import troubles
from gs1.code128 import QUIET_ZONE, code128_widths, gs1_128_values
from gs1.svg import bars_path

_TEMPLATES: Final = Path(__file__).parent / "templates"
_PERSON = re.compile(r"[^\W_][\w .'-]{0,39}")
_SHAPES: Final = {"Up": "up", "Degraded": "degraded", "Down": "down"}
_INVENTORY_ROWS: Final = 500


class Pages:
    """The handlers. `doors` maps a door's id to its name for people."""

    def __init__(self, desk: Desk, access: Access, doors: Mapping[str, str], api: Api) -> None:
        self._desk = desk
        self._access = access
        self._doors = doors
        self._api = api
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["t"] = word
        self._templates.filters["amount"] = _amount
        self._templates.filters["shape"] = lambda state: _SHAPES.get(state, "unknown")

    def routes(self) -> list[web.RouteDef]:
        """Every page for people."""
        return [
            web.get("/", self._status),
            web.get("/door/{door}", self._door),
            web.get("/inventory", self._inventory),
            web.get("/search", self._search),
            web.get("/login", self._login),
            web.post("/login", self._sign_in),
            web.post("/logout", self._sign_out),
            web.get("/setup/scanner", self._scanner),
        ]

    def error(self, request: web.Request, status: int, sentence: str, step: str) -> str:
        """The page of an error."""
        return self._text(request, "error.html", status=status, sentence=sentence, step=step)

    async def _status(self, request: web.Request) -> web.Response:
        status = self._desk.status()
        return self._page(
            request, "status.html", status=status, troubles=troubles(status), when=_when(status)
        )

    async def _door(self, request: web.Request) -> web.Response:
        door = self._api.known_door(request)
        return self._page(request, "door.html", door=door, name=self._doors[door], words=WORDS)

    async def _inventory(self, request: web.Request) -> web.Response:
        text = asked_text(request)
        holdings = self._desk.inventory(text, _INVENTORY_ROWS)
        return self._page(request, "inventory.html", text=text, holdings=holdings, rows_max=_INVENTORY_ROWS)

    async def _search(self, request: web.Request) -> web.Response:
        text = asked_text(request)
        story = await self._desk.story(text) if text else []
        return self._page(
            request,
            "search.html",
            text=text,
            story=story,
            code=self._code(text),
            when=_when(self._desk.status()),
        )

    def _code(self, text: str) -> dict[str, Any] | None:
        """What is searched for as a code, when it is one: a word that a person types is none."""
        answer = self._desk.decode(text.encode("utf-8", "surrogatepass")) if text else None
        if answer is None or answer["kind"] == "nothing":
            return None
        return answer if answer["ok"] or answer["elements"] else None

    async def _scanner(self, request: web.Request) -> web.Response:
        widths = code128_widths(gs1_128_values(TEST_TEXT))
        path, modules = bars_path(widths, QUIET_ZONE, 0, 1, 1), sum(widths) + 2 * QUIET_ZONE
        first, second = TEST_TEXT.split(GS)
        readable = f"({first[:2]}) {first[2:]} ({second[:2]}) {second[2:]}"
        return self._page(request, "scanner.html", bars=path, modules=modules, readable=readable)

    async def _login(self, request: web.Request) -> web.Response:
        return self._page(request, "login.html", fault="", to=_own_path(request.query.get("next", "")))

    async def _sign_in(self, request: web.Request) -> web.Response:
        form = await request.post()
        to = _own_path(str(form.get("next", "")))
        person = str(form.get("person", "")).strip()
        if person and not _PERSON.fullmatch(person):
            raise Denied(400, "That is no name.", "Use letters and digits, at most 40.")
        grant = await self._access.verify(str(form.get("token", "")))
        if grant is None:
            fault = "That token is not known here. Type it again, or ask for a new one."
            page = self._page(request, "login.html", fault=fault, to=to)
            page.set_status(403)
            return page
        if grant.door is not None:
            to = to or f"/door/{grant.door}"
        response = web.HTTPSeeOther(to or "/")
        value, lasts = self._access.cookie(Grant(grant.door, person if grant.supervises else ""))
        response.set_cookie(
            self._access.cookie_name,
            value,
            max_age=lasts,
            httponly=True,
            samesite="Strict",
            secure=request.secure,
        )
        raise response

    async def _sign_out(self, _: web.Request) -> web.Response:
        response = web.HTTPSeeOther("/")
        response.del_cookie(self._access.cookie_name, httponly=True, samesite="Strict")
        raise response

    def _page(self, request: web.Request, template: str, **values: Any) -> web.Response:
        return web.Response(text=self._text(request, template, **values), content_type="text/html")

    def _text(self, request: web.Request, template: str, **values: Any) -> str:
        return self._templates.get_template(template).render(
            grant=grant_of(request), path=request.path, **values
        )


def _amount(quantity: Decimal) -> str:
    return f"{quantity:f}"


def _own_path(text: str) -> str:
    """A path of this node to go on to, or nothing: a link must not lead people elsewhere."""
    own = re.fullmatch(r"/(?![/\\])[\x21-\x7e]{0,500}", text)
    return text if own and "\\" not in text else ""


class _When:
    """Times as people at this dock read them, with the exact one beside for the machine."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def clock(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%H:%M:%S}"

    def day(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%Y-%m-%d %H:%M:%S}"

    @property
    def zone(self) -> str:
        return str(self._zone)


def _when(status: StatusView) -> _When:
    try:
        return _When(ZoneInfo(status.timezone))
    except (ZoneInfoNotFoundError, ValueError):
        # The configuration was checked at start; a machine that lost its time zones shows UTC and says so.
        return _When(ZoneInfo("UTC"))
