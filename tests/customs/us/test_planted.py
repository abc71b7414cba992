# SPDX-License-Identifier: Apache-2.0
"""Mistakes that a customs program is prone to, planted one by one: each makes a proof fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from customs.documents import Status
from customs.law import FeeLimits, Law, LawRow
from customs.tariff import programs as stacking
from customs.tariff.programs import LawDays
from customs.us import duty, fees, harbor, shortages, statuses
from customs.us.assessment import assess
from customs.us.lines import Basis
from customs.us.shortages import REPORT_DUTY, REPORT_SHARE, Finding, Shortage
from customs.us.statuses import Cause
from customs.zone import AdmissionLine, Mode
from tests.customs import test_law as rows
from tests.customs.example_zone import BOOK, FILED, LAW, goods, leaving, weekly
from tests.customs.tariff import test_programs as programs
from tests.customs.us import test_duty as duties
from tests.customs.us import test_example_zone as example
from tests.customs.us import test_shortages as counts
from tests.customs.us import test_statuses as changes

FAILED = (AssertionError, pytest.fail.Exception)


def fails(proof: Callable[[], object]) -> bool:
    try:
        proof()
    except FAILED:
        return True
    return False


def found(patch: pytest.MonkeyPatch, where: Any, name: str, bug: Any, *proofs: Callable[[], object]) -> bool:
    """Whether each proof passes as it is and fails with the bug in place."""
    before = [fails(proof) for proof in proofs]
    with patch.context() as planted:
        planted.setattr(where, name, bug)
        BOOK.kept.clear()
        after = [fails(proof) for proof in proofs]
    BOOK.kept.clear()
    return not any(before) and all(after)


def test_privileged_goods_at_the_rate_of_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(
        monkeypatch,
        duty,
        "rate_day",
        lambda part, entry_date: entry_date,
        duties.test_privileged_goods_owe_the_rate_of_their_filing,
    )


def test_programs_at_the_day_of_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(
        monkeypatch,
        LawDays,
        "of",
        lambda days, rate_date: days.entry,
        example.test_privileged_housings_of_two_filings_owe_two_rates,
    )


def test_other_foreign_goods_at_the_rate_of_admission(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(
        monkeypatch,
        duty,
        "rate_day",
        lambda part, entry_date: part.dates.pf_filed or part.dates.admitted,
        duties.test_other_foreign_goods_owe_the_rate_of_entry,
    )


def test_a_program_that_ignores_exclusions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(
        monkeypatch,
        stacking,
        "_excludes",
        lambda one, other: False,
        programs.test_an_excluded_program_is_not_owed,
    )


def test_a_last_day_that_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(
        monkeypatch,
        LawRow,
        "holds",
        lambda row, on: row.valid_from <= on < row.last_day(),
        example.test_the_program_falls_on_its_day_and_not_the_day_after,
    )


def test_a_first_day_that_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(
        monkeypatch,
        LawRow,
        "holds",
        lambda row, on: row.valid_from < on <= row.last_day(),
        lambda: changes.test_a_program_asks_for_privileged_status_from_its_day(
            changes.BEGINS, Status.NPF, allowed=False
        ),
    )


def test_a_fee_on_what_the_zone_added(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_zone_costs(basis: Basis, on: date, law: Law) -> tuple[Decimal, None]:
        share = Decimal(30) / 3 if basis.line.made else Decimal(0)
        return basis.value + share * basis.line.quantity, None

    assert found(
        monkeypatch,
        fees,
        "_share",
        with_zone_costs,
        example.test_the_fee_stands_on_foreign_content_and_not_on_what_the_zone_added,
    )


def test_a_fee_by_the_year_of_admission(monkeypatch: pytest.MonkeyPatch) -> None:
    right = fees.limits_on
    assert found(
        monkeypatch,
        fees,
        "limits_on",
        lambda law, on: right(law, FILED),
        example.test_the_year_of_the_fee_is_that_of_the_entry,
        example.test_the_fee_of_a_year_without_limits_is_refused,
    )


def test_last_years_limits_that_run_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(
        monkeypatch,
        FeeLimits,
        "last_day",
        lambda row: row.valid_to or date.max,
        rows.test_a_years_limits_end_with_the_fiscal_year,
    )


def test_a_fee_for_nothing_when_no_line_bears_one(monkeypatch: pytest.MonkeyPatch) -> None:
    right = fees._share
    assert found(
        monkeypatch,
        fees,
        "_share",
        lambda basis, on, law: (right(basis, on, law)[0] or Decimal(0), None),
        duties.test_chapter_98_bears_no_fee_and_its_two_exceptions_are_refused,
    )


def test_a_harbor_fee_by_the_truck_at_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    right = harbor.harbor_fee

    def by_truck(line: AdmissionLine, law: Law) -> Any:
        return right(msgspec.structs.replace(line, mode=Mode.TRUCK), law)

    assert found(
        monkeypatch,
        harbor,
        "harbor_fee",
        by_truck,
        example.test_the_harbor_fee_is_owed_on_what_vessels_brought,
    )


def test_a_harbor_fee_on_what_came_by_air(monkeypatch: pytest.MonkeyPatch) -> None:
    right = harbor.harbor_fee

    def always(line: AdmissionLine, law: Law) -> Any:
        return right(msgspec.structs.replace(line, mode=Mode.VESSEL, port_unlading="2704"), law)

    assert found(
        monkeypatch, harbor, "harbor_fee", always, example.test_the_harbor_fee_is_owed_on_what_vessels_brought
    )


WASTE = changes.test_waste_has_its_own_rule


def test_waste_that_stays_privileged(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(
        monkeypatch,
        changes,
        "waste_status",
        lambda source, cause: source,
        lambda: WASTE(Status.PF, Cause.MANUFACTURE, Status.NPF),
    )


def test_a_casualty_that_frees_privileged_goods(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(
        monkeypatch,
        changes,
        "waste_status",
        lambda source, cause: Status.NPF if source is Status.PF else source,
        lambda: WASTE(Status.PF, Cause.CASUALTY, Status.PF),
    )
    assert statuses.waste_status(Status.PF, Cause.CASUALTY) is Status.PF


def test_one_percent_or_a_hundred_dollars(monkeypatch: pytest.MonkeyPatch) -> None:
    def either(shortage: Shortage) -> Finding:
        share = shortage.quantity >= shortage.whole * REPORT_SHARE
        return Finding(share or shortage.duty_and_tax >= REPORT_DUTY, "19 CFR 146.53(a)(3)", "")

    assert found(
        monkeypatch,
        counts,
        "judge",
        either,
        lambda: counts.test_missing_brackets_of_the_example_zone(13, "55.02", report=False),
        lambda: counts.test_both_limits_must_be_reached(999, 100_000, "1198.80", report=False),
    )
    assert shortages.judge(counts.missing(24, 1250, "101.57")).report


def test_domestic_content_that_is_charged(monkeypatch: pytest.MonkeyPatch) -> None:
    with_domestic = frozenset({*duty.FOREIGN, Status.DOMESTIC})

    def proof() -> None:
        kit = leaving("1", goods("KIT-D", 1000, hts="8501"))
        assert assess(weekly(kit), LAW).total == 0

    assert found(monkeypatch, duty, "FOREIGN", with_domestic, proof)
