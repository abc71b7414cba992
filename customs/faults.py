# SPDX-License-Identifier: Apache-2.0
"""Faults of a file that people wrote: where, what came, what was expected, what to do next.

A reader collects them all, so that a file is corrected once and not line by line. Knows no format.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

FAULTS_MAX: Final = 1_000
"""Faults that are kept and shown; more are counted. A file with more is of another kind than expected."""

SHOWN_MAX: Final = 60
"""Characters of a bad value that a fault repeats: enough to find it, too few to flood a page."""


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong. `where` is a key path, or a row and column; `got` is printable and short."""

    file: str
    where: str
    got: str
    expected: str
    next: str

    def __str__(self) -> str:
        place = f"{self.file}, {self.where}" if self.where else self.file
        return f"{place}: {self.got}; expected {self.expected}. {self.next}"


@dataclass(slots=True)
class Faults:
    """All faults of one import: the first FAULTS_MAX in `kept`, all of them counted in `total`."""

    kept: list[Fault] = field(default_factory=list)
    total: int = 0

    def add(self, file: str, where: str, got: str, expected: str, next_step: str) -> None:
        """Note one."""
        self.total += 1
        if len(self.kept) < FAULTS_MAX:
            self.kept.append(Fault(shown(file), where, got, expected, next_step))


def shown(value: object) -> str:
    """A value from outside as people may safely see it: printable, quoted where needed, short."""
    text = value if isinstance(value, str) else str(value)
    cut = text[:SHOWN_MAX]
    safe = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in cut)
    return safe + ("..." if len(text) > SHOWN_MAX else "")
