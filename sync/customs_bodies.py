# SPDX-License-Identifier: Apache-2.0
"""Bodies of the center's entries for imports and tables of customs data, and for what was refused there;
`sync.bodies` lists them.

Nodes never get any of these but the papers themselves: they are a zone user's own figures.
"""

from __future__ import annotations

from datetime import date

import msgspec

from customs.faults import Fault


class Imported(msgspec.Struct, frozen=True):
    """The center's import of one file: who, when it came and its SHA-256, for the audit."""

    file: str
    sha256: str
    by: str
    products: int
    permits: int
    trucks: int


class Dataset(msgspec.Struct, frozen=True):
    """The center's import of one table of customs data; its `rows` entries follow, `parts` of them. It is in
    force with the last of them. `supersedes_from`: rows on file under the same keys are law only up to the
    day before. Nodes never get it, nor its rows: they are a zone user's own figures.
    """

    dataset: str
    kind: str
    name: str
    file: str
    sha256: str
    rows: int
    parts: int
    by: str
    supersedes_from: date | None = None


class Rows(msgspec.Struct, frozen=True):
    """Part of a dataset, from 1: rows as their types of customs.tables.kinds write them, in canonical JSON;
    `first` is the number of the first one, from 1.
    """

    dataset: str
    kind: str
    part: int
    first: int
    rows: tuple[msgspec.Raw, ...]


class ImportRefused(msgspec.Struct, frozen=True):
    """An import that was refused whole: nothing of it is in the books. `rows` are those that were read,
    `faults` the first ones, `total` counts all.
    """

    file: str
    sha256: str
    bytes: int
    rows: int
    faults: tuple[Fault, ...]
    total: int
    by: str


class ActRefused(msgspec.Struct, frozen=True):
    """An act of a person at the center that was refused: nothing of it is in the books. `act` is its name in
    the interface, `said` the beginning of what came, made fit to be shown; `sha256` and `bytes` are of all of
    it. `status` is that of HTTP, `why` and `next` what the person was told.
    """

    act: str
    said: str
    sha256: str
    bytes: int
    status: int
    why: str
    next: str
    by: str
