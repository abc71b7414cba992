# SPDX-License-Identifier: Apache-2.0
"""How far a crossing is believed: by phases, by the neighbors' antennas, by how many tags say the like."""

from __future__ import annotations

import random
from math import hypot

import msgspec
import pytest

from drivers.read import TagRead
from edge.evidence import Evidence, Known, decode, encode
from edge.gate import Gate, judge
from edge.gate.witness import together
from edge.passage import Closed, Passage, PassageKind

from .field import START_US, Field, Thing, crossing, door, pallet

WAVE_M = 0.328
CHANNELS = 6


def evidence_of(seed: int, tags: int = 1, masts: int = 1) -> Evidence:
    """A pallet that goes out through the first door at 1.2 m/s."""
    field = Field(
        [m for at in range(masts) for m in door(f"d{at + 1}", 4.0 * at, device=f"r{at}")], seed=seed
    )
    load = Thing(crossing(1, 8.0, 1.2), pallet(random.Random(seed), tags, 1), 1.8)
    gate = Gate(field.layout)
    events = gate.take_tags([one for one in field.play([load], 14.0) if isinstance(one, TagRead)])
    events += gate.tick(START_US + 100_000_000)
    found = [decode(each.evidence) for each in events if isinstance(each, Closed)]
    return max((each for each in found if each.door == "d1"), key=lambda each: len(each.reads))


def with_phases(evidence: Evidence, *, still: bool) -> Evidence:
    """The same reads with phases: of a tag that keeps still, or of one that goes as fast as it went."""
    reads = []
    for read in evidence.reads:
        hop = (read.last_us // 200_000) % CHANNELS
        far_m = 0.0 if still else hypot(1.2 * (read.last_us - START_US) / 1e6 - 9.6, 1.7)
        turn = hop * 0.37 + read.antenna * 0.11 + 2.0 * far_m / WAVE_M
        reads.append(msgspec.structs.replace(read, channel=hop, phase=round(turn * 4096) % 4096))
    return msgspec.structs.replace(evidence, reads=tuple(reads))


def crossed(evidence: Evidence) -> Passage | None:
    return next((each for each in judge(evidence) if each.kind is PassageKind.CROSSED), None)


def sureness(evidence: Evidence) -> int:
    found = crossed(evidence)
    return found.confidence if found is not None else 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_tag_whose_phases_stay_is_believed_less_than_one_whose_phases_turn(seed: int) -> None:
    bare = evidence_of(seed)
    moves, rests = with_phases(bare, still=False), with_phases(bare, still=True)
    turning, staying, untold, least = (
        sureness(moves), sureness(rests), sureness(bare), bare.settings.confidence_min
    )  # fmt: skip
    assert staying < untold
    assert staying < turning
    assert turning >= least


def test_a_tag_that_tells_the_phases_of_its_rest_afterwards_is_still_where_it_rested() -> None:
    bare = with_phases(evidence_of(4), still=False)
    epc = bare.reads[0].epc
    late = [read for read in bare.reads if read.last_us > START_US + 8_600_000]
    spots = {(a.device, a.port): at for at, a in enumerate(bare.layout.antennas)}
    turns: dict[int, dict[int, int]] = {}
    for read in late:
        assert read.channel is not None
        assert read.phase is not None
        turns.setdefault(spots[read.device, read.antenna], {})[read.channel] = read.phase
    rest = Known(
        epc,
        tuple(turns),
        tuple(-9_000 for _ in turns),
        tuple(20 for _ in turns),
        0,
        bare.opened_us,
        tuple(tuple(each.items()) for each in turns.values()),
    )
    # Now every late read tells what was told on its channel while the tag rested.
    stays = [
        msgspec.structs.replace(read, phase=turns[spots[read.device, read.antenna]][read.channel or 0])
        if read in late
        else read
        for read in bare.reads
    ]
    there = msgspec.structs.replace(bare, reads=tuple(stays), known=(rest,))
    gone = msgspec.structs.replace(bare, known=(msgspec.structs.replace(rest, phases=()),))
    assert sureness(there) < sureness(gone)
    assert decode(encode(there)) == there


def test_what_a_neighbor_hears_better_did_not_cross_here() -> None:
    bare = evidence_of(5, tags=3, masts=2)
    ports = {a.port for a in bare.layout.antennas if a.door == "d2"}
    device = next(a.device for a in bare.layout.antennas if a.door == "d2")
    assert crossed(bare) is not None
    louder = [
        msgspec.structs.replace(read, device=device, antenna=min(ports), rssi_cdbm=read.rssi_cdbm + 2_000)
        for read in bare.reads
    ]
    both = msgspec.structs.replace(bare, reads=tuple(msgspec.structs.astuple(bare)[6]) + tuple(louder))
    assert sureness(both) < sureness(bare)
    assert sureness(both) < both.settings.confidence_min


def test_what_another_door_hears_in_the_zone_after_it_went_out_went_by_along_the_wall() -> None:
    """The control is heard at that door from the other side: it stands in the next truck, or on the ramp."""
    bare = evidence_of(5, masts=2)
    told = {}
    for side in ("inner", "outer"):
        spot = next(a for a in bare.layout.antennas if (a.door, a.side) == ("d2", side))
        later = [
            TagRead(spot.device, bare.reads[0].epc, spot.port, -2_000, 1, at, at)
            for at in range(START_US + 10_800_000, START_US + 12_600_000, 100_000)
        ]
        told[side] = sureness(msgspec.structs.replace(bare, reads=(*bare.reads, *later)))
    inner, outer, least = told["inner"], told["outer"], bare.settings.confidence_min
    assert inner < least <= outer


def test_more_tags_that_say_the_like_make_a_crossing_surer_but_never_sure() -> None:
    assert together([]) == 0.0
    assert together([0.9]) == pytest.approx(0.9)
    assert 0.9 < together([0.9, 0.9]) < together([0.9] * 4) == together([0.9] * 400) < 1.0
