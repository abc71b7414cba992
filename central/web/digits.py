# SPDX-License-Identifier: Apache-2.0
"""Numbers as people and programs may write them: in the digits 0 to 9, with a point before decimals.

Python's own reading of numbers takes digits of every script, underscores, exponents and blanks; what a
person sees would not be what is booked. Values only; knows no request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from central.errors import Denied

_NUMBER: Final = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,12})?\Z", re.ASCII)
"""As much as `sync.bodies.is_count` lets pass, with a sign for what a count found missing."""

_SHOWN_MAX: Final = 40


def number_of(text: str) -> Decimal:
    """The number that a text is. ValueError for any other."""
    if not _NUMBER.match(text):
        raise ValueError(text)
    return Decimal(text)


def check_numbers(order: Any, said: Any) -> None:
    """Denied (400) where a number of an order was not said in digits; `said` is what it was read from."""
    if isinstance(order, Decimal):
        if isinstance(said, str) and not _NUMBER.match(said):
            raise Denied(
                400,
                f"{said[:_SHOWN_MAX]!a} is no number as it is written here",
                "Write it in the digits 0 to 9, with a point before decimals, such as 750 or 0.5.",
            )
    elif isinstance(order, msgspec.Struct) and isinstance(said, Mapping):
        for field in msgspec.structs.fields(order):
            check_numbers(getattr(order, field.name), said.get(field.encode_name))
    elif isinstance(order, tuple) and isinstance(said, list):
        for each, was in zip(order, said, strict=True):
            check_numbers(each, was)
