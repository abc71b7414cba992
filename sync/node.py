# SPDX-License-Identifier: Apache-2.0
"""A node's side of the exchange, pure: what to ask, what an answer leads to.

Knows no HTTP, no SQLite and no clock: the journal comes in as a `LogReader`, randomness as an id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from sync.bodies import Saw, read_body
from sync.entry import GENESIS, Head, Place, read_record
from sync.errors import EntryError, WireError
from sync.wire import ASK_BYTES_MAX, ASK_ENTRIES_MAX, PARTS_MAX, Answer, Ask, Part


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


@dataclass(frozen=True, slots=True)
class Taken:
    """What an answer leads to.

    `saw` is to be written (None: nothing came), `cursor` the place then reached in the center's log,
    `have` the center's stored head of the own epoch, `foreign` a head of an own log that is not in
    its chain (rule E), `refused` what the center said it did not store.
    """

    saw: Saw | None
    cursor: Place | None
    have: dict[str, int]
    foreign: Place | None
    refused: dict[str, str]


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
    ) -> None:
        """`cursor` is the place in the center's log of the last Saw; `have` hints what the center stores."""
        self._who = (tenant, zone, node)
        self._doors = doors
        self._code = code
        self._cursor = cursor
        self.have: dict[str, int] = dict(have or {})
        self._asked: str | None = None
        self._epoch = ""
        self._sent: dict[str, int] = {}
        self._refused: set[str] = set()

    def ask(self, ask_id: str, epoch: str, told: Place, reader: LogReader, head: Callable[[], Head]) -> Ask:
        """The next request: what of the own logs the center may lack, never beyond what was told.

        `told` is the last told place of the current `epoch`; `head` signs it.
        """
        self._asked, self._epoch, self._sent = ask_id, epoch, {}
        parts: list[Part] = []
        # One entry and one part are kept for the current epoch: the center must meet its key in Begin.
        entries_left, bytes_left = ASK_ENTRIES_MAX - 1, ASK_BYTES_MAX // 2
        # Oldest first, so that causes come before effects; what was refused must not starve the rest.
        for own in sorted(reader.epochs(), key=self._refused.__contains__):
            current = own == epoch
            stored = told if current else reader.head(own)
            if stored is None or (len(parts) == PARTS_MAX - 1 and not current):
                continue
            after = min(self.have.get(own, 0), stored.seq)
            if after == stored.seq and not current:
                continue
            kept = int(current and after == 0)
            limit = min(entries_left + kept, stored.seq - after)
            room = max(bytes_left, kept)
            records = reader.after(own, after, limit, room) if limit > 0 and room > 0 else []
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
                    head() if current else None,
                )
            )
        tenant, zone, node = self._who
        return Ask(ask_id, tenant, zone, node, epoch, self._doors, tuple(parts), self._cursor, self._code)

    def take(self, answer: Answer, reader: LogReader, known: Callable[[str], bool]) -> Taken | None:
        """What to do with an answer; None when it answers another request (S1-S3).

        `known` tells whether a center entry of that id was taken before. Raises WireError when the
        answer carries what this version cannot read; nothing of it may be written then.
        """
        if answer.ask_id != self._asked:
            return None
        self._asked = None
        foreign: Place | None = None
        self._refused = set(answer.refused) - {self._epoch}
        for place in answer.have:
            if place.seq == 0 or reader.hash_at(place.epoch, place.seq) == place.hash:
                self.have[place.epoch] = place.seq
            elif place.epoch != self._epoch and self._is_longer_copy(place, reader):
                self.have[place.epoch] = self._sent[place.epoch]
            elif foreign is None or place.epoch == self._epoch:
                foreign = place
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
        if answer.upto is not None:
            self._cursor = answer.upto
        saw = Saw(answer.center_epoch, answer.upto, tuple(fresh)) if fresh and answer.upto else None
        return Taken(saw, self._cursor, dict(self.have), foreign, answer.refused)

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
