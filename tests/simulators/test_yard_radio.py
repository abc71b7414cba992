# SPDX-License-Identifier: Apache-2.0
"""The yard's physics: link budgets as the formulas give them, fields that stay, slots that are shared, beams
that break in order; bytes that say what was observed; a truth that is what was driven.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from math import hypot, log10, pi
from random import Random
from typing import TYPE_CHECKING

import pytest

from drivers.llrp.framing import LlrpFramer
from drivers.llrp.messages import decode
from drivers.llrp.reports import ReportDecoder
from simulators.yard.radio import gen2
from simulators.yard.radio.air import Field, through
from simulators.yard.radio.bodies import Pallet, Path, Person, Tag
from simulators.yard.radio.codes import Codes
from simulators.yard.radio.gen2 import Inventory, Observation
from simulators.yard.radio.parameters import AIR, BLOCKING, GOODS, LIGHT_M_S, PROTOCOL, TRAFFIC
from simulators.yard.radio.play import EyeChange, build_site, shifts, story
from simulators.yard.radio.scene import Hall, View, fields
from simulators.yard.radio.traffic import DOCK, HARD
from simulators.yard.radio.wire import Wire

if TYPE_CHECKING:
    from pathlib import Path as File

SITE = build_site("two", eyes=True)
DRY, METAL = GOODS[0], GOODS[3]


def tag(spot: tuple[float, float, float] = (0.0, 0.0, 1.0), number: int = 1, needs: float = -18.0) -> Tag:
    return Tag(
        number.to_bytes(12, "big"), 0x3000, "item", spot, (0.0, 1.0, 0.0), needs, 0.0, "fine", 1.0, 0.0
    )


def pallet(*tags: Tag, at: tuple[float, float] = (3.0, 0.0), solid: bool = False) -> Pallet:
    return Pallet("p", DRY, 1.2, Path(0.0, *at), list(tags), solid=solid)


def hall(*pallets: Pallet) -> Hall:
    return Hall(SITE, list(pallets))


def inventoried(place: Hall, seconds: float) -> Counter[bytes]:
    """How often the first reader tells each tag."""
    reader = Inventory("r1", place, fields(SITE.antennas, Random(5)), Random(6), 0.0)
    seen: Counter[bytes] = Counter()
    while reader.now_s < seconds:
        seen.update(one.epc for one in reader.step())
    return seen


def test_a_free_direct_wave_has_the_power_that_friis_gives() -> None:
    air = Field(SITE.antennas[1], Random(1))
    a = air.antenna.at
    at = tuple(place + 2.0 * part for place, part in zip(a, air.antenna.beam, strict=True))
    across = (0.0, 1.0, 0.0)
    assert len(at) == 3
    _, direct_db, _ = air.spread(25, at, across)
    wavelength = LIGHT_M_S / ((AIR.first_mhz + 25 * AIR.step_mhz) * 1e6)
    friis_db = -20 * log10(4 * pi * 2.0 / wavelength)
    # Slow shadowing is bounded: three waves of the given standard deviation.
    assert abs(direct_db + air.cable_db - friis_db) <= AIR.shadow_db * 6**0.5 + 0.1


def test_a_tag_at_rest_is_heard_alike_each_time_and_one_that_moves_is_not() -> None:
    load = pallet(tag())
    air = Field(SITE.antennas[1], Random(2))

    def power(moved: float, channel: int = 7, at_s: float = 1.0) -> float:
        load.tags[0].spot = (moved, 0.0, 1.0)
        return View(hall(load), air, channel, at_s).hear(load, load.tags[0], at_s, 0.0).chip_dbm

    assert power(0.0) == power(0.0, at_s=50.0)
    near = [abs(power(0.002 * step) - power(0.002 * (step + 1))) for step in range(40)]
    far = [abs(power(0.16 * step) - power(0.16 * (step + 1))) for step in range(40)]
    assert max(near) < 1.0  # 2 mm: the field is the same
    assert sum(far) / len(far) > 1.0  # half a wave: it is another one
    assert len({round(power(0.0, channel), 3) for channel in range(AIR.channels)}) == AIR.channels


def test_what_stands_between_takes_power() -> None:
    load = pallet(tag(spot=(0.61, 0.0, 1.0)), at=(5.0, 0.0))
    air = Field(SITE.antennas[1], Random(3))

    def power(place: Hall) -> float:
        """The mean over all channels: fading may lift a single one."""
        views = (View(place, air, channel, 1.0) for channel in range(AIR.channels))
        return sum(view.hear(load, load.tags[0], 1.0, 0.0).chip_dbm for view in views) / AIR.channels

    free = power(hall(load))
    behind = hall(load)
    behind.people.append(Person(Path(0.0, 4.5, 0.0), 0.0, 9.0))
    assert power(behind) < free - 2
    load.solid = True
    dry = power(hall(load))
    load.goods = METAL
    assert power(hall(load)) < dry - 2 < free - 2
    # The scattered field comes from all sides: no obstacle takes it all.
    assert power(hall(load)) > free - BLOCKING.around_db


def test_a_line_through_a_box_is_as_long_as_geometry_says() -> None:
    box = (0.0, 1.0, 0.0, 1.0, 0.0, 1.0)
    assert through((-1.0, 0.5, 0.5), (2.0, 0.5, 0.5), box) == pytest.approx(1.0)
    assert through((0.5, 0.5, 0.5), (2.0, 0.5, 0.5), box) == pytest.approx(0.5)
    assert through((-1.0, -1.0, 0.5), (2.0, 2.0, 0.5), box) == pytest.approx(2**0.5)
    assert through((-1.0, 1.5, 0.5), (2.0, 1.5, 0.5), box) == 0.0


def test_a_population_shares_the_readers_slots() -> None:
    one = inventoried(hall(pallet(tag(needs=-60.0))), 5.0)
    many = inventoried(hall(pallet(*(tag((0.0, 0.01 * n, 1.0), n + 1, needs=-60.0) for n in range(60)))), 5.0)
    slots = 1 / (PROTOCOL.singulation_s + PROTOCOL.empty_s + PROTOCOL.collision_s * 0.5)
    assert sum(many.values()) / 5.0 < slots
    assert sum(many.values()) > sum(one.values())
    each = sum(many.values()) / 60
    assert each < sum(one.values()) / 3
    print(f"reads a second: one tag {sum(one.values()) / 5:.0f}, sixty {sum(many.values()) / 5:.0f}")


def test_the_label_of_a_pallet_is_told_more_often_than_the_cases_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The reader selects labels first; the control is one that selects everybody."""
    label = b"\x31" + bytes(10) + b"\x01"

    def told() -> tuple[int, float]:
        unit = Tag(label, 0x3000, "sscc", (0.0, 0.3, 1.0), (0.0, 1.0, 0.0), -60.0, 0.0, "fine", 1.0, 0.0)
        cases = [tag((0.0, 0.01 * n, 1.0), (0x30 << 88) + n + 1, needs=-60.0) for n in range(40)]
        seen = inventoried(hall(pallet(unit, *cases)), 5.0)
        return seen.pop(label), sum(seen.values()) / 40

    unit, case = told()
    assert case > 0
    assert unit > 5 * case
    monkeypatch.setattr(gen2, "PROTOCOL", replace(PROTOCOL, selected=(0x30, 0x31)))
    unit, case = told()
    assert unit < 3 * case
    print(f"reads of a label and of a case beside it, without selection: {unit}, {case:.0f}")


