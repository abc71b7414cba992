# SPDX-License-Identifier: Apache-2.0
"""How often which manner of trip comes at a door, and how close trips follow each other.

Two mixes: `DOCK` as a busy cross-dock may have it, `HARD` in which what is rare at a dock is common. Neither
leaves a manner out. Sources in square brackets as in `parameters`; [OSHA] is 29 CFR 1910.178 (n).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Mix:
    """`manners`: the share of all trips of each. `gap_s`: between two trips at one door, from the end of one
    to the beginning of the next. `behind_m`: in a convoy, from the middle of one load to the middle of the
    next. `stays`, `stay_s`: the share of unloaded pallets that stay within reach, and for how long.

    straight: through. stop: halts in the gate. jack: a pallet jack, slow, somebody before the load. double:
    two pallets on one fork. convoy: two trucks close behind each other, over a ramp (else straight).
    in-out-in: through, back, through. there-and-back: through and back. wrong-way: against the open job.
    turned: comes near and turns round. pass-by: along the dock. beside: set down beside the gate. people:
    through the eyes, or standing in one. empty: a truck without load. unreadable: every tag is dead. In a
    trailer job each loaded trip brings an empty one of its truck.
    """

    manners: dict[str, float]
    gap_s: tuple[float, float]
    behind_m: tuple[float, float]
    stays: float = 0.4
    stay_s: tuple[float, float] = (10.0, 60.0)


DOCK: Final = Mix(
    # All shares are [ours]; what each rests on stands in docs/decisions/gate.md.
    manners={
        "straight": 0.705,
        "stop": 0.03,
        "jack": 0.08,
        "double": 0.02,
        "convoy": 0.02,
        "in-out-in": 0.005,
        "there-and-back": 0.005,
        "wrong-way": 0.005,
        "turned": 0.02,
        "pass-by": 0.03,
        "beside": 0.01,
        "people": 0.04,
        "empty": 0.02,
        "unreadable": 0.01,
    },
    gap_s=(3.0, 12.0),
    behind_m=(6.8, 13.6),
)
HARD: Final = Mix(
    manners={
        "straight": 0.44,
        "stop": 0.06,
        "jack": 0.05,
        "double": 0.06,
        "convoy": 0.10,
        "in-out-in": 0.03,
        "there-and-back": 0.02,
        "wrong-way": 0.02,
        "turned": 0.05,
        "pass-by": 0.04,
        "beside": 0.02,
        "people": 0.05,
        "empty": 0.03,
        "unreadable": 0.03,
    },
    gap_s=(1.0, 5.0),
    behind_m=(2.2, 4.5),
)
MIXES: Final = {"dock": DOCK, "hard": HARD}
