# SPDX-License-Identifier: Apache-2.0
"""A location is closed to what would be put there, with what stands there told, and opened again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from central.errors import Denied
from central.location_queries import Locations
from central.looks import _LOOKS
from central.service import Central
from central.storing import CloseLocation, CorrectPutAway, Declare, OpenLocation, Storing
from central.web.access import Access
from central.web.app import make_app
from sync.bodies import read_body
from tests.central.ledger_zone import Zone, rows
from tests.central.running import Running
from tests.central.test_locations import BOOKS, DOOR, PLACES, declare, key, not_there, put, stand, when

HTML = {"Accept": "text/html"}


@pytest_asyncio.fixture
async def zone(center: Central) -> Zone:
    """A load at A-1, and one at its door."""
    made = await Zone.open(center)
    await declare(center, *PLACES)
    made.move(10, "60", "214-1", load="1")
    made.move(11, "40", "214-1", load="2")
    await made.tell()
    await put(center, 20, "A-1", key(1))
    return made


async def close(center: Central, name: str = "A-1", minute: float | None = 60, loads: int = 0) -> None:
    happened = when(minute) if minute is not None else None
    await center.storing.close(CloseLocation(name, "broken rack", "anna", loads, happened))
    await center.projector.catch_up()


async def again(center: Central, name: str = "A-1", minute: float | None = 90) -> None:
    happened = when(minute) if minute is not None else None
    await center.storing.open(OpenLocation(name, "mended", "anna", happened))
    await center.projector.catch_up()


async def refused(act: Any) -> str:
    with pytest.raises(Denied) as caught:
        await act
    return str(caught.value)


async def closed(center: Central, name: str = "A-1", *times: Any) -> Any:
    found = (await Locations(center.ledger).content(name, None, *times)).closed
    return found and found["since"]


async def test_a_closed_location_takes_nothing_from_that_instant_on(zone: Zone) -> None:
    center = zone.center
    await close(center, "A-2")
    before = center.head
    told = await refused(put(center, 60, "A-2", key(2)))
    assert "'A-2' is closed since 2026-06-01 07:00:00 UTC" in told
    assert "is closed since" in await refused(put(center, None, "A-2", key(2)))
    assert center.head == before
    await put(center, 59, "A-2", key(2))  # it was open then; somebody tells it late
    assert await stand(center) == {(key(1), "A-1"): 60, (key(2), "A-2"): 40}
    await again(center, "A-2")
    assert "is closed since" in await refused(put(center, 89, "A-2", key(1)))
    await put(center, 90, "A-2", key(1))
    assert await stand(center) == {(key(1), "A-2"): 60, (key(2), "A-2"): 40}


async def test_without_the_look_a_closed_location_would_take_loads(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def open_(*_: object) -> None: ...

    await close(zone.center, "A-2")
    monkeypatch.setattr(Storing, "_check_open", open_)
    await put(zone.center, 70, "A-2", key(2))
    assert (await stand(zone.center))[key(2), "A-2"] == 40, "the control"


async def test_what_stands_there_is_told_and_asked_for_and_stays(zone: Zone) -> None:
    center = zone.center
    before = center.head
    told = await refused(close(center))
    assert told == f"1 load stands there, and 0 were said to stay: '{key(1)}'" and center.head == before
    assert "1 load stands there, and 2 were said" in await refused(close(center, loads=2))
    await close(center, loads=1)
    assert await stand(center) == {(key(1), "A-1"): 60, (key(2), DOOR): 40}
    async with center.database.session() as connection:
        (entry,) = await center._own.record.own_of_type(connection, "location-closing")
    assert (entry.body.loads, entry.body.closed, entry.body.by) == (1, True, "anna")
    assert read_body(entry.entry) == entry.body
    await put(center, 70, "A-2", key(1))  # out of it goods may go
    assert (await stand(center))[key(1), "A-2"] == 60
    assert await not_there(center) == []


async def test_both_times_of_a_closing_are_kept_and_a_rebuild_says_the_same(zone: Zone) -> None:
    center = zone.center
    early = datetime.now(UTC)
    await close(center, loads=1)
    assert await closed(center) == when(60)
    assert await closed(center, "A-1", when(59)) is None
    assert await closed(center, "A-1", when(60)) == when(60)
    assert await closed(center, "A-1", None, early) is None, "nobody knew of it"
    between = datetime.now(UTC)
    await again(center)
    assert await closed(center) is None
    assert await closed(center, "A-1", when(70)) == when(60)
    assert await closed(center, "A-1", None, between) == when(60)
    await center.storing.declare(Declare("A-2", "anna", "a bay"))
    await close(center, "A-2")
    await center.storing.declare(Declare("A-2", "anna", "another word for it"))
    await center.projector.catch_up()
    assert await closed(center, "A-2") == when(60), "what it is called opens nothing"
    items = {row["name"]: row["closed"] for row in (await Locations(center.ledger).all()).items}
    assert items == {"A-1": False, "A-2": True, "B/7": False, DOOR: False}
    grown = await rows(center, BOOKS)
    await center.projector.rebuild()
    assert await rows(center, BOOKS) == grown


async def test_what_cannot_be_closed_or_opened_is_refused_in_words(zone: Zone) -> None:
    center = zone.center
    before = center.head
    for name in ("C-1", DOOR, "", "A\x00"):
        assert "is declared" in await refused(close(center, name))
    assert "is not closed" in await refused(again(center))
    assert "was put there at 2026-06-01 06:20:00 UTC" in await refused(close(center, minute=20, loads=1))
    later = datetime.now(UTC) + timedelta(days=1)
    order = CloseLocation("A-2", "broken", "anna", 0, later)
    assert "has not come" in await refused(center.storing.close(order))
    assert center.head == before
    await close(center, "A-2")
    assert "is closed since" in await refused(close(center, "A-2", 70))
    assert "it was closed at 2026-06-01 07:00:00 UTC, after that" in await refused(again(center, "A-2", 50))
    (put_away,) = await center.bookkeeping.own_of_type("put-away")
    wrong = CorrectPutAway(put_away.entry.entry_id, "wrong", "anna", to="A-2")
    await center.storing.correct(wrong)  # it was open then
    await again(center, "A-2", 80)
    await center.projector.catch_up()


async def test_it_is_closed_and_opened_on_its_page(zone: Zone, tmp_path: Path) -> None:
    access = Access(tmp_path)
    async with TestClient(TestServer(make_app(zone.center, access))) as client:
        await client.post("/login", data={"token": access.made or ""}, headers=HTML)

        async def page(path: str) -> str:
            await zone.center.projector.catch_up()
            return await (await client.get(path, headers=HTML)).text()

        assert "/close-location?name=A-1" in await page("/locations/A-1")
        assert "/close-location" not in await page(f"/locations/{DOOR}")
        said = {"name": "A-1", "staying": "", "happened": "", "note": "broken", "by": "anna"}
        none = await client.post("/close-location", data=said, headers=HTML)
        assert none.status == 409 and "1 load stands there" in await none.text()
        one = await client.post(
            "/close-location", data={**said, "staying": "1"}, headers=HTML, allow_redirects=False
        )
        assert one.status == 303
        shown = await page("/locations/A-1")
        assert "Closed</b> since" in shown and "/open-location?name=A-1" in shown
        assert '<b class="case">closed</b>' in await page("/locations")
        answer = await (await client.get("/api/v1/locations/A-1")).json()
        assert next(iter(_LOOKS["location"].tell(answer))).startswith("CLOSED since")
        answer = await (await client.get("/api/v1/locations")).json()
        assert "A-1  1 load  CLOSED" in "\n".join(_LOOKS["locations"].tell(answer))
        opened = {name: text for name, text in said.items() if name != "staying"}
        done = await client.post("/open-location", data=opened, headers=HTML, allow_redirects=False)
        assert done.status == 303 and "/close-location?name=A-1" in await page("/locations/A-1")


async def test_commands_close_and_open_it(running: Running) -> None:
    at = ("central", "--config", str(running.config))
    await running.command(*at, "declare-location", "A-1")
    code, said, _ = await running.command(*at, "close-location", "A-1", "--note", "broken")
    assert code == 0 and "location-closing is entry" in said
    code, _, wrong = await running.command(*at, "close-location", "A-1", "--note", "broken")
    assert code == 1 and "is closed since" in wrong
    code, said, _ = await running.command(*at, "open-location", "A-1", "--note", "mended")
    assert code == 0 and "location-closing is entry" in said
