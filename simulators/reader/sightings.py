# SPDX-License-Identifier: Apache-2.0
"""What the antennas hear, and how a report tells it: content by the selector, never by a fixed layout.

Knows nothing of connections. Source: LLRP 1.1, sections 14.2.1 to 14.2.3 and 16.2.1.5; Gen2, section 6.3.2.1
for protocol control bits and CRC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from drivers.llrp.messages import Parameter

__all__ = ["Contents", "Frame", "Selection", "Sighting", "Told"]

_EPC_96_BYTES: Final = 12
_COUNT_MAX: Final = 65_535


@dataclass(frozen=True, slots=True)
class Sighting:
    """One tag singulated once by one antenna: what a yard's physics says, without a word of LLRP.

    `at_us` is on the clock that the reader was given (monotonic, microseconds), None for now. `rssi_cdbm` is
    in 1/100 dBm, `phase` in 1/4096 of a turn, `doppler` in 1/16 Hz, `channel` the one-based index of the
    frequency. `pc` None stands for what the EPC's length makes it. `bits` is the EPC's length where it is not
    whole bytes. `paced`: whoever models the radio has let its antennas and tags take their turns already, so
    that any spec of the active ROSpec may take it, whichever is at work.
    """

    epc: bytes
    antenna: int
    rssi_cdbm: int
    at_us: int | None = None
    pc: int | None = None
    phase: int = 0
    doppler: int = 0
    channel: int = 1
    tid: bytes = b""
    bits: int | None = None
    paced: bool = False

    @property
    def control(self) -> int:
        """The protocol control word: length in words in its top five bits (Gen2, 6.3.2.1.2.2)."""
        return (len(self.epc) + 1) // 2 << 11 if self.pc is None else self.pc

    @property
    def crc(self) -> int:
        """The tag's stored CRC-16 over PC and EPC (Gen2, 6.3.2.1.5: ISO/IEC 13239, x^16+x^12+x^5+1)."""
        register = 0xFFFF
        for byte in self.control.to_bytes(2, "big") + self.epc:
            register ^= byte << 8
            for _ in range(8):
                register = (register << 1 ^ 0x1021 if register & 0x8000 else register << 1) & 0xFFFF
        return register ^ 0xFFFF


@dataclass(frozen=True, slots=True)
class Frame:
    """Which spec of a ROSpec was at work when a tag was heard."""

    rospec: int
    spec_index: int
    inventory: int


@dataclass(frozen=True, slots=True)
class Selection:
    """What a client wants to be told of each tag: the flags of a TagReportContentSelector that are on, of its
    C1G2EPCMemorySelector, and of the vendor's selector.
    """

    flags: frozenset[str]

    @classmethod
    def of(cls, report: Parameter | None) -> Selection:
        """What a ROReportSpec selects."""
        if report is None:
            return cls(frozenset())
        return cls(frozenset(_switched(report.parameters)))

    def __contains__(self, flag: str) -> bool:
        return flag in self.flags


def _switched(parameters: Iterable[Parameter]) -> Iterable[str]:
    for parameter in parameters:
        if parameter.name in ("TagReportContentSelector", "C1G2EPCMemorySelector"):
            yield from (name for name, value in parameter.fields.items() if value is True)
        elif parameter.name.startswith("ImpinjEnable") and any(parameter.fields.values()):
            yield parameter.name
        yield from _switched(parameter.parameters)


class Told:
    """One TagReportData in the making: sightings of one tag that are told as one (14.2.3.1)."""

    __slots__ = ("count", "first_us", "frame", "last_us", "peak", "sighting")

    def __init__(self, sighting: Sighting, frame: Frame, at_us: int) -> None:
        self.sighting = sighting
        self.frame = frame
        self.first_us = self.last_us = at_us
        self.peak = sighting.rssi_cdbm
        self.count = 1

    def add(self, sighting: Sighting, at_us: int) -> None:
        """The same tag, heard again."""
        self.sighting = sighting
        self.last_us = at_us
        self.peak = max(self.peak, sighting.rssi_cdbm)
        self.count += 1


