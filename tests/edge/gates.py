# SPDX-License-Identifier: Apache-2.0
"""A gate's words for a dock without a gate: tags, and passages as a gate would tell them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from customs.documents import Direction
from drivers.read import InputChange
from edge import evidence
from edge.evidence import Evidence
from edge.passage import Closed, Eye, GateSettings, Layout, Opened, Passage, PassageKind, Sighted, TagCourse
from edge.view import DoorView
from gs1.epc import encode_tag
from tests.edge.yard import Yard, settled, sscc

_numbers = count(1)

SURE = 990
UNSURE = 600


def unit(number: int) -> bytes:
    """The tag of the pallet that `tests.edge.yard.pallet` is the label of."""
    return encode_tag("sscc-96", (("00", sscc(number)),), filter=2, company_prefix_digits=7)


def item(gtin: str, serial: int) -> bytes:
    """The tag of one of the goods of a GTIN."""
    elements = (("01", gtin), ("21", str(serial)))
    return encode_tag("sgtin-96", elements, filter=1, company_prefix_digits=7)


def asset(serial: int = 1) -> bytes:
    """A forklift's own tag."""
    return encode_tag("giai-96", (("8004", f"9521999{serial}"),), filter=0, company_prefix_digits=7)


STRANGE = bytes.fromhex("3F0000000000000000000001")
"""A tag with a header that no scheme has."""


def course(epc: bytes, way: Direction | None = None, *, moves: bool = True) -> TagCourse:
    return TagCourse(epc, 0x3000, moves, way, SURE, 12, -4500, 1_000, 900_000, 1000)


def passage(
    door: str,
    tags: Sequence[bytes] = (),
    *,
    way: str | None = None,
    kind: PassageKind = PassageKind.CROSSED,
    confidence: int = SURE,
    crossings: Sequence[str] | None = None,
    still: Sequence[bytes] = (),
    load_seen: bool | None = None,
    opened_us: int | None = None,
) -> Closed:
    """A passage that goes the door's own way unless told otherwise; doors are called by their direction."""
    direction = Direction(way or door)
    number = next(_numbers)
    name = f"{door}-{number}"
    ways = tuple(Direction(each) for each in ([direction] if crossings is None else crossings))
    found = Passage(
        passage=name,
        door=door,
        kind=kind,
        opened_us=number if opened_us is None else opened_us,
        closed_us=1_000_000 + (number if opened_us is None else opened_us),
        direction=direction if kind is not PassageKind.TURNED else None,
        confidence=confidence,
        crossings=ways if kind is not PassageKind.TURNED else (),
        tags=(*(course(tag, direction) for tag in tags), *(course(tag, moves=False) for tag in still)),
        eyes=True,
        why="a test says so",
    )
    eyes = () if load_seen is None else (Eye("reader-1", 3, door, "height"),)
    inputs = () if load_seen is None else (InputChange("reader-1", 3, load_seen, 10),)
    rested = Evidence(name, door, 0, 1_000_000, Layout((), eyes), GateSettings(), (), inputs)
    return Closed(found, evidence.encode(rested))


def sight(yard: Yard, door: str, *tags: bytes, name: str = "p", opened_us: int = 0) -> DoorView:
    """Tags begin to move; what the door says at that very moment."""
    at_us = yard.dock.clocks.mono_ns() // 1000
    yard.dock.passing.take([Opened(name, door, opened_us)])
    yard.dock.passing.take([Sighted(name, door, tag, 0x3000, at_us) for tag in tags])
    return yard.dock.door(door)


def cross(yard: Yard, closed: Closed) -> DoorView:
    """A passage as a gate tells it, from its opening on; what the door says at that very moment."""
    yard.time.tick(10)
    found = closed.passage
    sight(
        yard,
        found.door,
        *(tag.epc for tag in found.tags if tag.moved),
        name=found.passage,
        opened_us=found.opened_us,
    )
    yard.dock.passing.take([closed])
    return yard.dock.door(found.door)


async def crossed(yard: Yard, closed: Closed) -> DoorView:
    """As `cross`, and what the door says once everything told so far was told."""
    cross(yard, closed)
    await settled()
    return yard.dock.door(closed.passage.door)


def number_of(way: str, number: int) -> int:
    """The pallet that `tests.edge.yard.load_number` is the label of."""
    return number + 100 if way == "in" else number


def now_us(yard: Yard) -> int:
    """The yard's monotonic clock, by which a passage opens."""
    return yard.dock.clocks.mono_ns() // 1000
