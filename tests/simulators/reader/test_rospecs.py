# SPDX-License-Identifier: Apache-2.0
"""A simulated reader's ROSpecs live as the standard draws it: every trigger, every state, every order."""

from __future__ import annotations

import pytest

from drivers.llrp.messages import Parameter
from simulators.reader.kinds import FIXED, IMPINJ, PLAIN, ReaderKind
from tests.simulators.reader.bench import ALL_EVENTS, Bench, aispec, gpi, part, report_spec, rospec

IMMEDIATE = part("ROSpecStartTrigger", Trigger=1)


def state(bench: Bench, number: int = 1) -> int:
    specs = bench.ask("GET_ROSPECS").every("ROSpec")
    return next(
        int(str(one.fields["ROSpecCurrentState"])) for one in specs if one.fields["ROSpecID"] == number
    )


def test_a_rospec_is_disabled_then_inactive_then_active_and_back() -> None:
    bench = Bench()
    bench.fine("ADD_ROSPEC", rospec())
    assert state(bench) == 0
    assert bench.status("START_ROSPEC", ROSpecID=1) == (101, 0, 300)
    bench.fine("ENABLE_ROSPEC", ROSpecID=1)
    assert state(bench) == 1
    assert bench.status("STOP_ROSPEC", ROSpecID=1) == (101, 0, 300)
    bench.fine("START_ROSPEC", ROSpecID=1)
    assert state(bench) == 2
    bench.fine("STOP_ROSPEC", ROSpecID=1)
    assert state(bench) == 1
    bench.fine("DISABLE_ROSPEC", ROSpecID=1)
    assert state(bench) == 0
    bench.fine("DELETE_ROSPEC", ROSpecID=0)
    assert bench.status("DELETE_ROSPEC", ROSpecID=1) == (101, 0, 300)


def test_tags_are_taken_only_while_a_rospec_is_active_and_only_by_its_antennas() -> None:
    bench = Bench()
    bench.run(rospec(specs=[aispec(1, 2)]))
    assert bench.see(1) == 0
    bench.fine("START_ROSPEC", ROSpecID=1)
    assert [bench.see(2, antenna=antenna) for antenna in (1, 2, 3)] == [1, 1, 0]
    bench.fine("STOP_ROSPEC", ROSpecID=1)
    assert bench.see(3) == 0
    assert bench.numbers() == [2, 2]


def test_an_immediate_rospec_starts_when_it_is_enabled() -> None:
    bench = Bench()
    bench.run(rospec(start=IMMEDIATE))
    assert state(bench) == 2


def test_a_duration_ends_a_rospec_at_its_moment() -> None:
    bench = Bench()
    bench.want(*ALL_EVENTS)
    bench.run(rospec(start=IMMEDIATE, stop=part("ROSpecStopTrigger", Trigger=1, DurationTriggerValue=500)))
    bench.wait(499)
    assert state(bench) == 2
    bench.wait(1)
    assert state(bench) == 1
    assert [one.fields["Event"] for one in bench.events("ROSpecEvent")] == [0, 1]
    assert len(bench.events("AISpecEvent")) == 1


def test_a_periodic_rospec_starts_again_and_again() -> None:
    bench = Bench()
    bench.want(*ALL_EVENTS)
    periodic = part("ROSpecStartTrigger", part("PeriodicTriggerValue", Offset=100, Period=1000), Trigger=2)
    bench.run(rospec(start=periodic, stop=part("ROSpecStopTrigger", Trigger=1, DurationTriggerValue=200)))
    bench.wait(3350)
    assert [one.fields["Event"] for one in bench.events("ROSpecEvent")] == [0, 1] * 4
    assert state(bench) == 1


def test_an_input_starts_a_rospec_and_stops_it() -> None:
    bench = Bench()
    bench.want(*ALL_EVENTS, listen=(2,))
    start = part("ROSpecStartTrigger", gpi(2, high=True), Trigger=3)
    stop = part("ROSpecStopTrigger", gpi(2, high=False), Trigger=2, DurationTriggerValue=0)
    bench.run(rospec(start=start, stop=stop))
    bench.said.clear()
    bench.device.set_input(1, high=True, now_us=0)
    assert state(bench) == 1
    bench.device.set_input(2, high=True, now_us=0)
    bench.see(1)
    bench.device.set_input(2, high=False, now_us=0)
    kinds = [
        inside.name
        for one in bench.said
        for outer in one.parameters
        for inside in [*outer.parameters[1:2], *([outer] if outer.name == "TagReportData" else [])]
        if one.name in ("READER_EVENT_NOTIFICATION", "RO_ACCESS_REPORT")
    ]
    # Section 14.2.6.1: the input before the start it causes, tags within, the spec's end before the end.
    assert [
        kind for kind in kinds if kind in {"GPIEvent", "ROSpecEvent", "AISpecEvent", "TagReportData"}
    ] == [
        "GPIEvent",
        "ROSpecEvent",
        "TagReportData",
        "GPIEvent",
        "AISpecEvent",
        "ROSpecEvent",
    ]


