# SPDX-License-Identifier: Apache-2.0
"""What data identifiers say of the goods; two values for one field are refused, never chosen between."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from gs1.agencies import AGENCIES, agency_of
from gs1.elements import Elements
from gs1.envelope import parse_identifier
from gs1.errors import CodeError
from gs1.part_label import PartLabel, part_label, unique_item


def label(*elements: str) -> PartLabel:
    return part_label(tuple(pair for element in elements for pair in parse_identifier(element)))


def test_a_shipping_label_fills_its_fields() -> None:
    found = label(
        "PMOT-24", "1PM24-A", "Q40", "3QEA", "V0012", "13V123456789", "1T4711", "T99", "K4500012", "4K10",
        "4LJP", "1JUN123456789A1B2", "14D20270630", "SA", "SB", "2PC",
    )  # fmt: skip
    assert (found.part, found.supplier_part, found.revision) == ("MOT-24", "M24-A", "C")
    assert (found.quantity, found.unit) == (Decimal(40), "EA")
    assert (found.lot, found.customer_lot, found.serials) == ("4711", "99", ("A", "B"))
    assert (found.order, found.order_line, found.origin) == ("4500012", "10", "JP")
    assert (found.licence_plate, found.plate_agency) == ("UN123456789A1B2", "Dun and Bradstreet")
    assert found.expires == date(2027, 6, 30)
    assert found.fields["supplier"] == (("V", "0012"), ("13V", "123456789"))


@pytest.mark.parametrize(
    ("elements", "quantity", "unit"),
    [
        (["Q40"], "40", None), (["Q40", "3QEA"], "40", "EA"), (["7Q40EA"], "40", "EA"),
        (["Q40", "7Q40EA"], "40", "EA"), (["Q40", "7Q12.5GT"], "40", None),
        (["Q40", "3QEA", "7Q12.5GT"], "40", "EA"),
        (["Q40.0", "Q40"], "40", None), (["Q0.333"], "0.333", None), (["PX"], None, None),
        (["Q9999999999999999999999"], "9999999999999999999999", None),
    ],
)  # fmt: skip
def test_the_quantity_is_exact_and_its_unit_the_labels_own(
    elements: list[str], quantity: str | None, unit: str | None
) -> None:
    found = label(*elements)
    assert found.quantity == (None if quantity is None else Decimal(quantity))
    assert found.unit == unit


@pytest.mark.parametrize(
    "elements",
    [
        ["PA", "PB"], ["1PA", "1PB"], ["Q1", "Q2"], ["7Q1EA", "7Q2EA"], ["7Q1EA", "7Q1KG"],
        ["Q1", "3QEA", "3QKG"],
        ["Q1", "3QKG", "7Q1EA"], ["7Q1EA", "3QKG"], ["1TA", "1TB"], ["4LJP", "4LTH"], ["1JUN1A", "6JUN1B"],
        ["14D20270630", "15D01072027"], ["KA", "14KB+1"], ["8P09521999001010", "8P09521999001027"],
    ],
)  # fmt: skip
def test_a_label_that_contradicts_itself_is_refused(elements: list[str]) -> None:
    with pytest.raises(CodeError) as error:
        label(*elements)
    assert {fault.code for fault in error.value.faults} == {"conflict"}
    assert "expected one" in str(error.value)


def test_the_same_said_twice_in_two_forms_is_no_contradiction() -> None:
    found = label("14D20270630", "15D30062027", "KA", "14KA+10", "4K10")
    assert (found.expires, found.order, found.order_line) == (date(2027, 6, 30), "A", "10")


def test_application_identifiers_beside_are_passed_over() -> None:
    assert part_label((("01", "09521999001010"), ("Q", "5"))).quantity == 5


@pytest.mark.parametrize(
    ("elements", "item"),
    [
        (["25SUN1234567891234"], "UN1234567891234"), (["18S1ABC2-77"], "D1ABC2-77"),
        (["17V1ABC2", "1P123", "S7"], "D1ABC21237"), (["12V123456789", "1PA", "S7"], "UN123456789A7"),
        (["18VLB1234", "1TL1", "S7"], "LB1234L17"), (["7LABCDEF", "1PA", "S1"], "LDABCDEFA1"),
        (["17V1ABC2", "S7"], None), (["17V1ABC2", "12V123456789", "1PA", "S7"], None),
        (["17V1ABC2", "1PA", "S7", "S8"], None), (["PA", "S7"], None),
    ],
)  # fmt: skip
def test_a_unique_item_is_put_together_as_the_standard_says(elements: list[str], item: str | None) -> None:
    assert unique_item(tuple(pair for element in elements for pair in parse_identifier(element))) == item


@pytest.mark.parametrize(
    ("elements", "item"),
    [
        ((("MFR", "0CVA5"), ("SER", "674A36458")), "D0CVA5674A36458"),
        ((("DUN", "123456789"), ("UCN", "7")), "UN1234567897"),
        ((("SPL", "1ABC2"), ("PNO", "P9"), ("SEQ", "1")), "D1ABC2P91"),
        ((("EUC", "952199"), ("SER", "1")), "9521991"),
        ((("SER", "1"),), None),
    ],
)
def test_text_elements_make_a_unique_item_as_well(elements: Elements, item: str | None) -> None:
    assert unique_item(elements) == item


def test_no_agency_code_begins_another() -> None:
    assert not [(a, b) for a in AGENCIES for b in AGENCIES if a != b and b.startswith(a)]
    assert [agency_of(text) for text in ("0952", "OD1", "UN", "U", "ZZ9", "")] == [
        "GS1", "Odette", "Dun and Bradstreet", None, None, None,
    ]  # fmt: skip
