# SPDX-License-Identifier: Apache-2.0
"""Our codec against llrpkit's, which was made from the public definitions of LLRP 1.0.1: each reads what the
other writes and writes it again as it came, and values mean the same.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from llrpkit.exceptions import LLRPError as TheirError
from llrpkit.inventory import TagReport, build_rospec
from llrpkit.protocol import decode_message, enums, impinj, messages

from drivers.llrp.capabilities import Capabilities, Present
from drivers.llrp.messages import LlrpError, Message, Parameter, decode, encode, layout_of, message_names
from drivers.llrp.reports import ReportDecoder
from drivers.llrp.rospec import in_turns, plan
from drivers.llrp.settings import ReaderSettings
from tests.benchmarks.llrp_reports import reports
from tests.drivers.llrp import mutations, samples

# LLRP 1.1 added these messages and parameters, and bits to some; 355 and above are its parameters as well.
SINCE_1_1 = {
    "C1G2EPCMemorySelector", "C1G2LLRPCapabilities", "C1G2TagInventoryStateAwareSingulationAction",
    "C1G2XPCW1", "C1G2XPCW2", "ClientRequestOpSpec", "ClientRequestOpSpecResult", "ClientRequestResponse",
}  # fmt: skip
COMMON = [
    name
    for name in message_names()
    if not name.startswith(("IMPINJ", "CUSTOM", "CLIENT_REQUEST", "GET_SUPPORTED", "SET_PROTOCOL"))
]


def in_common(parameters: list[Parameter], owner: str) -> list[Parameter]:
    """Those that both know; of two that exclude each other one; vendors' where both put them last."""
    names = {each.name for each in parameters}
    kept = []
    for each in parameters:
        layout = layout_of(each.name)
        excluded = {"EPC96": "EPCData", "Uptime": "UTCTimestamp"}.get(each.name) in names
        misplaced = each.name == "Custom" and owner == "ROSpec"
        later = each.name in SINCE_1_1 or (each.name != "Custom" and (not layout or layout.number >= 355))
        if not (excluded or misplaced or later):
            each.parameters = in_common(each.parameters, each.name)
            kept.append(each)
    return kept


@pytest.mark.parametrize("name", COMMON)
def test_what_we_write_llrpkit_reads_and_writes_as_it_came(name: str) -> None:
    chance = Random(name)
    for _ in range(20):
        message = samples.message(chance, name, whole=True)
        message.parameters = in_common(message.parameters, name)
        frame = encode(message)
        theirs = decode_message(frame)
        assert type(theirs).__name__ == name
        assert theirs.to_bytes() == frame


def test_what_llrpkit_writes_we_read_and_write_as_it_came() -> None:
    chance = Random(8)
    for number in range(60):
        rospec = build_rospec(
            ro_spec_id=number + 1,
            antennas=chance.sample(range(1, 5), 2),
            session=chance.randrange(4),
            search_mode=chance.choice([None, 1, 2, 3]),
            mode_index=chance.choice([None, 0, 1000]),
            transmit_power_index=chance.choice([None, 81]),
            epc_filter=chance.choice([None, "3014", b"\x30\x14"]),
            report_every_n=chance.randrange(1, 9),
            enable_impinj_reports=chance.random() < 0.5,
            include_phase=True,
            include_doppler=True,
            include_tid=True,
            gpi_trigger_port=chance.choice([None, 1, 2]),
        )
        theirs = messages.ADD_ROSPEC(ro_spec=rospec)
        theirs.message_id = number
        message = decode(theirs.to_bytes())
        assert message.name == "ADD_ROSPEC"
        spec = message.first("ROSpec")
        assert spec is not None
        assert spec.fields["ROSpecID"] == number + 1
        assert not _raw(message.parameters)
        assert encode(message) == theirs.to_bytes()


