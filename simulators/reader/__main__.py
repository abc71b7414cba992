# SPDX-License-Identifier: Apache-2.0
"""An LLRP reader for the console: point a client at it, and type what happens to it.

Exit 0 when it was ended or its input was closed, 2 for usage.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import ssl
import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from threading import Thread
from typing import Final

from drivers.line_faults import LineFaults
from simulators.reader.faults import WireFaults
from simulators.reader.kinds import IMPINJ, KINDS
from simulators.reader.replay import Recorded, RecordingError, read_recording
from simulators.reader.server import Reader
from simulators.reader.sightings import Sighting

_COMMANDS: Final = """\
While it runs, one command a line on standard input:

  see EPC [ANTENNA [DBM]]      a tag answers once, -55 dBm at antenna 1 unless said
  gpi PORT high|low            an input is pulled up or down
  antenna NUMBER on|off        a cable comes off, or on again
  drop                         the connection breaks
  close                        the reader ends the connection, and says so
  stall, resume                nothing more leaves; what waited leaves
  garble N                     the next N frames are spoilt behind their header
  lie N                        the next frame's length is N too long (or too short)
  jump SECONDS                 the reader's clock is set, forward or back
  fail TEXT                    an exception is told
  quit
"""

_DBM: Final = -55.0


def main(arguments: list[str] | None = None) -> int:
    """Run a reader until it is told to end; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        recording = read_recording(options.replay.read_bytes()) if options.replay else []
        tls = _context(options.cert, options.key) if options.cert else None
    except (OSError, ssl.SSLError, RecordingError) as error:
        print(f"reader: {options.replay or options.cert}: {error}", file=sys.stderr)  # noqa: T201 - a program speaks
        return 2
    # A shell lets what it starts in the background ignore Ctrl-C; whoever sends it here means it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(options, recording, tls))
    return 0


async def _run(options: argparse.Namespace, recording: list[Recorded], tls: ssl.SSLContext | None) -> None:
    line = LineFaults(
        Random(options.seed), split=options.split, garble=options.garble, duplicate=options.duplicate
    )
    faults = WireFaults(line=line if options.split or options.garble or options.duplicate else None)
    reader = Reader(KINDS[options.kind], host=options.host, port=options.port, tls=tls, faults=faults)
    async with reader:
        print(reader.url, flush=True)  # noqa: T201 - whoever started it wants to know
        doing = [asyncio.create_task(_show_outputs(reader))]
        if recording:
            playing = _replay(reader, recording, options.speed, at_once=options.at_once)
            doing.append(asyncio.create_task(playing))
        if options.tag:
            doing.append(asyncio.create_task(_hold_tags(reader, options.tag, options.rate)))
        try:
            await _obey(reader)
        finally:
            for task in doing:
                task.cancel()
            await asyncio.gather(*doing, return_exceptions=True)


async def _obey(reader: Reader) -> None:
    """Do what is typed, until `quit`; with standard input closed it goes on until it is ended."""
    typed: asyncio.Queue[str] = asyncio.Queue()
    # A daemon: waiting for a line must not keep a program that is told to end.
    Thread(target=_read_lines, args=(asyncio.get_running_loop(), typed), daemon=True).start()
    while line := await typed.get():
        words = line.split()
        if words == ["quit"]:
            return
        if not words:
            continue
        try:
            _command(reader, words)
        except (KeyError, ValueError, IndexError) as error:
            print(f"{line.strip()}: {error}; --help lists the commands", file=sys.stderr)  # noqa: T201
    await asyncio.Event().wait()


def _read_lines(loop: asyncio.AbstractEventLoop, typed: asyncio.Queue[str]) -> None:
    """Hand on what is typed, line by line, and an empty text at its end."""
    with contextlib.suppress(RuntimeError):  # the loop has ended
        while True:
            line = sys.stdin.readline()
            loop.call_soon_threadsafe(typed.put_nowait, line)
            if not line:
                return


def _command(reader: Reader, words: list[str]) -> None:
    acts: dict[str, Callable[[], object]] = {
        "see": lambda: reader.see(_sighting(words[1:])),
        "gpi": lambda: reader.set_input(int(words[1]), _switch(words[2], "high", "low")),
        "antenna": lambda: reader.set_antenna(int(words[1]), _switch(words[2], "on", "off")),
        "drop": reader.drop,
        "close": reader.hang_up,
        "stall": lambda: setattr(reader.faults, "stalled", True),
        "resume": reader.resume,
        "garble": lambda: setattr(reader.faults, "garble_frames", int(words[1])),
        "lie": lambda: setattr(reader.faults, "lie_bytes", int(words[1])),
        "jump": lambda: reader.jump_clock(round(float(words[1]) * 1e6)),
        "fail": lambda: reader.fail(" ".join(words[1:])),
    }
    if words[0] not in acts:
        raise ValueError("no such command")
    acts[words[0]]()