def test_an_input_that_is_not_switched_on_triggers_nothing() -> None:
    bench = Bench()
    bench.want(*ALL_EVENTS)
    bench.run(rospec(start=part("ROSpecStartTrigger", gpi(1, high=True), Trigger=3)))
    bench.device.set_input(1, high=True, now_us=0)
    assert state(bench) == 1
    assert bench.events("GPIEvent") == []


def test_the_timeout_of_an_input_ends_a_rospec_whose_input_never_moves() -> None:
    bench = Bench()
    bench.want(*ALL_EVENTS, listen=(1,))
    stop = part("ROSpecStopTrigger", gpi(1, high=False, timeout=30_000), Trigger=2, DurationTriggerValue=0)
    bench.run(rospec(start=IMMEDIATE, stop=stop))
    bench.wait(29_999)
    assert state(bench) == 2
    bench.wait(1)
    assert state(bench) == 1


def observation(kind: int, **more: int) -> Parameter:
    fields = {"NumberOfTags": 0, "NumberOfAttempts": 0, "T": 0, "Timeout": 0, **more}
    inside = Parameter("TagObservationTrigger", {"Trigger": kind, **fields})
    return part("AISpecStopTrigger", inside, Trigger=3, DurationTriggerValue=0)


def test_an_aispec_ends_by_the_tags_it_saw() -> None:
    bench = Bench()
    bench.run(rospec(start=IMMEDIATE, specs=[aispec(stop=observation(0, NumberOfTags=3))]))
    bench.see(1, 1)
    assert state(bench) == 2
    bench.see(1)
    assert state(bench) == 1


def test_an_aispec_ends_by_unique_tags_where_the_version_knows_that() -> None:
    bench = Bench()
    bench.run(rospec(start=IMMEDIATE, specs=[aispec(stop=observation(3, NumberOfTags=2))]))
    bench.see(1, 1, 1)
    assert state(bench) == 2
    bench.see(2)
    assert state(bench) == 1
    plain = Bench(PLAIN)
    unique = rospec(specs=[aispec(stop=observation(3, NumberOfTags=2))])
    assert plain.status("ADD_ROSPEC", unique)[-4:] == (185, 201, 0, 301)


@pytest.mark.parametrize(("kind", "left"), [(1, 2), (4, 1)])
def test_an_aispec_ends_when_nothing_new_comes(kind: int, left: int) -> None:
    """A tag that is seen again keeps the first kind going, only a new one the second."""
    bench = Bench()
    bench.run(rospec(start=IMMEDIATE, specs=[aispec(stop=observation(kind, T=200))]))
    for _ in range(3):
        bench.see(1)
        bench.wait(150)
    assert state(bench) == left


def test_specs_follow_each_other_and_a_loop_begins_again() -> None:
    bench = Bench()
    bench.want(*ALL_EVENTS, 9)
    seconds = part("AISpecStopTrigger", Trigger=1, DurationTriggerValue=100)
    specs = [
        aispec(1, stop=seconds, inventory=1),
        aispec(2, stop=seconds, inventory=2),
        part("LoopSpec", LoopCount=2),
    ]
    report = report_spec(2, 1, "EnableSpecIndex", "EnableInventoryParamSpecID")
    bench.run(rospec(start=IMMEDIATE, specs=specs, report=report))
    for _ in range(7):
        bench.see(5, antenna=1)
        bench.see(6, antenna=2)
        bench.wait(100)
    assert bench.numbers() == [5, 6, 5, 6, 5, 6]
    told = [[one.fields[one.name] for one in tag.parameters[1:]] for tag in bench.tags()]
    assert told == [[1, 1], [2, 2]] * 3
    assert [one.fields["LoopCount"] for one in bench.events("SpecLoopEvent")] == [1, 2]
    assert state(bench) == 1


