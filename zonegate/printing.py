# SPDX-License-Identifier: Apache-2.0
"""ZPL to a label printer's raw port, and whether it got there.

TCP says only that some machine took the bytes. So the printer is asked for its state (~HS) before, that no
number is used up for a label that cannot come out, and after, on the same connection: what answers then has
taken all that was sent before. Knows nothing of what a label says.
Source: Zebra's ZPL II programming guide (~HS: three lines, each between STX and ETX).
"""

from __future__ import annotations

import re
import socket
import time
from types import TracebackType
from typing import Final, Self

__all__ = ["PORT", "Printer", "PrinterError", "parse_address"]

PORT: Final = 9100
"""The raw port of label printers, where an address names none."""

ANSWER_S_MAX: Final = 5.0
"""A printer answers ~HS within a fraction of a second; one that heats its head takes longer."""

_ANSWER_BYTES_MAX: Final = 512
"""Three lines of at most 40 characters; a peer that sends more is no printer."""

_STATES: Final = re.compile(rb"\x02([0-9,]{1,60})\x03\s*\x02([0-9,]{1,60})\x03\s*\x02[^\x03]{0,60}\x03")
_ADDRESS: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]{1,253})(?::([0-9]{1,5}))?")


class PrinterError(Exception):
    """A label cannot be printed; the message says why and what to do."""


def parse_address(text: str) -> tuple[str, int]:
    """`host`, `host:port` or `[address]:port`, 9100 if it names no port. Raises PrinterError."""
    match = _ADDRESS.fullmatch(text)
    port = PORT if match is None or match[2] is None else int(match[2])
    if match is None or not 0 < port <= 65_535:
        raise PrinterError(f"{text!r} is no printer, expected host or host:port such as 192.0.2.7:{PORT}")
    return match[1].strip("[]"), port


class Printer:
    """A connection to a printer that is ready. Use as a context manager.

    Opening and sending raise PrinterError, in bounded time, when it cannot be reached, does not answer or
    cannot print.
    """

    def __init__(self, address: str, answer_s_max: float = ANSWER_S_MAX) -> None:
        self._address = address
        self._answer_s_max = answer_s_max
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        try:
            self._socket = socket.create_connection(parse_address(self._address), self._answer_s_max)
        except OSError as error:
            reason = error.strerror or error
            raise PrinterError(
                f"the printer {self._address} cannot be reached: {reason}; is it on?"
            ) from error
        try:
            self._require_ready("nothing was sent")
        except PrinterError:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def send(self, zpl: str) -> None:
        """Have the printer take all of `zpl`; it has when this returns."""
        self._put(zpl.encode("ascii"), "the labels were sent, and may or may not be printed")
        self._require_ready("the labels were taken, and wait")

    def _require_ready(self, so_far: str) -> None:
        answer = self._ask(so_far)
        states = _STATES.search(answer)
        if states is None:
            raise PrinterError(f"the printer {self._address} answers no ~HS as printers do; {so_far}")
        first, second = (line.split(b",") for line in states.groups())
        troubles = (
            (first, 1, "is out of labels"),
            (first, 2, "is paused"),
            (second, 2, "is open"),
            (second, 3, "is out of ribbon"),
        )
        for fields, place, trouble in troubles:
            if len(fields) > place and fields[place] == b"1":
                raise PrinterError(f"the printer {self._address} {trouble}; {so_far}")

    def _ask(self, so_far: str) -> bytes:
        """All three lines of the state, or what came within the time."""
        assert self._socket is not None
        answer = b""
        self._put(b"~HS", so_far)
        until = time.monotonic() + self._answer_s_max
        while answer.count(b"\x03") < 3 and len(answer) < _ANSWER_BYTES_MAX:
            try:
                self._socket.settimeout(max(until - time.monotonic(), 0.001))
                piece = self._socket.recv(_ANSWER_BYTES_MAX)
            except OSError as error:
                why = "does not answer" if isinstance(error, TimeoutError) else "broke the connection"
                raise PrinterError(f"the printer {self._address} {why}; {so_far}") from error
            if not piece:
                raise PrinterError(f"the printer {self._address} closed the connection; {so_far}")
            answer += piece
        return answer

    def _put(self, data: bytes, so_far: str) -> None:
        assert self._socket is not None
        try:
            self._socket.settimeout(self._answer_s_max)
            self._socket.sendall(data)
        except OSError as error:
            raise PrinterError(f"the printer {self._address} takes no more: {error}; {so_far}") from error

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
