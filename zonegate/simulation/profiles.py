# SPDX-License-Identifier: Apache-2.0
"""Which step comes next, chosen by the world's own chance.

A profile shifts the steps' weights, so that faults meet which rarely meet by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping

from zonegate.simulation.faults import STEPS, Kind
from zonegate.simulation.world import World

PROFILES: Mapping[str, Mapping[str, float]] = {
    "anything": {},
    "quiet": {name: 0.25 for name, kind in STEPS.items() if kind.fault},
    "copies": {"image kept": 4, "machine copied": 6, "machine rolled back": 5, "store copied": 4},
    "restored center": {
        "center backup": 3,
        "center restored": 8,
        "center restored, anchor lost": 4,
        "roll attested": 4,
        "count": 3,
    },
    "rolled back center": {"center image": 5, "center rolled back": 8, "machine lost": 2},
    "old stores": {"store kept": 4, "store restored": 7, "store restored, anchor new": 4, "prune": 3},
    "write-offs": {
        "machine lost": 4,
        "count": 6,
        "late return": 5,
        "machine replaced": 4,
        "node retired": 4,
        "anchor lost": 3,
    },
    "crashes": {"crash of a node": 6, "crash of the center": 5, "lazy": 3, "pump": 3},
    "bad network": {"send": 3, "deliver": 2, "message lost": 6, "message doubled": 5, "partition": 4},
    "media": {
        "store lost in a crash": 8,
        "store restored": 4,
        "crash of a node": 3,
        "exchange": 1.4,
        "store kept": 3,
        "lazy": 2,
    },
    "newer docks": {
        "node upgraded first": 10,
        "center upgraded first": 4,
        "store restored": 5,
        "key rotated": 6,
        "machine copied": 3,
    },
    "pruning": {"center backup": 5, "prune": 8, "center restored": 5, "center backup destroyed": 4},
}


APART: Mapping[str, Mapping[str, float]] = {
    "suspensions": {
        "center backup": 3,
        "center restored": 8,
        "center restored, anchor lost": 4,
        "store restored": 3,
        "machine replaced": 3,
        "roll attested": 4,
        "count": 3,
        "zone suspended": 1,
        "goods held": 1,
        "zone resumed": 1,
    },
    "forgetful center": {
        "center image": 6,
        "center rolled back": 10,
        "machine imaged anew": 6,
        "center backup": 2,
        "center restored": 3,
        "store restored": 3,
        "zone suspended": 1,
        "goods held": 1,
        "zone resumed": 1,
    },
}
"""Profiles that are played only when they are named: their schedules have steps that the others have not."""


def choose(world: World, profile: str) -> tuple[str, Kind]:
    """The next step in a profile."""
    weights = APART[profile] if profile in APART else PROFILES[profile]
    factors = [kind.weight * weights.get(name, 0.0 if kind.apart else 1.0) for name, kind in STEPS.items()]
    [name] = world.chance.random.choices(list(STEPS), factors)
    return name, STEPS[name]
