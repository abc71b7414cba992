# SPDX-License-Identifier: Apache-2.0
"""The gate's grader as a program: what was driven against what was decided, in figures.

Reads the yard's truth and the decisions on passages, a line of JSON each, and shares no code with either. The
last line of standard output is one object of JSON; findings go to standard error. Exit 0 when every goal is
met, 1 when one is missed, 2 when some of the evidence cannot be read.

A *carriage* is one pallet on one fork from rest to rest; it crosses the door's plane never, once or more
often, and its net is the last way when it crossed an odd number of times. A decision on a passage belongs
to the crossings of its pallet in its time.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

SLACK_US: Final = 2_000_000
"""A passage may close a little before the middle of a pallet is through, or open a little after."""

GOALS: Final = {
    "found": 0.999,
    "direction": 0.99,
    "direction_with_eyes": 0.999,
    "holds": 0.02,
    "wrong": 0,
}
FOOTNOTE: Final = "simulated; published real doors reach 94 to 95.5 % (moved or not, direction)"
_FINDINGS_SHOWN: Final = 40
_BY_MANNER: Final = ("readable", "found", "decided", "right", "good", "held")
_GRAVE: Final = ("HOLD", "ACCEPTED", "NOTICE", "CONTENT", "NONE")

Line = dict[str, Any]


class EvidenceError(Exception):
    """A file that should be graded cannot be."""


@dataclass(slots=True)
class Carriage:
    """A pallet carried; `ways` are its crossings in order, each with its time."""

    pallet: str
    door: str
    manner: str
    readable: bool
    barely: bool = False
    ways: list[tuple[int, str]] = field(default_factory=list)
    from_us: int = 0
    until_us: int = 0

    @property
    def net(self) -> str | None:
        """Where it is in the end, None when it is where it was."""
        return self.ways[-1][1] if len(self.ways) % 2 else None


@dataclass(slots=True)
class Grade:
    """The figures, what is wrong, and whether every goal is met."""

    figures: Line
    findings: list[str]
    missed: list[str]


def grade(truth: Iterable[Line], decisions: Iterable[Line], *, eyes: bool) -> Grade:
    """Compare everything with everything."""
    book = _Book(truth)
    tally = _Tally(book)
    for decision in sorted(decisions, key=lambda one: (one["opened_us"], one["door"])):
        tally.take(decision)
    return tally.grade(eyes=eyes)


class _Book:
    """The truth, for looking up."""

    def __init__(self, truth: Iterable[Line]) -> None:
        self.pallet_of: dict[str, str] = {}
        self.carriages: dict[str, list[Carriage]] = defaultdict(list)
        self.jobs: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self.events: Counter[str] = Counter()
        self.roles: dict[str, str] = {}
        trips: dict[tuple[str, int], Carriage] = {}
        for line in truth:
            if line["kind"] == "pallet":
                for tag in line["tags"]:
                    self.pallet_of[tag["epc"]] = line["pallet"]
                    self.roles[tag["epc"]] = tag["role"]
            elif line["kind"] == "job":
                self.jobs[line["door"]].append((line["from_us"], line["direction"]))
            elif line["kind"] == "event":
                self.events[line["what"]] += 1
            else:
                key = (line["pallet"], line["from_us"])
                carriage = trips.get(key)
                if carriage is None:
                    carriage = Carriage(line["pallet"], line["door"], line["manner"], line["readable"])
                    carriage.from_us, carriage.until_us = line["from_us"], line["until_us"]
                    trips[key] = carriage
                    self.carriages[line["pallet"]].append(carriage)
                carriage.readable = carriage.readable or line["readable"]
                carriage.barely = carriage.barely or line["barely"]
                carriage.ways.append((line["at_us"], line["direction"]))
        for jobs in self.jobs.values():
            jobs.sort()

    def job(self, door: str, at_us: int) -> str | None:
        """The direction of the job that was open."""
        opened = [direction for from_us, direction in self.jobs[door] if from_us <= at_us]
        return opened[-1] if opened else None


@dataclass(slots=True)
class _Told:
    """What one passage decided on the tags of one pallet; `claimed` are the tags that did cross then."""

    decision: Line
    loads: dict[str, Line]
    claimed: set[str] = field(default_factory=set)

    @property
    def gravest(self) -> Line:
        """Of the tags that crossed: a Hold before an acceptance before nothing."""
        loads = [load for epc, load in self.loads.items() if epc in self.claimed]
        return min(loads, key=lambda load: _GRAVE.index(load["verdict"]))


class _Tally:
    def __init__(self, book: _Book) -> None:
        self._book = book
        self._told: dict[tuple[str, str], list[_Told]] = defaultdict(list)
        self._nameless: dict[str, list[Line]] = defaultdict(list)
        self._passages: Counter[str] = Counter()
        self._findings: list[str] = []
        self._wrong = 0

    def take(self, decision: Line) -> None:
        """One passage with its final decisions."""
        self._passages[decision["kind"]] += 1
        if decision["nameless"]:
            self._nameless[decision["door"]].append(decision)
        pallets: dict[str, dict[str, Line]] = defaultdict(dict)
        for load in decision["loads"]:
            pallet = self._book.pallet_of.get(load["epc"], load["epc"])
            pallets[pallet][load["epc"]] = load
        for pallet, loads in pallets.items():
            self._told[pallet, decision["door"]].append(_Told(decision, loads))

    def grade(self, *, eyes: bool) -> Grade:
        book = self._book
        count: Counter[str] = Counter()
        manners: dict[str, Counter[str]] = defaultdict(Counter)
        for carriages in book.carriages.values():
            for carriage in carriages:
                one: Counter[str] = Counter()
                self._carriage(carriage, one)
                count += one
                manners[carriage.manner] += one
        self._unclaimed(count)
        figures = {
            "crossings": sum(len(one.ways) for some in book.carriages.values() for one in some),
            "carriages": count["carriages"],
            "readable": count["readable"],
            "found": count["found"],
            "decided": count["decided"],
            "direction_right": count["right"],
            "good": count["good"],
            "held": count["held"],
            "held_for": dict(sorted((k[5:], v) for k, v in count.items() if k.startswith("held:"))),
            "barely_readable": count["barely"],
            "barely_found": count["barely_found"],
            "unreadable": count["unreadable"],
            "unreadable_noticed": count["noticed"],
            "wrong": self._wrong,
            "false_alarms": count["alarms"],
            "strays": count["strays"],
            "empty_trips": book.events["empty"],
            "passages": dict(sorted(self._passages.items())),
            "eyes": eyes,
            "by_manner": {
                manner: {name: one[name] for name in _BY_MANNER} for manner, one in sorted(manners.items())
            },
            "label": FOOTNOTE,
        }
        return Grade(figures, self._findings, self._missed(figures, eyes=eyes))

    def _carriage(self, carriage: Carriage, count: Counter[str]) -> None:
        count["carriages"] += 1
        mine = self._claim(carriage)
        job = self._book.job(carriage.door, carriage.from_us)
        if not carriage.readable and carriage.barely:
            count["barely"] += 1
            count["barely_found"] += bool(mine)
            return
        if not carriage.readable:
            count["unreadable"] += 1
            count["noticed"] += bool(mine) or self._noticed(carriage)
            return
        count["readable"] += 1
        # A load that came back is found by whoever says that it turned round.
        found = any(load["verdict"] != "NONE" for _, load, _ in mine) or (bool(mine) and carriage.net is None)
        count["found"] += found
        if not found:
            self._tell("missed", carriage, "no passage has a tag of it")
        good = carriage.net is not None and carriage.net == job
        count["good"] += good
        holds = [load["reason"] for _, load, _ in mine if load["verdict"] == "HOLD"]
        holds += self._also_held(carriage)
        if good and holds:
            count["held"] += 1
            count[f"held:{holds[0]}"] += 1
            self._tell("held", carriage, f"for {holds[0]}")
        for decision, load, ways in mine:
            if not decision["sure"] or (load["verdict"] == "NONE" and len(ways) % 2):
                continue
            count["decided"] += 1
            net = ways[-1] if len(ways) % 2 else None
            right = decision["direction"] == net
            count["right"] += right
            if not right:
                self._tell("direction", carriage, _said(decision, ways))
                # A load that ends where it was accepted to is on the books rightly, whatever lay between.
                if load["verdict"] == "ACCEPTED" and decision["direction"] != carriage.net:
                    self._wrong += 1
                    self._tell("WRONG", carriage, _said(decision, ways))

    def _claim(self, carriage: Carriage) -> list[tuple[Line, Line, list[str]]]:
        """The decisions that belong to a carriage, each with its gravest verdict on the pallet and with the
        crossings that fall into its time. For each tag a crossing goes to one passage: of those in whose
        time it lies one that accepted it, or else the one it lies deepest in.
        """
        told = self._told[carriage.pallet, carriage.door]
        mine: dict[int, list[str]] = {}
        for epc in {epc for one in told for epc in one.loads}:
            ways: dict[int, list[str]] = {}
            for at_us, way in carriage.ways:
                places = [
                    place
                    for place, one in enumerate(told)
                    if epc in one.loads and _may_have(one, told, carriage, at_us)
                ]
                if places:
                    best = min(
                        places,
                        key=lambda place: (
                            _depth(told[place].decision, at_us) > 0,
                            told[place].loads[epc]["verdict"] != "ACCEPTED",
                            _depth(told[place].decision, at_us),
                        ),
                    )
                    ways.setdefault(best, []).append(way)
            for place, found in ways.items():
                told[place].claimed.add(epc)
                mine[place] = max(mine.get(place, []), found, key=len)
        return [(told[place].decision, told[place].gravest, ways) for place, ways in sorted(mine.items())]

    def _also_held(self, carriage: Carriage) -> list[str]:
        """Why a carriage was held by passages to which none of its crossings was counted."""
        reasons = []
        for one in self._told[carriage.pallet, carriage.door]:
            near = any(_depth(one.decision, at_us) < SLACK_US for at_us, _ in carriage.ways)
            if near and not one.claimed:
                reasons += [load["reason"] for load in one.loads.values() if load["verdict"] == "HOLD"][:1]
        return reasons

    def _unclaimed(self, count: Counter[str]) -> None:
        """Decisions on pallets that did not cross then and there; alarms where nothing with goods crossed."""
        for (pallet, _), told in self._told.items():
            for one in told:
                left = {load["verdict"]: load for epc, load in one.loads.items() if epc not in one.claimed}
                decision = one.decision
                where = f"{decision['passage']} at {decision['door']} from {decision['opened_us']}: {pallet}"
                if "ACCEPTED" in left:
                    self._wrong += 1
                    self._findings.append(
                        f"WRONG: {where} was accepted {decision['direction']} and did not cross"
                    )
                elif "CONTENT" in left:
                    count["strays"] += 1
                elif "HOLD" in left:
                    count["alarms"] += 1
                    reason = left["HOLD"]["reason"]
                    self._findings.append(f"alarm: {where} was held for {reason} and did not cross")
        for door, some in self._nameless.items():
            for decision in some:
                if not any(
                    _depth(decision, at_us) < SLACK_US
                    for carriages in self._book.carriages.values()
                    for one in carriages
                    if one.door == door
                    for at_us, _ in one.ways
                ):
                    count["alarms"] += 1
                    self._findings.append(
                        f"alarm: {decision['passage']} at {door} from {decision['opened_us']}: held for "
                        f"{decision['nameless']}, no goods crossed"
                    )

    def _noticed(self, carriage: Carriage) -> bool:
        return any(
            _depth(decision, at_us) < SLACK_US
            for decision in self._nameless[carriage.door]
            for at_us, _ in carriage.ways
        )

    def _tell(self, kind: str, carriage: Carriage, text: str) -> None:
        ways = "-".join(way for _, way in carriage.ways)
        self._findings.append(
            f"{kind}: {carriage.pallet} {carriage.manner} {ways} at {carriage.door} "
            f"from {carriage.from_us} to {carriage.until_us}: {text}"
        )

    def _missed(self, figures: Line, *, eyes: bool) -> list[str]:
        missed = []
        if _share(figures["found"], figures["readable"]) < GOALS["found"]:
            missed.append("found")
        right = _share(figures["direction_right"], figures["decided"])
        if right < GOALS["direction_with_eyes" if eyes else "direction"]:
            missed.append("direction")
        if figures["good"] and figures["held"] / figures["good"] > GOALS["holds"]:
            missed.append("holds")
        if figures["wrong"] > GOALS["wrong"]:
            missed.append("wrong")
        return missed


def _may_have(one: _Told, told: list[_Told], carriage: Carriage, at_us: int) -> bool:
    """Whether a crossing may be counted to a passage: it lies in its time, or a little outside of it. Not the
    latter where it lies in another one's time, and in this one's lies another crossing.
    """
    depth = _depth(one.decision, at_us)
    if 0 < depth < SLACK_US and any(_depth(each.decision, at_us) <= 0 for each in told):
        return not any(_depth(one.decision, other_us) <= 0 for other_us, _ in carriage.ways)
    return depth < SLACK_US


def _depth(decision: Line, at_us: int) -> int:
    """How far outside of a passage a moment lies; inside it is negative."""
    return max(int(decision["opened_us"]) - at_us, at_us - int(decision["closed_us"]))


def _said(decision: Line, ways: list[str]) -> str:
    return (
        f"{decision['passage']} says {decision['direction']} with {decision['confidence']}, it went "
        f"{'-'.join(ways)}; {decision['why']}"
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _lines(paths: Iterable[Path]) -> Iterable[Line]:
    for path in paths:
        try:
            with path.open(encoding="utf-8") as file:
                for line in file:
                    yield json.loads(line)
        except (OSError, ValueError) as error:
            raise EvidenceError(f"{path}: {error}") from error


def main(arguments: list[str] | None = None) -> int:
    """Grade a run that is over; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        result = grade(_lines(options.truth), _lines(options.decisions), eyes=options.eyes)
    except (EvidenceError, KeyError, TypeError) as error:
        print(f"grader: {error!r}", file=sys.stderr)  # noqa: T201 - a program speaks
        return 2
    for finding in result.findings[: options.findings]:
        print(finding, file=sys.stderr)  # noqa: T201 - a program speaks
    told = {**result.figures, "missed": result.missed, "ok": not result.missed}
    print(json.dumps(told), flush=True)  # noqa: T201 - the line is the result
    return 1 if result.missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulators.grader.passages", description=__doc__)
    parser.add_argument("--truth", type=Path, nargs="+", required=True, help="the yard's truth files")
    parser.add_argument("--decisions", type=Path, nargs="+", required=True, help="what was decided, in files")
    parser.add_argument("--eyes", action="store_true", help="the gate had photo eyes: its goals are higher")
    parser.add_argument("--findings", type=int, default=_FINDINGS_SHOWN, help="how many are told, at most")
    return parser


if __name__ == "__main__":
    sys.exit(main())
