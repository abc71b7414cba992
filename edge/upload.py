# SPDX-License-Identifier: Apache-2.0
"""The exchange with the center, kept going: asks, takes answers, writes what was seen.

One request at a time; at once while there is more to send, else when something was told or after a
pause. A witness that knows another log ends it with `ForeignHead`: rule E then begins another epoch. So does
`EpochClosed`, when a count at the center has closed the epoch at hand.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from edge.config import CenterConfig, NodeConfig
from edge.dock import Dock
from edge.errors import EdgeError
from edge.journal import Ended, Journal
from edge.leases import returns, wants
from edge.store import JournalReader
from edge.view import LinkView
from sync.client import CenterClient
from sync.entry import GENESIS, Place, read_record
from sync.errors import SyncError, TransportError, WireError
from sync.node import ADOPT_PAGE, NodeSync, Taken, adoptions
from sync.wire import Part

PAUSE_S: Final = 2.0
"""Between two asks when nothing happens: papers planned at the center are at the door this soon."""

RETRY_S_MAX: Final = 15.0

_log = logging.getLogger("zonegate.upload")


class ForeignHead(EdgeError):
    """The center knows another entry at a place of this log; go on in another epoch."""

    def __init__(self, place: Place) -> None:
        super().__init__(f"the center knows another entry {place.seq} of epoch {place.epoch}")
        self.place = place


class EpochClosed(EdgeError):
    """The center has closed this epoch by a count; go on in another one, which gets leases of its own."""

    def __init__(self, epoch: str) -> None:
        super().__init__(f"the center closed epoch {epoch} after a count")
        self.ended = Ended(epoch, "the center closed this epoch after a count")


def confirmed(reader: JournalReader, epoch: str) -> int:
    """The last seq of an epoch that the center was heard to have; 0 before the first contact."""
    place = reader.cursor(f"center:{epoch}")
    return place.seq if place else 0


def _vouching(reader: JournalReader, epoch: str) -> Part | None:
    """The end of the epoch before this one, where it names this one's key; None when it was not changed."""
    epochs = reader.epochs()
    before = epochs[epochs.index(epoch) - 1] if epochs.index(epoch) else None
    head = reader.signed_head(before) if before is not None else None
    if before is None or head is None or head.place != reader.head(before):
        return None
    record, prev = reader.record_at(before, head.seq), reader.hash_at(before, head.seq - 1)
    if record is None or prev is None or read_record(record).type != "rotate":
        return None
    return Part(before, head.seq - 1, prev, (msgspec.Raw(record),), head)


