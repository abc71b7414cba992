# SPDX-License-Identifier: Apache-2.0
"""An independent walk over where loads stand, in its own SQL: from what stands where to its postings, from
these to the entries that told them and to those that made them known; and back from every entry that moved a
load. It shares no query with the center.
"""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from central.service import Central
from sync.entry import record_hash
from tests.central.test_locations import PLACES, declare, live

WHO = ("example", "zone-999")
TURNS = {"admission": 0, "withdrawal": 2, "put-away": 1, "put-away-corrected": 1}
PUTS = {"put-away": "happened", "put-away-corrected": "corrected"}
"""Entries that tell of loads that were put away, and what they call the instant of it."""


class Walk:
    """Everything that the walk reads, and the links that it finds broken."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.broken: list[str] = []
        self.links = 0

    async def walk(self) -> list[str]:
        """The broken links."""
        postings = await self._all("SELECT * FROM location_posting")
        self._stands(postings, await self._all("SELECT * FROM location_now"))
        own, told = await self._entries()
        for row in postings:
            self._posting(row, own, told)
        await self._back(postings, told)
        return self.broken

    def _link(self, holds: bool, what: str) -> None:
        self.links += 1
        if not holds:
            self.broken.append(what)

    async def _all(self, sql: str) -> list[Any]:
        rows = await self._connection.fetch(f"{sql} WHERE tenant = $1 AND zone = $2", *WHO)
        return [{name: str(each) if name == "fact" else each for name, each in row.items()} for row in rows]

    async def _entries(self) -> tuple[dict[Any, Any], dict[str, Any]]:
        """The center's own entries by place, and all facts by id."""
        rows = await self._connection.fetch(
            "SELECT e.node, e.entry_id::text AS entry_id, e.seq, e.type, e.hash, e.record, h.place "
            "FROM entry e JOIN log_head h USING (tenant, zone, node, epoch) "
            "WHERE e.tenant = $1 AND e.zone = $2",
            *WHO,
        )
        for row in rows:
            self._link(record_hash(row["record"]) == row["hash"], f"entry {row['entry_id']} was changed")
        said = [{**row, "said": json.loads(row["record"], parse_float=Decimal)} for row in rows]
        own = {(row["place"], row["seq"]): row for row in said if row["node"] == "center"}
        return own, {row["entry_id"]: row for row in said}

    def _stands(self, postings: list[Any], now: list[Any]) -> None:
        """What stands where is the sum of the postings, in the zone and never below zero."""
        sums: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
        for row in postings:
            whose = tuple(row[name] for name in ("load", "owner", "product", "status", "lot"))
            sums[*whose, row["place_from"]] -= row["quantity"]
            sums[*whose, row["place_to"]] += row["quantity"]
        sums = {where: each for where, each in sums.items() if each and where[-1] != "~outside"}
        kept = {
            tuple(row[name] for name in ("load", "owner", "product", "status", "lot", "place")): row[
                "quantity"
            ]
            for row in now
        }
        for where in sums.keys() | kept.keys():
            self._link(sums.get(where) == kept.get(where), f"{where} is not what its postings say")
            self._link(kept.get(where, 1) > 0 or where[-1] == "~missing", f"{where} is below zero")

    def _posting(self, row: Any, own: dict[Any, Any], told: dict[str, Any]) -> None:
        """A posting leads to its entry, which names the load, and to one that made it known."""
        self._link((row["known_place"], row["known_seq"]) in own, f"{row['fact']} is known from nowhere")
        entry = told.get(row["fact"])
        if entry is None:
            self._link(False, f"a posting of {row['load']} leads to no entry")
            return
        body = entry["said"]["body"]
        if entry["type"] in PUTS:
            one = body["loads"][row["n"]]
            self._link(
                (one["load"], one["to"]) == (row["load"], row["place_to"]), f"{row['fact']} says otherwise"
            )
            self._link(
                body[PUTS[entry["type"]]][:16] == f"{row['happened']:%Y-%m-%dT%H:%M}",
                f"{row['fact']} is misdated",
            )
        elif entry["type"] in TURNS:
            goods = (body["load"]["key"], body["owner"], body["load"]["gtin"], body["status"])
            kept = tuple(row[name] for name in ("load", "owner", "product", "status"))
            self._link(goods == kept, f"{row['fact']} is of other goods")
            self._link(bool(body["read"]["code"]), f"{row['fact']} rests on no read")
            self._link(
                entry["said"]["occurred_at"][:16] == f"{row['happened']:%Y-%m-%dT%H:%M}",
                f"{row['fact']} is misdated",
            )
        if entry["type"] in TURNS:
            self._link(row["turn"] == TURNS[entry["type"]], f"{row['fact']} stands in another turn")

    async def _back(self, postings: list[Any], told: dict[str, Any]) -> None:
        """Each movement is posted in full, or not at all where it was corrected; so is each put-away kept."""
        unread = {str(row["entry_id"]) for row in await self._all("SELECT * FROM unreadable")}
        nets: dict[str, Decimal] = defaultdict(Decimal)
        of_puts: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
        for row in postings:
            nets[row["fact"]] += row["quantity"]
            of_puts[row["fact"], row["n"]] += row["quantity"]
        never = {
            (entry["said"]["body"]["put_away"], one["n"])
            for entry in told.values()
            if entry["type"] == "put-away-corrected"
            for one in entry["said"]["body"]["undone"]
        }
        for fact in never:
            self._link(of_puts[fact] == 0, f"{fact} never was and is posted")
        undone = {
            entry["said"]["body"]["corrects"]
            for entry_id, entry in told.items()
            if entry["type"] == "correction" and entry_id not in unread
        }
        puts = {(row["fact"], row["n"]): row for row in await self._all("SELECT * FROM put_away")}
        for entry_id, entry in told.items():
            body = entry["said"]["body"]
            if entry["type"] in ("admission", "withdrawal"):
                whole = Decimal(0) if entry_id in undone or entry_id in unread else Decimal(body["quantity"])
                self._link(nets.get(entry_id, Decimal(0)) == whole, f"{entry_id} is not posted in full")
            elif entry["type"] in PUTS:
                kept = [one for one in enumerate(body["loads"]) if (entry_id, one[0]) not in never]
                for n, one in kept:
                    put = puts.pop((entry_id, n), None)
                    self._link(put is not None and put["load"] == one["load"], f"{entry_id} {n} is lost")
        self._link(not puts, "a load was put away that no entry tells")


