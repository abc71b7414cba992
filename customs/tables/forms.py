# SPDX-License-Identifier: Apache-2.0
"""Tables as files have them: CSV with a header, or JSON with rows, streamed a row at a time.

A file is never held as objects, whatever its length: one row is, and its bound stands here. What may stand
in a row is judged elsewhere.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from customs import jsontext
from customs.faults import Faults, shown

ROWS_MAX: Final = 200_000
"""Rows of one table: the whole tariff in all its columns, or the admissions of many years. Kept typed they
are some 200 MiB, which a center has; a table of a million lines is refused before a row of it is read.
"""

TABLE_BYTES_MAX: Final = 64 * 1024 * 1024
"""All tables of one import: ROWS_MAX rows of more than 300 bytes."""

ROW_BYTES_MAX: Final = 16 * 1024
"""One row: every column of the widest table filled to its own bound fits."""

COLUMNS_MAX: Final = 60
"""More than the widest table has, twice."""

_BOM: Final = codecs.BOM_UTF8
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_TABLE: Final = re.compile(
    rb'(?:\xef\xbb\xbf)?\s*\{\s*"(?:table|rows|supersedes_from|name"\s*:.*"table)"\s*:', re.DOTALL
)
_BLANK: Final = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Cells:
    """A row as it came. `at` tells where its columns stand, for faults."""

    number: int
    values: dict[str, Any]
    csv: bool

    def at(self, column: str) -> str:
        """Where a column of it stands; of the row itself without one."""
        if self.csv:
            return f"row {self.number}, column {column}" if column else f"row {self.number}"
        return jsontext.joined(f"rows[{self.number}]", column)

    def bare(self) -> Cells:
        """Where it stands, without what stood there."""
        return Cells(self.number, {}, self.csv)


@dataclass(slots=True)
class Table:
    """An open table: what it says of itself, and the rows to be read. `columns` are those of a CSV header,
    None for JSON, whose rows name their fields each.
    """

    file: str
    columns: list[str] | None
    rows: Iterator[Cells]
    says: dict[str, str] = field(default_factory=dict)


def is_json_table(data: bytes) -> bool:
    """Whether bytes begin as the JSON form of a table does: with what it says of itself."""
    return _TABLE.match(data[:4096]) is not None


def header_of(data: bytes) -> list[str] | None:
    """The column names of a CSV file; None where the first line is none that can be read."""
    line = io.BytesIO(data).readline(ROW_BYTES_MAX).removeprefix(_BOM)
    try:
        return [cell.strip() for cell in next(csv.reader([line.decode()], strict=True))][: COLUMNS_MAX + 1]
    except (UnicodeDecodeError, csv.Error, StopIteration):
        return None


def open_csv(name: str, data: bytes, faults: Faults) -> Table | None:
    """A CSV table: commas, quotes where needed, one line a row. None, and a fault, when it is none."""
    if data.startswith(_UTF16) or b"\x00" in data[:ROW_BYTES_MAX]:
        faults.add(
            name, "byte 0", "UTF-16 or NUL bytes", "UTF-8 text", "Save the file as CSV UTF-8 and try again."
        )
        return None
    lines = data.count(b"\n")
    if lines > ROWS_MAX + 1:
        faults.add(name, "", f"{lines} lines", f"at most {ROWS_MAX} rows in one table", "Split the file.")
        return None
    columns = header_of(data)
    if not columns or not any(columns):
        faults.add(name, "row 1", "no column names", "a row with the column names", "Add the header row.")
        return None
    return Table(name, columns, _csv_rows(name, data, columns, faults))


def _csv_rows(name: str, data: bytes, columns: Sequence[str], faults: Faults) -> Iterator[Cells]:
    stream = io.BytesIO(data)
    stream.readline()
    number = 1
    while line := stream.readline(ROW_BYTES_MAX + 1):
        number += 1
        where = f"row {number}"
        if len(line) > ROW_BYTES_MAX:
            faults.add(
                name,
                where,
                "a longer row",
                f"at most {ROW_BYTES_MAX} bytes a row",
                "Shorten it; look for a missing line end.",
            )
            while line and not line.endswith(b"\n"):
                line = stream.readline(ROW_BYTES_MAX)
            continue
        cells = _cells(name, where, line, faults)
        if cells is None or not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            faults.add(
                name,
                where,
                f"{len(cells)} columns",
                f"{len(columns)} as in the header",
                "Quote cells that contain a comma.",
            )
            continue
        values = {
            column: stripped
            for column, cell in zip(columns, cells, strict=True)
            if (stripped := cell.strip())
        }
        yield Cells(number, values, csv=True)


def _cells(name: str, where: str, line: bytes, faults: Faults) -> list[str] | None:
    """The cells of one line. No cell spans lines: a quote that is left open is found where it stands."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        faults.add(
            name,
            f"{where}, byte {error.start + 1}",
            f"the byte 0x{line[error.start]:02x}",
            "UTF-8 text",
            "Save the file as UTF-8 (in a spreadsheet: CSV UTF-8).",
        )
        return None
    text = text.rstrip("\r\n")
    if "\x00" in text or "\r" in text:
        got = "a NUL character" if "\x00" in text else "a lone carriage return"
        faults.add(name, where, got, "text with one line a row", "Save the file again as CSV UTF-8.")
        return None
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        faults.add(
            name, where, str(error), "comma-separated cells, each ended on its line", "Correct the quotes."
        )
        return None


