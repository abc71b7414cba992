# SPDX-License-Identifier: Apache-2.0
"""What may be read of the zone's ledger, a page at a time, as plain values: lots and what stands of them at
any two times, one lot's story, goods that may stand for each other, cases, search. Knows no HTTP.

`as_of` is an instant that goods moved by, `known_on` one that the center knew of it by; None is now. A page
has PAGE items and `next`, which is handed in as `after` for those that follow.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import msgspec

from central.database import Database
from central.errors import Denied
from central.queries import query
from customs.known import Known
from customs.ledger.facts import holds_goods
from customs.works.events import load_key
from sync.bodies import Movement, read_body
from sync.entry import MALFORMED, Entry, read_record
from sync.errors import EntryError

if TYPE_CHECKING:
    from central.database import Connection
    from central.ownlog import OwnLog

PAGE: Final = 50
"""Items of a page: what a person scrolls."""

RELATED_MAX: Final = 200
"""Lots that one lot went into or was made of, and lots of one truck, that are listed."""

SEARCH_MAX: Final = 80
"""Characters of a search."""

_ROUNDS_MAX: Final = 20
"""Pages of lots that are looked through for those that were not empty then."""

_ENTRY_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_SSCC: Final = re.compile(r"[0-9]{18}\Z")

_BEGINNING: Final = datetime(1, 1, 1, tzinfo=UTC)
_END: Final = datetime.max.replace(tzinfo=UTC)
EVER: Final = Known(2**31 - 1, 2**62)

Item = dict[str, Any]


class Page(msgspec.Struct, frozen=True):
    """Items of a list; `next` is None at its end."""

    items: list[Item]
    next: str | None


class Amount(msgspec.Struct, frozen=True):
    """A quantity in the commercial and in the customs unit."""

    quantity: Decimal
    customs: Decimal


class Story(msgspec.Struct, frozen=True):
    """A lot from its papers to where it went. `lots` has more than one row where owners, products or statuses
    share the lot's name. `movements` are in the order in which they are booked. `made` tells which lots were
    made of which by a status change or a work order, `puts` how goods of it were moved within the zone, the
    latest first.
    """

    lots: list[Item]
    movements: list[Item]
    made: list[Item]
    puts: list[Item]
    next: str | None


@dataclass(frozen=True, slots=True)
class Then:
    """Two times at which a balance is asked for."""

    as_of: datetime
    known: Known
    day: date


async def calendar(own: OwnLog) -> ZoneInfo:
    """Whose days a zone's calendar has, as its books know."""
    async with own.database.session() as connection:
        return ZoneInfo(await connection.fetchval(query("ledger_calendar"), own.tenant, own.zone) or "UTC")


async def units_of(connection: Connection, who: tuple[str, str], products: Iterable[str]) -> dict[str, str]:
    """The units of quantities of a zone's products; nothing of a product that is not on file."""
    rows = await connection.fetch(query("units_of"), *who, sorted(set(products)))
    return {row["gtin"]: row["unit"] for row in rows}


