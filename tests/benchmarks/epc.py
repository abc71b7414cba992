# SPDX-License-Identifier: Apache-2.0
"""RFID tags read by us and by epcpy, from a reader's bytes to the identity's URI and element string.

Every tag is another one, and the companies' prefixes have every length.
"""

from __future__ import annotations

from random import Random
from typing import Any

from epcpy.utils.parsers import hex_to_tag_encodable

from gs1.epc import decode_tag
from tests.benchmarks.contest import Contest
from tests.gs1 import epc_samples

GOAL = 6.0
_COUNT = 500


def contests() -> list[Contest]:
    """The two kinds of tag that a gate sees most, with a goal, and two that it sees next."""
    chance = Random(2026)
    made = []
    for scheme in ("sgtin-96", "sscc-96", "grai-96", "sgtin-198"):
        tags = [_tag(scheme, chance) for _ in range(_COUNT)]
        assert [_ours(epc) for epc in tags] == [_theirs(epc) for epc in tags]
        goal = GOAL if scheme in ("sgtin-96", "sscc-96") else None
        made.append(Contest(f"tag: {scheme.upper()}", goal, _ours, _theirs, tags))
    return made


def _tag(scheme: str, chance: Random) -> bytes:
    while True:
        epc = epc_samples.content(scheme, chance).encoded()
        # epcpy cannot read all of the characters that a URI escapes.
        if "%" not in (decode_tag(epc).epc_uri or ""):
            return epc


def _ours(epc: bytes) -> tuple[str | None, str]:
    tag = decode_tag(epc)
    elements = ""
    for ai, value in tag.elements:
        elements += f"({ai}){value}"
    return tag.epc_uri, elements


def _theirs(epc: bytes) -> tuple[str | None, str]:
    tag: Any = hex_to_tag_encodable(epc.hex())
    return tag.epc_uri, tag.gs1_element_string()
