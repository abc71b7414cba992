# SPDX-License-Identifier: Apache-2.0
"""What a gate found, held against what was driven through it. Pure; judges no tag itself.

A passage belongs to the trip during which it opened. What a gate calls "nothing" says that nothing went
through: it is explained by any trip, and by none.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any, Final

from simulators.grader.evidence import Journal, Passage, Trip, Truth
from simulators.grader.findings import DUPLICATE, LOST, WRONG, Finding

NOTHING: Final = "nothing"
_EARLY_S: Final = 0.5
"""A truck that is heard before its tape begins would open its passage by so much too early, at most."""

_ASSET: Final = 0x34
"""Header of GIAI-96: a truck's own tag, which may be in any passage."""


def gate_findings(truth: Truth, journal: Journal) -> Iterable[Finding]:
    """Every trip has its passage, which says what was driven, and no passage is without a trip."""
    left = [passage for passage in journal.passages if passage.finding.get("kind") != NOTHING]
    for trip in truth.trips:
        about = f"step {trip.step}"
        found = [passage for passage in left if _during(passage, trip)]
        left = [passage for passage in left if passage not in found]
        if not found and NOTHING not in trip.said["kinds"]:
            text = f"{about}: the gate of {trip.door} kept no passage of what was driven ({_driven(trip)})"
            yield Finding(LOST, about, text)
        for again in found[1:]:
            text = f"{about}: passage {again.name} at {trip.door} is a second one of the same trip"
            yield Finding(DUPLICATE, again.name, text)
        for text in [*_otherwise(trip, found[0])] if found else []:
            yield Finding(WRONG, about, f"{about}: passage {found[0].name} at {trip.door} {text}")
        for text in _late(trip):
            yield Finding(WRONG, about, f"{about}: {text}")
    for passage in left:
        text = (
            f"passage {passage.name} at {passage.door} says {passage.finding.get('kind')}, and nobody drove"
        )
        yield Finding(WRONG, passage.name, text)


def _during(passage: Passage, trip: Trip) -> bool:
    return passage.door == trip.door and trip.from_s - _EARLY_S <= passage.at_s <= trip.until_s


def _otherwise(trip: Trip, passage: Passage) -> Iterable[str]:
    """Where a passage says something else than what was driven."""
    said, finding = trip.said, passage.finding
    if finding.get("kind") not in said["kinds"]:
        yield f"says {finding.get('kind')}, expected {' or '.join(said['kinds'])} ({_driven(trip)})"
        return
    if said["direction"] is not None and finding.get("direction") != said["direction"]:
        yield f"says {finding.get('direction')}, expected {said['direction']} ({_driven(trip)})"
    moved = {_epc(tag) for tag in finding.get("tags", ()) if tag.get("moved")}
    strangers = {epc for epc in moved if epc not in said["tags"] and int(epc[:2] or "0", 16) != _ASSET}
    if strangers:
        yield f"says that {', '.join(sorted(strangers))} moved, which nobody drove"
    if said["kinds"] == ["crossed"] and said["unit"] not in moved:
        yield f"does not name the unit {said['unit']} ({_driven(trip)})"


def _late(trip: Trip) -> Iterable[str]:
    """A STOP at a gate is said before the load has crossed, on the screen and by the lamp."""
    for name, ahead_ms in (trip.said.get("stop") or {}).items():
        where = name.removesuffix("_ms")
        if ahead_ms is None:
            yield f"the {where} never said STOP"
        elif ahead_ms <= 0:
            yield f"the {where} said STOP {-ahead_ms} ms after the driver had to know"


def _epc(tag: dict[str, Any]) -> str:
    return base64.b64decode(tag.get("epc", "")).hex()


def _driven(trip: Trip) -> str:
    return f"{trip.said['manner']}, {trip.said['unit'] or 'no load'}"
