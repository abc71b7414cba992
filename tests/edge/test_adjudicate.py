# SPDX-License-Identifier: Apache-2.0
"""Every row of the table of verdicts, in every direction it speaks of, as a door meets it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product

import pytest

from customs.documents import Conveyance, Direction, LineRef, Permit, PermitLine, Status
from edge.adjudicate import OPENS, Moment, Verdict, judge_read
from edge.given import CODE_BYTES_MAX
from edge.words import TABLE, Row, as_markdown, row
from sync.bodies import Close, Grant
from tests.edge.situations import SITUATIONS, after, opened, straddles_limit
from tests.edge.yard import (
    BRACKET,
    OWNER,
    START,
    TOOL,
    WEEK,
    Clockwork,
    Papers,
    Yard,
    load_number,
    order,
    pallet,
)
from tests.source import ROOT


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
