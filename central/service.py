# SPDX-License-Identifier: Apache-2.0
"""The center of one zone: takes the docks' exchange, imports papers, writes its own log.

Storing is apart from projecting: an entry is judged by the chain's rules, committed, anchored and answered;
`central.projector` makes the books from what is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from central.admitting import Admitting
from central.alarms import Alarms
from central.bookkeeping import Bookkeeping
from central.cuts import Cuts
from central.database import Database
from central.exchange import Exchange
from central.filings import Filings
from central.given import Anchor, Clocks
from central.intake import Asked, ImportSummary, Intake, Progress, Told
from central.law import CustomsData
from central.ledger_queries import Ledger
from central.ownlog import OwnLog
from central.people import Enrol, People
from central.projector import Projector
from central.refusals import Refusals
from central.restraining import Restraining
from central.storing import Storing
from central.waiting import Waiting
from central.works import Works
from customs.imports import Refused, Upload
from sync.entry import Place
from sync.ledger_bodies import Calendar


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
        self.customs = CustomsData(tenant, zone)
        self.ledger = Ledger(database, tenant, zone)
        self.waiting = Waiting(self._own, self.ledger, self.customs)
        self.people = People(self._own, self.waiting.cases)
        self.refusals = Refusals(self._own)
        self.restraining = Restraining(self._own, self.people)
        self.filings = Filings(self._own)
        self.alarms = Alarms(self.people.open_cases)
        self.works = Works(self._own, self.projector, self.customs)
        self.bookkeeping = Bookkeeping(self._own, self.people, self.projector)
        self.admitting = Admitting(self._own, self.people, self.bookkeeping)
        self.storing = Storing(self._own, self.people, self.projector)
        self.cuts = Cuts(self._own, self.projector)
        self._intake = Intake(self._own, self.projector, self.customs)
        self._own.on_stored(self.projector.wake)
        self._own.on_stored(self.alarms.wake)

    @classmethod
    async def open(
        cls, dsn: str, tenant: str, zone: str, anchor: Anchor, clocks: Clocks, timezone: str = "UTC"
    ) -> Central:
        """Connect, migrate, apply rule E (writing Begin where it says so) and start the projector. The zone's
        calendar has the days of `timezone`: where the log says another, it is told.

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
                await central._tell_calendar(timezone)
        except BaseException:
            await central.close()
            raise
        central.projector.start()
        central.alarms.start()
        return central

    async def _tell_calendar(self, timezone: str) -> None:
        async with self.database.session() as connection:
            told = await self._own.record.own_of_type(connection, "calendar")
        if timezone != (told[-1].body.timezone if told else "UTC"):
            await self._own.commit(lambda: [("calendar", Calendar(timezone))])

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

    async def import_files(
        self,
        uploads: Sequence[Upload],
        by: str,
        supersedes_from: date | None = None,
        progress: Progress = lambda _: None,
    ) -> ImportSummary | Refused:
        """Import all papers and tables of the files, in one transaction, or none: then all faults come back;
        see `central.intake`.
        """
        taken = await self._intake.take(Asked(uploads, by, supersedes_from), progress)
        if not isinstance(taken, Refused):
            self.counters["imports"] += 1
        return taken

    @property
    def importing(self) -> Told:
        """How far the import under way is."""
        return self._intake.told

    async def note_refused(self, names: Sequence[str], got: str, next_step: str, by: str) -> None:
        """Record an import whose files were not read to their ends."""
        await self._intake.note_refused(names, got, next_step, by)
