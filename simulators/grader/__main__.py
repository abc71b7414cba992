# SPDX-License-Identifier: Apache-2.0
"""The grader as a program. Standard output ends with one line of JSON; findings go to standard error.

Exit 0 only when nothing is lost, twice or wrong and every chain is whole; 1 with findings; 2 when some of the
evidence cannot be read.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

from simulators.grader.compare import Grade, grade
from simulators.grader.evidence import (
    EvidenceError,
    read_center,
    read_journals,
    read_subscriber,
    read_truth,
)

_LOOK_AGAIN_S = 0.25
_FINDINGS_SHOWN = 50


def main(arguments: list[str] | None = None) -> int:
    """Grade a play that is over; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        result = asyncio.run(_settled(options))
    except EvidenceError as error:
        print(f"grader: {error}", file=sys.stderr)  # noqa: T201 - a program speaks
        return 2
    for finding in result.findings[:_FINDINGS_SHOWN]:
        print(f"{finding.kind}: {finding.text}", file=sys.stderr)  # noqa: T201 - a program speaks
    told = {
        **result.figures,
        "ok": result.ok,
        "findings": [f"{finding.kind}: {finding.text}" for finding in result.findings[:_FINDINGS_SHOWN]],
    }
    print(json.dumps(told), flush=True)  # noqa: T201 - the line is the result
    return 0 if result.ok else 1


async def _settled(options: argparse.Namespace) -> Grade:
    """Grade until all is well or nothing has arrived for a while: entries may still be on their way."""
    truth = read_truth(options.truth)
    journals = dict(options.journal)
    changed_at = started = time.monotonic()
    before: tuple[int, ...] = ()
    while True:
        journal = read_journals(journals)
        center = await read_center(options.dsn, options.tenant, options.zone, list(journals))
        subscriber = read_subscriber(options.subscriber)
        sizes = (len(journal.rows), len(center.rows), len(center.own), len(subscriber.events))
        _tell("journal {}, center {}, center's own log {}, events {}".format(*sizes))
        result = grade(truth, journal, center, subscriber)
        now = time.monotonic()
        if sizes != before:
            before, changed_at = sizes, now
        if result.ok or now - changed_at > options.quiet or now - started > options.patience:
            return result
        await asyncio.sleep(_LOOK_AGAIN_S)


def _journal(text: str) -> tuple[str, Path]:
    """A node and its journal."""
    node, equals, path = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} came, expected NODE=FILE")
    return node, Path(path)


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201 - a program speaks


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulators.grader", description=__doc__)
    parser.add_argument("--truth", type=Path, required=True, help="the yard's truth file")
    parser.add_argument(
        "--journal",
        type=_journal,
        action="append",
        required=True,
        metavar="NODE=FILE",
        help="a node's journal.sqlite3; once for each node",
    )
    parser.add_argument("--dsn", required=True, help="the center's PostgreSQL, postgresql://...")
    parser.add_argument("--subscriber", type=Path, required=True, help="the listener's log")
    parser.add_argument("--tenant", default="example")
    parser.add_argument("--zone", default="999001001")
    parser.add_argument(
        "--quiet",
        type=float,
        default=2.0,
        help="seconds without anything new after which what is missing counts as lost",
    )
    parser.add_argument(
        "--patience", type=float, default=30.0, help="seconds to wait for the last entries, at most"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
