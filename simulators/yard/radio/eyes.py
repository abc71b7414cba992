# SPDX-License-Identifier: Apache-2.0
"""Photo eyes: what breaks which beam when, with delay and chatter at each edge."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from simulators.yard.radio.bodies import Box
from simulators.yard.radio.parameters import BEAMS, TRAFFIC
from simulators.yard.radio.scene import Hall
from simulators.yard.radio.site import Eye, eye_x

_NEAR_M = 3.5


@dataclass(frozen=True, slots=True)
class EyeChange:
    """An input changed: `high` while something is before the eye. `at_us` is true time."""

    at_us: int
    reader: str
    port: int
    high: bool


class Eyes:
    """All photo eyes of a hall. `until` yields their changes in order of time."""

    def __init__(self, hall: Hall, chance: Random, from_s: float) -> None:
        self._hall = hall
        self._chance = chance
        self._now_s = from_s
        self._blocked = dict.fromkeys(hall.site.eyes, False)
        self._broken = {eye for eye in hall.site.eyes if chance.random() < BEAMS.dead_chance}
        self._seat: dict[tuple[str, str], bool] = {}
        self._told_s: dict[Eye, float] = {}

    def until(self, until_s: float) -> list[EyeChange]:
        """What the inputs do up to a time."""
        changes: list[EyeChange] = []
        while self._now_s < until_s:
            self._now_s += BEAMS.sample_s
            boxes = self._boxes()
            if not boxes and not any(self._blocked.values()):
                continue
            for eye, was in self._blocked.items():
                now = eye not in self._broken and any(self._breaks(eye, box, name) for name, box in boxes)
                if now != was:
                    self._blocked[eye] = now
                    changes += self._edge(eye, now)
        return sorted(changes, key=lambda change: change.at_us)

    def _boxes(self) -> list[tuple[str, Box]]:
        """What is near a door's plane; nothing while nobody moves there: then no eye changes."""
        hall, now = self._hall, self._now_s
        trucks = [truck for truck in hall.trucks if truck.comes_s <= now < truck.goes_s]
        people = [person for person in hall.people if person.comes_s <= now < person.goes_s]
        paths = [*(truck.path for truck in trucks), *(person.path for person in people)]
        if not any(abs(path.at(now)[0]) < 2 * _NEAR_M for path in paths):
            return []
        boxes = [(truck.name, truck.box(now)) for truck in trucks]
        boxes += [("", person.box(now)) for person in people]
        for pallet in hall.pallets:
            if (
                pallet.solid
                and pallet.comes_s <= now < pallet.goes_s
                and abs(pallet.path.at(now)[0]) < _NEAR_M
            ):
                boxes.append(("", pallet.box(now)))
        return [(name, box) for name, box in boxes if box[1] > -_NEAR_M and box[0] < _NEAR_M]

    def _breaks(self, eye: Eye, box: Box, truck: str) -> bool:
        x = eye_x(eye.place)
        if not box[0] <= x <= box[1]:
            return False
        y = self._hall.site.doors[eye.door]
        if eye.place != "height":
            half = TRAFFIC.door_wide / 2
            return box[2] < y + half and box[3] > y - half and box[4] <= BEAMS.z <= box[5]
        if not box[2] <= y <= box[3]:
            return False
        if truck:
            return self._sees_seat(eye, truck)
        return BEAMS.height_m[0] <= box[5] <= BEAMS.height_m[1]

    def _sees_seat(self, eye: Eye, truck: str) -> bool:
        """Whether this truck's driver is seen through the guard, decided once a truck and door."""
        key = (eye.door, truck)
        if key not in self._seat:
            self._seat[key] = self._chance.random() < BEAMS.seat_chance
        return self._seat[key]

    def _edge(self, eye: Eye, high: bool) -> list[EyeChange]:
        """One true change, after the eye's delay, with false ones around it."""
        chance = self._chance
        at_s = max(self._now_s + chance.uniform(*BEAMS.delay_s), self._told_s.get(eye, 0.0) + 0.001)
        flickers = 2 * chance.randrange(BEAMS.chatter)
        times = sorted(at_s + chance.uniform(0.0, BEAMS.chatter_s) for _ in range(flickers))
        self._told_s[eye] = max(at_s, *times, at_s)
        changes = [EyeChange(int(at_s * 1e6), eye.reader, eye.port, high)]
        for number, time in enumerate(times, start=1):
            level = not high if number % 2 else high
            changes.append(EyeChange(int(time * 1e6) + number, eye.reader, eye.port, level))
        return changes
