# SPDX-License-Identifier: Apache-2.0
"""The center's HTTP interface for nodes and programs; central/web/openapi.json describes it."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

import msgspec
from aiohttp import BodyPartReader, web

from central.errors import Denied
from central.service import Central
from central.web.gate import Gate
from central.web.reading import LIMIT_MAX, Page, Reading
from customs.faults import Fault
from customs.imports import FILES_MAX, IMPORT_BYTES_MAX, Refused, Upload
from sync.wire import ASK_BYTES_MAX

LIMIT: Final = 100
"""Items of a page when the request does not say."""

SIGNATURE: Final = "Zonegate-Signature"

_encoder = msgspec.json.Encoder(decimal_format="string")


class ImportAnswer(msgspec.Struct, frozen=True):
    """What POST /api/v1/import answers: counts of what is new, or all faults and nothing imported."""

    products: int = 0
    permits: int = 0
    trucks: int = 0
    unchanged: int = 0
    faults: tuple[Fault, ...] = ()
    faults_total: int = 0


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
            web.post("/api/v1/import", self._import),
            web.get("/api/v1/inventory", self._inventory),
            web.get("/api/v1/loads", self._loads),
            web.get("/api/v1/permits", self._permits),
            web.get("/api/v1/nodes", self._nodes),
            web.get("/api/v1/jobs", self._jobs),
            web.get("/api/v1/holds", self._holds),
            web.get("/api/v1/movements", self._movements),
            web.get("/api/v1/entries", self._entries),
            web.get("/api/v1/entries/{entry_id}", self._entry),
            web.get("/api/v1/openapi.json", self._description),
        ]

    async def _exchange(self, request: web.Request) -> web.Response:
        async with self._gate.room(request.remote or ""):
            body = await bounded_body(request, ASK_BYTES_MAX)
        answer = await self._central.exchange(body, request.headers.get(SIGNATURE, ""))
        return web.Response(body=answer, content_type="application/json")

    async def _import(self, request: web.Request) -> web.Response:
        uploads = await read_uploads(request)
        answer = await import_uploads(self._central, uploads)
        return _json(answer, 422 if answer.faults_total else 200)

    async def _inventory(self, request: web.Request) -> web.Response:
        return _json(await self._reading.inventory(*paging(request), _search(request)))

    async def _loads(self, request: web.Request) -> web.Response:
        return _json(await self._reading.loads(*paging(request), _search(request)))

    async def _permits(self, request: web.Request) -> web.Response:
        return _json(await self._reading.permits(*paging(request)))

    async def _nodes(self, request: web.Request) -> web.Response:
        return _json(await self._reading.nodes(*paging(request)))

    async def _jobs(self, request: web.Request) -> web.Response:
        return _json(await self._reading.jobs(*paging(request)))

    async def _holds(self, request: web.Request) -> web.Response:
        state = request.query.get("state", "open")
        if state not in ("open", "all"):
            raise Denied(400, f"state is {state[:40]!r}", "Say state=open or state=all.")
        return _json(await self._reading.holds(*paging(request), settled=state == "all"))

    async def _movements(self, request: web.Request) -> web.Response:
        return _json(await self._reading.movements(*paging(request), _search(request)))

    async def _entries(self, request: web.Request) -> web.Response:
        node = request.query.get("node", "")
        if "\x00" in node:
            raise Denied(400, "node is no name", "Use a name from /api/v1/nodes.")
        return _json(await self._reading.entries(*paging(request), node))

    async def _entry(self, request: web.Request) -> web.Response:
        return _json(await self._reading.entry(request.match_info["entry_id"]))

    async def _description(self, _: web.Request) -> web.Response:
        text = (files("central.web") / "openapi.json").read_text("utf-8")
        return web.Response(text=text, content_type="application/json")


def paging(request: web.Request) -> tuple[int, str | None]:
    """`limit` and `after` of a list's request."""
    text = request.query.get("limit", str(LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= LIMIT_MAX):
        raise Denied(400, f"limit is {text[:40]!r}", f"Say a whole number from 1 to {LIMIT_MAX}.")
    return int(text), request.query.get("after") or None


async def bounded_body(request: web.Request, bytes_max: int) -> bytes:
    """The request's body; Denied (413) when it is longer than `bytes_max`, before it is all read."""
    if (request.content_length or 0) > bytes_max:
        raise Denied(413, f"the body is over {bytes_max} bytes", "Send less at once.")
    body = bytearray()
    async for chunk in request.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > bytes_max:
            raise Denied(413, f"the body is over {bytes_max} bytes", "Send less at once.")
    return bytes(body)


async def read_uploads(request: web.Request) -> list[Upload]:
    """The files of an import: multipart/form-data, or one file as the body with its name in `?name=`."""
    if request.content_type != "multipart/form-data":
        name = request.query.get("name", "")
        if not name:
            kind = request.content_type.partition("/")[2]
            name = f"import.{kind}" if kind in ("json", "csv") else ""
        if not name:
            raise Denied(400, "the file has no name", "Say ?name=FILE.json or ?name=FILE.csv.")
        return [Upload(name[:200], await bounded_body(request, IMPORT_BYTES_MAX))]
    uploads: list[Upload] = []
    left = IMPORT_BYTES_MAX
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or not part.filename:
                continue
            data = bytearray()
            while chunk := await part.read_chunk(64 * 1024):
                data += chunk
                if len(data) > left:
                    raise Denied(413, f"the files are over {IMPORT_BYTES_MAX} bytes", "Split the import.")
            left -= len(data)
            uploads.append(Upload(part.filename[:200], bytes(data)))
            if len(uploads) > FILES_MAX:
                raise Denied(413, f"more than {FILES_MAX} files", "Send them in turn.")
    except (ValueError, AssertionError) as error:
        raise Denied(400, "the form cannot be read", "Send it as multipart/form-data.") from error
    if not uploads:
        raise Denied(400, "no file came", "Choose a .json or .csv file.")
    return uploads


async def import_uploads(central: Central, uploads: list[Upload]) -> ImportAnswer:
    """Import, and say what came of it."""
    result = await central.import_files(uploads, "token")
    if isinstance(result, Refused):
        return ImportAnswer(faults=result.faults, faults_total=result.total)
    return ImportAnswer(result.products, result.permits, result.trucks, result.unchanged)


def _search(request: web.Request) -> str:
    return request.query.get("search", "")


def _json(value: Page | ImportAnswer | dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(body=_encoder.encode(value), status=status, content_type="application/json")
