# SPDX-License-Identifier: Apache-2.0
"""A door in a suspended zone, and goods that are held, expired or barred: the rules beside the table."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from customs.documents import Conveyance, Direction, LineRef, Permit, PermitLine, Status
from customs.us.matrix import DISPOSITIONS, MATRIX, Disposition, Leaving, may_leave
from customs.us.rulings import Refused as MayNot
from edge.books import NodeBooks
from edge.passage import PassageKind
from edge.portal.lamps import Lamp, Lamps
from edge.view import DoorView, Refused
from gs1 import sscc_link
from sync.bodies import Grant, Holdings, Moved
from sync.restraints import HoldLifted, ZoneEvent
from tests.edge.gates import STRANGE, crossed, number_of, passage, sight, unit
from tests.edge.situations import SUSPENSION, after, held_back, in_stock, opened, quota
from tests.edge.yard import (
    BRACKET,
    CLOSE,
    KIT,
    OWNER,
    SETTINGS,
    START,
    TOOL,
    UNDO,
    UNKNOWN,
    WEEK,
    FakeRecorder,
    Papers,
    Yard,
    holding,
    label,
    load_number,
    order,
    pallet,
    settled,
    sscc,
)

RESUMED = ZoneEvent("resumed", "s-1", "nothing was found", "Dana", START)
LIFTED = HoldLifted("h-1", "Dana", "released", START)


def suspend(yard: Yard) -> None:
    yard.send([("zone", SUSPENSION)])


def reasons(yard: Yard) -> set[str]:
    return {yard.dock.door(door).reason for door in yard.dock.doors}


# -- the zone is suspended -----------------------------------------------------------------------------


async def test_all_doors_say_stop_at_once_and_are_ready_again_when_it_ends() -> None:
    yard = opened("out")
    heard: list[str] = []
    yard.dock.on_change(heard.append)
    suspend(yard)
    assert {"in", "out"} <= set(heard), "the screens are told"
    view = yard.dock.door("in")
    assert (view.state, view.reason, view.remark) == ("STOP", "zone-suspended", "fire inspection")
    assert view.job is None
    assert yard.dock.door("out").job is not None, "the truck stays open"
    yard.send([("zone", RESUMED)])
    assert (yard.dock.door("out").reason, yard.dock.door("in").reason) == ("ready", "ready-no-job")
    view = await yard.told("out", load_number("out", 1))
    assert view.reason == "withdrawn", "the control"


async def test_an_accepted_load_that_is_still_being_recorded_does_not_take_the_stop_away() -> None:
    recorder = FakeRecorder()
    yard = Yard(Papers(), recorder=recorder)
    yard.open("out")
    await recorder.tell()
    yard.read("out", load_number("out", 1))
    suspend(yard)
    await recorder.tell()
    assert yard.dock.door("out").reason == "zone-suspended"
    assert "withdrawal" in recorder.types(), "what was judged before has happened"


@pytest.mark.parametrize(
    "code",
    [
        load_number("out", 1),
        pallet(UNKNOWN),
        b"NOREAD",
        b"]C100095219990000000014",
        order("OUT-2"),
        order("NOBODYS"),
        b"]C18003095211411234545678",
    ],
)
async def test_whatever_is_scanned_is_a_stop_and_on_record(code: bytes) -> None:
    yard = opened("out")
    suspend(yard)
    view = await yard.told("out", code, no_read=code == b"NOREAD")
    assert (view.state, view.reason) == ("STOP", "zone-suspended")
    kind, body = yard.recorder.last()
    assert (kind, body.reason, body.restraint) == ("stop", "zone-suspended", "s-1")
    assert yard.dock.books.state.open_jobs == {"out": "OUT-1"}


async def test_only_a_dock_that_cannot_record_says_something_else() -> None:
    yard = opened("out")
    suspend(yard)
    yard.dock.detach()
    assert reasons(yard) == {"cannot-record"}
    books = NodeBooks()
    books.fold_records(yard.recorder.records)
    yard.dock.attach(yard.recorder, books, SETTINGS)
    assert reasons(yard) == {"zone-suspended"}, "its own log tells it after a restart"


async def test_people_open_no_truck_and_deposit_nothing_but_may_close_and_settle() -> None:
    yard = Yard(Papers(seals=("S-1",)))
    await yard.dock.open_job("out", "OUT-1", ("broken",), "supervisor")
    await yard.told("in", load_number("in", 1))
    [no_job] = [hold for hold in yard.dock.books.state.holds.values() if hold.reason == "no-job"]
    suspend(yard)
    with pytest.raises(Refused, match=r"The zone is suspended\. Nothing may pass.*fire inspection"):
        await yard.dock.open_job("in", "IN-1", None, "supervisor")
    with pytest.raises(Refused, match="The zone is suspended"):
        await yard.dock.decide(no_job.hold, "deposit", "papers follow", "supervisor", "125")
    [seals] = [hold for hold in yard.dock.books.state.holds.values() if hold.reason == "seals"]
    await yard.dock.decide(seals.hold, "accepted", "the carrier agrees", "supervisor")
    assert not yard.dock.books.state.jobs["OUT-1"].seals_held
    await yard.told("out", CLOSE)
    assert yard.dock.books.state.open_jobs == {}
    assert reasons(yard) == {"zone-suspended"}


async def test_undo_brings_goods_back_and_takes_none_out() -> None:
    yard = opened("out")
    yard.open("in")
    await yard.told("out", load_number("out", 1))
    await yard.told("in", load_number("in", 1))
    suspend(yard)
    await yard.told("in", UNDO)
    assert "correction" not in yard.recorder.types(), "the goods would leave the zone again"
    await yard.told("out", UNDO)
    kind, body = yard.recorder.last()
    assert (kind, body.movement) == ("correction", "withdrawal")
    assert reasons(yard) == {"zone-suspended"}
    yard.send([("zone", RESUMED)])
    await yard.told("in", UNDO)
    assert yard.recorder.last()[1].movement == "admission", "the control"


async def test_a_load_on_the_move_is_stopped_and_what_crosses_all_the_same_is_told() -> None:
    yard = opened("out")
    suspend(yard)
    assert sight(yard, "out", unit(number_of("out", 1))).reason == "zone-suspended"
    view = await crossed(yard, passage("out", [unit(number_of("out", 1))]))
    kind, body = yard.recorder.last()
    assert (view.reason, kind, body.reason, body.crossed) == (
        "zone-suspended",
        "stop",
        "zone-suspended",
        True,
    )
    assert yard.dock.books.account(LineRef("P-OUT", "1")).used == 0


@pytest.mark.parametrize("tags", [(), (STRANGE,)])
async def test_a_passage_without_a_known_load_is_a_stop_too(tags: tuple[bytes, ...]) -> None:
    yard = opened("out")
    suspend(yard)
    kind = PassageKind.CROSSED if tags else PassageKind.UNREAD
    await crossed(yard, passage("out", tags, kind=kind))
    assert yard.recorder.last()[1].reason == "zone-suspended"


async def test_a_load_that_goes_the_wrong_way_is_a_stop_and_not_a_hold() -> None:
    yard = opened("out")
    suspend(yard)
    await crossed(yard, passage("out", [unit(number_of("out", 1))], way="in"))
    assert yard.recorder.last()[1].reason == "zone-suspended"


async def test_an_empty_fork_raises_no_alarm_in_a_suspended_zone_either() -> None:
    yard = opened("out")
    suspend(yard)
    before = len(yard.recorder.records)
    await crossed(yard, passage("out", kind=PassageKind.CROSSED, load_seen=False))
    assert len(yard.recorder.records) == before


async def test_the_red_lamp_is_lit_while_the_zone_is_suspended() -> None:
    yard = opened("out")
    levels: list[bool] = []

    def switch(port: int, on: bool, /, *, for_s: float | None = None) -> None:
        levels.append(on)

    lamps = Lamps({"in": [Lamp(1, "stop", switch)]}, yard.dock.door_at)
    yard.dock.on_change(lamps.show)
    suspend(yard)
    assert levels == [True]
    yard.send([("zone", RESUMED)])
    assert levels == [True, False]


# -- goods are held --------------------------------------------------------------------------------------


async def test_a_held_load_names_the_hold_and_passes_when_it_is_lifted() -> None:
    yard, view = await after(opened("out", held_back(gtin=TOOL)), "out", load_number("out", 1))
    assert (view.sentence, view.step, view.remark) == ("Customs holds this load.", "Set it aside.", "exam")
    assert yard.recorder.last()[1].restraint == "h-1"
    assert (await yard.told("out", load_number("out", 6))).reason == "withdrawn", "other goods pass"
    yard.send([("hold-lifted", LIFTED)])
    assert (await yard.told("out", load_number("out", 1))).reason == "withdrawn"


async def test_a_hold_beats_quantity_and_permit() -> None:
    _, view = await after(opened("out", held_back(gtin=TOOL)), "out", label())
    assert view.reason == "agency-hold", "nobody is asked how many there are"
    _, view = await after(opened("out", held_back(owner=OWNER)), "out", load_number("out", 4))
    assert view.reason == "agency-hold"


async def test_goods_on_hold_for_their_quality_come_in_and_stay() -> None:
    papers = held_back("quality", gtin=TOOL)
    yard, view = await after(opened("in", papers), "in", load_number("in", 1))
    assert view.reason == "admitted"
    yard.open("out")
    assert (await yard.told("out", load_number("out", 1))).reason == "quality-hold"


async def test_a_lot_is_held_by_label_or_papers() -> None:
    papers = held_back("quality", gtin=TOOL, lot="L7")
    assert (await after(opened("out", papers), "out", label(lot="L7")))[1].reason == "quality-hold"
    assert (await after(opened("out", papers), "out", load_number("out", 1)))[1].reason == "withdrawn"
    papers = held_back("quality", gtin=TOOL, lot="L1")
    assert (await after(opened("out", papers), "out", load_number("out", 1)))[1].reason == "quality-hold"


async def test_a_load_on_the_truck_that_is_scanned_again_says_that_it_is_held() -> None:
    yard, view = await after(opened("out"), "out", load_number("out", 1))
    assert view.reason == "withdrawn"
    yard.send(list(held_back(gtin=TOOL).more))
    assert (await yard.told("out", load_number("out", 1))).reason == "agency-hold"
    await yard.told("out", UNDO)
    assert yard.recorder.last()[0] == "correction", "it may be brought back"
    assert (await yard.told("out", load_number("out", 1))).reason == "agency-hold"


async def test_held_goods_that_came_in_are_not_sent_away_by_undo() -> None:
    yard, _ = await after(opened("in"), "in", load_number("in", 1))
    yard.send(list(held_back(gtin=TOOL).more))
    view = await yard.told("in", UNDO)
    assert (view.reason, "correction" in yard.recorder.types()) == ("agency-hold", False)


async def test_held_goods_are_not_taken_into_deposit() -> None:
    yard = Yard(held_back(load=sscc_link(sscc(number_of("in", 1)))))
    await yard.told("in", load_number("in", 1))
    await yard.told("in", load_number("in", 2))
    held, free = yard.dock.books.state.holds
    with pytest.raises(Refused, match=r"Customs holds this load\. Set it aside\. \(exam\)"):
        await yard.dock.decide(held, "deposit", "papers follow", "supervisor", "125")
    await yard.dock.decide(free, "deposit", "papers follow", "supervisor", "125")
    assert yard.recorder.last()[1].reason == "temporary-deposit", "the control"


async def test_a_held_load_on_the_move_is_stopped() -> None:
    yard = opened("out", held_back(gtin=TOOL))
    assert sight(yard, "out", unit(number_of("out", 1))).reason == "agency-hold"
    await crossed(yard, passage("out", [unit(number_of("out", 1))]))
    assert (yard.recorder.last()[0], yard.recorder.last()[1].crossed) == ("stop", True)


# -- what the goods are ------------------------------------------------------------------------------------


def on_permit(kind: str, gtin: str = TOOL, status: Status = Status.NPF) -> Papers:
    """The outbound truck has one permit of a kind, with a line of these goods."""
    line = PermitLine("1", gtin, status, Decimal(1000), "EA", Direction.OUT)
    return Papers(more=(("permit", Permit("P-OUT", kind, OWNER, *WEEK, (line,))),))


def stock(number: int, **dates: date) -> Papers:
    return Papers(more=(in_stock(number, **dates),))


async def say(papers: Papers, code: bytes, *, way: str = "out", sure: bool = True) -> DoorView:
    yard = opened(way, papers)
    yard.time.synchronized = sure
    return (await after(yard, way, code))[1]


EXPIRES = date(2026, 6, 3)
"""The day on which the yard's clock stands, in Chicago: the goods may still be used."""


