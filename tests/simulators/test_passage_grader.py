# SPDX-License-Identifier: Apache-2.0
"""The gate's grader lets a gate through that says what was driven, and no gate that does not."""

from __future__ import annotations

import json
import subprocess
import sys
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from simulators.grader.passages import FOOTNOTE, Line, grade, main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TRIPS = 2000
SECOND = 1_000_000
MANNERS = (["in"], ["in"], ["in"], ["in", "out", "in"], ["in", "out"], ["out"])


def driven() -> list[Line]:
    """Trips at one door with an inbound job: most in, some in-out-in, there-and-back, the wrong way."""
    truth: list[Line] = [{"kind": "job", "door": "d1", "direction": "in", "from_us": 0}]
    for number in range(TRIPS):
        tags = [{"epc": f"{number:04x}{tag:02x}", "role": "item", "state": "fine"} for tag in range(3)]
        truth.append({"kind": "pallet", "pallet": f"p{number}", "goods": "dry", "tags": tags})
        from_us = (number + 1) * 30 * SECOND
        for place, way in enumerate(MANNERS[number % len(MANNERS)]):
            truth.append(
                {
                    "kind": "crossing",
                    "manner": "straight",
                    "door": "d1",
                    "direction": way,
                    "at_us": from_us + (4 + 3 * place) * SECOND,
                    "from_us": from_us,
                    "until_us": from_us + 15 * SECOND,
                    "pallet": f"p{number}",
                    "readable": number % 50 != 49,
                    "barely": False,
                }
            )
        truth.append(
            {"kind": "event", "what": "empty", "door": "d1", "from_us": from_us, "until_us": from_us}
        )
    return truth


def decided(truth: list[Line]) -> list[Line]:
    """What a gate that knows everything would say, and the dock after it."""
    ways: dict[str, list[Line]] = {}
    for line in truth:
        if line["kind"] == "crossing":
            ways.setdefault(line["pallet"], []).append(line)
    tags = {line["pallet"]: [t["epc"] for t in line["tags"]] for line in truth if line["kind"] == "pallet"}
    decisions = []
    for pallet, lines in ways.items():
        net = lines[-1]["direction"] if len(lines) % 2 else None
        readable = lines[0]["readable"]
        verdict = "NONE" if net is None else "ACCEPTED" if net == "in" else "HOLD"
        reason = {"NONE": "turned", "ACCEPTED": "admitted", "HOLD": "wrong-way"}[verdict]
        decisions.append(
            {
                "passage": f"x{pallet}",
                "door": "d1",
                "kind": "unread" if not readable else "turned" if net is None else "crossed",
                "opened_us": lines[0]["at_us"] - 2 * SECOND,
                "closed_us": lines[-1]["at_us"] + 2 * SECOND,
                "direction": net,
                "confidence": 1000,
                "sure": True,
                "why": "It is known.",
                "nameless": None if readable else "no-tag",
                "loads": [
                    {"epc": epc, "verdict": verdict, "reason": reason} for epc in tags[pallet] if readable
                ],
            }
        )
    return decisions


def test_a_gate_that_says_what_was_driven_passes() -> None:
    result = grade(driven(), decided(driven()), eyes=True)
    assert result.missed == []
    figures = result.figures
    assert figures["found"] == figures["readable"] == TRIPS - TRIPS // 50
    assert figures["direction_right"] == figures["decided"] == figures["readable"]
    assert (figures["held"], figures["wrong"], figures["false_alarms"]) == (0, 0, 0)
    assert figures["unreadable_noticed"] == figures["unreadable"] == TRIPS // 50
    assert figures["label"] == FOOTNOTE
    assert "94 to 95.5 %" in FOOTNOTE


def _accept(decision: Line, direction: str) -> None:
    decision |= {"kind": "crossed", "direction": direction, "sure": True}
    verdict = ("ACCEPTED", "admitted") if direction == "in" else ("HOLD", "wrong-way")
    for load in decision["loads"]:
        load["verdict"], load["reason"] = verdict


def guess(decisions: list[Line], chance: Random) -> None:
    for decision in decisions:
        _accept(decision, chance.choice(("in", "out")))


def flip(decisions: list[Line], chance: Random) -> None:
    for decision in decisions:
        if decision["direction"] and chance.random() < 0.01:
            _accept(decision, "out" if decision["direction"] == "in" else "in")


def parked(decisions: list[Line], chance: Random) -> None:
    """One pallet in a hundred is taken along with another that crosses."""
    for decision, other in zip(decisions, decisions[7:], strict=False):
        if decision["direction"] == "in" and chance.random() < 0.01:
            decision["loads"] += [
                dict(load, verdict="ACCEPTED", reason="admitted") for load in other["loads"]
            ]


def deaf(decisions: list[Line], chance: Random) -> None:
    decisions[:] = [decision for decision in decisions if chance.random() >= 0.01]


def unsure(decisions: list[Line], chance: Random) -> None:
    for decision in decisions:
        if chance.random() < 0.05:
            decision["sure"] = False
            for load in decision["loads"]:
                load["verdict"], load["reason"] = "HOLD", "not-sure"


