# SPDX-License-Identifier: Apache-2.0
"""Tag reports to decode, and what is made of them by us and by llrpkit.

Two kinds of reader: "plain" tells EPC-96, ROSpecID, antenna, strength, channel, first and last time and
count; "Impinj" tells phase, strength in 1/100 dBm and Doppler as well. Whoever decodes adds up every value of
every tag, and all sums must be the same.
"""

from __future__ import annotations

from random import Random
from typing import Any
from zlib import crc32

from llrpkit.protocol import decode_message

from drivers.llrp.messages import Message, Parameter, encode
from drivers.llrp.reports import ReportDecoder

START_US = 1_764_000_000_000_000


def reports(chance: Random, *, impinj: bool, frames: int, tags: int) -> list[bytes]:
    """So many frames of so many tags each, no two tags alike."""
    return [
        encode(Message("RO_ACCESS_REPORT", number, {}, [_tag(chance, impinj) for _ in range(tags)]))
        for number in range(frames)
    ]


def reads_sum(decoder: ReportDecoder, frames: list[bytes]) -> int:
    """By TagReads."""
    total = 0
    for frame in frames:
        for read in decoder.decode(frame, 0):
            total += (
                crc32(read.epc) + read.antenna + read.rssi_cdbm + read.count + read.first_us + read.last_us
            )
            total += (read.channel or 0) + (read.phase or 0) + (read.doppler or 0)
    return total


def columns_sum(decoder: ReportDecoder, frames: list[bytes]) -> int:
    """By columns of values."""
    total = 0
    for frame in frames:
        for columns in decoder.columns(frame):
            total += sum(map(crc32, columns.pop("epc")))
            weak = columns.pop("dbm")
            total += 0 if "cdbm" in columns else 100 * sum(weak)
            for values in columns.values():
                total += sum(values)
    return total


def llrpkit_sum(frames: list[bytes]) -> int:
    """By llrpkit's objects, as its decoder makes them."""
    total = 0
    for frame in frames:
        message: Any = decode_message(frame)
        for tag in message.tag_report_datas:
            total += crc32(tag.epc_parameter.epc) + tag.antenna_id.antenna_id + tag.tag_seen_count.tag_count
            total += tag.first_seen_timestamp_utc.microseconds + tag.last_seen_timestamp_utc.microseconds
            total += tag.channel_index.channel_index
            if tag.custom:
                phase, strength, doppler = tag.custom
                total += phase.phase_angle + strength.rssi + doppler.doppler_frequency
            else:
                total += 100 * tag.peak_rssi.peak_rssi
    return total


def _tag(chance: Random, impinj: bool) -> Parameter:
    first = START_US + chance.randrange(10**9)
    strength = -chance.randrange(3000, 8000)
    values = [
        Parameter("EPC96", {"EPC": chance.randbytes(12)}),
        Parameter("ROSpecID", {"ROSpecID": 1}),
        Parameter("AntennaID", {"AntennaID": chance.randint(1, 4)}),
        Parameter("PeakRSSI", {"PeakRSSI": strength // 100}),
        Parameter("ChannelIndex", {"ChannelIndex": chance.randint(1, 50)}),
        Parameter("FirstSeenUTC", {"FirstSeen": first}),
        Parameter("LastSeenUTC", {"LastSeen": first + chance.randrange(10**5)}),
        Parameter("TagSeenCount", {"TagSeenCount": chance.randint(1, 20)}),
    ]
    if impinj:
        values += [
            Parameter("ImpinjRFPhaseAngle", {"PhaseAngle": chance.randrange(4096)}),
            Parameter("ImpinjPeakRSSI", {"RSSI": strength}),
            Parameter("ImpinjRFDopplerFrequency", {"DopplerFrequency": chance.randint(-99, 99)}),
        ]
    return Parameter("TagReportData", {}, values)
