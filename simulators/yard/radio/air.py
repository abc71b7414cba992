# SPDX-License-Identifier: Apache-2.0
"""Waves between an antenna and a tag: direct, scattered, mirrored by metal, blocked by what stands between.

One complex amplitude stands for one way; the reply takes the same way back, so that its dB count twice. The
scattered field is a fixed sum of plane waves: a tag that rests in a hall where nothing moves is always read
alike on a channel, and one that moves sees the field's hills and dales.
"""

from __future__ import annotations

from dataclasses import replace
from math import acos, cos, degrees, log10, pi, radians, sin, sqrt
from random import Random

from simulators.yard.radio.bodies import Box
from simulators.yard.radio.parameters import AIR, LIGHT_M_S
from simulators.yard.radio.site import Antenna

Place = tuple[float, float, float]
Mirror = tuple[float, float, float, float, float]
"""A truck's flank as one antenna sees it: its place, the amplitude it throws back at 1 m, and its
distance."""

Spread = tuple[float, float, float]
"""Phase of the direct way in radians, and gain of the direct and of the scattered field before any
obstacle, dB."""

_DIPOLE_MEAN_DB = -2.0
"""A dipole from any side instead of its best one, in the mean."""


def through(p: Place, q: Place, box: Box) -> float:
    """How many meters of the line from `p` to `q` lie in a box."""
    enter, leave = 0.0, 1.0
    far = 0.0
    for axis in range(3):
        start, step = p[axis], q[axis] - p[axis]
        low, high = box[2 * axis], box[2 * axis + 1]
        far += step * step
        if step == 0.0:
            if not low <= start <= high:
                return 0.0
            continue
        first, second = (low - start) / step, (high - start) / step
        if first > second:
            first, second = second, first
        enter = max(enter, first)
        leave = min(leave, second)
        if enter >= leave:
            return 0.0
    return (leave - enter) * sqrt(far)


def mounted(antenna: Antenna, chance: Random) -> Antenna:
    """An antenna as it was really put up: a little off its place and its direction."""
    x, y, z = (place + chance.gauss(0.0, AIR.mount_m) for place in antenna.at)
    bx, by, bz = (part + chance.gauss(0.0, radians(AIR.mount_deg)) for part in antenna.beam)
    length = sqrt(bx * bx + by * by + bz * bz)
    return replace(antenna, at=(x, y, z), beam=(bx / length, by / length, bz / length))


