# SPDX-License-Identifier: Apache-2.0
"""What stands and moves in the yard: paths, pallets with their tags, trucks, people."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import cos, hypot, inf, pi, sin, sqrt
from random import Random
from typing import Final

from simulators.yard.radio.parameters import AIR, FAULTS, GOODS, PROTOCOL, TRAFFIC, Goods

_FORKS_UP_M: Final = 0.15
_RAMP_STEPS: Final = 3
_NO_WAY_M: Final = 0.01

Box = tuple[float, float, float, float, float, float]
"""x, x, y, y, z, z: the lower and the upper of each."""


class Path:
    """Places by time: at rest before the first and after the last, even speed between two."""

    def __init__(self, at_s: float, x: float, y: float) -> None:
        self._times = [at_s]
        self._places = [(x, y)]

    @property
    def end_s(self) -> float:
        """When it comes to rest for good."""
        return self._times[-1]

    @property
    def last(self) -> tuple[float, float]:
        """Where it stays."""
        return self._places[-1]

    def wait(self, until_s: float) -> None:
        """Stand still."""
        self._add(until_s, *self.last)

    def drive(self, speed: float, *way: tuple[float, float]) -> None:
        """Go along a way without a halt: pull away, keep `speed` (m/s), brake for its last place."""
        places = [self.last, *way]
        gone = [0.0]
        for (x0, y0), (x1, y1) in pairwise(places):
            gone.append(gone[-1] + hypot(x1 - x0, y1 - y0))
        far = gone[-1]
        if far < _NO_WAY_M:
            return
        pull = TRAFFIC.pull_m_s2
        top = min(speed, (far * pull) ** 0.5)
        ramp_m = top * top / pull / 2
        ramps = [ramp_m * (step / _RAMP_STEPS) ** 2 for step in range(1, _RAMP_STEPS + 1)]
        began = self.end_s
        for s in sorted({*gone[1:], *ramps, *(far - ramp for ramp in ramps)}):
            leg = min(bisect_right(gone, s), len(gone) - 1)
            share = (s - gone[leg - 1]) / max(gone[leg] - gone[leg - 1], 1e-9)
            (x0, y0), (x1, y1) = places[leg - 1], places[leg]
            self._add(began + _taken(s, far, top, pull), x0 + (x1 - x0) * share, y0 + (y1 - y0) * share)

    def follow(self, other: Path, from_s: float, until_s: float, ahead: float = 0.0) -> None:
        """Go as another does, from one time to the other, so many meters along x beside it."""
        for at_s, (x, y) in zip(other._times, other._places, strict=True):
            if from_s <= at_s <= until_s:
                self._add(at_s, x + ahead, y)

    def at(self, at_s: float) -> tuple[float, float]:
        """The place at a time."""
        times = self._times
        after = bisect_right(times, at_s)
        if after == 0:
            return self._places[0]
        if after == len(times):
            return self._places[-1]
        t0, t1 = times[after - 1], times[after]
        (x0, y0), (x1, y1) = self._places[after - 1], self._places[after]
        share = (at_s - t0) / (t1 - t0)
        return x0 + (x1 - x0) * share, y0 + (y1 - y0) * share

    def moves(self, at_s: float) -> bool:
        """Whether it is between two different places."""
        after = bisect_right(self._times, at_s)
        return 0 < after < len(self._times) and self._places[after - 1] != self._places[after]

    def crossings(self, plane_x: float) -> list[tuple[float, str]]:
        """When and which way it goes through the door's plane: "in" is towards the zone."""
        found = []
        for (t0, (x0, _)), (t1, (x1, _)) in pairwise(zip(self._times, self._places, strict=True)):
            if (x0 < plane_x) != (x1 < plane_x):
                at_s = t0 + (t1 - t0) * (plane_x - x0) / (x1 - x0)
                found.append((at_s, "in" if x1 > x0 else "out"))
        return found

    def _add(self, at_s: float, x: float, y: float) -> None:
        if at_s > self._times[-1]:
            self._times.append(at_s)
            self._places.append((x, y))


def _taken(gone: float, far: float, top: float, pull: float) -> float:
    """Seconds to have gone so far of a way from rest to rest."""
    ramp_m, ramp_s = top * top / pull / 2, top / pull
    if gone < ramp_m:
        return sqrt(2 * gone / pull)
    whole_s = 2 * ramp_s + (far - 2 * ramp_m) / top
    if gone > far - ramp_m:
        return whole_s - sqrt(max(0.0, 2 * (far - gone) / pull))
    return ramp_s + (gone - ramp_m) / top


@dataclass(slots=True, eq=False)
class Crossing:
    """A pallet goes through a door's plane at `at_s`, on a leg from rest to rest. `lit` is by EPC for how
    many seconds of that door's antennas' time the tag was within reach both ways.
    """

    door: str
    direction: str
    at_s: float
    from_s: float
    until_s: float
    lit: dict[bytes, float] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Tag:
    """A label. `spot` is its place from the middle of the pallet's foot, `axis` its dipole's direction,
    `needs_dbm` what its chip needs, `loss_db` what its mounting costs. `truth` says dead, detuned or fine.
    """

    epc: bytes
    pc: int
    role: str
    spot: tuple[float, float, float]
    axis: tuple[float, float, float]
    needs_dbm: float
    loss_db: float
    truth: str
    persists_s: float
    turn: float
    flag_until: float = -1.0
    flag_power: tuple[int, str] | None = None
    heard: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By reader: when it was last within reach, and how strongly."""

    @property
    def alive(self) -> bool:
        """False: its chip or antenna is broken."""
        return self.truth != "dead"


@dataclass(slots=True, eq=False)
class Pallet:
    """A load with tags; `high` is its top above its foot. A truck's own tag is one, too, of no size."""

    name: str
    goods: Goods
    high: float
    path: Path
    tags: list[Tag]
    comes_s: float = -inf
    goes_s: float = inf
    trailer: str | None = None
    size: tuple[float, float] = TRAFFIC.pallet_m
    solid: bool = True
    crossings: list[Crossing] = field(default_factory=list)

    def moving(self, from_s: float, until_s: float) -> bool:
        """Whether it is there and on the move at either time."""
        if not self.comes_s < until_s or self.goes_s <= from_s or self.path.end_s < from_s:
            return False
        return self.path.moves(from_s) or self.path.moves(until_s)

    def box(self, at_s: float) -> Box:
        """Its outline."""
        x, y = self.path.at(at_s)
        long, wide = self.size
        return (x - long / 2, x + long / 2, y - wide / 2, y + wide / 2, _FORKS_UP_M, _FORKS_UP_M + self.high)


