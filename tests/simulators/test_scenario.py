# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import asdict
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.imports import Known, Papers, Upload, read_papers
from gs1 import Control, Load, Unknown, WorkOrder, check_character, check_digit, identify
from simulators.yard import labels
from simulators.yard.drive import MANNERS
from simulators.yard.scenario import SCRIPTS, Scenario, build

TODAY = date(2026, 6, 3)

every_script = pytest.mark.parametrize("script", SCRIPTS)


@every_script
def test_the_same_seed_tells_the_same_story_and_another_seed_another(script: str) -> None:
    first, again, other = (build(script, seed, TODAY) for seed in (4, 4, 5))
    assert _told(first) == _told(again)
    assert _told(first) != _told(other)


@every_script
@pytest.mark.parametrize("seed", range(5))
def test_the_center_takes_the_papers_as_they_are(script: str, seed: int) -> None:
    documents = build(script, seed, TODAY).papers.documents()
    upload = Upload("papers.json", json.dumps(documents).encode())
    papers = read_papers([upload], Known(doors={"d1": "dock-1", "d2": "dock-1", "d3": "dock-2"}), check_digit)
    assert isinstance(papers, Papers), papers
    assert len(papers.products) == len(documents["products"])
    assert len(papers.permits) == len(documents["permits"])
    assert len(papers.conveyances) == len(documents["trucks"])


@pytest.mark.parametrize("today", [date(2026, 6, 1), date(2026, 6, 7), date(2026, 12, 31)])
def test_permits_are_valid_in_the_week_of_today(today: date) -> None:
    for permit in build("day", 1, today).papers.documents()["permits"]:
        assert permit["valid_from"] <= today.isoformat() <= permit["valid_to"]


@every_script
def test_every_label_reads_as_the_load_that_its_fact_names(script: str) -> None:
    for step in build(script, 2, TODAY).steps:
        if step.act != "scan":
            continue
        identity = identify(step.code, TODAY)
        if step.answer in ("opened", "closed") or step.note.startswith("takes"):
            assert isinstance(identity, WorkOrder | Control)
        elif step.expect and step.expect[0]["reason"] in ("unreadable", "no-read"):
            assert isinstance(identity, Unknown)
            assert step.code.decode() == step.expect[0]["load"]
        else:
            assert isinstance(identity, Load), step
            shown = identity.sscc or identity.key
            assert {fact["load"] for fact in step.expect} <= {shown}
            assert step.shows in (shown, "")


@pytest.mark.parametrize("script", ["day", "trouble"])
@pytest.mark.parametrize("seed", range(20))
def test_the_story_holds_every_event(script: str, seed: int) -> None:
    scenario = build(script, seed, TODAY)
    facts = [fact for step in scenario.steps for fact in step.expect]
    reasons = Counter(fact["reason"] for fact in facts)
    for reason in ("no-job", "no-read", "unreadable", "unknown-load", "quantity-needed"):
        assert reasons[reason] >= 1
    for reason in ("not-on-permit", "straddles-limit", "permit-exhausted", "already-withdrawn"):
        assert reasons[reason] == 1
    assert reasons["domestic"] >= 3
    assert reasons["undo"] == 2
    closings = [fact for fact in facts if fact["reason"] == "closed"]
    assert [len(fact["missing"]) for fact in closings].count(1) == 1
    assert any(len(truck.lines) > 2 for truck in scenario.papers.trucks)
    assert any(step.times == 2 and len(step.expect) == 1 for step in scenario.steps)
    assert any(not step.expect and step.answer == "load" for step in scenario.steps)
    assert any(b"\x1d30" in step.code for step in scenario.steps)
    assert any(b"37125\x1d" in step.code for step in scenario.steps)


def test_trouble_holds_every_fault() -> None:
    steps = build("trouble", 1, TODAY).steps
    assert {step.text for step in steps if step.act == "call"} == {
        "kill-node",
        "stop-center",
        "start-center",
        "kill-broker",
    }
    assert {"unplug", "plug"} <= {step.act for step in steps}
    assert any(step.manner == "split" for step in steps)
    assert any(step.times > 20 for step in steps)


def test_rush_keeps_both_doors_busy_with_hundreds_of_scans() -> None:
    steps = build("rush", 1, TODAY).steps
    assert sum(step.times for step in steps) > 300
    doors = defaultdict(set)
    for step in steps:
        doors[step.phase].add(step.door)
    assert sum(len(names) == 3 for names in doors.values()) >= 3


