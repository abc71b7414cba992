# SPDX-License-Identifier: Apache-2.0
"""Imports at the center: papers and tables from people's files, all of them in one transaction, or none.

A refused import is recorded, and the books stay as they were. Files are judged beside the docks' exchange,
which waits only while the entries are committed; imports wait for each other.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import Final

import msgspec

from central.datasets import dataset_decisions, told_faults
from central.law import CustomsData
from central.ownlog import OwnLog
from central.projector import Projector
from central.queries import query
from customs.documents import Direction
from customs.faults import Fault, Faults, shown
from customs.imports import Known, Papers, Refused, Upload, read_papers
from customs.tables import rows as tables
from customs.tables.forms import TABLE_BYTES_MAX
from customs.tables.judging import ADMISSIONS, BOMS, OPENINGS, OnFile, judge, law_of
from customs.tables.reading import Sheet, is_table, read_table
from gs1 import check_digit
from sync.center import CenterBook
from sync.customs_bodies import Imported, ImportRefused
from sync.decisions import Draft as Decision

UPLOAD_BYTES_MAX: Final = TABLE_BYTES_MAX
"""All files of one import. Only who has the token can send so much."""

_FURTHEST_EAST: Final = timedelta(hours=14)
"""The zone's clock may be so far ahead of UTC."""


@dataclass(frozen=True, slots=True)
class TableSummary:
    """A table that was taken."""

    kind: str
    name: str
    rows: int


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import brought; `unchanged` papers and tables were on file just so."""

    products: int
    permits: int
    trucks: int
    unchanged: int
    tables: tuple[TableSummary, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """An import: the files, who brings them, and the day from which tables supersede what is on file where
    they do not say it themselves.
    """

    uploads: Sequence[Upload]
    by: str
    supersedes_from: date | None = None


class ImportAnswer(msgspec.Struct, frozen=True):
    """What an import answers: counts of what is new, or all faults and nothing imported."""

    products: int = 0
    permits: int = 0
    trucks: int = 0
    unchanged: int = 0
    tables: tuple[TableSummary, ...] = ()
    faults: tuple[Fault, ...] = ()
    faults_total: int = 0


class Told(msgspec.Struct, frozen=True):
    """How far the import under way is: what is being done, and how many rows of it are. Empty for none."""

    doing: str = ""
    rows: int = 0


Progress = Callable[[Told], None]
"""Told how far an import is."""

_Tell = Callable[[str, int], None]


def answer_of(result: ImportSummary | Refused) -> ImportAnswer:
    """An import's end in words."""
    if isinstance(result, Refused):
        return ImportAnswer(faults=result.faults, faults_total=result.total)
    return ImportAnswer(result.products, result.permits, result.trucks, result.unchanged, result.tables)