class Ledger:
    """The ledger of one tenant and zone, for reading."""

    def __init__(self, database: Database, tenant: str, zone: str) -> None:
        self._database = database
        self._who = (tenant, zone)

    async def lots(
        self,
        after: str | None = None,
        as_of: datetime | None = None,
        known_on: datetime | None = None,
        *,
        owner: str = "",
        product: str = "",
        status: str = "",
        location: str = "",
    ) -> Page:
        """Lots with something in the zone's hands, each with its `unit` and `accounts`, and the
        `places` where goods are that were brought in as it; with a `location` those of which something stands
        there. At times gone by places are told with a `location` only, else None: a lot of years had many.
        """
        key = key_of(after, ("", "", "", ""))
        then = await self.then(as_of, known_on)
        found: list[Item] = []
        for _ in range(_ROUNDS_MAX):
            search = (*key, owner, product, status, PAGE + 1, *((location,) if location else ()))
            if then is None:
                rows = await self.rows("location_lots_now" if location else "ledger_lots_open", *search)
            else:
                times = (then.as_of, then.known.order, then.known.seq)
                name = "location_lots_then" if location else "ledger_lots_then"
                rows = await self.rows(name, *search, *times)
            named = [row["lot"] for row in rows[:PAGE]]
            balances = await self._balances(named, then)
            places = await self._places(named, then) if location or then is None else None
            for row in rows[:PAGE]:
                key = tuple(row[name] for name in ("lot", "owner", "product", "status"))
                row["accounts"] = balances.get(key, {})
                row["places"] = None if places is None else places.get(key, {})
                row.pop("on_hand"), row.pop("customs_on_hand")
                if location or any(holds_goods(account) for account in row["accounts"]):
                    found.append(row)
                if len(found) == PAGE:
                    return await self._page_of_lots(found, token(*key))
            if len(rows) <= PAGE:
                return await self._page_of_lots(found, None)
        return await self._page_of_lots(found, token(*key))

    async def goods(
        self,
        after: str | None = None,
        as_of: datetime | None = None,
        known_on: datetime | None = None,
        *,
        owner: str = "",
        product: str = "",
    ) -> Page:
        """Goods by owner, product and status, over all their lots, each with its `unit` and `accounts`."""
        key = key_of(after, ("", "", ""))
        then = await self.then(as_of, known_on) or Then(_END, EVER, date.max)
        rows = await self.rows("ledger_goods", *key, owner, product, PAGE + 1)
        items = rows[:PAGE]
        numbers = [number for row in items for number in row.pop("queues")]
        accounts: dict[tuple[str, ...], dict[str, Amount]] = defaultdict(dict)
        for row in await self.rows(
            "ledger_goods_then", numbers, then.as_of, then.known.order, then.known.seq, then.day
        ):
            accounts[row["owner"], row["product"], row["status"]][row["account"]] = _amount(row)
        for row in items:
            row["accounts"] = accounts.get((row["owner"], row["product"], row["status"]), {})
        await self.say_units(items)
        last = tuple(items[-1][name] for name in ("owner", "product", "status")) if items else ()
        return Page(items, token(*last) if len(rows) > PAGE else None)

    async def story(self, lot: str, after: str | None = None, known_on: datetime | None = None) -> Story:
        """All that is known of one lot. Denied (404) when there is none."""
        lots = await self.rows("ledger_lot", lot)
        if not lots:
            raise Denied(404, f"no lot {lot[:80]!r} is known", "Search for it.")
        then = await self.then(None, known_on)
        balances, places = await self._balances([lot], then), await self._places([lot], then)
        for row in lots:
            whose = (lot, row["owner"], row["product"], row["status"])
            row["accounts"], row["places"] = balances.get(whose, {}), places.get(whose, {})
        key = key_of(after, (_BEGINNING, 0, 0, "", 0, 0))
        known = then.known if then else EVER
        rows = await self.rows("ledger_story", lot, *key, known.order, known.seq, PAGE + 1)
        movements = rows[:PAGE]
        await self._evidence(movements)
        place = ("booked", "known_place", "known_seq", "fact", "n", "ordinal")
        last = tuple(movements[-1][name] for name in place) if movements else ()
        made = await self.rows("ledger_made_of", lot, RELATED_MAX)
        puts = await self.rows("location_puts_of_lot", lot, known.order, known.seq, RELATED_MAX)
        await self.say_units([*lots, *movements, *puts])
        return Story(lots, movements, made, puts, token(*last) if len(rows) > PAGE else None)

    async def at_queues(
        self, queues: Sequence[int], as_of: datetime | None = None, known_on: datetime | None = None
    ) -> dict[tuple[str, str, str, str], Amount]:
        """What stands on accounts of some queues, by owner, product, status and account."""
        then = await self.then(as_of, known_on) or Then(_END, EVER, date.max)
        rows = await self.rows(
            "ledger_goods_then", queues, then.as_of, then.known.order, then.known.seq, then.day
        )
        return {(row["owner"], row["product"], row["status"], row["account"]): _amount(row) for row in rows}

    async def days(self, lot: str, known_on: datetime | None = None) -> list[tuple[date, Decimal]]:
        """What of a lot was in the zone's hands at the end of each day of its calendar on which it moved."""
        then = await self.then(None, known_on)
        total = Decimal(0)
        found = []
        for row in await self.rows("ledger_days_of_lot", lot, then.day if then else date.max):
            total += row["quantity"]
            found.append((row["day"], total))
        return found

    async def overdraws(self, after: str | None = None) -> Page:
        """Goods that left though no layer was left for them: each is a case, newest first."""
        rows = await self.rows("ledger_overdraws", *key_of(after, ("~", 0)), PAGE + 1)
        return _page(rows, "fact", "n")

    async def late(self, after: str | None = None) -> Page:
        """Facts of the time of a pinned cut that became known after it: each is a case, newest first."""
        rows = await self.rows("ledger_late", *key_of(after, (_END, "~", 0)), PAGE + 1)
        return _page(rows, "booked", "fact", "n")

    async def differences(self, after: str | None = None) -> Page:
        """Where what the docks hold differs from what legally stands in the zone: `physical` and `acts`,
        which no dock has seen, against `legal`. `overdrawn` explains what left without being there.
        """
        rows = await self.rows("ledger_differences", *key_of(after, ("", "", "")), PAGE + 1)
        return _page(rows, "owner", "product", "status")

    async def cuts(self) -> list[Item]:
        """Pinned cuts, the newest first."""
        return await self.rows("ledger_all_cuts")

    async def search(self, text: str, after: str | None = None) -> Page:
        """What a text names: an entry, a load, or what begins with it of lots, documents, products, owners,
        trucks and orders. Each item has a `kind`, the `word`, and `ref` that leads on.
        """
        text = text.strip()
        if not text or len(text) > SEARCH_MAX or not text.isprintable():
            raise Denied(400, f"a search is printable text of up to {SEARCH_MAX} characters", "Shorten it.")
        found: list[Item] = []
        if after is None:
            found = await self._named(text)
        key = key_of(after, ("", "", ""))
        rows = await self.rows("ledger_words", *key, text, "\U0010ffff", PAGE + 1)
        page = _page(rows, "word", "kind", "ref")
        return Page(found + page.items, page.next)

    async def truck(self, job: str) -> list[Item]:
        """The lots that a truck's loads are posted to, at most RELATED_MAX."""
        return await self.rows("ledger_of_job", job, RELATED_MAX)

    # -- how ---------------------------------------------------------------------------------------

    async def _named(self, text: str) -> list[Item]:
        """The entry or the load that has exactly this name."""
        if _ENTRY_ID.match(text.lower()):
            rows = await self.rows("ledger_records", [text.lower()])
            return [
                {"kind": "entry", "word": row["entry_id"], "ref": row["entry_id"], "type": row["type"]}
                for row in rows
            ]
        keys = [text, f"/00/{text}", load_key(text)] if _SSCC.match(text) else [text]
        rows = await self.rows("ledger_of_load", keys, PAGE)
        return [{"kind": "load", "word": row["key"], "ref": row["entry_id"], **row} for row in rows]

    async def then(self, as_of: datetime | None, known_on: datetime | None) -> Then | None:
        """The place that the own log had come to; None when both times are now."""
        if as_of is None and known_on is None:
            return None
        if known_on is None:
            return Then(as_of or _END, EVER, date.max)
        rows = await self.rows("ledger_known_on", known_on)
        if not rows:
            return Then(as_of or _END, Known(0, 0), date.min)
        return Then(as_of or _END, Known(rows[0]["place"], rows[0]["seq"]), rows[0]["day"])

    async def _balances(
        self, lots: Sequence[str], then: Then | None
    ) -> dict[tuple[str, ...], dict[str, Amount]]:
        if then is None:
            rows = await self.rows("ledger_balances_now", lots)
        else:
            known = then.known
            rows = await self.rows("ledger_balances_then", lots, then.as_of, known.order, known.seq, then.day)
        found: dict[tuple[str, ...], dict[str, Amount]] = defaultdict(dict)
        for row in rows:
            found[row["lot"], row["owner"], row["product"], row["status"]][row["account"]] = _amount(row)
        return found

    async def _places(
        self, lots: Sequence[str], then: Then | None
    ) -> dict[tuple[str, ...], dict[str, Decimal]]:
        """Where goods stand that were brought in as lots, by place."""
        if then is None:
            rows = await self.rows("location_of_lots_now", lots)
        else:
            known = then.known
            rows = await self.rows("location_of_lots_then", lots, then.as_of, known.order, known.seq)
        found: dict[tuple[str, ...], dict[str, Decimal]] = defaultdict(dict)
        for row in rows:
            found[row["lot"], row["owner"], row["product"], row["status"]][row["place"]] = row["quantity"]
        return found

    async def _evidence(self, movements: Sequence[Item]) -> None:
        """Beside each posting the entry it is of: where it stands, and what it rests on."""
        acts = sorted({row["entry_id"] for row in movements if row["node"] is None})
        entries = {row["entry_id"]: row for row in await self.rows("ledger_records", acts)}
        places = {(row["node"], row["epoch"], row["seq"]) for row in movements if row["node"] is not None}
        stored = await self.rows("ledger_records_at", *zip(*sorted(places), strict=True)) if places else []
        at = {(row["node"], row["epoch"], row["seq"]): row for row in stored}
        for row in movements:
            found = at.get((row.pop("node"), row.pop("epoch"), row.pop("seq"))) or entries[row["entry_id"]]
            entry = _entry(bytes(found["record"]), row["entry_id"])
            row["entry"] = {name: found[name] for name in ("node", "epoch", "seq", "type")}
            row["evidence"] = _evidence_of(entry) if entry else {}

    async def say_units(self, rows: Iterable[Item]) -> None:
        """Beside each row the `unit` of its product's quantities, None for one that is not on file."""
        rows = list(rows)
        async with self._database.session() as connection:
            units = await units_of(connection, self._who, (row["product"] for row in rows))
        for row in rows:
            row["unit"] = units.get(row["product"])

    async def _page_of_lots(self, found: list[Item], more: str | None) -> Page:
        await self.say_units(found)
        return Page(found, more)

    async def rows(self, name: str, *arguments: Any) -> list[Item]:
        """What a query of this zone answers."""
        async with self._database.session() as connection:
            rows = await connection.fetch(query(name), *self._who, *arguments)
        return [dict(row) for row in rows]


