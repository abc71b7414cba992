# SPDX-License-Identifier: Apache-2.0
"""``python -m zonegate`` is the same as the console script ``zonegate``."""

from __future__ import annotations

import sys

from zonegate.cli import main

if __name__ == "__main__":
    sys.exit(main())
