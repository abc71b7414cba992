# SPDX-License-Identifier: Apache-2.0
"""A shift at three doors, played: what the readers tell, in order of time, beside the truth.

Everything follows from a seed and a shift's number, so that any crossing can be played again. Shifts share
nothing but the clock: each has its own hall, trailers, people and pallets.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from simulators.yard.radio.codes import Codes
from simulators.yard.radio.eyes import EyeChange, Eyes
from simulators.yard.radio.gen2 import Inventory, Observation
from simulators.yard.radio.loads import Loads
from simulators.yard.radio.scene import Hall, fields
from simulators.yard.radio.site import Site, build_site
from simulators.yard.radio.traffic import DOCK, MIXES, Mix
from simulators.yard.radio.trips import Door, Job

TRIPS_A_DOOR: Final = 16
"""Trips at each of the three doors in a shift; the last ones of a run may be fewer."""
_QUIET_S: Final = 4.0
"""Before the first and after the last trip, with the readers on."""
_BETWEEN_SHIFTS_S: Final = 120.0
_STEP_S: Final = 0.25
_CODES_A_SHIFT: Final = 100_000
LIT_S_MIN: Final = 0.25
"""A tag is readable in a crossing when power and reply suffice for so many seconds of the time in which the
door's own antennas are on, while its pallet is carried: most are for one to three. With less the pallet is
barely readable, and counted apart. Whether the reader finds a slot for it is the reader's business."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift that is ready to be played. `observations` yields once; `truth` is complete after that."""

    number: int
    hall: Hall
    doors: tuple[Door, ...]
    from_s: float
    until_s: float
    seed: str

    @property
    def jobs(self) -> list[Job]:
        """What the dock's papers say of each door, in order of time."""
        return sorted(
            (job for door in self.doors for job in door.jobs), key=lambda job: (job.from_s, job.door)
        )

    @property
    def crossings(self) -> int:
        """How many pallets go through a door's plane."""
        return sum(door.crossings for door in self.doors)

    def observations(self) -> Iterator[Observation | EyeChange]:
        """What the readers tell, in order of time."""
        chance = Random(f"{self.seed}:air")
        waves = fields(self.hall.site.antennas, chance)
        eyes = Eyes(self.hall, Random(f"{self.seed}:eyes"), self.from_s)
        readers = [
            Inventory(name, self.hall, waves, Random(f"{self.seed}:{name}"), self.from_s)
            for name in self.hall.site.readers
        ]
        queue = [(reader.now_s, number) for number, reader in enumerate(readers)]
        heapq.heapify(queue)
        waiting: list[tuple[int, int, Observation | EyeChange]] = []
        made = 0
        told_s = self.from_s
        while queue:
            now_s, number = heapq.heappop(queue)
            if now_s > told_s + _STEP_S:
                told_s = now_s
                for change in eyes.until(now_s):
                    made += 1
                    heapq.heappush(waiting, (change.at_us, made, change))
                # A round and an eye's delay reach less than this back.
                while waiting and waiting[0][0] < (now_s - _STEP_S) * 1e6:
                    yield heapq.heappop(waiting)[2]
            for seen in readers[number].step():
                made += 1
                heapq.heappush(waiting, (seen.at_us, made, seen))
            if readers[number].now_s < self.until_s:
                heapq.heappush(queue, (readers[number].now_s, number))
        while waiting:
            yield heapq.heappop(waiting)[2]

    def truth(self) -> Iterator[dict[str, Any]]:
        """What was driven, as JSON: pallets with their tags, crossings, other events. Ask when it was
        played.
        """
        for pallet in self.hall.pallets:
            yield {
                "kind": "pallet",
                "shift": self.number,
                "pallet": pallet.name,
                "goods": pallet.goods.name if pallet.solid else "truck",
                "tags": [{"epc": tag.epc.hex(), "role": tag.role, "state": tag.truth} for tag in pallet.tags],
            }
        for job in self.jobs:
            yield {
                "kind": "job",
                "door": job.door,
                "direction": job.direction,
                "from_us": int(job.from_s * 1e6),
            }
        for door in self.doors:
            for line in door.truth:
                told = {"shift": self.number, **line}
                crossing = told.pop("crossing", None)
                if crossing is not None:
                    lit = [epc.hex() for epc, seconds in crossing.lit.items() if seconds >= LIT_S_MIN]
                    told |= {"readable": bool(lit), "barely": bool(crossing.lit) and not lit}
                    told |= {"readable_tags": sorted(lit)}
                yield told


def shifts(
    seed: int,
    crossings: int,
    site: Site,
    *,
    first: int = 0,
    every: int = 1,
    given: Sequence[tuple[int, bytes]] = (),
    traffic: str = "dock",
) -> Iterator[Shift]:
    """Shifts until at least so many pallets have crossed a door; of those only each `every`-th from `first`
    on.

    Which shifts there are depends on seed, number of crossings, layout and traffic alone, so that several
    processes may share them out.
    """
    planned, number, from_s = 0, 0, 100.0
    while planned < crossings:
        shift = _plan(seed, number, crossings - planned, site, from_s, given, MIXES[traffic])
        planned += shift.crossings
        from_s = shift.until_s + _BETWEEN_SHIFTS_S
        if number % every == first:
            yield shift
        number += 1


def story(
    site: Site,
    seed: int,
    door: str,
    direction: str,
    tags: Sequence[tuple[int, bytes]],
    *,
    manner: str = "straight",
    speed: float = 1.5,
) -> Shift:
    """One load with given tags (protocol control bits and EPC) through one door, and nothing else: some ten
    seconds from 0 on, to be told at real pace. `manner` is one of straight, turned, stop, in-out-in.
    """
    hall, name = Hall(site), f"story:{seed}"
    loads = Loads(hall, Random(f"{name}:loads"), Codes(1), f"{name}-")
    lane = Door(hall, door, loads, Random(f"{name}:{door}"), 0.5, DOCK)
    lane.story(direction, tags, manner=manner, speed=speed)
    return Shift(0, hall, (lane,), 0.0, lane.now_s + 1.0, name)


def _plan(
    seed: int,
    number: int,
    crossings: int,
    site: Site,
    from_s: float,
    given: Sequence[tuple[int, bytes]],
    mix: Mix,
) -> Shift:
    name = f"{seed}:{number}"
    hall = Hall(site)
    loads = Loads(
        hall, Random(f"{name}:loads"), Codes(1 + number * _CODES_A_SHIFT, given), f"{seed}-{number}-"
    )
    chance = Random(f"{name}:doors")
    doors = tuple(
        Door(hall, door, loads, Random(f"{name}:{door}"), from_s + _QUIET_S + chance.uniform(0.0, 8.0), mix)
        for door in site.doors
    )
    for _ in range(TRIPS_A_DOOR):
        for door in doors:
            if sum(each.crossings for each in doors) < crossings:
                door.trip()
    for door in doors:
        door.close()
    return Shift(number, hall, doors, from_s, max(door.now_s for door in doors) + _QUIET_S, name)


__all__ = ["LIT_S_MIN", "EyeChange", "Observation", "Shift", "build_site", "shifts", "story"]
