# SPDX-License-Identifier: Apache-2.0
"""A judged table as entries of the center's own log: a header and parts of bounded length.

Pure. A dataset is in force with its last part, and all its entries are written in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from customs.faults import Fault
from customs.tables.reading import Sheet
from sync.customs_bodies import Dataset, Rows
from sync.decisions import Draft as Decision
from sync.entry import canonical

PART_BYTES_MAX: Final = 96 * 1024
"""Rows of one entry, whose whole body then stays below 128 KiB: as long as the longest paper, and short
enough that the docks' entries wait for none.
"""

FAULTS_TOLD_MAX: Final = 100
FAULTS_BYTES_MAX: Final = 64 * 1024
"""Faults that the record of a refused import repeats: enough to know what was wrong with it. What was
expected may be a list of names.
"""


def dataset_decisions(sheet: Sheet, dataset: str, by: str) -> list[Decision]:
    """The entries of a sheet without faults; `dataset` is an id of its own."""
    parts = list(_parts(sheet))
    header = Dataset(
        dataset,
        sheet.kind.name,
        sheet.name,
        sheet.file,
        sheet.sha256,
        len(sheet.rows),
        len(parts),
        by,
        sheet.supersedes_from,
    )
    decisions: list[Decision] = [("dataset", header)]
    first = 1
    for number, rows in enumerate(parts, 1):
        decisions.append(("rows", Rows(dataset, sheet.kind.name, number, first, rows)))
        first += len(rows)
    return decisions


def told_faults(faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """The faults that the record of a refused import repeats."""
    told: list[Fault] = []
    left = FAULTS_BYTES_MAX
    for fault in faults[:FAULTS_TOLD_MAX]:
        left -= len(canonical(fault))
        if left < 0:
            break
        told.append(fault)
    return tuple(told)


def _parts(sheet: Sheet) -> Iterator[tuple[msgspec.Raw, ...]]:
    rows: list[msgspec.Raw] = []
    size = 0
    for kept in sheet.rows:
        row = canonical(kept.row)
        if rows and size + len(row) + 1 > PART_BYTES_MAX:
            yield tuple(rows)
            rows, size = [], 0
        rows.append(msgspec.Raw(row))
        size += len(row) + 1
    yield tuple(rows)