def test_dead_and_unpowered_tags_are_never_told() -> None:
    dead, weak = tag(number=1), tag(number=2, needs=40.0)
    dead.truth = "dead"
    assert not inventoried(hall(pallet(dead, weak)), 3.0)


def test_a_straight_way_out_breaks_the_inner_beam_first_and_frees_the_outer_last() -> None:
    for direction, order in (("out", ["inner", "outer"]), ("in", ["outer", "inner"])):
        played = story(SITE, 1, "d1", direction, [(0x3000, b"\x31" + bytes(11))])
        places = {(eye.reader, eye.port): eye.place for eye in SITE.eyes if eye.door == "d1"}
        changes = [one for one in played.observations() if isinstance(one, EyeChange)]
        assert [*dict.fromkeys(places[one.reader, one.port] for one in changes)] == order
        last = {places[one.reader, one.port]: one.high for one in changes}
        assert last == {"inner": False, "outer": False}


def test_a_story_reads_the_tags_it_was_given_and_no_others() -> None:
    tags = [
        (0x3000, bytes.fromhex("3154257bf40000002c000000")),
        (0x3000, bytes.fromhex("3054257bf4008fc000000216")),
    ]
    for layout in ("two", "four", "plain"):
        site = build_site(layout, eyes=False)
        played = story(site, 4, "d2", "out", tags, manner="in-out-in")
        seen = [one for one in played.observations() if isinstance(one, Observation)]
        assert {(one.pc, one.epc) for one in seen if one.epc[0] != 0x34} == set(tags)
        assert {one.phase is None for one in seen} == {layout == "plain"}
        assert all(one.rssi_cdbm % (100 if layout == "plain" else 50) == 0 for one in seen)
        assert [way.direction for way in played.hall.pallets[0].crossings] == ["out", "in", "out"]
        assert [one.at_us for one in seen] == sorted(one.at_us for one in seen)


