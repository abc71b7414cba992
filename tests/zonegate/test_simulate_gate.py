# SPDX-License-Identifier: Apache-2.0
"""From a driven yard's bytes to final decisions, graded; what is planted is found; real tags travel all the
way.

The seeds here are none of those that the gate was tuned on (docs/decisions/gate.md lists these).
"""

from __future__ import annotations

import csv
import json
import os
from datetime import date
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from edge.passage import PassageKind
from gs1 import TagRead as Tag
from gs1.identify import identify
from gs1.load import Load
from simulators.yard.radio.play import build_site, story
from simulators.yard.radio.wire import Wire
from zonegate.cli import main
from zonegate.yard_gate import Plan, grade, play
from zonegate.yard_host import Host, layout_of

if TYPE_CHECKING:
    from pathlib import Path

SETTLED_US = 60_000_000
ROUNDS_MAX = 6
TAGS_A_LOAD = 50
PARTS_LONG = 40
"""A test that takes ten minutes counts as one that hangs."""


def told(figures: dict[str, Any]) -> str:
    return (
        f"simulated, {figures['crossings']} crossings: {figures['found']} of {figures['readable']} found, "
        f"{figures['direction_right']} of {figures['decided']} directions right, {figures['held']} of "
        f"{figures['good']} held, {figures['wrong']} wrong; published real doors reach 94 to 95.5 %"
    )


@pytest.mark.parametrize("eyes", [False, True])
def test_a_driven_yard_is_decided_rightly_and_planted_gates_are_not(tmp_path: Path, eyes: bool) -> None:
    plan = Plan(seed=1001, crossings=18, eyes=eyes, planted=("guess", "parked"))
    played = play(plan, tmp_path)
    assert played.crossings >= 18
    assert played.reads > 10_000
    _, figures = grade([played], eyes=eyes)
    print(told(figures))
    assert figures["wrong"] == 0
    assert figures["found"] >= 0.9 * figures["readable"] - 1
    assert figures["direction_right"] >= 0.9 * figures["decided"] > 0
    for planted in plan.planted:
        code, figures = grade([played], eyes=eyes, planted=planted, findings=0)
        assert code == 1
        assert figures["wrong"] > 0


def test_the_parts_of_a_run_are_the_whole(tmp_path: Path) -> None:
    """Which shifts there are depends on seed and number alone, however many processes share them."""
    whole = play(Plan(seed=1002, crossings=1), tmp_path)
    part = play(Plan(seed=1002, crossings=1, first=1, every=2), tmp_path)
    assert part.crossings == 0
    assert part.truth.read_text() == ""
    again = play(Plan(seed=1002, crossings=1, first=0, every=2), tmp_path)
    assert (again.crossings, again.reads, again.passages) == (whole.crossings, whole.reads, whole.passages)


