# SPDX-License-Identifier: Apache-2.0
"""The one place that names topics, and the small flat states that are retained on them.

    zonegate/v1/{tenant}/{zone}/{node}/{door}/event/{type}      what happened, QoS 1
    zonegate/v1/{tenant}/{zone}/{node}/{door}/state/{kind}      what is now, QoS 1, retained
    zonegate/v1/{tenant}/{zone}/{node}/status                   QoS 1, retained, with a last will
    zonegate/v1/{tenant}/{zone}/{node}/head                     QoS 1, retained

Every topic of a class has the same depth, because consumers take topics apart by position. Knows no
broker and no journal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from sync.bodies import DOOR_EVENTS
from sync.entry import Head
from sync.errors import EventError

ROOT: Final = "zonegate/v1/{tenant}/{zone}/{node}"

CHANNELS: Final[dict[str, str]] = {
    **{f"{kind}Event": ROOT + "/{door}/event/" + kind for kind in DOOR_EVENTS},
    "doorState": ROOT + "/{door}/state/door",
    "jobState": ROOT + "/{door}/state/job",
    "deviceState": ROOT + "/{door}/state/device-{device}",
    "nodeStatus": ROOT + "/status",
    "nodeHead": ROOT + "/head",
}
"""Every channel by name with the pattern of its topics, as docs/integrate/asyncapi.yaml lists them."""

LEVEL_CHARACTERS_MAX: Final = 40
"""Bounds one level, as tenant, zone, node and door ids are bounded everywhere."""

_LEVEL = re.compile(rf"[a-z0-9_-]{{1,{LEVEL_CHARACTERS_MAX}}}")


class DoorState(msgspec.Struct, frozen=True):
    """What a door shows. `state` is READY, ACCEPTED, HOLD or STOP, `position` the entry it rests on,
    "epoch:seq".
    """

    state: str
    reason: str
    job: str | None
    counted: int
    planned: int
    position: str
    at: datetime | None


class JobState(msgspec.Struct, frozen=True):
    """The door's job; all of it empty when none is open. `state` is open, closed or none."""

    state: str
    job: str | None
    conveyance: str | None
    carrier: str | None
    direction: str | None
    counted: int
    planned: int
    at: datetime | None


class DeviceState(msgspec.Struct, frozen=True):
    """One device's health: Up, Degraded, Down or Unknown, a sentence, and since when."""

    state: str
    detail: str
    since: datetime | None


class NodeStatus(msgspec.Struct, frozen=True):
    """Whether the node is there: online, or offline, which is also its last will."""

    state: str


Retained = DoorState | JobState | DeviceState | NodeStatus | Head

ONLINE: Final = NodeStatus("online")
OFFLINE: Final = NodeStatus("offline")

_encoder = msgspec.json.Encoder()


def payload_of(state: Retained) -> bytes:
    """JSON of a retained state. A head is its four fields: epoch, seq, hash, signature."""
    return _encoder.encode(state)


@dataclass(frozen=True, slots=True)
class TopicTree:
    """The topics of one node. Raises EventError when an id is not 1-40 of a-z, 0-9, "_" and "-"."""

    tenant: str
    zone: str
    node: str

    def __post_init__(self) -> None:
        for name, value in (("tenant", self.tenant), ("zone", self.zone), ("node", self.node)):
            _check_level(name, value)

    def event(self, door: str, kind: str) -> str:
        """Where entries of type `kind` at `door` are told."""
        if kind not in DOOR_EVENTS:
            known = ", ".join(DOOR_EVENTS)
            raise EventError(f"{kind!r} entries are not told as events, expected one of {known}")
        return self._topic(f"{kind}Event", door=door)

    def door(self, door: str) -> str:
        """Where what a door shows is retained."""
        return self._topic("doorState", door=door)

    def job(self, door: str) -> str:
        """Where a door's job is retained."""
        return self._topic("jobState", door=door)

    def device(self, door: str, device: str) -> str:
        """Where a device's health is retained."""
        return self._topic("deviceState", door=door, device=device)

    @property
    def status(self) -> str:
        """Where the node's status, or its last will, is retained."""
        return self._topic("nodeStatus")

    @property
    def head(self) -> str:
        """Where the last signed head is retained."""
        return self._topic("nodeHead")

    def _topic(self, channel: str, **levels: str) -> str:
        for name, value in levels.items():
            _check_level(name, value)
        return CHANNELS[channel].format(tenant=self.tenant, zone=self.zone, node=self.node, **levels)


def _check_level(name: str, value: str) -> None:
    if not _LEVEL.fullmatch(value):
        raise EventError(
            f"{name} {value[:60]!r} cannot be a topic's level, expected 1 to {LEVEL_CHARACTERS_MAX} "
            'characters of a-z, 0-9, "_" and "-"'
        )
