# SPDX-License-Identifier: Apache-2.0
"""The example zone's pump, as tests of manufacture use it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from customs.works.boms import Bom, Input, Scrap

MOTOR = "09521999001010"
BEARING = "09521999001027"
HOUSING = "09521999001034"
PUMP = "09521999001041"
KIT = "09521999001072"
SCRAP = "09521999001089"

MONDAY = date(2026, 6, 1)


def pump_bom(version: str = "A", valid_from: date = date(2026, 1, 1), valid_to: date | None = None) -> Bom:
    """One motor, two bearings, 1.02 housings, one kit; 0.02 housings become aluminum scrap."""
    return Bom(
        product=PUMP,
        version=version,
        unit="EA",
        valid_from=valid_from,
        valid_to=valid_to,
        inputs=(
            Input(MOTOR, Decimal(1), "EA"),
            Input(BEARING, Decimal(2), "EA"),
            Input(HOUSING, Decimal("1.02"), "EA"),
            Input(KIT, Decimal(1), "EA"),
        ),
        scrap=(Scrap(HOUSING, Decimal("0.02"), recoverable=True, description="aluminum", gtin=SCRAP),),
    )
