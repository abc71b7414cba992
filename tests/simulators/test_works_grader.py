# SPDX-License-Identifier: Apache-2.0
"""The grader's own arithmetic of what was made: all is well, and each lie is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from simulators.grader.evidence import Center, Truth
from simulators.grader.record import Row
from simulators.grader.works import floor_of, made_figures, works_findings
from simulators.yard.scenario import build
from simulators.yard.works import WorkOrder

Step = dict[str, Any]

ORDERS = [step.order for step in build("day", 1, date(2026, 6, 3)).steps if step.order]
TRUTH = Truth(0, (), (), tuple(order.truth() for order in ORDERS))


def issue(piece: Step) -> Step:
    loads = [{"key": piece["load"], "sscc": piece["load"], "quantity": piece["quantity"]}]
    return {
        "product": piece["gtin"],
        "status": piece["status"],
        "quantity": piece["quantity"],
        "loads": loads,
    }


def steps_of(order: WorkOrder) -> list[Step]:
    """What the center writes of an order."""
    done = order.truth()
    base = {"order": order.name}
    made = [issue(piece) | {"lot": f"WO-{order.name}"} for piece in done["made"]]
    whole = made[0] | {
        "quantity": str(done["pumps"]),
        "loads": [load for one in made for load in one["loads"]],
    }
    scrap = [{"made": issue(piece) | {"lot": f"WO-{order.name}-S"}} for piece in done["scrap"]]
    return [
        base | {"event": "planned"},
        base | {"event": "started", "issues": [issue(piece) for piece in done["took"]]},
        base | {"event": "reported", "made": [whole], "scrap": scrap},
        base | {"event": "closed"},
    ]


def center(steps: list[Step], postings: dict[tuple[str, str], Decimal] | None = None) -> Center:
    """A center whose own log has these steps, and a ledger that agrees with the truth."""
    rows = [
        Row("e", seq, f"id-{seq}", "order", "", json.dumps({"body": body}).encode())
        for seq, body in enumerate(steps, start=1)
    ]
    ledger = {("made", f"WO-{order.name}"): Decimal(-50) for order in ORDERS}
    ledger |= {("made", f"WO-{order.name}-S"): Decimal(-1) for order in ORDERS}
    return Center([], [], rows, [], {}, {}, {}, postings=ledger | (postings or {}))


ALL = [step for order in ORDERS for step in steps_of(order)]


def findings(steps: list[Step], postings: dict[tuple[str, str], Decimal] | None = None) -> list[str]:
    return [finding.text for finding in works_findings(TRUTH, center(steps, postings))]


def changed(change: Callable[[list[Step]], Any]) -> list[str]:
    steps = json.loads(json.dumps(ALL))
    change(steps)
    return findings(steps)


def test_what_was_made_right_has_no_finding_and_its_figures_are_the_storys() -> None:
    assert findings(ALL) == []
    figures = made_figures(center(ALL))
    assert (figures["orders"], figures["made"], figures["scrap"]) == (20, 1000, 20)
    assert list(figures["consumed"].values()) == ["1000", "2000", "1020", "1000"]


def test_the_floor_gets_what_was_made_and_loses_what_was_taken() -> None:
    floor = floor_of(TRUTH)
    by_sign = [sum(1 for quantity in floor.values() if (quantity > 0) is came) for came in (True, False)]
    assert by_sign == [41, 48], "forty pallets of pumps and a bin; 48 pallets of parts"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda steps: steps.pop(), "has no step closed"),
        (lambda steps: steps.append(steps[-1]), "a second time"),
        (lambda steps: steps.append({"order": "X", "event": "planned"}), "which nobody worked on"),
        (lambda steps: steps[1]["issues"][0].update(quantity="51"), "by the bill of 1000 pumps"),
        (lambda steps: steps[1]["issues"][0]["loads"][0].update(quantity="51"), "took"),
        (lambda steps: steps[1]["issues"][-1].update(status="NPF"), "took"),
        (lambda steps: steps[2]["made"][0].update(quantity="49"), "the orders say 999"),
        (lambda steps: steps[2]["made"][0]["loads"].pop(), "made"),
        (lambda steps: steps[2]["scrap"].pop(), "scrap"),
    ],
)
def test_a_lie_in_the_log_is_found(change: Callable[[list[Step]], Any], said: str) -> None:
    told = changed(change)
    assert any(said in text for text in told), told


@pytest.mark.parametrize(
    ("account", "lot", "quantity", "said"),
    [
        ("wip:2623-01", "214/1", 1, "still on wip:2623-01"),
        ("overdrawn", "?", -3, "overdrawn by 3"),
        ("made", "WO-2623-01", -51, "the ledger says 51"),
        ("made", "WO-9999", -1, "0 were made, the ledger says 1"),
    ],
)
def test_a_lie_in_the_ledger_is_found(account: str, lot: str, quantity: int, said: str) -> None:
    (told,) = findings(ALL, {(account, lot): Decimal(quantity)})
    assert said in told
