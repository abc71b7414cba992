# SPDX-License-Identifier: Apache-2.0
"""A zone's customs data as it was known at a place of the center's own log: law, products, lines, bills.

Reads the rows that datasets brought; judges and changes nothing. Rows that a later dataset supersedes stay,
and an older place of the log still finds them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from central.dataset_projection import kind_of, row_of
from central.queries import query
from customs import law
from customs.known import KNOWN_ALL, Known
from customs.law import LawBook
from customs.tables.judging import ADMISSIONS, BOMS, OPENINGS, Filed, OnFile, before, days_of, is_dated
from customs.tables.kinds import Kind
from customs.works.boms import Bom
from customs.zone import AdmissionLine, CustomsProduct, OpeningBalance

if TYPE_CHECKING:
    import asyncpg

    from central.database import Connection

PRODUCTS: Final = "customs-product"

_LAST: Final = 2**62


class CustomsData:
    """The datasets of one tenant and zone. Each question names what is known; all is when nothing is said."""

    def __init__(self, tenant: str, zone: str) -> None:
        self._who = (tenant, zone)
        self._book: tuple[list[str], LawBook] = ([], LawBook())

    async def law_book(self, connection: Connection, known: Known = KNOWN_ALL) -> LawBook:
        """The law as known there. The last book is kept and given again until another dataset is known."""
        found = await self._datasets(connection, list(law.KINDS), known)
        ids = [str(row["dataset"]) for row in found]
        if self._book[0] != ids:
            rows = await self._rows(connection, found)
            self._book = ids, await asyncio.to_thread(_law_book, found, rows)
        return self._book[1]

    async def product(
        self, connection: Connection, gtin: str, owner: str, on: date, known: Known = KNOWN_ALL
    ) -> CustomsProduct | None:
        """What an owner's product was to customs on a day."""
        return await self.one(connection, PRODUCTS, f"{gtin}/{owner}", on, known)

    async def products(self, connection: Connection, known: Known = KNOWN_ALL) -> list[CustomsProduct]:
        """All that products ever were to customs, in the order in which it was imported."""
        return await self._all(connection, PRODUCTS, known)

    async def admission_lines(
        self, connection: Connection, lots: Iterable[tuple[str, str]], known: Known = KNOWN_ALL
    ) -> dict[tuple[str, str], AdmissionLine]:
        """Lines of 214s by document and line, each as it was imported last; those that are on file."""
        keys = [f"{document}/{line}" for document, line in lots]
        filed = (await self.on_file(connection, kind_of(ADMISSIONS), keys, known)).rows
        lines = [rows[-1].row for rows in filed.values()]
        return {(row.document, row.line): row for row in lines if isinstance(row, AdmissionLine)}

    async def papers(
        self, connection: Connection, lots: Iterable[str], known: Known = KNOWN_ALL
    ) -> dict[str, AdmissionLine]:
        """What was declared of lots, by lot: the line of their 214, or what their opening balance says."""
        names = {lot: (lot.rpartition("/")[0], lot.rpartition("/")[2]) for lot in lots}
        lines = await self.admission_lines(connection, names.values(), known)
        found = {lot: lines[name] for lot, name in names.items() if name in lines}
        rest = [lot for lot in names if lot not in found]
        filed = (await self.on_file(connection, kind_of(OPENINGS), rest, known)).rows if rest else {}
        opened = {lot: rows[-1].row for lot, rows in filed.items()}
        return found | {lot: row.admission for lot, row in opened.items() if isinstance(row, OpeningBalance)}

    async def opening_balances(
        self, connection: Connection, known: Known = KNOWN_ALL
    ) -> dict[str, OpeningBalance]:
        """Lots that were in the zone before these books, each as it was imported last."""
        return {row.lot: row for row in await self._all(connection, OPENINGS, known)}

    async def boms(self, connection: Connection, known: Known = KNOWN_ALL) -> list[Bom]:
        """All versions of all bills of material."""
        return await self._all(connection, BOMS, known)

    async def one(
        self, connection: Connection, kind: str, key: str, on: date, known: Known = KNOWN_ALL
    ) -> Any | None:
        """The row of a dated kind that holds under a key on a day."""
        filed = (await self.on_file(connection, kind_of(kind), [key], known)).rows
        found = (one.row for one in filed[key] if days_of(one.row)[0] <= on <= one.last)
        return next(found, None)

    async def on_file(
        self, connection: Connection, kind: Kind, keys: Sequence[str], known: Known = KNOWN_ALL
    ) -> OnFile:
        """The rows of a kind under some keys, in the order they came, each with the last day on which it
        holds for what superseded it. Rows that hold on no day any more are left out.
        """
        rows = await self._of_keys(connection, kind.name, keys, known)
        cuts = _cuts(rows) if is_dated(kind) else {}
        found = OnFile()
        for row in rows:
            typed = row_of(kind, row["body"])
            first, last = days_of(typed)
            last = min([last, *(day for place, day in cuts.get(row["key"], ()) if place > _place(row))])
            if first <= last:
                where = f"{row['name']} on file, row {row['number']}"
                found.rows[row["key"]].append(Filed(typed, where, last))
        return found

    async def bills_on_file(self, connection: Connection) -> OnFile:
        """All versions of all bills of material, by their keys."""
        found = OnFile()
        for bom in await self.boms(connection):
            found.rows[kind_of(BOMS).key(bom)].append(Filed(bom, "on file"))
        return found

    async def lots(self, connection: Connection, kind: str, keys: Sequence[str]) -> set[str]:
        """Which of some keys a kind has rows under."""
        return {row["key"] for row in await self._of_keys(connection, kind, keys, KNOWN_ALL)}

    async def _of_keys(
        self, connection: Connection, kind: str, keys: Sequence[str], known: Known
    ) -> list[asyncpg.Record]:
        return await connection.fetch(
            query("rows_of_keys"), *self._who, kind, list(set(keys)), *_bound(known)
        )

    async def _all(self, connection: Connection, name: str, known: Known) -> list[Any]:
        rows = await self._rows(connection, await self._datasets(connection, [name], known))
        return [row for of_dataset in rows.values() for row in of_dataset]

    async def _datasets(self, connection: Connection, kinds: list[str], known: Known) -> list[asyncpg.Record]:
        return await connection.fetch(query("datasets_known"), *self._who, kinds, *_bound(known))

    async def _rows(self, connection: Connection, datasets: list[asyncpg.Record]) -> dict[str, list[Any]]:
        """The typed rows of some datasets, in order."""
        kinds = {str(row["dataset"]): kind_of(row["kind"]) for row in datasets}
        found: dict[str, list[Any]] = {dataset: [] for dataset in kinds}
        rows = await connection.fetch(query("dataset_rows"), *self._who, list(found))

        def type_all() -> None:
            for row in rows:
                dataset = str(row["dataset"])
                found[dataset].append(row_of(kinds[dataset], row["body"]))

        await asyncio.to_thread(type_all)  # of a whole tariff it takes seconds
        return found


def _law_book(datasets: list[asyncpg.Record], rows: dict[str, list[Any]]) -> LawBook:
    return LawBook(
        law.Dataset(
            row["sha256"],
            Known(row["known_order"], row["known_seq"]),
            tuple(rows[str(row["dataset"])]),
            row["supersedes_from"],
        )
        for row in datasets
    )


def _bound(known: Known) -> tuple[int, int]:
    """A place as the database's integers hold it."""
    return min(known.order, 2**31 - 1), min(known.seq, _LAST)


def _place(row: asyncpg.Record) -> tuple[int, int]:
    return row["known_order"], row["known_seq"]


def _cuts(rows: list[asyncpg.Record]) -> dict[str, set[tuple[tuple[int, int], date]]]:
    """By key, the places of datasets that supersede, and the last day of what came before them."""
    found: dict[str, set[tuple[tuple[int, int], date]]] = {}
    for row in rows:
        if row["supersedes_from"] is not None:
            found.setdefault(row["key"], set()).add((_place(row), before(row["supersedes_from"])))
    return found
