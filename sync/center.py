# SPDX-License-Identifier: Apache-2.0
"""The center's book, pure: a fold of the center's own log and of the node logs it stores.

`sync.reception` judges an ask by it, `sync.decisions` says what the own log writes of it. It knows no
database: when a commit fails, its owner makes it anew from what is stored.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from customs.documents import Conveyance, Holding, LineRef, Permit, PermitLine, Product
from sync import rollcall
from sync.accounts import ZERO, Accounts
from sync.bodies import (
    UNDO_MAX,
    Adopt,
    Amount,
    BackedUp,
    BackupGone,
    Begin,
    CenterSaw,
    Close,
    Correction,
    Decision,
    Dispute,
    Enrolled,
    Fork,
    Grant,
    JobEvent,
    Lent,
    LoadFacts,
    Moved,
    Movement,
    Recall,
    Returned,
    Revoked,
    Roll,
    Rotate,
    Saw,
    Settled,
    Trusted,
    UnderHold,
    Use,
    is_count,
    read_body,
)
from sync.chain import Stored
from sync.entry import Entry, Head, Place, read_record
from sync.errors import EntryError
from sync.ledger_bodies import AdmissionUndone, Admitted
from sync.restraints import HoldLifted, HoldPut, Remembered, Restraints, ZoneEvent
from sync.witness import Testimony

ACCOUNTING: Final = ("admission", "withdrawal", "correction", "return", "saw", "adopt", "job", "rotate")
"""Types of node entries that the book folds, beside each epoch's first entry; others only move the head."""

_FOR_ALL: Final = (
    *("begin", "product", "permit", "conveyance", "lent", "dispute", "decision"),
    *("zone", "hold-put", "hold-lifted"),
)
DOWN: Final = (*_FOR_ALL, "grant", "recall", "close", "holdings")
"""Types of the center's entries that may go down to a node; see `concerns`."""

CLAIMS_MAX: Final = 64
"""Signed heads kept of one epoch ahead of what is stored; a backlog shows one in each exchange."""

LINES_MAX: Final = 10_000
"""Accounts that one log may name, many times what the trucks of a dock come to: a node that makes up permit
lines must not fill the center's memory with them. What a log names beyond is not known (`unread`).
"""

TOLD_LENGTH_MAX: Final = 4096
"""Characters of all that names one load, several times what papers and labels hold: other docks must be able
to take in what is told of it, so a load that a node names at greater length is told to nobody.
"""

Moving = Movement | Correction
_MOVING: Final = ("admission", "withdrawal", "correction")


@dataclass(slots=True)
class EpochBook:
    """What the center knows of one epoch of a node.

    `signed` is the seq of its last signed head, `claims` are hashes that its signed heads name beyond what
    is stored, by seq. `saws` are the center epochs that it has taken in, `heard` is the place in the center's
    log up to which it has, `lines` the accounts that it names, by line and epoch, which alone bounds
    them: what the center lent is folded at another time when the logs are read again. `unread` is set when
    an entry of it could not be read here: its use is then not known, and nothing but a count may close it.
    """

    node: str
    key: str
    head: Place
    parent: Place | None = None
    end: Place | None = None
    signed: int = 0
    claims: dict[int, str] = field(default_factory=dict)
    saws: set[str] = field(default_factory=set)
    heard: Place | None = None
    lines: set[tuple[LineRef, str]] = field(default_factory=set)
    unread: bool = False


def concerns(entry_type: str, body: Any, node: str, epoch: str) -> bool:
    """Whether an entry of the center's log goes down to an epoch of a node."""
    if entry_type in _FOR_ALL:
        return True
    if entry_type in ("grant", "close"):
        return bool(body.node == node)
    if entry_type == "recall":
        return bool(body.epoch == epoch)
    if entry_type == "holdings":
        return bool(body.origin != epoch)
    return False