# -- JSON ------------------------------------------------------------------------------------------

SAYS: Final = ("table", "name", "supersedes_from")
"""What a JSON table says of itself before its rows."""


class _Text:
    """A window on UTF-8 bytes that always shows at least ROW_BYTES_MAX characters, or all that are left."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._window = ""
        self._at = 0
        self._line = 1

    def ahead(self) -> tuple[str, int]:
        """The characters to come, blanks passed over: the window, and where in it they begin."""
        while True:
            blank = _BLANK.match(self._window, self._at)
            assert blank is not None
            self._move(blank.end())
            if len(self._window) - self._at > ROW_BYTES_MAX or not self._more():
                return self._window, self._at

    def pass_to(self, at: int) -> None:
        """Go on to a place of the window."""
        self._move(at)

    def where(self) -> str:
        """The line, for a fault."""
        return f"line {self._line}"

    def _move(self, to: int) -> None:
        self._line += self._window.count("\n", self._at, to)
        self._at = to

    def _more(self) -> bool:
        chunk = self._stream.read(8 * ROW_BYTES_MAX)
        self._window = self._window[self._at :] + self._decoder.decode(chunk, final=not chunk)
        self._at = 0
        return bool(chunk)


class _Syntax(Exception):
    """No JSON, or none of the form that tables have: where, what came, what was expected."""

    def __init__(self, where: str, got: str, expected: str) -> None:
        super().__init__(got)
        self.where, self.got, self.expected = where, got, expected


def open_json(name: str, data: bytes, faults: Faults) -> Table | None:
    """A JSON table: an object of `table`, what else it says of itself, and at its end `rows`."""
    objects = data.count(b"{") - 1
    if objects > 2 * ROWS_MAX:  # each row has one; a text may have more
        faults.add(name, "", f"{objects} objects", f"at most {ROWS_MAX} rows in one table", "Split the file.")
        return None
    text = _Text(data)
    says: dict[str, str] = {}
    try:
        _take(text, "{")
        while True:
            key = _value(text)
            _take(text, ":")
            if key == "rows":
                _take(text, "[")
                break
            value = _value(text)
            if key not in SAYS or key in says or not isinstance(value, str):
                raise _Syntax(
                    text.where(),
                    f"{jsontext.named(key)} of {jsontext.named(value)}",
                    "table, name and supersedes_from as text, each once, then rows",
                )
            says[key] = value
            _take(text, ",")
    except (_Syntax, UnicodeDecodeError) as error:
        _report(name, error, faults)
        return None
    return Table(name, None, _json_rows(name, text, faults), says)


def _json_rows(name: str, text: _Text, faults: Faults) -> Iterator[Cells]:
    number = 0
    try:
        while not _next(text, "]"):
            if number:
                _take(text, ",")
            if number >= ROWS_MAX:
                raise _Syntax(f"rows[{number}]", "more rows", f"at most {ROWS_MAX} rows in one table")
            value = _value(text)
            if isinstance(value, jsontext.Object):
                jsontext.report_twice(name, f"rows[{number}]", value, faults)
                yield Cells(number, value, csv=False)
            else:
                faults.add(
                    name,
                    f"rows[{number}]",
                    jsontext.named(value),
                    "an object",
                    "Write the row's fields in braces.",
                )
            number += 1
        _take(text, "]")
        _take(text, "}")
        window, at = text.ahead()
        if at < len(window):
            raise _Syntax(text.where(), shown(window[at : at + 20]), "nothing after the table")
    except (_Syntax, UnicodeDecodeError) as error:
        _report(name, error, faults)


def _value(text: _Text) -> Any:
    """The next value, of bounded length."""
    window, at = text.ahead()
    try:
        value, end = jsontext.DECODER.raw_decode(window, at)
    except json.JSONDecodeError as error:
        is_cut = error.pos - at >= ROW_BYTES_MAX or error.msg.startswith("Unterminated")
        if is_cut and len(window) - at > ROW_BYTES_MAX:
            raise _too_long(text) from error
        raise _Syntax(text.where(), error.msg, "JSON") from error
    except RecursionError as error:
        raise _Syntax(text.where(), "lists in lists without end", "JSON of a few levels") from error
    if end - at > ROW_BYTES_MAX:
        raise _too_long(text)
    text.pass_to(end)
    return value


def _too_long(text: _Text) -> _Syntax:
    return _Syntax(text.where(), "a longer value", f"at most {ROW_BYTES_MAX} characters a row")


def _next(text: _Text, sign: str) -> bool:
    """Whether the next sign is this one."""
    window, at = text.ahead()
    return window.startswith(sign, at)


def _take(text: _Text, sign: str) -> None:
    window, at = text.ahead()
    if not window.startswith(sign, at):
        got = shown(window[at : at + 20]) or "the end of the file"
        raise _Syntax(text.where(), got, f"the sign {sign}")
    text.pass_to(at + 1)


def _report(name: str, error: _Syntax | UnicodeDecodeError, faults: Faults) -> None:
    if isinstance(error, _Syntax):
        faults.add(name, error.where, error.got, error.expected, "Correct it there.")
    else:
        got = f"the byte 0x{error.object[error.start]:02x}"
        faults.add(name, "", got, "UTF-8 text", "Save the file as UTF-8.")
