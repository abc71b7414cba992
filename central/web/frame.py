# SPDX-License-Identifier: Apache-2.0
"""What every page stands in: the head with its sections and the count of open cases, filters, templates."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from central.errors import Unavailable
from central.service import Central
from central.web import accounts, law_view, lineage, shapes
from central.web.guard import SIGNED_IN
from customs.ledger.facts import holds_goods
from sync.cases import ALARM, Case

SECTIONS: Final = (
    (
        ("/", "Inventory"),
        ("/lots", "Lots"),
        ("/locations", "Locations"),
        ("/waiting", "Waiting"),
        ("/orders", "Orders"),
        ("/products", "Products"),
    ),
    (
        ("/permits", "Permits"),
        ("/jobs", "Jobs"),
        ("/movements", "Movements"),
        ("/holds", "Holds"),
        ("/nodes", "Docks"),
    ),
    (
        ("/cases", "Cases"),
        ("/backups", "Backups"),
        ("/import", "Import"),
    ),
)
"""The goods, what crosses, the center itself: a group breaks into no two lines."""

_OUR_PATH: Final = re.compile(r"/(?!/)[A-Za-z0-9_/.~-]*(\?[A-Za-z0-9_=&%:.~/+-]*)?\Z")
"""A page of this center with its question: no host, no backslash."""

_COMMAND: Final = re.compile(r"(?:: |, then )`zonegate[^`]*`(?: or `[^`]*`)?")
"""The command line's way in a case's next step; pages link to their form in its place."""


class Frame:
    """Renders pages of one center."""

    def __init__(self, central: Central, timezone: str) -> None:
        self._central = central
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
            money=law_view.money,
            rounding=law_view.rounding_words,
            moment=lambda value: shapes.moment(value, zone),
            ago=lambda value: shapes.ago(value, datetime.now(UTC)),
            step=lambda text: _COMMAND.sub("", text),
        )
        self._templates.globals.update(
            timezone=timezone,
            line_bar=shapes.line_bar,
            picture=lineage.picture,
            state_shape=lineage.shape,
            form_of=form_of,
            alarm=ALARM,
            account=accounts.account,
            stair=accounts.stair,
            in_hand=accounts.in_hand,
            in_customs=accounts.in_customs,
            holds_goods=holds_goods,
            lot_path=accounts.lot_path,
            place_words=accounts.place_words,
            location_path=accounts.location_path,
            load_path=accounts.load_path,
            trace_path=accounts.trace_path,
        )

    async def page(self, request: web.Request, name: str, status: int = 200, **values: Any) -> web.Response:
        """A page; its head counts the open cases."""
        try:
            found = await self._central.people.open_cases()
        except Unavailable:
            text = self.text(request, name, **values)
        else:
            values |= {"lends": found.lends, "suspended": found.suspended}
            text = self.text(request, name, cases_count=len(found.cases), **values)
        return web.Response(text=text, status=status, content_type="text/html")

    def text(self, request: web.Request, name: str, **values: Any) -> str:
        """A page's text; without `cases_count` its head counts nothing."""
        values.setdefault("cases_count", None)
        values.setdefault("lends", True)
        values.setdefault("suspended", "")
        return self._templates.get_template(name).render(
            tenant=self._central.tenant,
            zone=self._central.zone,
            sections=SECTIONS,
            path=request.path,
            here=request.path_qs,
            signed_in=request.get(SIGNED_IN, False),
            **values,
        )


def back_to(path: str) -> str:
    """A page of ours to go back to; anything else is the first page."""
    return path if len(path) < 2000 and _OUR_PATH.match(path) else "/"


def form_of(case: Case) -> tuple[str, str] | None:
    """Address and name of the form that a case's next step asks for."""
    kind, _, rest = case.name.partition(":")
    if kind == "roll":
        return "/roll", "Say which docks there are"
    if kind == "silent":
        return f"/retire?{urlencode({'node': case.node})}", "Retire this dock"
    if kind == "disputed":
        return f"/decide?{urlencode({'dispute': rest})}", "Decide"
    if kind == "suspended":
        return "/resume", "Resume the zone"
    if kind in ("hold-again", "ended-elsewhere"):
        return "/holds", "Look at the holds"
    if kind == "gap":
        return f"/write-off?{urlencode({'node': case.node, 'gap': case.epoch})}", "Count and write off"
    if kind in ("open", "missing", "unread"):
        return f"/write-off?{urlencode({'node': case.node, 'log': case.epoch})}", "Count and write off"
    if case.settles:
        return f"/settle?{urlencode({'case': case.name})}", "Settle"
    return None
