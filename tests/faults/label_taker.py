# SPDX-License-Identifier: Apache-2.0
"""A process that takes numbers for labels and prints each the moment it is told.

Started as ``python -m tests.faults.label_taker STORE ANCHOR KIND`` and killed from outside at any time.
KIND ``honest`` is the real counter, ``early`` a planted one that tells before it writes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from edge.sscc import SsccCounter, SsccRange
from gs1 import sscc_of

NUMBERS = SsccRange("9521999", 0, 1, 999_999_999)


class TellsBeforeWriting(SsccCounter):
    def take(self, count: int = 1) -> tuple[str, ...]:
        with self._held():
            start = self._next()
            told = tuple(sscc_of("9521999", 0, serial) for serial in range(start, start + count))
            say(told)
            self._write(start + count)
        return ()


def say(told: tuple[str, ...]) -> None:
    os.write(1, "".join(f"{sscc}\n" for sscc in told).encode())


def main() -> None:
    store, anchor, kind = sys.argv[1:]
    counter = {"honest": SsccCounter, "early": TellsBeforeWriting}[kind](Path(store), Path(anchor), NUMBERS)
    while True:
        say(counter.take())


if __name__ == "__main__":
    main()
