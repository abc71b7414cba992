# SPDX-License-Identifier: Apache-2.0
"""The node's figures: their names, what they mean, how they are gathered. docs/operate lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edge.journal import JournalCounters
from edge.passage import PassageKind

HELP: Final[dict[str, str]] = {
    "zonegate_entries_total": "Entries written since start, by type.",
    "zonegate_scans_total": "Reads judged since start, repeats included.",
    "zonegate_journal_commits_total": "Group commits since the journal was opened.",
    "zonegate_journal_commit_seconds_total": "Time in commits and anchors since the journal was opened.",
    "zonegate_journal_queue": "Entries that wait to be committed.",
    "zonegate_journal_heartbeat_age_seconds": "Time since the writer last committed or was idle.",
    "zonegate_journal_reads_left_out_total": "Scans not kept as evidence since the journal was opened.",
    "zonegate_journal_passages_left_out_total": "Passages not kept as evidence since the journal was opened.",
    "zonegate_recording": "1 while entries can be written, 0 while every door says STOP.",
    "zonegate_clock_synchronized": "1 while the kernel says its clock is in step.",
    "zonegate_behind": "Entries that a sink has not confirmed, by sink.",
    "zonegate_open_holds": "Holds that wait for a decision.",
    "zonegate_zone_suspended": "1 while the center has the zone suspended and every door says STOP, else 0.",
    "zonegate_device_reads_total": "Reads of a device since start.",
    "zonegate_device_dropped_total": "Reads of a device dropped in a flood since start.",
    "zonegate_reader_frames_skipped_total": "Frames of a reader that could not be understood, since start.",
    "zonegate_eyes_left_out": "Photo eyes of a reader that the gate leaves out of account now.",
    "zonegate_device_reconnects_total": "Times a device came back since start.",
    "zonegate_passages_total": "Passages through gates judged since start, by kind.",
    "zonegate_tags_sighted_total": "Tags challenged on the move since start.",
    "zonegate_gate_left_out_total": "Reads and more that the gate could not take since start, by reason.",
    "zonegate_frames_left_out_total": "Pictures of cameras not kept as evidence since start.",
}


def journal_figures(counters: JournalCounters, now_ns: int) -> dict[str, Any]:
    """Figures of the journal's writer; `now_ns` is monotonic."""
    return {
        "zonegate_journal_commits_total": counters.batches,
        "zonegate_journal_commit_seconds_total": counters.commit_ns_sum / 1e9,
        "zonegate_journal_queue": counters.queued,
        "zonegate_journal_reads_left_out_total": counters.reads_left_out,
        "zonegate_journal_passages_left_out_total": counters.passages_left_out,
        "zonegate_journal_heartbeat_age_seconds": (now_ns - counters.heartbeat_ns) / 1e9,
    }


def entry_figures(counts: Mapping[str, int]) -> dict[str, Any]:
    """Figures of the dock: entries by type, and scans."""
    entries = [({"type": kind}, count) for kind, count in sorted(counts.items()) if kind != "scans"]
    return {"zonegate_entries_total": entries, "zonegate_scans_total": counts.get("scans", 0)}


def passage_figures(counts: Mapping[str, int], left_out: Mapping[str, int]) -> dict[str, Any]:
    """Figures of the gate: passages by kind, tags that were challenged, and what it could not take."""
    passages = [({"kind": kind.value}, counts.get(kind.value, 0)) for kind in PassageKind]
    return {
        "zonegate_passages_total": passages,
        "zonegate_tags_sighted_total": counts.get("sighted", 0),
        "zonegate_gate_left_out_total": [({"reason": why}, count) for why, count in left_out.items()],
    }
