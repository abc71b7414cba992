# SPDX-License-Identifier: Apache-2.0
"""From a reader's bytes to passages: frames decoded and judged, and the same frames decoded alone, in turns.

The day is played once by a small field of antennas and kept as LLRP frames: pallets of 1, 20 and 200 tags
crossing a door beside parked ones. Processor time, of one core.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from random import Random

from drivers.llrp.messages import Message, Parameter, encode
from drivers.llrp.reports import ReportDecoder
from drivers.read import TagRead
from edge.gate import Gate
from edge.passage import Closed, Layout, PassageKind
from tests.edge.gate.field import Field, Thing, crossing, door, pallet, parked

GOAL = 40_000
"""Tag reports a second, of one core."""
_TAGS = (1, 20, 200, 50, 5, 100)
_APART_S = 14.0
_REPORT = 16
"""Tag reports of one message."""


def main(argv: Sequence[str]) -> int:
    """Measure and print; 0 when the goal was reached, else 1."""
    parser = argparse.ArgumentParser(prog="bench gate", description="A reader's bytes to passages.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=7, help="rounds (default 7)")
    options = parser.parse_args(argv)
    layout, frames, count = _day()
    both, alone, ratios, found = [], [], [], 0
    for _ in range(options.rounds):
        decoded = _timed(lambda: _decode(frames))[0]
        judged, found = _timed(lambda: _judge(layout, frames))
        both.append(count / judged)
        alone.append(count / decoded)
        ratios.append(decoded / judged)
    if found != len(_TAGS):
        print(f"{found} crossings were found, {len(_TAGS)} played", file=sys.stderr)
    figures = {
        "reports": count,
        "bytes_to_passage_per_s": round(statistics.median(both)),
        "decode_alone_per_s": round(statistics.median(alone)),
        "ratio_to_decode_alone": round(statistics.median(ratios), 3),
        "crossings": found,
        "met": found == len(_TAGS) and statistics.median(both) >= GOAL,
    }
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name}: {value}")
    return 0 if figures["met"] else 1


def _day() -> tuple[Layout, list[bytes], int]:
    field = Field(door("d1", pairs=2), seed=1, rate=700)
    rng = Random(1)
    things = [
        Thing(parked(-3.0, 2.6), pallet(rng, 10, 90_000)),
        Thing(parked(3.5, 0.2), pallet(rng, 5, 80_000)),
    ]
    for at, tags in enumerate(_TAGS):
        way = 1 if at % 2 else -1
        things.append(Thing(crossing(way, 12.0 + _APART_S * at, 1.4), pallet(rng, tags, 1_000 * (at + 1))))
    said = [each for each in field.play(things, _APART_S * (len(_TAGS) + 1)) if isinstance(each, TagRead)]
    frames = [
        encode(Message("RO_ACCESS_REPORT", at, {}, [_tag(read) for read in said[at : at + _REPORT]]))
        for at in range(0, len(said), _REPORT)
    ]
    return field.layout, frames, len(said)


def _tag(read: TagRead) -> Parameter:
    return Parameter(
        "TagReportData",
        {},
        [
            Parameter("EPC96", {"EPC": read.epc}),
            Parameter("AntennaID", {"AntennaID": read.antenna}),
            Parameter("PeakRSSI", {"PeakRSSI": read.rssi_cdbm // 100}),
            Parameter("FirstSeenUTC", {"FirstSeen": read.first_us}),
            Parameter("LastSeenUTC", {"LastSeen": read.last_us}),
            Parameter("TagSeenCount", {"TagSeenCount": read.count}),
        ],
    )


def _decode(frames: Sequence[bytes]) -> int:
    decoder = ReportDecoder("gate")
    return sum(len(decoder.decode(frame, 0)) for frame in frames)


def _judge(layout: Layout, frames: Sequence[bytes]) -> int:
    decoder, gate = ReportDecoder("gate"), Gate(layout)
    crossed = 0
    for frame in frames:
        for event in gate.take_tags(decoder.decode(frame, 0)):
            crossed += isinstance(event, Closed) and event.passage.kind is PassageKind.CROSSED
    while gate.deadline_us is not None:
        for event in gate.tick(gate.deadline_us):
            crossed += isinstance(event, Closed) and event.passage.kind is PassageKind.CROSSED
    return crossed


def _timed(work: Callable[[], int]) -> tuple[float, int]:
    gc.collect()
    gc.disable()
    began = time.process_time()
    result = work()
    spent = time.process_time() - began
    gc.enable()
    return spent, result
