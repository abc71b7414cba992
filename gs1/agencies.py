# SPDX-License-Identifier: Apache-2.0
"""Issuing agency codes of ISO/IEC 15459: who answers for the uniqueness of a licence plate or a part's
identity.

An identity begins with the agency's code, then the company's number with that agency, then the company's own.
The register (kept by AIM) is long and grows; here are the agencies whose labels come to a dock. A code that
is not here is not wrong: `agency_of` gives None, and the identity is kept. Codes are of one to three
characters and none is the beginning of another, which the standard asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["AGENCIES", "agency_of"]

# Seen in published guides of the agencies: UN, D, LD, LB, LE, OD, LH, RH (MIL-STD-130, EDIFICE, EHIBCC,
# Odette). The others are from memory of the register.
AGENCIES: Mapping[str, str] = MappingProxyType(
    {
        **{str(digit): "GS1" for digit in range(10)},
        "D": "NATO CAGE",
        "J": "Universal Postal Union",
        "LA": "JIPDEC",
        "LB": "Telcordia",
        "LD": "DoDAAC",
        "LE": "EDIFICE",
        "LF": "FIATA",
        "LH": "EHIBCC",
        "OD": "Odette",
        "QC": "CII, Japan",
        "RH": "HIBCC",
        "UN": "Dun and Bradstreet",
        "VTD": "Teikoku Databank",
    }
)


def agency_of(identity: str) -> str | None:
    """The issuing agency's name for an identity of ISO/IEC 15459; None when its code is not held here."""
    for length in (1, 2, 3):
        name = AGENCIES.get(identity[:length])
        if name is not None and len(identity) >= length:
            return name
    return None
