# SPDX-License-Identifier: Apache-2.0
"""What a withdrawal would cost, from doors, papers and rows of law to the cent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from central.bookkeeping import ChangeStatus
from central.costing import Cost, Costing, Question
from central.errors import Denied
from central.floor import Relabeled
from central.service import Central
from customs.documents import Direction, Permit, PermitLine, Product, Status
from customs.imports import Refused, Upload
from tests.central.ledger_zone import GTINS, OWNER, START, Zone
from tests.central.tables import customs_data

TOOL = GTINS[0]
MONDAY = date(2026, 6, 1)
FALLS = date(2026, 6, 8)
D = Decimal


def table(name: str, row: Mapping[str, Any], supersedes: str | None = None) -> Upload:
    body: dict[str, Any] = {"table": name}
    if supersedes:
        body["supersedes_from"] = supersedes
    body["rows"] = [row]
    return Upload(f"{name}-{row.get('valid_from', '')}.json", json.dumps(body).encode())


async def take(center: Central, *uploads: Upload) -> None:
    answer = await center.import_files(uploads, "compliance")
    assert not isinstance(answer, Refused), answer


async def opened(center: Central, quantity: str = "2500") -> Zone:
    """Tools came on Monday under 214-1; their papers and the law are on file."""
    line = PermitLine("1", TOOL, Status.NPF, D(2500), "EA", Direction.IN)
    permit = Permit("214-1", "admission", OWNER, MONDAY, MONDAY + timedelta(6), (line,))
    zone = await Zone.open(center, 1, [("product", Product(TOOL, "TOOL-12")), ("permit", permit)])
    rows = customs_data()
    rows["admission-line"] |= {"document": "214-1"}
    await take(center, *(table(name, row) for name, row in rows.items()))
    if quantity != "0":
        zone.move(0, quantity, "214-1")
        await zone.tell()
    return zone


async def cost(
    center: Central,
    quantity: str,
    status: Status = Status.NPF,
    to: str = "consumption",
    on: date = MONDAY,
    timezone: str = "UTC",
) -> Cost:
    await center.projector.catch_up()
    costing = Costing(center.database, (center.tenant, center.zone), center.customs, center.works, timezone)
    return await costing.cost(Question(OWNER, TOOL, status, D(quantity), to, on))


def owed(answer: Cost) -> Decimal:
    assert answer.computed is not None, answer.refused
    return answer.computed.duty


async def falling_rate(center: Central) -> None:
    """From 8 June on tools owe 1 % alone."""
    row = customs_data()["tariff"] | {"code": "7", "advalorem": "0.01", "valid_from": str(FALLS)}
    del row["specific"], row["unit1"]
    await take(center, table("tariff", row, str(FALLS)))


def part_of(quantity: int) -> tuple[Relabeled, ...]:
    """So much of the load that the tools came on, under a label of its own."""
    return (Relabeled("/00/000000000000000001", D(quantity), "095219990000000020"),)


async def test_a_weeks_tools_owe_what_the_story_says(center: Central) -> None:
    await opened(center)
    answer = await cost(center, "2500")
    assert answer.computed is not None
    assert (owed(answer), answer.computed.fee) == (D(1575), D("103.92"))
    assert all(why.section and why.text for why in answer.computed.explanation)
    assert (await cost(center, "2501")).short == 1
    row = {"id": "X", "headings": ["8205"], "reason": "Prohibited without a license."}
    row |= {"valid_from": "2026-01-01", "source": "example zone", "mark": "example"}
    await take(center, table("weekly-excluded", row))
    [drawn] = (await cost(center, "2500")).drawn
    assert drawn.allowed
    assert "Not on a weekly entry" in drawn.ruling
    assert "Not on a weekly entry" not in answer.drawn[0].ruling


async def test_goods_that_go_abroad_as_they_came_owe_nothing_and_need_no_entry(center: Central) -> None:
    await opened(center)
    assert (await cost(center, "10", to="export")).computed is None
    assert "export it without duty" in (await cost(center, "10", to="canada")).refused


async def test_a_year_without_limits_is_refused_and_no_figure_is_shown(center: Central) -> None:
    await opened(center)
    answer = await cost(center, "10", on=date(2026, 10, 1))
    assert answer.computed is None
    assert "FY2027" in answer.refused


async def test_goods_owe_the_rate_of_entry_unless_they_were_privileged_before(center: Central) -> None:
    await opened(center)
    await falling_rate(center)
    order = ChangeStatus(
        "SC-1", OWNER, TOOL, Status.NPF, Status.PF, D(1000), "filed", "anna", START, loads=part_of(1000)
    )
    await center.bookkeeping.change_status(order)
    privileged = await cost(center, "1000", Status.PF, on=FALLS)
    assert owed(privileged) == 1000 * (D("0.03") + D("0.60"))
    [drawn] = privileged.drawn
    assert (drawn.lot, drawn.filed, [part.lot for part in drawn.contains]) == (
        "SC-1/1",
        START.date(),
        ["214-1/1"],
    )
    assert owed(await cost(center, "1000", on=FALLS)) == 1000 * D("0.12")
    assert owed(await cost(center, "1000", on=FALLS - timedelta(1))) == 1000 * D("0.63")


async def test_the_day_of_filing_is_the_zones_own(center: Central) -> None:
    await opened(center)
    await falling_rate(center)
    evening = datetime(2026, 6, 8, 2, tzinfo=UTC)
    order = ChangeStatus(
        "SC-1", OWNER, TOOL, Status.NPF, Status.PF, D(100), "filed", "anna", evening, loads=part_of(100)
    )
    await center.bookkeeping.change_status(order)
    by_chicago = await cost(center, "100", Status.PF, on=FALLS, timezone="America/Chicago")
    by_utc = await cost(center, "100", Status.PF, on=FALLS)
    assert (owed(by_chicago), owed(by_utc)) == (D(63), D(12))


async def test_privileged_goods_do_not_go_to_a_warehouse(center: Central) -> None:
    await opened(center)
    order = ChangeStatus(
        "SC-1", OWNER, TOOL, Status.NPF, Status.PF, D(100), "filed", "anna", START, loads=part_of(100)
    )
    await center.bookkeeping.change_status(order)
    assert "may not go to a bonded warehouse" in (await cost(center, "1", Status.PF, "warehouse")).refused
    assert (await cost(center, "1", to="warehouse")).refused == ""
    late = await cost(center, "1", to="warehouse", on=date(2031, 5, 21))
    assert "warehouse time ended on 2031-05-20" in late.refused
    back = ChangeStatus("SC-2", OWNER, TOOL, Status.PF, Status.NPF, D(1), "no", "anna", START)
    with pytest.raises(Denied, match=r"146\.41\(e\)"):
        await center.bookkeeping.change_status(back)


async def test_goods_that_the_books_began_with_owe_by_their_opening_balance(center: Central) -> None:
    await opened(center, "0")
    rows = customs_data()
    line = {**rows["admission-line"], "document": "OLD", "line": "7", "admitted": "2026-05-20"}
    balance = {**line, "lot": "OLD/7", "as_of": "2026-06-01", "on_hand": "100", "customs_on_hand": "100"}
    await take(center, table("opening-balance", balance))
    answer = await cost(center, "100")
    assert [drawn.lot for drawn in answer.drawn] == ["OLD/7"]
    assert owed(answer) == D(63)


async def test_a_shortage_is_reported_from_one_percent_and_a_hundred_dollars(center: Central) -> None:
    await opened(center)
    for missing, report in (("24", False), ("158", False), ("159", True), ("200", True)):
        answer = await cost(center, missing, to="shortage")
        assert answer.finding is not None
        assert (answer.finding.report, answer.finding.recorded) == (report, True)


async def test_a_preference_and_a_producer_are_taken_from_the_admissions_line(center: Central) -> None:
    held = {"valid_from": "2026-01-01", "source": "example zone", "mark": "example"}
    claimed = {
        "spi": "TW",
        "adcvd": ["A-583-001"],
        "producer": "Able",
        "status": "PF",
        "pf_filed": "2026-05-20",
    }
    line = PermitLine("1", TOOL, Status.PF, D(2500), "EA", Direction.IN)
    permit = Permit("214-1", "admission", OWNER, MONDAY, MONDAY + timedelta(6), (line,))
    zone = await Zone.open(center, 1, [("product", Product(TOOL, "TOOL-12")), ("permit", permit)])
    rows: dict[str, dict[str, Any]] = {name: {**row} for name, row in customs_data().items()}
    rows["admission-line"] |= {"document": "214-1", **claimed}
    await take(
        center,
        *(table(name, row) for name, row in rows.items()),
        table("preference", {"spi": "TW", "origins": ["TW"], "mpf_exempt": "yes", **held}),
        table("tariff", {"hts": "8205", "column": "TW", "code": "0", **held, "valid_from": "2026-01-02"}),
        table(
            "adcvd",
            {
                "number": "A-583-001", "remedy": "AD", "producers": ["Able"], "headings": ["8205"],
                "origins": ["TW"], "code": "7", "advalorem": "0.5", **held,
            },
        ),
    )  # fmt: skip
    zone.move(0, "2500", "214-1", status=Status.PF)
    await zone.tell()
    answer = await cost(center, "2500", Status.PF)
    assert (owed(answer), answer.computed and answer.computed.fees) == (D(15000), ())
