# SPDX-License-Identifier: Apache-2.0
"""The HTTP interface under /api/v1: what the pages show as JSON, and the acts.

Acts are JSON with exact fields; quantities are strings. Errors are {"error": sentence, "next": sentence}.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated, Any, Final, TypeVar

import msgspec
from aiohttp import web

from edge.view import Desk
from edge.web.guard import Denied, supervisor, worker_at
from edge.web.scanner_check import check

CODE_BYTES_MAX: Final = 16 * 1024
"""The largest symbol (QR Code 40-L) holds 7,089 digits; twice that, so that junk is told as a Hold."""

ROWS_MAX: Final = 1000
"""Rows of one answer; further ones by `after`."""

_ROWS: Final = 100
_TEXT_MAX: Final = 200
_POSITION = re.compile(r"[0-9a-f]{32}:[0-9]{1,18}")

# 128 bits in hex is what the pages send; other callers may use any name of theirs.
_ClientId = Annotated[str, msgspec.Meta(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Quantity = Annotated[str, msgspec.Meta(min_length=1, max_length=24, pattern=r"^[0-9]+(\.[0-9]+)?$")]


class Scan(msgspec.Struct, forbid_unknown_fields=True):
    """A code as characters; control characters such as GS are themselves."""

    code: str
    client_id: _ClientId


class Quantity(msgspec.Struct, forbid_unknown_fields=True):
    """How many there are: the answer to the prompt of `hold`."""

    hold: _Name
    quantity: _Quantity
    client_id: _ClientId


class Undo(msgspec.Struct, forbid_unknown_fields=True):
    """Take back the last movement of the open job."""

    client_id: _ClientId


class OpenJob(msgspec.Struct, forbid_unknown_fields=True):
    """Open a door job; `seals` are those seen on the trailer, None when they were not looked at."""

    job: _Name
    seals: Annotated[tuple[_Name, ...], msgspec.Meta(max_length=20)] | None = None


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """An act that needs no more than its name: {}."""


class Decision(msgspec.Struct, forbid_unknown_fields=True):
    """A supervisor's decision on a Hold."""

    decision: _Name
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""
    quantity: _Quantity | None = None


_Body = TypeVar("_Body", bound=msgspec.Struct)