async def test_goods_leave_on_their_last_day_and_not_after() -> None:
    assert (await say(stock(50, expiry=EXPIRES), pallet(50))).reason == "withdrawn"
    view = await say(stock(50, expiry=date(2026, 6, 2)), pallet(50))
    assert (view.sentence, view.remark) == ("These goods expired on 2026-06-02.", "")


def dated(identifier: str, day: str) -> bytes:
    """A label of tools of lot L7 with a date."""
    return f"]C101{TOOL}{identifier}{day}10L7".encode()


@pytest.mark.parametrize(
    ("identifier", "day", "reason"),
    [
        ("17", "260602", "expired"),
        ("7003", "2606022359\x1d", "expired"),
        ("17", "260603", "withdrawn"),
        ("15", "260602", "withdrawn"),
        ("16", "260602", "withdrawn"),
    ],
)
async def test_a_use_by_date_on_the_label_stops_and_a_best_before_or_sell_by_does_not(
    identifier: str, day: str, reason: str
) -> None:
    yard = opened("out")
    view = await yard.told("out", dated(identifier, day))
    assert view.prompt is not None
    await yard.dock.quantity("out", view.prompt.hold, "20", "c-1", "worker")
    await settled()
    assert yard.dock.door("out").reason == reason


async def test_the_earlier_of_two_dates_counts() -> None:
    held = in_stock(50, expiry=date(2026, 6, 2))
    again = ("holdings", Holdings("9" * 32, (Moved(True, holding(50)),)))
    assert (await say(Papers(more=(held, again)), pallet(50))).reason == "expired"
    assert (await say(Papers(more=(again, held)), pallet(50))).reason == "expired"