class CenterBook:
    """The center's state for one tenant and zone.

    `plain` are ids of facts that stand in a stored log as themselves and are adopted in another one too;
    the owner adds them before it folds. With `keep_facts` the book finds them itself, at the cost of
    keeping the ids of all facts.
    """

    def __init__(self, tenant: str, zone: str, *, keep_facts: bool = False) -> None:
        self.tenant = tenant
        self.zone = zone
        self.head: Place | None = None
        self.own_epochs: list[str] = []
        self.own_keys: dict[str, str] = {}
        self.epochs: dict[str, EpochBook] = {}
        self.ends: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
        """By node and epoch, hashes by seq that later logs of that node proved to be its end."""
        self.met: dict[str, list[str]] = defaultdict(list)
        self.met_at: dict[str, Place] = {}
        self.accounts = Accounts()
        self.enrolled: dict[str, str] = {}
        self.retired: dict[str, str] = {}
        self.retirements: dict[str, str] = {}
        """By retired node, the id of the entry that retired it."""
        self.roll_kept: Mapping[str, str] | None = None
        """The roll beside the anchor: all nodes ever let in, with the id of the entry that retired each."""
        self.roll_attested: str | None = None
        self.roll_named: set[str] = set()
        self.keys: dict[str, set[str]] = defaultdict(set)
        self.revoked: dict[str, str] = {}
        self.doors: dict[str, tuple[str, ...]] = {}
        self.products: dict[str, Product] = {}
        self.permits: dict[str, Permit] = {}
        self.conveyances: dict[str, Conveyance] = {}
        self.expected: dict[str, Conveyance] = {}
        self.jobs_open: set[str] = set()
        self._jobs_closed: set[str] = set()
        self.recalled: dict[tuple[LineRef, str], Decimal] = defaultdict(Decimal)
        self._recalled_at: dict[tuple[LineRef, str], Place] = {}
        self.lent: dict[LineRef, frozenset[str]] = {}
        self.short: dict[LineRef, dict[str, Decimal]] = defaultdict(dict)
        self.given_up, self.gave_back = set[tuple[LineRef, str]](), set[tuple[LineRef, str]]()
        self.forks: dict[str, list[Fork]] = defaultdict(list)
        self.disputes: dict[str, Dispute] = {}
        self.settled: dict[str, Settled] = {}
        self.restraints, self.remembered = Restraints(), Remembered()
        self.under_hold: dict[str, UnderHold] = {}
        self.backups: dict[str, BackedUp] = {}
        self.forgotten: dict[str, Grant] = {}
        self.late: dict[str, int] = {}
        """By epoch that was closed before: the first movement in it that came afterwards."""
        self.testimony = Testimony()
        self.plain, self.adopted = set[str](), set[str]()
        self._seen: dict[str, int] = {}
        self._ended: set[str] = set()
        self._late_from: dict[str, int] = {}
        self._keep_facts = keep_facts
        self._standing: dict[tuple[str, str], dict[str, Use]] = defaultdict(dict)
        self._own: dict[str, Callable[[Stored, Any], None]] = {
            "begin": self._fold_begin,
            "product": lambda _, body: self.products.__setitem__(body.gtin, body),
            "permit": lambda _, body: self.permits.__setitem__(body.number, body),
            "conveyance": self._fold_conveyance,
            "grant": self._fold_grant,
            "recall": self._fold_recall,
            "lent": self._fold_lent,
            "center-saw": self._fold_center_saw,
            "close": self._fold_close,
            "enrol": self._fold_enrolled,
            "roll": self._fold_roll,
            "revoke": self._fold_revoked,
            "trust": self._fold_trusted,
            "fork": lambda _, body: self.forks[body.epoch].append(body),
            "put-back": lambda _, body: self.testimony.take(body),
            "dispute": lambda stored, body: self.disputes.__setitem__(stored.entry.entry_id, body),
            "decision": self._fold_decision,
            **dict.fromkeys(("admitted", "admission-undone"), self._fold_admitted),
            "settled": lambda _, body: self.settled.__setitem__(body.case, body),
            **dict.fromkeys(("zone", "hold-put", "hold-lifted"), self._fold_restraint),
            "under-hold": lambda stored, body: self.under_hold.__setitem__(stored.entry.entry_id, body),
            "backup": lambda _, body: self.backups.__setitem__(body.name, body),
            "backup-gone": self._fold_backup_gone,
        }

    # -- the fold of the own log ------------------------------------------------------------------

    def fold(self, stored: Stored) -> None:
        """Take in the next entry of the center's own log."""
        if stored.entry.seq == 1:
            self.own_epochs.append(stored.entry.epoch)
            self.remembered.begun(self.restraints)
        self.head = stored.place
        fold = self._own.get(stored.entry.type)
        if fold is not None:
            fold(stored, stored.body)

    def _fold_begin(self, stored: Stored, begin: Begin) -> None:
        self.own_keys[stored.entry.epoch] = begin.key

    def _fold_conveyance(self, _: Stored, body: Conveyance) -> None:
        self.conveyances[body.job] = body
        if body.job not in self._jobs_closed:
            self.expected[body.job] = body

    def _fold_grant(self, stored: Stored, grant: Grant) -> None:
        self.accounts.grant(stored.entry.entry_id, grant)
        self.lent.pop(grant.ref, None)  # the epoch that is lent to forgets it as well
        self.gave_back.discard((grant.ref, grant.epoch))

    def _fold_recall(self, stored: Stored, recall: Recall) -> None:
        self.recalled[recall.ref, recall.epoch] += recall.quantity
        self._recalled_at[recall.ref, recall.epoch] = stored.place

    def _fold_lent(self, _: Stored, lent: Lent) -> None:
        self.lent[lent.ref] = frozenset(lent.holders)

    def _fold_center_saw(self, stored: Stored, saw: CenterSaw) -> None:
        # By the order of the own log, so that reading the logs again comes to the same.
        if saw.epoch in self._ended:
            self._late_from.setdefault(saw.epoch, self._seen.get(saw.epoch, 0) + 1)
        self._seen[saw.epoch] = saw.upto.seq
        if saw.epoch not in self.met_at:
            self.met_at[saw.epoch] = stored.place
            self.met[saw.node].append(saw.epoch)

    def _fold_close(self, stored: Stored, close: Close) -> None:
        self.accounts.close(close)
        self._ended.update(close.epochs)
        if close.retires:
            self.retired[close.node] = stored.entry.epoch
            self.retirements[close.node] = stored.entry.entry_id
            self.enrolled.pop(close.node, None)

    def _fold_enrolled(self, stored: Stored, enrolled: Enrolled) -> None:
        self.enrolled.setdefault(enrolled.node, "" if enrolled.again else stored.entry.epoch)
        self.retired.pop(enrolled.node, None)
        self.retirements.pop(enrolled.node, None)

    def _fold_roll(self, stored: Stored, roll: Roll) -> None:
        self.roll_attested = stored.entry.epoch
        self.roll_named.update(roll.nodes)

    def _fold_revoked(self, _: Stored, revoked: Revoked) -> None:
        self.revoked.update(dict.fromkeys(revoked.keys, revoked.reason))

    def _fold_trusted(self, _: Stored, trusted: Trusted) -> None:
        self.revoked.pop(trusted.key, None)
        self.keys[trusted.node].add(trusted.key)

    def _fold_decision(self, _: Stored, decision: Decision) -> None:
        self.disputes.pop(decision.dispute, None)

    def _fold_admitted(self, _: Stored, body: Admitted | AdmissionUndone) -> None:
        self.accounts.admitted[body.ref] += body.charged

    def _fold_restraint(self, _: Stored, body: ZoneEvent | HoldPut | HoldLifted) -> None:
        self.restraints.take(body)
        self.remembered.told(body)

    def _fold_backup_gone(self, _: Stored, gone: BackupGone) -> None:
        self.backups.pop(gone.name, None)

    # -- the fold of the nodes' logs --------------------------------------------------------------

    def fold_node(self, node: str, stored: Stored) -> Moved | None:
        """Take in the next stored entry of a node's log; what other docks must know of it."""
        entry = stored.entry
        if entry.seq == 1:
            self._fold_first(node, stored)
            return None
        book = self.epochs[entry.epoch]
        book.head = stored.place
        book.claims.pop(entry.seq, None)
        if entry.type not in ACCOUNTING:
            return None
        try:
            return self._fold_accounting(book, entry, stored.body)
        except EntryError:
            # Stored like any other, and blocks nothing; what it debits is not known.
            book.unread = True
            return None

    def claim(self, head: Head) -> None:
        """Remember a node's signed head; where it is ahead of what is stored, the chain must come to it."""
        book = self.epochs.get(head.epoch)
        if book is not None:
            book.signed = max(book.signed, head.seq)
            if book.head.seq < head.seq and len(book.claims) < CLAIMS_MAX:
                book.claims[head.seq] = head.hash

    def _fold_first(self, node: str, stored: Stored) -> None:
        begin: Begin = stored.body
        self.lent.clear()  # an epoch that begins was told of nobody's leases
        self.epochs[stored.entry.epoch] = EpochBook(node, begin.key, stored.place, begin.parent, begin.end)
        self.keys[node].add(begin.key)
        if begin.end is not None:
            self.ends[node, begin.end.epoch].setdefault(begin.end.seq, begin.end.hash)

    def _fold_accounting(self, book: EpochBook, entry: Entry, body: Any) -> Moved | None:
        if isinstance(body, Movement | Correction):
            if self._keep_facts:
                self.plain.add(entry.entry_id)
            if self._is_late(entry):
                self.late.setdefault(entry.epoch, entry.seq)
            if not _names(book, body.use, entry.epoch) or entry.entry_id in self.adopted:
                return None
            return self._move(book, entry, body, entry.seq)
        if isinstance(body, Adopt):
            return self._adopt(book, entry, read_record(bytes(body.record)))
        if isinstance(body, Returned):
            self._give_back(book, entry, body)
        elif isinstance(body, Saw):
            book.saws.add(body.center_epoch)
            book.heard = body.upto
            self._remember(book, entry.epoch, body)
        elif isinstance(body, JobEvent):
            self._job(body, entry.epoch)
        elif isinstance(body, Rotate):
            self.keys[book.node].add(body.key)
        return None

    def _is_late(self, entry: Entry) -> bool:
        """Whether an entry came after the Close of its log; known also when the own log is read first."""
        if entry.seq >= self._late_from.get(entry.epoch, entry.seq + 1):
            return True
        return entry.epoch in self._ended and entry.seq > self._seen.get(entry.epoch, 0)

    def _move(self, book: EpochBook, entry: Entry, body: Moving, seq: int) -> Moved | None:
        if not (is_count(body.quantity) and (body.use is None or is_count(body.use.quantity))):
            self._unread(book, entry.epoch)
            return None
        if (debit := self._debit(entry, body)) is not None:
            line, quantity = debit
            self.accounts.of(line, entry.epoch).used += quantity
        if _length(body.load) > TOLD_LENGTH_MAX:
            self._unread(book, entry.epoch)
            return None
        return _told(entry, body, seq)

    def _debit(self, entry: Entry, body: Moving) -> tuple[LineRef, Decimal] | None:
        """What an entry debits of a line.

        A correction gives back what its movement took, in the same epoch and once. Any other one gives
        nothing: the line stays charged until people have looked.
        """
        use = body.use
        if use is None:
            return None
        standing = self._standing[entry.epoch, entry.door or ""]
        if isinstance(body, Correction):
            if standing.get(body.corrects) != use:
                return None
            del standing[body.corrects]
            return use.ref, -use.quantity
        standing[entry.entry_id] = use
        if len(standing) > UNDO_MAX:
            del standing[next(iter(standing))]
        return use.ref, use.quantity

    def _adopt(self, book: EpochBook, adopting: Entry, entry: Entry) -> Moved | None:
        """A fact of a log that cannot be stored. It debits the account of the log in which it happened;
        what it gave back stays charged, for the other writer of that log may have used it.
        """
        known = self.epochs.get(entry.epoch)
        if known is not None and known.node != book.node:
            book.unread = True  # nobody debits another node's account
            return None
        if entry.type == "adopt":
            return None
        try:
            body = read_body(entry)
        except EntryError:
            self._unread(book, entry.epoch)
            return None
        if isinstance(body, Saw):
            self._remember(book, entry.epoch, body)  # its grants count once, by their ids
        is_moving = isinstance(body, Movement | Correction)
        if is_moving and not _names(book, body.use, entry.epoch):
            self._unread(book, entry.epoch)
            return None
        if entry.entry_id in self.plain or entry.entry_id in self.adopted:
            return None
        self.adopted.add(entry.entry_id)
        if is_moving:
            return self._move(book, entry, body, adopting.seq)
        if isinstance(body, JobEvent):
            self._job(body, entry.epoch)
        return None

    def _unread(self, book: EpochBook, epoch: str) -> None:
        """What an entry of `epoch` debits is not known, and it came in the log of `book`."""
        book.unread = True
        if (known := self.epochs.get(epoch)) is not None:
            known.unread = True

    def _give_back(self, book: EpochBook, entry: Entry, body: Returned) -> None:
        if not _names(book, body, entry.epoch):
            return
        if not is_count(body.quantity):
            book.unread = True
            return
        self.accounts.of(body.ref, entry.epoch).returned += body.quantity
        if body.quantity > self.recalled.get((body.ref, entry.epoch), ZERO):
            self.given_up.add((body.ref, entry.epoch))  # unasked: it sees no truck there that needs any
        else:
            self.gave_back.add((body.ref, entry.epoch))
        left = self.recalled.pop((body.ref, entry.epoch), ZERO) - body.quantity
        if left > ZERO:
            self.recalled[body.ref, entry.epoch] = left

    def _remember(self, book: EpochBook, epoch: str, saw: Saw) -> None:
        """A node remembers what a restored center has forgotten: its grants count, the rest is told."""
        for raw in saw.entries:
            entry = read_record(bytes(raw))
            if entry.type == "grant":
                self._remember_grant(book, entry.entry_id, read_body(entry))
            elif entry.type == "conveyance":
                truck: Conveyance = read_body(entry)
                self.given_up -= {(ref, epoch) for ref in truck.permit_lines}
            elif entry.type in ("zone", "hold-put", "hold-lifted"):
                self.remembered.hear(book.node, body := read_body(entry))
                self.remembered.take(self.restraints, body, current=entry.epoch == self.own_epochs[-1])

    def _remember_grant(self, book: EpochBook, entry_id: str, grant: Grant) -> None:
        if grant.node != book.node or not is_count(grant.quantity):
            return
        known = entry_id in self.accounts.grants
        if known and entry_id not in self.forgotten:
            return  # the own log has it
        if _names(book, grant, grant.epoch):
            self.forgotten.setdefault(entry_id, grant)
            self.accounts.grant(entry_id, grant)

    def _job(self, body: JobEvent, epoch: str) -> None:
        """`expected` are the trucks that are planned or open: they alone need leases."""
        if body.event == "closed":
            self._jobs_closed.add(body.job)
            self.jobs_open.discard(body.job)
            self.expected.pop(body.job, None)
        elif body.event == "opened":
            self.jobs_open.add(body.job)
            self._jobs_closed.discard(body.job)
            if body.job in self.conveyances:
                self.expected[body.job] = self.conveyances[body.job]
                self.given_up -= {(ref, epoch) for ref in self.conveyances[body.job].permit_lines}

    # -- questions --------------------------------------------------------------------------------

    def line(self, ref: LineRef) -> PermitLine | None:
        """The permit line that `ref` names, or None."""
        permit = self.permits.get(ref.permit)
        return next((line for line in permit.lines if line.line == ref.line), None) if permit else None

    def charged(self, ref: LineRef) -> Decimal:
        """What of a line is lent or used: the rest is free to lend."""
        return self.accounts.charged(ref)

    def keeps(self, ref: LineRef, epoch: str) -> bool:
        """Whether an epoch heard what was asked back of a line last, and kept some: it needs it itself."""
        left, asked = self.recalled.get((ref, epoch), ZERO), self._recalled_at.get((ref, epoch))
        heard = self.epochs[epoch].heard if epoch in self.epochs else None
        if left <= ZERO or asked is None or heard is None or heard.epoch not in self.own_epochs:
            return False
        order = self.own_epochs.index
        return (order(heard.epoch), heard.seq) >= (order(asked.epoch), asked.seq)

    def is_closed(self, epoch: str) -> bool:
        """Whether an epoch's account is closed."""
        return epoch in self.accounts.closed

    def roll(self) -> set[str]:
        """The nodes that must be accounted for: all that were let in, met or named, and not retired.

        A retirement that this log does not know, since it was restored, counts for nothing.
        """
        kept = self.roll_kept or {}
        on = {node for node, by in kept.items() if not by or self.retirements.get(node) != by}
        return {*kept, *self.enrolled, *self.roll_named, *self.met} - (set(self.retired) - on)

    def may_lend(self) -> bool:
        """Whether the roll call holds."""
        return next(rollcall.missing(self), None) is None

    def figures(self) -> tuple[Amount, ...]:
        """What was used of each permit line: what a filing at this place says."""
        known = self.accounts
        lines = sorted({*known.lines, *known.admitted})
        return tuple(Amount(line.permit, line.line, known.used(line)) for line in lines)

    def releasable(self, node: str) -> tuple[Place, ...]:
        """Places up to which a node may forget its logs (S5): all backups that may be restored have them."""
        if not self.backups:
            return ()
        kept = [{place.epoch: place for place in backup.heads} for backup in self.backups.values()]
        found = []
        for epoch in self.met.get(node, ()):
            places = [heads.get(epoch) for heads in kept]
            if all(place is not None for place in places):
                found.append(min((place for place in places if place), key=lambda place: place.seq))
        return tuple(found)


