# SPDX-License-Identifier: Apache-2.0
"""The center of one zone: takes the docks' exchange, imports papers, writes its own log.

Storing is apart from projecting: an entry is judged by the chain's rules, committed, anchored and answered;
`central.projector` makes the books from what is stored.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from central.alarms import Alarms
from central.database import Database
from central.exchange import Exchange
from central.filings import Filings
from central.given import Anchor, Clocks
from central.ownlog import OwnLog
from central.people import Enrol, People
from central.projector import Projector
from central.queries import query
from central.restraining import Restraining
from customs.faults import shown
from customs.imports import Known, Papers, Refused, Upload, read_papers
from gs1 import check_digit
from sync.bodies import Imported
from sync.decisions import Draft as Decision
from sync.entry import Place


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import brought; `unchanged` papers were on file just so."""

    products: int
    permits: int
    trucks: int
    unchanged: int


class Central:
    """The center of one tenant and zone. Opened by `open`, used on one event loop, closed by `close`."""

    def __init__(self, database: Database, tenant: str, zone: str, anchor: Anchor, clocks: Clocks) -> None:
        self.tenant = tenant
        self.zone = zone
        self.database = database
        self.projector = Projector(database, tenant, zone)
        self.counters = {"exchanges": 0, "entries": 0, "refused": 0, "imports": 0, "conflicts": 0}
        self._anchor = anchor
        self._own = OwnLog(database, tenant, zone, anchor, clocks, self.counters)
        self._exchange = Exchange(self._own, self.counters)
        self.people = People(self._own)
        self.restraining = Restraining(self._own, self.people)
        self.filings = Filings(self._own)
        self.alarms = Alarms(self.people.open_cases)
        self._own.on_stored(self.projector.wake)
        self._own.on_stored(self.alarms.wake)

    @classmethod
    async def open(cls, dsn: str, tenant: str, zone: str, anchor: Anchor, clocks: Clocks) -> Central:
        """Connect, migrate, apply rule E (writing Begin where it says so) and start the projector.

        The anchor is held until `close`. Raises SetupError when the center cannot start as it is set
        up, Unavailable when the database cannot be reached, and what `anchor.hold` raises.
        """
        anchor.hold()
        try:
            database = await Database.open(dsn)
        except BaseException:
            anchor.release()
            raise
        central = cls(database, tenant, zone, anchor, clocks)
        try:
            async with central._own.lock:
                await central._own.book()
        except BaseException:
            await central.close()
            raise
        central.projector.start()
        central.alarms.start()
        return central

    async def close(self) -> None:
        """End the tasks, the connections and the hold on the anchor."""
        await self.alarms.close()
        await self.projector.close()
        await self.database.close()
        self._anchor.release()

    def on_stored(self, listener: Callable[[], None]) -> None:
        """Have `listener` called on the loop after each commit."""
        self._own.on_stored(listener)

    @property
    def head(self) -> Place | None:
        """The last place of the center's own log, as far as it is loaded."""
        return self._own.head

    async def exchange(self, body: bytes, signature: str) -> bytes:
        """Answer one ask; see `central.exchange`."""
        return await self._exchange.answer(body, signature)

    async def enrol(self, node: str, by: str = "command line") -> str:
        """A one-time code by which `node` gets its key trusted."""
        return (await self.people.enrol(Enrol(node, by))).code

    async def import_files(self, uploads: Sequence[Upload], by: str) -> ImportSummary | Refused:
        """Import all papers of the files, in one transaction, or none: then all faults come back."""
        async with self._own.lock:
            book = await self._own.book()
            async with self.database.session() as connection:
                rows = await connection.fetch(query("announced_doors"), self.tenant, self.zone)
            doors = {door: row["node"] for row in rows for door in row["doors"]}
            known = Known(book.products, book.permits, book.conveyances, doors)
            read = await asyncio.to_thread(read_papers, uploads, known, check_digit)
            if isinstance(read, Refused):
                return read
            decisions = _import_decisions(uploads, read, by)
            if decisions:
                await self._own.commit(lambda: decisions)
        self.counters["imports"] += 1
        return ImportSummary(len(read.products), len(read.permits), len(read.conveyances), read.unchanged)


def _import_decisions(uploads: Sequence[Upload], papers: Papers, by: str) -> list[Decision]:
    """One `import` entry and one for each paper; none when nothing is new."""
    documents: list[Decision] = [
        *(("product", product) for product in papers.products),
        *(("permit", permit) for permit in papers.permits),
        *(("conveyance", truck) for truck in papers.conveyances),
    ]
    if not documents:
        return []
    digests = [hashlib.sha256(upload.data).hexdigest() for upload in uploads]
    digest = digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()
    names = ", ".join(shown(upload.name) for upload in uploads)
    imported = Imported(names, digest, by, len(papers.products), len(papers.permits), len(papers.conveyances))
    return [("import", imported), *documents]
