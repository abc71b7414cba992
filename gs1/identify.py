# SPDX-License-Identifier: Apache-2.0
"""Who is this? One code as a scanner read it, or one tag as a reader did, becomes one identity.

No I/O, no clock; may not know what the answer is used for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from .errors import CodeError
from .load import Control, Load, TagRead, Unknown, WorkOrder
from .loads import label_load, load_of, site_load, tag_load
from .parcels import Tracking
from .patterns import SitePattern
from .printable import printable
from .reading import Reading, read_code, read_tag

__all__ = ["Identity", "identify", "identity_of"]

Identity = Load | WorkOrder | Control | Tracking | Unknown


def identify(
    code: bytes | TagRead, today: date, *, patterns: Sequence[SitePattern] = (), lenient: bool = False
) -> Identity:
    """What `code` identifies: a code as read, with or without its symbology identifier, or a tag.

    `today` gives the century of dates, `patterns` are the site's own codes. Never raises and takes time
    linear in the code's length: what cannot be used, what would have to be guessed, and what is longer than
    7,089 bytes comes back as Unknown, whose faults say what came and what was expected; a code that is right
    but names nothing is Unknown too, its one fault `no_identity`. `lenient` gives a Load all the same where a
    key can be read, with the faults beside it: for people who look into a label, never for a door.
    """
    reading = read_tag(code) if isinstance(code, TagRead) else read_code(code, patterns)
    return identity_of(reading, code, today, lenient=lenient)


def identity_of(reading: Reading, code: bytes | TagRead, today: date, *, lenient: bool = False) -> Identity:
    """What a reading of `code` identifies; see identify."""
    if reading.order is not None:
        return reading.order
    if reading.parcel is not None:
        return reading.parcel
    faults = reading.faults
    if not faults or (lenient and reading.elements):
        try:
            return _load(reading, today)
        except CodeError as error:
            faults = faults or error.faults
    shown = code.epc.hex().upper().encode() if isinstance(code, TagRead) else code
    return Unknown(printable(shown), faults, reading.elements or reading.fields)


def _load(reading: Reading, today: date) -> Load:
    if reading.fields:
        return site_load(reading.fields, today)
    if reading.tag is not None:
        return tag_load(reading.tag, today)
    if all(ai.isdigit() for ai, _ in reading.elements):
        return load_of(reading.elements, today, reading.faults)
    return label_load(reading.elements, today, reading.faults)