@pytest.mark.parametrize("seed", range(5))
def test_a_day_with_a_gate_has_the_same_papers_and_drives_in_every_manner(seed: int) -> None:
    with_gate, without = (build("day", seed, TODAY, gate=gate) for gate in (True, False))
    assert with_gate.papers.documents() == without.papers.documents()
    assert (with_gate.gates, without.gates) == (("d2",), ())
    driven = Counter(step.drive.manner for step in with_gate.steps if step.drive)
    assert set(driven) == set(MANNERS)
    assert driven["through"] == 2
    assert sum(step.act == "show" for step in with_gate.steps) == 1
    # The same loads leave, whichever way they are read.
    left = [
        sorted(fact["load"] for step in steps for fact in step.expect if fact["type"] == "withdrawal")
        for steps in (with_gate.steps, without.steps)
    ]
    assert left[0] == left[1]


def test_the_days_orders_make_every_pump_that_leaves_of_what_came_in() -> None:
    scenario = build("day", 1, TODAY)
    orders = [step.order for step in scenario.steps if step.order]
    assert [order.name for order in orders] == [f"2623-{number:02d}" for number in range(1, 21)]
    took: dict[str, Decimal] = defaultdict(Decimal)
    for order in orders:
        for piece in order.truth()["took"]:
            took[piece["gtin"]] += Decimal(piece["quantity"])
    assert sorted(took.values()) == [1000, 1000, 1020, 2000]
    made = [piece["load"] for order in orders for piece in order.truth()["made"]]
    facts = [fact for step in scenario.steps for fact in step.expect]
    gone = [fact for fact in facts if fact["type"] == "withdrawal" and fact["gtin"] == "09521999001041"]
    assert sorted(fact["load"] for fact in gone) == sorted(made)
    by_line = Counter[str]()
    for fact in gone:
        by_line[fact["line"].partition("-")[0]] += int(fact["quantity"])
    assert by_line == {"06": 750, "7512": 200, "08": 50}
    came = sum(fact["type"] == "admission" and fact["owner"] == "Example Motors" for fact in facts)
    assert came >= 48, "25 pallets of motors, 4 of bearings, 17 of housings, 2 of kits"


@every_script
@pytest.mark.parametrize("gate", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_no_permit_line_and_no_floor_goes_below_zero(script: str, seed: int, gate: bool) -> None:
    scenario = build(script, seed, TODAY, gate=gate)
    left = {str(line): Decimal(line.quantity) for line in scenario.papers.lines}
    floor: dict[str, Decimal] = defaultdict(Decimal)
    for step in sorted(scenario.steps, key=lambda step: step.phase):
        done = step.order.truth() if step.order else {"took": (), "made": (), "scrap": ()}
        for piece in done["took"]:
            floor[piece["load"]] -= Decimal(piece["quantity"])
            assert floor[piece["load"]] >= 0
        for piece in (*done["made"], *done["scrap"]):
            floor[piece["load"]] += Decimal(piece["quantity"])
        for fact in step.expect:
            if "quantity" not in fact or fact["type"] in ("hold", "stop"):
                continue
            sign = -1 if fact["type"] == "correction" else 1
            quantity = sign * Decimal(fact["quantity"])
            floor[fact["load"]] += quantity if fact["direction"] == "in" else -quantity
            assert floor[fact["load"]] >= 0
            if fact["line"]:
                left[fact["line"]] -= quantity
                assert left[fact["line"]] >= 0
    if script != "rush":
        assert left[next(line for line in left if line.startswith("06-") and "BRKT" in line)] == 0


@given(st.from_regex(r"[A-Z0-9]{1,24}", fullmatch=True))
def test_the_yard_and_the_dock_agree_on_check_characters(text: str) -> None:
    assert labels.check_character(text) == check_character(text)


@given(st.from_regex(r"[0-9]{1,17}", fullmatch=True))
def test_the_yard_and_the_dock_agree_on_check_digits(digits: str) -> None:
    assert labels.with_check_digit(digits) == digits + check_digit(digits)


def test_the_first_sscc_is_the_example_zones() -> None:
    assert labels.sscc(1) == "095219990000000013"


def test_an_unknown_script_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="day, rush, trouble"):
        build("night", 1, TODAY)


def _told(scenario: Scenario) -> str:
    steps = [asdict(step) | {"code": step.code.hex()} for step in scenario.steps]
    return json.dumps([scenario.papers.documents(), steps], sort_keys=True)