@dataclass(slots=True, eq=False)
class Truck:
    """A forklift by its forks' middle. The body stands `side` (+1 or -1) of them along x; a jack has none."""

    name: str
    path: Path
    comes_s: float
    goes_s: float = inf
    side: int = 1
    jack: bool = False

    def middle(self, at_s: float) -> tuple[float, float]:
        """The body's middle."""
        x, y = self.path.at(at_s)
        reach = TRAFFIC.pallet_m[0] / 2 + (0.6 if self.jack else TRAFFIC.truck_m[0] / 2)
        return x + self.side * reach, y

    def box(self, at_s: float) -> Box:
        """The body's outline; with a jack the one who pulls it."""
        x, y = self.middle(at_s)
        long, wide, high = (0.35, 0.5, 1.75) if self.jack else TRAFFIC.truck_m
        return (x - long / 2, x + long / 2, y - wide / 2, y + wide / 2, 0.0, high)


@dataclass(slots=True, eq=False)
class Person:
    """Somebody on foot."""

    path: Path
    comes_s: float
    goes_s: float
    high: float = 1.75

    def box(self, at_s: float) -> Box:
        """The outline."""
        x, y = self.path.at(at_s)
        return (x - 0.17, x + 0.17, y - 0.25, y + 0.25, 0.0, self.high)


def draw_goods(chance: Random) -> Goods:
    """A kind of goods by its share."""
    return chance.choices(GOODS, [goods.share for goods in GOODS])[0]


def draw_high(chance: Random) -> float:
    """A load's height in meters; most are high."""
    low, high = TRAFFIC.load_high
    return chance.triangular(low, high, high * 0.75)


def mount(chance: Random, goods: Goods, high: float, role: str, code: tuple[int, bytes]) -> Tag:
    """A tag somewhere on a load: logistic labels on a face, cases' also inside."""
    long, wide = TRAFFIC.pallet_m
    faces: Sequence[str] = ("front", "back", "left", "right") if role == "sscc" else (*"fblrt", "inside")
    face = chance.choice(faces)[0]
    x, y = chance.uniform(-long / 2, long / 2), chance.uniform(-wide / 2, wide / 2)
    z = _FORKS_UP_M + chance.uniform(0.1, max(0.12, high - 0.05))
    out = 0.01
    normal = (0, 0, 1)
    if face in "fb":
        x = (long / 2 + out) * (1 if face == "f" else -1)
        normal = (1, 0, 0)
    elif face in "lr":
        y = (wide / 2 + out) * (1 if face == "l" else -1)
        normal = (0, 1, 0)
    elif face == "t":
        z = _FORKS_UP_M + high + out
    return _tag(chance, goods, role, code, (x, y, z), _axis(chance, normal))


def truck_tag(chance: Random, code: tuple[int, bytes]) -> Tag:
    """A forklift's own tag for metal, on its mast's top."""
    steel = Goods("truck", 0.0, 1.0, 0.0)
    return _tag(chance, steel, "asset", code, (0.7, chance.uniform(-0.4, 0.4), 2.2), (0.0, 1.0, 0.0))


def _axis(chance: Random, normal: tuple[int, int, int]) -> tuple[float, float, float]:
    """The dipole lies in its face: mostly level, else upright, a little askew."""
    tilt = chance.gauss(0.0, 0.15) + (pi / 2 if chance.random() < 0.25 else 0.0)
    level, up = cos(tilt), sin(tilt)
    if normal[0]:
        return (0.0, level, up)
    if normal[1]:
        return (level, 0.0, up)
    turn = chance.uniform(0.0, pi)
    return (cos(turn), sin(turn), 0.0)


def _tag(
    chance: Random,
    goods: Goods,
    role: str,
    code: tuple[int, bytes],
    spot: tuple[float, float, float],
    axis: tuple[float, float, float],
) -> Tag:
    luck = chance.random()
    truth = "dead" if luck < FAULTS.dead else "detuned" if luck < FAULTS.dead + FAULTS.detuned else "fine"
    loss = max(0.0, chance.gauss(goods.penalty_db, 1.0))
    if truth == "detuned":
        loss += chance.uniform(*FAULTS.detuned_db)
    low, high = PROTOCOL.persistence_s
    return Tag(
        epc=code[1],
        pc=code[0],
        role=role,
        spot=spot,
        axis=axis,
        needs_dbm=chance.gauss(AIR.chip_dbm, AIR.chip_spread_db),
        loss_db=loss,
        truth=truth,
        persists_s=low * (high / low) ** chance.random(),
        turn=chance.random(),
    )
