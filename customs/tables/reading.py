# SPDX-License-Identifier: Apache-2.0
"""A table from a file: its kind told by its columns, its rows typed and judged, every fault noted.

Pure: bytes and the papers on file come in, a sheet goes out, with the rows that are sound whatever the
faults of others. What rows are to each other, and to rows on file, `customs.tables.judging` says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from customs import fields
from customs.faults import Faults, shown
from customs.fields import CheckDigit, Misfit
from customs.forms import FORMS
from customs.tables.bills import Bills
from customs.tables.columns import Column
from customs.tables.forms import Cells, Table, header_of, is_json_table, open_csv, open_json
from customs.tables.kinds import Kind, Row, kinds
from customs.tables.rows import Papers, row_faults

Progress = Callable[[int], None]
"""Told the rows read so far, every TOLD_EVERY."""

TOLD_EVERY: Final = 5_000
"""Rows between two words of progress: a few in a second."""

_REMEMBERED_MAX: Final = 4_096
"""Checked values kept of a column: rows repeat units, days and sources, which so are read once and stand in
memory once.
"""

_NOWHERE: Final[Mapping[str, Cells]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Kept:
    """A sound row: its number in the dataset, from 1, and where it stands in the file; `places` are those of
    its parts where several lines made it.
    """

    number: int
    cells: Cells
    row: Row
    places: Mapping[str, Cells] = field(default_factory=lambda: _NOWHERE)


@dataclass(slots=True)
class Sheet:
    """A table that was read. `seen` counts its rows, sound or not."""

    file: str
    kind: Kind
    sha256: str
    name: str
    supersedes_from: date | None
    rows: list[Kept] = field(default_factory=list)
    seen: int = 0


def is_table(name: str, data: bytes, check_digit: CheckDigit) -> bool:
    """Whether a file is a table, by how it begins; else it may be papers."""
    if name.lower().endswith(".json"):
        return is_json_table(data)
    columns = header_of(data)
    return columns is not None and _kind_of(columns, kinds(check_digit)) is not None


def read_table(
    name: str,
    data: bytes,
    papers: Papers,
    check_digit: CheckDigit,
    faults: Faults,
    supersedes_from: date | None = None,
    progress: Progress = lambda _: None,
) -> Sheet | None:
    """The table of a file for which `is_table` holds; None where it can not even be told which. Adds every
    fault of its rows to `faults`.

    `supersedes_from` is used where the file does not say it itself.
    """
    known = kinds(check_digit)
    table = (open_json if is_json_table(data) else open_csv)(name, data, faults)
    if table is None:
        return None
    kind = _told_kind(table, known, faults)
    if kind is None:
        return None
    sheet = Sheet(name, kind, hashlib.sha256(data).hexdigest(), *_told(table, supersedes_from, faults))
    _Rows(sheet, papers, faults).read(table, progress)
    if not sheet.seen and not faults.total:
        faults.add(name, "", "no row", "at least one row", "Add one.")
    return sheet


def _kind_of(columns: Collection[str], known: Mapping[str, Kind]) -> Kind | None:
    """The kind of table whose columns these are most like; None where papers are as like, or nothing is."""
    present = set(columns)

    def likeness(names: Sequence[str], required: Collection[str]) -> tuple[int, int]:
        return len(present & set(names)), -len(set(required) - present)

    best = max(known.values(), key=lambda kind: likeness(kind.names, _required(kind)))
    shared = likeness(best.names, ())[0]
    papers = max(len(present & {*own, *parts}) for own, parts in FORMS.values())
    return best if shared >= 2 and shared > papers else None


def _required(kind: Kind) -> set[str]:
    return {column.name for column in kind.columns if column.required}


def _told_kind(table: Table, known: Mapping[str, Kind], faults: Faults) -> Kind | None:
    if table.columns is None:
        said = table.says.get("table", "")
        kind = known.get(said)
        if kind is None:
            expected = "one of " + ", ".join(sorted(known))
            step = "Correct the word." if said else "Say it before the rows."
            faults.add(table.file, "table", shown(said) or "nothing", expected, step)
        return kind
    kind = _kind_of(table.columns, known)
    assert kind is not None, "asked for tables alone"
    return kind if _sound_header(table, table.columns, kind, faults) else None


def _sound_header(table: Table, columns: Sequence[str], kind: Kind, faults: Faults) -> bool:
    before = faults.total
    for index, column in enumerate(columns):
        if column not in kind.names or column in columns[:index]:
            twice = "a second column" if column in kind.names else "the column"
            faults.add(
                table.file,
                f"row 1, column {index + 1}",
                f"{twice} {shown(column)!r}",
                f"columns of the table {kind.name}: " + ", ".join(kind.names),
                "Rename it or take it out.",
            )
    missing = [column.name for column in kind.columns if column.required and column.name not in columns]
    if missing:
        faults.add(
            table.file,
            "row 1",
            "no column " + ", ".join(missing),
            f"all columns that the table {kind.name} requires",
            "Add them.",
        )
    return faults.total == before


def _told(table: Table, supersedes_from: date | None, faults: Faults) -> tuple[str, date | None]:
    """The table's name, and from when it supersedes, as it says itself or as was asked."""
    values: dict[str, Any] = {"name": _stem(table.file), "supersedes_from": supersedes_from}
    for name, check in (("name", fields.text(80)), ("supersedes_from", fields.day)):
        if name in table.says:
            try:
                values[name] = check(table.says[name])
            except Misfit as misfit:
                faults.add(table.file, name, shown(table.says[name]), misfit.expected, misfit.next_step)
    return values["name"], values["supersedes_from"]


