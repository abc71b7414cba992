# SPDX-License-Identifier: Apache-2.0
"""What was filed, and whether the record still says the same: figures recompute from their place (I8)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import msgspec

from central.errors import Denied
from central.ownlog import OwnLog
from central.record import PAGE
from sync.bodies import Amount, Filing
from sync.center import recompute
from sync.chain import Stored
from sync.entry import Place
from sync.witness import CENTER


class Filed(msgspec.Struct, frozen=True):
    """A filing and its place in the center's own log."""

    number: str
    by: str
    at: datetime
    place: Place
    figures: tuple[Amount, ...]


class Recomputed(msgspec.Struct, frozen=True):
    """A filing, what the record says at its place now, and whether these are equal."""

    filed: Filed
    recomputed: tuple[Amount, ...]
    equal: bool


class Filings:
    """The filings of one center."""

    def __init__(self, own: OwnLog) -> None:
        self._own = own
        self._one_at_a_time = asyncio.Lock()

    async def all(self) -> list[Filed]:
        """All filings, in their order."""
        async with self._own.database.session() as connection:
            return [_filed(stored) for stored in await self._own.record.own_of_type(connection, "filing")]

    async def recompute(self, number: str) -> Recomputed:
        """Make the books anew up to a filing's place and compare. Denied (404) when there is none.

        Reads the whole record up to there: minutes for years of it, one at a time, beside the exchange.
        """
        filed = next((filing for filing in await self.all() if filing.number == number), None)
        if filed is None:
            raise Denied(404, f"no filing {number[:40]!r} is stored", "Look in /api/v1/filings.")
        async with self._one_at_a_time:
            loop = asyncio.get_running_loop()
            figures = await asyncio.to_thread(self._figures_at, filed.place, loop)
        return Recomputed(filed, figures, figures == filed.figures)

    def _figures_at(self, place: Place, loop: asyncio.AbstractEventLoop) -> tuple[Amount, ...]:
        """In a thread: the figures of the book just before `place` was written."""

        def page(node: str, epoch: str, after: int, upto: int) -> list[Stored]:
            return asyncio.run_coroutine_threadsafe(self._page(node, epoch, after, upto), loop).result()

        def run(node: str, epoch: str, after: int, upto: int) -> Iterator[Stored]:
            while after < upto and (found := page(node, epoch, after, upto)):
                yield from found
                after = found[-1].entry.seq

        def own() -> Iterator[Stored]:
            epochs = asyncio.run_coroutine_threadsafe(self._own_epochs(), loop).result()
            for epoch, last in epochs:
                yield from run(CENTER, epoch, 0, last)
                if epoch == place.epoch:
                    return

        return _figures(self._own.tenant, self._own.zone, own(), run, place)

    async def _own_epochs(self) -> list[tuple[str, int]]:
        async with self._own.database.session() as connection:
            heads = await self._own.record.heads(connection)
        return [(head.place.epoch, head.place.seq) for head in heads if head.node == CENTER]

    async def _page(self, node: str, epoch: str, after: int, upto: int) -> list[Stored]:
        async with self._own.database.session() as connection:
            found = self._own.record.run(connection, node, epoch, after, min(upto, after + PAGE))
            return [stored async for stored in found]


def _figures(
    tenant: str,
    zone: str,
    own: Iterable[Stored],
    run: Callable[[str, str, int, int], Iterable[Stored]],
    place: Place,
) -> tuple[Amount, ...]:
    for stored, book in recompute(tenant, zone, own, run):
        if stored.place == place:
            return book.figures()
    return ()


def _filed(stored: Stored) -> Filed:
    filing: Filing = stored.body
    return Filed(filing.number, filing.by, stored.entry.recorded_at, stored.place, filing.figures)