class Intake:
    """The imports of one center, one at a time."""

    def __init__(self, own: OwnLog, projector: Projector, data: CustomsData) -> None:
        self._own = own
        self._projector = projector
        self._data = data
        self._turn = asyncio.Lock()
        self.told = Told()

    async def take(self, asked: Asked, progress: Progress = lambda _: None) -> ImportSummary | Refused:
        """Import all files, or none: then all faults come back. `progress` may be called in a thread."""

        def tell(doing: str, rows: int) -> None:
            self.told = Told(doing, rows)
            progress(self.told)

        async with self._turn:
            try:
                return await self._take(asked, tell)
            finally:
                self.told = Told()

    async def _take(self, asked: Asked, tell: _Tell) -> ImportSummary | Refused:
        async with self._own.lock:
            book = await self._own.book()
        sheets: list[Sheet] = []
        read = await self._read(asked, book, sheets, tell)
        if isinstance(read, Refused):
            await self._refuse(asked, read, sum(sheet.seen for sheet in sheets))
            return read
        tell("writing", sum(len(sheet.rows) for sheet in sheets))
        decisions = await asyncio.to_thread(self._decisions, asked, read, sheets)
        if decisions:
            async with self._own.lock:
                await self._own.book()
                await self._own.commit(lambda: decisions)
        return _summary(read, sheets)

    async def _read(
        self, asked: Asked, book: CenterBook, sheets: list[Sheet], tell: _Tell
    ) -> Papers | Refused:
        """The papers of an import; its tables are added to `sheets`, without those that are on file just so.

        The book's papers are changed by imports alone, so they may be read beside the exchange.
        """
        own = self._own
        async with own.database.session() as connection:
            doors = await connection.fetch(query("announced_doors"), own.tenant, own.zone)
        known = Known(
            book.products,
            book.permits,
            book.conveyances,
            {door: row["node"] for row in doors for door in row["doors"]},
        )
        files = await asyncio.to_thread(_apart, asked.uploads)
        papers = Papers()
        if files[0] or not files[1]:
            read = await asyncio.to_thread(read_papers, files[0], known, check_digit)
            if isinstance(read, Papers) and (opened := await self._opened(read)):
                opened_too = replace(known, opened=opened)
                read = await asyncio.to_thread(read_papers, files[0], opened_too, check_digit)
            if isinstance(read, Refused):
                return read
            papers = read
        if not files[1]:
            return papers
        faults = Faults()
        on = tables.Papers(
            (own.clocks.utc() + _FURTHEST_EAST).date(),
            {**known.products, **{product.gtin: product for product in papers.products}},
            {**known.permits, **{permit.number: permit for permit in papers.permits}},
        )
        sheets += await asyncio.to_thread(_tables, files[1], on, asked.supersedes_from, faults, tell)
        unchanged = await self._judge(sheets, on, faults)
        if faults.total:
            return Refused(tuple(faults.kept), faults.total)
        return replace(papers, unchanged=papers.unchanged + unchanged)

    async def _opened(self, papers: Papers) -> set[str]:
        """Lots that new permits would let in, and that opening balances have brought already."""
        lots = [
            f"{permit.number}/{line.line}"
            for permit in papers.permits
            for line in permit.lines
            if line.direction is Direction.IN
        ]
        if not lots:
            return set()
        await self._projector.catch_up()
        async with self._own.database.session() as connection:
            return await self._data.lots(connection, OPENINGS, lots)

    async def _judge(self, sheets: list[Sheet], on: tables.Papers, faults: Faults) -> int:
        """Judge tables by what is on file, and by each other; takes out, and counts, those that are on file
        just so.
        """
        await self._projector.catch_up()  # what was imported a moment ago is on file
        own, unchanged = self._own, 0
        judged: list[Sheet] = []
        for sheet in list(sheets):
            async with own.database.session() as connection:
                last = await connection.fetchrow(query("last_dataset"), own.tenant, own.zone, sheet.kind.name)
                if last and (last["sha256"], last["supersedes_from"]) == (
                    sheet.sha256,
                    sheet.supersedes_from,
                ):
                    sheets.remove(sheet)
                    unchanged += 1
                    continue
                keys = [sheet.kind.key(kept.row) for kept in sheet.rows]
                if sheet.kind.is_law:
                    on_file = OnFile(law=await self._data.law_book(connection))
                elif sheet.kind.name == BOMS:
                    on_file = await self._data.bills_on_file(connection)
                else:
                    on_file = await self._data.on_file(connection, sheet.kind, keys)
                other = _OTHER_LOTS.get(sheet.kind.name)
                if other:
                    on_file.lots = await self._data.lots(connection, other, keys)
                if sheet.kind.name == ADMISSIONS:
                    on_file.law, on_file.today = await self._data.law_book(connection), on.today
                    there = {dataset.hash for dataset in on_file.law.datasets}
                    for of_law in (each for each in sheets if each.kind.is_law and each.sha256 not in there):
                        on_file.law = on_file.law.plus(law_of(of_law))
            for before in judged:
                if before.kind is sheet.kind:
                    on_file.add(before)
                elif before.kind.name == other:
                    on_file.lots = {*on_file.lots, *(before.kind.key(kept.row) for kept in before.rows)}
            await asyncio.to_thread(judge, sheet, on_file, on.products, faults)
            judged.append(sheet)
        return unchanged

    def _decisions(self, asked: Asked, papers: Papers, sheets: list[Sheet]) -> list[Decision]:
        """In a thread: all entries of an import."""
        decisions = _paper_decisions(asked, papers, bool(sheets))
        for sheet in sheets:
            decisions += dataset_decisions(sheet, self._own.clocks.entry_id(), asked.by)
        return decisions

    async def _refuse(self, asked: Asked, refused: Refused, rows: int) -> None:
        """Record the attempt."""
        said = ImportRefused(
            _names(asked.uploads),
            await asyncio.to_thread(_digest, asked.uploads),
            sum(len(upload.data) for upload in asked.uploads),
            rows,
            told_faults(refused.faults),
            refused.total,
            asked.by,
        )
        await self._record(said)

    async def note_refused(self, names: Sequence[str], got: str, next_step: str, by: str) -> None:
        """Record an import whose files were not read to their ends: their hash is not known."""
        file = ", ".join(map(shown, names)) or "no name"
        fault = Fault(file, "", got, "an import within its bounds", next_step)
        await self._record(ImportRefused(file, "", 0, 0, (fault,), 1, by))

    async def _record(self, said: ImportRefused) -> None:
        async with self._own.lock:
            await self._own.book()
            await self._own.commit(lambda: [("import-refused", said)])