@dataclass(frozen=True, slots=True)
class Contents:
    """How a reader writes what was selected; `utc` False: its timestamps are its uptime.

    `said`, where there is one, is what this connection was told last: a reader may leave out of a report
    what is as it was (14.2.3, ii).
    """

    selection: Selection
    utc: bool
    said: dict[str, object] | None = None

    def key(self, sighting: Sighting, frame: Frame) -> tuple[object, ...]:
        """What must agree for two sightings to be told as one."""
        kept: list[object] = [sighting.epc, sighting.bits]
        if "EnableSpecIndex" in self.selection:
            kept.append(frame.spec_index)
        if "EnableAntennaID" in self.selection:
            kept.append(sighting.antenna)
        return tuple(kept)

    def write(self, told: Told, offset_us: int) -> Parameter:
        """The TagReportData; `offset_us` lies between the clock of the sightings and the reader's own."""
        parts = [_epc(told.sighting)]
        for flag, name, value in self._fields(told, offset_us):
            if flag in self.selection and not self._repeats(name, value):
                parts.append(Parameter(name, dict(value)))
        return Parameter("TagReportData", {}, parts)

    def _repeats(self, name: str, value: object) -> bool:
        if self.said is None or self.said.get(name) == value:
            return self.said is not None
        self.said[name] = value
        return False

    def _fields(self, told: Told, offset_us: int) -> Iterable[tuple[str, str, Mapping[str, int | list[int]]]]:
        """In the standard's order; each with the flag that asks for it."""
        seen, frame = told.sighting, told.frame
        clock = "UTC" if self.utc else "Uptime"
        yield "EnableROSpecID", "ROSpecID", {"ROSpecID": frame.rospec}
        yield "EnableSpecIndex", "SpecIndex", {"SpecIndex": frame.spec_index}
        identifier = {"InventoryParameterSpecID": frame.inventory}
        yield "EnableInventoryParamSpecID", "InventoryParameterSpecID", identifier
        yield "EnableAntennaID", "AntennaID", {"AntennaID": seen.antenna}
        yield "EnablePeakRSSI", "PeakRSSI", {"PeakRSSI": max(-128, min(127, round(told.peak / 100)))}
        yield "EnableChannelIndex", "ChannelIndex", {"ChannelIndex": seen.channel}
        first = {"FirstSeen": told.first_us + offset_us}
        yield "EnableFirstSeenTimestamp", f"FirstSeen{clock}", first
        last = {"LastSeen": told.last_us + offset_us}
        yield "EnableLastSeenTimestamp", f"LastSeen{clock}", last
        yield "EnableTagSeenCount", "TagSeenCount", {"TagSeenCount": min(told.count, _COUNT_MAX)}
        yield "PCBitsEnabled", "C1G2PC", _control(seen.control)
        yield "CRCEnabled", "C1G2CRC", {"C1G2CRC": seen.crc}
        yield from _impinj(told)


def _impinj(told: Told) -> Iterable[tuple[str, str, Mapping[str, int | list[int]]]]:
    seen = told.sighting
    words = [int.from_bytes(seen.tid[place : place + 2], "big") for place in range(0, len(seen.tid), 2)]
    yield "ImpinjEnableSerializedTID", "ImpinjSerializedTID", {"TID": words}
    yield "ImpinjEnableRFPhaseAngle", "ImpinjRFPhaseAngle", {"PhaseAngle": seen.phase}
    yield "ImpinjEnablePeakRSSI", "ImpinjPeakRSSI", {"RSSI": told.peak}
    yield "ImpinjEnableRFDopplerFrequency", "ImpinjRFDopplerFrequency", {"DopplerFrequency": seen.doppler}


def _control(word: int) -> dict[str, int | bool]:
    """The fields of the protocol control word, from its highest bit on."""
    return {
        "EPCMemoryLength": word >> 11,
        "HasUserMemory": bool(word >> 10 & 1),
        "HasXPC": bool(word >> 9 & 1),
        "IsISO15961": bool(word >> 8 & 1),
        "AttributesOrAFI": word & 0xFF,
    }


def _epc(sighting: Sighting) -> Parameter:
    bits = len(sighting.epc) * 8 if sighting.bits is None else sighting.bits
    if bits == _EPC_96_BYTES * 8:
        return Parameter("EPC96", {"EPC": sighting.epc})
    return Parameter("EPCData", {"EPC": sighting.epc, "EPCNumBits": bits})
