# SPDX-License-Identifier: Apache-2.0
"""Printed rates: what they mean, and that what is not understood is refused."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.law import UNSERVED, Rate, TariffRow
from customs.law_faults import law_faults
from customs.tariff.rates import Measure, RateRefused, duty_parts
from customs.tariff.rounding import total
from customs.tariff.text import RateText, parse_rate, parse_special, printed_rate
from tests.customs.example_zone import YEAR, D


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("Free", Rate("0")),
        (" free ", Rate("0")),
        ("5%", Rate("7", advalorem=D("0.05"))),
        ("6.8 %", Rate("7", advalorem=D("0.068"))),
        ("2.8¢/kg", Rate("1", specific=D("0.028"), unit1="kg")),
        ("1c/kg", Rate("1", specific=D("0.01"), unit1="kg")),
        ("10 cents per kg", Rate("1", specific=D("0.10"), unit1="kg")),
        ("$1.50 each", Rate("1", specific=D("1.50"), unit1="No.")),
        ("$1,5", None),
        ("3 c + 5 %", Rate("4", specific=D("0.03"), advalorem=D("0.05"), unit1="No.")),
        ("2.8¢/kg + 5%", Rate("4", specific=D("0.028"), advalorem=D("0.05"), unit1="kg")),
        ("5% + 2.8¢/kg", Rate("4", specific=D("0.028"), advalorem=D("0.05"), unit1="kg")),
        (
            "40¢ each + 2¢/kg + 3%",
            Rate("6", specific=D("0.40"), other=D("0.02"), advalorem=D("0.03"), unit1="No.", unit2="kg"),
        ),
        (
            "$1.34/doz. + 0.8¢/kg",
            Rate("3", specific=D("1.34"), other=D("0.008"), unit1="doz.", unit2="kg"),
        ),
        ("See 9903.88.03", None),
        ("See 9822.04.01-9822.04.03", None),
        ("The rate applicable to the article of which it is a part", None),
        ("6.6¢/kg on drained weight", None),
        ("5%+", None),
        ("5% + 6%", None),
        ("-5%", None),
        ("1e3%", None),
        ("\u0665%", None),
        ("=5%", None),
        ("", None),
        ("  ", None),
        ("5%\x07", None),
        ("5" * 501 + "%", None),
        ("9" * 300 + "%", None),
    ],
)
def test_a_printed_rate_is_understood_or_refused(text: str, rate: Rate | None) -> None:
    if rate is None:
        with pytest.raises(RateText):
            parse_rate(text)
    else:
        assert parse_rate(text) == rate


def test_a_reference_is_refused_by_name() -> None:
    with pytest.raises(RateText, match=r"'See 9903\.88\.03' refers to another heading"):
        parse_rate("See 9903.88.03")


@pytest.mark.parametrize(
    ("text", "code"), [("See 9822.01", "see"), ("6.6¢/kg on drained weight", "X"), ("Free", "0"), ("5%", "7")]
)
def test_a_text_that_is_no_rate_is_kept_and_never_computed(text: str, code: str) -> None:
    rate = printed_rate(text)
    assert rate.code == code
    if code in UNSERVED:
        with pytest.raises(RateRefused, match="is not computed"):
            duty_parts(rate, D(100), ())


def test_the_special_column_gives_each_group_its_rate() -> None:
    text = "Free (BH,CL,E*) 1.7% (KR) See 9822.04.01-9822.04.03 (AU)"
    free, korea, australia = parse_special(text)
    assert (free.symbols, free.rate) == (("BH", "CL", "E*"), Rate("0"))
    assert (korea.symbols, korea.rate) == (("KR",), Rate("7", advalorem=D("0.017")))
    assert (australia.symbols, australia.rate) == (("AU",), None)
    assert "refers to another heading" in australia.refused
    assert parse_special("") == ()


@pytest.mark.parametrize("text", ["Free", "Free (A", "(A)", "Free (a,b)", "Free (A) and more"])
def test_what_is_no_list_of_groups_is_refused(text: str) -> None:
    with pytest.raises(RateText, match="no rate with its symbols"):
        parse_special(text)


def said(parse: Callable[[str], object], text: str) -> str:
    try:
        parse(text)
    except RateText as refused:
        return str(refused)
    return "understood"


@given(st.text(max_size=40))
def test_any_text_is_a_rate_or_a_refusal(text: str) -> None:
    for parse in (parse_rate, parse_special):
        assert said(parse, text).isprintable()


@given(st.decimals(0, 9999, places=3), st.decimals(0, 9999, places=2), st.sampled_from(["kg", "doz.", "No."]))
def test_a_written_rate_reads_back(cents: object, percents: object, unit: str) -> None:
    rate = parse_rate(f"{cents}¢/{unit} + {percents}%")
    assert rate.specific is not None
    assert rate.advalorem is not None
    assert (str(rate.specific * 100), str(rate.advalorem * 100)) == (str(cents), str(percents)) or (
        rate.specific * 100 == cents and rate.advalorem * 100 == percents
    )


# -- rows of the published tariff -----------------------------------------------------------------


def published(folder: Path) -> list[dict[str, str]]:
    path = folder / "customs" / "htsus_sample.csv"
    if not path.exists():
        pytest.skip(f"{path.name} is not among the conformance data")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_published_row_is_understood(conformance_data: Path) -> None:
    rows = published(conformance_data)
    understood = []
    for row in rows:
        for column, text in (("general", row["general"]), ("2", row["column2"])):
            understood.append(
                TariffRow(
                    **YEAR, hts=row["hts"].replace(".", ""), column=column, rate=parse_rate(text), text=text
                )
            )
        for group in parse_special(row["special"]):
            assert group.rate is not None or "refers to another heading" in group.refused
    assert law_faults(understood) == []
    assert len(understood) == 2 * len(rows)
    print(f"{len(understood)} published rates understood")


def test_a_rate_by_weight_asks_for_the_weight(conformance_data: Path) -> None:
    by_weight = [row for row in published(conformance_data) if "/kg" in row["general"]]
    assert len(by_weight) >= 6
    for row in by_weight:
        rate = parse_rate(row["general"])
        assert rate.specific is not None
        parts = duty_parts(rate, D(500), (Measure(D(80), "kg"),))
        assert total(*(each.exact for each in parts)) == 80 * rate.specific
        # The mistake that was seen: a thousand units, whatever the goods weigh.
        with pytest.raises(RateRefused, match="State the customs quantity in kg"):
            duty_parts(rate, D(500), (Measure(D(1000), "EA"),))
