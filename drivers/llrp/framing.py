# SPDX-License-Identifier: Apache-2.0
"""A stream of bytes cut into LLRP frames. Pure; may not know what is in a frame beyond its header."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from drivers.llrp.messages import FRAME_LENGTH_MAX, HEADER_LENGTH

__all__ = ["BadHeader", "LlrpFramer"]

# 1 is LLRP 1.0.1, 2 is 1.1; 3 is 2.0 (that from memory). Nobody speaks another, and no reader is asked for
# more than 1.1: one that says 3 all the same is understood where it says what 1.1 has.
_VERSIONS: Final = frozenset((1, 2, 3))


@dataclass(frozen=True, slots=True)
class BadHeader:
    """What cannot be a frame's first ten bytes came: framing is lost, and only a new connection mends it."""

    header: bytes
    problem: str


class LlrpFramer:
    """Cuts one connection's stream. Holds no more than one frame of `length_max` bytes and what was fed last.

    After a BadHeader nothing more comes out until `reset`.
    """

    def __init__(self, length_max: int = FRAME_LENGTH_MAX) -> None:
        self._length_max = length_max
        self._buffer = bytearray()
        self._expected = HEADER_LENGTH
        self._lost = False

    @property
    def pending(self) -> int:
        """How many bytes of an unfinished frame wait for the rest."""
        return len(self._buffer)

    def feed(self, data: bytes | bytearray | memoryview) -> list[bytes | BadHeader]:
        """The frames that `data` completes, in order, whole with their headers."""
        if self._lost:
            return []
        self._buffer += data
        frames: list[bytes | BadHeader] = []
        at = 0
        have = len(self._buffer)
        while have - at >= self._expected:
            if self._expected == HEADER_LENGTH:
                length, problem = self._length(at)
                if problem:
                    frames.append(BadHeader(bytes(self._buffer[at : at + HEADER_LENGTH]), problem))
                    self._lost = True
                    at = have
                    break
                self._expected = length
                if have - at < length:
                    break
            frames.append(bytes(self._buffer[at : at + self._expected]))
            at += self._expected
            self._expected = HEADER_LENGTH
        del self._buffer[:at]
        return frames

    def reset(self) -> None:
        """Forget what is unfinished: the connection was lost, another begins."""
        self._buffer.clear()
        self._expected = HEADER_LENGTH
        self._lost = False

    def _length(self, at: int) -> tuple[int, str]:
        first = self._buffer[at]
        length = int.from_bytes(self._buffer[at + 2 : at + 6], "big")
        if first >> 5:
            return 0, f"reserved bits are {first >> 5:03b}, expected 000"
        if first >> 2 & 7 not in _VERSIONS:
            return 0, f"version is {first >> 2 & 7}, expected 1, 2 or 3"
        if not HEADER_LENGTH <= length <= self._length_max:
            return 0, f"length is {length}, expected {HEADER_LENGTH} to {self._length_max}"
        return length, ""
