# SPDX-License-Identifier: Apache-2.0
"""A write-off before it is done: what the form says, what is wrong with it, and what would follow. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import msgspec

from central.standing import to_count
from customs.documents import LineRef
from sync import decisions, rollcall
from sync.accounts import ZERO, Accounts
from sync.bodies import Amount, Close, Revoked, is_count
from sync.center import CenterBook

OTHER_LINES: Final = 3
"""Rows for lines that the dock was not lent: goods that left by mistake."""

_NUMBER_LENGTH_MAX: Final = 40

_NUMBER: Final = re.compile(r"[0-9]{1,13}(\.[0-9]{1,12})?\Z", re.ASCII)


class Said:
    """What a person entered: a form's fields, each once or several times."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._fields: dict[str, list[str]] = {}
        for name, text in pairs:
            self._fields.setdefault(name, []).append(text)

    def one(self, name: str) -> str:
        """The field's text without blanks around it; empty when it did not come."""
        return self._fields.get(name, [""])[0].strip()

    def pairs(self) -> list[tuple[str, str]]:
        """Names and texts as they came, by name."""
        return [(name, text) for name, texts in self._fields.items() for text in texts]

    def all(self, name: str) -> list[str]:
        """All texts of a field, each once."""
        return list(dict.fromkeys(self._fields.get(name, ())))


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field: what came, what was expected, what to do."""

    field: str
    came: str
    expected: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Row:
    """A permit line in the form: `text` is what the person entered; `name` is the field's."""

    name: str
    ref: LineRef
    text: str
    lent: Decimal
    used: Decimal
    unit: str


@dataclass(slots=True)
class Counting:
    """What the form says so far. `amounts` are those rows that are right, `faults` the others."""

    node: str
    retires: bool
    epochs: list[str]
    gaps: list[str]
    rows: list[Row] = field(default_factory=list)
    others: list[tuple[str, str]] = field(default_factory=list)
    amounts: list[Amount] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Change:
    """A permit line before and after the count."""

    ref: LineRef
    unit: str
    authorized: Decimal
    before: Decimal
    after: Decimal

    @property
    def freed(self) -> Decimal:
        """What may be lent again; below zero when the count shows more than was charged."""
        return self.before - self.after


@dataclass(frozen=True, slots=True)
class Preview:
    """What would follow. `seen` changes with any figure, so that nobody confirms what has moved on."""

    changes: tuple[Change, ...]
    keys: tuple[str, ...]
    above: tuple[str, ...]
    seen: str


def read(book: CenterBook, form: Said, *, asked: bool) -> Counting:
    """Read the form against the book. With `asked` every listed line needs its count."""
    node = form.one("node")
    retires = form.one("retires") == "yes"
    if retires:
        mine = [epoch for epoch in book.met.get(node, ()) if epoch in book.epochs]
        epochs = [epoch for epoch in mine if not book.is_closed(epoch)]
        gaps = list(rollcall.gaps(book, node))
    else:
        epochs = form.all("log")[:100]
        gaps = form.all("gap")[:100]
    counting = Counting(node, retires, epochs, gaps)
    for ref in to_count(book, node, epochs, gaps):
        counting.rows.append(_row(book, ref, epochs, form))
        if asked:
            _take(counting, counting.rows[-1].name, ref, counting.rows[-1].text)
    for at in range(OTHER_LINES):
        chosen, text = form.one(f"other.{at}"), form.one(f"taken.{at}")
        counting.others.append((chosen, text))
        if asked and (chosen or text):
            _other(counting, book, f"taken.{at}", chosen, text)
    return counting


def with_logs_before(book: CenterBook, asked: Said) -> Said:
    """A question for gaps alone asks for the open logs before them, too: they are counted together."""
    gaps, met = asked.all("gap"), book.met.get(asked.one("node"), [])
    if asked.all("log") or not gaps:
        return asked
    last = max((met.index(gap) for gap in gaps if gap in met), default=0)
    before = [epoch for epoch in met[:last] if epoch in book.epochs and not book.is_closed(epoch)]
    return Said([*asked.pairs(), *(("log", epoch) for epoch in before)])


