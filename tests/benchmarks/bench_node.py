# SPDX-License-Identifier: Apache-2.0
"""A node with a long journal and a week that the center has not seen: its memory, and its start.

The journal is made with the real writer: pallets of domestic goods come and go, so that many are in the
zone. Then the real `zonegate node` is started on it with a center that does not answer. Measured from the
kernel's own books of that process: resident memory after the first scan was accepted, and processor time
until then; with the snapshot that a running node leaves behind, and without it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sqlite3
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from customs.documents import Conveyance, Direction, PlannedLoad, Product, Status
from edge.anchor import Anchor
from edge.batch import Append, Identity, SnapshotPut
from edge.books import Fact, NodeBooks
from edge.clock import system_clocks
from edge.writer import Writer
from gs1 import sscc_link
from simulators.yard import labels
from sync.bodies import JobEvent, LoadFacts, Movement, ReadSummary, Saw, body_bytes, schema_of
from sync.entry import GENESIS, Draft, Place, record_bytes
from zonegate.own import OwnNode

GOAL_MB: Final = 90
TENANT, ZONE, NODE, DOOR, JOB = "example", "999001001", "dock-1", "d1", "IN-1"
GTIN: Final = "09521999001072"
HELD_MAX: Final = 5_000
"""Pallets in the zone at a time: a full warehouse."""

_BATCH: Final = 1_000

_EXPECTED: Final = tuple(labels.sscc(9_000_000 + number) for number in range(3))
"""Pallets of the open truck: one is scanned after each start."""


@dataclass(frozen=True, slots=True)
class _Start:
    """What one start cost."""

    resident_mb: float
    peak_mb: float
    cpu_s: float


def main(argv: Sequence[str]) -> int:
    """Measure and print; 0 when the memory's goal holds, else 1."""
    parser = argparse.ArgumentParser(prog="bench node", description="A node with a long journal.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--entries", type=int, default=1_000_000, help="entries of the journal (default 10^6)"
    )
    parser.add_argument("--folder", type=Path, help="where to write; default: a temporary folder")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="zonegate-bench-", dir=options.folder) as name:
        result = asyncio.run(measure(Path(name), options.entries))
    print(json.dumps(result) if options.json else _table(result))
    return 0 if result["goal_met"] else 1


async def measure(folder: Path, entries: int) -> dict[str, Any]:
    """Resident megabytes and processor seconds to the first accepted scan, with snapshot and without."""
    node = OwnNode(
        folder, tenant=TENANT, zone=ZONE, node=NODE, doors={DOOR: ("Door 1", None)}, center=_Nobody()
    )
    anchor = node.store.parent.parent / "anchor"
    anchor.mkdir(mode=0o700, parents=True)
    make_store(node.store, anchor, entries)
    warm = await _started(node, _EXPECTED[0])
    with sqlite3.connect(node.store / "journal.sqlite3") as connection:
        connection.execute("DELETE FROM snapshot")
    cold = await _started(node, _EXPECTED[1])
    return {
        "bench": "node",
        "entries": entries,
        "resident_mb": round(max(warm.resident_mb, cold.resident_mb), 1),
        "cpu_s_to_first_scan": round(warm.cpu_s, 2),
        "peak_mb": round(max(warm.peak_mb, cold.peak_mb), 1),
        "cpu_s_to_first_scan_without_snapshot": round(cold.cpu_s, 2),
        "goal_mb": GOAL_MB,
        "goal_met": max(warm.resident_mb, cold.resident_mb) <= GOAL_MB,
    }


class _Nobody:
    """A center that is away: nobody listens at this port of loopback."""

    @property
    def url(self) -> str:
        """The discard port."""
        return "http://127.0.0.1:9"


def make_store(store: Path, anchor: Path, entries: int) -> None:
    """A journal of so many entries, by the real writer, with the books it leads to as its snapshot."""
    store.mkdir(mode=0o700, parents=True)
    clocks = system_clocks()
    writer = Writer.open(store, Anchor(anchor), clocks=clocks, identity=Identity(TENANT, ZONE, NODE))
    books = NodeBooks()
    run = _drafts(entries)
    done = 0
    while drafts := [draft for draft, _ in zip(run, range(_BATCH), strict=False)]:
        batch = writer.draw_up([Append(draft) for draft in drafts])
        writer.commit(batch)
        writer.anchor([batch])
        for placed, draft in zip(batch.placed(), drafts, strict=True):
            body = _DECODERS[draft.type].decode(draft.body)
            fact = Fact(
                draft.entry_id,
                placed.place.epoch,
                placed.place.seq,
                draft.type,
                draft.door,
                draft.occurred_at,
                body,
            )
            books.fold(fact)
        done += len(drafts)
        if done % 100_000 == 0:
            print(f"{done} of {entries} entries written", file=sys.stderr)
    writer.commit(writer.draw_up([SnapshotPut(books.snapshot())]))
    writer.close()


