# SPDX-License-Identifier: Apache-2.0
"""Our reading and writing of tags against epcpy's, for the schemes that both know.

Three kinds of memory: right tags, the same with one to three bits flipped, and any bits behind a header. Each
disagreement must be of a class that docs/decisions/tags.md lists with who is right by the standard.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from enum import Enum
from itertools import count
from random import Random
from typing import Any

import pytest
from epcpy.utils.parsers import hex_to_tag_encodable

from gs1 import CodeError
from gs1.epc import decode_tag, legacy
from tests.gs1 import epc_samples
from tests.source import ROOT

PAGE = (ROOT / "docs/decisions/tags.md").read_text()
LISTED = set(re.findall(r"^\| `([a-z0-9-]+)` \|", PAGE, re.MULTILINE))
# Memory of a length that each scheme fills, where that is not 96 bits.
BYTES = {"sgtin-198": 26, "grai-170": 22, "giai-202": 26, "sgln-195": 26, "gdti-113": 16, "gdti-174": 22}
BYTES |= {"itip-110": 14, "itip-212": 28, "adi-var": 30, "cpi-var": 24}
NAMES = tuple(legacy.SCHEMES)
KINDS = ("right", "flipped", "any")
# Characters that a URI escapes, or parts its own fields by.
MARKS = set('"%&/<>?#:')
# A CPI-96 with the serial 0.
PLANTED = (("cpi-96", "3C76451FD400C0E680000000"),)

# It refuses to write a piece or a total of 99, which it reads: listed as well.
NINETY_NINE = re.compile(r":itip:[0-9]+[.][0-9]+[.](?:99[.]|[0-9]{2}[.]99[.])")

Reading = tuple[str | None, str] | None
"""The pure identity URI and the element string, None for a refusal."""


def ours(epc: bytes) -> tuple[Reading, str]:
    """Our reading, and why not."""
    try:
        tag = decode_tag(epc)
    except CodeError as refused:
        return None, refused.faults[0].code
    return (tag.epc_uri, "".join([f"({ai}){value}" for ai, value in tag.elements])), ""


def theirs(epc: bytes) -> Reading:
    try:
        tag = hex_to_tag_encodable(epc.hex().upper())
        return tag.epc_uri, tag.gs1_element_string() if hasattr(tag, "gs1_element_string") else ""
    except Exception:  # noqa: BLE001  - its refusals are of many kinds, ValueError and IndexError among them
        return None


def class_of(scheme: str, our: Reading, why: str, their: Reading) -> str:
    """The class of a disagreement; a class that the page does not list fails the test."""
    if scheme in ("adi-var", "gdti-113"):
        return scheme
    if our is None:
        return why.replace("_", "-")
    if "254" in dict(re.findall(r"[(](254)[)](0)$", (their or ("", ""))[1])):
        return "no-extension"
    return "marks" if MARKS.intersection(our[1]) else "unlisted"


def cases(amount: int) -> Any:
    yield from (("any", name, bytes.fromhex(digits)) for name, digits in PLANTED)
    chance = Random(20_251_001)
    for number in range(amount):
        name = NAMES[number % len(NAMES)]
        kind = KINDS[number // len(NAMES) % len(KINDS)]
        if kind == "any":
            yield (
                kind,
                name,
                bytes((legacy.SCHEMES[name].header,)) + chance.randbytes(BYTES.get(name, 12) - 1),
            )
            continue
        epc = epc_samples.content(name, chance).encoded()
        for _ in range(chance.randint(1, 3) if kind == "flipped" else 0):
            bits = int.from_bytes(epc, "big") ^ 1 << chance.randrange(8 * len(epc) - 8)
            epc = bits.to_bytes(len(epc), "big")
        yield kind, name, epc


def written_by_epcpy(epc: bytes, name: str, filter_value: int | None) -> str:
    """The hex digits that epcpy writes for what it read from `epc`."""
    tag = hex_to_tag_encodable(epc.hex().upper())
    room: Any = sys.modules[type(tag).__module__]
    how: dict[str, Enum] = {
        "binary_coding_scheme": type(tag).BinaryCodingScheme[name.upper().replace("-", "_")]
    }
    filters = [each for each in dir(room) if each.endswith("FilterValue")]
    if filters:
        how["filter_value"] = getattr(room, filters[0])(str(filter_value))
    return str(tag.hex(**how))


@pytest.mark.parametrize(
    "amount", [6_000, pytest.param(100_000, marks=pytest.mark.long)], ids=lambda amount: f"{amount}_tags"
)
def test_every_disagreement_with_epcpy_is_of_a_listed_class(amount: int) -> None:
    table: Counter[str] = Counter()
    classes: Counter[str] = Counter()
    written = 0
    for kind, name, epc in cases(amount):
        our, why = ours(epc)
        their = theirs(epc)
        if our == their:
            table["both refuse" if our is None else "agree"] += 1
            if kind == "right" and not NINETY_NINE.search(str(our)):
                again = written_by_epcpy(epc, name, decode_tag(epc).filter)
                assert again.ljust(len(epc) * 2, "0") == epc.hex().upper()
                written += 1
            continue
        table["only ours" if their is None else "only epcpy" if our is None else "differ"] += 1
        classes[class_of(name, our, why, their)] += 1
        assert class_of(name, our, why, their) in LISTED, (name, epc.hex(), our, why, their)
    print(f"{amount:,} tags: {dict(table)}; disagreements: {dict(classes)}; {written:,} written alike")
    assert table["agree"] > amount // 3
    assert written > amount // 5
    # The control: with an unlisted class, or with none, the comparison would have failed.
    assert classes
    assert "unlisted" not in LISTED


def test_every_listed_class_is_met() -> None:
    met: set[str] = set()
    for number, (_, name, epc) in zip(count(), cases(40_000), strict=False):
        our, why = ours(epc)
        their = theirs(epc)
        if our != their:
            met.add(class_of(name, our, why, their))
        if number > 3_000 and met >= LISTED:
            break
    assert met == LISTED
