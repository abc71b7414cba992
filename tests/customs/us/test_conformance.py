# SPDX-License-Identifier: Apache-2.0
"""Published figures: the fee's history, worksheets on fees, the regulation's example of the lesser duty."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from customs.known import Known
from customs.law import Dataset, Law, LawBook, Mark
from customs.law_faults import law_faults
from customs.us.duty import foreign_bases
from customs.us.export import ForeignDuty, reductions
from customs.us.fees import UnknownYear, limits_on, processing_fee
from customs.us.lines import DutyLine, Explanation
from customs.zone import Values
from tests.customs.example_zone import (
    FILED,
    PROGRAMS,
    TARIFF,
    D,
    fee_limits,
    goods,
    leaving,
    pumps,
    weekly,
)


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "customs/mpf_history.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def vectors(folder: Path, name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "customs" / name).read_text(encoding="utf-8"))
    return loaded


def fee_law(folder: Path) -> Law:
    rows = history(folder)
    limits = []
    for row, after in zip(rows, [*rows[1:], None], strict=True):
        if not row["min_usd"]:
            continue
        assert after is not None
        limits.append(
            fee_limits(
                int(row["fiscal_year"].lstrip("<=")),
                row["min_usd"],
                row["max_usd"],
                rate=D(row["rate"]),
                valid_from=date.fromisoformat(row["effective_from"]),
                valid_to=date.fromisoformat(after["effective_from"]) - timedelta(1),
                source=row["origin"],
                mark=Mark(row["status"]),
            )
        )
    assert law_faults(limits) == []
    return LawBook((TARIFF, PROGRAMS, Dataset("d" * 64, Known(0, 3), tuple(limits)))).at()


def test_each_day_has_the_limits_of_its_year(conformance_data: Path) -> None:
    law = fee_law(conformance_data)
    for row in history(conformance_data):
        first = date.fromisoformat(row["effective_from"])
        if row["min_usd"]:
            found = limits_on(law, first).row
            assert (found.minimum, found.maximum) == (D(row["min_usd"]), D(row["max_usd"]))
        else:
            with pytest.raises(UnknownYear, match="FY2027"):
                limits_on(law, first)
    assert limits_on(law, date(2017, 12, 31)).row.maximum == D(485)
    assert limits_on(law, date(2018, 1, 1)).row.maximum == D("497.99")
    assert limits_on(law, date(2026, 9, 30)).row.maximum == D("651.50")


def fee_of(law: Law, value: str, on: date) -> Decimal:
    worth = leaving("1", goods("MOT-24", 1, values=Values(D(value))))
    entry = weekly(worth, entry_date=on)
    fee = processing_fee(entry, foreign_bases(entry), law)
    assert fee is not None
    return fee.amount


def test_worksheets_hold_for_entries_that_reach_the_most(conformance_data: Path) -> None:
    law, sheets = fee_law(conformance_data), vectors(conformance_data, "seed_vectors.json")
    sheet_a, sheet_b, sheet_h = (
        sheets[name] for name in ("A_mpf_75_entries", "B_mpf_20_entries", "H_A_at_FY2026_cap")
    )
    in_2018, in_2017 = date(2018, 3, 1), date(2017, 3, 1)
    assert fee_of(law, sheet_a["needs_value_per_entry_at_least"], in_2018) == D(sheet_a["cap"])
    assert 75 * D(sheet_a["cap"]) == D(sheet_a["week"])
    assert fee_of(law, sheet_b["needs_value_per_entry_at_least"], in_2017) == D(sheet_b["cap"])
    assert fee_of(law, "188077.37", date(2026, 3, 1)) == D(sheet_h["cap"])
    assert fee_of(law, "188075.92", date(2026, 3, 1)) < D(sheet_h["cap"])


def test_a_worksheet_that_takes_the_most_for_every_entry_is_wrong(conformance_data: Path) -> None:
    law, sheet = fee_law(conformance_data), vectors(conformance_data, "seed_vectors.json")["B_mpf_20_entries"]
    each = fee_of(law, sheet["but_100M_over_1040"], date(2017, 3, 1))
    assert each == D(sheet["true_mpf_each"])
    assert each != D(sheet["cap"])


def test_the_lesser_of_two_duties_as_the_regulation_shows_it(conformance_data: Path) -> None:
    name = "181.44(b) (NAFTA; USMCA 182.44 to verify)"
    example = vectors(conformance_data, "cfr_vectors.json")[name]
    entry = weekly(pumps("Y", 1), pumps("Z", 1), kind="08")
    half = D(example["us_duty_total"]) / 2
    why = Explanation("half", "19 CFR 181.44(b)", half, half)
    duties = [DutyLine(line, "lot", "ordinary", "general", half, True, why) for line in ("Y", "Z")]
    abroad = [
        ForeignDuty(line, country, D(example[line]["foreign_duty"]), FILED, FILED, f"proof {line}")
        for line, country in (("Y", "CA"), ("Z", "MX"))
    ]
    less = {each.line: each.amount for each in reductions(entry, duties, abroad)}
    assert less == {"Y": D(example["Y"]["drawback"]), "Z": D(example["Z"]["drawback_base"])}
