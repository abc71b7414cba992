# SPDX-License-Identifier: Apache-2.0
"""`zonegate demo`: the example zone on simulated hardware, with everything else real.

Starts an own Mosquitto and PostgreSQL, a center, a node with two doors, an RFID gate and a camera at the
outbound one (for `rush` a second node with a third door, and no gate), and a subscriber; lets the yard play a
script; and has another program grade what it finds against the yard's truth. Everything it starts ends with
it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from zonegate.cable import Cable
from zonegate.child import ChildError, free_port
from zonegate.children import OwnMosquitto, OwnPostgres, SpareBroker, own_broker
from zonegate.own import OwnCenter, OwnGate, OwnNode

TENANT: Final = "example"
ZONE: Final = "999001001"
NODE: Final = "dock-1"
DOORS: Final = {"d1": "Door 1, inbound", "d2": "Door 2, outbound"}
GATE_DOOR: Final = "d2"
"""Where the RFID gate and the camera are."""

OTHER: Final = "dock-2"
OTHER_DOORS: Final = {"d3": "Door 3, outbound"}
"""Of the dock that `rush` plays at, too; it reaches center and broker by cables that can be pulled."""

_JSON_SPEED: Final = 400.0
"""People's pauses are divided by so much when only the result is wanted."""

_WORK_S_MAX: Final = 300.0
"""No script lasts longer; a step that hangs is told instead of waited for."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `zonegate demo`."""
    add = parser.add_argument
    add("--script", choices=["day", "rush", "trouble"], help="play this script to its end and grade it")
    add("--seed", type=int, default=1, help="the same seed plays the same script")
    add("--speed", type=float, help="divides people's pauses; 1 is a real dock's pace")
    add("--json", action="store_true", help="print the grader's figures as the last line")
    add(
        "--sabotage",
        choices=["drop", "dup", "admit", "forge", "turn", "conjure"],
        help="falsify the record: the grader must find it",
    )
    add("--folder", type=Path, help="keep everything here; default: a folder that is removed at the end")


def run(args: argparse.Namespace) -> int:
    """0 when all was recorded right, 1 when the grader found something, 130 after Ctrl-C."""
    with contextlib.ExitStack() as stack:
        folder: Path | None = args.folder
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zonegate-demo-")))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            return asyncio.run(_until_signal(args, folder.resolve()))
        except ChildError as error:
            print(f"demo: {error}", file=sys.stderr)
            return 1


async def _until_signal(args: argparse.Namespace, folder: Path) -> int:
    """The demo, ended in good order by SIGINT or SIGTERM."""
    loop = asyncio.get_running_loop()
    playing = asyncio.ensure_future(_demo(args, folder))
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, playing.cancel)
    try:
        return await playing
    except asyncio.CancelledError:
        _say("ended.")
        return 130


@dataclass(frozen=True, slots=True)
class _Address:
    """What a node is told of where its center is."""

    url: str


@dataclass(frozen=True, slots=True)
class _World:
    """What runs during a demo."""

    folder: Path
    postgres: OwnPostgres
    dsn: str
    broker: OwnMosquitto | SpareBroker
    center: OwnCenter
    nodes: dict[str, OwnNode]
    cables: tuple[Cable, ...]
    heard: Path
    gates: tuple[OwnGate, ...]
    today: date
    """The dock's own day, by which its papers are valid: near midnight it is not UTC's."""

    @property
    def node(self) -> OwnNode:
        """The dock that every script plays at."""
        return self.nodes[NODE]

    @property
    def links(self) -> Path:
        """The scanners' by-id names."""
        return self.folder / "by-id"

    @property
    def truth(self) -> Path:
        """What the yard really did."""
        return self.folder / "truth.jsonl"


async def _demo(args: argparse.Namespace, folder: Path) -> int:
    script = args.script or "day"
    played_out = args.script is not None or args.json or args.sabotage is not None
    speed = args.speed or (_JSON_SPEED if args.json else 40.0 if played_out else 1.0)
    async with _world(folder, script, args.seed) as world:
        _greet(world)
        swallow = ["--swallow", "auto"] if args.sabotage == "drop" else []
        played = await _play(world, script, args.seed, speed, swallow if played_out else ["--stay"])
        if played != 0 and not swallow:
            return played
        if args.sabotage not in (None, "drop"):
            await _sabotage(world, args.sabotage)
        return await _grade(world)


