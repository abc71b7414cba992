# SPDX-License-Identifier: Apache-2.0
"""Errors of the dock's room; all under one root.

EdgeError
|-- ConfigError        zonegate.toml has faults; the message lists them
|-- AnchorError        the anchor's folder or key cannot be used
|-- EvidenceError      stored evidence of a passage cannot be read
|-- LabelsError        no number for a label can be told; the message says the next step
|-- StoreError         the journal's files cannot be used as they are
|   |-- StoreBusy      another process holds them
|   `-- StoreNewer     a newer version wrote them
`-- JournalError       an entry could not be written
    |-- JournalClosed  the journal was closed before
    |-- JournalFailed  a write or flush failed; open the journal again
    |-- DiskFull       no room left; free some, then open the journal again
    `-- Backlogged     too much is waiting to be written; try again later
"""

from __future__ import annotations


class EdgeError(Exception):
    """Root of this room's errors."""


class ConfigError(EdgeError):
    """zonegate.toml has faults; the message lists them all."""


class AnchorError(EdgeError):
    """The anchor's folder or key cannot be used."""


class EvidenceError(EdgeError):
    """Stored evidence of a passage is damaged, or of a newer version."""


class LabelsError(EdgeError):
    """No number for a label can be told; the message says the next step."""


class StoreError(EdgeError):
    """The journal's files cannot be used as they are."""


class StoreBusy(StoreError):
    """Another process holds the journal or the anchor; end it first."""


class StoreNewer(StoreError):
    """The journal was written by a newer version; update this one."""


class JournalError(EdgeError):
    """An entry could not be written."""


class JournalClosed(JournalError):
    """The journal was closed before; nothing was written."""


class JournalFailed(JournalError):
    """A write or flush failed. What was not told may or may not be stored; open the journal again."""


class DiskFull(JournalError):
    """There is no room to write. Nothing told is lost; free some room, then open the journal again."""


class Backlogged(JournalError):
    """Too much is waiting to be written; nothing was queued, try again later."""
