# SPDX-License-Identifier: Apache-2.0
"""JSON and CSV files brought into one raw form, with the place of every value kept for faults.

Knows which fields a paper has by name, not what may stand in them; `customs.imports` judges values.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from customs import jsontext
from customs.faults import Faults, shown

ROWS_MAX: Final = 20_000
"""Rows of one CSV file, and documents of one JSON file: more than a year of a busy zone's trucks."""

COLUMNS_MAX: Final = 40
"""More than twice the columns of the widest form."""

FORMS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "product": (("gtin", "name", "unit", "per_pallet"), ()),
    "permit": (
        ("number", "kind", "owner", "valid_from", "valid_to", "rules"),
        ("line", "product", "status", "quantity", "unit", "direction", "quota_opens", "quota_closes"),
    ),
    "truck": (
        ("job", "conveyance", "carrier", "door", "direction", "seals", "permit_lines", "in_bond"),
        ("sscc", "gtin", "quantity", "lot", "owner", "status", "expiry", "imported"),
    ),
}
"""Each paper's own fields and those of its parts (a permit's lines, a truck's loads)."""

PARTS: Final = {"permit": "lines", "truck": "loads"}
"""The JSON field that holds a paper's parts."""

LISTS: Final = frozenset({"rules", "seals", "permit_lines"})
"""Fields that hold several values: a list in JSON, separated by blanks in CSV."""

SCHEMAS: Final = {
    "product": "zonegate.product.v1",
    "permit": "zonegate.permit.v1",
    "truck": "zonegate.truck.v1",
}

_NUMBER: Final = {"product": "gtin", "permit": "number", "truck": "job"}
_SECTIONS: Final = {"products": "product", "permits": "permit", "trucks": "truck"}


@dataclass(slots=True)
class Raw:
    """A paper, or a part of one, as the file held it. `at(field)` tells where a field stood.

    `whole` is False when its parts were no list, which is noted as a fault already.
    """

    kind: str
    file: str
    at: Callable[[str], str]
    values: dict[str, Any]
    parts: list[Raw] = field(default_factory=list)
    whole: bool = True


def read_file(name: str, data: bytes, faults: Faults) -> list[Raw]:
    """The papers of one file, by its name's ending (.json or .csv)."""
    ending = name.lower().rpartition(".")[2]
    if ending not in ("json", "csv"):
        faults.add(
            name, "", f"the ending {shown(ending)!r}", "a file name ending in .json or .csv", "Rename it."
        )
        return []
    content = _decoded(name, data, faults)
    if content is None:
        return []
    return list(
        _json_papers(name, content, faults) if ending == "json" else _csv_papers(name, content, faults)
    )


def _decoded(name: str, data: bytes, faults: Faults) -> str | None:
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        faults.add(
            name,
            f"byte {error.start}",
            f"the byte 0x{data[error.start]:02x}",
            "UTF-8 text",
            "Save the file as UTF-8 (in a spreadsheet: CSV UTF-8).",
        )
        return None
    if "\x00" in content:
        at = content.index("\x00")
        faults.add(name, f"character {at}", "a NUL character", "text", "Save the file as UTF-8, not UTF-16.")
        return None
    return content


# -- JSON ------------------------------------------------------------------------------------------


def _json_papers(name: str, content: str, faults: Faults) -> Iterator[Raw]:
    try:
        value = jsontext.decode(content)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        faults.add(name, where, error.msg, "JSON", "Correct the syntax there.")
        return
    except RecursionError:
        faults.add(name, "", "lists in lists without end", "JSON of a few levels", "Use the documented form.")
        return
    yield from _json_documents(name, value, faults)


