# SPDX-License-Identifier: Apache-2.0
"""A node comes back after a week: how fast the center takes its log, and what the other docks feel of it.

The center is `zonegate central` on a PostgreSQL of its own; the node that comes back is a process that asks
as a dock does (`sync.node` over a journal, `sync.client` over HTTP). Three other docks have two scans a
second each and ask by a dock's own rule: when there is news, and again at once while something comes down.
A scan's latency runs from the moment it is due to the answer that confirms it. Slices take turns in one
run: nobody comes back; the node sends its next entries; a center without HTTP, books and other docks takes
the same asks (`ingest`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from operator import truediv
from pathlib import Path
from typing import Any, Final

import asyncpg

from central.service import Central
from edge.anchor import Anchor
from edge.clock import system_clocks
from edge.store import JournalReader
from sync.client import CenterClient
from sync.keys import Signer
from sync.node import NodeSync
from sync.wire import Answer, Ask, encode, read_answer, request_message
from tests.benchmarks.bench_node import NODE, TENANT, ZONE, make_store
from tests.central.dock import Dock
from zonegate.children import OwnPostgres
from zonegate.own import OwnCenter

GOAL: Final = 2.0
"""Other docks' p50 while the node comes back, over theirs when nobody does."""

SLICES: Final = 5
NEIGHBORS: Final = 3
SCANS_S: Final = 2.0
"""Scans a second of each of them."""

_WAIT_S: Final = 120.0
"""Bounds every wait for the books or the docks to be still again."""

_BOOKS_NEAR: Final = 20
"""Own entries that the books may lack and still be up to date: the other docks go on."""

_BOOKS_BEHIND: Final = """
SELECT (SELECT seq FROM log_head WHERE node = 'center') - (SELECT seq FROM projection_cursor)
"""


Span = tuple[float, float]


class Returning:
    """The node that comes back: its asks from its journal, until what it was told to send is confirmed."""

    def __init__(self, store: Path, anchor: Path, code: str) -> None:
        self.reader = JournalReader(store)
        self.signer: Signer = Anchor(anchor).signer()
        (self.epoch,) = self.reader.epochs()
        told = self.reader.head(self.epoch)
        assert told is not None
        self._told = told
        self._sync = NodeSync(TENANT, ZONE, NODE, ("d1",), cursor=None, code=code)
        self._asks = 0

    @property
    def confirmed(self) -> int:
        """Entries that the center has."""
        return self._sync.have.get(self.epoch, 0)

    @property
    def total(self) -> int:
        """Entries that it has."""
        return self._told.seq

    def ask(self) -> Ask:
        """The next request."""
        self._asks += 1
        return self._sync.ask(
            f"{self._asks:032x}", self.epoch, self._told, self.reader, lambda: self.signer.head(self._told)
        )

    def take(self, answer: Answer) -> None:
        """What was confirmed."""
        taken = self._sync.take(answer, self.reader, lambda _: False)
        assert taken is not None
        assert taken.foreign is None and not taken.refused, taken
        self._sync.written(taken)
        self._sync._code = None if self.confirmed else self._sync._code


class Neighbor:
    """Another dock, up to date, with a scan now and then."""

    def __init__(self, number: int, url: str, code: str) -> None:
        self.dock = Dock(f"dock-{number + 2}", TENANT, ZONE)
        self.dock.code = code
        self.took: list[tuple[float, float]] = []
        """When each scan was due, and the seconds until it was confirmed."""
        self.still = asyncio.Event()
        self._client = CenterClient(url)
        self._news = asyncio.Event()
        self._due: deque[tuple[int, float]] = deque()

    async def run(self) -> None:
        """Scan and ask until cancelled."""
        async with self._client, asyncio.TaskGroup() as both:
            both.create_task(self._scan())
            both.create_task(self._ask())

    async def _scan(self) -> None:
        due = time.perf_counter() + random.random() / SCANS_S
        while True:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            self.dock.move(sscc=f"{int(self.dock.node[5:]):02d}{len(self.dock.records):016d}")
            self._due.append((len(self.dock.records), due))
            self._news.set()
            due += 1 / SCANS_S

    async def _ask(self) -> None:
        while True:
            self._news.clear()
            answer = await self._client.exchange(self.dock.ask(), self.dock.signer)
            now = time.perf_counter()
            self.dock.code = None
            self.dock.have = answer.have[0].seq
            self.dock.cursor = answer.upto
            while self._due and self._due[0][0] <= self.dock.have:
                due = self._due.popleft()[1]
                self.took.append((due, now - due))
            if answer.entries:
                self.still.clear()
                continue
            self.still.set()
            await self._news.wait()


