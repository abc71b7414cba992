# SPDX-License-Identifier: Apache-2.0
"""Work orders at a real center: its floor, its ledger, its papers, its docks, its commands."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from msgspec import structs

from central.bookkeeping import Accept, ChangeStatus
from central.contents import Contents, MadeLot
from central.errors import Denied
from central.ledger_queries import Ledger
from central.restraining import PutHold, Suspend
from central.service import Central
from central.works import Works
from customs.documents import Status
from customs.imports import Upload
from customs.works.events import CloseOrder, MadeSaid, Plan, Report, ScrapSaid, Start, Take
from sync.bodies import LoadFacts, Use, read_body
from sync.entry import read_record
from tests.central.conftest import Opener
from tests.central.dock import Dock
from tests.central.running import Running, Wire
from tests.central.test_web import validator

OWNER = "Example Motors"
MOTOR, PUMP, SCRAP = "09521999001010", "09521999001041", "09521999001089"
PALLET, MADE, BIN = "095219990000000013", "095219990000000020", "095219990000000037"
TODAY = datetime.now(UTC).date()

PRODUCTS = {
    "products": [{"gtin": gtin, "name": name} for gtin, name in ((MOTOR, "M"), (PUMP, "P"), (SCRAP, "S"))],
    "permits": [
        {
            "number": "A214",
            "kind": "admission",
            "owner": OWNER,
            "valid_from": "2026-01-01",
            "valid_to": "2036-12-31",
            "lines": [
                {
                    "line": "1",
                    "product": MOTOR,
                    "status": "NPF",
                    "quantity": "1000",
                    "unit": "EA",
                    "direction": "in",
                }
            ],
        },
        {
            "number": "W24",
            "kind": "entry",
            "owner": OWNER,
            "valid_from": "2026-01-01",
            "valid_to": "2036-12-31",
            "lines": [
                {
                    "line": "1",
                    "product": MOTOR,
                    "status": "NPF",
                    "quantity": "20",
                    "unit": "EA",
                    "direction": "out",
                }
            ],
        },
    ],
}
DAYS = {"valid_from": (TODAY - timedelta(days=9)).isoformat(), "valid_to": (TODAY + timedelta(9)).isoformat()}


def table(kind: str, *rows: dict[str, Any]) -> Upload:
    return Upload(f"{kind}.json", json.dumps({"table": kind, "name": kind, "rows": rows}).encode())


def customs_product(gtin: str, hts: str) -> dict[str, Any]:
    said = {"gtin": gtin, "owner": OWNER, "hts": hts, "origin": "JP", "unit": "EA", "customs_unit": "NO"}
    return {**said, "factor": "1", "description": "goods", "valid_from": "2026-01-01"}


TABLES = (
    table("customs-product", customs_product(MOTOR, "850131"), customs_product(PUMP, "841370")),
    table(
        "bom",
        {
            "product": PUMP,
            "version": "A",
            "unit": "EA",
            "valid_from": "2026-01-01",
            "part": "input",
            "gtin": MOTOR,
            "per": "1.02",
            "part_unit": "EA",
        },
    ),
    table(
        "activity-permit",
        {"number": "216-1", "activity": "manufacture", "owner": OWNER, "zone": "zone-999", **DAYS},
    ),
    table(
        "production-authority",
        {
            "number": "B-1",
            "owner": OWNER,
            "zone": "zone-999",
            "materials": ["850131"],
            "products": ["841370"],
            **DAYS,
        },
    ),
)


@pytest_asyncio.fixture
async def works(center: Central, dock: Dock) -> Works:
    return await supplied(center, dock)


async def supplied(center: Central, dock: Dock) -> Works:
    """A center with papers, and a pallet of 60 motors that a dock admitted."""
    papers = Upload("papers.json", json.dumps(PRODUCTS).encode())
    taken = await center.import_files([papers, *TABLES], "planner")
    assert not getattr(taken, "faults", ()), taken
    dock.move(
        quantity="60",
        use=Use("A214", "1", Decimal(60)),
        load=pallet(PALLET),
        owner=OWNER,
    )
    await dock.talk(center)
    return center.works


def pallet(sscc: str) -> LoadFacts:
    """Motors as a dock admits them."""
    return LoadFacts(f"https://id.gs1.org/00/{sscc}", sscc, MOTOR, unit="EA", owner=OWNER, status=Status.NPF)


def plan(order: str = "W1", **more: Any) -> Plan:
    said: dict[str, Any] = {"owner": OWNER, "product": PUMP, "quantity": Decimal(50), "on": TODAY}
    return Plan(order=order, by="planner", **{**said, **more})


def start(order: str = "W1", quantity: int = 51, **more: Any) -> Start:
    takes = (Take(PALLET, Decimal(quantity)),)
    said: dict[str, Any] = {"on": TODAY, "permit": "216-1", "authority": "B-1", "takes": takes}
    return Start(order=order, by="planner", **{**said, **more})


def report(order: str = "W1", **more: Any) -> Report:
    scrap = ScrapSaid(MOTOR, Decimal(1), SCRAP, Decimal(1), Decimal("0.50"), BIN)
    said: dict[str, Any] = {"made": (MadeSaid(MADE, Decimal(50)),), "scrap": (scrap,)}
    return Report(order, TODAY, "planner", **{**said, **more})


async def floor(center: Central) -> dict[str, Decimal]:
    """What is in the zone by SSCC."""
    await center.projector.catch_up()
    async with center.database.session() as connection:
        rows = await connection.fetch("SELECT sscc, quantity FROM holding WHERE quantity <> 0")
    return {row["sscc"]: row["quantity"] for row in rows}


async def accounts(center: Central) -> dict[tuple[str, str], Decimal]:
    await center.projector.catch_up()
    ledger = Ledger(center.database, "example", "zone-999")
    lots = (await ledger.lots()).items
    return {(row["lot"], name): one.quantity for row in lots for name, one in row["accounts"].items()}


def told(lot: MadeLot) -> dict[str, Decimal]:
    return {part.lot: part.pair.commercial for part in lot.parts}


async def refused(act: Any, said: Any) -> str:
    with pytest.raises(Denied) as caught:
        await act(said)
    assert caught.value.next_step
    return str(caught.value)


async def test_an_order_moves_goods_on_the_floor_and_in_the_ledger(center: Central, works: Works) -> None:
    await works.plan(plan())
    await works.start(start())
    assert await floor(center) == {PALLET: 9}
    assert (await accounts(center))["A214/1", "wip:W1"] == 51
    await works.report(report())
    await works.close(CloseOrder("W1", TODAY, "planner"))
    assert await floor(center) == {PALLET: 9, MADE: 50, BIN: 1}
    found = await accounts(center)
    assert found["A214/1", "consumed"] == 51
    assert found["WO-W1", "stock"] == 50
    assert found["WO-W1-S", "stock"] == 1
    assert not any(account.startswith("wip:") for _, account in found)
    ledger = Ledger(center.database, "example", "zone-999")
    assert (await ledger.differences()).items == []
    story = await ledger.story("WO-W1")
    assert {(row["made"], row["of"]) for row in story.made} >= {("WO-W1", "A214/1")}


async def test_what_is_in_work_is_on_no_load_and_no_difference(center: Central, works: Works) -> None:
    await works.plan(plan())
    await works.start(start())
    await center.projector.catch_up()
    assert (await Ledger(center.database, "example", "zone-999").differences()).items == []


async def test_docks_learn_what_went_to_an_order_and_what_was_made(
    center: Central, works: Works, dock: Dock
) -> None:
    await works.plan(plan())
    await works.start(start())
    await works.report(report())
    answer = await dock.talk(center)
    told = [read_record(bytes(raw)) for raw in answer.entries]
    moves = [move for entry in told if entry.type == "holdings" for move in read_body(entry).moves]
    assert [(move.came, move.holding.sscc, move.holding.quantity) for move in moves] == [
        (False, PALLET, 51),
        (True, MADE, 50),
        (True, BIN, 1),
    ]
    made = moves[1].holding
    assert (made.gtin, made.owner, made.status, made.lot) == (PUMP, OWNER, Status.NPF, "WO-W1")


async def test_orders_are_known_again_after_a_start(
    center: Central, works: Works, open_center: Opener
) -> None:
    await works.plan(plan())
    await works.start(start())
    await center.close()
    again = await open_center()
    page = await again.works.page(10, None)
    assert [(order.order, order.state) for order in page.items] == [("W1", "started")]
    await again.works.report(report())
    assert (await again.works.one("W1")).state == "reported"


async def test_a_step_is_refused_with_its_reasons_and_writes_nothing(center: Central, works: Works) -> None:
    before = center.head
    assert "no product" in await refused(works.plan, plan(product="x"))
    assert "no bill of material" in await refused(works.plan, plan(product=MOTOR))
    assert "today is" in await refused(works.plan, plan(on=date(2020, 1, 1)))
    assert "is planned" in await refused(works.start, start())
    assert center.head == before
    await works.plan(plan())
    assert "there already" in await refused(works.plan, plan())
    before = center.head
    said = await refused(works.start, start(permit="none", authority="none", quantity=61))
    for part in ("no permit 'none'", "no production authority 'none'", "has 60 EA"):
        assert part in said
    assert center.head == before


async def test_what_an_accepted_entry_has_taken_may_not_be_worked_on(center: Central, works: Works) -> None:
    await works.plan(plan())
    await center.bookkeeping.accept(Accept("W24", note="accepted", by="broker"))
    said = await refused(works.start, start())
    assert "40 EA" in said and "146.61" in said


async def test_goods_under_a_hold_and_a_suspended_zone_stop_the_line(center: Central, works: Works) -> None:
    await works.plan(plan())
    hold = PutHold(kind="agency", agency="Customs", reason="exam", by="Dana", gtin=MOTOR)
    await center.restraining.put_hold(hold)
    assert "Customs holds it: exam" in await refused(works.start, start())
    await center.restraining.suspend(Suspend(reason="audit", by="Dana"))
    assert "suspended: audit" in await refused(works.start, start())


async def test_what_is_made_goes_on_no_load_of_other_goods(works: Works) -> None:
    await works.plan(plan())
    await works.start(start())
    made = (MadeSaid(PALLET, Decimal(50)),)
    assert "holds or held other goods" in await refused(works.report, report(made=made))
    await works.report(report())
    await works.plan(plan("W2", quantity=Decimal(5)))
    await works.start(start("W2", 6))
    used_up = report("W2", made=(MadeSaid(PALLET, Decimal(5)),), takes=(Take(PALLET, Decimal(3)),))
    assert "holds or held other goods" in await refused(works.report, used_up)
    again = report("W2", made=(MadeSaid("095219990000000044", Decimal(5)),))
    await works.report(again)


async def test_a_made_lot_contains_what_its_order_used_and_not_what_went_back(
    center: Central, works: Works, dock: Dock
) -> None:
    more = "095219990000000051"
    dock.move(
        quantity="60",
        use=Use("A214", "1", Decimal(60)),
        load=pallet(more),
        owner=OWNER,
    )
    await dock.talk(center)
    await works.plan(plan())
    takes = (Take(PALLET, Decimal(60)), Take(more, Decimal(11)))
    await works.start(start(takes=takes))
    back = (Take(more, Decimal(11)), Take(PALLET, Decimal(9)))
    await works.report(report(returned=back))
    await center.projector.catch_up()
    contents = Contents("example", "zone-999", works)
    async with center.database.session() as connection:
        lot = await contents.of_lot(connection, "WO-W1", PUMP)
        scrap = await contents.of_lot(connection, "WO-W1-S", SCRAP)
        assert await contents.of_lot(connection, "A214/1", MOTOR) is None
    assert lot is not None and scrap is not None
    assert told(lot) == {"A214/1": 50}
    assert told(scrap) == {"A214/1": 1}
    assert scrap.value == Decimal("0.50")
    assert (await accounts(center))["A214/1", "stock"] == 69
    assert (await floor(center))[PALLET] == 9
    assert (await Ledger(center.database, "example", "zone-999").differences()).items == []


async def test_an_assembly_made_of_what_was_made_is_opened_from_where_it_was_cut(
    center: Central, works: Works
) -> None:
    bill = table(
        "bom",
        {
            "product": SCRAP,
            "version": "A",
            "unit": "EA",
            "valid_from": "2026-01-01",
            "part": "input",
            "gtin": PUMP,
            "per": "1",
            "part_unit": "EA",
        },
    )
    authority = table(
        "production-authority",
        {
            "number": "B-2",
            "owner": OWNER,
            "zone": "zone-999",
            "materials": ["841370"],
            "products": ["760200"],
            **DAYS,
        },
    )
    more = table("customs-product", customs_product(SCRAP, "760200"))
    taken = await center.import_files([bill, authority, more], "planner")
    assert not getattr(taken, "faults", ()), taken
    await works.plan(plan())
    await works.start(start())
    await works.report(report())
    for name, load in (("SKID-1", "095219990000000068"), ("SKID-2", "095219990000000075")):
        await works.plan(plan(name, product=SCRAP, quantity=Decimal(20)))
        await works.start(start(name, takes=(Take(MADE, Decimal(20)),), authority="B-2"))
        await works.report(report(name, made=(MadeSaid(load, Decimal(20)),), scrap=()))
    await center.projector.catch_up()
    contents = Contents("example", "zone-999", works)
    async with center.database.session() as connection:
        found = [await contents.of_lot(connection, f"WO-{name}", SCRAP) for name in ("SKID-1", "SKID-2")]
        used = (await contents._used(connection, ["SKID-2"]))["SKID-2"]
    assert {part.lot: part.first for part in used} == {"WO-W1": 20}
    assert [told(lot) for lot in found if lot] == [{"A214/1": 20}, {"A214/1": 20}]


async def test_an_order_is_told_by_command_and_shown_as_described(running: Running, tmp_path: Path) -> None:
    config = ("--config", str(running.config))
    _, code, _ = await running.command("central", *config, "enrol", "dock-1")
    dock = Dock()
    dock.code = code.strip()
    wire = Wire(running.url)
    await dock.talk(wire)
    files = []
    for upload in (Upload("papers.json", json.dumps(PRODUCTS).encode()), *TABLES):
        files.append(tmp_path / upload.name)
        files[-1].write_bytes(upload.data)
    center = ("--center", running.url)
    assert (await running.command("import", *center, *map(str, files), token=running.token))[0] == 0
    dock.move(quantity="60", use=Use("A214", "1", Decimal(60)), load=pallet(PALLET), owner=OWNER)
    await dock.talk(wire)

    async def order(step: str, *words: str) -> str:
        code, said, wrong = await running.command("central", *config, "order", step, "W1", *words)
        assert code == 0, wrong
        return said

    await order("plan", "--owner", OWNER, "--product", PUMP, "--quantity", "50")
    papers = ("--permit", "216-1", "--authority", "B-1")
    code_, _, wrong = await running.command(
        "central", *config, "order", "start", "W1", *papers, "--take", f"{PALLET}=50.5"
    )
    assert (code_, "counted whole" in wrong) == (1, True)
    await order("start", *papers, "--take", f"{PALLET}=55")
    made = ("--made", f"{MADE}=50", "--back", f"{PALLET}=3", "--waste", f"{MOTOR}=1")
    await order("report", *made, "--scrap", MOTOR, "1", SCRAP, "1", "0.50", BIN)
    assert "order is entry" in await order("close", "--note", "all well")
    scrap = ("--scrap", MOTOR, "3", SCRAP, "3", "1.50", BIN, "--note", "counted again")
    assert "order is entry" in await order("correct", "--made", f"{MADE}=49", *scrap)
    _, said, _ = await running.command("central", *config, "orders")
    assert said.startswith("W1 closed: 50 EA of") and "corrected by" in said
    assert f"{MOTOR}: 52 EA used, the bill says 51" in said
    for path, kind in (("orders/W1", "OrderTold"), ("orders?limit=1", "OrderPage")):
        answer = await asyncio.to_thread(urllib.request.urlopen, f"{running.url}/api/v1/{path}")
        validator({"$ref": f"#/components/schemas/{kind}"})(json.load(answer))
    _, said, _ = await running.command("central", *config, "trace", "A214/1")
    assert f"  WO-W1  {PUMP}  NPF  contains 49 EA of A214/1" in said
    _, said, _ = await running.command("central", *config, "trace", "WO-W1", "--way", "of")
    assert f"  A214/1  {MOTOR}  NPF  49 EA in WO-W1  no paper on file" in said
    code_, said, _ = await running.command("central", *config, "trace", "WO-W1", "--json")
    assert json.loads(said)["lots"] == []
    code_, _, wrong = await running.command("verify", *config)
    assert code_ == 0, wrong
    code_, _, wrong = await running.command("central", *config, "order", "plan", "W2")
    assert (code_, "needs --owner, --product, --quantity" in wrong) == (1, True)


async def test_what_is_taken_when_an_order_is_reported_is_used_as_well(center: Central, works: Works) -> None:
    await works.plan(plan())
    await works.start(start(quantity=40))
    await works.report(report(takes=(Take(PALLET, Decimal(13)),), returned=(Take(PALLET, Decimal(2)),)))
    found = await accounts(center)
    assert found["A214/1", "consumed"] == 51
    assert not any(account.startswith("wip:") for _, account in found)
    ledger = Ledger(center.database, "example", "zone-999")
    assert (await ledger.overdraws()).items == []
    assert (await ledger.differences()).items == []
    assert await floor(center) == {PALLET: 9, MADE: 50, BIN: 1}


async def test_what_was_made_gets_no_privileged_status_any_more(center: Central, works: Works) -> None:
    await works.plan(plan())
    await works.start(start())
    await works.report(report())
    await center.projector.catch_up()
    wish = ChangeStatus("SC-1", OWNER, PUMP, Status.NPF, Status.PF, Decimal(50), "late", "anna")
    assert "146.41(a)" in await refused(center.bookkeeping.change_status, wish)
    await center.bookkeeping.change_status(structs.replace(wish, becomes=Status.RESTRICTED))


async def test_a_label_that_no_door_could_read_is_refused(works: Works) -> None:
    await works.plan(plan())
    await works.start(start())
    wrong = MADE[:-1] + str((int(MADE[-1]) + 1) % 10)
    said = await refused(works.report, report(made=(MadeSaid(wrong, Decimal(50)),)))
    assert f"its check digit would be {MADE[-1]}" in said
