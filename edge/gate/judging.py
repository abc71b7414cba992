# SPDX-License-Identifier: Apache-2.0
"""What happened in the door, said from the evidence alone."""

from __future__ import annotations

from customs.documents import Direction
from edge.evidence import Evidence
from edge.passage import Passage, PassageKind, TagCourse

__all__ = ["judge"]


def judge(evidence: Evidence) -> list[Passage]:
    """The passages that `evidence` shows, in time's order; at least one."""
    sides = {(a.device, a.port): a.side for a in evidence.layout.antennas if a.door == evidence.door}
    energy: dict[bytes, dict[str, list[float]]] = {}
    for read in evidence.reads:
        side = sides.get((read.device, read.antenna))
        if side is None:
            continue
        sums = energy.setdefault(read.epc, {}).setdefault(side, [0.0, 0.0])
        weight = 10.0 ** (read.rssi_cdbm / 1000.0)
        sums[0] += weight
        sums[1] += weight * (read.last_us - evidence.opened_us)
    tags = []
    ways: dict[Direction, int] = {}
    for epc, by_side in energy.items():
        way = None
        if "inner" in by_side and "outer" in by_side:
            inner, outer = (by_side[s][1] / by_side[s][0] for s in ("inner", "outer"))
            way = Direction.OUT if outer > inner else Direction.IN
            ways[way] = ways.get(way, 0) + 1
        reads = [read for read in evidence.reads if read.epc == epc]
        tags.append(
            TagCourse(
                epc=epc,
                pc=reads[0].pc,
                moved=way is not None,
                direction=way,
                confidence=500,
                reads=len(reads),
                peak_cdbm=max(read.rssi_cdbm for read in reads),
                first_us=min(read.first_us for read in reads),
                last_us=max(read.last_us for read in reads),
                share=1000,
            )
        )
    way = max(ways, key=lambda each: ways[each], default=None)
    return [
        Passage(
            passage=evidence.passage,
            door=evidence.door,
            kind=PassageKind.CROSSED if way is not None else PassageKind.NOTHING,
            opened_us=evidence.opened_us,
            closed_us=evidence.closed_us,
            direction=way,
            confidence=500 if way is not None else 0,
            crossings=(way,) if way is not None else (),
            tags=tuple(tags),
            eyes=bool(evidence.inputs),
            why="By the order in which the antennas heard the tags." if way else "Nothing went through.",
        )
    ]
