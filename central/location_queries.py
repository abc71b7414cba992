# SPDX-License-Identifier: Apache-2.0
"""What may be read of where goods stand, a page at a time, as plain values: locations, what stands at one,
where a load stands and what moved it. Times and pages are those of `central.ledger_queries`. Knows no HTTP.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec

from central.errors import Denied
from central.ledger_queries import EVER, PAGE, RELATED_MAX, Item, Ledger, Page, key_of, token
from customs.ledger.locations import PLACE_MAX
from customs.works.events import load_key

_BEGINNING: Final = datetime(1, 1, 1, tzinfo=UTC)
_NAME_MAX: Final = 4096
"""Characters of a load's name: as much as a dock may say."""

_ROUNDS_MAX: Final = 20
"""Pages of loads that are looked through for those that stood there then."""


class Content(msgspec.Struct, frozen=True):
    """A location, and what stands there; `closed` tells since when nothing more may be put there, when that
    became known, and its entry.
    """

    name: str
    description: str
    declared: bool
    closed: Item | None
    items: list[Item]
    next: str | None


class LoadPlaces(msgspec.Struct, frozen=True):
    """Where a load stands, what moved it in the order in which it happened, and where it was put away and was
    not, as the books have it.
    """

    load: str
    stands: list[Item]
    moves: list[Item]
    absent: list[Item]
    next: str | None


class Locations:
    """Where goods of one tenant and zone stand, for reading."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def all(self, after: str | None = None) -> Page:
        """Declared locations, and other places where something stands, each with its `loads` now, and
        whether it is `closed`.
        """
        rows = await self._ledger.rows("location_all", *key_of(after, ("",)), PAGE + 1)
        return Page(rows[:PAGE], token(rows[PAGE - 1]["name"]) if len(rows) > PAGE else None)

    async def content(
        self,
        name: str,
        after: str | None = None,
        as_of: datetime | None = None,
        known_on: datetime | None = None,
    ) -> Content:
        """What stands at a location. Denied (404) for one that nobody declared and nothing ever came to. Of
        a place where many loads have stood, a page of the past may have fewer items than PAGE.
        """
        _check(name, PLACE_MAX)
        found = await self._ledger.rows("location_one", name)
        if not found and not await self._ledger.rows("location_ever", name):
            raise Denied(404, f"no location {name!r} is known", "Look in /api/v1/locations.")
        page = await self._then(name, after, as_of, known_on)
        await self._ledger.say_units(page.items)
        ever = datetime.max.replace(tzinfo=UTC)
        rows = await self._ledger.rows("location_closings", [name], as_of or ever, known_on or ever)
        closed = {part: rows[0][part] for part in _CLOSED} if rows and rows[0]["closed"] else None
        description = found[0]["description"] if found else ""
        return Content(name, description, bool(found), closed, page.items, page.next)

    async def load(
        self,
        name: str,
        after: str | None = None,
        as_of: datetime | None = None,
        known_on: datetime | None = None,
    ) -> LoadPlaces:
        """A load by its SSCC or key. Denied (404) for one that was never anywhere."""
        _check(name, _NAME_MAX)
        rows = self._ledger.rows
        known_as = await rows("location_known_as", [load_key(name), name])
        if not known_as:
            raise Denied(404, f"no load {name[:60]!r} was ever in the zone", "Compare it with the label.")
        load = known_as[0]["load"]
        then = await self._ledger.then(as_of, known_on)
        known = then.known if then else EVER
        stands = await rows(
            "location_of_load_then", load, then.as_of if then else datetime.max.replace(tzinfo=UTC),
            known.order, known.seq,
        )  # fmt: skip
        key = key_of(after, (_BEGINNING, 0, 0, 0))
        moves = await rows("location_moves_of", load, *key, known.order, known.seq, PAGE + 1)
        place = ("happened", "known_place", "known_seq", "ordinal")
        more = token(*(moves[PAGE - 1][name] for name in place)) if len(moves) > PAGE else None
        moves = [{name: row[name] for name in _MOVE} for row in moves[:PAGE]]
        await self._ledger.say_units([*stands, *moves])
        absent = await rows("location_absent", load, RELATED_MAX)
        return LoadPlaces(load, stands, moves, absent, more)

    async def _then(
        self, name: str, after: str | None, as_of: datetime | None, known_on: datetime | None
    ) -> Page:
        rows = self._ledger.rows
        then = await self._ledger.then(as_of, known_on)
        if then is None:
            found = await rows("location_content_now", name, *key_of(after, ("", "", "", "", "")), PAGE + 1)
            place = ("load", "owner", "product", "status", "lot")
            more = token(*(found[PAGE - 1][part] for part in place)) if len(found) > PAGE else None
            return Page(found[:PAGE], more)
        (load,) = key_of(after, ("",))
        found = []
        for _ in range(_ROUNDS_MAX):
            loads = [row["load"] for row in await rows("location_loads_of", name, load, PAGE)]
            known = then.known
            found += await rows("location_content_then", name, loads, then.as_of, known.order, known.seq)
            if len(loads) < PAGE:
                return Page(found, None)
            load = loads[-1]
            if len(found) >= PAGE:
                break
        return Page(found, token(load))


_CLOSED: Final = ("since", "known_at", "entry_id")

_MOVE: Final = (
    "happened", "known_at", "entry_id", "place_from", "place_to", "owner", "product", "status", "lot",
    "quantity",
)  # fmt: skip


def _check(name: str, most: int) -> None:
    if not name or len(name) > most or "\x00" in name:
        raise Denied(400, f"a name has 1 to {most} characters, none of them NUL", "Shorten it.")
