# SPDX-License-Identifier: Apache-2.0
"""The dock's time and chance, handed in as one value so that a test can replay them.

Knows the kernel's clocks; knows no journal and no door.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sync.entry import Clock, new_entry_id

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")

_TIMEX_BYTES: Final = 512
"""Room for the kernel's struct timex (208 bytes on 64-bit Linux); zeros ask and change nothing."""

_TIME_ERROR: Final = 5
"""What adjtimex(2) returns when nobody keeps the clock in step."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """Where time and chance come from.

    `utc()` is an aware time in UTC, `mono_ns()` nanoseconds since the boot named by `boot`,
    `synchronized()` whether the kernel's clock is kept in step, `random(n)` n random bytes.
    """

    utc: Callable[[], datetime]
    mono_ns: Callable[[], int]
    boot: str
    synchronized: Callable[[], bool]
    random: Callable[[int], bytes]

    def stamp(self) -> Clock:
        """What an entry that happens now says of its clock."""
        return Clock(self.synchronized(), self.boot, self.mono_ns())

    def entry_id(self) -> str:
        """A new UUIDv7 for a fact that happens now."""
        return new_entry_id(int(self.utc().timestamp() * 1000), self.random(10))

    def epoch(self) -> str:
        """A new epoch's name: 32 random hex digits."""
        return self.random(16).hex()


def system_clocks() -> Clocks:
    """This machine's clocks and its kernel's random bytes."""
    return Clocks(
        utc=lambda: datetime.now(UTC),
        mono_ns=time.monotonic_ns,
        boot=_BOOT_ID.read_text(encoding="ascii").strip(),
        synchronized=_kernel_synchronized,
        random=os.urandom,
    )


_libc = ctypes.CDLL(None, use_errno=True)


def _kernel_synchronized() -> bool:
    """The kernel's word (adjtimex); False when it may not be asked, as in some containers."""
    state: int = _libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return state not in (-1, _TIME_ERROR)
