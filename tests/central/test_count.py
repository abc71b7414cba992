# SPDX-License-Identifier: Apache-2.0
"""A write-off's preview: it shows what the act then does, and changes nothing itself."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.web import count
from central.web.count import Said
from customs.documents import Direction, LineRef, Permit, PermitLine, Status
from sync import decisions
from sync.bodies import Close, Revoked
from sync.center import CenterBook, EpochBook
from sync.decisions import Undecidable
from sync.entry import Place

LOGS = ("a" * 32, "b" * 32, "c" * 32)
REFS = (LineRef("W24", "1"), LineRef('W"24/', "1/2"))
amounts = st.decimals(0, 3000, places=2)


def book_of(held: list[tuple[Decimal, Decimal, Decimal]]) -> CenterBook:
    """A center with one dock of three logs, and what each was lent, gave back and used of two lines."""
    book = CenterBook("example", "zone-999")
    for ref in REFS:
        line = PermitLine(ref.line, "09521999001058", Status.NPF, Decimal(5000), "EA", Direction.OUT)
        dates = (date(2026, 1, 1), date(2026, 12, 31))
        book.permits[ref.permit] = Permit(ref.permit, "weekly-entry", "Example User", *dates, (line,))
    for log in LOGS:
        book.epochs[log] = EpochBook("dock-1", log[0] * 64, Place(log, 1, "0" * 64))
        book.met["dock-1"].append(log)
        book.keys["dock-1"].add(log[0] * 64)
    places = [(log, ref) for log in LOGS for ref in REFS]
    for (log, ref), (granted, returned, used) in zip(places, held, strict=True):
        account = book.accounts.of(ref, log)
        account.granted, account.returned, account.used = granted, returned, used
    return book


def entered(book: CenterBook, logs: list[str], counts: list[Decimal]) -> Said:
    said = [("node", "dock-1"), *(("log", log) for log in logs)]
    names = [row.name for row in count.read(book, Said(said), asked=False).rows]
    return Said([*said, *zip(names, map(str, counts), strict=True)])


@given(
    st.lists(st.tuples(amounts, amounts, amounts), min_size=6, max_size=6),
    st.sets(st.sampled_from(LOGS), min_size=1),
    st.lists(amounts, min_size=2, max_size=2),
)
def test_the_preview_shows_what_the_act_does(
    held: list[tuple[Decimal, Decimal, Decimal]], logs: set[str], counts: list[Decimal]
) -> None:
    book = book_of(held)
    before = {ref: book.charged(ref) for ref in REFS}
    counting = count.read(book, entered(book, sorted(logs), counts), asked=True)
    assert counting.faults == []
    shown = count.preview(book, counting, "a person", "lost")
    assert {ref: book.charged(ref) for ref in REFS} == before, "a preview changes nothing"
    assert {change.ref: change.before for change in shown.changes} == before
    drafts = decisions.write_off(book, "dock-1", sorted(logs), counting.amounts, by="a person", note="lost")
    for _, body in drafts:
        if isinstance(body, Close):
            book.accounts.close(body)
        elif isinstance(body, Revoked):
            assert body.keys == shown.keys
    assert {change.ref: change.after for change in shown.changes} == {ref: book.charged(ref) for ref in REFS}


def test_any_figure_that_moves_changes_what_was_seen() -> None:
    held = [(Decimal(100), Decimal(0), Decimal(50))] * 6
    book = book_of(held)
    said = entered(book, [LOGS[0]], [Decimal(60), Decimal(70)])
    seen = {count.preview(book, count.read(book, said, asked=True), "a", "n").seen for _ in range(2)}
    assert len(seen) == 1
    book.accounts.of(REFS[1], LOGS[2]).used += Decimal(90)
    seen.add(count.preview(book, count.read(book, said, asked=True), "a", "n").seen)
    other = entered(book, [LOGS[0]], [Decimal(60), Decimal(71)])
    seen.add(count.preview(book, count.read(book, other, asked=True), "a", "n").seen)
    assert len(seen) == 3


def test_a_log_of_another_dock_cannot_be_counted() -> None:
    book = book_of([(Decimal(100), Decimal(0), Decimal(50))] * 6)
    said = Said([("node", "dock-2"), ("log", LOGS[0])])
    with pytest.raises(Undecidable):
        count.preview(book, count.read(book, said, asked=True), "a", "n")


def test_a_gap_is_asked_for_with_the_open_logs_before_it() -> None:
    book = book_of([(Decimal(100), Decimal(0), Decimal(50))] * 6)
    book.accounts.closed.add(LOGS[0])
    asked = count.with_logs_before(book, Said([("node", "dock-1"), ("gap", LOGS[2])]))
    assert asked.all("log") == [LOGS[1]]
    chosen = Said([("node", "dock-1"), ("gap", LOGS[2]), ("log", LOGS[2])])
    assert count.with_logs_before(book, chosen).all("log") == [LOGS[2]]
