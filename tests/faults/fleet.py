# SPDX-License-Identifier: Apache-2.0
"""Several docks and their center on real processes, for histories of faults: machines are killed, cut off,
copied, rolled back and restored, and what their screens displayed is held against the center's record.

A machine is a folder (store, anchor, key) with a process; the center is a database with a folder and a
process. Between each machine and the center stands a gate that can be shut.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import shutil
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import asyncpg

from simulators.scanner import PtyScanner
from simulators.yard import labels
from tests.faults.dockyard import FAST, GTIN, WAIT_S, Picture, PlantedNode, Screen, until
from zonegate.children import OwnPostgres
from zonegate.own import OwnCenter
from zonegate.verify import verify_store

TENANT, ZONE = "example", "999001001"
PERMIT, OWNER, STATUS = "A214", "Example Tools", "NPF"


class Gate:
    """A TCP door before the center: open, or shut with every connection cut."""

    def __init__(self, port: Callable[[], int]) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.shut = False

    @property
    def url(self) -> str:
        """Where the machine finds the center."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self.cut()
        await self._server.wait_closed()

    async def cut(self) -> None:
        """End every connection that stands."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        """The network is gone."""
        self.shut = True
        await self.cut()

    def open(self) -> None:
        """The network is back."""
        self.shut = False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(asyncio.CancelledError, OSError):
                if not self.shut:
                    await self._pass_on(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port())
        pumps = [asyncio.create_task(_pump(reader, back)), asyncio.create_task(_pump(there, writer))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            back.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


class Machine:
    """One dock's computer: its folder, its process, its scanner and the eyes on its screen."""

    def __init__(self, fleet: Fleet, name: str, node: str, code: str | None) -> None:
        self.fleet, self.name, self.id = fleet, name, node
        self.door = f"{node}-in"
        self.folder = fleet.folder / name
        self.gate = Gate(lambda: fleet.center.port)
        self.code = code
        self.said: list[str] = []

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        await self._stack.__aenter__()
        await self._stack.enter_async_context(self.gate)
        link = self.folder / "by-id" / "usb-Example_Scanner-if00"
        self.scanner = await self._stack.enter_async_context(PtyScanner(link, send_aim=False))
        self.process = PlantedNode(
            self.folder,
            tenant=TENANT,
            zone=ZONE,
            node=self.id,
            doors={self.door: ("Door", link)},
            center=self.gate,
            code=self.code,
            timezone="UTC",
        ).plant(FAST, self.fleet.program)
        await self._stack.enter_async_context(self.process)
        log = self.fleet.folder / f"{self.name}-screen.jsonl"
        self.screen = await self._stack.enter_async_context(Screen(self.process.url, log, self.door))
        return self

    async def __aexit__(self, *args: object) -> None:
        await self._stack.__aexit__(None, None, None)

    # -- what happens at the door -------------------------------------------------------------------

    async def open_truck(self) -> None:
        """Wait for the papers of its truck, and scan the work order."""
        await until(lambda: bool(self.status()["jobs"]), f"the papers to reach {self.name}")
        picture = await self.scan(labels.work_order(self.id.upper()))
        assert picture.reason == "opened", picture

    async def scan(self, label: bytes) -> Picture:
        """Scan, and wait for what the screen says of it."""
        before = len(self.screen.seen)
        code = label.decode()
        names = (code, code.split(":")[2]) if code.startswith("ZG1:J:") else (code,)

        def answered(picture: Picture) -> bool:
            return picture.reason == "cannot-record" or (
                picture.code in names and picture.reason != "checking"
            )

        await self.scanner.send(label + b"\r")
        await self.screen.until(lambda seen: any(map(answered, seen)), after=before)
        return next(picture for picture in self.screen.seen[before:] if answered(picture))

    async def take(self, count: int) -> int:
        """Bring so many pallets; how many the door accepted."""
        accepted = 0
        for _ in range(count):
            picture = await self.scan(next(self.fleet.labels))
            accepted += picture.state == "ACCEPTED"
        return accepted

    async def take_until_refused(self) -> int:
        """Bring pallets until the door says no for want of quantity."""
        for count in itertools.count():
            picture = await self.scan(next(self.fleet.labels))
            if picture.state != "ACCEPTED":
                return count
        raise AssertionError("unreachable")

    async def accepts(self) -> bool:
        """Bring pallets until one may pass again; False when none may in due time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WAIT_S / 2):
                while (await self.scan(next(self.fleet.labels))).state != "ACCEPTED":  # noqa: ASYNC110
                    await asyncio.sleep(0.1)  # the center is asked meanwhile
                return True
        return False

    async def lent(self, loads: int) -> None:
        """Bring pallets until one may pass, and wait until so many more may: a log that has just begun waits
        for what it is lent, and rightly holds every load meanwhile.
        """
        assert await self.accepts(), self.screen.seen[-2:]
        await until(lambda: self.left() >= loads, f"{self.name} to be lent {loads} pieces")

    # -- what befalls the machine ---------------------------------------------------------------------

    async def restart(self) -> None:
        """kill -9, and again."""
        await self.process.kill()
        await self.start()

    async def start(self) -> None:
        """Start the process and find its truck open, or open it."""
        await self.process.start()
        await self.recording()

    async def recording(self) -> None:
        """Wait until the door records and its scanner is open."""
        await until(self._is_up, f"{self.name} to record")

    def _is_up(self) -> bool:
        status = self.status()
        return not status["recording"] and all(device["state"] == "Up" for device in status["devices"])

    def status(self) -> dict[str, Any]:
        """The status page's content."""
        found: dict[str, Any] = self.process.get("/api/v1/status")
        return found

    def epoch(self) -> str:
        """The epoch that it writes in."""
        return str(self.status()["position"].partition(":")[0])

    def admitted(self) -> list[Picture]:
        """What its screen displayed as let in."""
        return [picture for picture in self.screen.accepted() if picture.reason == "admitted"]

    def copy(self, name: str) -> Path:
        """A copy of store and anchor, as one of the whole machine; it must not run."""
        assert not self.process.running, "a copy of files that are written is another proof's"
        image = self.fleet.folder / f"image-{name}"
        shutil.rmtree(image, ignore_errors=True)
        shutil.copytree(self.process.store, image / "store")
        shutil.copytree(self._anchor, image / "anchor")
        return image

    def lay(self, image: Path, *, anchor: bool) -> None:
        """Put a copy in the place of the store, and of the anchor too if the whole machine is meant."""
        assert not self.process.running
        shutil.rmtree(self.process.store, ignore_errors=True)
        self.process.store.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(image / "store", self.process.store)
        if anchor:
            shutil.rmtree(self._anchor, ignore_errors=True)
            shutil.copytree(image / "anchor", self._anchor)

    def lose_anchor(self) -> None:
        """The second medium died, and the key with it."""
        assert not self.process.running
        shutil.rmtree(self._anchor)

    async def let_in(self) -> None:
        """A new code, for a key that the center does not know."""
        self.process._code = await self.fleet.center.enrol(self.id)

    @property
    def _anchor(self) -> Path:
        return self.folder / "node" / "anchor"

    def left(self) -> int:
        """What this machine may still let in of the line."""
        lines = [line for job in self.status()["jobs"] for line in job["lines"]]
        return int(lines[0]["left"]) if lines else 0

    def arrived(self) -> bool:
        """Whether all that the door said has reached the center."""
        status = self.status()
        link = next(one for one in status["links"] if one["name"] == "center")
        told = not status["last"] or status["last"][0]["position"] == status["position"]
        return bool(told and link["state"] == "Up" and link["behind"] == 0)


