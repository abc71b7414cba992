# SPDX-License-Identifier: Apache-2.0
"""Playing a script at a running dock: scans over ptys, eyes on the screen, every step in the truth file.

A worker never waits a while and hopes: the next scan of a door follows when its screen has answered the last
one, and what is not answered in time is told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from simulators.scanner import PtyScanner
from simulators.yard.drive import Tape, record
from simulators.yard.rig import Rig
from simulators.yard.scenario import Scenario
from simulators.yard.screen import Dock, DockError, View
from simulators.yard.story import Drive, Step, Until
from simulators.yard.truth import TruthFile
from simulators.yard.works import WorkOrder

BAUD: Final = 115_200

_INSIST_S: Final = 5.0  # a second scan that a slow dock answers late would stand in the next step's way
_INSIST_TIMES: Final = 12


class PlayError(Exception):
    """The script cannot go on; the message says what the dock did not do in time."""


def scanner_links(folder: Path, scenario: Scenario) -> dict[str, Path]:
    """The lasting name of each door's scanner within `folder`, as udev would give it."""
    return {door: folder / f"usb-Example_Scanner_{door.upper()}-if00" for door in scenario.doors}


Call = Callable[[str, WorkOrder | None], Awaitable[None]]
"""Does to the service what the script says (kill-node, ...) and returns when that is done; "make" has the
work order that the center is told."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a script is played: `speed` divides the pauses, `patience_s` bounds each wait for the dock.

    `trigger_s` lies between two pulls of one trigger at any speed: a hand is not faster. `swallow` is the
    number of a step whose scan never reaches the wire. With `stay` the scanners stay plugged at the end until
    the call "played" is answered.
    """

    speed: float = 1.0
    patience_s: float = 20.0
    trigger_s: float = 1 / 16
    swallow: int | None = None
    stay: bool = False


