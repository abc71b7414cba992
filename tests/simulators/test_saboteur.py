# SPDX-License-Identifier: Apache-2.0
"""The grader as a program, on a clean center and on a spoiled one."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from simulators.saboteur import NothingToSpoil, Target, spoil, turn
from tests.conftest import MosquittoMaker
from tests.simulators.programs import listening
from tests.simulators.world import NODE, TENANT, ZONE, World, day_facts, day_trips

pytestmark = pytest.mark.servers

TARGET = Target(TENANT, ZONE, NODE)


async def test_a_clean_center_passes(postgres: str, tmp_path: Path) -> None:
    world = World(day_facts(), trips=day_trips())
    await world.write_tables(postgres)
    code, figures, findings = _graded(postgres, world.write_files(tmp_path))
    assert (code, figures["ok"]) == (0, True), findings
    assert figures["passages"] == figures["doors"]["d2"]["passages"][0] == 6
    assert figures["scans"] == len(world.truth.facts)
    assert len(figures["decisions_digest"]) == 64


@pytest.mark.parametrize(
    ("act", "figures_hit"),
    [
        ("drop", {"lost"}),
        ("dup", {"duplicates", "wrong"}),
        ("admit", {"wrong"}),
        ("forge", {"wrong"}),
    ],
)
async def test_every_sabotage_makes_the_grader_fail(
    act: str, figures_hit: set[str], postgres: str, tmp_path: Path
) -> None:
    world = World(day_facts())
    await world.write_tables(postgres)
    done = await spoil(act, postgres, TARGET)
    code, figures, findings = _graded(postgres, world.write_files(tmp_path))
    assert code == 1
    assert not figures["chain_ok"]
    assert all(figures[name] >= 1 for name in figures_hit), findings
    # What the saboteur says it did is what the grader says it found.
    load = done.rpartition(" ")[2]
    assert load in findings


async def test_a_pallet_that_is_said_to_have_turned_makes_the_grader_fail(
    postgres: str, tmp_path: Path
) -> None:
    world = World(day_facts(), trips=day_trips())
    await world.write_tables(postgres)
    paths = world.write_files(tmp_path)
    turned = turn(paths["journal.sqlite3"]).split()[2]
    code, figures, findings = _graded(postgres, paths)
    assert (code, figures["wrong"]) == (1, 1)
    assert f"passage {turned} at d2 says turned, expected crossed" in findings


def test_a_journal_without_a_crossing_cannot_be_spoiled(tmp_path: Path) -> None:
    paths = World([]).write_files(tmp_path)
    with pytest.raises(NothingToSpoil, match="no crossing"):
        turn(paths["journal.sqlite3"])


async def test_dup_publishes_the_second_event(
    postgres: str, tmp_path: Path, mosquitto: MosquittoMaker
) -> None:
    broker = await mosquitto()
    world = World(day_facts())
    await world.write_tables(postgres)
    paths = world.write_files(tmp_path)
    async with listening(broker.url, paths["events.jsonl"]):
        target = Target(TENANT, ZONE, NODE, broker.url, paths["events.jsonl"])
        again = (await spoil("dup", postgres, target)).split(" again as ")[1].split(",")[0]
        code, figures, findings = await asyncio.to_thread(_graded, postgres, paths)
    assert (code, figures["mqtt_received"]) == (1, len(world.events) + 1)
    assert again in findings


async def test_books_without_movements_cannot_be_spoiled(postgres: str) -> None:
    await World([]).write_tables(postgres)
    for act in ("drop", "dup", "admit", "forge"):
        with pytest.raises(NothingToSpoil, match=NODE):
            await spoil(act, postgres, TARGET)


async def test_the_record_resists_without_a_superusers_rights(postgres: str) -> None:
    await World(day_facts()).write_tables(postgres)
    connection = await asyncpg.connect(postgres)
    try:
        for statement in ("DELETE FROM entry", "UPDATE entry SET record = ''"):
            with pytest.raises(asyncpg.RaiseError, match="never changed"):
                await connection.execute(statement)
    finally:
        await connection.close()


def test_unreadable_evidence_is_usage_and_not_a_finding(tmp_path: Path) -> None:
    paths = {name: tmp_path / name for name in ("truth.jsonl", "journal.sqlite3", "events.jsonl")}
    assert _graded("postgresql://127.0.0.1:1/none", paths)[0] == 2


def _graded(dsn: str, paths: dict[str, Path]) -> tuple[int, dict[str, Any], str]:
    command = [
        sys.executable,
        "-m",
        "simulators.grader",
        f"--truth={paths['truth.jsonl']}",
        f"--journal=dock-1={paths['journal.sqlite3']}",
        f"--dsn={dsn}",
        f"--subscriber={paths['events.jsonl']}",
        "--quiet=0.5",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    last = done.stdout.splitlines()[-1] if done.stdout else "{}"
    return done.returncode, json.loads(last), done.stderr
