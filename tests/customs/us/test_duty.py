# SPDX-License-Identifier: Apache-2.0
"""Duty: which day and which number decide, what is refused, and that a computation stays what it was."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.documents import Status
from customs.known import KNOWN_ALL, Known
from customs.law import AnyRow, Dataset, Law, LawBook, LawError, Preference, Rate
from customs.tariff.rates import Measure
from customs.tariff.rounding import Rounding, total
from customs.us.assessment import assess
from customs.us.duty import DutyRefused
from customs.us.export import ExportRefused, ForeignDuty
from customs.us.fees import FeeRefused, fiscal_year
from customs.us.harbor import HarborRefused, harbor_fee, harbor_quarter
from customs.us.lines import Computation, ContentLine, CustomsEntry, EntryLine, GoodsDates
from customs.us.valuation import ValueRefused, by_default, damaged, dutiable, part_of, scrap, whole_dollars
from customs.zone import Mode, Values
from tests.customs.example_zone import (
    BOOK,
    FILED,
    LAW,
    YEAR,
    D,
    admission,
    advalorem,
    fee_limits,
    goods,
    leaving,
    program,
    pumps,
    tariff_row,
    weekly,
)


def changed(struct: Any, **more: Any) -> Any:
    return msgspec.structs.replace(struct, **more)


def law_with(*rows: AnyRow, since: date | None = None) -> Law:
    return BOOK.plus(Dataset("e" * 64, Known(0, 9), rows, since)).at()


def one(part: ContentLine, law: Law = LAW, **more: Any) -> Computation:
    return assess(weekly(leaving("1", part), **more), law)


# -- which day, which number ----------------------------------------------------------------------

FELL = date(2026, 5, 25)


def fallen() -> Law:
    """The general rates of motors and housings fall between filing and entry."""
    rows = (
        tariff_row("8501", advalorem("0.01"), valid_from=FELL),
        tariff_row("7616", advalorem("0.01"), valid_from=FELL),
    )
    return law_with(*rows, since=FELL)


def test_privileged_goods_owe_the_rate_of_their_filing() -> None:
    assert one(goods("HSG-7", 100), fallen()).duty == D(50) + D(500)


def test_other_foreign_goods_owe_the_rate_of_entry() -> None:
    assert one(goods("MOT-24", 100), fallen()).duty == D(40)
    assert one(goods("MOT-24", 100), fallen(), entry_date=date(2026, 5, 24)).duty == D(160)


def test_a_good_made_in_the_zone_owes_by_its_own_number_on_other_foreign_content() -> None:
    law = law_with(tariff_row("8413", advalorem("0.03"), valid_from=FELL), since=FELL)
    computed = assess(weekly(pumps("1", 100)), law)
    assert computed.duty == D(550) + (D(4000) + D(1000)) * D("0.03")
    content = pumps("1", 100).parts()
    assert sum(part.status is Status.NPF for part in content) == 2


def test_a_made_good_with_a_specific_rate_owes_once_on_its_own_quantity() -> None:
    law = law_with(tariff_row("8413", Rate("1", specific=D(2), unit1="No."), valid_from=FELL), since=FELL)
    only = EntryLine(
        "1",
        "Example Motors",
        "PUMP-100",
        D(100),
        "EA",
        "8413",
        content=(goods("MOT-24", 300),),
        measures=(Measure(D(100), "No."),),
    )
    assert assess(weekly(only), law).duty == D(200)
    with pytest.raises(DutyRefused, match="do not say how its quantity is shared"):
        assess(weekly(pumps("1", 100)), law)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (goods("HSG-7", 1, dates=GoodsDates(FILED, FILED)), "day of their filing is not on the books"),
        (goods("MOT-24", 1, hts=None), "no tariff number"),
        (goods("MOT-24", 1, status=Status.RESTRICTED), "is zone-restricted"),
        (goods("MOT-24", 1, status=Status.SUSPENSE), "has no zone status yet"),
        (goods("TOOL-12", 1, measures=()), "the line has no quantity"),
        (goods("MOT-24", 1, values=Values(D(5), intl_freight=D(6))), "more than the price"),
    ],
)
def test_goods_that_cannot_be_computed_are_refused_with_their_lot(part: ContentLine, said: str) -> None:
    with pytest.raises(LawError, match=said):
        one(part)


def test_content_under_a_case_must_be_privileged() -> None:
    entry = weekly(pumps("1", 10, goods("MOT-24", 10, adcvd=("A-1",))))
    with pytest.raises(DutyRefused, match="must be privileged"):
        assess(entry, LAW)


def test_a_line_is_made_or_it_is_not() -> None:
    with pytest.raises(ValueError, match="line 1 needs either goods or content"):
        EntryLine("1", "O", "P", D(1), "EA", "8501")


# -- value ----------------------------------------------------------------------------------------


def test_freight_and_insurance_are_no_part_of_the_value() -> None:
    values = Values(D(1000), D(50), intl_freight=D(80), intl_insurance=D(5), us_inland=D(15))
    assert dutiable(values) == D(950)
    assert one(goods("MOT-24", 1, values=values)).duty == D(38)


def test_a_value_without_a_price_comes_from_the_zone_value() -> None:
    assert by_default(D(100), D(25), D(5), D(8), D(2)) == D(60)
    with pytest.raises(ValueRefused, match="more than the zone value"):
        by_default(D(30), D(25), D(5), D(8), D(2))


def test_scrap_is_worth_what_it_sells_for() -> None:
    assert dutiable(scrap(D(20))) == D(20)


def test_damage_lowers_the_value_by_what_customs_allows() -> None:
    assert dutiable(damaged(Values(D(100), D(10)), D(30))) == D(80)
    for wrong in (D(-1), D(111)):
        with pytest.raises(ValueRefused, match="cannot be"):
            damaged(Values(D(100), D(10)), wrong)


def test_a_part_of_a_line_has_its_part_of_every_element() -> None:
    half = part_of(Values(D(1000), D(50), D(80), D(5), D(15)), D(30), D(60))
    assert half == Values(D(500), D(25), D(40), D("2.5"), D("7.5"))
    for wrong in ((D(61), D(60)), (D(-1), D(60)), (D(0), D(0))):
        with pytest.raises(ValueRefused, match="no part of"):
            part_of(Values(D(1)), *wrong)


@pytest.mark.parametrize(
    ("exact", "dollars"),
    [
        (("10.49", "10.50"), ("10", "11")),
        (("0.40", "0.40", "0.40"), ("1", "0", "0")),
        (("0.50", "0.50"), ("0", "1")),
        (("7",), ("7",)),
        ((), ()),
    ],
)
def test_a_summarys_values_are_whole_dollars(exact: tuple[str, ...], dollars: tuple[str, ...]) -> None:
    assert sorted(whole_dollars([D(each) for each in exact])) == sorted(D(each) for each in dollars)


amounts = st.lists(st.decimals(0, 10**7, places=2), max_size=8)


@given(amounts)
def test_whole_dollars_move_the_sum_no_more_than_its_own_rounding(values: list[Decimal]) -> None:
    rounded = whole_dollars(values)
    assert total(*rounded) == Rounding.DOLLAR_159_3(total(*values))
    assert all(abs(one - other) <= 1 for one, other in zip(rounded, values, strict=True))
    assert all(each == each.to_integral_value() >= 0 for each in rounded)


def test_a_summary_of_the_example_week_is_its_estimate_to_the_cent() -> None:
    estimate, summary = (assess(weekly(stage=stage), LAW) for stage in ("estimate", "summary"))
    assert (estimate.duty, estimate.fee) == (summary.duty, summary.fee)


def test_a_summary_rounds_value_and_low_rate_quantities() -> None:
    part = goods("TOOL-12", "99.6", values=Values(D("1200.50")))
    assert one(part).duty == D("63.01")
    assert one(part, stage="summary").duty == D(100) * D("0.03") + D(1201) * D("0.05")
    dear = law_with(
        tariff_row("8205", Rate("1", specific=D("1.01"), unit1="No."), valid_from=FELL), since=FELL
    )
    assert one(part, dear, stage="summary").duty == D("100.60")


# -- fees -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "year"),
    [(date(2025, 9, 30), 2025), (date(2025, 10, 1), 2026), (date(2026, 1, 1), 2026)],
)
def test_the_fiscal_year_begins_in_october(on: date, year: int) -> None:
    assert fiscal_year(on) == year


def test_a_fee_stands_on_every_fee_bearing_line_once() -> None:
    week = assess(weekly(), LAW)
    [fee] = week.fees
    assert (fee.base, fee.amount) == (week.entered_value, week.fee)


def test_us_farm_goods_packed_in_the_zone_pay_on_their_container() -> None:
    plain = one(goods("MOT-24", 1000))
    packed = one(goods("MOT-24", 1000, farm_container=D(12000)))
    assert (plain.fee, packed.fee) == (D("138.56"), D("41.57"))


def test_originating_goods_bear_no_fee_and_others_on_the_entry_do() -> None:
    law = law_with(
        Preference(**YEAR, spi="JP", origins=("JP",), mpf_exempt=True), tariff_row("8501", Rate("0"), "JP")
    )
    motors = leaving("1", goods("MOT-24", 1000, spi="JP"))
    assert assess(weekly(motors), law).fees == ()
    both = assess(weekly(motors, leaving("2", goods("TOOL-12", 2500))), law)
    assert both.fee == D("103.92")
    assert any("originating goods of JP" in why.text for why in both.explanation)


def test_chapter_98_bears_no_fee_and_its_two_exceptions_are_refused() -> None:
    law = law_with(tariff_row("9801", Rate("0")), tariff_row("9802", Rate("0")))
    assert one(goods("MOT-24", 1000, hts="98010010"), law).fees == ()
    with pytest.raises(FeeRefused, match="dutiable portion"):
        one(goods("MOT-24", 1000, hts="98020060"), law)


def test_a_free_line_still_bears_the_fee() -> None:
    assert one(goods("MOT-24", 1000, hts="8413")).fee == D("138.56")


def test_an_entry_on_paper_pays_a_surcharge_above_the_most() -> None:
    with_surcharge = LawBook(
        [Dataset("f" * 64, Known(0, 1), (fee_limits(2026, "33.58", "651.50", manual_surcharge=D("4.03")),))]
    )
    law = LawBook((*BOOK.datasets[:2], *with_surcharge.datasets)).at()
    assert one(goods("MOT-24", 6250), law, on_paper=True).fee == D("655.53")
    with pytest.raises(FeeRefused, match="surcharge of FY2026"):
        one(goods("MOT-24", 6250), on_paper=True)


@pytest.mark.parametrize(
    ("mode", "port", "fee"),
    [
        (Mode.VESSEL, "2704", "50.00"),
        (Mode.VESSEL, "9999", "0"),
        (Mode.AIR, "2704", "0"),
        (Mode.TRUCK, None, "0"),
        (Mode.RAIL, None, "0"),
    ],
)
def test_the_harbor_fee_asks_for_vessel_and_listed_port(mode: Mode, port: str | None, fee: str) -> None:
    assert harbor_fee(admission("MOT-24", 1000, mode, port_unlading=port), LAW).amount == D(fee)


@pytest.mark.parametrize("status", [Status.PF, Status.NPF, Status.DOMESTIC, Status.RESTRICTED])
def test_the_harbor_fee_does_not_ask_for_the_status(status: Status) -> None:
    assert harbor_fee(admission("MOT-24", 1000, status=status), LAW).amount == D(50)


def test_a_vessel_without_a_port_is_refused() -> None:
    with pytest.raises(HarborRefused, match="no port of unlading"):
        harbor_fee(admission("MOT-24", 1000, port_unlading=None), LAW)
    with pytest.raises(HarborRefused, match="neither a day of import nor of admission"):
        harbor_fee(admission("MOT-24", 1000, import_date=None), LAW)


def test_a_small_quarter_pays_nothing() -> None:
    small = harbor_quarter([admission("MOT-24", 250)], LAW)
    assert (small.value, small.fee, small.payable) == (D(10000), D("12.50"), D(0))
    larger = harbor_quarter([admission("MOT-24", 250), admission("TOOL-12", 1)], LAW)
    assert larger.payable == larger.fee == D("12.52")


# -- Canada and Mexico ----------------------------------------------------------------------------


def canada(**more: Any) -> ForeignDuty:
    values: dict[str, Any] = {
        "line": "1",
        "country": "CA",
        "paid": D(100),
        "exported": date(2026, 6, 5),
        "shown": date(2026, 6, 20),
        "evidence": "B3 1",
        **more,
    }
    return ForeignDuty(**values)


def eight(*lines: EntryLine) -> CustomsEntry:
    return weekly(*(lines or (pumps("1", 50),)), kind="08")


@pytest.mark.parametrize(
    ("shown", "counts"),
    [
        (date(2026, 6, 4), False),
        (date(2026, 6, 5), True),
        (date(2026, 8, 4), True),
        (date(2026, 8, 5), False),
    ],
)
def test_evidence_counts_for_sixty_days_from_export(shown: date, counts: bool) -> None:
    if counts:
        assert assess(eight(), LAW, [canada(shown=shown)]).duty == D(175)
    else:
        with pytest.raises(ExportRefused, match="it counts from export on 2026-06-05 to 2026-08-04"):
            assess(eight(), LAW, [canada(shown=shown)])


def test_goods_that_leave_as_they_came_need_no_such_entry() -> None:
    with pytest.raises(ExportRefused, match="leaves as it came"):
        assess(eight(leaving("1", goods("HSG-7", 10))), LAW)
    altered = leaving("1", goods("HSG-7", 10), altered=True)
    assert assess(eight(altered), LAW).duty == D(55)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"country": "DE"}, "only CA and MX count"),
        ({"line": "9"}, "which the entry does not have"),
        ({"paid": D(-1)}, "states a duty of -1"),
    ],
)
def test_evidence_that_proves_nothing_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ExportRefused, match=said):
        assess(eight(), LAW, [canada(**wrong)])


def test_one_line_has_one_proof_and_other_entries_have_none() -> None:
    with pytest.raises(ExportRefused, match="two proofs"):
        assess(eight(), LAW, [canada(), canada()])
    with pytest.raises(ExportRefused, match="W-1 is 06"):
        assess(weekly(), LAW, [canada()])


def test_what_is_not_refunded_is_not_reduced() -> None:
    entry = eight(leaving("1", goods("BRKT-9", 100), altered=True))
    assert assess(entry, LAW, [canada(paid=D(1000))]).duty == D(400)
    assert assess(entry, LAW).duty == D("423.20")


# -- a computation stays what it was --------------------------------------------------------------


def test_a_computation_is_read_back_as_it_was_written() -> None:
    computed = assess(eight(), LAW, [canada()])
    assert msgspec.json.decode(msgspec.json.encode(computed), type=Computation) == computed


def test_every_figure_is_explained_with_its_section_and_row() -> None:
    week = assess(weekly(), LAW)
    assert total(*(duty.amount for duty in week.duties)) == week.duty
    for duty in week.duties:
        assert duty.why.rounded == duty.amount
        assert duty.why.section.startswith("19 CFR 146.65(a)")
        assert duty.why.refs
        assert all(LAW.book.row(ref) is not None for ref in duty.why.refs)
    assert set(week.refs) == {ref for why in week.explanation for ref in why.refs}


later_rows = st.lists(
    st.one_of(
        st.builds(
            lambda hts, fraction, start: tariff_row(hts, advalorem(fraction), valid_from=start),
            st.sampled_from(["8501", "8482", "7616", "8413", "7326", "84131234"]),
            st.sampled_from(["0.5", "0"]),
            st.dates(date(2024, 1, 1), date(2027, 1, 1)),
        ),
        st.builds(
            lambda heading, start: program("P-LATER", heading, "*", "0.3", valid_from=start),
            st.sampled_from(["85", "76", "73", "84"]),
            st.dates(date(2024, 1, 1), date(2027, 1, 1)),
        ),
        st.builds(lambda least: fee_limits(2026, least, "9999"), st.sampled_from(["1", "500"])),
    ),
    min_size=1,
    max_size=4,
)


@given(later_rows, st.none() | st.dates(date(2024, 1, 1), date(2027, 1, 1)))
def test_a_row_that_is_loaded_later_changes_nothing_that_was_computed(
    rows: list[AnyRow], since: date | None
) -> None:
    stored = assess(weekly(), LAW)
    last = max(dataset.known for dataset in BOOK.datasets)
    book = BOOK.plus(Dataset("9" * 64, Known(0, 99), tuple(rows), since))
    assert assess(weekly(), book.at(last)) == stored
    assert all(book.row(ref) == BOOK.row(ref) for ref in stored.refs)
    assert book.at().known == KNOWN_ALL


def test_the_control_a_later_row_does_change_what_is_computed_after_it() -> None:
    law = law_with(program("P-LATER", "85", "*", "0.3"), tariff_row("8413", Rate("0"), "2"))
    assert one(goods("MOT-24", 100), law).duty != one(goods("MOT-24", 100)).duty


# -- rounding closes ------------------------------------------------------------------------------


def test_lots_that_owe_one_rate_are_rounded_once() -> None:
    lots = [goods("MOT-24", 1, lot=f"M-{n}", values=Values(D("0.10"))) for n in range(10)]
    lines = [leaving(str(n), lot) for n, lot in enumerate(lots)]
    apart = [one(lot).duty for lot in lots]
    together = assess(weekly(*lines), LAW)
    assert (total(*apart), together.duty) == (D(0), D("0.04"))
    assert sorted({duty.amount for duty in together.duties}) == [D(0), D("0.01")]


def test_owners_and_filings_are_not_rounded_into_each_other() -> None:
    lot = goods("MOT-24", 1, values=Values(D("0.10")))
    owners = [changed(leaving(str(n), lot), owner=f"Owner {n}") for n in range(10)]
    assert assess(weekly(*owners), LAW).duty == D(0)


cents = st.decimals(0, 10**6, places=2)


@given(st.lists(st.tuples(cents, st.sampled_from(["MOT-24", "BRKT-9", "HSG-7"])), min_size=1, max_size=12))
def test_what_lots_owe_closes_to_what_their_lines_owe(lots: list[tuple[Decimal, str]]) -> None:
    lines = [
        leaving(str(n), goods(name, 1, lot=f"L-{n}", values=Values(value)))
        for n, (value, name) in enumerate(lots)
    ]
    computed = assess(weekly(*lines), LAW)
    names = {duty.why.inputs[1][1] + duty.name for duty in computed.duties}
    for name in names:
        own = [duty for duty in computed.duties if duty.why.inputs[1][1] + duty.name == name]
        whole = Rounding.CENT_HALF_UP(total(*(duty.why.exact for duty in own)))
        assert total(*(duty.amount for duty in own)) == whole
        assert all(abs(duty.amount - duty.why.exact) < D("0.01") for duty in own)
