# SPDX-License-Identifier: Apache-2.0
"""Where goods stand, for people and programs: locations, what stands at one, where a load stands and what
moved it. Each page has its JSON under /api/v1. Reads only; how loads are put away is `central.web.forms`.
"""

from __future__ import annotations

from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from central.location_queries import Locations
from central.web.answers import json_answer
from central.web.frame import Frame
from central.web.ledger import asked_times

_TIMES: Final = ("as_of", "known_on")


class PlacePages:
    """The handlers of locations and loads."""

    def __init__(self, locations: Locations, frame: Frame, timezone: str) -> None:
        self._locations = locations
        self._frame = frame
        self._zone = ZoneInfo(timezone)

    def routes(self) -> list[web.RouteDef]:
        """All routes of locations and loads."""
        return [
            web.get("/locations", self._all),
            web.get("/locations/{location:.+}", self._content),
            web.get("/loads/{load:.+}", self._load),
            web.get("/api/v1/locations", self._all_json),
            web.get("/api/v1/locations/{location:.+}", self._content_json),
            web.get("/api/v1/loads/{load:.+}", self._load_json),
        ]

    async def _all(self, request: web.Request) -> web.Response:
        page = await self._locations.all(_after(request))
        return await self._frame.page(request, "locations.html", rows=page.items, next=page.next)

    async def _content(self, request: web.Request) -> web.Response:
        found = await self._locations.content(
            request.match_info["location"], _after(request), *asked_times(request, self._zone)
        )
        return await self._frame.page(request, "location.html", found=found, **self._shown(request))

    async def _load(self, request: web.Request) -> web.Response:
        found = await self._locations.load(
            request.match_info["load"], _after(request), *asked_times(request, self._zone)
        )
        return await self._frame.page(request, "load.html", found=found, **self._shown(request))

    async def _all_json(self, request: web.Request) -> web.Response:
        return json_answer(await self._locations.all(_after(request)))

    async def _content_json(self, request: web.Request) -> web.Response:
        name = request.match_info["location"]
        return json_answer(
            await self._locations.content(name, _after(request), *asked_times(request, self._zone))
        )

    async def _load_json(self, request: web.Request) -> web.Response:
        name = request.match_info["load"]
        return json_answer(
            await self._locations.load(name, _after(request), *asked_times(request, self._zone))
        )

    def _shown(self, request: web.Request) -> dict[str, Any]:
        """What a page repeats of its question."""
        chosen = {name: request.query.get(name, "") for name in _TIMES}
        return {
            "then": asked_times(request, self._zone),
            "chosen": chosen,
        }


def _after(request: web.Request) -> str | None:
    return request.query.get("after") or None
