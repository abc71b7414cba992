# SPDX-License-Identifier: Apache-2.0
"""What scanners and people give a door, as entries keep it: a read's summary, a typed quantity.

Pure; judges nothing and knows no door.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Final

from edge.view import Refused
from gs1.printable import printable
from sync.bodies import PassageFacts, ReadSummary

CODE_BYTES_MAX: Final = 2_048
"""Of one read's bytes an entry keeps so many; longer codes are not judged. GS1 codes fit several times."""

RFID: Final = "rfid"
"""The carrier of what a reader's antenna read."""

QUANTITY_MAX: Final = Decimal(10_000_000)
"""More of one label than any dock moves at once is a slip of the fingers."""

_TYPED: Final = re.compile(r"[0-9]{1,8}(\.[0-9]{0,12})?\Z", re.ASCII)
"""A quantity as keypads type it: the digits 0 to 9 and one point, none of other scripts."""


def summary_of(
    device: str,
    carrier: str,
    raw: bytes,
    at: datetime,
    client_id: str | None = None,
    typed: str | None = None,
) -> ReadSummary:
    """A read as its entry keeps it; `raw` is cut to CODE_BYTES_MAX."""
    kept = raw[:CODE_BYTES_MAX]
    return ReadSummary(device, carrier, printable(raw), kept.hex(), at, typed, client_id)


def tag_summary(
    device: str, epc: bytes, pc: int | None, at: datetime, passage: PassageFacts | None
) -> ReadSummary:
    """A tag as its entry keeps it, with what the gate found of its passage; without `epc` only that."""
    code = epc.hex().upper()
    if not code and passage is not None:
        code = passage.passage
    return ReadSummary(device, RFID, code, epc.hex(), at, pc=pc, passage=passage)


def typed_quantity(text: str) -> Decimal:
    """A quantity that a person typed: over zero, at most QUANTITY_MAX, at most 3 decimals; else Refused."""
    shown = printable(text.encode("utf-8", "replace"), 40)
    amount = Decimal(text.strip()) if _TYPED.match(text.strip()) else Decimal(0)
    if not 0 < amount <= QUANTITY_MAX or amount != round(amount, 3):
        raise Refused(f"{shown!r} is no quantity; expected a number over 0, such as 40. Enter it again.")
    return amount.normalize() if amount != amount.to_integral() else amount.quantize(Decimal(1))
