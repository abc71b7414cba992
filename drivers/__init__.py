# SPDX-License-Identifier: Apache-2.0
"""Bytes in, Reads out. One URL opens a link, a pure framer cuts its bytes, a scanner keeps the link open and
tells its health. Knows nothing of doors, jobs or customs; the null modem stands in for a device in tests and
trials.
"""

from __future__ import annotations

from .errors import DriverError, LinkLost, LinkUnavailable, LinkUrlError, Permanent, Retryable
from .framing import Frame, OverLong, ScanFramer, Torn, encode_scan
from .line_faults import LineFaults
from .link import Link, LinkAddress, Port, list_ports, open_link, parse_link_url
from .null_modem import NullModem
from .read import InputChange, Read, TagRead
from .scanner import Clock, Counts, Health, Scanner, ScannerSettings, State

__all__ = [
    "Clock",
    "Counts",
    "DriverError",
    "Frame",
    "Health",
    "InputChange",
    "LineFaults",
    "Link",
    "LinkAddress",
    "LinkLost",
    "LinkUnavailable",
    "LinkUrlError",
    "NullModem",
    "OverLong",
    "Permanent",
    "Port",
    "Read",
    "Retryable",
    "ScanFramer",
    "Scanner",
    "ScannerSettings",
    "State",
    "TagRead",
    "Torn",
    "encode_scan",
    "list_ports",
    "open_link",
    "parse_link_url",
]