def _json_documents(name: str, value: Any, faults: Faults) -> Iterator[Raw]:
    if isinstance(value, list):
        yield from _json_list(name, "", value, None, faults)
        return
    if not isinstance(value, jsontext.Object):
        faults.add(
            name, "", jsontext.named(value), "an object or a list of objects", "Use the documented form."
        )
        return
    if not _SECTIONS.keys() & value.keys():
        paper = _json_paper(name, "", value, None, faults)
        if paper is not None:
            yield paper
        return
    jsontext.report_twice(name, "", value, faults)
    for key, items in value.items():
        kind = _SECTIONS.get(key)
        if kind is None:
            faults.add(
                name, shown(key), "this field", "products, permits, trucks", "Take it out or rename it."
            )
        elif not isinstance(items, list):
            faults.add(name, key, jsontext.named(items), "a list", "Write a list of objects.")
        else:
            yield from _json_list(name, key, items, kind, faults)


def _json_list(name: str, prefix: str, items: list[Any], kind: str | None, faults: Faults) -> Iterator[Raw]:
    if len(items) > ROWS_MAX:
        faults.add(
            name, prefix, f"{len(items)} documents", f"at most {ROWS_MAX} in one file", "Split the file."
        )
        return
    for index, item in enumerate(items):
        paper = _json_paper(name, f"{prefix}[{index}]", item, kind, faults)
        if paper is not None:
            yield paper


def _json_paper(name: str, path: str, item: Any, kind: str | None, faults: Faults) -> Raw | None:
    if not isinstance(item, jsontext.Object):
        faults.add(name, path, jsontext.named(item), "an object", "Write the document in braces.")
        return None
    kind = kind or _kind_by_fields(item)
    if kind is None:
        faults.add(
            name,
            path,
            "an object with " + (", ".join(map(shown, list(item)[:8])) or "no fields"),
            "a product (gtin), a permit (number) or a truck (job)",
            "Add the field `schema` or the document's number.",
        )
        return None
    values = dict(item)
    schema = values.pop("schema", SCHEMAS[kind])
    if schema != SCHEMAS[kind]:
        faults.add(
            name,
            jsontext.joined(path, "schema"),
            shown(schema),
            SCHEMAS[kind],
            "Use the form of this version.",
        )
    parts = _json_parts(name, path, kind, values, faults)
    _report_fields(name, path, item, {*FORMS[kind][0], "schema", PARTS.get(kind, "schema")}, faults)
    return Raw(kind, name, _path_of(path), values, parts or [], whole=parts is not None)


def _json_parts(name: str, path: str, kind: str, values: dict[str, Any], faults: Faults) -> list[Raw] | None:
    key = PARTS.get(kind)
    items = values.pop(key, []) if key else []
    where = jsontext.joined(path, key or "")
    if not isinstance(items, list) or len(items) > ROWS_MAX:
        faults.add(
            name, where, jsontext.named(items), f"a list of at most {ROWS_MAX}", "Write a list of objects."
        )
        return None
    parts = []
    for index, item in enumerate(items):
        at = f"{where}[{index}]"
        if isinstance(item, jsontext.Object):
            _report_fields(name, at, item, set(FORMS[kind][1]), faults)
            parts.append(Raw(kind, name, _path_of(at), dict(item)))
        else:
            faults.add(name, at, jsontext.named(item), "an object", "Write its fields in braces.")
    return parts


def _kind_by_fields(item: dict[str, Any]) -> str | None:
    for kind, schema in SCHEMAS.items():
        if item.get("schema") == schema:
            return kind
    return next((kind for kind in ("permit", "truck", "product") if _NUMBER[kind] in item), None)


def _report_fields(name: str, path: str, item: jsontext.Object, allowed: set[str], faults: Faults) -> None:
    jsontext.report_twice(name, path, item, faults)
    for key in item.keys() - allowed:
        faults.add(
            name,
            jsontext.joined(path, shown(key)),
            "a field of this name",
            "only " + ", ".join(sorted(allowed)),
            "Correct its spelling or take it out.",
        )


def _path_of(path: str) -> Callable[[str], str]:
    return lambda name: jsontext.joined(path, name) if name else path


