# SPDX-License-Identifier: Apache-2.0
"""What people drive at one door: trips of every manner, with their pallets, and the truth about each. How
often each manner comes is the mix's (`traffic`).

The truth is written from what is driven, not from what any antenna sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from simulators.yard.radio.bodies import Crossing, Pallet, Path, Person, Truck
from simulators.yard.radio.loads import Loads, Place
from simulators.yard.radio.parameters import TRAFFIC
from simulators.yard.radio.scene import Docked, Hall
from simulators.yard.radio.traffic import Mix


@dataclass(frozen=True, slots=True)
class Job:
    """A truck at a door, as the dock's papers have it."""

    door: str
    direction: str
    from_s: float


class Door:
    """One door's traffic. `trip` drives one and moves its clock on; `truth` collects what happened."""

    def __init__(self, hall: Hall, door: str, loads: Loads, chance: Random, from_s: float, mix: Mix) -> None:
        self.now_s = from_s
        self.jobs: list[Job] = []
        self.truth: list[dict[str, Any]] = []
        self.crossings = 0
        self._hall = hall
        self._door = door
        self._y = hall.site.doors[door]
        self._loads = loads
        self._chance = chance
        self._mix = mix
        self._trailer: list[Pallet] = []
        self._spots: list[Place] = []
        self._vacated: list[Place] = []
        self._left = 0
        self._ramp = False
        self._direction = "in"
        self._trips = 0

    def trip(self) -> None:
        """Drive the next one."""
        if self._left == 0:
            self._open()
        self._left -= 1
        chance = self._chance
        manner = chance.choices(list(self._mix.manners), list(self._mix.manners.values()))[0]
        if manner == "convoy" and not self._ramp:
            manner = "straight"
        self._trips += 1
        self._manner = manner
        if manner == "people":
            self._people()
        elif manner == "pass-by":
            self._pass_by()
        elif manner == "beside":
            self._beside()
        elif manner == "empty":
            self._empty()
        elif self._ramp:
            self._drive_through()
        elif manner == "wrong-way" and self._trailer and (self._direction == "out" or self._vacated):
            self._wrong_way()
        elif self._direction == "in":
            self._unload()
        else:
            self._load()
        self.now_s += chance.uniform(*self._mix.gap_s)

    def close(self) -> None:
        """The trailer leaves, or the shift ends."""
        for pallet in self._trailer:
            pallet.goes_s = self.now_s
        for docked in self._hall.docked:
            if docked.door == self._door:
                docked.goes_s = min(docked.goes_s, self.now_s)
        self._trailer = []

    # The job

    def _open(self) -> None:
        chance = self._chance
        self.close()
        self._left = chance.randrange(6, 16)
        self._vacated = []
        self._direction = chance.choice(("in", "out"))
        self._ramp = chance.random() < TRAFFIC.ramps
        if not self._ramp:
            self._hall.docked.append(Docked(self._door, self.now_s))
        self.jobs.append(Job(self._door, self._direction, self.now_s))
        rows = [-1.0 - 1.3 * row for row in range(TRAFFIC.trailer_rows)]
        self._spots = [
            (x + chance.uniform(-0.1, 0.1), self._y + side) for x in rows for side in (-0.58, 0.58)
        ]
        if self._ramp:
            self._spots = []
        elif self._direction == "in":
            unreadable = self._mix.manners["unreadable"]
            self._trailer = [
                self._loads.pallet(self.now_s, spot, self._door, dead=chance.random() < unreadable)
                for spot in self._spots
            ]
        self.now_s += chance.uniform(1.0, 2.0)

    # Manners with goods

    def _unload(self) -> None:
        """An empty truck goes into the trailer, takes the nearest pallet, comes out backwards."""
        chance = self._chance
        if not self._trailer:
            self._left = 0
            return
        pallet = self._trailer.pop(0)
        if self._manner in ("unreadable", "wrong-way"):
            # Here chance decided when the trailer came which pallets are unreadable.
            self._manner = "straight"
        speed, away = self._speed(), self._zone()
        began = self.now_s
        truck = self._loads.truck(began, away, jack=self._manner == "jack")
        spot = pallet.path.last
        truck.path.drive(speed, self._align(), (-0.8, spot[1] * 0.5 + self._y * 0.5), spot)
        self._note("empty", began, truck.path.end_s)
        truck.path.wait(truck.path.end_s + chance.uniform(1.5, 3.0))
        carried = [pallet]
        if self._manner == "double":
            carried += self._behind(pallet)
        taken = truck.path.end_s
        if self._manner == "turned":
            truck.path.drive(speed, (chance.uniform(-2.3, -1.0), self._y))
            truck.path.wait(truck.path.end_s + chance.uniform(0.5, 3.0))
            truck.path.drive(speed, spot)
            self._carry(truck, carried, taken)
            self._note("turned", taken, truck.path.end_s)
            self._trailer.insert(0, pallet)
            truck.path.wait(truck.path.end_s + 1.0)
            truck.path.drive(speed, self._align(), away)
            self._finish(truck)
            return
        self._through(truck, speed, away, "in")
        self._carry(truck, carried, taken)
        if self._manner == "there-and-back":
            self._trailer[:0] = carried
            truck.path.wait(truck.path.end_s + 1.0)
            truck.path.drive(speed, self._align(), away)
        else:
            self._vacated.append(spot)
            self._put_down(carried, truck)
        self._finish(truck)

    def _load(self) -> None:
        """A loaded truck goes into the trailer, sets down, comes back empty."""
        chance = self._chance
        if not self._spots:
            self._left = 0
            return
        speed, began, away = self._speed(), self.now_s, self._zone()
        jack = self._manner == "jack"
        truck = self._loads.truck(began, away, jack=jack)
        pallet = self._loads.pallet(began, away, dead=self._manner == "unreadable")
        carried = [pallet]
        if self._manner == "double":
            carried.append(self._second(pallet, began))
        if self._manner == "turned":
            truck.path.drive(speed, self._align(), (chance.uniform(0.9, 3.2), self._y))
            truck.path.wait(truck.path.end_s + chance.uniform(0.3, 3.0))
            truck.path.drive(speed, self._align(), away)
            self._carry(truck, carried, began)
            self._note("turned", began, truck.path.end_s)
            self._finish(truck, carried)
            return
        spot = self._spots.pop()
        self._through(truck, speed, spot, "out")
        if self._manner == "there-and-back":
            self._spots.append(spot)
            self._carry(truck, carried, began)
            self._finish(truck, carried)
            return
        set_down = truck.path.end_s
        self._carry(truck, carried, began)
        for one in carried:
            one.trailer = self._door
            self._trailer.append(one)
        truck.path.wait(set_down + chance.uniform(1.0, 2.5))
        away = self._zone()
        empty_from = truck.path.end_s
        truck.path.drive(speed, (-0.8, self._y), self._align(), away)
        self._note("empty", empty_from, truck.path.end_s)
        self._finish(truck)

    def _wrong_way(self) -> None:
        """Against the job: what was loaded by mistake comes out again, or what was unloaded goes back in."""
        speed, away, began = self._speed(), self._zone(), self.now_s
        truck = self._loads.truck(began, away)
        if self._direction == "in":
            pallet = self._loads.pallet(began, away)
            truck.path.drive(speed, self._align(), (-0.8, self._y), self._vacated.pop())
            self._carry(truck, [pallet], began)
            pallet.trailer = self._door
            self._trailer.insert(0, pallet)
            truck.path.wait(truck.path.end_s + 2.0)
            empty_from = truck.path.end_s
            truck.path.drive(speed, self._align(), away)
            self._note("empty", empty_from, truck.path.end_s)
            self._finish(truck)
            return
        pallet = self._trailer.pop()
        truck.path.drive(speed, self._align(), (-0.8, self._y), pallet.path.last)
        self._note("empty", began, truck.path.end_s)
        truck.path.wait(truck.path.end_s + 2.0)
        taken = truck.path.end_s
        truck.path.drive(speed, (-0.8, self._y), self._align(), away)
        self._carry(truck, [pallet], taken)
        self._finish(truck, [pallet])

    def story(
        self,
        direction: str,
        codes: Sequence[tuple[int, bytes]],
        *,
        manner: str = "straight",
        speed: float = 1.5,
    ) -> None:
        """One load with given tags, for whoever tells a story: through, `turned`, `stop` or `in-out-in`."""
        self._direction, self._manner, self._ramp = direction, manner, True
        self.jobs.append(Job(self._door, direction, self.now_s))
        self._trips += 1
        zone, yard = (6.0, self._y), (-5.0, self._y)
        source = yard if direction == "in" else zone
        pallet = self._loads.given(self.now_s, source, codes)
        truck = self._loads.truck(self.now_s, source, side=-1 if direction == "in" else 1)
        self._over_ramp(truck, [pallet], speed, direction, zone if direction == "in" else yard)
        self.now_s = truck.path.end_s

    def _drive_through(self) -> None:
        """Without a trailer, over a ramp; a convoy is two trucks."""
        chance = self._chance
        direction = self._direction
        if self._manner == "wrong-way":
            direction = "out" if direction == "in" else "in"
        start = last = self.now_s
        ahead = chance.uniform(*TRAFFIC.speed_m_s)
        side = -1 if direction == "in" else 1
        for number in range(2 if self._manner == "convoy" else 1):
            # The second follows at the first one's speed: nobody drives through another.
            speed = ahead if self._manner == "convoy" else self._speed()
            begin = start + (chance.uniform(*self._mix.behind_m) / speed + 0.3) * number
            zone, yard = self._zone(), (-10.0, self._y + chance.uniform(-1.0, 1.0))
            source, target = (yard, zone) if direction == "in" else (zone, yard)
            truck = self._loads.truck(begin, source, side=side, jack=self._manner == "jack")
            carried = [self._loads.pallet(begin, source, dead=self._manner == "unreadable")]
            if self._manner == "double":
                carried.append(self._second(carried[0], begin, -side))
            self._over_ramp(truck, carried, speed, direction, target)
            last = max(last, truck.path.end_s)
        self.now_s = last

    def _over_ramp(
        self, truck: Truck, carried: list[Pallet], speed: float, direction: str, target: Place
    ) -> None:
        chance, begin, source = self._chance, truck.comes_s, truck.path.last
        if self._manner == "turned":
            near = chance.uniform(0.9, 3.2) if direction == "out" else chance.uniform(-3.2, -1.0)
            truck.path.drive(speed, (near, self._y))
            truck.path.wait(truck.path.end_s + chance.uniform(0.3, 3.0))
            truck.path.drive(speed, source)
            self._note("turned", begin, truck.path.end_s)
        else:
            self._through(truck, speed, target, direction)
        self._carry(truck, carried, begin)
        self._gone(truck, carried)

    def _through(self, truck: Truck, speed: float, target: Place, direction: str) -> None:
        """From where it stands through the door, as its manner has it."""
        chance = self._chance
        source = truck.path.last
        inner, outer = self._align(), (-0.8, self._y + chance.uniform(-0.2, 0.2))
        way = (outer, inner) if direction == "in" else (inner, outer)
        if self._manner == "stop":
            truck.path.drive(
                speed, *way[:1] if direction == "out" else (), (chance.uniform(-0.9, 1.1), self._y)
            )
            truck.path.wait(truck.path.end_s + chance.uniform(2.0, 12.0))
            truck.path.drive(speed, *way[1:], target)
        elif self._manner in ("in-out-in", "there-and-back"):
            beyond = (chance.uniform(2.0, 4.0) * (1 if direction == "in" else -1), self._y)
            before = (chance.uniform(2.0, 4.0) * (-1 if direction == "in" else 1), self._y)
            truck.path.drive(speed, *way[:1] if direction == "out" else (), beyond)
            truck.path.wait(truck.path.end_s + chance.uniform(0.5, 4.0))
            if self._manner == "there-and-back":
                truck.path.drive(speed, *(way[:1] if direction == "out" else ()), source)
                return
            truck.path.drive(speed, before)
            truck.path.wait(truck.path.end_s + chance.uniform(0.5, 4.0))
            truck.path.drive(speed, target)
        else:
            truck.path.drive(speed, *way, target)

    def _second(self, first: Pallet, at_s: float, ahead: int = -1) -> Pallet:
        """Another pallet on the same fork, before the first as seen from the truck."""
        x, y = first.path.last
        return self._loads.pallet(at_s, (x + ahead * 1.25, y), first.trailer)

    def _behind(self, first: Pallet) -> list[Pallet]:
        """The pallet that stands behind another in the trailer, if there is one."""
        x, y = first.path.last
        for pallet in self._trailer:
            ox, oy = pallet.path.last
            if abs(oy - y) < 0.3 and 0.9 < x - ox < 1.8:
                self._trailer.remove(pallet)
                return [pallet]
        return []

    def _carry(self, truck: Truck, carried: list[Pallet], from_s: float) -> None:
        """The pallets go as the truck went, and the truth knows when they were in the door."""
        until_s = truck.path.end_s
        for pallet in carried:
            ahead = pallet.path.last[0] - truck.path.at(from_s)[0]
            pallet.path.wait(from_s)
            pallet.path.follow(truck.path, from_s, until_s, ahead)
            unreadable = not any(tag.alive for tag in pallet.tags)
            legs = [crossing for crossing in pallet.path.crossings(0.0) if crossing[0] > from_s]
            for at_s, direction in legs:
                pallet.crossings.append(Crossing(self._door, direction, at_s, from_s, until_s))
                self.crossings += 1
                self.truth.append(
                    {
                        "kind": "crossing",
                        "trip": self._trips,
                        "manner": "unreadable" if unreadable else self._manner,
                        "door": self._door,
                        "direction": direction,
                        "at_us": _us(at_s),
                        "from_us": _us(from_s),
                        "until_us": _us(until_s),
                        "pallet": pallet.name,
                        "crossing": pallet.crossings[-1],
                        "goods": pallet.goods.name,
                    }
                )

    def _put_down(self, carried: list[Pallet], truck: Truck) -> None:
        """Some loads stay where they were set down for a while, the others are taken on."""
        for pallet in carried:
            stays = 0.0
            if self._chance.random() < self._mix.stays:
                stays = self._chance.uniform(*self._mix.stay_s)
            pallet.goes_s = truck.path.end_s + stays

    # Manners without

    def _empty(self) -> None:
        began = self.now_s
        truck = self._loads.truck(began, self._zone())
        truck.path.drive(self._speed(), self._align(), (self._chance.uniform(-4.0, -2.5), self._y))
        truck.path.wait(truck.path.end_s + self._chance.uniform(1.0, 4.0))
        truck.path.drive(self._speed(), (-0.8, self._y), self._align(), self._zone())
        self._note("empty", began, truck.path.end_s)
        self._finish(truck)

    def _pass_by(self) -> None:
        began, chance = self.now_s, self._chance
        x, way = chance.uniform(2.2, 5.5), chance.choice((-1, 1))
        truck = self._loads.truck(began, (x, self._y - way * 10.0))
        pallet = self._loads.pallet(began, (x, self._y - way * 10.0))
        truck.path.drive(self._speed(), (x, self._y + way * 10.0))
        self._carry(truck, [pallet], began)
        self._note("pass-by", began, truck.path.end_s)
        self._finish(truck, [pallet])

    def _beside(self) -> None:
        began, chance = self.now_s, self._chance
        start = self._zone()
        truck = self._loads.truck(began, start)
        pallet = self._loads.pallet(began, start)
        beside = self._y + chance.choice((-1, 1)) * TRAFFIC.door_every / 2
        truck.path.drive(self._speed(), (4.5, beside), (chance.uniform(0.8, 2.5), beside))
        self._carry(truck, [pallet], began)
        pallet.goes_s = truck.path.end_s + chance.uniform(20.0, 90.0)
        truck.path.wait(truck.path.end_s + 1.5)
        truck.path.drive(self._speed(), (4.5, beside), self._zone())
        self._note("beside", began, truck.path.end_s)
        self._finish(truck)

    def _people(self) -> None:
        began, chance = self.now_s, self._chance
        until = began
        for _ in range(chance.choice((1, 1, 2))):
            y = self._y + chance.uniform(-1.0, 1.0)
            ways = ((4.0, -3.0), (-3.0, 4.0), (3.0, chance.uniform(-0.3, 0.8)))
            first, second = chance.choice(ways)
            path = Path(began + chance.uniform(0.0, 2.0), first, y)
            came = path.end_s
            path.drive(chance.uniform(*TRAFFIC.walk_m_s), (second, y))
            if abs(second) < 1.0:
                path.wait(path.end_s + chance.uniform(1.0, 8.0))
                path.drive(chance.uniform(*TRAFFIC.walk_m_s), (first, y))
            self._hall.people.append(Person(path, came, path.end_s, chance.gauss(1.75, 0.08)))
            until = max(until, path.end_s)
        self._note("people", began, until)
        self.now_s = until

    # Places and times

    def _speed(self) -> float:
        if self._manner == "jack":
            return self._chance.uniform(*TRAFFIC.jack_m_s)
        low, high = TRAFFIC.speed_m_s if self._ramp else (TRAFFIC.trailer_m_s[0], 2.2)
        return self._chance.triangular(low, high, (low + high) / 2)

    def _zone(self) -> Place:
        return (self._chance.uniform(6.5, 9.5), self._y + self._chance.uniform(-2.5, 2.5))

    def _align(self) -> Place:
        return (3.5, self._y + self._chance.uniform(-0.3, 0.3))

    def _gone(self, truck: Truck, carried: list[Pallet]) -> None:
        truck.goes_s = truck.path.end_s + 0.1
        for pallet in carried:
            pallet.goes_s = truck.goes_s
        for pallet in self._hall.pallets:
            if pallet.path is truck.path:
                pallet.goes_s = truck.goes_s

    def _finish(self, truck: Truck, carried: list[Pallet] | None = None) -> None:
        self._gone(truck, carried or [])
        self.now_s = truck.path.end_s

    def _note(self, what: str, from_s: float, until_s: float) -> None:
        self.truth.append(
            {
                "kind": "event",
                "what": what,
                "manner": self._manner,
                "door": self._door,
                "from_us": _us(from_s),
                "until_us": _us(until_s),
            }
        )


def _us(at_s: float) -> int:
    return int(at_s * 1e6)
