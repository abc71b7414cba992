# SPDX-License-Identifier: Apache-2.0
"""Imports over HTTP: files in, counts or every fault out; whoever asks meanwhile is told how far it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Final

import msgspec
from aiohttp import BodyPartReader, web

from central.errors import Denied
from central.intake import UPLOAD_BYTES_MAX, Asked, ImportAnswer, Told, answer_of
from central.service import Central
from central.web.gate import bounded_body
from customs import fields
from customs.fields import Misfit
from customs.imports import FILES_MAX, Upload

_FIELD_BYTES_MAX: Final = 1024
"""Of a date; a chunk must hold the form's own boundary, too."""


class Uploading:
    """The handlers of /api/v1/import."""

    def __init__(self, central: Central) -> None:
        self._central = central

    def routes(self) -> list[web.RouteDef]:
        """Its routes."""
        return [web.post("/api/v1/import", self._import), web.get("/api/v1/import", self._progress)]

    async def _import(self, request: web.Request) -> web.Response:
        answer = await take_order(self._central, await read_order(request, self._central))
        return _json(answer, 422 if answer.faults_total else 200)

    async def _progress(self, _: web.Request) -> web.Response:
        return _json(self._central.importing)


async def read_order(request: web.Request, central: Central) -> Asked:
    """The files of an import: multipart/form-data, or one file as the body with its name in `?name=`.

    Denied (413) when they are too many or too long, which is recorded as an import that was refused.
    """
    names: list[str] = []
    try:
        if request.content_type == "multipart/form-data":
            return await _read_form(request, names)
        return await _read_body(request, names)
    except Denied as error:
        if error.status == 413:
            await central.note_refused(names, str(error), error.next_step, _BY)
        raise


async def take_order(central: Central, order: Asked) -> ImportAnswer:
    """Import, and say what came of it."""
    return answer_of(await central.import_files(order.uploads, order.by, order.supersedes_from))


_BY: Final = "token"


async def _read_body(request: web.Request, names: list[str]) -> Asked:
    name = request.query.get("name", "")
    if not name:
        kind = request.content_type.partition("/")[2]
        name = f"import.{kind}" if kind in ("json", "csv") else ""
    if not name:
        raise Denied(400, "the file has no name", "Say ?name=FILE.json or ?name=FILE.csv.")
    names.append(name[:200])
    day = _day(request.query.get("supersedes_from", ""))
    return Asked([Upload(name[:200], await bounded_body(request, UPLOAD_BYTES_MAX))], _BY, day)


async def _read_form(request: web.Request, names: list[str]) -> Asked:
    uploads: list[Upload] = []
    left = UPLOAD_BYTES_MAX
    day: date | None = None
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            if not part.filename:
                if part.name == "supersedes_from":
                    day = _day((await part.read_chunk(_FIELD_BYTES_MAX)).decode("ascii", "replace"))
                continue
            names.append(part.filename[:200])
            if len(names) > FILES_MAX:
                raise Denied(413, f"more than {FILES_MAX} files", "Send them in turn.")
            data = bytearray()
            async for chunk in _chunks(part):
                data += chunk
                if len(data) > left:
                    raise Denied(413, f"the files are over {UPLOAD_BYTES_MAX} bytes", "Split the import.")
            left -= len(data)
            uploads.append(Upload(names[-1], bytes(data)))
    except (ValueError, AssertionError) as error:
        raise Denied(400, "the form cannot be read", "Send it as multipart/form-data.") from error
    if not uploads:
        raise Denied(400, "no file came", "Choose a .json or .csv file.")
    return Asked(uploads, _BY, day)


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(64 * 1024):
        yield chunk


def _day(text: str) -> date | None:
    """The day from which tables supersede; none where nothing is said."""
    if not text.strip():
        return None
    try:
        day: date = fields.day(text.strip())
    except Misfit as misfit:
        raise Denied(
            400, f"supersedes_from is {text[:40]!r}, not {misfit.expected}", misfit.next_step
        ) from None
    return day


def _json(value: ImportAnswer | Told, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")