def recompute(
    tenant: str,
    zone: str,
    own: Iterable[Stored],
    run: Callable[[str, str, int, int], Iterable[Stored]],
) -> Iterator[tuple[Stored, CenterBook]]:
    """The books as they were known at each place of the center's log (RECORD: books).

    `run(node, epoch, after, upto)` gives stored entries of a node's log. Yields every own entry with the
    book of which it is the last.
    """
    book = CenterBook(tenant, zone, keep_facts=True)
    for stored in own:
        if stored.entry.type == "center-saw":
            saw: CenterSaw = stored.body
            known = book.epochs.get(saw.epoch)
            for entry in run(saw.node, saw.epoch, known.head.seq if known else 0, saw.upto.seq):
                book.fold_node(saw.node, entry)
        book.fold(stored)
        yield stored, book


def adopted_ids(run: Iterable[Stored]) -> set[str]:
    """Ids of the facts inside the `adopt` entries of a run."""
    found = set()
    for stored in run:
        if stored.entry.type == "adopt":
            with contextlib.suppress(EntryError):  # what cannot be read is not folded either
                found.add(read_record(bytes(stored.body.record)).entry_id)
    return found


def _names(book: EpochBook, what: Use | Returned | Grant | None, epoch: str) -> bool:
    """Whether a log may name the account of a line in an epoch, None being no line; if not, it is `unread`.

    It follows from the log alone, so that every fold of it comes to the same.
    """
    if what is None or (account := (what.ref, epoch)) in book.lines:
        return True
    if len(book.lines) >= LINES_MAX:
        book.unread = True
        return False
    book.lines.add(account)
    return True


def _length(load: LoadFacts) -> int:
    texts = (load.key, load.sscc, load.gtin, load.unit, load.owner, load.lot)
    return sum([len(text) for text in texts if text is not None])


def _told(entry: Entry, body: Moving, seq: int) -> Moved | None:
    """What other docks must know of a movement."""
    came = entry.type == "admission"
    if isinstance(body, Correction):
        came = body.movement == "withdrawal"
    load = body.load
    if load.gtin is None or load.owner is None or not load.status or not load.unit:
        return None
    holding = Holding(
        load.key, load.sscc, load.gtin, body.quantity, load.unit, load.owner, load.status, load.lot,
        load.expiry, load.imported,
    )  # fmt: skip
    back = came and isinstance(body, Correction)
    return Moved(came, holding, seq, entry.entry_id, back=back)
