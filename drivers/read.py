# SPDX-License-Identifier: Apache-2.0
"""One observation by one device. Values; they know neither doors nor what a code means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

__all__ = ["InputChange", "Read", "TagRead"]


@dataclass(frozen=True, slots=True)
class Read:
    """What a device saw once.

    `code` is the scanned data without its symbology identifier, `aim` that identifier (three characters such
    as "]C1", ISO/IEC 15424) or None when the scanner sent none. `at` is UTC, `monotonic_ns` the same moment
    on a clock for intervals; both mark the code's last byte, of a camera when the picture came. `carrier` is
    "barcode", "keyboard" or "camera". `no_read` is true when the scanner said that it could not read; `code`
    is then what it said.
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


class TagRead(msgspec.Struct, frozen=True, gc=False):
    """What one report of an RFID reader tells of one tag, `count` singulations of it by one antenna.

    `first_us` and `last_us` are on this machine's monotonic clock, in microseconds, whatever the reader's own
    clock says. `rssi_cdbm` is the peak in 1/100 dBm. `pc` are the tag's protocol control bits, `phase` is in
    1/4096 of a turn, `doppler` in 1/16 Hz, `channel` the index of the frequency, `tid` the chip's own number;
    None where the reader does not tell them.
    """

    device: str
    epc: bytes
    antenna: int
    rssi_cdbm: int
    count: int
    first_us: int
    last_us: int
    pc: int | None = None
    phase: int | None = None
    doppler: int | None = None
    channel: int | None = None
    tid: bytes | None = None


class InputChange(msgspec.Struct, frozen=True, gc=False):
    """An input of a reader (GPI) changed, after debouncing; `at_us` as in TagRead."""

    device: str
    port: int
    high: bool
    at_us: int
