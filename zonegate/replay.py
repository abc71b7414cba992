# SPDX-License-Identifier: Apache-2.0
"""`zonegate replay`: judge a gate's stored passages again, from their evidence, also by other settings.

Without `--set` each passage must come out as it was said then; with it, what other settings would have said
stands beside what was said. Settings that decide when a passage opens and closes cannot add reads that were
not kept: they show in a live gate only.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from edge.passage import Passage
    from edge.store import PassageRow

_PAGE: Final = 100
"""Passages read at a time: their evidence is some ten kilobytes each."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One stored passage, as it was said and as it is said now; `fault` where it cannot be judged again."""

    row: PassageRow
    said: Passage | None
    now: Passage | None
    fault: str | None = None

    @property
    def same(self) -> bool:
        """Whether nothing would be said otherwise; nor is what no gate had said."""
        from edge.passages import UNSEEN

        unseen = self.said is not None and self.said.kind in UNSEEN
        return self.fault is None and (unseen or self.said == self.now)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `zonegate replay`."""
    parser.add_argument("store", type=Path, help="the node's store folder")
    parser.add_argument("--door", help="this door only")
    parser.add_argument("--day", type=_day, help="this day only, YYYY-MM-DD in UTC")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting of the gate; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a passage")


def run(args: argparse.Namespace) -> int:
    """0 when all comes out as it was said, 1 when something does not, 2 for a setting that does not exist."""
    from edge.errors import EdgeError

    try:
        changes = _changes(args.set)
    except ValueError as error:
        print(f"zonegate replay: {error}", file=sys.stderr)
        return 2
    total = changed = 0
    try:
        for judged in replay(args.store, args.door, args.day, changes):
            total += 1
            changed += not judged.same
            if args.json:
                print(json.dumps(_told(judged)))
            elif not judged.same:
                print(_line(judged))
    except EdgeError as error:
        print(f"zonegate replay: {error}", file=sys.stderr)
        return 1
    if not args.json:
        print(f"{total} passages judged again, {changed} come out otherwise.")
    return 1 if changed else 0


def replay(
    store: Path, door: str | None = None, day: str | None = None, changes: dict[str, int] | None = None
) -> Iterator[Judged]:
    """Each stored passage with what is said of it now, by its own settings with `changes`."""
    from edge.store import JournalReader

    with JournalReader(store) as reader:
        after = 0
        while rows := reader.passages(after, _PAGE, door, day):
            for row in rows:
                yield again(row, changes or {})
            after = rows[-1].position


def again(row: PassageRow, changes: dict[str, int]) -> Judged:
    """One stored passage, judged again."""
    from edge import evidence
    from edge.errors import EvidenceError
    from edge.gate import judge
    from edge.passage import Passage, PassageKind

    try:
        said = msgspec.json.decode(row.finding, type=Passage)
    except msgspec.MsgspecError as error:
        return Judged(row, None, None, f"its finding cannot be read: {error}")
    if said.kind is PassageKind.INTERRUPTED:
        return Judged(row, said, None)
    if row.evidence is None:
        return Judged(row, said, None, "its evidence was given up")
    try:
        known = evidence.decode(row.evidence)
    except EvidenceError as error:
        return Judged(row, said, None, str(error))
    settings = msgspec.structs.replace(known.settings, **changes)
    try:
        found = judge(msgspec.structs.replace(known, settings=settings))
    except Exception as error:  # noqa: BLE001 - what a node failed to judge is looked at here
        return Judged(row, said, None, f"judging it fails ({type(error).__name__}: {error})")
    now = next((each for each in found if each.passage == row.passage), None)
    return Judged(row, said, now)


def _changes(texts: Sequence[str]) -> dict[str, int]:
    """The settings named in KEY=VALUE texts. ValueError says what is wrong with one."""
    from edge.passage import GateSettings

    known = GateSettings.__struct_fields__
    changes: dict[str, int] = {}
    for text in texts:
        key, _, value = text.partition("=")
        if key not in known:
            raise ValueError(f"--set {text}: there is no setting {key!r}, there are {', '.join(known)}")
        try:
            changes[key] = int(value)
            msgspec.convert({key: changes[key]}, GateSettings)
        except (ValueError, msgspec.ValidationError) as error:
            raise ValueError(f"--set {text}: {error}") from error
    return changes


def _day(text: str) -> str:
    return date.fromisoformat(text).isoformat()


def _told(judged: Judged) -> dict[str, Any]:
    return {
        "passage": judged.row.passage,
        "door": judged.row.door,
        "at": judged.row.at,
        "same": judged.same,
        "said": None if judged.said is None else _brief(judged.said),
        "now": None if judged.now is None else _brief(judged.now),
        "fault": judged.fault,
    }


def _brief(passage: Passage) -> dict[str, Any]:
    return {
        "kind": passage.kind.value,
        "direction": passage.direction,
        "confidence": passage.confidence,
        "crossings": list(passage.crossings),
        "moved": sorted(tag.epc.hex() for tag in passage.tags if tag.moved),
        "reads": sum(tag.reads for tag in passage.tags),
        "at_rest": sum(not tag.moved for tag in passage.tags),
        "why": passage.why,
    }


def _line(judged: Judged) -> str:
    row = judged.row
    if judged.fault is not None:
        return f"{row.at}  {row.door}  {row.passage}: {judged.fault}"
    return f"{row.at}  {row.door}  {row.passage}: {_words(judged.said)} -> {_words(judged.now)}"


def _words(passage: Passage | None) -> str:
    if passage is None:
        return "no passage"
    way = f" {passage.direction}" if passage.direction is not None else ""
    moved = sum(tag.moved for tag in passage.tags)
    return f"{passage.kind.value}{way} ({passage.confidence / 10:g} %, {moved} tags)"
