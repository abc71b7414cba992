# SPDX-License-Identifier: Apache-2.0
"""Errors of the record and its transports; all under one root.

SyncError
|-- EntryError        bytes or values that cannot be an entry
|-- ChainError        a log that is not one unbroken chain
|-- SignatureError    a head or request whose signature does not hold
|-- WireError         a message of the exchange that is malformed or over its bounds
`-- TransportError    the other side cannot be reached now; try again
"""

from __future__ import annotations


class SyncError(Exception):
    """Root of this room's errors."""


class EntryError(SyncError):
    """Bytes or values that cannot be an entry."""


class ChainError(SyncError):
    """A log that is not one unbroken chain."""


class SignatureError(SyncError):
    """A head or request whose signature does not hold."""


class WireError(SyncError):
    """A message of the exchange that is malformed or over its bounds."""


class EventError(SyncError):
    """An entry or a name that cannot be told to the broker as it is."""


class SettingsError(SyncError):
    """Settings of the broker's link that cannot work; the message names the setting."""


class TransportError(SyncError):
    """The other side cannot be reached now; trying again may help."""
