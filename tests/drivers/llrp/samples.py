# SPDX-License-Identifier: Apache-2.0
"""Messages made by chance from the tables: every field any value that fits, parameters where they belong."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from drivers.llrp.layout import Layout, read_rows
from drivers.llrp.messages import Message, Parameter, layout_of
from drivers.llrp.tables import MESSAGES, PARAMETERS

if TYPE_CHECKING:
    from drivers.llrp.messages import Fields

# Kinds of fields by the table's own words, so that values are made without the code that reads them.
KINDS: dict[tuple[str, str], str] = {}
for rows in (MESSAGES, PARAMETERS):
    for row in rows.replace("\n    ", " ").strip().splitlines():
        head, _, rest = row.partition(":")
        for piece in rest.partition("|")[0].split(","):
            name, _, kind = piece.strip().partition(" ")
            if kind:
                KINDS[head.partition(" ")[2], name] = kind

STANDARD = [layout.name for layout in read_rows(PARAMETERS) if layout.name != "Custom"]
_WIDTHS = {"u8": 8, "u16": 16, "u32": 32, "u64": 64}


def message(chance: Random, name: str, *, whole: bool = False) -> Message:
    """A message of that name; `whole`: with everything in it that belongs there."""
    layout = layout_of(name)
    assert layout is not None
    inner = inside(chance, layout, 0, whole=whole)
    return Message(name, chance.getrandbits(32), fields(chance, layout), inner)


def parameter(chance: Random, name: str, depth: int = 0, *, whole: bool = False) -> Parameter:
    """A parameter with what may be in it."""
    layout = layout_of(name)
    assert layout is not None
    return Parameter(name, fields(chance, layout), inside(chance, layout, depth, whole=whole))


def fields(chance: Random, layout: Layout) -> Fields:
    """Values for all fields that the table names."""
    made: Fields = {}
    for (owner, name), kind in KINDS.items():
        if owner == layout.name and not name.startswith("-"):
            made |= _value(chance, name, kind)
    return made


def inside(chance: Random, layout: Layout, depth: int, *, whole: bool = False) -> list[Parameter]:
    """Some of the parameters that belong there, now and then one that nobody knows."""
    made = []
    for name, child in layout.children.items():
        if depth < 7 and (whole or chance.random() < 0.7 / (1 + depth / 4)):
            count = 1 + (chance.randrange(3) if child.many else 0)
            made += [parameter(chance, name, depth + 1, whole=whole) for _ in range(count)]
    if layout.children and chance.random() < 0.1:
        made.append(Parameter("Custom", {"VendorID": 161, "Subtype": 121, "Data": chance.randbytes(5)}))
    return made


def _value(chance: Random, name: str, kind: str) -> Fields:
    if kind in _WIDTHS:
        return {name: chance.getrandbits(_WIDTHS[kind])}
    if kind[0] == "s":
        width = int(kind[1:])
        return {name: chance.getrandbits(width) - (1 << width - 1)}
    if kind == "flag":
        return {name: chance.random() < 0.5}
    if kind[0] == "n":
        return {name: chance.getrandbits(int(kind[1:]))}
    count = chance.randrange(20)
    if kind == "text":
        return {name: "".join(chance.choices("aé€\x00𝄞 ", k=count))}
    if kind == "bits":
        return {name + "NumBits": count, name: chance.randbytes((count + 7) // 8)}
    if kind in ("u16[]", "u32[]"):
        width = int(kind[1:3])
        return {name: [chance.getrandbits(width) for _ in range(count)]}
    return {name: chance.randbytes(12 if kind == "bytes12" else count)}
