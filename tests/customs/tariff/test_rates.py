# SPDX-License-Identifier: Apache-2.0
"""Rates: what each code makes of value and quantities, what is refused, and that nothing gets lost."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.law import UNSERVED, Rate
from customs.tariff.rates import Measure, RateRefused, converted, duty_parts, percent
from customs.tariff.rounding import Rounding, part, times, total
from tests.customs.example_zone import D

FULL = {"specific": D("0.10"), "advalorem": D("0.05"), "other": D("0.25"), "unit1": "kg", "unit2": "No."}
MEASURES = (Measure(D(40), "KGM"), Measure(D(8), "EA"))

# By the code key: value 1,000, first quantity 40 kg, second quantity 8 pieces.
BY_CODE = {
    "0": "0",
    "1": "4.00",
    "2": "0.80",
    "3": "6.00",
    "4": "54.00",
    "5": "50.80",
    "6": "56.00",
    "7": "50.00",
}


def owed(rate: Rate, value: str, *measures: Measure) -> Decimal:
    return total(*(each.exact for each in duty_parts(rate, D(value), measures)))


@pytest.mark.parametrize(("code", "duty"), list(BY_CODE.items()))
def test_each_code_by_the_code_key(code: str, duty: str) -> None:
    assert owed(Rate(code, **FULL), "1000", *MEASURES) == D(duty)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ["9", "K", "X", "T", "see"])
def test_other_codes_are_refused_by_name(code: str) -> None:
    with pytest.raises(RateRefused, match=f"Rate code {code} is not computed: {UNSERVED[code]}"):
        duty_parts(Rate(code, **FULL), D(1000), MEASURES)  # type: ignore[arg-type]


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(RateRefused, match="no rate code '8'"):
        duty_parts(Rate("8"), D(1000), ())


@pytest.mark.parametrize("code", ["3", "6"])
def test_the_third_rate_is_what_the_second_quantity_owes(code: str) -> None:
    swapped = Rate(code, **{**FULL, "other": D("0.10"), "specific": D("0.25")})  # type: ignore[arg-type]
    assert owed(swapped, "1000", *MEASURES) != D(BY_CODE[code])
    with pytest.raises(RateRefused, match="no other rate"):
        owed(Rate(code, **{**FULL, "other": None}), "1000", *MEASURES)  # type: ignore[arg-type]


def test_kilograms_are_not_pieces() -> None:
    rate = Rate("1", specific=D("0.01"), unit1="kg")
    assert owed(rate, "0", Measure(D(500), "kg")) == D(5)
    with pytest.raises(RateRefused, match="for one kg and the line has 1000 EA"):
        owed(rate, "500", Measure(D(1000), "EA"))
    with pytest.raises(RateRefused, match="the line has no quantity"):
        owed(rate, "500")


@pytest.mark.parametrize(
    ("amount", "unit", "wanted", "converts_to"),
    [
        ("1500", "g", "kg", "1.5"),
        ("2", "TNE", "kg", "2000"),
        ("30", "No.", "doz.", "2.5"),
        ("100", "EA", "doz.", "8.333333"),
        ("7", "carat", "carat", "7"),
        ("3", "liters", "LTR", "3"),
    ],
)
def test_a_quantity_is_stated_in_the_rates_unit(
    amount: str, unit: str, wanted: str, converts_to: str
) -> None:
    assert converted((Measure(D(amount), unit),), wanted) == D(converts_to)


def test_the_first_quantity_that_converts_counts() -> None:
    assert converted((Measure(D(8), "EA"), Measure(D(40), "kg")), "kg") == D(40)


@pytest.mark.parametrize("missing", ["specific", "unit1"])
def test_an_incomplete_row_is_refused(missing: str) -> None:
    with pytest.raises(RateRefused, match="Complete the tariff row"):
        owed(Rate("1", **{**FULL, missing: None}), "1", *MEASURES)  # type: ignore[arg-type]


def test_fractions_are_shown_as_people_write_them() -> None:
    assert [percent(D(each)) for each in ("0.025", "0.5", "0.003464", "1.2", "0")] == [
        "2.5 %",
        "50 %",
        "0.3464 %",
        "120 %",
        "0 %",
    ]


money = st.decimals(0, 10**9, places=6)
rates = st.decimals(0, 4, places=8)


@given(st.lists(money, min_size=1, max_size=6), rates, st.sampled_from("14567"))
def test_what_goods_owe_together_they_owe_apart(values: list[Decimal], fraction: Decimal, code: str) -> None:
    rate = Rate(code, specific=fraction, advalorem=fraction, other=fraction, unit1="kg", unit2="kg")
    apart = total(*(owed(rate, str(value), Measure(value, "kg")) for value in values))
    whole = total(*values)
    assert owed(rate, str(whole), Measure(whole, "kg")) == apart


@given(money, money, rates)
def test_a_duty_grows_with_value_and_with_rate(one: Decimal, other: Decimal, fraction: Decimal) -> None:
    low, high = sorted((one, other))
    rate = Rate("7", advalorem=fraction)
    assert owed(rate, str(low)) <= owed(rate, str(high))
    assert owed(rate, str(high)) <= owed(Rate("7", advalorem=fraction + D("0.01")), str(high))


@given(st.decimals(-(10**12), 10**12, places=6), st.sampled_from(list(Rounding)))
def test_a_rounding_moves_at_most_half_its_unit_and_stays_where_it_is(
    exact: Decimal, rounding: Rounding
) -> None:
    rounded = rounding(exact)
    assert abs(rounded - exact) <= rounding.unit / 2
    assert rounding(rounded) == rounded


@pytest.mark.parametrize(
    ("rounding", "exact", "rounded"),
    [
        (Rounding.CENT_HALF_UP, "0.005", "0.01"),
        (Rounding.CENT_HALF_UP, "0.00499", "0.00"),
        (Rounding.DOLLAR_159_3, "10.49", "10"),
        (Rounding.DOLLAR_159_3, "10.50", "11"),
        (Rounding.DOLLAR_159_3, "11.50", "12"),
        (Rounding.UNITS_159_3, "2.5", "3"),
        (Rounding.VALUE_PART, "0.0000005", "0.000000"),
    ],
)
def test_a_half_goes_where_the_policy_says(rounding: Rounding, exact: str, rounded: str) -> None:
    assert rounding(D(exact)) == D(rounded)


@given(money, st.integers(1, 1000))
def test_parts_of_a_value_come_close_to_the_whole(whole: Decimal, count: int) -> None:
    parts = [part(whole, D(1), D(count)) for _ in range(count)]
    assert abs(total(*parts) - whole) <= times(D(count), Rounding.VALUE_PART.unit) / 2