def test_frames_say_what_was_observed() -> None:
    played = story(SITE, 2, "d3", "in", [(0x3000, b"\x31" + bytes(11))])
    told = list(played.observations())
    wire = Wire(SITE, Random(1))
    decoders = {name: ReportDecoder(name) for name in SITE.readers}
    reads, inputs, arrived = [], [], []
    greeted = []
    for chunk in wire.chunks(told):
        (frame,) = LlrpFramer().feed(chunk.frame)
        assert isinstance(frame, bytes)
        arrived.append(chunk.at_us)
        reads += decoders[chunk.reader].decode(frame, 0)
        data = decode(frame).first("ReaderEventNotificationData")
        if data and data.first("ConnectionAttemptEvent"):
            assert not any(read.device == chunk.reader for read in reads)
            greeted.append(chunk.reader)
        change = data and data.first("GPIEvent")
        if change:
            inputs.append((chunk.reader, change.fields["Port"], change.fields["Event"]))
    seen = [one for one in told if isinstance(one, Observation)]
    assert sorted(
        (r.device, r.antenna, r.epc, r.rssi_cdbm, r.phase, r.channel, r.pc) for r in reads
    ) == sorted((o.reader, o.antenna, o.epc, o.rssi_cdbm, o.phase, o.channel, o.pc) for o in seen)
    assert sorted(greeted) == [reader for reader in SITE.readers if any(one.reader == reader for one in told)]
    assert inputs == [(o.reader, o.port, o.high) for o in told if isinstance(o, EyeChange)]
    assert arrived == sorted(arrived)


def test_a_path_pulls_away_and_brakes_and_ends_where_it_should() -> None:
    path = Path(0.0, 0.0, 0.0)
    path.drive(2.0, (5.0, 0.0), (5.0, 3.0))
    assert path.last == pytest.approx((5.0, 3.0))
    spots = [path.at(step * 0.05) for step in range(int(path.end_s / 0.05) + 2)]
    speeds = [hypot(b[0] - a[0], b[1] - a[1]) / 0.05 for a, b in pairwise(spots)]
    assert max(speeds) < 2.05
    assert speeds[0] < 0.7
    assert path.crossings(2.0)[0][1] == "in"


def test_the_truth_is_what_was_driven() -> None:
    counted: Counter[str] = Counter()
    for shift in shifts(8, 300, SITE, traffic="hard"):
        for load in shift.hall.pallets:
            for way in load.crossings:
                before, after = load.path.at(way.at_s - 0.05)[0], load.path.at(way.at_s + 0.05)[0]
                assert (before < 0 <= after) if way.direction == "in" else (after < 0 <= before)
                assert way.from_s < way.at_s < way.until_s
        counted.update(line["manner"] for door in shift.doors for line in door.truth)
        counted.update(line["what"] for door in shift.doors for line in door.truth if line["kind"] == "event")
        assert all(shift.from_s < job.from_s < shift.until_s for job in shift.jobs)
    assert counted.keys() >= DOCK.manners.keys() - {"unreadable"}
    print(f"{sum(counted.values())} trips and crossings of {len(counted)} kinds")


def test_both_mixes_have_every_manner_and_trucks_fit_behind_each_other() -> None:
    assert DOCK.manners.keys() == HARD.manners.keys()
    for mix in (DOCK, HARD):
        assert sum(mix.manners.values()) == pytest.approx(1.0)
        assert min(mix.manners.values()) > 0.0
    truck_m = TRAFFIC.truck_m[0] + TRAFFIC.pallet_m[0]
    assert DOCK.behind_m[0] + 0.01 > 2 * truck_m > HARD.behind_m[0]
    assert DOCK.gap_s[0] >= 2.0
    rare = [
        sum(share for manner, share in mix.manners.items() if manner != "straight") for mix in (DOCK, HARD)
    ]
    assert rare[0] < rare[1]


def test_codes_are_never_handed_out_twice() -> None:
    codes = Codes(1)
    made = (
        [codes.unit() for _ in range(50)]
        + [codes.item(3) for _ in range(50)]
        + [codes.truck() for _ in range(50)]
    )
    assert len({epc for _, epc in made}) == 150
    given = Codes(1, [(0x3400, b"given")])
    assert given.unit() == (0x3400, b"given")
    assert given.item(3) == Codes(1).item(3)


def test_a_seed_plays_the_same_in_every_process(tmp_path: File) -> None:
    told = []
    for number in (1, 2):
        truth = tmp_path / f"truth{number}"
        words = ["-m", "simulators.yard.radio", "--seed", "5", "--crossings", "3", "--truth", str(truth)]
        ran = subprocess.run(
            [sys.executable, *words],
            env={**os.environ, "PYTHONHASHSEED": str(number)},
            capture_output=True,
            check=True,
        )
        told.append((ran.stdout, truth.read_text()))
    assert told[0] == told[1]
    assert len(told[0][0]) > 10_000
    assert sum(json.loads(line)["kind"] == "crossing" for line in told[0][1].splitlines()) >= 3
