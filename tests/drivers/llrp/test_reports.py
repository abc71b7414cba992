# SPDX-License-Identifier: Apache-2.0
"""Tag reports as TagReads, compared with the slow and plain way: a message, parameter by parameter."""

from __future__ import annotations

import time
from random import Random
from typing import Any

import pytest

from drivers.llrp.messages import LlrpError, Message, Parameter, encode, layout_of
from drivers.llrp.reports import RSSI_UNKNOWN_CDBM, ReportDecoder
from drivers.read import TagRead
from tests.drivers.llrp import samples

CARRIED = ("AntennaID", "TagSeenCount", "ChannelIndex")


def tag(*parameters: Parameter) -> Parameter:
    return Parameter("TagReportData", {}, list(parameters))


def one(name: str, value: int) -> Parameter:
    field = {"FirstSeenUTC": "FirstSeen", "LastSeenUTC": "LastSeen", "FirstSeenUptime": "FirstSeen"}
    return Parameter(name, {field.get(name, name): value})


def epc(number: int) -> Parameter:
    return Parameter("EPC96", {"EPC": number.to_bytes(12, "big")})


def report(*parameters: Parameter) -> bytes:
    return encode(Message("RO_ACCESS_REPORT", 1, {}, list(parameters)))


class Plainly:
    """What the standard says a report means, one parameter after the other."""

    def __init__(self) -> None:
        self._said: dict[str, Any] = {}

    def reads(self, message: list[Parameter], offset_us: int, now_us: int) -> list[TagRead]:
        return [self._read(each, offset_us, now_us) for each in message if each.name == "TagReportData"]

    def _read(self, data: Parameter, offset_us: int, now_us: int) -> TagRead:
        found: dict[str, Any] = {}
        for each in data.parameters:
            found[each.name] = each.fields
        for name in CARRIED:
            self._keep(name, found, name)
        if "ImpinjPeakRSSI" in found:
            self._said["rssi"] = found["ImpinjPeakRSSI"]["RSSI"]
        elif "PeakRSSI" in found:
            self._said["rssi"] = found["PeakRSSI"]["PeakRSSI"] * 100
        if "C1G2PC" in found:
            pc = found["C1G2PC"]
            self._said["pc"] = (
                pc["EPCMemoryLength"] << 11
                | pc["HasUserMemory"] << 10
                | pc["HasXPC"] << 9
                | pc["IsISO15961"] << 8
                | pc["AttributesOrAFI"]
            )
        times = [self._time(each, found) for each in ("FirstSeen", "LastSeen")]
        first, last = (None if each is None else each + offset_us for each in times)
        words = found.get("ImpinjSerializedTID", {}).get("TID")
        return TagRead(
            "gate",
            (found.get("EPC96") or found["EPCData"])["EPC"],
            self._said.get("AntennaID", 0),
            self._said.get("rssi", RSSI_UNKNOWN_CDBM),
            self._said.get("TagSeenCount", 1),
            next((each for each in (first, last) if each is not None), now_us),
            next((each for each in (last, first) if each is not None), now_us),
            self._said.get("pc"),
            found.get("ImpinjRFPhaseAngle", {}).get("PhaseAngle"),
            found.get("ImpinjRFDopplerFrequency", {}).get("DopplerFrequency"),
            self._said.get("ChannelIndex"),
            b"".join(word.to_bytes(2, "big") for word in words) if words else None,
        )

    def _keep(self, name: str, found: dict[str, Any], field: str) -> None:
        if name in found:
            self._said[name] = found[name][field]

    def _time(self, which: str, found: dict[str, Any]) -> Any:
        for clock in ("UTC", "Uptime"):
            if which + clock in found:
                self._said[which] = found[which + clock][which]
                break
        return self._said.get(which)


def sampled(chance: Random, count: int) -> list[Parameter]:
    """Tags of a few kinds and their like, in runs, with other parameters between."""
    made: list[Parameter] = []
    while len(made) < count:
        kind = chance.choice(KINDS)
        for _ in range(chance.choice((1, 1, 2, 5, 40))):
            data = Parameter("EPCData", samples.fields(chance, _layout("EPCData")))
            identity = epc(chance.getrandbits(96)) if kind[0] else data
            values = [
                Parameter(name, samples.fields(chance, _layout(name)))
                if not name.startswith("Impinj")
                else _impinj(chance, name)
                for name in kind[1:]
            ]
            made.append(tag(identity, *values))
        if chance.random() < 0.2:
            made.append(samples.parameter(chance, "RFSurveyReportData"))
    return made