async def test_expired_goods_leave_to_be_destroyed() -> None:
    papers = Papers(kind="destruction", more=(in_stock(50, expiry=date(2020, 1, 1)),))
    assert (await say(papers, pallet(50))).reason == "withdrawn"


async def test_expired_goods_may_come_in_and_the_screen_says_so() -> None:
    yard = opened("in")
    view = await yard.told("in", dated("17", "260602"))
    assert (view.reason, view.remark) == (
        "quantity-needed",
        "The label's expiry date has passed: 2026-06-02.",
    )
    assert view.prompt is not None
    await yard.dock.quantity("in", view.prompt.hold, "20", "c-1", "worker")
    await settled()
    assert yard.dock.door("in").reason == "admitted"
    [came] = [held for held in yard.dock.inventory() if held.expiry is not None]
    assert came.expiry == date(2026, 6, 2), "and leave only to be destroyed, read by any label"


async def test_expired_domestic_goods_leave_beside_goods_to_be_destroyed_alone() -> None:
    domestic = msgspec.structs.replace(holding(50), gtin=KIT, status=Status.DOMESTIC, expiry=date(2026, 6, 2))
    more = (("holdings", Holdings("b" * 32, (Moved(True, domestic),))),)
    assert (await say(Papers(more=more), pallet(50))).reason == "expired"
    assert (await say(Papers(more=more), pallet(50), sure=False)).reason == "clock-unsure"
    assert (await say(Papers(kind="destruction", more=more), pallet(50))).reason == "domestic"
    assert (await say(Papers(), load_number("out", 3), sure=False)).reason == "domestic", "without a date"