# -- CSV -------------------------------------------------------------------------------------------


def _csv_papers(name: str, content: str, faults: Faults) -> Iterator[Raw]:
    rows = _rows(name, content, faults)
    header = next(rows, None)
    if header is None:
        faults.add(name, "row 1", "nothing", "a row with the column names", "Add the header row.")
        return
    columns = [cell.strip() for _, cell in zip(range(COLUMNS_MAX + 1), header[1], strict=False)]
    kind = _csv_kind(name, columns, faults)
    if kind is None:
        return
    papers: dict[str, _Sheet] = {}
    for number, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            faults.add(
                name,
                f"row {number}",
                f"{len(cells)} columns",
                f"{len(columns)} as in the header",
                "Quote cells that contain a comma.",
            )
            continue
        values = {
            column: cell.split() if column in LISTS else cell.strip()
            for column, cell in zip(columns, cells, strict=True)
            if cell.strip()
        }
        _add_row(name, kind, number, values, papers, faults)
    yield from (sheet.paper for sheet in papers.values())


@dataclass(slots=True)
class _Sheet:
    """A paper that grows by rows; `row` is its first one."""

    paper: Raw
    row: int


def _add_row(
    name: str, kind: str, number: int, values: dict[str, Any], papers: dict[str, _Sheet], faults: Faults
) -> None:
    own_fields, part_fields = FORMS[kind]
    own = {key: value for key, value in values.items() if key in own_fields}
    part = {key: value for key, value in values.items() if key in part_fields}
    at = _row_of(number)
    key = str(own.get(_NUMBER[kind], "")) if part_fields else f"row {number}"
    sheet = papers.get(key)
    if sheet is None:
        sheet = papers[key] = _Sheet(Raw(kind, name, at, own), number)
    else:
        for column in own_fields:
            if own.get(column) != sheet.paper.values.get(column):
                faults.add(
                    name,
                    at(column),
                    shown(own.get(column, "nothing")),
                    f"the same as in row {sheet.row}: {shown(sheet.paper.values.get(column, 'nothing'))}",
                    f"All rows of one {kind} repeat its own columns.",
                )
    if part:
        sheet.paper.parts.append(Raw(kind, name, at, part))


def _rows(name: str, content: str, faults: Faults) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    number = 0
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            faults.add(
                name, f"row {number + 1}", str(error), "comma-separated cells", "Correct the quotes there."
            )
            return
        if cells is None:
            return
        number += 1
        if number > ROWS_MAX + 1:
            faults.add(name, f"row {number}", "more rows", f"at most {ROWS_MAX} rows", "Split the file.")
            return
        yield number, cells


def _csv_kind(name: str, columns: Sequence[str], faults: Faults) -> str | None:
    kind = next((kind for kind in ("permit", "truck", "product") if _NUMBER[kind] in columns), None)
    if kind is None:
        numbers = ", ".join(f"{number} ({kind}s)" for kind, number in _NUMBER.items())
        step = (
            "Separate the columns by commas, not semicolons."
            if any(";" in column for column in columns)
            else "Use the documented column names."
        )
        faults.add(
            name,
            "row 1",
            shown(", ".join(columns)),
            f"a column named one of {numbers}, or the columns of a table",
            step,
        )
        return None
    allowed = [*FORMS[kind][0], *FORMS[kind][1]]
    sound = True
    for index, column in enumerate(columns):
        if column not in allowed or column in columns[:index]:
            sound = False
            twice = "a second column" if column in allowed else "the column"
            faults.add(
                name,
                f"row 1, column {index + 1}",
                f"{twice} {shown(column)!r}",
                f"columns of a {kind}: " + ", ".join(allowed),
                "Rename it or take it out.",
            )
    return kind if sound else None


def _row_of(number: int) -> Callable[[str], str]:
    return lambda name: f"row {number}, column {name}" if name else f"row {number}"
