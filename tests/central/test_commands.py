# SPDX-License-Identifier: Apache-2.0
"""The center's commands as processes run them: served, enrolled, imported, rebuilt, ended by SIGTERM."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from pathlib import Path

from tests.central.dock import Dock
from tests.central.running import Running, Wire
from tests.customs.tables.examples import ROWS, as_csv


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


async def test_a_center_that_is_killed_in_mid_import_has_all_of_it_or_nothing(
    running: Running, tmp_path: Path
) -> None:
    ports = tmp_path / "ports.csv"
    rows = [{**ROWS["tariff"][0], "hts": f"{number:08d}"} for number in range(10_000_000, 10_060_000)]
    ports.write_bytes(as_csv(rows))
    center = ("--center", running.url)
    importing = asyncio.create_task(running.command("import", *center, str(ports), token=running.token))
    assert running.process is not None
    async with asyncio.timeout(60):
        while '"doing":""' in await asyncio.to_thread(_importing, running.url):  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(0.01)
    running.process.kill()
    await running.process.wait()
    code, _, wrong = await importing
    assert code == 1
    assert "does not answer" in wrong

    code, said, wrong = await running.command(
        "import", "--database", "--config", str(running.config), str(ports)
    )
    assert code == 0
    whole = "0 were on file just so; table tariff ports: 60000 rows\n"
    assert said.endswith((whole, "1 were on file just so\n"))
    assert "reading ports.csv: 60000 rows" in wrong
    ports.write_bytes(as_csv([{**ROWS["tariff"][0], "hts": "x"}]))
    code, _, wrong = await running.command(
        "import", "--database", "--config", str(running.config), "--supersedes-from", "2026-01-01", str(ports)
    )
    assert code == 1
    assert "ports.csv, row 2, column hts: x" in wrong


def _importing(url: str) -> str:
    with urllib.request.urlopen(f"{url}/api/v1/import") as answer:
        return str(answer.read(), "utf-8")