def test_a_more_urgent_rospec_preempts_and_an_equal_one_is_told_that_the_radio_is_busy() -> None:
    bench = Bench(PLAIN)
    bench.want(*ALL_EVENTS)
    for number, priority in ((1, 5), (2, 5), (3, 1)):
        bench.run(rospec(number, priority=priority))
    bench.fine("START_ROSPEC", ROSpecID=1)
    assert bench.status("START_ROSPEC", ROSpecID=2) == (401,)
    bench.fine("START_ROSPEC", ROSpecID=3)
    told = [tuple(one.fields.values()) for one in bench.events("ROSpecEvent")]
    assert told == [(0, 1, 0), (2, 1, 3), (0, 3, 0)]
    assert [state(bench, number) for number in (1, 2, 3)] == [1, 1, 2]


def test_filters_let_only_the_tags_of_a_client_answer() -> None:
    """The mask lies at bit 32 of the EPC bank, behind CRC and PC."""
    mask = part(
        "C1G2TagInventoryMask", MemoryBank=1, MostSignificantBit=32 + 88, TagMask=b"\x07", TagMaskNumBits=8
    )
    for action, answering in ((0, [7]), (4, [6, 8])):
        bench = Bench()
        unaware = part("C1G2TagInventoryStateUnawareFilterAction", FilterAction=action)
        command = part("C1G2InventoryCommand", part("C1G2Filter", mask, unaware, TruncateAction=0))
        antenna = part("AntennaConfiguration", command, AntennaID=0)
        bench.run(rospec(start=IMMEDIATE, specs=[aispec(antenna=antenna)]))
        bench.see(6, 7, 8)
        assert bench.numbers() == answering


def test_two_filters_let_the_tags_of_either_answer() -> None:
    """The first selects and unselects all others, the second selects as well."""
    bench = Bench()
    filters = [
        part(
            "C1G2Filter",
            part(
                "C1G2TagInventoryMask", MemoryBank=1, MostSignificantBit=120, TagMask=mask, TagMaskNumBits=8
            ),
            part("C1G2TagInventoryStateUnawareFilterAction", FilterAction=action),
            TruncateAction=1,
        )
        for action, mask in ((0, b"\x07"), (1, b"\x09"))
    ]
    command = part("C1G2InventoryCommand", *filters)
    bench.run(
        rospec(start=IMMEDIATE, specs=[aispec(antenna=part("AntennaConfiguration", command, AntennaID=0))])
    )
    bench.see(6, 7, 8, 9)
    assert bench.numbers() == [7, 9]


def test_a_tag_that_is_paced_is_taken_by_whichever_spec_would_take_it() -> None:
    seconds = part("AISpecStopTrigger", Trigger=1, DurationTriggerValue=100)
    specs = [aispec(1, stop=seconds, inventory=1), aispec(2, stop=seconds, inventory=2)]
    bench = Bench()
    bench.run(rospec(start=IMMEDIATE, specs=specs, report=report_spec(2, 1, "EnableSpecIndex")))
    assert [bench.see(5, antenna=antenna) for antenna in (1, 2)] == [1, 0]
    assert [bench.see(5, antenna=antenna, paced=True) for antenna in (1, 2, 3)] == [1, 1, 0]
    assert [tag.parameters[1].fields["SpecIndex"] for tag in bench.tags()] == [1, 1, 2]


def test_starts_that_were_due_while_a_rospec_was_disabled_are_lost() -> None:
    bench = Bench()
    bench.want(*ALL_EVENTS)
    periodic = part("ROSpecStartTrigger", part("PeriodicTriggerValue", Offset=0, Period=1000), Trigger=2)
    stop = part("ROSpecStopTrigger", Trigger=1, DurationTriggerValue=200)
    bench.fine("ADD_ROSPEC", rospec(start=periodic, stop=stop))
    bench.wait(5_500)
    bench.fine("ENABLE_ROSPEC", ROSpecID=1)
    bench.wait(499)
    assert bench.events("ROSpecEvent") == []
    bench.wait(1)
    assert state(bench) == 2
    bench.wait(1_500)
    assert [one.fields["Event"] for one in bench.events("ROSpecEvent")] == [0, 1, 0, 1]


def antenna(**transmitter: int) -> Parameter:
    fields = {"HopTableID": 0, "ChannelIndex": 0, "TransmitPowerIndex": 1, **transmitter}
    return part("AntennaConfiguration", Parameter("RFTransmitter", dict(fields)), AntennaID=0)


