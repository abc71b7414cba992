# SPDX-License-Identifier: Apache-2.0
"""A recorded stream played again: what a reader once said by itself, at the pace at which it said it.

A recording is the bytes of a connection from the reader's side, frames with their headers. Its answers and
greetings are left out, for the simulator gives its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from drivers.llrp.errors import LlrpError
from drivers.llrp.framing import BadHeader, LlrpFramer
from drivers.llrp.messages import Message, Parameter, decode

__all__ = ["Recorded", "RecordingError", "read_recording"]

_OWN: Final = {61: "RO_ACCESS_REPORT", 63: "READER_EVENT_NOTIFICATION"}
_GREETINGS: Final = ("ConnectionAttemptEvent", "ConnectionCloseEvent")
_TIMES: Final = ("UTCTimestamp", "Uptime", "LastSeenUTC", "LastSeenUptime", "FirstSeenUTC", "FirstSeenUptime")
_PAUSE_US_MAX: Final = 5_000_000
"""Longer silences of a recording are cut: nobody waits for them."""


class RecordingError(Exception):
    """A recording is none; the message says where that shows."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A frame as it stood, and how long after the one before it it came, in microseconds."""

    frame: bytes
    pause_us: int


def read_recording(data: bytes) -> list[Recorded]:
    """The frames that a reader said unasked, in order. Raises RecordingError.

    A frame that cannot be decoded is kept as it is: it was on the wire.
    """
    framer = LlrpFramer()
    found: list[Recorded] = []
    before: int | None = None
    at = 0
    for frame in framer.feed(data):
        if isinstance(frame, BadHeader):
            raise RecordingError(f"byte {at}: {frame.problem}; a recording begins with a frame's header")
        at += len(frame)
        if _OWN.get(int.from_bytes(frame[:2], "big") & 0x3FF) is None:
            continue
        try:
            message = decode(frame)
        except LlrpError:
            found.append(Recorded(frame, 0))
            continue
        if any(part.name in _GREETINGS for part in _within(message)):
            continue
        moment = max(_moments(message), default=None)
        pause = 0 if moment is None or before is None else moment - before
        found.append(Recorded(frame, min(max(0, pause), _PAUSE_US_MAX)))
        before = moment if moment is not None else before
    if framer.pending:
        raise RecordingError(f"byte {at}: the last frame is cut off, {framer.pending} bytes of it are here")
    return found


def _within(owner: Message | Parameter) -> Iterator[Parameter]:
    for part in owner.parameters:
        yield part
        yield from _within(part)


def _moments(message: Message) -> Iterator[int]:
    """The times in a message, in microseconds of whatever clock the reader had."""
    for part in _within(message):
        if part.name in _TIMES:
            yield from (value for value in part.fields.values() if isinstance(value, int))
