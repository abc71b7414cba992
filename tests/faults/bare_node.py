# SPDX-License-Identifier: Apache-2.0
"""A planted node that lays no ballast, the control of the proof that needs one.

`python -m tests.faults.bare_node node --config FILE`; all else is the real thing.
"""

from __future__ import annotations

import sys

import edge.service
from zonegate.cli import main

if __name__ == "__main__":
    edge.service.MIB = 0  # type: ignore[attr-defined] # its reserve is so many times nothing
    sys.exit(main())
