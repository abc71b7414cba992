# SPDX-License-Identifier: Apache-2.0
"""What a door shows and when, and what it writes: over a recorder whose telling the test decides."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from customs.documents import Conveyance, Direction, LineRef
from edge.adjudicate import inputs_hash
from edge.books import NodeBooks
from edge.dock import Dock
from edge.doors import Door
from edge.view import DoorView, Refused
from tests.edge.yard import (
    CLOSE,
    GONE,
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


# -- ACCEPTED waits for the entry, HOLD and STOP do not --------------------------------------------


async def accepted_only_when_told(dock: type[Dock]) -> None:
    """The check: at every step of a few scans, ACCEPTED stands only on what is told."""
    recorder = FakeRecorder()
    yard = Yard(Papers(), recorder=recorder, dock=dock)
    yard.open("out")
    await recorder.tell()
    seen: list[DoorView] = []
    yard.dock.on_change(lambda _: seen.append(yard.dock.door("out")))
    for code in (load_number("out", 1), load_number("out", 1), load_number("out", 2), label(), label()):
        seen.append(yard.read("out", code))
        await settled()
        seen.append(yard.dock.door("out"))
        assert [view.reason for view in seen if view.state == "ACCEPTED"] == []
    yard.read("out", load_number("out", 10))
    await recorder.tell(len(recorder.waiting) - 1)
    assert yard.dock.door("out").state != "ACCEPTED", "the entries before it do not tell it"
    await recorder.tell()
    view = yard.dock.door("out")
    assert (view.state, view.reason) == ("ACCEPTED", "withdrawn")


async def test_accepted_is_never_shown_before_its_entry_is_told() -> None:
    await accepted_only_when_told(Dock)


class HastyDoor(Door):
    """Planted: says ACCEPTED as soon as it is judged."""

    def view(self, books: object, have: int) -> DoorView:
        self.tell(self.turn)
        return super().view(books, have)  # type: ignore[arg-type]


class HastyDock(Dock):
    def __init__(self, *arguments: object, **more: object) -> None:
        super().__init__(*arguments, **more)  # type: ignore[arg-type]
        self.doors = {door.id: HastyDoor(door.id, door.name) for door in self.doors.values()}


async def test_a_dock_that_shows_accepted_early_is_caught() -> None:
    with pytest.raises(AssertionError):
        await accepted_only_when_told(HastyDock)


async def test_while_an_entry_is_recorded_the_door_is_checking(yard: Yard) -> None:
    view = yard.read("out", load_number("out", 1))
    assert (view.state, view.reason, view.sentence) == ("READY", "checking", "Checking.")


@pytest.mark.parametrize(
    ("code", "state"), [(pallet(UNKNOWN), "HOLD"), (pallet(GONE), "STOP"), (load_number("out", 4), "STOP")]
)
async def test_hold_and_stop_are_shown_at_once(yard: Yard, code: bytes, state: str) -> None:
    assert yard.read("out", code).state == state


async def test_a_stop_stays_when_the_entry_before_it_is_told(yard: Yard, recorder: FakeRecorder) -> None:
    yard.read("out", load_number("out", 1))
    yard.read("out", pallet(GONE))
    await recorder.tell()
    assert yard.dock.door("out").state == "STOP", "a late word replaces nothing newer"


async def test_a_screens_scan_is_answered_when_it_is_told(yard: Yard, recorder: FakeRecorder) -> None:
    scan = asyncio.create_task(yard.dock.scan("out", load_number("out", 1), "c-1", "door out"))
    await settled()
    assert not scan.done()
    await recorder.tell()
    view = await scan
    assert view.state == "ACCEPTED"


async def test_an_entry_that_could_not_be_recorded_is_a_refusal(yard: Yard, recorder: FakeRecorder) -> None:
    scan = asyncio.create_task(yard.dock.scan("out", load_number("out", 1), "c-1", "door out"))
    await settled()
    yard.dock.detach()
    await recorder.fail(OSError("disk"))
    with pytest.raises(Refused, match="Nothing may pass"):
        await scan
    assert yard.dock.door("out").reason == "cannot-record"


# -- the same thing twice --------------------------------------------------------------------------


async def test_a_pallet_scanned_twice_counts_once(yard: Yard, recorder: FakeRecorder) -> None:
    yard.read("in", load_number("in", 1))
    await recorder.tell()
    written = len(recorder.records)
    view = yard.read("in", load_number("in", 1))
    assert (view.state, view.reason, view.counted) == ("ACCEPTED", "already-counted", 1)
    assert len(recorder.records) == written


async def test_already_counted_waits_for_the_first_scans_entry(yard: Yard, recorder: FakeRecorder) -> None:
    yard.read("in", load_number("in", 1))
    assert yard.read("in", load_number("in", 1)).state == "READY"
    await recorder.tell()
    view = yard.dock.door("in")
    assert (view.state, view.reason) == ("ACCEPTED", "already-counted")


async def test_a_label_read_twice_within_two_seconds_is_one_scan(yard: Yard, recorder: FakeRecorder) -> None:
    await counted_label(yard, recorder)
    view = yard.read("out", label(), seconds=1.9)
    assert (view.state, view.reason) == ("ACCEPTED", "repeat-scan")
    assert yard.dock.books.account(OUT).used == 20

    view = yard.read("out", label(), seconds=2.1)
    assert view.reason == "quantity-needed", "the next pallet with the same label"


async def test_a_repeat_never_softens_what_was_said(yard: Yard, recorder: FakeRecorder) -> None:
    """A scanner that fires twice at a refused label: the door goes on to say STOP."""
    stopped = label("09521999001034", "L9")
    first = yard.read("in", stopped)
    assert first.state == "STOP"
    await recorder.tell()
    written = len(recorder.records)
    again = yard.read("in", stopped, seconds=1)
    assert (again.state, again.reason) == ("STOP", first.reason)

    yard.read("in", load_number("in", 1), seconds=0.1)
    await recorder.tell()
    later = yard.read("in", label(), seconds=0.1)
    assert later.prompt is not None
    repeated = yard.read("in", label(), seconds=0.1)
    assert repeated.prompt == later.prompt, "the question stays open"
    assert len(recorder.records) == written + 2


async def test_a_repeat_after_another_load_says_what_was_said_of_it(
    yard: Yard, recorder: FakeRecorder
) -> None:
    yard.read("in", load_number("in", 1))
    await recorder.tell()
    stopped = label("09521999001034", "L9")
    yard.read("in", stopped)
    assert yard.read("in", load_number("in", 1), seconds=0.5).state == "ACCEPTED"
    assert yard.read("in", stopped, seconds=0.5).state == "STOP"


async def test_a_repeat_while_the_first_is_recorded_waits_for_it(yard: Yard, recorder: FakeRecorder) -> None:
    view = yard.read("out", label())
    assert view.prompt is not None
    await recorder.tell()
    task = asyncio.create_task(yard.dock.quantity("out", view.prompt.hold, "20", "q-1", "door out"))
    await settled()
    assert yard.read("out", label(), seconds=1).state == "READY"
    await recorder.tell()
    await task
    assert yard.dock.door("out").reason == "repeat-scan"
    assert yard.dock.door("out").state == "ACCEPTED"


@pytest.mark.parametrize("back", [1, 2, 3600])
async def test_a_clock_set_back_makes_no_scan_a_repeat(yard: Yard, recorder: FakeRecorder, back: int) -> None:
    await counted_label(yard, recorder)
    yard.time.at -= timedelta(seconds=back)
    assert yard.read("out", label(), seconds=2.1).reason == "quantity-needed"


async def test_a_clock_set_forward_lets_no_repeat_pass(yard: Yard, recorder: FakeRecorder) -> None:
    await counted_label(yard, recorder)
    yard.time.at += timedelta(hours=1)
    assert yard.read("out", label(), seconds=0.5).reason == "repeat-scan"


async def test_a_label_may_be_scanned_again_at_once_after_an_undo(yard: Yard, recorder: FakeRecorder) -> None:
    await counted_label(yard, recorder)
    yard.read("out", UNDO, seconds=0.5)
    assert yard.read("out", label(), seconds=0.5).reason == "quantity-needed"


async def test_the_same_client_id_counts_once(yard: Yard, recorder: FakeRecorder) -> None:
    """A screen that lost the answer sends its scan again."""
    for _ in range(3):
        task = asyncio.create_task(yard.dock.scan("out", load_number("out", 1), "c-1", "door out"))
        await settled()
        await recorder.tell()
        assert (await task).counted == 1
    assert recorder.types().count("withdrawal") == 1

    before = recorder.types().count("stop")
    for _ in range(2):
        await yard_scan(yard, recorder, load_number("out", 4), "c-2")
    assert recorder.types().count("stop") == before + 1


async def yard_scan(yard: Yard, recorder: FakeRecorder, code: bytes, client_id: str) -> DoorView:
    task = asyncio.create_task(yard.dock.scan("out", code, client_id, "door out"))
    await settled()
    await recorder.tell()
    return await task


async def test_an_open_hold_is_written_once(yard: Yard, recorder: FakeRecorder) -> None:
    first = yard.read("in", pallet(UNKNOWN))
    again = yard.read("in", pallet(UNKNOWN))
    assert (again.state, again.reason) == (first.state, first.reason)
    assert recorder.types().count("hold") == 1
    yard.read("in", pallet(UNKNOWN + 1))
    assert recorder.types().count("hold") == 2


# -- two doors, one account ------------------------------------------------------------------------


def two_outbound_doors(recorder: FakeRecorder, line: int) -> Yard:
    """Both doors load trucks on the same permit line."""
    second = Conveyance("OUT-3", "Trailer 3", "Carrier", "in", Direction.OUT, (), (OUT,))
    yard = Yard(Papers(line=line, more=(("conveyance", second),)), recorder=recorder)
    yard.open("out")
    yard.read("in", order("OUT-3"))
    return yard


async def test_two_doors_cannot_spend_the_same_quantity() -> None:
    """Judged and queued without an await between: the second door sees what the first took."""
    recorder = FakeRecorder()
    yard = two_outbound_doors(recorder, line=200)
    doors = ("out", "in", "out")
    scans = [
        asyncio.create_task(yard.dock.scan(door, load_number("out", number), f"c-{number}", "a screen"))
        for door, number in zip(doors, (1, 2, 10), strict=True)
    ]
    await settled()
    assert recorder.types().count("withdrawal") == 1, "nothing is told yet, and the quantity is reserved"
    assert yard.dock.door("in").reason == "straddles-limit"
    await recorder.tell()
    await asyncio.gather(*scans)
    assert recorder.types().count("stop") == 2
    assert yard.dock.books.account(OUT).used == 125


async def test_one_pallet_at_two_doors_leaves_once() -> None:
    recorder = FakeRecorder()
    yard = two_outbound_doors(recorder, line=1000)
    yard.read("out", load_number("out", 1))
    assert yard.read("in", load_number("out", 1)).reason == "already-withdrawn"
    assert recorder.types().count("withdrawal") == 1


# -- a journal that cannot write -------------------------------------------------------------------


async def test_without_a_journal_every_door_says_stop_and_nothing_is_written(
    yard: Yard, recorder: FakeRecorder
) -> None:
    yard.dock.detach()
    written = len(recorder.records), len(recorder.reads)
    for door in ("in", "out"):
        view = yard.dock.door(door)
        assert (view.state, view.sentence) == ("STOP", "This dock cannot record.")
        for code in (load_number(door, 1), UNDO, CLOSE, order("IN-1"), pallet(UNKNOWN), b"NOREAD"):
            assert yard.read(door, code).state == "STOP"
        assert (await yard.dock.scan(door, load_number(door, 1), "c-1", "x")).state == "STOP"
    for act in (
        yard.dock.undo("out", "u-1", "x"),
        yard.dock.close_job("out", "x"),
        yard.dock.open_job("in", "IN-1", None, "x"),
    ):
        with pytest.raises(Refused):
            await act
    yard.dock.alarm("in", "scanner", "flood", "too much", 1)
    assert (len(recorder.records), len(recorder.reads)) == written


async def test_attached_again_the_doors_are_ready_and_judge_by_the_new_books(
    yard: Yard, recorder: FakeRecorder
) -> None:
    yard.read("out", load_number("out", 1))
    yard.dock.detach()
    await recorder.fail(OSError("disk"))
    assert yard.dock.door("out").state == "STOP"

    recorder.records.pop()  # the withdrawal was never written
    books = NodeBooks()
    books.fold_records(recorder.records)
    assert yard.dock.books.state.settings is not None
    yard.dock.attach(recorder, books, yard.dock.books.state.settings)
    assert yard.dock.door("out").reason == "ready"
    assert yard.dock.have == 0, "the center must say anew what it has"
    assert yard.dock.books.account(OUT).used == 0
    assert yard.read("out", load_number("out", 1)).reason == "grant-pending"


async def test_a_quiet_end_leaves_the_screens_as_they_are(yard: Yard) -> None:
    yard.dock.detach(quiet=True)
    assert yard.dock.door("in").reason == "opened"


# -- what is kept ----------------------------------------------------------------------------------


async def test_every_read_is_kept_with_what_came_of_it(yard: Yard, recorder: FakeRecorder) -> None:
    recorder.reads.clear()
    codes = [load_number("out", 1), load_number("out", 1), pallet(UNKNOWN), UNDO, CLOSE, order("OUT-2")]
    for code in codes:
        yard.read("out", code)
    assert [read["raw"] for read in recorder.reads] == codes
    assert [read["verdict"] for read in recorder.reads] == [
        "withdrawn",
        "already-counted",
        "unknown-load",
        "undone",
        "closed-short",
        "opened",
    ]
    ids = {entry.entry_id: entry.type for entry in recorder.entries}
    kept = [ids.get(read["entry_id"]) for read in recorder.reads]
    assert kept == ["withdrawal", None, "hold", "correction", "job", "job"]
    assert recorder.reads[1]["entry_id"] is None


async def test_every_entry_names_the_inputs_it_was_judged_by(yard: Yard, recorder: FakeRecorder) -> None:
    before = inputs_hash(yard.dock.books, "out")
    yard.read("out", load_number("out", 1))
    assert recorder.entries[-1].inputs_hash == before
    yard.send(Papers(line=2000).entries(recorder.epoch))
    assert inputs_hash(yard.dock.books, "out") != before, "another permit, other inputs"


async def test_hostile_codes_are_kept_printable_and_refused(yard: Yard, recorder: FakeRecorder) -> None:
    hostile = [
        b"<script>alert(1)</script>",
        b"'; DROP TABLE entry; --",
        b"=cmd|' /C calc'!A0",
        bytes(range(256)),
        b"9" * 10_000,
        b"\x1b[2J\x00",
        b"ZG1:J:IN-1:0",
    ]
    for code in hostile:
        view = yard.read("in", code)
        assert (view.state, view.reason) == ("HOLD", "unreadable")
        assert view.code.isprintable()
        assert len(view.code) < 500
    assert recorder.types().count("hold") == 1, "blind reads of one door are one Hold"


async def test_listeners_hear_of_a_refusal_at_once_and_of_a_passing_load_when_it_is_told(
    yard: Yard, recorder: FakeRecorder
) -> None:
    heard: list[str] = []
    yard.dock.on_change(heard.append)
    yard.read("out", load_number("out", 4))
    assert heard == ["out"], "refused"
    heard.clear()
    yard.read("out", load_number("out", 1))
    assert heard == [], "a commit that takes milliseconds is not worth a word"
    await recorder.tell()
    assert heard == ["out"], "told"


async def test_a_commit_that_lasts_is_said_to_be_waited_for(
    yard: Yard, recorder: FakeRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.dock.CHECKING_S", 0.0)
    heard: asyncio.Queue[str] = asyncio.Queue()
    yard.dock.on_change(heard.put_nowait)
    yard.read("out", load_number("out", 1))
    async with asyncio.timeout(10):
        assert await heard.get() == "out"
    assert yard.dock.door("out").reason == "checking"
    await recorder.tell()
    assert yard.dock.door("out").state == "ACCEPTED"


async def test_an_unknown_door_is_refused_by_name(yard: Yard) -> None:
    with pytest.raises(Refused, match="doors are in, out"):
        yard.dock.door("roof")


async def test_the_inventory_is_found_by_what_people_type(yard: Yard) -> None:
    assert {held.gtin for held in yard.dock.inventory(TOOL)} == {TOOL}
    assert len(yard.dock.inventory(sscc(1))) == 1
    assert len(yard.dock.inventory("l7")) == 1
    assert len(yard.dock.inventory("", limit=2)) == 2
