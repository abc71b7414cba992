# SPDX-License-Identifier: Apache-2.0
"""The center's HTTP interface for nodes and programs; central/web/openapi.json describes it."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from aiohttp import web

from central.errors import Denied
from central.service import Central
from central.web.answers import json_answer
from central.web.gate import Gate, bounded_body
from central.web.reading import LIMIT_MAX, Reading
from sync.wire import ASK_BYTES_MAX

LIMIT: Final = 100
"""Items of a page when the request does not say."""

SIGNATURE: Final = "Zonegate-Signature"


class Api:
    """The handlers of /api/v1."""

    def __init__(self, central: Central, reading: Reading) -> None:
        self._central = central
        self._reading = reading
        self._gate = Gate()

    def routes(self) -> list[web.RouteDef]:
        """All routes of the API."""
        return [
            web.post("/api/v1/exchange", self._exchange),
            web.get("/api/v1/inventory", self._inventory),
            web.get("/api/v1/loads", self._loads),
            web.get("/api/v1/permits", self._permits),
            web.get("/api/v1/nodes", self._nodes),
            web.get("/api/v1/jobs", self._jobs),
            web.get("/api/v1/holds", self._holds),
            web.get("/api/v1/movements", self._movements),
            web.get("/api/v1/imports", self._imports),
            web.get("/api/v1/entries", self._entries),
            web.get("/api/v1/entries/{entry_id}", self._entry),
            web.get("/api/v1/openapi.json", self._description),
        ]

    async def _exchange(self, request: web.Request) -> web.Response:
        async with self._gate.room(request.remote or ""):
            body = await bounded_body(request, ASK_BYTES_MAX)
        answer = await self._central.exchange(body, request.headers.get(SIGNATURE, ""))
        return web.Response(body=answer, content_type="application/json")

    async def _inventory(self, request: web.Request) -> web.Response:
        return json_answer(await self._reading.inventory(*paging(request), _search(request)))

    async def _loads(self, request: web.Request) -> web.Response:
        return json_answer(await self._reading.loads(*paging(request), _search(request)))

    async def _permits(self, request: web.Request) -> web.Response:
        return json_answer(await self._reading.permits(*paging(request)))

    async def _nodes(self, request: web.Request) -> web.Response:
        return json_answer(await self._reading.nodes(*paging(request)))

    async def _jobs(self, request: web.Request) -> web.Response:
        return json_answer(await self._reading.jobs(*paging(request)))

    async def _holds(self, request: web.Request) -> web.Response:
        state = request.query.get("state", "open")
        if state not in ("open", "all"):
            raise Denied(400, f"state is {state[:40]!r}", "Say state=open or state=all.")
        return json_answer(await self._reading.holds(*paging(request), settled=state == "all"))

    async def _movements(self, request: web.Request) -> web.Response:
        return json_answer(await self._reading.movements(*paging(request), _search(request)))

    async def _imports(self, request: web.Request) -> web.Response:
        return json_answer(await self._reading.imports(*paging(request)))

    async def _entries(self, request: web.Request) -> web.Response:
        node = request.query.get("node", "")
        if "\x00" in node:
            raise Denied(400, "node is no name", "Use a name from /api/v1/nodes.")
        return json_answer(await self._reading.entries(*paging(request), node))

    async def _entry(self, request: web.Request) -> web.Response:
        return json_answer(await self._reading.entry(request.match_info["entry_id"]))

    async def _description(self, _: web.Request) -> web.Response:
        text = (files("central.web") / "openapi.json").read_text("utf-8")
        return web.Response(text=text, content_type="application/json")


def paging(request: web.Request) -> tuple[int, str | None]:
    """`limit` and `after` of a list's request."""
    text = request.query.get("limit", str(LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= LIMIT_MAX):
        raise Denied(400, f"limit is {text[:40]!r}", f"Say a whole number from 1 to {LIMIT_MAX}.")
    return int(text), request.query.get("after") or None


def _search(request: web.Request) -> str:
    return request.query.get("search", "")
