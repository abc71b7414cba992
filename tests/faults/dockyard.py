# SPDX-License-Identifier: Apache-2.0
"""A dock on the real processes, from the scanner's pty to PostgreSQL, for proofs that break it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import asyncpg

from simulators.scanner import PtyScanner
from simulators.yard import labels
from zonegate.own import OwnCenter, OwnGate, OwnNode
from zonegate.verify import verify_store
from zonegate.zonelogs import audit

TENANT, ZONE, NODE, DOOR = "example", "999001001", "dock-1", "d1"
GTIN = "09521999001058"
JOB = "IN-1"
WAIT_S = 60.0
AUTHORIZED = 1_000_000
FAST = {"[[door]]": "reads_per_second = 1000"}
"""For proofs that scan faster than a hand: what a door drops as a flood would be waited for in vain."""

Json = dict[str, Any]


def papers(quantity: int = AUTHORIZED, loads: Mapping[str, int] | None = None) -> Json:
    """One inbound truck on one permit line of `quantity` pieces; `loads` are SSCCs with theirs."""
    today = datetime.now(UTC).date()
    owner, status = "Example Tools", "NPF"
    line = {
        "line": "1",
        "product": GTIN,
        "status": status,
        "quantity": str(quantity),
        "unit": "EA",
        "direction": "in",
    }
    return {
        "products": [{"gtin": GTIN, "name": "TOOL-12", "unit": "EA", "per_pallet": "125"}],
        "permits": [
            {
                "number": "A214",
                "kind": "admission",
                "owner": owner,
                "valid_from": (today - timedelta(days=3)).isoformat(),
                "valid_to": (today + timedelta(days=3)).isoformat(),
                "lines": [line],
            }
        ],
        "trucks": [
            {
                "job": JOB,
                "conveyance": "TR 1",
                "carrier": "Example Carrier",
                "door": DOOR,
                "direction": "in",
                "permit_lines": [{"permit": "A214", "line": "1"}],
                "loads": [
                    {
                        "sscc": sscc,
                        "gtin": GTIN,
                        "quantity": str(pieces),
                        "lot": "L1",
                        "owner": owner,
                        "status": status,
                    }
                    for sscc, pieces in (loads or {}).items()
                ],
            }
        ],
    }


def pallets() -> Iterator[bytes]:
    """Labels of distinct loads without end: a GTIN with a serial number, which counts as one piece."""
    for number in itertools.count(1):
        yield labels.gs1_128(("01", GTIN), ("21", f"P{number:07d}"))


def serial_of(code: str) -> str:
    """The serial number in such a label."""
    return code[-8:]


class PlantedNode(OwnNode):
    """A node with settings of its own in zonegate.toml, or one that runs a planted program."""

    program = "zonegate"

    def plant(self, settings: Mapping[str, str], program: str = "zonegate") -> Self:
        """`settings` maps a table's head, such as "[node]", to lines that follow it."""
        self.settings, self.program = dict(settings), program
        return self

    def _command(self) -> list[str]:
        command = super()._command()
        text = self.config.read_text(encoding="utf-8")
        for table, line in self.settings.items():
            assert f"{table}\n" in text
            text = re.sub(rf"(?m)^{line.partition(' = ')[0]} = .*\n", "", text)
            text = text.replace(f"{table}\n", f"{table}\n{line}\n")
        self.config.write_text(text, encoding="utf-8")
        return [self.program if word == "zonegate" else word for word in command]


@dataclass
class Picture:
    """What a screen displayed."""

    event: str
    state: str
    reason: str
    code: str
    position: str


