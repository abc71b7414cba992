# SPDX-License-Identifier: Apache-2.0
"""Rows of law: what holds on a day as known, what supersedes what, which rows may not come in."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.known import KNOWN_ALL, Known
from customs.law import (
    Ambiguous,
    AnyRow,
    ColumnTwo,
    Dataset,
    FeeLimits,
    Holiday,
    LawBook,
    Mark,
    Program,
    Rate,
    RowRef,
    TariffRow,
)
from customs.law_faults import law_faults
from customs.us.fees import limits_on
from tests.customs.example_zone import BOOK, EXAMPLE, D, advalorem, fee_limits, program, tariff_row

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
KEY = "7616/general"


def loaded(seq: int, *rows: AnyRow, since: date | None = None) -> Dataset:
    return Dataset(f"{seq:064d}", Known(0, seq), rows, since)


def row(first: date, last: date | None, fraction: str = "0.1") -> TariffRow:
    return tariff_row("7616", advalorem(fraction), valid_from=first, valid_to=last)


def rate_on(book: LawBook, on: date, known: Known = KNOWN_ALL) -> str | None:
    found = book.at(known).one(TariffRow, KEY, on)
    return None if found is None else str(found.row.rate.advalorem)


@pytest.mark.parametrize(
    ("on", "holds"),
    [
        (FIRST - timedelta(1), False),
        (FIRST, True),
        (LAST, True),
        (LAST + timedelta(1), False),
    ],
)
def test_a_row_holds_on_both_its_ends_and_not_beside_them(on: date, holds: bool) -> None:
    assert (rate_on(LawBook([loaded(1, row(FIRST, LAST))]), on) is not None) is holds


def test_a_row_without_an_end_holds_for_good() -> None:
    assert rate_on(LawBook([loaded(1, row(FIRST, None))]), date(2099, 12, 31)) == "0.1"


def test_a_row_is_not_law_before_it_was_known() -> None:
    book = LawBook([loaded(5, row(FIRST, None))])
    assert rate_on(book, FIRST, Known(0, 4)) is None
    assert rate_on(book, FIRST, Known(0, 5)) == "0.1"


def test_a_later_dataset_supersedes_from_its_day_on_and_not_before() -> None:
    old, new = loaded(1, row(FIRST, None)), loaded(2, row(LAST, None, "0.2"), since=LAST)
    book = LawBook([new, old])
    assert [rate_on(book, day) for day in (LAST - timedelta(1), LAST)] == ["0.1", "0.2"]
    assert rate_on(book, LAST, Known(0, 1)) == "0.1"


def test_superseding_leaves_other_keys_alone() -> None:
    other = tariff_row("8501", advalorem("0.04"))
    book = LawBook([loaded(1, row(FIRST, None), other), loaded(2, row(LAST, None, "0.2"), since=LAST)])
    assert book.at().one(TariffRow, "8501/general", LAST) is not None


def test_a_result_names_its_row_and_the_name_leads_back() -> None:
    book = LawBook([loaded(1, row(FIRST, LAST), row(LAST + timedelta(1), None, "0.3"))])
    found = book.at().one(TariffRow, KEY, date(2026, 5, 1))
    assert found is not None
    assert found.ref == RowRef(f"{1:064d}", 2)
    assert book.row(found.ref) == found.row
    assert book.row(RowRef("gone", 1)) is None


def test_two_rows_for_one_day_answer_nothing() -> None:
    book = LawBook([loaded(1, row(FIRST, None), row(LAST, None, "0.2"))])
    with pytest.raises(Ambiguous, match=r"row 1 and .* row 2 both say what 7616/general is on 2026-03-31"):
        rate_on(book, LAST)


spans = st.tuples(st.integers(0, 40), st.integers(0, 12))
files = st.lists(
    st.tuples(st.lists(spans, min_size=1, max_size=3), st.none() | st.integers(0, 40)), max_size=4
)


def made(seq: int, file: tuple[list[tuple[int, int]], int | None]) -> Dataset:
    rows = [
        row(FIRST + timedelta(at), FIRST + timedelta(at + days), f"0.{seq}{n}")
        for n, (at, days) in enumerate(file[0])
    ]
    return loaded(seq, *rows, since=None if file[1] is None else FIRST + timedelta(file[1]))


@given(files, st.integers(0, 60))
def test_what_passes_the_faults_answers_every_day_once(
    histories: list[tuple[list[tuple[int, int]], int | None]], at: int
) -> None:
    book = LawBook()
    asked = FIRST + timedelta(at)
    before: list[tuple[Known, str | None]] = []
    for seq, file in enumerate(histories, 1):
        dataset = made(seq, file)
        if law_faults(dataset.rows, book, dataset.supersedes_from):
            clash = book.plus(dataset)
            assert any(_ambiguous(clash, FIRST + timedelta(day)) for day in range(54))
            continue
        book = book.plus(dataset)
        before.append((dataset.known, rate_on(book, asked)))
    for known, answer in before:
        assert rate_on(book, asked, known) == answer
    assert not any(_ambiguous(book, FIRST + timedelta(day)) for day in range(54))


def _ambiguous(book: LawBook, on: date) -> bool:
    try:
        rate_on(book, on)
    except Ambiguous:
        return True
    return False


def test_an_overlap_names_both_rows_and_the_day() -> None:
    [fault] = law_faults([row(FIRST, LAST), row(LAST, None)])
    assert (fault.row, fault.column) == (2, "valid_from")
    assert "row 1 does on 2026-03-31" in fault.expected
    assert law_faults([row(FIRST, LAST), row(LAST + timedelta(1), None)]) == []


def test_an_overlap_with_the_book_is_found_unless_it_is_superseded() -> None:
    book = LawBook([loaded(1, row(FIRST, None))])
    [fault] = law_faults([row(LAST, None, "0.2")], book)
    assert "row 1 on file" in fault.expected
    assert law_faults([row(LAST, None, "0.2")], book, LAST) == []
    assert law_faults([row(LAST, None, "0.2")], book, LAST + timedelta(1)) != []


def bad(**more: Any) -> TariffRow:
    values: dict[str, Any] = {
        "hts": "7616",
        "column": "general",
        "rate": advalorem("0.1"),
        "valid_from": FIRST,
    }
    return TariffRow(**{**EXAMPLE, **values, **more})


@pytest.mark.parametrize(
    ("wrong", "column"),
    [
        (bad(valid_to=FIRST - timedelta(1)), "valid_to"),
        (bad(source=" "), "source"),
        (bad(hts="76x6"), "hts"),
        (bad(hts="76161"), "hts"),
        (bad(column="generally"), "column"),
        (bad(rate=Rate("8")), "rate.code"),
        (bad(rate=Rate("")), "rate.code"),
        (bad(rate=None), "rate.code"),
        (bad(text="5%"), "text"),
        (bad(text="See 9822.01"), "text"),
        (bad(rate=Rate("1", specific=D("0.1"), unit1="NO"), text="10¢/kg"), "text"),
        (bad(rate=Rate("7")), "rate.advalorem"),
        (bad(rate=Rate("7", advalorem=D(25))), "rate.advalorem"),
        (bad(rate=Rate("7", advalorem=D("-0.1"))), "rate.advalorem"),
        (bad(rate=Rate("7", advalorem=D("NaN"))), "rate.advalorem"),
        (bad(rate=Rate("7", advalorem=D("0.1234567891"))), "rate.advalorem"),
        (bad(rate=Rate("1", specific=D(1))), "rate.unit1"),
        (bad(rate=Rate("7", advalorem=D("0.1"), specific=D(1))), "rate.specific"),
        (bad(rate=Rate("6", specific=D(1), unit1="kg", advalorem=D("0.1"), unit2="No.")), "rate.other"),
        (program("P", "76x", "CN", "0.1"), "headings"),
        (program("P", "76", "China", "0.1"), "origins"),
        (program("P", "76", "CN", "0.1", excludes=("P",)), "excludes"),
        (fee_limits(2026, "700", "600"), "maximum"),
        (fee_limits(2026, "NaN", "600"), "minimum"),
        (fee_limits(2026, "30", "600", valid_to=date(2027, 9, 30)), "valid_to"),
        (fee_limits(2026, "30", "600", rate=D("0.3464")), "rate"),
    ],
)
def test_a_row_that_cannot_be_is_found(wrong: AnyRow, column: str) -> None:
    faults = law_faults([tariff_row("8501", advalorem("0.04")), wrong])
    assert [(fault.row, fault.column) for fault in faults] == [(2, column)]


def test_codes_that_are_not_computed_may_be_kept() -> None:
    assert law_faults([bad(rate=Rate(code)) for code in ("9",)]) == []
    assert law_faults([bad(rate=Rate("see"), text="See 9822.04.01")]) == []


def test_a_printed_rate_may_spell_its_units_differently_and_say_more_than_is_understood() -> None:
    each = Rate("4", specific=D("0.03"), advalorem=D("0.05"), unit1="NO")
    assert law_faults([bad(rate=each, text="3¢ each + 5%")]) == []
    assert law_faults([bad(rate=each, text="5% + 3¢ each")]) == []
    assert law_faults([bad(text="10 % of the value of the works")]) == []


def test_programs_that_exclude_each_other_in_a_ring_are_found() -> None:
    ring = [
        program("A", "76", "CN", "0.1", excludes=("B",)),
        program("B", "76", "CN", "0.1", excludes=("C",)),
        program("C", "76", "CN", "0.1", excludes=("A",)),
    ]
    assert [fault.row for fault in law_faults(ring)] == [1, 2, 3]
    assert law_faults(ring[:2]) == []
    pair = [
        program("A", "76", "CN", "0.1", excludes=("B",)),
        program("B", "76", "CN", "0.1", excludes=("A",)),
    ]
    assert law_faults(pair) == []


def test_every_kind_of_row_is_read_back_as_it_was_written() -> None:
    rows: list[AnyRow] = [row for dataset in BOOK.datasets for row in dataset.rows]
    rows += [
        ColumnTwo(**EXAMPLE, valid_from=FIRST, origin="KP"),
        Holiday(**EXAMPLE, valid_from=date(2026, 6, 19), valid_to=date(2026, 6, 19), name="Juneteenth"),
    ]
    for each in rows:
        assert msgspec.json.decode(msgspec.json.encode(each), type=AnyRow, strict=True) == each


def test_a_years_limits_end_with_the_fiscal_year() -> None:
    book = LawBook([loaded(1, fee_limits(2026, "33.58", "651.50"))])
    assert limits_on(book.at(), date(2026, 9, 30)).row.fiscal_year == 2026
    assert book.at().one(FeeLimits, "mpf", date(2026, 10, 1)) is None


def test_rows_of_one_kind_are_told_once_each() -> None:
    both = program("A", "76", "CN", "0.1"), program("B", "76", "CN", "0.1")
    book = LawBook([loaded(1, *both), loaded(2, program("C", "76", "CN", "0.1"))])
    assert [found.row.id for found in book.at().every(Program, FIRST)] == ["A", "B", "C"]
    assert [found.row.id for found in book.at(Known(0, 1)).every(Program, FIRST)] == ["A", "B"]
    assert all(found.row.mark is Mark.EXAMPLE for found in book.at().every(Program, FIRST))
