# SPDX-License-Identifier: Apache-2.0
"""What the center's own log says: of an ask, and of what people decide. Pure, over the center's book.

A draft is a type and a body; the owner gives it its place, commits, and folds it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from customs.documents import Conveyance, LineRef
from sync import leasing, restraining, rollcall
from sync.accounts import ZERO, Account, gap_name, is_retirement
from sync.bodies import (
    Amount,
    CenterSaw,
    Close,
    Enrolled,
    Filing,
    Grant,
    Holdings,
    Lent,
    Moved,
    Recall,
    Revoked,
    Trusted,
    body_bytes,
)
from sync.center import CenterBook, adopted_ids
from sync.errors import SyncError
from sync.reception import Received

HOLDINGS_MOVES_MAX: Final = 150
"""Moves in one `holdings` entry, with owners and lots of full length some 150 KiB: it must fit an answer."""

HOLDINGS_BYTES_MAX: Final = 160 * 1024
"""Bytes of the moves in one `holdings` entry: a node that lies may name its loads at any length."""

FORKS_MAX: Final = 16
"""Forks of one epoch that are written down: more say nothing new, and a liar has no end of them."""

HERE: Final = "the center"
"""Who lacks what people at the center want of a line; no dock and no epoch has such a name."""

Draft = tuple[str, msgspec.Struct]
"""An entry for the center's own log: its type and its body."""


class Undecidable(SyncError):
    """What a person asked the center to write contradicts its book; the sentence says how."""


def decide(book: CenterBook, received: Received) -> list[Draft]:
    """Take what was received into the book, and say what the own log writes of it.

    Storing does not depend on it: an entry whose body cannot be read here is stored like any other.
    """
    ask = received.ask
    if ids := adopted_ids(received.store):  # one ask may carry a fact as itself and adopted
        book.plain |= ids & {stored.entry.entry_id for stored in received.store}
    moves: dict[str, list[Moved]] = defaultdict(list)
    last = {}
    for stored in received.store:
        last[stored.entry.epoch] = stored.place
        moved = book.fold_node(ask.node, stored)
        if moved is not None:
            moves[stored.entry.epoch].append(moved)
    for head in received.heads:
        book.claim(head)
    book.doors[ask.node] = ask.doors
    drafts: list[Draft] = []
    if received.trusted is not None:
        drafts.append(("trust", Trusted(ask.node, received.trusted)))
    drafts += [("center-saw", CenterSaw(ask.node, epoch, place)) for epoch, place in last.items()]
    for fork in received.forks:
        known = book.forks[fork.epoch]
        same = {(at.stored.seq, at.stored.hash, at.shown.hash) for at in known}
        if len(known) < FORKS_MAX and (fork.stored.seq, fork.stored.hash, fork.shown.hash) not in same:
            drafts.append(("fork", fork))
    drafts += [("under-hold", found) for found in restraining.under_hold(book, received)]
    drafts += book.remembered.again()
    for epoch in last:
        drafts += [("holdings", Holdings(epoch, told)) for told in in_answers(moves[epoch])]
    closings = list(_closings(book))
    drafts += [("close", close) for close in closings]
    for close in closings:
        book.accounts.close(close)  # what it frees may be lent at once; folding it again changes nothing
    drafts += _leases(book, received)
    return drafts


def in_answers(moves: Sequence[Moved]) -> Iterator[tuple[Moved, ...]]:
    """Moves in runs that fit an answer, whatever a node calls its loads."""
    run: list[Moved] = []
    size = 0
    for moved in moves:
        length = len(body_bytes(moved))
        if run and (len(run) == HOLDINGS_MOVES_MAX or size + length > HOLDINGS_BYTES_MAX):
            yield tuple(run)
            run, size = [], 0
        run.append(moved)
        size += length
    if run:
        yield tuple(run)


def _closings(book: CenterBook) -> Iterator[Close]:
    """Epochs whose child named their end, once exactly that head is stored."""
    closing: set[str] = set()
    for child in book.epochs.values():
        if child.end is None:
            continue
        epoch = child.end.epoch
        parent = book.epochs.get(epoch)
        if parent is None or parent.node != child.node or parent.unread:
            continue  # nobody closes another node's account
        if not book.is_closed(epoch) and epoch not in closing and parent.head == child.end:
            closing.add(epoch)
            yield Close(child.node, (epoch,))


