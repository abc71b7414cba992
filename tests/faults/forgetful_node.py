# SPDX-License-Identifier: Apache-2.0
"""A planted node, the control of the histories: what the center cannot take of its log is not told again.

`python -m tests.faults.forgetful_node node --config FILE`; all else is the real thing.
"""

from __future__ import annotations

import sys

import edge.upload
from zonegate.cli import main

if __name__ == "__main__":
    edge.upload.adoptions = lambda *_: iter(())  # type: ignore[attr-defined]
    sys.exit(main())
