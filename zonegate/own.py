# SPDX-License-Identifier: Apache-2.0
"""A center and a node of one's own, as child processes: for the demo, the tests and the benchmarks.

They are the very commands that run in production, `zonegate central` and `zonegate node`, on free
ports of 127.0.0.1, with their files in a folder of the caller.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from zonegate.child import Child, ChildError

_TOKEN: Final = re.compile(r"^token for (\S+): (\S+)$", re.MULTILINE)


class Addressed(Protocol):
    """Whatever a node reaches over HTTP."""

    @property
    def url(self) -> str:
        """Its address, without a path."""
        ...


class Own(Child):
    """One of our own services; `url` is its pages' address."""

    _stop_signal = signal.SIGTERM
    _death_signal = signal.SIGTERM

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, None)
        self.config = self._base / "zonegate.toml"

    @property
    def url(self) -> str:
        """`http://127.0.0.1:port`."""
        return f"http://127.0.0.1:{self.port}"

    def token(self, holder: str) -> str:
        """A token that it printed at its first start."""
        found = dict(_TOKEN.findall(self.log.read_text(encoding="utf-8", errors="replace")))
        if holder not in found:
            raise ChildError(f"{self.name} printed no token for {holder}; see {self.log}")
        return str(found[holder])

    def get(self, path: str) -> Any:
        """The JSON at a path of its API."""
        with urllib.request.urlopen(self.url + path, timeout=5) as answer:  # noqa: S310 - our own http address
            return json.load(answer)

    def _prepare(self) -> None:
        pass

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + "/healthz", timeout=1):  # noqa: S310 - our own http address
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False


class OwnCenter(Own):
    """`zonegate central` on a database of the caller."""

    name = "center"

    def __init__(self, folder: Path, dsn: str, tenant: str, zone: str) -> None:
        super().__init__(folder)
        self._settings = {"tenant": tenant, "zone": zone, "database": dsn}

    def _command(self) -> list[str]:
        data = self.folder / "data"
        data.mkdir(mode=0o700, exist_ok=True)
        lines = ["[central]", f'listen = "127.0.0.1:{self.port}"', f'data = "{data}"']
        lines += [f"{key} = {json.dumps(value)}" for key, value in self._settings.items()]
        self.config.write_text("\n".join([*lines, ""]), encoding="utf-8")
        return [sys.executable, "-m", "zonegate", "central", "--config", str(self.config)]

    async def enrol(self, node: str) -> str:
        """A one-time code for a node."""
        return (await self._zonegate("central", "--config", str(self.config), "enrol", node)).strip()

    async def take_papers(self, *files: Path) -> None:
        """Import files of papers and tables, all of them or none."""
        token = self._base / "token"
        token.write_text(self.token("center"), encoding="utf-8")
        token.chmod(0o600)
        names = map(str, files)
        await self._zonegate("import", "--center", self.url, "--token-file", str(token), *names)

    async def act(self, path: str, said: dict[str, Any]) -> None:
        """One act over its interface; ChildError when it is refused."""
        await asyncio.to_thread(self._post, f"/api/v1/{path}", json.dumps(said).encode())

    def _post(self, path: str, body: bytes) -> None:
        headers = {"Authorization": f"Bearer {self.token('center')}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, body, headers)  # noqa: S310 - our own http address
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
                answer.read()
        except urllib.error.HTTPError as error:
            raise ChildError(f"{path}: {error.read().decode(errors='replace')[:2000]}") from error

    async def _zonegate(self, *words: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "zonegate",
            *words,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, wrong = await process.communicate()
        if process.returncode != 0:
            raise ChildError(f"zonegate {words[0]} failed: {wrong.decode(errors='replace')[-2000:]}")
        return said.decode()


@dataclass(frozen=True, slots=True)
class OwnGate:
    """A simulated RFID gate at a door: the port of its reader, which has four antennas, three eyes, two lamps
    and a horn, and the folder of its camera's pictures, where there is a camera.
    """

    door: str
    port: int
    pictures: Path | None

    def tables(self) -> list[str]:
        """Its part of a node's configuration."""
        lines = ["[[reader]]", f'name = "gate-{self.door}"', f'url = "llrp://127.0.0.1:{self.port}"']
        for port, side in enumerate(("outer", "inner", "outer", "inner"), start=1):
            lines += _table("reader.antenna", port=port, door=self.door, side=side)
        for port, place in enumerate(("outer", "inner", "height"), start=1):
            lines += _table("reader.eye", port=port, door=self.door, place=place)
        for port, shows in enumerate(("stop", "go", "horn"), start=1):
            lines += _table("reader.output", port=port, door=self.door, shows=shows)
        if self.pictures is not None:
            url = f"camera+folder://{self.pictures}"
            lines += _table("camera", name=f"camera-{self.door}", url=url, door=self.door)
        return lines


def _table(table: str, /, **values: object) -> list[str]:
    return [f"[[{table}]]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]


class OwnNode(Own):
    """`zonegate node` with its scanners at by-id names in `links`."""

    name = "node"

    def __init__(  # noqa: PLR0913 - a node has that many settings, all given by name
        self,
        folder: Path,
        *,
        tenant: str,
        zone: str,
        node: str,
        doors: dict[str, tuple[str, Path | None]],
        center: Addressed | None = None,
        code: str | None = None,
        broker: str | None = None,
        timezone: str = "America/Chicago",
        gates: Sequence[OwnGate] = (),
    ) -> None:
        """`doors` maps a door to its name and its scanner's link."""
        super().__init__(folder)
        self._who = {"tenant": tenant, "zone": zone, "id": node, "timezone": timezone}
        self._doors = doors
        self._center = center
        self._code = code
        self._broker = broker
        self._gates = gates

    def today(self) -> date:
        """The day at the dock."""
        return datetime.now(ZoneInfo(self._who["timezone"])).date()

    def enrol(self, code: str) -> None:
        """Use another one-time code from its next start on."""
        self._code = code

    @property
    def store(self) -> Path:
        """Where its journal is."""
        return self.folder / "store"

    def _command(self) -> list[str]:
        anchor = self._base / "anchor"
        anchor.mkdir(mode=0o700, exist_ok=True)
        lines = ["[node]", *(f"{key} = {json.dumps(value)}" for key, value in self._who.items())]
        # A simulated dock believes its host's clock, so that it plays in a container too.
        lines += [f'store = "{self.store}"', f'anchor = "{anchor}"', 'clock = "host"']
        # It shares its disk with many: a small ballast.
        lines += ["reserve_mb = 4"]
        lines += ["[web]", f'listen = "127.0.0.1:{self.port}"']
        if self._center is not None:
            lines += ["[center]", f'url = "{self._center.url}"']
            lines += [f'code = "{self._code}"'] if self._code else []
        if self._broker is not None:
            lines += ["[mqtt]", f'url = "{self._broker}"']
        for door, (name, link) in self._doors.items():
            lines += ["[[door]]", f'id = "{door}"', f"name = {json.dumps(name)}"]
            lines += [f'devices = ["serial://{link}?baud=115200"]'] if link else []
        for gate in self._gates:
            lines += gate.tables()
        if self._gates:
            # A script's trips follow each other closer than a dock's: what was before one is the last one's.
            lines += ["[gate]", "before_ms = 1500"]
        self.config.write_text("\n".join([*lines, ""]), encoding="utf-8")
        return [sys.executable, "-m", "zonegate", "node", "--config", str(self.config)]
