# SPDX-License-Identifier: Apache-2.0
"""The inventory is made of what the reader at hand says it has, and of nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.llrp.capabilities import Capabilities, Present, Radio, read_capabilities, read_present
from drivers.llrp.impinj import IMPINJ
from drivers.llrp.messages import Message, Parameter, decode, encode
from drivers.llrp.rospec import ROSPEC_ID, inventory, plan
from drivers.llrp.settings import Profile, ReaderSettings
from simulators.reader.kinds import KINDS, capabilities

HOPPING = Capabilities(
    manufacturer=161,
    antennas=4,
    holds=True,
    powers={7: 1000, 3: 2000, 9: 2950, 1: 3000},
    hop_table=6,
    modes=(11, 12),
)
FIXED = replace(HOPPING, hop_table=None, channels=4)
IMPINJS = replace(HOPPING, manufacturer=IMPINJ)
ALL_FOUR = Present(connected=dict.fromkeys(range(1, 5), True))


def every(message: Message, name: str) -> list[Parameter]:
    found = []

    def walk(parameters: list[Parameter]) -> None:
        for parameter in parameters:
            if parameter.name == name:
                found.append(parameter)
            walk(parameter.parameters)

    walk(message.parameters)
    return found


def added(settings: ReaderSettings, can: Capabilities, now: Present = ALL_FOUR, form: int = 0) -> Message:
    """The inventory in this form as the reader gets it."""
    return decode(encode(inventory(plan(settings, can, now))[form][1]))


@pytest.mark.parametrize(
    ("wanted", "index", "level"),
    [(None, 1, 3000), (30.0, 1, 3000), (29.99, 9, 2950), (20.0, 3, 2000), (19.9, 7, 1000), (40.0, 1, 3000)],
)
def test_the_strongest_level_that_may_be_sent_is_named_by_its_index(
    wanted: float | None, index: int, level: int
) -> None:
    settings = ReaderSettings(power_dbm=wanted)
    assert plan(settings, HOPPING, ALL_FOUR).powers[1] == (index, level)
    transmitters = every(added(settings, HOPPING), "RFTransmitter")
    assert [each.fields["TransmitPowerIndex"] for each in transmitters] == [index] * 4


def test_a_level_weaker_than_any_is_a_doubt_and_the_weakest_is_taken() -> None:
    chosen = plan(ReaderSettings(power_dbm=5.0), HOPPING, ALL_FOUR)
    assert chosen.powers[1] == (7, 1000)
    assert "antenna 1 may send 5 dBm, the reader's weakest is 10" in chosen.doubts


def test_single_antennas_have_their_own_power() -> None:
    settings = ReaderSettings(antennas=(1, 2), power_dbm=30.0, antenna_power_dbm={2: 20.0})
    chosen = plan(settings, HOPPING, ALL_FOUR)
    assert chosen.powers == {1: (1, 3000), 2: (3, 2000)}
    assert str(chosen) == "antennas 1 2, 20 to 30 dBm, session 0, mode 11"


def test_a_reader_that_hops_is_told_its_own_hop_table() -> None:
    for transmitter in every(added(ReaderSettings(), HOPPING), "RFTransmitter"):
        assert (transmitter.fields["HopTableID"], transmitter.fields["ChannelIndex"]) == (6, 0)


def test_a_reader_on_fixed_channels_keeps_its_channel_or_takes_its_first() -> None:
    now = replace(ALL_FOUR, radios={1: Radio(hop_table=9, channel=3), 2: Radio(channel=77)})
    transmitters = every(added(ReaderSettings(), FIXED, now), "RFTransmitter")
    channels = [(each.fields["HopTableID"], each.fields["ChannelIndex"]) for each in transmitters]
    assert channels == [(0, 3), (0, 1), (0, 1), (0, 1)]


def test_the_mode_is_the_configured_one_else_the_one_it_came_with_else_its_first() -> None:
    with_12 = replace(ALL_FOUR, radios={1: Radio(mode=12)})
    modes = {
        name: plan(settings, HOPPING, now).mode
        for name, settings, now in (
            ("configured", ReaderSettings(mode=12), ALL_FOUR),
            ("came with", ReaderSettings(), with_12),
            ("first", ReaderSettings(), ALL_FOUR),
            ("unknown", ReaderSettings(mode=99), with_12),
        )
    }
    assert modes == {"configured": 12, "came with": 12, "first": 11, "unknown": 12}
    doubts = plan(ReaderSettings(mode=99), HOPPING, with_12).doubts
    assert doubts == ("mode 99 is configured, the reader has 11 12",)


@pytest.mark.parametrize(
    ("profile", "can", "session", "search"),
    [
        (Profile.DIRECTION, IMPINJS, 1, 2),
        (Profile.DIRECTION, HOPPING, 0, None),
        (Profile.COUNT, IMPINJS, 1, 3),
        (Profile.COUNT, HOPPING, 1, None),
    ],
)
def test_a_profile_is_a_session_and_a_search_mode_where_there_is_one(
    profile: Profile, can: Capabilities, session: int, search: int | None
) -> None:
    message = added(ReaderSettings(profile=profile), can)
    assert {each.fields["Session"] for each in every(message, "C1G2SingulationControl")} == {session}
    searches = {each.fields["InventorySearchMode"] for each in every(message, "ImpinjInventorySearchMode")}
    assert searches == ({search} if search is not None else set())


@pytest.mark.parametrize("profile", Profile)
def test_every_read_is_reported_with_what_a_gate_needs(profile: Profile) -> None:
    message = added(ReaderSettings(profile=profile, tid=True), IMPINJS)
    [spec] = every(message, "ROReportSpec")
    assert (spec.fields["Trigger"], spec.fields["N"]) == (1, 1)
    [selector] = every(message, "TagReportContentSelector")
    wanted = {name for name, on in selector.fields.items() if on}
    assert wanted == {
        "EnableAntennaID", "EnableChannelIndex", "EnablePeakRSSI", "EnableFirstSeenTimestamp",
        "EnableLastSeenTimestamp", "EnableTagSeenCount",
    }  # fmt: skip
    names = ("SerializedTID", "RFPhaseAngle", "PeakRSSI", "RFDopplerFrequency")
    assert [every(message, f"ImpinjEnable{name}")[0].fields[f"{name}Mode"] for name in names] == [1, 1, 1, 1]


def test_a_reader_of_another_make_is_asked_for_nothing_of_impinjs() -> None:
    settings = ReaderSettings(tid=True)
    assert not [part for part in ("ImpinjInventorySearchMode", "ImpinjTagReportContentSelector", "Custom")
                if every(added(settings, HOPPING), part)]  # fmt: skip
    assert every(added(settings, IMPINJS), "ImpinjInventorySearchMode"), "the control: an Impinj is"


def test_each_further_form_asks_for_less() -> None:
    forms = inventory(plan(ReaderSettings(), IMPINJS, ALL_FOUR))
    assert [given_up for given_up, _ in forms] == [
        "",
        "the maker's own search mode and values",
        "our power, mode and session: it uses its own",
    ]
    sizes = [len(encode(message)) for _, message in forms]
    assert sizes == sorted(sizes, reverse=True)
    assert every(forms[2][1], "AntennaConfiguration") == []
    assert [len(inventory(plan(ReaderSettings(), HOPPING, ALL_FOUR)))] == [2]


def test_antennas_are_those_configured_else_those_connected_else_all() -> None:
    some = Present(connected={1: True, 2: False, 3: True, 4: False})
    none = Present(connected=dict.fromkeys(range(1, 5), False))
    assert plan(ReaderSettings(antennas=(4, 2)), HOPPING, some).antennas == (4, 2)
    assert plan(ReaderSettings(), HOPPING, some).antennas == (1, 3)
    assert plan(ReaderSettings(), HOPPING, none).antennas == (1, 2, 3, 4)
    assert plan(ReaderSettings(), Capabilities(), Present()).antennas == (0,)


def test_a_reader_that_tells_nothing_of_its_radio_uses_its_own() -> None:
    message = added(ReaderSettings(power_dbm=30.0), Capabilities(), Present())
    assert every(message, "RFTransmitter") == []
    assert every(message, "C1G2RFControl") == []
    assert plan(ReaderSettings(power_dbm=30.0), Capabilities(), Present()).doubts == (
        "the reader lists no transmit powers, so it uses its own",
    )


def test_the_inventory_is_added_disabled_and_starts_when_it_is_enabled() -> None:
    message = added(ReaderSettings(), HOPPING)
    [spec] = every(message, "ROSpec")
    assert (spec.fields["ROSpecID"], spec.fields["ROSpecCurrentState"]) == (ROSPEC_ID, 0)
    assert every(message, "ROSpecStartTrigger")[0].fields["Trigger"] == 1
    assert every(message, "ROSpecStopTrigger")[0].fields["Trigger"] == 0


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_capabilities_are_read_as_they_are_said(kind: object) -> None:
    assert isinstance(kind, type(KINDS["impinj"]))
    said = Message("GET_READER_CAPABILITIES_RESPONSE", 0, {}, capabilities(kind, 0))
    can = read_capabilities(decode(encode(said)))
    assert (can.manufacturer, can.antennas, can.inputs, can.outputs) == (
        kind.vendor, kind.antennas, kind.inputs, kind.outputs,
    )  # fmt: skip
    assert can.powers == dict(kind.powers)
    assert (can.hop_table, can.channels) == (min(kind.hop_tables, default=None), len(kind.channels))
    assert can.modes == tuple(mode.identifier for mode in kind.modes)


VALUES = st.one_of(st.integers(-1, 2**64), st.text(max_size=3), st.lists(st.integers(), max_size=3))
RADIO_NAMES = """
GeneralDeviceCapabilities LLRPCapabilities RegulatoryCapabilities UHFBandCapabilities GPIOCapabilities
TransmitPowerLevelTableEntry FrequencyInformation FrequencyHopTable FixedFrequencyTable UHFC1G2RFModeTable
UHFC1G2RFModeTableEntry AntennaProperties AntennaConfiguration RFTransmitter C1G2InventoryCommand
C1G2RFControl GPIPortCurrentState
"""
FIELD_NAMES = """
MaxSupportedAntennas DeviceManufacturer FirmwareVersion Index TransmitPowerValue Hopping HopTableID
Frequencies ModeID RFModeID NumGPIs AntennaID AntennaConnected Port State
"""
NAMES = st.sampled_from(RADIO_NAMES.split())
FIELDS = st.dictionaries(st.sampled_from(FIELD_NAMES.split()), VALUES)
TREES = st.recursive(
    st.builds(Parameter, NAMES, FIELDS),
    lambda inner: st.builds(Parameter, NAMES, FIELDS, st.lists(inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=40)
@given(st.lists(TREES, max_size=6))
def test_whatever_a_reader_says_of_itself_a_plan_comes_of_it(parts: list[Parameter]) -> None:
    message = Message("GET_READER_CAPABILITIES_RESPONSE", 0, {}, parts)
    chosen = plan(ReaderSettings(), read_capabilities(message), read_present(message))
    assert 1 <= len(chosen.antennas) <= 1024
    assert str(chosen)
    assert len(inventory(chosen)) >= 2
