# SPDX-License-Identifier: Apache-2.0
"""`zonegate db`: looks into a journal without ever writing to it, also while a node runs on it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from gs1.printable import printable

_LINES_MAX: Final = 1000
"""Lines of one call, as of one page of the journal; `--after` goes on."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `zonegate db`."""
    parser.add_argument("--store", type=Path, required=True, help="the node's store folder")
    parser.add_argument("what", choices=["epochs", "entries", "reads", "heads"], help="what to list")
    parser.add_argument("--after", type=_whole, default=0, help="start behind this number")
    parser.add_argument(
        "--limit", type=_whole, default=100, help=f"at most so many lines, up to {_LINES_MAX}"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """0, or 1 when the store cannot be read."""
    from edge.errors import EdgeError

    try:
        lines = _lines(args.store, args.what, args.after, min(args.limit, _LINES_MAX))
    except EdgeError as error:
        print(f"zonegate db: {error}", file=sys.stderr)
        return 1
    for line in lines:
        print(json.dumps(line) if args.json else "  ".join(str(value) for value in line.values()))
    return 0


def _whole(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**63:
        raise argparse.ArgumentTypeError(f"{text} is out of range, expected 0 or more")
    return number


def _lines(store: Path, what: str, after: int, limit: int) -> list[dict[str, object]]:
    from edge.show import entry_view
    from edge.store import JournalReader

    with JournalReader(store) as reader:
        if what == "epochs":
            return [
                {"epoch": epoch, "seq": head.seq, "hash": head.hash}
                for epoch in reader.epochs()
                if (head := reader.head(epoch)) is not None
            ]
        if what == "entries":
            page = reader.page(max(after, reader.start()), limit)
            views = [(number, entry_view(record)) for number, record in page]
            return [
                {
                    "number": number,
                    "position": v.position,
                    "at": f"{v.at:%Y-%m-%dT%H:%M:%S.%fZ}",
                    "door": v.door or "-",
                    "type": v.type,
                    "entry_id": v.entry_id,
                    "summary": printable(v.summary.encode(), 200),
                }
                for number, v in views
            ]
        if what == "reads":
            names = ("number", "device", "door", "at", "code", "verdict", "entry_id")
            rows = reader.reads(after, limit)
            return [dict(zip(names, row, strict=True)) for row in rows]
        return [
            {"number": number, "epoch": head.epoch, "seq": head.seq, "hash": head.hash}
            for number, head in reader.signed_heads(after, limit)
        ]
