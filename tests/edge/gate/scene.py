# SPDX-License-Identifier: Apache-2.0
"""What the parts of a judgement are tried on: tags that were heard all along, bodies, groups."""

from __future__ import annotations

from drivers.read import TagRead
from edge.evidence import Evidence
from edge.gate.eyes import Body, Sight
from edge.gate.group import Group
from edge.gate.hearing import Hearing, hear
from edge.gate.own import Own
from edge.gate.way import Way
from edge.passage import Antenna, GateSettings, Layout

UNIT, OTHER, CASE = b"\x31" * 12, b"\x31" + b"\x32" * 11, b"\x30" * 12
OPENED_US = 10_000_000
LAYOUT = Layout((Antenna("gate", 1, "d1", "inner"), Antenna("gate", 2, "d1", "outer")))
STAYED = Way(0.01, 0.01, 0.98, [], [])


def heard(*epcs: bytes, dbm: int = -30) -> Hearing:
    """Tags that both sides heard all along, for three seconds before a passage and for ten in it."""
    reads = tuple(
        TagRead("gate", epc, 1 + n % 2, 100 * dbm, 1, OPENED_US + 50_000 * n, OPENED_US + 50_000 * n)
        for n in range(-60, 200)
        for epc in epcs
    )
    return hear(Evidence("d1-1", "d1", OPENED_US, OPENED_US + 10_000_000, LAYOUT, GateSettings(), reads))


def body(from_s: float, until_s: float, first: str, last: str) -> Body:
    return Body(OPENED_US + int(from_s * 1e6), OPENED_US + int(until_s * 1e6), first, last, True, None)


STRAIGHT = body(1, 6, "inner", "outer")


def seen(*bodies: Body) -> Sight:
    return Sight(any=True, pair=True, height=False, bodies=bodies)


def group(hearing: Hearing, epcs: list[bytes], own: Own, went: float = 0.999) -> Group:
    tags = [hearing.tags[epc] for epc in epcs]
    made = Group(tags, (0,), STAYED, {tag.epc: went for tag in tags}, own.belief)
    made.surest = own
    return made
