# SPDX-License-Identifier: Apache-2.0
"""What the publisher is given and what it says of itself: the log's side, its settings, its health.

Values and protocols only. Whoever owns a log implements `EventSource` and `CursorStore`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from sync.broker import BrokerSettings
from sync.entry import Place

SINK: Final = "mqtt"
"""The name of this sink in `skipped` entries and cursors."""


@dataclass(frozen=True, slots=True)
class Told:
    """An entry that was told: committed and anchored. `record` is its exact bytes."""

    place: Place
    record: bytes


class EventSource(Protocol):
    """The log as the publisher sees it: told entries only, epochs oldest first, each by seq."""

    async def after(self, place: Place | None, limit: int) -> Sequence[Told]:
        """At most `limit` entries behind `place`; from the beginning when it is None."""
        ...

    async def wait(self, place: Place | None) -> None:
        """Return as soon as `after(place, 1)` is not empty."""
        ...

    async def original(self, entry_id: str) -> bytes | None:
        """The record of an entry, for the correction that undoes it."""
        ...

    async def door_count(self, door: str, upto: Place) -> int:
        """How many entries of DOOR_EVENTS types `door` has in the epoch of `upto`, that one included."""
        ...


class CursorStore(Protocol):
    """Where the cursor is kept. Both calls return at once."""

    def load(self) -> Place | None:
        """The place saved last, None at first."""
        ...

    def save(self, place: Place) -> None:
        """Keep the place; it may become durable later, then some events come twice."""
        ...


class MqttState(StrEnum):
    """The publisher in one word. DEGRADED works, but something cannot be known or is not taken."""

    OFF = "off"
    CONNECTING = "connecting"
    READY = "ready"
    BLOCKED = "blocked"
    DEGRADED = "degraded"


@dataclass(frozen=True, slots=True)
class MqttHealth:
    """The publisher now: `detail` is a sentence for a person, `alarm` set while `blocked` stops the cursor.

    Counts are since the start. `oldest` is when the first unanswered entry was recorded.
    """

    state: MqttState
    detail: str
    alarm: str | None
    blocked: Place | None
    cursor: Place | None
    in_flight: int
    published: int
    no_subscribers: int
    refused: int
    states_refused: int
    left_out: int
    connections: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """How to publish. `records` is the address below which whole records are served.

    Entries recorded more than `replay_after_seconds` ago are marked as replay and sent at no more than
    `replay_per_second_max`; those older than `age_seconds_max` (None: never) are left out by an entry that
    names the range. Between `retry_seconds_min` and `retry_seconds_max` pass between two attempts.
    """

    broker: BrokerSettings
    records: str | None = None
    window_max: int = 100
    replay_after_seconds: float = 60.0
    replay_per_second_max: int = 200
    age_seconds_max: float | None = None
    retry_seconds_min: float = 0.5
    retry_seconds_max: float = 30.0
