# SPDX-License-Identifier: Apache-2.0
"""Which rate goods owe: columns, preferences, stacking programs and their days, relief, cases, quotas."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.known import Known
from customs.law import (
    AdCvdCase,
    AnyRow,
    ColumnTwo,
    Dataset,
    Found,
    Law,
    Preference,
    Program,
    Quota,
    Rate,
    RateDate,
    Relief,
    RowRef,
)
from customs.tariff.cases import CaseRefused, deposits, suspects
from customs.tariff.columns import NoRate, PreferenceRefused, normal_rate, preferential_rate, tariff_row
from customs.tariff.programs import LawDays, Ring, owed_programs, stacked
from customs.tariff.quotas import Standing, standings
from customs.us.assessment import assess
from customs.us.duty import DutyRefused
from tests.customs.example_zone import (
    BOOK,
    FILED,
    LAW,
    MONDAY,
    YEAR,
    D,
    advalorem,
    goods,
    leaving,
    program,
    pumps,
    weekly,
)
from tests.customs.example_zone import (
    tariff_row as row,
)


def law_with(*rows: AnyRow) -> Law:
    return BOOK.plus(Dataset("e" * 64, Known(0, 9), rows)).at()


def duty_of(product: str, law: Law, **more: Any) -> Decimal:
    return assess(weekly(leaving("1", goods(product, 100, **more))), law).duty


# -- columns and preferences ----------------------------------------------------------------------


def test_the_finest_row_of_a_number_holds() -> None:
    law = law_with(row("85014020", advalorem("0.033")), row("8501402040", advalorem("0.01")))
    rates = {}
    for hts in ("8501402040", "8501402020", "8501.40.20", "850140", "8501"):
        found = tariff_row(law, hts, "general", MONDAY)
        assert found is not None
        rates[hts] = str(found.row.rate.advalorem)
    assert list(rates.values()) == ["0.01", "0.033", "0.033", "0.04", "0.04"]
    assert tariff_row(law, "8502", "general", MONDAY) is None


def test_goods_without_a_row_are_not_free() -> None:
    with pytest.raises(NoRate, match="No general rate of 9999 on 2026-06-01"):
        normal_rate(LAW, "9999", "JP", MONDAY)
    with pytest.raises(DutyRefused, match="Line 1, lot MOT-24-1: No general rate of 9999"):
        duty_of("MOT-24", LAW, hts="9999")


def test_goods_of_a_column_2_country_owe_column_2_from_its_day() -> None:
    listed = ColumnTwo(**{**YEAR, "valid_from": date(2026, 6, 1)}, origin="TH", name="Thailand")
    law = law_with(listed, row("8482", advalorem("0.67"), "2"))
    assert duty_of("BRG-62", law) == D(335)
    assert assess(weekly(leaving("1", goods("BRG-62", 100)), entry_date=date(2026, 5, 31)), law).duty == D(45)
    with pytest.raises(DutyRefused, match="No column 2 rate of 8482"):
        duty_of("BRG-62", law_with(listed))


def test_a_preference_is_for_its_origins_while_it_is_in_force() -> None:
    korea = Preference(**YEAR, spi="KR", origins=("KR",), mpf_exempt=True)
    law = law_with(korea, row("7326", Rate("0"), "KR"))
    found, claimed = preferential_rate(law, "7326", "KR", "KR", MONDAY, unchanged=True)
    assert (found.row.rate.code, claimed.row.spi) == ("0", "KR")
    with pytest.raises(PreferenceRefused, match="Goods of JP cannot claim KR"):
        preferential_rate(law, "7326", "JP", "KR", MONDAY, unchanged=True)
    with pytest.raises(PreferenceRefused, match="not in force on 2024-12-31"):
        preferential_rate(law, "7326", "KR", "KR", date(2024, 12, 31), unchanged=True)
    with pytest.raises(NoRate, match="No KR rate of 8501"):
        preferential_rate(law, "8501", "KR", "KR", MONDAY, unchanged=True)


def test_the_generalized_system_is_for_goods_that_leave_as_they_came() -> None:
    system = Preference(**YEAR, spi="A", origins=("TH",), same_condition=True)
    law = law_with(system, row("8482", Rate("0"), "A"))
    assert duty_of("BRG-62", law, spi="A") == D(0)
    changed = leaving("1", goods("BRG-62", 100, spi="A"), altered=True)
    with pytest.raises(DutyRefused, match="leave as they came"):
        assess(weekly(changed), law)


def test_content_of_another_good_claims_no_preference() -> None:
    law = law_with(
        Preference(**YEAR, spi="JP", origins=("JP",), mpf_exempt=True),
        row("8501", Rate("0"), "JP"),
        row("8413", Rate("0"), "JP"),
    )
    motors = goods("MOT-24", 1000)
    claiming = goods("MOT-24", 1000, spi="JP")
    plain, made = (assess(weekly(pumps("1", 1000, part)), law) for part in (motors, claiming))
    assert (made.duty, made.fee) == (plain.duty, plain.fee)
    assert not any("JP" in why.text for why in made.explanation)
    as_it_came = assess(weekly(leaving("1", claiming)), law)
    assert (as_it_came.duty, as_it_came.fees) == (D(0), ())


# -- programs -------------------------------------------------------------------------------------


def found(*programs: Program) -> list[Found[Program]]:
    return [Found(each, RowRef("x", number)) for number, each in enumerate(programs, 1)]


def ids(programs: list[Found[Program]]) -> list[str]:
    return [each.row.id for each in programs]


def named(name: str, order: int = 0, *excludes: str) -> Program:
    return program(name, "76", "CN", "0.1", order=order, excludes=excludes)


def test_an_excluded_program_is_not_owed() -> None:
    law = law_with(program("S232-Y", "7616", "CN", "0.5", order=-1, excludes=("S301-X",)))
    owed = owed_programs(law, "7616", "CN", LawDays(MONDAY, FILED, FILED))
    assert [each.program.row.id for each in owed] == ["S232-Y"]
    assert duty_of("HSG-7", law) == D(50) + D(1000)
    assert duty_of("HSG-7", LAW) == D(50) + D(500)


def test_programs_stack_in_their_order() -> None:
    assert ids(stacked(found(named("B", 2), named("A", 3), named("C", 1)))) == ["C", "B", "A"]


def test_what_is_excluded_excludes_nothing() -> None:
    chain = (named("A", 1, "B"), named("B", 2, "C"), named("C", 3))
    assert ids(stacked(found(*chain))) == ["A", "C"]


def test_an_exclusion_holds_whatever_the_order() -> None:
    assert ids(stacked(found(named("A", 1), named("B", 2, "A")))) == ["B"]


def test_of_two_that_exclude_each_other_the_first_in_order_is_owed() -> None:
    assert ids(stacked(found(named("A", 2, "B"), named("B", 1, "A")))) == ["B"]


def test_a_ring_is_refused() -> None:
    with pytest.raises(Ring, match="in a ring: A, C, B, A"):
        stacked(found(named("A", 1, "B"), named("B", 2, "C"), named("C", 3, "A")))


exclusions = st.lists(st.sets(st.integers(0, 3)), min_size=4, max_size=4)


@given(exclusions)
def test_stacking_is_the_same_in_any_order_of_rows_and_leaves_nothing_out_without_a_reason(
    sets: list[set[int]],
) -> None:
    names = "ABCD"
    programs = [named(names[n], n, *(names[at] for at in sets[n] if at != n)) for n in range(4)]
    results = set()
    for order in permutations(programs):
        try:
            results.add(tuple(ids(stacked(found(*order)))))
        except Ring:
            results.add(("ring",))
    assert len(results) == 1
    [owed] = results
    if owed == ("ring",):
        return
    by_id = {each.id: each for each in programs}
    for each in programs:
        excluders = [name for name in owed if each.id in by_id[name].excludes]
        assert (each.id in owed) == all(
            name in each.excludes and by_id[name].order > each.order for name in excluders
        )


@pytest.mark.parametrize(
    ("rate_date", "duty"),
    [(RateDate.PF_FILING, 150), (RateDate.ADMISSION, 250), (RateDate.ENTRY, 550)],
)
def test_a_program_looks_at_its_own_day(rate_date: RateDate, duty: int) -> None:
    admitted, filed, entered = date(2026, 4, 1), date(2026, 5, 1), MONDAY
    rows = [
        program("P", "8501", "JP", fraction, rate_date=rate_date, valid_from=start, valid_to=end)
        for fraction, start, end in (
            ("0.05", date(2026, 1, 1), filed - timedelta(1)),
            ("0.025", filed, entered - timedelta(1)),
            ("0.125", entered, None),
        )
    ]
    dates = goods("HSG-7", 1).dates
    assert dates.pf_filed == FILED
    content = goods("HSG-7", 100, filed=filed, hts="8501", origin="JP")
    lot = leaving(
        "1", content.__class__(**{**as_dict(content), "dates": type(dates)(admitted, admitted, filed)})
    )
    owed = assess(weekly(lot), law_with(*rows)).duty
    general = D(2000) * D("0.04")
    fraction = {150: D("0.025"), 250: D("0.05"), 550: D("0.125")}[duty]
    assert owed - general == D(2000) * fraction


def as_dict(struct: Any) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def test_other_foreign_goods_owe_a_program_at_entry() -> None:
    rows = [
        program("P", "8501", "JP", "0.10", pf_required=False, valid_to=date(2026, 5, 31)),
        program("P", "8501", "JP", "0.20", pf_required=False, valid_from=MONDAY),
    ]
    assert duty_of("MOT-24", law_with(*rows)) == D(4000) * D("0.24")


def test_relief_comes_to_goods_that_were_filed_before_it() -> None:
    relief = Relief(
        **{**YEAR, "valid_from": MONDAY},
        id="R-1",
        program="S301-X",
        rate=Rate("0"),
        headings=("7616",),
        origins=("CN",),
        pf_before=date(2026, 6, 1),
    )
    law = law_with(relief)
    computed = assess(weekly(leaving("1", goods("HSG-7", 100))), law)
    assert computed.duty == D(50)
    assert any("with relief R-1" in why.text for why in computed.explanation)
    before = assess(weekly(leaving("1", goods("HSG-7", 100)), entry_date=date(2026, 5, 31)), law)
    assert before.duty == D(550)
    filed_after = assess(weekly(leaving("1", goods("HSG-7", 100, filed=MONDAY))), law)
    assert filed_after.duty == D(550)


# -- cases ----------------------------------------------------------------------------------------


def case(number: str, fraction: str, **more: Any) -> AdCvdCase:
    values = {"headings": ("7616",), "origins": ("CN",), "remedy": "AD", **more}
    return AdCvdCase(**YEAR, number=number, rate=advalorem(fraction), **values)


def test_a_case_owes_its_producers_deposit_beside_the_duty() -> None:
    law = law_with(case("A-570-1", "1.5"), case("A-570-1", "0.2", producers=("Able", "Best")))
    assert duty_of("HSG-7", law, adcvd=("A-570-1",), producer="Able") == D(550) + D(400)
    assert duty_of("HSG-7", law, adcvd=("A-570-1",), producer="Other") == D(550) + D(3000)
    assert duty_of("HSG-7", law, adcvd=("A-570-1",)) == D(550) + D(3000)
    assert duty_of("HSG-7", law) == D(550)


def test_antidumping_and_countervailing_duty_stand_side_by_side() -> None:
    law = law_with(case("A-570-1", "0.5"), case("C-570-1", "0.1", remedy="CVD"))
    computed = assess(weekly(leaving("1", goods("HSG-7", 100, adcvd=("A-570-1", "C-570-1")))), law)
    by_kind = {duty.kind: (duty.amount, duty.refundable) for duty in computed.duties}
    assert by_kind == {
        "ordinary": (D(50), True),
        "program": (D(500), True),
        "AD": (D(1000), False),
        "CVD": (D(200), False),
    }


def test_cases_are_named_by_people_and_suspected_by_number() -> None:
    law = law_with(case("A-570-1", "0.5"))
    assert [each.row.number for each in suspects(law, "76169951", "CN", MONDAY)] == ["A-570-1"]
    assert suspects(law, "76169951", "JP", MONDAY) == []
    with pytest.raises(CaseRefused, match="Case A-570-9 has no rate on 2026-06-01"):
        deposits(law, "CN", None, ("A-570-9",), MONDAY)


# -- quotas ---------------------------------------------------------------------------------------


def quota(limit: str, **more: Any) -> Quota:
    values: dict[str, Any] = {
        **YEAR,
        "valid_from": date(2026, 4, 1),
        "valid_to": date(2026, 9, 30),
        "id": "Q-1",
        "limit": limit,
        "headings": ("8482",),
        "opens": date(2026, 5, 1),
        "rate": advalorem("0.5") if limit == "tariff-rate" else None,
        **more,
    }
    return Quota(**values)


@pytest.mark.parametrize(
    ("limit", "on", "privileged", "standing"),
    [
        ("absolute", date(2026, 4, 30), False, Standing.HELD),
        ("absolute", date(2026, 5, 1), False, Standing.IN_QUOTA),
        ("absolute", date(2026, 5, 20), False, Standing.IN_QUOTA),
        ("absolute", date(2026, 5, 21), False, Standing.REFUSED),
        ("absolute", date(2026, 5, 21), True, Standing.REFUSED),
        ("tariff-rate", date(2026, 4, 30), False, Standing.HELD),
        ("tariff-rate", date(2026, 5, 20), False, Standing.IN_QUOTA),
        ("tariff-rate", date(2026, 5, 21), False, Standing.OVER_QUOTA),
        ("tariff-rate", date(2026, 4, 30), True, Standing.OVER_QUOTA),
        ("tariff-rate", date(2026, 5, 20), True, Standing.OVER_QUOTA),
    ],
)
def test_a_quota_holds_admits_or_refuses(limit: str, on: date, privileged: bool, standing: Standing) -> None:
    law = law_with(quota(limit, closed_on=date(2026, 5, 20)))
    [only] = standings(law, "84821010", "TH", on, privileged=privileged)
    assert only.standing is standing
    assert standings(law, "8501", "TH", on, privileged=privileged) == ()
    assert standings(law, "8482", "TH", date(2026, 10, 1), privileged=privileged) == ()


def test_goods_over_the_quota_owe_its_rate() -> None:
    assert duty_of("BRG-62", law_with(quota("tariff-rate"))) == D(45)
    closed = law_with(quota("tariff-rate", closed_on=date(2026, 5, 31)))
    assert duty_of("BRG-62", closed) == D(250)


def test_goods_before_the_opening_are_not_entered() -> None:
    law = law_with(quota("tariff-rate", opens=date(2026, 6, 2)))
    with pytest.raises(DutyRefused, match=r"opens on 2026-06-02\. Hold the goods"):
        duty_of("BRG-62", law)


def test_privileged_goods_owe_the_rate_over_the_quota_of_their_day() -> None:
    law = law_with(quota("tariff-rate", headings=("7616",)))
    assert duty_of("HSG-7", law) == D(1000) + D(500)
    full = law_with(quota("absolute", headings=("7616",), closed_on=date(2026, 5, 25)))
    with pytest.raises(DutyRefused, match="was filled on 2026-05-25"):
        duty_of("HSG-7", full)
