# SPDX-License-Identifier: Apache-2.0
"""Check digits and check characters. Knows arithmetic only, not which code carries which check."""

from __future__ import annotations

from .errors import Gs1Error

__all__ = ["CHECK_PAIR_BODY_MAX", "check_character", "check_digit", "check_pair", "ends_in_check_digit"]

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

# No AI that carries a check pair is longer than 25 characters; the primes below weigh this many.
CHECK_PAIR_BODY_MAX = 97


def check_digit(body: str) -> str:
    """The GS1 check digit that belongs behind `body`, ASCII digits without their check digit.

    GS1 General Specifications, section 7.9: weights 3 and 1 in turn from the right, modulo 10.
    Raises Gs1Error when `body` is empty or holds anything but the digits 0-9.
    """
    if not (body.isascii() and body.isdigit()):
        raise Gs1Error(f"a check digit needs the digits 0-9, got {body[:40]!r}")
    values = body.encode()
    total = sum(values) + 2 * sum(values[-1::-2])
    return str((_ZEROS[(len(values) + 1) % 20] - total - _ZERO) % 10)


def ends_in_check_digit(digits: str) -> bool:
    """Whether the last of `digits`, ASCII digits, is the check digit that belongs behind the others."""
    values = digits.encode()
    total = sum(values) + 2 * sum(values[-2::-2])
    return total % 10 == _ZEROS[len(values) % 20]


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


def check_pair(body: str) -> str:
    """The two check characters that belong behind `body`, at most 97 of character set 82.

    GS1 General Specifications, section 7.9 (check character calculation for alphanumeric keys): each
    character's place in the set times the primes from the right, modulo 1021, as two digits to the base 32.
    Raises Gs1Error when `body` is longer or holds anything else.
    """
    if len(body) > CHECK_PAIR_BODY_MAX:
        raise Gs1Error(f"a check pair covers at most {CHECK_PAIR_BODY_MAX} characters, got {len(body)}")
    total = 0
    for character, prime in zip(reversed(body), _PRIMES, strict=False):
        value = _SET_82.find(character)
        if value < 0:
            raise Gs1Error(f"a check pair needs GS1 character set 82, got {character!r}")
        total += value * prime
    high, low = divmod(total % 1021, 32)
    return _SET_32[high] + _SET_32[low]


_ZERO = ord("0")
# What so many digits add to a weighted sum of their characters when all are zeros, modulo 10: it comes again
# every twenty.
_ZEROS = [(count // 2 * 3 + (count + 1) // 2) * _ZERO % 10 for count in range(20)]
_SET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_SET_32 = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_PRIMES = [
    number for number in range(2, 510) if all(number % divisor for divisor in range(2, int(number**0.5) + 1))
]