# What stands around an antenna's configuration, each with P_ParameterError.
AROUND = (100, 177, 200, 183, 200, 186, 200, 222, 200)


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        (IMPINJ, rospec(0), (100, 177, 201, 0, 300)),
        (IMPINJ, rospec(priority=8), (100, 177, 201, 1, 301)),
        (IMPINJ, rospec(state=1), (100, 177, 201, 2, 300)),
        (IMPINJ, rospec(specs=[aispec(5)]), (100, 177, 200, 183, 201, 0, 301)),
        (IMPINJ, rospec(specs=[aispec(inventory=0)]), (100, 177, 200, 183, 200, 186, 201, 0, 300)),
        (PLAIN, rospec(specs=[aispec(), part("LoopSpec", LoopCount=0)]), (100, 177, 200, 355, 207)),
        (
            IMPINJ,
            rospec(specs=[aispec(stop=part("AISpecStopTrigger", Trigger=1, DurationTriggerValue=0))]),
            (100, 177, 200, 183, 200, 184, 201, 1, 301),
        ),
        (IMPINJ, rospec(specs=[part("LoopSpec", LoopCount=1)]), (100, 177, 200, 183, 203)),
        (
            IMPINJ,
            rospec(start=part("ROSpecStartTrigger", Trigger=3)),
            (100, 177, 200, 178, 200, 179, 200, 181, 203),
        ),
        (
            FIXED,
            rospec(start=part("ROSpecStartTrigger", gpi(1, high=True), Trigger=3)),
            (100, 177, 200, 178, 200, 179, 200, 181, 201, 0, 301),
        ),
        (IMPINJ, rospec(report=report_spec(7)), (100, 177, 200, 237, 201, 0, 301)),
        (PLAIN, rospec(report=report_spec(3)), (100, 177, 200, 237, 201, 0, 301)),
        # Hop table 1 is there on the one reader and not on the other; powers and channels likewise.
        (PLAIN, rospec(specs=[aispec(antenna=antenna(HopTableID=1))]), (*AROUND, 224, 201, 0, 301)),
        (FIXED, rospec(specs=[aispec(antenna=antenna(ChannelIndex=5))]), (*AROUND, 224, 201, 1, 301)),
        (
            IMPINJ,
            rospec(specs=[aispec(antenna=antenna(HopTableID=1, TransmitPowerIndex=82))]),
            (*AROUND, 224, 201, 2, 301),
        ),
        (
            PLAIN,
            rospec(report=report_spec(vendor=part("ImpinjTagReportContentSelector"))),
            (100, 177, 200, 237, 200, 1023, 207),
        ),
        (
            IMPINJ,
            rospec(report=report_spec(vendor=part("ImpinjTagReportContentSelector"))),
            (100, 177, 200, 237, 200, 1023, 209),
        ),
    ],
)
def test_what_a_reader_cannot_do_is_refused_down_to_the_field(
    kind: ReaderKind, spec: Parameter, expected: tuple[int, ...]
) -> None:
    bench = Bench(kind)
    assert bench.status("ADD_ROSPEC", spec) == expected
    assert list(bench.ask("GET_ROSPECS").every("ROSpec")) == []


def test_the_same_hop_table_and_power_are_taken_where_the_tables_have_them() -> None:
    for kind, transmitter in (
        (IMPINJ, {"HopTableID": 1, "TransmitPowerIndex": 81}),
        (PLAIN, {"HopTableID": 5, "TransmitPowerIndex": 0}),
        (FIXED, {"ChannelIndex": 4}),
    ):
        bench = Bench(kind)
        bench.fine("ADD_ROSPEC", rospec(specs=[aispec(antenna=antenna(**transmitter))]))


def test_one_rospec_too_many_and_a_number_twice_are_refused() -> None:
    bench = Bench()
    bench.fine("ADD_ROSPEC", rospec(1))
    assert bench.status("ADD_ROSPEC", rospec(1)) == (100, 177, 201, 0, 300)
    assert bench.status("ADD_ROSPEC", rospec(2)) == (100, 177, 205)


def test_access_to_tags_is_refused_and_said_to_be_none() -> None:
    bench = Bench()
    command = part("AccessCommand", part("C1G2TagSpec"))
    access = part(
        "AccessSpec",
        part("AccessSpecStopTrigger", Trigger=0, OperationCountValue=0),
        command,
        AccessSpecID=1,
        AirProtocolID=1,
    )
    assert bench.status("ADD_ACCESSSPEC", access) == (109,)
    assert bench.status("ENABLE_ACCESSSPEC", AccessSpecID=1) == (101, 0, 300)
    bench.fine("DELETE_ACCESSSPEC", AccessSpecID=0)
    assert list(bench.ask("GET_ACCESSSPECS").every("AccessSpec")) == []
