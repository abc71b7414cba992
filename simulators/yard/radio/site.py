# SPDX-License-Identifier: Apache-2.0
"""Where everything hangs: doors, antennas, photo eyes. Meters; x runs from the trailer (below 0) through the
door's plane (0) into the zone, y along the dock's wall, z up.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin
from typing import Any, Final

from simulators.yard.radio.parameters import BEAMS, TRAFFIC

LAYOUTS: Final = ("two", "four", "plain")
"""`two`: one antenna overhead for each side of a door, one reader for two doors. `four`: left and right
posts, a reader for each door. `plain`: as `two`, with a reader that tells whole dB and no phase."""

_ANTENNA_PORTS: Final = 4


@dataclass(frozen=True, slots=True)
class Antenna:
    """`beam` is the unit vector along which it radiates most; `port` counts from 1."""

    reader: str
    port: int
    door: str
    side: str
    at: tuple[float, float, float]
    beam: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Eye:
    """A photo eye on a reader's input; the input is high while something is before it."""

    reader: str
    port: int
    door: str
    place: str


@dataclass(frozen=True, slots=True)
class Site:
    """Three doors side by side."""

    layout: str
    doors: dict[str, float]
    antennas: tuple[Antenna, ...]
    eyes: tuple[Eye, ...]

    @property
    def readers(self) -> list[str]:
        """Names, in order."""
        return list(dict.fromkeys(antenna.reader for antenna in self.antennas))

    @property
    def tells_phase(self) -> bool:
        """Whether its readers report phase and hundredths of a dB."""
        return self.layout != "plain"

    def as_json(self) -> dict[str, Any]:
        """What an installer would enter: which port looks where."""
        return {
            "antennas": [
                {"reader": a.reader, "port": a.port, "door": a.door, "side": a.side} for a in self.antennas
            ],
            "eyes": [
                {"reader": e.reader, "port": e.port, "door": e.door, "place": e.place} for e in self.eyes
            ],
        }


def build_site(layout: str, *, eyes: bool) -> Site:
    """One of LAYOUTS over doors d1, d2, d3."""
    if layout not in LAYOUTS:
        raise ValueError(f"layout {layout!r}, expected one of {', '.join(LAYOUTS)}")
    doors = {f"d{number + 1}": number * TRAFFIC.door_every for number in range(3)}
    antennas: list[Antenna] = []
    sensors: list[Eye] = []
    for number, (door, y) in enumerate(doors.items()):
        if layout == "four":
            reader, first = f"r{number + 1}", 1
            antennas += _posts(reader, door, y)
        else:
            reader, first = f"r{number * 2 // _ANTENNA_PORTS + 1}", 1 + number * 2 % _ANTENNA_PORTS
            antennas += _overhead(reader, first, door, y)
        if eyes:
            # Four inputs a reader: two doors share one, so only doors alone on a reader have the third eye.
            places = ("outer", "inner", "height") if layout == "four" else ("outer", "inner")
            sensors += [Eye(reader, first + place, door, name) for place, name in enumerate(places)]
    return Site(layout, doors, tuple(antennas), tuple(sensors))


def _overhead(reader: str, first: int, door: str, y: float) -> list[Antenna]:
    """On the lintel and 1.5 m behind it, 2.9 m high, tilted 40 degrees to either side."""
    tilt = radians(40)
    return [
        Antenna(reader, first, door, "outer", (0.1, y, 2.9), (-sin(tilt), 0.0, -cos(tilt))),
        Antenna(reader, first + 1, door, "inner", (1.6, y, 2.9), (sin(tilt), 0.0, -cos(tilt))),
    ]


def _posts(reader: str, door: str, y: float) -> list[Antenna]:
    """On guard posts left and right, 1.3 m high: by the frame turned to the trailer, behind it to the
    zone.
    """
    half = TRAFFIC.door_wide / 2 + 0.1
    turn = radians(35)
    return [
        Antenna(
            reader, port, door, side, (x, y + hand * half, 1.3), (way * sin(turn), -hand * cos(turn), 0.0)
        )
        for port, side, x, way, hand in (
            (1, "outer", 0.15, -1, -1),
            (2, "inner", 1.2, 1, -1),
            (3, "outer", 0.15, -1, 1),
            (4, "inner", 1.2, 1, 1),
        )
    ]


def eye_x(place: str) -> float:
    """Where an eye looks, along the way through the door."""
    return {"outer": BEAMS.outer_x, "inner": BEAMS.inner_x, "height": BEAMS.height_x}[place]
