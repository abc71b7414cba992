# SPDX-License-Identifier: Apache-2.0
"""What the readers tell as LLRP frames, with the moment at which each reaches the host.

Each reader stamps by its own clock, which is right by no more than seconds, and drifts.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final

from drivers.llrp.messages import Message, Parameter, Value, encode
from simulators.yard.radio.eyes import EyeChange
from simulators.yard.radio.gen2 import Observation
from simulators.yard.radio.parameters import PROTOCOL
from simulators.yard.radio.site import Site

_EPOCH_US: Final = 1_780_000_000_000_000
"""When the yard's time began, by a clock that is right: in 2026."""
_WRONG_S: Final = 5.0
_DRIFT: Final = 20e-6
_EPC_96: Final = 12
_REORDER_US: Final = 1_000_000
"""No frame is later than this after another reader's that was made before it."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One frame of one reader; `at_us` is true time on arrival at the host."""

    at_us: int
    reader: str
    frame: bytes


@dataclass(slots=True)
class _Line:
    """One reader's connection: its clock, and what it has not sent yet."""

    wrong_us: int
    drift: float
    arrived_us: int = 0
    messages: int = 0
    report: list[Parameter] = field(default_factory=list)
    report_us: int = 0

    def stamp(self, at_us: int) -> int:
        return int(_EPOCH_US + self.wrong_us + at_us * (1 + self.drift))


class Wire:
    """Turns observations into frames. Feed it a whole shift, in order of time."""

    def __init__(self, site: Site, chance: Random) -> None:
        self._chance = chance
        self._phase = site.tells_phase
        self._lines = {
            reader: _Line(int(chance.uniform(-_WRONG_S, _WRONG_S) * 1e6), chance.uniform(-_DRIFT, _DRIFT))
            for reader in site.readers
        }

    def chunks(self, told: Iterable[Observation | EyeChange]) -> Iterator[Chunk]:
        """Frames in the order of their arrival."""
        waiting: list[tuple[int, str, Chunk]] = []
        for chunk in self._sent(told):
            heapq.heappush(waiting, (chunk.at_us, chunk.reader, chunk))
            while waiting[0][0] < chunk.at_us - _REORDER_US:
                yield heapq.heappop(waiting)[2]
        while waiting:
            yield heapq.heappop(waiting)[2]

    def _sent(self, told: Iterable[Observation | EyeChange]) -> Iterator[Chunk]:
        window_us = int(PROTOCOL.report_s * 1e6)
        for one in told:
            line = self._lines[one.reader]
            if not line.messages and not line.report:
                yield self._send(one.reader, line, one.at_us, _greeting(line, one.at_us))
            if line.report and (isinstance(one, EyeChange) or one.at_us - line.report_us > window_us):
                yield self._report(one.reader, line)
            if isinstance(one, EyeChange):
                yield self._send(one.reader, line, one.at_us, _input(line, one))
                continue
            if not line.report:
                line.report_us = one.at_us
            line.report.append(_tag(line, one, phase=self._phase))
        for reader, line in self._lines.items():
            if line.report:
                yield self._report(reader, line)

    def _report(self, reader: str, line: _Line) -> Chunk:
        tags, line.report = line.report, []
        sent_us = line.report_us + int(PROTOCOL.report_s * 1e6)
        return self._send(reader, line, sent_us, Message("RO_ACCESS_REPORT", parameters=tags))

    def _send(self, reader: str, line: _Line, at_us: int, message: Message) -> Chunk:
        line.messages += 1
        message.id = line.messages
        late_us = int(self._chance.uniform(*PROTOCOL.latency_s) * 1e6)
        line.arrived_us = max(line.arrived_us + 1, at_us + late_us)
        return Chunk(line.arrived_us, reader, encode(message))


def _tag(line: _Line, seen: Observation, *, phase: bool) -> Parameter:
    stamp = line.stamp(seen.at_us)
    if len(seen.epc) == _EPC_96:
        epc = Parameter("EPC96", {"EPC": seen.epc})
    else:
        epc = Parameter("EPCData", {"EPCNumBits": len(seen.epc) * 8, "EPC": seen.epc})
    inside = [
        epc,
        Parameter("AntennaID", {"AntennaID": seen.antenna}),
        Parameter("PeakRSSI", {"PeakRSSI": max(-128, round(seen.rssi_cdbm / 100))}),
        Parameter("ChannelIndex", {"ChannelIndex": seen.channel}),
        Parameter("FirstSeenUTC", {"FirstSeen": stamp}),
        Parameter("LastSeenUTC", {"LastSeen": stamp}),
        Parameter("TagSeenCount", {"TagSeenCount": 1}),
        Parameter("C1G2PC", _control(seen.pc)),
    ]
    if phase and seen.phase is not None:
        inside.append(Parameter("ImpinjRFPhaseAngle", {"PhaseAngle": seen.phase}))
        inside.append(Parameter("ImpinjPeakRSSI", {"RSSI": seen.rssi_cdbm}))
    return Parameter("TagReportData", parameters=inside)


def _control(bits: int) -> dict[str, Value]:
    """[Gen2] the protocol control word: length in words, three indicators, the rest."""
    return {
        "EPCMemoryLength": bits >> 11,
        "HasUserMemory": bool(bits >> 10 & 1),
        "HasXPC": bool(bits >> 9 & 1),
        "IsISO15961": bool(bits >> 8 & 1),
        "AttributesOrAFI": bits & 0xFF,
    }


def _greeting(line: _Line, at_us: int) -> Message:
    """What a reader says when it takes a connection: each shift is another site, with readers of its own."""
    told = [
        Parameter("UTCTimestamp", {"Microseconds": line.stamp(at_us)}),
        Parameter("ConnectionAttemptEvent", {"Event": 0}),
    ]
    return Message(
        "READER_EVENT_NOTIFICATION", parameters=[Parameter("ReaderEventNotificationData", {}, told)]
    )


def _input(line: _Line, change: EyeChange) -> Message:
    told = [
        Parameter("UTCTimestamp", {"Microseconds": line.stamp(change.at_us)}),
        Parameter("GPIEvent", {"Port": change.port, "Event": change.high}),
    ]
    return Message(
        "READER_EVENT_NOTIFICATION", parameters=[Parameter("ReaderEventNotificationData", {}, told)]
    )
