# SPDX-License-Identifier: Apache-2.0
"""A node's side of the exchange, pure: what to ask, what an answer leads to.

Knows no HTTP, no SQLite and no clock: the journal comes in as a `LogReader`, randomness as an id.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from sync.bodies import Adopt, Saw, body_bytes, read_body
from sync.entry import BODY_BYTES_MAX, GENESIS, Head, Place, read_record
from sync.errors import EntryError, WireError
from sync.wire import ASK_BYTES_MAX, ASK_ENTRIES_MAX, PARTS_MAX, WANTS_MAX, Answer, Ask, Part, Want

ADOPT_PAGE: Final = 200
"""Records read at a time of a log that is adopted."""


class LogReader(Protocol):
    """A store as the exchange reads it; see `edge.store.JournalReader`."""

    def epochs(self) -> list[str]:
        """Epochs of own logs, oldest first."""
        ...

    def head(self, epoch: str) -> Place | None:
        """The last stored entry's place."""
        ...

    def hash_at(self, epoch: str, seq: int) -> str | None:
        """The hash of one stored entry."""
        ...

    def after(self, epoch: str, seq: int, entries_max: int, bytes_max: int) -> list[bytes]:
        """Records that follow `seq`, bounded; at least one when there is one."""
        ...

    def base(self, epoch: str) -> Place | None:
        """The place up to which an epoch was forgotten (S5); None when all of it is there."""
        ...


@dataclass(frozen=True, slots=True)
class Taken:
    """What an answer leads to.

    `saw` is to be written (None: nothing came), `cursor` the place then reached in the center's log and
    `witness` the center's head that came with it (`written`). `have` is what the center has of the own logs,
    `foreign` a head of the current epoch that is not in its chain: rule E begins another one. `lost` are
    older own logs of which the center has another branch, with the seq up to which both agree: what follows
    is to be adopted (`adoptions`). `refused` is what the center said it did not store, `releasable` what may
    be forgotten (S5).
    """

    saw: Saw | None
    cursor: Place | None
    witness: Head | None
    have: dict[str, int]
    foreign: Place | None
    lost: dict[str, int]
    refused: dict[str, str]
    releasable: dict[str, Place]