class Screen:
    """The process that watches the door. `log` is its own file, `seen` what was read of it so far."""

    def __init__(self, url: str, log: Path, door: str = DOOR) -> None:
        self._url = url
        self._door = door
        self.log = log
        self.seen: list[Picture] = []
        self._news = asyncio.Condition()
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        program = Path(__file__).with_name("screen_log.py")
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", str(program), self._url, self._door, str(self.log)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Look away; may be repeated."""
        assert self._process is not None and self._process.stdin is not None and self._reading is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reading

    async def until(self, condition: Callable[[Sequence[Picture]], bool], *, after: int = 0) -> list[Picture]:
        """Wait until the pictures behind the first `after` are as wanted; those."""
        if not await self.within(WAIT_S, condition, after=after):
            raise AssertionError(f"the screen did not show it within {WAIT_S:.0f} s: {self.seen[-3:]}")
        return self.seen[after:]

    async def within(
        self, seconds: float, condition: Callable[[Sequence[Picture]], bool], *, after: int = 0
    ) -> bool:
        """Whether the pictures behind the first `after` become as wanted in this time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._news:
                await self._news.wait_for(lambda: condition(self.seen[after:]))
            return True
        return False

    def accepted(self) -> list[Picture]:
        """All that the file says was displayed as ACCEPTED."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        shown = [Picture(**json.loads(line)) for line in lines]
        return [picture for picture in shown if picture.state == "ACCEPTED"]

    async def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        async for line in self._process.stdout:
            async with self._news:
                self.seen.append(Picture(**json.loads(line)))
                self._news.notify_all()


@dataclass
class Dockyard:
    """All that runs in a proof."""

    folder: Path
    dsn: str
    center: OwnCenter
    node: PlantedNode
    scanner: PtyScanner
    screen: Screen
    codes: list[str] = field(default_factory=list)

    async def scan(self, label: bytes) -> Picture:
        """Scan and wait for what the screen says of it; "checking" is not yet an answer."""
        before = len(self.screen.seen)
        await self.scanner.send(label + b"\r")
        code = label.decode()
        shown = await self.screen.until(lambda seen: any(_answers(one, code) for one in seen), after=before)
        return next(one for one in shown if _answers(one, code))

    def status(self) -> Json:
        """The status page's content."""
        found: Json = self.node.get("/api/v1/status")
        return found

    def link(self, name: str = "center") -> Json:
        """One sink's state on the status page."""
        return next(link for link in self.status()["links"] if link["name"] == name)

    def arrived(self) -> bool:
        """Whether all that the doors said is told, and the center has it."""
        status = self.status()
        center = next(link for link in status["links"] if link["name"] == "center")
        told = status["last"][0]["position"] == status["position"]
        return bool(told and center["state"] == "Up" and center["behind"] == 0)

    async def findings(self) -> list[str]:
        """What is wrong with the record, seen from what was displayed. The node has caught up before."""
        await until(self.arrived, "everything to reach the center")
        shown = {serial_of(picture.code) for picture in self.screen.accepted()}
        recorded = await self.recorded()
        verified = verify_store(self.node.store)
        audited = await audit(self.dsn, TENANT, ZONE)
        return [
            *(f"database: {finding.told()}" for finding in audited.findings),
            *(f"lost: {serial}" for serial in sorted(shown - recorded.keys())),
            *(f"twice: {serial}" for serial, times in recorded.items() if times != 1),
            *([f"chain: {verified.finding.sentence}"] if verified.finding else []),
            *([f"epochs: {verified.epochs}"] if verified.epochs != 1 else []),
            *(f"missing: {sentence}" for sentence in verified.missing),
        ]

    async def recorded(self) -> dict[str, int]:
        """How often PostgreSQL has each load as admitted; of record and books the larger number."""
        connection = await asyncpg.connect(self.dsn)
        try:
            await until_async(lambda: _books_are_made(connection), "the books to be made")
            rows = [*await connection.fetch(_ADMITTED), *await connection.fetch(_MOVED)]
            record = {row["serial"] for row in await connection.fetch(_ADMITTED)}
            books = {row["serial"] for row in await connection.fetch(_MOVED)}
            assert record == books
        finally:
            await connection.close()
        found: dict[str, int] = {}
        for row in rows:
            found[row["serial"]] = max(found.get(row["serial"], 0), row["times"])
        return found


