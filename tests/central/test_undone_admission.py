# SPDX-License-Identifier: Apache-2.0
"""An admission out of suspense that was a mistake never was: on the books, on the floor, at docks, on the
permit's line and where loads stand; it is refused where its goods have moved since.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from msgspec.structs import replace

from central.admitting import Admitting, UndoAdmission
from central.bookkeeping import Accept, ChangeStatus
from central.cuts import Pin
from central.errors import Denied
from central.floor import Relabeled
from central.location_queries import Locations
from central.people import Object
from central.service import Central
from central.storing import Declare, Store
from central.web.access import Access
from central.web.app import make_app
from customs.documents import Direction, Status
from customs.ledger.elections import Method
from sync.ledger_bodies import Election
from tests.central.ledger_zone import BOOKS, GTINS, OWNER, START, Zone, rows
from tests.central.running import Running
from tests.central.test_admitting import LABEL, PRODUCT, admit, deposit, of, stock, used
from tests.central.test_floor import floor, key, moved, not_on_books

D = Decimal
HTML = {"Accept": "text/html"}
ONTO = f"https://id.gs1.org/00/{LABEL}"
PLACES = ("location", "location_posting", "location_now", "put_away", "holding", "act_load", "permit_line")


@pytest_asyncio.fixture
async def zone(center: Central) -> Zone:
    """Loads of 60 and 40 in suspense."""
    made = await Zone.open(center)
    deposit(made, 10, "60", "1")
    deposit(made, 60 * 24, "40", "2")
    await made.tell()
    return made


async def admitted(center: Central, *loads: str | Relabeled, **more: Any) -> str:
    written = await center.admitting.admit(admit(*loads, **more))
    await center.projector.catch_up()
    return written[0].entry_id


async def undo(center: Central, entry_id: str, **more: Any) -> None:
    await center.admitting.undo(UndoAdmission(entry_id, "another paper's", "anna", **more))
    await center.projector.catch_up()


async def refused(center: Central, entry_id: str, **more: Any) -> str:
    before = center.head
    with pytest.raises(Denied) as caught:
        await undo(center, entry_id, **more)
    assert center.head == before
    return str(caught.value)


async def places(center: Central, load: str) -> dict[tuple[str, str], Decimal]:
    """Where a load stands, by status."""
    told = await Locations(center.ledger).load(load)
    return {(row["status"], row["place"]): row["quantity"] for row in told.stands}


async def test_an_admission_that_is_undone_never_was(zone: Zone) -> None:
    center = zone.center
    suspended, on_floor = await stock(center), await floor(center)
    waiting = (await center.waiting.suspense()).items
    entry_id = await admitted(center, key(1))
    assert await stock(center) != suspended and await used(center) == 60
    await moved(zone)
    await undo(center, entry_id)
    assert (await stock(center), await floor(center)) == (suspended, on_floor)
    assert (await center.waiting.suspense()).items == waiting, "the days count from the deposit"
    assert await used(center) == 0
    assert (await center.ledger.differences()).items == []
    told = await moved(zone)
    assert (told[-1].becomes, told[-1].holding.key, told[-1].holding.status) == (
        Status.SUSPENSE, key(1), Status.NPF,
    )  # fmt: skip
    story = await center.ledger.story("214-1/1")
    assert story.made == [] and story.lots[0]["accounts"] == {}
    assert [row["quantity"] for row in story.movements] == [60, -60]
    assert not await not_on_books(center)
    again = await admitted(center, key(1), document="214-2")
    assert await used(center, "214-2") == 60
    await undo(center, again)
    assert await stock(center) == suspended


async def test_both_times_are_kept_and_the_books_made_again_are_the_same(zone: Zone) -> None:
    center = zone.center
    entry_id = await admitted(center, key(1))
    between = datetime.now(UTC)
    await undo(center, entry_id)
    told = {row["lot"]: row["accounts"] for row in (await center.ledger.lots(known_on=between)).items}
    assert told["214-1/1"]["stock"].quantity == 60, "as it was known then"
    assert "214-1/1" not in {row["lot"] for row in (await center.ledger.lots()).items}
    grown = await rows(center, (*BOOKS, *PLACES))
    for pages in ((1, 1), (1000, 10_000)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("central.projector.REBUILD_PAGES", pages)
            await center.projector.rebuild()
        assert await rows(center, (*BOOKS, *PLACES)) == grown


async def test_goods_that_got_a_label_of_their_own_keep_it_and_their_place(zone: Zone) -> None:
    center = zone.center
    await center.storing.declare(Declare("A-1", "anna"))
    await center.storing.declare(Declare("A-2", "anna"))
    await center.storing.put_away(Store((key(2),), "anna", to="A-1"))
    entry_id = await admitted(center, Relabeled(key(2), D(15), LABEL))
    await center.storing.put_away(Store((LABEL,), "anna", to="A-2"))
    await center.projector.catch_up()
    assert await places(center, LABEL) == {("NPF", "A-2"): 15}
    await undo(center, entry_id)
    assert await floor(center) == {(key(1), "SUSPENSE"): 60, (key(2), "SUSPENSE"): 25, (ONTO, "SUSPENSE"): 15}
    assert await places(center, LABEL) == {("SUSPENSE", "A-2"): 15}
    assert await places(center, key(2)) == {("SUSPENSE", "A-1"): 25}
    assert sum((await stock(center)).values()) == 100
    (lot,) = {row["lot"] for row in (await Locations(center.ledger).load(LABEL)).stands}
    assert lot == f"SUSPENSE-{zone.docks[0].ids[-1]}"
    cases = [case.name for case in (await center.people.open_cases()).cases]
    assert not [name for name in cases if name.startswith("not-there:")], "no put-away misses its load"
    grown = await rows(center, (*BOOKS, *PLACES))
    await center.projector.rebuild()
    assert await rows(center, (*BOOKS, *PLACES)) == grown
    await center.admitting.admit(admit(LABEL, key(2)))
    assert (await stock(center))[OWNER, "NPF", "214-1/1"] == 40


async def test_a_cut_that_contains_the_admission_stays_and_the_goods_go_back_after_it(zone: Zone) -> None:
    center = zone.center
    at = START + timedelta(days=3)
    entry_id = await admitted(center, key(1), happened=at)
    await center.cuts.pin(Pin("W23", at + timedelta(hours=1), "anna"))
    await undo(center, entry_id)
    assert (await center.cuts.verify("W23")).equal
    then = {row["lot"]: row["accounts"] for row in (await center.ledger.lots(as_of=at)).items}
    assert then["214-1/1"]["stock"].quantity == 60
    deposits = [f"SUSPENSE-{entry}" for entry in zone.docks[0].ids[-2:]]
    assert await stock(center) == {
        (OWNER, "SUSPENSE", deposits[0]): 60, (OWNER, "SUSPENSE", deposits[1]): 40,
    }  # fmt: skip
    assert await used(center) == 0
    assert {item["lot"]: item["since"] for item in (await center.waiting.suspense()).items} == {
        deposits[0]: START + timedelta(minutes=10), deposits[1]: START + timedelta(days=1),
    }  # fmt: skip
    cases = [case.name for case in (await center.people.open_cases()).cases]
    assert f"in-suspense:{deposits[0]}" in cases, "their days count from the deposit"
    assert (await center.ledger.differences()).items == [] and not await not_on_books(center)
    again = await admitted(center, key(1))
    assert (await stock(center))[OWNER, "SUSPENSE", deposits[1]] == 40, "it is known which load was whose"
    await undo(center, again)


async def test_goods_of_a_pinned_lot_that_others_took_are_not_undone(zone: Zone) -> None:
    center = zone.center
    at = START + timedelta(days=3)
    entry_id = await admitted(center, key(1), happened=at)
    zone.move(60 * 24 * 4, "30", "214-2", load="7")
    zone.move(60 * 24 * 5, "30", "06", out=True, load="7")
    await zone.tell()
    assert (await stock(center))[OWNER, "NPF", "214-1/1"] == 30, "the first in line, whichever was picked"
    await center.cuts.pin(Pin("W23", START + timedelta(days=6), "anna"))
    said = await refused(center, entry_id)
    assert "30 of lot 214-1/1 are in stock" in said and "a pinned cut contains" in said


async def test_in_the_open_period_others_that_were_drawn_for_it_are_drawn_anew(zone: Zone) -> None:
    center = zone.center
    entry_id = await admitted(center, key(1), happened=START + timedelta(days=3))
    zone.move(60 * 24 * 4, "30", "214-2", load="7")
    zone.move(60 * 24 * 5, "30", "06", out=True, load="7")
    await zone.tell()
    assert (await stock(center))[OWNER, "NPF", "214-2/1"] == 30
    await undo(center, entry_id)
    assert {status for _, status, _ in await stock(center)} == {"SUSPENSE"}
    assert (await center.ledger.overdraws()).items == []


Moving = Callable[[Zone], Awaitable[Any]]


async def left(zone: Zone) -> None:
    zone.move(60 * 24 * 9, "60", "06", out=True, load="1")
    await zone.tell()


async def changed(zone: Zone) -> None:
    order = ChangeStatus("PF-1", OWNER, GTINS[0], Status.NPF, Status.PF, D(60), "filed", "anna")
    await zone.center.bookkeeping.change_status(order)


async def accepted(zone: Zone) -> None:
    await zone.center.people.act(lambda _: [of_entry()])
    await zone.center.bookkeeping.accept(Accept("06-60", "accepted", "anna"))


def of_entry() -> Any:
    kind, permit = of("60", "06-60")
    line = replace(permit.lines[0], direction=Direction.OUT)
    return kind, replace(permit, kind="entry", lines=(line,))


async def named(zone: Zone) -> None:
    """Another load of the lot left by the lot's name, and took what this one brought."""
    since = START - timedelta(days=1)
    await zone.center.people.act(
        lambda _: [("election", Election(OWNER, Method.SPECIFIC, since, "page 7", "anna"))]
    )
    zone.move(60 * 24 * 9, "5", "214-1", load="8")
    zone.move(60 * 24 * 9 + 1, "50", "06", out=True, load="8")
    zone.move(60 * 24 * 9 + 2, "90", "214-2", load="9")
    await zone.tell()


