# SPDX-License-Identifier: Apache-2.0
"""A small field of two or four antennas at each door, for the gate's own tests: courses in, reads out.

Radio after the radar equation: antenna patterns, a load that shadows its far side, fading that changes along
the way and with the hops. The place x is along the way, below 0 in the zone, above 0 in the truck; y across.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from drivers.read import InputChange, TagRead
from edge.passage import Antenna, Eye, Layout

Path = Callable[[float], tuple[float, float] | None]
"""Where a thing's middle is at a time in seconds, as (x, y); None while it is not there."""

START_US = 1_000_000_000


@dataclass
class Tag:
    """A tag at (dx, dy) from its thing's middle, facing (fx, fy); `gain_db` is its own and its goods'."""

    epc: bytes
    dx: float = 0.0
    dy: float = 0.0
    fx: float = 0.0
    fy: float = 1.0
    gain_db: float = 0.0
    shadow_db: float = 12.0


@dataclass
class Thing:
    """Something with tags: a loaded forklift, a parked pallet. `half_m`: half its length for eyes, 0 none."""

    path: Path
    tags: list[Tag] = field(default_factory=list)
    half_m: float = 0.0
    tall: bool = True


@dataclass
class Mast:
    """An antenna's place and the way it looks."""

    antenna: Antenna
    x: float
    y: float
    angle: float


def door(
    name: str, y: float = 0.0, *, pairs: int = 1, device: str = "gate", port: int = 1, apart: float = 1.2
) -> list[Mast]:
    """The antennas of a door whose middle is at `y`: an inner and an outer one on each side."""
    masts = []
    for pair in range(pairs):
        side = 1.0 if pair == 0 else -1.0
        for at, (where, x) in enumerate((("inner", -apart / 2), ("outer", apart / 2))):
            tilt = -0.45 if where == "inner" else 0.45
            angle = math.atan2(-side * math.cos(tilt), math.sin(tilt))
            antenna = Antenna(device, port + 2 * pair + at, name, where)
            masts.append(Mast(antenna, x, y + side * 1.7, angle))
    return masts


def eyes(name: str, device: str = "gate", port: int = 1) -> tuple[Eye, Eye]:
    """Two photo eyes of a door, half a meter before and behind its middle."""
    return Eye(device, port, name, "inner"), Eye(device, port + 1, name, "outer")


def crossing(way: int, at: float, speed: float, y: float = 0.0, start: float = 4.5) -> Path:
    """Straight through at `speed` m/s, in the middle at second `at`; way 1 is out, -1 is in."""
    return lambda t: (way * speed * (t - at), y) if abs(speed * (t - at)) < start else None


def along(points: Sequence[tuple[float, float, float]]) -> Path:
    """Through (second, x, y) points, straight between; there only from the first to the last."""

    def place(t: float) -> tuple[float, float] | None:
        for (t0, x0, y0), (t1, x1, y1) in pairwise(points):
            if t0 <= t <= t1:
                part = (t - t0) / (t1 - t0)
                return x0 + part * (x1 - x0), y0 + part * (y1 - y0)
        return None

    return place


def parked(x: float, y: float) -> Path:
    return lambda _t: (x, y)


def pallet(
    rng: random.Random, tags: int, first: int, header: int = 0x30, spread_db: float = 2.5
) -> list[Tag]:
    """Tags on the four faces of a pallet of 1.2 by 0.8 m."""
    made = []
    for number in range(tags):
        face = rng.randrange(4)
        fx, fy = ((1, 0), (-1, 0), (0, 1), (0, -1))[face]
        dx = fx * 0.6 if fx else rng.uniform(-0.6, 0.6)
        dy = fy * 0.4 if fy else rng.uniform(-0.4, 0.4)
        epc = bytes([header]) + (first + number).to_bytes(11, "big")
        made.append(Tag(epc, dx, dy, fx, fy, rng.gauss(-2.0, spread_db), rng.uniform(4.0, 14.0)))
    return made


