# SPDX-License-Identifier: Apache-2.0
"""Bytes from outside, made fit for a screen, a log line or a sentence. Knows nothing of what they mean."""

from __future__ import annotations

__all__ = ["printable", "shown"]

_CONTROL_NAMES = (
    "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI "
    "DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US"
)
_CONTROLS = _CONTROL_NAMES.split()

# One name per byte value. "<" itself is escaped too, so that a code which spells "<GS>" cannot pass for one
# that holds a separator.
_NAMES = tuple(
    f"<{_CONTROLS[value]}>"
    if value < 0x20
    else "<DEL>"
    if value == 0x7F
    else "<LT>"
    if value == 0x3C
    else chr(value)
    if value < 0x7F
    else f"<{value:02X}>"
    for value in range(256)
)


def printable(code: bytes, limit: int = 120) -> str:
    """`code` as visible ASCII: control characters by name (`<GS>`), bytes above 126 in hex (`<C3>`).

    Reads at most `limit` bytes; what is left out is counted at the end: `...(9880 more bytes)`. Two different
    codes within the limit never look the same.
    """
    text = "".join(map(_NAMES.__getitem__, code[:limit]))
    left_out = len(code) - limit
    return text if left_out <= 0 else f"{text}...({left_out} more bytes)"


def shown(text: str) -> str:
    """`text` as a short part of a sentence: printable, at most 40 bytes of it, the word "nothing" when
    empty.
    """
    return printable(text.encode("utf-8", "surrogatepass"), 40) or "nothing"
