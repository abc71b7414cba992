# SPDX-License-Identifier: Apache-2.0
"""What can go wrong between a device and a Read; the type tells whether trying again can help.

    DriverError
    +-- Retryable            the same call may succeed later
    |   +-- LinkUnavailable  the device cannot be opened now
    |   +-- LinkLost         the device went away while in use
    |   +-- PartMissing      a library that this device needs is not installed
    +-- Permanent            the same call will fail again until somebody changes something
        +-- LinkUrlError     the address cannot mean a link

May not know: what a door does about it.
"""

from __future__ import annotations

__all__ = [
    "DriverError",
    "LinkLost",
    "LinkUnavailable",
    "LinkUrlError",
    "PartMissing",
    "Permanent",
    "Retryable",
]


class DriverError(Exception):
    """Root of this room's errors."""


class Retryable(DriverError):
    """The same call may succeed later."""


class Permanent(DriverError):
    """The same call will fail again until somebody changes something."""


class LinkUnavailable(Retryable):
    """The device cannot be opened now: not plugged in, in use, or closed to this user."""


class LinkLost(Retryable):
    """The device went away while in use: unplugged, powered off, line hung up."""


class PartMissing(Retryable):
    """A library that this device needs is not installed; the sentence has the line that brings it."""


class LinkUrlError(Permanent, ValueError):
    """The address cannot mean a link."""