class Play:
    """One run of a scenario.

    `docks` by door, one for all doors of a node; `scanners` by door; a door without one is used through its
    screen's keyboard. `rigs` by door where the scenario uses a gate. `tell` gets a sentence for each step.
    """

    def __init__(
        self,
        scenario: Scenario,
        docks: Mapping[str, Dock],
        scanners: Mapping[str, PtyScanner],
        truth: TruthFile,
        call: Call,
        tell: Callable[[str], None],
        pace: Pace,
        rigs: Mapping[str, Rig] | None = None,
    ) -> None:
        self._scenario = scenario
        self._docks = docks
        self._doors: dict[Dock, list[str]] = {}
        for door in scenario.doors:
            self._doors.setdefault(docks[door], []).append(door)
        self._scanners = scanners
        self._truth = truth
        self._call = call
        self._tell = tell
        self._pace = pace
        self._rigs = rigs or {}
        self._triggered: dict[str, float] = {}
        self._scans = 0
        self._unanswered: list[int] = []

    async def run(self) -> list[int]:
        """Play to the end; the numbers of the steps that no screen answered. Raises PlayError."""
        async with AsyncExitStack() as stack:
            for scanner in self._scanners.values():
                await stack.enter_async_context(scanner)
            for rig in self._rigs.values():
                await stack.enter_async_context(rig)
            self._truth.begin(self._scenario)
            await self._until_ready()
            for _, steps in groupby(self._scenario.steps, key=lambda step: step.phase):
                await self._phase(list(steps))
            self._truth.end(scans=self._scans, unanswered=self._unanswered)
            if self._pace.stay:
                await self._call("played", None)
        return self._unanswered

    async def _phase(self, steps: list[Step]) -> None:
        """All steps of a phase, each door at its own pace."""
        async with asyncio.TaskGroup() as group:
            for door in sorted({step.door for step in steps}):
                group.create_task(self._at_door([step for step in steps if step.door == door]))

    async def _at_door(self, steps: list[Step]) -> None:
        for step in steps:
            if step.pause_s:
                await asyncio.sleep(step.pause_s / self._pace.speed)
            await self._do(step)

    async def _do(self, step: Step) -> None:
        self._tell(f"{step.door or 'yard':>4}  {step.note}")
        answered: bool | None = None
        scans = 0
        passage: dict[str, Any] | None = None
        sent = step.number != self._pace.swallow
        if step.act == "drive":
            answered, passage = await self._drive(step)
        elif step.act == "show" and self._rigs[step.door].pictures is not None:
            answered = await self._show(step)
        elif step.act in ("scan", "show"):
            scans, answered = await self._scan(step) if sent else (step.times, None)
        elif step.act == "type":
            answered = await self._type(step)
        elif step.act == "unplug" and step.door in self._scanners:
            self._scanners[step.door].unplug()
            await self._until_missed(step.door)
        elif step.act == "plug" and step.door in self._scanners:
            self._scanners[step.door].plug()
            await self._until_devices()
        elif step.act in ("call", "make"):
            await self._call_out(step)
        elif step.act == "wait":
            await self._until_known(step)
        self._scans += scans
        if answered is False:
            self._unanswered.append(step.number)
        self._truth.step(step, scans, sent=sent, answered=answered, passage=passage)

    async def _scan(self, step: Step) -> tuple[int, bool | None]:
        dock = self._docks[step.door]
        before = _mark(dock.now(step.door))
        patience_s = _INSIST_S if step.insist else self._pace.patience_s
        for tries in range(1, (_INSIST_TIMES if step.insist else 1) + 1):
            await self._trigger(step)
            if not step.answer:
                return step.times, None
            if await dock.until(step.door, lambda view: _answers(step, before, view), patience_s):
                return tries * step.times, True
        return tries * step.times, False

    async def _drive(self, step: Step) -> tuple[bool | None, dict[str, Any]]:
        """Drive through the gate; whether the screen answered, and what the truth file keeps of it."""
        rig, drive = self._rigs[step.door], step.drive
        assert drive is not None, "a drive says how"
        seed = f"{self._scenario.script}:{self._scenario.seed}:{step.number}"
        tape = await asyncio.to_thread(record, drive.manner, drive.unit, drive.items, seed)
        patience_s = self._pace.patience_s
        if not await rig.ready(patience_s):
            raise PlayError(f"the reader of {step.door} was not set up to read after {patience_s:g} s")
        # Who is to see the lamp light up must not find it lit.
        if step.answer == "stop" and not await rig.dark(patience_s):
            raise PlayError(f"step {step.number}: the lamp of {step.door} said STOP for {patience_s:g} s")
        await rig.clear()
        before = _mark(self._docks[step.door].now(step.door))
        passage = _passage(drive, tape)
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(rig.play(tape))
            screen = group.create_task(self._look(step, before))
            lamp = group.create_task(rig.lit(tape.ends_us / 1e6)) if step.answer == "stop" else None
        passage["until"] = _now()
        if lamp is not None:
            assert tape.turns_us is not None, "who is stopped goes back"
            turns = began + tape.turns_us / 1e6
            passage["stop"] = {
                "screen_ms": _ahead_ms(turns, screen.result()),
                "lamp_ms": _ahead_ms(turns, lamp.result()),
            }
        return (None if not step.answer else screen.result() is not None), passage

    async def _look(self, step: Step, before: object) -> float | None:
        """When (time.monotonic) the screen answered a drive; None when it did not, or nobody looks."""
        if not step.answer:
            return None
        dock = self._docks[step.door]
        seen = await dock.until(step.door, lambda view: _answers(step, before, view), self._pace.patience_s)
        return time.monotonic() if seen else None

    async def _show(self, step: Step) -> bool:
        """Hold a label before the camera, and look at the screen."""
        dock = self._docks[step.door]
        before = _mark(dock.now(step.door))
        await self._rigs[step.door].show(step.code)
        return await dock.until(step.door, lambda view: _answers(step, before, view), self._pace.patience_s)

    async def _trigger(self, step: Step) -> None:
        due = self._triggered.get(step.door, 0.0) + self._pace.trigger_s
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        self._triggered[step.door] = time.monotonic()
        scanner = self._scanners.get(step.door)
        if scanner is None:
            for time_ in range(step.times):
                await self._docks[step.door].type_scan(step.door, step.code, f"{self._client(step)}-{time_}")
            return
        # The label's symbology identifier is part of what was printed here.
        framed = step.code + b"\r"
        if step.manner == "split":
            cut = len(framed) // 2
            await scanner.send(framed[:cut])
            await scanner.send(framed[cut:])
        else:
            await scanner.send(framed * step.times)

    async def _type(self, step: Step) -> bool:
        dock = self._docks[step.door]
        if not await dock.until(step.door, lambda view: bool(view.get("prompt")), self._pace.patience_s):
            return False
        view = dock.now(step.door)
        before = _mark(view)
        try:
            await dock.type_quantity(step.door, view["prompt"]["hold"], step.text, self._client(step))
        except DockError as error:
            raise PlayError(f"step {step.number}, {step.note}: {error}") from error
        return await dock.until(step.door, lambda view: _answers(step, before, view), self._pace.patience_s)

    async def _call_out(self, step: Step) -> None:
        if step.text == "kill-broker":
            # An event that the broker has taken and not yet handed on would die with it.
            await self._until_published()
        await self._call(step.text, step.order)
        if step.text == "kill-node":
            await self._until_devices()

    async def _until_ready(self) -> None:
        """Papers here, what they lend confirmed, scanners up: the dock's morning."""
        for dock, doors in self._doors.items():
            trucks = [truck for truck in self._scenario.papers.trucks if truck.door in doors]
            wanted = {truck.job: len(truck.lines) for truck in trucks}
            ready = await dock.until_status(partial(_has_papers, wanted=wanted), self._pace.patience_s)
            if not ready:
                raise PlayError(
                    f"the dock did not get the papers of {', '.join(wanted)} within "
                    f"{self._pace.patience_s:g} s; import them at the center and see that the dock reaches it"
                )
        await self._until_devices()

    async def _until_devices(self) -> None:
        for dock, doors in self._doors.items():
            scanned = set(self._scanners) & set(doors)
            if not await dock.until_status(partial(_scanners_up, doors=scanned), self._pace.patience_s):
                raise PlayError(
                    f"the scanners of {', '.join(sorted(scanned))} were not up after "
                    f"{self._pace.patience_s:g} s"
                )
            for door in sorted(doors):
                if not await dock.until(door, bool, self._pace.patience_s):
                    raise PlayError(f"the screen of {door} showed nothing for {self._pace.patience_s:g} s")

    async def _until_missed(self, door: str) -> None:
        """Nobody plugs a scanner in again before the dock has said that it is gone."""
        if not await self._docks[door].until_status(
            lambda status: not _scanners_up(status, {door}), self._pace.patience_s
        ):
            raise PlayError(
                f"{door} was without its scanner for {self._pace.patience_s:g} s, and nothing told it"
            )

    async def _until_published(self) -> None:
        for dock in self._doors:
            if not await dock.until_status(_published, self._pace.patience_s):
                raise PlayError(f"events waited for the broker longer than {self._pace.patience_s:g} s")

    async def _until_known(self, step: Step) -> None:
        """What one dock did is known at another one after each has asked the center."""
        dock, until = self._docks[step.door], step.until
        assert until is not None, "a wait says for what"
        known = await dock.until_status(lambda status: _lends(status, until), self._pace.patience_s)
        if not (known and await dock.until_held(set(until.loads), self._pace.patience_s)):
            raise PlayError(f"step {step.number}, {step.note}: not within {self._pace.patience_s:g} s")

    def _client(self, step: Step) -> str:
        return f"yard-{self._scenario.script}-{self._scenario.seed}-{step.number}"