# The last eight characters of a load's key are its serial number, or the end of its SSCC.
_ADMITTED = """
    SELECT right(convert_from(record, 'UTF8')::jsonb #>> '{body,load,key}', 8) AS serial, count(*) AS times
    FROM entry WHERE node = 'dock-1' AND type = 'admission' GROUP BY 1
"""
_MOVED = """
    SELECT right(key, 8) AS serial, count(*) AS times
    FROM movement WHERE node = 'dock-1' AND type = 'admission' GROUP BY 1
"""


async def _books_are_made(connection: asyncpg.Connection[Any]) -> bool:
    return bool(
        await connection.fetchval(
            "SELECT (SELECT count(*) FROM entry WHERE type = 'admission') = (SELECT count(*) FROM movement)"
        )
    )


def _answers(picture: Picture, code: str) -> bool:
    """Whether a picture is the last word on a scan; a dock that cannot record says so of none by name."""
    return picture.reason == "cannot-record" or (picture.code == code and picture.reason != "checking")


@contextlib.asynccontextmanager
async def dockyard(
    folder: Path,
    dsn: str,
    documents: Json,
    *,
    program: str = "zonegate",
    settings: Mapping[str, str] | None = None,
    broker: str | None = None,
    center: OwnCenter | None = None,
    gates: Sequence[OwnGate] = (),
    before: Iterable[Callable[[PlantedNode], object]] = (),
) -> AsyncIterator[Dockyard]:
    """Everything started, the papers at the dock, the truck open. `before` may prepare the node's folder."""
    async with contextlib.AsyncExitStack() as stack:
        center = center or OwnCenter(folder, dsn, TENANT, ZONE)
        await stack.enter_async_context(center)
        link = folder / "by-id" / "usb-Example_Scanner-if00"
        scanner = await stack.enter_async_context(PtyScanner(link, baud=None, send_aim=False))
        node = PlantedNode(
            folder,
            tenant=TENANT,
            zone=ZONE,
            node=NODE,
            doors={DOOR: ("Door 1", link)},
            center=center,
            code=await center.enrol(NODE),
            broker=broker,
            timezone="UTC",
            gates=gates,
        ).plant(settings or {}, program)
        for prepare in before:
            prepare(node)
        await stack.enter_async_context(node)
        screen = await stack.enter_async_context(Screen(node.url, folder / "screen.jsonl"))
        yard = Dockyard(folder, dsn, center, node, scanner, screen)
        await until(yard.arrived, "the node to reach the center")
        given = folder / "papers.json"
        given.write_text(json.dumps(documents), encoding="utf-8")
        await center.take_papers(given)
        await until(lambda: _has_job(yard), "the papers to reach the dock")
        await scanner.send(labels.work_order(JOB) + b"\r")
        await screen.until(lambda seen: any(picture.reason == "opened" for picture in seen))
        await until(yard.arrived, "the opened truck to reach the center")
        yield yard


def _has_job(yard: Dockyard) -> bool:
    """The truck is known and the center has confirmed what was lent."""
    jobs = yard.status()["jobs"]
    return any(line["left"] not in ("0", 0) for job in jobs for line in job["lines"])


async def until(condition: Callable[[], bool], what: str) -> None:
    """Look again and again, a bounded time; an answer that does not come counts as no."""

    async def look() -> bool:
        with contextlib.suppress(OSError):
            return await asyncio.to_thread(condition)
        return False

    await until_async(look, what)


async def until_async(condition: Callable[[], Any], what: str) -> None:
    """As `until`, for a coroutine."""
    try:
        async with asyncio.timeout(WAIT_S):
            while not await condition():  # noqa: ASYNC110 - another process tells no event
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"waited {WAIT_S:.0f} s for {what}") from None


def healthz(node: OwnNode) -> tuple[int, str]:
    """Status and words of the node's health address."""
    try:
        with urllib.request.urlopen(node.url + "/healthz", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def page(url: str) -> str:
    """A page's source."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def kill_now(pid: int) -> None:
    """SIGKILL without waiting."""
    os.kill(pid, signal.SIGKILL)
