# SPDX-License-Identifier: Apache-2.0
"""Every row of the table of verdicts, in every direction it speaks of, as a door meets it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product

import msgspec
import pytest

from customs.documents import Conveyance, Direction, LineRef, Permit, PermitLine, Status
from edge.adjudicate import OPENS, Moment, Verdict, judge_read
from edge.given import CODE_BYTES_MAX
from edge.passage import PassageKind
from edge.view import DoorView
from edge.words import TABLE, Row, as_markdown, row
from gs1 import gtin_link, sscc_link
from sync.bodies import Close, Dispute, Grant, Holdings, Lent, Moved
from tests.edge.gates import STRANGE, UNSURE, crossed, number_of, passage, unit
from tests.edge.yard import (
    BRACKET,
    CLOSE,
    GONE,
    HELD,
    NOTICED,
    OTHER_OWNER,
    OWNER,
    START,
    TOOL,
    UNDO,
    UNKNOWN,
    WEEK,
    Clockwork,
    Papers,
    Yard,
    label,
    load_number,
    order,
    pallet,
    settled,
    sscc,
    tools_without_sscc,
)
from tests.source import ROOT

Situation = Callable[[str], Awaitable[tuple[Yard, DoorView]]]
SITUATIONS: dict[str, Situation] = {}
"""By reason code: brings a door of that direction into the situation of the row."""


def situation(reason: str) -> Callable[[Situation], Situation]:
    def keep(make: Situation) -> Situation:
        SITUATIONS[reason] = make
        return make

    return keep


def opened(way: str, papers: Papers | None = None) -> Yard:
    """A door with an open truck and all papers confirmed."""
    yard = Yard(papers or Papers())
    yard.open(way)
    return yard


async def after(yard: Yard, way: str, *codes: bytes) -> tuple[Yard, DoorView]:
    for code in codes[:-1]:
        await yard.told(way, code)
    return yard, await yard.told(way, codes[-1])


@situation("admitted")
@situation("withdrawn")
async def passes(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, load_number(way, 1))


@situation("domestic")
async def domestic(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, load_number(way, 3))


@situation("temporary-deposit")
async def temporary_deposit(way: str) -> tuple[Yard, DoorView]:
    yard = Yard(Papers())
    _, view = await after(yard, way, load_number(way, 1))
    assert view.reason == "no-job"
    [hold] = yard.dock.books.state.holds
    await yard.dock.decide(hold, "deposit", "papers follow", "supervisor", "125")
    await settled()
    return yard, yard.dock.door(way)


@situation("already-counted")
async def already_counted(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, load_number(way, 1), load_number(way, 2), load_number(way, 1))


@situation("repeat-scan")
async def repeat_scan(way: str) -> tuple[Yard, DoorView]:
    yard, view = await quantity_needed(way)
    assert view.prompt is not None
    await yard.dock.quantity(way, view.prompt.hold, "20", "client-1", "worker")
    return yard, await yard.told(way, label(), seconds=1)


@situation("job-already-open")
async def job_already_open(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, order(f"{way.upper()}-1"))


@situation("nothing-to-undo")
async def nothing_to_undo(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, UNDO)


@situation("nothing-to-close")
async def nothing_to_close(way: str) -> tuple[Yard, DoorView]:
    return await after(Yard(Papers()), way, CLOSE)


@situation("unreadable")
async def unreadable(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, b"]C100095219990000000014")


@situation("no-goods")
async def no_goods(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, b"]C1400ORDER-1")


@situation("parcel")
async def parcel(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, b"]C01Z999AA10123456784")


@situation("asset")
async def asset(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, b"]C18003095211411234545678")


@situation("place")
async def place(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, b"]C14149521141123454")


@situation("no-read")
async def no_read(way: str) -> tuple[Yard, DoorView]:
    yard = opened(way)
    return yard, await yard.told(way, b"NOREAD", no_read=True)


@situation("no-job")
async def no_job(way: str) -> tuple[Yard, DoorView]:
    return await after(Yard(Papers()), way, load_number(way, 1))


@situation("job-unknown")
async def job_unknown(way: str) -> tuple[Yard, DoorView]:
    return await after(Yard(Papers()), way, order("NOBODYS"))


@situation("job-wrong-door")
async def job_wrong_door(way: str) -> tuple[Yard, DoorView]:
    other = {"in": "OUT-1", "out": "IN-1"}[way]
    return await after(Yard(Papers()), way, order(other))


@situation("job-open")
async def job_open(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, order(f"{way.upper()}-2"))


@situation("job-closed")
async def job_closed(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, CLOSE, order(f"{way.upper()}-1"))


@situation("seals")
async def seals(way: str) -> tuple[Yard, DoorView]:
    yard = Yard(Papers(seals=("S-1", "S-2")))
    await yard.dock.open_job(way, f"{way.upper()}-1", ("S-1", "broken"), "supervisor")
    assert yard.dock.door(way).reason == "seals", "said at once, before any load"
    return await after(yard, way, load_number(way, 1))


@situation("never-synced")
async def never_synced(way: str) -> tuple[Yard, DoorView]:
    return await after(Yard(), way, load_number(way, 1))


@situation("grant-pending")
async def grant_pending(way: str) -> tuple[Yard, DoorView]:
    yard = opened(way)
    yard.dock.have = 0
    return await after(yard, way, load_number(way, 1))


@situation("clock-unsure")
async def clock_unsure(way: str) -> tuple[Yard, DoorView]:
    yard = opened(way)
    yard.time.synchronized = False
    return await after(yard, way, load_number(way, 1))


@situation("update-dock")
async def update_dock(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way, Papers(rules=("of-next-year",))), way, load_number(way, 1))


@situation("unknown-load")
async def unknown_load(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, pallet(UNKNOWN))


@situation("quantity-needed")
async def quantity_needed(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, label())


@situation("already-in-zone")
async def already_in_zone(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, pallet(HELD))


@situation("returned-load")
async def returned_load(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, pallet(GONE))


@situation("mixed-lot")
async def mixed_lot(way: str) -> tuple[Yard, DoorView]:
    others = msgspec.structs.replace(
        tools_without_sscc(50), owner=OTHER_OWNER, key=gtin_link(TOOL, "L9"), lot="L9"
    )
    more = (("holdings", Holdings("b" * 32, (Moved(True, others),))),)
    return await after(opened(way, Papers(more=more)), way, label(lot="L9"))


@situation("not-in-zone")
async def not_in_zone(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, pallet(NOTICED))


@situation("already-withdrawn")
async def already_withdrawn(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, pallet(GONE))


@situation("not-on-permit")
async def not_on_permit(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, load_number(way, 4))


@situation("wrong-owner")
async def wrong_owner(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way), way, load_number(way, 5))


@situation("permit-not-yet-valid")
async def permit_not_yet_valid(way: str) -> tuple[Yard, DoorView]:
    papers = Papers(valid=(date(2026, 6, 8), date(2026, 6, 14)))
    return await after(opened(way, papers), way, load_number(way, 1))


@situation("permit-expired")
async def permit_expired(way: str) -> tuple[Yard, DoorView]:
    papers = Papers(valid=(date(2026, 5, 25), date(2026, 5, 31)))
    return await after(opened(way, papers), way, load_number(way, 1))


@situation("permit-exhausted")
async def permit_exhausted(way: str) -> tuple[Yard, DoorView]:
    loads = (load_number(way, number) for number in (1, 2, 10))
    return await after(opened(way, Papers(line=250)), way, *loads)


@situation("straddles-limit")
async def straddles_limit(way: str) -> tuple[Yard, DoorView]:
    return await after(opened(way, Papers(line=140)), way, load_number(way, 1), load_number(way, 2))


@situation("leased-elsewhere")
async def leased_elsewhere(way: str) -> tuple[Yard, DoorView]:
    more = tuple(("lent", Lent(f"P-{side}", "1", {"dock-9": Decimal(1000)})) for side in ("IN", "OUT"))
    return await after(opened(way, Papers(granted=0, more=more)), way, load_number(way, 1))


@situation("disputed")
async def disputed(way: str) -> tuple[Yard, DoorView]:
    load = sscc_link(sscc(int(way == "in") * 100 + 1))
    more = (("dispute", Dispute("0" * 8, "dock-1", load, "counted short", "office")),)
    return await after(opened(way, Papers(more=more)), way, load_number(way, 1))


@situation("wrong-way")
async def wrong_way(way: str) -> tuple[Yard, DoorView]:
    yard = opened(way)
    other = {"in": "out", "out": "in"}[way]
    return yard, await crossed(yard, passage(way, [unit(number_of(way, 1))], way=other))


@situation("not-sure")
async def not_sure(way: str) -> tuple[Yard, DoorView]:
    yard = opened(way)
    return yard, await crossed(yard, passage(way, [unit(number_of(way, 1))], confidence=UNSURE))


@situation("no-tag")
async def no_tag(way: str) -> tuple[Yard, DoorView]:
    yard = opened(way)
    return yard, await crossed(yard, passage(way, kind=PassageKind.UNREAD))


@situation("unknown-tags")
async def unknown_tags(way: str) -> tuple[Yard, DoorView]:
    yard = opened(way)
    return yard, await crossed(yard, passage(way, [STRANGE]))


@situation("cannot-record")
async def cannot_record(way: str) -> tuple[Yard, DoorView]:
    yard = opened(way)
    yard.dock.detach()
    assert yard.dock.door(way).reason == "cannot-record", "said at once"
    return await after(yard, way, load_number(way, 1))


def walked() -> list[tuple[Row, str]]:
    return [
        (row, way)
        for row, way in product(TABLE, ("in", "out"))
        if row.direction in (way, "any") and row.reason in SITUATIONS
    ]


def test_every_row_is_walked_and_no_other() -> None:
    assert SITUATIONS.keys() == {row.reason for row in TABLE}
    assert len(TABLE) == len(SITUATIONS), "a reason code stands once"
    assert {row.direction for row in TABLE} == {"in", "out", "any"}


@pytest.mark.parametrize(
    ("row", "way"), walked(), ids=lambda value: value if isinstance(value, str) else value[0]
)
async def test_a_row_of_the_table(row: Row, way: str) -> None:
    yard, view = await SITUATIONS[row.reason](way)

    assert view.reason == row.reason
    notice = "ACCEPTED" if row.reason in ("already-counted", "repeat-scan") else "READY"
    assert view.state == (notice if row.verdict == "NOTICE" else row.verdict)
    assert view.step == row.step
    if "{" in row.sentence:
        assert view.sentence.startswith(row.sentence.split("{", 1)[0])
        assert not {"{", "}"} & set(view.sentence)
        assert "None" not in view.sentence
    else:
        assert view.sentence == row.sentence

    kind, body = yard.recorder.last()
    written = {
        "ACCEPTED": "admission" if way == "in" else "withdrawal",
        "HOLD": "hold",
        "STOP": "stop",
    }.get(row.verdict)
    if written is None or row.reason == "cannot-record":
        assert getattr(body, "reason", "") != row.reason, "a notice writes nothing"
        return
    assert (kind, body.reason) == (written, row.reason)


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("straddles-limit", "Only 15 EA are left, this has 125."),
        ("permit-not-yet-valid", "The permit is not valid before 2026-06-08."),
        ("permit-expired", "The permit ended on 2026-05-31."),
        ("job-wrong-door", "This truck is planned for door out."),
    ],
)
async def test_a_sentence_names_its_figures(reason: str, sentence: str) -> None:
    _, view = await SITUATIONS[reason]("in")
    assert view.sentence == sentence


def test_the_architecture_shows_the_table() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    shown = text.split("<!-- table -->\n", 1)[1].split("\n<!-- /table -->", 1)[0]
    assert shown == as_markdown()


# -- the rules beside the table -------------------------------------------------------------------


async def test_a_stopped_load_debits_nothing_and_moves_nothing() -> None:
    yard, _ = await straddles_limit("out")
    _, body = yard.recorder.last()
    assert (body.line, body.left) == (LineRef("P-OUT", "1"), Decimal(15))
    assert yard.dock.books.account(LineRef("P-OUT", "1")).used == 125
    [held] = [held for held in yard.dock.inventory() if held.key.endswith(pallet(2)[5:].decode())]
    assert held.quantity == 125


async def test_a_pallet_that_fits_the_rest_passes_to_the_last_piece() -> None:
    _, view = await after(
        opened("out", Papers(line=250)), "out", load_number("out", 1), load_number("out", 2)
    )
    assert view.state == "ACCEPTED"


def second_permit(owner: str = OWNER, quantity: int = 1000, valid: tuple[date, date] = WEEK) -> Papers:
    """The outbound truck has lines of two permits; of the first, 140 are left."""
    line = PermitLine("7", TOOL, Status.NPF, Decimal(quantity), "EA", Direction.OUT)
    refs = (LineRef("P-OUT", "1"), LineRef("X-2", "7"), LineRef("P-GONE", "1"))
    return Papers(
        line=140,
        more=(
            ("permit", Permit("X-2", "export", owner, *valid, (line,))),
            ("grant", Grant("X-2", "7", "dock-1", "e" * 32, Decimal(quantity))),
            ("conveyance", Conveyance("OUT-1", "Trailer", "Carrier", "out", Direction.OUT, (), refs)),
        ),
    )


async def test_lines_are_asked_in_the_order_of_the_truck() -> None:
    yard, view = await after(opened("out", second_permit()), "out", load_number("out", 1))
    assert yard.recorder.last()[1].use.ref == LineRef("P-OUT", "1")
    _, view = await after(yard, "out", load_number("out", 2))
    assert view.state == "ACCEPTED"
    assert yard.recorder.last()[1].use.ref == LineRef("X-2", "7"), "a load is judged whole, on one line"


async def test_of_several_refusals_the_one_that_came_closest_is_said() -> None:
    papers = second_permit(quantity=10)
    _, view = await after(opened("out", papers), "out", load_number("out", 1), load_number("out", 2))
    assert (view.reason, view.sentence) == ("straddles-limit", "Only 15 EA are left, this has 125.")
    papers = second_permit(owner="Example One")
    _, view = await after(opened("out", papers), "out", load_number("out", 1), load_number("out", 2))
    assert view.reason == "straddles-limit", "another owner's line says less"


async def test_the_other_lines_of_the_truck_do_not_lend_to_another_product() -> None:
    yard, view = await after(opened("out"), "out", load_number("out", 6))
    assert view.state == "ACCEPTED"
    assert yard.recorder.last()[1].use.ref == LineRef("P-OUT", "2")
    assert yard.recorder.last()[1].load.gtin == BRACKET


async def test_domestic_goods_need_no_permit_no_grant_and_no_clock() -> None:
    yard = opened("out", Papers(granted=0, valid=(date(2020, 1, 1), date(2020, 1, 2))))
    yard.time.synchronized, yard.dock.have = False, 0
    yard, view = await after(yard, "out", load_number("out", 3))
    assert view.state == "ACCEPTED"
    assert yard.recorder.last()[1].use is None
    assert view.counted == 1


def judged(at: datetime, *, valid: tuple[date, date], synchronized: bool = True) -> Verdict:
    clockwork = Clockwork()
    yard = Yard(Papers(valid=valid), clockwork=clockwork)
    yard.open("out")
    return judge_read(
        yard.dock.books, "out", load_number("out", 1), Moment(at, synchronized, 99), None, no_read=False
    )


MIDNIGHT = datetime(2026, 6, 8, 5, 0, tzinfo=UTC)
"""00:00 on 8 June in Chicago, in summer five hours behind UTC."""

INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("at", "valid", "reason"),
    [
        (MIDNIGHT - INSTANT, WEEK, "withdrawn"),
        (MIDNIGHT, WEEK, "permit-expired"),
        (datetime(2026, 6, 1, 5, tzinfo=UTC) - INSTANT, WEEK, "permit-not-yet-valid"),
        (datetime(2026, 6, 1, 5, tzinfo=UTC), WEEK, "withdrawn"),
        # In winter six hours: the date is the zone's, not UTC's and not a fixed offset's.
        (datetime(2026, 12, 8, 6, tzinfo=UTC) - INSTANT, (date(2026, 12, 1), date(2026, 12, 7)), "withdrawn"),
        (datetime(2026, 12, 8, 6, tzinfo=UTC), (date(2026, 12, 1), date(2026, 12, 7)), "permit-expired"),
    ],
)
async def test_a_permit_is_valid_by_the_dates_of_its_zone(
    at: datetime, valid: tuple[date, date], reason: str
) -> None:
    assert judged(at, valid=valid).reason == reason


async def test_an_unsure_clock_holds_even_what_looks_expired() -> None:
    past = (date(2020, 1, 1), date(2020, 1, 2))
    assert judged(START, valid=past, synchronized=False).reason == "clock-unsure"


async def test_a_host_that_is_trusted_with_the_time_judges_by_it() -> None:
    yard = opened("out")
    yard.time.synchronized = False
    yard.dock._trust_clock = True
    _, view = await after(yard, "out", load_number("out", 1))
    assert view.state == "ACCEPTED"
    assert yard.recorder.entries[-1].clock.synchronized


async def test_a_planned_work_order_opens() -> None:
    yard = Yard(Papers())
    verdict = judge_read(yard.dock.books, "in", order("IN-1"), yard.dock.moment(), None, no_read=False)
    assert (verdict.reason, verdict.kind, verdict.job) == (OPENS, OPENS, "IN-1")


async def test_a_code_too_long_to_be_kept_is_unreadable_whatever_it_says() -> None:
    long = b"https://id.gs1.org/00/" + pallet(1)[5:] + b"?x=" + b"1" * CODE_BYTES_MAX
    yard = opened("out")
    verdict = judge_read(yard.dock.books, "out", long, yard.dock.moment(), None, no_read=False)
    cut = judge_read(yard.dock.books, "out", long[:CODE_BYTES_MAX], yard.dock.moment(), None, no_read=False)
    assert verdict == cut
    assert verdict.reason == "unreadable"
    short = long[:200]
    judged_short = judge_read(yard.dock.books, "out", short, yard.dock.moment(), None, no_read=False)
    assert judged_short.reason == "withdrawn", "the same link, when it fits"


async def test_only_what_passes_debits() -> None:
    yard = opened("out")
    passing = judge_read(
        yard.dock.books, "out", load_number("out", 1), yard.dock.moment(), None, no_read=False
    )
    assert passing.use is not None
    assert passing.use.quantity == 125
    yard.dock.have = 0
    held = judge_read(yard.dock.books, "out", load_number("out", 1), yard.dock.moment(), None, no_read=False)
    assert held.line == LineRef("P-OUT", "1")
    assert held.use is None


async def test_a_good_scan_settles_the_blind_one_before_it() -> None:
    yard = opened("in")
    await yard.told("in", b"NOREAD", no_read=True)
    [hold] = yard.dock.books.state.holds
    _, view = await after(yard, "in", load_number("in", 1))
    assert view.state == "ACCEPTED"
    assert yard.recorder.last()[1].clears == hold
    assert yard.dock.books.state.holds == {}


def test_the_table_says_what_a_forklift_driver_can_read() -> None:
    for line in TABLE:
        assert len(line.sentence) <= 52, line.reason
        assert len(line.step) <= 44, line.reason
        assert line.verdict in ("ACCEPTED", "HOLD", "STOP", "NOTICE")
        assert row(line.reason) is line


@pytest.mark.parametrize("way", ["in", "out"])
async def test_in_an_epoch_that_the_center_has_closed_loads_wait_and_nothing_is_spent(way: str) -> None:
    closed = (("close", Close("dock-1", ("e" * 32,), ())),)
    yard, view = await after(opened(way, Papers(more=closed)), way, load_number(way, 1))
    assert (view.state, view.reason) == ("HOLD", "grant-pending")
    assert all(account.used == 0 for account in yard.dock.books.state.accounts.values())
    another = (("close", Close("dock-2", ("f" * 32,), ())),)
    _, view = await after(opened(way, Papers(more=another)), way, load_number(way, 1))
    assert view.state == "ACCEPTED", "the control: another dock's epoch"