def test_the_command_prints_figures_and_dumps_what_was_read(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = ["simulate", "gate", "--seed", "1003", "--crossings", "3"]
    assert main([*asked, "--json", "--keep", str(tmp_path)]) in (0, 1)
    truth = [json.loads(line) for line in (tmp_path / "truth-0.jsonl").read_text().splitlines()]
    pallet = next(line["pallet"] for line in truth if line["kind"] == "crossing")
    figures = json.loads(capfd.readouterr().out)
    assert figures["crossings"] >= 3
    assert "94 to 95.5 %" in figures["label"]
    assert main([*asked, "--dump", pallet]) == 0
    dumped = json.loads(capfd.readouterr().out)
    assert dumped["truth"][0]["pallet"] == pallet
    assert len(dumped["reads"]) > 0
    assert len(dumped["course"]) > 50
    assert main([*asked, "--dump", "nobody"]) == 2
    assert main(["simulate", "gate", "--crossings", "0"]) == 2
    assert "expected 1 or more" in capfd.readouterr().err


def test_real_tags_travel_from_bytes_to_identities(conformance_data: Path) -> None:
    """Loads of 50 tags are driven out until each tag was read: bytes, reads, gate, identity."""
    with (conformance_data / "tags" / "1000-tags.csv").open(encoding="ascii") as file:
        given = {int(bits, 2).to_bytes(12, "big"): int(control, 16) for control, bits in csv.reader(file)}
    site = build_site("two", eyes=True)
    found: dict[bytes, int | None] = {}
    left = list(given)
    rounds = reads = 0
    while left and rounds < ROUNDS_MAX:
        for place in range(0, len(left), TAGS_A_LOAD):
            some = left[place : place + TAGS_A_LOAD]
            seed = rounds * 1000 + place
            played = story(site, seed, "d1", "out", [(given[epc], epc) for epc in some], speed=1.0)
            host = Host(layout_of(site.as_json()), site.readers)
            closed = []
            for chunk in Wire(site, Random(seed)).chunks(played.observations()):
                closed += host.wait(chunk.at_us)
                closed += host.hear(site.readers.index(chunk.reader), chunk.frame, chunk.at_us)
            closed += host.wait(int(played.until_s * 1e6) + SETTLED_US)
            reads += host.reads
            for passage in (one.passage for one in closed):
                if passage.kind is PassageKind.CROSSED:
                    assert (passage.door, passage.direction) == ("d1", "out")
                    found |= {tag.epc: tag.pc for tag in passage.tags if tag.moved}
        left = [epc for epc in given if epc not in found]
        rounds += 1
    assert left == []
    today = date(2026, 1, 1)
    identities = {epc: identify(Tag(epc, found[epc]), today) for epc in given}
    assert {epc: found[epc] for epc in given} == given
    loads = {identity.key for identity in identities.values() if isinstance(identity, Load)}
    # The others are no GS1 tags: the toggle bit of their control word says ISO (Gen2, 6.3.2.1.2.2).
    assert len(loads) == sum(not control & 0x100 for control in given.values()) > 900
    print(f"{len(given)} tags of the data, {reads} reads, {rounds} rounds of driving, {len(loads)} loads")


@pytest.mark.long
@pytest.mark.parametrize("eyes", [False, True])
@pytest.mark.parametrize("part", range(PARTS_LONG))
def test_ten_thousand_crossings_are_no_worse_than_what_was_measured(
    tmp_path: Path, part: int, eyes: bool
) -> None:
    """A dock's mix. Directions meet their goal of 99 % part by part; the other bounds are floors under what
    was measured: docs/decisions/gate.md says which goals are met.
    """
    layout = "four" if eyes else "two"
    plan = Plan(2500 + part, 10_000 // PARTS_LONG, layout, eyes, planted=("guess", "parked"))
    played = play(plan, tmp_path)
    _, figures = grade([played], eyes=eyes)
    print(told(figures))
    assert figures["direction_right"] >= 0.99 * figures["decided"]
    assert figures["found"] >= (0.98 if eyes else 0.95) * figures["readable"]
    assert figures["held"] <= (0.045 if eyes else 0.09) * figures["good"]
    assert figures["wrong"] <= (0.012 if eyes else 0.02) * figures["crossings"]
    for planted in plan.planted:
        assert grade([played], eyes=eyes, planted=planted, findings=0)[1]["wrong"] > figures["wrong"], planted


@pytest.mark.parametrize("traffic", ["dock", "hard"])
def test_a_gate_that_guesses_fails_on_both_mixes(tmp_path: Path, traffic: str) -> None:
    plan = Plan(seed=1005, crossings=12, eyes=True, planted=("guess",), traffic=traffic)
    played = play(plan, tmp_path)
    code, figures = grade([played], eyes=True, planted="guess", findings=0)
    assert code == 1
    assert figures["direction_right"] < 0.9 * figures["decided"]


def test_hash_seeds_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    for number in ("1", "2"):
        monkeypatch.setitem(os.environ, "PYTHONHASHSEED", number)
        folder = tmp_path / number
        folder.mkdir()
        played = play(Plan(seed=1004, crossings=2), folder)
        told.append((played.truth.read_text(), played.decisions[""].read_text()))
    assert told[0] == told[1]
