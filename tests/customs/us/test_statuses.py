# SPDX-License-Identifier: Apache-2.0
"""Zone statuses: every change there is, what becomes of waste, and what a program asks at admission."""

from __future__ import annotations

from datetime import date
from itertools import product

import pytest

from customs.documents import Status
from customs.known import Known
from customs.law import AdCvdCase, Dataset
from customs.tariff.cases import CaseRefused
from customs.us.rulings import Allowed, Refused
from customs.us.statuses import Cause, StatusChange, admission, change, waste_status
from tests.customs.example_zone import BOOK, LAW, YEAR, advalorem, program

PF, NPF, DOM, ZR = Status.PF, Status.NPF, Status.DOMESTIC, Status.RESTRICTED
STATUSES = (PF, NPF, DOM, ZR)
ALLOWED = {(NPF, PF), (NPF, ZR), (PF, ZR), (DOM, ZR)}


@pytest.mark.parametrize(("start", "to"), list(product(STATUSES, STATUSES)))
def test_only_these_changes_are_allowed(start: Status, to: Status) -> None:
    ruling = change(StatusChange(start, to))
    assert isinstance(ruling, Allowed) is ((start, to) in ALLOWED)
    assert ruling.section.startswith("19 CFR 146.")
    if isinstance(ruling, Refused):
        assert ruling.words.endswith(".")
        assert len(ruling.words) <= 110


def test_privileged_status_is_asked_before_a_change_of_class() -> None:
    assert isinstance(change(StatusChange(NPF, PF)), Allowed)
    late = change(StatusChange(NPF, PF, changed_class=True))
    assert isinstance(late, Refused)
    assert (late.reason, late.section) == ("class-changed", "19 CFR 146.41(a)")
    assert isinstance(change(StatusChange(NPF, ZR, changed_class=True)), Allowed)


@pytest.mark.parametrize(("start", "to"), sorted(ALLOWED))
def test_goods_with_an_accepted_entry_keep_their_status(start: Status, to: Status) -> None:
    ruling = change(StatusChange(start, to, constructive=True))
    assert isinstance(ruling, Refused)
    assert (ruling.reason, ruling.section) == ("constructive", "19 CFR 146.61")


def test_lost_identity_needs_a_decision() -> None:
    without = change(StatusChange(DOM, NPF))
    assert isinstance(without, Refused)
    assert without.reason == "decision-missing"
    decided = change(StatusChange(DOM, NPF, decision="PD-7"))
    assert isinstance(decided, Allowed)
    assert "PD-7" in decided.words
    assert isinstance(change(StatusChange(PF, NPF, decision="PD-7")), Refused)


@pytest.mark.parametrize("status", STATUSES)
def test_goods_in_suspense_get_their_status_by_their_permit_alone(status: Status) -> None:
    for wish in (StatusChange(Status.SUSPENSE, status), StatusChange(status, Status.SUSPENSE)):
        ruling = change(wish)
        assert isinstance(ruling, Refused)
        assert ruling.reason == "not-admitted"


@pytest.mark.parametrize(
    ("source", "cause", "waste"),
    [
        (PF, Cause.MANIPULATION, NPF),
        (PF, Cause.MANUFACTURE, NPF),
        (PF, Cause.CASUALTY, PF),
        *((status, cause, status) for status in (NPF, DOM, ZR) for cause in Cause),
    ],
)
def test_waste_has_its_own_rule(source: Status, cause: Cause, waste: Status) -> None:
    assert waste_status(source, cause) is waste


# -- admission ------------------------------------------------------------------------------------

HOUSING = ("76169951", "CN")
BEGINS = date(2025, 1, 1)


@pytest.mark.parametrize(
    ("on", "status", "allowed"),
    [
        (date(2024, 12, 31), NPF, True),
        (BEGINS, NPF, False),
        (BEGINS, ZR, False),
        (BEGINS, PF, True),
        (BEGINS, DOM, True),
        (BEGINS, Status.SUSPENSE, True),
    ],
)
def test_a_program_asks_for_privileged_status_from_its_day(on: date, status: Status, allowed: bool) -> None:
    ruling = admission(status, HOUSING, on, LAW)
    assert isinstance(ruling, Allowed) is allowed
    if isinstance(ruling, Refused):
        assert ruling.reason == "pf-required"
        assert "S301-X" in ruling.words


def test_other_origins_and_numbers_are_free_to_choose() -> None:
    for goods in (("76169951", "JP"), ("8501", "CN"), (None, "CN")):
        assert isinstance(admission(NPF, goods, BEGINS, LAW), Allowed)


def test_what_a_program_excepts_is_free_to_choose() -> None:
    rows = (program("P", "72", "*", "0.5", except_headings=("7216",), except_origins=("CA",)),)
    law = BOOK.plus(Dataset("e" * 64, Known(0, 9), rows)).at()
    assert isinstance(admission(NPF, ("72100000", "KR"), BEGINS, law), Refused)
    assert isinstance(admission(NPF, ("72160000", "KR"), BEGINS, law), Allowed)
    assert isinstance(admission(NPF, ("72100000", "CA"), BEGINS, law), Allowed)


def test_a_case_asks_for_privileged_status() -> None:
    values = {**YEAR, "headings": ("8482",), "remedy": "AD", "rate": advalorem("0.6")}
    rows = (
        AdCvdCase(**values, number="A-549-1", origins=("TH",)),
        AdCvdCase(**values, number="A-549-2", origins=("TH",), pf_required=False),
    )
    law = BOOK.plus(Dataset("e" * 64, Known(0, 9), rows)).at()
    bearing = ("8482", "TH")
    refused = admission(NPF, bearing, BEGINS, law, adcvd=("A-549-1",))
    assert isinstance(refused, Refused)
    assert refused.section == "15 CFR 400.14(e)"
    assert isinstance(admission(PF, bearing, BEGINS, law, adcvd=("A-549-1",)), Allowed)
    assert isinstance(admission(NPF, bearing, BEGINS, law, adcvd=("A-549-2",)), Allowed)
    with pytest.raises(CaseRefused, match="A-549-9 has no rate on 2025-01-01"):
        admission(NPF, bearing, BEGINS, law, adcvd=("A-549-9",))
    with pytest.raises(CaseRefused, match="about TH, the goods are of CN"):
        admission(NPF, ("8482", "CN"), BEGINS, law, adcvd=("A-549-1",))


def test_what_is_loaded_later_asks_nothing_of_an_earlier_admission() -> None:
    later = Dataset("e" * 64, Known(0, 9), (program("P", "8501", "JP", "0.1"),))
    book = BOOK.plus(later)
    assert isinstance(admission(NPF, ("8501", "JP"), BEGINS, book.at(Known(0, 8))), Allowed)
    assert isinstance(admission(NPF, ("8501", "JP"), BEGINS, book.at(Known(0, 9))), Refused)
