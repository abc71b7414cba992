# SPDX-License-Identifier: Apache-2.0
"""What a simulated reader tells of a tag follows from the client's selector, and when from its trigger."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.llrp.messages import Message, Parameter, decode, encode
from simulators.reader.kinds import FIXED, IMPINJ, PLAIN, ReaderKind
from simulators.reader.sightings import Sighting
from tests.simulators.reader.bench import OFFSET_US, Bench, epc, part, report_spec, rospec

IMMEDIATE = part("ROSpecStartTrigger", Trigger=1)
NAMES = {
    "EnableROSpecID": "ROSpecID",
    "EnableSpecIndex": "SpecIndex",
    "EnableInventoryParamSpecID": "InventoryParameterSpecID",
    "EnableAntennaID": "AntennaID",
    "EnableChannelIndex": "ChannelIndex",
    "EnablePeakRSSI": "PeakRSSI",
    "EnableFirstSeenTimestamp": "FirstSeenUTC",
    "EnableLastSeenTimestamp": "LastSeenUTC",
    "EnableTagSeenCount": "TagSeenCount",
    "PCBitsEnabled": "C1G2PC",
    "CRCEnabled": "C1G2CRC",
}
VENDOR = {
    "SerializedTID": ("ImpinjSerializedTID", "TID", [0xE280, 0x1105]),
    "RFPhaseAngle": ("ImpinjRFPhaseAngle", "PhaseAngle", 2048),
    "PeakRSSI": ("ImpinjPeakRSSI", "RSSI", -5537),
    "RFDopplerFrequency": ("ImpinjRFDopplerFrequency", "DopplerFrequency", -12),
}


def reading(
    *on: str, trigger: int = 2, n: int = 1, vendor: Parameter | None = None, kind: ReaderKind = IMPINJ
) -> Bench:
    """A reader that reads and tells what is `on`."""
    bench = Bench(kind)
    if vendor is not None:
        bench.fine("IMPINJ_ENABLE_EXTENSIONS")
    bench.run(rospec(start=IMMEDIATE, report=report_spec(trigger, n, *on, vendor=vendor)))
    return bench


@given(st.sets(st.sampled_from(sorted(NAMES))))
def test_a_tag_report_holds_what_was_switched_on_and_nothing_else(on: set[str]) -> None:
    bench = reading(*(on or {"EnableROSpecID"}))
    bench.see(1)
    (tag,) = bench.tags()
    wanted = {NAMES[flag] for flag in on or {"EnableROSpecID"}}
    assert {one.name for one in tag.parameters} == wanted | {"EPC96"}


@given(st.sets(st.sampled_from(sorted(VENDOR)), min_size=1))
def test_the_vendors_values_come_when_the_vendors_selector_asks(on: set[str]) -> None:
    switches = [part(f"ImpinjEnable{name}", **{f"{name}Mode": 1}) for name in sorted(on)]
    bench = reading("EnableAntennaID", vendor=part("ImpinjTagReportContentSelector", *switches))
    bench.see(1, dbm=-55.37, phase=2048, doppler=-12, tid=bytes.fromhex("e2801105"))
    (tag,) = bench.tags()
    told = {one.name: one.fields for one in tag.parameters if one.name.startswith("Impinj")}
    assert told == {VENDOR[name][0]: {VENDOR[name][1]: VENDOR[name][2]} for name in on}


def test_a_vendors_switch_that_is_off_brings_nothing() -> None:
    off = part("ImpinjEnableRFPhaseAngle", RFPhaseAngleMode=0)
    bench = reading("EnableAntennaID", vendor=part("ImpinjTagReportContentSelector", off))
    bench.see(1)
    assert {one.name for one in bench.tags()[0].parameters} == {"EPC96", "AntennaID"}


@pytest.mark.parametrize(
    ("code", "bits", "name"),
    [
        (b"", None, "EPCData"),
        (b"\x01", None, "EPCData"),
        (epc(1), None, "EPC96"),
        (b"\xff" * 62, None, "EPCData"),
        (b"\xaa\x80", 9, "EPCData"),
    ],
)
def test_codes_of_every_length_are_told(code: bytes, bits: int | None, name: str) -> None:
    bench = reading("PCBitsEnabled")
    bench.device.see([Sighting(code, 1, -5000, bits=bits)], 0)
    told = bench.tags()[0].first(name)
    assert told is not None
    assert told.fields["EPC"] == code
    if name == "EPCData":
        assert told.fields["EPCNumBits"] == (len(code) * 8 if bits is None else bits)


def test_the_control_word_and_the_checksum_are_those_of_a_tag() -> None:
    """CRC-16 of Gen2 over PC and EPC; with it appended the register ends at its residue, 0x1D0F."""
    seen = Sighting(bytes.fromhex("3034257bf7194e4000001a85"), 1, -5000)
    assert seen.control == 0x3000
    data = seen.control.to_bytes(2, "big") + seen.epc + seen.crc.to_bytes(2, "big")
    register = 0xFFFF
    for bit in (byte >> shift & 1 for byte in data for shift in range(7, -1, -1)):
        register = (register << 1 ^ (0x1021 if register >> 15 ^ bit else 0)) & 0xFFFF
    assert register == 0x1D0F


def test_times_are_on_the_readers_own_clock_whatever_it_shows() -> None:
    on = ("EnableFirstSeenTimestamp", "EnableLastSeenTimestamp")
    for kind, suffix in ((IMPINJ, "UTC"), (FIXED, "Uptime")):
        bench = reading(*on, n=2, kind=kind)
        bench.wait(10)
        bench.see(1)
        bench.wait(5)
        bench.see(1)
        bench.device.clock_offset_us += 3_600_000_000
        bench.see(2)
        first, last = (bench.tags()[0].first(f"{edge}Seen{suffix}") for edge in ("First", "Last"))
        assert first is not None and last is not None
        told = [first.fields["FirstSeen"], last.fields["LastSeen"]]
        assert told == [OFFSET_US + 3_600_000_000 + ms * 1000 for ms in (10, 15)]


def test_n_tags_make_a_report_and_the_same_tag_at_the_same_antenna_is_counted_in_it() -> None:
    bench = reading("EnableAntennaID", "EnableTagSeenCount", "EnablePeakRSSI", n=3)
    bench.see(1, dbm=-60)
    bench.see(1, dbm=-50)
    bench.see(1, antenna=2)
    assert bench.tags() == []
    bench.see(2)
    told = [[one.fields[one.name] for one in tag.parameters[1:]] for tag in bench.tags()]
    assert told == [[1, -50, 2], [2, -55, 1], [1, -55, 1]]


def test_antennas_are_told_as_one_where_nobody_asks_for_them() -> None:
    bench = reading("EnableTagSeenCount", n=2)
    bench.see(1, antenna=1)
    bench.see(1, antenna=2)
    bench.see(2)
    assert [tag.parameters[1].fields["TagSeenCount"] for tag in bench.tags()] == [2, 1]


def test_what_n_has_not_filled_is_told_at_the_end() -> None:
    bench = reading(n=100)
    bench.see(1, 2, 3)
    assert bench.tags() == []
    bench.fine("STOP_ROSPEC", ROSpecID=1)
    assert bench.numbers() == [1, 2, 3]


@pytest.mark.parametrize(("trigger", "n"), [(3, 2), (4, 2), (5, 2000), (6, 2000)])
def test_time_makes_a_report_where_the_version_knows_that(trigger: int, n: int) -> None:
    bench = reading(trigger=trigger, n=n)
    bench.see(1)
    bench.wait(1999)
    assert bench.tags() == []
    bench.wait(1)
    assert bench.numbers() == [1]


def test_without_a_trigger_tags_wait_until_they_are_asked_for() -> None:
    bench = reading(trigger=0, n=0)
    bench.see(1, 2)
    bench.fine("STOP_ROSPEC", ROSpecID=1)
    bench.fine("START_ROSPEC", ROSpecID=1)
    bench.see(3)
    assert bench.tags() == []
    bench.ask("GET_REPORT")
    assert bench.numbers() == [1, 2, 3]
    bench.said.clear()
    assert bench.ask("GET_REPORT").name == "RO_ACCESS_REPORT"
    assert bench.tags() == []


def test_a_rospec_without_a_report_takes_the_readers_own() -> None:
    bench = Bench()
    bench.fine("SET_READER_CONFIG", report_spec(2, 1, "EnableChannelIndex"))
    spec = rospec(start=IMMEDIATE)
    spec.parameters = [one for one in spec.parameters if one.name != "ROReportSpec"]
    bench.run(spec)
    bench.see(1, channel=17)
    assert [one.name for one in bench.tags()[0].parameters] == ["EPC96", "ChannelIndex"]


def test_a_terse_reader_leaves_out_what_is_as_before() -> None:
    """LLRP 1.1, 14.2.3: what is switched on and absent is as it was last received."""
    bench = reading("EnableAntennaID", "EnablePeakRSSI", kind=PLAIN)
    bench.see(1, antenna=1)
    bench.see(1, antenna=2)
    bench.see(2, antenna=2, dbm=-40)
    told = [{one.name: one.fields[one.name] for one in tag.parameters[1:]} for tag in bench.tags()]
    assert told == [{"AntennaID": 1, "PeakRSSI": -55}, {"AntennaID": 2}, {"PeakRSSI": -40}]


def test_a_report_of_a_thousand_tags_comes_in_messages_that_fit() -> None:
    on = sorted(NAMES)
    bench = reading(*on, n=1000)
    bench.see(*range(1000))
    assert bench.numbers() == list(range(1000))
    reports = [one for one in bench.said if one.name == "RO_ACCESS_REPORT"]
    assert len(reports) == 3
    assert max(len(encode(one)) for one in reports) < 65_536


def test_hops_are_told_before_the_tags_of_their_channel() -> None:
    bench = Bench()
    bench.want(0)
    bench.run(rospec(start=IMMEDIATE))
    bench.said.clear()
    for channel in (4, 4, 9):
        bench.see(1, channel=channel)
    assert [one.name for one in bench.said] == [
        "READER_EVENT_NOTIFICATION",
        "RO_ACCESS_REPORT",
        "RO_ACCESS_REPORT",
        "READER_EVENT_NOTIFICATION",
        "RO_ACCESS_REPORT",
    ]
    assert [one.fields["NextChannelIndex"] for one in bench.events("HoppingEvent")] == [4, 9]


# What is held back


def holding(kind: ReaderKind = IMPINJ) -> Bench:
    """A reader that reads, holds upon reconnect, and whose client has gone."""
    bench = Bench(kind)
    bench.want(1, 2, 3, hold=True, listen=(1,))
    bench.run(rospec(start=IMMEDIATE))
    bench.said.clear()
    bench.device.disconnect(bench.now_us)
    return bench


def test_tags_and_events_of_an_absence_wait_for_the_client_to_ask() -> None:
    bench = holding()
    bench.see(1)
    bench.device.set_input(1, high=True, now_us=0)
    bench.see(2)
    bench.connect()
    bench.see(3)
    assert bench.said == []
    bench.tell("ENABLE_EVENTS_AND_REPORTS")
    assert [one.name for one in bench.said] == [
        "RO_ACCESS_REPORT",
        "READER_EVENT_NOTIFICATION",
        "RO_ACCESS_REPORT",
    ]
    assert bench.numbers() == [1, 2, 3]
    bench.see(4)
    assert bench.numbers() == [1, 2, 3, 4]


def test_a_full_buffer_warns_loses_the_oldest_and_says_so_once() -> None:
    bench = holding(replace(IMPINJ, buffer_tags=10))
    bench.see(*range(25))
    bench.connect()
    bench.tell("ENABLE_EVENTS_AND_REPORTS")
    assert bench.numbers() == list(range(15, 25))
    assert bench.device.outgoing.lost_tags == 15
    assert [one.fields["PercentFull"] for one in bench.events("ReportBufferLevelWarningEvent")] == [80]
    assert len(bench.events("ReportBufferOverflowErrorEvent")) == 1


def test_without_holding_an_absence_is_forgotten() -> None:
    bench = Bench()
    bench.run(rospec(start=IMMEDIATE))
    bench.device.disconnect(0)
    bench.see(1, 2)
    bench.connect()
    bench.tell("ENABLE_EVENTS_AND_REPORTS")
    assert bench.tags() == []
    bench.see(3)
    assert bench.numbers() == [3]


def test_a_reader_that_keeps_nothing_has_no_rospec_after_a_reconnect() -> None:
    bench = Bench(PLAIN)
    bench.run(rospec(start=IMMEDIATE))
    bench.device.disconnect(0)
    bench.connect()
    assert list(bench.ask("GET_ROSPECS").every("ROSpec")) == []
    kept = Bench(IMPINJ)
    kept.run(rospec(start=IMMEDIATE))
    kept.device.disconnect(0)
    kept.connect()
    assert len(list(kept.ask("GET_ROSPECS").every("ROSpec"))) == 1


def test_a_reader_that_cannot_hold_says_so() -> None:
    bench = Bench(FIXED)
    holds = part("EventsAndReports", HoldEventsAndReportsUponReconnect=True)
    assert bench.status("SET_READER_CONFIG", holds) == (100, 226, 209)
    assert bench.status("ENABLE_EVENTS_AND_REPORTS") == (109,)


def test_every_message_that_is_said_can_be_read_again() -> None:
    bench = reading(*NAMES)
    bench.see(1)
    for one in bench.said:
        assert isinstance(decode(encode(one)), Message)
