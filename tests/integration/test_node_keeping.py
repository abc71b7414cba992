# SPDX-License-Identifier: Apache-2.0
"""A node's key changed, its store backed up and brought back, at a real center: the drill that
docs/operate/drill-node.md describes, by its own commands."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.source import ROOT
from zonegate.own import OwnCenter, OwnNode

pytestmark = pytest.mark.servers

WAIT_S = 30.0
DRILL = ROOT / "docs" / "operate" / "drill-node.md"
ALL = "1000"


class World:
    """A center with a permit line of 1000 for one truck, and the node that it comes to."""

    def __init__(self, folder: Path, center: OwnCenter, node: OwnNode) -> None:
        self.folder, self.center, self.node = folder, center, node
        self.backup = folder / "backup"

    def record(self) -> dict[str, Any]:
        found: dict[str, Any] = self.node.get("/api/v1/status")["record"]
        return found

    def left(self) -> list[str]:
        return [lease["left"] for lease in self.record()["leases"]]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what a page shows."""

        def holds() -> bool:
            try:
                return condition()
            except OSError:
                return False

        try:
            async with asyncio.timeout(WAIT_S):
                while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - asked over HTTP
                    await asyncio.sleep(0.05)
        except TimeoutError:
            status = self.node.get("/api/v1/status")
            raise AssertionError(f"it stays {status['links']} {status['record']}") from None

    async def scan(self, code: str) -> None:
        """A label at the screen of the door."""
        request = urllib.request.Request(
            f"{self.node.url}/api/v1/doors/d1/scan",
            data=json.dumps({"code": code, "client_id": "keeping-1"}).encode(),
            headers={
                "Authorization": f"Bearer {self.node.token('supervisor')}",
                "Content-Type": "application/json",
            },
        )
        with await asyncio.to_thread(urllib.request.urlopen, request, timeout=10) as answer:
            assert answer.status == 200

    async def shell(self, commands: str, code: int = 0) -> str:
        """What a person types; `zonegate` is this checkout's."""
        words = {
            "CONFIG": self.node.config,
            "CENTER": self.center.config,
            "NODE": "dock-1",
            "BACKUP": self.backup,
            "STORE": self.node.store,
            "AWAY": self.folder / f"away-{len(list(self.folder.glob('away-*')))}",
        }
        environment = {**os.environ, **{name: str(word) for name, word in words.items()}}
        own = f'zonegate() {{ "{sys.executable}" -m zonegate "$@"; }}\nset -e\n'
        done = await asyncio.to_thread(
            subprocess.run,
            ["sh", "-c", own + commands],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr


def drill(name: str) -> str:
    """The commands of one part of the drill."""
    found = re.search(rf"^```{name}\n(.*?)^```", DRILL.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def papers() -> dict[str, Any]:
    today = datetime.now(UTC).date()
    week = {"valid_from": str(today - timedelta(7)), "valid_to": str(today + timedelta(7))}
    line = {"line": "1", "product": "09521999001058", "status": "NPF", "unit": "EA", "direction": "out"}
    permit = {
        "schema": "zonegate.permit.v1",
        "number": "W1",
        "kind": "weekly-entry",
        "owner": "Example Tools",
    }
    truck = {
        "schema": "zonegate.truck.v1",
        "job": "OUT-1",
        "conveyance": "TR 1",
        "carrier": "Example Carrier",
    }
    return {
        "products": [{"gtin": "09521999001058", "name": "Tool 12", "unit": "EA", "per_pallet": "125"}],
        "permits": [permit | week | {"lines": [line | {"quantity": ALL}]}],
        "trucks": [
            truck
            | {"door": "d1", "direction": "out", "seals": [], "loads": []}
            | {"permit_lines": [{"permit": "W1", "line": "1"}]}
        ],
    }


@pytest_asyncio.fixture
async def world(postgres: str, tmp_path: Path) -> AsyncIterator[World]:
    center = OwnCenter(tmp_path, postgres, "example", "999001001")
    async with center:
        node = OwnNode(
            tmp_path,
            tenant="example",
            zone="999001001",
            node="dock-1",
            doors={"d1": ("Door 1", None)},
            center=center,
            code=await center.enrol("dock-1"),
        )
        async with node:
            made = World(tmp_path, center, node)
            await made.until(lambda: node.get("/api/v1/status")["links"][0]["state"] == "Up")
            (tmp_path / "papers.json").write_text(json.dumps(papers()))
            await center.take_papers(tmp_path / "papers.json")
            await made.until(lambda: made.left() == [ALL])
            yield made


async def test_a_changed_key_needs_no_code_and_the_leases_come_back(world: World, tmp_path: Path) -> None:
    before = world.record()["epochs"][0]
    token = tmp_path / "supervisor.token"
    token.write_text(world.node.token("supervisor"))
    said = await world.shell(f'zonegate node --config "$CONFIG" rotate-key --token-file "{token}"')
    now = world.record()["epochs"]
    assert now[0]["key"] in said
    assert now[0]["key"] != before["key"]
    assert [epoch["reason"] for epoch in now] == ["key rotated", "first start"]
    # Only a closed epoch lets go of what it was lent: the old one has closed itself.
    await world.until(lambda: world.left() == [ALL])
    # So does a key that was changed while the center was away.
    await world.center.stop()
    await world.scan("nonsense while the center is away")
    await world.shell(f'zonegate node --config "$CONFIG" rotate-key --token-file "{token}"')
    assert world.left() == []
    await world.center.start()
    await world.until(lambda: world.left() == [ALL])
    wrong = await world.shell('ZONEGATE_TOKEN=no zonegate node --config "$CONFIG" rotate-key', code=1)
    assert "token" in wrong


async def test_a_store_brought_back_beside_its_anchor_loses_nothing_and_gets_its_leases_again(
    world: World,
) -> None:
    said = await world.shell(drill("backup"))
    assert "verified" in said
    assert "anchor" in said
    held = {path.name for path in world.backup.iterdir()}
    assert held == {"journal.sqlite3", "backup.json"}
    assert "not empty" in await world.shell(drill("backup"), code=1)
    assert "the node runs" in await world.shell('zonegate node --config "$CONFIG" restore "$BACKUP"', code=1)
    await world.scan("nonsense after the backup")
    entries = world.record()["epochs"][0]["entries"]
    await world.until(lambda: world.record()["epochs"][0]["confirmed"] == entries)
    await world.node.stop()
    assert "there is a journal" in await world.shell(
        'zonegate node --config "$CONFIG" restore "$BACKUP"', code=1
    )
    said = await world.shell(drill("restore"))
    assert "begin another epoch" in said
    await world.node.start()
    await world.until(lambda: world.left() == [ALL])
    reasons = [epoch["reason"] for epoch in world.record()["epochs"]]
    assert reasons == ["the store is older than the anchor", "first start"]


async def test_a_store_brought_back_without_its_anchor_is_lent_nothing_until_people_count(
    world: World,
) -> None:
    await world.shell(drill("backup"))
    await world.node.stop()
    for file in world.node.config.with_name("anchor").iterdir():
        file.unlink()
    said = await world.shell(drill("restore"))
    assert "There is no anchor" in said
    code = (await world.shell(drill("enrol"))).split()[-1]
    world.node.enrol(code)
    await world.node.start()
    await world.until(lambda: world.node.get("/api/v1/status")["links"][0]["state"] == "Up")
    await world.until(lambda: world.record()["epochs"][0]["confirmed"] > 0)
    assert world.record()["epochs"][0]["reason"] == "no anchor for this store"
    assert world.record()["leases"] == []


async def test_a_dock_that_starts_without_its_center_may_spend_what_it_was_lent_before(world: World) -> None:
    await world.center.stop()
    await world.node.kill()
    await world.node.start()
    await world.until(lambda: world.node.get("/api/v1/status")["recording"] == "")
    assert world.left() == [ALL]
    assert len(world.record()["epochs"]) == 1


async def test_a_dock_that_was_written_off_comes_back_with_a_code_in_another_epoch(world: World) -> None:
    epoch = world.record()["epochs"][0]["epoch"]
    await world.node.stop()
    count = f'zonegate central --config "$CENTER" write-off "$NODE" --epoch {epoch} --count W1/1=125 --note x'
    attest = re.search(r'"(.*dock-1.*)"', await world.shell(count, code=1))
    assert attest is not None
    await world.shell(f'{count} --attest "{attest[1]}"')
    await world.node.start()
    await world.until(lambda: "revoked" in world.node.get("/api/v1/status")["links"][0]["detail"])
    assert world.left() == [ALL], "it does not know yet"
    await world.node.stop()
    world.node.enrol((await world.shell(drill("enrol"))).split()[-1])
    await world.node.start()
    await world.until(lambda: world.left() == ["875"])
    reasons = [found["reason"] for found in world.record()["epochs"]]
    assert reasons == ["the center closed this epoch after a count", "first start"]
