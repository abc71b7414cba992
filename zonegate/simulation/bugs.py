# SPDX-License-Identifier: Apache-2.0
"""Planted bugs: each breaks one promise of the record, in the class or function that keeps it.

A bug is there while `planted` holds it; production code has no switch for any of them. Where writing itself
is at fault, it is the writing of the simulated machine, which has its own media.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import msgspec

from edge import adjudicate, leases
from edge import books as edge_books
from sync import center, chain, decisions, node, reception, restraints, rollcall, witness
from sync.accounts import Count
from sync.bodies import Begin, Close, Returned, read_body
from sync.chain import BeginAnew, GoOn, chain_of, rule_e
from sync.entry import Place, read_record
from sync.errors import EntryError
from zonegate.simulation import invariants, machine, office

Patch = tuple[object, str, Any]
"""Whose attribute is replaced, which one, and by what."""


# -- writing --------------------------------------------------------------------------------------------


def _told_first(self: machine.Machine, *, orig: Any = machine.Machine.commit) -> None:
    if self.queued:
        self._tell(self.queued)
    orig(self)


def _told_already(self: machine.Machine) -> None:
    self.anchored = []


def _tell_then_anchor(self: machine.Machine) -> None:
    batch, self.committed = self.committed, []
    if batch:
        self._tell(batch)
        self.fuse.step()
        self.medium.anchor = batch[-1].place


# -- rule E -----------------------------------------------------------------------------------------------


def _no_anchor_check(head: Any, anchor: Any, shown: Any, hash_at: Any, *rest: Any) -> Any:
    return rule_e(head, head or anchor, shown, hash_at, *rest)


def _no_head_check(head: Any, anchor: Any, _: Any, hash_at: Any, *rest: Any) -> Any:
    return rule_e(head, anchor, (), hash_at, *rest)


def _goes_on(head: Any, anchor: Any, shown: Any, hash_at: Any, *rest: Any) -> GoOn | BeginAnew:
    return GoOn(head) if head is not None else rule_e(head, anchor, shown, hash_at, *rest)


# -- the node ---------------------------------------------------------------------------------------------


def _inherits(self: edge_books.NodeBooks, body: Begin) -> None:
    self.state.tenant, self.state.zone, self.state.node = body.tenant, body.zone, body.node
    self.state.done.clear()


def _takes_again(
    self: node.NodeSync, answer: Any, reader: Any, _: Any, *, orig: Any = node.NodeSync.take
) -> Any:
    return orig(self, answer, reader, lambda _: False)


def _folds_again(
    self: edge_books.NodeBooks, fact: Any, saw: Any, *, orig: Any = edge_books.NodeBooks._saw
) -> None:
    self.state.center_ids.clear()
    orig(self, fact, saw)


def _adopts_again(reader: Any, epoch: str, after: int, _: Any, *, orig: Any = node.adoptions) -> Any:
    return orig(reader, epoch, after, frozenset())


def _returns_used(books: Any, doors: Any, have: int, *, orig: Any = leases.returns) -> Any:
    for returned in orig(books, doors, have):
        used = books.account(returned.ref).used
        yield msgspec.structs.replace(returned, quantity=returned.quantity + max(used, 0))


def _keeps_hints(
    self: node.NodeSync, answer: Any, reader: Any, known: Any, *, orig: Any = node.NodeSync.take
) -> Any:
    cursor = self._cursor
    if cursor is not None and answer.center_epoch != cursor.epoch:
        self._cursor = None
    taken = orig(self, answer, reader, known)
    self._cursor = self._cursor or cursor
    return taken


def _holds_no_end(
    self: center.CenterBook, name: str, stored: Any, *, orig: Any = center.CenterBook._fold_first
) -> None:
    orig(self, name, stored)
    self.ends.clear()


def _no_close(
    self: edge_books.NodeBooks, seq: int, body: Any, *, orig: Any = edge_books.NodeBooks._lease
) -> None:
    if not isinstance(body, Close):
        orig(self, seq, body)


# -- the center -------------------------------------------------------------------------------------------


def _counts_adopted_again(
    self: center.CenterBook,
    book: Any,
    adopting: Any,
    entry: Any,
    *,
    orig: Any = center.CenterBook._adopt,
) -> Any:
    self.adopted.discard(entry.entry_id)
    self.plain.discard(entry.entry_id)
    return orig(self, book, adopting, entry)


def _counts_adopted_return(
    self: center.CenterBook,
    book: Any,
    adopting: Any,
    entry: Any,
    *,
    orig: Any = center.CenterBook._adopt,
) -> Any:
    body = read_body(entry)
    if isinstance(body, Returned) and entry.entry_id not in self.adopted:
        self._give_back(book, entry, body)
    return orig(self, book, adopting, entry)


def _known_roll(self: center.CenterBook) -> set[str]:
    return {known.node for known in self.epochs.values()} - set(self.retired)


def _closed_uncounted(*args: Any, orig: Any = decisions.write_off, **kwargs: Any) -> Any:
    return [
        (kind, msgspec.structs.replace(body, counted=None) if isinstance(body, Close) else body)
        for kind, body in orig(*args, **kwargs)
    ]


def _closes_on_begin(book: center.CenterBook) -> Iterator[Close]:
    for child in list(book.epochs.values()):
        parent = child.parent
        if parent is not None and parent.epoch in book.epochs and not book.is_closed(parent.epoch):
            yield Close(child.node, (parent.epoch,))


def _ingests_twice(
    book: center.CenterBook, received: reception.Received, *, orig: Any = decisions.decide
) -> Any:
    for part in received.ask.parts:
        known = book.epochs.get(part.epoch)
        for raw in part.entries:
            entry = read_record(bytes(raw))
            if known is not None and 1 < entry.seq <= known.head.seq and entry.type in center.ACCOUNTING:
                try:
                    book._fold_accounting(known, entry, read_body(entry))
                except EntryError:
                    continue
    return orig(book, received)


def _swallows_forks(*args: Any, orig: Any = reception.receive, **kwargs: Any) -> Any:
    received = orig(*args, **kwargs)
    received.forks.clear()
    return received


def _swallows_gaps(
    epoch: str,
    stored: Place | None,
    hash_at: Any,
    after: int,
    prev: str,
    records: Any,
    *,
    orig: Any = chain.extension,
) -> Any:
    if stored is not None and after > stored.seq:
        return chain_of(epoch, after, prev, records)
    return orig(epoch, stored, hash_at, after, prev, records)


def _skips_ahead(
    self: node.NodeSync, answer: Any, reader: Any, known: Any, *, orig: Any = node.NodeSync.take
) -> Any:
    """What was sent is taken as stored, whatever the answer says."""
    sent = dict(self._sent)
    taken = orig(self, answer, reader, known)
    if taken is not None:
        self.have.update(sent)
    return taken


def _filed_live(*args: Any, orig: Any = center.recompute) -> Any:
    tenant, zone, own, run = args
    return orig(tenant, zone, own, lambda name, epoch, after, _: run(name, epoch, after, 2**62))


def _releases_stored(self: center.CenterBook, name: str) -> tuple[Place, ...]:
    return tuple(self.epochs[epoch].head for epoch in self.met.get(name, ()) if epoch in self.epochs)


def _pools_counts(
    self: center.CenterBook, stored: Any, close: Close, *, orig: Any = center.CenterBook._fold_close
) -> None:
    orig(self, stored, close)
    if close.counted is not None:
        last = self.accounts.counts.pop()
        pooled = {epoch for epoch, known in self.epochs.items() if known.node == close.node}
        self.accounts.counts.append(Count(last.names | pooled, last.amounts))


def _believes_any_key(
    book: center.CenterBook, ask: Any, *rest: Any, orig: Any = reception.check_sender
) -> Any:
    if ask.epoch not in book.epochs and ask.parts and ask.parts[0].entries:
        begin = read_body(read_record(bytes(ask.parts[0].entries[0])))
        if isinstance(begin, Begin) and begin.parent is not None and begin.parent.epoch in book.epochs:
            book.keys[ask.node].add(begin.key)
    return orig(book, ask, *rest)


def _recall_frees(
    self: center.CenterBook, stored: Any, recall: Any, *, orig: Any = center.CenterBook._fold_recall
) -> None:
    orig(self, stored, recall)
    self.accounts.of(recall.ref, recall.epoch).returned += recall.quantity


def _keeps_cursor(
    self: office.Office, ask: Any, received: Any, *, orig: Any = office.Office._answer
) -> bytes:
    places = [stored.place for stored in self.database.own]
    if ask.cursor is not None and ask.cursor not in places:
        ask = msgspec.structs.replace(ask, cursor=places[min(ask.cursor.seq, len(places)) - 1])
    answer: bytes = orig(self, ask, received)
    return answer


def _reads_all(
    self: center.CenterBook, name: str, stored: Any, *, orig: Any = center.CenterBook.fold_node
) -> Any:
    moved = orig(self, name, stored)
    self.epochs[stored.entry.epoch].unread = False
    return moved


def _last_words(book: center.CenterBook, received: Any, *, orig: Any = witness.witnesses) -> Any:
    last = received.ask.witness
    return (each for each in orig(book, received) if last is not None and each.shown == last.place)


# -- suspensions and holds ----------------------------------------------------------------------------------


def _ends_all(self: restraints.Restraints, body: Any, *, orig: Any = restraints.Restraints.take) -> None:
    """The zone is resumed, whatever had suspended it."""
    orig(self, body)
    if getattr(body, "event", "") == restraints.RESUMED:
        self.suspended.clear()


def _tells_some(entry_type: str, body: Any, name: str, epoch: str) -> bool:
    return center.concerns(entry_type, body, name, epoch) and (entry_type != "zone" or name != "dock-2")


def _nothing(*_: Any, **__: Any) -> Iterator[Any]:
    return iter(())


_BUGS: Mapping[str, tuple[Patch, ...]] = {
    "tell before commit": (
        (machine.Machine, "commit", _told_first),
        (machine.Machine, "tell", _told_already),
    ),
    "anchor after tell": (
        (machine.Machine, "anchor", _tell_then_anchor),
        (machine.Machine, "tell", _told_already),
    ),
    "no anchor check": ((machine, "rule_e", _no_anchor_check),),
    "no head check": ((machine, "rule_e", _no_head_check),),
    "child inherits lease": ((edge_books.NodeBooks, "_begin", _inherits),),
    "no Adopt": ((machine, "adoptions", _nothing),),
    "adopt twice": (
        (machine, "adoptions", _adopts_again),
        (center.CenterBook, "_adopt", _counts_adopted_again),
    ),
    "no roll call": ((rollcall, "missing", _nothing),),
    "roll over known epochs only": ((center.CenterBook, "roll", _known_roll),),
    "gaps ignored": ((rollcall, "gaps", _nothing),),
    "close without count": ((decisions, "write_off", _closed_uncounted),),
    "close on Begin": ((decisions, "_closings", _closes_on_begin),),
    "center keeps its epoch after restore": ((office, "rule_e", _goes_on),),
    "grant taken twice": (
        (node.NodeSync, "take", _takes_again),
        (edge_books.NodeBooks, "_saw", _folds_again),
    ),
    "entries ingested twice": ((decisions, "decide", _ingests_twice),),
    "fork swallowed": ((reception, "receive", _swallows_forks),),
    "gap swallowed": (
        (reception, "extension", _swallows_gaps),
        (node.NodeSync, "take", _skips_ahead),
    ),
    "filing computed live": ((invariants, "recompute", _filed_live),),
    "prune on stored": ((center.CenterBook, "releasable", _releases_stored),),
    "grant used unconfirmed": ((edge_books.Account, "granted", lambda self, _: self.pending),),
    "used quantity given back": ((machine, "returns", _returns_used),),
    "adopted return counted": ((center.CenterBook, "_adopt", _counts_adopted_return),),
    "count pooled per node": ((center.CenterBook, "_fold_close", _pools_counts),),
    "rotated key trusted without its entry": ((reception, "check_sender", _believes_any_key),),
    "what the center has never doubted": (
        (node.NodeSync, "take", _keeps_hints),
        (node.NodeSync, "_asking_after", lambda *_: []),
    ),
    "older logs not asked after": ((node.NodeSync, "_asking_after", lambda *_: []),),
    "proven end not held against a log": ((center.CenterBook, "_fold_first", _holds_no_end),),
    "recall frees at once": ((center.CenterBook, "_fold_recall", _recall_frees),),
    "cursor kept after center restore": ((office.Office, "_answer", _keeps_cursor),),
    "close not read": ((edge_books.NodeBooks, "_lease", _no_close),),
    "center's own head not checked": ((office, "witnesses", _nothing),),
    "what logs tell of the center's own not read": (
        (office, "witnesses", _last_words),
        (witness.Witness, "heard", lambda *_: []),
    ),
    "first meetings believed of a center that was rolled back": (
        (witness.Testimony, "doubts", lambda *_: False),
    ),
    "one witness of a center that was rolled back is enough": (
        (witness.Testimony, "take", lambda self, body: self.told.setdefault(body.since.epoch, {"": body})),
    ),
    "a node let in while the roll is lost taken for new": ((rollcall, "is_lost", lambda _: False),),
    "suspension forgotten with the center's log": ((restraints.Remembered, "take", lambda *_, **__: None),),
    "one end ends all": ((restraints.Restraints, "take", _ends_all),),
    "suspension told to some docks only": ((office, "concerns", _tells_some),),
    "doors go on in a suspended zone": ((adjudicate, "suspended", lambda *_: None),),
    "closed although unread": ((center.CenterBook, "fold_node", _reads_all),),
}


@contextmanager
def _planted(patches: tuple[Patch, ...]) -> Iterator[None]:
    with ExitStack() as stack:
        for owner, name, by in patches:
            stack.enter_context(patch.object(owner, name, by))
        yield


BUGS: tuple[str, ...] = tuple(_BUGS)
"""The names of all bugs that can be planted."""


@contextmanager
def planted(name: str) -> Iterator[None]:
    """The bug is there while this holds."""
    with _planted(_BUGS[name]):
        yield
