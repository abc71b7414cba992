# SPDX-License-Identifier: Apache-2.0
"""The example zone's figures to the cent, each beside the wrong figure that a plausible mistake gives."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from customs.known import Known
from customs.law import Dataset, LawBook
from customs.tariff.rounding import total
from customs.us.assessment import assess, supplements_fee
from customs.us.duty import entry_duties, foreign_bases
from customs.us.export import ForeignDuty
from customs.us.fees import UnknownYear
from customs.us.harbor import harbor_quarter
from customs.us.lines import Computation, CustomsEntry
from customs.zone import Mode
from tests.customs.example_zone import (
    BOOK,
    LAW,
    S301_FALLS,
    D,
    admission,
    fee_limits,
    goods,
    leaving,
    pumps,
    weekly,
)

CENT = D("0.01")


def by_line(computation: Computation) -> dict[str, Decimal]:
    lines = {duty.line for duty in computation.duties}
    return {line: total(*(duty.amount for duty in computation.duties if duty.line == line)) for line in lines}


def pieces(product: str, count: int) -> Decimal:
    """What so many of a product owe when they are entered as they are."""
    entry = weekly(leaving("1", goods(product, count)))
    return total(*(duty.amount for duty in entry_duties(entry, foreign_bases(entry), LAW)))


# -- the weekly entry -----------------------------------------------------------------------------


def test_the_weekly_entry_owes_what_the_story_says() -> None:
    week = assess(weekly(), LAW)
    assert by_line(week) == {"1": D(4125), "2": D(1575), "3": D(5290), "4": D(0)}
    assert (week.duty, week.entered_value, week.fee, week.total) == (
        D(10990),
        D(92520),
        D("320.49"),
        D("11310.49"),
    )


def test_housings_owe_on_what_the_pumps_contain_and_not_on_their_waste() -> None:
    week = assess(weekly(), LAW)
    assert by_line(week)["1"] == D(750) * D("5.50")
    assert by_line(week)["1"] != D("4207.50")
    gross = assess(weekly(pumps("1", 750, goods("HSG-7", 765)), *weekly().lines[1:]), LAW)
    assert (by_line(gross)["1"], gross.fee) == (D("4207.50"), D("321.53"))


def test_the_fee_stands_on_foreign_content_and_not_on_what_the_zone_added() -> None:
    week = assess(weekly(), LAW)
    assert week.fee == D("320.49")
    with_zone_costs = week.entered_value + 750 * (D(5) + D(25))
    assert (with_zone_costs * D("0.003464")).quantize(CENT) == D("398.43")
    assert week.fee != D("398.43")


def test_scrap_is_entered_and_bears_the_fee() -> None:
    without = assess(weekly(*weekly().lines[:3]), LAW)
    assert without.fee == D("320.42")
    assert assess(weekly(), LAW).fee != without.fee


def test_owners_who_file_apart_pay_the_same_here() -> None:
    lines = weekly().lines
    apart = [assess(weekly(*part), LAW).fee for part in ((lines[0], lines[2], lines[3]), lines[1:2])]
    assert apart == [D("216.57"), D("103.92")]
    three = [assess(weekly(*part), LAW).fee for part in ((lines[0], lines[3]), lines[1:2], lines[2:3])]
    assert total(*three) == D("320.49")


def test_an_entry_below_the_least_pays_the_least() -> None:
    assert assess(weekly(pumps("1", 50)), LAW).fee == D("33.58")
    assert D(3500) * D("0.003464") == D("12.124")


def test_a_large_entry_pays_the_most() -> None:
    motors = leaving("1", goods("MOT-24", 6250))
    computed = assess(weekly(motors), LAW)
    assert (computed.entered_value, computed.fee) == (D(250000), D("651.50"))
    [fee] = computed.fees
    assert fee.why[-2].rounded == D("866.00")
    assert "most of FY2026 is 651.50" in fee.why[-1].text


def test_without_a_zone_five_entries_pay_more() -> None:
    shipments = (("MOT-24", 1000), ("BRG-62", 2000), ("HSG-7", 1020), ("TOOL-12", 2500), ("BRKT-9", 1250))
    fees = [assess(weekly(leaving("1", goods(*shipment))), LAW).fee for shipment in shipments]
    assert fees == [D("138.56"), D("34.64"), D("70.67"), D("103.92"), D("34.64")]
    week = assess(weekly(), LAW).fee
    canada = assess(to_canada(50), LAW).fee
    assert total(*fees) == D("382.43")
    assert total(*fees) - week - canada == D("28.36")
    assert total(*fees) - week == D("61.94")


def test_a_supplement_pays_a_fee_of_its_own() -> None:
    supplement = weekly(pumps("1", 25), number="W-1/S1", supplement_to="W-1")
    both = (assess(weekly(), LAW), assess(supplement, LAW))
    assert supplements_fee(both) == D("320.49") + D("33.58")


def test_the_fee_of_a_year_without_limits_is_refused() -> None:
    with pytest.raises(UnknownYear, match=r"FY2027 limits .* not on file for 2026-11-23"):
        assess(weekly(entry_date=date(2026, 11, 23)), LAW)
    known = LawBook((*BOOK.datasets, Dataset("d" * 64, Known(0, 9), (fee_limits(2027, "34", "660"),))))
    assert assess(weekly(entry_date=date(2026, 11, 23)), known.at()).fee == D("320.49")


def test_the_year_of_the_fee_is_that_of_the_entry() -> None:
    last_day = weekly(pumps("1", 50), entry_date=date(2025, 9, 30))
    next_day = weekly(pumps("1", 50), entry_date=date(2025, 10, 1))
    assert assess(last_day, LAW).fee == D("32.71")
    assert assess(next_day, LAW).fee == D("33.58")


# -- statuses and dates ---------------------------------------------------------------------------


def test_privileged_housings_of_two_filings_owe_two_rates() -> None:
    old = goods("HSG-7", 400, lot="HSG-OLD")
    new = goods("HSG-7", 350, lot="HSG-NEW", filed=S301_FALLS)
    entry = weekly(pumps("1", 750, old, new), entry_date=date(2026, 6, 15))
    computed = assess(entry, LAW)
    by_lot = {
        lot: total(*(duty.amount for duty in computed.duties if duty.lot == lot))
        for lot in ("HSG-OLD", "HSG-NEW")
    }
    assert by_lot == {"HSG-OLD": D(2200), "HSG-NEW": D(875)}
    assert computed.duty == D(3075)
    assert computed.duty not in (D(4125), D(1875))


def test_the_program_falls_on_its_day_and_not_the_day_after() -> None:
    before = assess(weekly(leaving("1", goods("HSG-7", 100, filed=date(2026, 6, 7)))), LAW)
    on_it = assess(weekly(leaving("1", goods("HSG-7", 100, filed=S301_FALLS))), LAW)
    assert (before.duty, on_it.duty) == (D(550), D(250))


def test_domestic_content_owes_nothing() -> None:
    computed = assess(weekly(leaving("1", goods("KIT-D", 1000))), LAW)
    assert (computed.duty, computed.fees, computed.total) == (D(0), (), D(0))


# -- the base month -------------------------------------------------------------------------------


def test_the_month_saves_what_the_story_says() -> None:
    baseline = total(pieces("MOT-24", 4000), pieces("BRG-62", 8000), pieces("HSG-7", 4080))
    zone = assess(weekly(pumps("1", 3200)), LAW).duty
    assert (baseline, zone, baseline - zone) == (D(32440), D(17600), D(14840))
    inverted = total(pieces("MOT-24", 3200), pieces("BRG-62", 6400))
    exported = total(pieces("MOT-24", 800), pieces("BRG-62", 1600), pieces("HSG-7", 800))
    wasted = pieces("HSG-7", 80)
    assert (inverted, exported, wasted) == (D(8000), D(6400), D(440))
    assert total(inverted, exported, wasted) == baseline - zone


def to_canada(count: int) -> CustomsEntry:
    return weekly(pumps("1", count), number="W-1/08", kind="08")


def proof(paid: str, **more: object) -> ForeignDuty:
    values = {
        "line": "1",
        "country": "CA",
        "paid": D(paid),
        "exported": date(2026, 6, 5),
        "shown": date(2026, 6, 20),
        "evidence": "B3 1",
        **more,
    }
    return ForeignDuty(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(("paid", "owed"), [("0", "1100"), ("300", "800"), ("1100", "0"), ("5000", "0")])
def test_pumps_to_canada_owe_what_canada_did_not_take(paid: str, owed: str) -> None:
    computed = assess(to_canada(200), LAW, [proof(paid)])
    assert computed.duty == D(owed)
    assert computed.fee == D("48.50")


def test_pumps_to_canada_owe_all_without_evidence() -> None:
    computed = assess(to_canada(200), LAW)
    assert computed.duty == D(1100)
    assert assess(to_canada(50), LAW).fee == D("33.58")


def test_the_harbor_fee_is_owed_on_what_vessels_brought() -> None:
    story = (("MOT-24", 1000), ("HSG-7", 1020), ("TOOL-12", 2500), ("BRKT-9", 1250))
    lines = [admission(*each) for each in story]
    quarter = harbor_quarter([*lines, admission("BRG-62", 2000, Mode.AIR)], LAW)
    assert (quarter.value, quarter.fee, quarter.payable) == (D(100400), D("125.50"), D("125.50"))
    assert quarter.fee != D("138.00")
    all_by_sea = harbor_quarter([*lines, admission("BRG-62", 2000)], LAW)
    assert all_by_sea.fee == D("138.00")


def test_two_weeks_on_hand_carry_the_deferred_duty() -> None:
    week = total(
        pieces("MOT-24", 1000),
        pieces("BRG-62", 2000),
        pieces("HSG-7", 1020),
        pieces("TOOL-12", 2500),
        pieces("BRKT-9", 1250),
    )
    assert (2 * week, 2 * week * D("0.06")) == (D(29950), D(1797))