def _passage(drive: Drive, tape: Tape) -> dict[str, Any]:
    """What the truth file keeps of a trip."""
    return {
        "manner": drive.manner,
        "kinds": list(drive.kinds),
        "direction": drive.direction,
        "unit": drive.unit.hex(),
        "tags": [epc.hex() for epc in tape.epcs],
        "from": _now(),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _ahead_ms(turns: float, seen: float | None) -> int | None:
    return None if seen is None else round((turns - seen) * 1000)


def _mark(view: View) -> object:
    """What changes on a screen with every answer: the moment it speaks of."""
    return view.get("at")


def _answers(step: Step, before: object, view: View) -> bool:
    """Whether the screen shows the answer to the step, and not still the one before."""
    if not view or view.get("reason") == "checking":
        return False
    job = view.get("job") or {}
    if step.answer == "opened":
        return bool(job.get("job") == step.shows and job.get("state") == "open")
    if step.answer == "closed":
        return job.get("job") != step.shows or job.get("state") == "closed"
    if _mark(view) == before or (step.answer == "stop" and view.get("state") != "STOP"):
        return False
    named = _plain(step.shows).upper() in _plain(view.get("code", "")).upper()
    return named or step.answer not in ("load", "stop")


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text.removeprefix("https://id.gs1.org")))


def _has_papers(status: View, wanted: Mapping[str, int]) -> bool:
    """Every truck is planned, and each of its lines can be spent."""
    jobs = {job["job"]: job for job in status["jobs"]}
    return all(
        name in jobs
        and len(jobs[name]["lines"]) == lines
        and all(float(line["left"]) > 0 for line in jobs[name]["lines"])
        for name, lines in wanted.items()
    )


def _lends(status: View, until: Until) -> bool:
    """Whether the dock is lent what is waited for, or knows who is."""
    if not until.left and until.lent is None:
        return True
    leases = {f"{lease['permit']}/{lease['line']}": lease for lease in status["record"]["leases"]}
    left = {line: float(lease["left"]) for line, lease in leases.items()}
    enough = all(left.get(line, 0.0) >= wanted for line, wanted in until.left)
    if until.lent is None:
        return enough
    line, elsewhere = until.lent
    holders = leases.get(line, {}).get("holders")
    return enough and not left.get(line) and holders is not None and bool(holders) == elsewhere


def _scanners_up(status: View, doors: set[str]) -> bool:
    return doors <= {device["door"] for device in status["devices"] if device["state"] == "Up"}


def _published(status: View) -> bool:
    return all(link["behind"] == 0 for link in status["links"] if link["name"] == "mqtt")