async def disputed(zone: Zone) -> None:
    await zone.center.people.dispute(Object(zone.docks[0].ids[-2], "is it?", "anna"))


@pytest.mark.parametrize(
    ("move", "told"),
    [
        (left, "0 of these goods are on it now: they have moved since"),
        (changed, "0 of these goods are on it now: they have moved since"),
        (accepted, "0 of 09521999001058 of Example User are in stock in NPF, not the 60"),
        (named, "15 of lot 214-1/1 are in stock in NPF, not the 60"),
        (disputed, "is disputed"),
    ],
)
async def test_it_is_refused_where_the_goods_have_moved_since(zone: Zone, move: Moving, told: str) -> None:
    center = zone.center
    entry_id = await admitted(center, key(1), happened=START + timedelta(days=3))
    await move(zone)
    await center.projector.catch_up()
    said = await refused(center, entry_id)
    assert told in said


async def test_without_the_looks_goods_that_moved_would_be_overdrawn(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fine(*_: object) -> None: ...

    center = zone.center
    entry_id = await admitted(center, key(1), happened=START + timedelta(days=3))
    await left(zone)
    monkeypatch.setattr(Admitting, "_check_on_loads", fine)
    monkeypatch.setattr(Admitting, "_check_in_stock", fine)
    await undo(center, entry_id)
    assert len((await center.ledger.overdraws()).items) == 1, "the control"


async def test_what_is_no_admission_or_undone_is_refused_in_words(zone: Zone) -> None:
    center = zone.center
    entry_id = await admitted(center, key(1))
    assert "no admission out of suspense 'none' is recorded" in await refused(center, "none")
    deposited = zone.docks[0].ids[-1]
    assert "no admission out of suspense" in await refused(center, deposited)
    early = START + timedelta(days=2)
    assert "were not admitted by then" in await refused(center, entry_id, happened=early)
    await undo(center, entry_id)
    assert "undone already" in await refused(center, entry_id)


async def test_goods_on_no_load_and_of_an_unknown_product_go_back_too(center: Central) -> None:
    zone = await Zone.open(center, docks=1, papers=[PRODUCT, of("100")])
    deposit(zone, 10, "60", "1", owner="", gtin="")
    await zone.tell()
    before = await stock(center), await floor(center)
    entry_id = await admitted(center, key(1), document="214-9")
    await undo(center, entry_id)
    assert (await stock(center), await floor(center)) == before
    assert await used(center, "214-9") == 0
    assert (await center.ledger.differences()).items == []


async def test_it_is_done_on_the_page_of_its_entry(zone: Zone, tmp_path: Path) -> None:
    center = zone.center
    entry_id = await admitted(center, key(1))
    access = Access(tmp_path)
    async with TestClient(TestServer(make_app(center, access))) as client:
        await client.post("/login", data={"token": access.made or ""}, headers=HTML)
        page = await (await client.get(f"/entry/{entry_id}", headers=HTML)).text()
        path = f"/undo-admission?admitted={entry_id}"
        assert path in page
        assert entry_id in await (await client.get(path, headers=HTML)).text()
        said = {"admitted": entry_id, "note": "another paper's", "by": "anna"}
        done = await client.post("/undo-admission", data=said, headers=HTML, allow_redirects=False)
        assert done.status == 303
        undone = await (await client.get(done.headers["Location"], headers=HTML)).text()
        assert "admission-undone" in undone and path not in undone
        twice = await client.post("/undo-admission", data=said, headers=HTML)
        assert twice.status == 409 and "undone already" in await twice.text()
    await center.projector.catch_up()
    assert {status for _, status in await floor(center)} == {"SUSPENSE"}


async def test_a_command_undoes_it(running: Running) -> None:
    at = ("central", "--config", str(running.config))
    code, _, wrong = await running.command(*at, "undo-admission", "none", "--note", "mistake")
    assert code == 1 and "no admission out of suspense 'none' is recorded" in wrong
