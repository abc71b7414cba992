# SPDX-License-Identifier: Apache-2.0
"""Pallets first: what a reader is told byte for byte, that simulated readers then hear it so, and what comes
of readers that cannot, will not, or stand still.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from drivers import State
from drivers.llrp.capabilities import Capabilities, Present, read_capabilities
from drivers.llrp.messages import Message, Parameter, decode, decode_body, encode
from drivers.llrp.rospec import Plan, Turns, in_turns, inventory, plan
from drivers.llrp.session import TurnsFault
from drivers.llrp.settings import Profile, ReaderSettings
from gs1.epc import SCHEMES, headers
from simulators.reader.kinds import FIXED, IMPINJ, PLAIN, ReaderKind, capabilities
from simulators.reader.server import Reader as Simulated
from simulators.reader.sightings import Sighting
from tests.drivers.llrp.peer import OTHER, QUICK, SILENT, Peer, gate, reading, status
from tests.drivers.llrp.test_rospec import every
from tests.drivers.llrp.test_session import SETTINGS, Talk
from tests.simulators.reader.bench import Bench

CAN = Capabilities(manufacturer=161, antennas=4, powers={1: 3000}, modes=(7,), specs_max=32, filters_max=2)
TWO = ReaderSettings(antennas=(1, 2))
LABEL = bytes.fromhex("3114257bf40000000100000000000000"[:24])
CASE = bytes.fromhex("3014257bf7194e4000001a85")
FORKLIFT = bytes.fromhex("3414257bf40000000000002a")
SSCC_96, SSCC_PLUS = 0x31, 0xF9


def told(chosen: Plan) -> Message:
    """As the reader gets it."""
    return decode(encode(in_turns(chosen)))


def turns(message: Message) -> list[tuple[object, ...]]:
    """Of each AISpec: its antennas, its stop trigger and duration, and the headers that it selects."""
    return [
        (
            spec.fields["AntennaIDs"],
            spec.parameters[0].fields["Trigger"],
            spec.parameters[0].fields["DurationTriggerValue"],
            [mask.fields["TagMask"][0] for mask in within(spec, "C1G2TagInventoryMask")],  # type: ignore[index]
        )
        for spec in every(message, "AISpec")
    ]


def within(owner: Parameter, name: str) -> list[Parameter]:
    return every(Message("", 0, {}, owner.parameters), name)


def test_each_antenna_hears_pallets_for_80_ms_and_everybody_for_40() -> None:
    chosen = plan(TWO, CAN, Present(), version=2)
    message = told(chosen)
    labels = [SSCC_96, SSCC_PLUS]
    assert turns(message) == [([1], 1, 80, labels), ([1], 1, 40, []), ([2], 1, 80, labels), ([2], 1, 40, [])]
    assert [one.fields["AntennaID"] for one in every(message, "AntennaConfiguration")] == [1, 1, 2, 2]
    assert [one.fields["InventoryParameterSpecID"] for one in every(message, "InventoryParameterSpec")] == [
        1, 2, 3, 4,
    ]  # fmt: skip
    [reports] = every(message, "ROReportSpec")
    assert (reports.fields["Trigger"], reports.fields["N"]) == (1, 1)
    assert str(chosen) == "antennas 1 2, 30 dBm, session 0, mode 7, pallets first"


def test_a_filter_looks_at_the_header_behind_crc_and_pc_and_the_second_adds_to_the_first() -> None:
    message = told(plan(ReaderSettings(antennas=(1,)), CAN, Present(), version=2))
    assert [one.fields for one in every(message, "C1G2TagInventoryMask")] == [
        {"MemoryBank": 1, "MostSignificantBit": 32, "TagMaskNumBits": 8, "TagMask": bytes([header])}
        for header in (SSCC_96, SSCC_PLUS)
    ]
    actions = every(message, "C1G2TagInventoryStateUnawareFilterAction")
    assert [one.fields["FilterAction"] for one in actions] == [0, 1]
    assert {one.fields["TruncateAction"] for one in every(message, "C1G2Filter")} == {1}
    assert {one.fields["TagInventoryStateAware"] for one in every(message, "C1G2InventoryCommand")} == {False}


def test_the_bytes_of_a_filter_are_those_of_the_standard() -> None:
    """LLRP 1.0.1 sections 16.3.1.2.1.1 to 16.3.1.2.1.1.3, by hand: type, length, fields."""
    frame = encode(in_turns(plan(ReaderSettings(antennas=(1,)), replace(CAN, filters_max=1), Present())))
    mask = "014c000a" + "40" + "0020" + "0008" + "31"
    assert bytes.fromhex("014b0014" + "40" + mask + "014e0005" + "00") in frame


def test_a_reader_of_1_1_loops_without_end() -> None:
    message = told(plan(TWO, CAN, Present(), version=2))
    [rospec] = every(message, "ROSpec")
    assert [part.name for part in rospec.parameters] == [
        "ROBoundarySpec", *["AISpec"] * 4, "LoopSpec", "ROReportSpec",
    ]  # fmt: skip
    assert every(message, "LoopSpec")[0].fields == {"LoopCount": 0}
    assert every(message, "ROSpecStartTrigger")[0].fields["Trigger"] == 1
    assert every(message, "ROSpecStopTrigger")[0].fields["Trigger"] == 0


def test_a_reader_of_1_0_1_is_started_anew_by_its_clock_and_ended_before_that() -> None:
    chosen = plan(TWO, CAN, Present(), version=1)
    message = told(chosen)
    assert every(message, "LoopSpec") == []
    [period] = every(message, "PeriodicTriggerValue")
    assert every(message, "ROSpecStartTrigger")[0].fields["Trigger"] == 2
    assert period.fields == {"Offset": 0, "Period": 280}
    assert every(message, "ROSpecStopTrigger")[0].fields == {"Trigger": 1, "DurationTriggerValue": 260}
    # All durations together end before it; the last spec goes on until it.
    assert [spec[1:3] for spec in turns(message)] == [(1, 80), (1, 40), (1, 80), (0, 0)]
    assert chosen.restarts
    assert not plan(TWO, CAN, Present(), version=2).restarts


@pytest.mark.parametrize("filters", [1, 2, 3, 5, 40, 0])
def test_there_are_as_many_filters_as_the_reader_takes_and_labels_come_first(filters: int) -> None:
    message = told(plan(ReaderSettings(antennas=(1,)), replace(CAN, filters_max=filters), Present()))
    selected = turns(message)[0][3]
    assert isinstance(selected, list)
    assert selected == list(headers("sscc", "grai", "giai"))[: filters or None]
    assert selected[0] == SSCC_96
    actions = every(message, "C1G2TagInventoryStateUnawareFilterAction")
    assert [one.fields["FilterAction"] for one in actions] == [0] + [1] * (len(selected) - 1)


def test_the_headers_are_those_of_whole_pallets_and_assets_and_of_no_case() -> None:
    assert headers("sscc") == (0x31, 0xF9, 0xEF)
    assert headers("grai", "giai") == (0x33, 0x37, 0xF1, 0xEB, 0x34, 0x38, 0xFA, 0xEE)
    assert not {0x30, 0x36, 0xF7, 0xFD, 0xFB, 0xFC} & set(headers("sscc", "grai", "giai"))
    assert len(set(headers(*{name.rstrip("+").partition("-")[0] for name in SCHEMES}))) == len(SCHEMES)
    assert headers("gsrn") == (0x2D, 0xF4, 0xE7), "and not gsrnp"


@pytest.mark.parametrize(
    ("can", "version", "why"),
    [
        (replace(CAN, specs_max=4), 2, "that needs 5 specs, the reader takes 4"),
        (replace(CAN, specs_max=3), 1, "that needs 4 specs, the reader takes 3"),
        (replace(CAN, specs_max=None), 1, "the reader does not tell how many specs and filters it takes"),
        (replace(CAN, filters_max=None), 2, "the reader does not tell how many specs and filters it takes"),
    ],
)
def test_what_a_reader_cannot_hold_is_not_asked_for_and_there_is_a_reason(
    can: Capabilities, version: int, why: str
) -> None:
    chosen = plan(TWO, can, Present(), version)
    assert (chosen.turns, chosen.at_once, chosen.doubts) == (None, why, ())
    assert "pallets" not in str(chosen)


@pytest.mark.parametrize(
    ("can", "version", "every_ms"),
    [
        (replace(CAN, specs_max=4), 1, 280),
        (replace(CAN, specs_max=5), 2, None),
        (replace(CAN, specs_max=0), 2, None),
    ],
)
def test_what_just_fits_is_asked_for(can: Capabilities, version: int, every_ms: int | None) -> None:
    assert plan(TWO, can, Present(), version).turns == Turns((SSCC_96, SSCC_PLUS), every_ms)


@pytest.mark.parametrize(
    "settings", [replace(TWO, profile=Profile.COUNT), replace(TWO, pallets_first=False)], ids=["count", "off"]
)
def test_who_does_not_ask_for_it_hears_everybody_at_once_without_a_word(settings: ReaderSettings) -> None:
    chosen = plan(settings, CAN, Present(), version=2)
    assert (chosen.turns, chosen.at_once) == (None, "")
    for _, message in inventory(chosen):
        assert turns(message) == [([1, 2], 0, 0, [])]
        assert every(message, "C1G2Filter") == every(message, "LoopSpec") == []


def test_a_recorded_reader_takes_two_filters_and_all_its_antennas(conformance_data: Path) -> None:
    [body] = (conformance_data / "llrp").rglob("GetReaderCapabilitiesResponse-*.bytes")
    can = read_capabilities(decode_body("GET_READER_CAPABILITIES_RESPONSE", body.read_bytes()))
    assert (can.specs_max, can.filters_max) == (32, 2)
    chosen = plan(ReaderSettings(), can, Present())
    assert chosen.turns is not None
    assert [spec[0] for spec in turns(told(chosen))] == [[each] for each in chosen.antennas for _ in range(2)]


# -- on simulated readers, by hand ----------------------------------------------------------------


def planned(kind: ReaderKind, settings: ReaderSettings) -> Plan:
    said = Message("GET_READER_CAPABILITIES_RESPONSE", 0, {}, capabilities(kind, 0))
    return plan(settings, read_capabilities(decode(encode(said))), Present(), kind.version)


def heard(kind: ReaderKind, message: Message, cycles_ms: int) -> Counter[tuple[bytes, int]]:
    """How many milliseconds of so many each tag was taken in, by antenna."""
    bench = Bench(kind)
    if kind.impinj:
        bench.fine("IMPINJ_ENABLE_EXTENSIONS")
    bench.run(message.parameters[0])
    bench.wait(1_000)
    found: Counter[tuple[bytes, int]] = Counter()
    for _ in range(cycles_ms):
        bench.wait(1)
        for epc in (LABEL, CASE, FORKLIFT):
            for antenna in (1, 2):
                found[epc, antenna] += bench.device.see([Sighting(epc, antenna, -5500)], bench.now_us)
    assert next(iter(bench.device.rospecs)).state == 2 or kind.version == 1
    return found


@pytest.mark.parametrize("kind", [IMPINJ, PLAIN, FIXED], ids=lambda kind: kind.name)
def test_a_simulated_reader_hears_labels_three_times_as_long_as_cases_on_each_antenna(
    kind: ReaderKind,
) -> None:
    chosen = planned(kind, TWO)
    assert chosen.turns is not None
    cycle_ms = chosen.turns.every_ms or 240
    found = heard(kind, in_turns(chosen), 10 * cycle_ms)
    assert found[LABEL, 1] == 10 * 120
    assert found[CASE, 1] == found[FORKLIFT, 1] == 10 * 40
    # Started by the clock, the last spec takes the time that the reader did not need between specs.
    spare = 10 * 20 if kind is PLAIN else 0
    assert found[LABEL, 2] == 10 * 120 + spare
    assert found[CASE, 2] == 10 * 40 + spare


def test_all_at_once_it_hears_labels_and_cases_alike() -> None:
    """The control: it is the inventory that makes the difference, not the reader."""
    chosen = planned(IMPINJ, replace(TWO, pallets_first=False))
    found = heard(IMPINJ, inventory(chosen)[0][1], 500)
    assert set(found.values()) == {500}


def test_with_filters_enough_forklifts_are_heard_like_labels() -> None:
    chosen = planned(replace(IMPINJ, filters_max=0), TWO)
    found = heard(replace(IMPINJ, filters_max=0), in_turns(chosen), 240)
    assert (found[FORKLIFT, 1], found[CASE, 1]) == (120, 40)


# -- over the wire --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [IMPINJ, PLAIN, FIXED], ids=lambda kind: kind.name)
async def test_every_kind_of_reader_takes_it_and_tells_labels_and_cases(kind: ReaderKind) -> None:
    settings = replace(QUICK, antennas=(1, 2), probe_s=0.05)
    async with Simulated(kind) as device, reading(device.url, settings) as listener:
        await listener.until_state(State.READY)
        assert listener.healths[-1].detail.split("; ")[1].endswith("pallets first")
        await device.until(lambda it: it.reading)
        for epc in (LABEL, CASE):
            await device.until(lambda it, epc=epc: it.see(Sighting(epc, 2, -5500)) == 1)  # type: ignore[misc]
            await listener.until(lambda epc=epc: listener.reads[-1:] != [] and listener.reads[-1].epc == epc)  # type: ignore[misc]
        [added] = [one for one in device.received if one.name == "ADD_ROSPEC"]
        assert len(every(added, "AISpec")) == 4
        # Nothing that a look at the inventory finds between two runs counts as standing still.
        await device.until(lambda it: sum(one.name == "GET_ROSPECS" for one in it.received) > 5)
        assert listener.states == [State.OPENING, State.READY]


async def test_a_reader_that_has_too_few_specs_says_so_and_hears_everybody() -> None:
    async with Simulated(PLAIN) as device, reading(device.url) as listener:
        await listener.until_told("not pallets first: that needs 16 specs, the reader takes 4")
        assert listener.states[-1] is State.READY
        await device.until(lambda it: it.reading)
        assert device.see(Sighting(CASE, 8, -5500)) == 1


def filtered(message: Message) -> Parameter | None:
    """Refuses what has a filter, down to the field."""
    if message.name != "ADD_ROSPEC" or not every(message, "C1G2Filter"):
        return None
    inner = Parameter("ParameterError", {"ParameterType": 331, "ErrorCode": 201})
    inner.parameters.append(Parameter("FieldError", {"FieldIndex": 0, "ErrorCode": 301}))
    return status(
        100, "no filters", Parameter("ParameterError", {"ParameterType": 177, "ErrorCode": 200}, [inner])
    )


async def test_a_reader_that_refuses_it_hears_everybody_and_the_reason_is_told() -> None:
    peer = Peer(OTHER)
    peer.filters = 2
    peer.refuses = filtered
    async with gate(peer) as listener:
        await listener.until_told(
            "it hears everybody at once, not pallets first (the reader refused ADD_ROSPEC"
        )
        detail = next(one for one in listener.details.splitlines() if "pallets first" in one)
        for words in ('"no filters"', "ROSpec > C1G2Filter", "a value out of range (301)", "TruncateAction"):
            assert words in detail
        assert listener.states == [State.OPENING, State.READY]
    added = peer.asked("ADD_ROSPEC")
    assert [bool(every(one, "C1G2Filter")) for one in added] == [True, False]
    assert peer.names().count("ENABLE_ROSPEC") == 1


async def test_a_reader_that_only_refuses_to_enable_it_gets_the_other_one() -> None:
    peer = Peer(OTHER)
    peer.filters = 2

    def first(message: Message) -> Parameter | None:
        refused = message.name == "ENABLE_ROSPEC" and peer.names().count("ENABLE_ROSPEC") == 1
        return status(401, "busy") if refused else None

    peer.refuses = first
    async with gate(peer) as listener:
        await listener.until_told("not pallets first (the reader refused ENABLE_ROSPEC")
    names = [name for name in peer.names() if name.endswith("_ROSPEC")]
    assert names == [
        "DELETE_ROSPEC", "ADD_ROSPEC", "ENABLE_ROSPEC", "DELETE_ROSPEC", "ADD_ROSPEC", "ENABLE_ROSPEC",
    ]  # fmt: skip


def test_a_reader_that_keeps_silent_over_it_gets_the_other_one() -> None:
    talk = Talk(replace(SETTINGS, answer_s=1.0))
    talk.peer.filters = 2
    talk.peer.refuse["ADD_ROSPEC"] = SILENT
    with pytest.raises(AssertionError, match="ready"):
        talk.ready()
    del talk.peer.refuse["ADD_ROSPEC"]
    talk.later(1.5)
    assert talk.session.ready
    assert [bool(every(one, "C1G2Filter")) for one in talk.sent if one.name == "ADD_ROSPEC"] == [True, False]


@pytest.mark.parametrize(("version", "on"), [(1, False), (2, True)])
def test_events_of_an_inventory_that_the_clock_starts_anew_are_off(version: int, on: bool) -> None:
    peer = Peer(version=version)
    peer.filters = 2
    talk = Talk(peer=peer).ready()
    states = {
        one.fields["ReaderEventType"]: one.fields["NotificationEnabled"]
        for message in talk.sent
        for one in every(message, "EventNotificationState")
    }
    assert states == {1: True, 2: on, 3: True, 4: True, 8: True}


def probes(talk: Talk, seconds: float) -> Iterator[int]:
    """Let time pass; how many looks at the inventory there were by each step."""
    for _ in range(round(seconds * 10)):
        talk.later(0.1)
        talk.hear(Message("KEEPALIVE", 77))
        yield talk.names().count("GET_ROSPECS")


@pytest.mark.parametrize("version", [1, 2])
def test_an_inventory_that_stands_still_again_and_again_is_given_up(version: int) -> None:
    peer = Peer(version=version)
    peer.filters = 2
    peer.rospec_state = 1
    talk = Talk(peer=peer).ready()
    with pytest.raises(TurnsFault, match="does not go on with it"):
        list(probes(talk, 60))
    assert talk.names().count("GET_ROSPECS") <= 3


def test_an_inventory_that_rests_between_two_runs_now_and_then_is_not() -> None:
    """The control of the one before, and of the note that an inventory stands still."""
    peer = Peer(version=1)
    peer.filters = 2
    talk = Talk(peer=peer).ready()
    for looks in probes(talk, 300):
        peer.rospec_state = 2 if looks % 3 == 2 else 1
    assert talk.names().count("GET_ROSPECS") > 20
    assert "START_ROSPEC" not in talk.names()


async def test_a_reader_that_stood_still_hears_everybody_from_then_on() -> None:
    peer = Peer()
    peer.filters = 2
    answers = peer.answers

    def still(message: Message) -> list[Message]:
        added = peer.asked("ADD_ROSPEC")
        peer.rospec_state = 1 if added and every(added[-1], "C1G2Filter") else 2
        return answers(message)

    peer.answers = still  # type: ignore[method-assign]
    async with gate(peer, replace(QUICK, probe_s=0.05)) as listener:
        await listener.until_told("it hears everybody at once: with pallets first it stood still")
        assert listener.states == [State.OPENING, State.READY, State.LOST, State.READY]
    assert [bool(every(one, "C1G2Filter")) for one in peer.asked("ADD_ROSPEC")] == [True, False]
