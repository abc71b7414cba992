# SPDX-License-Identifier: Apache-2.0
"""Which instants the books can hold, and what a person who names another one is told.

Pure; knows neither the record nor the database.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from central.errors import Denied, UnreadableEntry
from sync.entry import Entry

FIRST: Final = datetime(2, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9998, 12, 31, tzinfo=UTC)
"""Between them every time zone has a day for each instant, and the database a place."""

_NAMES: Final = ("happened", "corrected", "since", "until")
"""Instants that bodies name."""


def can_be_booked(at: datetime) -> bool:
    """Whether the books can hold an instant, whatever its offset."""
    return at.tzinfo is not None and FIRST <= at <= _LAST


def bookable(at: datetime) -> datetime:
    """An instant that somebody names, in UTC; Denied (400) where the books cannot hold it."""
    if not can_be_booked(at):
        raise Denied(400, f"{at.isoformat()} is no time of the books", "Name one of the years 2 to 9998.")
    return at.astimezone(UTC)


def happened(at: datetime | None, now: datetime) -> datetime:
    """When an act happened, in UTC: now where nobody says so. Denied (400, 409) for what the books cannot
    hold, and for what is still to come.
    """
    if at is None:
        return now
    found = bookable(at)
    if found > now:
        raise Denied(409, f"{found:%Y-%m-%d %H:%M:%S} UTC has not come", "Say when it happened.")
    return found


def with_bookable(entry: Entry, body: Any) -> Any:
    """An entry's body, all of whose instants the books can hold; UnreadableEntry for any other."""
    for at in (entry.occurred_at, *(getattr(body, name, None) for name in _NAMES)):
        if isinstance(at, datetime) and not can_be_booked(at):
            raise UnreadableEntry(f"{at.isoformat()} is no time of the books")
    return body
