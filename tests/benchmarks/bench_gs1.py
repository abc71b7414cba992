# SPDX-License-Identifier: Apache-2.0
"""Codes read by us and by others: element strings against biip, every check and every association on, and
RFID tags against epcpy.

biip has two doors. `biip.parse` takes what a scanner sends, as `read_carried` does, and tries each of its
parsers; `GS1Message.parse` takes an element string alone, as `parse_elements` does, checks fewer rules and
no association. Both are timed; the goal is for what a scanner sends.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from random import Random

import biip
from biip.gs1_messages import GS1Message

from gs1 import check_digit, parse_elements
from gs1.carriers import read_carried
from tests.benchmarks import epc
from tests.benchmarks.contest import Contest, Outcome, run

GOAL = 10.0
_COUNT = 500


def main(argv: Sequence[str]) -> int:
    """Measure and print; 0 when every goal was reached, else 1."""
    parser = argparse.ArgumentParser(prog="bench gs1", description="Codes read by us and by others.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=15, help="rounds (default 15)")
    options = parser.parse_args(argv)
    outcomes = [run(contest, options.rounds) for contest in [*contests(), *epc.contests()]]
    if options.json:
        print(json.dumps([_row(outcome) for outcome in outcomes]))
    else:
        print(f"microseconds of processor time, medians of {options.rounds} rounds of {_COUNT} codes")
        for row in map(_row, outcomes):
            goal = f"goal {row['goal']:g}x" if row["goal"] else "no goal"
            print(
                f"{row['name']:44} {row['ours_us']:8.2f} {row['theirs_us']:8.2f} {row['ratio']:6.1f}x  {goal}"
            )
    return 0 if all(outcome.met for outcome in outcomes) else 1


def contests() -> list[Contest]:
    """What is compared, on codes that all differ."""
    chance = Random(2026)
    logistic = [f"00{_number(chance, 17)}" for _ in range(_COUNT)]
    several = [
        f"{sscc}02{_number(chance, 13)}37{chance.randint(1, 9999)}\x1d422840\x1d10L{chance.randrange(10**6)}"
        for sscc in logistic
    ]
    made = []
    for name, codes in (("SSCC", logistic), ("SSCC, content, count, origin, lot", several)):
        scans = [f"]C1{code}" for code in codes]
        made.append(Contest(f"scan: {name}", GOAL, _read_scan, biip.parse, scans))
        made.append(Contest(f"element string: {name}", None, parse_elements, GS1Message.parse, codes))
    return made


def _read_scan(scan: str) -> object:
    carried = read_carried(scan[:3], scan[3:])
    if carried is None or carried[1]:
        raise AssertionError(f"{scan!r} was not read")
    return carried


def _number(chance: Random, digits: int) -> str:
    body = "".join(chance.choices("0123456789", k=digits))
    return body + check_digit(body)


def _row(outcome: Outcome) -> dict[str, object]:
    return {
        "name": outcome.contest.name,
        "goal": outcome.contest.goal,
        "ours_us": outcome.ours_us,
        "theirs_us": outcome.theirs_us,
        "ratio": outcome.ratio,
    }
