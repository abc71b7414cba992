# SPDX-License-Identifier: Apache-2.0
"""An independent walk over the ledger, in its own SQL: from every balance to its postings, from these to the
entries that told them, to the reads they rest on and to the center-saw that made them known; and back from
every entry to its postings. It shares no query with the center.
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
from tests.central.test_ledger_books import live

WHO = ("example", "zone-999")
HOLDING = ("stock", "constructive:", "wip:", "in-transit:")


class Walk:
    """Everything that the walk reads, and the links that it finds broken."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._connection = connection
        self.broken: list[str] = []
        self.links = 0

    async def walk(self) -> list[str]:
        """From balances to entries, and back; the broken links."""
        postings = await self._all("SELECT * FROM posting")
        entries = await self._entries()
        own = {(row["place"], row["seq"]): row for row in entries if row["node"] == "center"}
        self._balances(postings, await self._all("SELECT * FROM ledger_day"), own)
        self._lots(postings, await self._all("SELECT * FROM ledger_lot"), own)
        told = self._told(entries)
        nets = self._nets(postings)
        for posting in postings:
            self._posting(posting, told, own)
        await self._back(nets, told)
        await self._drawn(nets)
        return self.broken

    def _link(self, holds: bool, what: str) -> None:
        self.links += 1
        if not holds:
            self.broken.append(what)

    async def _all(self, sql: str) -> list[Any]:
        return list(await self._connection.fetch(f"{sql} WHERE tenant = $1 AND zone = $2", *WHO))

    async def _entries(self) -> list[dict[str, Any]]:
        rows = await self._connection.fetch(
            "SELECT e.node, e.epoch, e.seq, e.entry_id::text AS entry_id, e.type, e.hash, e.record, h.place "
            "FROM entry e JOIN log_head h USING (tenant, zone, node, epoch) "
            "WHERE e.tenant = $1 AND e.zone = $2 ORDER BY h.place, e.seq",
            *WHO,
        )
        found = []
        for row in rows:
            self._link(record_hash(row["record"]) == row["hash"], f"entry {row['entry_id']} was changed")
            found.append({**row, "said": json.loads(row["record"], parse_float=Decimal)})
        return found

    def _balances(self, postings: list[Any], days: list[Any], own: dict[Any, Any]) -> None:
        """Each sum of a day is that of its postings, and each posting is in one."""
        sums: dict[tuple[str, str, str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for row in postings:
            said = own.get((row["known_place"], row["known_seq"]))
            self._link(said is not None, f"posting of {row['fact']} is known from no entry of the center")
            known = said["said"]["recorded_at"][:10] if said else ""
            for account, sign in ((row["account_from"], -1), (row["account_to"], 1)):
                into = sums[row["lot"], account, row["booked"].date().isoformat(), known]
                into[0] += sign * row["quantity"]
                into[1] += sign * row["customs"]
        kept: dict[tuple[str, str, str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for row in days:
            day = (row["lot"], row["account"], row["booked_day"].isoformat(), row["known_day"].isoformat())
            kept[day][0] += row["quantity"]
            kept[day][1] += row["customs"]
        for day in sums.keys() | kept.keys():
            self._link(sums.get(day) == kept.get(day), f"the balance {day} is not that of its postings")

    def _lots(self, postings: list[Any], lots: list[Any], own: dict[Any, Any]) -> None:
        """Each lot is on hand what its postings say, and its paper is on file."""
        on_hand: dict[str, Decimal] = defaultdict(Decimal)
        for row in postings:
            for account, sign in ((row["account_from"], -1), (row["account_to"], 1)):
                if account.startswith(HOLDING):
                    on_hand[row["lot"]] += sign * row["quantity"]
        kept: dict[str, Decimal] = defaultdict(Decimal)
        papers = {row["said"]["body"]["number"] for row in own.values() if row["type"] == "permit"}
        acts = {
            row["said"]["body"]["number"]
            for row in own.values()
            if row["type"] in ("status-change", "adjustment")
        }
        acts |= {row["said"]["body"]["order"] for row in own.values() if row["type"] == "order"}
        acts |= {
            line["admission"]["document"]
            for row in own.values()
            if row["type"] == "rows" and row["said"]["body"]["kind"] == "opening-balance"
            for line in row["said"]["body"]["rows"]
        }
        for row in lots:
            kept[row["lot"]] += row["on_hand"]
            if row["document"] is not None:
                self._link(row["document"] in papers | acts, f"lot {row['lot']} has no paper")
        for lot in on_hand.keys() | kept.keys():
            self._link(on_hand.get(lot) == kept.get(lot), f"lot {lot} is not what its postings say")
        self._link({row["lot"] for row in postings} == kept.keys(), "there are lots without postings")

    def _told(self, entries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Facts by their id, each with the place that the center has seen it at."""
        seen: dict[tuple[str, str], int] = {}
        knowing: dict[tuple[str, str, int], tuple[int, int]] = {}
        told: dict[str, dict[str, Any]] = {}
        for row in (row for row in entries if row["node"] == "center"):
            told[row["entry_id"]] = {**row, "known": (row["place"], row["seq"])}
            if row["type"] == "center-saw":
                saw = row["said"]["body"]
                log = (saw["node"], saw["epoch"])
                for seq in range(seen.get(log, 0) + 1, saw["upto"]["seq"] + 1):
                    knowing[*log, seq] = (row["place"], row["seq"])
                seen[log] = saw["upto"]["seq"]
        for row in (row for row in entries if row["node"] != "center"):
            known = knowing.get((row["node"], row["epoch"], row["seq"]))
            self._link(known is not None, f"the center never saw entry {row['entry_id']}")
            told.setdefault(row["entry_id"], {**row, "known": known})
        return told

    def _nets(self, postings: list[Any]) -> dict[str, Decimal]:
        """What each entry has posted in all."""
        nets: dict[str, Decimal] = defaultdict(Decimal)
        for row in postings:
            nets[str(row["source"])] += row["quantity"]
        return nets

    def _posting(self, row: Any, told: dict[str, dict[str, Any]], own: dict[Any, Any]) -> None:
        """A posting leads to its entry, what that rests on, and when it became known."""
        entry = told.get(str(row["source"]))
        if entry is None:
            self._link(False, f"posting of {row['fact']} leads to no entry")
            return
        body = entry["said"]["body"]
        self._link(row["fact"][:36] == entry["entry_id"], f"posting of {row['fact']} has another source")
        if entry["type"] in ("admission", "withdrawal"):
            self._link(
                bool(body["read"]["code"] and body["read"]["raw"]), f"{row['source']} rests on no read"
            )
            self._link(entry["said"]["occurred_at"][:10] <= row["booked"].date().isoformat(), "booked before")
        # What is drawn anew is known later than the fact, never before.
        known = (row["known_place"], row["known_seq"])
        self._link(
            entry["known"] is not None and entry["known"] <= known,
            f"{row['source']} is posted before it is known",
        )
        self._link(known in own, f"{row['source']} is known by no entry of the center")

    async def _back(self, nets: dict[str, Decimal], told: dict[str, dict[str, Any]]) -> None:
        """Each entry that moved goods is posted in full; what was corrected is posted to nothing in all, or
        taken back by the correction.
        """
        unread = {str(row["entry_id"]) for row in await self._all("SELECT * FROM unreadable")}
        undone = {
            entry["said"]["body"]["corrects"]: entry["entry_id"]
            for entry in told.values()
            if entry["type"] == "correction" and entry["entry_id"] not in unread
        }
        for entry_id, entry in told.items():
            body = entry["said"]["body"]
            if entry_id in unread:
                self._link(entry_id not in nets, f"{entry_id} is unreadable and posted")
            elif entry["type"] in ("admission", "withdrawal"):
                net = nets.get(entry_id, Decimal(0))
                if entry_id in undone:
                    back = nets.get(undone[entry_id], Decimal(0))
                    self._link(net in (0, back), f"{entry_id} was corrected and is posted")
                else:
                    self._link(net == Decimal(body["quantity"]), f"{entry_id} is not posted in full")
            elif entry["type"] == "adjustment":
                self._link(
                    nets.get(entry_id) == abs(Decimal(body["quantity"])), f"{entry_id} is not posted in full"
                )
            elif entry["type"] == "rows" and body["kind"] == "opening-balance":
                there = sum((Decimal(row["on_hand"]) for row in body["rows"]), Decimal(0))
                self._link(nets.get(entry_id) == there, f"{entry_id} is not posted in full")
            elif entry["type"] == "order":
                self._link(entry_id in nets, f"{entry_id} is not posted")
            elif entry["type"] == "status-change":
                self._link(
                    nets.get(entry_id) == 2 * Decimal(body["quantity"]), f"{entry_id} is not posted in full"
                )

    async def _drawn(self, nets: dict[str, Decimal]) -> None:
        """What is drawn now is what the postings of each fact sum to, by lot; each layer is a fact's."""
        rows = await self._connection.fetch(
            "SELECT t.fact, t.n, t.lot, sum(t.quantity) AS drawn, "
            "(SELECT sum(p.quantity) FROM posting p "
            "WHERE (p.fact, p.n, p.lot) = (t.fact, t.n, t.lot)) AS posted "
            "FROM ledger_taken t WHERE t.tenant = $1 AND t.zone = $2 GROUP BY t.fact, t.n, t.lot",
            *WHO,
        )
        for row in rows:
            self._link(
                row["drawn"] == row["posted"], f"{row['fact']} takes of {row['lot']} what is not posted"
            )
        lost = await self._connection.fetch(
            "SELECT t.fact FROM ledger_taken t WHERE t.layer NOT IN ('', '+') AND NOT EXISTS "
            "(SELECT FROM ledger_layer l WHERE (l.fact, l.n) = (t.layer, t.layer_n))"
        )
        self.links += len(rows)
        self.broken += [f"{row['fact']} takes of a layer that is not there" for row in lost]


async def walked(center: Central) -> Walk:
    async with center.database.session() as connection:
        walk = Walk(connection)  # type: ignore[arg-type]
        await walk.walk()
        return walk


async def test_from_every_balance_to_entries_and_back_no_link_is_broken(center: Central) -> None:
    await live(center, 3)
    walk = await walked(center)
    assert walk.broken == []
    assert walk.links > 1000
    print(f"links walked: {walk.links}, broken: 0")


SOME = "(SELECT fact FROM posting WHERE length(fact) = 36 ORDER BY fact LIMIT 1 OFFSET 9)"
ONE = "(SELECT min(ctid) FROM posting WHERE length(fact) = 36)"
PLANTED = {
    "a posting is gone": f"DELETE FROM posting WHERE fact = {SOME}",
    "a quantity": f"UPDATE posting SET quantity = quantity + 0.000001 WHERE fact = {SOME}",
    "a customs quantity": f"UPDATE posting SET customs = customs + 1 WHERE fact = {SOME}",
    "another lot": f"UPDATE posting SET lot = '214-9/1' WHERE fact = {SOME}",
    "another entry": f"UPDATE posting SET source = gen_random_uuid() WHERE fact = {SOME}",
    "known too early": f"UPDATE posting SET known_seq = 1 WHERE ctid = {ONE}",
    "known from nowhere": f"UPDATE posting SET known_seq = 999999 WHERE ctid = {ONE}",
    "a sum": "UPDATE ledger_day SET quantity = quantity - 1 WHERE lot = '214-1/1' AND account = 'stock'",
    "what is on hand": "UPDATE ledger_lot SET on_hand = on_hand + 1 WHERE lot = '214-1/1'",
    "what was taken": "UPDATE ledger_taken SET quantity = quantity + 1 WHERE fact = (SELECT fact FROM "
    "ledger_taken ORDER BY fact LIMIT 1)",
    "a layer": "DELETE FROM ledger_layer WHERE (fact, n) IN (SELECT layer, layer_n FROM ledger_taken)",
    "an entry's bytes": "UPDATE entry SET record = replace(convert_from(record, 'UTF8'), 'EA', 'KG')::bytea "
    "WHERE type = 'admission'",
    "a posting too many": "INSERT INTO posting SELECT tenant, zone, known_place, known_seq, fact, n, "
    "ordinal + 50, source, queue, lot, account_from, account_to, 1, 1, booked, happened "
    f"FROM posting WHERE fact = {SOME}",
}


async def test_each_planted_break_is_found(center: Central) -> None:
    await live(center, 3)
    missed = []
    async with center.database.session() as connection:
        for name, sql in PLANTED.items():
            undo = connection.transaction()
            await undo.start()
            for table in ("entry", "posting"):
                await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            changed = await connection.execute(sql)
            assert not changed.endswith(" 0"), name
            walk = Walk(connection)  # type: ignore[arg-type]
            if not await walk.walk():
                missed.append(name)
            await undo.rollback()
    assert missed == []


@pytest.mark.parametrize(
    "change", ["UPDATE posting SET quantity = 0", "DELETE FROM posting", "TRUNCATE posting"]
)
async def test_postings_are_only_added_to(center: Central, change: str) -> None:
    async with center.database.session() as connection:
        with pytest.raises(asyncpg.RaiseError, match="never changed or deleted"):
            await connection.execute(change)
