# SPDX-License-Identifier: Apache-2.0
"""What people say of where goods stand: they declare locations, and put loads away (19 CFR 146.23(b)(1)).

Loads come as a scanner reads them. What names no location and no load is refused; a load that the books do
not have at that instant is not: the dock that admitted it may report later, and else it is a case
(`central.misplaced`). Knows no HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec

from central import instants
from central.cuts import Moment
from central.errors import Denied
from central.ownlog import OwnLog
from central.people import Name, Note, People, Written, check_count
from central.projector import Projector
from central.queries import query
from central.turns import in_turn
from customs.ledger.balances import plain
from customs.ledger.locations import NAME, door_place
from customs.works.events import ROWS_MAX, load_key
from customs.zone import Location
from gs1 import Load, check_digit, identify, printable
from sync.ledger_bodies import (
    LocationClosing,
    LocationsDeclared,
    NotPut,
    PutAway,
    PutAwayCorrected,
    StoredLoad,
)

LINES_MAX: Final = 2 * ROWS_MAX
"""Lines of a scanned list: every load may stand at a place of its own."""

_SHOWN_MAX: Final = 60
"""Characters of what was scanned that a refusal repeats."""

_LOADS_SHOWN: Final = 10
"""Of what stands at a location a refusal names so many."""

_EVER: Final = datetime.max.replace(tzinfo=UTC)

_NAME: Final = re.compile(NAME)

Line = Annotated[str, msgspec.Meta(max_length=400)]
"""One scan: a part label has some 300 characters."""

Said = Annotated[str, msgspec.Meta(max_length=300)]
Place = Annotated[str, msgspec.Meta(max_length=100)]


class Declare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Goods may be put at this location from now on; of one that there is, change what people call it."""

    name: Place
    by: Name
    description: Said = ""


