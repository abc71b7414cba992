# SPDX-License-Identifier: Apache-2.0
"""Goods over all their lots, through a year: at any two times the sums by month and by day come to what the
postings say.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

from central.ledger_queries import Ledger
from central.service import Central
from customs.imports import Upload
from edge.anchor import Anchor
from edge.clock import system_clocks
from sync.bodies import Use
from tests.central.dock import Dock

FIRST = datetime(2026, 1, 20, 9, tzinfo=UTC)
LATE_MAX = timedelta(days=70)
"""How long after they moved the center hears of goods, at most."""


async def test_balances_over_months_are_the_sums_of_their_postings(
    postgres: str, tmp_path: Path, papers: bytes
) -> None:
    now = [FIRST]
    clocks = dataclasses.replace(system_clocks(), utc=lambda: now[0])
    center = await Central.open(postgres, "example", "zone-999", Anchor(tmp_path), clocks)
    try:
        await told_over_months(center, now, papers)
        wrong, months = await unlike_postings(center)
    finally:
        await center.close()
    print(f"months that goods were booked in: {months}")
    assert months > 10
    assert wrong == []


async def told_over_months(center: Central, now: list[datetime], papers: bytes) -> None:
    """Goods that came and went in forty weeks, told in their order and late."""
    random = Random(7)
    dock = Dock()
    dock.code = await center.enrol(dock.node)
    await dock.talk(center)
    await center.import_files([Upload("week.json", papers)], "compliance")
    for _ in range(40):
        now[0] += timedelta(days=random.randint(1, 17))
        for _ in range(random.randint(1, 4)):
            at = max(FIRST, now[0] - random.random() * LATE_MAX)
            if random.random() < 0.6:
                dock.move(quantity="9", use=Use("A214", "1", Decimal(9)), occurred_at=at)
            else:
                dock.move("withdrawal", "4", Use("W24", "1", Decimal(4)), occurred_at=at)
        await dock.talk(center)
        await center.projector.catch_up()


async def unlike_postings(center: Central) -> tuple[list[str], int]:
    """Where the list of goods says other than the postings, at forty pairs of times; in how many months."""
    ledger, random = Ledger(center.database, "example", "zone-999"), Random(8)
    async with center.database.session() as connection:
        rows = await connection.fetch("""
            SELECT p.booked, p.account_from, p.account_to, p.quantity, k.at
            FROM posting p JOIN ledger_known k ON k.place = p.known_place AND k.seq = p.known_seq""")
    wrong = []
    times = [(None, None), *((random.choice(rows)["booked"], random.choice(rows)["at"]) for _ in range(40))]
    for as_of, known_on in times:
        sums: dict[str, Decimal] = {}
        for row in rows:
            if (as_of is None or row["booked"] <= as_of) and (known_on is None or row["at"] <= known_on):
                for account, sign in ((row["account_from"], -1), (row["account_to"], 1)):
                    sums[account] = sums.get(account, Decimal(0)) + sign * row["quantity"]
        items = (await ledger.goods(None, as_of, known_on)).items
        found = {name: one.quantity for item in items for name, one in item["accounts"].items()}
        if {name: each for name, each in found.items() if each} != {
            name: each for name, each in sums.items() if each
        }:
            wrong.append(f"as of {as_of}, as known on {known_on}: {found}, not {sums}")
    return wrong, len({f"{row['booked']:%Y-%m}" for row in rows})


async def test_a_month_that_is_not_summed_is_found(postgres: str, tmp_path: Path, papers: bytes) -> None:
    now = [FIRST]
    clocks = dataclasses.replace(system_clocks(), utc=lambda: now[0])
    center = await Central.open(postgres, "example", "zone-999", Anchor(tmp_path), clocks)
    try:
        await told_over_months(center, now, papers)
        async with center.database.session() as connection:
            await connection.execute("DELETE FROM ledger_goods_month WHERE booked_month = '2026-04-01'")
        assert (await unlike_postings(center))[0]
    finally:
        await center.close()