_OTHER_LOTS = {ADMISSIONS: OPENINGS, OPENINGS: ADMISSIONS}


def _apart(uploads: Sequence[Upload]) -> tuple[list[Upload], list[Upload]]:
    """Papers, and tables."""
    papers: list[Upload] = []
    found: list[Upload] = []
    for upload in uploads:
        (found if is_table(upload.name, upload.data, check_digit) else papers).append(upload)
    return papers, found


def _tables(
    uploads: Sequence[Upload],
    on: tables.Papers,
    supersedes_from: date | None,
    faults: Faults,
    tell: _Tell,
) -> list[Sheet]:
    """In a thread: the sheets of all tables."""
    sheets = []
    for upload in uploads:
        sheet = read_table(
            upload.name,
            upload.data,
            on,
            check_digit,
            faults,
            supersedes_from,
            partial(tell, f"reading {shown(upload.name)}"),
        )
        if sheet is not None:
            sheets.append(sheet)
    return sheets


def _paper_decisions(asked: Asked, papers: Papers, with_tables: bool) -> list[Decision]:
    """One `import` entry and one for each paper; none when nothing is new."""
    documents: list[Decision] = [
        *(("product", product) for product in papers.products),
        *(("permit", permit) for permit in papers.permits),
        *(("conveyance", truck) for truck in papers.conveyances),
    ]
    if not documents and not with_tables:
        return []
    counts = len(papers.products), len(papers.permits), len(papers.conveyances)
    imported = Imported(_names(asked.uploads), _digest(asked.uploads), asked.by, *counts)
    return [("import", imported), *documents]


def _names(uploads: Sequence[Upload]) -> str:
    return ", ".join(shown(upload.name) for upload in uploads)


def _digest(uploads: Sequence[Upload]) -> str:
    digests = [hashlib.sha256(upload.data).hexdigest() for upload in uploads]
    return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _summary(papers: Papers, sheets: Sequence[Sheet]) -> ImportSummary:
    return ImportSummary(
        len(papers.products),
        len(papers.permits),
        len(papers.conveyances),
        papers.unchanged,
        tuple(TableSummary(sheet.kind.name, sheet.name, len(sheet.rows)) for sheet in sheets),
    )