@contextlib.asynccontextmanager
async def _world(folder: Path, script: str, seed: int) -> AsyncIterator[_World]:
    """Everything started in order, and ended in the reverse."""
    async with contextlib.AsyncExitStack() as stack:
        _say("starting PostgreSQL and the broker ...")
        postgres = await stack.enter_async_context(OwnPostgres(folder))
        broker = own_broker(folder)
        await stack.enter_async_context(broker)
        dsn = await postgres.create_database("zonegate")
        _say("starting the center ...")
        center = OwnCenter(folder, dsn, TENANT, ZONE)
        await stack.enter_async_context(center)
        heard = folder / "heard.jsonl"
        await stack.enter_async_context(_listener(broker, heard))
        world_links = folder / "by-id"
        world_links.mkdir(mode=0o700, exist_ok=True)
        links = folder / "by-id"
        links.mkdir(mode=0o700, exist_ok=True)
        _say("starting the nodes ..." if script == "rush" else "starting the node ...")
        cables: tuple[Cable, ...] = ()
        gates = () if script == "rush" else (_gate(folder),)
        at = _Links(links, center, center.url, broker.url)
        starting = [_node(stack, folder, at, NODE, DOORS, gates)]
        if script == "rush":
            cables = (Cable("http", center.port), Cable("mqtt", broker.port))
            for cable in cables:
                await stack.enter_async_context(cable)
            (folder / OTHER).mkdir(mode=0o700, exist_ok=True)
            at = _Links(links, center, cables[0].url, cables[1].url)
            starting.append(_node(stack, folder / OTHER, at, OTHER, OTHER_DOORS))
        nodes = dict(zip((NODE, OTHER), await asyncio.gather(*starting), strict=False))
        today = nodes[NODE].today()
        world = _World(folder, postgres, dsn, broker, center, nodes, cables, heard, gates, today)
        for name, node in nodes.items():
            await _until(partial(_connected, node), f"{name} to reach the center")
        papers, tables = folder / "papers.json", folder / "tables"
        words = ["--out", str(papers), "--tables", str(tables), "--script", script, "--seed", str(seed)]
        words += ["--today", str(world.today)]
        await _program("simulators.yard", "papers", *words)
        await center.take_papers(papers, *sorted(tables.iterdir()))
        planned = len(json.loads(papers.read_text(encoding="utf-8"))["trucks"])
        await _until(lambda: sum(map(_jobs, nodes.values())) >= planned, "the papers to reach the docks")
        yield world


@dataclass(frozen=True, slots=True)
class _Links:
    """What a node is joined to: the folder of its scanners, its center, and the ways to center and broker."""

    scanners: Path
    center: OwnCenter
    center_url: str
    broker_url: str


async def _node(
    stack: contextlib.AsyncExitStack,
    folder: Path,
    at: _Links,
    name: str,
    doors: dict[str, str],
    gates: tuple[OwnGate, ...] = (),
) -> OwnNode:
    """A dock, enrolled and started; its scanners' names are those of the yard."""
    node = OwnNode(
        folder,
        tenant=TENANT,
        zone=ZONE,
        node=name,
        doors={
            door: (said, at.scanners / f"usb-Example_Scanner_{door.upper()}-if00")
            for door, said in doors.items()
        },
        center=_Address(at.center_url),
        code=await at.center.enrol(name),
        broker=at.broker_url,
        gates=gates,
    )
    await stack.enter_async_context(node)
    return node


def _gate(folder: Path) -> OwnGate:
    """The gate at the outbound door; without OpenCV it has no camera."""
    pictures = folder / "camera-d2"
    pictures.mkdir(mode=0o700, exist_ok=True)
    sees = all(find_spec(name) is not None for name in ("cv2", "zxingcpp"))
    if not sees:
        _say("no camera: pip install 'zonegate[camera]' brings one; its label goes to the scanner")
    return OwnGate(GATE_DOOR, free_port(), pictures if sees else None)


def _connected(node: OwnNode) -> bool:
    links = {link["name"]: link for link in node.get("/api/v1/status")["links"]}
    return bool(links["center"]["state"] == "Up")


def _told(node: OwnNode) -> bool:
    links = {link["name"]: link for link in node.get("/api/v1/status")["links"]}
    return bool(links["center"]["state"] == "Up" and links["center"]["behind"] == 0)


def _caught_up(node: OwnNode) -> bool:
    return all(link["state"] == "Up" and link["behind"] == 0 for link in node.get("/api/v1/status")["links"])


def _jobs(node: OwnNode) -> int:
    return len(node.get("/api/v1/status")["jobs"])


async def _until(condition: Callable[[], bool], what: str) -> None:
    """Wait for the condition, looking again and again; ChildError when it does not come."""
    try:
        async with asyncio.timeout(30):
            while not await asyncio.to_thread(_holds, condition):  # noqa: ASYNC110 - asked over HTTP
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise ChildError(
            f"waited 30 s for {what}; see the logs in the demo's folder (--folder keeps it)"
        ) from None


def _holds(condition: Callable[[], bool]) -> bool:
    """Whether it is so; a service that does not answer yet is a no."""
    try:
        return condition()
    except OSError:
        return False


@contextlib.asynccontextmanager
async def _listener(broker: OwnMosquitto | SpareBroker, heard: Path) -> AsyncIterator[None]:
    """An independent subscriber, listening before the first event."""
    process = await _start("simulators.listener", "--broker", broker.url, "--log", str(heard))
    assert process.stdout is not None, "started with a pipe"
    try:
        async with asyncio.timeout(20):
            line = await process.stdout.readline()
        if b"ready" not in line:
            raise ChildError(f"the subscriber did not start: {line!r}")
        yield
    finally:
        await _end(process)


