# SPDX-License-Identifier: Apache-2.0
"""The yard against a dock that only answers: what reaches the wire, when, and what is told as truth."""

from __future__ import annotations

import asyncio
import json
import os
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from simulators.scanner import PtyScanner
from simulators.yard.runner import BAUD, Pace, Play, PlayError, scanner_links
from simulators.yard.scenario import Scenario, build
from simulators.yard.screen import Dock
from simulators.yard.truth import TruthFile
from simulators.yard.works import WorkOrder

TODAY = date(2026, 6, 3)
FAST = Pace(speed=10_000, patience_s=5, trigger_s=0)


class FakeDock:
    """Answers each line of its scanners with a new screen, and remembers when it did.

    `deaf`: lines that get no answer. `moment` counts answers and stands for the screen's time.
    """

    def __init__(self, scenario: Scenario, links: dict[str, Path], deaf: tuple[bytes, ...] = ()) -> None:
        self.heard: dict[str, list[bytes]] = {door: [] for door in scenario.doors}
        self.typed: list[dict[str, str]] = []
        self.overlapped: list[bytes] = []
        self._scenario = scenario
        self._links = links
        self._deaf = deaf
        self._views: dict[str, dict[str, Any]] = {door: {"door": door, "at": None} for door in scenario.doors}
        self._moment = 0
        self._streams: set[asyncio.Event] = set()
        self._open: dict[str, tuple[int, str]] = {}
        self._buffers = dict.fromkeys(scenario.doors, b"")
        self._busy: dict[str, str] = {}

    async def watch_links(self) -> None:
        """Open each scanner's lasting name when it appears, let go of it when it goes."""
        while True:
            for door, link in self._links.items():
                path = os.path.realpath(link) if link.exists() else ""
                descriptor, opened = self._open.get(door, (-1, ""))
                if descriptor >= 0 and path != opened:
                    self._close(door)
                elif descriptor < 0 and path:
                    descriptor = os.open(link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
                    tty.setraw(descriptor)
                    self._open[door] = descriptor, path
                    asyncio.get_running_loop().add_reader(descriptor, self._take, door, descriptor)
            await asyncio.sleep(0.01)

    def close(self) -> None:
        for door in list(self._open):
            self._close(door)

    def _close(self, door: str) -> None:
        descriptor, _ = self._open.pop(door)
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)

    def _take(self, door: str, descriptor: int) -> None:
        try:
            self._buffers[door] += os.read(descriptor, 65536)
        except OSError:
            self._close(door)
            return
        *lines, self._buffers[door] = self._buffers[door].split(b"\r")
        if lines and door in self._busy:
            # A label that is scanned twice at once is waited for once.
            self.overlapped += [line for line in lines if line.decode() != self._busy[door]]
        for line in lines:
            again = self.heard[door][-1:] == [line]
            self.heard[door].append(line)
            if line not in self._deaf:
                if not again:
                    self._busy[door] = line.decode()
                asyncio.get_running_loop().call_later(0.002, self._answer, door, line.decode())

    def _answer(self, door: str, code: str) -> None:
        view = self._views[door]
        self._moment += 1
        if self._busy.get(door) == code:
            del self._busy[door]
        view |= {"at": self._moment, "code": code, "reason": "answered", "prompt": None}
        if code.startswith("ZG1:J:"):
            view["job"] = {"job": code.split(":")[2], "state": "open"}
        elif code.startswith("ZG1:C:CLOSE"):
            view["job"] = None
        elif code.startswith("]d20109521999001058") and "\x1d" not in code:
            view["prompt"] = {"kind": "quantity", "hold": f"hold-{self._moment}"}
        for stream in self._streams:
            stream.set()

    # -- the public HTTP --------------------------------------------------------------------------

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/events", self._events),
                web.get("/api/v1/status", self._status),
                web.get("/api/v1/inventory", self._inventory),
                web.post("/api/v1/doors/{door}/quantity", self._quantity),
                web.post("/api/v1/doors/{door}/scan", self._scan),
            ]
        )
        return app

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        changed = asyncio.Event()
        self._streams.add(changed)
        snapshot = {"doors": list(self._views.values())}
        await response.write(f"event: snapshot\ndata: {json.dumps(snapshot)}\n\n".encode())
        while True:
            await changed.wait()
            changed.clear()
            for view in self._views.values():
                await response.write(f"event: door\ndata: {json.dumps(view)}\n\n".encode())

    async def _status(self, _: web.Request) -> web.Response:
        jobs = [
            {"job": truck.job, "lines": [{"left": "1"}] * len(truck.lines)}
            for truck in self._scenario.papers.trucks
        ]
        devices = [
            {"door": door, "state": "Up" if door in self._open else "Down"} for door in self._scenario.doors
        ]
        return web.json_response({"jobs": jobs, "devices": devices, "links": [{"name": "mqtt", "behind": 0}]})

    async def _inventory(self, _: web.Request) -> web.Response:
        loads = [load for truck in self._scenario.papers.trucks for load in truck.loads]
        return web.json_response([{"sscc": load.sscc} for load in loads])

    async def _quantity(self, request: web.Request) -> web.Response:
        self.typed.append(await request.json())
        self._answer(request.match_info["door"], "typed")
        return web.json_response({})

    async def _scan(self, request: web.Request) -> web.Response:
        self.typed.append(await request.json())
        self._answer(request.match_info["door"], self.typed[-1]["code"])
        return web.json_response({})


