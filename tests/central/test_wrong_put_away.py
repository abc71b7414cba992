# SPDX-License-Identifier: Apache-2.0
"""A put-away that was wrong is put right at its own instant, and what was known before stays known."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from central.errors import Denied
from central.location_queries import Locations
from central.service import Central
from central.storing import CorrectPutAway, Store
from central.web.access import Access
from central.web.app import make_app
from tests.central.ledger_zone import Zone, rows
from tests.central.running import Running
from tests.central.test_locations import BOOKS, DOOR, PLACES, declare, key, not_there, stand, when

D = Decimal
HTML = {"Accept": "text/html"}


@pytest_asyncio.fixture
async def zone(center: Central) -> Zone:
    """Loads of 60 and 40 at their door."""
    made = await Zone.open(center)
    await declare(center, *PLACES)
    made.move(10, "60", "214-1", load="1")
    made.move(11, "40", "214-1", load="2")
    await made.tell()
    return made


async def put(center: Central, minute: float, to: str, *loads: str, **more: Any) -> str:
    written = await center.storing.put_away(Store(loads, "anna", to, happened=when(minute), **more))
    await center.projector.catch_up()
    return written[0].entry_id


async def correct(center: Central, entry_id: str, **more: Any) -> str:
    order = CorrectPutAway(entry_id, "it was the next bay", "anna", **more)
    written = await center.storing.correct(order)
    await center.projector.catch_up()
    return written[0].entry_id


async def refused(center: Central, entry_id: str, **more: Any) -> str:
    before = center.head
    with pytest.raises(Denied) as caught:
        await correct(center, entry_id, **more)
    assert center.head == before
    return str(caught.value)


async def at(center: Central, load: str, *times: Any) -> dict[str, Decimal]:
    told = await Locations(center.ledger).load(load, None, *times)
    return {row["place"]: row["quantity"] for row in told.stands}


async def test_loads_stand_where_they_were_put_from_that_instant_on_and_both_times_are_kept(
    zone: Zone,
) -> None:
    center = zone.center
    entry_id = await put(center, 20, "A-1", key(1), key(2))
    await put(center, 40, "B/7", key(2))
    between = datetime.now(UTC)
    await correct(center, entry_id, to="A-2")
    assert await stand(center) == {(key(1), "A-2"): 60, (key(2), "B/7"): 40}, "where it was put since stays"
    assert await at(center, key(1), when(25)) == {"A-2": 60}
    assert await at(center, key(2), when(25)) == {"A-2": 40}
    assert await at(center, key(1), when(15)) == {DOOR: 60}
    assert await at(center, key(1), when(25), between) == {"A-1": 60}, "as it was known then"
    assert await at(center, key(2), None, between) == {"B/7": 40}
    (lot,) = (await center.ledger.lots(location="A-2")).items
    assert lot["places"] == {"A-2": 60, "B/7": 40}
    assert (await center.ledger.lots(location="A-1")).items == []
    assert await not_there(center) == []
    grown = await rows(center, BOOKS)
    for pages in ((1, 1), (1000, 10_000)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("central.projector.REBUILD_PAGES", pages)
            await center.projector.rebuild()
        assert await rows(center, BOOKS) == grown


async def test_what_was_never_put_away_stands_where_it_did_and_leaves_from_there(zone: Zone) -> None:
    center = zone.center
    entry_id = await put(center, 20, "A-1", key(1), key(2))
    zone.move(60, "60", "06", out=True, load="1")
    await zone.tell()
    await correct(center, entry_id, load=key(1))
    assert await stand(center) == {(key(2), "A-1"): 40}
    moves = (await Locations(center.ledger).load(key(1))).moves
    sums: dict[tuple[str, str], Decimal] = {}
    for row in moves:
        way = (row["place_from"], row["place_to"])
        sums[way] = sums.get(way, D(0)) + row["quantity"]
    assert {way: quantity for way, quantity in sums.items() if quantity} == {
        ("~outside", DOOR): 60, (DOOR, "~outside"): 60,
    }  # fmt: skip


async def test_one_load_of_a_list_a_part_and_a_correction_are_corrected(zone: Zone) -> None:
    center = zone.center
    entry_id = await put(center, 20, "A-1", key(1), key(2))
    second = await correct(center, entry_id, load=key(2), to="A-2")
    assert await stand(center) == {(key(1), "A-1"): 60, (key(2), "A-2"): 40}
    assert "told nothing of" in await refused(center, entry_id, load=key(2), to="B/7")
    third = await correct(center, second, to="B/7", quantity=D(15))
    assert await stand(center) == {(key(1), "A-1"): 60, (key(2), DOOR): 25, (key(2), "B/7"): 15}
    await correct(center, third)
    await correct(center, entry_id)
    assert await stand(center) == {(key(1), DOOR): 60, (key(2), DOOR): 40}
    for gone in (entry_id, second, third):
        assert "nothing stands as" in await refused(center, gone, to="A-1")


async def test_a_slip_of_the_scanner_is_a_case_until_it_is_corrected(zone: Zone) -> None:
    center = zone.center
    slip = f"https://id.gs1.org/00/{'095219990000000020'}"
    entry_id = await put(center, 20, "A-1", slip)
    assert len(await not_there(center)) == 1, "the control"
    await correct(center, entry_id)
    assert await not_there(center) == []
    async with center.database.session() as connection:
        assert await connection.fetchval("SELECT count(*) FROM put_away") == 0


async def test_a_correction_that_would_not_take_the_first_back_is_found(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    center = zone.center
    entry_id = await put(center, 20, "A-1", key(1))
    monkeypatch.setattr("central.ledger_facts.unstood", lambda _: [])
    await correct(center, entry_id)
    assert await stand(center) != {(key(1), DOOR): 60, (key(2), DOOR): 40}, "the control"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"to": "A-1"}, "this is what was told"),
        ({"to": "C-1"}, "no location 'C-1' is declared"),
        ({"load": "none", "to": "A-2"}, "told nothing of"),
        ({"load": key(3), "to": "A-2"}, "told nothing of"),
        ({"to": "A-2", "quantity": D(5)}, "of one load, and of a place"),
        ({"load": key(1), "quantity": D(5)}, "of one load, and of a place"),
        ({"load": key(1), "to": "A-2", "quantity": D(0)}, "is no count of goods"),
    ],
)
async def test_what_corrects_nothing_is_refused_in_words(zone: Zone, said: Any, told: str) -> None:
    center = zone.center
    zone.move(12, "5", "214-1", load="3")
    await zone.tell()
    entry_id = await put(center, 20, "A-1", key(1), key(2))
    assert told in await refused(center, entry_id, **said)
    assert "is no entry's id" in await refused(center, "none", to="A-2")
    assert "nothing stands as" in await refused(center, zone.docks[0].ids[-1], to="A-2")


async def test_it_is_corrected_on_the_page_of_its_entry(zone: Zone, tmp_path: Path) -> None:
    center = zone.center
    entry_id = await put(center, 20, "A-1", key(1))
    access = Access(tmp_path)
    async with TestClient(TestServer(make_app(center, access))) as client:
        await client.post("/login", data={"token": access.made or ""}, headers=HTML)
        page = await (await client.get(f"/entry/{entry_id}", headers=HTML)).text()
        path = f"/correct-put-away?put_away={entry_id}"
        assert path in page
        assert entry_id in await (await client.get(path, headers=HTML)).text()
        said = {"put_away": entry_id, "load": "", "to": "A-2", "quantity": "", "note": "n", "by": "anna"}
        done = await client.post("/correct-put-away", data=said, headers=HTML, allow_redirects=False)
        assert done.status == 303
        corrected = await (await client.get(done.headers["Location"], headers=HTML)).text()
        assert "put-away-corrected" in corrected and "/correct-put-away?put_away=" in corrected
    assert await stand(center) == {(key(1), "A-2"): 60, (key(2), DOOR): 40}


async def test_a_command_corrects_it(running: Running) -> None:
    at_ = ("central", "--config", str(running.config))
    words = ("correct-put-away", "none", "--to", "A-2", "--note", "mistake")
    code, _, wrong = await running.command(*at_, *words)
    assert code == 1 and "'none' is no entry's id" in wrong