class Fleet:
    """The center and its docks. `authorized` pieces are on the one line that all trucks share; `program` is
    what the docks run.
    """

    def __init__(
        self, folder: Path, server: OwnPostgres, database: str, authorized: int, program: str = "zonegate"
    ) -> None:
        self.folder, self.authorized, self.program = folder, authorized, program
        self.labels = _pallets()
        self.machines: dict[str, Machine] = {}
        self.gone: list[Machine] = []
        self.counted: dict[str, set[str]] = defaultdict(set)
        self._server = server
        self.database = database
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.dsn = await self._server.create_database(self.database)
        self.center = OwnCenter(self.folder / "center", self.dsn, TENANT, ZONE)
        await self._stack.enter_async_context(self.center)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        await self._server.drop_database(self.database)

    async def dock(self, node: str, name: str | None = None) -> Machine:
        """A dock is installed with a code."""
        return await self._enter(Machine(self, name or node, node, await self.center.enrol(node)))

    async def clone(self, machine: Machine, name: str) -> Machine:
        """Another computer with a copy of the whole of `machine`, which must not run meanwhile; its gate is
        shut as that of `machine` is.
        """
        image = machine.copy(name)
        other = Machine(self, name, machine.id, machine.code)
        other.gate.shut = machine.gate.shut
        base = other.folder / "node"
        (base / "files").mkdir(parents=True)
        shutil.copytree(image / "store", base / "files" / "store")
        shutil.copytree(image / "anchor", base / "anchor")
        return await self._enter(other)

    async def retire(self, machine: Machine) -> None:
        """A machine is switched off for good; what its screen displayed stays seen."""
        await machine.process.kill()
        self.machines.pop(machine.name)
        self.gone.append(machine)

    async def _enter(self, machine: Machine) -> Machine:
        await self._stack.enter_async_context(machine)
        self.machines[machine.name] = machine
        await machine.recording()
        return machine

    async def plan(self, *nodes: str) -> None:
        """The permit, and a truck at each node's door that may use it."""
        given = self.folder / "papers.json"
        given.write_text(json.dumps(_papers(self.authorized, nodes)), encoding="utf-8")
        await self.center.take_papers(given)

    # -- the center's own faults ----------------------------------------------------------------------

    async def center_image(self, name: str) -> None:
        """A copy of the center's whole machine: database and anchor. It stands still meanwhile."""
        await self.center.stop()
        await self._server._execute(f'CREATE DATABASE "{name}" TEMPLATE "{self.database}"')
        shutil.rmtree(self.folder / f"center-{name}", ignore_errors=True)
        shutil.copytree(self._data, self.folder / f"center-{name}", ignore=shutil.ignore_patterns("*.sock"))
        await self.center.start()

    async def center_back(self, name: str, *, anchor: str) -> None:
        """The database as it was; `anchor` is "kept" (it is ahead), "lost", or "old" (the whole machine)."""
        await self.center.kill()
        await self._server.drop_database(self.database)
        await self._server._execute(f'CREATE DATABASE "{self.database}" TEMPLATE "{name}"')
        if anchor != "kept":
            for file in ("anchor", "epoch.key", "roll"):
                (self._data / file).unlink(missing_ok=True)
        if anchor == "old":
            shutil.copytree(self.folder / f"center-{name}", self._data, dirs_exist_ok=True)
        await self.center.start()

    @property
    def _data(self) -> Path:
        return self.center.folder / "data"

    async def act(self, path: str, **body: object) -> Any:
        """A person's act at the center, with the token."""
        request = urllib.request.Request(
            self.center.url + path,
            data=json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.center.token('center')}",
                "Content-Type": "application/json",
            },
        )
        return await asyncio.to_thread(_answer, request)

    async def cases(self) -> Any:
        """What the center says that people must look into."""
        return await asyncio.to_thread(_get, f"{self.center.url}/api/v1/cases")

    async def count(self) -> int:
        """People say which docks there are, if that was lost, and count what logs took that no machine writes
        any more; how many logs and gaps they counted.

        Their count is true: it is taken from the screens, which displayed what came in.
        """
        await self.settled()
        nodes = sorted({machine.id for machine in self.machines.values()})
        if any(case["name"] == "roll" for case in (await self.cases())["cases"]):
            await self.act("/api/v1/attest-roll", nodes=nodes, by="a person")
        writing = {machine.epoch() for machine in self.machines.values()}
        counted = 0
        for node in nodes:
            standing = await asyncio.to_thread(_get, f"{self.center.url}/api/v1/nodes/{node}")
            logs = standing["logs"]
            gaps = [log["epoch"] for log in logs if log["gap"]]
            left = [log["epoch"] for log in logs if not log["closed"] and log["epoch"] not in writing]
            if not left and not gaps:
                continue
            whole = writing | {log["epoch"] for log in logs if log["closed"] == "end"}
            taken = {
                picture.code
                for machine in (*self.machines.values(), *self.gone)
                for picture in machine.admitted()
                if machine.id == node and picture.position.partition(":")[0] not in whole
            }
            # A later count takes the place of an earlier one, so it names what that one named.
            self.counted[node].update(gaps)
            await self.act(
                "/api/v1/write-off",
                node=node,
                epochs=[log["epoch"] for log in logs if log["epoch"] not in whole],
                gaps=sorted(self.counted[node]),
                counted=[{"permit": PERMIT, "line": "1", "quantity": str(len(taken))}],
                by="a person",
                note="counted on the floor",
                attest=standing["attestation"],
            )
            counted += len(left) + len(gaps)
        return counted

    # -- what must hold -------------------------------------------------------------------------------

    async def settled(self) -> None:
        """Wait until every running machine's word is at the center."""
        for machine in self.machines.values():
            if machine.process.running and not machine.gate.shut:
                await until(machine.arrived, f"{machine.name} to reach the center")

    def displayed(self) -> set[str]:
        """The serial numbers of all loads that a screen displayed as ACCEPTED."""
        return {
            picture.code[-8:]
            for machine in (*self.machines.values(), *self.gone)
            for picture in machine.admitted()
        }

    async def rows(self, question: str) -> list[Any]:
        """What PostgreSQL says."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return list(await connection.fetch(question))
        finally:
            await connection.close()

    async def findings(self, *, beyond: int = 0, patience_s: float = WAIT_S) -> list[str]:
        """What is wrong, once everything has had its time. `beyond` pieces may have been let in over the
        permit: leases in an image that ran twice.
        """
        await self.settled()
        wrong: list[str] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while wrong := await self._findings(beyond):  # noqa: ASYNC110 - as in until_async
                    await asyncio.sleep(0.1)  # a center that was restored is sent its logs again
        return wrong

    async def _findings(self, beyond: int) -> list[str]:
        found = {row["serial"]: row["times"] for row in await self.rows(_MOVED)}
        recorded = {row["serial"] for row in await self.rows(_RECORDED)}
        shown = self.displayed()
        wrong = [f"lost: {serial}" for serial in sorted(shown - recorded)]
        wrong += [f"not in the books: {serial}" for serial in sorted(recorded - found.keys())]
        wrong += [f"twice: {serial}" for serial, times in found.items() if times != 1]
        if len(found) > self.authorized + beyond:
            wrong.append(f"overdrawn: {len(found)} of {self.authorized} and {beyond}")
        for machine in self.machines.values():
            if (machine.process.store / "journal.db").exists():
                finding = verify_store(machine.process.store).finding
                wrong += [f"chain of {machine.name}: {finding.sentence}"] if finding else []
        return wrong


_ADMISSIONS = """
    SELECT entry_id, convert_from(record, 'UTF8')::jsonb AS entry FROM entry
    WHERE node <> 'center' AND type = 'admission'
    UNION
    SELECT (convert_from(record, 'UTF8')::jsonb #>> '{body,record,entry_id}')::uuid,
        convert_from(record, 'UTF8')::jsonb #> '{body,record}' FROM entry
    WHERE node <> 'center' AND type = 'adopt'
        AND convert_from(record, 'UTF8')::jsonb #>> '{body,record,type}' = 'admission'
"""
_RECORDED = f"SELECT DISTINCT right(entry #>> '{{body,load,key}}', 8) AS serial FROM ({_ADMISSIONS}) a"
_MOVED = "SELECT right(key, 8) AS serial, count(*) AS times FROM movement GROUP BY 1"


def _get(url: str) -> Any:
    return _answer(urllib.request.Request(url))


def _answer(request: urllib.request.Request) -> Any:
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def _pallets() -> Iterator[bytes]:
    for number in itertools.count(1):
        yield labels.gs1_128(("01", GTIN), ("21", f"P{number:07d}"))


def _papers(authorized: int, nodes: tuple[str, ...]) -> dict[str, Any]:
    today = datetime.now(UTC).date()
    line = {
        "line": "1",
        "product": GTIN,
        "status": STATUS,
        "quantity": str(authorized),
        "unit": "EA",
        "direction": "in",
    }
    permit = {
        "number": PERMIT,
        "kind": "admission",
        "owner": OWNER,
        "valid_from": (today - timedelta(days=3)).isoformat(),
        "valid_to": (today + timedelta(days=3)).isoformat(),
        "lines": [line],
    }
    trucks = [
        {
            "job": node.upper(),
            "conveyance": f"TR {node}",
            "carrier": "Example Carrier",
            "door": f"{node}-in",
            "direction": "in",
            "permit_lines": [{"permit": PERMIT, "line": "1"}],
            "loads": [],
        }
        for node in nodes
    ]
    product = {"gtin": GTIN, "name": "TOOL-12", "unit": "EA", "per_pallet": "2"}
    return {"products": [product], "permits": [permit], "trucks": trucks}
