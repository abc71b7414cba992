# SPDX-License-Identifier: Apache-2.0
"""One observation by one device. A value; knows neither doors nor what a code means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Read"]


@dataclass(frozen=True, slots=True)
class Read:
    """What a device saw once.

    `code` is the scanned data without its symbology identifier, `aim` that identifier (three characters such
    as "]C1", ISO/IEC 15424) or None when the scanner sent none. `at` is UTC, `monotonic_ns` the same moment
    on a clock for intervals; both mark the code's last byte. `carrier` is "barcode" or "keyboard". `no_read`
    is true when the scanner said that it could not read; `code` is then what it said.
    """

    device: str
    code: bytes
    aim: str | None
    at: datetime
    monotonic_ns: int
    carrier: str
    no_read: bool = False

    @property
    def raw(self) -> bytes:
        """Identifier and code as the scanner sent them, the input of gs1.identify."""
        return (self.aim or "").encode("ascii") + self.code
