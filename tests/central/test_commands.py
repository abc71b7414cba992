# SPDX-License-Identifier: Apache-2.0
"""The center's commands as processes run them: served, enrolled, imported, rebuilt, ended by SIGTERM."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.central.dock import Dock

RUN = [sys.executable, "-m", "zonegate"]


class Running:
    """A center that runs as its own process, and commands beside it."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.url = self.token = ""
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *RUN, "central", "--config", str(self.config), stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            first = (await self.process.stdout.readline()).decode()
            self.url = re.findall(r"http://\S+", first)[0]
            if not self.token:
                await self.process.stdout.readline()
                self.token = (await self.process.stdout.readline()).decode().split(": ")[1].strip()

    async def stop(self) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            return await self.process.wait()

    async def command(self, *words: str, token: str | None = None) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *RUN,
            *words,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"ZONEGATE_TOKEN": token} if token else {},
        )
        async with asyncio.timeout(60):
            said, wrong = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode(), wrong.decode()


@pytest_asyncio.fixture
async def running(postgres: str, tmp_path: Path) -> AsyncIterator[Running]:
    config = tmp_path / "zonegate.toml"
    config.write_text(
        '[central]\ntenant = "example"\nzone = "zone-999"\ndata = "data"\nlisten = "127.0.0.1:0"\n'
        f'database = "{postgres}"\n'
    )
    made = Running(config)
    await made.start()
    yield made
    await made.stop()


class Wire:
    """A dock's exchange over HTTP."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def exchange(self, body: bytes, signature: str) -> bytes:
        request = urllib.request.Request(
            f"{self._url}/api/v1/exchange", body, {"Zonegate-Signature": signature}, method="POST"
        )
        answer: bytes = (await asyncio.to_thread(urllib.request.urlopen, request)).read()
        return answer


async def test_a_center_is_run_enrols_imports_rebuilds_and_ends(running: Running, tmp_path: Path) -> None:
    config = ("--config", str(running.config))
    code, said, _ = await running.command("central", *config, "enrol", "dock-1")
    assert code == 0
    dock = Dock()
    dock.code = said.strip()
    await dock.talk(Wire(running.url))

    papers = Path(__file__).parent / "papers.json"
    bad = tmp_path / "bad.csv"
    bad.write_text("gtin,name\n1,=1+1\n")
    center = ("--center", running.url)
    code, _, wrong = await running.command("import", *center, str(papers), str(bad), token=running.token)
    assert code == 1
    assert "bad.csv, row 2, column gtin" in wrong
    assert "nothing was imported; faults: 2" in wrong
    code, said, wrong = await running.command("import", *center, str(papers), token=running.token)
    assert (code, wrong) == (0, "")
    assert said.startswith("imported 1 products, 2 permits, 2 trucks")
    code, _, wrong = await running.command("import", *center, str(papers), token="zgc_" + "x" * 32)
    assert code == 1
    assert "not the center's token" in wrong
    assert (await running.command("import", *center, str(papers)))[0] == 1

    # Directly into the database only while no center runs.
    code, _, wrong = await running.command("import", "--database", *config, str(papers))
    assert code == 1
    assert "held by another process" in wrong
    assert "Traceback" not in wrong
    assert await running.stop() == 0
    code, said, _ = await running.command("import", "--database", *config, str(papers))
    assert (code, said) == (0, "imported 0 products, 0 permits, 0 trucks; 5 were on file just so\n")
    code, said, _ = await running.command("central", *config, "rebuild")
    assert code == 0

    await running.start()
    permits = json.load(await asyncio.to_thread(urllib.request.urlopen, f"{running.url}/api/v1/permits"))
    assert [permit["number"] for permit in permits["items"]] == ["A214", "W24"]


async def test_a_faulty_configuration_ends_with_all_its_faults(tmp_path: Path) -> None:
    config = tmp_path / "zonegate.toml"
    config.write_text("[central]\n")
    code, _, wrong = await Running(config).command("central", "--config", str(config))
    assert code == 2
    assert wrong.count("expected") == 4
