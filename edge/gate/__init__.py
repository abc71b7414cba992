# SPDX-License-Identifier: Apache-2.0
"""The gate: reads of tags and photo eyes in, passages out. Pure: it has no clock, no store, no chance.

`Gate` follows all doors of a node while things move, says at once which tag is on the move, and collects
what a passage is judged from. `judge` says what happened, from that evidence alone, so that a stored passage
is judged again exactly as it was, or by other settings. Neither knows what a code means to customs.
"""

from __future__ import annotations

from edge.passage import GateSettings

from .judging import judge
from .live import Ended, Gate, find

__all__ = ["Ended", "Gate", "GateSettings", "find", "judge"]
