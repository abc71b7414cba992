# SPDX-License-Identifier: Apache-2.0
"""The import of a table of as many rows as one may have, at a real center: how long it takes, how long the
docks' exchange stands still meanwhile, how soon a table of a million lines is refused, and in what memory.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from central.service import Central
from customs.imports import Refused, Upload
from customs.tables.forms import ROWS_MAX
from edge.anchor import Anchor
from edge.clock import system_clocks
from zonegate.children import OwnPostgres

BEAT_S = 0.01
HEADER = b"hts,column,code,advalorem,valid_from,source,mark\n"


class _Pulse:
    """The longest time for which nothing else had its turn on the loop."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def beat(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(BEAT_S)
            self.longest = max(self.longest, time.perf_counter() - before - BEAT_S)


def _table(rows: int) -> bytes:
    line = b"%08d,general,7,0.%04d,2026-01-01,a source of some length,example\n"
    return HEADER + b"".join(line % (10_000_000 + row, row % 10_000) for row in range(rows))


async def main_async(rows: int) -> dict[str, Any]:
    """Measure; the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with OwnPostgres(folder) as server:
            dsn = await server.create_database("bench")
            (folder / "center").mkdir()
            anchor = Anchor(folder / "center")
            center = await Central.open(dsn, "example", "bench", anchor, system_clocks())
            try:
                return await _measure(center, rows)
            finally:
                await center.close()


async def _measure(center: Central, rows: int) -> dict[str, Any]:
    pulse = _Pulse()
    beating = asyncio.create_task(pulse.beat())
    million = _table(ROWS_MAX) + b"\n" * 800_000
    began = time.perf_counter()
    refused = await center.import_files([Upload("million.csv", million)], "bench")
    refused_s = time.perf_counter() - began
    assert isinstance(refused, Refused)
    began = time.perf_counter()
    taken = await center.import_files([Upload("rates.csv", _table(rows))], "bench")
    taken_s = time.perf_counter() - began
    assert not isinstance(taken, Refused)
    began = time.perf_counter()
    await center.projector.catch_up()
    async with center.database.session() as connection:
        book = await center.customs.law_book(connection)
    beating.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await beating
    assert len(book.datasets[0].rows) == rows
    return {
        "rows": rows,
        "taken_s": round(taken_s, 2),
        "readable_s": round(time.perf_counter() - began, 2),
        "loop_still_s_max": round(pulse.longest, 2),
        "million_lines_refused_s": round(refused_s, 2),
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main(arguments: Sequence[str]) -> int:
    """Print the figures; no goal was set."""
    parser = argparse.ArgumentParser(prog="./dev bench tables", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS_MAX)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    figures = asyncio.run(main_async(options.rows))
    if options.json:
        print(json.dumps(figures))
    else:
        for name, figure in figures.items():
            print(f"{name:>24}  {figure}")
    return 0
