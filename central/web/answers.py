# SPDX-License-Identifier: Apache-2.0
"""Answers in JSON: quantities and money as strings of digits, as the interface's description has them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import msgspec
from aiohttp import web

_KEPT: Final = (Decimal,)
_encoder = msgspec.json.Encoder()


def json_answer(value: Any, status: int = 200) -> web.Response:
    """An answer that says `value`. The database gives ten thousand as 1E+4; programs read 10000."""
    body = _encoder.encode(_in_digits(msgspec.to_builtins(value, builtin_types=_KEPT)))
    return web.Response(body=body, status=status, content_type="application/json")


def _in_digits(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return {name: _in_digits(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_in_digits(each) for each in value]
    return value