def other_lines(book: CenterBook, counting: Counting) -> Iterator[tuple[str, str]]:
    """Value and words of the permit lines that the form does not list."""
    listed = {row.ref for row in counting.rows}
    for ref, unit in _known(book):
        if ref not in listed:
            yield _token(ref), f"{ref} ({unit})"


def preview(book: CenterBook, counting: Counting, by: str, note: str) -> Preview:
    """What the count would change. Raises Undecidable when it contradicts the book."""
    drafts = decisions.write_off(
        book,
        counting.node,
        counting.epochs,
        counting.amounts,
        gaps=counting.gaps,
        by=by,
        note=note,
        retires=counting.retires,
    )
    accounts = book.accounts
    after = Accounts(accounts.lines, set(accounts.closed), list(accounts.counts), admitted=accounts.admitted)
    keys: tuple[str, ...] = ()
    for _, body in drafts:
        if isinstance(body, Close):
            after.close(body)
        elif isinstance(body, Revoked):
            keys = body.keys
    refs = sorted({row.ref for row in counting.rows} | {amount.ref for amount in counting.amounts})
    changes = []
    for ref in refs:
        line = book.line(ref)
        unit, authorized = (line.unit, line.quantity) if line else ("", ZERO)
        changes.append(Change(ref, unit, authorized, accounts.charged(ref), after.charged(ref)))
    said = (counting.node, counting.retires, counting.epochs, counting.gaps, counting.amounts, changes, keys)
    seen = hashlib.sha256(repr(said).encode()).hexdigest()[:32]
    above = [row.ref for row in counting.rows if _counted(counting, row.ref) < row.used]
    return Preview(tuple(changes), keys, tuple(map(str, above)), seen)


def _counted(counting: Counting, ref: LineRef) -> Decimal:
    return sum((amount.quantity for amount in counting.amounts if amount.ref == ref), ZERO)


def _row(book: CenterBook, ref: LineRef, epochs: Sequence[str], form: Said) -> Row:
    accounts = [account for epoch, account in book.accounts.lines.get(ref, {}).items() if epoch in epochs]
    line = book.line(ref)
    name = f"count.{_token(ref)}"
    lent = sum((account.granted - account.returned for account in accounts), ZERO)
    used = sum((account.used for account in accounts), ZERO)
    return Row(name, ref, form.one(name)[:_NUMBER_LENGTH_MAX], lent, used, line.unit if line else "")


def _other(counting: Counting, book: CenterBook, name: str, chosen: str, text: str) -> None:
    ref = next((ref for ref, _ in _known(book) if _token(ref) == chosen), None)
    if ref is None:
        counting.faults.append(
            Fault(
                name, chosen[:80] or "no line", "a permit line of the list", "Choose the line of this count."
            )
        )
    elif any(row.ref == ref for row in counting.rows) or any(one.ref == ref for one in counting.amounts):
        counting.faults.append(Fault(name, f"{ref} twice", "each line once", "Put both counts together."))
    else:
        _take(counting, name, ref, text)


def _known(book: CenterBook) -> Iterator[tuple[LineRef, str]]:
    for permit in book.permits.values():
        for line in permit.lines:
            yield LineRef(permit.number, line.line), line.unit


def _take(counting: Counting, name: str, ref: LineRef, text: str) -> None:
    said = text
    what = f"a count for {ref} such as 125 or 0.5; 0 if nothing left"
    if not said:
        counting.faults.append(Fault(name, "nothing", what, "Count the goods of this line."))
    elif not _NUMBER.match(said) or not (Decimal(said) == ZERO or is_count(Decimal(said))):
        step = "Write digits, with a point before decimals and no grouping."
        counting.faults.append(Fault(name, said[:_NUMBER_LENGTH_MAX], what, step))
    else:
        counting.amounts.append(Amount(ref.permit, ref.line, Decimal(said)))


def _token(ref: LineRef) -> str:
    """A line as a form's value: both parts, whatever signs they have."""
    return msgspec.json.encode((ref.permit, ref.line)).decode()