def _sighting(words: list[str]) -> Sighting:
    antenna = int(words[1]) if len(words) > 1 else 1
    strength = float(words[2]) if len(words) > 2 else _DBM
    # Whoever types it means now, not when the antenna's turn comes.
    return Sighting(bytes.fromhex(words[0]), antenna, round(strength * 100), paced=True)


def _switch(word: str, on: str, off: str) -> bool:
    if word not in (on, off):
        raise ValueError(f"{word!r} came, expected {on} or {off}")
    return word == on


async def _hold_tags(reader: Reader, tags: list[str], rate: float) -> None:
    """Tags lie before the antennas: each in turn answers, by each antenna in turn, as far as the ROSpec's
    spec at work looks there and lets it.
    """
    antennas = range(1, reader.kind.antennas + 1)
    waiting = deque(Sighting(bytes.fromhex(tag), one, round(_DBM * 100)) for one in antennas for tag in tags)
    while True:
        for _ in range(len(waiting)):
            waiting.rotate(-1)
            if reader.see(waiting[-1]):
                break
        await asyncio.sleep(1 / rate)


async def _replay(reader: Reader, recording: list[Recorded], speed: float, *, at_once: bool) -> None:
    """Play the recording to each client that starts a ROSpec, or to whoever connects, once."""
    served = 0
    while True:
        await reader.until(partial(_fresh_client, served, at_once), None)
        served = reader.connections
        for recorded in recording:
            if speed:
                await asyncio.sleep(recorded.pause_us / 1e6 / speed)
            if reader.connections != served or not reader.connected:
                break
            reader.send_bytes(recorded.frame)
        print(f"replayed to client {served}", file=sys.stderr, flush=True)  # noqa: T201 - a program speaks


async def _show_outputs(reader: Reader) -> None:
    shown = 0
    while True:
        await reader.until(partial(_wrote_more, shown), None)
        for port, level in reader.writes[shown:]:
            print(f"output {port} {'high' if level else 'low'}", flush=True)  # noqa: T201 - a lamp, told
        shown = len(reader.writes)


def _fresh_client(served: int, at_once: bool, reader: Reader) -> bool:
    return reader.connections > served and (reader.reading or (at_once and reader.connected))


def _wrote_more(shown: int, reader: Reader) -> bool:
    return len(reader.writes) > shown


def _context(cert: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulators.reader",
        description="A simulated RFID reader that speaks LLRP 1.0.1 and 1.1. Prints its address first.",
        epilog=_COMMANDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--kind", choices=sorted(KINDS), default=IMPINJ.name, help="which kind of reader (default impinj)")
    add("--host", default="127.0.0.1", help="where to listen (default 127.0.0.1)")
    add("--port", type=int, default=0, help="default: a free one; readers have 5084, with TLS 5085")
    add("--cert", type=Path, help="certificate (PEM): speak TLS")
    add("--key", type=Path, help="its key, where the certificate's file does not hold it")
    add("--tag", type=_epc, action="append", metavar="EPC", help="a tag in the field, hexadecimal; repeat")
    add("--rate", type=_positive, default=50.0, help="reads a second of the tags in the field (default 50)")
    add(
        "--replay",
        type=Path,
        metavar="FILE",
        help="recorded frames, sent to each client that starts a ROSpec",
    )
    add("--at-once", action="store_true", help="replay to whoever connects, also without a ROSpec")
    add("--speed", type=float, default=1.0, help="divides the recording's pauses; 0 leaves them out")
    add("--split", type=float, default=0.0, help="chance of a cut behind each byte")
    add("--garble", type=float, default=0.0, help="chance of each byte being another")
    add("--duplicate", type=float, default=0.0, help="chance of each piece coming twice")
    add("--seed", type=int, default=1, help="of these chances")
    return parser


def _epc(text: str) -> str:
    bytes.fromhex(text)
    return text


def _positive(text: str) -> float:
    if float(text) <= 0:
        raise argparse.ArgumentTypeError(f"{text} came, expected more than 0")
    return float(text)


if __name__ == "__main__":
    sys.exit(main())
