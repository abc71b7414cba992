# SPDX-License-Identifier: Apache-2.0
"""A simulated reader's capabilities, settings, versions, keepalives and pins."""

from __future__ import annotations

import pytest

from drivers.llrp.messages import Parameter
from simulators.reader.kinds import FIXED, IMPINJ, KINDS, PLAIN, ReaderKind
from tests.simulators.reader.bench import Bench, chain, part, rospec


def find(parameters: list[Parameter], name: str) -> list[Parameter]:
    """All parameters of that name, however deep."""
    found = [one for one in parameters if one.name == name]
    return found + [deep for one in parameters for deep in find(one.parameters, name)]


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_reader_tells_its_tables(kind: ReaderKind) -> None:
    told = Bench(kind).ask("GET_READER_CAPABILITIES", ReaderCapabilitiesRequestedData=0).parameters
    powers = {
        one.fields["Index"]: one.fields["TransmitPowerValue"]
        for one in find(told, "TransmitPowerLevelTableEntry")
    }
    assert powers == dict(kind.powers)
    tables = {one.fields["HopTableID"]: one.fields["Frequencies"] for one in find(told, "FrequencyHopTable")}
    assert tables == {number: list(table) for number, table in kind.hop_tables.items()}
    assert [one.fields["Frequencies"] for one in find(told, "FixedFrequencyTable")] == (
        [] if kind.hops else [list(kind.channels)]
    )
    (general,) = find(told, "GeneralDeviceCapabilities")
    assert (general.fields["MaxSupportedAntennas"], general.fields["HasUTCClock"]) == (
        kind.antennas,
        kind.utc,
    )
    assert {one.fields["ModeID"] for one in find(told, "UHFC1G2RFModeTableEntry")} == {
        mode.identifier for mode in kind.modes
    }


def test_the_kinds_differ_where_clients_go_wrong() -> None:
    assert set(IMPINJ.hop_tables) & set(PLAIN.hop_tables) == set()
    assert {kind.version for kind in KINDS.values()} == {1, 2}
    assert len({kind.vendor for kind in (IMPINJ, PLAIN)}) == 2
    assert not FIXED.hops
    assert not FIXED.utc


@pytest.mark.parametrize(
    ("wanted", "names"),
    [(1, ["GeneralDeviceCapabilities"]), (2, ["LLRPCapabilities"]), (4, ["C1G2LLRPCapabilities"])],
)
def test_one_kind_of_capability_can_be_asked_for(wanted: int, names: list[str]) -> None:
    answer = Bench().ask("GET_READER_CAPABILITIES", ReaderCapabilitiesRequestedData=wanted)
    assert [one.name for one in answer.parameters] == ["LLRPStatus", *names]


def test_settings_are_told_as_they_were_set() -> None:
    bench = Bench()
    bench.want(1, 8, hold=True, listen=(3,))
    bench.fine(
        "SET_READER_CONFIG",
        part("KeepAliveSpec", Trigger=1, Interval=10_000),
        part("GPOWriteData", Port=2, Data=True),
    )
    told = bench.ask("GET_READER_CONFIG", RequestedData=0).parameters
    on = [
        one.fields["ReaderEventType"]
        for one in find(told, "EventNotificationState")
        if one.fields["NotificationEnabled"]
    ]
    assert on == [1, 8]
    assert [one.fields["Interval"] for one in find(told, "KeepAliveSpec")] == [10_000]
    assert [one.fields["Port"] for one in find(told, "GPIPortCurrentState") if one.fields["Enabled"]] == [3]
    assert [one.fields["Port"] for one in find(told, "GPOWriteData") if one.fields["Data"]] == [2]
    assert [one.fields["HoldEventsAndReportsUponReconnect"] for one in find(told, "EventsAndReports")] == [
        True
    ]
    assert len(find(told, "AntennaProperties")) == len(find(told, "AntennaConfiguration")) == 4
    assert bench.wrote == [(2, True)]


def test_one_port_and_one_antenna_can_be_asked_for() -> None:
    bench = Bench()
    bench.device.set_input(3, high=True, now_us=0)
    told = bench.ask("GET_READER_CONFIG", RequestedData=9, GPIPortNum=3).parameters[1:]
    assert [(one.fields["Port"], one.fields["State"]) for one in told] == [(3, 1)]
    told = bench.ask("GET_READER_CONFIG", RequestedData=2, AntennaID=4).parameters[1:]
    assert [one.fields["AntennaID"] for one in told] == [4]
    assert chain(bench.ask("GET_READER_CONFIG", RequestedData=9, GPIPortNum=5)) == (101, 2, 300)
    assert chain(bench.ask("GET_READER_CONFIG", RequestedData=12)) == (101, 1, 301)