_DECODERS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    "saw": msgspec.json.Decoder(Saw),
    "job": msgspec.json.Decoder(JobEvent),
    "admission": msgspec.json.Decoder(Movement),
    "withdrawal": msgspec.json.Decoder(Movement),
}


def _drafts(entries: int) -> Iterator[Draft]:
    """Papers, an open truck, then pallets that come, and leave when HELD_MAX are there."""
    clocks = system_clocks()
    now = datetime.now(UTC)

    def draft(kind: str, body: msgspec.Struct, door: str | None = None) -> Draft:
        return Draft(
            clocks.entry_id(), kind, schema_of(kind), now, clocks.stamp(), body_bytes(body), door, GENESIS
        )

    product = Product(GTIN, "KIT-D")
    expected = tuple(
        PlannedLoad(sscc, GTIN, Decimal(500), "Example Motors", Status.DOMESTIC) for sscc in _EXPECTED
    )
    truck = Conveyance(JOB, "TR 1", "Example Carrier", DOOR, Direction.IN, loads=expected)
    papers = [_center_record("product", product, 1), _center_record("conveyance", truck, 2)]
    yield draft("saw", Saw("c" * 32, Place("c" * 32, 2, "0" * 64), tuple(map(msgspec.Raw, papers))))
    yield draft("job", JobEvent("opened", JOB, "TR 1", Direction.IN, "bench", planned=len(expected)), DOOR)
    came = gone = 0
    for _ in range(entries - 2):
        leaves = came - gone >= HELD_MAX
        kind, direction = ("withdrawal", Direction.OUT) if leaves else ("admission", Direction.IN)
        sscc = labels.sscc(gone if leaves else came)
        came, gone = (came, gone + 1) if leaves else (came + 1, gone)
        facts = LoadFacts(
            sscc_link(sscc), sscc, GTIN, None, None, Decimal(500), "EA", "Example Motors", Status.DOMESTIC
        )
        read = ReadSummary("scanner-d1-1", "barcode", f"]C100{sscc}", f"]C100{sscc}".encode().hex(), now)
        yield draft(
            kind,
            Movement(
                None,
                direction,
                facts,
                Decimal(500),
                "EA",
                "Example Motors",
                Status.DOMESTIC,
                "domestic",
                read,
                0,
            ),
            DOOR,
        )


def _center_record(kind: str, body: msgspec.Struct, seq: int) -> bytes:
    clocks = system_clocks()
    now = datetime.now(UTC)
    made = Draft(clocks.entry_id(), kind, schema_of(kind), now, clocks.stamp(), body_bytes(body))
    return record_bytes(made, "c" * 32, seq, now, GENESIS)


async def _started(node: OwnNode, sscc: str) -> _Start:
    """Start, scan one load that comes in, and ask the kernel what it took."""
    await node.start()
    try:
        token = node.token("supervisor")
        body = json.dumps({"code": f"]C100{sscc}", "client_id": f"bench-{sscc}"}).encode()
        request = urllib.request.Request(
            f"{node.url}/api/v1/doors/{DOOR}/scan",
            body,
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )

        def scan() -> dict[str, Any]:
            with urllib.request.urlopen(request, timeout=60) as answer:
                shown: dict[str, Any] = json.load(answer)
            return shown

        shown = await asyncio.to_thread(scan)
        assert shown["reason"] == "domestic", shown
        return _Start(_memory_mb(node.pid, "VmRSS"), _memory_mb(node.pid, "VmHWM"), _cpu_s(node.pid))
    finally:
        await node.stop()


def _memory_mb(pid: int, name: str) -> float:
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in text.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) / 1024


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _table(result: dict[str, Any]) -> str:
    lines = [
        f"a node with {result['entries']} entries, none of them at the center",
        f"resident {result['resident_mb']} MB (goal: {GOAL_MB} at most), {result['peak_mb']} MB at its peak",
        f"processor time to the first accepted scan: {result['cpu_s_to_first_scan']} s with the snapshot,",
        f"  {result['cpu_s_to_first_scan_without_snapshot']} s without it",
    ]
    return "\n".join(lines)