def half(decisions: list[Line], chance: Random) -> None:
    """In-out-in is told as one way in, and there-and-back, too."""
    for decision in decisions:
        if decision["direction"] is None and decision["loads"]:
            _accept(decision, "in")


def other_door(decisions: list[Line], chance: Random) -> None:
    """The neighbor hears a pallet in a hundred and says that it crossed there."""
    decisions += [
        {**decision, "door": "d2", "loads": [dict(load) for load in decision["loads"]]}
        for decision in decisions
        if decision["direction"] == "in" and chance.random() < 0.01
    ]


@pytest.mark.parametrize(
    ("plant", "missed"),
    [
        (guess, {"direction", "wrong"}),
        (flip, {"direction"}),
        (parked, {"wrong"}),
        (deaf, {"found"}),
        (unsure, {"holds"}),
        (half, {"direction", "wrong"}),
        (other_door, {"wrong"}),
    ],
)
def test_a_gate_that_does_not_fails(plant: Callable[[list[Line], Random], None], missed: set[str]) -> None:
    decisions = decided(driven())
    plant(decisions, Random(3))
    assert set(grade(driven(), decisions, eyes=True).missed) >= missed


def test_a_hold_where_nothing_crossed_is_a_false_alarm_and_no_wrong_decision() -> None:
    decisions = decided(driven())
    base: dict[str, Any] = {**decisions[0], "opened_us": 5 * SECOND, "closed_us": 8 * SECOND, "passage": "y"}
    held = [{"epc": "000000", "verdict": "HOLD", "reason": "not-sure"}]
    decisions.append({**base, "loads": held, "sure": False})
    decisions.append({**base, "loads": [], "kind": "unread", "nameless": "no-tag"})
    result = grade(driven(), decisions, eyes=True)
    assert result.figures["false_alarms"] == 2
    assert result.missed == []


def test_of_two_passages_over_one_crossing_the_one_that_accepted_has_it_and_the_hold_counts() -> None:
    """A passage that was cut in the doorway held the load, the next one let it in. The control accepted it
    where it did not cross.
    """
    decisions = decided(driven())
    cut = json.loads(json.dumps(decisions[0]))
    cut |= {"passage": "cut", "opened_us": cut["opened_us"] - 20 * SECOND, "sure": False}
    for load in cut["loads"]:
        load |= {"verdict": "HOLD", "reason": "not-sure"}
    figures = grade(driven(), [*decisions, cut], eyes=True).figures
    assert (figures["wrong"], figures["held"]) == (0, 1)
    late = json.loads(json.dumps(decisions[0]))
    late |= {"passage": "late", "opened_us": late["closed_us"] + 3 * SECOND}
    late["closed_us"] = late["opened_us"] + SECOND
    assert grade(driven(), [*decisions, late], eyes=True).figures["wrong"] == 1


def test_a_crossing_belongs_to_the_passage_in_whose_time_it_lies_whatever_tags_that_has() -> None:
    """In, and out again a second after it: the next passage has fewer tags. The control has no next one."""
    truth = driven()
    decisions = decided(truth)
    number = next(n for n in range(TRIPS) if MANNERS[n % len(MANNERS)] == ["in", "out"])
    back = next(one for one in decisions if one["passage"] == f"xp{number}")
    way_in, way_out = (
        line["at_us"] for line in truth if line["kind"] == "crossing" and line["pallet"] == f"p{number}"
    )
    came = json.loads(json.dumps(back))
    came |= {"kind": "crossed", "direction": "in", "closed_us": way_out - SECOND}
    for load in came["loads"]:
        load |= {"verdict": "ACCEPTED", "reason": "admitted"}
    went = json.loads(json.dumps(back))
    went |= {"passage": "went", "kind": "crossed", "direction": "out", "opened_us": way_out - SECOND // 2}
    went["loads"] = [{**went["loads"][0], "verdict": "HOLD", "reason": "wrong-way"}]
    others = [one for one in decisions if one is not back]
    assert way_in < came["closed_us"] < went["opened_us"] < way_out
    assert grade(truth, [*others, came, went], eyes=True).figures["wrong"] == 0
    assert grade(truth, [*others, came], eyes=True).figures["wrong"] > 0


def test_the_program_ends_with_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def write(name: str, lines: list[Line]) -> str:
        path = tmp_path / name
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return str(path)

    truth = write("truth", driven())
    good, bad = decided(driven()), decided(driven())
    flip(bad, Random(3))
    assert main(["--truth", truth, "--decisions", write("good", good), "--eyes"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    assert main(["--truth", truth, "--decisions", write("bad", bad), "--eyes"]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["missed"]
    assert "direction: p" in told.err
    assert main(["--truth", truth, "--decisions", str(tmp_path / "nowhere")]) == 2
    (tmp_path / "torn").write_text('{"kind": "crossed", "door"')
    words = ["-m", "simulators.grader.passages", "--truth", truth, "--decisions", str(tmp_path / "torn")]
    ran = subprocess.run([sys.executable, *words], capture_output=True, check=False, text=True)
    assert ran.returncode == 2
    assert "torn" in ran.stderr
