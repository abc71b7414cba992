# SPDX-License-Identifier: Apache-2.0
"""The yard as a program: `papers` writes what the center imports, `play` plays a script at a running dock.

Exit 0: played, every screen answered; 1: some screen did not answer, or the dock was not ready; 2: usage.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from simulators.scanner import PtyScanner
from simulators.yard import customs_data
from simulators.yard.rig import Rig
from simulators.yard.runner import BAUD, Pace, Play, PlayError, scanner_links
from simulators.yard.scenario import OUTBOUND, SCRIPTS, Scenario, build
from simulators.yard.screen import Dock, DockError
from simulators.yard.truth import TruthFile
from simulators.yard.works import WorkOrder

_CALLS = """\
Where the script does something to the service (trouble and rush), `play` writes one line to standard
output, {"call": NAME}, NAME one of kill-node, stop-center, start-center, kill-broker, cut-node, join-node,
and reads one line of standard input before it goes on: write it when the service is as it should be
(kill-node and kill-broker: killed and started again; cut-node: the second node reaches nobody; join-node:
it has told everything again). For each work order of the day the line is
{"call": "make", "steps": [...]}: tell the center each step, as POST /api/v1/orders/STEP takes it. With
--stay the last call is "played". `rush` plays at two nodes: --at d3=URL names the second one.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command of the yard; returns the exit code."""
    options = _parser().parse_args(arguments)
    scenario = build(options.script, options.seed, options.today, gate=bool(options.gate))
    if options.command == "papers":
        options.out.write_text(json.dumps(scenario.papers.documents(), indent=2) + "\n", encoding="utf-8")
        if options.tables is not None:
            options.tables.mkdir(parents=True, exist_ok=True)
            for name, table in customs_data.tables(scenario.papers).items():
                (options.tables / name).write_text(table, encoding="utf-8")
        return 0
    code = 1
    try:
        code = asyncio.run(_play(scenario, options))
    except* (PlayError, DockError) as group:
        for error in group.exceptions:
            print(f"yard: {error}", file=sys.stderr)  # noqa: T201 - a program speaks
    return code


async def _play(scenario: Scenario, options: argparse.Namespace) -> int:
    links = {} if options.keyboard else scanner_links(options.links, scenario)
    scanners = {door: PtyScanner(link, BAUD) for door, link in links.items()}
    with TruthFile(options.truth, lambda: datetime.now(UTC)) as truth:
        async with contextlib.AsyncExitStack() as stack:
            docks, at = {}, dict(options.at)
            for url in {options.node, *at.values()}:
                token = _token(options.token_file) if url == options.node else None
                docks[url] = await stack.enter_async_context(Dock(url, token))
            play = Play(
                scenario,
                {door: docks[at.get(door, options.node)] for door in scenario.doors},
                scanners,
                truth,
                _call_out,
                (lambda _: None) if options.quiet else _tell,
                Pace(
                    options.speed,
                    options.patience,
                    swallow=_swallowed(scenario, options.swallow),
                    stay=options.stay,
                ),
                {door: Rig(door, port, options.camera) for door, port in options.gate},
            )
            unanswered = await play.run()
    if unanswered:
        numbers = ", ".join(map(str, unanswered))
        print(f"yard: no screen answered step {numbers}", file=sys.stderr)  # noqa: T201 - a program speaks
    return 1 if unanswered else 0


async def _call_out(name: str, order: WorkOrder | None) -> None:
    told = {"call": name} | ({"steps": order.requests()} if order else {})
    print(json.dumps(told), flush=True)  # noqa: T201 - the line is the protocol
    if not await asyncio.to_thread(sys.stdin.readline):
        raise PlayError(f"the script asks for {name}, and standard input is closed: play it by the demo")


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201 - a program speaks


def _token(path: Path | None) -> str | None:
    return path.read_text(encoding="utf-8").strip() if path else None


def _swallowed(scenario: Scenario, wish: str | None) -> int | None:
    """The step whose scan never reaches the wire; "auto" is a movement that nothing else rests on."""
    if wish is None or wish != "auto":
        return None if wish is None else int(wish)
    by_load: dict[str, list[int]] = {}
    for step in scenario.steps:
        for fact in step.expect:
            if fact["type"] in ("admission", "withdrawal", "correction", "hold", "stop"):
                by_load.setdefault(fact["load"], []).append(step.number)
    single = {numbers[0] for numbers in by_load.values() if len(numbers) == 1}
    candidates = [
        step.number
        for step in scenario.steps
        if step.number in single
        and step.act == "scan"
        and step.expect[0]["type"] in ("admission", "withdrawal")
    ]
    return candidates[-1]


def _at(text: str) -> tuple[str, str]:
    """A door and the address of its node."""
    door, equals, url = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} came, expected DOOR=URL")
    return door, url


def _gate(text: str) -> tuple[str, int]:
    """A door and the port of its gate's reader."""
    door, equals, port = text.partition("=")
    if door != OUTBOUND or not equals or not port.isdecimal():
        raise argparse.ArgumentTypeError(
            f"{text!r} came, expected {OUTBOUND}=PORT: the script's gate is there"
        )
    return door, int(port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulators.yard", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    papers = commands.add_parser("papers", help="write products, permits and trucks as one JSON import")
    papers.add_argument("--out", type=Path, required=True, help="file to write")
    papers.add_argument("--tables", type=Path, help="folder to write the tables of customs data into, as CSV")
    play = commands.add_parser(
        "play",
        help="play a script at a running dock",
        epilog=_CALLS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    play.add_argument("--node", required=True, help="the node's address, http://127.0.0.1:8420")
    play.add_argument(
        "--at",
        type=_at,
        action="append",
        default=[],
        metavar="DOOR=URL",
        help="the address of another node that has this door",
    )
    play.add_argument(
        "--links",
        type=Path,
        default=Path(),
        help="folder of the scanners' lasting names, usb-Example_Scanner_D1-if00 for door d1",
    )
    play.add_argument("--keyboard", action="store_true", help="scan at the screens' keyboards, not over ptys")
    play.add_argument("--token-file", type=Path, help="file with the supervisor's token, for what is typed")
    play.add_argument("--truth", type=Path, required=True, help="truth file to write (JSON lines)")
    play.add_argument(
        "--speed", type=float, default=1.0, help="divides the people's pauses; 1 is a real dock's pace"
    )
    play.add_argument("--patience", type=float, default=20.0, help="seconds to wait for a screen, at most")
    play.add_argument("--swallow", help='sabotage: step number, or "auto", whose scan never reaches the wire')
    play.add_argument("--stay", action="store_true", help="keep the scanners plugged when the script is over")
    play.add_argument("--quiet", action="store_true", help="do not tell the steps on standard error")
    play.add_argument("--camera", type=Path, help="folder of the pictures of the camera at the gate's door")
    for command in (papers, play):
        command.add_argument(
            "--gate",
            type=_gate,
            action="append",
            default=[],
            metavar="DOOR=PORT",
            help="the day's last truck goes through an RFID gate at this door, its reader on this port",
        )
        command.add_argument("--script", choices=SCRIPTS, default="day")
        command.add_argument("--seed", type=int, default=1)
        command.add_argument(
            "--today",
            type=date.fromisoformat,
            default=datetime.now(UTC).date(),
            help="a date of the week that the papers are valid in (YYYY-MM-DD)",
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
