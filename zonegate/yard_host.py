# SPDX-License-Identifier: Apache-2.0
"""The dock's end of a yard's lines: bytes of readers in, closed passages out, by the clock that it is told.

What is here is what a node does with a reader, without sockets: framer, decoder, clock, inputs, gate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from drivers.llrp.clock import ReaderClock
from drivers.llrp.framing import BadHeader, LlrpFramer
from drivers.llrp.messages import decode
from drivers.llrp.pins import Inputs
from drivers.llrp.reports import ReportDecoder
from drivers.read import InputChange, TagRead
from edge.gate import Gate
from edge.passage import Antenna, Closed, Eye, GateSettings, Layout

_REPORT, _EVENT = 61, 63
_EYE_REST_US: Final = 30_000
"""As long as a reader's driver waits for an eye to rest unless it is told otherwise."""
_PORTS: Final = (1, 2, 3, 4)


class Host:
    """One clock, a decoder for each reader, one gate. Times are microseconds."""

    def __init__(self, layout: Layout, readers: Sequence[str], settings: GateSettings | None = None) -> None:
        self.settings = settings or GateSettings()
        self.reads = self.frames = 0
        self._readers = [_Reader(name) for name in readers]
        self._gate = Gate(layout, self.settings)
        self._now_us = 0

    def hear(self, reader: int, data: bytes, now_us: int) -> list[Closed]:
        """What a reader sent; the passages that closed by it."""
        events: list[Any] = []
        self.frames += 1
        self._now_us = max(self._now_us, now_us)
        for heard in self._readers[reader].take(data, now_us):
            if isinstance(heard, InputChange):
                events += self._gate.take_input(heard)
            else:
                self.reads += len(heard)
                events += self._gate.take_tags(heard, now_us)
        return [event for event in events if isinstance(event, Closed)]

    def wait(self, until_us: int) -> list[Closed]:
        """Let time pass as timers would: inputs that have rested count, the gate closes what is over."""
        events: list[Any] = []
        while True:
            eyes = [(due, reader) for reader in self._readers if (due := reader.due_us) is not None]
            eye_us, reader = min(eyes, key=lambda one: one[0], default=(None, None))
            gate_us = self._gate.deadline_us
            if reader is not None and eye_us is not None and eye_us <= min(until_us, gate_us or until_us):
                self._now_us = max(self._now_us, eye_us)
                for change in reader.settled(eye_us):
                    events += self._gate.take_input(change)
            elif gate_us is not None and gate_us <= until_us:
                # What frees a door may make over what went silent long ago: it ends now, not then.
                self._now_us = max(self._now_us, gate_us)
                events += self._gate.tick(self._now_us)
                if self._gate.deadline_us == gate_us:
                    break
            else:
                break
        return [event for event in events if isinstance(event, Closed)]


class _Reader:
    """The host's end of one reader's line: framer, decoder, clock, inputs."""

    def __init__(self, name: str) -> None:
        self._framer = LlrpFramer()
        self._decoder = ReportDecoder(name)
        self._clock = ReaderClock()
        self._inputs = Inputs(name, _PORTS, _EYE_REST_US)

    @property
    def due_us(self) -> int | None:
        """When an input has rested long enough to count."""
        return self._inputs.deadline_us

    def settled(self, now_us: int) -> list[InputChange]:
        """The inputs that have."""
        return self._inputs.tick(now_us)

    def take(self, data: bytes, now_us: int) -> Iterator[list[TagRead] | InputChange]:
        """What arrived, as reads and changes."""
        for frame in self._framer.feed(data):
            assert not isinstance(frame, BadHeader), f"the yard's reader sent {frame}"
            kind = int.from_bytes(frame[:2], "big") & 0x3FF
            if kind == _REPORT:
                offset_us = self._clock.offset_us or 0
                reads = self._decoder.decode(frame, offset_us, now_us)
                yield self._clock.settle(reads, offset_us, now_us)
            elif kind == _EVENT:
                yield from self._event(frame, now_us)

    def _event(self, frame: bytes, now_us: int) -> Iterator[InputChange]:
        told = decode(frame).first("ReaderEventNotificationData")
        stamp = told.first("UTCTimestamp") if told else None
        change = told.first("GPIEvent") if told else None
        if stamp is None:
            return
        stamp_us = int(str(stamp.fields["Microseconds"]))
        if told is not None and told.first("ConnectionAttemptEvent") is not None:
            self._clock.greet(stamp_us, now_us)
        if change is None:
            return
        at_us = self._clock.place(stamp_us, now_us)
        port, high = int(str(change.fields["Port"])), bool(change.fields["Event"])
        yield from self._inputs.edge(port, high, at_us, now_us)


def layout_of(header: dict[str, Any]) -> Layout:
    """The yard's layout as an installer would enter it here."""
    return Layout(
        antennas=tuple(Antenna(a["reader"], a["port"], a["door"], a["side"]) for a in header["antennas"]),
        eyes=tuple(Eye(e["reader"], e["port"], e["door"], e["place"]) for e in header["eyes"]),
    )
