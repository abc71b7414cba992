# SPDX-License-Identifier: Apache-2.0
"""What people do at a door: quantities, undo, close, seals, decisions on Holds."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from msgspec.structs import replace

from customs.documents import LineRef, Status
from edge.given import QUANTITY_MAX
from edge.view import Refused
from gs1 import sscc_link
from tests.edge.yard import (
    CANCEL,
    CLOSE,
    TOOL,
    UNDO,
    UNKNOWN,
    FakeRecorder,
    Papers,
    Yard,
    counted_label,
    label,
    load_number,
    order,
    pallet,
    settled,
    sscc,
)

OUT = LineRef("P-OUT", "1")


async def test_a_label_without_quantity_asks_and_then_books(yard: Yard, recorder: FakeRecorder) -> None:
    view = await counted_label(yard, recorder)
    assert (view.state, str(view.quantity), view.unit) == ("ACCEPTED", "20", "EA")
    kind, body = recorder.last()
    assert (kind, body.quantity, body.use.quantity) == ("withdrawal", 20, 20)
    assert yard.dock.books.state.holds == {}, "the question is settled by the movement"


async def test_a_quantity_sent_twice_counts_once(yard: Yard, recorder: FakeRecorder) -> None:
    view = yard.read("out", label())
    assert view.prompt is not None
    for _ in range(2):
        task = asyncio.create_task(yard.dock.quantity("out", view.prompt.hold, "20", "q-1", "door out"))
        await settled()
        await recorder.tell()
        assert (await task).reason == "withdrawn"
    assert yard.dock.books.account(OUT).used == 20


@pytest.mark.parametrize(
    "typed",
    [
        *("", "0", "-5", "1.0005", "NaN", "Infinity", "1e400", "many", str(QUANTITY_MAX + 1)),
        *("\u0664\u0660", "\uff14\uff10", "4_0", "4e1", "+40", "0x28"),
    ],
)
async def test_what_is_no_quantity_is_refused(yard: Yard, recorder: FakeRecorder, typed: str) -> None:
    view = yard.read("out", label())
    assert view.prompt is not None
    written = len(recorder.records)
    with pytest.raises(Refused, match="is no quantity; expected a number over 0"):
        await yard.dock.quantity("out", view.prompt.hold, typed, "q-1", "door out")
    assert len(recorder.records) == written
    assert yard.dock.door("out").prompt == view.prompt, "and asked still"


async def test_a_quantity_over_what_is_held_is_a_stop(yard: Yard, recorder: FakeRecorder) -> None:
    view = yard.read("out", label())
    assert view.prompt is not None
    task = asyncio.create_task(yard.dock.quantity("out", view.prompt.hold, "301", "q-1", "door out"))
    await settled()
    await recorder.tell()
    assert (await task).reason == "not-in-zone"
    assert recorder.types()[-2:] == ["stop", "release"]
    assert yard.dock.books.state.holds == {}, "the question is answered, the answer was no"


async def test_a_quantity_for_nothing_is_refused(yard: Yard) -> None:
    with pytest.raises(Refused, match="waits for a quantity"):
        await yard.dock.quantity("out", "no-such-hold", "20", "q-1", "door out")
    with pytest.raises(Refused, match="no door"):
        await yard.dock.quantity("<b>", "x", "20", "q-1", "door out")


# -- undo, close, seals ----------------------------------------------------------------------------


async def test_undo_takes_the_last_movement_back(yard: Yard, recorder: FakeRecorder) -> None:
    yard.read("out", load_number("out", 1))
    yard.read("out", load_number("out", 2))
    await recorder.tell()
    assert yard.read("out", UNDO).reason == "checking"
    await recorder.tell()
    view = yard.dock.door("out")
    assert (view.state, view.reason, view.counted) == ("READY", "undone", 1)
    kind, body = recorder.last()
    assert (kind, body.load.sscc, body.use.quantity) == ("correction", sscc(2), 125)
    assert yard.dock.books.account(OUT).used == 125
    yard.read("out", load_number("out", 2))
    await recorder.tell()
    assert yard.dock.door("out").reason == "withdrawn", "it may be scanned again"


async def test_undo_sent_twice_takes_one_movement_back(yard: Yard, recorder: FakeRecorder) -> None:
    yard.read("out", load_number("out", 1))
    yard.read("out", load_number("out", 2))
    await recorder.tell()
    for _ in range(2):
        task = asyncio.create_task(yard.dock.undo("out", "u-1", "door out"))
        await settled()
        await recorder.tell()
        await task
    assert yard.dock.books.account(OUT).used == 125


async def test_an_undone_scan_opens_the_hold_again_that_it_settled(
    yard: Yard, recorder: FakeRecorder
) -> None:
    yard.read("in", b"NOREAD", no_read=True)
    [hold] = yard.dock.books.state.holds
    yard.read("in", load_number("in", 1))
    assert yard.dock.books.state.holds == {}
    yard.read("in", UNDO)
    assert list(yard.dock.books.state.holds) == [hold]


async def test_cancel_clears_the_screen_and_writes_nothing(yard: Yard, recorder: FakeRecorder) -> None:
    yard.read("in", pallet(UNKNOWN))
    written = len(recorder.records)
    assert yard.read("in", CANCEL).reason == "ready"
    assert len(recorder.records) == written


async def test_a_truck_closed_short_names_what_was_not_seen(yard: Yard, recorder: FakeRecorder) -> None:
    yard.read("out", load_number("out", 1))
    await recorder.tell()
    assert yard.read("out", CLOSE).reason == "checking"
    await recorder.tell()
    view = yard.dock.door("out")
    assert (view.state, view.reason) == ("HOLD", "closed-short")
    assert view.sentence == "Closed short: 7 not seen."
    kind, body = recorder.last()
    assert (kind, body.event, body.counted, len(body.missing)) == ("job", "closed", 1, 7)
    assert sscc(1) not in body.missing
    assert sscc(2) in body.missing


async def test_a_truck_with_all_its_loads_closes_ready(yard: Yard, recorder: FakeRecorder) -> None:
    yard.read("out", CLOSE)
    yard.read("out", order("OUT-2"))
    yard.read("out", CLOSE)
    await recorder.tell()
    view = yard.dock.door("out")
    assert (view.state, view.reason) == ("READY", "closed"), "it had no notices"


async def test_a_closed_truck_is_opened_again_by_the_supervisor(yard: Yard, recorder: FakeRecorder) -> None:
    yard.read("out", load_number("out", 1))
    yard.read("out", CLOSE)
    assert yard.read("out", order("OUT-1")).reason == "job-closed"
    task = asyncio.create_task(yard.dock.open_job("out", "OUT-1", None, "supervisor"))
    await settled()
    await recorder.tell()
    assert (await task).counted == 1
    assert yard.read("out", load_number("out", 1)).reason == "already-counted"


async def test_seals_that_differ_hold_every_load_until_they_are_accepted(recorder: FakeRecorder) -> None:
    yard = Yard(Papers(seals=("S-1", "S-2")), recorder=recorder)
    task = asyncio.create_task(yard.dock.open_job("in", "IN-1", ("S-1",), "supervisor"))
    await settled()
    assert yard.dock.door("in").state == "HOLD"
    await recorder.tell()
    assert (await task).seals_held
    assert yard.read("in", load_number("in", 1)).reason == "seals"
    assert recorder.types().count("hold") == 1
    [hold] = yard.dock.books.state.holds
    with pytest.raises(Refused, match="accepted"):
        await yard.dock.decide(hold, "cleared", "", "supervisor")
    decision = asyncio.create_task(yard.dock.decide(hold, "accepted", "looked at", "supervisor"))
    await settled()
    await recorder.tell()
    await decision
    assert yard.dock.books.state.holds == {}
    yard.read("in", load_number("in", 1))
    await recorder.tell()
    assert yard.dock.door("in").reason == "admitted"


async def test_seals_in_any_order_are_the_same_seals(recorder: FakeRecorder) -> None:
    yard = Yard(Papers(seals=("S-1", "S-2")), recorder=recorder)
    task = asyncio.create_task(yard.dock.open_job("in", "IN-1", ("S-2", "S-1"), "supervisor"))
    await settled()
    await recorder.tell()
    assert not (await task).seals_held


async def test_a_hold_is_decided_once(yard: Yard, recorder: FakeRecorder) -> None:
    yard.read("in", pallet(UNKNOWN))
    [hold] = yard.dock.books.state.holds
    task = asyncio.create_task(yard.dock.decide(hold, "refused", "<b>not ours</b>", "supervisor"))
    await settled()
    await recorder.tell()
    await task
    assert yard.dock.door("in").reason == "ready"
    with pytest.raises(Refused, match="not open any more"):
        await yard.dock.decide(hold, "refused", "", "supervisor")


async def test_a_deposit_can_be_undone_and_waits_again(yard: Yard, recorder: FakeRecorder) -> None:
    yard.read("in", pallet(UNKNOWN))
    [hold] = yard.dock.books.state.holds
    task = asyncio.create_task(yard.dock.decide(hold, "deposit", "", "supervisor", "40"))
    await settled()
    await recorder.tell()
    await task
    [held] = [h for h in yard.dock.inventory() if h.key == sscc_link(sscc(UNKNOWN))]
    assert (held.status, held.quantity) == (Status.SUSPENSE, Decimal(40))
    yard.read("in", UNDO)
    assert list(yard.dock.books.state.holds) == [hold], "the goods still stand there"
    assert [h for h in yard.dock.inventory() if h.key == sscc_link(sscc(UNKNOWN))] == []


@pytest.mark.parametrize("unit", ["EA", "KG"])
async def test_a_deposit_counts_in_the_unit_of_its_product(
    yard: Yard, recorder: FakeRecorder, unit: str
) -> None:
    yard.read("in", pallet(UNKNOWN))
    state = yard.dock.books.state
    [hold] = state.holds
    held = state.holds[hold]
    assert held.load is not None
    state.holds[hold] = replace(held, load=replace(held.load, gtin=TOOL))
    state.products[TOOL] = replace(state.products[TOOL], unit=unit)
    task = asyncio.create_task(yard.dock.decide(hold, "deposit", "", "supervisor", "40"))
    await settled()
    await recorder.tell()
    await task
    _, body = recorder.last()
    assert (body.load.gtin, body.load.unit, body.unit) == (TOOL, unit, unit)