def test_a_setting_that_is_wrong_leaves_all_of_them_as_they_were() -> None:
    """Section 15: no part of a message with an error is executed."""
    bench = Bench()
    lamp, none = part("GPOWriteData", Port=1, Data=True), part("GPOWriteData", Port=9, Data=True)
    assert bench.status("SET_READER_CONFIG", lamp, none) == (100, 219, 201, 0, 301)
    assert bench.wrote == []
    assert bench.device.settings.outputs[1] is False
    assert Bench(FIXED).status("SET_READER_CONFIG", part("GPIPortCurrentState", Port=1, Enabled=True)) == (
        (100, 225, 201, 0, 301)
    )


def test_factory_defaults_come_back_before_what_is_set() -> None:
    bench = Bench()
    bench.want(1, hold=True)
    keepalive = part("KeepAliveSpec", Trigger=1, Interval=500)
    bench.fine("SET_READER_CONFIG", keepalive, ResetToFactoryDefaults=True)
    settings = bench.device.settings
    assert (settings.wants(1), settings.holds, settings.keepalive_ms) == (False, False, 500)


def test_the_state_value_changes_with_the_configuration_alone() -> None:
    bench = Bench()

    def value() -> object:
        told = bench.ask("GET_READER_CONFIG", RequestedData=7)
        return told.parameters[1].fields["LLRPConfigurationState"]

    before = value()
    assert value() == before
    bench.run(rospec())
    added = value()
    assert added != before
    bench.fine("START_ROSPEC", ROSpecID=1)
    assert value() == added


def test_version_1_1_is_agreed_once() -> None:
    bench = Bench()
    offered = bench.ask("GET_SUPPORTED_VERSION", version=2)
    assert offered.fields == {"CurrentVersion": 1, "MaxSupportedVersion": 2}
    assert chain(bench.ask("SET_PROTOCOL_VERSION", version=2, TargetVersion=3)) == (110,)
    assert chain(bench.ask("SET_PROTOCOL_VERSION", version=2, TargetVersion=2)) == (0,)
    assert bench.ask("GET_ROSPECS", version=2).version == 2
    assert chain(bench.ask("SET_PROTOCOL_VERSION", version=2, TargetVersion=1)) == (112,)
    refused = bench.ask("GET_ROSPECS", version=1)
    assert (refused.name, chain(refused), refused.version) == ("ERROR_MESSAGE", (110,), 1)
    bench.device.disconnect(0)
    bench.connect()
    assert bench.ask("GET_ROSPECS", version=1).version == 1


def test_a_reader_of_1_0_1_knows_no_other_version() -> None:
    refused = Bench(PLAIN).ask("GET_SUPPORTED_VERSION", version=2)
    assert (refused.name, chain(refused), refused.version) == ("ERROR_MESSAGE", (110,), 2)


def test_what_no_reader_does_is_answered_by_an_error() -> None:
    bench = Bench()
    assert chain(bench.ask("RO_ACCESS_REPORT")) == (112,)
    assert chain(bench.ask("CUSTOM_MESSAGE", VendorID=161, MessageSubtype=1, Data=b"")) == (109,)
    assert chain(Bench(PLAIN).ask("IMPINJ_ENABLE_EXTENSIONS")) == (109,)
    bench.said.clear()
    bench.tell("ERROR_MESSAGE", part("LLRPStatus", Status=100, ErrorDescription="no"))
    assert bench.said == []


def test_keepalives_come_at_their_interval_and_three_without_an_answer_end_the_connection() -> None:
    bench = Bench()
    bench.fine("SET_READER_CONFIG", part("KeepAliveSpec", Trigger=1, Interval=1000))
    bench.said.clear()
    for _ in range(5):
        bench.wait(1000)
        bench.tell("KEEPALIVE_ACK")
    assert [one.name for one in bench.said] == ["KEEPALIVE"] * 5
    ends = [bench.closed]
    for ms in (3000, 1000):
        bench.wait(ms)
        ends.append(bench.closed)
    assert ends == [False, False, True]
    assert len(bench.events("ConnectionCloseEvent")) == 1


def test_inputs_and_antennas_are_told_where_the_client_wants_them() -> None:
    bench = Bench()
    bench.device.set_antenna(2, connected=False, now_us=0)
    bench.want(1, 8, listen=(1,))
    bench.device.set_input(1, high=True, now_us=0)
    bench.device.set_input(1, high=True, now_us=0)
    bench.device.set_input(2, high=True, now_us=0)
    bench.device.set_antenna(2, connected=True, now_us=0)
    assert [tuple(one.fields.values()) for one in bench.events("GPIEvent")] == [(1, True)]
    assert [tuple(one.fields.values()) for one in bench.events("AntennaEvent")] == [(1, 2)]


def test_an_antenna_without_a_cable_hears_nothing() -> None:
    bench = Bench()
    bench.run(rospec(start=part("ROSpecStartTrigger", Trigger=1)))
    bench.device.set_antenna(1, connected=False, now_us=0)
    assert bench.see(1, antenna=1) == 0
    assert bench.see(1, antenna=2) == 1


def test_an_exception_is_told_with_its_sentence() -> None:
    bench = Bench()
    bench.want(4)
    bench.device.fail("the radio is too hot", 0)
    assert [one.fields["Message"] for one in bench.events("ReaderExceptionEvent")] == ["the radio is too hot"]
