# SPDX-License-Identifier: Apache-2.0
"""Whether a witness tells the center of a part of its own log that it does not have: then its whole machine
was put back to an older state, anchor and all, or copied. Pure: who asks looks the own log up.

Only heads that the center's own key signed prove anything, so no node makes a center begin anew at will.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, cast

from sync import keys
from sync.bodies import PutBack, Saw, read_body
from sync.chain import BeginAnew, Stored
from sync.entry import GENESIS, Head, Place, read_record, record_hash
from sync.errors import EntryError, SignatureError

if TYPE_CHECKING:
    from sync.center import CenterBook
    from sync.reception import Received

CENTER: Final = "center"
"""Owner of the center's own log; no node may be called so."""


_HEARD_MAX: Final = 1_000
"""Places that are asked for of one log: many times what came down with one of its entries."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A signed head of the center's own log, `shown`, that the log `of` of a node knows. `run` are entries
    that are about to be stored, of which those of that log were written before it knew of that head.
    """

    shown: Place
    of: str
    run: Sequence[Stored]

    def heard(self, book: CenterBook) -> list[Place]:
        """Places of the center's log that stood before this head, as that log tells, the last one first."""
        return list(islice(self._heard(book), _HEARD_MAX))

    def _heard(self, book: CenterBook) -> Iterator[Place]:
        for stored in reversed(self.run):
            saw = _saw(stored) if stored.entry.epoch == self.of else None
            if saw is not None:
                yield saw.upto
                yield from reversed(list(_carried(saw)))
        known = book.epochs.get(self.of)
        if known is not None and known.heard is not None:
            yield known.heard


class Testimony:
    """What witnesses have told: in which own epochs the center was put back, and from where on."""

    def __init__(self) -> None:
        self.told: dict[str, dict[str, PutBack]] = {}
        """By own epoch, and by the log that tells."""

    def take(self, body: PutBack) -> None:
        """Take in one entry. A log that has told before knows more by now."""
        of_epoch = self.told.setdefault(body.since.epoch, {})
        known = of_epoch.get(body.log)
        if known is None or known.since.seq < body.since.seq:
            of_epoch[body.log] = body

    def doubts(self, met: Place) -> bool:
        """Whether the center may have met before, and forgotten, whom it met here for the first time."""
        told = self.told.get(met.epoch, {}).values()
        return any(body.since.seq < met.seq for body in told)

    def knows(self, shown: str) -> bool:
        """Whether a witness has shown this epoch before."""
        return any(body.shown.epoch == shown for told in self.told.values() for body in told.values())

    def copy(self) -> Testimony:
        """The same, to be changed alone."""
        other = Testimony()
        other.told = {epoch: dict(told) for epoch, told in self.told.items()}
        return other


def witnesses(book: CenterBook, received: Received) -> Iterator[Witness]:
    """Heads of the own log that prove something if they are not in it: those of the current epoch, of one in
    which the center was put back, and of one that is not known here. And again those that a log has shown of
    which only now all comes that it wrote until then.
    """
    store = received.store
    past = set(book.own_epochs[:-1]) - book.testimony.told.keys()
    for of in {stored.entry.epoch: None for stored in store}:
        yield from _told_before(book, of, store)
    # The last one of each epoch is enough: a log that heard of more after a foreign one has shown that one.
    last = {
        (stored.entry.epoch, head.epoch): (head, at)
        for at, stored in enumerate(store, start=1)
        if (saw := _saw(stored)) is not None and (head := saw.head) is not None and head.epoch not in past
    }
    word = received.ask.witness
    if word is not None and word.epoch not in past:
        last[received.ask.epoch, word.epoch] = word, len(store)
    for (of, _), (head, at) in last.items():
        if _is_own(book, head):
            yield Witness(head.place, of, store[:at])


def _told_before(book: CenterBook, of: str, store: Sequence[Stored]) -> Iterator[Witness]:
    known = book.epochs.get(of)
    for epoch, told in book.testimony.told.items():
        later = book.own_epochs[book.own_epochs.index(epoch) + 1 :]
        if of not in told or known is None or not known.saws.isdisjoint(later):
            continue
        saws = ((at, _saw(stored)) for at, stored in enumerate(store) if stored.entry.epoch == of)
        end = next((at for at, saw in saws if saw is not None and saw.center_epoch in later), len(store))
        yield Witness(told[of].shown, of, store[:end])


def ruling(
    book: CenterBook, foreign: Iterable[tuple[Witness, Place | None]]
) -> tuple[BeginAnew | None, list[PutBack]]:
    """What follows from heads that are not in the own log, each with the last place of what its log had heard
    before that is: what the own log says of it, and another epoch if the current one was put back (rule E).
    """
    testimony = book.testimony.copy()
    found: list[PutBack] = []
    begins = None
    for witness, common in foreign:
        since = _since(book, witness, common)
        if since is None:
            continue
        before = _doubted(book, testimony)
        body = PutBack(witness.of, since, witness.shown)
        testimony.take(body)
        if since.epoch == book.own_epochs[-1]:
            reason = f"a witness knows another entry {body.shown.seq} of {body.shown.epoch}"
            begins = begins or BeginAnew(book.head, None, reason)
            found.append(body)
        elif _doubted(book, testimony) != before:
            found.append(body)
    return begins, found


def _doubted(book: CenterBook, testimony: Testimony) -> set[str]:
    """The first logs of nodes of which nobody knows whether they are the first."""
    return {epochs[0] for epochs in book.met.values() if testimony.doubts(book.met_at[epochs[0]])}


def _since(book: CenterBook, witness: Witness, common: Place | None) -> Place | None:
    """The last place of the own log that surely stood before the part of it that was put back."""
    current, epoch = book.own_epochs[-1], witness.shown.epoch
    if epoch not in book.own_epochs:  # it came after one that its log had heard of before
        known, again = book.epochs.get(witness.of), book.testimony.knows(epoch)
        reached = known is not None and current in known.saws
        if reached or any(place.epoch == current for place in witness.heard(book)):
            epoch = current
        else:
            epoch = common.epoch if common is not None else ""
        if again and epoch == current:
            return None  # it was lost before this one: the log is of a copy, or lies, or the request is old
    if epoch != current and epoch not in book.testimony.told:
        return None  # lost by a restore that was known
    return common if common is not None and common.epoch == epoch else Place(epoch, 0, GENESIS)


def _saw(stored: Stored) -> Saw | None:
    if stored.entry.type == "saw":
        with contextlib.suppress(EntryError):  # stored like any other
            return cast(Saw, stored.body)
    return None


def _carried(saw: Saw) -> Iterator[Place]:
    """The places of the center's entries in a Saw, each with the one before it."""
    for raw in saw.entries:
        with contextlib.suppress(EntryError):
            entry = read_record(bytes(raw))
            if entry.seq > 1:
                yield Place(entry.epoch, entry.seq - 1, entry.prev)
            elif entry.type == "begin" and (parent := read_body(entry).parent) is not None:
                yield parent
            yield Place(entry.epoch, entry.seq, record_hash(bytes(raw)))


def _is_own(book: CenterBook, head: Head) -> bool:
    """Whether the center signed a head."""
    try:
        keys.check_head(book.own_keys.get(head.epoch, book.own_keys[book.own_epochs[-1]]), head)
    except SignatureError:
        return False
    return True
