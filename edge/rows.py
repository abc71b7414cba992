# SPDX-License-Identifier: Apache-2.0
"""Rows of the journal's tables beside the entries: what is kept of a scan, and of a gate's passage."""

from __future__ import annotations

import json
from typing import Final

from edge.batch import PassageNote, ReadNote, UnderwayNote
from sync.entry import utc_text

RAW_BYTES_MAX: Final = 16 * 1024
"""Raw bytes kept of one scan. Links cut longer lines; the count of all bytes is kept beside it."""

EVIDENCE_BYTES_MAX: Final = 2 * 1024 * 1024
"""Evidence kept of one passage, packed: a minute of the quickest reader. The name of longer one is kept."""

INSERT_READ: Final = (
    "INSERT INTO read_evidence (device, door, at, code, raw, raw_bytes, verdict, entry_id)"
    " VALUES (?,?,?,?,?,?,?,?)"
)
INSERT_PASSAGE: Final = (
    "INSERT INTO passage_evidence"
    " (passage, door, at, closed_at, finding, sha256, evidence, evidence_bytes, entry_ids)"
    " VALUES (?,?,?,?,?,?,?,?,?)"
)

INSERT_UNDERWAY: Final = (
    "INSERT OR IGNORE INTO passage_underway (passage, door, at, epc, pc) VALUES (?,?,?,?,?)"
)
DELETE_UNDERWAY: Final = "DELETE FROM passage_underway WHERE passage = ?"


def read_row(note: ReadNote) -> tuple[object, ...]:
    """A scan as INSERT_READ takes it."""
    return (
        note.device,
        note.door,
        utc_text(note.at),
        note.code,
        note.raw[:RAW_BYTES_MAX],
        len(note.raw),
        note.verdict,
        note.entry_id,
    )


def passage_row(note: PassageNote) -> tuple[object, ...]:
    """A passage as INSERT_PASSAGE takes it."""
    size = len(note.evidence)
    return (
        note.passage,
        note.door,
        utc_text(note.at),
        utc_text(note.closed_at),
        note.finding,
        note.sha256,
        note.evidence if 0 < size <= EVIDENCE_BYTES_MAX else None,
        size,
        json.dumps(note.entry_ids),
    )


def underway_row(note: UnderwayNote) -> tuple[object, ...]:
    """What is kept of a passage under way, as INSERT_UNDERWAY takes it."""
    return (note.passage, note.door, utc_text(note.at), note.epc, note.pc)