@asynccontextmanager
async def docked(fake: FakeDock) -> AsyncIterator[Dock]:
    runner = web.AppRunner(fake.app(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    links = asyncio.create_task(fake.watch_links())
    assert site.name
    try:
        async with Dock(f"http://127.0.0.1:{runner.addresses[0][1]}", "token") as dock:
            yield dock
    finally:
        links.cancel()
        await asyncio.gather(links, return_exceptions=True)
        fake.close()
        await runner.cleanup()


async def _play(
    scenario: Scenario, folder: Path, pace: Pace = FAST, deaf: tuple[bytes, ...] = (), keyboard: bool = False
) -> tuple[FakeDock, list[dict[str, Any]], list[int], list[str]]:
    """The dock, the truth file's lines, the unanswered steps and the calls."""
    links = {} if keyboard else scanner_links(folder, scenario)
    fake = FakeDock(scenario, links, deaf)
    calls: list[str] = []

    async def call(name: str, _: WorkOrder | None) -> None:
        calls.append(name)

    path = folder / "truth.jsonl"
    async with docked(fake) as dock:
        with TruthFile(path, lambda: datetime.now(UTC)) as truth:
            scanners = {door: PtyScanner(link, BAUD) for door, link in links.items()}
            play = Play(
                scenario, dict.fromkeys(scenario.doors, dock), scanners, truth, call, lambda _: None, pace
            )
            unanswered = await play.run()
    return fake, [json.loads(line) for line in path.read_text().splitlines()], unanswered, calls


async def test_every_scan_reaches_the_wire_in_order_and_waits_for_the_answer_before(tmp_path: Path) -> None:
    scenario = build("day", 1, TODAY)
    fake, truth, unanswered, _ = await _play(scenario, tmp_path)
    for door in scenario.doors:
        steps = [step for step in scenario.steps if step.door == door and step.act == "scan"]
        assert fake.heard[door] == [step.code for step in steps for _ in range(step.times)]
    assert unanswered == []
    assert fake.overlapped == []
    assert [entry["quantity"] for entry in fake.typed] == ["50"]
    assert truth[0]["kind"] == "script"
    assert truth[-1]["scans"] == sum(step.times for step in scenario.steps if step.act == "scan")


async def test_the_truth_file_tells_each_step_once_with_what_it_must_come_to(tmp_path: Path) -> None:
    scenario = build("day", 2, TODAY)
    _, truth, _, _ = await _play(scenario, tmp_path)
    told = {row["step"]: row for row in truth if row["kind"] == "step"}
    assert len(told) == len(scenario.steps)
    for step in scenario.steps:
        assert told[step.number]["expect"] == list(step.expect)
        assert told[step.number]["sent"] is True
        assert told[step.number]["answered"] is (True if step.answer else None)


async def test_trouble_splits_floods_unplugs_and_calls(tmp_path: Path) -> None:
    scenario = build("trouble", 1, TODAY)
    fake, _, unanswered, calls = await _play(scenario, tmp_path)
    assert calls == ["kill-node", "stop-center", "start-center", "kill-broker", "kill-node"]
    assert unanswered == []
    flood = next(step for step in scenario.steps if step.times > 20)
    assert fake.heard["d1"].count(flood.code) >= flood.times


async def test_a_swallowed_scan_is_in_the_truth_and_not_on_the_wire(tmp_path: Path) -> None:
    scenario = build("day", 1, TODAY)
    step = next(step for step in scenario.steps if step.act == "scan" and step.expect)
    fake, truth, _, _ = await _play(scenario, tmp_path, replace(FAST, swallow=step.number))
    row = next(row for row in truth if row.get("step") == step.number)
    assert (row["sent"], row["scans"], row["expect"]) == (False, 1, list(step.expect))
    steps = [other.code for other in scenario.steps if other.door == "d1" and other.act == "scan"]
    assert len(fake.heard["d1"]) == len(steps)  # one label of the script is sent twice, one not at all


async def test_a_scan_that_no_screen_answers_is_told(tmp_path: Path) -> None:
    scenario = build("day", 1, TODAY)
    deaf = next(step for step in scenario.steps if step.expect and step.expect[0]["reason"] == "unknown-load")
    _, truth, unanswered, _ = await _play(scenario, tmp_path, replace(FAST, patience_s=0.3), (deaf.code,))
    assert unanswered == [deaf.number]
    assert next(row for row in truth if row.get("step") == deaf.number)["answered"] is False
    assert truth[-1]["unanswered"] == [deaf.number]


async def test_a_script_can_be_played_at_the_screens_keyboards(tmp_path: Path) -> None:
    scenario = build("day", 1, TODAY)
    fake, _, unanswered, _ = await _play(scenario, tmp_path, keyboard=True)
    assert unanswered == []
    clients = [entry["client_id"] for entry in fake.typed]
    assert len(clients) == len(set(clients)) == truth_scans(scenario) + 1


async def test_a_dock_without_papers_ends_the_play_with_a_reason(tmp_path: Path) -> None:
    scenario = build("day", 1, TODAY)
    fake = FakeDock(build("rush", 1, TODAY), {})
    async with docked(fake) as dock:
        with TruthFile(tmp_path / "truth.jsonl", lambda: datetime.now(UTC)) as truth:
            play = Play(
                scenario,
                dict.fromkeys(scenario.doors, dock),
                {},
                truth,
                _no_call,
                lambda _: None,
                replace(FAST, patience_s=0.2),
            )
            with pytest.raises(PlayError, match="import them at the center"):
                await play.run()


def truth_scans(scenario: Scenario) -> int:
    return sum(step.times for step in scenario.steps if step.act == "scan")


async def _no_call(name: str, _: WorkOrder | None) -> None:
    raise AssertionError(name)