# -- leases -------------------------------------------------------------------------------------------


def _leases(book: CenterBook, received: Received) -> Iterator[Draft]:
    """What the asking epoch is lent, what is asked back for it, and who holds the rest."""
    ask = received.ask
    epoch = book.epochs.get(ask.epoch)
    if epoch is None or book.is_closed(ask.epoch) or ask.node in book.retired or not book.may_lend():
        return
    doors = book.doors[ask.node]
    own = {ref for truck in book.expected.values() if truck.door in doors for ref in truck.permit_lines}
    short: dict[LineRef, Decimal] = {}
    for want in ask.wants:
        ref = LineRef(want.permit, want.line)
        if book.line(ref) is not None:  # names that a node makes up are not kept
            short[ref] = max(want.quantity, short.get(ref, ZERO))
    for ref in book.short.keys() - short:
        book.short[ref].pop(ask.epoch, None)
    for ref, quantity in short.items():
        book.short[ref][ask.epoch] = quantity  # whoever lacked first stands first, also when it lacks less
    asked = own | set(short)
    planned = _planned(book, asked)
    for ref in sorted(asked):
        yield from _lease(book, ask.node, ask.epoch, ref, planned[ref], short.get(ref, ZERO))


def _planned(book: CenterBook, lines: Collection[LineRef]) -> dict[LineRef, dict[str, Decimal]]:
    """By line, the nodes whose doors have trucks for it, with what the notices name of trucks not yet open:
    of an open truck its node says itself what it lacks.
    """
    planned: dict[LineRef, dict[str, Decimal]] = {ref: {} for ref in lines}
    for truck in book.expected.values():
        for ref in planned.keys() & set(truck.permit_lines):
            to_come = ZERO if truck.job in book.jobs_open else _noticed(book, truck, ref)
            for node, doors in book.doors.items():
                if truck.door in doors and node not in book.retired:
                    planned[ref][node] = planned[ref].get(node, ZERO) + to_come
    return planned


def _noticed(book: CenterBook, truck: Conveyance, ref: LineRef) -> Decimal:
    line = book.line(ref)
    asked = (line.product, line.status) if line else None
    return sum((load.quantity for load in truck.loads if (load.gtin, load.status) == asked), ZERO)


def _lease(
    book: CenterBook, node: str, epoch: str, ref: LineRef, planned: Mapping[str, Decimal], short: Decimal
) -> Iterator[Draft]:
    line = book.line(ref)
    if line is None:
        return
    account = book.accounts.lines.get(ref, {}).get(epoch)
    asker = leasing.Holder(node, epoch, account.idle if account else ZERO, account.used if account else ZERO)
    others = [
        leasing.Holder(book.epochs[name].node, name, held.idle, held.used, book.keeps(ref, name))
        for name, held in _accounts(book, ref)
        if name != epoch and name in book.epochs
    ]
    lacking = {
        name: lacks
        for name, lacks in book.short.get(ref, {}).items()
        if name in book.epochs and not book.is_closed(name)
    }
    if ref in book.accounts.wanted_here:  # people at the center wait for it: before any dock that comes now
        others.append(leasing.Holder(HERE, HERE, ZERO, ZERO))
        lacking = {HERE: book.accounts.wanted_here[ref], **lacking}
    if short == ZERO and (ref, epoch) in book.given_up:
        planned = {other: named for other, named in planned.items() if other != node}
    plan = leasing.plan(
        asker,
        others,
        planned,
        free=line.quantity - book.charged(ref),
        lacking=lacking,
        load=_usual_load(book, ref, line.product),
        recalled={each.epoch: book.recalled.get((ref, each.epoch), ZERO) for each in (asker, *others)},
        whole=book.recalled.get((ref, epoch), ZERO) > ZERO
        or (len(planned) > 1 and (ref, epoch) in book.gave_back),
    )
    if plan.grant > ZERO:
        yield "grant", Grant(ref.permit, ref.line, node, epoch, plan.grant)
    for name, quantity in plan.recalls.items():
        yield "recall", Recall(ref.permit, ref.line, book.epochs[name].node, name, quantity)
    unmet = short > plan.grant
    if unmet and book.lent.get(ref) != frozenset(plan.holders):
        yield "lent", Lent(ref.permit, ref.line, dict(plan.holders))