KINDS: list[tuple[Any, ...]] = [
    (True, "AntennaID", "PeakRSSI", "FirstSeenUTC", "LastSeenUTC", "TagSeenCount"),
    (True, "ROSpecID", "SpecIndex", "AntennaID", "ChannelIndex", "C1G2PC", "C1G2CRC"),
    (True, "ImpinjPeakRSSI", "ImpinjRFPhaseAngle", "ImpinjRFDopplerFrequency", "LastSeenUptime"),
    (True, "PeakRSSI", "AntennaID", "FirstSeenUptime", "ImpinjSerializedTID"),
    (False, "AntennaID", "AccessSpecID", "C1G2WriteOpSpecResult"),
    (False, "PeakRSSI"),
    (True,),
    (False,),
]


def _layout(name: str) -> Any:
    layout = layout_of(name)
    assert layout is not None
    return layout


def _impinj(chance: Random, name: str) -> Parameter:
    values: dict[str, Any] = {
        "ImpinjPeakRSSI": {"RSSI": -chance.randrange(9000)},
        "ImpinjRFPhaseAngle": {"PhaseAngle": chance.randrange(4096)},
        "ImpinjRFDopplerFrequency": {"DopplerFrequency": chance.randint(-99, 99)},
        "ImpinjSerializedTID": {"TID": [chance.randrange(65536) for _ in range(6)]},
    }
    return Parameter(name, values[name])


@pytest.mark.parametrize("seed", range(12))
def test_the_fast_way_and_the_plain_way_find_the_same(seed: int) -> None:
    chance = Random(seed)
    fast, plain = ReportDecoder("gate"), Plainly()
    for _ in range(4):
        parameters = sampled(chance, 120)
        assert fast.decode(report(*parameters), 7, 99) == plain.reads(parameters, 7, 99)


def test_every_tag_its_own_kind_is_read_as_well() -> None:
    chance = Random(1)
    names = [name for name in samples.STANDARD if name.startswith("C1G2") and name.endswith("Result")]
    parameters = [
        tag(
            epc(number),
            *(samples.parameter(chance, name) for name in chance.sample(names, 3)),
            one("AntennaID", number % 5),
        )
        for number in range(1, 400)
    ]
    reads = ReportDecoder("gate").decode(report(*parameters), 0)
    assert [int.from_bytes(read.epc, "big") for read in reads] == list(range(1, 400))
    assert [read.antenna for read in reads] == [number % 5 for number in range(1, 400)]


def test_what_a_reader_leaves_out_is_as_it_said_last() -> None:
    decoder = ReportDecoder("gate")
    first = report(tag(epc(1), one("AntennaID", 2), one("PeakRSSI", -50), one("FirstSeenUTC", 10)))
    [read] = decoder.decode(first, 5)
    assert (read.antenna, read.rssi_cdbm, read.first_us, read.last_us) == (2, -5000, 15, 15)
    [read] = decoder.decode(report(tag(epc(2), one("LastSeenUTC", 20))), 5)
    assert (read.antenna, read.rssi_cdbm, read.first_us, read.last_us) == (2, -5000, 15, 25)
    [fresh] = ReportDecoder("gate").decode(report(tag(epc(2))), 5, 1234)
    assert (fresh.antenna, fresh.rssi_cdbm, fresh.count) == (0, RSSI_UNKNOWN_CDBM, 1)
    assert (fresh.first_us, fresh.last_us, fresh.pc) == (1234, 1234, None)


def test_a_chip_number_read_by_an_operation_is_told_and_other_memory_is_not() -> None:
    def operation(words: list[int], result: int = 0) -> Parameter:
        return Parameter(
            "C1G2ReadOpSpecResult", {"C1G2ReadOpSpecResultType": result, "OpSpecID": 1, "Data": words}
        )

    reads = ReportDecoder("gate").decode(
        report(
            tag(epc(1), operation([0xE280, 0x1160, 1])),
            tag(epc(2), operation([0x3000, 0x1160, 1])),
            tag(epc(3), operation([0xE280, 0x1160, 1], result=1)),
            tag(epc(4), operation([])),
        ),
        0,
    )
    assert [read.tid for read in reads] == [bytes.fromhex("e28011600001"), None, None, None]