class Store(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Loads were put away. `scanned` are their labels one after the other; a location's label among them says
    where those that follow it stand, `to` where the first ones do. Of one load alone a part may be meant:
    `quantity` of it, or what stood at `source`.
    """

    scanned: Annotated[tuple[Line, ...], msgspec.Meta(min_length=1, max_length=LINES_MAX)]
    by: Name
    to: Place = ""
    note: Said = ""
    happened: Moment | None = None
    quantity: Decimal | None = None
    source: Place = ""


class CorrectPutAway(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the put-away of an entry told of `load`, or of all its loads, was wrong: they were put at `to` at
    that instant, or nowhere where it is empty. `quantity` is how much of one load it was, where that was
    wrong.
    """

    put_away: Name
    note: Note
    by: Name
    load: Line = ""
    to: Place = ""
    quantity: Decimal | None = None


class CloseLocation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing more is put away at this location from `happened` on. `staying` is how many loads stand there
    and stay: who closes it has seen them.
    """

    name: Place
    note: Note
    by: Name
    staying: Annotated[int, msgspec.Meta(ge=0, le=10**9)] = 0
    happened: Moment | None = None


class OpenLocation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Goods may be put away at a closed location again, from `happened` on."""

    name: Place
    note: Note
    by: Name
    happened: Moment | None = None


class Storing:
    """The acts of one center on where goods stand."""

    def __init__(self, own: OwnLog, people: People, projector: Projector) -> None:
        self.turn = own.turn
        self._own = own
        self._people = people
        self._projector = projector

    async def declare(self, order: Declare) -> list[Written]:
        """Denied (422) for a name that no label should carry."""
        if not _NAME.match(order.name):
            raise Denied(
                422,
                f"{_told(order.name)} cannot be a location's name",
                "Use 1 to 40 letters, digits, points, hyphens, underscores and slashes; begin with a letter "
                "or a digit.",
            )
        if not order.description.isprintable():
            raise Denied(422, "the description has signs that cannot be printed", "Type it by hand.")
        body = LocationsDeclared((Location(order.name, order.description.strip()),), order.by)
        return await self._people.act(lambda _: [("location", body)])

    @in_turn
    async def put_away(self, order: Store) -> list[Written]:
        """Denied (404, 409, 422) where the list names no place, or what is no load."""
        now = self._own.clocks.utc()
        happened = instants.happened(order.happened, now)
        scanned = [line.strip() for line in order.scanned if line.strip()]
        unreadable = [line for line in scanned if "\x00" in line]
        if unreadable:
            raise Denied(422, f"{_told(unreadable[0])} is no label", "Scan the label again.")
        await self._projector.catch_up()
        places = await self._places()
        to, source = order.to.strip(), order.source.strip()
        for named in (to, source):
            if named and named not in places:
                raise _no_place(named)
        known = await self._known(scanned)
        loads = _listed(scanned, to, places, known, now.date())
        await self._check_open({place for _, place in loads}, happened)
        if (order.quantity is not None or source) and len(loads) != 1:
            raise Denied(
                422, f"a part is meant, and {len(loads)} loads are named", "Say it of one load at a time."
            )
        if order.quantity is not None:
            check_count(order.quantity)
        stored = tuple(StoredLoad(load, place, order.quantity, source or None) for load, place in loads)
        body = PutAway(stored, happened, order.by, order.note.strip())
        return await self._people.act(lambda _: [("put-away", body)])

    @in_turn
    async def correct(self, order: CorrectPutAway) -> list[Written]:
        """What was known before stays known: the books say otherwise from now on, of that instant and since.

        Denied (404, 409, 422) where nothing of it stands as it was told, or nothing would be corrected.
        """
        await self._projector.catch_up()
        told = await self._rows("location_puts_of", _entry_id(order.put_away))
        if not told:
            raise Denied(
                404,
                f"nothing stands as a put-away {_told(order.put_away)} told it",
                "Take its entry from the load's page; what was corrected is told by its correction.",
            )
        load, to = order.load.strip(), order.to.strip()
        if load:
            meant = _keys(load, self._own.clocks.utc().date())
            told = [row for row in told if row["load"] in meant]
        if not told:
            raise Denied(404, f"that put-away told nothing of {_told(load)}", "Look at its entry.")
        if to and to not in await self._places():
            raise _no_place(to)
        if to:
            await self._check_open({to}, told[0]["happened"])
        if order.quantity is not None:
            check_count(order.quantity)
            if not to or len(told) != 1:
                raise Denied(422, "a quantity is of one load, and of a place", "Name both.")
        instead = tuple(
            StoredLoad(row["load"], to, order.quantity or _same(row["quantity"]), row["place_from"])
            for row in told
            if to
        )
        if instead == tuple(
            StoredLoad(row["load"], row["place_to"], _same(row["quantity"]), row["place_from"])
            for row in told
        ):
            raise Denied(409, "this is what was told", "Name the place where they were put.")
        body = PutAwayCorrected(
            _entry_id(order.put_away), told[0]["happened"],
            tuple(NotPut(row["n"], row["load"]) for row in told), instead, order.by, order.note.strip(),
        )  # fmt: skip
        return await self._people.act(lambda _: [("put-away-corrected", body)])

    @in_turn
    async def close(self, order: CloseLocation) -> list[Written]:
        """What stands there is told, and stays until it is put elsewhere. Denied (404, 409) for what is no
        declared location or closed already, where something was put there since, and where other loads stand
        there than were said.
        """
        name, happened, last = await self._of(order)
        if last is not None and last["closed"]:
            raise Denied(409, f"{_told(name)} is closed since {_at(last['since'])}", "Nothing is to be done.")
        for put in await self._rows("location_put_last", name):
            if put["happened"] >= happened:
                raise Denied(
                    409,
                    f"load {_told(put['load'])} was put there at {_at(put['happened'])}",
                    "Date it after that, or correct that put-away first.",
                )
        there = [row["load"] for row in await self._rows("location_loads_at", name)]
        if len(there) != order.staying:
            stand = "1 load stands" if len(there) == 1 else f"{len(there)} loads stand"
            shown = ", ".join(map(_told, there[:_LOADS_SHOWN])) or "nothing"
            more = f" and {len(there) - _LOADS_SHOWN} more" if len(there) > _LOADS_SHOWN else ""
            raise Denied(
                409,
                f"{stand} there, and {order.staying} were said to stay: {shown}{more}",
                "Put them away elsewhere first; or say how many stay there, to close it all the same.",
            )
        body = LocationClosing(name, True, happened, order.by, order.note.strip(), len(there))
        return await self._people.act(lambda _: [("location-closing", body)])

    @in_turn
    async def open(self, order: OpenLocation) -> list[Written]:
        """Denied (404, 409) for what is no declared location, or not closed."""
        name, happened, last = await self._of(order)
        if last is None or not last["closed"]:
            raise Denied(409, f"{_told(name)} is not closed", "Nothing is to be done.")
        body = LocationClosing(name, False, happened, order.by, order.note.strip())
        return await self._people.act(lambda _: [("location-closing", body)])

    async def _of(self, order: CloseLocation | OpenLocation) -> tuple[str, datetime, dict[str, Any] | None]:
        """The location, the instant, and what was last told of its closing."""
        name = order.name.strip()
        happened = instants.happened(order.happened, self._own.clocks.utc())
        await self._projector.catch_up()
        if "\x00" in name or not await self._rows("location_one", name):
            raise _no_place(name)
        found = await self._rows("location_closings", [name], _EVER, _EVER)
        last = found[0] if found else None
        if last is not None and happened < last["since"]:
            word = "closed" if last["closed"] else "opened"
            raise Denied(409, f"it was {word} at {_at(last['since'])}, after that", "Date it later.")
        return name, happened, last

    async def _check_open(self, places: Collection[str], happened: datetime) -> None:
        """Denied (409) where one of them was closed at that instant."""
        for row in await self._rows("location_closings", sorted(places), happened, _EVER):
            if row["closed"]:
                raise Denied(
                    409,
                    f"location {_told(row['name'])} is closed since {_at(row['since'])}",
                    "Put them elsewhere, or open it again with `zonegate central open-location`.",
                )

    async def _places(self) -> set[str]:
        """Where goods may be put: declared locations, and the doors of docks."""
        declared = {row["name"] for row in await self._rows("location_names")}
        nodes = await self._rows("announced_doors")
        return declared | {door_place(row["node"], door) for row in nodes for door in row["doors"]}

    async def _known(self, scanned: Sequence[str]) -> set[str]:
        """Of what was scanned, what the books know a load by."""
        rows = await self._rows("loads_named", sorted({load_key(line) for line in scanned}))
        return {row["key"] for row in rows}

    async def _rows(self, name: str, *arguments: Any) -> list[dict[str, Any]]:
        own = self._own
        async with own.database.session() as connection:
            rows = await connection.fetch(query(name), own.tenant, own.zone, *arguments)
        return [dict(row) for row in rows]


def _listed(
    scanned: Sequence[str], to: str, places: Collection[str], known: Collection[str], today: date
) -> list[tuple[str, str]]:
    """Loads by key, each with the place that was scanned before it."""
    found: dict[str, str] = {}
    for line in scanned:
        if line in places:
            to = line
            continue
        load = _load(line, known, today)
        if not to:
            raise Denied(
                422, f"no place is named before {_told(line)}", "Scan the place first, or name it in `to`."
            )
        if load in found:
            raise Denied(409, f"load {_told(line)} is named twice", "Name each load once.")
        found[load] = to
    if not found:
        raise Denied(422, "no load is named", "Scan the loads that stand there.")
    if len(found) > ROWS_MAX:
        raise Denied(413, f"{len(found)} loads are named", f"Say at most {ROWS_MAX} at once.")
    return list(found.items())


def _load(line: str, known: Collection[str], today: date) -> str:
    key = load_key(line)
    if key in known:
        return key
    if key != line and check_digit(line[:-1]) != line[-1]:
        raise Denied(
            422,
            f"{line} is no SSCC: its check digit would be {check_digit(line[:-1])}",
            "Compare it with the label.",
        )
    found = identify(key.encode() if key != line else line.encode(), today)
    if isinstance(found, Load) and found.is_goods:
        return found.key
    raise Denied(
        422,
        f"{_told(line)} is neither a location of the zone nor a load",
        "Scan the label again, or declare the location first.",
    )


def _at(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _keys(line: str, today: date) -> set[str]:
    """What the books may know a load by that was scanned."""
    found = identify(line.encode(), today)
    return {load_key(line), *((found.key,) if isinstance(found, Load) else ())}


def _entry_id(text: str) -> str:
    try:
        return str(UUID(text.strip()))
    except ValueError as error:
        raise Denied(404, f"{_told(text)} is no entry's id", "Take it from the load's page.") from error


def _same(quantity: Decimal | None) -> Decimal | None:
    """A quantity as it was told. The database gives ten thousand as 1E+4."""
    return None if quantity is None else Decimal(plain(quantity))


def _no_place(name: str) -> Denied:
    return Denied(
        404,
        f"no location {_told(name)} is declared",
        "Look in /api/v1/locations, or declare it with `zonegate central declare-location`.",
    )


def _told(text: str) -> str:
    return repr(printable(text.encode(), _SHOWN_MAX))
