# SPDX-License-Identifier: Apache-2.0
"""Docks and their logs, as a supervisor reads them: which log follows which, how each ended, what of it is
here, and what it was lent. Pure: reads the center's book and the first entry of each log; knows no request.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from central.people import WARNING, attestation
from central.standing import Lease, Log, Standing, standing
from customs.documents import LineRef
from sync import rollcall
from sync.accounts import ZERO, gap_name
from sync.bodies import Begin
from sync.cases import log_name
from sync.center import CenterBook

LOGS_MAX: Final = 12
"""Logs of one dock in a picture: a dock has begun anew more often only when something is badly wrong."""

LOGS_SHOWN_MAX: Final = 60
"""Logs of one dock on its own page and in its forms."""

GOING_ON: Final = "going on"
CLOSED: Final = "closed"
COUNTED: Final = "counted"
LEFT: Final = "not closed"


@dataclass(frozen=True, slots=True)
class First:
    """The first entry of a log: when it happened, by its dock's clock, and what it says."""

    at: datetime
    body: Begin


@dataclass(frozen=True, slots=True)
class LineAccount:
    """A log's account of a permit line. `charged` is None where a count speaks for several logs together."""

    lease: Lease
    unit: str
    holds: Decimal
    charged: Decimal | None


@dataclass(frozen=True, slots=True)
class LogView:
    """One log of a dock. `told` is the highest number that is known of it; `proven` says whether its Begin
    proved where the log before ended, None when nothing came before; `gap` is "open", "counted" or "".
    `unbounded` tells that more of it may exist than anybody here can say.
    """

    log: Log
    name: str
    number: int
    state: str
    first: First | None
    revoked: str | None
    depth: int
    proven: bool | None
    gap: str
    told: int
    unbounded: bool
    late: bool
    unread: bool
    lines: tuple[LineAccount, ...]

    @property
    def stored(self) -> int:
        """The number of its last entry that is here."""
        return self.log.head.seq

    @property
    def missing(self) -> int:
        """How many of its entries are known to exist and are not here."""
        return self.told - self.stored


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence about a dock; `tone` is "" or "case", `begun_at` the time that it starts with, `case` the
    name of the case that says what to do.
    """

    text: str
    tone: str = ""
    begun_at: datetime | None = None
    case: str = ""


@dataclass(frozen=True, slots=True)
class DockView:
    """A dock with its logs, oldest first. `more` counts logs that are not shown."""

    standing: Standing
    logs: tuple[LogView, ...]
    remarks: tuple[Remark, ...]
    more: int = 0

    @property
    def node(self) -> str:
        """The dock's name."""
        return self.standing.node

    @property
    def holds(self) -> list[tuple[str, str, str, Decimal]]:
        """What its logs still hold together: permit, line, unit and quantity."""
        sums: dict[tuple[str, str, str], Decimal] = {}
        for log in self.logs:
            for account in log.lines:
                key = (account.lease.permit, account.lease.line, account.unit)
                sums[key] = sums.get(key, ZERO) + account.holds
        return [(*key, quantity) for key, quantity in sorted(sums.items()) if quantity]


def dock(
    book: CenterBook, node: str, firsts: Mapping[str, First], logs_max: int = LOGS_MAX
) -> DockView | None:
    """What is known of a dock, None when nothing is; `firsts` are its logs' first entries."""
    found = standing(book, node, attestation(node), WARNING)
    return _view(book, found, firsts, logs_max) if found else None


@dataclass(frozen=True, slots=True)
class Absent:
    """A dock that the roll call misses: whether it has reported at all, and which logs and gaps are open."""

    node: str
    silent: bool
    logs: tuple[str, ...]
    gaps: tuple[str, ...]


def roll_call(book: CenterBook) -> tuple[bool, bool, list[Absent]]:
    """Whether this center was ever put back to an older state, whether a person must say which docks there
    are, and the docks that are missed.
    """
    kinds: dict[str, dict[str, list[str]]] = {}
    for lack in rollcall.missing(book):
        kinds.setdefault(lack.node, {}).setdefault(lack.kind, []).append(lack.epoch)
    nameless = kinds.pop("", {})
    absent = [
        Absent(node, "silent" in lacks, tuple(lacks.get("open", ())), tuple(lacks.get("gap", ())))
        for node, lacks in kinds.items()
    ]
    return len(book.own_epochs) > 1, "roll" in nameless, absent


def _view(book: CenterBook, found: Standing, firsts: Mapping[str, First], logs_max: int) -> DockView:
    depths = _depths(found.logs)
    unseen = {lack.epoch for lack in rollcall.missing(book) if lack.kind == "open"}
    logs = [
        _log(book, found, log, number, firsts.get(log.epoch), depths[log.epoch], unseen)
        for number, log in enumerate(found.logs, start=1)
    ]
    shown = [log for log in logs[:-logs_max] if not log.log.closed][-logs_max:]
    shown += logs[-logs_max:]
    remarks = tuple(remark for log in shown for remark in _remarks(book, found.node, log))
    return DockView(found, tuple(shown), remarks, len(logs) - len(shown))


