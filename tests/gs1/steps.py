# SPDX-License-Identifier: Apache-2.0
"""How much work reading a text is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

from gs1 import CodeError


def lines_run(parse: Callable[[str], object], text: str) -> int:
    """How many lines of Python ran: a measure of work that no busy machine disturbs."""
    lines = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with suppress(CodeError):
            parse(text)
    finally:
        sys.settrace(before)
    return lines