class Field:
    """Plays things through doors. `rate` is singulations a second of one reader."""

    def __init__(
        self,
        masts: Sequence[Mast],
        eyes_of: Sequence[tuple[Eye, float, float]] = (),
        *,
        seed: int = 1,
        rate: int = 400,
    ) -> None:
        self.masts = list(masts)
        self.eyes = list(eyes_of)
        self.rng = random.Random(seed)
        self.rate = rate
        self.layout = Layout(tuple(m.antenna for m in masts), tuple(e for e, _, _ in eyes_of))
        self._fading: dict[tuple[bytes, int], tuple[float, float, float, float]] = {}

    def play(self, things: Sequence[Thing], until: float) -> list[TagRead | InputChange]:
        """All that the readers say, in time's order."""
        said: list[tuple[float, TagRead | InputChange]] = []
        for device in dict.fromkeys(m.antenna.device for m in self.masts):
            said += self._reader([m for m in self.masts if m.antenna.device == device], things, until)
        said += self._eyes(things, until)
        return [each for _, each in sorted(said, key=lambda pair: pair[0])]

    def _reader(
        self, masts: list[Mast], things: Sequence[Thing], until: float
    ) -> list[tuple[float, TagRead | InputChange]]:
        said: list[tuple[float, TagRead | InputChange]] = []
        t, turn = 0.0, 0
        rng = self.rng
        while t < until:
            mast = masts[turn % len(masts)]
            turn += 1
            heard = []
            for thing in things:
                place = thing.path(t)
                if place is None or math.hypot(place[0] - mast.x, place[1] - mast.y) > 9.0:
                    continue
                for tag in thing.tags:
                    rssi, power = self._link(mast, tag, place, t)
                    if rssi > -78.0 and rng.random() < 1.0 / (1.0 + math.exp(-(power + 17.0) / 1.0)):
                        heard.append((tag, rssi))
            rng.shuffle(heard)
            began = t
            for tag, rssi in heard:
                t += 1.0 / self.rate
                at = START_US + round(t * 1e6)
                read = TagRead(
                    mast.antenna.device, tag.epc, mast.antenna.port, round(rssi * 100), 1, at, at, 0x3000
                )
                said.append((t, read))
            t = max(t, began + 0.03) + 0.01
        return said

    def _link(self, mast: Mast, tag: Tag, place: tuple[float, float], t: float) -> tuple[float, float]:
        """(level at the reader, power at the tag), dBm."""
        x, y = place[0] + tag.dx, place[1] + tag.dy
        ux, uy = x - mast.x, y - mast.y
        d = math.hypot(ux, uy, 0.4)
        off = math.cos(math.atan2(uy, ux) - mast.angle)
        pattern = max(-14.0, 10.0 * math.log10(max(off, 0.01)) * 2.2)
        facing = -(ux * tag.fx + uy * tag.fy) / max(d, 0.01)
        shadow = tag.shadow_db * min(1.0, max(0.0, 0.15 - facing) / 0.6)
        one_way = 8.0 + pattern - 31.7 - 20.0 * math.log10(d) + tag.gain_db - shadow
        one_way += self._fade(tag.epc, mast.antenna.port, x, y, t)
        power = 30.0 + one_way
        return 30.0 + 2.0 * one_way - 8.0 + self.rng.gauss(0.0, 0.7), power

    def _fade(self, epc: bytes, port: int, x: float, y: float, t: float) -> float:
        """Rice fading of one way, dB; another every eight centimeters and at each hop of 0.4 s."""
        key = (epc, port)
        last = self._fading.get(key)
        if last is None or math.hypot(last[1] - x, last[2] - y) > 0.08 or t - last[3] > 0.4:
            los, scatter = 0.9, 0.31
            re, im = los + self.rng.gauss(0, scatter), self.rng.gauss(0, scatter)
            last = (10.0 * math.log10(max(re * re + im * im, 0.01)), x, y, t)
            self._fading[key] = last
        return last[0]

    def _eyes(self, things: Sequence[Thing], until: float) -> list[tuple[float, TagRead | InputChange]]:
        said: list[tuple[float, TagRead | InputChange]] = []
        for eye, ex, ey in self.eyes:
            was = False
            for step in range(int(until * 100)):
                t = step / 100
                now = False
                for thing in things:
                    place = thing.path(t)
                    if place is None or not thing.half_m or abs(place[1] - ey) > 1.6:
                        continue
                    if eye.place == "height" and not thing.tall:
                        continue
                    now = now or abs(place[0] - ex) < thing.half_m
                if now != was:
                    at = START_US + round(t * 1e6)
                    said.append((t, InputChange(eye.device, eye.port, now == eye.blocked_when, at)))
                    was = now
        return said
