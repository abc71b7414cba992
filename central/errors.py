# SPDX-License-Identifier: Apache-2.0
"""Errors of the center; all under one root.

CentralError
|-- SetupError        the center cannot start as it is set up
|   `-- ConfigError   zonegate.toml has faults; the message lists them
|-- Unavailable       the database cannot be reached now; try again
|-- Denied            a request that is refused: HTTP status, what came, what next
`-- UnreadableEntry   a stored entry that the books cannot take; it blocks nothing
"""

from __future__ import annotations


class CentralError(Exception):
    """Root of this room's errors."""


class SetupError(CentralError):
    """The center cannot start as it is set up; the message says what came and what to do."""


class ConfigError(SetupError):
    """zonegate.toml has faults; the message lists them all."""


class Unavailable(CentralError):
    """The database cannot be reached now; trying again may help."""


class Denied(CentralError):
    """A request that is refused with `status` (4xx); `next_step` says what to do."""

    def __init__(self, status: int, error: str, next_step: str) -> None:
        super().__init__(error)
        self.status = status
        self.next_step = next_step


class UnreadableEntry(CentralError):
    """A stored entry that the books cannot take: a schema or a value this version does not know."""
