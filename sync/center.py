# SPDX-License-Identifier: Apache-2.0
"""The center's side of the record, pure: what it may store, what it writes into its own log, what
it may lend.

`CenterBook` is a fold of the center's own log and of the node logs it stores. It knows no database:
the owner fetches hashes, commits what `receive` returns, and only then folds it in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

import msgspec

from customs.documents import Conveyance, Holding, LineRef, Permit, PermitLine, Product
from sync import keys
from sync.bodies import (
    UNDO_MAX,
    Begin,
    CenterSaw,
    Close,
    Correction,
    Grant,
    Holdings,
    Moved,
    Movement,
    Use,
    is_count,
    read_body,
)
from sync.chain import Stored, extension
from sync.entry import GENESIS, Entry, Head, Place, read_record
from sync.errors import ChainError, EntryError, SignatureError, SyncError, WireError
from sync.wire import Ask, Part, request_message

HOLDINGS_MOVES_MAX: Final = 200
"""Moves in one `holdings` entry, with owners and lots of full length some 150 KiB: it must fit an answer."""

_ZERO = Decimal(0)

Draft = tuple[str, msgspec.Struct]
"""An entry for the center's own log: its type and its body."""

_Moving = Movement | Correction
_MOVING: Final = ("admission", "withdrawal", "correction")


@dataclass(slots=True)
class EpochBook:
    """What the center knows of one epoch of a node. `unread` is set when an entry of it could not be read
    here: its use is then not known, and nothing but a count may close it. `standing` are, for each door,
    the last uses that can still be undone, by the ids of their movements.
    """

    node: str
    key: str
    head: Place
    parent: Place | None = None
    end: Place | None = None
    closed: bool = False
    claimed: Place | None = None
    unread: bool = False
    standing: dict[str, dict[str, Use]] = field(default_factory=dict)

    def copy(self) -> EpochBook:
        """A book that may grow while this one stays."""
        return replace(self, standing={door: dict(uses) for door, uses in self.standing.items()})

    def debit(self, entry: Entry, body: _Moving) -> tuple[LineRef, Decimal] | None:
        """What the next entry debits of a line.

        A correction gives back what its movement took, in the same epoch and once. Any other one gives
        nothing: the line stays charged until people have looked.
        """
        use = body.use
        if use is None:
            return None
        standing = self.standing.setdefault(entry.door or "", {})
        if isinstance(body, Correction):
            if standing.get(body.corrects) != use:
                return None
            del standing[body.corrects]
            return use.ref, -use.quantity
        standing[entry.entry_id] = use
        if len(standing) > UNDO_MAX:
            del standing[next(iter(standing))]
        return use.ref, use.quantity

    def is_news(self, head: Head) -> bool:
        """Whether a signed head claims more than those before it."""
        return self.claimed is None or self.claimed.seq < head.seq


@dataclass(slots=True)
class Account:
    """What one epoch was lent of a line, and what of it is used."""

    granted: Decimal = _ZERO
    used: Decimal = _ZERO

    def charged(self, closed: bool) -> Decimal:
        """What the line is charged for this epoch: its use once closed, else the larger of both."""
        return self.used if closed else max(self.granted, self.used)


