# SPDX-License-Identifier: Apache-2.0
"""Calendar days are the zone's own: in lot numbers, in opening balances, in factors, in the days of a lot."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from central.service import Central
from customs.documents import Status
from customs.zone import AdmissionLine, CustomsProduct, Mode, OpeningBalance, Values
from edge.anchor import Anchor
from edge.clock import system_clocks
from sync.customs_bodies import Rows
from sync.entry import canonical
from tests.central.ledger_zone import BOOKS, GTINS, OWNER, START, Zone, rows

CHICAGO = "America/Chicago"
D = Decimal
EVENING = (datetime(2026, 6, 2, 3, 30, tzinfo=UTC) - START) / timedelta(minutes=1)
"""Half past ten in the evening of June 1 in Chicago, which is June 2 in UTC."""


async def opened(postgres: str, folder: Path, timezone: str) -> Central:
    return await Central.open(postgres, "example", "zone-999", Anchor(folder), system_clocks(), timezone)


async def tell(center: Central, kind: str, row: msgspec.Struct) -> None:
    """A row of customs data is on file."""
    part = Rows(str(uuid4()), kind, 1, 1, (msgspec.Raw(canonical(row)),))
    await center.people.act(lambda _: [("rows", part)])
    await center.projector.catch_up()


async def lots(center: Central) -> set[str]:
    return {row["lot"] for row in (await center.ledger.lots()).items}


@pytest.mark.parametrize(("timezone", "lot", "days"), [(CHICAGO, "D-20260601", 1), ("UTC", "D-20260602", 2)])
async def test_domestic_goods_of_an_evening_are_of_that_evenings_day(
    postgres: str, tmp_path: Path, timezone: str, lot: str, days: int
) -> None:
    center = await opened(postgres, tmp_path, timezone)
    try:
        zone = await Zone.open(center, 1)
        zone.move(EVENING - 600, "3", "214-1", load="2")
        zone.move(EVENING, "5", "214-1", load="3")
        zone.move(EVENING, "10", "", status=Status.DOMESTIC)
        await zone.tell()
        assert lot in await lots(center)
        told = await center.ledger.days("214-1/1")
        assert [amount for _, amount in told] == [D(3), D(8)][-days:]
        assert told[-1][0] == date(2026, 6, int(lot[-2:]))
        books = await rows(center, BOOKS)
        await center.projector.rebuild()
        assert await rows(center, BOOKS) == books
    finally:
        await center.close()


async def test_an_opening_balance_and_a_factor_begin_with_the_zones_day(
    postgres: str, tmp_path: Path
) -> None:
    center = await opened(postgres, tmp_path, CHICAGO)
    try:
        day = date(2026, 6, 2)
        line = AdmissionLine(
            "OLD", "1", OWNER, GTINS[0], Status.NPF, D(9), "EA", D(9), "NO", "8205", "TW", day, Values(D(9)),
            Mode.TRUCK, day,
        )  # fmt: skip
        factor = CustomsProduct(GTINS[1], OWNER, "8205", "TW", "EA", "KG", D(2), "goods", day)
        await tell(center, "opening-balance", OpeningBalance("OLD/1", day, D(9), D(9), line))
        await tell(center, "customs-product", factor)
        zone = await Zone.open(center, 1)
        # Before and after the midnight of Chicago, both on June 2 of UTC.
        for paper, minute in (("214-1", EVENING), ("214-2", EVENING + 120)):
            zone.move(minute, "5", paper, product=GTINS[1], load=str(int(minute)))
        await zone.tell()
        async with center.database.session() as connection:
            booked = await connection.fetchval("SELECT first_booked FROM ledger_lot WHERE lot = 'OLD/1'")
            found = await connection.fetch("SELECT lot, customs_on_hand FROM ledger_lot ORDER BY lot")
        assert booked == datetime(2026, 6, 2, 5, tzinfo=UTC)
        assert {row["lot"]: int(row["customs_on_hand"]) for row in found} == {
            "214-1/1": 5,
            "214-2/1": 10,
            "OLD/1": 9,
        }
    finally:
        await center.close()


async def test_another_calendar_holds_from_its_own_place_on(postgres: str, tmp_path: Path) -> None:
    """What was named by the old one keeps its name; the same one is not told twice."""
    center = await opened(postgres, tmp_path, "UTC")
    zone = await Zone.open(center, 1)
    zone.move(EVENING, "10", "", status=Status.DOMESTIC)
    await zone.tell()
    await center.close()
    for _ in range(2):
        center = await opened(postgres, tmp_path, CHICAGO)
        await center.close()
    center = await opened(postgres, tmp_path, CHICAGO)
    try:
        zone.center = center
        zone.move(EVENING, "10", "", status=Status.DOMESTIC, load="2")
        await zone.tell()
        assert await lots(center) == {"D-20260601", "D-20260602"}
        async with center.database.session() as connection:
            told = await connection.fetchval("SELECT count(*) FROM entry WHERE type = 'calendar'")
        assert told == 1
        books = await rows(center, BOOKS)
        await center.projector.rebuild()
        assert await rows(center, BOOKS) == books
    finally:
        await center.close()
