# SPDX-License-Identifier: Apache-2.0
"""Cuts pin the books for ever: what is late becomes a case of the open period, what was changed is found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import pytest_asyncio
from msgspec.structs import replace

from central.bookkeeping import Accept, Adjust, ChangeStatus, Elect, Reject
from central.cuts import Pin
from central.errors import Denied
from central.floor import Relabeled
from central.service import Central
from customs.documents import Status
from customs.ledger.elections import Method
from tests.central.ledger_zone import GTINS, OWNER, PAPERS, START, Zone, permit, rows
from tests.central.running import Running

AT = START + timedelta(hours=10)
FIRST = AT + timedelta(microseconds=1)


@pytest_asyncio.fixture
async def zone(center: Central) -> Zone:
    """100 in, 60 out, and the books pinned up to ten hours later."""
    made = await Zone.open(center)
    made.ids["in"] = made.move(10, "100", "214-1")
    made.ids["out"] = made.move(60, "60", "06", out=True)
    await made.tell()
    await center.cuts.pin(Pin("W23", AT, "anna"))
    return made


async def stock(center: Central, as_of: datetime | None = None) -> dict[str, Decimal]:
    """What is on each lot in stock."""
    lots = await center.ledger.lots(None, as_of)
    return {row["lot"]: row["accounts"]["stock"].quantity for row in lots.items if "stock" in row["accounts"]}


async def test_what_is_late_is_booked_after_the_cut_and_is_a_case(zone: Zone) -> None:
    center = zone.center
    late = zone.move(5, "8", "214-2")
    await zone.tell()
    assert await stock(center, AT) == {"214-1/1": 40}
    assert await stock(center) == {"214-1/1": 40, "214-2/1": 8}
    (case,) = (await center.ledger.late()).items
    assert (case["entry_id"], case["booked"], case["happened"]) == (
        late,
        FIRST,
        START + timedelta(minutes=5),
    )
    (told,) = (await center.ledger.story("214-2/1")).movements
    assert told["late"]
    pinned = await center.cuts.verify("W23")
    assert pinned.equal


async def test_what_a_cut_contains_is_corrected_in_the_open_period_and_keeps_its_place(zone: Zone) -> None:
    center = zone.center
    zone.move(700, "5", "214-2")
    await zone.tell()
    zone.correct(zone.ids["out"], 800, out=True)
    await zone.tell()
    assert await stock(center, AT) == {"214-1/1": 40}
    assert await stock(center) == {"214-1/1": 100, "214-2/1": 5}
    # What came back is older than what came since: it goes first.
    zone.move(900, "101", "06", out=True)
    await zone.tell()
    assert await stock(center) == {"214-2/1": 4}
    assert (await center.cuts.verify("W23")).equal


async def test_cuts_follow_each_other_and_each_says_the_same_for_ever(zone: Zone) -> None:
    center = zone.center
    zone.move(700, "5", "214-2")
    zone.move(20, "7", "214-3", dock=1)
    await zone.tell()
    second = await center.cuts.pin(Pin("W24", AT + timedelta(hours=4), "anna"))
    assert second.before == (await center.cuts.verify("W23")).digest
    zone.move(30, "9", "214-4", dock=1)
    zone.correct(zone.ids["in"], 2000)
    await zone.tell()
    for number in ("W23", "W24"):
        assert (await center.cuts.verify(number)).equal
    before = await rows(center)
    await center.projector.rebuild()
    assert await rows(center) == before
    for number in ("W23", "W24"):
        assert (await center.cuts.verify(number)).equal


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE posting SET quantity = quantity + 1 WHERE booked <= '2026-06-01 16:00+00'",
        "UPDATE posting SET lot = '214-9/1' WHERE account_from = 'stock'",
        "UPDATE posting SET booked = booked - interval '1 day' WHERE booked > '2026-06-01 16:00+00'",
        "UPDATE ledger_queue SET owner = 'somebody'",
    ],
)
async def test_books_that_were_changed_are_told_from_those_that_were_pinned(zone: Zone, change: str) -> None:
    center = zone.center
    zone.move(700, "5", "214-2")
    await zone.tell()
    await center.cuts.pin(Pin("W24", AT + timedelta(hours=2), "anna"))
    async with center.database.session() as connection:
        await connection.execute("ALTER TABLE posting DISABLE TRIGGER USER")
        await connection.execute(change)
    assert not all([(await center.cuts.verify(number)).equal for number in ("W23", "W24")])


async def test_what_cannot_be_pinned_is_refused_in_words(zone: Zone) -> None:
    center = zone.center
    refused = {
        "pinned": Pin("W23", AT + timedelta(hours=1), "anna"),
        "pinned up to": Pin("W24", AT, "anna"),
        "has not passed": Pin("W24", datetime.now(UTC) + timedelta(hours=1), "anna"),
    }
    for words, order in refused.items():
        with pytest.raises(Denied, match=words):
            await center.cuts.pin(order)
    with pytest.raises(Denied, match="no cut"):
        await center.cuts.verify("W99")
    assert len(await center.ledger.cuts()) == 1


async def test_people_change_status_adjust_enter_and_elect(zone: Zone) -> None:
    center = zone.center
    keep = center.bookkeeping
    goods = (OWNER, GTINS[0], Status.NPF)
    part = (Relabeled("/00/000000000000000001", Decimal(10), "095219990000000020"),)
    filed = ChangeStatus("PF-1", *goods, Status.PF, Decimal(10), "filed", "anna", loads=part)
    await keep.change_status(filed)
    await keep.adjust(Adjust("C-1", *goods, Decimal(-3), "counted", "anna", destroyed=True))
    await keep.adjust(Adjust("C-2", *goods, Decimal("1.5"), "found", "anna"))
    await center.projector.catch_up()
    assert await stock(center) == {"214-1/1": 27, "C-2/1": Decimal("1.5"), "PF-1/1": 10}
    (made,) = (await center.ledger.story("PF-1/1")).made
    assert (made["made"], made["of"]) == ("PF-1/1", "214-1/1")
    (row,) = (await center.ledger.story("PF-1/1")).lots
    assert row["status"] == "PF"
    assert (await center.ledger.differences()).items == [], "what people say no dock has to see"
    since = datetime.now(UTC) + timedelta(days=1)
    await keep.elect(Elect(OWNER, Method.SPECIFIC, since, "the manual, page 7", "anna"))
    with pytest.raises(Denied, match="election cannot be made"):
        await keep.elect(Elect(OWNER, Method.FIFO, since, "the manual, page 7", "anna"))
    refused = {
        "pinned up to": keep.adjust(
            Adjust("C-3", *goods, Decimal(1), "found", "anna", happened=AT - timedelta(hours=1))
        ),
        "not 29": keep.change_status(ChangeStatus("PF-2", *goods, Status.PF, Decimal(29), "filed", "anna")),
        "there is a lot": keep.adjust(Adjust("C-2", *goods, Decimal(1), "found", "anna")),
        "may not become": keep.change_status(
            ChangeStatus("D-1", OWNER, GTINS[0], Status.PF, Status.NPF, Decimal(1), "please", "anna")
        ),
        "no count": keep.adjust(Adjust("C-4", *goods, Decimal("NaN"), "found", "anna")),
    }
    for words, act in refused.items():
        with pytest.raises(Denied, match=words):
            await act


async def test_an_accepted_entry_takes_goods_out_legally_and_a_rejected_one_gives_them_back(
    center: Central,
) -> None:
    entry = permit("06-X", "entry", GTINS[0])
    line = replace(entry.lines[0], quantity=Decimal(30))
    zone = await Zone.open(center, papers=[*PAPERS, ("permit", replace(entry, lines=(line,)))])
    zone.move(10, "20", "214-1")
    zone.move(20, "20", "214-2")
    await zone.tell()
    keep = center.bookkeeping
    await keep.accept(Accept("06-X", "accepted", "anna", START + timedelta(minutes=30)))
    zone.move(40, "4", "06-X", out=True)
    await zone.tell()
    (goods,) = (await center.ledger.goods()).items
    accounts = {account: amount.quantity for account, amount in goods["accounts"].items()}
    assert accounts == {"abroad": -40, "stock": 10, "constructive:06-X": 26, "territory": 4}
    with pytest.raises(Denied, match="wait under"):
        await keep.accept(Accept("06-X", "again", "anna"))
    with pytest.raises(Denied, match="weekly-entry"):
        await keep.accept(Accept("06", "an estimate", "anna"))
    await keep.reject(Reject("06-X", "cancelled", "anna", START + timedelta(minutes=50)))
    zone.move(60, "17", "7512", out=True)
    await zone.tell()
    # The 16 of the first lot that came back are older than all of the second.
    assert await stock(center) == {"214-2/1": 19}


async def test_a_cut_by_command(running: Running) -> None:
    config = str(running.config)
    said = await running.command(
        "central", "cut", "W1", "--until", "2026-01-01T00:00:00Z", "--config", config
    )
    assert said[0] == 0, said
    listed = await running.command("central", "cuts", "--config", config)
    assert "W1" in listed[1]
    code, told, _ = await running.command("central", "verify-cut", "W1", "--config", config)
    assert (code, told.splitlines()[1]) == (0, "the books say the same")
    assert (await running.command("central", "verify-cut", "W2", "--config", config))[0] == 1


async def test_loads_are_named_by_command(running: Running) -> None:
    config = ("--config", str(running.config))
    goods = ("--owner", OWNER, "--product", GTINS[0], "--status", "NPF", "--note", "counted")
    found = ("--quantity", "3", "--part", "095219990000000020", "3")
    said = await running.command("central", *config, "adjust", "C-1", *goods, *found)
    assert said[0] == 0, said
    assert said[1].splitlines()[1].startswith("holdings is entry"), "docks hear of it"
    filed = ("status-change", "PF-1", *goods, "--becomes", "PF", "--quantity", "3")
    refused = await running.command("central", *config, *filed, "--load", "095219990000000013")
    assert (refused[0], "no load" in refused[2]) == (1, True)
    part = ("--part", "095219990000000020", "3", "095219990000000037")
    said = await running.command("central", *config, *filed, *part)
    assert said[0] == 0, said
