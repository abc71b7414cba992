# SPDX-License-Identifier: Apache-2.0
"""Bills of material: every fault at once, the version of the day, and explosion that loses nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.works.boms import (
    Bom,
    CoProduct,
    Input,
    NoBom,
    Scrap,
    WorksError,
    explode,
    needs,
    problems,
    version_on,
)
from tests.customs.works.examples import BEARING, HOUSING, KIT, MONDAY, MOTOR, PUMP, pump_bom

UNITS = dict.fromkeys((PUMP, MOTOR, BEARING, HOUSING, KIT), "EA")


def bom(product: str, *inputs: str, **more: object) -> Bom:
    rows = tuple(Input(gtin, Decimal(1), "EA") for gtin in inputs)
    first = Bom(product=product, version="1", unit="EA", valid_from=MONDAY, inputs=rows)
    return msgspec.structs.replace(first, **more)


def fields(*boms: Bom, on_file: tuple[Bom, ...] = ()) -> list[str]:
    return [problem.field for problem in problems(boms, on_file)]


def test_a_pallet_of_pumps_takes_half_a_housing_more_than_whole_ones() -> None:
    taken = {need.gtin: need.quantity for need in needs(pump_bom(), Decimal(25))}
    assert taken == {
        MOTOR: Decimal(25),
        BEARING: Decimal(50),
        HOUSING: Decimal("25.5"),
        KIT: Decimal(25),
    }
    assert next(n.quantity for n in needs(pump_bom(), Decimal(1000)) if n.gtin == HOUSING) == Decimal(1020)


def test_the_pump_has_no_fault() -> None:
    assert problems([pump_bom()], units=UNITS) == []


def test_all_faults_of_a_bill_are_told_at_once() -> None:
    bad = Bom(
        product=PUMP,
        version="1",
        unit="EA",
        valid_from=date(2026, 6, 2),
        valid_to=MONDAY,
        yield_=Decimal(0),
        inputs=(
            Input(PUMP, Decimal(1), "EA"),
            Input(MOTOR, Decimal(-1), "EA"),
            Input(MOTOR, Decimal("1e9"), "EA"),
            Input(HOUSING, Decimal(1), "EA"),
            Input(KIT, Decimal("NaN"), "EA"),
        ),
        scrap=(
            Scrap(BEARING, Decimal(1), recoverable=True, description="x"),
            Scrap(HOUSING, Decimal(2), recoverable=True, description="x"),
        ),
        coproducts=(CoProduct(MOTOR, Decimal(1), "EA", Decimal(0)),),
    )
    assert set(fields(bad)) >= {
        "valid_to",
        "yield",
        "inputs[0].gtin",
        "inputs[1].per",
        "inputs[2].per",
        "inputs[2].gtin",
        "inputs[4].per",
        "scrap[0].input",
        "scrap[1].per",
        "coproducts[0].value",
        "coproducts[0].gtin",
        "value",
    }


def test_a_unit_that_does_not_convert_and_a_product_nobody_knows_are_faults() -> None:
    strange = bom("P", inputs=(Input("A", Decimal(1), "KGM"), Input("B", Decimal(1), "EA")))
    found = [problem.field for problem in problems([strange], units={"P": "EA", "A": "EA"})]
    assert found == ["inputs[0].unit", "inputs[1]"]
    assert problems([strange], units={"P": "EA", "A": "GRM", "B": "EA"}) == []


def test_an_open_version_is_in_force_until_the_next_begins() -> None:
    old, new = pump_bom("A"), pump_bom("B", valid_from=date(2026, 6, 8))
    assert problems([old, new]) == []
    assert version_on([new, old], PUMP, date(2026, 6, 7)).version == "A"
    assert version_on([new, old], PUMP, date(2026, 6, 8)).version == "B"
    with pytest.raises(NoBom):
        version_on([new, old], PUMP, date(2025, 12, 31))


def test_an_ended_version_does_not_come_back() -> None:
    ended = pump_bom("A", valid_to=MONDAY)
    with pytest.raises(NoBom):
        version_on([ended], PUMP, date(2026, 6, 2))


def test_versions_that_overlap_or_share_a_name_are_refused() -> None:
    early = pump_bom("A", valid_to=date(2026, 6, 8))
    assert fields(early, pump_bom("B", valid_from=date(2026, 6, 8))) == ["valid_from"]
    assert fields(pump_bom("B", valid_from=date(2026, 6, 8)), on_file=(early,)) == ["valid_from"]
    assert fields(pump_bom("A"), pump_bom("A", valid_from=MONDAY)) == ["version"]
    assert fields(early, on_file=(early,)) == [], "what is on file just so is no fault"


def test_a_product_that_contains_itself_is_refused_however_long_the_way() -> None:
    assert fields(bom("A", "B"), bom("B", "C"), bom("C", "A")) == ["inputs"]
    assert fields(bom("C", "A"), on_file=(bom("A", "B"), bom("B", "C"))) == ["inputs"]
    assert fields(bom("A", "B", "C"), bom("B", "D"), bom("C", "D")) == [], "a diamond is no circle"


def test_a_circle_needs_a_day_on_which_all_its_versions_are_in_force() -> None:
    june = bom("A", "B", valid_to=date(2026, 6, 30))
    assert fields(june, bom("B", "A", valid_from=date(2026, 7, 1))) == []
    assert fields(june, bom("B", "A", valid_from=date(2026, 6, 30))) == ["inputs"]


def test_a_long_chain_is_no_circle_and_ends_no_stack() -> None:
    chain = [bom(f"P{number}", f"P{number + 1}") for number in range(3000)]
    assert problems(chain) == []
    assert fields(*chain, bom("P3000", "P0")) == ["inputs"]
    with pytest.raises(WorksError, match="deeper than"):
        explode(chain, "P0", Decimal(1), MONDAY)


def test_assemblies_are_opened_and_what_they_share_is_added() -> None:
    pump = bom("P", "A", "B")
    half = bom("A", inputs=(Input("S", Decimal("0.5"), "KGM"),))
    most = msgspec.structs.replace(
        bom("B", "S"), inputs=(Input("S", Decimal(3), "KGM"),), yield_=Decimal("0.75")
    )
    (need,) = explode([pump, half, most], "P", Decimal(10), MONDAY)
    assert need == ("S", Decimal(45), "KGM", 2)


@given(
    made=st.decimals(min_value="0.000001", max_value=10**6, places=6),
    yield_=st.decimals(min_value="0.001", max_value=1, places=3),
    per=st.decimals(min_value="0.000001", max_value=10**3, places=6),
)
def test_what_is_asked_for_is_never_too_little_and_less_than_a_millionth_too_much(
    made: Decimal, yield_: Decimal, per: Decimal
) -> None:
    one = bom("P", "A", inputs=(Input("A", per, "EA"),), yield_=yield_)
    (need,) = needs(one, made)
    over = Fraction(need.quantity) * Fraction(yield_) - Fraction(made) * Fraction(per)
    assert 0 <= over < Fraction(yield_) / 10**6
