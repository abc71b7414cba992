# SPDX-License-Identifier: Apache-2.0
"""A program of the tests that is killed with SIGKILL at a moment of its life: what it had said by then."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

END_S_MAX = 60


def said_until_killed(module: str, *words: str, life_s: float) -> list[bytes]:
    """The lines that `python -m module words` wrote; the last one may be cut off.

    Its life begins with its first line. The program waits for nobody but its pipe's reader.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", module, *words], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline()]
        moment = time.monotonic() + life_s
        while time.monotonic() < moment:
            lines.append(process.stdout.readline())
    finally:
        process.kill()
    lines += process.stdout.readlines()
    process.stdout.close()
    process.wait(END_S_MAX)
    return lines