class Field:
    """The hall as one antenna sees it."""

    def __init__(self, antenna: Antenna, chance: Random) -> None:
        self.antenna = mounted(antenna, chance)
        self.cable_db = abs(chance.gauss(0.0, AIR.cable_db))
        self._rays: list[tuple[float, float, float, float, float]] = []
        for _ in range(AIR.waves):
            up, turn = chance.uniform(-0.7, 0.7), chance.uniform(0.0, 2 * pi)
            level = sqrt(1 - up * up)
            delay_s = chance.expovariate(1.0) * AIR.delay_ns * 1e-9
            self._rays.append(
                (level * cos(turn), level * sin(turn), up, delay_s, chance.uniform(0.0, 2 * pi))
            )
        self._slow = []
        for _ in range(3):
            turn, length = chance.uniform(0.0, pi), AIR.shadow_m * chance.uniform(0.7, 1.5)
            k = 2 * pi / length
            self._slow.append((k * cos(turn), k * sin(turn), chance.uniform(0.0, 2 * pi)))
        self._channels: dict[int, tuple[float, list[tuple[float, float, float, float]]]] = {}
        self._slow_db = AIR.shadow_db * sqrt(2 / 3)
        self._wave = 1 / sqrt(AIR.waves)

    def pattern_db(self, x: float, y: float, z: float, far: float) -> float:
        """How much less the antenna radiates in a direction than in its best one."""
        beam = self.antenna.beam
        into = (x * beam[0] + y * beam[1] + z * beam[2]) / far
        off = degrees(acos(max(-1.0, min(1.0, into)))) / AIR.beam_deg
        return min(12 * off * off, AIR.back_db)

    def mirror(self, channel: int, at: Place) -> Mirror:
        """A truck's flank, for `mirrored`."""
        k, _ = self._at(channel)
        a = self.antenna.at
        x, y, z = at[0] - a[0], at[1] - a[1], at[2] - a[2]
        far = max(0.7, sqrt(x * x + y * y + z * z))
        # [radar] bistatic: wavelength times the root of the cross section over (4 pi)^1.5 and both distances.
        strength = (2 * pi / k) * sqrt(AIR.reflector_m2) / (4 * pi) ** 1.5 / far
        return (*at, strength * 10 ** (-self.pattern_db(x, y, z, far) / 20), far)

    def least_loss_db(self, at: Place, near_m: float) -> float:
        """A floor under the loss of one way to anything within `near_m` of a place, without fading."""
        a = self.antenna.at
        x, y, z = at[0] - a[0], at[1] - a[1], at[2] - a[2]
        far = sqrt(x * x + y * y + z * z)
        pattern = max(0.0, self.pattern_db(x, y, z, far) - 4.0) * 0.5
        return self._path_db(19.2, max(0.5, far - near_m)) + pattern

    def spread(self, channel: int, at: Place, axis: Place) -> Spread:
        """What distance, slow shadowing and both antennas' patterns do between the antenna and a tag."""
        k, _ = self._at(channel)
        ax, ay, az = self.antenna.at
        x, y, z = at[0] - ax, at[1] - ay, at[2] - az
        far = sqrt(x * x + y * y + z * z)
        along = (x * axis[0] + y * axis[1] + z * axis[2]) / far
        dipole = 10 * log10(max(1 - along * along, 10 ** (-AIR.tag_null_db / 10)))
        slow = 0.0
        for kx, ky, turn in self._slow:
            slow += sin(kx * at[0] + ky * at[1] + turn)
        path = self._path_db(k, far) - slow * self._slow_db + self.cable_db
        pattern = self.pattern_db(x, y, z, far)
        return k * far, dipole - path - pattern, _DIPOLE_MEAN_DB - path - pattern * 0.5

    def waves(
        self, channel: int, at: Place, turned: float, direct_db: float, rest_db: float
    ) -> tuple[complex, complex]:
        """The direct wave at a tag, `turned` radians on its way, and the scattered field, from the antenna's
        socket on, antenna gains at their best left out.
        """
        px, py, pz = at
        direct = 10 ** (direct_db / 20)
        wx = wy = 0.0
        for kx, ky, kz, turn in self._at(channel)[1]:
            phase = kx * px + ky * py + kz * pz + turn
            wx += cos(phase)
            wy += sin(phase)
        rest = self._wave * 10 ** (rest_db / 20)
        return complex(direct * cos(turned), -direct * sin(turned)), complex(rest * wx, rest * wy)

    def mirrored(self, channel: int, at: Place, mirrors: list[Mirror]) -> complex:
        """What trucks throw at a tag."""
        k, _ = self._at(channel)
        px, py, pz = at
        re = im = 0.0
        for mx, my, mz, strength, first in mirrors:
            second = max(0.5, sqrt((px - mx) ** 2 + (py - my) ** 2 + (pz - mz) ** 2))
            part = strength / second * 10 ** (_DIPOLE_MEAN_DB / 20)
            re += part * cos(k * (first + second))
            im -= part * sin(k * (first + second))
        return complex(re, im)

    def _path_db(self, k: float, far: float) -> float:
        loss = 20 * log10(2 * k * far)
        if far > AIR.break_m:
            loss += 10 * (AIR.exponent_far - 2) * log10(far / AIR.break_m)
        return loss

    def _at(self, channel: int) -> tuple[float, list[tuple[float, float, float, float]]]:
        found = self._channels.get(channel)
        if found is None:
            hertz = (AIR.first_mhz + AIR.step_mhz * channel) * 1e6
            k = 2 * pi * hertz / LIGHT_M_S
            found = (
                k,
                [
                    (k * x, k * y, k * z, (turn + 2 * pi * hertz * delay) % (2 * pi))
                    for x, y, z, delay, turn in self._rays
                ],
            )
            self._channels[channel] = found
        return found
