# SPDX-License-Identifier: Apache-2.0
"""What a bad line does to bytes: split, garble, duplicate, delay. Pure and seeded, for fakes and
simulators.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

__all__ = ["LineFaults"]


@dataclass(frozen=True, slots=True)
class LineFaults:
    """Chances between 0 and 1 drawn from `chance`, which alone decides: the same seed, the same bad day.

    `split`: of a cut behind each byte; `garble`: of each byte being replaced by another; `duplicate`: of each
    piece arriving twice; `delay`: of each piece being late, by up to `delay_s_max` seconds.
    """

    chance: Random
    split: float = 0.0
    garble: float = 0.0
    duplicate: float = 0.0
    delay: float = 0.0
    delay_s_max: float = 0.02

    def apply(self, data: bytes) -> list[tuple[float, bytes]]:
        """`data` as it arrives: pieces in order, each with the seconds to wait before it."""
        pieces = []
        for piece in self._pieces(self._garbled(data)):
            pieces.append((self._pause_s(), piece))
            if self._happens(self.duplicate):
                pieces.append((self._pause_s(), piece))
        return pieces

    def _garbled(self, data: bytes) -> bytes:
        if not self.garble:
            return data
        return bytes(
            value ^ self.chance.randrange(1, 256) if self._happens(self.garble) else value for value in data
        )

    def _pieces(self, data: bytes) -> list[bytes]:
        cuts = [index for index in range(1, len(data)) if self._happens(self.split)]
        return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]

    def _pause_s(self) -> float:
        return self.chance.uniform(0, self.delay_s_max) if self._happens(self.delay) else 0.0

    def _happens(self, likelihood: float) -> bool:
        # No draw for a fault that is off, so that adding a kind of fault leaves the others' days as they
        # were.
        return likelihood > 0 and self.chance.random() < likelihood
