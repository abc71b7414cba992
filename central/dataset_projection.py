# SPDX-License-Identifier: Apache-2.0
"""What entries of customs data mean for the books: a dataset's header, and rows with their keys and days.

Pure, as `central.projections` is, which calls it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from central.errors import UnreadableEntry
from customs.tables.judging import days_of
from customs.tables.kinds import Kind, kinds
from gs1 import check_digit
from sync.customs_bodies import Dataset, Rows

if TYPE_CHECKING:
    from central.projections import Batch, Source

ORDER: Final = ("put_dataset", "dataset_row", "take_rows")
"""As `central.projections.ORDER`."""

COPIED: Final = {
    "dataset_row": ("dataset", "number", "kind", "key", "valid_from", "valid_to", "body"),
}
"""As `central.projections.COPIED`."""


def kind_of(name: str) -> Kind:
    """A kind of table. UnreadableEntry when this version does not know it."""
    kind = kinds(check_digit).get(name)
    if kind is None:
        raise UnreadableEntry(f"this version knows no table {name[:40]!r}; update it")
    return kind


def row_of(kind: Kind, body: bytes | str) -> Any:
    """A stored row, typed. UnreadableEntry when it does not fit its kind."""
    try:
        return _decoder(kind.name).decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UnreadableEntry(f"a row of the table {kind.name} cannot be read: {error}") from error


def _dataset(source: Source, body: Dataset, batch: Batch) -> None:
    kind_of(body.kind)
    batch.add(
        "put_dataset",
        body.dataset,
        body.kind,
        body.name,
        body.file,
        body.sha256,
        body.rows,
        body.parts,
        body.supersedes_from,
        body.by,
        source.entry.recorded_at,
        source.entry.entry_id,
    )


def _rows(source: Source, body: Rows, batch: Batch) -> None:
    kind = kind_of(body.kind)
    for number, raw in enumerate(body.rows, body.first):
        row = row_of(kind, bytes(raw))
        first, last = days_of(row)
        batch.add(
            "dataset_row",
            body.dataset,
            number,
            body.kind,
            kind.key(row),
            None if first == date.min else first,
            None if last == date.max else last,
            bytes(raw).decode(),
        )
    batch.add("take_rows", body.dataset, source.entry.epoch, source.entry.seq)


PROJECT: Final[dict[str, Callable[[Source, Any, Batch], None]]] = {"dataset": _dataset, "rows": _rows}
"""As `central.projections.project` looks them up, by the entry's type."""


@cache
def _decoder(kind: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kinds(check_digit)[kind].row_type)