def test_an_inventory_with_pallets_first_means_the_same_to_llrpkit() -> None:
    can = Capabilities(antennas=2, specs_max=4, filters_max=2)
    theirs: Any = decode_message(encode(in_turns(plan(ReaderSettings(), can, Present()))))
    boundary = theirs.ro_spec.ro_boundary_spec
    assert boundary.ro_spec_start_trigger.ro_spec_start_trigger_type == enums.ROSpecStartTriggerType.Periodic
    assert boundary.ro_spec_start_trigger.periodic_trigger_value.period == 280
    assert boundary.ro_spec_stop_trigger.ro_spec_stop_trigger_type == enums.ROSpecStopTriggerType.Duration
    read = []
    for spec in theirs.ro_spec.spec_parameters:
        [inventory] = spec.inventory_parameter_specs
        [radio] = inventory.antenna_configurations
        [command] = radio.air_protocol_inventory_command_settings
        stop = spec.ai_spec_stop_trigger
        read.append((spec.antenna_ids, stop.ai_spec_stop_trigger_type.name, stop.duration_trigger))
        masks = [one.c1_g2_tag_inventory_mask for one in command.c1_g2_filters]
        assert [(mask.mb, mask.pointer, mask.tag_mask.bit_len, mask.tag_mask.data) for mask in masks] == (
            [(1, 32, 8, b"\x31"), (1, 32, 8, b"\xf9")] if len(read) % 2 else []
        )
        actions = [one.c1_g2_tag_inventory_state_unaware_filter_action for one in command.c1_g2_filters]
        assert [one.action.name for one in actions] == ["Select_Unselect", "Select_DoNothing"][: len(masks)]
        assert {one.t.name for one in command.c1_g2_filters} <= {"Do_Not_Truncate"}
    assert read == [([1], "Duration", 80), ([1], "Duration", 40), ([2], "Duration", 80), ([2], "Null", 0)]


def _raw(parameters: list[Parameter]) -> list[Parameter]:
    found = [each for each in parameters if each.name in ("Custom", "Unknown", "UnknownTV")]
    return found + [deeper for each in parameters for deeper in _raw(each.parameters)]


def test_impinj_extensions_have_the_same_bytes() -> None:
    ours = Message("IMPINJ_ENABLE_EXTENSIONS", 5)
    theirs = impinj.IMPINJ_ENABLE_EXTENSIONS()
    theirs.message_id = 5
    assert encode(ours) == theirs.to_bytes()
    assert decode(theirs.to_bytes()) == ours


@pytest.mark.parametrize("with_impinj", [False, True])
def test_tags_have_the_same_values(with_impinj: bool) -> None:
    [frame] = reports(Random(9), impinj=with_impinj, frames=1, tags=300)
    theirs: Any = decode_message(frame)
    flat = [TagReport.from_param(tag) for tag in theirs.tag_report_datas]
    reads = ReportDecoder("gate").decode(frame, 0)
    assert len(reads) == 300
    for read, other in zip(reads, flat, strict=True):
        assert (read.epc, read.antenna, read.count, read.channel) == (
            other.epc,
            other.antenna,
            other.seen_count,
            other.channel_index,
        )
        assert (read.first_us, read.last_us) == (other.first_seen_us, other.last_seen_us)
        assert read.rssi_cdbm == round((other.rssi_dbm or 0) * 100)
        if with_impinj:
            assert read.phase is not None
            assert read.doppler is not None
            assert (read.phase * 360 / 4096, read.doppler / 16) == (other.phase_deg, other.doppler_hz)


def test_what_llrpkit_reads_of_mutated_frames_we_read_as_well() -> None:
    chance = Random(10)
    others = [encode(samples.message(chance, name, whole=True)) for name in COMMON]
    both = 0
    for _ in range(4000):
        frame = mutations.mutated(chance, chance.choice(others), others)
        try:
            theirs = decode_message(frame)
        except TheirError:
            continue
        if frame[0] >> 5 or type(theirs).__name__.startswith("Unknown"):
            continue  # it passes over the header's reserved bits, and keeps raw what is new in 1.1
        chain: tuple[str, ...] = ()
        try:
            both += decode(frame).id == theirs.message_id
        except LlrpError as error:
            chain = error.chain
        assert not chain or any(map(_is_new, chain)), chain
    assert both > 400
    print(f"{both} of 4000 mutated frames are read by both")


def _is_new(name: str) -> bool:
    layout = layout_of(name)
    return name in SINCE_1_1 or (layout is not None and layout.number >= 355)