def _entry(record: bytes, entry_id: str) -> Entry | None:
    """The entry of a record, or the one that it tells again."""
    try:
        entry = read_record(record)
        if entry.entry_id == entry_id:
            return entry
        return read_record(bytes(read_body(entry).record))
    except EntryError:
        return None


def _evidence_of(entry: Entry) -> Item:
    """What a movement was read by: device, code, the picture's hash, what a gate's finding rests on."""
    try:
        body = read_body(entry)
    except EntryError:
        return {}
    if not isinstance(body, Movement):
        return {}
    read = body.read
    return {
        "device": read.device,
        "carrier": read.carrier,
        "code": read.code,
        "at": read.at,
        "frame": read.frame,
        "passage": read.passage.evidence if read.passage else None,
    }


def _amount(row: Item) -> Amount:
    return Amount(row["quantity"], row["customs"])


def _page(rows: list[Item], *key: str) -> Page:
    items = rows[:PAGE]
    more = len(rows) > PAGE
    return Page(items, token(*(items[-1][name] for name in key)) if more else None)


def token(*key: Any) -> str:
    """`next` of a page whose last item has this key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode()


def key_of(after: str | None, first: tuple[Any, ...]) -> tuple[Any, ...]:
    """The key that `after` names, of the types of `first`, which is before all others."""
    if after is None:
        return first
    try:
        parts = msgspec.json.decode(base64.urlsafe_b64decode(after.encode()), type=list[Any])
        if len(parts) != len(first):
            raise ValueError(after)
        return tuple(msgspec.convert(part, type(like)) for part, like in zip(parts, first, strict=True))
    except (*MALFORMED, binascii.Error, ValueError) as error:
        raise Denied(400, f"{after[:40]!r} leads to no page", "Take `next` of the page before.") from error
