# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a code, said so that a person can mend it.

May not know: what a door decides about a code that cannot be used.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CodeError", "Fault", "Gs1Error"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: what came, what was expected, where.

    `code` is a stable word for programs, `message` a sentence for people (printable, bounded), `ai` the
    application identifier concerned, `position` the zero-based place in the code as read, counted without
    the symbology identifier, at which the trouble starts.
    """

    code: str
    message: str
    ai: str | None = None
    position: int | None = None


class Gs1Error(ValueError):
    """Root of this room's errors."""


class CodeError(Gs1Error):
    """A code breaks the rules of GS1; `faults` names each breach found, at least one."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = faults
