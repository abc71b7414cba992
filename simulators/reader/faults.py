# SPDX-License-Identifier: Apache-2.0
"""What goes wrong on a reader's wire, on demand: bytes garbled, frames that lie about their length, a line
that stalls. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers.line_faults import LineFaults

__all__ = ["WireFaults"]

_HEADER_BYTES = 10


@dataclass(slots=True)
class WireFaults:
    """Faults of what a reader sends. `line`, where there is one, happens to every byte.

    `garble_frames` of the frames to come are spoilt behind their header. `lie_bytes` is what the next frame
    has too many in its header's length. `stalled`: nothing leaves, it waits. `swallow` names messages of
    which nothing is sent.
    """

    line: LineFaults | None = None
    garble_frames: int = 0
    lie_bytes: int = 0
    stalled: bool = False
    swallow: frozenset[str] = frozenset()

    def spoil(self, name: str, frame: bytes) -> bytes:
        """The frame of message `name` as it leaves; empty when it does not."""
        if name in self.swallow:
            return b""
        if self.garble_frames and len(frame) > _HEADER_BYTES:
            self.garble_frames -= 1
            frame = frame[:_HEADER_BYTES] + bytes(byte ^ 0x5A for byte in frame[_HEADER_BYTES:])
        if self.lie_bytes:
            length = int.from_bytes(frame[2:6], "big") + self.lie_bytes
            self.lie_bytes = 0
            frame = frame[:2] + max(0, length).to_bytes(4, "big") + frame[6:]
        return frame

    def pieces(self, data: bytes) -> list[tuple[float, bytes]]:
        """`data` as the line carries it: pieces, each with the seconds to wait before it."""
        return [(0.0, data)] if self.line is None else self.line.apply(data)