@dataclass(slots=True)
class Overlay:
    """Accounts, closings, epochs and signed heads that are news, as they are once a batch is committed."""

    used: dict[tuple[LineRef, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    closed: set[str] = field(default_factory=set)
    epochs: dict[str, EpochBook] = field(default_factory=dict)
    heads: list[Head] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Received:
    """What an ask leads to: entries to `store`, the answer's `have` and `refused`, and in `overlay` what
    counts once it is committed and taken in (`decide`, then `take`, and `fold` for the drafts).
    """

    ask: Ask
    store: list[Stored]
    have: tuple[Place, ...]
    refused: dict[str, str]
    overlay: Overlay


def concerns(entry_type: str, body: Any, node: str, epoch: str) -> bool:
    """Whether an entry of the center's log goes down to an epoch of a node."""
    if entry_type in ("product", "permit", "conveyance"):
        return True
    if entry_type == "grant":
        return bool(body.node == node)
    if entry_type == "holdings":
        return bool(body.origin != epoch)
    return False


class SecondWriter(ChainError):
    """A head was signed that is not in the offered chain: two machines write one epoch. `shown` is that
    head; the answer's `have` shows it, so that rule E makes the writer begin anew.
    """

    def __init__(self, sentence: str, shown: Place) -> None:
        super().__init__(sentence)
        self.shown = shown


class CenterBook:
    """The center's state for one tenant and zone."""

    def __init__(self, tenant: str, zone: str) -> None:
        self.tenant = tenant
        self.zone = zone
        self.head: Place | None = None
        self.epochs: dict[str, EpochBook] = {}
        self.closed: set[str] = set()
        self.keys: dict[str, set[str]] = defaultdict(set)
        self.products: dict[str, Product] = {}
        self.permits: dict[str, Permit] = {}
        self.conveyances: dict[str, Conveyance] = {}
        self.accounts: dict[LineRef, dict[str, Account]] = defaultdict(dict)
        self._own: dict[str, Callable[[Any], None]] = {
            "product": self._fold_product,
            "permit": self._fold_permit,
            "conveyance": self._fold_conveyance,
            "grant": self._fold_grant,
            "close": self._fold_close,
        }

    # -- the fold ---------------------------------------------------------------------------------

    def fold(self, stored: Stored) -> None:
        """Take in the next entry of the center's own log."""
        self.head = stored.place
        fold = self._own.get(stored.entry.type)
        if fold is not None:
            fold(stored.body)

    def fold_node(self, node: str, stored: Stored) -> None:
        """Take in the next stored entry of a node's log."""
        epoch = stored.entry.epoch
        if stored.entry.seq == 1:
            self.epochs[epoch] = self._begun(node, stored)
            self.keys[node].add(self.epochs[epoch].key)
            return
        book = self.epochs[epoch]
        book.head = stored.place
        body = _moved(stored, book)
        if body is not None and (debit := book.debit(stored.entry, body)) is not None:
            line, quantity = debit
            self._spend(line, epoch, quantity)

    def take(self, received: Received) -> None:
        """Take in at once what `receive` found in an ask, now that it is stored."""
        for epoch, book in received.overlay.epochs.items():
            self.epochs[epoch] = book
            self.keys[book.node].add(book.key)
        for (line, epoch), quantity in received.overlay.used.items():
            self._spend(line, epoch, quantity)
        for head in received.overlay.heads:
            self.claim(head)

    def claim(self, head: Head) -> None:
        """Remember a node's signed head: its chain must come to it."""
        book = self.epochs.get(head.epoch)
        if book is not None and book.is_news(head):
            book.claimed = head.place

    def _begun(self, node: str, first: Stored) -> EpochBook:
        begin: Begin = first.body
        closed = first.entry.epoch in self.closed
        return EpochBook(node, begin.key, first.place, begin.parent, begin.end, closed)

    def _spend(self, line: LineRef, epoch: str, quantity: Decimal) -> None:
        self.accounts[line].setdefault(epoch, Account()).used += quantity

    def _fold_product(self, product: Product) -> None:
        self.products[product.gtin] = product

    def _fold_permit(self, permit: Permit) -> None:
        self.permits[permit.number] = permit

    def _fold_conveyance(self, conveyance: Conveyance) -> None:
        self.conveyances[conveyance.job] = conveyance

    def _fold_grant(self, grant: Grant) -> None:
        self.accounts[grant.ref].setdefault(grant.epoch, Account()).granted += grant.quantity

    def _fold_close(self, close: Close) -> None:
        self.closed.add(close.epoch)
        if close.epoch in self.epochs:  # at a start the own log is folded before the nodes' logs
            self.epochs[close.epoch].closed = True

    # -- questions --------------------------------------------------------------------------------

    def line(self, ref: LineRef) -> PermitLine | None:
        """The permit line that `ref` names, or None."""
        permit = self.permits.get(ref.permit)
        return next((line for line in permit.lines if line.line == ref.line), None) if permit else None

    def charged(self, ref: LineRef) -> Decimal:
        """What of a line is lent or used: the rest is free to lend."""
        return self._charged(ref, Overlay())

    def needs(self, ask: Ask) -> list[tuple[str, int, int]]:
        """The stored hashes (epoch, first seq, last seq) that `receive` must be given for this ask."""
        ranges = []
        for part in ask.parts:
            book = self.epochs.get(part.epoch)
            if book is not None and part.after < book.head.seq:
                last = min(book.head.seq, part.after + len(part.entries))
                ranges.append((part.epoch, max(part.after, 1), max(last, 1)))
            if book is not None and part.head is not None and part.head.seq <= book.head.seq:
                ranges.append((part.epoch, part.head.seq, part.head.seq))
        return ranges

    # -- the exchange -----------------------------------------------------------------------------

    def receive(
        self,
        ask: Ask,
        body: bytes,
        signature: str,
        hashes: Mapping[tuple[str, int], str],
        *,
        code_valid: bool,
    ) -> Received:
        """Judge an ask (rules S1, S3). Raises WireError or SignatureError when the whole of it is
        refused; a part that cannot be stored is named in `refused` and stores nothing.
        """
        if (ask.tenant, ask.zone) != (self.tenant, self.zone):
            raise WireError(
                f"this center keeps zone {self.tenant}/{self.zone}, the node says {ask.tenant}/{ask.zone}; "
                "correct [node] tenant and zone in its zonegate.toml"
            )
        self._check_sender(ask, body, signature, code_valid)
        overlay = Overlay()
        store: list[Stored] = []
        refused: dict[str, str] = {}
        shown: dict[str, Place] = {}
        for part in ask.parts:
            try:
                store += self._extend(ask.node, part, hashes, overlay)
            except SyncError as error:
                refused[part.epoch] = str(error)
                if isinstance(error, SecondWriter):
                    shown[part.epoch] = error.shown
        have = tuple(shown.get(part.epoch) or self._have(part.epoch, overlay) for part in ask.parts)
        return Received(ask, store, have, refused, overlay)

    def decide(self, received: Received) -> list[Draft]:
        """What the own log says of an ask. It reads the entries' bodies, on which storing does not depend."""
        overlay = received.overlay
        moves: dict[str, list[Moved]] = defaultdict(list)
        for stored in received.store:
            epoch = stored.entry.epoch
            book = overlay.epochs[epoch]
            body = _moved(stored, book)
            if body is None:
                continue
            if (debit := book.debit(stored.entry, body)) is not None:
                line, quantity = debit
                overlay.used[line, epoch] += quantity
            if (moved := _told(stored, body)) is not None:
                moves[epoch].append(moved)
        return self._drafts(received, moves)

    def _check_sender(self, ask: Ask, body: bytes, signature: str, code_valid: bool) -> None:
        known = self.epochs.get(ask.epoch)
        if known is not None and known.node != ask.node:
            raise SignatureError(f"epoch {ask.epoch} is of node {known.node}, not of {ask.node}")
        key = known.key if known is not None else self._key_in(ask)
        keys.check(key, request_message(body), signature)
        if key not in self.keys.get(ask.node, ()) and not code_valid:
            raise SignatureError(
                f"node {ask.node} is not enrolled with this key; run `zonegate central enrol {ask.node}` at "
                "the center and put the code it prints into the node's [center] code"
            )

    def _key_in(self, ask: Ask) -> str:
        for part in ask.parts:
            if part.epoch == ask.epoch and part.after == 0 and part.entries:
                begin = read_body(read_record(bytes(part.entries[0])))
                if isinstance(begin, Begin):
                    return begin.key
        raise WireError(f"epoch {ask.epoch} is not known here; send it from its first entry")

    def _extend(
        self, node: str, part: Part, hashes: Mapping[tuple[str, int], str], overlay: Overlay
    ) -> list[Stored]:
        book = self.epochs.get(part.epoch)
        if book is not None and book.node != node:
            raise ChainError(f"epoch {part.epoch} is of node {book.node}, not of {node}")
        head = book.head if book else None

        def hash_at(seq: int) -> str | None:
            if head is not None and seq == head.seq:
                return head.hash
            return hashes.get((part.epoch, seq))

        new = extension(
            part.epoch, head, hash_at, part.after, part.prev, [bytes(entry) for entry in part.entries]
        )
        if book is None and new:
            self._check_begin(node, new[0])
        epochs = dict(overlay.epochs)
        if book is not None:
            epochs[part.epoch] = book.copy()
        if book is None and new:
            epochs[part.epoch] = self._begun(node, new[0])
        if new:
            epochs[part.epoch].head = new[-1].place
        if part.epoch in epochs:
            self._check_head(part, epochs[part.epoch], hash_at, new)
            if part.head is not None and epochs[part.epoch].is_news(part.head):
                overlay.heads.append(part.head)
        overlay.epochs = epochs
        return new

    def _check_begin(self, node: str, first: Stored) -> None:
        begin = first.body
        if not isinstance(begin, Begin):
            raise ChainError(
                f"epoch {first.entry.epoch} does not start with begin, but with {first.entry.type}"
            )
        if (begin.tenant, begin.zone, begin.node) != (self.tenant, self.zone, node):
            raise ChainError(
                f"epoch {first.entry.epoch} was begun by {begin.tenant}/{begin.zone}/{begin.node}, "
                f"it came from {self.tenant}/{self.zone}/{node}"
            )

    def _check_head(
        self, part: Part, book: EpochBook, hash_at: Callable[[int], str | None], new: list[Stored]
    ) -> None:
        """The signed head must hold, and be in the chain as far as it is stored."""
        if part.head is None:
            return
        keys.check_head(book.key, part.head)
        if part.head.epoch != part.epoch:
            raise ChainError(f"the head is of epoch {part.head.epoch}, the run of {part.epoch}")
        claimed = book.claimed
        if claimed is not None and claimed != part.head.place and claimed.seq == part.head.seq:
            raise SecondWriter(
                f"two signed heads name different entries {claimed.seq} of {part.epoch}", claimed
            )
        known = {stored.entry.seq: stored.hash for stored in new}
        for claim in (part.head.place, claimed):
            if claim is None or claim.seq > book.head.seq:
                continue
            at = known.get(claim.seq) or hash_at(claim.seq)
            if at is not None and at != claim.hash:
                sentence = f"a signed head names another entry {claim.seq} of {part.epoch} than the chain"
                raise SecondWriter(sentence, claim) if claim is claimed else ChainError(sentence)

    def _have(self, epoch: str, overlay: Overlay) -> Place:
        book = overlay.epochs.get(epoch) or self.epochs.get(epoch)
        return book.head if book else Place(epoch, 0, GENESIS)

    # -- what the center decides ------------------------------------------------------------------

    def _drafts(self, received: Received, moves: Mapping[str, list[Moved]]) -> list[Draft]:
        ask, overlay = received.ask, received.overlay
        last = {stored.entry.epoch: stored for stored in received.store}
        drafts: list[Draft] = [
            ("center-saw", CenterSaw(ask.node, epoch, stored.place)) for epoch, stored in last.items()
        ]
        for epoch in last:
            told = moves.get(epoch, [])
            drafts += [
                ("holdings", Holdings(epoch, tuple(told[at : at + HOLDINGS_MOVES_MAX])))
                for at in range(0, len(told), HOLDINGS_MOVES_MAX)
            ]
        drafts += self._closings(overlay)
        drafts += self._grants(ask, overlay)
        return drafts

    def _closings(self, overlay: Overlay) -> Iterable[Draft]:
        """An epoch whose child named its end, once exactly that head is stored."""
        epochs = self.epochs | overlay.epochs
        for child in list(epochs.values()):
            if child.end is None:
                continue
            parent = epochs.get(child.end.epoch)
            if parent is None or parent.node != child.node:
                continue  # nobody closes another node's account
            if not parent.closed and not parent.unread and parent.head == child.end:
                overlay.closed.add(child.end.epoch)
                yield ("close", Close(child.node, child.end.epoch))

    def _grants(self, ask: Ask, overlay: Overlay) -> Iterable[Draft]:
        """Lend the free rest of each line that a conveyance at this node's doors names.

        A line belongs to the node that was lent it first.
        """
        epoch = overlay.epochs.get(ask.epoch) or self.epochs.get(ask.epoch)
        if epoch is None or epoch.closed:
            return
        asked: set[LineRef] = set()
        for conveyance in self.conveyances.values():
            if conveyance.door in ask.doors:
                asked.update(conveyance.permit_lines)
        for ref in sorted(asked):
            line = self.line(ref)
            if line is None or self._owner(ref) not in (None, ask.node):
                continue
            free = line.quantity - self._charged(ref, overlay)
            if free > 0:
                yield ("grant", Grant(ref.permit, ref.line, ask.node, ask.epoch, free))

    def _owner(self, ref: LineRef) -> str | None:
        return next(
            (self.epochs[epoch].node for epoch in self.accounts.get(ref, {}) if epoch in self.epochs), None
        )

    def _charged(self, ref: LineRef, overlay: Overlay) -> Decimal:
        total = _ZERO
        accounts = self.accounts.get(ref, {})
        epochs = set(accounts) | {epoch for line, epoch in overlay.used if line == ref}
        for epoch in epochs:
            account = accounts.get(epoch, Account())
            used = account.used + overlay.used.get((ref, epoch), _ZERO)
            book = self.epochs.get(epoch)
            closed = epoch in overlay.closed or (book is not None and book.closed)
            total += Account(account.granted, used).charged(closed)
        return total


def _moved(stored: Stored, book: EpochBook) -> _Moving | None:
    """The body of an entry that moves goods. One that cannot be read here, or counts no goods, is stored
    like any other and blocks nothing: it is noted in its epoch's `book`.
    """
    if stored.entry.type not in _MOVING:
        return None
    try:
        body: _Moving = stored.body
    except EntryError:
        book.unread = True
        return None
    if not (is_count(body.quantity) and (body.use is None or is_count(body.use.quantity))):
        book.unread = True
        return None
    return body


def _told(stored: Stored, body: _Moving) -> Moved | None:
    """What other docks must know of a movement."""
    came = stored.entry.type == "admission"
    if isinstance(body, Correction):
        came = body.movement == "withdrawal"
    load = body.load
    if load.gtin is None or load.owner is None or not load.status or not load.unit:
        return None
    holding = Holding(
        load.key, load.sscc, load.gtin, body.quantity, load.unit, load.owner, load.status, load.lot
    )
    return Moved(came, holding, stored.entry.seq)
