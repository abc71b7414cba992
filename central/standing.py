# SPDX-License-Identifier: Apache-2.0
"""How one node stands: its logs, what they hold of permits, what is missing. Pure, for pages and programs."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Final

import msgspec

from customs.documents import LineRef
from sync import rollcall
from sync.accounts import gap_name
from sync.center import CenterBook
from sync.entry import Place

COUNTED_LINES_MAX: Final = 200
"""Permit lines that one count is asked for; a person counts no more at once, and a node that lies has no end
of them.
"""


class Lease(msgspec.Struct, frozen=True):
    """What one log was lent of a permit line, used and gave back; `idle` is lent and not known to be used."""

    permit: str
    line: str
    granted: Decimal
    used: Decimal
    returned: Decimal
    idle: Decimal


class Log(msgspec.Struct, frozen=True):
    """One log of a node, oldest first.

    `signed` is the seq of its latest signed head: what is beyond `head` is still at the node. `parent` is
    the head it says it goes on from, `end` the same where it could prove it. `closed` is "", "end" (its
    proven end is stored) or "count". `gap` tells that something may be missing before it, `current` that
    the node writes it now, as far as is known.
    """

    epoch: str
    head: Place
    signed: int
    closed: str
    gap: bool
    current: bool
    key: str
    leases: tuple[Lease, ...]
    parent: Place | None = None
    end: Place | None = None


class Standing(msgspec.Struct, frozen=True):
    """A node as the center knows it. `state` is "enrolled", "met" or "retired"; `attestation` and `warning`
    are what a person repeats and reads before writing one of its logs off.
    """

    node: str
    state: str
    doors: tuple[str, ...]
    logs: tuple[Log, ...]
    keys: tuple[str, ...]
    revoked: tuple[str, ...]
    attestation: str
    warning: str


def standing(book: CenterBook, node: str, attestation: str, warning: str) -> Standing | None:
    """A node's standing; None when no such node was ever enrolled, met or named."""
    if node not in book.roll() | set(book.enrolled) | set(book.retired):
        return None
    met = book.met.get(node, [])
    mine = [epoch for epoch in met if epoch in book.epochs]
    mine += [epoch for epoch, known in book.epochs.items() if known.node == node and epoch not in mine]
    gaps = set(rollcall.gaps(book, node))
    keys = book.keys.get(node, set())
    state = "retired" if node in book.retired else "met" if mine else "enrolled"
    return Standing(
        node,
        state,
        book.doors.get(node, ()),
        tuple(_log(book, epoch, epoch in gaps, epoch == mine[-1]) for epoch in mine),
        tuple(sorted(keys - book.revoked.keys())),
        tuple(sorted(keys & book.revoked.keys())),
        attestation,
        warning,
    )


def to_count(book: CenterBook, node: str, epochs: Collection[str], gaps: Collection[str]) -> list[LineRef]:
    """The permit lines that a count of some logs and gaps of a node must name, with 0 where nothing left.

    Those that these logs and the ones still open were lent or have used, and those of earlier counts, whose
    place this one takes: what it does not name would be free again unseen.
    """
    mine = {epoch for epoch, known in book.epochs.items() if known.node == node}
    logs = {epoch for epoch in mine if epoch in epochs or not book.is_closed(epoch)}
    names = {*epochs, *map(gap_name, gaps)}
    lines = {ref for ref, accounts in book.accounts.lines.items() if accounts.keys() & logs}
    for earlier in book.accounts.counts:
        if earlier.names & names:
            lines.update(earlier.amounts)
    known_first = sorted(lines, key=lambda ref: (book.line(ref) is None, ref))
    return sorted(known_first[:COUNTED_LINES_MAX])


def _log(book: CenterBook, epoch: str, gap: bool, current: bool) -> Log:
    known = book.epochs[epoch]
    closed = ""
    if book.is_closed(epoch):
        closed = "count" if book.accounts.counted(epoch) else "end"
    leases = tuple(
        Lease(ref.permit, ref.line, own.granted, own.used, own.returned, own.idle)
        for ref, accounts in sorted(book.accounts.lines.items())
        if (own := accounts.get(epoch)) is not None
    )
    return Log(
        epoch, known.head, known.signed, closed, gap, current, known.key, leases, known.parent, known.end
    )
