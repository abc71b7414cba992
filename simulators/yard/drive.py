# SPDX-License-Identifier: Apache-2.0
"""What drives through the RFID gate of a script: one trip at a time, out of the yard's physics.

A *tape* is what the gate's reader would hear and its eyes would see of one trip, in order of time, beside
when it halts or crosses. Knows no job and no verdict: whoever tells the story says what is driven and how.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from simulators.yard.labels import truck_tag
from simulators.yard.radio.bodies import Pallet, Path, Tag, Truck
from simulators.yard.radio.eyes import EyeChange
from simulators.yard.radio.gen2 import Observation
from simulators.yard.radio.parameters import GOODS
from simulators.yard.radio.play import Shift
from simulators.yard.radio.scene import Hall
from simulators.yard.radio.site import Site, build_site

__all__ = ["MANNERS", "Tape", "gate_site", "record"]

MANNERS: Final = ("through", "unreadable", "turned", "stopped", "empty")
"""through: out into the trailer. unreadable: the same, every tag is dead. turned: into the gate, and back.
stopped: it halts before the door's plane because the lamp says so, and goes back. empty: a forklift without
a load comes back from the trailer."""

_SPEED: Final = 3.0
_FAR: Final = 9.0
"""Trucks come from and go to so many meters from the door's plane."""

_COMES: Final = 5.0
_GOES: Final = 2.8
"""So many meters from the plane the tape begins, and so many from it the truck is out of reach again."""

_HALT: Final = 0.75
"""Where it halts, before the plane: the load is in the inner eye and under the antennas."""

_LOOK_S: Final = {"turned": 0.5, "stopped": 1.2}
"""So long it stands there; who is stopped looks up at lamp and screen before going back."""

_AFTER_S: Final = 1.5
_BEGIN_S: Final = 100.0
_STEP_S: Final = 0.02
_HIGH: Final = 1.4
_CHIP_DBM: Final = -19.0
_FACES: Final = ((-0.61, 0.0), (0.0, 0.41), (0.0, -0.41))
"""Where labels stick, from the pallet's middle: on the face towards the trailer, left, right."""


@dataclass(frozen=True, slots=True)
class Tape:
    """`told` in order, their times from 0 on; `turns_us` is when a truck that stands before the plane goes
    back, None for one that does not. `epcs` are the tags of what is carried, the unit's first; dead ones are
    among them.
    """

    told: tuple[Observation | EyeChange, ...]
    ends_us: int
    turns_us: int | None
    epcs: tuple[bytes, ...]


def gate_site(door: str) -> Site:
    """Guard posts left and right of one door with two antennas each, and three photo eyes."""
    whole = build_site("four", eyes=True)
    first = next(iter(whole.doors))
    antennas = tuple(antenna for antenna in whole.antennas if antenna.door == first)
    eyes = tuple(eye for eye in whole.eyes if eye.door == first)
    assert door, "a gate stands at a door"
    return Site(whole.layout, {first: whole.doors[first]}, antennas, eyes)


def record(manner: str, unit: bytes, items: tuple[bytes, ...], seed: str) -> Tape:
    """The tape of one trip; `unit` and `items` are the EPCs of the pallet's tags, `seed` its whole chance.

    The unit's label sticks on two faces, as GS1 advises; both say the same.
    """
    site = gate_site("d")
    hall = Hall(site)
    truck, turns_s = _drive(manner, *site.doors.values())
    from_s, until_s = _within_reach(truck.path)
    truck.comes_s, truck.goes_s = from_s, until_s
    hall.trucks.append(truck)
    epcs = () if manner == "empty" else (unit, *items)
    goods = next(goods for goods in GOODS if goods.name == "dry")
    if epcs:
        labels = (unit, *epcs)
        tags = [_tag(epc, place, dead=manner == "unreadable") for place, epc in enumerate(labels)]
        hall.pallets.append(Pallet("load", goods, _HIGH, truck.path, tags, from_s, until_s))
    own = _tag(truck_tag(Random(seed).randrange(1, 1_000)), 0, dead=False)
    own.spot = (0.7, 0.0, 2.2)
    hall.pallets.append(Pallet("truck", goods, 0.0, truck.path, [own], from_s, until_s, solid=False))
    shift = Shift(0, hall, (), from_s, until_s + _AFTER_S, seed)
    began_us = round(from_s * 1e6)
    heights = {eye.port for eye in site.eyes if eye.place == "height"}
    return Tape(
        tuple(
            _moved(told, began_us)
            for told in shift.observations()
            # Whoever drives this truck sits below the eye that looks for loads.
            if epcs or not (isinstance(told, EyeChange) and told.port in heights)
        ),
        round((until_s + _AFTER_S) * 1e6) - began_us,
        None if turns_s is None else round(turns_s * 1e6) - began_us,
        epcs,
    )


def _drive(manner: str, y: float) -> tuple[Truck, float | None]:
    """The forklift's way, and when it goes back out of the gate."""
    path = Path(_BEGIN_S, -_FAR if manner == "empty" else _FAR, y)
    turns_s = None
    if manner in _LOOK_S:
        path.drive(_SPEED, (_HALT, y))
        turns_s = path.end_s + _LOOK_S[manner]
        path.wait(turns_s)
    path.drive(_SPEED, (-_FAR if manner in ("through", "unreadable") else _FAR, y))
    return Truck("forklift", path, _BEGIN_S), turns_s


def _within_reach(path: Path) -> tuple[float, float]:
    """From when until when a truck is near the door."""
    times = [_BEGIN_S + step * _STEP_S for step in range(round((path.end_s - _BEGIN_S) / _STEP_S))]
    from_s = next(at_s for at_s in times if abs(path.at(at_s)[0]) < _COMES)
    return from_s, next(at_s for at_s in reversed(times) if abs(path.at(at_s)[0]) < _GOES)


def _tag(epc: bytes, place: int, *, dead: bool) -> Tag:
    """A good label on one of three faces, one above the other."""
    x, side = _FACES[place % len(_FACES)]
    high = 0.5 + 0.12 * (place // len(_FACES) % 8)
    axis = (0.0, 1.0, 0.0) if x else (1.0, 0.0, 0.0)
    return Tag(
        epc=epc,
        pc=0x3000,
        role="sscc" if place < 2 else "item",
        spot=(x, side, high),
        axis=axis,
        needs_dbm=_CHIP_DBM,
        loss_db=1.0,
        truth="dead" if dead else "fine",
        persists_s=1.0,
        turn=0.1 * (place % 10),
    )


def _moved(told: Observation | EyeChange, by_us: int) -> Observation | EyeChange:
    at_us = max(0, told.at_us - by_us)
    if isinstance(told, EyeChange):
        return EyeChange(at_us, told.reader, told.port, told.high)
    return Observation(
        at_us, told.reader, told.antenna, told.epc, told.pc, told.rssi_cdbm, told.channel, told.phase
    )