async def test_with_an_unsure_clock_what_looks_expired_waits() -> None:
    assert (await say(stock(50, expiry=date(2020, 1, 1)), pallet(50), sure=False)).reason == "clock-unsure"
    papers = Papers(kind="warehouse", more=(in_stock(51, imported=date(2010, 1, 1)),))
    assert (await say(papers, pallet(51), sure=False)).reason == "clock-unsure"


@pytest.mark.parametrize(
    ("kind", "status", "leaves"),
    [
        ("weekly-entry", Status.PF, True),
        ("weekly-entry", Status.RESTRICTED, False),
        ("entry", Status.RESTRICTED, False),
        ("warehouse", Status.PF, False),
        ("warehouse", Status.NPF, True),
        ("warehouse", Status.RESTRICTED, False),
        ("warehouse-for-export", Status.RESTRICTED, True),
        ("warehouse-for-export", Status.PF, False),
        ("export", Status.RESTRICTED, True),
        ("in-bond-export", Status.PF, True),
        ("zone-transfer", Status.RESTRICTED, True),
        ("destruction", Status.RESTRICTED, True),
        ("supplies", Status.PF, True),
    ],
)
async def test_goods_leave_on_what_their_status_allows(kind: str, status: Status, leaves: bool) -> None:
    held = msgspec.structs.replace(holding(50), status=status, imported=date(2026, 1, 5))
    papers = on_permit(kind, status=status)
    more = (*papers.more, ("holdings", Holdings("b" * 32, (Moved(True, held),))))
    view = await say(Papers(more=more), pallet(50))
    assert view.reason == ("withdrawn" if leaves else "status-forbids")
    if not leaves:
        assert view.sentence == f"{status} goods may not leave on this permit."