async def _play(world: _World, script: str, seed: int, speed: float, more: list[str]) -> int:
    """The yard plays; where its script asks for a fault, it is done here."""
    token = world.folder / "supervisor.token"
    token.write_text(world.node.token("supervisor"), encoding="utf-8")
    token.chmod(0o600)
    words = ["play", "--node", world.node.url, "--links", str(world.links), "--token-file", str(token)]
    words += [
        "--truth",
        str(world.truth),
        "--script",
        script,
        "--seed",
        str(seed),
        "--speed",
        str(speed),
        "--today",
        str(world.today),
        *more,
    ]
    for gate in world.gates:
        words += ["--gate", f"{gate.door}={gate.port}"]
        words += ["--camera", str(gate.pictures)] if gate.pictures else []
    if OTHER in world.nodes:
        words += [word for door in OTHER_DOORS for word in ("--at", f"{door}={world.nodes[OTHER].url}")]
    process = await _start("simulators.yard", *words)
    assert process.stdout is not None and process.stdin is not None, "started with pipes"
    faults: dict[str, Callable[[], Awaitable[None]]] = {
        "kill-node": lambda: _again(world.node),
        "stop-center": world.center.stop,
        "start-center": world.center.start,
        "kill-broker": lambda: _again(world.broker),
        "cut-node": lambda: _cut(world),
        "join-node": lambda: _join(world),
        "played": _stay,
    }
    try:
        # At a real dock's pace, or with people at the screens, there is no hurry.
        async with asyncio.timeout(_WORK_S_MAX if speed >= _JSON_SPEED else None):
            while line := await process.stdout.readline():
                told = json.loads(line)
                if told["call"] == "make":
                    await _make(world, told["steps"])
                else:
                    _say(f"yard calls: {told['call']}")
                    await faults[told["call"]]()
                process.stdin.write(b"done\n")
                await process.stdin.drain()
            return await process.wait()
    finally:
        await _end(process)


async def _make(world: _World, steps: list[dict[str, Any]]) -> None:
    """Tell the center the steps of a work order, once it knows what came through the doors."""
    await _until(partial(_told, world.node), "the center to know what came")
    for step in steps:
        await world.center.act(f"orders/{step['step']}", step["says"])


async def _stay() -> None:
    """The scanners stay plugged and the pages open until Ctrl-C."""
    _say("The day is played. Scan at the door screens yourself; Ctrl-C ends the demo.")
    await asyncio.Event().wait()


async def _again(child: OwnNode | OwnMosquitto | SpareBroker) -> None:
    await child.kill()
    await child.start()


async def _cut(world: _World) -> None:
    for cable in world.cables:
        await cable.cut()


async def _join(world: _World) -> None:
    await _until(lambda: not _connected(world.nodes[OTHER]), f"{OTHER} to miss the center")
    for cable in world.cables:
        await cable.join()
    await _until(lambda: _caught_up(world.nodes[OTHER]), f"{OTHER} to tell what it has recorded")


async def _sabotage(world: _World, act: str) -> None:
    words = [act, "--dsn", world.dsn, "--broker", world.broker.url, "--log", str(world.heard)]
    words += ["--journal", str(world.node.store / "journal.sqlite3")]
    await _program("simulators.saboteur", *words)


async def _grade(world: _World) -> int:
    """Another program's word, printed as it is."""
    words = ["--truth", str(world.truth), "--dsn", world.dsn]
    for name, node in world.nodes.items():
        words += ["--journal", f"{name}={node.store / 'journal.sqlite3'}"]
    process = await _start("simulators.grader", *words, "--subscriber", str(world.heard))
    assert process.stdout is not None, "started with a pipe"
    try:
        async with asyncio.timeout(_WORK_S_MAX):
            said = (await process.stdout.read()).decode()
            code = await process.wait()
    finally:
        await _end(process)
    print(said.strip(), flush=True)
    return code


async def _program(module: str, *words: str) -> None:
    process = await _start(module, *words)
    try:
        async with asyncio.timeout(60):
            code = await process.wait()
    finally:
        await _end(process)
    if code != 0:
        raise ChildError(f"{module} ended with code {code}")


async def _start(module: str, *words: str) -> asyncio.subprocess.Process:
    """One of the simulators, in a process of its own that ends with ours."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "zonegate.leash",
        module,
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _greet(world: _World) -> None:
    _say("")
    for node, doors in ((NODE, DOORS), (OTHER, OTHER_DOORS)):
        if node in world.nodes:
            for door, name in doors.items():
                _say(f"  {name:<18} {world.nodes[node].url}/door/{door}")
            _say(f"  {'status page':<18} {world.nodes[node].url}/")
    for gate in world.gates:
        _say(f"  {'gate of ' + gate.door:<18} llrp://127.0.0.1:{gate.port}, a simulated reader")
        if gate.pictures is not None:
            _say(f"  {'camera of ' + gate.door:<18} sees the pictures that come into {gate.pictures}")
    _say(f"  {'center':<18} {world.center.url}/")
    _say(f"  {'events':<18} mosquitto_sub -p {world.broker.port} -V 5 -q 1 -v -t 'zonegate/v1/#'")
    _say(f"  {'supervisor token':<18} {world.node.token('supervisor')}")
    _say(f"  {'center token':<18} {world.center.token('center')}")
    _say("")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
