# SPDX-License-Identifier: Apache-2.0
"""How long to wait before a device is tried again. Knows no device and no clock."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

__all__ = ["pauses"]


def pauses(s_min: float, s_max: float, chance: Random) -> Iterator[float]:
    """Seconds before each further attempt: from `s_min` doubled up to `s_max`, without end."""
    wait_s = s_min
    while True:
        # Between half and all of the wait, so that the devices of one hub or switch do not beat in step.
        yield wait_s * chance.uniform(0.5, 1.0)
        wait_s = min(wait_s * 2, s_max)
