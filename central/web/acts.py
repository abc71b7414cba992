# SPDX-License-Identifier: Apache-2.0
"""What people do at the center, over HTTP: each act is a POST with the token, and an entry afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web

from central import admitting, bookkeeping, cuts, people, restraining, storing
from central.errors import Denied
from central.service import Central
from central.web.answers import json_answer
from central.web.api import paging
from central.web.digits import check_numbers
from central.web.gate import bounded_body
from central.works import told
from customs.works.events import CloseOrder, Correct, Plan, Report, Start
from sync.entry import MALFORMED

_BODY_BYTES_MAX: Final = 1024 * 1024
"""The longest act is a backup with the ends of all logs."""


Order = TypeVar("Order", bound=msgspec.Struct)


class Acts:
    """The handlers of people's acts and of what they ask before them."""

    def __init__(self, central: Central) -> None:
        self._central = central
        self._refusals = central.refusals

    def routes(self) -> list[web.RouteDef]:
        """All routes of acts."""
        did, restrained = self._central.people, self._central.restraining
        works, kept = self._central.works, self._central.bookkeeping
        return [
            self._act("enrol", people.Enrol, did.enrol),
            self._act("write-off", people.WriteOff, did.write_off),
            self._act("retire", people.Retire, did.retire),
            self._act("revoke", people.Revoke, did.revoke),
            self._act("attest-roll", people.AttestRoll, did.attest_roll),
            self._act("dispute", people.Object, did.dispute),
            self._act("decide", people.Decide, did.decide),
            self._act("settle", people.Settle, did.settle),
            self._act("filings", people.File, did.file),
            self._act("backups", people.NoteBackup, did.note_backup),
            self._act("backup-gone", people.DropBackup, did.drop_backup),
            self._act("suspend", restraining.Suspend, restrained.suspend),
            self._act("resume", restraining.Resume, restrained.resume),
            self._act("hold", restraining.PutHold, restrained.put_hold),
            self._act("lift-hold", restraining.LiftHold, restrained.lift_hold),
            web.get("/api/v1/restraints", self._restraints),
            self._act("orders/plan", Plan, works.plan),
            self._act("orders/start", Start, works.start),
            self._act("orders/report", Report, works.report),
            self._act("orders/correct", Correct, works.correct),
            self._act("orders/close", CloseOrder, works.close),
            web.get("/api/v1/orders", self._orders),
            web.get("/api/v1/orders/{order}", self._order),
            self._act("admit", admitting.Admit, self._central.admitting.admit),
            self._act("undo-admission", admitting.UndoAdmission, self._central.admitting.undo),
            self._act("pick-up", admitting.FetchGoods, self._central.admitting.pick_up),
            self._act("undo-pick-up", admitting.UndoFetch, self._central.admitting.undo_pick_up),
            self._act("status-change", bookkeeping.ChangeStatus, kept.change_status),
            self._act("adjust", bookkeeping.Adjust, kept.adjust),
            self._act("accept-entry", bookkeeping.Accept, kept.accept),
            self._act("reject-entry", bookkeeping.Reject, kept.reject),
            self._act("elect", bookkeeping.Elect, kept.elect),
            self._act("declare-location", storing.Declare, self._central.storing.declare),
            self._act("put-away", storing.Store, self._central.storing.put_away),
            self._act("correct-put-away", storing.CorrectPutAway, self._central.storing.correct),
            self._act("close-location", storing.CloseLocation, self._central.storing.close),
            self._act("open-location", storing.OpenLocation, self._central.storing.open),
            self._act("cuts", cuts.Pin, self._central.cuts.pin),
            web.get("/api/v1/cuts", self._cuts),
            web.get("/api/v1/cuts/{number}", self._cut),
            web.get("/api/v1/cases", self._cases),
            web.get("/api/v1/nodes/{node}", self._node),
            web.get("/api/v1/filings", self._filings),
            web.get("/api/v1/filings/{number}", self._filing),
        ]

    def _act(self, name: str, form: type[Order], do: Callable[[Order], Awaitable[Any]]) -> web.RouteDef:
        """The route of an act. What is refused is recorded before it is said."""
        decoder = msgspec.json.Decoder(form)

        async def handle(request: web.Request) -> web.Response:
            body = b""
            try:
                body = await bounded_body(request, _BODY_BYTES_MAX)
                done = await do(_read(decoder, body))
            except Denied as error:
                await self._refusals.note(name, body, error)
                raise
            return json_answer({"written": done} if isinstance(done, list) else done)

        return web.post(f"/api/v1/{name}", handle)

    async def _cases(self, _: web.Request) -> web.Response:
        return json_answer(await self._central.people.open_cases())

    async def _restraints(self, _: web.Request) -> web.Response:
        return json_answer(await self._central.restraining.standing())

    async def _node(self, request: web.Request) -> web.Response:
        return json_answer(await self._central.people.node(request.match_info["node"]))

    async def _orders(self, request: web.Request) -> web.Response:
        return json_answer(await self._central.works.page(*paging(request)))

    async def _order(self, request: web.Request) -> web.Response:
        return json_answer(told(await self._central.works.one(request.match_info["order"])))

    async def _cuts(self, _: web.Request) -> web.Response:
        return json_answer({"items": await self._central.ledger.cuts()})

    async def _cut(self, request: web.Request) -> web.Response:
        return json_answer(await self._central.cuts.verify(request.match_info["number"]))

    async def _filings(self, _: web.Request) -> web.Response:
        return json_answer({"items": await self._central.filings.all()})

    async def _filing(self, request: web.Request) -> web.Response:
        return json_answer(await self._central.filings.recompute(request.match_info["number"]))


def _read(decoder: msgspec.json.Decoder[Order], body: bytes) -> Order:
    """An act as it was said. Denied (400) where it cannot be read."""
    try:
        order = decoder.decode(body)
    except MALFORMED as error:
        raise Denied(400, f"the request cannot be read: {error}", "See /api/v1/openapi.json.") from error
    check_numbers(order, msgspec.json.decode(body))
    return order