def _stem(file: str) -> str:
    return shown(file.rpartition(".")[0])[:80] or "table"


class _Rows:
    """The rows of one sheet on their way."""

    def __init__(self, sheet: Sheet, papers: Papers, faults: Faults) -> None:
        self._sheet = sheet
        self._papers = papers
        self._faults = faults
        self._columns = sheet.kind.columns
        self._names = frozenset(sheet.kind.names)
        self._remembered: dict[str, dict[str, Any]] = {column.name: {} for column in self._columns}
        self._bills = Bills(sheet.file, faults) if sheet.kind.make is None else None

    def read(self, table: Table, progress: Progress) -> None:
        """All of them."""
        sheet = self._sheet
        for cells in table.rows:
            sheet.seen += 1
            if sheet.seen % TOLD_EVERY == 0:
                progress(sheet.seen)
            values = self._values(cells)
            if self._bills is not None:
                self._bills.take(cells, values)
            elif values is not None:
                assert sheet.kind.make is not None
                self._keep(cells, sheet.kind.make(values))
        if self._bills is not None:
            for cells, bom, places in self._bills.whole():
                self._keep(cells, bom, places)

    def _keep(self, cells: Cells, row: Row, places: Mapping[str, Cells] = _NOWHERE) -> None:
        before = self._faults.total
        for bad in row_faults(row, self._papers):
            self._faults.add(
                self._sheet.file, cells.at(bad.column), shown(bad.got), bad.expected, bad.next_step
            )
        if self._faults.total == before:
            self._sheet.rows.append(Kept(len(self._sheet.rows) + 1, cells.bare(), row, places))

    def _values(self, cells: Cells) -> dict[str, Any] | None:
        """The typed values of a row, or None when one was faulty; each fault is noted."""
        values: dict[str, Any] = {}
        sound = True
        if not cells.csv:
            for name in cells.values.keys() - self._names:
                sound = False
                self._fault(
                    cells,
                    shown(name),
                    "a field of this name",
                    f"fields of the table {self._sheet.kind.name}: " + ", ".join(self._sheet.kind.names),
                    "Correct its spelling or take it out.",
                )
        for column in self._columns:
            raw = cells.values.get(column.name)
            if raw is None:
                values[column.name] = column.default
                if column.required:
                    sound = False
                    self._fault(cells, column.name, "nothing", column.what, "Add it.")
                continue
            try:
                values[column.name] = self._value(column, raw, cells.csv)
            except Misfit as misfit:
                sound = False
                self._fault(cells, column.name, _told_value(raw), misfit.expected, misfit.next_step)
        return values if sound else None

    def _value(self, column: Column, raw: Any, is_csv: bool) -> Any:
        if not isinstance(raw, str):
            return column.check(raw)
        remembered = self._remembered[column.name]
        if raw in remembered:
            return remembered[raw]
        if column.between is not None and is_csv:
            parts = [part.strip() for part in raw.split(column.between)]
            value = column.check([part for part in parts if part])
        else:
            value = column.check(raw)
        if len(remembered) < _REMEMBERED_MAX:
            remembered[raw] = value
        return value

    def _fault(self, cells: Cells, column: str, got: str, expected: str, next_step: str) -> None:
        self._faults.add(self._sheet.file, cells.at(column), got, expected, next_step)


def _told_value(raw: Any) -> str:
    if isinstance(raw, str):
        return shown(raw) or "empty text"
    if isinstance(raw, list):
        return "the list " + shown(", ".join(map(shown, raw[:8])))
    if isinstance(raw, dict):
        return "an object"
    return str(raw).lower() if isinstance(raw, bool) else shown(raw)