def _log(
    book: CenterBook,
    found: Standing,
    log: Log,
    number: int,
    first: First | None,
    depth: int,
    unseen: Collection[str],
) -> LogView:
    known = book.epochs[log.epoch]
    ends = [other.end.seq for other in found.logs if other.end and other.end.epoch == log.epoch]
    told = max(log.head.seq, log.signed, *ends, *known.claims)
    unbounded = log.epoch in unseen or (_state(log) == LEFT and told == log.head.seq)
    gap = "open" if log.gap else "counted" if book.accounts.counted(gap_name(log.epoch)) else ""
    return LogView(
        log,
        log_name(log.epoch),
        number,
        _state(log),
        first,
        book.revoked.get(log.key),
        depth,
        log.end is not None if log.parent or gap else None,
        gap,
        told,
        unbounded,
        log.epoch in book.late,
        known.unread,
        tuple(_account(book, log, lease) for lease in log.leases),
    )


def _account(book: CenterBook, log: Log, lease: Lease) -> LineAccount:
    line = book.line(LineRef(lease.permit, lease.line))
    charged = lease.used if log.closed else max(lease.granted - lease.returned, lease.used)
    return LineAccount(
        lease,
        line.unit if line else "",
        ZERO if log.closed else lease.idle,
        None if log.closed == "count" else charged,
    )


def _state(log: Log) -> str:
    if log.closed:
        return COUNTED if log.closed == "count" else CLOSED
    return GOING_ON if log.current else LEFT


def _depths(logs: Iterable[Log]) -> dict[str, int]:
    """How many logs of this dock each one follows; a parent that is not here counts for nothing."""
    depths: dict[str, int] = {}
    for log in logs:
        parent = log.parent.epoch if log.parent else ""
        depths[log.epoch] = depths.get(parent, -1) + 1
    return depths


def _remarks(book: CenterBook, node: str, view: LogView) -> Iterator[Remark]:
    log = view.log
    yield from _beginning(book, node, view)
    if view.state == GOING_ON and view.missing:
        yield Remark(
            f"{_entries(view.missing)} of {view.name} {_are(view.missing)} on the way here: {node} has "
            f"signed up to number {view.told:,}, stored are {view.stored:,}."
        )
    if log.epoch in book.forks:
        fork = book.forks[log.epoch][0]
        yield _alarm(
            book,
            f"fork:{log.epoch}:{fork.stored.seq}",
            f"Two different entries were shown for number {fork.stored.seq:,} of {view.name}: two machines "
            f"wrote as {node}, or one of them was forged.",
        )
    if view.late:
        late = f"Entries of {view.name} came after it had been closed. They are stored and charged."
        yield _alarm(book, f"late:{log.epoch}", late)
    if view.unread:
        unread = f"Some entries of {view.name} cannot be read by this center."
        yield Remark(unread, "case", case=f"unread:{log.epoch}")


def _alarm(book: CenterBook, case: str, text: str) -> Remark:
    if case in book.settled:
        return Remark(f"{text} {book.settled[case].by} has settled this.")
    return Remark(text, "case", case=case)


def _beginning(book: CenterBook, node: str, view: LogView) -> Iterator[Remark]:
    end, parent = view.log.end, view.log.parent
    at = view.first.at if view.first else None
    if end is None:
        if view.gap:
            yield _unproven(node, view, at)
        return
    name, held = log_name(end.epoch), parent.seq if parent and parent.epoch == end.epoch else 0
    stored = book.epochs[end.epoch].head.seq if end.epoch in book.epochs else 0
    if held == end.seq:
        yield Remark(
            f"{node} went on in {view.name}; {name} ended at number {end.seq:,}, as proven.", begun_at=at
        )
        return
    restored = (
        f"{node} was restored from an older copy and went on in {view.name}. The copy held {name} up to "
        f"number {held:,}; the dock had shown people what it wrote up to number "
        f"{end.seq:,}."
    )
    lacking = end.seq - stored
    if lacking <= 0:
        yield Remark(f"{restored} Nothing is missing: this center has all {end.seq:,}.", begun_at=at)
    elif book.accounts.counted(end.epoch):
        yield Remark(f"{restored} {_entries(lacking)} never came; people have counted for them.", begun_at=at)
    else:
        yield Remark(
            f"{restored} {_entries(lacking)}, number {stored + 1:,} to {end.seq:,}, {_are(lacking)} still "
            f"missing here and will come from the old disk of {node} when it is connected again.",
            "case",
            at,
            f"missing:{end.epoch}",
        )


def _unproven(node: str, view: LogView, at: datetime | None) -> Remark:
    parent = view.log.parent
    if parent is None:
        before = f"{node} began {view.name} with nothing of what it had written before"
    else:
        before = f"{node} went on in {view.name} from number {parent.seq:,} of {log_name(parent.epoch)}"
    said = f" ({view.first.body.reason})" if view.first and view.first.body.reason else ""
    text = (
        f"{before}, and nothing proves that this was all{said}. Entries in between may be missing; nobody "
        "can tell how many."
    )
    if view.gap == "counted":
        return Remark(f"{text} People have counted for it.", begun_at=at)
    return Remark(f"{text} A count mends this.", "case", at, gap_name(view.log.epoch))


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count:,} entries"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