async def walked(center: Central) -> Walk:
    async with center.database.session() as connection:
        walk = Walk(connection)
        await walk.walk()
        return walk


async def test_from_where_every_load_stands_to_entries_and_back_no_link_is_broken(center: Central) -> None:
    await declare(center, *PLACES)
    await live(center, 3)
    walk = await walked(center)
    assert walk.broken == []
    assert walk.links > 500
    print(f"links walked: {walk.links}, broken: 0")


SOME = "(SELECT max(ctid) FROM location_posting WHERE turn = 0)"
PLANTED = {
    "a posting is gone": f"DELETE FROM location_posting WHERE ctid = {SOME}",
    "a quantity": f"UPDATE location_posting SET quantity = quantity + 1 WHERE ctid = {SOME}",
    "another place": f"UPDATE location_posting SET place_to = 'A-9' WHERE ctid = {SOME}",
    "another owner": f"UPDATE location_posting SET owner = 'nobody' WHERE ctid = {SOME}",
    "another load": f"UPDATE location_posting SET load = '/00/9' WHERE ctid = {SOME}",
    "another instant": "UPDATE location_posting SET happened = happened + interval '1 hour' "
    f"WHERE ctid = {SOME}",
    "known from nowhere": f"UPDATE location_posting SET known_seq = 999999 WHERE ctid = {SOME}",
    "another entry": f"UPDATE location_posting SET fact = gen_random_uuid() WHERE ctid = {SOME}",
    "what stands": "UPDATE location_now SET quantity = quantity + 1",
    "what stands no more": "DELETE FROM location_now WHERE place <> '~missing'",
    "a put-away is lost": "DELETE FROM put_away",
    "a put-away too many": "INSERT INTO put_away SELECT tenant, zone, load, happened, fact, 99, known_place, "
    "known_seq, place_to, place_from, quantity, found, lacks FROM put_away LIMIT 1",
}


async def test_each_planted_break_is_found(center: Central) -> None:
    await declare(center, *PLACES)
    await live(center, 3)
    missed = []
    async with center.database.session() as connection:
        for name, sql in PLANTED.items():
            undo = connection.transaction()
            await undo.start()
            await connection.execute("ALTER TABLE location_posting DISABLE TRIGGER USER")
            changed = await connection.execute(sql)
            assert not changed.endswith(" 0"), name
            if not await Walk(connection).walk():
                missed.append(name)
            await undo.rollback()
    assert missed == []


@pytest.mark.parametrize(
    "change",
    ["UPDATE location_posting SET quantity = 0", "DELETE FROM location_posting", "TRUNCATE location_posting"],
)
async def test_where_goods_stood_is_only_added_to(center: Central, change: str) -> None:
    async with center.database.session() as connection:
        with pytest.raises(asyncpg.RaiseError, match="never changed or deleted"):
            await connection.execute(change)
