# SPDX-License-Identifier: Apache-2.0
"""Who is in the hall at a time, what blocks whom, and the link budget of one antenna and one tag."""

from __future__ import annotations

from cmath import phase as angle
from dataclasses import dataclass, field
from math import inf, log10, pi
from random import Random

from simulators.yard.radio.air import Field, Mirror, Place, through
from simulators.yard.radio.bodies import Box, Pallet, Person, Tag, Truck
from simulators.yard.radio.parameters import AIR, BLOCKING, TRAFFIC
from simulators.yard.radio.site import Antenna, Site

_MIRROR_M = 5.0
"""A truck farther than this from an antenna lights up nothing."""
_FADE_UP_DB = 6.0
_CHIP_BEST_DBM = -23.0
_ROW_M = 0.6
LOOK_S = 0.1
"""How often it is looked up who is about and what is within reach."""
_AT_ONCE = 1e6
"""dB a meter of what blocks by being there, however thin."""


@dataclass(slots=True)
class Docked:
    """A trailer at a door: its antennas see into it, and nothing else outside."""

    door: str
    comes_s: float
    goes_s: float = inf


@dataclass(slots=True)
class Hall:
    """Everything of one shift."""

    site: Site
    pallets: list[Pallet] = field(default_factory=list)
    trucks: list[Truck] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    docked: list[Docked] = field(default_factory=list)
    _about: tuple[float, list[Truck], list[Person], list[Pallet]] | None = None

    def about(self, at_s: float) -> tuple[float, list[Truck], list[Person], list[Pallet]]:
        """Trucks and people who are there, and loads on the move, looked up ten times a second."""
        if self._about is None or not 0.0 <= at_s - self._about[0] < LOOK_S:
            self._about = (
                at_s,
                [truck for truck in self.trucks if truck.comes_s < at_s + LOOK_S and at_s < truck.goes_s],
                [one for one in self.people if one.comes_s < at_s + LOOK_S and at_s < one.goes_s],
                [load for load in self.pallets if load.solid and load.moving(at_s, at_s + LOOK_S)],
            )
        return self._about


@dataclass(frozen=True, slots=True)
class Heard:
    """One way's budget at the chip, the reply's at the reader, both in dBm; the reply's phase in turns."""

    chip_dbm: float
    reply_dbm: float
    phase: float


Still = tuple[Place, complex, complex]
"""Where a tag is, and the direct and the scattered field there, one way, in a hall where nothing moves."""

_SILENCE = Heard(-99.0, -199.0, 0.0)


class Reach:
    """Pallets of which a tag might hear one antenna, whatever the fading, with what stands between for
    good.
    """

    def __init__(self, hall: Hall, air: Field, at_s: float) -> None:
        self.at_s = at_s
        self.pallets: list[tuple[Pallet, float]] = []
        site = hall.site
        door = air.antenna.door
        sealed = any(one.door == door and one.comes_s <= at_s < one.goes_s for one in hall.docked)
        trailers: dict[str, list[tuple[float, float]]] = {}
        there = []
        for pallet in hall.pallets:
            if pallet.comes_s < at_s + LOOK_S and at_s < pallet.goes_s:
                x, y = pallet.path.at(at_s)
                there.append((pallet, x, y))
                if pallet.trailer and x < 0.0:
                    trailers.setdefault(pallet.trailer, []).append((x, y))
        for pallet, x, y in there:
            between = _between_db(site, air.antenna, pallet, (x, y), trailers, sealed=sealed)
            least = air.least_loss_db((x, y, pallet.high / 2), 1.0) + between * BLOCKING.scattered_share
            best = AIR.power_dbm + AIR.antenna_dbi + AIR.tag_dbi + _FADE_UP_DB - least
            if best > _CHIP_BEST_DBM:
                self.pallets.append((pallet, between))


