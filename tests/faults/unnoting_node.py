# SPDX-License-Identifier: Apache-2.0
"""A planted node, the control of the gate's kills: its journal keeps nothing of passages under way.

`python -m tests.faults.unnoting_node node --config FILE`; all else is the real thing.
"""

from __future__ import annotations

import sys

from edge.journal import Journal
from zonegate.cli import main

if __name__ == "__main__":
    Journal.note_underway = lambda *_: None  # type: ignore[method-assign]
    sys.exit(main())