async def test_goods_in_suspense_leave_on_nothing() -> None:
    suspense = msgspec.structs.replace(holding(50), status=Status.SUSPENSE)
    more = (("holdings", Holdings("b" * 32, (Moved(True, suspense),))),)
    view = await say(Papers(more=more), pallet(50))
    assert view.reason == "status-forbids"
    assert view.remark == "These goods have no status yet. Set them aside until their papers are complete."


async def test_another_line_of_the_truck_may_take_what_one_forbids() -> None:
    other = PermitLine("7", BRACKET, Status.PF, Decimal(1000), "EA", Direction.OUT)
    refs = (LineRef("P-OUT", "2"), LineRef("X-2", "7"))
    more: tuple[tuple[str, Any], ...] = (
        ("permit", Permit("X-2", "export", OWNER, *WEEK, (other,))),
        ("grant", Grant("X-2", "7", "dock-1", "e" * 32, Decimal(1000))),
        ("conveyance", Conveyance("OUT-1", "Trailer", "Carrier", "out", Direction.OUT, (), refs)),
    )
    assert (await say(Papers(kind="warehouse", more=more), load_number("out", 6))).reason == "withdrawn"
    view = await say(Papers(kind="warehouse"), load_number("out", 6))
    assert view.reason == "status-forbids"
    assert view.remark == MATRIX[Disposition.WAREHOUSE][Status.PF].words, "as the matrix says it"


@pytest.mark.parametrize(
    ("imported", "kind", "reason"),
    [
        (date(2021, 6, 3), "warehouse", "withdrawn"),
        (date(2021, 6, 2), "warehouse", "over-five-years"),
        (date(2021, 6, 2), "warehouse-for-export", "over-five-years"),
        (None, "warehouse", "import-date-missing"),
        (None, "warehouse-for-export", "import-date-missing"),
        (None, "weekly-entry", "withdrawn"),
        (date(2021, 6, 2), "weekly-entry", "withdrawn"),
    ],
)
async def test_a_warehouse_takes_goods_for_five_years_from_import(
    imported: date | None, kind: str, reason: str
) -> None:
    stocked = in_stock(51, imported=imported) if imported else in_stock(51)
    view = await say(Papers(kind=kind, more=(stocked,)), pallet(51))
    assert view.reason == reason
    if kind in DISPOSITIONS:
        goods = Leaving(Status.NPF, imported=imported)
        ruling = may_leave(goods, DISPOSITIONS[kind], date(2026, 6, 3))
        assert view.reason == (ruling.reason if isinstance(ruling, MayNot) else "withdrawn"), "one rule"
    assert (view.state == "HOLD") == (reason == "import-date-missing")


@pytest.mark.parametrize(
    ("opens", "closes", "reason"),
    [
        (date(2026, 6, 3), None, "withdrawn"),
        (date(2026, 6, 4), None, "quota-closed"),
        (None, date(2026, 6, 3), "withdrawn"),
        (None, date(2026, 6, 2), "quota-closed"),
    ],
)
async def test_quota_goods_leave_from_the_first_day_to_the_last(
    opens: date | None, closes: date | None, reason: str
) -> None:
    assert (await say(Papers(more=(quota(opens, closes),)), load_number("out", 1))).reason == reason


async def test_entries_of_earlier_rules_are_judged_as_they_were() -> None:
    """A dock that was updated explains what it judged before by the rules of then."""
    yard = Yard()
    yard.dock.write("settings", msgspec.structs.replace(SETTINGS, rules=3))
    yard.send(stock(50, expiry=date(2020, 1, 1)).entries(yard.recorder.epoch))
    yard.confirm()
    yard.open("out")
    assert (await yard.told("out", pallet(50))).reason == "withdrawn"