class View:
    """What one antenna sees at one time, of what moves about: shadows and mirrors."""

    def __init__(self, hall: Hall, air: Field, channel: int, at_s: float) -> None:
        self._air = air
        self._channel = channel
        self._near: list[tuple[Box, float, float, object]] = []
        self._mirrors: list[Mirror] = []
        self._obstruct(hall, at_s)

    @property
    def quiet(self) -> bool:
        """Nothing moves about near this antenna."""
        return not self._near

    def hear(self, pallet: Pallet, tag: Tag, at_s: float, between_db: float) -> Heard:
        """The link budget of a tag; `between_db` is what walls, trailers and rows take."""
        return self.now(pallet, tag, self.still(pallet, tag, at_s, between_db))

    def still(self, pallet: Pallet, tag: Tag, at_s: float, between_db: float) -> Still:
        """What reaches a tag while nothing moves about: it holds as long as the pallet rests there."""
        x, y = pallet.path.at(at_s)
        at = (x + tag.spot[0], y + tag.spot[1], tag.spot[2])
        turned, direct_db, rest_db = self._air.spread(self._channel, at, tag.axis)
        gains = AIR.antenna_dbi + AIR.tag_dbi - tag.loss_db
        rest_db -= AIR.rice_trailer_db if at[0] < 0 and pallet.trailer else AIR.rice_db
        best = max(direct_db - between_db, rest_db - BLOCKING.scattered_share * between_db)
        if AIR.power_dbm + gains + best + _FADE_UP_DB < tag.needs_dbm:
            return at, 0j, 0j
        blocked = between_db
        if pallet.solid:
            inside = through(at, self._air.antenna.at, pallet.box(at_s))
            blocked += min(BLOCKING.around_db, inside * pallet.goods.through_db_m)
        rest_db -= BLOCKING.scattered_share * blocked
        return at, *self._air.waves(self._channel, at, turned, direct_db - blocked, rest_db)

    def now(self, pallet: Pallet, tag: Tag, still: Still) -> Heard:
        """The link budget with what moves about."""
        at, direct, rest = still
        if self._near:
            blocked = 0.0
            for box, each, most, owner in self._near:
                if owner is not pallet:
                    blocked += min(most, through(at, self._air.antenna.at, box) * each)
            if blocked:
                direct *= 10 ** (-blocked / 20)
                rest *= 10 ** (-BLOCKING.scattered_share * blocked / 20)
        amplitude = direct + rest
        if self._mirrors:
            amplitude += self._air.mirrored(self._channel, at, self._mirrors)
        if not amplitude:
            return _SILENCE
        one_way = 20 * log10(abs(amplitude)) + AIR.antenna_dbi + AIR.tag_dbi - tag.loss_db
        chip = AIR.power_dbm + one_way
        turn = (2 * angle(amplitude) / (2 * pi) + tag.turn) % 1.0
        return Heard(chip, chip + one_way - AIR.modulation_db, turn)

    def _obstruct(self, hall: Hall, at_s: float) -> None:
        """What moves or stands about near this antenna and may block or mirror."""
        a = self._air.antenna.at
        _, trucks, people, loads = hall.about(at_s)
        for truck in trucks:
            if not truck.comes_s <= at_s < truck.goes_s:
                continue
            x, y = truck.middle(at_s)
            if abs(x - a[0]) + abs(y - a[1]) > 2 * _MIRROR_M:
                continue
            loss = BLOCKING.person_db if truck.jack else BLOCKING.truck_db
            self._near.append((truck.box(at_s), _AT_ONCE, loss, truck))
            if not truck.jack and abs(x - a[0]) + abs(y - a[1]) < _MIRROR_M:
                self._mirrors.append(self._air.mirror(self._channel, (x, y, 1.2)))
        for person in people:
            if person.comes_s <= at_s < person.goes_s:
                self._near.append((person.box(at_s), _AT_ONCE, BLOCKING.person_db, person))
        for pallet in loads:
            x, y = pallet.path.at(at_s)
            if abs(x - a[0]) + abs(y - a[1]) < _MIRROR_M:
                box = pallet.box(at_s)
                self._near.append((box, pallet.goods.through_db_m, BLOCKING.around_db, pallet))


def _between_db(
    site: Site,
    antenna: Antenna,
    pallet: Pallet,
    at: tuple[float, float],
    trailers: dict[str, list[tuple[float, float]]],
    *,
    sealed: bool,
) -> float:
    """Walls, trailers and rows of pallets between an antenna's door and a pallet."""
    x, y = at
    if x >= 0.0:
        return 0.0
    if pallet.trailer is None:
        aside = abs(y - site.doors[antenna.door])
        through_door = 0.0 if aside < TRAFFIC.door_wide / 2 - x else BLOCKING.wall_db
        return through_door + (BLOCKING.trailer_db if sealed else 0.0)
    if pallet.trailer != antenna.door:
        return BLOCKING.trailer_db + BLOCKING.wall_db
    nearer = sum(x + _ROW_M < ox and abs(oy - y) < _ROW_M for ox, oy in trailers.get(pallet.trailer, ()))
    return BLOCKING.row_db * nearer


def fields(antennas: tuple[Antenna, ...], chance: Random) -> dict[tuple[str, int], Field]:
    """Each antenna's hall, by reader and port."""
    return {(antenna.reader, antenna.port): Field(antenna, chance) for antenna in antennas}


def closes(tag: Tag, heard: Heard) -> bool:
    """Whether power reaches the chip and its reply the reader."""
    return tag.alive and heard.chip_dbm >= tag.needs_dbm and heard.reply_dbm >= AIR.reader_dbm


__all__ = ["LOOK_S", "Docked", "Hall", "Heard", "Place", "Reach", "Still", "View", "closes", "fields"]
