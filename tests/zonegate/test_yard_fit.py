# SPDX-License-Identifier: Apache-2.0
"""The weights of the gate's second opinion come out of yards that were driven."""

from __future__ import annotations

import json
from math import exp
from random import Random

import pytest

from edge.evidence import decode
from edge.gate.weights import CASES, LABEL
from zonegate.yard_fit import Row, Truth, drive, fit, main, rows_of
from zonegate.yard_gate import Plan

MEANT = (-1.0, 2.0, 0.0, -0.5)


def drawn(seed: int, count: int, *, guessed: bool = False) -> list[Row]:
    """Rows that crossed as a logistic model says, or at random."""
    chance = Random(seed)
    rows = []
    for _ in range(count):
        told = (1.0, chance.gauss(0.0, 1.0), chance.gauss(3.0, 2.0), chance.gauss(-2.0, 4.0))
        sure = 1.0 / (1.0 + exp(-sum(a * b for a, b in zip(MEANT, told, strict=True))))
        rows.append(Row(told, chance.random() < (0.5 if guessed else sure)))
    return rows


def test_the_weights_that_made_the_rows_are_found_again() -> None:
    assert fit(drawn(1, 20_000)) == pytest.approx(MEANT, abs=0.15)
    assert fit(drawn(1, 20_000, guessed=True)) == pytest.approx((0.0,) * 4, abs=0.15), "the control"


def test_a_ridge_keeps_weights_small_where_every_row_says_the_like() -> None:
    parted = [Row((1.0, float(at)), at > 0) for at in range(-20, 20)]
    wide, narrow = abs(fit(parted, 0.01)[1]), abs(fit(parted, 10.0)[1])
    assert 0.0 < narrow < wide < 100.0


def test_labels_and_cases_of_a_yard_are_held_against_the_truth() -> None:
    kept, truth = drive(Plan(30, 12, "four", eyes=True))
    told = [pair for each in kept for pair in rows_of(decode(each), truth)]
    assert len(told) >= 6
    assert all(len(row.told) == len(LABEL if label else CASES) for label, row in told)
    assert sum(row.crossed for _, row in told) >= 0.7 * len(told)
    nothing = Truth([json.dumps({"kind": "pallet", "pallet": "p1", "tags": []})])
    assert not any(row.crossed for each in kept for _, row in rows_of(decode(each), nothing)), "the control"


def test_too_little_to_fit_to_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "30", "--crossings", "4"]) == 1
    assert "all alike: drive more seeds" in capsys.readouterr().err
