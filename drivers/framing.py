# SPDX-License-Identifier: Apache-2.0
"""A serial scanner's bytes cut into codes, and codes written as a scanner writes them. Pure: time comes in.

A code ends at CR, LF, ETX or, while the line has shown no such end yet, at a silence. May not know what a
code means: symbology identifiers and GS (0x1D) stay in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gs1 import split_aim

__all__ = ["FRAME_LENGTH_MAX", "Frame", "OverLong", "ScanFramer", "Torn", "encode_scan"]

# More than twice what the largest barcode holds (7,089 bytes), so that a code of 10 kB still reaches a person
# as a refusal with its reason; beyond it lies a line in trouble, not a code.
FRAME_LENGTH_MAX = 16_384

_STX, _ETX = b"\x02", b"\x03"


@dataclass(frozen=True, slots=True)
class Frame:
    """One code as sent, its symbology identifier in front if any; `no_read`: the scanner's word for "could
    not".
    """

    code: bytes
    no_read: bool = False


@dataclass(frozen=True, slots=True)
class OverLong:
    """A line of `length` bytes, longer than allowed, was dropped up to its end."""

    length: int


@dataclass(frozen=True, slots=True)
class Torn:
    """`length` bytes without their end were dropped: the line fell silent, or a new code began in their
    middle.
    """

    length: int


Piece = Frame | OverLong | Torn


class ScanFramer:
    """Cuts one device's byte stream. Memory is bounded by `max_length` whatever arrives.

    `no_read` is what the scanner sends when it could not read (empty: it sends nothing). A code without
    terminator ends after `idle_gap_s` seconds of silence. On a line that sends terminators a gap is a
    stutter, and half a code must not pass for one: there, what stays unfinished for `stale_s` is dropped, and
    the line counts as one without terminators until its next.
    """

    def __init__(
        self,
        max_length: int = FRAME_LENGTH_MAX,
        no_read: bytes = b"NOREAD",
        idle_gap_s: float = 0.05,
        stale_s: float = 1.0,
    ) -> None:
        self._max_length = max_length
        self._no_read = no_read
        self._idle_gap_ns = round(idle_gap_s * 1e9)
        self._stale_ns = round(stale_s * 1e9)
        self._buffer = bytearray()
        self._dropping = 0  # bytes of the over-long line dropped so far
        self._terminated = False  # this line has sent a terminator
        self._last_ns = 0

    @property
    def deadline_ns(self) -> int | None:
        """When to call `flush`, on the clock of `feed`; None while nothing is unfinished."""
        if not (self._buffer or self._dropping):
            return None
        return self._last_ns + (self._stale_ns if self._terminated else self._idle_gap_ns)

    def feed(self, data: bytes, now_ns: int) -> list[Piece]:
        """What `data`, arrived at `now_ns`, completes; in the order of the line.

        Ends nothing by silence, even if much time has passed: a busy reader may have been late, not the line,
        and two codes run together are refused where half a code might pass.
        """
        pieces: list[Piece] = []
        self._last_ns = now_ns
        for match in _RUNS.finditer(data):
            run = match[0]
            if run == _STX:
                pieces += self._tear()
            elif run in _ENDS:
                self._terminated = True
                pieces += self._end()
            else:
                self._keep(run)
        return pieces

    def flush(self, now_ns: int) -> list[Piece]:
        """What the silence until `now_ns` ends, usually nothing. Call it when nothing waits to be fed."""
        deadline = self.deadline_ns
        if deadline is None or now_ns < deadline:
            return []
        if not self._terminated:
            return self._end()
        # What ended the codes before may have been noise: from now on a silence counts again.
        self._terminated = False
        return self._tear()

    def reset(self) -> list[Piece]:
        """Forget what is unfinished, for the link was lost; what the line taught of its terminators stays."""
        return self._tear()

    def _keep(self, run: bytes) -> None:
        if self._dropping or len(self._buffer) + len(run) > self._max_length:
            self._dropping += len(self._buffer) + len(run)
            self._buffer.clear()
        else:
            self._buffer += run

    def _end(self) -> list[Piece]:
        if self._dropping:
            return self._over_long()
        if not self._buffer:
            return []
        code = bytes(self._buffer)
        self._buffer.clear()
        _, said = split_aim(code)
        return [Frame(code, no_read=bool(self._no_read) and said == self._no_read)]

    def _tear(self) -> list[Piece]:
        if self._dropping:
            return self._over_long()
        if not self._buffer:
            return []
        length = len(self._buffer)
        self._buffer.clear()
        return [Torn(length)]

    def _over_long(self) -> list[Piece]:
        length, self._dropping = self._dropping, 0
        return [OverLong(length)]


def encode_scan(code: bytes, aim: str | None = None, suffix: bytes = b"\r", stx_etx: bool = False) -> bytes:
    """What a serial scanner sends for `code`: [STX] [identifier] code [ETX] suffix."""
    body = (aim or "").encode("ascii") + code
    return (_STX + body + _ETX if stx_etx else body) + suffix


# NUL is what a break or a loose plug looks like; it is matched by neither run and so passed over.
_RUNS = re.compile(rb"[^\x00\x02\x03\r\n]+|[\x02\x03\r\n]")
_ENDS = frozenset((b"\r", b"\n", _ETX))
