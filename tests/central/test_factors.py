# SPDX-License-Identifier: Apache-2.0
"""What a product is to customs may come after its goods: the open period is posted again with it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import msgspec
import pytest_asyncio

from central.bookkeeping import Adjust
from central.cuts import Pin
from central.service import Central
from customs.documents import Status
from customs.zone import AdmissionLine, CustomsProduct, Mode, Values
from sync.customs_bodies import Rows
from sync.entry import canonical
from tests.central.ledger_zone import BOOKS, GTINS, OWNER, START, Zone, rows

D = Decimal
JUNE_1, JUNE_2 = date(2026, 6, 1), date(2026, 6, 2)


async def tell(center: Central, kind: str, row: msgspec.Struct) -> None:
    """A row of customs data is on file."""
    part = Rows(str(uuid4()), kind, 1, 1, (msgspec.Raw(canonical(row)),))
    await center.people.act(lambda _: [("rows", part)])
    await center.projector.catch_up()


async def factor(center: Central, value: str, since: date = JUNE_1, owner: str = OWNER) -> None:
    row = CustomsProduct(GTINS[0], owner, "8205", "TW", "EA", "KG", D(value), "goods", since)
    await tell(center, "customs-product", row)


async def kilograms(center: Central) -> dict[tuple[str, str], Decimal]:
    """Customs units by lot and account."""
    lots = (await center.ledger.lots()).items
    return {(row["lot"], name): one.customs for row in lots for name, one in row["accounts"].items()}


@pytest_asyncio.fixture
async def zone(center: Central) -> Zone:
    """Ten and ten that came on two days, and four of the first have left."""
    made = await Zone.open(center, 1)
    made.move(10, "10", "214-1")
    made.move(24 * 60 + 10, "10", "214-2", load="2")
    made.move(24 * 60 + 20, "4", "06", out=True)
    await made.tell()
    return made


async def test_goods_of_the_open_period_are_posted_again_with_a_factor_that_comes_late(zone: Zone) -> None:
    center = zone.center
    assert (await kilograms(center))["214-1/1", "stock"] == 6, "the control: one to one"
    before = datetime.now(UTC)
    await factor(center, "2.5")
    found = await kilograms(center)
    assert (found["214-1/1", "stock"], found["214-1/1", "territory"]) == (D(15), D(10))
    assert found["214-2/1", "stock"] == 25
    await factor(center, "3", JUNE_2)
    found = await kilograms(center)
    assert (found["214-1/1", "stock"], found["214-2/1", "stock"]) == (D(15), D(30))
    await factor(center, "7", JUNE_1, "another owner")
    assert await kilograms(center) == found
    then = (await center.ledger.lots(known_on=before)).items
    assert {row["accounts"]["stock"].customs for row in then} == {D(6), D(10)}
    story = await center.ledger.story("214-2/1")
    assert [row["customs"] for row in story.movements] == [10, -10, 25, -25, 30]
    books = await rows(center, BOOKS)
    await center.projector.rebuild()
    assert await rows(center, BOOKS) == books


async def test_what_a_paper_declares_is_not_what_the_factor_says(zone: Zone) -> None:
    center = zone.center
    line = AdmissionLine(
        "214-2", "1", OWNER, GTINS[0], Status.NPF, D(10), "EA", D(44), "KG", "8205", "TW", JUNE_1,
        Values(D(100)), Mode.AIR,
    )  # fmt: skip
    await tell(center, "admission-line", line)
    await factor(center, "2.5")
    found = await kilograms(center)
    assert (found["214-2/1", "stock"], found["214-1/1", "stock"]) == (D(44), D(15))


async def test_a_pinned_cut_keeps_what_it_had(zone: Zone) -> None:
    center = zone.center
    await center.cuts.pin(Pin("W23", START + timedelta(hours=12), "anna"))
    await factor(center, "2.5")
    found = await kilograms(center)
    assert (found["214-1/1", "stock"], found["214-2/1", "stock"]) == (D(6), D(25))
    assert (await center.cuts.verify("W23")).equal


async def test_what_was_found_has_the_factor_as_well(zone: Zone) -> None:
    center = zone.center
    count = Adjust("C-1", OWNER, GTINS[0], Status.NPF, D(2), "found", "anna")
    await center.bookkeeping.adjust(count)
    await center.projector.catch_up()
    await factor(center, "2.5")
    assert (await kilograms(center))["C-1/1", "stock"] == 5
