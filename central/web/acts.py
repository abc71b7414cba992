# SPDX-License-Identifier: Apache-2.0
"""What people do at the center, over HTTP: each act is a POST with the token, and an entry afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web

from central import bookkeeping, cuts, people, restraining
from central.errors import Denied
from central.service import Central
from central.web.api import paging
from central.web.gate import bounded_body
from central.works import told
from customs.works.events import CloseOrder, Plan, Report, Start
from sync.entry import MALFORMED

_BODY_BYTES_MAX: Final = 1024 * 1024
"""The longest act is a backup with the ends of all logs."""

_encoder = msgspec.json.Encoder(decimal_format="string")

Order = TypeVar("Order", bound=msgspec.Struct)


class Acts:
    """The handlers of people's acts and of what they ask before them."""

    def __init__(self, central: Central) -> None:
        self._central = central

    def routes(self) -> list[web.RouteDef]:
        """All routes of acts."""
        did, restrained = self._central.people, self._central.restraining
        works, kept = self._central.works, self._central.bookkeeping
        return [
            _act("enrol", people.Enrol, did.enrol),
            _act("write-off", people.WriteOff, did.write_off),
            _act("retire", people.Retire, did.retire),
            _act("revoke", people.Revoke, did.revoke),
            _act("attest-roll", people.AttestRoll, did.attest_roll),
            _act("dispute", people.Object, did.dispute),
            _act("decide", people.Decide, did.decide),
            _act("settle", people.Settle, did.settle),
            _act("filings", people.File, did.file),
            _act("backups", people.NoteBackup, did.note_backup),
            _act("backup-gone", people.DropBackup, did.drop_backup),
            _act("suspend", restraining.Suspend, restrained.suspend),
            _act("resume", restraining.Resume, restrained.resume),
            _act("hold", restraining.PutHold, restrained.put_hold),
            _act("lift-hold", restraining.LiftHold, restrained.lift_hold),
            web.get("/api/v1/restraints", self._restraints),
            _act("orders/plan", Plan, works.plan),
            _act("orders/start", Start, works.start),
            _act("orders/report", Report, works.report),
            _act("orders/close", CloseOrder, works.close),
            web.get("/api/v1/orders", self._orders),
            web.get("/api/v1/orders/{order}", self._order),
            _act("status-change", bookkeeping.ChangeStatus, kept.change_status),
            _act("adjust", bookkeeping.Adjust, kept.adjust),
            _act("accept-entry", bookkeeping.Accept, kept.accept),
            _act("reject-entry", bookkeeping.Reject, kept.reject),
            _act("elect", bookkeeping.Elect, kept.elect),
            _act("cuts", cuts.Pin, self._central.cuts.pin),
            web.get("/api/v1/cuts", self._cuts),
            web.get("/api/v1/cuts/{number}", self._cut),
            web.get("/api/v1/cases", self._cases),
            web.get("/api/v1/nodes/{node}", self._node),
            web.get("/api/v1/filings", self._filings),
            web.get("/api/v1/filings/{number}", self._filing),
        ]

    async def _cases(self, _: web.Request) -> web.Response:
        return _json(await self._central.people.open_cases())

    async def _restraints(self, _: web.Request) -> web.Response:
        return _json(await self._central.restraining.standing())

    async def _node(self, request: web.Request) -> web.Response:
        return _json(await self._central.people.node(request.match_info["node"]))

    async def _orders(self, request: web.Request) -> web.Response:
        return _json(await self._central.works.page(*paging(request)))

    async def _order(self, request: web.Request) -> web.Response:
        return _json(told(await self._central.works.one(request.match_info["order"])))

    async def _cuts(self, _: web.Request) -> web.Response:
        return _json({"items": await self._central.ledger.cuts()})

    async def _cut(self, request: web.Request) -> web.Response:
        return _json(await self._central.cuts.verify(request.match_info["number"]))

    async def _filings(self, _: web.Request) -> web.Response:
        return _json({"items": await self._central.filings.all()})

    async def _filing(self, request: web.Request) -> web.Response:
        return _json(await self._central.filings.recompute(request.match_info["number"]))


def _act(name: str, form: type[Order], do: Callable[[Order], Awaitable[Any]]) -> web.RouteDef:
    decoder = msgspec.json.Decoder(form)

    async def handle(request: web.Request) -> web.Response:
        body = await bounded_body(request, _BODY_BYTES_MAX)
        try:
            order = decoder.decode(body)
        except MALFORMED as error:
            raise Denied(400, f"the request cannot be read: {error}", "See /api/v1/openapi.json.") from error
        done = await do(order)
        return _json({"written": done} if isinstance(done, list) else done)

    return web.post(f"/api/v1/{name}", handle)


def _json(value: Any) -> web.Response:
    return web.Response(body=_encoder.encode(value), content_type="application/json")