class NodeSync:
    """One node's exchange with the center; one request outstanding."""

    def __init__(
        self,
        tenant: str,
        zone: str,
        node: str,
        doors: tuple[str, ...],
        *,
        cursor: Place | None,
        have: dict[str, int] | None = None,
        code: str | None = None,
        witness: Head | None = None,
    ) -> None:
        """`cursor` is the place in the center's log of the last Saw, `witness` the signed head that came with
        it; `have` hints what the center stores.
        """
        self._who = (tenant, zone, node)
        self._doors = doors
        self._code = code
        self._cursor = cursor
        self.have: dict[str, int] = dict(have or {})
        self._asked: str | None = None
        self._epoch = ""
        self._sent: dict[str, int] = {}
        self._refused: set[str] = set()
        self._conceded: set[str] = set()
        self._asked_after = 0
        self._witness = witness

    def ask(
        self,
        ask_id: str,
        epoch: str,
        told: Place,
        reader: LogReader,
        head: Callable[[], Head],
        wants: Sequence[Want] = (),
        vouch: Part | None = None,
    ) -> Ask:
        """The next request: what of the own logs the center may lack, never beyond what was told.

        `told` is the last told place of the current `epoch`; `head` signs it. `wants` is what the doors
        lack of permit lines. `vouch` is the end of the epoch before, where it names the key of this one: a
        center that has not met this key yet believes it by that.
        """
        self._asked, self._epoch, self._sent = ask_id, epoch, {}
        parts: list[Part] = []
        # One entry and one part are kept for the current epoch: the center must meet its key in Begin.
        entries_left, bytes_left = ASK_ENTRIES_MAX - 1, ASK_BYTES_MAX // 2
        # Oldest first, so that causes come before effects; what was refused must not starve the rest.
        vouching = vouch.epoch if vouch is not None else ""
        for own in sorted(reader.epochs(), key=lambda own: (own != vouching, own in self._refused)):
            current = own == epoch
            if own in self._conceded and not current:
                continue
            stored = told if current else reader.head(own)
            if stored is None or (len(parts) == PARTS_MAX - 1 and not current):
                continue
            after = max(min(self.have.get(own, 0), stored.seq), _start(reader, own))
            if after == stored.seq and not current:
                continue
            kept = int(current and after == 0)
            limit = min(entries_left + kept, stored.seq - after)
            room = max(bytes_left, kept)
            records = reader.after(own, after, limit, room) if limit > 0 and room > 0 else []
            if vouch is not None and own == vouching and after + len(records) < stored.seq:
                parts.append(vouch)  # extends nothing yet: once this epoch is met, the run is sent
                continue
            entries_left -= len(records)
            bytes_left -= sum(len(record) for record in records)
            self._sent[own] = after + len(records)
            prev = reader.hash_at(own, after) if after else GENESIS
            parts.append(
                Part(
                    own,
                    after,
                    prev or GENESIS,
                    tuple(msgspec.Raw(record) for record in records),
                    head() if current else vouch.head if vouch is not None and own == vouching else None,
                )
            )
        parts += self._asking_after(reader, epoch)[: PARTS_MAX - len(parts)]
        tenant, zone, node = self._who
        return Ask(
            ask_id,
            tenant,
            zone,
            node,
            epoch,
            self._doors,
            tuple(parts),
            self._cursor,
            self._code,
            self._witness,
            tuple(wants[:WANTS_MAX]),
        )

    def take(self, answer: Answer, reader: LogReader, known: Callable[[str], bool]) -> Taken | None:
        """What to do with an answer; None when it answers another request (S1-S3). Tell `written` when its
        `saw` is: until then the next request asks for the same again.

        `known` tells whether a center entry of that id was taken before. Raises WireError when the
        answer carries what this version cannot read or write; nothing of it may be written then.
        """
        if answer.ask_id != self._asked:
            return None
        self._asked = None
        if self._cursor is not None and answer.center_epoch != self._cursor.epoch:
            # Another center epoch: an older copy of the center may have met another branch of a log first.
            self.have.clear()
            self._conceded.clear()
        foreign: Place | None = None
        lost: dict[str, int] = {}
        self._refused = set(answer.refused) - {self._epoch}
        for place in answer.have:
            if place.seq == 0 or reader.hash_at(place.epoch, place.seq) == place.hash:
                self.have[place.epoch] = place.seq
            elif place.epoch == self._epoch:
                foreign = place
            elif self._is_longer_copy(place, reader):
                self.have[place.epoch] = self._sent[place.epoch]
            else:
                lost[place.epoch] = self.have.get(place.epoch, 0)
        saw = None
        cursor, witness = self._cursor, self._witness
        if foreign is None:  # else another epoch begins, which asks for the same again
            saw = self._saw(answer, known)
            cursor, witness = answer.upto or cursor, answer.head or witness
        releasable = {place.epoch: place for place in answer.releasable}
        return Taken(saw, cursor, witness, dict(self.have), foreign, lost, answer.refused, releasable)

    def written(self, taken: Taken) -> None:
        """What was taken is in the journal's queue, in order before all that follows: go on after it."""
        self._cursor, self._witness = taken.cursor, taken.witness

    def concede(self, epoch: str) -> None:
        """All of an own log that the center cannot take has been adopted: it is not sent again."""
        self._conceded.add(epoch)

    def _saw(self, answer: Answer, known: Callable[[str], bool]) -> Saw | None:
        """What is news of an answer; WireError where it could not be written, or never be read again."""
        fresh = []
        for raw in answer.entries:
            try:
                entry = read_record(bytes(raw))
                read_body(entry)
            except EntryError as error:  # written down it would stop every later start of this version
                raise WireError(
                    f"the center sent what is no entry that this dock can read: {error}"
                ) from error
            if not known(entry.entry_id):
                fresh.append(raw)
        if not fresh or answer.upto is None:
            return None
        saw = Saw(answer.center_epoch, answer.upto, tuple(fresh), answer.head)
        if (size := len(body_bytes(saw))) > BODY_BYTES_MAX:
            raise WireError(
                f"the center sent {size} bytes of entries at once, at most {BODY_BYTES_MAX} fit into one "
                "entry here; update this dock and the center"
            )
        return saw

    def _asking_after(self, reader: LogReader, epoch: str) -> list[Part]:
        """One of the older logs in turn, at its head: a center that was put back to an older state has less
        of it than it said once, and nothing else would tell.
        """
        older = [own for own in reader.epochs() if own not in (epoch, *self._sent, *self._conceded)]
        if not older:
            return []
        self._asked_after += 1
        head = reader.head(older[self._asked_after % len(older)])
        if head is None:
            return []
        self._sent[head.epoch] = head.seq
        return [Part(head.epoch, head.seq, head.hash, ())]

    def refused(self) -> None:
        """The whole of the last ask was refused: nothing is taken for granted of what the center has.

        One that was restored may not even know this epoch, whose key it must meet in its Begin.
        """
        self._asked = None
        self.have.clear()
        self._conceded.clear()

    def _is_longer_copy(self, place: Place, reader: LogReader) -> bool:
        """Whether the center has more of an ended log than this store (an older one was restored), and
        found what was sent of it equal.
        """
        head = reader.head(place.epoch)
        sent = place.epoch in self._sent and place.epoch not in self._refused
        return sent and head is not None and place.seq > head.seq

    def behind(self, epoch: str, told: Place) -> int:
        """Told entries of the current epoch that the center has not confirmed."""
        return max(0, told.seq - self.have.get(epoch, 0))


def adoptions(reader: LogReader, epoch: str, after: int, adopted: Container[str]) -> Iterator[Adopt]:
    """What a newer epoch tells again of an own log of which the center has another branch.

    Facts after the last place that both agree on, once each: `adopted` tells whether an id was told again
    before. An adopted fact in there is told as itself; a Begin is no fact of another log.
    """
    after = max(after, _start(reader, epoch))
    while records := reader.after(epoch, after, ADOPT_PAGE, ASK_BYTES_MAX):
        for stored in records:
            entry = read_record(stored)
            told = bytes(read_body(entry).record) if entry.type == "adopt" else stored
            entry = read_record(told)
            if entry.type != "begin" and entry.entry_id not in adopted:
                yield Adopt(msgspec.Raw(told))
        after += len(records)


def _start(reader: LogReader, epoch: str) -> int:
    """The seq after which an epoch can be read: every backup of the center has what was before it."""
    base = reader.base(epoch)
    return base.seq if base is not None else 0