class Upload:
    """One node's way to its center."""

    def __init__(self, config: NodeConfig, center: CenterConfig, dock: Dock) -> None:
        self._config = config
        self._center = center
        self._dock = dock
        self._news = asyncio.Event()
        self._journal: Journal | None = None
        self._sync: NodeSync | None = None
        self._state = "Unknown"
        self._detail = "not asked yet"
        self._oldest: datetime | None = None
        self.releasable: dict[str, Place] = {}

    def wake(self) -> None:
        """Something was told."""
        self._news.set()

    def link(self) -> LinkView:
        """How far the center is."""
        behind = 0
        if self._sync is not None and self._journal is not None:
            behind = self._sync.behind(self._journal.epoch, self._journal.told)
        return LinkView("center", self._state, behind, self._detail, self._oldest if behind else None)

    def confirmed(self) -> dict[str, int]:
        """What the center has of each own epoch: the last seq."""
        return dict(self._sync.have) if self._sync is not None else {}

    async def run(self, journal: Journal, store: Path) -> None:
        """Exchange until cancelled; raises ForeignHead and EpochClosed where another epoch must begin."""
        cursor = self._dock.books.state.cursor
        with JournalReader(store) as reader:
            have = {epoch: confirmed(reader, epoch) for epoch in reader.epochs()}
            doors = tuple(self._dock.doors)
            who = (self._config.tenant, self._config.zone, self._config.node)
            witness = self._dock.books.state.witness
            self._sync = NodeSync(
                *who, doors, cursor=cursor, have=have, code=self._center.code, witness=witness
            )
            self._journal = journal
            pause = PAUSE_S
            async with CenterClient(self._center.url, self._center.pin) as client:
                while True:
                    try:
                        again = await self._once(client, journal, reader, self._sync)
                        pause = 0.0 if again else PAUSE_S
                    except SyncError as error:
                        pause = self._failed(error, pause)
                    await self._wait(pause)

    async def _once(
        self, client: CenterClient, journal: Journal, reader: JournalReader, sync: NodeSync
    ) -> bool:
        """One exchange; True when the next should follow at once."""
        self._news.clear()
        books = self._dock.books
        for returned in list(returns(books, self._dock.doors, self._dock.have)):
            self._dock.write("return", returned)
        ask_id = self._dock.clocks.random(16).hex()
        wanted = wants(books, self._dock.doors)
        for base in reader.bases():  # what was pruned is at the center, in every backup of it (S5)
            sync.have[base.epoch] = max(sync.have.get(base.epoch, 0), base.seq)
        unmet = sync.have.get(journal.epoch, 0) == 0
        vouch = _vouching(reader, journal.epoch) if unmet else None
        ask = sync.ask(ask_id, journal.epoch, journal.told, reader, journal.head, wanted, vouch)
        try:
            answer = await client.exchange(ask, journal.signer)
        except WireError:
            sync.refused()
            raise
        center_ids = books.state.center_ids
        taken = sync.take(answer, reader, center_ids.__contains__)
        if taken is None:
            return False
        if taken.foreign is not None:
            raise ForeignHead(taken.foreign)
        self._note(taken, journal, reader)
        for epoch, after in taken.lost.items():
            await self._adopt(reader, epoch, after)
            sync.concede(epoch)
        told = self._dock.write("saw", taken.saw) if taken.saw is not None else None
        sync.written(taken)
        if told is not None:
            self._dock.changed("")
            if books.is_closed:
                await told
                raise EpochClosed(journal.epoch)
        if taken.refused:
            self._state, self._detail = "Degraded", "; ".join(taken.refused.values())
            _log.error("center refuses entries: %s", self._detail)
            return False
        self._state, self._detail = "Up", ""
        return taken.saw is not None or sync.behind(journal.epoch, journal.told) > 0

    async def _adopt(self, reader: JournalReader, epoch: str, after: int) -> None:
        """Tell again, in this epoch, what the center cannot take of an older one."""
        told_again = self._dock.books.state.adopted.get(epoch, {})
        count = 0
        for adopt in adoptions(reader, epoch, after, frozenset(told_again)):
            told = self._dock.write("adopt", adopt)
            count += 1
            if count % ADOPT_PAGE == 0:
                await told
        _log.warning("epoch %s is another one at the center: %d of its entries are told again", epoch, count)

    def _note(self, taken: Taken, journal: Journal, reader: JournalReader) -> None:
        """Keep what the center has: it confirms grants, and tells where to go on after a restart."""
        self.releasable = taken.releasable
        for epoch in reader.epochs():
            # A center that was restored has less than it had: it is sent again also after a restart here.
            seq = taken.have.get(epoch, 0)
            digest = reader.hash_at(epoch, seq) if seq else GENESIS
            before = reader.cursor(f"center:{epoch}")
            if digest is not None and (before.seq if before else 0) != seq:
                journal.set_cursor(f"center:{epoch}", Place(epoch, seq, digest))
        have = taken.have.get(journal.epoch, 0)
        if have != self._dock.have:
            self._dock.have = have
            self._dock.changed("")
        first = reader.after(journal.epoch, have, 1, 1)
        self._oldest = read_record(first[0]).recorded_at if first else None

    def _failed(self, error: SyncError, pause: float) -> float:
        state = "Down" if isinstance(error, TransportError) else "Degraded"
        if state != self._state:
            _log.warning("center: %s", error)
        self._state, self._detail = state, str(error)
        self._dock.changed("")
        return min(RETRY_S_MAX, max(0.5, pause * 1.7)) * random.uniform(0.7, 1.0)  # noqa: S311 - spreads retries

    async def _wait(self, pause: float) -> None:
        """Until something was told, at most `pause` seconds; a center that is away is not asked sooner."""
        if pause == 0.0:
            return
        if self._state == "Down":
            await asyncio.sleep(pause)
            return
        # Not wait_for: before Python 3.12 it forgets that it was cancelled when there is news as well.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._news.wait()
