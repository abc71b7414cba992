# SPDX-License-Identifier: Apache-2.0
"""The roll call: may a center that was restored lend again? (RECORD: accounts at the center)

After a Begin of the center, every node on the roll must be accounted for under it, or grants that it has
forgotten could be given a second time. Pure: asks the center's book, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sync.accounts import gap_name

if TYPE_CHECKING:
    from sync.center import CenterBook, EpochBook


@dataclass(frozen=True, slots=True)
class Missing:
    """What keeps a node from being accounted for.

    `kind` is "roll" (nobody knows which nodes there are; `node` is empty), "silent" (no epoch of it has
    taken in this center epoch), "open" (`epoch` may have gone on unseen) or "gap" (before the Begin of
    `epoch` something may be missing).
    """

    node: str
    kind: str
    epoch: str = ""


def missing(book: CenterBook) -> Iterator[Missing]:
    """All that is missing for the roll call to hold; nothing before the center's first restore."""
    if len(book.own_epochs) < 2:
        return
    current = book.own_epochs[-1]
    if is_lost(book):
        yield Missing("", "roll")
    for node in sorted(book.roll()):
        if book.retired.get(node) != current:
            yield from _of_node(book, node, current)


def is_lost(book: CenterBook) -> bool:
    """Whether nobody knows which nodes there are: a node that is let in now may have been before."""
    restored = len(book.own_epochs) > 1
    return restored and book.roll_kept is None and book.roll_attested != book.own_epochs[-1]


def gaps(book: CenterBook, node: str) -> Iterator[str]:
    """Epochs of a node before whose Begin something may be missing that no count speaks for."""
    for at, epoch in enumerate(book.met.get(node, ())):
        known = book.epochs.get(epoch)
        if known is None or known.end is not None or book.accounts.counted(gap_name(epoch)):
            continue
        # The first epoch of a node that was enrolled and met by one unbroken memory follows nothing.
        met = book.met_at[epoch]
        unbroken = met.epoch == book.enrolled.get(node) and not book.testimony.doubts(met)
        if at == 0 and known.parent is None and unbroken:
            continue
        yield epoch


def _of_node(book: CenterBook, node: str, current: str) -> Iterator[Missing]:
    epochs = {epoch: known for epoch, known in book.epochs.items() if known.node == node}
    if not any(current in known.saws for known in epochs.values()):
        yield Missing(node, "silent")
    for known in epochs.values():
        # A log that its child names, and that this center has never seen or has forgotten.
        if known.end is not None and known.end.epoch not in epochs and not book.is_closed(known.end.epoch):
            yield Missing(node, "open", known.end.epoch)
    for epoch, known in epochs.items():
        if not (current in known.saws or epoch in book.accounts.closed or _stored_to_its_end(epochs, known)):
            yield Missing(node, "open", epoch)
    for epoch in gaps(book, node):
        yield Missing(node, "gap", epoch)


def _stored_to_its_end(epochs: dict[str, EpochBook], known: EpochBook) -> bool:
    return any(child.end == known.head for child in epochs.values())