def main(argv: Sequence[str]) -> int:
    """Measure and print; 0 when the goal holds, else 1."""
    parser = argparse.ArgumentParser(prog="bench catchup", description="A node comes back after a week.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--entries", type=int, default=100_000, help="the node's entries (default 100,000)")
    parser.add_argument("--quiet", type=float, default=5.0, help="seconds of a quiet slice (default 5)")
    parser.add_argument("--come-back", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.come_back:
        store, anchor, url, code = options.come_back
        asyncio.run(_come_back(Returning(Path(store), Path(anchor), code), url))
        return 0
    result = asyncio.run(measure(options.entries, options.quiet))
    print(json.dumps(result) if options.json else _table(result))
    return 0 if result["goal_met"] else 1


async def _come_back(node: Returning, url: str) -> None:
    """The process of the node: for each line with a number, send so many entries and print the seconds."""
    async with CenterClient(url) as client:
        for line in sys.stdin:
            before = node.confirmed
            upto = min(node.total, before + int(line))
            start = time.perf_counter()
            while node.confirmed < upto:
                node.take(await client.exchange(node.ask(), node.signer))
            print(time.perf_counter() - start, node.confirmed - before, flush=True)


async def measure(entries: int, quiet_s: float) -> dict[str, Any]:
    """Rates, and the other docks' latencies."""
    with tempfile.TemporaryDirectory(prefix="bench-catchup-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "anchor").mkdir()
        make_store(folder / "store", folder / "anchor", entries)
        async with OwnPostgres(folder) as server:
            dsn = await server.create_database("center")
            async with (
                OwnCenter(folder / "center", dsn, TENANT, ZONE) as center,
                _alone(folder, await server.create_database("alone")) as alone,
            ):
                return await _slices(folder, center, alone, dsn, entries, quiet_s)


@asynccontextmanager
async def _alone(folder: Path, dsn: str) -> AsyncIterator[tuple[Central, Returning]]:
    """A center in this process, and the same node once more."""
    (folder / "alone").mkdir()
    center = await Central.open(dsn, TENANT, ZONE, Anchor(folder / "alone"), system_clocks())
    await center.projector.close()
    try:
        yield center, Returning(folder / "store", folder / "anchor", await center.enrol(NODE))
    finally:
        await center.close()


async def _slices(
    folder: Path, center: OwnCenter, alone: tuple[Central, Returning], dsn: str, entries: int, quiet_s: float
) -> dict[str, Any]:
    neighbors = [
        Neighbor(number, center.url, await center.enrol(f"dock-{number + 2}")) for number in range(NEIGHBORS)
    ]
    words = (
        "--come-back",
        str(folder / "store"),
        str(folder / "anchor"),
        center.url,
        await center.enrol(NODE),
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.benchmarks.bench_catchup",
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    books: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(dsn)
    quiet: list[Span] = []
    busy: list[Span] = []
    rates: list[float] = []
    ingest: list[float] = []
    settled: list[float] = []
    size = entries // SLICES
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(neighbor.run()) for neighbor in neighbors]
        await _still(neighbors, books)
        for _ in range(SLICES):
            start = time.perf_counter()
            await asyncio.sleep(quiet_s)
            quiet.append((start, time.perf_counter()))
            rates.append(await _send(process, size))
            busy.append((quiet[-1][1], time.perf_counter()))
            settled.append(await _still(neighbors, books))
            ingest.append(await _ingest(*alone, size))
            await _still(neighbors, books)
        for task in running:
            task.cancel()
    await books.close()
    assert process.stdin is not None
    process.stdin.close()
    await process.wait()
    took = [scan for neighbor in neighbors for scan in neighbor.took]
    return {
        "bench": "catchup",
        "entries": entries,
        "slices": SLICES,
        "catchup_entries_s": round(statistics.median(rates)),
        "ingest_entries_s": round(statistics.median(ingest)),
        "catchup_ratio": round(statistics.median(map(truediv, rates, ingest)), 3),
        "books_after_s": round(statistics.median(settled), 1),
        "goal": GOAL,
        **_others(took, quiet, busy),
    }


async def _send(process: asyncio.subprocess.Process, entries: int) -> float:
    """Have the node send its next entries; entries a second."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{entries}\n".encode())
    seconds, sent = (await process.stdout.readline()).split()
    return int(sent) / float(seconds)


async def _ingest(center: Central, node: Returning, entries: int) -> float:
    """The same asks into a center without HTTP, books and other docks; entries a second of its own time."""
    start = node.confirmed
    upto = min(node.total, start + entries)
    taken = 0.0
    while node.confirmed < upto:
        body = encode(node.ask())
        signature = node.signer.sign(request_message(body))
        began = time.perf_counter()
        answer = await center.exchange(body, signature)
        taken += time.perf_counter() - began
        node.take(read_answer(answer))
    return (node.confirmed - start) / taken


async def _still(neighbors: Sequence[Neighbor], books: asyncpg.Connection[asyncpg.Record]) -> float:
    """Wait until the docks have what came down and the books have nearly all; the seconds that took."""
    start = time.perf_counter()
    async with asyncio.timeout(_WAIT_S):
        for neighbor in neighbors:
            await neighbor.still.wait()
        while (await books.fetchval(_BOOKS_BEHIND) or 0) > _BOOKS_NEAR:  # noqa: ASYNC110 - they are another process's
            await asyncio.sleep(0.05)
    return time.perf_counter() - start


def _others(took: list[tuple[float, float]], quiet: list[Span], busy: list[Span]) -> dict[str, Any]:
    """What the other docks felt, over all slices of a kind."""

    def at(share: int, spans: list[Span]) -> float:
        found = [seconds for due, seconds in took if any(start <= due < end for start, end in spans)]
        return 1000 * statistics.quantiles(found, n=100)[share - 1]

    told: dict[str, Any] = {}
    for share in (50, 99):
        alone, meanwhile = at(share, quiet), at(share, busy)
        told[f"others_p{share}"] = {
            "alone_ms": round(alone, 1),
            "meanwhile_ms": round(meanwhile, 1),
            "ratio": round(meanwhile / alone, 2),
        }
    told["goal_met"] = told["others_p50"]["ratio"] <= GOAL
    return told


def _table(result: dict[str, Any]) -> str:
    lines = [
        f"a node comes back with {result['entries']} entries",
        (
            f"catch-up {result['catchup_entries_s']:,} entries/s, {result['catchup_ratio']:.2f} of "
            f"ingest alone, {result['ingest_entries_s']:,}; books {result['books_after_s']} s after a slice"
        ),
    ]
    for share in ("p50", "p99"):
        row = result[f"others_{share}"]
        lines.append(
            f"{share} of {NEIGHBORS} other docks: alone {row['alone_ms']:.1f} ms, "
            f"meanwhile {row['meanwhile_ms']:.1f} ms, {row['ratio']:.2f}x"
        )
    verdict = "holds" if result["goal_met"] else "MISSED"
    return "\n".join([*lines, f"goal: p50 at most {GOAL}x: {verdict}"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