class Api:
    """The handlers. `doors` are the ids of this node's doors."""

    def __init__(self, desk: Desk, doors: Collection[str]) -> None:
        self._desk = desk
        self._doors = doors

    def routes(self) -> list[web.RouteDef]:
        """Everything under /api/v1."""
        door = "/api/v1/doors/{door}"
        return [
            web.get("/api/v1/status", self._status),
            web.get("/api/v1/entries", self._entries),
            web.get("/api/v1/inventory", self._inventory),
            web.get("/api/v1/search", self._search),
            web.get("/api/v1/scanner-check", self._scanner_check),
            web.get("/api/v1/decode", self._decode),
            web.get("/api/v1/devices/{device}/skipped", self._skipped),
            web.get(door, self._door),
            web.post(f"{door}/scan", self._scan),
            web.post(f"{door}/quantity", self._quantity),
            web.post(f"{door}/undo", self._undo),
            web.post(f"{door}/job/open", self._open),
            web.post(f"{door}/job/close", self._close),
            web.post("/api/v1/holds/{hold}", self._decide),
            web.post("/api/v1/rotate-key", self._rotate_key),
        ]

    def known_door(self, request: web.Request) -> str:
        """The door that the path names. Raises Denied when this node has none of that name."""
        door = request.match_info["door"]
        if door not in self._doors:
            names = ", ".join(sorted(self._doors)) or "none"
            raise Denied(404, f"This node has no door {door[:40]!r}.", f"Its doors are: {names}.")
        return door

    async def _status(self, _: web.Request) -> web.Response:
        return _json(self._desk.status())

    async def _door(self, request: web.Request) -> web.Response:
        return _json(self._desk.door(self.known_door(request)))

    async def _skipped(self, request: web.Request) -> web.Response:
        return _json(self._desk.skipped(request.match_info["device"]))

    async def _entries(self, request: web.Request) -> web.Response:
        after = request.query.get("after") or None
        if after is not None and not _POSITION.fullmatch(after):
            raise Denied(
                400, f"after={after[:60]!r} is no position.", "A position is epoch:seq, as in `position`."
            )
        return _json(await self._desk.entries(after, _limit(request)))

    async def _inventory(self, request: web.Request) -> web.Response:
        return _json(self._desk.inventory(asked_text(request), _limit(request)))

    async def _search(self, request: web.Request) -> web.Response:
        return _json(await self._desk.story(asked_text(request)))

    async def _scanner_check(self, request: web.Request) -> web.Response:
        try:
            gap_ms = float(request.query.get("gap_ms", "0"))
        except ValueError:
            raise Denied(400, "gap_ms is no number.", "Send milliseconds.") from None
        return _json(check(request.query.get("received", ""), request.query.get("suffix", ""), gap_ms))

    async def _decode(self, request: web.Request) -> web.Response:
        code = request.query.get("code", "").encode("utf-8", "surrogatepass")
        return _json(self._desk.decode(code[: CODE_BYTES_MAX + 1]))

    async def _scan(self, request: web.Request) -> web.Response:
        door = self.known_door(request)
        grant = worker_at(request, door)
        scan = await _body(request, Scan)
        # A character outside ASCII is a wrong keyboard layout; it reaches the record as it came.
        code = scan.code.encode("utf-8", "surrogatepass")
        if len(code) > CODE_BYTES_MAX:
            raise Denied(
                413,
                f"The code has {len(code)} bytes, at most {CODE_BYTES_MAX} are taken.",
                "Scan another label.",
            )
        if not code:
            raise Denied(400, "The code is empty.", "Scan the label again.")
        return _json(await self._desk.scan(door, code, scan.client_id, grant.by))

    async def _quantity(self, request: web.Request) -> web.Response:
        door = self.known_door(request)
        grant = worker_at(request, door)
        asked = await _body(request, Quantity)
        return _json(await self._desk.quantity(door, asked.hold, asked.quantity, asked.client_id, grant.by))

    async def _undo(self, request: web.Request) -> web.Response:
        door = self.known_door(request)
        grant = worker_at(request, door)
        asked = await _body(request, Undo)
        return _json(await self._desk.undo(door, asked.client_id, grant.by))

    async def _open(self, request: web.Request) -> web.Response:
        door = self.known_door(request)
        grant = supervisor(request)
        asked = await _body(request, OpenJob)
        return _json(await self._desk.open_job(door, asked.job, asked.seals, grant.by))

    async def _close(self, request: web.Request) -> web.Response:
        door = self.known_door(request)
        return _json(await self._desk.close_job(door, supervisor(request).by))

    async def _decide(self, request: web.Request) -> web.Response:
        grant = supervisor(request)
        hold = request.match_info["hold"]
        asked = await _body(request, Decision)
        return _json(await self._desk.decide(hold, asked.decision, asked.note, grant.by, asked.quantity))

    async def _rotate_key(self, request: web.Request) -> web.Response:
        grant = supervisor(request)
        await _body(request, Nothing)
        return _json({"key": await self._desk.rotate_key(grant.by)})


def asked_text(request: web.Request) -> str:
    """What is searched for, bounded: no identity of ours is longer."""
    return request.query.get("q", "").strip()[:_TEXT_MAX]


async def _body(request: web.Request, shape: type[_Body]) -> _Body:
    # A form of another site cannot send this type without the browser asking us first.
    if request.content_type != "application/json":
        raise Denied(415, f"The content type is {request.content_type[:60]!r}.", "Send application/json.")
    try:
        return msgspec.json.decode(await request.read(), type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Denied(400, f"The request is not right: {error}.", "Correct it and send it again.") from None


def _limit(request: web.Request) -> int:
    text = request.query.get("limit", str(_ROWS))
    if not re.fullmatch("[0-9]{1,6}", text) or not 1 <= int(text) <= ROWS_MAX:
        raise Denied(400, f"limit={text[:20]!r} is not possible.", f"Give 1 to {ROWS_MAX}.")
    return int(text)


def _json(value: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
