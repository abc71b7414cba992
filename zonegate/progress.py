# SPDX-License-Identifier: Apache-2.0
"""How far a long walk is, on a line of a terminal; silent when nobody watches."""

from __future__ import annotations

import time
from typing import Final, TextIO

_EVERY_S: Final = 0.5
_STEPS: Final = 500
"""Steps between two looks at the clock."""


class Progress:
    """Counts steps, and says so on `stream` when that is a terminal."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream if stream is not None and stream.isatty() else None
        self._done = self._total = 0
        self._said_s = 0.0

    def begin(self, total: int) -> None:
        """Expect so many steps more."""
        self._total += total

    def step(self) -> None:
        """One step is done."""
        self._done += 1
        if self._stream is None or self._done % _STEPS:
            return
        now_s = time.monotonic()
        if now_s - self._said_s >= _EVERY_S:
            self._said_s = now_s
            self._stream.write(f"\rverified {self._done:,} of {self._total:,} entries")
            self._stream.flush()

    def end(self) -> None:
        """Clear the line."""
        if self._stream is not None and self._said_s:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