@pytest.mark.parametrize("bits", [0, 1, 7, 8, 9, 95, 97, 496, 65535])
def test_an_epc_of_any_number_of_bits_is_its_bytes(bits: int) -> None:
    data = bytes(index % 251 for index in range((bits + 7) // 8))
    data_bits = Parameter("EPCData", {"EPCNumBits": bits, "EPC": data})
    reads = ReportDecoder("gate").decode(report(tag(data_bits, one("AntennaID", 3)), tag(data_bits)), 0)
    assert [(read.epc, read.antenna) for read in reads] == [(data, 3), (data, 3)]


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        ("00f0000a 00f10006 ffff", "EPCData says 65535 bits and has 0 bytes"),
        ("00f0000c 00f10008 0000 abcd", "EPCData says 0 bits and has 2 bytes"),
        ("00f0000a 00f10020 0000", "parameter 241 is 32 bytes long, expected 4 to 6"),
        ("00f0000a 00f10002 0000", "parameter 241 is 2 bytes long"),
        ("00f00006 8d00", "the last parameter ends 11 bytes behind the tag"),
        ("00f00007 810001", "a tag without EPCData and EPC96"),
        ("00f00003", "parameter 240 is 3 bytes long, expected 4 to 4"),
        ("00f000", "3 bytes are left, expected a parameter of at least 4"),
    ],
)
def test_a_report_that_lies_is_refused_whole_and_the_next_is_read(inside: str, why: str) -> None:
    good = tag(epc(1), one("AntennaID", 1))
    body = report(good, good)[10:] + bytes.fromhex(inside)
    frame = b"\x04\x3d" + (10 + len(body)).to_bytes(4, "big") + bytes(4) + body
    decoder = ReportDecoder("gate")
    decoder.decode(report(tag(epc(9), one("AntennaID", 7))), 0)
    with pytest.raises(LlrpError, match=r"^RO_ACCESS_REPORT") as caught:
        list(decoder.slices(frame, 0))
    assert why in str(caught.value)
    # Nothing of the refused report is remembered either.
    [read] = decoder.decode(report(tag(epc(2))), 0)
    assert read.antenna == 7


def test_what_nobody_knows_is_passed_over() -> None:
    strange = [
        Parameter("Unknown", {"Type": 700, "Data": b"xyz"}),
        Parameter("Custom", {"VendorID": 161, "Subtype": 121, "Data": b"moved"}),
        Parameter("Custom", {"VendorID": 25882, "Subtype": 57, "Data": b"\xf0"}),
        one("AntennaID", 4),
        Parameter("UnknownTV", {"Type": 99, "Data": b"\x81\x00\x07"}),
    ]
    frame = report(strange[0], tag(epc(5), *strange), strange[1], tag(epc(6), *strange))
    reads = ReportDecoder("gate").decode(frame, 0)
    assert [(int.from_bytes(read.epc, "big"), read.antenna) for read in reads] == [(5, 4), (6, 4)]


def test_other_messages_have_no_tags() -> None:
    assert ReportDecoder("gate").decode(encode(Message("KEEPALIVE", 1)), 0) == []
    with pytest.raises(LlrpError, match="the header says"):
        ReportDecoder("gate").decode(report(tag(epc(1)))[:-1], 0)


def test_the_longest_reports_come_in_short_slices() -> None:
    chance = Random(3)
    alike = report(*(tag(epc(number), one("AntennaID", 1), one("PeakRSSI", -60)) for number in range(10_000)))
    mixed = report(*sampled(chance, 10_000))
    own = report(
        *(
            tag(epc(number), Parameter("Unknown", {"Type": 600 + number % 300, "Data": bytes(number % 97)}))
            for number in range(10_000)
        )
    )
    for name, frame in (("alike", alike), ("mixed", mixed), ("each its own", own)):
        longest = count = slices = 0
        began = time.thread_time_ns()
        for reads in ReportDecoder("gate").slices(frame, 0):
            longest = max(longest, time.thread_time_ns() - began)
            assert len(reads) <= 256
            count, slices = count + len(reads), slices + 1
            began = time.thread_time_ns()
        assert count > 9_000
        assert slices > 40
        print(f"{name}: {count} tags, {slices} slices, the longest {longest / 1e6:.1f} ms of processor time")


def test_a_report_made_to_fill_the_memory_is_refused_whole_and_the_next_is_read() -> None:
    empty = bytes.fromhex("00f0000a00f100060000")  # a tag whose EPC has no bits
    decoder = ReportDecoder("gate-1")

    def of(count: int) -> bytes:
        return bytes.fromhex("043d") + (10 + count * len(empty)).to_bytes(4, "big") + bytes(4) + empty * count

    with pytest.raises(LlrpError, match="expected at most 300000 tags in a report"):
        decoder.decode(of(500_000), 0, 1)
    assert len(decoder.decode(of(10_000), 0, 1)) == 10_000
