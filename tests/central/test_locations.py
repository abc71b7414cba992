# SPDX-License-Identifier: Apache-2.0
"""Where loads stand in the center's books: what acts and doors post, whatever is told when, and what is told
of it. Floors and sums are the test's own, from the entries' bytes.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from random import Random
from typing import Any

import pytest
import pytest_asyncio

from central.bookkeeping import ChangeStatus
from central.errors import Denied
from central.floor import Relabeled
from central.location_queries import Locations
from central.people import Settle
from central.service import Central
from central.storing import Declare, Store
from customs.documents import Status
from customs.imports import Refused, Upload
from customs.ledger.elections import Method
from sync.ledger_bodies import Election, LocationClosing, NotPut, PutAway, PutAwayCorrected, StoredLoad
from tests.central.ledger_zone import GTINS, OTHER, OWNER, START, Zone, history, rows
from tests.central.running import Running
from tests.central.test_ledger_books import acts

D = Decimal
BOOKS = ("location", "location_posting", "location_now", "put_away", "location_closing")
PLACES = ("A-1", "A-2", "B/7")
DOOR = "dock-1/dock-1-in"
LABEL = "095219990000000020"
EAST = timezone(timedelta(hours=14))


def key(load: int) -> str:
    return f"/00/{load:018d}"


def when(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


async def declare(center: Central, *names: str) -> None:
    for name in names:
        await center.storing.declare(Declare(name, "anna"))


async def put(center: Central, minute: float | None, to: str, *loads: str, **more: Any) -> None:
    happened = when(minute) if minute is not None else None
    await center.storing.put_away(Store(loads, "anna", to, happened=happened, **more))
    await center.projector.catch_up()


async def stand(center: Central) -> dict[tuple[str, str], Decimal]:
    """What stands where now, by load and place."""
    await center.projector.catch_up()
    async with center.database.session() as connection:
        found = await connection.fetch("SELECT load, place, quantity FROM location_now")
    sums: dict[tuple[str, str], Decimal] = defaultdict(D)
    for row in found:
        sums[row["load"], row["place"]] += row["quantity"]
    return dict(sums)


async def not_there(center: Central) -> list[Any]:
    await center.projector.catch_up()
    found = (await center.people.open_cases()).cases
    return [case for case in found if case.name.startswith("not-there:")]


@pytest_asyncio.fixture
async def zone(center: Central) -> Zone:
    made = await Zone.open(center)
    await declare(center, *PLACES)
    return made


async def test_a_load_stands_at_its_door_until_it_is_put_away_and_leaves_from_there(zone: Zone) -> None:
    center = zone.center
    zone.move(10, "40", "214-1")
    await zone.tell()
    assert await stand(center) == {(key(1), DOOR): 40}
    await put(center, 20, "A-1", key(1))
    assert await stand(center) == {(key(1), "A-1"): 40}
    zone.move(30, "15", "06", out=True, dock=1)
    await zone.tell()
    assert await stand(center) == {(key(1), "A-1"): 25}
    async with center.database.session() as connection:
        moved = await connection.fetch(
            "SELECT place_from, place_to, quantity, owner, lot FROM location_posting ORDER BY happened"
        )
    assert [tuple(row) for row in moved] == [
        ("~outside", DOOR, 40, OWNER, "214-1/1"),
        (DOOR, "A-1", 40, OWNER, "214-1/1"),
        ("A-1", "~outside", 15, OWNER, "214-1/1"),
    ]


async def test_several_loads_are_put_away_by_one_scanned_list(zone: Zone) -> None:
    center = zone.center
    for load in range(1, 5):
        zone.move(load, "10", "214-1", load=str(load))
    await zone.tell()
    await put(center, 20, "", "A-1", key(1), f" {key(2)}\r\n", "", "B/7", key(3), "dock-2/dock-2-in", key(4))
    assert await stand(center) == {
        (key(1), "A-1"): 10, (key(2), "A-1"): 10, (key(3), "B/7"): 10, (key(4), "dock-2/dock-2-in"): 10,
    }  # fmt: skip
    async with center.database.session() as connection:
        assert await connection.fetchval("SELECT count(*) FROM entry WHERE type = 'put-away'") == 1


async def test_a_label_is_taken_as_a_scanner_reads_it_before_any_dock_has_told_of_it(zone: Zone) -> None:
    center = zone.center
    await put(center, 20, "A-1", f"]C100{LABEL}")
    (case,) = await not_there(center)
    assert f"load https://id.gs1.org/00/{LABEL} was put away at A-1 at 2026-06-01 06:20:00 UTC" in case.what
    assert case.what.endswith("the books know of no such load.")


async def test_a_move_that_is_told_before_its_admission_is_a_case_until_that_is_known(zone: Zone) -> None:
    center = zone.center
    zone.move(10, "40", "214-1")
    await put(center, 20, "A-1", f"]C100{LABEL}")
    assert len(await not_there(center)) == 1
    await center.people.act(lambda _: [("put-away", PutAway((StoredLoad(key(1), "A-2"),), when(25), "anna"))])
    assert len(await not_there(center)) == 2
    assert await stand(center) == {}
    await zone.tell()
    assert await stand(center) == {(key(1), "A-2"): 40}
    (case,) = await not_there(center)
    await center.people.settle(Settle(case.name, "anna", "a label from last year"))
    assert await not_there(center) == []


async def test_a_load_that_has_left_or_came_by_a_wrong_clock_is_told_with_its_times(zone: Zone) -> None:
    center = zone.center
    zone.move(10, "40", "214-1", load="1")
    zone.move(15, "40", "06", load="1", out=True)
    zone.move(60, "7", "214-1", load="2")
    zone.move(5, "9", "214-1", load="3")
    await zone.tell()
    await put(center, 20, "A-1", key(1), key(2))
    await put(center, 20, "A-1", key(3), source="A-2")
    await put(center, 21, "A-1", key(3), quantity=D(11))
    assert sorted(case.what.partition("; ")[2] for case in await not_there(center)) == [
        "by the books it came only at 2026-06-01 07:00:00 UTC.",
        "it had left at 2026-06-01 06:15:00 UTC.",
        "it was not at A-2.",
        "only 9 of it were there.",
    ]
    assert await stand(center) == {(key(2), DOOR): 7, (key(3), "A-1"): 9}


async def test_a_correction_at_a_dock_brings_goods_back_to_where_they_stood(zone: Zone) -> None:
    center = zone.center
    zone.move(10, "40", "214-1")
    await zone.tell()
    await put(center, 20, "A-1", key(1))
    out = zone.move(30, "40", "06", out=True)
    await zone.tell()
    assert await stand(center) == {}
    zone.correct(out, 35, out=True)
    await zone.tell()
    assert await stand(center) == {(key(1), "A-1"): 40}


async def test_goods_keep_their_place_with_another_status_and_on_another_label(zone: Zone) -> None:
    center = zone.center
    zone.move(10, "60", "214-1", load="1")
    zone.move(11, "40", "214-1", load="2")
    await zone.tell()
    await put(center, 20, "B/7", key(1), key(2))
    tools = (OWNER, GTINS[0], Status.NPF, Status.PF)
    whole, part = (Relabeled(key(2)),), (Relabeled(key(1), D(15), LABEL),)
    await center.bookkeeping.change_status(ChangeStatus("PF-1", *tools, D(40), "n", "anna", loads=whole))
    await center.bookkeeping.change_status(ChangeStatus("PF-2", *tools, D(15), "n", "anna", loads=part))
    onto = f"https://id.gs1.org/00/{LABEL}"
    assert await stand(center) == {(key(1), "B/7"): 45, (key(2), "B/7"): 40, (onto, "B/7"): 15}
    async with center.database.session() as connection:
        lots = await connection.fetch("SELECT load, status, lot FROM location_now")
    assert {tuple(row) for row in lots} == {
        (key(1), "NPF", "214-1/1"), (key(2), "PF", "PF-1/1"), (onto, "PF", "PF-2/1"),
    }  # fmt: skip


# -- what is told of it ----------------------------------------------------------------------------


async def places(center: Central, **asked: Any) -> dict[str, dict[str, Decimal]]:
    """Where goods of lots stand, by lot and place."""
    found = await center.ledger.lots(**asked)
    return {row["lot"]: row["places"] for row in found.items}


async def test_under_fifo_the_picked_lot_has_the_place_and_the_attributed_one_does_not(zone: Zone) -> None:
    center = zone.center
    zone.move(10, "40", "214-1", load="1")
    zone.move(20, "40", "214-2", load="2")
    await zone.tell()
    await put(center, 30, "A-1", key(1), "A-2", key(2))
    zone.move(40, "40", "06", load="2", out=True)
    await zone.tell()
    # The books took the older lot; the pallet of the younger one has gone.
    assert {row["lot"] for row in (await center.ledger.lots()).items} == {"214-2/1"}
    assert await places(center) == {"214-2/1": {}}
    assert await places(center, location="A-1") == {"214-1/1": {"A-1": 40}}
    assert await places(center, location="A-2") == {}


async def test_under_a_specific_election_the_lots_place_is_its_own(zone: Zone) -> None:
    center = zone.center
    elected = Election(OWNER, Method.SPECIFIC, START, "the manual, page 7", "anna")
    await center.people.act(lambda _: [("election", elected)])
    zone.move(10, "40", "214-1", load="1")
    zone.move(20, "40", "214-2", load="2")
    await zone.tell()
    await put(center, 30, "A-1", key(1), "A-2", key(2))
    zone.move(40, "40", "06", load="2", out=True)
    await zone.tell()
    assert await places(center) == {"214-1/1": {"A-1": 40}}


async def test_lots_locations_and_loads_are_told_at_any_two_times(zone: Zone) -> None:
    center, locations = zone.center, Locations(zone.center.ledger)
    zone.move(10, "40", "214-1", load="1")
    await zone.tell()
    first = await at_last(center)
    await put(center, 30, "A-1", key(1))
    second = await at_last(center)
    zone.move(20, "15", "06", load="1", out=True, dock=1)  # told last, happened before
    await zone.tell()
    expected = {
        (None, None): {"A-1": 25},
        (when(9), None): {},
        (when(15), None): {DOOR: 40},
        (when(25), None): {DOOR: 25},
        (when(25), second): {DOOR: 40},
        (None, first): {DOOR: 40},
        (None, second): {"A-1": 40},
    }
    for (as_of, known_on), there in expected.items():
        times: dict[str, Any] = {"as_of": as_of, "known_on": known_on}
        told = await locations.load(key(1), **times)
        assert {row["place"]: row["quantity"] for row in told.stands} == there, times
        for place in (DOOR, "A-1"):
            stood = {row["load"]: row["quantity"] for row in (await locations.content(place, **times)).items}
            assert stood == ({key(1): there[place]} if place in there else {}), times
            assert await places(center, location=place, **times) == (
                {"214-1/1": there} if place in there else {}
            )
        # A lot of years had many places: at times gone by they are told of a location that is asked for.
        found = await places(center, **times)
        assert found.get("214-1/1") == (there if times == {"as_of": None, "known_on": None} else None), times
    moves = (await locations.load(key(1))).moves
    assert [(row["place_from"], row["place_to"], row["quantity"]) for row in moves] == [
        ("~outside", DOOR, 40), (DOOR, "~outside", 15), (DOOR, "A-1", 40), (DOOR, "A-1", -15),
    ]  # fmt: skip
    story = await center.ledger.story("214-1/1")
    assert [row["places"] for row in story.movements] == [[DOOR], [DOOR]]
    assert [(row["load"], row["place_to"], row["quantity"]) for row in story.puts] == [(key(1), "A-1", 25)]
    assert story.lots[0]["places"] == {"A-1": 25}


async def at_last(center: Central) -> datetime:
    """The instant up to which everything is known by now."""
    async with center.database.session() as connection:
        at: datetime = await connection.fetchval("SELECT max(at) FROM ledger_known")
    return at


async def test_lists_go_on_where_their_page_ended(zone: Zone) -> None:
    center, locations = zone.center, Locations(zone.center.ledger)
    for n in range(60):
        zone.move(n, "1", "214-1", load=str(100 + n))
    for n in range(60):
        await declare(center, f"C-{n:03d}")
    await zone.tell()
    await put(center, 70, "A-1", *(key(100 + n) for n in range(60)))
    for n in range(55):
        await put(center, 80 + n, PLACES[n % 2], key(100))
    listed = await locations.all()
    rest = await locations.all(listed.next)
    assert len(listed.items + rest.items) == 63
    assert {row["name"]: row["loads"] for row in listed.items + rest.items if row["loads"]} == {"A-1": 60}
    for as_of in (None, when(75)):
        content = await locations.content("A-1", as_of=as_of)
        more = await locations.content("A-1", content.next, as_of)
        assert (len(content.items), len(more.items), more.next) == (50, 10, None)
        assert len({row["load"] for row in content.items + more.items}) == 60
    load = await locations.load(key(100))
    later = await locations.load(key(100), load.next)
    assert (len(load.moves), later.next) == (50, None)
    happened = [row["happened"] for row in load.moves + later.moves]
    assert happened == sorted(happened)


async def test_a_location_and_a_load_are_found_and_unknown_ones_are_refused(zone: Zone) -> None:
    center, locations = zone.center, Locations(zone.center.ledger)
    await center.storing.put_away(Store((LABEL,), "anna", "B/7"))
    await center.projector.catch_up()
    assert [(row["kind"], row["ref"]) for row in (await center.ledger.search("b/")).items] == [
        ("location", "B/7")
    ]
    told = await locations.load(LABEL)
    assert (told.load, told.stands, len(told.absent)) == (f"https://id.gs1.org/00/{LABEL}", [], 1)
    for name in ("Z-9", "", "x" * 82, "a\x00"):
        with pytest.raises(Denied):
            await locations.content(name)
    for name in ("Z-9", "", "x" * 5000, "a\x00"):
        with pytest.raises(Denied):
            await locations.load(name)


async def test_places_by_command(running: Running) -> None:
    config = ("--config", str(running.config))
    for name in ("A-1", "B/7"):
        said = await running.command("central", *config, "declare-location", name, "--description", "aisle")
        assert said[0] == 0, said
    refused = await running.command("central", *config, "declare-location", "=1+1")
    assert (refused[0], "cannot be a location's name" in refused[2]) == (1, True)
    scanned = running.config.parent / "scanned.txt"
    scanned.write_text(f"B/7\n{LABEL}\n")
    said = await running.command(
        "central", *config, "put-away", "--list", str(scanned), "--note", "night shift"
    )
    assert said[0] == 0, said
    refused = await running.command("central", *config, "put-away", "A-1", "095219990000000021")
    assert (refused[0], "its check digit would be 0" in refused[2]) == (1, True)
    told = await running.command("central", *config, "locations")
    assert told[1].splitlines() == ["A-1  no loads  aisle", "B/7  no loads  aisle"]
    told = await running.command("central", *config, "load", LABEL)
    assert "put away at B/7 and NOT THERE" in told[1]
    told = await running.command("central", *config, "location", "B/7")
    assert told[1] == "nothing stood there then\n"
    assert (await running.command("central", *config, "lots", "--location", "B/7"))[0] == 0


# -- any order, any batches ------------------------------------------------------------------------


def wrong(random: Random, entry_id: str, body: PutAway) -> tuple[str, PutAwayCorrected]:
    """Of what a put-away told some never was, and some was otherwise."""
    some = sorted(random.sample(range(len(body.loads)), 5))
    instead = tuple(StoredLoad(body.loads[n].load, random.choice(PLACES)) for n in some[:3])
    undone = tuple(NotPut(n, body.loads[n].load) for n in some)
    return "put-away-corrected", PutAwayCorrected(entry_id, body.happened, undone, instead, "anna", "wrong")


def closing(part: int, at: datetime) -> tuple[str, LocationClosing]:
    """Places are closed and opened, whatever was put there."""
    return "location-closing", LocationClosing(PLACES[part % 2], part % 3 != 2, at, "anna", "broken")


async def live(center: Central, seed: int) -> Zone:
    """A history of two docks with wrong clocks, told in bits, with loads put away meanwhile, some of them
    wrongly.
    """
    random = Random(seed)
    zone = await Zone.open(center)
    told: list[tuple[str, PutAway]] = []
    for part in range(5):
        history(zone, random, 24)
        loads = tuple(
            StoredLoad(
                key(random.randint(1, 30)),
                random.choice(PLACES),
                random.choice((None, None, D(5))),
                random.choice((None, None, None, "A-1")),
            )
            for _ in range(8)
        )
        at = when(random.randint(0, 1500))
        drafts: list[Any] = [("put-away", PutAway(loads, at, "anna"))]
        drafts += acts(200.0 * part) if part in (1, 3) else []
        drafts += [wrong(random, *told.pop(random.randrange(len(told))))] if part in (2, 4) else []
        drafts += [closing(part, at)]
        written = await center.people.act(lambda _, drafts=drafts: drafts)  # type: ignore[misc]
        told.append((written[0].entry_id, drafts[0][1]))
        await zone.tell(*random.sample((0, 1), k=random.choice((1, 2))), fold=random.random() < 0.6)
    await zone.tell()
    return zone


async def floor(center: Central, as_of: datetime, place: int, seq: int) -> dict[tuple[str, ...], Decimal]:
    """What is on the floor by the entries' bytes alone: by load, owner, product and status."""
    async with center.database.session() as connection:
        found = await connection.fetch(
            "SELECT e.node, e.epoch, e.seq, e.type, e.record, h.place FROM entry e "
            "JOIN log_head h USING (tenant, zone, node, epoch) ORDER BY h.place, e.seq"
        )
    told = [{**row, "said": json.loads(row["record"], parse_float=Decimal)} for row in found]
    seen: dict[tuple[str, str], int] = {}
    for row in told:
        if row["type"] == "center-saw" and (row["place"], row["seq"]) <= (place, seq):
            body = row["said"]["body"]
            seen[body["node"], body["epoch"]] = body["upto"]["seq"]
    moved: dict[str, tuple[datetime, tuple[str, ...], Decimal]] = {}
    gone = set()
    for row in told:
        if row["seq"] > seen.get((row["node"], row["epoch"]), 0) or row["node"] == "center":
            continue
        said = row["said"]
        body = said["body"]
        if row["type"] in ("admission", "withdrawal"):
            load = body["load"]
            what = (load["key"], body["owner"], load["gtin"], body["status"])
            sign = 1 if row["type"] == "admission" else -1
            at = datetime.fromisoformat(said["occurred_at"])
            moved[said["entry_id"]] = at, what, sign * D(body["quantity"])
        elif row["type"] == "correction":
            gone.add(body["corrects"])
    sums: dict[tuple[str, ...], Decimal] = defaultdict(D)
    for entry_id, (at, whose, quantity) in moved.items():
        if entry_id not in gone and at <= as_of:
            sums[whose] += quantity
    return {what: quantity for what, quantity in sums.items() if quantity}


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 7))])
async def test_over_all_places_goods_sum_to_the_floor_at_any_two_times(center: Central, seed: int) -> None:
    await live(center, seed)
    random = Random(seed)
    async with center.database.session() as connection:
        postings = [dict(row) for row in await connection.fetch("SELECT * FROM location_posting")]
        knowns = [tuple(row) for row in await connection.fetch("SELECT place, seq FROM ledger_known")]
    assert any(row["quantity"] < 0 for row in postings), "nothing was told late"
    for _ in range(8):
        as_of, known = random.choice(postings)["happened"], random.choice(knowns)
        sums: dict[tuple[str, ...], Decimal] = defaultdict(D)
        places: dict[tuple[str, ...], Decimal] = defaultdict(D)
        for row in postings:
            if row["happened"] > as_of or (row["known_place"], row["known_seq"]) > known:
                continue
            what = (row["load"], row["owner"], row["product"], row["status"])
            for place, sign in ((row["place_from"], -1), (row["place_to"], 1)):
                if place != "~outside":
                    sums[what] += sign * row["quantity"]
                    places[*what, row["lot"], place] += sign * row["quantity"]
        assert {what: each for what, each in sums.items() if each} == await floor(center, as_of, *known)
        assert {place for *_, place in (what for what, each in places.items() if each < 0)} <= {"~missing"}


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 7))])
async def test_any_batches_and_a_rebuild_give_the_same_places(
    center: Central, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await declare(center, *PLACES)
    await live(center, seed)
    grown = await rows(center, BOOKS)
    assert all(grown.values())
    for pages in ((1, 1), (3, 40), (1000, 10_000)):
        monkeypatch.setattr("central.projector.REBUILD_PAGES", pages)
        await center.projector.rebuild()
        assert await rows(center, BOOKS) == grown, pages


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["", " A", "A 1", "~outside", "-A", "A" * 41, "A\n", "A\x00", "=1+1", "<b>", "Ä-1", "../etc"]
)
async def test_hostile_names_are_refused_and_nothing_is_written(center: Central, name: str) -> None:
    with pytest.raises(Denied, match="cannot be a location's name"):
        await center.storing.declare(Declare(name, "anna"))
    table = json.dumps({"table": "location", "rows": [{"location": name}]}).encode()
    assert isinstance(await center.import_files([Upload("places.json", table)], "anna"), Refused)
    await center.projector.catch_up()
    assert (await rows(center, ("location",)))["location"] == []


