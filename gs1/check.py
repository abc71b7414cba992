# SPDX-License-Identifier: Apache-2.0
"""Check digits and check characters. Knows arithmetic only, not which code carries which check."""

from __future__ import annotations

from .errors import Gs1Error

__all__ = ["check_character", "check_digit"]

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def check_digit(body: str) -> str:
    """The GS1 check digit that belongs behind `body`, ASCII digits without their check digit.

    GS1 General Specifications, section 7.9: weights 3 and 1 in turn from the right, modulo 10.
    Raises Gs1Error when `body` is empty or holds anything but the digits 0-9.
    """
    if not (body.isascii() and body.isdigit()):
        raise Gs1Error(f"a check digit needs the digits 0-9, got {body[:40]!r}")
    total = sum(map(int, body[-1::-2])) * 3 + sum(map(int, body[-2::-2]))
    return str(-total % 10)


def check_character(body: str) -> str:
    """The ISO/IEC 7064 MOD 37,36 check character that belongs behind `body`, of 0-9 and A-Z.

    Raises Gs1Error when `body` is empty or holds anything else.
    """
    if not body:
        raise Gs1Error("a check character needs at least one of 0-9, A-Z, got nothing")
    product = 36
    for character in body:
        value = ALPHABET.find(character)
        if value < 0:
            raise Gs1Error(f"a check character needs 0-9 and A-Z only, got {character!r}")
        product = ((product + value) % 36 or 36) * 2 % 37
    return ALPHABET[(37 - product) % 36]