def _accounts(book: CenterBook, ref: LineRef) -> Iterator[tuple[str, Account]]:
    """The open accounts of a line, and empty ones of epochs that only lack something of it."""
    held = dict(book.accounts.open_accounts(ref))
    yield from held.items()
    yield from ((name, Account()) for name in book.short.get(ref, {}) if name not in held)


def _usual_load(book: CenterBook, ref: LineRef, product: str) -> Decimal:
    """What one load of a line usually has, by the notices, else by the product; 0 when nobody says."""
    noticed = [
        load.quantity
        for conveyance in book.expected.values()
        if ref in conveyance.permit_lines
        for load in conveyance.loads
        if load.gtin == product
    ]
    known = book.products.get(product)
    return max(noticed, default=(known.per_pallet if known and known.per_pallet else ZERO))


# -- what people decide ---------------------------------------------------------------------------------


def enrolment(book: CenterBook, node: str, by: str) -> list[Draft]:
    """A code was made for a node: it is on the roll from now on."""
    again = node in book.roll() or rollcall.is_lost(book)
    return [] if node in book.enrolled else [("enrol", Enrolled(node, by, again))]


def write_off(
    book: CenterBook,
    node: str,
    epochs: Sequence[str],
    counted: Sequence[Amount],
    *,
    gaps: Sequence[str] = (),
    by: str,
    note: str,
    retires: bool = False,
) -> list[Draft]:
    """People have counted what some epochs of a node took, and attest that their machine is out of service.

    Raises Undecidable when an epoch or gap is not this node's, or an earlier count speaks for some of them
    together with others that are not named now. The count of a node that `retires` speaks for what the center
    never met of it, or has forgotten, too. An epoch may be one that the center never met, or has
    forgotten, if a child names it as its parent with a proven end. The keys of these epochs are revoked, but
    for one that another open epoch of the node uses too.
    """
    of_node = {epoch: known for epoch, known in book.epochs.items() if known.node == node}
    forgotten = {known.end.epoch for known in of_node.values() if known.end is not None} - set(book.epochs)
    for epoch in (*epochs, *gaps):
        if epoch not in of_node and not (epoch in forgotten and epoch in epochs):
            raise Undecidable(f"epoch {epoch} is not one of node {node}; take it from the node's page")
    names = set(epochs) | {gap_name(epoch) for epoch in gaps}
    if not names and not retires:
        raise Undecidable("a count must name at least one epoch or gap")
    for earlier in book.accounts.counts:
        rest = {name for name in earlier.names - names if not is_retirement(name)}
        if rest and earlier.names & names:
            raise Undecidable(
                f"an earlier count speaks for {', '.join(sorted(rest))} as well; count them together"
            )
    if any(amount.quantity < 0 for amount in counted):
        raise Undecidable("a counted quantity is negative; count what left, 0 if nothing did")
    close = Close(node, tuple(epochs), tuple(counted), tuple(gaps), by, note, retires)
    drafts: list[Draft] = [("close", close)]
    going_on = {
        known.key
        for epoch, known in of_node.items()
        if epoch not in epochs and not book.is_closed(epoch) and not retires
    }
    keys = {of_node[epoch].key for epoch in epochs if epoch in of_node} - going_on
    if retires:
        keys |= book.keys.get(node, set())
    if keys:
        drafts.append(("revoke", Revoked(node, tuple(sorted(keys)), f"written off: {note}"[:200], by)))
    return drafts


def filing(book: CenterBook, number: str, by: str) -> Draft:
    """What was used of permit lines, as known now; to be written before anything else is taken in."""
    return "filing", Filing(number, book.figures(), by)
