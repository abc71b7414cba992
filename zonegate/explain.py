# SPDX-License-Identifier: Apache-2.0
"""`zonegate explain`: judge an entry again from the entries before it, and compare.

The books are folded anew up to the entry, then the very same judge is asked. What a person decided is
shown with what was known; only judgments can be judged again.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from zonegate import logs

_SEQ_DIGITS_MAX: Final = 18
"""Of an entry's number: as many as a store can count."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was recorded, what comes out now, and whether both agree."""

    entry_id: str
    type: str
    recorded: str
    again: str
    agrees: bool
    lines: tuple[str, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `zonegate explain`."""
    parser.add_argument("entry", help="the entry's id, or its position epoch:seq")
    parser.add_argument("--store", type=Path, required=True, help="the node's store folder")


def run(args: argparse.Namespace) -> int:
    """0 when the entry is judged as it was recorded, 1 when not or when there is no such entry."""
    from edge.errors import EdgeError

    logs.set_up("warning")
    try:
        told = explain(args.store, args.entry)
    except (EdgeError, LookupError) as error:
        print(f"zonegate explain: {error}", file=sys.stderr)
        return 1
    print("\n".join(told.lines))
    return 0 if told.agrees else 1


def explain(store: Path, wanted: str) -> Explanation:
    """Judge again the entry that `wanted` names. LookupError when the journal has none such."""
    from edge.books import Fact, NodeBooks
    from edge.store import JournalReader
    from sync.entry import read_record

    with JournalReader(store) as reader:
        record = _find(reader, wanted)
        if record is None:
            raise LookupError(f"there is no entry {wanted!r} in {store}; `zonegate db entries` lists them")
        entry = read_record(record)
        books = NodeBooks()
        position = 0
        stop = reader.position(entry.epoch, entry.seq) or 0
        if reader.start():
            raise LookupError(
                f"entries of {store} were pruned: without them no entry can be judged again; ask the center"
            )
        while page := reader.page(position, 1000):
            for at, earlier in page:
                if at < stop:
                    books.fold(Fact.of(read_record(earlier)))
            position = page[-1][0]
            if position >= stop:
                break
        return _judge_again(books, entry, reader)


def _find(reader: Any, wanted: str) -> bytes | None:
    epoch, _, seq = wanted.partition(":")
    place = seq.isascii() and seq.isdigit() and len(seq) <= _SEQ_DIGITS_MAX
    found: bytes | None = reader.record_at(epoch, int(seq)) if place else reader.entry(wanted)
    return found


def _judge_again(books: Any, entry: Any, reader: Any) -> Explanation:
    from edge.adjudicate import inputs_hash
    from sync.bodies import Movement, Refusal, Settings, read_body

    body = read_body(entry)
    lines = [
        f"entry {entry.entry_id} ({entry.type}) at {entry.epoch}:{entry.seq}",
        f"happened {entry.occurred_at:%Y-%m-%d %H:%M:%S} UTC at door {entry.door}",
    ]
    inputs = inputs_hash(books, entry.door, body.rules if isinstance(body, Settings) else None)
    same_inputs = entry.inputs_hash in (inputs, None)  # the journal's own Begin rests on nothing
    lines.append(
        f"inputs {'are those recorded' if same_inputs else 'DIFFER from those recorded'}: {inputs[:16]}"
    )
    if not isinstance(body, Movement | Refusal) or getattr(body, "by", None) is not None:
        lines.append("a person's act or the center's word: recorded, not judged")
        return Explanation(entry.entry_id, entry.type, "", "", same_inputs, tuple(lines))
    recorded = _told(body.reason, body.job, body.load, getattr(body, "quantity", None), _line_of(body))
    again = _verdict(books, entry, body)
    from_evidence = _from_evidence(body, reader)
    agrees = recorded == again and same_inputs and (from_evidence is None or from_evidence.agrees)
    lines += [
        f"read by {body.read.device}: {body.read.code}",
        f"the code says: {_said(books, entry, body)}",
        f"recorded: {recorded}",
        f"judged again: {again}",
        *([] if from_evidence is None else [from_evidence.sentence]),
        "both agree" if agrees else "THEY DIFFER: do not trust this entry before you know why",
    ]
    return Explanation(entry.entry_id, entry.type, recorded, again, agrees, tuple(lines))


def _verdict(books: Any, entry: Any, body: Any) -> str:
    """What the judge says now of the read in `body`."""
    from edge.adjudicate import Moment, judge_read

    moment = Moment(entry.occurred_at, entry.clock.synchronized, body.have)
    if body.read.passage is not None:
        return _verdict_of_passage(books, entry, body, moment)
    typed = Decimal(body.read.typed) if body.read.typed else None
    raw = bytes.fromhex(body.read.raw)
    settings = books.state.settings
    no_read = settings is not None and raw == settings.doors.get(entry.door, "").encode()
    verdict = judge_read(books, entry.door, raw, moment, typed, no_read=no_read)
    return _of(verdict)


def _verdict_of_passage(books: Any, entry: Any, body: Any, moment: Any) -> str:
    """What the judge says now of a load that went through a gate, from what the entry kept of the passage."""
    from edge.passages import judge_piece
    from edge.reads import tag_at
    from gs1.load import Load

    raw = bytes.fromhex(body.read.raw)
    identity = tag_at(books, raw, body.read.pc, entry.occurred_at) if raw else None
    load = identity if isinstance(identity, Load) else None
    verdict = judge_piece(books, entry.door, body.read.passage, load, moment)
    return "nothing" if verdict is None else _of(verdict)


@dataclass(frozen=True, slots=True)
class _FromEvidence:
    """What the gate makes of a passage's evidence now."""

    agrees: bool
    sentence: str


def _from_evidence(body: Any, reader: Any) -> _FromEvidence | None:
    """Run the gate again on what a passage was judged from, and compare; None where no gate was asked."""
    from edge import evidence
    from edge.errors import EvidenceError
    from edge.gate import judge
    from edge.passage import PassageKind
    from edge.passages import UNSEEN, is_cut_short

    facts = body.read.passage
    if facts is None:
        return None
    if facts.kind in UNSEEN:
        return _FromEvidence(True, f"the gate was never asked of this passage: it is {facts.kind}")
    row = reader.passage(facts.passage, facts.evidence)
    kept = row.evidence if row is not None else None
    if kept is None:
        return _FromEvidence(True, "the passage's evidence was given up: the gate cannot be asked again")
    try:
        if evidence.name(kept) != facts.evidence:
            raise EvidenceError("the evidence is not what the entry names")
        seen = evidence.decode(kept)
        found = [passage for passage in judge(seen) if passage.passage == facts.passage]
    except EvidenceError as error:
        return _FromEvidence(False, f"the passage's evidence cannot be judged: {error}")
    said = _passage(facts.kind, facts.direction, facts.confidence, facts.tags)
    now = "no passage"
    if found:
        raw, moved = bytes.fromhex(body.read.raw), [tag for tag in found[0].tags if tag.moved]
        course = next((tag for tag in found[0].tags if tag.epc == raw), None)
        # A load that was stopped and did not move has "nothing" in its entry, whatever else went through.
        back = facts.kind == "crossed" and found[0].kind in (PassageKind.TURNED, PassageKind.NOTHING)
        if back and facts.direction is None and is_cut_short(seen):
            return _FromEvidence(True, f"nobody saw the end of this passage: {found[0].why}")
        rested = facts.kind == "nothing" and course is not None and not course.moved
        sure = min(found[0].confidence, course.confidence if course is not None else 1000)
        kind = facts.kind if rested else found[0].kind.value
        now = _passage(kind, found[0].direction, sure, len(moved))
        now += " without this one" if raw and course not in moved and not rested else ""
    if said == now:
        return _FromEvidence(True, f"the gate says the same of its evidence: {now}. {found[0].why}")
    return _FromEvidence(False, f"the gate said {said}, and says now of its evidence: {now}")


def _passage(kind: str, direction: str | None, confidence: int, tags: int) -> str:
    return f"{kind} {direction or 'some way'}, {confidence / 10:g} % sure, {tags} tags"


def _of(verdict: Any) -> str:
    moved = verdict.kind == "ACCEPTED"
    return _told(verdict.reason, verdict.job, verdict.load, verdict.quantity if moved else None, verdict.line)


def _said(books: Any, entry: Any, body: Any) -> str:
    """What this version reads in the code: its elements, or what is wrong with it."""
    from edge.reads import answer_at, reason_in, tag_answer_at

    raw = bytes.fromhex(body.read.raw)
    if body.read.passage is not None and not raw:
        return "no tag of a load was read"
    if body.read.passage is not None:
        answer = tag_answer_at(books, raw, body.read.pc, entry.occurred_at)
    else:
        answer = answer_at(books, raw, entry.occurred_at)
    return f"{answer['kind']} {answer['hri'] or answer['key'] or ''}".strip() + (
        f" ({reason})" if (reason := reason_in(answer)) else ""
    )


def _line_of(body: Any) -> Any:
    return body.use.ref if getattr(body, "use", None) is not None else getattr(body, "line", None)


def _told(reason: str, job: str | None, load: Any, quantity: Decimal | None, line: object) -> str:
    words = [reason]
    if job is not None:
        words.append(f"truck {job}")
    if load is not None:
        known = (load.key, load.gtin, load.lot, load.quantity, load.unit, load.owner, load.status)
        words.append("load " + " ".join(str(fact) for fact in known if fact is not None))
    if quantity is not None:
        words.append(f"quantity {quantity}")
    if line is not None:
        words.append(f"line {line}")
    return ", ".join(words)
