# SPDX-License-Identifier: Apache-2.0
"""The center's counters in Prometheus' text form, for /metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

METRICS: Final[dict[str, tuple[str, str]]] = {
    "zonegate_center_exchanges_total": ("counter", "Asks that came, since the start."),
    "zonegate_center_entries_taken_total": ("counter", "Node entries stored, since the start."),
    "zonegate_center_refused_total": ("counter", "Asks or parts of them that were refused, since the start."),
    "zonegate_center_imports_total": ("counter", "Imports that were taken, since the start."),
    "zonegate_center_conflicts_total": ("counter", "Entries that conflicted with stored ones: an alarm."),
    "zonegate_center_entries": ("gauge", "Entries of all logs that are stored."),
    "zonegate_center_open_holds": ("gauge", "Holds that wait for a decision."),
    "zonegate_center_unreadable": ("gauge", "Entries that the books could not take."),
    "zonegate_center_alarms": ("gauge", "Things that must not have happened and are not settled."),
    "zonegate_center_cases": ("gauge", "Cases that wait for a person."),
    "zonegate_center_lends": ("gauge", "1 while permits are lent to docks, 0 while the roll call waits."),
    "zonegate_center_suspended": ("gauge", "1 while the zone is suspended and every door says STOP, else 0."),
    "zonegate_center_held": ("gauge", "Agency and quality holds that stand."),
    "zonegate_center_books_behind": ("gauge", "Own entries that the books have not taken yet."),
}

_COUNTERS: Final = {
    "exchanges": "zonegate_center_exchanges_total",
    "entries": "zonegate_center_entries_taken_total",
    "refused": "zonegate_center_refused_total",
    "imports": "zonegate_center_imports_total",
    "conflicts": "zonegate_center_conflicts_total",
}

_FIGURES: Final = {
    "entries": "zonegate_center_entries",
    "open_holds": "zonegate_center_open_holds",
    "unreadable": "zonegate_center_unreadable",
    "books_behind": "zonegate_center_books_behind",
    "alarms": "zonegate_center_alarms",
    "cases": "zonegate_center_cases",
    "lends": "zonegate_center_lends",
    "suspended": "zonegate_center_suspended",
    "held": "zonegate_center_held",
}


def exposition(counters: Mapping[str, int], figures: Mapping[str, Any]) -> str:
    """All metrics as text."""
    values = {_COUNTERS[name]: count for name, count in counters.items()}
    values |= {_FIGURES[name]: int(value) for name, value in figures.items()}
    lines = []
    for name, (kind, meaning) in METRICS.items():
        lines += [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}", f"{name} {values[name]}"]
    return "\n".join(lines) + "\n"