@pytest.mark.parametrize(
    ("scanned", "said", "match"),
    [
        ([key(1)], {"to": "C-9"}, "no location 'C-9' is declared"),
        ([key(1)], {}, "no place is named before"),
        ([key(1)], {"to": "A-1", "source": "C-9"}, "no location 'C-9' is declared"),
        (["A-1"], {}, "no load is named"),
        ([key(1), key(1)], {"to": "A-1"}, "is named twice"),
        (["C-9", key(1)], {"to": "A-1"}, "neither a location of the zone nor a load"),
        (["=cmd()"], {"to": "A-1"}, "neither a location of the zone nor a load"),
        (["(00)095219990000000021"], {"to": "A-1"}, "neither a location of the zone nor a load"),
        (["095219990000000021"], {"to": "A-1"}, "its check digit would be 0"),
        (["a\x00b"], {"to": "A-1"}, "is no label"),
        ([key(1), key(2)], {"to": "A-1", "quantity": D(3)}, "a part is meant, and 2 loads"),
        ([key(1)], {"to": "A-1", "quantity": D(-3)}, "no count of goods"),
        ([key(1)], {"to": "A-1", "quantity": D("NaN")}, "no count of goods"),
        ([key(1)], {"to": "A-1", "quantity": D("1e999")}, "no count of goods"),
        ([key(1)], {"to": "A-1", "happened": datetime(2999, 1, 1, tzinfo=UTC)}, "has not come"),
        ([key(1)], {"to": "A-1", "happened": datetime(1, 1, 1, tzinfo=EAST)}, "is no time of the books"),
    ],
)
async def test_what_cannot_be_a_put_away_is_refused_and_nothing_is_written(
    zone: Zone, scanned: list[str], said: dict[str, Any], match: str
) -> None:
    zone.move(1, "10", "214-1", load="1")
    zone.move(2, "10", "215-1", load="2", owner=OTHER, product=GTINS[1])
    await zone.tell()
    with pytest.raises(Denied, match=match):
        await zone.center.storing.put_away(Store(tuple(scanned), "anna", **said))
    await zone.center.projector.catch_up()
    assert (await rows(zone.center, ("put_away",)))["put_away"] == []


async def test_locations_are_imported_and_declared_anew(center: Central) -> None:
    table = b"location,description\nA-1,first aisle\nB/7,\n"
    assert not isinstance(await center.import_files([Upload("places.csv", table)], "anna"), Refused)
    await center.storing.declare(Declare("A-1", "anna", "aisle one"))
    await center.projector.catch_up()
    async with center.database.session() as connection:
        found = await connection.fetch("SELECT name, description FROM location ORDER BY name")
    assert [tuple(row) for row in found] == [("A-1", "aisle one"), ("B/7", "")]
