# SPDX-License-Identifier: Apache-2.0
"""The simulators as programs of their own, ended whatever happens."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

WITHIN_S = 20


@asynccontextmanager
async def listening(broker: str, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A listener that has subscribed; ended as a supervisor of processes ends it, and it must obey."""
    listener = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "simulators.listener",
        f"--broker={broker}",
        f"--log={log}",
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert listener.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            assert await listener.stdout.readline() == b"ready\n"
        yield listener
        listener.terminate()
        async with asyncio.timeout(WITHIN_S):
            assert await listener.wait() == 0
    finally:
        if listener.returncode is None:
            listener.kill()
            await listener.wait()
