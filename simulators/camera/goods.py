# SPDX-License-Identifier: Apache-2.0
"""Codes as they stand on labels at a dock, made up by chance. Written from the standards, not from the
service's reader.

Sources: GS1 General Specifications, section 3 (AI 00, 01, 10) and 7.9 (check digit); GS1 Digital Link.
"""

from __future__ import annotations

from random import Random

__all__ = ["KINDS", "made_up"]

KINDS = ("sscc", "lot", "itf-14", "data-matrix", "link")
"""An SSCC and a lot in GS1-128, a carton's ITF-14, a lot in GS1 DataMatrix, an SSCC as a link in QR."""

_COMPANY = "9521999"  # from GS1's demonstration range
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"


def made_up(kind: str, chance: Random) -> bytes:
    """One code of a kind of KINDS, symbology identifier in front."""
    sscc = _checked(f"0{_COMPANY}{chance.randrange(10**9):09d}")
    gtin = _checked(f"1{_COMPANY}{chance.randrange(10**5):05d}")
    lot = "".join(chance.choice(_LETTERS) for _ in range(8))
    texts = {
        "sscc": f"]C100{sscc}",
        "lot": f"]C101{gtin}10{lot}",
        "itf-14": f"]I1{gtin}",
        "data-matrix": f"]d201{gtin}10{lot}",
        "link": f"]Q1https://id.gs1.org/00/{sscc}",
    }
    return texts[kind].encode("ascii")


def _checked(digits: str) -> str:
    """`digits` and the check digit behind them: every second one from the right counts threefold."""
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits)))
    return f"{digits}{-total % 10}"
