# SPDX-License-Identifier: Apache-2.0
"""A reader's inputs (photo eyes) and outputs (lamp, horn), as state without a wire. Pure: handed the time, in
microseconds of this machine's monotonic clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from drivers.read import InputChange

__all__ = ["Inputs", "Outputs"]

FLAPS_MAX = 20
"""Edges in a second that no eye at a dock door has: a loose plug, a mirror out of line, rain on the lens."""

_SECOND_US = 1_000_000
_CALM_US = 5 * _SECOND_US


class Inputs:
    """Debounces each watched port: a level counts once it has rested for `debounce_us`, from its first edge.

    `flapping` are the ports that had more than FLAPS_MAX edges in a second, less than five seconds ago.
    """

    def __init__(self, device: str, ports: tuple[int, ...], debounce_us: int) -> None:
        self._device = device
        self._debounce_us = debounce_us
        self._ports = {port: _Input() for port in ports}
        self.flapping: set[int] = set()

    @property
    def deadline_us(self) -> int | None:
        """When `tick` has something to say."""
        return min((port.due_us for port in self._ports.values() if port.due_us is not None), default=None)

    def edge(self, number: int, high: bool, at_us: int, now_us: int) -> list[InputChange]:
        """The reader told a level; `at_us` is when that began. Ports that are not watched are ignored."""
        changes = self.tick(now_us)
        port = self._ports.get(number)
        if port is None or high == port.candidate:
            return changes
        if port.due_us is not None and at_us - port.since_us >= self._debounce_us:
            # By the reader's clock it rested long enough; only both edges came here together.
            changes.append(self._count(number, port))
        port.candidate, port.since_us = high, at_us
        port.due_us = None if high == port.told else now_us + self._debounce_us
        self._note_flap(number, port, now_us)
        return changes + self.tick(now_us)

    def tick(self, now_us: int) -> list[InputChange]:
        """The changes whose level has rested long enough by now, in the order in which they began."""
        changes = []
        if self.flapping:
            calm = {number for number in self.flapping if self._ports[number].second_us + _CALM_US <= now_us}
            self.flapping -= calm
        for number, port in self._ports.items():
            if port.due_us is not None and port.due_us <= now_us:
                changes.append(self._count(number, port))
        return sorted(changes, key=lambda change: change.at_us)

    def rested(self, at_us: int) -> list[InputChange]:
        """The changes whose level had rested by `at_us`, which the reader has told something of: had another
        edge come before, it would have been told first. So no read goes before the eye that it comes behind,
        however late this machine takes both.
        """
        changes = []
        for number, port in self._ports.items():
            if port.due_us is not None and at_us - port.since_us >= self._debounce_us:
                changes.append(self._count(number, port))
        return sorted(changes, key=lambda change: change.at_us)

    def forget(self) -> None:
        """Nothing is known of any port any more: each is told again, as soon as it is heard of."""
        self._ports = {number: _Input() for number in self._ports}

    def _count(self, number: int, port: _Input) -> InputChange:
        port.told, port.due_us = port.candidate, None
        return InputChange(self._device, number, bool(port.told), port.since_us)

    def _note_flap(self, number: int, port: _Input, now_us: int) -> None:
        if now_us - port.second_us >= _SECOND_US:
            port.second_us, port.edges = now_us, 0
        port.edges += 1
        if port.edges > FLAPS_MAX:
            self.flapping.add(number)


@dataclass(slots=True)
class _Input:
    told: bool | None = None
    candidate: bool | None = None
    since_us: int = 0
    due_us: int | None = None
    second_us: int = -_SECOND_US
    edges: int = 0


class Outputs:
    """What each port should show. A level with an end falls back to the safe one unless it is set again."""

    def __init__(self, safe: Mapping[int, bool]) -> None:
        self._safe = dict(safe)
        self._levels = dict(safe)
        self._until_us: dict[int, int] = {}

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports that have a safe level."""
        return tuple(self._safe)

    @property
    def deadline_us(self) -> int | None:
        """When the next level ends."""
        return min(self._until_us.values(), default=None)

    @property
    def levels(self) -> dict[int, bool]:
        """What should be on the pins now, after `tick`."""
        return dict(self._levels)

    @property
    def safe(self) -> dict[int, bool]:
        """What should be on the pins when nobody watches them."""
        return dict(self._safe)

    def set(self, port: int, on: bool, until_us: int | None) -> bool:
        """Show `on`, until then or until set again; whether that changes the pin. Raises ValueError for a
        port without a safe level.
        """
        if port not in self._safe:
            known = ", ".join(map(str, self._safe)) or "none"
            raise ValueError(f"output {port} has no safe level, expected one of: {known}")
        if until_us is None:
            self._until_us.pop(port, None)
        else:
            self._until_us[port] = until_us
        changed = self._levels[port] != on
        self._levels[port] = on
        return changed

    def tick(self, now_us: int) -> list[int]:
        """Let levels end whose time is over; the ports whose pin changes by that."""
        ended = [port for port, until_us in self._until_us.items() if until_us <= now_us]
        changed = [port for port in ended if self._levels[port] != self._safe[port]]
        for port in ended:
            del self._until_us[port]
            self._levels[port] = self._safe[port]
        return changed
